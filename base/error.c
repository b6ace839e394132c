/* SPDX-License-Identifier: BSD-3-Clause */
#include "wiremill/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rights.h"

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

/* NULL: a filter has nothing to do with it, or there is none. */
static const char *text_of_filtered(int code)
{
	if (code != EPERM && code != ENOSYS && code != EAFNOSUPPORT)
		return NULL;
	if (!wm_rights_are_filtered())
		return NULL;
	if (code == EAFNOSUPPORT)
		return "Address family not supported: perhaps by the seccomp filter that is in "
		       "force (a container's profile, RestrictAddressFamilies=)";
	return code == EPERM ? "Operation not permitted: perhaps by the seccomp filter that is in "
			       "force (a container's profile, SystemCallFilter=)"
			     : "Function not implemented: perhaps by the seccomp filter that is in "
			       "force (a container's profile, SystemCallFilter=)";
}

const char *wm_errno_text(int code)
{
	const char *filtered = text_of_filtered(code);

	if (filtered)
		return filtered;
	switch (code) {
	case EFBIG:
		return "File too large: more than 'ulimit -f' or the file system allows";
	case EMFILE:
		return "Too many open files: more than 'ulimit -n' allows";
	default:
		return strerror(code);
	}
}
