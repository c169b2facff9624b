//! The sales of `crates/capi/tests/c/cost.c` in Rust, for counting what the C door adds:
//! `sales ROOT COUNT` call by call, `carts ROOT COUNT` in one call each.

#![allow(missing_docs, reason = "a program, not an interface")]

use pos_kernel_core::journal::TenderKind;
use pos_kernel_core::money::Decimal;
use pos_kernel_core::sale::{LineInput, TenderInput};
use pos_kernel_core::terminal::{Durability, Sold};
use pos_kernel_core::{OpenOptions, Result, Terminal};

const TWENTY: TenderInput<'static> = TenderInput::of(TenderKind::Cash, 2000);

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let sell = match arguments.next().as_deref() {
        Some("sales") => by_calls,
        Some("carts") => by_cart,
        _ => panic!("usage: sales|carts ROOT COUNT"),
    };
    let root = arguments.next().expect("a root folder").into();
    let count: u64 = arguments.next().and_then(|text| text.parse().ok()).expect("a count");
    let terminal = Terminal::open(&OpenOptions {
        root: Some(root),
        id: Some("COST".to_owned()),
        durability: Some(Durability::Sale),
        ..OpenOptions::default()
    })?;
    let lines = [line("COFFEE_001", 2, 0, 399), line("TEA", 1, 0, 250), line("MILK", 250, 3, 120)];
    for _ in 0..count {
        let (gross, change) = sell(&terminal, &lines)?;
        assert_eq!((gross, change), (1078, 922));
    }
    terminal.close()
}

fn by_calls(terminal: &Terminal, lines: &[LineInput<'_>]) -> Result<(i64, i64)> {
    let begun = terminal.settle(terminal.begin("STORE_001", "EUR", None, None)?)?;
    for line in lines {
        terminal.settle(terminal.add_line(begun.sale, line, None)?)?;
    }
    terminal.settle(terminal.tender(begun.sale, &TWENTY, None)?)?;
    let receipt = terminal.settle(terminal.complete(begun.sale, None)?)?;
    terminal.close_sale(begun.sale)?;
    Ok((receipt.gross, receipt.change))
}

fn by_cart(terminal: &Terminal, lines: &[LineInput<'_>]) -> Result<(i64, i64)> {
    let (store, currency, reference) = ("STORE_001", "EUR", None);
    let sold = Sold { store, currency, reference, lines, adjustments: &[], tenders: &[TWENTY] };
    let receipt = terminal.settle(terminal.sell(&sold, None)?)?;
    Ok((receipt.gross, receipt.change))
}

fn line(sku: &str, mantissa: i64, scale: u8, price: i64) -> LineInput<'_> {
    let quantity = Decimal::new(mantissa, scale).expect("a scale of up to 6");
    let (text, unit_price) = (Some("something to drink"), Decimal::whole(price));
    LineInput { text, ..LineInput::item(sku, quantity, unit_price) }
}
