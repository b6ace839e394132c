/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods of the control socket, each a wm_rpc_call or a wm_rpc_begin: context is the daemon. */
#ifndef WM_METHODS_H
#define WM_METHODS_H

#include "rpc.h"

/* methods_jobs.c */
wm_rpc_begin wm_method_job_submit, wm_method_job_resume, wm_method_job_discard;
wm_rpc_call wm_method_job_show, wm_method_job_cancel, wm_method_job_list;
/* methods_nodes.c */
wm_rpc_call wm_method_node_list, wm_method_node_admit;
/* methods_stats.c */
wm_rpc_call wm_method_stats;

#endif
