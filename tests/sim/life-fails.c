// SPDX-License-Identifier: GPL-2.0-or-later
/* What the backend's domain cannot do for a while: it is done when it can. */
#include "unit.h"

#include <sys/wait.h>

#include "base/loop.h"
#include "front.h"
#include "sim.h"

static struct sim_front front;

static const char *const one[] = { "640x480" };

struct tries_wait {
	struct sim *sim;
	unsigned int tries;
};

static bool has_tried(void *ctx)
{
	const struct tries_wait *w = ctx;

	return fake_bus_tries(w->sim->fake) >= w->tries;
}

static void wait_tries(struct sim *sim, unsigned int tries)
{
	struct tries_wait w = { sim, tries };

	if (!fake_wait(sim->fake, has_tried, &w, SIM_TIMEOUT_MS))
		sim_fail("%u tries to open the bus, expected %u",
			 fake_bus_tries(sim->fake), tries);
}

static void publish(void)
{
	sim_set_state(&front, SIM_INITIALISING);
	sim_wait_back_state(&front, SIM_INIT_WAIT);
	sim_channels_create(&front);
	sim_set_state(&front, SIM_INITIALISED);
}

/* The guest has waited for this. */
static void is_served(struct sim *sim)
{
	struct sim_buf buf;

	sim_wait_back_state(&front, SIM_CONNECTED);
	sim_set_state(&front, SIM_CONNECTED);
	sim_buf_init(&buf, &front, 10, 640, 480, 32);
	sim_buf_draw(&buf, 1);
	assert_int_equal(sim_dbuf_create(&front, &buf), 0);
	assert_int_equal(sim_fb_attach(&front, 10, 20, 640, 480,
				       XD_FMT_XRGB8888), 0);
	assert_int_equal(sim_set_config(&front.conn[0], 20, 640, 480, 32), 0);
	sim_expect_picture(sim, &front, 0, 640, 480, 1);
	assert_int_equal(sim_dbuf_destroy(&front, 10), 0);
	sim_buf_finish(&buf, &front);
	sim_disconnect(&front);
	sim_wait_back_state(&front, SIM_CLOSED);
	sim_guest_destroy(&front);
	sim_finish(sim);
}

static unsigned int complaints(struct sim *sim)
{
	return sim_log_count(sim, "warning: ") + sim_log_count(sim, "error: ");
}

/*
 * A domain without gntdev, or without the right to it: why is said once, and the
 * tries become rare. The fourth that fails is followed by pauses of 100, 200, 400
 * and 800 ms.
 */
static void bus_cannot_be_opened(void **state)
{
	struct sim *sim = *state;
	uint64_t since = xd_now();

	fake_refuse_bus(sim->fake, true);
	sim_guest_create(&front, sim->fake, 5, 1, one);
	publish();
	wait_tries(sim, 8);
	assert_true(xd_now() - since >= 1500000000u);
	assert_int_equal(complaints(sim), 1);
	assert_int_equal(sim_log_count(sim, "domain 5 (guest5): cannot open /dev/xen/gntdev and /dev/xen/evtchn: Permission denied; trying again"),
			 1);
	fake_refuse_bus(sim->fake, false);
	is_served(sim);
}

/* Not even the pages of a connection: gntdev says EINVAL for any reason. */
static void pages_cannot_be_mapped(void **state)
{
	struct sim *sim = *state;

	fake_fail_maps(sim->fake, 2, EINVAL);
	sim_guest_create(&front, sim->fake, 5, 1, one);
	publish();
	is_served(sim);
}

/* That is no guest's fault, however long it lasts. */
static void memory_is_short(void **state)
{
	struct sim *sim = *state;

	fake_fail_maps(sim->fake, 7, ENOMEM);
	sim_guest_create(&front, sim->fake, 5, 1, one);
	publish();
	is_served(sim);
}

/* For good: it is the guest's fault, and it is told so. */
static void pages_are_not_there(void **state)
{
	struct sim *sim = *state;

	sim_guest_create(&front, sim->fake, 5, 1, one);
	fake_fail_maps(sim->fake, 1000, EINVAL);
	publish();
	sim_wait_back_state(&front, SIM_CLOSED);
	assert_in_range(fake_bus_tries(sim->fake), 2, 8);
	assert_int_equal(complaints(sim), 2);
	assert_true(sim_log_has(sim, "cannot connect: Invalid argument; trying again"));
	assert_true(sim_log_has(sim, "cannot connect: Invalid argument\n"));
	fake_fail_maps(sim->fake, 0, 0);
	sim_set_state(&front, SIM_CLOSED);
	sim_channels_free(&front);
	publish();
	is_served(sim);
}

struct end_wait {
	struct sim *sim;
	int status;
};

static bool has_ended(void *ctx)
{
	struct end_wait *w = ctx;

	return waitpid(w->sim->daemon, &w->status, WNOHANG) == w->sim->daemon;
}

static bool is_unmapped(void *ctx)
{
	const struct sim *sim = ctx;

	return !fake_domain_mapped(sim->fake, 5);
}

/* The daemon ends by itself, with an error, and the states are as they were. */
static void ends_without_store(struct sim *sim)
{
	struct end_wait w = { sim, 0 };

	if (!fake_wait(sim->fake, has_ended, &w, SIM_TIMEOUT_MS))
		sim_fail("the daemon goes on without xenstored");
	sim->daemon = 0;
	assert_true(WIFEXITED(w.status));
	assert_int_equal(WEXITSTATUS(w.status), 1);
	assert_int_equal(sim_log_count(sim, "error: XenStore is gone: Bad file descriptor\n"),
			 1);
	assert_int_equal(complaints(sim), 1);
	assert_true(fake_wait(sim->fake, is_unmapped, sim, SIM_TIMEOUT_MS));
	fake_lose_store(sim->fake, false);
	assert_int_equal(sim_back_state(&front), SIM_CONNECTED);
	sim_daemon_start(sim);
	sim_wait_back_state(&front, SIM_INIT_WAIT);
	sim_channels_free(&front);
	publish();
	is_served(sim);
}

/* Nobody tells us: it has to be asked for. */
static void xenstored_ends(void **state)
{
	struct sim *sim = *state;

	sim->beat_ms = 50;
	sim_daemon_start(sim);
	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, 1);
	fake_lose_store(sim->fake, true);
	ends_without_store(sim);
}

/* Or a call of ours finds out. */
static void xenstored_ends_in_between(void **state)
{
	struct sim *sim = *state;

	sim_daemon_start(sim);
	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, 1);
	fake_lose_store(sim->fake, true);
	sim_front_write(&front, "state", "4");
	ends_without_store(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIM_TEST(bus_cannot_be_opened, "bus-cannot-be-opened"),
		SIM_TEST(pages_cannot_be_mapped, "pages-cannot-be-mapped"),
		SIM_TEST(memory_is_short, "memory-is-short"),
		SIM_TEST(pages_are_not_there, "pages-are-not-there"),
		SIM_TEST_NO_DAEMON(xenstored_ends, "xenstored-ends"),
		SIM_TEST_NO_DAEMON(xenstored_ends_in_between,
				   "xenstored-ends-in-between"),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
