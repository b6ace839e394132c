/* SPDX-License-Identifier: BSD-3-Clause */
#include "wiremill/side.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "backing.h"
#include "file.h"
#include "path.h"
#include "wiremill/journal.h"

/* What tells kinds apart; the last byte of a mark is the version. */
#define KIND_BYTES (WM_SIDE_MARK_BYTES - 1)
#define MODE_OWN 0600

static const struct {
	const char *suffix, *name;
	uint8_t mark[WM_SIDE_MARK_BYTES];
} sides[WM_SIDES] = {
	[WM_SIDE_PARTIAL] = { ".wm-partial",
			      "partial output",
			      { 'W', 'M', 'P', 'A', 'R', 'T', 0, 1 } },
	[WM_SIDE_JOURNAL] = { ".wm-journal", "journal", { 'W', 'M', 'J', 'R', 'N', 'L', 0, 1 } },
	[WM_SIDE_JOURNAL_NEW] = { ".wm-journal.new",
				  "journal",
				  { 'W', 'M', 'J', 'R', 'N', 'L', 0, 1 } },
	[WM_SIDE_MANIFEST] = { ".wm-manifest", "manifest", { 'W', 'M', 'M', 'N', 'F', 'T', 0, 1 } },
	[WM_SIDE_MANIFEST_NEW] = { ".wm-manifest.new",
				   "manifest",
				   { 'W', 'M', 'M', 'N', 'F', 'T', 0, 1 } },
};

/* ---- names -------------------------------------------------------------- */

const char *wm_side_suffix(enum wm_side side)
{
	return sides[side].suffix;
}

const uint8_t *wm_side_mark(enum wm_side side)
{
	return sides[side].mark;
}

/* Of whatever output. In any case: some file systems see none. */
static bool is_side_name(const char *path)
{
	size_t length = strlen(path);

	for (unsigned i = 0; i < WM_SIDES; i++) {
		size_t suffix = strlen(sides[i].suffix);

		if (length >= suffix && strcasecmp(path + length - suffix, sides[i].suffix) == 0)
			return true;
	}
	return false;
}

/* /dev/mapper/a becomes dev-mapper-a. */
static void name_device(char name[PATH_MAX], const char *device)
{
	strcpy(name, device + 1);
	for (char *slash = strchr(name, '/'); slash; slash = strchr(slash, '/'))
		*slash = '-';
}

static int base_of_device(char base[PATH_MAX], const char *device, const char *state_directory,
			  struct wm_error *error)
{
	char resolved[PATH_MAX], name[PATH_MAX];

	if (!realpath(device, resolved))
		return wm_error_set(error, errno, "output device cannot be found (%s): %s",
				    wm_errno_text(errno), device);
	name_device(name, resolved);
	if (snprintf(base, PATH_MAX, "%s/%s", state_directory, name) < PATH_MAX)
		return 0;
	return wm_error_set(error, ENAMETOOLONG, "state directory's path is too long: %s",
			    state_directory);
}

/* What the suffixes are added to: the output, or a name in the state directory. */
static int base_of(char base[PATH_MAX], const char *output_path, const char *state_directory,
		   struct wm_error *error)
{
	char target[PATH_MAX];
	struct stat status;
	int ret = wm_path_output(target, output_path, error);

	if (ret < 0)
		return ret;
	if (stat(target, &status) == 0 && S_ISBLK(status.st_mode))
		return base_of_device(base, target, state_directory, error);
	strcpy(base, target);
	return 0;
}

int wm_side_path(char path[PATH_MAX], const char *output_path, enum wm_side side,
		 const char *state_directory, struct wm_error *error)
{
	char base[PATH_MAX];
	int ret = base_of(base, output_path, state_directory, error);

	if (ret < 0)
		return ret;
	if (snprintf(path, PATH_MAX, "%s%s", base, sides[side].suffix) < PATH_MAX)
		return 0;
	return wm_error_set(error, ENAMETOOLONG, "output path is too long: %s", output_path);
}

/* ---- whose they are ----------------------------------------------------- */

int wm_side_open(const char *path, int flags)
{
	/* A pipe would wait for its other end. */
	int fd = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;
	int ret = 0;

	if (fd < 0)
		return errno == ENXIO ? -EINVAL : -errno;
	/* io_uring fails instead of waiting where O_NONBLOCK is set. */
	if (fstat(fd, &status) < 0 || fcntl(fd, F_SETFL, 0) < 0)
		ret = -errno;
	else if (!S_ISREG(status.st_mode))
		ret = S_ISDIR(status.st_mode) ? -EISDIR : -EINVAL;
	if (ret == 0)
		return fd;
	close(fd);
	return ret;
}

/* Of a file that is shorter than its mark all that is there counts: an empty one has
 * nothing to lose. */
static bool has_mark(int fd, enum wm_side side)
{
	uint8_t found[WM_SIDE_MARK_BYTES];
	ssize_t count = wm_file_read(fd, found, sizeof(found), 0);

	if (count > (ssize_t)KIND_BYTES)
		count = KIND_BYTES;
	return count >= 0 && memcmp(found, sides[side].mark, (size_t)count) == 0;
}

/* The header's CRC, which covers the mark, tells where that alone was damaged. */
static bool has_journal_header(int fd)
{
	uint8_t header[WM_JOURNAL_HEADER_BYTES];
	struct wm_journal_identity identity;
	uint32_t random;

	if (wm_file_read(fd, header, sizeof(header), 0) < (ssize_t)sizeof(header))
		return false;
	memcpy(header, sides[WM_SIDE_JOURNAL].mark, KIND_BYTES);
	return wm_journal_decode_header(header, &identity, &random) == 0;
}

static bool is_journal(int fd)
{
	return has_mark(fd, WM_SIDE_JOURNAL) || has_journal_header(fd);
}

/* Its own header, whole: so that nobody's empty file vouches for another. */
static bool has_journal(const char *path_partial)
{
	size_t length = strlen(path_partial) - strlen(sides[WM_SIDE_PARTIAL].suffix);
	char path[PATH_MAX];
	struct stat status;
	bool found;
	int fd;

	if (length + strlen(sides[WM_SIDE_JOURNAL].suffix) >= PATH_MAX)
		return false;
	memcpy(path, path_partial, length);
	strcpy(path + length, sides[WM_SIDE_JOURNAL].suffix);
	fd = wm_side_open(path, O_RDONLY);
	if (fd < 0)
		return false;
	found = fstat(fd, &status) == 0 && status.st_size >= (off_t)WM_JOURNAL_HEADER_BYTES &&
		is_journal(fd);
	close(fd);
	return found;
}

bool wm_side_is_ours(int fd, const char *path, enum wm_side side)
{
	if (side == WM_SIDE_JOURNAL)
		return is_journal(fd);
	return has_mark(fd, side) || (side == WM_SIDE_PARTIAL && has_journal(path));
}

int wm_side_remove(const char *path, enum wm_side side)
{
	int fd = wm_side_open(path, O_RDONLY);
	int ret = 0;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (!wm_side_is_ours(fd, path, side))
		ret = -EEXIST;
	else if (unlink(path) < 0)
		ret = errno == ENOENT ? 0 : -errno;
	else
		ret = wm_path_sync(path);
	close(fd);
	return ret;
}

int wm_side_create(const char *path, enum wm_side side, int flags)
{
	int ret = wm_side_remove(path, side);
	int fd;

	if (ret < 0)
		return ret;
	fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, MODE_OWN);
	return fd < 0 ? -errno : fd;
}

static const char *in_the_way(int code)
{
	switch (code) {
	case EEXIST:
		return "a file that Wiremill did not make, or that is damaged,";
	case ELOOP:
		return "a symbolic link";
	case EISDIR:
		return "a directory";
	case EINVAL:
		return "something that is no file";
	default:
		return NULL;
	}
}

int wm_side_refuse(const char *path, enum wm_side side, int code, struct wm_error *error)
{
	const char *what = in_the_way(code);

	if (code == ENAMETOOLONG)
		return wm_error_set(error, code,
				    "output needs a shorter name, that of its %s is too long: %s",
				    sides[side].name, path);
	if (what)
		return wm_error_set(error, code,
				    "%s has the name of the output's %s, move it away or give "
				    "another output: %s",
				    what, sides[side].name, path);
	return wm_error_set(error, code, "%s cannot be used (%s): %s", sides[side].name,
			    wm_errno_text(code), path);
}

/* ---- before the first byte ---------------------------------------------- */

static int check_input(const struct wm_backing *input, const struct stat *status, const char *path,
		       struct wm_error *error)
{
	struct wm_backing side;

	if (!input)
		return 0;
	wm_backing_find(&side, status, WM_BACKING_SYSFS);
	if (!wm_backing_overlaps(input, &side))
		return 0;
	return wm_error_set(error, EINVAL,
			    "input is %s, which this output would need for itself: give another "
			    "output",
			    path);
}

static int check_side(const char *base, enum wm_side side, const struct wm_backing *input,
		      struct wm_error *error)
{
	char path[PATH_MAX];
	struct stat status;
	int fd, ret;

	if (snprintf(path, sizeof(path), "%s%s", base, sides[side].suffix) >= PATH_MAX)
		return wm_side_refuse(base, side, ENAMETOOLONG, error);
	/* Also what a link of that name leads to. */
	if (stat(path, &status) == 0) {
		ret = check_input(input, &status, path, error);
		if (ret < 0)
			return ret;
	}
	fd = wm_side_open(path, O_RDONLY);
	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? 0 : wm_side_refuse(path, side, -fd, error);
	ret = wm_side_is_ours(fd, path, side) ? 0 : wm_side_refuse(path, side, EEXIST, error);
	close(fd);
	return ret;
}

/* The file system's own answer to a long name is not the only one: some cut it. */
static int check_name_max(const char *base, struct wm_error *error)
{
	const char *slash = strrchr(base, '/'), *name = slash ? slash + 1 : base;
	char directory[PATH_MAX];
	long most;

	wm_path_directory(directory, base);
	most = pathconf(directory, _PC_NAME_MAX);
	if (most <= 0 || strlen(name) + WM_PATH_SUFFIX_BYTES_MAX <= (size_t)most)
		return 0;
	return wm_error_set(error, ENAMETOOLONG,
			    "output needs a shorter name, with room for '%s' (%zu bytes where the "
			    "file system takes %ld): %s",
			    sides[WM_SIDE_MANIFEST_NEW].suffix,
			    strlen(name) + WM_PATH_SUFFIX_BYTES_MAX, most, base);
}

static int check_directory(const char *base, struct wm_error *error)
{
	char directory[PATH_MAX];

	wm_path_directory(directory, base);
	if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) == 0)
		return 0;
	return wm_error_set(error, errno, "journal and manifest cannot be written to %s (%s)",
			    directory, wm_errno_text(errno));
}

static bool is_device(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISBLK(status.st_mode);
}

int wm_side_check(const char *output_path, const char *state_directory,
		  const struct wm_source *source, struct wm_error *error)
{
	struct wm_backing input;
	char base[PATH_MAX];
	struct stat status;
	int ret = base_of(base, output_path, state_directory, error);

	if (ret == 0 && is_side_name(base) && !is_device(output_path))
		ret = wm_error_set(error, EINVAL,
				   "output has a name that belongs to what lies beside an output "
				   "(.wm-partial and such), give another: %s",
				   output_path);
	if (ret == 0)
		ret = check_name_max(base, error);
	/* Of a file it is the output's own, which the sink checks. */
	if (ret == 0 && is_device(output_path))
		ret = check_directory(base, error);
	if (ret < 0)
		return ret;
	if (source && fstat(source->fd, &status) == 0)
		wm_backing_find(&input, &status, WM_BACKING_SYSFS);
	else
		source = NULL;
	/* The journal, first, says whose the partial output is. */
	ret = check_side(base, WM_SIDE_JOURNAL, source ? &input : NULL, error);
	for (unsigned i = 0; i < WM_SIDES && ret == 0; i++) {
		if (i != WM_SIDE_JOURNAL)
			ret = check_side(base, (enum wm_side)i, source ? &input : NULL, error);
	}
	return ret;
}

/* Of what an earlier job left, which makes way. */
static uint64_t left_bytes(const char *base)
{
	uint64_t bytes = 0;
	char path[PATH_MAX];
	struct stat status;

	for (unsigned i = 0; i < WM_SIDES; i++) {
		if (snprintf(path, sizeof(path), "%s%s", base, sides[i].suffix) < PATH_MAX &&
		    lstat(path, &status) == 0)
			bytes += (uint64_t)status.st_blocks * 512;
	}
	return bytes;
}

int wm_side_check_space(const char *output_path, const char *state_directory, uint64_t output_bytes,
			uint64_t extents, struct wm_error *error)
{
	uint64_t beside_bytes = wm_journal_bytes(extents) + wm_manifest_bytes(extents);
	uint64_t needed_bytes = beside_bytes + (is_device(output_path) ? 0 : output_bytes);
	char base[PATH_MAX], directory[PATH_MAX];
	struct statvfs disk;
	uint64_t free_bytes;
	int ret = base_of(base, output_path, state_directory, error);

	if (ret < 0)
		return ret;
	wm_path_directory(directory, base);
	if (statvfs(directory, &disk) < 0 || disk.f_blocks == 0)
		return 0;
	free_bytes = (uint64_t)disk.f_bfree * disk.f_frsize + left_bytes(base);
	if (needed_bytes <= free_bytes)
		return 0;
	return wm_error_set(error, ENOSPC,
			    "output needs %" PRIu64 " bytes in %s (%" PRIu64
			    " of them for journal and manifest), only %" PRIu64 " are free: %s",
			    needed_bytes, directory, beside_bytes, free_bytes, output_path);
}
