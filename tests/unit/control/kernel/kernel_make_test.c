/* SPDX-License-Identifier: BSD-3-Clause */
/* A text becomes an object: with the compiler's process, which is this program once more. */
#include "kernel_make.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"
#include "harness.h"
#include "wiremill/kernel_object.h"

WM_TESTS_ARGUMENTS(0, 1, "[the compiler's word]");

static const char blend[] = "//!KERNEL blend\n"
			    "//!VERSION 4\n"
			    "//!IN f32\n"
			    "//!OUT f32\n"
			    "//!HALO 1 1\n"
			    "//!PARAM weight float 0.5 0 1\n"
			    "//!PARAM shift uint 3 0 4294967295\n"
			    "void element(int i)\n"
			    "{\n"
			    "\tout(i, mix(in(i - 1), in(i + 1), weight) * float(shift));\n"
			    "}\n";

static struct wm_kernel_text text_of(const char *code)
{
	return (struct wm_kernel_text){ .file = "blend.glsl",
					.code = code,
					.code_bytes = strlen(code) };
}

static struct made {
	uint8_t *bytes;
	size_t bytes_count;
	struct wm_kernel kernel;
	struct wm_kernel_object object;
} make(const struct wm_kernel_text *text)
{
	struct wm_error error = { "" };
	struct made made = { .bytes = NULL };

	CU_ASSERT_EQUAL_FATAL(
		wm_kernel_make(text, &made.kernel, &made.bytes, &made.bytes_count, &error), 0);
	CU_ASSERT_EQUAL_FATAL(
		wm_kernel_object_decode(&made.object, made.bytes, made.bytes_count, &error), 0);
	CU_ASSERT(wm_kernel_is_same(&made.kernel, &made.object.kernel));
	return made;
}

static void object_has_what_the_text_says(void)
{
	struct wm_kernel_text text = text_of(blend);
	struct made made = make(&text);
	const struct wm_kernel_object *object = &made.object;

	CU_ASSERT_STRING_EQUAL(made.kernel.name, "blend");
	CU_ASSERT(made.kernel.in_bytes == 4 && made.kernel.out_bytes == 4);
	CU_ASSERT(made.kernel.halo_before == 1 && made.kernel.halo_after == 1);
	CU_ASSERT_FALSE(wm_kernel_is_builtin(&made.kernel));
	CU_ASSERT_EQUAL(object->version, 4);
	CU_ASSERT(object->source_bytes == strlen(blend) &&
		  memcmp(object->source, blend, object->source_bytes) == 0);
	CU_ASSERT_EQUAL(object->settings_bytes, 0);
	free(made.bytes);
}

static bool is_same_object(const char *a, const char *b)
{
	struct wm_kernel_text first = text_of(blend), second = text_of(blend);
	struct made one, other;
	bool is_same;

	first.settings[0] = a;
	second.settings[0] = b;
	first.setting_count = second.setting_count = 1;
	one = make(&first);
	other = make(&second);
	is_same = wm_kernel_is_same(&one.kernel, &other.kernel);
	free(one.bytes);
	free(other.bytes);
	return is_same;
}

static void one_value_is_one_kernel_however_it_is_written(void)
{
	CU_ASSERT(is_same_object("weight=0.25", "weight=2.50e-1"));
	CU_ASSERT(is_same_object("weight=0.5", "shift=3")); /* both are the defaults */
	CU_ASSERT_FALSE(is_same_object("weight=0.25", "weight=0.26"));
	CU_ASSERT_FALSE(is_same_object("shift=4294967295", "shift=4294967294"));
}

static void settings_are_told_with_all_their_digits(void)
{
	static const char expected[] = "weight=0.10000000149011612\nshift=4294967295\n";
	struct wm_kernel_text text = text_of(blend);
	struct made made;

	text.settings[0] = "shift=4294967295";
	text.settings[1] = "weight=0.1";
	text.setting_count = 2;
	made = make(&text);
	CU_ASSERT_EQUAL(made.object.settings_bytes, strlen(expected));
	CU_ASSERT_EQUAL(memcmp(made.object.settings, expected, strlen(expected)), 0);
	free(made.bytes);
}

static void refused(const struct wm_kernel_text *text, const char *words)
{
	struct wm_error error = { "" };
	struct wm_kernel kernel;
	size_t bytes_count;
	uint8_t *bytes;

	CU_ASSERT_EQUAL(wm_kernel_make(text, &kernel, &bytes, &bytes_count, &error), -EINVAL);
	CU_ASSERT_PTR_NULL(bytes);
	if (!strstr(error.text, words))
		printf("# expected '%s', not '%s'\n", words, error.text);
	CU_ASSERT(strstr(error.text, words) && !strchr(error.text, '\n'));
}

static void what_is_wrong_is_told_with_its_line(void)
{
	struct wm_kernel_text text = text_of("//!KERNEL Blend\n");

	refused(&text, "blend.glsl:1: KERNEL 'Blend'");
	text = text_of(
		"//!KERNEL b\n//!IN u8\n//!OUT u8\nvoid element(int i)\n{\n\tout(i, x);\n}\n");
	refused(&text, "blend.glsl:6: error: 'x'");
	text = text_of(
		"//!KERNEL xor\n//!IN u8\n//!OUT u8\nvoid element(int i)\n{\n\tout(i, 1);\n}\n");
	refused(&text, "blend.glsl: KERNEL xor is the name of a kernel that is built in");
	text = text_of(blend);
	text.settings[0] = "weight=7";
	text.setting_count = 1;
	refused(&text, "weight");
}

static void copy_is_whole_when_the_first_is_gone(void)
{
	char *code = strdup(blend), *setting = strdup("weight=0.25");
	struct wm_kernel_text text = text_of(code), *copy;

	text.settings[0] = setting;
	text.setting_count = 1;
	copy = wm_kernel_text_copy(&text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	memset(code, '?', strlen(code));
	memset(setting, '?', strlen(setting));
	free(code);
	free(setting);
	CU_ASSERT_STRING_EQUAL(copy->code, blend);
	CU_ASSERT_STRING_EQUAL(copy->settings[0], "weight=0.25");
	CU_ASSERT_STRING_EQUAL(copy->file, "blend.glsl");
	free(copy);
}

static const struct wm_test tests[] = {
	WM_TEST(object_has_what_the_text_says),
	WM_TEST(one_value_is_one_kernel_however_it_is_written),
	WM_TEST(settings_are_told_with_all_their_digits),
	WM_TEST(what_is_wrong_is_told_with_its_line),
	WM_TEST(copy_is_whole_when_the_first_is_gone),
};

int main(int argc, char **argv)
{
	if (wm_compiler_is_asked(argc, argv))
		return wm_compiler_main();
	return WM_TESTS_RUN("kernel make", tests);
}
