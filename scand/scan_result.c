/*
 * Collects what detectors find on one message. Everything is bounded, since a message
 * decides how much there is to find; what does not fit is dropped, never an error.
 */
#include "scan_result.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mx_arena.h"
#include "mx_time.h"

void scan_result_init(struct scan_result *result, struct mx_arena *arena)
{
    *result = (struct scan_result){.arena = arena};
}

static struct scan_finding *find(const struct scan_result *result, const char *symbol)
{
    for (size_t i = 0; i < result->n_findings; i++)
        if (strcmp(result->findings[i].symbol, symbol) == 0)
            return &result->findings[i];
    return NULL;
}

static struct scan_finding *append(struct scan_result *result, const char *symbol)
{
    if (result->n_findings >= SCAN_FINDINGS_MAX)
        return NULL;
    if (result->n_findings == result->room) {
        size_t room = result->room ? result->room * 2 : 32;
        struct scan_finding *grown = mx_arena_array(result->arena, room, sizeof(*grown));
        if (result->n_findings > 0)
            memcpy(grown, result->findings, result->n_findings * sizeof(*grown));
        result->findings = grown;
        result->room = room;
    }
    struct scan_finding *finding = &result->findings[result->n_findings++];
    *finding = (struct scan_finding){
        .symbol = symbol, .detector = result->detector, .detail = MX_STR("")};
    return finding;
}

/* "first; second ...", cut at SCAN_DETAIL_MAX. */
static void add_detail(struct scan_result *result, struct scan_finding *finding,
                       struct mx_str detail)
{
    size_t glue = finding->detail.n > 0 ? 2 : 0;
    if (detail.n == 0 || finding->detail.n + glue >= SCAN_DETAIL_MAX)
        return;
    detail = mx_str_sub(detail, 0, SCAN_DETAIL_MAX - finding->detail.n - glue);
    finding->detail =
        mx_str(mx_arena_printf(result->arena, "%.*s%s%.*s", MX_STR_FMT(finding->detail),
                               glue ? "; " : "", MX_STR_FMT(detail)));
}

void scan_add_times(struct scan_result *result, const char *symbol, unsigned times,
                    double weight)
{
    struct scan_finding *finding = find(result, symbol);
    if (finding == NULL) {
        finding = append(result, symbol);
        if (finding == NULL)
            return;
        finding->weight = weight;
        finding->has_weight = true;
    }
    if (times > finding->times)
        finding->times = times;
}

void scan_add(struct scan_result *result, const char *symbol, const char *fmt, ...)
{
    char detail[SCAN_DETAIL_MAX + 1];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(detail, sizeof(detail), fmt, args);
    va_end(args);
    size_t length = n < 0 ? 0 : (size_t)n;
    if (length > SCAN_DETAIL_MAX)
        length = SCAN_DETAIL_MAX;
    struct scan_finding *finding = find(result, symbol);
    if (finding == NULL)
        finding = append(result, symbol);
    if (finding == NULL)
        return;
    if (finding->times == 0)
        finding->times = 1;
    add_detail(result, finding, mx_str_of(detail, length));
}

void scan_limited(struct scan_result *result, struct mx_str what)
{
    if (result->n_limited++ == 0)
        result->limited = what;
}

void scan_virus(struct scan_result *result, struct mx_str name)
{
    if (result->n_viruses < SCAN_VIRUSES_MAX)
        result->viruses[result->n_viruses++] =
            mx_str_dup(result->arena, mx_str_sub(name, 0, SCAN_DETAIL_MAX));
}

static void grow_files(struct scan_result *result)
{
    size_t room = result->files_room ? result->files_room * 2 : 16;
    struct scan_file *grown = mx_arena_array(result->arena, room, sizeof(*grown));
    if (result->n_files > 0)
        memcpy(grown, result->files, result->n_files * sizeof(*grown));
    result->files = grown;
    result->files_room = room;
}

void scan_file(struct scan_result *result, const struct scan_file *file)
{
    if (result->n_files >= SCAN_FILES_MAX)
        return;
    if (result->n_files == result->files_room)
        grow_files(result);
    struct mx_str name = file->name;
    if (name.n > SCAN_FILE_NAME_MAX)
        name = mx_str_sub(name, name.n - SCAN_FILE_NAME_MAX, name.n);
    result->files[result->n_files++] = (struct scan_file){
        .name = mx_str_dup(result->arena, name),
        .type = mx_str_dup(result->arena, file->type),
        .depth = file->depth,
    };
}

bool scan_is_profiled(const struct scan_result *result)
{
    return result->is_profiled;
}

void scan_spent(struct scan_result *result, const char *stage, const char *item,
                int64_t ns)
{
    if (ns <= 0 || result->n_spent >= SCAN_SPENT_MAX)
        return;
    if (result->n_spent == result->spent_room) {
        size_t room = result->spent_room ? result->spent_room * 2 : 64;
        struct scan_spent *grown = mx_arena_array(result->arena, room, sizeof(*grown));
        if (result->n_spent > 0)
            memcpy(grown, result->spent, result->n_spent * sizeof(*grown));
        result->spent = grown;
        result->spent_room = room;
    }
    result->spent[result->n_spent++] =
        (struct scan_spent){result->detector, stage, item, ns};
}

void scan_final(struct scan_result *result)
{
    result->is_final = true;
}

bool scan_has(const struct scan_result *result, const char *symbol)
{
    return find(result, symbol) != NULL;
}

struct mx_arena *scan_scratch(struct scan_result *result)
{
    return result->arena;
}

int64_t scan_left_ms(const struct message *msg)
{
    int64_t left = msg->deadline_ms - mx_mono_us() / 1000;
    return left > 0 ? left : 0;
}

void scan_result_fault(struct scan_result *result, const char *detector,
                       const char *reason)
{
    for (size_t i = 0; i < result->n_faults; i++)
        if (strcmp(result->faults[i].detector, detector) == 0)
            return;
    if (result->n_faults < SCAN_DETECTORS_MAX)
        result->faults[result->n_faults++] = (struct scan_fault){detector, reason};
}
