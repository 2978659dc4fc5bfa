/*
 * Databases of patterns, by Hyperscan's interface (hs.h), in block mode over bytes: never
 * UTF-8, never Unicode properties; flags of a pattern stand in the pattern itself. Each
 * pattern is reported once a text.
 *
 * Built without the library (or run on a CPU that it does not support), there is no
 * database, and all patterns go to the judge: the same answers, later.
 */
#include "rule_match_db.h"

#include <stdlib.h>

#include "mx_arena.h"
#include "mx_err.h"

#ifdef MX_HAVE_HS

#include <hs.h>

struct rule_db {
    hs_database_t *hs;
};

struct rule_db_scratch {
    hs_scratch_t *hs;
};

const char *rule_db_library(void)
{
    return hs_valid_platform() == HS_SUCCESS ? hs_version() : NULL;
}

uint64_t rule_db_platform(void)
{
    hs_platform_info_t info = {0};
    if (hs_populate_platform(&info) != HS_SUCCESS)
        return 0;
    return info.cpu_features ^ (uint64_t)info.tune << 48;
}

static unsigned flags_of(const struct rule_db_pattern *pattern)
{
    return HS_FLAG_ALLOWEMPTY | HS_FLAG_SINGLEMATCH |
           (pattern->is_loose ? HS_FLAG_PREFILTER : 0);
}

bool rule_db_takes(const struct rule_db_pattern *pattern)
{
    hs_expr_info_t *info = NULL;
    hs_compile_error_t *error = NULL;
    bool is_taken =
        hs_expression_info(pattern->text, flags_of(pattern), &info, &error) == HS_SUCCESS;
    hs_free_compile_error(error);
    free(info);
    return is_taken;
}

int rule_db_compile(const struct rule_db_pattern *patterns, size_t n,
                    struct rule_db **out, int *out_bad, struct mx_err *err)
{
    const char **texts = mx_xalloc(n * sizeof(*texts));
    unsigned *flags = mx_xalloc(n * sizeof(*flags));
    unsigned *ids = mx_xalloc(n * sizeof(*ids));
    for (size_t i = 0; i < n; i++) {
        texts[i] = patterns[i].text;
        flags[i] = flags_of(&patterns[i]);
        ids[i] = (unsigned)i;
    }
    struct rule_db *db = mx_xalloc(sizeof(*db));
    hs_compile_error_t *error = NULL;
    int rc = 0;
    if (hs_compile_multi(texts, flags, ids, (unsigned)n, HS_MODE_BLOCK, NULL, &db->hs,
                         &error) == HS_SUCCESS) {
        *out = db;
    } else {
        *out_bad = error != NULL ? error->expression : -1;
        rc = mx_err_set(err, MX_ERR_SYSTEM, "%s",
                        error != NULL ? error->message : "failed");
        rule_db_free(db);
    }
    hs_free_compile_error(error);
    free(texts);
    free(flags);
    free(ids);
    return rc;
}

void rule_db_free(struct rule_db *db)
{
    if (db == NULL)
        return;
    hs_free_database(db->hs);
    free(db);
}

int rule_db_pack(const struct rule_db *db, struct mx_buf *out, struct mx_err *err)
{
    char *bytes = NULL;
    size_t n = 0;
    if (hs_serialize_database(db->hs, &bytes, &n) != HS_SUCCESS)
        return mx_err_set(err, MX_ERR_SYSTEM, "serialising a database failed");
    mx_buf_add(out, bytes, n);
    free(bytes);
    return 0;
}

int rule_db_unpack(struct mx_str bytes, struct rule_db **out, struct mx_err *err)
{
    struct rule_db *db = mx_xalloc(sizeof(*db));
    if (hs_deserialize_database(bytes.p, bytes.n, &db->hs) != HS_SUCCESS) {
        free(db);
        return mx_err_set(err, MX_ERR_INPUT, "not a database for this machine");
    }
    *out = db;
    return 0;
}

size_t rule_db_size(const struct rule_db *db)
{
    size_t n = 0;
    return hs_database_size(db->hs, &n) == HS_SUCCESS ? n : 0;
}

int rule_db_scratch_fit(struct rule_db_scratch **scratch, const struct rule_db *db,
                        struct mx_err *err)
{
    if (*scratch == NULL)
        *scratch = mx_xalloc(sizeof(**scratch));
    if (hs_alloc_scratch(db->hs, &(*scratch)->hs) != HS_SUCCESS)
        return mx_err_set(err, MX_ERR_SYSTEM, "no scratch space for a database");
    return 0;
}

void rule_db_scratch_free(struct rule_db_scratch *scratch)
{
    if (scratch == NULL)
        return;
    hs_free_scratch(scratch->hs);
    free(scratch);
}

struct seen {
    uint32_t *ids;
    size_t n;
};

static int on_match(unsigned id, unsigned long long from, unsigned long long to,
                    unsigned flags, void *context)
{
    struct seen *seen = context;
    (void)from, (void)to, (void)flags;
    seen->ids[seen->n++] = id;
    return 0;
}

int rule_db_scan(const struct rule_db *db, struct rule_db_scratch *scratch,
                 struct mx_str text, uint32_t *out, size_t *out_n)
{
    struct seen seen = {out, 0};
    if (text.n > UINT32_MAX ||
        hs_scan(db->hs, text.p != NULL ? text.p : "", (unsigned)text.n, 0, scratch->hs,
                on_match, &seen) != HS_SUCCESS)
        return -1;
    *out_n = seen.n;
    return 0;
}

#else

/* Nobody ever has one: rule_db_library says so, and nothing else is called. */
struct rule_db {
    char unused;
};

struct rule_db_scratch {
    char unused;
};

static int absent(struct mx_err *err)
{
    return mx_err_set(err, MX_ERR_DOWN, "built without Hyperscan");
}

const char *rule_db_library(void)
{
    return NULL;
}

uint64_t rule_db_platform(void)
{
    return 0;
}

bool rule_db_takes(const struct rule_db_pattern *pattern)
{
    (void)pattern;
    return false;
}

int rule_db_compile(const struct rule_db_pattern *patterns, size_t n,
                    struct rule_db **out, int *out_bad, struct mx_err *err)
{
    (void)patterns, (void)n, (void)out;
    *out_bad = -1;
    return absent(err);
}

void rule_db_free(struct rule_db *db)
{
    free(db);
}

int rule_db_pack(const struct rule_db *db, struct mx_buf *out, struct mx_err *err)
{
    (void)db, (void)out;
    return absent(err);
}

int rule_db_unpack(struct mx_str bytes, struct rule_db **out, struct mx_err *err)
{
    (void)bytes, (void)out;
    return absent(err);
}

size_t rule_db_size(const struct rule_db *db)
{
    (void)db;
    return 0;
}

int rule_db_scratch_fit(struct rule_db_scratch **scratch, const struct rule_db *db,
                        struct mx_err *err)
{
    (void)scratch, (void)db;
    return absent(err);
}

void rule_db_scratch_free(struct rule_db_scratch *scratch)
{
    free(scratch);
}

int rule_db_scan(const struct rule_db *db, struct rule_db_scratch *scratch,
                 struct mx_str text, uint32_t *out, size_t *out_n)
{
    (void)db, (void)scratch, (void)text, (void)out, (void)out_n;
    return -1;
}

#endif
