/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc_rig.h"

#include <stdlib.h>
#include <string.h>

unsigned calls;

/* {"text": string, "times": number? = 1} -> the text so many times */
static json_t *call_repeat(void *context, const json_t *params, int *code, struct wm_error *error)
{
	const char *text = NULL;
	uint64_t times = 1;
	bool upper = false;
	const struct wm_rpc_param expected[] = {
		{ "text", WM_RPC_STRING, false, &text },
		{ "times", WM_RPC_NUMBER, true, &times },
		{ "upper", WM_RPC_BOOL, true, &upper },
	};
	char *whole;
	json_t *result;

	(void)context;
	calls++;
	if (wm_rpc_params_unpack(params, expected, 3, code, error) < 0)
		return NULL;
	whole = calloc(times * strlen(text) + 1, 1);
	for (uint64_t i = 0; i < times; i++)
		memcpy(whole + i * strlen(text), text, strlen(text));
	result = json_string(upper ? "UPPER" : whole);
	free(whole);
	return result;
}

static json_t *call_none(void *context, const json_t *params, int *code, struct wm_error *error)
{
	calls++;
	if (wm_rpc_params_unpack(params, NULL, 0, code, error) < 0)
		return NULL;
	return json_integer(*(int *)context);
}

static json_t *call_refuse(void *context, const json_t *params, int *code, struct wm_error *error)
{
	(void)context, (void)params, (void)code;
	wm_error_set(error, EIO, "the job is done: it cannot be cancelled");
	return NULL;
}

static json_t *call_broken_text(void *context, const json_t *params, int *code,
				struct wm_error *error)
{
	(void)context, (void)params;
	*code = -32001;
	wm_error_set(error, EIO, "cut \xc3");
	return NULL;
}

static json_t *call_silent(void *context, const json_t *params, int *code, struct wm_error *error)
{
	(void)context, (void)params, (void)code, (void)error;
	return NULL;
}

struct wm_rpc_request *waiting[4];
unsigned waiting_count;

static void begin_later(void *context, const json_t *params, struct wm_rpc_request *request)
{
	(void)context, (void)params;
	CU_ASSERT_FATAL(waiting_count < 4);
	waiting[waiting_count++] = request;
}

void later_answer(unsigned place, int value)
{
	static const struct wm_error error = { "the disk does not answer" };

	wm_rpc_request_answer(waiting[place], value < 0 ? NULL : json_integer(value), WM_RPC_FAILED,
			      &error);
}

static void begin_at_once(void *context, const json_t *params, struct wm_rpc_request *request)
{
	(void)context, (void)params;
	wm_rpc_request_answer(request, json_integer(7), 0, NULL);
}

static void begin_silent(void *context, const json_t *params, struct wm_rpc_request *request)
{
	static const struct wm_error none = { "" };

	(void)context, (void)params;
	wm_rpc_request_answer(request, NULL, WM_RPC_FAILED, &none);
}

static const struct wm_rpc_method at_once[] = {
	{ .name = "repeat", .call = call_repeat }, { .name = "none", .call = call_none },
	{ .name = "refuse", .call = call_refuse }, { .name = "broken", .call = call_broken_text },
	{ .name = "silent", .call = call_silent }, { 0 },
};
static const struct wm_rpc_method later[] = {
	{ .name = "later", .begin = begin_later },
	{ .name = "at once", .begin = begin_at_once },
	{ .name = "silent later", .begin = begin_silent },
	{ 0 },
};
const struct wm_rpc_method *const tables[] = { at_once, later, NULL };
int method_context = 42;
