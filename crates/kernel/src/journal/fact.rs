//! What can happen, as it is written. A fact names what was decided, never what was asked.
//!
//! The number after each name is the record's kind; the number before each field is its key in the
//! CBOR map. Neither is ever given another meaning. A fact carries what its answer needs, so that a
//! repeated call is answered from the record: totals after a line, due and change after a tender,
//! the counters after a completion.

use super::codec::{Bytes, DecodeError, Field, Hash, map_struct, number_enum, whole};
use super::coordination::{
    ConfigurationApplied, ConfigurationSet, DrainBegun, MessageReceived, MessageSent,
};
use super::handover::{ReturnsOf, SaleResumed, SaleSuspended, SaleTransferred, TakenOver};
use super::people::{
    ApprovalGiven, CashArrived, CashCounted, CashMoved, Circle, ClockStepped, OperatorSignedOff,
    OperatorSignedOn, ReceiptReprinted, ShiftClosed, ShiftOpened, TrainingSet,
};
use super::priced::{
    AdjustmentRetracted, CompletedSums, ForeignAmount, LineAdjusted, LineReturned, PerpetualSums,
    PolicySet, PriceOverridden, SaleAdjusted, Sums, TaxesOverridden,
};
use super::proof::{
    Anchored, KeyRotated, SegmentsArchived, SignatureAttached, SignerDown, SignerUp,
};
use super::report::{PeriodClosed, XReported, ZReported};
use super::ruled::{RuleAttribute, RuleHit, RulesSet};
use crate::money::{Currency, Decimal};
use crate::pricing::{LineKind, TaxComponent};
use minicbor::Encoder;
use serde_json::Value;

/// Version of the record bodies, kept in the record's flags.
pub const BODY_VERSION: u8 = 1;

map_struct! {
    /// An idempotency key and what it was first used for.
    Key {
        /// The host's text.
        0 text: String,
        /// First eight bytes of the BLAKE3 hash of the call's inputs.
        1 fingerprint: u64,
    }
}

map_struct! {
    /// The owner of a terminal, as information.
    Owner {
        /// Process id.
        0 pid: u32,
        /// Host name.
        1 host: String,
        /// Kernel version.
        2 version: String,
        /// Wall time of the start, nanoseconds.
        3 started_ns: i64,
        /// Version of the host layer.
        4 host_version: Option<String>,
    }
}

map_struct! {
    /// A torn tail that was cut.
    Cut {
        /// Segment it stood in.
        0 segment: u32,
        /// Where it began.
        1 offset: u32,
        /// How many bytes.
        2 bytes: u32,
        /// File that keeps them.
        3 kept_as: String,
    }
}

map_struct! {
    /// A terminal was opened; with `clean` false this is the record of a recovery.
    TerminalOpened {
        /// The new owner.
        0 owner: Owner,
        /// The previous owner had closed the terminal.
        1 clean: bool,
        /// The previous owner, where a record of it was found.
        2 previous: Option<Owner>,
        /// What was cut from the tail.
        3 cut: Option<Cut>,
        /// Sales that came back open.
        4 sales: Vec<u64>,
    }
}

map_struct! {
    /// A terminal was closed by its owner.
    TerminalClosed {
        /// Sales that stay open.
        0 sales: Vec<u64>,
    }
}

map_struct! {
    /// A sale began.
    SaleBegun {
        /// Number of the sale on this terminal, from 1 without a gap.
        0 sale: u64,
        /// Store.
        1 store: String,
        /// Currency.
        2 currency: Currency,
        /// The host's own number for it.
        3 reference: Option<String>,
        /// It is a training sale; absent on one that counts.
        4 training: Option<bool>,
        /// The operator signed on.
        5 operator: Option<String>,
        /// Canonical bytes of the policy that it is priced by; left out while the till has none.
        6 policy: Option<Bytes>,
        /// The receipt that it takes lines back from.
        7 returns: Option<ReturnsOf>,
        /// Where it was suspended, when it goes on here; then its policy is the one that it had there.
        8 takes: Option<TakenOver>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// A line was added.
    LineAdded {
        /// Sale.
        0 sale: u64,
        /// Line number, from 1, never used again.
        1 line: u32,
        /// Stock-keeping unit.
        2 sku: String,
        /// Text for people.
        3 text: Option<String>,
        /// Quantity; negative on a return line.
        4 quantity: Decimal,
        /// Price of `per` units, in minor units.
        5 unit_price: Decimal,
        /// Amount in minor units.
        6 amount: i64,
        /// Total of the sale after it.
        7 gross: i64,
        /// The line that it belongs to.
        8 parent: Option<u32>,
        /// What it is; left out when it is an item.
        9 kind: Option<LineKind>,
        /// Units that the price is for; left out when it is one.
        10 per: Option<Decimal>,
        /// Its taxes.
        11 taxes: Vec<TaxComponent>,
        /// The other sums of the sale after it.
        12 sums: Option<Sums>,
        /// The approval for it: that of a return without its receipt, or one that a rule wants.
        14 approval: Option<u64>,
        /// Idempotency key.
        15 key: Option<Key>,
        /// The rows of rule tables that spoke of it.
        17 rules: Vec<RuleHit>,
        /// Class of the goods, where a table asks for it.
        18 class: Option<String>,
        /// What the host said of it and tables ask for.
        19 attributes: Vec<RuleAttribute>,
    }
}

map_struct! {
    /// A line was voided; it stays in the journal and on the sale, worth nothing.
    LineVoided {
        /// Sale.
        0 sale: u64,
        /// Line.
        1 line: u32,
        /// Why.
        2 reason: String,
        /// Total of the sale after it.
        7 gross: i64,
        /// The other sums of the sale after it.
        12 sums: Option<Sums>,
        /// The operator signed on.
        13 operator: Option<String>,
        /// The approval that it uses up.
        14 approval: Option<u64>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// The quantity of a line was changed.
    QuantitySet {
        /// Sale.
        0 sale: u64,
        /// Line.
        1 line: u32,
        /// Why.
        2 reason: String,
        /// The new quantity.
        4 quantity: Decimal,
        /// The new amount.
        6 amount: i64,
        /// Total of the sale after it.
        7 gross: i64,
        /// The other sums of the sale after it.
        12 sums: Option<Sums>,
        /// The operator signed on.
        13 operator: Option<String>,
        /// The approval that it uses up.
        14 approval: Option<u64>,
        /// Idempotency key.
        15 key: Option<Key>,
        /// The rows of rule tables that spoke of the line as it is then.
        17 rules: Vec<RuleHit>,
    }
}

number_enum! {
    /// What a customer pays with.
    TenderKind {
        /// Notes and coins of the sale's currency.
        Cash = 1, "cash";
        /// A card.
        Card = 2, "card";
        /// A voucher.
        Voucher = 3, "voucher";
        /// Notes and coins of another currency.
        Foreign = 4, "foreign";
        /// Anything else.
        Other = 5, "other";
    }
}

number_enum! {
    /// Where a tender stands.
    TenderState {
        /// Its outcome lies outside the till.
        Pending = 1, "pending";
        /// It counts.
        Confirmed = 2, "confirmed";
        /// It was refused outside the till.
        Declined = 3, "declined";
        /// It was taken back.
        Voided = 4, "voided";
    }
}

map_struct! {
    /// A tender was taken.
    TenderAdded {
        /// Sale.
        0 sale: u64,
        /// Tender number, from 1, never used again.
        1 tender: u32,
        /// Kind.
        2 kind: TenderKind,
        /// Amount in minor units; negative when it is paid out.
        3 amount: i64,
        /// Pending or confirmed.
        4 state: TenderState,
        /// The host's reference.
        5 reference: Option<String>,
        /// What is still due after it.
        6 due: i64,
        /// Change after it.
        7 change: i64,
        /// The part that is a tip; left out when there is none.
        8 tip: Option<i64>,
        /// What was given in another currency.
        9 foreign: Option<ForeignAmount>,
        /// What cash rounding adds to the total after it; left out when that is nothing.
        10 rounding: Option<i64>,
        /// The approval for it that a rule wants.
        14 approval: Option<u64>,
        /// Idempotency key.
        15 key: Option<Key>,
        /// The rows of rule tables that spoke of it, and of the sale when no other tender stands.
        17 rules: Vec<RuleHit>,
        /// What the host said of it and tables ask for.
        19 attributes: Vec<RuleAttribute>,
    }
}

map_struct! {
    /// A pending tender was confirmed.
    TenderConfirmed {
        /// Sale.
        0 sale: u64,
        /// Tender.
        1 tender: u32,
        /// Authorisation given outside the till.
        2 auth: Option<String>,
        /// What is still due after it.
        6 due: i64,
        /// Change after it.
        7 change: i64,
        /// What cash rounding adds to the total after it; left out when that is nothing.
        10 rounding: Option<i64>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// A pending tender was declined.
    TenderDeclined {
        /// Sale.
        0 sale: u64,
        /// Tender.
        1 tender: u32,
        /// Why.
        2 reason: String,
        /// What is still due after it.
        6 due: i64,
        /// Change after it.
        7 change: i64,
        /// What cash rounding adds to the total after it; left out when that is nothing.
        10 rounding: Option<i64>,
        /// The operator signed on.
        13 operator: Option<String>,
        /// The approval that it uses up.
        14 approval: Option<u64>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// A live tender was taken back.
    TenderVoided {
        /// Sale.
        0 sale: u64,
        /// Tender.
        1 tender: u32,
        /// Why.
        2 reason: String,
        /// What is still due after it.
        6 due: i64,
        /// Change after it.
        7 change: i64,
        /// What cash rounding adds to the total after it; left out when that is nothing.
        10 rounding: Option<i64>,
        /// The operator signed on.
        13 operator: Option<String>,
        /// The approval that it uses up.
        14 approval: Option<u64>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

map_struct! {
    /// A confirmed tender in a completion record.
    TakenTender {
        /// Tender number.
        0 tender: u32,
        /// Kind.
        1 kind: TenderKind,
        /// Amount in minor units.
        2 amount: i64,
        /// The part that is a tip; left out when there is none.
        3 tip: Option<i64>,
    }
}

map_struct! {
    /// A sale was completed. Receipt number, counters and fact are one record: they cannot part.
    SaleCompleted {
        /// Sale.
        0 sale: u64,
        /// Receipt number, from 1 without a gap.
        1 receipt: u64,
        /// Sequence of the sale's first record.
        2 first_sequence: u64,
        /// Currency of every amount here.
        3 currency: Currency,
        /// Lines, voided ones included.
        4 lines: u32,
        /// BLAKE3 of the sale's records before this one, each as kind u16, size u32, body.
        5 content: Hash,
        /// Total.
        6 gross: i64,
        /// Confirmed tenders together.
        7 tendered: i64,
        /// Change given.
        8 change: i64,
        /// The confirmed tenders.
        9 tenders: Vec<TakenTender>,
        /// Perpetual total of amounts sold in this currency, after this sale.
        10 total_sales: i64,
        /// Perpetual total of amounts returned in this currency, after this sale.
        11 total_returns: i64,
        /// The host's own number for the sale.
        12 reference: Option<String>,
        /// The operator signed on.
        13 operator: Option<String>,
        /// Its circle; absent on a sale that counts.
        14 circle: Option<Circle>,
        /// Idempotency key.
        15 key: Option<Key>,
        /// Taxes, discounts, surcharges, cash rounding and tips; left out when there are none.
        16 sums: Option<CompletedSums>,
        /// The rows of rule tables that spoke of the sale, when no tender stands.
        17 rules: Vec<RuleHit>,
        /// BLAKE3 of the policy that the sale was priced by; left out when it had none.
        18 policy: Option<Hash>,
        /// Perpetual totals besides those of amounts; left out while all are zero.
        19 perpetual: Option<PerpetualSums>,
    }
}

map_struct! {
    /// A sale was voided.
    SaleVoided {
        /// Sale.
        0 sale: u64,
        /// Why.
        1 reason: String,
        /// Currency.
        3 currency: Currency,
        /// Nothing had happened to it for so many nanoseconds of the monotonic clock; left out when
        /// it was voided by hand.
        4 idle_ns: Option<u64>,
        /// What it would have come to.
        6 gross: i64,
        /// Voided sales of this currency, after this one.
        10 total_voids: u64,
        /// The operator signed on.
        13 operator: Option<String>,
        /// The approval that it uses up.
        14 approval: Option<u64>,
        /// Idempotency key.
        15 key: Option<Key>,
    }
}

macro_rules! facts {
    ($( $variant:ident = $number:literal; )+) => {
        /// Kind of a record.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u16)]
        pub enum RecordKind {
            /// The log's own seal of a segment.
            Seal = 1,
            /// Counters, at the head of a checkpoint.
            Checkpoint = 16,
            /// An open sale in a checkpoint.
            CheckpointSale = 17,
            $(
                #[doc = concat!("[`", stringify!($variant), "`].")]
                $variant = $number,
            )+
        }

        impl RecordKind {
            /// The kind with this number.
            #[must_use]
            pub fn from_number(number: u16) -> Option<Self> {
                match number {
                    1 => Some(Self::Seal),
                    16 => Some(Self::Checkpoint),
                    17 => Some(Self::CheckpointSale),
                    $( $number => Some(Self::$variant), )+
                    _ => None,
                }
            }

            /// The name that `inspect` shows.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    Self::Seal => "Seal",
                    Self::Checkpoint => "Checkpoint",
                    Self::CheckpointSale => "CheckpointSale",
                    $( Self::$variant => stringify!($variant), )+
                }
            }
        }

        /// One thing that happened.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Fact {
            $( #[doc = concat!("See [`", stringify!($variant), "`].")] $variant($variant), )+
        }

        impl Fact {
            /// Its record kind.
            #[must_use]
            pub fn kind(&self) -> RecordKind {
                match self { $( Self::$variant(_) => RecordKind::$variant, )+ }
            }

            /// Appends its CBOR body.
            pub fn encode(&self, out: &mut Vec<u8>) {
                let mut writer = Encoder::new(out);
                match self { $( Self::$variant(fact) => fact.write(&mut writer), )+ }
                    .expect("writing to memory cannot fail");
            }

            /// Reads the body of a record. `Ok(None)` when the kind is no fact.
            ///
            /// # Errors
            /// What the body lacks or holds instead.
            pub fn decode(kind: RecordKind, body: &[u8]) -> Result<Option<Self>, DecodeError> {
                Ok(match kind {
                    RecordKind::Seal | RecordKind::Checkpoint | RecordKind::CheckpointSale => None,
                    $( RecordKind::$variant => Some(Self::$variant(whole(body)?)), )+
                })
            }

            /// The fact with its fields by name.
            #[must_use]
            pub fn show(&self) -> Value {
                match self { $( Self::$variant(fact) => fact.show(), )+ }
            }
        }

        $( impl From<$variant> for Fact {
            fn from(fact: $variant) -> Self { Self::$variant(fact) }
        } )+
    };
}

facts! {
    TerminalOpened = 20;
    TerminalClosed = 21;
    PolicySet = 22;
    RulesSet = 23;
    SaleBegun = 32;
    LineAdded = 33;
    LineVoided = 34;
    QuantitySet = 35;
    TenderAdded = 36;
    TenderConfirmed = 37;
    TenderDeclined = 38;
    TenderVoided = 39;
    SaleCompleted = 40;
    SaleVoided = 41;
    PriceOverridden = 42;
    TaxesOverridden = 43;
    LineAdjusted = 44;
    SaleAdjusted = 45;
    AdjustmentRetracted = 46;
    LineReturned = 47;
    SaleSuspended = 48;
    SaleResumed = 49;
    SaleTransferred = 50;
    OperatorSignedOn = 64;
    OperatorSignedOff = 65;
    ApprovalGiven = 66;
    ShiftOpened = 67;
    ShiftClosed = 68;
    CashMoved = 69;
    CashCounted = 70;
    TrainingSet = 71;
    ReceiptReprinted = 72;
    ClockStepped = 73;
    CashArrived = 74;
    XReported = 80;
    ZReported = 81;
    PeriodClosed = 82;
    SignerUp = 96;
    SignerDown = 97;
    SignatureAttached = 98;
    Anchored = 99;
    SegmentsArchived = 101;
    KeyRotated = 102;
    MessageSent = 110;
    MessageReceived = 111;
    ConfigurationSet = 112;
    ConfigurationApplied = 113;
    DrainBegun = 114;
}

impl Fact {
    /// The sale it belongs to.
    #[must_use]
    pub fn sale(&self) -> Option<u64> {
        match self {
            Self::TerminalOpened(_)
            | Self::TerminalClosed(_)
            | Self::PolicySet(_)
            | Self::RulesSet(_)
            | Self::OperatorSignedOn(_)
            | Self::OperatorSignedOff(_)
            | Self::ApprovalGiven(_)
            | Self::ShiftOpened(_)
            | Self::ShiftClosed(_)
            | Self::CashMoved(_)
            | Self::CashCounted(_)
            | Self::TrainingSet(_)
            | Self::ReceiptReprinted(_)
            | Self::ClockStepped(_)
            | Self::CashArrived(_)
            | Self::XReported(_)
            | Self::ZReported(_)
            | Self::PeriodClosed(_)
            | Self::SignerUp(_)
            | Self::SignerDown(_)
            | Self::SignatureAttached(_)
            | Self::Anchored(_)
            | Self::SegmentsArchived(_)
            | Self::KeyRotated(_)
            | Self::MessageSent(_)
            | Self::MessageReceived(_)
            | Self::ConfigurationSet(_)
            | Self::ConfigurationApplied(_)
            | Self::DrainBegun(_) => None,
            Self::SaleBegun(SaleBegun { sale, .. })
            | Self::LineAdded(LineAdded { sale, .. })
            | Self::LineVoided(LineVoided { sale, .. })
            | Self::QuantitySet(QuantitySet { sale, .. })
            | Self::PriceOverridden(PriceOverridden { sale, .. })
            | Self::TaxesOverridden(TaxesOverridden { sale, .. })
            | Self::LineAdjusted(LineAdjusted { sale, .. })
            | Self::SaleAdjusted(SaleAdjusted { sale, .. })
            | Self::AdjustmentRetracted(AdjustmentRetracted { sale, .. })
            | Self::LineReturned(LineReturned { sale, .. })
            | Self::SaleSuspended(SaleSuspended { sale, .. })
            | Self::SaleResumed(SaleResumed { sale, .. })
            | Self::SaleTransferred(SaleTransferred { sale, .. })
            | Self::TenderAdded(TenderAdded { sale, .. })
            | Self::TenderConfirmed(TenderConfirmed { sale, .. })
            | Self::TenderDeclined(TenderDeclined { sale, .. })
            | Self::TenderVoided(TenderVoided { sale, .. })
            | Self::SaleCompleted(SaleCompleted { sale, .. })
            | Self::SaleVoided(SaleVoided { sale, .. }) => Some(*sale),
        }
    }

    /// Its idempotency key.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        match self {
            Self::TerminalOpened(_)
            | Self::TerminalClosed(_)
            | Self::SaleTransferred(_)
            | Self::ClockStepped(_)
            | Self::CashArrived(_)
            | Self::SignerUp(_)
            | Self::SignerDown(_)
            | Self::SignatureAttached(_)
            | Self::Anchored(_)
            | Self::SegmentsArchived(_)
            | Self::KeyRotated(_)
            | Self::MessageSent(_)
            | Self::MessageReceived(_)
            | Self::ConfigurationSet(_)
            | Self::ConfigurationApplied(_)
            | Self::DrainBegun(_) => None,
            Self::PolicySet(PolicySet { key, .. })
            | Self::RulesSet(RulesSet { key, .. })
            | Self::SaleBegun(SaleBegun { key, .. })
            | Self::LineAdded(LineAdded { key, .. })
            | Self::LineVoided(LineVoided { key, .. })
            | Self::QuantitySet(QuantitySet { key, .. })
            | Self::PriceOverridden(PriceOverridden { key, .. })
            | Self::TaxesOverridden(TaxesOverridden { key, .. })
            | Self::LineAdjusted(LineAdjusted { key, .. })
            | Self::SaleAdjusted(SaleAdjusted { key, .. })
            | Self::AdjustmentRetracted(AdjustmentRetracted { key, .. })
            | Self::LineReturned(LineReturned { key, .. })
            | Self::SaleSuspended(SaleSuspended { key, .. })
            | Self::SaleResumed(SaleResumed { key, .. })
            | Self::TenderAdded(TenderAdded { key, .. })
            | Self::TenderConfirmed(TenderConfirmed { key, .. })
            | Self::TenderDeclined(TenderDeclined { key, .. })
            | Self::TenderVoided(TenderVoided { key, .. })
            | Self::SaleCompleted(SaleCompleted { key, .. })
            | Self::SaleVoided(SaleVoided { key, .. })
            | Self::OperatorSignedOn(OperatorSignedOn { key, .. })
            | Self::OperatorSignedOff(OperatorSignedOff { key, .. })
            | Self::ApprovalGiven(ApprovalGiven { key, .. })
            | Self::ShiftOpened(ShiftOpened { key, .. })
            | Self::ShiftClosed(ShiftClosed { key, .. })
            | Self::CashMoved(CashMoved { key, .. })
            | Self::CashCounted(CashCounted { key, .. })
            | Self::TrainingSet(TrainingSet { key, .. })
            | Self::ReceiptReprinted(ReceiptReprinted { key, .. })
            | Self::XReported(XReported { key, .. })
            | Self::ZReported(ZReported { key, .. })
            | Self::PeriodClosed(PeriodClosed { key, .. }) => key.as_ref(),
        }
    }
}

/// The body of a fact as bytes of its own.
#[must_use]
pub fn body_of(fact: &Fact) -> Vec<u8> {
    let mut body = Vec::with_capacity(128);
    fact.encode(&mut body);
    body
}
