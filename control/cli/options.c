/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <string.h>

static unsigned verb_words(const struct wm_verb *verb)
{
	return strchr(wm_cli_verb_name(verb), ' ') ? 2 : 1;
}

static bool verb_is(const struct wm_verb *verb, int argc, char **argv)
{
	const char *name = wm_cli_verb_name(verb);
	size_t bytes = strcspn(name, " ");

	if (strlen(argv[0]) != bytes || strncmp(name, argv[0], bytes) != 0)
		return false;
	return verb_words(verb) == 1 || (argc > 1 && strcmp(name + bytes + 1, argv[1]) == 0);
}

int wm_options_verb(int argc, char **argv, const struct wm_verb *const *verbs,
		    const struct wm_verb **verb)
{
	int place = 1;

	/* Of the options that may stand here only --socket takes a value. */
	while (place < argc && argv[place][0] == '-')
		place += strcmp(argv[place], "--socket") == 0 ? 2 : 1;
	*verb = NULL;
	if (place >= argc)
		return argc;
	for (; *verbs; verbs++) {
		if (verb_is(*verbs, argc - place, argv + place))
			*verb = *verbs;
	}
	return place;
}

int wm_options_take(struct wm_cli *cli, int argc, char **argv, int verb_place)
{
	const int words = (int)verb_words(cli->verb);

	memmove(argv + 1 + words, argv + 1, (size_t)(verb_place - 1) * sizeof(*argv));
	return wm_option_take(&cli->verb->schema, (void *[]){ cli->verb->values, cli },
			      argc - 1 - words, argv + 1 + words, &cli->line);
}
