/*
 * Returns with their receipt, and sales that wait, go on at another till or are given up, on two
 * terminals of one store.
 *
 *     ./handover ROOT
 */
#include <pthread.h>

#include "check.h"

static PkTerminal one = PK_INVALID_HANDLE, two = PK_INVALID_HANDLE;

/* A structure with its size and zeros. */
#define NEW(type, name)                                                                            \
    type name;                                                                                     \
    memset(&name, 0, sizeof name);                                                                 \
    name.struct_size = sizeof name

static PkTerminal opened(const char *root, const char *id) {
    NEW(PkTerminalOptions, options);
    options.durability = PK_DURABILITY_SALE;
    options.root = (PkText){(const uint8_t *)root, strlen(root)};
    options.id = (PkText){(const uint8_t *)id, strlen(id)};
    PkTerminal open = PK_INVALID_HANDLE;
    DONE(pk_terminal_open(&options, &open));
    return open;
}

static PkTransactionHandle begun(PkTerminal terminal) {
    NEW(PkTransactionOptions, options);
    options.store = TEXT("STORE_001");
    options.currency = TEXT("EUR");
    PkTransactionHandle sale = PK_INVALID_HANDLE;
    DONE(pk_begin_transaction_ex(terminal, &options, &sale));
    return sale;
}

static PkReason because(PkText text) {
    NEW(PkReason, reason);
    reason.reason = text;
    return reason;
}

static PkTotals totals_of(PkTransactionHandle sale) {
    NEW(PkTotals, totals);
    DONE(pk_get_totals_ex(sale, &totals));
    return totals;
}

static void pay(PkTransactionHandle sale, int64_t amount) {
    NEW(PkTenderInput, cash);
    cash.kind = PK_TENDER_CASH;
    cash.amount = amount;
    DONE(pk_add_tender_ex(sale, &cash, NULL));
}

static uint64_t completed(PkTransactionHandle sale) {
    NEW(PkReceipt, receipt);
    DONE(pk_complete_transaction(sale, NULL, 0, &receipt));
    return receipt.receipt;
}

static void set_policies(void) {
    NEW(PkPolicy, policy);
    memcpy(policy.currency, "EUR", 3);
    policy.prices = PK_PRICES_GROSS;
    DONE(pk_set_policy(one, &policy, NULL, 0, NULL));
    DONE(pk_set_policy(two, &policy, NULL, 0, NULL));
}

/* Three for 10.00 with 1.60 of tax in it, docs/reference/pricing.md, "Returns". */
static uint64_t three_sold(void) {
    NEW(PkTaxInput, tax);
    tax.tax_class = TEXT("S");
    tax.rate_ppm = 190000;
    NEW(PkLineInput, line);
    line.sku = TEXT("THREE");
    line.quantity.mantissa = 3;
    line.unit_price = (PkDecimal){333333333, 6, 0};
    line.taxes = &tax;
    line.tax_count = 1;
    PkTransactionHandle sale = begun(one);
    DONE(pk_add_line_ex(sale, &line, NULL));
    EXPECT(totals_of(sale).gross == 1000 && totals_of(sale).tax == 160);
    pay(sale, 1000);
    return completed(sale);
}

/* Whether a sale as JSON says something. */
static int says(PkTransactionHandle sale, const char *part) {
    static char text[4096];
    size_t need = 0;
    DONE(pk_get_transaction_json(sale, (uint8_t *)text, sizeof text - 1, &need));
    text[need] = '\0';
    return strstr(text, part) != NULL;
}

static void returns(void) {
    const uint64_t receipt = three_sold();
    const PkDecimal single = {1, 0, 0}, zero = {0, 0, 0};
    const int64_t amounts[] = {-333, -334, -333}, taxes[] = {-53, -54, -53};
    PkReason reason = because(TEXT("does not fit"));
    NEW(PkReturnOf, of);
    of.receipt = receipt;
    of.key = TEXT("return-1");
    PkTransactionHandle sale = 77, again = 78;
    /* At the till that sold it, where the terminal need not be named. */
    DONE(pk_begin_return(one, &of, &sale));
    DONE(pk_begin_return(one, &of, &again));
    EXPECT(sale == again);
    NEW(PkLineAnswer, answer);
    for (int i = 0; i < 2; i += 1) {
        DONE(pk_return_line(sale, 1, &single, NULL, &reason, &answer));
        EXPECT(answer.amount == amounts[i] && answer.line == (uint32_t)i + 1);
    }
    EXPECT(totals_of(sale).tax == taxes[0] + taxes[1] && totals_of(sale).due == -667);
    EXPECT(says(sale, "\"returns\":{"));
    NEW(PkLine, line);
    DONE(pk_get_line(sale, 2, &line));
    EXPECT(line.of_receipt == receipt && line.of_line == 1 && line.quantity.mantissa == -1);
    uint8_t text[64];
    size_t need = 0;
    DONE(pk_get_line_text(sale, 2, PK_LINE_SOLD_AT, text, sizeof text, &need));
    EXPECT(need == 3 && memcmp(text, "ONE", 3) == 0);
    /* The last one at the other till, into a sale that was begun for nothing. */
    PkTransactionHandle other = begun(two);
    REFUSED(PK_E_BAD_ARGUMENT, pk_return_line(other, 1, &single, NULL, &reason, NULL));
    NEW(PkReturnOf, there);
    there.receipt = receipt;
    there.terminal = TEXT("ONE");
    DONE(pk_return_line(other, 1, &single, &there, &reason, &answer));
    EXPECT(answer.amount == amounts[2] && totals_of(other).tax == taxes[2]);
    REFUSED(PK_E_REFUND_EXCEEDS, pk_return_line(other, 1, &single, &there, &reason, &answer));
    REFUSED(PK_E_REFUND_EXCEEDS, pk_return_line(sale, 1, &single, NULL, &reason, NULL));
    EXPECT(answer.amount == amounts[2]);
    REFUSED(PK_E_BAD_QUANTITY, pk_return_line(other, 1, &zero, &there, &reason, NULL));
    REFUSED(PK_E_NOT_FOUND, pk_return_line(other, 2, &single, &there, &reason, NULL));
    there.key = TEXT("own");
    REFUSED(PK_E_BAD_ARGUMENT, pk_return_line(other, 1, &single, &there, &reason, NULL));
    there.key = TEXT("");
    there.receipt = 99;
    REFUSED(PK_E_NOT_FOUND, pk_return_line(other, 1, &single, &there, &reason, NULL));
    there.receipt = 0;
    REFUSED(PK_E_BAD_ARGUMENT, pk_return_line(other, 1, &single, &there, &reason, NULL));
    REFUSED(PK_E_BAD_ARGUMENT, pk_return_line(other, 1, NULL, NULL, &reason, NULL));
    NEW(PkReturnOf, wrong);
    PkTransactionHandle none = 77;
    REFUSED(PK_E_BAD_ARGUMENT, pk_begin_return(one, &wrong, &none));
    wrong.receipt = 99;
    REFUSED(PK_E_NOT_FOUND, pk_begin_return(one, &wrong, &none));
    wrong.receipt = receipt;
    wrong.terminal = TEXT("NOBODY");
    REFUSED(PK_E_NOT_FOUND, pk_begin_return(one, &wrong, &none));
    wrong.terminal = TEXT("../x");
    REFUSED(PK_E_BAD_ID, pk_begin_return(one, &wrong, &none));
    wrong.reserved = 1;
    REFUSED(PK_E_BAD_ARGUMENT, pk_begin_return(one, &wrong, &none));
    REFUSED(PK_E_BAD_ARGUMENT, pk_begin_return(one, NULL, &none));
    EXPECT(none == 77);
    pay(sale, -667);
    pay(other, -333);
    completed(sale);
    completed(other);
    NEW(PkCounters, counters);
    size_t count = 0;
    DONE(pk_get_counters(one, &counters, 1, &count));
    EXPECT(counters.returns == 667 && counters.returns_tax == 107 && counters.sales == 1000);
    DONE(pk_get_counters(two, &counters, 1, &count));
    EXPECT(counters.returns == 333 && counters.returns_tax == 53 && counters.sales == 0);
    DONE(pk_close_transaction(sale));
    DONE(pk_close_transaction(other));
}

static PkTransactionHandle coffee(PkTerminal terminal) {
    PkTransactionHandle sale = begun(terminal);
    DONE(pk_add_line(sale, BYTES("COFFEE_001"), 1, 399));
    return sale;
}

static size_t waiting(PkTerminal terminal) {
    static char text[4096];
    size_t need = 0, count = 0;
    DONE(pk_list_suspended_json(terminal, (uint8_t *)text, sizeof text - 1, &need));
    text[need] = '\0';
    for (const char *at = text; (at = strstr(at, "\"ticket\":")) != NULL; at += 1) {
        count += 1;
    }
    return count;
}

static void handover(void) {
    PkReason reason = because(TEXT("fetches a purse"));
    reason.key = TEXT("suspend-1");
    PkTransactionHandle sale = coffee(one);
    NEW(PkSuspendAnswer, first);
    NEW(PkSuspendAnswer, again);
    REFUSED(PK_E_BAD_ARGUMENT, pk_suspend_transaction(sale, &reason, NULL));
    DONE(pk_suspend_transaction(sale, &reason, &first));
    DONE(pk_suspend_transaction(sale, &reason, &again));
    EXPECT(again.replayed == 1 && first.replayed == 0 && first.sale == again.sale);
    EXPECT(strcmp((const char *)first.ticket, (const char *)again.ticket) == 0);
    EXPECT(memcmp(first.ticket, "ONE.", 4) == 0 && waiting(one) == 1 && waiting(two) == 1);
    EXPECT(totals_of(sale).state == PK_STATE_SUSPENDED && says(sale, "\"ticket\":\"ONE."));
    reason.key = TEXT("");
    REFUSED(PK_E_SUSPENDED, pk_suspend_transaction(sale, &reason, &again));
    REFUSED(PK_E_SUSPENDED, pk_add_line(sale, BYTES("TEA"), 1, 1));
    REFUSED(PK_E_STILL_OPEN, pk_close_transaction(sale));
    const uint8_t *ticket = first.ticket;
    const size_t size = strlen((const char *)first.ticket);
    PkTransactionHandle taken = 77;
    REFUSED(PK_E_BAD_ARGUMENT, pk_resume_transaction(two, BYTES("no ticket"), NULL, 0, &taken));
    REFUSED(PK_E_BAD_ARGUMENT, pk_resume_transaction(two, NULL, size, NULL, 0, &taken));
    REFUSED(PK_E_BAD_ARGUMENT, pk_resume_transaction(two, ticket, 97, NULL, 0, &taken));
    REFUSED(PK_E_BAD_ARGUMENT, pk_resume_transaction(two, ticket, size, NULL, 0, NULL));
    REFUSED(PK_E_NOT_FOUND, pk_resume_transaction(two, BYTES("ONE.99.99.1"), NULL, 0, &taken));
    EXPECT(taken == 77);
    /* On the other till, once; repeated with its key it is the same sale. */
    DONE(pk_resume_transaction(two, ticket, size, BYTES("resume-1"), &taken));
    PkTransactionHandle same = 78;
    DONE(pk_resume_transaction(two, ticket, size, BYTES("resume-1"), &same));
    EXPECT(same == taken && totals_of(taken).gross == 399);
    EXPECT(says(taken, "\"takes\":{") && says(taken, "\"terminal\":\"ONE\""));
    EXPECT(!says(taken, "\"ticket\":\"TWO") && !says(taken, "\"returns\""));
    REFUSED(PK_E_ALREADY_RESUMED, pk_resume_transaction(two, ticket, size, NULL, 0, &same));
    REFUSED(PK_E_ALREADY_RESUMED, pk_resume_transaction(one, ticket, size, NULL, 0, &same));
    EXPECT(waiting(one) == 0);
    size_t over = 77;
    DONE(pk_collect_transfers(one, &over));
    EXPECT(over <= 1 && totals_of(sale).state == PK_STATE_TRANSFERRED);
    DONE(pk_collect_transfers(one, &over));
    EXPECT(over == 0);
    DONE(pk_close_transaction(sale));
    pay(taken, 500);
    completed(taken);
    DONE(pk_close_transaction(taken));

    /* On the same till the handle stays what it is. */
    sale = coffee(one);
    DONE(pk_suspend_transaction(sale, &reason, &first));
    DONE(pk_resume_transaction(one, first.ticket, strlen((const char *)first.ticket), NULL, 0,
                               &taken));
    EXPECT(taken == sale && totals_of(sale).state == PK_STATE_BUILDING);
    pay(sale, 399);
    REFUSED(PK_E_TENDER_TAKEN, pk_suspend_transaction(sale, &reason, &again));
    completed(sale);
    REFUSED(PK_E_ALREADY_FINAL, pk_suspend_transaction(sale, &reason, &again));
    DONE(pk_close_transaction(sale));
}

static int64_t held(PkTerminal terminal) {
    PkDrawer sums[2];
    size_t count = 0;
    sums[0].struct_size = sizeof sums[0];
    DONE(pk_get_drawer(terminal, sums, 2, &count));
    return count == 0 ? 0 : sums[0].expected;
}

static void cash_moves(void) {
    PkCash first = {sizeof first, 0, "EUR", 10000}, second = {sizeof second, 0, "EUR", 500};
    DONE(pk_open_shift(one, &first, 1, NULL, 0, NULL));
    DONE(pk_open_shift(two, &second, 1, NULL, 0, NULL));
    NEW(PkCashMovement, given);
    given.kind = PK_MOVE_PAID_OUT;
    given.amount = 2500;
    given.currency = TEXT("EUR");
    given.reason = TEXT("change");
    given.key = TEXT("send-1");
    NEW(PkCashTicket, sent);
    NEW(PkCashTicket, again);
    NEW(PkCashReceived, received);
    PkReason reason = because(TEXT("change"));
    REFUSED(PK_E_BAD_ARGUMENT, pk_send_cash(one, BYTES("TWO"), &given, NULL));
    REFUSED(PK_E_BAD_ARGUMENT, pk_send_cash(one, BYTES("ONE"), &given, &sent));
    REFUSED(PK_E_NOT_FOUND, pk_send_cash(one, BYTES("NINE"), &given, &sent));
    REFUSED(PK_E_BAD_ID, pk_send_cash(one, BYTES("../TWO"), &given, &sent));
    given.kind = PK_MOVE_PAID_IN;
    REFUSED(PK_E_BAD_ARGUMENT, pk_send_cash(one, BYTES("TWO"), &given, &sent));
    given.kind = PK_MOVE_PAID_OUT;
    DONE(pk_send_cash(one, BYTES("TWO"), &given, &sent));
    DONE(pk_send_cash(one, BYTES("TWO"), &given, &again));
    EXPECT(again.replayed == 1 && sent.replayed == 0 && sent.sequence == again.sequence);
    EXPECT(memcmp(sent.ticket, "ONE.cash.", 9) == 0 && held(one) == 7500);
    static char text[4096];
    size_t need = 0;
    DONE(pk_list_cash_in_transit_json(two, (uint8_t *)text, sizeof text - 1, &need));
    text[need] = '\0';
    EXPECT(strstr(text, "\"to\":\"TWO\"") != NULL && strstr(text, "\"amount\":2500") != NULL);
    const size_t size = strlen((const char *)sent.ticket);
    REFUSED(PK_E_BAD_ARGUMENT, pk_receive_cash(two, BYTES("ONE.1.1.1"), &reason, &received));
    DONE(pk_receive_cash(two, sent.ticket, size, &reason, &received));
    EXPECT(received.amount == 2500 && received.taken_back == 0 && held(two) == 3000);
    EXPECT(strcmp((const char *)received.terminal, "ONE") == 0);
    REFUSED(PK_E_ALREADY_RECEIVED, pk_receive_cash(two, sent.ticket, size, &reason, &received));
    REFUSED(PK_E_ALREADY_RECEIVED, pk_receive_cash(one, sent.ticket, size, &reason, NULL));
    size_t over = 77;
    DONE(pk_collect_transfers(one, &over));
    EXPECT(over == 0);
    given.key = TEXT("send-2");
    DONE(pk_send_cash(one, BYTES("TWO"), &given, &sent));
    DONE(pk_receive_cash(one, sent.ticket, strlen((const char *)sent.ticket), &reason, &received));
    EXPECT(received.taken_back == 1 && held(one) == 7500 && held(two) == 3000);
    DONE(pk_close_shift(one, NULL, 0, NULL));
    DONE(pk_close_shift(two, NULL, 0, NULL));
}

/* Somebody who waits for a message at a terminal, and what came of it. */
typedef struct {
    PkTerminal terminal;
    PkResult result;
    uint8_t is_waiting;
} Waiter;

static void *wait_for_it(void *argument) {
    Waiter *waiter = argument;
    waiter->result = pk_wait_for_message(waiter->terminal, UINT64_MAX, &waiter->is_waiting);
    return NULL;
}

static void woken(void) {
    static uint8_t text[8192], id[64];
    size_t need = 0;
    uint8_t flag = 7;
    REFUSED(PK_E_BAD_ARGUMENT, pk_wait_for_message(two, 0, NULL));
    DONE(pk_wait_for_message(two, 0, &flag));
    EXPECT(flag == 0);
    for (int round = 0; round < 20; round += 1) {
        Waiter waiter = {.terminal = two, .is_waiting = 7};
        pthread_t thread;
        EXPECT(pthread_create(&thread, NULL, wait_for_it, &waiter) == 0);
        DONE(pk_send_message(one, TEXT("TWO"), TEXT("x.note"), TEXT("1"), 0, id, sizeof id, &need));
        EXPECT(pthread_join(thread, NULL) == 0);
        DONE(waiter.result);
        EXPECT(waiter.is_waiting == 1);
        DONE(pk_accept_message(two, (PkText){id, need}, &flag));
        EXPECT(flag == 1);
    }
    DONE(pk_receive_messages_json(two, 0, text, sizeof text, &need));
    EXPECT(need == 2 && memcmp(text, "[]", 2) == 0);
}

/* Messages, the configuration, and a terminal that ends. */
static void together(const char *root) {
    const PkText store = {(const uint8_t *)root, strlen(root)};
    static uint8_t text[8192];
    size_t need = 0;
    uint8_t flag = 7;
    REFUSED(PK_E_BUFFER_TOO_SMALL, pk_send_message(one, TEXT("TWO"), TEXT("x.note"), TEXT("1"), 0,
                                                   text, 63, &need));
    EXPECT(need == 64);
    REFUSED(PK_E_BAD_MESSAGE, pk_send_message(one, TEXT("TWO"), TEXT("x.note"), TEXT("{"), 0, text,
                                              64, &need));
    REFUSED(PK_E_NOT_FOUND, pk_send_message(one, TEXT("NINE"), TEXT("x.note"), TEXT("1"), 0, text,
                                            64, &need));
    DONE(pk_send_message(one, TEXT("TWO"), TEXT("x.note"), TEXT("[1,2]"), 0, text, 64, &need));
    static uint8_t id_bytes[64];
    const PkText id = {id_bytes, need};
    memcpy(id_bytes, text, need);
    DONE(pk_receive_messages_json(two, 0, text, sizeof text - 1, &need));
    text[need] = 0;
    EXPECT(strstr((char *)text, "\"body\":[1,2]") != NULL);
    DONE(pk_accept_message(two, id, &flag));
    EXPECT(flag == 1);
    DONE(pk_accept_message(two, id, &flag));
    EXPECT(flag == 0);
    DONE(pk_message_acknowledgements_json(store, id, text, sizeof text - 1, &need));
    text[need] = 0;
    EXPECT(strcmp((char *)text, "[{\"state\":\"received\",\"terminal\":\"TWO\"}]") == 0);

    uint64_t version = 0;
    REFUSED(PK_E_BAD_ARGUMENT, pk_set_system_config(one, 0, 0, TEXT("[]"), &version));
    DONE(pk_set_system_config(one, 0, 0, TEXT("{\"footer\":\"Danke\"}"), &version));
    EXPECT(version == 1);
    REFUSED(PK_E_CONFIG_VERSION, pk_set_system_config(one, 1, 0, TEXT("{}"), &version));
    DONE(pk_apply_system_config(two, &flag));
    EXPECT(flag == 1);
    DONE(pk_apply_system_config(two, &flag));
    EXPECT(flag == 0);
    DONE(pk_system_config_json(store, text, sizeof text - 1, &need));
    text[need] = 0;
    EXPECT(strstr((char *)text, "\"version\":1") != NULL);

    DONE(pk_announce_shutdown(one, TEXT("closing time"), 1000, text, 64, &need));
    PkTransactionHandle sale = coffee(two);
    DONE(pk_begin_drain(two, TEXT("closing time"), 1000, TEXT("ONE")));
    NEW(PkTransactionOptions, options);
    options.store = TEXT("STORE_001");
    options.currency = TEXT("EUR");
    PkTransactionHandle refused = PK_INVALID_HANDLE;
    REFUSED(PK_E_SHUTTING_DOWN, pk_begin_transaction_ex(two, &options, &refused));
    size_t suspended = 0, left = 9;
    DONE(pk_suspend_open(two, TEXT("closing time"), &suspended, &left));
    EXPECT(suspended >= 1 && left == 0);
    (void)sale;
    DONE(pk_store_terminals_json(store, text, sizeof text - 1, &need));
    text[need] = 0;
    EXPECT(strstr((char *)text, "\"state\":\"draining\"") != NULL);
}

static void expiry(void) {
    PkTransactionHandle idle = coffee(one), paid = coffee(one);
    pay(paid, 399);
    size_t over = 77;
    DONE(pk_expire_transactions(one, UINT64_MAX, BYTES("nobody came"), &over));
    EXPECT(over == 0);
    REFUSED(PK_E_BAD_TEXT, pk_expire_transactions(one, 0, BYTES(""), &over));
    REFUSED(PK_E_BAD_ARGUMENT, pk_expire_transactions(one, 0, NULL, 9, &over));
    REFUSED(PK_E_BAD_ARGUMENT, pk_expire_transactions(one, 0, BYTES("late"), NULL));
    DONE(pk_expire_transactions(one, 0, BYTES("nobody came"), &over));
    EXPECT(over == 1 && totals_of(idle).state == PK_STATE_ABORTED);
    EXPECT(totals_of(paid).state == PK_STATE_COMMITTING);
    completed(paid);
    DONE(pk_close_transaction(idle));
    DONE(pk_close_transaction(paid));
}

static void closed(PkTerminal terminal) {
    NEW(PkVerifyOptions, verify);
    verify.terminal = terminal;
    DONE(pk_verify_wal_integrity_ex(&verify, NULL));
    DONE(pk_terminal_close(terminal));
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: handover ROOT\n");
        return 2;
    }
    one = opened(arguments[1], "ONE");
    two = opened(arguments[1], "TWO");
    set_policies();
    returns();
    handover();
    cash_moves();
    expiry();
    woken();
    together(arguments[1]);
    Waiter waiter = {.terminal = one, .is_waiting = 7};
    pthread_t thread;
    EXPECT(pthread_create(&thread, NULL, wait_for_it, &waiter) == 0);
    closed(one);
    EXPECT(pthread_join(thread, NULL) == 0);
    closed(two);
    /* It was waiting, or came when the handle meant nothing any more. */
    EXPECT(waiter.result.detail == PK_E_CLOSED || waiter.result.detail == PK_E_NOT_FOUND);
    EXPECT(waiter.is_waiting == 7);
    return passed();
}
