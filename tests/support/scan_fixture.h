/* For unit tests of detectors: a message from text, one detector over it, what it found.
 */
#ifndef SCAN_FIXTURE_H
#define SCAN_FIXTURE_H

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"
#include "scan_result.h"
#include "scan_table.h"

/* A header without a fault, to put lines behind. */
#define GOOD_HEAD                                                                        \
    "From: <a@example.org>\r\nDate: Mon, 1 Jun 2026 10:00:00 +0000\r\n"                  \
    "Message-ID: <1@example.org>\r\nSubject: test\r\n"

struct scan_fixture {
    struct mx_arena *arena;
    struct message msg;
    struct scan_result result;
};

static inline void fixture_parse(struct scan_fixture *f, const void *raw, size_t n)
{
    f->arena = mx_arena_new(256u << 20);
    f->msg = (struct message){.deadline_ms = INT64_MAX / 2};
    assert_int_equal(message_parse(f->arena, mx_str_of(raw, n), &f->msg, NULL), 0);
    scan_result_init(&f->result, f->arena);
}

/* Parse and run one detector without state. */
static inline void fixture_run(struct scan_fixture *f,
                               const struct scan_detector *detector, const void *raw,
                               size_t n)
{
    fixture_parse(f, raw, n);
    f->result.detector = detector->name;
    assert_int_equal(detector->run(NULL, &f->msg, &f->result, NULL), 0);
    for (size_t i = 0; i < f->result.n_findings; i++) { /* only declared symbols */
        const struct scan_symbol *symbol = detector->symbols;
        while (symbol->name != NULL &&
               strcmp(symbol->name, f->result.findings[i].symbol) != 0)
            symbol++;
        assert_non_null(symbol->name);
    }
}

/* "SYMBOL SYMBOL ..." in the order they were found. */
static inline const char *fixture_symbols(const struct scan_fixture *f)
{
    const char *text = "";
    for (size_t i = 0; i < f->result.n_findings; i++)
        text = mx_arena_printf(f->arena, "%s%s%s", text, i > 0 ? " " : "",
                               f->result.findings[i].symbol);
    return text;
}

static inline void fixture_free(struct scan_fixture *f)
{
    mx_arena_free(f->arena);
}

/* Expect exactly these symbols of that detector on that text. */
static inline void expect_symbols(const struct scan_detector *detector, const char *raw,
                                  size_t n, const char *symbols)
{
    struct scan_fixture f;
    fixture_run(&f, detector, raw, n);
    assert_string_equal(fixture_symbols(&f), symbols);
    fixture_free(&f);
}

#define EXPECT(detector, literal, symbols)                                               \
    expect_symbols(detector, literal, sizeof(literal) - 1, symbols)

#endif
