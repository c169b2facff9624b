//! Somebody changes the journal: what the chain shows, what the fold shows, what only an anchor
//! shows, and what nothing inside the files can show.

use crate::support::forge::{FLAG_OWNER_ENDS, Frame, Journal, Mend};
use crate::support::store::Store;
use crate::support::{card, cash, decimal, line, long, sold};
use pos_kernel_core::Code;
use pos_kernel_core::journal::{Fact, RecordKind, TerminalReport, body_of};
use pos_kernel_core::money::Currency;
use pos_kernel_core::terminal::Durability;
use pos_kernel_wal::Link;
use pos_kernel_wal::sim::Random;
use std::collections::BTreeMap;

/// A day with a little of everything, over two segments, closed at its end.
struct Day {
    store: Store,
    journal: Journal,
    /// Receipt hashes, oldest first.
    anchors: Vec<Link>,
}

fn day() -> Day {
    day_at("199")
}

/// The same day with another price of its first line.
fn day_at(price: &str) -> Day {
    let store = Store::new(Durability::Record);
    let mut anchors = Vec::new();
    let terminal = store.open();
    // By calls, two sales at once: lines changed and voided, tenders declined, voided, pending.
    let first = terminal.begin("STORE_001", "EUR", Some("R-1"), Some("k1")).unwrap().value.sale;
    terminal.add_line(first, &line("A", "2", price), None).unwrap();
    let second = terminal.begin("STORE_001", "USD", None, None).unwrap().value.sale;
    let mut named = line("B", "0.250", "1000");
    named.text = Some("Bread");
    terminal.add_line(first, &named, Some("k2")).unwrap();
    terminal.add_line(second, &line("C", "1", "700"), None).unwrap();
    terminal.set_quantity(first, 1, decimal("3"), "one more", None).unwrap();
    terminal.add_line(first, &line("D", "1", "55"), None).unwrap();
    terminal.void_line(first, 3, "scanned twice", None).unwrap();
    terminal.tender(first, &card(200, true), None).unwrap();
    terminal.decline_tender(first, 1, "no funds", None).unwrap();
    terminal.tender(first, &card(300, true), None).unwrap();
    terminal.confirm_tender(first, 2, Some("AUTH-9"), None).unwrap();
    terminal.tender(first, &cash(100), None).unwrap();
    terminal.void_tender(first, 3, "wrong note", None).unwrap();
    terminal.tender(first, &cash(2000), None).unwrap();
    let done = terminal.complete(first, Some("k3")).unwrap();
    anchors.push(terminal.settle(done).unwrap().meta.hash);
    terminal.void_sale(second, "left", None).unwrap();
    let third = terminal.begin("STORE_001", "EUR", None, None).unwrap().value.sale;
    terminal.add_line(third, &line("E", "1", "10"), None).unwrap();
    // Whole sales, some of them refunds, until the second segment has a few.
    let mut after = 0;
    for number in 0.. {
        let mut filler = line("F", "1", "250");
        let text = "x".repeat(200);
        filler.text = Some(&text);
        let back = line("G", "-1", "40");
        let reference = format!("R-{number}");
        let sell = match number % 3 {
            0 => terminal.sell(&sold(Some(&reference), &[filler; 8], &[cash(2500)]), None),
            1 => terminal.sell(&sold(None, &[filler, back, filler], &[card(460, false)]), None),
            _ => terminal.sell(&sold(None, &[back], &[cash(-40)]), Some(&reference)),
        };
        anchors.push(terminal.settle(sell.unwrap()).unwrap().meta.hash);
        after += u32::from(terminal.status().unwrap().position.segment == 2);
        if after == 4 {
            break;
        }
    }
    terminal.tender(third, &cash(10), None).unwrap();
    let done = terminal.complete(third, None).unwrap();
    anchors.push(terminal.settle(done).unwrap().meta.hash);
    terminal.close().unwrap();
    store.assert_sound();
    let journal = Journal::read(&store);
    assert_eq!(journal.segments.len(), 2);
    Day { store, journal, anchors }
}

impl Day {
    /// Puts a changed journal in place and verifies it.
    fn verify(&self, journal: &Journal, mend: Mend, anchor: Option<&Link>) -> TerminalReport {
        let mut forged = Store::with_disk(self.store.disk.kill());
        journal.write(&forged, mend);
        forged.disk = forged.disk.kill();
        forged.try_verify(anchor).unwrap()
    }

    fn last_anchor(&self) -> Link {
        *self.anchors.last().unwrap()
    }
}

/// Counts attacks and those that nothing showed.
#[derive(Default)]
struct Tally {
    attacks: u32,
    undetected: Vec<String>,
    codes: BTreeMap<&'static str, u32>,
}

impl Tally {
    fn judge(&mut self, what: impl FnOnce() -> String, report: &TerminalReport) {
        self.attacks += 1;
        match report.problems.first() {
            Some(problem) => *self.codes.entry(problem.code.name()).or_default() += 1,
            None => self.undetected.push(what()),
        }
    }

    fn end(self, what: &str) {
        let Self { attacks, undetected, codes } = self;
        println!("{what}: attacks={attacks} undetected={} by {codes:?}", undetected.len());
        assert!(undetected.is_empty(), "{what}: {undetected:?}");
    }
}

/// The places of all frames that hold facts.
fn fact_frames(journal: &Journal) -> Vec<(usize, usize)> {
    let frames = journal.frames().filter(|(.., frame)| frame.holds_facts());
    frames.map(|(segment, index, _)| (segment, index)).collect()
}

#[test]
fn the_forger_writes_the_same_bytes_when_it_changes_nothing() {
    let day = day();
    for mend in [Mend::Checksums, Mend::Everything] {
        let copy = Store::with_disk(day.store.disk.kill());
        day.journal.write(&copy, mend);
        for segment in [1, 2] {
            assert!(copy.segment(segment) == day.store.segment(segment), "{mend:?} {segment}");
        }
        for anchor in &day.anchors {
            assert_eq!(copy.try_verify(Some(anchor)).unwrap().problems, []);
        }
    }
}

#[test]
fn with_checksums_mended_the_chain_shows_every_change() {
    let day = day();
    let mut tally = Tally::default();
    let mut random = Random::new(7);
    let mut judge = |journal: &Journal, what: &dyn Fn() -> String| {
        tally.judge(what, &day.verify(journal, Mend::Checksums, None));
    };
    let frames: Vec<(usize, usize)> =
        day.journal.frames().map(|(segment, index, _)| (segment, index)).collect();
    let stride = if long() { 1 } else { 4 };
    for (number, (segment, index)) in frames.iter().copied().enumerate() {
        let records = day.journal.segments[segment].frames[index].records.len();
        if number % stride == 0 || records == 1 {
            for record in 0..records {
                let mut forged = day.journal.clone();
                let body = &mut forged.frame_mut(segment, index).records[record].body;
                if body.is_empty() {
                    continue;
                }
                let at = random.below(body.len());
                body[at] ^= 1 << random.below(8);
                judge(&forged, &|| format!("edit of frame {number} record {record}"));
            }
            let mut forged = day.journal.clone();
            forged.frame_mut(segment, index).head[24] ^= 1;
            judge(&forged, &|| format!("another time in frame {number}"));
        }
        let mut forged = day.journal.clone();
        forged.segments[segment].frames.remove(index);
        judge(&forged, &|| format!("frame {number} dropped"));
        let mut forged = day.journal.clone();
        let copy = forged.segments[segment].frames[index].clone();
        forged.segments[segment].frames.insert(index, copy);
        judge(&forged, &|| format!("frame {number} doubled"));
        if index + 1 < day.journal.segments[segment].frames.len() {
            let mut forged = day.journal.clone();
            forged.segments[segment].frames.swap(index, index + 1);
            judge(&forged, &|| format!("frames {number} and {} swapped", number + 1));
            let mut forged = day.journal.clone();
            forged.segments[segment].frames.truncate(index + 1);
            judge(&forged, &|| format!("cut behind frame {number}"));
        }
        if records > 1 {
            let mut forged = day.journal.clone();
            forged.frame_mut(segment, index).records.remove(records / 2);
            judge(&forged, &|| format!("a record of frame {number} dropped"));
        }
        let (from_segment, from_index) = frames[random.below(frames.len())];
        let foreign = day.journal.segments[from_segment].frames[from_index].clone();
        if (from_segment, from_index) != (segment, index) {
            let mut forged = day.journal.clone();
            *forged.frame_mut(segment, index) = foreign;
            judge(&forged, &|| format!("frame {number} replaced by another"));
        }
    }
    tally.end("checksums mended, links not");
}

fn decode(frame: &Frame, record: usize) -> Option<Fact> {
    let record = &frame.records[record];
    Fact::decode(RecordKind::from_number(record.kind)?, &record.body).unwrap()
}

/// Every way to change one number of a fact, re-encoded as a forger would.
fn number_edits(fact: &Fact) -> Vec<(&'static str, Fact)> {
    let mut edits = Vec::new();
    macro_rules! edit {
        ($variant:ident: $($field:ident),+) => {
            if let Fact::$variant(original) = fact {
                $(
                    let mut changed = original.clone();
                    changed.$field += 1;
                    edits.push((stringify!($field), changed.into()));
                )+
            }
        };
    }
    edit!(SaleBegun: sale);
    edit!(LineAdded: sale, line, amount, gross);
    edit!(LineVoided: sale, line, gross);
    edit!(QuantitySet: sale, line, amount, gross);
    edit!(TenderAdded: sale, tender, amount, due, change);
    edit!(TenderConfirmed: sale, tender, due, change);
    edit!(TenderDeclined: sale, tender, due, change);
    edit!(TenderVoided: sale, tender, due, change);
    edit!(SaleCompleted: sale, receipt, first_sequence, lines, gross, tendered, change,
        total_sales, total_returns);
    edit!(SaleVoided: sale, gross, total_voids);
    match fact {
        Fact::LineAdded(original) => {
            let mut changed = original.clone();
            changed.quantity = decimal("7");
            edits.push(("quantity", changed.into()));
            let mut changed = original.clone();
            changed.unit_price = decimal("777");
            edits.push(("unit_price", changed.into()));
        }
        Fact::QuantitySet(original) => {
            let mut changed = original.clone();
            changed.quantity = decimal("7");
            edits.push(("quantity", changed.into()));
        }
        Fact::SaleVoided(original) => {
            let mut changed = original.clone();
            changed.currency = Currency::parse("KWD").unwrap();
            edits.push(("currency", changed.into()));
        }
        Fact::SaleCompleted(original) => {
            let mut changed = original.clone();
            changed.currency = Currency::parse("KWD").unwrap();
            edits.push(("currency", changed.into()));
            let mut changed = original.clone();
            changed.reference = Some("forged".to_owned());
            edits.push(("reference", changed.into()));
            let mut changed = original.clone();
            changed.content.0[3] ^= 1;
            edits.push(("content", changed.into()));
            let mut changed = original.clone();
            changed.tenders.clear();
            if changed.tenders != original.tenders {
                edits.push(("tenders", changed.into()));
            }
            for tender in 0..original.tenders.len() {
                let mut changed = original.clone();
                changed.tenders[tender].amount -= 1;
                edits.push(("tender amount", changed.into()));
            }
        }
        _ => {}
    }
    edits
}

/// Changes of texts. Of a completed sale the hash in its completion shows them.
fn text_edits(fact: &Fact) -> Vec<(&'static str, Fact)> {
    match fact {
        Fact::SaleBegun(original) => {
            let mut store = original.clone();
            store.store.push('!');
            let mut reference = original.clone();
            reference.reference = Some("forged".to_owned());
            vec![("store", store.into()), ("reference", reference.into())]
        }
        Fact::LineAdded(original) => {
            let mut sku = original.clone();
            sku.sku.push('!');
            let mut text = original.clone();
            text.text = Some("forged".to_owned());
            vec![("sku", sku.into()), ("text", text.into())]
        }
        Fact::LineVoided(original) => {
            let mut reason = original.clone();
            reason.reason.push('!');
            vec![("reason", reason.into())]
        }
        Fact::TenderConfirmed(original) => {
            let mut auth = original.clone();
            auth.auth = Some("forged".to_owned());
            vec![("auth", auth.into())]
        }
        _ => Vec::new(),
    }
}

/// Sales that the journal completes.
fn completed_sales(journal: &Journal) -> Vec<u64> {
    let mut sales = Vec::new();
    for (.., frame) in journal.frames() {
        for record in 0..frame.records.len() {
            if let Some(Fact::SaleCompleted(fact)) = decode(frame, record) {
                sales.push(fact.sale);
            }
        }
    }
    sales
}

#[test]
fn with_every_link_mended_the_fold_shows_numbers_that_no_longer_add_up() {
    let day = day();
    let completed = completed_sales(&day.journal);
    let mut tally = Tally::default();
    let mut anchored = Tally::default();
    let mut judge = |journal: &Journal, what: &dyn Fn() -> String| {
        tally.judge(what, &day.verify(journal, Mend::Everything, None));
    };
    for (segment, index) in fact_frames(&day.journal) {
        let frame = &day.journal.segments[segment].frames[index];
        let stride = if long() || frame.records.len() == 1 { 1 } else { 3 };
        for record in (0..frame.records.len()).step_by(stride) {
            let Some(fact) = decode(frame, record) else { continue };
            let texts = match fact.sale() {
                Some(sale) if completed.contains(&sale) => text_edits(&fact),
                _ => Vec::new(),
            };
            for (field, changed) in number_edits(&fact).into_iter().chain(texts) {
                let mut forged = day.journal.clone();
                forged.frame_mut(segment, index).records[record].body = body_of(&changed);
                let what = || format!("{field} of {:?} in {segment}/{index}", fact.kind());
                judge(&forged, &what);
            }
            if fact.sale().is_none() {
                continue;
            }
            let mut forged = day.journal.clone();
            forged.frame_mut(segment, index).records.remove(record);
            if forged.frame_mut(segment, index).records.is_empty() {
                forged.segments[segment].frames.remove(index);
            }
            judge(&forged, &|| format!("{:?} in {segment}/{index} dropped", fact.kind()));
            let mut forged = day.journal.clone();
            let copy = forged.segments[segment].frames[index].records[record].clone();
            forged.frame_mut(segment, index).records.insert(record, copy);
            judge(&forged, &|| format!("{:?} in {segment}/{index} doubled", fact.kind()));
        }
        if let Some(next) = day.journal.segments[segment].frames.get(index + 1)
            && next.holds_facts()
            && let (Some(this), Some(that)) = (decode(frame, 0), decode(next, 0))
            && this.sale().is_some()
            && this.sale() == that.sale()
        {
            let mut forged = day.journal.clone();
            forged.segments[segment].frames.swap(index, index + 1);
            let what = || format!("{:?} and {:?} swapped", this.kind(), that.kind());
            judge(&forged, &what);
        }
        // The anchor shows what the fold need not: any change of anything before it.
        let mut forged = day.journal.clone();
        forged.frame_mut(segment, index).head[24] ^= 1;
        let is_close = frame.flags() & FLAG_OWNER_ENDS != 0;
        if !is_close {
            let report = day.verify(&forged, Mend::Everything, Some(&day.last_anchor()));
            anchored.judge(|| format!("time of {segment}/{index}"), &report);
        }
    }
    // The checkpoint that ties the segments together.
    for (field, at) in [("next sale", 0), ("totals", 1), ("keys", 2)] {
        let mut forged = day.journal.clone();
        let head = &mut forged.segments[1].frames[0].records[0];
        assert_eq!(head.kind, RecordKind::Checkpoint as u16);
        let body = head.body.clone();
        let place = match at {
            0 => 2,
            1 => body.iter().position(|byte| *byte == b'E').unwrap() + 5,
            _ => body.len() / 2 + 20,
        };
        head.body[place] ^= 1;
        judge(&forged, &|| format!("{field} of a checkpoint"));
    }
    let mut forged = day.journal.clone();
    forged.segments[1].frames[0].records.pop();
    judge(&forged, &|| "an open sale of a checkpoint dropped".to_owned());
    tally.end("every link mended, numbers or texts changed");
    anchored.end("every link mended, times changed, receipt as anchor");
}

#[test]
fn with_an_anchor_no_forgery_before_it_passes() {
    let honest = day();
    let anchor = honest.last_anchor();
    let mut without = Tally::default();
    let mut with = Tally::default();
    let mut judge = |journal: &Journal, what: &dyn Fn() -> String| {
        without.judge(what, &honest.verify(journal, Mend::Everything, None));
        with.judge(what, &honest.verify(journal, Mend::Everything, Some(&anchor)));
    };
    // A till that was cheaper all day, made with the kernel itself: it adds up in every way.
    judge(&day_at("99").journal, &|| "another day".to_owned());
    // The newest sales cut away.
    for kept in [1, 2, 3] {
        let mut forged = honest.journal.clone();
        forged.segments[1].frames.truncate(kept);
        judge(&forged, &|| format!("all but {kept} frames of the newest segment cut"));
    }
    // Texts that no completion covers, and the times of all frames.
    let mut forged = honest.journal.clone();
    for record in forged.records_mut(RecordKind::SaleVoided as u16) {
        let fact = Fact::decode(RecordKind::SaleVoided, &record.body).unwrap();
        let Some(Fact::SaleVoided(mut fact)) = fact else { panic!("not a void") };
        fact.reason = "forged".to_owned();
        record.body = body_of(&fact.into());
    }
    judge(&forged, &|| "the reason of a void".to_owned());
    let mut forged = honest.journal.clone();
    let facts = forged.segments[1].frames.iter_mut().filter(|frame| frame.holds_facts());
    facts.for_each(|frame| frame.head[29] ^= 1);
    judge(&forged, &|| "the times of all sales in the newest segment".to_owned());
    println!(
        "consistent forgeries without an anchor: attacks={} undetected={} (nothing inside the \
         files can show these)",
        without.attacks,
        without.undetected.len()
    );
    assert_eq!(without.codes, BTreeMap::new(), "the documents claim too little");
    assert_eq!(with.codes.keys().collect::<Vec<_>>(), [&Code::AnchorMissing.name()]);
    with.end("the same with the last receipt as anchor");
    for anchor in &honest.anchors {
        let report = honest.verify(&honest.journal, Mend::Everything, Some(anchor));
        assert_eq!(report.problems, [], "an honest journal holds every receipt's hash");
    }
}
