//! The host's structures as the kernel's inputs. What a field may hold is the kernel's to say; here
//! numbers become choices, pointers become slices, and what belongs elsewhere is refused.

use crate::memory;
use crate::terminal::{argument, flags};
use crate::types::{
    PK_ADJUST_AMOUNT, PK_ADJUST_DISCOUNT, PK_ADJUST_PPM, PK_ADJUST_SURCHARGE, PK_ATTRIBUTE_BOOL,
    PK_ATTRIBUTE_MEMBER, PK_ATTRIBUTE_NUMBER, PK_ATTRIBUTE_TEXT, PK_CIRCLE_SALE,
    PK_CIRCLE_TRAINING, PK_LINE_KIND_DEPOSIT, PK_LINE_KIND_ITEM, PK_LINE_KIND_SURCHARGE,
    PK_LINE_KIND_TIP, PK_TAX_BY_POLICY, PK_TAX_EXCLUSIVE, PK_TAX_INCLUSIVE, PK_TENDER_CARD,
    PK_TENDER_CASH, PK_TENDER_FOREIGN, PK_TENDER_IS_PENDING, PK_TENDER_OTHER, PK_TENDER_VOUCHER,
    PkAdjustment, PkAttribute, PkDecimal, PkLineInput, PkReason, PkTaxInput, PkTenderInput,
};
use pos_kernel_core::journal::{Circle, TenderKind};
use pos_kernel_core::limits::{ADJUSTMENTS_MAX, TAX_COMPONENTS_MAX};
use pos_kernel_core::money::{Currency, Decimal};
use pos_kernel_core::pricing::{Adjustment, Direction, ExchangeRate, LineKind, TaxClass, Worth};
use pos_kernel_core::rules::{Attribute, Given};
use pos_kernel_core::sale::{LineInput, Reason, TaxInput, TenderInput};
use pos_kernel_core::{Code, Error, Result};

/// What a line points to: the kernel's line borrows it.
#[derive(Debug, Default)]
pub(crate) struct Parts<'a> {
    taxes: Vec<TaxInput>,
    adjustments: Vec<(Adjustment, &'a str)>,
}

/// What hosts say of lines or tenders, by their index: most say nothing.
pub(crate) type SaidOf<'a> = Vec<(usize, Said<'a>)>;

/// What a host says for rules to ask: a name, what it gave, its text or the members of its set.
pub(crate) type Said<'a> = Vec<(&'a str, PkAttribute, Vec<&'a str>)>;

/// Attributes of one line or tender.
const ATTRIBUTES_MAX: usize = 512;

/// Reads what a host says for rules to ask.
///
/// # Safety
/// The array and its texts can be read.
pub(crate) unsafe fn said<'a>(given: *const PkAttribute, count: usize) -> Result<Said<'a>> {
    let mut said: Said<'a> = Vec::new();
    if count == 0 {
        return Ok(said);
    }
    let read = |given: &PkAttribute| {
        // SAFETY: the caller promises the texts.
        let name = unsafe { memory::field(memory::ATTRIBUTE_NAME, given.name) }?;
        // SAFETY: as above.
        let text = unsafe { memory::optional_field(memory::ATTRIBUTE_TEXT, given.text) }?;
        let is_member = given.kind == PK_ATTRIBUTE_MEMBER;
        let known = said.iter_mut().find(|(other, of, _)| *other == name && of.kind == given.kind);
        match known.filter(|_| is_member) {
            Some((.., members)) => members.extend(text),
            None => said.push((name, *given, text.into_iter().collect())),
        }
        Ok(())
    };
    // SAFETY: the caller promises the array.
    unsafe { memory::array("attributes", given, count, ATTRIBUTES_MAX, read) }?;
    Ok(said)
}

/// What was said as the kernel takes it.
pub(crate) fn attributes<'a>(said: &'a Said<'_>) -> Result<Vec<Attribute<'a>>> {
    let attribute = |(name, given, members): &'a (&str, PkAttribute, Vec<&str>)| {
        let value = match given.kind {
            PK_ATTRIBUTE_BOOL => match given.number {
                PkDecimal { mantissa: 0, scale: 0, .. } => Given::Bool(false),
                PkDecimal { mantissa: 1, scale: 0, .. } => Given::Bool(true),
                other => {
                    let message = format!("attribute.number {} is not 0 or 1", other.mantissa);
                    return Err(Error::new(Code::BadArgument, message)
                        .with("argument", "attribute.number")
                        .with("value", other.mantissa));
                }
            },
            PK_ATTRIBUTE_NUMBER => {
                Given::Decimal(decimal("attribute.number", given.number, Code::BadArgument)?)
            }
            PK_ATTRIBUTE_TEXT => Given::Text(members.first().copied().unwrap_or_default()),
            PK_ATTRIBUTE_MEMBER => Given::Set(members),
            other => {
                let allowed = "1 (bool), 2 (number), 3 (text) or 4 (member)";
                return Err(argument("attribute.kind", other, allowed));
            }
        };
        Ok(Attribute { name, value })
    };
    said.iter().map(attribute).collect()
}

/// What was said of several, as the kernel takes it.
pub(crate) fn attributes_of<'a>(
    said: &'a [(usize, Said<'_>)],
) -> Result<Vec<(usize, Vec<Attribute<'a>>)>> {
    said.iter().map(|(index, said)| Ok((*index, attributes(said)?))).collect()
}

impl<'a> Parts<'a> {
    /// Reads what a line points to.
    ///
    /// # Safety
    /// The arrays and their texts can be read.
    #[inline]
    pub(crate) unsafe fn of(given: &PkLineInput) -> Result<Self> {
        let mut parts = Self::default();
        if given.tax_count != 0 {
            // SAFETY: the caller promises the array and its texts.
            parts.taxes = unsafe { taxes(given.taxes, given.tax_count) }?;
        }
        if given.adjustment_count != 0 {
            // SAFETY: as above.
            parts.adjustments = unsafe { adjustments(given.adjustments, given.adjustment_count) }?;
        }
        Ok(parts)
    }

    /// True when there is nothing to lend.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.taxes.is_empty() && self.adjustments.is_empty()
    }

    /// Lends them to a line.
    pub(crate) fn lend<'b>(&'b self, line: &mut LineInput<'b>)
    where
        'a: 'b,
    {
        line.taxes = &self.taxes;
        line.adjustments = &self.adjustments;
    }
}

/// Reads a line, without what it points to.
///
/// # Safety
/// The texts can be read.
#[inline]
pub(crate) unsafe fn line<'a>(given: &PkLineInput) -> Result<LineInput<'a>> {
    // SAFETY: the caller promises the texts.
    let sku = unsafe { memory::field(memory::SKU, given.sku) }?;
    // SAFETY: as above.
    let text = unsafe { memory::optional_field(memory::TEXT, given.text) }?;
    let quantity = decimal("quantity", given.quantity, Code::BadQuantity)?;
    let unit_price = decimal("unit_price", given.unit_price, Code::BadPrice)?;
    // SAFETY: as above.
    let class = unsafe { memory::optional_field(memory::GOODS_CLASS, given.goods_class) }?;
    let parent = (given.parent != 0).then_some(given.parent);
    flags("line.reserved", given.reserved, 0)?;
    Ok(LineInput {
        kind: line_kind(given.kind)?,
        text,
        parent,
        per: per(given.per)?,
        approval: approval(given.approval),
        class,
        ..LineInput::item(sku, quantity, unit_price)
    })
}

/// Reads the taxes of a line.
///
/// # Safety
/// The array and its texts can be read.
pub(crate) unsafe fn taxes(given: *const PkTaxInput, count: usize) -> Result<Vec<TaxInput>> {
    let read = |tax: &PkTaxInput| {
        flags("tax.reserved", tax.reserved, 0)?;
        // SAFETY: the caller promises the text.
        let class = unsafe { memory::field(memory::TAX_CLASS, tax.tax_class) }?;
        Ok(TaxInput {
            class: TaxClass::parse(class)?,
            rate_ppm: tax.rate_ppm,
            inclusive: match tax.inclusive {
                PK_TAX_BY_POLICY => None,
                PK_TAX_EXCLUSIVE => Some(false),
                PK_TAX_INCLUSIVE => Some(true),
                other => return Err(argument("tax.inclusive", other, "0, 1 or 2")),
            },
        })
    };
    // SAFETY: the caller promises the array.
    unsafe { memory::array("taxes", given, count, TAX_COMPONENTS_MAX, read) }
}

/// Reads discounts and surcharges of a line or a cart, which have one key and no approval.
///
/// # Safety
/// The array and its texts can be read.
pub(crate) unsafe fn adjustments<'a>(
    given: *const PkAdjustment,
    count: usize,
) -> Result<Vec<(Adjustment, &'a str)>> {
    let read = |given: &PkAdjustment| {
        no_key(given.key.size)?;
        // SAFETY: the caller promises the text.
        let (adjustment, reason) = unsafe { adjustment(given) }?;
        if reason.approval.is_some() {
            return Err(approval_elsewhere("adjustment"));
        }
        Ok((adjustment, reason.text))
    };
    // SAFETY: the caller promises the array.
    unsafe { memory::array("adjustments", given, count, ADJUSTMENTS_MAX, read) }
}

/// Reads a discount or a surcharge and why it is given.
///
/// # Safety
/// The texts can be read.
pub(crate) unsafe fn adjustment<'a>(given: &PkAdjustment) -> Result<(Adjustment, Reason<'a>)> {
    flags("adjustment.reserved", given.reserved, 0)?;
    let direction = match given.direction {
        PK_ADJUST_DISCOUNT => Direction::Discount,
        PK_ADJUST_SURCHARGE => Direction::Surcharge,
        other => {
            return Err(argument("adjustment.direction", other, "1 (discount) or 2 (surcharge)"));
        }
    };
    let worth = match given.unit {
        PK_ADJUST_AMOUNT => Worth::Amount(given.value),
        PK_ADJUST_PPM => Worth::Percent(u32::try_from(given.value).map_err(|_| {
            let message = format!("{} parts per million are no percentage", given.value);
            Error::new(Code::BadRate, message).with("value", given.value)
        })?),
        other => {
            let allowed = "1 (minor units) or 2 (parts per million)";
            return Err(argument("adjustment.unit", other, allowed));
        }
    };
    // SAFETY: the caller promises the text.
    let text = unsafe { memory::field(memory::REASON, given.reason) }?;
    let reason = Reason { text, approval: approval(given.approval) };
    Ok((Adjustment { direction, worth }, reason))
}

/// Reads a tender, without what rules may ask of it.
///
/// # Safety
/// The texts can be read.
#[inline]
pub(crate) unsafe fn tender<'a>(given: &PkTenderInput) -> Result<TenderInput<'a>> {
    flags("tender.flags", given.flags, PK_TENDER_IS_PENDING)?;
    let kind = match given.kind {
        PK_TENDER_CASH => TenderKind::Cash,
        PK_TENDER_CARD => TenderKind::Card,
        PK_TENDER_VOUCHER => TenderKind::Voucher,
        PK_TENDER_FOREIGN => TenderKind::Foreign,
        PK_TENDER_OTHER => TenderKind::Other,
        other => {
            let allowed = "1 (cash), 2 (card), 3 (voucher), 4 (foreign) or 5 (other)";
            return Err(argument("tender.kind", other, allowed));
        }
    };
    // SAFETY: the caller promises the text.
    let reference = unsafe { memory::optional_field(memory::REFERENCE, given.reference) }?;
    flags("tender.reserved_end", given.reserved_end, 0)?;
    let pending = given.flags & PK_TENDER_IS_PENDING != 0;
    // SAFETY: as above.
    let rate = unsafe { rate(given) }?;
    Ok(TenderInput {
        tip: given.tip,
        rate,
        reference,
        pending,
        approval: approval(given.approval),
        ..TenderInput::of(kind, given.amount)
    })
}

/// Reads what foreign money is worth; all zero is none.
///
/// # Safety
/// The text can be read.
#[inline]
unsafe fn rate(given: &PkTenderInput) -> Result<Option<ExchangeRate>> {
    let is_none = given.currency.size == 0 && given.rate == NOTHING && given.per == 0;
    if is_none {
        return Ok(None);
    }
    // SAFETY: the caller promises the text.
    let currency = unsafe { memory::field(memory::CURRENCY, given.currency) }?;
    let worth = decimal("rate", given.rate, Code::BadRate)?;
    ExchangeRate::new(Currency::parse(currency)?, worth, given.per.max(1)).map(Some)
}

/// Reads why something is done, and its key.
///
/// # Safety
/// The structure and its texts can be read.
pub(crate) unsafe fn reason<'a>(reason: *const PkReason) -> Result<(Reason<'a>, Option<&'a str>)> {
    // SAFETY: the caller promises the structure.
    let given = unsafe { memory::structure("reason", reason) }?;
    // SAFETY: the caller promises the texts.
    let text = unsafe { memory::field(memory::REASON, given.reason) }?;
    // SAFETY: as above.
    let key = unsafe { memory::optional_field(memory::KEY, given.key) }?;
    Ok((Reason { text, approval: approval(given.approval) }, key))
}

/// As [`reason`], for a call that nobody has to approve.
///
/// # Safety
/// As [`reason`].
pub(crate) unsafe fn plain_reason<'a>(
    given: *const PkReason,
) -> Result<(&'a str, Option<&'a str>)> {
    // SAFETY: the caller's promise is the same.
    let (reason, key) = unsafe { reason(given) }?;
    if reason.approval.is_some() {
        return Err(approval_elsewhere("reason"));
    }
    Ok((reason.text, key))
}

/// The units that a price is for; all zero is one.
#[inline]
pub(crate) fn per(given: PkDecimal) -> Result<Decimal> {
    if given == NOTHING {
        return Ok(Decimal::whole(1));
    }
    decimal("per", given, Code::BadQuantity)
}

/// A decimal of a host, refused by a code when it has too many places.
#[inline]
pub(crate) fn decimal(what: &'static str, given: PkDecimal, code: Code) -> Result<Decimal> {
    let scale = u8::try_from(given.scale).ok();
    let decimal = scale.and_then(|scale| Decimal::new(given.mantissa, scale));
    decimal.ok_or_else(|| too_many_places(what, given.scale, code))
}

/// A sale in one call, and a line with its discounts, have one key.
pub(crate) fn no_key(size: usize) -> Result<()> {
    if size == 0 {
        return Ok(());
    }
    let message = "a line, tender or discount inside another structure has an idempotency key; give \
                   the key to the line or the cart that it is a part of";
    Err(Error::new(Code::BadArgument, message).with("argument", "key"))
}

/// A currency in eight bytes: its letters, then zeros.
pub(crate) fn currency(what: &'static str, given: [u8; 8]) -> Result<Currency> {
    let letters = given.split(|byte| *byte == 0).next().unwrap_or_default();
    let is_clean = given[letters.len()..].iter().all(|byte| *byte == 0);
    match std::str::from_utf8(letters) {
        Ok(letters) if is_clean => Currency::parse(letters),
        _ => {
            let message = format!("{what} is not three letters and then zeros");
            Err(Error::new(Code::BadCurrency, message).with("what", what))
        }
    }
}

/// The circle of a receipt; 0 is that of sales.
pub(crate) fn circle(given: u32) -> Result<Circle> {
    match given {
        0 | PK_CIRCLE_SALE => Ok(Circle::Sale),
        PK_CIRCLE_TRAINING => Ok(Circle::Training),
        other => Err(argument("circle", other, "1 (sale) or 2 (training)")),
    }
}

const NOTHING: PkDecimal = PkDecimal { mantissa: 0, scale: 0, reserved: 0 };

#[inline]
fn line_kind(given: u32) -> Result<LineKind> {
    Ok(match given {
        0 | PK_LINE_KIND_ITEM => LineKind::Item,
        PK_LINE_KIND_SURCHARGE => LineKind::Surcharge,
        PK_LINE_KIND_DEPOSIT => LineKind::Deposit,
        PK_LINE_KIND_TIP => LineKind::Tip,
        other => {
            let allowed = "1 (item), 2 (surcharge), 3 (deposit) or 4 (tip)";
            return Err(argument("line.kind", other, allowed));
        }
    })
}

pub(crate) fn approval(given: u64) -> Option<u64> {
    (given != 0).then_some(given)
}

#[cold]
fn approval_elsewhere(what: &'static str) -> Error {
    let message = format!("this {what} takes no approval here; leave it 0");
    Error::new(Code::BadArgument, message).with("argument", "approval")
}

#[cold]
fn too_many_places(what: &'static str, places: u32, code: Code) -> Error {
    let message = format!("{what} has {places} places behind the point; at most 6");
    Error::new(code, message).with("what", what).with("value", places)
}
