/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>
#include <string.h>

#include "kernel_list.h" /* made from the list of folders */
#include "wiremill/kernel.h"

#define DECLARE(symbol) extern const struct wm_kernel_definition wm_kernel_definition_##symbol;
#define ENTRY(symbol) &wm_kernel_definition_##symbol,
#define DECLARE_SHIPPED(symbol) extern const struct wm_kernel_shipped wm_kernel_shipped_##symbol;
#define ENTRY_SHIPPED(symbol) &wm_kernel_shipped_##symbol,

WM_KERNEL_LIST(DECLARE)
WM_KERNEL_SHIPPED_LIST(DECLARE_SHIPPED)

static const struct wm_kernel_definition *const definitions[] = { WM_KERNEL_LIST(ENTRY) };
static const struct wm_kernel_shipped *const shipped[] = { WM_KERNEL_SHIPPED_LIST(ENTRY_SHIPPED) };

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
	const struct wm_kernel_shipped *source = wm_kernel_shipped_find(name);

	if (definition)
		return &definition->reference;
	return source ? &source->reference : NULL;
}

const struct wm_kernel_shipped *wm_kernel_shipped_at(unsigned index)
{
	return index < sizeof(shipped) / sizeof(shipped[0]) ? shipped[index] : NULL;
}

const struct wm_kernel_shipped *wm_kernel_shipped_find(const char *name)
{
	const struct wm_kernel_shipped *source;

	for (unsigned i = 0; (source = wm_kernel_shipped_at(i)) != NULL; i++) {
		if (strcmp(source->name, name) == 0)
			return source;
	}
	return NULL;
}

wm_kernel_invariant *wm_kernel_find_invariant(const struct wm_kernel *kernel)
{
	const struct wm_kernel_definition *definition = find(kernel->name);

	return definition && wm_kernel_is_builtin(kernel) ? definition->invariant : NULL;
}
