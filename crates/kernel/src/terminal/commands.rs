//! What a host can do with a terminal.
//!
//! Every call that makes a fact takes an optional idempotency key: the first call with it makes the
//! fact, every later one gets the first one's answer, as long as the key is among the newest 2,048.
//! The same key with other inputs is `PK_E_IDEMPOTENCY_MISMATCH`. A refused call changes nothing.

use super::commit::{Answer, Growth, Inputs, Urgency};
use super::history::Recorded;
use super::open::record;
use super::{Core, Terminal};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{Circle, Fact, Key, RecordKind, Sums, TenderKind, TenderState};
use crate::limits::{OPEN_SALES_MAX, SEGMENT_BYTES_PER_SALE, SEGMENT_BYTES_PER_TAX};
use crate::money::Decimal;
use crate::pricing::{Adjustment, LineKind, Plan};
use crate::rules::{Attribute, Given as Value};
use crate::sale::{
    LineInput, Reason, Receipt, ReceiptMeta, Sale, State, TaxInput, TenderInput, Totals, machine,
};
use crate::till::Till;
use pos_kernel_wal::{Record, WalError};
use std::ops::Range;

/// A sale has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// Number of the sale on this terminal.
    pub sale: u64,
}

/// A line was added or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineAnswer {
    /// Line number.
    pub line: u32,
    /// Its amount in minor units; 0 once it is voided.
    pub amount: i64,
    /// The discount or surcharge that the call gave it last.
    pub given: Option<LineAdjustment>,
    /// What the sale comes to.
    pub totals: Totals,
}

/// A discount or surcharge that a line was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineAdjustment {
    /// Its number in the sale.
    pub number: u32,
    /// What it adds to the line's amount.
    pub adjusted: i64,
}

/// A tender was taken or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TenderAnswer {
    /// Tender number.
    pub tender: u32,
    /// Its state.
    pub state: TenderState,
    /// Still due.
    pub due: i64,
    /// Change to give.
    pub change: i64,
    /// What cash rounding adds to the total.
    pub rounding: i64,
}

/// A sale was voided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VoidAnswer {
    /// Number of the sale.
    pub sale: u64,
}

/// A whole sale to ring up.
#[derive(Debug, Clone, Copy)]
pub struct Sold<'a> {
    /// Store.
    pub store: &'a str,
    /// Currency.
    pub currency: &'a str,
    /// The host's own number for it.
    pub reference: Option<&'a str>,
    /// Lines.
    pub lines: &'a [LineInput<'a>],
    /// Discounts and surcharges on the sale, in their order, each with its reason.
    pub adjustments: &'a [(Adjustment, &'a str)],
    /// Tenders; none may be pending.
    pub tenders: &'a [TenderInput<'a>],
}

pub(super) const LINE: (Growth, Urgency) = (Growth::Grows, Urgency::Within);
const FINAL: (Growth, Urgency) = (Growth::Finishes, Urgency::Now);

impl Terminal {
    /// Begins a sale.
    ///
    /// # Errors
    /// `PK_E_BAD_TEXT`, `PK_E_BAD_CURRENCY`, `PK_E_LIMIT`, `PK_E_NO_SPACE`, and those of any call:
    /// `PK_E_BAD_KEY`, `PK_E_IDEMPOTENCY_MISMATCH`, `PK_E_POISONED`, `PK_E_CLOSED`.
    pub fn begin(
        &self,
        store: &str,
        currency: &str,
        reference: Option<&str>,
        key: Option<&str>,
    ) -> Result<Answer<Begun>> {
        let inputs = || Inputs::of("begin").text(store).text(currency).optional(reference);
        self.command(
            key.map(|key| (key, inputs())),
            LINE,
            |till, key| {
                let policy = |currency| till.policies.get(&currency).copied();
                let number = till.next_sale;
                let mut begun =
                    machine::begin(number, store, currency, reference, policy, None, key)?;
                self.may_sell(till)?;
                till.people.begin(&mut begun);
                till.may_begin(begun.currency, self.open_sales_max())?;
                Ok(begun.into())
            },
            |recorded| match &recorded.fact {
                Fact::SaleBegun(fact) => Some(Begun { sale: fact.sale }),
                _ => None,
            },
        )
    }

    /// Adds a line, with the discounts and surcharges that it begins with in the same frame.
    ///
    /// # Errors
    /// Those of [`machine::add_line`] and [`machine::adjust_line`], `PK_E_NOT_FOUND`,
    /// `PK_E_NO_SPACE`, and those of any call.
    pub fn add_line(
        &self,
        sale: u64,
        line: &LineInput<'_>,
        key: Option<&str>,
    ) -> Result<Answer<LineAnswer>> {
        let inputs = || line_inputs(Inputs::of("addLine").number(sale), line);
        if !line.adjustments.is_empty() {
            let key = key.map(|key| inputs().under(key)).transpose()?;
            return self.add_adjusted_line(sale, line, key);
        }
        self.command(
            key.map(|key| (key, inputs())),
            LINE,
            |till, key| {
                let sale = till.open_sale(sale)?;
                let mut fact = machine::add_line(sale, line, key)?;
                till.may_tax(sale, &fact.taxes, self.taxes_max())?;
                fact.is_judged(till.rules.judge_line(sale, line, fact.amount)?);
                Ok(fact.into())
            },
            line_answer,
        )
    }

    /// Changes a line's quantity.
    ///
    /// # Errors
    /// Those of [`machine::set_quantity`], `PK_E_NOT_FOUND`, and those of any call.
    pub fn set_quantity<'a>(
        &self,
        sale: u64,
        line: u32,
        quantity: Decimal,
        reason: impl Into<Reason<'a>>,
        key: Option<&str>,
    ) -> Result<Answer<LineAnswer>> {
        let reason = reason.into();
        let inputs = || {
            let inputs = Inputs::of("setQuantity").number(sale).number(line.into());
            inputs.decimal(quantity).reason(reason)
        };
        self.command(
            key.map(|key| (key, inputs())),
            LINE,
            |till, key| {
                let sale = till.open_sale(sale)?;
                let mut fact = machine::set_quantity(sale, line, quantity, reason.text, key)?;
                let changed = (line, Some(quantity), None);
                let (amount, approval) = (fact.amount, reason.approval);
                fact.rules = till.rules.judge_change(sale, changed, amount, approval)?;
                Ok(Fact::from(fact).under(approval))
            },
            line_answer,
        )
    }

    /// Voids a line. It stays on the sale, worth nothing.
    ///
    /// # Errors
    /// Those of [`machine::void_line`], `PK_E_NOT_FOUND`, and those of any call.
    pub fn void_line<'a>(
        &self,
        sale: u64,
        line: u32,
        reason: impl Into<Reason<'a>>,
        key: Option<&str>,
    ) -> Result<Answer<LineAnswer>> {
        let reason = reason.into();
        let inputs = || Inputs::of("voidLine").number(sale).number(line.into()).reason(reason);
        self.command(
            key.map(|key| (key, inputs())),
            LINE,
            |till, key| {
                Ok(Fact::from(machine::void_line(till.open_sale(sale)?, line, reason.text, key)?)
                    .under(reason.approval))
            },
            line_answer,
        )
    }

    /// Takes a tender. A pending one is on the device before this is answered, whatever the
    /// durability: its outcome lies outside the till.
    ///
    /// # Errors
    /// Those of [`machine::tender`], `PK_E_NOT_FOUND`, and those of any call.
    pub fn tender(
        &self,
        sale: u64,
        tender: &TenderInput<'_>,
        key: Option<&str>,
    ) -> Result<Answer<TenderAnswer>> {
        let inputs = || tender_inputs(Inputs::of("tender").number(sale), tender);
        let outside = tender.pending || tender.kind != TenderKind::Cash;
        let urgency = if outside { Urgency::Now } else { Urgency::Within };
        self.command(
            key.map(|key| (key, inputs())),
            (Growth::Finishes, urgency),
            |till, key| {
                let sale = till.open_sale(sale)?;
                let mut fact = machine::tender(sale, tender, key)?;
                fact.is_judged(till.rules.judge_tender(sale, tender)?);
                self.hold_tender(till, fact.said_bytes())?;
                Ok(fact.into())
            },
            tender_answer,
        )
    }

    /// Confirms a pending tender.
    ///
    /// # Errors
    /// Those of [`machine::confirm_tender`], `PK_E_NOT_FOUND`, and those of any call.
    pub fn confirm_tender(
        &self,
        sale: u64,
        tender: u32,
        auth: Option<&str>,
        key: Option<&str>,
    ) -> Result<Answer<TenderAnswer>> {
        let inputs =
            || Inputs::of("confirmTender").number(sale).number(tender.into()).optional(auth);
        self.command(
            key.map(|key| (key, inputs())),
            FINAL,
            |till, key| {
                Ok(machine::confirm_tender(till.open_sale(sale)?, tender, auth, key)?.into())
            },
            tender_answer,
        )
    }

    /// Declines a pending tender.
    ///
    /// # Errors
    /// Those of [`machine::decline_tender`], `PK_E_NOT_FOUND`, and those of any call.
    pub fn decline_tender<'a>(
        &self,
        sale: u64,
        tender: u32,
        reason: impl Into<Reason<'a>>,
        key: Option<&str>,
    ) -> Result<Answer<TenderAnswer>> {
        let reason = reason.into();
        let inputs =
            || Inputs::of("declineTender").number(sale).number(tender.into()).reason(reason);
        self.command(
            key.map(|key| (key, inputs())),
            FINAL,
            |till, key| {
                Ok(Fact::from(machine::decline_tender(
                    till.open_sale(sale)?,
                    tender,
                    reason.text,
                    key,
                )?)
                .under(reason.approval))
            },
            tender_answer,
        )
    }

    /// Takes a live tender back.
    ///
    /// # Errors
    /// Those of [`machine::void_tender`], `PK_E_NOT_FOUND`, and those of any call.
    pub fn void_tender<'a>(
        &self,
        sale: u64,
        tender: u32,
        reason: impl Into<Reason<'a>>,
        key: Option<&str>,
    ) -> Result<Answer<TenderAnswer>> {
        let reason = reason.into();
        let inputs = || Inputs::of("voidTender").number(sale).number(tender.into()).reason(reason);
        self.command(
            key.map(|key| (key, inputs())),
            FINAL,
            |till, key| {
                Ok(Fact::from(machine::void_tender(
                    till.open_sale(sale)?,
                    tender,
                    reason.text,
                    key,
                )?)
                .under(reason.approval))
            },
            tender_answer,
        )
    }

    /// Completes a sale: receipt number, counters and fact are one record.
    ///
    /// Durable before the answer may be given, in both modes.
    ///
    /// # Errors
    /// Those of [`machine::complete`], `PK_E_NOT_FOUND`, and those of any call.
    pub fn complete(&self, sale: u64, key: Option<&str>) -> Result<Answer<Receipt>> {
        let key = key.map(|key| (key, Inputs::of("complete").number(sale)));
        let history = &self.history;
        let (mut stored, mut sold) = (None, None);
        let answer = self.command(
            key,
            FINAL,
            |till, key| {
                let open = till.open_sale(sale)?;
                let before = till.perpetual(open.currency);
                let receipt = till.next_receipt_in(open.circle());
                let mut fact = machine::complete(open, receipt, &before, key)?;
                fact.rules = till.rules.judge_sale(open)?;
                sold = Some(open.clone());
                Ok(fact.into())
            },
            |recorded| match recorded.fact {
                Fact::SaleCompleted(_) => {
                    stored = Some(recorded.clone());
                    Some(())
                }
                _ => None,
            },
        )?;
        let recorded = stored.expect("a completion answers with itself");
        let value = match sold {
            None => history.receipt_of(&recorded)?,
            // The state is unlocked again, and another thread may have closed the sale meanwhile.
            Some(mut sale) => {
                sale.apply(&recorded.fact).expect("a decided fact contradicts nothing");
                Receipt::of(sale, meta(&recorded)).expect("the sale was completed a moment ago")
            }
        };
        let Answer { sequence, wait, replayed, .. } = answer;
        Ok(Answer { value, sequence, wait, replayed })
    }

    /// Voids a whole sale. It stays in the journal.
    ///
    /// # Errors
    /// Those of [`machine::void`], `PK_E_NOT_FOUND`, and those of any call.
    pub fn void_sale<'a>(
        &self,
        sale: u64,
        reason: impl Into<Reason<'a>>,
        key: Option<&str>,
    ) -> Result<Answer<VoidAnswer>> {
        let reason = reason.into();
        let inputs = || Inputs::of("void").number(sale).reason(reason);
        self.command(
            key.map(|key| (key, inputs())),
            FINAL,
            |till, key| {
                let open = till.open_sale(sale)?;
                let voids = till.totals_of(open.currency).voids;
                Ok(Fact::from(machine::void(open, reason.text, voids, key)?).under(reason.approval))
            },
            void_answer,
        )
    }

    /// Forgets a finished sale. Nothing is journaled: its facts are.
    ///
    /// # Errors
    /// `PK_E_STILL_OPEN`, `PK_E_NOT_FOUND`, `PK_E_CLOSED`.
    pub fn close_sale(&self, sale: u64) -> Result<()> {
        self.lock()?.till.forget(sale)
    }

    /// Rings up a whole sale: begin, lines, tenders and completion in one frame, one write and one
    /// flush. It is in the journal whole or not at all.
    ///
    /// # Errors
    /// Those of the calls it stands for; `PK_E_BAD_ARGUMENT` for a pending tender.
    pub fn sell(&self, sold: &Sold<'_>, key: Option<&str>) -> Result<Answer<Receipt>> {
        let key = key.map(|key| sold_inputs(sold).under(key)).transpose()?;
        let mut core = self.lock()?;
        if let Some(recorded) = self.seen(&core, key.as_ref())? {
            drop(core);
            let value = self.history.receipt_of(&recorded)?;
            let sequence = recorded.sequence;
            let wait = self.wal.durable_sequence() < sequence;
            return Ok(Answer { value, sequence, wait, replayed: true });
        }
        self.reserve(&core.till)?;
        let (mut sale, completion, sequence, hash) = self.ring_up(&mut core, sold, key)?;
        let at_ns = self.last_wall_ns(&core);
        core.till
            .take_whole(&mut sale, &completion, sequence)
            .expect("a decided fact contradicts nothing");
        let stamp = core.hlc.stamp(&*self.clock);
        if let Fact::SaleCompleted(completed) = &completion
            && completed.circle.is_none_or(|circle| circle == Circle::Sale)
        {
            self.sign_receipt(&mut core, stamp, completed.receipt, (sequence, hash));
        }
        self.checkpoint_when_due(&mut core, stamp);
        drop(core);
        let meta = ReceiptMeta { sequence, at_ns, hash };
        let value = Receipt::of(sale, meta).expect("the sale was completed a moment ago");
        let wait = self.promise(Urgency::Now)?;
        Ok(Answer { value, sequence, wait, replayed: false })
    }

    /// Decides a whole sale on a sale of its own and appends it as one frame.
    fn ring_up(
        &self,
        core: &mut Core,
        sold: &Sold<'_>,
        key: Option<Key>,
    ) -> Result<(Sale, Fact, u64, [u8; 32])> {
        loop {
            let stamp = core.hlc.stamp(&*self.clock);
            let first_sequence = self.wal.position().sequence + 1;
            let mut begun = machine::begin(
                core.till.next_sale,
                sold.store,
                sold.currency,
                sold.reference,
                |currency| core.till.policies.get(&currency).copied(),
                None,
                None,
            )?;
            self.may_sell(&core.till)?;
            core.till.people.begin(&mut begun);
            core.till.may_begin(begun.currency, self.open_sales_max())?;
            let mut people = core.till.people.clone();
            let mut bodies = Bodies::new(std::mem::take(&mut core.bodies));
            let mut sale = Sale::begun(&begun, first_sequence, stamp.wall_ns)
                .expect("a decided fact contradicts nothing");
            sale.expect_lines(sold.lines.len());
            bodies.push(&mut sale, &begun.into());
            for line in sold.lines {
                let (mut fact, plan) = machine::plan_line(&sale, line, None)?;
                core.till.may_tax(&sale, &fact.taxes, self.taxes_max())?;
                fact.is_judged(core.till.rules.judge_line(&sale, line, fact.amount)?);
                let number = fact.line;
                bodies.take_line(&mut sale, people.sign_and_use(fact)?, plan);
                for (adjustment, reason) in line.adjustments {
                    let reason = (*reason).into();
                    let fact = machine::adjust_line(&sale, number, *adjustment, reason, None)?;
                    bodies.fold(&mut sale, &people.sign_and_use(fact)?);
                }
            }
            for (adjustment, reason) in sold.adjustments {
                let fact = machine::adjust_sale(&sale, *adjustment, (*reason).into(), None)?;
                bodies.fold(&mut sale, &people.sign_and_use(fact)?);
            }
            for tender in sold.tenders {
                if tender.pending {
                    return Err(pending_in_sell());
                }
                let mut fact = machine::tender(&sale, tender, None)?;
                fact.is_judged(core.till.rules.judge_tender(&sale, tender)?);
                bodies.fold(&mut sale, &people.sign_and_use(fact)?);
            }
            let before = core.till.perpetual(sale.currency);
            let receipt = core.till.next_receipt_in(sale.circle());
            let mut completion = machine::complete(&sale, receipt, &before, key.clone())?;
            completion.rules = core.till.rules.judge_sale(&sale)?;
            let completion = people.sign_and_use(completion)?;
            bodies.end(&completion);
            if self.note_step(core, stamp)? {
                core.bodies = bodies.bytes;
                continue;
            }
            let appended = self.wal.append(stamp, 0, &bodies.records());
            core.bodies = bodies.bytes;
            match appended {
                Ok(appended) => {
                    assert_eq!(appended.first_sequence, first_sequence);
                    core.till.people = people;
                    return Ok((sale, completion, appended.last_sequence, appended.link));
                }
                Err(WalError::SegmentFull) => self.roll(core, stamp)?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What a sale comes to. A finished sale answers until it is closed.
    ///
    /// # Errors
    /// `PK_E_NOT_FOUND`, `PK_E_ALREADY_FINAL` once a finished sale was closed, `PK_E_CLOSED`.
    pub fn totals(&self, sale: u64) -> Result<Totals> {
        Ok(self.lock()?.till.known_sale(sale)?.totals())
    }

    /// Reads a sale where it stands, without a copy. The terminal waits meanwhile: take what is
    /// needed and return.
    ///
    /// # Errors
    /// As [`Self::totals`].
    pub fn read_sale<T>(&self, sale: u64, read: impl FnOnce(&Sale) -> T) -> Result<T> {
        Ok(read(self.lock()?.till.known_sale(sale)?))
    }

    /// A copy of a sale.
    ///
    /// # Errors
    /// As [`Self::totals`].
    pub fn sale(&self, sale: u64) -> Result<Sale> {
        Ok(self.lock()?.till.known_sale(sale)?.clone())
    }

    /// Copies of the open sales, by number.
    ///
    /// # Errors
    /// `PK_E_CLOSED`.
    pub fn open_sales(&self) -> Result<Vec<Sale>> {
        Ok(self.lock()?.till.open.values().cloned().collect())
    }

    /// A receipt by its number, from the journal.
    ///
    /// # Errors
    /// `PK_E_NOT_FOUND`, `PK_E_CORRUPT`, `PK_E_IO`, `PK_E_POISONED`, `PK_E_CLOSED`.
    pub fn receipt(&self, number: u64) -> Result<Receipt> {
        self.receipt_in(Circle::Sale, number)
    }

    /// A receipt of a circle by its number, from the journal.
    ///
    /// # Errors
    /// As [`Self::receipt`].
    pub fn receipt_in(&self, circle: Circle, number: u64) -> Result<Receipt> {
        let core = self.lock()?;
        let next = core.till.next_receipt_in(circle);
        if !(1..next).contains(&number) {
            let what = if circle == Circle::Sale { "receipt" } else { "training receipt" };
            let message = format!("{what} {number} was never given; the last one is {}", next - 1);
            return Err(Error::new(Code::NotFound, message).with("receipt", number));
        }
        if let Some(fault) = self.wal.poison() {
            return Err(WalError::Poisoned(fault).into());
        }
        let last = core.last_receipt.as_ref();
        if let Some(receipt) = last.filter(|last| (last.circle, last.number) == (circle, number)) {
            return Ok(receipt.clone());
        }
        drop(core);
        self.wal.write_out()?;
        self.history.receipt_in(circle, number)
    }

    /// Whether a key is remembered: a call with it is answered here as it was before.
    ///
    /// # Errors
    /// `PK_E_CLOSED`.
    pub fn knows_key(&self, key: &str) -> Result<bool> {
        Ok(self.lock()?.till.keys.find(key).is_some())
    }

    /// How many idempotency keys are remembered at most.
    #[must_use]
    pub fn keys_max(&self) -> usize {
        self.keys_max
    }

    /// How many sales can be open at once.
    #[must_use]
    pub fn open_sales_max(&self) -> usize {
        OPEN_SALES_MAX.min(self.wal.segment_bytes() as usize / SEGMENT_BYTES_PER_SALE)
    }

    /// How many taxes there can be perpetual totals for, all currencies together.
    #[must_use]
    pub fn taxes_max(&self) -> usize {
        self.wal.segment_bytes() as usize / SEGMENT_BYTES_PER_TAX
    }

    /// A copy of the till's state, for checks.
    ///
    /// # Errors
    /// `PK_E_CLOSED`.
    pub fn till(&self) -> Result<Till> {
        Ok(self.lock()?.till.clone())
    }
}

/// The record bodies of one frame, end to end.
struct Bodies {
    bytes: Vec<u8>,
    parts: Vec<(RecordKind, Range<usize>)>,
}

impl Bodies {
    fn new(mut bytes: Vec<u8>) -> Self {
        bytes.clear();
        Self { bytes, parts: Vec::with_capacity(16) }
    }

    fn end(&mut self, fact: &Fact) -> Range<usize> {
        let start = self.bytes.len();
        fact.encode(&mut self.bytes);
        self.parts.push((fact.kind(), start..self.bytes.len()));
        start..self.bytes.len()
    }

    fn push(&mut self, sale: &mut Sale, fact: &Fact) {
        let range = self.end(fact);
        sale.remember(fact.kind(), &self.bytes[range]);
    }

    fn fold(&mut self, sale: &mut Sale, fact: &Fact) {
        sale.apply(fact).expect("a decided fact contradicts nothing");
        self.push(sale, fact);
    }

    /// Folds in a line as it was planned, whose fact nobody needs any more.
    fn take_line(&mut self, sale: &mut Sale, fact: Fact, plan: Plan) {
        self.push(sale, &fact);
        let folded = match fact {
            Fact::LineAdded(fact) => sale.take_line(fact, Some(plan)),
            fact => sale.apply(&fact),
        };
        folded.expect("a decided fact contradicts nothing");
    }

    fn records(&self) -> Vec<Record<'_>> {
        self.parts.iter().map(|(kind, range)| record(*kind, &self.bytes[range.clone()])).collect()
    }
}

pub(super) fn void_answer(recorded: &Recorded) -> Option<VoidAnswer> {
    match &recorded.fact {
        Fact::SaleVoided(fact) => Some(VoidAnswer { sale: fact.sale }),
        _ => None,
    }
}

pub(super) fn line_answer(recorded: &Recorded) -> Option<LineAnswer> {
    let (line, amount, gross, sums) = match &recorded.fact {
        Fact::LineAdded(fact) => (fact.line, fact.amount, fact.gross, &fact.sums),
        Fact::LineReturned(fact) => (fact.line, fact.amount, fact.gross, &fact.sums),
        Fact::QuantitySet(fact) => (fact.line, fact.amount, fact.gross, &fact.sums),
        Fact::PriceOverridden(fact) => (fact.line, fact.amount, fact.gross, &fact.sums),
        Fact::TaxesOverridden(fact) => (fact.line, fact.amount, fact.gross, &fact.sums),
        Fact::LineAdjusted(fact) => (fact.line, fact.amount, fact.gross, &fact.sums),
        Fact::LineVoided(fact) => (fact.line, 0, fact.gross, &fact.sums),
        _ => return None,
    };
    let given = match &recorded.fact {
        Fact::LineAdjusted(fact) => {
            Some(LineAdjustment { number: fact.number, adjusted: fact.adjusted })
        }
        _ => None,
    };
    Some(LineAnswer { line, amount, given, totals: untendered(gross, sums.as_ref()) })
}

/// What a sale comes to by a fact about its lines: these change only while no tender is live.
pub(super) fn untendered(gross: i64, sums: Option<&Sums>) -> Totals {
    let Sums { tax, discounts, surcharges, cash_payable } = Sums::or_plain(sums, gross);
    Totals {
        net: gross - tax,
        tax,
        gross,
        discounts,
        surcharges,
        cash_payable,
        rounding: 0,
        tendered: 0,
        pending: 0,
        tips: 0,
        due: gross,
        change: 0,
        state: State::Building,
    }
}

fn tender_answer(recorded: &Recorded) -> Option<TenderAnswer> {
    let (tender, state, due, change, rounding) = match &recorded.fact {
        Fact::TenderAdded(fact) => (fact.tender, fact.state, fact.due, fact.change, fact.rounding),
        Fact::TenderConfirmed(fact) => {
            (fact.tender, TenderState::Confirmed, fact.due, fact.change, fact.rounding)
        }
        Fact::TenderDeclined(fact) => {
            (fact.tender, TenderState::Declined, fact.due, fact.change, fact.rounding)
        }
        Fact::TenderVoided(fact) => {
            (fact.tender, TenderState::Voided, fact.due, fact.change, fact.rounding)
        }
        _ => return None,
    };
    Some(TenderAnswer { tender, state, due, change, rounding: rounding.unwrap_or(0) })
}

fn meta(recorded: &Recorded) -> ReceiptMeta {
    ReceiptMeta { sequence: recorded.sequence, at_ns: recorded.at_ns, hash: recorded.hash }
}

fn pending_in_sell() -> Error {
    let message = "a sale in one call cannot hold a pending tender; begin, tender and complete it";
    Error::new(Code::BadArgument, message).with("argument", "pending")
}

/// What a line says that most lines do not say follows under its name.
fn line_inputs(inputs: Inputs, line: &LineInput<'_>) -> Inputs {
    let inputs = inputs.text(line.sku).optional(line.text);
    let mut inputs = inputs.decimal(line.quantity).decimal(line.unit_price);
    if let Some(parent) = line.parent {
        inputs = inputs.text("parent").number(parent.into());
    }
    if line.kind != LineKind::Item {
        inputs = inputs.text("kind").text(line.kind.name());
    }
    if line.per != Decimal::whole(1) {
        inputs = inputs.text("per").decimal(line.per);
    }
    if !line.taxes.is_empty() {
        inputs = tax_inputs(inputs, line.taxes);
    }
    if !line.adjustments.is_empty() {
        inputs = adjustment_inputs(inputs, line.adjustments);
    }
    if let Some(class) = line.class {
        inputs = inputs.text("class").text(class);
    }
    attribute_inputs(inputs.approval(line.approval), line.attributes)
}

fn attribute_inputs(inputs: Inputs, attributes: &[Attribute<'_>]) -> Inputs {
    attributes.iter().fold(inputs, |inputs, attribute| {
        let inputs = inputs.text("attribute").text(attribute.name);
        match attribute.value {
            Value::Bool(value) => inputs.flag(value),
            Value::Integer(value) => inputs.amount(value),
            Value::Decimal(value) => inputs.decimal(value),
            Value::Text(text) => inputs.text(text),
            Value::Set(texts) => texts
                .iter()
                .fold(inputs.number(texts.len() as u64), |inputs, text| inputs.text(text)),
        }
    })
}

pub(super) fn tax_inputs(inputs: Inputs, taxes: &[TaxInput]) -> Inputs {
    taxes.iter().fold(inputs.text("taxes").number(taxes.len() as u64), |inputs, tax| {
        let inputs = inputs.text(tax.class.as_str()).number(tax.rate_ppm.into());
        inputs.number(match tax.inclusive {
            None => 0,
            Some(false) => 1,
            Some(true) => 2,
        })
    })
}

fn adjustment_inputs(inputs: Inputs, adjustments: &[(Adjustment, &str)]) -> Inputs {
    let inputs = inputs.text("adjustments").number(adjustments.len() as u64);
    adjustments
        .iter()
        .fold(inputs, |inputs, (adjustment, reason)| inputs.adjustment(*adjustment).text(reason))
}

fn tender_inputs(inputs: Inputs, tender: &TenderInput<'_>) -> Inputs {
    let inputs = inputs.text(tender.kind.name()).amount(tender.amount);
    let mut inputs = inputs.optional(tender.reference).flag(tender.pending);
    if tender.tip != 0 {
        inputs = inputs.text("tip").amount(tender.tip);
    }
    if let Some(rate) = &tender.rate {
        let named = inputs.text("rate").text(rate.currency().letters());
        inputs = named.decimal(rate.worth()).number(rate.per().into());
    }
    attribute_inputs(inputs.approval(tender.approval), tender.attributes)
}

fn sold_inputs(sold: &Sold<'_>) -> Inputs {
    let inputs = Inputs::of("sell").text(sold.store).text(sold.currency).optional(sold.reference);
    let inputs = sold.lines.iter().fold(inputs.number(sold.lines.len() as u64), line_inputs);
    let inputs = sold.tenders.iter().fold(inputs.number(sold.tenders.len() as u64), tender_inputs);
    match sold.adjustments {
        [] => inputs,
        adjustments => adjustment_inputs(inputs, adjustments),
    }
}
