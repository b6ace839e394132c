/* SPDX-License-Identifier: BSD-3-Clause */
#include "scratch.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define USER_NOBODY 65534u

static char directory[PATH_MAX / 2], directory_shm[64];

int wm_scratch_begin(bool as_user)
{
	const char *parent = getenv("TMPDIR");

	snprintf(directory, sizeof(directory), "%s/wm-storage-XXXXXX",
		 parent && *parent ? parent : "/var/tmp");
	if (!mkdtemp(directory)) {
		printf("Bail out! no scratch directory %s\n", directory);
		return -1;
	}
	if (!as_user || geteuid() != 0)
		return 0;
	if (chown(directory, USER_NOBODY, USER_NOBODY) < 0 || setegid(USER_NOBODY) < 0 ||
	    seteuid(USER_NOBODY) < 0) {
		printf("Bail out! cannot become user %u\n", USER_NOBODY);
		return -1;
	}
	/* Else the leak checker may not look. */
	prctl(PR_SET_DUMPABLE, 1);
	return 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(path);
}

void wm_scratch_end(void)
{
	if (getuid() == 0 && (seteuid(0) < 0 || setegid(0) < 0))
		abort();
	prctl(PR_SET_DUMPABLE, 1);
	nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	if (directory_shm[0])
		nftw(directory_shm, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *wm_scratch_path(const char *name)
{
	static char paths[8][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, PATH_MAX, "%s/%s", directory, name);
	return path;
}

const char *wm_scratch_shm(void)
{
	if (!directory_shm[0]) {
		strcpy(directory_shm, "/dev/shm/wm-storage-XXXXXX");
		if (!mkdtemp(directory_shm))
			directory_shm[0] = '\0';
	}
	return directory_shm[0] ? directory_shm : NULL;
}

/* splitmix64 (Steele, Lea, Flood 2014) */
uint8_t *wm_scratch_bytes(size_t count, uint64_t seed)
{
	uint8_t *bytes = malloc(count + 8);

	if (!bytes)
		abort();
	for (size_t i = 0; i < count; i += 8) {
		uint64_t z = seed += 0x9e3779b97f4a7c15u;

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
		z ^= z >> 31;
		memcpy(bytes + i, &z, 8);
	}
	return bytes;
}

void wm_scratch_write(const char *path, const void *bytes, size_t count)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(bytes, 1, count, file) != count || fclose(file) != 0) {
		printf("Bail out! cannot write %s\n", path);
		exit(EXIT_FAILURE);
	}
}

uint8_t *wm_scratch_read(const char *path, size_t *count)
{
	FILE *file = fopen(path, "rb");
	struct stat status;
	uint8_t *bytes;

	if (!file)
		return NULL;
	if (fstat(fileno(file), &status) < 0)
		abort();
	bytes = malloc((size_t)status.st_size + 1);
	if (!bytes)
		abort();
	*count = fread(bytes, 1, (size_t)status.st_size, file);
	fclose(file);
	return bytes;
}

bool wm_scratch_exists(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

bool wm_scratch_holds(const char *path, const void *bytes, size_t count)
{
	size_t found_count = 0;
	uint8_t *found = wm_scratch_read(path, &found_count);
	bool same = found && found_count == count && memcmp(found, bytes, count) == 0;

	free(found);
	return same;
}

bool wm_scratch_is_line(const struct wm_error *error)
{
	return error->text[0] && !strchr(error->text, '\n');
}
