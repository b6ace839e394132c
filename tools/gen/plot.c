/* SPDX-License-Identifier: BSD-3-Clause */
#include "plot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

extern char **environ;

static const char *const kind_names[] = { [WM_PLOT_RATE] = "rate",
					  [WM_PLOT_LATENCY] = "latency",
					  [WM_PLOT_DISTRIBUTION] = "distribution" };
static const char *const format_names[] = { [WM_PLOT_SVG] = "svg", [WM_PLOT_PNG] = "png" };

static double microseconds(uint64_t ns)
{
	return (double)ns / (double)WM_NS_PER_US;
}

static bool is_drawn(const struct wm_result_row *row, enum wm_plot_kind kind)
{
	if (row->scope != WM_RESULT_TOTAL)
		return false;
	if (kind == WM_PLOT_LATENCY)
		return row->latency.count > 0;
	if (kind == WM_PLOT_DISTRIBUTION)
		return row->histogram != NULL;
	return row->receives || row->sends;
}

bool wm_plot_has(const struct wm_result *result, enum wm_plot_kind kind)
{
	for (unsigned i = 0; i < result->row_count; i++) {
		if (is_drawn(&result->rows[i], kind))
			return true;
	}
	return false;
}

static struct wm_result_traffic drawn_traffic(const struct wm_result_row *row)
{
	return row->receives ? row->received : row->sent;
}

/* One block of data for gnuplot, a line a row of that test: size, name, figures. */
static void write_points(const struct wm_result *result, enum wm_plot_kind kind, const char *test,
			 FILE *stream)
{
	for (unsigned i = 0; i < result->row_count; i++) {
		const struct wm_result_row *row = &result->rows[i];

		if (!is_drawn(row, kind) || strcmp(row->test, test) != 0)
			continue;
		fprintf(stream, "%.1f \"%s\" ", wm_result_frame_bytes(row), row->size);
		if (kind == WM_PLOT_RATE)
			fprintf(stream, "%.9g %.9g\n",
				wm_result_frames_per_s(drawn_traffic(row), row->duration_ns) / 1e3,
				wm_result_bits_per_s(drawn_traffic(row), row->duration_ns) / 1e9);
		else
			fprintf(stream, "%.9g %.9g %.9g %.9g\n", microseconds(row->latency.p50_ns),
				microseconds(row->latency.p99_ns),
				microseconds(row->latency.p9999_ns),
				microseconds(row->latency.max_ns));
	}
}

/* Is it the first drawn row of its test? Then its test has a block of its own. */
static bool begins_test(const struct wm_result *result, enum wm_plot_kind kind, unsigned index)
{
	if (!is_drawn(&result->rows[index], kind))
		return false;
	for (unsigned i = 0; i < index; i++) {
		if (is_drawn(&result->rows[i], kind) &&
		    strcmp(result->rows[i].test, result->rows[index].test) == 0)
			return false;
	}
	return true;
}

static void write_blocks(const struct wm_result *result, enum wm_plot_kind kind, FILE *stream)
{
	for (unsigned i = 0; i < result->row_count; i++) {
		if (!begins_test(result, kind, i))
			continue;
		fprintf(stream, "$data%u << EOD\n", i);
		write_points(result, kind, result->rows[i].test, stream);
		fputs("EOD\n", stream);
	}
}

/* The share of frames that took longer, from 1 down: its logarithm counts nines. The
 * longest alone has a share of 0 above it, which no logarithm shows. */
static void write_distribution(const struct wm_result_row *row, FILE *stream)
{
	struct wm_histogram_bucket bucket = { 0 };
	double count = (double)row->histogram->count;
	unsigned cursor = 0;

	while (wm_histogram_next(row->histogram, &cursor, &bucket))
		fprintf(stream, "%.9g %.9g\n", microseconds(bucket.last_ns),
			1 - (double)bucket.below / count);
}

static void write_distributions(const struct wm_result *result, FILE *stream)
{
	for (unsigned i = 0; i < result->row_count; i++) {
		if (!is_drawn(&result->rows[i], WM_PLOT_DISTRIBUTION))
			continue;
		fprintf(stream, "$data%u << EOD\n", i);
		write_distribution(&result->rows[i], stream);
		fputs("EOD\n", stream);
	}
}

static void write_rate_plot(const struct wm_result *result, FILE *stream)
{
	const char *comma = "";

	fputs("set xlabel 'frame size in bytes, with FCS'\n"
	      "set ylabel 'thousand frames/s'\nset y2label 'Gbit/s with preamble and gap'\n"
	      "set ytics nomirror\nset y2tics\nset yrange [0:*]\nset y2range [0:*]\n"
	      "set xrange [0:*]\nset offsets 0, graph 0.05, graph 0.05, 0\nplot ",
	      stream);
	for (unsigned i = 0; i < result->row_count; i++) {
		if (!begins_test(result, WM_PLOT_RATE, i))
			continue;
		fprintf(stream,
			"%s$data%u using 1:3 smooth unique with linespoints title '%s: frames/s', "
			"$data%u using 1:4 axes x1y2 smooth unique with linespoints title '%s: "
			"bit/s'",
			comma, i, result->rows[i].test, i, result->rows[i].test);
		comma = ", ";
	}
	fputc('\n', stream);
}

static void write_latency_plot(const struct wm_result *result, FILE *stream)
{
	static const char *const figures[] = { "p50", "p99", "p99.99", "max" };
	const char *comma = "";

	fputs("set xlabel 'frame size in bytes, with FCS'\nset ylabel 'latency in us'\n"
	      "set logscale y\nset xrange [0:*]\nset offsets 0, graph 0.05, 0, 0\nplot ",
	      stream);
	for (unsigned i = 0; i < result->row_count; i++) {
		if (!begins_test(result, WM_PLOT_LATENCY, i))
			continue;
		for (unsigned figure = 0; figure < 4; figure++, comma = ", ")
			fprintf(stream,
				"%s$data%u using 1:%u smooth unique with linespoints title '%s: "
				"%s'",
				comma, i, figure + 3, result->rows[i].test, figures[figure]);
	}
	fputc('\n', stream);
}

/* Of the longest distribution: where the axis of shares ends. */
static uint64_t count_max(const struct wm_result *result)
{
	uint64_t count = 1;

	for (unsigned i = 0; i < result->row_count; i++) {
		const struct wm_result_row *row = &result->rows[i];

		if (is_drawn(row, WM_PLOT_DISTRIBUTION) && row->histogram->count > count)
			count = row->histogram->count;
	}
	return count;
}

static void write_distribution_plot(const struct wm_result *result, FILE *stream)
{
	const char *comma = "";

	fprintf(stream,
		"set xlabel 'share of frames that took no longer'\nset ylabel 'latency in us'\n"
		"set logscale xy\nset xrange [1:%g]\n"
		"set xtics ('0 %%%%' 1, '90 %%%%' 0.1, '99 %%%%' 0.01, '99.9 %%%%' 1e-3, "
		"'99.99 %%%%' 1e-4, '99.999 %%%%' 1e-5, '99.9999 %%%%' 1e-6)\n"
		"plot ",
		0.5 / (double)count_max(result));
	for (unsigned i = 0; i < result->row_count; i++) {
		const struct wm_result_row *row = &result->rows[i];

		if (!is_drawn(row, WM_PLOT_DISTRIBUTION))
			continue;
		fprintf(stream, "%s$data%u using 2:1 with steps title '%s %s'", comma, i, row->test,
			row->size);
		comma = ", ";
	}
	fputc('\n', stream);
}

int wm_plot_write_script(const struct wm_result *result, enum wm_plot_kind kind,
			 enum wm_plot_format format, const char *picture, FILE *stream)
{
	/* Two single quotes stand for one. */
	fputs("set output '", stream);
	for (; *picture; picture++)
		fputs(*picture == '\'' ? "''" : (char[]){ *picture, '\0' }, stream);
	fprintf(stream,
		"'\nset terminal %s size 1100,600%s\nset encoding utf8\nset grid\nset key outside "
		"right top\n",
		format_names[format],
		format == WM_PLOT_SVG ? " dynamic background rgb 'white'" : "");
	if (kind == WM_PLOT_DISTRIBUTION)
		write_distributions(result, stream);
	else
		write_blocks(result, kind, stream);
	if (kind == WM_PLOT_RATE)
		write_rate_plot(result, stream);
	else if (kind == WM_PLOT_LATENCY)
		write_latency_plot(result, stream);
	else
		write_distribution_plot(result, stream);
	return fflush(stream) != 0 || ferror(stream) ? -EIO : 0;
}

/* gnuplot says itself on stderr what it does not like. */
static int run_gnuplot(const char *script, struct wm_error *error)
{
	char *argv[] = { (char *)"gnuplot", (char *)script, NULL };
	posix_spawn_file_actions_t actions;
	int ret, status;
	pid_t pid;

	/* stdout is for results. */
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	ret = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (ret)
		return wm_error_set(error, ret, "gnuplot cannot be run: %s: install gnuplot-nox",
				    strerror(ret));
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return wm_error_set(error, errno, "gnuplot: %s", strerror(errno));
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return wm_error_set(error, EIO, "%s: gnuplot could not draw it", script);
	return 0;
}

static int name_script(char script[PATH_MAX], enum wm_plot_kind kind, const char *prefix,
		       struct wm_error *error)
{
	/* The picture's name is one byte longer. */
	if (snprintf(script, PATH_MAX, "%s-%s.gp", prefix, kind_names[kind]) >= PATH_MAX - 1)
		return wm_error_set(error, ENAMETOOLONG, "the prefix of the plots is too long");
	return 0;
}

/* What is there stays as it is. */
static int check_script(const char *script, struct wm_error *error)
{
	int fd = open(script, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	bool is_new = fd >= 0;

	if (fd < 0 && errno == EEXIST)
		fd = open(script, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return wm_error_set(error, errno, "%s: the plot cannot be written: %s", script,
				    strerror(errno));
	close(fd);
	if (is_new)
		unlink(script);
	return 0;
}

int wm_plot_check(const char *prefix, struct wm_error *error)
{
	char script[PATH_MAX];
	int ret = run_gnuplot("--version", error);

	for (unsigned kind = 0; kind < WM_PLOT_KINDS && ret == 0; kind++) {
		ret = name_script(script, kind, prefix, error);
		if (ret == 0)
			ret = check_script(script, error);
	}
	return ret;
}

static int save(const struct wm_result *result, enum wm_plot_kind kind, enum wm_plot_format format,
		const char *prefix, struct wm_error *error)
{
	char script[PATH_MAX], picture[PATH_MAX];
	FILE *stream;
	int ret = name_script(script, kind, prefix, error);

	if (ret < 0)
		return ret;
	snprintf(picture, sizeof(picture), "%s-%s.%s", prefix, kind_names[kind],
		 format_names[format]);
	stream = fopen(script, "w");
	if (!stream)
		return wm_error_set(error, errno, "%s: the plot cannot be written: %s", script,
				    strerror(errno));
	ret = wm_plot_write_script(result, kind, format, picture, stream);
	if (fclose(stream) != 0 || ret < 0)
		return wm_error_set(error, EIO, "%s: the plot is not all written", script);
	return run_gnuplot(script, error);
}

int wm_plot_save(const struct wm_result *result, enum wm_plot_format format, const char *prefix,
		 unsigned *drawn, struct wm_error *error)
{
	int ret;

	*drawn = 0;
	for (unsigned kind = 0; kind < WM_PLOT_KINDS; kind++) {
		if (!wm_plot_has(result, kind))
			continue;
		ret = save(result, kind, format, prefix, error);
		if (ret < 0)
			return ret;
		(*drawn)++;
	}
	return 0;
}
