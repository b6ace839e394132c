/* SPDX-License-Identifier: BSD-3-Clause */
/* The server at its socket: pieces of lines, turns, bounds, and the file that it listens at. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "rpc_rig.h"
#include "wiremill/limits.h"

/* ---- the socket --------------------------------------------------------- */

struct fixture {
	char directory[64], path[96];
	struct wm_rpc *rpc;
};

static int server_create_for(struct wm_rpc **rpc, const char *path, unsigned clients_max,
			     struct wm_error *error)
{
	const struct wm_rpc_config config = {
		.socket_path = path,
		.tables = tables,
		.context = &method_context,
		.clients_max = clients_max,
	};

	return wm_rpc_create(rpc, &config, error);
}

static int server_create(struct wm_rpc **rpc, const char *path, struct wm_error *error)
{
	return server_create_for(rpc, path, 0, error);
}

static void fixture_init(struct fixture *fixture)
{
	struct wm_error error;

	snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/wm-rpc-test-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(fixture->directory));
	snprintf(fixture->path, sizeof(fixture->path), "%s/sock", fixture->directory);
	CU_ASSERT_EQUAL_FATAL(server_create(&fixture->rpc, fixture->path, &error), 0);
}

static void fixture_fini(struct fixture *fixture)
{
	wm_rpc_destroy(&fixture->rpc);
	unlink(fixture->path);
	CU_ASSERT_EQUAL(rmdir(fixture->directory), 0);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Serves until there is nothing left to do; a server that never rests fails. */
static void step(struct wm_rpc *rpc)
{
	struct pollfd fd = { .fd = wm_rpc_fd(rpc), .events = POLLIN };
	unsigned turns = 0;

	while (poll(&fd, 1, 0) > 0 && turns++ < 100000)
		wm_rpc_serve(rpc);
	CU_ASSERT_FATAL(turns < 100000);
}

static void say(struct fixture *fixture, int fd, const char *bytes, size_t count)
{
	for (ssize_t sent; count > 0; bytes += sent, count -= (size_t)sent) {
		sent = send(fd, bytes, count, MSG_NOSIGNAL);
		/* A server that has taken all it had takes more now. */
		CU_ASSERT_FATAL(sent > 0);
		step(fixture->rpc);
	}
}

/* Reads what is there, up to text_bytes - 1; returns how much. */
static size_t hear(struct fixture *fixture, int fd, char *text, size_t text_bytes)
{
	size_t done = 0;
	ssize_t received;

	step(fixture->rpc);
	while (done < text_bytes - 1 &&
	       (received = recv(fd, text + done, text_bytes - 1 - done, 0)) > 0) {
		done += (size_t)received;
		step(fixture->rpc);
	}
	text[done] = '\0';
	return done;
}

#define NONE(id) "{\"jsonrpc\":\"2.0\",\"method\":\"none\",\"id\":" id "}\n"
#define NONE_ANSWER(id) "{\"jsonrpc\":\"2.0\",\"result\":42,\"id\":" id "}\n"

static void line_may_come_in_pieces(void)
{
	struct fixture fixture;
	char text[256];
	int fd;

	fixture_init(&fixture);
	fd = connect_to(fixture.path);
	for (const char *byte = NONE("1"); *byte; byte++) {
		CU_ASSERT_EQUAL(hear(&fixture, fd, text, sizeof(text)), 0);
		say(&fixture, fd, byte, 1);
	}
	hear(&fixture, fd, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, NONE_ANSWER("1"));
	close(fd);
	fixture_fini(&fixture);
}

static void pipelined_requests_are_answered_in_order(void)
{
	struct fixture fixture;
	char text[65536], *line = text;
	int fd;

	fixture_init(&fixture);
	fd = connect_to(fixture.path);
	for (unsigned i = 0; i < 100; i++) {
		char request[128];

		snprintf(request, sizeof(request), "\n \r\n" NONE("%u"), i);
		say(&fixture, fd, request, strlen(request));
	}
	hear(&fixture, fd, text, sizeof(text));
	for (unsigned i = 0; i < 100; i++) {
		char expected[128];

		snprintf(expected, sizeof(expected), NONE_ANSWER("%u"), i);
		CU_ASSERT_EQUAL_FATAL(strncmp(line, expected, strlen(expected)), 0);
		line += strlen(expected);
	}
	CU_ASSERT_EQUAL(*line, '\0');
	close(fd);
	fixture_fini(&fixture);
}

static void last_line_needs_no_newline(void)
{
	struct fixture fixture;
	char text[256];
	int fd;

	fixture_init(&fixture);
	fd = connect_to(fixture.path);
	say(&fixture, fd, NONE("1"), strlen(NONE("1")) - 1);
	shutdown(fd, SHUT_WR);
	hear(&fixture, fd, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, NONE_ANSWER("1"));
	CU_ASSERT_EQUAL(recv(fd, text, 1, 0), 0);
	close(fd);
	fixture_fini(&fixture);
}

/* Its own next line waits, another client does not. */
static void client_whose_answer_comes_later_keeps_nobody_waiting(void)
{
	struct fixture fixture;
	char text[256];
	int slow, other;

	fixture_init(&fixture);
	slow = connect_to(fixture.path);
	other = connect_to(fixture.path);
	waiting_count = 0;
	say(&fixture, slow, LATER("1") "\n" NONE("2"), strlen(LATER("1") "\n" NONE("2")));
	say(&fixture, other, NONE("3"), strlen(NONE("3")));
	hear(&fixture, other, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, NONE_ANSWER("3"));
	CU_ASSERT_EQUAL(hear(&fixture, slow, text, sizeof(text)), 0);
	shutdown(slow, SHUT_WR);
	/* However long that takes. */
	wm_rpc_tick(fixture.rpc, wm_clock_ns() + 3600 * WM_NS_PER_S);
	step(fixture.rpc);
	later_answer(0, 8);
	hear(&fixture, slow, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text,
			       "{\"jsonrpc\":\"2.0\",\"result\":8,\"id\":1}\n" NONE_ANSWER("2"));
	CU_ASSERT_EQUAL(recv(slow, text, 1, 0), 0);
	close(slow);
	close(other);
	fixture_fini(&fixture);
}

static void client_that_leaves_before_its_answer_does_no_harm(void)
{
	struct fixture fixture;
	char text[256];
	int fd;

	fixture_init(&fixture);
	waiting_count = 0;
	for (unsigned i = 0; i < 2; i++) {
		fd = connect_to(fixture.path);
		say(&fixture, fd, LATER("1") "\n", strlen(LATER("1") "\n"));
		close(fd);
		step(fixture.rpc);
	}
	CU_ASSERT_EQUAL_FATAL(waiting_count, 2);
	later_answer(0, 8);
	fd = connect_to(fixture.path);
	say(&fixture, fd, NONE("1"), strlen(NONE("1")));
	hear(&fixture, fd, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, NONE_ANSWER("1"));
	close(fd);
	fixture_fini(&fixture);
	/* The server is gone, too. */
	later_answer(1, 8);
}

/* A line of that length: answered how often, and is the next one answered? */
static void line_of(size_t bytes, const char *expected)
{
	struct fixture fixture;
	char *line = malloc(bytes + 1), text[512];
	int fd;

	memset(line, ' ', bytes);
	memcpy(line, NONE("1"), strlen(NONE("1")) - 1);
	line[bytes] = '\n';
	fixture_init(&fixture);
	fd = connect_to(fixture.path);
	say(&fixture, fd, line, bytes + 1);
	say(&fixture, fd, NONE("2"), strlen(NONE("2")));
	hear(&fixture, fd, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, expected);
	close(fd);
	fixture_fini(&fixture);
	free(line);
}

#define TOO_LONG_ANSWER                                    \
	"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600," \
	"\"message\":\"a line has at most 1 MiB\"},\"id\":null}\n"

static void longest_line_is_answered(void)
{
	line_of(WM_RPC_LINE_BYTES_MAX - 1, NONE_ANSWER("1") NONE_ANSWER("2"));
}

static void oversized_line_is_refused_once_and_skipped(void)
{
	line_of(WM_RPC_LINE_BYTES_MAX, TOO_LONG_ANSWER NONE_ANSWER("2"));
	line_of(WM_RPC_LINE_BYTES_MAX + 1, TOO_LONG_ANSWER NONE_ANSWER("2"));
	line_of(3 * WM_RPC_LINE_BYTES_MAX + 7, TOO_LONG_ANSWER NONE_ANSWER("2"));
}

#define BIG                                                                               \
	"{\"jsonrpc\":\"2.0\",\"method\":\"repeat\",\"params\":{\"text\":\"0123456789\"," \
	"\"times\":100000},\"id\":1}\n"

/* Sends large requests until the server takes no more, and reads nothing. */
static unsigned flood(struct fixture *fixture, int fd, unsigned most)
{
	unsigned count = 0;

	while (count < most && send(fd, BIG, strlen(BIG), MSG_NOSIGNAL) == (ssize_t)strlen(BIG)) {
		step(fixture->rpc);
		count++;
	}
	return count;
}

static void slow_reader_is_not_read_from(void)
{
	struct fixture fixture;
	char *text = malloc(65536), answer[256];
	unsigned asked, heard = 0;
	int slow, other;
	size_t n;

	fixture_init(&fixture);
	slow = connect_to(fixture.path);
	other = connect_to(fixture.path);
	calls = 0;
	asked = flood(&fixture, slow, 1000000);
	CU_ASSERT(asked < 1000000);
	/* one answer waits, the rest were never run */
	CU_ASSERT(calls < 10);

	say(&fixture, other, NONE("5"), strlen(NONE("5")));
	hear(&fixture, other, answer, sizeof(answer));
	CU_ASSERT_STRING_EQUAL(answer, NONE_ANSWER("5"));

	/* and when it reads after all, nothing is lost */
	shutdown(slow, SHUT_WR);
	while (heard < 20 && (n = hear(&fixture, slow, text, 65536)) > 0) {
		for (size_t i = 0; i < n; i++)
			heard += text[i] == '\n';
	}
	CU_ASSERT_EQUAL(heard, 20);
	close(slow);
	close(other);
	fixture_fini(&fixture);
	free(text);
}

static bool is_closed(int fd)
{
	char byte;

	return recv(fd, &byte, 1, 0) == 0;
}

/* A question and its answer, and nothing else. */
static bool answers(struct fixture *fixture, int fd)
{
	char text[256];

	say(fixture, fd, NONE("2"), strlen(NONE("2")));
	hear(fixture, fd, text, sizeof(text));
	return strcmp(text, NONE_ANSWER("2")) == 0;
}

static void later(struct fixture *fixture, uint64_t seconds)
{
	wm_rpc_tick(fixture->rpc, wm_clock_ns() + seconds * WM_NS_PER_S);
	step(fixture->rpc);
}

#define FEW 4u

/* FEW clients, as many as there may be, and one that came later. */
static void places_fill(struct fixture *fixture, int fds[FEW + 1])
{
	fixture_init(fixture);
	wm_rpc_destroy(&fixture->rpc);
	CU_ASSERT_EQUAL_FATAL(server_create_for(&fixture->rpc, fixture->path, FEW, NULL), 0);
	for (unsigned i = 0; i <= FEW; i++) {
		fds[i] = connect_to(fixture->path);
		step(fixture->rpc);
	}
	CU_ASSERT_EQUAL(send(fds[FEW], NONE("2"), strlen(NONE("2")), MSG_NOSIGNAL),
			(ssize_t)strlen(NONE("2")));
}

static void places_empty(struct fixture *fixture, const int fds[FEW + 1])
{
	for (unsigned i = 0; i <= FEW; i++)
		close(fds[i]);
	fixture_fini(fixture);
}

static void newcomer_waits_for_a_place_and_evicts_nobody(void)
{
	struct fixture fixture;
	int fds[FEW + 1];
	char text[256];

	places_fill(&fixture, fds);
	for (unsigned i = 0; i < FEW; i++)
		CU_ASSERT(answers(&fixture, fds[i]));
	later(&fixture, 2);
	for (unsigned i = 0; i < FEW; i++)
		CU_ASSERT(answers(&fixture, fds[i]));
	CU_ASSERT_EQUAL(hear(&fixture, fds[FEW], text, sizeof(text)), 0);
	/* and what it asked meanwhile is answered as soon as one leaves */
	close(fds[1]);
	hear(&fixture, fds[FEW], text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, NONE_ANSWER("2"));
	fds[1] = connect_to(fixture.path);
	places_empty(&fixture, fds);
}

static void place_of_one_that_asks_nothing_is_given_away_where_another_waits(void)
{
	struct fixture fixture;
	int fds[FEW + 1];
	char text[256];

	places_fill(&fixture, fds);
	later(&fixture, 90);
	CU_ASSERT(is_closed(fds[0]));
	hear(&fixture, fds[FEW], text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, NONE_ANSWER("2"));
	/* with places free it may stay for as long as it likes */
	later(&fixture, 3600);
	CU_ASSERT(answers(&fixture, fds[FEW]));
	places_empty(&fixture, fds);
}

static void who_stops_in_the_middle_loses_the_connection(void)
{
	struct fixture fixture;
	int reader, writer, idle;

	fixture_init(&fixture);
	reader = connect_to(fixture.path);
	writer = connect_to(fixture.path);
	idle = connect_to(fixture.path);
	flood(&fixture, reader, 1000000);
	say(&fixture, writer, NONE("1"), 10);
	CU_ASSERT(answers(&fixture, idle));
	later(&fixture, 60);
	CU_ASSERT(is_closed(writer));
	CU_ASSERT_EQUAL(send(reader, "\n", 1, MSG_NOSIGNAL), -1);
	CU_ASSERT(answers(&fixture, idle));
	close(reader), close(writer), close(idle);
	fixture_fini(&fixture);
}

/* More of them than the memory for all: what they wait for goes first. */
static void readers_that_do_not_read_do_not_fill_memory(void)
{
	const unsigned count = WM_RPC_MEMORY_BYTES_MAX / 1000000 + 2;
	int *fds = calloc(count, sizeof(*fds)), other;
	struct fixture fixture;
	char text[256];

	fixture_init(&fixture);
	for (unsigned i = 0; i < count; i++) {
		fds[i] = connect_to(fixture.path);
		flood(&fixture, fds[i], 3);
	}
	other = connect_to(fixture.path);
	say(&fixture, other, NONE("2"), strlen(NONE("2")));
	hear(&fixture, other, text, sizeof(text));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "fill the controller's memory"));
	later(&fixture, 60);
	CU_ASSERT(answers(&fixture, other));
	CU_ASSERT(mallinfo2().uordblks < 4 * 1024 * 1024);
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
	close(other);
	fixture_fini(&fixture);
	free(fds);
}

/* ---- turns ---------------------------------------------------------------- */

#define NOTE "{\"jsonrpc\":\"2.0\",\"method\":\"none\"}"

/* Sends `line` so often in one go, and `other` asks once; after how many turns of the
 * server is that one answered? */
static unsigned turns_until_another_is_answered(const char *line, unsigned times)
{
	struct fixture fixture;
	char *lines = calloc(times, strlen(line) + 1), text[256];
	int busy, other;
	unsigned turns = 0;

	for (unsigned i = 0; i < times; i++)
		strcpy(lines + i * strlen(line), line);
	fixture_init(&fixture);
	busy = connect_to(fixture.path);
	other = connect_to(fixture.path);
	step(fixture.rpc);
	calls = 0;
	CU_ASSERT_EQUAL(send(busy, lines, strlen(lines), MSG_NOSIGNAL), (ssize_t)strlen(lines));
	wm_rpc_serve(fixture.rpc);
	CU_ASSERT(calls > 0 && calls < 20);
	CU_ASSERT_EQUAL(send(other, NONE("2"), strlen(NONE("2")), MSG_NOSIGNAL),
			(ssize_t)strlen(NONE("2")));
	while (recv(other, text, sizeof(text), 0) < 0 && turns++ < 100)
		wm_rpc_serve(fixture.rpc);
	step(fixture.rpc);
	close(busy);
	close(other);
	fixture_fini(&fixture);
	free(lines);
	return turns;
}

static void pipelined_notifications_take_turns_with_others(void)
{
	CU_ASSERT(turns_until_another_is_answered(NOTE "\n", 1000) < 4);
	CU_ASSERT_EQUAL(calls, 1001);
}

static void batch_takes_turns_with_others(void)
{
	char batch[64 * sizeof(NOTE) + 8] = "[" NOTE;

	for (unsigned i = 1; i < 64; i++)
		strcat(batch, "," NOTE);
	strcat(batch, "]\n");
	CU_ASSERT(turns_until_another_is_answered(batch, 1) < 4);
	CU_ASSERT_EQUAL(calls, 65);
}

static void client_that_leaves_without_reading_does_no_harm(void)
{
	struct fixture fixture;
	char text[256];
	int fd;

	fixture_init(&fixture);
	fd = connect_to(fixture.path);
	flood(&fixture, fd, 5);
	close(fd);
	step(fixture.rpc);
	fd = connect_to(fixture.path);
	say(&fixture, fd, NONE("1"), strlen(NONE("1")));
	hear(&fixture, fd, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, NONE_ANSWER("1"));
	close(fd);
	fixture_fini(&fixture);
}

/* ---- the socket's file -------------------------------------------------- */

static void socket_that_was_removed_is_made_again(void)
{
	struct fixture fixture;
	int fd, early;

	fixture_init(&fixture);
	early = connect_to(fixture.path);
	CU_ASSERT(answers(&fixture, early));
	unlink(fixture.path);
	later(&fixture, 2);
	fd = connect_to(fixture.path);
	CU_ASSERT(answers(&fixture, fd));
	CU_ASSERT(answers(&fixture, early));
	close(early);
	close(fd);
	fixture_fini(&fixture);
}

static void socket_of_another_daemon_is_left_alone(void)
{
	struct wm_rpc *second = NULL;
	struct fixture fixture;
	struct stat status;

	fixture_init(&fixture);
	unlink(fixture.path);
	CU_ASSERT_EQUAL_FATAL(server_create(&second, fixture.path, NULL), 0);
	later(&fixture, 2);
	later(&fixture, 4);
	wm_rpc_destroy(&fixture.rpc);
	CU_ASSERT_EQUAL(lstat(fixture.path, &status), 0);
	wm_rpc_destroy(&second);
	CU_ASSERT_EQUAL(lstat(fixture.path, &status), -1);
	fixture_fini(&fixture);
}

static void second_daemon_is_refused(void)
{
	struct fixture fixture;
	struct wm_rpc *second = NULL;
	struct wm_error error;
	char text[256];
	int fd;

	fixture_init(&fixture);
	CU_ASSERT_EQUAL(server_create(&second, fixture.path, &error), -EADDRINUSE);
	CU_ASSERT_PTR_NULL(second);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "another wiremilld answers at "));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, fixture.path));
	/* the first one still answers */
	fd = connect_to(fixture.path);
	say(&fixture, fd, NONE("1"), strlen(NONE("1")));
	hear(&fixture, fd, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, NONE_ANSWER("1"));
	close(fd);
	fixture_fini(&fixture);
}

static void socket_of_a_dead_daemon_is_replaced(void)
{
	struct fixture fixture;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct wm_error error;
	int dead;

	fixture_init(&fixture);
	wm_rpc_destroy(&fixture.rpc);
	strcpy(address.sun_path, fixture.path);
	dead = socket(AF_UNIX, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(bind(dead, (struct sockaddr *)&address, sizeof(address)), 0);
	close(dead);
	CU_ASSERT_EQUAL(access(fixture.path, F_OK), 0);
	CU_ASSERT_EQUAL(server_create(&fixture.rpc, fixture.path, &error), 0);
	close(connect_to(fixture.path));
	fixture_fini(&fixture);
}

static void file_that_is_no_socket_stays(void)
{
	struct fixture fixture;
	struct wm_error error;
	struct stat status;

	fixture_init(&fixture);
	wm_rpc_destroy(&fixture.rpc);
	close(open(fixture.path, O_CREAT | O_WRONLY, 0600));
	CU_ASSERT_EQUAL(server_create(&fixture.rpc, fixture.path, &error), -EEXIST);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "is no socket"));
	CU_ASSERT(stat(fixture.path, &status) == 0 && S_ISREG(status.st_mode));
	fixture_fini(&fixture);
}

static void directory_is_made_and_the_socket_is_not_for_all(void)
{
	struct fixture fixture;
	struct wm_rpc *rpc = NULL;
	struct wm_error error;
	char directory[160], path[200];
	struct stat status;

	fixture_init(&fixture);
	snprintf(directory, sizeof(directory), "%s/new", fixture.directory);
	snprintf(path, sizeof(path), "%s/new/sock", fixture.directory);
	CU_ASSERT_EQUAL_FATAL(server_create(&rpc, path, &error), 0);
	CU_ASSERT(stat(path, &status) == 0 && S_ISSOCK(status.st_mode));
	CU_ASSERT_EQUAL(status.st_mode & 0777, 0660);
	wm_rpc_destroy(&rpc);
	CU_ASSERT_EQUAL(access(path, F_OK), -1);
	CU_ASSERT_EQUAL(rmdir(directory), 0);
	fixture_fini(&fixture);
}

static void end_leaves_the_socket_of_another(void)
{
	struct fixture fixture;
	struct wm_rpc *second = NULL;
	struct wm_error error;

	fixture_init(&fixture);
	unlink(fixture.path);
	CU_ASSERT_EQUAL(server_create(&second, fixture.path, &error), 0);
	wm_rpc_destroy(&fixture.rpc);
	CU_ASSERT_EQUAL(access(fixture.path, F_OK), 0);
	wm_rpc_destroy(&second);
	CU_ASSERT_EQUAL(access(fixture.path, F_OK), -1);
	fixture_fini(&fixture);
}

static void impossible_paths_are_refused(void)
{
	struct wm_rpc *rpc = NULL;
	struct wm_error error;
	char path[200];

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	CU_ASSERT_EQUAL(server_create(&rpc, path, &error), -ENAMETOOLONG);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "199 bytes"));
	CU_ASSERT_EQUAL(server_create(&rpc, "", &error), -ENAMETOOLONG);
	CU_ASSERT_EQUAL(server_create(&rpc, "/nonexistent/a/sock", &error), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "/nonexistent/a"));
	CU_ASSERT_PTR_NULL(rpc);
}

static const struct wm_test tests[] = {
	WM_TEST(line_may_come_in_pieces),
	WM_TEST(pipelined_requests_are_answered_in_order),
	WM_TEST(last_line_needs_no_newline),
	WM_TEST(client_whose_answer_comes_later_keeps_nobody_waiting),
	WM_TEST(client_that_leaves_before_its_answer_does_no_harm),
	WM_TEST(longest_line_is_answered),
	WM_TEST(oversized_line_is_refused_once_and_skipped),
	WM_TEST(slow_reader_is_not_read_from),
	WM_TEST(newcomer_waits_for_a_place_and_evicts_nobody),
	WM_TEST(place_of_one_that_asks_nothing_is_given_away_where_another_waits),
	WM_TEST(who_stops_in_the_middle_loses_the_connection),
	WM_TEST(readers_that_do_not_read_do_not_fill_memory),
	WM_TEST(pipelined_notifications_take_turns_with_others),
	WM_TEST(batch_takes_turns_with_others),
	WM_TEST(client_that_leaves_without_reading_does_no_harm),
	WM_TEST(socket_that_was_removed_is_made_again),
	WM_TEST(socket_of_another_daemon_is_left_alone),
	WM_TEST(second_daemon_is_refused),
	WM_TEST(socket_of_a_dead_daemon_is_replaced),
	WM_TEST(file_that_is_no_socket_stays),
	WM_TEST(directory_is_made_and_the_socket_is_not_for_all),
	WM_TEST(end_leaves_the_socket_of_another),
	WM_TEST(impossible_paths_are_refused),
};

int main(void)
{
	return WM_TESTS_RUN("rpc socket", tests);
}
