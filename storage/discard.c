/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an unfinished job left beside an output, removed. Both locks are taken before
 * anything goes, so that no job is at it; the journal goes last, since it says what the
 * others are.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "file.h"
#include "sink_private.h"
#include "wiremill/journal.h"
#include "wiremill/side.h"

static int refuse_lock(const char *path, int code, struct wm_error *error)
{
	if (code == EWOULDBLOCK)
		return wm_error_set(error, EBUSY, "another job is at it, so it stays: %s", path);
	return wm_error_set(error, code, "it cannot be locked (%s), so it stays: %s",
			    strerror(code), path);
}

/* A descriptor of what is ours, or -ENOENT without a line. */
static int open_side(const char *path, enum wm_side side, struct wm_error *error)
{
	int fd = wm_side_open(path, O_RDWR);

	if (fd == -ENOENT)
		return fd;
	if (fd < 0)
		return wm_side_refuse(path, side, -fd, error);
	if (wm_side_is_ours(fd, path, side))
		return fd;
	close(fd);
	return wm_side_refuse(path, side, EEXIST, error);
}

static int check_owner(int fd, const struct wm_discard_owner *owner, const char *path,
		       struct wm_error *error)
{
	uint8_t header[WM_JOURNAL_HEADER_BYTES];
	struct wm_journal_identity identity;
	ssize_t count = wm_file_read(fd, header, sizeof(header), 0);
	uint32_t random;

	if (count == sizeof(header) && owner->journal != 0 &&
	    wm_journal_decode_header(header, &identity, &random) == 0 && random == owner->journal)
		return 0;
	return wm_error_set(error, EEXIST,
			    "journal may be another job's, so it stays, and 'wiremill job discard' "
			    "removes it: %s",
			    path);
}

static int open_journal(const char *path, const struct wm_discard_owner *owner,
			struct wm_error *error)
{
	int fd = open_side(path, WM_SIDE_JOURNAL, error);
	int ret;

	if (fd < 0)
		return fd;
	ret = flock(fd, LOCK_EX | LOCK_NB) < 0 ? refuse_lock(path, errno, error) : 0;
	if (ret == 0 && owner)
		ret = check_owner(fd, owner, path, error);
	if (ret == 0)
		return fd;
	close(fd);
	return ret;
}

static int open_partial(const char *path, const char *output, struct wm_error *error)
{
	struct wm_sink sink = { .fd = -1, .fd_tail = -1 };
	int fd = open_side(path, WM_SIDE_PARTIAL, error);
	int ret;

	if (fd < 0)
		return fd;
	strcpy(sink.path, output);
	strcpy(sink.path_partial, path);
	ret = wm_sink_lock(&sink, fd, error);
	if (ret == 0)
		return fd;
	close(fd);
	return ret;
}

/* What is open, and locked; what took its name meanwhile is let be. */
static int remove_side(int fd, const char *path, enum wm_side side, char removed[PATH_MAX],
		       struct wm_error *error)
{
	int ret;

	if (!wm_file_is_named(fd, path))
		return wm_error_set(error, ESTALE,
				    "it was moved or replaced just now, so it stays: %s", path);
	ret = wm_side_remove(path, side);

	if (ret < 0)
		return wm_side_refuse(path, side, -ret, error);
	strcpy(removed, path);
	return 0;
}

/* Nobody's, once both locks are held. */
static int remove_reserved(const char *path, char removed[PATH_MAX], struct wm_error *error)
{
	int fd = open_side(path, WM_SIDE_MANIFEST_NEW, error);
	int ret;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	ret = remove_side(fd, path, WM_SIDE_MANIFEST_NEW, removed, error);
	close(fd);
	return ret;
}

struct sides {
	char journal[PATH_MAX], partial[PATH_MAX], reserved[PATH_MAX];
};

static int find_sides(struct sides *sides, const char *output, const char *state_directory,
		      struct wm_error *error)
{
	int ret = wm_side_path(sides->journal, output, WM_SIDE_JOURNAL, state_directory, error);

	if (ret == 0)
		ret = wm_side_path(sides->partial, output, WM_SIDE_PARTIAL, state_directory, error);
	if (ret == 0)
		ret = wm_side_path(sides->reserved, output, WM_SIDE_MANIFEST_NEW, state_directory,
				   error);
	return ret;
}

int wm_output_discard(struct wm_discarded *removed, const char *output, const char *state_directory,
		      const struct wm_discard_owner *owner, struct wm_error *error)
{
	struct sides sides;
	int journal_fd, partial_fd, ret;

	*removed = (struct wm_discarded){ "", "", "" };
	ret = find_sides(&sides, output, state_directory, error);
	if (ret < 0)
		return ret;
	journal_fd = open_journal(sides.journal, owner, error);
	if (journal_fd < 0 && journal_fd != -ENOENT)
		return journal_fd;
	partial_fd = open_partial(sides.partial, output, error);
	if (partial_fd < 0 && partial_fd != -ENOENT) {
		ret = partial_fd;
		goto close_journal;
	}
	if (partial_fd >= 0)
		ret = remove_side(partial_fd, sides.partial, WM_SIDE_PARTIAL, removed->partial,
				  error);
	if (ret == 0)
		ret = remove_reserved(sides.reserved, removed->reserved, error);
	if (ret == 0 && journal_fd >= 0)
		ret = remove_side(journal_fd, sides.journal, WM_SIDE_JOURNAL, removed->journal,
				  error);
	if (partial_fd >= 0)
		close(partial_fd);

close_journal:
	if (journal_fd >= 0)
		close(journal_fd);
	return ret;
}
