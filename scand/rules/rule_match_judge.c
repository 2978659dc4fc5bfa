/*
 * PCRE2 as Perl would have it. Rule patterns are Perl patterns over bytes, classes ASCII
 * only, but letters from 0xC0 on fold their case as ISO 8859-1 has it: so character
 * tables of our own. A few patterns exceed what 16-bit links can span in the 8-bit
 * library as distributions build it; the 32-bit library has room, and matches them on
 * the text widened to 32 bits a byte, which is done once a text and only if asked for.
 *
 * Every search is bounded. PCRE2 counts its steps anew at each place where a match could
 * begin, so a long text is searched some thousand places at a time with a look at the
 * clock between. \G and \K have no special treatment: no stock rule uses them.
 */
#define PCRE2_CODE_UNIT_WIDTH 0
#include "rule_match_judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcre2.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"

#include "rule_match_regex.h"

#define OPTIONS                                                                          \
    (PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_USE_OFFSET_LIMIT | PCRE2_DUPNAMES)
#define GROUPS_MAX 64 /* whose places are noted */

/* Layout of PCRE2's character tables (pcre2_maketables): lower case of each byte, other
   case of each byte, bit maps of classes, flags of each byte. */
#define TABLE_LOWER 0
#define TABLE_OTHER 256
#define TABLE_CLASSES 512
#define TABLE_CLASSES_BYTES 320
#define TABLE_FLAGS (TABLE_CLASSES + TABLE_CLASSES_BYTES)

struct rule_judge_factory {
    const uint8_t *tables8, *tables32;
    pcre2_compile_context_8 *context8;
    pcre2_compile_context_32 *context32;
};

struct rule_judge {
    pcre2_code_8 *code8;
    pcre2_code_32 *code32; /* one of the two */
    bool is_jit;
};

struct rule_judge_scratch {
    pcre2_match_data_8 *data8;
    pcre2_match_data_32 *data32;
    pcre2_match_context_8 *context8;
    pcre2_match_context_32 *context32;
    pcre2_jit_stack_8 *stack8;
    pcre2_jit_stack_32 *stack32;
    struct mx_str text;
    uint32_t *wide; /* of text, when is_wide */
    size_t wide_room;
    bool is_wide;
    int64_t deadline_ms;
};

/* ---- compiling --------------------------------------------------------------------- */

/* PCRE2 hands out its tables as constant because it shares them; these are ours. */
static void adapt_tables(const uint8_t *made)
{
    uint8_t *tables = (uint8_t *)(uintptr_t)made;
    for (unsigned c = 0x80; c < 256; c++) {
        unsigned other = regex_fold(c);
        tables[TABLE_LOWER + c] = (uint8_t)(c >= 0xe0 ? c : other);
        tables[TABLE_OTHER + c] = (uint8_t)other;
        tables[TABLE_FLAGS + c] = 0;
    }
    for (size_t i = 0; i < TABLE_CLASSES_BYTES; i++)
        if (i % 32 >= 16)
            tables[TABLE_CLASSES + i] = 0;
}

struct rule_judge_factory *rule_judge_factory_new(void)
{
    struct rule_judge_factory *factory = mx_xalloc(sizeof(*factory));
    factory->tables8 = pcre2_maketables_8(NULL);
    factory->tables32 = pcre2_maketables_32(NULL);
    factory->context8 = pcre2_compile_context_create_8(NULL);
    factory->context32 = pcre2_compile_context_create_32(NULL);
    if (factory->tables8 == NULL || factory->tables32 == NULL ||
        factory->context8 == NULL || factory->context32 == NULL)
        abort(); /* out of memory */
    adapt_tables(factory->tables8);
    adapt_tables(factory->tables32);
    pcre2_set_character_tables_8(factory->context8, factory->tables8);
    pcre2_set_character_tables_32(factory->context32, factory->tables32);
    return factory;
}

void rule_judge_factory_free(struct rule_judge_factory *factory)
{
    if (factory == NULL)
        return;
    pcre2_compile_context_free_8(factory->context8);
    pcre2_compile_context_free_32(factory->context32);
    pcre2_maketables_free_8(NULL, factory->tables8);
    pcre2_maketables_free_32(NULL, factory->tables32);
    free(factory);
}

static int compile_error(int code, size_t at, struct mx_err *err)
{
    PCRE2_UCHAR8 text[200];
    if (pcre2_get_error_message_8(code, text, sizeof(text)) < 0)
        snprintf((char *)text, sizeof(text), "error %d", code);
    return mx_err_set(err, MX_ERR_INPUT, "at byte %zu: %s", at, (const char *)text);
}

/* A byte a code unit. */
static uint32_t *widen(struct mx_str text, uint32_t *out)
{
    for (size_t i = 0; i < text.n; i++)
        out[i] = (unsigned char)text.p[i];
    return out;
}

static int compile_wide(const struct rule_judge_factory *factory, struct mx_str pattern,
                        struct rule_judge *judge, struct mx_err *err)
{
    uint32_t *wide = widen(pattern, mx_xalloc((pattern.n + 1) * sizeof(*wide)));
    int code;
    size_t at;
    judge->code32 =
        pcre2_compile_32(wide, pattern.n, OPTIONS, &code, &at, factory->context32);
    free(wide);
    if (judge->code32 == NULL)
        return compile_error(code, at, err);
    judge->is_jit = pcre2_jit_compile_32(judge->code32, PCRE2_JIT_COMPLETE) == 0;
    return 0;
}

int rule_judge_compile(const struct rule_judge_factory *factory, struct mx_str pattern,
                       struct rule_judge **out, struct mx_err *err)
{
    struct rule_judge *judge = mx_xalloc(sizeof(*judge));
    int code, rc = 0;
    size_t at;
    judge->code8 = pcre2_compile_8((PCRE2_SPTR8)(pattern.p ? pattern.p : ""), pattern.n,
                                   OPTIONS, &code, &at, factory->context8);
    if (judge->code8 != NULL)
        judge->is_jit = pcre2_jit_compile_8(judge->code8, PCRE2_JIT_COMPLETE) == 0;
    else if (code == PCRE2_ERROR_PATTERN_TOO_LARGE)
        rc = compile_wide(factory, pattern, judge, err);
    else
        rc = compile_error(code, at, err);
    if (rc == 0)
        *out = judge;
    else
        rule_judge_free(judge);
    return rc;
}

void rule_judge_free(struct rule_judge *judge)
{
    if (judge == NULL)
        return;
    pcre2_code_free_8(judge->code8);
    pcre2_code_free_32(judge->code32);
    free(judge);
}

bool rule_judge_is_wide(const struct rule_judge *judge)
{
    return judge->code32 != NULL;
}

bool rule_judge_is_jit(const struct rule_judge *judge)
{
    return judge->is_jit;
}

/* ---- matching ---------------------------------------------------------------------- */

struct rule_judge_scratch *rule_judge_scratch_new(void)
{
    struct rule_judge_scratch *s = mx_xalloc(sizeof(*s));
    s->data8 = pcre2_match_data_create_8(GROUPS_MAX, NULL);
    s->data32 = pcre2_match_data_create_32(GROUPS_MAX, NULL);
    s->context8 = pcre2_match_context_create_8(NULL);
    s->context32 = pcre2_match_context_create_32(NULL);
    if (s->data8 == NULL || s->data32 == NULL || s->context8 == NULL ||
        s->context32 == NULL)
        abort(); /* out of memory */
    s->stack8 = pcre2_jit_stack_create_8(64 << 10, RULE_JUDGE_STACK_MAX, NULL);
    s->stack32 = pcre2_jit_stack_create_32(64 << 10, RULE_JUDGE_STACK_MAX, NULL);
    pcre2_jit_stack_assign_8(s->context8, NULL, s->stack8);
    pcre2_jit_stack_assign_32(s->context32, NULL, s->stack32);
    pcre2_set_match_limit_8(s->context8, RULE_JUDGE_STEPS_MAX);
    pcre2_set_match_limit_32(s->context32, RULE_JUDGE_STEPS_MAX);
    pcre2_set_depth_limit_8(s->context8, RULE_JUDGE_DEPTH_MAX);
    pcre2_set_depth_limit_32(s->context32, RULE_JUDGE_DEPTH_MAX);
    pcre2_set_heap_limit_8(s->context8, RULE_JUDGE_HEAP_KIB_MAX);
    pcre2_set_heap_limit_32(s->context32, RULE_JUDGE_HEAP_KIB_MAX);
    return s;
}

void rule_judge_scratch_free(struct rule_judge_scratch *s)
{
    if (s == NULL)
        return;
    pcre2_jit_stack_free_8(s->stack8);
    pcre2_jit_stack_free_32(s->stack32);
    pcre2_match_data_free_8(s->data8);
    pcre2_match_data_free_32(s->data32);
    pcre2_match_context_free_8(s->context8);
    pcre2_match_context_free_32(s->context32);
    free(s->wide);
    free(s);
}

void rule_judge_text(struct rule_judge_scratch *s, struct mx_str text,
                     int64_t deadline_ms)
{
    s->text = text.p != NULL ? text : MX_STR("");
    s->is_wide = false;
    s->deadline_ms = deadline_ms;
}

static const uint32_t *wide_text(struct rule_judge_scratch *s)
{
    if (s->is_wide)
        return s->wide;
    if (s->text.n >= s->wide_room) {
        s->wide_room = s->text.n + 4096;
        s->wide = mx_xrealloc(s->wide, s->wide_room * sizeof(*s->wide));
    }
    s->is_wide = true;
    return widen(s->text, s->wide);
}

/* One call of PCRE2: a match that begins at ${from} to ${last}. */
static int search(struct rule_judge_scratch *s, const struct rule_judge *judge,
                  size_t from, size_t last, uint32_t options)
{
    if (judge->code8 != NULL) {
        pcre2_set_offset_limit_8(s->context8, last);
        return pcre2_match_8(judge->code8, (PCRE2_SPTR8)s->text.p, s->text.n, from,
                             options, s->data8, s->context8);
    }
    pcre2_set_offset_limit_32(s->context32, last);
    return pcre2_match_32(judge->code32, wide_text(s), s->text.n, from, options,
                          s->data32, s->context32);
}

static const PCRE2_SIZE *offsets(const struct rule_judge_scratch *s,
                                 const struct rule_judge *judge)
{
    return judge->code8 != NULL ? pcre2_get_ovector_pointer_8(s->data8)
                                : pcre2_get_ovector_pointer_32(s->data32);
}

static bool is_late(const struct rule_judge_scratch *s)
{
    return s->deadline_ms > 0 && mx_mono_us() / 1000 >= s->deadline_ms;
}

enum rule_judged rule_judge_next(struct rule_judge_scratch *s,
                                 const struct rule_judge *judge, struct rule_found *found)
{
    size_t from = found->to;
    uint32_t options = found->is_empty ? PCRE2_NOTEMPTY_ATSTART : 0;
    int rc = PCRE2_ERROR_NOMATCH;
    for (;;) {
        bool is_rest = s->text.n - from <= RULE_JUDGE_PLACES;
        size_t last = is_rest ? PCRE2_UNSET : from + RULE_JUDGE_PLACES - 1;
        rc = search(s, judge, from, last, options);
        if (rc != PCRE2_ERROR_NOMATCH || is_rest)
            break;
        if (is_late(s))
            return RULE_JUDGED_LATE;
        from = last + 1;
        options = 0;
    }
    if (rc == PCRE2_ERROR_NOMATCH)
        return RULE_JUDGED_NO;
    if (rc < 0)
        return RULE_JUDGED_LIMIT;
    const PCRE2_SIZE *places = offsets(s, judge);
    /* A lookahead with \K can end before it begins. */
    found->from = places[0] < places[1] ? places[0] : places[1];
    found->to = places[1];
    found->is_empty = found->from == found->to;
    return RULE_JUDGED_YES;
}

bool rule_judge_group(const struct rule_judge_scratch *s, const struct rule_judge *judge,
                      size_t nth, struct mx_str *out_name, struct mx_str *out)
{
    uint32_t n = 0, entry_size = 0;
    PCRE2_SPTR8 table = NULL;
    if (judge->code8 == NULL)
        return false; /* too large ones capture nothing */
    pcre2_pattern_info_8(judge->code8, PCRE2_INFO_NAMECOUNT, &n);
    pcre2_pattern_info_8(judge->code8, PCRE2_INFO_NAMEENTRYSIZE, &entry_size);
    pcre2_pattern_info_8(judge->code8, PCRE2_INFO_NAMETABLE, &table);
    if (nth >= n)
        return false;
    PCRE2_SPTR8 entry = table + nth * entry_size;
    size_t group = (size_t)entry[0] << 8 | entry[1];
    *out_name = mx_str((const char *)entry + 2);
    *out = MX_STR("");
    if (group < GROUPS_MAX && group < pcre2_get_ovector_count_8(s->data8)) {
        const PCRE2_SIZE *places = offsets(s, judge) + 2 * group;
        if (places[0] != PCRE2_UNSET && places[0] <= places[1])
            *out = mx_str_sub(s->text, places[0], places[1] - places[0]);
    }
    return true;
}

const char *rule_judge_library(void)
{
    return "PCRE2 " MX_PCRE2_VERSION;
}
