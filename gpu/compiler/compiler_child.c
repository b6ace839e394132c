/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The process that compiles: confined first, then GLSL -> SPIR-V as it was written -> each
 * arithmetic result exact (contraction.h) -> validated. It ends after one source, without
 * running what exit() would.
 *
 * No optimiser: it joins constants across roundings before anything forbids it, and a driver
 * does the same passes again.
 */
#include <errno.h>
#include <seccomp.h>
#include <shaderc/shaderc.h>
#include <spirv-tools/libspirv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "compiler_private.h"
#include "contraction.h"

#define REQUEST_BYTES_MAX (1024u * 1024u)

#if defined(__SANITIZE_ADDRESS__)
#define HAS_SHADOW_MEMORY true
#elif defined(__has_feature)
#define HAS_SHADOW_MEMORY __has_feature(address_sanitizer)
#else
#define HAS_SHADOW_MEMORY false
#endif

/* ---- confinement ------------------------------------------------------------------ */

static int limit(int resource, rlim_t value)
{
	const struct rlimit most = { value, value };

	return setrlimit(resource, &most);
}

static int set_limits(void)
{
	/* A sanitizer reserves terabytes of addresses. */
	if (!HAS_SHADOW_MEMORY && limit(RLIMIT_AS, WM_COMPILER_BYTES) < 0)
		return -errno;
	if (limit(RLIMIT_CPU, WM_COMPILER_SECONDS) < 0 || limit(RLIMIT_CORE, 0) < 0 ||
	    limit(RLIMIT_FSIZE, 0) < 0)
		return -errno;
	return 0;
}

/* What memory, one stream and an end take. Any other call ends the process. */
static int forbid_calls(void)
{
	static const int allowed[] = {
		SCMP_SYS(read),		SCMP_SYS(write),	  SCMP_SYS(brk),
		SCMP_SYS(mmap),		SCMP_SYS(munmap),	  SCMP_SYS(mremap),
		SCMP_SYS(mprotect),	SCMP_SYS(madvise),	  SCMP_SYS(futex),
		SCMP_SYS(getrandom),	SCMP_SYS(exit),		  SCMP_SYS(exit_group),
		SCMP_SYS(rt_sigreturn), SCMP_SYS(getpid),	  SCMP_SYS(gettid),
		SCMP_SYS(tgkill),	SCMP_SYS(rt_sigprocmask),
	};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int ret = filter ? 0 : -ENOMEM;

	for (size_t i = 0; ret == 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	if (ret == 0)
		ret = seccomp_load(filter);
	seccomp_release(filter);
	return ret;
}

/* ---- one stream -------------------------------------------------------------------- */

static size_t read_all(char *text, size_t room)
{
	size_t bytes = 0;
	ssize_t got;

	while (bytes < room && (got = read(STDIN_FILENO, text + bytes, room - bytes)) != 0) {
		if (got < 0 && errno != EINTR)
			return 0;
		bytes += got > 0 ? (size_t)got : 0;
	}
	return bytes;
}

static void write_all(const void *data, size_t bytes)
{
	const char *at = data;

	while (bytes > 0) {
		ssize_t put = write(STDIN_FILENO, at, bytes);

		if (put < 0 && errno != EINTR)
			return;
		at += put > 0 ? put : 0;
		bytes -= put > 0 ? (size_t)put : 0;
	}
}

static int answer(char kind, const void *data, size_t bytes)
{
	write_all(&kind, 1);
	write_all(data, bytes);
	return kind == WM_COMPILER_MADE ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int refuse(const char *text)
{
	if (!*text) /* as the compiler does when it finds no memory */
		text = "the compiler gave up without a word: make the kernel simpler";
	return answer(WM_COMPILER_REFUSED, text, strlen(text));
}

/* ---- SPIR-V ------------------------------------------------------------------------- */

static int validate(const uint32_t *code, size_t words)
{
	spv_context context = spvContextCreate(SPV_ENV_VULKAN_1_2);
	struct spv_const_binary_t binary = { code, words };
	spv_diagnostic diagnostic = NULL;

	if (spvValidate(context, &binary, &diagnostic) != SPV_SUCCESS)
		return refuse(diagnostic ? diagnostic->error : "this is no valid SPIR-V");
	return answer(WM_COMPILER_MADE, code, words * sizeof(*code));
}

static int make_exact(const uint32_t *code, size_t words)
{
	struct wm_error error = { "" };
	uint32_t *exact;
	size_t exact_words = wm_contraction_forbid(&exact, code, words, &error);

	return exact_words ? validate(exact, exact_words) : refuse(error.text);
}

static int compile(const char *text, size_t bytes)
{
	shaderc_compiler_t compiler = shaderc_compiler_initialize();
	shaderc_compile_options_t options = shaderc_compile_options_initialize();
	shaderc_compilation_result_t result;

	if (!compiler || !options)
		return refuse("the compiler does not start");
	shaderc_compile_options_set_target_env(options, shaderc_target_env_vulkan,
					       shaderc_env_version_vulkan_1_2);
	result = shaderc_compile_into_spv(compiler, text, bytes, shaderc_compute_shader,
					  WM_COMPILER_WHOLE, "main", options);
	if (shaderc_result_get_compilation_status(result) != shaderc_compilation_status_success)
		return refuse(shaderc_result_get_error_message(result));
	return make_exact((const uint32_t *)shaderc_result_get_bytes(result),
			  shaderc_result_get_length(result) / sizeof(uint32_t));
}

bool wm_compiler_is_asked(int argc, char **argv)
{
	return argc == 2 && strcmp(argv[1], WM_COMPILER_WORD) == 0;
}

int wm_compiler_main(void)
{
	static char text[REQUEST_BYTES_MAX];
	size_t bytes;
	int ret;

	ret = set_limits();
	if (ret == 0)
		ret = forbid_calls();
	if (ret < 0)
		_exit(refuse("the compiler cannot be confined, and does not run without"));
	bytes = read_all(text, sizeof(text));
	/* A source that fills it may go on. */
	_exit(bytes > 0 && bytes < sizeof(text)
		      ? compile(text, bytes)
		      : refuse("the shader that is made of it is too large"));
}
