/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Command lines by table: --name VALUE, --name=VALUE, --flag, --flag=VALUE where that
 * is optional, in any order, also before the verb; "--" ends the options. Every verb has --json,
 * --socket and
 * --help beside its own.
 */
#ifndef WM_CLI_OPTIONS_H
#define WM_CLI_OPTIONS_H

#include "cli.h"

/* What the line asks for, once it is understood. */
enum wm_request { WM_REQUEST_RUN, WM_REQUEST_HELP, WM_REQUEST_WRONG };

/*
 * Finds the verb among verbs (NULL-ended): its words are the first ones that are
 * no options. Returns their place in argv, and in *verb NULL where the line has
 * no verb of that name. argc: no words at all.
 */
int wm_options_verb(int argc, char **argv, const struct wm_verb *const *verbs,
		    const struct wm_verb **verb);
/* Takes the line apart for cli->verb, whose words begin at verb_place. What is
 * wrong was said on stderr. */
enum wm_request wm_options_parse(struct wm_cli *cli, int argc, char **argv, int verb_place);
void wm_options_print_help(const struct wm_verb *verb);

#endif
