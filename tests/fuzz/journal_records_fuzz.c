/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes behind the header of a journal, as a file. The input is pieces of 33
 * bytes: a record, and before it a byte that says whether its number and its CRC
 * are put right. A journal that opens must hold just the records that hold, and be
 * the same when it is opened again.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32c.h"
#include "wiremill/journal.h"

#define RECORDS_MAX 400u
#define RANDOM 0x89abcdefu
#define MEND 1u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64];
static struct wm_error last_refusal;

static void remove_file(void)
{
	unlink(path);
}

/* In memory: nothing here waits for a disk. */
static void name_file(void)
{
	int fd;

	if (path[0])
		return;
	strcpy(path, "/dev/shm/wm-journal-fuzz-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		abort();
	close(fd);
	atexit(remove_file);
}

static size_t write_header(uint8_t *bytes)
{
	struct wm_journal_identity identity = {
		.input_bytes = (100ull << 20) + 32,
		.output_bytes = 100ull << 20,
		.extent_elements = 32768,
		.kernel = *wm_kernel_find("xor"),
		.input_path = "/data/in",
	};

	wm_journal_encode_header(bytes, &identity, RANDOM);
	return WM_JOURNAL_HEADER_BYTES;
}

static void mend(uint8_t record[WM_JOURNAL_RECORD_BYTES], uint32_t number)
{
	uint32_t check;

	memcpy(record + 24, &number, 4);
	check = wm_crc32c(RANDOM, record, 28);
	memcpy(record + 28, &check, 4);
}

static void write_file(const uint8_t *data, size_t size)
{
	static uint8_t bytes[WM_JOURNAL_HEADER_BYTES + RECORDS_MAX * WM_JOURNAL_RECORD_BYTES];
	size_t used = write_header(bytes);
	int fd;

	for (uint32_t number = 0; number < RECORDS_MAX && size > 1; number++) {
		size_t rest = size - 1;
		size_t count = rest < WM_JOURNAL_RECORD_BYTES ? rest : WM_JOURNAL_RECORD_BYTES;

		memcpy(bytes + used, data + 1, count);
		if (data[0] & MEND && count == WM_JOURNAL_RECORD_BYTES)
			mend(bytes + used, number);
		used += count;
		data += 1 + count;
		size -= 1 + count;
	}
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0 || write(fd, bytes, used) != (ssize_t)used)
		abort();
	close(fd);
}

static int count_record(void *context, const struct wm_journal_record *record)
{
	if (record->type == WM_JOURNAL_EXTENT && record->extent >= 100)
		abort();
	++*(uint64_t *)context;
	return 0;
}

/* How many records, -1 if it does not open. */
static int64_t open_journal(void)
{
	struct wm_error error = { "" };
	struct wm_journal journal;
	struct stat status;
	uint64_t count = 0;

	if (wm_journal_open(&journal, path, count_record, &count, &error) < 0) {
		last_refusal = error;
		return -1;
	}
	if (count != journal.records || fstat(journal.fd, &status) < 0 ||
	    (uint64_t)status.st_size != WM_JOURNAL_HEADER_BYTES + count * WM_JOURNAL_RECORD_BYTES)
		abort();
	if (wm_journal_scan(&journal, NULL, NULL, NULL) < 0)
		abort();
	wm_journal_close(&journal);
	return (int64_t)count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int64_t first;

	name_file();
	write_file(data, size);
	first = open_journal();
	if (first < 0 && !last_refusal.text[0])
		abort();
	if (first < 0 || open_journal() == first)
		return 0;
	fprintf(stderr, "it does not open again as it did: %s\n", last_refusal.text);
	abort();
}
