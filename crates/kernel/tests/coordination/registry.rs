//! The registry says what the locks say, whatever its file says.

use crate::{open, support};
use pos_kernel_core::coordination::{TerminalState, refresh_registry, terminals};
use serde_json::Value;
use std::path::Path;
use support::{cash, line, sold};

fn states(root: &Path) -> Vec<(String, TerminalState)> {
    let found = terminals(root).unwrap();
    found.into_iter().map(|it| (it.id.to_string(), it.state)).collect()
}

fn listed(root: &Path) -> Vec<(String, String)> {
    let path = root.join("shared/coordination/active_terminals.json");
    let value: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let list = value["terminals"].as_array().unwrap().iter();
    let text = |it: &Value, name: &str| it[name].as_str().unwrap().to_owned();
    list.map(|it| (text(it, "id"), text(it, "state"))).collect()
}

#[test]
fn terminals_come_and_go_and_one_that_dies_is_told_apart() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    assert_eq!(states(root), []);
    let (one, two) = (open(root, "T1"), open(root, "T2"));
    let active = |id: &str| (id.to_owned(), TerminalState::Active);
    assert_eq!(states(root), [active("T1"), active("T2")]);
    assert_eq!(listed(root), [("T1".into(), "active".into()), ("T2".into(), "active".into())]);
    let entry = &terminals(root).unwrap()[0];
    let owner = entry.owner.as_ref().unwrap();
    assert_eq!((owner.pid, owner.epoch), (std::process::id(), 1));
    assert_eq!(entry.to_json()["pid"], std::process::id());

    two.begin_drain("closing time", 60_000, None).unwrap();
    assert_eq!(states(root)[1].1, TerminalState::Draining);
    assert_eq!(listed(root)[1].1, "draining");
    two.close().unwrap();
    assert_eq!(states(root)[1].1, TerminalState::Closed);
    assert_eq!(listed(root), [("T1".into(), "active".into())]);
    // Dropping a terminal is like a crash: the lock is free, and nothing was said.
    drop(one);
    assert_eq!(states(root)[0].1, TerminalState::Crashed);
    open(root, "T1").close().unwrap();
    assert_eq!(states(root)[0].1, TerminalState::Closed);
    assert_eq!(listed(root), []);
}

#[test]
fn a_registry_that_is_garbage_or_hostile_keeps_nobody_from_selling() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let file = root.join("shared/coordination/active_terminals.json");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "\u{0}garbage").unwrap();
    open(root, "T1").close().unwrap();
    assert_eq!(listed(root), []);
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert_eq!(refresh_registry(root).unwrap_err().code(), pos_kernel_core::Code::Io);
    let terminal = open(root, "T1");
    let (lines, tenders) = ([line("A", "1", "100")], [cash(100)]);
    terminal.sell(&sold(None, &lines, &tenders), None).unwrap();
    assert_eq!(states(root)[0].1, TerminalState::Active);
    terminal.close().unwrap();
    // A shared folder that is a file, and one that is a link.
    std::fs::remove_dir_all(root.join("shared")).unwrap();
    std::fs::write(root.join("shared"), "").unwrap();
    open(root, "T1").close().unwrap();
    std::fs::remove_file(root.join("shared")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("/dev/null", root.join("shared")).unwrap();
    open(root, "T1").close().unwrap();
}

#[test]
fn a_session_file_follows_people_and_shifts_and_no_sale() {
    let root = tempfile::tempdir().unwrap();
    let terminal = open(root.path(), "T1");
    let read = || -> Value {
        let text = std::fs::read(terminal.dir().join("session_data.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    };
    assert_eq!((&read()["state"], &read()["operator"]), (&"open".into(), &Value::Null));
    terminal.sign_on("ann", None).unwrap();
    terminal.open_shift(&[], None).unwrap();
    assert_eq!((&read()["operator"], &read()["shift"]), (&"ann".into(), &1.into()));
    let before = read();
    let (lines, tenders) = ([line("A", "1", "100")], [cash(100)]);
    terminal.sell(&sold(None, &lines, &tenders), None).unwrap();
    assert_eq!(read(), before, "a sale writes no file");
    terminal.begin("S", "EUR", None, None).unwrap();
    terminal.close().unwrap();
    let after = read();
    assert_eq!(after["state"], "closed");
    assert_eq!((&after["lastReceipt"], &after["openSales"]), (&1.into(), &vec![2].into()));
}
