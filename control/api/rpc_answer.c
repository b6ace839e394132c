/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "printable.h"
#include "wiremill/limits.h"

/* What stays free for each request of a batch that is not answered yet: the error that says
 * that its answer does not fit, with an id of at most so many bytes. */
#define FAULT_BYTES 512u
#define FAULT_ID_BYTES 256u

/* One that is answered later. */
struct wm_rpc_request {
	struct wm_rpc_line *line; /* NULL: it has ended without waiting for this */
	const struct wm_rpc_method *method;
	json_t *id; /* NULL: a notification */
};

/* ---- answers ------------------------------------------------------------ */

/* An error line is cut at a byte and may quote anything: control characters that would
 * make it two, and what is no UTF-8, which JSON does not take. */
static json_t *text_new(const char *text)
{
	char line[2 * WM_ERROR_TEXT_BYTES];

	return json_string(wm_printable(line, sizeof(line), text));
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

static const struct wm_rpc_method *method_find(const struct wm_rpc_line *line, const char *name)
{
	for (const struct wm_rpc_method *const *table = line->tables; *table; table++) {
		for (const struct wm_rpc_method *method = *table; method->name; method++) {
			if (strcmp(method->name, name) == 0)
				return method;
		}
	}
	return NULL;
}

/* It answers when it can. Negative: it was not begun. */
static int method_begin(struct wm_rpc_line *line, const struct wm_rpc_method *method,
			const json_t *params, json_t *id, struct wm_error *error)
{
	line->waits = malloc(sizeof(*line->waits));
	if (!line->waits)
		return wm_error_set(error, ENOMEM, "no memory for the request");
	*line->waits = (struct wm_rpc_request){ line, method, json_incref(id) };
	method->begin(line->context, params, line->waits);
	return 0;
}

/* Takes over result; method is NULL only where error says why. NULL: none is due, a
 * notification wants no answer, not even that it failed. */
static json_t *response_new(const struct wm_rpc_method *method, json_t *result, int code,
			    const struct wm_error *error, json_t *id)
{
	struct wm_error none = { "" };

	if (!id) {
		json_decref(result);
		return NULL;
	}
	if (result)
		return json_pack("{s:s, s:o, s:O}", "jsonrpc", "2.0", "result", result, "id", id);
	if (error->text[0])
		return error_new(code, error->text, json_incref(id));
	wm_error_set(&none, ENOMEM, "method '%s' could not make its result", method->name);
	return error_new(WM_RPC_INTERNAL, none.text, json_incref(id));
}

/* NULL: it is no string, or one with a \u0000, which nothing here can mean. */
static const char *text_of(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && strlen(text) == json_string_length(value) ? text : NULL;
}

/* NULL, or what keeps it from being a request. */
static const char *request_fault(const json_t *request)
{
	const json_t *id = json_object_get(request, "id");
	const char *version = text_of(json_object_get(request, "jsonrpc"));

	if (!json_is_object(request))
		return "a request is an object";
	if (!version || strcmp(version, "2.0") != 0)
		return "a request has \"jsonrpc\": \"2.0\"";
	if (!text_of(json_object_get(request, "method")))
		return "a request has a \"method\", a string without \\u0000";
	if (id && !json_is_string(id) && !json_is_number(id) && !json_is_null(id))
		return "an \"id\" is a string, a number or null";
	return NULL;
}

/* NULL with *code and error: it is not to be run. */
static const struct wm_rpc_method *method_choose(const struct wm_rpc_line *line, const char *name,
						 const json_t *params, int *code,
						 struct wm_error *error)
{
	const struct wm_rpc_method *method = method_find(line, name);

	if (!method) {
		*code = WM_RPC_METHOD_NOT_FOUND;
		wm_error_set(error, ENOSYS, "there is no method '%.64s'", name);
	} else if (!json_is_object(params)) {
		*code = WM_RPC_INVALID_PARAMS;
		wm_error_set(error, EINVAL, "'params' is an object: parameters go by name");
		method = NULL;
	}
	return method;
}

/* Takes over params. NULL: no answer is due, or it comes later. */
static json_t *request_run(struct wm_rpc_line *line, const json_t *request, json_t *params)
{
	const char *name = json_string_value(json_object_get(request, "method"));
	json_t *id = json_object_get(request, "id"), *result = NULL;
	struct wm_error error = { "" };
	int code = WM_RPC_FAILED;
	const struct wm_rpc_method *method = method_choose(line, name, params, &code, &error);
	bool begun = method && method->begin && method_begin(line, method, params, id, &error) == 0;

	if (method && method->call)
		result = method->call(line->context, params, &code, &error);
	json_decref(params);
	return begun ? NULL : response_new(method, result, code, &error, id);
}

static json_t *request_answer(struct wm_rpc_line *line, const json_t *request)
{
	const char *fault = request_fault(request);
	json_t *params = json_object_get(request, "params");

	if (fault)
		return error_new(WM_RPC_INVALID_REQUEST, fault, NULL);
	return request_run(line, request, params ? json_incref(params) : json_object());
}

/* ---- one line ----------------------------------------------------------- */

/* JSON lets objects be so; what they mean is anybody's guess. NULL: it is another fault. */
static const char *ambiguity_of(const json_error_t *fault)
{
	switch (json_error_code(fault)) {
	case json_error_duplicate_key:
		return "stands there twice in one object: name it once";
	case json_error_null_byte_in_key:
		return "has a \\u0000 in it: no parameter has";
	default:
		return NULL;
	}
}

static json_t *parse_error_new(const json_error_t *fault)
{
	const char *ambiguity = ambiguity_of(fault);
	struct wm_error error = { "" };

	if (ambiguity) {
		wm_error_set(&error, EINVAL, "the key that ends at byte %d %s", fault->position,
			     ambiguity);
		return error_new(WM_RPC_INVALID_REQUEST, error.text, NULL);
	}
	wm_error_set(&error, EINVAL, "not JSON at byte %d: %s", fault->position, fault->text);
	return error_new(WM_RPC_PARSE_ERROR, error.text, NULL);
}

/* NULL, or what keeps a batch from being answered at all. Takes nothing over. */
static json_t *batch_fault(const json_t *batch)
{
	if (json_array_size(batch) == 0)
		return error_new(WM_RPC_INVALID_REQUEST, "a batch has at least one request", NULL);
	if (json_array_size(batch) > WM_RPC_BATCH_MAX)
		return error_new(WM_RPC_INVALID_REQUEST,
				 "a batch has at most 64 requests: send more of them", NULL);
	_Static_assert(WM_RPC_BATCH_MAX == 64, "the message above names it");
	return NULL;
}

/* Instead of an answer that is too long. What was asked for is done by then, so that it is
 * the answer of that request alone, with its id if that is of a sane length. */
static char *fault_new(const json_t *request)
{
	json_t *id = json_is_object(request) ? json_object_get(request, "id") : NULL;

	if (id && json_dumpb(id, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY) > FAULT_ID_BYTES)
		id = NULL;
	return line_new(error_new(WM_RPC_FAILED,
				  "the answer does not fit a line of 1 MiB: ask for less at a time",
				  id ? json_incref(id) : NULL));
}

/* Takes over text, of one of `left` + 1 requests; a batch is '[' ... ',' ... ']'. */
static void answer_append(struct wm_rpc_line *line, const json_t *request, char *text, size_t left)
{
	const size_t most = WM_RPC_LINE_BYTES_MAX - 1 - 2 - left * FAULT_BYTES;
	size_t bytes = strlen(text);
	char *answer;

	if (line->answer_bytes + bytes + 1 > most) {
		free(text);
		text = fault_new(request);
		bytes = strlen(text);
	}
	answer = realloc(line->answer, line->answer_bytes + bytes + 3);
	if (answer) {
		if (line->batch)
			answer[line->answer_bytes++] = line->answer ? ',' : '[';
		memcpy(answer + line->answer_bytes, text, bytes + 1);
		line->answer = answer;
		line->answer_bytes += bytes;
	}
	free(text);
}

void wm_rpc_line_begin(struct wm_rpc_line *line, const char *bytes, size_t count)
{
	json_error_t fault;
	json_t *answer = NULL;

	/* A \u0000 in a text is JSON: the answer names the parameter that has it. */
	line->request = json_loadb(
		bytes, count, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &fault);
	line->batch = json_is_array(line->request);
	line->next = 0;
	if (!line->request)
		answer = parse_error_new(&fault);
	else if (line->batch)
		answer = batch_fault(line->request);
	if (!answer)
		return;
	line->batch = false;
	line->answer = line_new(answer);
	json_decref(line->request);
	line->request = NULL;
}

static size_t request_count(const struct wm_rpc_line *line)
{
	return line->batch ? json_array_size(line->request) : 1;
}

static const json_t *request_at(const struct wm_rpc_line *line, size_t place)
{
	return line->batch ? json_array_get(line->request, place) : line->request;
}

/* Takes over answer, of the request that was run last; NULL: none is due. */
static void answer_put(struct wm_rpc_line *line, json_t *answer)
{
	if (answer)
		answer_append(line, request_at(line, line->next - 1), line_new(answer),
			      request_count(line) - line->next);
}

bool wm_rpc_line_step(struct wm_rpc_line *line)
{
	if (!line->request)
		return true;
	if (line->next < request_count(line))
		answer_put(line, request_answer(line, request_at(line, line->next++)));
	return !line->waits && line->next == request_count(line);
}

void wm_rpc_request_answer(struct wm_rpc_request *request, json_t *result, int code,
			   const struct wm_error *error)
{
	json_t *answer = response_new(request->method, result, code, error, request->id);
	struct wm_rpc_line *line = request->line;

	if (line) {
		line->waits = NULL;
		answer_put(line, answer);
		line->wake(line);
	} else {
		json_decref(answer);
	}
	json_decref(request->id);
	free(request);
}

char *wm_rpc_line_end(struct wm_rpc_line *line)
{
	char *answer = line->answer;

	if (answer && line->batch)
		strcpy(answer + line->answer_bytes, "]");
	if (line->waits)
		line->waits->line = NULL;
	json_decref(line->request);
	line->request = NULL;
	line->waits = NULL;
	line->answer = NULL;
	line->answer_bytes = 0;
	return answer;
}

/* ---- parameters --------------------------------------------------------- */

static bool are_texts(const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (!text_of(json_array_get(list, i)))
			return false;
	}
	return json_is_array(list);
}

static bool param_take(const struct wm_rpc_param *param, const json_t *value)
{
	switch (param->type) {
	case WM_RPC_STRING:
		if (!text_of(value))
			return false;
		*(const char **)param->value = text_of(value);
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
	case WM_RPC_STRINGS:
		if (!are_texts(value))
			return false;
		*(const json_t **)param->value = value;
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
	static const char *const type_names[] = { "a string without \\u0000",
						  "a whole number from 0", "true or false",
						  "an array of strings without \\u0000" };
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
