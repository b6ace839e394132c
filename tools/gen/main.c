/* SPDX-License-Identifier: BSD-3-Clause */
/* wiremill-gen: what to measure, then gen.h and commands.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "gen.h"
#include "key.h"
#include "log.h"
#include "outputs.h"
#include "signals.h"
#include "streams.h"
#include "wiremill/control.h"

#define COMMAND_BYTES_MAX 4096u

/* What the result says of how it came to be. */
struct origin {
	char started[32];
	char host[64];
	char command[COMMAND_BYTES_MAX];
};

static int wrong_usage(const char *what)
{
	return wm_option_wrong_usage(wm_gen_schema.name, "%s", what);
}

/* Help and version have no command before them, or belong to it. Returns the exit status, or
 * -1: run. */
static int take_line(struct wm_gen_options *options, int argc, char **argv)
{
	void *const values[WM_OPTION_SETS] = { options };
	struct wm_error error = { "" };
	struct wm_option_line line;

	if (argc < 2)
		return wrong_usage("name a command, such as roundtrip");
	if (argv[1][0] == '-')
		return wm_option_take(&wm_gen_schema, values, argc - 1, argv + 1, &line);
	if (wm_gen_options_parse(options, argc - 1, argv + 1, &error) < 0)
		return wrong_usage(error.text);
	if (options->request == WM_OPTION_RUN)
		return -1;
	if (options->request == WM_OPTION_HELP)
		wm_gen_options_print_help(options->command);
	else
		puts(wm_gen_schema.version);
	return WM_EXIT_DONE;
}

static void origin_take(struct origin *origin, int argc, char **argv)
{
	time_t now = time(NULL);
	struct tm utc;
	size_t used = 0;

	strftime(origin->started, sizeof(origin->started), "%Y-%m-%dT%H:%M:%SZ",
		 gmtime_r(&now, &utc));
	gethostname(origin->host, sizeof(origin->host) - 1);
	for (int i = 0; i < argc && used < sizeof(origin->command); i++)
		used += (size_t)snprintf(origin->command + used, sizeof(origin->command) - used,
					 "%s%s", i > 0 ? " " : "", argv[i]);
}

static struct wm_result_head head_of(const struct origin *origin, const struct wm_gen *gen)
{
	const struct wm_port_device *device = &gen->options->device;

	return (struct wm_result_head){
		.version = WM_VERSION,
		.started = origin->started,
		.host = origin->host,
		.interface = device->interface ? device->interface : gen->port.name,
		.driver = gen->port.driver,
		.command = origin->command,
		.mtu = gen->port.mtu,
		.line_bits_per_s = wm_gen_line_bits_per_s(gen),
	};
}

/* All frames, those of the membership too: what the kernel's counters show. */
static void write_port(const struct wm_engine_counters *port, FILE *stream)
{
	fprintf(stream,
		"port: sent %" PRIu64 " frames (%" PRIu64 " bytes), %" PRIu64
		" of them control; received %" PRIu64 " (%" PRIu64 " bytes), %" PRIu64
		" of them control and %" PRIu64 " not ours",
		port->frames_sent, port->bytes_sent, port->control_sent, port->frames_received,
		port->bytes_received, port->control_received, port->foreign);
	for (unsigned i = WM_DROP_NONE + 1; i < WM_DROP_REASONS; i++) {
		if (port->drops.count[i] > 0)
			fprintf(stream, "; %" PRIu64 " dropped as %s", port->drops.count[i],
				wm_drop_name((enum wm_drop)i));
	}
}

/* The caller's. NULL: no memory. */
static char *port_line(const struct wm_engine_counters *port)
{
	char *line = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&line, &bytes);

	if (!stream)
		return NULL;
	write_port(port, stream);
	fclose(stream);
	return line;
}

static int run_command(struct wm_gen *gen, struct wm_gen_options *options, struct wm_result *result,
		       struct wm_error *error)
{
	int ret, end;

	if (options->command == WM_GEN_RUN)
		ret = wm_command_steps(gen, options, result, error);
	else
		ret = wm_command_run(gen, options, result, error);
	/* The first error is the one to tell. */
	end = wm_gen_end(gen, ret < 0 ? NULL : error);
	return ret < 0 ? ret : end;
}

/* What was measured is shown even where it ended early, once nothing moves any more. */
static int measure(struct wm_gen *gen, struct wm_gen_options *options, const struct origin *origin,
		   struct wm_outputs *outputs)
{
	struct wm_error error = { "" };
	struct wm_result result;
	char *port;
	int ret, written = 0;

	wm_result_init(&result);
	result.head = head_of(origin, gen);
	ret = run_command(gen, options, &result, &error);
	result.head.recording = (struct wm_result_recording){ options->write_path,
							      gen->recorded.frames,
							      gen->recorded.missed };
	result.head.port = port = port_line(&gen->counters);
	if (result.row_count > 0)
		written = wm_outputs_write(outputs, &result);
	if (ret < 0)
		wm_log_error("%s", error.text);
	free(port);
	wm_result_fini(&result);
	return ret < 0 ? ret : written;
}

static int run_to(struct wm_gen_options *options, const struct wm_key *key,
		  const struct origin *origin, struct wm_outputs *outputs)
{
	struct wm_error error = { "" };
	struct wm_gen gen;
	int status = WM_EXIT_DONE;

	if (wm_gen_open(&gen, options, key, &error) < 0) {
		wm_log_error("%s", error.text);
		return WM_EXIT_FAILED;
	}
	if (wm_gen_options_complete(options, gen.port.mtu, wm_gen_line_bits_per_s(&gen), &error) <
	    0) {
		status = wrong_usage(error.text);
	} else if (measure(&gen, options, origin, outputs) < 0) {
		status = WM_EXIT_FAILED;
	}
	wm_gen_close(&gen);
	return status;
}

static int run(struct wm_gen_options *options, const struct wm_key *key,
	       const struct origin *origin)
{
	const struct wm_outputs_wanted wanted = { options->json_path, options->csv_path,
						  options->file, options->write_path };
	struct wm_outputs outputs;
	struct wm_error error = { "" };
	int status;

	if (wm_outputs_open(&outputs, &wanted, &error) < 0) {
		wm_log_error("%s", error.text);
		return WM_EXIT_FAILED;
	}
	status = run_to(options, key, origin, &outputs);
	wm_outputs_close(&outputs);
	return status;
}

static int run_with_key(struct wm_gen_options *options, const struct origin *origin)
{
	struct wm_error error = { "" };
	struct wm_key key;
	int status;

	if (!options->key_path)
		return run(options, NULL, origin);
	wm_secret_lock(&key, sizeof(key));
	if (wm_key_read(&key, options->key_path, &error) < 0) {
		wm_log_error("%s", error.text);
		status = WM_EXIT_FAILED;
	} else {
		status = run(options, &key, origin);
	}
	wm_secret_wipe(&key, sizeof(key));
	return status;
}

static int check_device(const struct wm_port_device *device)
{
	return !!device->interface + !!device->vdev + !!device->pci == 1;
}

int main(int argc, char **argv)
{
	struct wm_gen_options options = { 0 };
	struct wm_error error = { "" };
	struct origin origin = { "", "", "" };
	int status;

	wm_streams_keep();
	wm_signals_ignore();
	wm_log_init("wiremill-gen", WM_LOG_WARNING);
	origin_take(&origin, argc, argv);
	status = take_line(&options, argc, argv);
	if (status >= 0)
		return status;
	/* Whoever starts the other end has to know when this one listens. */
	if (!wm_gen_options_send(&options))
		wm_log_init("wiremill-gen", WM_LOG_INFO);
	if (!check_device(&options.device))
		return wrong_usage("name one of --interface, --vdev and --pci");
	if (wm_port_devices_check(&options.device, 1, &error) < 0)
		return wrong_usage(error.text);
	if (geteuid() != 0) {
		wm_log_error("raw frames and hugepages need root: run it with sudo");
		return WM_EXIT_FAILED;
	}
	if (wm_log_start() < 0)
		wm_log_warning("the log has no thread of its own: whoever reads it must not stall");
	return run_with_key(&options, &origin);
}
