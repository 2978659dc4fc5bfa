/*
 * Evals on MIME structure (MIMEEval). One walk over the parts and their raw lines counts
 * everything that check_for_mime and its neighbours ask for; the counters keep the names
 * that rules use. How bodies read (upper case, base64 lines) is eval_mime_text.c's.
 */
#include "eval_family.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "mx_arena.h"

#include "text/text_tree.h"
#include "text/text_type.h"

#include "eval_locale.h"
#include "eval_mime_text.h"
#include "eval_util.h"

#define QP_LINE_MAX 79 /* bytes with the newline: RFC 5322 2.1.1 */

struct counts {
    double base64_count, base64_encoded_text, body_html_count, body_text_count;
    double bad_iso_charset, faraway_charset, multipart_alternative;
    double multipart_ratio, qp_count, qp_long_line, qp_ratio, ascii_text_illegal;
    double text_unicode_ratio, attachment;
    /* not asked for by name */
    double qp_bytes, qp_encoded, plain_bytes, entities;
    double text_bytes, html_bytes; /* of the last such leaf that is no attachment */
    bool has_text, has_html;
};

/* One part as its header describes it. */
struct part {
    const struct text_part *part;
    struct text_type type;
    struct mx_str encoding, disposition; /* lower case */
};

static bool has(struct mx_str s, const char *text)
{
    return mx_str_find(s, mx_str(text)) >= 0;
}

static struct mx_str field_lower(struct mx_arena *arena, const struct text_part *part,
                                 struct mx_str name)
{
    const struct text_field *field = text_part_field(part, name);

    return field ? mx_str_lower(arena, field->value) : MX_STR("");
}

static void describe(struct mx_arena *arena, const struct text_part *part,
                     struct part *out)
{
    const struct text_field *type = text_part_field(part, MX_STR("Content-Type"));

    out->part = part;
    text_type_parse(arena, type ? type->value : MX_STR_NONE, &out->type);
    out->encoding = field_lower(arena, part, MX_STR("Content-Transfer-Encoding"));
    out->disposition = field_lower(arena, part, MX_STR("Content-Disposition"));
}

static void count_charset(const struct eval_context *context, struct mx_str charset,
                          struct counts *counts)
{
    if (eval_hit(context, EVAL_ISO_CHARSET, charset) &&
        !eval_hit(context, EVAL_ISO_CHARSET_KNOWN, charset)) {
        counts->bad_iso_charset = 1;
    }
    if (charset.n > 0 && eval_locale_is_faraway(context, charset)) {
        counts->faraway_charset = 1;
    }
}

static void count_header(const struct eval_context *context, const struct part *part,
                         struct counts *counts)
{
    struct mx_str type = part->type.type, charset = part->type.charset;
    bool is_base64 = has(part->encoding, "base64");
    bool is_text = mx_str_starts(type, MX_STR("text"));

    counts->body_html_count += mx_str_eq(type, MX_STR("text/html"));
    counts->body_text_count += is_text && !mx_str_eq(type, MX_STR("text/html"));
    counts->base64_count += is_base64;
    counts->qp_count += !is_base64 && has(part->encoding, "quoted-printable");
    counts->attachment += has(part->disposition, "attachment");
    if (mx_str_eq(type, MX_STR("multipart/alternative"))) {
        counts->multipart_alternative = 1;
    }
    if (is_text && is_base64 &&
        (charset.n == 0 || eval_hit(context, EVAL_ASCII_CHARSET, charset)) &&
        !mx_str_starts(part->disposition, MX_STR("attachment")) &&
        !mx_str_starts(part->disposition, MX_STR("inline"))) {
        counts->base64_encoded_text = 1;
    }
    count_charset(context, charset, counts);
}

static bool is_upper_hex(char c)
{
    return isdigit((unsigned char)c) || (c >= 'A' && c <= 'F');
}

/* "=XX" in ${line} that stand for printable ASCII or a tab: nobody need encode them. */
static unsigned count_needless(struct mx_str line)
{
    const char *first = line.n > 0 ? memchr(line.p, '=', line.n) : NULL;
    unsigned n = 0;

    for (size_t i = first ? (size_t)(first - line.p) : line.n; i + 2 < line.n; i++) {
        char a = line.p[i + 1], b = line.p[i + 2];
        bool is_needless = (a == '0' && b == '9') ||
                           (a == '3' && is_upper_hex(b) && b != 'D') ||
                           (a != '\0' && strchr("2456", a) && is_upper_hex(b)) ||
                           (a == '7' && is_upper_hex(b) && b != 'F');

        if (line.p[i] == '=' && is_needless) {
            n++;
            i += 2;
        }
    }
    return n;
}

/* "=09" and "=20" at the end of ${line}, which an encoder must write so. */
static unsigned count_trailing(struct mx_str line)
{
    unsigned n = 0;

    while (line.n > 0 && isspace((unsigned char)line.p[line.n - 1])) {
        line.n--;
    }
    while (line.n >= 3 && (memcmp(line.p + line.n - 3, "=09", 3) == 0 ||
                           memcmp(line.p + line.n - 3, "=20", 3) == 0)) {
        line.n -= 3;
        n++;
    }
    return n;
}

static void count_qp_line(struct mx_str line, struct counts *counts)
{
    unsigned needless;

    if (mx_str_starts(line, MX_STR("SPAM: "))) { /* what older filters wrote */
        return;
    }
    if (line.n > QP_LINE_MAX) {
        counts->qp_long_line = 1;
    }
    counts->qp_bytes += (double)line.n;
    needless = count_needless(line);
    if (needless > 0) {
        counts->qp_encoded += needless;
        counts->qp_encoded -= count_trailing(line);
    }
}

static bool has_illegal_ascii(struct mx_str line)
{
    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] == '\0' || line.p[i] == '\r' || (unsigned char)line.p[i] > 0x7f) {
            return true;
        }
    }
    return false;
}

/* "&#xABCD;" in text that nobody will decode. */
static void count_entities(struct mx_str line, struct counts *counts)
{
    const char *first = line.n > 0 ? memchr(line.p, '&', line.n) : NULL;
    size_t found = 0;

    for (size_t i = first ? (size_t)(first - line.p) : line.n; i + 8 <= line.n; i++) {
        const char *p = line.p + i;

        if (memcmp(p, "&#x", 3) == 0 && is_upper_hex(p[3]) && is_upper_hex(p[4]) &&
            is_upper_hex(p[5]) && is_upper_hex(p[6]) && p[7] == ';') {
            found++;
            i += 7;
        }
    }
    counts->entities += (double)found;
    counts->plain_bytes += (double)(line.n - found * 8);
}

static void count_lines(const struct part *part, struct counts *counts)
{
    bool is_plain = mx_str_eq(part->type.type, MX_STR("text/plain"));
    bool is_ascii = is_plain && (part->type.charset.n == 0 ||
                                 mx_str_eq(part->type.charset, MX_STR("us-ascii")));
    bool is_qp = mx_str_eq(part->encoding, MX_STR("quoted-printable"));
    bool is_literal =
        is_plain && (part->encoding.n == 0 || mx_str_eq(part->encoding, MX_STR("7bit")) ||
                     mx_str_eq(part->encoding, MX_STR("8bit")));
    struct mx_str rest = part->part->raw, line;

    while (eval_line_next(&rest, &line)) {
        if (is_qp) {
            count_qp_line(line, counts);
        }
        if (is_ascii && has_illegal_ascii(line)) {
            counts->ascii_text_illegal++;
        }
        if (is_literal) {
            count_entities(line, counts);
        }
    }
}

/* Only what comes behind the first multipart/alternative has a size. */
static void count_size(const struct part *part, struct counts *counts)
{
    double size = counts->multipart_alternative > 0 ? (double)part->part->raw.n : 0;

    if (has(part->disposition, "attachment")) {
        return;
    }
    if (mx_str_eq(part->type.type, MX_STR("text/html"))) {
        counts->html_bytes = size;
        counts->has_html = true;
    } else if (mx_str_eq(part->type.type, MX_STR("text/plain"))) {
        counts->text_bytes = size;
        counts->has_text = true;
    }
}

static void work_out_ratios(struct counts *counts)
{
    if (counts->qp_bytes > 0) {
        counts->qp_ratio = counts->qp_encoded / counts->qp_bytes;
        counts->qp_count = counts->qp_encoded;
    }
    if (counts->plain_bytes > 0) {
        counts->text_unicode_ratio = counts->entities / counts->plain_bytes;
    }
    counts->multipart_ratio = 1.0;
    if (counts->multipart_alternative > 0 && counts->has_text && counts->has_html &&
        counts->html_bytes > 0) {
        counts->multipart_ratio = counts->text_bytes / counts->html_bytes;
    }
}

static const struct counts *count_all(struct eval_context *context)
{
    const struct text_tree *tree = &context->texts->tree;
    struct counts *counts = context->cache[EVAL_CACHE_MIME];

    if (counts) {
        return counts;
    }
    counts = mx_arena_alloc(context->arena, sizeof(*counts));
    for (size_t i = 0; i < tree->n_parts; i++) {
        struct part part;

        describe(context->arena, &tree->parts[i], &part);
        count_header(context, &part, counts);
        if (tree->parts[i].is_leaf) {
            count_size(&part, counts);
            count_lines(&part, counts);
        }
    }
    work_out_ratios(counts);
    context->cache[EVAL_CACHE_MIME] = counts;
    return counts;
}

struct counter {
    const char *name;
    size_t offset; /* of a double in struct counts */
};

static const struct counter counters[] = {
    {"mime_base64_count", offsetof(struct counts, base64_count)},
    {"mime_base64_encoded_text", offsetof(struct counts, base64_encoded_text)},
    {"mime_body_html_count", offsetof(struct counts, body_html_count)},
    {"mime_body_text_count", offsetof(struct counts, body_text_count)},
    {"mime_bad_iso_charset", offsetof(struct counts, bad_iso_charset)},
    {"mime_faraway_charset", offsetof(struct counts, faraway_charset)},
    {"mime_multipart_alternative", offsetof(struct counts, multipart_alternative)},
    {"mime_multipart_ratio", offsetof(struct counts, multipart_ratio)},
    {"mime_qp_count", offsetof(struct counts, qp_count)},
    {"mime_qp_bytes", offsetof(struct counts, qp_bytes)},
    {"mime_qp_long_line", offsetof(struct counts, qp_long_line)},
    {"mime_qp_ratio", offsetof(struct counts, qp_ratio)},
    {"mime_ascii_text_illegal", offsetof(struct counts, ascii_text_illegal)},
    {"mime_text_unicode_ratio", offsetof(struct counts, text_unicode_ratio)},
    {"mime_attachment", offsetof(struct counts, attachment)},
};

static int check_for_mime(struct eval_context *context, const struct mx_str *args,
                          size_t n_args)
{
    const struct counts *counts = count_all(context);

    (void)n_args;
    if (mx_str_eq(args[0], MX_STR("mime_missing_boundary"))) {
        return eval_mime_lacks_end(&context->texts->tree);
    }
    for (size_t i = 0; i < sizeof(counters) / sizeof(*counters); i++) {
        if (mx_str_eq(args[0], mx_str(counters[i].name))) {
            const char *at = (const char *)counts + counters[i].offset;

            return *(const double *)(const void *)at != 0;
        }
    }
    return 0;
}

static bool is_html_message(struct eval_context *context)
{
    return mx_str_istarts(eval_header(context, "Content-Type"), MX_STR("text/html"));
}

static int check_for_mime_html(struct eval_context *context, const struct mx_str *args,
                               size_t n_args)
{
    (void)args;
    (void)n_args;
    return is_html_message(context) || count_all(context)->body_html_count > 0;
}

static int check_for_mime_html_only(struct eval_context *context,
                                    const struct mx_str *args, size_t n_args)
{
    const struct counts *counts = count_all(context);

    (void)args;
    (void)n_args;
    return is_html_message(context) ||
           (counts->body_html_count > 0 && counts->body_text_count == 0);
}

static int check_mime_multipart_ratio(struct eval_context *context,
                                      const struct mx_str *args, size_t n_args)
{
    double ratio = count_all(context)->multipart_ratio;

    (void)n_args;
    return ratio >= eval_number(args[0]) && ratio < eval_number(args[1]);
}

static int check_for_ascii_text_illegal(struct eval_context *context,
                                        const struct mx_str *args, size_t n_args)
{
    (void)args;
    (void)n_args;
    return count_all(context)->ascii_text_illegal > 0;
}

static int check_abundant_unicode_ratio(struct eval_context *context,
                                        const struct mx_str *args, size_t n_args)
{
    (void)n_args;
    return count_all(context)->text_unicode_ratio >= eval_number(args[0]);
}

static int check_qp_ratio(struct eval_context *context, const struct mx_str *args,
                          size_t n_args)
{
    (void)n_args;
    return count_all(context)->qp_ratio >= eval_number(args[0]);
}

struct parse_flag {
    const char *name;
    enum text_flag flag;
};

static const struct parse_flag parse_flags[] = {
    {"missing_head_body_separator", TEXT_MISSING_HEAD_BODY_SEPARATOR},
    {"missing_mime_head_body_separator", TEXT_MISSING_MIME_HEAD_BODY_SEPARATOR},
    {"missing_mime_headers", TEXT_MISSING_MIME_HEADERS},
    {"mime_epilogue_exists", TEXT_MIME_EPILOGUE_EXISTS},
    {"truncated_header", TEXT_TRUNCATED_HEADER},
};

static int check_msg_parse_flags(struct eval_context *context, const struct mx_str *args,
                                 size_t n_args)
{
    (void)n_args;
    for (size_t i = 0; i < sizeof(parse_flags) / sizeof(*parse_flags); i++) {
        if (mx_str_eq(args[0], mx_str(parse_flags[i].name))) {
            return (context->texts->tree.flags & (unsigned)parse_flags[i].flag) != 0;
        }
    }
    return 0;
}

/* A leaf of multipart/alternative that is no text; rich text and groups are usual. */
static int check_ma_non_text(struct eval_context *context, const struct mx_str *args,
                             size_t n_args)
{
    const struct text_tree *tree = &context->texts->tree;

    (void)args;
    (void)n_args;
    for (size_t i = 1; i < tree->n_parts; i++) {
        const struct text_part *part = &tree->parts[i];
        struct mx_str type = part->declared_type;

        if (part->is_leaf && part->parent >= 0 &&
            mx_str_eq(tree->parts[part->parent].declared_type,
                      MX_STR("multipart/alternative")) &&
            !mx_str_eq(type, MX_STR("multipart/related")) &&
            !mx_str_eq(type, MX_STR("application/rtf")) &&
            !mx_str_starts(type, MX_STR("text/"))) {
            return 1;
        }
    }
    return 0;
}

const struct eval_function eval_mime_functions[] = {
    {"check_for_mime", check_for_mime, false, 0, 1},
    {"check_for_mime_html", check_for_mime_html, false, 0, 0},
    {"check_for_mime_html_only", check_for_mime_html_only, false, 0, 0},
    {"check_mime_multipart_ratio", check_mime_multipart_ratio, false, 0, 2},
    {"check_for_ascii_text_illegal", check_for_ascii_text_illegal, false, 0, 0},
    {"check_abundant_unicode_ratio", check_abundant_unicode_ratio, false, 0, 1},
    {"check_qp_ratio", check_qp_ratio, false, 0, 1},
    {"check_msg_parse_flags", check_msg_parse_flags, false, 0, 1},
    {"check_ma_non_text", check_ma_non_text, false, 0, 0},
    {NULL, NULL, false, 0, 0},
};
