/* document_ole on compound files that libgsf writes: names, fixed places, junk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <gsf/gsf-outfile-msole.h>
#include <gsf/gsf-outfile.h>
#include <gsf/gsf-output-memory.h>
#include <gsf/gsf.h>

#include "document.h"

/* A compound file of one stream, in a storage if that is named. */
static GsfOutput *compound(const char *storage, const char *stream, struct mx_str content)
{
    GsfOutput *memory = gsf_output_memory_new();
    GsfOutfile *file = gsf_outfile_msole_new(memory);
    GsfOutput *dir = storage != NULL ? gsf_outfile_new_child(file, storage, TRUE) : NULL;
    GsfOutput *child =
        gsf_outfile_new_child(dir != NULL ? GSF_OUTFILE(dir) : file, stream, FALSE);
    assert_true(gsf_output_write(child, content.n, (const guint8 *)content.p));
    gsf_output_close(child);
    g_object_unref(child);
    if (dir != NULL) {
        gsf_output_close(dir);
        g_object_unref(dir);
    }
    gsf_output_close(GSF_OUTPUT(file));
    g_object_unref(file);
    return memory;
}

static struct mx_str bytes_of(GsfOutput *memory)
{
    return mx_str_of(gsf_output_memory_get_bytes(GSF_OUTPUT_MEMORY(memory)),
                     (size_t)gsf_output_size(memory));
}

static void expect(const char *storage, const char *stream, struct mx_str content,
                   unsigned traits)
{
    GsfOutput *memory = compound(storage, stream, content);
    assert_true(document_is(bytes_of(memory)));
    assert_int_equal(document_traits(bytes_of(memory)), traits);
    g_object_unref(memory);
}

static void test_traits_by_name(void **state)
{
    (void)state;
    expect(NULL, "Contents", MX_STR("x"), 0);
    expect("VBA", "_VBA_PROJECT", MX_STR("x"), DOCUMENT_MACROS);
    expect(NULL, "EncryptedPackage", MX_STR("x"), DOCUMENT_ENCRYPTED);
    expect("ObjectPool", "\001Ole10Native", MX_STR("x"), DOCUMENT_OBJECT);
    expect("MBD1", "Package", MX_STR("x"), DOCUMENT_OBJECT);
}

static void test_traits_at_fixed_places(void **state)
{
    (void)state;
    expect(NULL, "WordDocument", MX_STR("0123456789\0\001"), DOCUMENT_ENCRYPTED);
    expect(NULL, "WordDocument", MX_STR("0123456789\001\0"), 0);
    expect(NULL, "WordDocument", MX_STR("0123456789\0"), 0); /* cut short */
    expect(NULL, "Current User", MX_STR("0123456789ab\337\304\321\363"),
           DOCUMENT_ENCRYPTED);
    expect(NULL, "Current User", MX_STR("0123456789ab\137\300\221\343"), 0);
    expect(NULL, "Workbook", MX_STR("\011\010\001\0x\057\0\001\0x"), DOCUMENT_ENCRYPTED);
    expect(NULL, "Book", MX_STR("\205\0\010\0abcd\0\001ef"), DOCUMENT_MACROS);
    expect(NULL, "Workbook", MX_STR("\205\0\010\0abcd\0\0ef\011\010\377\377"), 0);
}

static void put(char *p, uint32_t number)
{
    for (size_t i = 0; i < 4; i++)
        p[i] = (char)(number >> 8 * i);
}

/* A file that is one chain of entries; libgsf takes the square of their number. */
static struct mx_str chain(size_t n)
{
    char *p = g_malloc0(512 + 128 * n);
    memcpy(p, "\320\317\021\340\241\261\032\341", 8);
    p[30] = 9; /* sectors of 512 octets */
    for (size_t i = 0; i < n; i++) {
        char *entry = p + 512 + 128 * i;
        entry[66] = 2;
        put(entry + 68, 0xffffffff);
        put(entry + 72, (uint32_t)(i + 1 < n ? i + 1 : 0xffffffff));
    }
    return mx_str_of(p, 512 + 128 * n);
}

static void test_traits_many_entries(void **state)
{
    (void)state;
    struct mx_str few = chain(2000), many = chain(100000);
    assert_int_equal(document_traits(few), 0);
    assert_int_equal(document_traits(many), DOCUMENT_LIMIT);
    g_free((gpointer)(uintptr_t)few.p);
    g_free((gpointer)(uintptr_t)many.p);
}

/* Sectors of 64 octets: entries need not stand where they are counted. */
static void test_traits_small_sectors(void **state)
{
    (void)state;
    struct mx_str few = chain(10);
    ((char *)(uintptr_t)few.p)[30] = 7;
    assert_int_equal(document_traits(few), 0);
    ((char *)(uintptr_t)few.p)[30] = 6;
    assert_int_equal(document_traits(few), DOCUMENT_LIMIT);
    g_free((gpointer)(uintptr_t)few.p);
}

/* Whatever is cut off or overwritten: an answer. */
static void test_traits_broken(void **state)
{
    (void)state;
    GsfOutput *memory = compound("VBA", "_VBA_PROJECT", MX_STR("x"));
    struct mx_str whole = bytes_of(memory);
    char *copy = g_malloc(whole.n);
    for (size_t n = 0; n < whole.n; n += 7)
        document_traits(mx_str_of(whole.p, n));
    for (size_t at = 8; at < whole.n; at += 3) {
        memcpy(copy, whole.p, whole.n);
        copy[at] ^= (char)0xff;
        document_traits(mx_str_of(copy, whole.n));
    }
    g_free(copy);
    g_object_unref(memory);
    assert_int_equal(document_traits(MX_STR("\320\317\021\340\241\261\032\341")), 0);
}

static void test_traits_of_what_is_no_compound_file(void **state)
{
    (void)state;
    assert_false(document_is(MX_STR("")));
    assert_false(document_is(MX_STR("PK\003\004")));
    assert_int_equal(document_traits(MX_STR("_VBA_PROJECT \\objdata")), 0);
    assert_int_equal(document_traits(MX_STR("{\\rtf1 {\\*\\objdata 01}}")),
                     DOCUMENT_OBJECT);
    assert_int_equal(document_traits(MX_STR("{\\rtf1 text}")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_traits_by_name),
        cmocka_unit_test(test_traits_at_fixed_places),
        cmocka_unit_test(test_traits_many_entries),
        cmocka_unit_test(test_traits_small_sectors),
        cmocka_unit_test(test_traits_broken),
        cmocka_unit_test(test_traits_of_what_is_no_compound_file),
    };
    document_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
