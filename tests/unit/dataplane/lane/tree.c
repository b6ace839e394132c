/* SPDX-License-Identifier: BSD-3-Clause */
#include "tree.h"

#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

static char root[64];

static const char *path_of(char path[PATH_MAX], const char *format, va_list args)
{
	int used = snprintf(path, PATH_MAX, "%s", root);

	vsnprintf(path + used, (size_t)(PATH_MAX - used), format, args);
	return path;
}

#define PATH_TAKE(path, format)               \
	do {                                  \
		va_list args_;                \
		va_start(args_, format);      \
		path_of(path, format, args_); \
		va_end(args_);                \
	} while (0)

/* All folders above the last part. */
static void make_above(char path[PATH_MAX])
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
}

void tree_folder(const char *format, ...)
{
	char path[PATH_MAX];

	PATH_TAKE(path, format);
	make_above(path);
	mkdir(path, 0755);
}

void tree_file(const char *text, const char *format, ...)
{
	char path[PATH_MAX];
	FILE *file;

	PATH_TAKE(path, format);
	make_above(path);
	file = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fputs(text, file);
	fclose(file);
}

void tree_link(const char *target, const char *format, ...)
{
	char path[PATH_MAX];

	PATH_TAKE(path, format);
	make_above(path);
	CU_ASSERT_EQUAL_FATAL(symlink(target, path), 0);
}

static int drop(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
	(void)stat;
	(void)type;
	(void)walk;
	return remove(path);
}

void tree_drop(const char *format, ...)
{
	char path[PATH_MAX];

	PATH_TAKE(path, format);
	nftw(path, drop, 8, FTW_DEPTH | FTW_PHYS);
}

const char *tree_make(void)
{
	strcpy(root, "/tmp/wm-tree.XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(root));
	tree_folder("/sys/kernel");
	tree_folder("/proc/self");
	tree_folder("/dev");
	return root;
}

void tree_remove(void)
{
	tree_drop("%s", "");
}
