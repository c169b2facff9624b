/* A C host of one terminal: opens it, rings up one sale, says so, and idles until its input ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pos_kernel.h"

static void must(PkResult result, const char *what) {
    if (!pk_result_is_ok(result)) {
        fprintf(stderr, "%s: code %d, detail %d\n", what, result.code, result.detail);
        exit(1);
    }
}

static const uint8_t *bytes(const char *text) {
    return (const uint8_t *)text;
}

static void sell(void) {
    PkTransactionHandle sale = PK_INVALID_HANDLE;
    must(pk_begin_transaction_legal(bytes("bench"), 5, bytes("EUR"), 3, &sale), "begin");
    must(pk_add_line_legal(sale, bytes("coffee"), 6, 2, 320), "line");
    must(pk_add_cash_tender_legal(sale, 1000), "cash");
    must(pk_commit_transaction_legal(sale), "commit");
    must(pk_close_transaction_legal(sale), "close");
}

int main(int count, char **arguments) {
    const int is_bare = count < 3;
    if (!is_bare) {
        setenv("POS_KERNEL_ROOT", arguments[1], 1);
        must(pk_initialize_terminal(bytes(arguments[2]), strlen(arguments[2])), "open");
        sell();
    }
    puts("ready");
    fflush(stdout);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    if (!is_bare) {
        must(pk_shutdown_terminal(), "close");
    }
    return 0;
}
