//! Records for people: names instead of numbers, nothing left out.

use super::codec::hex;
use super::fact::{BODY_VERSION, Fact, RecordKind, body_of};
use crate::clock::iso_utc;
use crate::journal::restore;
use crate::policy::Policy;
use pos_kernel_wal::Frame;
use serde_json::{Map, Value, json};

/// A record as JSON, with where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Sequence.
    pub sequence: u64,
    /// All of it.
    pub value: Value,
}

/// Shows the records of a frame.
#[must_use]
pub fn show(frame: &Frame<'_>) -> Vec<Shown> {
    let header = &frame.header;
    let checkpoint = frame.is_checkpoint().then(|| {
        let till = restore(frame.records().map(|record| (record.kind, record.body)));
        till.map(|till| {
            let totals: Map<String, Value> = till
                .totals
                .iter()
                .map(|(currency, totals)| {
                    let value = json!({
                        "sales": totals.sales,
                        "returns": totals.returns,
                        "receipts": totals.receipts,
                        "voids": totals.voids,
                    });
                    (currency.to_string(), value)
                })
                .collect();
            json!({
                "nextSale": till.next_sale,
                "nextReceipt": till.next_receipt,
                "totals": totals,
                "openSales": till.open.keys().collect::<Vec<_>>(),
            })
        })
    });
    let records = frame.records().map(|record| {
        let kind = RecordKind::from_number(record.kind);
        let mut value = Map::new();
        value.insert("sequence".to_owned(), record.sequence.into());
        let name = kind.map_or_else(|| Value::from(record.kind), |kind| Value::from(kind.name()));
        value.insert("kind".to_owned(), name);
        value.insert("at".to_owned(), iso_utc(header.stamp.wall_ns).into());
        value.insert("epoch".to_owned(), header.epoch.into());
        value.insert("segment".to_owned(), header.segment.into());
        value.insert("offset".to_owned(), header.offset.into());
        value.insert("hash".to_owned(), hex(&frame.link()).into());
        let fact =
            kind.filter(|_| record.flags == BODY_VERSION).map(|k| Fact::decode(k, record.body));
        match fact {
            Some(Ok(Some(fact))) => {
                // A newer writer's fields are not dropped in silence.
                if body_of(&fact) != record.body {
                    value.insert("body".to_owned(), hex(record.body).into());
                }
                value.insert("fact".to_owned(), shown(&fact));
            }
            Some(Ok(None)) => {
                if kind == Some(RecordKind::Checkpoint)
                    && let Some(Ok(summary)) = &checkpoint
                {
                    value.insert("checkpoint".to_owned(), summary.clone());
                }
            }
            Some(Err(error)) => {
                value.insert("error".to_owned(), error.to_string().into());
                value.insert("body".to_owned(), hex(record.body).into());
            }
            None => {
                value.insert("version".to_owned(), record.flags.into());
                value.insert("body".to_owned(), hex(record.body).into());
            }
        }
        Shown { sequence: record.sequence, value: Value::Object(value) }
    });
    records.collect()
}

/// A fact, with its policy by names.
fn shown(fact: &Fact) -> Value {
    let policy = match fact {
        Fact::PolicySet(fact) => Some(&fact.policy),
        Fact::SaleBegun(fact) => fact.policy.as_ref(),
        _ => None,
    };
    let mut value = fact.show();
    // Bytes that are no policy are shown as they are.
    if let Some(policy) = policy.and_then(|bytes| Policy::decode(&bytes.0).ok()) {
        value["policy"] = policy.show();
    }
    value
}
