/* SPDX-License-Identifier: BSD-3-Clause */
#include "outputs.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

/* ---- before the measurement ----------------------------------------------------- */

static bool is_stdout(const char *path)
{
	return strcmp(path, "-") == 0;
}

/* Not cut yet: what is in it is worth more than a measurement that fails. */
static int file_open(struct wm_output *file, struct wm_error *error)
{
	file->fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	file->is_new = file->fd >= 0;
	if (file->fd < 0 && errno == EEXIST)
		file->fd = open(file->path, O_WRONLY | O_CLOEXEC);
	/* A link to nothing exists, and cannot be opened without being made. */
	if (file->fd < 0 && errno == ENOENT)
		file->fd = open(file->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (file->fd < 0)
		return wm_error_set(error, errno, "%s: results cannot be written there: %s",
				    file->path, wm_errno_text(errno));
	return 0;
}

/* Only what keeps what is written: a pipe or a terminal may be shared. */
static bool is_same_file(const char *one, const char *other)
{
	struct stat a, b;

	return one && other && !is_stdout(one) && !is_stdout(other) && stat(one, &a) == 0 &&
	       stat(other, &b) == 0 && S_ISREG(a.st_mode) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

static int check_apart(const struct wm_outputs_wanted *wanted, struct wm_error *error)
{
	const char *const paths[] = { wanted->json_path, wanted->csv_path, wanted->read_path,
				      wanted->write_path };
	const unsigned count = sizeof(paths) / sizeof(paths[0]);

	for (unsigned i = 0; i < WM_OUTPUTS_FILES; i++) {
		for (unsigned other = i + 1; other < count; other++) {
			if (is_same_file(paths[i], paths[other]))
				return wm_error_set(error, EINVAL,
						    "%s: results would replace what else is read "
						    "or written there: name another file",
						    paths[i]);
		}
	}
	return 0;
}

int wm_outputs_open(struct wm_outputs *outputs, const struct wm_outputs_wanted *wanted,
		    struct wm_error *error)
{
	int ret = 0;

	*outputs = (struct wm_outputs){
		.files = { { WM_RESULT_JSON, wanted->json_path, -1, false },
			   { WM_RESULT_CSV, wanted->csv_path, -1, false } },
		.on_stdout = WM_RESULT_TEXT,
	};
	for (unsigned i = 0; i < WM_OUTPUTS_FILES && ret == 0; i++) {
		struct wm_output *file = &outputs->files[i];

		if (file->path && is_stdout(file->path)) {
			assert(outputs->on_stdout == WM_RESULT_TEXT); /* options see to it */
			outputs->on_stdout = file->format;
		} else if (file->path)
			ret = file_open(file, error);
	}
	if (ret == 0)
		ret = check_apart(wanted, error);
	if (ret < 0)
		wm_outputs_close(outputs);
	return ret;
}

/* ---- after it --------------------------------------------------------------------- */

/* The text is the caller's to free. */
static int render(const struct wm_result *result, enum wm_result_format format, char **text,
		  size_t *bytes)
{
	FILE *stream = open_memstream(text, bytes);
	int ret;

	if (!stream)
		return -errno;
	ret = wm_result_write(result, format, stream);
	if (fclose(stream) != 0 && ret == 0)
		ret = -errno;
	if (ret < 0) {
		free(*text);
		*text = NULL;
	}
	return ret;
}

static int write_all(int fd, const char *text, size_t bytes)
{
	while (bytes > 0) {
		struct pollfd until = { .fd = fd, .events = POLLOUT };
		ssize_t written = write(fd, text, bytes);

		if (written < 0 && errno == EAGAIN)
			poll(&until, 1, -1);
		else if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			text += written;
			bytes -= (size_t)written;
		}
	}
	return 0;
}

/* What was there before goes only now. A pipe cannot be cut, and need not be. */
static int replace(struct wm_output *file, const char *text, size_t bytes)
{
	int ret = 0;

	if (ftruncate(file->fd, 0) < 0 && errno != EINVAL)
		ret = -errno;
	if (ret == 0)
		ret = write_all(file->fd, text, bytes);
	/* Some file systems tell only now that there was no room. */
	if (close(file->fd) < 0 && ret == 0)
		ret = -errno;
	file->fd = -1;
	return ret;
}

static int file_write(struct wm_output *file, const struct wm_result *result)
{
	char *text = NULL;
	size_t bytes = 0;
	int ret = render(result, file->format, &text, &bytes);

	if (ret == 0)
		ret = replace(file, text, bytes);
	if (ret < 0)
		wm_log_error("%s: the results are not all written: %s", file->path,
			     wm_errno_text(-ret));
	free(text);
	return ret;
}

/* Results that took hours are not lost with a pipe. */
static int stdout_write(enum wm_result_format format, const struct wm_result *result)
{
	char *text = NULL;
	size_t bytes = 0;
	int ret = render(result, format, &text, &bytes);

	if (ret == 0)
		ret = write_all(STDOUT_FILENO, text, bytes);
	if (ret < 0)
		wm_log_error("the results are not all written to standard output: %s%s",
			     wm_errno_text(-ret), text ? ": here they are" : "");
	if (ret < 0 && text)
		write_all(STDERR_FILENO, text, bytes);
	free(text);
	return ret;
}

int wm_outputs_write(struct wm_outputs *outputs, const struct wm_result *result)
{
	int first = 0, ret;

	for (unsigned i = 0; i < WM_OUTPUTS_FILES; i++) {
		ret = outputs->files[i].fd >= 0 ? file_write(&outputs->files[i], result) : 0;
		first = first < 0 ? first : ret;
	}
	ret = stdout_write(outputs->on_stdout, result);
	return first < 0 ? first : ret;
}

void wm_outputs_close(struct wm_outputs *outputs)
{
	for (unsigned i = 0; i < WM_OUTPUTS_FILES; i++) {
		struct wm_output *file = &outputs->files[i];

		if (file->fd < 0)
			continue;
		close(file->fd);
		file->fd = -1;
		if (file->is_new)
			unlink(file->path);
	}
}
