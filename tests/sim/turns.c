// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "turns.h"

#define DOMID		TURNS_DOMID
#define OTHER		6u
#define WIDTH		TURNS_WIDTH
#define HEIGHT		TURNS_HEIGHT

struct sim *turns_sim;
struct sim_front turns_front;

static struct sim_front other;
static struct sim_buf other_buf;
static pid_t other_worker;

static const char *const one[] = { "320x200" };

void turns_ok(int32_t status)
{
	if (status)
		sim_fail("status %d after %s failed", status, faults_hit());
}

/* Control */

static int line = -1;

static void call_daemon(void)
{
	const struct timeval timeout = { .tv_sec = SIM_TIMEOUT_MS / 1000 };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	line = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	strcpy(addr.sun_path, turns_sim->socket);
	setsockopt(line, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (connect(line, (struct sockaddr *)&addr, sizeof(addr)))
		sim_fail("nobody answers on %s", turns_sim->socket);
}

void turns_hang_up(void)
{
	if (line >= 0)
		close(line);
	line = -1;
}

static ssize_t converse(const char *question, struct msghdr *answer)
{
	ssize_t len = -1;

	if (send(line, question, strlen(question), MSG_NOSIGNAL) >= 0)
		len = recvmsg(line, answer, MSG_CMSG_CLOEXEC);
	if (len < 0 && errno == EAGAIN)
		sim_fail("%s: no answer after %s failed", question,
			 faults_hit());
	return len > 0 ? len : 0;
}

int turns_ask(const char *question, char answer[XD_CONTROL_MAX_ANSWER])
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} space;
	struct iovec iov = { answer, XD_CONTROL_MAX_ANSWER - 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &space,
		.msg_controllen = sizeof(space),
	};
	ssize_t len;
	int fd = -1;

	if (line < 0)
		call_daemon();
	len = converse(question, &msg);
	answer[len] = '\0';
	if (!len)
		turns_hang_up();
	else if (CMSG_FIRSTHDR(&msg))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

static void want_pixels(int fd, uint32_t seed)
{
	const size_t size = (size_t)WIDTH * HEIGHT * 4;
	uint32_t *pixels = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

	assert_ptr_not_equal(pixels, MAP_FAILED);
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			if ((pixels[y * WIDTH + x] ^ sim_pixel(seed, x, y)) &
			    0xffffff)
				sim_fail("pixel (%u,%u) after %s failed", x, y,
					 faults_hit());
	munmap(pixels, size);
}

void turns_want_picture(uint32_t domid, uint32_t seed)
{
	static char answer[XD_CONTROL_MAX_ANSWER];
	char question[32];
	int fd;

	snprintf(question, sizeof(question), "screenshot %u 0", domid);
	fd = turns_ask(question, answer);
	if (fd < 0)
		sim_fail("no picture after %s failed: %s", faults_hit(),
			 answer);
	want_pixels(fd, seed);
	close(fd);
}

/* Guests */

void turns_show(struct sim_front *f, struct sim_buf *b, uint32_t seed)
{
	sim_buf_init(b, f, 10, WIDTH, HEIGHT, 32);
	sim_buf_draw(b, seed);
	turns_ok(sim_dbuf_create(f, b));
	turns_ok(sim_fb_attach(f, 10, 20, WIDTH, HEIGHT, XD_FMT_XRGB8888));
	turns_ok(sim_set_config(&f->conn[0], 20, WIDTH, HEIGHT, 32));
	turns_ok(sim_flip(&f->conn[0], 20));
	sim_wait_events(&f->conn[0], f->conn[0].nr_events + 1);
	turns_want_picture(f->domid, seed);
}

void turns_begin(void **state)
{
	turns_sim = *state;
	faults_init();
	sim_daemon_start(turns_sim);
	sim_guest_create(&other, turns_sim->fake, OTHER, 1, one);
	sim_connect(&other, 2);
	turns_show(&other, &other_buf, 99);
	other_worker = fake_domain_worker(turns_sim->fake, OTHER);
}

void turns_end(void)
{
	turns_want_picture(OTHER, 99);
	turns_hang_up();
	sim_disconnect(&other);
	sim_wait_back_state(&other, SIM_CLOSED);
	sim_buf_finish(&other_buf, &other);
	sim_guest_destroy(&other);
	sim_finish(turns_sim);
}

/* What the supervisor has open when it has done what there was to do. */
static unsigned int nr_fds(void)
{
	static char answer[XD_CONTROL_MAX_ANSWER];
	char path[32];
	unsigned int n = 0;
	DIR *dir;

	turns_ask("list", answer);
	snprintf(path, sizeof(path), "/proc/%d/fd", turns_sim->daemon);
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Fewer: there still was something to do when they were counted before. */
static bool no_more_fds(void *ctx)
{
	unsigned int *most = ctx, n = nr_fds();

	if (n > *most)
		return false;
	*most = n;
	return true;
}

int turns_main(const char *name, const struct CMUnitTest *tests, size_t nr,
	       size_t nr_long)
{
	if (!getenv("FAULTS_ALL"))
		nr -= nr_long;
	return _cmocka_run_group_tests(name, tests, nr, NULL, NULL);
}

static void want_no_trace(unsigned int *fds)
{
	struct fake *fake = turns_sim->fake;

	if (!fake_wait(fake, no_more_fds, fds, SIM_TIMEOUT_MS))
		sim_fail("%u descriptors open, %u before %s failed", nr_fds(),
			 *fds, faults_hit());
	if (fake_domain_worker(fake, OTHER) != other_worker)
		sim_fail("the other guest's worker ended after %s failed",
			 faults_hit());
	turns_ok(sim_flip(&other.conn[0], 20));
	sim_wait_events(&other.conn[0], other.conn[0].nr_events + 1);
}

void turns_run(const struct turns *what)
{
	unsigned int fds, n = 0;
	bool hit;

	if (what->before)
		what->before();
	what->after();
	fds = nr_fds();
	do {
		faults_arm(what->role, ++n);
		what->attempt();
		hit = faults_disarm();
		if (getenv("FAULTS_SHOW"))
			fprintf(stderr, "# %u: %s\n", n, faults_hit());
		what->after();
		want_no_trace(&fds);
	} while (hit);
	/* that many have failed */
	fprintf(stderr, "# %u calls\n", n - 1);
}

/* The guest */

void turns_come(void)
{
	sim_guest_create(&turns_front, turns_sim->fake, DOMID, 1, one);
	sim_connect(&turns_front, 2);
}

void turns_go(void)
{
	sim_disconnect(&turns_front);
	sim_wait_back_state(&turns_front, SIM_CLOSED);
	sim_guest_destroy(&turns_front);
}
