// SPDX-License-Identifier: GPL-2.0-or-later
/* The event page: from where on, and from when on. */
#include "unit.h"

#include "front.h"
#include "sim.h"

static struct sim_front front;

static const char *const two[] = { "640x480", "320x200" };

static void publish(void)
{
	sim_set_state(&front, SIM_INITIALISING);
	sim_wait_back_state(&front, SIM_INIT_WAIT);
	sim_front_write(&front, "version", "2");
	sim_front_write(&front, "request-connector-event", "1");
	sim_channels_create(&front);
}

static void end(struct sim *sim)
{
	sim_disconnect(&front);
	sim_wait_back_state(&front, SIM_CLOSED);
	sim_guest_destroy(&front);
	sim_finish(sim);
}

/* Another size of connector 0, which the frontend is told by an event. */
static void resize(struct sim *sim, const char *size)
{
	char args[64], out[8192];

	snprintf(args, sizeof(args), "resize %u:0 %s", front.domid, size);
	assert_int_equal(sim_tool(sim, args, out), 0);
}

static void expect_connector_event(unsigned int n)
{
	sim_wait_events(&front.conn[0], n);
	assert_int_equal(front.conn[0].events[n - 1].type, XD_EVT_CONNECTOR);
}

/* Not before the frontend is Connected: it may not even listen. */
static void not_before_connected(void **state)
{
	struct sim *sim = *state;

	sim_guest_create(&front, sim->fake, 5, 2, two);
	publish();
	sim_set_state(&front, SIM_INITIALISED);
	sim_wait_back_state(&front, SIM_CONNECTED);
	resize(sim, "800x600");
	resize(sim, "1024x768");
	assert_int_equal(front.conn[0].evt_page->in_prod, 0);
	/* a request says that it is, on whatever ring; then there is one event */
	sim_set_state(&front, SIM_CONNECTED);
	assert_int_equal(sim_set_config(&front.conn[1], 0, 0, 0, 0), 0);
	expect_connector_event(1);
	resize(sim, "800x600");
	expect_connector_event(2);
	end(sim);
}

/* A page that was in use goes on where it was; what is counted from 0 are the ids. */
static void page_in_use(void **state)
{
	struct sim *sim = *state;
	struct xendispl_event_page *page;

	sim_guest_create(&front, sim->fake, 5, 2, two);
	publish();
	page = front.conn[0].evt_page;
	page->in_prod = 100;
	page->in_cons = 100;
	sim_set_state(&front, SIM_INITIALISED);
	sim_wait_back_state(&front, SIM_CONNECTED);
	sim_set_state(&front, SIM_CONNECTED);
	assert_int_equal(sim_set_config(&front.conn[0], 0, 0, 0, 0), 0);
	resize(sim, "800x600");
	expect_connector_event(1);
	assert_int_equal(page->in_prod, 101);
	end(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIM_TEST(not_before_connected, "not-before-connected"),
		SIM_TEST(page_in_use, "page-in-use"),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
