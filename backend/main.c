/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xen-displayd: command line, signals, processes. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "core/control.h"
#include "core/supervisor.h"
#include "core/worker.h"
#include "outputs/output.h"
#include "proto/nodes.h"

#define MAX_RATE	240	/* Hz */
#define WORKER_FD	3

static const char usage[] =
"Usage: xen-displayd [OPTION]...\n"
"Show the para-virtual displays of Xen guests.\n"
"\n"
"  --output KIND    where pictures go: headless (default)\n"
"  --rate HZ        frames per second of outputs without a rate of their own,\n"
"                   0 to 240, 0 for as fast as the guest draws (default: 60)\n"
"  --socket PATH    control socket (default: " XD_CONTROL_SOCKET ")\n"
"  --foreground     stay in the foreground\n"
"  --verbose        log more\n"
"  --help           show this text\n"
"  --version        show the version\n";

struct options {
	struct xd_config config;
	bool foreground;
	bool worker;
};

static int wrong(const char *option, const char *value, const char *expected)
{
	fprintf(stderr, "xen-displayd: %s \"%s\": expected %s\n", option,
		value, expected);
	return 2;
}

static int parse_rate(struct options *options, const char *text)
{
	uint32_t rate;

	if (xd_parse_u32(text, 0, MAX_RATE, &rate))
		return wrong("--rate", text, "a number from 0 to 240");
	options->config.millihertz = rate * 1000;
	return 0;
}

/* -1 to go on, else the exit status. */
static int parse_options(int argc, char **argv, struct options *options)
{
	enum { OUTPUT = 1, RATE, SOCKET, FOREGROUND, VERBOSE, HELP, VERSION,
	       WORKER };
	static const struct option table[] = {
		{ "output", required_argument, NULL, OUTPUT },
		{ "rate", required_argument, NULL, RATE },
		{ "socket", required_argument, NULL, SOCKET },
		{ "foreground", no_argument, NULL, FOREGROUND },
		{ "verbose", no_argument, NULL, VERBOSE },
		{ "help", no_argument, NULL, HELP },
		{ "version", no_argument, NULL, VERSION },
		{ "worker", no_argument, NULL, WORKER },	/* internal */
		{ 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case OUTPUT:
			options->config.output = optarg;
			if (!xd_output_find(optarg))
				return wrong("--output", optarg, "headless");
			break;
		case RATE:
			if (parse_rate(options, optarg))
				return 2;
			break;
		case SOCKET:
			options->config.socket = optarg;
			break;
		case FOREGROUND:
			options->foreground = true;
			break;
		case VERBOSE:
			options->config.verbose = true;
			break;
		case HELP:
			fputs(usage, stdout);
			return 0;
		case VERSION:
			puts("xen-displayd " XD_VERSION);
			return 0;
		case WORKER:
			options->worker = true;
			break;
		default:
			return 2;	/* getopt has said what is wrong */
		}
	}
	if (optind < argc)
		return wrong("argument", argv[optind], "options only");
	return -1;
}

/* A worker is this program anew: nothing of ours is in its memory. */
static pid_t spawn_worker(struct xd_device *dev, int sock)
{
	static char *const argv[] = { "xen-displayd", "--worker", NULL };
	sigset_t none;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid)
		return pid;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (sock == WORKER_FD) {
		/* dup2() onto itself would keep close-on-exec */
		sock = dup(sock);
	}
	if (dup2(sock, WORKER_FD) == WORKER_FD)
		execv("/proc/self/exe", argv);
	_exit(EXIT_FAILURE);
}

struct daemon {
	struct xd_loop loop;
	struct xd_supervisor sup;
	struct xd_source signals;
	int signal_fd;
};

static void reap(struct daemon *daemon)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		xd_supervisor_child(&daemon->sup, pid, status);
}

static void signal_ready(void *ctx, uint32_t events)
{
	struct signalfd_siginfo info;
	struct daemon *daemon = ctx;

	if (read(daemon->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD)
		reap(daemon);
	else
		xd_supervisor_close(&daemon->sup);
}

static int watch_signals(struct daemon *daemon)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	if (sigprocmask(SIG_BLOCK, &mask, NULL))
		return -errno;
	daemon->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (daemon->signal_fd < 0)
		return -errno;
	return xd_source_add(&daemon->loop, &daemon->signals,
			     daemon->signal_fd, EPOLLIN, signal_ready,
			     daemon);
}

static int supervise(const struct options *options)
{
	struct daemon daemon = { .signal_fd = -1 };
	struct xd_store *store = xd_libxen_store();
	int ret;

	if (!store) {
		xd_error("cannot connect to XenStore: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	ret = xd_loop_init(&daemon.loop);
	if (!ret)
		ret = watch_signals(&daemon);
	if (!ret)
		ret = xd_supervisor_start(&daemon.sup, &daemon.loop, store,
					  &options->config, spawn_worker);
	if (!ret) {
		xd_info("ready, output %s", options->config.output);
		ret = xd_loop_run(&daemon.loop);
	}
	if (daemon.sup.loop)
		xd_supervisor_finish(&daemon.sup);
	if (daemon.signal_fd >= 0)
		close(daemon.signal_fd);
	xd_loop_finish(&daemon.loop);
	store->ops->destroy(store);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options options = {
		.config = {
			.output = "headless",
			.millihertz = 60000,
			.socket = XD_CONTROL_SOCKET,
			.limits = xd_limits_default,
		},
	};
	int ret = parse_options(argc, argv, &options);

	if (ret >= 0)
		return ret;
	if (options.worker)
		return xd_worker_run(WORKER_FD, xd_libxen_bus);
	xd_log_setup("", options.config.verbose);
	if (!options.foreground && daemon(0, 1)) {
		xd_error("cannot go to the background: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	return supervise(&options);
}
