/* SPDX-License-Identifier: BSD-3-Clause */
/* What operators ask of kernels. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "array.h"
#include "clock.h"
#include "json_table.h"
#include "kernel_json.h"
#include "methods.h"
#include "page.h"
#include "utc.h"

/* ---- texts ---------------------------------------------------------------------------- */

/* It comes back in lines for people. */
static bool is_one_line(const char *text)
{
	for (; *text; text++) {
		if (iscntrl((unsigned char)*text))
			return false;
	}
	return true;
}

static int refuse(int *code, struct wm_error *error, const char *what)
{
	*code = WM_RPC_INVALID_PARAMS;
	return wm_error_set(error, EINVAL, "%s", what);
}

int wm_methods_take_text(struct wm_kernel_text *text, const struct wm_kernel_params *params,
			 int *code, struct wm_error *error)
{
	size_t count = json_array_size(params->settings);

	*text = (struct wm_kernel_text){ .file = params->file,
					 .code = params->source,
					 .code_bytes = strlen(params->source) };
	if (!is_one_line(params->file))
		return refuse(code, error, "kernel_file has control characters");
	if (count > WM_KERNEL_SETTINGS_MAX)
		return refuse(code, error, "params are more than a kernel has");
	for (size_t i = 0; i < count; i++) {
		text->settings[i] = json_string_value(json_array_get(params->settings, i));
		if (!is_one_line(text->settings[i]))
			return refuse(code, error, "params have control characters");
	}
	text->setting_count = (uint32_t)count;
	return 0;
}

/* ---- as JSON ---------------------------------------------------------------------------- */

static json_t *kernel_object(const struct wm_kernel *kernel)
{
	return json_pack("{s:s, s:o, s:I, s:I, s:I, s:I}", "name", kernel->name, "hash",
			 wm_kernel_hash_json(kernel), "in_bytes", (json_int_t)kernel->in_bytes,
			 "out_bytes", (json_int_t)kernel->out_bytes, "halo_before",
			 (json_int_t)kernel->halo_before, "halo_after",
			 (json_int_t)kernel->halo_after);
}

/* ["k=3", ...] of "k=3\n" lines. */
static json_t *settings_list(const char *lines)
{
	json_t *list = json_array();
	size_t bytes;

	for (; *lines; lines += bytes + (lines[bytes] == '\n')) {
		bytes = strcspn(lines, "\n");
		if (bytes > 0)
			json_array_append_new(list, json_stringn(lines, bytes));
	}
	return list;
}

static json_t *entry_object(const struct wm_jobs *jobs, const struct wm_kernel_entry *entry)
{
	const struct wm_job *user = wm_jobs_find_user(jobs, entry->kernel.hash);
	json_t *object = kernel_object(&entry->kernel);
	char used[WM_UTC_TEXT_BYTES];

	json_object_set_new(object, "version", wm_json_number(entry->version));
	json_object_set_new(object, "object_bytes", wm_json_number(entry->object_bytes));
	json_object_set_new(object, "params", settings_list(entry->settings));
	json_object_set_new(object, "used", json_string(wm_utc_format(used, entry->used_ms)));
	json_object_set_new(object, "job", wm_json_number(user ? user->lane.id : 0));
	return object;
}

/* ---- methods ------------------------------------------------------------------------------ */

/* Those that are built in, then those of the library; NULL past the last. */
static json_t *object_at(const struct wm_jobs *jobs, uint64_t index)
{
	const struct wm_kernel *builtin;
	uint64_t count = 0;

	while ((builtin = wm_kernel_at((unsigned)count)) && count < index)
		count++;
	if (builtin)
		return kernel_object(builtin);
	index -= count;
	return index < jobs->library.count ? entry_object(jobs, &jobs->library.entries[index])
					   : NULL;
}

static json_t *kernel_list(void *context, const json_t *params, int *code, struct wm_error *error)
{
	const struct wm_controller *controller = context;
	uint64_t after = 0, limit = 0;
	const struct wm_rpc_param expected[] = {
		{ "after", WM_RPC_NUMBER, 1, &after },
		{ "limit", WM_RPC_NUMBER, 1, &limit },
	};
	struct wm_page page;
	json_t *object;

	if (wm_rpc_params_unpack(params, expected, WM_ARRAY_COUNT(expected), code, error) < 0)
		return NULL;
	wm_page_init(&page, limit);
	for (uint64_t i = after; (object = object_at(controller->jobs, i)); i++) {
		if (!wm_page_has_room(&page)) {
			json_decref(object);
			break;
		}
		wm_page_add(&page, i + 1, object);
	}
	return wm_page_fini(&page, "kernels");
}

static void add_answer(void *context, void *request, struct wm_job *job,
		       const struct wm_error *error)
{
	const struct wm_controller *controller = context;
	const struct wm_jobs *jobs = controller->jobs;
	const struct wm_kernel_entry *entry = NULL;

	if (job)
		entry = wm_kernel_library_look_up(&jobs->library, job->kernel.hash);
	wm_rpc_request_answer(request, entry ? entry_object(jobs, entry) : NULL, WM_RPC_FAILED,
			      error);
}

static void kernel_add(void *context, const json_t *params, struct wm_rpc_request *request)
{
	const struct wm_jobs_reply reply = { add_answer, context, request };
	struct wm_controller *controller = context;
	struct wm_kernel_params wanted = { .file = WM_KERNEL_FILE_PRESET };
	const struct wm_rpc_param expected[] = {
		{ "kernel_source", WM_RPC_STRING, 0, &wanted.source },
		{ "kernel_file", WM_RPC_STRING, 1, &wanted.file },
		{ "params", WM_RPC_STRINGS, 1, &wanted.settings },
	};
	struct wm_error error = { "" };
	struct wm_kernel_text text;
	int code;

	if (wm_rpc_params_unpack(params, expected, WM_ARRAY_COUNT(expected), &code, &error) < 0 ||
	    wm_methods_take_text(&text, &wanted, &code, &error) < 0)
		wm_rpc_request_answer(request, NULL, code, &error);
	else
		wm_jobs_add_kernel(controller->jobs, &text, wm_clock_ns(), &reply);
}

static int check_unused(const struct wm_jobs *jobs, const struct wm_kernel *kernel,
			struct wm_error *error)
{
	const struct wm_job *user = wm_jobs_find_user(jobs, kernel->hash);

	if (!user)
		return 0;
	if (wm_job_has_ended(user))
		return wm_error_set(error, EBUSY,
				    "kernel %s stays: job %" PRIu32 " failed, and may be resumed "
				    "with it: 'wiremill job discard %.300s' first",
				    kernel->name, user->lane.id, user->output);
	return wm_error_set(error, EBUSY,
			    "kernel %s stays: job %" PRIu32 " is not over, and needs it: wait for "
			    "it, or 'wiremill job cancel %" PRIu32 "'",
			    kernel->name, user->lane.id, user->lane.id);
}

static json_t *kernel_remove(void *context, const json_t *params, int *code, struct wm_error *error)
{
	struct wm_controller *controller = context;
	struct wm_jobs *jobs = controller->jobs;
	const char *name = NULL;
	const struct wm_rpc_param expected[] = { { "kernel", WM_RPC_STRING, 0, &name } };
	struct wm_kernel kernel;

	if (wm_rpc_params_unpack(params, expected, 1, code, error) < 0)
		return NULL;
	if (wm_kernel_find(name)) {
		wm_error_set(error, EINVAL, "kernel %s is built in, and stays", name);
		return NULL;
	}
	if (wm_kernel_library_resolve(&jobs->library, name, &kernel, error) < 0 ||
	    check_unused(jobs, &kernel, error) < 0 ||
	    wm_kernel_library_remove(&jobs->library, kernel.hash, error) < 0)
		return NULL;
	return kernel_object(&kernel);
}

const struct wm_rpc_method wm_methods_kernels[] = {
	{ .name = "kernel.list", .call = kernel_list },
	{ .name = "kernel.add", .begin = kernel_add },
	{ .name = "kernel.remove", .call = kernel_remove },
	{ 0 },
};
