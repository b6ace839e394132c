/* SPDX-License-Identifier: BSD-3-Clause */
#include "kernel_make.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"
#include "kernel_source.h"
#include "wiremill/kernel_object.h"

static_assert(WM_KERNEL_SETTINGS_MAX == WM_KERNEL_SOURCE_PARAMS_MAX, "as many");

/* "NAME=VALUE\n", a double with all its digits. */
#define SETTING_BYTES (WM_KERNEL_SOURCE_NAME_BYTES + 32)
/* A double comes back from so many. */
#define DIGITS_MAX 17

/* ---- a copy ---------------------------------------------------------------------------- */

static const char *put(char **end, const char *text, size_t bytes)
{
	char *at = *end;

	memcpy(at, text, bytes);
	at[bytes] = '\0';
	*end += bytes + 1;
	return at;
}

struct wm_kernel_text *wm_kernel_text_copy(const struct wm_kernel_text *text)
{
	size_t bytes = sizeof(*text) + strlen(text->file) + 1 + text->code_bytes + 1;
	struct wm_kernel_text *copy;
	char *end;

	for (uint32_t i = 0; i < text->setting_count; i++)
		bytes += strlen(text->settings[i]) + 1;
	copy = malloc(bytes);
	if (!copy)
		return NULL;
	*copy = *text;
	end = (char *)(copy + 1);
	copy->file = put(&end, text->file, strlen(text->file));
	copy->code = put(&end, text->code, text->code_bytes);
	for (uint32_t i = 0; i < text->setting_count; i++)
		copy->settings[i] = put(&end, text->settings[i], strlen(text->settings[i]));
	return copy;
}

/* ---- parameters -------------------------------------------------------------------------- */

/* The shortest text that is that number: one value has one text, however it was given. */
static int put_setting(char *line, size_t room, const struct wm_kernel_param *param)
{
	int digits = 1, length;

	do {
		length = snprintf(line, room, "%s=%.*g\n", param->name, digits, param->value);
	} while (digits++ < DIGITS_MAX &&
		 strtod(line + strlen(param->name) + 1, NULL) != param->value);
	return length;
}

/* Of those that are not at their default, in the order of the file. */
static size_t put_settings(char *lines, const struct wm_kernel_source *source,
			   const struct wm_kernel_param *defaults)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < source->param_count; i++) {
		if (source->params[i].value != defaults[i].value)
			bytes += (size_t)put_setting(lines + bytes, SETTING_BYTES,
						     &source->params[i]);
	}
	return bytes;
}

/* ---- the object --------------------------------------------------------------------------- */

static int check_name(const struct wm_kernel_source *source, const struct wm_kernel_text *text,
		      struct wm_error *error)
{
	if (!wm_kernel_find(source->kernel.name))
		return 0;
	return wm_error_set(error, EINVAL,
			    "%.200s: KERNEL %s is the name of a kernel that is built in: give "
			    "yours another",
			    text->file, source->kernel.name);
}

static int parse(struct wm_kernel_source *source, const struct wm_kernel_text *text,
		 char settings[WM_KERNEL_SETTINGS_MAX * SETTING_BYTES], size_t *settings_bytes,
		 struct wm_error *error)
{
	struct wm_kernel_param defaults[WM_KERNEL_SOURCE_PARAMS_MAX];
	int ret = wm_kernel_source_parse(source, text->file, text->code, text->code_bytes, error);

	if (ret == 0)
		ret = check_name(source, text, error);
	if (ret < 0)
		return ret;
	memcpy(defaults, source->params, sizeof(defaults));
	ret = wm_kernel_source_set_params(source, text->settings, text->setting_count, error);
	if (ret == 0)
		*settings_bytes = put_settings(settings, source, defaults);
	return ret;
}

static int encode(struct wm_kernel_object *object, uint8_t **bytes, size_t *bytes_count,
		  struct wm_error *error)
{
	*bytes_count = wm_kernel_object_bytes(object);
	if (*bytes_count == 0)
		return wm_error_set(error, EINVAL,
				    "kernel %s is too large: its source and code have more than "
				    "%u MiB",
				    object->kernel.name, WM_KERNEL_OBJECT_BYTES_MAX / 1024 / 1024);
	*bytes = malloc(*bytes_count);
	if (!*bytes)
		return wm_error_set(error, ENOMEM, "no memory for the kernel");
	wm_kernel_object_encode(*bytes, object);
	return 0;
}

int wm_kernel_make(const struct wm_kernel_text *text, struct wm_kernel *kernel, uint8_t **bytes,
		   size_t *bytes_count, struct wm_error *error)
{
	char settings[WM_KERNEL_SETTINGS_MAX * SETTING_BYTES];
	struct wm_kernel_object object = { .settings = settings };
	struct wm_kernel_source source;
	struct wm_spirv spirv;
	int ret;

	*bytes = NULL;
	ret = parse(&source, text, settings, &object.settings_bytes, error);
	if (ret < 0)
		return ret;
	ret = wm_compile(&spirv, &source, text->file, false, error);
	if (ret < 0)
		return ret;
	object.kernel = source.kernel;
	object.version = source.version;
	object.code = spirv.code;
	object.code_bytes = spirv.code_bytes;
	object.source = text->code;
	object.source_bytes = text->code_bytes;
	ret = encode(&object, bytes, bytes_count, error);
	*kernel = object.kernel;
	free(spirv.code);
	return ret;
}
