/* ctl_scan.c: findings for people and for programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl_scan.h"
#include "mx_arena.h"
#include "mxp_pack.h"

typedef void show_fn(struct mx_arena *arena, const struct ctl_scan *show, FILE *out);

static char *shown(show_fn *show, const char *file, const Mxp__ScanReply *reply)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    const struct ctl_scan result = {.file = file, .reply = reply};
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);

    show(arena, &result, out);
    fclose(out);
    mx_arena_free(arena);
    return text;
}

static void test_ctl_scan_json_of_nothing(void **state)
{
    Mxp__ScanReply reply = MXP__SCAN_REPLY__INIT;
    char *text;

    (void)state;
    reply.required = 5;
    text = shown(ctl_scan_json, "a \"b\".eml", &reply);
    assert_string_equal(text, "{\"file\":\"a \\\"b\\\".eml\",\"score\":0,\"required\":5,"
                              "\"symbols\":[],\"viruses\":[],\"parts\":[],\"ms\":0.000}");
    free(text);
}

static void test_ctl_scan_json_fields(void **state)
{
    Mxp__ScanReply reply = MXP__SCAN_REPLY__INIT;
    Mxp__Finding finding = MXP__FINDING__INIT, *findings[] = {&finding};
    Mxp__Part part = MXP__PART__INIT, *parts[] = {&part};
    char *viruses[] = {(char *)(uintptr_t) "Eicar"};
    char *text;

    (void)state;
    finding.symbol = (char *)(uintptr_t) "GTUBE";
    finding.score = 1000;
    finding.detail = mxp_bytes(MX_STR("\xff\n"));
    finding.detector = (char *)(uintptr_t) "gtube";
    part.type = (char *)(uintptr_t) "text/plain";
    part.size = 12;
    part.depth = 1;
    reply.score = 1000.5;
    reply.findings = findings;
    reply.n_findings = 1;
    reply.parts = parts;
    reply.n_parts = 1;
    reply.viruses = viruses;
    reply.n_viruses = 1;
    reply.us = 1500;
    reply.scanner = (char *)(uintptr_t) "scand@x";
    text = shown(ctl_scan_json, "f", &reply);
    assert_string_equal(
        text, "{\"file\":\"f\",\"score\":1000.5,\"required\":0,\"symbols\":[{\"name\":"
              "\"GTUBE\",\"score\":1000,\"detail\":\"\xef\xbf\xbd\\n\",\"detector\":"
              "\"gtube\"}],\"viruses\":[\"Eicar\"],\"parts\":[{\"type\":\"text/plain\","
              "\"name\":\"\",\"size\":12,\"depth\":1}],\"ms\":1.500,\"scanner\":"
              "\"scand@x\"}");
    free(text);
}

static void test_ctl_scan_json_lists_costs_and_scopes(void **state)
{
    Mxp__ScanReply reply = MXP__SCAN_REPLY__INIT;
    Mxp__DetectorCost a = MXP__DETECTOR_COST__INIT, b = MXP__DETECTOR_COST__INIT;
    Mxp__DetectorCost *costs[] = {&a, &b};
    char *text;

    (void)state;
    a.detector = (char *)(uintptr_t) "mime";
    a.us = 7;
    a.is_finished = true;
    b.detector = (char *)(uintptr_t) "clamav";
    reply.costs = costs;
    reply.n_costs = 2;
    reply.is_poison = true;
    text = shown(ctl_scan_json, "f", &reply);
    assert_non_null(strstr(text,
                           "\"is_poison\":true,\"costs\":[{\"detector\":\"mime\","
                           "\"us\":7,\"is_finished\":true},{\"detector\":\"clamav\","
                           "\"us\":0,\"is_finished\":false}]}"));
    free(text);
}

static void test_ctl_scan_text_is_harmless(void **state)
{
    Mxp__ScanReply reply = MXP__SCAN_REPLY__INIT;
    Mxp__Part part = MXP__PART__INIT, *parts[] = {&part};
    char *degraded[] = {(char *)(uintptr_t) "clamav"};
    char *text;

    (void)state;
    part.type = (char *)(uintptr_t) "a/\x1b]0;x\x07";
    part.name = mxp_bytes(MX_STR("evil\nname"));
    part.depth = 4000000000u; /* from a peer: must not become 8 GB of spaces */
    reply.parts = parts;
    reply.n_parts = 1;
    reply.degraded = degraded;
    reply.n_degraded = 1;
    text = shown(ctl_scan_text, "f\r", &reply);
    assert_null(strchr(text, '\x1b'));
    assert_null(strchr(text, '\r'));
    assert_non_null(strstr(text, "evil\\x0aname"));
    assert_non_null(strstr(text, "not checked: clamav\n"));
    assert_true(strlen(text) < 400);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ctl_scan_json_of_nothing),
        cmocka_unit_test(test_ctl_scan_json_fields),
        cmocka_unit_test(test_ctl_scan_json_lists_costs_and_scopes),
        cmocka_unit_test(test_ctl_scan_text_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
