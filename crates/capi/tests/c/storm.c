/*
 * Calls by chance from many threads on the same terminals, sales and keys; after each round the
 * invariants of the kernel, and again after the terminal has been closed and opened.
 *
 *     POS_KERNEL_ROOT=ROOT ./storm ROOT SEED ROUNDS THREADS CALLS
 *
 * A round is THREADS times CALLS calls. The same seed draws the same calls for each thread; which of
 * them meet is the system's choice. What fails says its seed.
 */
#include <inttypes.h>
#include <pthread.h>

#include "calls.h"
#include "check.h"

#define THREADS_MAX 64
#define SALE_TEXT 262144

static World world;

static PkTerminal opened(void) {
    PkTerminalOptions options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.durability = PK_DURABILITY_SALE;
    options.segment_bytes = 262144;
    options.root = (PkText){(const uint8_t *)world.root, strlen(world.root)};
    options.id = TEXT("STORM");
    PkTerminal terminal = PK_INVALID_HANDLE;
    DONE(pk_terminal_open(&options, &terminal));
    return terminal;
}

static void *storm(void *argument) {
    Player *player = argument;
    uint64_t calls = player->done;
    player->done = 0;
    for (uint64_t i = 0; i < calls; i += 1) {
        play_one(player);
    }
    return NULL;
}

/* What a terminal comes to: what must be the same after closing and opening it. */
typedef struct {
    uint64_t next_receipt;
    size_t currencies;
    PkCounters counters[16];
    size_t sales;
    uint64_t numbers[64];
    char *texts[64];
} Standing;

/* A sale as text, without what says that it came back. */
static char *sale_text(PkTransactionHandle sale) {
    char *text = malloc(SALE_TEXT);
    size_t need = 0;
    EXPECT(text != NULL);
    DONE(pk_get_transaction_json(sale, (uint8_t *)text, SALE_TEXT - 1, &need));
    text[need] = '\0';
    char *flag = strstr(text, "\"recovered\":");
    EXPECT(flag != NULL);
    char *end = strchr(flag, ',');
    EXPECT(end != NULL);
    memmove(flag, end + 1, strlen(end));
    return text;
}

/* An open sale's lines and tenders add up to its totals, and every parent is a live line. */
static void sale_adds_up(PkTransactionHandle sale) {
    PkTotals totals;
    memset(&totals, 0, sizeof totals);
    totals.struct_size = sizeof totals;
    DONE(pk_get_totals_ex(sale, &totals));
    uint32_t lines = 0, tenders = 0;
    DONE(pk_get_line_count(sale, &lines));
    DONE(pk_get_tender_count(sale, &tenders));
    int64_t gross = 0, net = 0, tax = 0, tendered = 0, pending = 0, tips = 0;
    PkLineSplit *splits = calloc(lines + 1, sizeof *splits);
    size_t live = 0, seen = 0;
    EXPECT(splits != NULL);
    splits[0].struct_size = sizeof splits[0];
    DONE(pk_get_line_splits(sale, splits, lines, &live));
    for (uint32_t i = 1; i <= lines; i += 1) {
        PkLine line, parent;
        line.struct_size = sizeof line;
        parent.struct_size = sizeof parent;
        DONE(pk_get_line(sale, i, &line));
        EXPECT(line.line == i && line.parent < i);
        if (!line.voided) {
            EXPECT(splits[seen].line == i && splits[seen].amount == line.amount);
            net += splits[seen].net;
            tax += splits[seen].tax;
            gross += splits[seen].gross;
            seen += 1;
        }
        if (line.parent != 0 && !line.voided) {
            DONE(pk_get_line(sale, line.parent, &parent));
            EXPECT(!parent.voided);
        }
    }
    for (uint32_t i = 1; i <= tenders; i += 1) {
        PkTender tender;
        tender.struct_size = sizeof tender;
        DONE(pk_get_tender(sale, i, &tender));
        EXPECT(tender.tender == i);
        tendered += tender.state == PK_TENDER_CONFIRMED ? tender.amount : 0;
        pending += tender.state == PK_TENDER_PENDING ? tender.amount : 0;
        tips += tender.state <= PK_TENDER_CONFIRMED ? tender.tip : 0;
    }
    free(splits);
    EXPECT(seen == live && totals.net == net && totals.tax == tax && totals.gross == gross);
    EXPECT(totals.tendered == tendered && totals.pending == pending && totals.tips == tips);
    EXPECT(totals.gross + totals.rounding + totals.tips - totals.tendered - totals.pending ==
           totals.due - totals.change);
    EXPECT(totals.change >= 0 && (totals.due == 0 || totals.change == 0));
    EXPECT(totals.state == PK_STATE_BUILDING || totals.state == PK_STATE_COMMITTING ||
           totals.state == PK_STATE_SUSPENDED);
}

static Standing standing(PkTerminal terminal) {
    Standing now;
    memset(&now, 0, sizeof now);
    PkTerminalStatus status;
    status.struct_size = sizeof status;
    DONE(pk_terminal_status(terminal, &status));
    now.next_receipt = status.next_receipt;
    now.counters[0].struct_size = sizeof now.counters[0];
    DONE(pk_get_counters(terminal, now.counters, 16, &now.currencies));
    PkTransactionHandle handles[64];
    DONE(pk_list_open_transactions(terminal, handles, 64, &now.sales));
    EXPECT(now.sales == status.open_sales);
    uint64_t receipts = 0;
    for (size_t i = 0; i < now.currencies; i += 1) {
        receipts += now.counters[i].receipts;
        EXPECT(now.counters[i].sales >= 0 && now.counters[i].returns >= 0);
    }
    EXPECT(receipts == now.next_receipt - 1);
    for (size_t i = 0; i < now.sales; i += 1) {
        DONE(pk_get_sale_number(handles[i], &now.numbers[i]));
        EXPECT(i == 0 || now.numbers[i] > now.numbers[i - 1]);
        sale_adds_up(handles[i]);
        now.texts[i] = sale_text(handles[i]);
    }
    return now;
}

/* The journal verifies, and says the same number of receipts. */
static void verified(PkTerminal terminal, uint64_t receipts) {
    PkVerifyOptions options;
    PkVerifyReport report;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.terminal = terminal;
    report.struct_size = sizeof report;
    DONE(pk_verify_wal_integrity_ex(&options, &report));
    EXPECT(report.problems == 0 && report.receipts == receipts);
}

/* Counters never fall, and no receipt number was given that does not exist. */
static void went_on(const Standing *before, const Standing *now) {
    EXPECT(now->next_receipt >= before->next_receipt && now->currencies >= before->currencies);
    for (size_t i = 0; i < before->currencies; i += 1) {
        int found = 0;
        for (size_t j = 0; j < now->currencies; j += 1) {
            if (memcmp(before->counters[i].currency, now->counters[j].currency, 8) == 0) {
                found = 1;
                EXPECT(now->counters[j].sales >= before->counters[i].sales);
                EXPECT(now->counters[j].returns >= before->counters[i].returns);
                EXPECT(now->counters[j].receipts >= before->counters[i].receipts);
                EXPECT(now->counters[j].voids >= before->counters[i].voids);
            }
        }
        EXPECT(found);
    }
    for (uint64_t i = now->next_receipt; i < RECEIPTS_MAX; i += 1) {
        if (world.given[i]) {
            EXPECT(!"a receipt was given that the terminal does not know");
        }
    }
}

static void same(const Standing *before, const Standing *now) {
    EXPECT(now->next_receipt == before->next_receipt && now->currencies == before->currencies);
    EXPECT(memcmp(now->counters, before->counters, sizeof now->counters) == 0);
    EXPECT(now->sales == before->sales);
    for (size_t i = 0; i < now->sales; i += 1) {
        EXPECT(now->numbers[i] == before->numbers[i]);
        EXPECT(strcmp(now->texts[i], before->texts[i]) == 0);
    }
}

/* Resumes every sale that waits here. */
static void resume_all(void) {
    static char text[65536];
    size_t need = 0;
    DONE(pk_list_suspended_json(world.terminal, (uint8_t *)text, sizeof text - 1, &need));
    text[need] = '\0';
    for (const char *at = text; (at = strstr(at, "\"ticket\":\"")) != NULL;) {
        at += 10;
        PkTransactionHandle sale = PK_INVALID_HANDLE;
        size_t size = strcspn(at, "\"");
        PkResult result =
            pk_resume_transaction(world.terminal, (const uint8_t *)at, size, NULL, 0, &sale);
        /* It may have gone on elsewhere, or be of training while that is off. */
        EXPECT(result.code <= PK_INVALID_STATE || result.detail == PK_E_LIMIT);
    }
}

#define OPEN_KEPT 16

/* Ends most of the open sales, and gives the players handles of the others, beside stale ones. */
static void make_room(void) {
    PkTransactionHandle handles[64];
    size_t count = 0;
    PkReason reason;
    memset(&reason, 0, sizeof reason);
    reason.struct_size = sizeof reason;
    reason.reason = TEXT("the round is over");
    resume_all();
    DONE(pk_list_open_transactions(world.terminal, handles, 64, &count));
    for (size_t i = OPEN_KEPT; i < count; i += 1) {
        uint32_t tenders = 0;
        PkTotals totals;
        totals.struct_size = sizeof totals;
        DONE(pk_get_totals_ex(handles[i], &totals));
        if (totals.state == PK_STATE_SUSPENDED) {
            continue;
        }
        DONE(pk_get_tender_count(handles[i], &tenders));
        for (uint32_t tender = 1; tender <= tenders; tender += 1) {
            PkResult result = pk_void_tender(handles[i], tender, &reason, NULL);
            EXPECT(result.code == PK_OK || result.detail == PK_E_TENDER_STATE);
        }
        DONE(pk_void_transaction(handles[i], &reason));
        DONE(pk_close_transaction(handles[i]));
    }
    for (size_t i = 0; i < SALES && count > 0; i += 2) {
        world.sales[i] = handles[i % count];
    }
}

static void forget(Standing *standing) {
    for (size_t i = 0; i < standing->sales; i += 1) {
        free(standing->texts[i]);
    }
    memset(standing, 0, sizeof *standing);
}

int main(int count, char **arguments) {
    if (count != 6) {
        fprintf(stderr, "usage: storm ROOT SEED ROUNDS THREADS CALLS\n");
        return 2;
    }
    world.root = arguments[1];
    uint64_t seed = strtoull(arguments[2], NULL, 10);
    unsigned rounds = (unsigned)atoi(arguments[3]), threads = (unsigned)atoi(arguments[4]);
    uint64_t calls = strtoull(arguments[5], NULL, 10), done = 0, refused = 0;
    EXPECT(threads >= 1 && threads <= THREADS_MAX);
    static Player players[THREADS_MAX];
    static uint8_t buffers[THREADS_MAX][BUFFER];
    pthread_t running[THREADS_MAX];
    world.terminal = opened();
    Standing before;
    memset(&before, 0, sizeof before);
    for (unsigned round = 0; round < rounds; round += 1) {
        for (unsigned i = 0; i < threads; i += 1) {
            memset(&players[i], 0, sizeof players[i]);
            players[i].world = &world;
            players[i].seed = seed;
            players[i].chance.state = (seed + 1) * 0x9e3779b97f4a7c15 ^ (round * 64 + i + 1);
            players[i].buffer = buffers[i];
            players[i].done = calls;
            EXPECT(pthread_create(&running[i], NULL, storm, &players[i]) == 0);
        }
        for (unsigned i = 0; i < threads; i += 1) {
            EXPECT(pthread_join(running[i], NULL) == 0);
            done += players[i].done;
            refused += players[i].refused;
        }
        /* Else the next opening would do it, and find fewer open sales. */
        size_t gone = 0;
        DONE(pk_collect_transfers(world.terminal, &gone));
        Standing now = standing(world.terminal);
        verified(world.terminal, now.next_receipt - 1);
        went_on(&before, &now);
        DONE(pk_terminal_close(world.terminal));
        world.terminal = opened();
        Standing again = standing(world.terminal);
        same(&now, &again);
        forget(&before);
        forget(&now);
        before = again;
        make_room();
    }
    printf("{\"calls\":%" PRIu64 ",\"answered\":%" PRIu64 ",\"refused\":%" PRIu64
           ",\"receipts\":%" PRIu64 ",\"openSales\":%zu}\n",
           (uint64_t)rounds * threads * calls, done, refused, before.next_receipt - 1, before.sales);
    forget(&before);
    DONE(pk_terminal_close(world.terminal));
    pk_shutdown_terminal();
    for (size_t i = 0; i < EXTRAS; i += 1) {
        pk_terminal_close(world.extras[i]);
    }
    return 0;
}
