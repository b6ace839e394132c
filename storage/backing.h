/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a file or block device really is stored on, so that two names of one storage are
 * known as such: a loop device and its file, a partition and its disk, a volume and the
 * disks below it, a file and the device of its file system.
 *
 *   a file          its device and inode;  below it the device of its file system
 *   a partition     a range of its disk
 *   a loop device   a range of its file, and so on below that
 *   dm, md          somewhere on each of its slaves
 *
 * A place is exact where it is known which bytes are meant. Two places that are both
 * somewhere on one disk do not overlap: two files, two volumes. What the kernel does not
 * tell stays unknown: network block devices, FUSE, file systems on several devices, and
 * two volumes that were mapped onto the same blocks.
 */
#ifndef WM_BACKING_H
#define WM_BACKING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#define WM_BACKING_SYSFS "/sys"
/* A stripe over many disks; what is more is not looked at. */
#define WM_BACKING_PLACES_MAX 128u

struct wm_backing {
	unsigned count;
	struct wm_backing_place {
		bool file; /* else a block device, inode 0 */
		bool exact;
		dev_t device;
		ino_t inode;
		uint64_t start, end; /* bytes */
	} places[WM_BACKING_PLACES_MAX];
};

/* Of a regular file or a block device. `sysfs`: WM_BACKING_SYSFS, but in tests. */
void wm_backing_find(struct wm_backing *backing, const struct stat *status, const char *sysfs);
/* Would writing to the one change what the other holds? */
bool wm_backing_overlaps(const struct wm_backing *a, const struct wm_backing *b);

#endif
