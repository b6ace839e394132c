/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <errno.h>

#include "report_csv.h"
#include "report_json.h"
#include "report_text.h"

static int write_json(const struct wm_result *result, FILE *stream)
{
	json_t *value = wm_report_json(result);
	int ret;

	if (!value)
		return -ENOMEM;
	ret = json_dumpf(value, stream, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
	fputc('\n', stream);
	json_decref(value);
	return ret < 0 ? -EIO : 0;
}

int wm_report_write(const struct wm_result *result, enum wm_report_format format, FILE *stream)
{
	int ret = 0;

	switch (format) {
	case WM_REPORT_TEXT:
		wm_report_text(result, stream);
		break;
	case WM_REPORT_JSON:
		ret = write_json(result, stream);
		break;
	case WM_REPORT_CSV:
		ret = wm_report_csv(result, stream);
		break;
	}
	if (ret == 0 && (fflush(stream) != 0 || ferror(stream)))
		ret = -EIO;
	return ret;
}
