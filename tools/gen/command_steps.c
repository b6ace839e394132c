/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "commands.h"
#include "log.h"
#include "steps.h"

static int wrong_step(const struct wm_steps *steps, const struct wm_step *step, const char *what,
		      struct wm_error *error)
{
	return wm_error_set(error, EINVAL, "%s:%u: %s", steps->name, step->line, what);
}

/* Port, key and files are the whole run's. */
static bool has_of_the_run(const struct wm_gen_options *own)
{
	const struct wm_port_device *device = &own->device;

	return device->interface || device->vdev || device->pci || device->mtu || own->lcores ||
	       own->line_bits_per_s || own->key_path || own->json_path || own->csv_path ||
	       own->write_path || own->live != WM_LIVE_AUTO;
}

static int step_parse(const struct wm_gen *gen, const struct wm_steps *steps, struct wm_step *step,
		      struct wm_gen_options *own, struct wm_error *error)
{
	struct wm_error why = { "" };

	*own = (struct wm_gen_options){ 0 };
	if (wm_gen_options_parse(own, step->argc, step->argv, &why) < 0)
		return wrong_step(steps, step, why.text, error);
	if (own->command == WM_GEN_RUN || own->request != WM_OPTION_RUN)
		return wrong_step(steps, step, "a step is a measurement", error);
	if (has_of_the_run(own))
		return wrong_step(steps, step,
				  "port, key and result are of the whole run: give them behind "
				  "'run'",
				  error);
	if (wm_gen_options_complete(own, gen->port.mtu, wm_gen_line_bits_per_s(gen), &why) < 0)
		return wrong_step(steps, step, why.text, error);
	return 0;
}

/* Nothing runs before all can be read. */
static int check_all(const struct wm_gen *gen, struct wm_steps *steps, struct wm_error *error)
{
	struct wm_gen_options own;
	struct wm_step step;
	unsigned count = 0;
	int ret;

	while ((ret = wm_steps_next(steps, &step, error)) > 0) {
		ret = step_parse(gen, steps, &step, &own, error);
		if (ret < 0)
			break;
		count++;
	}
	if (ret == 0 && count == 0)
		ret = wm_error_set(error, EINVAL, "%s: there is no step in it", steps->name);
	wm_steps_rewind(steps);
	return ret;
}

static int run_step(struct wm_gen *gen, const struct wm_steps *steps, struct wm_step *step,
		    struct wm_result *result, struct wm_error *error)
{
	struct wm_gen_options own;
	struct wm_error why = { "" };
	int ret = step_parse(gen, steps, step, &own, error);

	if (ret == 0 && wm_command_run(gen, &own, result, &why) < 0)
		ret = wrong_step(steps, step, why.text, error);
	return ret;
}

/* The first that fails is the last, unless --keep-going: then each is told when it fails, and
 * the run as a whole has failed. */
static int run_all(struct wm_gen *gen, const struct wm_gen_options *options, struct wm_steps *steps,
		   struct wm_result *result, struct wm_error *error)
{
	unsigned failed = 0, count = 0;
	struct wm_step step;
	int ret;

	while (!gen->interrupted && wm_steps_next(steps, &step, error) > 0) {
		ret = run_step(gen, steps, &step, result, error);
		count++;
		if (ret < 0 && !options->keep_going)
			return ret;
		if (ret < 0)
			wm_log_error("%s", error->text);
		failed += ret < 0;
	}
	if (failed == 0)
		return 0;
	return wm_error_set(error, EIO, "%s: %u of %u steps failed", steps->name, failed, count);
}

int wm_command_steps(struct wm_gen *gen, const struct wm_gen_options *options,
		     struct wm_result *result, struct wm_error *error)
{
	struct wm_steps steps;
	int ret = wm_steps_open(&steps, options->file, error);

	if (ret < 0)
		return ret;
	ret = check_all(gen, &steps, error);
	if (ret == 0)
		ret = run_all(gen, options, &steps, result, error);
	wm_steps_close(&steps);
	return ret;
}
