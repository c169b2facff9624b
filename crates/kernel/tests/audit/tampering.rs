//! Journals and logs that somebody changed.

use crate::shop::{Shop, assert_whole, sell};
use pos_kernel_core::Code;
use pos_kernel_core::audit::Merger;
use std::fs;

fn codes(shop: &Shop) -> Vec<(String, Code)> {
    let merged = shop.merge();
    merged.faults.into_iter().map(|fault| (fault.terminal, fault.problem.code)).collect()
}

/// A store of two tills, merged, whose first till's journal then becomes what `change` makes of it.
fn changed(change: impl FnOnce(&Shop)) -> (Shop, Vec<(String, Code)>) {
    let shop = Shop::new();
    shop.sell("A", 3);
    shop.sell("B", 3);
    shop.merge();
    change(&shop);
    shop.sell("B", 3);
    let codes = codes(&shop);
    // The others go on, and the log says so.
    let check = shop.check();
    let other = check.terminals.iter().find(|terminal| terminal.id == "B").unwrap();
    assert_eq!((other.behind, &other.problems[..]), (0, &[][..]));
    assert!(check.problems.is_empty(), "the log itself is whole");
    (shop, codes)
}

fn contradicted() -> Vec<(String, Code)> {
    vec![("A".to_owned(), Code::AuditContradicted)]
}

#[test]
fn a_journal_that_was_replaced_is_tampering_and_is_said_once() {
    let (shop, codes) = changed(|shop| {
        fs::remove_dir_all(shop.root.path().join("terminals").join("A")).unwrap();
        shop.sell("A", 1);
    });
    assert_eq!(codes, contradicted());
    let before = fs::read(shop.log()).unwrap();
    assert_eq!(super::tampering::codes(&shop), contradicted());
    assert_eq!(fs::read(shop.log()).unwrap(), before, "what is known is not written again");
    let check = shop.check();
    let told = check.terminals.iter().find(|terminal| terminal.id == "A").unwrap();
    assert_eq!(told.noted.as_ref().unwrap().code, Code::AuditContradicted);
    assert_eq!(told.problems[0].code, Code::AuditContradicted);
}

#[test]
fn a_journal_that_is_gone_or_another_terminals_is_tampering() {
    let (_, codes) = changed(|shop| {
        fs::remove_dir_all(shop.root.path().join("terminals").join("A")).unwrap();
    });
    assert_eq!(codes, contradicted());
    let (shop, _) = changed(|_| {});
    let root = shop.root.path().join("terminals");
    fs::create_dir(root.join("C")).unwrap();
    let copied = root.join("C").join("transaction.wal");
    fs::create_dir(&copied).unwrap();
    for entry in fs::read_dir(shop.journal("A")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copied.join(entry.file_name())).unwrap();
    }
    let codes = super::tampering::codes(&shop);
    assert_eq!(codes, [("C".to_owned(), Code::AuditContradicted)]);
}

#[test]
fn a_journal_that_went_back_to_a_copy_is_tampering() {
    let shop = Shop::new();
    shop.sell("A", 3);
    let copy = fs::read(shop.segment("A", 1)).unwrap();
    shop.sell("A", 3);
    shop.merge();
    fs::write(shop.segment("A", 1), &copy).unwrap();
    assert_eq!(codes(&shop), contradicted());
    // The fork goes on selling, and is still no continuation of what was merged.
    shop.sell("A", 5);
    assert_eq!(codes(&shop), contradicted());
}

#[test]
fn damage_is_told_with_its_place_and_mended_journals_go_on() {
    let shop = Shop::new();
    shop.sell("A", 30);
    shop.sell("B", 3);
    let good = fs::read(shop.segment("A", 1)).unwrap();
    let mut bad = good.clone();
    bad[20_000] ^= 1;
    fs::write(shop.segment("A", 1), &bad).unwrap();
    let merged = shop.merge();
    let problem = &merged.faults[0].problem;
    assert_eq!((problem.code, problem.segment), (Code::Corrupt, 1));
    assert!(problem.offset >= 12_288 && problem.offset <= 20_000 && problem.sequence > 1);
    assert!(merged.frames > 5, "what stands before the damage and the other till are merged");
    fs::write(shop.segment("A", 1), &good).unwrap();
    assert_eq!(shop.merge().faults, []);
    assert_whole(&shop.check());
}

#[test]
fn a_changed_log_is_refused_or_made_anew_from_the_journals() {
    let shop = Shop::new();
    for _ in 0..4 {
        shop.sell("A", 2);
        shop.merge();
    }
    assert_whole(&shop.check());
    let good = fs::read_to_string(shop.log()).unwrap();
    // Far from the end, where a merge does not read: the check says so.
    fs::write(shop.log(), good.replacen("\"BREAD\"", "\"BRIOC\"", 1)).unwrap();
    let check = shop.check();
    assert_eq!((check.problem_count, check.head.block), (2, 0), "the line, and the one behind it");
    // In a block that others stand behind: refused, and nothing is written.
    let second = good.match_indices("\"type\":\"block\"").next().unwrap().0;
    let at = second + good[second..].find("\"BREAD\"").unwrap();
    let bad = format!("{}\"BRIOC\"{}", &good[..at], &good[at + 7..]);
    fs::write(shop.log(), &bad).unwrap();
    assert_eq!(Merger::open(shop.root.path()).unwrap_err().code(), Code::AuditLog);
    assert_eq!(fs::read_to_string(shop.log()).unwrap(), bad);
    assert!(shop.check().problem_count > 0);
    // In the last block: it cannot be told from a tear, is cut, kept aside, and merged anew.
    let at = good.rfind("\"BREAD\"").unwrap();
    let bad = format!("{}\"BRIOC\"{}", &good[..at], &good[at + 7..]);
    fs::write(shop.log(), &bad).unwrap();
    let merger = shop.merger();
    assert!(merger.log().cut_bytes() > 0);
    drop(merger);
    shop.merge();
    assert_whole(&shop.check());
    let aside = fs::read_dir(shop.log().parent().unwrap()).unwrap();
    let aside = aside.filter(|it| {
        it.as_ref().unwrap().file_name().to_string_lossy().starts_with("aggregated_audit.cut-")
    });
    assert_eq!(aside.count(), 1);
}

#[test]
fn a_log_that_was_forged_whole_does_not_agree_with_the_journals() {
    use sha2::{Digest, Sha256};
    let shop = Shop::new();
    shop.sell("A", 2);
    let till = shop.open("B");
    sell(&till, 2);
    till.close().unwrap();
    let noted = shop.merge().head.hash;
    let mut prev = "0".repeat(64);
    let mut forged = String::new();
    for line in shop.lines() {
        let from = line.find("\"prev\":\"").unwrap() + 8;
        let line = format!("{}{prev}{}", &line[..from], &line[from + 64..]);
        let line = line.replace("\"BREAD\"", "\"BRIOC\"");
        prev = Sha256::digest(line.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        forged += &line;
        forged.push('\n');
    }
    fs::write(shop.log(), forged).unwrap();
    let check = shop.check();
    assert_eq!(check.problems, [], "every hash in it was mended");
    let problems = check.terminals.iter().map(|it| it.problems[0].code);
    assert_eq!(problems.collect::<Vec<_>>(), [Code::AuditContradicted; 2]);
    assert_eq!(shop.check_with(Some(&noted)).problems.len(), 1, "and a noted hash is gone");
}

#[test]
fn a_torn_line_is_cut_and_merged_again() {
    let shop = Shop::new();
    for _ in 0..3 {
        shop.sell("A", 2);
        shop.merge();
    }
    let good = fs::read(shop.log()).unwrap();
    let blocks = good.windows(14).enumerate().filter(|(_, it)| it == b"\"type\":\"block\"");
    let [.., (before, _), _] = blocks.collect::<Vec<_>>()[..] else { panic!("three blocks") };
    let end = before + good[before..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in (end..good.len()).step_by(7).chain([good.len() - 1]) {
        fs::write(shop.log(), &good[..cut]).unwrap();
        shop.merge();
        let check = shop.check();
        assert_whole(&check);
        assert_eq!(check.head.block, 3, "cut at byte {cut}");
        assert!(fs::read(shop.log()).unwrap().starts_with(&good[..end]));
    }
}
