// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The daemon from main() on, and calls that fail while it starts: either it says why
 * in one line and ends with an error, or it serves.
 */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/child.h"
#include "turns.h"

/* As in main.c. */
#define WORKER_FD	3

static struct sim *sim;
static struct sim_front front;
static struct sim_buf buf;
static const char *const one[] = { "320x200" };
static bool no_store;

/* main() of main.c, and what it has of the machine */

int displayd_main(int argc, char **argv);

struct xd_store *__wrap_xd_libxen_store(void);
struct xd_store *__wrap_xd_libxen_store(void)
{
	errno = ECONNREFUSED;
	return no_store ? NULL : fake_store_open(sim->fake);
}

static struct xd_bus *open_bus(uint32_t domid, bool share)
{
	return fake_bus_open(sim->fake);
}

/* A worker: the program anew, but for what is in its memory. */
int __wrap_execv(const char *path, char *const argv[]);
int __wrap_execv(const char *path, char *const argv[])
{
	(void)path;
	(void)argv;
	for (int fd = WORKER_FD + 1; fd < 1024; fd++)
		if (!fake_owns_fd(sim->fake, fd))
			close(fd);
	_exit(xd_child_run(WORKER_FD, open_bus));
}

static void daemon_process(const char *config)
{
	char *argv[] = {
		"xen-displayd", "--foreground", "--config", (char *)config,
		"--socket", sim->socket, NULL
	};

	sim_child(sim, O_TRUNC);
	faults_set_role(FAULT_SUPERVISOR);
	exit(displayd_main(ARRAY_SIZE(argv) - 1, argv));
}

struct try {
	unsigned int nth;
	pid_t pid;
	int status;
	bool ended;
};

static bool ended(void *ctx)
{
	struct try *try = ctx;

	if (!try->ended)
		try->ended = waitpid(try->pid, &try->status, WNOHANG) ==
			try->pid;
	return try->ended;
}

static bool ended_or_serves(void *ctx)
{
	return ended(ctx) || sim_back_state(&front) == SIM_INIT_WAIT;
}

static void use(void)
{
	sim_connect(&front, 2);
	turns_show(&front, &buf, 1);
	turns_hang_up();
	sim_disconnect(&front);
	sim_wait_back_state(&front, SIM_CLOSED);
	sim_buf_finish(&buf, &front);
}

/* In one line. */
static void has_said_why(const struct try *try)
{
	if (!WIFEXITED(try->status) || !WEXITSTATUS(try->status) ||
	    sim_log_count(sim, "\n") != 1 || !sim_log_has(sim, "xen-displayd: "))
		sim_fail("status %x and %u lines after %s failed",
			 try->status, sim_log_count(sim, "\n"), faults_hit());
}

static void stop(struct try *try)
{
	kill(try->pid, SIGTERM);
	if (!fake_wait(sim->fake, ended, try, SIM_TIMEOUT_MS))
		sim_fail("the daemon does not end after %s failed",
			 faults_hit());
	if (try->status || sim_log_has(sim, "Sanitizer"))
		sim_fail("the daemon ended with status %x after %s failed",
			 try->status, faults_hit());
}

/* True when a call has failed. */
static bool start(const char *config, unsigned int nth)
{
	struct try try = { .nth = nth };
	bool hit;

	sim_guest_create(&front, sim->fake, TURNS_DOMID, 1, one);
	faults_arm(FAULT_SUPERVISOR, nth);
	fflush(NULL);
	try.pid = fork();
	if (!try.pid)
		daemon_process(config);
	if (!fake_wait(sim->fake, ended_or_serves, &try, SIM_TIMEOUT_MS))
		sim_fail("the daemon neither ends nor serves after %s failed",
			 faults_hit());
	hit = faults_disarm();
	if (getenv("FAULTS_SHOW"))
		fprintf(stderr, "# %u: %s\n", nth, faults_hit());
	if (try.ended && !hit)
		sim_fail("the daemon does not start");
	if (try.ended) {
		has_said_why(&try);
	} else {
		use();
		stop(&try);
	}
	sim_guest_destroy(&front);
	return hit;
}

/* A configuration, and a place for the lock. */
static void make_files(char config[160], char run[96])
{
	FILE *file;

	turns_sim = sim;
	faults_init();
	snprintf(run, 96, "%s/run", sim->dir);
	faults_redirect("/run/xen-displayd", run);
	snprintf(config, 160, "%s/config", sim->dir);
	file = fopen(config, "we");
	assert_non_null(file);
	fputs("[daemon]\noutput = headless\nrate = 0\n", file);
	fclose(file);
}

static void remove_files(const char *config, const char *run)
{
	char lock[160];

	unlink(config);
	snprintf(lock, sizeof(lock), "%s/lock", run);
	unlink(lock);
	rmdir(run);
}

static void start_turns(void **state)
{
	char config[160], run[96];
	unsigned int n = 0;

	sim = *state;
	make_files(config, run);
	while (start(config, ++n))
		;
	fprintf(stderr, "# %u calls\n", n - 1);
	remove_files(config, run);
}

/* Of "Max open files". */
static void expect_file_limit(pid_t pid, unsigned long soft, unsigned long hard)
{
	unsigned long got_soft = 0, got_hard = 0;
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/limits", pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Max open files %lu %lu", &got_soft,
			   &got_hard) == 2)
			break;
	fclose(file);
	assert_int_equal(got_soft, soft);
	assert_int_equal(got_hard, hard);
}

/* The supervisor takes what it may have; its workers have what it was given. */
static void file_limit(void **state)
{
	struct try try = { 0 };
	struct rlimit before, limit;
	char config[160], run[96];

	sim = *state;
	make_files(config, run);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = (struct rlimit){ 256, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	sim_guest_create(&front, sim->fake, TURNS_DOMID, 1, one);
	fflush(NULL);
	try.pid = fork();
	if (!try.pid)
		daemon_process(config);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	sim_connect(&front, 2);
	expect_file_limit(try.pid, before.rlim_max, before.rlim_max);
	expect_file_limit(fake_domain_worker(sim->fake, TURNS_DOMID), 256,
			  before.rlim_max);
	sim_disconnect(&front);
	sim_wait_back_state(&front, SIM_CLOSED);
	stop(&try);
	sim_guest_destroy(&front);
	remove_files(config, run);
}

/* Of a terminal that was closed: an orderly end, as SIGTERM is. */
static void hang_up(void **state)
{
	struct try try = { 0 };
	char config[160], run[96];

	sim = *state;
	make_files(config, run);
	sim_guest_create(&front, sim->fake, TURNS_DOMID, 1, one);
	fflush(NULL);
	try.pid = fork();
	if (!try.pid)
		daemon_process(config);
	sim_connect(&front, 2);
	kill(try.pid, SIGHUP);
	assert_true(fake_wait(sim->fake, ended, &try, SIM_TIMEOUT_MS));
	assert_int_equal(try.status, 0);
	assert_int_equal(sim_back_state(&front), SIM_CLOSED);
	sim_channels_free(&front);
	sim_guest_destroy(&front);
	remove_files(config, run);
}

/* Who started it by nohup wants it to stay. */
static void hang_up_ignored(void **state)
{
	struct try try = { 0 };
	char config[160], run[96], out[8192];
	int i;

	sim = *state;
	make_files(config, run);
	sim_guest_create(&front, sim->fake, TURNS_DOMID, 1, one);
	fflush(NULL);
	signal(SIGHUP, SIG_IGN);
	try.pid = fork();
	if (!try.pid)
		daemon_process(config);
	signal(SIGHUP, SIG_DFL);
	sim_connect(&front, 2);
	kill(try.pid, SIGHUP);
	for (i = 0; i < 2; i++)	/* the first may be quicker than the signal */
		assert_int_equal(sim_tool(sim, "list", out), 0);
	sim_disconnect(&front);
	sim_wait_back_state(&front, SIM_CLOSED);
	stop(&try);
	sim_guest_destroy(&front);
	remove_files(config, run);
}

/* The other way to start it, with a path that is not absolute. */
static void background_process(const char *config)
{
	char *argv[] = {
		"xen-displayd", "--config", (char *)config, "--socket",
		"control", NULL
	};

	sim_child(sim, O_TRUNC);
	if (chdir(sim->dir))
		_exit(96);
	exit(displayd_main(ARRAY_SIZE(argv) - 1, argv));
}

/* Until the process that was started ends: its status. */
static int start_in_background(const char *config)
{
	struct try try = { 0 };

	/* to be told of the end of what it leaves behind */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	fflush(NULL);
	try.pid = fork();
	if (!try.pid)
		background_process(config);
	if (!fake_wait(sim->fake, ended, &try, SIM_TIMEOUT_MS))
		sim_fail("the process that was started does not end");
	assert_true(WIFEXITED(try.status));
	return WEXITSTATUS(try.status);
}

static pid_t parent_of(pid_t pid)
{
	char path[64], line[256];
	int parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (!parent && fgets(line, sizeof(line), file))
		sscanf(line, "PPid: %d", &parent);
	fclose(file);
	return parent;
}

/* By which people know it in a list of processes. */
static void expect_name(pid_t pid, const char *name)
{
	char path[64], text[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	text[strcspn(text, "\n")] = '\0';
	assert_string_equal(text, name);
}

/* It is in nobody's way: an unmount, say. */
static void expect_root(pid_t pid)
{
	char path[64], dir[8] = "";

	snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
	assert_true(readlink(path, dir, sizeof(dir) - 1) > 0);
	assert_string_equal(dir, "/");
}

static void background(void **state)
{
	struct try try = { 0 };
	char config[160], run[96], out[8192];

	sim = *state;
	make_files(config, run);
	sim_guest_create(&front, sim->fake, TURNS_DOMID, 1, one);
	assert_int_equal(start_in_background(config), 0);
	sim_connect(&front, 2);
	try.pid = parent_of(fake_domain_worker(sim->fake, TURNS_DOMID));
	turns_show(&front, &buf, 1);
	turns_hang_up();
	sim->daemon = try.pid;	/* ends with the test, also if it fails */
	expect_root(try.pid);
	expect_name(fake_domain_worker(sim->fake, TURNS_DOMID),
		    "displayd-worker");
	assert_int_equal(sim_tool(sim, "list", out), 0);
	sim_disconnect(&front);
	sim_wait_back_state(&front, SIM_CLOSED);
	sim_buf_finish(&buf, &front);
	stop(&try);
	sim->daemon = 0;
	sim_guest_destroy(&front);
	remove_files(config, run);
}

/* Who started it is told, on what he has for messages. */
static void background_fails(void **state)
{
	struct try try = { .pid = -1 };
	char config[160], run[96];

	sim = *state;
	make_files(config, run);
	no_store = true;
	assert_int_equal(start_in_background(config), 1);
	no_store = false;
	assert_int_equal(sim_log_count(sim, "cannot connect to XenStore"), 1);
	assert_int_equal(sim_log_count(sim, "\n"), 1);
	waitpid(-1, &try.status, 0);
	assert_true(WIFEXITED(try.status));
	assert_int_equal(WEXITSTATUS(try.status), 1);
	remove_files(config, run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIM_TEST_NO_DAEMON(file_limit, "file-limit"),
		SIM_TEST_NO_DAEMON(hang_up, "hang-up"),
		SIM_TEST_NO_DAEMON(hang_up_ignored, "hang-up-ignored"),
		SIM_TEST_NO_DAEMON(background, "background"),
		SIM_TEST_NO_DAEMON(background_fails, "background-fails"),
		SIM_TEST_NO_DAEMON(start_turns, "start"),
	};

	/* where workers look for their socket the machine must have nothing */
	while (open("/dev/null", O_RDONLY | O_CLOEXEC) < WORKER_FD)
		;
	return cmocka_run_group_tests_name("faults-start", tests, NULL, NULL);
}
