//! What pricing puts into facts: taxes, discounts, sums, and a line that comes back.
//!
//! Everything here is left out of a record when it says nothing: a sale without taxes, discounts and
//! cash rounding has the same bytes as one of a till that knows none of them.

use super::codec::{Bytes, DecodeError, Field, Hash, WriteResult, Writer, definite, map_struct};
use super::fact::Key;
use super::ruled::RuleHit;
use crate::money::{Currency, Decimal};
use crate::pricing::{Adjustment, Direction, LineKind, TaxClass, TaxComponent, Totals, Worth};
use minicbor::Decoder;
use serde_json::{Value, json};

/// Written as its number, shown as its name.
impl Field for LineKind {
    fn write(&self, out: &mut Writer<'_>) -> WriteResult {
        out.u8(self.number()).map(drop)
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let number = input.u8()?;
        Self::from_number(number)
            .ok_or_else(|| DecodeError(format!("{number} is no kind of a line")))
    }

    fn show(&self) -> Value {
        Value::from(self.name())
    }
}

/// Written as a map `{0: class, 1: rate in parts per million, 2: inclusive}`.
impl Field for TaxComponent {
    fn write(&self, out: &mut Writer<'_>) -> WriteResult {
        out.map(3)?.u8(0)?.str(self.class.as_str())?;
        out.u8(1)?.u32(self.rate_ppm)?.u8(2)?.bool(self.inclusive).map(drop)
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (mut class, mut rate_ppm, mut inclusive) = (None, None, None);
        for _ in 0..definite(input.map()?)? {
            let repeated = match input.u64()? {
                0 => class.replace(String::read(input)?).is_some(),
                1 => rate_ppm.replace(input.u32()?).is_some(),
                2 => inclusive.replace(input.bool()?).is_some(),
                _ => {
                    input.skip()?;
                    false
                }
            };
            if repeated {
                return Err(DecodeError("a tax has a field twice".to_owned()));
            }
        }
        let (Some(class), Some(rate_ppm), Some(inclusive)) = (class, rate_ppm, inclusive) else {
            return Err(DecodeError("a tax lacks a field".to_owned()));
        };
        let class = TaxClass::parse(&class).map_err(|error| DecodeError(error.to_string()))?;
        Ok(Self { class, rate_ppm, inclusive })
    }

    fn show(&self) -> Value {
        json!({
            "class": self.class.as_str(), "ratePpm": self.rate_ppm, "inclusive": self.inclusive,
        })
    }
}

/// Written as `[direction, unit, number]`: direction 1 discount, 2 surcharge; unit 1 minor units,
/// 2 parts per million.
impl Field for Adjustment {
    fn write(&self, out: &mut Writer<'_>) -> WriteResult {
        let (unit, number) = match self.worth {
            Worth::Amount(amount) => (1, amount),
            Worth::Percent(ppm) => (2, i64::from(ppm)),
        };
        out.array(3)?.u8(self.direction.number())?.u8(unit)?.i64(number).map(drop)
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        if definite(input.array()?)? != 3 {
            return Err(DecodeError("an adjustment is not of three parts".to_owned()));
        }
        let (way, unit, number) = (input.u8()?, input.u8()?, input.i64()?);
        let direction = Direction::from_number(way)
            .ok_or_else(|| DecodeError(format!("{way} is no direction of an adjustment")))?;
        let worth = match (unit, u32::try_from(number)) {
            (1, _) => Worth::Amount(number),
            (2, Ok(ppm)) => Worth::Percent(ppm),
            _ => return Err(DecodeError(format!("an adjustment is of {number} in unit {unit}"))),
        };
        Ok(Self { direction, worth })
    }

    fn show(&self) -> Value {
        match self.worth {
            Worth::Amount(amount) => json!({"kind": self.direction.name(), "amount": amount}),
            Worth::Percent(ppm) => json!({"kind": self.direction.name(), "ppm": ppm}),
        }
    }
}

map_struct! {
    /// What a sale comes to besides its total. Left out when there is no tax, no discount, no
    /// surcharge, and cash pays the total as it is.
    Sums {
        /// All taxes; net is the total less these.
        0 tax: i64,
        /// Discounts on lines and on the sale.
        1 discounts: i64,
        /// Surcharges on lines and on the sale.
        2 surcharges: i64,
        /// What the total would be if all of it were paid in cash.
        3 cash_payable: i64,
    }
}

impl Sums {
    /// The sums of a sale; `None` when they say nothing.
    #[must_use]
    pub fn of(totals: &Totals, cash_payable: i64) -> Option<Self> {
        let Totals { tax, discounts, surcharges, gross, .. } = *totals;
        let plain = (tax, discounts, surcharges, cash_payable) == (0, 0, 0, gross);
        (!plain).then_some(Self { tax, discounts, surcharges, cash_payable })
    }

    /// The sums that stand in a record with this total.
    #[must_use]
    pub fn or_plain(sums: Option<&Self>, gross: i64) -> Self {
        let plain = Self { tax: 0, discounts: 0, surcharges: 0, cash_payable: gross };
        sums.cloned().unwrap_or(plain)
    }
}

map_struct! {
    /// The rules by which sales of a currency are priced from here on.
    PolicySet {
        /// The policy's canonical bytes.
        0 policy: Bytes,
        /// BLAKE3 of these: what completions name it by.
        1 hash: Hash,
        /// Who set it.
        13 operator: Option<String>,
        /// The approval for it.
        14 approval: Option<u64>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// The price of a line was overridden.
    PriceOverridden {
        /// Sale.
        0 sale: u64,
        /// Line.
        1 line: u32,
        /// Why.
        2 reason: String,
        /// The new price, of `per` units.
        5 unit_price: Decimal,
        /// The new amount.
        6 amount: i64,
        /// Total of the sale after it.
        7 gross: i64,
        /// Units that the price is for; left out when it is one.
        10 per: Option<Decimal>,
        /// The other sums of the sale after it.
        12 sums: Option<Sums>,
        /// Who did it.
        13 operator: Option<String>,
        /// The approval for it.
        14 approval: Option<u64>,
        /// Idempotency key.
        15 key: Option<Key>,
        /// The rows of rule tables that spoke of the line as it is then.
        17 rules: Vec<RuleHit>,
    }
}

map_struct! {
    /// The taxes of a line were overridden.
    TaxesOverridden {
        /// Sale.
        0 sale: u64,
        /// Line.
        1 line: u32,
        /// Why.
        2 reason: String,
        /// The line's amount, which stays.
        6 amount: i64,
        /// Total of the sale after it.
        7 gross: i64,
        /// The new taxes.
        11 taxes: Vec<TaxComponent>,
        /// The other sums of the sale after it.
        12 sums: Option<Sums>,
        /// Who did it.
        13 operator: Option<String>,
        /// The approval for it.
        14 approval: Option<u64>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// A line got a discount or a surcharge.
    LineAdjusted {
        /// Sale.
        0 sale: u64,
        /// Line.
        1 line: u32,
        /// Why.
        2 reason: String,
        /// Number of the adjustment in the sale, from 1, never used again.
        3 number: u32,
        /// What was given.
        4 adjustment: Adjustment,
        /// What it adds to the line's amount.
        5 adjusted: i64,
        /// The line's amount after it.
        6 amount: i64,
        /// Total of the sale after it.
        7 gross: i64,
        /// The other sums of the sale after it.
        12 sums: Option<Sums>,
        /// Who did it.
        13 operator: Option<String>,
        /// The approval for it.
        14 approval: Option<u64>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// The sale got a discount or a surcharge, allocated to its items by largest remainder.
    SaleAdjusted {
        /// Sale.
        0 sale: u64,
        /// Sequence of the sale's first record: from there to here the shares are worked out again.
        1 first_sequence: u64,
        /// Why.
        2 reason: String,
        /// Number of the adjustment in the sale, from 1, never used again.
        3 number: u32,
        /// What was given.
        4 adjustment: Adjustment,
        /// What it adds to the amounts of the lines together.
        5 adjusted: i64,
        /// Total of the sale after it.
        7 gross: i64,
        /// The other sums of the sale after it.
        12 sums: Option<Sums>,
        /// Who did it.
        13 operator: Option<String>,
        /// The approval for it.
        14 approval: Option<u64>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// A discount or a surcharge was taken back.
    AdjustmentRetracted {
        /// Sale.
        0 sale: u64,
        /// Why.
        2 reason: String,
        /// Number of the adjustment.
        3 number: u32,
        /// What that adds to the amounts of the lines together.
        5 adjusted: i64,
        /// Total of the sale after it.
        7 gross: i64,
        /// The other sums of the sale after it.
        12 sums: Option<Sums>,
        /// Who did it.
        13 operator: Option<String>,
        /// The approval for it.
        14 approval: Option<u64>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// Where a line that comes back was sold.
    SoldAt {
        /// Terminal.
        0 terminal: String,
        /// Receipt number.
        1 receipt: u64,
        /// Line.
        2 line: u32,
    }
}

map_struct! {
    /// What a line was sold for, and how much of it had come back before.
    SoldFor {
        /// Quantity.
        0 quantity: Decimal,
        /// Amount after discounts and surcharges.
        1 amount: i64,
        /// What each of its taxes came to.
        2 taxes: Vec<i64>,
        /// Quantity that had come back before.
        3 before: Decimal,
    }
}

map_struct! {
    /// A part of a sold line came back with its receipt. Its amounts are differences: n parts add up
    /// to the line, amount and each tax.
    LineReturned {
        /// Sale.
        0 sale: u64,
        /// Line number, from 1, never used again.
        1 line: u32,
        /// Why.
        2 reason: String,
        /// Where it was sold.
        3 of: SoldAt,
        /// Quantity, negative.
        4 quantity: Decimal,
        /// Price of `per` units, as it was sold.
        5 unit_price: Decimal,
        /// Amount, negative or zero.
        6 amount: i64,
        /// Total of the sale after it.
        7 gross: i64,
        /// Stock-keeping unit.
        8 sku: String,
        /// Kind of the line; left out when it is an item.
        9 kind: Option<LineKind>,
        /// Units that the price is for; left out when it is one.
        10 per: Option<Decimal>,
        /// Its taxes.
        11 taxes: Vec<TaxComponent>,
        /// The other sums of the sale after it.
        12 sums: Option<Sums>,
        /// Who did it.
        13 operator: Option<String>,
        /// The approval for it.
        14 approval: Option<u64>,
        /// Idempotency key.
        15 key: Option<Key>,
        /// What each of its taxes comes to, negative or zero.
        16 tax_amounts: Vec<i64>,
        /// What the line was sold for.
        18 sold: SoldFor,
        /// Text for people.
        19 text: Option<String>,
    }
}

map_struct! {
    /// A tender in another currency.
    ForeignAmount {
        /// Currency.
        0 currency: Currency,
        /// Amount in its minor units.
        1 amount: i64,
        /// What `per` whole units of it are worth in whole units of the sale's currency.
        2 rate: Decimal,
        /// Units that the rate is for; left out when it is one.
        3 per: Option<u32>,
    }
}

map_struct! {
    /// A row of the tax table in a completion.
    TaxRowRecord {
        /// Class, rate, and whether prices contain it.
        0 tax: TaxComponent,
        /// Net of the lines that have it.
        1 net: i64,
        /// Tax.
        2 amount: i64,
    }
}

map_struct! {
    /// Perpetual totals of one tax in one currency. What is returned counts upwards.
    TaxTotals {
        /// Class, rate, and whether prices contain it.
        0 tax: TaxComponent,
        /// Net sold.
        1 sold_net: i64,
        /// Tax on what was sold.
        2 sold_tax: i64,
        /// Net returned.
        3 returned_net: i64,
        /// Tax on what was returned.
        4 returned_tax: i64,
    }
}

map_struct! {
    /// The part of a completion that a sale without taxes, discounts, cash rounding and tips does
    /// not have.
    CompletedSums {
        /// The tax table, in the order in which the sale first had the taxes.
        0 taxes: Vec<TaxRowRecord>,
        /// All taxes; net is the total less these.
        1 tax: i64,
        /// Discounts on lines and on the sale.
        2 discounts: i64,
        /// Surcharges on lines and on the sale.
        3 surcharges: i64,
        /// What cash rounding added to the total; apart from turnover.
        4 rounding: i64,
        /// Tips in tenders; apart from turnover.
        5 tips: i64,
    }
}

map_struct! {
    /// Perpetual totals in a completion besides those of amounts. Left out while all are zero.
    PerpetualSums {
        /// Taxes on what was sold in this currency, after this sale.
        0 sales_tax: i64,
        /// Taxes on what was returned in this currency, after this sale.
        1 returns_tax: i64,
        /// Cash rounding in this currency, after this sale; it may fall.
        2 rounding: i64,
        /// Perpetual totals of the taxes of this sale, after it, in the order of its tax table.
        3 taxes: Vec<TaxTotals>,
    }
}
