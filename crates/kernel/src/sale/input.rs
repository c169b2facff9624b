//! Where a host's values become ours: checked once here, trusted afterwards.

use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{Key, TenderKind};
use crate::limits::{
    AMOUNT_MAX, KEY_BYTES_MAX, REASON_BYTES_MAX, REFERENCE_BYTES_MAX, SKU_BYTES_MAX,
    STORE_BYTES_MAX, TEXT_BYTES_MAX,
};
use crate::money::Decimal;

/// A line to add.
#[derive(Debug, Clone, Copy)]
pub struct LineInput<'a> {
    /// Stock-keeping unit, 1 to 64 bytes.
    pub sku: &'a str,
    /// Text for people, up to 256 bytes.
    pub text: Option<&'a str>,
    /// Quantity, not zero; negative for a return line.
    pub quantity: Decimal,
    /// Price of one in minor units, zero or more.
    pub unit_price: Decimal,
    /// The live line of the same sale that it belongs to.
    pub parent: Option<u32>,
}

/// A tender to take.
#[derive(Debug, Clone, Copy)]
pub struct TenderInput<'a> {
    /// Kind.
    pub kind: TenderKind,
    /// Amount in minor units.
    pub amount: i64,
    /// The host's reference, up to 64 bytes.
    pub reference: Option<&'a str>,
    /// The outcome lies outside the till and is not known yet.
    pub pending: bool,
}

/// Reads a quantity.
///
/// # Errors
/// `PK_E_BAD_QUANTITY`.
pub fn quantity(text: &str) -> Result<Decimal> {
    Decimal::parse(text).ok_or_else(|| bad_decimal(Code::BadQuantity, "quantity", text))
}

/// Reads a unit price.
///
/// # Errors
/// `PK_E_BAD_PRICE`.
pub fn unit_price(text: &str) -> Result<Decimal> {
    Decimal::parse(text).ok_or_else(|| bad_decimal(Code::BadPrice, "unitPrice", text))
}

fn bad_decimal(code: Code, what: &str, text: &str) -> Error {
    let shown: String = text.chars().take(40).collect();
    let message =
        format!("{what} {shown:?} is not a decimal such as 3 or -0.250 with at most 6 places");
    Error::new(code, message).with("what", what).with("value", shown)
}

/// Reads the kind of a tender.
///
/// # Errors
/// `PK_E_BAD_ARGUMENT`.
pub fn tender_kind(text: &str) -> Result<TenderKind> {
    match text {
        "cash" => Ok(TenderKind::Cash),
        "card" => Ok(TenderKind::Card),
        _ => {
            let shown: String = text.chars().take(40).collect();
            Err(Error::new(
                Code::BadArgument,
                format!("tender kind {shown:?} is not known; give \"cash\" or \"card\""),
            )
            .with("argument", "kind")
            .with("value", shown))
        }
    }
}

/// A text of a length, without control characters.
fn text(what: &str, value: &str, bytes_max: usize, code: Code) -> Result<()> {
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

pub(super) fn reason(value: &str) -> Result<()> {
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

pub(super) fn amount(value: i64) -> Result<()> {
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
