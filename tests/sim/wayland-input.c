// SPDX-License-Identifier: GPL-2.0-or-later
/* The seat of the output wayland, without a daemon: what it tells the worker. */
#include "unit.h"

#include <linux/input-event-codes.h>
#include <unistd.h>

#include "outputs/output.h"
#include "wayland/desk.h"

#define MAX_INPUTS	64
#define TIMEOUT		30000000000u	/* ns */
#define APP		"xen-displayd.guest.0"

static struct desk desk;
static struct xd_loop loop;
static struct xd_output *output;
static struct xd_input inputs[MAX_INPUTS];
static unsigned int nr_inputs;
static uint32_t pixels[400 * 300];
static char dir[] = "/tmp/seat-XXXXXX";

static void done(void *ctx, unsigned int monitor)
{
}

static void resized(void *ctx, unsigned int monitor, uint32_t width,
		    uint32_t height)
{
}

static void input(void *ctx, unsigned int monitor, const struct xd_input *in)
{
	assert_int_equal(monitor, 0);
	assert_true(nr_inputs < MAX_INPUTS);
	inputs[nr_inputs++] = *in;
}

static void reopen(void *ctx)
{
}

static void changed(void *ctx, unsigned int monitor)
{
}

static void note(void *ctx, const char *text)
{
}

static void wait_inputs(unsigned int n)
{
	const uint64_t end = xd_now() + TIMEOUT;

	while (nr_inputs < n && xd_now() < end)
		xd_loop_turn(&loop, 10);
	assert_int_equal(nr_inputs, n);
	nr_inputs = 0;
}

static uint32_t wait_window(void)
{
	const uint64_t end = xd_now() + TIMEOUT;
	struct desk_window *win = NULL;

	while ((!win || !win->commits) && xd_now() < end) {
		xd_loop_turn(&loop, 10);
		win = desk_find(&desk, APP);
	}
	assert_non_null(win);
	return (uint32_t)(win - desk.shared->windows);
}

static void expect(unsigned int i, enum xd_input_type type, uint32_t code,
		   int32_t value)
{
	assert_int_equal(inputs[i].type, type);
	assert_int_equal(inputs[i].code, code);
	assert_int_equal(inputs[i].value, value);
}

static void expect_at(unsigned int i, enum xd_input_type type, uint32_t id,
		      int32_t x, int32_t y)
{
	assert_int_equal(inputs[i].type, type);
	assert_int_equal(inputs[i].id, id);
	assert_int_equal(inputs[i].x, x);
	assert_int_equal(inputs[i].y, y);
}

static int set_up(void **state)
{
	static const struct xd_output_events events = {
		.done = done, .resized = resized, .input = input,
		.reopen = reopen, .changed = changed,
		.note = note,
	};
	static const char *const names[] = { "conn0" };
	static struct xd_output_options options;
	char why[XD_WHY_SIZE];
	const struct xd_image image = {
		.format = xd_format_find(XD_FMT_XRGB8888), .width = 400,
		.height = 300, .stride = 1600, .data = pixels,
	};
	struct xd_output_params params = {
		.loop = &loop, .events = &events, .guest = "guest",
		.nr_monitors = 1, .names = names, .millihertz = 60000,
		.options = &options,
	};

	if (!mkdtemp(dir))
		return -1;
	snprintf(options.text[XD_OPTION_WAYLAND_DISPLAY], XD_OPTION_SIZE,
		 "%s/w", dir);
	desk_start(&desk, options.text[XD_OPTION_WAYLAND_DISPLAY]);
	params.fd = xd_output_wayland.open(&options, "guest", 1, why);
	nr_inputs = 0;
	return params.fd < 0 || xd_loop_init(&loop) ||
		xd_output_wayland.create(&params, &output) ||
		output->ops->show(output, 0, 400, 300, &image);
}

static int tear_down(void **state)
{
	output->ops->destroy(output);
	xd_loop_finish(&loop);
	desk_finish(&desk);
	rmdir(dir);
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	return 0;
}

static void keyboard(void **state)
{
	const uint32_t win = wait_window();

	/* not ours yet */
	desk_tell(&desk, DESK_KEY, win, KEY_B, 1, 0);
	desk_tell(&desk, DESK_FOCUS, win, 1, 0, 0);
	desk_tell(&desk, DESK_KEY, win, KEY_A, 1, 0);
	desk_tell(&desk, DESK_KEY, win, KEY_A, 0, 0);
	desk_tell(&desk, DESK_KEY, win, KEY_LEFTSHIFT, 1, 0);
	desk_tell(&desk, DESK_KEY, win, 0x7fffffff, 1, 0);
	desk_tell(&desk, DESK_FOCUS, win, 0, 0, 0);
	wait_inputs(4);
	expect(0, XD_INPUT_KEY, KEY_A, 1);
	expect(1, XD_INPUT_KEY, KEY_A, 0);
	expect(2, XD_INPUT_KEY, KEY_LEFTSHIFT, 1);
	expect(3, XD_INPUT_LEAVE, 0, 0);
}

static void pointer(void **state)
{
	const uint32_t win = wait_window();

	desk_tell(&desk, DESK_POINTER, win, 0, 0, 1);
	desk_tell(&desk, DESK_POINTER, win, 200, 75, 0);
	desk_tell(&desk, DESK_POINTER, win, 399, 299, 0);
	desk_tell(&desk, DESK_POINTER, win, -5, 500, 0);
	desk_tell(&desk, DESK_BUTTON, win, BTN_RIGHT, 1, 0);
	desk_tell(&desk, DESK_BUTTON, win, KEY_A, 1, 0);
	desk_tell(&desk, DESK_BUTTON, win, BTN_RIGHT, 0, 0);
	desk_tell(&desk, DESK_AXIS, win, 2, 0, 0);
	desk_tell(&desk, DESK_AXIS, win, -1, 0, 0);
	wait_inputs(8);
	expect_at(0, XD_INPUT_POINTER, 0, 0, 0);
	expect_at(1, XD_INPUT_POINTER, 0, 32768, 16384);
	expect_at(2, XD_INPUT_POINTER, 0, 65372, 65317);
	expect_at(3, XD_INPUT_POINTER, 0, 0, 65535);
	expect(4, XD_INPUT_KEY, BTN_RIGHT, 1);
	expect(5, XD_INPUT_KEY, BTN_RIGHT, 0);
	expect(6, XD_INPUT_WHEEL, 0, 2);
	expect(7, XD_INPUT_WHEEL, 0, -1);
}

/* Positions are of what is seen, whatever its size on the screen. */
static void scaled(void **state)
{
	const uint32_t win = wait_window();
	const uint64_t end = xd_now() + TIMEOUT;

	desk_tell(&desk, DESK_CONFIGURE, win, 800, 300, 0);
	while (desk_find(&desk, APP)->to_width != 800 && xd_now() < end)
		xd_loop_turn(&loop, 10);
	desk_tell(&desk, DESK_POINTER, win, 200, 150, 1);
	wait_inputs(1);
	expect_at(0, XD_INPUT_POINTER, 0, 16384, 32768);
}

static void touch(void **state)
{
	const uint32_t win = wait_window();

	desk_tell(&desk, DESK_TOUCH, win, 100, 150, 7);
	desk_tell(&desk, DESK_TOUCH, win, 200, 150, 3);
	desk_tell(&desk, DESK_TOUCH, win, 100, 75, 7);
	desk_tell(&desk, DESK_TOUCH_UP, win, 0, 0, 7);
	desk_tell(&desk, DESK_TOUCH_UP, win, 0, 0, 9);
	desk_tell(&desk, DESK_TOUCH, win, 0, 0, 8);
	wait_inputs(10);
	expect_at(0, XD_INPUT_TOUCH_DOWN, 0, 16384, 32768);
	expect(1, XD_INPUT_TOUCH_FRAME, 0, 0);
	expect_at(2, XD_INPUT_TOUCH_DOWN, 1, 32768, 32768);
	expect_at(4, XD_INPUT_TOUCH_MOVE, 0, 16384, 16384);
	expect_at(6, XD_INPUT_TOUCH_UP, 0, 0, 0);
	/* its number is free again */
	expect_at(8, XD_INPUT_TOUCH_DOWN, 0, 0, 0);
	/* and without a compositor nobody touches anything */
	desk_kill(&desk);
	wait_inputs(3);
	expect_at(0, XD_INPUT_TOUCH_UP, 0, 0, 0);
	expect_at(1, XD_INPUT_TOUCH_UP, 1, 0, 0);
	expect(2, XD_INPUT_TOUCH_FRAME, 0, 0);
}

static void held(void **state)
{
	const uint32_t win = wait_window();

	desk_tell(&desk, DESK_FOCUS, win, 1, 0, 0);
	desk_tell(&desk, DESK_KEY, win, KEY_A, 1, 0);
	desk_tell(&desk, DESK_POINTER, win, 0, 0, 1);
	desk_tell(&desk, DESK_BUTTON, win, BTN_LEFT, 1, 0);
	wait_inputs(3);
	desk_kill(&desk);
	wait_inputs(2);
	expect(0, XD_INPUT_LEAVE, 0, 0);
	expect(1, XD_INPUT_KEY, BTN_LEFT, 0);
}

int main(void)
{
	const struct CMUnitTest seat_tests[] = {
		cmocka_unit_test_setup_teardown(keyboard, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pointer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(scaled, set_up, tear_down),
		cmocka_unit_test_setup_teardown(touch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(held, set_up, tear_down),
	};

	return cmocka_run_group_tests(seat_tests, NULL, NULL);
}
