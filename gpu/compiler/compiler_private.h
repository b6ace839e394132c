/* SPDX-License-Identifier: BSD-3-Clause */
/* What the two processes of a compilation know of each other: text in, until its end; one
 * byte and the rest back. */
#ifndef WM_COMPILER_PRIVATE_H
#define WM_COMPILER_PRIVATE_H

#include "compiler.h"

#define WM_COMPILER_WORD "--compile-one-kernel"
/* Where what is wrong has no line. */
#define WM_COMPILER_WHOLE "kernel"

enum { WM_COMPILER_MADE = 'S', WM_COMPILER_REFUSED = 'E' };

#endif
