//! A disk in memory that fails on demand, for the fault tests of this crate and of the kernel.
//!
//! Every file has two images: *live* is what a read returns (the page cache), *durable* is what the
//! device holds. A write changes the live image and makes 512-byte sectors dirty; a sync copies the
//! dirty sectors. Folders work alike: an entry that was made, renamed or removed is live at once and
//! durable only after [`Storage::sync_dir`] of its folder. So the two ways to die are easy to build:
//!
//! ```text
//!           live image        durable image
//! write  -> changed           -                 dirty += sectors
//! sync   -> -                 = live            dirty = {}
//! kill()    survives          survives          survives (the system still writes them some day)
//! crash()   = new durable     + a random subset of dirty sectors and of unsynced folder entries
//! ```
//!
//! The model is stricter than any one file system: a sync of a file does not make its name durable,
//! sectors reach the device in any order, each in any version written since the last sync, and a
//! sync that failed may have lost pages (see [`LostPages`]). Everything is drawn from seeds.

use crate::storage::{Access, Storage, StorageFile};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a device writes at once: a power cut leaves each sector old or new.
pub const SECTOR_BYTES: usize = 512;
/// What the page cache drops at once.
pub const PAGE_BYTES: usize = 4096;
const SECTORS_PER_PAGE: usize = PAGE_BYTES / SECTOR_BYTES;
/// Older versions of a dirty sector that a crash may choose from.
const VERSIONS_MAX: usize = 4;

/// A small random generator (splitmix64), so that a seed names a run.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A generator that always gives the same numbers for the same seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A number from 0 up to and without `limit`; 0 when the limit is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        if limit == 0 {
            return 0;
        }
        usize::try_from(self.next_u64() % limit as u64).expect("smaller than a usize")
    }

    /// True in `share` of 256 cases.
    pub fn chance(&mut self, share: usize) -> bool {
        self.below(256) < share
    }
}

/// The calls of [`Storage`] and [`StorageFile`], for counting and for faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// [`Storage::create_dir_all`].
    CreateDir,
    /// [`Storage::list`].
    List,
    /// [`Storage::open`].
    Open,
    /// [`Storage::rename`].
    Rename,
    /// [`Storage::remove`].
    Remove,
    /// [`Storage::sync_dir`].
    SyncDir,
    /// [`StorageFile::size`].
    Size,
    /// [`StorageFile::read_at`].
    Read,
    /// [`StorageFile::write_at`].
    Write,
    /// [`StorageFile::sync`].
    Sync,
    /// [`StorageFile::forget_cached`].
    Forget,
}

/// A fault to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The first call that fails, from 1; counts only calls of kind `only` when that is given.
    pub at: u64,
    /// Every later call fails as well.
    pub forever: bool,
    /// The error's kind.
    pub kind: io::ErrorKind,
    /// A failing write has written some of its bytes.
    pub partial: bool,
    /// Only calls of this kind fail.
    pub only: Option<Call>,
}

impl Fault {
    /// The call with this number fails once, with an I/O error that has written nothing.
    #[must_use]
    pub fn once(at: u64) -> Self {
        Self { at, forever: false, kind: io::ErrorKind::Other, partial: false, only: None }
    }

    /// The call with this number and every later one fails.
    #[must_use]
    pub fn forever(at: u64) -> Self {
        Self { forever: true, ..Self::once(at) }
    }
}

/// What a failed sync leaves in the cache: the behaviours found in "Can Applications Recover from
/// fsync Failures?" (USENIX ATC 2020, section 3). In each the pages are clean afterwards, so that a
/// second sync succeeds and writes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostPages {
    /// The cache keeps the new bytes and the device has the old (ext4, XFS).
    Kept,
    /// The cache goes back to what the device has (Btrfs).
    Dropped,
    /// Each page is kept, dropped, or has reached the device after all.
    HalfKept,
}

/// A durability step that the storage pretends to do: the fault tests must notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// A file's sync answers and does nothing.
    IgnoreSync,
    /// A folder's sync answers and does nothing.
    IgnoreSyncDir,
    /// The last write before a sync reaches the device only with the sync after.
    WriteBehindSync,
    /// Forgetting what is cached answers and does nothing.
    IgnoreForget,
}

/// A disk in memory. Clones are handles of the same disk.
#[derive(Debug, Clone)]
pub struct SimStorage(Arc<Mutex<Disk>>);

#[derive(Debug, Clone)]
struct SimFile {
    disk: Arc<Mutex<Disk>>,
    inode: usize,
    writable: bool,
}

type Sector = Box<[u8]>;

#[derive(Debug, Clone, Default)]
struct Inode {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// Sectors that differ since the last sync, with older versions of each.
    dirty: BTreeMap<usize, Vec<Sector>>,
    /// The shortest that the file has been since the last sync.
    cut: Option<usize>,
    last_write: Range<usize>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Names {
    dirs: BTreeSet<PathBuf>,
    files: BTreeMap<PathBuf, usize>,
}

#[derive(Debug, Clone)]
enum Change {
    MakeDir(PathBuf),
    Link(PathBuf, usize),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf, usize),
}

#[derive(Debug, Clone)]
struct Disk {
    inodes: Vec<Inode>,
    live: Names,
    durable: Names,
    /// Changes of folders not yet synced: the folder and what changed in it, in order.
    changes: Vec<(PathBuf, Change)>,
    counts: BTreeMap<Call, u64>,
    total: u64,
    at_fault: Option<BTreeMap<Call, u64>>,
    fault: Option<Fault>,
    stop_at: Option<u64>,
    budget: Option<u64>,
    lost_pages: LostPages,
    sabotage: Option<Sabotage>,
    random: Random,
}

enum Step {
    Go,
    /// Nothing happens but the error; `true` for a write that has written some of its bytes.
    Fail(io::Error, bool),
    /// The call is issued and the machine stops: what it changes is in the cache, unsynced.
    Last,
}

fn stopped() -> io::Error {
    io::Error::other("the simulated machine has stopped")
}

fn sectors(range: Range<usize>) -> Range<usize> {
    range.start / SECTOR_BYTES..range.end.div_ceil(SECTOR_BYTES)
}

/// Copies the part of a sector that both images have.
fn copy_sector(from: &[u8], to: &mut [u8], sector: usize) {
    let start = sector * SECTOR_BYTES;
    let end = (start + SECTOR_BYTES).min(from.len()).min(to.len());
    if start < end {
        to[start..end].copy_from_slice(&from[start..end]);
    }
}

impl Names {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::MakeDir(path) => drop(self.dirs.insert(path.clone())),
            Change::Link(path, inode) => drop(self.files.insert(path.clone(), *inode)),
            Change::Unlink(path) => drop(self.files.remove(path)),
            Change::Rename(from, to, inode) => {
                // Another file may have taken the old name since; it is not ours to remove.
                if self.files.get(from) == Some(inode) {
                    self.files.remove(from);
                }
                self.files.insert(to.clone(), *inode);
            }
        }
    }

    fn has_dir(&self, dir: &Path) -> bool {
        dir.parent().is_none() || dir.as_os_str().is_empty() || self.dirs.contains(dir)
    }

    fn reaches(&self, path: &Path) -> bool {
        path.ancestors().skip(1).all(|dir| self.has_dir(dir))
    }
}

impl Inode {
    fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset + bytes.len();
        for sector in sectors(offset..end) {
            let from = (sector * SECTOR_BYTES).min(self.live.len());
            let to = (from + SECTOR_BYTES).min(self.live.len());
            let before = self.live[from..to].into();
            self.dirty
                .entry(sector)
                .and_modify(|versions| {
                    versions.push(before);
                    if versions.len() > VERSIONS_MAX {
                        versions.remove(0);
                    }
                })
                .or_default();
        }
        if self.live.len() < end {
            self.live.resize(end, 0);
        }
        self.live[offset..end].copy_from_slice(bytes);
        self.last_write = offset..end;
    }

    fn truncate(&mut self) {
        self.live.clear();
        self.dirty.clear();
        self.cut = Some(0);
        self.last_write = 0..0;
    }

    fn settle_size(&mut self) {
        if let Some(cut) = self.cut.take() {
            self.durable.truncate(cut);
        }
        self.durable.resize(self.live.len(), 0);
    }

    fn sync(&mut self, held_back: Range<usize>) {
        self.settle_size();
        let Self { live, durable, dirty, .. } = self;
        dirty.retain(|sector, _| {
            let late = held_back.contains(sector);
            if !late {
                copy_sector(live, durable, *sector);
            }
            late
        });
    }

    fn fail_sync(&mut self, lost: LostPages, random: &mut Random) {
        let dirty = std::mem::take(&mut self.dirty);
        let mut fate = (usize::MAX, lost);
        let mut reached = false;
        self.durable.resize(self.durable.len().max(self.live.len()), 0);
        for sector in dirty.into_keys() {
            if lost == LostPages::HalfKept && fate.0 != sector / SECTORS_PER_PAGE {
                let draw = random.below(3);
                reached = draw == 0;
                let kept = if draw == 1 { LostPages::Kept } else { LostPages::Dropped };
                fate = (sector / SECTORS_PER_PAGE, kept);
            }
            if reached {
                copy_sector(&self.live, &mut self.durable, sector);
            } else if fate.1 == LostPages::Dropped {
                copy_sector(&self.durable, &mut self.live, sector);
            }
        }
    }

    /// As Linux does: only whole pages, only clean ones.
    fn forget(&mut self, range: Range<usize>) {
        let first = range.start.div_ceil(PAGE_BYTES);
        let last = if range.end >= self.live.len() {
            self.live.len().div_ceil(PAGE_BYTES)
        } else {
            range.end / PAGE_BYTES
        };
        for page in first..last {
            let sectors = page * SECTORS_PER_PAGE..(page + 1) * SECTORS_PER_PAGE;
            if self.dirty.range(sectors.clone()).next().is_none() {
                for sector in sectors {
                    copy_sector(&self.durable, &mut self.live, sector);
                }
            }
        }
    }

    /// The image that a power cut leaves.
    fn crash(&self, share: usize, random: &mut Random) -> Vec<u8> {
        let mut image = self.durable.clone();
        if let Some(cut) = self.cut
            && random.chance(share)
        {
            image.truncate(cut);
        }
        if image.len() < self.live.len() {
            let grown = self.live.len() - image.len();
            let size = match random.below(4) {
                0 => image.len(),
                1 => image.len() + random.below(grown),
                _ => self.live.len(),
            };
            image.resize(if share == 256 { self.live.len() } else { size }, 0);
        }
        for (sector, versions) in &self.dirty {
            if !random.chance(share) {
                continue;
            }
            let older = random.below(versions.len() + 1);
            if share == 256 || older == versions.len() {
                copy_sector(&self.live, &mut image, *sector);
            } else {
                let start = (sector * SECTOR_BYTES).min(image.len());
                let end = (start + versions[older].len()).min(image.len());
                image[start..end].copy_from_slice(&versions[older][..end - start]);
            }
        }
        image
    }
}

impl Disk {
    fn enter(&mut self, call: Call) -> Step {
        self.total += 1;
        let count = self.counts.entry(call).or_default();
        *count += 1;
        let count = *count;
        if let Some(stop) = self.stop_at
            && self.total >= stop
        {
            return if self.total == stop { Step::Last } else { Step::Fail(stopped(), false) };
        }
        let Some(fault) = self.fault else { return Step::Go };
        if fault.only.is_some_and(|only| only != call) {
            return Step::Go;
        }
        let number = if fault.only.is_some() { count } else { self.total };
        if number == fault.at || fault.forever && number > fault.at {
            self.at_fault.get_or_insert_with(|| self.counts.clone());
            return Step::Fail(fault.kind.into(), fault.partial);
        }
        Step::Go
    }

    /// For calls that change nothing.
    fn look(&mut self, call: Call) -> io::Result<()> {
        match self.enter(call) {
            Step::Go => Ok(()),
            Step::Fail(error, _) => Err(error),
            Step::Last => Err(stopped()),
        }
    }

    fn change(&mut self, path: &Path, change: Change) {
        self.live.apply(&change);
        let dir = path.parent().unwrap_or(Path::new("")).to_owned();
        self.changes.push((dir, change));
    }

    fn bytes_used(&self) -> u64 {
        self.live.files.values().map(|inode| self.inodes[*inode].live.len() as u64).sum()
    }

    fn write(&mut self, inode: usize, bytes: &[u8], offset: usize) -> io::Result<()> {
        let step = self.enter(Call::Write);
        if let Step::Fail(error, partial) = step {
            if partial {
                let some = self.random.below(bytes.len() + 1);
                self.inodes[inode].write(&bytes[..some], offset);
            }
            return Err(error);
        }
        let growth = (offset + bytes.len()).saturating_sub(self.inodes[inode].live.len()) as u64;
        if let Some(budget) = self.budget
            && growth > 0
            && self.bytes_used() + growth > budget
        {
            let missing =
                usize::try_from(self.bytes_used() + growth - budget).unwrap_or(usize::MAX);
            let fits = bytes.len().saturating_sub(missing);
            self.inodes[inode].write(&bytes[..fits], offset);
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.inodes[inode].write(bytes, offset);
        if matches!(step, Step::Last) { Err(stopped()) } else { Ok(()) }
    }

    fn sync(&mut self, inode: usize) -> io::Result<()> {
        match self.enter(Call::Sync) {
            Step::Last => Err(stopped()),
            Step::Fail(error, _) => {
                // A machine that has stopped loses nothing more.
                if self.stop_at.is_none_or(|stop| self.total < stop) {
                    self.inodes[inode].fail_sync(self.lost_pages, &mut self.random);
                }
                Err(error)
            }
            Step::Go => {
                let inode = &mut self.inodes[inode];
                match self.sabotage {
                    Some(Sabotage::IgnoreSync) => {}
                    Some(Sabotage::WriteBehindSync) => {
                        inode.sync(sectors(inode.last_write.clone()))
                    }
                    _ => inode.sync(0..0),
                }
                Ok(())
            }
        }
    }

    /// A disk with these images and names, nothing unsynced, no faults.
    fn reborn(images: Vec<Inode>, names: Names, seed: u64) -> Self {
        Self {
            inodes: images,
            live: names.clone(),
            durable: names,
            changes: Vec::new(),
            counts: BTreeMap::new(),
            total: 0,
            at_fault: None,
            fault: None,
            stop_at: None,
            budget: None,
            lost_pages: LostPages::Kept,
            sabotage: None,
            random: Random::new(seed),
        }
    }

    fn crash(&self, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let share = match seed {
            0 => 0,
            1 => 256,
            _ => [32, 64, 128, 192, 224][random.below(5)],
        };
        let mut names = self.durable.clone();
        if seed % 2 == 1 {
            // A journaled file system: the first so many changes.
            let kept = if share == 256 {
                self.changes.len()
            } else {
                random.below(self.changes.len() + 1)
            };
            self.changes[..kept].iter().for_each(|(_, change)| names.apply(change));
        } else {
            for (_, change) in &self.changes {
                if random.chance(share) {
                    names.apply(change);
                }
            }
        }
        let reachable = names.clone();
        names.files.retain(|path, _| reachable.reaches(path));
        names.dirs.retain(|path| reachable.reaches(path));
        let inodes = self
            .inodes
            .iter()
            .map(|inode| {
                let image = inode.crash(share, &mut random);
                Inode { live: image.clone(), durable: image, ..Inode::default() }
            })
            .collect();
        Self::reborn(inodes, names, random.next_u64())
    }
}

impl Default for SimStorage {
    fn default() -> Self {
        Self::new(1)
    }
}

impl SimStorage {
    /// An empty disk; the seed draws what failing writes and syncs leave.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::of(Disk::reborn(Vec::new(), Names::default(), seed))
    }

    fn of(disk: Disk) -> Self {
        Self(Arc::new(Mutex::new(disk)))
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The disk after a power cut. This disk stays as it is, so that one moment can be crashed with
    /// many seeds.
    ///
    /// Seed 0 keeps nothing that was not synced and seed 1 keeps everything; any other seed keeps a
    /// random share of the dirty sectors, each old or new or in a version between. Of the unsynced
    /// folder changes an odd seed keeps the first so many, as a journaled file system does; an even
    /// seed keeps any of them, in order.
    #[must_use]
    pub fn crash(&self, seed: u64) -> Self {
        Self::of(self.disk().crash(seed))
    }

    /// The disk after the death of the process: everything written survives, dirty as it was.
    /// Faults, counts and sabotage do not.
    #[must_use]
    pub fn kill(&self) -> Self {
        let disk = self.disk().clone();
        let seed = disk.random.clone().next_u64();
        let fresh = Disk::reborn(disk.inodes, disk.live, seed);
        Self::of(Disk { durable: disk.durable, changes: disk.changes, ..fresh })
    }

    /// Lets a call fail; `None` ends it.
    pub fn fail(&self, fault: Option<Fault>) {
        let mut disk = self.disk();
        disk.fault = fault;
        disk.at_fault = None;
    }

    /// Stops the machine at a call, from 1: that call is issued and not answered, no later one has
    /// any effect.
    pub fn stop_at(&self, call: u64) {
        self.disk().stop_at = Some(call);
    }

    /// What a failing sync leaves.
    pub fn set_lost_pages(&self, lost: LostPages) {
        self.disk().lost_pages = lost;
    }

    /// A durability step that is only pretended.
    pub fn set_sabotage(&self, sabotage: Option<Sabotage>) {
        self.disk().sabotage = sabotage;
    }

    /// Size of the disk in bytes; a file that would grow beyond it meets "no space".
    pub fn set_budget(&self, bytes: Option<u64>) {
        self.disk().budget = bytes;
    }

    /// Bytes of all files.
    #[must_use]
    pub fn bytes_used(&self) -> u64 {
        self.disk().bytes_used()
    }

    /// Calls so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.disk().total
    }

    /// Calls of one kind so far.
    #[must_use]
    pub fn count(&self, call: Call) -> u64 {
        self.disk().counts.get(&call).copied().unwrap_or(0)
    }

    /// Calls of one kind after the one that met the first fault; `None` before it.
    #[must_use]
    pub fn count_since_fault(&self, call: Call) -> Option<u64> {
        let disk = self.disk();
        let at_fault = disk.at_fault.as_ref()?;
        let now = disk.counts.get(&call).copied().unwrap_or(0);
        Some(now - at_fault.get(&call).copied().unwrap_or(0))
    }

    /// Paths of all files, in order.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        self.disk().live.files.keys().cloned().collect()
    }

    /// The live bytes of a file; `None` when there is no such file. Not a call, not counted.
    #[must_use]
    pub fn peek(&self, path: &Path) -> Option<Vec<u8>> {
        let disk = self.disk();
        disk.live.files.get(path).map(|inode| disk.inodes[*inode].live.clone())
    }

    /// Changes a file behind everybody's back, in the cache and on the device, as damage does; makes
    /// the file when there is none. Not a call, not counted.
    pub fn poke(&self, path: &Path, bytes: &[u8]) {
        let mut disk = self.disk();
        let inode = Inode { live: bytes.to_vec(), durable: bytes.to_vec(), ..Inode::default() };
        if let Some(number) = disk.live.files.get(path).copied() {
            disk.inodes[number] = inode;
            return;
        }
        let number = disk.inodes.len();
        disk.inodes.push(inode);
        for dir in path.ancestors().skip(1).filter(|dir| dir.parent().is_some()) {
            disk.live.dirs.insert(dir.to_owned());
            disk.durable.dirs.insert(dir.to_owned());
        }
        disk.live.files.insert(path.to_owned(), number);
        disk.durable.files.insert(path.to_owned(), number);
    }

    /// Takes a file away behind everybody's back.
    pub fn lose(&self, path: &Path) {
        let mut disk = self.disk();
        disk.live.files.remove(path);
        disk.durable.files.remove(path);
    }
}

impl Storage for SimStorage {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let step = disk.enter(Call::CreateDir);
        if let Step::Fail(error, _) = step {
            return Err(error);
        }
        let mut missing: Vec<_> = dir.ancestors().filter(|dir| !disk.live.has_dir(dir)).collect();
        missing.reverse();
        for dir in missing {
            disk.change(dir, Change::MakeDir(dir.to_owned()));
        }
        if matches!(step, Step::Last) { Err(stopped()) } else { Ok(()) }
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut disk = self.disk();
        disk.look(Call::List)?;
        if !disk.live.has_dir(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let here = disk.live.files.keys().filter(|path| path.parent() == Some(dir));
        Ok(here.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect())
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn StorageFile>> {
        let mut disk = self.disk();
        let step = disk.enter(Call::Open);
        if let Step::Fail(error, _) = step {
            return Err(error);
        }
        let found = disk.live.files.get(path).copied();
        let inode = match (found, access) {
            (Some(inode), Access::Create) => {
                disk.inodes[inode].truncate();
                inode
            }
            (Some(inode), _) => inode,
            (None, Access::Create) if disk.live.reaches(path) => {
                let inode = disk.inodes.len();
                disk.inodes.push(Inode::default());
                disk.change(path, Change::Link(path.to_owned(), inode));
                inode
            }
            (None, _) => return Err(io::ErrorKind::NotFound.into()),
        };
        if matches!(step, Step::Last) {
            return Err(stopped());
        }
        let writable = access != Access::Read;
        Ok(Arc::new(SimFile { disk: self.0.clone(), inode, writable }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let step = disk.enter(Call::Rename);
        if let Step::Fail(error, _) = step {
            return Err(error);
        }
        let Some(inode) = disk.live.files.get(from).copied() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let change = Change::Rename(from.to_owned(), to.to_owned(), inode);
        disk.change(to, change);
        if matches!(step, Step::Last) { Err(stopped()) } else { Ok(()) }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let step = disk.enter(Call::Remove);
        if let Step::Fail(error, _) = step {
            return Err(error);
        }
        if !disk.live.files.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        disk.change(path, Change::Unlink(path.to_owned()));
        if matches!(step, Step::Last) { Err(stopped()) } else { Ok(()) }
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.look(Call::SyncDir)?;
        if !disk.live.has_dir(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        if disk.sabotage == Some(Sabotage::IgnoreSyncDir) {
            return Ok(());
        }
        let Disk { changes, durable, .. } = &mut *disk;
        changes.retain(|(place, change)| {
            if place == dir {
                durable.apply(change);
            }
            place != dir
        });
        Ok(())
    }
}

impl SimFile {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StorageFile for SimFile {
    fn size(&self) -> io::Result<u64> {
        let mut disk = self.disk();
        disk.look(Call::Size)?;
        Ok(disk.inodes[self.inode].live.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut disk = self.disk();
        disk.look(Call::Read)?;
        let live = &disk.inodes[self.inode].live;
        let start = usize::try_from(offset).map_or(live.len(), |offset| offset.min(live.len()));
        let size = buffer.len().min(live.len() - start);
        buffer[..size].copy_from_slice(&live[start..start + size]);
        Ok(size)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        assert!(self.writable, "a file opened for reading is never written");
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        self.disk().write(self.inode, bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk().sync(self.inode)
    }

    fn forget_cached(&self, range: Range<u64>) -> io::Result<()> {
        let mut disk = self.disk();
        disk.look(Call::Forget)?;
        if disk.sabotage == Some(Sabotage::IgnoreForget) {
            return Ok(());
        }
        let clip = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        disk.inodes[self.inode].forget(clip(range.start)..clip(range.end));
        Ok(())
    }
}
