//! Everything has a limit with a name. Reaching one is `PK_E_LIMIT` with the limit in the facts.

/// Lines in one sale.
pub const LINES_MAX: usize = 8192;
/// Tenders in one sale, dead ones included.
pub const TENDERS_MAX: usize = 64;
/// Sales open at once on one terminal; smaller segments allow fewer.
pub const OPEN_SALES_MAX: usize = 64;
/// Currencies that one terminal has counters for.
pub const CURRENCIES_MAX: usize = 16;
/// Keyed facts that a terminal remembers, newest first; smaller segments remember fewer.
pub const KEYS_MAX: usize = 2048;
/// Runs of receipts without a signature: one for each outage that was not signed afterwards.
pub const UNSIGNED_RUNS_MAX: usize = 64;
/// Bytes of the name of a signer, of its algorithm, and of the place of an anchor or an archive.
pub const SIGNER_TEXT_BYTES_MAX: usize = 256;
/// Bytes of a public key.
pub const PUBLIC_KEY_BYTES_MAX: usize = 1024;
/// Bytes of a signature.
pub const SIGNATURE_BYTES_MAX: usize = 1024;
/// Bytes of a terminal id.
pub const TERMINAL_ID_BYTES_MAX: usize = 32;
/// Bytes of a store's name.
pub const STORE_BYTES_MAX: usize = 64;
/// Bytes of a stock-keeping unit.
pub const SKU_BYTES_MAX: usize = 64;
/// Bytes of a line's text.
pub const TEXT_BYTES_MAX: usize = 256;
/// Bytes of a reason.
pub const REASON_BYTES_MAX: usize = 256;
/// Bytes of a reference or an authorisation.
pub const REFERENCE_BYTES_MAX: usize = 64;
/// Bytes of an idempotency key.
pub const KEY_BYTES_MAX: usize = 64;
/// Bytes of the name of an operator.
pub const OPERATOR_BYTES_MAX: usize = 64;
/// Bytes of what an approval allows.
pub const APPROVED_BYTES_MAX: usize = 128;
/// Approvals not used yet that a terminal remembers, newest first.
pub const APPROVALS_MAX: usize = 16;
/// Receipts whose copies a terminal remembers, newest first; it reads the others' from the journal.
pub const COPIES_MAX: usize = 64;
/// Amounts of cash on their way from one drawer to others at once.
pub const TRANSITS_MAX: usize = 32;
/// How far the wall clock may be from where the monotonic one says that it is.
pub const CLOCK_STEP_NS: i64 = 2_000_000_000;
/// Decimal places of a quantity or a unit price.
pub const SCALE_MAX: u8 = 6;
/// Largest amount, either way: a safe integer of JavaScript, so that every door can carry it.
pub const AMOUNT_MAX: i64 = 9_007_199_254_740_991;
/// Tax components of one line.
pub const TAX_COMPONENTS_MAX: usize = 32;
/// Different lists of tax components in one sale.
pub const TAX_SETS_MAX: usize = 64;
/// Rows of a sale's tax table: different components in one sale.
pub const TAX_ROWS_MAX: usize = 64;
/// Different taxes that one terminal has perpetual totals for in one currency.
pub const TAX_BOOK_MAX: usize = 128;
/// Bytes of the name of a tax class.
pub const TAX_CLASS_BYTES_MAX: usize = 12;
/// Largest rate of one tax component, and largest surcharge, in parts per million: 1,000 %.
pub const RATE_PPM_MAX: u32 = 10_000_000;
/// Discounts and surcharges on one line, shares of those on the sale included.
pub const ADJUSTMENTS_MAX: usize = 32;
/// Largest step of cash rounding, in minor units.
pub const CASH_STEP_MAX: u32 = 1_000_000;
/// Decimal places of a currency's minor unit.
pub const MINOR_DIGITS_MAX: u8 = 4;

/// Bytes of a rule table's source.
pub const RULE_SOURCE_BYTES_MAX: usize = 1 << 20;
/// Rows of a rule table.
pub const RULE_ROWS_MAX: usize = 2048;
/// Condition columns of a rule table.
pub const RULE_COLUMNS_MAX: usize = 32;
/// Result columns of a rule table.
pub const RULE_RESULTS_MAX: usize = 8;
/// Texts that one column of a rule table may tell apart.
pub const RULE_VALUES_MAX: usize = 256;
/// Distinct ends of ranges in one column of numbers.
pub const RULE_CUTS_MAX: usize = 512;
/// Condition columns of a rule table, each member of a set counted by itself.
pub const RULE_VARIABLES_MAX: usize = 128;
/// Different answers of one rule table.
pub const RULE_ANSWERS_MAX: usize = 256;
/// Bytes of the name of a rule table, of a column, of a value that rows tell apart, of a row's id.
pub const RULE_NAME_BYTES_MAX: usize = 64;
/// Bytes of a text that a rule table answers.
pub const RULE_TEXT_BYTES_MAX: usize = 256;
/// Rule tables of one till.
pub const RULE_TABLES_MAX: usize = 16;
/// Bytes of what a host says of one line or tender and rules ask for.
pub const RULE_ATTRIBUTES_BYTES_MAX: usize = 2048;
/// Bytes of the rule tables of one till together.
pub const RULES_BYTES_MAX: usize = 64 << 10;
/// They may take this share of a segment, since every checkpoint carries them.
pub const RULES_SHARE: usize = 16;
/// Seconds after which a rule table counts as too intricate to compile.
pub const RULE_SECONDS_MAX: u64 = 20;
/// Memory that compiling a rule table may take.
pub const RULE_MEMORY_BYTES_MAX: usize = 256 << 20;

/// Bytes of a message between terminals, its envelope included.
pub const MESSAGE_BYTES_MAX: usize = 256 << 10;
/// Messages that wait in one inbox.
pub const INBOX_MESSAGES_MAX: usize = 4096;
/// Bytes of the messages that wait in one inbox.
pub const INBOX_BYTES_MAX: usize = 64 << 20;
/// Received messages that an inbox keeps, newest first, and dead ones.
pub const INBOX_KEPT_MAX: usize = 1024;
/// Broadcasts of one sender that are kept, newest first.
pub const BROADCASTS_KEPT_MAX: usize = 64;
/// Bytes of the kind of a message.
pub const MESSAGE_KIND_BYTES_MAX: usize = 64;
/// Messages that are accepted in one call.
pub const ACCEPTED_MAX: usize = 64;
/// Terminals that one terminal has received messages from.
pub const SENDERS_MAX: usize = 256;
/// One sender for so many bytes of segment: a checkpoint carries 48 bytes for each.
pub const SEGMENT_BYTES_PER_SENDER: usize = 1024;
/// Bytes of the system configuration.
pub const SYSTEM_CONFIG_BYTES_MAX: usize = 64 << 10;
/// Bytes of the other shared documents of a store.
pub const DOCUMENT_BYTES_MAX: usize = 1 << 20;
/// Bytes of the name of an operation lock.
pub const LOCK_NAME_BYTES_MAX: usize = 64;
/// Grace of a shutdown, in milliseconds: a day.
pub const GRACE_MS_MAX: u64 = 86_400_000;

/// The facts of all open sales together may take this share of a segment: the next checkpoint
/// carries them, and a completion must still fit behind it.
pub const OPEN_SHARE: usize = 4;
/// One open sale for so many bytes of segment. When the disk is full, a quarter of a segment is left
/// for what is open: a kilobyte for each, enough for its tenders and its completion.
pub const SEGMENT_BYTES_PER_SALE: usize = 4096;
/// The same with their tenders, and with what may yet end a live tender, may take this share: dead
/// tenders stay among the facts of their sale, and what ends one must never be refused.
pub const TENDER_SHARE: usize = 2;
/// Most bytes of the facts of one tender: taken, confirmed and voided.
pub const TENDER_BYTES_MAX: usize = 1088;
/// One tax with perpetual totals for so many bytes of segment: a checkpoint carries these five times,
/// as they are and as they were at the last Z report, day, month and year, 64 bytes each at most.
pub const SEGMENT_BYTES_PER_TAX: usize = 1024;
/// One remembered key for so many bytes of segment: a checkpoint carries 32 bytes for each.
pub const SEGMENT_BYTES_PER_KEY: usize = 2048;

const _: () = assert!(TERMINAL_ID_BYTES_MAX <= pos_kernel_wal::format::NAME_BYTES_MAX);
const _: () = assert!(TENDER_SHARE < OPEN_SHARE);
const _: () = assert!(AMOUNT_MAX == (1 << 53) - 1);
