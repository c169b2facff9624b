//! A policy as bytes: one CBOR map (RFC 8949) with integer keys, and its BLAKE3 hash.
//!
//! ```text
//!  0 version u8 (1)         5 taxRounding 1-4       10 changeFrom [1-5, ascending]
//!  1 currency text(3)       6 grossSplit 1-2        11 mixedReturns bool
//!  2 minorDigits u8         7 amountRounding 1-4    12 unboundReturns 1-3
//!  3 prices 1-2             8 cashStep u32
//!  4 taxScope 1-3           9 cashRounding 1-4
//! ```
//!
//! Canonical: every key stands, ascending, with definite lengths and the shortest form of each
//! integer (RFC 8949, section 4.2.1). The reader writes what it has read again and refuses bytes that
//! differ, so that no second spelling of a policy has a hash of its own.

use super::rules::Choice;
use super::{MeansSet, PaymentMeans, Policy, PolicyTerms};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::money::{Currency, Rounding};
use minicbor::{Decoder, Encoder};
use serde_json::{Value, json};
use std::convert::Infallible;

/// Version of the encoding. A policy of another version is refused, since what it means is unknown.
pub const POLICY_VERSION: u8 = 1;

const KEYS: u64 = 13;

impl Policy {
    /// Its canonical bytes, about forty.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(48);
        self.write(&mut Encoder::new(&mut bytes)).expect("writing to memory cannot fail");
        bytes
    }

    /// BLAKE3 of its canonical bytes: what a completion names it by.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        *blake3::hash(&self.encode()).as_bytes()
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// `PK_E_BAD_POLICY` for any other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let policy = Self::read(&mut Decoder::new(bytes))?;
        if policy.encode() == bytes {
            return Ok(policy);
        }
        Err(refused("the bytes of the policy are not in their canonical form".to_owned()))
    }

    /// Its values by name, as hosts and `inspect` see them.
    #[must_use]
    pub fn show(&self) -> Value {
        let terms = self.terms();
        json!({
            "currency": terms.currency.letters(),
            "minorDigits": terms.minor_digits,
            "prices": terms.prices.name(),
            "taxScope": terms.tax_scope.name(),
            "taxRounding": terms.tax_rounding.name(),
            "grossSplit": terms.gross_split.name(),
            "amountRounding": terms.amount_rounding.name(),
            "cashStep": terms.cash_step,
            "cashRounding": terms.cash_rounding.name(),
            "changeFrom": terms.change_from.iter().map(PaymentMeans::name).collect::<Vec<_>>(),
            "mixedReturns": terms.mixed_returns,
            "unboundReturns": terms.unbound_returns.name(),
        })
    }

    fn write(
        &self,
        out: &mut Encoder<&mut Vec<u8>>,
    ) -> std::result::Result<(), minicbor::encode::Error<Infallible>> {
        let terms = self.terms();
        out.map(KEYS)?.u8(0)?.u8(POLICY_VERSION)?;
        out.u8(1)?.str(terms.currency.letters())?;
        out.u8(2)?.u8(terms.minor_digits)?;
        out.u8(3)?.u8(terms.prices.number())?;
        out.u8(4)?.u8(terms.tax_scope.number())?;
        out.u8(5)?.u8(terms.tax_rounding.number())?;
        out.u8(6)?.u8(terms.gross_split.number())?;
        out.u8(7)?.u8(terms.amount_rounding.number())?;
        out.u8(8)?.u32(terms.cash_step)?;
        out.u8(9)?.u8(terms.cash_rounding.number())?;
        out.u8(10)?.array(terms.change_from.iter().count() as u64)?;
        for means in terms.change_from.iter() {
            out.u8(means.number())?;
        }
        out.u8(11)?.bool(terms.mixed_returns)?;
        out.u8(12)?.u8(terms.unbound_returns.number())?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self> {
        if input.map().map_err(malformed)? != Some(KEYS) {
            return Err(refused(format!("a policy is a map of {KEYS} keys")));
        }
        key(input, 0)?;
        let version = input.u8().map_err(malformed)?;
        if version != POLICY_VERSION {
            return Err(refused(format!(
                "the policy has version {version} and this kernel knows {POLICY_VERSION}"
            )));
        }
        key(input, 1)?;
        let currency = Currency::parse(input.str().map_err(malformed)?)
            .map_err(|error| refused(error.message().to_owned()))?;
        let mut terms = PolicyTerms::of(currency);
        key(input, 2)?;
        terms.minor_digits = input.u8().map_err(malformed)?;
        terms.prices = choice(input, 3)?;
        terms.tax_scope = choice(input, 4)?;
        terms.tax_rounding = choice(input, 5)?;
        terms.gross_split = choice(input, 6)?;
        terms.amount_rounding = choice::<Rounding>(input, 7)?;
        key(input, 8)?;
        terms.cash_step = input.u32().map_err(malformed)?;
        terms.cash_rounding = choice(input, 9)?;
        key(input, 10)?;
        let mut means = Vec::new();
        for _ in 0..input.array().map_err(malformed)?.unwrap_or(u64::MAX) {
            means.push(alternative(input)?);
        }
        terms.change_from = MeansSet::of(&means);
        key(input, 11)?;
        terms.mixed_returns = input.bool().map_err(malformed)?;
        terms.unbound_returns = choice(input, 12)?;
        Self::new(terms)
    }
}

fn key(input: &mut Decoder<'_>, expected: u8) -> Result<()> {
    match input.u8().map_err(malformed)? {
        found if found == expected => Ok(()),
        found => {
            Err(refused(format!("key {expected} of the policy is missing; {found} stands there")))
        }
    }
}

fn choice<T: Choice>(input: &mut Decoder<'_>, number: u8) -> Result<T> {
    key(input, number)?;
    alternative(input)
}

fn alternative<T: Choice>(input: &mut Decoder<'_>) -> Result<T> {
    let number = input.u8().map_err(malformed)?;
    T::by_number(number).ok_or_else(|| refused(format!("{number} is no {}", T::WHAT)))
}

fn malformed(error: minicbor::decode::Error) -> Error {
    refused(format!("the bytes of the policy are malformed: {error}"))
}

fn refused(message: String) -> Error {
    Error::new(Code::BadPolicy, message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::super::{CashRounding, GrossSplit, Prices, TaxScope, UnboundReturns};
    use super::*;

    fn swiss() -> Policy {
        Policy::new(PolicyTerms {
            prices: Prices::Gross,
            tax_scope: TaxScope::PerLine,
            tax_rounding: Rounding::HalfEven,
            gross_split: GrossSplit::NetFirst,
            cash_step: 5,
            cash_rounding: CashRounding::HalfDown,
            change_from: MeansSet::of(&[PaymentMeans::Voucher, PaymentMeans::Cash]),
            mixed_returns: false,
            unbound_returns: UnboundReturns::Refuse,
            ..PolicyTerms::of(Currency::parse("CHF").unwrap())
        })
        .unwrap()
    }

    /// The bytes and the hash are a format: these never change for version 1.
    #[test]
    fn the_bytes_and_the_hash_of_version_1_stand() {
        let bytes = [
            0xad, 0, 1, 1, 0x63, b'C', b'H', b'F', 2, 2, 3, 2, 4, 2, 5, 2, 6, 2, 7, 1, 8, 5, 9, 2,
            10, 0x82, 1, 3, 11, 0xf4, 12, 3,
        ];
        assert_eq!(swiss().encode(), bytes);
        assert_eq!(swiss().hash(), *blake3::hash(&bytes).as_bytes());
        assert_eq!(Policy::decode(&bytes).unwrap(), swiss());
    }

    #[test]
    fn every_policy_has_bytes_of_its_own_and_is_read_back() {
        let mut seen = std::collections::HashSet::new();
        for (prices, ..) in Prices::ALL {
            for (tax_scope, ..) in TaxScope::ALL {
                for (tax_rounding, ..) in Rounding::ALL {
                    for (gross_split, ..) in GrossSplit::ALL {
                        for (cash_rounding, ..) in CashRounding::ALL {
                            for (cash_step, mixed_returns) in
                                [(1, true), (100, false), (70_000, true)]
                            {
                                let policy = Policy::new(PolicyTerms {
                                    prices: *prices,
                                    tax_scope: *tax_scope,
                                    tax_rounding: *tax_rounding,
                                    gross_split: *gross_split,
                                    cash_rounding: *cash_rounding,
                                    cash_step,
                                    mixed_returns,
                                    ..*swiss().terms()
                                })
                                .unwrap();
                                assert_eq!(Policy::decode(&policy.encode()).unwrap(), policy);
                                assert!(seen.insert(policy.hash()));
                            }
                        }
                    }
                }
            }
        }
        assert_eq!(seen.len(), 2 * 3 * 4 * 2 * 4 * 3);
    }

    #[test]
    fn other_spellings_are_refused() {
        let good = swiss().encode();
        let mut longer = good.clone();
        longer.push(0);
        // 5 as a byte of its own instead of inside the head.
        let mut wide = good.clone();
        wide.splice(21..22, [0x18, 5]);
        let mut unordered = good.clone();
        unordered.swap(26, 27);
        let mut newer = good.clone();
        newer[2] = 2;
        for bytes in [&longer[..], &wide, &unordered, &newer, &good[..good.len() - 1], &[]] {
            assert_eq!(Policy::decode(bytes).unwrap_err().code(), Code::BadPolicy, "{bytes:x?}");
        }
        // Nothing read from a disk makes the reader panic or believe what it should not.
        for index in 0..good.len() {
            for byte in 0..=255 {
                let mut bytes = good.clone();
                bytes[index] = byte;
                if let Ok(policy) = Policy::decode(&bytes) {
                    assert_eq!(policy.encode(), bytes);
                }
            }
        }
    }

    #[test]
    fn values_out_of_range_are_refused_by_name() {
        let terms = *swiss().terms();
        let cases = [
            (PolicyTerms { cash_step: 0, ..terms }, "cashStep"),
            (PolicyTerms { cash_step: 1_000_001, ..terms }, "cashStep"),
            (PolicyTerms { minor_digits: 5, ..terms }, "minorDigits"),
        ];
        for (terms, what) in cases {
            let error = Policy::new(terms).unwrap_err();
            assert_eq!(
                (error.code(), error.facts()["what"].as_str()),
                (Code::BadPolicy, Some(what))
            );
        }
        let error = TaxScope::parse("perTrolley").unwrap_err();
        assert_eq!(error.code(), Code::BadPolicy);
        assert_eq!(TaxScope::parse("perUnit").unwrap(), TaxScope::PerUnit);
        assert_eq!(Rounding::parse("halfEven").unwrap().name(), "halfEven");
    }
}
