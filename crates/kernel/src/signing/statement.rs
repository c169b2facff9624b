//! The texts that are signed. They are in ASCII and name everything that they vouch for, so that a
//! device can show them and an auditor can write them by hand.

use crate::journal::hex;
use pos_kernel_wal::Link;

/// The statement of a receipt: its link vouches for every byte up to and with its completion.
#[must_use]
pub fn receipt(terminal: &str, receipt: u64, sequence: u64, link: &Link) -> Vec<u8> {
    let link = hex(link);
    format!(
        "pos-kernel receipt 1\nterminal {terminal}\nreceipt {receipt}\nsequence {sequence}\n\
         link {link}\n"
    )
    .into_bytes()
}

/// The statement of the chain's head.
#[must_use]
pub fn head(terminal: &str, sequence: u64, link: &Link) -> Vec<u8> {
    let link = hex(link);
    format!("pos-kernel head 1\nterminal {terminal}\nsequence {sequence}\nlink {link}\n")
        .into_bytes()
}

/// The statement of a change of keys, made by the old one.
#[must_use]
pub fn key(terminal: &str, sequence: u64, link: &Link, old: &[u8], new: &[u8]) -> Vec<u8> {
    let (link, old, new) = (hex(link), hex(old), hex(new));
    format!(
        "pos-kernel key 1\nterminal {terminal}\nsequence {sequence}\nlink {link}\nold {old}\n\
         new {new}\n"
    )
    .into_bytes()
}

/// The statement of an archive.
#[must_use]
pub fn manifest(terminal: &str, hash: &[u8; 32]) -> Vec<u8> {
    let hash = hex(hash);
    format!("pos-kernel manifest 1\nterminal {terminal}\nblake3 {hash}\n").into_bytes()
}
