/*
 * What the C programs of these tests have in common: texts with their length in bytes, and checks
 * that say the line, what was expected and what came. A program that has passed prints how many
 * checks there were, so that one that checked nothing is seen.
 */
#ifndef CHECK_H
#define CHECK_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pos_kernel.h"

/* A text without its zero, as two arguments. */
#define BYTES(text) ((const uint8_t *)(text)), (sizeof(text) - 1)

/* A text for a structure. */
#define TEXT(text) ((PkText){(const uint8_t *)(text), sizeof(text) - 1})

static unsigned checks_done = 0;

static void expect_at(int line, int holds, const char *what) {
    checks_done += 1;
    if (holds) {
        return;
    }
    fprintf(stderr, "line %d: not so: %s\n", line, what);
    exit(1);
}

/* The coarse code that goes with a detail. */
static int32_t code_of(int32_t detail) {
    if (detail == 0) {
        return PK_OK;
    }
    if (detail == PK_E_BUFFER_TOO_SMALL) {
        return PK_INSUFFICIENT_BUFFER;
    }
    if (detail == PK_E_APPROVAL_REQUIRED) {
        return PK_DENIED;
    }
    return detail / 100 == 9 ? PK_INTERNAL_ERROR : detail / 100;
}

static void expect_result_at(int line, PkResult result, int32_t detail, const char *call) {
    checks_done += 1;
    if (result.detail == detail && result.code == code_of(detail)) {
        return;
    }
    char text[1024];
    size_t need = 0;
    int has_text = pk_last_error((uint8_t *)text, sizeof text, &need).code == PK_OK;
    fprintf(stderr, "line %d: %s: code %d, detail %d, where detail %d is expected: %.*s\n", line,
            call, result.code, result.detail, detail, has_text ? (int)need : 0, text);
    exit(1);
}

#define EXPECT(what) expect_at(__LINE__, (what), #what)
#define DONE(call) expect_result_at(__LINE__, (call), 0, #call)
#define REFUSED(detail, call) expect_result_at(__LINE__, (call), (detail), #call)

static inline int passed(void) {
    printf("{\"checks\":%u}\n", checks_done);
    return 0;
}

#endif
