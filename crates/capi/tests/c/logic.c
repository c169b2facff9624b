/*
 * The logic minimiser through the C door: what it does, what it refuses, and many threads at once,
 * each with its own state and several dimensions in it. Every answer is the one that a thread alone
 * gets, word for word.
 *
 *     ./logic THREADS RUNS
 *
 * Prints how many checks and runs there were, and what memory a second round of as many runs left.
 */
#include <pthread.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "check.h"

#define SHAPES 12
#define QUESTIONS (SHAPES * 3)
#define WORDS_MAX 4096
#define THREADS_MAX 64

typedef struct {
    uint32_t binaries;
    uint32_t sizes[3];
    size_t sizes_count;
    uint32_t outputs;
} Shape;

static const Shape shapes[SHAPES] = {
    {1, {0}, 0, 1},  {2, {0}, 0, 1},     {3, {0}, 0, 2},  {4, {0}, 0, 4},
    {5, {0}, 0, 3},  {6, {0}, 0, 1},     {7, {0}, 0, 2},  {2, {3}, 1, 1},
    {3, {4, 5}, 2, 2}, {1, {7, 3}, 2, 3}, {1, {70}, 1, 2}, {33, {0}, 0, 2},
};

/* A function by its number, and the answer that one thread alone has found. */
typedef struct {
    PlAnswer answer;
    size_t words_count;
    uint64_t words[WORDS_MAX];
} Known;

static Known known[QUESTIONS];

/* What stands in many threads at once counts nothing, and ends the program when it is not so. */
#define SURE(what)                                                                                 \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "line %d: not so: %s\n", __LINE__, #what);                            \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)
#define FINE(call) SURE((call).code == PK_OK)

typedef struct {
    uint64_t state;
} Chance;

/* A number from 0 to count - 1. */
static uint64_t below(Chance *chance, uint64_t count) {
    chance->state ^= chance->state << 13;
    chance->state ^= chance->state >> 7;
    chance->state ^= chance->state << 17;
    return (chance->state * UINT64_C(0x2545f4914f6cdd1d) >> 32) % count;
}

/* Rows of chance for a set; `first` is the one value that the first input has, or none for any. */
static void add_rows(Chance *chance, uint32_t set, unsigned rows, int first) {
    PlCube cube;
    cube.struct_size = sizeof cube;
    FINE(pl_get_cube(&cube));
    for (unsigned row = 0; row < rows; row += 1) {
        uint64_t words[64] = {0};
        SURE(cube.words <= 64);
        for (uint32_t v = 0; v < cube.variables; v += 1) {
            PlVariable variable;
            variable.struct_size = sizeof variable;
            FINE(pl_get_variable(v, &variable));
            uint64_t one = below(chance, variable.parts);
            int is_any = below(chance, 3) == 0;
            for (uint32_t part = 0; part < variable.parts; part += 1) {
                int is_in = v == 0 && first >= 0 ? part == (uint32_t)first : is_any || part == one;
                uint32_t bit = variable.first_bit + part;
                words[bit / 64] |= (uint64_t)is_in << bit % 64;
            }
        }
        FINE(pl_add_words(set, words, cube.words));
    }
}

/* Sets a function up: every shape as f, as fd and as fr. */
static PlFunction set_up(size_t number) {
    const Shape *shape = &shapes[number / 3];
    Chance chance = {number + 1};
    PlFunction function = PK_INVALID_HANDLE;
    FINE(pl_setup_valued(shape->binaries, shape->sizes, shape->sizes_count, shape->outputs,
                         &function));
    uint32_t type = number % 3 == 0 ? PL_ON : number % 3 == 1 ? PL_ON + PL_DC : PL_ON + PL_OFF;
    FINE(pl_set_type(type));
    add_rows(&chance, PL_ON, 6, type & PL_OFF ? 0 : -1);
    if (type & PL_DC) {
        add_rows(&chance, PL_DC, 2, -1);
    }
    if (type & PL_OFF) {
        add_rows(&chance, PL_OFF, 5, 1);
    }
    return function;
}

static size_t words_of(uint32_t cover, uint64_t *words, size_t capacity) {
    size_t count = 0;
    DONE(pl_get_words(cover, words, capacity, &count));
    return count;
}

static void learn(void) {
    for (size_t i = 0; i < QUESTIONS; i += 1) {
        PlFunction function = set_up(i);
        known[i].answer.struct_size = sizeof known[i].answer;
        DONE(pl_minimize(&known[i].answer));
        known[i].words_count = words_of(PL_F, known[i].words, WORDS_MAX);
        EXPECT(known[i].words_count > 0);
        DONE(pl_teardown(function));
    }
}

/* ---- many threads ------------------------------------------------------------------------------ */

typedef struct {
    size_t number;
    size_t runs;
} Worker;

/* Three functions of a thread are set up one after the other and minimised in turn. */
static void *work(void *argument) {
    Worker *worker = argument;
    static __thread uint64_t words[WORDS_MAX];
    for (size_t done = 0; done < worker->runs; done += 3) {
        PlFunction functions[3];
        size_t numbers[3];
        for (size_t i = 0; i < 3; i += 1) {
            numbers[i] = (worker->number * 7 + done * 5 + i * 11) % QUESTIONS;
            functions[i] = set_up(numbers[i]);
        }
        for (size_t i = 0; i < 3; i += 1) {
            const Known *expected = &known[numbers[i]];
            PlAnswer answer;
            size_t count = 0;
            answer.struct_size = sizeof answer;
            SURE(pl_select(functions[i]).code == PK_OK);
            SURE(pl_minimize(&answer).code == PK_OK);
            SURE(memcmp(&answer, &expected->answer, sizeof answer) == 0);
            SURE(pl_get_words(PL_F, words, WORDS_MAX, &count).code == PK_OK);
            SURE(count == expected->words_count);
            SURE(memcmp(words, expected->words, count * sizeof *words) == 0);
        }
        /* The last one is left to the end of the thread. */
        SURE(pl_teardown(functions[0]).code == PK_OK);
        SURE(pl_teardown(functions[1]).code == PK_OK);
        SURE(pl_select(functions[1]).detail == PK_E_NOT_FOUND);
    }
    return NULL;
}

static void storm(size_t threads, size_t runs) {
    pthread_t ids[THREADS_MAX];
    Worker workers[THREADS_MAX];
    for (size_t i = 0; i < threads; i += 1) {
        workers[i] = (Worker){i, runs / threads};
        EXPECT(pthread_create(&ids[i], NULL, work, &workers[i]) == 0);
    }
    for (size_t i = 0; i < threads; i += 1) {
        EXPECT(pthread_join(ids[i], NULL) == 0);
    }
}

/* Bytes that are allocated; 0 where the C library does not say. */
static long long live_bytes(void) {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
    return (long long)mallinfo2().uordblks;
#else
    return 0;
#endif
}

/* ---- one thread --------------------------------------------------------------------------------- */

static void it_minimises_rows(void) {
    PlFunction function = PK_INVALID_HANDLE;
    DONE(pl_setup(2, 1, &function));
    EXPECT(function != PK_INVALID_HANDLE);
    static const uint8_t rows[3][2] = {{0, 1}, {1, 0}, {1, 1}}, one[] = {1};
    for (size_t i = 0; i < 3; i += 1) {
        DONE(pl_add_row(PL_ON, rows[i], 2, one, 1));
    }
    PlAnswer answer;
    answer.struct_size = sizeof answer;
    DONE(pl_minimize(&answer));
    EXPECT(answer.products == 2 && answer.input_literals == 2 && answer.proved == 1);
    DONE(pl_set_pos(1));
    DONE(pl_minimize(&answer));
    EXPECT(answer.products == 1 && answer.input_literals == 2);
    DONE(pl_set_pos(0));
    uint64_t word = 0;
    EXPECT(words_of(PL_F, &word, 1) == 1);
    /* Two inputs that are 0, and the output. */
    EXPECT(word == 0x15);
    DONE(pl_teardown(function));
    REFUSED(PK_E_NOT_FOUND, pl_minimize(NULL));
}

static void it_reads_and_writes_pla(void) {
    PlFunction function = PK_INVALID_HANDLE;
    DONE(pl_read_pla(BYTES(".i 2\n.o 1\n.type fr\n01 1\n11 1\n00 0\n.e\n"), &function));
    uint32_t type = 0;
    DONE(pl_get_type(&type));
    EXPECT(type == PL_ON + PL_OFF);
    DONE(pl_minimize(NULL));
    uint8_t text[256];
    size_t need = 0;
    REFUSED(PK_E_BUFFER_TOO_SMALL, pl_get_pla(NULL, 0, &need));
    EXPECT(need > 0 && need <= sizeof text);
    DONE(pl_get_pla(text, sizeof text, &need));
    static const char expected[] = ".i 2\n.o 1\n.type f\n.p 1\n-1 1\n.e\n";
    EXPECT(need == sizeof expected - 1 && memcmp(text, expected, need) == 0);
    REFUSED(PK_E_NOT_FOUND, pl_get_words(PL_D, NULL, 0, &need));
    /* A function that was refused has not become the current one. */
    PlFunction current = PK_INVALID_HANDLE, untouched = 77;
    REFUSED(PK_E_BAD_PLA, pl_read_pla(BYTES(".i 2\n.o 1\n0 1\n.e\n"), &untouched));
    EXPECT(untouched == 77);
    DONE(pl_current(&current));
    EXPECT(current == function);
    DONE(pl_add_row(PL_OFF, (const uint8_t[]){1, 1}, 2, (const uint8_t[]){1}, 1));
    REFUSED(PK_E_BAD_PLA, pl_minimize(NULL));
    REFUSED(PK_E_NOT_FOUND, pl_get_answer(&(PlAnswer){.struct_size = sizeof(PlAnswer)}));
    DONE(pl_teardown_all());
    REFUSED(PK_E_NOT_FOUND, pl_current(&current));
}

static void it_refuses(void) {
    PlFunction function = PK_INVALID_HANDLE;
    REFUSED(PK_E_BAD_ARGUMENT, pl_setup(2, 1, NULL));
    REFUSED(PK_E_BAD_ARGUMENT, pl_setup(2, 0, &function));
    REFUSED(PK_E_BAD_ARGUMENT, pl_setup(UINT32_MAX, 1, &function));
    REFUSED(PK_E_BAD_ARGUMENT, pl_setup(1, UINT32_MAX, &function));
    REFUSED(PK_E_BAD_ARGUMENT, pl_setup_valued(1, NULL, 1, 1, &function));
    REFUSED(PK_E_BAD_ARGUMENT, pl_setup_valued(1, (const uint32_t[]){0}, 1, 1, &function));
    REFUSED(PK_E_LIMIT, pl_setup_valued(1, (const uint32_t[]){2}, SIZE_MAX, 1, &function));
    REFUSED(PK_E_LIMIT, pl_read_pla((const uint8_t *)".i", SIZE_MAX, &function));
    REFUSED(PK_E_BAD_PLA, pl_read_pla(NULL, 0, &function));
    EXPECT(function == PK_INVALID_HANDLE);
    DONE(pl_setup(3, 2, &function));
    static const uint8_t row[] = {0, 1, 3}, outputs[] = {1, 1};
    REFUSED(PK_E_BAD_ARGUMENT, pl_add_row(PL_ON, row, 3, outputs, 2));
    REFUSED(PK_E_BAD_ARGUMENT, pl_add_row(PL_ON, row, 2, outputs, 2));
    REFUSED(PK_E_BAD_ARGUMENT, pl_add_row(PL_ON, row, 2, outputs, 1));
    REFUSED(PK_E_BAD_ARGUMENT, pl_add_row(PL_ON, NULL, 3, outputs, 2));
    REFUSED(PK_E_BAD_ARGUMENT, pl_add_row(PL_OFF, row, 2, outputs, 2));
    REFUSED(PK_E_BAD_ARGUMENT, pl_add_row(3, row, 2, outputs, 2));
    REFUSED(PK_E_LIMIT, pl_add_row(PL_ON, row, SIZE_MAX, outputs, 2));
    static const uint64_t words[] = {0xD5, UINT64_MAX};
    REFUSED(PK_E_BAD_ARGUMENT, pl_add_words(PL_ON, words, 2));
    REFUSED(PK_E_BAD_ARGUMENT, pl_add_words(PL_F, words, 1));
    REFUSED(PK_E_BAD_ARGUMENT, pl_add_words(PL_ON, (const uint64_t *)((const char *)words + 1), 1));
    size_t count = 77;
    DONE(pl_get_words(PL_ON, NULL, 0, &count));
    EXPECT(count == 0);
    REFUSED(PK_E_BAD_ARGUMENT, pl_get_words(PL_ON + PL_DC, NULL, 0, &count));
    REFUSED(PK_E_NOT_FOUND, pl_get_words(PL_F, NULL, 0, &count));
    REFUSED(PK_E_BAD_ARGUMENT, pl_get_words(PL_ON, NULL, 0, NULL));
    REFUSED(PK_E_BAD_ARGUMENT, pl_set_type(0));
    REFUSED(PK_E_BAD_ARGUMENT, pl_set_type(8));
    PlVariable variable;
    variable.struct_size = sizeof variable;
    DONE(pl_get_variable(3, &variable));
    EXPECT(variable.parts == 2);
    REFUSED(PK_E_NOT_FOUND, pl_get_variable(4, &variable));
    variable.struct_size = sizeof variable + 8;
    REFUSED(PK_E_STRUCT_SIZE, pl_get_variable(3, &variable));
    REFUSED(PK_E_BAD_ARGUMENT, pl_select(PK_INVALID_HANDLE));
    REFUSED(PK_E_NOT_FOUND, pl_select(function ^ 1));
    REFUSED(PK_E_NOT_FOUND, pl_select(function & ~((uint64_t)15 << 60)));
    REFUSED(PK_E_NOT_FOUND, pl_teardown(UINT64_MAX));
    REFUSED(PK_E_BAD_ARGUMENT, pl_set_debug(2));
    REFUSED(PK_E_BAD_ARGUMENT, pl_set_trace(-1));
    REFUSED(PK_E_BAD_ARGUMENT, pl_set_threads(0));
    REFUSED(PK_E_BAD_ARGUMENT, pl_set_threads(257));
    /* A table that no memory is enough for: the limit strikes, and the process lives. */
    DONE(pl_set_memory_limit_bytes(1));
    DONE(pl_add_row(PL_ON, (const uint8_t[]){0, 1, 1}, 3, outputs, 2));
    PlAnswer answer = {.struct_size = sizeof answer, .products = 77};
    PkResult starved = pl_minimize(&answer);
    EXPECT(starved.detail == PK_E_NO_ANSWER || starved.detail == 0);
    EXPECT(starved.detail == 0 || answer.products == 77);
    DONE(pl_teardown_all());
}

static void it_has_the_options(void) {
    EXPECT(pl_get_debug() == 0 && pl_get_trace() == 0 && pl_get_single_expand() == 0);
    EXPECT(pl_get_super_gasp() == 0 && pl_get_exact() == 0 && pl_get_pos() == 0);
    EXPECT(pl_get_unwrap_onset() == 1 && pl_get_remove_essential() == 1);
    EXPECT(pl_get_skip_make_sparse() == 0 && pl_get_threads() == 1);
    EXPECT(pl_get_time_limit_ms() == 0 && pl_get_memory_limit_bytes() == 1 << 30);
    DONE(pl_set_debug(1));
    DONE(pl_set_trace(1));
    DONE(pl_set_single_expand(1));
    DONE(pl_set_super_gasp(1));
    DONE(pl_set_exact(1));
    DONE(pl_set_unwrap_onset(0));
    DONE(pl_set_remove_essential(0));
    DONE(pl_set_skip_make_sparse(1));
    DONE(pl_set_threads(2));
    DONE(pl_set_time_limit_ms(60000));
    DONE(pl_set_memory_limit_bytes(1 << 28));
    EXPECT(pl_get_debug() == 1 && pl_get_trace() == 1 && pl_get_single_expand() == 1);
    EXPECT(pl_get_super_gasp() == 1 && pl_get_exact() == 1);
    EXPECT(pl_get_unwrap_onset() == 0 && pl_get_remove_essential() == 0);
    EXPECT(pl_get_skip_make_sparse() == 1 && pl_get_threads() == 2);
    EXPECT(pl_get_time_limit_ms() == 60000 && pl_get_memory_limit_bytes() == 1 << 28);
    set_up(4);
    DONE(pl_minimize(NULL));
    uint8_t text[65536];
    size_t need = 0;
    DONE(pl_trace_text(text, sizeof text - 1, &need));
    text[need] = '\0';
    EXPECT(strstr((const char *)text, "expand: ") != NULL);
    EXPECT(strstr((const char *)text, "answer: ") != NULL);
    DONE(pl_clear_trace());
    DONE(pl_trace_text(NULL, 0, &need));
    EXPECT(need == 0);
    DONE(pl_teardown_all());
    EXPECT(pl_get_trace() == 0 && pl_get_threads() == 1);
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: logic THREADS RUNS\n");
        return 2;
    }
    size_t threads = strtoull(arguments[1], NULL, 10), runs = strtoull(arguments[2], NULL, 10);
    EXPECT(threads >= 1 && threads <= THREADS_MAX && runs >= threads);
    it_minimises_rows();
    it_reads_and_writes_pla();
    it_refuses();
    it_has_the_options();
    learn();
    storm(threads, runs);
    long long before = live_bytes();
    storm(threads, runs);
    long long left = live_bytes() - before;
    /* Each thread has done as many as a multiple of three is. */
    size_t each = (runs / threads + 2) / 3 * 3;
    printf("{\"checks\":%u,\"runs\":%zu,\"leftBytes\":%lld}\n", checks_done, each * threads * 2, left);
    return 0;
}
