//! A journal of receipts in the manner of the DEP of the Austrian cash register regulation (RKSV, annex
//! paragraph 3): each receipt as a line of values, packed as a JSON Web Signature in its compact form,
//! each with the first eight bytes of the SHA-256 of the one before.
//!
//! No certified signature device is behind it: the signature says so in the words that the regulation
//! has for a device that is out of order, and the turnover counter stands in the clear, as eight bytes
//! in base64, because there is no key that it could be encrypted with. The chain can be checked by
//! anyone; that nobody rewrote it as a whole is shown by the journal's anchors and signatures.

use super::walk::{Ended, Event, walk};
use super::{Exported, major};
use crate::clock::iso_utc;
use crate::error::{Error, Result};
use crate::journal::Circle;
use crate::terminal::History;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

const FILE: &str = "dep-export.json";
/// Suite of values: release 1, no trust service, as for a closed system of its own.
const SUITE: &str = "R1-AT0";
const HEADER: &str = r#"{"alg":"ES256"}"#;
const OUT_OF_ORDER: &str = "Sicherheitseinrichtung ausgefallen";

pub(super) fn write(history: &History, terminal: &str, dir: &Path) -> Result<Exported> {
    let (mut receipts, mut exported) = (Vec::new(), Exported::default());
    let mut counter: i64 = 0;
    let mut previous = first_link(terminal);
    walk(history, u64::MAX, |event| {
        match event {
            Event::Sale(ended) => {
                let Some((number, circle)) = ended.receipt() else { return Ok(()) };
                if circle == Circle::Sale {
                    counter = counter.saturating_add(ended.sale.totals().gross);
                    exported.receipts += 1;
                }
                let compact = receipt(terminal, &ended, (number, circle), counter, &previous);
                previous = link(&compact);
                receipts.push(compact);
            }
            Event::Closed(..) => exported.closings += 1,
            Event::Float(..) | Event::Moved(..) | Event::Counted(..) => {}
        }
        Ok(())
    })?;
    let rows = receipts.len() as u64;
    let document = json!({
        "Belege-Gruppe": [{
            "Signaturzertifikat": "",
            "Zertifizierungsstellen": [],
            "Belege-kompakt": receipts,
        }],
    });
    let path = dir.join(FILE);
    let mut text = document.to_string();
    text.push('\n');
    fs::write(&path, text).map_err(|error| Error::io("write", &path, &error))?;
    exported.files = vec![(FILE.to_owned(), rows)];
    Ok(exported)
}

/// A receipt in the compact form of a JSON Web Signature.
fn receipt(
    terminal: &str,
    ended: &Ended,
    (number, circle): (u64, Circle),
    counter: i64,
    previous: &str,
) -> String {
    let (number, counter) = match circle {
        Circle::Sale => (number.to_string(), STANDARD.encode(counter.to_be_bytes())),
        Circle::Training => (format!("T{number}"), STANDARD.encode("TRA")),
    };
    let at = iso_utc(ended.place.at_ns);
    let at = at.split('.').next().unwrap_or_default();
    let digits = ended.sale.policy().terms().minor_digits;
    let amounts = by_rate(ended).map(|amount| major(amount, digits, ','));
    let [normal, first, second, zero, special] = &amounts;
    let payload = format!(
        "_{SUITE}_{terminal}_{number}_{at}_{normal}_{first}_{second}_{zero}_{special}_{counter}__{previous}"
    );
    let parts = [HEADER, &payload, OUT_OF_ORDER].map(|part| URL_SAFE_NO_PAD.encode(part));
    parts.join(".")
}

/// The gross amounts by the rates of the regulation: 20 %, 10 %, 13 %, none, and all others.
fn by_rate(ended: &Ended) -> [i64; 5] {
    let mut amounts = [0; 5];
    for line in ended.sale.cart().splits().iter() {
        let rates: Vec<u32> = line.components.iter().map(|tax| tax.rate_ppm).collect();
        let index = match rates[..] {
            [200_000] => 0,
            [100_000] => 1,
            [130_000] => 2,
            [] | [0] => 3,
            _ => 4,
        };
        amounts[index] += line.gross;
    }
    amounts
}

/// The link of the first receipt: that of the register's name.
fn first_link(terminal: &str) -> String {
    link(terminal)
}

fn link(of: &str) -> String {
    STANDARD.encode(&Sha256::digest(of.as_bytes())[..8])
}
