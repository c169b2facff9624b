/*
 * Every function of the library, called with arguments by chance. After each call it is judged: the
 * code fits the detail and is not a fault of the library, a refusal has left the out-parameters
 * alone, and an answer agrees with itself.
 */
#ifndef CALLS_H
#define CALLS_H

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "pos_kernel.h"

#define SALES 24
#define EXTRAS 2
#define RECEIPTS_MAX 200000
#define BUFFER 65536
#define PLACES 4
#define CANARY UINT64_C(0xa5a5a5a5a5a5a5a5)

/* What all threads play with. Handles stay here when they have come to mean nothing. */
typedef struct {
    const char *root;
    _Atomic uint64_t terminal;
    _Atomic uint64_t extras[EXTRAS];
    _Atomic uint64_t sales[SALES];
    /* Receipt numbers of the main terminal that were given to somebody. */
    _Atomic unsigned char given[RECEIPTS_MAX];
} World;

/* One thread. */
typedef struct {
    World *world;
    Chance chance;
    uint64_t seed;
    uint64_t done;
    uint64_t refused;
    const char *call;
    uint8_t room[4][300];
    uint8_t *buffer;
    /* What lines and carts point to, one place after the other. */
    PkTaxInput taxes[PLACES][3];
    PkAdjustment adjustments[PLACES][2];
    unsigned place;
    uint8_t ticket[96];
    uint64_t report;
} Player;

static void must(Player *player, int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "seed %" PRIu64 ": %s: not so: %s\n", player->seed, player->call, what);
        abort();
    }
}

#define MUST(what) must(player, (what), #what)

/* Whether a call was answered; a result that the library should not give ends the program. */
static int answered(Player *player, PkResult result) {
    int32_t family = result.detail / 100;
    int fits = result.code == family;
    if (result.detail == PK_E_BUFFER_TOO_SMALL || result.detail == PK_E_APPROVAL_REQUIRED) {
        fits = result.code == (result.detail == PK_E_BUFFER_TOO_SMALL ? PK_INSUFFICIENT_BUFFER
                                                                      : PK_DENIED);
    }
    if (!fits || (family > 3 && family != 8)) {
        char text[512];
        size_t need = 0;
        int has_text = pk_last_error((uint8_t *)text, sizeof text, &need).code == PK_OK;
        fprintf(stderr, "seed %" PRIu64 ": %s: code %d, detail %d: %.*s\n", player->seed,
                player->call, result.code, result.detail, has_text ? (int)need : 0, text);
        abort();
    }
    if (result.code == PK_OK) {
        player->done += 1;
        return 1;
    }
    player->refused += 1;
    return 0;
}

/* ---- what to call with ---------------------------------------------------------------------- */

static uint64_t a_sale(Player *player) {
    Chance *chance = &player->chance;
    if (one_in(chance, 16)) {
        switch (below(chance, 4)) {
        case 0:
            return PK_INVALID_HANDLE;
        case 1:
            return draw(chance);
        case 2:
            return player->world->terminal;
        default:
            return player->world->sales[below(chance, SALES)] ^ (UINT64_C(1) << below(chance, 64));
        }
    }
    return player->world->sales[below(chance, SALES)];
}

static uint64_t an_extra(Player *player) {
    return player->world->extras[below(&player->chance, EXTRAS)];
}

static uint64_t a_terminal(Player *player) {
    Chance *chance = &player->chance;
    if (one_in(chance, 16)) {
        switch (below(chance, 3)) {
        case 0:
            return PK_INVALID_HANDLE;
        case 1:
            return draw(chance);
        default:
            return player->world->sales[below(chance, SALES)];
        }
    }
    return one_in(chance, 8) ? an_extra(player) : player->world->terminal;
}

static void keep_sale(Player *player, uint64_t sale) {
    MUST(sale != PK_INVALID_HANDLE);
    player->world->sales[below(&player->chance, SALES)] = sale;
}

static PkText word(Player *player, int room, const char *good) {
    return text(&player->chance, player->room[room], good);
}

static PkText sku(Player *player) {
    static const char *const skus[] = {"COFFEE_001", "TEA", "G\xc3\xa2teau", "BAG"};
    return word(player, 0, skus[below(&player->chance, 4)]);
}

static PkText currency(Player *player) {
    static const char *const currencies[] = {"EUR", "USD", "JPY", "KWD"};
    if (one_in(&player->chance, 24)) {
        return word(player, 1, one_in(&player->chance, 2) ? "XYZ" : "eu");
    }
    return word(player, 1, currencies[below(&player->chance, 4)]);
}

/* Few keys, so that some are used again for the same call and some for another. */
static PkText key(Player *player) {
    static const char *const keys[] = {"k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8"};
    if (!one_in(&player->chance, 12)) {
        return (PkText){NULL, 0};
    }
    return word(player, 2, keys[below(&player->chance, 8)]);
}

static PkText because(Player *player) {
    return word(player, 3, "because");
}

static PkReason reason(Player *player) {
    PkReason reason;
    memset(&reason, 0, sizeof reason);
    reason.struct_size = size_of(&player->chance, sizeof reason);
    reason.reason = because(player);
    reason.key = key(player);
    return reason;
}

/* Few taxes, so that they meet in the rows of a table. */
static PkTaxInput tax(Player *player) {
    static const uint32_t rates[] = {190000, 70000, 82500, 0};
    Chance *chance = &player->chance;
    uint64_t which = below(chance, 4);
    PkTaxInput tax;
    memset(&tax, 0, sizeof tax);
    tax.struct_size = sizeof tax;
    tax.rate_ppm = one_in(chance, 24) ? (uint32_t)draw(chance) : rates[which];
    tax.tax_class = word(player, 3, which == 0 ? "S" : "R");
    tax.inclusive = one_in(chance, 48) ? (uint32_t)draw(chance) : (uint32_t)below(chance, 3);
    return tax;
}

static PkAdjustment adjustment(Player *player) {
    Chance *chance = &player->chance;
    PkAdjustment adjustment;
    memset(&adjustment, 0, sizeof adjustment);
    adjustment.struct_size = sizeof adjustment;
    adjustment.direction = 1 + (uint32_t)below(chance, 2);
    adjustment.unit = 1 + (uint32_t)below(chance, 2);
    adjustment.value = adjustment.unit == PK_ADJUST_PPM ? 100000 : (int64_t)below(chance, 200);
    if (one_in(chance, 24)) {
        adjustment.value = amount(chance);
        adjustment.direction = (uint32_t)below(chance, 4);
        adjustment.unit = (uint32_t)below(chance, 4);
    }
    adjustment.approval = one_in(chance, 8) ? below(chance, 3) : 0;
    adjustment.reason = because(player);
    return adjustment;
}

static PkPolicy policy(Player *player) {
    Chance *chance = &player->chance;
    static const char *const currencies[] = {"EUR", "USD", "JPY", "KWD"};
    PkPolicy policy;
    memset(&policy, 0, sizeof policy);
    policy.struct_size = size_of(chance, sizeof policy);
    memcpy(policy.currency, currencies[below(chance, 4)], 3);
    policy.prices = (uint32_t)below(chance, 3);
    policy.tax_scope = (uint32_t)below(chance, 4);
    policy.tax_rounding = (uint32_t)below(chance, 5);
    policy.gross_split = (uint32_t)below(chance, 3);
    policy.amount_rounding = (uint32_t)below(chance, 5);
    policy.cash_step = one_in(chance, 2) ? 5 : 0;
    policy.cash_rounding = (uint32_t)below(chance, 5);
    policy.unbound_returns = (uint32_t)below(chance, 4);
    if (one_in(chance, 4)) {
        policy.flags = PK_POLICY_CHANGE_FROM;
        policy.change_from = 1 << PK_TENDER_CASH | 1 << PK_TENDER_VOUCHER;
    }
    if (one_in(chance, 24)) {
        uint32_t *wild = &policy.minor_digits + below(chance, 10);
        *wild = (uint32_t)draw(chance);
        policy.flags = one_in(chance, 2) ? (uint32_t)draw(chance) : PK_POLICY_MINOR_DIGITS;
    }
    return policy;
}

static PkLineInput line(Player *player) {
    Chance *chance = &player->chance;
    PkLineInput line;
    memset(&line, 0, sizeof line);
    line.struct_size = size_of(chance, sizeof line);
    line.parent = one_in(chance, 4) ? number(chance) : 0;
    line.sku = sku(player);
    if (one_in(chance, 3)) {
        line.text = word(player, 3, "\xe5\x8f\xa3\xe9\xa6\x99\xe7\xb3\x96");
    }
    line.quantity = decimal(chance);
    line.unit_price = decimal(chance);
    line.key = key(player);
    line.kind = one_in(chance, 8) ? (uint32_t)below(chance, 6) : 0;
    line.per = one_in(chance, 8) ? decimal(chance) : (PkDecimal){0, 0, 0};
    line.approval = one_in(chance, 8) ? 1 + below(chance, 3) : 0;
    unsigned place = player->place;
    player->place = (place + 1) % PLACES;
    if (one_in(chance, 2)) {
        line.tax_count = 1 + below(chance, 2);
        line.taxes = player->taxes[place];
        for (size_t i = 0; i < line.tax_count; i += 1) {
            player->taxes[place][i] = tax(player);
        }
        player->taxes[place][0].struct_size = size_of(chance, sizeof player->taxes[place][0]);
        if (player->taxes[place][0].struct_size != sizeof player->taxes[place][0]) {
            line.tax_count = 1;
        }
    }
    if (one_in(chance, 6)) {
        line.adjustment_count = 1 + below(chance, 2);
        line.adjustments = player->adjustments[place];
        for (size_t i = 0; i < line.adjustment_count; i += 1) {
            player->adjustments[place][i] = adjustment(player);
        }
    }
    if (one_in(chance, 48)) {
        line.taxes = NULL;
        line.tax_count = one_in(chance, 2) ? 1 : SIZE_MAX;
    }
    return line;
}

static PkTenderInput tender(Player *player) {
    Chance *chance = &player->chance;
    PkTenderInput tender;
    memset(&tender, 0, sizeof tender);
    tender.struct_size = size_of(chance, sizeof tender);
    tender.kind = one_in(chance, 3) ? 1 + (uint32_t)below(chance, 5) : PK_TENDER_CASH;
    tender.amount = one_in(chance, 6) ? amount(chance) / -2 : amount(chance);
    tender.flags = one_in(chance, 6) ? PK_TENDER_IS_PENDING : 0;
    if (one_in(chance, 24)) {
        tender.kind = (uint32_t)draw(chance);
        tender.flags = (uint32_t)draw(chance);
    }
    tender.tip = one_in(chance, 8) ? amount(chance) / 16 : 0;
    if (one_in(chance, tender.kind == PK_TENDER_FOREIGN ? 1 : 24)) {
        tender.currency = word(player, 2, one_in(chance, 2) ? "CHF" : "EUR");
        tender.rate = (PkDecimal){9312, 4, 0};
        tender.per = one_in(chance, 4) ? 100 : 0;
        if (one_in(chance, 8)) {
            tender.rate = decimal(chance);
        }
    }
    tender.reference = one_in(chance, 4) ? word(player, 3, "slip-1") : (PkText){NULL, 0};
    tender.key = key(player);
    return tender;
}

/* ---- how to judge --------------------------------------------------------------------------- */

/* Completions of the main terminal are counted: a number is given once. Training has its own. */
static void given(Player *player, uint64_t terminal, const PkReceipt *answer) {
    uint64_t receipt = answer->receipt;
    MUST(receipt >= 1 && receipt < RECEIPTS_MAX);
    if (terminal != player->world->terminal || answer->replayed != 0 ||
        answer->circle != PK_CIRCLE_SALE) {
        return;
    }
    MUST(atomic_exchange(&player->world->given[receipt], 1) == 0);
}

static void judge_receipt(Player *player, const PkReceipt *receipt) {
    if (receipt->struct_size == sizeof *receipt) {
        MUST(receipt->tendered - receipt->change ==
             receipt->gross + receipt->rounding + receipt->tips);
        MUST(receipt->net + receipt->tax == receipt->gross);
        MUST(receipt->change >= 0);
        MUST(receipt->sequence > 0);
    }
}

/* A structure to be filled, with a size that is right or not and canaries behind it. */
#define OUT(type, name)                                                                            \
    type name;                                                                                     \
    memset(&name, 0xa5, sizeof name);                                                              \
    name.struct_size = size_of(&player->chance, sizeof name);                                      \
    const uint32_t name##_size = name.struct_size

/* After the call: the size stands, and a refusal has written nothing. */
#define KEPT(type, name, is_answered)                                                              \
    do {                                                                                           \
        type untouched;                                                                            \
        memset(&untouched, 0xa5, sizeof untouched);                                                \
        untouched.struct_size = name##_size;                                                       \
        MUST(name.struct_size == name##_size);                                                     \
        MUST((is_answered) || memcmp(&untouched, &name, sizeof name) == 0);                        \
    } while (0)

/* A text out, by two calls that may meet another state in between. `call` uses these three names. */
#define TEXT_OUT(call)                                                                             \
    do {                                                                                           \
        uint8_t *buffer = player->buffer;                                                          \
        static const size_t rooms[] = {0, 1, 3, 16, 300, BUFFER - 1, BUFFER - 1, BUFFER - 1};      \
        size_t capacity = rooms[below(&player->chance, 8)];                                        \
        size_t need = (size_t)CANARY;                                                              \
        memset(buffer, 0xa5, 400);                                                                 \
        buffer[capacity] = 0xa5;                                                                   \
        PkResult result = (call);                                                                  \
        if (answered(player, result)) {                                                            \
            MUST(need <= capacity);                                                                \
        } else if (result.code == PK_INSUFFICIENT_BUFFER) {                                        \
            MUST(need > capacity && need != (size_t)CANARY && buffer[0] == 0xa5);                  \
        } else {                                                                                   \
            MUST(need == (size_t)CANARY && buffer[0] == 0xa5);                                     \
        }                                                                                          \
        MUST(buffer[capacity] == 0xa5);                                                            \
    } while (0)

/* One number out. `call` uses `out`. */
#define NUMBER_OUT(type, call)                                                                     \
    do {                                                                                           \
        type out = (type)CANARY;                                                                   \
        int is_answered = answered(player, (call));                                                \
        MUST(is_answered || out == (type)CANARY);                                                  \
    } while (0)

#define CALL(name) static void play_##name(Player *player)
#define CHANCE (&player->chance)

/* ---- the library ---------------------------------------------------------------------------- */

CALL(pk_abi_version) { MUST(pk_abi_version() >> 16 == 1); }
CALL(pk_get_version) { MUST(pk_get_version()[0] != 0); }
CALL(pk_result_is_ok) {
    PkResult result = {(int32_t)below(CHANCE, 10), 0};
    MUST(pk_result_is_ok(result) == (result.code == PK_OK));
}
CALL(pk_result_get_code) {
    PkResult result = {(int32_t)draw(CHANCE), 0};
    MUST(pk_result_get_code(result) == result.code);
}
CALL(pk_detail_name) {
    int32_t detail = one_in(CHANCE, 4) ? (int32_t)draw(CHANCE) : (int32_t)(100 + below(CHANCE, 850));
    TEXT_OUT(pk_detail_name(detail, buffer, capacity, &need));
}
CALL(pk_last_error) { TEXT_OUT(pk_last_error(buffer, capacity, &need)); }
CALL(pk_last_error_json) { TEXT_OUT(pk_last_error_json(buffer, capacity, &need)); }
CALL(pk_now_utc_ns) { NUMBER_OUT(int64_t, pk_now_utc_ns(&out)); }
CALL(pk_validate_currency_code) {
    PkText letters = currency(player);
    answered(player, pk_validate_currency_code(letters.data, letters.size));
}
CALL(pk_is_standard_currency) {
    PkText letters = currency(player);
    int32_t is_one = pk_is_standard_currency(letters.data, letters.size);
    MUST(is_one == (pk_validate_currency_code(letters.data, letters.size).code == PK_OK));
}
CALL(pk_currency_exponent) {
    PkText letters = currency(player);
    NUMBER_OUT(uint32_t, pk_currency_exponent(letters.data, letters.size, &out));
}

/* ---- the terminal of the process ------------------------------------------------------------ */

CALL(pk_initialize_terminal) {
    PkText id = word(player, 0, "CLASSIC");
    if (id.size > 0 && id.data == player->room[0]) {
        id.size = 33;
    }
    answered(player, pk_initialize_terminal(id.data, id.size));
}
CALL(pk_get_terminal_info) { TEXT_OUT(pk_get_terminal_info(buffer, capacity, &need)); }
CALL(pk_shutdown_terminal) { answered(player, pk_shutdown_terminal()); }
CALL(pk_default_terminal) { NUMBER_OUT(uint64_t, pk_default_terminal(&out)); }
CALL(pk_verify_wal_integrity) { answered(player, pk_verify_wal_integrity()); }
CALL(pk_force_wal_sync) { answered(player, pk_force_wal_sync()); }

static void begin_classic(Player *player, PkResult (*begin)(const uint8_t *, size_t, const uint8_t *,
                                                            size_t, PkTransactionHandle *)) {
    PkText store = word(player, 0, "STORE_001"), letters = currency(player);
    PkTransactionHandle sale = CANARY;
    if (answered(player, begin(store.data, store.size, letters.data, letters.size, &sale))) {
        keep_sale(player, sale);
    } else {
        MUST(sale == CANARY);
    }
}
CALL(pk_begin_transaction_legal) { begin_classic(player, pk_begin_transaction_legal); }
CALL(pk_begin_transaction) { begin_classic(player, pk_begin_transaction); }

/* ---- terminals ------------------------------------------------------------------------------ */

CALL(pk_terminal_open) {
    static const char *const ids[] = {"EXTRA_0", "EXTRA_1"};
    uint64_t which = below(CHANCE, EXTRAS);
    PkTerminalOptions options;
    memset(&options, 0, sizeof options);
    options.struct_size = size_of(CHANCE, sizeof options);
    options.flags = one_in(CHANCE, 24) ? (uint32_t)draw(CHANCE) & ~(uint32_t)PK_OPEN_TEST_CLOCK : 0;
    options.root = (PkText){(const uint8_t *)player->world->root, strlen(player->world->root)};
    options.id = (PkText){(const uint8_t *)ids[which], 7};
    options.host_version = word(player, 3, "storm");
    options.durability = one_in(CHANCE, 24) ? (uint32_t)draw(CHANCE) : PK_DURABILITY_SALE;
    PkTerminal terminal = CANARY;
    if (options.struct_size < sizeof options && options.struct_size >= 8) {
        /* A shorter structure names no root: it would open what the environment names. */
        options.struct_size = 0;
    }
    if (answered(player, pk_terminal_open(&options, &terminal))) {
        player->world->extras[which] = terminal;
    } else {
        MUST(terminal == CANARY);
    }
}
CALL(pk_terminal_close) { answered(player, pk_terminal_close(an_extra(player))); }
CALL(pk_terminal_id) { TEXT_OUT(pk_terminal_id(a_terminal(player), buffer, capacity, &need)); }
CALL(pk_terminal_dir) { TEXT_OUT(pk_terminal_dir(a_terminal(player), buffer, capacity, &need)); }
CALL(pk_terminal_status) {
    OUT(PkTerminalStatus, status);
    int is_answered = answered(player, pk_terminal_status(a_terminal(player), &status));
    KEPT(PkTerminalStatus, status, is_answered);
    if (is_answered && status_size == sizeof status) {
        MUST(status.durable_sequence <= status.sequence && status.poisoned == 0);
        MUST(status.open_sales <= status.open_sales_max);
    }
}
CALL(pk_terminal_stats) {
    OUT(PkTerminalStats, stats);
    int is_answered = answered(player, pk_terminal_stats(a_terminal(player), &stats));
    KEPT(PkTerminalStats, stats, is_answered);
}
CALL(pk_recovery_report) { TEXT_OUT(pk_recovery_report(a_terminal(player), buffer, capacity, &need)); }
CALL(pk_get_counters) {
    PkCounters counters[16];
    memset(counters, 0xa5, sizeof counters);
    counters[0].struct_size = size_of(CHANCE, sizeof counters[0]);
    size_t capacity = one_in(CHANCE, 4) ? 0 : 16, count = (size_t)CANARY;
    PkResult result = pk_get_counters(a_terminal(player), counters, capacity, &count);
    if (answered(player, result)) {
        MUST(count <= capacity);
    } else {
        MUST(counters[0].sales == (int64_t)CANARY);
        MUST((result.code == PK_INSUFFICIENT_BUFFER) == (count != (size_t)CANARY));
    }
}
/* An array of structures out, with a distance that is right or not and canaries behind it. `call`
   uses these three names. */
#define ARRAY_OUT(type, call)                                                                      \
    do {                                                                                           \
        type items[65];                                                                            \
        memset(items, 0xa5, sizeof items);                                                         \
        items[0].struct_size = size_of(&player->chance, sizeof items[0]);                          \
        const uint32_t size = items[0].struct_size;                                                \
        size_t capacity = one_in(&player->chance, 4) ? below(&player->chance, 3) : 64;             \
        size_t count = (size_t)CANARY;                                                             \
        PkResult result = (call);                                                                  \
        uint64_t behind = CANARY;                                                                  \
        memcpy(&behind, (uint8_t *)items + (size == sizeof items[0] ? capacity * size : 64), 8);   \
        if (answered(player, result)) {                                                            \
            MUST(count <= capacity);                                                               \
            MUST(size != sizeof items[0] || capacity == 0 || behind == CANARY);                    \
        } else {                                                                                   \
            memcpy(&behind, (uint8_t *)items + 8, 8);                                              \
            MUST(items[0].struct_size == size && behind == CANARY);                                \
            MUST((result.code == PK_INSUFFICIENT_BUFFER) == (count != (size_t)CANARY));            \
        }                                                                                          \
    } while (0)

CALL(pk_get_tax_counters) {
    ARRAY_OUT(PkTaxCounters, pk_get_tax_counters(a_terminal(player), items, capacity, &count));
}
CALL(pk_set_policy) {
    PkPolicy rules = policy(player);
    PkText once = key(player);
    OUT(PkPolicyAnswer, answer);
    int is_answered = answered(player, pk_set_policy(a_terminal(player), &rules, once.data,
                                                     once.size, &answer));
    KEPT(PkPolicyAnswer, answer, is_answered);
}
CALL(pk_set_rules) {
    static const char *const sources[] = {
        "table,lines,hit,first,at,line\nrule,sku,decision\n,when text,then text refuse|allow\n"
        "never,never,refuse\nother,,allow\n",
        "table,lines,hit,first,at,line\nrule,sku,decision\n",
        "{}",
    };
    const char *source = sources[below(CHANCE, 3)];
    PkRuleTable table;
    memset(&table, 0, sizeof table);
    table.struct_size = size_of(CHANCE, sizeof table);
    table.source = (PkText){(const uint8_t *)source, strlen(source)};
    PkText once = key(player);
    OUT(PkRulesAnswer, answer);
    int is_answered = answered(player, pk_set_rules(a_terminal(player), &table, below(CHANCE, 2),
                                                    once.data, once.size, &answer));
    KEPT(PkRulesAnswer, answer, is_answered);
}
CALL(pk_get_rules_json) {
    TEXT_OUT(pk_get_rules_json(a_terminal(player), buffer, capacity, &need));
}
CALL(pk_get_policy) {
    PkText letters = currency(player);
    OUT(PkPolicy, got);
    int is_answered =
        answered(player, pk_get_policy(a_terminal(player), letters.data, letters.size, &got));
    KEPT(PkPolicy, got, is_answered);
    MUST(!is_answered || got_size < sizeof got || (got.prices >= 1 && got.cash_step >= 1));
}
/* An answer that is a fact's. `call` uses these two names. */
#define FACT_OUT(call)                                                                             \
    do {                                                                                           \
        PkText once = key(player);                                                                 \
        OUT(PkFactAnswer, answer);                                                                 \
        int is_answered = answered(player, (call));                                                \
        KEPT(PkFactAnswer, answer, is_answered);                                                   \
        if (is_answered && answer_size == sizeof answer) {                                         \
            MUST(answer.sequence > 0);                                                             \
            player->report = answer.sequence;                                                      \
        }                                                                                          \
    } while (0)

CALL(pk_sign_on) {
    PkText who = word(player, 3, one_in(CHANCE, 2) ? "Anna" : "Berta");
    FACT_OUT(pk_sign_on(a_terminal(player), who.data, who.size, once.data, once.size, &answer));
}
CALL(pk_sign_off) {
    PkText who = word(player, 3, one_in(CHANCE, 2) ? "Anna" : "Berta");
    FACT_OUT(pk_sign_off(a_terminal(player), who.data, who.size, once.data, once.size, &answer));
}
CALL(pk_approve) {
    PkApproval approval;
    memset(&approval, 0, sizeof approval);
    approval.struct_size = size_of(CHANCE, sizeof approval);
    approval.approver = word(player, 3, "Clara");
    approval.what = word(player, 0, "this once");
    FACT_OUT((approval.key = once, pk_approve(a_terminal(player), &approval, &answer)));
}
CALL(pk_set_training) {
    FACT_OUT(pk_set_training(a_terminal(player), (uint32_t)below(CHANCE, 3), below(CHANCE, 3),
                             once.data, once.size, &answer));
}
CALL(pk_open_shift) {
    PkCash cash[2];
    memset(cash, 0, sizeof cash);
    for (size_t i = 0; i < 2; i += 1) {
        cash[i].struct_size = sizeof cash[i];
        memcpy(cash[i].currency, i == 0 ? "EUR" : "USD", 3);
        cash[i].amount = amount(CHANCE);
    }
    FACT_OUT(pk_open_shift(a_terminal(player), cash, below(CHANCE, 3), once.data, once.size,
                           &answer));
}
CALL(pk_close_shift) {
    FACT_OUT(pk_close_shift(a_terminal(player), once.data, once.size, &answer));
}
CALL(pk_move_cash) {
    PkCashMovement movement;
    memset(&movement, 0, sizeof movement);
    movement.struct_size = size_of(CHANCE, sizeof movement);
    movement.kind = (uint32_t)below(CHANCE, 5);
    if (movement.kind != PK_MOVE_NO_SALE || one_in(CHANCE, 8)) {
        movement.amount = amount(CHANCE);
        movement.currency = word(player, 1, "EUR");
    }
    movement.reason = because(player);
    movement.approval = one_in(CHANCE, 8) ? below(CHANCE, 50) : 0;
    FACT_OUT((movement.key = once, pk_move_cash(a_terminal(player), &movement, &answer)));
}
CALL(pk_send_cash) {
    PkText to = word(player, 0, "OTHER");
    PkCashMovement movement;
    memset(&movement, 0, sizeof movement);
    movement.struct_size = size_of(CHANCE, sizeof movement);
    movement.kind = one_in(CHANCE, 8) ? (uint32_t)below(CHANCE, 5) : PK_MOVE_PAID_OUT;
    movement.amount = amount(CHANCE);
    movement.currency = word(player, 1, "EUR");
    movement.reason = because(player);
    movement.key = key(player);
    OUT(PkCashTicket, answer);
    int is_answered =
        answered(player, pk_send_cash(a_terminal(player), to.data, to.size, &movement, &answer));
    KEPT(PkCashTicket, answer, is_answered);
}
CALL(pk_receive_cash) {
    PkText given = word(player, 0, "OTHER.cash.7");
    PkReason why = reason(player);
    OUT(PkCashReceived, answer);
    int is_answered = answered(player, pk_receive_cash(a_terminal(player), given.data, given.size,
                                                       &why, &answer));
    KEPT(PkCashReceived, answer, is_answered);
    MUST(!is_answered || answer_size < sizeof answer || answer.amount > 0);
}
CALL(pk_list_cash_in_transit_json) {
    TEXT_OUT(pk_list_cash_in_transit_json(a_terminal(player), buffer, capacity, &need));
}
CALL(pk_count_cash) {
    PkText once = key(player);
    OUT(PkCountAnswer, answer);
    int is_answered = answered(player, pk_count_cash(a_terminal(player), (const uint8_t *)"EUR", 3,
                                                     amount(CHANCE), once.data, once.size,
                                                     &answer));
    KEPT(PkCountAnswer, answer, is_answered);
    MUST(!is_answered || answer_size < sizeof answer ||
         answer.counted - answer.expected == answer.over_short);
}
CALL(pk_get_drawer) {
    ARRAY_OUT(PkDrawer, pk_get_drawer(a_terminal(player), items, capacity, &count));
}
CALL(pk_get_attendance) {
    OUT(PkAttendance, now);
    int is_answered = answered(player, pk_get_attendance(a_terminal(player), &now));
    KEPT(PkAttendance, now, is_answered);
}
CALL(pk_get_operator) { TEXT_OUT(pk_get_operator(a_terminal(player), buffer, capacity, &need)); }
CALL(pk_x_report) { FACT_OUT(pk_x_report(a_terminal(player), once.data, once.size, &answer)); }
CALL(pk_z_report) { FACT_OUT(pk_z_report(a_terminal(player), once.data, once.size, &answer)); }
CALL(pk_period_close) {
    FACT_OUT(pk_period_close(a_terminal(player), (uint32_t)below(CHANCE, 5), once.data, once.size,
                             &answer));
}
CALL(pk_get_report_json) {
    uint64_t sequence = one_in(CHANCE, 4) ? draw(CHANCE) : player->report;
    TEXT_OUT(pk_get_report_json(a_terminal(player), sequence, buffer, capacity, &need));
}
CALL(pk_reprint) {
    FACT_OUT(pk_reprint(a_terminal(player), (uint32_t)below(CHANCE, 4), below(CHANCE, 40),
                        one_in(CHANCE, 8) ? below(CHANCE, 50) : 0, once.data, once.size, &answer));
}
CALL(pk_list_open_transactions) {
    PkTransactionHandle handles[64];
    memset(handles, 0xa5, sizeof handles);
    size_t capacity = one_in(CHANCE, 6) ? below(CHANCE, 4) : 64, count = (size_t)CANARY;
    PkResult result = pk_list_open_transactions(a_terminal(player), handles, capacity, &count);
    if (answered(player, result)) {
        MUST(count <= capacity);
        if (count > 0) {
            keep_sale(player, handles[below(CHANCE, count)]);
        }
    } else {
        MUST(handles[0] == CANARY);
    }
}
CALL(pk_find_transaction) {
    PkTransactionHandle sale = CANARY;
    uint64_t wanted = one_in(CHANCE, 8) ? draw(CHANCE) : 1 + below(CHANCE, 2000);
    if (answered(player, pk_find_transaction(a_terminal(player), wanted, &sale))) {
        keep_sale(player, sale);
    } else {
        MUST(sale == CANARY);
    }
}
CALL(pk_durable_sequence) { NUMBER_OUT(uint64_t, pk_durable_sequence(a_terminal(player), &out)); }
CALL(pk_wait_durable) {
    uint64_t sequence = one_in(CHANCE, 8) ? draw(CHANCE) : below(CHANCE, 100);
    answered(player, pk_wait_durable(a_terminal(player), sequence));
}
CALL(pk_force_wal_sync_ex) { answered(player, pk_force_wal_sync_ex(a_terminal(player))); }

/* ---- sales ---------------------------------------------------------------------------------- */

CALL(pk_begin_transaction_ex) {
    PkTransactionOptions options;
    memset(&options, 0, sizeof options);
    options.struct_size = size_of(CHANCE, sizeof options);
    options.flags = one_in(CHANCE, 2) ? PK_BEGIN_AUTO_COMPLETE : 0;
    if (one_in(CHANCE, 24)) {
        options.flags = (uint32_t)draw(CHANCE);
    }
    options.store = word(player, 0, "STORE_001");
    options.currency = currency(player);
    options.reference = one_in(CHANCE, 4) ? word(player, 3, "order-1") : (PkText){NULL, 0};
    options.key = key(player);
    PkTransactionHandle sale = CANARY;
    if (answered(player, pk_begin_transaction_ex(a_terminal(player), &options, &sale))) {
        keep_sale(player, sale);
    } else {
        MUST(sale == CANARY);
    }
}
CALL(pk_add_line_legal) {
    PkText unit = sku(player);
    answered(player, pk_add_line_legal(a_sale(player), unit.data, unit.size, quantity(CHANCE),
                                       amount(CHANCE)));
}
CALL(pk_add_line) {
    PkText unit = sku(player);
    answered(player,
             pk_add_line(a_sale(player), unit.data, unit.size, quantity(CHANCE), amount(CHANCE)));
}
CALL(pk_add_child_line) {
    PkText unit = sku(player);
    answered(player, pk_add_child_line(a_sale(player), unit.data, unit.size, quantity(CHANCE),
                                       amount(CHANCE), number(CHANCE)));
}
CALL(pk_add_line_with_parent) {
    PkText unit = sku(player);
    uint32_t parent = one_in(CHANCE, 2) ? 0 : number(CHANCE);
    answered(player, pk_add_line_with_parent(a_sale(player), unit.data, unit.size, quantity(CHANCE),
                                             amount(CHANCE), parent));
}
CALL(pk_void_line_item) {
    PkText why = because(player), who = word(player, 2, "anna");
    answered(player, pk_void_line_item(a_sale(player), number(CHANCE), why.data, why.size, who.data,
                                       who.size));
}
CALL(pk_void_line_item_with_cascade) {
    PkText why = because(player);
    answered(player,
             pk_void_line_item_with_cascade(a_sale(player), number(CHANCE), why.data, why.size));
}
CALL(pk_update_line_quantity) {
    PkText who = word(player, 2, "anna");
    answered(player, pk_update_line_quantity(a_sale(player), number(CHANCE), quantity(CHANCE),
                                             who.data, who.size));
}
CALL(pk_add_cash_tender_legal) {
    answered(player, pk_add_cash_tender_legal(a_sale(player), amount(CHANCE)));
}
CALL(pk_add_cash_tender) { answered(player, pk_add_cash_tender(a_sale(player), amount(CHANCE))); }
CALL(pk_commit_transaction_legal) { answered(player, pk_commit_transaction_legal(a_sale(player))); }
CALL(pk_abort_transaction_legal) {
    PkText why = because(player);
    answered(player, pk_abort_transaction_legal(a_sale(player), why.data, why.size));
}
CALL(pk_close_transaction_legal) { answered(player, pk_close_transaction_legal(a_sale(player))); }
CALL(pk_close_transaction) { answered(player, pk_close_transaction(a_sale(player))); }

CALL(pk_add_line_ex) {
    PkLineInput input = line(player);
    OUT(PkLineAnswer, answer);
    int is_answered = answered(player, pk_add_line_ex(a_sale(player), &input, &answer));
    KEPT(PkLineAnswer, answer, is_answered);
    MUST(!is_answered || answer_size < 16 || answer.line >= 1);
}
CALL(pk_set_line_quantity) {
    PkDecimal exact = decimal(CHANCE);
    PkReason why = reason(player);
    OUT(PkLineAnswer, answer);
    int is_answered = answered(
        player, pk_set_line_quantity(a_sale(player), number(CHANCE), &exact, &why, &answer));
    KEPT(PkLineAnswer, answer, is_answered);
}
CALL(pk_void_line) {
    PkReason why = reason(player);
    OUT(PkLineAnswer, answer);
    uint32_t linked = (uint32_t)below(CHANCE, 3);
    int is_answered =
        answered(player, pk_void_line(a_sale(player), number(CHANCE), linked, &why, &answer));
    KEPT(PkLineAnswer, answer, is_answered);
}

CALL(pk_override_line_price) {
    PkDecimal price = decimal(CHANCE), per = decimal(CHANCE);
    PkReason why = reason(player);
    why.approval = below(CHANCE, 3);
    OUT(PkLineAnswer, answer);
    int is_answered = answered(
        player, pk_override_line_price(a_sale(player), number(CHANCE), &price,
                                       one_in(CHANCE, 4) ? &per : NULL, &why, &answer));
    KEPT(PkLineAnswer, answer, is_answered);
}
CALL(pk_override_line_taxes) {
    PkTaxInput taxes[2] = {tax(player), tax(player)};
    PkReason why = reason(player);
    OUT(PkLineAnswer, answer);
    int is_answered =
        answered(player, pk_override_line_taxes(a_sale(player), number(CHANCE), taxes,
                                                below(CHANCE, 3), &why, &answer));
    KEPT(PkLineAnswer, answer, is_answered);
}
CALL(pk_adjust_line) {
    PkAdjustment given = adjustment(player);
    given.key = key(player);
    OUT(PkLineAnswer, answer);
    int is_answered =
        answered(player, pk_adjust_line(a_sale(player), number(CHANCE), &given, &answer));
    KEPT(PkLineAnswer, answer, is_answered);
    MUST(!is_answered || answer_size < sizeof answer || answer.adjustment >= 1);
}
CALL(pk_adjust_transaction) {
    PkAdjustment given = adjustment(player);
    given.key = key(player);
    OUT(PkAdjustmentAnswer, answer);
    int is_answered = answered(player, pk_adjust_transaction(a_sale(player), &given, &answer));
    KEPT(PkAdjustmentAnswer, answer, is_answered);
    MUST(!is_answered || answer_size < sizeof answer || answer.net + answer.tax == answer.gross);
}
CALL(pk_retract_adjustment) {
    PkReason why = reason(player);
    OUT(PkAdjustmentAnswer, answer);
    int is_answered =
        answered(player, pk_retract_adjustment(a_sale(player), number(CHANCE), &why, &answer));
    KEPT(PkAdjustmentAnswer, answer, is_answered);
}

CALL(pk_begin_return) {
    PkReturnOf of;
    memset(&of, 0, sizeof of);
    of.struct_size = size_of(CHANCE, sizeof of);
    of.receipt = one_in(CHANCE, 8) ? draw(CHANCE) : below(CHANCE, 40);
    of.terminal = one_in(CHANCE, 2) ? (PkText){NULL, 0} : word(player, 0, "STORM");
    of.key = key(player);
    PkTransactionHandle sale = CANARY;
    if (answered(player, pk_begin_return(a_terminal(player), &of, &sale))) {
        keep_sale(player, sale);
    } else {
        MUST(sale == CANARY);
    }
}
CALL(pk_return_line) {
    PkReturnOf of;
    memset(&of, 0, sizeof of);
    of.struct_size = size_of(CHANCE, sizeof of);
    of.receipt = one_in(CHANCE, 8) ? draw(CHANCE) : below(CHANCE, 40);
    of.terminal = one_in(CHANCE, 2) ? (PkText){NULL, 0} : word(player, 0, "STORM");
    PkDecimal part = decimal(CHANCE);
    if (one_in(CHANCE, 2)) {
        part = (PkDecimal){1, 0, 0};
    }
    PkReason why = reason(player);
    OUT(PkLineAnswer, answer);
    int is_answered =
        answered(player, pk_return_line(a_sale(player), number(CHANCE), &part,
                                        one_in(CHANCE, 3) ? NULL : &of, &why, &answer));
    KEPT(PkLineAnswer, answer, is_answered);
    MUST(!is_answered || answer_size < sizeof answer || answer.amount <= 0);
}
CALL(pk_suspend_transaction) {
    PkReason why = reason(player);
    OUT(PkSuspendAnswer, answer);
    int is_answered = answered(player, pk_suspend_transaction(a_sale(player), &why, &answer));
    KEPT(PkSuspendAnswer, answer, is_answered);
    if (is_answered && answer_size == sizeof answer) {
        memcpy(player->ticket, answer.ticket, sizeof player->ticket);
    }
}
CALL(pk_resume_transaction) {
    PkText given = word(player, 0, (const char *)player->ticket), once = key(player);
    PkTransactionHandle sale = CANARY;
    if (answered(player, pk_resume_transaction(a_terminal(player), given.data, given.size,
                                               once.data, once.size, &sale))) {
        keep_sale(player, sale);
    } else {
        MUST(sale == CANARY);
    }
}
CALL(pk_list_suspended_json) {
    TEXT_OUT(pk_list_suspended_json(a_terminal(player), buffer, capacity, &need));
}
CALL(pk_collect_transfers) { NUMBER_OUT(size_t, pk_collect_transfers(a_terminal(player), &out)); }
CALL(pk_expire_transactions) {
    PkText why = because(player);
    uint64_t idle = one_in(CHANCE, 16) ? 200000000 : UINT64_MAX;
    NUMBER_OUT(size_t, pk_expire_transactions(a_terminal(player), idle, why.data, why.size, &out));
}

static void judge_tender(Player *player, const PkTenderAnswer *answer) {
    if (answer->struct_size == sizeof *answer) {
        MUST(answer->tender >= 1 && answer->change >= 0);
        MUST(answer->due == 0 || answer->change == 0);
        MUST(answer->receipt == 0 || answer->due == 0);
    }
}
CALL(pk_add_tender_ex) {
    PkTenderInput input = tender(player);
    OUT(PkTenderAnswer, answer);
    int is_answered = answered(player, pk_add_tender_ex(a_sale(player), &input, &answer));
    KEPT(PkTenderAnswer, answer, is_answered);
    if (is_answered) {
        judge_tender(player, &answer);
    }
}
CALL(pk_confirm_tender) {
    PkText auth = word(player, 3, "AUTH42"), once = key(player);
    OUT(PkTenderAnswer, answer);
    int is_answered = answered(player, pk_confirm_tender(a_sale(player), number(CHANCE), auth.data,
                                                         auth.size, once.data, once.size, &answer));
    KEPT(PkTenderAnswer, answer, is_answered);
    if (is_answered) {
        judge_tender(player, &answer);
    }
}
CALL(pk_decline_tender) {
    PkReason why = reason(player);
    OUT(PkTenderAnswer, answer);
    int is_answered =
        answered(player, pk_decline_tender(a_sale(player), number(CHANCE), &why, &answer));
    KEPT(PkTenderAnswer, answer, is_answered);
}
CALL(pk_void_tender) {
    PkReason why = reason(player);
    OUT(PkTenderAnswer, answer);
    int is_answered = answered(player, pk_void_tender(a_sale(player), number(CHANCE), &why, &answer));
    KEPT(PkTenderAnswer, answer, is_answered);
}
CALL(pk_complete_transaction) {
    PkText once = key(player);
    OUT(PkReceipt, receipt);
    int is_answered =
        answered(player, pk_complete_transaction(a_sale(player), once.data, once.size, &receipt));
    KEPT(PkReceipt, receipt, is_answered);
    if (is_answered) {
        judge_receipt(player, &receipt);
    }
}
CALL(pk_void_transaction) {
    PkReason why = reason(player);
    answered(player, pk_void_transaction(a_sale(player), &why));
}
CALL(pk_sell) {
    PkLineInput lines[3];
    PkTenderInput tenders[2];
    PkCart cart;
    memset(&cart, 0, sizeof cart);
    cart.struct_size = size_of(CHANCE, sizeof cart);
    cart.store = word(player, 0, "STORE_001");
    cart.currency = currency(player);
    cart.key = key(player);
    cart.lines = lines;
    cart.line_count = 1 + below(CHANCE, 3);
    cart.tenders = tenders;
    cart.tender_count = 1 + below(CHANCE, 2);
    int64_t due = 0;
    PkAdjustment adjustments[1];
    if (one_in(CHANCE, 4)) {
        adjustments[0] = adjustment(player);
        cart.adjustments = adjustments;
        cart.adjustment_count = 1;
    }
    for (size_t i = 0; i < cart.line_count; i += 1) {
        lines[i] = line(player);
        lines[i].key = (PkText){NULL, 0};
        if (!one_in(CHANCE, 8)) {
            lines[i].quantity = (PkDecimal){quantity(CHANCE), 0, 0};
            lines[i].unit_price = (PkDecimal){(int64_t)below(CHANCE, 5000), 0, 0};
            due += 100 * 5000;
        }
    }
    for (size_t i = 0; i < cart.tender_count; i += 1) {
        tenders[i] = tender(player);
        if (!one_in(CHANCE, 8)) {
            memset(&tenders[i], 0, sizeof tenders[i]);
            tenders[i].struct_size = sizeof tenders[i];
            tenders[i].kind = PK_TENDER_CASH;
            tenders[i].amount = due;
            cart.tender_count = i + 1;
        }
    }
    PkTerminal terminal = a_terminal(player);
    OUT(PkReceipt, receipt);
    int is_answered = answered(player, pk_sell(terminal, &cart, &receipt));
    KEPT(PkReceipt, receipt, is_answered);
    if (is_answered) {
        judge_receipt(player, &receipt);
        if (receipt_size == sizeof receipt) {
            given(player, terminal, &receipt);
        }
    }
}

/* ---- reading -------------------------------------------------------------------------------- */

static void judge_totals(Player *player, int64_t tendered, int64_t change, int32_t state) {
    MUST(change >= 0);
    MUST(state == PK_STATE_BUILDING || state == PK_STATE_COMMITTING || state == PK_STATE_COMMITTED ||
         state == PK_STATE_ABORTED || state == PK_STATE_SUSPENDED ||
         state == PK_STATE_TRANSFERRED);
    MUST(state != PK_STATE_ABORTED || (tendered == 0 && change == 0));
}
static void totals_classic(Player *player, PkResult (*get)(PkTransactionHandle, int64_t *, int64_t *,
                                                           int64_t *, int32_t *)) {
    int64_t total = (int64_t)CANARY, tendered = (int64_t)CANARY, change = (int64_t)CANARY;
    int32_t state = (int32_t)CANARY;
    if (answered(player, get(a_sale(player), &total, &tendered, &change, &state))) {
        judge_totals(player, tendered, change, state);
    } else {
        MUST(total == (int64_t)CANARY && tendered == (int64_t)CANARY);
        MUST(change == (int64_t)CANARY && state == (int32_t)CANARY);
    }
}
CALL(pk_get_totals_legal) { totals_classic(player, pk_get_totals_legal); }
CALL(pk_get_totals) { totals_classic(player, pk_get_totals); }
CALL(pk_get_totals_ex) {
    OUT(PkTotals, totals);
    int is_answered = answered(player, pk_get_totals_ex(a_sale(player), &totals));
    KEPT(PkTotals, totals, is_answered);
    if (is_answered && totals_size == sizeof totals) {
        judge_totals(player, totals.tendered, totals.change, totals.state);
        MUST(totals.due == 0 || totals.change == 0);
        MUST(totals.net + totals.tax == totals.gross);
        MUST(totals.state != PK_STATE_COMMITTED ||
             totals.tendered - totals.change == totals.gross + totals.rounding + totals.tips);
    }
}
CALL(pk_get_store_name) { TEXT_OUT(pk_get_store_name(a_sale(player), buffer, capacity, &need)); }
CALL(pk_get_currency) { TEXT_OUT(pk_get_currency(a_sale(player), buffer, capacity, &need)); }
CALL(pk_get_currency_decimal_places) {
    NUMBER_OUT(uint8_t, pk_get_currency_decimal_places(a_sale(player), &out));
}
CALL(pk_get_line_item_with_parent) {
    uint8_t *buffer = player->buffer;
    size_t room = one_in(CHANCE, 4) ? below(CHANCE, 8) : 100, before = room;
    int32_t count = (int32_t)CANARY;
    int64_t unit = (int64_t)CANARY;
    uint32_t parent = (uint32_t)CANARY;
    uint8_t has_parent = (uint8_t)CANARY;
    memset(buffer, 0xa5, 101);
    PkResult result = pk_get_line_item_with_parent(a_sale(player), number(CHANCE), buffer, &room,
                                                   &count, &unit, &parent, &has_parent);
    if (answered(player, result)) {
        MUST(room < before && buffer[room] == 0 && has_parent == (parent != 0));
    } else {
        MUST(buffer[0] == 0xa5 && count == (int32_t)CANARY && unit == (int64_t)CANARY);
        MUST(parent == (uint32_t)CANARY && has_parent == (uint8_t)CANARY);
        MUST(room == before || result.code == PK_INSUFFICIENT_BUFFER);
    }
    MUST(buffer[before] == 0xa5);
}
CALL(pk_get_line_parent_id) {
    uint32_t parent = (uint32_t)CANARY;
    uint8_t has_parent = (uint8_t)CANARY;
    if (answered(player, pk_get_line_parent_id(a_sale(player), number(CHANCE), &parent,
                                               &has_parent))) {
        MUST(has_parent == (parent != 0));
    } else {
        MUST(parent == (uint32_t)CANARY && has_parent == (uint8_t)CANARY);
    }
}
CALL(pk_find_line_children) {
    uint32_t children[8];
    memset(children, 0xa5, sizeof children);
    size_t count = below(CHANCE, 9), before = count;
    PkResult result = pk_find_line_children(a_sale(player), number(CHANCE), children, &count);
    if (answered(player, result)) {
        MUST(count <= before);
    } else {
        MUST(children[0] == (uint32_t)CANARY);
        MUST(count == before || (result.code == PK_INSUFFICIENT_BUFFER && count > before));
    }
}
CALL(pk_get_transaction_wal_info) {
    uint64_t first = CANARY, last = CANARY, durable = CANARY;
    if (answered(player, pk_get_transaction_wal_info(a_sale(player), &first, &last, &durable))) {
        MUST(first >= 1 && last >= first);
    } else {
        MUST(first == CANARY && last == CANARY && durable == CANARY);
    }
}
CALL(pk_get_sale_number) { NUMBER_OUT(uint64_t, pk_get_sale_number(a_sale(player), &out)); }
CALL(pk_get_receipt_number) { NUMBER_OUT(uint64_t, pk_get_receipt_number(a_sale(player), &out)); }
CALL(pk_get_line_count) { NUMBER_OUT(uint32_t, pk_get_line_count(a_sale(player), &out)); }
CALL(pk_get_line) {
    OUT(PkLine, got);
    int is_answered = answered(player, pk_get_line(a_sale(player), number(CHANCE), &got));
    KEPT(PkLine, got, is_answered);
}
CALL(pk_get_line_text) {
    int32_t field = (int32_t)below(CHANCE, 5);
    TEXT_OUT(pk_get_line_text(a_sale(player), number(CHANCE), field, buffer, capacity, &need));
}
CALL(pk_get_line_taxes) {
    ARRAY_OUT(PkTaxRow,
              pk_get_line_taxes(a_sale(player), number(CHANCE), items, capacity, &count));
}
CALL(pk_get_line_adjustments) {
    ARRAY_OUT(PkApplied,
              pk_get_line_adjustments(a_sale(player), number(CHANCE), items, capacity, &count));
}
CALL(pk_get_adjustment_shares) {
    ARRAY_OUT(PkShare,
              pk_get_adjustment_shares(a_sale(player), number(CHANCE), items, capacity, &count));
}
CALL(pk_get_line_splits) {
    ARRAY_OUT(PkLineSplit, pk_get_line_splits(a_sale(player), items, capacity, &count));
}
CALL(pk_get_tax_table) {
    ARRAY_OUT(PkTaxRow, pk_get_tax_table(a_sale(player), items, capacity, &count));
}
CALL(pk_get_tender_count) { NUMBER_OUT(uint32_t, pk_get_tender_count(a_sale(player), &out)); }
CALL(pk_get_tender) {
    OUT(PkTender, got);
    int is_answered = answered(player, pk_get_tender(a_sale(player), number(CHANCE), &got));
    KEPT(PkTender, got, is_answered);
}
CALL(pk_get_tender_text) {
    int32_t field = (int32_t)below(CHANCE, 4);
    TEXT_OUT(pk_get_tender_text(a_sale(player), number(CHANCE), field, buffer, capacity, &need));
}
CALL(pk_get_transaction_json) {
    TEXT_OUT(pk_get_transaction_json(a_sale(player), buffer, capacity, &need));
}

static uint64_t a_receipt(Player *player) {
    return one_in(CHANCE, 8) ? draw(CHANCE) : below(CHANCE, 300);
}
CALL(pk_get_receipt) {
    OUT(PkReceipt, receipt);
    int is_answered =
        answered(player, pk_get_receipt(a_terminal(player), a_receipt(player), &receipt));
    KEPT(PkReceipt, receipt, is_answered);
    if (is_answered) {
        judge_receipt(player, &receipt);
    }
}
CALL(pk_get_receipt_tax_table) {
    ARRAY_OUT(PkTaxRow, pk_get_receipt_tax_table(a_terminal(player), (uint32_t)below(CHANCE, 4),
                                                 a_receipt(player), items, capacity, &count));
}
CALL(pk_get_receipt_ex) {
    OUT(PkReceipt, receipt);
    int is_answered = answered(player, pk_get_receipt_ex(a_terminal(player),
                                                         (uint32_t)below(CHANCE, 4),
                                                         a_receipt(player), &receipt));
    KEPT(PkReceipt, receipt, is_answered);
    if (is_answered) {
        judge_receipt(player, &receipt);
    }
}
CALL(pk_get_receipt_json_ex) {
    TEXT_OUT(pk_get_receipt_json_ex(a_terminal(player), (uint32_t)below(CHANCE, 4),
                                    a_receipt(player), buffer, capacity, &need));
}
CALL(pk_get_receipt_json) {
    TEXT_OUT(pk_get_receipt_json(a_terminal(player), a_receipt(player), buffer, capacity, &need));
}

/* ---- journals ------------------------------------------------------------------------------- */

static PkText main_root(Player *player) {
    return (PkText){(const uint8_t *)player->world->root, strlen(player->world->root)};
}
static PkText an_id(Player *player) {
    static const char *const ids[] = {"STORM", "EXTRA_0", "NOBODY", "CLASSIC"};
    return word(player, 0, ids[below(&player->chance, 4)]);
}
static PkVerifyOptions verify_options(Player *player) {
    PkVerifyOptions options;
    memset(&options, 0, sizeof options);
    options.struct_size = size_of(&player->chance, sizeof options);
    if (one_in(&player->chance, 2)) {
        options.terminal = a_terminal(player);
    } else {
        options.root = main_root(player);
        options.id = an_id(player);
    }
    return options;
}
CALL(pk_verify_wal_integrity_ex) {
    PkVerifyOptions options = verify_options(player);
    OUT(PkVerifyReport, report);
    int is_answered = answered(player, pk_verify_wal_integrity_ex(&options, &report));
    KEPT(PkVerifyReport, report, is_answered);
    MUST(!is_answered || report_size < sizeof report || report.problems == 0);
}
CALL(pk_verify_report_json) {
    PkVerifyOptions options = verify_options(player);
    TEXT_OUT(pk_verify_report_json(&options, buffer, capacity, &need));
}
CALL(pk_inspect_json) {
    uint64_t from = one_in(CHANCE, 8) ? draw(CHANCE) : 1 + below(CHANCE, 500);
    uint64_t limit = one_in(CHANCE, 8) ? draw(CHANCE) : 1 + below(CHANCE, 50);
    TEXT_OUT(pk_inspect_json(main_root(player), an_id(player), from, limit, buffer, capacity, &need));
}
CALL(pk_list_receipts_json) {
    uint64_t from = a_receipt(player);
    uint64_t limit = one_in(CHANCE, 8) ? draw(CHANCE) : 1 + below(CHANCE, 20);
    TEXT_OUT(
        pk_list_receipts_json(main_root(player), an_id(player), from, limit, buffer, capacity, &need));
}
CALL(pk_list_terminals_json) {
    TEXT_OUT(pk_list_terminals_json(main_root(player), buffer, capacity, &need));
}

/* A store of its own beside the terminals that are played on: one thread at a time has it. */
CALL(pk_store_open) {
    char root[512];
    int size = snprintf(root, sizeof root, "%s/shop", player->world->root);
    PkStore store = CANARY;
    if (!answered(player, pk_store_open((PkText){(const uint8_t *)root, (size_t)size}, &store))) {
        MUST(store == CANARY);
        return;
    }
    PkTerminalOptions options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.id = (PkText){(const uint8_t *)"SHOP", 4};
    PkTerminal terminal = CANARY;
    MUST(answered(player, pk_store_open_terminal(store, &options, &terminal)));
    MUST(answered(player, pk_terminal_close(terminal)));
    MUST(answered(player, pk_store_close(store)));
}
CALL(pk_store_open_terminal) {
    PkTerminalOptions options;
    memset(&options, 0, sizeof options);
    options.struct_size = size_of(CHANCE, sizeof options);
    PkTerminal terminal = CANARY;
    MUST(!answered(player, pk_store_open_terminal(a_terminal(player), &options, &terminal)));
    MUST(terminal == CANARY);
}
CALL(pk_store_close) { MUST(!answered(player, pk_store_close(a_terminal(player)))); }

/* ---- several terminals ---------------------------------------------------------------------- */

CALL(pk_store_terminals_json) {
    TEXT_OUT(pk_store_terminals_json(main_root(player), buffer, capacity, &need));
}
CALL(pk_send_message) {
    static const char *const kinds[] = {"x.note", "x.note", "ManagerReport", "Wrong"};
    PkText to = word(player, 0, one_in(CHANCE, 4) ? "" : "OTHER");
    PkText kind = word(player, 1, kinds[below(CHANCE, 4)]);
    PkText body = word(player, 2, "{\"title\":\"a\",\"report\":1}");
    uint64_t ttl_ms = one_in(CHANCE, 4) ? draw(CHANCE) : 0;
    TEXT_OUT(pk_send_message(a_terminal(player), to, kind, body, ttl_ms, buffer, capacity, &need));
}
CALL(pk_receive_messages_json) {
    size_t most = below(CHANCE, 4);
    TEXT_OUT(pk_receive_messages_json(a_terminal(player), most, buffer, capacity, &need));
}
CALL(pk_wait_for_message) {
    uint8_t is_waiting = 77;
    int is_answered =
        answered(player, pk_wait_for_message(a_terminal(player), below(CHANCE, 4), &is_waiting));
    MUST(is_answered ? is_waiting <= 1 : is_waiting == 77);
}
CALL(pk_accept_message) {
    PkText id = word(player, 0, "000000000000000a-OTHER-00000001000001");
    uint8_t is_new = 77;
    int is_answered = answered(player, pk_accept_message(a_terminal(player), id, &is_new));
    MUST(is_answered ? is_new <= 1 : is_new == 77);
}
CALL(pk_give_up_message) {
    PkText id = word(player, 0, "000000000000000a-OTHER-00000001000001");
    answered(player, pk_give_up_message(a_terminal(player), id, because(player)));
}
CALL(pk_message_acknowledgements_json) {
    PkText id = word(player, 0, "000000000000000a-OTHER-00000001000001");
    TEXT_OUT(pk_message_acknowledgements_json(main_root(player), id, buffer, capacity, &need));
}
CALL(pk_begin_drain) {
    /* A terminal that ends sells no more: here all but a few are refused. */
    PkText why = one_in(CHANCE, 64) ? because(player) : (PkText){NULL, 0};
    PkText by = word(player, 0, "OTHER");
    answered(player, pk_begin_drain(a_terminal(player), why, draw(CHANCE) % 1000, by));
}
CALL(pk_suspend_open) {
    size_t suspended = 77, left = 77;
    PkText why = one_in(CHANCE, 8) ? because(player) : (PkText){NULL, 0};
    int is_answered =
        answered(player, pk_suspend_open(a_terminal(player), why, &suspended, &left));
    MUST(is_answered || (suspended == 77 && left == 77));
}
CALL(pk_announce_shutdown) {
    uint64_t grace_ms = one_in(CHANCE, 4) ? draw(CHANCE) : 1000;
    PkText why = because(player);
    TEXT_OUT(pk_announce_shutdown(a_terminal(player), why, grace_ms, buffer, capacity, &need));
}
CALL(pk_set_system_config) {
    PkText values = word(player, 0, "{\"footer\":\"Danke\"}");
    uint64_t version = one_in(CHANCE, 4) ? below(CHANCE, 9) : 0, out = 77;
    int64_t effective_ns = one_in(CHANCE, 4) ? (int64_t)draw(CHANCE) : 0;
    int is_answered = answered(
        player, pk_set_system_config(a_terminal(player), version, effective_ns, values, &out));
    MUST(is_answered ? out > 0 : out == 77);
}
CALL(pk_apply_system_config) {
    uint8_t applied = 77;
    int is_answered = answered(player, pk_apply_system_config(a_terminal(player), &applied));
    MUST(is_answered ? applied <= 1 : applied == 77);
}
CALL(pk_system_config_json) {
    TEXT_OUT(pk_system_config_json(main_root(player), buffer, capacity, &need));
}
/* No service runs here: connecting is refused, and no handle of a service means anything. */
CALL(pk_service_connect) {
    uint64_t service = CANARY;
    PkText none = {NULL, 0};
    MUST(!answered(player, pk_service_connect(main_root(player), none, an_id(player), 0, &service)));
    MUST(service == CANARY);
}
CALL(pk_service_call) {
    static const char status[] = "{\"op\":\"status\"}";
    uint64_t call = CANARY;
    size_t need = 0;
    PkText operation = {(const uint8_t *)status, sizeof status - 1};
    MUST(!answered(player, pk_service_call(a_terminal(player), operation, &call, player->buffer,
                                           BUFFER, &need)));
    MUST(call == CANARY);
}
CALL(pk_service_answer) {
    uint64_t call = below(CHANCE, 9);
    TEXT_OUT(pk_service_answer(a_terminal(player), call, buffer, capacity, &need));
}
CALL(pk_service_close) { MUST(!answered(player, pk_service_close(a_terminal(player)))); }

/* ---- the table ------------------------------------------------------------------------------ */

typedef struct {
    const char *name;
    unsigned weight;
    void (*play)(Player *);
} Row;

/* ---- proofs --------------------------------------------------------------------------------- */

/* A device whose algorithm nobody can judge, so that any signature will do. */
CALL(pk_signer_up) {
    static const uint8_t key[3] = {1, 2, 3};
    int is_own = one_in(CHANCE, 4);
    PkText none = {NULL, 0};
    PkText signer = is_own ? none : word(player, 0, "device");
    PkText algorithm = is_own ? none : word(player, 1, "storm-1");
    size_t size = is_own ? 0 : below(CHANCE, 4);
    answered(player, pk_signer_up(a_terminal(player), signer, algorithm, key, size));
}
CALL(pk_signer_down) { answered(player, pk_signer_down(a_terminal(player), because(player))); }
CALL(pk_signing_json) {
    TEXT_OUT(pk_signing_json(a_terminal(player), buffer, capacity, &need));
}
CALL(pk_next_unsigned) {
    uint64_t sequence = CANARY;
    TEXT_OUT(pk_next_unsigned(a_terminal(player), &sequence, buffer, capacity, &need));
}
CALL(pk_attach_signature) {
    static const uint8_t signature[96] = {7};
    uint64_t terminal = a_terminal(player);
    uint64_t sequence = CANARY;
    size_t need = 0;
    pk_next_unsigned(terminal, &sequence, player->buffer, BUFFER - 1, &need);
    if (sequence == CANARY || one_in(CHANCE, 8)) {
        sequence = one_in(CHANCE, 2) ? draw(CHANCE) : below(CHANCE, 500);
    }
    answered(player, pk_attach_signature(terminal, sequence, signature, below(CHANCE, 97)));
}
CALL(pk_sign_late) {
    NUMBER_OUT(uint64_t, pk_sign_late(a_terminal(player), below(CHANCE, 100), &out));
}
CALL(pk_get_signature_json) {
    TEXT_OUT(pk_get_signature_json(a_terminal(player), a_receipt(player), buffer, capacity, &need));
}
CALL(pk_rotate_key) { answered(player, pk_rotate_key(a_terminal(player))); }
CALL(pk_anchor) {
    OUT(PkAnchor, anchor);
    PkText place = one_in(CHANCE, 2) ? word(player, 0, "a server") : (PkText){NULL, 0};
    int is_answered = answered(player, pk_anchor(a_terminal(player), place, &anchor));
    KEPT(PkAnchor, anchor, is_answered);
    MUST(!is_answered || anchor_size < sizeof anchor || anchor.records == anchor.sequence);
}
CALL(pk_archive) {
    OUT(PkArchiveReport, report);
    int is_answered = answered(player, pk_archive(a_terminal(player), number(CHANCE), &report));
    KEPT(PkArchiveReport, report, is_answered);
    MUST(!is_answered || report_size < sizeof report || report.oldest_segment > report.to_segment);
}

#define ROW(name, weight) {#name, weight, play_##name}

/* How often each is called, by weight. */
static const Row rows[] = {
    ROW(pk_abi_version, 1),
    ROW(pk_get_version, 1),
    ROW(pk_result_is_ok, 1),
    ROW(pk_result_get_code, 1),
    ROW(pk_detail_name, 2),
    ROW(pk_last_error, 4),
    ROW(pk_last_error_json, 4),
    ROW(pk_now_utc_ns, 1),
    ROW(pk_validate_currency_code, 2),
    ROW(pk_is_standard_currency, 2),
    ROW(pk_currency_exponent, 2),
    ROW(pk_initialize_terminal, 2),
    ROW(pk_get_terminal_info, 2),
    ROW(pk_shutdown_terminal, 1),
    ROW(pk_default_terminal, 2),
    ROW(pk_verify_wal_integrity, 1),
    ROW(pk_force_wal_sync, 1),
    ROW(pk_begin_transaction_legal, 6),
    ROW(pk_begin_transaction, 6),
    ROW(pk_terminal_open, 2),
    ROW(pk_terminal_close, 1),
    ROW(pk_terminal_id, 2),
    ROW(pk_terminal_dir, 2),
    ROW(pk_terminal_status, 6),
    ROW(pk_terminal_stats, 2),
    ROW(pk_recovery_report, 2),
    ROW(pk_get_counters, 4),
    ROW(pk_get_tax_counters, 4),
    ROW(pk_set_policy, 6),
    ROW(pk_set_rules, 1),
    ROW(pk_get_rules_json, 1),
    ROW(pk_store_open, 1),
    ROW(pk_store_open_terminal, 1),
    ROW(pk_store_close, 1),
    ROW(pk_get_policy, 2),
    ROW(pk_sign_on, 4),
    ROW(pk_sign_off, 3),
    ROW(pk_approve, 8),
    ROW(pk_set_training, 1),
    ROW(pk_open_shift, 6),
    ROW(pk_close_shift, 2),
    ROW(pk_move_cash, 8),
    ROW(pk_count_cash, 4),
    ROW(pk_get_drawer, 4),
    ROW(pk_get_attendance, 2),
    ROW(pk_get_operator, 2),
    ROW(pk_x_report, 4),
    ROW(pk_z_report, 2),
    ROW(pk_period_close, 4),
    ROW(pk_get_report_json, 6),
    ROW(pk_reprint, 6),
    ROW(pk_list_open_transactions, 12),
    ROW(pk_find_transaction, 6),
    ROW(pk_durable_sequence, 2),
    ROW(pk_wait_durable, 2),
    ROW(pk_force_wal_sync_ex, 1),
    ROW(pk_begin_transaction_ex, 36),
    ROW(pk_add_line_legal, 20),
    ROW(pk_add_line, 20),
    ROW(pk_add_child_line, 10),
    ROW(pk_add_line_with_parent, 10),
    ROW(pk_void_line_item, 4),
    ROW(pk_void_line_item_with_cascade, 4),
    ROW(pk_update_line_quantity, 4),
    ROW(pk_add_cash_tender_legal, 20),
    ROW(pk_add_cash_tender, 10),
    ROW(pk_commit_transaction_legal, 10),
    ROW(pk_abort_transaction_legal, 14),
    ROW(pk_close_transaction_legal, 4),
    ROW(pk_close_transaction, 4),
    ROW(pk_add_line_ex, 30),
    ROW(pk_set_line_quantity, 8),
    ROW(pk_void_line, 8),
    ROW(pk_override_line_price, 6),
    ROW(pk_override_line_taxes, 6),
    ROW(pk_adjust_line, 8),
    ROW(pk_adjust_transaction, 8),
    ROW(pk_retract_adjustment, 6),
    ROW(pk_begin_return, 6),
    ROW(pk_return_line, 10),
    ROW(pk_suspend_transaction, 6),
    ROW(pk_resume_transaction, 8),
    ROW(pk_list_suspended_json, 2),
    ROW(pk_collect_transfers, 1),
    ROW(pk_send_cash, 4),
    ROW(pk_receive_cash, 2),
    ROW(pk_list_cash_in_transit_json, 1),
    ROW(pk_expire_transactions, 1),
    ROW(pk_add_tender_ex, 30),
    ROW(pk_confirm_tender, 12),
    ROW(pk_decline_tender, 8),
    ROW(pk_void_tender, 12),
    ROW(pk_complete_transaction, 16),
    ROW(pk_void_transaction, 8),
    ROW(pk_sell, 20),
    ROW(pk_get_totals_legal, 6),
    ROW(pk_get_totals, 6),
    ROW(pk_get_totals_ex, 6),
    ROW(pk_get_store_name, 2),
    ROW(pk_get_currency, 2),
    ROW(pk_get_currency_decimal_places, 2),
    ROW(pk_get_line_item_with_parent, 4),
    ROW(pk_get_line_parent_id, 4),
    ROW(pk_find_line_children, 4),
    ROW(pk_get_transaction_wal_info, 4),
    ROW(pk_get_sale_number, 2),
    ROW(pk_get_receipt_number, 2),
    ROW(pk_get_line_count, 2),
    ROW(pk_get_line, 4),
    ROW(pk_get_line_text, 4),
    ROW(pk_get_line_taxes, 4),
    ROW(pk_get_line_adjustments, 4),
    ROW(pk_get_adjustment_shares, 4),
    ROW(pk_get_line_splits, 4),
    ROW(pk_get_tax_table, 4),
    ROW(pk_get_tender_count, 2),
    ROW(pk_get_tender, 4),
    ROW(pk_get_tender_text, 4),
    ROW(pk_get_transaction_json, 4),
    ROW(pk_get_receipt, 4),
    ROW(pk_get_receipt_tax_table, 4),
    ROW(pk_get_receipt_ex, 4),
    ROW(pk_get_receipt_json_ex, 4),
    ROW(pk_get_receipt_json, 4),
    ROW(pk_verify_wal_integrity_ex, 1),
    ROW(pk_verify_report_json, 1),
    ROW(pk_inspect_json, 2),
    ROW(pk_list_receipts_json, 2),
    ROW(pk_list_terminals_json, 2),
    ROW(pk_store_terminals_json, 1),
    ROW(pk_send_message, 2),
    ROW(pk_receive_messages_json, 2),
    ROW(pk_wait_for_message, 1),
    ROW(pk_accept_message, 1),
    ROW(pk_give_up_message, 1),
    ROW(pk_message_acknowledgements_json, 1),
    ROW(pk_begin_drain, 1),
    ROW(pk_suspend_open, 1),
    ROW(pk_announce_shutdown, 1),
    ROW(pk_set_system_config, 1),
    ROW(pk_apply_system_config, 1),
    ROW(pk_system_config_json, 1),
    ROW(pk_service_connect, 1),
    ROW(pk_service_call, 1),
    ROW(pk_service_answer, 1),
    ROW(pk_service_close, 1),
    ROW(pk_signer_up, 1),
    ROW(pk_signer_down, 1),
    ROW(pk_signing_json, 2),
    ROW(pk_next_unsigned, 2),
    ROW(pk_attach_signature, 4),
    ROW(pk_sign_late, 1),
    ROW(pk_get_signature_json, 2),
    ROW(pk_rotate_key, 1),
    ROW(pk_anchor, 2),
    ROW(pk_archive, 1),
};

#define ROWS (sizeof rows / sizeof rows[0])

static void play_one(Player *player) {
    unsigned total = 0;
    for (size_t i = 0; i < ROWS; i += 1) {
        total += rows[i].weight;
    }
    unsigned left = (unsigned)below(&player->chance, total);
    for (size_t i = 0; i < ROWS; i += 1) {
        if (left < rows[i].weight) {
            player->call = rows[i].name;
            rows[i].play(player);
            return;
        }
        left -= rows[i].weight;
    }
}

#endif
