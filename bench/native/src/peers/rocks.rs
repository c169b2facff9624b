//! RocksDB with its default options and `WriteOptions.sync`: every write is in the log and flushed.
//! Writers that come together share a flush; RocksDB does that itself.

use std::path::Path;

use rocksdb::{DB, IteratorMode, Options, WriteBatch, WriteOptions};

use crate::sale::Sale;
use crate::store::{Outcome, Peer, Seller, SharedStore, Store};

/// RocksDB, with a sale as one value under its number.
pub struct Rocks;

impl Peer for Rocks {
    fn name(&self) -> &'static str {
        "rocksdb"
    }

    fn open(&self, dir: &Path) -> Outcome<Box<dyn Store>> {
        Ok(Box::new(Till { tree: Tree::open(dir)?, encoded: Vec::new() }))
    }

    fn open_shared(&self, dir: &Path) -> Outcome<Box<dyn SharedStore>> {
        Ok(Box::new(Tree::open(dir)?))
    }

    fn is_rebuilt_at_open(&self, file_name: &str) -> bool {
        // LOG is a diary that nobody reads back.
        file_name == "LOCK" || file_name.starts_with("LOG")
    }
}

struct Tree {
    db: DB,
    flushed: WriteOptions,
}

impl Tree {
    fn open(dir: &Path) -> Outcome<Tree> {
        let mut options = Options::default();
        options.create_if_missing(true);
        let mut flushed = WriteOptions::default();
        flushed.set_sync(true);
        Ok(Tree { db: DB::open(&options, dir)?, flushed })
    }

    fn put(&self, sale: &Sale, encoded: &mut Vec<u8>) -> Outcome<()> {
        encoded.clear();
        sale.encode(encoded);
        self.db.put_opt(sale.number.to_be_bytes(), encoded, &self.flushed)?;
        Ok(())
    }
}

struct Till {
    tree: Tree,
    encoded: Vec<u8>,
}

impl Store for Till {
    fn sell(&mut self, sale: &Sale) -> Outcome<()> {
        self.tree.put(sale, &mut self.encoded)
    }

    fn sell_together(&mut self, sales: &[Sale]) -> Outcome<()> {
        let mut batch = WriteBatch::default();
        for sale in sales {
            self.encoded.clear();
            sale.encode(&mut self.encoded);
            batch.put(sale.number.to_be_bytes(), &self.encoded);
        }
        self.tree.db.write_opt(batch, &self.tree.flushed)?;
        Ok(())
    }

    fn last(&mut self) -> Outcome<Option<u32>> {
        match self.tree.db.iterator(IteratorMode::End).next() {
            Some(found) => Ok(Some(number_of(&found?.0)?)),
            None => Ok(None),
        }
    }

    fn read_every(&mut self, visit: &mut dyn FnMut(u32, &[u8])) -> Outcome<()> {
        let mut cursor = self.tree.db.raw_iterator();
        cursor.seek_to_first();
        while let Some((key, bytes)) = cursor.item() {
            visit(number_of(key)?, bytes);
            cursor.next();
        }
        cursor.status()?;
        Ok(())
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        Ok(())
    }
}

fn number_of(key: &[u8]) -> Outcome<u32> {
    Ok(u32::from_be_bytes(key.try_into()?))
}

impl SharedStore for Tree {
    fn seller(&self) -> Outcome<Box<dyn Seller + '_>> {
        Ok(Box::new(TreeSeller { tree: self, encoded: Vec::new() }))
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        Ok(())
    }
}

struct TreeSeller<'t> {
    tree: &'t Tree,
    encoded: Vec<u8>,
}

impl Seller for TreeSeller<'_> {
    fn sell(&mut self, sale: &Sale) -> Outcome<()> {
        self.tree.put(sale, &mut self.encoded)
    }
}
