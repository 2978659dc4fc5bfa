/*
 * libclamav's signature engine behind a small interface.
 *
 * Loaded once in the engine parent; workers inherit it by fork and share its memory as
 * long as nobody writes to it. libclamav's own messages are dropped: they go to stderr
 * without our format, and everything that matters comes back as a return code.
 *
 * Limits are libclamav's, set from configuration; the time limit is set anew for each
 * scan, as the deadline is handed down. libclamav looks at its clock between files only,
 * and normalising one HTML file or script cannot be interrupted: hence a limit of size
 * for these. Scans go on behind the first alert (all-match), for what is an alert to
 * libclamav is a virus, a limit, or a remark to us. CVD and CLD files carry signatures by
 * ClamAV; plain .ndb, .hdb, .ldb files in the directory are taken as they are.
 */
#include "clam_engine.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <clamav.h>
#include <clamav-version.h>

#include "mx_arena.h"
#include "mx_err.h"
#include "scan_conf.h"

/* libclamav reports these as "viruses", too. */
static const struct {
    const char *prefix;
    enum clam_kind kind;
} heuristics[] = {
    {"Heuristics.Limits.Exceeded", CLAM_LIMIT},
    {"Heuristics.Phishing.", CLAM_PHISHING},
    {"Heuristics.OLE2.ContainsMacros", CLAM_MACROS},
    {"Heuristics.Encrypted.", CLAM_ENCRYPTED},
};
#define TIME_LIMIT "Heuristics.Limits.Exceeded.MaxScanTime"

struct clam_engine {
    struct cl_engine *cl;
    struct cl_scan_options options;
    size_t max_file_size;
    int64_t max_scan_time_ms;
    char version[64];
};

static void drop_message(enum cl_msg severity, const char *full, const char *text,
                         void *context)
{
    (void)severity, (void)full, (void)text, (void)context;
}

static enum clam_kind kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof(heuristics) / sizeof(heuristics[0]); i++)
        if (strncmp(name, heuristics[i].prefix, strlen(heuristics[i].prefix)) == 0)
            return heuristics[i].kind;
    return CLAM_VIRUS;
}

static void on_alert(int fd, const char *name, void *context)
{
    (void)fd;
    struct clam_report *report = context;
    enum clam_kind kind = kind_of(name);
    if (report->name[kind] == NULL)
        report->name[kind] = name;
}

static int fail(struct mx_err *err, const char *what, cl_error_t code)
{
    return mx_err_set(err, MX_ERR_SYSTEM, "%s: %s", what, cl_strerror(code));
}

static int set_limits(struct cl_engine *cl, const struct clamav_settings *settings,
                      struct mx_err *err)
{
    const struct {
        enum cl_engine_field field;
        int64_t value;
    } limits[] = {
        {CL_ENGINE_MAX_SCANSIZE, settings->max_scan_size},
        {CL_ENGINE_MAX_FILESIZE, settings->max_file_size},
        {CL_ENGINE_MAX_RECURSION, settings->max_recursion},
        {CL_ENGINE_MAX_FILES, settings->max_files},
        {CL_ENGINE_PCRE_MAX_FILESIZE, settings->max_file_size},
        {CL_ENGINE_MAX_HTMLNORMALIZE, settings->max_html_size},
        {CL_ENGINE_MAX_HTMLNOTAGS, settings->max_html_size},
        {CL_ENGINE_MAX_SCRIPTNORMALIZE, settings->max_html_size},
    };
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        cl_error_t rc = cl_engine_set_num(cl, limits[i].field, limits[i].value);
        if (rc != CL_SUCCESS)
            return fail(err, "setting a limit of libclamav", rc);
    }
    return 0;
}

static int load_signatures(struct clam_engine *engine, const char *directory,
                           struct mx_err *err)
{
    unsigned signatures = 0;
    cl_error_t rc = cl_load(directory, engine->cl, &signatures, CL_DB_STDOPT);
    if (rc != CL_SUCCESS) {
        fail(err, "libclamav", rc);
        return mx_err_wrap(err, "signatures in %s", directory);
    }
    if (signatures == 0)
        return mx_err_set(err, MX_ERR_DOWN,
                          "signatures in %s: there is none: run freshclam", directory);
    rc = cl_engine_compile(engine->cl);
    if (rc != CL_SUCCESS) {
        fail(err, "libclamav", rc);
        return mx_err_wrap(err, "compiling signatures of %s", directory);
    }
    int ignored = 0;
    long long version = cl_engine_get_num(engine->cl, CL_ENGINE_DB_VERSION, &ignored);
    snprintf(engine->version, sizeof(engine->version), "%lld/%u", version, signatures);
    return 0;
}

static void set_options(struct clam_engine *engine,
                        const struct clamav_settings *settings)
{
    engine->options.parse = ~0u;
    engine->options.heuristic = CL_SCAN_HEURISTIC_EXCEEDS_MAX | CL_SCAN_HEURISTIC_MACROS |
                                CL_SCAN_HEURISTIC_ENCRYPTED_DOC;
    engine->options.general = CL_SCAN_GENERAL_ALLMATCHES;
    if (settings->heuristics)
        engine->options.general |= CL_SCAN_GENERAL_HEURISTICS;
}

int clam_engine_load(const struct clamav_settings *settings, struct clam_engine **out,
                     struct mx_err *err)
{
    DIR *directory = opendir(settings->signatures);
    if (directory == NULL)
        return mx_err_errno(err, "signature directory %s", settings->signatures);
    closedir(directory);
    cl_set_clcb_msg(drop_message);
    cl_error_t rc = cl_init(CL_INIT_DEFAULT);
    if (rc != CL_SUCCESS)
        return fail(err, "starting libclamav", rc);

    struct clam_engine *engine = mx_xalloc(sizeof(*engine));
    engine->cl = cl_engine_new();
    set_options(engine, settings);
    engine->max_file_size = (size_t)settings->max_file_size;
    engine->max_scan_time_ms = settings->max_scan_time_ms;
    if (engine->cl == NULL)
        mx_err_set(err, MX_ERR_SYSTEM, "libclamav gives no engine");
    if (engine->cl == NULL || set_limits(engine->cl, settings, err) < 0 ||
        load_signatures(engine, settings->signatures, err) < 0) {
        clam_engine_free(engine);
        return -1;
    }
    cl_engine_set_clcb_virus_found(engine->cl, on_alert);
    *out = engine;
    return 0;
}

void clam_engine_free(struct clam_engine *engine)
{
    if (engine == NULL)
        return;
    if (engine->cl != NULL)
        cl_engine_free(engine->cl);
    free(engine);
}

const char *clam_engine_version(const struct clam_engine *engine)
{
    return engine->version;
}

int clam_engine_temp_dir(struct clam_engine *engine, const char *path, struct mx_err *err)
{
    cl_error_t rc = cl_engine_set_str(engine->cl, CL_ENGINE_TMPDIR, path);
    return rc == CL_SUCCESS ? 0 : fail(err, "setting libclamav's directory", rc);
}

static int scan_map(struct clam_engine *engine, struct mx_str data,
                    struct clam_report *out, struct mx_err *err)
{
    cl_fmap_t *map = cl_fmap_open_memory(data.p, data.n);
    if (map == NULL)
        return mx_err_set(err, MX_ERR_SYSTEM, "libclamav cannot map the message");
    const char *name = NULL;
    unsigned long scanned = 0;
    cl_error_t rc = cl_scanmap_callback(map, NULL, &name, &scanned, engine->cl,
                                        &engine->options, out);
    cl_fmap_close(map);
    if (rc == CL_VIRUS) /* without a name where it stops at a limit */
        on_alert(-1, name != NULL ? name : heuristics[0].prefix, out);
    else if (rc == CL_ETIMEOUT)
        on_alert(-1, TIME_LIMIT, out);
    else if (rc != CL_CLEAN)
        return fail(err, "libclamav", rc);
    return 0;
}

/* A limit of time is the message's fault only if it had all the time there is. */
static int check_time(const struct clam_engine *engine, int64_t time_ms,
                      const struct clam_report *report, struct mx_err *err)
{
    const char *limit = report->name[CLAM_LIMIT];
    if (limit == NULL || strcmp(limit, TIME_LIMIT) != 0 ||
        time_ms >= engine->max_scan_time_ms)
        return 0;
    return mx_err_set(err, MX_ERR_TIMEOUT, "libclamav ran out of time");
}

int clam_engine_scan(struct clam_engine *engine, struct mx_str data, int64_t time_ms,
                     struct clam_report *out, struct mx_err *err)
{
    *out = (struct clam_report){0};
    int64_t limit =
        time_ms < engine->max_scan_time_ms ? time_ms : engine->max_scan_time_ms;
    cl_error_t rc = cl_engine_set_num(engine->cl, CL_ENGINE_MAX_SCANTIME,
                                      limit > 0 ? limit : 1); /* 0: no limit */
    if (rc != CL_SUCCESS)
        return fail(err, "setting libclamav's time limit", rc);
    if (data.n <= 5) /* libclamav refuses to map nothing, and skips up to 5 octets */
        return 0;
    /* It would not look at a larger file at all: we look at the start. */
    struct mx_str start = mx_str_sub(data, 0, engine->max_file_size);
    if (scan_map(engine, start, out, err) < 0)
        return -1;
    if (start.n < data.n && out->name[CLAM_LIMIT] == NULL)
        out->name[CLAM_LIMIT] = "larger than max_file_size";
    if (out->name[CLAM_VIRUS] != NULL) /* that is enough, whatever else there is */
        return 0;
    return check_time(engine, time_ms, out, err);
}

const char *clam_library(void)
{
    return "libclamav " CLAMAV_VERSION;
}
