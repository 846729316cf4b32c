// SPDX-License-Identifier: GPL-2.0-or-later
/* The control socket and xen-displayctl, well used and abused. */
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/loop.h"
#include "front.h"
#include "sim.h"

static struct sim_front front;
static struct sim_buf buf;

static const char *const one[] = { "640x480" };

static void ok(int32_t status)
{
	assert_int_equal(status, 0);
}

static void begin(struct sim *sim)
{
	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, 1);
	sim_buf_init(&buf, &front, 10, 640, 480, 32);
	sim_buf_draw(&buf, 1);
	ok(sim_dbuf_create(&front, &buf));
	ok(sim_fb_attach(&front, 10, 20, 640, 480, XD_FMT_XRGB8888));
	ok(sim_set_config(&front.conn[0], 20, 640, 480, 32));
}

static void end(struct sim *sim)
{
	sim_expect_picture(sim, &front, 0, 640, 480, 1);
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&buf, &front);
	sim_disconnect(&front);
	sim_wait_back_state(&front, SIM_CLOSED);
	sim_guest_destroy(&front);
	sim_finish(sim);
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in:\n%s", part, text);
}

static void tool_list(void **state)
{
	struct sim *sim = *state;
	char out[8192];

	assert_int_equal(sim_tool(sim, "list", out), 0);
	assert_null(strstr(out, "guest5"));
	begin(sim);
	assert_int_equal(sim_tool(sim, "list", out), 0);
	has(out, "guest5");
	has(out, "connected");
	/* an answer that nobody gets is none */
	assert_int_equal(sim_tool(sim, "list >/dev/full", out), 1);
	assert_int_equal(sim_tool(sim, "--json stats >/dev/full", out), 1);
	assert_int_equal(sim_tool(sim, "--json list", out), 0);
	has(out, "\"domid\": 5");
	has(out, "\"name\": \"guest5\"");
	assert_int_equal(sim_tool(sim, "info 5", out), 0);
	has(out, "id0");
	has(out, "640");
	assert_int_equal(sim_tool(sim, "--json stats 5", out), 0);
	has(out, "\"requests\": 3");
	has(out, "\"buffers\": 1");
	end(sim);
}

/* Of five flips some still wait when the monitor is switched off. */
static void tool_stats(void **state)
{
	struct sim *sim = *state;

	sim->millihertz = 10000;
	sim_daemon_start(sim);
	begin(sim);
	for (unsigned int i = 0; i < 5; i++)
		ok(sim_flip(&front.conn[0], 20));
	sim_wait_events(&front.conn[0], 3);
	ok(sim_set_config(&front.conn[0], 0, 0, 0, 0));
	sim_wait_events(&front.conn[0], 5);
	assert_int_equal(sim_stat(sim, &front, "flips"), 5);
	assert_int_equal(sim_stat(sim, &front, "frames") + sim_stat(sim, &front, "dropped"), 5);
	assert_true(sim_stat(sim, &front, "frames") >= 3);
	assert_true(sim_stat(sim, &front, "latency-us") > 0);
	assert_true(sim_stat(sim, &front, "worst-latency-us") >=
		    sim_stat(sim, &front, "latency-us"));
	assert_int_equal(sim_stat(sim, &front, "copied-bytes"), 0);
	ok(sim_set_config(&front.conn[0], 20, 640, 480, 32));
	sim_expect_picture(sim, &front, 0, 640, 480, 1);
	assert_int_equal(sim_stat(sim, &front, "copied-bytes"), 640 * 480 * 4);
	/* one without a picture is answered, told of, and dropped */
	ok(sim_set_config(&front.conn[0], 0, 0, 0, 0));
	ok(sim_flip(&front.conn[0], 20));
	sim_wait_events(&front.conn[0], 6);
	assert_int_equal(sim_stat(sim, &front, "frames") + sim_stat(sim, &front, "dropped"), 6);
	assert_true(sim_stat(sim, &front, "dropped") >= 1);
	ok(sim_set_config(&front.conn[0], 20, 640, 480, 32));
	end(sim);
}

static void tool_errors(void **state)
{
	static const struct {
		const char *args;
		int status;
	} wrong[] = {
		{ "", 2 }, { "bogus", 2 }, { "list 5", 2 }, { "info", 2 },
		{ "info abc", 2 }, { "screenshot 5", 2 },
		{ "screenshot x /dev/null", 2 },
		{ "screenshot 5:y /dev/null", 2 }, { "--bogus", 2 },
		{ "resize 5:0 64", 2 }, { "record 5", 2 },
		{ "record 5 /tmp --rate 0", 2 },
		{ "record 5 /tmp --frames 1 --seconds 1", 2 },
		{ "list --frames 1", 2 },
		{ "info 7", 1 }, { "screenshot 7 /dev/null", 1 },
		{ "screenshot 5:3 /dev/null", 1 },
		{ "screenshot 5 /nowhere/x.png", 1 },
		{ "record 7 /tmp", 1 }, { "record 5:3 /tmp", 1 },
		{ "record 5 /nowhere/x.y4m --frames 1", 1 },
		{ "record 5 /nowhere/film --frames 1", 1 },
		{ "record 5 /dev/null --frames 1", 1 },
	};
	struct sim *sim = *state;
	char out[8192];

	begin(sim);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		int status = sim_tool(sim, wrong[i].args, out);

		if (status != wrong[i].status)
			fail_msg("\"%s\": exit %d != %d", wrong[i].args,
				 status, wrong[i].status);
		/* One line that says what was wrong. */
		assert_non_null(strchr(out, '\n'));
		assert_string_equal(strchr(out, '\n'), "\n");
	}
	ok(sim_set_config(&front.conn[0], 0, 0, 0, 0));
	assert_int_equal(sim_tool(sim, "screenshot 5 /dev/null", out), 1);
	has(out, "off");
	ok(sim_set_config(&front.conn[0], 20, 640, 480, 32));
	end(sim);
}

/* No picture is better than a part of one. */
static void disk_is_full(void **state)
{
	struct sim *sim = *state;
	char args[160], out[8192], path[128];
	struct rlimit limit, before;

	begin(sim);
	snprintf(path, sizeof(path), "%s/full.png", sim->dir);
	snprintf(args, sizeof(args), "screenshot 5 %s", path);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 100;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(sim_tool(sim, args, out), 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	has(out, "cannot write");
	has(out, path);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(sim_tool(sim, args, out), 0);
	sim_expect_png(path, 640, 480, 1);
	unlink(path);
	end(sim);
}

/* A picture a tick, as exact as a screenshot. */
static void record_files(void **state)
{
	struct sim *sim = *state;
	char args[128], out[8192], path[128];

	begin(sim);
	snprintf(args, sizeof(args), "record 5:0 %s/film --frames 3 --rate 100",
		 sim->dir);
	assert_int_equal(sim_tool(sim, args, out), 0);
	has(out, "frames");
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/film/%06d.png", sim->dir, i);
		sim_expect_png(path, 640, 480, 1);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/film", sim->dir);
	assert_int_equal(rmdir(path), 0);	/* nothing else was in it */
	end(sim);
}

#define Y4M_HEADER	"YUV4MPEG2 W640 H480 F50:1 Ip A1:1 C444\n"
#define Y4M_FRAME	(6 + 3 * 640 * 480)

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

struct size_wait {
	const char *path;
	off_t size;
};

static bool is_larger(void *ctx)
{
	const struct size_wait *w = ctx;

	return size_of(w->path) > w->size;
}

static void wait_larger(struct sim *sim, const char *path, off_t size)
{
	struct size_wait w = { path, size };

	assert_true(fake_wait(sim->fake, is_larger, &w, SIM_TIMEOUT_MS));
}

static pid_t start_film(struct sim *sim, const char *path)
{
	const char *tool = getenv("SIM_DISPLAYCTL");
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	if (!freopen("/dev/null", "w", stdout))
		_exit(126);
	execl(tool, tool, "--socket", sim->socket, "--rate", "50", "record",
	      "5", path, NULL);
	_exit(126);
}

/* Luma of the pixel in the middle of the last picture. */
static int last_luma(const char *path, off_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t luma = 0;

	assert_int_equal(pread(fd, &luma, 1, size - 3 * 640 * 480 +
			       240 * 640 + 320), 1);
	close(fd);
	return luma;
}

static int luma_of(uint32_t pixel)
{
	return ((66 * (int)(pixel >> 16 & 255) + 129 * (int)(pixel >> 8 & 255) +
		 25 * (int)(pixel & 255) + 128) >> 8) + 16;
}

/* Interrupted, it is whole; a monitor that was switched off is black. */
static void record_stream(void **state)
{
	struct sim *sim = *state;
	char path[128];
	int status;
	pid_t pid;
	off_t size;

	begin(sim);
	snprintf(path, sizeof(path), "%s/film.y4m", sim->dir);
	pid = start_film(sim, path);
	wait_larger(sim, path, Y4M_FRAME * 2);
	size = sizeof(Y4M_HEADER) - 1 + Y4M_FRAME;
	assert_int_equal(last_luma(path, size),
			 luma_of(sim_pixel(1, 320, 240)));
	ok(sim_set_config(&front.conn[0], 0, 0, 0, 0));
	wait_larger(sim, path, size_of(path) + Y4M_FRAME * 3);
	kill(pid, SIGINT);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	size = size_of(path);
	assert_int_equal((size - (off_t)sizeof(Y4M_HEADER) + 1) % Y4M_FRAME,
			 0);
	assert_int_equal(last_luma(path, size), 16);
	unlink(path);
	ok(sim_set_config(&front.conn[0], 20, 640, 480, 32));
	end(sim);
}

static void tool_without_daemon(void **state)
{
	struct sim *sim = *state;
	char out[8192];

	assert_int_equal(sim_tool(sim, "list", out), 1);
	has(out, sim->socket);
	sim_finish(sim);
}

/* Pictures of the guests are for who runs the daemon. */
static void socket_is_private(void **state)
{
	struct sim *sim = *state;
	struct stat st;

	assert_int_equal(stat(sim->socket, &st), 0);
	assert_int_equal(st.st_mode & 0777 & 077, 0);
	sim_daemon_stop(sim);
	assert_int_not_equal(stat(sim->socket, &st), 0);
	/* One that was left by a kill is in nobody's way. */
	sim_daemon_start(sim);
	sim_daemon_kill(sim);
	assert_int_equal(stat(sim->socket, &st), 0);
	sim_daemon_start(sim);
	sim_finish(sim);
}

static int connect_raw(struct sim *sim)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, sim->socket);
	assert_true(sock >= 0);
	assert_int_equal(connect(sock, (struct sockaddr *)&addr, sizeof(addr)),
			 0);
	return sock;
}

/* 1 an answer, 0 hung up on. */
static int ask_raw(int sock, const void *question, size_t size,
		   char answer[4096])
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };
	ssize_t len;

	if (size)
		send(sock, question, size, MSG_NOSIGNAL);
	assert_int_equal(poll(&pfd, 1, SIM_TIMEOUT_MS), 1);
	len = recv(sock, answer, 4095, 0);
	answer[len > 0 ? len : 0] = '\0';
	return len > 0;
}

static void garbage(void **state)
{
	static const char *const questions[] = {
		"x", "list 1 2 3", "screenshot", "screenshot 5",
		"screenshot 5 99", "screenshot -1 0",
		"screenshot 4294967301 0", "info 5.", "info 5.4294967295",
		"info .0", "info 5.0.0", "resize 5 0.0 640 480", "info 5.0000000000000",
		"info 99999999999999999999",
		"resize 5 0 0 0", "resize 5 9 640 480", "stats", "\n\n\n",
		"%s%n%s%n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 5",
	};
	struct sim *sim = *state;
	unsigned int seed = 1;
	char answer[4096], bytes[4000];

	begin(sim);
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		int sock = connect_raw(sim);

		assert_int_equal(ask_raw(sock, questions[i],
					 strlen(questions[i]), answer), 1);
		if (strncmp(answer, "error ", 6))
			fail_msg("\"%s\" got \"%s\"", questions[i], answer);
		close(sock);
	}
	for (size_t size = 1; size < sizeof(bytes); size = size * 3 / 2 + 1) {
		int sock = connect_raw(sim);

		for (size_t i = 0; i < size; i++)
			bytes[i] = (char)rand_r(&seed);
		ask_raw(sock, bytes, size, answer);
		assert_int_not_equal(strncmp(answer, "ok", 2), 0);
		close(sock);
	}
	end(sim);
}

/* More clients than it serves, and such as do not read or go at once. */
static void many_clients(void **state)
{
	struct sim *sim = *state;
	char answer[4096];
	int sock[40];

	begin(sim);
	for (size_t i = 0; i < ARRAY_SIZE(sock); i++)
		sock[i] = connect_raw(sim);
	for (size_t i = 0; i < ARRAY_SIZE(sock); i++)
		for (int k = 0; k < 20; k++)
			send(sock[i], "list", 4, MSG_NOSIGNAL | MSG_DONTWAIT);
	for (size_t i = 0; i < ARRAY_SIZE(sock); i++)
		close(sock[i]);
	for (int i = 0; i < 50; i++) {
		int one_sock = connect_raw(sim);

		send(one_sock, "screenshot 5 0", 14, MSG_NOSIGNAL);
		close(one_sock);
	}
	sock[0] = connect_raw(sim);
	assert_int_equal(ask_raw(sock[0], "list", 4, answer), 1);
	assert_int_equal(strncmp(answer, "ok\n", 3), 0);
	/* One connection may ask again. */
	assert_int_equal(ask_raw(sock[0], "list", 4, answer), 1);
	close(sock[0]);
	end(sim);
}

/* The first answer on @sock; the descriptor that came with it, or -1. */
static int first_answer(int sock, char answer[4096])
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = answer, .iov_len = 4095 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct pollfd pfd = { .fd = sock, .events = POLLIN };
	struct cmsghdr *header;
	ssize_t len;
	int fd;

	assert_int_equal(poll(&pfd, 1, SIM_TIMEOUT_MS), 1);
	len = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	assert_true(len > 0);
	answer[len] = '\0';
	header = CMSG_FIRSTHDR(&msg);
	if (!header)
		return -1;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* Of several clients only the one that asked has the picture. */
static void picture_for_who_asked(void **state)
{
	struct sim *sim = *state;
	char answer[4096];
	int sock[3], fd;

	begin(sim);
	for (size_t i = 0; i < ARRAY_SIZE(sock); i++)
		sock[i] = connect_raw(sim);
	send(sock[1], "screenshot 5 0", 14, MSG_NOSIGNAL);
	fd = first_answer(sock[1], answer);
	assert_true(fd >= 0);
	close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(sock); i += 2) {
		send(sock[i], "list", 4, MSG_NOSIGNAL);
		assert_int_equal(first_answer(sock[i], answer), -1);
		has(answer, "guest5");
	}
	for (size_t i = 0; i < ARRAY_SIZE(sock); i++)
		close(sock[i]);
	end(sim);
}

/* The worker dies while somebody waits for its answer: told so, at once. */
static void worker_gone(void **state)
{
	struct sim *sim = *state;
	char answer[4096];
	pid_t worker;
	int sock;

	begin(sim);
	worker = fake_domain_worker(sim->fake, 5);
	kill(worker, SIGSTOP);
	sock = connect_raw(sim);
	send(sock, "screenshot 5 0", 14, MSG_NOSIGNAL);
	kill(worker, SIGKILL);
	assert_int_equal(ask_raw(sock, "", 0, answer), 1);
	assert_int_equal(strncmp(answer, "error ", 6), 0);
	close(sock);
	sim_wait_back_state(&front, SIM_INIT_WAIT);
	sim_buf_finish(&buf, &front);
	sim_channels_free(&front);
	sim_guest_destroy(&front);
	begin(sim);
	end(sim);
}

/* A client may be in the mode that was offered then. */
/* Nobody waits for a worker that stands still, nor gets what others asked for. */
static void worker_does_not_answer(void **state)
{
	static const char late[] = "error the guest's worker does not answer";
	const uint64_t end_ns = xd_now() + SIM_TIMEOUT_MS * 1000000ull;
	char out[8192], answer[4096];
	struct sim *sim = *state;
	pid_t worker;
	int sock;

	sim->patience_ms = 1000;
	sim_daemon_start(sim);
	begin(sim);
	worker = fake_domain_worker(sim->fake, 5);
	fake_stop(sim->fake, worker);
	sock = connect_raw(sim);
	assert_int_equal(ask_raw(sock, "stats 5", 7, answer), 1);
	assert_string_equal(answer, late);
	/* of all guests: without this one */
	assert_int_equal(sim_tool(sim, "stats", out), 0);
	assert_int_equal(ask_raw(sock, "screenshot 5 0", 14, answer), 1);
	assert_string_equal(answer, late);
	kill(worker, SIGCONT);
	do {
		assert_true(xd_now() < end_ns);
		assert_int_equal(ask_raw(sock, "info 5", 6, answer), 1);
	} while (!strcmp(answer, late));
	has(answer, "ok\nconnector\t");
	close(sock);
	end(sim);
}

/* What of a size that only the second device has is told. */
static void wants_second(struct sim *sim, const char *args, const char *what)
{
	char out[8192];

	assert_int_equal(sim_tool(sim, args, out), 0);
	has(out, what);
}

static void two_devices(void **state)
{
	static const char *const small[] = { "320x200" };
	static struct sim_front second;
	struct sim *sim = *state;
	char args[128], out[8192];

	begin(sim);
	sim_device_create(&second, sim->fake, 5, 1, 1, small);
	sim_front_write(&second, "request-connector-event", "1");
	sim_connect(&second, 2);
	wants_second(sim, "--json list", "\"device\": 1");
	wants_second(sim, "--json info 5.1", "\"width\": 320");
	wants_second(sim, "--json info 5", "\"width\": 640");
	wants_second(sim, "--json info 5.0", "\"width\": 640");
	wants_second(sim, "--json stats 5.1", "\"device\": 1");
	assert_int_equal(sim_tool(sim, "--json stats", out), 0);
	has(out, "\"device\": 0");
	has(out, "\"device\": 1");
	assert_int_equal(sim_tool(sim, "resize 5.1:0 400x300", out), 0);
	wants_second(sim, "--json info 5.1", "\"width\": 400");
	snprintf(args, sizeof(args), "screenshot 5.1 %s/shot", sim->dir);
	assert_int_equal(sim_tool(sim, args, out), 1);
	has(out, "screenshot 5.1:0: the connector is off");
	assert_int_equal(sim_tool(sim, "info 5.2", out), 1);
	has(out, "no such device");
	assert_int_equal(sim_tool(sim, "info 5.", out), 2);
	assert_int_equal(sim_tool(sim, "info 5.1.1", out), 2);
	sim_disconnect(&second);
	sim_wait_back_state(&second, SIM_CLOSED);
	end(sim);
}

static void resize_outlives_daemon(void **state)
{
	struct sim *sim = *state;
	struct sim_buf large;
	char out[8192];

	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_front_write(&front, "request-connector-event", "1");
	sim_connect(&front, 2);
	ok(sim_set_config(&front.conn[0], 0, 0, 0, 0));
	assert_int_equal(sim_tool(sim, "resize 5:0 800x600", out), 0);
	sim_wait_events(&front.conn[0], 1);
	sim_daemon_kill(sim);
	sim_daemon_start(sim);
	sim_wait_back_state(&front, SIM_INIT_WAIT);
	sim_channels_free(&front);
	sim_connect(&front, 2);
	sim_buf_init(&large, &front, 11, 800, 600, 32);
	sim_buf_draw(&large, 2);
	ok(sim_dbuf_create(&front, &large));
	ok(sim_fb_attach(&front, 11, 21, 800, 600, XD_FMT_XRGB8888));
	ok(sim_set_config(&front.conn[0], 21, 800, 600, 32));
	sim_expect_picture(sim, &front, 0, 800, 600, 2);
	ok(sim_dbuf_destroy(&front, 11));
	sim_buf_finish(&large, &front);
	sim_disconnect(&front);
	sim_wait_back_state(&front, SIM_CLOSED);
	sim_guest_destroy(&front);
	sim_finish(sim);
}

int main(void)
{
	const struct CMUnitTest control_tests[] = {
		SIM_TEST(tool_list, "tool-list"),
		SIM_TEST_NO_DAEMON(tool_stats, "tool-stats"),
		SIM_TEST(tool_errors, "tool-errors"),
		SIM_TEST(disk_is_full, "disk-is-full"),
		SIM_TEST(record_files, "record-files"),
		SIM_TEST(record_stream, "record-stream"),
		SIM_TEST_NO_DAEMON(tool_without_daemon, "tool-without-daemon"),
		SIM_TEST(socket_is_private, "socket-is-private"),
		SIM_TEST(garbage, "garbage"),
		SIM_TEST(many_clients, "many-clients"),
		SIM_TEST(picture_for_who_asked, "picture-for-who-asked"),
		SIM_TEST(two_devices, "two-devices"),
		SIM_TEST(worker_gone, "worker-gone"),
		SIM_TEST_NO_DAEMON(worker_does_not_answer,
				   "worker-does-not-answer"),
		SIM_TEST(resize_outlives_daemon, "resize-outlives-daemon"),
	};

	return cmocka_run_group_tests(control_tests, NULL, NULL);
}
