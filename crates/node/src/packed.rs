//! A whole sale in one crossing, as one text and one array of numbers.
//!
//! Reading and making JavaScript objects through N-API costs more than the sale itself, about a
//! tenth of a microsecond a property. So `sell` takes its texts joined by line feeds and its numbers
//! in an array that also takes the answer. A text that holds a line feed itself shows in the count.
//!
//! Only what most carts say goes this way: a line or a tender that says more makes its cart an object,
//! which `input.rs` reads.
//!
//! ```text
//! texts    store, currency, [reference], [key]
//!          for each line:   sku, [text], [quantity], [unitPrice], [parent]   as its flags say
//!          for each tender: kind, [reference]
//! numbers  in:  lines, tenders, flags (1 reference, 2 key)
//!               for each line:   flags (1 text, 2 quantity is a text, 4 unitPrice is, 8 parent),
//!                                quantity, unitPrice
//!               for each tender: flags (1 reference), amount
//!          out: sale, receipt number, gross, tendered, change, total sales, total returns,
//!               completion ms, begin ms, sequence, wait, replayed, cash rounding,
//!               1 when the three perpetual sums follow, sales tax, returns tax, rounding,
//!               1 when it is training, then the amount of each line
//! answer   the receipt's hash; when it has a policy or an operator, then the hash of the one and the
//!          name of the other, each possibly empty
//! ```

use crate::fault::argument;
use crate::value::{as_double, integer_decimal, safe_integer, whole};
use pos_kernel_core::journal::Circle;
use pos_kernel_core::money::Decimal;
use pos_kernel_core::sale::{LineInput, Receipt, TenderInput, input};
use pos_kernel_core::terminal::{Answer, Sold};
use pos_kernel_core::{Code, Error, Result, Terminal};
use std::str::Split;

const REFERENCE: u64 = 1;
const KEY: u64 = 2;
const LINE_TEXT: u64 = 1;
const LINE_QUANTITY: u64 = 2;
const LINE_PRICE: u64 = 4;
const LINE_PARENT: u64 = 8;
const ANSWER_NUMBERS: usize = 18;
const NS_PER_MS: i64 = 1_000_000;

/// Rings up the packed sale; `numbers` takes the answer.
pub(crate) fn sell(
    terminal: &Terminal,
    texts: &str,
    numbers: &mut [f64],
) -> Result<Answer<Receipt>> {
    let mut input = Input { texts: texts.split('\n'), numbers: numbers.iter() };
    let (line_count, tender_count) = (input.count("lines")?, input.count("tenders")?);
    let flags = input.flags()?;
    let (store, currency) = (input.text()?, input.text()?);
    let reference = input.optional(flags & REFERENCE)?;
    let key = input.optional(flags & KEY)?;
    let lines = (0..line_count).map(|_| input.line()).collect::<Result<Vec<_>>>()?;
    let tenders = (0..tender_count).map(|_| input.tender()).collect::<Result<Vec<_>>>()?;
    if input.texts.next().is_some() {
        return Err(malformed());
    }
    if numbers.len() < ANSWER_NUMBERS + line_count {
        return Err(argument("numbers", "numbers has no room for the answer".to_owned()));
    }
    let sold =
        Sold { store, currency, reference, lines: &lines, adjustments: &[], tenders: &tenders };
    let answer = terminal.sell(&sold, key)?;
    let receipt = &answer.value;
    let sums = receipt.perpetual.as_ref();
    let head = [
        whole_double(receipt.sale),
        whole_double(receipt.number),
        as_double(receipt.gross),
        as_double(receipt.tendered),
        as_double(receipt.change),
        as_double(receipt.total_sales),
        as_double(receipt.total_returns),
        as_double(receipt.meta.at_ns.div_euclid(NS_PER_MS)),
        as_double(receipt.began_ns.div_euclid(NS_PER_MS)),
        whole_double(answer.sequence),
        f64::from(u8::from(answer.wait)),
        f64::from(u8::from(answer.replayed)),
        as_double(receipt.rounding),
        f64::from(u8::from(receipt.perpetual.is_some())),
        as_double(sums.map_or(0, |sums| sums.sales_tax)),
        as_double(sums.map_or(0, |sums| sums.returns_tax)),
        as_double(sums.map_or(0, |sums| sums.rounding)),
        f64::from(u8::from(receipt.circle == Circle::Training)),
    ];
    numbers[..ANSWER_NUMBERS].copy_from_slice(&head);
    for (number, line) in numbers[ANSWER_NUMBERS..].iter_mut().zip(&receipt.lines) {
        *number = as_double(line.amount);
    }
    Ok(answer)
}

struct Input<'a, 'b> {
    texts: Split<'a, char>,
    numbers: std::slice::Iter<'b, f64>,
}

impl<'a> Input<'a, '_> {
    fn text(&mut self) -> Result<&'a str> {
        self.texts.next().ok_or_else(malformed)
    }

    fn optional(&mut self, flag: u64) -> Result<Option<&'a str>> {
        if flag == 0 { Ok(None) } else { self.text().map(Some) }
    }

    fn number(&mut self) -> Result<f64> {
        self.numbers.next().copied().ok_or_else(malformed)
    }

    fn flags(&mut self) -> Result<u64> {
        whole("flags", self.number()?)
    }

    fn count(&mut self, what: &str) -> Result<usize> {
        let count = whole(what, self.number()?)?;
        // Each needs a number of its own: a count beyond the array is refused before it is used.
        usize::try_from(count).ok().filter(|c| *c <= self.numbers.len()).ok_or_else(malformed)
    }

    fn line(&mut self) -> Result<LineInput<'a>> {
        let flags = self.flags()?;
        let (quantity, unit_price) = (self.number()?, self.number()?);
        let sku = self.text()?;
        let text = self.optional(flags & LINE_TEXT)?;
        let quantity = match self.optional(flags & LINE_QUANTITY)? {
            Some(text) => input::quantity(text)?,
            None => decimal("quantity", quantity, Code::BadQuantity)?,
        };
        let unit_price = match self.optional(flags & LINE_PRICE)? {
            Some(text) => input::unit_price(text)?,
            None => decimal("unitPrice", unit_price, Code::BadPrice)?,
        };
        let parent = match self.optional(flags & LINE_PARENT)? {
            Some(text) => Some(
                text.parse()
                    .map_err(|_| argument("parent", "parent is not a line number".to_owned()))?,
            ),
            None => None,
        };
        Ok(LineInput { text, parent, ..LineInput::item(sku, quantity, unit_price) })
    }

    fn tender(&mut self) -> Result<TenderInput<'a>> {
        let flags = self.flags()?;
        let amount = safe_integer("amount", self.number()?)?;
        let kind = input::tender_kind(self.text()?)?;
        let reference = self.optional(flags & REFERENCE)?;
        Ok(TenderInput { reference, ..TenderInput::of(kind, amount) })
    }
}

fn decimal(what: &str, value: f64, code: Code) -> Result<Decimal> {
    integer_decimal(what, value, code)
}

fn whole_double(value: u64) -> f64 {
    as_double(value.cast_signed())
}

fn malformed() -> Error {
    Error::new(Code::BadText, "a text of the sale holds a control character; take it out")
}
