//! Whole sales, receipts and reports as JSON: the same names and shapes as the TypeScript API, so
//! that one reader serves every door.

use pos_kernel_core::clock::iso_utc;
use pos_kernel_core::journal::{Hash, TaxRowRecord, TaxTotals, TerminalReport, hex};
use pos_kernel_core::money::Decimal;
use pos_kernel_core::pricing::{Applied, Cart, LineKind, LineSplit, TaxComponent, Worth};
use pos_kernel_core::sale::{Line, Receipt, Sale, Tender, Totals};
use pos_kernel_core::terminal::{CashInTransit, OwnerRecord, RecoveryReport, Waiting};
use serde_json::{Map, Value, json};

fn put(map: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        map.insert(name.to_owned(), value.into());
    }
}

/// A field that says nothing is left out: the kind of an item, a price for one unit, the taxes of a
/// line without any.
fn line(line: &Line, split: Option<LineSplit<'_>>) -> Value {
    let mut map = Map::new();
    put(&mut map, "line", Some(line.number));
    put(&mut map, "kind", (line.kind != LineKind::Item).then(|| line.kind.name()));
    put(&mut map, "sku", Some(&*line.sku));
    put(&mut map, "text", line.text.as_deref());
    put(&mut map, "quantity", Some(line.quantity.to_string()));
    put(&mut map, "unitPrice", Some(line.unit_price.to_string()));
    put(&mut map, "perQuantity", (line.per != Decimal::whole(1)).then(|| line.per.to_string()));
    let is_adjusted = !line.adjustments.is_empty();
    put(&mut map, "listed", is_adjusted.then_some(line.listed));
    let adjustments = || line.adjustments.iter().map(applied).collect::<Vec<_>>();
    put(&mut map, "adjustments", is_adjusted.then(adjustments));
    put(&mut map, "amount", Some(line.amount));
    let split = split.filter(|split| !split.components.is_empty());
    let line_tax = |(index, component): (usize, &TaxComponent)| {
        let mut map = tax(component);
        put(&mut map, "tax", split.map(|split| split.taxes[index]));
        Value::from(map)
    };
    let taxes = || line.taxes.iter().enumerate().map(line_tax).collect::<Vec<_>>();
    put(&mut map, "taxes", (!line.taxes.is_empty()).then(taxes));
    put(&mut map, "net", split.map(|split| split.net));
    put(&mut map, "gross", split.map(|split| split.gross));
    put(&mut map, "voided", line.voided.as_deref());
    put(&mut map, "parent", line.parent);
    let of = line.of.as_ref();
    let of =
        of.map(|at| json!({"terminal": at.terminal, "receiptNumber": at.receipt, "line": at.line}));
    put(&mut map, "of", of);
    map.into()
}

/// Lines with what each comes to: worked out only where a line has taxes, since that visits all.
fn lines(lines: &[Line], cart: &Cart) -> Vec<Value> {
    let splits = lines.iter().any(|line| !line.taxes.is_empty()).then(|| cart.splits());
    let split_of = |line: &Line| splits.as_ref().and_then(|splits| splits.line(line.number));
    lines.iter().map(|each| line(each, split_of(each))).collect()
}

fn applied(applied: &Applied) -> Value {
    let mut map = Map::new();
    put(&mut map, "number", Some(applied.number));
    put(&mut map, "kind", Some(applied.adjustment.direction.name()));
    match applied.adjustment.worth {
        Worth::Amount(amount) => put(&mut map, "amount", Some(amount)),
        Worth::Percent(ppm) => put(&mut map, "percent", Some(percent(ppm))),
    }
    put(&mut map, "ofSale", Some(applied.of_sale));
    put(&mut map, "adjusted", Some(applied.amount));
    map.into()
}

fn tax(component: &TaxComponent) -> Map<String, Value> {
    let mut map = Map::new();
    put(&mut map, "rate", Some(percent(component.rate_ppm)));
    put(&mut map, "class", Some(component.class.as_str()));
    put(&mut map, "inclusive", Some(component.inclusive));
    map
}

fn tax_row(component: &TaxComponent, net: i64, amount: i64) -> Value {
    let mut map = tax(component);
    put(&mut map, "net", Some(net));
    put(&mut map, "tax", Some(amount));
    put(&mut map, "gross", Some(net + amount));
    map.into()
}

fn tax_totals(totals: &TaxTotals) -> Value {
    let mut map = tax(&totals.tax);
    put(&mut map, "soldNet", Some(totals.sold_net));
    put(&mut map, "soldTax", Some(totals.sold_tax));
    put(&mut map, "returnedNet", Some(totals.returned_net));
    put(&mut map, "returnedTax", Some(totals.returned_tax));
    map.into()
}

/// Parts per million as per cent: 82,500 is `8.25`.
fn percent(ppm: u32) -> String {
    let (whole, fraction) = (ppm / 10_000, ppm % 10_000);
    if fraction == 0 {
        return whole.to_string();
    }
    format!("{whole}.{fraction:04}").trim_end_matches('0').to_owned()
}

fn tender(tender: &Tender) -> Value {
    let mut map = Map::new();
    put(&mut map, "tender", Some(tender.number));
    put(&mut map, "kind", Some(tender.kind.name()));
    put(&mut map, "amount", Some(tender.amount));
    put(&mut map, "tip", (tender.tip != 0).then_some(tender.tip));
    let foreign = tender.foreign.as_ref().map(|given| {
        let mut map = Map::new();
        put(&mut map, "currency", Some(given.currency.letters()));
        put(&mut map, "amount", Some(given.amount));
        put(&mut map, "rate", Some(given.rate.to_string()));
        put(&mut map, "per", given.per);
        Value::from(map)
    });
    put(&mut map, "foreign", foreign);
    put(&mut map, "state", Some(tender.state.name()));
    put(&mut map, "reference", tender.reference.as_deref());
    put(&mut map, "auth", tender.auth.as_deref());
    map.into()
}

fn totals(totals: &Totals) -> Value {
    json!({
        "net": totals.net,
        "tax": totals.tax,
        "gross": totals.gross,
        "discount": totals.discounts,
        "surcharge": totals.surcharges,
        "cashPayable": totals.cash_payable,
        "rounding": totals.rounding,
        "tendered": totals.tendered,
        "pending": totals.pending,
        "tips": totals.tips,
        "due": totals.due,
        "change": totals.change,
        "state": totals.state.name(),
    })
}

pub(crate) fn receipt(receipt: &Receipt) -> Value {
    let mut map = Map::new();
    put(&mut map, "sale", Some(receipt.sale));
    put(&mut map, "receiptNumber", Some(receipt.number));
    put(&mut map, "circle", Some(receipt.circle.name()));
    put(&mut map, "operator", receipt.operator.as_deref());
    put(&mut map, "store", Some(&*receipt.store));
    put(&mut map, "currency", Some(receipt.currency.letters()));
    put(&mut map, "reference", receipt.reference.as_deref());
    put(&mut map, "key", receipt.key.as_deref());
    put(&mut map, "lines", Some(lines(&receipt.lines, receipt.cart())));
    put(&mut map, "tenders", Some(receipt.tenders.iter().map(tender).collect::<Vec<_>>()));
    put(&mut map, "net", Some(receipt.net));
    put(&mut map, "tax", Some(receipt.tax));
    put(&mut map, "gross", Some(receipt.gross));
    put(&mut map, "discount", Some(receipt.discounts));
    put(&mut map, "surcharge", Some(receipt.surcharges));
    let row = |row: &TaxRowRecord| tax_row(&row.tax, row.net, row.amount);
    put(&mut map, "taxes", Some(receipt.taxes.iter().map(row).collect::<Vec<_>>()));
    put(&mut map, "rounding", Some(receipt.rounding));
    put(&mut map, "tendered", Some(receipt.tendered));
    put(&mut map, "tips", Some(receipt.tips));
    put(&mut map, "change", Some(receipt.change));
    put(&mut map, "totalSales", Some(receipt.total_sales));
    put(&mut map, "totalReturns", Some(receipt.total_returns));
    let perpetual = receipt.perpetual.as_ref().map(|sums| {
        json!({
            "salesTax": sums.sales_tax,
            "returnsTax": sums.returns_tax,
            "rounding": sums.rounding,
            "taxes": sums.taxes.iter().map(tax_totals).collect::<Vec<_>>(),
        })
    });
    put(&mut map, "perpetual", perpetual);
    let policy = receipt.has_policy.then(|| Hash(receipt.policy().hash()).to_string());
    put(&mut map, "policy", policy);
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
    put(&mut map, "lines", Some(lines(&sale.lines, sale.cart())));
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

pub(crate) fn in_transit(cash: &CashInTransit) -> Value {
    let CashInTransit { ticket, from, to, currency, amount, reason, at } = cash;
    json!({
        "ticket": ticket,
        "from": from,
        "to": to,
        "currency": currency,
        "amount": amount,
        "reason": reason,
        "at": at,
    })
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
