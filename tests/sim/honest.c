// SPDX-License-Identifier: GPL-2.0-or-later
/* What a well-behaved frontend does. */
#include "unit.h"

#include <time.h>

#include "edid/edid.h"
#include "front.h"
#include "proto/decode.h"
#include "proto/pgdir.h"
#include "sim.h"

static struct sim_front front, other;

static const char *const one_4k[] = { "3840x2160" };
static const char *const one[] = { "640x480" };
static const char *const two[] = { "640x480", "320x200" };

static void begin(struct sim *sim, unsigned int version)
{
	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, version);
}

static void end(struct sim *sim)
{
	sim_disconnect(&front);
	sim_wait_back_state(&front, SIM_CLOSED);
	sim_guest_destroy(&front);
	sim_finish(sim);
}

static void ok(int32_t status)
{
	assert_int_equal(status, 0);
}

static void offers_versions(void **state)
{
	struct sim *sim = *state;
	char *text;

	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_wait_back_state(&front, SIM_INIT_WAIT);
	text = sim_back_read(&front, "versions");
	assert_non_null(text);
	assert_string_equal(text, "1,2");
	free(text);
	sim_guest_destroy(&front);
	sim_finish(sim);
}

static void connect_version(struct sim *sim, unsigned int version)
{
	begin(sim, version);
	assert_true(fake_port_bound(sim->fake, 5, front.conn[0].req_port));
	assert_true(fake_port_bound(sim->fake, 5, front.conn[0].evt_port));
	end(sim);
}

static void connect_none(void **state)
{
	connect_version(*state, 0);
}

static void connect_v1(void **state)
{
	connect_version(*state, 1);
}

static void connect_v2(void **state)
{
	connect_version(*state, 2);
}

static void a_picture(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	begin(sim, 1);
	sim_buf_init(&buf, &front, 10, 640, 480, 32);
	sim_buf_draw(&buf, 1);
	ok(sim_dbuf_create(&front, &buf));
	assert_int_equal(fake_domain_mapped(sim->fake, 5), 2);
	ok(sim_fb_attach(&front, 10, 20, 640, 480, XD_FMT_XRGB8888));
	ok(sim_set_config(&front.conn[0], 20, 640, 480, 32));
	sim_expect_picture(sim, &front, 0, 640, 480, 1);

	sim_buf_draw(&buf, 2);
	ok(sim_flip(&front.conn[0], 20));
	sim_wait_events(&front.conn[0], 1);
	assert_int_equal(front.conn[0].events[0].type, XENDISPL_EVT_PG_FLIP);
	assert_int_equal(front.conn[0].events[0].op.pg_flip.fb_cookie, 20);
	sim_expect_picture(sim, &front, 0, 640, 480, 2);

	ok(sim_set_config(&front.conn[0], 0, 0, 0, 0));
	ok(sim_fb_detach(&front, 20));
	ok(sim_dbuf_destroy(&front, 10));
	/* Unmapped with the answer, not some time later. */
	assert_int_equal(fake_domain_mapped(sim->fake, 5), 2);
	sim_buf_finish(&buf, &front);
	end(sim);
}

static void flips(struct sim *sim, unsigned int n)
{
	struct sim_conn *conn = &front.conn[0];
	struct sim_buf buf[2];
	unsigned int before;

	for (unsigned int i = 0; i < 2; i++) {
		sim_buf_init(&buf[i], &front, 10 + i, 640, 480, 32);
		ok(sim_dbuf_create(&front, &buf[i]));
		ok(sim_fb_attach(&front, 10 + i, 20 + i, 640, 480,
				 XD_FMT_XRGB8888));
	}
	ok(sim_set_config(conn, 20, 640, 480, 32));
	ok(sim_flip(conn, 21));
	ok(sim_flip(conn, 20));
	sim_wait_events(conn, 2);
	before = fake_domain_mappings_ever(sim->fake, 5);
	for (unsigned int i = 2; i < n; i++) {
		ok(sim_flip(conn, 20 + (i + 1) % 2));
		sim_wait_events(conn, i + 1);
		assert_int_equal(conn->events[i].op.pg_flip.fb_cookie,
				 20 + (i + 1) % 2);
	}
	/* Exactly one event each, and nothing was mapped anew. */
	assert_false(sim_have_events(conn, n + 1, 50));
	assert_int_equal(fake_domain_mappings_ever(sim->fake, 5), before);
	for (unsigned int i = 0; i < 2; i++) {
		ok(sim_dbuf_destroy(&front, 10 + i));
		sim_buf_finish(&buf[i], &front);
	}
}

static void flips_600(void **state)
{
	begin(*state, 1);
	flips(*state, 600);
	end(*state);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* 60 Hz: 62 flips cannot take less than a second. */
static void flips_paced(void **state)
{
	struct sim *sim = *state;
	double start;

	sim->millihertz = 60000;
	sim_daemon_start(sim);
	begin(sim, 1);
	start = now();
	flips(sim, 62);
	assert_true(now() - start >= 1);
	end(sim);
}

/* More flips than one before the first event: each gets its own, in order. */
static void flips_queued(void **state)
{
	struct sim_conn *conn = &front.conn[0];
	struct xendispl_resp resp;
	struct xendispl_req *req;
	struct sim *sim = *state;
	struct sim_buf buf;

	sim->millihertz = 60000;
	sim_daemon_start(sim);
	begin(sim, 1);
	sim_buf_init(&buf, &front, 10, 640, 480, 32);
	ok(sim_dbuf_create(&front, &buf));
	for (uint64_t fb = 20; fb < 24; fb++)
		ok(sim_fb_attach(&front, 10, fb, 640, 480, XD_FMT_XRGB8888));
	ok(sim_set_config(conn, 20, 640, 480, 32));
	for (uint64_t fb = 20; fb < 24; fb++) {
		req = sim_next_slot(conn, XENDISPL_OP_PG_FLIP);
		req->op.pg_flip.fb_cookie = fb;
		sim_push(conn);
	}
	for (int i = 0; i < 4; i++) {
		sim_wait_response(conn, &resp);
		assert_int_equal(resp.status, 0);
	}
	sim_wait_events(conn, 4);
	for (uint64_t i = 0; i < 4; i++)
		assert_int_equal(conn->events[i].op.pg_flip.fb_cookie, 20 + i);
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&buf, &front);
	end(sim);
}

/* Flips that wait when a mode is set: over, and not on screen afterwards. */
static void mode_set_ends_flips(void **state)
{
	struct sim_conn *conn = &front.conn[0];
	struct sim *sim = *state;
	struct sim_buf a, b;

	sim->millihertz = 60000;
	sim_daemon_start(sim);
	begin(sim, 1);
	sim_buf_init(&a, &front, 10, 640, 480, 32);
	sim_buf_init(&b, &front, 11, 640, 480, 32);
	sim_buf_draw(&a, 1);
	sim_buf_draw(&b, 2);
	ok(sim_dbuf_create(&front, &a));
	ok(sim_dbuf_create(&front, &b));
	ok(sim_fb_attach(&front, 10, 20, 640, 480, XD_FMT_XRGB8888));
	ok(sim_fb_attach(&front, 11, 21, 640, 480, XD_FMT_XRGB8888));
	ok(sim_set_config(conn, 20, 640, 480, 32));
	for (int i = 0; i < 4; i++)
		ok(sim_flip(conn, 21));
	ok(sim_set_config(conn, 20, 640, 480, 32));
	sim_wait_events(conn, 4);
	assert_false(sim_have_events(conn, 5, 50));
	sim_expect_picture(sim, &front, 0, 640, 480, 1);

	ok(sim_flip(conn, 21));
	ok(sim_set_config(conn, 0, 0, 0, 0));
	sim_wait_events(conn, 5);
	ok(sim_dbuf_destroy(&front, 10));
	ok(sim_dbuf_destroy(&front, 11));
	sim_buf_finish(&a, &front);
	sim_buf_finish(&b, &front);
	end(sim);
}

/* A framebuffer that goes before its flip is over has been on screen. */
static void flip_and_detach(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf[2];

	sim->millihertz = 2000;
	sim_daemon_start(sim);
	begin(sim, 1);
	for (unsigned int i = 0; i < 2; i++) {
		sim_buf_init(&buf[i], &front, 10 + i, 640, 480, 32);
		sim_buf_draw(&buf[i], 1 + i);
		ok(sim_dbuf_create(&front, &buf[i]));
		ok(sim_fb_attach(&front, 10 + i, 20 + i, 640, 480,
				 XD_FMT_XRGB8888));
	}
	ok(sim_set_config(&front.conn[0], 20, 640, 480, 32));
	ok(sim_flip(&front.conn[0], 20));
	sim_wait_events(&front.conn[0], 1);
	ok(sim_flip(&front.conn[0], 21));
	ok(sim_fb_detach(&front, 21));
	ok(sim_dbuf_destroy(&front, 11));
	sim_wait_events(&front.conn[0], 2);
	sim_expect_picture(sim, &front, 0, 640, 480, 2);
	ok(sim_dbuf_destroy(&front, 10));
	sim_expect_picture(sim, &front, 0, 640, 480, 2);
	for (unsigned int i = 0; i < 2; i++)
		sim_buf_finish(&buf[i], &front);
	end(sim);
}

static void two_connectors(void **state)
{
	struct sim *sim = *state;
	struct sim_buf a, b;

	sim_guest_create(&front, sim->fake, 5, 2, two);
	sim_connect(&front, 1);
	sim_buf_init(&a, &front, 10, 640, 480, 32);
	sim_buf_init(&b, &front, 11, 320, 200, 32);
	sim_buf_draw(&a, 1);
	sim_buf_draw(&b, 2);
	ok(sim_dbuf_create(&front, &a));
	ok(sim_dbuf_create(&front, &b));
	ok(sim_fb_attach(&front, 10, 20, 640, 480, XD_FMT_XRGB8888));
	ok(sim_fb_attach(&front, 11, 21, 320, 200, XD_FMT_XRGB8888));
	ok(sim_set_config(&front.conn[0], 20, 640, 480, 32));
	ok(sim_set_config(&front.conn[1], 21, 320, 200, 32));
	sim_expect_picture(sim, &front, 0, 640, 480, 1);
	sim_expect_picture(sim, &front, 1, 320, 200, 2);
	for (unsigned int i = 0; i < 20; i++) {
		ok(sim_flip(&front.conn[i % 2], 20 + i % 2));
		sim_wait_events(&front.conn[i % 2], i / 2 + 1);
	}
	assert_int_equal(front.conn[0].nr_events, 10);
	assert_int_equal(front.conn[1].nr_events, 10);
	ok(sim_dbuf_destroy(&front, 10));
	ok(sim_dbuf_destroy(&front, 11));
	sim_buf_finish(&a, &front);
	sim_buf_finish(&b, &front);
	end(sim);
}

static void off_and_on(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	begin(sim, 1);
	sim_buf_init(&buf, &front, 10, 640, 480, 32);
	sim_buf_draw(&buf, 3);
	ok(sim_dbuf_create(&front, &buf));
	ok(sim_fb_attach(&front, 10, 20, 640, 480, XD_FMT_XRGB8888));
	for (int i = 0; i < 5; i++) {
		ok(sim_set_config(&front.conn[0], 20, 640, 480, 32));
		sim_expect_picture(sim, &front, 0, 640, 480, 3);
		ok(sim_set_config(&front.conn[0], 0, 0, 0, 0));
	}
	/* A mode set is not a flip. */
	assert_false(sim_have_events(&front.conn[0], 1, 50));
	ok(sim_fb_detach(&front, 20));
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&buf, &front);
	end(sim);
}

static int32_t get_edid(struct sim_buf *buf, uint32_t *ret_size)
{
	struct xendispl_req *req = sim_next_slot(&front.conn[0],
						 XENDISPL_OP_GET_EDID);
	struct xendispl_resp resp;

	req->op.get_edid.buffer_sz = buf->size;
	req->op.get_edid.gref_directory = buf->dir_refs[0];
	sim_push(&front.conn[0]);
	sim_wait_response(&front.conn[0], &resp);
	*ret_size = resp.op.get_edid.edid_sz;
	return resp.status;
}

/* A buffer whose pages the backend may write. */
static void edid_buf_init(struct sim_buf *buf)
{
	sim_buf_init(buf, &front, 90, 64, 128, 32);
	assert_int_equal(buf->size, XENDISPL_EDID_MAX_SIZE);
	sim_buf_grant_writable(buf, &front);
}

static void edid(void **state)
{
	struct sim *sim = *state;
	struct xd_edid_info info;
	struct sim_buf buf;
	uint32_t size;

	begin(sim, 2);
	edid_buf_init(&buf);
	ok(get_edid(&buf, &size));
	assert_int_equal(xd_edid_parse(buf.pages, size, &info), 0);
	assert_int_equal(info.size, size);
	assert_int_equal(info.width, 640);
	assert_int_equal(info.height, 480);
	assert_string_equal(info.serial, "id0");
	assert_int_equal(fake_domain_mapped(sim->fake, 5), 2);
	sim_buf_finish(&buf, &front);
	end(sim);
}

static void edid_needs_v2(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;
	uint32_t size;

	begin(sim, 1);
	edid_buf_init(&buf);
	assert_int_equal(get_edid(&buf, &size), -XEN_EOPNOTSUPP);
	sim_buf_finish(&buf, &front);
	end(sim);
}

/* A 4K buffer: eight directory pages. */
static void large_buffer(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	sim_guest_create(&front, sim->fake, 5, 1, one_4k);
	sim_connect(&front, 1);
	sim_buf_init(&buf, &front, 10, 3840, 2160, 32);
	assert_int_equal(buf.nr_dir, 8);
	sim_buf_draw(&buf, 7);
	ok(sim_dbuf_create(&front, &buf));
	ok(sim_fb_attach(&front, 10, 20, 3840, 2160, XD_FMT_XRGB8888));
	ok(sim_set_config(&front.conn[0], 20, 3840, 2160, 32));
	sim_expect_picture(sim, &front, 0, 3840, 2160, 7);
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&buf, &front);
	end(sim);
}

/* Pages in any order of the guest's memory. */
static void scattered_buffer(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;
	uint8_t *shadow;

	begin(sim, 1);
	sim_buf_init(&buf, &front, 10, 640, 480, 32);
	shadow = calloc(buf.nr_pages, FAKE_PAGE_SIZE);
	sim_buf_draw(&buf, 9);
	memcpy(shadow, buf.pages, (size_t)buf.nr_pages * FAKE_PAGE_SIZE);
	for (uint32_t i = 0; i < buf.nr_pages; i++) {
		uint32_t to = i * 7 % buf.nr_pages;	/* 300 and 7: coprime */

		memcpy(buf.pages + (size_t)to * FAKE_PAGE_SIZE,
		       shadow + (size_t)i * FAKE_PAGE_SIZE, FAKE_PAGE_SIZE);
		buf.dir[0][1 + i] = buf.grefs[to];
	}
	ok(sim_dbuf_create(&front, &buf));
	ok(sim_fb_attach(&front, 10, 20, 640, 480, XD_FMT_XRGB8888));
	ok(sim_set_config(&front.conn[0], 20, 640, 480, 32));
	sim_expect_picture(sim, &front, 0, 640, 480, 9);
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&buf, &front);
	free(shadow);
	end(sim);
}

static void formats(void **state)
{
	struct sim *sim = *state;

	begin(sim, 1);
	for (size_t f = 0; f < XD_NUM_FORMATS; f++) {
		struct sim_buf buf;

		sim_buf_init(&buf, &front, 10, 640, 480, xd_formats[f].bpp);
		ok(sim_dbuf_create(&front, &buf));
		ok(sim_fb_attach(&front, 10, 20, 640, 480,
				 xd_formats[f].fourcc));
		ok(sim_set_config(&front.conn[0], 20, 640, 480,
				  xd_formats[f].bpp));
		ok(sim_flip(&front.conn[0], 20));
		sim_wait_events(&front.conn[0], (unsigned int)f + 1);
		ok(sim_fb_detach(&front, 20));
		ok(sim_dbuf_destroy(&front, 10));
		sim_buf_finish(&buf, &front);
	}
	end(sim);
}

static void two_guests(void **state)
{
	struct sim *sim = *state;
	struct sim_buf a, b;

	begin(sim, 1);
	sim_guest_create(&other, sim->fake, 6, 1, one);
	sim_connect(&other, 1);
	sim_buf_init(&a, &front, 10, 640, 480, 32);
	sim_buf_init(&b, &other, 10, 640, 480, 32);
	sim_buf_draw(&a, 1);
	sim_buf_draw(&b, 2);
	ok(sim_dbuf_create(&front, &a));
	ok(sim_dbuf_create(&other, &b));
	ok(sim_fb_attach(&front, 10, 20, 640, 480, XD_FMT_XRGB8888));
	ok(sim_fb_attach(&other, 10, 20, 640, 480, XD_FMT_XRGB8888));
	ok(sim_set_config(&front.conn[0], 20, 640, 480, 32));
	ok(sim_set_config(&other.conn[0], 20, 640, 480, 32));
	sim_expect_picture(sim, &front, 0, 640, 480, 1);
	sim_expect_picture(sim, &other, 0, 640, 480, 2);
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&a, &front);
	sim_disconnect(&front);
	sim_wait_back_state(&front, SIM_CLOSED);
	sim_guest_destroy(&front);

	/* The other one's connection is none of that guest's. */
	ok(sim_flip(&other.conn[0], 20));
	sim_wait_events(&other.conn[0], 1);
	ok(sim_dbuf_destroy(&other, 10));
	sim_buf_finish(&b, &other);
	sim_disconnect(&other);
	sim_wait_back_state(&other, SIM_CLOSED);
	sim_guest_destroy(&other);
	sim_finish(sim);
}

int main(void)
{
	const struct CMUnitTest honest_tests[] = {
		SIM_TEST(offers_versions, "offers-versions"),
		SIM_TEST(connect_none, "connect-without-version"),
		SIM_TEST(connect_v1, "connect-v1"),
		SIM_TEST(connect_v2, "connect-v2"),
		SIM_TEST(a_picture, "a-picture"),
		SIM_TEST(flips_600, "flips-600"),
		SIM_TEST_NO_DAEMON(flips_paced, "flips-paced"),
		SIM_TEST_NO_DAEMON(flips_queued, "flips-queued"),
		SIM_TEST_NO_DAEMON(mode_set_ends_flips, "mode-set-ends-flips"),
		SIM_TEST_NO_DAEMON(flip_and_detach, "flip-and-detach"),
		SIM_TEST(two_connectors, "two-connectors"),
		SIM_TEST(off_and_on, "off-and-on"),
		SIM_TEST(edid, "edid"),
		SIM_TEST(edid_needs_v2, "edid-needs-v2"),
		SIM_TEST(large_buffer, "large-buffer"),
		SIM_TEST(scattered_buffer, "scattered-buffer"),
		SIM_TEST(formats, "formats"),
		SIM_TEST(two_guests, "two-guests"),
	};

	return cmocka_run_group_tests(honest_tests, NULL, NULL);
}
