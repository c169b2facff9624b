//! pos-kernel itself, durability `sale`: a sale in one call, or call by call as a till rings it up.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use pos_kernel_core::journal::{TenderKind, verify_terminal};
use pos_kernel_core::money::Decimal;
use pos_kernel_core::sale::{LineInput, Receipt, TenderInput};
use pos_kernel_core::terminal::{Answer, Durability, Sold};
use pos_kernel_core::{OpenOptions, Terminal};
use pos_kernel_wal::{Reader, SegmentEnds};

use crate::sale::{CURRENCY, Canonical, LINES, STORE, Sale, TENDER_KIND};
use crate::store::{Audit, Outcome, Peer, Seller, SharedStore, Store};

/// pos-kernel, whole sales or call by call.
pub struct Ours {
    pub by_call: bool,
}

impl Peer for Ours {
    fn name(&self) -> &'static str {
        if self.by_call { "pos-kernel-calls" } else { "pos-kernel" }
    }

    fn open(&self, dir: &Path) -> Outcome<Box<dyn Store>> {
        Ok(Box::new(Till { terminal: open(dir)?, by_call: self.by_call }))
    }

    fn open_shared(&self, dir: &Path) -> Outcome<Box<dyn SharedStore>> {
        Ok(Box::new(Till { terminal: open(dir)?, by_call: self.by_call }))
    }

    fn stamps_own_times(&self) -> bool {
        true
    }

    fn is_rebuilt_at_open(&self, file_name: &str) -> bool {
        // The lock's bytes mean nothing, and the owner record is information for people.
        file_name == "terminal.lock" || file_name == "terminal.owner.json"
    }
}

fn open(dir: &Path) -> Outcome<Terminal> {
    let options = OpenOptions {
        root: Some(dir.to_owned()),
        id: Some("REGISTER_01".into()),
        durability: Some(Durability::Sale),
        ..OpenOptions::default()
    };
    Ok(Terminal::open(&options)?)
}

struct Till {
    terminal: Terminal,
    by_call: bool,
}

impl Till {
    fn ring_up(&self, sale: &Sale) -> Outcome<Answer<Receipt>> {
        let reference = sale.reference();
        let key = sale.key();
        let lines: [LineInput<'_>; LINES] = std::array::from_fn(|index| {
            let line = &sale.lines[index];
            LineInput {
                sku: &line.product.sku,
                text: Some(&line.product.text),
                quantity: Decimal::whole(line.quantity),
                unit_price: Decimal::whole(line.product.unit_price_minor),
                parent: None,
            }
        });
        let kind = TenderKind::Cash;
        let tender =
            TenderInput { kind, amount: sale.tendered_minor, reference: None, pending: false };
        if self.by_call {
            let terminal = &self.terminal;
            let begun =
                terminal.settle(terminal.begin(STORE, CURRENCY, Some(&reference), None)?)?;
            for line in &lines {
                terminal.settle(terminal.add_line(begun.sale, line, None)?)?;
            }
            terminal.settle(terminal.tender(begun.sale, &tender, None)?)?;
            let answer = terminal.complete(begun.sale, Some(&key))?;
            terminal.close_sale(begun.sale)?;
            return Ok(answer);
        }
        let sold = Sold {
            store: STORE,
            currency: CURRENCY,
            reference: Some(&reference),
            lines: &lines,
            tenders: &[tender],
        };
        Ok(self.terminal.sell(&sold, Some(&key))?)
    }
}

impl Store for Till {
    fn sell(&mut self, sale: &Sale) -> Outcome<()> {
        let answer = self.ring_up(sale)?;
        self.terminal.settle(answer)?;
        Ok(())
    }

    fn sell_together(&mut self, sales: &[Sale]) -> Outcome<()> {
        let mut last = 0;
        for sale in sales {
            last = self.ring_up(sale)?.sequence;
        }
        Ok(self.terminal.wait_durable(last)?)
    }

    fn last(&mut self) -> Outcome<Option<u32>> {
        let next = self.terminal.status()?.next_receipt;
        if next == 1 {
            return Ok(None);
        }
        Ok(Some(number_of(&self.terminal.receipt(next - 1)?)?))
    }

    fn read_every(&mut self, visit: &mut dyn FnMut(u32, &[u8])) -> Outcome<()> {
        let mut bytes = Vec::new();
        let mut fault = None;
        self.terminal.history().each_receipt(|receipt| {
            bytes.clear();
            match number_of(&receipt) {
                Ok(number) => {
                    canonical(number, &receipt, &mut bytes);
                    visit(number, &bytes);
                }
                Err(error) => fault = Some(error),
            }
        })?;
        fault.map_or(Ok(()), Err)
    }

    fn audit(&mut self) -> Outcome<Option<Audit>> {
        let history = self.terminal.history();
        let began = Instant::now();
        check_chain(&history.reader()?)?;
        let chain = began.elapsed();
        let began = Instant::now();
        let report = verify_terminal(history, None, &|_, _| {})?;
        let full = began.elapsed();
        match report.problems.first() {
            Some(problem) => Err(problem.message.clone().into()),
            None => Ok(Some(Audit { chain, full })),
        }
    }

    fn admits(&self) -> Option<String> {
        let cut = self.terminal.recovery().cut.as_ref()?;
        Some(format!("{} bytes cut at {} of segment {}", cut.bytes, cut.offset, cut.segment))
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        Ok(self.terminal.close()?)
    }
}

/// Checksums, places and links of every frame, and the links between segments, on all processors.
fn check_chain(reader: &Reader) -> Outcome<()> {
    let segments: Vec<u32> = reader.segments().collect();
    let next = AtomicUsize::new(0);
    let ends = Mutex::new(vec![None; segments.len()]);
    let check = || -> Outcome<()> {
        while let Some((index, &segment)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            segments.get(index).map(|segment| (index, segment))
        } {
            let scan = reader.scan(segment, true)?.map_err(|problem| problem.message)?;
            if let Some(problem) = scan.problems.first() {
                return Err(problem.message.clone().into());
            }
            ends.lock().expect("no checker panics")[index] = Some(scan.ends());
        }
        Ok(())
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let checkers: Vec<_> = (0..workers).map(|_| scope.spawn(check)).collect();
        checkers.into_iter().try_for_each(|checker| checker.join().expect("no checker panics"))
    })?;
    let ends: Vec<SegmentEnds> =
        ends.into_inner().expect("no checker panics").into_iter().flatten().collect();
    match ends.windows(2).find_map(|pair| pair[1].follows(&pair[0])) {
        Some(problem) => Err(problem.message.into()),
        None => Ok(()),
    }
}

fn number_of(receipt: &Receipt) -> Outcome<u32> {
    let reference = receipt.reference.as_deref().unwrap_or_default();
    Ok(reference.strip_prefix("R-").ok_or("a receipt without our reference")?.parse()?)
}

fn canonical(number: u32, receipt: &Receipt, out: &mut Vec<u8>) {
    let mut form = Canonical::begin(out);
    form.number(number);
    let reference = receipt.reference.as_deref().unwrap_or_default();
    let key = receipt.key.as_deref().unwrap_or_default();
    form.reference_and_key(reference.as_bytes(), key.as_bytes());
    form.header_end(receipt.store.as_bytes(), receipt.currency.letters().as_bytes(), 0);
    for line in &receipt.lines {
        form.line(
            i64::from(line.number),
            line.sku.as_bytes(),
            line.text.as_deref().unwrap_or_default().as_bytes(),
            line.quantity.mantissa(),
            line.unit_price.mantissa(),
            line.amount,
            line.voided.is_some(),
            0,
        );
    }
    for tender in &receipt.tenders {
        debug_assert_eq!(tender.kind.name(), TENDER_KIND);
        form.tender(tender.kind.name().as_bytes(), tender.amount, receipt.change, 0);
    }
    form.end(receipt.gross, 0);
}

impl SharedStore for Till {
    fn seller(&self) -> Outcome<Box<dyn Seller + '_>> {
        Ok(Box::new(TillSeller(self)))
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        Ok(self.terminal.close()?)
    }
}

struct TillSeller<'t>(&'t Till);

impl Seller for TillSeller<'_> {
    fn sell(&mut self, sale: &Sale) -> Outcome<()> {
        let answer = self.0.ring_up(sale)?;
        self.0.terminal.settle(answer)?;
        Ok(())
    }
}
