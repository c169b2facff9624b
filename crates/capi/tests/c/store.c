/*
 * A store of four terminals in one process: each sells on a thread of its own, one leaves and is
 * opened by itself, the store is closed with the others open. Prints the checks that were made.
 *
 *     ./store ROOT
 */
#include <pthread.h>

#include "check.h"

#define TERMINALS 4
#define SALES 50

static PkTerminalOptions options_of(const char *id) {
    PkTerminalOptions options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.durability = PK_DURABILITY_SALE;
    options.id = (PkText){(const uint8_t *)id, strlen(id)};
    return options;
}

static const char *const ids[TERMINALS] = {"C_1", "C_2", "C_3", "C_4"};

static PkResult sell(PkTerminal terminal, PkReceipt *receipt) {
    PkLineInput line;
    memset(&line, 0, sizeof line);
    line.struct_size = sizeof line;
    line.sku = TEXT("COFFEE");
    line.quantity = (PkDecimal){2, 0, 0};
    line.unit_price = (PkDecimal){320, 0, 0};
    PkTenderInput tender = {.struct_size = sizeof tender, .kind = PK_TENDER_CASH, .amount = 1000};
    PkCart cart;
    memset(&cart, 0, sizeof cart);
    cart.struct_size = sizeof cart;
    cart.store = TEXT("STORE_001");
    cart.currency = TEXT("EUR");
    cart.lines = &line;
    cart.line_count = 1;
    cart.tenders = &tender;
    cart.tender_count = 1;
    receipt->struct_size = sizeof *receipt;
    return pk_sell(terminal, &cart, receipt);
}

static void *sell_all(void *argument) {
    const PkTerminal terminal = *(const PkTerminal *)argument;
    uintptr_t wrong = 0;
    for (uint64_t number = 1; number <= SALES; number += 1) {
        PkReceipt receipt;
        const PkResult result = sell(terminal, &receipt);
        wrong += result.code != PK_OK || receipt.receipt != number || receipt.change != 360;
    }
    return (void *)wrong;
}

int main(int count, char **arguments) {
    if (count != 2) {
        return 2;
    }
    const PkText root = {(const uint8_t *)arguments[1], strlen(arguments[1])};
    PkStore store = PK_INVALID_HANDLE;
    PkStore second = PK_INVALID_HANDLE;
    REFUSED(PK_E_BAD_ARGUMENT, pk_store_open(root, NULL));
    DONE(pk_store_open(root, &store));
    REFUSED(PK_E_STORE_IN_USE, pk_store_open(root, &second));
    EXPECT(second == PK_INVALID_HANDLE);

    PkTerminal terminals[TERMINALS];
    pthread_t threads[TERMINALS];
    PkTerminal other = PK_INVALID_HANDLE;
    for (int i = 0; i < TERMINALS; i += 1) {
        const PkTerminalOptions options = options_of(ids[i]);
        DONE(pk_store_open_terminal(store, &options, &terminals[i]));
        REFUSED(PK_E_TERMINAL_IN_USE, pk_store_open_terminal(store, &options, &other));
    }
    PkTerminalOptions rooted = options_of("C_5");
    rooted.root = root;
    REFUSED(PK_E_BAD_ARGUMENT, pk_store_open_terminal(store, &rooted, &other));
    REFUSED(PK_E_NOT_FOUND, pk_store_open_terminal(terminals[0], &rooted, &other));
    for (int i = 0; i < TERMINALS; i += 1) {
        EXPECT(pthread_create(&threads[i], NULL, sell_all, &terminals[i]) == 0);
    }
    for (int i = 0; i < TERMINALS; i += 1) {
        void *wrong = NULL;
        EXPECT(pthread_join(threads[i], &wrong) == 0);
        EXPECT(wrong == NULL);
    }

    PkReceipt receipt;
    PkTerminalOptions alone = options_of(ids[0]);
    alone.root = root;
    REFUSED(PK_E_TERMINAL_IN_USE, pk_terminal_open(&alone, &other));
    DONE(pk_terminal_close(terminals[0]));
    DONE(pk_terminal_open(&alone, &other));
    DONE(sell(other, &receipt));
    EXPECT(receipt.receipt == SALES + 1);
    DONE(pk_terminal_close(other));

    DONE(pk_store_close(store));
    REFUSED(PK_E_NOT_FOUND, pk_store_close(store));
    REFUSED(PK_E_CLOSED, sell(terminals[1], &receipt));
    for (int i = 1; i < TERMINALS; i += 1) {
        DONE(pk_terminal_close(terminals[i]));
    }
    alone.id = TEXT("C_3");
    DONE(pk_terminal_open(&alone, &other));
    DONE(sell(other, &receipt));
    EXPECT(receipt.receipt == SALES + 1);
    DONE(pk_terminal_close(other));
    return passed();
}
