/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture.h"

#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "wiremill/wire.h"

struct reader {
	struct wm_capture *capture;
	const char *name;
	uint32_t frame_bytes_max;
	uint64_t bytes_max, frames_room, bytes_room;
	int64_t first_ns;
	struct wm_error *error;
};

static int refuse(struct reader *reader, const char *why, uint32_t bytes)
{
	return wm_error_set(reader->error, EINVAL, "%s: frame %" PRIu64 " of %" PRIu32 " bytes %s",
			    reader->name, reader->capture->frame_count + 1, bytes, why);
}

static int check_frame(struct reader *reader, const struct pcap_pkthdr *header)
{
	if (header->caplen < header->len)
		return refuse(reader, "was cut when captured: capture whole frames", header->len);
	if (header->caplen < WM_ETHER_HEADER_BYTES)
		return refuse(reader, "is shorter than an Ethernet header", header->caplen);
	if (header->caplen > reader->frame_bytes_max)
		return refuse(reader, "is longer than the MTU allows: raise the MTU",
			      header->caplen);
	return 0;
}

/* Doubles memory until it has room for `needed` units. */
static int grow(void **memory, uint64_t *room, uint64_t needed, size_t unit_bytes)
{
	uint64_t more = *room ? *room : 1024;
	void *larger;

	if (needed <= *room)
		return 0;
	while (more < needed)
		more *= 2;
	larger = reallocarray(*memory, more, unit_bytes);
	if (!larger)
		return -ENOMEM;
	*memory = larger;
	*room = more;
	return 0;
}

static int make_room(struct reader *reader, uint32_t length)
{
	struct wm_capture *capture = reader->capture;
	uint64_t frames = capture->frame_count + 1, bytes = capture->byte_count + length;
	int ret;

	if (frames * sizeof(*capture->frames) + bytes > reader->bytes_max)
		return wm_error_set(reader->error, EFBIG,
				    "%s: more than %" PRIu64 " bytes from frame %" PRIu64
				    " on: replay a shorter capture",
				    reader->name, reader->bytes_max, frames);
	ret = grow((void **)&capture->frames, &reader->frames_room, frames,
		   sizeof(*capture->frames));
	if (ret == 0)
		ret = grow((void **)&capture->bytes, &reader->bytes_room, bytes, 1);
	if (ret < 0)
		return wm_error_set(reader->error, ENOMEM, "%s: no memory for its frames",
				    reader->name);
	return 0;
}

/* After the first frame, and not before the one before. Seconds are of 32 bits or far
 * less than 2^63 ns; others make no sense and count as backwards. */
static uint64_t time_of(struct reader *reader, const struct pcap_pkthdr *header)
{
	struct wm_capture *capture = reader->capture;
	uint64_t before_ns = 0,
		 ns = (uint64_t)header->ts.tv_sec * WM_NS_PER_S + (uint64_t)header->ts.tv_usec;

	if (capture->frame_count == 0) {
		reader->first_ns = (int64_t)ns;
		return 0;
	}
	before_ns = capture->frames[capture->frame_count - 1].time_ns;
	ns -= (uint64_t)reader->first_ns;
	if (ns >= before_ns && ns <= INT64_MAX)
		return ns;
	capture->backwards++;
	return before_ns;
}

static int add_frame(struct reader *reader, const struct pcap_pkthdr *header, const uint8_t *bytes)
{
	struct wm_capture *capture = reader->capture;
	int ret = check_frame(reader, header);

	if (ret == 0)
		ret = make_room(reader, header->caplen);
	if (ret < 0)
		return ret;
	capture->frames[capture->frame_count] = (struct wm_capture_frame){ time_of(reader, header),
									   capture->byte_count,
									   header->caplen };
	memcpy(capture->bytes + capture->byte_count, bytes, header->caplen);
	capture->frame_count++;
	capture->byte_count += header->caplen;
	return 0;
}

static int check_link(struct reader *reader, pcap_t *pcap)
{
	const char *link = pcap_datalink_val_to_name(pcap_datalink(pcap));

	if (pcap_datalink(pcap) == DLT_EN10MB)
		return 0;
	return wm_error_set(reader->error, EINVAL,
			    "%s: frames of link type %s: only Ethernet can be replayed",
			    reader->name, link ? link : "unknown");
}

static int read_frames(struct reader *reader, pcap_t *pcap)
{
	struct pcap_pkthdr *header;
	const uint8_t *bytes;
	int ret = check_link(reader, pcap), more;

	while (ret == 0) {
		more = pcap_next_ex(pcap, &header, &bytes);
		if (more == PCAP_ERROR_BREAK)
			break;
		if (more != 1)
			return wm_error_set(reader->error, EINVAL,
					    "%s: not to be read after frame %" PRIu64 ": %s",
					    reader->name, reader->capture->frame_count,
					    pcap_geterr(pcap));
		ret = add_frame(reader, header, bytes);
	}
	if (ret == 0 && reader->capture->frame_count == 0)
		ret = wm_error_set(reader->error, EINVAL, "%s: there is no frame in it",
				   reader->name);
	return ret;
}

struct wm_capture *wm_capture_read(FILE *stream, const char *name, uint32_t mtu, uint64_t bytes_max,
				   struct wm_error *error)
{
	struct reader reader = { .name = name,
				 .frame_bytes_max = mtu + WM_ETHER_HEADER_BYTES,
				 .bytes_max = bytes_max,
				 .error = error };
	char reason[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap = pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO,
								reason);
	int ret;

	if (!pcap) {
		fclose(stream);
		errno = -wm_error_set(error, EINVAL, "%s: no capture that libpcap reads: %s", name,
				      reason);
		return NULL;
	}
	reader.capture = calloc(1, sizeof(*reader.capture));
	ret = reader.capture ? read_frames(&reader, pcap)
			     : wm_error_set(error, ENOMEM, "%s: no memory", name);
	pcap_close(pcap);
	if (ret == 0)
		return reader.capture;
	wm_capture_destroy(&reader.capture);
	errno = -ret;
	return NULL;
}

struct wm_capture *wm_capture_load(const char *path, uint32_t mtu, uint64_t bytes_max,
				   struct wm_error *error)
{
	FILE *stream = fopen(path, "rb");

	if (!stream) {
		errno = -wm_error_set(error, errno, "%s: the capture cannot be opened: %s", path,
				      strerror(errno));
		return NULL;
	}
	return wm_capture_read(stream, path, mtu, bytes_max, error);
}

void wm_capture_destroy(struct wm_capture **capture)
{
	if (!*capture)
		return;
	free((*capture)->frames);
	free((*capture)->bytes);
	free(*capture);
	*capture = NULL;
}
