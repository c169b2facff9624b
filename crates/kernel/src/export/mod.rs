//! Exports: a terminal's journal in forms that tax offices know, readable without this library.
//!
//! What lives here: the fold of facts into events of a shop's day (`walk.rs`), the file set of the
//! German DSFinV-K (`dsfinvk.rs`, its tables in `tables.rs`), and a chained journal of receipts in
//! the manner of the Austrian DEP (`dep.rs`). What must not: any amount that the journal does not
//! say or pricing does not give, and any claim of certification: the forms are those of the
//! documents named in each file, and no fiscal device is behind them.
//!
//! An export reads the journal and never writes it. It is made in a folder beside its place and
//! renamed when it is whole. Read `walk.rs` first.

mod dep;
mod dsfinvk;
mod tables;
pub(crate) mod walk;

use crate::code::Code;
use crate::error::{Error, Result};
use crate::terminal::History;
use std::fs;
use std::path::Path;

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The CSV file set of DSFinV-K 2.4.
    DsfinvK,
    /// A chained journal of receipts, in the manner of the DEP of the Austrian RKSV.
    Dep,
}

impl Format {
    /// Reads a name.
    ///
    /// # Errors
    /// `PK_E_BAD_ARGUMENT`.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "dsfinvk" => Ok(Self::DsfinvK),
            "dep" => Ok(Self::Dep),
            _ => {
                let shown: String = name.chars().take(40).collect();
                let message = format!("export format {shown:?} is not one of dsfinvk, dep");
                let error = Error::new(Code::BadArgument, message);
                Err(error.with("argument", "format").with("value", shown))
            }
        }
    }
}

/// Who runs the till, for the master data of an export. The journal does not know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Business {
    /// Name of the taxpayer.
    pub name: String,
    /// Street and number.
    pub street: String,
    /// Post code.
    pub post_code: String,
    /// City.
    pub city: String,
    /// Country, three letters of ISO 3166.
    pub country: String,
    /// Tax number.
    pub tax_number: String,
    /// VAT identification number.
    pub vat_id: String,
}

/// What an export holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exported {
    /// Files with their rows, headings not counted.
    pub files: Vec<(String, u64)>,
    /// Z reports.
    pub closings: u64,
    /// Receipts.
    pub receipts: u64,
    /// Receipts since the last Z report, which the form has no place for.
    pub unclosed: u64,
}

/// Writes an export of a terminal's journal into a new folder.
///
/// # Errors
/// `PK_E_BAD_ARGUMENT` when there is something at `dir` already; `PK_E_NOT_FOUND` when there is no
/// journal; `PK_E_CORRUPT`, `PK_E_INCONSISTENT`, `PK_E_VERSION` for what cannot be read; `PK_E_IO`,
/// `PK_E_NO_SPACE`.
pub fn export(
    history: &History,
    terminal: &str,
    format: Format,
    business: &Business,
    dir: &Path,
) -> Result<Exported> {
    if dir.exists() {
        let message = format!("{} is there already; name a new folder", dir.display());
        let error = Error::new(Code::BadArgument, message).with("argument", "dir");
        return Err(error.with("value", dir.display().to_string()));
    }
    let unfinished = dir.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(|e| Error::io("remove", &unfinished, &e))?;
    }
    fs::create_dir_all(&unfinished).map_err(|e| Error::io("create", &unfinished, &e))?;
    let exported = match format {
        Format::DsfinvK => dsfinvk::write(history, terminal, business, &unfinished),
        Format::Dep => dep::write(history, terminal, &unfinished),
    };
    match exported {
        Ok(exported) => {
            fs::rename(&unfinished, dir).map_err(|error| Error::io("rename", dir, &error))?;
            Ok(exported)
        }
        Err(error) => {
            // What is left of it says nothing; the error does.
            let _ = fs::remove_dir_all(&unfinished);
            Err(error)
        }
    }
}

/// An amount of minor units with its decimal places: 1404 with two is `14.04`.
fn major(amount: i64, digits: u8, point: char) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let digits = usize::from(digits);
    let text = format!("{:0>width$}", amount.unsigned_abs(), width = digits + 1);
    let (whole, part) = text.split_at(text.len() - digits);
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}{point}{part}") }
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn amounts_get_their_decimal_places() {
        let amounts = [1404, 5, -5, 0, -1404].map(|amount| major(amount, 2, ','));
        assert_eq!(amounts, ["14,04", "0,05", "-0,05", "0,00", "-14,04"]);
        assert_eq!([major(1404, 0, '.'), major(1404, 3, '.')], ["1404", "1.404"]);
    }
}
