/*
 * The classic calls do what hosts that were built against them rely on, and refuse what lost or
 * doubled a sale. One terminal of the process below POS_KERNEL_ROOT.
 */
#include "check.h"

static PkTransactionHandle begun(const char *currency) {
    PkTransactionHandle sale = PK_INVALID_HANDLE;
    DONE(pk_begin_transaction_legal(BYTES("STORE_001"), (const uint8_t *)currency, 3, &sale));
    EXPECT(sale != PK_INVALID_HANDLE);
    return sale;
}

static void expect_totals(int line, PkTransactionHandle sale, int64_t total, int64_t tendered,
                          int64_t change, int32_t state) {
    int64_t got_total = -1, got_tendered = -1, got_change = -1;
    int32_t got_state = -1;
    DONE(pk_get_totals_legal(sale, &got_total, &got_tendered, &got_change, &got_state));
    expect_at(line, got_total == total, "the total");
    expect_at(line, got_tendered == tendered, "the tendered");
    expect_at(line, got_change == change, "the change");
    expect_at(line, got_state == state, "the state");
    got_total = got_tendered = got_change = got_state = -1;
    DONE(pk_get_totals(sale, &got_total, &got_tendered, &got_change, &got_state));
    expect_at(line, got_total == total && got_state == state, "the same by the other name");
}

#define TOTALS(sale, total, tendered, change, state)                                               \
    expect_totals(__LINE__, (sale), (total), (tendered), (change), (state))

/* Before a terminal is initialized nothing can be sold, whatever stands in the folder. */
static void before(void) {
    PkTransactionHandle sale = 77;
    PkTerminal terminal = 77;
    uint8_t buffer[8];
    size_t need = 77;
    REFUSED(PK_E_CLOSED, pk_begin_transaction_legal(BYTES("S"), BYTES("EUR"), &sale));
    REFUSED(PK_E_CLOSED, pk_begin_transaction(BYTES("S"), BYTES("EUR"), &sale));
    REFUSED(PK_E_CLOSED, pk_get_terminal_info(buffer, sizeof buffer, &need));
    REFUSED(PK_E_CLOSED, pk_default_terminal(&terminal));
    REFUSED(PK_E_CLOSED, pk_verify_wal_integrity());
    REFUSED(PK_E_CLOSED, pk_force_wal_sync());
    REFUSED(PK_E_CLOSED, pk_shutdown_terminal());
    EXPECT(sale == 77 && terminal == 77 && need == 77);
}

static void library(void) {
    EXPECT(pk_abi_version() >> 16 == 1);
    EXPECT(strlen((const char *)pk_get_version()) >= 5);
    PkResult fine = {0, 0}, refused = {2, PK_E_UNDERPAID};
    EXPECT(pk_result_is_ok(fine) == 1);
    EXPECT(pk_result_is_ok(refused) == 0);
    EXPECT(pk_result_get_code(refused) == PK_INVALID_STATE);
    EXPECT(PK_OK == 0 && PK_NOT_FOUND == 1 && PK_INVALID_STATE == 2 && PK_VALIDATION_FAILED == 3);
    EXPECT(PK_INSUFFICIENT_BUFFER == 4 && PK_TIMED_OUT == 5 && PK_RECOVERY_FAILED == 6);
    EXPECT(PK_INTERNAL_ERROR == 255 && sizeof(PkResult) == 8);
    DONE(pk_validate_currency_code(BYTES("KWD")));
    REFUSED(PK_E_BAD_CURRENCY, pk_validate_currency_code(BYTES("kwd")));
    EXPECT(pk_is_standard_currency(BYTES("JPY")) == 1);
    EXPECT(pk_is_standard_currency(BYTES("ZZZ")) == 0);
    EXPECT(pk_is_standard_currency(NULL, 3) == 0);
    uint32_t exponent = 77;
    DONE(pk_currency_exponent(BYTES("KWD"), &exponent));
    EXPECT(exponent == 3);
}

static void terminal(void) {
    uint8_t buffer[4200];
    size_t need = 0;
    REFUSED(PK_E_TERMINAL_IN_USE, pk_initialize_terminal(BYTES("REGISTER_01")));
    REFUSED(PK_E_TERMINAL_IN_USE, pk_initialize_terminal(BYTES("REGISTER_02")));
    DONE(pk_get_terminal_info(buffer, sizeof buffer - 1, &need));
    buffer[need] = 0;
    EXPECT(strncmp((const char *)buffer, "TERMINAL_ID:REGISTER_01\nDATA_DIR:/", 34) == 0);
    EXPECT(strstr((const char *)buffer, "/terminals/REGISTER_01\nPID:") != NULL);
    const char *root = getenv("POS_KERNEL_ROOT");
    EXPECT(root == NULL || strstr((const char *)buffer, root) != NULL);
    EXPECT(root != NULL || strstr((const char *)buffer, "/pos_kernel_data/terminals/") != NULL);
}

/* A tender that covers the total completes the sale; a commit after that says so again. */
static void covered(void) {
    PkTransactionHandle sale = begun("USD");
    uint64_t receipt = 77;
    TOTALS(sale, 0, 0, 0, PK_STATE_BUILDING);
    DONE(pk_add_line_legal(sale, BYTES("COFFEE_001"), 1, 399));
    TOTALS(sale, 399, 0, 0, PK_STATE_BUILDING);
    REFUSED(PK_E_UNDERPAID, pk_commit_transaction_legal(sale));
    DONE(pk_add_cash_tender_legal(sale, 99));
    TOTALS(sale, 399, 99, 0, PK_STATE_COMMITTING);
    REFUSED(PK_E_UNDERPAID, pk_commit_transaction_legal(sale));
    REFUSED(PK_E_STILL_OPEN, pk_close_transaction_legal(sale));
    DONE(pk_get_receipt_number(sale, &receipt));
    EXPECT(receipt == 0);
    DONE(pk_add_cash_tender(sale, 401));
    TOTALS(sale, 399, 500, 101, PK_STATE_COMMITTED);
    DONE(pk_get_receipt_number(sale, &receipt));
    EXPECT(receipt == 1);
    DONE(pk_commit_transaction_legal(sale));
    DONE(pk_commit_transaction_legal(sale));
    REFUSED(PK_E_ALREADY_FINAL, pk_add_line(sale, BYTES("LATE"), 1, 1));
    REFUSED(PK_E_ALREADY_FINAL, pk_add_cash_tender_legal(sale, 1));
    REFUSED(PK_E_ALREADY_FINAL, pk_abort_transaction_legal(sale, BYTES("late")));
    TOTALS(sale, 399, 500, 101, PK_STATE_COMMITTED);
    uint64_t first = 0, last = 0, durable = 0;
    DONE(pk_get_transaction_wal_info(sale, &first, &last, &durable));
    EXPECT(first > 0 && last == first + 4 && durable >= last);
    DONE(pk_close_transaction_legal(sale));
    REFUSED(PK_E_NOT_FOUND, pk_close_transaction_legal(sale));
    REFUSED(PK_E_NOT_FOUND, pk_commit_transaction_legal(sale));
}

static void aborted(void) {
    PkTransactionHandle sale = begun("EUR");
    DONE(pk_add_line(sale, BYTES("TEA"), 2, 250));
    DONE(pk_add_cash_tender(sale, 300));
    DONE(pk_abort_transaction_legal(sale, NULL, 0));
    TOTALS(sale, 500, 0, 0, PK_STATE_ABORTED);
    REFUSED(PK_E_ALREADY_FINAL, pk_commit_transaction_legal(sale));
    REFUSED(PK_E_ALREADY_FINAL, pk_abort_transaction_legal(sale, BYTES("again")));
    DONE(pk_close_transaction(sale));
}

/* A card's outcome lies outside the till: an abort is refused, and the cash beside it stays. */
static void not_aborted(void) {
    PkTransactionHandle sale = begun("EUR");
    PkTenderInput card;
    PkReason reason;
    uint32_t tenders = 0;
    memset(&card, 0, sizeof card);
    memset(&reason, 0, sizeof reason);
    card.struct_size = sizeof card;
    card.kind = PK_TENDER_CARD;
    card.amount = 100;
    card.flags = PK_TENDER_IS_PENDING;
    reason.struct_size = sizeof reason;
    reason.reason = TEXT("no answer");
    DONE(pk_add_line(sale, BYTES("TEA"), 2, 250));
    DONE(pk_add_cash_tender(sale, 300));
    DONE(pk_add_tender_ex(sale, &card, NULL));
    REFUSED(PK_E_TENDER_TAKEN, pk_abort_transaction_legal(sale, BYTES("left")));
    TOTALS(sale, 500, 300, 0, PK_STATE_COMMITTING);
    DONE(pk_decline_tender(sale, 2, &reason, NULL));
    DONE(pk_abort_transaction_legal(sale, BYTES("left")));
    DONE(pk_get_tender_count(sale, &tenders));
    EXPECT(tenders == 2);
    TOTALS(sale, 500, 0, 0, PK_STATE_ABORTED);
    DONE(pk_close_transaction(sale));
}

/* A sale that comes to nothing needs no tender. */
static void free_of_charge(void) {
    PkTransactionHandle sale = begun("JPY");
    REFUSED(PK_E_EMPTY_SALE, pk_commit_transaction_legal(sale));
    REFUSED(PK_E_EMPTY_SALE, pk_add_cash_tender_legal(sale, 1));
    DONE(pk_add_line_legal(sale, BYTES("SAMPLE"), 1, 0));
    REFUSED(PK_E_NOTHING_DUE, pk_add_cash_tender_legal(sale, 1));
    DONE(pk_commit_transaction_legal(sale));
    TOTALS(sale, 0, 0, 0, PK_STATE_COMMITTED);
    DONE(pk_close_transaction_legal(sale));
}

static void linked_lines(void) {
    uint8_t sku[16];
    uint32_t parent = 77, count = 77, children[4] = {0};
    uint8_t has_parent = 77, places = 77;
    int32_t quantity = 77;
    int64_t unit = 77;
    size_t room = sizeof sku, need = 0;
    PkTransactionHandle sale = begun("KWD");
    DONE(pk_add_line(sale, BYTES("MENU"), 1, 899));
    DONE(pk_add_child_line(sale, BYTES("COLA"), 2, 10, 1));
    DONE(pk_add_line_with_parent(sale, BYTES("FRIES"), 1, 20, 1));
    DONE(pk_add_line_with_parent(sale, BYTES("GUM"), 3, 50, 0));
    REFUSED(PK_E_NOT_FOUND, pk_add_child_line(sale, BYTES("X"), 1, 1, 9));
    REFUSED(PK_E_NOT_FOUND, pk_add_child_line(sale, BYTES("X"), 1, 1, 0));
    DONE(pk_get_line_count(sale, &count));
    EXPECT(count == 4);
    DONE(pk_get_store_name(sale, sku, sizeof sku, &need));
    EXPECT(need == 9 && memcmp(sku, "STORE_001", need) == 0);
    DONE(pk_get_currency(sale, sku, sizeof sku, &need));
    EXPECT(need == 3 && memcmp(sku, "KWD", need) == 0);
    DONE(pk_get_currency_decimal_places(sale, &places));
    EXPECT(places == 3);
    DONE(pk_get_line_item_with_parent(sale, 1, sku, &room, &quantity, &unit, &parent, &has_parent));
    EXPECT(room == 4 && memcmp(sku, "COLA", 5) == 0);
    EXPECT(quantity == 2 && unit == 10 && parent == 1 && has_parent == 1);
    room = 4;
    REFUSED(PK_E_BUFFER_TOO_SMALL, pk_get_line_item_with_parent(sale, 0, sku, &room, &quantity,
                                                                &unit, &parent, &has_parent));
    EXPECT(room == 5 && memcmp(sku, "COLA", 5) == 0 && unit == 10);
    room = sizeof sku;
    REFUSED(PK_E_NOT_FOUND, pk_get_line_item_with_parent(sale, 4, sku, &room, &quantity, &unit,
                                                         &parent, &has_parent));
    EXPECT(room == sizeof sku);
    DONE(pk_get_line_parent_id(sale, 3, &parent, &has_parent));
    EXPECT(parent == 1 && has_parent == 1);
    DONE(pk_get_line_parent_id(sale, 4, &parent, &has_parent));
    EXPECT(parent == 0 && has_parent == 0);
    size_t found = 1;
    REFUSED(PK_E_BUFFER_TOO_SMALL, pk_find_line_children(sale, 1, children, &found));
    EXPECT(found == 2 && children[0] == 0);
    DONE(pk_find_line_children(sale, 1, children, &found));
    EXPECT(found == 2 && children[0] == 2 && children[1] == 3);
    DONE(pk_update_line_quantity(sale, 4, 2, BYTES("anna")));
    REFUSED(PK_E_LINE_HAS_CHILDREN, pk_void_line_item(sale, 1, BYTES("wrong"), NULL, 0));
    DONE(pk_void_line_item_with_cascade(sale, 1, BYTES("changed their mind")));
    REFUSED(PK_E_LINE_VOIDED, pk_void_line_item(sale, 2, BYTES("again"), BYTES("anna")));
    TOTALS(sale, 100, 0, 0, PK_STATE_BUILDING);
    DONE(pk_void_line_item(sale, 4, BYTES("enough"), BYTES("anna")));
    TOTALS(sale, 0, 0, 0, PK_STATE_BUILDING);
    char reason[64];
    DONE(pk_get_line_text(sale, 4, PK_LINE_VOID_REASON, (uint8_t *)reason, sizeof reason, &need));
    EXPECT(need == 22 && memcmp(reason, "enough (operator anna)", need) == 0);
    DONE(pk_abort_transaction_legal(sale, BYTES("walked off")));
    DONE(pk_close_transaction(sale));
}

/* A sale that its owner left open is there again, and a tender that covers it completes it. */
static void left_open(void) {
    PkTransactionHandle sale = begun("EUR");
    DONE(pk_add_line(sale, BYTES("COFFEE_001"), 1, 399));
    DONE(pk_force_wal_sync());
    DONE(pk_shutdown_terminal());
    REFUSED(PK_E_NOT_FOUND, pk_add_line(sale, BYTES("COFFEE_001"), 1, 399));
    DONE(pk_initialize_terminal(BYTES("REGISTER_01")));
    REFUSED(PK_E_NOT_FOUND, pk_add_line(sale, BYTES("COFFEE_001"), 1, 399));
    PkTerminal terminal = PK_INVALID_HANDLE;
    PkTransactionHandle open[4] = {0};
    size_t count = 0;
    DONE(pk_default_terminal(&terminal));
    DONE(pk_list_open_transactions(terminal, open, 4, &count));
    EXPECT(count == 1 && open[0] != sale);
    TOTALS(open[0], 399, 0, 0, PK_STATE_BUILDING);
    DONE(pk_add_cash_tender_legal(open[0], 400));
    TOTALS(open[0], 399, 400, 1, PK_STATE_COMMITTED);
    DONE(pk_close_transaction(open[0]));
}

int main(void) {
    library();
    before();
    DONE(pk_initialize_terminal(BYTES("REGISTER_01")));
    terminal();
    covered();
    aborted();
    not_aborted();
    free_of_charge();
    linked_lines();
    left_open();
    DONE(pk_verify_wal_integrity());
    DONE(pk_shutdown_terminal());
    before();
    return passed();
}
