//! What a sale costs: the policy of the till, overrides of prices and taxes, discounts, surcharges.

use crate::answer;
use crate::guard::guard;
use crate::input;
use crate::memory::{self, Answer};
use crate::seat::{self, SaleSeat, Settled};
use crate::terminal::flags;
use crate::types::{
    PK_POLICY_CHANGE_FROM, PK_POLICY_MINOR_DIGITS, PK_POLICY_NO_MIXED_RETURNS, PkAdjustment,
    PkAdjustmentAnswer, PkDecimal, PkLineAnswer, PkPolicy, PkPolicyAnswer, PkReason, PkResult,
    PkTaxInput, PkTerminal, PkTransactionHandle,
};
use pos_kernel_core::money::{Currency, Rounding};
use pos_kernel_core::policy::{
    CashRounding, GrossSplit, MeansSet, PaymentMeans, Policy, PolicyTerms, Prices, TaxScope,
    UnboundReturns,
};
use pos_kernel_core::terminal::PolicyAnswer;
use pos_kernel_core::{Code, Error, Result};

/// Sets the rules by which sales of a currency are priced from here on. Open sales keep theirs.
///
/// `policy`: the rules. `key`: an idempotency key, or none. `out_answer` may be null.
/// Durable when it returns: on the device, in both durabilities.
///
/// Codes: 1; 2 (PK_E_CLOSED); 3 (PK_E_BAD_POLICY, PK_E_BAD_CURRENCY, PK_E_LIMIT for more currencies
/// than there may be, PK_E_BAD_KEY, PK_E_BAD_ARGUMENT, PK_E_STRUCT_SIZE); 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_set_policy(
    terminal: PkTerminal,
    policy: *const PkPolicy,
    key: *const u8,
    key_len: usize,
    out_answer: *mut PkPolicyAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        // SAFETY: the caller promises the structure.
        let given = unsafe { memory::structure("policy", policy) }?;
        let policy = policy_of(&given)?;
        // SAFETY: the caller promises the text.
        let key = unsafe { memory::optional(memory::KEY, key, key_len) }?;
        let seat = seat::terminal(terminal)?;
        let answer = seat.terminal.set_policy(&policy, key)?;
        let Settled { value, sequence, replayed } = seat::settled(&seat.terminal, answer)?;
        let PolicyAnswer { hash } = value;
        let answer = PkPolicyAnswer { struct_size: 0, replayed: replayed.into(), sequence, hash };
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer) };
        Ok(())
    })
}

/// The rules by which sales of a currency are priced from here on, as they were set; every choice
/// that a host left out is in it. It can be changed and given to pk_set_policy again.
///
/// Codes: 1 (also when none is set: then the default policy prices); 2 (PK_E_CLOSED); 3.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_get_policy(
    terminal: PkTerminal,
    currency: *const u8,
    currency_len: usize,
    out_policy: *mut PkPolicy,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::needed("out_policy", out_policy) }?;
        // SAFETY: the caller promises the text.
        let currency = unsafe { memory::text(memory::CURRENCY, currency, currency_len) }?;
        let currency = Currency::parse(currency)?;
        let policy = seat::terminal(terminal)?.terminal.policy(currency)?;
        let policy = policy.ok_or_else(|| {
            let message = format!("no policy is set for {currency}; the default policy prices");
            Error::new(Code::NotFound, message).with("currency", currency.letters())
        })?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&shown(&policy)) };
        Ok(())
    })
}

/// Overrides the price of a line.
///
/// `unit_price`: the new price of `per` units in minor units, zero or more. `per`: null or all zero
/// for one unit. `reason`: why, an approval if there is one, an idempotency key. `out_answer` may be
/// null. Durable as pk_begin_transaction_ex.
///
/// Codes: 1; 2 (PK_E_LINE_VOIDED, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL, PK_E_CLOSED); 3
/// (PK_E_BAD_PRICE, PK_E_BAD_QUANTITY for `per`, PK_E_BAD_AMOUNT when a discount takes more than is
/// left, PK_E_OVERFLOW, PK_E_BAD_TEXT, PK_E_BAD_KEY, PK_E_BAD_UTF8, PK_E_STRUCT_SIZE,
/// PK_E_BAD_ARGUMENT); 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_override_line_price(
    handle: PkTransactionHandle,
    line: u32,
    unit_price: *const PkDecimal,
    per: *const PkDecimal,
    reason: *const PkReason,
    out_answer: *mut PkLineAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        // SAFETY: the caller promises the decimal.
        let unit_price = unsafe { memory::plain("unit_price", unit_price) }?;
        let unit_price = input::decimal("unit_price", unit_price, Code::BadPrice)?;
        let per = if per.is_null() {
            PkDecimal { mantissa: 0, scale: 0, reserved: 0 }
        } else {
            // SAFETY: the caller promises the decimal.
            unsafe { memory::plain("per", per) }?
        };
        let price = (unit_price, input::per(per)?);
        // SAFETY: the caller promises the structure and its texts.
        let (reason, key) = unsafe { input::reason(reason) }?;
        let sale = seat::sale(handle)?;
        let terminal = &sale.seat.terminal;
        let settled =
            sale.settled(terminal.override_price(sale.number, line, price, reason, key)?)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer::line_answer(&settled)) };
        Ok(())
    })
}

/// Overrides the taxes of a line.
///
/// `taxes`: the new ones, none twice; the `struct_size` of the first is the distance from each to
/// the next. `tax_count`: how many, 0 to 32. `reason` and `out_answer` as pk_override_line_price.
/// Durable as pk_begin_transaction_ex.
///
/// Codes: 1; 2 (PK_E_LINE_VOIDED, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL, PK_E_CLOSED); 3
/// (PK_E_BAD_RATE, PK_E_LIMIT, PK_E_OVERFLOW, PK_E_BAD_TEXT, PK_E_BAD_KEY, PK_E_BAD_UTF8,
/// PK_E_STRUCT_SIZE, PK_E_BAD_ARGUMENT); 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_override_line_taxes(
    handle: PkTransactionHandle,
    line: u32,
    taxes: *const PkTaxInput,
    tax_count: usize,
    reason: *const PkReason,
    out_answer: *mut PkLineAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        // SAFETY: the caller promises the array and its texts.
        let taxes = unsafe { input::taxes(taxes, tax_count) }?;
        // SAFETY: the caller promises the structure and its texts.
        let (reason, key) = unsafe { input::reason(reason) }?;
        let sale = seat::sale(handle)?;
        let terminal = &sale.seat.terminal;
        let settled =
            sale.settled(terminal.override_taxes(sale.number, line, &taxes, reason, key)?)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer::line_answer(&settled)) };
        Ok(())
    })
}

/// Gives a line a discount or a surcharge.
///
/// `adjustment`: what, how much, why, an approval if there is one, an idempotency key. `out_answer`
/// may be null. Durable as pk_begin_transaction_ex.
///
/// Codes: 1; 2 (PK_E_LINE_VOIDED, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL, PK_E_CLOSED); 3
/// (PK_E_BAD_AMOUNT when it is not over zero or takes more than there is, PK_E_BAD_RATE,
/// PK_E_OVERFLOW, PK_E_LIMIT, PK_E_BAD_TEXT, PK_E_BAD_KEY, PK_E_BAD_UTF8, PK_E_STRUCT_SIZE,
/// PK_E_BAD_ARGUMENT); 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_adjust_line(
    handle: PkTransactionHandle,
    line: u32,
    adjustment: *const PkAdjustment,
    out_answer: *mut PkLineAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        // SAFETY: the caller promises the structure.
        let given = unsafe { memory::structure("adjustment", adjustment) }?;
        // SAFETY: the caller promises the texts.
        let (adjustment, reason) = unsafe { input::adjustment(&given) }?;
        // SAFETY: as above.
        let key = unsafe { memory::optional_field(memory::KEY, given.key) }?;
        let sale = seat::sale(handle)?;
        let terminal = &sale.seat.terminal;
        let settled =
            sale.settled(terminal.adjust_line(sale.number, line, adjustment, reason, key)?)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer::line_answer(&settled)) };
        Ok(())
    })
}

/// Gives a sale a discount or a surcharge, allocated to its items by their amounts:
/// pk_get_adjustment_shares tells what each has of it.
///
/// `adjustment` and `out_answer` as pk_adjust_line. Durable as pk_begin_transaction_ex.
///
/// Codes: as pk_adjust_line; 2 also PK_E_EMPTY_SALE when no line takes part.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_adjust_transaction(
    handle: PkTransactionHandle,
    adjustment: *const PkAdjustment,
    out_answer: *mut PkAdjustmentAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        // SAFETY: the caller promises the structure.
        let given = unsafe { memory::structure("adjustment", adjustment) }?;
        // SAFETY: the caller promises the texts.
        let (adjustment, reason) = unsafe { input::adjustment(&given) }?;
        // SAFETY: as above.
        let key = unsafe { memory::optional_field(memory::KEY, given.key) }?;
        let sale: &SaleSeat = &*seat::sale(handle)?;
        let terminal = &sale.seat.terminal;
        let settled =
            sale.settled(terminal.adjust_sale(sale.number, adjustment, reason, key)?)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer::adjustment_answer(&settled)) };
        Ok(())
    })
}

/// Takes a discount or a surcharge back, of a line or of the sale.
///
/// `adjustment`: its number in the sale. `reason` as pk_override_line_price. `out_answer` may be
/// null. Durable as pk_begin_transaction_ex.
///
/// Codes: 1 (also for one that is not there or was taken back); 2 (PK_E_TENDER_TAKEN,
/// PK_E_ALREADY_FINAL, PK_E_CLOSED); 3 (PK_E_BAD_AMOUNT when a later discount would take more than
/// is left, PK_E_BAD_TEXT, PK_E_BAD_KEY, PK_E_BAD_UTF8, PK_E_STRUCT_SIZE, PK_E_BAD_ARGUMENT); 7; 8.
///
/// # Safety
/// As the crate says of pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pk_retract_adjustment(
    handle: PkTransactionHandle,
    adjustment: u32,
    reason: *const PkReason,
    out_answer: *mut PkAdjustmentAnswer,
) -> PkResult {
    guard(|| {
        // SAFETY: the caller promises the structure.
        let slot = unsafe { Answer::new("out_answer", out_answer) }?;
        // SAFETY: the caller promises the structure and its texts.
        let (reason, key) = unsafe { input::reason(reason) }?;
        let sale = seat::sale(handle)?;
        let terminal = &sale.seat.terminal;
        let settled = sale.settled(terminal.retract(sale.number, adjustment, reason, key)?)?;
        // SAFETY: the caller promises that it can be written.
        unsafe { slot.set(&answer::adjustment_answer(&settled)) };
        Ok(())
    })
}

fn policy_of(given: &PkPolicy) -> Result<Policy> {
    let known = PK_POLICY_MINOR_DIGITS | PK_POLICY_CHANGE_FROM | PK_POLICY_NO_MIXED_RETURNS;
    flags("policy.flags", given.flags, known)?;
    let mut terms = PolicyTerms::of(input::currency("policy.currency", given.currency)?);
    if given.flags & PK_POLICY_MINOR_DIGITS != 0 {
        terms.minor_digits = u8::try_from(given.minor_digits)
            .map_err(|_| no_choice("minor_digits", given.minor_digits))?;
    } else if given.minor_digits != 0 {
        return Err(no_choice("minor_digits without PK_POLICY_MINOR_DIGITS", given.minor_digits));
    }
    if given.flags & PK_POLICY_CHANGE_FROM != 0 {
        terms.change_from = means_of(given.change_from)?;
    } else if given.change_from != 0 {
        return Err(no_choice("change_from without PK_POLICY_CHANGE_FROM", given.change_from));
    }
    terms.mixed_returns = given.flags & PK_POLICY_NO_MIXED_RETURNS == 0;
    choose(&mut terms.prices, "prices", given.prices, Prices::from_number)?;
    choose(&mut terms.tax_scope, "tax_scope", given.tax_scope, TaxScope::from_number)?;
    let rounding = Rounding::from_number;
    choose(&mut terms.tax_rounding, "tax_rounding", given.tax_rounding, rounding)?;
    choose(&mut terms.gross_split, "gross_split", given.gross_split, GrossSplit::from_number)?;
    choose(&mut terms.amount_rounding, "amount_rounding", given.amount_rounding, rounding)?;
    terms.cash_step = given.cash_step.max(1);
    let rounding = CashRounding::from_number;
    choose(&mut terms.cash_rounding, "cash_rounding", given.cash_rounding, rounding)?;
    let returns = UnboundReturns::from_number;
    choose(&mut terms.unbound_returns, "unbound_returns", given.unbound_returns, returns)?;
    Policy::new(terms)
}

/// Takes a choice by the number that it has in the journal and in the header; 0 is the default.
fn choose<T>(
    term: &mut T,
    what: &'static str,
    given: u32,
    by_number: fn(u8) -> Option<T>,
) -> Result<()> {
    if given != 0 {
        let found = u8::try_from(given).ok().and_then(by_number);
        *term = found.ok_or_else(|| no_choice(what, given))?;
    }
    Ok(())
}

fn means_of(bits: u32) -> Result<MeansSet> {
    let all: Vec<PaymentMeans> = (1..=u8::MAX).map_while(PaymentMeans::from_number).collect();
    let bit = |means: &PaymentMeans| 1_u32 << means.number();
    if bits & !all.iter().map(bit).sum::<u32>() != 0 {
        return Err(no_choice("change_from", bits));
    }
    let chosen: Vec<PaymentMeans> =
        all.into_iter().filter(|means| bits & bit(means) != 0).collect();
    Ok(MeansSet::of(&chosen))
}

fn shown(policy: &Policy) -> PkPolicy {
    let terms = policy.terms();
    let mixed = if terms.mixed_returns { 0 } else { PK_POLICY_NO_MIXED_RETURNS };
    PkPolicy {
        struct_size: 0,
        flags: PK_POLICY_MINOR_DIGITS | PK_POLICY_CHANGE_FROM | mixed,
        currency: answer::letters(terms.currency),
        minor_digits: terms.minor_digits.into(),
        prices: terms.prices.number().into(),
        tax_scope: terms.tax_scope.number().into(),
        tax_rounding: terms.tax_rounding.number().into(),
        gross_split: terms.gross_split.number().into(),
        amount_rounding: terms.amount_rounding.number().into(),
        cash_step: terms.cash_step,
        cash_rounding: terms.cash_rounding.number().into(),
        change_from: terms.change_from.iter().map(|means| 1_u32 << means.number()).sum(),
        unbound_returns: terms.unbound_returns.number().into(),
        hash: policy.hash(),
    }
}

#[cold]
fn no_choice(what: &'static str, value: u32) -> Error {
    let message = format!("{what} of the policy is {value}, which is none of its values");
    Error::new(Code::BadPolicy, message).with("what", what).with("value", value)
}
