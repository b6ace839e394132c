/* SPDX-License-Identifier: BSD-3-Clause */
#include "parts.h"

uint32_t wm_parts_bytes(const struct iovec *parts, uint32_t count)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < count; i++)
		bytes += parts[i].iov_len;
	return (uint32_t)bytes;
}

static bool aligned(const struct wm_sink *sink, uint64_t value)
{
	return value % sink->align_bytes == 0;
}

bool wm_parts_fit(const struct wm_sink *sink, const struct wm_span *span, const struct iovec *parts,
		  uint32_t count)
{
	bool ends_output = span->out_offset + span->out_bytes == sink->bytes;
	uint64_t bytes = 0;

	if (count == 0 || count > WM_EXTENT_BATCHES_MAX)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		bool last = ends_output && i == count - 1;

		if (parts[i].iov_len == 0 || parts[i].iov_len > span->out_bytes ||
		    !aligned(sink, (uintptr_t)parts[i].iov_base) ||
		    (!last && !aligned(sink, parts[i].iov_len)))
			return false;
		bytes += parts[i].iov_len;
	}
	return bytes == span->out_bytes && aligned(sink, span->out_offset);
}

uint32_t wm_parts_head_bytes(const struct wm_sink *sink, const struct wm_span *span)
{
	uint64_t end = span->out_offset + span->out_bytes;
	uint32_t rest = (uint32_t)(end % WM_STORE_ALIGN_BYTES);

	if (!sink->direct || end != sink->bytes || aligned(sink, end))
		return span->out_bytes;
	return span->out_bytes > rest ? span->out_bytes - rest : 0;
}

uint32_t wm_parts_cut(struct iovec *to, uint32_t *tail_first, const struct iovec *parts,
		      uint32_t count, size_t head)
{
	struct iovec *first = to;

	*tail_first = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct iovec part = parts[i];
		size_t cut = part.iov_len < head ? part.iov_len : head;

		head -= cut;
		if (cut) {
			*to++ = (struct iovec){ part.iov_base, cut };
			++*tail_first;
		}
		if (part.iov_len > cut)
			*to++ = (struct iovec){ (uint8_t *)part.iov_base + cut,
						part.iov_len - cut };
	}
	return (uint32_t)(to - first);
}
