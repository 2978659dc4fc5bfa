/*
 * Colours. What counts as a colour follows SpamAssassin, which wants "#" before digits
 * and calls all else but a known name or rgb() invalid. Digits are read as browsers do:
 * what is no digit is dropped, three stand for six.
 *
 * The contrast of two colours is their distance weighted by how bright each primary
 * looks (ITU-R BT.709); below 12 of 191 text counts as invisible.
 *
 * It leaves out hsl(), colours with alpha and everything else of CSS Color 4.
 */
#include "text/text_html_color.h"

#include <stddef.h>
#include <stdlib.h>

#include "text/text_chars.h"

#define MIN_DISTANCE 12.0
#define HEX_MAX 6 /* digits of a colour */

struct named {
    const char *name;
    uint32_t rgb;
};

/* clang-format off: a table, several entries a line. Source: CSS Color Level 3, 4.3. */
static const struct named names[] = {
    {"aliceblue", 0xf0f8ff},
    {"antiquewhite", 0xfaebd7},
    {"aqua", 0x00ffff},
    {"aquamarine", 0x7fffd4},
    {"azure", 0xf0ffff},
    {"beige", 0xf5f5dc},
    {"bisque", 0xffe4c4},
    {"black", 0x000000},
    {"blanchedalmond", 0xffebcd},
    {"blue", 0x0000ff},
    {"blueviolet", 0x8a2be2},
    {"brown", 0xa52a2a},
    {"burlywood", 0xdeb887},
    {"cadetblue", 0x5f9ea0},
    {"chartreuse", 0x7fff00},
    {"chocolate", 0xd2691e},
    {"coral", 0xff7f50},
    {"cornflowerblue", 0x6495ed},
    {"cornsilk", 0xfff8dc},
    {"crimson", 0xdc143c},
    {"cyan", 0x00ffff},
    {"darkblue", 0x00008b},
    {"darkcyan", 0x008b8b},
    {"darkgoldenrod", 0xb8860b},
    {"darkgray", 0xa9a9a9},
    {"darkgreen", 0x006400},
    {"darkgrey", 0xa9a9a9},
    {"darkkhaki", 0xbdb76b},
    {"darkmagenta", 0x8b008b},
    {"darkolivegreen", 0x556b2f},
    {"darkorange", 0xff8c00},
    {"darkorchid", 0x9932cc},
    {"darkred", 0x8b0000},
    {"darksalmon", 0xe9967a},
    {"darkseagreen", 0x8fbc8f},
    {"darkslateblue", 0x483d8b},
    {"darkslategray", 0x2f4f4f},
    {"darkslategrey", 0x2f4f4f},
    {"darkturquoise", 0x00ced1},
    {"darkviolet", 0x9400d3},
    {"deeppink", 0xff1493},
    {"deepskyblue", 0x00bfff},
    {"dimgray", 0x696969},
    {"dimgrey", 0x696969},
    {"dodgerblue", 0x1e90ff},
    {"firebrick", 0xb22222},
    {"floralwhite", 0xfffaf0},
    {"forestgreen", 0x228b22},
    {"fuchsia", 0xff00ff},
    {"gainsboro", 0xdcdcdc},
    {"ghostwhite", 0xf8f8ff},
    {"gold", 0xffd700},
    {"goldenrod", 0xdaa520},
    {"gray", 0x808080},
    {"green", 0x008000},
    {"greenyellow", 0xadff2f},
    {"grey", 0x808080},
    {"honeydew", 0xf0fff0},
    {"hotpink", 0xff69b4},
    {"indianred", 0xcd5c5c},
    {"indigo", 0x4b0082},
    {"ivory", 0xfffff0},
    {"khaki", 0xf0e68c},
    {"lavender", 0xe6e6fa},
    {"lavenderblush", 0xfff0f5},
    {"lawngreen", 0x7cfc00},
    {"lemonchiffon", 0xfffacd},
    {"lightblue", 0xadd8e6},
    {"lightcoral", 0xf08080},
    {"lightcyan", 0xe0ffff},
    {"lightgoldenrodyellow", 0xfafad2},
    {"lightgray", 0xd3d3d3},
    {"lightgreen", 0x90ee90},
    {"lightgrey", 0xd3d3d3},
    {"lightpink", 0xffb6c1},
    {"lightsalmon", 0xffa07a},
    {"lightseagreen", 0x20b2aa},
    {"lightskyblue", 0x87cefa},
    {"lightslategray", 0x778899},
    {"lightslategrey", 0x778899},
    {"lightsteelblue", 0xb0c4de},
    {"lightyellow", 0xffffe0},
    {"lime", 0x00ff00},
    {"limegreen", 0x32cd32},
    {"linen", 0xfaf0e6},
    {"magenta", 0xff00ff},
    {"maroon", 0x800000},
    {"mediumaquamarine", 0x66cdaa},
    {"mediumblue", 0x0000cd},
    {"mediumorchid", 0xba55d3},
    {"mediumpurple", 0x9370db},
    {"mediumseagreen", 0x3cb371},
    {"mediumslateblue", 0x7b68ee},
    {"mediumspringgreen", 0x00fa9a},
    {"mediumturquoise", 0x48d1cc},
    {"mediumvioletred", 0xc71585},
    {"midnightblue", 0x191970},
    {"mintcream", 0xf5fffa},
    {"mistyrose", 0xffe4e1},
    {"moccasin", 0xffe4b5},
    {"navajowhite", 0xffdead},
    {"navy", 0x000080},
    {"oldlace", 0xfdf5e6},
    {"olive", 0x808000},
    {"olivedrab", 0x6b8e23},
    {"orange", 0xffa500},
    {"orangered", 0xff4500},
    {"orchid", 0xda70d6},
    {"palegoldenrod", 0xeee8aa},
    {"palegreen", 0x98fb98},
    {"paleturquoise", 0xafeeee},
    {"palevioletred", 0xdb7093},
    {"papayawhip", 0xffefd5},
    {"peachpuff", 0xffdab9},
    {"peru", 0xcd853f},
    {"pink", 0xffc0cb},
    {"plum", 0xdda0dd},
    {"powderblue", 0xb0e0e6},
    {"purple", 0x800080},
    {"red", 0xff0000},
    {"rosybrown", 0xbc8f8f},
    {"royalblue", 0x4169e1},
    {"saddlebrown", 0x8b4513},
    {"salmon", 0xfa8072},
    {"sandybrown", 0xf4a460},
    {"seagreen", 0x2e8b57},
    {"seashell", 0xfff5ee},
    {"sienna", 0xa0522d},
    {"silver", 0xc0c0c0},
    {"skyblue", 0x87ceeb},
    {"slateblue", 0x6a5acd},
    {"slategray", 0x708090},
    {"slategrey", 0x708090},
    {"snow", 0xfffafa},
    {"springgreen", 0x00ff7f},
    {"steelblue", 0x4682b4},
    {"tan", 0xd2b48c},
    {"teal", 0x008080},
    {"thistle", 0xd8bfd8},
    {"tomato", 0xff6347},
    {"turquoise", 0x40e0d0},
    {"violet", 0xee82ee},
    {"wheat", 0xf5deb3},
    {"white", 0xffffff},
    {"whitesmoke", 0xf5f5f5},
    {"yellow", 0xffff00},
    {"yellowgreen", 0x9acd32},
};
/* clang-format on */

static int compare_name(const void *key, const void *element)
{
    const struct named *named = element;
    return mx_str_icmp(*(const struct mx_str *)key, mx_str(named->name));
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_of(char c)
{
    if (is_digit(c))
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool is_hex_or_hash(struct mx_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '#' && hex_of(s.p[i]) < 0)
            return false;
    }
    return true;
}

/* The colour of "#" and digits between anything else. */
static uint32_t parse_digits(struct mx_str s)
{
    int digits[HEX_MAX];
    size_t n = 0;
    for (size_t i = 0; i < s.n && n < HEX_MAX; i++) {
        int digit = hex_of(s.p[i]);
        if (digit >= 0)
            digits[n++] = digit;
    }
    if (n == 0)
        return HTML_COLOR_EMPTY;
    if (n > 3 && n < HEX_MAX)
        n = 3;
    while (n % 3 != 0)
        digits[n++] = 0;
    uint32_t rgb = 0;
    for (size_t i = 0; i < n; i++)
        rgb = n == 3 ? rgb << 8 | (uint32_t)(digits[i] * 0x11)
                     : rgb << 4 | (uint32_t)digits[i];
    return rgb;
}

/* Digits at ${*at}, capped; false without any. */
static bool read_number(struct mx_str s, size_t *at, unsigned *out)
{
    size_t start = *at;
    unsigned n = 0;
    for (; *at < s.n && is_digit(s.p[*at]); (*at)++)
        n = n > 100000 ? n : n * 10 + (unsigned)(s.p[*at] - '0');
    *out = n;
    return *at > start;
}

/* "rgb(1, 2, 3)" or with "%" anywhere in ${s}. Numbers over 255 run into the next one, as
 * their digits would. */
static bool parse_function(struct mx_str s, uint32_t *out)
{
    ptrdiff_t found = mx_str_find(s, MX_STR("rgb("));
    if (found < 0)
        return false;
    char text[40];
    size_t at = (size_t)found + 4, n = 0;
    for (int i = 0; i < 3; i++) {
        unsigned value;
        while (i > 0 && at < s.n && text_char_space((unsigned char)s.p[at]))
            at++;
        if (!read_number(s, &at, &value))
            return false;
        if (at < s.n && s.p[at] == '%') {
            value = value * 255 / 100;
            at++;
        }
        for (int shift = value > 0xfff  ? 12
                         : value > 0xff ? 8
                                        : 4;
             shift >= 0; shift -= 4)
            text[n++] = "0123456789abcdef"[value >> shift & 15];
        if (i < 2 && (at >= s.n || s.p[at++] != ','))
            return false;
    }
    *out = parse_digits(mx_str_of(text, n));
    return true;
}

uint32_t html_color_parse(struct mx_str text)
{
    text = text_trim(text, false);
    const struct named *named = bsearch(&text, names, sizeof(names) / sizeof(names[0]),
                                        sizeof(names[0]), compare_name);
    if (named != NULL)
        return named->rgb;
    uint32_t rgb;
    if (parse_function(text, &rgb))
        return rgb;
    if (text.n == 0 || text.p[0] != '#' || !is_hex_or_hash(text))
        return HTML_COLOR_INVALID;
    return parse_digits(text);
}

uint32_t html_color_parse_rgb(struct mx_str text)
{
    unsigned value[3] = {0};
    int i = 0;
    for (size_t at = 0; at < text.n && i < 3; at++) {
        if (text.p[at] == ',')
            i++;
        else if (is_digit(text.p[at]) && value[i] <= 255)
            value[i] = value[i] * 10 + (unsigned)(text.p[at] - '0');
    }
    uint32_t rgb = 0;
    for (i = 0; i < 3; i++)
        rgb = rgb << 8 | (value[i] > 255 ? 255 : value[i]);
    return rgb;
}

/* What is behind the last comma outside brackets and quotes. */
static struct mx_str last_layer(struct mx_str s)
{
    size_t start = 0;
    char close = '\0';
    for (size_t i = 0; i < s.n; i++) {
        if (close != '\0')
            close = s.p[i] == close ? '\0' : close;
        else if (s.p[i] == '(')
            close = ')';
        else if (s.p[i] == '"' || s.p[i] == '\'')
            close = s.p[i];
        else if (s.p[i] == ',' && i + 1 < s.n)
            start = i + 1;
    }
    return mx_str_sub(s, start, s.n - start);
}

uint32_t html_color_parse_background(struct mx_str text)
{
    struct mx_str rest = last_layer(text);
    size_t start = 0;
    char close = '\0';
    for (size_t i = 0; i <= rest.n; i++) {
        char c = i < rest.n ? rest.p[i] : ' ';
        bool is_end = close == '\0' ? c == ' ' : c == ')' && close == ')';
        if (close != '\0')
            close = c == close ? '\0' : close;
        else if (c == '(')
            close = ')';
        else if (c == '"' || c == '\'')
            close = c;
        if (!is_end && i < rest.n)
            continue;
        size_t stop = c == ')' ? i + 1 : i;
        uint32_t rgb = html_color_parse(mx_str_sub(rest, start, stop - start));
        if (stop > start && rgb != HTML_COLOR_INVALID)
            return rgb;
        start = i + 1;
    }
    return HTML_COLOR_INVALID;
}

bool html_color_is_close(uint32_t a, uint32_t b)
{
    if (a >= HTML_COLOR_INVALID || b >= HTML_COLOR_INVALID)
        return false;
    static const double weight[] = {0.0722, 0.7152, 0.2126};
    double sum = 0;
    for (int i = 0; i < 3; i++) {
        double d = weight[i] * ((double)(a >> 8 * i & 255) - (double)(b >> 8 * i & 255));
        sum += d * d;
    }
    return sum < MIN_DISTANCE * MIN_DISTANCE;
}
