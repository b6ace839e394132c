/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Source or sink alone, by the contract of store.h: every extent of a file is read
 * or written, `depth` of them in flight, and nothing else is done. A write ends
 * with wm_sink_commit, thus with fsync. Prints how many bytes in how many seconds.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "clock.h"
#include "number.h"
#include "wiremill/control.h"
#include "wiremill/limits.h"
#include "wiremill/store.h"

#define MTU 9000
#define HUGEPAGE_BYTES (2u << 20) /* holds a buffer */
#define MEMORY_BYTES (WM_LANE_EXTENTS_MAX * HUGEPAGE_BYTES)

struct stream {
	struct wm_layout layout;
	struct wm_source source;
	struct wm_sink sink;
	struct wm_store *store;
	bool writes;
	uint32_t depth;
	struct iovec buffers[WM_LANE_EXTENTS_MAX];
	uint32_t free[WM_LANE_EXTENTS_MAX], free_count;
	uint32_t *buffer_of; /* by extent */
	uint64_t begun, done;
};

static int complain(const char *what)
{
	fprintf(stderr, "storage_bench: %s; usage: storage_bench read|write INPUT OUTPUT DEPTH\n",
		what);
	return WM_EXIT_USAGE;
}

/* Hugepages, as a lane has them: with small pages a request is as many pieces as it has
 * pages, which a disk may take in several requests only. */
static int take_memory(struct stream *stream, struct wm_error *error)
{
	uint32_t bytes = wm_store_buffer_bytes(&stream->layout);
	uint8_t *memory;

	stream->buffer_of = calloc(stream->layout.extents, sizeof(*stream->buffer_of));
	if (!stream->buffer_of)
		return wm_error_set(error, ENOMEM, "out of memory");
	memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
	if (memory == MAP_FAILED)
		return wm_error_set(error, ENOMEM, "%u hugepages of 2 MiB are not free",
				    WM_LANE_EXTENTS_MAX);
	for (uint32_t i = 0; i < stream->depth; i++) {
		uint8_t *buffer = memory + (size_t)i * HUGEPAGE_BYTES;

		memset(buffer, (int)i + 1, bytes);
		stream->buffers[i] = (struct iovec){ buffer, bytes };
		stream->free[stream->free_count++] = i;
	}
	return 0;
}

/* The mapping goes with the process. */
static void give_memory_back(struct stream *stream)
{
	free(stream->buffer_of);
}

static int begin(struct stream *stream, uint64_t extent, uint32_t buffer)
{
	struct iovec part = { stream->buffers[buffer].iov_base,
			      wm_layout_extent(&stream->layout, extent).out_bytes };

	stream->buffer_of[extent] = buffer;
	if (stream->writes)
		return wm_store_write(stream->store, extent, &part, 1);
	return wm_store_read(stream->store, extent, buffer);
}

static int fill(struct stream *stream)
{
	while (stream->free_count > 0 && stream->begun < stream->layout.extents) {
		int ret = begin(stream, stream->begun, stream->free[stream->free_count - 1]);

		if (ret < 0)
			return ret;
		stream->free_count--;
		stream->begun++;
	}
	return wm_store_submit(stream->store);
}

static int collect(struct stream *stream)
{
	struct wm_store_event events[WM_LANE_EXTENTS_MAX];
	unsigned count = wm_store_poll(stream->store, events, WM_LANE_EXTENTS_MAX);

	for (unsigned i = 0; i < count; i++) {
		if (events[i].result < 0)
			return events[i].result;
		stream->free[stream->free_count++] = stream->buffer_of[events[i].extent];
		stream->done++;
	}
	return 0;
}

static int pump(struct stream *stream, struct wm_error *error)
{
	while (stream->done < stream->layout.extents) {
		int ret = fill(stream);

		if (ret == 0)
			ret = collect(stream);
		if (ret < 0)
			return wm_error_set(error, -ret, "the %s failed: %s",
					    stream->writes ? "write" : "read", strerror(-ret));
	}
	return 0;
}

/* Between the opened files; the caller closes them. */
static int run(struct stream *stream, struct wm_error *error)
{
	struct wm_store_config config = { stream->depth, stream->buffers, stream->depth };
	int ret;

	ret = wm_store_create(&stream->store, &config, error);
	if (ret < 0)
		return ret;
	wm_store_attach(stream->store, &stream->layout, &stream->source, &stream->sink);
	ret = pump(stream, error);
	if (ret == 0)
		wm_store_detach(stream->store);
	wm_store_destroy(&stream->store);
	return ret;
}

static void report(const struct stream *stream, uint64_t ns)
{
	uint64_t bytes = stream->writes ? stream->layout.output_bytes : stream->layout.input_bytes;

	printf("{\"bytes\": %" PRIu64 ", \"seconds\": %.6f, \"direct\": %s}\n", bytes,
	       (double)ns / WM_NS_PER_S,
	       (stream->writes ? stream->sink.direct : stream->source.direct) ? "true" : "false");
}

/* A ring wants both ends (wm_store_attach); the output of a read is never written. */
static int measure(struct stream *stream, struct wm_error *error)
{
	uint64_t start_ns;
	int ret;

	ret = take_memory(stream, error);
	start_ns = wm_clock_ns();
	if (ret == 0)
		ret = run(stream, error);
	if (ret == 0 && !stream->writes)
		report(stream, wm_clock_ns() - start_ns);

	if (ret < 0 || !stream->writes) {
		wm_sink_abandon(&stream->sink);
		return ret;
	}
	ret = wm_sink_commit(&stream->sink, error);
	if (ret == 0)
		report(stream, wm_clock_ns() - start_ns);
	return ret;
}

static int open_and_measure(struct stream *stream, const char *output, struct wm_error *error)
{
	const struct wm_kernel *kernel = wm_kernel_find("xor");
	int ret;

	if (stream->source.bytes % kernel->in_bytes != 0)
		return wm_error_set(error, EINVAL, "the input is no multiple of %u bytes",
				    kernel->in_bytes);
	ret = wm_layout_init(&stream->layout, kernel, stream->source.bytes, MTU, error);
	if (ret < 0)
		return ret;
	ret = wm_sink_create(&stream->sink, output, stream->layout.output_bytes, true,
			     &stream->source, error);
	if (ret < 0)
		return ret;
	ret = measure(stream, error);
	give_memory_back(stream);
	return ret;
}

int main(int argc, char **argv)
{
	static struct stream stream;
	struct wm_error error = { "" };
	uint64_t depth;
	int ret;

	if (argc != 5)
		return complain("four arguments are wanted");
	stream.writes = strcmp(argv[1], "write") == 0;
	if (!stream.writes && strcmp(argv[1], "read") != 0)
		return complain("it is read or write");
	if (wm_number_parse(argv[4], 1, WM_LANE_EXTENTS_MAX, &depth) < 0)
		return complain("DEPTH is 1 to 48");
	stream.depth = (uint32_t)depth;

	ret = wm_source_open(&stream.source, argv[2], &error);
	if (ret < 0)
		goto report_error;
	ret = open_and_measure(&stream, argv[3], &error);
	wm_source_close(&stream.source);
report_error:
	if (ret < 0)
		fprintf(stderr, "storage_bench: %s\n", error.text);
	return ret < 0 ? WM_EXIT_FAILED : WM_EXIT_DONE;
}
