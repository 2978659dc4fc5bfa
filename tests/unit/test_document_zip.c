/* document_zip: members of OOXML and ODF by name, relations and manifests by content. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "document.h"

static void test_member_traits_by_name(void **state)
{
    static const struct {
        struct mx_str name;
        unsigned traits;
    } cases[] = {
        {MX_STR("word/vbaProject.bin"), DOCUMENT_MACROS},
        {MX_STR("VBAPROJECT.BIN"), DOCUMENT_MACROS},
        {MX_STR("xl/macrosheets/sheet1.xml"), DOCUMENT_MACROS},
        {MX_STR("Basic/Standard/Module1.xml"), DOCUMENT_MACROS},
        {MX_STR("Basic/script-lc.xml"), 0},
        {MX_STR("Scripts/python/a.py"), DOCUMENT_MACROS},
        {MX_STR("ppt/embeddings/oleObject1.bin"), DOCUMENT_OBJECT},
        {MX_STR("ppt/embeddings/Sheet1.xlsx"), 0}, /* what a chart shows */
        {MX_STR("word/activeX/activeX1.bin"), DOCUMENT_OBJECT},
        {MX_STR("word/document.xml"), 0},
        {MX_STR(""), 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (document_member_traits(cases[i].name, MX_STR("")) != cases[i].traits)
            fail_msg("%.*s", MX_STR_FMT(cases[i].name));
}

#define RELATION(more) "<Relationships><Relationship " more "/></Relationships>"
#define TEMPLATE "Type=\"http://s.example/attachedTemplate\" "

static void test_member_traits_relations(void **state)
{
    static const struct {
        struct mx_str xml;
        unsigned traits;
    } cases[] = {
        {MX_STR(RELATION(TEMPLATE "TargetMode=\"External\"")), DOCUMENT_LINK},
        {MX_STR(RELATION(TEMPLATE "TargetMode='external'")), DOCUMENT_LINK},
        {MX_STR("\xef\xbb\xbf" RELATION(TEMPLATE "TargetMode=\"External\"")),
         DOCUMENT_LINK},
        {MX_STR("<r:x><r:Relationship TargetMode=\"External\"/></r:x>"), DOCUMENT_LINK},
        {MX_STR(RELATION("TargetMode=\"&#69;xternal\"")), DOCUMENT_LINK},
        {MX_STR(RELATION(TEMPLATE "TargetMode=\"Internal\"")), 0},
        {MX_STR(RELATION(TEMPLATE)), 0},
        {MX_STR(RELATION("Type=\"http://s.example/hyperlink\" TargetMode=\"External\"")),
         0},
        {MX_STR("<!-- " RELATION(TEMPLATE "TargetMode=\"External\"") " -->"), 0},
        {MX_STR("<a><b></a>"), 0},
        {MX_STR("\377\0\1"), 0},
        {MX_STR(""), 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (document_member_traits(MX_STR("word/_rels/document.xml.rels"),
                                   cases[i].xml) != cases[i].traits)
            fail_msg("case %zu", i);
}

/* XML may be UTF-16, and Office reads it. */
static void test_member_traits_wide(void **state)
{
    static const char xml[] = RELATION(TEMPLATE "TargetMode=\"External\"");
    char wide[2 * sizeof(xml)];
    (void)state;
    for (size_t is_big = 0; is_big < 2; is_big++) {
        memcpy(wide, is_big ? "\xfe\xff" : "\xff\xfe", 2);
        for (size_t i = 0; i + 1 < sizeof(xml); i++) {
            wide[2 + 2 * i + is_big] = xml[i];
            wide[3 + 2 * i - is_big] = 0;
        }
        assert_int_equal(document_member_traits(MX_STR("_rels/.rels"),
                                                mx_str_of(wide, 2 * sizeof(xml))),
                         DOCUMENT_LINK);
    }
}

static void test_member_traits_manifest(void **state)
{
    (void)state;
    struct mx_str name = MX_STR("META-INF/manifest.xml");
    struct mx_str xml = MX_STR("<m:manifest><m:file-entry><m:encryption-data "
                               "m:checksum=\"x\"/></m:file-entry></m:manifest>");
    assert_true(document_member_is(name));
    assert_int_equal(document_member_traits(name, xml), DOCUMENT_ENCRYPTED);
    assert_false(document_member_is(MX_STR("content.xml")));
    assert_int_equal(document_member_traits(MX_STR("content.xml"), xml), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_member_traits_by_name),
        cmocka_unit_test(test_member_traits_relations),
        cmocka_unit_test(test_member_traits_wide),
        cmocka_unit_test(test_member_traits_manifest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
