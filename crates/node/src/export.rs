//! Exports of journals, off the event loop.

use crate::fault::{Cross, thrown};
use crate::value::number;
use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Task};
use napi_derive::napi;
use pos_kernel_core::Result;
use pos_kernel_core::export::{Business, Exported, Format, export};
use pos_kernel_core::terminal::{History, TerminalId, terminal_dir};
use std::path::{Path, PathBuf};

/// Who runs the till.
#[napi(object)]
pub struct NativeBusiness {
    /// Name of the taxpayer.
    pub name: Option<String>,
    /// Street and number.
    pub street: Option<String>,
    /// Post code.
    pub post_code: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Country, three letters of ISO 3166.
    pub country: Option<String>,
    /// Tax number.
    pub tax_number: Option<String>,
    /// VAT identification number.
    pub vat_id: Option<String>,
}

/// A file of an export.
#[napi(object)]
pub struct NativeExportedFile {
    /// Name.
    pub name: String,
    /// Rows, headings not counted.
    pub rows: i64,
}

/// What an export holds.
#[napi(object)]
pub struct NativeExported {
    /// Its files.
    pub files: Vec<NativeExportedFile>,
    /// Z reports.
    pub closings: i64,
    /// Receipts.
    pub receipts: i64,
    /// Receipts since the last Z report, which the form has no place for.
    pub unclosed: i64,
}

/// An export under way.
pub struct ExportTask {
    history: History,
    terminal: String,
    format: Format,
    business: Business,
    dir: PathBuf,
}

impl Task for ExportTask {
    type Output = Result<Exported>;
    type JsValue = NativeExported;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(export(&self.history, &self.terminal, self.format, &self.business, &self.dir))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        match output {
            Ok(exported) => Ok(exported.into()),
            Err(error) => Err(thrown(&env, &error)),
        }
    }
}

impl From<Exported> for NativeExported {
    fn from(exported: Exported) -> Self {
        let file = |(name, rows)| NativeExportedFile { name, rows: number(rows) };
        Self {
            files: exported.files.into_iter().map(file).collect(),
            closings: number(exported.closings),
            receipts: number(exported.receipts),
            unclosed: number(exported.unclosed),
        }
    }
}

/// Writes an export of a terminal's journal into a new folder.
#[napi]
pub fn export_journal(
    env: &Env,
    root: String,
    terminal: String,
    format: String,
    dir: String,
    business: NativeBusiness,
) -> napi::Result<AsyncTask<ExportTask>> {
    let id = TerminalId::parse(&terminal).cross(env)?;
    let format = Format::parse(&format).cross(env)?;
    let text = Option::unwrap_or_default;
    Ok(AsyncTask::new(ExportTask {
        history: History::of_terminal(&terminal_dir(Path::new(&root), &id)),
        terminal,
        format,
        business: Business {
            name: text(business.name),
            street: text(business.street),
            post_code: text(business.post_code),
            city: text(business.city),
            country: text(business.country),
            tax_number: text(business.tax_number),
            vat_id: text(business.vat_id),
        },
        dir: PathBuf::from(dir),
    }))
}
