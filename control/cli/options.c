/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <assert.h>
#include <string.h>

#include "wrap.h"

#define COMMON_COUNT 2u
#define OPTIONS_MAX 16u
#define USAGE_INDENT 7u

/* All that one command line may hold: the verb's own options, then the common. */
struct line {
	struct wm_option options[OPTIONS_MAX];
	bool given[OPTIONS_MAX];
	unsigned count;
	bool help;
};

static void line_init(struct line *line, const struct wm_verb *verb, struct wm_cli *cli)
{
	const struct wm_option common[COMMON_COUNT] = {
		{ .name = "json",
		  .help = "print one JSON value instead of text",
		  .flag = &cli->json },
		{ .name = "socket",
		  .value_name = "PATH",
		  .help = "of the controller; else $WIREMILL_SOCKET, else " WM_SOCKET_PATH_DEFAULT,
		  .text = &cli->socket_path },
	};

	assert(verb->option_count + COMMON_COUNT <= OPTIONS_MAX);
	*line = (struct line){ .count = verb->option_count };
	for (unsigned i = 0; i < verb->option_count; i++)
		line->options[i] = verb->options[i];
	for (unsigned i = 0; i < COMMON_COUNT; i++)
		line->options[line->count++] = common[i];
}

/* ---- the verb ----------------------------------------------------------- */

static unsigned verb_words(const struct wm_verb *verb)
{
	return strchr(verb->name, ' ') ? 2 : 1;
}

static bool verb_is(const struct wm_verb *verb, int argc, char **argv)
{
	size_t bytes = strcspn(verb->name, " ");

	if (strlen(argv[0]) != bytes || strncmp(verb->name, argv[0], bytes) != 0)
		return false;
	return verb_words(verb) == 1 || (argc > 1 && strcmp(verb->name + bytes + 1, argv[1]) == 0);
}

int wm_options_verb(int argc, char **argv, const struct wm_verb *const *verbs,
		    const struct wm_verb **verb)
{
	int place = 1;

	/* Of the options that may stand here only --socket takes a value. */
	while (place < argc && argv[place][0] == '-')
		place += strcmp(argv[place], "--socket") == 0 ? 2 : 1;
	*verb = NULL;
	if (place >= argc)
		return argc;
	for (; *verbs; verbs++) {
		if (verb_is(*verbs, argc - place, argv + place))
			*verb = *verbs;
	}
	return place;
}

/* ---- options ------------------------------------------------------------ */

static int choice_check(const struct wm_verb *verb, const struct wm_option *option,
			const char *value)
{
	char list[256] = "";
	size_t n = 0;

	if (!option->choices)
		return WM_EXIT_DONE;
	for (const char *const *choice = option->choices; *choice; choice++) {
		if (strcmp(*choice, value) == 0)
			return WM_EXIT_DONE;
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n ? " or " : "", *choice);
	}
	return wm_cli_wrong_usage(verb, "--%s is %s, not '%s'", option->name, list, value);
}

static struct wm_option *option_find(struct line *line, const char *name, size_t bytes)
{
	for (unsigned i = 0; i < line->count; i++) {
		if (strlen(line->options[i].name) == bytes &&
		    strncmp(line->options[i].name, name, bytes) == 0)
			return &line->options[i];
	}
	return NULL;
}

static int value_take(const struct wm_verb *verb, const struct wm_option *option, const char *value)
{
	if (!value || !*value)
		return wm_cli_wrong_usage(verb, "--%s needs a value, %s", option->name,
					  option->value_name);
	*option->text = value;
	return choice_check(verb, option, value);
}

static int flag_take(const struct wm_verb *verb, const struct wm_option *option, const char *value)
{
	if (value)
		return wm_cli_wrong_usage(verb, "--%s takes no value", option->name);
	*option->flag = true;
	return WM_EXIT_DONE;
}

/* Takes argument number *place, and its value with it. */
static int option_take(struct line *line, const struct wm_verb *verb, int argc, char **argv,
		       int *place)
{
	const char *name = argv[*place] + 2, *value = strchr(name, '=');
	size_t bytes = value ? (size_t)(value - name) : strlen(name);
	struct wm_option *option = option_find(line, name, bytes);

	if (!option || strncmp(argv[*place], "--", 2) != 0)
		return wm_cli_wrong_usage(verb, "there is no option '%s'", argv[*place]);
	if (line->given[option - line->options])
		return wm_cli_wrong_usage(verb, "--%s is given twice", option->name);
	line->given[option - line->options] = true;
	if (value)
		value++;
	if (!option->value_name || (option->value_optional && !value))
		return flag_take(verb, option, value);
	if (option->value_optional)
		*option->flag = true;
	/* "--input --output F" forgot a value; a file of such a name takes '='. */
	if (!value && *place + 1 < argc && strncmp(argv[*place + 1], "--", 2) != 0)
		value = argv[++*place];
	return value_take(verb, option, value);
}

static int operand_take(struct wm_cli *cli, const char *text)
{
	if (!cli->verb->operand)
		return wm_cli_wrong_usage(cli->verb, "'%s' is one word too many", text);
	if (cli->operand)
		return wm_cli_wrong_usage(cli->verb, "one %s at a time: '%s' and '%s' are two",
					  cli->verb->operand, cli->operand, text);
	cli->operand = text;
	return WM_EXIT_DONE;
}

static bool is_help(const char *argument)
{
	return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

static int arguments_take(struct line *line, struct wm_cli *cli, int argc, char **argv,
			  int verb_place)
{
	int verb_end = verb_place + (int)verb_words(cli->verb), status = WM_EXIT_DONE;
	bool only_operands = false;

	for (int i = 1; i < argc && status == WM_EXIT_DONE && !line->help; i++) {
		if (i >= verb_place && i < verb_end)
			continue;
		if (!only_operands && is_help(argv[i]))
			line->help = true;
		else if (!only_operands && strcmp(argv[i], "--") == 0)
			only_operands = true;
		else if (!only_operands && argv[i][0] == '-' && argv[i][1])
			status = option_take(line, cli->verb, argc, argv, &i);
		else
			status = operand_take(cli, argv[i]);
	}
	return status;
}

static int complete_check(const struct line *line, const struct wm_cli *cli)
{
	for (unsigned i = 0; i < line->count; i++) {
		if (line->options[i].required && !line->given[i])
			return wm_cli_wrong_usage(cli->verb, "--%s %s is missing",
						  line->options[i].name,
						  line->options[i].value_name);
	}
	if (cli->verb->operand && !cli->operand)
		return wm_cli_wrong_usage(cli->verb, "%s is missing", cli->verb->operand);
	return WM_EXIT_DONE;
}

enum wm_request wm_options_parse(struct wm_cli *cli, int argc, char **argv, int verb_place)
{
	struct line line;

	line_init(&line, cli->verb, cli);
	if (arguments_take(&line, cli, argc, argv, verb_place) != WM_EXIT_DONE)
		return WM_REQUEST_WRONG;
	if (line.help)
		return WM_REQUEST_HELP;
	return complete_check(&line, cli) == WM_EXIT_DONE ? WM_REQUEST_RUN : WM_REQUEST_WRONG;
}

/* ---- help --------------------------------------------------------------- */

/* "--name VALUE", "--name[=VALUE]" or "--name" */
static const char *option_form(char *text, size_t text_bytes, const struct wm_option *option)
{
	if (!option->value_name)
		snprintf(text, text_bytes, "--%s", option->name);
	else if (option->value_optional)
		snprintf(text, text_bytes, "--%s[=%s]", option->name, option->value_name);
	else
		snprintf(text, text_bytes, "--%s %s", option->name, option->value_name);
	return text;
}

/* "[--name VALUE]" stays on one line. */
static unsigned form_bytes(const char *usage)
{
	unsigned bytes = 0;

	while (usage[bytes] && usage[bytes] != '\n') {
		if (usage[bytes] == ' ' && (usage[bytes + 1] == '[' || usage[bytes + 1] == '-'))
			break;
		bytes++;
	}
	return bytes;
}

static void usage_line_print(const char *before, const char *verb, const char *usage)
{
	unsigned at = (unsigned)printf("%swiremill %s", before, verb);
	struct wm_wrap wrap = { wm_cli_width(stdout), USAGE_INDENT, at };

	while (*usage && *usage != '\n') {
		unsigned bytes = form_bytes(usage);

		wm_wrap_word(&wrap, usage, bytes);
		usage += bytes + (usage[bytes] == ' ');
	}
	putchar('\n');
}

/* What the options of the table make. */
static void usage_format(char *usage, size_t room, const struct line *line,
			 const struct wm_verb *verb)
{
	size_t n = 0;
	char form[64];

	if (verb->operand)
		n += (size_t)snprintf(usage, room, "%s ", verb->operand);
	for (unsigned i = 0; i < line->count && n < room; i++) {
		const struct wm_option *option = &line->options[i];

		n += (size_t)snprintf(usage + n, room - n, option->required ? "%s " : "[%s] ",
				      option_form(form, sizeof(form), option));
	}
	if (n > 0 && n < room)
		usage[n - 1] = '\0';
}

static void usage_print(const struct line *line, const struct wm_verb *verb)
{
	char table[OPTIONS_MAX * 64] = "";
	const char *usage = verb->usage, *before = "usage: ";

	if (!usage) {
		usage_format(table, sizeof(table), line, verb);
		usage = table;
	}
	/* Each line is another way to use it. */
	for (; usage; before = "       ") {
		usage_line_print(before, verb->name, usage);
		usage = strchr(usage, '\n');
		usage = usage ? usage + 1 : NULL;
	}
	putchar('\n');
}

static void option_print_help(const struct wm_option *option)
{
	char form[64];

	wm_wrap_option(option_form(form, sizeof(form), option), option->help);
}

void wm_options_print_help(const struct wm_verb *verb)
{
	struct wm_cli unused = { .verb = verb };
	struct line line;

	line_init(&line, verb, &unused);
	printf("wiremill %s: %s\n\n", verb->name, verb->summary);
	usage_print(&line, verb);
	if (verb->details) {
		wm_wrap_words(&(struct wm_wrap){ wm_cli_width(stdout), 0, 0 }, verb->details);
		printf("\n\n");
	}
	for (unsigned i = 0; i < line.count; i++)
		option_print_help(&line.options[i]);
	wm_wrap_option("--help", "print this");
}
