// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The output wayland shows framebuffers without a copy, where machine, compositor
 * and framebuffer let it; else it copies, and the log says why.
 */
#include "unit.h"

#include <signal.h>
#include <unistd.h>

#include "proto/decode.h"
#include "windows.h"

#define SHOWN	"connector 0: frames are shown without a copy"
#define COPIED	"connector 0: frames are copied: "
#define SLOW	COPIED "the compositor took longer than a second"

static struct sim_conn *const conn = &front.conn[0];

static void begin_with(struct sim *sim, enum desk_dmabuf dmabuf)
{
	fake_allow_exports(sim->fake);
	desk.dmabuf = dmabuf;
	begin(sim, NULL);
}

static unsigned long long copied(struct sim *sim)
{
	return sim_stat(sim, &front, "copied-bytes");
}

/* Shows picture @seed on buffer @i, waits for its event, which is the @n-th. */
static void flip(struct sim *sim, unsigned int i, uint32_t seed,
		 unsigned int n)
{
	draw(i, seed);
	ok(sim_flip(conn, 20 + i));
	sim_wait_events(conn, n);
	expect_window(sim, APP(5, 0), seed, 640, 480);
}

static void flip_some(struct sim *sim)
{
	for (unsigned int n = 0; n < 6; n++)
		flip(sim, !(n & 1), 10 + n, n + 1);
	sim_expect_picture(sim, &front, 0, 640, 480, 15);
}

static struct desk_window *window(void)
{
	return desk_find(&desk, APP(5, 0));
}

static void shown(void **state)
{
	struct sim *sim = *state;

	begin_with(sim, DESK_DMABUF_TAKES);
	flip_some(sim);
	assert_int_equal(window()->dmabufs, window()->commits);
	/* off, where the window's buffer is ours, and on */
	ok(sim_set_config(conn, 0, 0, 0, 0));
	expect_window(sim, APP(5, 0), 0, 1, 1);
	ok(sim_set_config(conn, 21, 640, 480, 32));
	expect_window(sim, APP(5, 0), 14, 640, 480);
	/* the same one again: it changed while it was shown */
	draw(1, 20);
	for (unsigned int n = 0; n < 3; n++) {
		ok(sim_flip(conn, 21));
		sim_wait_events(conn, 7 + n);
	}
	sim_expect_picture(sim, &front, 0, 640, 480, 20);
	assert_int_equal(copied(sim), 0);
	assert_int_equal(sim_log_count(sim, SHOWN), 1);
	assert_false(sim_log_has(sim, COPIED));
	end(sim);
}

/* Pictures are as right, and the log has the reason once. */
static void expect_copies(struct sim *sim, const char *why)
{
	char line[128];

	flip_some(sim);
	assert_true(copied(sim) > 0);
	snprintf(line, sizeof(line), COPIED "%s", why);
	if (sim_log_count(sim, line) != 1)
		sim_fail("not once in the log: %s", line);
	assert_int_equal(sim_log_count(sim, "connector 0: frames are"), 1);
	end(sim);
}

static void refused(void **state)
{
	begin_with(*state, DESK_DMABUF_REFUSES);
	expect_copies(*state, "the compositor refused the buffer");
}

static void not_there(void **state)
{
	begin_with(*state, DESK_DMABUF_NONE);
	expect_copies(*state, "the compositor has no linux-dmabuf");
}

static void cannot_export(void **state)
{
	desk.dmabuf = DESK_DMABUF_TAKES;
	begin(*state, NULL);
	expect_copies(*state, "this machine does not export grants");
}

static void expect_feature(const char *value)
{
	char *text = sim_back_read(&front, "feature-ro-grants");

	assert_string_equal(text, value);
	free(text);
}

/* What is only read can be promised; a dma-buf can be written. */
static void switched_off(void **state)
{
	struct sim *sim = *state;

	sim->no_zero_copy = true;
	begin_with(sim, DESK_DMABUF_TAKES);
	expect_feature("1");
	expect_copies(sim, "zero-copy is no");
}

static void no_promise(void **state)
{
	begin_with(*state, DESK_DMABUF_TAKES);
	expect_feature("0");
	end(*state);
}

/* One more buffer, framebuffer 30; @bpp of @format. */
static void show_other(struct sim_buf *buf, bool writable, uint32_t width,
		       uint32_t bpp, uint32_t format)
{
	sim_buf_init(buf, &front, 30, width, 480, bpp);
	if (writable)
		sim_buf_grant_writable(buf, &front);
	ok(sim_dbuf_create(&front, buf));
	ok(sim_fb_attach(&front, 30, 30, width, 480, format));
	ok(sim_flip(conn, 30));
}

static void end_other(struct sim *sim, struct sim_buf *buf, const char *why)
{
	char line[128];

	snprintf(line, sizeof(line), COPIED "%s", why);
	sim_wait_events(conn, 1);
	assert_true(sim_log_has(sim, line));
	flip(sim, 1, 3, 2);
	assert_int_equal(sim_log_count(sim, SHOWN), 2);
	ok(sim_dbuf_destroy(&front, 30));
	sim_buf_finish(buf, &front);
	end(sim);
}

/* Each framebuffer is on its own. */
static void read_only(void **state)
{
	struct sim_buf buf;

	begin_with(*state, DESK_DMABUF_TAKES);
	show_other(&buf, false, 640, 32, XD_FMT_XRGB8888);
	end_other(*state, &buf, "the machine does not export these pages");
}

static void format(void **state)
{
	struct sim_buf buf;

	begin_with(*state, DESK_DMABUF_TAKES);
	show_other(&buf, true, 640, 16, XD_FMT_RGB565);
	end_other(*state, &buf, "the compositor does not take the format");
}

static void alpha(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	begin_with(sim, DESK_DMABUF_TAKES);
	show_other(&buf, true, 640, 32, XD_FMT_ARGB8888);
	sim_wait_events(conn, 1);
	expect_window(sim, APP(5, 0), 0, 640, 480);
	assert_int_equal(copied(sim), 0);
	ok(sim_dbuf_destroy(&front, 30));
	sim_buf_finish(&buf, &front);
	end(sim);
}

static void other_size(void **state)
{
	struct sim_buf buf;

	begin_with(*state, DESK_DMABUF_TAKES);
	show_other(&buf, true, 320, 32, XD_FMT_XRGB8888);
	end_other(*state, &buf, "the picture is not as large as the mode");
}

static int32_t attach_part(uint64_t fb, uint32_t stride, uint32_t offset)
{
	return sim_fb_attach_at(&front, 30, fb, 640, 480, XD_FMT_XRGB8888,
				stride, offset);
}

/* Anywhere in a buffer, but for what a compositor would throw us out for. */
static void stride(void **state)
{
	const uint32_t wide = 5000, offset = 1236;
	struct sim *sim = *state;
	struct sim_buf buf;

	begin_with(sim, DESK_DMABUF_TAKES);
	free_buffers();
	sim_disconnect(&front);
	sim_front_write(&front, "request-stride", "1");
	sim_connect(&front, 2);
	sim_buf_init(&buf, &front, 30, 1250, 483, 32);
	sim_buf_grant_writable(&buf, &front);
	for (uint32_t y = 0; y < 480; y++)
		for (uint32_t x = 0; x < 640; x++)
			*(uint32_t *)(buf.pages + offset + y * wide + x * 4) =
				sim_pixel(5, x, y);
	ok(sim_dbuf_create(&front, &buf));
	ok(attach_part(30, wide, offset));
	ok(sim_set_config(conn, 30, 640, 480, 32));
	expect_window(sim, APP(5, 0), 5, 640, 480);
	assert_int_equal(copied(sim), 0);

	ok(attach_part(31, wide, 4 * 5000 - 2560));
	ok(sim_flip(conn, 31));
	sim_wait_events(conn, 1);
	assert_true(sim_log_has(sim, COPIED "the buffer has no room for the last row's stride"));
	assert_int_equal(copied(sim), 640 * 480 * 4);
	ok(sim_dbuf_destroy(&front, 30));
	sim_buf_finish(&buf, &front);
	sim_guest_destroy(&front);
	sim_finish(sim);
	desk_finish(&desk);
}

static bool frame_told(void *ctx)
{
	const struct wish *wish = ctx;
	struct desk_window *win = window();

	return win->commits == wish->value && win->frames;
}

/* The event says that the last buffer may be written: not while it is read. */
static void not_before_release(void **state)
{
	struct sim *sim = *state;
	uint32_t commits;

	begin_with(sim, DESK_DMABUF_TAKES);
	flip(sim, 1, 3, 1);
	commits = window()->commits;
	tell(DESK_RELEASE, NULL, 0, 0, 0);
	draw(0, 4);
	ok(sim_flip(conn, 20));
	await(sim, frame_told, (struct wish){ .value = commits + 1 });
	/* whoever answers this has heard of the frame */
	sim_expect_picture(sim, &front, 0, 640, 480, 4);
	sim_take_events(conn);
	/* on a machine that stood still the second may be over */
	if (conn->nr_events != 1 && !sim_log_has(sim, SLOW))
		sim_fail("the event came while the last buffer was read");
	tell(DESK_RELEASE, NULL, 1, 0, 0);
	sim_wait_events(conn, 2);
	flip(sim, 1, 5, 3);
	end(sim);
}

/* A compositor that keeps buffers slows a guest, does not hold it, gets copies. */
static void kept(void **state)
{
	struct sim *sim = *state;

	begin_with(sim, DESK_DMABUF_TAKES);
	tell(DESK_RELEASE, NULL, 0, 0, 0);
	for (unsigned int n = 0; n < 4; n++) {
		ok(sim_flip(conn, 20 + !(n & 1)));
		sim_wait_events(conn, n + 1);
	}
	assert_true(sim_log_has(sim, SLOW));
	tell(DESK_RELEASE, NULL, 1, 0, 0);
	flip(sim, 1, 5, 5);
	assert_true(copied(sim) > 0);
	/* until the next mode */
	ok(sim_set_config(conn, 20, 640, 480, 32));
	flip(sim, 1, 6, 6);
	assert_int_equal(sim_log_count(sim, SHOWN), 2);
	end(sim);
}

/* What is shown goes: the picture stays, and nobody has the guest's pages. */
static void taken_away(void **state)
{
	struct sim *sim = *state;

	begin_with(sim, DESK_DMABUF_TAKES);
	ok(sim_flip(conn, 21));
	free_buffers();
	expect_window(sim, APP(5, 0), 2, 640, 480);
	sim_expect_picture(sim, &front, 0, 640, 480, 2);
	make_buffers(640, 480);
	ok(sim_set_config(conn, 20, 640, 480, 32));
	expect_window(sim, APP(5, 0), 1, 640, 480);
	/* the framebuffer alone */
	ok(sim_fb_detach(&front, 20));
	expect_window(sim, APP(5, 0), 1, 640, 480);
	flip(sim, 1, 3, 2);
	end(sim);
}

/* The compositor stands still: the answer comes anyway, the pages later. */
static void stopped(void **state)
{
	struct sim *sim = *state;
	struct sim_buf *buf = &bufs[0];

	begin_with(sim, DESK_DMABUF_TAKES);
	kill(desk.pid, SIGSTOP);
	ok(sim_dbuf_destroy(&front, 10));
	assert_int_equal(fake_grant_end(sim->fake, 5, buf->grefs[0]), -EBUSY);
	/* and it still counts */
	assert_int_equal(sim_stat(sim, &front, "buffers"), 2);
	kill(desk.pid, SIGCONT);
	expect_window(sim, APP(5, 0), 1, 640, 480);
	ok(sim_dbuf_create(&front, buf));
	ok(sim_fb_attach(&front, 10, 20, 640, 480, XD_FMT_XRGB8888));
	flip(sim, 0, 3, 1);
	end(sim);
}

static bool nothing_held(void *ctx)
{
	return !fake_domain_mapped(front.fake, 5);
}

/* Nothing holds up a domain that dies with all of it on screen. */
static void killed(void **state)
{
	struct sim *sim = *state;

	begin_with(sim, DESK_DMABUF_TAKES);
	ok(sim_flip(conn, 21));
	fake_domain_kill(sim->fake, 5);
	await(sim, nothing_held, (struct wish){ 0 });
	sim_guest_destroy(&front);
	sim_finish(sim);
	desk_finish(&desk);
}

static void restart(void **state)
{
	struct sim *sim = *state;

	begin_with(sim, DESK_DMABUF_TAKES);
	desk_kill(&desk);
	flip_blindly(4, 40);
	sim_expect_picture(sim, &front, 0, 640, 480, 43);
	desk_start(&desk, display_name(sim));
	expect_window(sim, APP(5, 0), 43, 640, 480);
	flip(sim, 0, 44, 5);
	assert_int_equal(copied(sim), 0);
	assert_int_equal(window()->dmabufs, window()->commits);

	/* one that cannot do it any more */
	desk_kill(&desk);
	desk.dmabuf = DESK_DMABUF_NONE;
	desk_start(&desk, display_name(sim));
	expect_window(sim, APP(5, 0), 44, 640, 480);
	assert_true(sim_log_has(sim, COPIED "the compositor has no linux-dmabuf"));
	end(sim);
}

/* It may have been for a buffer: that is not tried again. */
static void thrown_out(void **state)
{
	struct sim *sim = *state;

	begin_with(sim, DESK_DMABUF_TAKES);
	tell(DESK_ERROR, APP(5, 0), 0, 0, 0);
	flip(sim, 1, 3, 1);
	flip(sim, 0, 4, 2);
	assert_int_equal(sim_log_count(sim, COPIED
				       "the compositor threw the guest out with it"), 1);
	assert_true(copied(sim) > 0);
	end(sim);
}

/* No answer at all; then one for a framebuffer that has gone. */
static void silent(void **state)
{
	struct sim *sim = *state;

	begin_with(sim, DESK_DMABUF_TAKES);
	tell(DESK_DMABUF, NULL, DESK_DMABUF_SILENT, 0, 0);
	ok(sim_flip(conn, 21));
	sim_wait_events(conn, 1);
	expect_window(sim, APP(5, 0), 2, 640, 480);
	flip(sim, 0, 3, 2);
	assert_true(sim_log_has(sim, SLOW));
	ok(sim_dbuf_destroy(&front, 11));
	tell(DESK_DMABUF, NULL, DESK_DMABUF_TAKES, 0, 0);
	sim_buf_finish(&bufs[1], &front);
	sim_buf_init(&bufs[1], &front, 11, 640, 480, 32);
	sim_buf_grant_writable(&bufs[1], &front);
	ok(sim_dbuf_create(&front, &bufs[1]));
	ok(sim_fb_attach(&front, 11, 21, 640, 480, XD_FMT_XRGB8888));
	ok(sim_set_config(conn, 20, 640, 480, 32));
	flip(sim, 1, 4, 3);
	assert_int_equal(sim_log_count(sim, SHOWN), 2);
	end(sim);
}

/* More of everything than there is, and a log that stays short. */
static void hostile(void **state)
{
	struct sim *sim = *state;
	unsigned int events = 0;

	begin_with(sim, DESK_DMABUF_TAKES);
	for (unsigned int n = 0; n < 20; n++) {
		ok(sim_fb_attach(&front, 10, 100 + n, 640, 480,
				 XD_FMT_XRGB8888));
		ok(sim_fb_attach(&front, 11, 200 + n, 640, 480,
				 XD_FMT_ARGB8888));
	}
	for (unsigned int n = 0; n < 20; n++) {
		ok(sim_flip(conn, 100 + n));
		ok(sim_flip(conn, 200 + n));
		sim_wait_events(conn, events += 2);
	}
	free_buffers();
	for (unsigned int n = 0; n < 24; n++) {
		make_buffers(n & 1 ? 640 : 320, 480);
		ok(sim_flip(conn, 20));
		sim_wait_events(conn, ++events);
		free_buffers();
	}
	assert_true(sim_log_count(sim, "connector 0: frames are") <= 20);
	make_buffers(640, 480);
	end(sim);
}

int main(void)
{
	const struct CMUnitTest zero_copy_tests[] = {
		SIM_TEST_NO_DAEMON(shown, "shown"),
		SIM_TEST_NO_DAEMON(refused, "refused"),
		SIM_TEST_NO_DAEMON(not_there, "not-there"),
		SIM_TEST_NO_DAEMON(cannot_export, "cannot-export"),
		SIM_TEST_NO_DAEMON(switched_off, "switched-off"),
		SIM_TEST_NO_DAEMON(no_promise, "no-promise"),
		SIM_TEST_NO_DAEMON(read_only, "read-only"),
		SIM_TEST_NO_DAEMON(format, "format"),
		SIM_TEST_NO_DAEMON(alpha, "alpha"),
		SIM_TEST_NO_DAEMON(other_size, "other-size"),
		SIM_TEST_NO_DAEMON(stride, "stride"),
		SIM_TEST_NO_DAEMON(not_before_release, "not-before-release"),
		SIM_TEST_NO_DAEMON(kept, "kept"),
		SIM_TEST_NO_DAEMON(taken_away, "taken-away"),
		SIM_TEST_NO_DAEMON(stopped, "stopped"),
		SIM_TEST_NO_DAEMON(killed, "killed"),
		SIM_TEST_NO_DAEMON(restart, "restart"),
		SIM_TEST_NO_DAEMON(thrown_out, "thrown-out"),
		SIM_TEST_NO_DAEMON(silent, "silent"),
		SIM_TEST_NO_DAEMON(hostile, "hostile"),
	};

	return cmocka_run_group_tests(zero_copy_tests, NULL, NULL);
}
