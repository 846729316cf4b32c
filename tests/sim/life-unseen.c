// SPDX-License-Identifier: GPL-2.0-or-later
/* Frontends that begin anew while the daemon does not look. */
#include "unit.h"

#include <signal.h>
#include <unistd.h>

#include "base/loop.h"
#include "front.h"
#include "sim.h"

static struct sim_front front, old;

static const char *const one[] = { "640x480" };

static void ok(int32_t status)
{
	assert_int_equal(status, 0);
}

/* The daemon knows that the frontend is Connected. */
static void wait_until_seen(struct sim *sim)
{
	const uint64_t end = xd_now() + SIM_TIMEOUT_MS * 1000000ull;
	char out[8192];

	do {
		assert_true(xd_now() < end);
		assert_int_equal(sim_tool(sim, "--json list", out), 0);
	} while (!strstr(out, "\"frontend\": \"connected\""));
}

static void is_usable(void)
{
	struct sim_buf buf;

	sim_buf_init(&buf, &front, 10, 640, 480, 32);
	sim_buf_draw(&buf, 1);
	ok(sim_dbuf_create(&front, &buf));
	ok(sim_fb_attach(&front, 10, 20, 640, 480, XD_FMT_XRGB8888));
	ok(sim_set_config(&front.conn[0], 20, 640, 480, 32));
	ok(sim_flip(&front.conn[0], 20));
	sim_wait_events(&front.conn[0], 1);
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&buf, &front);
}

static void close_guest(struct sim *sim)
{
	sim_disconnect(&front);
	sim_wait_back_state(&front, SIM_CLOSED);
	sim_guest_destroy(&front);
	sim_finish(sim);
}

/* Other channels; @old has those that were. */
static void begin_anew(void)
{
	sim_set_state(&front, SIM_INITIALISING);
	old = front;
	sim_channels_create(&front);
	sim_set_state(&front, SIM_INITIALISED);
}

static bool port_is_bound(void *ctx)
{
	struct sim_front *f = ctx;

	return fake_port_bound(f->fake, f->domid, f->conn[0].evt_port);
}

/* The new channels are served, and nothing of the old ones is mapped. */
static void is_served(struct sim *sim)
{
	if (!fake_wait(sim->fake, port_is_bound, &front, SIM_TIMEOUT_MS))
		sim_fail("nobody has bound the new channels");
	sim_channels_free(&old);
	sim_wait_back_state(&front, SIM_CONNECTED);
	sim_set_state(&front, SIM_CONNECTED);
	is_usable();
}

static void from_connected(void **state)
{
	struct sim *sim = *state;

	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, 1);
	wait_until_seen(sim);
	fake_stop(sim->fake, sim->daemon);
	begin_anew();
	kill(sim->daemon, SIGCONT);
	is_served(sim);
	close_guest(sim);
}

/* The frontend was Connected, too, and nobody saw that. */
static void from_initialised(void **state)
{
	struct sim *sim = *state;

	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_set_state(&front, SIM_INITIALISING);
	sim_wait_back_state(&front, SIM_INIT_WAIT);
	sim_channels_create(&front);
	sim_set_state(&front, SIM_INITIALISED);
	sim_wait_back_state(&front, SIM_CONNECTED);
	fake_stop(sim->fake, sim->daemon);
	sim_set_state(&front, SIM_CONNECTED);
	begin_anew();
	kill(sim->daemon, SIGCONT);
	is_served(sim);
	close_guest(sim);
}

/* It took our old Connected for the answer, which it was not. */
static void to_connected(void **state)
{
	struct sim *sim = *state;

	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, 1);
	wait_until_seen(sim);
	fake_stop(sim->fake, sim->daemon);
	begin_anew();
	sim_set_state(&front, SIM_CONNECTED);
	kill(sim->daemon, SIGCONT);
	sim_wait_back_state(&front, SIM_INIT_WAIT);
	sim_channels_free(&old);
	sim_channels_free(&front);
	sim_connect(&front, 1);
	is_usable();
	close_guest(sim);
}

struct worker_wait {
	struct sim *sim;
	pid_t before;
};

static bool worker_is_other(void *ctx)
{
	const struct worker_wait *w = ctx;
	pid_t worker = fake_domain_worker(w->sim->fake, 5);

	return worker && worker != w->before;
}

/* Grants and ports have the numbers that they had. */
static void same_numbers(void **state)
{
	struct sim_conn *conn = &front.conn[0];
	struct sim *sim = *state;
	struct worker_wait w = { .sim = sim };

	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, 1);
	is_usable();
	wait_until_seen(sim);
	w.before = fake_domain_worker(sim->fake, 5);
	fake_stop(sim->fake, sim->daemon);
	sim_set_state(&front, SIM_INITIALISING);
	XEN_FRONT_RING_INIT(&conn->ring_front, conn->ring, FAKE_PAGE_SIZE);
	memset(conn->evt_page, 0, FAKE_PAGE_SIZE);
	conn->nr_events = 0;
	sim_set_state(&front, SIM_INITIALISED);
	kill(sim->daemon, SIGCONT);
	if (!fake_wait(sim->fake, worker_is_other, &w, SIM_TIMEOUT_MS))
		sim_fail("the old worker is kept");
	sim_wait_back_state(&front, SIM_CONNECTED);
	sim_set_state(&front, SIM_CONNECTED);
	is_usable();
	close_guest(sim);
}

static bool never(void *ctx)
{
	(void)ctx;
	return false;
}

/* Between our Connected and the frontend's nothing that fires ends the worker. */
static void slow_frontend(void **state)
{
	struct sim *sim = *state;
	pid_t worker;

	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_set_state(&front, SIM_INITIALISING);
	sim_wait_back_state(&front, SIM_INIT_WAIT);
	sim_channels_create(&front);
	sim_set_state(&front, SIM_INITIALISED);
	sim_wait_back_state(&front, SIM_CONNECTED);
	worker = fake_domain_worker(sim->fake, 5);
	for (int i = 0; i < 5; i++) {
		sim_set_online(&front, true);
		sim_set_state(&front, SIM_INITIALISED);
		fake_wait(sim->fake, never, NULL, 10);
	}
	sim_set_state(&front, SIM_CONNECTED);
	wait_until_seen(sim);
	is_usable();
	assert_int_equal(fake_domain_worker(sim->fake, 5), worker);
	close_guest(sim);
}

int main(void)
{
	const struct CMUnitTest unseen_tests[] = {
		SIM_TEST(from_connected, "from-connected"),
		SIM_TEST(from_initialised, "from-initialised"),
		SIM_TEST(to_connected, "to-connected"),
		SIM_TEST(same_numbers, "same-numbers"),
		SIM_TEST(slow_frontend, "slow-frontend"),
	};

	return cmocka_run_group_tests(unseen_tests, NULL, NULL);
}
