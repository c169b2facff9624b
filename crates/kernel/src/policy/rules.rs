//! The choices a policy makes, each with its number in the journal and its name for hosts.
//!
//! Numbers and names are given once and never mean anything else.

use crate::code::Code;
use crate::error::{Error, Result};
use crate::money::Rounding;

/// A choice whose alternatives are written as numbers and shown as names.
pub(super) trait Choice: Copy + PartialEq + Sized + 'static {
    /// What is chosen, as hosts call it.
    const WHAT: &'static str;
    /// Every alternative with its number and its name.
    const ALL: &'static [(Self, u8, &'static str)];

    fn by_number(number: u8) -> Option<Self> {
        Self::ALL.iter().find(|row| row.1 == number).map(|row| row.0)
    }

    fn row(self) -> &'static (Self, u8, &'static str) {
        Self::ALL.iter().find(|row| row.0 == self).expect("every alternative is listed")
    }

    fn by_name(name: &str) -> Result<Self> {
        if let Some(row) = Self::ALL.iter().find(|row| row.2 == name) {
            return Ok(row.0);
        }
        let shown: String = name.chars().take(40).collect();
        let names: Vec<&str> = Self::ALL.iter().map(|row| row.2).collect();
        let message = format!("{} {shown:?} is not one of {}", Self::WHAT, names.join(", "));
        Err(Error::new(Code::BadPolicy, message).with("what", Self::WHAT).with("value", shown))
    }
}

macro_rules! choice {
    (
        $(#[doc = $doc:literal])+
        $name:ident, $what:literal { $( $(#[doc = $variant_doc:literal])+ $variant:ident = $number:literal, $text:literal; )+ }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $( $(#[doc = $variant_doc])+ $variant, )+ }

        choice! { of $name, $what { $( $variant = $number, $text; )+ } }
    };
    (of $name:ident, $what:literal { $( $variant:ident = $number:literal, $text:literal; )+ }) => {
        impl Choice for $name {
            const WHAT: &'static str = $what;
            const ALL: &'static [(Self, u8, &'static str)] =
                &[$( (Self::$variant, $number, $text), )+];
        }

        impl $name {
            /// The name that hosts use.
            #[must_use]
            pub fn name(self) -> &'static str {
                self.row().2
            }

            /// The number that stands in the journal.
            #[must_use]
            pub fn number(self) -> u8 {
                self.row().1
            }

            /// The one with this number.
            #[must_use]
            pub fn from_number(number: u8) -> Option<Self> {
                Self::by_number(number)
            }

            /// Reads the name that hosts use.
            ///
            /// # Errors
            /// `PK_E_BAD_POLICY` with the names that there are.
            pub fn parse(name: &str) -> Result<Self> {
                Self::by_name(name)
            }
        }
    };
}

choice! {
    /// Whether prices contain tax.
    Prices, "prices" {
        /// Tax comes on top.
        Net = 1, "net";
        /// Tax is inside.
        Gross = 2, "gross";
    }
}

choice! {
    /// What tax is worked out and rounded on.
    TaxScope, "taxScope" {
        /// Once for each rate, on the sum of its lines.
        PerRate = 1, "perRate";
        /// Once for each line.
        PerLine = 2, "perLine";
        /// For one unit of each line, then times the quantity.
        PerUnit = 3, "perUnit";
    }
}

choice! {
    /// What of a gross amount is rounded; the other part is the difference.
    GrossSplit, "grossSplit" {
        /// Each tax is rounded; net is what is left.
        TaxFirst = 1, "taxFirst";
        /// Net is rounded; tax is what is left.
        NetFirst = 2, "netFirst";
    }
}

choice! {
    /// How an amount becomes a multiple of the cash step. Always by magnitude, so that paying out
    /// mirrors taking in.
    CashRounding, "cashRounding" {
        /// To the nearest; half a step away from zero.
        HalfUp = 1, "halfUp";
        /// To the nearest; half a step towards zero.
        HalfDown = 2, "halfDown";
        /// Away from zero.
        Up = 3, "up";
        /// Towards zero.
        Down = 4, "down";
    }
}

choice! {
    /// What becomes of a return without its receipt.
    UnboundReturns, "unboundReturns" {
        /// It is taken.
        Allow = 1, "allow";
        /// It is taken with an approval.
        Approve = 2, "approve";
        /// It is refused.
        Refuse = 3, "refuse";
    }
}

choice! {
    /// What a customer pays with, as far as arithmetic cares.
    PaymentMeans, "kind" {
        /// Notes and coins of the till's currency: rounded to the cash step.
        Cash = 1, "cash";
        /// A card.
        Card = 2, "card";
        /// A voucher.
        Voucher = 3, "voucher";
        /// Notes and coins of another currency, worth what they convert to.
        Foreign = 4, "foreign";
        /// Anything else, worth its exact amount.
        Other = 5, "other";
    }
}

choice! { of Rounding, "rounding" {
    HalfUp = 1, "halfUp";
    HalfEven = 2, "halfEven";
    Up = 3, "up";
    Down = 4, "down";
} }

/// A set of means of payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct MeansSet(u8);

impl MeansSet {
    /// The set of these.
    #[must_use]
    pub fn of(means: &[PaymentMeans]) -> Self {
        Self(means.iter().fold(0, |bits, means| bits | Self::bit(*means)))
    }

    /// Whether it is one of them.
    #[must_use]
    pub fn contains(self, means: PaymentMeans) -> bool {
        self.0 & Self::bit(means) != 0
    }

    /// Its members, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = PaymentMeans> {
        PaymentMeans::ALL.iter().map(|row| row.0).filter(move |means| self.contains(*means))
    }

    fn bit(means: PaymentMeans) -> u8 {
        1 << means.number()
    }
}
