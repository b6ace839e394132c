/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Jobs between a real membership and real spool, and a lane, files and threads that are
 * played: what they are told is looked at, what they tell is made up. Time is virtual.
 */
#ifndef JOBS_RIG_H
#define JOBS_RIG_H

#include "clock.h"
#include "end.h"
#include "harness.h"
#include "log.h"
#include "queue.h"
#include "run.h"

#define TICK_NS (20 * WM_NS_PER_MS)
#define S WM_NS_PER_S

extern char directory[64];
extern struct wm_membership membership;
extern struct wm_jobs jobs;
extern uint64_t now_ns;

/* The files: what becomes of them, and what was done. */
extern uint64_t open_takes_ns;
extern bool are_finished;
extern int check_result, open_result, finish_result, discard_result;
extern bool are_complete, are_committed, are_unchecked; /* as a resumed job finds them */
extern const uint8_t caught_mac[WM_ETHER_ADDR_BYTES];
extern uint32_t opened, abandoned, suspended, discarded;
/* No thread that is at them comes back before disk_answers. */
extern bool disk_hangs;
void disk_answers(void);
/* As wm_jobs_close, and what it leaves behind is gone. */
bool controller_stops(void);

/* The lane. */
extern struct wm_lane_job *lane_job;
extern bool is_told_to_stop, lane_lets_go;
extern struct wm_lane_job_counters published;
extern struct wm_dispatch_node_state node_state;	   /* of every node */
extern struct wm_drops dropped;				   /* by all lanes */
extern struct wm_store_requests requested[WM_STORE_FILES]; /* likewise */
void lane_ends(const struct wm_job *job, int result);

/* The node, and its last question. */
extern uint32_t asked_job, session;
void node_joins(void);
void node_is_ready(void);
/* It says nothing more. */
void node_falls_silent(void);

void tick(void);
void pass(uint64_t ns);

/* A fresh rig; a controller that starts, on what the one before left; one that dies, and
 * remembers nothing. */
void begin(void);
void controller_starts(void);
void controller_dies(void);
/* While its threads read: nobody looks at what they found. */
void controller_is_killed(void);
void remove_spool(void);

struct reply {
	unsigned count;
	struct wm_job *job;
	const char *waiting; /* what for, as the answer says */
	struct wm_error error;
};

void submit_for(struct reply *reply, const char *input, const char *output, uint64_t fail_after_ns);
/* Of a kernel of the library. */
void submit_kernel_for(struct reply *reply, const char *kernel, const char *output);
void resume_for(struct reply *reply, const char *output);
/* Of /input to /output, and it is in the queue. */
struct wm_job *submit(uint64_t fail_after_ns);
/* The same with a node, and it runs. */
struct wm_job *run(uint64_t fail_after_ns);

/* The exit status of a test program. */
int rig_run(const char *name, const struct wm_test *tests, unsigned count);

#endif
