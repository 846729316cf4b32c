// SPDX-License-Identifier: GPL-2.0-or-later
/* Beginnings and ends: of guests, of workers, of the daemon. */
#include "unit.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/loop.h"
#include "front.h"
#include "sandbox/sandbox.h"
#include "sim.h"

static struct sim_front front, other;

static const char *const one[] = { "640x480" };

static void ok(int32_t status)
{
	assert_int_equal(status, 0);
}

/* A guest with a picture on its screen. */
static void show(struct sim_front *f, struct sim_buf *buf, uint32_t seed)
{
	sim_buf_init(buf, f, 10, 640, 480, 32);
	sim_buf_draw(buf, seed);
	ok(sim_dbuf_create(f, buf));
	ok(sim_fb_attach(f, 10, 20, 640, 480, XD_FMT_XRGB8888));
	ok(sim_set_config(&f->conn[0], 20, 640, 480, 32));
}

static void flip_once(struct sim_front *f)
{
	ok(sim_flip(&f->conn[0], 20));
	sim_wait_events(&f->conn[0], f->conn[0].nr_events + 1);
}

struct mapped_wait {
	struct sim *sim;
	uint32_t domid;
};

static bool unmapped(void *ctx)
{
	const struct mapped_wait *w = ctx;

	return !fake_domain_mapped(w->sim->fake, w->domid);
}

/* A domain with mapped pages is a zombie. */
static void no_zombie(struct sim *sim, uint32_t domid)
{
	struct mapped_wait w = { sim, domid };

	assert_true(fake_wait(sim->fake, unmapped, &w, SIM_TIMEOUT_MS));
}

/* Closing lasts as long as the worker does: not to be seen by who is slow. */
static bool backend_closes(void *ctx)
{
	int state = sim_back_state(ctx);

	return state == SIM_CLOSING || state == SIM_CLOSED;
}

static void close_guest(struct sim_front *f)
{
	sim_disconnect(f);
	sim_wait_back_state(f, SIM_CLOSED);
	sim_guest_destroy(f);
}

static void guest_before_daemon(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_daemon_start(sim);
	sim_connect(&front, 1);
	show(&front, &buf, 1);
	sim_expect_picture(sim, &front, 0, 640, 480, 1);
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&buf, &front);
	close_guest(&front);
	sim_finish(sim);
}

static void reconnect_20_times(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	sim_guest_create(&front, sim->fake, 5, 1, one);
	for (uint32_t i = 0; i < 20; i++) {
		sim_connect(&front, 1);
		show(&front, &buf, i);
		flip_once(&front);
		ok(sim_dbuf_destroy(&front, 10));
		sim_buf_finish(&buf, &front);
		sim_disconnect(&front);
		sim_wait_back_state(&front, SIM_CLOSED);
	}
	sim_guest_destroy(&front);
	sim_finish(sim);
}

/* Closing with buffers and flips there: the backend lets go of all of it. */
static void close_without_destroying(void **state)
{
	struct sim *sim = *state;
	struct xendispl_req *req;
	struct sim_buf buf;

	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, 1);
	show(&front, &buf, 1);
	req = sim_next_slot(&front.conn[0], XENDISPL_OP_PG_FLIP);
	req->op.pg_flip.fb_cookie = 20;
	sim_push(&front.conn[0]);
	sim_set_state(&front, SIM_CLOSING);
	sim_set_state(&front, SIM_CLOSED);
	sim_wait_back_state(&front, SIM_CLOSED);
	assert_int_equal(fake_domain_mapped(sim->fake, 5), 0);
	sim_buf_finish(&buf, &front);
	sim_channels_free(&front);
	sim_guest_destroy(&front);
	sim_finish(sim);
}

/* A kernel that goes down waits until it sees the backend Closing. */
static void guest_goes_down(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, 1);
	show(&front, &buf, 1);
	sim_set_state(&front, SIM_CLOSING);
	sim_wait_back_state(&front, SIM_CLOSING);
	sim_set_state(&front, SIM_CLOSED);
	sim_wait_back_state(&front, SIM_CLOSED);
	sim_buf_finish(&buf, &front);
	sim_channels_free(&front);
	sim_guest_destroy(&front);
	sim_finish(sim);
}

/* Linux's module, when it is unloaded, stays Closing until it sees InitWait. */
static void module_is_unloaded(void **state)
{
	struct sim *sim = *state;

	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, 1);
	sim_set_state(&front, SIM_CLOSING);
	sim_wait_back_state(&front, SIM_CLOSING);
	sim_wait_back_state(&front, SIM_INIT_WAIT);
	sim_channels_free(&front);
	sim_connect(&front, 1);
	close_guest(&front);
	sim_finish(sim);
}

/* Powered off without a word, five guests one after the other. */
static void guests_vanish(void **state)
{
	struct sim *sim = *state;
	struct xendispl_req *req;
	struct sim_buf buf;

	for (uint32_t domid = 1; domid <= 5; domid++) {
		sim_guest_create(&front, sim->fake, domid, 1, one);
		sim_connect(&front, 1);
		show(&front, &buf, domid);
		sim_expect_picture(sim, &front, 0, 640, 480, domid);
		for (int i = 0; i < 5; i++) {
			req = sim_next_slot(&front.conn[0],
					    XENDISPL_OP_PG_FLIP);
			req->op.pg_flip.fb_cookie = 20;
			sim_push(&front.conn[0]);
		}
		sim_guest_destroy(&front);
		no_zombie(sim, domid);
	}
	sim_finish(sim);
}

/* The domain is dead while its nodes are still there, as in a slow destroy. */
static void domain_dies_first(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, 1);
	show(&front, &buf, 1);
	fake_domain_kill(sim->fake, 5);
	no_zombie(sim, 5);
	sim_guest_destroy(&front);
	sim_finish(sim);
}

static bool device_is_gone(void *ctx)
{
	char *text = sim_back_read(ctx, "frontend");

	free(text);
	return !text;
}

/* `xl vdispl-detach`: online 0, the guest follows. */
static void device_detached(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, 1);
	show(&front, &buf, 1);
	sim_set_online(&front, false);
	assert_true(fake_wait(sim->fake, backend_closes, &front,
			      SIM_TIMEOUT_MS));
	sim_set_state(&front, SIM_CLOSED);
	sim_wait_back_state(&front, SIM_CLOSED);
	no_zombie(sim, 5);
	assert_false(device_is_gone(&front));	/* the toolstack's to remove */
	sim_buf_finish(&buf, &front);
	sim_channels_free(&front);
	sim_guest_destroy(&front);
	sim_finish(sim);
}

#define HALF_MADE	"/local/domain/9/backend/vdispl/5/1"

static bool half_made_was_seen(void *ctx)
{
	char *text = fake_read(ctx, HALF_MADE "/state");
	bool seen = text && !strcmp(text, "6");

	free(text);
	return seen;
}

/* A toolstack may write node by node: what is not there is not "taken away". */
static void see_half_made(struct sim *sim)
{
	char *text;

	fake_write(sim->fake, HALF_MADE "/frontend", "none");
	assert_true(fake_wait(sim->fake, half_made_was_seen, sim->fake,
			      SIM_TIMEOUT_MS));
	text = fake_read(sim->fake, HALF_MADE "/frontend");
	assert_non_null(text);
	free(text);
	fake_remove(sim->fake, HALF_MADE);
}

/* libxl waits until another domain than its own has removed the directory. */
static void driver_domain(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	fake_set_own_domain(sim->fake, 9);
	sim_daemon_start(sim);
	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, 1);
	show(&front, &buf, 1);
	sim_expect_picture(sim, &front, 0, 640, 480, 1);
	see_half_made(sim);
	assert_false(device_is_gone(&front));
	sim_set_online(&front, false);
	assert_true(fake_wait(sim->fake, device_is_gone, &front,
			      SIM_TIMEOUT_MS));
	no_zombie(sim, 5);
	assert_int_equal(fake_foreign_writes(sim->fake), 0);
	sim_buf_finish(&buf, &front);
	sim_channels_free(&front);
	sim_guest_destroy(&front);
	sim_finish(sim);
}

/* What our frontend does when its backend is lost: begin again. */
static void recover(struct sim *sim, struct sim_buf *buf, uint32_t seed)
{
	sim_buf_finish(buf, &front);
	sim_channels_free(&front);
	sim_connect(&front, 1);
	show(&front, buf, seed);
	sim_expect_picture(sim, &front, 0, 640, 480, seed);
	flip_once(&front);
}

static void worker_killed(void **state)
{
	struct sim *sim = *state;
	struct sim_buf a, b;

	sim_guest_create(&other, sim->fake, 6, 1, one);
	sim_connect(&other, 1);
	show(&other, &b, 77);
	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, 1);
	show(&front, &a, 1);
	for (uint32_t i = 0; i < 3; i++) {
		pid_t worker = fake_domain_worker(sim->fake, 5);

		assert_int_not_equal(worker, 0);
		assert_int_not_equal(worker, sim->daemon);
		assert_int_not_equal(worker, fake_domain_worker(sim->fake, 6));
		kill(worker, SIGKILL);
		/* It starts over by itself; Connected is what we still say. */
		sim_wait_back_state(&front, SIM_INIT_WAIT);
		no_zombie(sim, 5);
		recover(sim, &a, i);
		flip_once(&other);
	}
	sim_expect_picture(sim, &other, 0, 640, 480, 77);
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&a, &front);
	close_guest(&front);
	ok(sim_dbuf_destroy(&other, 10));
	sim_buf_finish(&b, &other);
	close_guest(&other);
	sim_finish(sim);
}

static void daemon_killed(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, 1);
	show(&front, &buf, 1);
	for (uint32_t i = 0; i < 3; i++) {
		sim_daemon_kill(sim);
		/* The workers go with it. */
		no_zombie(sim, 5);
		assert_int_equal(sim_back_state(&front), SIM_CONNECTED);
		sim_daemon_start(sim);
		sim_wait_back_state(&front, SIM_INIT_WAIT);
		recover(sim, &buf, i);
	}
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&buf, &front);
	close_guest(&front);
	sim_finish(sim);
}

/* An orderly end, as in an upgrade: Closed, nothing mapped, then again. */
static void daemon_stopped(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, 1);
	show(&front, &buf, 1);
	sim_daemon_stop(sim);
	assert_int_equal(fake_domain_mapped(sim->fake, 5), 0);
	assert_int_equal(sim_back_state(&front), SIM_CLOSED);
	sim_daemon_start(sim);
	sim_wait_back_state(&front, SIM_INIT_WAIT);
	recover(sim, &buf, 2);
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&buf, &front);
	close_guest(&front);
	sim_finish(sim);
}

/* A guest that crashed and boots again: its state begins anew by itself. */
static void guest_reboots(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, 1);
	for (uint32_t i = 0; i < 3; i++) {
		show(&front, &buf, i);
		sim_set_state(&front, SIM_INITIALISING);
		sim_wait_back_state(&front, SIM_INIT_WAIT);
		no_zombie(sim, 5);
		sim_buf_finish(&buf, &front);
		sim_channels_free(&front);
		sim_connect(&front, 1);
	}
	close_guest(&front);
	sim_finish(sim);
}

/* Linux's frontend waits so while a client still has the device open. */
static void reconfiguring(void **state)
{
	struct sim *sim = *state;

	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, 1);
	sim_daemon_kill(sim);
	sim_set_state(&front, 7);
	sim_channels_free(&front);
	sim_daemon_start(sim);
	sim_wait_back_state(&front, SIM_INIT_WAIT);
	sim_connect(&front, 1);
	close_guest(&front);
	sim_finish(sim);
}

/* What follows @name in a line of /proc/PID/FILE; empty without such a line. */
static void read_proc(pid_t pid, const char *file_name, const char *name,
		      char value[256])
{
	char path[64], line[256];
	FILE *file;

	*value = '\0';
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file_name);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			strcpy(value, line + strlen(name));
	fclose(file);
}

static unsigned long status_of(pid_t pid, const char *name, int base)
{
	char value[256];

	read_proc(pid, "status", name, value);
	return *value ? strtoul(value + 1, NULL, base) : ~0ul;
}

/* What a guest that took over its worker would have: nothing. */
static void worker_has_no_rights(void **state)
{
	char limits[256], soft[16], hard[16];
	struct sim *sim = *state;
	pid_t worker;

	if (geteuid()) {
		sim_finish(sim);
		SKIP_BECAUSE("not root");
	}
	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, 1);
	worker = fake_domain_worker(sim->fake, 5);
	assert_int_equal(status_of(worker, "Uid", 10), XD_SANDBOX_FIRST_UID + 5);
	assert_int_equal(status_of(worker, "Gid", 10), XD_SANDBOX_FIRST_UID + 5);
	assert_int_equal(status_of(worker, "CapEff", 16), 0);
	assert_int_equal(status_of(worker, "CapPrm", 16), 0);
	assert_int_equal(status_of(worker, "NoNewPrivs", 16), 1);
	read_proc(worker, "limits", "Max core file size", limits);
	assert_int_equal(sscanf(limits, " %15s %15s", soft, hard), 2);
	assert_string_equal(soft, "0");
	assert_string_equal(hard, "0");
	close_guest(&front);
	sim_finish(sim);
}

static bool death_is_told(void *ctx)
{
	return sim_log_has(ctx, "the sandbox ends the worker: it called ptrace");
}

/* Whoever looks after the daemon has to hear of it, and of what was tried. */
static void denied_call_is_logged(void **state)
{
	struct sim *sim = *state;

	sim->denied = SYS_ptrace;
	sim_daemon_start(sim);
	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_channels_create(&front);
	sim_set_state(&front, SIM_INITIALISED);
	if (!fake_wait(sim->fake, death_is_told, sim, SIM_TIMEOUT_MS))
		sim_fail("no word of the sandbox");
	sim_guest_destroy(&front);
	sim_finish(sim);
}

static bool never(void *ctx)
{
	(void)ctx;
	return false;
}

/* How often this process has slept. */
static unsigned long sleeps(pid_t pid)
{
	return status_of(pid, "voluntary_ctxt_switches", 10);
}

/* Nothing to do, nothing done: neither process wakes up, once it is done. */
static void idle_is_quiet(void **state)
{
	const uint64_t end = xd_now() + SIM_TIMEOUT_MS * 1000000ull;
	struct sim *sim = *state;
	unsigned long before[2];
	struct sim_buf buf;
	pid_t worker;

	sim->millihertz = 60000;
	sim_daemon_start(sim);
	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, 1);
	show(&front, &buf, 1);
	for (int i = 0; i < 3; i++)
		flip_once(&front);
	worker = fake_domain_worker(sim->fake, 5);
	do {
		assert_true(xd_now() < end);
		before[0] = sleeps(worker);
		before[1] = sleeps(sim->daemon);
		fake_wait(sim->fake, never, NULL, 300);
	} while (sleeps(worker) != before[0] ||
		 sleeps(sim->daemon) != before[1]);
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&buf, &front);
	close_guest(&front);
	sim_finish(sim);
}

static bool backend_is_closed(void *ctx)
{
	return sim_back_state(ctx) == SIM_CLOSED;
}

/* Whether a frontend that published nothing is refused in @ms. */
static bool refused_in(struct sim *sim, int ms)
{
	sim_set_state(&front, SIM_INITIALISING);
	sim_wait_back_state(&front, SIM_INIT_WAIT);
	sim_set_state(&front, SIM_INITIALISED);
	return fake_wait(sim->fake, backend_is_closed, &front, ms);
}

/*
 * One that comes over and over is let wait, and the log does not grow with each
 * of its tries. Afterwards it is served.
 */
static void reconnect_storm(void **state)
{
	const unsigned int most = 1000;
	struct sim *sim = *state;
	unsigned int tries = 1;

	sim_guest_create(&front, sim->fake, 5, 1, one);
	while (refused_in(sim, 3000))
		if (++tries > most)
			sim_fail("%u tries, and all were taken", most);
	assert_true(tries > 20);
	assert_true(sim_log_has(sim, "too many messages"));
	assert_true(sim_log_count(sim, "warning: ") < tries / 2);
	sim_wait_back_state(&front, SIM_CLOSED);
	sim_set_state(&front, SIM_CLOSED);
	sim_connect(&front, 1);
	close_guest(&front);
	sim_finish(sim);
}

/* Reads of XenStore for some connections of a guest, until the daemon rests. */
static unsigned int reads_for_it(struct sim *sim)
{
	const unsigned int before = fake_store_reads(sim->fake);
	unsigned int now;

	for (int i = 0; i < 5; i++) {
		sim_connect(&front, 1);
		sim_disconnect(&front);
		sim_wait_back_state(&front, SIM_CLOSED);
	}
	do {
		now = fake_store_reads(sim->fake);
		fake_wait(sim->fake, never, NULL, 100);
	} while (now != fake_store_reads(sim->fake));
	return now - before;
}

/* What a guest writes is no reason to look at other guests. */
static void others_are_not_read(void **state)
{
	static struct sim_front others[6];
	struct sim *sim = *state;
	unsigned int alone, in_company;

	sim_guest_create(&front, sim->fake, 7, 1, one);
	alone = reads_for_it(sim);
	for (uint32_t i = 0; i < 6; i++) {
		sim_guest_create(&others[i], sim->fake, i + 1, 1, one);
		sim_connect(&others[i], 1);
	}
	in_company = reads_for_it(sim);
	if (in_company > 2 * alone)
		sim_fail("%u reads, %u when it is alone", in_company, alone);
	for (uint32_t i = 0; i < 6; i++)
		close_guest(&others[i]);
	sim_guest_destroy(&front);
	sim_finish(sim);
}

struct watches_wait {
	struct sim *sim;
	unsigned int watches;
};

static bool watches_are(void *ctx)
{
	const struct watches_wait *w = ctx;

	return fake_watches(w->sim->fake) == w->watches;
}

/* No watch and no node stays of a guest that has gone. */
static void nothing_is_left(void **state)
{
	struct sim *sim = *state;
	struct watches_wait w = { sim, fake_watches(sim->fake) };
	char path[64], *text;

	for (uint32_t domid = 1; domid <= 3; domid++) {
		sim_guest_create(&front, sim->fake, domid, 1, one);
		sim_connect(&front, 1);
		if (domid == 2)
			sim_guest_destroy(&front);
		else
			close_guest(&front);
	}
	assert_true(fake_wait(sim->fake, watches_are, &w, SIM_TIMEOUT_MS));
	for (uint32_t domid = 1; domid <= 3; domid++) {
		snprintf(path, sizeof(path), "/local/domain/0/backend/vdispl/%u",
			 domid);
		text = fake_read(sim->fake, path);
		if (text)
			fail_msg("%s is there again", path);
	}
	sim_finish(sim);
}

int main(void)
{
	const struct CMUnitTest life_tests[] = {
		SIM_TEST_NO_DAEMON(guest_before_daemon, "guest-before-daemon"),
		SIM_TEST(reconnect_20_times, "reconnect-20-times"),
		SIM_TEST(close_without_destroying, "close-without-destroying"),
		SIM_TEST(guest_goes_down, "guest-goes-down"),
		SIM_TEST(module_is_unloaded, "module-is-unloaded"),
		SIM_TEST(guests_vanish, "guests-vanish"),
		SIM_TEST(domain_dies_first, "domain-dies-first"),
		SIM_TEST(device_detached, "device-detached"),
		SIM_TEST_NO_DAEMON(driver_domain, "driver-domain"),
		SIM_TEST(worker_killed, "worker-killed"),
		SIM_TEST(daemon_killed, "daemon-killed"),
		SIM_TEST(daemon_stopped, "daemon-stopped"),
		SIM_TEST(guest_reboots, "guest-reboots"),
		SIM_TEST(reconfiguring, "reconfiguring"),
		SIM_TEST(worker_has_no_rights, "worker-has-no-rights"),
		SIM_TEST_NO_DAEMON(denied_call_is_logged,
				   "denied-call-is-logged"),
		SIM_TEST_NO_DAEMON(idle_is_quiet, "idle-is-quiet"),
		SIM_TEST(reconnect_storm, "reconnect-storm"),
		SIM_TEST(others_are_not_read, "others-are-not-read"),
		SIM_TEST(nothing_is_left, "nothing-is-left"),
	};

	return cmocka_run_group_tests(life_tests, NULL, NULL);
}
