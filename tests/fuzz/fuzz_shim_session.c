/*
 * Random callbacks in random order, with random bytes and random answers of the cluster.
 * Whatever happens, nothing may leak: after close no message is open, the budget is whole
 * and the MTA has heard only replies that fit.
 *
 * Input: a list of "operation, length, bytes".
 */
#include "shim_fake.h"

#define TEXT_MAX 256

struct input {
    const uint8_t *p;
    size_t n;
};

static unsigned byte(struct input *in)
{
    if (in->n == 0)
        return 0;
    in->n--;
    return *in->p++;
}

/* A text as libmilter gives it: any bytes, ended by NUL. */
static void text(struct input *in, char out[static TEXT_MAX])
{
    size_t n = byte(in) % (TEXT_MAX - 1);
    if (n > in->n)
        n = in->n;
    memcpy(out, in->p, n);
    out[n] = '\0';
    in->p += n;
    in->n -= n;
}

static void check(const struct fake *fake, enum shim_status status)
{
    const struct shim_reply *r = &fake->reply;
    if (!fake->has_reply)
        return;
    if (r->status != status ||
        (status != SHIM_STATUS_REJECT && status != SHIM_STATUS_TEMPFAIL))
        abort();
    if (r->code[0] != (status == SHIM_STATUS_REJECT ? '5' : '4') || r->n == 0)
        abort();
    for (unsigned i = 0; i < r->n; i++)
        if (strlen(r->lines[i]) > SHIM_REPLY_RAW_MAX || strpbrk(r->lines[i], "\r\n"))
            abort();
}

static void answer(struct fake *fake, struct input *in)
{
    char word[TEXT_MAX];
    Mxp__Stage stage = (Mxp__Stage)(byte(in) % 6);
    unsigned kind = byte(in);
    text(in, word);
    fake->is_policyd_down = kind & 1;
    fake->is_scand_down = kind & 2;
    fake->scan.is_poison = kind & 4;
    fake->refuses = "\0q-+"[kind >> 3 & 3];
    fake->tuned->policyd_down = kind >> 5 & 1;
    fake->tuned->scand_down = (int)(kind >> 6 & 1);
    fake_says(fake, stage, (Mxp__Action)(byte(in) % 7), byte(in) * 4, word,
              mx_arena_dup(fake->arena, word, strlen(word)));
}

static void want(struct fake *fake, struct input *in)
{
    char name[TEXT_MAX], value[TEXT_MAX];
    unsigned kind = byte(in) % 8, index = byte(in);
    text(in, name);
    text(in, value);
    if (fake->policy[MXP__STAGE__STAGE_CONTENT].n_edits < 32)
        fake_wants(fake, (Mxp__EditKind)kind,
                   mx_arena_dup(fake->arena, name, strlen(name)),
                   mx_arena_dup(fake->arena, value, strlen(value)), index);
}

static enum shim_status envelope(struct fake *fake, struct shim_conn *conn,
                                 struct input *in, unsigned op)
{
    char one[TEXT_MAX], two[TEXT_MAX];
    text(in, one);
    text(in, two);
    char *argv[] = {one, *two ? two : NULL, NULL};
    struct shim *shim = &fake->shim;
    switch (op) {
    case 0: return shim_session_connect(shim, conn, &fake->mta, *one ? one : NULL, NULL);
    case 1: return shim_session_helo(shim, conn, &fake->mta, one);
    case 2: return shim_session_mail(shim, conn, &fake->mta, argv);
    default: return shim_session_rcpt(shim, conn, &fake->mta, argv);
    }
}

static enum shim_status content(struct fake *fake, struct shim_conn *conn,
                                struct input *in, unsigned op)
{
    char one[TEXT_MAX], two[TEXT_MAX];
    struct shim *shim = &fake->shim;
    text(in, one);
    switch (op) {
    case 4: text(in, two); return shim_session_header(shim, conn, one, two);
    case 5: return shim_session_eoh(shim, conn);
    case 6: return shim_session_body(shim, conn, &fake->mta, mx_str(one));
    default: return shim_session_eom(shim, conn, &fake->mta);
    }
}

static void step(struct fake *fake, struct shim_conn *conn, struct input *in)
{
    unsigned op = byte(in) % 12;
    enum shim_status status = SHIM_STATUS_CONTINUE;
    fake->has_reply = false;
    if (op < 4)
        status = envelope(fake, conn, in, op);
    else if (op < 8)
        status = content(fake, conn, in, op);
    else if (op == 8)
        shim_session_abort(&fake->shim, conn);
    else if (op == 9)
        want(fake, in);
    else if (op == 10)
        fake->shim.is_draining = byte(in) == 7;
    else
        answer(fake, in);
    check(fake, status);
}

static void limits(struct fake *fake, struct input *in)
{
    unsigned bits = byte(in);
    fake->tuned->max_recipients = bits & 1 ? 2 : 1000;
    fake->tuned->max_headers = bits & 2 ? 3 : 2000;
    fake->tuned->body_memory = bits & 4 ? 16 : 1 << 18;
    fake->tuned->scan_limit = bits & 8 ? 64 : 1 << 20;
    fake->tuned->oversize_head = bits & 16 ? 8 : 1 << 10;
    fake->tuned->has_scan = !(bits & 32);
    fake->shim.budget.max = bits & 64 ? 20000 : 1 << 20;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct fake *fake = fake_new();
    limits(fake, &in);
    unsigned bits = byte(&in);
    struct shim_features features = {.has_space = bits & 1,
                                     .has_skip = bits & 2,
                                     .has_rcpt_rej = bits & 4,
                                     .is_quiet = bits & 8};
    struct shim_conn *conn = shim_session_open(&fake->shim, &features);
    for (int i = 0; i < 256 && in.n > 0; i++)
        step(fake, conn, &in);
    shim_session_close(&fake->shim, conn);
    if (fake->shim.messages != 0 || fake->shim.sessions != 0 ||
        fake->shim.budget.used != 0)
        abort();
    fake_free(fake);
    return 0;
}
