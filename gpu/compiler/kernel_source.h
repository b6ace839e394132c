/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A kernel as its author writes it: one file of GLSL, whose first comment says what the
 * kernel is, and whose function element() computes one element of output.
 *
 *	//!KERNEL blend
 *	//!IN f32
 *	//!OUT f32
 *	//!HALO 1 1
 *	//!PARAM weight float 0.5 0 1
 *
 *	void element(int i)
 *	{
 *		out(i, mix(in(i - 1), in(i + 1), weight));
 *	}
 *
 *	KERNEL NAME                            lower case, digits, '-'
 *	VERSION N                              1 where it is left out
 *	IN TYPE, OUT TYPE                      of an element: SCALAR or SCALARxCOUNT
 *	HALO BEFORE AFTER                      elements; 0 0 where it is left out
 *	PARAM NAME TYPE DEFAULT LEAST MOST     uint, int or float
 *	TEXT WORDS                             one line of use
 *
 * A scalar is u8, i8, u16, i16, u32, i32, u64, i64 or f32, little-endian. Lines of the first
 * comment that do not begin with //! are the author's own.
 *
 * The names that begin with wm_ or gl_, and what would let a kernel see more than its row
 * (buffers, includes, extensions), are refused here, before any compiler sees the text.
 *
 * Pure; any thread.
 */
#ifndef WM_KERNEL_SOURCE_H
#define WM_KERNEL_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "wiremill/error.h"
#include "wiremill/kernel.h"

#define WM_KERNEL_SOURCE_BYTES_MAX (256u * 1024u)
#define WM_KERNEL_SOURCE_PARAMS_MAX 16u
#define WM_KERNEL_SOURCE_NAME_BYTES 32u
#define WM_KERNEL_SOURCE_TEXT_BYTES 128u

enum wm_scalar {
	WM_SCALAR_U8,
	WM_SCALAR_I8,
	WM_SCALAR_U16,
	WM_SCALAR_I16,
	WM_SCALAR_U32,
	WM_SCALAR_I32,
	WM_SCALAR_U64,
	WM_SCALAR_I64,
	WM_SCALAR_F32,
	WM_SCALARS,
};

struct wm_element_type {
	enum wm_scalar scalar;
	uint32_t count; /* of scalars in an element */
};

enum wm_param_type { WM_PARAM_UINT, WM_PARAM_INT, WM_PARAM_FLOAT, WM_PARAM_TYPES };

/* A double holds every uint, int and float. */
struct wm_kernel_param {
	char name[WM_KERNEL_SOURCE_NAME_BYTES];
	enum wm_param_type type;
	double value, least, most;
};

struct wm_kernel_source {
	struct wm_kernel kernel;
	uint32_t version;
	struct wm_element_type in, out;
	struct wm_kernel_param params[WM_KERNEL_SOURCE_PARAMS_MAX];
	uint32_t param_count;
	char text[WM_KERNEL_SOURCE_TEXT_BYTES];
	const char *code; /* the whole file: borrowed */
	size_t code_bytes;
};

uint32_t wm_scalar_bytes(enum wm_scalar scalar);
const char *wm_scalar_name(enum wm_scalar scalar);
const char *wm_param_type_name(enum wm_param_type type);

/* name: of the file, for messages, which are "NAME:LINE: what". -EINVAL; source is undefined
 * then. code is borrowed for as long as source is used. */
int wm_kernel_source_parse(struct wm_kernel_source *source, const char *name, const char *code,
			   size_t code_bytes, struct wm_error *error);

/* "NAME=VALUE" of one of its parameters. -EINVAL. */
int wm_kernel_source_set_param(struct wm_kernel_source *source, const char *setting,
			       struct wm_error *error);
/* Several, up to the first that is wrong. */
int wm_kernel_source_set_params(struct wm_kernel_source *source, const char *const *settings,
				uint32_t count, struct wm_error *error);

#endif
