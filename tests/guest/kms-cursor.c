// SPDX-License-Identifier: GPL-2.0-or-later
/* The cursor: shown, moved, half and wholly off the screen, hidden. */
#include <string.h>

#include "kt.h"

#define SIZE 64

struct desk {
	struct kt_dev dev;
	struct kt_output *output;
	struct kt_buf buf;
	struct kt_buf image;
};

static void desk_open(struct desk *d)
{
	kt_open(&d->dev);
	d->output = kt_output(&d->dev);
	if (!d->output->cursor)
		kt_skip("%s has no cursor plane", d->output->name);
	kt_buf_create(&d->buf, &d->dev, d->output->mode.hdisplay,
		      d->output->mode.vdisplay, kt_format_by_name("XR24"));
	kt_buf_draw(&d->buf, 1, 0);
	kt_buf_create_cursor(&d->image, &d->dev, SIZE);
	kt_show(&d->dev, d->output, &d->buf);
}

static void desk_close(struct desk *d)
{
	kt_buf_destroy(&d->image);
	kt_buf_destroy(&d->buf);
	kt_close(&d->dev);
}

static void move(struct desk *d, int x, int y)
{
	kt_assert_ok(drmModeMoveCursor(d->dev.fd, d->output->crtc, x, y));
}

static void set(struct desk *d)
{
	kt_assert_ok(drmModeSetCursor(d->dev.fd, d->output->crtc,
				      d->image.handle, SIZE, SIZE));
}

/* A frame's time later the backend has what was sent before. */
static void settle(struct desk *d)
{
	kt_assert_ok(kt_flip(&d->dev, d->output, &d->buf, 1));
	kt_expect_flip(&d->dev, d->output, 1, NULL);
}

/* Where the scenarios expect it: mkgolden --cursor 64@X,Y. */
static void test_legacy(void)
{
	struct desk d;

	desk_open(&d);
	set(&d);
	move(&d, 100, 80);
	settle(&d);
	kt_hook("cursor-shown");
	move(&d, -20, -10);
	settle(&d);
	kt_hook("cursor-corner");
	move(&d, d.buf.width - 20, d.buf.height - 10);
	settle(&d);
	kt_hook("cursor-far-corner");
	move(&d, (int)d.buf.width + 100, 10);
	settle(&d);
	kt_hook("cursor-outside");
	move(&d, 200, 90);
	kt_assert_ok(drmModeSetCursor(d.dev.fd, d.output->crtc, 0, 0, 0));
	settle(&d);
	kt_hook("cursor-hidden");
	set(&d);
	settle(&d);
	kt_hook("cursor-again");
	desk_close(&d);
}

static int commit_cursor(struct desk *d, const struct kt_buf *image, int x,
			 int y, uint32_t flags)
{
	uint32_t plane = d->output->cursor;
	struct kt_commit commit;

	kt_commit_init(&commit, &d->dev);
	kt_commit_add(&commit, plane, "FB_ID", image->fb);
	kt_commit_add(&commit, plane, "CRTC_ID", d->output->crtc);
	kt_commit_add(&commit, plane, "SRC_X", 0);
	kt_commit_add(&commit, plane, "SRC_Y", 0);
	kt_commit_add(&commit, plane, "SRC_W", (uint64_t)image->width << 16);
	kt_commit_add(&commit, plane, "SRC_H", (uint64_t)image->height << 16);
	kt_commit_add(&commit, plane, "CRTC_X", (uint64_t)(int64_t)x);
	kt_commit_add(&commit, plane, "CRTC_Y", (uint64_t)(int64_t)y);
	kt_commit_add(&commit, plane, "CRTC_W", image->width);
	kt_commit_add(&commit, plane, "CRTC_H", image->height);

	return kt_commit_run(&commit, flags, NULL);
}

static void test_atomic(void)
{
	struct desk d;

	desk_open(&d);
	kt_assert_ok(commit_cursor(&d, &d.image, 300, 200, 0));
	settle(&d);
	kt_hook("cursor-atomic");
	desk_close(&d);
}

/* Without a picture there is no cursor; it comes back with the picture. */
static void test_plane_off(void)
{
	struct kt_commit commit;
	struct desk d;

	desk_open(&d);
	kt_assert_ok(commit_cursor(&d, &d.image, 300, 200, 0));
	kt_commit_init(&commit, &d.dev);
	kt_commit_add(&commit, d.output->plane, "FB_ID", 0);
	kt_commit_add(&commit, d.output->plane, "CRTC_ID", 0);
	kt_assert_ok(kt_commit_run(&commit, 0, NULL));
	kt_commit_init(&commit, &d.dev);
	kt_commit_plane(&commit, d.output, &d.buf);
	kt_assert_ok(kt_commit_run(&commit, 0, NULL));
	settle(&d);
	kt_hook("cursor-back");
	desk_close(&d);
}

/* A backend goes and comes under a client that flips: with the cursor. */
static void test_restart(void)
{
	unsigned int frame = 0;
	struct desk d;
	pid_t hook;

	desk_open(&d);
	kt_assert_ok(commit_cursor(&d, &d.image, 300, 200, 0));
	hook = kt_hook_start("cursor-restart");
	do {
		kt_assert_ok(kt_flip(&d.dev, d.output, &d.buf, ++frame));
		kt_expect_flip(&d.dev, d.output, frame, NULL);
	} while (hook && !kt_hook_ended(hook));
	kt_hook("cursor-restarted");
	desk_close(&d);
}

/* The image is a part of its framebuffer: the rest does not show. */
static void test_crop(void)
{
	struct kt_buf tall, part;
	struct desk d;
	int err;

	desk_open(&d);
	kt_buf_create(&tall, &d.dev, SIZE, SIZE + 1, kt_format_by_name("AR24"));
	memset(tall.map, 0xff, tall.size);
	for (unsigned int y = 0; y < SIZE; y++)
		memcpy(tall.map + (size_t)y * tall.pitch,
		       d.image.map + (size_t)y * d.image.pitch, SIZE * 4);
	part = tall;
	part.height = SIZE;
	kt_assert_ok(commit_cursor(&d, &part, 300, 200, 0));
	settle(&d);
	kt_hook("cursor-crop");
	part.width = 32;
	part.height = 10;
	err = commit_cursor(&d, &part, 300, 200, 0);
	if (err && err != -EINVAL) /* a wire without strides */
		kt_fail("a part of a line: %s", kt_errno_name(err));
	settle(&d);
	kt_buf_destroy(&tall);
	desk_close(&d);
}

/* Larger than the device says, or scaled: refused. */
static void test_bad(void)
{
	uint64_t max = 64;
	struct kt_buf large;
	struct desk d;
	int err;

	desk_open(&d);
	drmGetCap(d.dev.fd, DRM_CAP_CURSOR_WIDTH, &max);
	kt_note("cursors of up to %u pixels", (unsigned int)max);
	kt_assert_ge(max, SIZE);
	kt_buf_create_cursor(&large, &d.dev, (unsigned int)max + 64);
	err = commit_cursor(&d, &large, 0, 0, 0);
	if (err != -EINVAL && err != -ERANGE)
		kt_fail("a cursor that is too large: %s", kt_errno_name(err));
	kt_buf_destroy(&large);
	desk_close(&d);
}

/* A mouse at a thousand reports a second must not wait for frames. */
static void test_storm(void)
{
	struct kt_samples call = { .ns = NULL };
	struct desk d;

	desk_open(&d);
	set(&d);
	for (int i = 0; i < 300; i++) {
		uint64_t start = kt_now();

		move(&d, i, i / 2);
		kt_samples_add(&call, kt_now() - start);
	}
	kt_samples_note(&call, "move");
	settle(&d);
	kt_hook("cursor-storm");
	desk_close(&d);
}

/* Moves between a flip and its event: the event comes, once. */
static void test_flips(void)
{
	struct desk d;

	desk_open(&d);
	set(&d);
	for (unsigned int i = 1; i <= 60; i++) {
		kt_assert_ok(kt_flip(&d.dev, d.output, &d.buf, i));
		move(&d, (int)i * 3, (int)i * 2);
		kt_expect_flip(&d.dev, d.output, i, NULL);
	}
	kt_expect_silence(&d.dev, 100);
	desk_close(&d);
}

static const struct kt_test tests[] = {
	{ "legacy", test_legacy, "set, move, off the edges, hide" },
	{ "atomic", test_atomic, "through the cursor plane" },
	{ "plane-off", test_plane_off, "the picture goes and comes back" },
	{ "restart", test_restart, "the backend does, while the hook runs" },
	{ "crop", test_crop, "a part of a framebuffer" },
	{ "bad", test_bad, "too large a cursor" },
	{ "storm", test_storm, "three hundred moves" },
	{ "flips", test_flips, "moves between flips and events" },
};

int main(int argc, char **argv)
{
	return kt_main(argc, argv, "The cursor.", tests, KT_ARRAY_SIZE(tests));
}
