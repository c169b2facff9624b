//! The DSFinV-K: one closing for each Z report, with every sale and every movement of cash since the
//! one before.
//!
//! What adds up, for each receipt: UMS_BRUTTO = the rows of its lines = the rows of its taxes = the rows
//! of its payments in the base currency. For each closing: the business cases are the sums of the
//! lines, the kinds of payment those of the payments, over everything of the type Beleg. To make
//! that so, tips in tenders and cash rounding are lines of their own, and change is a payment of its
//! own. Amounts have the decimal places of the currency, where the form has two.
//!
//! Keys of taxes: 1 for 19 %, 2 for 7 %, 3 for 10.7 %, 4 for 5.5 %, 5 without tax, 6 for 0 %; from 1001
//! on every other rate, and every line with several taxes, in the order of first use.

use super::tables::{Writers, write_index};
use super::walk::{End, Ended, Event, Place, walk};
use super::{Business, Exported, major};
use crate::clock::iso_utc;
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{CashMovement, Circle, TenderKind, TenderState, ZReported};
use crate::money::{Currency, Decimal, Rounding, divide, power_of_ten};
use crate::pricing::{Applied, LineKind, LineSplit, TaxComponent};
use crate::sale::Line;
use crate::terminal::History;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

const VERSION: &str = "2.4";
const NO_TAX: u32 = 5;
const FIRST_OWN_KEY: u32 = 1001;
/// The security device that this kernel does not have.
const NO_DEVICE: &str = "no certified security device attached";

pub(super) fn write(
    history: &History,
    terminal: &str,
    business: &Business,
    dir: &Path,
) -> Result<Exported> {
    let mut export = Export {
        terminal,
        business,
        writers: Writers::create(dir)?,
        base: None,
        period: Vec::new(),
        closed_in: HashMap::new(),
        keys: Vec::new(),
        exported: Exported::default(),
    };
    walk(history, u64::MAX, |event| export.take(event))?;
    let left = export.period.iter().filter(|event| receipt_of(event).is_some());
    export.exported.unclosed = left.count() as u64;
    let digits = export.base.map_or(2, |base| base.digits);
    write_index(dir, &business.name, digits)?;
    let Export { mut exported, writers, .. } = export;
    exported.files = writers.finish(dir)?;
    exported.files.push(("index.xml".to_owned(), 0));
    Ok(exported)
}

/// The currency of an export.
#[derive(Debug, Clone, Copy)]
struct Base {
    currency: Currency,
    digits: u8,
}

struct Export<'a> {
    terminal: &'a str,
    business: &'a Business,
    writers: Writers,
    base: Option<Base>,
    /// What has happened since the last Z report.
    period: Vec<Event>,
    /// The Z report that each receipt is in.
    closed_in: HashMap<u64, u64>,
    /// Lists of rates with a key of their own.
    keys: Vec<Vec<u32>>,
    exported: Exported,
}

/// Net, tax and gross, in minor units.
#[derive(Debug, Clone, Copy, Default)]
struct Money {
    gross: i64,
    net: i64,
    tax: i64,
}

impl Money {
    fn untaxed(amount: i64) -> Self {
        Self { gross: amount, net: amount, tax: 0 }
    }

    fn of(split: &LineSplit<'_>) -> Self {
        Self { gross: split.gross, net: split.net, tax: split.gross - split.net }
    }

    fn add(&mut self, other: Self) {
        self.gross += other.gross;
        self.net += other.net;
        self.tax += other.tax;
    }
}

/// The sums of a closing.
#[derive(Default)]
struct Sums {
    cases: BTreeMap<(String, String, u32), Money>,
    payments: BTreeMap<(&'static str, &'static str), i64>,
    cash: BTreeMap<Currency, i64>,
    keys: BTreeMap<u32, ()>,
}

/// One row of a receipt's lines.
struct Position<'a> {
    text: &'a str,
    case: (&'a str, &'a str),
    sku: &'a str,
    quantity: Decimal,
    price: String,
    voids: bool,
    key: u32,
    money: Money,
}

impl<'a> Export<'a> {
    fn take(&mut self, event: Event) -> Result<()> {
        let base = match &event {
            Event::Sale(ended) => {
                let digits = ended.sale.policy().terms().minor_digits;
                Some(Base { currency: ended.sale.currency, digits })
            }
            _ => None,
        };
        if let Some(base) = base {
            let known = *self.base.get_or_insert(base);
            if known.currency != base.currency {
                let message = format!(
                    "there are sales in {} and in {}; DSFinV-K has one currency",
                    known.currency, base.currency
                );
                return Err(Error::new(Code::BadCurrency, message));
            }
        }
        match event {
            Event::Closed(fact, place) => self.close(&fact, place),
            event => {
                self.period.push(event);
                Ok(())
            }
        }
    }

    fn close(&mut self, fact: &ZReported, place: Place) -> Result<()> {
        let closing = [self.terminal.to_owned(), iso_utc(place.at_ns), fact.number.to_string()];
        let period = std::mem::take(&mut self.period);
        let ids: Vec<String> = period.iter().map(id_of).collect();
        for event in &period {
            if let Some((receipt, Circle::Sale)) = receipt_of(event) {
                self.closed_in.insert(receipt, fact.number);
                self.exported.receipts += 1;
            }
        }
        let mut sums = Sums::default();
        for (event, id) in period.iter().zip(&ids) {
            match event {
                Event::Sale(ended) => self.sale(&closing, id, ended, &mut sums)?,
                Event::Float(fact, place) => {
                    for part in &fact.float {
                        let cash = (part.currency, part.amount, "Anfangsbestand", "");
                        self.cash(&closing, id, *place, cash, &mut sums)?;
                    }
                }
                Event::Moved(fact, place) => {
                    let amount = fact.amount.unwrap_or(0);
                    let (amount, case) = match fact.kind {
                        CashMovement::PaidIn => (amount, "Einzahlung"),
                        CashMovement::PaidOut => (-amount, "Auszahlung"),
                        CashMovement::NoSale => (0, ""),
                    };
                    let case = if fact.transfer.is_some() { "Geldtransit" } else { case };
                    match fact.currency {
                        Some(currency) => {
                            let cash = (currency, amount, case, fact.reason.as_str());
                            self.cash(&closing, id, *place, cash, &mut sums)?;
                        }
                        None => self.opened(&closing, id, *place, &fact.reason)?,
                    }
                }
                Event::Counted(fact, place) => {
                    if fact.over_short != 0 {
                        let cash = (fact.currency, fact.over_short, "DifferenzSollIst", "");
                        self.cash(&closing, id, *place, cash, &mut sums)?;
                    }
                }
                Event::Closed(..) => {}
            }
        }
        self.closing(&closing, &ids, &sums)?;
        self.exported.closings += 1;
        Ok(())
    }

    fn sale(
        &mut self,
        closing: &[String; 3],
        id: &str,
        ended: &Ended,
        sums: &mut Sums,
    ) -> Result<()> {
        let sale = &ended.sale;
        let kind = match (&ended.end, sale.training) {
            (End::Completed(_), false) => "Beleg",
            (End::Completed(_), true) => "AVTraining",
            (End::Voided(_), _) => "AVBelegabbruch",
            (End::Transferred(_), _) => "AVTransfer",
        };
        let counts = kind == "Beleg";
        let mut positions = 0;
        let mut taxes: BTreeMap<u32, Money> = BTreeMap::new();
        let mut put = |export: &mut Self, position: Position<'_>| -> Result<()> {
            positions += 1;
            taxes.entry(position.key).or_default().add(position.money);
            let of_closing = counts.then_some(&mut *sums);
            export.position(closing, id, positions, &position, of_closing)
        };
        let splits = sale.cart().splits();
        for line in &sale.lines {
            let key = self.key(&line.taxes);
            let split = splits.line(line.number);
            let money = match &split {
                Some(split) => Money::of(split),
                None => Money::untaxed(line.amount),
            };
            let position = Position {
                text: line.text.as_deref().unwrap_or(&line.sku),
                case: (case_of(line), ""),
                sku: &line.sku,
                quantity: line.quantity,
                price: self.unit_price(line, split.as_ref()),
                voids: false,
                key,
                money,
            };
            let price = position.price.clone();
            put(self, position)?;
            if line.voided.is_some() {
                let quantity = Decimal::new(-line.quantity.mantissa(), line.quantity.scale());
                let position = Position {
                    text: line.text.as_deref().unwrap_or(&line.sku),
                    case: (case_of(line), ""),
                    sku: &line.sku,
                    quantity: quantity.unwrap_or(line.quantity),
                    price,
                    voids: true,
                    key,
                    money: Money::untaxed(-line.amount),
                };
                put(self, position)?;
            }
        }
        let mut total = sale.totals().gross;
        if let End::Completed(_) = ended.end {
            let totals = sale.totals();
            let rounded = if totals.rounding < 0 { "Rabatt" } else { "Aufschlag" };
            let extras =
                [(totals.tips, ("TrinkgeldAN", "")), (totals.rounding, (rounded, "Rundung"))];
            for (amount, case) in extras.into_iter().filter(|(amount, _)| *amount != 0) {
                total += amount;
                let position = Position {
                    text: if case.1.is_empty() { "Trinkgeld" } else { case.1 },
                    case,
                    sku: "",
                    quantity: Decimal::whole(1),
                    price: self.fine(amount),
                    voids: false,
                    key: NO_TAX,
                    money: Money::untaxed(amount),
                };
                put(self, position)?;
            }
        }
        self.adjustments(closing, id, &sale.lines)?;
        for (key, money) in taxes {
            let [gross, net, tax] = [money.gross, money.net, money.tax].map(|m| self.coarse(m));
            let key = key.to_string();
            let row = [id, &key, &gross, &net, &tax];
            self.writers.row("transactions_vat.csv", closing, &row)?;
        }
        if let End::Completed(_) = ended.end {
            self.payments(closing, id, ended, counts.then_some(sums))?;
        }
        self.references(closing, id, &sale.lines)?;
        let note = match &ended.end {
            End::Completed(_) => sale.reference.as_deref().unwrap_or(""),
            End::Voided(fact) => &fact.reason,
            End::Transferred(fact) => &fact.terminal,
        };
        let number = ended.receipt().map(|(receipt, _)| receipt.to_string()).unwrap_or_default();
        let head = Head {
            number: &number,
            kind,
            began_ns: sale.began_ns,
            ended_ns: ended.place.at_ns,
            operator: ended.operator().unwrap_or(""),
            total,
            note,
        };
        self.head(closing, id, &head)?;
        if counts {
            let (began, over) = (iso_utc(sale.began_ns), iso_utc(ended.place.at_ns));
            let row = [id, "", "", &began, &over, "Kassenbeleg-V1", "", "", NO_DEVICE, ""];
            self.writers.row("transactions_tse.csv", closing, &row)?;
        }
        Ok(())
    }

    /// A movement of cash, as a transaction of one line and one payment.
    fn cash(
        &mut self,
        closing: &[String; 3],
        id: &str,
        place: Place,
        (currency, amount, case, note): (Currency, i64, &str, &str),
        sums: &mut Sums,
    ) -> Result<()> {
        let base = self.base.get_or_insert(Base { currency, digits: currency.exponent() });
        // Cash of another currency is told of by its own amount alone.
        let worth = if currency == base.currency { amount } else { 0 };
        let id = format!("{id}{}", if currency == base.currency { "" } else { currency.letters() });
        let position = Position {
            text: case,
            case: (case, ""),
            sku: "",
            quantity: Decimal::whole(1),
            price: self.fine(worth),
            voids: false,
            key: NO_TAX,
            money: Money::untaxed(worth),
        };
        self.position(closing, &id, 1, &position, Some(sums))?;
        let (key, zero) = (NO_TAX.to_string(), self.coarse(0));
        let coarse = self.coarse(worth);
        let row = [id.as_str(), &key, &coarse, &coarse, &zero];
        self.writers.row("transactions_vat.csv", closing, &row)?;
        self.payment(closing, &id, ("Bar", "cash", currency), (amount, worth), Some(sums))?;
        let at = place.at_ns;
        let head = Head {
            number: "",
            kind: "Beleg",
            began_ns: at,
            ended_ns: at,
            operator: "",
            total: worth,
            note,
        };
        self.head(closing, &id, &head)
    }

    /// The drawer was opened and nothing moved.
    fn opened(
        &mut self,
        closing: &[String; 3],
        id: &str,
        place: Place,
        reason: &str,
    ) -> Result<()> {
        let at = place.at_ns;
        let head = Head {
            number: "",
            kind: "AVSonstige",
            began_ns: at,
            ended_ns: at,
            operator: "",
            total: 0,
            note: reason,
        };
        self.head(closing, id, &head)
    }

    fn head(&mut self, closing: &[String; 3], id: &str, head: &Head<'_>) -> Result<()> {
        let (began, over) = (iso_utc(head.began_ns), iso_utc(head.ended_ns));
        let total = self.coarse(head.total);
        let mut row = [""; 20];
        row[..11].copy_from_slice(&[
            id,
            head.number,
            head.kind,
            "",
            self.terminal,
            "0",
            &began,
            &over,
            head.operator,
            head.operator,
            &total,
        ]);
        row[19] = head.note;
        self.writers.row("transactions.csv", closing, &row)
    }

    fn position(
        &mut self,
        closing: &[String; 3],
        id: &str,
        number: u32,
        position: &Position<'_>,
        sums: Option<&mut Sums>,
    ) -> Result<()> {
        let number = number.to_string();
        let quantity = decimal(thousandths(position.quantity), 3);
        let row = [
            id,
            &number,
            "",
            position.text,
            self.terminal,
            position.case.0,
            position.case.1,
            "1",
            if position.voids { "1" } else { "0" },
            "0",
            position.sku,
            "",
            "",
            "",
            &quantity,
            "1,000",
            "",
            &position.price,
        ];
        self.writers.row("lines.csv", closing, &row)?;
        let key = position.key.to_string();
        let Money { gross, net, tax } = position.money;
        let [gross, net, tax] = [gross, net, tax].map(|amount| self.fine(amount));
        self.writers.row("lines_vat.csv", closing, &[id, &number, &key, &gross, &net, &tax])?;
        if let Some(sums) = sums {
            let (case, name) = (position.case.0.to_owned(), position.case.1.to_owned());
            sums.keys.insert(position.key, ());
            sums.cases.entry((case, name, position.key)).or_default().add(position.money);
        }
        Ok(())
    }

    /// What a line was listed at, and what each discount and surcharge made of it.
    fn adjustments(&mut self, closing: &[String; 3], id: &str, lines: &[Line]) -> Result<()> {
        for line in lines.iter().filter(|line| !line.adjustments.is_empty()) {
            let (number, key) = (line.number.to_string(), self.key(&line.taxes).to_string());
            let in_gross = line.taxes.iter().all(|tax| tax.inclusive);
            let given = line.adjustments.iter().map(|given: &Applied| {
                let kind = if given.amount < 0 { "discount" } else { "extra_amount" };
                (kind, given.amount)
            });
            for (kind, amount) in std::iter::once(("base_amount", line.listed)).chain(given) {
                let amount = self.fine(amount);
                let (gross, net) = if in_gross { (&*amount, "") } else { ("", &*amount) };
                let row = [id, &number, kind, &key, gross, net, ""];
                self.writers.row("itemamounts.csv", closing, &row)?;
            }
        }
        Ok(())
    }

    fn payments(
        &mut self,
        closing: &[String; 3],
        id: &str,
        ended: &Ended,
        mut sums: Option<&mut Sums>,
    ) -> Result<()> {
        let sale = &ended.sale;
        let confirmed = sale.tenders.iter().filter(|t| t.state == TenderState::Confirmed);
        for tender in confirmed {
            let kind = means(tender.kind);
            let (currency, amount) = match &tender.foreign {
                Some(foreign) => (foreign.currency, foreign.amount),
                None => (sale.currency, tender.amount),
            };
            let means = (kind, tender.kind.name(), currency);
            self.payment(closing, id, means, (amount, tender.amount), sums.as_deref_mut())?;
        }
        let change = sale.totals().change;
        if change != 0 {
            let means = ("Bar", "change", sale.currency);
            self.payment(closing, id, means, (-change, -change), sums)?;
        }
        if sale.tenders.iter().all(|tender| tender.state != TenderState::Confirmed) {
            let means = ("Keine", "", sale.currency);
            self.payment(closing, id, means, (0, 0), None)?;
        }
        Ok(())
    }

    fn payment(
        &mut self,
        closing: &[String; 3],
        id: &str,
        (kind, name, currency): (&'static str, &'static str, Currency),
        (amount, worth): (i64, i64),
        sums: Option<&mut Sums>,
    ) -> Result<()> {
        let base = self.base.map(|base| base.currency);
        let given = if base == Some(currency) {
            self.coarse(amount)
        } else {
            major(amount, currency.exponent(), ',')
        };
        let worth_text = self.coarse(worth);
        let row = [id, kind, name, currency.letters(), &given, &worth_text];
        self.writers.row("datapayment.csv", closing, &row)?;
        if let Some(sums) = sums {
            *sums.payments.entry((kind, name)).or_default() += worth;
            if kind == "Bar" {
                *sums.cash.entry(currency).or_default() += amount;
            }
        }
        Ok(())
    }

    fn references(&mut self, closing: &[String; 3], id: &str, lines: &[Line]) -> Result<()> {
        for line in lines {
            let Some(of) = &line.of else { continue };
            let known = (of.terminal == self.terminal).then(|| self.closed_in.get(&of.receipt));
            let closed_in = known.flatten().map(u64::to_string).unwrap_or_default();
            let (number, receipt) = (line.number.to_string(), of.receipt.to_string());
            let row = [id, &number, "Transaktion", "", "", &of.terminal, &closed_in, &receipt];
            self.writers.row("references.csv", closing, &row)?;
        }
        Ok(())
    }

    fn closing(&mut self, closing: &[String; 3], ids: &[String], sums: &Sums) -> Result<()> {
        let Business { name, street, post_code, city, country, tax_number, vat_id } = self.business;
        let all: i64 = sums.payments.values().sum();
        let cash = sums.payments.iter().filter(|((kind, _), _)| *kind == "Bar");
        let cash: i64 = cash.map(|(_, amount)| amount).sum();
        let (all, cash) = (self.coarse(all), self.coarse(cash));
        let first = ids.first().map_or("", String::as_str);
        let last = ids.last().map_or("", String::as_str);
        let row = [
            "", VERSION, first, last, name, street, post_code, city, country, tax_number, vat_id,
            &all, &cash,
        ];
        self.writers.row("cashpointclosing.csv", closing, &row)?;
        let row = [name.as_str(), street, post_code, city, country, vat_id];
        self.writers.row("location.csv", closing, &row)?;
        let currency = self.base.map_or("", |base| base.currency.letters());
        let row =
            ["pos-kernel", "software", self.terminal, "pos-kernel", crate::VERSION, currency, "0"];
        self.writers.row("cashregister.csv", closing, &row)?;
        for key in sums.keys.keys() {
            let (rate, about) = self.about(*key);
            let key = key.to_string();
            self.writers.row("vat.csv", closing, &[&key, &rate, &about])?;
        }
        for ((case, name, key), money) in &sums.cases {
            let key = key.to_string();
            let Money { gross, net, tax } = *money;
            let [gross, net, tax] = [gross, net, tax].map(|amount| self.fine(amount));
            let row = [case.as_str(), name, "0", &key, &gross, &net, &tax];
            self.writers.row("businesscases.csv", closing, &row)?;
        }
        for ((kind, name), amount) in &sums.payments {
            let amount = self.coarse(*amount);
            self.writers.row("payment.csv", closing, &[kind, name, &amount])?;
        }
        for (currency, amount) in &sums.cash {
            let amount = major(*amount, currency.exponent(), ',');
            let row = [currency.letters(), &amount];
            self.writers.row("cash_per_currency.csv", closing, &row)?;
        }
        Ok(())
    }

    fn digits(&self) -> u8 {
        self.base.map_or(2, |base| base.digits)
    }

    /// An amount with the decimal places of its currency.
    fn coarse(&self, amount: i64) -> String {
        major(amount, self.digits(), ',')
    }

    /// An amount with five decimal places.
    fn fine(&self, amount: i64) -> String {
        decimal(i128::from(amount) * power_of_ten(5 - self.digits()), 5)
    }

    /// The gross price of one unit, with five decimal places.
    fn unit_price(&self, line: &Line, split: Option<&LineSplit<'_>>) -> String {
        let scale = power_of_ten(5 - self.digits());
        let on_top = line.taxes.iter().any(|tax| !tax.inclusive);
        let (numerator, denominator) = match split {
            Some(split) if on_top => (
                i128::from(split.gross) * scale * power_of_ten(line.quantity.scale()),
                i128::from(line.quantity.mantissa()),
            ),
            _ => (
                i128::from(line.unit_price.mantissa()) * scale * power_of_ten(line.per.scale()),
                i128::from(line.per.mantissa()) * power_of_ten(line.unit_price.scale()),
            ),
        };
        let sign = denominator.signum();
        decimal(divide(numerator * sign, denominator * sign, Rounding::HalfUp), 5)
    }

    /// The key of a line's taxes.
    fn key(&mut self, taxes: &[TaxComponent]) -> u32 {
        match taxes {
            [] => NO_TAX,
            [one] => match one.rate_ppm {
                190_000 => 1,
                70_000 => 2,
                107_000 => 3,
                55_000 => 4,
                0 => 6,
                _ => self.own_key(taxes),
            },
            _ => self.own_key(taxes),
        }
    }

    fn own_key(&mut self, taxes: &[TaxComponent]) -> u32 {
        let rates: Vec<u32> = taxes.iter().map(|tax| tax.rate_ppm).collect();
        let index = self.keys.iter().position(|known| *known == rates).unwrap_or_else(|| {
            self.keys.push(rates);
            self.keys.len() - 1
        });
        FIRST_OWN_KEY + u32::try_from(index).unwrap_or(u32::MAX - FIRST_OWN_KEY)
    }

    /// Rate and description of a key.
    fn about(&self, key: u32) -> (String, String) {
        let known: &[u32] = match key {
            1 => &[190_000],
            2 => &[70_000],
            3 => &[107_000],
            4 => &[55_000],
            5 | 6 => &[0],
            own => self.keys.get((own - FIRST_OWN_KEY) as usize).map_or(&[], Vec::as_slice),
        };
        let about = match key {
            5 => "not taxable".to_owned(),
            6 => "free of tax".to_owned(),
            _ => {
                let rates: Vec<String> = known.iter().map(|ppm| percent(*ppm)).collect();
                format!("{} %", rates.join(" and "))
            }
        };
        let rate: u32 = known.iter().sum();
        (decimal(divide(rate.into(), 100, Rounding::HalfUp), 2), about)
    }
}

/// What a transaction's own row says.
struct Head<'a> {
    number: &'a str,
    kind: &'a str,
    began_ns: i64,
    ended_ns: i64,
    operator: &'a str,
    total: i64,
    note: &'a str,
}

fn receipt_of(event: &Event) -> Option<(u64, Circle)> {
    match event {
        Event::Sale(ended) => ended.receipt(),
        _ => None,
    }
}

/// The receipt number for a receipt, else what the journal calls it.
fn id_of(event: &Event) -> String {
    match event {
        Event::Sale(ended) => match ended.receipt() {
            Some((receipt, Circle::Sale)) => receipt.to_string(),
            Some((receipt, Circle::Training)) => format!("T{receipt}"),
            None => format!("S{}", ended.sale.number),
        },
        Event::Float(_, place)
        | Event::Moved(_, place)
        | Event::Counted(_, place)
        | Event::Closed(_, place) => format!("R{}", place.sequence),
    }
}

fn case_of(line: &Line) -> &'static str {
    let is_return = line.quantity.mantissa() < 0;
    match line.kind {
        LineKind::Item => "Umsatz",
        LineKind::Surcharge => "Aufschlag",
        LineKind::Deposit if is_return => "PfandRueckzahlung",
        LineKind::Deposit => "Pfand",
        LineKind::Tip => "TrinkgeldAG",
    }
}

fn means(kind: TenderKind) -> &'static str {
    match kind {
        TenderKind::Cash | TenderKind::Foreign => "Bar",
        TenderKind::Card | TenderKind::Other => "Unbar",
        TenderKind::Voucher => "Guthabenkarte",
    }
}

/// So many units of the last decimal place, with a comma.
fn decimal(units: i128, places: u8) -> String {
    let narrow = i64::try_from(units).unwrap_or(if units < 0 { i64::MIN } else { i64::MAX });
    major(narrow, places, ',')
}

fn thousandths(quantity: Decimal) -> i128 {
    let scale = power_of_ten(quantity.scale());
    divide(i128::from(quantity.mantissa()) * 1_000, scale, Rounding::HalfUp)
}

fn percent(ppm: u32) -> String {
    Decimal::new(ppm.into(), 4).map_or_else(String::new, |rate| {
        let text = rate.to_string();
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    })
}
