//! People: who is signed on, what was allowed and not used yet, whether this is training.
//!
//! An approval allows one thing once: the fact that refers to it uses it up. The newest
//! [`APPROVALS_MAX`] that were not used are remembered; an older one lapses.

use super::{hold, hold_number};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{
    ApprovalGiven, Fact, Key, OperatorSignedOff, OperatorSignedOn, SaleBegun, TrainingSet,
};
use crate::limits::APPROVALS_MAX;
use crate::sale::{Contradiction, input};
use std::collections::VecDeque;

/// An approval that was not used yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Number.
    pub number: u64,
    /// Who gave it.
    pub approver: String,
    /// What it allows, in words.
    pub what: String,
}

/// The people at a till.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct People {
    /// The operator signed on.
    pub operator: Option<String>,
    /// Sales that begin are training.
    pub training: bool,
    /// Number of the next approval.
    pub next_approval: u64,
    /// Approvals not used yet, by number.
    pub approvals: VecDeque<Approval>,
}

impl Default for People {
    fn default() -> Self {
        Self { operator: None, training: false, next_approval: 1, approvals: VecDeque::new() }
    }
}

impl People {
    /// Signs an operator on.
    ///
    /// # Errors
    /// `PK_E_BAD_TEXT`; `PK_E_SIGNED_ON` when somebody is.
    pub fn sign_on(&self, operator: &str, key: Option<Key>) -> Result<OperatorSignedOn> {
        input::operator(operator)?;
        if let Some(other) = &self.operator {
            let message = format!("operator {other} is signed on; sign that one off first");
            return Err(Error::new(Code::SignedOn, message).with("operator", other.as_str()));
        }
        Ok(OperatorSignedOn { operator: operator.to_owned(), key })
    }

    /// Signs the operator off.
    ///
    /// # Errors
    /// `PK_E_BAD_TEXT`; `PK_E_NOT_SIGNED_ON` when nobody is, or somebody else.
    pub fn sign_off(&self, operator: &str, key: Option<Key>) -> Result<OperatorSignedOff> {
        input::operator(operator)?;
        if self.operator.as_deref() == Some(operator) {
            return Ok(OperatorSignedOff { operator: operator.to_owned(), key });
        }
        let signed_on = self.operator.as_deref();
        let who = signed_on.map_or_else(|| "nobody is".to_owned(), |other| format!("{other} is"));
        let message = format!("operator {operator} is not signed on, {who}");
        Err(Error::new(Code::NotSignedOn, message)
            .with("operator", operator)
            .with("signedOn", signed_on))
    }

    /// Refuses when nobody is signed on.
    ///
    /// # Errors
    /// `PK_E_NOT_SIGNED_ON`.
    pub fn somebody(&self) -> Result<()> {
        if self.operator.is_some() {
            return Ok(());
        }
        let message = "nobody is signed on at this terminal; sign an operator on first";
        Err(Error::new(Code::NotSignedOn, message))
    }

    /// Refuses while this is training.
    ///
    /// # Errors
    /// `PK_E_TRAINING`.
    pub fn no_training(&self) -> Result<()> {
        if !self.training {
            return Ok(());
        }
        let message = "training is on, and training moves no cash; switch it off first";
        Err(Error::new(Code::Training, message))
    }

    /// Refuses a sale from elsewhere that is training when this till is not, or the other way round.
    ///
    /// # Errors
    /// `PK_E_TRAINING`.
    pub fn same_training(&self, training: bool) -> Result<()> {
        if training == self.training {
            return Ok(());
        }
        let (is, set) = if training { ("", "on") } else { ("not ", "off") };
        let message = format!("the sale is {is}training; switch training {set} first");
        Err(Error::new(Code::Training, message))
    }

    /// Gives an approval.
    ///
    /// # Errors
    /// `PK_E_BAD_TEXT`.
    pub fn approve(&self, approver: &str, what: &str, key: Option<Key>) -> Result<ApprovalGiven> {
        input::operator(approver)?;
        input::approved(what)?;
        Ok(ApprovalGiven {
            number: self.next_approval,
            approver: approver.to_owned(),
            what: what.to_owned(),
            operator: None,
            key,
        })
    }

    /// Switches training on or off.
    ///
    /// # Errors
    /// `PK_E_BAD_ARGUMENT` when it is what it is to become.
    pub fn set_training(&self, on: bool, key: Option<Key>) -> Result<TrainingSet> {
        if on != self.training {
            return Ok(TrainingSet { on, operator: None, approval: None, key });
        }
        let message = format!("training is {} already", if on { "on" } else { "off" });
        Err(Error::new(Code::BadArgument, message).with("argument", "on").with("value", on))
    }

    /// Names the operator in a fact that was decided.
    ///
    /// # Errors
    /// For the approval that it refers to: `PK_E_NOT_FOUND` when that was never given,
    /// `PK_E_APPROVAL_USED` when it was used or lapsed.
    pub fn sign(&self, fact: &mut Fact) -> Result<()> {
        fact.name_operator(self.operator.as_deref());
        let Some(number) = fact.approval() else { return Ok(()) };
        if self.approvals.iter().any(|approval| approval.number == number) {
            return Ok(());
        }
        if (1..self.next_approval).contains(&number) {
            return Err(Self::used(number));
        }
        let message = format!("there is no approval {number} on this terminal");
        Err(Error::new(Code::NotFound, message).with("approval", number))
    }

    /// The refusal of an approval that allows nothing any more.
    pub(crate) fn used(number: u64) -> Error {
        let message = format!("approval {number} was used, or lapsed; ask for another");
        Error::new(Code::ApprovalUsed, message).with("approval", number)
    }

    /// Names the operator, and training, in the first fact of a sale.
    pub(crate) fn begin(&self, begun: &mut SaleBegun) {
        begun.operator.clone_from(&self.operator);
        begun.training = self.training.then_some(true);
    }

    /// Signs a fact of a sale that is rung up whole, and uses up its approval at once, so that two
    /// of its facts cannot both refer to one.
    ///
    /// # Errors
    /// As [`Self::sign`].
    pub(crate) fn sign_and_use(&mut self, fact: impl Into<Fact>) -> Result<Fact> {
        let mut fact = fact.into();
        self.sign(&mut fact)?;
        self.hold_signature(&fact).expect("a signed fact contradicts nobody");
        Ok(fact)
    }

    /// Checks who a fact names, and uses up the approval that it refers to.
    pub(super) fn hold_signature(&mut self, fact: &Fact) -> std::result::Result<(), Contradiction> {
        if let Some(named) = fact.operator() {
            let signed_on = self.operator.as_deref();
            hold(named == signed_on, || {
                format!("the operator is {}, not {}", shown(signed_on), shown(named))
            })?;
        }
        if let Some(number) = fact.approval() {
            let found = self.approvals.iter().position(|approval| approval.number == number);
            let found = found.ok_or_else(|| {
                Contradiction(format!("approval {number} was not given, or was used before"))
            })?;
            self.approvals.remove(found);
        }
        Ok(())
    }

    pub(super) fn sign_on_is(
        &mut self,
        fact: &OperatorSignedOn,
    ) -> std::result::Result<(), Contradiction> {
        hold(self.operator.is_none(), || "an operator signs on over another".to_owned())?;
        self.operator = Some(fact.operator.clone());
        Ok(())
    }

    pub(super) fn sign_off_is(
        &mut self,
        fact: &OperatorSignedOff,
    ) -> std::result::Result<(), Contradiction> {
        hold(self.operator.as_ref() == Some(&fact.operator), || {
            format!("operator {} signs off and is not on", fact.operator)
        })?;
        self.operator = None;
        Ok(())
    }

    pub(super) fn approval_is(
        &mut self,
        fact: &ApprovalGiven,
    ) -> std::result::Result<(), Contradiction> {
        hold_number("approval", fact.number, self.next_approval)?;
        self.next_approval += 1;
        if self.approvals.len() == APPROVALS_MAX {
            self.approvals.pop_front();
        }
        let ApprovalGiven { number, approver, what, .. } = fact.clone();
        self.approvals.push_back(Approval { number, approver, what });
        Ok(())
    }

    pub(super) fn training_is(
        &mut self,
        fact: &TrainingSet,
    ) -> std::result::Result<(), Contradiction> {
        hold(fact.on != self.training, || "training becomes what it is".to_owned())?;
        self.training = fact.on;
        Ok(())
    }
}

fn shown(operator: Option<&str>) -> &str {
    operator.unwrap_or("nobody")
}
