// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Broken rings and event pages, floods, and garbage in XenStore. A guest that
 * breaks its connection loses that connection and nothing else: each test ends
 * with it, or another guest, drawing as if nothing had been.
 */
#include "unit.h"

#include "base/loop.h"
#include "front.h"
#include "sim.h"

static struct sim_front front, other;
static struct sim_conn *conn;
static struct sim_buf good, theirs;

static const char *const two[] = { "640x480", "320x200" };
static const char *const one[] = { "640x480" };

static void ok(int32_t status)
{
	assert_int_equal(status, 0);
}

static void show(struct sim_front *f, struct sim_buf *buf, uint32_t seed)
{
	sim_buf_init(buf, f, 10, 640, 480, 32);
	sim_buf_draw(buf, seed);
	ok(sim_dbuf_create(f, buf));
	ok(sim_fb_attach(f, 10, 20, 640, 480, XD_FMT_XRGB8888));
	ok(sim_set_config(&f->conn[0], 20, 640, 480, 32));
}

static void begin(struct sim *sim)
{
	sim_guest_create(&other, sim->fake, 6, 1, one);
	sim_connect(&other, 1);
	show(&other, &theirs, 6);
	sim_guest_create(&front, sim->fake, 5, 2, two);
	sim_connect(&front, 1);
	conn = &front.conn[0];
	show(&front, &good, 5);
}

static void flip(struct sim_front *f)
{
	ok(sim_flip(&f->conn[0], 20));
	sim_wait_events(&f->conn[0], f->conn[0].nr_events + 1);
}

/* The other guest noticed nothing. */
static void end(struct sim *sim)
{
	sim_expect_picture(sim, &other, 0, 640, 480, 6);
	flip(&other);
	ok(sim_dbuf_destroy(&other, 10));
	sim_buf_finish(&theirs, &other);
	sim_disconnect(&other);
	sim_wait_back_state(&other, SIM_CLOSED);
	sim_guest_destroy(&other);
	sim_finish(sim);
}

static void begin_again(struct sim *sim)
{
	sim_set_state(&front, SIM_CLOSING);
	sim_set_state(&front, SIM_CLOSED);
	sim_wait_back_state(&front, SIM_CLOSED);
	sim_buf_finish(&good, &front);
	sim_channels_free(&front);
	sim_connect(&front, 1);
	show(&front, &good, 9);
	sim_expect_picture(sim, &front, 0, 640, 480, 9);
	flip(&front);
}

static void close_it(void)
{
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&good, &front);
	sim_disconnect(&front);
	sim_wait_back_state(&front, SIM_CLOSED);
	sim_guest_destroy(&front);
}

struct log_wait {
	struct sim *sim;
	const char *text;
	unsigned int times;
};

static bool logged(void *ctx)
{
	const struct log_wait *w = ctx;

	return sim_log_count(w->sim, w->text) >= w->times;
}

static void wait_log(struct sim *sim, const char *text, unsigned int times)
{
	struct log_wait w = { sim, text, times };

	if (!fake_wait(sim->fake, logged, &w, SIM_TIMEOUT_MS))
		fail_msg("in the log %u times, not %u: %s",
			 sim_log_count(sim, text), times, text);
}

/* Sets the producer index and signals, with nothing on the ring. */
static void set_producer(RING_IDX prod)
{
	*(volatile RING_IDX *)&conn->ring->req_prod = prod;
	xen_mb();
	fake_port_notify(front.fake, front.domid, conn->req_port);
}

static void producer_jumps(void **state)
{
	static const RING_IDX ahead[] = { 33, 64, 0x7fffffff, 0x80000000,
					  0xffffffff };
	struct sim *sim = *state;

	begin(sim);
	for (size_t i = 0; i < ARRAY_SIZE(ahead); i++) {
		unsigned int said = sim_log_count(sim, "out of range");

		conn = &front.conn[0];
		set_producer(conn->ring_front.req_prod_pvt + ahead[i]);
		wait_log(sim, "out of range", said + 1);
		flip(&other);
		/* Once broken, broken; and said once. */
		for (int k = 0; k < 20; k++)
			fake_port_notify(front.fake, 5, conn->req_port);
		flip(&other);
		begin_again(sim);
		assert_int_equal(sim_log_count(sim, "out of range"), said + 1);
	}
	close_it();
	end(sim);
}

/* The whole ring at once is not an overflow. */
static void full_ring(void **state)
{
	struct sim *sim = *state;
	struct xendispl_resp resp;
	struct xendispl_req *req;
	unsigned int n = 0;

	begin(sim);
	while (!RING_FULL(&conn->ring_front)) {
		req = sim_next_slot(conn, XENDISPL_OP_FB_DETACH);
		req->op.fb_detach.fb_cookie = 99;
		conn->ring_front.req_prod_pvt++;
		n++;
	}
	assert_int_equal(n, 32);
	set_producer(conn->ring_front.req_prod_pvt);
	for (unsigned int i = 0; i < n; i++) {
		sim_wait_response(conn, &resp);
		assert_int_equal(resp.status, -XEN_ENOENT);
	}
	flip(&front);
	close_it();
	end(sim);
}

/* Our own answer's index is ours: what the guest writes there is overwritten. */
static bool answered(void *ctx)
{
	const RING_IDX *index = ctx;

	return *(volatile RING_IDX *)&conn->ring->rsp_prod == *index;
}

/* The worker counts for itself: the index is right again with the next answer. */
static void response_index_scribbled(void **state)
{
	struct sim *sim = *state;

	begin(sim);
	for (uint32_t i = 0; i < 50; i++) {
		struct xendispl_req *req = sim_next_slot(conn,
							 XENDISPL_OP_PG_FLIP);
		RING_IDX next = conn->ring_front.rsp_cons + 1;
		struct xendispl_resp resp;

		req->op.pg_flip.fb_cookie = 99;
		*(volatile RING_IDX *)&conn->ring->rsp_prod = next + 1 + i * 77;
		sim_push(conn);
		if (!fake_wait(sim->fake, answered, &next, SIM_TIMEOUT_MS))
			sim_fail("no answer at index %u", next);
		sim_wait_response(conn, &resp);
		assert_int_equal(resp.status, -XEN_ENOENT);
		*(volatile RING_IDX *)&conn->ring->req_event = i * 0x10000001u;
		fake_port_notify(front.fake, 5, conn->req_port);
	}
	close_it();
	end(sim);
}

/* The guest does not take events: they wait, none is lost, flips are refused. */
static void event_page_full(void **state)
{
	struct sim *sim = *state;
	unsigned int accepted = 0, refused = 0;

	begin(sim);
	conn->hold_events = true;
	for (int i = 0; i < 200; i++) {
		if (sim_flip(conn, 20))
			refused++;
		else
			accepted++;
	}
	assert_in_range(accepted, 63, 63 + 8);
	assert_int_not_equal(refused, 0);
	flip(&other);
	conn->hold_events = false;
	sim_take_events(conn);
	/* The next request finds room again. */
	while (sim_flip(conn, 99) != -XEN_ENOENT)
		;
	sim_wait_events(conn, accepted);
	flip(&front);
	assert_int_equal(conn->nr_events, accepted + 1);
	close_it();
	end(sim);
}

/* Nonsense in the consumer's index: it is the guest's own loss. */
static void event_index_scribbled(void **state)
{
	static const uint32_t garbage[] = { 0xffffffff, 0x80000000, 1000, 64 };
	struct sim *sim = *state;

	begin(sim);
	conn->hold_events = true;
	/* while there is room */
	for (size_t i = 0; i < ARRAY_SIZE(garbage); i++) {
		*(volatile uint32_t *)&conn->evt_page->in_prod = garbage[i];
		ok(sim_flip(conn, 20));
		flip(&other);
	}
	for (size_t i = 0; i < ARRAY_SIZE(garbage); i++) {
		*(volatile uint32_t *)&conn->evt_page->in_cons = garbage[i];
		*(volatile uint32_t *)&conn->evt_page->in_prod = ~garbage[i];
		for (int k = 0; k < 100; k++)
			sim_flip(conn, 20);
		flip(&other);
	}
	begin_again(sim);
	close_it();
	end(sim);
}

static void signal_flood(void **state)
{
	struct sim *sim = *state;

	begin(sim);
	for (int i = 0; i < 20; i++) {
		for (int k = 0; k < 2000; k++) {
			fake_port_notify(front.fake, 5, conn->req_port);
			fake_port_notify(front.fake, 5, conn->evt_port);
		}
		flip(&other);
	}
	flip(&front);
	close_it();
	end(sim);
}

/* One connector floods; the guest's other one still gets its turns. */
static void request_flood(void **state)
{
	struct sim *sim = *state;
	struct xendispl_resp resp;
	struct sim_buf small;

	begin(sim);
	sim_buf_init(&small, &front, 11, 320, 200, 32);
	ok(sim_dbuf_create(&front, &small));
	ok(sim_fb_attach(&front, 11, 21, 320, 200, XD_FMT_XRGB8888));
	ok(sim_set_config(&front.conn[1], 21, 320, 200, 32));
	for (unsigned int i = 0; i < 100; i++) {
		while (!RING_FULL(&conn->ring_front)) {
			sim_next_slot(conn, 0x77);
			sim_push(conn);
		}
		ok(sim_flip(&front.conn[1], 21));
		sim_wait_events(&front.conn[1], i + 1);
		while (sim_poll_response(conn, &resp))
			assert_int_equal(resp.status, -XEN_EOPNOTSUPP);
	}
	while (RING_FREE_REQUESTS(&conn->ring_front) != 32)
		sim_wait_response(conn, &resp);
	ok(sim_dbuf_destroy(&front, 11));
	sim_buf_finish(&small, &front);
	flip(&front);
	close_it();
	end(sim);
}

/* Texts that must not connect: after each, the right one does. */
static void store_garbage(void **state)
{
	static const struct {
		const char *node, *bad, *good;
	} nodes[] = {
		{ "0/resolution", "1920", "640x480" },
		{ "0/resolution", "-640x-480", "640x480" },
		{ "0/resolution", "0x0", "640x480" },
		{ "0/resolution", "99999x99999", "640x480" },
		{ "0/resolution", "640x480junk", "640x480" },
		{ "0/resolution", "%s%n%s%n", "640x480" },
		{ "0/req-ring-ref", "", NULL },
		{ "0/req-ring-ref", "-1", NULL },
		{ "0/req-ring-ref", "0", NULL },
		{ "0/req-ring-ref", "99999999999999999999", NULL },
		{ "0/req-ring-ref", "39999", NULL },
		{ "0/req-event-channel", "abc", NULL },
		{ "0/req-event-channel", "4294967295", NULL },
		{ "0/req-event-channel", "65000", NULL },
		{ "0/evt-ring-ref", "8x", NULL },
		{ "0/evt-event-channel", " 7", NULL },
		{ "version", "3", "1" },
		{ "version", "1,2", "1" },
		{ "version", "", "1" },
	};
	struct sim *sim = *state;

	begin(sim);
	close_it();
	sim_guest_create(&front, sim->fake, 4, 1, one);
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		sim_set_state(&front, SIM_INITIALISING);
		sim_wait_back_state(&front, SIM_INIT_WAIT);
		sim_channels_create(&front);
		sim_front_write(&front, nodes[i].node, "%s", nodes[i].bad);
		sim_set_state(&front, SIM_INITIALISED);
		sim_wait_back_state(&front, SIM_CLOSED);
		sim_set_state(&front, SIM_CLOSED);
		sim_channels_free(&front);
		if (nodes[i].good)
			sim_front_write(&front, nodes[i].node, "%s",
					nodes[i].good);
	}
	/* One attempt and a line at most: what is bad is not tried for ever. */
	assert_in_range(sim_log_count(sim, "not connected") +
			sim_log_count(sim, "cannot connect"), 1,
			ARRAY_SIZE(nodes));
	flip(&other);
	sim_connect(&front, 1);
	show(&front, &good, 4);
	close_it();
	end(sim);
}

/* States in an order that no frontend has, and texts that are none. */
static void state_garbage(void **state)
{
	static const char *const states[] = {
		"", "4", "3", "0", "9", "-1", "6", "1", "4294967297", "5", "2",
		"abc", "3 ", "7", "8", "1",
	};
	struct sim *sim = *state;

	begin(sim);
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(states); i++)
			sim_front_write(&front, "state", "%s",
					states[(i * 7 + (size_t)round) %
					       ARRAY_SIZE(states)]);
		flip(&other);
	}
	sim_set_state(&front, SIM_CLOSED);
	sim_wait_back_state(&front, SIM_CLOSED);
	sim_buf_finish(&good, &front);
	sim_channels_free(&front);
	sim_connect(&front, 1);
	show(&front, &good, 8);
	close_it();
	end(sim);
}

/*
 * The guest owns its directory and can point it anywhere: the backend goes by
 * its own, and writes to nobody else's (sim_finish looks at that).
 */
static void paths_are_not_trusted(void **state)
{
	struct sim *sim = *state;
	char *text;

	begin(sim);
	sim_front_write(&front, "backend", "/local/domain/6/device/vdispl/0");
	sim_front_write(&front, "backend-id", "6");
	begin_again(sim);
	close_it();
	text = fake_read(sim->fake, "/local/domain/6/device/vdispl/0/state");
	assert_non_null(text);
	assert_string_equal(text, "4");
	free(text);
	end(sim);
}

/* Directories that are no devices, beside those that are. */
static void odd_directories(void **state)
{
	static const char root[] = "/local/domain/0/backend/vdispl";
	static const char *const names[] = {
		"abc/0/state", "-1/0/state", "5x/0/frontend", "99999/0/state",
		"7/abc/state", "7/99999/frontend", "8", "4294967301/0/state",
	};
	struct sim *sim = *state;
	char path[160];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", root, names[i]);
		fake_write(sim->fake, path, "1");
	}
	begin(sim);
	flip(&front);
	close_it();
	end(sim);
}

/* Both channels the same, rings that are one page, ports that are taken. */
static void channels_shared(void **state)
{
	struct sim *sim = *state;

	begin(sim);
	close_it();
	sim_guest_create(&front, sim->fake, 4, 1, one);
	sim_wait_back_state(&front, SIM_INIT_WAIT);
	sim_channels_create(&front);
	sim_front_write(&front, "0/evt-event-channel", "%u",
			front.conn[0].req_port);
	sim_set_state(&front, SIM_INITIALISED);
	sim_wait_back_state(&front, SIM_CLOSED);
	sim_set_state(&front, SIM_CLOSED);
	sim_channels_free(&front);

	sim_set_state(&front, SIM_INITIALISING);
	sim_wait_back_state(&front, SIM_INIT_WAIT);
	sim_channels_create(&front);
	sim_front_write(&front, "0/evt-ring-ref", "%u", front.conn[0].req_ref);
	sim_set_state(&front, SIM_INITIALISED);
	/* Its own page twice is the guest's own trouble. */
	sim_wait_back_state(&front, SIM_CONNECTED);
	for (int i = 0; i < 10; i++)
		fake_port_notify(sim->fake, 4, front.conn[0].req_port);
	flip(&other);
	sim_set_state(&front, SIM_CLOSED);
	sim_wait_back_state(&front, SIM_CLOSED);
	sim_channels_free(&front);
	sim_guest_destroy(&front);
	end(sim);
}

/* More than there can be: not the first sixteen, with nothing for the others. */
static void too_many_connectors(void **state)
{
	struct sim *sim = *state;
	char node[64];

	begin(sim);
	close_it();
	sim_guest_create(&front, sim->fake, 4, 1, one);
	sim_wait_back_state(&front, SIM_INIT_WAIT);
	sim_channels_create(&front);
	for (unsigned int i = 1; i <= XD_MAX_CONNECTORS; i++) {
		snprintf(node, sizeof(node), "%u/resolution", i);
		sim_front_write(&front, node, "640x480");
		snprintf(node, sizeof(node), "%u/req-ring-ref", i);
		sim_front_write(&front, node, "%u", front.conn[0].req_ref);
		snprintf(node, sizeof(node), "%u/req-event-channel", i);
		sim_front_write(&front, node, "%u", front.conn[0].req_port);
		snprintf(node, sizeof(node), "%u/evt-ring-ref", i);
		sim_front_write(&front, node, "%u", front.conn[0].evt_ref);
		snprintf(node, sizeof(node), "%u/evt-event-channel", i);
		sim_front_write(&front, node, "%u", front.conn[0].evt_port);
	}
	sim_set_state(&front, SIM_INITIALISED);
	sim_wait_back_state(&front, SIM_CLOSED);
	wait_log(sim, "domain 4 (guest4): has more than 16 connectors", 1);
	wait_log(sim, "not connected: No space left on device", 1);
	sim_channels_free(&front);
	sim_guest_destroy(&front);
	end(sim);
}

static bool all_broken(void *ctx)
{
	return sim_stat(ctx, &front, "violations") == front.nr_conns;
}

/*
 * Rings that are broken with each of many connections: the log has so many lines of
 * the guest in 10 s, whoever of us writes them.
 */
static void broken_storm(void **state)
{
	static const char *const four[] = { "64x64", "64x64", "64x64", "64x64" };
	const uint64_t since = xd_now();
	struct sim *sim = *state;
	unsigned int lines, spans;

	sim_guest_create(&front, sim->fake, 5, 4, four);
	for (unsigned int i = 0; i < 20; i++) {
		sim_connect(&front, 1);
		for (unsigned int c = 0; c < 4; c++) {
			conn = &front.conn[c];
			set_producer(0x80000000);
		}
		assert_true(fake_wait(sim->fake, all_broken, sim,
				      SIM_TIMEOUT_MS));
		sim_disconnect(&front);
		sim_wait_back_state(&front, SIM_CLOSED);
	}
	spans = (unsigned int)((xd_now() - since) / 10000000000u) + 1;
	lines = sim_log_count(sim, "\n") - sim_log_count(sim, "debug: ");
	if (lines > spans * 21)
		sim_fail("%u lines in %u spans of 10 s", lines, spans);
	assert_true(sim_log_has(sim, "domain 5 (guest5): connector 3: request index out of range"));
	sim_guest_destroy(&front);
	sim_finish(sim);
}

int main(void)
{
	const struct CMUnitTest channel_tests[] = {
		SIM_TEST(producer_jumps, "producer-jumps"),
		SIM_TEST(full_ring, "full-ring"),
		SIM_TEST(response_index_scribbled, "response-index-scribbled"),
		SIM_TEST(event_page_full, "event-page-full"),
		SIM_TEST(event_index_scribbled, "event-index-scribbled"),
		SIM_TEST(signal_flood, "signal-flood"),
		SIM_TEST(request_flood, "request-flood"),
		SIM_TEST(store_garbage, "store-garbage"),
		SIM_TEST(state_garbage, "state-garbage"),
		SIM_TEST(paths_are_not_trusted, "paths-are-not-trusted"),
		SIM_TEST(odd_directories, "odd-directories"),
		SIM_TEST(channels_shared, "channels-shared"),
		SIM_TEST(too_many_connectors, "too-many-connectors"),
		SIM_TEST(broken_storm, "broken-storm"),
	};

	return cmocka_run_group_tests(channel_tests, NULL, NULL);
}
