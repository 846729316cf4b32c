// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs the subtests, each in a child of its own: a crash, an exit in the middle
 * or a hang is that subtest's result and nobody else's.
 */
#include <fnmatch.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kt.h"

#define EXIT_SKIP 77
#define DEFAULT_TIMEOUT 60

struct kt_options kt_opt = { .driver = "xendrm-du", .wait = 10 };

void kt_note(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("# %s\n", text);
	fflush(stdout);
}

void kt_fail_at(const char *file, int line, const char *format, ...)
{
	const char *base = strrchr(file, '/');
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("# %s:%d: %s\n", base ? base + 1 : file, line, text);
	fflush(stdout);
	_exit(EXIT_FAILURE);
}

void kt_skip(const char *format, ...)
{
	va_list args;

	printf("# skipped: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	_exit(EXIT_SKIP);
}

const char *kt_errno_name(int err)
{
	static __thread char text[4][32];
	static __thread unsigned int turn;
	const char *name = strerrorname_np(-err);
	char *out = text[turn++ % KT_ARRAY_SIZE(text)];

	if (err > 0 || !name)
		snprintf(out, sizeof(text[0]), "%d", err);
	else
		snprintf(out, sizeof(text[0]), "%s", err ? name : "success");

	return out;
}

void kt_hook(const char *step)
{
	int status;

	kt_note("at %s", step);
	if (!kt_opt.hook)
		return;
	setenv("KMS_STEP", step, 1);
	status = system(kt_opt.hook);
	if (status)
		kt_fail("the hook failed at %s: status 0x%x", step, status);
}

pid_t kt_hook_start(const char *step)
{
	pid_t hook;

	if (!kt_opt.hook)
		return 0;
	fflush(stdout);
	hook = fork();
	kt_assert_ge(hook, 0);
	if (!hook) {
		setenv("KMS_STEP", step, 1);
		execl("/bin/sh", "sh", "-c", kt_opt.hook, NULL);
		_exit(127);
	}

	return hook;
}

bool kt_hook_ended(pid_t hook)
{
	int status;

	if (!hook || waitpid(hook, &status, WNOHANG) != hook)
		return false;
	if (status)
		kt_fail("the hook failed beside the test: status 0x%x", status);

	return true;
}

static int number_option(const char *name, const char *value, unsigned int max,
			 unsigned int *ret)
{
	uint32_t number;

	if (!pattern_parse_u32(value, max, &number)) {
		fprintf(stderr, "--%s takes a number up to %u, not '%s'\n",
			name, max, value);
		return -EINVAL;
	}
	*ret = number;

	return 0;
}

int kt_common_option(int c, const char *value)
{
	switch (c) {
	case 'D':
		kt_opt.driver = value;
		return 0;
	case 'w':
		return number_option("wait", value, 3600, &kt_opt.wait);
	case 'c':
		return number_option("connector", value, KT_MAX_OUTPUTS - 1,
				     &kt_opt.connector);
	case 'n':
		return number_option("count", value, 1000000, &kt_opt.count);
	case 's':
		return number_option("seconds", value, 86400, &kt_opt.seconds);
	case 'L':
		kt_opt.legacy = true;
		return 0;
	case 'S':
		kt_opt.stride = true;
		return 0;
	case 'H':
		kt_opt.hook = value;
		return 0;
	case 'm':
		if (pattern_parse_size(value, &kt_opt.width, &kt_opt.height))
			return 0;
		fprintf(stderr, "--mode takes WxH, not '%s'\n", value);
		return -EINVAL;
	default:
		return -EINVAL;
	}
}

void kt_common_help(void)
{
	puts("  -D, --driver NAME  DRM driver to use (xendrm-du)\n"
	     "  --wait SECONDS     how long to wait for its device (10)\n"
	     "  --connector N      index of the connector (0)\n"
	     "  --mode WxH         mode, instead of the preferred one\n"
	     "  --legacy           legacy modeset and flips, not atomic\n"
	     "  --stride           strides and offsets reach the backend\n"
	     "  --count N          frames, rounds or clients\n"
	     "  --seconds N        for subtests that run for a time\n"
	     "  --hook COMMAND     runs where there is something to look at,\n"
	     "                     with KMS_STEP in the environment\n"
	     "  -l, --list         the subtests\n"
	     "  -h, --help");
}

static void help(const char *program, const char *summary)
{
	printf("usage: %s [OPTION]... [SUBTEST]...\n%s\n"
	       "Subtests may be shell patterns; without any, all run but those\n"
	       "marked with *. Exit status: 0 all passed or were skipped, 1 not.\n",
	       program, summary);
	kt_common_help();
}

/* The time that a subtest gets, s; more on a kernel that checks itself. */
static unsigned int limit_of(const struct kt_test *test)
{
	const char *patience = getenv("LAB_PATIENCE");
	unsigned int limit = test->timeout ? test->timeout : DEFAULT_TIMEOUT;
	int times = patience ? atoi(patience) / 4 : 1;

	return limit * (times > 1 ? times : 1);
}

/*
 * Waits for SIGCHLD, which is blocked since before the fork, so it cannot be missed.
 * A machine that is saved wakes all who wait, some kernels with EINTR.
 */
static bool child_tells(unsigned int seconds)
{
	uint64_t until = kt_now() + seconds * KT_NS_PER_S, now;
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	while ((now = kt_now()) < until) {
		struct timespec left = {
			.tv_sec = (time_t)((until - now) / KT_NS_PER_S),
			.tv_nsec = (long)((until - now) % KT_NS_PER_S),
		};

		if (sigtimedwait(&set, &info, &left) >= 0)
			return true;
	}
	return false;
}

/* What became of the child: its exit status, or a text about its end. */
static int await(pid_t child, unsigned int timeout, const char **ret_end)
{
	static char end[64];
	int status;

	*ret_end = NULL;
	if (waitpid(child, &status, WNOHANG) != child) {
		if (!child_tells(timeout)) {
			snprintf(end, sizeof(end), "still running after %u s",
				 timeout);
			*ret_end = end;
			kill(-child, SIGKILL);
			kill(child, SIGKILL);
			child_tells(10);
		}
		if (waitpid(child, &status, WNOHANG) != child) {
			*ret_end = "hangs in the kernel and cannot be killed";
			return EXIT_FAILURE;
		}
	}
	if (*ret_end)
		return EXIT_FAILURE;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	snprintf(end, sizeof(end), "killed by signal %d", WTERMSIG(status));
	*ret_end = end;

	return EXIT_FAILURE;
}

static bool run_test(const struct kt_test *test, unsigned int number)
{
	uint64_t start = kt_now();
	const char *end;
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (child < 0) {
		perror("fork");
		return false;
	}
	if (!child) {
		sigset_t none;

		setpgid(0, 0);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		test->run();
		fflush(stdout);
		_exit(EXIT_SUCCESS);
	}

	status = await(child, limit_of(test), &end);
	if (end)
		kt_note("%s: %s", test->name, end);
	printf("%s %u - %s%s (%.1f s)\n",
	       status == EXIT_SUCCESS || status == EXIT_SKIP ? "ok" : "not ok",
	       number, test->name, status == EXIT_SKIP ? " # SKIP" : "",
	       (double)(kt_now() - start) / 1e9);

	return status == EXIT_SUCCESS || status == EXIT_SKIP;
}

static bool chosen(const struct kt_test *test, char **patterns, int count)
{
	if (!count)
		return !test->by_name;
	for (int i = 0; i < count; i++)
		if (!fnmatch(patterns[i], test->name, 0))
			return true;

	return false;
}

static int run_all(const struct kt_test *tests, size_t test_count,
		   char **patterns, int count)
{
	unsigned int number = 0, failed = 0;
	sigset_t set;

	for (int i = 0; i < count; i++) {
		bool known = false;

		for (size_t t = 0; t < test_count; t++)
			known |= !fnmatch(patterns[i], tests[t].name, 0);
		if (!known) {
			fprintf(stderr, "no subtest '%s'; see --list\n",
				patterns[i]);
			return 2;
		}
	}

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (size_t t = 0; t < test_count; t++)
		if (chosen(&tests[t], patterns, count) &&
		    !run_test(&tests[t], ++number))
			failed++;
	printf("1..%u\n", number);
	if (failed)
		printf("# %u of %u failed\n", failed, number);

	return failed ? 1 : 0;
}

int kt_main(int argc, char **argv, const char *summary,
	    const struct kt_test *tests, size_t count)
{
	static const struct option names[] = {
		KT_LONG_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	int c;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((c = getopt_long(argc, argv, KT_SHORT_OPTIONS, names, NULL)) !=
	       -1) {
		if (c == 'h') {
			help(program_invocation_short_name, summary);
			return 0;
		}
		if (c == 'l') {
			for (size_t i = 0; i < count; i++)
				printf("%-24s %s%s\n", tests[i].name,
				       tests[i].by_name ? "* " : "",
				       tests[i].help);
			return 0;
		}
		if (c == '?' || kt_common_option(c, optarg))
			return 2;
	}

	return run_all(tests, count, argv + optind, argc - optind);
}
