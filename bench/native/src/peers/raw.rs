//! The disk itself: the bytes of a sale written to a file whose blocks exist already, then one flush.
//!
//! It keeps nothing that could be found again, so it is not a store but the limit of any store. The
//! file is filled with zeros before and written over in a ring, because a growing file makes the
//! file system flush its own journal too, and the limit must not contain that.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::sale::Sale;
use crate::store::{Kind, Outcome, Peer, SharedStore, Store};

const RING_BYTES: u64 = 8 << 20;
const BLOCK_BYTES: usize = 4_096;
/// The largest batch handed over at once, in bytes: it bounds the aligned buffer.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// The disk, through the page cache and `fdatasync`, or with `O_DIRECT` and `O_DSYNC`.
pub struct Raw {
    pub direct: bool,
}

impl Peer for Raw {
    fn name(&self) -> &'static str {
        if self.direct { "raw-direct" } else { "raw" }
    }

    fn open(&self, dir: &Path) -> Outcome<Box<dyn Store>> {
        Ok(Box::new(Ring::open(&dir.join("ring"), self.direct)?))
    }

    fn open_shared(&self, _dir: &Path) -> Outcome<Box<dyn SharedStore>> {
        Err("the raw disk has no way for threads to share a flush".into())
    }

    fn takes_part_in(&self, workload: Kind) -> bool {
        matches!(workload, Kind::One | Kind::InFlight(_) | Kind::Cpu)
    }
}

/// A zero-filled file, written over and over.
pub struct Ring {
    file: File,
    direct: bool,
    at: u64,
    encoded: Vec<u8>,
    /// One block more than the largest batch, so that an aligned start lies inside.
    aligned: Vec<u8>,
}

impl Ring {
    pub fn open(path: &Path, direct: bool) -> Outcome<Ring> {
        let filler = File::create(path)?;
        let zeros = vec![0_u8; 1 << 20];
        for offset in (0..RING_BYTES).step_by(zeros.len()) {
            filler.write_all_at(&zeros, offset)?;
        }
        filler.sync_all()?;
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        if direct {
            options.custom_flags((OFlags::DIRECT | OFlags::DSYNC).bits() as i32);
        }
        let aligned = if direct { vec![0; BATCH_BYTES_MAX + BLOCK_BYTES] } else { Vec::new() };
        Ok(Ring { file: options.open(path)?, direct, at: 0, encoded: Vec::new(), aligned })
    }

    /// Writes what is in `encoded` and flushes it.
    fn write(&mut self) -> Outcome<()> {
        if self.direct { self.write_direct() } else { self.write_buffered() }
    }

    fn write_buffered(&mut self) -> Outcome<()> {
        self.wrap(self.encoded.len());
        self.file.write_all_at(&self.encoded, self.at)?;
        self.at += self.encoded.len() as u64;
        self.file.sync_data()?;
        Ok(())
    }

    fn write_direct(&mut self) -> Outcome<()> {
        let bytes = self.encoded.len().next_multiple_of(BLOCK_BYTES);
        assert!(bytes <= BATCH_BYTES_MAX, "a batch of {bytes} bytes is larger than the buffer");
        self.wrap(bytes);
        let start = self.aligned.as_ptr().align_offset(BLOCK_BYTES);
        let block = &mut self.aligned[start..start + bytes];
        block[..self.encoded.len()].copy_from_slice(&self.encoded);
        block[self.encoded.len()..].fill(0);
        // O_DSYNC: the write returns when the device has it.
        self.file.write_all_at(block, self.at)?;
        self.at += bytes as u64;
        Ok(())
    }

    fn wrap(&mut self, bytes: usize) {
        if self.at + bytes as u64 > RING_BYTES {
            self.at = 0;
        }
    }
}

impl Store for Ring {
    fn sell(&mut self, sale: &Sale) -> Outcome<()> {
        self.encoded.clear();
        sale.encode(&mut self.encoded);
        self.write()
    }

    fn sell_together(&mut self, sales: &[Sale]) -> Outcome<()> {
        self.encoded.clear();
        for sale in sales {
            sale.encode(&mut self.encoded);
        }
        self.write()
    }

    fn last(&mut self) -> Outcome<Option<u32>> {
        Err("the raw disk keeps no sales".into())
    }

    fn read_every(&mut self, _visit: &mut dyn FnMut(u32, &[u8])) -> Outcome<()> {
        Err("the raw disk keeps no sales".into())
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        Ok(())
    }
}
