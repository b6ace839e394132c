/* SPDX-License-Identifier: BSD-3-Clause */
#include "kernel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int wm_kernel_take_param(const struct wm_option *option, void *values, const char *text,
			 struct wm_error *error)
{
	struct wm_kernel_settings *params =
		(struct wm_kernel_settings *)(void *)((char *)values + option->offset);

	if (params->count == WM_KERNEL_SOURCE_PARAMS_MAX)
		return wm_error_set(error, EINVAL, "--param is given more than %u times",
				    WM_KERNEL_SOURCE_PARAMS_MAX);
	params->settings[params->count++] = text;
	return 0;
}

/* ---- the file ---------------------------------------------------------------------- */

/* At most so much that the parser can say that it is too much. */
static ssize_t read_whole(int fd, char *code, size_t room)
{
	size_t bytes = 0;

	while (bytes < room) {
		ssize_t got = read(fd, code + bytes, room - bytes);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		bytes += (size_t)got;
	}
	return (ssize_t)bytes;
}

static ssize_t read_file(const char *path, char *code, size_t room, struct wm_error *error)
{
	/* A FIFO that nobody writes must not hang it. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	ssize_t bytes;

	if (fd < 0)
		return wm_error_set(error, errno, "kernel %s: %s", path, wm_errno_text(errno));
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return wm_error_set(error, EINVAL, "kernel %s is no file", path);
	}
	bytes = read_whole(fd, code, room);
	close(fd);
	if (bytes < 0)
		return wm_error_set(error, (int)-bytes, "kernel %s: %s", path,
				    wm_errno_text((int)-bytes));
	return bytes;
}

bool wm_kernel_is_source(const char *word)
{
	static const char suffix[] = ".glsl";
	size_t bytes = strlen(word);

	return wm_kernel_shipped_find(word) || strchr(word, '/') ||
	       (bytes >= sizeof(suffix) && strcmp(word + bytes - sizeof(suffix) + 1, suffix) == 0);
}

static ssize_t copy_shipped(const struct wm_kernel_shipped *shipped, char *code)
{
	size_t bytes = strlen(shipped->source);

	assert(bytes <= WM_KERNEL_SOURCE_BYTES_MAX);
	memcpy(code, shipped->source, bytes);
	return (ssize_t)bytes;
}

int wm_kernel_read(const char *path, const struct wm_kernel_settings *params,
		   struct wm_kernel_source *source, char **code)
{
	const struct wm_kernel_shipped *shipped = wm_kernel_shipped_find(path);
	struct wm_error error = { "" };
	ssize_t bytes;
	int ret;

	*code = malloc(WM_KERNEL_SOURCE_BYTES_MAX + 1);
	if (!*code)
		return wm_cli_failed("out of memory for a kernel");
	bytes = shipped ? copy_shipped(shipped, *code)
			: read_file(path, *code, WM_KERNEL_SOURCE_BYTES_MAX + 1, &error);
	ret = bytes < 0 ? (int)bytes
			: wm_kernel_source_parse(source, path, *code, (size_t)bytes, &error);
	if (ret == 0)
		ret = wm_kernel_source_set_params(source, params->settings, params->count, &error);
	if (ret == 0)
		return WM_EXIT_DONE;
	free(*code);
	*code = NULL;
	return wm_cli_failed("%s", error.text);
}

int wm_kernel_put(json_t *request, const char *path, const struct wm_kernel_settings *params)
{
	struct wm_kernel_source source;
	json_t *text, *settings;
	char *code;
	int status = wm_kernel_read(path, params, &source, &code);

	if (status != WM_EXIT_DONE)
		return status;
	text = json_stringn(source.code, source.code_bytes);
	free(code);
	if (!text)
		return wm_cli_failed("kernel %s is no text in UTF-8", path);
	settings = json_array();
	for (uint32_t i = 0; i < params->count; i++)
		json_array_append_new(settings, json_string(params->settings[i]));
	json_object_set_new(request, "kernel_source", text);
	json_object_set_new(request, "kernel_file", json_string(path));
	json_object_set_new(request, "params", settings);
	return WM_EXIT_DONE;
}

/* ---- what it is --------------------------------------------------------------------- */

static void type_format(char text[32], const struct wm_element_type *type)
{
	if (type->count == 1)
		snprintf(text, 32, "%s", wm_scalar_name(type->scalar));
	else
		snprintf(text, 32, "%sx%" PRIu32, wm_scalar_name(type->scalar), type->count);
}

void wm_kernel_print(const struct wm_kernel_source *source)
{
	char in[32], out[32];

	type_format(in, &source->in);
	type_format(out, &source->out);
	printf("kernel   %s, version %" PRIu32 "\n", source->kernel.name, source->version);
	if (source->text[0])
		printf("         %s\n", source->text);
	printf("element  %s -> %s (%" PRIu32 " -> %" PRIu32 " bytes)\n", in, out,
	       source->kernel.in_bytes, source->kernel.out_bytes);
	printf("halo     %" PRIu32 " before, %" PRIu32 " after\n", source->kernel.halo_before,
	       source->kernel.halo_after);
	for (uint32_t i = 0; i < source->param_count; i++) {
		const struct wm_kernel_param *param = &source->params[i];

		printf("param    %s = %.9g (%s, %.9g to %.9g)\n", param->name, param->value,
		       wm_param_type_name(param->type), param->least, param->most);
	}
}

static json_t *params_object(const struct wm_kernel_source *source)
{
	json_t *params = json_object();

	for (uint32_t i = 0; i < source->param_count; i++)
		json_object_set_new(params, source->params[i].name,
				    json_real(source->params[i].value));
	return params;
}

json_t *wm_kernel_source_json(const struct wm_kernel_source *source)
{
	char in[32], out[32];

	type_format(in, &source->in);
	type_format(out, &source->out);
	return json_pack("{s:s, s:I, s:s, s:s, s:s, s:I, s:I, s:o}", "name", source->kernel.name,
			 "version", (json_int_t)source->version, "text", source->text, "in", in,
			 "out", out, "halo_before", (json_int_t)source->kernel.halo_before,
			 "halo_after", (json_int_t)source->kernel.halo_after, "params",
			 params_object(source));
}
