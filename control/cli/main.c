/* SPDX-License-Identifier: BSD-3-Clause */
/* The CLI of Wiremill: finds the verb and runs it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"
#include "options.h"
#include "signals.h"
#include "streams.h"
#include "wrap.h"

/* Is it this verb's first word, of two? */
static bool is_group_of(const char *word, const struct wm_verb *verb)
{
	const char *name = wm_cli_verb_name(verb);
	size_t bytes = strlen(word);

	return strncmp(name, word, bytes) == 0 && name[bytes] == ' ';
}

/* All verbs, or those of a group. */
static void verbs_print(const char *group)
{
	printf("wiremill: streams datasets through a rack of GPU nodes\n\n"
	       "usage: wiremill VERB [options]\n\n");
	for (const struct wm_verb *const *verb = wm_verbs; *verb; verb++) {
		if (!group || is_group_of(group, *verb))
			printf("  %-12s %s\n", wm_cli_verb_name(*verb), (*verb)->schema.summary);
	}
	printf("\n'wiremill help VERB' tells more; every verb takes --json and --socket PATH.\n"
	       "-V: the version of this program alone.\n"
	       "Exit status: 0 done; 1 failed, refused, or a job that failed; 2 wrong usage;\n"
	       "3 no controller answers, or no more; 128 and more: by that signal.\n");
}

static bool is_group(const char *word)
{
	for (const struct wm_verb *const *verb = wm_verbs; *verb; verb++) {
		if (is_group_of(word, *verb))
			return true;
	}
	return false;
}

static bool any_is(int argc, char **argv, const char *text)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], text) == 0)
			return true;
	}
	return false;
}

/* The verbs that begin with this word: of "job" the user may know no more. */
static bool group_find(const char *word, char *list, size_t list_bytes)
{
	size_t n = 0;

	for (const struct wm_verb *const *verb = wm_verbs; *verb; verb++) {
		if (!is_group_of(word, *verb))
			continue;
		n += (size_t)snprintf(list + n, list_bytes - n, "%s%s", n ? ", " : "",
				      wm_cli_verb_name(*verb) + strlen(word) + 1);
	}
	return n > 0;
}

static int verb_unknown(int argc, char **argv, int place)
{
	char list[256];

	if (!group_find(argv[place], list, sizeof(list)))
		return wm_cli_wrong_usage(NULL, "there is no verb '%s'", argv[place]);
	if (place + 1 < argc && argv[place + 1][0] != '-')
		return wm_cli_wrong_usage(NULL, "there is no verb '%s %s': '%s' goes with %s",
					  argv[place], argv[place + 1], argv[place], list);
	return wm_cli_wrong_usage(NULL, "'%s' alone is no verb: it goes with %s", argv[place],
				  list);
}

static int no_verb(int argc, char **argv)
{
	if (any_is(argc, argv, "--version") || any_is(argc, argv, "-V"))
		puts(WM_CLI_VERSION);
	else if (argc == 1 || any_is(argc, argv, "--help") || any_is(argc, argv, "-h"))
		verbs_print(NULL);
	else
		return wm_cli_wrong_usage(NULL, "'%s' needs a verb", argv[1]);
	return WM_EXIT_DONE;
}

/* "help", "help GROUP", "help VERB". */
static int help(int argc, char **argv, int place)
{
	const struct wm_verb *verb;
	int word = place + 1;

	if (word == argc) {
		verbs_print(NULL);
		return WM_EXIT_DONE;
	}
	wm_options_verb(argc - place, argv + place, wm_verbs, &verb);
	if (verb)
		wm_option_print_help(&verb->schema, stdout, wm_wrap_page(stdout));
	else if (word + 1 == argc && is_group(argv[word]))
		verbs_print(argv[word]);
	else
		return verb_unknown(argc, argv, word);
	return WM_EXIT_DONE;
}

static int run(int argc, char **argv)
{
	const char *socket_path = getenv("WIREMILL_SOCKET");
	struct wm_cli cli = { .socket_path = socket_path && *socket_path ? socket_path
									 : WM_SOCKET_PATH_DEFAULT };
	int status, place = wm_options_verb(argc, argv, wm_verbs, &cli.verb);

	if (place == argc)
		return no_verb(argc, argv);
	if (!cli.verb && strcmp(argv[place], "help") == 0)
		return help(argc, argv, place);
	if (!cli.verb && (any_is(argc, argv, "--help") || any_is(argc, argv, "-h"))) {
		verbs_print(is_group(argv[place]) ? argv[place] : NULL);
		return WM_EXIT_DONE;
	}
	if (!cli.verb)
		return verb_unknown(argc, argv, place);
	status = wm_options_take(&cli, argc, argv, place);
	return status < 0 ? cli.verb->run(&cli) : status;
}

int main(int argc, char **argv)
{
	int status;

	if (wm_compiler_is_asked(argc, argv))
		return wm_compiler_main();
	wm_streams_keep();
	wm_signals_ignore_writes();
	status = run(argc, argv);
	/* A result that did not reach its file is not done; a reader that went needs no word. */
	if (fflush(stdout) != 0 || ferror(stdout))
		return errno == EPIPE
			       ? WM_EXIT_FAILED
			       : wm_cli_failed("cannot write the result: %s", strerror(errno));
	return status;
}
