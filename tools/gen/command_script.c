/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "commands.h"
#include "script.h"

static int wrong_step(const struct wm_gen_options *options, const struct wm_script_step *step,
		      const char *what, struct wm_error *error)
{
	return wm_error_set(error, EINVAL, "%s:%u: %s", options->file, step->line, what);
}

/* Port, key and files are the whole run's. */
static int read_step(const struct wm_gen *gen, const struct wm_gen_options *options,
		     const struct wm_script_step *step, struct wm_gen_options *own,
		     struct wm_error *error)
{
	const struct wm_port_device *device = &own->device;
	struct wm_error why = { "" };

	*own = (struct wm_gen_options){ 0 };
	if (wm_gen_options_parse(own, step->argc, step->argv, &why) < 0)
		return wrong_step(options, step, why.text, error);
	if (own->command == WM_GEN_RUN || own->help)
		return wrong_step(options, step, "a step is a measurement", error);
	if (device->interface || device->vdev || device->pci || device->mtu || own->key_path ||
	    own->json_path || own->csv_path || own->plot_prefix || own->write_path ||
	    own->live_text)
		return wrong_step(options, step,
				  "port, key and result are of the whole run: give them behind "
				  "'run'",
				  error);
	if (wm_gen_options_complete(own, gen->port.mtu, wm_gen_line_bits_per_s(gen), &why) < 0)
		return wrong_step(options, step, why.text, error);
	return 0;
}

/* Nothing runs before all can be read. */
static int check_steps(const struct wm_gen *gen, const struct wm_gen_options *options,
		       const struct wm_script *script, struct wm_error *error)
{
	struct wm_gen_options own;
	int ret = 0;

	for (unsigned i = 0; i < script->step_count && ret == 0; i++)
		ret = read_step(gen, options, &script->steps[i], &own, error);
	return ret;
}

int wm_command_script(struct wm_gen *gen, const struct wm_gen_options *options,
		      struct wm_result *result, struct wm_error *error)
{
	struct wm_script *script = wm_script_load(options->file, error);
	struct wm_gen_options own;
	int ret;

	if (!script)
		return -errno;
	ret = check_steps(gen, options, script, error);
	for (unsigned i = 0; i < script->step_count && ret == 0 && !gen->interrupted; i++) {
		ret = read_step(gen, options, &script->steps[i], &own, error);
		if (ret == 0)
			ret = wm_command_run(gen, &own, result, error);
	}
	wm_script_destroy(&script);
	return ret;
}
