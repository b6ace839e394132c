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
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "wiremill/control.h"
#include "wiremill/error.h"

struct wm_option {
	const char *name;	/* without its dashes */
	const char *value_name; /* as help shows it; NULL: a flag */
	bool value_optional;	/* a flag too, whose value goes with '=' or not at all */
	const char *help;
	bool required;
	const char *const *choices; /* NULL-ended; NULL: any text */
	const char **text;	    /* where the value goes; stays as it is if not given */
	bool *flag;		    /* the same for a flag */
};

struct wm_cli;

struct wm_verb {
	const char *name;    /* "job submit" */
	const char *summary; /* for the list of verbs and the verb's help */
	const char *details; /* more help, of any length: it is wrapped; or NULL */
	const char *operand; /* name of its one argument, or NULL */
	const char *usage;   /* where options exclude each other, each way on a line of its own,
			      * without the verb; NULL: as the table has them */
	const struct wm_option *options;
	unsigned option_count;
	int (*run)(const struct wm_cli *cli); /* returns the exit status */
};

struct wm_cli {
	const struct wm_verb *verb;
	const char *socket_path;
	const char *operand;
	bool json;
};

extern const struct wm_verb wm_verb_job_submit, wm_verb_job_list, wm_verb_job_show,
	wm_verb_job_watch, wm_verb_job_cancel, wm_verb_job_resume, wm_verb_job_discard,
	wm_verb_node_list, wm_verb_node_admit, wm_verb_stats, wm_verb_verify, wm_verb_key,
	wm_verb_version;

/* One line on stderr, made printable. Returns WM_EXIT_FAILED. */
int wm_cli_failed(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Likewise with where to read on. Returns WM_EXIT_USAGE. verb NULL: the program. */
int wm_cli_wrong_usage(const struct wm_verb *verb, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Columns of the terminal behind stream; 80 where there is none. */
unsigned wm_cli_width(FILE *stream);
/* The one JSON value of --json, in ASCII. Borrows value; returns WM_EXIT_DONE. */
int wm_cli_print_json(const json_t *value);

/* The operand as a job's number: WM_EXIT_DONE or WM_EXIT_USAGE. */
int wm_cli_job_number(const struct wm_cli *cli, uint64_t *job);

/* Members of an object that may lack them: "" and 0 then. */
const char *wm_cli_text(const json_t *object, const char *name);
uint64_t wm_cli_number(const json_t *object, const char *name);
double wm_cli_real(const json_t *object, const char *name);
bool wm_cli_bool(const json_t *object, const char *name);

#endif
