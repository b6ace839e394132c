/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A program may be started with standard input, output or error closed (">&-", some
 * supervisors). The next file it opens gets that number, and what is meant for a reader goes
 * into a socket or a result.
 */
#ifndef WM_STREAMS_H
#define WM_STREAMS_H

/* Takes the numbers of those that are closed: reading or writing them fails, as it would
 * have. Before anything is opened. */
void wm_streams_keep(void);

#endif
