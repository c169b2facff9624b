//! ISO 4217 currencies and their exponents (ISO 4217:2015, list one, as amended to 2025).
//!
//! The kernel knows letters and decimal places; symbols and names are the host's.

use crate::code::Code;
use crate::error::{Error, Result};
use std::fmt;

/// A currency of ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency(&'static str);

/// Currencies whose exponent is not two.
const EXPONENTS: &[(&str, u8)] = &[
    ("BHD", 3),
    ("BIF", 0),
    ("CLF", 4),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("UYW", 4),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
];

/// Every currency with minor units, in order. Funds without minor units and metals are left out.
const CODES: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL \
    BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD \
    EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR \
    ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD \
    MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR \
    PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB \
    TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF \
    XCD XCG XOF XPF YER ZAR ZMW ZWG ";

impl Currency {
    /// A currency by its three capital letters.
    ///
    /// # Errors
    /// `PK_E_BAD_CURRENCY` when ISO 4217 does not list it.
    pub fn parse(text: &str) -> Result<Self> {
        let (listed, _) = CODES.as_bytes().as_chunks::<4>();
        let found = match text.as_bytes() {
            letters @ [_, _, _] => listed.binary_search_by(|code| code[..3].cmp(letters)).ok(),
            _ => None,
        };
        match found {
            Some(index) => Ok(Self(&CODES[index * 4..][..3])),
            None => {
                let shown: String = text.chars().take(16).collect();
                Err(Error::new(
                    Code::BadCurrency,
                    format!(
                        "currency {shown:?} is not a code of ISO 4217; give three capital letters \
                         such as EUR"
                    ),
                )
                .with("value", shown))
            }
        }
    }

    /// The three letters.
    #[must_use]
    pub fn letters(self) -> &'static str {
        self.0
    }

    /// Decimal places of the minor unit.
    #[must_use]
    pub fn exponent(self) -> u8 {
        EXPONENTS.iter().find(|(code, _)| *code == self.letters()).map_or(2, |(_, digits)| *digits)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.letters())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.letters())
    }
}

#[cfg(test)]
mod tests {
    use super::{CODES, Currency, EXPONENTS};

    #[test]
    fn known_currencies_have_their_exponents() {
        for (code, digits) in [("EUR", 2), ("JPY", 0), ("KWD", 3), ("SGD", 2), ("UYW", 4)] {
            assert_eq!(Currency::parse(code).unwrap().exponent(), digits);
        }
        for (code, _) in EXPONENTS {
            assert!(Currency::parse(code).is_ok(), "{code}");
        }
    }

    #[test]
    fn the_table_is_sorted_and_without_doubles() {
        let codes: Vec<&str> = CODES.split_ascii_whitespace().collect();
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "eur", "EU", "EURO", "XXX", "XAU", "€", "E R", "EUR "] {
            assert!(Currency::parse(text).is_err(), "{text:?}");
        }
    }
}
