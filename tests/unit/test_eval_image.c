/* Attached images: number, size, against the text. */
#include "eval_case.h"

/* 4 x 2 pixels each. */
#define GIF "R0lGODlhBAACAAAAAA==" /* width first, little endian */
#define PNG "iVBORw0KGgoAAAANSUhEUgAAAAQAAAACCAYAAAA="
#define JPEG "/9j/4AAEAAD/wAALCAACAAQBAREA" /* APP0 of 4 bytes, then SOF0 */
#define TOP "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
#define IMAGE(type, data)                                                                \
    "--b\nContent-Type: image/" type "; name=\"pic." type "\"\n"                         \
    "Content-Transfer-Encoding: base64\n\n" data "\n"
#define TEXT "--b\n\n0123456789\n"
#define END "--b--\n"

static void test_image_count(void **state)
{
    static const char mail[] = TOP TEXT IMAGE("gif", GIF) IMAGE("png", PNG)
        IMAGE("jpg", JPEG) IMAGE("bmp", "AAAA") END;
    static const struct eval_case cases[] = {
        {"image_count('all','3','3')", mail, 1},
        {"image_count('gif','1','1')", mail, 1},
        {"image_count('png','2')", mail, 0},
        {"image_count('jpeg','1')", mail, 1},
        {"image_count('all','0','0')", TOP TEXT END, 1},
        {"image_count('gif','1')", TOP "--b\nContent-Type: image/gif\n\nGIF89a\n" END, 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_pixel_coverage(void **state)
{
    static const char mail[] =
        TOP TEXT IMAGE("gif", GIF) IMAGE("png", PNG) IMAGE("jpeg", JPEG) END;
    static const struct eval_case cases[] = {
        {"pixel_coverage('gif','8','8')", mail, 1},
        {"pixel_coverage('png','8','8')", mail, 1},
        {"pixel_coverage('jpeg','8','8')", mail, 1},
        {"pixel_coverage('all','24','24')", mail, 1},
        {"pixel_coverage('gif','9')", mail, 0},
        {"pixel_coverage('gif','1')", TOP IMAGE("gif", "AAAA") END, 0},
        {"pixel_coverage('jpeg','1')", TOP IMAGE("jpeg", "/9j/4A==") END, 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

static void test_image_sizes(void **state)
{
    static const char mail[] = TOP TEXT IMAGE("gif", GIF) END;
    static const struct eval_case cases[] = {
        {"image_size_exact('gif','2','4')", mail, 1},
        {"image_size_exact('gif','4','2')", mail, 0},
        {"image_size_exact('png','2','4')", mail, 0},
        {"image_size_range('all','1','3')", mail, 1},
        {"image_size_range('all','1','3','2','4')", mail, 1},
        {"image_size_range('all','1','3','1')", mail, 0},
        {"image_size_range('all','1','3','2','3')", mail, 0},
        {"image_named('pic.gif')", mail, 1},
        {"image_named('pic.png')", mail, 0},
        {"image_name_regex('^pic')", mail, 1},
        {"image_name_regex('^pix')", mail, 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

/* Body: "\n" for the Subject and "0123456789\n", 12 bytes; rawbody 10; 8 pixels. */
static void test_image_to_text_ratio(void **state)
{
    static const char mail[] = TOP TEXT IMAGE("gif", GIF) END;
    static const struct eval_case cases[] = {
        {"image_to_text_ratio('all','1.5','1.6')", mail, 1},
        {"image_to_text_ratio('all','1.4','1.5')", mail, 0},
        {"rawbody image_to_text_ratio('all','1.2','1.3')", mail, 1},
        {"image_to_text_ratio('png','0','100')", mail, 0},
    };

    (void)state;
    eval_case_run("", EVAL_CASES(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image_count),
        cmocka_unit_test(test_pixel_coverage),
        cmocka_unit_test(test_image_sizes),
        cmocka_unit_test(test_image_to_text_ratio),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
