/* SPDX-License-Identifier: BSD-3-Clause */
#include "origin.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "json_table.h"
#include "printable.h"
#include "utc.h"

/* From the file: a directory service may take its time, and this is the control thread. */
static void user_name(char user[WM_JOB_USER_BYTES], uid_t uid)
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *entry = NULL;

	while (file && (entry = fgetpwent(file)) && entry->pw_uid != uid)
		;
	if (entry)
		snprintf(user, WM_JOB_USER_BYTES, "%s", entry->pw_name);
	else
		snprintf(user, WM_JOB_USER_BYTES, "%u", (unsigned)uid);
	if (file)
		fclose(file);
}

static bool is_printable(const char *text, size_t text_bytes)
{
	char shown[4 * WM_JOB_NAME_BYTES];

	return strlen(text) < text_bytes &&
	       strcmp(wm_printable(shown, sizeof(shown), text), text) == 0;
}

int wm_job_origin_init(struct wm_job_origin *origin, uid_t uid, const char *name,
		       struct wm_error *error)
{
	*origin = (struct wm_job_origin){ 0 };
	if (!is_printable(name, sizeof(origin->name)))
		return wm_error_set(error, EINVAL,
				    "a job's name has at most %zu bytes, and no control "
				    "characters: '%.80s' cannot be one",
				    sizeof(origin->name) - 1, name);
	strcpy(origin->name, name);
	if (uid != (uid_t)-1)
		user_name(origin->user, uid);
	return 0;
}

static json_t *time_new(uint64_t utc_ms)
{
	char text[WM_UTC_TEXT_BYTES];

	return utc_ms ? json_string(wm_utc_format(text, utc_ms)) : json_null();
}

void wm_job_origin_describe(json_t *object, const struct wm_job_origin *origin)
{
	json_object_set_new(object, "user", wm_json_text(origin->user));
	json_object_set_new(object, "name", json_string(origin->name));
	json_object_set_new(object, "submitted", time_new(origin->submitted_ms));
	json_object_set_new(object, "started", time_new(origin->started_ms));
	json_object_set_new(object, "ended", time_new(origin->ended_ms));
}

static const struct wm_json_field times[] = {
	WM_JSON_NUMBER(struct wm_job_origin, "submitted_ms", submitted_ms),
	WM_JSON_NUMBER(struct wm_job_origin, "started_ms", started_ms),
	WM_JSON_NUMBER(struct wm_job_origin, "ended_ms", ended_ms),
};

void wm_job_origin_put(json_t *entry, const struct wm_job_origin *origin)
{
	json_object_set_new(entry, "user", wm_json_text(origin->user));
	json_object_set_new(entry, "name", json_string(origin->name));
	wm_json_put(entry, times, sizeof(times) / sizeof(times[0]), origin);
}

int wm_job_origin_take(json_t *entry, struct wm_job_origin *origin)
{
	const char *user = "", *name = "";

	*origin = (struct wm_job_origin){ 0 };
	if (!json_object_get(entry, "submitted_ms"))
		return 0;
	if (json_unpack(entry, "{s:s, s:s}", "user", &user, "name", &name) < 0 ||
	    !is_printable(user, sizeof(origin->user)) || !is_printable(name, sizeof(origin->name)))
		return -EBADMSG;
	strcpy(origin->user, user);
	strcpy(origin->name, name);
	return wm_json_take(entry, times, sizeof(times) / sizeof(times[0]), origin);
}
