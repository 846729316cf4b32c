/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xen-displayd: command line, signals, processes. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/notify.h"
#include "core/child.h"
#include "core/config.h"
#include "core/control.h"
#include "core/supervisor.h"
#include "outputs/output.h"

#define WORKER_FD	3
#define LOCK_FILE	"/run/xen-displayd/lock"

static const char usage[] =
"Usage: xen-displayd [OPTION]...\n"
"Show the para-virtual displays of Xen guests.\n"
"\n"
"  --config FILE    configuration (default: " XD_CONFIG_FILE ",\n"
"                   if it exists); options win over it\n"
"  --output KIND    where pictures go, one of " XD_OUTPUT_KINDS "\n"
"                   (default: headless)\n"
"  --rate HZ        frames per second of outputs without a rate of their own,\n"
"                   0 to 240, 0 for as fast as the guest draws (default: 60)\n"
"  --socket PATH    control socket (default: " XD_CONTROL_SOCKET ")\n"
"  --foreground     stay in the foreground\n"
"  --verbose        log more\n"
"  --help           show this text\n"
"  --version        show the version\n";

struct options {
	struct xd_config config;
	const char *file;
	bool foreground;
	bool worker;
};

static int wrong(const char *option, const char *value, const char *expected)
{
	fprintf(stderr, "xen-displayd: %s \"%s\": expected %s\n", option,
		value, expected);
	return 2;
}

/* Options are called as the settings of the file, and win over them. */
static int force(struct options *options, const char *option,
		 const char *value)
{
	const char *expected = xd_config_force(&options->config, option + 2,
					       value);

	return expected ? wrong(option, value, expected) : 0;
}

/* The exit status of who has printed something. */
static int printed(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	fprintf(stderr, "xen-displayd: cannot write to standard output: %s\n",
		strerror(errno));
	return 1;
}

/* -1 to go on, else the exit status. */
static int parse_options(int argc, char **argv, struct options *options)
{
	enum { CONFIG = 1, OUTPUT, RATE, SOCKET, FOREGROUND, VERBOSE, HELP,
	       VERSION, WORKER };
	static const struct option table[] = {
		{ "config", required_argument, NULL, CONFIG },
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
	int c, ret = 0;

	while (!ret && (c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case CONFIG:
			options->file = optarg;
			break;
		case OUTPUT:
			ret = force(options, "--output", optarg);
			break;
		case RATE:
			ret = force(options, "--rate", optarg);
			break;
		case SOCKET:
			ret = force(options, "--socket", optarg);
			break;
		case FOREGROUND:
			options->foreground = true;
			break;
		case VERBOSE:
			ret = force(options, "--verbose", "yes");
			break;
		case HELP:
			fputs(usage, stdout);
			return printed();
		case VERSION:
			puts("xen-displayd " XD_VERSION);
			return printed();
		case WORKER:
			options->worker = true;
			break;
		default:
			return 2;	/* getopt has said what is wrong */
		}
	}
	if (!ret && optind < argc)
		ret = wrong("argument", argv[optind], "options only");
	if (ret)
		return ret;
	return -1;
}

/* 0, or the exit status. */
static int read_config(struct options *options)
{
	char error[XD_CONFIG_ERROR_SIZE];
	const struct passwd *pw;
	const char *user;
	int ret = xd_config_load(&options->config,
				 options->file ? options->file :
				 XD_CONFIG_FILE, error);

	/* there need not be one, unless it was named */
	if (ret && (ret != -ENOENT || options->file)) {
		fprintf(stderr, "xen-displayd: %s\n", error);
		return 2;
	}
	user = options->config.user;
	pw = user ? getpwnam(user) : NULL;
	if (user && !pw)
		return wrong("user", user, "a user that this machine has");
	if (pw && !pw->pw_uid)
		return wrong("user", user, "a user without rights");
	return 0;
}

/*
 * Two daemons would fight over the same states. Held until the process ends;
 * workers do not inherit it.
 */
static int take_lock(void)
{
	int fd;

	if (mkdir("/run/xen-displayd", 0755) && errno != EEXIST)
		return -errno;
	fd = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	return flock(fd, LOCK_EX | LOCK_NB) ? -errno : 0;
}

/* What we were started with. */
static struct rlimit files;

/* Each guest takes about ten descriptors. */
static void raise_file_limit(void)
{
	struct rlimit all;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return;
	all = (struct rlimit){ files.rlim_max, files.rlim_max };
	if (setrlimit(RLIMIT_NOFILE, &all))
		xd_warn("descriptors for few guests only: %s", strerror(errno));
}

/* A worker is this program anew: nothing of ours is in its memory. */
static pid_t spawn_worker(int sock)
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
	if (dup2(sock, WORKER_FD) != WORKER_FD)
		_exit(EXIT_FAILURE);
	/* viewers use select(), which knows descriptors below 1024 only */
	if (files.rlim_max)
		setrlimit(RLIMIT_NOFILE, &files);
	execv("/proc/self/exe", argv);
	_exit(EXIT_FAILURE);
}

/* The one path of the configuration that may be relative: 0 or -errno. */
static int make_absolute(const char **path)
{
	static char absolute[2 * PATH_MAX];
	char *dir;

	if (**path == '/')
		return 0;
	dir = getcwd(NULL, 0);
	if (!dir)
		return -errno;
	snprintf(absolute, sizeof(absolute), "%s/%s", dir, *path);
	free(dir);
	*path = absolute;
	return 0;
}

/*
 * The process that was started ends when the daemon serves (0) or could not be
 * brought to it (1). Returns the descriptor to tell it, or -errno.
 */
static int go_to_background(void)
{
	int fds[2], null;
	char ready;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid) {
		close(fds[1]);
		_exit(read(fds[0], &ready, 1) == 1 ? EXIT_SUCCESS :
		      EXIT_FAILURE);
	}
	close(fds[0]);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || setsid() < 0 || chdir("/") ||
	    dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		return -errno;
	close(null);
	return fds[1];
}

/* All that had to be said to who started us has been said. */
static void leave_terminal(int ready_fd)
{
	if (ready_fd < 0)
		return;
	xd_log_to_syslog();
	dup2(STDOUT_FILENO, STDERR_FILENO);
	if (write(ready_fd, "", 1) != 1)
		xd_warn("cannot tell that we are ready: %s", strerror(errno));
	close(ready_fd);
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

/* As of who was started by nohup: a signal that is blocked comes all the same. */
static bool is_ignored(int signo)
{
	struct sigaction action;

	return !sigaction(signo, NULL, &action) &&
	       action.sa_handler == SIG_IGN;
}

static int watch_signals(struct daemon *daemon)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	if (!is_ignored(SIGHUP))
		sigaddset(&mask, SIGHUP);
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

static int run(struct daemon *daemon, struct xd_store *store,
	       const struct xd_config *config, int ready_fd)
{
	int ret = xd_loop_init(&daemon->loop);

	if (!ret)
		ret = watch_signals(daemon);
	if (ret) {
		xd_error("cannot wait for signals: %s", strerror(-ret));
		return ret;
	}
	ret = xd_supervisor_start(&daemon->sup, &daemon->loop, store, config,
				  spawn_worker);
	if (ret)
		return ret;
	xd_info("ready, output %s", config->output);
	ret = xd_notify("READY=1");
	if (ret)
		xd_warn("cannot tell $NOTIFY_SOCKET that we are ready: %s",
			strerror(-ret));
	leave_terminal(ready_fd);
	ret = xd_loop_run(&daemon->loop);
	if (ret)
		xd_error("cannot go on: %s", strerror(-ret));
	return ret || !daemon->sup.lost ? ret : -EIO;
}

/* @ready_fd: see go_to_background(), or -1 */
static int supervise(const struct xd_config *config, int ready_fd)
{
	struct daemon daemon = { .signal_fd = -1 };
	struct xd_store *store;
	int ret = take_lock();

	if (ret) {
		xd_error("cannot lock " LOCK_FILE ": %s",
			 ret == -EWOULDBLOCK ? "another xen-displayd runs" :
			 strerror(-ret));
		return EXIT_FAILURE;
	}
	store = xd_libxen_store();
	if (!store) {
		xd_error("cannot connect to XenStore: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	ret = run(&daemon, store, config, ready_fd);
	if (daemon.sup.loop)
		xd_supervisor_finish(&daemon.sup);
	if (daemon.signal_fd >= 0)
		close(daemon.signal_fd);
	xd_loop_finish(&daemon.loop);
	store->ops->destroy(store);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* In the background unless told otherwise: the exit status. */
static int serve(struct options *options)
{
	struct xd_config *config = &options->config;
	int ready_fd = -1;

	xd_log_setup("", config->verbose);
	raise_file_limit();
#ifndef XD_SANITIZED
	/* a sanitizer's report needs more than a worker does */
	config->sandbox = true;
#endif
	config->exports = xd_libxen_exports();
	config->syslog = !options->foreground;
	if (config->syslog) {
		ready_fd = make_absolute(&config->socket);
		if (!ready_fd)
			ready_fd = go_to_background();
		if (ready_fd < 0) {
			xd_error("cannot go to the background: %s",
				 strerror(-ready_fd));
			return EXIT_FAILURE;
		}
	}
	return supervise(config, ready_fd);
}

static struct xd_bus *open_bus(uint32_t domid, bool share)
{
	int ret = share ? xd_libxen_raise_share_limit() : 0;

	if (ret)
		xd_warn("buffers of the backend may be few: cannot write " XD_SHARE_LIMIT_FILE ": %s",
			strerror(-ret));
	return xd_libxen_bus(domid, share);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	int ret;

	/* a peer that went is an error of the call, also in children */
	signal(SIGPIPE, SIG_IGN);
	xd_config_init(&options.config);
	ret = parse_options(argc, argv, &options);
	if (ret >= 0)
		return ret;
	if (options.worker)
		return xd_child_run(WORKER_FD, open_bus);
	ret = read_config(&options);
	if (!ret)
		ret = serve(&options);
	xd_config_finish(&options.config);
	return ret;
}
