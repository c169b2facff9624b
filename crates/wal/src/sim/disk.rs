//! The bytes of the simulated disk: live and durable images of files, live and durable names, and
//! what a sync, a failed sync, a forgotten page and a power cut do to them.

use super::{Call, Fault, LostPages, PAGE_BYTES, Random, SECTOR_BYTES, Sabotage};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

const SECTORS_PER_PAGE: usize = PAGE_BYTES / SECTOR_BYTES;
/// Older versions of a dirty sector that a crash may choose from.
const VERSIONS_MAX: usize = 4;

type Sector = Box<[u8]>;

#[derive(Debug, Clone, Default)]
pub(super) struct Inode {
    pub(super) live: Vec<u8>,
    pub(super) durable: Vec<u8>,
    /// Sectors that differ since the last sync, with older versions of each.
    dirty: BTreeMap<usize, Vec<Sector>>,
    /// The shortest that the file has been since the last sync.
    cut: Option<usize>,
    last_write: Range<usize>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) dirs: BTreeSet<PathBuf>,
    pub(super) files: BTreeMap<PathBuf, usize>,
}

#[derive(Debug, Clone)]
pub(super) enum Change {
    MakeDir(PathBuf),
    Link(PathBuf, usize),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf, usize),
}

#[derive(Debug, Clone)]
pub(super) struct Disk {
    pub(super) inodes: Vec<Inode>,
    pub(super) live: Names,
    pub(super) durable: Names,
    /// Changes of folders not yet synced: the folder and what changed in it, in order.
    pub(super) changes: Vec<(PathBuf, Change)>,
    pub(super) counts: BTreeMap<Call, u64>,
    pub(super) total: u64,
    pub(super) at_fault: Option<BTreeMap<Call, u64>>,
    pub(super) fault: Option<Fault>,
    pub(super) stop_at: Option<u64>,
    pub(super) budget: Option<u64>,
    pub(super) lost_pages: LostPages,
    pub(super) sabotage: Option<Sabotage>,
    pub(super) random: Random,
}

pub(super) enum Step {
    Go,
    /// Nothing happens but the error; `true` for a write that has written some of its bytes.
    Fail(io::Error, bool),
    /// The call is issued and the machine stops: what it changes is in the cache, unsynced.
    Last,
}

pub(super) fn stopped() -> io::Error {
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
    pub(super) fn apply(&mut self, change: &Change) {
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

    pub(super) fn has_dir(&self, dir: &Path) -> bool {
        dir.parent().is_none() || dir.as_os_str().is_empty() || self.dirs.contains(dir)
    }

    pub(super) fn reaches(&self, path: &Path) -> bool {
        path.ancestors().skip(1).all(|dir| self.has_dir(dir))
    }
}

impl Inode {
    /// A file whose bytes are in the cache and on the device.
    pub(super) fn settled(bytes: Vec<u8>) -> Self {
        Self { live: bytes.clone(), durable: bytes, ..Self::default() }
    }

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

    pub(super) fn truncate(&mut self) {
        self.live.clear();
        self.dirty.clear();
        self.cut = Some(0);
        self.last_write = 0..0;
    }

    /// Cuts the file to a size that is not above its own. What stood behind reads as nothing from now
    /// on; on the device it may still stand until the next sync.
    pub(super) fn cut(&mut self, size: usize) {
        self.live.truncate(size);
        self.dirty.retain(|sector, _| sector * SECTOR_BYTES < size);
        self.cut = Some(self.cut.map_or(size, |cut| cut.min(size)));
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
    pub(super) fn forget(&mut self, range: Range<usize>) {
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
    pub(super) fn enter(&mut self, call: Call) -> Step {
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
    pub(super) fn look(&mut self, call: Call) -> io::Result<()> {
        match self.enter(call) {
            Step::Go => Ok(()),
            Step::Fail(error, _) => Err(error),
            Step::Last => Err(stopped()),
        }
    }

    pub(super) fn change(&mut self, path: &Path, change: Change) {
        self.live.apply(&change);
        let dir = path.parent().unwrap_or(Path::new("")).to_owned();
        self.changes.push((dir, change));
    }

    pub(super) fn bytes_used(&self) -> u64 {
        self.live.files.values().map(|inode| self.inodes[*inode].live.len() as u64).sum()
    }

    pub(super) fn write(&mut self, inode: usize, bytes: &[u8], offset: usize) -> io::Result<()> {
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

    pub(super) fn cut(&mut self, inode: usize, size: usize) -> io::Result<()> {
        let step = self.enter(Call::Cut);
        if let Step::Fail(error, _) = step {
            return Err(error);
        }
        self.inodes[inode].cut(size);
        if matches!(step, Step::Last) { Err(stopped()) } else { Ok(()) }
    }

    pub(super) fn sync(&mut self, inode: usize) -> io::Result<()> {
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
    pub(super) fn reborn(images: Vec<Inode>, names: Names, seed: u64) -> Self {
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

    pub(super) fn crash(&self, seed: u64) -> Self {
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
            .map(|inode| Inode::settled(inode.crash(share, &mut random)))
            .collect();
        Self::reborn(inodes, names, random.next_u64())
    }
}
