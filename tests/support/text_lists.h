/* A few registries for tests of scand/text, sorted as the rule reader sorts them. */
#ifndef TEXT_LISTS_H
#define TEXT_LISTS_H

#include "text/text.h"

#define WORD(literal)                                                                    \
    {                                                                                    \
        literal, sizeof(literal) - 1                                                     \
    }

static const struct mx_str text_tld_words[] = {
    WORD("br"),  WORD("com"), WORD("jp"), WORD("net"),
    WORD("org"), WORD("uk"),  WORD("us"), WORD("xn--p1ai"),
};
static const struct mx_str text_two_words[] = {WORD("co.uk"), WORD("com.br")};
static const struct mx_str text_three_words[] = {WORD("demon.co.uk")};

/* The lists, for as long as ${store} lives. */
static inline struct text_lists text_lists_few(struct text_list store[3])
{
    store[0] = (struct text_list){(struct mx_str *)(uintptr_t)text_tld_words,
                                  sizeof(text_tld_words) / sizeof(text_tld_words[0])};
    store[1] = (struct text_list){(struct mx_str *)(uintptr_t)text_two_words, 2};
    store[2] = (struct text_list){(struct mx_str *)(uintptr_t)text_three_words, 1};
    return (struct text_lists){
        .tlds = &store[0], .two_level = &store[1], .three_level = &store[2]};
}

#endif
