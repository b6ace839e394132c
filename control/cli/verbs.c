/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli.h"

const struct wm_verb *const wm_verbs[] = {
	&wm_verb_job_submit,
	&wm_verb_job_list,
	&wm_verb_job_show,
	&wm_verb_job_watch,
	&wm_verb_job_cancel,
	&wm_verb_job_resume,
	&wm_verb_job_discard,
	&wm_verb_kernel_show,
	&wm_verb_kernel_check,
	&wm_verb_kernel_list,
	&wm_verb_kernel_add,
	&wm_verb_kernel_remove,
	&wm_verb_node_list,
	&wm_verb_node_admit,
	&wm_verb_stats,
	&wm_verb_verify,
	&wm_verb_key,
	&wm_verb_version,
	NULL,
};
