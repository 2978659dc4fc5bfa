/* The chain: choice of detectors, order, faults, deadline, final findings. */
#include "scan_fixture.h"

#include "scan_chain.h"

static const char *const all[] = {"clamav", "gtube", "mime", "headers"};

static struct scan_conf conf_of(const char **names, size_t n)
{
    return (struct scan_conf){
        .detectors = {names, n},
        .required_score = 5,
        .clamav = {.signatures = MX_SOURCE_DIR "/tests/signatures",
                   .max_scan_size = 1 << 24,
                   .max_file_size = 1 << 24,
                   .max_recursion = 10,
                   .max_files = 100,
                   .max_html_size = 1 << 20,
                   .max_scan_time_ms = 60000},
    };
}

static void test_new_refuses_names(void **state)
{
    (void)state;
    const char *unknown[] = {"headers", "colour"}, *twice[] = {"mime", "mime"};
    struct scan_conf conf = conf_of(unknown, 2);
    struct scan_chain *chain = NULL;
    struct mx_err err = {0};
    assert_int_equal(scan_chain_new(&conf, &chain, &err), -1);
    assert_non_null(strstr(err.text, "colour"));
    conf = conf_of(twice, 2);
    assert_int_equal(scan_chain_check(&conf, &err), -1);
    assert_null(chain);
}

static void test_check_scores(void **state)
{
    (void)state;
    const char *names[] = {"gtube"}, *good[] = {"GTUBE 1"}, *other[] = {"VIRUS 1"};
    struct scan_conf conf = conf_of(names, 1);
    conf.scores = (struct mx_conf_strings){good, 1};
    assert_int_equal(scan_chain_check(&conf, NULL), 0);
    conf.scores = (struct mx_conf_strings){other, 1}; /* of a detector that is off */
    assert_int_equal(scan_chain_check(&conf, NULL), -1);
}

/* Names are refused at once; what a rule file may declare is for the engine to say. */
static void test_check_names_reads_no_file(void **state)
{
    (void)state;
    const char *names[] = {"gtube", "rules"}, *scores[] = {"OF_A_FILE 1"};
    const char *dirs[] = {MX_SOURCE_DIR "/tests/data/rules"};
    struct scan_conf conf = conf_of(names, 2);
    conf.rules.dirs = (struct mx_conf_strings){dirs, 1};
    conf.scores = (struct mx_conf_strings){scores, 1};
    assert_int_equal(scan_chain_check(&conf, NULL), -1);
    assert_int_equal(scan_chain_check_names(&conf, NULL), 0);
    conf.detectors.n = 1; /* no detector with files: all symbols are known */
    assert_int_equal(scan_chain_check_names(&conf, NULL), -1);
    names[0] = "colour";
    assert_int_equal(scan_chain_check_names(&conf, NULL), -1);
}

/* Every detector of the table: symbols that do not clash, names that fit the metrics. */
static void test_table_is_sound(void **state)
{
    (void)state;
    const char *names[SCAN_DETECTORS_MAX];
    size_t n = 0;
    for (; scan_table[n] != NULL; n++)
        names[n] = scan_table[n]->name;
    struct scan_conf conf = conf_of(names, n);
    const char *dirs[] = {MX_SOURCE_DIR "/tests/data/rules"}; /* not what is installed */
    conf.rules.dirs = (struct mx_conf_strings){dirs, 1};
    struct mx_err err = {0};
    if (scan_chain_check(&conf, &err) < 0)
        fail_msg("%s", err.text);
}

static struct scan_chain *loaded(const struct scan_conf *conf)
{
    struct scan_chain *chain = NULL;
    assert_int_equal(scan_chain_new(conf, &chain, NULL), 0);
    assert_int_equal(scan_chain_load(chain, NULL), 0);
    scan_chain_start(chain, "/tmp");
    return chain;
}

static void test_run_in_order_of_cost(void **state)
{
    (void)state;
    struct scan_conf conf = conf_of((const char **)(uintptr_t)all, 4);
    struct scan_chain *chain = loaded(&conf);
    struct scan_fixture f;
    fixture_parse(&f, GOOD_HEAD "\r\nx", strlen(GOOD_HEAD "\r\nx"));
    assert_float_equal(scan_chain_run(chain, &f.msg, NULL, &f.result), 0, 1e-9);
    static const char *const order[] = {"headers", "mime", "gtube", "clamav"};
    assert_int_equal(f.result.n_costs, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(f.result.costs[i].detector, order[i]);
        assert_true(f.result.costs[i].is_finished);
    }
    assert_int_equal(f.result.n_faults, 0);
    fixture_free(&f);
    scan_chain_free(chain);
}

static void test_run_only(void **state)
{
    (void)state;
    struct scan_conf conf = conf_of((const char **)(uintptr_t)all, 4);
    struct scan_chain *chain = loaded(&conf);
    struct scan_fixture f;
    const struct mx_str only[] = {MX_STR("mime"), MX_STR("absent")};
    fixture_parse(&f, "x", 1);
    scan_chain_run(chain, &f.msg, &(struct scan_choice){only, 2}, &f.result);
    assert_int_equal(f.result.n_costs, 1);
    assert_int_equal(f.result.n_faults, 1);
    assert_string_equal(f.result.faults[0].detector, "absent");
    fixture_free(&f);
    scan_chain_free(chain);
}

static void test_run_past_deadline_names_what_was_not_reached(void **state)
{
    (void)state;
    struct scan_conf conf = conf_of((const char **)(uintptr_t)all, 4);
    struct scan_chain *chain = loaded(&conf);
    struct scan_fixture f;
    fixture_parse(&f, "x", 1);
    f.msg.deadline_ms = 0;
    scan_chain_run(chain, &f.msg, NULL, &f.result);
    assert_int_equal(f.result.n_faults, 4);
    assert_false(f.result.costs[0].is_finished);
    fixture_free(&f);
    scan_chain_free(chain);
}

static void test_load_failure_is_a_fault_of_each_message(void **state)
{
    (void)state;
    struct scan_conf conf = conf_of((const char **)(uintptr_t)all, 4);
    conf.clamav.signatures = "/nonexistent";
    struct scan_chain *chain = loaded(&conf);
    struct scan_fault fault;
    assert_int_equal(scan_chain_fault(chain, 0, &fault), 0);
    assert_string_equal(fault.detector, "clamav");
    assert_non_null(strstr(fault.reason, "/nonexistent"));
    assert_int_equal(scan_chain_fault(chain, 1, &fault), -1);
    assert_null(scan_chain_versions(chain).signatures);
    struct scan_fixture f;
    fixture_parse(&f, "x", 1);
    scan_chain_run(chain, &f.msg, NULL, &f.result);
    assert_int_equal(f.result.n_faults, 1);
    fixture_free(&f);
    scan_chain_free(chain);
}

/* A virus is final: with clamav made the cheapest there is nothing behind it; here it is
   the last, so what is to be seen is the mark and the sum. */
static void test_run_virus_is_final(void **state)
{
    (void)state;
    static const char mail[] = GOOD_HEAD "\r\nX5O!P%@AP[4\\PZX54(P^)7CC)7}$"
                                         "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*\r\n";
    struct scan_conf conf = conf_of((const char **)(uintptr_t)all, 4);
    const char *scores[] = {"VIRUS 12"};
    conf.scores = (struct mx_conf_strings){scores, 1};
    struct scan_chain *chain = loaded(&conf);
    struct scan_fixture f;
    fixture_parse(&f, mail, sizeof(mail) - 1);
    assert_float_equal(scan_chain_run(chain, &f.msg, NULL, &f.result), 12, 1e-9);
    assert_true(f.result.is_final);
    assert_int_equal(f.result.n_viruses, 1);
    assert_string_equal(scan_chain_versions(chain).signatures, "0/2");
    fixture_free(&f);
    scan_chain_free(chain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_refuses_names),
        cmocka_unit_test(test_check_scores),
        cmocka_unit_test(test_check_names_reads_no_file),
        cmocka_unit_test(test_table_is_sound),
        cmocka_unit_test(test_run_in_order_of_cost),
        cmocka_unit_test(test_run_only),
        cmocka_unit_test(test_run_past_deadline_names_what_was_not_reached),
        cmocka_unit_test(test_load_failure_is_a_fault_of_each_message),
        cmocka_unit_test(test_run_virus_is_final),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
