//! What a host gives for a sale: lines, taxes, discounts, tenders, carts. Read once, into the
//! kernel's types; nothing is decided here.

use crate::fault::argument;
use crate::value::{Amountish, decimal, quantity, safe_integer, small, unit_price, whole};
use napi::Either;
use napi::bindgen_prelude::Either4;
use napi_derive::napi;
use pos_kernel_core::money::{Currency, Decimal};
use pos_kernel_core::pricing::{Adjustment, Direction, ExchangeRate, TaxClass, Worth, rate_ppm};
use pos_kernel_core::rules::{Attribute, Given};
use pos_kernel_core::sale::Receipt;
use pos_kernel_core::sale::{LineInput, Reason, TaxInput, TenderInput, input};
use pos_kernel_core::terminal::{Answer, Sold};
use pos_kernel_core::{Code, Result, Terminal};

/// A tax of a line.
#[napi(object)]
pub struct NativeTax {
    /// Per cent of the net amount, integer or decimal string.
    pub rate: Either<f64, String>,
    /// Class, up to twelve visible ASCII characters.
    pub class: Option<String>,
    /// The price contains it; what the policy says of all prices when it is left out.
    pub inclusive: Option<bool>,
}

/// A discount or a surcharge: an amount or a percentage.
#[napi(object)]
pub struct NativeAdjustment {
    /// It makes the amount larger.
    pub surcharge: bool,
    /// Minor units, more than zero.
    pub amount: Option<f64>,
    /// Per cent of the amount as it stands, integer or decimal string.
    pub percent: Option<Either<f64, String>>,
    /// Why.
    pub reason: String,
}

/// Why something is done, and who allowed it.
#[napi(object)]
pub struct NativeReason {
    /// Why.
    pub reason: String,
    /// Number of the approval for it.
    pub approval: Option<f64>,
}

/// A price.
#[napi(object)]
pub struct NativePrice {
    /// Minor units for `perQuantity` units, integer or decimal string.
    pub unit_price: Either<f64, String>,
    /// Units that it is for, integer or decimal string; one when left out.
    pub per_quantity: Option<Either<f64, String>>,
}

/// Something that rules may ask of a line or a tender.
#[napi(object)]
pub struct NativeAttribute {
    /// The column that it is for.
    pub name: String,
    /// What it is; the digits of a decimal are a text.
    pub value: Either4<bool, f64, String, Vec<String>>,
}

/// A line to add.
#[napi(object)]
pub struct NativeLine {
    /// `item`, `surcharge`, `deposit` or `tip`.
    pub kind: Option<String>,
    /// Stock-keeping unit.
    pub sku: String,
    /// Text for people.
    pub text: Option<String>,
    /// Quantity, integer or decimal string; negative for a return.
    pub quantity: Either<f64, String>,
    /// Price of `perQuantity` units in minor units, integer or decimal string.
    pub unit_price: Either<f64, String>,
    /// Units that the price is for, integer or decimal string; one when left out.
    pub per_quantity: Option<Either<f64, String>>,
    /// Its taxes.
    pub taxes: Option<Vec<NativeTax>>,
    /// Discounts and surcharges that it begins with.
    pub adjustments: Option<Vec<NativeAdjustment>>,
    /// The live line that it belongs to.
    pub parent: Option<f64>,
    /// Number of the approval for a return without its receipt, or that a rule wants.
    pub approval: Option<f64>,
    /// Class of the goods, for rules.
    pub class: Option<String>,
    /// What rules may ask of it besides.
    pub attributes: Option<Vec<NativeAttribute>>,
}

/// A tender to take.
#[napi(object)]
pub struct NativeTender {
    /// `cash`, `card`, `voucher`, `foreign` or `other`.
    pub kind: String,
    /// Minor units, tip included; of the foreign currency where it is one.
    pub amount: f64,
    /// The part that is a tip.
    pub tip: Option<f64>,
    /// The foreign currency.
    pub currency: Option<String>,
    /// What `per` whole units of it are worth in whole units of the sale's currency.
    pub rate: Option<Either<f64, String>>,
    /// Units that the rate is for; one when left out.
    pub per: Option<f64>,
    /// The host's reference.
    pub reference: Option<String>,
    /// The outcome is not known yet.
    pub pending: Option<bool>,
    /// Number of the approval that a rule wants.
    pub approval: Option<f64>,
    /// What rules may ask of it.
    pub attributes: Option<Vec<NativeAttribute>>,
}

/// A whole sale.
#[napi(object)]
pub struct NativeCart {
    /// Store.
    pub store: String,
    /// ISO 4217 letters.
    pub currency: String,
    /// The host's own number for it.
    pub reference: Option<String>,
    /// The lines.
    pub lines: Vec<NativeLine>,
    /// Discounts and surcharges on the sale.
    pub adjustments: Vec<NativeAdjustment>,
    /// The tenders.
    pub tenders: Vec<NativeTender>,
    /// Idempotency key.
    pub key: Option<String>,
}

/// The sets among attributes, which the kernel takes by reference.
pub(crate) type Sets<'a> = Vec<Vec<&'a str>>;

/// The parts of a line that the kernel takes by reference.
pub(crate) struct LineParts<'a> {
    taxes: Vec<TaxInput>,
    adjustments: Vec<(Adjustment, &'a str)>,
    attributes: Vec<Attribute<'a>>,
}

/// The sets among attributes: one for each, empty where it is no set.
fn sets_of(attributes: Option<&[NativeAttribute]>) -> Sets<'_> {
    fn members(given: &NativeAttribute) -> Vec<&str> {
        match &given.value {
            Either4::D(members) => members.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }
    attributes.unwrap_or_default().iter().map(members).collect()
}

fn attributes_of<'a>(
    attributes: Option<&'a [NativeAttribute]>,
    sets: &'a Sets<'a>,
) -> Result<Vec<Attribute<'a>>> {
    let attribute = |(given, members): (&'a NativeAttribute, &'a Vec<&'a str>)| {
        let value = match &given.value {
            Either4::A(value) => Given::Bool(*value),
            Either4::B(value) => Given::Integer(safe_integer(&given.name, *value)?),
            Either4::C(text) => Given::Text(text),
            Either4::D(_) => Given::Set(members),
        };
        Ok(Attribute { name: &given.name, value })
    };
    attributes.unwrap_or_default().iter().zip(sets).map(attribute).collect()
}

impl NativeReason {
    pub(crate) fn input(&self) -> Result<Reason<'_>> {
        reason(&self.reason, self.approval)
    }
}

impl NativeTax {
    fn input(&self) -> Result<TaxInput> {
        Ok(TaxInput {
            class: TaxClass::parse(self.class.as_deref().unwrap_or_default())?,
            rate_ppm: percent("rate", &self.rate)?,
            inclusive: self.inclusive,
        })
    }
}

/// Reads the taxes of a line.
pub(crate) fn taxes_of(taxes: &[NativeTax]) -> Result<Vec<TaxInput>> {
    taxes.iter().map(NativeTax::input).collect()
}

impl NativeAdjustment {
    pub(crate) fn input(&self) -> Result<Adjustment> {
        let worth = match (self.amount, &self.percent) {
            (Some(amount), None) => Worth::Amount(safe_integer("amount", amount)?),
            (None, Some(rate)) => Worth::Percent(percent("percent", rate)?),
            _ => {
                let message = "give either amount or percent".to_owned();
                return Err(argument("amount", message));
            }
        };
        let direction = if self.surcharge { Direction::Surcharge } else { Direction::Discount };
        Ok(Adjustment { direction, worth })
    }
}

fn adjustments_of(adjustments: &[NativeAdjustment]) -> Result<Vec<(Adjustment, &str)>> {
    adjustments.iter().map(|given| Ok((given.input()?, &*given.reason))).collect()
}

impl NativeLine {
    pub(crate) fn sets(&self) -> Sets<'_> {
        sets_of(self.attributes.as_deref())
    }

    pub(crate) fn parts<'a>(&'a self, sets: &'a Sets<'a>) -> Result<LineParts<'a>> {
        Ok(LineParts {
            taxes: taxes_of(self.taxes.as_deref().unwrap_or_default())?,
            adjustments: adjustments_of(self.adjustments.as_deref().unwrap_or_default())?,
            attributes: attributes_of(self.attributes.as_deref(), sets)?,
        })
    }

    pub(crate) fn input<'a>(&'a self, parts: &'a LineParts<'a>) -> Result<LineInput<'a>> {
        let (quantity, unit_price) = (quantity(&self.quantity)?, unit_price(&self.unit_price)?);
        let mut line = LineInput::item(&self.sku, quantity, unit_price);
        if let Some(kind) = &self.kind {
            line.kind = input::line_kind(kind)?;
        }
        if let Some(per) = &self.per_quantity {
            line.per = per_quantity(per)?;
        }
        line.text = self.text.as_deref();
        line.taxes = &parts.taxes;
        line.adjustments = &parts.adjustments;
        line.parent = self.parent.map(|parent| small("parent", parent)).transpose()?;
        line.approval = approval_of(self.approval)?;
        line.class = self.class.as_deref();
        line.attributes = &parts.attributes;
        Ok(line)
    }
}

impl NativeTender {
    pub(crate) fn sets(&self) -> Sets<'_> {
        sets_of(self.attributes.as_deref())
    }

    pub(crate) fn attributes<'a>(&'a self, sets: &'a Sets<'a>) -> Result<Vec<Attribute<'a>>> {
        attributes_of(self.attributes.as_deref(), sets)
    }

    pub(crate) fn input<'a>(&'a self, attributes: &'a [Attribute<'a>]) -> Result<TenderInput<'a>> {
        let kind = input::tender_kind(&self.kind)?;
        Ok(TenderInput {
            tip: self.tip.map_or(Ok(0), |tip| safe_integer("tip", tip))?,
            rate: self.exchange_rate()?,
            reference: self.reference.as_deref(),
            pending: self.pending.unwrap_or(false),
            approval: approval_of(self.approval)?,
            attributes,
            ..TenderInput::of(kind, safe_integer("amount", self.amount)?)
        })
    }

    fn exchange_rate(&self) -> Result<Option<ExchangeRate>> {
        match (&self.currency, &self.rate) {
            (Some(currency), Some(rate)) => {
                let per = self.per.map_or(Ok(1), |per| small("per", per))?;
                let worth = decimal("rate", rate, Code::BadRate)?;
                ExchangeRate::new(Currency::parse(currency)?, worth, per).map(Some)
            }
            (None, None) if self.per.is_none() => Ok(None),
            _ => {
                let message = "foreign money needs both its currency and its rate".to_owned();
                Err(argument("rate", message))
            }
        }
    }
}

/// Rings up a cart.
pub(crate) fn sell(terminal: &Terminal, cart: &NativeCart) -> Result<Answer<Receipt>> {
    let sets: Vec<Sets<'_>> = cart.lines.iter().map(NativeLine::sets).collect();
    let parts = cart.lines.iter().zip(&sets).map(|(line, sets)| line.parts(sets));
    let parts = parts.collect::<Result<Vec<_>>>()?;
    let lines = cart.lines.iter().zip(&parts).map(|(line, parts)| line.input(parts));
    let lines = lines.collect::<Result<Vec<_>>>()?;
    let sets: Vec<Sets<'_>> = cart.tenders.iter().map(NativeTender::sets).collect();
    let asked = cart.tenders.iter().zip(&sets).map(|(tender, sets)| tender.attributes(sets));
    let asked = asked.collect::<Result<Vec<_>>>()?;
    let tenders = cart.tenders.iter().zip(&asked).map(|(tender, asked)| tender.input(asked));
    let tenders = tenders.collect::<Result<Vec<_>>>()?;
    let sold = Sold {
        store: &cart.store,
        currency: &cart.currency,
        reference: cart.reference.as_deref(),
        lines: &lines,
        adjustments: &adjustments_of(&cart.adjustments)?,
        tenders: &tenders,
    };
    terminal.sell(&sold, cart.key.as_deref())
}

/// Units that a price is for.
pub(crate) fn per_quantity(value: &Amountish) -> Result<Decimal> {
    decimal("perQuantity", value, Code::BadQuantity)
}

/// Why something is done, and who allowed it.
pub(crate) fn reason(text: &str, approval: Option<f64>) -> Result<Reason<'_>> {
    Ok(Reason { text, approval: approval_of(approval)? })
}

fn approval_of(approval: Option<f64>) -> Result<Option<u64>> {
    approval.map(|number| whole("approval", number)).transpose()
}

/// A percentage as parts per million.
fn percent(what: &str, value: &Amountish) -> Result<u32> {
    match value {
        Either::A(value) => {
            rate_ppm(&decimal(what, &Either::A(*value), Code::BadRate)?.to_string())
        }
        Either::B(text) => rate_ppm(text),
    }
}
