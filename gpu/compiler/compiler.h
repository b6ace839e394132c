/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * GLSL into SPIR-V, in a process of its own: no source takes its caller down with it, however
 * it meets the compiler. The process is this program once more, which main() hands over
 * before anything else:
 *
 *	if (wm_compiler_is_asked(argc, argv))
 *		return wm_compiler_main();
 *
 * It reads the source from its standard input and writes what it made, or what is wrong, to
 * its standard output. It has no files beside these two, WM_COMPILER_SECONDS of processor
 * time, WM_COMPILER_BYTES of memory, and may make no system call that reaches beyond itself.
 */
#ifndef WM_COMPILER_H
#define WM_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel_source.h"
#include "wiremill/error.h"

#define WM_COMPILER_SECONDS 20u
#define WM_COMPILER_BYTES (1024u * 1024u * 1024u)
#define WM_SPIRV_BYTES_MAX (4u * 1024u * 1024u)

/* What came of a source. */
struct wm_spirv {
	uint32_t *code; /* to be freed */
	size_t code_bytes;
};

bool wm_compiler_is_asked(int argc, char **argv);
/* Returns the exit status. */
int wm_compiler_main(void);

/*
 * Blocks for as long as the process takes; any thread. name is that of the author's file, and
 * the first line that the compiler found wrong is the error: "NAME:LINE: error: what".
 * -EINVAL: the source is wrong, or too much for the compiler; -errno: no process could be
 * made.
 */
int wm_compile(struct wm_spirv *spirv, const struct wm_kernel_source *source, const char *name,
	       bool check, struct wm_error *error);

#endif
