//! Where a host's values become ours: checked once here, trusted afterwards.

use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{Key, TenderKind};
use crate::limits::{
    AMOUNT_MAX, APPROVED_BYTES_MAX, KEY_BYTES_MAX, OPERATOR_BYTES_MAX, REASON_BYTES_MAX,
    REFERENCE_BYTES_MAX, SKU_BYTES_MAX, STORE_BYTES_MAX, TEXT_BYTES_MAX,
};
use crate::money::Decimal;
use crate::pricing::{Adjustment, ExchangeRate, LineKind, TaxClass};
use crate::rules::Attribute;

/// A line to add. [`LineInput::item`] has the usual one.
#[derive(Debug, Clone, Copy)]
pub struct LineInput<'a> {
    /// What it is.
    pub kind: LineKind,
    /// Stock-keeping unit, 1 to 64 bytes.
    pub sku: &'a str,
    /// Text for people, up to 256 bytes.
    pub text: Option<&'a str>,
    /// Quantity, not zero; negative for a return line.
    pub quantity: Decimal,
    /// Price of `per` units in minor units, zero or more.
    pub unit_price: Decimal,
    /// Units that the price is for, more than zero.
    pub per: Decimal,
    /// Its taxes, none twice.
    pub taxes: &'a [TaxInput],
    /// Discounts and surcharges that it begins with, in their order, each with its reason.
    pub adjustments: &'a [(Adjustment, &'a str)],
    /// The live line of the same sale that it belongs to.
    pub parent: Option<u32>,
    /// The approval for a return without its receipt or for what a rule wants approved, where one is
    /// needed.
    pub approval: Option<u64>,
    /// Class of the goods, for rules.
    pub class: Option<&'a str>,
    /// What rules may ask of it besides.
    pub attributes: &'a [Attribute<'a>],
}

impl<'a> LineInput<'a> {
    /// An item at a price for one, without taxes.
    #[must_use]
    pub fn item(sku: &'a str, quantity: Decimal, unit_price: Decimal) -> Self {
        Self {
            kind: LineKind::Item,
            sku,
            text: None,
            quantity,
            unit_price,
            per: Decimal::whole(1),
            taxes: &[],
            adjustments: &[],
            parent: None,
            approval: None,
            class: None,
            attributes: &[],
        }
    }
}

/// A tax of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaxInput {
    /// Class.
    pub class: TaxClass,
    /// Rate in parts per million.
    pub rate_ppm: u32,
    /// Whether the price contains it; what the policy says of all prices when it is not said.
    pub inclusive: Option<bool>,
}

/// Why something is done, and who allowed it.
#[derive(Debug, Clone, Copy)]
pub struct Reason<'a> {
    /// Why, 1 to 256 bytes.
    pub text: &'a str,
    /// Number of the approval for it.
    pub approval: Option<u64>,
}

impl<'a> From<&'a str> for Reason<'a> {
    fn from(text: &'a str) -> Self {
        Self { text, approval: None }
    }
}

impl<'a> From<&'a String> for Reason<'a> {
    fn from(text: &'a String) -> Self {
        Self::from(text.as_str())
    }
}

/// A tender to take. [`TenderInput::of`] has the usual one.
#[derive(Debug, Clone, Copy)]
pub struct TenderInput<'a> {
    /// Kind.
    pub kind: TenderKind,
    /// Amount in minor units, tip included; for foreign money in minor units of that.
    pub amount: i64,
    /// The part that is a tip.
    pub tip: i64,
    /// What foreign money is worth; given for that kind and no other.
    pub rate: Option<ExchangeRate>,
    /// The host's reference, up to 64 bytes.
    pub reference: Option<&'a str>,
    /// The outcome lies outside the till and is not known yet.
    pub pending: bool,
    /// The approval that a rule wants.
    pub approval: Option<u64>,
    /// What rules may ask of it besides.
    pub attributes: &'a [Attribute<'a>],
}

impl TenderInput<'_> {
    /// A tender whose outcome is known, without tip.
    #[must_use]
    pub const fn of(kind: TenderKind, amount: i64) -> Self {
        Self {
            kind,
            amount,
            tip: 0,
            rate: None,
            reference: None,
            pending: false,
            approval: None,
            attributes: &[],
        }
    }
}

/// Reads a quantity.
///
/// # Errors
/// `PK_E_BAD_QUANTITY`.
pub fn quantity(text: &str) -> Result<Decimal> {
    decimal("quantity", text, Code::BadQuantity)
}

/// Reads a unit price.
///
/// # Errors
/// `PK_E_BAD_PRICE`.
pub fn unit_price(text: &str) -> Result<Decimal> {
    decimal("unitPrice", text, Code::BadPrice)
}

/// Reads any decimal; another text is refused with this name and this code.
///
/// # Errors
/// The code that is given.
pub fn decimal(what: &str, text: &str, code: Code) -> Result<Decimal> {
    Decimal::parse(text).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        let message =
            format!("{what} {shown:?} is not a decimal such as 3 or -0.250 with at most 6 places");
        Error::new(code, message).with("what", what).with("value", shown)
    })
}

/// Reads the kind of a tender.
///
/// # Errors
/// `PK_E_BAD_ARGUMENT`.
pub fn tender_kind(text: &str) -> Result<TenderKind> {
    match text {
        "cash" => Ok(TenderKind::Cash),
        "card" => Ok(TenderKind::Card),
        "voucher" => Ok(TenderKind::Voucher),
        "foreign" => Ok(TenderKind::Foreign),
        "other" => Ok(TenderKind::Other),
        _ => {
            let shown: String = text.chars().take(40).collect();
            Err(Error::new(
                Code::BadArgument,
                format!("tender kind {shown:?} is not one of cash, card, voucher, foreign, other"),
            )
            .with("argument", "kind")
            .with("value", shown))
        }
    }
}

/// A text of a length, without control characters.
pub(crate) fn text(what: &str, value: &str, bytes_max: usize, code: Code) -> Result<()> {
    let fault = if value.is_empty() {
        "is empty".to_owned()
    } else if value.len() > bytes_max {
        format!("has {} bytes, over the limit of {bytes_max}", value.len())
    } else if value.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        "holds a control character".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::new(code, format!("{what} {fault}"))
        .with("what", what)
        .with("bytes", value.len())
        .with("limit", bytes_max))
}

pub(super) fn store(value: &str) -> Result<()> {
    text("store", value, STORE_BYTES_MAX, Code::BadText)
}

pub(crate) fn operator(value: &str) -> Result<()> {
    text("operator", value, OPERATOR_BYTES_MAX, Code::BadText)
}

pub(crate) fn approved(value: &str) -> Result<()> {
    text("what", value, APPROVED_BYTES_MAX, Code::BadText)
}

pub(crate) fn reason(value: &str) -> Result<()> {
    text("reason", value, REASON_BYTES_MAX, Code::BadText)
}

pub(super) fn reference(value: Option<&str>) -> Result<()> {
    value.map_or(Ok(()), |value| text("reference", value, REFERENCE_BYTES_MAX, Code::BadText))
}

pub(super) fn line(input: &LineInput<'_>) -> Result<()> {
    text("sku", input.sku, SKU_BYTES_MAX, Code::BadText)?;
    if let Some(value) = input.text {
        text("text", value, TEXT_BYTES_MAX, Code::BadText)?;
    }
    not_zero(input.quantity)?;
    if input.unit_price.mantissa() < 0 {
        return Err(Error::new(
            Code::BadPrice,
            format!(
                "unitPrice {} of {} is negative; a return has a negative quantity instead",
                input.unit_price, input.sku
            ),
        )
        .with("value", input.unit_price.to_string()));
    }
    Ok(())
}

pub(super) fn not_zero(quantity: Decimal) -> Result<()> {
    if quantity.mantissa() != 0 {
        return Ok(());
    }
    let message = "quantity is zero; void the line instead";
    Err(Error::new(Code::BadQuantity, message).with("value", quantity.to_string()))
}

/// Reads the kind of a line.
///
/// # Errors
/// `PK_E_BAD_ARGUMENT`.
pub fn line_kind(text: &str) -> Result<LineKind> {
    let kinds = [LineKind::Item, LineKind::Surcharge, LineKind::Deposit, LineKind::Tip];
    kinds.into_iter().find(|kind| kind.name() == text).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        let message = format!("line kind {shown:?} is not one of item, surcharge, deposit, tip");
        Error::new(Code::BadArgument, message).with("argument", "kind").with("value", shown)
    })
}

pub(crate) fn amount(value: i64) -> Result<()> {
    if (-AMOUNT_MAX..=AMOUNT_MAX).contains(&value) {
        return Ok(());
    }
    let message = format!("amount {value} is outside +-{AMOUNT_MAX} minor units");
    Err(Error::new(Code::Overflow, message).with("value", value).with("limit", AMOUNT_MAX))
}

/// Checks an idempotency key and binds it to the call's inputs.
///
/// # Errors
/// `PK_E_BAD_KEY`.
pub fn key(value: &str, fingerprint: u64) -> Result<Key> {
    text("key", value, KEY_BYTES_MAX, Code::BadKey)?;
    Ok(Key { text: value.to_owned(), fingerprint })
}
