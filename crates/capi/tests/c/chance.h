/*
 * Arguments by chance, from a seed: mostly such as a till gives, one in sixteen such as none should.
 * A wild length always stands beside memory that is shorter.
 */
#ifndef CHANCE_H
#define CHANCE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pos_kernel.h"

typedef struct {
    uint64_t state;
} Chance;

static uint64_t draw(Chance *chance) {
    chance->state ^= chance->state << 13;
    chance->state ^= chance->state >> 7;
    chance->state ^= chance->state << 17;
    return chance->state * UINT64_C(0x2545f4914f6cdd1d);
}

/* A number from 0 to count - 1. */
static uint64_t below(Chance *chance, uint64_t count) {
    return (draw(chance) >> 32) % count;
}

static int one_in(Chance *chance, uint64_t count) {
    return below(chance, count) == 0;
}

static int64_t amount(Chance *chance) {
    static const int64_t edges[] = {
        0, -1, INT64_MAX, INT64_MIN, INT64_MAX - 1, 9007199254740991, 9007199254740992,
        -9007199254740991,
    };
    if (one_in(chance, 16)) {
        return edges[below(chance, sizeof edges / sizeof edges[0])];
    }
    return (int64_t)below(chance, 5000);
}

static int32_t quantity(Chance *chance) {
    static const int32_t edges[] = {0, -1, INT32_MAX, INT32_MIN, -3};
    if (one_in(chance, 16)) {
        return edges[below(chance, sizeof edges / sizeof edges[0])];
    }
    return 1 + (int32_t)below(chance, 5);
}

/* Of a line or a tender. */
static uint32_t number(Chance *chance) {
    static const uint32_t edges[] = {0, UINT32_MAX, 8192, 8193, 65};
    if (one_in(chance, 16)) {
        return edges[below(chance, sizeof edges / sizeof edges[0])];
    }
    return 1 + (uint32_t)below(chance, 4);
}

static PkDecimal decimal(Chance *chance) {
    PkDecimal decimal = {(int64_t)below(chance, 3000), (uint32_t)below(chance, 4), 0};
    if (one_in(chance, 16)) {
        decimal.mantissa = amount(chance);
    }
    if (one_in(chance, 12)) {
        decimal.mantissa = decimal.mantissa / -2;
    }
    if (one_in(chance, 48)) {
        decimal.scale = one_in(chance, 2) ? 7 : UINT32_MAX;
    }
    return decimal;
}

/* A text in `room`, which has 300 bytes; `word` is what a till would give. */
static PkText text(Chance *chance, uint8_t *room, const char *word) {
    static const char *const wrong[] = {"\xc0\xaf", "\xed\xa0\x80", "Caf\xc3", "\xff", "\xf4\x90\x80\x80"};
    if (!one_in(chance, 16)) {
        return (PkText){(const uint8_t *)word, strlen(word)};
    }
    const char *bad = wrong[below(chance, sizeof wrong / sizeof wrong[0])];
    switch (below(chance, 7)) {
    case 0:
        return (PkText){NULL, 0};
    case 1:
        return (PkText){NULL, 1 + below(chance, 100)};
    case 2:
        return (PkText){(const uint8_t *)"x", one_in(chance, 2) ? SIZE_MAX : (size_t)1 << 40};
    case 3:
        memset(room, 'y', 300);
        return (PkText){room, below(chance, 300)};
    case 4:
        return (PkText){(const uint8_t *)"a\0b", 3};
    case 5:
        memcpy(room, "\xe5\x8f\xa3\xe9\xa6\x99\xe7\xb3\x96", 9);
        return (PkText){room, 9};
    default:
        return (PkText){(const uint8_t *)bad, strlen(bad)};
    }
}

/* The size of a structure, or one that none has. */
static uint32_t size_of(Chance *chance, size_t size) {
    static const uint32_t wrong[] = {0, 4, 8, 7, UINT32_MAX};
    if (one_in(chance, 48)) {
        return wrong[below(chance, sizeof wrong / sizeof wrong[0])];
    }
    return (uint32_t)size;
}

#endif
