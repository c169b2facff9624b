/*
 * People and the drawer: operators, approvals, shifts, cash, training; reports, closings and copies.
 *
 *     ./till ROOT
 */
#include "check.h"

static PkTerminal terminal = PK_INVALID_HANDLE;

/* A structure with its size and zeros. */
#define NEW(type, name)                                                                            \
    type name;                                                                                     \
    memset(&name, 0, sizeof name);                                                                 \
    name.struct_size = sizeof name

static PkTerminal opened(const char *root, uint32_t flags) {
    NEW(PkTerminalOptions, options);
    options.flags = flags;
    options.durability = PK_DURABILITY_SALE;
    options.root = (PkText){(const uint8_t *)root, strlen(root)};
    options.id = TEXT("TILL");
    PkTerminal open = PK_INVALID_HANDLE;
    DONE(pk_terminal_open(&options, &open));
    return open;
}

static PkResult begin(PkTransactionHandle *sale) {
    NEW(PkTransactionOptions, options);
    options.store = TEXT("STORE_001");
    options.currency = TEXT("EUR");
    return pk_begin_transaction_ex(terminal, &options, sale);
}

/* A sale for cash and its receipt. */
static PkReceipt sold(int64_t price) {
    PkTransactionHandle sale = PK_INVALID_HANDLE;
    DONE(begin(&sale));
    DONE(pk_add_line(sale, BYTES("COFFEE_001"), 1, price));
    DONE(pk_add_cash_tender(sale, price + 100));
    NEW(PkReceipt, receipt);
    DONE(pk_complete_transaction(sale, NULL, 0, &receipt));
    DONE(pk_close_transaction(sale));
    return receipt;
}

static PkCashMovement movement(uint32_t kind, int64_t amount) {
    NEW(PkCashMovement, given);
    given.kind = kind;
    given.amount = amount;
    if (kind != PK_MOVE_NO_SALE) {
        given.currency = TEXT("EUR");
    }
    given.reason = TEXT("change from the bank");
    return given;
}

static PkCash cash(const char *currency, int64_t amount) {
    NEW(PkCash, given);
    memcpy(given.currency, currency, 3);
    given.amount = amount;
    return given;
}

static uint64_t approved(PkText what) {
    NEW(PkApproval, approval);
    approval.approver = TEXT("Berta");
    approval.what = what;
    NEW(PkFactAnswer, answer);
    DONE(pk_approve(terminal, &approval, &answer));
    EXPECT(answer.number >= 1);
    return answer.number;
}

static PkDrawer drawer(void) {
    PkDrawer sums[2];
    memset(sums, 0, sizeof sums);
    sums[0].struct_size = sizeof sums[0];
    size_t count = 77;
    DONE(pk_get_drawer(terminal, sums, 2, &count));
    EXPECT(count == 1 && memcmp(sums[0].currency, "EUR", 4) == 0);
    return sums[0];
}

static PkAttendance attendance(void) {
    NEW(PkAttendance, now);
    DONE(pk_get_attendance(terminal, &now));
    return now;
}

/* A report as text. */
static const char *report(uint64_t sequence) {
    static char text[8192];
    size_t need = 0;
    REFUSED(PK_E_BUFFER_TOO_SMALL, pk_get_report_json(terminal, sequence, NULL, 0, &need));
    EXPECT(need > 2 && need < sizeof text);
    DONE(pk_get_report_json(terminal, sequence, (uint8_t *)text, sizeof text - 1, &need));
    text[need] = '\0';
    return text;
}

static int says(const char *text, const char *part) {
    return strstr(text, part) != NULL;
}

static void operators(void) {
    uint8_t name[64];
    size_t need = 77;
    PkTransactionHandle sale = 77;
    REFUSED(PK_E_NOT_SIGNED_ON, begin(&sale));
    DONE(pk_get_operator(terminal, name, sizeof name, &need));
    EXPECT(need == 0 && attendance().operator_on == 0 && attendance().shift == 0);
    NEW(PkFactAnswer, first);
    NEW(PkFactAnswer, again);
    DONE(pk_sign_on(terminal, BYTES("Anna"), BYTES("on-1"), &first));
    DONE(pk_sign_on(terminal, BYTES("Anna"), BYTES("on-1"), &again));
    EXPECT(first.replayed == 0 && again.replayed == 1 && again.sequence == first.sequence);
    REFUSED(PK_E_SIGNED_ON, pk_sign_on(terminal, BYTES("Clara"), NULL, 0, NULL));
    REFUSED(PK_E_NOT_SIGNED_ON, pk_sign_off(terminal, BYTES("Clara"), NULL, 0, NULL));
    REFUSED(PK_E_BAD_TEXT, pk_sign_on(terminal, BYTES(""), NULL, 0, NULL));
    DONE(pk_get_operator(terminal, name, sizeof name, &need));
    EXPECT(need == 4 && memcmp(name, "Anna", 4) == 0 && attendance().operator_on == 1);
    REFUSED(PK_E_SHIFT_CLOSED, begin(&sale));
    EXPECT(sale == 77);
}

static void shift_and_cash(void) {
    size_t count = 77;
    REFUSED(PK_E_SHIFT_CLOSED, pk_get_drawer(terminal, NULL, 0, &count));
    REFUSED(PK_E_SHIFT_CLOSED, pk_close_shift(terminal, NULL, 0, NULL));
    PkCash floats[] = {cash("EUR", 10000), cash("EUR", 1)};
    EXPECT(pk_open_shift(terminal, floats, 2, NULL, 0, NULL).code == PK_VALIDATION_FAILED);
    REFUSED(PK_E_LIMIT, pk_open_shift(terminal, floats, 17, NULL, 0, NULL));
    REFUSED(PK_E_BAD_ARGUMENT, pk_open_shift(terminal, NULL, 1, NULL, 0, NULL));
    floats[0].struct_size = 12;
    REFUSED(PK_E_STRUCT_SIZE, pk_open_shift(terminal, floats, 1, NULL, 0, NULL));
    floats[0] = cash("XYZ", 1);
    REFUSED(PK_E_BAD_CURRENCY, pk_open_shift(terminal, floats, 1, NULL, 0, NULL));
    floats[0] = cash("EUR", 10000);
    NEW(PkFactAnswer, answer);
    DONE(pk_open_shift(terminal, floats, 1, NULL, 0, &answer));
    EXPECT(answer.number == 1 && attendance().shift == 1);
    REFUSED(PK_E_SHIFT_OPEN, pk_open_shift(terminal, floats, 1, NULL, 0, NULL));
    EXPECT(sold(399).receipt == 1);
    EXPECT(drawer().opening_float == 10000 && drawer().sales == 399);
    PkCashMovement given = movement(PK_MOVE_PAID_IN, 5000);
    given.key = TEXT("in-1");
    DONE(pk_move_cash(terminal, &given, &answer));
    DONE(pk_move_cash(terminal, &given, &answer));
    EXPECT(answer.replayed == 1 && answer.number == 0);
    given = movement(PK_MOVE_PAID_OUT, 2000);
    given.approval = approved(TEXT("stamps"));
    DONE(pk_move_cash(terminal, &given, NULL));
    REFUSED(PK_E_APPROVAL_USED, pk_move_cash(terminal, &given, NULL));
    given.approval = 99;
    REFUSED(PK_E_NOT_FOUND, pk_move_cash(terminal, &given, NULL));
    given = movement(PK_MOVE_NO_SALE, 0);
    DONE(pk_move_cash(terminal, &given, NULL));
    given.amount = 1;
    REFUSED(PK_E_BAD_ARGUMENT, pk_move_cash(terminal, &given, NULL));
    given = movement(0, 1);
    REFUSED(PK_E_BAD_ARGUMENT, pk_move_cash(terminal, &given, NULL));
    given = movement(PK_MOVE_PAID_OUT, INT64_C(1000000));
    REFUSED(PK_E_BAD_AMOUNT, pk_move_cash(terminal, &given, NULL));
    given.amount = 0;
    REFUSED(PK_E_BAD_AMOUNT, pk_move_cash(terminal, &given, NULL));
    given.currency = TEXT("EURO");
    REFUSED(PK_E_BAD_CURRENCY, pk_move_cash(terminal, &given, NULL));
    REFUSED(PK_E_BAD_ARGUMENT, pk_move_cash(terminal, NULL, NULL));
    EXPECT(drawer().paid_in == 5000 && drawer().paid_out == 2000 && drawer().expected == 13399);
    NEW(PkCountAnswer, counted);
    DONE(pk_count_cash(terminal, BYTES("EUR"), 13390, BYTES("count-1"), &counted));
    EXPECT(counted.expected == 13399 && counted.counted == 13390 && counted.over_short == -9);
    EXPECT(drawer().expected == 13390 && drawer().over_short == -9);
    REFUSED(PK_E_BAD_AMOUNT, pk_count_cash(terminal, BYTES("EUR"), -1, NULL, 0, &counted));
    EXPECT(counted.over_short == -9);
    NEW(PkApproval, approval);
    REFUSED(PK_E_BAD_TEXT, pk_approve(terminal, &approval, NULL));
    approval.reserved = 1;
    REFUSED(PK_E_BAD_ARGUMENT, pk_approve(terminal, &approval, NULL));
}

/* What a void may need: an approval, once. */
static void approvals(void) {
    PkTransactionHandle sale = PK_INVALID_HANDLE;
    DONE(begin(&sale));
    DONE(pk_add_line(sale, BYTES("WINE"), 1, 1999));
    DONE(pk_add_line(sale, BYTES("TEA"), 1, 250));
    NEW(PkReason, reason);
    reason.reason = TEXT("broken");
    reason.approval = approved(TEXT("a void"));
    DONE(pk_void_line(sale, 1, 0, &reason, NULL));
    REFUSED(PK_E_APPROVAL_USED, pk_void_line(sale, 2, 0, &reason, NULL));
    REFUSED(PK_E_APPROVAL_USED, pk_void_transaction(sale, &reason));
    reason.approval = 0;
    DONE(pk_void_transaction(sale, &reason));
    DONE(pk_close_transaction(sale));
}

static void training(void) {
    NEW(PkFactAnswer, answer);
    REFUSED(PK_E_BAD_ARGUMENT, pk_set_training(terminal, 0, 0, NULL, 0, NULL));
    REFUSED(PK_E_BAD_ARGUMENT, pk_set_training(terminal, 2, 0, NULL, 0, NULL));
    DONE(pk_set_training(terminal, 1, 0, NULL, 0, &answer));
    EXPECT(attendance().training == 1);
    PkReceipt receipt = sold(5000);
    EXPECT(receipt.receipt == 1 && receipt.circle == PK_CIRCLE_TRAINING);
    EXPECT(receipt.total_sales == 399);
    DONE(pk_set_training(terminal, 0, 0, NULL, 0, NULL));
    NEW(PkReceipt, read);
    DONE(pk_get_receipt_ex(terminal, PK_CIRCLE_TRAINING, 1, &read));
    EXPECT(read.gross == 5000 && read.circle == PK_CIRCLE_TRAINING);
    DONE(pk_get_receipt_ex(terminal, 0, 1, &read));
    EXPECT(read.gross == 399 && read.circle == PK_CIRCLE_SALE);
    REFUSED(PK_E_NOT_FOUND, pk_get_receipt_ex(terminal, PK_CIRCLE_TRAINING, 2, &read));
    REFUSED(PK_E_BAD_ARGUMENT, pk_get_receipt_ex(terminal, 3, 1, &read));
    uint8_t text[4096];
    size_t need = 0;
    DONE(pk_get_receipt_json_ex(terminal, PK_CIRCLE_TRAINING, 1, text, sizeof text, &need));
    EXPECT(need > 2);
    EXPECT(drawer().sales == 399);
    NEW(PkCounters, counters);
    DONE(pk_get_counters(terminal, &counters, 1, &need));
    EXPECT(counters.sales == 399 && counters.receipts == 1);
}

static void copies(void) {
    NEW(PkFactAnswer, answer);
    for (uint64_t copy = 1; copy <= 2; copy += 1) {
        DONE(pk_reprint(terminal, PK_CIRCLE_SALE, 1, 0, NULL, 0, &answer));
        EXPECT(answer.number == copy);
    }
    DONE(pk_reprint(terminal, 0, 1, approved(TEXT("a third copy")), BYTES("copy-3"), &answer));
    DONE(pk_reprint(terminal, PK_CIRCLE_TRAINING, 1, 0, NULL, 0, &answer));
    EXPECT(answer.number == 1);
    REFUSED(PK_E_NOT_FOUND, pk_reprint(terminal, PK_CIRCLE_SALE, 9, 0, NULL, 0, &answer));
    REFUSED(PK_E_BAD_ARGUMENT, pk_reprint(terminal, 9, 1, 0, NULL, 0, &answer));
}

static void reports(void) {
    NEW(PkFactAnswer, x);
    NEW(PkFactAnswer, z);
    NEW(PkFactAnswer, again);
    DONE(pk_x_report(terminal, NULL, 0, &x));
    EXPECT(x.number == 1);
    const char *text = report(x.sequence);
    EXPECT(says(text, "\"sales\":399") && says(text, "\"reprints\":4"));
    EXPECT(says(text, "\"noSales\":1") && says(text, "\"trainingReceipts\":1"));
    EXPECT(says(text, "\"overShort\":-9") && says(text, "\"operator\":\"Anna\""));
    PkTransactionHandle sale = PK_INVALID_HANDLE;
    DONE(begin(&sale));
    REFUSED(PK_E_OPEN_SALES, pk_z_report(terminal, NULL, 0, NULL));
    NEW(PkReason, reason);
    reason.reason = TEXT("over");
    DONE(pk_void_transaction(sale, &reason));
    DONE(pk_close_transaction(sale));
    DONE(pk_z_report(terminal, BYTES("z-1"), &z));
    DONE(pk_z_report(terminal, BYTES("z-1"), &again));
    EXPECT(z.number == 1 && again.replayed == 1 && again.sequence == z.sequence);
    EXPECT(says(report(z.sequence), "\"lastReceipt\":1"));
    DONE(pk_z_report(terminal, NULL, 0, &again));
    EXPECT(again.number == 2);
    for (uint32_t kind = PK_PERIOD_DAY; kind <= PK_PERIOD_YEAR; kind += 1) {
        DONE(pk_period_close(terminal, kind, NULL, 0, &again));
        EXPECT(again.number == 1);
        REFUSED(PK_E_NOTHING_TO_CLOSE, pk_period_close(terminal, kind, NULL, 0, &again));
    }
    EXPECT(says(report(again.sequence), "\"kind\":\"year\""));
    REFUSED(PK_E_BAD_ARGUMENT, pk_period_close(terminal, 4, NULL, 0, NULL));
    size_t need = 77;
    REFUSED(PK_E_NOT_FOUND, pk_get_report_json(terminal, 1, NULL, 0, &need));
    REFUSED(PK_E_NOT_FOUND, pk_get_report_json(terminal, 0, NULL, 0, &need));
    REFUSED(PK_E_NOT_FOUND, pk_get_report_json(terminal, UINT64_MAX, NULL, 0, &need));
    EXPECT(need == 77);
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: till ROOT\n");
        return 2;
    }
    terminal = opened(arguments[1], PK_OPEN_NEEDS_OPERATOR | PK_OPEN_NEEDS_SHIFT);
    operators();
    shift_and_cash();
    approvals();
    training();
    copies();
    reports();
    NEW(PkFactAnswer, closed);
    DONE(pk_close_shift(terminal, NULL, 0, &closed));
    EXPECT(closed.number == 1 && says(report(closed.sequence), "\"expected\":13390"));
    DONE(pk_sign_off(terminal, BYTES("Anna"), NULL, 0, NULL));
    NEW(PkVerifyOptions, verify);
    verify.terminal = terminal;
    DONE(pk_verify_wal_integrity_ex(&verify, NULL));
    DONE(pk_terminal_close(terminal));
    /* It asks for nobody by itself. */
    terminal = opened(arguments[1], 0);
    EXPECT(attendance().operator_on == 0 && sold(100).receipt == 2);
    DONE(pk_terminal_close(terminal));
    return passed();
}
