/* SPDX-License-Identifier: BSD-3-Clause */
#include "wiremill/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int wm_error_set(struct wm_error *error, int code, const char *format, ...)
{
	va_list args;

	if (error) {
		va_start(args, format);
		vsnprintf(error->text, sizeof(error->text), format, args);
		va_end(args);
	}
	return -code;
}

const char *wm_errno_text(int code)
{
	switch (code) {
	case EFBIG:
		return "File too large: more than 'ulimit -f' or the file system allows";
	case EMFILE:
		return "Too many open files: more than 'ulimit -n' allows";
	default:
		return strerror(code);
	}
}
