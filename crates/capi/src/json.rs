//! Whole sales, receipts and reports as JSON: the same names and shapes as the TypeScript API, so
//! that one reader serves every door.

use pos_kernel_core::clock::iso_utc;
use pos_kernel_core::journal::{Hash, TerminalReport, hex};
use pos_kernel_core::sale::{Line, Receipt, Sale, Tender, Totals};
use pos_kernel_core::terminal::{OwnerRecord, RecoveryReport, Waiting};
use serde_json::{Map, Value, json};

fn put(map: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        map.insert(name.to_owned(), value.into());
    }
}

fn line(line: &Line) -> Value {
    let mut map = Map::new();
    put(&mut map, "line", Some(line.number));
    put(&mut map, "sku", Some(&*line.sku));
    put(&mut map, "text", line.text.as_deref());
    put(&mut map, "quantity", Some(line.quantity.to_string()));
    put(&mut map, "unitPrice", Some(line.unit_price.to_string()));
    put(&mut map, "amount", Some(line.amount));
    put(&mut map, "voided", line.voided.as_deref());
    put(&mut map, "parent", line.parent);
    map.into()
}

fn tender(tender: &Tender) -> Value {
    let mut map = Map::new();
    put(&mut map, "tender", Some(tender.number));
    put(&mut map, "kind", Some(tender.kind.name()));
    put(&mut map, "amount", Some(tender.amount));
    put(&mut map, "state", Some(tender.state.name()));
    put(&mut map, "reference", tender.reference.as_deref());
    put(&mut map, "auth", tender.auth.as_deref());
    map.into()
}

fn totals(totals: &Totals) -> Value {
    json!({
        "gross": totals.gross,
        "tendered": totals.tendered,
        "pending": totals.pending,
        "due": totals.due,
        "change": totals.change,
        "state": totals.state.name(),
    })
}

pub(crate) fn receipt(receipt: &Receipt) -> Value {
    let mut map = Map::new();
    put(&mut map, "sale", Some(receipt.sale));
    put(&mut map, "receiptNumber", Some(receipt.number));
    put(&mut map, "store", Some(&*receipt.store));
    put(&mut map, "currency", Some(receipt.currency.letters()));
    put(&mut map, "reference", receipt.reference.as_deref());
    put(&mut map, "key", receipt.key.as_deref());
    put(&mut map, "lines", Some(receipt.lines.iter().map(line).collect::<Vec<_>>()));
    put(&mut map, "tenders", Some(receipt.tenders.iter().map(tender).collect::<Vec<_>>()));
    put(&mut map, "gross", Some(receipt.gross));
    put(&mut map, "tendered", Some(receipt.tendered));
    put(&mut map, "change", Some(receipt.change));
    put(&mut map, "totalSales", Some(receipt.total_sales));
    put(&mut map, "totalReturns", Some(receipt.total_returns));
    put(&mut map, "at", Some(iso_utc(receipt.meta.at_ns)));
    put(&mut map, "beganAt", Some(iso_utc(receipt.began_ns)));
    put(&mut map, "hash", Some(Hash(receipt.meta.hash).to_string()));
    put(&mut map, "sequence", Some(receipt.meta.sequence));
    map.into()
}

pub(crate) fn sale(sale: &Sale) -> Value {
    let mut map = Map::new();
    put(&mut map, "sale", Some(sale.number));
    put(&mut map, "store", Some(&*sale.store));
    put(&mut map, "currency", Some(sale.currency.letters()));
    put(&mut map, "reference", sale.reference.as_deref());
    put(&mut map, "state", Some(sale.state().name()));
    put(&mut map, "recovered", Some(sale.recovered));
    put(&mut map, "beganAt", Some(iso_utc(sale.began_ns)));
    put(&mut map, "lines", Some(sale.lines.iter().map(line).collect::<Vec<_>>()));
    put(&mut map, "tenders", Some(sale.tenders.iter().map(tender).collect::<Vec<_>>()));
    put(&mut map, "totals", Some(totals(&sale.totals())));
    put(&mut map, "ticket", sale.ticket.as_deref());
    let returns = sale.returns.as_ref();
    let returns = returns.map(|of| json!({ "terminal": of.terminal, "receiptNumber": of.receipt }));
    put(&mut map, "returns", returns);
    let takes = sale.takes.as_ref().map(
        |taken| json!({ "terminal": taken.terminal, "sale": taken.sale, "ticket": taken.ticket }),
    );
    put(&mut map, "takes", takes);
    map.into()
}

pub(crate) fn waiting(waiting: &Waiting) -> Value {
    let mut map = Map::new();
    put(&mut map, "ticket", Some(&*waiting.ticket));
    put(&mut map, "terminal", Some(&*waiting.terminal));
    put(&mut map, "sale", Some(waiting.sale));
    put(&mut map, "reference", waiting.reference.as_deref());
    put(&mut map, "currency", Some(&*waiting.currency));
    put(&mut map, "gross", Some(waiting.gross));
    put(&mut map, "lines", Some(waiting.lines));
    put(&mut map, "reason", Some(&*waiting.reason));
    put(&mut map, "at", Some(&*waiting.at));
    map.into()
}

fn owner(owner: &OwnerRecord) -> Value {
    let mut map = Map::new();
    put(&mut map, "pid", Some(owner.pid));
    put(&mut map, "host", Some(&*owner.host));
    put(&mut map, "version", Some(&*owner.version));
    put(&mut map, "hostVersion", owner.host_version.as_deref());
    put(&mut map, "epoch", Some(owner.epoch));
    put(&mut map, "openedAt", Some(&*owner.opened_at));
    put(&mut map, "released", Some(owner.released));
    map.into()
}

pub(crate) fn recovery(report: &RecoveryReport) -> Value {
    let mut map = Map::new();
    put(&mut map, "clean", Some(report.clean));
    put(&mut map, "firstOpen", Some(report.first_open));
    put(&mut map, "epoch", Some(report.epoch));
    put(&mut map, "previousOwner", report.previous_owner.as_ref().map(owner));
    let cut = report.cut.as_ref().map(|cut| {
        json!({
            "segment": cut.segment,
            "offset": cut.offset,
            "bytes": cut.bytes,
            "keptAs": cut.kept_as,
        })
    });
    put(&mut map, "cut", cut);
    put(&mut map, "sales", Some(report.sales.clone()));
    put(&mut map, "records", Some(report.records));
    put(&mut map, "durableSequence", Some(report.durable_sequence));
    map.into()
}

pub(crate) fn report(id: &str, report: &TerminalReport) -> Value {
    let problems = report.problems.iter().map(|problem| {
        json!({
            "segment": problem.segment,
            "offset": problem.offset,
            "sequence": problem.sequence,
            "code": problem.code.name(),
            "message": problem.message,
        })
    });
    json!({
        "id": id,
        "ok": report.problem_count == 0,
        "records": report.records,
        "segments": report.segments,
        "head": Hash(report.head).to_string(),
        "lastSequence": report.last_sequence,
        "receipts": report.receipts,
        "tornBytes": report.torn_bytes,
        "firstSequence": report.first_sequence,
        "signing": report.signing.as_ref().map(|signing| json!({
            "signer": signing.info.signer,
            "algorithm": signing.info.algorithm,
            "key": hex(&signing.info.key),
            "up": signing.up,
            "signatures": signing.signatures,
            "late": signing.late,
            "unjudged": signing.unjudged,
            "unsigned": signing.unsigned,
            "signedSequence": signing.signed_sequence,
        })),
        "archived": report.archived.map(|archived| json!({
            "segment": archived.segment,
            "lastSequence": archived.last_sequence,
            "link": hex(&archived.link),
        })),
        "archiveSegments": report.archive_segments,
        "problems": problems.collect::<Vec<_>>(),
        "problemCount": report.problem_count,
    })
}
