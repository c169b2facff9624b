/*
 * pos_kernel.h: the kernel of a till for hosts that speak C. Interface 1.0.
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
#define PK_E_REFUND_EXCEEDS 230 /* result 2 */
#define PK_E_MIXED_RETURNS 231 /* result 2 */
#define PK_E_UNBOUND_RETURN 232 /* result 2 */
#define PK_E_SUSPENDED 233 /* result 2 */
#define PK_E_ALREADY_RESUMED 234 /* result 2 */
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
#define PK_E_TERMINAL_IN_USE 220 /* result 2 */
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

/** For pk_get_tender_text: the host's reference; empty when there is none. */
#define PK_TENDER_REFERENCE 1

/** For pk_get_tender_text: the authorisation; empty when there is none. */
#define PK_TENDER_AUTH 2

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

/** A sale on a terminal; 0 is none. */
typedef uint64_t PkTransactionHandle;

/** A text: `size` bytes of UTF-8, no terminator. Size 0 means that there is none. */
typedef struct {
    /** First byte; may be null when `size` is 0. */
    const uint8_t *data;
    /** How many bytes. */
    size_t size;
} PkText;

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
    /** Amounts sold, in minor units. */
    int64_t sales;
    /** Amounts returned, in minor units, counted upwards. */
    int64_t returns;
    /** Completed sales. */
    uint64_t receipts;
    /** Voided sales. */
    uint64_t voids;
} PkCounters;

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
    /** Price of one in minor units, zero or more. */
    PkDecimal unit_price;
    /** Idempotency key, up to 64 bytes; none inside a cart. */
    PkText key;
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
} PkLineAnswer;

/** Why something is taken back. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** Zero. */
    uint32_t reserved;
    /** 1 to 256 bytes for the journal. */
    PkText reason;
    /** Idempotency key, up to 64 bytes. */
    PkText key;
} PkReason;

/** A tender to take. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** PK_TENDER_CASH or PK_TENDER_CARD. */
    uint32_t kind;
    /** Minor units: positive while something is due, negative while something is to be paid out. */
    int64_t amount;
    /** PK_TENDER_IS_PENDING or 0; 0 inside a cart. */
    uint32_t flags;
    /** Zero. */
    uint32_t reserved;
    /** The host's reference, up to 64 bytes. */
    PkText reference;
    /** Idempotency key, up to 64 bytes; none inside a cart. */
    PkText key;
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
} PkCart;

/** What a sale comes to, in minor units of its currency. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** PK_STATE_... */
    int32_t state;
    /** Sum of the live lines. */
    int64_t gross;
    /** Confirmed tenders. */
    int64_t tendered;
    /** Pending tenders. */
    int64_t pending;
    /** Still to be tendered; negative when it is to be paid out. */
    int64_t due;
    /** To be given back. */
    int64_t change;
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
    /** Price of one in minor units. */
    PkDecimal unit_price;
    /** Amount in minor units; kept when the line is voided. */
    int64_t amount;
} PkLine;

/** A tender of a sale. Its texts: pk_get_tender_text. */
typedef struct {
    /** Size of this structure in bytes. */
    uint32_t struct_size;
    /** Tender number, from 1. */
    uint32_t tender;
    /** PK_TENDER_CASH or PK_TENDER_CARD. */
    uint32_t kind;
    /** PK_TENDER_PENDING and so on. */
    uint32_t state;
    /** Minor units; negative when it was paid out. */
    int64_t amount;
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
 * they are written when `capacity` is that many. The first entry's `struct_size` is checked.
 *
 * Codes: 1; 2 (PK_E_CLOSED); 3; 4 (only `out_count` is written).
 */
PkResult pk_get_counters(PkTerminal terminal,
                         PkCounters *out_counters,
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
 * Adds a line.
 *
 * `line`: stock-keeping unit, text, exact quantity and unit price, the line it belongs to, an
 * idempotency key. `out_answer` may be null.
 * Durable as pk_begin_transaction_ex.
 *
 * Codes: 1 (also for the parent); 2 (PK_E_ALREADY_FINAL, PK_E_TENDER_TAKEN, PK_E_LINE_VOIDED for
 * the parent, PK_E_CLOSED); 3 (PK_E_BAD_TEXT, PK_E_BAD_QUANTITY, PK_E_BAD_PRICE, PK_E_OVERFLOW,
 * PK_E_LIMIT, PK_E_BAD_KEY, PK_E_BAD_UTF8, PK_E_STRUCT_SIZE); 7; 8.
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
 * Only confirmed cash may be more than is due; the difference is change.
 *
 * `out_answer` may be null; its `receipt` is not 0 when the tender completed the sale.
 * Durable when it returns: confirmed cash as pk_begin_transaction_ex; a card and a pending tender on
 * the device, in both durabilities. When a sale is completed by it and that completion is refused,
 * the code is the completion's and the tender stands.
 *
 * Codes: 1; 2 (PK_E_NOTHING_DUE, PK_E_EMPTY_SALE, PK_E_ALREADY_FINAL, PK_E_CLOSED); 3
 * (PK_E_BAD_AMOUNT, PK_E_OVERFLOW, PK_E_BAD_TEXT, PK_E_LIMIT, PK_E_BAD_KEY, PK_E_BAD_UTF8,
 * PK_E_BAD_ARGUMENT, PK_E_STRUCT_SIZE); 7; 8.
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
 * Rings up a whole sale: begin, lines, tenders and completion in one write and one device flush. It
 * is in the journal whole or not at all.
 *
 * `out_receipt` may be null. Durable when it returns: on the device, in both durabilities.
 *
 * Codes: 1; 2 (PK_E_UNDERPAID, PK_E_EMPTY_SALE, PK_E_NOTHING_DUE, PK_E_CLOSED); 3 (those of the
 * calls that it stands for; PK_E_BAD_ARGUMENT for a pending tender or a key inside); 7; 8.
 */
PkResult pk_sell(PkTerminal terminal, const PkCart *cart, PkReceipt *out_receipt);

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
 * A text of a line: `field` is PK_LINE_SKU, PK_LINE_TEXT or PK_LINE_VOID_REASON.
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
 * `tenders`, `totals`.
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
