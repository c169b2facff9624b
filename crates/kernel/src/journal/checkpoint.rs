//! Checkpoints: a till as records, from which replay can start.
//!
//! Counters and keys are one record; each open sale is one more, carried as the bytes of its facts,
//! so that fields which this version does not know survive. A checkpoint is a cache: the verifier
//! folds the facts and compares.
//!
//! The first checkpoint of a segment carries all remembered keys. Further ones carry only those
//! that came since the checkpoint before: all of them each time would be most of the log.

use super::codec::{Bytes, DecodeError, Field, map_struct, whole};
use super::coordination::CheckpointCoordination;
use super::fact::{Fact, RecordKind};
use super::priced::TaxTotals;
use super::proof::{CheckpointArchived, CheckpointSigning};
use super::report::CheckpointTill;
use super::till::{carried, put_back};
use crate::limits::{AMOUNT_MAX, TAX_BOOK_MAX};
use crate::money::Currency;
use crate::policy::Policy;
use crate::sale::{Sale, State};
use crate::signing::{Archived, SigningState};
use crate::till::{ClassTotals, Coordination, CurrencyTotals, KeyWindow, TaxBook, Till, TillRules};
use minicbor::Encoder;
use std::collections::BTreeMap;

/// No number or count comes near this; adding to one below it never overflows.
pub(super) const NUMBER_MAX: u64 = u64::MAX / 2;

map_struct! {
    /// Perpetual totals in a checkpoint.
    CheckpointTotals {
        /// Currency.
        0 currency: Currency,
        /// Amounts sold.
        1 sales: i64,
        /// Amounts returned.
        2 returns: i64,
        /// Completed sales.
        3 receipts: u64,
        /// Voided sales.
        4 voids: u64,
        /// Taxes on what was sold; left out while there were none.
        5 sales_tax: Option<i64>,
        /// Taxes on what was returned; left out while there were none.
        6 returns_tax: Option<i64>,
        /// Cash rounding; left out while it is nothing.
        7 rounding: Option<i64>,
        /// Totals of each tax.
        8 taxes: Vec<TaxTotals>,
    }
}

map_struct! {
    /// The head of a checkpoint.
    Checkpoint {
        /// Number of the next sale.
        0 next_sale: u64,
        /// Number of the next receipt.
        1 next_receipt: u64,
        /// Perpetual totals.
        2 totals: Vec<CheckpointTotals>,
        /// Keys, oldest first, 32 bytes each: hash 16, sequence 8, fingerprint 8. All that are
        /// remembered, or those that came since the checkpoint before in this segment.
        3 keys: Bytes,
        /// How many keys are remembered at most.
        4 keys_max: u64,
        /// Open sales that follow as records.
        5 sales: u64,
        /// Canonical bytes of the policies that are set.
        6 policies: Vec<Bytes>,
        /// Canonical bytes of the rules that are set; left out while none were.
        7 rules: Option<Bytes>,
        /// People, drawer, reports and copies, from the first fact of them on.
        16 till: Option<CheckpointTill>,
        /// The signer, once there was one.
        20 signing: Option<CheckpointSigning>,
        /// What was archived, once something was.
        21 archived: Option<CheckpointArchived>,
        /// Messages and the system configuration, once there were any.
        24 coordination: Option<CheckpointCoordination>,
    }
}

map_struct! {
    /// An open sale in a checkpoint.
    CheckpointSale {
        /// Sale.
        0 sale: u64,
        /// Sequence of its first record.
        1 first_sequence: u64,
        /// Wall time of its first record.
        2 began_ns: i64,
        /// It came back after its owner was gone.
        3 recovered: bool,
        /// Its records so far, each as kind u16, size u32, body.
        4 log: Bytes,
    }
}

/// A till as the records of a checkpoint that begins a segment: kind and body of each.
#[must_use]
pub fn snapshot(till: &Till) -> Vec<(RecordKind, Vec<u8>)> {
    with_keys(till, till.keys.pack())
}

/// A till as the records of a further checkpoint of a segment.
#[must_use]
pub fn snapshot_since(till: &Till) -> Vec<(RecordKind, Vec<u8>)> {
    with_keys(till, till.keys.pack_fresh())
}

fn with_keys(till: &Till, keys: Vec<u8>) -> Vec<(RecordKind, Vec<u8>)> {
    let head = Checkpoint {
        next_sale: till.next_sale,
        next_receipt: till.next_receipt,
        totals: totals_records(&till.totals, &till.taxes),
        keys: Bytes(keys),
        keys_max: till.keys.keys_max() as u64,
        sales: till.open.len() as u64,
        rules: Some(till.rules.bytes())
            .filter(|bytes| !bytes.is_empty())
            .map(|bytes| Bytes(bytes.to_vec())),
        policies: till.policies.values().map(|policy| Bytes(policy.encode())).collect(),
        till: carried(till),
        signing: till.signing.as_ref().map(SigningState::to_checkpoint),
        archived: till.archived.map(Archived::to_checkpoint),
        coordination: till.coordination.to_checkpoint(),
    };
    let sales = till.open.values().map(|sale| CheckpointSale {
        sale: sale.number,
        first_sequence: sale.first_sequence,
        began_ns: sale.began_ns,
        recovered: sale.recovered,
        log: Bytes(sale.log().to_vec()),
    });
    let mut records = vec![(RecordKind::Checkpoint, body(&head))];
    records.extend(sales.map(|sale| (RecordKind::CheckpointSale, body(&sale))));
    records
}

/// Perpetual totals as a checkpoint has them.
pub(super) fn totals_records(
    totals: &BTreeMap<Currency, CurrencyTotals>,
    taxes: &BTreeMap<Currency, TaxBook>,
) -> Vec<CheckpointTotals> {
    let unless_zero = |amount: i64| (amount != 0).then_some(amount);
    let records = totals.iter().map(|(currency, totals)| CheckpointTotals {
        currency: *currency,
        sales: totals.sales,
        returns: totals.returns,
        receipts: totals.receipts,
        voids: totals.voids,
        sales_tax: unless_zero(totals.sales_tax),
        returns_tax: unless_zero(totals.returns_tax),
        rounding: unless_zero(totals.rounding),
        taxes: taxes.get(currency).into_iter().flatten().map(|(t, c)| c.record(*t)).collect(),
    });
    records.collect()
}

/// The head of a checkpoint.
///
/// # Errors
/// What in it cannot be.
pub(crate) fn head_of<'a>(
    records: &mut impl Iterator<Item = (u16, &'a [u8])>,
) -> Result<Checkpoint, DecodeError> {
    let Some((kind, bytes)) = records.next() else {
        return Err(DecodeError("a checkpoint has no head".to_owned()));
    };
    if kind != RecordKind::Checkpoint as u16 {
        return Err(DecodeError(format!("a checkpoint begins with a record of kind {kind}")));
    }
    whole(bytes)
}

fn keys_in(head: &Checkpoint) -> Result<KeyWindow, DecodeError> {
    let keys_max = usize::try_from(head.keys_max)
        .ok()
        .filter(|keys_max| *keys_max <= crate::limits::KEYS_MAX)
        .ok_or_else(|| DecodeError(format!("a checkpoint remembers {} keys", head.keys_max)))?;
    KeyWindow::unpack(&head.keys.0, keys_max)
        .ok_or_else(|| DecodeError("a checkpoint's keys are malformed".to_owned()))
}

/// The keys that a checkpoint carries.
///
/// # Errors
/// What in it cannot be.
pub fn keys_of<'a>(
    records: impl IntoIterator<Item = (u16, &'a [u8])>,
) -> Result<KeyWindow, DecodeError> {
    keys_in(&head_of(&mut records.into_iter())?)
}

pub(super) fn is_number(number: u64) -> bool {
    (1..NUMBER_MAX).contains(&number)
}

fn body(record: &impl Field) -> Vec<u8> {
    let mut body = Vec::new();
    record.write(&mut Encoder::new(&mut body)).expect("writing to memory cannot fail");
    body
}

/// A till from the records of a checkpoint.
///
/// # Errors
/// What in them cannot be.
pub fn restore<'a>(
    records: impl IntoIterator<Item = (u16, &'a [u8])>,
) -> Result<Till, DecodeError> {
    let mut records = records.into_iter();
    let head = head_of(&mut records)?;
    if !is_number(head.next_sale) || !is_number(head.next_receipt) {
        return Err(DecodeError("a checkpoint's numbers are out of range".to_owned()));
    }
    let keys = keys_in(&head)?;
    let mut till = Till::new(keys.keys_max());
    till.keys = keys;
    till.next_sale = head.next_sale;
    till.next_receipt = head.next_receipt;
    let signing = head.signing.map(|it| SigningState::from_checkpoint(it, head.next_receipt));
    till.signing = signing.transpose()?;
    till.archived = head.archived.as_ref().map(Archived::from_checkpoint);
    for totals in &head.totals {
        restore_totals((&mut till.totals, &mut till.taxes), totals)?;
    }
    for bytes in &head.policies {
        let policy = Policy::decode(&bytes.0).map_err(|error| DecodeError(error.to_string()))?;
        let currency = policy.terms().currency;
        if till.policies.insert(currency, policy).is_some() {
            return Err(DecodeError(format!("a checkpoint has two policies for {currency}")));
        }
    }
    if let Some(rules) = &head.rules {
        till.rules = TillRules::of(&rules.0).map_err(|error| DecodeError(error.to_string()))?;
    }
    if let Some(carried) = head.coordination {
        till.coordination = Coordination::from_checkpoint(carried)?;
    }
    if let Some(carried) = head.till {
        put_back(&mut till, carried)?;
    }
    let mut count = 0;
    for (kind, bytes) in records {
        if kind != RecordKind::CheckpointSale as u16 {
            return Err(DecodeError(format!("a checkpoint holds a record of kind {kind}")));
        }
        let sale = sale_from(&whole(bytes)?)?;
        if !(1..head.next_sale).contains(&sale.number) {
            return Err(DecodeError(format!("a checkpoint holds a sale {}", sale.number)));
        }
        till.restore_sale(sale);
        count += 1;
    }
    if count != head.sales || till.open.len() as u64 != count {
        return Err(DecodeError(format!("a checkpoint of {} sales holds {count}", head.sales)));
    }
    Ok(till)
}

pub(super) fn restore_totals(
    (totals_in, taxes_in): (
        &mut BTreeMap<Currency, CurrencyTotals>,
        &mut BTreeMap<Currency, TaxBook>,
    ),
    record: &CheckpointTotals,
) -> Result<(), DecodeError> {
    let CheckpointTotals { currency, sales, returns, receipts, voids, .. } = *record;
    let (sales_tax, returns_tax) = (record.sales_tax.unwrap_or(0), record.returns_tax.unwrap_or(0));
    let rounding = record.rounding.unwrap_or(0);
    let upwards = |amounts: &[i64]| amounts.iter().all(|sum| (0..=AMOUNT_MAX).contains(sum));
    // A rule may round the tax in a price to more than the price, or its net: then the sums of
    // taxes and of nets fall by as much, while what was sold and returned never does (I9).
    let amounts = |sums: &[i64]| sums.iter().all(|sum| (-AMOUNT_MAX..=AMOUNT_MAX).contains(sum));
    let counted = receipts < NUMBER_MAX && voids < NUMBER_MAX;
    let mut possible = counted
        && upwards(&[sales, returns])
        && amounts(&[sales_tax, returns_tax, rounding])
        && record.taxes.len() <= TAX_BOOK_MAX;
    let mut book = TaxBook::new();
    for totals in &record.taxes {
        let (tax, class) = ClassTotals::of(totals);
        let ClassTotals { sold_net, sold_tax, returned_net, returned_tax } = class;
        possible &= amounts(&[sold_net, sold_tax, returned_net, returned_tax]);
        possible &= book.insert(tax, class).is_none();
    }
    if !book.is_empty() {
        taxes_in.insert(currency, book);
    }
    let totals =
        CurrencyTotals { sales, returns, sales_tax, returns_tax, rounding, receipts, voids };
    if possible && totals_in.insert(currency, totals).is_none() {
        return Ok(());
    }
    Err(DecodeError(format!("a checkpoint's totals in {currency} cannot be")))
}

fn sale_from(record: &CheckpointSale) -> Result<Sale, DecodeError> {
    let mut sale: Option<Sale> = None;
    let mut rest = &record.log.0[..];
    while !rest.is_empty() {
        let cut = || DecodeError(format!("the log of sale {} is cut short", record.sale));
        let (head, after) = rest.split_at_checked(6).ok_or_else(cut)?;
        let kind = u16::from_le_bytes([head[0], head[1]]);
        let size = u32::from_le_bytes([head[2], head[3], head[4], head[5]]);
        let (body, after) = after.split_at_checked(size as usize).ok_or_else(cut)?;
        rest = after;
        let kind = RecordKind::from_number(kind)
            .ok_or_else(|| DecodeError(format!("record kind {kind} is not known")))?;
        let fact = Fact::decode(kind, body)?
            .filter(|fact| fact.sale() == Some(record.sale))
            .ok_or_else(|| DecodeError(format!("a {} in sale {}", kind.name(), record.sale)))?;
        match (&mut sale, &fact) {
            (None, Fact::SaleBegun(begun)) => {
                let mut begun = Sale::begun(begun, record.first_sequence, record.began_ns)
                    .map_err(|error| DecodeError(error.to_string()))?;
                begun.recovered = record.recovered;
                sale = Some(begun);
            }
            (Some(sale), _) => sale.apply(&fact).map_err(|error| DecodeError(error.to_string()))?,
            (None, _) => return Err(DecodeError("a sale does not begin".to_owned())),
        }
        if let Some(sale) = &mut sale {
            sale.remember(kind, body);
        }
    }
    match sale {
        Some(sale)
            if matches!(sale.state(), State::Building | State::Tendering | State::Suspended) =>
        {
            Ok(sale)
        }
        Some(_) => Err(DecodeError(format!("sale {} is over", record.sale))),
        None => Err(DecodeError(format!("the log of sale {} is empty", record.sale))),
    }
}
