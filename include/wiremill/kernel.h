/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A kernel maps elements of a dataset to elements of a result. Everybody knows of
 * it its shape: how large an element is on either side, and how many neighbours
 * (the halo) it needs before the first and after the last element of a batch.
 * N elements of input give N - halo_before - halo_after of output.
 *
 * All there is of a kernel lies in its folder, gpu/kernels/NAME/. Of one that is built in,
 * which every program knows by its name:
 *
 *   NAME.comp   the shader, which nodes compute by (gpu/kernels/prelude.glsl)
 *   NAME.c      wm_kernel_definition_NAME, whose parts the planes find below:
 *               shape       everybody
 *               invariant   a lane, for each result that comes back
 *               reference   `verify`, which uses neither shader nor shape
 *
 * Of one that is shipped as any author's is, compiled when it is used and known by the hash of
 * its object:
 *
 *   NAME.glsl   the source (docs/kernels.md)
 *   NAME.c      wm_kernel_shipped_NAME: the source's text, and the reference
 *
 * Static memory and pure functions: any thread.
 */
#ifndef WIREMILL_KERNEL_H
#define WIREMILL_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#define WM_KERNEL_NAME_BYTES 32
#define WM_KERNEL_HASH_BYTES 32

/* The shape, as the wire and journals have it too. */
struct wm_kernel {
	char name[WM_KERNEL_NAME_BYTES]; /* lower case, digits, '-'; ends with a NUL */
	uint32_t in_bytes;		 /* of one element of input */
	uint32_t out_bytes;		 /* of one element of output */
	uint32_t halo_before;		 /* elements needed before the first */
	uint32_t halo_after;		 /* elements needed after the last */
	/* Of its object (kernel_object.h). Zeroes: a built-in one, known by its name. */
	uint8_t hash[WM_KERNEL_HASH_BYTES];
};

/* Lower case, digits and '-', and an end within WM_KERNEL_NAME_BYTES. */
bool wm_kernel_name_is_valid(const char *name);
/* Whether it is one of those below, whatever its name is. */
bool wm_kernel_is_builtin(const struct wm_kernel *kernel);
/* Whether both make the same output of the same input. */
bool wm_kernel_is_same(const struct wm_kernel *a, const struct wm_kernel *b);

/*
 * Tells some wrong outputs without computing them again: false says that this output is not
 * what the kernel makes of this input; true, that nothing was found. input: of a batch with
 * its halo; output: count elements. Both may lie at any address. A lane calls it once a
 * batch, so it costs one pass over the output at most.
 */
typedef bool wm_kernel_invariant(const uint8_t *input, const uint8_t *output, uint32_t count);

/* What is right, by a plain loop. Its sizes are its own: what it finds right
 * rests on nothing that the job has used. */
struct wm_kernel_reference {
	uint32_t in_bytes, out_bytes; /* of an element */
	uint32_t halo;		      /* elements of input beyond those of output */
	/* params: in the order of the source; NULL where it has none. */
	void (*compute)(uint8_t *output, const uint8_t *input, uint64_t count,
			const double *params);
};

struct wm_kernel_definition {
	struct wm_kernel shape;
	struct wm_kernel_reference reference;
	wm_kernel_invariant *invariant; /* NULL: it has none */
};

struct wm_kernel_shipped {
	const char *name;
	const char *source;
	struct wm_kernel_reference reference;
};

/* The built-in kernels' shapes, in order of index; NULL past the last. */
const struct wm_kernel *wm_kernel_at(unsigned index);
/* Those that are shipped as sources, by name; NULL past the last. */
const struct wm_kernel_shipped *wm_kernel_shipped_at(unsigned index);
/* Of that name, or NULL: there is none. */
const struct wm_kernel *wm_kernel_find(const char *name);
const struct wm_kernel_shipped *wm_kernel_shipped_find(const char *name);
/* Likewise, of a built-in one or one that is shipped. */
const struct wm_kernel_reference *wm_kernel_find_reference(const char *name);
/* NULL: it is not built in, or has none. */
wm_kernel_invariant *wm_kernel_find_invariant(const struct wm_kernel *kernel);

#endif
