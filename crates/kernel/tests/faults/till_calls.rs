//! Random calls of people, drawer and reports, and how each is made on a terminal.

use crate::book::Reply;
use crate::model::with;
use crate::till_book::{BookCash, ReportPage, TakingsRow, TillCall, TurnoverRow, expected};
use pos_kernel_core::journal::{
    Circle, DrawerSum, PeriodKind, Report, Takings, TenderKind, Turnover,
};
use pos_kernel_core::money::Currency;
use pos_kernel_core::sale::Reason;
use pos_kernel_core::terminal::Answer;
use pos_kernel_core::{Error, Terminal};
use proptest::prelude::*;
use proptest::sample::select;

/// Calls whose texts come from a strategy that also gives ones that are refused.
pub(crate) fn till_calls<S: Strategy<Value = &'static str> + 'static>(
    texts: impl Fn() -> S,
) -> impl Strategy<Value = TillCall> {
    let operator = || {
        prop_oneof![9 => Just("ann".to_owned()), 2 => Just("bob".to_owned()),
        1 => Just(String::new())]
    };
    let currency = || select(vec!["EUR", "EUR", "EUR", "USD", "xxx"]);
    let amount = || {
        prop_oneof![9 => 1_i64..2000, 2 => Just(0),
        1 => select(vec![-1, 1 << 53, i64::MAX, (1 << 53) - 1])]
    };
    let approval = || prop_oneof![6 => Just(None), 2 => (1_u64..20).prop_map(Some)];
    let floats = prop::collection::vec((select(vec!["EUR", "USD", "JPY"]), amount()), 0..3);
    prop_oneof![
        3 => operator().prop_map(|operator| TillCall::SignOn { operator }),
        2 => operator().prop_map(|operator| TillCall::SignOff { operator }),
        2 => (operator(), texts()).prop_map(|(approver, what)| {
            TillCall::Approve { approver, what: what.to_owned() }
        }),
        1 => (any::<bool>(), approval())
            .prop_map(|(on, approval)| TillCall::Training { on, approval }),
        4 => floats.prop_map(|float| TillCall::OpenShift { float }),
        1 => Just(TillCall::CloseShift),
        4 => (any::<bool>(), currency(), amount(), texts(), approval()).prop_map(
            |(out, currency, amount, reason, approval)| {
                TillCall::Pay { out, currency, amount, reason: reason.to_owned(), approval }
            },
        ),
        1 => texts().prop_map(|reason| TillCall::NoSale { reason: reason.to_owned() }),
        2 => (currency(), amount())
            .prop_map(|(currency, counted)| TillCall::Count { currency, counted }),
        3 => (prop::bool::weighted(0.2), 0_u64..40)
            .prop_map(|(training, receipt)| TillCall::Reprint { training, receipt }),
        2 => Just(TillCall::X),
        9 => Just(TillCall::Z),
        4 => (1_usize..4).prop_map(|kind| TillCall::Close { kind }),
    ]
}

fn currency(letters: &str) -> Currency {
    Currency::parse(letters).unwrap()
}

pub(crate) fn drawer_of(sums: &[DrawerSum]) -> Vec<(String, BookCash)> {
    let sums = sums.iter().map(|sum| {
        let cash = [sum.float, sum.sales, sum.paid_in, sum.paid_out, sum.over_short];
        let cash = cash.map(i128::from);
        assert_eq!(expected(&cash), sum.expected.into());
        (sum.currency.to_string(), cash)
    });
    sums.collect()
}

fn turnover_of(rows: &[Turnover]) -> Vec<TurnoverRow> {
    let rows = rows.iter().map(|row| {
        let period = &row.period;
        let amounts = (period.sales.into(), period.returns.into());
        (row.currency.to_string(), amounts.0, amounts.1, period.receipts, period.voids)
    });
    rows.collect()
}

fn takings_of(takings: &Takings) -> (String, TakingsRow) {
    let of = |kind| {
        let mut found = takings.tenders.iter().filter(|sum| sum.kind == kind);
        found.next().map_or((0, 0), |sum| (sum.count, sum.amount.into()))
    };
    let row = TakingsRow {
        cash: of(TenderKind::Cash),
        card: of(TenderKind::Card),
        change: takings.change.into(),
        paid_in: (takings.paid_in_count, takings.paid_in.into()),
        paid_out: (takings.paid_out_count, takings.paid_out.into()),
        over_short: takings.over_short.into(),
    };
    (takings.currency.to_string(), row)
}

fn page_of(number: u64, report: &Report) -> ReportPage {
    ReportPage {
        number,
        receipts: (report.first_receipt, report.last_receipt),
        turnover: turnover_of(&report.turnover),
        takings: report.takings.iter().map(takings_of).collect(),
        counts: (report.no_sales, report.reprints, report.training_receipts),
    }
}

/// Makes a call on the terminal.
pub(crate) fn make_till(
    terminal: &Terminal,
    call: &TillCall,
    key: Option<&str>,
) -> Result<Answer<Reply>, Error> {
    let done = |answer| with(answer, |()| Reply::Done);
    Ok(match call {
        TillCall::SignOn { operator } => done(terminal.sign_on(operator, key)?),
        TillCall::SignOff { operator } => done(terminal.sign_off(operator, key)?),
        TillCall::Approve { approver, what } => {
            with(terminal.approve(approver, what, key)?, |given| Reply::Number(given.approval))
        }
        TillCall::Training { on, approval } => done(terminal.set_training(*on, *approval, key)?),
        TillCall::OpenShift { float } => {
            let float: Vec<_> = float.iter().map(|(c, amount)| (currency(c), *amount)).collect();
            with(terminal.open_shift(&float, key)?, |opened| Reply::Number(opened.shift))
        }
        TillCall::CloseShift => with(terminal.close_shift(key)?, |closed| {
            Reply::Drawer(closed.number, drawer_of(&closed.drawer))
        }),
        TillCall::Pay { out, currency, amount, reason, approval } => {
            let reason = Reason { text: reason, approval: *approval };
            done(if *out {
                terminal.paid_out(currency, *amount, reason, key)?
            } else {
                terminal.paid_in(currency, *amount, reason, key)?
            })
        }
        TillCall::NoSale { reason } => done(terminal.no_sale(reason, key)?),
        TillCall::Count { currency, counted } => {
            with(terminal.cash_count(currency, *counted, key)?, |count| {
                let amounts = [count.expected, count.counted, count.over_short].map(i128::from);
                Reply::Counted(amounts[0], amounts[1], amounts[2])
            })
        }
        TillCall::Reprint { training, receipt } => {
            let circle = if *training { Circle::Training } else { Circle::Sale };
            with(terminal.reprint(circle, *receipt, None, key)?, |reprint| {
                assert_eq!((reprint.receipt.circle, reprint.receipt.number), (circle, *receipt));
                Reply::Number(reprint.copy)
            })
        }
        TillCall::X => {
            with(terminal.x_report(key)?, |x| Reply::Report(page_of(x.number, &x.report)))
        }
        TillCall::Z => {
            with(terminal.z_report(key)?, |z| Reply::Report(page_of(z.number, &z.report)))
        }
        TillCall::Close { kind } => {
            let kind = [PeriodKind::Day, PeriodKind::Month, PeriodKind::Year][kind - 1];
            with(terminal.period_close(kind, key)?, |closed| {
                let range = (closed.first, closed.last);
                Reply::Closed(closed.number, range, turnover_of(&closed.turnover))
            })
        }
    })
}
