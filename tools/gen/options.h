/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line of wiremill-gen: a command, and options by table, each with the
 * commands that know it. Steps (steps.h) are read by the same table.
 *
 * Texts are kept by reference. Any thread.
 */
#ifndef WM_GEN_OPTIONS_H
#define WM_GEN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "live.h"
#include "option.h"
#include "port_device.h"
#include "rate.h"
#include "sizes.h"
#include "wiremill/error.h"
#include "wiremill/wire.h"

enum wm_gen_command {
	WM_GEN_TRANSMIT,
	WM_GEN_RECEIVE,
	WM_GEN_ECHO,
	WM_GEN_ROUNDTRIP,
	WM_GEN_THROUGHPUT,
	WM_GEN_CRITICAL,
	WM_GEN_REPLAY,
	WM_GEN_RUN,
	WM_GEN_COMMANDS,
};

struct wm_gen_options {
	enum wm_gen_command command;
	enum wm_option_request request;
	const char *file; /* of run: its steps; of replay: the capture */

	/* the port, and who may join: once a run */
	struct wm_port_device device;
	const char *lcores;
	const char *key_path;

	/* whom */
	const char *nodes;   /* names with commas between; NULL: all */
	uint32_t node_count; /* to wait for; 0: those that come */
	uint64_t wait_ns;
	bool one_by_one;
	bool has_mac;
	uint8_t mac[WM_ETHER_ADDR_BYTES];

	/* what */
	const char *sizes_text, *rate_text;
	uint64_t line_bits_per_s; /* 0: not known */
	const char *op;		  /* "echo", "map" */
	const char *kernel_name;
	uint64_t count, duration_ns, idle_ns, depth_ns;
	uint32_t flows, burst, window;
	/* of a replay */
	uint32_t speed_ppm;
	uint64_t passes; /* 0: no end */
	bool keep_source;
	/* of a search, in parts per million */
	uint32_t resolution_ppm; /* of the highest rate */
	uint32_t tolerated_ppm;	 /* loss that counts as none */
	uint32_t confidence_ppm, failure_ppm;

	bool keep_going; /* of run: behind a step that fails */

	/* after wm_gen_options_complete */
	struct wm_sizes sizes;
	struct wm_rate rate;
	const struct wm_kernel *kernel; /* NULL: probes */

	/* what comes out; NULL: not wanted */
	const char *json_path, *csv_path;
	const char *write_path; /* all frames */
	uint32_t snap_bytes;	/* of each at most; 0: all */
	enum wm_live_how live;
};

/* All commands, with all that any of them takes. */
extern const struct wm_option_schema wm_gen_schema;

/* Fills in options from words[0], the command, and what follows. -EINVAL: what is
 * wrong stands in the error. */
int wm_gen_options_parse(struct wm_gen_options *options, int argc, char **argv,
			 struct wm_error *error);
/* What only makes sense once the port is known. line_bits_per_s 0: it is not. -EINVAL
 * likewise. */
int wm_gen_options_complete(struct wm_gen_options *options, uint16_t mtu, uint64_t line_bits_per_s,
			    struct wm_error *error);
/* Does it send, other than what it received? */
bool wm_gen_options_send(const struct wm_gen_options *options);
/* Do its frames go to nodes? */
bool wm_gen_options_want_nodes(const struct wm_gen_options *options);
/* Of one command; that of all is wm_gen_schema. */
void wm_gen_options_print_help(enum wm_gen_command command);
const char *wm_gen_command_name(enum wm_gen_command command);

#endif
