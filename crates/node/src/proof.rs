//! Signatures, anchors, archives and exports. All of them may wait for the device, so each runs on a
//! pool thread and answers as JSON.

use crate::audit::history_of;
use crate::fault::{Cross, argument, thrown};
use crate::terminal::NativeTerminal;
use crate::value::{small, whole};
use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Task};
use napi_derive::napi;
use pos_kernel_core::archive::Manifest;
use pos_kernel_core::journal::{Hash, SigningReport, export_frame, export_header};
use pos_kernel_core::signing::{
    Anchor, Archived, ReceiptSignature, SignerInfo, SigningState, Unsigned,
};
use pos_kernel_core::terminal::ArchiveReport;
use pos_kernel_core::{Error, Result, Terminal};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// A device that signs outside.
#[napi(object)]
pub struct NativeDevice {
    /// Its name.
    pub signer: String,
    /// `ed25519`, or the name of another algorithm.
    pub algorithm: String,
    /// Public key, in hexadecimal.
    pub key: String,
}

/// What a call of this room answers.
#[napi(object)]
pub struct NativeProof {
    /// The answer; null where there is none.
    #[napi(ts_type = "unknown")]
    pub value: Value,
}

/// Lines of an export.
#[napi(object)]
pub struct NativeExport {
    /// Headers of segments and records, in order.
    #[napi(ts_type = "Record<string, unknown>[]")]
    pub lines: Vec<Value>,
    /// Where to go on.
    pub next_sequence: i64,
    /// Nothing more is there.
    pub end: bool,
}

type Work = Box<dyn FnMut(&Terminal) -> Result<Value> + Send>;

/// Work on a terminal, on a pool thread.
pub struct ProofTask {
    terminal: Arc<Terminal>,
    work: Work,
}

impl Task for ProofTask {
    type Output = std::result::Result<Value, Error>;
    type JsValue = NativeProof;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok((self.work)(&self.terminal))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<NativeProof> {
        output.map(|value| NativeProof { value }).map_err(|error| thrown(&env, &error))
    }
}

fn task(
    terminal: &Arc<Terminal>,
    work: impl FnMut(&Terminal) -> Result<Value> + Send + 'static,
) -> AsyncTask<ProofTask> {
    AsyncTask::new(ProofTask { terminal: terminal.clone(), work: Box::new(work) })
}

#[napi]
impl NativeTerminal {
    /// Who signs, and what stands unsigned; null when nothing was ever signed.
    #[napi(catch_unwind, ts_return_type = "Record<string, unknown> | null")]
    pub fn signing(&self, env: &Env) -> napi::Result<Value> {
        let signing = self.terminal().signing().cross(env)?;
        Ok(signing.as_ref().map_or(Value::Null, shown_state))
    }

    /// Says that the terminal's own signer is up again, or that a device outside is.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeProof>")]
    pub fn signer_up(
        &self,
        env: &Env,
        device: Option<NativeDevice>,
    ) -> napi::Result<AsyncTask<ProofTask>> {
        let device = device.map(info_of).transpose().cross(env)?;
        Ok(task(self.terminal(), move |terminal| {
            terminal.signer_up(device.as_ref()).map(|()| Value::Null)
        }))
    }

    /// Says that the signer is out.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeProof>")]
    pub fn signer_down(&self, reason: String) -> AsyncTask<ProofTask> {
        task(self.terminal(), move |terminal| terminal.signer_down(&reason).map(|()| Value::Null))
    }

    /// The oldest receipt without a signature, with the bytes to sign; null when all have one.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeProof>")]
    pub fn next_unsigned(&self) -> AsyncTask<ProofTask> {
        task(self.terminal(), |terminal| {
            Ok(terminal.next_unsigned()?.as_ref().map_or(Value::Null, shown_unsigned))
        })
    }

    /// What has to be signed for a receipt.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeProof>")]
    pub fn unsigned(&self, env: &Env, receipt: f64) -> napi::Result<AsyncTask<ProofTask>> {
        let receipt = whole("receiptNumber", receipt).cross(env)?;
        let work = move |terminal: &Terminal| Ok(shown_unsigned(&terminal.unsigned(receipt)?));
        Ok(task(self.terminal(), work))
    }

    /// Attaches a signature that was made outside.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeProof>")]
    pub fn attach_signature(
        &self,
        env: &Env,
        sequence: f64,
        signature: String,
    ) -> napi::Result<AsyncTask<ProofTask>> {
        let sequence = whole("sequence", sequence).cross(env)?;
        let signature = bytes_of("signature", &signature).cross(env)?;
        Ok(task(self.terminal(), move |terminal| {
            let answer = terminal.attach_signature(sequence, &signature)?;
            terminal.settle(answer).map(|()| Value::Null)
        }))
    }

    /// Signs receipts that an outage has left; answers how many.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeProof>")]
    pub fn sign_late(&self, env: &Env, limit: f64) -> napi::Result<AsyncTask<ProofTask>> {
        let limit = whole("limit", limit).cross(env)?;
        Ok(task(self.terminal(), move |terminal| terminal.sign_late(limit).map(Value::from)))
    }

    /// The signature of a receipt; null when it has none.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeProof>")]
    pub fn signature(&self, env: &Env, receipt: f64) -> napi::Result<AsyncTask<ProofTask>> {
        let receipt = whole("receiptNumber", receipt).cross(env)?;
        Ok(task(self.terminal(), move |terminal| {
            Ok(terminal.signature(receipt)?.as_ref().map_or(Value::Null, shown_signature))
        }))
    }

    /// Gives the software signer a new key; answers the public one, in hexadecimal.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeProof>")]
    pub fn rotate_key(&self) -> AsyncTask<ProofTask> {
        task(self.terminal(), |terminal| terminal.rotate_key().map(|key| hex(&key).into()))
    }

    /// A place in the chain to keep elsewhere; with `place`, the journal notes where.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeProof>")]
    pub fn anchor(&self, place: Option<String>) -> AsyncTask<ProofTask> {
        task(self.terminal(), move |terminal| {
            let answer = terminal.anchor(place.as_deref())?;
            Ok(shown_anchor(&terminal.settle(answer)?))
        })
    }

    /// Moves sealed segments into the archive: all of them, or those up to one.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeProof>")]
    pub fn archive(
        &self,
        env: &Env,
        upto_segment: Option<f64>,
    ) -> napi::Result<AsyncTask<ProofTask>> {
        let upto = upto_segment.map(|upto| small("uptoSegment", upto)).transpose().cross(env)?;
        Ok(task(self.terminal(), move |terminal| Ok(shown_archive(&terminal.archive(upto)?))))
    }
}

/// Lines of a journal's export from a sequence on: headers of segments, and at most `limit` records
/// and a frame more.
#[napi(catch_unwind)]
pub fn export_records(
    env: &Env,
    root: String,
    terminal: String,
    archive: Option<String>,
    from_sequence: f64,
    limit: f64,
) -> napi::Result<NativeExport> {
    let export = || {
        let history = history_of(Path::new(&root), &terminal, archive.as_deref())?;
        let from = whole("fromSequence", from_sequence)?.max(1);
        let limit = usize::try_from(whole("limit", limit)?).unwrap_or(usize::MAX).max(1);
        let reader = history.reader()?;
        let mut lines = Vec::new();
        let mut records = 0;
        let mut next = from;
        let first = reader.segment_of(from)?;
        for segment in reader.segments().filter(|segment| Some(*segment) >= first) {
            let scan = match reader.scan(segment, false)? {
                Ok(scan) => scan,
                Err(problem) => {
                    lines.push(json!({ "segment": segment, "problem": problem.message }));
                    continue;
                }
            };
            if scan.header().first_sequence >= from {
                lines.push(export_header(scan.header()));
            }
            for frame in scan.frames().filter(|frame| frame.header.sequence >= from) {
                if records >= limit {
                    let next_sequence = crate::value::number(next);
                    return Ok(NativeExport { lines, next_sequence, end: false });
                }
                let shown = export_frame(&frame);
                records += shown.len();
                next = frame.last_sequence() + 1;
                lines.extend(shown.into_iter().map(|line| line.value));
            }
            for problem in &scan.problems {
                let (offset, message) = (problem.offset, &problem.message);
                lines.push(json!({ "segment": segment, "offset": offset, "problem": message }));
            }
        }
        Ok(NativeExport { lines, next_sequence: crate::value::number(next), end: true })
    };
    export().cross(env)
}

fn info_of(device: NativeDevice) -> Result<SignerInfo> {
    let key = bytes_of("key", &device.key)?;
    Ok(SignerInfo { signer: device.signer, algorithm: device.algorithm, key })
}

/// Bytes from hexadecimal digits.
pub(crate) fn bytes_of(what: &str, text: &str) -> Result<Vec<u8>> {
    pos_kernel_core::archive::unhex(text).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        argument(what, format!("{what} {shown:?} is not hexadecimal digits in pairs"))
    })
}

fn hex(bytes: &[u8]) -> String {
    pos_kernel_core::journal::hex(bytes)
}

fn shown_state(state: &SigningState) -> Value {
    json!({
        "signer": state.info.signer,
        "algorithm": state.info.algorithm,
        "key": hex(&state.info.key),
        "up": state.up,
        "unsigned": state.unsigned(),
        "firstUnsigned": state.first_unsigned(),
    })
}

fn shown_unsigned(unsigned: &Unsigned) -> Value {
    json!({
        "receiptNumber": unsigned.receipt,
        "sequence": unsigned.sequence,
        "hash": hex(&unsigned.link),
        "statement": String::from_utf8_lossy(&unsigned.statement),
    })
}

fn shown_signature(signature: &ReceiptSignature) -> Value {
    json!({
        "receiptNumber": signature.receipt,
        "sequence": signature.sequence,
        "hash": hex(&signature.link),
        "signature": hex(&signature.signature),
        "keyId": hex(&signature.key_id),
        "late": signature.late,
    })
}

fn shown_anchor(anchor: &Anchor) -> Value {
    let mut value = json!({
        "terminal": anchor.terminal,
        "sequence": anchor.sequence,
        "link": hex(&anchor.link),
        "records": anchor.records,
        "at": pos_kernel_core::clock::iso_utc(anchor.at_ns),
        "statement": String::from_utf8_lossy(&anchor.statement()),
    });
    if let Some((info, signature)) = &anchor.signature {
        value["signature"] = json!({
            "algorithm": info.algorithm,
            "key": hex(&info.key),
            "value": hex(signature),
        });
    }
    value
}

fn shown_archive(report: &ArchiveReport) -> Value {
    json!({
        "folder": report.folder.display().to_string(),
        "removed": report.removed,
        "oldestSegment": report.oldest_segment,
        "manifest": report.manifest.as_ref().map(shown_manifest),
    })
}

fn shown_manifest(manifest: &Manifest) -> Value {
    let (first, last) = manifest.ends();
    json!({
        "file": manifest.file_name(),
        "segments": [first.segment, last.segment],
        "sequences": [first.sequences.0, last.sequences.1],
        "receipts": [first.receipts.0, last.receipts.1],
        "linkIn": hex(&manifest.link_in),
        "linkOut": hex(&last.link),
        "hash": hex(&manifest.hash()),
        "signed": manifest.signature.is_some(),
    })
}

pub(crate) fn shown_report(report: &SigningReport) -> Value {
    json!({
        "signer": report.info.signer,
        "algorithm": report.info.algorithm,
        "key": hex(&report.info.key),
        "up": report.up,
        "signatures": report.signatures,
        "late": report.late,
        "unjudged": report.unjudged,
        "unsigned": report.unsigned,
        "signedSequence": report.signed_sequence,
    })
}

pub(crate) fn shown_archived(archived: &Archived) -> Value {
    let Archived { segment, last_sequence, link } = archived;
    let link = Hash(*link).to_string();
    json!({ "segment": segment, "lastSequence": last_sequence, "link": link })
}
