/*
 * Rule files in a temporary directory of the test's own, and the set that they make.
 *
 *     struct rule_files files = rule_files_new();
 *     rule_files_add(&files, "a.cf", "body A /a/\n");
 *     struct rule_set *set = rule_files_read(&files);
 *     ...
 *     rule_files_free(&files);            (the set too)
 */
#ifndef RULE_FILES_H
#define RULE_FILES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "mx_str.h"

#include "rules/rule_meta.h"
#include "rules/rule_set.h"

#define RULE_FILES_MAX_ADDED 16

struct rule_files {
    char dir[64];
    char *paths[RULE_FILES_MAX_ADDED];
    size_t n;
    struct rule_read_options options;
    const char *dirs[2];
    struct rule_set *set;
};

static inline struct rule_files rule_files_new(void)
{
    struct rule_files files = {.dir = "/tmp/mxdrop-rules-XXXXXX"};

    assert_non_null(mkdtemp(files.dir));
    return files;
}

static inline void rule_files_add_bytes(struct rule_files *files, const char *name,
                                        const void *p, size_t n)
{
    char path[160];
    FILE *file;

    assert_true(files->n < RULE_FILES_MAX_ADDED);
    snprintf(path, sizeof(path), "%s/%s", files->dir, name);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(p, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
    files->paths[files->n++] = mx_xdup(path);
}

static inline void rule_files_add(struct rule_files *files, const char *name,
                                  const char *text)
{
    rule_files_add_bytes(files, name, text, strlen(text));
}

static inline struct rule_set *rule_files_read(struct rule_files *files)
{
    struct mx_err err = {0};

    files->dirs[0] = files->dir;
    files->options.dirs = files->dirs;
    if (rule_set_read(&files->options, &files->set, &err))
        fail_msg("%s", err.text);
    return files->set;
}

static inline void rule_files_free(struct rule_files *files)
{
    rule_set_free(files->set);
    for (size_t i = 0; i < files->n; i++) {
        unlink(files->paths[i]);
        free(files->paths[i]);
    }
    rmdir(files->dir);
}

/* The set that one file makes; free it with rule_files_free. */
static inline struct rule_set *rule_files_one(struct rule_files *files, const char *text)
{
    *files = rule_files_new();
    rule_files_add(files, "a.cf", text);
    return rule_files_read(files);
}

/* The rule ${name}, or NULL. */
static inline const struct rule *rule_named(const struct rule_set *set, const char *name)
{
    ptrdiff_t i = rule_set_find(set, mx_str(name));

    return i < 0 ? NULL : &set->rules[i];
}

/* Problems of ${kind} that ${set} has. */
static inline size_t rule_problems(const struct rule_set *set,
                                   enum rule_problem_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < set->n_problems; i++)
        n += set->problems[i].kind == kind;
    return n;
}

#define assert_str(s, text)                                                              \
    do {                                                                                 \
        struct mx_str assert_str_s = (s);                                                \
        if (!mx_str_eq(assert_str_s, mx_str(text)))                                      \
            fail_msg("\"%.*s\" is not \"%s\"", MX_STR_FMT(assert_str_s), text);          \
    } while (0)

#endif
