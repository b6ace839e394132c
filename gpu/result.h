/* SPDX-License-Identifier: BSD-3-Clause */
/* What Vulkan answers, as an errno and as a word for a person. Any thread. */
#ifndef WM_RESULT_H
#define WM_RESULT_H

#include <vulkan/vulkan.h>

#include "wiremill/error.h"

/* 0 for VK_SUCCESS; else the negative errno, with a line that says which call
 * failed, how, and on what device or object (`what` may hold any text). */
int wm_result_error(VkResult result, const char *what, struct wm_error *error);

#endif
