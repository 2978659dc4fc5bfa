/*
 * Evals on attached images (ImageInfo): how many, how large, compared with the text. Only
 * GIF, PNG and JPEG in base64 count. Sizes are read from headers; nothing is decoded, and
 * of each image only its first IMAGE_BYTES_MAX bytes are looked at.
 */
#include "eval_family.h"

#include <string.h>

#include "mx_arena.h"

#include "text/text_tree.h"

#include "eval_util.h"

#define IMAGE_BYTES_MAX                                                                  \
    ((size_t)1 << 20) /* base64; JPEG may have much before its size                      \
                       */
#define IMAGES_MAX 1000

enum image_type { IMAGE_GIF, IMAGE_PNG, IMAGE_JPEG, IMAGE_TYPES };

struct image {
    enum image_type type;
    uint32_t width, height; /* 0: cannot be read */
    struct mx_str name;
};

struct images {
    struct image v[IMAGES_MAX];
    size_t n;
};

static const char *const type_names[IMAGE_TYPES] = {"gif", "png", "jpeg"};

static uint32_t be16(const unsigned char *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const unsigned char *p)
{
    return be16(p) << 16 | be16(p + 2);
}

static void measure_gif(struct mx_str data, struct image *image)
{
    const unsigned char *p = (const unsigned char *)data.p;

    if (data.n >= 10 && (memcmp(p, "GIF87a", 6) == 0 || memcmp(p, "GIF89a", 6) == 0)) {
        image->width = p[6] | (uint32_t)p[7] << 8;
        image->height = p[8] | (uint32_t)p[9] << 8;
    }
}

/* IHDR comes first (ISO 15948 5.6). */
static void measure_png(struct mx_str data, struct image *image)
{
    const unsigned char *p = (const unsigned char *)data.p;

    if (data.n >= 24 && memcmp(p, "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", 16) == 0) {
        image->width = be32(p + 16);
        image->height = be32(p + 20);
    }
}

/* A frame header, which holds the size: SOF0 to SOF15 without DHT, JPG and DAC. */
static bool is_frame(unsigned char marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
           marker != 0xcc;
}

static void measure_jpeg(struct mx_str data, struct image *image)
{
    const unsigned char *p = (const unsigned char *)data.p;
    size_t at = 2;

    if (data.n < 2 || p[0] != 0xff || p[1] != 0xd8) {
        return;
    }
    while (at + 9 <= data.n && p[at] == 0xff && p[at + 1] != 0xda && p[at + 1] != 0xd9) {
        uint32_t length = be16(p + at + 2);

        if (length < 2) {
            return;
        }
        if (is_frame(p[at + 1])) {
            image->height = be16(p + at + 5);
            image->width = be16(p + at + 7);
            return;
        }
        at += 2 + length;
    }
}

static bool type_of(struct mx_str declared, enum image_type *out)
{
    if (mx_str_eq(declared, MX_STR("image/gif"))) {
        *out = IMAGE_GIF;
    } else if (mx_str_eq(declared, MX_STR("image/png"))) {
        *out = IMAGE_PNG;
    } else if (mx_str_eq(declared, MX_STR("image/jpeg")) ||
               mx_str_eq(declared, MX_STR("image/jpg"))) {
        *out = IMAGE_JPEG;
    } else {
        return false;
    }
    return true;
}

static void measure(struct eval_context *context, const struct text_part *part,
                    struct image *image)
{
    struct text_part head = *part;
    struct mx_str data;

    head.raw = mx_str_sub(part->raw, 0, IMAGE_BYTES_MAX);
    head.decoded = MX_STR_NONE;
    if (mx_arena_left(context->arena) / 4 < head.raw.n) {
        return;
    }
    data = text_part_decoded(context->arena, &head);
    switch (image->type) {
    case IMAGE_GIF: measure_gif(data, image); break;
    case IMAGE_PNG: measure_png(data, image); break;
    case IMAGE_JPEG: measure_jpeg(data, image); break;
    case IMAGE_TYPES: break;
    }
}

static const struct images *images_of(struct eval_context *context)
{
    const struct text_tree *tree = &context->texts->tree;
    struct images *images = context->cache[EVAL_CACHE_IMAGE];

    if (images) {
        return images;
    }
    images = mx_arena_alloc(context->arena, sizeof(*images));
    for (size_t i = 0; i < tree->n_parts && images->n < IMAGES_MAX; i++) {
        const struct text_part *part = &tree->parts[i];
        struct image image = {.name = part->name};

        if (part->is_leaf && type_of(part->declared_type, &image.type) &&
            mx_str_eq(part->encoding, MX_STR("base64"))) {
            measure(context, part, &image);
            images->v[images->n++] = image;
        }
    }
    context->cache[EVAL_CACHE_IMAGE] = images;
    return images;
}

static bool is_of(const struct image *image, struct mx_str type)
{
    return mx_str_eq(type, MX_STR("all")) ||
           mx_str_eq(type, mx_str(type_names[image->type]));
}

static bool has_size(const struct image *image)
{
    return image->width > 0 && image->height > 0;
}

static double pixels(const struct images *images, struct mx_str type)
{
    double sum = 0;

    for (size_t i = 0; i < images->n; i++) {
        if (is_of(&images->v[i], type)) {
            sum += (double)images->v[i].width * images->v[i].height;
        }
    }
    return sum;
}

/* MIN <= value [<= MAX], of arguments (TYPE, MIN[, MAX]) */
static int in_bounds(double value, const struct mx_str *args, size_t n_args)
{
    return value >= eval_number(args[1]) && (n_args < 3 || value <= eval_number(args[2]));
}

static int image_count(struct eval_context *context, const struct mx_str *args,
                       size_t n_args)
{
    const struct images *images = images_of(context);
    double n = 0;

    for (size_t i = 0; i < images->n; i++) {
        n += is_of(&images->v[i], args[0]);
    }
    return in_bounds(n, args, n_args);
}

static int pixel_coverage(struct eval_context *context, const struct mx_str *args,
                          size_t n_args)
{
    return in_bounds(pixels(images_of(context), args[0]), args, n_args);
}

/* Bytes of body (or rawbody, by the rule's kind) for each pixel. */
static int image_to_text_ratio(struct eval_context *context, const struct mx_str *args,
                               size_t n_args)
{
    bool is_raw = context->rule && context->rule->kind == RULE_RAWBODY_EVAL;
    const struct text_list *text =
        is_raw ? &context->texts->rawbody : &context->texts->body;
    double area = pixels(images_of(context), args[0]), bytes = 0;

    (void)n_args;
    for (size_t i = 0; i < text->n; i++) {
        bytes += (double)text->v[i].n;
    }
    return bytes > 0 && area > 0 && bytes / area >= eval_number(args[1]) &&
           bytes / area < eval_number(args[2]);
}

/* (TYPE, HEIGHT, WIDTH) */
static int image_size_exact(struct eval_context *context, const struct mx_str *args,
                            size_t n_args)
{
    const struct images *images = images_of(context);

    (void)n_args;
    for (size_t i = 0; i < images->n; i++) {
        const struct image *image = &images->v[i];

        if (is_of(image, args[0]) && has_size(image) &&
            image->height == eval_number(args[1]) &&
            image->width == eval_number(args[2])) {
            return 1;
        }
    }
    return 0;
}

/* (TYPE, MIN_HEIGHT, MIN_WIDTH[, MAX_HEIGHT[, MAX_WIDTH]]) */
static int image_size_range(struct eval_context *context, const struct mx_str *args,
                            size_t n_args)
{
    const struct images *images = images_of(context);

    for (size_t i = 0; i < images->n; i++) {
        const struct image *image = &images->v[i];

        if (is_of(image, args[0]) && has_size(image) &&
            image->height >= eval_number(args[1]) &&
            image->width >= eval_number(args[2]) &&
            (n_args < 4 || image->height <= eval_number(args[3])) &&
            (n_args < 5 || image->width <= eval_number(args[4]))) {
            return 1;
        }
    }
    return 0;
}

static int image_named(struct eval_context *context, const struct mx_str *args,
                       size_t n_args)
{
    const struct images *images = images_of(context);

    (void)n_args;
    for (size_t i = 0; i < images->n; i++) {
        if (has_size(&images->v[i]) && mx_str_eq(images->v[i].name, args[0])) {
            return 1;
        }
    }
    return 0;
}

static int image_name_regex(struct eval_context *context, const struct mx_str *args,
                            size_t n_args)
{
    const struct images *images = images_of(context);
    const struct eval_regex *regex = eval_shared_argument(context);

    (void)args;
    (void)n_args;
    for (size_t i = 0; i < images->n; i++) {
        if (has_size(&images->v[i]) && images->v[i].name.n > 0 &&
            eval_argument_hit(context, regex, images->v[i].name)) {
            return 1;
        }
    }
    return 0;
}

const struct eval_function eval_image_functions[] = {
    {"image_count", image_count, false, 0, 2},
    {"pixel_coverage", pixel_coverage, false, 0, 2},
    {"image_to_text_ratio", image_to_text_ratio, false, 0, 3},
    {"image_size_exact", image_size_exact, false, 0, 3},
    {"image_size_range", image_size_range, false, 0, 3},
    {"image_named", image_named, false, 0, 1},
    {"image_name_regex", image_name_regex, false, 1, 1},
    {NULL, NULL, false, 0, 0},
};
