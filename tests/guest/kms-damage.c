// SPDX-License-Identifier: GPL-2.0-or-later
/* Drawing in what is shown: DIRTYFB and FB_DAMAGE_CLIPS. */
#include <string.h>

#include "kt.h"

#define MAX_CLIPS 12

/* The first buffer with seed 1 on the screen, a second one ready. */
struct canvas {
	struct kt_dev dev;
	struct kt_output *output;
	struct kt_buf bufs[2];
};

static void canvas_open(struct canvas *c)
{
	kt_open(&c->dev);
	c->output = kt_output(&c->dev);
	for (unsigned int i = 0; i < 2; i++) {
		kt_buf_create(&c->bufs[i], &c->dev, c->output->mode.hdisplay,
			      c->output->mode.vdisplay,
			      kt_format_by_name("XR24"));
		kt_buf_draw(&c->bufs[i], 1, 0);
	}
	kt_show(&c->dev, c->output, &c->bufs[0]);
}

static void canvas_close(struct canvas *c)
{
	kt_buf_destroy(&c->bufs[0]);
	kt_buf_destroy(&c->bufs[1]);
	kt_close(&c->dev);
}

/* Where the patches are: mkgolden --patch 2@X,Y,64x48 for each. */
static struct pattern_rect patch(unsigned int i)
{
	return (struct pattern_rect) {
		.x = 50 + 70 * i, .y = 40 + 30 * i, .width = 64, .height = 48,
	};
}

static void draw_patches(struct canvas *c, struct kt_buf *buf,
			 unsigned int count, drmModeClip *clips)
{
	for (unsigned int i = 0; i < count; i++) {
		struct pattern_rect p = patch(i);

		if (p.x + p.width > buf->width || p.y + p.height > buf->height)
			kt_fail("%s is too small", c->output->name);
		kt_buf_draw_area(buf, 2, 0, p);
		clips[i] = (drmModeClip) {
			.x1 = (uint16_t)p.x,
			.y1 = (uint16_t)p.y,
			.x2 = (uint16_t)(p.x + p.width),
			.y2 = (uint16_t)(p.y + p.height),
		};
	}
}

static void dirty(unsigned int count, const char *step)
{
	drmModeClip clips[MAX_CLIPS];
	struct canvas c;

	canvas_open(&c);
	draw_patches(&c, &c.bufs[0], count, clips);
	kt_assert_ok(drmModeDirtyFB(c.dev.fd, c.bufs[0].fb, clips, count));
	kt_hook(step);
	canvas_close(&c);
}

static void test_dirty_one(void)
{
	dirty(1, "dirty-one");
}

/* More than the five areas that one request carries. */
static void test_dirty_many(void)
{
	dirty(7, "dirty-many");
}

/* No areas at all: everything. */
static void test_dirty_whole(void)
{
	struct canvas c;

	canvas_open(&c);
	kt_buf_draw(&c.bufs[0], 2, 0);
	kt_assert_ok(drmModeDirtyFB(c.dev.fd, c.bufs[0].fb, NULL, 0));
	kt_hook("dirty-whole");
	canvas_close(&c);
}

/* What is not on a screen may be dirtied, and nothing happens. */
static void test_dirty_hidden(void)
{
	drmModeClip clip = { .x2 = 10, .y2 = 10 };
	struct canvas c;

	canvas_open(&c);
	kt_assert_ok(drmModeDirtyFB(c.dev.fd, c.bufs[1].fb, &clip, 1));
	kt_assert_ok(kt_try_off(&c.dev, c.output));
	kt_assert_ok(drmModeDirtyFB(c.dev.fd, c.bufs[0].fb, &clip, 1));
	kt_assert_err(drmModeDirtyFB(c.dev.fd, 0xffff, &clip, 1), -ENOENT);
	canvas_close(&c);
}

static int try_clips(struct canvas *c, const struct kt_buf *buf,
		     const struct drm_mode_rect *rects, unsigned int count,
		     uint64_t data)
{
	struct kt_commit commit;
	uint32_t blob;
	int err;

	kt_assert_ok(drmModeCreatePropertyBlob(c->dev.fd, rects,
					       count * sizeof(*rects), &blob));
	kt_commit_init(&commit, &c->dev);
	kt_commit_add(&commit, c->output->plane, "FB_ID", buf->fb);
	kt_commit_add(&commit, c->output->plane, "FB_DAMAGE_CLIPS", blob);
	err = kt_commit_run(&commit, DRM_MODE_PAGE_FLIP_EVENT |
			    DRM_MODE_ATOMIC_NONBLOCK, (void *)(uintptr_t)data);
	drmModeDestroyPropertyBlob(c->dev.fd, blob);

	return err;
}

static void need_clips(struct canvas *c)
{
	if (!c->dev.atomic ||
	    !kt_prop_find(&c->dev, c->output->plane, "FB_DAMAGE_CLIPS"))
		kt_skip("no FB_DAMAGE_CLIPS");
}

/* Clips with a flip to another buffer, which differs only there. */
static void clips(unsigned int count, const char *step)
{
	struct drm_mode_rect rects[MAX_CLIPS];
	drmModeClip list[MAX_CLIPS];
	struct canvas c;

	canvas_open(&c);
	need_clips(&c);
	draw_patches(&c, &c.bufs[1], count, list);
	for (unsigned int i = 0; i < count; i++)
		rects[i] = (struct drm_mode_rect) {
			list[i].x1, list[i].y1, list[i].x2, list[i].y2,
		};
	kt_assert_ok(try_clips(&c, &c.bufs[1], rects, count, 1));
	kt_expect_flip(&c.dev, c.output, 1, NULL);
	kt_hook(step);
	canvas_close(&c);
}

static void test_clips_one(void)
{
	clips(1, "clips-one");
}

static void test_clips_many(void)
{
	clips(7, "clips-many");
}

/*
 * Clips that begin outside the framebuffer, empty, inside out: refused, nothing
 * changes. One that only ends outside is cut.
 */
static void test_clips_odd(void)
{
	struct drm_mode_rect rects[] = {
		{ -100, -100, 50, 50 }, { 10, 10, 10, 10 },
		{ INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX },
		{ 50, 50, 10, 10 },
	};
	struct drm_mode_rect beyond = { 700, 500, 10000, 10000 };
	struct canvas c;

	canvas_open(&c);
	need_clips(&c);
	for (unsigned int i = 0; i < KT_ARRAY_SIZE(rects); i++) {
		kt_note("(%d,%d)-(%d,%d)", rects[i].x1, rects[i].y1,
			rects[i].x2, rects[i].y2);
		kt_assert_err(try_clips(&c, &c.bufs[1], &rects[i], 1, i),
			      -EINVAL);
	}
	kt_expect_silence(&c.dev, 100);
	kt_assert_ok(try_clips(&c, &c.bufs[1], &beyond, 1, 1));
	kt_expect_flip(&c.dev, c.output, 1, NULL);
	canvas_close(&c);
}

/* As X does it: small areas, very often; none may be lost. */
static void test_dirty_storm(void)
{
	struct kt_samples call = { .ns = NULL };
	struct canvas c;

	canvas_open(&c);
	for (unsigned int i = 0; i < 200; i++) {
		drmModeClip clip = {
			.x1 = (uint16_t)(i * 3),
			.y1 = (uint16_t)(i * 2),
			.x2 = (uint16_t)(i * 3 + 64),
			.y2 = (uint16_t)(i * 2 + 64),
		};
		struct pattern_rect area = { clip.x1, clip.y1, 64, 64 };
		uint64_t start;

		kt_buf_draw_area(&c.bufs[0], 2, 0, area);
		start = kt_now();
		kt_assert_ok(drmModeDirtyFB(c.dev.fd, c.bufs[0].fb, &clip, 1));
		kt_samples_add(&call, kt_now() - start);
	}
	kt_samples_note(&call, "DIRTYFB");
	kt_buf_draw(&c.bufs[0], 2, 0);
	kt_assert_ok(drmModeDirtyFB(c.dev.fd, c.bufs[0].fb, NULL, 0));
	kt_hook("dirty-storm");
	canvas_close(&c);
}

/*
 * A backend with a limit may refuse a framebuffer, and take it when another has
 * gone. What it shows then is all of it, not the area that was dirtied.
 */
static void test_dirty_refused(void)
{
	drmModeClip clip = { .x2 = 10, .y2 = 10 };
	struct kt_buf spare;
	struct canvas c;

	canvas_open(&c);
	kt_buf_create(&spare, &c.dev, c.bufs[0].width, c.bufs[0].height,
		      c.bufs[0].format);
	kt_show(&c.dev, c.output, &spare);
	kt_show(&c.dev, c.output, &c.bufs[0]);
	kt_buf_draw(&c.bufs[1], 2, 0);
	kt_assert_ok(kt_flip(&c.dev, c.output, &c.bufs[1], 1));
	kt_expect_flip(&c.dev, c.output, 1, NULL);
	kt_buf_destroy(&spare);
	kt_assert_ok(drmModeDirtyFB(c.dev.fd, c.bufs[1].fb, &clip, 1));
	kt_hook("dirty-refused");
	canvas_close(&c);
}

static const struct kt_test tests[] = {
	{ "dirty-one", test_dirty_one, "one area" },
	{ "dirty-many", test_dirty_many, "seven areas" },
	{ "dirty-whole", test_dirty_whole, "no areas: everything" },
	{ "dirty-hidden", test_dirty_hidden, "a buffer that is not shown" },
	{ "dirty-storm", test_dirty_storm, "two hundred small areas" },
	{ "dirty-refused", test_dirty_refused, "a buffer that was not taken at first" },
	{ "clips-one", test_clips_one, "a flip with one damage clip" },
	{ "clips-many", test_clips_many, "a flip with seven" },
	{ "clips-odd", test_clips_odd, "clips beyond the buffer" },
};

int main(int argc, char **argv)
{
	return kt_main(argc, argv, "Damage.", tests, KT_ARRAY_SIZE(tests));
}
