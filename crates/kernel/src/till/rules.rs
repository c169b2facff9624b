//! The rule tables of a till, and what they say of a line, a tender or a sale.
//!
//! | judged | when | facts |
//! | --- | --- | --- |
//! | a line | it is added; its quantity or price changes | those of the line as it would be |
//! | a tender | it is taken | those of the tender, and what is due before it |
//! | a sale | a tender is taken and no other stands; it is completed and none stands | what it comes to |
//!
//! A sale is judged before any money changes hands, since its lines cannot change under a tender. What
//! the host said and a table asks for stays in the fact, so that a changed line is judged by it, and
//! whoever reads the journal can judge again; what no table asks for is not kept.
//!
//! Bytes are what the journal holds and what is compared; the tables are compiled when the first
//! line or tender is judged, so a replay does not wait for it. A replay judges by the rows as they are
//! written. Guards I22: the rows in a fact are those that spoke of it, and none of them refuses it.

use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{Fact as Record, Field, RuleAttribute, RuleHit, RulesSet, Writer};
use crate::limits::RULE_ATTRIBUTES_BYTES_MAX;
use crate::money::Decimal;
use crate::rules::{
    Attribute, Binding, Decision, Fact, Given, Judgement, LineFacts, RuleSet, SaleFacts,
    TenderFacts,
};
use crate::sale::{Contradiction, Line, LineInput, Sale, TenderInput};
use std::sync::OnceLock;

/// The rules that were set last.
#[derive(Debug, Clone, Default)]
pub struct TillRules {
    bytes: Vec<u8>,
    set: OnceLock<RuleSet>,
    written: OnceLock<RuleSet>,
}

/// The same rules have the same bytes.
impl PartialEq for TillRules {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

/// What a fact gets from the tables that judged it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judged {
    /// The rows that spoke.
    pub rules: Vec<RuleHit>,
    /// Class of the goods, where a table asks for it.
    pub class: Option<String>,
    /// What the host said and a table asks for.
    pub attributes: Vec<RuleAttribute>,
}

impl TillRules {
    /// Takes the bytes of a set.
    ///
    /// # Errors
    /// `PK_E_BAD_RULES` when they are none.
    pub fn of(bytes: &[u8]) -> Result<Self> {
        RuleSet::check(bytes)?;
        Ok(Self { bytes: bytes.to_vec(), ..Self::default() })
    }

    /// The bytes of a record, when its hash is theirs.
    pub(super) fn of_fact(fact: &RulesSet) -> Result<Self> {
        let rules = Self::of(&fact.rules.0)?;
        if fact.hash.0 == *blake3::hash(&rules.bytes).as_bytes() {
            return Ok(rules);
        }
        Err(Error::new(Code::BadRules, "rules have another hash than their record says"))
    }

    /// Canonical bytes; empty while none were set.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The compiled tables.
    ///
    /// # Errors
    /// Those of [`RuleSet::decode`].
    pub fn set(&self) -> Result<&RuleSet> {
        self.once(&self.set, RuleSet::decode)
    }

    fn written(&self) -> Result<&RuleSet> {
        self.once(&self.written, RuleSet::as_written)
    }

    fn once<'s>(
        &self,
        place: &'s OnceLock<RuleSet>,
        read: impl FnOnce(&[u8]) -> Result<RuleSet>,
    ) -> Result<&'s RuleSet> {
        if let Some(set) = place.get() {
            return Ok(set);
        }
        let set = if self.bytes.is_empty() { RuleSet::default() } else { read(&self.bytes)? };
        Ok(place.get_or_init(|| set))
    }

    /// Judges a line that would come to this amount.
    ///
    /// # Errors
    /// `PK_E_RULE_REFUSED`; `PK_E_APPROVAL_REQUIRED` while the line has no approval;
    /// `PK_E_BAD_ARGUMENT` for an attribute that a table needs and the line has not; `PK_E_LIMIT` for
    /// attributes that are too large.
    pub fn judge_line(&self, sale: &Sale, line: &LineInput<'_>, amount: i64) -> Result<Judged> {
        if self.bytes.is_empty() {
            return Ok(Judged::default());
        }
        let set = self.set()?;
        let judgement = set.judge(&Fact::Line(LineFacts {
            sku: line.sku,
            class: line.class,
            quantity: line.quantity,
            unit_price: line.unit_price,
            amount,
            attributes: line.attributes,
        }))?;
        let rules = hits(set, sale, &judgement, "line", line.approval)?;
        let class = line.class.filter(|_| set.asks(Binding::Line, "class")).map(str::to_owned);
        let asks = |name: &str| set.asks(Binding::Line, name);
        let attributes = kept(line.attributes, class.as_deref(), asks)?;
        Ok(Judged { rules, class, attributes })
    }

    /// Judges a line as it would be with another quantity or price.
    ///
    /// # Errors
    /// As [`Self::judge_line`].
    pub fn judge_change(
        &self,
        sale: &Sale,
        (line, quantity, unit_price): (u32, Option<Decimal>, Option<Decimal>),
        amount: i64,
        approval: Option<u64>,
    ) -> Result<Vec<RuleHit>> {
        match sale.line(line) {
            Some(line) if !self.bytes.is_empty() && line.of.is_none() => {
                let set = self.set()?;
                let judgement = with(&line.attributes, |attributes| {
                    let quantity = quantity.unwrap_or(line.quantity);
                    let unit_price = unit_price.unwrap_or(line.unit_price);
                    set.judge(&Fact::Line(facts_of(line, quantity, unit_price, amount, attributes)))
                })?;
                hits(set, sale, &judgement, "change of a line", approval)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Judges a tender, and the sale when no other tender stands.
    ///
    /// # Errors
    /// As [`Self::judge_line`].
    pub fn judge_tender(&self, sale: &Sale, tender: &TenderInput<'_>) -> Result<Judged> {
        if self.bytes.is_empty() {
            return Ok(Judged::default());
        }
        let set = self.set()?;
        let facts = facts_of_tender(sale, tender.kind.name(), tender.amount, tender.attributes);
        let facts = if is_first(sale) { &facts[..] } else { &facts[..1] };
        let judgement = set.judge_all(facts)?;
        let rules = hits(set, sale, &judgement, "tender", tender.approval)?;
        let asks = |name: &str| {
            set.asks(Binding::Tender, name) || set.asks(Binding::Sale, name) && is_first(sale)
        };
        Ok(Judged { rules, class: None, attributes: kept(tender.attributes, None, asks)? })
    }

    /// Judges a sale that is to be completed, unless it was judged when its first tender was taken.
    ///
    /// # Errors
    /// As [`Self::judge_line`].
    pub fn judge_sale(&self, sale: &Sale) -> Result<Vec<RuleHit>> {
        if self.bytes.is_empty() || !is_first(sale) {
            return Ok(Vec::new());
        }
        let set = self.set()?;
        let judgement = set.judge(&Fact::Sale(facts_of_sale(sale, &[])))?;
        hits(set, sale, &judgement, "completion", None)
    }

    /// Holds the rows that a fact of a sale says spoke against what the tables say of it. `sale` is as
    /// it was before.
    pub(super) fn hold(
        &self,
        sale: &Sale,
        fact: &Record,
    ) -> std::result::Result<(), Contradiction> {
        let (said, approval) = match fact {
            Record::LineAdded(fact) => (&fact.rules, fact.approval),
            Record::QuantitySet(fact) => (&fact.rules, fact.approval),
            Record::PriceOverridden(fact) => (&fact.rules, fact.approval),
            Record::TenderAdded(fact) => (&fact.rules, fact.approval),
            Record::SaleCompleted(fact) => (&fact.rules, None),
            _ => return Ok(()),
        };
        let set = self.written()?;
        let judgement = if self.bytes.is_empty() { None } else { judged(set, sale, fact)? };
        let is: Vec<RuleHit> = judgement.iter().flat_map(journaled).collect();
        if *said != is {
            let rows = |hits: &[RuleHit]| {
                let rows = hits.iter().map(|hit| format!("{}.{}", hit.table, hit.row));
                rows.collect::<Vec<_>>().join(", ")
            };
            return Err(Contradiction(format!(
                "of the rule tables the rows ({}) are said to speak, where these do: ({})",
                rows(said),
                rows(&is)
            )));
        }
        match judgement {
            Some(judgement) => {
                hits(set, sale, &judgement, fact.kind().name(), approval)?;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// What the tables say of a fact; nothing when it is none that they are asked about.
fn judged(set: &RuleSet, sale: &Sale, fact: &Record) -> Result<Option<Judgement>> {
    let changed = |line: u32, quantity: Option<Decimal>, price: Option<Decimal>, amount: i64| {
        let Some(line) = sale.line(line).filter(|line| line.of.is_none()) else {
            return Ok(None);
        };
        let quantity = quantity.unwrap_or(line.quantity);
        let unit_price = price.unwrap_or(line.unit_price);
        with(&line.attributes, |attributes| {
            set.judge(&Fact::Line(facts_of(line, quantity, unit_price, amount, attributes)))
        })
        .map(Some)
    };
    match fact {
        Record::LineAdded(fact) => with(&fact.attributes, |attributes| {
            set.judge(&Fact::Line(LineFacts {
                sku: &fact.sku,
                class: fact.class.as_deref(),
                quantity: fact.quantity,
                unit_price: fact.unit_price,
                amount: fact.amount,
                attributes,
            }))
        })
        .map(Some),
        Record::QuantitySet(fact) => changed(fact.line, Some(fact.quantity), None, fact.amount),
        Record::PriceOverridden(fact) => {
            changed(fact.line, None, Some(fact.unit_price), fact.amount)
        }
        Record::TenderAdded(fact) => with(&fact.attributes, |attributes| {
            let amount = fact.foreign.as_ref().map_or(fact.amount, |foreign| foreign.amount);
            let facts = facts_of_tender(sale, fact.kind.name(), amount, attributes);
            set.judge_all(if is_first(sale) { &facts[..] } else { &facts[..1] })
        })
        .map(Some),
        Record::SaleCompleted(_) if is_first(sale) => {
            set.judge(&Fact::Sale(facts_of_sale(sale, &[]))).map(Some)
        }
        _ => Ok(None),
    }
}

/// Whether no tender stands: the next one begins the payment.
fn is_first(sale: &Sale) -> bool {
    !sale.tenders.iter().any(crate::sale::Tender::is_live)
}

fn facts_of<'a>(
    line: &'a Line,
    quantity: Decimal,
    unit_price: Decimal,
    amount: i64,
    attributes: &'a [Attribute<'a>],
) -> LineFacts<'a> {
    let (sku, class) = (line.sku.as_str(), line.class.as_deref());
    LineFacts { sku, class, quantity, unit_price, amount, attributes }
}

/// The facts of a tender, and of its sale.
fn facts_of_tender<'a>(
    sale: &Sale,
    kind: &'a str,
    amount: i64,
    attributes: &'a [Attribute<'a>],
) -> [Fact<'a>; 2] {
    let totals = sale.totals();
    let (due, total) = (totals.due, totals.gross);
    let tender = TenderFacts { kind, amount, due, total, attributes };
    [Fact::Tender(tender), Fact::Sale(facts_of_sale(sale, attributes))]
}

fn facts_of_sale<'a>(sale: &Sale, attributes: &'a [Attribute<'a>]) -> SaleFacts<'a> {
    let lines = u32::try_from(sale.live_lines().count()).expect("lines are limited");
    SaleFacts { total: sale.totals().gross, lines, attributes }
}

/// What of the attributes a table asks for, each name once, as the tables do.
fn kept(
    attributes: &[Attribute<'_>],
    class: Option<&str>,
    asks: impl Fn(&str) -> bool,
) -> Result<Vec<RuleAttribute>> {
    let mut kept: Vec<RuleAttribute> = Vec::new();
    for attribute in attributes {
        let name = attribute.name;
        if kept.iter().any(|other| other.name == name) || !asks(name) {
            continue;
        }
        let mut record = RuleAttribute {
            name: name.to_owned(),
            flag: None,
            number: None,
            text: None,
            members: Vec::new(),
        };
        match attribute.value {
            Given::Bool(value) => record.flag = Some(value),
            Given::Integer(value) => record.number = Some(Decimal::whole(value)),
            Given::Decimal(value) => record.number = Some(value),
            Given::Text(text) => record.text = Some(text.to_owned()),
            Given::Set(members) => {
                record.members = members.iter().map(|&member| member.to_owned()).collect();
            }
        }
        kept.push(record);
    }
    let mut bytes = Vec::new();
    kept.write(&mut Writer::new(&mut bytes)).expect("writing to memory cannot fail");
    let size = bytes.len() + class.map_or(0, str::len);
    if !kept.is_empty() && size > RULE_ATTRIBUTES_BYTES_MAX
        || class.is_some_and(|class| class.len() > RULE_ATTRIBUTES_BYTES_MAX)
    {
        let what = "bytes of class and attributes that rules ask for";
        return Err(Error::limit(what, size, RULE_ATTRIBUTES_BYTES_MAX));
    }
    Ok(kept)
}

/// Attributes as tables are asked with them.
fn with<T>(kept: &[RuleAttribute], then: impl FnOnce(&[Attribute<'_>]) -> T) -> T {
    let members = |record: &'_ RuleAttribute| -> Vec<String> { record.members.clone() };
    let sets: Vec<Vec<String>> = kept.iter().map(members).collect();
    let sets: Vec<Vec<&str>> =
        sets.iter().map(|set| set.iter().map(String::as_str).collect()).collect();
    let attributes: Vec<Attribute<'_>> = kept
        .iter()
        .zip(&sets)
        .map(|(record, set)| {
            let value = match (record.flag, record.number, &record.text) {
                (Some(flag), ..) => Given::Bool(flag),
                (_, Some(number), _) => Given::Decimal(number),
                (.., Some(text)) => Given::Text(text),
                _ => Given::Set(set),
            };
            Attribute { name: &record.name, value }
        })
        .collect();
    then(&attributes)
}

fn journaled(judgement: &Judgement) -> impl Iterator<Item = RuleHit> {
    let hits = judgement.hits().iter();
    hits.map(|hit| RuleHit { table: hit.table.into(), row: hit.row.into() })
}

/// The rows that spoke, when they let it be.
fn hits(
    set: &RuleSet,
    sale: &Sale,
    judgement: &Judgement,
    what: &str,
    approval: Option<u64>,
) -> Result<Vec<RuleHit>> {
    let (code, says) = match judgement.decision() {
        Decision::Refuse => (Code::RuleRefused, "refuses"),
        Decision::Approve if approval.is_none() => {
            (Code::ApprovalRequired, "wants an approval for")
        }
        Decision::Approve | Decision::Allow => return Ok(journaled(judgement).collect()),
    };
    let hit = judgement.deciding().expect("a row decided");
    let (table, rule) = set.rule(hit);
    let reason = set.message(hit);
    let because = reason.map_or(String::new(), |reason| format!(": {reason}"));
    let message =
        format!("rule {rule} of table {table} {says} the {what} on sale {}{because}", sale.number);
    let error =
        Error::new(code, message).with("sale", sale.number).with("table", table).with("rule", rule);
    Err(match reason {
        Some(reason) => error.with("reason", reason),
        None => error,
    })
}
