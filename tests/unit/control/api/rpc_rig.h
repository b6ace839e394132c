/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods for a server that is looked at: what they answer, and when, is made up here. */
#ifndef RPC_RIG_H
#define RPC_RIG_H

#include "harness.h"
#include "rpc.h"

extern const struct wm_rpc_method *const tables[];
extern int method_context;
extern unsigned calls;

/* A request for "later"; those that wait until later_answer, in their order. */
#define LATER(id) "{\"jsonrpc\":\"2.0\",\"method\":\"later\",\"id\":" id "}"
extern struct wm_rpc_request *waiting[4];
extern unsigned waiting_count;
void later_answer(unsigned place, int value);

#endif
