/*
 * A terminal of a kernel service, from C: operations as JSON, answers that do not fit, refusals.
 *
 *     ./service ROOT             the service of ROOT has the terminal T1
 *     ./service ROOT nobody      nobody serves ROOT
 */
#include "check.h"

static PkService till = PK_INVALID_HANDLE;
static char answer[65536];
static size_t need = 0;
static uint64_t call = 0;

static PkText text_of(const char *text) {
    return (PkText){(const uint8_t *)text, strlen(text)};
}

/* The answer of an operation, with a zero. */
static const char *said(const char *operation) {
    PkResult result = pk_service_call(till, text_of(operation), &call, (uint8_t *)answer,
                                      sizeof answer - 1, &need);
    DONE(result);
    answer[need] = 0;
    return answer;
}

#define SAYS(operation, part) EXPECT(strstr(said(operation), part) != NULL)

static PkResult connected(PkText root, PkText id, PkService *service) {
    return pk_service_connect(root, (PkText){NULL, 0}, id, 2000, service);
}

static void sale(void) {
    SAYS("{\"op\":\"begin\",\"store\":\"shop\",\"currency\":\"EUR\"}", "\"sale\":1");
    SAYS("{\"op\":\"addLine\",\"sku\":\"coffee\",\"quantity\":2,\"unitPrice\":320}", "\"gross\":640");
    SAYS("{\"op\":\"complete\"}", "\"code\":\"PK_E_UNDERPAID\"");
    SAYS("{\"op\":\"tender\",\"kind\":\"cash\",\"amount\":1000}", "\"change\":360");
    SAYS("{\"op\":\"complete\"}", "\"receiptNumber\":1");
    SAYS("{\"op\":\"no such thing\"}", "\"code\":\"PK_E_BAD_ARGUMENT\"");
    SAYS("not JSON", "\"code\":\"PK_E_BAD_ARGUMENT\"");
}

/* What does not fit was done all the same, once, and is there to be read again. */
static void small_buffers(void) {
    static const char cart[] =
        "{\"op\":\"sell\",\"store\":\"shop\",\"currency\":\"EUR\",\"key\":\"once\","
        "\"lines\":[{\"sku\":\"tea\",\"quantity\":1,\"unitPrice\":250}],"
        "\"tenders\":[{\"kind\":\"cash\",\"amount\":250}]}";
    REFUSED(PK_E_BUFFER_TOO_SMALL,
            pk_service_call(till, text_of(cart), &call, NULL, 0, &need));
    uint64_t first = call;
    size_t size = need;
    EXPECT(size > 100 && size < sizeof answer);
    DONE(pk_service_answer(till, first, (uint8_t *)answer, size, &need));
    answer[need] = 0;
    EXPECT(need == size);
    EXPECT(strstr(answer, "\"receiptNumber\":2") != NULL);
    SAYS("{\"op\":\"status\"}", "\"nextReceipt\":3");
    SAYS(cart, "\"replayed\":true");
    for (int other = 0; other < 64; other += 1) {
        SAYS("{\"op\":\"status\"}", "\"nextReceipt\":3");
    }
    REFUSED(PK_E_NOT_FOUND,
            pk_service_answer(till, first, (uint8_t *)answer, sizeof answer, &need));
}

static void refusals(PkText root) {
    PkService other = 77;
    REFUSED(PK_E_TERMINAL_IN_USE, connected(root, TEXT("T1"), &other));
    REFUSED(PK_E_NOT_ALLOWED, connected(root, TEXT("T2"), &other));
    REFUSED(PK_E_BAD_ARGUMENT, connected((PkText){NULL, 0}, TEXT("T1"), &other));
    REFUSED(PK_E_BAD_ARGUMENT, connected(root, TEXT("T1"), NULL));
    REFUSED(PK_E_BAD_ID, connected(root, (PkText){(const uint8_t *)"T1", 1000}, &other));
    EXPECT(other == 77);
    uint64_t number = 77;
    uint8_t *to = (uint8_t *)answer;
    PkText status = TEXT("{\"op\":\"status\"}");
    REFUSED(PK_E_BAD_ARGUMENT, pk_service_call(till, status, NULL, to, sizeof answer, &need));
    REFUSED(PK_E_BAD_ARGUMENT, pk_service_call(till, status, &number, NULL, 9, &need));
    REFUSED(PK_E_BAD_ARGUMENT, pk_service_call(0, status, &number, to, sizeof answer, &need));
    REFUSED(PK_E_NOT_FOUND, pk_service_call(till ^ 1, status, &number, to, sizeof answer, &need));
    REFUSED(PK_E_BAD_UTF8,
            pk_service_call(till, TEXT("{\"op\":\"\xff\"}"), &number, to, sizeof answer, &need));
    REFUSED(PK_E_LIMIT, pk_service_call(till, (PkText){to, (size_t)1 << 40}, &number, to,
                                        sizeof answer, &need));
    EXPECT(number == 77);
}

int main(int count, char **arguments) {
    EXPECT(count >= 2);
    PkText root = text_of(arguments[1]);
    if (count > 2) {
        REFUSED(PK_E_SERVICE_DOWN, connected(root, TEXT("T1"), &till));
    } else {
        DONE(connected(root, TEXT("T1"), &till));
        sale();
        small_buffers();
        refusals(root);
        DONE(pk_service_close(till));
        REFUSED(PK_E_NOT_FOUND, pk_service_close(till));
    }
    printf("{\"checks\":%u}\n", checks_done);
    return 0;
}
