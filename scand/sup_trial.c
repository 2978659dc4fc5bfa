/*
 * The trial of new rules, as the supervisor sees it: a new engine is loaded and waits;
 * the serving one scores the sample of ham and writes the scores to a memory file; the
 * new one scores it, too, and judges. Well: it takes over. Beyond a bound, or dead on a
 * message of the sample: it is refused, and the reason stays in sight (log, check
 * "rules_trial") until other rules have passed. Each side has ENGINE_TRIAL_S; one that
 * takes longer has died. While this goes on the serving engine's
 * workers scan as ever: a trial is a process of its own, and one that yields.
 *
 * A trial that cannot be held (no sample there, the serving engine is gone) refuses
 * nothing: virus signatures come with the same reload and must not wait for it. The check
 * says that rules were taken untried.
 */
#include "supervisor.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine_link.h"
#include "engine_trial.h"
#include "mx_err.h"
#include "sup_trial.h"

static const struct scan_conf *conf_of(const struct sup_engine *engine)
{
    const struct scan_conf *brought =
        engine->conf != NULL ? mx_conf_get(engine->conf, "scand") : NULL;
    return brought != NULL ? brought : engine->sup->conf;
}

static bool has_rules(const struct scan_conf *conf)
{
    for (size_t i = 0; i < conf->detectors.n; i++)
        if (strcmp(conf->detectors.v[i], "rules") == 0)
            return true;
    return false;
}

static void forget(struct supervisor *sup)
{
    if (sup->trial.file > 0)
        close(sup->trial.file);
    sup->trial.engine = NULL;
    sup->trial.file = 0;
}

static int order(struct sup_engine *engine, enum engine_word word, struct mx_err *err)
{
    const struct sup_trial *trial = &engine->sup->trial;
    struct engine_msg msg = {.word = word, .slot = trial->engine->generation};
    engine_trial_order(conf_of(trial->engine), &msg);
    return engine_msg_send(engine->fd, &msg, trial->file, err);
}

static void doubt(struct supervisor *sup, const char *what, const char *why)
{
    /* A report may be longer than what fits: the log has all of it. */
    snprintf(sup->trial.doubt, sizeof(sup->trial.doubt), "%s%.400s", what, why);
}

/* It takes over: tried and found well, or ${untried} says why not tried. */
static void take(struct supervisor *sup, const char *untried)
{
    struct sup_engine *engine = sup->trial.engine;
    forget(sup);
    if (engine->fd < 0)
        return; /* it is dying itself: its exit is about to be told */
    doubt(sup, untried != NULL ? "rules were taken untried: " : "",
          untried != NULL ? untried : "");
    sup_engine_take(engine);
}

static void refuse(struct supervisor *sup, const char *why)
{
    struct sup_engine *engine = sup->trial.engine;
    forget(sup);
    doubt(sup, "new rules are refused: ", why);
    mx_counter_add(sup->metrics.reload_refusals, 1);
    mx_log(sup->log, MX_LOG_ERROR, "reload.refused",
           "generation=%u trial=\"%s\" action=\"generation %u keeps serving; "
           "more: mxdropctl rules diff OLD NEW --sample %s\"",
           engine->generation, why, sup->serving->generation,
           conf_of(engine)->rules.trial_sample);
    sup_engine_retire(engine);
    sup_status_gauges(sup);
}

bool sup_trial_begin(struct sup_engine *engine)
{
    struct supervisor *sup = engine->sup;
    const struct scan_conf *conf = conf_of(engine);
    struct mx_err err = {0};
    if (sup->serving == NULL && sup->trial.doubt[0] != '\0') {
        doubt(sup, "rules were taken untried: ", "the engine that served has ended");
        return false;
    }
    if (sup->serving == NULL || !has_rules(sup->conf) || !has_rules(conf) ||
        conf->rules.trial_sample[0] == '\0') {
        doubt(sup, "", "");
        return false;
    }
    sup->trial.engine = engine;
    sup->trial.file = memfd_create("mxdrop-trial", MFD_CLOEXEC);
    if (sup->trial.file < 0)
        mx_err_errno(&err, "memory file");
    else if (order(sup->serving, ENGINE_MEASURE, &err) == 0) {
        mx_log(sup->log, MX_LOG_INFO, "reload.trial", "generation=%u sample=\"%s\"",
               engine->generation, conf->rules.trial_sample);
        return true;
    }
    take(sup, err.text);
    return true; /* it is over already */
}

static void told_by_serving(struct supervisor *sup, const struct engine_msg *msg)
{
    struct mx_err err = {0};
    if (msg->status != ENGINE_TRIED_WELL)
        take(sup, msg->text);
    else if (order(sup->trial.engine, ENGINE_TRY, &err) < 0)
        refuse(sup, err.text); /* an engine that takes no order can serve nobody */
}

static void told_by_new(struct supervisor *sup, const struct engine_msg *msg)
{
    switch (msg->status) {
    case ENGINE_TRIED_WELL:
        mx_log(sup->log, MX_LOG_INFO, "reload.tried", "generation=%u result=\"%s\"",
               sup->trial.engine->generation, msg->text);
        take(sup, NULL);
        break;
    case ENGINE_TRIED_NOT: take(sup, msg->text); break;
    default: refuse(sup, msg->text); break;
    }
}

void sup_trial_told(struct sup_engine *engine, const struct engine_msg *msg)
{
    struct supervisor *sup = engine->sup;
    if (sup->trial.engine == NULL || msg->slot != sup->trial.engine->generation)
        return; /* of a trial that is over */
    if (engine == sup->trial.engine)
        told_by_new(sup, msg);
    else if (engine == sup->serving)
        told_by_serving(sup, msg);
}

void sup_trial_lost(struct sup_engine *engine)
{
    struct supervisor *sup = engine->sup;
    if (sup->trial.engine == engine)
        forget(sup);
    else if (sup->trial.engine != NULL && sup->serving == NULL)
        take(sup, "the engine that served has ended");
}

void sup_trial_stop(struct supervisor *sup)
{
    forget(sup);
}
