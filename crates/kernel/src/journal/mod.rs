//! The journal's language: facts, their bytes, checkpoints, and the verifier that folds them again.
//!
//! Every fact is one CBOR map (RFC 8949) with small integer keys, in the order of the keys. A reader
//! skips keys that it does not know, and what it does not know survives: records are never
//! rewritten, and a checkpoint carries the records of an open sale as the bytes that they are.
//!
//! What must not live here: deciding anything. Read `fact.rs` first, then `checkpoint.rs`; `verify.rs`
//! is the audit, which believes no checkpoint and folds every fact again.

mod checkpoint;
mod codec;
mod coordination;
mod export;
mod fact;
mod handover;
mod people;
mod priced;
mod proof;
mod report;
mod returned;
mod ruled;
mod show;
mod signed;
mod till;
mod verify;

pub(crate) use checkpoint::head_of;
pub use checkpoint::{
    Checkpoint, CheckpointSale, CheckpointTotals, keys_of, restore, snapshot, snapshot_since,
};
pub use codec::hex;
pub use codec::{Bytes, DecodeError, Hash};
pub(crate) use codec::{Field, WriteResult, Writer};
pub use coordination::{
    CheckpointCoordination, CheckpointSender, ConfigurationApplied, ConfigurationSet, DrainBegun,
    MessageReceived, MessageSent,
};
pub use export::{export_frame, export_header};
pub use fact::{BODY_VERSION, Cut, Fact, Key, Owner, RecordKind, body_of};
pub use fact::{
    LineAdded, LineVoided, QuantitySet, SaleBegun, SaleCompleted, SaleVoided, TakenTender,
    TenderAdded, TenderConfirmed, TenderDeclined, TenderKind, TenderState, TenderVoided,
    TerminalClosed, TerminalOpened,
};
pub use handover::{ReturnsOf, SaleResumed, SaleSuspended, SaleTransferred, TakenOver};
pub use people::{
    ApprovalGiven, CashAmount, CashArrived, CashCounted, CashLeg, CashMoved, CashMovement,
    CashTransfer, Circle, ClockStepped, DrawerSum, OperatorSignedOff, OperatorSignedOn,
    ReceiptReprinted, ShiftClosed, ShiftOpened, TrainingSet,
};
pub use priced::{
    AdjustmentRetracted, CompletedSums, ForeignAmount, LineAdjusted, LineReturned, PerpetualSums,
    PolicySet, PriceOverridden, SaleAdjusted, SoldAt, SoldFor, Sums, TaxRowRecord, TaxTotals,
    TaxesOverridden,
};
pub use proof::{
    Anchored, CheckpointArchived, CheckpointSigning, KeyRotated, SegmentsArchived,
    SignatureAttached, SignerDown, SignerUp,
};
pub use report::{
    Counters, PeriodClosed, PeriodKind, Report, Takings, TenderSum, Turnover, XReported, ZReported,
};
pub use ruled::{RuleAttribute, RuleHit, RulesSet};
pub use show::{Shown, show};
pub use signed::SigningReport;
pub(crate) use till::is_possible;
pub(crate) use verify::translate;
pub use verify::{
    Progress, TerminalReport, VerifyOptions, VerifyProblem, verify_journal, verify_terminal,
};
