//! LMDB through heed, with its default flags: every commit is flushed, data and meta page.
//!
//! One writer puts its sales with `APPEND`, since their numbers only grow: pages are then filled
//! instead of split in halves. Threads commit in any order and cannot.

use std::path::Path;

use heed::byteorder::BigEndian;
use heed::types::{Bytes, U32};
use heed::{CommitOrAbort, Database, Env, EnvOpenOptions, PutFlags};

use crate::sale::Sale;
use crate::store::{Outcome, Peer, Seller, SharedStore, Store};

/// Address space, not memory or disk: enough for ten million sales.
const MAP_BYTES: usize = 16 << 30;

type Sales = Database<'static, U32<BigEndian>, Bytes>;

/// LMDB, with a sale as one value under its number.
pub struct Lmdb;

impl Peer for Lmdb {
    fn name(&self) -> &'static str {
        "lmdb"
    }

    fn open(&self, dir: &Path) -> Outcome<Box<dyn Store>> {
        Ok(Box::new(Till { map: Map::open(dir)?, encoded: Vec::new() }))
    }

    fn open_shared(&self, dir: &Path) -> Outcome<Box<dyn SharedStore>> {
        Ok(Box::new(Map::open(dir)?))
    }

    fn is_rebuilt_at_open(&self, file_name: &str) -> bool {
        file_name == "lock.mdb"
    }
}

struct Map {
    env: Env,
    sales: Sales,
}

impl Map {
    fn open(dir: &Path) -> Outcome<Map> {
        // SAFETY: the folder belongs to this run of the benchmark. No other process opens or changes
        // its files while the map is there, and no flag weakens what LMDB promises.
        let env = unsafe { EnvOpenOptions::new().map_size(MAP_BYTES).open(dir)? };
        let reading = env.read_txn()?;
        let sales = env
            .open_databases_and_commit(reading, |opener, reading| {
                opener.open_database(reading, None).map(CommitOrAbort::<_, ()>::Commit)
            })?
            .unwrap_commit()
            .ok_or("the unnamed database is not there")?;
        Ok(Map { env, sales })
    }

    fn put(&self, sales: &[Sale], flags: PutFlags, encoded: &mut Vec<u8>) -> Outcome<()> {
        let mut writing = self.env.write_txn()?;
        for sale in sales {
            encoded.clear();
            sale.encode(encoded);
            self.sales.put_with_flags(&mut writing, flags, &sale.number, encoded)?;
        }
        writing.commit()?;
        Ok(())
    }
}

struct Till {
    map: Map,
    encoded: Vec<u8>,
}

impl Store for Till {
    fn sell(&mut self, sale: &Sale) -> Outcome<()> {
        self.map.put(std::slice::from_ref(sale), PutFlags::APPEND, &mut self.encoded)
    }

    fn sell_together(&mut self, sales: &[Sale]) -> Outcome<()> {
        self.map.put(sales, PutFlags::APPEND, &mut self.encoded)
    }

    fn last(&mut self) -> Outcome<Option<u32>> {
        let reading = self.map.env.read_txn()?;
        Ok(self.map.sales.last(&reading)?.map(|(number, _bytes)| number))
    }

    fn read_every(&mut self, visit: &mut dyn FnMut(u32, &[u8])) -> Outcome<()> {
        let reading = self.map.env.read_txn()?;
        for found in self.map.sales.iter(&reading)? {
            let (number, bytes) = found?;
            visit(number, bytes);
        }
        Ok(())
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        Ok(())
    }
}

impl SharedStore for Map {
    fn seller(&self) -> Outcome<Box<dyn Seller + '_>> {
        Ok(Box::new(MapSeller { map: self, encoded: Vec::new() }))
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        Ok(())
    }
}

struct MapSeller<'m> {
    map: &'m Map,
    encoded: Vec<u8>,
}

impl Seller for MapSeller<'_> {
    fn sell(&mut self, sale: &Sale) -> Outcome<()> {
        self.map.put(std::slice::from_ref(sale), PutFlags::empty(), &mut self.encoded)
    }
}
