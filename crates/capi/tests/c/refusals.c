/*
 * Bad input: every wrong argument and every call in every wrong state is a code, nothing is changed
 * by it, and the host lives.
 *
 *     ./refusals ROOT            all of them
 *     ./refusals ROOT foreign    prints handles of a terminal and a sale of this other process
 *
 * Refusals are made by REFUSE, which also sees that the journal has not grown. Wild lengths stand
 * beside memory that is not that long, so a sanitizer sees a library that believes them.
 */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

static PkTerminal terminal = PK_INVALID_HANDLE;

static uint64_t sequence_now(void) {
    PkTerminalStatus status;
    memset(&status, 0, sizeof status);
    status.struct_size = sizeof status;
    DONE(pk_terminal_status(terminal, &status));
    return status.sequence;
}

#define REFUSE(detail, call)                                                                       \
    do {                                                                                           \
        uint64_t before = sequence_now();                                                          \
        REFUSED(detail, call);                                                                     \
        EXPECT(sequence_now() == before);                                                          \
    } while (0)

static PkTerminal opened(const char *root, const char *id) {
    PkTerminalOptions options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.durability = PK_DURABILITY_SALE;
    options.root = (PkText){(const uint8_t *)root, strlen(root)};
    options.id = (PkText){(const uint8_t *)id, strlen(id)};
    PkTerminal open = PK_INVALID_HANDLE;
    DONE(pk_terminal_open(&options, &open));
    return open;
}

static PkTransactionOptions store_and_currency(void) {
    PkTransactionOptions options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.store = TEXT("STORE_001");
    options.currency = TEXT("EUR");
    return options;
}

static PkTransactionHandle begun(PkTerminal on) {
    PkTransactionOptions options = store_and_currency();
    PkTransactionHandle sale = PK_INVALID_HANDLE;
    DONE(pk_begin_transaction_ex(on, &options, &sale));
    return sale;
}

static PkLineInput coffee(void) {
    PkLineInput line;
    memset(&line, 0, sizeof line);
    line.struct_size = sizeof line;
    line.sku = TEXT("COFFEE_001");
    line.quantity.mantissa = 1;
    line.unit_price.mantissa = 399;
    return line;
}

static PkTenderInput cash(int64_t amount) {
    PkTenderInput tender;
    memset(&tender, 0, sizeof tender);
    tender.struct_size = sizeof tender;
    tender.kind = PK_TENDER_CASH;
    tender.amount = amount;
    return tender;
}

static PkReason because(PkText text) {
    PkReason reason;
    memset(&reason, 0, sizeof reason);
    reason.struct_size = sizeof reason;
    reason.reason = text;
    return reason;
}

static PkCart cart_of(const PkLineInput *lines, size_t line_count, const PkTenderInput *tenders,
                      size_t tender_count) {
    PkCart cart;
    memset(&cart, 0, sizeof cart);
    cart.struct_size = sizeof cart;
    cart.store = TEXT("STORE_001");
    cart.currency = TEXT("EUR");
    cart.lines = lines;
    cart.line_count = line_count;
    cart.tenders = tenders;
    cart.tender_count = tender_count;
    return cart;
}

static PkAdjustment one_off(void) {
    PkAdjustment adjustment;
    memset(&adjustment, 0, sizeof adjustment);
    adjustment.struct_size = sizeof adjustment;
    adjustment.direction = PK_ADJUST_DISCOUNT;
    adjustment.unit = PK_ADJUST_AMOUNT;
    adjustment.value = 1;
    adjustment.reason = TEXT("because");
    return adjustment;
}

static PkPolicy gross_prices(void) {
    PkPolicy policy;
    memset(&policy, 0, sizeof policy);
    policy.struct_size = sizeof policy;
    memcpy(policy.currency, "SEK", 3);
    policy.prices = PK_PRICES_GROSS;
    return policy;
}

/* ---- texts ---------------------------------------------------------------------------------- */

/* What is not UTF-8: overlong forms, surrogates, beyond the last character, stray and cut bytes. */
static const struct {
    const char *bytes;
    size_t size;
} not_utf8[] = {
    {"\xc0\xaf", 2},         {"\xe0\x80\xaf", 3},     {"\xf0\x80\x80\xaf", 4}, {"\xc1\xbf", 2},
    {"\xed\xa0\x80", 3},     {"\xed\xbf\xbf", 3},     {"\xf4\x90\x80\x80", 4}, {"\x80", 1},
    {"Caf\xc3", 4},          {"\xe2\x82", 2},         {"\xf0\x9f\x98", 3},     {"\xff\xfe", 2},
    {"\xf8\x88\x80\x80\x80", 5}, {"a\xbf" "b", 3},
};

/* One text argument of one call: what it is refused with when it is too long or empty. */
typedef PkResult (*WithText)(PkTransactionHandle sale, const uint8_t *data, size_t size);

static PkResult by_store(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    PkTransactionOptions options = store_and_currency();
    (void)sale;
    options.store = (PkText){data, size};
    PkTransactionHandle handle = 77;
    PkResult result = pk_begin_transaction_ex(terminal, &options, &handle);
    EXPECT(handle == 77);
    return result;
}

static PkResult by_currency(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    PkTransactionOptions options = store_and_currency();
    (void)sale;
    options.currency = (PkText){data, size};
    PkTransactionHandle handle = 77;
    PkResult result = pk_begin_transaction_ex(terminal, &options, &handle);
    EXPECT(handle == 77);
    return result;
}

static PkResult by_reference(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    PkTransactionOptions options = store_and_currency();
    (void)sale;
    options.reference = (PkText){data, size};
    PkTransactionHandle handle = 77;
    return pk_begin_transaction_ex(terminal, &options, &handle);
}

static PkResult by_begin_key(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    PkTransactionOptions options = store_and_currency();
    (void)sale;
    options.key = (PkText){data, size};
    PkTransactionHandle handle = 77;
    return pk_begin_transaction_ex(terminal, &options, &handle);
}

static PkResult by_sku(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    return pk_add_line_legal(sale, data, size, 1, 399);
}

static PkResult by_child_sku(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    return pk_add_child_line(sale, data, size, 1, 399, 1);
}

static PkResult by_line_sku(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    PkLineInput line = coffee();
    line.sku = (PkText){data, size};
    return pk_add_line_ex(sale, &line, NULL);
}

static PkResult by_line_text(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    PkLineInput line = coffee();
    line.text = (PkText){data, size};
    return pk_add_line_ex(sale, &line, NULL);
}

static PkResult by_void_reason(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    return pk_void_line_item(sale, 1, data, size, NULL, 0);
}

static PkResult by_reason(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    PkReason reason = because((PkText){data, size});
    return pk_void_transaction(sale, &reason);
}

static PkResult by_abort_reason(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    return pk_abort_transaction_legal(sale, data, size);
}

static PkResult by_tender_reference(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    PkTenderInput tender = cash(500);
    tender.reference = (PkText){data, size};
    return pk_add_tender_ex(sale, &tender, NULL);
}

static PkResult by_complete_key(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    return pk_complete_transaction(sale, data, size, NULL);
}

static PkResult by_tax_class(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    PkTaxInput tax;
    memset(&tax, 0, sizeof tax);
    tax.struct_size = sizeof tax;
    tax.tax_class = (PkText){data, size};
    PkLineInput line = coffee();
    line.taxes = &tax;
    line.tax_count = 1;
    return pk_add_line_ex(sale, &line, NULL);
}

static PkResult by_adjust_reason(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    PkAdjustment adjustment = one_off();
    adjustment.reason = (PkText){data, size};
    return pk_adjust_transaction(sale, &adjustment, NULL);
}

static PkResult by_adjust_key(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    PkAdjustment adjustment = one_off();
    adjustment.key = (PkText){data, size};
    return pk_adjust_line(sale, 1, &adjustment, NULL);
}

static PkResult by_foreign_currency(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    PkTenderInput tender = cash(500);
    tender.kind = PK_TENDER_FOREIGN;
    tender.currency = (PkText){data, size};
    tender.rate = (PkDecimal){2, 0, 0};
    return pk_add_tender_ex(sale, &tender, NULL);
}

static PkResult by_policy_key(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    (void)sale;
    PkPolicy policy = gross_prices();
    return pk_set_policy(terminal, &policy, data, size, NULL);
}

static PkResult by_operator(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    (void)sale;
    return pk_sign_on(terminal, data, size, NULL, 0, NULL);
}

static PkResult by_approved(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    (void)sale;
    PkApproval approval;
    memset(&approval, 0, sizeof approval);
    approval.struct_size = sizeof approval;
    approval.approver = TEXT("Berta");
    approval.what = (PkText){data, size};
    return pk_approve(terminal, &approval, NULL);
}

static PkResult by_movement(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    (void)sale;
    PkCashMovement movement;
    memset(&movement, 0, sizeof movement);
    movement.struct_size = sizeof movement;
    movement.kind = PK_MOVE_NO_SALE;
    movement.reason = (PkText){data, size};
    return pk_move_cash(terminal, &movement, NULL);
}

static PkResult by_ticket(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    (void)sale;
    PkTransactionHandle handle = 77;
    PkResult result = pk_resume_transaction(terminal, data, size, NULL, 0, &handle);
    EXPECT(handle == 77);
    return result;
}

static PkResult by_initialize(PkTransactionHandle sale, const uint8_t *data, size_t size) {
    (void)sale;
    return pk_initialize_terminal(data, size);
}

static const struct {
    WithText call;
    size_t bytes_max;
    int32_t wrong;
    int may_be_empty;
    int may_be_null;
} texts[] = {
    {by_store, 64, PK_E_BAD_TEXT, 0, 0},
    {by_currency, 3, PK_E_BAD_CURRENCY, 0, 0},
    {by_reference, 64, PK_E_BAD_TEXT, 1, 0},
    {by_begin_key, 64, PK_E_BAD_KEY, 1, 0},
    {by_sku, 64, PK_E_BAD_TEXT, 0, 0},
    {by_child_sku, 64, PK_E_BAD_TEXT, 0, 0},
    {by_line_sku, 64, PK_E_BAD_TEXT, 0, 0},
    {by_line_text, 256, PK_E_BAD_TEXT, 1, 0},
    {by_void_reason, 256, PK_E_BAD_TEXT, 0, 0},
    {by_reason, 256, PK_E_BAD_TEXT, 0, 0},
    {by_abort_reason, 256, PK_E_BAD_TEXT, 1, 1},
    {by_tender_reference, 64, PK_E_BAD_TEXT, 1, 0},
    {by_complete_key, 64, PK_E_BAD_KEY, 1, 0},
    {by_tax_class, 12, PK_E_BAD_TEXT, 1, 0},
    {by_adjust_reason, 256, PK_E_BAD_TEXT, 0, 0},
    {by_adjust_key, 64, PK_E_BAD_KEY, 1, 0},
    {by_foreign_currency, 3, PK_E_BAD_CURRENCY, 0, 0},
    {by_policy_key, 64, PK_E_BAD_KEY, 1, 0},
    {by_operator, 64, PK_E_BAD_TEXT, 0, 0},
    {by_approved, 256, PK_E_BAD_TEXT, 0, 0},
    {by_movement, 256, PK_E_BAD_TEXT, 0, 0},
    {by_ticket, 96, PK_E_BAD_ARGUMENT, 0, 0},
    {by_initialize, 32, PK_E_BAD_ID, 0, 0},
};

static void bad_texts(void) {
    PkTransactionHandle sale = begun(terminal);
    DONE(pk_add_line_legal(sale, BYTES("COFFEE_001"), 1, 399));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i += 1) {
        size_t over = texts[i].bytes_max + 1;
        /* Exactly one byte too long; then lengths that no memory has, beside one byte. */
        uint8_t *long_text = malloc(over);
        uint8_t *one = malloc(1);
        EXPECT(long_text != NULL && one != NULL);
        memset(long_text, 'x', over);
        *one = 'x';
        REFUSE(texts[i].wrong, texts[i].call(sale, long_text, over));
        REFUSE(texts[i].wrong, texts[i].call(sale, one, (size_t)1 << 40));
        REFUSE(texts[i].wrong, texts[i].call(sale, one, SIZE_MAX));
        REFUSE(texts[i].wrong, texts[i].call(sale, one, SIZE_MAX / 2 + 1));
        if (!texts[i].may_be_empty) {
            REFUSE(texts[i].wrong, texts[i].call(sale, one, 0));
        }
        if (!texts[i].may_be_null) {
            REFUSE(PK_E_BAD_ARGUMENT, texts[i].call(sale, NULL, 3));
        }
        for (size_t j = 0; j < sizeof not_utf8 / sizeof not_utf8[0]; j += 1) {
            if (not_utf8[j].size > texts[i].bytes_max) {
                continue;
            }
            uint8_t *copy = malloc(not_utf8[j].size);
            EXPECT(copy != NULL);
            memcpy(copy, not_utf8[j].bytes, not_utf8[j].size);
            REFUSE(PK_E_BAD_UTF8, texts[i].call(sale, copy, not_utf8[j].size));
            free(copy);
        }
        REFUSE(texts[i].wrong, texts[i].call(sale, BYTES("a\0b")));
        REFUSE(texts[i].wrong, texts[i].call(sale, BYTES("a\nb")));
        free(long_text);
        free(one);
    }
    /* The length in characters, as a host may give it by mistake, cuts the last letter in two. */
    REFUSE(PK_E_BAD_UTF8, pk_add_line_legal(sale, (const uint8_t *)"Caf\xc3\xa9", 4, 1, 399));
    DONE(pk_add_line_legal(sale, (const uint8_t *)"Caf\xc3\xa9", 5, 1, 399));
    const char *ids[] = {"../x", "a/b", ".", "..", "a b", "a.b", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i += 1) {
        REFUSE(PK_E_BAD_ID, pk_initialize_terminal((const uint8_t *)ids[i], strlen(ids[i])));
    }
    DONE(pk_abort_transaction_legal(sale, NULL, 0));
    DONE(pk_close_transaction(sale));
}

/* ---- handles -------------------------------------------------------------------------------- */

/* Every call that takes the handle of a sale. Out-parameters keep what stands in them. */
static void with_sale(PkTransactionHandle sale, int32_t detail) {
    uint8_t byte = 77, buffer[300];
    uint32_t number = 77;
    int32_t state = 77;
    int64_t amount = 77;
    uint64_t wide = 77;
    size_t need = 77;
    PkLineInput line = coffee();
    PkTenderInput tender = cash(500);
    PkReason reason = because(TEXT("because"));
    PkDecimal two = {2, 0, 0};
    PkAdjustment off = one_off();
    PkSuspendAnswer waits;
    waits.struct_size = sizeof waits;
    PkTotals totals;
    PkLine got_line;
    PkTender got_tender;
    memset(&totals, 77, sizeof totals);
    memset(&got_line, 77, sizeof got_line);
    memset(&got_tender, 77, sizeof got_tender);
    totals.struct_size = sizeof totals;
    got_line.struct_size = sizeof got_line;
    got_tender.struct_size = sizeof got_tender;
    memset(buffer, 77, sizeof buffer);
    REFUSE(detail, pk_add_line_legal(sale, BYTES("X"), 1, 1));
    REFUSE(detail, pk_add_line(sale, BYTES("X"), 1, 1));
    REFUSE(detail, pk_add_child_line(sale, BYTES("X"), 1, 1, 1));
    REFUSE(detail, pk_add_line_with_parent(sale, BYTES("X"), 1, 1, 0));
    REFUSE(detail, pk_void_line_item(sale, 1, BYTES("because"), NULL, 0));
    REFUSE(detail, pk_void_line_item_with_cascade(sale, 1, BYTES("because")));
    REFUSE(detail, pk_update_line_quantity(sale, 1, 2, NULL, 0));
    REFUSE(detail, pk_add_cash_tender_legal(sale, 1));
    REFUSE(detail, pk_add_cash_tender(sale, 1));
    REFUSE(detail, pk_commit_transaction_legal(sale));
    REFUSE(detail, pk_abort_transaction_legal(sale, BYTES("because")));
    REFUSE(detail, pk_get_totals_legal(sale, &amount, &amount, &amount, &state));
    REFUSE(detail, pk_get_totals(sale, &amount, &amount, &amount, &state));
    REFUSE(detail, pk_close_transaction_legal(sale));
    REFUSE(detail, pk_close_transaction(sale));
    REFUSE(detail, pk_get_store_name(sale, buffer, sizeof buffer, &need));
    REFUSE(detail, pk_get_currency(sale, buffer, sizeof buffer, &need));
    REFUSE(detail, pk_get_currency_decimal_places(sale, &byte));
    REFUSE(detail, pk_get_line_item_with_parent(sale, 0, buffer, &need, &state, &amount, &number,
                                                &byte));
    REFUSE(detail, pk_get_line_parent_id(sale, 1, &number, &byte));
    REFUSE(detail, pk_find_line_children(sale, 1, &number, &need));
    REFUSE(detail, pk_get_transaction_wal_info(sale, &wide, &wide, &wide));
    REFUSE(detail, pk_add_line_ex(sale, &line, NULL));
    REFUSE(detail, pk_set_line_quantity(sale, 1, &two, &reason, NULL));
    REFUSE(detail, pk_void_line(sale, 1, 0, &reason, NULL));
    REFUSE(detail, pk_override_line_price(sale, 1, &two, NULL, &reason, NULL));
    REFUSE(detail, pk_override_line_taxes(sale, 1, NULL, 0, &reason, NULL));
    REFUSE(detail, pk_adjust_line(sale, 1, &off, NULL));
    REFUSE(detail, pk_adjust_transaction(sale, &off, NULL));
    REFUSE(detail, pk_retract_adjustment(sale, 1, &reason, NULL));
    REFUSE(detail, pk_get_line_taxes(sale, 1, NULL, 0, &need));
    REFUSE(detail, pk_get_line_adjustments(sale, 1, NULL, 0, &need));
    REFUSE(detail, pk_get_adjustment_shares(sale, 1, NULL, 0, &need));
    REFUSE(detail, pk_get_line_splits(sale, NULL, 0, &need));
    REFUSE(detail, pk_get_tax_table(sale, NULL, 0, &need));
    REFUSE(detail, pk_return_line(sale, 1, &two, NULL, &reason, NULL));
    REFUSE(detail, pk_suspend_transaction(sale, &reason, &waits));
    REFUSE(detail, pk_add_tender_ex(sale, &tender, NULL));
    REFUSE(detail, pk_confirm_tender(sale, 1, NULL, 0, NULL, 0, NULL));
    REFUSE(detail, pk_decline_tender(sale, 1, &reason, NULL));
    REFUSE(detail, pk_void_tender(sale, 1, &reason, NULL));
    REFUSE(detail, pk_complete_transaction(sale, NULL, 0, NULL));
    REFUSE(detail, pk_void_transaction(sale, &reason));
    REFUSE(detail, pk_get_totals_ex(sale, &totals));
    REFUSE(detail, pk_get_sale_number(sale, &wide));
    REFUSE(detail, pk_get_receipt_number(sale, &wide));
    REFUSE(detail, pk_get_line_count(sale, &number));
    REFUSE(detail, pk_get_line(sale, 1, &got_line));
    REFUSE(detail, pk_get_line_text(sale, 1, PK_LINE_SKU, buffer, sizeof buffer, &need));
    REFUSE(detail, pk_get_tender_count(sale, &number));
    REFUSE(detail, pk_get_tender(sale, 1, &got_tender));
    REFUSE(detail, pk_get_tender_text(sale, 1, PK_TENDER_AUTH, buffer, sizeof buffer, &need));
    REFUSE(detail, pk_get_transaction_json(sale, buffer, sizeof buffer, &need));
    EXPECT(byte == 77 && number == 77 && state == 77 && amount == 77 && wide == 77 && need == 77);
    EXPECT(totals.state == 0x4d4d4d4d && got_line.line == 0x4d4d4d4d && buffer[0] == 77);
    EXPECT(got_tender.tender == 0x4d4d4d4d && buffer[sizeof buffer - 1] == 77);
}

/* Every call that takes the handle of a terminal. */
static void with_terminal(PkTerminal other, int32_t detail) {
    uint8_t buffer[300];
    size_t need = 77;
    uint64_t wide = 77;
    PkTransactionHandle handles[2] = {77, 77};
    PkTerminalStatus status;
    PkTerminalStats stats;
    PkReceipt receipt;
    PkCounters counters;
    memset(&status, 77, sizeof status);
    memset(&stats, 77, sizeof stats);
    memset(&receipt, 77, sizeof receipt);
    memset(&counters, 77, sizeof counters);
    status.struct_size = sizeof status;
    stats.struct_size = sizeof stats;
    receipt.struct_size = sizeof receipt;
    counters.struct_size = sizeof counters;
    PkTransactionOptions options = store_and_currency();
    PkLineInput line = coffee();
    PkTenderInput tender = cash(500);
    PkCart cart = cart_of(&line, 1, &tender, 1);
    PkPolicy policy = gross_prices();
    PkReturnOf of;
    PkApproval approval;
    PkCashMovement movement;
    PkCashTicket sent;
    PkAttendance attendance;
    memset(&of, 0, sizeof of);
    memset(&approval, 0, sizeof approval);
    memset(&movement, 0, sizeof movement);
    memset(&attendance, 77, sizeof attendance);
    of.struct_size = sizeof of;
    of.receipt = 1;
    approval.struct_size = sizeof approval;
    approval.approver = TEXT("Berta");
    approval.what = TEXT("this once");
    movement.struct_size = sizeof movement;
    movement.kind = PK_MOVE_NO_SALE;
    movement.reason = TEXT("because");
    sent.struct_size = sizeof sent;
    PkReason why = because(TEXT("because"));
    attendance.struct_size = sizeof attendance;
    PkVerifyOptions verify;
    memset(&verify, 0, sizeof verify);
    verify.struct_size = sizeof verify;
    verify.terminal = other;
    REFUSE(detail, pk_terminal_close(other));
    REFUSE(detail, pk_terminal_id(other, buffer, sizeof buffer, &need));
    REFUSE(detail, pk_terminal_dir(other, buffer, sizeof buffer, &need));
    REFUSE(detail, pk_terminal_status(other, &status));
    REFUSE(detail, pk_terminal_stats(other, &stats));
    REFUSE(detail, pk_recovery_report(other, buffer, sizeof buffer, &need));
    REFUSE(detail, pk_get_counters(other, &counters, 1, &need));
    REFUSE(detail, pk_get_tax_counters(other, NULL, 0, &need));
    REFUSE(detail, pk_set_policy(other, &policy, NULL, 0, NULL));
    REFUSE(detail, pk_get_policy(other, BYTES("EUR"), &policy));
    REFUSE(detail, pk_get_receipt_tax_table(other, 0, 1, NULL, 0, &need));
    REFUSE(detail, pk_get_receipt_ex(other, 0, 1, &receipt));
    REFUSE(detail, pk_get_receipt_json_ex(other, 0, 1, buffer, sizeof buffer, &need));
    REFUSE(detail, pk_begin_return(other, &of, &handles[0]));
    REFUSE(detail, pk_resume_transaction(other, BYTES("FIRST.1.1.1"), NULL, 0, &handles[0]));
    REFUSE(detail, pk_list_suspended_json(other, buffer, sizeof buffer, &need));
    REFUSE(detail, pk_collect_transfers(other, &need));
    REFUSE(detail, pk_send_cash(other, BYTES("SECOND"), &movement, &sent));
    REFUSE(detail, pk_receive_cash(other, BYTES("FIRST.cash.1"), &why, NULL));
    REFUSE(detail, pk_list_cash_in_transit_json(other, buffer, sizeof buffer, &need));
    REFUSE(detail, pk_expire_transactions(other, UINT64_MAX, BYTES("late"), &need));
    REFUSE(detail, pk_sign_on(other, BYTES("Anna"), NULL, 0, NULL));
    REFUSE(detail, pk_sign_off(other, BYTES("Anna"), NULL, 0, NULL));
    REFUSE(detail, pk_approve(other, &approval, NULL));
    REFUSE(detail, pk_set_training(other, 1, 0, NULL, 0, NULL));
    REFUSE(detail, pk_open_shift(other, NULL, 0, NULL, 0, NULL));
    REFUSE(detail, pk_close_shift(other, NULL, 0, NULL));
    REFUSE(detail, pk_move_cash(other, &movement, NULL));
    REFUSE(detail, pk_count_cash(other, BYTES("EUR"), 1, NULL, 0, NULL));
    REFUSE(detail, pk_get_drawer(other, NULL, 0, &need));
    REFUSE(detail, pk_get_attendance(other, &attendance));
    REFUSE(detail, pk_get_operator(other, buffer, sizeof buffer, &need));
    REFUSE(detail, pk_x_report(other, NULL, 0, NULL));
    REFUSE(detail, pk_z_report(other, NULL, 0, NULL));
    REFUSE(detail, pk_period_close(other, PK_PERIOD_DAY, NULL, 0, NULL));
    REFUSE(detail, pk_get_report_json(other, 1, buffer, sizeof buffer, &need));
    REFUSE(detail, pk_reprint(other, 0, 1, 0, NULL, 0, NULL));
    REFUSE(detail, pk_list_open_transactions(other, handles, 2, &need));
    REFUSE(detail, pk_find_transaction(other, 1, &handles[0]));
    REFUSE(detail, pk_durable_sequence(other, &wide));
    REFUSE(detail, pk_wait_durable(other, 1));
    REFUSE(detail, pk_force_wal_sync_ex(other));
    REFUSE(detail, pk_begin_transaction_ex(other, &options, &handles[0]));
    REFUSE(detail, pk_sell(other, &cart, &receipt));
    REFUSE(detail, pk_get_receipt(other, 1, &receipt));
    REFUSE(detail, pk_get_receipt_json(other, 1, buffer, sizeof buffer, &need));
    if (other != PK_INVALID_HANDLE) {
        REFUSE(detail, pk_verify_wal_integrity_ex(&verify, NULL));
        REFUSE(detail, pk_verify_report_json(&verify, buffer, sizeof buffer, &need));
    }
    EXPECT(need == 77 && wide == 77 && handles[0] == 77 && handles[1] == 77);
    EXPECT(status.epoch == 0x4d4d4d4d && stats.reserved == 0x4d4d4d4d);
    EXPECT(receipt.replayed == 0x4d4d4d4d && counters.reserved == 0x4d4d4d4d);
}

static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void bad_handles(const char *program, const char *root) {
    PkTransactionHandle sale = begun(terminal);
    with_sale(PK_INVALID_HANDLE, PK_E_BAD_ARGUMENT);
    with_terminal(PK_INVALID_HANDLE, PK_E_BAD_ARGUMENT);
    with_sale(terminal, PK_E_NOT_FOUND);
    with_terminal(sale, PK_E_NOT_FOUND);
    with_sale(UINT64_MAX, PK_E_NOT_FOUND);
    /* One bit away from a live one, and anything at all. */
    for (unsigned bit = 0; bit < 64; bit += 1) {
        with_sale(sale ^ (UINT64_C(1) << bit), PK_E_NOT_FOUND);
        with_terminal(terminal ^ (UINT64_C(1) << bit), PK_E_NOT_FOUND);
    }
    uint64_t random = 0x9e3779b97f4a7c15;
    for (unsigned round = 0; round < 100; round += 1) {
        with_sale(next_random(&random), PK_E_NOT_FOUND);
        with_terminal(next_random(&random), PK_E_NOT_FOUND);
    }
    /* Of another process, which holds them at this moment. */
    char command[8192];
    snprintf(command, sizeof command, "'%s' '%s' foreign", program, root);
    FILE *other = popen(command, "r");
    uint64_t its_terminal = 0, its_sale = 0;
    EXPECT(other != NULL);
    EXPECT(fscanf(other, "%" SCNu64 " %" SCNu64, &its_terminal, &its_sale) == 2);
    with_terminal(its_terminal, PK_E_NOT_FOUND);
    with_sale(its_sale, PK_E_NOT_FOUND);
    EXPECT(pclose(other) == 0);
    /* Of a sale that was closed, and of the one that took its place in the table. */
    DONE(pk_abort_transaction_legal(sale, NULL, 0));
    DONE(pk_close_transaction(sale));
    for (unsigned round = 0; round < 100; round += 1) {
        PkTransactionHandle next = begun(terminal);
        EXPECT(next != sale);
        DONE(pk_abort_transaction_legal(next, NULL, 0));
        DONE(pk_close_transaction(next));
    }
    with_sale(sale, PK_E_NOT_FOUND);
    /* Of a terminal that was closed, and of a sale on it. */
    PkTerminal second = opened(root, "SECOND");
    PkTransactionHandle on_second = begun(second);
    DONE(pk_terminal_close(second));
    with_terminal(second, PK_E_NOT_FOUND);
    with_sale(on_second, PK_E_NOT_FOUND);
}

static int foreign(const char *root) {
    terminal = opened(root, "FOREIGN");
    PkTransactionHandle sale = begun(terminal);
    printf("%" PRIu64 " %" PRIu64 "\n", terminal, sale);
    fflush(stdout);
    DONE(pk_abort_transaction_legal(sale, NULL, 0));
    DONE(pk_terminal_close(terminal));
    return 0;
}

/* ---- structures and pointers ---------------------------------------------------------------- */

/* Sizes that no structure of this interface has. */
#define WRONG_SIZES(structure, call)                                                               \
    do {                                                                                           \
        uint32_t right = (structure).struct_size;                                                  \
        uint32_t wrong[] = {0, 1, 4, 7, 12, right - 4, right + 4, right + 8, 1 << 20, UINT32_MAX}; \
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i += 1) {                           \
            (structure).struct_size = wrong[i];                                                    \
            REFUSE(PK_E_STRUCT_SIZE, call);                                                        \
        }                                                                                          \
        (structure).struct_size = right;                                                           \
    } while (0)

static void bad_structures(const char *root) {
    PkTransactionHandle sale = begun(terminal), handle = 77;
    PkTerminal other = 77;
    PkTransactionOptions options = store_and_currency();
    PkLineInput line = coffee();
    PkTenderInput tender = cash(500);
    PkReason reason = because(TEXT("because"));
    PkDecimal two = {2, 0, 0};
    PkCart cart = cart_of(&line, 1, &tender, 1);
    PkTerminalOptions opening;
    memset(&opening, 0, sizeof opening);
    opening.struct_size = sizeof opening;
    opening.root = (PkText){(const uint8_t *)root, strlen(root)};
    opening.id = TEXT("THIRD");
    PkVerifyOptions verify;
    memset(&verify, 0, sizeof verify);
    verify.struct_size = sizeof verify;
    verify.terminal = terminal;
    PkAdjustment off = one_off();
    PkPolicy policy = gross_prices();
    PkTaxInput tax;
    PkTaxRow row;
    memset(&tax, 0, sizeof tax);
    tax.struct_size = sizeof tax;
    row.struct_size = sizeof row;
    PkLineAnswer line_answer;
    PkTenderAnswer tender_answer;
    PkReceipt receipt;
    PkTotals totals;
    PkLine got_line;
    PkTender got_tender;
    PkTerminalStatus status;
    PkTerminalStats stats;
    PkCounters counters;
    PkVerifyReport report;
    line_answer.struct_size = sizeof line_answer;
    tender_answer.struct_size = sizeof tender_answer;
    receipt.struct_size = sizeof receipt;
    totals.struct_size = sizeof totals;
    got_line.struct_size = sizeof got_line;
    got_tender.struct_size = sizeof got_tender;
    status.struct_size = sizeof status;
    stats.struct_size = sizeof stats;
    counters.struct_size = sizeof counters;
    report.struct_size = sizeof report;
    size_t count = 77;
    DONE(pk_add_line_ex(sale, &line, NULL));
    WRONG_SIZES(opening, pk_terminal_open(&opening, &other));
    WRONG_SIZES(options, pk_begin_transaction_ex(terminal, &options, &handle));
    WRONG_SIZES(line, pk_add_line_ex(sale, &line, NULL));
    WRONG_SIZES(line_answer, pk_add_line_ex(sale, &line, &line_answer));
    WRONG_SIZES(reason, pk_set_line_quantity(sale, 1, &two, &reason, NULL));
    WRONG_SIZES(line_answer, pk_set_line_quantity(sale, 1, &two, &reason, &line_answer));
    WRONG_SIZES(reason, pk_void_line(sale, 1, 0, &reason, NULL));
    WRONG_SIZES(line_answer, pk_void_line(sale, 1, 0, &reason, &line_answer));
    WRONG_SIZES(tax, pk_override_line_taxes(sale, 1, &tax, 1, &reason, NULL));
    WRONG_SIZES(off, pk_adjust_line(sale, 1, &off, NULL));
    WRONG_SIZES(off, pk_adjust_transaction(sale, &off, NULL));
    WRONG_SIZES(policy, pk_set_policy(terminal, &policy, NULL, 0, NULL));
    WRONG_SIZES(policy, pk_get_policy(terminal, BYTES("SEK"), &policy));
    line.taxes = &tax;
    line.tax_count = 1;
    line.adjustments = &off;
    line.adjustment_count = 1;
    WRONG_SIZES(tax, pk_add_line_ex(sale, &line, NULL));
    WRONG_SIZES(off, pk_add_line_ex(sale, &line, NULL));
    WRONG_SIZES(tax, pk_sell(terminal, &cart, NULL));
    WRONG_SIZES(off, pk_sell(terminal, &cart, NULL));
    line = coffee();
    WRONG_SIZES(row, pk_get_tax_table(sale, &row, 1, &count));
    WRONG_SIZES(row, pk_get_line_taxes(sale, 1, &row, 1, &count));
    WRONG_SIZES(tender, pk_add_tender_ex(sale, &tender, NULL));
    WRONG_SIZES(tender_answer, pk_add_tender_ex(sale, &tender, &tender_answer));
    WRONG_SIZES(tender_answer, pk_confirm_tender(sale, 1, NULL, 0, NULL, 0, &tender_answer));
    WRONG_SIZES(reason, pk_decline_tender(sale, 1, &reason, NULL));
    WRONG_SIZES(reason, pk_void_tender(sale, 1, &reason, NULL));
    WRONG_SIZES(receipt, pk_complete_transaction(sale, NULL, 0, &receipt));
    WRONG_SIZES(reason, pk_void_transaction(sale, &reason));
    WRONG_SIZES(cart, pk_sell(terminal, &cart, NULL));
    WRONG_SIZES(line, pk_sell(terminal, &cart, NULL));
    WRONG_SIZES(tender, pk_sell(terminal, &cart, NULL));
    WRONG_SIZES(receipt, pk_sell(terminal, &cart, &receipt));
    WRONG_SIZES(receipt, pk_get_receipt(terminal, 1, &receipt));
    WRONG_SIZES(totals, pk_get_totals_ex(sale, &totals));
    WRONG_SIZES(got_line, pk_get_line(sale, 1, &got_line));
    WRONG_SIZES(got_tender, pk_get_tender(sale, 1, &got_tender));
    WRONG_SIZES(status, pk_terminal_status(terminal, &status));
    WRONG_SIZES(stats, pk_terminal_stats(terminal, &stats));
    WRONG_SIZES(counters, pk_get_counters(terminal, &counters, 1, &count));
    WRONG_SIZES(verify, pk_verify_wal_integrity_ex(&verify, NULL));
    WRONG_SIZES(report, pk_verify_wal_integrity_ex(&verify, &report));
    /* A structure of an older header gets the fields that it has, and not one byte more. */
    memset(&totals, 77, sizeof totals);
    totals.struct_size = 16;
    DONE(pk_get_totals_ex(sale, &totals));
    EXPECT(totals.struct_size == 16 && totals.gross == 399 && totals.tendered == 0x4d4d4d4d4d4d4d4d);
    /* Unknown flags and reserved fields are not nothing. */
    options.flags = 2;
    REFUSE(PK_E_BAD_ARGUMENT, pk_begin_transaction_ex(terminal, &options, &handle));
    opening.flags = UINT32_C(1) << 31;
    REFUSE(PK_E_BAD_ARGUMENT, pk_terminal_open(&opening, &other));
    opening.flags = 0;
    opening.durability = 9;
    REFUSE(PK_E_BAD_ARGUMENT, pk_terminal_open(&opening, &other));
    tender.kind = 0;
    REFUSE(PK_E_BAD_ARGUMENT, pk_add_tender_ex(sale, &tender, NULL));
    tender.kind = UINT32_MAX;
    REFUSE(PK_E_BAD_ARGUMENT, pk_add_tender_ex(sale, &tender, NULL));
    tender = cash(500);
    tender.flags = 4;
    REFUSE(PK_E_BAD_ARGUMENT, pk_add_tender_ex(sale, &tender, NULL));
    REFUSE(PK_E_BAD_ARGUMENT, pk_void_line(sale, 1, 2, &reason, NULL));
    tender = cash(500);
    cart.flags = 1;
    REFUSE(PK_E_BAD_ARGUMENT, pk_sell(terminal, &cart, NULL));
    cart.flags = 0;
    cart.line_count = SIZE_MAX;
    REFUSE(PK_E_LIMIT, pk_sell(terminal, &cart, NULL));
    cart.line_count = 1;
    cart.tender_count = 65;
    REFUSE(PK_E_LIMIT, pk_sell(terminal, &cart, NULL));
    cart.tender_count = 1;
    cart.lines = NULL;
    REFUSE(PK_E_BAD_ARGUMENT, pk_sell(terminal, &cart, NULL));
    cart.lines = &line;
    tender.flags = PK_TENDER_IS_PENDING;
    REFUSE(PK_E_BAD_ARGUMENT, pk_sell(terminal, &cart, NULL));
    EXPECT(handle == 77 && other == 77 && count == 77);
    DONE(pk_abort_transaction_legal(sale, NULL, 0));
    DONE(pk_close_transaction(sale));
}

static void bad_pointers(void) {
    PkTransactionHandle sale = begun(terminal);
    uint8_t byte = 77, buffer[64];
    uint32_t number = 77;
    int32_t state = 77;
    int64_t amount = 77;
    uint64_t wide = 77;
    size_t need = 77;
    PkReason reason = because(TEXT("because"));
    PkDecimal two = {2, 0, 0};
    const int32_t bad = PK_E_BAD_ARGUMENT;
    DONE(pk_add_line(sale, BYTES("COFFEE_001"), 1, 399));
    REFUSE(bad, pk_begin_transaction_ex(terminal, NULL, &wide));
    PkTransactionOptions options = store_and_currency();
    REFUSE(bad, pk_begin_transaction_ex(terminal, &options, NULL));
    REFUSE(bad, pk_begin_transaction_legal(BYTES("S"), BYTES("EUR"), NULL));
    REFUSE(bad, pk_terminal_open(NULL, &wide));
    REFUSE(bad, pk_default_terminal(NULL));
    REFUSE(bad, pk_add_line_ex(sale, NULL, NULL));
    REFUSE(bad, pk_set_line_quantity(sale, 1, NULL, &reason, NULL));
    REFUSE(bad, pk_set_line_quantity(sale, 1, &two, NULL, NULL));
    REFUSE(bad, pk_void_line(sale, 1, 0, NULL, NULL));
    REFUSE(bad, pk_override_line_price(sale, 1, NULL, NULL, &reason, NULL));
    REFUSE(bad, pk_override_line_price(sale, 1, &two, NULL, NULL, NULL));
    REFUSE(bad, pk_override_line_taxes(sale, 1, NULL, 1, &reason, NULL));
    REFUSE(bad, pk_adjust_line(sale, 1, NULL, NULL));
    REFUSE(bad, pk_adjust_transaction(sale, NULL, NULL));
    REFUSE(bad, pk_retract_adjustment(sale, 1, NULL, NULL));
    REFUSE(bad, pk_set_policy(terminal, NULL, NULL, 0, NULL));
    REFUSE(bad, pk_get_policy(terminal, BYTES("EUR"), NULL));
    REFUSE(bad, pk_get_tax_table(sale, NULL, 0, NULL));
    REFUSE(bad, pk_get_tax_table(sale, NULL, 1, &need));
    REFUSE(bad, pk_get_line_splits(sale, NULL, 1, &need));
    REFUSE(bad, pk_get_adjustment_shares(sale, 1, NULL, 1, &need));
    REFUSE(bad, pk_get_line_adjustments(sale, 1, NULL, 1, &need));
    REFUSE(bad, pk_get_tax_counters(terminal, NULL, 1, &need));
    REFUSE(bad, pk_add_tender_ex(sale, NULL, NULL));
    REFUSE(bad, pk_confirm_tender(sale, 1, NULL, 9, NULL, 0, NULL));
    REFUSE(bad, pk_confirm_tender(sale, 1, NULL, 0, NULL, 9, NULL));
    REFUSE(bad, pk_decline_tender(sale, 1, NULL, NULL));
    REFUSE(bad, pk_void_tender(sale, 1, NULL, NULL));
    REFUSE(bad, pk_complete_transaction(sale, NULL, 9, NULL));
    REFUSE(bad, pk_void_transaction(sale, NULL));
    REFUSE(bad, pk_sell(terminal, NULL, NULL));
    REFUSE(bad, pk_get_totals_legal(sale, NULL, &amount, &amount, &state));
    REFUSE(bad, pk_get_totals_legal(sale, &amount, NULL, &amount, &state));
    REFUSE(bad, pk_get_totals_legal(sale, &amount, &amount, NULL, &state));
    REFUSE(bad, pk_get_totals_legal(sale, &amount, &amount, &amount, NULL));
    REFUSE(bad, pk_get_totals_ex(sale, NULL));
    REFUSE(bad, pk_get_sale_number(sale, NULL));
    REFUSE(bad, pk_get_receipt_number(sale, NULL));
    REFUSE(bad, pk_get_line_count(sale, NULL));
    REFUSE(bad, pk_get_line(sale, 1, NULL));
    REFUSE(bad, pk_get_tender_count(sale, NULL));
    REFUSE(bad, pk_get_tender(sale, 1, NULL));
    REFUSE(bad, pk_get_line_text(sale, 1, PK_LINE_SKU, NULL, 9, &need));
    REFUSE(bad, pk_get_line_text(sale, 1, 9, buffer, sizeof buffer, &need));
    REFUSE(bad, pk_get_tender_text(sale, 1, -1, buffer, sizeof buffer, &need));
    REFUSE(bad, pk_get_store_name(sale, NULL, 9, &need));
    REFUSE(bad, pk_get_currency_decimal_places(sale, NULL));
    REFUSE(bad, pk_get_line_parent_id(sale, 1, NULL, &byte));
    REFUSE(bad, pk_get_line_parent_id(sale, 1, &number, NULL));
    REFUSE(bad, pk_find_line_children(sale, 1, NULL, &need));
    REFUSE(bad, pk_find_line_children(sale, 1, &number, NULL));
    REFUSE(bad, pk_get_line_item_with_parent(sale, 0, NULL, &need, &state, &amount, &number, &byte));
    REFUSE(bad, pk_get_line_item_with_parent(sale, 0, buffer, NULL, &state, &amount, &number,
                                             &byte));
    REFUSE(bad, pk_get_line_item_with_parent(sale, 0, buffer, &need, NULL, &amount, &number, &byte));
    REFUSE(bad, pk_get_transaction_wal_info(sale, NULL, &wide, &wide));
    REFUSE(bad, pk_terminal_status(terminal, NULL));
    REFUSE(bad, pk_terminal_stats(terminal, NULL));
    REFUSE(bad, pk_list_open_transactions(terminal, NULL, 1, &need));
    REFUSE(bad, pk_list_open_transactions(terminal, &wide, 1, NULL));
    REFUSE(bad, pk_get_counters(terminal, NULL, 1, &need));
    REFUSE(bad, pk_find_transaction(terminal, 1, NULL));
    REFUSE(bad, pk_durable_sequence(terminal, NULL));
    REFUSE(bad, pk_get_receipt(terminal, 1, NULL));
    REFUSE(bad, pk_verify_wal_integrity_ex(NULL, NULL));
    REFUSE(bad, pk_verify_report_json(NULL, buffer, sizeof buffer, &need));
    REFUSE(bad, pk_validate_currency_code(NULL, 3));
    REFUSE(bad, pk_currency_exponent(BYTES("EUR"), NULL));
    REFUSE(bad, pk_now_utc_ns(NULL));
    /* Not at an address that the type may have. */
    uint64_t room[8] = {0};
    uint8_t *odd = (uint8_t *)room + 1;
    REFUSE(bad, pk_get_sale_number(sale, (uint64_t *)(void *)odd));
    REFUSE(bad, pk_get_line_count(sale, (uint32_t *)(void *)odd));
    REFUSE(bad, pk_get_totals_ex(sale, (PkTotals *)(void *)odd));
    REFUSE(bad, pk_add_line_ex(sale, (const PkLineInput *)(void *)odd, NULL));
    REFUSE(bad, pk_get_store_name(sale, buffer, sizeof buffer, (size_t *)(void *)odd));
    EXPECT(room[0] == 0 && room[1] == 0);
    /* A buffer that is too small is not begun; the length that it needs is told. */
    memset(buffer, 77, sizeof buffer);
    REFUSE(PK_E_BUFFER_TOO_SMALL, pk_get_store_name(sale, buffer, 8, &need));
    EXPECT(need == 9 && buffer[0] == 77);
    REFUSE(PK_E_BUFFER_TOO_SMALL, pk_get_store_name(sale, NULL, 0, &need));
    REFUSE(PK_E_BUFFER_TOO_SMALL, pk_get_store_name(sale, NULL, 0, NULL));
    DONE(pk_get_store_name(sale, buffer, 9, &need));
    EXPECT(need == 9 && memcmp(buffer, "STORE_001M", 10) == 0);
    EXPECT(byte == 77 && number == 77 && state == 77 && amount == 77 && wide == 77);
    DONE(pk_abort_transaction_legal(sale, NULL, 0));
    DONE(pk_close_transaction(sale));
}

/* ---- numbers -------------------------------------------------------------------------------- */

static void bad_numbers(void) {
    PkTransactionHandle sale = begun(terminal);
    const int64_t most = INT64_C(9007199254740991);
    /* Twice the largest price is no negative total. */
    REFUSE(PK_E_OVERFLOW, pk_add_line_legal(sale, BYTES("X"), 2, INT64_MAX));
    REFUSE(PK_E_OVERFLOW, pk_add_line_legal(sale, BYTES("X"), 1, INT64_MAX));
    REFUSE(PK_E_OVERFLOW, pk_add_line_legal(sale, BYTES("X"), INT32_MAX, INT64_MAX));
    DONE(pk_add_line_legal(sale, BYTES("X"), 1, most));
    REFUSE(PK_E_OVERFLOW, pk_add_line_legal(sale, BYTES("X"), 1, 1));
    REFUSE(PK_E_OVERFLOW, pk_update_line_quantity(sale, 1, 2, NULL, 0));
    REFUSE(PK_E_BAD_QUANTITY, pk_add_line_legal(sale, BYTES("X"), 0, 1));
    REFUSE(PK_E_BAD_QUANTITY, pk_add_line_legal(sale, BYTES("X"), -1, 1));
    REFUSE(PK_E_BAD_QUANTITY, pk_add_line_legal(sale, BYTES("X"), INT32_MIN, 1));
    REFUSE(PK_E_BAD_PRICE, pk_add_line_legal(sale, BYTES("X"), 1, -1));
    REFUSE(PK_E_BAD_PRICE, pk_add_line_legal(sale, BYTES("X"), 1, INT64_MIN));
    REFUSE(PK_E_BAD_AMOUNT, pk_add_cash_tender_legal(sale, 0));
    REFUSE(PK_E_BAD_AMOUNT, pk_add_cash_tender_legal(sale, -1));
    REFUSE(PK_E_BAD_AMOUNT, pk_add_cash_tender_legal(sale, INT64_MIN));
    REFUSE(PK_E_OVERFLOW, pk_add_cash_tender_legal(sale, INT64_MAX));
    REFUSE(PK_E_OVERFLOW, pk_add_cash_tender_legal(sale, most + 1));
    const PkDecimal wild[] = {
        {1, 7, 0}, {1, UINT32_MAX, 0}, {1, 0, 1}, {INT64_MAX, 7, 0}, {INT64_MIN, 7, 0},
    };
    for (size_t i = 0; i < sizeof wild / sizeof wild[0]; i += 1) {
        PkLineInput line = coffee();
        line.quantity = wild[i];
        PkResult result = pk_add_line_ex(sale, &line, NULL);
        EXPECT(result.code == PK_VALIDATION_FAILED);
        line = coffee();
        line.unit_price = wild[i];
        result = pk_add_line_ex(sale, &line, NULL);
        EXPECT(result.code == PK_VALIDATION_FAILED);
    }
    PkLineInput line = coffee();
    line.quantity.mantissa = INT64_MIN;
    EXPECT(pk_add_line_ex(sale, &line, NULL).code == PK_VALIDATION_FAILED);
    line.quantity.mantissa = INT64_MAX;
    EXPECT(pk_add_line_ex(sale, &line, NULL).code == PK_VALIDATION_FAILED);
    line = coffee();
    line.parent = UINT32_MAX;
    REFUSE(PK_E_NOT_FOUND, pk_add_line_ex(sale, &line, NULL));
    PkTenderInput tender = cash(INT64_MIN);
    EXPECT(pk_add_tender_ex(sale, &tender, NULL).code == PK_VALIDATION_FAILED);
    uint32_t lines = 0;
    int64_t total = 0, tendered = 0, change = 0;
    int32_t state = 77;
    DONE(pk_get_line_count(sale, &lines));
    DONE(pk_get_totals(sale, &total, &tendered, &change, &state));
    EXPECT(lines == 1 && total == most && tendered == 0 && change == 0);
    const uint32_t numbers[] = {0, 2, 8193, UINT32_MAX};
    PkReason reason = because(TEXT("because"));
    PkDecimal two = {2, 0, 0};
    PkLine got_line;
    got_line.struct_size = sizeof got_line;
    for (size_t i = 0; i < 4; i += 1) {
        REFUSE(PK_E_NOT_FOUND, pk_void_line_item(sale, numbers[i], BYTES("because"), NULL, 0));
        REFUSE(PK_E_NOT_FOUND, pk_set_line_quantity(sale, numbers[i], &two, &reason, NULL));
        REFUSE(PK_E_NOT_FOUND, pk_get_line(sale, numbers[i], &got_line));
        REFUSE(PK_E_NOT_FOUND, pk_void_tender(sale, numbers[i], &reason, NULL));
    }
    uint64_t handle = 77;
    const uint64_t wide[] = {0, 1 << 30, (uint64_t)1 << 53, UINT64_MAX};
    PkReceipt receipt;
    receipt.struct_size = sizeof receipt;
    for (size_t i = 0; i < 4; i += 1) {
        EXPECT(pk_find_transaction(terminal, wide[i], &handle).code != PK_OK);
        EXPECT(pk_get_receipt(terminal, wide[i], &receipt).code != PK_OK);
    }
    REFUSE(PK_E_NOT_FOUND, pk_wait_durable(terminal, UINT64_MAX));
    EXPECT(handle == 77);
    uint8_t buffer[64];
    size_t need = 77;
    REFUSE(PK_E_NOT_FOUND, pk_detail_name(INT32_MIN, buffer, sizeof buffer, &need));
    REFUSE(PK_E_NOT_FOUND, pk_detail_name(INT32_MAX, buffer, sizeof buffer, &need));
    EXPECT(need == 77);
    DONE(pk_abort_transaction_legal(sale, NULL, 0));
    DONE(pk_close_transaction(sale));
}

/* ---- states --------------------------------------------------------------------------------- */

/* Calls that change a sale, and what each of its states says to them; 0 is "done". */
enum { EMPTY, FILLED, PENDING, PAID, COMPLETED, VOIDED, STATES };
enum { CLOSE = 16, CALLS };

static PkTransactionHandle in_state(int state) {
    PkTransactionHandle sale = begun(terminal);
    PkTenderInput tender = cash(399);
    PkReason reason = because(TEXT("because"));
    if (state == EMPTY) {
        return sale;
    }
    DONE(pk_add_line(sale, BYTES("COFFEE_001"), 1, 399));
    if (state == PENDING) {
        tender.kind = PK_TENDER_CARD;
        tender.flags = PK_TENDER_IS_PENDING;
        DONE(pk_add_tender_ex(sale, &tender, NULL));
    }
    if (state == PAID || state == COMPLETED) {
        DONE(pk_add_tender_ex(sale, &tender, NULL));
    }
    if (state == COMPLETED) {
        DONE(pk_complete_transaction(sale, NULL, 0, NULL));
    }
    if (state == VOIDED) {
        DONE(pk_void_transaction(sale, &reason));
    }
    return sale;
}

static PkResult changing(PkTransactionHandle sale, int call) {
    PkTenderInput tender = cash(399);
    PkReason reason = because(TEXT("because"));
    PkDecimal two = {2, 0, 0};
    PkAdjustment off = one_off();
    switch (call) {
    case 0: return pk_add_line(sale, BYTES("LATE"), 1, 1);
    case 1: return pk_set_line_quantity(sale, 1, &two, &reason, NULL);
    case 2: return pk_void_line(sale, 1, 0, &reason, NULL);
    case 3: return pk_add_tender_ex(sale, &tender, NULL);
    case 4: return pk_confirm_tender(sale, 1, NULL, 0, NULL, 0, NULL);
    case 5: return pk_decline_tender(sale, 1, &reason, NULL);
    case 6: return pk_void_tender(sale, 1, &reason, NULL);
    case 7: return pk_complete_transaction(sale, NULL, 0, NULL);
    case 8: return pk_commit_transaction_legal(sale);
    case 9: return pk_void_transaction(sale, &reason);
    case 10: return pk_abort_transaction_legal(sale, BYTES("because"));
    case 11: return pk_adjust_transaction(sale, &off, NULL);
    case 12: return pk_adjust_line(sale, 1, &off, NULL);
    case 13: return pk_override_line_price(sale, 1, &two, NULL, &reason, NULL);
    case 14: return pk_override_line_taxes(sale, 1, NULL, 0, &reason, NULL);
    case 15: return pk_retract_adjustment(sale, 1, &reason, NULL);
    default: return pk_close_transaction(sale);
    }
}

static const int32_t answers[CALLS][STATES] = {
    /* add line */ {0, 0, PK_E_TENDER_TAKEN, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL,
                    PK_E_ALREADY_FINAL},
    /* quantity */ {PK_E_NOT_FOUND, 0, PK_E_TENDER_TAKEN, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL,
                    PK_E_ALREADY_FINAL},
    /* void line */ {PK_E_NOT_FOUND, 0, PK_E_TENDER_TAKEN, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL,
                     PK_E_ALREADY_FINAL},
    /* tender */ {PK_E_EMPTY_SALE, 0, PK_E_NOTHING_DUE, PK_E_NOTHING_DUE, PK_E_ALREADY_FINAL,
                  PK_E_ALREADY_FINAL},
    /* confirm */ {PK_E_NOT_FOUND, PK_E_NOT_FOUND, 0, PK_E_TENDER_STATE, PK_E_ALREADY_FINAL,
                   PK_E_ALREADY_FINAL},
    /* decline */ {PK_E_NOT_FOUND, PK_E_NOT_FOUND, 0, PK_E_TENDER_STATE, PK_E_ALREADY_FINAL,
                   PK_E_ALREADY_FINAL},
    /* void tender */ {PK_E_NOT_FOUND, PK_E_NOT_FOUND, 0, 0, PK_E_ALREADY_FINAL,
                       PK_E_ALREADY_FINAL},
    /* complete */ {PK_E_EMPTY_SALE, PK_E_UNDERPAID, PK_E_PENDING_TENDER, 0, PK_E_ALREADY_FINAL,
                    PK_E_ALREADY_FINAL},
    /* commit */ {PK_E_EMPTY_SALE, PK_E_UNDERPAID, PK_E_PENDING_TENDER, 0, 0, PK_E_ALREADY_FINAL},
    /* void */ {0, 0, PK_E_TENDER_TAKEN, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL, PK_E_ALREADY_FINAL},
    /* abort */ {0, 0, PK_E_TENDER_TAKEN, 0, PK_E_ALREADY_FINAL, PK_E_ALREADY_FINAL},
    /* adjust sale */ {PK_E_EMPTY_SALE, 0, PK_E_TENDER_TAKEN, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL,
                   PK_E_ALREADY_FINAL},
    /* adjust line */ {PK_E_NOT_FOUND, 0, PK_E_TENDER_TAKEN, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL,
                   PK_E_ALREADY_FINAL},
    /* price */ {PK_E_NOT_FOUND, 0, PK_E_TENDER_TAKEN, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL,
                   PK_E_ALREADY_FINAL},
    /* taxes */ {PK_E_NOT_FOUND, 0, PK_E_TENDER_TAKEN, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL,
                   PK_E_ALREADY_FINAL},
    /* retract */ {PK_E_NOT_FOUND, PK_E_NOT_FOUND, PK_E_TENDER_TAKEN, PK_E_TENDER_TAKEN, PK_E_ALREADY_FINAL,
                   PK_E_ALREADY_FINAL},
    /* close */ {PK_E_STILL_OPEN, PK_E_STILL_OPEN, PK_E_STILL_OPEN, PK_E_STILL_OPEN, 0, 0},
};

/* A sale as text, to see that a refusal has left it as it was. */
static size_t shown(PkTransactionHandle sale, char *text, size_t room) {
    size_t need = 0;
    DONE(pk_get_transaction_json(sale, (uint8_t *)text, room, &need));
    return need;
}

static void bad_states(void) {
    static char before[4096], after[4096];
    for (int call = 0; call < CALLS; call += 1) {
        for (int state = 0; state < STATES; state += 1) {
            PkTransactionHandle sale = in_state(state);
            size_t size = shown(sale, before, sizeof before);
            uint64_t sequence = sequence_now();
            REFUSED(answers[call][state], changing(sale, call));
            if (answers[call][state] != 0) {
                EXPECT(sequence_now() == sequence);
                EXPECT(shown(sale, after, sizeof after) == size);
                EXPECT(memcmp(before, after, size) == 0);
            }
            if (call == CLOSE && answers[call][state] == 0) {
                continue;
            }
            /* Whatever came of it, the sale can still be ended. */
            PkReason reason = because(TEXT("over"));
            pk_void_tender(sale, 1, &reason, NULL);
            pk_abort_transaction_legal(sale, NULL, 0);
            DONE(pk_close_transaction(sale));
        }
    }
}

/* ---- limits --------------------------------------------------------------------------------- */

/* One sale more than may be open is refused, and there is room again when one is over. */
static void too_many(void) {
    PkTerminalStatus status;
    memset(&status, 0, sizeof status);
    status.struct_size = sizeof status;
    DONE(pk_terminal_status(terminal, &status));
    PkTransactionHandle *sales = calloc(status.open_sales_max, sizeof *sales);
    EXPECT(sales != NULL && status.open_sales == 0 && status.open_sales_max > 1);
    for (uint32_t i = 0; i < status.open_sales_max; i += 1) {
        sales[i] = begun(terminal);
    }
    PkTransactionOptions options = store_and_currency();
    PkTransactionHandle handle = 77;
    REFUSE(PK_E_LIMIT, pk_begin_transaction_ex(terminal, &options, &handle));
    EXPECT(handle == 77);
    DONE(pk_abort_transaction_legal(sales[0], NULL, 0));
    DONE(pk_begin_transaction_ex(terminal, &options, &handle));
    DONE(pk_abort_transaction_legal(handle, NULL, 0));
    for (uint32_t i = 1; i < status.open_sales_max; i += 1) {
        DONE(pk_abort_transaction_legal(sales[i], NULL, 0));
    }
    free(sales);
}

int main(int count, char **arguments) {
    if (count == 3 && strcmp(arguments[2], "foreign") == 0) {
        return foreign(arguments[1]);
    }
    if (count != 2) {
        fprintf(stderr, "usage: refusals ROOT\n");
        return 2;
    }
    terminal = opened(arguments[1], "FIRST");
    bad_texts();
    bad_handles(arguments[0], arguments[1]);
    bad_structures(arguments[1]);
    bad_pointers();
    bad_numbers();
    bad_states();
    too_many();
    PkVerifyOptions verify;
    memset(&verify, 0, sizeof verify);
    verify.struct_size = sizeof verify;
    verify.terminal = terminal;
    DONE(pk_verify_wal_integrity_ex(&verify, NULL));
    DONE(pk_terminal_close(terminal));
    return passed();
}
