//! The till: everything that the facts of one terminal add up to.
//!
//! What lives here: counters, open sales, people and drawer, periods, copies, the window of
//! idempotency keys, and the fold that moves them. What must not: time, files, locks; a fact comes
//! in with its sequence and its wall time.
//!
//! Guards I6 (receipt numbers 1..n without a gap), I9 (perpetual totals never fall), I10 (Z reports
//! add up to them), I13 (one key, one fact) and I17 (training moves no counter). The fold is the same
//! on the live path, in replay and in the verifier.

mod coordination;
mod copies;
mod drawer;
mod keys;
mod people;
mod period;
mod perpetual;
mod report;
mod rules;
mod transit;

use drawer::foreign_cash;

pub use coordination::Coordination;
pub(crate) use coordination::not_newer;
pub use copies::{Copied, Copies};
pub use drawer::{Cash, Drawer, Shift};
pub use keys::{KeyEntry, KeyWindow};
pub use people::{Approval, People};
pub use period::{Period, Periods, Totals};
pub use perpetual::{ClassTotals, CurrencyTotals, Perpetual, PerpetualAfter, TaxBook};
pub use report::Tally;
pub use rules::{Judged, TillRules};
pub use transit::{CashTicket, Transit};

use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{
    Circle, Fact, Hash, Key, PolicySet, ReceiptReprinted, RecordKind, SaleBegun, SaleCompleted,
    SaleVoided,
};
use crate::limits::{CURRENCIES_MAX, TAX_BOOK_MAX, TENDER_BYTES_MAX};
use crate::money::Currency;
use crate::policy::Policy;
use crate::pricing::TaxComponent;
use crate::sale::{Contradiction, Sale, machine};
use crate::signing::{Archived, SigningState, hold_anchor};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Finished sales that stay readable until the host closes them or this many newer ones follow.
pub const SETTLED_MAX: usize = 64;

/// How much of a fact is worked out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// The fact was decided by this process a moment ago.
    Live,
    /// The fact was read from a journal.
    Replay,
}

/// The state of one terminal.
#[derive(Debug, Clone, PartialEq)]
pub struct Till {
    /// Number of the next sale.
    pub next_sale: u64,
    /// Number of the next receipt.
    pub next_receipt: u64,
    /// Perpetual totals.
    pub totals: BTreeMap<Currency, CurrencyTotals>,
    /// Perpetual totals of each tax.
    pub taxes: BTreeMap<Currency, TaxBook>,
    /// The policy that sales of a currency are priced by.
    pub policies: BTreeMap<Currency, Policy>,
    /// The rule tables that lines and tenders are judged by.
    pub rules: TillRules,
    /// Open sales.
    pub open: BTreeMap<u64, Sale>,
    /// Remembered idempotency keys.
    pub keys: KeyWindow,
    /// Number of the next training receipt.
    pub next_training: u64,
    /// Who is here, and what was allowed.
    pub people: People,
    /// The shift and its cash.
    pub drawer: Drawer,
    /// Z reports and longer closings.
    pub periods: Periods,
    /// The running period, from the first fact of people, drawer or reports on.
    pub tally: Option<Tally>,
    /// Receipts that were printed again.
    pub copies: Copies,
    /// The signer, once there was one.
    pub signing: Option<SigningState>,
    /// What was archived, once something was.
    pub archived: Option<Archived>,
    /// What it knows of the other terminals.
    pub coordination: Coordination,
    settled: VecDeque<Sale>,
    open_bytes: usize,
}

impl Till {
    /// A till to which nothing has happened, remembering this many keys.
    #[must_use]
    pub fn new(keys_max: usize) -> Self {
        Self {
            next_sale: 1,
            next_receipt: 1,
            totals: BTreeMap::new(),
            taxes: BTreeMap::new(),
            policies: BTreeMap::new(),
            rules: TillRules::default(),
            open: BTreeMap::new(),
            keys: KeyWindow::new(keys_max),
            next_training: 1,
            people: People::default(),
            drawer: Drawer::default(),
            periods: Periods::default(),
            tally: None,
            copies: Copies::default(),
            signing: None,
            archived: None,
            coordination: Coordination::default(),
            settled: VecDeque::new(),
            open_bytes: 0,
        }
    }

    /// An open sale.
    ///
    /// # Errors
    /// `PK_E_ALREADY_FINAL` when it is over, `PK_E_NOT_FOUND` when there never was one.
    pub fn open_sale(&self, number: u64) -> Result<&Sale> {
        match self.open.get(&number) {
            Some(sale) => Ok(sale),
            None if (1..self.next_sale).contains(&number) => Err(machine::already_final(number)),
            None => {
                let message = format!("there is no sale {number} on this terminal");
                Err(Error::new(Code::NotFound, message).with("sale", number))
            }
        }
    }

    /// A sale that is open, or over and not yet closed by the host.
    ///
    /// # Errors
    /// As [`Self::open_sale`].
    pub fn known_sale(&self, number: u64) -> Result<&Sale> {
        match self.settled.iter().find(|sale| sale.number == number) {
            Some(sale) => Ok(sale),
            None => self.open_sale(number),
        }
    }

    /// Forgets a finished sale.
    ///
    /// # Errors
    /// `PK_E_STILL_OPEN`, `PK_E_NOT_FOUND`.
    pub fn forget(&mut self, number: u64) -> Result<()> {
        if self.open.contains_key(&number) {
            let message = format!("sale {number} is still open; complete or void it first");
            return Err(Error::new(Code::StillOpen, message).with("sale", number));
        }
        if number == 0 || number >= self.next_sale {
            return self.open_sale(number).map(drop);
        }
        self.settled.retain(|sale| sale.number != number);
        Ok(())
    }

    /// The newest finished sale that is still readable and satisfies `wanted`.
    pub(crate) fn last_settled(&self, wanted: impl Fn(&Sale) -> bool) -> Option<&Sale> {
        self.settled.iter().rev().find(|sale| wanted(sale))
    }

    /// Totals of a currency, zero when it was never used.
    #[must_use]
    pub fn totals_of(&self, currency: Currency) -> CurrencyTotals {
        self.totals.get(&currency).copied().unwrap_or_default()
    }

    /// Perpetual totals of a currency as they stand.
    #[must_use]
    pub fn perpetual(&self, currency: Currency) -> Perpetual<'_> {
        Perpetual { totals: self.totals_of(currency), taxes: self.taxes.get(&currency) }
    }

    /// Refuses taxes beyond those that there are totals for: those of open sales count too, so that
    /// every sale that takes a line can also be completed. `most` is for all currencies together.
    ///
    /// # Errors
    /// `PK_E_LIMIT`.
    pub fn may_tax(&self, sale: &Sale, taxes: &[TaxComponent], most: usize) -> Result<()> {
        let book = self.taxes.get(&sale.currency);
        let of_sale = |tax| sale.lines.iter().rev().any(|line| line.taxes.contains(tax));
        let known = |tax| book.is_some_and(|book| book.contains_key(tax)) || of_sale(tax);
        if taxes.iter().all(known) {
            return Ok(());
        }
        let lines = sale.lines.iter().flat_map(|line| &line.taxes);
        self.may_book(sale.currency, lines.chain(taxes), most)
    }

    /// Refuses the taxes of a sale from elsewhere, as [`Self::may_tax`] does.
    ///
    /// # Errors
    /// `PK_E_LIMIT`.
    pub fn may_book<'a>(
        &self,
        currency: Currency,
        taxes: impl IntoIterator<Item = &'a TaxComponent>,
        most: usize,
    ) -> Result<()> {
        let mut all: BTreeSet<(Currency, TaxComponent)> =
            taxes.into_iter().map(|tax| (currency, *tax)).collect();
        for (currency, book) in &self.taxes {
            all.extend(book.keys().map(|tax| (*currency, *tax)));
        }
        for open in self.open.values() {
            let taxes = open.lines.iter().flat_map(|line| &line.taxes);
            all.extend(taxes.map(|tax| (open.currency, *tax)));
        }
        let of_currency = all.iter().filter(|(other, _)| *other == currency).count();
        if of_currency > TAX_BOOK_MAX {
            return Err(Error::limit("taxes of a currency", of_currency, TAX_BOOK_MAX));
        }
        if all.len() > most {
            return Err(Error::limit("taxes of all currencies", all.len(), most));
        }
        Ok(())
    }

    /// Refuses a policy of one currency more than there may be.
    ///
    /// # Errors
    /// `PK_E_LIMIT`.
    pub fn may_set_policy(&self, policy: &Policy) -> Result<()> {
        let mut currencies: BTreeSet<Currency> = self.policies.keys().copied().collect();
        currencies.insert(policy.terms().currency);
        if currencies.len() > CURRENCIES_MAX {
            return Err(Error::limit("currencies", currencies.len(), CURRENCIES_MAX));
        }
        Ok(())
    }

    /// Refuses one more open sale than there may be, and one more currency: open sales count with
    /// theirs, so that every sale that begins can also end.
    ///
    /// # Errors
    /// `PK_E_LIMIT`.
    pub fn may_begin(&self, currency: Currency, open_sales_max: usize) -> Result<()> {
        if self.open.len() >= open_sales_max {
            return Err(Error::limit("open sales", self.open.len() + 1, open_sales_max));
        }
        self.may_use([currency])
    }

    /// Refuses more currencies than there may be.
    ///
    /// # Errors
    /// `PK_E_LIMIT`.
    pub fn may_use(&self, wanted: impl IntoIterator<Item = Currency> + Clone) -> Result<()> {
        if wanted.clone().into_iter().all(|currency| self.totals.contains_key(&currency)) {
            return Ok(());
        }
        let open = self.open.values().map(|sale| sale.currency);
        let tally = self.tally.iter().flat_map(|tally| tally.takings.keys().copied());
        let used = self.totals.keys().copied().chain(open).chain(tally);
        let currencies: BTreeSet<Currency> = used.chain(wanted).collect();
        if currencies.len() > CURRENCIES_MAX {
            return Err(Error::limit("currencies", currencies.len(), CURRENCIES_MAX));
        }
        Ok(())
    }

    /// The number of the next receipt of a circle.
    #[must_use]
    pub fn next_receipt_in(&self, circle: Circle) -> u64 {
        match circle {
            Circle::Sale => self.next_receipt,
            Circle::Training => self.next_training,
        }
    }

    /// Bytes of the facts of all open sales.
    #[must_use]
    pub fn open_bytes(&self) -> usize {
        self.open_bytes
    }

    /// Bytes of the facts of all open sales, with the most that may yet end their live tenders.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let tenders = self.open.values().flat_map(|sale| &sale.tenders);
        self.open_bytes + tenders.filter(|tender| tender.is_live()).count() * TENDER_BYTES_MAX
    }

    /// Folds a fact in.
    ///
    /// # Errors
    /// What in it contradicts the facts before it. The till must not be used any more then.
    pub fn apply(
        &mut self,
        fact: &Fact,
        body: &[u8],
        sequence: u64,
        wall_ns: i64,
        check: Check,
    ) -> std::result::Result<(), Contradiction> {
        if fact.begins_tally() {
            self.tally();
        }
        self.people.hold_signature(fact)?;
        match fact {
            Fact::TerminalOpened(opened) => {
                self.hold_open(&opened.sales)?;
                self.open.values_mut().for_each(|sale| sale.recovered = true);
                self.interrupt_signing();
            }
            Fact::TerminalClosed(closed) => self.hold_open(&closed.sales)?,
            Fact::PolicySet(set) => self.set_policy(set)?,
            Fact::RulesSet(set) => self.rules = TillRules::of_fact(set)?,
            Fact::SaleBegun(begun) => {
                hold_number("sale", begun.sale, self.next_sale)?;
                // A sale that was taken over keeps the policy that it began with.
                if begun.takes.is_none() {
                    self.hold_policy(begun)?;
                }
                hold(begun.training.unwrap_or(false) == self.people.training, || {
                    format!("training is {}", self.people.training)
                })?;
                let mut sale = Sale::begun(begun, sequence, wall_ns)?;
                sale.remember(RecordKind::SaleBegun, body);
                self.open_bytes += sale.log_bytes();
                self.next_sale += 1;
                self.open.insert(begun.sale, sale);
            }
            Fact::SaleCompleted(completed) => {
                let mut sale = self.take(completed.sale)?;
                self.complete(&mut sale, fact, completed, check)?;
                self.settle(sale);
            }
            Fact::SaleTransferred(transferred) => {
                let mut sale = self.take(transferred.sale)?;
                sale.apply(fact)?;
                self.settle(sale);
            }
            Fact::SaleVoided(voided) => {
                self.count_void(voided)?;
                let mut sale = self.take(voided.sale)?;
                sale.apply(fact)?;
                self.settle(sale);
            }
            Fact::OperatorSignedOn(fact) => self.people.sign_on_is(fact)?,
            Fact::OperatorSignedOff(fact) => self.people.sign_off_is(fact)?,
            Fact::ApprovalGiven(fact) => self.people.approval_is(fact)?,
            Fact::TrainingSet(fact) => self.people.training_is(fact)?,
            Fact::ShiftOpened(fact) => self.shift_opens(fact)?,
            Fact::ShiftClosed(fact) => self.shift_closes(fact)?,
            Fact::CashMoved(fact) => {
                self.cash_moves(fact)?;
                self.cash_travels(fact, sequence)?;
            }
            Fact::CashArrived(fact) => self.cash_arrives(fact)?,
            Fact::CashCounted(fact) => self.cash_is_counted(fact)?,
            Fact::ReceiptReprinted(fact) => self.copy_is(fact, sequence)?,
            Fact::XReported(fact) => self.x_is(fact)?,
            Fact::ZReported(fact) => self.z_is(fact)?,
            Fact::PeriodClosed(fact) => self.period_closes(fact)?,
            // The wall clock decides nothing.
            Fact::ClockStepped(_) => {}
            Fact::SignerUp(up) => {
                SigningState::begin(&mut self.signing, up, self.next_receipt)?;
            }
            Fact::SignerDown(_) => {
                let signing = self.signer()?;
                signing.hold_up()?;
                signing.up = false;
                self.interrupt_signing();
            }
            Fact::SignatureAttached(attached) => self.signer()?.attach(attached)?,
            Fact::KeyRotated(rotated) => self.signer()?.rotate(rotated)?,
            Fact::Anchored(anchored) => hold_anchor(anchored, sequence)?,
            Fact::SegmentsArchived(moved) => Archived::fold(&mut self.archived, moved)?,
            Fact::MessageReceived(fact) => self.message_is(fact)?,
            Fact::ConfigurationApplied(fact) => self.configuration_is(fact)?,
            // What was said to others, and what ends with the owner, is no state.
            Fact::MessageSent(_) | Fact::ConfigurationSet(_) | Fact::DrainBegun(_) => {}
            _ => {
                let number = fact.sale().unwrap_or(0);
                let Some(sale) = self.open.get_mut(&number) else {
                    return Err(Contradiction(format!("sale {number} is not open")));
                };
                let taken = sale.takes.as_ref().map_or(0, |takes| takes.facts);
                let is_copy = sequence - sale.first_sequence <= u64::from(taken);
                if check == Check::Replay && !is_copy {
                    self.rules.hold(sale, fact)?;
                }
                sale.apply(fact)?;
                let before = sale.log_bytes();
                sale.remember(fact.kind(), body);
                self.open_bytes += sale.log_bytes() - before;
            }
        }
        self.remember(fact, sequence);
        Ok(())
    }

    /// Takes in a sale that was rung up whole, its facts but the completion already folded. Nobody sees
    /// it open, and nobody but the caller has it afterwards.
    ///
    /// # Errors
    /// What in it contradicts the facts before it.
    pub(crate) fn take_whole(
        &mut self,
        sale: &mut Sale,
        completion: &Fact,
        sequence: u64,
    ) -> std::result::Result<(), Contradiction> {
        hold_number("sale", sale.number, self.next_sale)?;
        let Fact::SaleCompleted(completed) = completion else {
            return Err(Contradiction(format!("sale {} ends without a completion", sale.number)));
        };
        self.people.hold_signature(completion)?;
        self.next_sale += 1;
        self.complete(sale, completion, completed, Check::Live)?;
        self.remember(completion, sequence);
        Ok(())
    }

    /// Ends a sale that is out of the open ones.
    fn complete(
        &mut self,
        sale: &mut Sale,
        fact: &Fact,
        completed: &SaleCompleted,
        check: Check,
    ) -> std::result::Result<(), Contradiction> {
        self.count_completion(sale, completed)?;
        if check == Check::Replay {
            sale.check_content(completed)?;
            self.rules.hold(&*sale, fact)?;
        }
        sale.apply(fact)?;
        // Training receipts have numbers of their own, and are not signed.
        let counts = completed.circle.is_none_or(|circle| circle == Circle::Sale);
        if let Some(signing) = self.signing.as_mut().filter(|_| counts) {
            signing.complete(completed.receipt);
        }
        Ok(())
    }

    fn remember(&mut self, fact: &Fact, sequence: u64) {
        if let Some(key) = fact.key() {
            self.keys.remember(&key.text, KeyEntry { sequence, fingerprint: key.fingerprint });
        }
    }

    /// Puts a sale back that a checkpoint carried.
    pub(crate) fn restore_sale(&mut self, sale: Sale) {
        self.open_bytes += sale.log_bytes();
        self.open.insert(sale.number, sale);
    }

    fn signer(&mut self) -> std::result::Result<&mut SigningState, Contradiction> {
        self.signing.as_mut().ok_or_else(|| Contradiction("there is no signer".to_owned()))
    }

    fn interrupt_signing(&mut self) {
        let next_receipt = self.next_receipt;
        if let Some(signing) = &mut self.signing {
            signing.interrupted(next_receipt);
        }
    }

    fn hold_open(&self, sales: &[u64]) -> std::result::Result<(), Contradiction> {
        if self.open.keys().eq(sales) {
            return Ok(());
        }
        let open: Vec<u64> = self.open.keys().copied().collect();
        Err(Contradiction(format!("the open sales are {open:?}, not {sales:?}")))
    }

    fn take(&mut self, number: u64) -> std::result::Result<Sale, Contradiction> {
        let sale = self.open.remove(&number);
        let sale = sale.ok_or_else(|| Contradiction(format!("sale {number} is not open")))?;
        self.open_bytes -= sale.log_bytes();
        Ok(sale)
    }

    fn settle(&mut self, sale: Sale) {
        if self.settled.len() == SETTLED_MAX {
            self.settled.pop_front();
        }
        self.settled.push_back(sale);
    }

    fn set_policy(&mut self, fact: &PolicySet) -> std::result::Result<(), Contradiction> {
        let policy = Policy::decode(&fact.policy.0)?;
        if fact.hash != Hash(policy.hash()) {
            return Err(Contradiction("a policy has another hash than its record says".to_owned()));
        }
        self.policies.insert(policy.terms().currency, policy);
        Ok(())
    }

    /// A sale is priced by what was set, and by nothing else.
    fn hold_policy(&self, fact: &SaleBegun) -> std::result::Result<(), Contradiction> {
        let set = self.policies.get(&fact.currency).map(Policy::encode);
        if set.as_ref() == fact.policy.as_ref().map(|policy| &policy.0) {
            return Ok(());
        }
        Err(Contradiction(format!("sale {} begins with another policy than was set", fact.sale)))
    }

    fn count_completion(
        &mut self,
        sale: &Sale,
        fact: &SaleCompleted,
    ) -> std::result::Result<(), Contradiction> {
        hold_number("receipt", fact.receipt, self.next_receipt_in(sale.circle()))?;
        let before = self.totals_of(fact.currency);
        let after = self.perpetual(fact.currency).after(sale)?;
        let (totals, record) = (after.totals, after.record());
        if (fact.total_sales, fact.total_returns) != (totals.sales, totals.returns) {
            return Err(Contradiction(format!(
                "perpetual totals are {} and {}, not {} and {}",
                totals.sales, totals.returns, fact.total_sales, fact.total_returns
            )));
        }
        if fact.perpetual != record {
            return Err(Contradiction(format!(
                "perpetual sums are {record:?}, not {:?}",
                fact.perpetual
            )));
        }
        if totals.sales < before.sales || totals.returns < before.returns {
            return Err(Contradiction("perpetual totals fall".to_owned()));
        }
        if sale.training {
            self.next_training += 1;
            self.tally().training_receipts += 1;
            return Ok(());
        }
        let foreign = foreign_cash(sale);
        if !after.taxes.is_empty() {
            self.taxes.entry(fact.currency).or_default().extend(after.taxes);
        }
        self.totals
            .insert(fact.currency, CurrencyTotals { receipts: totals.receipts + 1, ..totals });
        self.next_receipt += 1;
        if let Some(tally) = &mut self.tally {
            tally.take(fact);
        }
        self.drawer_takes(fact, &foreign);
        Ok(())
    }

    /// Decides one more copy of a receipt, of which there are so many already.
    pub(crate) fn copy(
        &self,
        circle: Circle,
        receipt: u64,
        (completion, copies): (u64, u64),
        key: Option<Key>,
    ) -> ReceiptReprinted {
        let (copy, operator, approval) = (copies + 1, None, None);
        ReceiptReprinted { receipt, circle, copy, completion, operator, approval, key }
    }

    fn copy_is(
        &mut self,
        fact: &ReceiptReprinted,
        sequence: u64,
    ) -> std::result::Result<(), Contradiction> {
        let given = 1..self.next_receipt_in(fact.circle);
        hold(given.contains(&fact.receipt), || format!("receipt {} was not given", fact.receipt))?;
        self.copies.copied(fact, sequence)?;
        self.tally().reprints += 1;
        Ok(())
    }

    fn count_void(&mut self, fact: &SaleVoided) -> std::result::Result<(), Contradiction> {
        if self.open.get(&fact.sale).is_some_and(|sale| sale.training) {
            return hold_number("void", fact.total_voids, self.totals_of(fact.currency).voids);
        }
        let totals = self.totals.entry(fact.currency).or_default();
        hold_number("void", fact.total_voids, totals.voids + 1)?;
        totals.voids = fact.total_voids;
        Ok(())
    }
}

/// Refuses while there are such sales, and names them.
fn none_open(what: &str, how: &str, sales: Vec<u64>) -> Result<()> {
    if sales.is_empty() {
        return Ok(());
    }
    let message = format!("cannot {what} while the sales {sales:?} {how}; finish or void them");
    Err(Error::new(Code::OpenSales, message).with("sales", sales))
}

fn hold(holds: bool, found: impl FnOnce() -> String) -> std::result::Result<(), Contradiction> {
    if holds { Ok(()) } else { Err(Contradiction(found())) }
}

fn hold_number(what: &str, found: u64, expected: u64) -> std::result::Result<(), Contradiction> {
    if found == expected {
        return Ok(());
    }
    Err(Contradiction(format!("{what} {found} stands where {expected} must")))
}
