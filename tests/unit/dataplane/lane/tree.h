/* SPDX-License-Identifier: BSD-3-Clause */
/* A /sys, /proc and /dev of a test's own, for what reads them below a root (sysfs.h). */
#ifndef WM_TREE_H
#define WM_TREE_H

/* A new one, with what any machine has. Removed by tree_remove. */
const char *tree_make(void);
void tree_remove(void);

void tree_folder(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* With its folders. */
void tree_file(const char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void tree_link(const char *target, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A file, a link, or a folder with all that is in it. */
void tree_drop(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
