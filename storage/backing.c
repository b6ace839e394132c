/* SPDX-License-Identifier: BSD-3-Clause */
#include "backing.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/loop.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define SECTOR_BYTES 512u /* of sysfs, whatever the disk's */
/* Deeper than anybody stacks devices. */
#define DEPTH_MAX 16u

struct search {
	struct wm_backing *backing;
	const char *sysfs;
	unsigned depth;
};

static void find_device(struct search *search, dev_t device, struct wm_backing_place range);
static void find_file(struct search *search, const struct stat *status,
		      struct wm_backing_place range);

/* ---- sysfs -------------------------------------------------------------- */

/* An attribute of a block device, without its line's end. */
static bool read_attribute(const struct search *search, dev_t device, char text[PATH_MAX],
			   const char *format, ...) __attribute__((format(printf, 4, 5)));

static bool read_attribute(const struct search *search, dev_t device, char text[PATH_MAX],
			   const char *format, ...)
{
	char name[NAME_MAX + 32], path[PATH_MAX];
	va_list args;
	FILE *file;
	bool found;

	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	if (snprintf(path, sizeof(path), "%s/dev/block/%u:%u/%s", search->sysfs, major(device),
		     minor(device), name) >= PATH_MAX)
		return false;
	file = fopen(path, "re");
	if (!file)
		return false;
	found = fgets(text, PATH_MAX, file);
	fclose(file);
	if (found)
		text[strcspn(text, "\n")] = '\0';
	return found;
}

static uint64_t read_number(const struct search *search, dev_t device, const char *name)
{
	char text[PATH_MAX];
	uint64_t number = 0;

	if (read_attribute(search, device, text, "%s", name) &&
	    sscanf(text, "%" SCNu64, &number) < 1)
		return 0;
	return number;
}

static bool parse_device(const char *text, dev_t *device)
{
	unsigned high, low;

	if (sscanf(text, "%u:%u", &high, &low) < 2)
		return false;
	*device = makedev(high, low);
	return true;
}

/* ---- places ------------------------------------------------------------- */

/* False: there is no room, or it is there already. */
static bool add(struct search *search, const struct wm_backing_place *place)
{
	struct wm_backing *backing = search->backing;

	for (unsigned i = 0; i < backing->count; i++) {
		const struct wm_backing_place *known = &backing->places[i];

		if (known->file == place->file && known->device == place->device &&
		    known->inode == place->inode && known->start == place->start &&
		    known->end == place->end && known->exact == place->exact)
			return false;
	}
	if (backing->count == WM_BACKING_PLACES_MAX)
		return false;
	backing->places[backing->count++] = *place;
	return true;
}

/* The range of what is below that begins there and has that many bytes (0: no limit). */
static struct wm_backing_place shifted(struct wm_backing_place range, uint64_t offset,
				       uint64_t bytes)
{
	uint64_t limit = bytes ? bytes : UINT64_MAX - offset;

	if (range.start > limit)
		range.start = limit;
	if (range.end > limit)
		range.end = limit;
	range.start += offset;
	range.end += offset;
	return range;
}

static struct wm_backing_place somewhere(void)
{
	return (struct wm_backing_place){ .end = UINT64_MAX };
}

/* ---- what is below ------------------------------------------------------ */

static bool find_disk(struct search *search, dev_t partition, struct wm_backing_place range)
{
	char text[PATH_MAX];
	dev_t disk;

	if (!read_attribute(search, partition, text, "partition") ||
	    !read_attribute(search, partition, text, "../dev") || !parse_device(text, &disk))
		return false;
	find_device(search, disk,
		    shifted(range, read_number(search, partition, "start") * SECTOR_BYTES,
			    read_number(search, partition, "size") * SECTOR_BYTES));
	return true;
}

/* As the driver itself says it, which no renaming of the file changes. */
static bool ask_loop(const struct search *search, dev_t loop, struct stat *status)
{
	struct loop_info64 info;
	char text[PATH_MAX], path[PATH_MAX];
	struct stat node;
	bool known;
	int fd;

	if (!read_attribute(search, loop, text, "loop/backing_file"))
		return false;
	snprintf(path, sizeof(path), "/dev/loop%u", minor(loop));
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	known = fd >= 0 && fstat(fd, &node) == 0 && node.st_rdev == loop &&
		ioctl(fd, LOOP_GET_STATUS64, &info) == 0;
	if (fd >= 0)
		close(fd);
	if (!known)
		return stat(text, status) == 0;
	*status = (struct stat){ .st_mode = info.lo_rdevice ? S_IFBLK : S_IFREG,
				 .st_dev = info.lo_device,
				 .st_rdev = info.lo_rdevice,
				 .st_ino = info.lo_inode };
	return true;
}

static bool find_loop(struct search *search, dev_t loop, struct wm_backing_place range)
{
	struct stat status;

	if (!ask_loop(search, loop, &status))
		return false;
	find_file(search, &status,
		  shifted(range, read_number(search, loop, "loop/offset"),
			  read_number(search, loop, "loop/sizelimit")));
	return true;
}

static void find_slaves(struct search *search, dev_t device)
{
	char path[PATH_MAX], text[PATH_MAX];
	struct dirent *entry;
	dev_t slave;
	DIR *slaves;

	if (snprintf(path, sizeof(path), "%s/dev/block/%u:%u/slaves", search->sysfs, major(device),
		     minor(device)) >= PATH_MAX)
		return;
	slaves = opendir(path);
	if (!slaves)
		return;
	while ((entry = readdir(slaves))) {
		if (entry->d_name[0] != '.' &&
		    read_attribute(search, device, text, "slaves/%s/dev", entry->d_name) &&
		    parse_device(text, &slave))
			find_device(search, slave, somewhere());
	}
	closedir(slaves);
}

static void find_device(struct search *search, dev_t device, struct wm_backing_place range)
{
	range.file = false;
	range.device = device;
	range.inode = 0;
	if (search->depth == DEPTH_MAX || !add(search, &range))
		return;
	search->depth++;
	if (!find_disk(search, device, range) && !find_loop(search, device, range))
		find_slaves(search, device);
	search->depth--;
}

static void find_file(struct search *search, const struct stat *status,
		      struct wm_backing_place range)
{
	if (S_ISBLK(status->st_mode)) {
		find_device(search, status->st_rdev, range);
		return;
	}
	range.file = true;
	range.device = status->st_dev;
	range.inode = status->st_ino;
	if (!add(search, &range))
		return;
	/* Without a major number there is no device, or more than one. */
	if (major(status->st_dev) != 0)
		find_device(search, status->st_dev, somewhere());
}

void wm_backing_find(struct wm_backing *backing, const struct stat *status, const char *sysfs)
{
	struct search search = { .backing = backing, .sysfs = sysfs };
	struct wm_backing_place whole = { .exact = true, .end = UINT64_MAX };

	backing->count = 0;
	find_file(&search, status, whole);
}

/* ---- comparison --------------------------------------------------------- */

static bool overlap(const struct wm_backing_place *a, const struct wm_backing_place *b)
{
	return a->file == b->file && a->device == b->device && a->inode == b->inode &&
	       (a->exact || b->exact) && a->start < b->end && b->start < a->end;
}

bool wm_backing_overlaps(const struct wm_backing *a, const struct wm_backing *b)
{
	for (unsigned i = 0; i < a->count; i++) {
		for (unsigned k = 0; k < b->count; k++) {
			if (overlap(&a->places[i], &b->places[k]))
				return true;
		}
	}
	return false;
}
