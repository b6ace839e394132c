/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Command lines by table, the same for all programs: what an option is called, what it takes,
 * between which bounds, what it is without, where it goes, and what help says of it.
 *
 *   --name VALUE  --name=VALUE  --flag  --name[=VALUE]  -h  -hV  --  OPERAND
 *
 * in any order. A table is data alone, so that a configuration file can be read by it as well:
 * a preset is written as a user would, a field is an offset, and WM_OPTION_MANY is a list.
 *
 * Not getopt_long, because it takes what is nearly right for right: it completes names, so that
 * a script breaks by a new option; of an option given twice it keeps the last; and where a value
 * was forgotten it takes the next option for it. It also keeps state between lines, where a
 * script of wiremill-gen has many. What it does beside that is the smaller part of this.
 *
 * Texts are kept by reference. Nothing is allocated. Any thread, a set of values each.
 */
#ifndef WM_OPTION_H
#define WM_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "wiremill/error.h"

/* What the field is, and how its value is written. Numbers are unsigned, of 2, 4 or 8 bytes. */
enum wm_option_type {
	WM_OPTION_FLAG,	    /* bool */
	WM_OPTION_TEXT,	    /* const char *; one of choices where there are some */
	WM_OPTION_PATH,	    /* const char *, of a file */
	WM_OPTION_COUNT,    /* number */
	WM_OPTION_BYTES,    /* number: "4096", "128K", "1G" (powers of 1024) */
	WM_OPTION_DURATION, /* number of unit_ns: "250ms", "5m"; finer units are refused */
	WM_OPTION_SHARE,    /* number, of a million: "0.1%" */
	WM_OPTION_RATE,	    /* number, bits a second: "2.5Gbit" (powers of 1000) */
	WM_OPTION_CHOICE,   /* enum: which of choices */
	WM_OPTION_CUSTOM,   /* what take makes of it */
};

enum wm_option_flags {
	WM_OPTION_REQUIRED = 1,
	WM_OPTION_MANY = 2,	      /* each time it is given adds to it */
	WM_OPTION_VALUE_OPTIONAL = 4, /* a value goes with '=', or not at all */
};

struct wm_option {
	const char *name;	/* without its dashes */
	const char *value_name; /* as help shows it; NULL: a flag */
	enum wm_option_type type;
	unsigned flags;
	uint32_t only; /* a bit for each command that knows it; 0: all of them */
	uint32_t offset, bytes;
	uint64_t unit_ns;	    /* of a duration's field */
	uint64_t min, max;	    /* of numbers, both allowed */
	const char *preset;	    /* what it is when not given; NULL: its field stays */
	const char *const *choices; /* NULL-ended */
	/* Returns 0, or -EINVAL and what is wrong in the error. values is what the field is in. */
	int (*take)(const struct wm_option *option, void *values, const char *text,
		    struct wm_error *error);
	const char *help;
};

#define WM_OPTION_FIELD(type, field) \
	.offset = (uint32_t)offsetof(type, field), .bytes = (uint32_t)sizeof(((type *)0)->field)

/* What several commands share, and what is one's own, lie in structs of their own. */
#define WM_OPTION_SETS 2u
/* Of both sets. */
#define WM_OPTIONS_MAX 64u

struct wm_option_set {
	const struct wm_option *options;
	unsigned count;
};

/* A program's command line, or one of its commands'. -h and --help come by themselves. */
struct wm_option_schema {
	const char *name;    /* as it is typed: "wiremill job submit" */
	const char *version; /* for -V and --version; NULL: it has neither */
	const char *summary; /* a line; NULL: about says it */
	const char *about;   /* any length, wrapped; an empty line parts paragraphs; or NULL */
	const char *notes;   /* the same, behind the options */
	const char *operand; /* name of its one argument, or NULL */
	const char *usage;   /* each way to use it on a line of its own, without the name; NULL:
			      * as the tables have it */
	uint32_t command;    /* which bit of `only` it is; 0: of a program without */
	struct wm_option_set sets[WM_OPTION_SETS];
	const struct wm_option_schema *commands; /* whose summaries help has; or NULL */
	unsigned command_count;
};

enum wm_option_request { WM_OPTION_RUN, WM_OPTION_HELP, WM_OPTION_VERSION };

struct wm_option_line {
	enum wm_option_request request; /* help or version: what came before it was right */
	const char *operand;
	bool given[WM_OPTIONS_MAX]; /* ask wm_option_is_given */
};

/*
 * Takes a line apart; argv begins with its first word, the program's name is none. values are
 * the structs that the sets' offsets are of. Presets are written first. -EINVAL: what is wrong,
 * naming the option, what it takes and what it was given.
 */
int wm_option_parse(const struct wm_option_schema *schema, void *const values[WM_OPTION_SETS],
		    int argc, char *const *argv, struct wm_option_line *line,
		    struct wm_error *error);
/* The same for main: help and version are printed, what is wrong is said. Returns the exit
 * status, or -1: run. */
int wm_option_take(const struct wm_option_schema *schema, void *const values[WM_OPTION_SETS],
		   int argc, char *const *argv, struct wm_option_line *line);
bool wm_option_is_given(const struct wm_option_schema *schema, const struct wm_option_line *line,
			const char *name);
/* "--name is WANTED, not 'text'". Returns -EINVAL. */
int wm_option_refuse(const struct wm_option *option, const char *wanted, const char *text,
		     struct wm_error *error);
/* One option's value as if it were given: what parse does of each. */
int wm_option_set_value(const struct wm_option *option, void *values, const char *text,
			struct wm_error *error);

/* "NAME: what: see 'NAME --help'" on stderr, printable. Returns WM_EXIT_USAGE. */
int wm_option_wrong_usage(const char *name, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* On lines of at most so many columns. */
void wm_option_print_help(const struct wm_option_schema *schema, FILE *stream, unsigned width);

#endif
