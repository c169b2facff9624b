//! The answers of this room as JSON, the same for every door.

use super::check::{AuditCheck, LineProblem, TerminalCheck};
use super::log::Head;
use super::merge::Merged;
use super::report::{NS_PER_HOUR, StoreReport, Sums};
use super::transfers::{OnItsWay, TransferProblem, Transfers};
use crate::clock::iso_utc;
use crate::code::Code;
use crate::journal::{Field, VerifyProblem, hex};
use crate::limits::SCALE_MAX;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

impl Head {
    fn to_json(self) -> Value {
        let Self { line, hash, bytes, block } = self;
        json!({ "line": line, "hash": hex(&hash), "bytes": bytes, "block": block })
    }
}

fn problem(problem: &VerifyProblem) -> Map<String, Value> {
    let VerifyProblem { segment, offset, sequence, code, message } = problem;
    let mut value = Map::new();
    value.insert("segment".to_owned(), (*segment).into());
    value.insert("offset".to_owned(), (*offset).into());
    value.insert("sequence".to_owned(), (*sequence).into());
    value.insert("code".to_owned(), code.name().into());
    value.insert("message".to_owned(), message.as_str().into());
    value
}

impl Merged {
    /// All of it, with the bytes that were cut when the log was opened.
    #[must_use]
    pub fn to_json(&self, cut_bytes: u64) -> Value {
        let Self { frames, records, blocks, terminals, head, faults } = self;
        let faults = faults.iter().map(|fault| {
            let mut value = problem(&fault.problem);
            value.insert("terminal".to_owned(), fault.terminal.as_str().into());
            Value::Object(value)
        });
        json!({
            "ok": faults.len() == 0, "frames": frames, "records": records, "blocks": blocks,
            "terminals": terminals, "cutBytes": cut_bytes, "head": head.to_json(),
            "faults": faults.collect::<Vec<_>>(),
        })
    }
}

impl AuditCheck {
    /// All of it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let line = |it: &LineProblem| {
            let LineProblem { line, offset, message } = it;
            let code = Code::AuditLog.name();
            json!({ "line": line, "offset": offset, "code": code, "message": message })
        };
        let terminal = |it: &TerminalCheck| {
            let TerminalCheck { id, frames, sequence, behind, noted, problems } = it;
            let problems: Vec<_> = problems.iter().map(problem).collect();
            let mut value = json!({
                "id": id, "frames": frames, "sequence": sequence, "behind": behind,
                "problems": problems,
            });
            if let Some(noted) = noted {
                value["noted"] = Value::Object(problem(noted));
            }
            value
        };
        json!({
            "ok": self.problem_count == 0,
            "complete": self.terminals.iter().all(|terminal| terminal.behind == 0),
            "head": self.head.to_json(),
            "frames": self.frames,
            "records": self.records,
            "late": self.late,
            "unfinishedBytes": self.unfinished_bytes,
            "terminals": self.terminals.iter().map(terminal).collect::<Vec<_>>(),
            "transfers": self.transfers.to_json(),
            "problems": self.problems.iter().map(line).collect::<Vec<_>>(),
            "problemCount": self.problem_count,
        })
    }
}

impl Transfers {
    /// All of it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let way = |it: &OnItsWay| {
            let OnItsWay { ticket, from: (from, sequence), to, cash, at_ns } = it;
            let mut value = json!({
                "ticket": ticket, "from": from, "sequence": sequence, "at": iso_utc(*at_ns),
            });
            if let Some(to) = to {
                value["to"] = to.as_str().into();
            }
            if let Some((currency, amount)) = cash {
                value["currency"] = currency.letters().into();
                value["amount"] = (*amount).into();
            }
            value
        };
        let problem = |it: &TransferProblem| {
            let TransferProblem { terminal, sequence, ticket, fault, message } = it;
            json!({
                "terminal": terminal, "sequence": sequence, "ticket": ticket,
                "fault": fault.name(), "code": fault.code().name(), "message": message,
            })
        };
        let sums = self.sums().into_iter().map(|(currency, (count, amount))| {
            json!({ "currency": currency.letters(), "count": count, "amount": amount })
        });
        json!({
            "cashSent": self.cash_sent,
            "cashReceived": self.cash_received,
            "cashTakenBack": self.cash_taken_back,
            "salesSuspended": self.sales_suspended,
            "salesTakenOver": self.sales_taken_over,
            "salesResumed": self.sales_resumed,
            "onTheirWay": self.on_their_way.iter().map(way).collect::<Vec<_>>(),
            "cashOnItsWay": sums.collect::<Vec<_>>(),
            "unjudged": self.unjudged,
            "problems": self.problems.iter().map(problem).collect::<Vec<_>>(),
        })
    }
}

impl StoreReport {
    /// All of it; only the parts that were asked for hold anything.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let currencies: BTreeSet<_> = self.total.keys().chain(self.period.keys()).collect();
        let none = Sums::default();
        let currencies = currencies.into_iter().map(|currency| {
            json!({
                "currency": currency.to_string(),
                "total": sums(self.total.get(currency).unwrap_or(&none)),
                "period": sums(self.period.get(currency).unwrap_or(&none)),
            })
        });
        let hours = self.hours.iter().map(|((hour, currency), sold)| {
            json!({
                "hour": iso_utc(hour.saturating_mul(NS_PER_HOUR)),
                "currency": currency.to_string(),
                "receipts": sold.receipts, "net": sold.net, "gross": sold.gross,
            })
        });
        let skus = self.skus.iter().map(|((sku, currency), sold)| {
            json!({
                "sku": sku, "currency": currency.to_string(), "lines": sold.lines,
                "quantity": decimal(sold.quantity), "net": sold.net, "gross": sold.gross,
            })
        });
        json!({
            "terminals": self.terminals,
            "currencies": currencies.collect::<Vec<_>>(),
            "hours": hours.collect::<Vec<_>>(),
            "skus": skus.collect::<Vec<_>>(),
        })
    }
}

fn sums(sums: &Sums) -> Value {
    let tenders: BTreeMap<&str, Value> = sums
        .tenders
        .iter()
        .map(|(kind, it)| (kind.name(), json!({ "count": it.count, "amount": it.amount })))
        .collect();
    let taxes = sums.taxes.iter().map(|(component, sum)| {
        json!({
            "tax": component.show(),
            "soldNet": sum.sold_net, "soldTax": sum.sold_tax,
            "returnedNet": sum.returned_net, "returnedTax": sum.returned_tax,
        })
    });
    json!({
        "receipts": sums.receipts, "voids": sums.voids, "sales": sums.sales,
        "returns": sums.returns, "net": sums.net, "tax": sums.tax, "gross": sums.gross,
        "discounts": sums.discounts, "surcharges": sums.surcharges, "rounding": sums.rounding,
        "tips": sums.tips, "change": sums.change, "tenders": tenders,
        "taxes": taxes.collect::<Vec<_>>(),
    })
}

/// Millionths as a decimal without zeros at its end.
fn decimal(millionths: i128) -> String {
    let one = 10_u128.pow(u32::from(SCALE_MAX));
    let sign = if millionths < 0 { "-" } else { "" };
    let (whole, part) = (millionths.unsigned_abs() / one, millionths.unsigned_abs() % one);
    let text = format!("{sign}{whole}.{part:0width$}", width = usize::from(SCALE_MAX));
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn quantities_are_shown_without_idle_zeros() {
        let shown = [0, 1, 1_000_000, -250_000, 12_340_000, 10_000_000].map(decimal);
        assert_eq!(shown, ["0", "0.000001", "1", "-0.25", "12.34", "10"]);
    }
}
