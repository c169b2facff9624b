/*
 * pos_kernel.h: the kernel of a till for hosts that speak C. Interface 1.2.
 *
 * Generated from crates/capi/src by `npm run header`; do not edit.
 *
 * Text in: pointer and length in bytes, strict UTF-8, no zero needed. Text out: buffer,
 * capacity and the length that it needs; nothing is terminated, nothing is written when it
 * does not fit. Structures begin with their size: set it to sizeof before a call. A call
 * that is refused has changed nothing and has written nothing but such a length. Amounts
 * are integers of minor units. Every call may come from any thread. After fork() the child
 * must not use the library.
 *
 * docs/reference/c-abi.md says more.
 */

#ifndef POS_KERNEL_H
#define POS_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* What exactly was refused or failed: PkResult.detail. */
#define PK_E_NOT_FOUND 101 /* result 1 */
#define PK_E_CLOSED 201 /* result 2 */
#define PK_E_ALREADY_FINAL 202 /* result 2 */
#define PK_E_UNDERPAID 203 /* result 2 */
#define PK_E_PENDING_TENDER 204 /* result 2 */
#define PK_E_TENDER_TAKEN 205 /* result 2 */
#define PK_E_NOTHING_DUE 206 /* result 2 */
#define PK_E_EMPTY_SALE 207 /* result 2 */
#define PK_E_LINE_VOIDED 208 /* result 2 */
#define PK_E_TENDER_STATE 209 /* result 2 */
#define PK_E_STILL_OPEN 210 /* result 2 */
#define PK_E_LINE_HAS_CHILDREN 211 /* result 2 */
#define PK_E_SIGNER_DOWN 260 /* result 2 */
#define PK_E_NOTHING_TO_ARCHIVE 261 /* result 2 */
#define PK_E_STORE_IN_USE 262 /* result 2 */
#define PK_E_REFUND_EXCEEDS 230 /* result 2 */
#define PK_E_MIXED_RETURNS 231 /* result 2 */
#define PK_E_UNBOUND_RETURN 232 /* result 2 */
#define PK_E_SUSPENDED 233 /* result 2 */
#define PK_E_ALREADY_RESUMED 234 /* result 2 */
#define PK_E_ALREADY_RECEIVED 235 /* result 2 */
#define PK_E_NO_TERMINAL 236 /* result 2 */
#define PK_E_APPROVAL_REQUIRED 240 /* result 9 */
#define PK_E_NOT_SIGNED_ON 241 /* result 2 */
#define PK_E_SIGNED_ON 242 /* result 2 */
#define PK_E_SHIFT_CLOSED 243 /* result 2 */
#define PK_E_SHIFT_OPEN 244 /* result 2 */
#define PK_E_OPEN_SALES 245 /* result 2 */
#define PK_E_APPROVAL_USED 246 /* result 2 */
#define PK_E_NOTHING_TO_CLOSE 247 /* result 2 */
#define PK_E_TRAINING 248 /* result 2 */
#define PK_E_RULE_REFUSED 249 /* result 2 */
#define PK_E_NO_ANSWER 250 /* result 2 */
#define PK_E_SHUTTING_DOWN 265 /* result 2 */
#define PK_E_CONFIG_VERSION 266 /* result 2 */
#define PK_E_INBOX_FULL 267 /* result 2 */
#define PK_E_OPERATION_LOCKED 268 /* result 2 */
#define PK_E_TERMINAL_IN_USE 220 /* result 2 */
#define PK_E_NOT_ALLOWED 270 /* result 2 */
#define PK_E_SERVICE_IN_USE 271 /* result 2 */
#define PK_E_SERVICE_DOWN 272 /* result 2 */
#define PK_E_UNSUPPORTED 273 /* result 2 */
#define PK_E_BAD_TEXT 301 /* result 3 */
#define PK_E_BAD_ID 302 /* result 3 */
#define PK_E_BAD_ARGUMENT 303 /* result 3 */
#define PK_E_BAD_CONFIG 304 /* result 3 */
#define PK_E_BAD_KEY 305 /* result 3 */
#define PK_E_LIMIT 306 /* result 3 */
#define PK_E_BAD_UTF8 307 /* result 3 */
#define PK_E_STRUCT_SIZE 308 /* result 3 */
#define PK_E_BUFFER_TOO_SMALL 309 /* result 4 */
#define PK_E_BAD_RULES 310 /* result 3 */
#define PK_E_BAD_MESSAGE 311 /* result 3 */
#define PK_E_BAD_FRAME 316 /* result 3 */
#define PK_E_PROTOCOL_VERSION 317 /* result 3 */
#define PK_E_BAD_CURRENCY 320 /* result 3 */
#define PK_E_BAD_AMOUNT 321 /* result 3 */
#define PK_E_BAD_QUANTITY 322 /* result 3 */
#define PK_E_BAD_PRICE 323 /* result 3 */
#define PK_E_OVERFLOW 324 /* result 3 */
#define PK_E_BAD_RATE 330 /* result 3 */
#define PK_E_BAD_POLICY 331 /* result 3 */
#define PK_E_BAD_PLA 350 /* result 3 */
#define PK_E_CORRUPT 601 /* result 6 */
#define PK_E_CHAIN_BROKEN 602 /* result 6 */
#define PK_E_VERSION 603 /* result 6 */
#define PK_E_INCONSISTENT 604 /* result 6 */
#define PK_E_MISSING_SEGMENT 605 /* result 6 */
#define PK_E_MARK 606 /* result 6 */
#define PK_E_ANCHOR_MISSING 607 /* result 6 */
#define PK_E_SIGNATURE 608 /* result 6 */
#define PK_E_KEY_FILE 609 /* result 6 */
#define PK_E_ARCHIVE 610 /* result 6 */
#define PK_E_AUDIT_CONTRADICTED 620 /* result 6 */
#define PK_E_AUDIT_IN_USE 621 /* result 2 */
#define PK_E_AUDIT_LOG 622 /* result 6 */
#define PK_E_TRANSFER_CONTRADICTED 623 /* result 6 */
#define PK_E_STORE_UNSETTLED 611 /* result 6 */
#define PK_E_SHARED_FILE 615 /* result 6 */
#define PK_E_IO 701 /* result 7 */
#define PK_E_NO_SPACE 702 /* result 7 */
#define PK_E_OUTCOME_UNKNOWN 703 /* result 7 */
#define PK_E_POISONED 704 /* result 7 */
#define PK_E_IDEMPOTENCY_MISMATCH 801 /* result 8 */
#define PK_E_PANIC 901 /* result 255 */

/** No handle. */
#define PK_INVALID_HANDLE 0

/** Done. */
#define PK_OK 0

/** There is no such handle, sale, line, tender, receipt or terminal. */
#define PK_NOT_FOUND 1

/** The sale or the terminal does not allow this now. */
#define PK_INVALID_STATE 2

/** An argument is malformed or out of range. */
#define PK_VALIDATION_FAILED 3

/** The buffer is too small; the length that is needed has been given. */
#define PK_INSUFFICIENT_BUFFER 4

/** Kept from the classic interface; this library gives it never, because no sale runs out of time. */
#define PK_TIMED_OUT 5

/** The journal is damaged or from a newer version. */
#define PK_RECOVERY_FAILED 6

/** The disk failed or is full. */
#define PK_IO 7

/** An idempotency key was used for another call. */
#define PK_CONFLICT 8

/** The call needs an approval. */
#define PK_DENIED 9

/** A fault of the library. */
#define PK_INTERNAL_ERROR 255

/** States of a sale as the classic calls tell them: lines may change. */
#define PK_STATE_BUILDING 0

/** A tender was taken and the sale is not complete. */
#define PK_STATE_COMMITTING 1

/** Complete; final. */
#define PK_STATE_COMMITTED 2

/** Kept from the classic interface; never given. */
#define PK_STATE_ABORTING 3

/** Voided; final. */
#define PK_STATE_ABORTED 4

/** Kept from the classic interface; never given. */
#define PK_STATE_TIMED_OUT 5

/** The sale waits for its ticket. */
#define PK_STATE_SUSPENDED 6

/** The sale went on at another terminal. */
#define PK_STATE_TRANSFERRED 7

/** Notes and coins of the sale's currency. */
#define PK_TENDER_CASH 1

/** A card. */
#define PK_TENDER_CARD 2

/** A voucher. */
#define PK_TENDER_VOUCHER 3

/** Notes and coins of another currency. */
#define PK_TENDER_FOREIGN 4

/** Anything else. */
#define PK_TENDER_OTHER 5

/** The tender's outcome lies outside the till. */
#define PK_TENDER_PENDING 1

/** The tender counts. */
#define PK_TENDER_CONFIRMED 2

/** The tender was refused outside the till. */
#define PK_TENDER_DECLINED 3

/** The tender was taken back. */
#define PK_TENDER_VOIDED 4

/** As `local_config.json` of the terminal says, else PK_DURABILITY_RECORD. */
#define PK_DURABILITY_DEFAULT 0

/** Every call that makes a fact is on the device when it returns. */
#define PK_DURABILITY_RECORD 1

/**
 * Lines and confirmed cash survive the death of the process; completions, voids, cards and pending
 * tenders are on the device when their call returns.
 */
#define PK_DURABILITY_SALE 2

/** For PkTerminalOptions.flags: refuse with PK_E_NOT_FOUND instead of making a terminal. */
#define PK_OPEN_EXISTING 1

/**
 * For PkTerminalOptions.flags: receipts are signed with an Ed25519 key in the terminal's folder, which
 * is made when there is none.
 */
#define PK_OPEN_SIGN 4

/**
 * For PkTerminalOptions.flags, in tests: the clock stands at `test_wall_ns`, each reading a
 * microsecond later.
 */
#define PK_OPEN_TEST_CLOCK 2

/** For PkTransactionOptions.flags: a tender that covers the total completes the sale. */
#define PK_BEGIN_AUTO_COMPLETE 1

/** For PkTenderInput.flags: the outcome is not known yet. */
#define PK_TENDER_IS_PENDING 1

/** The journal has room. */
#define PK_SPACE_OK 0

/** The next segment could not be made ready. */
#define PK_SPACE_LOW 1

/** Only what is open can still be finished. */
#define PK_SPACE_FULL 2

/** For pk_get_line_text: the stock-keeping unit. */
#define PK_LINE_SKU 1

/** For pk_get_line_text: the text for people; empty when there is none. */
#define PK_LINE_TEXT 2

/** For pk_get_line_text: why it was voided; empty on a live line. */
#define PK_LINE_VOID_REASON 3

/** For pk_get_line_text: the terminal where it was sold, on a return with its receipt; else empty. */
#define PK_LINE_SOLD_AT 4

/** For pk_get_tender_text: the host's reference; empty when there is none. */
#define PK_TENDER_REFERENCE 1

/** For pk_get_tender_text: the authorisation; empty when there is none. */
#define PK_TENDER_AUTH 2

/**
 * For PkLineInput.kind: goods or a service; 0 is the same. The only kind that takes part in a
 * discount on the sale.
 */
#define PK_LINE_KIND_ITEM 1

/** A charge of its own, such as for service or delivery. */
#define PK_LINE_KIND_SURCHARGE 2

/** A deposit on a container, taken or given back. */
#define PK_LINE_KIND_DEPOSIT 3

/** A tip that is turnover; one that is not stands in its tender. */
#define PK_LINE_KIND_TIP 4

/** For PkTaxInput.inclusive: what the policy says of all prices. */
#define PK_TAX_BY_POLICY 0

/** The tax comes on top of the price. */
#define PK_TAX_EXCLUSIVE 1

/** The price contains the tax. */
#define PK_TAX_INCLUSIVE 2

/** For PkAdjustment.direction: towards zero. */
#define PK_ADJUST_DISCOUNT 1

/** Away from zero. */
#define PK_ADJUST_SURCHARGE 2

/** For PkAdjustment.unit: the value is minor units. */
#define PK_ADJUST_AMOUNT 1

/** The value is parts per million of the amount as it stands: 10 % is 100,000. */
#define PK_ADJUST_PPM 2

/** For PkPolicy.flags: `minor_digits` counts; else the digits are those of ISO 4217. */
#define PK_POLICY_MINOR_DIGITS 1

/**
 * For PkPolicy.flags: `change_from` counts, also when it is 0; else change is given from cash and
 * foreign cash.
 */
#define PK_POLICY_CHANGE_FROM 2

/** For PkPolicy.flags: one sale may not hold both sold and returned lines. */
#define PK_POLICY_NO_MIXED_RETURNS 4

/** For PkPolicy.prices: tax comes on top; the default. */
#define PK_PRICES_NET 1

/** Tax is inside. */
#define PK_PRICES_GROSS 2

/** For PkPolicy.tax_scope: tax is rounded once for each rate; the default. */
#define PK_TAX_PER_RATE 1

/** Once for each line. */
#define PK_TAX_PER_LINE 2

/** For one unit of each line, then times the quantity. */
#define PK_TAX_PER_UNIT 3

/** For PkPolicy.tax_rounding and amount_rounding: to the nearest, ties away from zero; the default. */
#define PK_ROUND_HALF_UP 1

/** To the nearest, ties to the even one. */
#define PK_ROUND_HALF_EVEN 2

/** Away from zero. */
#define PK_ROUND_UP 3

/** Towards zero. */
#define PK_ROUND_DOWN 4

/** For PkPolicy.gross_split: each tax is rounded and net is what is left; the default. */
#define PK_SPLIT_TAX_FIRST 1

/** Net is rounded and tax is what is left. */
#define PK_SPLIT_NET_FIRST 2

/** For PkPolicy.cash_rounding: to the nearest, half a step away from zero; the default. */
#define PK_CASH_HALF_UP 1

/** To the nearest, half a step towards zero. */
#define PK_CASH_HALF_DOWN 2

/** Away from zero. */
#define PK_CASH_UP 3

/** Towards zero. */
#define PK_CASH_DOWN 4

/** For PkPolicy.unbound_returns: a return without its receipt is taken. */
#define PK_UNBOUND_ALLOW 1

/** It is taken with an approval; the default. */
#define PK_UNBOUND_APPROVE 2

/** It is refused. */
#define PK_UNBOUND_REFUSE 3

/** For PkAttribute.kind: `number` is 0 or 1. */
#define PK_ATTRIBUTE_BOOL 1

/** `number` is a number. */
#define PK_ATTRIBUTE_NUMBER 2

/** `text` is a text. */
#define PK_ATTRIBUTE_TEXT 3

/** `text` is a member of a set, or none for the empty set; those of one name are one set. */
#define PK_ATTRIBUTE_MEMBER 4

/**
 * For PkTerminalOptions.flags: sales, the drawer, reports and copies need an operator who is signed
 * on.
 */
#define PK_OPEN_NEEDS_OPERATOR 8

/** For PkTerminalOptions.flags: sales need an open shift. */
#define PK_OPEN_NEEDS_SHIFT 16

/** Receipts of sales that count. */
#define PK_CIRCLE_SALE 1

/** Receipts of training: numbers of their own, and no counter moves. */
#define PK_CIRCLE_TRAINING 2

/** For PkCashMovement.kind: cash is put in. */
#define PK_MOVE_PAID_IN 1

/** Cash is taken out. */
#define PK_MOVE_PAID_OUT 2

/** The drawer is opened and nothing moves. */
#define PK_MOVE_NO_SALE 3

/** For pk_period_close: all Z reports since the last day. */
#define PK_PERIOD_DAY 1

/** All days since the last month. */
#define PK_PERIOD_MONTH 2

/** All months since the last year. */
#define PK_PERIOD_YEAR 3

/** Where the function must be 1: a set that rows are added to. */
#define PL_ON 1

/** Where it may be either. */
#define PL_DC 2

/** Where it must be 0. */
#define PL_OFF 4

/** Of the answer: the minimised cover. */
#define PL_F 8

/** Of the answer: the don't-cares. */
#define PL_D 16

/** Of the answer: the OFF-set. */
#define PL_R 32

/** What a call gives: the coarse code, and the exact case in `detail` (PK_E_...; 0 with PK_OK). */
typedef struct {
    /** PK_OK or what kind of refusal. */
    int32_t code;
    /** PK_E_..., or 0. */
    int32_t detail;
} PkResult;

/** A terminal; 0 is none. */
typedef uint64_t PkTerminal;

/** A text: `size` bytes of UTF-8, no terminator. Size 0 means that there is none. */
typedef struct {
    /** First byte; may be null when `size` is 0. */
    const uint8_t *data;
    /** How many bytes. */
    size_t size;
} PkText;

/** A rule table. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** Zero. */
    uint32_t reserved;
    /** The table as JSON, or as CSV when it does not begin with a brace; up to 1 MiB. */
    PkText source;
} PkRuleTable;

/** Rules were set. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** 1 when this is the stored answer of an earlier call with the same key. */
    uint32_t replayed;
    /** Sequence of the fact. */
    uint64_t sequence;
    /** BLAKE3 of the rules: what names them. */
    uint8_t hash[32];
} PkRulesAnswer;

/** A sale on a terminal; 0 is none. */
typedef uint64_t PkTransactionHandle;

/** How to open a terminal. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** PK_OPEN_... */
    uint32_t flags;
    /** Root folder; without one `POS_KERNEL_ROOT`, else `./pos_kernel_data`. */
    PkText root;
    /** Terminal id; without one `POS_TERMINAL_ID`, else `terminalId` in the root's `local_config.json`. */
    PkText id;
    /** Name and version of the host, for the owner record; up to 64 bytes. */
    PkText host_version;
    /** PK_DURABILITY_... */
    uint32_t durability;
    /**
     * Bytes of a journal segment, for a new journal: 65,536 to 1,073,741,824 in steps of 4,096; 0
     * for 4 MiB.
     */
    uint32_t segment_bytes;
    /** With PK_OPEN_TEST_CLOCK: nanoseconds since 1970-01-01 UTC. */
    int64_t test_wall_ns;
    /** Folder in which each terminal has the folder of its archive; without one `archive` in the root. */
    PkText archive;
} PkTerminalOptions;

/** Where a terminal stands. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** Owner epoch: one more than the last owner's. */
    uint32_t epoch;
    /** Sequence of the last record. */
    uint64_t sequence;
    /** Sequence of the last record known durable. */
    uint64_t durable_sequence;
    /** The next receipt number. */
    uint64_t next_receipt;
    /** Open sales. */
    uint32_t open_sales;
    /** Most sales that can be open at once. */
    uint32_t open_sales_max;
    /** Segment in use. */
    uint32_t segment;
    /** PK_SPACE_... */
    uint32_t space;
    /** PK_DURABILITY_RECORD or PK_DURABILITY_SALE. */
    uint32_t durability;
    /** 1 when a disk failure has ended this terminal: close it and open it again. */
    uint32_t poisoned;
    /** Idempotency keys remembered at most. */
    uint32_t keys_max;
    /** 1 when the last owner had closed the terminal, or there was none. */
    uint32_t clean;
    /** Smoothed time of a device flush in nanoseconds. */
    uint64_t flush_ns;
    /** The slowest device flush in nanoseconds. */
    uint64_t flush_worst_ns;
    /** Chain link of the last frame: an anchor for verifying. */
    uint8_t head[32];
} PkTerminalStatus;

/** Work done since a terminal was opened. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** Zero. */
    uint32_t reserved;
    /** Frames appended to the journal. */
    uint64_t frames;
    /** Records in them. */
    uint64_t records;
    /** Writes. */
    uint64_t writes;
    /** Bytes written. */
    uint64_t bytes;
    /** Device flushes of calls that waited, in durability `sale`. */
    uint64_t flushes_sale;
    /** Device flushes of calls that waited, in durability `record`. */
    uint64_t flushes_record;
    /** Device flushes for the durable marks of an idle journal. */
    uint64_t flushes_mark;
    /** Device flushes for checkpoints. */
    uint64_t flushes_checkpoint;
    /** Device flushes for starting a segment. */
    uint64_t flushes_roll;
    /** Device flushes for making segments ready. */
    uint64_t flushes_prepare;
    /** Device flushes for opening. */
    uint64_t flushes_open;
    /** Device flushes for closing. */
    uint64_t flushes_close;
} PkTerminalStats;

/** Perpetual totals of one currency. They never fall and are never reset. */
typedef struct {
    /** Size of this structure in bytes; set in the first element of an array. */
    uint32_t struct_size;
    /** Zero. */
    uint32_t reserved;
    /** Three letters of ISO 4217, then zeros. */
    uint8_t currency[8];
    /** Amounts sold, taxes included, in minor units. */
    int64_t sales;
    /** Amounts returned, taxes included, in minor units, counted upwards. */
    int64_t returns;
    /** Completed sales. */
    uint64_t receipts;
    /** Voided sales. */
    uint64_t voids;
    /** Taxes on what was sold. */
    int64_t sales_tax;
    /** Taxes on what was returned, counted upwards. */
    int64_t returns_tax;
    /** What cash rounding has added; it may fall. */
    int64_t rounding;
} PkCounters;

/** Perpetual totals of one tax in one currency, in minor units. */
typedef struct {
    /** Size of this structure in bytes; set in the first element of an array. */
    uint32_t struct_size;
    /** Rate in parts per million. */
    uint32_t rate_ppm;
    /** PK_TAX_EXCLUSIVE or PK_TAX_INCLUSIVE. */
    uint32_t inclusive;
    /** Zero. */
    uint32_t reserved;
    /** Three letters of ISO 4217, then zeros. */
    uint8_t currency[8];
    /** Class, then zeros. */
    uint8_t tax_class[16];
    /** Net sold. */
    int64_t sold_net;
    /** Tax on what was sold. */
    int64_t sold_tax;
    /** Net returned, counted upwards. */
    int64_t returned_net;
    /** Tax on what was returned, counted upwards. */
    int64_t returned_tax;
} PkTaxCounters;

/** A store with many terminals in this process; 0 is none. */
typedef uint64_t PkStore;

/** What a sale begins with. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** PK_BEGIN_... */
    uint32_t flags;
    /** Store, 1 to 64 bytes. */
    PkText store;
    /** Three capital letters of ISO 4217. */
    PkText currency;
    /** The host's own number for the sale, up to 64 bytes. */
    PkText reference;
    /** Idempotency key, up to 64 bytes. */
    PkText key;
} PkTransactionOptions;

/** An exact decimal: `mantissa / 10^scale`. */
typedef struct {
    /** The digits without the point. */
    int64_t mantissa;
    /** Digits behind the point, 0 to 6. */
    uint32_t scale;
    /** Zero. */
    uint32_t reserved;
} PkDecimal;

/** A tax of a line to add. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** Rate in parts per million of the net amount, up to 10,000,000: 19 % is 190,000. */
    uint32_t rate_ppm;
    /** Class, up to 12 visible ASCII characters; none for no name. */
    PkText tax_class;
    /** PK_TAX_BY_POLICY, PK_TAX_EXCLUSIVE or PK_TAX_INCLUSIVE. */
    uint32_t inclusive;
    /** Zero. */
    uint32_t reserved;
} PkTaxInput;

/** A discount or a surcharge to give, to a line or to a sale. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** PK_ADJUST_DISCOUNT or PK_ADJUST_SURCHARGE. */
    uint32_t direction;
    /** PK_ADJUST_AMOUNT or PK_ADJUST_PPM. */
    uint32_t unit;
    /** Zero. */
    uint32_t reserved;
    /** Over zero. */
    int64_t value;
    /** Number of the approval for it; 0 for none, and inside a line or a cart. */
    uint64_t approval;
    /** 1 to 256 bytes for the journal. */
    PkText reason;
    /** Idempotency key, up to 64 bytes; none inside a line or a cart. */
    PkText key;
} PkAdjustment;

/** Something that rules may ask of a line or a tender. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** PK_ATTRIBUTE_BOOL and so on. */
    uint32_t kind;
    /** The column that it is for, up to 64 bytes. */
    PkText name;
    /** For PK_ATTRIBUTE_TEXT and PK_ATTRIBUTE_MEMBER, up to 2,048 bytes; else none. */
    PkText text;
    /** For PK_ATTRIBUTE_BOOL and PK_ATTRIBUTE_NUMBER; else all zero. */
    PkDecimal number;
} PkAttribute;

/** A line to add. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** Number of the live line that it belongs to; 0 for none. */
    uint32_t parent;
    /** Stock-keeping unit, 1 to 64 bytes. */
    PkText sku;
    /** Text for people, up to 256 bytes. */
    PkText text;
    /** Quantity, not zero; negative for a return line. */
    PkDecimal quantity;
    /** Price of `per` units in minor units, zero or more. */
    PkDecimal unit_price;
    /** Idempotency key, up to 64 bytes; none inside a cart. */
    PkText key;
    /** PK_LINE_KIND_..., or 0 for an item. */
    uint32_t kind;
    /** Zero. */
    uint32_t reserved;
    /** Units that the price is for, more than zero; all zero for one. */
    PkDecimal per;
    /** Its taxes, none twice; the `struct_size` of the first is the distance from each to the next. */
    const PkTaxInput *taxes;
    /** How many taxes, up to 32. */
    size_t tax_count;
    /**
     * Discounts and surcharges that it begins with, in their order; the `struct_size` of the first
     * is the distance from each to the next.
     */
    const PkAdjustment *adjustments;
    /** How many of these, up to 32. */
    size_t adjustment_count;
    /** Number of the approval for a return without its receipt, or that a rule wants; 0 for none. */
    uint64_t approval;
    /** Class of the goods, for rules. */
    PkText goods_class;
    /**
     * What rules may ask of it besides; the `struct_size` of the first is the distance from each to
     * the next.
     */
    const PkAttribute *attributes;
    /** How many of these, up to 512. */
    size_t attribute_count;
} PkLineInput;

/** A line was added or changed. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** Line number. */
    uint32_t line;
    /** Its amount in minor units; 0 once it is voided. */
    int64_t amount;
    /** Total of the sale with it, in minor units. */
    int64_t gross;
    /** Sequence of the fact. */
    uint64_t sequence;
    /** 1 when this is the stored answer of an earlier call with the same key. */
    uint32_t replayed;
    /** Zero. */
    uint32_t reserved;
    /** Total of the sale without taxes. */
    int64_t net;
    /** All its taxes. */
    int64_t tax;
    /** Its discounts, on lines and on the sale. */
    int64_t discounts;
    /** Its surcharges, on lines and on the sale. */
    int64_t surcharges;
    /** What its total would be if all of it were paid in cash. */
    int64_t cash_payable;
    /** What the discount or surcharge that the call gave it last adds to its amount; else 0. */
    int64_t adjusted;
    /** Number of that discount or surcharge in the sale; 0 when the call gave none. */
    uint32_t adjustment;
    /** Zero. */
    uint32_t reserved_end;
} PkLineAnswer;

/** Why something is done, and who allowed it. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** Zero. */
    uint32_t reserved;
    /** 1 to 256 bytes for the journal. */
    PkText reason;
    /** Idempotency key, up to 64 bytes. */
    PkText key;
    /** Number of the approval for it; 0 for none, and for calls that take no approval. */
    uint64_t approval;
} PkReason;

/** A tender to take. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** PK_TENDER_CASH and so on. */
    uint32_t kind;
    /**
     * Minor units, tip included: positive while something is due, negative while something is to be
     * paid out. For PK_TENDER_FOREIGN minor units of the foreign currency.
     */
    int64_t amount;
    /** PK_TENDER_IS_PENDING or 0; 0 inside a cart. */
    uint32_t flags;
    /** Zero. */
    uint32_t reserved;
    /** The host's reference, up to 64 bytes. */
    PkText reference;
    /** Idempotency key, up to 64 bytes; none inside a cart. */
    PkText key;
    /** The part that is a tip, in minor units of the sale's currency, 0 to the amount. */
    int64_t tip;
    /** For PK_TENDER_FOREIGN: three letters of ISO 4217; else none. */
    PkText currency;
    /**
     * For PK_TENDER_FOREIGN: what `per` whole units of it are worth in whole units of the sale's
     * currency, more than zero; else all zero.
     */
    PkDecimal rate;
    /** For PK_TENDER_FOREIGN: units that the rate is for; 0 for one. */
    uint32_t per;
    /** Zero. */
    uint32_t reserved_end;
    /** Number of the approval that a rule wants; 0 for none. */
    uint64_t approval;
    /** What rules may ask of it; the `struct_size` of the first is the distance from each to the next. */
    const PkAttribute *attributes;
    /** How many of these, up to 512. */
    size_t attribute_count;
} PkTenderInput;

/** A tender was taken or changed. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** Tender number. */
    uint32_t tender;
    /** PK_TENDER_PENDING and so on. */
    uint32_t state;
    /** 1 when this is the stored answer of an earlier call with the same key. */
    uint32_t replayed;
    /** Still due, in minor units. */
    int64_t due;
    /** Change to give, in minor units. */
    int64_t change;
    /** Sequence of the fact. */
    uint64_t sequence;
    /** The receipt number, when the tender completed the sale; else 0. */
    uint64_t receipt;
    /** What cash rounding adds to the total, in minor units. */
    int64_t rounding;
} PkTenderAnswer;

/** A completed sale. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** 1 when this is the stored answer of an earlier call with the same key. */
    uint32_t replayed;
    /** Number of the sale on its terminal. */
    uint64_t sale;
    /** Receipt number on its terminal, from 1 without a gap. */
    uint64_t receipt;
    /** Total in minor units. */
    int64_t gross;
    /** Confirmed tenders together. */
    int64_t tendered;
    /** Change given. */
    int64_t change;
    /** Perpetual total sold in this currency, after this sale. */
    int64_t total_sales;
    /** Perpetual total returned in this currency, after this sale. */
    int64_t total_returns;
    /** Wall time of the begin, nanoseconds since 1970-01-01 UTC. */
    int64_t began_ns;
    /** Wall time of the completion, nanoseconds since 1970-01-01 UTC. */
    int64_t at_ns;
    /** Sequence of the completion in the journal. */
    uint64_t sequence;
    /** Lines, voided ones included. */
    uint32_t lines;
    /** Tenders, dead ones included. */
    uint32_t tenders;
    /** Three letters of ISO 4217, then zeros. */
    uint8_t currency[8];
    /** Chain link of the completion's frame: an anchor for verifying. */
    uint8_t hash[32];
    /** Total without taxes. */
    int64_t net;
    /** All taxes. */
    int64_t tax;
    /** Discounts on lines and on the sale. */
    int64_t discounts;
    /** Surcharges on lines and on the sale. */
    int64_t surcharges;
    /** What cash rounding added to the total. */
    int64_t rounding;
    /** Tips in the tenders; part of no total. */
    int64_t tips;
    /** Perpetual taxes on what was sold in this currency, after this sale. */
    int64_t total_sales_tax;
    /** Perpetual taxes on what was returned in this currency, after this sale. */
    int64_t total_returns_tax;
    /** Perpetual cash rounding in this currency, after this sale. */
    int64_t total_rounding;
    /** Rows of the tax table: pk_get_receipt_tax_table. */
    uint32_t tax_rows;
    /** 1 when the sale was priced by a policy of the till. */
    uint32_t has_policy;
    /** BLAKE3 of that policy, else zeros. */
    uint8_t policy[32];
    /** PK_CIRCLE_SALE or PK_CIRCLE_TRAINING: which numbers the receipt's is one of. */
    uint32_t circle;
    /** Zero. */
    uint32_t reserved;
} PkReceipt;

/** A whole sale to ring up in one call. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** Zero. */
    uint32_t flags;
    /** Store, 1 to 64 bytes. */
    PkText store;
    /** Three capital letters of ISO 4217. */
    PkText currency;
    /** The host's own number for the sale, up to 64 bytes. */
    PkText reference;
    /** Idempotency key, up to 64 bytes. */
    PkText key;
    /** The lines; the `struct_size` of the first is the distance from each to the next. */
    const PkLineInput *lines;
    /** How many lines, up to 8,192. */
    size_t line_count;
    /** The tenders; the `struct_size` of the first is the distance from each to the next. */
    const PkTenderInput *tenders;
    /** How many tenders, up to 64. */
    size_t tender_count;
    /**
     * Discounts and surcharges on the sale, in their order, behind those of its lines; the
     * `struct_size` of the first is the distance from each to the next.
     */
    const PkAdjustment *adjustments;
    /** How many of these, up to 32. */
    size_t adjustment_count;
} PkCart;

/**
 * The rules by which sales of a currency are priced. Zero everywhere but in size and currency is
 * the default policy.
 */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** PK_POLICY_... */
    uint32_t flags;
    /** Three letters of ISO 4217, then zeros. */
    uint8_t currency[8];
    /** Decimal places of the minor unit, 0 to 4, with PK_POLICY_MINOR_DIGITS; else 0. */
    uint32_t minor_digits;
    /** PK_PRICES_..., or 0 for net. */
    uint32_t prices;
    /** PK_TAX_PER_..., or 0 for rate. */
    uint32_t tax_scope;
    /** PK_ROUND_..., or 0 for half up. */
    uint32_t tax_rounding;
    /** PK_SPLIT_..., or 0 for tax first. */
    uint32_t gross_split;
    /** PK_ROUND_..., or 0 for half up. */
    uint32_t amount_rounding;
    /** Smallest cash in minor units, up to 1,000,000: 5 in Switzerland; 0 or 1 for no cash rounding. */
    uint32_t cash_step;
    /** PK_CASH_..., or 0 for half up. */
    uint32_t cash_rounding;
    /**
     * What may be tendered for more than is due, with PK_POLICY_CHANGE_FROM: the sum of
     * 1 << PK_TENDER_CASH and so on; else 0.
     */
    uint32_t change_from;
    /** PK_UNBOUND_..., or 0 for approve. */
    uint32_t unbound_returns;
    /** What pk_get_policy gives: BLAKE3 of the policy. pk_set_policy does not look at it. */
    uint8_t hash[32];
} PkPolicy;

/** A policy was set. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** 1 when this is the stored answer of an earlier call with the same key. */
    uint32_t replayed;
    /** Sequence of the fact. */
    uint64_t sequence;
    /** BLAKE3 of the policy: what completions name it by. */
    uint8_t hash[32];
} PkPolicyAnswer;

/** A sale got a discount or a surcharge, or lost one. Amounts are minor units of the whole sale. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** Its number in the sale, from 1 over lines and sale together, never used again. */
    uint32_t adjustment;
    /**
     * What the call adds to the amounts of the lines together; negative for a discount on sold
     * lines. pk_get_adjustment_shares tells what each line has of it.
     */
    int64_t adjusted;
    /** Total without taxes. */
    int64_t net;
    /** All taxes. */
    int64_t tax;
    /** Total. */
    int64_t gross;
    /** Discounts on lines and on the sale. */
    int64_t discounts;
    /** Surcharges on lines and on the sale. */
    int64_t surcharges;
    /** What the total would be if all of it were paid in cash. */
    int64_t cash_payable;
    /** Sequence of the fact. */
    uint64_t sequence;
    /** 1 when this is the stored answer of an earlier call with the same key. */
    uint32_t replayed;
    /** Zero. */
    uint32_t reserved;
} PkAdjustmentAnswer;

/** A receipt to take lines back from. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** Zero. */
    uint32_t reserved;
    /** Receipt number, from 1. */
    uint64_t receipt;
    /** The terminal of the store that gave the receipt; none for the one that is called. */
    PkText terminal;
    /** Idempotency key, up to 64 bytes. */
    PkText key;
} PkReturnOf;

/** A sale waits. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** 1 when this is the stored answer of an earlier call with the same key. */
    uint32_t replayed;
    /** Number of the sale. */
    uint64_t sale;
    /** Sequence of the fact. */
    uint64_t sequence;
    /** The ticket: up to 95 visible ASCII characters, then zeros. */
    uint8_t ticket[96];
} PkSuspendAnswer;

/** Cash that goes into the drawer or out of it, or an opening of the drawer. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** PK_MOVE_... */
    uint32_t kind;
    /** Minor units, more than zero; 0 with PK_MOVE_NO_SALE. */
    int64_t amount;
    /** Three capital letters of ISO 4217; none with PK_MOVE_NO_SALE. */
    PkText currency;
    /** 1 to 256 bytes for the journal. */
    PkText reason;
    /** Idempotency key, up to 64 bytes. */
    PkText key;
    /** Number of the approval for it; 0 for none. */
    uint64_t approval;
} PkCashMovement;

/** Cash is on its way to another drawer. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** 1 when this is the stored answer of an earlier call with the same key. */
    uint32_t replayed;
    /** Sequence of the fact. */
    uint64_t sequence;
    /** The ticket: up to 95 visible ASCII characters, then zeros. */
    uint8_t ticket[96];
} PkCashTicket;

/** Cash came from another drawer, or back. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** 1 when this is the stored answer of an earlier call with the same key. */
    uint32_t replayed;
    /** Sequence of the fact. */
    uint64_t sequence;
    /** Minor units. */
    int64_t amount;
    /** Three letters of ISO 4217, then zeros. */
    uint8_t currency[8];
    /** The terminal at the other end of its way, then zeros. */
    uint8_t terminal[40];
    /** 1 when it came back into the drawer that it had left. */
    uint32_t taken_back;
    /** Zero. */
    uint32_t reserved;
} PkCashReceived;

/** A fact was made. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** 1 when this is the stored answer of an earlier call with the same key. */
    uint32_t replayed;
    /** Sequence of the fact. */
    uint64_t sequence;
    /** Number of the approval, shift, report, closing or copy that it made; else 0. */
    uint64_t number;
} PkFactAnswer;

/** Somebody allows one thing, once. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** Zero. */
    uint32_t reserved;
    /** Who allows it, 1 to 64 bytes. */
    PkText approver;
    /** What is allowed, 1 to 256 bytes. */
    PkText what;
    /** Idempotency key, up to 64 bytes. */
    PkText key;
} PkApproval;

/** Cash of one currency. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** Zero. */
    uint32_t reserved;
    /** Three letters of ISO 4217, then zeros. */
    uint8_t currency[8];
    /** Minor units. */
    int64_t amount;
} PkCash;

/** Cash was counted, in minor units. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** 1 when this is the stored answer of an earlier call with the same key. */
    uint32_t replayed;
    /** Sequence of the fact. */
    uint64_t sequence;
    /** What had to be there. */
    int64_t expected;
    /** What was there. */
    int64_t counted;
    /** Counted less expected. */
    int64_t over_short;
} PkCountAnswer;

/** The cash of a shift in one currency, in minor units. */
typedef struct {
    /** Size of this structure in bytes; set in the first element of an array. */
    uint32_t struct_size;
    /** Zero. */
    uint32_t reserved;
    /** Three letters of ISO 4217, then zeros. */
    uint8_t currency[8];
    /** Put in when the shift began. */
    int64_t opening_float;
    /** Cash tenders less change. */
    int64_t sales;
    /** Paid in. */
    int64_t paid_in;
    /** Paid out, counted upwards. */
    int64_t paid_out;
    /** What counts found over or short, together. */
    int64_t over_short;
    /** What must lie in the drawer. */
    int64_t expected;
} PkDrawer;

/** Who is at a till. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** 1 when an operator is signed on: pk_get_operator. */
    uint32_t operator_on;
    /** Number of the shift under way; 0 for none. */
    uint64_t shift;
    /** 1 while sales begin as training. */
    uint32_t training;
    /** Zero. */
    uint32_t reserved;
} PkAttendance;

/** What a sale comes to, in minor units of its currency. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** PK_STATE_... */
    int32_t state;
    /** Total: net and taxes of the live lines. */
    int64_t gross;
    /** Confirmed tenders. */
    int64_t tendered;
    /** Pending tenders. */
    int64_t pending;
    /** Still to be tendered; negative when it is to be paid out. */
    int64_t due;
    /** To be given back. */
    int64_t change;
    /** Total without taxes. */
    int64_t net;
    /** All taxes. */
    int64_t tax;
    /** Discounts on lines and on the sale. */
    int64_t discounts;
    /** Surcharges on lines and on the sale. */
    int64_t surcharges;
    /** What the total would be if all that other tenders do not cover were cash. */
    int64_t cash_payable;
    /** What cash rounding adds to the total as it is paid so far. */
    int64_t rounding;
    /** Tips in the live tenders; part of no total. */
    int64_t tips;
} PkTotals;

/** A line of a sale. Its texts: pk_get_line_text. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** Line number, from 1. */
    uint32_t line;
    /** The line that it belongs to; 0 for none. */
    uint32_t parent;
    /** 1 when it was voided. */
    uint32_t voided;
    /** Quantity; negative on a return line. */
    PkDecimal quantity;
    /** Price of `per` units in minor units. */
    PkDecimal unit_price;
    /** Amount in minor units, after discounts and surcharges; kept when the line is voided. */
    int64_t amount;
    /** Quantity times price in minor units. */
    int64_t listed;
    /** Units that the price is for. */
    PkDecimal per;
    /** PK_LINE_KIND_... */
    uint32_t kind;
    /** How many taxes it has: pk_get_line_taxes. */
    uint32_t tax_count;
    /** How many discounts and surcharges it has: pk_get_line_adjustments. */
    uint32_t adjustment_count;
    /** On a return with its receipt: the line of that receipt; else 0. */
    uint32_t of_line;
    /** On a return with its receipt: its number, at the terminal PK_LINE_SOLD_AT; else 0. */
    uint64_t of_receipt;
} PkLine;

/** A tax of a line or a row of a tax table, in minor units. */
typedef struct {
    /** Size of this structure in bytes; set in the first element of an array. */
    uint32_t struct_size;
    /** Rate in parts per million. */
    uint32_t rate_ppm;
    /** PK_TAX_EXCLUSIVE or PK_TAX_INCLUSIVE. */
    uint32_t inclusive;
    /** Zero. */
    uint32_t reserved;
    /** Class, then zeros. */
    uint8_t tax_class[16];
    /** Net of what has the tax. What has several stands in the row of each. */
    int64_t net;
    /** Tax. */
    int64_t tax;
    /** Net and this tax. */
    int64_t gross;
} PkTaxRow;

/** A discount or a surcharge on a line. */
typedef struct {
    /** Size of this structure in bytes; set in the first element of an array. */
    uint32_t struct_size;
    /** Its number in the sale. */
    uint32_t adjustment;
    /** PK_ADJUST_DISCOUNT or PK_ADJUST_SURCHARGE. */
    uint32_t direction;
    /** PK_ADJUST_AMOUNT or PK_ADJUST_PPM. */
    uint32_t unit;
    /** As it was given. */
    int64_t value;
    /** What it adds to the line's amount; negative for a discount on a sold line. */
    int64_t amount;
    /** 1 when it is the line's share of one on the whole sale. */
    uint32_t of_sale;
    /** Zero. */
    uint32_t reserved;
} PkApplied;

/** What a line has of a discount or a surcharge. */
typedef struct {
    /** Size of this structure in bytes; set in the first element of an array. */
    uint32_t struct_size;
    /** Line number. */
    uint32_t line;
    /** What it adds to the line's amount; negative for a discount on a sold line. */
    int64_t amount;
} PkShare;

/** What a live line comes to, in minor units. The lines add up to the totals and to the tax table. */
typedef struct {
    /** Size of this structure in bytes; set in the first element of an array. */
    uint32_t struct_size;
    /** Line number. */
    uint32_t line;
    /** Amount after discounts and surcharges; inclusive taxes are inside. */
    int64_t amount;
    /** Without taxes. */
    int64_t net;
    /** Its taxes. */
    int64_t tax;
    /** With all taxes. */
    int64_t gross;
} PkLineSplit;

/** A tender of a sale. Its texts: pk_get_tender_text. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** Tender number, from 1. */
    uint32_t tender;
    /** PK_TENDER_CASH and so on. */
    uint32_t kind;
    /** PK_TENDER_PENDING and so on. */
    uint32_t state;
    /** Minor units of the sale's currency, tip included; negative when it was paid out. */
    int64_t amount;
    /** The part that is a tip. */
    int64_t tip;
    /** Minor units of the foreign currency; 0 when none was given. */
    int64_t foreign_amount;
    /** The foreign currency, three letters of ISO 4217, then zeros; zeros when none was given. */
    uint8_t foreign_currency[8];
    /** What `per` whole units of it are worth in whole units of the sale's currency. */
    PkDecimal rate;
    /** Units that the rate is for. */
    uint32_t per;
    /** Zero. */
    uint32_t reserved;
} PkTender;

/** Which journal to verify: of an open terminal, or of one in a folder. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** Zero. */
    uint32_t reserved;
    /** An open terminal; 0 to name a folder. */
    PkTerminal terminal;
    /** Root folder, with `terminal` 0; without one `POS_KERNEL_ROOT`, else `./pos_kernel_data`. */
    PkText root;
    /** Terminal id, with `terminal` 0. */
    PkText id;
    /** A hash of an earlier receipt or status, 64 hexadecimal digits; the journal must still hold it. */
    PkText anchor;
    /**
     * Public keys that are trusted to sign, in hexadecimal, with commas between; without one, those
     * count that the journal names, and it need not be signed.
     */
    PkText trusted_keys;
    /** A folder of archives beside that of the root; in it, each terminal has a folder of its own. */
    PkText archive;
} PkVerifyOptions;

/** What verifying found. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** Bytes behind the last frame that were never durable. */
    uint32_t torn_bytes;
    /** Good records. */
    uint64_t records;
    /** Segments. */
    uint64_t segments;
    /** Sequence of the last good record. */
    uint64_t last_sequence;
    /** Receipts given. */
    uint64_t receipts;
    /** How many things are wrong. */
    uint64_t problems;
    /** Chain link of the last good frame. */
    uint8_t head[32];
} PkVerifyReport;

/** A place in the chain, to be kept elsewhere. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** 1 when `key` and `signature` are set: Ed25519, over the statement of docs/reference/records.md. */
    uint32_t is_signed;
    /** Sequence of the last record. */
    uint64_t sequence;
    /** Records up to there since the journal began. */
    uint64_t records;
    /** Wall time, nanoseconds since 1970-01-01 UTC. */
    int64_t wall_ns;
    /** Link of the last frame: what verifying asks for. */
    uint8_t link[32];
    /** Public key. */
    uint8_t key[32];
    /** The signature. */
    uint8_t signature[64];
} PkAnchor;

/** What was moved into an archive. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** Segments that left the journal's folder. */
    uint32_t removed;
    /** The oldest segment that the journal still has. */
    uint32_t oldest_segment;
    /** Zero. */
    uint32_t reserved;
    /** First segment that was moved; 0 when an earlier call was only finished. */
    uint32_t from_segment;
    /** The last one. */
    uint32_t to_segment;
    /** Hash of the manifest. */
    uint8_t manifest[32];
} PkArchiveReport;

/** A connection to a kernel service; 0 is none. */
typedef uint64_t PkService;

/**
 * A function of a thread: its dimensions, its sets, its answer; 0 is none. It belongs to the thread
 * that set it up and is not found on another.
 */
typedef uint64_t PlFunction;

/**
 * The dimensions of the current function. A cube is `words` words of 64 bits; a variable with p
 * values has p neighbouring bits, and a set bit allows that value.
 */
typedef struct {
    /** Set it to sizeof. */
    uint32_t struct_size;
    /** 64-bit words of a cube. */
    uint32_t words;
    /** Binary inputs, multi-valued inputs, and all outputs together as the last. */
    uint32_t variables;
    /** How many of them are inputs. */
    uint32_t inputs;
    /** How many of the inputs are binary; they come first. */
    uint32_t binaries;
    /** Outputs: the values of the last variable. */
    uint32_t outputs;
} PlCube;

/** One variable of the current function. */
typedef struct {
    /** Set it to sizeof. */
    uint32_t struct_size;
    /** Zero. */
    uint32_t reserved;
    /** Where its bits begin: bit `first_bit % 64` of word `first_bit / 64`. */
    uint32_t first_bit;
    /** How many values it has; 2 when it is binary. */
    uint32_t parts;
} PlVariable;

/** What a run found. */
typedef struct {
    /** Set it to sizeof. */
    uint32_t struct_size;
    /** 1 when no cover can have fewer products. */
    int32_t proved;
    /** 1 when a limit ended the run before it had settled. */
    int32_t stopped_early;
    /** Zero. */
    uint32_t reserved;
    /** Cubes of the minimised cover. */
    uint64_t products;
    /** All literals: the three below together. */
    uint64_t literals;
    /** Literals of binary inputs. */
    uint64_t input_literals;
    /** Ones in the fields of multi-valued inputs. */
    uint64_t valued_literals;
    /** Ones in the output fields. */
    uint64_t output_literals;
    /** No cover has fewer products than this. */
    uint64_t lower_bound;
} PlAnswer;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Sets the tables that every line that is new or changed, every new tender and every sale is judged
 * by from here on; no tables end all rules. A refusal is PK_E_RULE_REFUSED, or
 * PK_E_APPROVAL_REQUIRED while there is no approval, and pk_last_error_json names table and rule.
 *
 * `tables`: up to 16 tables. `key`: an idempotency key, or none. `out_answer` may be null.
 * Durable when it returns: on the device, in both durabilities.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3 (PK_E_BAD_RULES with row, line and column, PK_E_LIMIT for a table that
 * is too large or too intricate, PK_E_BAD_UTF8, PK_E_BAD_KEY, PK_E_BAD_ARGUMENT, PK_E_STRUCT_SIZE);
 * 7; 8.
 */
PkResult pk_set_rules(PkTerminal terminal,
                      const PkRuleTable *tables,
                      size_t table_count,
                      const uint8_t *key,
                      size_t key_len,
                      PkRulesAnswer *out_answer);

/**
 * The rules that a terminal judges by: `{hash, tables}`, with what was found in each table, in their
 * order: the indexes of tables in the journal are theirs.
 *
 * Codes: 1 (also when none were set); 2 (PK_E_CLOSED); 3; 4 with the length in `need`.
 */
PkResult pk_get_rules_json(PkTerminal terminal,
                           uint8_t *buffer,
                           size_t capacity,
                           size_t *need);

/**
 * The version of this interface: major in the upper 16 bits, minor in the lower. A host built
 * against one major version works with every library of that major version whose minor one is as
 * high.
 */
uint32_t pk_abi_version(void);

/** The version of the library as text with a zero at its end, such as "0.1.0". It is never freed. */
const uint8_t *pk_get_version(void);

/** 1 when a result is PK_OK, else 0. It fits hosts that read one byte and those that read four. */
int32_t pk_result_is_ok(PkResult result);

/** The code of a result. */
int32_t pk_result_get_code(PkResult result);

/**
 * The name of a detail, such as "PK_E_UNDERPAID"; empty for 0.
 *
 * Codes: 1 for a number that is no detail; 3; 4.
 */
PkResult pk_detail_name(int32_t detail, uint8_t *buffer, size_t capacity, size_t *need);

/**
 * The sentence of this thread's last refused call: the thing, the value, the limit, the next step.
 * Empty when none was refused. Asking does not change it.
 *
 * Codes: 3; 4.
 */
PkResult pk_last_error(uint8_t *buffer, size_t capacity, size_t *need);

/**
 * This thread's last refused call as JSON: `code`, `family`, `message` and the `facts` of the case,
 * such as the owner of a terminal that is in use. `{}` when none was refused.
 *
 * Codes: 3; 4.
 */
PkResult pk_last_error_json(uint8_t *buffer, size_t capacity, size_t *need);

/**
 * The wall clock: nanoseconds since 1970-01-01 UTC.
 *
 * Codes: 3.
 */
PkResult pk_now_utc_ns(int64_t *out_ns);

/**
 * Checks a currency: three capital letters of ISO 4217.
 *
 * Codes: 0 when it is one; 3 (PK_E_BAD_CURRENCY, PK_E_BAD_UTF8, PK_E_BAD_ARGUMENT).
 */
PkResult pk_validate_currency_code(const uint8_t *currency, size_t currency_len);

/** 1 when a currency is one of ISO 4217, else 0. */
int32_t pk_is_standard_currency(const uint8_t *currency, size_t currency_len);

/**
 * Decimal places of a currency's minor unit: 0 for JPY, 2 for EUR, 3 for KWD.
 *
 * Codes: 3 (PK_E_BAD_CURRENCY, PK_E_BAD_UTF8, PK_E_BAD_ARGUMENT).
 */
PkResult pk_currency_exponent(const uint8_t *currency, size_t currency_len, uint32_t *out_exponent);

/**
 * Opens the terminal of this process. Its root folder is `POS_KERNEL_ROOT`, else
 * `./pos_kernel_data`. Sales that its last owner left open come back; pk_list_open_transactions on
 * pk_default_terminal gives them, and a tender that covers one completes it.
 *
 * `terminal_id`: 1 to 32 of A-Z a-z 0-9 _ -.
 * Durable when it returns: the opening, with what was recovered, is in the journal.
 *
 * Codes: 2 (PK_E_TERMINAL_IN_USE: by another process, or by this one); 3; 6; 7.
 */
PkResult pk_initialize_terminal(const uint8_t *terminal_id, size_t terminal_id_len);

/**
 * The terminal of this process as three lines: `TERMINAL_ID:`, `DATA_DIR:`, `PID:`.
 *
 * Codes: 2 (no terminal is initialized); 3; 4.
 */
PkResult pk_get_terminal_info(uint8_t *buffer, size_t capacity, size_t *need);

/**
 * Closes the terminal of this process; see pk_terminal_close.
 *
 * Codes: 2 (no terminal is initialized); 7.
 */
PkResult pk_shutdown_terminal(void);

/**
 * The terminal of this process as a handle, for the calls that take one.
 *
 * Codes: 2 (no terminal is initialized); 3.
 */
PkResult pk_default_terminal(PkTerminal *out_terminal);

/**
 * Begins a sale on the terminal of this process. A tender that covers its total completes it.
 *
 * `store`: 1 to 64 bytes. `currency`: three capital letters of ISO 4217. Lengths are in bytes.
 * Durable as pk_begin_transaction_ex.
 *
 * Codes: 2 (no terminal is initialized); 3 (PK_E_BAD_TEXT, PK_E_BAD_UTF8, PK_E_BAD_CURRENCY,
 * PK_E_LIMIT, PK_E_BAD_ARGUMENT); 7.
 */
PkResult pk_begin_transaction_legal(const uint8_t *store,
                                    size_t store_len,
                                    const uint8_t *currency,
                                    size_t currency_len,
                                    PkTransactionHandle *out_handle);

/** As pk_begin_transaction_legal. */
PkResult pk_begin_transaction(const uint8_t *store,
                              size_t store_len,
                              const uint8_t *currency,
                              size_t currency_len,
                              PkTransactionHandle *out_handle);

/**
 * Adds a line.
 *
 * `sku`: 1 to 64 bytes. `quantity`: 1 or more. `unit_minor`: the price of one in minor units, 0 or
 * more. Durable as pk_begin_transaction_ex.
 *
 * Codes: 1; 2 (PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL); 3 (PK_E_BAD_TEXT, PK_E_BAD_UTF8,
 * PK_E_BAD_QUANTITY, PK_E_BAD_PRICE, PK_E_OVERFLOW, PK_E_LIMIT); 7.
 */
PkResult pk_add_line_legal(PkTransactionHandle handle,
                           const uint8_t *sku,
                           size_t sku_len,
                           int32_t quantity,
                           int64_t unit_minor);

/** As pk_add_line_legal. */
PkResult pk_add_line(PkTransactionHandle handle,
                     const uint8_t *sku,
                     size_t sku_len,
                     int32_t quantity,
                     int64_t unit_minor);

/**
 * Adds a line that belongs to another one: a part of a set, a modifier, a deposit.
 *
 * `parent_line`: the number of a live line, from 1. The rest as pk_add_line_legal.
 *
 * Codes: as pk_add_line_legal; 1 when there is no such line; 2 (PK_E_LINE_VOIDED).
 */
PkResult pk_add_child_line(PkTransactionHandle handle,
                           const uint8_t *sku,
                           size_t sku_len,
                           int32_t quantity,
                           int64_t unit_minor,
                           uint32_t parent_line);

/** As pk_add_child_line; with `parent_line` 0 the line belongs to none. */
PkResult pk_add_line_with_parent(PkTransactionHandle handle,
                                 const uint8_t *sku,
                                 size_t sku_len,
                                 int32_t quantity,
                                 int64_t unit_minor,
                                 uint32_t parent_line);

/**
 * Voids a line; it stays on the sale and in the journal and counts nothing.
 *
 * `line_number`: from 1. `reason`: 1 to 256 bytes. `operator_id`: who did it, up to 64 bytes, or
 * null; the journal keeps it behind the reason. Durable as pk_begin_transaction_ex.
 *
 * Codes: 1; 2 (PK_E_LINE_VOIDED, PK_E_LINE_HAS_CHILDREN, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL);
 * 3; 7.
 */
PkResult pk_void_line_item(PkTransactionHandle handle,
                           uint32_t line_number,
                           const uint8_t *reason,
                           size_t reason_len,
                           const uint8_t *operator_id,
                           size_t operator_id_len);

/**
 * Voids a line and every line that belongs to it, all or none.
 *
 * `line_number`: from 1. `reason`: 1 to 256 bytes. Durable as pk_begin_transaction_ex.
 *
 * Codes: 1; 2 (PK_E_LINE_VOIDED, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL); 3; 7.
 */
PkResult pk_void_line_item_with_cascade(PkTransactionHandle handle,
                                        uint32_t line_number,
                                        const uint8_t *reason,
                                        size_t reason_len);

/**
 * Changes the quantity of a line.
 *
 * `line_number`: from 1. `new_quantity`: 1 or more. `operator_id`: who did it, up to 64 bytes, or
 * null; the journal keeps it as part of the reason. Durable as pk_begin_transaction_ex.
 *
 * Codes: 1; 2 (PK_E_LINE_VOIDED, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL); 3; 7.
 */
PkResult pk_update_line_quantity(PkTransactionHandle handle,
                                 uint32_t line_number,
                                 int32_t new_quantity,
                                 const uint8_t *operator_id,
                                 size_t operator_id_len);

/**
 * Takes cash. When it covers the total of a sale that was begun by these calls, it completes it:
 * receipt number, change and counters are then final.
 *
 * `amount_minor`: minor units, 1 or more; more than is due gives change.
 * Durable when it returns: as pk_begin_transaction_ex; a completed sale is on the device.
 *
 * Codes: 1; 2 (PK_E_NOTHING_DUE, PK_E_EMPTY_SALE, PK_E_ALREADY_FINAL); 3 (PK_E_BAD_AMOUNT,
 * PK_E_OVERFLOW, PK_E_LIMIT); 7.
 */
PkResult pk_add_cash_tender_legal(PkTransactionHandle handle, int64_t amount_minor);

/** As pk_add_cash_tender_legal. */
PkResult pk_add_cash_tender(PkTransactionHandle handle, int64_t amount_minor);

/**
 * Completes a sale whose tenders cover its total. On one that is complete it answers PK_OK again.
 *
 * Durable when it returns: on the device.
 *
 * Codes: 1; 2 (PK_E_UNDERPAID, PK_E_PENDING_TENDER, PK_E_EMPTY_SALE, PK_E_ALREADY_FINAL for a
 * voided sale); 3; 7.
 */
PkResult pk_commit_transaction_legal(PkTransactionHandle handle);

/**
 * Voids a sale and the cash that was taken for it, which goes back to the customer; both stand in
 * the journal or neither does. Any other live tender is refused, because its outcome lies outside
 * the till.
 *
 * `reason`: up to 256 bytes; null or empty stands for "User abort".
 * Durable when it returns: on the device.
 *
 * Codes: 1; 2 (PK_E_ALREADY_FINAL, PK_E_TENDER_TAKEN); 3; 7.
 */
PkResult pk_abort_transaction_legal(PkTransactionHandle handle,
                                    const uint8_t *reason,
                                    size_t reason_len);

/**
 * What a sale comes to, in minor units of its currency, and its state (PK_STATE_...).
 *
 * Codes: 1; 2 (PK_E_ALREADY_FINAL when it ended long ago); 3.
 */
PkResult pk_get_totals_legal(PkTransactionHandle handle,
                             int64_t *out_total,
                             int64_t *out_tendered,
                             int64_t *out_change,
                             int32_t *out_state);

/** As pk_get_totals_legal. */
PkResult pk_get_totals(PkTransactionHandle handle,
                       int64_t *out_total,
                       int64_t *out_tendered,
                       int64_t *out_change,
                       int32_t *out_state);

/**
 * Ends the handle of a sale that is over. The handle means nothing afterwards.
 *
 * Codes: 1 (also for a handle that was closed); 2 (PK_E_STILL_OPEN: complete or abort it first); 3.
 */
PkResult pk_close_transaction_legal(PkTransactionHandle handle);

/** As pk_close_transaction_legal. */
PkResult pk_close_transaction(PkTransactionHandle handle);

/**
 * The store that a sale was begun for.
 *
 * Codes: 1; 3; 4.
 */
PkResult pk_get_store_name(PkTransactionHandle handle,
                           uint8_t *buffer,
                           size_t capacity,
                           size_t *need);

/**
 * The currency of a sale: three letters.
 *
 * Codes: 1; 3; 4.
 */
PkResult pk_get_currency(PkTransactionHandle handle,
                         uint8_t *buffer,
                         size_t capacity,
                         size_t *need);

/**
 * Decimal places of the minor unit of a sale's currency.
 *
 * Codes: 1; 3.
 */
PkResult pk_get_currency_decimal_places(PkTransactionHandle handle, uint8_t *out_decimal_places);

/**
 * A line by its index, from 0, with the line that it belongs to.
 *
 * `out_sku` takes the stock-keeping unit and, unlike all other texts here, a zero behind it;
 * `inout_sku_len` holds the room that there is and takes the length without the zero, or with code
 * 4 the room that is needed. `out_parent_line` is 0 and `out_has_parent` 0 when it belongs to none.
 *
 * Codes: 1 (no such line); 2; 3 (PK_E_BAD_QUANTITY, PK_E_BAD_PRICE for a line whose decimals do not
 * fit these types: pk_get_line has them); 4.
 */
PkResult pk_get_line_item_with_parent(PkTransactionHandle handle,
                                      uint32_t line_index,
                                      uint8_t *out_sku,
                                      size_t *inout_sku_len,
                                      int32_t *out_quantity,
                                      int64_t *out_unit_minor,
                                      uint32_t *out_parent_line,
                                      uint8_t *out_has_parent);

/**
 * The line that a line belongs to: 0, with `out_has_parent` 0, when there is none.
 *
 * `line_number`: from 1. Codes: 1 (no such line); 2; 3.
 */
PkResult pk_get_line_parent_id(PkTransactionHandle handle,
                               uint32_t line_number,
                               uint32_t *out_parent_line,
                               uint8_t *out_has_parent);

/**
 * Numbers of the live lines that belong to a line.
 *
 * `inout_count` holds how many there is room for and takes how many there are; with code 4 nothing
 * else is written. Codes: 1 (no such line); 2; 3; 4.
 */
PkResult pk_find_line_children(PkTransactionHandle handle,
                               uint32_t parent_line,
                               uint32_t *out_lines,
                               size_t *inout_count);

/**
 * Verifies the journal of the terminal of this process: checksums, chain, sequence, invariants,
 * counters.
 *
 * Codes: 2 (no terminal is initialized); 6 (`detail` is that of the first problem); 7.
 */
PkResult pk_verify_wal_integrity(void);

/**
 * Makes everything durable that the terminal of this process has acknowledged.
 *
 * Codes: 2 (no terminal is initialized); 7.
 */
PkResult pk_force_wal_sync(void);

/**
 * Where the records of a sale stand in the journal: the sequence of its first and of its last one,
 * and the newest sequence that is known durable. The sale is on the device when the last is not
 * above the durable one.
 *
 * Codes: 1; 3; 6; 7.
 */
PkResult pk_get_transaction_wal_info(PkTransactionHandle handle,
                                     uint64_t *out_first_sequence,
                                     uint64_t *out_last_sequence,
                                     uint64_t *out_durable_sequence);

/**
 * Opens a terminal and recovers what its last owner left: pk_recovery_report says what that was,
 * pk_list_open_transactions gives the sales that came back.
 *
 * `options`: how to open it; all zero but the size opens what the environment names.
 * Durable when it returns: the opening, with what was recovered, is in the journal.
 *
 * Codes: 1 with PK_OPEN_EXISTING; 2 (PK_E_TERMINAL_IN_USE; pk_last_error_json has the owner's
 * facts); 3 (PK_E_BAD_ID, PK_E_BAD_ARGUMENT, PK_E_BAD_CONFIG, PK_E_BAD_TEXT, PK_E_BAD_UTF8,
 * PK_E_STRUCT_SIZE); 6; 7.
 */
PkResult pk_terminal_open(const PkTerminalOptions *options, PkTerminal *out_terminal);

/**
 * Closes a terminal: everything is durable, the lock is free. Open sales stay open and come back at
 * the next opening. Its handle and those of its sales end, whatever the result; calls that are
 * under way on other threads end first or are refused with PK_E_CLOSED.
 *
 * Durable when it returns: all of it.
 *
 * Codes: 1; 3; 7 (the lock is free all the same).
 */
PkResult pk_terminal_close(PkTerminal terminal);

/**
 * The id of a terminal.
 *
 * Codes: 1; 3; 4.
 */
PkResult pk_terminal_id(PkTerminal terminal, uint8_t *buffer, size_t capacity, size_t *need);

/**
 * The folder of a terminal, absolute.
 *
 * Codes: 1; 3; 4.
 */
PkResult pk_terminal_dir(PkTerminal terminal, uint8_t *buffer, size_t capacity, size_t *need);

/**
 * Where a terminal stands: sequence, durable sequence, room, health.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3 (PK_E_STRUCT_SIZE, PK_E_BAD_ARGUMENT).
 */
PkResult pk_terminal_status(PkTerminal terminal, PkTerminalStatus *out_status);

/**
 * Work done since a terminal was opened: frames, writes, bytes, device flushes by cause.
 *
 * Codes: 1; 3 (PK_E_STRUCT_SIZE, PK_E_BAD_ARGUMENT).
 */
PkResult pk_terminal_stats(PkTerminal terminal, PkTerminalStats *out_stats);

/**
 * What was found when a terminal was opened, as JSON: `clean`, `firstOpen`, `epoch`,
 * `previousOwner`, `cut`, `sales` (numbers of those that came back open), `records`,
 * `durableSequence`.
 *
 * Codes: 1; 3; 4.
 */
PkResult pk_recovery_report(PkTerminal terminal, uint8_t *buffer, size_t capacity, size_t *need);

/**
 * Perpetual totals, one entry a currency, by currency: `out_count` tells how many there are, and
 * they are written when `capacity` is that many. The first entry's `struct_size` is the distance
 * from each to the next.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3; 4 (only `out_count` is written).
 */
PkResult pk_get_counters(PkTerminal terminal,
                         PkCounters *out_counters,
                         size_t capacity,
                         size_t *out_count);

/**
 * Perpetual totals of each tax, by currency, then class and rate. `out_count` and `capacity` as
 * pk_get_counters.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3; 4 (only `out_count` is written).
 */
PkResult pk_get_tax_counters(PkTerminal terminal,
                             PkTaxCounters *out_counters,
                             size_t capacity,
                             size_t *out_count);

/**
 * Handles of the open sales, by number: those of this process and those that came back.
 * `out_count` tells how many there are; they are written when `capacity` is that many.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3; 4 (only `out_count` is written).
 */
PkResult pk_list_open_transactions(PkTerminal terminal,
                                   PkTransactionHandle *out_handles,
                                   size_t capacity,
                                   size_t *out_count);

/**
 * The handle of a sale by its number on the terminal, open or just finished. A host that was cut
 * off finds its sale this way and repeats its call with the same idempotency key.
 *
 * Codes: 1; 2 (PK_E_CLOSED; PK_E_ALREADY_FINAL when it ended too long ago); 3.
 */
PkResult pk_find_transaction(PkTerminal terminal, uint64_t sale, PkTransactionHandle *out_handle);

/**
 * Newest sequence that is known durable. Answers while other calls wait for the device.
 *
 * Codes: 1; 3.
 */
PkResult pk_durable_sequence(PkTerminal terminal, uint64_t *out_sequence);

/**
 * Returns once the journal is durable up to a sequence: for lines and cash in durability `sale`.
 *
 * Codes: 1 (also for a sequence that does not exist yet); 3; 7.
 */
PkResult pk_wait_durable(PkTerminal terminal, uint64_t sequence);

/**
 * Makes everything durable that the terminal has acknowledged.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3; 7.
 */
PkResult pk_force_wal_sync_ex(PkTerminal terminal);

/**
 * Opens a store in this process and brings what a crash has left in its log into the journals.
 * Terminals that are opened in it share the device's flushes: those that wait on several threads at
 * the same time wait for one. Terminals of the same root may be opened by themselves meanwhile.
 *
 * `root`: the root folder; empty for POS_KERNEL_ROOT, else ./pos_kernel_data.
 * Durable when it returns: every journal of the store holds what was acknowledged.
 *
 * Codes: 2 (PK_E_STORE_IN_USE; PK_E_TERMINAL_IN_USE while a process that is ending holds one); 3; 6; 7.
 */
PkResult pk_store_open(PkText root,
                       PkStore *out_store);

/**
 * Opens a terminal of a store, as pk_terminal_open does; its handle is used and closed as any other.
 *
 * `options`: as pk_terminal_open, with no `root`: it is the store's.
 * Durable when it returns: the opening, with what was recovered, is in the journal.
 *
 * Codes: as pk_terminal_open; 1; 2 (PK_E_CLOSED); 3 (PK_E_BAD_ARGUMENT for a root).
 */
PkResult pk_store_open_terminal(PkStore store,
                                const PkTerminalOptions *options,
                                PkTerminal *out_terminal);

/**
 * Closes every terminal of a store and the store: all is durable, the locks are free. The store's
 * handle ends, whatever the result; those of its terminals end with pk_terminal_close, and every
 * other call on them is refused with PK_E_CLOSED.
 *
 * Durable when it returns: all of it.
 *
 * Codes: 1; 3; 7 (the locks are free all the same).
 */
PkResult pk_store_close(PkStore store);

/**
 * Begins a sale.
 *
 * `options`: store, currency, the host's own number for it, an idempotency key; with
 * PK_BEGIN_AUTO_COMPLETE a tender that covers the total completes the sale.
 * Durable when it returns: in durability `record` on the device, in `sale` safe from the death of
 * the process.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3 (PK_E_BAD_TEXT, PK_E_BAD_CURRENCY, PK_E_LIMIT for more open sales or
 * currencies than there may be, PK_E_BAD_KEY, PK_E_BAD_UTF8, PK_E_STRUCT_SIZE); 7; 8.
 */
PkResult pk_begin_transaction_ex(PkTerminal terminal,
                                 const PkTransactionOptions *options,
                                 PkTransactionHandle *out_handle);

/**
 * Adds a line, with the discounts and surcharges that it begins with in the same write.
 *
 * `line`: stock-keeping unit, text, exact quantity and unit price, taxes, discounts, the line it
 * belongs to, an idempotency key. `out_answer` may be null.
 * Durable as pk_begin_transaction_ex.
 *
 * Codes: 1 (also for the parent); 2 (PK_E_ALREADY_FINAL, PK_E_TENDER_TAKEN, PK_E_LINE_VOIDED for
 * the parent, PK_E_MIXED_RETURNS and PK_E_UNBOUND_RETURN by the policy, PK_E_CLOSED); 3
 * (PK_E_BAD_TEXT, PK_E_BAD_QUANTITY, PK_E_BAD_PRICE, PK_E_BAD_RATE, PK_E_BAD_AMOUNT, PK_E_OVERFLOW,
 * PK_E_LIMIT, PK_E_BAD_KEY, PK_E_BAD_UTF8, PK_E_BAD_ARGUMENT, PK_E_STRUCT_SIZE); 7; 8; 9
 * (PK_E_APPROVAL_REQUIRED for a return without its receipt).
 */
PkResult pk_add_line_ex(PkTransactionHandle handle,
                        const PkLineInput *line,
                        PkLineAnswer *out_answer);

/**
 * Changes the quantity of a line; its sign stays.
 *
 * `line`: its number. `quantity`: the new one, not zero. `reason`: why, for the journal.
 * `out_answer` may be null. Durable as pk_begin_transaction_ex.
 *
 * Codes: as pk_add_line_ex.
 */
PkResult pk_set_line_quantity(PkTransactionHandle handle,
                              uint32_t line,
                              const PkDecimal *quantity,
                              const PkReason *reason,
                              PkLineAnswer *out_answer);

/**
 * Voids a line: it stays on the sale and in the journal and counts nothing. With `linked` 1 the
 * lines that belong to it go with it, all or none; with 0 it is refused while there are any.
 *
 * `out_answer` may be null. Durable as pk_begin_transaction_ex.
 *
 * Codes: 1; 2 (PK_E_LINE_VOIDED, PK_E_LINE_HAS_CHILDREN, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL,
 * PK_E_CLOSED); 3 (PK_E_BAD_TEXT, PK_E_BAD_KEY, PK_E_BAD_UTF8, PK_E_STRUCT_SIZE,
 * PK_E_BAD_ARGUMENT); 7; 8.
 */
PkResult pk_void_line(PkTransactionHandle handle,
                      uint32_t line,
                      uint32_t linked,
                      const PkReason *reason,
                      PkLineAnswer *out_answer);

/**
 * Takes a tender: positive while something is due, negative while something is to be paid out.
 * Only what the policy names may be more than is due, cash and foreign cash where none is set, and
 * only confirmed; the difference is change.
 *
 * `out_answer` may be null; its `receipt` is not 0 when the tender completed the sale.
 * Durable when it returns: confirmed cash as pk_begin_transaction_ex; a card and a pending tender on
 * the device, in both durabilities. When a sale is completed by it and that completion is refused,
 * the code is the completion's and the tender stands.
 *
 * Codes: 1; 2 (PK_E_NOTHING_DUE, PK_E_EMPTY_SALE, PK_E_ALREADY_FINAL, PK_E_CLOSED); 3
 * (PK_E_BAD_AMOUNT, PK_E_BAD_RATE, PK_E_BAD_CURRENCY, PK_E_OVERFLOW, PK_E_BAD_TEXT, PK_E_LIMIT,
 * PK_E_BAD_KEY, PK_E_BAD_UTF8, PK_E_BAD_ARGUMENT for a rate without foreign money or the other way
 * round, PK_E_STRUCT_SIZE); 7; 8.
 */
PkResult pk_add_tender_ex(PkTransactionHandle handle,
                          const PkTenderInput *tender,
                          PkTenderAnswer *out_answer);

/**
 * Confirms a pending tender.
 *
 * `auth`: the authorisation given outside the till, up to 64 bytes, or none. `key`: an idempotency
 * key, or none. `out_answer` may be null. Durable when it returns: on the device.
 *
 * Codes: 1; 2 (PK_E_TENDER_STATE, PK_E_ALREADY_FINAL, PK_E_CLOSED); 3; 7; 8.
 */
PkResult pk_confirm_tender(PkTransactionHandle handle,
                           uint32_t tender,
                           const uint8_t *auth,
                           size_t auth_len,
                           const uint8_t *key,
                           size_t key_len,
                           PkTenderAnswer *out_answer);

/**
 * Declines a pending tender.
 *
 * `out_answer` may be null. Durable when it returns: on the device.
 *
 * Codes: as pk_confirm_tender.
 */
PkResult pk_decline_tender(PkTransactionHandle handle,
                           uint32_t tender,
                           const PkReason *reason,
                           PkTenderAnswer *out_answer);

/**
 * Takes a live tender back.
 *
 * `out_answer` may be null. Durable when it returns: on the device.
 *
 * Codes: as pk_confirm_tender.
 */
PkResult pk_void_tender(PkTransactionHandle handle,
                        uint32_t tender,
                        const PkReason *reason,
                        PkTenderAnswer *out_answer);

/**
 * Completes a sale: the receipt number, the counters and the fact are one record.
 *
 * `key`: an idempotency key, or none. `out_receipt` may be null.
 * Durable when it returns: on the device, in both durabilities.
 *
 * Codes: 1; 2 (PK_E_UNDERPAID, PK_E_PENDING_TENDER, PK_E_EMPTY_SALE, PK_E_ALREADY_FINAL,
 * PK_E_CLOSED); 3; 7 (PK_E_OUTCOME_UNKNOWN: open the terminal again to learn it); 8.
 */
PkResult pk_complete_transaction(PkTransactionHandle handle,
                                 const uint8_t *key,
                                 size_t key_len,
                                 PkReceipt *out_receipt);

/**
 * Voids a whole sale that has no live tender. It stays in the journal.
 *
 * Durable when it returns: on the device.
 *
 * Codes: 1; 2 (PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL, PK_E_CLOSED); 3; 7; 8.
 */
PkResult pk_void_transaction(PkTransactionHandle handle, const PkReason *reason);

/**
 * Rings up a whole sale: begin, lines, discounts, tenders and completion in one write and one device
 * flush. It is in the journal whole or not at all.
 *
 * `out_receipt` may be null. Durable when it returns: on the device, in both durabilities.
 *
 * Codes: 1; 2 (PK_E_UNDERPAID, PK_E_EMPTY_SALE, PK_E_NOTHING_DUE, PK_E_CLOSED); 3 (those of the
 * calls that it stands for; PK_E_BAD_ARGUMENT for a pending tender or a key inside); 7; 8; 9.
 */
PkResult pk_sell(PkTerminal terminal,
                 const PkCart *cart,
                 PkReceipt *out_receipt);

/**
 * Sets the rules by which sales of a currency are priced from here on. Open sales keep theirs.
 *
 * `policy`: the rules. `key`: an idempotency key, or none. `out_answer` may be null.
 * Durable when it returns: on the device, in both durabilities.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3 (PK_E_BAD_POLICY, PK_E_BAD_CURRENCY, PK_E_LIMIT for more currencies
 * than there may be, PK_E_BAD_KEY, PK_E_BAD_ARGUMENT, PK_E_STRUCT_SIZE); 7; 8.
 */
PkResult pk_set_policy(PkTerminal terminal,
                       const PkPolicy *policy,
                       const uint8_t *key,
                       size_t key_len,
                       PkPolicyAnswer *out_answer);

/**
 * The rules by which sales of a currency are priced from here on, as they were set; every choice
 * that a host left out is in it. It can be changed and given to pk_set_policy again.
 *
 * Codes: 1 (also when none is set: then the default policy prices); 2 (PK_E_CLOSED); 3.
 */
PkResult pk_get_policy(PkTerminal terminal,
                       const uint8_t *currency,
                       size_t currency_len,
                       PkPolicy *out_policy);

/**
 * Overrides the price of a line.
 *
 * `unit_price`: the new price of `per` units in minor units, zero or more. `per`: null or all zero
 * for one unit. `reason`: why, an approval if there is one, an idempotency key. `out_answer` may be
 * null. Durable as pk_begin_transaction_ex.
 *
 * Codes: 1; 2 (PK_E_LINE_VOIDED, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL, PK_E_CLOSED); 3
 * (PK_E_BAD_PRICE, PK_E_BAD_QUANTITY for `per`, PK_E_BAD_AMOUNT when a discount takes more than is
 * left, PK_E_OVERFLOW, PK_E_BAD_TEXT, PK_E_BAD_KEY, PK_E_BAD_UTF8, PK_E_STRUCT_SIZE,
 * PK_E_BAD_ARGUMENT); 7; 8.
 */
PkResult pk_override_line_price(PkTransactionHandle handle,
                                uint32_t line,
                                const PkDecimal *unit_price,
                                const PkDecimal *per,
                                const PkReason *reason,
                                PkLineAnswer *out_answer);

/**
 * Overrides the taxes of a line.
 *
 * `taxes`: the new ones, none twice; the `struct_size` of the first is the distance from each to
 * the next. `tax_count`: how many, 0 to 32. `reason` and `out_answer` as pk_override_line_price.
 * Durable as pk_begin_transaction_ex.
 *
 * Codes: 1; 2 (PK_E_LINE_VOIDED, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL, PK_E_CLOSED); 3
 * (PK_E_BAD_RATE, PK_E_LIMIT, PK_E_OVERFLOW, PK_E_BAD_TEXT, PK_E_BAD_KEY, PK_E_BAD_UTF8,
 * PK_E_STRUCT_SIZE, PK_E_BAD_ARGUMENT); 7; 8.
 */
PkResult pk_override_line_taxes(PkTransactionHandle handle,
                                uint32_t line,
                                const PkTaxInput *taxes,
                                size_t tax_count,
                                const PkReason *reason,
                                PkLineAnswer *out_answer);

/**
 * Gives a line a discount or a surcharge.
 *
 * `adjustment`: what, how much, why, an approval if there is one, an idempotency key. `out_answer`
 * may be null. Durable as pk_begin_transaction_ex.
 *
 * Codes: 1; 2 (PK_E_LINE_VOIDED, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL, PK_E_CLOSED); 3
 * (PK_E_BAD_AMOUNT when it is not over zero or takes more than there is, PK_E_BAD_RATE,
 * PK_E_OVERFLOW, PK_E_LIMIT, PK_E_BAD_TEXT, PK_E_BAD_KEY, PK_E_BAD_UTF8, PK_E_STRUCT_SIZE,
 * PK_E_BAD_ARGUMENT); 7; 8.
 */
PkResult pk_adjust_line(PkTransactionHandle handle,
                        uint32_t line,
                        const PkAdjustment *adjustment,
                        PkLineAnswer *out_answer);

/**
 * Gives a sale a discount or a surcharge, allocated to its items by their amounts:
 * pk_get_adjustment_shares tells what each has of it.
 *
 * `adjustment` and `out_answer` as pk_adjust_line. Durable as pk_begin_transaction_ex.
 *
 * Codes: as pk_adjust_line; 2 also PK_E_EMPTY_SALE when no line takes part.
 */
PkResult pk_adjust_transaction(PkTransactionHandle handle,
                               const PkAdjustment *adjustment,
                               PkAdjustmentAnswer *out_answer);

/**
 * Takes a discount or a surcharge back, of a line or of the sale.
 *
 * `adjustment`: its number in the sale. `reason` as pk_override_line_price. `out_answer` may be
 * null. Durable as pk_begin_transaction_ex.
 *
 * Codes: 1 (also for one that is not there or was taken back); 2 (PK_E_TENDER_TAKEN,
 * PK_E_ALREADY_FINAL, PK_E_CLOSED); 3 (PK_E_BAD_AMOUNT when a later discount would take more than
 * is left, PK_E_BAD_TEXT, PK_E_BAD_KEY, PK_E_BAD_UTF8, PK_E_STRUCT_SIZE, PK_E_BAD_ARGUMENT); 7; 8.
 */
PkResult pk_retract_adjustment(PkTransactionHandle handle,
                               uint32_t adjustment,
                               const PkReason *reason,
                               PkAdjustmentAnswer *out_answer);

/**
 * Begins a sale that takes lines of a receipt back, in the store and the currency of that receipt.
 *
 * `of`: the receipt, of any terminal of the store, and an idempotency key. Durable as
 * pk_begin_transaction_ex.
 *
 * Codes: 1 (also for the receipt); 2 (PK_E_CLOSED); 3 (PK_E_BAD_ID, PK_E_LIMIT, PK_E_BAD_KEY,
 * PK_E_BAD_UTF8, PK_E_BAD_ARGUMENT, PK_E_STRUCT_SIZE); 6; 7; 8.
 */
PkResult pk_begin_return(PkTerminal terminal,
                         const PkReturnOf *of,
                         PkTransactionHandle *out_handle);

/**
 * Takes a part of a sold line back: for its share of the amount and the taxes that it was sold for,
 * so that all parts add up to the line.
 *
 * `line`: number of the line on the receipt. `quantity`: how much comes back, more than zero.
 * `of`: the receipt; null, or one without number, for the one that the sale was begun for; its key
 * is none. `reason`: why, an approval if there is one, an idempotency key. `out_answer` may be null.
 * Durable as pk_begin_transaction_ex.
 *
 * Codes: 1 (also for the receipt and its line); 2 (PK_E_REFUND_EXCEEDS: pk_last_error_json has what
 * is left; PK_E_LINE_VOIDED, PK_E_MIXED_RETURNS, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL, PK_E_CLOSED);
 * 3 (PK_E_BAD_QUANTITY, PK_E_BAD_CURRENCY for a receipt in another one, PK_E_BAD_ARGUMENT when there
 * is no receipt, PK_E_BAD_TEXT, PK_E_LIMIT, PK_E_BAD_KEY, PK_E_BAD_UTF8, PK_E_STRUCT_SIZE); 6; 7; 8.
 */
PkResult pk_return_line(PkTransactionHandle handle,
                        uint32_t line,
                        const PkDecimal *quantity,
                        const PkReturnOf *of,
                        const PkReason *reason,
                        PkLineAnswer *out_answer);

/**
 * Suspends a sale without live tenders. Nothing else can happen to it until it is resumed by the
 * ticket of the answer, on any terminal of the store.
 *
 * `out_answer` is needed: the ticket is in it. Durable when it returns: on the device.
 *
 * Codes: 1; 2 (PK_E_TENDER_TAKEN, PK_E_SUSPENDED, PK_E_ALREADY_FINAL, PK_E_CLOSED); 3; 7
 * (PK_E_OUTCOME_UNKNOWN: open the terminal again to learn it); 8.
 */
PkResult pk_suspend_transaction(PkTransactionHandle handle,
                                const PkReason *reason,
                                PkSuspendAnswer *out_answer);

/**
 * Resumes a suspended sale by its ticket: under its own number where it was suspended, under a new
 * one on another terminal of the same store.
 *
 * `key`: an idempotency key, or none. Durable when it returns: on the device.
 *
 * Codes: 1 (also for the sale or the terminal of the ticket); 2 (PK_E_ALREADY_RESUMED:
 * pk_last_error_json has where; PK_E_CLOSED); 3 (PK_E_BAD_ARGUMENT for what is no ticket, PK_E_LIMIT,
 * PK_E_BAD_KEY, PK_E_BAD_UTF8); 6; 7; 8.
 */
PkResult pk_resume_transaction(PkTerminal terminal,
                               const uint8_t *ticket,
                               size_t ticket_len,
                               const uint8_t *key,
                               size_t key_len,
                               PkTransactionHandle *out_handle);

/**
 * The sales that wait in the store of a terminal, as a JSON array: `ticket`, `terminal`, `sale`,
 * `reference`, `currency`, `gross`, `lines`, `reason`, `at`.
 *
 * Codes: 1; 3; 4; 7.
 */
PkResult pk_list_suspended_json(PkTerminal terminal,
                                uint8_t *buffer,
                                size_t capacity,
                                size_t *need);

/**
 * Journals which suspended sales of a terminal have gone on at others: they are over here. It is
 * done at every opening, and by a host before it looks for its open sales or closes a day.
 *
 * `out_count`: how many sales are over with it. Durable as pk_begin_transaction_ex.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3; 7.
 */
PkResult pk_collect_transfers(PkTerminal terminal, size_t *out_count);

/**
 * Voids the sales to which nothing has happened for so long, by the monotonic clock and while the
 * terminal was open. One for which money was taken, or may have been, never expires, nor does a
 * suspended one.
 *
 * `idle_ns`: nanoseconds. `reason`: 1 to 256 bytes for the journal. `out_count`: how many sales were
 * voided. Durable when it returns: on the device.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3; 7.
 */
PkResult pk_expire_transactions(PkTerminal terminal,
                                uint64_t idle_ns,
                                const uint8_t *reason,
                                size_t reason_len,
                                size_t *out_count);

/**
 * Takes cash out of the drawer for the drawer of another terminal of the store. It is on its way until
 * it is received there by the ticket of the answer, or taken back here.
 *
 * `to`: the id of the other terminal. `movement`: of kind PK_MOVE_PAID_OUT. `out_answer` is needed: the
 * ticket is in it. Durable when it returns: on the device.
 *
 * Codes: 1 (also for the other terminal and the approval); 2 (PK_E_SHIFT_CLOSED, PK_E_NOT_SIGNED_ON,
 * PK_E_TRAINING, PK_E_APPROVAL_USED, PK_E_CLOSED); 3 (PK_E_BAD_ARGUMENT for this terminal;
 * PK_E_BAD_AMOUNT for an amount that is not positive, or more than the drawer holds; PK_E_BAD_CURRENCY;
 * PK_E_LIMIT while too much is on its way); 7; 8.
 */
PkResult pk_send_cash(PkTerminal terminal,
                      const uint8_t *to,
                      size_t to_len,
                      const PkCashMovement *movement,
                      PkCashTicket *out_answer);

/**
 * Puts cash into the drawer that another terminal of the store sent here; at the terminal that sent
 * it, takes it back. A ticket is good once.
 *
 * `out_answer` may be null. Durable when it returns: on the device.
 *
 * Codes: 1 (also for the terminal and the record of the ticket, and for the approval); 2
 * (PK_E_ALREADY_RECEIVED: pk_last_error_json has where; PK_E_SHIFT_CLOSED, PK_E_NOT_SIGNED_ON,
 * PK_E_TRAINING, PK_E_APPROVAL_USED, PK_E_CLOSED); 3 (PK_E_BAD_ARGUMENT for what is no ticket, or for
 * cash that goes to another terminal); 6; 7; 8.
 */
PkResult pk_receive_cash(PkTerminal terminal,
                         const uint8_t *ticket,
                         size_t ticket_len,
                         const PkReason *reason,
                         PkCashReceived *out_answer);

/**
 * The cash that is on its way in the store of a terminal, as a JSON array: `ticket`, `from`, `to`,
 * `currency`, `amount`, `reason`, `at`.
 *
 * Codes: 1; 3; 4; 7.
 */
PkResult pk_list_cash_in_transit_json(PkTerminal terminal,
                                      uint8_t *buffer,
                                      size_t capacity,
                                      size_t *need);

/**
 * Signs an operator on. Facts name the operator from here on.
 *
 * `key`: an idempotency key, or none. `out_answer` may be null.
 *
 * Codes: 1; 2 (PK_E_SIGNED_ON, PK_E_CLOSED); 3; 7; 8.
 */
PkResult pk_sign_on(PkTerminal terminal,
                    const uint8_t *operator_name,
                    size_t operator_name_len,
                    const uint8_t *key,
                    size_t key_len,
                    PkFactAnswer *out_answer);

/**
 * Signs the operator off.
 *
 * `key`: an idempotency key, or none. `out_answer` may be null.
 *
 * Codes: 1; 2 (PK_E_NOT_SIGNED_ON, PK_E_CLOSED); 3; 7; 8.
 */
PkResult pk_sign_off(PkTerminal terminal,
                     const uint8_t *operator_name,
                     size_t operator_name_len,
                     const uint8_t *key,
                     size_t key_len,
                     PkFactAnswer *out_answer);

/**
 * Gives an approval: somebody allows one thing, once. The answer's number goes into the call that it
 * allows.
 *
 * `out_answer` may be null.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3; 7; 8.
 */
PkResult pk_approve(PkTerminal terminal,
                    const PkApproval *approval,
                    PkFactAnswer *out_answer);

/**
 * Switches training on (1) or off (0). Sales that begin in training have receipt numbers of their own
 * and move no counter.
 *
 * `approval`: number of the approval for it; 0 for none. `key`: an idempotency key, or none.
 * `out_answer` may be null.
 *
 * Codes: 1 (also for the approval); 2 (PK_E_NOT_SIGNED_ON, PK_E_APPROVAL_USED, PK_E_CLOSED); 3
 * (PK_E_BAD_ARGUMENT when it is so already); 7; 8.
 */
PkResult pk_set_training(PkTerminal terminal,
                         uint32_t on,
                         uint64_t approval,
                         const uint8_t *key,
                         size_t key_len,
                         PkFactAnswer *out_answer);

/**
 * Opens a shift with its float.
 *
 * `cash`: amounts, each currency once; the `struct_size` of the first is the distance from each to
 * the next. `cash_count`: how many, 0 to 16. `key`: an idempotency key, or none. `out_answer` may be
 * null; its number is the shift's.
 *
 * Codes: 1; 2 (PK_E_SHIFT_OPEN, PK_E_NOT_SIGNED_ON, PK_E_TRAINING, PK_E_CLOSED); 3; 7; 8.
 */
PkResult pk_open_shift(PkTerminal terminal,
                       const PkCash *cash,
                       size_t cash_count,
                       const uint8_t *key,
                       size_t key_len,
                       PkFactAnswer *out_answer);

/**
 * Closes the shift. pk_get_report_json gives its drawer by the sequence of the answer.
 *
 * `key`: an idempotency key, or none. `out_answer` may be null; its number is the shift's.
 *
 * Codes: 1; 2 (PK_E_SHIFT_CLOSED; PK_E_OPEN_SALES while one holds cash; PK_E_NOT_SIGNED_ON,
 * PK_E_TRAINING, PK_E_CLOSED); 3; 7; 8.
 */
PkResult pk_close_shift(PkTerminal terminal,
                        const uint8_t *key,
                        size_t key_len,
                        PkFactAnswer *out_answer);

/**
 * Pays cash into the drawer or out of it, or opens it without a sale.
 *
 * `out_answer` may be null.
 *
 * Codes: 1 (also for the approval); 2 (PK_E_SHIFT_CLOSED, PK_E_NOT_SIGNED_ON, PK_E_TRAINING,
 * PK_E_APPROVAL_USED, PK_E_CLOSED); 3 (PK_E_BAD_AMOUNT for an amount that is not positive, or more
 * than the drawer holds; PK_E_BAD_CURRENCY, PK_E_BAD_ARGUMENT for an amount or a currency without
 * movement); 7; 8.
 */
PkResult pk_move_cash(PkTerminal terminal,
                      const PkCashMovement *movement,
                      PkFactAnswer *out_answer);

/**
 * Counts the cash of one currency. What is over or short is booked: from here on the drawer is
 * expected to hold what was counted.
 *
 * `counted`: minor units. `key`: an idempotency key, or none. `out_answer` may be null.
 *
 * Codes: 1; 2 (PK_E_SHIFT_CLOSED; PK_E_OPEN_SALES while one holds cash; PK_E_NOT_SIGNED_ON,
 * PK_E_TRAINING, PK_E_CLOSED); 3; 7; 8.
 */
PkResult pk_count_cash(PkTerminal terminal,
                       const uint8_t *currency,
                       size_t currency_len,
                       int64_t counted,
                       const uint8_t *key,
                       size_t key_len,
                       PkCountAnswer *out_answer);

/**
 * The drawer of the shift under way, one entry a currency. `out_count` and `capacity` as
 * pk_get_counters.
 *
 * Codes: 1; 2 (PK_E_SHIFT_CLOSED, PK_E_CLOSED); 3; 4 (only `out_count` is written).
 */
PkResult pk_get_drawer(PkTerminal terminal,
                       PkDrawer *out_drawer,
                       size_t capacity,
                       size_t *out_count);

/**
 * Who is at a till: operator, shift, training.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3.
 */
PkResult pk_get_attendance(PkTerminal terminal, PkAttendance *out_attendance);

/**
 * The operator who is signed on; empty for nobody.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3; 4.
 */
PkResult pk_get_operator(PkTerminal terminal, uint8_t *buffer, size_t capacity, size_t *need);

/**
 * Reports what the till took since the last Z report. It changes nothing, and is journaled.
 *
 * `key`: an idempotency key, or none. `out_answer` may be null; its number is the one that the next Z
 * report will have. Durable when it returns: on the device.
 *
 * Codes: 1; 2 (PK_E_NOT_SIGNED_ON, PK_E_CLOSED); 3; 7; 8.
 */
PkResult pk_x_report(PkTerminal terminal,
                     const uint8_t *key,
                     size_t key_len,
                     PkFactAnswer *out_answer);

/**
 * Closes the period: the report has the next number, the sums begin again, and the segment is sealed
 * behind it.
 *
 * `key`: an idempotency key, or none. `out_answer` may be null. Durable when it returns: on the
 * device.
 *
 * Codes: 1; 2 (PK_E_OPEN_SALES: pk_last_error_json has their numbers; PK_E_NOT_SIGNED_ON,
 * PK_E_CLOSED); 3; 7 (PK_E_OUTCOME_UNKNOWN: open the terminal again to learn it); 8.
 */
PkResult pk_z_report(PkTerminal terminal,
                     const uint8_t *key,
                     size_t key_len,
                     PkFactAnswer *out_answer);

/**
 * Closes a longer period: a day over all Z reports since the last day, a month over days, a year over
 * months.
 *
 * `kind`: PK_PERIOD_... `key`: an idempotency key, or none. `out_answer` may be null. Durable when it
 * returns: on the device.
 *
 * Codes: 1; 2 (PK_E_NOTHING_TO_CLOSE, PK_E_NOT_SIGNED_ON, PK_E_CLOSED); 3; 7; 8.
 */
PkResult pk_period_close(PkTerminal terminal,
                         uint32_t kind,
                         const uint8_t *key,
                         size_t key_len,
                         PkFactAnswer *out_answer);

/**
 * What an X or Z report, a closed period or a closed shift says, as JSON, by the sequence that the
 * call gave which made it.
 *
 * Codes: 1 (also when another fact stands there); 2 (PK_E_CLOSED); 3; 4; 6; 7.
 */
PkResult pk_get_report_json(PkTerminal terminal,
                            uint64_t sequence,
                            uint8_t *buffer,
                            size_t capacity,
                            size_t *need);

/**
 * Prints a receipt once more and counts the copy; pk_get_receipt_json_ex gives what to print.
 *
 * `circle`: PK_CIRCLE_... `approval`: number of the approval for it; 0 for none. `key`: an idempotency
 * key, or none. `out_answer` may be null; its number is that of the copy, from 1. Durable when it
 * returns: on the device.
 *
 * Codes: 1 (also for the receipt and the approval); 2 (PK_E_NOT_SIGNED_ON, PK_E_APPROVAL_USED,
 * PK_E_CLOSED); 3; 6; 7; 8.
 */
PkResult pk_reprint(PkTerminal terminal,
                    uint32_t circle,
                    uint64_t receipt_number,
                    uint64_t approval,
                    const uint8_t *key,
                    size_t key_len,
                    PkFactAnswer *out_answer);

/**
 * What a sale comes to; after its end, what it came to.
 *
 * Codes: 1; 2 (PK_E_CLOSED; PK_E_ALREADY_FINAL when it ended long ago); 3.
 */
PkResult pk_get_totals_ex(PkTransactionHandle handle, PkTotals *out_totals);

/**
 * The number of a sale on its terminal, from 1 without a gap.
 *
 * Codes: 1; 3.
 */
PkResult pk_get_sale_number(PkTransactionHandle handle, uint64_t *out_sale);

/**
 * The receipt number that a sale was given; 0 while it has none.
 *
 * Codes: 1; 3.
 */
PkResult pk_get_receipt_number(PkTransactionHandle handle, uint64_t *out_receipt);

/**
 * How many lines a sale has, voided ones included. Their numbers are 1 to this.
 *
 * Codes: 1; 2 (PK_E_CLOSED; PK_E_ALREADY_FINAL when it ended long ago); 3.
 */
PkResult pk_get_line_count(PkTransactionHandle handle, uint32_t *out_count);

/**
 * A line by its number.
 *
 * Codes: 1 (also for a line that is not there); 2; 3.
 */
PkResult pk_get_line(PkTransactionHandle handle, uint32_t line, PkLine *out_line);

/**
 * A text of a line: `field` is PK_LINE_SKU, PK_LINE_TEXT, PK_LINE_VOID_REASON or PK_LINE_SOLD_AT.
 *
 * Codes: 1; 2; 3; 4.
 */
PkResult pk_get_line_text(PkTransactionHandle handle,
                          uint32_t line,
                          int32_t field,
                          uint8_t *buffer,
                          size_t capacity,
                          size_t *need);

/**
 * The taxes of a line, in the order in which they were given: `out_count` tells how many there are,
 * and they are written when `capacity` is that many. What a voided line comes to is 0.
 *
 * Codes: 1 (also for a line that is not there); 2; 3; 4 (only `out_count` is written).
 */
PkResult pk_get_line_taxes(PkTransactionHandle handle,
                           uint32_t line,
                           PkTaxRow *out_rows,
                           size_t capacity,
                           size_t *out_count);

/**
 * The discounts and surcharges of a line, its shares of those on the sale among them, in their
 * order. `out_count` and `capacity` as pk_get_line_taxes.
 *
 * Codes: as pk_get_line_taxes.
 */
PkResult pk_get_line_adjustments(PkTransactionHandle handle,
                                 uint32_t line,
                                 PkApplied *out_applied,
                                 size_t capacity,
                                 size_t *out_count);

/**
 * What each live line has of a discount or a surcharge, by its number in the sale: none of one that
 * was taken back. `out_count` and `capacity` as pk_get_line_taxes.
 *
 * Codes: 1; 2; 3; 4 (only `out_count` is written).
 */
PkResult pk_get_adjustment_shares(PkTransactionHandle handle,
                                  uint32_t adjustment,
                                  PkShare *out_shares,
                                  size_t capacity,
                                  size_t *out_count);

/**
 * What each live line comes to: net, tax and gross. They add up to the totals. `out_count` and
 * `capacity` as pk_get_line_taxes.
 *
 * Codes: 1; 2; 3; 4 (only `out_count` is written).
 */
PkResult pk_get_line_splits(PkTransactionHandle handle,
                            PkLineSplit *out_splits,
                            size_t capacity,
                            size_t *out_count);

/**
 * The tax table of a sale: net, tax and gross of each tax, in the order in which the sale first had
 * them. `out_count` and `capacity` as pk_get_line_taxes.
 *
 * Codes: 1; 2; 3; 4 (only `out_count` is written).
 */
PkResult pk_get_tax_table(PkTransactionHandle handle,
                          PkTaxRow *out_rows,
                          size_t capacity,
                          size_t *out_count);

/**
 * How many tenders a sale has, dead ones included. Their numbers are 1 to this.
 *
 * Codes: 1; 2; 3.
 */
PkResult pk_get_tender_count(PkTransactionHandle handle, uint32_t *out_count);

/**
 * A tender by its number.
 *
 * Codes: 1 (also for a tender that is not there); 2; 3.
 */
PkResult pk_get_tender(PkTransactionHandle handle, uint32_t tender, PkTender *out_tender);

/**
 * A text of a tender: `field` is PK_TENDER_REFERENCE or PK_TENDER_AUTH.
 *
 * Codes: 1; 2; 3; 4.
 */
PkResult pk_get_tender_text(PkTransactionHandle handle,
                            uint32_t tender,
                            int32_t field,
                            uint8_t *buffer,
                            size_t capacity,
                            size_t *need);

/**
 * A whole sale as JSON: `sale`, `store`, `currency`, `state`, `recovered`, `beganAt`, `lines`,
 * `tenders`, `totals`; while it waits its `ticket`; `returns`, the receipt that it was begun for;
 * `takes`, where it was suspended before it went on here.
 *
 * Codes: 1; 2; 3; 4.
 */
PkResult pk_get_transaction_json(PkTransactionHandle handle,
                                 uint8_t *buffer,
                                 size_t capacity,
                                 size_t *need);

/**
 * A receipt by its number, read from the journal.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3; 6; 7.
 */
PkResult pk_get_receipt(PkTerminal terminal, uint64_t receipt_number, PkReceipt *out_receipt);

/**
 * The tax table of a receipt by its number, read from the journal. `circle`: PK_CIRCLE_..., or 0 for
 * sales. `out_count` and `capacity` as pk_get_line_taxes.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3; 4 (only `out_count` is written); 6; 7.
 */
PkResult pk_get_receipt_tax_table(PkTerminal terminal,
                                  uint32_t circle,
                                  uint64_t receipt_number,
                                  PkTaxRow *out_rows,
                                  size_t capacity,
                                  size_t *out_count);

/**
 * A receipt by its number as JSON, with its lines and tenders: what a host prints.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3; 4; 6; 7.
 */
PkResult pk_get_receipt_json(PkTerminal terminal,
                             uint64_t receipt_number,
                             uint8_t *buffer,
                             size_t capacity,
                             size_t *need);

/**
 * As pk_get_receipt, of a circle: PK_CIRCLE_..., or 0 for sales.
 *
 * Codes: as pk_get_receipt.
 */
PkResult pk_get_receipt_ex(PkTerminal terminal,
                           uint32_t circle,
                           uint64_t receipt_number,
                           PkReceipt *out_receipt);

/**
 * As pk_get_receipt_json, of a circle: PK_CIRCLE_..., or 0 for sales.
 *
 * Codes: as pk_get_receipt_json.
 */
PkResult pk_get_receipt_json_ex(PkTerminal terminal,
                                uint32_t circle,
                                uint64_t receipt_number,
                                uint8_t *buffer,
                                size_t capacity,
                                size_t *need);

/**
 * Verifies a journal: checksums, chain, sequence, invariants and counters, and that an anchor is
 * still in it.
 *
 * `out_report` may be null. It is written when the journal could be read, whether or not something
 * is wrong with it: then the code is 6 and `detail` that of the first problem.
 *
 * Codes: 1 (no journal); 3; 6 (damaged, changed, or an anchor is missing); 7.
 */
PkResult pk_verify_wal_integrity_ex(const PkVerifyOptions *options, PkVerifyReport *out_report);

/**
 * As pk_verify_wal_integrity_ex, with every problem, as JSON: `id`, `ok`, `records`, `segments`,
 * `head`, `lastSequence`, `receipts`, `tornBytes`, `problems`, `problemCount`. The code is 0 even
 * when `ok` is false.
 *
 * Codes: 1; 3; 4; 7.
 */
PkResult pk_verify_report_json(const PkVerifyOptions *options,
                               uint8_t *buffer,
                               size_t capacity,
                               size_t *need);

/**
 * Records of a journal, decoded, as JSON: `records`, `nextSequence`, `end`.
 *
 * `root` and `id`: as in PkVerifyOptions. `from_sequence`: the first, from 1. `limit`: at most so
 * many, 1 to 100,000.
 *
 * Codes: 1; 3; 4; 6; 7.
 */
PkResult pk_inspect_json(PkText root,
                         PkText id,
                         uint64_t from_sequence,
                         uint64_t limit,
                         uint8_t *buffer,
                         size_t capacity,
                         size_t *need);

/**
 * Every receipt of a journal from a number on, at most `limit` (1 to 100,000), as a JSON array.
 *
 * Codes: 1; 3; 4; 6; 7.
 */
PkResult pk_list_receipts_json(PkText root,
                               PkText id,
                               uint64_t from_receipt,
                               uint64_t limit,
                               uint8_t *buffer,
                               size_t capacity,
                               size_t *need);

/**
 * Ids of the terminals under a root that have a folder, in order, as a JSON array.
 *
 * Codes: 3; 4; 7.
 */
PkResult pk_list_terminals_json(PkText root, uint8_t *buffer, size_t capacity, size_t *need);

/**
 * Says that a signer is up. With `signer`, `algorithm` and `key` a device outside signs from here
 * on; with none of them the signer that the terminal was opened with is back, and up to 256 receipts
 * that it missed are signed.
 *
 * `signer`: name of the device, 1 to 256 bytes. `algorithm`: `ed25519`, whose signatures are checked,
 * or another name of up to 32 letters. `key`: its public key, `key_size` bytes.
 * Durable when it returns.
 *
 * Codes: 1; 2 (PK_E_SIGNER_DOWN, PK_E_CLOSED); 3; 7.
 */
PkResult pk_signer_up(PkTerminal terminal,
                      PkText signer,
                      PkText algorithm,
                      const uint8_t *key,
                      size_t key_size);

/**
 * Says that the signer is out. Sales go on, and their receipts stand unsigned.
 *
 * Durable when it returns.
 *
 * Codes: 1; 2 (PK_E_SIGNER_DOWN, PK_E_CLOSED); 3 (PK_E_BAD_TEXT, PK_E_BAD_UTF8); 7.
 */
PkResult pk_signer_down(PkTerminal terminal, PkText reason);

/**
 * Who signs, and what stands unsigned, as JSON: `signer`, `algorithm`, `key`, `up`, `unsigned`,
 * `firstUnsigned`; `null` when nothing was ever signed.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3; 4.
 */
PkResult pk_signing_json(PkTerminal terminal, uint8_t *buffer, size_t capacity, size_t *need);

/**
 * The oldest receipt without a signature: `out_sequence` is that of its completion, the buffer gets
 * the bytes to sign. With nothing to sign the sequence is 0 and `need` too.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3; 4 (the sequence is written all the same); 6; 7.
 */
PkResult pk_next_unsigned(PkTerminal terminal,
                          uint64_t *out_sequence,
                          uint8_t *buffer,
                          size_t capacity,
                          size_t *need);

/**
 * Attaches the signature of the receipt whose completion has this sequence. The same once more does
 * nothing.
 *
 * Durable when it returns.
 *
 * Codes: 1 (no receipt was completed there, or it awaits none); 2 (PK_E_SIGNER_DOWN, PK_E_CLOSED); 3
 * (PK_E_LIMIT, PK_E_BAD_ARGUMENT); 6 (PK_E_SIGNATURE: it does not hold); 7.
 */
PkResult pk_attach_signature(PkTerminal terminal,
                             uint64_t sequence,
                             const uint8_t *signature,
                             size_t signature_size);

/**
 * Signs receipts that an outage has left, oldest first, at most `limit`; `out_count` tells how many.
 *
 * Durable when it returns.
 *
 * Codes: 1; 2 (PK_E_SIGNER_DOWN, PK_E_CLOSED); 3; 6; 7.
 */
PkResult pk_sign_late(PkTerminal terminal,
                      uint64_t limit,
                      uint64_t *out_count);

/**
 * The signature of a receipt as JSON: `receiptNumber`, `sequence`, `hash`, `signature`, `keyId`,
 * `late`; `null` when it has none.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3; 4; 6; 7.
 */
PkResult pk_get_signature_json(PkTerminal terminal,
                               uint64_t receipt,
                               uint8_t *buffer,
                               size_t capacity,
                               size_t *need);

/**
 * Gives the software signer a new key, which the old one vouches for. pk_signing_json then tells the
 * public one.
 *
 * Durable when it returns.
 *
 * Codes: 1; 2 (PK_E_SIGNER_DOWN, PK_E_CLOSED); 3; 7.
 */
PkResult pk_rotate_key(PkTerminal terminal);

/**
 * A place in the chain to keep where the journal's owner cannot change it, signed where the
 * terminal's signer is up. With `place` the journal notes where it is kept.
 *
 * Durable when it returns: all that the anchor speaks of, and the note.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3; 7.
 */
PkResult pk_anchor(PkTerminal terminal, PkText place, PkAnchor *out_anchor);

/**
 * Moves sealed segments into the archive: all of them with `upto_segment` 0, else those up to it.
 * `out_report` may be null.
 *
 * Durable when it returns: copies, manifest, and the fact that says so.
 *
 * Codes: 1; 2 (PK_E_NOTHING_TO_ARCHIVE, PK_E_CLOSED); 3; 6 (PK_E_CORRUPT, PK_E_CHAIN_BROKEN: nothing
 * was moved; PK_E_ARCHIVE); 7.
 */
PkResult pk_archive(PkTerminal terminal,
                    uint32_t upto_segment,
                    PkArchiveReport *out_report);

/**
 * The terminals of a store, as a JSON array: `id`, `state` (`changing`, `active`, `draining`, `closed`,
 * `crashed`), and of the owner, or the last one, `pid`, `startedAt`, `host`, `version`, `epoch`. It
 * says what the locks say, and writes the file `active_terminals.json` that says the same.
 *
 * Codes: 3; 4; 6 (PK_E_SHARED_FILE); 7.
 */
PkResult pk_store_terminals_json(PkText root,
                                 uint8_t *buffer,
                                 size_t capacity,
                                 size_t *need);

/**
 * Sends a message to another terminal of the store, or to all others.
 *
 * `to`: a terminal id; nothing for all others. `kind`: `x.` and up to 62 of a-z 0-9 . _ -, or one of the
 * kernel's own kinds. `body`: JSON, up to 256 KiB. `ttl_ms`: milliseconds after which it is worth
 * nothing any more; 0 for never. The buffer gets the id, up to 64 bytes; a smaller one is refused before
 * anything is sent. Durable when it returns: whoever has an inbox with room will receive it, once;
 * pk_message_acknowledgements_json tells who.
 *
 * Codes: 1; 2 (PK_E_INBOX_FULL, PK_E_CLOSED); 3 (PK_E_BAD_MESSAGE, PK_E_BAD_ID, PK_E_LIMIT); 4; 6
 * (PK_E_SHARED_FILE); 7.
 */
PkResult pk_send_message(PkTerminal terminal,
                         PkText to,
                         PkText kind,
                         PkText body,
                         uint64_t ttl_ms,
                         uint8_t *buffer,
                         size_t capacity,
                         size_t *need);

/**
 * The messages that wait at a terminal, in the order in which they have to be accepted, as a JSON array
 * of `id`, `from`, `to`, `kind`, `sentAt`, `expiresAt`, `body`: at most `most` of them, 0 for all. None is
 * received by it; what cannot be received is moved to the folder `dead` of the inbox.
 *
 * Codes: 2 (PK_E_CLOSED); 3; 4; 6 (PK_E_SHARED_FILE); 7.
 */
PkResult pk_receive_messages_json(PkTerminal terminal,
                                  size_t most,
                                  uint8_t *buffer,
                                  size_t capacity,
                                  size_t *need);

/**
 * Waits until a message waits at a terminal, or the time is over. It blocks the calling thread and no other
 * call of the terminal; whoever sends a message ends it, on Linux at once and elsewhere within a
 * twentieth of a second. Closing the terminal ends it with PK_E_CLOSED, within a quarter of a second.
 *
 * `timeout_ms`: the longest that it may take; 0 only looks. `out_waiting`: 1 when a message waits, for
 * pk_receive_messages_json to give, else 0.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 4; 6 (PK_E_SHARED_FILE); 7.
 */
PkResult pk_wait_for_message(PkTerminal terminal,
                             uint64_t timeout_ms,
                             uint8_t *out_waiting);

/**
 * Accepts a message: it is received from here on, and stands in the journal once.
 *
 * `out_new`: 1 when it was not received before, else 0. Durable when it returns.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3 (PK_E_BAD_MESSAGE; PK_E_BAD_ARGUMENT before an earlier one of its sender);
 * 6; 7.
 */
PkResult pk_accept_message(PkTerminal terminal,
                           PkText id,
                           uint8_t *out_new);

/**
 * Gives a message up: it is moved to the folder `dead` of the inbox and is not received.
 *
 * Codes: 2 (PK_E_CLOSED); 3 (PK_E_BAD_MESSAGE, PK_E_BAD_TEXT); 6; 7.
 */
PkResult pk_give_up_message(PkTerminal terminal, PkText id, PkText reason);

/**
 * What became of a message, as a JSON array of `terminal`, `state` (`waiting`, `received`, `dead`) and,
 * when it is dead, `reason`.
 *
 * Codes: 3 (PK_E_BAD_MESSAGE); 4; 7.
 */
PkResult pk_message_acknowledgements_json(PkText root,
                                          PkText id,
                                          uint8_t *buffer,
                                          size_t capacity,
                                          size_t *need);

/**
 * Begins to end: new sales are refused with PK_E_SHUTTING_DOWN, what is open can be finished. A terminal
 * that ends already goes on as it began to.
 *
 * `grace_ms`: until when, from now, up to a day. `by`: the terminal that asked for it; nothing when the
 * host did. Durable when it returns.
 *
 * Codes: 2 (PK_E_CLOSED); 3 (PK_E_BAD_TEXT, PK_E_LIMIT); 7.
 */
PkResult pk_begin_drain(PkTerminal terminal,
                        PkText reason,
                        uint64_t grace_ms,
                        PkText by);

/**
 * Suspends what is still open, as far as it can be suspended; sales with live tenders stay open and
 * come back when the terminal is opened again.
 *
 * `out_suspended`, `out_left`: how many sales. Durable when it returns.
 *
 * Codes: 2 (PK_E_CLOSED); 3; 7.
 */
PkResult pk_suspend_open(PkTerminal terminal,
                         PkText reason,
                         size_t *out_suspended,
                         size_t *out_left);

/**
 * Announces a shutdown to all other terminals: a message `SystemShutdown`, and the store's
 * `shutdown_signal.flag`. The buffer gets the id of the message, up to 64 bytes. Durable when it returns;
 * it is a fact of this terminal.
 *
 * Codes: 2 (PK_E_CLOSED); 3 (PK_E_BAD_TEXT, PK_E_LIMIT); 4 (nothing was announced); 6; 7.
 */
PkResult pk_announce_shutdown(PkTerminal terminal,
                              PkText reason,
                              uint64_t grace_ms,
                              uint8_t *buffer,
                              size_t capacity,
                              size_t *need);

/**
 * Gives the store a configuration.
 *
 * `version`: higher than the last; 0 for the next. `effective_ns`: when it takes effect, nanoseconds
 * since 1970 in UTC; 0 for now. `values`: a JSON object, up to 64 KiB. Durable when it returns; it is a
 * fact of this terminal. `out_version`: its version.
 *
 * Codes: 2 (PK_E_CONFIG_VERSION, PK_E_OPERATION_LOCKED, PK_E_CLOSED); 3 (PK_E_BAD_ARGUMENT,
 * PK_E_BAD_CONFIG, PK_E_LIMIT); 6; 7.
 */
PkResult pk_set_system_config(PkTerminal terminal,
                              uint64_t version,
                              int64_t effective_ns,
                              PkText values,
                              uint64_t *out_version);

/**
 * Takes the store's configuration over, once it takes effect; a host asks from time to time, and when a
 * message `ConfigurationChange` comes.
 *
 * `out_applied`: 1 when it took effect by this call. Durable when it returns; it is a fact of this
 * terminal.
 *
 * Codes: 2 (PK_E_CONFIG_VERSION, PK_E_CLOSED); 3 (PK_E_BAD_CONFIG); 6; 7.
 */
PkResult pk_apply_system_config(PkTerminal terminal,
                                uint8_t *out_applied);

/**
 * The configuration in a store's file, as JSON: `version`, `effectiveAt`, `values`, `hash`; `null` before
 * the first. It need not be in force yet.
 *
 * Codes: 3 (PK_E_BAD_CONFIG); 4; 6 (PK_E_SHARED_FILE); 7.
 */
PkResult pk_system_config_json(PkText root,
                               uint8_t *buffer,
                               size_t capacity,
                               size_t *need);

/**
 * Connects to one terminal of a kernel service of this machine. A terminal has one client at a time.
 *
 * `root`: folder of the store. `socket`: path of the socket; none for `service/service.sock` in the
 * root. `id`: the terminal. `patience_ms`: how long calls wait for a connection that broke to come
 * back.
 *
 * Codes: 2 (PK_E_SERVICE_DOWN: nobody serves there; PK_E_TERMINAL_IN_USE: pk_last_error_json has the
 * client; PK_E_NOT_ALLOWED; PK_E_UNSUPPORTED); 3 (PK_E_PROTOCOL_VERSION, PK_E_LIMIT for a path that is
 * too long); and what the service refuses the terminal with.
 */
PkResult pk_service_connect(PkText root,
                            PkText socket,
                            PkText id,
                            uint64_t patience_ms,
                            PkService *out_service);

/**
 * Does one operation, as a script has it on a line, and gives its answer:
 * `{"ok":true,"op":...}` or `{"ok":false,"code":...,"message":...,"facts":{...}}`.
 *
 * A refusal by the kernel is an answer too, with PK_OK. The operation is done once, whatever the
 * buffer: `out_call` gives its number, by which pk_service_answer gives the answer again. Durable when
 * it returns, as the service's durability says. When the connection breaks, an operation that only
 * reads or has a "key" is sent again.
 *
 * Codes: 1; 2 (PK_E_SERVICE_DOWN: not done; PK_E_CLOSED); 3; 4 (done, the answer is kept); 7
 * (PK_E_OUTCOME_UNKNOWN: the connection broke, the operation has no key).
 */
PkResult pk_service_call(PkService service,
                         PkText operation,
                         uint64_t *out_call,
                         uint8_t *buffer,
                         size_t capacity,
                         size_t *need);

/**
 * The answer of a call once more, by its number.
 *
 * Codes: 1 (also when 64 newer calls have been made); 3; 4.
 */
PkResult pk_service_answer(PkService service,
                           uint64_t call,
                           uint8_t *buffer,
                           size_t capacity,
                           size_t *need);

/**
 * Waits until nothing is under way and gives the terminal back; the service keeps it open. The handle
 * is ended.
 *
 * Codes: 1.
 */
PkResult pk_service_close(PkService service);

/**
 * Sets up a function of binary inputs, of type fd, and makes it this thread's current one.
 *
 * Codes: 3 (PK_E_BAD_ARGUMENT for dimensions beyond the limits; PK_E_LIMIT when the thread holds
 * 4,096 functions).
 */
PkResult pl_setup(uint32_t inputs, uint32_t outputs, PlFunction *out_function);

/**
 * The same with multi-valued inputs behind the binary ones, given by how many values each has.
 *
 * Codes: 3, as pl_setup.
 */
PkResult pl_setup_valued(uint32_t binaries,
                         const uint32_t *sizes,
                         size_t sizes_count,
                         uint32_t outputs,
                         PlFunction *out_function);

/**
 * Sets up the function of a PLA text, with its sets, type and names, and makes it the current one.
 *
 * Codes: 3 (PK_E_BAD_PLA with line and column; PK_E_LIMIT).
 */
PkResult pl_read_pla(const uint8_t *pla, size_t pla_len, PlFunction *out_function);

/**
 * The current function of this thread.
 *
 * Codes: 1 when there is none; 3.
 */
PkResult pl_current(PlFunction *out_function);

/**
 * Makes another function of this thread the current one.
 *
 * Codes: 1; 3 for handle 0.
 */
PkResult pl_select(PlFunction function);

/**
 * Ends a function of this thread and gives its memory back. When it was the current one, none is.
 *
 * Codes: 1; 3 for handle 0.
 */
PkResult pl_teardown(PlFunction function);

/**
 * Ends all functions of this thread, sets its options back and empties its trace. The end of a thread
 * does the same.
 *
 * Codes: none.
 */
PkResult pl_teardown_all(void);

/**
 * The dimensions of the current function.
 *
 * Codes: 1 when there is none; 3.
 */
PkResult pl_get_cube(PlCube *out_cube);

/**
 * Where a variable's bits lie in a cube of the current function. Variables are counted from 0: binary
 * inputs, multi-valued inputs, all outputs together.
 *
 * Codes: 1; 3.
 */
PkResult pl_get_variable(uint32_t variable,
                         PlVariable *out_variable);

/**
 * Says which sets the rows of the current function list, as a sum of PL_ON, PL_DC and PL_OFF; the
 * others follow from them. PL_ON + PL_DC unless told otherwise: OFF is the rest. With PL_OFF and
 * without PL_DC the rest is a don't-care.
 *
 * Codes: 1; 3 (also when a set that would no longer count has rows).
 */
PkResult pl_set_type(uint32_t sets);

/**
 * Which sets the rows of the current function list.
 *
 * Codes: 1; 3.
 */
PkResult pl_get_type(uint32_t *out_sets);

/**
 * Adds a row to PL_ON, PL_DC or PL_OFF of the current function, which has binary inputs only: a byte
 * 0, 1 or 2 (either) for each input, a byte 1 for each output that has the row in the set, else 0.
 *
 * Codes: 1; 3.
 */
PkResult pl_add_row(uint32_t set,
                    const uint8_t *inputs,
                    size_t inputs_len,
                    const uint8_t *outputs,
                    size_t outputs_len);

/**
 * Adds cubes to PL_ON, PL_DC or PL_OFF of the current function, one behind the other, each of the
 * words that pl_get_cube tells. A cube that allows no value of some variable has no points and is
 * left out. All are added or none.
 *
 * Codes: 1; 3.
 */
PkResult pl_add_words(uint32_t set, const uint64_t *words, size_t words_count);

/**
 * Takes all rows out of PL_ON, PL_DC or PL_OFF of the current function.
 *
 * Codes: 1; 3.
 */
PkResult pl_clear(uint32_t set);

/**
 * Minimises the current function with the options of this thread. `out_answer` may be null. After a
 * refusal an earlier answer is still there.
 *
 * Codes: 1; 2 (PK_E_NO_ANSWER when a limit struck before there was any answer); 3 (PK_E_BAD_PLA when
 * a point is listed as ON and as OFF).
 */
PkResult pl_minimize(PlAnswer *out_answer);

/**
 * What the last run of the current function found. It is gone when a set has changed since.
 *
 * Codes: 1; 3.
 */
PkResult pl_get_answer(PlAnswer *out_answer);

/**
 * A cover of the current function as words, cube behind cube: PL_ON, PL_DC and PL_OFF as given, PL_F,
 * PL_D and PL_R of the answer. `out_count` is how many words there are; call with null and 0 first.
 *
 * Codes: 1 (also when there is no answer, or it has no such cover); 3; 4.
 */
PkResult pl_get_words(uint32_t cover,
                      uint64_t *out_words,
                      size_t capacity,
                      size_t *out_count);

/**
 * The answer of the current function as a PLA of type f, with the names that a PLA gave.
 *
 * Codes: 1 (also when there is no answer); 3; 4.
 */
PkResult pl_get_pla(uint8_t *buffer, size_t capacity, size_t *need);

/**
 * The lines that the steps of this thread's runs left while pl_set_trace was 1: the last 64 KiB.
 *
 * Codes: 3; 4.
 */
PkResult pl_trace_text(uint8_t *buffer, size_t capacity, size_t *need);

/**
 * Empties the trace of this thread.
 *
 * Codes: none.
 */
PkResult pl_clear_trace(void);

/**
 * Whether every answer is compared with its question once more, by other means than the minimiser's own.
 * It is 0 until it is set.
 */
int32_t pl_get_debug(void);

/**
 * Sets what `pl_get_debug` tells.
 *
 * Codes: 3 for a value that is not 0 or 1.
 */
PkResult pl_set_debug(int32_t value);

/**
 * Whether setting up, every phase of a run and its answer leave a line in the text of pl_trace_text.
 * It is 0 until it is set.
 */
int32_t pl_get_trace(void);

/**
 * Sets what `pl_get_trace` tells.
 *
 * Codes: 3 for a value that is not 0 or 1.
 */
PkResult pl_set_trace(int32_t value);

/**
 * Whether a run is one pass: about half the time and a few percent more products.
 * It is 0 until it is set.
 */
int32_t pl_get_single_expand(void);

/**
 * Sets what `pl_get_single_expand` tells.
 *
 * Codes: 3 for a value that is not 0 or 1.
 */
PkResult pl_set_single_expand(int32_t value);

/**
 * Whether a run takes more ways out of a settled cover; stands above single_expand.
 * It is 0 until it is set.
 */
int32_t pl_get_super_gasp(void);

/**
 * Sets what `pl_get_super_gasp` tells.
 *
 * Codes: 3 for a value that is not 0 or 1.
 */
PkResult pl_set_super_gasp(int32_t value);

/**
 * Whether a run goes on until the minimum is proved or a limit strikes; stands above the two before.
 * It is 0 until it is set.
 */
int32_t pl_get_exact(void);

/**
 * Sets what `pl_get_exact` tells.
 *
 * Codes: 3 for a value that is not 0 or 1.
 */
PkResult pl_set_exact(int32_t value);

/**
 * Whether the OFF-set is minimised in place of the ON-set.
 * It is 0 until it is set.
 */
int32_t pl_get_pos(void);

/**
 * Sets what `pl_get_pos` tells.
 *
 * Codes: 3 for a value that is not 0 or 1.
 */
PkResult pl_set_pos(int32_t value);

/**
 * Whether cubes of several outputs are first taken apart.
 * It is 1 until it is set.
 */
int32_t pl_get_unwrap_onset(void);

/**
 * Sets what `pl_get_unwrap_onset` tells.
 *
 * Codes: 3 for a value that is not 0 or 1.
 */
PkResult pl_set_unwrap_onset(int32_t value);

/**
 * Whether essential primes are set aside while the others are improved.
 * It is 1 until it is set.
 */
int32_t pl_get_remove_essential(void);

/**
 * Sets what `pl_get_remove_essential` tells.
 *
 * Codes: 3 for a value that is not 0 or 1.
 */
PkResult pl_set_remove_essential(int32_t value);

/**
 * Whether literals are left as they are at the end.
 * It is 0 until it is set.
 */
int32_t pl_get_skip_make_sparse(void);

/**
 * Sets what `pl_get_skip_make_sparse` tells.
 *
 * Codes: 3 for a value that is not 0 or 1.
 */
PkResult pl_set_skip_make_sparse(int32_t value);

/**
 * Threads that a run may use, 1 to 256; the answer is the same for any number.
 * It is 1 until it is set.
 */
uint32_t pl_get_threads(void);

/**
 * Sets what `pl_get_threads` tells.
 *
 * Codes: 3.
 */
PkResult pl_set_threads(uint32_t value);

/**
 * Milliseconds after which a run ends with the best cover it has; 0 is no limit.
 * It is 0 until it is set.
 */
uint64_t pl_get_time_limit_ms(void);

/**
 * Sets what `pl_get_time_limit_ms` tells.
 *
 * Codes: none.
 */
PkResult pl_set_time_limit_ms(uint64_t value);

/**
 * Bytes that the covers of a run may take.
 * It is 1 GiB until it is set.
 */
uint64_t pl_get_memory_limit_bytes(void);

/**
 * Sets what `pl_get_memory_limit_bytes` tells.
 *
 * Codes: none.
 */
PkResult pl_set_memory_limit_bytes(uint64_t value);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* POS_KERNEL_H */
