//! A terminal on a simulated disk: only its lock and its owner record lie in a real folder.

use pos_kernel_core::clock::TestClock;
use pos_kernel_core::code::Code;
use pos_kernel_core::journal::{Fact, TerminalReport, VerifyProblem, verify_terminal};
use pos_kernel_core::terminal::{Durability, History, Recorded};
use pos_kernel_core::{Error, OpenOptions, Terminal};
use pos_kernel_wal::Link;
use pos_kernel_wal::sim::SimStorage;
use pos_kernel_wal::storage::{Access, Storage, StorageFile};
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

pub(crate) const ID: &str = "REGISTER_01";
pub(crate) const SEGMENT_BYTES: u32 = 64 << 10;
/// 2026-01-02T03:04:05Z.
pub(crate) const MORNING_NS: i64 = 1_767_323_045_000_000_000;

pub(crate) type Hook = Arc<dyn Fn() + Send + Sync>;

/// A simulated disk that stands where some real folder does, and tells of each change.
#[derive(Clone)]
struct Mapped {
    disk: SimStorage,
    root: PathBuf,
    changed: Option<Hook>,
}

#[derive(Clone)]
struct MappedFile {
    file: Arc<dyn StorageFile>,
    changed: Option<Hook>,
}

impl fmt::Debug for Mapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapped").field("root", &self.root).finish_non_exhaustive()
    }
}

impl fmt::Debug for MappedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MappedFile").finish_non_exhaustive()
    }
}

fn told<T>(changed: Option<&Hook>, result: io::Result<T>) -> io::Result<T> {
    if let Some(changed) = changed {
        changed();
    }
    result
}

impl Mapped {
    fn place(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(&self.root) {
            Ok(rest) if rest.as_os_str().is_empty() => PathBuf::from("/disk"),
            Ok(rest) => Path::new("/disk").join(rest),
            Err(_) => PathBuf::from("/"),
        }
    }
}

impl Storage for Mapped {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        told(self.changed.as_ref(), self.disk.create_dir_all(&self.place(dir)))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.disk.list(&self.place(dir))
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn StorageFile>> {
        let opened = self.disk.open(&self.place(path), access);
        let changed = self.changed.clone();
        let opened =
            opened.map(|file| -> Arc<dyn StorageFile> { Arc::new(MappedFile { file, changed }) });
        match access {
            Access::Create => told(self.changed.as_ref(), opened),
            Access::Read | Access::Write => opened,
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        told(self.changed.as_ref(), self.disk.rename(&self.place(from), &self.place(to)))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        told(self.changed.as_ref(), self.disk.remove(&self.place(path)))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        told(self.changed.as_ref(), self.disk.sync_dir(&self.place(dir)))
    }
}

impl StorageFile for MappedFile {
    fn size(&self) -> io::Result<u64> {
        self.file.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        told(self.changed.as_ref(), self.file.write_at(bytes, offset))
    }

    fn cut(&self, size: u64) -> io::Result<()> {
        told(self.changed.as_ref(), self.file.cut(size))
    }

    fn sync(&self) -> io::Result<()> {
        told(self.changed.as_ref(), self.file.sync())
    }

    fn forget_cached(&self, range: Range<u64>) -> io::Result<()> {
        self.file.forget_cached(range)
    }
}

/// A simulated disk in the place of the folder `root`.
pub(crate) fn mapped(disk: &SimStorage, root: &Path, changed: Option<Hook>) -> Arc<dyn Storage> {
    Arc::new(Mapped { disk: disk.clone(), root: root.to_owned(), changed })
}

/// A folder for a lock and an owner record: in memory where the system has such a place, since no
/// test of a simulated disk depends on how a real one syncs.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.unwrap()
}

/// A store with one terminal, whose disk can be crashed, damaged and filled.
pub(crate) struct Store {
    pub(crate) disk: SimStorage,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) durability: Durability,
    pub(crate) segment_bytes: u32,
    pub(crate) changed: Option<Hook>,
    root: TempDir,
}

impl Store {
    pub(crate) fn new(durability: Durability) -> Self {
        Self {
            disk: SimStorage::new(1),
            clock: Arc::new(TestClock::new(MORNING_NS)),
            durability,
            segment_bytes: SEGMENT_BYTES,
            changed: None,
            root: folder(),
        }
    }

    /// A store with another disk; its journal can be opened beside this one's.
    pub(crate) fn with_disk(disk: SimStorage) -> Self {
        Self { disk, ..Self::new(Durability::Record) }
    }

    fn storage(&self) -> Arc<dyn Storage> {
        let root = self.root.path().to_owned();
        Arc::new(Mapped { disk: self.disk.clone(), root, changed: self.changed.clone() })
    }

    pub(crate) fn options(&self) -> OpenOptions {
        OpenOptions {
            root: Some(self.root.path().to_owned()),
            id: Some(ID.to_owned()),
            durability: Some(self.durability),
            segment_bytes: Some(self.segment_bytes),
            background: false,
            clock: self.clock.clone(),
            storage: self.storage(),
            entropy: Some(42),
            ..OpenOptions::default()
        }
    }

    pub(crate) fn try_open(&self) -> Result<Terminal, Error> {
        Terminal::open(&self.options())
    }

    pub(crate) fn open(&self) -> Terminal {
        self.try_open().unwrap()
    }

    pub(crate) fn history(&self) -> History {
        let terminal = self.root.path().join("terminals").join(ID);
        History::new(self.storage(), terminal.join("transaction.wal"))
    }

    /// The journal with its archive.
    pub(crate) fn archived_history(&self) -> History {
        self.history().with_archives([self.root.path().join("archive").join(ID)])
    }

    pub(crate) fn try_verify(&self, anchor: Option<&Link>) -> Result<TerminalReport, Error> {
        verify_terminal(&self.history(), anchor, &|_, _| {})
    }

    pub(crate) fn verify(&self) -> TerminalReport {
        self.try_verify(None).unwrap()
    }

    pub(crate) fn assert_sound(&self) {
        let report = self.verify();
        assert_eq!(report.problems, [], "the journal is not sound");
    }

    /// The journal is sound but for a durable mark that a power cut may have torn, which costs no
    /// record. True when there is one.
    pub(crate) fn assert_sound_after_a_cut(&self, place: &str) -> bool {
        let is_mark = |problem: &&VerifyProblem| problem.code == Code::Mark;
        let problems = self.verify().problems;
        let others: Vec<_> = problems.iter().filter(|problem| !is_mark(problem)).collect();
        assert!(others.is_empty(), "{place}: {others:?}");
        !problems.is_empty()
    }

    /// Every fact of the journal.
    pub(crate) fn facts(&self) -> Vec<Recorded> {
        let mut facts = Vec::new();
        self.history().each(1, u64::MAX, |recorded| facts.push(recorded)).unwrap();
        facts
    }

    /// Facts of the journal that a call has made: those of sales, people, drawer and reports.
    pub(crate) fn call_facts(&self) -> Vec<Fact> {
        let facts = self.facts().into_iter().map(|recorded| recorded.fact);
        let by_call = |fact: &Fact| {
            let of_till = (64..=82).contains(&(fact.kind() as u16));
            fact.sale().is_some() || (of_till && !matches!(fact, Fact::ClockStepped(_)))
        };
        facts.filter(by_call).collect()
    }

    /// Path of a file of the journal on the simulated disk.
    pub(crate) fn journal_file(name: &str) -> PathBuf {
        Path::new("/disk/terminals").join(ID).join("transaction.wal").join(name)
    }

    pub(crate) fn segment_file(segment: u32) -> PathBuf {
        Self::journal_file(&format!("segment-{segment:06}.wal"))
    }

    pub(crate) fn segment(&self, segment: u32) -> Vec<u8> {
        self.disk.peek(&Self::segment_file(segment)).unwrap()
    }
}
