/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

#define MTU 1500u
#define ROOMY (1u << 20)

static char path[] = "/tmp/wm-capture-XXXXXX";
static struct wm_error error;

struct frame {
	long s, ns;
	uint32_t length, captured;
};

/* What libpcap itself writes, in nanoseconds. Bytes of a frame are its length. */
static void write_pcap(int link, const struct frame *frames, unsigned count)
{
	static uint8_t bytes[20000];
	pcap_t *dead = pcap_open_dead_with_tstamp_precision(link, sizeof(bytes),
							    PCAP_TSTAMP_PRECISION_NANO);
	pcap_dumper_t *dumper = pcap_dump_open(dead, path);

	CU_ASSERT_PTR_NOT_NULL_FATAL(dumper);
	for (unsigned i = 0; i < count; i++) {
		struct pcap_pkthdr header = { .ts = { frames[i].s, frames[i].ns },
					      .len = frames[i].length,
					      .caplen = frames[i].captured };

		memset(bytes, (int)frames[i].length, sizeof(bytes));
		pcap_dump((unsigned char *)dumper, &header, bytes);
	}
	pcap_dump_close(dumper);
	pcap_close(dead);
}

/* A block of pcapng (draft-ietf-opsawg-pcapng): type, length, body, length. */
static void put_block(FILE *stream, uint32_t type, const void *body, uint32_t body_bytes)
{
	uint32_t padded = (body_bytes + 3) & ~3u, length = padded + 12;

	fwrite(&type, 4, 1, stream);
	fwrite(&length, 4, 1, stream);
	fwrite(body, body_bytes, 1, stream);
	fwrite("\0\0\0", padded - body_bytes, 1, stream);
	fwrite(&length, 4, 1, stream);
}

static void write_pcapng(uint32_t length)
{
	const uint32_t section[] = { 0x1a2b3c4d, 1, 0xffffffff, 0xffffffff };
	const uint32_t interface[] = { 1, 0 };
	uint32_t packet[5 + 512] = { 0, 0, 5, length, length };
	FILE *stream = fopen(path, "wb");

	put_block(stream, 0x0a0d0d0a, section, sizeof(section));
	put_block(stream, 1, interface, sizeof(interface));
	put_block(stream, 6, packet, 20 + length);
	packet[2] = 12;
	put_block(stream, 6, packet, 20 + length);
	fclose(stream);
}

static struct wm_capture *load(uint64_t bytes_max)
{
	error.text[0] = '\0';
	return wm_capture_load(path, MTU, bytes_max, &error);
}

static void frames_come_with_their_bytes_and_times(void)
{
	static const struct frame frames[] = { { 100, 999999999, 60, 60 },
					       { 101, 4, 1514, 1514 },
					       { 103, 0, 14, 14 } };
	struct wm_capture *capture;

	write_pcap(DLT_EN10MB, frames, 3);
	capture = load(ROOMY);
	CU_ASSERT_PTR_NOT_NULL_FATAL(capture);
	CU_ASSERT(capture->frame_count == 3 && capture->byte_count == 60 + 1514 + 14);
	CU_ASSERT(capture->frames[0].time_ns == 0 && capture->frames[1].time_ns == 5);
	CU_ASSERT_EQUAL(capture->frames[2].time_ns, 2000000001);
	for (unsigned i = 0; i < 3; i++) {
		const struct wm_capture_frame *frame = &capture->frames[i];

		CU_ASSERT_EQUAL(frame->length, frames[i].length);
		for (uint32_t byte = 0; byte < frame->length; byte++)
			CU_ASSERT_EQUAL(capture->bytes[frame->offset + byte],
					(uint8_t)frame->length);
	}
	CU_ASSERT_EQUAL(capture->backwards, 0);
	wm_capture_destroy(&capture);
	CU_ASSERT_PTR_NULL(capture);
}

static void pcapng_is_read_as_well(void)
{
	struct wm_capture *capture;

	write_pcapng(61);
	capture = load(ROOMY);
	CU_ASSERT_PTR_NOT_NULL_FATAL(capture);
	CU_ASSERT(capture->frame_count == 2 && capture->frames[1].length == 61);
	/* without a word about it, times are in microseconds */
	CU_ASSERT_EQUAL(capture->frames[1].time_ns, 7000);
	wm_capture_destroy(&capture);
}

static void a_time_that_goes_back_is_that_of_the_frame_before(void)
{
	static const struct frame frames[] = {
		{ 100, 0, 60, 60 }, { 101, 0, 60, 60 }, { 99, 0, 60, 60 }, { 102, 0, 60, 60 }
	};
	struct wm_capture *capture;

	write_pcap(DLT_EN10MB, frames, 4);
	capture = load(ROOMY);
	CU_ASSERT_PTR_NOT_NULL_FATAL(capture);
	CU_ASSERT_EQUAL(capture->backwards, 1);
	CU_ASSERT_EQUAL(capture->frames[2].time_ns, 1000000000);
	CU_ASSERT_EQUAL(capture->frames[3].time_ns, 2000000000);
	wm_capture_destroy(&capture);
}

static void expect_refused(int link, struct frame frame, const char *why)
{
	const struct frame frames[] = { { 100, 0, 60, 60 }, frame };

	write_pcap(link, frames, 2);
	CU_ASSERT_PTR_NULL(load(ROOMY));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, path));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, why));
}

static void frames_that_cannot_be_sent_are_refused_by_number(void)
{
	expect_refused(DLT_EN10MB, (struct frame){ 0, 0, 1515, 1515 },
		       "frame 2 of 1515 bytes is longer than the MTU");
	expect_refused(DLT_EN10MB, (struct frame){ 0, 0, 1000, 96 },
		       "frame 2 of 1000 bytes was cut");
	expect_refused(DLT_EN10MB, (struct frame){ 0, 0, 13, 13 },
		       "frame 2 of 13 bytes is shorter");
	expect_refused(DLT_RAW, (struct frame){ 0, 0, 60, 60 }, "link type RAW");
}

static void captures_larger_than_memory_are_refused(void)
{
	static const struct frame frames[] = { { 1, 0, 1000, 1000 }, { 1, 0, 1000, 1000 } };
	struct wm_capture *capture;

	write_pcap(DLT_EN10MB, frames, 2);
	CU_ASSERT_PTR_NULL(load(2000 + 2 * sizeof(struct wm_capture_frame) - 1));
	CU_ASSERT_EQUAL(errno, EFBIG);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "from frame 2 on"));
	capture = load(2000 + 2 * sizeof(struct wm_capture_frame));
	CU_ASSERT_PTR_NOT_NULL(capture);
	wm_capture_destroy(&capture);
}

static void a_file_that_ends_within_a_frame_is_refused(void)
{
	static const struct frame frames[] = { { 1, 0, 1000, 1000 }, { 1, 0, 1000, 1000 } };

	write_pcap(DLT_EN10MB, frames, 2);
	CU_ASSERT_EQUAL(truncate(path, 24 + 16 + 1000 + 16 + 999), 0);
	CU_ASSERT_PTR_NULL(load(ROOMY));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "after frame 1: truncated"));
}

static void what_is_no_capture_is_refused(void)
{
	write_pcap(DLT_EN10MB, NULL, 0);
	CU_ASSERT_PTR_NULL(load(ROOMY));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "no frame in it"));
	CU_ASSERT_EQUAL(truncate(path, 0), 0);
	CU_ASSERT_PTR_NULL(load(ROOMY));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "no capture that libpcap reads"));
	CU_ASSERT_PTR_NULL(wm_capture_load("/nowhere", MTU, ROOMY, &error));
	CU_ASSERT_EQUAL(errno, ENOENT);
}

static const struct wm_test tests[] = {
	WM_TEST(frames_come_with_their_bytes_and_times),
	WM_TEST(pcapng_is_read_as_well),
	WM_TEST(a_time_that_goes_back_is_that_of_the_frame_before),
	WM_TEST(frames_that_cannot_be_sent_are_refused_by_number),
	WM_TEST(captures_larger_than_memory_are_refused),
	WM_TEST(a_file_that_ends_within_a_frame_is_refused),
	WM_TEST(what_is_no_capture_is_refused),
};

int main(void)
{
	int fd = mkstemp(path), failed;

	if (fd < 0)
		abort();
	close(fd);
	failed = WM_TESTS_RUN("capture", tests);
	unlink(path);
	return failed;
}
