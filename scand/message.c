/*
 * One parse of a message into read-only parts. The only file that includes GMime.
 *
 * GMime sees the message through message_gate, which bounds its work; its tree is copied
 * into flat arrays in the request's arena and freed before we return, so no detector
 * meets a GObject. Its warnings are kept, counted by kind: ambiguous mail is a finding,
 * not an error, for every byte string is a message. Contents are decoded from their
 * transfer encoding, not from their character set: that is the business of detectors.
 * What the parser does not look into, but lenient readers do, becomes parts as well.
 *
 * What GMime bounds itself: nesting (1,024 levels, reported). What it does not: see
 * message_gate.c. Recursion here follows MESSAGE_DEPTH_MAX.
 */
#include "message.h"

#include <string.h>

#include <gmime/gmime.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "message_base64.h"
#include "message_gate.h"
#include "message_head.h"

#define NAME_MAX_BYTES 1024 /* octets kept of a file name */
#define FIELD_MAX (GATE_FIELD_MAX + GATE_TAIL_MAX)
#define TOKEN_MAX 128 /* octets kept of a type, charset, disposition */

struct parse {
    struct mx_arena *arena;
    struct message *msg;
    struct message_part *parts;
    size_t n_parts, room;
    size_t content_left; /* octets that decoded contents may still take */
};

static const struct {
    GMimeParserWarning code;
    enum message_warning warning;
} warning_map[] = {
    {GMIME_WARN_DUPLICATED_HEADER, MESSAGE_WARN_DOUBLE_HEADER},
    {GMIME_WARN_DUPLICATED_PARAMETER, MESSAGE_WARN_DOUBLE_PARAMETER},
    {GMIME_WARN_UNENCODED_8BIT_HEADER, MESSAGE_WARN_8BIT_HEADER},
    {GMIME_WARN_INVALID_CONTENT_TYPE, MESSAGE_WARN_BAD_TYPE},
    {GMIME_WARN_INVALID_RFC2047_HEADER_VALUE, MESSAGE_WARN_BAD_ENCODED_WORD},
    {GMIME_WARN_MALFORMED_MULTIPART, MESSAGE_WARN_NO_PARTS},
    {GMIME_WARN_TRUNCATED_MESSAGE, MESSAGE_WARN_NO_END},
    {GMIME_WARN_MALFORMED_MESSAGE, MESSAGE_WARN_MALFORMED},
    {GMIME_CRIT_INVALID_HEADER_NAME, MESSAGE_WARN_BAD_HEADER_NAME},
    {GMIME_CRIT_CONFLICTING_HEADER, MESSAGE_WARN_CONFLICTING},
    {GMIME_CRIT_CONFLICTING_PARAMETER, MESSAGE_WARN_CONFLICTING},
    {GMIME_CRIT_MULTIPART_WITHOUT_BOUNDARY, MESSAGE_WARN_NO_BOUNDARY},
    {GMIME_WARN_INVALID_PARAMETER, MESSAGE_WARN_BAD_PARAMETER},
    {GMIME_CRIT_NESTING_OVERFLOW, MESSAGE_WARN_TOO_DEEP},
    {GMIME_WARN_PART_WITHOUT_CONTENT, MESSAGE_WARN_EMPTY_PART},
    {GMIME_CRIT_PART_WITHOUT_HEADERS_OR_CONTENT, MESSAGE_WARN_EMPTY_PART},
};

static void on_warning(gint64 offset, GMimeParserWarning code, const gchar *item,
                       gpointer user)
{
    (void)offset;
    struct parse *parse = user;
    for (size_t i = 0; i < sizeof(warning_map) / sizeof(warning_map[0]); i++) {
        if (warning_map[i].code != code)
            continue;
        struct message_warned *warned = &parse->msg->warned[warning_map[i].warning];
        if (warned->count++ == 0 && item != NULL)
            warned->item =
                mx_str_dup(parse->arena, mx_str_sub(mx_str(item), 0, MESSAGE_ITEM_MAX));
    }
}

static struct mx_str copy_text(struct parse *parse, const char *text, size_t max)
{
    return mx_str_dup(parse->arena, mx_str_sub(mx_str(text ? text : ""), 0, max));
}

static struct mx_str copy_token(struct parse *parse, const char *text)
{
    return mx_str_lower(parse->arena, mx_str_sub(mx_str(text ? text : ""), 0, TOKEN_MAX));
}

/* The next free slot, or NULL when there are enough. */
static struct message_part *part_new(struct parse *parse, unsigned depth, int parent)
{
    if (parse->n_parts >= MESSAGE_PARTS_MAX) {
        parse->msg->cuts |= MESSAGE_CUT_PARTS;
        return NULL;
    }
    if (parse->n_parts == parse->room) {
        size_t room = parse->room ? parse->room * 4 : 8;
        struct message_part *parts = mx_arena_array(parse->arena, room, sizeof(*parts));
        if (parse->n_parts > 0)
            memcpy(parts, parse->parts, parse->n_parts * sizeof(*parts));
        parse->parts = parts;
        parse->room = room;
    }
    struct message_part *part = &parse->parts[parse->n_parts++];
    part->depth = depth;
    part->parent = parent;
    return part;
}

static void copy_headers(struct parse *parse, GMimeObject *object,
                         struct message_part *part)
{
    GMimeHeaderList *list = g_mime_object_get_header_list(object);
    int n = list != NULL ? g_mime_header_list_get_count(list) : 0;
    if (n > MESSAGE_PART_HEADERS_MAX)
        n = MESSAGE_PART_HEADERS_MAX;
    if (n <= 0 || mx_arena_left(parse->arena) < (1u << 20))
        return;
    struct message_header *headers =
        mx_arena_array(parse->arena, (size_t)n, sizeof(*headers));
    for (int i = 0; i < n; i++) {
        GMimeHeader *header = g_mime_header_list_get_header_at(list, i);
        headers[i].name =
            copy_text(parse, g_mime_header_get_name(header), NAME_MAX_BYTES);
        size_t room = mx_arena_left(parse->arena) / 8;
        headers[i].value = copy_text(parse, g_mime_header_get_raw_value(header),
                                     room < FIELD_MAX ? room : FIELD_MAX);
    }
    part->headers = headers;
    part->n_headers = (size_t)n;
}

static void copy_type(struct parse *parse, GMimeObject *object, struct message_part *part)
{
    GMimeContentType *type = g_mime_object_get_content_type(object);
    if (type != NULL) {
        char *text = g_mime_content_type_get_mime_type(type);
        part->type = copy_token(parse, text);
        g_free(text);
        part->charset =
            copy_token(parse, g_mime_content_type_get_parameter(type, "charset"));
    }
    part->disposition = copy_token(parse, g_mime_object_get_disposition(object));
}

/* Decoded bytes into the arena, within what contents may take. No transfer encoding
   makes data larger, so GMime's buffer is bounded by the message. */
static void copy_content(struct parse *parse, GMimePart *leaf, struct message_part *part)
{
    GMimeDataWrapper *content = g_mime_part_get_content(leaf);
    part->content = MX_STR("");
    if (content == NULL)
        return;
    GMimeStream *memory = g_mime_stream_mem_new();
    g_mime_data_wrapper_write_to_stream(content, memory);
    GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory));
    size_t n = bytes != NULL ? bytes->len : 0;
    if (n > parse->content_left) {
        n = parse->content_left;
        parse->msg->cuts |= MESSAGE_CUT_CONTENT;
    }
    if (n > 0)
        part->content = mx_str_dup(parse->arena, mx_str_of(bytes->data, n));
    parse->content_left -= n;
    g_object_unref(memory);
}

static void walk(struct parse *parse, GMimeObject *object, unsigned depth, int parent);
static int walk_message(struct parse *parse, struct mx_str raw, unsigned depth,
                        int parent);

static void walk_children(struct parse *parse, GMimeObject *object, unsigned depth,
                          int self)
{
    if (GMIME_IS_MESSAGE_PART(object)) {
        GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
        GMimeObject *top = inner != NULL ? g_mime_message_get_mime_part(inner) : NULL;
        if (top != NULL)
            walk(parse, top, depth + 1, self);
        return;
    }
    GMimeMultipart *multipart = GMIME_MULTIPART(object);
    int n = g_mime_multipart_get_count(multipart);
    for (int i = 0; i < n && parse->n_parts < MESSAGE_PARTS_MAX; i++)
        walk(parse, g_mime_multipart_get_part(multipart, i), depth + 1, self);
    if (n > 0 && parse->n_parts >= MESSAGE_PARTS_MAX)
        parse->msg->cuts |= MESSAGE_CUT_PARTS;
}

/* The part as readers see it who do not stop at base64's padding. */
static void add_unpadded(struct parse *parse, GMimePart *leaf, unsigned depth, int self)
{
    GMimeDataWrapper *content = g_mime_part_get_content(leaf);
    if (content == NULL ||
        g_mime_data_wrapper_get_encoding(content) != GMIME_CONTENT_ENCODING_BASE64)
        return;
    GMimeStream *memory = g_mime_stream_mem_new();
    GMimeStream *encoded = g_mime_data_wrapper_get_stream(content);
    g_mime_stream_reset(encoded);
    g_mime_stream_write_to_stream(encoded, memory);
    GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory));
    struct mx_str text = mx_str_of(bytes->data, bytes->len);
    struct message_part *part = NULL;
    if (message_base64_goes_on(text) && text.n <= parse->content_left)
        part = part_new(parse, depth + 1, self);
    if (part != NULL) {
        const struct message_part *of = &parse->parts[self];
        part->type = of->type;
        part->name = of->name;
        part->charset = of->charset;
        part->disposition = of->disposition;
        part->is_hidden = true;
        part->content = message_base64_decode(parse->arena, text);
        parse->content_left -= text.n;
    }
    g_object_unref(memory);
}

/* What is in the part for readers that are more lenient than the parser. */
static void add_hidden(struct parse *parse, GMimePart *leaf, unsigned depth, int self)
{
    struct message_part *part = &parse->parts[self];
    bool is_message = mx_str_eq(part->type, MX_STR("message/rfc822")) ||
                      mx_str_eq(part->type, MX_STR("message/global")) ||
                      mx_str_eq(part->type, MX_STR("message/news"));
    if (is_message && part->content.n > 0) {
        part->is_hidden = true;
        walk_message(parse, part->content, depth + 1, self);
    } else if (depth < MESSAGE_DEPTH_MAX) {
        add_unpadded(parse, leaf, depth, self);
    }
}

static void walk(struct parse *parse, GMimeObject *object, unsigned depth, int parent)
{
    if (depth > MESSAGE_DEPTH_MAX) {
        parse->msg->cuts |= MESSAGE_CUT_DEPTH;
        return;
    }
    struct message_part *part = part_new(parse, depth, parent);
    if (part == NULL)
        return;
    int self = (int)parse->n_parts - 1;
    copy_type(parse, object, part);
    copy_headers(parse, object, part);
    part->is_container = GMIME_IS_MULTIPART(object) || GMIME_IS_MESSAGE_PART(object);
    if (GMIME_IS_PART(object)) {
        part->name = copy_text(parse, g_mime_part_get_filename(GMIME_PART(object)),
                               NAME_MAX_BYTES);
        copy_content(parse, GMIME_PART(object), part);
    }
    if (part->is_container) /* may move the array: part is not used behind this */
        walk_children(parse, object, depth, self);
    else if (GMIME_IS_PART(object))
        add_hidden(parse, GMIME_PART(object), depth, self);
}

static void gate_to_stream(void *user, struct mx_str piece)
{
    g_mime_stream_write(user, piece.p, piece.n);
}

/* One attempt; ${lead} goes in front of the message. NULL: GMime makes nothing of it. */
static GMimeMessage *construct(struct parse *parse, struct mx_str raw, struct mx_str lead)
{
    GMimeStream *stream = g_mime_stream_mem_new();
    if (lead.n > 0)
        gate_to_stream(stream, lead);
    parse->msg->cuts |= message_gate(raw, gate_to_stream, stream);
    g_mime_stream_reset(stream);
    GMimeParserOptions *options = g_mime_parser_options_new();
    g_mime_parser_options_set_warning_callback(options, on_warning, parse);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *tree = g_mime_parser_construct_message(parser, options);
    g_object_unref(parser);
    g_object_unref(stream);
    g_mime_parser_options_free(options);
    return tree;
}

/* GMime gives up where the first line is no field: a fold, an empty line, junk. Readers
   do not, so we put a field in front and look again, at last with all of it as the body.
 */
static GMimeMessage *construct_any(struct parse *parse, struct mx_str raw)
{
    static const char *const leads[] = {"X-Mxdrop: \r\n", "X-Mxdrop: \r\n\r\n"};
    GMimeMessage *tree = construct(parse, raw, MX_STR_NONE);
    for (size_t i = 0; i < 2 && tree == NULL && raw.n > 0; i++) {
        parse->msg->warned[MESSAGE_WARN_MALFORMED].count = 1;
        tree = construct(parse, raw, mx_str(leads[i]));
    }
    return tree;
}

/* All parts of a message, the whole one or one inside it; -1: it has none. */
static int walk_message(struct parse *parse, struct mx_str raw, unsigned depth,
                        int parent)
{
    GMimeMessage *tree = construct_any(parse, raw);
    GMimeObject *top = tree != NULL ? g_mime_message_get_mime_part(tree) : NULL;
    if (top != NULL)
        walk(parse, top, depth, parent);
    if (tree != NULL)
        g_object_unref(tree);
    return top != NULL ? 0 : -1;
}

int message_parse(struct mx_arena *arena, struct mx_str raw, struct message *out,
                  struct mx_err *err)
{
    struct message msg = *out;
    struct parse parse = {.arena = arena, .msg = &msg};
    msg.raw = raw;
    msg.cuts = 0;
    memset(msg.warned, 0, sizeof(msg.warned));
    message_head_parse(arena, &msg);
    parse.content_left = mx_arena_left(arena) / 4 * 3;

    g_mime_init(); /* counts its callers; the first call does the work */
    if (walk_message(&parse, raw, 0, -1) < 0) { /* as for an empty message */
        if (raw.n > 0)
            return mx_err_set(err, MX_ERR_SYSTEM, "the MIME parser gave no message");
        struct message_part *part = part_new(&parse, 0, -1);
        part->type = MX_STR("text/plain");
        part->content = MX_STR("");
    }
    msg.parts = parse.parts;
    msg.n_parts = parse.n_parts;
    *out = msg;
    return 0;
}

const struct message_header *message_find(const struct message *msg, const char *name,
                                          size_t nth)
{
    for (size_t i = 0; i < msg->n_headers; i++)
        if (mx_str_ieq(msg->headers[i].name, mx_str(name)) && nth-- == 0)
            return &msg->headers[i];
    return NULL;
}

const char *message_library(void)
{
    return "GMime " MX_GMIME_VERSION;
}
