/* SPDX-License-Identifier: BSD-3-Clause */
/* A line of JSON-RPC, and what it is answered with. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc_rig.h"
#include "wiremill/limits.h"

/* ---- one line ----------------------------------------------------------- */

static unsigned wakes;

static void line_wake(struct wm_rpc_line *line)
{
	(void)line;
	wakes++;
}

static struct wm_rpc_line line_new(void)
{
	waiting_count = wakes = 0;
	return (struct wm_rpc_line){ .tables = tables,
				     .context = &method_context,
				     .wake = line_wake };
}

static char *answer_bytes(const char *bytes, size_t count)
{
	struct wm_rpc_line line = line_new();

	wm_rpc_line_begin(&line, bytes, count);
	while (!wm_rpc_line_step(&line))
		CU_ASSERT_PTR_NULL_FATAL(line.waits);
	return wm_rpc_line_end(&line);
}

static bool answer_is(const char *line, const char *expected)
{
	char *answer = answer_bytes(line, strlen(line));
	bool same = answer && expected ? strcmp(answer, expected) == 0 : answer == expected;

	if (!same)
		printf("# %s\n# gave     %s\n# expected %s\n", line, answer ? answer : "nothing",
		       expected ? expected : "nothing");
	free(answer);
	return same;
}

/* The code of the error that a line is answered with; its message and id must fit. */
static int fault_of_bytes(const char *line, size_t bytes, const char *message, const char *id)
{
	char *answer = answer_bytes(line, bytes), *id_text = NULL;
	json_t *root = answer ? json_loads(answer, 0, NULL) : NULL;
	json_t *fault = json_object_get(root, "error");
	const char *text = json_string_value(json_object_get(fault, "message"));
	int code = (int)json_integer_value(json_object_get(fault, "code"));

	id_text = json_dumps(json_object_get(root, "id"), JSON_ENCODE_ANY);
	if (!text || !strstr(text, message) || !id_text || strcmp(id_text, id) != 0) {
		printf("# %.200s\n# gave %.200s, expected '%s' and id %s\n", line, answer, message,
		       id);
		code = 0;
	}
	free(id_text);
	free(answer);
	json_decref(root);
	return code;
}

static int fault_of(const char *line, const char *message, const char *id)
{
	return fault_of_bytes(line, strlen(line), message, id);
}

static void request_is_answered_with_its_own_id(void)
{
	CU_ASSERT(answer_is("{\"jsonrpc\":\"2.0\",\"method\":\"none\",\"id\":7}",
			    "{\"jsonrpc\":\"2.0\",\"result\":42,\"id\":7}"));
	CU_ASSERT(answer_is("{\"jsonrpc\":\"2.0\",\"method\":\"none\",\"id\":\"a\"}",
			    "{\"jsonrpc\":\"2.0\",\"result\":42,\"id\":\"a\"}"));
	CU_ASSERT(answer_is("{\"jsonrpc\":\"2.0\",\"method\":\"none\",\"id\":null}",
			    "{\"jsonrpc\":\"2.0\",\"result\":42,\"id\":null}"));
	CU_ASSERT(answer_is(" { \"id\" : 0 , \"params\" : {} , \"method\" : \"none\" , "
			    "\"jsonrpc\" : \"2.0\" } \r",
			    "{\"jsonrpc\":\"2.0\",\"result\":42,\"id\":0}"));
}

static void notification_runs_and_is_not_answered(void)
{
	calls = 0;
	CU_ASSERT(answer_is("{\"jsonrpc\":\"2.0\",\"method\":\"none\"}", NULL));
	CU_ASSERT_EQUAL(calls, 1);
	CU_ASSERT(answer_is("{\"jsonrpc\":\"2.0\",\"method\":\"refuse\"}", NULL));
	CU_ASSERT(answer_is("{\"jsonrpc\":\"2.0\",\"method\":\"unknown\"}", NULL));
	CU_ASSERT(answer_is("{\"jsonrpc\":\"2.0\",\"method\":\"none\",\"params\":[1]}", NULL));
}

static void what_is_no_json_is_a_parse_error(void)
{
	static const char *const lines[] = { "hello",
					     "{",
					     "[",
					     "{\"a\":}",
					     "{} {}",
					     "\"open",
					     "{'a':1}",
					     "\"\xff\"",
					     "[1,]",
					     "1e999",
					     "99999999999999999999" };

	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		CU_ASSERT_EQUAL(fault_of(lines[i], "not JSON", "null"), WM_RPC_PARSE_ERROR);
}

#define NONE_WITH(more) "{\"jsonrpc\":\"2.0\",\"method\":\"none\",\"id\":1," more "}"

/* It is JSON, of which nobody knows what it means: that is said, and where. */
static void repeated_key_is_named_by_its_place(void)
{
	calls = 0;
	CU_ASSERT_EQUAL(fault_of("{\"a\":1,\"a\":2}",
				 "the key that ends at byte 10 stands there twice in one object",
				 "null"),
			WM_RPC_INVALID_REQUEST);
	CU_ASSERT_EQUAL(
		fault_of(NONE_WITH("\"id\":2"), "the key that ends at byte 44 stands", "null"),
		WM_RPC_INVALID_REQUEST);
	CU_ASSERT_EQUAL(fault_of("[" NONE_WITH("\"params\":{\"a\":1,\"a\":2}") "]",
				 "the key that ends at byte 60 stands", "null"),
			WM_RPC_INVALID_REQUEST);
	CU_ASSERT_EQUAL(
		fault_of("{\"a\\u0000\":1}", "the key that ends at byte 10 has a \\u0000", "null"),
		WM_RPC_INVALID_REQUEST);
	CU_ASSERT_EQUAL(calls, 0);
}

static void escaped_nul_is_never_the_end_of_a_text(void)
{
	calls = 0;
	CU_ASSERT_EQUAL(fault_of("\"\\u0000\"", "a request is an object", "null"),
			WM_RPC_INVALID_REQUEST);
	CU_ASSERT_EQUAL(fault_of("{\"jsonrpc\":\"2.0\",\"method\":\"none\\u0000x\",\"id\":1}",
				 "a request has a \"method\", a string without \\u0000", "null"),
			WM_RPC_INVALID_REQUEST);
	CU_ASSERT_EQUAL(fault_of("{\"jsonrpc\":\"2.0\\u0000\",\"method\":\"none\",\"id\":1}",
				 "a request has \"jsonrpc\": \"2.0\"", "null"),
			WM_RPC_INVALID_REQUEST);
	CU_ASSERT_EQUAL(calls, 0);
	/* Only given back. */
	CU_ASSERT(answer_is("{\"jsonrpc\":\"2.0\",\"method\":\"none\",\"id\":\"a\\u0000\"}",
			    "{\"jsonrpc\":\"2.0\",\"result\":42,\"id\":\"a\\u0000\"}"));
}

static void nul_bytes_are_a_parse_error(void)
{
	static const char inside[] = "{\"jsonrpc\":\"2.0\",\"method\":\"no\0ne\",\"id\":1}";
	static const char after[] = "{\"jsonrpc\":\"2.0\",\"method\":\"none\",\"id\":1}\0";

	CU_ASSERT_EQUAL(fault_of_bytes(inside, sizeof(inside) - 1, "not JSON", "null"),
			WM_RPC_PARSE_ERROR);
	CU_ASSERT_EQUAL(fault_of_bytes(after, sizeof(after) - 1, "not JSON", "null"),
			WM_RPC_PARSE_ERROR);
	CU_ASSERT_EQUAL(fault_of_bytes("\0", 1, "not JSON", "null"), WM_RPC_PARSE_ERROR);
	CU_ASSERT_EQUAL(fault_of_bytes("", 0, "not JSON", "null"), WM_RPC_PARSE_ERROR);
}

static void deep_nesting_is_a_parse_error(void)
{
	size_t depth = WM_RPC_LINE_BYTES_MAX - 1;
	char *line = malloc(depth);

	memset(line, '[', depth);
	CU_ASSERT_EQUAL(fault_of_bytes(line, depth, "not JSON", "null"), WM_RPC_PARSE_ERROR);
	for (size_t i = 0; i + 5 <= depth; i += 5)
		memcpy(line + i, "{\"a\":", 5);
	CU_ASSERT_EQUAL(fault_of_bytes(line, depth, "not JSON", "null"), WM_RPC_PARSE_ERROR);
	free(line);
}

static void what_is_no_request_is_invalid(void)
{
	static const char *const lines[] = {
		"1",
		"null",
		"\"none\"",
		"{}",
		"{\"method\":\"none\",\"id\":1}",
		"{\"jsonrpc\":\"1.0\",\"method\":\"none\",\"id\":1}",
		"{\"jsonrpc\":2.0,\"method\":\"none\",\"id\":1}",
		"{\"jsonrpc\":\"2.0\",\"id\":1}",
		"{\"jsonrpc\":\"2.0\",\"method\":1,\"id\":1}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"none\",\"id\":{}}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"none\",\"id\":[1]}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"none\",\"id\":true}",
		"[]",
	};

	calls = 0;
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		CU_ASSERT_EQUAL(fault_of(lines[i], "a", "null"), WM_RPC_INVALID_REQUEST);
	CU_ASSERT_EQUAL(calls, 0);
}

static void unknown_method_is_named(void)
{
	CU_ASSERT_EQUAL(fault_of("{\"jsonrpc\":\"2.0\",\"method\":\"job.fly\",\"id\":3}",
				 "there is no method 'job.fly'", "3"),
			WM_RPC_METHOD_NOT_FOUND);
	/* Whatever else is wrong with what it would be given. */
	CU_ASSERT_EQUAL(fault_of("{\"jsonrpc\":\"2.0\",\"method\":\"job.fly\",\"params\":[1],"
				 "\"id\":3}",
				 "there is no method 'job.fly'", "3"),
			WM_RPC_METHOD_NOT_FOUND);
}

static void message_stays_one_line_of_what_it_quotes(void)
{
	CU_ASSERT_EQUAL(
		fault_of("{\"jsonrpc\":\"2.0\",\"method\":\"a\\n\\u001b\\u007fb\",\"id\":3}",
			 "there is no method 'a\\x0a\\x1b\\x7fb'", "3"),
		WM_RPC_METHOD_NOT_FOUND);
}

#define REPEAT(params) "{\"jsonrpc\":\"2.0\",\"method\":\"repeat\",\"params\":" params ",\"id\":1}"

static void wrong_parameters_are_named(void)
{
	static const struct {
		const char *line, *message;
	} wrong[] = {
		{ REPEAT("[\"x\"]"), "'params' is an object" },
		{ REPEAT("\"x\""), "'params' is an object" },
		{ REPEAT("null"), "'params' is an object" },
		{ REPEAT("{}"), "parameter 'text' is missing" },
		{ REPEAT("{\"text\":1}"), "parameter 'text' must be a string" },
		{ REPEAT("{\"text\":null}"), "parameter 'text' must be a string" },
		{ REPEAT("{\"text\":\"/a\\u0000/b\"}"),
		  "parameter 'text' must be a string without \\u0000" },
		{ REPEAT("{\"text\":\"x\",\"times\":-1}"), "parameter 'times' must be a whole" },
		{ REPEAT("{\"text\":\"x\",\"times\":1.5}"), "parameter 'times' must be a whole" },
		{ REPEAT("{\"text\":\"x\",\"upper\":1}"), "'upper' must be true or false" },
		{ REPEAT("{\"text\":\"x\",\"time\":1}"), "there is no parameter 'time'" },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"none\",\"params\":{\"x\":1},\"id\":1}",
		  "there is no parameter 'x'" },
	};

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CU_ASSERT_EQUAL(fault_of(wrong[i].line, wrong[i].message, "1"),
				WM_RPC_INVALID_PARAMS);
}

static void parameters_reach_the_method(void)
{
	CU_ASSERT(answer_is(REPEAT("{\"text\":\"ab\",\"times\":3}"),
			    "{\"jsonrpc\":\"2.0\",\"result\":\"ababab\",\"id\":1}"));
	CU_ASSERT(answer_is(REPEAT("{\"text\":\"ab\"}"),
			    "{\"jsonrpc\":\"2.0\",\"result\":\"ab\",\"id\":1}"));
	CU_ASSERT(answer_is(REPEAT("{\"text\":\"ab\",\"upper\":true}"),
			    "{\"jsonrpc\":\"2.0\",\"result\":\"UPPER\",\"id\":1}"));
}

static void refusal_carries_its_line(void)
{
	CU_ASSERT_EQUAL(fault_of("{\"jsonrpc\":\"2.0\",\"method\":\"refuse\",\"id\":1}",
				 "the job is done: it cannot be cancelled", "1"),
			WM_RPC_FAILED);
	CU_ASSERT_EQUAL(
		fault_of("{\"jsonrpc\":\"2.0\",\"method\":\"broken\",\"id\":1}", "cut \\xc3", "1"),
		-32001);
	CU_ASSERT_EQUAL(
		fault_of("{\"jsonrpc\":\"2.0\",\"method\":\"silent\",\"id\":1}", "silent", "1"),
		WM_RPC_INTERNAL);
	CU_ASSERT_EQUAL(fault_of("{\"jsonrpc\":\"2.0\",\"method\":\"silent later\",\"id\":1}",
				 "'silent later' could not make its result", "1"),
			WM_RPC_INTERNAL);
}

static void batch_is_answered_as_one_array(void)
{
	CU_ASSERT(answer_is("[{\"jsonrpc\":\"2.0\",\"method\":\"none\",\"id\":1},1,"
			    "{\"jsonrpc\":\"2.0\",\"method\":\"none\"},"
			    "{\"jsonrpc\":\"2.0\",\"method\":\"none\",\"id\":2}]",
			    "[{\"jsonrpc\":\"2.0\",\"result\":42,\"id\":1},"
			    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,"
			    "\"message\":\"a request is an object\"},\"id\":null},"
			    "{\"jsonrpc\":\"2.0\",\"result\":42,\"id\":2}]"));
	/* a batch in a batch is no request */
	CU_ASSERT(answer_is("[[]]", "[{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,"
				    "\"message\":\"a request is an object\"},\"id\":null}]"));
}

static void batch_of_notifications_is_not_answered(void)
{
	calls = 0;
	CU_ASSERT(answer_is("[{\"jsonrpc\":\"2.0\",\"method\":\"none\"},"
			    "{\"jsonrpc\":\"2.0\",\"method\":\"none\"}]",
			    NULL));
	CU_ASSERT_EQUAL(calls, 2);
}

static void batch_has_a_bound(void)
{
	json_t *batch = json_array();
	char *line;

	for (unsigned i = 0; i <= WM_RPC_BATCH_MAX; i++)
		json_array_append_new(batch,
				      json_pack("{s:s, s:s}", "jsonrpc", "2.0", "method", "none"));
	line = json_dumps(batch, 0);
	calls = 0;
	CU_ASSERT_EQUAL(fault_of(line, "at most 64", "null"), WM_RPC_INVALID_REQUEST);
	CU_ASSERT_EQUAL(calls, 0);
	free(line);
	json_array_remove(batch, 0);
	line = json_dumps(batch, 0);
	CU_ASSERT(answer_is(line, NULL));
	CU_ASSERT_EQUAL(calls, WM_RPC_BATCH_MAX);
	free(line);
	json_decref(batch);
}

/* Each of a batch has its answer: what it did cannot be taken back. */
static void answer_that_finds_no_room_in_a_batch_is_the_error_of_its_request_alone(void)
{
	static const char big[] = "{\"jsonrpc\":\"2.0\",\"method\":\"repeat\",\"params\":"
				  "{\"text\":\"0123456789\",\"times\":60000},\"id\":%u}";
	char line[8192] = "[{\"jsonrpc\":\"2.0\",\"method\":\"none\",\"id\":0}", *answer;
	json_t *answers, *one;
	size_t i, n = strlen(line);

	for (unsigned id = 1; id < 40; id++) {
		n += (size_t)snprintf(line + n, sizeof(line) - n, ",");
		n += (size_t)snprintf(line + n, sizeof(line) - n, big, id);
	}
	strcpy(line + n, ",{\"jsonrpc\":\"2.0\",\"method\":\"none\",\"id\":40}]");
	calls = 0;
	answer = answer_bytes(line, strlen(line));
	CU_ASSERT_EQUAL(calls, 41);
	CU_ASSERT(strlen(answer) < WM_RPC_LINE_BYTES_MAX);
	answers = json_loads(answer, 0, NULL);
	CU_ASSERT_EQUAL_FATAL(json_array_size(answers), 41);
	json_array_foreach(answers, i, one)
	{
		CU_ASSERT_EQUAL(json_integer_value(json_object_get(one, "id")), (json_int_t)i);
		CU_ASSERT_EQUAL(!json_object_get(one, "result"), i > 1 && i < 40);
	}
	json_decref(answers);
	free(answer);
}

static void answer_longer_than_a_line_is_refused(void)
{
	CU_ASSERT_EQUAL(fault_of(REPEAT("{\"text\":\"01234567\",\"times\":131072}"),
				 "does not fit a line", "1"),
			WM_RPC_FAILED);
}

static bool end_is(struct wm_rpc_line *line, const char *expected)
{
	char *answer = wm_rpc_line_end(line);
	bool same = answer && expected ? strcmp(answer, expected) == 0 : answer == expected;

	free(answer);
	return same;
}

static void method_may_answer_at_once_or_later(void)
{
	struct wm_rpc_line line = line_new();

	CU_ASSERT(answer_is("{\"jsonrpc\":\"2.0\",\"method\":\"at once\",\"id\":1}",
			    "{\"jsonrpc\":\"2.0\",\"result\":7,\"id\":1}"));
	wm_rpc_line_begin(&line, LATER("3"), strlen(LATER("3")));
	CU_ASSERT_FALSE(wm_rpc_line_step(&line));
	CU_ASSERT(line.waits && wakes == 1);
	later_answer(0, 5);
	CU_ASSERT(!line.waits && wakes == 2 && wm_rpc_line_step(&line));
	CU_ASSERT(end_is(&line, "{\"jsonrpc\":\"2.0\",\"result\":5,\"id\":3}"));
	wm_rpc_line_begin(&line, LATER("4"), strlen(LATER("4")));
	CU_ASSERT_FALSE(wm_rpc_line_step(&line));
	later_answer(1, -1);
	CU_ASSERT(wm_rpc_line_step(&line));
	CU_ASSERT(end_is(&line, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":"
				"\"the disk does not answer\"},\"id\":4}"));
}

static void notification_that_is_done_later_is_not_answered(void)
{
	static const char bytes[] = "{\"jsonrpc\":\"2.0\",\"method\":\"later\"}";
	struct wm_rpc_line line = line_new();

	wm_rpc_line_begin(&line, bytes, strlen(bytes));
	CU_ASSERT_FALSE(wm_rpc_line_step(&line));
	later_answer(0, 5);
	CU_ASSERT(wm_rpc_line_step(&line));
	CU_ASSERT(end_is(&line, NULL));
}

static void rest_of_a_batch_waits_for_what_is_answered_later(void)
{
	static const char bytes[] = "[" LATER("1") ",{\"jsonrpc\":\"2.0\",\"method\":\"none\","
						   "\"id\":2}," LATER("3") "]";
	struct wm_rpc_line line = line_new();

	calls = 0;
	wm_rpc_line_begin(&line, bytes, strlen(bytes));
	CU_ASSERT_FALSE(wm_rpc_line_step(&line));
	CU_ASSERT_EQUAL(calls, 0);
	later_answer(0, 10);
	CU_ASSERT_FALSE(wm_rpc_line_step(&line));
	CU_ASSERT_EQUAL(calls, 1);
	CU_ASSERT_FALSE(wm_rpc_line_step(&line));
	later_answer(1, 30);
	CU_ASSERT(wm_rpc_line_step(&line));
	CU_ASSERT(end_is(&line, "[{\"jsonrpc\":\"2.0\",\"result\":10,\"id\":1},"
				"{\"jsonrpc\":\"2.0\",\"result\":42,\"id\":2},"
				"{\"jsonrpc\":\"2.0\",\"result\":30,\"id\":3}]"));
}

static const struct wm_test tests[] = {
	WM_TEST(request_is_answered_with_its_own_id),
	WM_TEST(notification_runs_and_is_not_answered),
	WM_TEST(what_is_no_json_is_a_parse_error),
	WM_TEST(repeated_key_is_named_by_its_place),
	WM_TEST(escaped_nul_is_never_the_end_of_a_text),
	WM_TEST(nul_bytes_are_a_parse_error),
	WM_TEST(deep_nesting_is_a_parse_error),
	WM_TEST(what_is_no_request_is_invalid),
	WM_TEST(unknown_method_is_named),
	WM_TEST(message_stays_one_line_of_what_it_quotes),
	WM_TEST(wrong_parameters_are_named),
	WM_TEST(parameters_reach_the_method),
	WM_TEST(refusal_carries_its_line),
	WM_TEST(batch_is_answered_as_one_array),
	WM_TEST(batch_of_notifications_is_not_answered),
	WM_TEST(batch_has_a_bound),
	WM_TEST(answer_longer_than_a_line_is_refused),
	WM_TEST(method_may_answer_at_once_or_later),
	WM_TEST(notification_that_is_done_later_is_not_answered),
	WM_TEST(rest_of_a_batch_waits_for_what_is_answered_later),
	WM_TEST(answer_that_finds_no_room_in_a_batch_is_the_error_of_its_request_alone),
};

int main(void)
{
	return WM_TESTS_RUN("rpc", tests);
}
