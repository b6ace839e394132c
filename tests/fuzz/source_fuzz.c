/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any text as a kernel: what is accepted fits a frame, has a shader made of it, and its
 * parameters take what they are.
 */
#include <stdlib.h>
#include <string.h>

#include "generate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_right)
{
	if (!is_right)
		abort();
}

static void check_source(struct wm_kernel_source *source)
{
	const struct wm_kernel *kernel = &source->kernel;
	char *text = wm_generate(source, "fuzz", true);

	check(text && strstr(text, "void main()"));
	free(text);
	check(kernel->name[0] && !strchr(kernel->name, '/') && source->version > 0);
	check(kernel->in_bytes == source->in.count * wm_scalar_bytes(source->in.scalar));
	check(kernel->out_bytes == source->out.count * wm_scalar_bytes(source->out.scalar));
	check((1ull + kernel->halo_before + kernel->halo_after) * kernel->in_bytes <= 8192);
	for (uint32_t i = 0; i < source->param_count; i++)
		check(source->params[i].least <= source->params[i].value &&
		      source->params[i].value <= source->params[i].most);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wm_error error = { "" };
	struct wm_kernel_source source;

	if (wm_kernel_source_parse(&source, "fuzz", (const char *)data, size, &error) < 0)
		check(error.text[0]);
	else
		check_source(&source);
	return 0;
}
