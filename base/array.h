/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WM_ARRAY_H
#define WM_ARRAY_H

/* Of the elements of an array; not of a pointer. */
#define WM_ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
