// SPDX-License-Identifier: GPL-2.0-or-later
/* The output wayland, on a compositor that does what the test says. */
#include "unit.h"

#include <unistd.h>

#include "base/loop.h"
#include "proto/decode.h"
#include "windows.h"

/* Bits of DESK_CONFIGURE: xdg_toplevel.state */
enum { XDG_MAXIMIZED = 1, XDG_FULLSCREEN = 2, XDG_ACTIVATED = 4 };

static struct sim_front other;

static const char *const two[] = { "640x480", "320x200" };
static const char *const all[] = { "640x480", "640x480", "640x480", "640x480" };

static bool is_gone(void *ctx)
{
	return !desk_find(&desk, ((struct wish *)ctx)->app_id);
}

static bool has_size(void *ctx)
{
	const struct wish *wish = ctx;
	struct desk_window *win = desk_find(&desk, wish->app_id);

	return win && win->to_width == (int32_t)wish->width &&
		win->to_height == (int32_t)wish->height;
}

static bool has_picture_of(void *ctx)
{
	const struct wish *wish = ctx;
	struct desk_window *win = desk_find(&desk, wish->app_id);

	return win && win->width == wish->width && win->height == wish->height;
}

static bool is_minimized(void *ctx)
{
	const struct wish *wish = ctx;
	struct desk_window *win = desk_find(&desk, wish->app_id);

	return win && win->minimized == wish->value;
}

static bool clients(void *ctx)
{
	desk_tell(&desk, DESK_SYNC, 0, 0, 0, 0);
	return desk.shared->clients == ((struct wish *)ctx)->value;
}

/* A window of 640x480 that is off. */
static void expect_black(struct sim *sim, const char *app_id)
{
	expect_window(sim, app_id, 0, 1, 1);
	await(sim, has_size, (struct wish){ .app_id = app_id, .width = 640,
					    .height = 480 });
}

/* Linux's frontend: no version, no extension. */
static void pictures(void **state)
{
	struct sim_conn *conn = &front.conn[0];
	struct sim *sim = *state;

	begin(sim, NULL);
	assert_string_equal(desk_find(&desk, APP(5, 0))->title,
			    "guest5 - id0");
	for (uint32_t n = 0; n < 6; n++) {
		draw(n & 1, 10 + n);
		ok(sim_flip(conn, 20 + (n & 1)));
		sim_wait_events(conn, n + 1);
		expect_window(sim, APP(5, 0), 10 + n, 640, 480);
		sim_expect_picture(sim, &front, 0, 640, 480, 10 + n);
	}
	ok(sim_set_config(conn, 0, 0, 0, 0));
	expect_black(sim, APP(5, 0));
	sim_expect_off(sim, &front, 0);
	ok(sim_set_config(conn, 20, 640, 480, 32));
	expect_window(sim, APP(5, 0), 14, 640, 480);
	sim_disconnect(&front);
	await(sim, is_gone, (struct wish){ .app_id = APP(5, 0) });
	sim_connect(&front, 0);
	make_buffers(640, 480);
	end(sim);
}

static void windows(void **state)
{
	struct sim *sim = *state;

	begin(sim, NULL);
	sim_guest_create(&other, sim->fake, 6, 2, two);
	sim_connect(&other, 1);
	struct sim_buf buf;

	sim_buf_init(&buf, &other, 10, 320, 200, 32);
	sim_buf_draw(&buf, 7);
	ok(sim_dbuf_create(&other, &buf));
	ok(sim_fb_attach(&other, 10, 20, 320, 200, XD_FMT_XRGB8888));
	ok(sim_set_config(&other.conn[1], 20, 320, 200, 32));
	expect_window(sim, APP(6, 1), 7, 320, 200);
	assert_null(desk_find(&desk, APP(6, 0)));
	expect_window(sim, APP(5, 0), 1, 640, 480);
	await(sim, clients, (struct wish){ .value = 2 });

	/* one is thrown out, comes back, and the other has not noticed */
	tell(DESK_ERROR, APP(6, 1), 0, 0, 0);
	await(sim, clients, (struct wish){ .value = 3 });
	expect_window(sim, APP(6, 1), 7, 320, 200);
	ok(sim_flip(&front.conn[0], 21));
	expect_window(sim, APP(5, 0), 2, 640, 480);
	await(sim, clients, (struct wish){ .value = 3 });

	ok(sim_dbuf_destroy(&other, 10));
	sim_buf_finish(&buf, &other);
	sim_disconnect(&other);
	await(sim, is_gone, (struct wish){ .app_id = APP(6, 1) });
	sim_guest_destroy(&other);
	end(sim);
}

static int32_t flip_damaged(uint64_t fb, uint16_t x1, uint16_t y1,
			    uint16_t x2, uint16_t y2)
{
	struct sim_conn *conn = &front.conn[0];
	struct xendispl_req *req = sim_next_slot(conn, XENDISPL_OP_PG_FLIP);
	struct xd_wire_pg_flip_damage wire = {
		.fb_cookie = fb, .count = 1, .rect = { { x1, y1, x2, y2 } },
	};

	memcpy(&req->op, &wire, sizeof(wire));
	return sim_call(conn);
}

/* The first picture, with squares of the second one in it. */
static bool shows_squares(void *ctx)
{
	const uint32_t n = ((struct wish *)ctx)->value;
	struct desk_window *win = desk_find(&desk, APP(5, 0));

	for (uint32_t y = 0; y < win->height; y++)
		for (uint32_t x = 0; x < win->width; x++) {
			bool in = x / 40 == y / 40 && x / 40 < n &&
				x % 40 < 10 && y % 40 < 10;

			if ((win->pixels[y * win->width + x] ^
			     sim_pixel(in ? 2 : 1, x, y)) & 0xffffff)
				return false;
		}
	return true;
}

/* Only what changed is copied, and a buffer catches up on what it missed. */
static void damage(void **state)
{
	struct sim *sim = *state;
	uint32_t *pixels;

	begin(sim, "request-damage");
	pixels = (uint32_t *)bufs[0].pages;
	for (uint32_t n = 0; n < 8; n++) {
		const uint16_t at = (uint16_t)(n * 40);

		for (uint32_t y = at; y < at + 10u; y++)
			for (uint32_t x = at; x < at + 10u; x++)
				pixels[y * 640 + x] = sim_pixel(2, x, y);
		/* not told, and so not to be seen, but for a new buffer */
		if (n == 4)
			pixels[470 * 640 + 600] ^= 1;
		ok(flip_damaged(20, at, at, at + 10, at + 10));
		sim_wait_events(&front.conn[0], n + 1);
		await(sim, shows_squares, (struct wish){ .value = n + 1 });
		assert_int_equal(desk_find(&desk, APP(5, 0))->damage, 100);
	}
	end(sim);
}

static unsigned int connector_events(void)
{
	struct sim_conn *conn = &front.conn[0];
	unsigned int n = 0;

	sim_take_events(conn);
	for (unsigned int i = 0; i < conn->nr_events; i++)
		n += conn->events[i].type != XENDISPL_EVT_PG_FLIP;
	return n;
}

static bool was_told(void *ctx)
{
	return connector_events() == ((struct wish *)ctx)->value;
}

static void resize(void **state)
{
	struct sim *sim = *state;

	begin(sim, "request-connector-event");
	/* while it is dragged the picture is scaled; the guest hears the end */
	tell(DESK_DRAG, APP(5, 0), 800, 600, 20);
	await(sim, has_size, (struct wish){ .app_id = APP(5, 0), .width = 800,
					    .height = 600 });
	await(sim, was_told, (struct wish){ .value = 1 });
	expect_window(sim, APP(5, 0), 1, 640, 480);

	free_buffers();
	make_buffers(800, 600);
	ok(sim_set_config(&front.conn[0], 20, 800, 600, 32));
	expect_window(sim, APP(5, 0), 1, 800, 600);
	/* the same size again, as when the focus changes */
	tell(DESK_CONFIGURE, APP(5, 0), 800, 600, 1 << XDG_ACTIVATED);
	ok(sim_flip(&front.conn[0], 21));
	expect_window(sim, APP(5, 0), 2, 800, 600);
	assert_int_equal(connector_events(), 1);

	/* a window that is fixed stays as it is when the mode changes */
	tell(DESK_CONFIGURE, APP(5, 0), 1000, 700, 1 << XDG_MAXIMIZED);
	await(sim, was_told, (struct wish){ .value = 2 });
	ok(sim_set_config(&front.conn[0], 20, 640, 480, 32));
	await(sim, has_size, (struct wish){ .app_id = APP(5, 0), .width = 1000,
					    .height = 700 });
	/* fullscreen keeps the picture's shape */
	tell(DESK_CONFIGURE, APP(5, 0), 1000, 600, 1 << XDG_FULLSCREEN);
	await(sim, has_size, (struct wish){ .app_id = APP(5, 0), .width = 800,
					    .height = 600 });
	/* and another one follows the mode */
	tell(DESK_CONFIGURE, APP(5, 0), 0, 0, 0);
	await(sim, was_told, (struct wish){ .value = 3 });
	ok(sim_set_config(&front.conn[0], 20, 320, 200, 32));
	await(sim, has_size, (struct wish){ .app_id = APP(5, 0), .width = 320,
					    .height = 200 });
	end(sim);
}

/* The guest sets a mode while the user resizes on: the window keeps its size. */
static void resized_on(void **state)
{
	struct sim *sim = *state;
	int32_t width = 1000;
	unsigned int told;

	begin(sim, "request-connector-event");
	/* again, should it have been told before it set the mode */
	do {
		const uint32_t mode = width & 1 ? 640 : 600;

		told = connector_events();
		tell(DESK_CONFIGURE, APP(5, 0), ++width, 700, 0);
		await(sim, has_size, (struct wish){
			.app_id = APP(5, 0), .width = (uint32_t)width,
			.height = 700 });
		ok(sim_set_config(&front.conn[0], 20, mode, 480, 32));
	} while (connector_events() != told);
	await(sim, was_told, (struct wish){ .value = told + 1 });
	assert_int_equal(desk_find(&desk, APP(5, 0))->to_width, width);
	end(sim);
}

/* It sets a size after it was told of the next one; then one of its own. */
static void late_mode(void **state)
{
	struct sim *sim = *state;

	begin(sim, "request-connector-event");
	tell(DESK_CONFIGURE, APP(5, 0), 600, 400, 0);
	await(sim, was_told, (struct wish){ .value = 1 });
	tell(DESK_CONFIGURE, APP(5, 0), 1000, 700, 0);
	await(sim, was_told, (struct wish){ .value = 2 });
	for (unsigned int n = 0; n < 2; n++) {
		ok(sim_set_config(&front.conn[0], 20, 600, 400, 32));
		await(sim, has_picture_of, (struct wish){
			.app_id = APP(5, 0), .width = 600, .height = 400 });
		assert_int_equal(desk_find(&desk, APP(5, 0))->to_width,
				 n ? 600 : 1000);
		ok(sim_set_config(&front.conn[0], 20, 320, 200, 32));
		await(sim, has_size, (struct wish){
			.app_id = APP(5, 0), .width = 320, .height = 200 });
	}
	end(sim);
}

/* To the size that the guest was told before it chose a mode itself. */
static void resized_back(void **state)
{
	struct sim *sim = *state;

	begin(sim, "request-connector-event");
	tell(DESK_CONFIGURE, APP(5, 0), 600, 400, 0);
	await(sim, was_told, (struct wish){ .value = 1 });
	ok(sim_set_config(&front.conn[0], 20, 600, 400, 32));
	ok(sim_set_config(&front.conn[0], 20, 320, 200, 32));
	await(sim, has_size, (struct wish){ .app_id = APP(5, 0), .width = 320,
					    .height = 200 });
	tell(DESK_CONFIGURE, APP(5, 0), 600, 400, 0);
	await(sim, was_told, (struct wish){ .value = 2 });
	end(sim);
}

/* A guest that cannot follow blanks its screen: the window keeps its size. */
static void blanked(void **state)
{
	struct sim *sim = *state;

	begin(sim, NULL);
	tell(DESK_CONFIGURE, APP(5, 0), 800, 600, 0);
	await(sim, has_size, (struct wish){ .app_id = APP(5, 0), .width = 800,
					    .height = 600 });
	/* longer than it takes to settle */
	tell(DESK_FRAMES, NULL, 0, 0, 0);
	ok(sim_flip(&front.conn[0], 21));
	sim_wait_events(&front.conn[0], 1);
	ok(sim_set_config(&front.conn[0], 0, 0, 0, 0));
	ok(sim_set_config(&front.conn[0], 20, 640, 480, 32));
	expect_window(sim, APP(5, 0), 1, 640, 480);
	assert_int_equal(desk_find(&desk, APP(5, 0))->to_width, 800);
	end(sim);
}

/* It has the size again that it had before, whatever the compositor is then. */
static void unmaximised(void **state)
{
	static const int32_t fixed[] = { XDG_MAXIMIZED, XDG_FULLSCREEN };
	struct sim *sim = *state;
	unsigned int told = 0;

	begin(sim, "request-connector-event");
	for (unsigned int i = 0; i < 3; i++) {
		const int32_t width = 700 + (int32_t)i;

		tell(DESK_CONFIGURE, APP(5, 0), width, 400, 0);
		await(sim, was_told, (struct wish){ .value = ++told });
		tell(DESK_CONFIGURE, APP(5, 0), 800, 600, 1 << fixed[i & 1]);
		await(sim, was_told, (struct wish){ .value = ++told });
		ok(sim_set_config(&front.conn[0], 20, 640, 480, 32));
		if (i < 2) {
			tell(DESK_CONFIGURE, APP(5, 0), 0, 0, 0);
		} else {
			desk_kill(&desk);
			desk_start(&desk, display_name(sim));
		}
		await(sim, has_size, (struct wish){
			.app_id = APP(5, 0), .width = (uint32_t)width,
			.height = 400 });
		await(sim, was_told, (struct wish){ .value = ++told });
	}
	end(sim);
}

/*
 * Connectors in turn, with a compositor that gives nothing back for each: what
 * the windows hold is the guest's, whether they are on or off.
 */
static void memory(void **state)
{
	static const char *const apps[] = {
		APP(6, 0), APP(6, 1), APP(6, 2), APP(6, 3),
	};
	const uint64_t picture = 640 * 480 * 4;
	struct sim *sim = *state;
	struct sim_buf buf;
	pid_t worker;

	sim->limits.max_bytes = 4 * picture;
	begin(sim, NULL);
	sim_guest_create(&other, sim->fake, 6, 4, all);
	sim_connect(&other, 1);
	worker = fake_domain_worker(sim->fake, 6);
	sim_buf_init(&buf, &other, 10, 640, 480, 32);
	ok(sim_dbuf_create(&other, &buf));
	ok(sim_fb_attach(&other, 10, 20, 640, 480, XD_FMT_XRGB8888));
	for (uint32_t i = 0; i < 4; i++) {
		struct sim_conn *conn = &other.conn[i];

		tell(DESK_RELEASE, NULL, 0, 0, 0);
		for (uint32_t n = 0; n < 3; n++) {
			sim_buf_draw(&buf, 5 + n);
			ok(n ? sim_flip(conn, 20) :
			   sim_set_config(conn, 20, 640, 480, 32));
			expect_window(sim, apps[i], 5 + n, 640, 480);
			sim_wait_events(conn, n);
		}
		assert_int_equal(sim_memory(worker, "window") / picture, 3);
		assert_int_not_equal(sim_set_config(&other.conn[(i + 1) % 4],
						    20, 640, 480, 32), 0);
		tell(DESK_RELEASE, NULL, 1, 0, 0);
		ok(sim_set_config(conn, 0, 0, 0, 0));
		expect_black(sim, apps[i]);
		assert_in_range(sim_memory(worker, "window"), 0, picture - 1);
	}
	ok(sim_set_config(&other.conn[0], 20, 640, 480, 32));
	expect_window(sim, APP(6, 0), 7, 640, 480);
	sim_disconnect(&other);
	sim_buf_finish(&buf, &other);
	sim_guest_destroy(&other);
	end(sim);
}

/* A compositor that cannot scale: a window that is off has a black picture. */
static void memory_unscaled(void **state)
{
	const uint64_t picture = 640 * 480 * 4;
	struct sim *sim = *state;
	struct sim_buf buf;

	desk.no_viewporter = true;
	sim->limits.max_bytes = 3 * picture + 2 * 320 * 200 * 4;
	begin(sim, NULL);
	sim_guest_create(&other, sim->fake, 6, 2, all);
	sim_connect(&other, 1);
	sim_buf_init(&buf, &other, 10, 640, 480, 32);
	sim_buf_draw(&buf, 5);
	ok(sim_dbuf_create(&other, &buf));
	ok(sim_fb_attach(&other, 10, 20, 640, 480, XD_FMT_XRGB8888));
	ok(sim_set_config(&other.conn[0], 20, 640, 480, 32));
	expect_window(sim, APP(6, 0), 5, 640, 480);
	assert_int_not_equal(sim_set_config(&other.conn[1], 20, 320, 200, 32),
			     0);
	ok(sim_set_config(&other.conn[0], 0, 0, 0, 0));
	expect_window(sim, APP(6, 0), 0, 640, 480);
	assert_int_equal(sim_memory(fake_domain_worker(sim->fake, 6),
				    "window"), picture);
	assert_int_not_equal(sim_set_config(&other.conn[1], 20, 640, 480, 32),
			     0);
	ok(sim_set_config(&other.conn[1], 20, 320, 200, 32));

	/* the next one can */
	desk_kill(&desk);
	desk.no_viewporter = false;
	desk_start(&desk, display_name(sim));
	expect_black(sim, APP(6, 0));
	sim_disconnect(&other);
	sim_buf_finish(&buf, &other);
	sim_guest_destroy(&other);
	end(sim);
}

/* A window that wants a whole screen, of which it learns what that is. */
static void fullscreen(void **state)
{
	struct sim *sim = *state;

	sim->options[XD_OPTION_WAYLAND_FULLSCREEN] = "yes";
	begin(sim, "request-connector-event");
	assert_true(desk_find(&desk, APP(5, 0))->fullscreen);
	tell(DESK_CONFIGURE, APP(5, 0), 1024, 768, 1 << XDG_FULLSCREEN);
	await(sim, was_told, (struct wish){ .value = 1 });
	end(sim);
}

/* Nobody sees it: the guest is slowed down, but never hangs. */
static void hidden(void **state)
{
	struct sim_conn *conn = &front.conn[0];
	struct sim *sim = *state;
	uint64_t begun;

	begin(sim, NULL);
	ok(sim_flip(conn, 21));
	sim_wait_events(conn, 1);
	tell(DESK_FRAMES, NULL, 0, 0, 0);
	/* what the compositor had promised before may still come */
	ok(sim_flip(conn, 20));
	sim_wait_events(conn, 2);
	begun = xd_now();
	ok(sim_flip(conn, 21));
	sim_wait_events(conn, 3);
	assert_true(xd_now() - begun > 500000000u);
	tell(DESK_FRAMES, NULL, 1, 0, 0);
	ok(sim_flip(conn, 20));
	sim_wait_events(conn, 4);
	end(sim);
}

/* A compositor that keeps buffers: they are not written, the guest goes on. */
static void kept(void **state)
{
	struct sim *sim = *state;

	begin(sim, NULL);
	tell(DESK_RELEASE, NULL, 0, 0, 0);
	flip_blindly(4, 30);
	tell(DESK_SYNC, NULL, 0, 0, 0);
	assert_false(desk_find(&desk, APP(5, 0))->scribbled);
	tell(DESK_RELEASE, NULL, 1, 0, 0);
	expect_window(sim, APP(5, 0), 33, 640, 480);
	sim_expect_picture(sim, &front, 0, 640, 480, 33);
	end(sim);
}

static void restart(void **state)
{
	struct sim_conn *conn = &front.conn[0];
	struct sim *sim = *state;

	begin(sim, NULL);
	desk_kill(&desk);
	flip_blindly(5, 40);
	sim_expect_picture(sim, &front, 0, 640, 480, 44);
	desk_start(&desk, display_name(sim));
	expect_window(sim, APP(5, 0), 44, 640, 480);

	/* again, and the guest takes its buffers away meanwhile */
	desk_kill(&desk);
	draw(1, 50);
	ok(sim_flip(conn, 21));
	sim_wait_events(conn, 6);
	free_buffers();
	desk_start(&desk, display_name(sim));
	expect_window(sim, APP(5, 0), 50, 640, 480);
	make_buffers(640, 480);
	end(sim);
}

static void late(void **state)
{
	struct sim_conn *conn = &front.conn[0];
	struct sim *sim = *state;

	begin_without_desk(sim, NULL);
	ok(sim_flip(conn, 21));
	sim_wait_events(conn, 1);
	desk_start(&desk, display_name(sim));
	expect_window(sim, APP(5, 0), 2, 640, 480);
	ok(sim_flip(conn, 20));
	sim_wait_events(conn, 2);
	expect_window(sim, APP(5, 0), 1, 640, 480);
	assert_int_equal(sim_log_count(sim, "cannot open output"), 1);
	end(sim);
}

static void close_button(void **state)
{
	struct sim *sim = *state;

	begin(sim, NULL);
	tell(DESK_CLOSE, APP(5, 0), 0, 0, 0);
	await(sim, is_minimized, (struct wish){ .app_id = APP(5, 0),
						.value = 1 });
	ok(sim_flip(&front.conn[0], 21));
	sim_wait_events(&front.conn[0], 1);
	end(sim);
}

int main(void)
{
	const struct CMUnitTest wayland_tests[] = {
		SIM_TEST_NO_DAEMON(pictures, "pictures"),
		SIM_TEST_NO_DAEMON(windows, "windows"),
		SIM_TEST_NO_DAEMON(damage, "damage"),
		SIM_TEST_NO_DAEMON(resize, "resize"),
		SIM_TEST_NO_DAEMON(resized_on, "resized-on"),
		SIM_TEST_NO_DAEMON(late_mode, "late-mode"),
		SIM_TEST_NO_DAEMON(resized_back, "resized-back"),
		SIM_TEST_NO_DAEMON(blanked, "blanked"),
		SIM_TEST_NO_DAEMON(unmaximised, "unmaximised"),
		SIM_TEST_NO_DAEMON(memory, "memory"),
		SIM_TEST_NO_DAEMON(memory_unscaled, "memory-unscaled"),
		SIM_TEST_NO_DAEMON(fullscreen, "fullscreen"),
		SIM_TEST_NO_DAEMON(hidden, "hidden"),
		SIM_TEST_NO_DAEMON(kept, "kept"),
		SIM_TEST_NO_DAEMON(restart, "restart"),
		SIM_TEST_NO_DAEMON(late, "late"),
		SIM_TEST_NO_DAEMON(close_button, "close-button"),
	};

	return cmocka_run_group_tests(wayland_tests, NULL, NULL);
}
