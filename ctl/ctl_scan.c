/*
 * A scan reply on paper. Everything in it may come from a hostile message: JSON strings
 * and terminal text are escaped, and no line is as long as the sender likes.
 */
#include "ctl_scan.h"

#include "ctl.h"
#include "mx_arena.h"
#include "mxp_pack.h"

/* ---- JSON ---- */

static void json_strings(struct mx_arena *arena, const char *name, char *const *v,
                         size_t n, FILE *out)
{
    fprintf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s%s", i ? "," : "", mx_str_json(arena, mx_str(v[i])));
    fputs("]", out);
}

static void json_symbols(struct mx_arena *arena, const Mxp__ScanReply *reply, FILE *out)
{
    fputs(",\"symbols\":[", out);
    for (size_t i = 0; i < reply->n_findings; i++) {
        const Mxp__Finding *finding = reply->findings[i];

        fprintf(out, "%s{\"name\":%s,\"score\":%.10g,\"detail\":%s,\"detector\":%s}",
                i ? "," : "", mx_str_json(arena, mx_str(finding->symbol)), finding->score,
                mx_str_json(arena, mxp_str(finding->detail)),
                mx_str_json(arena, mx_str(finding->detector)));
    }
    fputs("]", out);
}

static void json_parts(struct mx_arena *arena, const Mxp__ScanReply *reply, FILE *out)
{
    fputs(",\"parts\":[", out);
    for (size_t i = 0; i < reply->n_parts; i++) {
        const Mxp__Part *part = reply->parts[i];

        fprintf(out, "%s{\"type\":%s,\"name\":%s,\"size\":%llu,\"depth\":%u}",
                i ? "," : "", mx_str_json(arena, mx_str(part->type)),
                mx_str_json(arena, mxp_str(part->name)), (unsigned long long)part->size,
                part->depth);
    }
    fputs("]", out);
}

/* Every plausible name of what is attached, and of what archives hold. */
static void json_files(struct mx_arena *arena, const Mxp__ScanReply *reply, FILE *out)
{
    for (size_t i = 0; i < reply->n_files; i++)
        fprintf(out, "%s{\"name\":%s,\"type\":%s,\"archive_depth\":%u}%s",
                i ? "," : ",\"files\":[",
                mx_str_json(arena, mxp_str(reply->files[i]->name)),
                mx_str_json(arena, mx_str(reply->files[i]->type)),
                reply->files[i]->archive_depth, i + 1 == reply->n_files ? "]" : "");
}

/* What only some replies have. */
static void json_extras(struct mx_arena *arena, const Mxp__ScanReply *reply, FILE *out)
{
    json_files(arena, reply, out);
    if (reply->n_degraded)
        json_strings(arena, "degraded", reply->degraded, reply->n_degraded, out);
    if (reply->is_poison)
        fputs(",\"is_poison\":true", out);
    if (reply->scanner && *reply->scanner)
        fprintf(out, ",\"scanner\":%s", mx_str_json(arena, mx_str(reply->scanner)));
    for (size_t i = 0; i < reply->n_scopes; i++)
        fprintf(out, "%s{\"mailbox\":%s,\"score\":%.10g}%s", i ? "," : ",\"scopes\":[",
                mx_str_json(arena, mx_str(reply->scopes[i]->mailbox)),
                reply->scopes[i]->score, i + 1 == reply->n_scopes ? "]" : "");
    for (size_t i = 0; i < reply->n_costs; i++)
        fprintf(out, "%s{\"detector\":%s,\"us\":%llu,\"is_finished\":%s}%s",
                i ? "," : ",\"costs\":[",
                mx_str_json(arena, mx_str(reply->costs[i]->detector)),
                (unsigned long long)reply->costs[i]->us,
                reply->costs[i]->is_finished ? "true" : "false",
                i + 1 == reply->n_costs ? "]" : "");
}

void ctl_scan_json(struct mx_arena *arena, const struct ctl_scan *show, FILE *out)
{
    const Mxp__ScanReply *reply = show->reply;

    fprintf(out, "{\"file\":%s,\"score\":%.10g,\"required\":%.10g",
            mx_str_json(arena, mx_str(show->file)), reply->score, reply->required);
    json_symbols(arena, reply, out);
    json_strings(arena, "viruses", reply->viruses, reply->n_viruses, out);
    json_parts(arena, reply, out);
    fprintf(out, ",\"ms\":%.3f", (double)reply->us / 1000);
    json_extras(arena, reply, out);
    fputs("}", out);
}

/* ---- for people ---- */

static void text_parts(struct mx_arena *arena, const Mxp__ScanReply *reply, FILE *out)
{
    for (size_t i = 0; i < reply->n_parts; i++) {
        const Mxp__Part *part = reply->parts[i];

        fprintf(out, "  part  %*s%s  %llu bytes  %s\n", (int)(part->depth % 32) * 2, "",
                ctl_text(arena, mx_str(part->type)), (unsigned long long)part->size,
                ctl_text(arena, mxp_str(part->name)));
    }
}

static void text_files(struct mx_arena *arena, const Mxp__ScanReply *reply, FILE *out)
{
    for (size_t i = 0; i < reply->n_files; i++)
        fprintf(out, "  file  %*s%s  %s\n",
                (int)(reply->files[i]->archive_depth % 32) * 2, "",
                ctl_text(arena, mxp_str(reply->files[i]->name)),
                ctl_text(arena, mx_str(reply->files[i]->type)));
}

static void text_costs(struct mx_arena *arena, const Mxp__ScanReply *reply, FILE *out)
{
    for (size_t i = 0; i < reply->n_costs; i++)
        fprintf(out, "  cost  %9.3f ms  %s%s\n", (double)reply->costs[i]->us / 1000,
                ctl_text(arena, mx_str(reply->costs[i]->detector)),
                reply->costs[i]->is_finished ? "" : "  (not finished)");
}

void ctl_scan_text(struct mx_arena *arena, const struct ctl_scan *show, FILE *out)
{
    const Mxp__ScanReply *reply = show->reply;

    fprintf(out, "%s  score %g of %g%s  %.1f ms\n", ctl_text(arena, mx_str(show->file)),
            reply->score, reply->required, reply->is_poison ? "  POISON" : "",
            (double)reply->us / 1000);
    for (size_t i = 0; i < reply->n_viruses; i++)
        fprintf(out, "  VIRUS %s\n", ctl_text(arena, mx_str(reply->viruses[i])));
    for (size_t i = 0; i < reply->n_findings; i++) {
        const Mxp__Finding *finding = reply->findings[i];

        fprintf(out, "  %7.2f  %-28s %-10s %s\n", finding->score,
                ctl_text(arena, mx_str(finding->symbol)),
                ctl_text(arena, mx_str(finding->detector)),
                ctl_text(arena, mxp_str(finding->detail)));
    }
    text_parts(arena, reply, out);
    text_files(arena, reply, out);
    text_costs(arena, reply, out);
    for (size_t i = 0; i < reply->n_degraded; i++)
        fprintf(out, "  not checked: %s\n", ctl_text(arena, mx_str(reply->degraded[i])));
}
