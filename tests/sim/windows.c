// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include "windows.h"

struct sim_front front;
struct desk desk;
static char display[128];

static const char *const one[] = { "640x480" };

void ok(int32_t status)
{
	assert_int_equal(status, 0);
}

void await(struct sim *sim, bool (*cond)(void *ctx), struct wish wish)
{
	if (!fake_wait(sim->fake, cond, &wish, SIM_TIMEOUT_MS))
		sim_fail("window %s: in vain for %ux%u of %u, value %u",
			 wish.app_id, wish.width, wish.height, wish.seed,
			 wish.value);
}

static bool shows(void *ctx)
{
	const struct wish *wish = ctx;
	struct desk_window *win = desk_find(&desk, wish->app_id);

	if (!win || !win->commits || win->width != wish->width ||
	    win->height != wish->height)
		return false;
	for (uint32_t y = 0; y < win->height; y++)
		for (uint32_t x = 0; x < win->width; x++)
			if ((win->pixels[y * win->width + x] ^
			     (wish->seed ? sim_pixel(wish->seed, x, y) : 0)) &
			    0xffffff)
				return false;
	return true;
}

void expect_window(struct sim *sim, const char *app_id, uint32_t seed,
			  uint32_t width, uint32_t height)
{
	await(sim, shows, (struct wish){
		.app_id = app_id, .seed = seed, .width = width,
		.height = height });
	assert_false(desk_find(&desk, app_id)->scribbled);
}

void tell(enum desk_op op, const char *app_id, int32_t a, int32_t b,
		 int32_t c)
{
	struct desk_window *win = app_id ? desk_find(&desk, app_id) : NULL;

	assert_true(!app_id || win);
	assert_true(desk_tell(&desk, op, win ? (uint32_t)(win -
			      desk.shared->windows) : 0, a, b, c));
}

struct sim_buf bufs[2];

void draw(unsigned int i, uint32_t seed)
{
	sim_buf_draw(&bufs[i], seed);
}

void make_buffers(uint32_t width, uint32_t height)
{
	for (unsigned int i = 0; i < 2; i++) {
		sim_buf_init(&bufs[i], &front, 10 + i, width, height, 32);
		if (fake_can_export(front.fake))
			sim_buf_grant_writable(&bufs[i], &front);
		ok(sim_dbuf_create(&front, &bufs[i]));
		ok(sim_fb_attach(&front, 10 + i, 20 + i, width, height,
				 XD_FMT_XRGB8888));
	}
	draw(0, 1);
	draw(1, 2);
}

void free_buffers(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		ok(sim_dbuf_destroy(&front, 10 + i));
		sim_buf_finish(&bufs[i], &front);
	}
}

void flip_blindly(unsigned int n, uint32_t seed)
{
	for (unsigned int i = 0; i < n; i++) {
		draw(i & 1, seed + i);
		ok(sim_flip(&front.conn[0], 20 + (i & 1)));
		sim_wait_events(&front.conn[0], i + 1);
	}
}

const char *display_name(struct sim *sim)
{
	snprintf(display, sizeof(display), "%s/wayland", sim->dir);
	return display;
}

void begin_without_desk(struct sim *sim, const char *request)
{
	sim->output = "wayland";
	sim->options[XD_OPTION_WAYLAND_DISPLAY] = display_name(sim);
	sim_daemon_start(sim);
	sim_guest_create(&front, sim->fake, 5, 1, one);
	if (request)
		sim_front_write(&front, request, "1");
	sim_connect(&front, request ? 2 : 0);
	make_buffers(640, 480);
	ok(sim_set_config(&front.conn[0], 20, 640, 480, 32));
}

void begin(struct sim *sim, const char *request)
{
	desk_start(&desk, display_name(sim));
	begin_without_desk(sim, request);
	expect_window(sim, APP(5, 0), 1, 640, 480);
}

void end(struct sim *sim)
{
	free_buffers();
	sim_disconnect(&front);
	sim_wait_back_state(&front, SIM_CLOSED);
	sim_guest_destroy(&front);
	sim_finish(sim);
	desk_finish(&desk);
}
