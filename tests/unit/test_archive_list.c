/* archive_list: members by name, nested archives, encryption, and bombs that stay
   bounded. The archives are made here, by libarchive's writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>

#include "archive_list.h"
#include "mx_time.h"

#define ROOM (4u << 20)

struct made {
    char *p;
    size_t n;
};

static struct archive *begin(struct made *made, const char *format)
{
    made->p = malloc(ROOM);
    struct archive *archive = archive_write_new();
    if (strcmp(format, "tar.gz") == 0) {
        assert_int_equal(archive_write_add_filter_gzip(archive), ARCHIVE_OK);
        assert_int_equal(archive_write_set_format_ustar(archive), ARCHIVE_OK);
    } else if (strcmp(format, "encrypted zip") == 0) {
        assert_int_equal(archive_write_set_format_zip(archive), ARCHIVE_OK);
        assert_int_equal(archive_write_set_options(archive, "zip:encryption=traditional"),
                         ARCHIVE_OK);
        assert_int_equal(archive_write_set_passphrase(archive, "secret"), ARCHIVE_OK);
    } else {
        assert_int_equal(archive_write_set_format_by_name(archive, format), ARCHIVE_OK);
    }
    assert_int_equal(archive_write_open_memory(archive, made->p, ROOM, &made->n),
                     ARCHIVE_OK);
    return archive;
}

static void put(struct archive *archive, const char *name, const void *p, size_t n)
{
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_size(entry, (la_int64_t)n);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    assert_int_equal(archive_write_data(archive, p, n), (la_ssize_t)n);
    archive_entry_free(entry);
}

static struct made end(struct archive *archive, struct made *made)
{
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
    return *made;
}

static struct made wrap(const char *format, const char *name, struct made inner)
{
    struct made made = {0};
    struct archive *archive = begin(&made, format);
    put(archive, name, inner.p, inner.n);
    end(archive, &made);
    free(inner.p);
    return made;
}

static struct made file(const char *text)
{
    return (struct made){strdup(text), strlen(text)};
}

struct seen {
    char names[4096];
    unsigned deepest;
};

static void on_member(void *user, const struct archive_member *member)
{
    struct seen *seen = user;
    size_t used = strlen(seen->names);
    if (used + member->name.n + 2 < sizeof(seen->names)) {
        memcpy(seen->names + used, member->name.p, member->name.n);
        strcat(seen->names, " ");
    }
    if (member->depth > seen->deepest)
        seen->deepest = member->depth;
}

static struct archive_walk walk(struct made made, struct seen *seen)
{
    *seen = (struct seen){0};
    struct archive_walk walk = {
        .on_member = on_member, .user = seen, .deadline_ms = mx_mono_us() / 1000 + 60000};
    archive_list(&walk, mx_str_of(made.p, made.n));
    return walk;
}

static void test_list_formats(void **state)
{
    (void)state;
    static const char *const formats[] = {"zip",    "7zip", "ustar",
                                          "tar.gz", "cpio", "iso"};
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct made made = wrap(formats[i], "run.exe", file("MZ"));
        struct seen seen;
        struct archive_walk w = walk(made, &seen);
        assert_true(archive_list_is(mx_str_of(made.p, made.n)));
        assert_non_null(strcasestr(seen.names, "run.exe"));
        assert_int_equal(w.limits, 0);
        assert_false(w.is_broken || w.has_encrypted);
        free(made.p);
    }
}

static void test_list_nested(void **state)
{
    (void)state;
    struct made made = wrap("zip", "a.exe", file("MZ"));
    made = wrap("tar.gz", "b.zip", made);
    made = wrap("7zip", "c.tgz", made);
    struct seen seen;
    struct archive_walk w = walk(made, &seen);
    assert_string_equal(seen.names, "c.tgz b.zip a.exe ");
    assert_int_equal(seen.deepest, 3);
    assert_int_equal(w.members, 3);
    free(made.p);
}

static bool wants(struct mx_str name, struct mx_str head)
{
    return mx_str_iends(name, MX_STR(".rels")) || mx_str_starts(head, MX_STR("DOC"));
}

static void on_content(void *user, struct mx_str name, struct mx_str content)
{
    struct seen *seen = user;
    size_t used = strlen(seen->names);
    snprintf(seen->names + used, sizeof(seen->names) - used, "%.*s:%zu ",
             MX_STR_FMT(name), content.n);
}

/* Members that the caller looks into: whole, by name or by their first octets, wherever
   archives hide them; and the walk goes on behind them. */
static void test_list_hands_out_what_is_wanted(void **state)
{
    static const char *const formats[] = {"zip", "7zip", "tar.gz"};
    char large[3000];
    (void)state;
    memset(large, 'x', sizeof(large));
    memcpy(large, "DOC", 3);
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct made made = {0};
        struct archive *archive = begin(&made, formats[i]);
        put(archive, "a.txt", "text", 4);
        put(archive, "b.doc", large, sizeof(large));
        put(archive, "c.rels", large + 3, sizeof(large) - 3);
        put(archive, "d.txt", "text", 4);
        end(archive, &made);
        made = wrap("zip", "inner", made);
        struct seen seen = {0};
        struct archive_walk walk = {.wants = wants,
                                    .on_member = on_member,
                                    .on_content = on_content,
                                    .user = &seen,
                                    .deadline_ms = mx_mono_us() / 1000 + 60000};
        archive_list(&walk, mx_str_of(made.p, made.n));
        assert_string_equal(seen.names, "inner a.txt b.doc b.doc:3000 c.rels c.rels:2997 "
                                        "d.txt ");
        free(made.p);
    }
}

static void test_list_too_deep(void **state)
{
    (void)state;
    struct made made = file("MZ");
    for (int i = 0; i < ARCHIVE_DEPTH_MAX + 4; i++)
        made = wrap("zip", "x.zip", made);
    struct seen seen;
    struct archive_walk w = walk(made, &seen);
    assert_int_equal(w.limits, ARCHIVE_OVER_DEPTH);
    assert_int_equal(seen.deepest, ARCHIVE_DEPTH_MAX);
    free(made.p);
}

static void test_list_bomb_is_bounded(void **state)
{
    (void)state;
    size_t n = ARCHIVE_EXPANDED_MAX + (8u << 20);
    char *zeros = calloc(1, n);
    struct made made = {0};
    struct archive *archive = begin(&made, "tar.gz");
    put(archive, "zeros", zeros, n);
    put(archive, "behind.exe", "MZ", 2);
    end(archive, &made);
    free(zeros);
    struct seen seen;
    struct archive_walk w = walk(made, &seen);
    assert_int_equal(w.limits, ARCHIVE_OVER_EXPANDED);
    assert_true(w.expanded < ARCHIVE_EXPANDED_MAX + (2u << 20));
    free(made.p);
}

static void test_list_encrypted_zip(void **state)
{
    (void)state;
    struct made made = {0};
    struct archive *archive = begin(&made, "encrypted zip");
    put(archive, "secret.exe", "MZ", 2);
    end(archive, &made);
    struct seen seen;
    struct archive_walk w = walk(made, &seen);
    assert_true(w.has_encrypted);
    assert_string_equal(seen.names, "secret.exe ");
    free(made.p);
}

static void test_list_truncated_says_so(void **state)
{
    (void)state;
    struct made made = wrap("tar.gz", "run.exe", file("MZ and more that is packed"));
    made.n /= 2;
    struct seen seen;
    struct archive_walk w = walk(made, &seen);
    assert_true(w.is_broken);
    free(made.p);
}

static void test_list_deadline_stops(void **state)
{
    (void)state;
    struct made made = wrap("zip", "run.exe", file("MZ"));
    struct seen seen = {0};
    struct archive_walk w = {.on_member = on_member, .user = &seen, .deadline_ms = 1};
    archive_list(&w, mx_str_of(made.p, made.n));
    assert_int_equal(w.limits, ARCHIVE_OVER_TIME);
    assert_int_equal(w.members, 0);
    free(made.p);
}

static void test_is_not_plain_text(void **state)
{
    (void)state;
    assert_false(archive_list_is(MX_STR("Dear customer, PK is not a zip")));
    assert_false(archive_list_is(MX_STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_formats),
        cmocka_unit_test(test_list_nested),
        cmocka_unit_test(test_list_hands_out_what_is_wanted),
        cmocka_unit_test(test_list_too_deep),
        cmocka_unit_test(test_list_bomb_is_bounded),
        cmocka_unit_test(test_list_encrypted_zip),
        cmocka_unit_test(test_list_truncated_says_so),
        cmocka_unit_test(test_list_deadline_stops),
        cmocka_unit_test(test_is_not_plain_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
