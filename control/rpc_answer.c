/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wiremill/limits.h"

struct answerer {
	const struct wm_rpc_method *methods;
	unsigned method_count;
	void *context;
};

/* ---- answers ------------------------------------------------------------ */

/* An error line is cut at a byte and may quote anything: control characters that would
 * make it two, and what is no UTF-8, which JSON does not take. */
static json_t *text_new(const char *text)
{
	char line[WM_ERROR_TEXT_BYTES];
	json_t *string;

	snprintf(line, sizeof(line), "%s", text);
	for (char *c = line; *c; c++)
		*c = (unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c;
	string = json_string(line);
	if (string)
		return string;
	for (char *c = line; *c; c++)
		*c = (unsigned char)*c < 0x80 ? *c : '?';
	return json_string(line);
}

/* Takes over id; NULL stands for null. */
static json_t *error_new(int code, const char *message, json_t *id)
{
	return json_pack("{s:s, s:{s:i, s:o}, s:o}", "jsonrpc", "2.0", "error", "code", code,
			 "message", text_new(message), "id", id ? id : json_null());
}

/* Takes over answer. */
static char *line_new(json_t *answer)
{
	static const char out_of_memory[] = "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32603,"
					    "\"message\":\"out of memory\"},\"id\":null}";
	char *line = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

	json_decref(answer);
	return line ? line : strdup(out_of_memory);
}

char *wm_rpc_answer_error(int code, const char *message)
{
	return line_new(error_new(code, message, NULL));
}

/* ---- one request -------------------------------------------------------- */

static const struct wm_rpc_method *method_find(const struct answerer *answerer, const char *name)
{
	for (unsigned i = 0; i < answerer->method_count; i++) {
		if (strcmp(answerer->methods[i].name, name) == 0)
			return &answerer->methods[i];
	}
	return NULL;
}

/* Runs the method. Returns its result, or NULL with *code and error filled in. */
static json_t *method_call(const struct answerer *answerer, const char *name, const json_t *params,
			   int *code, struct wm_error *error)
{
	const struct wm_rpc_method *method = method_find(answerer, name);
	json_t *result;

	if (!method) {
		*code = WM_RPC_METHOD_NOT_FOUND;
		wm_error_set(error, ENOSYS, "there is no method '%.64s'", name);
		return NULL;
	}
	*code = WM_RPC_FAILED;
	result = method->call(answerer->context, params, code, error);
	if (!result && !error->text[0]) {
		*code = WM_RPC_INTERNAL;
		wm_error_set(error, ENOMEM, "method '%s' could not make its result", name);
	}
	return result;
}

/* NULL, or what keeps it from being a request. */
static const char *request_fault(const json_t *request)
{
	const json_t *id = json_object_get(request, "id");
	const char *version = json_string_value(json_object_get(request, "jsonrpc"));

	if (!json_is_object(request))
		return "a request is an object";
	if (!version || strcmp(version, "2.0") != 0)
		return "a request has \"jsonrpc\": \"2.0\"";
	if (!json_is_string(json_object_get(request, "method")))
		return "a request has a \"method\", a string";
	if (id && !json_is_string(id) && !json_is_number(id) && !json_is_null(id))
		return "an \"id\" is a string, a number or null";
	return NULL;
}

/* Takes over params. */
static json_t *request_run(const struct answerer *answerer, const json_t *request, json_t *params)
{
	const char *name = json_string_value(json_object_get(request, "method"));
	json_t *id = json_object_get(request, "id");
	struct wm_error error = { "" };
	int code = WM_RPC_INVALID_PARAMS;
	json_t *result = NULL;

	if (!json_is_object(params))
		wm_error_set(&error, EINVAL, "'params' is an object: parameters go by name");
	else
		result = method_call(answerer, name, params, &code, &error);
	json_decref(params);

	/* A notification wants no answer, not even that it failed. */
	if (!id) {
		json_decref(result);
		return NULL;
	}
	if (!result)
		return error_new(code, error.text, json_incref(id));
	return json_pack("{s:s, s:o, s:O}", "jsonrpc", "2.0", "result", result, "id", id);
}

static json_t *request_answer(const struct answerer *answerer, const json_t *request)
{
	const char *fault = request_fault(request);
	json_t *params = json_object_get(request, "params");

	if (fault)
		return error_new(WM_RPC_INVALID_REQUEST, fault, NULL);
	return request_run(answerer, request, params ? json_incref(params) : json_object());
}

/* ---- one line ----------------------------------------------------------- */

static json_t *batch_answer(const struct answerer *answerer, const json_t *batch)
{
	json_t *answers, *request, *answer;
	size_t i;

	if (json_array_size(batch) == 0)
		return error_new(WM_RPC_INVALID_REQUEST, "a batch has at least one request", NULL);
	if (json_array_size(batch) > WM_RPC_BATCH_MAX)
		return error_new(WM_RPC_INVALID_REQUEST,
				 "a batch has at most 64 requests: send more of them", NULL);
	_Static_assert(WM_RPC_BATCH_MAX == 64, "the message above names it");

	answers = json_array();
	json_array_foreach(batch, i, request)
	{
		answer = request_answer(answerer, request);
		if (answer)
			json_array_append_new(answers, answer);
	}
	if (json_array_size(answers) == 0) {
		json_decref(answers);
		return NULL;
	}
	return answers;
}

static json_t *parse_error_new(const json_error_t *fault)
{
	struct wm_error error;

	wm_error_set(&error, EINVAL, "not JSON at byte %d: %s", fault->position, fault->text);
	return error_new(WM_RPC_PARSE_ERROR, error.text, NULL);
}

/* The line as a whole has its bound; the answer to one request keeps its id. */
static char *line_bounded(char *line, const json_t *request)
{
	json_t *id = json_is_object(request) ? json_object_get(request, "id") : NULL;

	if (!line || strlen(line) < WM_RPC_LINE_BYTES_MAX)
		return line;
	free(line);
	/* An id that fills the line by itself cannot be sent back. */
	if (json_is_string(id) && json_string_length(id) > 1024)
		id = NULL;
	return line_new(error_new(WM_RPC_FAILED, "the answer does not fit a line of 1 MiB",
				  id ? json_incref(id) : NULL));
}

char *wm_rpc_answer(const struct wm_rpc_method *methods, unsigned method_count, void *context,
		    const char *line, size_t line_bytes)
{
	const struct answerer answerer = { methods, method_count, context };
	json_error_t fault;
	json_t *request, *answer;
	char *text;

	request = json_loadb(line, line_bytes, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &fault);
	if (!request)
		return line_new(parse_error_new(&fault));
	if (json_is_array(request))
		answer = batch_answer(&answerer, request);
	else
		answer = request_answer(&answerer, request);
	text = answer ? line_bounded(line_new(answer), request) : NULL;
	json_decref(request);
	return text;
}

/* ---- parameters --------------------------------------------------------- */

static bool param_take(const struct wm_rpc_param *param, const json_t *value)
{
	switch (param->type) {
	case WM_RPC_STRING:
		if (!json_is_string(value))
			return false;
		*(const char **)param->value = json_string_value(value);
		return true;
	case WM_RPC_NUMBER:
		if (!json_is_integer(value) || json_integer_value(value) < 0)
			return false;
		*(uint64_t *)param->value = (uint64_t)json_integer_value(value);
		return true;
	case WM_RPC_BOOL:
		if (!json_is_boolean(value))
			return false;
		*(bool *)param->value = json_is_true(value);
		return true;
	}
	return false;
}

static const struct wm_rpc_param *param_find(const struct wm_rpc_param *expected, unsigned count,
					     const char *name)
{
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(expected[i].name, name) == 0)
			return &expected[i];
	}
	return NULL;
}

int wm_rpc_params_unpack(const json_t *params, const struct wm_rpc_param *expected, unsigned count,
			 int *code, struct wm_error *error)
{
	static const char *const type_names[] = { "a string", "a whole number from 0",
						  "true or false" };
	const struct wm_rpc_param *param;
	const char *name;
	json_t *value;

	*code = WM_RPC_INVALID_PARAMS;
	/* jansson walks an object only by a pointer that is not const. */
	json_object_foreach((json_t *)(uintptr_t)params, name, value)
	{
		param = param_find(expected, count, name);
		if (!param)
			return wm_error_set(error, EINVAL, "there is no parameter '%.64s'", name);
		if (!param_take(param, value))
			return wm_error_set(error, EINVAL, "parameter '%s' must be %s", name,
					    type_names[param->type]);
	}
	for (unsigned i = 0; i < count; i++) {
		if (!expected[i].optional && !json_object_get(params, expected[i].name))
			return wm_error_set(error, EINVAL, "parameter '%s' is missing",
					    expected[i].name);
	}
	*code = WM_RPC_FAILED;
	return 0;
}
