/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLI_RIG_H
#define CLI_RIG_H

#include <stdbool.h>
#include <string.h>
#include <sys/types.h>

#include "harness.h"

enum {
	JOB_DONE = 1,
	JOB_FAILS = 2,
	JOB_WAITS = 3,
	JOB_CANCELLED = 4,
	JOB_AGAIN = 5,
	JOB_RESUMED = 6,
	JOB_RESTARTS = 7, /* waits in the controller's first life, and is done in the next */
	JOB_CHANGES = 8,  /* another one has its number in the next */
	JOB_CANCELLING = 10,
	JOB_UNKNOWN = 9
};

extern char directory[64], socket_path[96];
extern const char *program; /* the CLI */
extern unsigned lives;	    /* of the controller, so far */
/* Of the last run. */
extern char out[65536], err[65536];

/* What is done when words appear on stderr, one after the other; ends with NULL words. */
struct cue {
	const char *words;
	void (*act)(pid_t pid);
};

void controller_start(void);
void controller_stop(void);
void interrupt(pid_t pid);
void end_controller(pid_t pid);
void next_controller(pid_t pid);
int run_with(const struct cue *cues, const char *const *arguments);
/* Ctrl-C when these words appear. */
int run_until(const char *words, const char *const *arguments);
bool is_one_line(const char *text);
/* One line on stderr with these words in it, nothing on stdout. */
bool says(const char *words);
/* stdout is one JSON value, and has this text under this name. */
bool json_has(const char *name, const char *text);
bool out_has(const char *words);

#define SUBMIT(kernel, ...) \
	"job", "submit", "--kernel", kernel, "--input", "/a", "--output", "/b", ##__VA_ARGS__

#define RUN(...) run_until(NULL, (const char *const[]){ "wiremill", ##__VA_ARGS__, NULL })

#define WRONG(words, ...)                                       \
	do {                                                    \
		CU_ASSERT_EQUAL(RUN(__VA_ARGS__), 2);           \
		CU_ASSERT(says(words));                         \
		CU_ASSERT_PTR_NOT_NULL(strstr(err, "--help'")); \
	} while (0)

/* The exit status of a test program that was given the path of the CLI. */
int rig_run(const char *name, const struct wm_test *tests, unsigned count, int argc, char **argv);

#endif
