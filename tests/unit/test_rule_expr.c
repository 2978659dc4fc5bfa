/* Expressions: syntax, Perl's meaning, bounds. */
#include "rule_files.h"

#include "rules/rule_expr.h"

/* Names are one letter: A is count 0, B count 1 ... */
static int resolve(void *context, struct rule_expr_parser *parser, struct mx_str name,
                   struct mx_str argument, struct mx_err *err)
{
    struct rule_step step = {.op = RULE_OP_LOAD};

    (void)context;
    if (mx_str_eq(name, MX_STR("length")))
        step = (struct rule_step){.op = RULE_OP_NUMBER, .number = (double)argument.n};
    else if (name.n != 1 || name.p[0] < 'A' || name.p[0] > 'H')
        return mx_err_set(err, MX_ERR_INPUT, "no such name");
    else
        step.arg = (uint32_t)(name.p[0] - 'A');
    return rule_expr_push(parser, step, err);
}

static const char *const functions[] = {"length", NULL};
static const struct rule_expr_names names = {
    .functions = functions, .max_steps = 1000, .resolve = resolve};

/* A=0 B=1 C=2 D=3 E=4 F=0.5 G=-1 H=0 */
static const double counts[] = {0, 1, 2, 3, 4, 0.5, -1, 0};

static void expect(const char *text, double wanted)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    struct rule_expr expr;
    struct mx_err err = {0};
    double got;

    if (rule_expr_parse(arena, mx_str(text), &names, &expr, &err))
        fail_msg("%s: %s", text, err.text);
    got = rule_expr_value(&expr, counts);
    if (got != wanted)
        fail_msg("%s: %g, not %g", text, got, wanted);
    mx_arena_free(arena);
}

static void refuse(const char *text, const char *why)
{
    struct mx_arena *arena = mx_arena_new(1 << 20);
    struct rule_expr expr = {.n_steps = 77};
    struct mx_err err = {0};

    if (rule_expr_parse(arena, mx_str(text), &names, &expr, &err) == 0)
        fail_msg("%s was taken", text);
    if (!strstr(err.text, why))
        fail_msg("%s: \"%s\" does not say \"%s\"", text, err.text, why);
    assert_int_equal(expr.n_steps, 77);
    mx_arena_free(arena);
}

static void test_value_operators(void **state)
{
    (void)state;
    expect("B + C * D", 7);
    expect("( B + C ) * D", 9);
    expect("E / 2 - B", 1);
    expect("D - C - B", 0);
    expect("C > B", 1);
    expect("C >= 3", 0);
    expect("C == 2 && D != 3", 0);
    expect("D ^ B", 2);
    expect("- C + D", 1);
    expect("length(abc) + 1", 4);
}

/* && and || give the operand that decided. */
static void test_value_deciding_operand(void **state)
{
    (void)state;
    expect("D && C", 2);
    expect("A && C", 0);
    expect("D || C", 3);
    expect("A || C", 2);
    expect("A || H", 0);
    expect("(D || C) > 2", 1);
    expect("F && G", -1);
}

/* ! binds tighter than anything, and gives 0 or 1. */
static void test_value_not(void **state)
{
    (void)state;
    expect("!A > 0", 1);
    expect("!D", 0);
    expect("!!D", 1);
    expect("!A && !H", 1);
    expect("!(A || D)", 0);
}

static void test_value_ternary(void **state)
{
    (void)state;
    expect("A ? B : C", 2);
    expect("D ? A ? 7 : 8 : 9", 8);
    expect("A || B ? C : D", 2);
}

/* a < b < c is (a < b) && (b < c), with b evaluated once in meaning. */
static void test_value_chained_comparison(void **state)
{
    (void)state;
    expect("B < C < D", 1);
    expect("D > C > B > A", 1);
    expect("B < D < C", 0);
    expect("B < (A || C) < D", 1);
    expect("B == B == B", 1);
}

static void test_value_division_by_zero(void **state)
{
    (void)state;
    refuse("B / C", "divides by zero"); /* where nothing hits, C is 0 */
    refuse("D || ( B / C )", "divides by zero");
    expect("C && ( B / C )", 0.5); /* there it is not reached */
    expect("B / ( 1 - A )", 1);
    expect("C + B / ( 1 - B )", 0); /* later: the whole is 0 */
}

static void test_value_empty_parentheses(void **state)
{
    (void)state;
    expect("()", 0);
    expect("() || C", 2);
}

static void test_parse_refuses(void **state)
{
    (void)state;
    refuse("", "ends where");
    refuse("A B", "operator");
    refuse("A &&", "ends where");
    refuse("( A", "\")\"");
    refuse("A )", "operator");
    refuse("A + +", "number");
    refuse("A && Q", "no such name");
    refuse("A ? B", "\":\"");
    refuse("length A", "(argument)");
    refuse("1..2", "number");
}

/* A sign that sticks to digits belongs to the number, which may have none here. */
static void test_parse_signs(void **state)
{
    struct rule_expr_names signed_names = names;
    struct mx_arena *arena = mx_arena_new(1 << 20);
    struct rule_expr expr;

    (void)state;
    refuse("A+1", "operator");
    refuse("A > -1", "number without sign");
    expect("B + 1", 2);
    signed_names.has_signed_numbers = true;
    assert_int_equal(rule_expr_parse(arena, MX_STR("A > -1"), &signed_names, &expr, NULL),
                     0);
    assert_true(rule_expr_value(&expr, counts) == 1);
    mx_arena_free(arena);
}

/* Bytes that begin no token are passed over, as SpamAssassin's lexer does. */
static void test_parse_skips_strange_bytes(void **state)
{
    (void)state;
    expect("B \" + ' C", 3);
}

static void repeat(char *out, size_t n, const char *piece)
{
    out[0] = '\0';
    for (size_t i = 0, used = 0; i < n; i++, used += strlen(piece))
        strcpy(out + used, piece);
}

static void test_parse_bounds(void **state)
{
    static char text[60000];

    (void)state;
    repeat(text, 5000, "(");
    refuse(text, "deep");
    repeat(text, 5000, "!");
    refuse(text, "deep");
    repeat(text, 5000, "A ? B : ");
    refuse(text, "deep");
    repeat(text, 200, "A < ");
    strcat(text, "B");
    refuse(text, "deep");
    repeat(text, 5000, "A + ");
    strcat(text, "A");
    refuse(text, "steps");
    repeat(text, 400, "A || ");
    strcat(text, "A");
    expect(text, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_value_operators),
        cmocka_unit_test(test_value_deciding_operand),
        cmocka_unit_test(test_value_not),
        cmocka_unit_test(test_value_ternary),
        cmocka_unit_test(test_value_chained_comparison),
        cmocka_unit_test(test_value_division_by_zero),
        cmocka_unit_test(test_value_empty_parentheses),
        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_parse_signs),
        cmocka_unit_test(test_parse_skips_strange_bytes),
        cmocka_unit_test(test_parse_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
