//! Signatures, anchors and archives. A terminal signs by itself when it was opened with PK_OPEN_SIGN;
//! a device outside is named to pk_signer_up and then fed in two phases: pk_next_unsigned gives the
//! bytes, pk_attach_signature takes what it made of them.

use crate::guard::guard;
use crate::memory::{self, Answer, Buffer, Slot};
use crate::seat;
use crate::types::{PkAnchor, PkArchiveReport, PkResult, PkTerminal, PkText};
use pos_kernel_core::journal::hex;
use pos_kernel_core::limits::PUBLIC_KEY_BYTES_MAX;
use pos_kernel_core::signing::SignerInfo;
use pos_kernel_core::{Code, Error};
use serde_json::{Value, json};

/// Says that a signer is up. With `signer`, `algorithm` and `key` a device outside signs from here
/// on; with none of them the signer that the terminal was opened with is back, and up to 256 receipts
/// that it missed are signed.
///
/// `signer`: name of the device, 1 to 256 bytes. `algorithm`: `ed25519`, whose signatures are checked,
/// or another name of up to 32 letters. `key`: its public key, `key_size` bytes.
/// Durable when it returns.
///
/// Codes: 1; 2 (PK_E_SIGNER_DOWN, PK_E_CLOSED); 3; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_signer_up(
    terminal: PkTerminal,
    signer: PkText,
    algorithm: PkText,
    key: *const u8,
    key_size: usize,
) -> PkResult {
    guard(|| {
        let seat = seat::terminal(terminal)?;
        // SAFETY: the caller promises the texts.
        let signer = unsafe { memory::optional_field(memory::SIGNER, signer) }?;
        // SAFETY: as above.
        let algorithm = unsafe { memory::optional_field(memory::ALGORITHM, algorithm) }?;
        // SAFETY: the caller promises the bytes.
        let key = unsafe { memory::bytes("key", key, key_size, PUBLIC_KEY_BYTES_MAX) }?;
        let is_own = signer.is_none() && algorithm.is_none() && key.is_empty();
        let device = SignerInfo {
            signer: signer.unwrap_or_default().to_owned(),
            algorithm: algorithm.unwrap_or_default().to_owned(),
            key: key.to_vec(),
        };
        seat.terminal.signer_up((!is_own).then_some(&device))
    })
}

/// Says that the signer is out. Sales go on, and their receipts stand unsigned.
///
/// Durable when it returns.
///
/// Codes: 1; 2 (PK_E_SIGNER_DOWN, PK_E_CLOSED); 3 (PK_E_BAD_TEXT, PK_E_BAD_UTF8); 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_signer_down(terminal: PkTerminal, reason: PkText) -> PkResult {
    guard(|| {
        let seat = seat::terminal(terminal)?;
        // SAFETY: the caller promises the text.
        let reason = unsafe { memory::field(memory::REASON, reason) }?;
        seat.terminal.signer_down(reason)
    })
}

/// Who signs, and what stands unsigned, as JSON: `signer`, `algorithm`, `key`, `up`, `unsigned`,
/// `firstUnsigned`; `null` when nothing was ever signed.
///
/// Codes: 1; 2 (PK_E_CLOSED); 3; 4.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_signing_json(
    terminal: PkTerminal,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let state = seat::terminal(terminal)?.terminal.signing()?;
        let state = state.map_or(Value::Null, |state| {
            json!({
                "signer": state.info.signer,
                "algorithm": state.info.algorithm,
                "key": hex(&state.info.key),
                "up": state.up,
                "unsigned": state.unsigned(),
                "firstUnsigned": state.first_unsigned(),
            })
        });
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&state.to_string()) }
    })
}

/// The oldest receipt without a signature: `out_sequence` is that of its completion, the buffer gets
/// the bytes to sign. With nothing to sign the sequence is 0 and `need` too.
///
/// Codes: 1; 2 (PK_E_CLOSED); 3; 4 (the sequence is written all the same); 6; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_next_unsigned(
    terminal: PkTerminal,
    out_sequence: *mut u64,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_sequence", out_sequence)?;
        let next = seat::terminal(terminal)?.terminal.next_unsigned()?;
        let sequence = next.as_ref().map_or(0, |next| next.sequence);
        let words = next.map(|next| next.statement).unwrap_or_default();
        let words = String::from_utf8_lossy(&words);
        let room = Buffer { to: buffer, capacity, need };
        // SAFETY: the caller promises the buffer.
        let given = unsafe { room.give(&words) };
        let is_small = |error: &Error| error.code() == Code::BufferTooSmall;
        if given.as_ref().err().is_none_or(is_small) {
            // SAFETY: the caller promises that it can be written.
            unsafe { slot.set(sequence) };
        }
        given
    })
}

/// Attaches the signature of the receipt whose completion has this sequence. The same once more does
/// nothing.
///
/// Durable when it returns.
///
/// Codes: 1 (no receipt was completed there, or it awaits none); 2 (PK_E_SIGNER_DOWN, PK_E_CLOSED); 3
/// (PK_E_LIMIT, PK_E_BAD_ARGUMENT); 6 (PK_E_SIGNATURE: it does not hold); 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_attach_signature(
    terminal: PkTerminal,
    sequence: u64,
    signature: *const u8,
    signature_size: usize,
) -> PkResult {
    guard(|| {
        let seat = seat::terminal(terminal)?;
        let most = pos_kernel_core::limits::SIGNATURE_BYTES_MAX;
        // SAFETY: the caller promises the bytes.
        let signature = unsafe { memory::bytes("signature", signature, signature_size, most) }?;
        let answer = seat.terminal.attach_signature(sequence, signature)?;
        seat.terminal.settle(answer)
    })
}

/// Signs receipts that an outage has left, oldest first, at most `limit`; `out_count` tells how many.
///
/// Durable when it returns.
///
/// Codes: 1; 2 (PK_E_SIGNER_DOWN, PK_E_CLOSED); 3; 6; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_sign_late(
    terminal: PkTerminal,
    limit: u64,
    out_count: *mut u64,
) -> PkResult {
    guard(|| {
        let slot = Slot::new("out_count", out_count)?;
        let signed = seat::terminal(terminal)?.terminal.sign_late(limit)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(signed) };
        Ok(())
    })
}

/// The signature of a receipt as JSON: `receiptNumber`, `sequence`, `hash`, `signature`, `keyId`,
/// `late`; `null` when it has none.
///
/// Codes: 1; 2 (PK_E_CLOSED); 3; 4; 6; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_signature_json(
    terminal: PkTerminal,
    receipt: u64,
    buffer: *mut u8,
    capacity: usize,
    need: *mut usize,
) -> PkResult {
    guard(|| {
        let signature = seat::terminal(terminal)?.terminal.signature(receipt)?;
        let signature = signature.map_or(Value::Null, |signature| {
            json!({
                "receiptNumber": signature.receipt,
                "sequence": signature.sequence,
                "hash": hex(&signature.link),
                "signature": hex(&signature.signature),
                "keyId": hex(&signature.key_id),
                "late": signature.late,
            })
        });
        // SAFETY: the caller promises the buffer.
        unsafe { Buffer { to: buffer, capacity, need }.give(&signature.to_string()) }
    })
}

/// Gives the software signer a new key, which the old one vouches for. pk_signing_json then tells the
/// public one.
///
/// Durable when it returns.
///
/// Codes: 1; 2 (PK_E_SIGNER_DOWN, PK_E_CLOSED); 3; 7.
#[unsafe(no_mangle)]
pub extern "C" fn pk_rotate_key(terminal: PkTerminal) -> PkResult {
    guard(|| seat::terminal(terminal)?.terminal.rotate_key().map(drop))
}

/// A place in the chain to keep where the journal's owner cannot change it, signed where the
/// terminal's signer is up. With `place` the journal notes where it is kept.
///
/// Durable when it returns: all that the anchor speaks of, and the note.
///
/// Codes: 1; 2 (PK_E_CLOSED); 3; 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_anchor(
    terminal: PkTerminal,
    place: PkText,
    out_anchor: *mut PkAnchor,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::needed("out_anchor", out_anchor) }?;
        let seat = seat::terminal(terminal)?;
        // SAFETY: the caller promises the text.
        let place = unsafe { memory::optional_field(memory::PLACE, place) }?;
        let answer = seat.terminal.anchor(place)?;
        let anchor = seat.terminal.settle(answer)?;
        let signed = anchor.signature.and_then(|(info, signature)| {
            Some((info.key.try_into().ok()?, signature.try_into().ok()?))
        });
        let (key, signature) = signed.unwrap_or(([0; 32], [0; 64]));
        let found = PkAnchor {
            struct_size: 0,
            is_signed: signed.is_some().into(),
            sequence: anchor.sequence,
            records: anchor.records,
            wall_ns: anchor.at_ns,
            link: anchor.link,
            key,
            signature,
        };
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&found) };
        Ok(())
    })
}

/// Moves sealed segments into the archive: all of them with `upto_segment` 0, else those up to it.
/// `out_report` may be null.
///
/// Durable when it returns: copies, manifest, and the fact that says so.
///
/// Codes: 1; 2 (PK_E_NOTHING_TO_ARCHIVE, PK_E_CLOSED); 3; 6 (PK_E_CORRUPT, PK_E_CHAIN_BROKEN: nothing
/// was moved; PK_E_ARCHIVE); 7.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_archive(
    terminal: PkTerminal,
    upto_segment: u32,
    out_report: *mut PkArchiveReport,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_report", out_report) }?;
        let seat = seat::terminal(terminal)?;
        let report = seat.terminal.archive((upto_segment != 0).then_some(upto_segment))?;
        let moved = report.manifest.as_ref();
        let ends = moved.map_or((0, 0), |moved| {
            let (first, last) = moved.ends();
            (first.segment, last.segment)
        });
        let found = PkArchiveReport {
            struct_size: 0,
            removed: report.removed,
            oldest_segment: report.oldest_segment,
            reserved: 0,
            from_segment: ends.0,
            to_segment: ends.1,
            manifest: moved.map_or([0; 32], pos_kernel_core::archive::Manifest::hash),
        };
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&found) };
        Ok(())
    })
}
