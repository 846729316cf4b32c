// SPDX-License-Identifier: GPL-2.0-or-later
/* The extensions: offered, on when asked for, and without effect when not. */
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

static void begin(struct sim *sim, const char *request, const char *value)
{
	char node[64];

	sim_guest_create(&front, sim->fake, 5, 1, one);
	if (request) {
		snprintf(node, sizeof(node), "request-%s", request);
		sim_front_write(&front, node, "%s", value);
	}
	sim_connect(&front, 2);
	conn = &front.conn[0];
}

static void end(struct sim *sim)
{
	sim_disconnect(&front);
	sim_wait_back_state(&front, SIM_CLOSED);
	sim_guest_destroy(&front);
	sim_finish(sim);
}

static void offered(void **state)
{
	static const char *const names[] = {
		"feature-damage", "feature-stride", "feature-connector-event",
		"feature-ro-grants",
	};
	struct sim *sim = *state;

	/* There when InitWait is. */
	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_wait_back_state(&front, SIM_INIT_WAIT);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *text = sim_back_read(&front, names[i]);

		if (!text || strcmp(text, "1"))
			fail_msg("%s is %s", names[i], text ? text : "missing");
		free(text);
	}
	sim_guest_destroy(&front);
	sim_finish(sim);
}

/* A picture in the middle of a larger buffer, as only `stride` can tell. */
static int32_t attach_part(uint64_t fb, uint32_t stride, uint32_t offset)
{
	return sim_fb_attach_at(&front, 10, fb, 640, 480, XD_FMT_XRGB8888,
				stride, offset);
}

static void stride(struct sim *sim, const char *value, bool on)
{
	const uint32_t wide = 5000, offset = 1236;
	struct sim_buf buf;

	begin(sim, "stride", value);
	sim_buf_init(&buf, &front, 10, 1250, 481, 32);
	for (uint32_t y = 0; y < 480; y++)
		for (uint32_t x = 0; x < 640; x++)
			*(uint32_t *)(buf.pages + offset + y * wide + x * 4) =
				sim_pixel(1, x, y);
	ok(sim_dbuf_create(&front, &buf));
	ok(attach_part(20, wide, offset));
	ok(sim_set_config(conn, 20, 640, 480, 32));
	if (on) {
		sim_expect_picture(sim, &front, 0, 640, 480, 1);
		assert_int_not_equal(attach_part(21, 2559, 0), 0);
		assert_int_not_equal(attach_part(21, wide, 5000 + 5000), 0);
		assert_int_not_equal(attach_part(21, 0xffffffff, 0), 0);
		assert_int_not_equal(attach_part(21, 2560, 0xffffffff), 0);
	} else {
		ok(attach_part(21, 1, 0xffffffff));
	}
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&buf, &front);
	end(sim);
}

static void stride_on(void **state)
{
	stride(*state, "1", true);
}

static void stride_off(void **state)
{
	stride(*state, "0", false);
}

static void stride_garbage(void **state)
{
	stride(*state, "yes", false);
}

static int32_t flip_damaged(uint8_t count, uint16_t x2, uint16_t y2)
{
	struct xendispl_req *req = sim_next_slot(conn, XENDISPL_OP_PG_FLIP);
	struct xd_wire_pg_flip_damage wire = { .fb_cookie = 20,
					       .count = count };

	for (int i = 0; i < XD_MAX_WIRE_DAMAGE; i++)
		wire.rect[i] = (struct xd_wire_rect){ 1, 1, x2, y2 };
	memcpy(&req->op, &wire, sizeof(wire));
	return sim_call(conn);
}

static void damage(struct sim *sim, bool on)
{
	const int32_t bad = on ? -XEN_EINVAL : 0;
	unsigned int events = 0;
	struct sim_buf buf;

	begin(sim, on ? "damage" : NULL, "1");
	sim_buf_init(&buf, &front, 10, 640, 480, 32);
	sim_buf_draw(&buf, 1);
	ok(sim_dbuf_create(&front, &buf));
	ok(sim_fb_attach(&front, 10, 20, 640, 480, XD_FMT_XRGB8888));
	ok(sim_set_config(conn, 20, 640, 480, 32));
	for (uint8_t n = 0; n <= 5; n++) {
		ok(flip_damaged(n, 640, 480));
		sim_wait_events(conn, ++events);
	}
	assert_int_equal(flip_damaged(6, 640, 480), bad);
	assert_int_equal(flip_damaged(255, 640, 480), bad);
	assert_int_equal(flip_damaged(1, 641, 480), bad);
	assert_int_equal(flip_damaged(1, 640, 481), bad);
	assert_int_equal(flip_damaged(1, 1, 480), bad);
	events += on ? 0 : 5;
	sim_wait_events(conn, events);
	assert_false(sim_have_events(conn, events + 1, 50));
	sim_expect_picture(sim, &front, 0, 640, 480, 1);
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&buf, &front);
	end(sim);
}

static void damage_on(void **state)
{
	damage(*state, true);
}

static void damage_off(void **state)
{
	damage(*state, false);
}

int main(void)
{
	const struct CMUnitTest extension_tests[] = {
		SIM_TEST(offered, "offered"),
		SIM_TEST(stride_on, "stride-on"),
		SIM_TEST(stride_off, "stride-off"),
		SIM_TEST(stride_garbage, "stride-garbage"),
		SIM_TEST(damage_on, "damage-on"),
		SIM_TEST(damage_off, "damage-off"),
	};

	return cmocka_run_group_tests(extension_tests, NULL, NULL);
}
