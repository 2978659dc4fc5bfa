/*
 * Character sets by locale, as `ok_locales` names them (Locales of SpamAssassin): a
 * charset's name is compared by its letters and digits only.
 */
#include "eval_locale.h"

#include <ctype.h>

#include "rule_text.h"

#define CYRILLIC "KOI8R KOI8U KOI8T ISOIR111 CP1251 GEORGIANPS PT154 CP866"
#define TRADITIONAL "BIG5HKSCS BIG5 EUCTW"
#define SIMPLIFIED "GB1988 GB2312 GB231219800 GB18030 GBK ISO2022CN"

struct locale {
    const char *name, *charsets;
};

static const struct locale locales[] = {
    {"ja", "EUCJP JISX020119760 JISX020819830 JISX020819900 JISX020819970 JISX021219900 "
           "JISX021320001 JISX021320002 SHIFTJIS ISO2022JP SJIS JIS7 JISX0201 JISX0208 "
           "JISX0212"},
    {"ko", "EUCKR KSC56011987"},
    {"ru", CYRILLIC},
    {"ka", CYRILLIC},
    {"tg", CYRILLIC},
    {"be", CYRILLIC},
    {"uk", CYRILLIC},
    {"bg", CYRILLIC},
    {"th", "TIS620"},
    {"zh", SIMPLIFIED " " TRADITIONAL},
    {"zh.big5", TRADITIONAL},
    {"zh.gb2312", SIMPLIFIED},
};

/* Fine in every locale; these begin so, the others are it. */
static const char *const common_prefixes[] = {"ISO8859", "ISO10646", "UTF",         "UCS",
                                              "CP125",   "WINDOWS",  "UNICODE11UTF"};
static const char *const common[] = {"USASCII", "ASCII", "IBM852", "XUNKNOWN", "ISO"};

#define NAME_MAX_BYTES 64 /* longer than any name of a charset */

static struct mx_str canonical(struct mx_str charset, char out[static NAME_MAX_BYTES])
{
    size_t n = 0;

    for (size_t i = 0; i < charset.n && n < NAME_MAX_BYTES; i++) {
        if (isalnum((unsigned char)charset.p[i])) {
            out[n++] = (char)toupper((unsigned char)charset.p[i]);
        }
    }
    /* What quoted-printable leaves of "=" in front. */
    if (n > 2 && out[0] == '3' && out[1] == 'D') {
        return mx_str_of(out + 2, n - 2);
    }
    return mx_str_of(out, n);
}

static bool is_common(struct mx_str name)
{
    for (size_t i = 0; i < sizeof(common_prefixes) / sizeof(*common_prefixes); i++) {
        if (mx_str_starts(name, mx_str(common_prefixes[i]))) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(common) / sizeof(*common); i++) {
        if (mx_str_eq(name, mx_str(common[i]))) {
            return true;
        }
    }
    return false;
}

static bool has_charset(struct mx_str wanted, struct mx_str name)
{
    struct mx_str rest, charset;

    for (size_t i = 0; i < sizeof(locales) / sizeof(*locales); i++) {
        if (!mx_str_ieq(wanted, mx_str(locales[i].name))) {
            continue;
        }
        rest = mx_str(locales[i].charsets);
        while (mx_str_next(&rest, ' ', &charset) == 0) {
            if (mx_str_eq(charset, name)) {
                return true;
            }
        }
    }
    return false;
}

bool eval_locale_is_faraway(const struct eval_context *context, struct mx_str charset)
{
    const struct rule_list *list = rule_list_find(context->set, "ok_locales", MX_STR(""));
    char buffer[NAME_MAX_BYTES];
    struct mx_str name = canonical(charset, buffer), rest, word;

    if (!list || list->entries.n == 0 || is_common(name)) {
        return false;
    }
    rest = list->entries.v[list->entries.n - 1];
    while ((word = rule_text_word(&rest)).n > 0) {
        if (mx_str_ieq(word, MX_STR("all")) || has_charset(word, name)) {
            return false;
        }
    }
    return true;
}
