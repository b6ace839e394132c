/* SPDX-License-Identifier: BSD-3-Clause */
#include "wiremill/error.h"

#include <stdarg.h>
#include <stdio.h>

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
