/* SPDX-License-Identifier: BSD-3-Clause */
/* What the verbs of kernels share: the author's file, and its parameters. */
#ifndef WM_CLI_KERNEL_H
#define WM_CLI_KERNEL_H

#include "cli.h"
#include "kernel_source.h"

/* --param, as often as it is given. */
struct wm_kernel_settings {
	const char *settings[WM_KERNEL_SOURCE_PARAMS_MAX];
	uint32_t count;
};

#define WM_KERNEL_OPTION_PARAM(own)                                                         \
	{                                                                                   \
		.name = "param", .value_name = "NAME=VALUE", .type = WM_OPTION_CUSTOM,      \
		.flags = WM_OPTION_MANY, WM_OPTION_FIELD(own, params),                      \
		.take = wm_kernel_take_param, .help = "a parameter, instead of its default" \
	}

int wm_kernel_take_param(const struct wm_option *option, void *values, const char *text,
			 struct wm_error *error);

/* Does the word name a source, and not a kernel of the controller? That of a kernel that is
 * shipped, by its name, or a file: it has a '/', or ends in .glsl. */
bool wm_kernel_is_source(const char *word);
/* A source, parsed, with those parameters. The source borrows *code, which is to be freed.
 * WM_EXIT_DONE; else it was said why not. */
int wm_kernel_read(const char *path, const struct wm_kernel_settings *params,
		   struct wm_kernel_source *source, char **code);
/* The same, as members of a request's parameters: what is wrong by its text alone is
 * told here, before anything is sent. */
int wm_kernel_put(json_t *request, const char *path, const struct wm_kernel_settings *params);
/* What its shape is, on a line. */
void wm_kernel_print(const struct wm_kernel_source *source);
json_t *wm_kernel_source_json(const struct wm_kernel_source *source);

#endif
