//! Returns with a receipt: what has come back of a sold line, in the whole store, and what is left.
//!
//! A line that was sold is taken as the interval from nothing to its quantity; each part that came
//! back is an interval in it, and no two overlap. So what came back is never more than what was sold,
//! and the amounts of the parts, which are differences between the ends of their intervals, add up
//! to the line whatever is voided in between (I12).
//!
//! Which intervals stand is read from the journals of the store's terminals, once and then only what
//! is new. One lock, `shared/coordination/returns.lock`, is held from that reading until the new part
//! is where every other process can read it, so that two tills never take the same thing back.

use super::commands::{Begun, LINE, LineAnswer, line_answer};
use super::commit::{Answer, Inputs};
use super::history::{History, Recorded};
use super::open::{journal_dir, terminal_dir};
use super::{Terminal, TerminalId};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{Fact, RecordKind, ReturnsOf, SoldAt};
use crate::limits::SCALE_MAX;
use crate::money::{Decimal, power_of_ten};
use crate::sale::{Reason, Receipt, machine};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;

/// A line that was sold: terminal, receipt, line.
type Sold = (String, u64, u32);

/// A part that came back, as an interval of the sold quantity in units of the sixth decimal place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    terminal: String,
    sale: u64,
    line: u32,
    from: i128,
    to: i128,
}

/// What has come back, as far as the journals were read.
#[derive(Debug, Default)]
pub(super) struct Returns {
    standing: BTreeMap<Sold, Vec<Part>>,
    read: BTreeMap<String, ReadUpTo>,
}

#[derive(Debug, Default)]
struct ReadUpTo {
    sequence: u64,
    /// Sales that are not over and have taken something back, with what that was.
    open: BTreeMap<u64, Vec<Sold>>,
}

impl Terminal {
    /// Begins a sale that takes lines of a receipt back: in its store and its currency.
    ///
    /// # Errors
    /// `PK_E_NOT_FOUND` when there is no such terminal or receipt; those of [`Terminal::begin`].
    pub fn begin_return(
        &self,
        terminal: &str,
        receipt: u64,
        key: Option<&str>,
    ) -> Result<Answer<Begun>> {
        let sold = self.receipt_of(terminal, receipt)?;
        let inputs = || Inputs::of("beginReturn").text(terminal).number(receipt);
        let of = ReturnsOf { terminal: terminal.to_owned(), receipt };
        self.command(
            key.map(|key| (key, inputs())),
            LINE,
            |till, key| {
                let policy = |currency| till.policies.get(&currency).copied();
                let (number, currency) = (till.next_sale, sold.currency.letters());
                let of = Some(of);
                let mut begun =
                    machine::begin(number, &sold.store, currency, None, policy, of, key)?;
                self.may_sell(till)?;
                till.people.begin(&mut begun);
                till.may_begin(begun.currency, self.open_sales_max())?;
                Ok(begun.into())
            },
            |recorded| match &recorded.fact {
                Fact::SaleBegun(fact) => Some(Begun { sale: fact.sale }),
                _ => None,
            },
        )
    }

    /// Takes a part of a sold line back. Without `of` it is a line of the receipt that the sale was
    /// begun for.
    ///
    /// # Errors
    /// `PK_E_REFUND_EXCEEDS` with what is left; `PK_E_NOT_FOUND`, `PK_E_LINE_VOIDED` for the line
    /// that was sold; `PK_E_BAD_ARGUMENT` when there is no receipt to take it back from; those of
    /// [`machine::return_line`], and those of any call.
    pub fn return_line(
        &self,
        sale: u64,
        of: Option<&ReturnsOf>,
        (line, quantity): (u32, Decimal),
        reason: Reason<'_>,
        key: Option<&str>,
    ) -> Result<Answer<LineAnswer>> {
        let begun_for = self.read_sale(sale, |sale| sale.returns.clone())?;
        let Some(of) = of.cloned().or(begun_for) else {
            let message = format!("sale {sale} is for no receipt; name the one to return from");
            return Err(Error::new(Code::BadArgument, message).with("argument", "of"));
        };
        let receipt = self.receipt_of(&of.terminal, of.receipt)?;
        let mut returns = self.returns.lock().map_err(|_| self.in_doubt())?;
        let turn = self.returns_turn()?;
        self.read_returns(&mut returns)?;
        let inputs = || {
            let inputs = Inputs::of("returnLine").number(sale).text(&of.terminal);
            let inputs = inputs.number(of.receipt).number(line.into()).decimal(quantity);
            inputs.text(reason.text).approval(reason.approval)
        };
        let answer = self.command(
            key.map(|key| (key, inputs())),
            LINE,
            |till, key| {
                let open = till.open_sale(sale)?;
                let mut item = receipt.sold_item(&of.terminal, line, Decimal::whole(0))?;
                item.before = returns.place(&item.at, item.line.quantity, quantity)?;
                let fact = machine::return_line(open, &item, quantity, reason, key)?;
                till.may_tax(open, &fact.taxes, self.taxes_max())?;
                Ok(fact.into())
            },
            line_answer,
        )?;
        // Others may look once they can see it.
        self.wal.write_out()?;
        drop(turn);
        Ok(answer)
    }

    /// A receipt of any terminal of the store.
    fn receipt_of(&self, terminal: &str, receipt: u64) -> Result<Receipt> {
        if terminal == self.id() {
            return self.receipt(receipt);
        }
        let dir = terminal_dir(self.store(), &TerminalId::parse(terminal)?);
        History::of_terminal(&dir).receipt(receipt)
    }

    /// Waits until no other till of the store is taking something back.
    fn returns_turn(&self) -> Result<File> {
        let dir = self.store().join("shared").join("coordination");
        fs::create_dir_all(&dir).map_err(|error| Error::io("create", &dir, &error))?;
        let path = dir.join("returns.lock");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).map_err(|error| Error::io("open", &path, &error))?;
        file.lock().map_err(|error| Error::io("lock", &path, &error))?;
        Ok(file)
    }

    /// Reads what is new in the journals of the store.
    fn read_returns(&self, returns: &mut Returns) -> Result<()> {
        self.wal.write_out()?;
        returns.read(self.id(), &self.history)?;
        let terminals = self.store().join("terminals");
        let entries =
            fs::read_dir(&terminals).map_err(|error| Error::io("list", &terminals, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| Error::io("list", &terminals, &error))?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| *name != self.id()) else { continue };
            match fs::metadata(journal_dir(&entry.path())) {
                Ok(_) => returns.read(name, &History::of_terminal(&entry.path()))?,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(Error::io("look at", &entry.path(), &error)),
            }
        }
        Ok(())
    }
}

impl Returns {
    /// Reads on in a terminal's journal.
    fn read(&mut self, terminal: &str, history: &History) -> Result<()> {
        let Self { standing, read } = self;
        let up_to = read.entry(terminal.to_owned()).or_default();
        let any_open = Cell::new(!up_to.open.is_empty());
        let wanted = |kind: u16| {
            kind == RecordKind::LineReturned as u16 || (any_open.get() && ends_a_part(kind))
        };
        let last = history.each_where(up_to.sequence + 1, wanted, |recorded| {
            fold(standing, &mut up_to.open, terminal, &recorded);
            any_open.set(!up_to.open.is_empty());
        })?;
        up_to.sequence = up_to.sequence.max(last);
        Ok(())
    }

    /// Where in the sold quantity a part of it goes: the first gap that holds it.
    fn place(&self, at: &SoldAt, sold: Decimal, quantity: Decimal) -> Result<Decimal> {
        let of = (at.terminal.clone(), at.receipt, at.line);
        let parts = self.standing.get(&of).into_iter().flatten();
        let mut taken: Vec<(i128, i128)> = parts.map(|part| (part.from, part.to)).collect();
        taken.sort_unstable();
        let (sold, wanted) = (micro(sold), micro(quantity));
        let (mut from, mut left, mut widest) = (0, 0, 0);
        for (begins, ends) in taken.into_iter().chain([(sold, sold)]) {
            let gap = begins - from;
            if wanted <= gap {
                return Ok(of_micro(from));
            }
            (left, widest) = (left + gap, widest.max(gap));
            from = ends;
        }
        let in_parts = if left >= wanted {
            format!("; take back at most {} in one line", of_micro(widest))
        } else {
            String::new()
        };
        let message = format!(
            "{quantity} cannot come back of line {} of receipt {} of {}: {} are left{in_parts}",
            at.line,
            at.receipt,
            at.terminal,
            of_micro(left)
        );
        Err(Error::new(Code::RefundExceeds, message)
            .with("value", quantity.to_string())
            .with("sold", of_micro(sold).to_string())
            .with("left", of_micro(left).to_string()))
    }
}

fn fold(
    standing: &mut BTreeMap<Sold, Vec<Part>>,
    open: &mut BTreeMap<u64, Vec<Sold>>,
    terminal: &str,
    recorded: &Recorded,
) {
    let mut remove = |of: &Sold, gone: &dyn Fn(&Part) -> bool| {
        if let Some(parts) = standing.get_mut(of) {
            parts.retain(|part| part.terminal != terminal || !gone(part));
        }
    };
    match &recorded.fact {
        Fact::LineReturned(fact) => {
            let of: Sold = (fact.of.terminal.clone(), fact.of.receipt, fact.of.line);
            let from = micro(fact.sold.before);
            let to = from - micro(fact.quantity);
            let (terminal, sale, line) = (terminal.to_owned(), fact.sale, fact.line);
            standing.entry(of.clone()).or_default().push(Part { terminal, sale, line, from, to });
            open.entry(sale).or_default().push(of);
        }
        Fact::LineVoided(fact) => {
            let gone = |part: &Part| (part.sale, part.line) == (fact.sale, fact.line);
            open.get(&fact.sale).into_iter().flatten().for_each(|of| remove(of, &gone));
        }
        Fact::SaleCompleted(fact) if fact.circle.is_none() => drop(open.remove(&fact.sale)),
        // What came back in training only did not come back.
        Fact::SaleCompleted(_) | Fact::SaleVoided(_) | Fact::SaleTransferred(_) => {
            let sale = recorded.fact.sale().unwrap_or(0);
            let gone = |part: &Part| part.sale == sale;
            open.remove(&sale).into_iter().flatten().for_each(|of| remove(&of, &gone));
        }
        _ => {}
    }
}

fn ends_a_part(kind: u16) -> bool {
    let ends = [
        RecordKind::LineVoided,
        RecordKind::SaleCompleted,
        RecordKind::SaleVoided,
        RecordKind::SaleTransferred,
    ];
    ends.into_iter().any(|ends| kind == ends as u16)
}

/// A quantity as a whole number of its sixth decimal place.
fn micro(quantity: Decimal) -> i128 {
    i128::from(quantity.mantissa()) * power_of_ten(SCALE_MAX - quantity.scale())
}

/// The shortest decimal of so many units of the sixth place.
fn of_micro(mut micro: i128) -> Decimal {
    let mut scale = SCALE_MAX;
    while scale > 0 && micro % 10 == 0 {
        (micro, scale) = (micro / 10, scale - 1);
    }
    let mantissa = i64::try_from(micro).unwrap_or(i64::MAX);
    Decimal::new(mantissa, scale).expect("the scale is that of a decimal")
}
