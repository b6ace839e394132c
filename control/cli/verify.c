/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "clock.h"
#include "kernel.h"
#include "kernel_list.h"
#include "printable.h"
#include "signals.h"
#include "verify.h"

/* As often as a person can read: the bar is not what costs time. */
#define DRAW_NS (WM_NS_PER_S / 8)

static struct asked {
	struct wm_kernel_settings params;
	const char *kernel, *input, *output, *tail, *manifest;
} asked;

static const struct wm_option options[] = {
	{ .name = "kernel",
	  .value_name = "NAME",
	  .type = WM_OPTION_TEXT,
	  WM_OPTION_FIELD(struct asked, kernel),
	  .help = "what the output should be of the input: " WM_KERNEL_NAMES
		  ", " WM_KERNEL_SHIPPED_NAMES },
	WM_KERNEL_OPTION_PARAM(struct asked),
	{ .name = "input",
	  .value_name = "FILE",
	  .type = WM_OPTION_PATH,
	  WM_OPTION_FIELD(struct asked, input),
	  .help = "what the job read" },
	{ .name = "output",
	  .value_name = "FILE",
	  .type = WM_OPTION_PATH,
	  .flags = WM_OPTION_REQUIRED,
	  WM_OPTION_FIELD(struct asked, output),
	  .help = "what the job wrote" },
	{ .name = "tail",
	  .value_name = "refuse|drop",
	  .type = WM_OPTION_TEXT,
	  WM_OPTION_FIELD(struct asked, tail),
	  .choices = wm_cli_tails,
	  .help = "as the job was submitted (refuse)" },
	{ .name = "manifest",
	  .value_name = "FILE",
	  .type = WM_OPTION_PATH,
	  .flags = WM_OPTION_VALUE_OPTIONAL,
	  WM_OPTION_FIELD(struct asked, manifest),
	  .help = "compare with the manifest that the job left (OUTPUT.wm-manifest)" },
};

static bool interrupted(void)
{
	sigset_t to_end, pending;

	wm_signals_to_end(&to_end);
	sigpending(&pending);
	sigandset(&pending, &pending, &to_end);
	return !sigisemptyset(&pending);
}

bool wm_verify_show(void *context, uint64_t done_bytes, uint64_t total_bytes)
{
	struct wm_verify_watch *watch = context;
	uint64_t now_ns = wm_clock_ns();

	watch->total_bytes = total_bytes;
	if (now_ns - watch->drawn_ns >= DRAW_NS || watch->drawn_ns == 0) {
		double seconds = (double)(now_ns - watch->started_ns) / WM_NS_PER_S;

		wm_progress_bar_show(&watch->progress, done_bytes, total_bytes,
				     seconds > 0 ? (double)done_bytes / seconds : 0, now_ns);
		watch->drawn_ns = now_ns;
	}
	return !interrupted();
}

void wm_verify_watch_init(struct wm_verify_watch *watch)
{
	sigset_t signals;

	/* Blocked, they stay pending for show to see. */
	wm_signals_to_end(&signals);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	*watch = (struct wm_verify_watch){ .started_ns = wm_clock_ns() };
	wm_progress_bar_init(&watch->progress, stderr);
}

/* The three ways to differ: too long, too short, another byte. */
bool wm_verify_is_longer(const struct wm_verify_result *result, const struct wm_verify_watch *watch)
{
	return watch->total_bytes && result->offset >= watch->total_bytes;
}

bool wm_verify_is_shorter(const struct wm_verify_result *result, const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
	       (uint64_t)status.st_size <= result->offset;
}

const char *wm_verify_sizes(char text[WM_VERIFY_SIZES_BYTES], const struct wm_verify_result *result)
{
	text[0] = '\0';
	if (result->found_bytes != result->expected_bytes)
		snprintf(text, WM_VERIFY_SIZES_BYTES,
			 " (it has %" PRIu64 " bytes, and should have %" PRIu64 ")",
			 result->found_bytes, result->expected_bytes);
	return text;
}

static void result_print_json(const struct wm_verify_result *result,
			      const struct wm_verify_watch *watch)
{
	json_t *value = json_pack("{s:b, s:I, s:I, s:I}", "equal", result->equal, "bytes_checked",
				  (json_int_t)result->bytes_checked, "expected_bytes",
				  (json_int_t)result->expected_bytes, "found_bytes",
				  (json_int_t)result->found_bytes);

	if (!result->equal) {
		json_object_set_new(value, "offset", json_integer((json_int_t)result->offset));
		json_object_set_new(value, "expected",
				    wm_verify_is_longer(result, watch)
					    ? json_null()
					    : json_integer(result->expected));
		json_object_set_new(value, "found",
				    wm_verify_is_shorter(result, asked.output)
					    ? json_null()
					    : json_integer(result->found));
	}
	wm_cli_print_json(value);
	json_decref(value);
}

static int difference_print(const struct wm_verify_result *result,
			    const struct wm_verify_watch *watch)
{
	char text[WM_VERIFY_SIZES_BYTES];
	const char *sizes = wm_verify_sizes(text, result);

	if (wm_verify_is_longer(result, watch))
		return wm_cli_failed("%s is not kernel %s of %s: it goes on at offset %" PRIu64
				     ", where it should end%s",
				     asked.output, asked.kernel, asked.input, result->offset,
				     sizes);
	if (wm_verify_is_shorter(result, asked.output))
		return wm_cli_failed("%s is not kernel %s of %s: it ends at offset %" PRIu64
				     ", where it should go on%s",
				     asked.output, asked.kernel, asked.input, result->offset,
				     sizes);
	return wm_cli_failed("%s is not kernel %s of %s: at offset %" PRIu64
			     " it has 0x%02x, and should have 0x%02x%s",
			     asked.output, asked.kernel, asked.input, result->offset, result->found,
			     result->expected, sizes);
}

static void equality_print(const struct wm_verify_result *result)
{
	printf("verified: %" PRIu64 " bytes of ", result->bytes_checked);
	wm_printable_print(stdout, asked.output);
	printf(" are exactly kernel %s of ", asked.kernel);
	wm_printable_print(stdout, asked.input);
	putchar('\n');
}

static int result_print(const struct wm_cli *cli, const struct wm_verify_result *result,
			const struct wm_verify_watch *watch)
{
	if (cli->json)
		result_print_json(result, watch);
	if (!result->equal)
		return difference_print(result, watch);
	if (!cli->json)
		equality_print(result);
	return WM_EXIT_DONE;
}

/* In the order of the source. A kernel that is built in has none. */
static int read_params(double values[WM_KERNEL_SOURCE_PARAMS_MAX])
{
	struct wm_kernel_source source;
	char *code;
	int status;

	if (!wm_kernel_shipped_find(asked.kernel))
		return asked.params.count == 0
			       ? WM_EXIT_DONE
			       : wm_cli_failed("kernel %s has no parameters", asked.kernel);
	status = wm_kernel_read(asked.kernel, &asked.params, &source, &code);
	if (status != WM_EXIT_DONE)
		return status;
	for (uint32_t i = 0; i < source.param_count; i++)
		values[i] = source.params[i].value;
	free(code);
	return WM_EXIT_DONE;
}

static int verify_computing(const struct wm_cli *cli)
{
	double params[WM_KERNEL_SOURCE_PARAMS_MAX] = { 0 };
	struct wm_verify_result result;
	struct wm_verify_watch watch;
	struct wm_error error = { "" };
	int ret;

	if (read_params(params) != WM_EXIT_DONE)
		return WM_EXIT_FAILED;
	wm_verify_watch_init(&watch);
	ret = wm_verify(asked.kernel, params, asked.input, asked.output,
			asked.tail && strcmp(asked.tail, "drop") == 0, wm_verify_show, &watch,
			&result, &error);
	wm_progress_bar_clear(&watch.progress);
	if (ret == -ECANCELED)
		return wm_cli_failed("interrupted: nothing is verified");
	if (ret < 0)
		return wm_cli_failed("%s", error.text);
	return result_print(cli, &result, &watch);
}

static int run(const struct wm_cli *cli)
{
	const char *idle = asked.kernel		    ? "kernel"
			   : asked.input	    ? "input"
			   : asked.tail		    ? "tail"
			   : asked.params.count > 0 ? "param"
						    : NULL;
	bool by_manifest = wm_option_is_given(&cli->verb->schema, &cli->line, "manifest");

	if (by_manifest && idle)
		return wm_cli_wrong_usage(cli->verb,
					  "--%s does not go with --manifest, which computes "
					  "nothing",
					  idle);
	if (by_manifest)
		return wm_verify_by_manifest(cli, asked.output, asked.manifest);
	if (!asked.kernel || !asked.input)
		return wm_cli_wrong_usage(cli->verb, "%s is missing, or --manifest",
					  asked.kernel ? "--input FILE" : "--kernel NAME");
	return verify_computing(cli);
}

const struct wm_verb wm_verb_verify = {
	.schema = {
	.version = WM_CLI_VERSION,
	.name = "wiremill verify",
	.summary = "check an output: compute it again here, or by its manifest",
	.usage = "--kernel NAME [--param NAME=VALUE] --input FILE --output FILE [--tail refuse|drop]\n"
		 "--manifest[=FILE] --output FILE",
	.about = "Needs no controller. Without --manifest the job is computed again on this\n"
		   "processor, and every byte compared; with it the output is read once, at the "
		   "speed\n"
		   "of the disk, and each extent compared with what was written. Exit status 0: "
		   "all is\n"
		   "right; 1: the first place that differs is named.",
	WM_CLI_SETS(options),
	},
	.values = &asked,
	.run = run,
};
