/*
 * One value of the configuration: from text to C and back, by the type of its key. The
 * same parser reads the file and the defaults in the tables, so a default is judged as
 * the operator's value would be. Strict throughout: the whole text must be the value.
 */
#include "mx_conf_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_time.h"

#define SHOWN_MAX 64 /* bytes of a wrong value in an error text */

/* Room for the value of any type but GROUP. */
union any_value {
    bool b;
    int word;
    int64_t i;
    double d;
    const char *text;
    struct mx_conf_strings strings;
};

static bool has_range(const struct mx_conf_key *key)
{
    return key->min != 0 || key->max != 0;
}

/* A number of the key's own kind, as text. */
static const char *format_int(struct mx_arena *arena, const struct mx_conf_key *key,
                              int64_t value)
{
    if (key->type == MX_CONF_DURATION)
        return mx_duration_format(arena, value);
    if (key->type == MX_CONF_SIZE)
        return mx_size_format(arena, value);
    return mx_arena_printf(arena, "%lld", (long long)value);
}

static int parse_bool(struct mx_str text, bool *out, struct mx_err *err)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (mx_str_ieq(text, mx_str(words[i]))) {
            *out = i % 2 == 1;
            return 0;
        }
    }
    return mx_err_set(err, MX_ERR_INPUT, "'%.*s' is neither true nor false",
                      MX_STR_FMT(mx_str_sub(text, 0, SHOWN_MAX)));
}

static int parse_int(struct mx_arena *arena, const struct mx_conf_key *key,
                     struct mx_str text, int64_t *out, struct mx_err *err)
{
    int64_t value;
    int status = key->type == MX_CONF_DURATION ? mx_duration_parse(text, &value, err)
                 : key->type == MX_CONF_SIZE
                     ? mx_size_parse(text, &value, err)
                     : mx_str_to_int(text, INT64_MIN, INT64_MAX, &value, err);
    if (status < 0)
        return -1;
    if (has_range(key) && (value < key->min || value > key->max))
        return mx_err_set(err, MX_ERR_INPUT, "%.*s is out of range: write %s",
                          MX_STR_FMT(text), mx_conf_value_range(arena, key));
    *out = value;
    return 0;
}

static int parse_double(struct mx_arena *arena, const struct mx_conf_key *key,
                        struct mx_str text, double *out, struct mx_err *err)
{
    const char *copy = mx_str_cstr(arena, mx_str_sub(text, 0, SHOWN_MAX));
    char *end = NULL;
    /* Decimal only: strtod would also take hexadecimal, blanks, "inf" and "nan". */
    bool is_plain =
        text.n > 0 && text.n <= SHOWN_MAX && strspn(copy, "0123456789.+-eE") == text.n;
    double value = is_plain ? strtod(copy, &end) : 0;
    if (!is_plain || *end != '\0' || !isfinite(value))
        return mx_err_set(err, MX_ERR_INPUT, "'%s' is not a number", copy);
    if (has_range(key) && (value < (double)key->min || value > (double)key->max))
        return mx_err_set(err, MX_ERR_INPUT, "%s is out of range: write %s", copy,
                          mx_conf_value_range(arena, key));
    *out = value;
    return 0;
}

static int parse_enum(struct mx_arena *arena, const struct mx_conf_key *key,
                      struct mx_str text, int *out, struct mx_err *err)
{
    for (int i = 0; key->words[i]; i++) {
        if (mx_str_eq(text, mx_str(key->words[i]))) {
            *out = i;
            return 0;
        }
    }
    return mx_err_set(err, MX_ERR_INPUT, "'%.*s' is not known: write %s",
                      MX_STR_FMT(mx_str_sub(text, 0, SHOWN_MAX)),
                      mx_conf_value_range(arena, key));
}

/* The text is not shown: it may be a secret. */
static int parse_string(struct mx_arena *arena, const struct mx_conf_key *key,
                        struct mx_str text, const char **out, struct mx_err *err)
{
    bool has_max = key->type == MX_CONF_STRING && key->max > 0;
    size_t max = has_max ? (size_t)key->max : MX_CONF_STRING_MAX;
    if (text.n > max)
        return mx_err_set(err, MX_ERR_LIMIT, "%zu bytes are too long: at most %zu",
                          text.n, max);
    *out = mx_str_dup(arena, text).p;
    return 0;
}

static int parse_scalar(struct mx_arena *arena, const struct mx_conf_key *key,
                        struct mx_str text, void *out, struct mx_err *err)
{
    switch (key->type) {
    case MX_CONF_BOOL: return parse_bool(text, out, err);
    case MX_CONF_INT:
    case MX_CONF_DURATION:
    case MX_CONF_SIZE: return parse_int(arena, key, text, out, err);
    case MX_CONF_DOUBLE: return parse_double(arena, key, text, out, err);
    case MX_CONF_ENUM: return parse_enum(arena, key, text, out, err);
    case MX_CONF_STRING: return parse_string(arena, key, text, out, err);
    case MX_CONF_STRINGS:
    case MX_CONF_GROUP:
    case MX_CONF_END: break;
    }
    return mx_err_set(err, MX_ERR_INPUT, "key '%s' has no value of its own", key->name);
}

static int parse_list(struct mx_arena *arena, const struct mx_conf_key *key,
                      const struct mx_conf_slot *slot, void *out, struct mx_err *err)
{
    size_t max = key->max > 0 ? (size_t)key->max : MX_CONF_LIST_MAX;
    char *const *texts = slot->p;
    if (slot->n > max)
        return mx_err_set(err, MX_ERR_LIMIT, "%llu entries are too many: at most %zu",
                          (unsigned long long)slot->n, max);
    const char **v = mx_arena_array(arena, slot->n + 1, sizeof(*v));
    for (size_t i = 0; i < slot->n; i++)
        if (parse_string(arena, key, mx_str(texts[i] ? texts[i] : ""), &v[i], err) < 0)
            return mx_err_wrap(err, "entry %zu", i + 1);
    *(struct mx_conf_strings *)out = (struct mx_conf_strings){.v = v, .n = slot->n};
    return 0;
}

int mx_conf_value_parse(struct mx_arena *arena, const struct mx_conf_key *key,
                        const struct mx_conf_slot *slot, void *out, struct mx_err *err)
{
    if (key->type == MX_CONF_STRINGS)
        return parse_list(arena, key, slot, out, err);
    return parse_scalar(arena, key, mx_str(slot->p ? slot->p : ""), out, err);
}

/* "a, b" of a table to a list. */
static int default_list(struct mx_arena *arena, const struct mx_conf_key *key, void *out,
                        struct mx_err *err)
{
    struct mx_str rest = mx_str(key->def), entry;
    struct mx_conf_slot slot = {.n = 0};
    char **texts = mx_arena_array(arena, rest.n + 1, sizeof(*texts));
    while (mx_str_next(&rest, ',', &entry) == 0) {
        entry = mx_str_trim(entry);
        texts[slot.n++] = mx_arena_dup(arena, entry.p, entry.n);
    }
    slot.p = texts;
    return parse_list(arena, key, &slot, out, err);
}

int mx_conf_value_default(struct mx_arena *arena, const struct mx_conf_key *key,
                          void *out, struct mx_err *err)
{
    bool is_text = key->type == MX_CONF_STRING || key->type == MX_CONF_STRINGS;
    if (key->def == NULL && !is_text)
        return 0; /* memory was zeroed */
    if (key->type == MX_CONF_STRINGS)
        return default_list(arena, key, out, err);
    return parse_scalar(arena, key, mx_str(key->def ? key->def : ""), out, err);
}

/* Text that any YAML reader takes for a string without quotes. */
static bool is_plain_text(struct mx_str text)
{
    static const char *const taken[] = {"true", "false", "yes", "no", "on",
                                        "off",  "null",  "y",   "n"};
    bool is_letter = text.n > 0 && (text.p[0] == '/' || (text.p[0] | 0x20) >= 'a');
    if (!is_letter ||
        strspn(text.p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                       "0123456789_./@-") != text.n)
        return false;
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
        if (mx_str_ieq(text, mx_str(taken[i])))
            return false;
    return true;
}

/* A JSON string is a double-quoted string of YAML: YAML 1.2.2, 1.2. */
static const char *format_text(struct mx_arena *arena, const char *text)
{
    struct mx_str s = mx_str(text ? text : "");
    return is_plain_text(s) ? s.p : mx_str_json(arena, s);
}

static const char *format_list(struct mx_arena *arena, const struct mx_conf_strings *list)
{
    struct mx_buf buf = {.max = 0};
    mx_buf_str(&buf, "[");
    for (size_t i = 0; i < list->n; i++)
        mx_buf_printf(&buf, "%s%s", i ? ", " : "", format_text(arena, list->v[i]));
    mx_buf_str(&buf, "]");
    const char *text = mx_arena_dup(arena, buf.p, buf.n);
    mx_buf_fini(&buf);
    return text;
}

/* The fewest digits that read back as the same number. */
static const char *format_double(struct mx_arena *arena, double value)
{
    const char *text = mx_arena_printf(arena, "%.15g", value);
    double again = strtod(text, NULL);
    return memcmp(&again, &value, sizeof(value)) == 0
               ? text
               : mx_arena_printf(arena, "%.17g", value);
}

const char *mx_conf_value_format(struct mx_arena *arena, const struct mx_conf_key *key,
                                 const void *value)
{
    switch (key->type) {
    case MX_CONF_BOOL: return *(const bool *)value ? "true" : "false";
    case MX_CONF_INT:
    case MX_CONF_DURATION:
    case MX_CONF_SIZE: return format_int(arena, key, *(const int64_t *)value);
    case MX_CONF_DOUBLE: return format_double(arena, *(const double *)value);
    case MX_CONF_ENUM: return key->words[*(const int *)value];
    case MX_CONF_STRING: return format_text(arena, *(const char *const *)value);
    case MX_CONF_STRINGS: return format_list(arena, value);
    case MX_CONF_GROUP:
    case MX_CONF_END: break;
    }
    return "";
}

const char *mx_conf_value_format_default(struct mx_arena *arena,
                                         const struct mx_conf_key *key)
{
    union any_value value;
    struct mx_err err;
    memset(&value, 0, sizeof(value));
    if (mx_conf_value_default(arena, key, &value, &err) < 0)
        return mx_arena_printf(arena, "(broken default: %s)", err.text);
    return mx_conf_value_format(arena, key, &value);
}

const char *mx_conf_value_kind(const struct mx_conf_key *key)
{
    switch (key->type) {
    case MX_CONF_BOOL: return "true or false";
    case MX_CONF_INT: return "whole number";
    case MX_CONF_DOUBLE: return "number";
    case MX_CONF_DURATION: return "duration";
    case MX_CONF_SIZE: return "size";
    case MX_CONF_STRING: return "text";
    case MX_CONF_ENUM: return "word";
    case MX_CONF_STRINGS: return "list of texts";
    case MX_CONF_GROUP: return "group";
    case MX_CONF_END: break;
    }
    return "";
}

static const char *format_words(struct mx_arena *arena, const char *const *words)
{
    const char *text = words[0];
    for (size_t i = 1; i > 0 && words[0] && words[i]; i++)
        text = mx_arena_printf(arena, "%s%s%s", text, words[i + 1] ? ", " : " or ",
                               words[i]);
    return text ? text : "";
}

const char *mx_conf_value_range(struct mx_arena *arena, const struct mx_conf_key *key)
{
    switch (key->type) {
    case MX_CONF_ENUM: return format_words(arena, key->words);
    case MX_CONF_INT:
    case MX_CONF_DOUBLE:
    case MX_CONF_DURATION:
    case MX_CONF_SIZE:
        if (!has_range(key))
            return "";
        return mx_arena_printf(arena, "%s to %s", format_int(arena, key, key->min),
                               format_int(arena, key, key->max));
    case MX_CONF_STRING:
        return key->max > 0
                   ? mx_arena_printf(arena, "at most %lld bytes", (long long)key->max)
                   : "";
    case MX_CONF_STRINGS:
        return key->max > 0
                   ? mx_arena_printf(arena, "at most %lld entries", (long long)key->max)
                   : "";
    case MX_CONF_BOOL:
    case MX_CONF_GROUP:
    case MX_CONF_END: break;
    }
    return "";
}
