//! Short names for what every test of the kernel needs.
#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod forge;
pub(crate) mod store;

use pos_kernel_core::journal::TenderKind;
use pos_kernel_core::money::Decimal;
use pos_kernel_core::sale::{LineInput, TenderInput};
use pos_kernel_core::terminal::Sold;
use pos_kernel_core::{OpenOptions, Terminal};
use tempfile::TempDir;

pub(crate) fn options(root: &TempDir) -> OpenOptions {
    OpenOptions {
        root: Some(root.path().to_owned()),
        id: Some("REGISTER_01".to_owned()),
        segment_bytes: Some(256 << 10),
        ..OpenOptions::default()
    }
}

pub(crate) fn open(root: &TempDir) -> Terminal {
    Terminal::open(&options(root)).unwrap()
}

pub(crate) fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).unwrap()
}

pub(crate) fn line<'a>(sku: &'a str, quantity: &str, unit_price: &str) -> LineInput<'a> {
    let (quantity, unit_price) = (decimal(quantity), decimal(unit_price));
    LineInput::item(sku, quantity, unit_price)
}

pub(crate) fn cash(amount: i64) -> TenderInput<'static> {
    TenderInput::of(TenderKind::Cash, amount)
}

pub(crate) fn card(amount: i64, pending: bool) -> TenderInput<'static> {
    TenderInput { pending, ..TenderInput::of(TenderKind::Card, amount) }
}

pub(crate) fn sold<'a>(
    reference: Option<&'a str>,
    lines: &'a [LineInput<'a>],
    tenders: &'a [TenderInput<'a>],
) -> Sold<'a> {
    Sold { store: "STORE_001", currency: "EUR", reference, lines, adjustments: &[], tenders }
}

/// True when the exhaustive forms of the tests were asked for.
pub(crate) fn long() -> bool {
    let fault = std::env::var("POS_KERNEL_FAULT");
    std::env::var_os("PK_LONG").is_some() || fault.is_ok_and(|value| value == "long")
}
