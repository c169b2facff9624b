//! What happens at a till between its sales: people, approvals, the drawer, training, copies, reports.

use pos_kernel_core::journal::{Circle, PeriodKind};
use pos_kernel_core::money::Currency;
use pos_kernel_core::{Result, Terminal};

/// One thing of these, or none; what is refused is passed over.
pub(crate) fn attend(terminal: &Terminal, [what, more]: [u8; 2]) {
    let _ = one_thing(terminal, what % 40, i64::from(more));
}

/// An approval for what is about to be asked for.
pub(crate) fn approval(terminal: &Terminal) -> Option<u64> {
    Some(terminal.approve("chief", "a return", None).ok()?.value.approval)
}

/// An answer that nobody reads.
pub(crate) fn done<T>(_answer: T) {}

fn one_thing(terminal: &Terminal, what: u8, more: i64) -> Result<()> {
    let currency = ["EUR", "JPY", "BHD", "CHF"][usize::try_from(more % 4).unwrap()];
    match what {
        0..3 => match terminal.operator()? {
            Some(operator) => done(terminal.sign_off(&operator, None)?),
            None => done(terminal.sign_on(["ann", "bob"][usize::from(what % 2)], None)?),
        },
        3..6 => match terminal.shift()? {
            Some(_) if what > 4 => done(terminal.close_shift(None)?),
            Some(_) => {}
            None => {
                let float = [("BHD", 5_000), ("EUR", more * 100)];
                let float = float.map(|(code, sum)| (Currency::parse(code).unwrap(), sum));
                terminal.open_shift(&float, None)?;
            }
        },
        6 | 7 => done(terminal.paid_in(currency, more, "change from the bank", None)?),
        8 | 9 => done(terminal.paid_out(currency, more, "window cleaner", None)?),
        10 => done(terminal.no_sale("change for the meter", None)?),
        11..14 => done(terminal.cash_count(currency, more * 50, None)?),
        14 => done(terminal.set_training(!terminal.is_training()?, approval(terminal), None)?),
        15..18 => {
            let circle = if more % 5 == 0 { Circle::Training } else { Circle::Sale };
            terminal.reprint(circle, more.unsigned_abs() % 24, None, None)?;
        }
        18 | 19 => done(terminal.x_report(None)?),
        20 | 21 => done(terminal.z_report(None)?),
        22 => done(terminal.period_close(PeriodKind::Day, None)?),
        23 => done(terminal.period_close(PeriodKind::Month, None)?),
        24 => done(terminal.period_close(PeriodKind::Year, None)?),
        25 => done(approval(terminal)),
        _ => {}
    }
    Ok(())
}
