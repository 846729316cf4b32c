// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xswait: wait until a XenStore node has a value, without polling.
 *
 *   xswait [-t SECONDS] [-g GONE] PATH[=VALUE]...
 *
 * Ends with 0 and prints the node's value as soon as one PATH exists (and has
 * VALUE, where one is given); PATH= waits for an empty value, and !PATH until
 * PATH is gone. Ends with 1 when SECONDS have passed, with 2 when the node
 * GONE is no more, with 3 on an error.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xenstore.h>

/* Limits are written for a quick machine: how many times as long ours gets. */
static long patience(void)
{
	const char *value = getenv("LAB_PATIENCE");
	long times = value ? strtol(value, NULL, 10) : 0;

	return times > 0 ? times : 4;
}

#define MAX_CONDITIONS 16

struct condition {
	const char *path;
	const char *value;
	bool absent;
};

static int parse_condition(char *arg, struct condition *cond)
{
	char *eq = strchr(arg, '=');

	memset(cond, 0, sizeof(*cond));
	cond->absent = arg[0] == '!';
	cond->path = arg + cond->absent;
	if (eq) {
		*eq = '\0';
		cond->value = eq + 1;
	}
	return *cond->path && !(cond->absent && eq) ? 0 : -EINVAL;
}

/* 1: holds (its value was printed); 0: not yet; negative: XenStore failed */
static int check_condition(struct xs_handle *xs, const struct condition *cond)
{
	unsigned int len;
	char *value = xs_read(xs, XBT_NULL, cond->path, &len);
	int ret;

	if (!value && errno != ENOENT)
		return errno == EACCES ? 0 : -errno;
	if (cond->absent)
		ret = !value;
	else
		ret = value && (!cond->value || !strcmp(value, cond->value));
	if (ret && value)
		puts(value);
	free(value);
	return ret;
}

static bool node_gone(struct xs_handle *xs, const char *path)
{
	unsigned int len;
	char *value;

	if (!path)
		return false;
	value = xs_read(xs, XBT_NULL, path, &len);
	free(value);
	return !value;
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/*
 * Waits for something from XenStore, for a slice of @left_ms at the most, and
 * takes what that took off it; NULL: for ever. No slice counts for more than it
 * is long: when the whole machine stood still, nobody was late. Returns poll()'s
 * result, or 1 when only the slice has ended.
 */
static int wait_slice(struct pollfd *pfd, long long *left_ms)
{
	const long long slice = 1000;
	long long start, took;
	int ret;

	if (!left_ms)
		return poll(pfd, 1, -1);
	if (*left_ms <= 0)
		return 0;
	start = now_ms();
	ret = poll(pfd, 1, (int)(*left_ms < slice ? *left_ms : slice));
	took = now_ms() - start;
	*left_ms -= took < slice ? took : slice;
	return ret ? ret : 1;
}

static int wait_conditions(struct xs_handle *xs, const struct condition *cond,
			   int count, const char *gone,
			   long long *left_ms)
{
	struct pollfd pfd = { .fd = xs_fileno(xs), .events = POLLIN };
	char **event;
	int i, ret;

	for (;;) {
		for (i = 0; i < count; i++) {
			ret = check_condition(xs, &cond[i]);
			if (ret)
				return ret > 0 ? 0 : 3;
		}
		if (node_gone(xs, gone))
			return 2;
		ret = wait_slice(&pfd, left_ms);
		if (ret < 0 && errno != EINTR)
			return 3;
		if (!ret)
			return 1;
		while ((event = xs_check_watch(xs)))
			free(event);
	}
}

static int usage(void)
{
	fputs("usage: xswait [-t SECONDS] [-g GONE] [!]PATH[=VALUE]...\n", stderr);
	return 3;
}

int main(int argc, char **argv)
{
	struct condition cond[MAX_CONDITIONS];
	long long left_ms = 0;
	bool limited = false;
	const char *gone = NULL;
	struct xs_handle *xs;
	int count = 0, opt;
	char *end;
	long secs;

	while ((opt = getopt(argc, argv, "t:g:")) != -1) {
		if (opt == 't') {
			/* of a quick machine; emulation may be slow */
			secs = patience() * strtol(optarg, &end, 10);
			if (secs < 0 || *end || end == optarg)
				return usage();
			left_ms = secs * 1000LL;
			limited = true;
		} else if (opt == 'g') {
			gone = optarg;
		} else {
			return usage();
		}
	}
	if (optind == argc || argc - optind > MAX_CONDITIONS)
		return usage();
	xs = xs_open(0);
	if (!xs) {
		perror("xswait: no XenStore");
		return 3;
	}
	for (; optind < argc; optind++, count++) {
		if (parse_condition(argv[optind], &cond[count]))
			return usage();
		if (!xs_watch(xs, cond[count].path, "")) {
			perror(cond[count].path);
			return 3;
		}
	}
	if (gone)
		xs_watch(xs, gone, "");
	return wait_conditions(xs, cond, count, gone,
			       limited ? &left_ms : NULL);
}
