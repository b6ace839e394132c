/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signals of a program that others rely on. Three kinds:
 *
 *   end it in order    TERM, INT, QUIT, and HUP: a terminal that is closed ends what runs in
 *                      its foreground. Those that are ignored when the program starts stay so
 *                      (nohup, a script's '&'), but for TERM.
 *   have no meaning    USR1, USR2, ALRM, VTALRM, PROF, IO, PWR: a stray kill must not do what
 *                      kill -9 does
 *   belong to a write  PIPE, XFSZ: the write fails, and whoever writes says so
 *
 * Called before any thread is there, which would else take the signal.
 */
#ifndef WM_SIGNALS_H
#define WM_SIGNALS_H

#include <signal.h>

/* For a program whose every write is looked at: the third kind is ignored. */
void wm_signals_ignore_writes(void);
/* The second and the third kind are. */
void wm_signals_ignore(void);
/* The first kind. */
void wm_signals_to_end(sigset_t *set);
/* Blocks the first kind and returns a descriptor that is readable once one came (signalfd,
 * nonblocking), or a negative errno. The caller's. */
int wm_signals_open(void);

#endif
