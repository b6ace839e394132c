/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What DPDK says. While something is brought up its lines are held, since the first of
 * them is the reason if it fails, and belongs into the one line that a person gets; where
 * DPDK gives up by a panic, it is that line. Else they go to the log.
 */
#ifndef WM_EAL_LOG_H
#define WM_EAL_LOG_H

/* Before EAL starts. Once a process. 0 or a negative errno. */
int wm_eal_log_open(void);

void wm_eal_log_hold(void);
/* The first line held, or "". Until the next release. */
const char *wm_eal_log_reason(void);
/* What was held is forgotten, or logged. */
void wm_eal_log_drop(void);
void wm_eal_log_release(void);

#endif
