//! Random days of priced sales on a terminal, beside the oracle and a book of plain sums. Between any
//! two calls the till may be closed, killed, or lose its power; it comes back as it was.

use crate::generate::{Op, sales};
use crate::oracle::{Oracle, come_back, widened};
use crate::support::long;
use crate::support::store::Store;
use pos_kernel_core::journal::TenderKind;
use pos_kernel_core::money::{Currency, Decimal};
use pos_kernel_core::policy::{Policy, PolicyTerms, UnboundReturns};
use pos_kernel_core::pricing::{Change, GivenBack, LineKind, SoldLine, TaxComponent};
use pos_kernel_core::sale::{LineInput, Sale, State, TaxInput, TenderInput, Totals};
use pos_kernel_core::terminal::Durability;
use pos_kernel_core::till::{ClassTotals, Till};
use pos_kernel_core::{Code, Terminal};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeMap;
use std::time::Duration;

/// Calls of one day are told apart by these bytes, one after the other.
type Chances = Vec<u8>;

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    days: u64,
    calls: u64,
    refused: u64,
    closes: u64,
    kills: u64,
    cuts: u64,
    completed: u64,
    voided: u64,
    suspended: u64,
    expired: u64,
    returned: u64,
}

/// An open sale as the book has it.
struct Page {
    currency: Currency,
    cash_step: i128,
    oracle: Oracle,
    /// Parts of sold lines that it takes back: receipt, line, from and to in millionths.
    takes: Vec<(u64, u32, i128, i128)>,
    ticket: Option<String>,
}

/// A sold line that may come back.
struct Sold {
    receipt: u64,
    line: u32,
    sold: SoldLine,
    back: Vec<(i128, i128)>,
}

#[derive(Default)]
struct Book {
    open: BTreeMap<u64, Page>,
    begun: u64,
    receipts: u64,
    /// Sales, returns, their taxes, rounding, receipts, voids.
    totals: BTreeMap<Currency, [i128; 7]>,
    /// Net and tax sold, net and tax returned.
    taxes: BTreeMap<(Currency, TaxComponent), [i128; 4]>,
    sold: Vec<Sold>,
}

struct Day {
    store: Store,
    terminal: Option<Terminal>,
    book: Book,
    chances: Chances,
    next: usize,
    counts: Counts,
}

fn millionths(quantity: Decimal) -> i128 {
    i128::from(quantity.mantissa()) * 10_i128.pow(6 - u32::from(quantity.scale()))
}

fn of_millionths(value: i128) -> Decimal {
    Decimal::new(i64::try_from(value).unwrap(), 6).unwrap()
}

fn inputs(taxes: &[TaxComponent]) -> Vec<TaxInput> {
    let input = |tax: &TaxComponent| TaxInput {
        class: tax.class,
        rate_ppm: tax.rate_ppm,
        inclusive: Some(tax.inclusive),
    };
    taxes.iter().map(input).collect()
}

impl Page {
    fn gross(&self) -> i128 {
        self.oracle.work_out().totals.gross.into()
    }

    /// The total as cash pays it: to the step, a half away from zero.
    fn in_cash(&self) -> i128 {
        let (gross, step) = (self.gross(), self.cash_step);
        let steps = (gross.abs() * 2 + step) / (step * 2);
        gross.signum() * steps * step
    }

    fn has_lines(&self) -> bool {
        !self.oracle.work_out().splits.is_empty()
    }
}

impl Day {
    fn new(durability: Durability, chances: Chances) -> Self {
        let store = Store::new(durability);
        let terminal = Some(store.open());
        let (book, counts) = (Book::default(), Counts::default());
        Self { store, terminal, book, chances, next: 0, counts }
    }

    fn terminal(&self) -> &Terminal {
        self.terminal.as_ref().unwrap()
    }

    fn one_in(&mut self, few: u8) -> bool {
        self.chance().is_multiple_of(few)
    }

    fn chance(&mut self) -> u8 {
        self.next += 1;
        self.chances[self.next % self.chances.len()]
            .wrapping_add(u8::try_from(self.next % 256).unwrap())
    }

    /// After a call: the till is what the book says, and perhaps it ends here.
    fn called(&mut self, refused: bool) {
        self.counts.calls += 1;
        self.counts.refused += u64::from(refused);
        self.compare();
        match self.chance() % 8 {
            0 => self.reopen(0),
            1 => self.reopen(1),
            2 => self.reopen(2),
            _ => {}
        }
    }

    fn reopen(&mut self, how: u8) {
        let terminal = self.terminal.take().unwrap();
        let before = terminal.till().unwrap();
        let may_lose = self.store.durability == Durability::Sale;
        match how {
            0 => {
                terminal.close().unwrap();
                self.counts.closes += 1;
            }
            1 if !may_lose => {
                self.store.disk = self.store.disk.crash(self.next as u64);
                self.counts.cuts += 1;
            }
            _ => {
                self.store.disk = self.store.disk.kill();
                self.counts.kills += 1;
            }
        }
        drop(terminal);
        let terminal = self.store.open();
        same_till(before, terminal.till().unwrap());
        self.terminal = Some(terminal);
        self.compare();
    }

    /// Counters, totals of each tax, and every open sale are those of the book.
    fn compare(&self) {
        let till = self.terminal().till().unwrap();
        assert_eq!(
            (till.next_sale - 1, till.next_receipt - 1),
            (self.book.begun, self.book.receipts)
        );
        for (currency, expected) in &self.book.totals {
            let t = till.totals_of(*currency);
            let amounts = [t.sales, t.returns, t.sales_tax, t.returns_tax, t.rounding];
            let found: Vec<i128> = amounts.into_iter().map(i128::from).collect();
            assert_eq!(found, expected[..5], "totals in {currency}");
            assert_eq!(
                [i128::from(t.receipts), i128::from(t.voids)],
                expected[5..],
                "counts in {currency}"
            );
        }
        for ((currency, tax), expected) in &self.book.taxes {
            let ClassTotals { sold_net, sold_tax, returned_net, returned_tax } =
                till.taxes[currency][tax];
            let found = [sold_net, sold_tax, returned_net, returned_tax].map(i128::from);
            assert_eq!(found, *expected, "{tax:?} in {currency}");
        }
        assert!(till.open.keys().eq(self.book.open.keys()));
        for (sale, page) in till.open.values().zip(self.book.open.values()) {
            let worked = page.oracle.work_out();
            let Totals { net, tax, gross, discounts, surcharges, .. } = sale.totals();
            let expected = &worked.totals;
            assert_eq!((net, tax, gross), (expected.net, expected.tax, expected.gross));
            assert_eq!((discounts, surcharges), (expected.discounts, expected.surcharges));
            assert_eq!(sale.ticket, page.ticket);
        }
    }

    fn set_policy_and_begin(&mut self, mut terms: PolicyTerms) -> u64 {
        terms.unbound_returns = UnboundReturns::Allow;
        terms.cash_step = if self.one_in(2) { 5 } else { 1 };
        let policy = Policy::new(terms).unwrap();
        let terminal = self.terminal();
        terminal.settle(terminal.set_policy(&policy, None).unwrap()).unwrap();
        self.called(false);
        let terminal = self.terminal();
        let begun = terminal.begin("STORE_001", terms.currency.letters(), None, None).unwrap();
        let sale = terminal.settle(begun).unwrap().sale;
        self.begin_page(sale, &terms);
        self.called(false);
        sale
    }

    fn begin_page(&mut self, sale: u64, terms: &PolicyTerms) {
        self.book.begun += 1;
        assert_eq!(sale, self.book.begun);
        let page = Page {
            currency: terms.currency,
            cash_step: terms.cash_step.into(),
            oracle: Oracle::new(terms, false),
            takes: Vec::new(),
            ticket: None,
        };
        self.book.open.insert(sale, page);
        self.book.totals.entry(terms.currency).or_default();
    }

    fn change(&mut self, sale: u64, op: &Op) {
        let terminal = self.terminal.as_ref().unwrap();
        let reason = "because".into();
        let answered = match op {
            Op::Add { kind, quantity, price, per, taxes } => {
                let taxes = inputs(taxes);
                let line = LineInput {
                    kind: *kind,
                    per: *per,
                    taxes: &taxes,
                    ..LineInput::item("SKU", *quantity, *price)
                };
                terminal.add_line(sale, &line, None).map(|answer| answer.sequence)
            }
            Op::Return(_) => return,
            Op::Void(line) => terminal.void_line(sale, *line, "no", None).map(|a| a.sequence),
            Op::Quantity(line, quantity) => {
                terminal.set_quantity(sale, *line, *quantity, "no", None).map(|a| a.sequence)
            }
            Op::Price(line, price, per) => {
                let price = (*price, *per);
                terminal.override_price(sale, *line, price, reason, None).map(|a| a.sequence)
            }
            Op::Taxes(line, taxes) => {
                let taxes = inputs(taxes);
                terminal.override_taxes(sale, *line, &taxes, reason, None).map(|a| a.sequence)
            }
            Op::AdjustLine(line, given) => {
                terminal.adjust_line(sale, *line, *given, reason, None).map(|a| a.sequence)
            }
            Op::AdjustSale(given) => {
                terminal.adjust_sale(sale, *given, reason, None).map(|a| a.sequence)
            }
            Op::Retract(number) => {
                terminal.retract(sale, *number, reason, None).map(|a| a.sequence)
            }
        };
        if let Ok(sequence) = &answered {
            settle(terminal, *sequence);
        }
        let page = self.book.open.get_mut(&sale).unwrap();
        let empty = matches!(op, Op::AdjustSale(_)) && !page.has_lines();
        let expected = page.ticket.is_none() && !empty && page.oracle.apply(&op.change()).is_ok();
        assert_eq!(answered.is_ok(), expected, "{op:?}: {answered:?}");
        self.called(!expected);
    }

    /// Pays and completes a sale, or voids one that has nothing on it.
    fn finish(&mut self, sale: u64) {
        let page = &self.book.open[&sale];
        if !page.has_lines() {
            return self.void(sale);
        }
        let (gross, cash) = (page.gross(), page.in_cash());
        let pays_cash = !self.one_in(3);
        let extra = if self.one_in(4) && gross > 0 { 1_000 } else { 0 };
        let terminal = self.terminal.as_ref().unwrap();
        let (paid, rounding) = if gross == 0 {
            (0, 0)
        } else if pays_cash {
            (cash + if cash > 0 { extra } else { 0 }, cash - gross)
        } else {
            (gross, 0)
        };
        if gross != 0 {
            let kind = if pays_cash { TenderKind::Cash } else { TenderKind::Card };
            let tender = TenderInput::of(kind, i64::try_from(paid).unwrap());
            let taken = terminal.tender(sale, &tender, None).unwrap();
            let change = paid - gross - rounding;
            assert_eq!((taken.value.due, i128::from(taken.value.change)), (0, change));
            settle(terminal, taken.sequence);
            // Lines are frozen now, whatever happens to the till.
            if self.one_in(4) {
                self.reopen(2);
            }
            let terminal = self.terminal();
            assert_eq!(terminal.void_sale(sale, "no", None).unwrap_err().code(), Code::TenderTaken);
        }
        let terminal = self.terminal.as_ref().unwrap();
        let receipt = terminal.settle(terminal.complete(sale, None).unwrap()).unwrap();
        assert_eq!(i128::from(receipt.rounding), rounding);
        let page = self.book.open.remove(&sale).unwrap();
        self.book.receipts += 1;
        assert_eq!(receipt.number, self.book.receipts);
        self.count(&page, rounding);
        self.counts.completed += 1;
        self.called(false);
        let again = self.terminal().receipt(self.book.receipts).unwrap();
        assert_eq!(again.lines, receipt.lines);
    }

    /// Counts a completed sale by its lines.
    fn count(&mut self, page: &Page, rounding: i128) {
        let totals = self.book.totals.get_mut(&page.currency).unwrap();
        for (line, net, taxes) in page.oracle.work_out().splits {
            let (quantity, amount, components) = page.oracle.line(line);
            let (side, sign) = if quantity.mantissa() < 0 { (1, -1) } else { (0, 1) };
            let tax: i128 = taxes.iter().sum();
            totals[side] += sign * (net + tax);
            totals[2 + side] += sign * tax;
            for (component, tax) in components.iter().zip(&taxes) {
                let of = self.book.taxes.entry((page.currency, *component)).or_default();
                of[2 * side] += sign * net;
                of[2 * side + 1] += sign * tax;
            }
            if side == 0 {
                let taxes = taxes.iter().map(|tax| i64::try_from(*tax).unwrap()).collect();
                let amount = i64::try_from(amount).unwrap();
                let kind = LineKind::Item;
                let sold = SoldLine { kind, quantity, amount, components, taxes };
                let receipt = self.book.receipts;
                self.book.sold.push(Sold { receipt, line, sold, back: Vec::new() });
            }
        }
        totals[4] += rounding;
        totals[5] += 1;
    }

    fn void(&mut self, sale: u64) {
        let terminal = self.terminal();
        terminal.settle(terminal.void_sale(sale, "left", None).unwrap()).unwrap();
        self.forget(sale);
        self.counts.voided += 1;
        self.called(false);
    }

    /// A sale ends without a receipt: what it took back is free again.
    fn forget(&mut self, sale: u64) {
        let page = self.book.open.remove(&sale).unwrap();
        self.book.totals.get_mut(&page.currency).unwrap()[6] += 1;
        for (receipt, line, from, to) in page.takes {
            let sold = self.book.sold.iter_mut().find(|s| (s.receipt, s.line) == (receipt, line));
            sold.unwrap().back.retain(|part| *part != (from, to));
        }
    }

    fn suspend(&mut self, sale: u64) {
        let terminal = self.terminal.as_ref().unwrap();
        let ticket = terminal.suspend(sale, "phone", None).unwrap().value.ticket;
        assert_eq!(terminal.complete(sale, None).unwrap_err().code(), Code::Suspended);
        self.book.open.get_mut(&sale).unwrap().ticket = Some(ticket);
        self.counts.suspended += 1;
        self.called(false);
    }

    fn resume(&mut self, sale: u64) {
        let Some(ticket) = self.book.open.get_mut(&sale).unwrap().ticket.take() else { return };
        let terminal = self.terminal.as_ref().unwrap();
        assert_eq!(terminal.resume(&ticket, None).unwrap().value.sale, sale);
        assert_eq!(terminal.resume(&ticket, None).unwrap_err().code(), Code::AlreadyResumed);
        self.called(false);
    }

    fn expire(&mut self) {
        let hour = Duration::from_secs(3_600);
        self.store.clock.pass(u64::try_from(hour.as_nanos()).unwrap());
        let terminal = self.terminal.as_ref().unwrap();
        let expired = terminal.settle(terminal.expire(hour, "timeout").unwrap()).unwrap();
        let waits = |(_, page): &(&u64, &Page)| page.ticket.is_none();
        let expected: Vec<u64> =
            self.book.open.iter().filter(waits).map(|(sale, _)| *sale).collect();
        assert_eq!(expired, expected);
        expected.into_iter().for_each(|sale| self.forget(sale));
        self.counts.expired += expired.len() as u64;
        self.called(false);
    }

    /// Takes a part of some sold line back, in a sale of its own.
    fn take_back(&mut self) {
        if self.book.sold.is_empty() {
            return;
        }
        let index = usize::from(self.chance()) % self.book.sold.len();
        let share = i128::from(self.chance() % 4);
        let (receipt, line) = (self.book.sold[index].receipt, self.book.sold[index].line);
        let whole = millionths(self.book.sold[index].sold.quantity);
        let wanted = match share {
            0 => whole,
            1 => whole + 1_000_000,
            share => (whole / (share + 1)).max(1),
        };
        let terminal = self.terminal.as_ref().unwrap();
        let begun = terminal.begin_return("REGISTER_01", receipt, None).unwrap();
        let sale = terminal.settle(begun).unwrap().sale;
        let terms = *terminal.sale(sale).unwrap().policy().terms();
        self.begin_page(sale, &terms);
        self.called(false);
        let part = (line, of_millionths(wanted));
        let terminal = self.terminal.as_ref().unwrap();
        let answered = terminal.return_line(sale, None, part, "back".into(), None);
        let from = free_place(&self.book.sold[index].back, whole, wanted);
        let Some(from) = from else {
            assert_eq!(answered.unwrap_err().code(), Code::RefundExceeds);
            self.called(true);
            return self.void(sale);
        };
        let answer = answered.unwrap();
        settle(terminal, answer.sequence);
        let sold = &self.book.sold[index].sold;
        let expected = come_back(sold, of_millionths(from), of_millionths(wanted));
        let record = terminal.sale(sale).unwrap().lines[0].clone();
        let taken = GivenBack::new(
            sold.kind,
            record.quantity,
            record.amount,
            sold.components.clone(),
            expected.1.iter().map(|tax| i64::try_from(*tax).unwrap()).collect(),
        );
        let taken = taken.unwrap();
        assert_eq!(widened(&taken), expected, "what comes back of {sold:?} after {from}");
        let page = self.book.open.get_mut(&sale).unwrap();
        page.oracle.apply(&Change::AddReturn(&taken)).unwrap();
        page.takes.push((receipt, line, from, from + wanted));
        self.book.sold[index].back.push((from, from + wanted));
        self.counts.returned += 1;
        self.called(false);
        if self.one_in(4) { self.void(sale) } else { self.finish(sale) }
    }

    fn play(&mut self, sales: Vec<(PolicyTerms, Vec<Op>, Vec<u32>)>) {
        for (terms, ops, _) in sales {
            let policy = Policy::new(terms).unwrap();
            let sale = self.set_policy_and_begin(terms);
            for op in ops {
                self.change(sale, &op.under(&policy));
            }
            match self.chance() % 12 {
                0 => self.void(sale),
                1 => self.suspend(sale),
                2 => {
                    self.suspend(sale);
                    self.resume(sale);
                    self.finish(sale);
                }
                3 => self.expire(),
                4 => {}
                _ => self.finish(sale),
            }
            if self.one_in(2) {
                self.take_back();
            }
        }
        let open: Vec<u64> = self.book.open.keys().copied().collect();
        for sale in open {
            self.resume(sale);
            self.finish(sale);
        }
        self.reopen(0);
        self.store.assert_sound();
        self.counts.days += 1;
    }
}

fn settle(terminal: &Terminal, sequence: u64) {
    terminal.wait_durable(sequence).unwrap();
}

/// The first place where so much is free.
fn free_place(taken: &[(i128, i128)], whole: i128, wanted: i128) -> Option<i128> {
    let mut taken = taken.to_vec();
    taken.sort_unstable();
    let mut from = 0;
    for (begins, ends) in taken {
        if begins - from >= wanted {
            return Some(from);
        }
        from = ends;
    }
    (whole - from >= wanted).then_some(from)
}

/// What came back is what was: open sales carry a flag, and nothing else differs.
fn same_till(before: Till, after: Till) {
    let flagged = |sale: &Sale| {
        let mut sale = sale.clone();
        sale.recovered = true;
        sale
    };
    let open: Vec<Sale> = before.open.values().map(flagged).collect();
    assert!(open.iter().eq(after.open.values()), "open sales");
    assert!(open.iter().all(|sale| sale.state() != State::Completed));
    assert_eq!((before.next_sale, before.next_receipt), (after.next_sale, after.next_receipt));
    assert_eq!((before.totals, before.taxes), (after.totals, after.taxes));
    assert_eq!((before.policies, before.keys), (after.policies, after.keys));
}

#[test]
fn a_random_day_of_priced_sales_is_what_the_oracle_says_whatever_ends_it() {
    let days: u32 = if long() { 100_000 } else { 60 };
    let totals = std::sync::Mutex::new(Counts::default());
    let run = |seed: u8| {
        let config = Config { cases: days / 2, failure_persistence: None, ..Config::default() };
        let algorithm = proptest::test_runner::RngAlgorithm::ChaCha;
        let rng = proptest::test_runner::TestRng::from_seed(algorithm, &[seed; 32]);
        let mut runner = TestRunner::new_with_rng(config, rng);
        let chances = prop::collection::vec(any::<u8>(), 64);
        let drawn = (prop::collection::vec(sales(), 1..4), chances, any::<bool>());
        let outcome = runner.run(&drawn, |(sales, chances, sale_mode)| {
            let mode = if sale_mode { Durability::Sale } else { Durability::Record };
            let mut day = Day::new(mode, chances);
            day.play(sales);
            let mut sum = totals.lock().unwrap();
            let c = day.counts;
            sum.days += c.days;
            sum.calls += c.calls;
            sum.refused += c.refused;
            sum.closes += c.closes;
            sum.kills += c.kills;
            sum.cuts += c.cuts;
            sum.completed += c.completed;
            sum.voided += c.voided;
            sum.suspended += c.suspended;
            sum.expired += c.expired;
            sum.returned += c.returned;
            Ok(())
        });
        outcome.unwrap_or_else(|failure| panic!("seed {seed}: {failure}"));
    };
    std::thread::scope(|scope| {
        for seed in 1..=2 {
            let run = &run;
            scope.spawn(move || run(seed));
        }
    });
    println!("days of priced sales: {:?}", totals.lock().unwrap());
}
