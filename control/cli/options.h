/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which verb a command line is for, and its options: base/option.h, but that they may stand
 * before the verb as well.
 */
#ifndef WM_CLI_OPTIONS_H
#define WM_CLI_OPTIONS_H

#include "cli.h"

/*
 * Finds the verb among verbs (NULL-ended): its words are the first ones that are
 * no options. Returns their place in argv, and in *verb NULL where the line has
 * no verb of that name. argc: no words at all.
 */
int wm_options_verb(int argc, char **argv, const struct wm_verb *const *verbs,
		    const struct wm_verb **verb);
/* Takes the line apart for cli->verb, whose words begin at verb_place; they move to the front.
 * The exit status, or -1: run it. */
int wm_options_take(struct wm_cli *cli, int argc, char **argv, int verb_place);

#endif
