/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Puts the free hugepages of 2 MiB into the order in which they lie in memory, the
 * longest run first, so that the next program's buffers are physically in one piece.
 *
 * QEMU's e1000e maps a fragment of a frame to be sent in one piece, and drops the frame
 * without a word where behind the IOMMU it is two; a card does not. Pages that are
 * reserved at boot come in order once: the kernel takes the page that was freed last, and
 * so the next program finds them backwards.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_BYTES (2ul * 1024 * 1024)
#define SMALL_PAGE_BYTES 4096ul
#define FRAME_MASK ((1ull << 55) - 1) /* of an entry of /proc/self/pagemap */

struct page {
	uint64_t physical;
	char *address;
	size_t run; /* pages that lie in one piece with it */
};

static int by_physical(const void *left, const void *right)
{
	const struct page *a = left, *b = right;

	return (a->physical > b->physical) - (a->physical < b->physical);
}

/* Those that are to be taken last come first: the kernel keeps a stack. */
static int by_return(const void *left, const void *right)
{
	const struct page *a = left, *b = right;

	if (a->run != b->run)
		return (a->run > b->run) - (a->run < b->run);
	return by_physical(b, a);
}

static int find_pages(struct page *pages, size_t count, char *memory)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry;

	if (fd < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		pages[i].address = memory + i * PAGE_BYTES;
		off_t place = (off_t)((uintptr_t)pages[i].address / SMALL_PAGE_BYTES * 8);
		if (pread(fd, &entry, sizeof(entry), place) != (ssize_t)sizeof(entry))
			break;
		pages[i].physical = (entry & FRAME_MASK) * SMALL_PAGE_BYTES;
	}
	close(fd);
	return 0;
}

static size_t measure_runs(struct page *pages, size_t count)
{
	size_t longest = 0;

	for (size_t first = 0, end; first < count; first = end) {
		end = first + 1;
		while (end < count && pages[end].physical == pages[end - 1].physical + PAGE_BYTES)
			end++;
		for (size_t i = first; i < end; i++)
			pages[i].run = end - first;
		if (end - first > longest)
			longest = end - first;
	}
	return longest;
}

int main(int argc, char **argv)
{
	size_t count = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	struct page *pages = calloc(count + 1, sizeof(*pages));
	char *memory;

	if (count == 0 || !pages) {
		fputs("usage: hugepage_order FREE-PAGES\n", stderr);
		return 2;
	}
	memory = mmap(NULL, count * PAGE_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
	if (memory == MAP_FAILED || find_pages(pages, count, memory) < 0) {
		perror("hugepage_order");
		return 1;
	}
	qsort(pages, count, sizeof(*pages), by_physical);
	printf("%zu hugepages, the longest run is of %zu\n", count, measure_runs(pages, count));
	qsort(pages, count, sizeof(*pages), by_return);
	for (size_t i = 0; i < count; i++)
		munmap(pages[i].address, PAGE_BYTES);
	free(pages);
	return 0;
}
