/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>
#include <string.h>

#include "kernel_list.h" /* made from the list of folders */
#include "wiremill/kernel.h"

#define DECLARE(symbol) extern const struct wm_kernel_definition wm_kernel_definition_##symbol;
#define ENTRY(symbol) &wm_kernel_definition_##symbol,

WM_KERNEL_LIST(DECLARE)

static const struct wm_kernel_definition *const definitions[] = { WM_KERNEL_LIST(ENTRY) };

static const struct wm_kernel_definition *definition_at(unsigned index)
{
	return index < sizeof(definitions) / sizeof(definitions[0]) ? definitions[index] : NULL;
}

static const struct wm_kernel_definition *find(const char *name)
{
	const struct wm_kernel_definition *definition;

	for (unsigned i = 0; (definition = definition_at(i)) != NULL; i++) {
		if (strcmp(definition->shape.name, name) == 0)
			return definition;
	}
	return NULL;
}

const struct wm_kernel *wm_kernel_at(unsigned index)
{
	const struct wm_kernel_definition *definition = definition_at(index);

	return definition ? &definition->shape : NULL;
}

const struct wm_kernel *wm_kernel_find(const char *name)
{
	const struct wm_kernel_definition *definition = find(name);

	return definition ? &definition->shape : NULL;
}

const struct wm_kernel_reference *wm_kernel_find_reference(const char *name)
{
	const struct wm_kernel_definition *definition = find(name);

	return definition ? &definition->reference : NULL;
}

wm_kernel_invariant *wm_kernel_find_invariant(const struct wm_kernel *kernel)
{
	const struct wm_kernel_definition *definition = find(kernel->name);

	return definition && wm_kernel_is_builtin(kernel) ? definition->invariant : NULL;
}
