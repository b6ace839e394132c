/* SPDX-License-Identifier: BSD-3-Clause */
/* Any words as SPIR-V: what is accepted is there still, with decorations in one place. */
#include <stdlib.h>
#include <string.h>

#include "contraction.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t words = size / sizeof(uint32_t), made;
	uint32_t *in = malloc(size + 1), *out = NULL;
	struct wm_error error = { "" };
	size_t same = 0;

	if (!in)
		return 0;
	memcpy(in, data, size);
	made = wm_contraction_forbid(&out, in, words, &error);
	while (same < words && same < made && out[same] == in[same])
		same++;
	if (made == 0 ? !error.text[0]
		      : made < words || (made - words) % 3 ||
				memcmp(out + same + (made - words), in + same,
				       (words - same) * sizeof(*in)) != 0)
		abort();
	free(in);
	free(out);
	return 0;
}
