//! Records for programs of others: what `show` tells, with every byte that a link is made of, so that
//! the chain can be followed with nothing but BLAKE3.

use super::codec::hex;
use super::show::{Shown, show};
use crate::clock::iso_utc;
use pos_kernel_wal::{Frame, SegmentHeader};
use serde_json::{Map, Value, json};

/// Bytes of a header that can hold anything but zeros, before its checksum.
const HEADER_USED_BYTES: usize = 128;

/// The header of a segment: its link is the BLAKE3 of `header`, filled with zeros to 4092 bytes.
#[must_use]
pub fn export_header(header: &SegmentHeader) -> Value {
    json!({
        "segment": header.segment,
        "terminal": header.name,
        "firstSequence": header.first_sequence,
        "epoch": header.epoch,
        "at": iso_utc(header.stamp.wall_ns),
        "header": hex(&header.to_block()[..HEADER_USED_BYTES]),
        "previousLink": hex(&header.previous_link),
        "link": hex(&header.link()),
    })
}

/// The records of a frame. The first one carries `frame`: the bytes of the frame before its records,
/// without the checksum. Its link is BLAKE3, keyed with the link before, of `frame`, then of each
/// record its size (u32), `kindNumber` (u16), `version` (u8), a zero and its `body`, then zeros up to
/// the next multiple of 8, counted with the four bytes of the checksum.
#[must_use]
pub fn export_frame(frame: &Frame<'_>) -> Vec<Shown> {
    let records: Vec<_> = frame.records().collect();
    let mut shown = show(frame);
    for (record, line) in records.iter().zip(&mut shown) {
        let Value::Object(told) = &mut line.value else { continue };
        let mut value = std::mem::take(told);
        value.insert("kindNumber".to_owned(), record.kind.into());
        value.insert("version".to_owned(), record.flags.into());
        value.insert("body".to_owned(), hex(record.body).into());
        if let Some(link) = value.remove("hash") {
            value.insert("link".to_owned(), link);
        }
        *told = value;
    }
    if let Some(Shown { value: Value::Object(first), .. }) = shown.first_mut() {
        let mut head = Map::new();
        head.insert("head".to_owned(), hex(frame.head()).into());
        head.insert("records".to_owned(), records.len().into());
        first.insert("frame".to_owned(), Value::Object(head));
    }
    shown
}
