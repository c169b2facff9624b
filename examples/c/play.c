/*
 * Plays a file of sales on a terminal by the calls that take handles and structures, and prints each
 * receipt as a line of JSON. The file's form is told in __test__/contract/README.md.
 *
 *     ./play ROOT TERMINAL WALL_NS FILE
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pos_kernel.h"

#define FIELDS_MAX 10
#define LINES_MAX 64
#define TAXES_MAX 4

typedef struct {
    char text[2048];
    char *field[FIELDS_MAX];
    int count;
} Row;

static int row_number = 0;

static void fail(const char *format, ...) {
    va_list list;
    va_start(list, format);
    fprintf(stderr, "line %d: ", row_number);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    exit(1);
}

/* The next line that is not a remark, cut at its tabs. */
static int next_row(FILE *file, Row *row) {
    while (fgets(row->text, sizeof row->text, file) != NULL) {
        row_number += 1;
        row->text[strcspn(row->text, "\n")] = '\0';
        if (row->text[0] == '\0' || row->text[0] == '#') {
            continue;
        }
        row->count = 0;
        char *at = row->text;
        while (at != NULL && row->count < FIELDS_MAX) {
            row->field[row->count] = at;
            row->count += 1;
            at = strchr(at, '\t');
            if (at != NULL) {
                *at = '\0';
                at += 1;
            }
        }
        return 1;
    }
    return 0;
}

/* A field as text; "-" is none. */
static PkText text_of(const char *field) {
    PkText text = {NULL, 0};
    if (strcmp(field, "-") != 0) {
        text.data = (const uint8_t *)field;
        text.size = strlen(field);
    }
    return text;
}

/* "-0.250" is the mantissa -250 with scale 3. */
static PkDecimal decimal_of(const char *field) {
    PkDecimal decimal = {0, 0, 0};
    char digits[32];
    size_t length = 0;
    const char *point = strchr(field, '.');
    for (const char *at = field; *at != '\0' && length + 1 < sizeof digits; at += 1) {
        if (at != point) {
            digits[length] = *at;
            length += 1;
        }
    }
    digits[length] = '\0';
    decimal.mantissa = strtoll(digits, NULL, 10);
    decimal.scale = point == NULL ? 0 : (uint32_t)strlen(point + 1);
    return decimal;
}

static uint32_t number_of(const char *field) {
    return (uint32_t)strtoul(field, NULL, 10);
}

static PkLineInput line_of(const Row *row, int at) {
    PkLineInput line;
    memset(&line, 0, sizeof line);
    line.struct_size = sizeof line;
    line.sku = text_of(row->field[at]);
    line.text = text_of(row->field[at + 1]);
    line.quantity = decimal_of(row->field[at + 2]);
    line.unit_price = decimal_of(row->field[at + 3]);
    line.parent = strcmp(row->field[at + 4], "-") == 0 ? 0 : number_of(row->field[at + 4]);
    line.key = text_of(row->field[at + 5]);
    return line;
}

static PkTenderInput tender_of(const Row *row, int at) {
    PkTenderInput tender;
    memset(&tender, 0, sizeof tender);
    tender.struct_size = sizeof tender;
    tender.kind = strcmp(row->field[at], "cash") == 0 ? PK_TENDER_CASH : PK_TENDER_CARD;
    tender.amount = strtoll(row->field[at + 1], NULL, 10);
    tender.flags = strcmp(row->field[at + 2], "1") == 0 ? PK_TENDER_IS_PENDING : 0;
    tender.reference = text_of(row->field[at + 3]);
    tender.key = text_of(row->field[at + 4]);
    return tender;
}

/* The place of a name among those of a choice, from 1; 0 for none. */
static uint32_t choice_of(const char *field, const char *const *names, uint32_t count) {
    for (uint32_t i = 0; i < count; i += 1) {
        if (strcmp(field, names[i]) == 0) {
            return i + 1;
        }
    }
    if (strcmp(field, "-") != 0) {
        fail("\"%s\" is no choice", field);
    }
    return 0;
}

static PkAdjustment adjustment_of(const char *direction, const char *amount, const char *ppm,
                                  const char *reason) {
    static const char *const directions[] = {"discount", "surcharge"};
    PkAdjustment adjustment;
    memset(&adjustment, 0, sizeof adjustment);
    adjustment.struct_size = sizeof adjustment;
    adjustment.direction = choice_of(direction, directions, 2);
    adjustment.unit = strcmp(ppm, "-") == 0 ? PK_ADJUST_AMOUNT : PK_ADJUST_PPM;
    adjustment.value =
        strtoll(adjustment.unit == PK_ADJUST_PPM ? ppm : amount, NULL, 10);
    adjustment.reason = text_of(reason);
    return adjustment;
}

/* "A:190000,CITY:25000:on" are two taxes, of which the second is not in the price. */
static size_t taxes_of(char *field, PkTaxInput *taxes) {
    size_t count = 0;
    char *at = strcmp(field, "-") == 0 ? NULL : field;
    while (at != NULL && count < TAXES_MAX) {
        char *next = strchr(at, ',');
        if (next != NULL) {
            *next = '\0';
            next += 1;
        }
        char *rate = strchr(at, ':');
        if (rate == NULL) {
            fail("\"%s\" is no tax", at);
        }
        PkTaxInput *tax = &taxes[count];
        memset(tax, 0, sizeof *tax);
        tax->struct_size = sizeof *tax;
        tax->tax_class.data = (const uint8_t *)at;
        tax->tax_class.size = (size_t)(rate - at);
        char *end = NULL;
        tax->rate_ppm = (uint32_t)strtoul(rate + 1, &end, 10);
        if (strcmp(end, ":on") == 0) {
            tax->inclusive = PK_TAX_EXCLUSIVE;
        } else if (strcmp(end, ":in") == 0) {
            tax->inclusive = PK_TAX_INCLUSIVE;
        }
        count += 1;
        at = next;
    }
    return count;
}

/* A line with all that it may have; what it points to stays where it is for the whole cart. */
static PkLineInput item_of(const Row *row, int at, int place) {
    static const char *const kinds[] = {"item", "surcharge", "deposit", "tip"};
    static PkTaxInput taxes[LINES_MAX][TAXES_MAX];
    static PkAdjustment offers[LINES_MAX];
    char *const *field = row->field + at;
    PkLineInput line;
    memset(&line, 0, sizeof line);
    line.struct_size = sizeof line;
    line.sku = text_of(field[0]);
    line.quantity = decimal_of(field[1]);
    line.unit_price = decimal_of(field[2]);
    if (strcmp(field[3], "-") != 0) {
        line.per = decimal_of(field[3]);
    }
    line.kind = choice_of(field[4], kinds, 4);
    line.taxes = taxes[place];
    line.tax_count = taxes_of(field[5], taxes[place]);
    if (strcmp(field[6], "-") != 0) {
        offers[place] = adjustment_of("discount", field[6], "-", "offer");
        line.adjustments = &offers[place];
        line.adjustment_count = 1;
    }
    return line;
}

/* A tender with a tip or in foreign money. */
static PkTenderInput payment_of(const Row *row, int at) {
    static const char *const kinds[] = {"cash", "card", "voucher", "foreign", "other"};
    char *const *field = row->field + at;
    PkTenderInput tender;
    memset(&tender, 0, sizeof tender);
    tender.struct_size = sizeof tender;
    tender.kind = choice_of(field[0], kinds, 5);
    tender.amount = strtoll(field[1], NULL, 10);
    tender.tip = strcmp(field[2], "-") == 0 ? 0 : strtoll(field[2], NULL, 10);
    tender.currency = text_of(field[3]);
    if (strcmp(field[4], "-") != 0) {
        tender.rate = decimal_of(field[4]);
        tender.per = number_of(field[5]);
    }
    return tender;
}

static PkResult set_policy(PkTerminal terminal, char *const *field) {
    static const char *const prices[] = {"net", "gross"};
    static const char *const scopes[] = {"perRate", "perLine", "perUnit"};
    PkPolicy policy;
    memset(&policy, 0, sizeof policy);
    policy.struct_size = sizeof policy;
    memcpy(policy.currency, field[1], 3);
    policy.prices = choice_of(field[2], prices, 2);
    policy.tax_scope = choice_of(field[3], scopes, 3);
    policy.cash_step = number_of(field[4]);
    PkText key = text_of(field[5]);
    return pk_set_policy(terminal, &policy, key.data, key.size, NULL);
}

static PkReason reason_of(const char *field) {
    PkReason reason;
    memset(&reason, 0, sizeof reason);
    reason.struct_size = sizeof reason;
    reason.reason = text_of(field);
    return reason;
}

static void print_receipt(PkTerminal terminal, uint64_t number) {
    size_t need = 0;
    PkResult sized = pk_get_receipt_json(terminal, number, NULL, 0, &need);
    if (sized.code != PK_INSUFFICIENT_BUFFER) {
        fail("receipt %" PRIu64 ": %d %d", number, sized.code, sized.detail);
    }
    uint8_t *text = malloc(need);
    PkResult read = pk_get_receipt_json(terminal, number, text, need, &need);
    if (text == NULL || read.code != PK_OK) {
        fail("receipt %" PRIu64 ": %d %d", number, read.code, read.detail);
    }
    printf("%.*s\n", (int)need, (const char *)text);
    free(text);
}

static PkResult sell(PkTerminal terminal, FILE *file, const Row *head, PkReceipt *receipt, int at) {
    static Row rows[LINES_MAX * 2];
    static PkLineInput lines[LINES_MAX];
    static PkTenderInput tenders[LINES_MAX];
    PkCart cart;
    memset(&cart, 0, sizeof cart);
    cart.struct_size = sizeof cart;
    cart.store = text_of(head->field[at + 1]);
    cart.currency = text_of(head->field[at + 2]);
    cart.reference = text_of(head->field[at + 3]);
    cart.key = text_of(head->field[at + 4]);
    cart.line_count = number_of(head->field[at + 5]);
    cart.tender_count = number_of(head->field[at + 6]);
    if (cart.line_count > LINES_MAX || cart.tender_count > LINES_MAX) {
        fail("a cart of more than %d rows", LINES_MAX);
    }
    for (size_t i = 0; i < cart.line_count + cart.tender_count; i += 1) {
        if (!next_row(file, &rows[i])) {
            fail("the cart is cut short");
        }
        const char *name = rows[i].field[0];
        if (i < cart.line_count) {
            lines[i] = strcmp(name, "item") == 0 ? item_of(&rows[i], 1, (int)i)
                                                 : line_of(&rows[i], 1);
        } else {
            tenders[i - cart.line_count] =
                strcmp(name, "pay") == 0 ? payment_of(&rows[i], 1) : tender_of(&rows[i], 1);
        }
    }
    cart.lines = lines;
    cart.tenders = tenders;
    return pk_sell(terminal, &cart, receipt);
}

/* Plays one row; `at` is the field with its name. A new receipt's number goes to `number`. */
static PkResult play(PkTerminal terminal, FILE *file, const Row *row, int at,
                     PkTransactionHandle *sale, uint64_t *number) {
    const char *name = row->field[at];
    char *const *field = row->field + at;
    PkReceipt receipt;
    memset(&receipt, 0, sizeof receipt);
    receipt.struct_size = sizeof receipt;
    if (strcmp(name, "begin") == 0) {
        PkTransactionOptions options;
        memset(&options, 0, sizeof options);
        options.struct_size = sizeof options;
        options.store = text_of(field[1]);
        options.currency = text_of(field[2]);
        options.reference = text_of(field[3]);
        options.key = text_of(field[4]);
        return pk_begin_transaction_ex(terminal, &options, sale);
    }
    if (strcmp(name, "line") == 0) {
        PkLineInput line = line_of(row, at + 1);
        return pk_add_line_ex(*sale, &line, NULL);
    }
    if (strcmp(name, "policy") == 0) {
        return set_policy(terminal, field);
    }
    if (strcmp(name, "item") == 0) {
        PkLineInput line = item_of(row, at + 1, 0);
        return pk_add_line_ex(*sale, &line, NULL);
    }
    if (strcmp(name, "price") == 0) {
        PkDecimal price = decimal_of(field[2]), per = decimal_of(field[3]);
        PkReason reason = reason_of(field[4]);
        return pk_override_line_price(*sale, number_of(field[1]), &price, &per, &reason, NULL);
    }
    if (strcmp(name, "taxes") == 0) {
        PkTaxInput taxes[TAXES_MAX];
        size_t count = taxes_of(field[2], taxes);
        PkReason reason = reason_of(field[3]);
        return pk_override_line_taxes(*sale, number_of(field[1]), taxes, count, &reason, NULL);
    }
    if (strcmp(name, "adjust") == 0) {
        PkAdjustment adjustment = adjustment_of(field[2], field[3], field[4], field[5]);
        return strcmp(field[1], "-") == 0
                   ? pk_adjust_transaction(*sale, &adjustment, NULL)
                   : pk_adjust_line(*sale, number_of(field[1]), &adjustment, NULL);
    }
    if (strcmp(name, "retract") == 0) {
        PkReason reason = reason_of(field[2]);
        return pk_retract_adjustment(*sale, number_of(field[1]), &reason, NULL);
    }
    if (strcmp(name, "pay") == 0) {
        PkTenderInput tender = payment_of(row, at + 1);
        return pk_add_tender_ex(*sale, &tender, NULL);
    }
    if (strcmp(name, "quantity") == 0) {
        PkDecimal quantity = decimal_of(field[2]);
        PkReason reason = reason_of(field[3]);
        return pk_set_line_quantity(*sale, number_of(field[1]), &quantity, &reason, NULL);
    }
    if (strcmp(name, "void-line") == 0) {
        PkReason reason = reason_of(field[3]);
        return pk_void_line(*sale, number_of(field[1]), number_of(field[2]), &reason, NULL);
    }
    if (strcmp(name, "tender") == 0) {
        PkTenderInput tender = tender_of(row, at + 1);
        return pk_add_tender_ex(*sale, &tender, NULL);
    }
    if (strcmp(name, "confirm") == 0) {
        PkText auth = text_of(field[2]);
        return pk_confirm_tender(*sale, number_of(field[1]), auth.data, auth.size, NULL, 0, NULL);
    }
    if (strcmp(name, "decline") == 0) {
        PkReason reason = reason_of(field[2]);
        return pk_decline_tender(*sale, number_of(field[1]), &reason, NULL);
    }
    if (strcmp(name, "void-tender") == 0) {
        PkReason reason = reason_of(field[2]);
        return pk_void_tender(*sale, number_of(field[1]), &reason, NULL);
    }
    if (strcmp(name, "complete") == 0) {
        PkText key = text_of(field[1]);
        PkResult result = pk_complete_transaction(*sale, key.data, key.size, &receipt);
        *number = receipt.receipt;
        return result;
    }
    if (strcmp(name, "void") == 0) {
        PkReason reason = reason_of(field[1]);
        return pk_void_transaction(*sale, &reason);
    }
    if (strcmp(name, "close") == 0) {
        return pk_close_transaction(*sale);
    }
    if (strcmp(name, "sell") == 0) {
        PkResult result = sell(terminal, file, row, &receipt, at);
        *number = receipt.receipt;
        return result;
    }
    fail("no operation \"%s\"", name);
    exit(1);
}

int main(int count, char **arguments) {
    if (count != 5) {
        fprintf(stderr, "usage: play ROOT TERMINAL WALL_NS FILE\n");
        return 2;
    }
    PkTerminalOptions options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.flags = PK_OPEN_TEST_CLOCK;
    options.root = text_of(arguments[1]);
    options.id = text_of(arguments[2]);
    options.test_wall_ns = strtoll(arguments[3], NULL, 10);
    PkTerminal terminal = PK_INVALID_HANDLE;
    PkResult opened = pk_terminal_open(&options, &terminal);
    FILE *file = fopen(arguments[4], "r");
    if (opened.code != PK_OK || file == NULL) {
        fail("cannot open: %d %d", opened.code, opened.detail);
    }
    PkTransactionHandle sale = PK_INVALID_HANDLE;
    static Row row;
    while (next_row(file, &row)) {
        int is_refusal = row.field[0][0] == '!';
        char expected[64] = "";
        if (is_refusal) {
            snprintf(expected, sizeof expected, "%s", row.field[0] + 1);
        }
        uint64_t number = 0;
        PkResult result = play(terminal, file, &row, is_refusal, &sale, &number);
        char detail[64] = "";
        size_t need = 0;
        pk_detail_name(result.detail, (uint8_t *)detail, sizeof detail - 1, &need);
        if (strcmp(detail, expected) != 0) {
            fail("answered \"%s\" where \"%s\" is expected", detail, expected);
        }
        if (number != 0) {
            print_receipt(terminal, number);
        }
    }
    fclose(file);
    return pk_terminal_close(terminal).code;
}
