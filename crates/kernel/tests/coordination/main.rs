//! Several terminals of one store on a real disk: who is there, what is configured, how they end, and
//! the messages between them, with hostile files and with processes that are killed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod config;
mod drain;
mod hostile;
mod kills;
mod messages;
mod registry;
#[path = "../support/mod.rs"]
mod support;

use pos_kernel_core::journal::{Fact, verify_terminal};
use pos_kernel_core::messages::Message;
use pos_kernel_core::terminal::Outgoing;
use pos_kernel_core::{OpenOptions, Terminal};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn options(root: &Path, id: &str) -> OpenOptions {
    OpenOptions {
        root: Some(root.to_owned()),
        id: Some(id.to_owned()),
        segment_bytes: Some(64 << 10),
        ..OpenOptions::default()
    }
}

fn open(root: &Path, id: &str) -> Terminal {
    Terminal::open(&options(root, id)).unwrap()
}

fn note(body: Value) -> Outgoing<'static> {
    Outgoing { kind: "x.note", body, ttl_ms: None }
}

fn send(from: &Terminal, to: &str, number: u64) -> Message {
    from.send(to, note(json!(number))).unwrap()
}

fn receive_all(terminal: &Terminal) -> Vec<Message> {
    let messages = terminal.receive(1000).unwrap();
    for chunk in messages.chunks(64) {
        let ids: Vec<&str> = chunk.iter().map(|message| &*message.id).collect();
        assert_eq!(terminal.accept(&ids).unwrap(), ids.len());
    }
    messages
}

fn inbox(root: &Path, id: &str, folder: &str) -> PathBuf {
    root.join("shared/cross_terminal_messages/terminal_inbox").join(id).join(folder)
}

fn files(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The facts of a terminal, oldest first.
fn facts(terminal: &Terminal) -> Vec<Fact> {
    let history = terminal.history();
    let last = terminal.status().unwrap().position.sequence;
    let found = (1..=last).filter_map(|sequence| history.record(sequence).ok());
    found.map(|recorded| recorded.fact).collect()
}

/// Closes a terminal and has its journal audited.
fn verified(terminal: &Terminal) {
    terminal.close().unwrap();
    let report = verify_terminal(terminal.history(), None, &|_, _| {}).unwrap();
    assert_eq!(report.problem_count, 0, "{:?}", report.problems);
}
