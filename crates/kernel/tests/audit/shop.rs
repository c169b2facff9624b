//! A store in a real folder, and what its tests ask of it.

use crate::support::{cash, line, sold};
use pos_kernel_core::audit::{self, AuditCheck, Merged, Merger, Source};
use pos_kernel_core::terminal::Durability;
use pos_kernel_core::{OpenOptions, Terminal};
use pos_kernel_wal::OsStorage;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

pub(crate) struct Shop {
    pub(crate) root: TempDir,
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn options(&self, id: &str) -> OpenOptions {
        OpenOptions {
            root: Some(self.root.path().to_owned()),
            id: Some(id.to_owned()),
            durability: Some(Durability::Sale),
            segment_bytes: Some(64 << 10),
            ..OpenOptions::default()
        }
    }

    pub(crate) fn open(&self, id: &str) -> Terminal {
        Terminal::open(&self.options(id)).unwrap()
    }

    /// Opens a terminal, sells and closes it: all of it is then durable and says so.
    pub(crate) fn sell(&self, id: &str, sales: u32) {
        let terminal = self.open(id);
        sell(&terminal, sales);
        terminal.close().unwrap();
    }

    pub(crate) fn sources(&self) -> Vec<Source> {
        audit::sources(self.root.path(), None).unwrap()
    }

    pub(crate) fn merger(&self) -> Merger {
        Merger::open(self.root.path()).unwrap()
    }

    pub(crate) fn merge(&self) -> Merged {
        self.merger().merge(&self.sources(), &|_, _| {}).unwrap()
    }

    pub(crate) fn check(&self) -> AuditCheck {
        self.check_with(None)
    }

    pub(crate) fn check_with(&self, anchor: Option<&[u8; 32]>) -> AuditCheck {
        audit::check(&OsStorage, &self.log(), &self.sources(), anchor, &|_, _| {}).unwrap()
    }

    pub(crate) fn log(&self) -> PathBuf {
        audit::log_path(self.root.path())
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        fs::read_to_string(self.log()).unwrap().lines().map(str::to_owned).collect()
    }

    pub(crate) fn journal(&self, id: &str) -> PathBuf {
        self.root.path().join("terminals").join(id).join("transaction.wal")
    }

    pub(crate) fn segment(&self, id: &str, segment: u32) -> PathBuf {
        self.journal(id).join(format!("segment-{segment:06}.wal"))
    }
}

pub(crate) fn sell(terminal: &Terminal, sales: u32) {
    let text = "a wide line ".repeat(12);
    for _ in 0..sales {
        let mut wide = line("A", "1", "10");
        wide.text = Some(&text);
        let lines = [line("BREAD", "2", "199"), wide];
        let answer = terminal.sell(&sold(None, &lines, &[cash(500)]), None).unwrap();
        terminal.settle(answer).unwrap();
    }
}

/// Nothing is wrong, and nothing is missing.
pub(crate) fn assert_whole(check: &AuditCheck) {
    assert_eq!(check.problems, []);
    for terminal in &check.terminals {
        assert_eq!(terminal.problems, [], "{}", terminal.id);
        assert_eq!(terminal.noted, None, "{}", terminal.id);
        assert_eq!(terminal.behind, 0, "{}", terminal.id);
    }
    assert_eq!((check.problem_count, check.unfinished_bytes), (0, 0));
}
