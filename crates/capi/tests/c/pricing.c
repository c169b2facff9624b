/*
 * What sales cost through C: policy, taxes, discounts, overrides, tenders, totals and counters, with
 * the numbers of docs/reference/pricing.md; structures of an older header; refusals of wrong input.
 *
 *     ./pricing ROOT
 */
#include "check.h"

static PkTerminal terminal = PK_INVALID_HANDLE;

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

static PkPolicy policy_of(const char *currency) {
    NEW(PkPolicy, policy);
    memcpy(policy.currency, currency, 3);
    return policy;
}

static uint64_t approved(void) {
    NEW(PkApproval, approval);
    approval.approver = TEXT("Berta");
    approval.what = TEXT("this once");
    NEW(PkFactAnswer, answer);
    DONE(pk_approve(terminal, &approval, &answer));
    return answer.number;
}

static PkTransactionHandle begun(const char *currency) {
    NEW(PkTransactionOptions, options);
    options.store = TEXT("STORE_001");
    options.currency = (PkText){(const uint8_t *)currency, 3};
    PkTransactionHandle sale = PK_INVALID_HANDLE;
    DONE(pk_begin_transaction_ex(terminal, &options, &sale));
    return sale;
}

static PkTaxInput tax_of(PkText tax_class, uint32_t rate_ppm) {
    NEW(PkTaxInput, tax);
    tax.tax_class = tax_class;
    tax.rate_ppm = rate_ppm;
    return tax;
}

static PkLineInput line_of(PkText sku, int64_t quantity, int64_t price, const PkTaxInput *tax) {
    NEW(PkLineInput, line);
    line.sku = sku;
    line.quantity.mantissa = quantity;
    line.unit_price.mantissa = price;
    line.taxes = tax;
    line.tax_count = tax == NULL ? 0 : 1;
    return line;
}

static uint32_t add(PkTransactionHandle sale, PkLineInput line) {
    NEW(PkLineAnswer, answer);
    DONE(pk_add_line_ex(sale, &line, &answer));
    EXPECT(answer.net + answer.tax == answer.gross);
    return answer.line;
}

static PkAdjustment discount(uint32_t unit, int64_t value) {
    NEW(PkAdjustment, adjustment);
    adjustment.direction = PK_ADJUST_DISCOUNT;
    adjustment.unit = unit;
    adjustment.value = value;
    adjustment.reason = TEXT("summer sale");
    return adjustment;
}

static PkReason because(PkText text) {
    NEW(PkReason, reason);
    reason.reason = text;
    return reason;
}

static PkTenderInput tender_of(uint32_t kind, int64_t amount) {
    NEW(PkTenderInput, tender);
    tender.kind = kind;
    tender.amount = amount;
    return tender;
}

static PkTotals totals_of(PkTransactionHandle sale) {
    NEW(PkTotals, totals);
    DONE(pk_get_totals_ex(sale, &totals));
    EXPECT(totals.net + totals.tax == totals.gross);
    return totals;
}

static void comes_to(PkTransactionHandle sale, int64_t net, int64_t tax, int64_t gross) {
    PkTotals totals = totals_of(sale);
    EXPECT(totals.net == net && totals.tax == tax && totals.gross == gross);
}

static void is_row(const PkTaxRow *row, const char *tax_class, uint32_t rate, int64_t net,
                   int64_t tax) {
    EXPECT(strcmp((const char *)row->tax_class, tax_class) == 0 && row->rate_ppm == rate);
    EXPECT(row->net == net && row->tax == tax && row->gross == net + tax);
    EXPECT(row->struct_size == sizeof *row && row->reserved == 0);
}

/* ---- policy --------------------------------------------------------------------------------- */

static void policies(void) {
    NEW(PkPolicy, got);
    REFUSED(PK_E_NOT_FOUND, pk_get_policy(terminal, BYTES("EUR"), &got));
    PkPolicy policy = policy_of("EUR");
    policy.prices = PK_PRICES_GROSS;
    policy.unbound_returns = PK_UNBOUND_ALLOW;
    NEW(PkPolicyAnswer, first);
    NEW(PkPolicyAnswer, again);
    DONE(pk_set_policy(terminal, &policy, BYTES("policy-1"), &first));
    DONE(pk_set_policy(terminal, &policy, BYTES("policy-1"), &again));
    EXPECT(first.replayed == 0 && again.replayed == 1 && again.sequence == first.sequence);
    EXPECT(memcmp(first.hash, again.hash, 32) == 0);
    DONE(pk_get_policy(terminal, BYTES("EUR"), &got));
    EXPECT(got.flags == (PK_POLICY_MINOR_DIGITS | PK_POLICY_CHANGE_FROM));
    EXPECT(got.minor_digits == 2 && got.prices == PK_PRICES_GROSS);
    EXPECT(got.tax_scope == PK_TAX_PER_RATE && got.tax_rounding == PK_ROUND_HALF_UP);
    EXPECT(got.gross_split == PK_SPLIT_TAX_FIRST && got.amount_rounding == PK_ROUND_HALF_UP);
    EXPECT(got.cash_step == 1 && got.cash_rounding == PK_CASH_HALF_UP);
    EXPECT(got.change_from == (1 << PK_TENDER_CASH | 1 << PK_TENDER_FOREIGN));
    EXPECT(got.unbound_returns == PK_UNBOUND_ALLOW && memcmp(got.hash, first.hash, 32) == 0);
    /* What was given comes back; what is read can be set again and is the same policy. */
    DONE(pk_set_policy(terminal, &got, NULL, 0, &again));
    EXPECT(memcmp(again.hash, first.hash, 32) == 0 && again.sequence > first.sequence);
    got.cash_step = 5;
    REFUSED(PK_E_IDEMPOTENCY_MISMATCH, pk_set_policy(terminal, &got, BYTES("policy-1"), NULL));
    /* Each field beyond its values, with nothing changed. */
    for (size_t i = 0; i < 10; i += 1) {
        PkPolicy wrong = policy_of("EUR");
        (&wrong.minor_digits)[i] = 2000000;
        REFUSED(PK_E_BAD_POLICY, pk_set_policy(terminal, &wrong, NULL, 0, NULL));
        wrong.flags = PK_POLICY_MINOR_DIGITS | PK_POLICY_CHANGE_FROM;
        REFUSED(PK_E_BAD_POLICY, pk_set_policy(terminal, &wrong, NULL, 0, NULL));
    }
    PkPolicy wrong = policy_of("EUR");
    wrong.flags = 8;
    REFUSED(PK_E_BAD_ARGUMENT, pk_set_policy(terminal, &wrong, NULL, 0, NULL));
    REFUSED(PK_E_BAD_CURRENCY, (wrong = policy_of("XYZ"), pk_set_policy(terminal, &wrong, NULL, 0,
                                                                        NULL)));
    wrong = policy_of("EUR");
    wrong.currency[7] = 'X';
    REFUSED(PK_E_BAD_CURRENCY, pk_set_policy(terminal, &wrong, NULL, 0, NULL));
    wrong = policy_of("\xff\xff\xff");
    REFUSED(PK_E_BAD_CURRENCY, pk_set_policy(terminal, &wrong, NULL, 0, NULL));
    REFUSED(PK_E_BAD_ARGUMENT, pk_set_policy(terminal, NULL, NULL, 0, NULL));
    REFUSED(PK_E_BAD_ARGUMENT, pk_get_policy(terminal, BYTES("EUR"), NULL));
    /* Every choice by its number. */
    for (uint32_t choice = 1; choice <= 4; choice += 1) {
        PkPolicy all = policy_of("JPY");
        all.flags = PK_POLICY_NO_MIXED_RETURNS | PK_POLICY_CHANGE_FROM | PK_POLICY_MINOR_DIGITS;
        all.prices = choice <= 2 ? choice : 1;
        all.tax_scope = choice <= 3 ? choice : 1;
        all.tax_rounding = choice;
        all.gross_split = choice <= 2 ? choice : 1;
        all.amount_rounding = choice;
        all.cash_step = 10 * choice;
        all.cash_rounding = choice;
        all.change_from = 1 << choice;
        all.unbound_returns = choice <= 3 ? choice : 1;
        DONE(pk_set_policy(terminal, &all, NULL, 0, &again));
        DONE(pk_get_policy(terminal, BYTES("JPY"), &got));
        memcpy(all.hash, again.hash, sizeof all.hash);
        EXPECT(memcmp(&all, &got, sizeof all) == 0);
    }
}

/* ---- lines ---------------------------------------------------------------------------------- */

/* docs/reference/pricing.md, "Tax per rate", first example, then ten per cent off the sale. */
static void taxes_and_discounts(void) {
    PkTransactionHandle sale = begun("EUR");
    PkTaxInput a = tax_of(TEXT("A"), 190000), b = tax_of(TEXT("B"), 70000);
    add(sale, line_of(TEXT("RADIO"), 1, 1190, &a));
    add(sale, line_of(TEXT("BREAD"), 2, 107, &b));
    add(sale, line_of(TEXT("BATTERY"), 1, 99, &a));
    comes_to(sale, 1283, 220, 1503);
    PkTaxRow rows[3];
    size_t count = 77;
    REFUSED(PK_E_BUFFER_TOO_SMALL, pk_get_tax_table(sale, NULL, 0, &count));
    EXPECT(count == 2);
    memset(rows, 0, sizeof rows);
    rows[0].struct_size = sizeof rows[0];
    DONE(pk_get_tax_table(sale, rows, 3, &count));
    EXPECT(count == 2 && rows[2].struct_size == 0);
    is_row(&rows[0], "A", 190000, 1083, 206);
    is_row(&rows[1], "B", 70000, 200, 14);
    EXPECT(rows[0].inclusive == PK_TAX_INCLUSIVE);

    PkAdjustment ten = discount(PK_ADJUST_PPM, 100000);
    ten.key = TEXT("ten-off");
    NEW(PkAdjustmentAnswer, given);
    NEW(PkAdjustmentAnswer, again);
    DONE(pk_adjust_transaction(sale, &ten, &given));
    EXPECT(given.adjustment == 1 && given.adjusted == -150 && given.discounts == 150);
    EXPECT(given.net == 1155 && given.tax == 198 && given.gross == 1353);
    DONE(pk_adjust_transaction(sale, &ten, &again));
    EXPECT(again.replayed == 1 && again.sequence == given.sequence && again.gross == given.gross);
    const int64_t parts[] = {-119, -21, -10};
    PkShare shares[4];
    memset(shares, 0, sizeof shares);
    shares[0].struct_size = sizeof shares[0];
    DONE(pk_get_adjustment_shares(sale, 1, shares, 4, &count));
    EXPECT(count == 3);
    int64_t net = 0, tax = 0;
    PkLineSplit splits[3];
    splits[0].struct_size = sizeof splits[0];
    DONE(pk_get_line_splits(sale, splits, 3, &count));
    EXPECT(count == 3);
    for (uint32_t i = 0; i < 3; i += 1) {
        EXPECT(shares[i].line == i + 1 && shares[i].amount == parts[i]);
        EXPECT(splits[i].line == i + 1 && splits[i].net + splits[i].tax == splits[i].gross);
        net += splits[i].net;
        tax += splits[i].tax;
    }
    EXPECT(net == 1155 && tax == 198);
    NEW(PkLine, line);
    DONE(pk_get_line(sale, 1, &line));
    EXPECT(line.listed == 1190 && line.amount == 1071 && line.tax_count == 1);
    EXPECT(line.adjustment_count == 1 && line.kind == PK_LINE_KIND_ITEM);
    EXPECT(line.per.mantissa == 1 && line.per.scale == 0);
    PkApplied applied[2];
    applied[0].struct_size = sizeof applied[0];
    DONE(pk_get_line_adjustments(sale, 1, applied, 2, &count));
    EXPECT(count == 1 && applied[0].adjustment == 1 && applied[0].of_sale == 1);
    EXPECT(applied[0].direction == PK_ADJUST_DISCOUNT && applied[0].unit == PK_ADJUST_PPM);
    EXPECT(applied[0].value == 100000 && applied[0].amount == -119);
    DONE(pk_get_line_taxes(sale, 2, rows, 3, &count));
    EXPECT(count == 1);
    is_row(&rows[0], "B", 70000, splits[1].net, splits[1].tax);

    PkReason reason = because(TEXT("a mistake"));
    NEW(PkAdjustmentAnswer, back);
    DONE(pk_retract_adjustment(sale, 1, &reason, &back));
    EXPECT(back.adjustment == 1 && back.adjusted == 150 && back.gross == 1503);
    DONE(pk_get_adjustment_shares(sale, 1, shares, 4, &count));
    EXPECT(count == 0);
    REFUSED(PK_E_NOT_FOUND, pk_retract_adjustment(sale, 1, &reason, NULL));

    /* On a line: an amount off, a percentage on. */
    PkAdjustment off = discount(PK_ADJUST_AMOUNT, 90);
    NEW(PkLineAnswer, answer);
    DONE(pk_adjust_line(sale, 1, &off, &answer));
    EXPECT(answer.line == 1 && answer.amount == 1100 && answer.adjustment == 2);
    EXPECT(answer.adjusted == -90 && answer.discounts == 90 && answer.surcharges == 0);
    PkAdjustment on = discount(PK_ADJUST_PPM, 100000);
    on.direction = PK_ADJUST_SURCHARGE;
    on.approval = approved();
    DONE(pk_adjust_line(sale, 1, &on, &answer));
    EXPECT(answer.amount == 1210 && answer.adjustment == 3 && answer.surcharges == 110);
    off.value = 1211;
    REFUSED(PK_E_BAD_AMOUNT, pk_adjust_line(sale, 1, &off, &answer));
    EXPECT(answer.adjustment == 3);
    off.value = 0;
    REFUSED(PK_E_BAD_AMOUNT, pk_adjust_line(sale, 1, &off, NULL));
    off.unit = PK_ADJUST_PPM;
    off.value = -1;
    REFUSED(PK_E_BAD_RATE, pk_adjust_line(sale, 1, &off, NULL));
    off.value = INT64_C(1) << 32;
    REFUSED(PK_E_BAD_RATE, pk_adjust_transaction(sale, &off, NULL));
    off.unit = 3;
    REFUSED(PK_E_BAD_ARGUMENT, pk_adjust_transaction(sale, &off, NULL));
    off = discount(PK_ADJUST_AMOUNT, 1);
    off.direction = 0;
    REFUSED(PK_E_BAD_ARGUMENT, pk_adjust_line(sale, 1, &off, NULL));
    off = discount(PK_ADJUST_AMOUNT, 1);
    off.reason = TEXT("");
    REFUSED(PK_E_BAD_TEXT, pk_adjust_line(sale, 1, &off, NULL));
    REFUSED(PK_E_BAD_ARGUMENT, pk_adjust_line(sale, 1, NULL, NULL));

    /* Overrides. */
    PkDecimal price = {1995, 1, 0}, hundred = {100, 0, 0}, negative = {-1, 0, 0};
    DONE(pk_override_line_price(sale, 2, &price, &hundred, &reason, &answer));
    EXPECT(answer.line == 2 && answer.amount == 4 && answer.adjustment == 0);
    DONE(pk_get_line(sale, 2, &line));
    EXPECT(line.unit_price.mantissa == 1995 && line.unit_price.scale == 1);
    EXPECT(line.per.mantissa == 100);
    DONE(pk_override_line_price(sale, 2, &hundred, NULL, &reason, &answer));
    EXPECT(answer.amount == 200);
    REFUSED(PK_E_BAD_PRICE, pk_override_line_price(sale, 2, &negative, NULL, &reason, NULL));
    REFUSED(PK_E_BAD_QUANTITY, pk_override_line_price(sale, 2, &price, &negative, &reason, NULL));
    REFUSED(PK_E_BAD_ARGUMENT, pk_override_line_price(sale, 2, NULL, NULL, &reason, NULL));
    REFUSED(PK_E_NOT_FOUND, pk_override_line_price(sale, 9, &price, NULL, &reason, NULL));
    PkTaxInput both[] = {tax_of(TEXT("A"), 190000), tax_of(TEXT("CITY"), 25000)};
    both[1].inclusive = PK_TAX_EXCLUSIVE;
    DONE(pk_override_line_taxes(sale, 2, both, 2, &reason, &answer));
    EXPECT(answer.amount == 200 && answer.net + answer.tax == answer.gross);
    DONE(pk_get_line_taxes(sale, 2, rows, 3, &count));
    EXPECT(count == 2 && rows[1].inclusive == PK_TAX_EXCLUSIVE && rows[1].tax == 4);
    both[1] = both[0];
    REFUSED(PK_E_BAD_RATE, pk_override_line_taxes(sale, 2, both, 2, &reason, NULL));
    both[0].rate_ppm = 10000001;
    REFUSED(PK_E_BAD_RATE, pk_override_line_taxes(sale, 2, both, 1, &reason, NULL));
    both[0] = tax_of(TEXT("thirteen_long"), 0);
    REFUSED(PK_E_BAD_TEXT, pk_override_line_taxes(sale, 2, both, 1, &reason, NULL));
    both[0] = tax_of(TEXT("a b"), 0);
    REFUSED(PK_E_BAD_TEXT, pk_override_line_taxes(sale, 2, both, 1, &reason, NULL));
    both[0] = tax_of(TEXT("A"), 0);
    both[0].inclusive = 3;
    REFUSED(PK_E_BAD_ARGUMENT, pk_override_line_taxes(sale, 2, both, 1, &reason, NULL));
    REFUSED(PK_E_BAD_ARGUMENT, pk_override_line_taxes(sale, 2, NULL, 1, &reason, NULL));
    REFUSED(PK_E_LIMIT, pk_override_line_taxes(sale, 2, both, 33, &reason, NULL));
    both[0].struct_size = 12;
    REFUSED(PK_E_STRUCT_SIZE, pk_override_line_taxes(sale, 2, both, 1, &reason, NULL));
    DONE(pk_override_line_taxes(sale, 2, NULL, 0, &reason, &answer));

    /* A voided line keeps its taxes, which come to nothing. */
    DONE(pk_void_line(sale, 3, 0, &reason, NULL));
    DONE(pk_get_line_taxes(sale, 3, rows, 3, &count));
    EXPECT(count == 1);
    is_row(&rows[0], "A", 190000, 0, 0);
    REFUSED(PK_E_NOT_FOUND, pk_get_line_taxes(sale, 4, rows, 3, &count));
    REFUSED(PK_E_NOT_FOUND, pk_get_line_adjustments(sale, 0, applied, 2, &count));
    /* An approval is not lost where it says nothing. */
    reason.approval = 99;
    NEW(PkSuspendAnswer, waits);
    REFUSED(PK_E_BAD_ARGUMENT, pk_suspend_transaction(sale, &reason, &waits));
    REFUSED(PK_E_NOT_FOUND, pk_void_transaction(sale, &reason));
    reason.approval = 0;
    DONE(pk_void_transaction(sale, &reason));
    DONE(pk_close_transaction(sale));
}

/* A line with everything it may say. */
static void whole_lines(void) {
    PkTransactionHandle sale = begun("EUR");
    PkTaxInput city[] = {tax_of(TEXT("V"), 100000), tax_of(TEXT("CITY"), 25000)};
    city[1].inclusive = PK_TAX_EXCLUSIVE;
    PkAdjustment off[] = {discount(PK_ADJUST_AMOUNT, 100), discount(PK_ADJUST_PPM, 500000)};
    PkLineInput line = line_of(TEXT("ROOM"), 350, 1000, city);
    line.per = (PkDecimal){100, 0, 0};
    line.tax_count = 2;
    line.adjustments = off;
    line.adjustment_count = 2;
    line.key = TEXT("room-1");
    NEW(PkLineAnswer, answer);
    NEW(PkLineAnswer, again);
    DONE(pk_add_line_ex(sale, &line, &answer));
    EXPECT(answer.line == 1 && answer.amount == 1700 && answer.discounts == 1800);
    EXPECT(answer.adjustment == 2 && answer.adjusted == -1700);
    DONE(pk_add_line_ex(sale, &line, &again));
    EXPECT(again.replayed == 1 && again.sequence == answer.sequence && again.line == 1);
    line.key = TEXT("");
    off[1].key = TEXT("own");
    REFUSED(PK_E_BAD_ARGUMENT, pk_add_line_ex(sale, &line, NULL));
    off[1].key = TEXT("");
    off[1].approval = 1;
    REFUSED(PK_E_BAD_ARGUMENT, pk_add_line_ex(sale, &line, NULL));
    off[1].approval = 0;
    off[1].value = 0;
    REFUSED(PK_E_BAD_RATE, pk_add_line_ex(sale, &line, NULL));
    line.adjustment_count = 33;
    REFUSED(PK_E_LIMIT, pk_add_line_ex(sale, &line, NULL));
    line.adjustment_count = 0;
    line.kind = 5;
    REFUSED(PK_E_BAD_ARGUMENT, pk_add_line_ex(sale, &line, NULL));
    line.kind = PK_LINE_KIND_DEPOSIT;
    line.per = (PkDecimal){-1, 0, 0};
    REFUSED(PK_E_BAD_QUANTITY, pk_add_line_ex(sale, &line, NULL));
    line.per = (PkDecimal){1, 7, 0};
    REFUSED(PK_E_BAD_QUANTITY, pk_add_line_ex(sale, &line, NULL));
    line.per = (PkDecimal){0, 0, 0};
    line.reserved = 1;
    REFUSED(PK_E_BAD_ARGUMENT, pk_add_line_ex(sale, &line, NULL));
    uint32_t lines = 0;
    DONE(pk_get_line_count(sale, &lines));
    EXPECT(lines == 1);
    for (uint32_t kind = PK_LINE_KIND_ITEM; kind <= PK_LINE_KIND_TIP; kind += 1) {
        PkLineInput other = line_of(TEXT("OTHER"), 1, 100, NULL);
        other.kind = kind;
        NEW(PkLine, got);
        DONE(pk_get_line(sale, add(sale, other), &got));
        EXPECT(got.kind == kind && got.tax_count == 0 && got.adjustment_count == 0);
    }
    PkReason reason = because(TEXT("over"));
    DONE(pk_void_transaction(sale, &reason));
    DONE(pk_close_transaction(sale));
}

/* ---- tenders -------------------------------------------------------------------------------- */

/* docs/reference/pricing.md, "Payment": card, then cash in steps of five. */
static void swiss_cash(void) {
    PkPolicy policy = policy_of("CHF");
    policy.prices = PK_PRICES_GROSS;
    policy.cash_step = 5;
    NEW(PkPolicyAnswer, set);
    DONE(pk_set_policy(terminal, &policy, NULL, 0, &set));
    PkTransactionHandle sale = begun("CHF");
    PkTaxInput normal = tax_of(TEXT("N"), 81000);
    add(sale, line_of(TEXT("BOOK"), 1, 1787, &normal));
    PkTotals totals = totals_of(sale);
    EXPECT(totals.due == 1787 && totals.cash_payable == 1785 && totals.rounding == 0);
    PkTenderInput card = tender_of(PK_TENDER_CARD, 500);
    PkTenderInput cash = tender_of(PK_TENDER_CASH, 2000);
    NEW(PkTenderAnswer, answer);
    DONE(pk_add_tender_ex(sale, &card, &answer));
    EXPECT(answer.due == 1287 && answer.change == 0 && answer.rounding == 0);
    DONE(pk_add_tender_ex(sale, &cash, &answer));
    EXPECT(answer.due == 0 && answer.change == 715 && answer.rounding == -2);
    NEW(PkReceipt, receipt);
    DONE(pk_complete_transaction(sale, NULL, 0, &receipt));
    EXPECT(receipt.net == 1653 && receipt.tax == 134 && receipt.gross == 1787);
    EXPECT(receipt.rounding == -2 && receipt.tax_rows == 1 && receipt.has_policy == 1);
    EXPECT(receipt.total_sales_tax == 134 && receipt.total_rounding == -2);
    EXPECT(receipt.tendered - receipt.change == receipt.gross + receipt.rounding + receipt.tips);
    EXPECT(memcmp(receipt.policy, set.hash, 32) == 0);
    comes_to(sale, 1653, 134, 1787);
    EXPECT(totals_of(sale).rounding == -2);
    PkTaxRow rows[2];
    size_t count = 77;
    rows[0].struct_size = sizeof rows[0];
    DONE(pk_get_receipt_tax_table(terminal, 0, receipt.receipt, rows, 2, &count));
    EXPECT(count == 1);
    is_row(&rows[0], "N", 81000, 1653, 134);
    DONE(pk_get_tax_table(sale, rows, 2, &count));
    is_row(&rows[0], "N", 81000, 1653, 134);
    NEW(PkReceipt, read);
    DONE(pk_get_receipt(terminal, receipt.receipt, &read));
    EXPECT(memcmp(&read, &receipt, sizeof read) == 0);
    DONE(pk_close_transaction(sale));
}

/* Every kind, with a tip and foreign money. */
static void kinds_of_tender(void) {
    PkTransactionHandle sale = begun("CHF");
    add(sale, line_of(TEXT("DINNER"), 1, 10000, NULL));
    PkTenderInput tender = tender_of(PK_TENDER_FOREIGN, 2000);
    REFUSED(PK_E_BAD_ARGUMENT, pk_add_tender_ex(sale, &tender, NULL));
    tender.currency = TEXT("EUR");
    REFUSED(PK_E_BAD_RATE, pk_add_tender_ex(sale, &tender, NULL));
    tender.rate = (PkDecimal){9312, 4, 0};
    NEW(PkTenderAnswer, answer);
    DONE(pk_add_tender_ex(sale, &tender, &answer));
    EXPECT(answer.due == 10000 - 1862);
    NEW(PkTender, got);
    DONE(pk_get_tender(sale, 1, &got));
    EXPECT(got.kind == PK_TENDER_FOREIGN && got.amount == 1862 && got.foreign_amount == 2000);
    EXPECT(memcmp(got.foreign_currency, "EUR\0\0\0\0", 8) == 0 && got.per == 1);
    EXPECT(got.rate.mantissa == 9312 && got.rate.scale == 4 && got.tip == 0);
    tender.currency = TEXT("XYZ");
    REFUSED(PK_E_BAD_CURRENCY, pk_add_tender_ex(sale, &tender, NULL));
    tender.kind = PK_TENDER_CASH;
    tender.currency = TEXT("EUR");
    REFUSED(PK_E_BAD_ARGUMENT, pk_add_tender_ex(sale, &tender, NULL));
    tender = tender_of(PK_TENDER_CARD, 100);
    tender.tip = 101;
    REFUSED(PK_E_BAD_AMOUNT, pk_add_tender_ex(sale, &tender, NULL));
    tender = tender_of(PK_TENDER_CARD, 4500);
    tender.tip = 500;
    DONE(pk_add_tender_ex(sale, &tender, &answer));
    EXPECT(answer.due == 10000 - 1862 - 4000);
    tender = tender_of(PK_TENDER_VOUCHER, 1000);
    DONE(pk_add_tender_ex(sale, &tender, NULL));
    tender = tender_of(PK_TENDER_OTHER, 1000);
    DONE(pk_add_tender_ex(sale, &tender, &answer));
    tender = tender_of(6, 1);
    REFUSED(PK_E_BAD_ARGUMENT, pk_add_tender_ex(sale, &tender, NULL));
    PkTotals totals = totals_of(sale);
    EXPECT(totals.tips == 500 && totals.due == 2138 && totals.cash_payable == 10002);
    tender = tender_of(PK_TENDER_CASH, 2200);
    DONE(pk_add_tender_ex(sale, &tender, &answer));
    EXPECT(answer.due == 0 && answer.rounding == 2 && answer.change == 60);
    NEW(PkReceipt, receipt);
    DONE(pk_complete_transaction(sale, NULL, 0, &receipt));
    EXPECT(receipt.tips == 500 && receipt.rounding == 2 && receipt.tax_rows == 0);
    EXPECT(receipt.tendered - receipt.change == 10000 + 2 + 500);
    for (uint32_t number = 1; number <= 5; number += 1) {
        static const uint32_t kinds[] = {PK_TENDER_FOREIGN, PK_TENDER_CARD, PK_TENDER_VOUCHER,
                                         PK_TENDER_OTHER, PK_TENDER_CASH};
        DONE(pk_get_tender(sale, number, &got));
        EXPECT(got.kind == kinds[number - 1] && got.state == PK_TENDER_CONFIRMED);
    }
    DONE(pk_close_transaction(sale));
}

/* ---- whole sales and counters --------------------------------------------------------------- */

static void carts_and_counters(void) {
    PkTaxInput a = tax_of(TEXT("A"), 190000), b = tax_of(TEXT("B"), 70000);
    PkAdjustment ten = discount(PK_ADJUST_PPM, 100000), own = discount(PK_ADJUST_AMOUNT, 90);
    PkLineInput lines[] = {line_of(TEXT("PLAIN"), 1, 100, NULL),
                           line_of(TEXT("RADIO"), 1, 1280, &a), line_of(TEXT("BREAD"), 2, 107, &b)};
    lines[1].adjustments = &own;
    lines[1].adjustment_count = 1;
    PkTenderInput cash = tender_of(PK_TENDER_CASH, 2000);
    NEW(PkCart, cart);
    cart.store = TEXT("STORE_001");
    cart.currency = TEXT("EUR");
    cart.key = TEXT("cart-1");
    cart.lines = lines;
    cart.line_count = 3;
    cart.tenders = &cash;
    cart.tender_count = 1;
    cart.adjustments = &ten;
    cart.adjustment_count = 1;
    NEW(PkReceipt, receipt);
    NEW(PkReceipt, again);
    DONE(pk_sell(terminal, &cart, &receipt));
    /* 10 % of 100 + 1190 + 214 is 150. */
    EXPECT(receipt.gross == 1354 && receipt.discounts == 240 && receipt.tax_rows == 2);
    EXPECT(receipt.net + receipt.tax == receipt.gross && receipt.change == 646);
    DONE(pk_sell(terminal, &cart, &again));
    EXPECT(again.replayed == 1 && again.receipt == receipt.receipt && again.net == receipt.net);
    cart.adjustment_count = 0;
    REFUSED(PK_E_IDEMPOTENCY_MISMATCH, pk_sell(terminal, &cart, &again));
    cart.key = TEXT("");
    cart.adjustment_count = 1;
    ten.approval = 4;
    REFUSED(PK_E_BAD_ARGUMENT, pk_sell(terminal, &cart, NULL));
    ten.approval = 0;
    ten.key = TEXT("own");
    REFUSED(PK_E_BAD_ARGUMENT, pk_sell(terminal, &cart, NULL));
    ten.key = TEXT("");
    cart.adjustments = NULL;
    REFUSED(PK_E_BAD_ARGUMENT, pk_sell(terminal, &cart, NULL));
    cart.adjustment_count = 0;
    own.value = 100000;
    REFUSED(PK_E_BAD_AMOUNT, pk_sell(terminal, &cart, NULL));
    own.value = 90;
    /* The same goods back, without their receipt. */
    for (size_t i = 0; i < 3; i += 1) {
        lines[i].quantity.mantissa = -lines[i].quantity.mantissa;
    }
    cash.amount = -1354;
    cart.adjustments = &ten;
    cart.adjustment_count = 1;
    DONE(pk_sell(terminal, &cart, &again));
    EXPECT(again.gross == -receipt.gross && again.net == -receipt.net);
    EXPECT(again.total_returns_tax == receipt.tax && again.total_sales_tax == receipt.tax);

    PkCounters counters[4];
    size_t count = 77;
    counters[0].struct_size = sizeof counters[0];
    DONE(pk_get_counters(terminal, counters, 4, &count));
    EXPECT(count == 2 && memcmp(counters[0].currency, "CHF", 4) == 0);
    EXPECT(memcmp(counters[1].currency, "EUR", 4) == 0);
    EXPECT(counters[0].sales == 11787 && counters[0].sales_tax == 134);
    EXPECT(counters[0].rounding == 0 && counters[0].receipts == 2);
    EXPECT(counters[1].sales == 1354 && counters[1].returns == 1354);
    EXPECT(counters[1].sales_tax == receipt.tax && counters[1].returns_tax == receipt.tax);
    EXPECT(counters[1].voids == 2 && counters[1].struct_size == sizeof counters[1]);
    PkTaxCounters taxes[4];
    taxes[0].struct_size = sizeof taxes[0];
    DONE(pk_get_tax_counters(terminal, taxes, 4, &count));
    EXPECT(count == 3);
    EXPECT(strcmp((const char *)taxes[0].tax_class, "N") == 0 && taxes[0].sold_tax == 134);
    EXPECT(strcmp((const char *)taxes[1].tax_class, "A") == 0 && taxes[1].rate_ppm == 190000);
    EXPECT(strcmp((const char *)taxes[2].tax_class, "B") == 0);
    EXPECT(taxes[1].sold_tax + taxes[2].sold_tax == receipt.tax);
    for (size_t i = 1; i < 3; i += 1) {
        EXPECT(memcmp(taxes[i].currency, "EUR", 4) == 0 && taxes[i].inclusive == PK_TAX_INCLUSIVE);
        EXPECT(taxes[i].sold_net == taxes[i].returned_net && taxes[i].sold_net > 0);
        EXPECT(taxes[i].sold_tax == taxes[i].returned_tax);
    }
    REFUSED(PK_E_BUFFER_TOO_SMALL, pk_get_tax_counters(terminal, taxes, 2, &count));
    EXPECT(count == 3);
}

/* What the policy says of returns without their receipt, and of sales that hold both. */
static void returns_by_policy(void) {
    PkPolicy policy = policy_of("SEK");
    policy.flags = PK_POLICY_NO_MIXED_RETURNS;
    DONE(pk_set_policy(terminal, &policy, NULL, 0, NULL));
    PkTransactionHandle sale = begun("SEK");
    PkLineInput back = line_of(TEXT("BOOK"), -1, 5000, NULL);
    REFUSED(PK_E_APPROVAL_REQUIRED, pk_add_line_ex(sale, &back, NULL));
    add(sale, line_of(TEXT("BOOK"), 1, 5000, NULL));
    back.approval = approved();
    REFUSED(PK_E_MIXED_RETURNS, pk_add_line_ex(sale, &back, NULL));
    PkReason reason = because(TEXT("over"));
    DONE(pk_void_transaction(sale, &reason));
    DONE(pk_close_transaction(sale));
    policy.unbound_returns = PK_UNBOUND_REFUSE;
    DONE(pk_set_policy(terminal, &policy, NULL, 0, NULL));
    sale = begun("SEK");
    REFUSED(PK_E_UNBOUND_RETURN, pk_add_line_ex(sale, &back, NULL));
    DONE(pk_void_transaction(sale, &reason));
    DONE(pk_close_transaction(sale));
}

/* ---- an older header ------------------------------------------------------------------------ */

/* Structures as long as interface 1.0 had them; what lies behind them is not zero and not read. */
#define OLD(name, size)                                                                            \
    do {                                                                                           \
        memset((uint8_t *)&name + (size), 0xa5, sizeof name - (size));                             \
        name.struct_size = (size);                                                                 \
    } while (0)

/* Nothing was written behind what an older header knows. */
#define UNTOUCHED(name, size)                                                                      \
    do {                                                                                           \
        for (size_t i = (size); i < sizeof name; i += 1) {                                         \
            EXPECT(((uint8_t *)&name)[i] == 0xa5);                                                 \
        }                                                                                          \
        EXPECT(name.struct_size == (size));                                                        \
    } while (0)

static void older_header(void) {
    PkTransactionHandle sale = begun("USD");
    PkLineInput line = line_of(TEXT("COFFEE_001"), 1, 399, NULL);
    NEW(PkLineAnswer, line_answer);
    OLD(line, 88);
    OLD(line_answer, 40);
    DONE(pk_add_line_ex(sale, &line, &line_answer));
    EXPECT(line_answer.line == 1 && line_answer.amount == 399 && line_answer.gross == 399);
    UNTOUCHED(line_answer, 40);
    PkReason reason = because(TEXT("two of them"));
    OLD(reason, 40);
    PkDecimal two = {2, 0, 0};
    DONE(pk_set_line_quantity(sale, 1, &two, &reason, &line_answer));
    NEW(PkLine, got);
    OLD(got, 56);
    DONE(pk_get_line(sale, 1, &got));
    EXPECT(got.amount == 798 && got.quantity.mantissa == 2);
    UNTOUCHED(got, 56);
    NEW(PkTotals, totals);
    OLD(totals, 48);
    DONE(pk_get_totals_ex(sale, &totals));
    EXPECT(totals.gross == 798 && totals.due == 798);
    UNTOUCHED(totals, 48);
    PkTenderInput cash = tender_of(PK_TENDER_CASH, 1000);
    NEW(PkTenderAnswer, tender_answer);
    OLD(cash, 56);
    OLD(tender_answer, 48);
    DONE(pk_add_tender_ex(sale, &cash, &tender_answer));
    EXPECT(tender_answer.change == 202);
    UNTOUCHED(tender_answer, 48);
    NEW(PkTender, tender);
    OLD(tender, 24);
    DONE(pk_get_tender(sale, 1, &tender));
    EXPECT(tender.amount == 1000);
    UNTOUCHED(tender, 24);
    NEW(PkReceipt, receipt);
    OLD(receipt, 136);
    DONE(pk_complete_transaction(sale, NULL, 0, &receipt));
    EXPECT(receipt.gross == 798 && receipt.change == 202);
    UNTOUCHED(receipt, 136);
    DONE(pk_close_transaction(sale));

    /* Arrays of such structures stand as close as that header lays them. */
    static uint64_t lines[2][11], tenders[2][7], counters[8][6];
    for (size_t i = 0; i < 2; i += 1) {
        PkLineInput each = line_of(TEXT("TEA"), 1 + (int64_t)i, 250, NULL);
        PkTenderInput paid = tender_of(PK_TENDER_CARD, 300 + 150 * (int64_t)i);
        each.struct_size = sizeof lines[i];
        paid.struct_size = sizeof tenders[i];
        memcpy(lines[i], &each, sizeof lines[i]);
        memcpy(tenders[i], &paid, sizeof tenders[i]);
    }
    NEW(PkCart, cart);
    cart.store = TEXT("STORE_001");
    cart.currency = TEXT("USD");
    cart.lines = (const PkLineInput *)(const void *)lines;
    cart.line_count = 2;
    cart.tenders = (const PkTenderInput *)(const void *)tenders;
    cart.tender_count = 2;
    OLD(cart, 104);
    DONE(pk_sell(terminal, &cart, &receipt));
    EXPECT(receipt.gross == 750 && receipt.lines == 2 && receipt.tenders == 2);
    UNTOUCHED(receipt, 136);
    size_t count = 77;
    memset(counters, 0xa5, sizeof counters);
    *(uint32_t *)(void *)counters[0] = sizeof counters[0];
    DONE(pk_get_counters(terminal, (PkCounters *)(void *)counters, 8, &count));
    EXPECT(count == 4 && memcmp(&counters[3][1], "USD", 4) == 0);
    EXPECT(counters[3][2] == 798 + 750 && counters[3][4] == 2 && counters[3][5] == 0);
    EXPECT(counters[4][0] == UINT64_C(0xa5a5a5a5a5a5a5a5));
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: pricing ROOT\n");
        return 2;
    }
    terminal = opened(arguments[1], "PRICES");
    policies();
    taxes_and_discounts();
    whole_lines();
    swiss_cash();
    kinds_of_tender();
    carts_and_counters();
    returns_by_policy();
    older_header();
    NEW(PkVerifyOptions, verify);
    verify.terminal = terminal;
    DONE(pk_verify_wal_integrity_ex(&verify, NULL));
    DONE(pk_terminal_close(terminal));
    /* What the policies are is in the journal. */
    terminal = opened(arguments[1], "PRICES");
    NEW(PkPolicy, got);
    DONE(pk_get_policy(terminal, BYTES("CHF"), &got));
    EXPECT(got.cash_step == 5 && got.prices == PK_PRICES_GROSS);
    DONE(pk_terminal_close(terminal));
    return passed();
}
