// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <png.h>

#include "base/log.h"
#include "base/loop.h"
#include "core/child.h"
#include "core/message.h"
#include "core/supervisor.h"
#include "front.h"
#include "sim.h"

void sim_fail(const char *fmt, ...)
{
	va_list args;

	fputs("# ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	fail();
	abort();	/* not reached */
}

/* The daemon's process: what main() does, on the fake machine. */

static struct fake *the_fake;
static struct xd_supervisor the_supervisor;
static sigset_t old_mask;

static int the_denied;

/* What a worker does that the sandbox ends. */
static void die_denied(int sock)
{
	const struct xd_message msg = {
		.type = XD_MSG_DENIED,
		.call = the_denied,
	};

	xd_message_send(sock, &msg, -1);
	/* which cmocka takes for the test's end */
	signal(SIGSYS, SIG_DFL);
	raise(SIGSYS);
}

static struct xd_bus *open_bus(uint32_t domid, bool share)
{
	return fake_bus_open(the_fake);
}

static pid_t spawn(int sock)
{
	pid_t pid = fork();
	int status;

	if (pid)
		return pid < 0 ? -errno : pid;
	/* The real one executes anew: nothing of the supervisor stays open. */
	for (int fd = STDERR_FILENO + 1; fd < 1024; fd++)
		if (fd != sock && !fake_owns_fd(the_fake, fd))
			close(fd);
	sigprocmask(SIG_SETMASK, &old_mask, NULL);
	if (the_denied)
		die_denied(sock);
	status = xd_child_run(sock, open_bus);
	/* What the supervisor had in memory is no leak of this process. */
	_exit(status);
}

static void signal_ready(void *ctx, uint32_t events)
{
	struct signalfd_siginfo info;
	int fd = *(int *)ctx, status;
	pid_t pid;

	(void)events;
	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGTERM)
		xd_supervisor_close(&the_supervisor);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		xd_supervisor_child(&the_supervisor, pid, status);
}

static int run_daemon(struct sim *sim)
{
	struct xd_config config = {
		.output = sim->output,
		.millihertz = sim->millihertz,
		.zero_copy = !sim->no_zero_copy,
		.exports = fake_can_export(sim->fake),
		.socket = sim->socket,
		.verbose = true,
#ifndef XD_SANITIZED
		.sandbox = true,
#endif
		.limits = sim->limits,
	};
	struct xd_source source;
	struct xd_store *store;
	struct xd_loop loop;
	sigset_t mask;
	int fd, ret;

	memcpy(config.options, sim->options, sizeof(config.options));
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, &old_mask);
	fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
	store = fake_store_open(sim->fake);
	ret = xd_loop_init(&loop);
	if (fd < 0 || !store || ret)
		return 99;
	ret = xd_source_add(&loop, &source, fd, EPOLLIN, signal_ready, &fd);
	if (!ret)
		ret = xd_supervisor_start(&the_supervisor, &loop, store,
					  &config, spawn);
	if (!ret)
		ret = xd_loop_run(&loop);
	xd_supervisor_finish(&the_supervisor);
	xd_source_del(&loop, &source);
	xd_loop_finish(&loop);
	store->ops->destroy(store);
	close(fd);
	return ret ? 98 : the_supervisor.lost;
}

void sim_child(const struct sim *sim, int flags)
{
	int log = open(sim->log, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);

	if (log < 0 || dup2(log, STDERR_FILENO) < 0 ||
	    dup2(log, STDOUT_FILENO) < 0)
		_exit(97);
	close(log);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void daemon_process(struct sim *sim)
{
	sim_child(sim, O_APPEND);
	the_fake = sim->fake;
	the_denied = sim->denied;
	if (sim->patience_ms)
		xd_control_patience_ms = sim->patience_ms;
	if (sim->beat_ms)
		xd_store_beat_ms = sim->beat_ms;
	xd_log_setup("", true);
	exit(run_daemon(sim));
}

static bool daemon_watches(void *ctx)
{
	struct sim *sim = ctx;

	return fake_watches(sim->fake) >= 3;
}

void sim_daemon_start(struct sim *sim)
{
	fflush(NULL);
	sim->daemon = fork();
	if (sim->daemon < 0)
		sim_fail("fork: %s", strerror(errno));
	if (!sim->daemon)
		daemon_process(sim);
	if (!fake_wait(sim->fake, daemon_watches, sim, SIM_TIMEOUT_MS))
		sim_fail("the daemon does not start");
}

static bool daemon_ended(void *ctx)
{
	struct sim *sim = ctx;
	siginfo_t info = { 0 };

	return !waitid(P_PID, (id_t)sim->daemon, &info,
		       WEXITED | WNOWAIT | WNOHANG) && info.si_pid;
}

void sim_daemon_stop(struct sim *sim)
{
	int status;

	kill(sim->daemon, SIGTERM);
	if (!fake_wait(sim->fake, daemon_ended, sim, SIM_TIMEOUT_MS))
		sim_fail("the daemon does not end");
	waitpid(sim->daemon, &status, 0);
	sim->daemon = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		sim_fail("the daemon ended with status %x", status);
}

void sim_daemon_kill(struct sim *sim)
{
	kill(sim->daemon, SIGKILL);
	waitpid(sim->daemon, NULL, 0);
	sim->daemon = 0;
}

/* The log */

static char *read_log(struct sim *sim)
{
	FILE *file = fopen(sim->log, "re");
	char *text = calloc(1, 1 << 20);

	if (file) {
		if (!fread(text, 1, (1 << 20) - 1, file))
			text[0] = '\0';
		fclose(file);
	}
	return text;
}

unsigned int sim_log_count(struct sim *sim, const char *text)
{
	char *log = read_log(sim);
	unsigned int n = 0;

	for (char *p = log; (p = strstr(p, text)); p++)
		n++;
	free(log);
	return n;
}

bool sim_log_has(struct sim *sim, const char *text)
{
	return sim_log_count(sim, text) > 0;
}

/* Fixtures */

void sim_init(struct sim *sim)
{
	memset(sim, 0, sizeof(*sim));
	strcpy(sim->dir, "/tmp/sim-XXXXXX");
	if (!mkdtemp(sim->dir))
		sim_fail("mkdtemp: %s", strerror(errno));
	chmod(sim->dir, 0755);
	snprintf(sim->socket, sizeof(sim->socket), "%s/control", sim->dir);
	snprintf(sim->log, sizeof(sim->log), "%s/log", sim->dir);
	sim->fake = fake_create();
	sim->output = "headless";
	sim->limits = xd_limits_default;
}

static bool nothing_mapped(void *ctx)
{
	struct sim *sim = ctx;

	for (uint32_t domid = 1; domid < 8; domid++)
		if (fake_domain_exists(sim->fake, domid) &&
		    fake_domain_mapped(sim->fake, domid))
			return false;
	return true;
}

static void check_log(struct sim *sim)
{
	if (!sim_log_has(sim, "Sanitizer") &&
	    !sim_log_has(sim, "runtime error") &&
	    !sim_log_has(sim, "fake Xen:") && !sim_log_has(sim, "Assertion"))
		return;
	fprintf(stderr, "%s\n", read_log(sim));
	sim_fail("a sanitizer reported");
}

void sim_finish(struct sim *sim)
{
	if (sim->daemon)
		sim_daemon_stop(sim);
	check_log(sim);
	if (!fake_wait(sim->fake, nothing_mapped, sim, SIM_TIMEOUT_MS))
		sim_fail("guest pages are still mapped");
	if (fake_foreign_writes(sim->fake))
		sim_fail("the daemon wrote into a guest's directory");
}

/* What people use. */

int sim_tool(struct sim *sim, const char *args, char out[8192])
{
	const char *tool = getenv("SIM_DISPLAYCTL");
	char command[512];
	FILE *pipe;
	size_t len;
	int status;

	if (!tool)
		sim_fail("SIM_DISPLAYCTL is not set");
	snprintf(command, sizeof(command), "%s --socket %s %s 2>&1", tool,
		 sim->socket, args);
	pipe = popen(command, "re");
	if (!pipe)
		sim_fail("%s: %s", command, strerror(errno));
	len = fread(out, 1, 8191, pipe);
	out[len] = '\0';
	status = pclose(pipe);
	if (!WIFEXITED(status))
		sim_fail("%s: status %x", command, status);
	return WEXITSTATUS(status);
}

unsigned long long sim_stat(struct sim *sim, struct sim_front *front,
			    const char *name)
{
	char args[32], out[8192], field[64];
	char *at;

	snprintf(args, sizeof(args), "--json stats %u", front->domid);
	snprintf(field, sizeof(field), "\"%s\": ", name);
	at = sim_tool(sim, args, out) ? NULL : strstr(out, field);
	if (!at)
		sim_fail("no %s in:\n%s", field, out);
	return strtoull(at + strlen(field), NULL, 10);
}

/* Pictures, by that tool. */

static int take_screenshot(struct sim *sim, struct sim_front *front,
			   unsigned int conn, const char *path)
{
	const char *tool = getenv("SIM_DISPLAYCTL");
	char target[32];
	int status;
	pid_t pid;

	if (!tool)
		sim_fail("SIM_DISPLAYCTL is not set");
	snprintf(target, sizeof(target), "%u:%u", front->domid, conn);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		execl(tool, tool, "--socket", sim->socket, "screenshot",
		      target, path, NULL);
		_exit(126);
	}
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status))
		sim_fail("screenshot %s: status %x", target, status);
	return WEXITSTATUS(status);
}

void sim_expect_off(struct sim *sim, struct sim_front *front,
		    unsigned int conn)
{
	int status = take_screenshot(sim, front, conn, "/dev/null");

	if (status != 1)
		sim_fail("screenshot of a monitor that is off: status %d",
			 status);
}

static void compare(const uint8_t *rgb, uint32_t width, uint32_t height,
		    uint32_t seed)
{
	for (uint32_t y = 0; y < height; y++) {
		for (uint32_t x = 0; x < width; x++, rgb += 3) {
			uint32_t got = (uint32_t)rgb[0] << 16 |
				       (uint32_t)rgb[1] << 8 | rgb[2];
			uint32_t want = sim_pixel(seed, x, y) & 0xffffff;

			if (got != want)
				sim_fail("pixel (%u,%u): %06x != %06x", x, y,
					 got, want);
		}
	}
}

void sim_expect_png(const char *path, uint32_t width, uint32_t height,
		    uint32_t seed)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	uint8_t *rgb;

	if (!png_image_begin_read_from_file(&image, path))
		sim_fail("%s: %s", path, image.message);
	if (image.width != width || image.height != height)
		sim_fail("picture: %ux%u != %ux%u", image.width, image.height,
			 width, height);
	image.format = PNG_FORMAT_RGB;
	rgb = malloc(PNG_IMAGE_SIZE(image));
	if (!png_image_finish_read(&image, NULL, rgb, 0, NULL))
		sim_fail("%s: %s", path, image.message);
	compare(rgb, width, height, seed);
	free(rgb);
}

void sim_expect_picture(struct sim *sim, struct sim_front *front,
			unsigned int conn, uint32_t width, uint32_t height,
			uint32_t seed)
{
	char path[96];
	int status;

	snprintf(path, sizeof(path), "%s/shot.png", sim->dir);
	status = take_screenshot(sim, front, conn, path);
	if (status)
		sim_fail("screenshot of connector %u: status %d", conn, status);
	sim_expect_png(path, width, height, seed);
	unlink(path);
}

static void clean_up(struct sim *sim)
{
	if (sim->daemon)
		sim_daemon_kill(sim);
	unlink(sim->socket);
	unlink(sim->log);
	rmdir(sim->dir);
	fake_destroy(sim->fake);
	free(sim);
}

uint64_t sim_memory(pid_t pid, const char *name)
{
	char path[64], line[512], wanted[64];
	unsigned long begin, end;
	uint64_t bytes = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	snprintf(wanted, sizeof(wanted), "/memfd:%s ", name);
	maps = fopen(path, "r");
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		if (strstr(line, wanted) &&
		    sscanf(line, "%lx-%lx", &begin, &end) == 2)
			bytes += end - begin;
	fclose(maps);
	return bytes;
}

int sim_setup_no_daemon(void **state)
{
	struct sim *sim = malloc(sizeof(*sim));

	sim_init(sim);
	*state = sim;
	return 0;
}

int sim_setup(void **state)
{
	sim_setup_no_daemon(state);
	sim_daemon_start(*state);
	return 0;
}

int sim_teardown(void **state)
{
	struct sim *sim = *state;

	if (getenv("SIM_SHOW_LOG")) {
		char *log = read_log(sim);

		fputs(log, stderr);
		free(log);
	}
	clean_up(sim);
	return 0;
}
