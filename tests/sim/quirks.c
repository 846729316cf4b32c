// SPDX-License-Identifier: GPL-2.0-or-later
/* What the frontends that exist do beside the protocol, and must get served. */
#include "unit.h"

#include "front.h"
#include "sim.h"

static struct sim_front front;
static struct sim_conn *conn;

static const char *const one[] = { "640x480" };

static void ok(int32_t status)
{
	assert_int_equal(status, 0);
}

static void begin(struct sim *sim)
{
	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_connect(&front, 0);
	conn = &front.conn[0];
}

static void end(struct sim *sim)
{
	sim_disconnect(&front);
	sim_wait_back_state(&front, SIM_CLOSED);
	sim_guest_destroy(&front);
	sim_finish(sim);
}

/* Linux uses addresses as cookies. */
static void pointers_as_cookies(void **state)
{
	const uint64_t dbuf = 0xffff888012345600, fb = 0xffff888012345700;
	struct sim *sim = *state;
	struct sim_buf buf;

	begin(sim);
	sim_buf_init(&buf, &front, dbuf, 640, 480, 32);
	sim_buf_draw(&buf, 1);
	ok(sim_dbuf_create(&front, &buf));
	ok(sim_fb_attach(&front, dbuf, fb, 640, 480, XD_FMT_XRGB8888));
	ok(sim_set_config(conn, fb, 640, 480, 32));
	ok(sim_flip(conn, fb));
	sim_wait_events(conn, 1);
	assert_int_equal(conn->events[0].op.pg_flip.fb_cookie, fb);
	sim_expect_picture(sim, &front, 0, 640, 480, 1);
	ok(sim_fb_detach(&front, fb));
	ok(sim_dbuf_destroy(&front, dbuf));
	sim_buf_finish(&buf, &front);
	end(sim);
}

/* Linux flips around DPMS: success and the event, or the monitor is gone. */
static void flip_while_off(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	begin(sim);
	sim_buf_init(&buf, &front, 10, 640, 480, 32);
	sim_buf_draw(&buf, 1);
	ok(sim_dbuf_create(&front, &buf));
	ok(sim_fb_attach(&front, 10, 20, 640, 480, XD_FMT_XRGB8888));
	ok(sim_flip(conn, 20));
	sim_wait_events(conn, 1);
	sim_expect_off(sim, &front, 0);
	ok(sim_set_config(conn, 20, 640, 480, 32));
	ok(sim_flip(conn, 20));
	sim_wait_events(conn, 2);
	ok(sim_set_config(conn, 0, 0, 0, 0));
	ok(sim_flip(conn, 20));
	sim_wait_events(conn, 3);
	assert_false(sim_have_events(conn, 4, 50));
	sim_expect_off(sim, &front, 0);
	ok(sim_set_config(conn, 20, 640, 480, 32));
	sim_expect_picture(sim, &front, 0, 640, 480, 1);
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&buf, &front);
	end(sim);
}

/* Linux does not clear slots: old bytes are where others are expected. */
static void stale_slots(void **state)
{
	struct sim *sim = *state;
	struct xendispl_req *req;
	struct sim_buf buf;

	begin(sim);
	sim_buf_init(&buf, &front, 10, 640, 480, 32);
	sim_buf_draw(&buf, 1);

	/* The flags hold the low bit of "AR24", reserved bytes anything. */
	req = sim_next_slot(conn, XENDISPL_OP_DBUF_CREATE);
	memset(req->reserved, 0xa5, sizeof(req->reserved));
	memset(&req->op, 0xa5, sizeof(req->op));
	req->op.dbuf_create = (struct xendispl_dbuf_create_req){
		.dbuf_cookie = 10, .width = 640, .height = 480, .bpp = 32,
		.buffer_sz = buf.size, .flags = XD_FMT_ARGB8888,
		.gref_directory = buf.dir_refs[0],
	};
	assert_int_equal(req->op.dbuf_create.flags & 1, 1);
	ok(sim_call(conn));

	/* What would be a stride and an offset, were it negotiated. */
	req = sim_next_slot(conn, XENDISPL_OP_FB_ATTACH);
	memset(&req->op, 0xff, sizeof(req->op));
	req->op.fb_attach = (struct xendispl_fb_attach_req){
		10, 20, 640, 480, XD_FMT_XRGB8888,
	};
	ok(sim_call(conn));
	ok(sim_set_config(conn, 20, 640, 480, 32));

	/* What would be damage. */
	req = sim_next_slot(conn, XENDISPL_OP_PG_FLIP);
	memset(&req->op, 0xff, sizeof(req->op));
	req->op.pg_flip.fb_cookie = 20;
	ok(sim_call(conn));
	sim_wait_events(conn, 1);
	sim_expect_picture(sim, &front, 0, 640, 480, 1);
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&buf, &front);
	end(sim);
}

/* An imported buffer: no size in the create, whole pages, an offset. */
static void imported_buffer(void **state)
{
	struct sim *sim = *state;
	struct xendispl_req *req;
	struct sim_buf buf;

	begin(sim);
	/* A page more than the picture, which begins after that page. */
	sim_buf_init(&buf, &front, 10, 1024, 301, 32);
	buf.width = 640;
	buf.height = 480;
	buf.pages += FAKE_PAGE_SIZE;
	sim_buf_draw(&buf, 1);
	buf.pages -= FAKE_PAGE_SIZE;
	req = sim_next_slot(conn, XENDISPL_OP_DBUF_CREATE);
	req->op.dbuf_create = (struct xendispl_dbuf_create_req){
		.dbuf_cookie = 10, .buffer_sz = buf.size,
		.gref_directory = buf.dir_refs[0], .data_ofs = FAKE_PAGE_SIZE,
	};
	ok(sim_call(conn));
	assert_int_not_equal(sim_fb_attach(&front, 10, 20, 640, 481,
					   XD_FMT_XRGB8888), 0);
	ok(sim_fb_attach(&front, 10, 20, 640, 480, XD_FMT_XRGB8888));
	ok(sim_set_config(conn, 20, 640, 480, 32));
	sim_expect_picture(sim, &front, 0, 640, 480, 1);
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&buf, &front);
	end(sim);
}

/* Rows rounded up to 8 bytes, the buffer to whole pages: newer kernels. */
static void aligned_rows(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	begin(sim);
	/* 481 pixels of 4 bytes: 1924, in rows of 1928. */
	sim_buf_init(&buf, &front, 10, 482, 300, 32);
	sim_buf_draw(&buf, 1);
	buf.width = 481;
	buf.size = (buf.size + FAKE_PAGE_SIZE - 1) / FAKE_PAGE_SIZE *
		   FAKE_PAGE_SIZE;
	ok(sim_dbuf_create(&front, &buf));
	ok(sim_fb_attach(&front, 10, 20, 481, 300, XD_FMT_XRGB8888));
	ok(sim_set_config(conn, 20, 481, 300, 32));
	sim_expect_picture(sim, &front, 0, 481, 300, 1);
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&buf, &front);
	end(sim);
}

/* Packed rows of an odd width, the size to the byte: Linux up to 6.12. */
static void packed_rows(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	begin(sim);
	sim_buf_init(&buf, &front, 10, 481, 301, 32);
	sim_buf_draw(&buf, 1);
	ok(sim_dbuf_create(&front, &buf));
	ok(sim_fb_attach(&front, 10, 20, 481, 301, XD_FMT_XRGB8888));
	ok(sim_set_config(conn, 20, 481, 301, 32));
	sim_expect_picture(sim, &front, 0, 481, 301, 1);
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&buf, &front);
	end(sim);
}

static int32_t set_part(struct sim_conn *c, uint64_t fb, uint32_t x,
			uint32_t width, uint32_t height)
{
	struct xendispl_req *req = sim_next_slot(c, XENDISPL_OP_SET_CONFIG);

	req->op.set_config.fb_cookie = fb;
	req->op.set_config.x = x;
	req->op.set_config.width = width;
	req->op.set_config.height = height;
	req->op.set_config.bpp = 32;
	return sim_call(c);
}

/* 640 pixels for one screen, the rest for the other. */
static void draw_both(struct sim_buf *buf, uint32_t seed, uint32_t other)
{
	uint32_t *pixel = (uint32_t *)buf->pages;

	for (uint32_t y = 0; y < buf->height; y++)
		for (uint32_t x = 0; x < buf->width; x++)
			*pixel++ = x < 640 ? sim_pixel(seed, x, y) :
					     sim_pixel(other, x - 640, y);
}

static void expect_both(struct sim *sim, uint32_t seed, uint32_t other)
{
	sim_expect_picture(sim, &front, 0, 640, 480, seed);
	sim_expect_picture(sim, &front, 1, 320, 480, other);
}

/*
 * Xorg has one framebuffer for all screens, and Linux tells all of its size: each
 * screen shows its part, also after flips.
 */
static void spread_over_two(void **state)
{
	static const char *const two[] = { "640x480", "320x480" };
	struct sim *sim = *state;
	struct sim_buf bufs[2];
	uint64_t i;

	sim_guest_create(&front, sim->fake, 5, 2, two);
	sim_connect(&front, 0);
	for (i = 0; i < 2; i++) {
		sim_buf_init(&bufs[i], &front, 10 + i, 960, 480, 32);
		draw_both(&bufs[i], 1 + (uint32_t)i, 3 + (uint32_t)i);
		ok(sim_dbuf_create(&front, &bufs[i]));
		ok(sim_fb_attach(&front, 10 + i, 20 + i, 960, 480,
				 XD_FMT_XRGB8888));
	}
	ok(set_part(&front.conn[0], 20, 0, 960, 480));
	ok(set_part(&front.conn[1], 20, 640, 960, 480));
	assert_int_equal(set_part(&front.conn[1], 20, 641, 960, 480), -EINVAL);
	expect_both(sim, 1, 3);
	for (i = 0; i < 2; i++) {
		ok(sim_flip(&front.conn[i], 21));
		sim_wait_events(&front.conn[i], 1);
	}
	expect_both(sim, 2, 4);
	for (i = 0; i < 2; i++) {
		ok(sim_fb_detach(&front, 20 + i));
		ok(sim_dbuf_destroy(&front, 10 + i));
		sim_buf_finish(&bufs[i], &front);
	}
	end(sim);
}

/* A second client, and a tenth: what the first one left is in nobody's way. */
static void ten_clients(void **state)
{
	struct sim *sim = *state;

	begin(sim);
	for (unsigned int i = 0; i < 10; i++) {
		struct sim_buf buf;

		sim_buf_init(&buf, &front, 10 + i, 640, 480, 32);
		sim_buf_draw(&buf, i);
		ok(sim_dbuf_create(&front, &buf));
		ok(sim_fb_attach(&front, 10 + i, 20 + i, 640, 480,
				 XD_FMT_XRGB8888));
		ok(sim_set_config(conn, 20 + i, 640, 480, 32));
		sim_expect_picture(sim, &front, 0, 640, 480, i);
		ok(sim_flip(conn, 20 + i));
		sim_wait_events(conn, i + 1);
		/* Killed: framebuffer, mode and buffer go in any order. */
		if (i % 2)
			ok(sim_fb_detach(&front, 20 + i));
		if (i % 3)
			ok(sim_set_config(conn, 0, 0, 0, 0));
		ok(sim_dbuf_destroy(&front, 10 + i));
		sim_buf_finish(&buf, &front);
	}
	end(sim);
}

int main(void)
{
	const struct CMUnitTest quirk_tests[] = {
		SIM_TEST(pointers_as_cookies, "pointers-as-cookies"),
		SIM_TEST(flip_while_off, "flip-while-off"),
		SIM_TEST(stale_slots, "stale-slots"),
		SIM_TEST(imported_buffer, "imported-buffer"),
		SIM_TEST(aligned_rows, "aligned-rows"),
		SIM_TEST(packed_rows, "packed-rows"),
		SIM_TEST(spread_over_two, "spread-over-two"),
		SIM_TEST(ten_clients, "ten-clients"),
	};

	return cmocka_run_group_tests(quirk_tests, NULL, NULL);
}
