//! One sale, made from its number alone, and the one form in which its bytes are compared.
//!
//! Sale *n* is the same on every run, in every store and in both languages (`bench/sale-payload.mjs`
//! makes it too), so a reader needs no list of what was sold: it makes sale *n* again and compares.
//! A sale is what a till holds when the customer has paid: five lines, a cash tender, times.
//!
//! The canonical bytes are JSON with a fixed order of fields, 1,040 to 1,110 bytes. Stores that keep a sale
//! as one value keep these bytes; stores that keep columns write them again from what they read.

use std::sync::OnceLock;

/// Lines in every sale.
pub const LINES: usize = 5;
/// The highest number of a sale.
pub const NUMBER_MAX: u32 = 99_999_999;
/// The shop, the till and the currency of every sale.
pub const STORE: &str = "S-0042";
pub const TERMINAL: &str = "T-07";
pub const CURRENCY: &str = "GBP";
pub const TENDER_KIND: &str = "cash";

const PRODUCTS: u32 = 512;
const FIRST_BEGAN_MS: i64 = 1_760_000_000_000;
const BETWEEN_SALES_MS: i64 = 47_000;
const BETWEEN_LINES_MS: i64 = 2_300;
const CASH_STEP_MINOR: i64 = 500;

const COLOURS: [&str; 8] =
    ["WHITE", "CREAM", "IVORY", "GREEN", "BLACK", "AMBER", "CORAL", "SILVER"];
const MATERIALS: [&str; 8] =
    ["ENAMEL", "COTTON", "WILLOW", "CERAMIC", "WOODEN", "GLASS", "COPPER", "LINEN"];
const THINGS: [&str; 8] = [
    "LANTERN",
    "CUSHION",
    "BREAD BIN",
    "TEA TOWEL",
    "JUG",
    "PHOTO FRAME",
    "COAT HOOK",
    "CAKE STAND",
];
const DETAILS: [&str; 8] = [
    "WITH HANDLE",
    "SET OF 6",
    "LARGE SIZE",
    "GIFT BOXED",
    "VINTAGE STYLE",
    "HAND MADE",
    "SMALL HEART",
    "PACK OF 12",
];

/// An article of the catalogue.
#[derive(Debug)]
pub struct Product {
    pub sku: String,
    pub text: String,
    pub unit_price_minor: i64,
}

/// One line of a sale.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub product: &'static Product,
    pub quantity: i64,
    pub amount_minor: i64,
    pub at_ms: i64,
}

/// One sale, paid and ready to be written.
#[derive(Clone, Copy, Debug)]
pub struct Sale {
    pub number: u32,
    pub began_ms: i64,
    pub lines: [Line; LINES],
    pub gross_minor: i64,
    pub tendered_minor: i64,
    pub change_minor: i64,
    pub tendered_ms: i64,
    pub completed_ms: i64,
}

impl Sale {
    /// Makes sale `number`. Costs no allocation: the catalogue is made once.
    ///
    /// # Panics
    ///
    /// Above [`NUMBER_MAX`], where the reference would need a ninth digit.
    pub fn nth(number: u32) -> Sale {
        assert!(number <= NUMBER_MAX, "sale {number} is above {NUMBER_MAX}");
        let catalogue = catalogue();
        let began_ms = FIRST_BEGAN_MS + i64::from(number) * BETWEEN_SALES_MS;
        let lines = std::array::from_fn(|index| {
            let purpose = index as u32 * 2;
            let product = &catalogue[(draw(number, purpose) % PRODUCTS) as usize];
            let quantity = i64::from(1 + draw(number, purpose + 1) % 12);
            Line {
                product,
                quantity,
                amount_minor: quantity * product.unit_price_minor,
                at_ms: began_ms + (index as i64 + 1) * BETWEEN_LINES_MS,
            }
        });
        let gross_minor: i64 = lines.iter().map(|line: &Line| line.amount_minor).sum();
        let tendered_minor =
            (gross_minor + CASH_STEP_MINOR - 1) / CASH_STEP_MINOR * CASH_STEP_MINOR;
        let tendered_ms = began_ms + (LINES as i64 + 2) * BETWEEN_LINES_MS;
        Sale {
            number,
            began_ms,
            lines,
            gross_minor,
            tendered_minor,
            change_minor: tendered_minor - gross_minor,
            tendered_ms,
            completed_ms: tendered_ms + 900,
        }
    }

    /// The till's own reference for the sale, for example `R-00000042`.
    pub fn reference(&self) -> String {
        let mut bytes = Vec::with_capacity(10);
        put_reference(&mut bytes, self.number);
        String::from_utf8(bytes).expect("a reference is ASCII")
    }

    /// The idempotency key the sale was sent under, in the form of a UUID.
    pub fn key(&self) -> String {
        let mut bytes = Vec::with_capacity(36);
        put_key(&mut bytes, self.number);
        String::from_utf8(bytes).expect("a key is ASCII")
    }

    /// The same sale with every time set to zero, for stores that stamp times themselves.
    pub fn without_times(mut self) -> Sale {
        self.began_ms = 0;
        self.tendered_ms = 0;
        self.completed_ms = 0;
        for line in &mut self.lines {
            line.at_ms = 0;
        }
        self
    }

    /// Appends the canonical bytes of this sale to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut form = Canonical::begin(out);
        form.number(self.number);
        form.out.extend_from_slice(b",\"reference\":\"");
        put_reference(form.out, self.number);
        form.out.extend_from_slice(b"\",\"key\":\"");
        put_key(form.out, self.number);
        form.header_end(STORE.as_bytes(), CURRENCY.as_bytes(), self.began_ms);
        for (index, line) in self.lines.iter().enumerate() {
            form.line(
                index as i64 + 1,
                line.product.sku.as_bytes(),
                line.product.text.as_bytes(),
                line.quantity,
                line.product.unit_price_minor,
                line.amount_minor,
                false,
                line.at_ms,
            );
        }
        form.tender(
            TENDER_KIND.as_bytes(),
            self.tendered_minor,
            self.change_minor,
            self.tendered_ms,
        );
        form.end(self.gross_minor, self.completed_ms);
    }
}

/// Writes the canonical bytes piece by piece, so that a store which keeps columns can rebuild them
/// from what it really read. Pieces come in this order: `number`, `reference_and_key`, `header_end`,
/// `line` (each line), `tender`, `end`.
pub struct Canonical<'a> {
    out: &'a mut Vec<u8>,
    lines: u32,
}

impl<'a> Canonical<'a> {
    pub fn begin(out: &'a mut Vec<u8>) -> Canonical<'a> {
        Canonical { out, lines: 0 }
    }

    pub fn number(&mut self, number: u32) {
        self.out.extend_from_slice(b"{\"sale\":");
        put_number(self.out, i64::from(number));
        self.out.extend_from_slice(b",\"terminal\":\"");
        self.out.extend_from_slice(TERMINAL.as_bytes());
        self.out.push(b'"');
    }

    pub fn reference_and_key(&mut self, reference: &[u8], key: &[u8]) {
        self.out.extend_from_slice(b",\"reference\":\"");
        self.out.extend_from_slice(reference);
        self.out.extend_from_slice(b"\",\"key\":\"");
        self.out.extend_from_slice(key);
    }

    pub fn header_end(&mut self, store: &[u8], currency: &[u8], began_ms: i64) {
        self.out.extend_from_slice(b"\",\"store\":\"");
        self.out.extend_from_slice(store);
        self.out.extend_from_slice(b"\",\"currency\":\"");
        self.out.extend_from_slice(currency);
        self.out.extend_from_slice(b"\",\"began\":");
        put_number(self.out, began_ms);
        self.out.extend_from_slice(b",\"lines\":[");
    }

    #[expect(clippy::too_many_arguments, reason = "the columns of a line, in the order of the row")]
    pub fn line(
        &mut self,
        line: i64,
        sku: &[u8],
        text: &[u8],
        quantity: i64,
        unit_price_minor: i64,
        amount_minor: i64,
        voided: bool,
        at_ms: i64,
    ) {
        if self.lines > 0 {
            self.out.push(b',');
        }
        self.lines += 1;
        self.out.extend_from_slice(b"{\"line\":");
        put_number(self.out, line);
        self.out.extend_from_slice(b",\"kind\":\"sale\",\"sku\":\"");
        self.out.extend_from_slice(sku);
        self.out.extend_from_slice(b"\",\"text\":\"");
        self.out.extend_from_slice(text);
        self.out.extend_from_slice(b"\",\"quantity\":");
        put_number(self.out, quantity);
        self.out.extend_from_slice(b",\"unitPrice\":");
        put_number(self.out, unit_price_minor);
        self.out.extend_from_slice(b",\"amount\":");
        put_number(self.out, amount_minor);
        let voided: &[u8] = if voided { b"true" } else { b"false" };
        self.out.extend_from_slice(b",\"voided\":");
        self.out.extend_from_slice(voided);
        self.out.extend_from_slice(b",\"at\":");
        put_number(self.out, at_ms);
        self.out.push(b'}');
    }

    pub fn tender(&mut self, kind: &[u8], amount_minor: i64, change_minor: i64, at_ms: i64) {
        self.out.extend_from_slice(b"],\"tender\":{\"kind\":\"");
        self.out.extend_from_slice(kind);
        self.out.extend_from_slice(b"\",\"amount\":");
        put_number(self.out, amount_minor);
        self.out.extend_from_slice(b",\"change\":");
        put_number(self.out, change_minor);
        self.out.extend_from_slice(b",\"at\":");
        put_number(self.out, at_ms);
        self.out.push(b'}');
    }

    pub fn end(self, gross_minor: i64, completed_ms: i64) {
        self.out.extend_from_slice(b",\"gross\":");
        put_number(self.out, gross_minor);
        self.out.extend_from_slice(b",\"completed\":");
        put_number(self.out, completed_ms);
        self.out.push(b'}');
    }
}

fn catalogue() -> &'static [Product] {
    static CATALOGUE: OnceLock<Vec<Product>> = OnceLock::new();
    CATALOGUE.get_or_init(|| (0..PRODUCTS).map(product).collect())
}

fn product(index: u32) -> Product {
    let colour = COLOURS[(index & 7) as usize];
    let material = MATERIALS[((index >> 3) & 7) as usize];
    let thing = THINGS[((index >> 6) & 7) as usize];
    let detail = DETAILS[(draw(index, 101) & 7) as usize];
    let letter = char::from(b'A' + (draw(index, 102) % 6) as u8);
    Product {
        sku: format!("{}{letter}", 20_000 + index * 137),
        text: format!("{colour} {material} {thing} {detail}"),
        unit_price_minor: i64::from(29 + draw(index, 103) % 1_967),
    }
}

/// A 32-bit mix with the same result in JavaScript, where integers wider than 53 bits are slow.
fn draw(number: u32, purpose: u32) -> u32 {
    mix(number.wrapping_mul(0x9e37_79b1) ^ mix(purpose.wrapping_add(1)))
}

fn mix(mut value: u32) -> u32 {
    value ^= value >> 16;
    value = value.wrapping_mul(0x7feb_352d);
    value ^= value >> 15;
    value = value.wrapping_mul(0x846c_a68b);
    value ^ (value >> 16)
}

fn put_reference(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(b"R-");
    let mut divisor = 10_000_000;
    while divisor > 0 {
        let digits = number / divisor % 10;
        out.push(b'0' + digits as u8);
        divisor /= 10;
    }
}

fn put_key(out: &mut Vec<u8>, number: u32) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for word in 0..4 {
        let value = draw(number, 200 + word);
        for nibble in (0..8).rev() {
            let at = word * 8 + (7 - nibble);
            if matches!(at, 8 | 12 | 16 | 20) {
                out.push(b'-');
            }
            let digit = match at {
                12 => 4,
                16 => 8,
                _ => (value >> (nibble * 4)) & 15,
            };
            out.push(DIGITS[digit as usize]);
        }
    }
}

fn put_number(out: &mut Vec<u8>, value: i64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(number: u32) -> Vec<u8> {
        let mut out = Vec::new();
        Sale::nth(number).encode(&mut out);
        out
    }

    #[test]
    fn a_sale_is_between_1000_and_1500_bytes() {
        for number in 1..20_000 {
            let length = bytes(number).len();
            assert!((1_000..=1_500).contains(&length), "sale {number} has {length} bytes");
        }
    }

    #[test]
    fn a_sale_is_json_whose_amounts_add_up() {
        for number in [1, 2, 77, 1_500, 999_999] {
            let sale: serde_json::Value =
                serde_json::from_slice(&bytes(number)).expect("canonical bytes are JSON");
            let lines = sale["lines"].as_array().expect("lines");
            assert_eq!(lines.len(), LINES);
            let sum: i64 = lines.iter().filter_map(|line| line["amount"].as_i64()).sum();
            assert_eq!(sale["gross"].as_i64(), Some(sum));
            let tender = &sale["tender"];
            let change = tender["change"].as_i64().expect("change");
            assert_eq!(tender["amount"].as_i64().map(|amount| amount - change), Some(sum));
        }
    }

    #[test]
    fn two_sales_differ() {
        assert_ne!(bytes(1), bytes(2));
        assert_eq!(bytes(3), bytes(3));
    }
}
