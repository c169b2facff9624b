//! SQLite through rusqlite: WAL, `synchronous=FULL`, one connection.
//!
//! Two forms: `sqlite-rows` keeps a sale as seven rows of three tables, as most tills would;
//! `sqlite-blob` keeps its bytes as one value, as somebody would who wants speed only.
//!
//! The pragmas are set and read back at every open. `journal_mode` is remembered in the file,
//! `synchronous` is not: a build with another default would lose its durability on the second day.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator as _;
use rusqlite::{Connection, Row, Rows, params};

use crate::sale::{CURRENCY, Canonical, STORE, Sale, TENDER_KIND};
use crate::store::{Outcome, Peer, Seller, SharedStore, Store};

const SCHEMA_ROWS: &str = "
    CREATE TABLE IF NOT EXISTS sale(
        number INTEGER PRIMARY KEY, reference TEXT NOT NULL, key TEXT NOT NULL,
        store TEXT NOT NULL, currency TEXT NOT NULL, began INTEGER NOT NULL,
        gross INTEGER NOT NULL, completed INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS line(
        sale INTEGER NOT NULL, line INTEGER NOT NULL, sku TEXT NOT NULL, text TEXT NOT NULL,
        quantity INTEGER NOT NULL, unit_price INTEGER NOT NULL, amount INTEGER NOT NULL,
        voided INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(sale, line)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS tender(
        sale INTEGER NOT NULL, tender INTEGER NOT NULL, kind TEXT NOT NULL,
        amount INTEGER NOT NULL, change INTEGER NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY(sale, tender)) WITHOUT ROWID;";
const SCHEMA_BLOB: &str =
    "CREATE TABLE IF NOT EXISTS sale(number INTEGER PRIMARY KEY, body BLOB NOT NULL);";

const INSERT_SALE: &str = "INSERT INTO sale VALUES(?, ?, ?, ?, ?, ?, ?, ?)";
const INSERT_LINE: &str = "INSERT INTO line VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)";
const INSERT_TENDER: &str = "INSERT INTO tender VALUES(?, 1, ?, ?, ?, ?)";
const INSERT_BLOB: &str = "INSERT INTO sale VALUES(?, ?)";

const SELECT_SALES: &str = "SELECT number, reference, key, store, currency, began, gross, completed
    FROM sale WHERE number >= ? ORDER BY number";
const SELECT_LINES: &str = "SELECT sale, line, sku, text, quantity, unit_price, amount, voided, at
    FROM line WHERE sale >= ? ORDER BY sale, line";
const SELECT_TENDERS: &str = "SELECT sale, kind, amount, change, at
    FROM tender WHERE sale >= ? ORDER BY sale, tender";
const SELECT_BLOBS: &str = "SELECT number, body FROM sale WHERE number >= ? ORDER BY number";
const SELECT_LAST: &str = "SELECT number FROM sale ORDER BY number DESC LIMIT 1";

/// SQLite, with a sale as rows or as one value.
pub struct Sqlite {
    pub rows: bool,
}

impl Peer for Sqlite {
    fn name(&self) -> &'static str {
        if self.rows { "sqlite-rows" } else { "sqlite-blob" }
    }

    fn open(&self, dir: &Path) -> Outcome<Box<dyn Store>> {
        Ok(Box::new(Till::open(dir, self.rows)?))
    }

    fn open_shared(&self, dir: &Path) -> Outcome<Box<dyn SharedStore>> {
        Ok(Box::new(SharedTill { till: Mutex::new(Till::open(dir, self.rows)?) }))
    }

    fn is_rebuilt_at_open(&self, file_name: &str) -> bool {
        file_name.ends_with("-shm")
    }
}

struct Till {
    connection: Connection,
    rows: bool,
    encoded: Vec<u8>,
}

impl Till {
    fn open(dir: &Path, rows: bool) -> Outcome<Till> {
        let connection = Connection::open(dir.join("sales.db"))?;
        let mode: String = connection.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))?;
        connection.execute_batch("PRAGMA synchronous=FULL")?;
        let level: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
        if mode != "wal" || level != 2 {
            return Err(format!("journal mode is {mode} and synchronous is {level}").into());
        }
        connection.execute_batch(if rows { SCHEMA_ROWS } else { SCHEMA_BLOB })?;
        Ok(Till { connection, rows, encoded: Vec::new() })
    }

    fn insert(&mut self, sale: &Sale) -> Outcome<()> {
        if self.rows { self.insert_rows(sale) } else { self.insert_blob(sale) }
    }

    fn insert_blob(&mut self, sale: &Sale) -> Outcome<()> {
        self.encoded.clear();
        sale.encode(&mut self.encoded);
        let mut insert = self.connection.prepare_cached(INSERT_BLOB)?;
        insert.execute(params![sale.number, self.encoded])?;
        Ok(())
    }

    fn insert_rows(&mut self, sale: &Sale) -> Outcome<()> {
        self.connection.prepare_cached(INSERT_SALE)?.execute(params![
            sale.number,
            sale.reference(),
            sale.key(),
            STORE,
            CURRENCY,
            sale.began_ms,
            sale.gross_minor,
            sale.completed_ms,
        ])?;
        let mut insert = self.connection.prepare_cached(INSERT_LINE)?;
        for (index, line) in sale.lines.iter().enumerate() {
            insert.execute(params![
                sale.number,
                index as i64 + 1,
                line.product.sku,
                line.product.text,
                line.quantity,
                line.product.unit_price_minor,
                line.amount_minor,
                false,
                line.at_ms,
            ])?;
        }
        self.connection.prepare_cached(INSERT_TENDER)?.execute(params![
            sale.number,
            TENDER_KIND,
            sale.tendered_minor,
            sale.change_minor,
            sale.tendered_ms,
        ])?;
        Ok(())
    }

    fn begin(&self) -> Outcome<()> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(())
    }

    fn commit(&self) -> Outcome<()> {
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    /// Reads all sales from `first` on.
    fn read_from(&mut self, first: u32, visit: &mut dyn FnMut(u32, &[u8])) -> Outcome<()> {
        if !self.rows {
            let mut select = self.connection.prepare_cached(SELECT_BLOBS)?;
            let mut found = select.query([first])?;
            while let Some(row) = found.next()? {
                visit(row.get(0)?, bytes(row, 1)?);
            }
            return Ok(());
        }
        // Three cursors walk side by side, so that each table is read once and in its own order.
        let mut select_sales = self.connection.prepare_cached(SELECT_SALES)?;
        let mut select_lines = self.connection.prepare_cached(SELECT_LINES)?;
        let mut select_tenders = self.connection.prepare_cached(SELECT_TENDERS)?;
        let mut sales = select_sales.query([first])?;
        let mut lines = Cursor::new(select_lines.query([first])?);
        let mut tenders = Cursor::new(select_tenders.query([first])?);
        while let Some(row) = sales.next()? {
            let number: u32 = row.get(0)?;
            self.encoded.clear();
            let mut form = Canonical::begin(&mut self.encoded);
            form.number(number);
            form.reference_and_key(bytes(row, 1)?, bytes(row, 2)?);
            form.header_end(bytes(row, 3)?, bytes(row, 4)?, row.get(5)?);
            while let Some(line) = lines.next_of(number)? {
                form.line(
                    line.get(1)?,
                    bytes(line, 2)?,
                    bytes(line, 3)?,
                    line.get(4)?,
                    line.get(5)?,
                    line.get(6)?,
                    line.get(7)?,
                    line.get(8)?,
                );
            }
            while let Some(tender) = tenders.next_of(number)? {
                form.tender(bytes(tender, 1)?, tender.get(2)?, tender.get(3)?, tender.get(4)?);
            }
            form.end(row.get(6)?, row.get(7)?);
            visit(number, &self.encoded);
        }
        Ok(())
    }
}

/// A cursor over rows whose first column is the number of their sale, handed out sale by sale.
struct Cursor<'s> {
    rows: Rows<'s>,
    /// True while the row that `rows` stands on was not handed out yet.
    waiting: bool,
}

impl<'s> Cursor<'s> {
    fn new(rows: Rows<'s>) -> Cursor<'s> {
        Cursor { rows, waiting: false }
    }

    /// The next row of sale `number`. Rows of sales that have no header are passed over.
    fn next_of(&mut self, number: u32) -> Outcome<Option<&Row<'s>>> {
        loop {
            if !self.waiting && self.rows.next()?.is_none() {
                return Ok(None);
            }
            self.waiting = true;
            let sale: u32 = match self.rows.get() {
                Some(row) => row.get(0)?,
                None => return Ok(None),
            };
            if sale > number {
                return Ok(None);
            }
            self.waiting = false;
            if sale == number {
                break;
            }
        }
        Ok(self.rows.get())
    }
}

fn bytes<'r>(row: &'r Row<'_>, column: usize) -> Outcome<&'r [u8]> {
    Ok(row.get_ref(column)?.as_bytes()?)
}

impl Store for Till {
    fn sell(&mut self, sale: &Sale) -> Outcome<()> {
        if !self.rows {
            // A single statement is its own transaction.
            return self.insert_blob(sale);
        }
        self.begin()?;
        self.insert(sale)?;
        self.commit()
    }

    fn sell_together(&mut self, sales: &[Sale]) -> Outcome<()> {
        self.begin()?;
        for sale in sales {
            self.insert(sale)?;
        }
        self.commit()
    }

    fn last(&mut self) -> Outcome<Option<u32>> {
        let number = {
            let mut select = self.connection.prepare_cached(SELECT_LAST)?;
            let mut found = select.query([])?;
            match found.next()? {
                Some(row) => row.get::<_, u32>(0)?,
                None => return Ok(None),
            }
        };
        let mut last = None;
        self.read_from(number, &mut |read, _bytes| last = Some(read))?;
        Ok(last)
    }

    fn read_every(&mut self, visit: &mut dyn FnMut(u32, &[u8])) -> Outcome<()> {
        self.read_from(0, visit)
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        self.connection.close().map_err(|(_connection, error)| error)?;
        Ok(())
    }
}

/// One connection behind a lock. With a connection for each thread the waiting writers would sleep
/// and try again (SQLite's busy handler) where here they queue: the lock is the kinder form.
struct SharedTill {
    till: Mutex<Till>,
}

impl SharedStore for SharedTill {
    fn seller(&self) -> Outcome<Box<dyn Seller + '_>> {
        Ok(Box::new(TillSeller { shared: self }))
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        let till = self.till.into_inner().unwrap_or_else(PoisonError::into_inner);
        Box::new(till).close()
    }
}

struct TillSeller<'s> {
    shared: &'s SharedTill,
}

impl Seller for TillSeller<'_> {
    fn sell(&mut self, sale: &Sale) -> Outcome<()> {
        let mut till = self.shared.till.lock().map_err(|_poisoned| "a seller panicked")?;
        till.sell(sale)
    }
}
