/*
 * What calls cost. Its numbers are counted from outside (valgrind, two sizes of the same work, so
 * that opening and closing cancel out) or printed.
 *
 *     ./cost sales ROOT COUNT     sales, call by call: begin, three lines, cash, complete, close
 *     ./cost carts ROOT COUNT     the same sales in one call each
 *     ./cost reads ROOT COUNT     calls that only read
 *     ./cost clock ROOT COUNT     the same by the clock: nanoseconds of one, by kind
 *     ./cost cycles ROOT COUNT    begin and abort, and the memory that is resident on the way
 */
#define _POSIX_C_SOURCE 200809L
#include <time.h>

#include "check.h"

/* Where every instruction counts. */
#define FINE(call)                                                                                 \
    do {                                                                                           \
        if ((call).code != PK_OK) {                                                                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static PkTerminal opened(const char *root) {
    PkTerminalOptions options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.durability = PK_DURABILITY_SALE;
    options.root = (PkText){(const uint8_t *)root, strlen(root)};
    options.id = TEXT("COST");
    PkTerminal terminal = PK_INVALID_HANDLE;
    DONE(pk_terminal_open(&options, &terminal));
    return terminal;
}

static PkTransactionHandle begun(PkTerminal terminal) {
    PkTransactionOptions options = {sizeof options, 0, TEXT("STORE_001"), TEXT("EUR"), {NULL, 0},
                                    {NULL, 0}};
    PkTransactionHandle sale = PK_INVALID_HANDLE;
    FINE(pk_begin_transaction_ex(terminal, &options, &sale));
    return sale;
}

static PkLineInput line_of(PkText sku, int64_t mantissa, uint32_t scale, int64_t price) {
    PkLineInput line;
    memset(&line, 0, sizeof line);
    line.struct_size = sizeof line;
    line.sku = sku;
    line.text = TEXT("something to drink");
    line.quantity = (PkDecimal){mantissa, scale, 0};
    line.unit_price = (PkDecimal){price, 0, 0};
    return line;
}

static void add(PkTransactionHandle sale, PkLineInput line) {
    PkLineAnswer answer;
    answer.struct_size = sizeof answer;
    FINE(pk_add_line_ex(sale, &line, &answer));
}

static void add_three(PkTransactionHandle sale) {
    add(sale, line_of(TEXT("COFFEE_001"), 2, 0, 399));
    add(sale, line_of(TEXT("TEA"), 1, 0, 250));
    add(sale, line_of(TEXT("MILK"), 250, 3, 120));
}

static void is_right(const PkReceipt *receipt) {
    if (receipt->gross != 1078 || receipt->change != 922) {
        abort();
    }
}

static const PkTenderInput twenty = {
    .struct_size = sizeof twenty, .kind = PK_TENDER_CASH, .amount = 2000};

static void sales(PkTerminal terminal, uint64_t count) {
    for (uint64_t i = 0; i < count; i += 1) {
        PkTransactionHandle sale = begun(terminal);
        add_three(sale);
        PkTenderAnswer answer;
        PkReceipt receipt;
        answer.struct_size = sizeof answer;
        receipt.struct_size = sizeof receipt;
        FINE(pk_add_tender_ex(sale, &twenty, &answer));
        FINE(pk_complete_transaction(sale, NULL, 0, &receipt));
        FINE(pk_close_transaction(sale));
        is_right(&receipt);
    }
}

static void carts(PkTerminal terminal, uint64_t count) {
    PkLineInput lines[] = {line_of(TEXT("COFFEE_001"), 2, 0, 399), line_of(TEXT("TEA"), 1, 0, 250),
                           line_of(TEXT("MILK"), 250, 3, 120)};
    PkCart cart;
    memset(&cart, 0, sizeof cart);
    cart.struct_size = sizeof cart;
    cart.store = TEXT("STORE_001");
    cart.currency = TEXT("EUR");
    cart.lines = lines;
    cart.line_count = 3;
    cart.tenders = &twenty;
    cart.tender_count = 1;
    for (uint64_t i = 0; i < count; i += 1) {
        PkReceipt receipt;
        receipt.struct_size = sizeof receipt;
        FINE(pk_sell(terminal, &cart, &receipt));
        is_right(&receipt);
    }
}

/* The calls that a screen makes again and again. */
static PkTransactionHandle shown;
static PkTerminal shown_on;

static PkResult read_totals(void) {
    int64_t total, tendered, change;
    int32_t state;
    return pk_get_totals(shown, &total, &tendered, &change, &state);
}

static PkResult read_totals_ex(void) {
    PkTotals totals;
    totals.struct_size = sizeof totals;
    return pk_get_totals_ex(shown, &totals);
}

static PkResult read_line_count(void) {
    uint32_t count;
    return pk_get_line_count(shown, &count);
}

static PkResult read_line(void) {
    PkLine line;
    line.struct_size = sizeof line;
    return pk_get_line(shown, 3, &line);
}

static PkResult read_line_text(void) {
    uint8_t text[64];
    size_t need;
    return pk_get_line_text(shown, 1, PK_LINE_SKU, text, sizeof text, &need);
}

static PkResult read_store(void) {
    uint8_t text[64];
    size_t need;
    return pk_get_store_name(shown, text, sizeof text, &need);
}

static PkResult read_durable(void) {
    uint64_t sequence;
    return pk_durable_sequence(shown_on, &sequence);
}

static PkResult read_status(void) {
    PkTerminalStatus status;
    status.struct_size = sizeof status;
    return pk_terminal_status(shown_on, &status);
}

static const struct {
    const char *name;
    PkResult (*read)(void);
} reads[] = {
    {"pk_get_totals", read_totals},         {"pk_get_totals_ex", read_totals_ex},
    {"pk_get_line_count", read_line_count}, {"pk_get_line", read_line},
    {"pk_get_line_text", read_line_text},   {"pk_get_store_name", read_store},
    {"pk_durable_sequence", read_durable},  {"pk_terminal_status", read_status},
};

#define READS (sizeof reads / sizeof reads[0])

static void read_all(uint64_t count) {
    for (uint64_t i = 0; i < count; i += 1) {
        for (size_t j = 0; j < READS; j += 1) {
            FINE(reads[j].read());
        }
    }
}

/* Without a check between them, so that nothing but the calls is measured. */
static void time_all(uint64_t count) {
    for (size_t j = 0; j < READS; j += 1) {
        struct timespec from, to;
        int32_t codes = 0;
        clock_gettime(CLOCK_MONOTONIC, &from);
        for (uint64_t i = 0; i < count; i += 1) {
            codes |= reads[j].read().code;
        }
        clock_gettime(CLOCK_MONOTONIC, &to);
        EXPECT(codes == PK_OK);
        int64_t ns = (int64_t)(to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec - from.tv_nsec;
        int64_t tenths = ns * 10 / (int64_t)count;
        printf("{\"call\":\"%s\",\"ns\":%" PRId64 ".%" PRId64 "}\n", reads[j].name, tenths / 10,
               tenths % 10);
    }
}

static long resident_kib(void) {
    long pages = 0, ignored = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    EXPECT(file != NULL);
    EXPECT(fscanf(file, "%ld %ld", &ignored, &pages) == 2);
    fclose(file);
    return pages * 4;
}

static void cycles(PkTerminal terminal, uint64_t count) {
    for (uint64_t i = 0; i < count; i += 1) {
        PkTransactionHandle sale = begun(terminal);
        DONE(pk_abort_transaction_legal(sale, NULL, 0));
        DONE(pk_close_transaction(sale));
        if ((i + 1) % (count / 10) == 0) {
            printf("{\"cycles\":%" PRIu64 ",\"residentKib\":%ld}\n", i + 1, resident_kib());
            fflush(stdout);
        }
    }
}

int main(int count, char **arguments) {
    if (count != 4) {
        fprintf(stderr, "usage: cost sales|carts|reads|clock|cycles ROOT COUNT\n");
        return 2;
    }
    uint64_t times = strtoull(arguments[3], NULL, 10);
    shown_on = opened(arguments[2]);
    EXPECT(times >= 10);
    if (strcmp(arguments[1], "sales") == 0) {
        sales(shown_on, times);
    } else if (strcmp(arguments[1], "carts") == 0) {
        carts(shown_on, times);
    } else if (strcmp(arguments[1], "cycles") == 0) {
        cycles(shown_on, times);
    } else {
        shown = begun(shown_on);
        add_three(shown);
        if (strcmp(arguments[1], "reads") == 0) {
            read_all(times);
        } else {
            time_all(times);
        }
        DONE(pk_abort_transaction_legal(shown, NULL, 0));
    }
    DONE(pk_terminal_close(shown_on));
    return 0;
}
