//! Tenders: taken, confirmed, declined, taken back.

use super::{may_be_open, missing, next_number, not_empty, unless_zero};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{
    ForeignAmount, Key, TenderAdded, TenderConfirmed, TenderDeclined, TenderKind, TenderState,
    TenderVoided,
};
use crate::limits::TENDERS_MAX;
use crate::pricing::{Settlement, Tendered, offer, settle};
use crate::sale::input::{self, TenderInput};
use crate::sale::{Sale, Tender};

/// Takes a tender: positive while something is due, negative while something is to be paid out.
///
/// # Errors
/// `PK_E_BAD_AMOUNT`, `PK_E_OVERFLOW`, `PK_E_NOTHING_DUE`, `PK_E_EMPTY_SALE`, `PK_E_BAD_TEXT`,
/// `PK_E_BAD_ARGUMENT` for a rate without foreign money or the other way round, `PK_E_LIMIT`,
/// `PK_E_ALREADY_FINAL`.
pub fn tender(sale: &Sale, tender: &TenderInput<'_>, key: Option<Key>) -> Result<TenderAdded> {
    may_be_open(sale)?;
    input::amount(tender.amount)?;
    input::reference(tender.reference)?;
    not_empty(sale)?;
    if sale.tenders.len() >= TENDERS_MAX {
        return Err(Error::limit("tenders of a sale", sale.tenders.len() + 1, TENDERS_MAX));
    }
    let (amount, foreign) = worth(sale, tender)?;
    let live: Vec<Tendered> = sale.live_tenders().collect();
    let new = Tendered {
        means: tender.kind.means(),
        amount,
        tip: tender.tip,
        is_pending: tender.pending,
    };
    let paid = offer(sale.policy(), sale.cart.totals().gross, &live, new)
        .map_err(|error| error.with("sale", sale.number))?;
    Ok(TenderAdded {
        sale: sale.number,
        tender: next_number(sale.tenders.len()),
        kind: tender.kind,
        amount,
        state: if tender.pending { TenderState::Pending } else { TenderState::Confirmed },
        reference: tender.reference.map(str::to_owned),
        due: paid.due,
        change: paid.change,
        tip: unless_zero(tender.tip),
        foreign,
        rounding: unless_zero(paid.rounding),
        approval: tender.approval,
        key,
        rules: Vec::new(),
        attributes: Vec::new(),
    })
}

/// What a tender is worth in the sale's currency, and what was given in another one.
fn worth(sale: &Sale, tender: &TenderInput<'_>) -> Result<(i64, Option<ForeignAmount>)> {
    match (tender.kind, tender.rate) {
        (TenderKind::Foreign, Some(rate)) if rate.currency() != sale.currency => {
            let amount = rate.convert(sale.policy(), tender.amount)?;
            let per = (rate.per() != 1).then_some(rate.per());
            let (currency, rate) = (rate.currency(), rate.worth());
            Ok((amount, Some(ForeignAmount { currency, amount: tender.amount, rate, per })))
        }
        (TenderKind::Foreign, _) => {
            let message = "a foreign tender needs the other currency and its rate";
            Err(Error::new(Code::BadArgument, message).with("argument", "rate"))
        }
        (_, Some(_)) => {
            let message = "a rate goes with a tender of the kind foreign and no other";
            Err(Error::new(Code::BadArgument, message).with("argument", "rate"))
        }
        (_, None) => Ok((tender.amount, None)),
    }
}

/// Confirms a pending tender.
///
/// # Errors
/// `PK_E_NOT_FOUND`, `PK_E_TENDER_STATE`, `PK_E_BAD_TEXT`, `PK_E_ALREADY_FINAL`.
pub fn confirm_tender(
    sale: &Sale,
    tender: u32,
    auth: Option<&str>,
    key: Option<Key>,
) -> Result<TenderConfirmed> {
    input::reference(auth)?;
    tender_in(sale, tender, &[TenderState::Pending])?;
    let Settlement { due, change, rounding, .. } = after(sale, tender, TenderState::Confirmed)?;
    let (auth, rounding) = (auth.map(str::to_owned), unless_zero(rounding));
    Ok(TenderConfirmed { sale: sale.number, tender, auth, due, change, rounding, key })
}

/// Declines a pending tender.
///
/// # Errors
/// `PK_E_NOT_FOUND`, `PK_E_TENDER_STATE`, `PK_E_BAD_TEXT`, `PK_E_ALREADY_FINAL`.
pub fn decline_tender(
    sale: &Sale,
    tender: u32,
    reason: &str,
    key: Option<Key>,
) -> Result<TenderDeclined> {
    input::reason(reason)?;
    tender_in(sale, tender, &[TenderState::Pending])?;
    let Settlement { due, change, rounding, .. } = after(sale, tender, TenderState::Declined)?;
    let (reason, rounding) = (reason.to_owned(), unless_zero(rounding));
    let (operator, approval) = (None, None);
    Ok(TenderDeclined {
        sale: sale.number,
        tender,
        reason,
        due,
        change,
        rounding,
        operator,
        approval,
        key,
    })
}

/// Takes a live tender back.
///
/// # Errors
/// `PK_E_NOT_FOUND`, `PK_E_TENDER_STATE`, `PK_E_BAD_TEXT`, `PK_E_ALREADY_FINAL`.
pub fn void_tender(
    sale: &Sale,
    tender: u32,
    reason: &str,
    key: Option<Key>,
) -> Result<TenderVoided> {
    input::reason(reason)?;
    tender_in(sale, tender, &[TenderState::Pending, TenderState::Confirmed])?;
    let Settlement { due, change, rounding, .. } = after(sale, tender, TenderState::Voided)?;
    let (reason, rounding) = (reason.to_owned(), unless_zero(rounding));
    let (operator, approval) = (None, None);
    Ok(TenderVoided {
        sale: sale.number,
        tender,
        reason,
        due,
        change,
        rounding,
        operator,
        approval,
        key,
    })
}

fn tender_in<'a>(sale: &'a Sale, number: u32, allowed: &[TenderState]) -> Result<&'a Tender> {
    may_be_open(sale)?;
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    let Some(tender) = index.and_then(|index| sale.tenders.get(index)) else {
        return Err(missing("tender", number, sale));
    };
    if allowed.contains(&tender.state) {
        return Ok(tender);
    }
    let state = tender.state.name();
    let message = format!("tender {number} of sale {} is {state}", sale.number);
    Err(Error::new(Code::TenderState, message)
        .with("sale", sale.number)
        .with("tender", number)
        .with("state", state))
}

/// Where the payment stands once a tender has come into another state.
pub(in crate::sale) fn after(sale: &Sale, tender: u32, state: TenderState) -> Result<Settlement> {
    let live = sale.tenders.iter().filter_map(|other| {
        let state = if other.number == tender { state } else { other.state };
        let is_live = matches!(state, TenderState::Pending | TenderState::Confirmed);
        is_live.then(|| other.tendered())
    });
    settle(sale.policy(), sale.cart.totals().gross, live)
}
