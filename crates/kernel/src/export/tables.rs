//! The tables of DSFinV-K 2.4 (Digitale Schnittstelle der Finanzverwaltung für Kassensysteme, annex I
//! and the `index.xml` that goes with it): file, what it holds, columns in their order. Each table
//! begins with the three columns of the closing, which are left out here.

use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::{self, File};
use std::path::Path;

/// What stands in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Text(&'static str),
    /// A number with so many decimal places.
    Number(&'static str, u8),
}

use Column::{Number, Text};

pub(super) struct Table {
    pub(super) file: &'static str,
    title: &'static str,
    columns: &'static [Column],
}

const CLOSING: [Column; 3] = [Text("Z_KASSE_ID"), Text("Z_ERSTELLUNG"), Number("Z_NR", 0)];

#[rustfmt::skip]
pub(super) const TABLES: &[Table] = &[
    Table { file: "cashpointclosing.csv", title: "Stamm_Abschluss", columns: &[
        Text("Z_BUCHUNGSTAG"), Text("TAXONOMIE_VERSION"), Text("Z_START_ID"), Text("Z_ENDE_ID"),
        Text("NAME"), Text("STRASSE"), Text("PLZ"), Text("ORT"), Text("LAND"), Text("STNR"), Text("USTID"),
        Number("Z_SE_ZAHLUNGEN", 2), Number("Z_SE_BARZAHLUNGEN", 2)] },
    Table { file: "location.csv", title: "Stamm_Orte", columns: &[
        Text("LOC_NAME"), Text("LOC_STRASSE"), Text("LOC_PLZ"), Text("LOC_ORT"), Text("LOC_LAND"),
        Text("LOC_USTID")] },
    Table { file: "cashregister.csv", title: "Stamm_Kassen", columns: &[
        Text("KASSE_BRAND"), Text("KASSE_MODELL"), Text("KASSE_SERIENNR"), Text("KASSE_SW_BRAND"),
        Text("KASSE_SW_VERSION"), Text("KASSE_BASISWAEH_CODE"), Number("KEINE_UST_ZUORDNUNG", 0)] },
    Table { file: "slaves.csv", title: "Stamm_Terminals", columns: &[
        Text("TERMINAL_ID"), Text("TERMINAL_BRAND"), Text("TERMINAL_MODELL"), Text("TERMINAL_SERIENNR"),
        Text("TERMINAL_SW_BRAND"), Text("TERMINAL_SW_VERSION")] },
    Table { file: "pa.csv", title: "Stamm_Agenturen", columns: &[
        Number("AGENTUR_ID", 0), Text("AGENTUR_NAME"), Text("AGENTUR_STRASSE"), Text("AGENTUR_PLZ"),
        Text("AGENTUR_ORT"), Text("AGENTUR_LAND"), Text("AGENTUR_STNR"), Text("AGENTUR_USTID")] },
    Table { file: "vat.csv", title: "Stamm_USt", columns: &[
        Number("UST_SCHLUESSEL", 0), Number("UST_SATZ", 2), Text("UST_BESCHR")] },
    Table { file: "tse.csv", title: "Stamm_TSE", columns: &[
        Number("TSE_ID", 0), Text("TSE_SERIAL"), Text("TSE_SIG_ALGO"), Text("TSE_ZEITFORMAT"),
        Text("TSE_PD_ENCODING"), Text("TSE_PUBLIC_KEY"), Text("TSE_ZERTIFIKAT_I"), Text("TSE_ZERTIFIKAT_II")] },
    Table { file: "transactions.csv", title: "Bonkopf", columns: &[
        Text("BON_ID"), Number("BON_NR", 0), Text("BON_TYP"), Text("BON_NAME"), Text("TERMINAL_ID"),
        Number("BON_STORNO", 0), Text("BON_START"), Text("BON_ENDE"), Text("BEDIENER_ID"),
        Text("BEDIENER_NAME"), Number("UMS_BRUTTO", 2), Text("KUNDE_NAME"), Text("KUNDE_ID"),
        Text("KUNDE_TYP"), Text("KUNDE_STRASSE"), Text("KUNDE_PLZ"), Text("KUNDE_ORT"),
        Text("KUNDE_LAND"), Text("KUNDE_USTID"), Text("BON_NOTIZ")] },
    Table { file: "transactions_vat.csv", title: "Bonkopf_USt", columns: &[
        Text("BON_ID"), Number("UST_SCHLUESSEL", 0), Number("BON_BRUTTO", 2), Number("BON_NETTO", 2),
        Number("BON_UST", 2)] },
    Table { file: "datapayment.csv", title: "Bonkopf_Zahlarten", columns: &[
        Text("BON_ID"), Text("ZAHLART_TYP"), Text("ZAHLART_NAME"), Text("ZAHLWAEH_CODE"),
        Number("ZAHLWAEH_BETRAG", 2), Number("BASISWAEH_BETRAG", 2)] },
    Table { file: "allocation_groups.csv", title: "Bonkopf_AbrKreis", columns: &[
        Text("BON_ID"), Text("ABRECHNUNGSKREIS")] },
    Table { file: "references.csv", title: "Bon_Referenzen", columns: &[
        Text("BON_ID"), Number("POS_ZEILE", 0), Text("REF_TYP"), Text("REF_NAME"), Text("REF_DATUM"),
        Text("REF_Z_KASSE_ID"), Number("REF_Z_NR", 0), Text("REF_BON_ID")] },
    Table { file: "transactions_tse.csv", title: "TSE_Transaktionen", columns: &[
        Text("BON_ID"), Number("TSE_ID", 0), Number("TSE_TANR", 0), Text("TSE_TA_START"),
        Text("TSE_TA_ENDE"), Text("TSE_TA_VORGANGSART"), Number("TSE_TA_SIGZ", 0), Text("TSE_TA_SIG"),
        Text("TSE_TA_FEHLER"), Text("TSE_TA_VORGANGSDATEN")] },
    Table { file: "lines.csv", title: "Bonpos", columns: &[
        Text("BON_ID"), Number("POS_ZEILE", 0), Text("GUTSCHEIN_NR"), Text("ARTIKELTEXT"),
        Text("POS_TERMINAL_ID"), Text("GV_TYP"), Text("GV_NAME"), Number("INHAUS", 0),
        Number("P_STORNO", 0), Number("AGENTUR_ID", 0), Text("ART_NR"), Text("GTIN"),
        Text("WARENGR_ID"), Text("WARENGR"), Number("MENGE", 3), Number("FAKTOR", 3), Text("EINHEIT"),
        Number("STK_BR", 5)] },
    Table { file: "lines_vat.csv", title: "Bonpos_USt", columns: &[
        Text("BON_ID"), Number("POS_ZEILE", 0), Number("UST_SCHLUESSEL", 0), Number("POS_BRUTTO", 5),
        Number("POS_NETTO", 5), Number("POS_UST", 5)] },
    Table { file: "itemamounts.csv", title: "Bonpos_Preisfindung", columns: &[
        Text("BON_ID"), Number("POS_ZEILE", 0), Text("TYP"), Number("UST_SCHLUESSEL", 0),
        Number("PF_BRUTTO", 5), Number("PF_NETTO", 5), Number("PF_UST", 5)] },
    Table { file: "subitems.csv", title: "Bonpos_Zusatzinfo", columns: &[
        Text("BON_ID"), Number("POS_ZEILE", 0), Text("ZI_ART_NR"), Text("ZI_GTIN"), Text("ZI_NAME"),
        Text("ZI_WARENGR_ID"), Text("ZI_WARENGR"), Number("ZI_MENGE", 3), Number("ZI_FAKTOR", 3),
        Text("ZI_EINHEIT"), Number("ZI_UST_SCHLUESSEL", 0), Number("ZI_BASISPREIS_BRUTTO", 5),
        Number("ZI_BASISPREIS_NETTO", 5), Number("ZI_BASISPREIS_UST", 5)] },
    Table { file: "businesscases.csv", title: "Z_GV_Typ", columns: &[
        Text("GV_TYP"), Text("GV_NAME"), Number("AGENTUR_ID", 0), Number("UST_SCHLUESSEL", 0),
        Number("Z_UMS_BRUTTO", 5), Number("Z_UMS_NETTO", 5), Number("Z_UMS_UST", 5)] },
    Table { file: "payment.csv", title: "Z_Zahlart", columns: &[
        Text("ZAHLART_TYP"), Text("ZAHLART_NAME"), Number("Z_ZAHLART_BETRAG", 2)] },
    Table { file: "cash_per_currency.csv", title: "Z_Waehrungen", columns: &[
        Text("ZAHLART_WAEH"), Number("ZAHLART_BETRAG_WAEH", 2)] },
];

/// The open files of an export.
pub(super) struct Writers {
    files: BTreeMap<&'static str, (csv::Writer<File>, u64)>,
}

impl Writers {
    /// Makes every file with its headings.
    pub(super) fn create(dir: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        for table in TABLES {
            let path = dir.join(table.file);
            let file = File::create(&path).map_err(|error| Error::io("create", &path, &error))?;
            let mut writer = csv::WriterBuilder::new()
                .delimiter(b';')
                .terminator(csv::Terminator::CRLF)
                .from_writer(file);
            let headings = CLOSING.iter().chain(table.columns).map(|column| column.name());
            writer.write_record(headings).map_err(failed)?;
            files.insert(table.file, (writer, 0));
        }
        Ok(Self { files })
    }

    /// Appends a row: the closing's three values and the table's own.
    pub(super) fn row(
        &mut self,
        file: &'static str,
        closing: &[String; 3],
        values: &[&str],
    ) -> Result<()> {
        let (writer, rows) = self.files.get_mut(file).expect("every table has its file");
        let closing = closing.iter().map(String::as_str);
        writer.write_record(closing.chain(values.iter().copied())).map_err(failed)?;
        *rows += 1;
        Ok(())
    }

    /// Closes the files and says how many rows each has.
    pub(super) fn finish(self, dir: &Path) -> Result<Vec<(String, u64)>> {
        let mut counts = Vec::new();
        for (name, (writer, rows)) in self.files {
            let path = dir.join(name);
            let file =
                writer.into_inner().map_err(|error| Error::io("write", &path, error.error()))?;
            file.sync_all().map_err(|error| Error::io("sync", &path, &error))?;
            counts.push((name.to_owned(), rows));
        }
        Ok(counts)
    }
}

impl Column {
    fn name(self) -> &'static str {
        match self {
            Text(name) | Number(name, _) => name,
        }
    }
}

/// Writes `index.xml`, by which audit software reads the tables (GDPdU, 1 September 2004).
pub(super) fn write_index(dir: &Path, supplier: &str, digits: u8) -> Result<()> {
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <!DOCTYPE DataSet SYSTEM \"gdpdu-01-09-2004.dtd\">\n<DataSet>\n  <Version>1.0</Version>\n",
    );
    let supplier = escaped(supplier);
    let _ = writeln!(
        xml,
        "  <DataSupplier>\n    <Name>{supplier}</Name>\n    <Location></Location>\n    \
         <Comment>DSFinV-K 2.4</Comment>\n  </DataSupplier>\n  <Media>\n    <Name>1</Name>"
    );
    for table in TABLES {
        let (file, title) = (table.file, table.title);
        let _ = write!(
            xml,
            "    <Table>\n      <URL>{file}</URL>\n      <Name>{title}</Name>\n      <UTF8/>\n      \
             <DecimalSymbol>,</DecimalSymbol>\n      \
             <DigitGroupingSymbol>.</DigitGroupingSymbol>\n      <Range><From>2</From></Range>\n      \
             <VariableLength>\n        <ColumnDelimiter>;</ColumnDelimiter>\n        \
             <RecordDelimiter>&#13;&#10;</RecordDelimiter>\n        \
             <TextEncapsulator>\"</TextEncapsulator>\n"
        );
        for column in CLOSING.iter().chain(table.columns) {
            let name = column.name();
            let kind = match column {
                Text(_) => "<AlphaNumeric/>".to_owned(),
                Number(_, 0) => "<Numeric/>".to_owned(),
                // Amounts have the decimal places of the currency.
                Number(_, 2) => format!("<Numeric><Accuracy>{digits}</Accuracy></Numeric>"),
                Number(_, places) => format!("<Numeric><Accuracy>{places}</Accuracy></Numeric>"),
            };
            let _ =
                writeln!(xml, "        <VariableColumn><Name>{name}</Name>{kind}</VariableColumn>");
        }
        xml.push_str("      </VariableLength>\n    </Table>\n");
    }
    xml.push_str("  </Media>\n</DataSet>\n");
    let path = dir.join("index.xml");
    fs::write(&path, xml).map_err(|error| Error::io("write", &path, &error))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn failed(error: csv::Error) -> Error {
    let message = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(error) => Error::io("write", Path::new("the export"), &error),
        _ => Error::new(crate::code::Code::Io, message),
    }
}
