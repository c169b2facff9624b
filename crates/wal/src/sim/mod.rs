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

mod disk;

use crate::storage::{Access, Storage, StorageFile};
use disk::{Change, Disk, Inode, Names, Step, stopped};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a device writes at once: a power cut leaves each sector old or new.
pub const SECTOR_BYTES: usize = 512;
/// What the page cache drops at once.
pub const PAGE_BYTES: usize = 4096;
const _: () = assert!(PAGE_BYTES.is_multiple_of(SECTOR_BYTES));

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
    /// [`StorageFile::cut`].
    Cut,
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
        let inode = Inode::settled(bytes.to_vec());
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

    fn cut(&self, size: u64) -> io::Result<()> {
        assert!(self.writable, "a file opened for reading is never cut");
        let size = usize::try_from(size).map_err(io::Error::other)?;
        self.disk().cut(self.inode, size)
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
