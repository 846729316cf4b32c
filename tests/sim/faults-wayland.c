// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls that fail while a guest's picture goes to a window. */
#include "unit.h"

#include "turns.h"
#include "wayland/desk.h"

#define WIDTH		TURNS_WIDTH
#define HEIGHT		TURNS_HEIGHT

static struct sim_front *const front = &turns_front;
static struct sim_buf buf, small;
static struct desk desk;

/* What is waited for. */
static uint32_t seed, width, height;

static bool window_shows(void *ctx)
{
	struct desk_window *win = desk_find(&desk, "xen-displayd.guest5.0");

	(void)ctx;
	if (!win || !win->commits || win->width != width ||
	    win->height != height)
		return false;
	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++)
			if ((win->pixels[y * width + x] ^
			     sim_pixel(seed, x, y)) & 0xffffff)
				return false;
	return true;
}

static void want_window(const struct sim_buf *b, uint32_t drawn)
{
	seed = drawn;
	width = b->width;
	height = b->height;
	if (!fake_wait(turns_sim->fake, window_shows, NULL, SIM_TIMEOUT_MS))
		sim_fail("the window does not show picture %u after %s failed",
			 seed, faults_hit());
}

/* A guest comes, sets a mode, and goes. What is accepted is to be seen. */

static void show(void)
{
	struct sim_conn *conn = &front->conn[0];

	sim_buf_init(&buf, front, 10, WIDTH, HEIGHT, 32);
	sim_buf_draw(&buf, 1);
	sim_dbuf_create(front, &buf);
	sim_fb_attach(front, 10, 20, WIDTH, HEIGHT, XD_FMT_XRGB8888);
	if (!sim_set_config(conn, 20, WIDTH, HEIGHT, 32))
		want_window(&buf, 1);
	sim_buf_draw(&buf, 2);
	if (!sim_flip(conn, 20))
		sim_wait_events(conn, conn->nr_events + 1);
}

static void come_show_go(void)
{
	turns_come();
	show();
	sim_dbuf_destroy(front, 10);
	sim_buf_finish(&buf, front);
	turns_go();
}

static void come_want_go(void)
{
	turns_come();
	turns_show(front, &buf, 3);
	want_window(&buf, 3);
	turns_ok(sim_dbuf_destroy(front, 10));
	sim_buf_finish(&buf, front);
	turns_go();
}

static void begin(void **state)
{
	static char display[128];
	struct sim *sim = *state;

	snprintf(display, sizeof(display), "%s/wayland", sim->dir);
	desk_start(&desk, display);
	sim->output = "wayland";
	sim->options[XD_OPTION_WAYLAND_DISPLAY] = display;
	turns_begin(state);
}

static void window_turns(void **state, enum fault_role role)
{
	begin(state);
	turns_run(&(struct turns){
		.role = role,
		.attempt = come_show_go,
		.after = come_want_go,
	});
	turns_end();
	desk_finish(&desk);
}

static void window_worker(void **state)
{
	window_turns(state, FAULT_WORKER);
}

static void window_supervisor(void **state)
{
	window_turns(state, FAULT_SUPERVISOR);
}

/* A guest that stays, changes its mode, and changes it back. */

static void modes_begin(void)
{
	turns_come();
	turns_show(front, &buf, 1);
	sim_buf_init(&small, front, 11, WIDTH / 2, HEIGHT / 2, 32);
	sim_buf_draw(&small, 2);
	turns_ok(sim_dbuf_create(front, &small));
	turns_ok(sim_fb_attach(front, 11, 21, WIDTH / 2, HEIGHT / 2,
			       XD_FMT_XRGB8888));
}

static void mode_to(void)
{
	if (!sim_set_config(&front->conn[0], 21, WIDTH / 2, HEIGHT / 2, 32))
		want_window(&small, 2);
}

static void mode_back(void)
{
	struct sim_conn *conn = &front->conn[0];

	turns_ok(sim_set_config(conn, 20, WIDTH, HEIGHT, 32));
	want_window(&buf, 1);
	turns_ok(sim_flip(conn, 20));
	sim_wait_events(conn, conn->nr_events + 1);
}

static void modes(void **state)
{
	begin(state);
	turns_run(&(struct turns){
		.role = FAULT_WORKER,
		.before = modes_begin,
		.attempt = mode_to,
		.after = mode_back,
	});
	turns_ok(sim_dbuf_destroy(front, 10));
	turns_ok(sim_dbuf_destroy(front, 11));
	sim_buf_finish(&buf, front);
	sim_buf_finish(&small, front);
	turns_go();
	turns_end();
	desk_finish(&desk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIM_TEST_NO_DAEMON(modes, "modes"),
		SIM_TEST_NO_DAEMON(window_worker, "window-worker"),
		SIM_TEST_NO_DAEMON(window_supervisor, "window-supervisor"),
	};

	return turns_main("faults-wayland", tests, ARRAY_SIZE(tests), 2);
}
