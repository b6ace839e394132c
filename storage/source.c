/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "wiremill/store.h"

int wm_source_open(struct wm_source *source, const char *path, struct wm_error *error)
{
	struct wm_file file;
	int ret;

	if (strlen(path) >= sizeof(source->path))
		return wm_error_set(error, ENAMETOOLONG, "input path is longer than %zu bytes",
				    sizeof(source->path) - 1);
	ret = wm_file_open(&file, path, "input", error);
	if (ret < 0)
		return ret;
	if (file.bytes == 0) {
		close(file.fd);
		return wm_error_set(error, ENODATA, "input is empty: %s", path);
	}

	*source = (struct wm_source){
		.fd = file.fd,
		.block_device = file.block_device,
		.bytes = file.bytes,
		.device = file.device,
		.inode = file.inode,
	};
	source->direct = wm_file_set_direct(file.fd, file.block_device, &source->align_bytes);
	memcpy(source->path, path, strlen(path) + 1);
	return 0;
}

void wm_source_close(struct wm_source *source)
{
	close(source->fd);
	source->fd = -1;
}
