//! Returns with a receipt: parts of a sold line whose amounts and taxes add up to the line.
//!
//! A part is a difference of two running values: what has come back with it less what had come back
//! before it. The running amount is the line's amount in proportion to the quantity; each running tax
//! is the line's tax in proportion to the running amount, so a part without an amount has no tax.
//! At the full quantity both are those of the line, whatever the parts were (I12). Rounding is to the
//! nearest, halves away from zero, and does not depend on a policy: the policy may have changed since
//! the sale.

use super::line::{Line, LineKind, bad_quantity};
use super::tax::{self, TaxComponent};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::money::{Decimal, Rounding, divide, in_range, power_of_ten};

/// A line as it was sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoldLine {
    /// What it is.
    pub kind: LineKind,
    /// Quantity, more than zero.
    pub quantity: Decimal,
    /// Amount after discounts and surcharges; inclusive taxes are inside.
    pub amount: i64,
    /// Its taxes.
    pub components: Vec<TaxComponent>,
    /// What each came to.
    pub taxes: Vec<i64>,
}

/// A part of a sold line that comes back. Its quantity is negative, its amount negative or zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenBack {
    kind: LineKind,
    quantity: Decimal,
    amount: i64,
    components: Vec<TaxComponent>,
    taxes: Vec<i64>,
}

impl SoldLine {
    /// The part that comes back when `before` had come back already.
    ///
    /// # Errors
    /// `PK_E_REFUND_EXCEEDS` when more comes back than is left, `PK_E_BAD_QUANTITY` when the quantity
    /// is not more than zero or the line was a return itself, `PK_E_OVERFLOW`.
    ///
    /// ```
    /// use pos_kernel_core::money::Decimal;
    /// use pos_kernel_core::pricing::{LineKind, SoldLine, TaxClass, TaxComponent};
    /// let vat = TaxComponent { class: TaxClass::parse("S")?, rate_ppm: 190_000, inclusive: true };
    /// let sold = SoldLine {
    ///     kind: LineKind::Item,
    ///     quantity: Decimal::whole(3),
    ///     amount: 1000,
    ///     components: vec![vat],
    ///     taxes: vec![160],
    /// };
    /// let one = Decimal::whole(1);
    /// let amounts = [0, 1, 2].map(|before| {
    ///     let part = sold.give_back(Decimal::whole(before), one).expect("three were sold");
    ///     (part.amount(), part.taxes()[0])
    /// });
    /// assert_eq!(amounts, [(-333, -53), (-334, -54), (-333, -53)]);
    /// assert!(sold.give_back(Decimal::whole(3), one).is_err());
    /// # Ok::<(), pos_kernel_core::Error>(())
    /// ```
    pub fn give_back(&self, before: Decimal, quantity: Decimal) -> Result<GivenBack> {
        if self.quantity.mantissa() <= 0 {
            return Err(bad_quantity(self.quantity, "is of a line that was a return itself"));
        }
        if quantity.mantissa() <= 0 || before.mantissa() < 0 {
            return Err(bad_quantity(quantity, "must be more than zero to come back"));
        }
        let scale = self.quantity.scale().max(before.scale()).max(quantity.scale());
        let [sold, before, now] = [self.quantity, before, quantity].map(|q| at_scale(q, scale));
        if before + now > sold {
            let message = format!(
                "{quantity} come back, and of {} sold {} are left",
                self.quantity,
                shown(sold - before, scale)
            );
            return Err(Error::new(Code::RefundExceeds, message)
                .with("value", quantity.to_string())
                .with("sold", self.quantity.to_string())
                .with("left", shown(sold - before, scale)));
        }
        let amount_at =
            |returned: i128| -> Result<i64> { in_range(proportion(self.amount, returned, sold)?) };
        let (from, to) = (amount_at(before)?, amount_at(before + now)?);
        let whole = in_range(self.amount.into())?;
        let mut taxes = Vec::with_capacity(self.taxes.len());
        for tax in &self.taxes {
            let tax_at = |amount: i64| -> Result<i64> {
                match whole {
                    0 => Ok(0),
                    whole => in_range(proportion(*tax, amount.into(), whole.into())?),
                }
            };
            taxes.push(in_range(i128::from(tax_at(from)?) - i128::from(tax_at(to)?))?);
        }
        let quantity = Decimal::new(-quantity.mantissa(), quantity.scale())
            .expect("the scale is that of a decimal");
        GivenBack::new(self.kind, quantity, from - to, self.components.clone(), taxes)
    }
}

impl GivenBack {
    /// A part as it stands in a record.
    ///
    /// # Errors
    /// `PK_E_BAD_QUANTITY` when the quantity is not negative, `PK_E_BAD_AMOUNT` when the amount is
    /// positive, `PK_E_BAD_ARGUMENT` when there is not one amount for each tax, `PK_E_BAD_RATE`,
    /// `PK_E_LIMIT`, `PK_E_OVERFLOW`.
    pub fn new(
        kind: LineKind,
        quantity: Decimal,
        amount: i64,
        components: Vec<TaxComponent>,
        taxes: Vec<i64>,
    ) -> Result<Self> {
        if quantity.mantissa() >= 0 {
            return Err(bad_quantity(quantity, "of what comes back is not negative"));
        }
        if amount > 0 {
            let message = format!("{amount} is paid back, which is not negative or zero");
            return Err(Error::new(Code::BadAmount, message).with("value", amount));
        }
        if components.len() != taxes.len() {
            let message = format!("{} amounts for {} taxes", taxes.len(), components.len());
            return Err(Error::new(Code::BadArgument, message).with("argument", "taxes"));
        }
        tax::check(&components)?;
        for value in taxes.iter().chain([&amount]) {
            in_range((*value).into())?;
        }
        Ok(Self { kind, quantity, amount, components, taxes })
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> LineKind {
        self.kind
    }

    /// Quantity, negative.
    #[must_use]
    pub fn quantity(&self) -> Decimal {
        self.quantity
    }

    /// Amount, negative or zero; inclusive taxes are inside.
    #[must_use]
    pub fn amount(&self) -> i64 {
        self.amount
    }

    /// Taxes of the sale.
    #[must_use]
    pub fn components(&self) -> &[TaxComponent] {
        &self.components
    }

    /// What each comes to.
    #[must_use]
    pub fn taxes(&self) -> &[i64] {
        &self.taxes
    }

    /// The line of a cart.
    pub(super) fn line(&self) -> Line {
        Line {
            kind: self.kind,
            quantity: self.quantity,
            unit_price: Decimal::whole(0),
            per: Decimal::whole(1),
            set: usize::MAX,
            listed: self.amount,
            amount: self.amount,
            is_voided: false,
            adjustments: Vec::new(),
            settled: Some(self.taxes.as_slice().into()),
        }
    }

    /// Net, negative or zero.
    #[must_use]
    pub fn net(&self) -> i64 {
        self.amount - self.sum(true)
    }

    /// Gross, negative or zero: what is paid back.
    #[must_use]
    pub fn gross(&self) -> i64 {
        self.amount + self.sum(false)
    }

    fn sum(&self, inclusive: bool) -> i64 {
        let of = self.components.iter().zip(&self.taxes).filter(|(c, _)| c.inclusive == inclusive);
        of.map(|(_, tax)| *tax).sum()
    }
}

/// `value * part / whole`, to the nearest.
fn proportion(value: i64, part: i128, whole: i128) -> Result<i128> {
    let sign = whole.signum();
    let product = i128::from(value)
        .checked_mul(part * sign)
        .ok_or_else(|| crate::money::too_large("amount times quantity", &part))?;
    Ok(divide(product, whole * sign, Rounding::HalfUp))
}

/// A quantity as a whole number of its last decimal place.
fn at_scale(quantity: Decimal, scale: u8) -> i128 {
    i128::from(quantity.mantissa()) * power_of_ten(scale - quantity.scale())
}

fn shown(quantity: i128, scale: u8) -> String {
    let mantissa = i64::try_from(quantity).ok().and_then(|mantissa| Decimal::new(mantissa, scale));
    mantissa.map_or_else(|| format!("{quantity}e-{scale}"), |left| left.to_string())
}
