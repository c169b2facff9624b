/*
 * Rules through C: a refused line, one that is approved, a tender and a whole sale that are refused,
 * a changed line; what is in force; refusals of wrong input.
 *
 *     ./rules ROOT
 */
#include "check.h"

#include <stdlib.h>

static PkTerminal terminal = PK_INVALID_HANDLE;

/* A structure with its size and zeros. */
#define NEW(type, name)                                                                            \
    type name;                                                                                     \
    memset(&name, 0, sizeof name);                                                                 \
    name.struct_size = sizeof name

static const char lines[] = "table,ages,hit,first,at,line\n"
                            "rule,class,quantity,buyerAge,labels,decision,message\n"
                            ",when text = none,when decimal,when integer 0..150 = 0,"
                            "when set organic|frozen =,then text refuse|approve|allow,then text =\n"
                            "minor,wine|beer,,<18,,refuse,Not to minors\n"
                            "bulk,,>=100,,,approve,A supervisor allows 100 or more\n"
                            "thawed,,,,frozen & organic,refuse,Not both\n"
                            "other,,,,,allow,\n";
static const char tenders[] = "table,tenders,hit,first,at,tender\n"
                              "rule,kind,amount,voucher,decision\n"
                              ",when text,when integer,when bool = false,"
                              "then text refuse|approve|allow\n"
                              "voucher,voucher,,false,refuse\n"
                              "large,cash,>=50000,,approve\n"
                              "other,,,,allow\n";
static const char sales[] = "table,sales,hit,first,at,sale\n"
                            "rule,lines,decision\n"
                            ",when integer,then text refuse|allow\n"
                            "many,>2,refuse\n"
                            "other,,allow\n";

static PkText text_of(const char *text) {
    return (PkText){(const uint8_t *)text, strlen(text)};
}

static PkRuleTable table_of(const char *source) {
    NEW(PkRuleTable, table);
    table.source = text_of(source);
    return table;
}

static PkAttribute number_of(const char *name, uint32_t kind, int64_t number) {
    NEW(PkAttribute, attribute);
    attribute.kind = kind;
    attribute.name = text_of(name);
    attribute.number.mantissa = number;
    return attribute;
}

static PkAttribute text_attribute(const char *name, uint32_t kind, const char *text) {
    NEW(PkAttribute, attribute);
    attribute.kind = kind;
    attribute.name = text_of(name);
    attribute.text = text_of(text);
    return attribute;
}

static PkTransactionHandle begun(void) {
    NEW(PkTransactionOptions, options);
    options.store = TEXT("STORE_001");
    options.currency = TEXT("EUR");
    PkTransactionHandle sale = PK_INVALID_HANDLE;
    DONE(pk_begin_transaction_ex(terminal, &options, &sale));
    return sale;
}

static PkLineInput line_of(const char *goods_class, int64_t quantity) {
    NEW(PkLineInput, line);
    line.sku = TEXT("GOODS");
    line.quantity.mantissa = quantity;
    line.unit_price.mantissa = 1000;
    line.goods_class = text_of(goods_class);
    return line;
}

static uint64_t approved(void) {
    NEW(PkApproval, approval);
    approval.approver = TEXT("Berta");
    approval.what = TEXT("this once");
    NEW(PkFactAnswer, answer);
    DONE(pk_approve(terminal, &approval, &answer));
    return answer.number;
}

/* The last refusal names a text in its facts. */
static void says(const char *what) {
    static char facts[4096];
    size_t need = 0;
    DONE(pk_last_error_json((uint8_t *)facts, sizeof facts - 1, &need));
    facts[need] = 0;
    EXPECT(strstr(facts, what) != NULL);
}

static void lines_are_judged(void) {
    PkTransactionHandle sale = begun();
    PkAttribute age = number_of("buyerAge", PK_ATTRIBUTE_NUMBER, 17);
    PkLineInput wine = line_of("wine", 1);
    wine.attributes = &age;
    wine.attribute_count = 1;
    REFUSED(PK_E_RULE_REFUSED, pk_add_line_ex(sale, &wine, NULL));
    says("\"rule\":\"minor\"");
    says("\"table\":\"ages\"");
    says("\"reason\":\"Not to minors\"");
    age.number.mantissa = 18;
    NEW(PkLineAnswer, answer);
    DONE(pk_add_line_ex(sale, &wine, &answer));
    EXPECT(answer.line == 1 && answer.amount == 1000);
    /* A change is judged by what was said when the line was added. */
    PkDecimal hundred = {100, 0, 0};
    NEW(PkReason, reason);
    reason.reason = TEXT("more");
    REFUSED(PK_E_APPROVAL_REQUIRED, pk_set_line_quantity(sale, 1, &hundred, &reason, NULL));
    says("\"rule\":\"bulk\"");
    reason.approval = approved();
    DONE(pk_set_line_quantity(sale, 1, &hundred, &reason, NULL));
    /* Members of one name are one set. */
    PkAttribute labels[] = {text_attribute("labels", PK_ATTRIBUTE_MEMBER, "organic"),
                            text_attribute("labels", PK_ATTRIBUTE_MEMBER, "frozen")};
    PkLineInput peas = line_of("food", 1);
    peas.attributes = labels;
    peas.attribute_count = 2;
    REFUSED(PK_E_RULE_REFUSED, pk_add_line_ex(sale, &peas, NULL));
    peas.attribute_count = 1;
    DONE(pk_add_line_ex(sale, &peas, NULL));
    /* A voucher without its kind is refused, and large cash wants an approval. */
    NEW(PkTenderInput, tender);
    tender.kind = PK_TENDER_VOUCHER;
    tender.amount = 1000;
    REFUSED(PK_E_RULE_REFUSED, pk_add_tender_ex(sale, &tender, NULL));
    PkAttribute voucher = number_of("voucher", PK_ATTRIBUTE_BOOL, 1);
    tender.attributes = &voucher;
    tender.attribute_count = 1;
    DONE(pk_add_tender_ex(sale, &tender, NULL));
    NEW(PkTenderInput, cash);
    cash.kind = PK_TENDER_CASH;
    cash.amount = 100000;
    REFUSED(PK_E_APPROVAL_REQUIRED, pk_add_tender_ex(sale, &cash, NULL));
    cash.approval = approved();
    DONE(pk_add_tender_ex(sale, &cash, NULL));
    NEW(PkReceipt, receipt);
    DONE(pk_complete_transaction(sale, NULL, 0, &receipt));
    EXPECT(receipt.gross == 101000);
}

static void sales_are_judged(void) {
    PkTransactionHandle sale = begun();
    PkLineInput bread = line_of("food", 1);
    for (int i = 0; i < 3; i += 1) DONE(pk_add_line_ex(sale, &bread, NULL));
    NEW(PkTenderInput, cash);
    cash.kind = PK_TENDER_CASH;
    cash.amount = 3000;
    REFUSED(PK_E_RULE_REFUSED, pk_add_tender_ex(sale, &cash, NULL));
    says("\"table\":\"sales\"");
    /* In one call as well, with the attributes of each line. */
    PkAttribute ages[] = {number_of("buyerAge", PK_ATTRIBUTE_NUMBER, 40),
                          number_of("buyerAge", PK_ATTRIBUTE_NUMBER, 12)};
    PkLineInput two[] = {line_of("wine", 1), line_of("wine", 1)};
    for (int i = 0; i < 2; i += 1) {
        two[i].attributes = &ages[i];
        two[i].attribute_count = 1;
    }
    cash.amount = 2000;
    NEW(PkCart, cart);
    cart.store = TEXT("STORE_001");
    cart.currency = TEXT("EUR");
    cart.lines = two;
    cart.line_count = 2;
    cart.tenders = &cash;
    cart.tender_count = 1;
    NEW(PkReceipt, receipt);
    REFUSED(PK_E_RULE_REFUSED, pk_sell(terminal, &cart, &receipt));
    ages[1].number.mantissa = 41;
    DONE(pk_sell(terminal, &cart, &receipt));
    EXPECT(receipt.gross == 2000 && receipt.lines == 2);
}

static void wrong_input_is_refused(void) {
    PkTransactionHandle sale = begun();
    PkLineInput line = line_of("food", 1);
    PkAttribute odd = number_of("buyerAge", 9, 1);
    line.attributes = &odd;
    line.attribute_count = 1;
    REFUSED(PK_E_BAD_ARGUMENT, pk_add_line_ex(sale, &line, NULL));
    odd = number_of("buyerAge", PK_ATTRIBUTE_BOOL, 2);
    REFUSED(PK_E_BAD_ARGUMENT, pk_add_line_ex(sale, &line, NULL));
    odd = number_of("buyerAge", PK_ATTRIBUTE_NUMBER, 151);
    REFUSED(PK_E_BAD_ARGUMENT, pk_add_line_ex(sale, &line, NULL));
    line.attribute_count = 513;
    REFUSED(PK_E_LIMIT, pk_add_line_ex(sale, &line, NULL));
    PkRuleTable bad = table_of("table,t,hit,first,at,line\nrule,n,decision\n");
    REFUSED(PK_E_BAD_RULES, pk_set_rules(terminal, &bad, 1, NULL, 0, NULL));
    bad.reserved = 1;
    REFUSED(PK_E_BAD_ARGUMENT, pk_set_rules(terminal, &bad, 1, NULL, 0, NULL));
    REFUSED(PK_E_LIMIT, pk_set_rules(terminal, &bad, 17, NULL, 0, NULL));
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: rules ROOT\n");
        return 2;
    }
    NEW(PkTerminalOptions, options);
    options.durability = PK_DURABILITY_SALE;
    options.root = text_of(arguments[1]);
    options.id = TEXT("RULES");
    DONE(pk_terminal_open(&options, &terminal));
    static char report[16384];
    size_t need = 0;
    REFUSED(PK_E_NOT_FOUND, pk_get_rules_json(terminal, (uint8_t *)report, sizeof report, &need));
    PkRuleTable tables[] = {table_of(lines), table_of(tenders), table_of(sales)};
    NEW(PkRulesAnswer, answer);
    PkRulesAnswer again = answer;
    DONE(pk_set_rules(terminal, tables, 3, BYTES("rules"), &answer));
    DONE(pk_set_rules(terminal, tables, 3, BYTES("rules"), &again));
    EXPECT(again.replayed == 1 && memcmp(answer.hash, again.hash, sizeof answer.hash) == 0);
    DONE(pk_get_rules_json(terminal, (uint8_t *)report, sizeof report - 1, &need));
    report[need] = 0;
    EXPECT(strstr(report, "\"table\":\"ages\"") != NULL);
    EXPECT(strstr(report, "\"table\":\"sales\"") != NULL);
    lines_are_judged();
    sales_are_judged();
    wrong_input_is_refused();
    /* No tables end all rules. */
    DONE(pk_set_rules(terminal, NULL, 0, NULL, 0, NULL));
    PkTransactionHandle sale = begun();
    PkLineInput wine = line_of("wine", 1);
    DONE(pk_add_line_ex(sale, &wine, NULL));
    NEW(PkVerifyOptions, verify);
    verify.terminal = terminal;
    DONE(pk_verify_wal_integrity_ex(&verify, NULL));
    DONE(pk_terminal_close(terminal));
    return passed();
}
