/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A generator that stands: its port, its engine on an lcore, and its rack. Brought up
 * once, for as many trials as a command makes.
 *
 * All of it is for the control thread.
 */
#ifndef WM_GEN_GEN_H
#define WM_GEN_GEN_H

#include <stdbool.h>

#include "auth.h"
#include "engine.h"
#include "live.h"
#include "options.h"
#include "port.h"
#include "port_link.h"
#include "rack.h"
#include "recorder.h"
#include "traffic.h"
#include "wiremill/error.h"

struct wm_gen {
	const struct wm_gen_options *options; /* of the whole run */
	struct wm_port port;
	struct wm_recorder *recorder; /* NULL: frames are not recorded */
	struct wm_engine *engine;
	struct wm_rack *rack; /* NULL: no nodes are wanted */
	const struct wm_key *key;
	struct wm_live live;
	bool has_rack;
	uint32_t next_run; /* number of the next traffic; the first is random */
	/* of the port, as last looked at while a traffic ran */
	struct wm_port_link link;
	uint64_t link_next_ns;
	bool interrupted; /* by a signal: what runs has ended early, nothing else begins */
	/* once it has ended */
	bool ended;
	struct wm_engine_counters counters;
	struct wm_recorder_counts recorded;
};

/* options, key (NULL: none) outlive it. */
int wm_gen_open(struct wm_gen *gen, const struct wm_gen_options *options, const struct wm_key *key,
		struct wm_error *error);
/* Lets the nodes go, stops the engine, completes the recording: no frame is sent or counted
 * any more. Negative: the recording is not complete. */
int wm_gen_end(struct wm_gen *gen, struct wm_error *error);
/* Ends it first, where that has not been done. */
void wm_gen_close(struct wm_gen *gen);

/* Whom frames go to. */
struct wm_gen_targets {
	struct wm_traffic_address *addresses; /* WM_NODES_MAX of them */
	uint32_t count;
	uint16_t mtu; /* that all of them take */
};

/*
 * Who the options name: the machine of --mac, the nodes of --node, or all of the rack,
 * once they are in; nobody for a replay. -ETIMEDOUT: they do not come. To be freed, whatever it
 * returns.
 */
int wm_gen_targets_find(struct wm_gen *gen, const struct wm_gen_options *options,
			struct wm_gen_targets *targets, struct wm_error *error);
void wm_gen_targets_free(struct wm_gen_targets *targets);

/*
 * Has the targets prepare the kernel. *elements_max: of a batch. -ETIMEDOUT, -ENOEXEC:
 * one of them does not.
 */
int wm_gen_prepare(struct wm_gen *gen, const struct wm_kernel *kernel, uint32_t job,
		   const struct wm_gen_targets *targets, uint32_t *elements_max,
		   struct wm_error *error);

/* Of the link: as the options say, else as the card does; 0: nobody knows. */
uint64_t wm_gen_line_bits_per_s(const struct wm_gen *gen);

/* Runs it to its end, or until a signal comes. */
int wm_gen_run(struct wm_gen *gen, struct wm_traffic *traffic, struct wm_error *error);

#endif
