//! Signatures: what they cost, what they find, what an outage leaves, and a key that others can read.

use crate::support::forge::{Journal, Mend};
use crate::support::store::Store;
use crate::support::{card, cash, line, sold};
use pos_kernel_core::journal::{
    Fact, RecordKind, TerminalReport, VerifyOptions, body_of, verify_journal,
};
use pos_kernel_core::signing::{
    ED25519, KeyFile, Signer, SignerFault, SignerInfo, Signing, holds, key_id, statement,
};
use pos_kernel_core::terminal::Durability;
use pos_kernel_core::{Code, OpenOptions, Terminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

fn signed_options(store: &Store) -> OpenOptions {
    OpenOptions { signing: Signing::Software, ..store.options() }
}

fn open_signed(store: &Store) -> Terminal {
    Terminal::open(&signed_options(store)).unwrap()
}

fn sell(terminal: &Terminal) -> u64 {
    let sell = terminal.sell(&sold(None, &[line("A", "2", "250")], &[cash(500)]), None);
    terminal.settle(sell.unwrap()).unwrap().number
}

fn verify(store: &Store, keys: &[Vec<u8>]) -> TerminalReport {
    let options = VerifyOptions { anchors: &[], trusted_keys: keys };
    verify_journal(&store.history(), options, &|_, _| {}).unwrap()
}

fn key_of(terminal: &Terminal) -> Vec<u8> {
    terminal.signing().unwrap().unwrap().info.key
}

/// A device that can be switched off.
#[derive(Debug)]
struct Device {
    key: KeyFile,
    is_on: AtomicBool,
}

impl Signer for Device {
    fn info(&self) -> SignerInfo {
        SignerInfo { signer: "device 7".to_owned(), ..self.key.info() }
    }

    fn sign(&self, statement: &[u8]) -> Result<Vec<u8>, SignerFault> {
        if self.is_on.load(Ordering::SeqCst) {
            return self.key.sign(statement);
        }
        Err(SignerFault("no answer\nfrom the device".to_owned()))
    }
}

#[test]
fn a_signed_sale_costs_one_write_and_one_flush_like_any_other() {
    let store = Store::new(Durability::Record);
    let terminal = open_signed(&store);
    sell(&terminal);
    let before = terminal.stats();
    for _ in 0..20 {
        sell(&terminal);
    }
    let sale = terminal.begin("S", "EUR", None, None).unwrap();
    let sale = terminal.settle(sale).unwrap().sale;
    terminal.settle(terminal.add_line(sale, &line("A", "1", "5"), None).unwrap()).unwrap();
    terminal.settle(terminal.tender(sale, &card(5, false), None).unwrap()).unwrap();
    terminal.settle(terminal.complete(sale, None).unwrap()).unwrap();
    let after = terminal.stats();
    assert_eq!(after.flushes.total() - before.flushes.total(), 24);
    assert_eq!(after.writes - before.writes, 24);
    assert_eq!(after.frames - before.frames, 20 * 2 + 3 + 2);
    terminal.close().unwrap();
    println!("flushes of 20 sales in one call and one of four calls=24, unsigned and signed");
}

#[test]
fn every_receipt_is_signed_over_its_own_link() {
    let store = Store::new(Durability::Record);
    let terminal = open_signed(&store);
    let number = sell(&terminal);
    let receipt = terminal.receipt(number).unwrap();
    let signature = terminal.signature(number).unwrap().unwrap();
    let key = key_of(&terminal);
    let words = statement::receipt("REGISTER_01", 1, receipt.meta.sequence, &receipt.meta.hash);
    let text = String::from_utf8(words.clone()).unwrap();
    assert!(text.starts_with("pos-kernel receipt 1\nterminal REGISTER_01\nreceipt 1\nsequence "));
    assert_eq!(holds(ED25519, &key, &words, &signature.signature), Some(true));
    assert_eq!(holds(ED25519, &key, &words[1..], &signature.signature), Some(false));
    assert_eq!((signature.late, &signature.key_id), (false, &key_id(ED25519, &key)));
    assert_eq!(terminal.signature(9).unwrap_err().code(), Code::NotFound);
    terminal.close().unwrap();
    drop(terminal);
    // Found again in the journal, by an owner that does not sign.
    let terminal = store.open();
    assert_eq!(terminal.signature(number).unwrap(), Some(signature));
    let unsigned = sell(&terminal);
    assert_eq!(terminal.signature(unsigned).unwrap(), None);
    terminal.close().unwrap();
    let report = verify(&store, &[key]);
    assert_eq!(report.problems, []);
    let signing = report.signing.unwrap();
    assert_eq!((signing.signatures, signing.unsigned, signing.up), (1, 1, false));
}

#[test]
fn an_outage_stops_no_sale_and_is_signed_late() {
    let store = Store::new(Durability::Record);
    let folder = TempDir::new().unwrap();
    let key = KeyFile::open(folder.path(), None).unwrap();
    let device = Arc::new(Device { key, is_on: AtomicBool::new(true) });
    let signing = Signing::With(device.clone());
    let options = OpenOptions { signing, ..store.options() };
    let terminal = Terminal::open(&options).unwrap();
    sell(&terminal);
    device.is_on.store(false, Ordering::SeqCst);
    for _ in 0..5 {
        sell(&terminal);
    }
    let state = terminal.signing().unwrap().unwrap();
    assert_eq!((state.up, state.unsigned(), state.first_unsigned()), (false, 5, Some(2)));
    assert_eq!(terminal.signature(3).unwrap(), None);
    let refused = terminal.attach_signature(1, &[1; 64]).unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    let next = terminal.next_unsigned().unwrap().unwrap();
    let refused = terminal.attach_signature(next.sequence, &[1; 64]).unwrap_err();
    assert_eq!(refused.code(), Code::SignerDown);
    assert_eq!(terminal.signer_down("again").unwrap_err().code(), Code::SignerDown);
    device.is_on.store(true, Ordering::SeqCst);
    terminal.signer_up(None).unwrap();
    assert_eq!(terminal.signing().unwrap().unwrap().unsigned(), 0);
    assert!(terminal.signature(3).unwrap().unwrap().late);
    let last = sell(&terminal);
    assert!(!terminal.signature(last).unwrap().unwrap().late);
    terminal.close().unwrap();
    let facts = store.facts();
    let downs = facts.iter().filter_map(|it| match &it.fact {
        Fact::SignerDown(fact) => Some(fact.reason.as_str()),
        _ => None,
    });
    assert_eq!(downs.collect::<Vec<_>>(), ["no answerfrom the device"], "once, in printable words");
    let report = verify(&store, &[device.info().key]);
    assert_eq!(report.problems, []);
    let signing = report.signing.unwrap();
    assert_eq!((signing.signatures, signing.late, signing.unsigned), (7, 5, 0));
}

#[test]
fn a_device_outside_signs_in_two_phases() {
    let store = Store::new(Durability::Record);
    let folder = TempDir::new().unwrap();
    let device = KeyFile::open(folder.path(), None).unwrap();
    let terminal = store.open();
    sell(&terminal);
    assert_eq!(terminal.next_unsigned().unwrap(), None, "nobody promised a signature yet");
    assert_eq!(terminal.signer_up(None).unwrap_err().code(), Code::SignerDown);
    terminal.signer_up(Some(&device.info())).unwrap();
    let numbers: Vec<u64> = (0..4).map(|_| sell(&terminal)).collect();
    let last = terminal.unsigned(numbers[3]).unwrap();
    let attach = |sequence, signature: &[u8]| {
        terminal.attach_signature(sequence, signature).and_then(|answer| terminal.settle(answer))
    };
    let signature = device.sign(&last.statement).unwrap();
    assert_eq!(attach(last.sequence, &[7; 64]).unwrap_err().code(), Code::Signature);
    assert_eq!(attach(last.sequence, &[]).unwrap_err().code(), Code::Limit);
    assert_eq!(attach(last.sequence - 1, &signature).unwrap_err().code(), Code::NotFound);
    attach(last.sequence, &signature).unwrap();
    attach(last.sequence, &signature).unwrap();
    let other = device.sign(b"other words").unwrap();
    assert_eq!(attach(last.sequence, &other).unwrap_err().code(), Code::NotFound);
    let mut signed = 0;
    while let Some(next) = terminal.next_unsigned().unwrap() {
        attach(next.sequence, &device.sign(&next.statement).unwrap()).unwrap();
        signed += 1;
    }
    assert_eq!(signed, 3);
    terminal.close().unwrap();
    let report = verify(&store, &[device.info().key]);
    assert_eq!(report.problems, []);
    assert_eq!(report.signing.unwrap().signatures, 4);
    // The next owner has no device: that is journaled, and sales go on.
    let terminal = store.open();
    let down = terminal.signing().unwrap().unwrap();
    assert!(!down.up);
    sell(&terminal);
    terminal.close().unwrap();
    assert_eq!(verify(&store, &[device.info().key]).problems, []);
}

#[test]
fn a_signature_of_an_unknown_algorithm_is_kept_and_not_judged() {
    let store = Store::new(Durability::Record);
    let terminal = store.open();
    let bad = SignerInfo { signer: "d".into(), algorithm: ED25519.into(), key: vec![1; 33] };
    assert_eq!(terminal.signer_up(Some(&bad)).unwrap_err().code(), Code::BadArgument);
    let odd = SignerInfo { algorithm: "a b".into(), ..bad.clone() };
    assert_eq!(terminal.signer_up(Some(&odd)).unwrap_err().code(), Code::BadArgument);
    let info = SignerInfo { algorithm: "ecdsa-p384".into(), key: vec![2; 97], ..bad };
    terminal.signer_up(Some(&info)).unwrap();
    sell(&terminal);
    let next = terminal.next_unsigned().unwrap().unwrap();
    terminal.settle(terminal.attach_signature(next.sequence, &[5; 96]).unwrap()).unwrap();
    terminal.close().unwrap();
    let signing = verify(&store, &[]).signing.unwrap();
    assert_eq!((signing.unjudged, signing.signatures, signing.unsigned), (1, 0, 0));
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let store = Store::new(Durability::Record);
    let terminal = open_signed(&store);
    let path = terminal.dir().join("signing.key");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    terminal.close().unwrap();
    drop(terminal);
    for mode in [0o640, 0o604, 0o620, 0o601] {
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        let refused = Terminal::open(&signed_options(&store)).unwrap_err();
        assert_eq!(refused.code(), Code::KeyFile);
        assert_eq!(refused.facts()["mode"], format!("{mode:03o}"));
    }
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    for broken in ["", "pos-kernel signing key 1\ned25519 00\n", &text[..text.len() - 1]] {
        std::fs::write(&path, broken).unwrap();
        let refused = Terminal::open(&signed_options(&store)).unwrap_err();
        assert_eq!(refused.code(), Code::KeyFile, "{broken:?}");
    }
    std::fs::write(&path, text).unwrap();
    open_signed(&store).close().unwrap();
    store.assert_sound();
}

#[test]
fn a_new_key_is_vouched_for_by_the_old_one() {
    let store = Store::new(Durability::Record);
    let terminal = open_signed(&store);
    sell(&terminal);
    let old = key_of(&terminal);
    let new = terminal.rotate_key().unwrap();
    assert_ne!(old, new);
    sell(&terminal);
    terminal.close().unwrap();
    drop(terminal);
    assert_eq!(verify(&store, std::slice::from_ref(&old)).problems, []);
    let codes = |keys: &[Vec<u8>]| -> Vec<Code> {
        verify(&store, keys).problems.iter().map(|problem| problem.code).collect()
    };
    assert_eq!(codes(std::slice::from_ref(&new)), [Code::Signature], "it begins with the old one");
    let terminal = open_signed(&store);
    assert_eq!(key_of(&terminal), new);
    // A crash between the journal and the file: the journal decides.
    let path = terminal.dir().join("signing.key");
    let file = std::fs::read(&path).unwrap();
    let newest = terminal.rotate_key().unwrap();
    std::fs::rename(&path, terminal.dir().join("signing.key.next")).unwrap();
    std::fs::write(&path, file).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    }
    terminal.close().unwrap();
    drop(terminal);
    let terminal = open_signed(&store);
    assert_eq!(key_of(&terminal), newest);
    sell(&terminal);
    terminal.close().unwrap();
    assert_eq!(verify(&store, &[old]).problems, []);
}

#[test]
fn anchors_speak_of_the_head_and_are_noted_in_the_journal() {
    let store = Store::new(Durability::Record);
    let terminal = open_signed(&store);
    sell(&terminal);
    let plain = terminal.settle(terminal.anchor(None).unwrap()).unwrap();
    let sequence = terminal.status().unwrap().position.sequence;
    assert_eq!((plain.sequence, plain.records), (sequence, sequence), "nothing was written");
    let noted = terminal.settle(terminal.anchor(Some("printed on Z 1")).unwrap()).unwrap();
    assert_eq!((noted.sequence, noted.link), (plain.sequence, plain.link));
    let (info, signature) = noted.signature.clone().unwrap();
    assert_eq!(holds(ED25519, &info.key, &noted.statement(), &signature), Some(true));
    assert_eq!(terminal.anchor(Some("")).unwrap_err().code(), Code::BadText);
    sell(&terminal);
    terminal.close().unwrap();
    let options = VerifyOptions { anchors: &[plain.link, [9; 32]], trusted_keys: &[] };
    let report = verify_journal(&store.history(), options, &|_, _| {}).unwrap();
    let codes: Vec<Code> = report.problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [Code::AnchorMissing]);
}

/// A closed store with some signed sales, its key and an anchor.
fn sound() -> (Store, Vec<u8>, [u8; 32]) {
    let store = Store::new(Durability::Record);
    let terminal = open_signed(&store);
    for _ in 0..12 {
        sell(&terminal);
    }
    let key = key_of(&terminal);
    let anchor = terminal.settle(terminal.anchor(None).unwrap()).unwrap().link;
    sell(&terminal);
    terminal.close().unwrap();
    assert_eq!(verify(&store, std::slice::from_ref(&key)).problems, []);
    (store, key, anchor)
}

/// The frame of the sale of a receipt.
fn sale_frame(journal: &Journal, number: usize) -> (usize, usize) {
    let completed = RecordKind::SaleCompleted as u16;
    let mut sales = journal.frames().filter(|(_, _, frame)| {
        frame.holds_facts() && frame.records.iter().any(|record| record.kind == completed)
    });
    let (segment, index, _) = sales.nth(number - 1).unwrap();
    (segment, index)
}

/// Gives the line of a receipt another text, and mends what the fold looks at.
fn rewrite_a_text(journal: &mut Journal, number: usize) {
    let (segment, index) = sale_frame(journal, number);
    let frame = journal.frame_mut(segment, index);
    let mut log = Vec::new();
    for record in &mut frame.records {
        let kind = RecordKind::from_number(record.kind).unwrap();
        let mut fact = Fact::decode(kind, &record.body).unwrap().unwrap();
        match &mut fact {
            Fact::LineAdded(line) => line.sku = "B".to_owned(),
            Fact::SaleCompleted(completed) => {
                completed.content.0 = *blake3::hash(&log).as_bytes();
            }
            _ => {}
        }
        record.body = body_of(&fact);
        log.extend_from_slice(&record.kind.to_le_bytes());
        log.extend_from_slice(&u32::try_from(record.body.len()).unwrap().to_le_bytes());
        log.extend_from_slice(&record.body);
    }
}

fn codes(report: &TerminalReport) -> Vec<Code> {
    report.problems.iter().map(|problem| problem.code).collect()
}

#[test]
fn one_byte_a_dropped_and_a_swapped_record_are_found_without_a_key() {
    let (store, ..) = sound();
    let image = store.segment(1);
    let mut changed = image.clone();
    changed[12_288 + 3000] ^= 1;
    store.disk.poke(&Store::segment_file(1), &changed);
    assert!(codes(&verify(&store, &[])).contains(&Code::Corrupt));
    store.disk.poke(&Store::segment_file(1), &image);
    let journal = Journal::read(&store);
    let (segment, index) = sale_frame(&journal, 5);
    for swaps in [false, true] {
        let mut forged = journal.clone();
        let frames = &mut forged.segments[segment].frames;
        if swaps {
            frames.swap(index, index + 2);
        } else {
            frames.remove(index);
        }
        forged.write(&store, Mend::Checksums);
        assert!(codes(&verify(&store, &[])).contains(&Code::ChainBroken), "swaps {swaps}");
    }
}

#[test]
fn a_rewritten_tail_is_found_by_the_signature_and_by_the_anchor() {
    let (store, key, anchor) = sound();
    let trusted = std::slice::from_ref(&key);
    let sound = Journal::read(&store);
    // Nothing but the chain is mended: the links of the signatures say it.
    let mut forged = sound.clone();
    rewrite_a_text(&mut forged, 5);
    forged.write(&store, Mend::Everything);
    let report = verify(&store, &[]);
    assert!(report.problems.iter().all(|problem| problem.code == Code::Signature));
    assert_eq!(report.problems.len(), 9 + 1, "receipts 5 to 13 and the head at the close");
    let missing = store.try_verify(Some(&anchor)).unwrap();
    assert!(codes(&missing).contains(&Code::AnchorMissing));
    // The forger names the new links as well, and has no key to sign them.
    let links = |journal: &Journal| {
        journal.write(&store, Mend::Everything);
        Journal::read(&store)
    };
    let mut named = links(&forged);
    for _ in 0..sound.frames().count() {
        name_new_links(&mut named);
        named = links(&named);
    }
    let report = verify(&store, &[]);
    assert!(!report.problems.is_empty());
    for problem in &report.problems {
        assert_eq!(problem.code, Code::Signature);
        assert!(problem.message.contains("does not hold"), "{}", problem.message);
    }
    // He takes the signatures out from there on: without trusted keys nothing is wrong.
    let mut bare = forged.clone();
    let from = sale_frame(&bare, 5);
    let attached = [RecordKind::SignatureAttached as u16, RecordKind::Anchored as u16];
    let frames = &mut bare.segments[from.0].frames;
    let mut index = 0;
    frames.retain(|frame| {
        index += 1;
        index - 1 < from.1 || frame.records.iter().all(|it| !attached.contains(&it.kind))
    });
    name_new_beginnings(&mut bare);
    bare.write(&store, Mend::Everything);
    assert_eq!(verify(&store, &[]).problems, []);
    let report = verify(&store, trusted);
    assert_eq!(codes(&report), [Code::Signature]);
    assert!(report.problems[0].message.contains("receipts 5 to 13"), "{:?}", report.problems);
    assert!(report.signing.unwrap().signed_sequence < sound.segments[0].frames[from.1].sequence());
    // Or he signs all of it with a key of his own.
    let folder = TempDir::new().unwrap();
    let own = KeyFile::open(folder.path(), None).unwrap();
    let other = std::slice::from_ref(&own.info().key).to_vec();
    sound.write(&store, Mend::Everything);
    assert_eq!(codes(&verify(&store, &other)), [Code::Signature]);
}

/// Puts the link that each completion has now into its signature.
fn name_new_links(journal: &mut Journal) {
    let completed = RecordKind::SaleCompleted as u16;
    let mut link = [0; 32];
    for segment in &mut journal.segments {
        let mut before = [0; 32];
        for frame in &mut segment.frames {
            for record in &mut frame.records {
                let kind = RecordKind::from_number(record.kind).unwrap();
                let fact = Fact::decode(kind, &record.body).unwrap();
                let named = match fact {
                    Some(Fact::SignatureAttached(mut fact)) => {
                        fact.link.0 = link;
                        Some(Fact::from(fact))
                    }
                    Some(Fact::Anchored(mut fact)) => {
                        fact.link.0 = before;
                        Some(Fact::from(fact))
                    }
                    _ => None,
                };
                if let Some(named) = named {
                    record.body = body_of(&named);
                }
            }
            if frame.records.iter().any(|record| record.kind == completed) {
                link = frame.link;
            }
            before = frame.link;
        }
    }
}

/// Puts the sequence that each sale begins with now into its completion.
fn name_new_beginnings(journal: &mut Journal) {
    let mut sequence = 1;
    for frame in journal.segments.iter_mut().flat_map(|segment| &mut segment.frames) {
        let first = sequence;
        for record in &mut frame.records {
            sequence += 1;
            let kind = RecordKind::from_number(record.kind).unwrap();
            if let Some(Fact::SaleCompleted(mut fact)) = Fact::decode(kind, &record.body).unwrap() {
                fact.first_sequence = first;
                record.body = body_of(&Fact::from(fact));
            }
        }
    }
}

#[test]
fn a_receipt_that_a_power_cut_left_unsigned_is_signed_again_with_the_same_bytes() {
    let store = Store::new(Durability::Record);
    let terminal = open_signed(&store);
    sell(&terminal);
    terminal.close().unwrap();
    drop(terminal);
    let mut journal = Journal::read(&store);
    // What a power cut can leave: the completion is there, the signature behind it is not.
    let (segment, index) = sale_frame(&journal, 1);
    let printed = store.history().signature(1).unwrap().unwrap();
    journal.segments[segment].frames.truncate(index + 1);
    journal.write(&store, Mend::Everything);
    let terminal = open_signed(&store);
    let again = terminal.signature(1).unwrap().unwrap();
    assert_eq!(again.signature, printed.signature);
    assert!(again.late, "an opening stands between");
    terminal.close().unwrap();
    assert_eq!(verify(&store, &[]).problems, []);
}

#[test]
fn signing_goes_on_over_segments_and_checkpoints() {
    let store = Store::new(Durability::Sale);
    let terminal = open_signed(&store);
    let text = "x".repeat(200);
    for _ in 0..150 {
        let mut wide = line("A", "1", "10");
        wide.text = Some(&text);
        let sell = terminal.sell(&sold(None, &[wide; 8], &[cash(100)]), None).unwrap();
        terminal.settle(sell).unwrap();
    }
    terminal.signer_down("maintenance").unwrap();
    for _ in 0..60 {
        let mut wide = line("A", "1", "10");
        wide.text = Some(&text);
        let sell = terminal.sell(&sold(None, &[wide; 8], &[cash(100)]), None).unwrap();
        terminal.settle(sell).unwrap();
    }
    assert_eq!(terminal.sign_late(5).unwrap_err().code(), Code::SignerDown);
    terminal.close().unwrap();
    drop(terminal);
    let terminal = open_signed(&store);
    assert_eq!(terminal.signing().unwrap().unwrap().unsigned(), 0, "signed when it was opened");
    assert_eq!(terminal.sign_late(5).unwrap(), 0);
    let segments = terminal.status().unwrap().position.segment;
    assert!(segments >= 4);
    for number in 1..=210 {
        let signature = terminal.signature(number).unwrap().unwrap();
        assert_eq!((signature.receipt, signature.late), (number, number > 150));
        assert_eq!(signature.link, terminal.receipt(number).unwrap().meta.hash);
    }
    let key = key_of(&terminal);
    terminal.close().unwrap();
    let report = verify(&store, &[key]);
    assert_eq!(report.problems, []);
    let signing = report.signing.unwrap();
    assert_eq!((signing.signatures, signing.late), (210, 60));
    println!("signed=210 late=60 segments={segments}");
}

#[test]
fn a_training_receipt_is_not_signed_and_awaits_no_signature() {
    let store = Store::new(Durability::Record);
    let terminal = open_signed(&store);
    sell(&terminal);
    terminal.settle(terminal.set_training(true, None, None).unwrap()).unwrap();
    sell(&terminal);
    let sale = terminal.settle(terminal.begin("S", "EUR", None, None).unwrap()).unwrap().sale;
    terminal.settle(terminal.add_line(sale, &line("A", "1", "5"), None).unwrap()).unwrap();
    terminal.settle(terminal.tender(sale, &cash(5), None).unwrap()).unwrap();
    terminal.settle(terminal.complete(sale, None).unwrap()).unwrap();
    terminal.settle(terminal.set_training(false, None, None).unwrap()).unwrap();
    let state = terminal.signing().unwrap().unwrap();
    assert_eq!((state.up, state.unsigned()), (true, 0));
    let next = sell(&terminal);
    assert_eq!(next, 2);
    assert!(terminal.signature(next).unwrap().is_some());
    let key = key_of(&terminal);
    terminal.close().unwrap();
    let report = verify(&store, &[key]);
    assert_eq!(report.problems, []);
    assert_eq!(report.signing.unwrap().signatures, 2);
}
