/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "printable.h"
#include "verify.h"
#include "wiremill/journal.h"
#include "wiremill/side.h"

static int result_print_json(const struct wm_verify_result *result, const char *manifest)
{
	json_t *value = json_pack("{s:b, s:I, s:I, s:I, s:s}", "equal", result->equal,
				  "bytes_checked", (json_int_t)result->bytes_checked,
				  "expected_bytes", (json_int_t)result->expected_bytes,
				  "found_bytes", (json_int_t)result->found_bytes, "manifest",
				  manifest);

	if (!result->equal)
		json_object_set_new(value, "offset", json_integer((json_int_t)result->offset));
	wm_cli_print_json(value);
	json_decref(value);
	return WM_EXIT_DONE;
}

static int difference_print(const struct wm_verify_result *result,
			    const struct wm_verify_watch *watch, const char *output,
			    const char *manifest)
{
	char text[WM_VERIFY_SIZES_BYTES];
	const char *sizes = wm_verify_sizes(text, result);

	if (wm_verify_is_longer(result, watch))
		return wm_cli_failed("%s is not what %s says: it goes on at offset %" PRIu64
				     ", where it should end%s",
				     output, manifest, result->offset, sizes);
	if (wm_verify_is_shorter(result, output))
		return wm_cli_failed("%s is not what %s says: it ends at offset %" PRIu64
				     ", where it should go on%s",
				     output, manifest, result->offset, sizes);
	return wm_cli_failed("%s is not what %s says: the extent at offset %" PRIu64
			     " has other bytes%s",
			     output, manifest, result->offset, sizes);
}

static int equality_print(const struct wm_verify_result *result, const char *output,
			  const char *manifest)
{
	printf("verified: %" PRIu64 " bytes of ", result->bytes_checked);
	wm_printable_print(stdout, output);
	printf(" are what ");
	wm_printable_print(stdout, manifest);
	printf(" says\n");
	return WM_EXIT_DONE;
}

static int result_print(const struct wm_cli *cli, const struct wm_verify_result *result,
			const struct wm_verify_watch *watch, const char *output,
			const char *manifest)
{
	if (cli->json)
		result_print_json(result, manifest);
	if (!result->equal)
		return difference_print(result, watch, output, manifest);
	return cli->json ? WM_EXIT_DONE : equality_print(result, output, manifest);
}

/* Where the job left it: of a device that is the controller's usual place. */
static int manifest_find(char path[PATH_MAX], const char *output)
{
	struct wm_error error = { "" };

	if (wm_side_path(path, output, WM_SIDE_MANIFEST, WM_STATE_DIRECTORY_DEFAULT, &error) < 0)
		return wm_cli_failed("%s", error.text);
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return wm_cli_failed("there is no %s, which a job leaves when it is done: name it "
				     "with --manifest=FILE, or verify with --kernel and --input",
				     path);
	return WM_EXIT_DONE;
}

int wm_verify_by_manifest(const struct wm_cli *cli, const char *output, const char *manifest)
{
	struct wm_verify_result result;
	struct wm_verify_watch watch;
	struct wm_error error = { "" };
	char path[PATH_MAX];
	int ret;

	if (!manifest && manifest_find(path, output) != WM_EXIT_DONE)
		return WM_EXIT_FAILED;
	if (!manifest)
		manifest = path;
	wm_verify_watch_init(&watch);
	ret = wm_manifest_verify(manifest, output, wm_verify_show, &watch, &result, &error);
	wm_progress_bar_clear(&watch.progress);
	if (ret == -ECANCELED)
		return wm_cli_failed("interrupted: nothing is verified");
	if (ret < 0)
		return wm_cli_failed("%s", error.text);
	return result_print(cli, &result, &watch, output, manifest);
}
