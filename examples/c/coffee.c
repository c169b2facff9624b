/*
 * One coffee, by the classic calls: REGISTER_01 sells COFFEE_001 at 3.99 USD for a five.
 *
 *     cc -std=c11 coffee.c $(pkg-config --cflags --libs pos_kernel) -o coffee
 *     POS_KERNEL_ROOT=./store ./coffee
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pos_kernel.h"

/* Ends the program with the sentence that belongs to a refusal. */
static void must(PkResult result, const char *what) {
    if (pk_result_is_ok(result)) {
        return;
    }
    char text[1024];
    size_t need = 0;
    if (pk_last_error((uint8_t *)text, sizeof text, &need).code != PK_OK) {
        need = 0;
    }
    fprintf(stderr, "%s: code %d, detail %d: %.*s\n", what, result.code, result.detail, (int)need,
            text);
    exit(1);
}

static const uint8_t *bytes(const char *text) {
    return (const uint8_t *)text;
}

int main(void) {
    const char *id = "REGISTER_01", *store = "STORE_001", *currency = "USD", *sku = "COFFEE_001";
    must(pk_initialize_terminal(bytes(id), strlen(id)), "initialize");

    PkTransactionHandle sale = PK_INVALID_HANDLE;
    must(pk_begin_transaction_legal(bytes(store), strlen(store), bytes(currency), strlen(currency),
                                    &sale),
         "begin");
    must(pk_add_line_legal(sale, bytes(sku), strlen(sku), 1, 399), "add line");
    must(pk_add_cash_tender_legal(sale, 500), "cash");
    /* The tender covered the total, so the sale is complete; a commit says so again. */
    must(pk_commit_transaction_legal(sale), "commit");

    int64_t total = 0, tendered = 0, change = 0;
    int32_t state = 0;
    uint64_t receipt = 0;
    must(pk_get_totals_legal(sale, &total, &tendered, &change, &state), "totals");
    must(pk_get_receipt_number(sale, &receipt), "receipt number");
    must(pk_close_transaction_legal(sale), "close");
    must(pk_verify_wal_integrity(), "verify");
    must(pk_shutdown_terminal(), "shut down");

    printf("{\"total\":%" PRId64 ",\"tendered\":%" PRId64 ",\"change\":%" PRId64
           ",\"state\":%d,\"receipt\":%" PRIu64 "}\n",
           total, tendered, change, state, receipt);
    return 0;
}
