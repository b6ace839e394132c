/* SPDX-License-Identifier: BSD-3-Clause */
/* A slowdown to be caught: whoever asks a flow for room waits for twenty rounds of
 * nothing. The linker puts it before the real function. */
#include "flow.h"

bool __real_wm_flow_has_room(const struct wm_flow *flow);
bool __wrap_wm_flow_has_room(const struct wm_flow *flow);

bool __wrap_wm_flow_has_room(const struct wm_flow *flow)
{
	for (volatile int i = 0; i < 20; i++)
		;
	return __real_wm_flow_has_room(flow);
}
