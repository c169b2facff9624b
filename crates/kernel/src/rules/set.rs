//! The tables of a till, and the one question it asks them: may this be?
//!
//! A table that a till asks has a result column `decision` with values among `allow`, `approve` and
//! `refuse`, and may have a text column `message`. Several tables may speak of one line; the
//! strictest decides. A table that says nothing stands in no one's way.
//!
//! Pure: the same facts have the same judgement for ever, so a replay needs no second judgement; the
//! journal holds the tables and the rows that decided.

use super::column::{Outcome, Scalar};
use super::compile::Rules;
use super::facts::{Fact, Origin, origins};
use super::fault::Fault;
use super::table::{Binding, HitPolicy, Table};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::limits::RULE_TABLES_MAX;
use minicbor::{Decoder, Encoder};

/// The result column that a till asks for.
pub const DECISION: &str = "decision";
/// The result column with a sentence for the cashier.
const MESSAGE: &str = "message";
/// Version of the bytes of a set.
const SET_VERSION: u8 = 1;

/// What a row of a till's table decides, the mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// It may be.
    Allow,
    /// It may be when somebody approves.
    Approve,
    /// It may not be.
    Refuse,
}

impl Decision {
    /// Every decision with its name.
    pub const ALL: &'static [(Self, &'static str)] =
        &[(Self::Allow, "allow"), (Self::Approve, "approve"), (Self::Refuse, "refuse")];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|row| row.0 == self).expect("every decision is listed").1
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|row| row.1 == text).map(|row| row.0)
    }
}

/// A row that spoke: the index of its table in the set, and its own in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hit {
    /// Table.
    pub table: u16,
    /// Row.
    pub row: u16,
}

/// What the tables of a till say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judgement {
    decision: Decision,
    deciding: Option<Hit>,
    hits: [Hit; RULE_TABLES_MAX],
    count: usize,
}

impl Judgement {
    /// The strictest decision; `Allow` where no row speaks.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// The row that made it, of equals that of the first table.
    #[must_use]
    pub fn deciding(&self) -> Option<Hit> {
        self.deciding
    }

    /// The rows that spoke, one for each table that said anything.
    #[must_use]
    pub fn hits(&self) -> &[Hit] {
        &self.hits[..self.count]
    }
}

/// The tables of a till, compiled.
///
/// ```
/// use pos_kernel_core::money::Decimal;
/// use pos_kernel_core::rules::*;
/// let rules = Rules::compile(Table::read(
///     "table,age,hit,first,at,line\n\
///      rule,class,buyerAge,decision,message\n\
///      ,when text,when integer 0..150 = 0,then text allow|refuse,then text =\n\
///      minor,wine|beer,<18,refuse,Not to minors\n\
///      other,,,allow,\n",
/// )?)?;
/// let set = RuleSet::new(vec![rules])?;
/// let line = LineFacts {
///     sku: "4711",
///     class: Some("wine"),
///     quantity: Decimal::whole(1),
///     unit_price: Decimal::whole(799),
///     amount: 799,
///     attributes: &[Attribute { name: "buyerAge", value: Given::Integer(17) }],
/// };
/// let judgement = set.judge(&Fact::Line(line))?;
/// assert_eq!(judgement.decision(), Decision::Refuse);
/// let hit = judgement.deciding().expect("a row decided");
/// assert_eq!((set.rule(hit), set.message(hit)), (("age", "minor"), Some("Not to minors")));
/// # Ok::<(), pos_kernel_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    tables: Vec<Bound>,
}

#[derive(Debug, Clone)]
struct Bound {
    rules: Rules,
    binding: Binding,
    origins: Vec<Origin>,
    /// What each answer decides.
    decisions: Vec<Decision>,
    message: Option<usize>,
}

impl RuleSet {
    /// The tables of a till.
    ///
    /// # Errors
    /// `PK_E_BAD_RULES` for a table that is bound to nothing, has no `decision`, contradicts itself
    /// or has gaps that it does not allow; `PK_E_LIMIT` for more than sixteen tables.
    pub fn new(rules: Vec<Rules>) -> Result<RuleSet> {
        if rules.len() > RULE_TABLES_MAX {
            return Err(Error::limit("rule tables of a till", rules.len(), RULE_TABLES_MAX));
        }
        let mut tables: Vec<Bound> = Vec::with_capacity(rules.len());
        for rules in rules {
            let name = rules.table().name().to_owned();
            if tables.iter().any(|other| other.rules.table().name() == name) {
                let message = format!("two rule tables are called {name}; give each its own name");
                return Err(Error::new(Code::BadRules, message).with("table", name));
            }
            tables.push(bind(rules).map_err(|fault| fault.error(None, None).with("table", name))?);
        }
        Ok(RuleSet { tables })
    }

    /// Its tables.
    pub fn tables(&self) -> impl Iterator<Item = &Rules> {
        self.tables.iter().map(|bound| &bound.rules)
    }

    /// Whether no table speaks of lines, tenders or sales.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// What the tables say of a line, a tender or a sale. Allocates nothing unless it fails.
    ///
    /// # Errors
    /// `PK_E_BAD_ARGUMENT` for a column whose value is missing, of another type, or out of range.
    pub fn judge(&self, fact: &Fact<'_>) -> Result<Judgement> {
        self.judge_all(std::slice::from_ref(fact))
    }

    /// What the tables say of several facts, each of another kind, in the order of the tables.
    ///
    /// # Errors
    /// As [`RuleSet::judge`].
    pub fn judge_all(&self, facts: &[Fact<'_>]) -> Result<Judgement> {
        let mut judgement = Judgement {
            decision: Decision::Allow,
            deciding: None,
            hits: [Hit::default(); RULE_TABLES_MAX],
            count: 0,
        };
        for (table, bound) in (0..).zip(&self.tables) {
            let Some(fact) = facts.iter().find(|fact| fact.binding() == bound.binding) else {
                continue;
            };
            let columns = bound.rules.table().columns();
            let value = |index: usize| fact.value(bound.origins[index], &columns[index].name);
            let point = bound.rules.point_by_index(value)?;
            let answers = bound.rules.evaluate(&point)?;
            let strictest = answers.iter().max_by_key(|&answer| {
                // Of equals the one that a row gives first.
                (bound.decisions[answer], std::cmp::Reverse(answer))
            });
            let Some(answer) = strictest else { continue };
            let decision = bound.decisions[answer];
            let row = bound.rules.row_behind(&point, answer);
            let row = u16::try_from(row.unwrap_or(0)).expect("rows are limited");
            let hit = Hit { table, row };
            judgement.hits[judgement.count] = hit;
            judgement.count += 1;
            if judgement.deciding.is_none() || decision > judgement.decision {
                (judgement.decision, judgement.deciding) = (decision, Some(hit));
            }
        }
        Ok(judgement)
    }

    /// Whether a table that is asked about these has such a column.
    #[must_use]
    pub fn asks(&self, binding: Binding, column: &str) -> bool {
        let bound = self.tables.iter().filter(|bound| bound.binding == binding);
        let mut columns = bound.flat_map(|bound| bound.rules.table().columns());
        columns.any(|other| other.name == column)
    }

    /// The names of the table and of the row.
    #[must_use]
    pub fn rule(&self, hit: Hit) -> (&str, &str) {
        let table = self.tables[usize::from(hit.table)].rules.table();
        (table.name(), &table.rows()[usize::from(hit.row)].id)
    }

    /// The sentence of the row, where its table has one.
    #[must_use]
    pub fn message(&self, hit: Hit) -> Option<&str> {
        let bound = &self.tables[usize::from(hit.table)];
        match &bound.rules.table().rows()[usize::from(hit.row)].then[bound.message?] {
            Scalar::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// Its canonical bytes: `[1, [table bytes]]` in CBOR.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let tables: Vec<Vec<u8>> = self.tables().map(|rules| rules.table().encode()).collect();
        let mut bytes = Vec::new();
        write(&mut bytes, &tables);
        bytes
    }

    /// BLAKE3 of its canonical bytes.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        *blake3::hash(&self.encode()).as_bytes()
    }

    /// Checks canonical bytes without compiling the tables.
    ///
    /// # Errors
    /// `PK_E_BAD_RULES` for any other bytes.
    pub fn check(bytes: &[u8]) -> Result<()> {
        let tables = read(bytes).map_err(|error| refused(&error.to_string()))?;
        let mut again = Vec::with_capacity(bytes.len());
        for table in &tables {
            Table::decode(table)?;
        }
        write(&mut again, &tables);
        if again == bytes { Ok(()) } else { Err(refused("they are not in their canonical form")) }
    }

    /// Reads canonical bytes; the rows stay as they are written. It judges as the compiled set does.
    ///
    /// # Errors
    /// `PK_E_BAD_RULES` for any other bytes, and as [`RuleSet::new`].
    pub fn as_written(bytes: &[u8]) -> Result<RuleSet> {
        let tables = read(bytes).map_err(|error| refused(&error.to_string()))?;
        let tables = tables.into_iter().map(|bytes| Rules::as_written(Table::decode(bytes)?));
        RuleSet::new(tables.collect::<Result<_>>()?)
    }

    /// Reads canonical bytes and compiles the tables.
    ///
    /// # Errors
    /// `PK_E_BAD_RULES` for any other bytes, and as [`RuleSet::new`] and [`Rules::compile`].
    pub fn decode(bytes: &[u8]) -> Result<RuleSet> {
        let tables = read(bytes).map_err(|error| refused(&error.to_string()))?;
        let tables = tables.into_iter().map(|bytes| Rules::compile(Table::decode(bytes)?));
        let set = RuleSet::new(tables.collect::<Result<_>>()?)?;
        if set.encode() == bytes {
            return Ok(set);
        }
        Err(refused("they are not in their canonical form"))
    }
}

fn refused(what: &str) -> Error {
    Error::new(Code::BadRules, format!("the bytes of the rules: {what}"))
}

fn write(bytes: &mut Vec<u8>, tables: &[impl AsRef<[u8]>]) {
    let mut out = Encoder::new(bytes);
    let mut write = || {
        out.array(2)?.u8(SET_VERSION)?.array(tables.len() as u64)?;
        for table in tables {
            out.bytes(table.as_ref())?;
        }
        Ok::<(), minicbor::encode::Error<std::convert::Infallible>>(())
    };
    write().expect("writing to memory cannot fail");
}

fn read(bytes: &[u8]) -> std::result::Result<Vec<&[u8]>, minicbor::decode::Error> {
    let mut input = Decoder::new(bytes);
    let refused = |what: &str| Err(minicbor::decode::Error::message(what));
    if input.array()? != Some(2) || input.u8()? != SET_VERSION {
        return refused("a version that is unknown");
    }
    match input.array()? {
        Some(count) if count <= RULE_TABLES_MAX as u64 => {
            (0..count).map(|_| input.bytes()).collect()
        }
        _ => refused("too many tables"),
    }
}

fn bind(rules: Rules) -> std::result::Result<Bound, Fault> {
    let table = rules.table();
    let Some(binding) = table.binding() else {
        return Err(Fault::new("it does not say what a till asks it about: \"at\" is missing"));
    };
    let origins = origins(table, binding)?;
    let of_decision = table.results().iter().position(|result| result.name == DECISION);
    let Some(decision) = of_decision else {
        return Err(Fault::new("a till asks for a result column \"decision\", and there is none"));
    };
    let names = || Decision::ALL.iter().map(|row| row.1).collect::<Vec<_>>().join(", ");
    let closed = matches!(&table.results()[decision].outcome, Outcome::Text { values: Some(values) }
        if values.iter().all(|value| Decision::parse(value).is_some()));
    if !closed {
        let text = format!("the column lists values other than {}", names());
        return Err(Fault::new(text).at_column(DECISION));
    }
    let message = table.results().iter().position(|result| result.name == MESSAGE);
    if let Some(message) = message
        && !matches!(table.results()[message].outcome, Outcome::Text { .. })
    {
        return Err(Fault::new("the column is not of type text").at_column(MESSAGE));
    }
    let report = rules.report();
    if let Some(found) = report.contradictions.shown.first() {
        let ids = found.rows.map(|row| table.rows()[row].id.as_str());
        let text = format!("rows {} and {} contradict each other", ids[0], ids[1]);
        return Err(Fault::new(text).at_row(found.rows[1]));
    }
    let gaps_matter = !table.gaps_allowed() && table.hit() != HitPolicy::Collect;
    if gaps_matter && report.gaps.count > 0 {
        let text = format!(
            "no row speaks of {}; add a row, or say that gaps are allowed",
            rules.words_of_gap(&report.gaps.shown[0])
        );
        return Err(Fault::new(text));
    }
    let decisions = (0..report.answers).map(|answer| match &rules.answer(answer)[decision] {
        Scalar::Text(text) => Decision::parse(text).unwrap_or(Decision::Refuse),
        _ => Decision::Refuse,
    });
    Ok(Bound { binding, origins, decisions: decisions.collect(), message, rules })
}
