/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the verbs of the CLI share. main.c finds the verb, takes its options
 * apart by the table that the verb declares, and runs it; so a verb file is its
 * table and its run function, and all verbs behave alike.
 *
 * Results go to stdout, everything else to stderr. An error is one line.
 */
#ifndef WM_CLI_H
#define WM_CLI_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "option.h"
#include "wiremill/control.h"
#include "wiremill/error.h"

struct wm_cli;

struct wm_verb {
	struct wm_option_schema schema;
	void *values; /* what its own options are fields of; NULL: it has none */
	int (*run)(const struct wm_cli *cli); /* returns the exit status */
};

/* What all verbs take beside their own options. */
struct wm_cli {
	const struct wm_verb *verb;
	struct wm_option_line line;
	const char *socket_path;
	bool json;
};

/* A year: longer is a mistake. */
#define WM_CLI_SECONDS_MAX (365u * 24 * 3600)

#define WM_CLI_COMMON 2u
extern const struct wm_option wm_cli_common[WM_CLI_COMMON];
/* What --tail may be, NULL-ended. */
extern const char *const wm_cli_tails[];

/* A verb's schema: with these options of its own, or none. */
#define WM_CLI_SETS(own) \
	.sets = { { own, sizeof(own) / sizeof((own)[0]) }, { wm_cli_common, WM_CLI_COMMON } }
#define WM_CLI_NO_SETS .sets = { { NULL, 0 }, { wm_cli_common, WM_CLI_COMMON } }
#define WM_CLI_VERSION "wiremill " WM_VERSION

/* "job submit" */
const char *wm_cli_verb_name(const struct wm_verb *verb);

extern const struct wm_verb wm_verb_job_submit, wm_verb_job_list, wm_verb_job_show,
	wm_verb_job_watch, wm_verb_job_cancel, wm_verb_job_resume, wm_verb_job_discard,
	wm_verb_kernel_show, wm_verb_kernel_check, wm_verb_kernel_list, wm_verb_kernel_add,
	wm_verb_kernel_remove, wm_verb_node_list, wm_verb_node_admit, wm_verb_stats, wm_verb_verify,
	wm_verb_key, wm_verb_version;
/* All of them, NULL-ended. */
extern const struct wm_verb *const wm_verbs[];

/* One line on stderr, made printable. Returns WM_EXIT_FAILED. */
int wm_cli_failed(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Likewise with where to read on. Returns WM_EXIT_USAGE. verb NULL: the program. */
int wm_cli_wrong_usage(const struct wm_verb *verb, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The one JSON value of --json, in ASCII. Borrows value; returns WM_EXIT_DONE. */
int wm_cli_print_json(const json_t *value);

/* The same file for the controller, which runs in another directory. WM_EXIT_DONE or
 * WM_EXIT_FAILED. */
int wm_cli_path(char absolute[PATH_MAX], const char *path);
/* The operand as a job's number: WM_EXIT_DONE or WM_EXIT_USAGE. */
int wm_cli_job_number(const struct wm_cli *cli, uint64_t *job);

/* Members of an object that may lack them: "" and 0 then. */
const char *wm_cli_text(const json_t *object, const char *name);
uint64_t wm_cli_number(const json_t *object, const char *name);
double wm_cli_real(const json_t *object, const char *name);
bool wm_cli_bool(const json_t *object, const char *name);

#endif
