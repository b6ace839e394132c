/* SPDX-License-Identifier: BSD-3-Clause */
/* gpu/kernels/prelude.glsl, as text: what every shader begins with. */
#ifndef WM_PRELUDE_H
#define WM_PRELUDE_H

extern const char wm_prelude[];

#endif
