// SPDX-License-Identifier: GPL-2.0-or-later
/* proto/validate.h and proto/limits.h: checks between objects. */
#include "unit.h"

#include "proto/validate.h"

static struct xd_dbuf_create dbuf(uint32_t width, uint32_t height,
				  uint32_t bpp, uint32_t size)
{
	return (struct xd_dbuf_create){
		.cookie = 1, .width = width, .height = height, .bpp = bpp,
		.buffer_sz = size, .nr_pages = (size + 4095) / 4096,
	};
}

static struct xd_fb_attach fb(uint32_t width, uint32_t height, uint32_t fourcc)
{
	return (struct xd_fb_attach){
		.dbuf_cookie = 1, .fb_cookie = 2, .width = width,
		.height = height, .format = xd_format_find(fourcc),
	};
}

static void stride_of_peers(void **state)
{
	static const struct {
		const char *what;
		uint32_t width, height, bpp, ofs, size, likely, stride;
	} cases[] = {
		{ "1080p", 1920, 1080, 32, 0, 7680 * 1080, 1, 7680 },
		{ "1080p, to the page", 1920, 1080, 32, 0, 8294400, 1, 7680 },
		{ "packed, odd", 1367, 768, 16, 0, 2734 * 768, 1, 2734 },
		{ "packed to the page", 1367, 600, 16, 0, 1642496, 1, 2734 },
		{ "8-aligned to the page", 1367, 600, 16, 0, 1642496, 8, 2736 },
		{ "exact is believed", 1367, 600, 16, 0, 1640400, 8, 2734 },
		{ "exact is believed", 1367, 600, 16, 0, 1641600, 1, 2736 },
		{ "4-aligned", 1367, 768, 16, 0, 2736 * 768, 1, 2736 },
		{ "8-aligned", 1366, 600, 16, 0, 2736 * 600, 1, 2736 },
		{ "packed 24", 1366, 768, 24, 0, 4098 * 768, 1, 4098 },
		{ "4-aligned 24", 1366, 768, 24, 0, 4100 * 768, 1, 4100 },
		{ "8-aligned 24", 1366, 768, 24, 0, 4104 * 768, 1, 4104 },
		{ "64-aligned", 1366, 768, 32, 0, 5504 * 768, 1, 5504 },
		{ "1024-aligned", 1366, 768, 32, 0, 6144 * 768, 1, 6144 },
		{ "16 pixels more", 1366, 768, 32, 0, 5528 * 768, 1, 5528 },
		{ "and an offset", 1366, 768, 32, 64, 64 + 5528 * 768, 1, 5528 },
		{ "256-aligned", 1366, 768, 32, 0, 5632 * 768, 1, 5632 },
		{ "one row", 100, 1, 32, 0, 4096, 1, 400 },
		{ "one pixel", 1, 1, 8, 0, 1, 1, 1 },
		{ "with offset", 64, 64, 32, 4096, 20480, 1, 256 },
		{ "offset in a page", 64, 64, 32, 16, 16400, 1, 256 },
		{ "offset, to the page", 64, 64, 32, 16, 20480, 1, 256 },
		{ "largest", 8192, 8192, 32, 0, 1u << 28, 1, 32768 },
	};
	uint32_t stride;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		stride = 0;
		if (xd_infer_stride(cases[i].width, cases[i].height,
				    cases[i].bpp, cases[i].ofs, cases[i].size,
				    cases[i].likely, &stride))
			fail_msg("%s: refused", cases[i].what);
		if (stride != cases[i].stride)
			fail_msg("%s: %u != %u", cases[i].what, stride,
				 cases[i].stride);
	}
}

/* A size in between: two pages too many, one byte too few, and nonsense. */
static void stride_refused(void **state)
{
	static const struct {
		uint32_t width, height, bpp, ofs, size;
	} cases[] = {
		{ 1920, 1080, 32, 0, 8294400 + 4096 },
		{ 1920, 1080, 32, 0, 8294399 },
		{ 1920, 1080, 32, 0, 2 * 8294400 },
		{ 1920, 1080, 32, 1, 8294400 },
		{ 1920, 1080, 32, 0, 1080 * (7680 + 4096) },
		{ 100, 4096, 32, 0, 4096 * 402 },
		{ 64, 64, 32, 8192, 4096 },
		{ 0, 1, 32, 0, 0 },
		{ 1, 0, 32, 0, 0 },
		{ 1, 1, 0, 0, 0 },
		{ 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
		{ 0x40000000, 4, 32, 0, 0 },	/* 2^34 is 0 in 32 bits */
		{ 0x20000001, 8, 32, 0, 32 },
	};
	uint32_t stride;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (xd_infer_stride(cases[i].width, cases[i].height,
				    cases[i].bpp, cases[i].ofs, cases[i].size,
				    1, &stride) != -EINVAL)
			fail_msg("case %zu: not refused", i);
	}
}

static void fb_whole_buffer(void **state)
{
	struct xd_dbuf_create d = dbuf(1920, 1080, 32, 7680 * 1080);
	struct xd_fb_attach f = fb(1920, 1080, XD_FMT_XRGB8888);
	struct xd_fb_layout l;

	assert_int_equal(xd_fb_check(&d, &f, &l), 0);
	assert_int_equal(l.width, 1920);
	assert_int_equal(l.height, 1080);
	assert_int_equal(l.stride, 7680);
	assert_int_equal(l.offset, 0);
	assert_ptr_equal(l.format, f.format);
}

static void fb_part_of_buffer(void **state)
{
	struct xd_dbuf_create d = dbuf(1920, 1080, 32, 7680 * 1080);
	struct xd_fb_attach f = fb(800, 600, XD_FMT_XRGB8888);
	struct xd_fb_layout l;

	/* The buffer's stride stays, whatever the part's width. */
	assert_int_equal(xd_fb_check(&d, &f, &l), 0);
	assert_int_equal(l.stride, 7680);

	/* Half the depth, twice the width: the same rows. */
	f = fb(3840, 1080, XD_FMT_RGB565);
	assert_int_equal(xd_fb_check(&d, &f, &l), 0);
	f = fb(3841, 1080, XD_FMT_RGB565);
	assert_int_equal(xd_fb_check(&d, &f, &l), -EINVAL);
}

static void fb_beyond_buffer(void **state)
{
	struct xd_dbuf_create d = dbuf(1920, 1080, 32, 7680 * 1080);
	struct xd_fb_layout l;
	struct xd_fb_attach f;

	f = fb(1921, 1080, XD_FMT_XRGB8888);
	assert_int_equal(xd_fb_check(&d, &f, &l), -EINVAL);
	f = fb(1920, 1081, XD_FMT_XRGB8888);
	assert_int_equal(xd_fb_check(&d, &f, &l), -EINVAL);
	f = fb(8192, 8192, XD_FMT_XRGB8888);
	assert_int_equal(xd_fb_check(&d, &f, &l), -EINVAL);
	f = fb(0, 1, XD_FMT_XRGB8888);
	assert_int_equal(xd_fb_check(&d, &f, &l), -EINVAL);
	f = fb(1, 0, XD_FMT_XRGB8888);
	assert_int_equal(xd_fb_check(&d, &f, &l), -EINVAL);
}

static void fb_buffer_of_unknown_size(void **state)
{
	struct xd_dbuf_create d = dbuf(0, 0, 0, 2560 * 480);
	struct xd_fb_attach f = fb(640, 480, XD_FMT_XRGB8888);
	struct xd_fb_layout l;

	assert_int_equal(xd_fb_check(&d, &f, &l), 0);
	assert_int_equal(l.stride, 2560);

	f = fb(640, 240, XD_FMT_XRGB8888);
	assert_int_equal(xd_fb_check(&d, &f, &l), -EINVAL);
	f = fb(1024, 768, XD_FMT_XRGB8888);
	assert_int_equal(xd_fb_check(&d, &f, &l), -EINVAL);

	d.data_ofs = 4;
	f = fb(640, 480, XD_FMT_XRGB8888);
	assert_int_equal(xd_fb_check(&d, &f, &l), -EINVAL);
	d.buffer_sz += 4;
	assert_int_equal(xd_fb_check(&d, &f, &l), 0);
	assert_int_equal(l.offset, 4);
}

static void fb_told_layout(void **state)
{
	/* Two pictures side by side in a buffer no stride explains. */
	struct xd_dbuf_create d = dbuf(0, 0, 0, 10000 * 480 + 12345);
	struct xd_fb_attach f = fb(640, 480, XD_FMT_XRGB8888);
	struct xd_fb_layout l;

	assert_int_equal(xd_fb_check(&d, &f, &l), -EINVAL);

	f.has_layout = true;
	f.stride = 10000;
	f.offset = 12345;
	assert_int_equal(xd_fb_check(&d, &f, &l), 0);
	assert_int_equal(l.stride, 10000);
	assert_int_equal(l.offset, 12345);

	/* The last row is only as long as its pixels. */
	f.offset = 12345 + 10000 - 2560;
	assert_int_equal(xd_fb_check(&d, &f, &l), 0);
	f.offset++;
	assert_int_equal(xd_fb_check(&d, &f, &l), -EINVAL);

	f.offset = 0;
	f.stride = 2559;
	assert_int_equal(xd_fb_check(&d, &f, &l), -EINVAL);
	f.stride = UINT32_MAX;
	assert_int_equal(xd_fb_check(&d, &f, &l), -EINVAL);
	f.stride = 2560;
	f.offset = UINT32_MAX;
	assert_int_equal(xd_fb_check(&d, &f, &l), -EINVAL);
	d.data_ofs = UINT32_MAX;
	assert_int_equal(xd_fb_check(&d, &f, &l), -EINVAL);
}

/* Whatever passes can be read without leaving the buffer. */
static void fb_never_leaves_buffer(void **state)
{
	unsigned int seed = 1, passed = 0;
	struct xd_fb_layout l;

	for (int i = 0; i < 200000; i++) {
		uint32_t w = (uint32_t)rand_r(&seed) % 70 + 1;
		uint32_t h = (uint32_t)rand_r(&seed) % 70 + 1;
		struct xd_dbuf_create d = dbuf(w, h, 32,
			(uint32_t)rand_r(&seed) % 20000 + 1);
		struct xd_fb_attach f = fb((uint32_t)rand_r(&seed) % 80 + 1,
			(uint32_t)rand_r(&seed) % 80 + 1,
			xd_formats[rand_r(&seed) % XD_NUM_FORMATS].fourcc);

		if (rand_r(&seed) % 4 == 0)
			d.width = d.height = d.bpp = 0;
		d.data_ofs = (uint32_t)rand_r(&seed) % 64;
		f.has_layout = rand_r(&seed) % 2;
		f.stride = (uint32_t)rand_r(&seed) % 400;
		f.offset = (uint32_t)rand_r(&seed) % 400;
		if (xd_fb_check(&d, &f, &l))
			continue;
		passed++;
		assert_in_range(l.offset + (uint64_t)l.stride * (l.height - 1) +
				(uint64_t)l.width * l.format->cpp,
				1, d.buffer_sz);
		assert_true(l.stride >= l.width * l.format->cpp);
	}
	assert_in_range(passed, 1000, 200000);
}

static int fit(struct xd_set_config *cfg, uint32_t max_width,
	       uint32_t max_height, const struct xd_fb_layout *layout)
{
	const struct xd_screen screen = {
		max_width, max_height, max_width, max_height, max_width,
		max_height
	};

	return xd_set_config_fit(cfg, &screen, layout);
}

static void config_bounds(void **state)
{
	struct xd_fb_layout l = {
		.format = xd_format_find(XD_FMT_RGB565), .width = 800,
		.height = 600,
	};
	struct xd_set_config c = { .fb_cookie = 2, .width = 800, .height = 600,
				   .bpp = 16 };

	assert_int_equal(fit(&c, 800, 600, &l), 0);
	assert_int_equal(fit(&c, 799, 600, &l), -EINVAL);
	assert_int_equal(fit(&c, 800, 599, &l), -EINVAL);
	c.x = 1;
	assert_int_equal(fit(&c, 800, 600, &l), -EINVAL);
	c.x = UINT32_MAX;
	assert_int_equal(fit(&c, 800, 600, &l), -EINVAL);
	c.x = 0;
	c.bpp = 32;
	assert_int_equal(fit(&c, 800, 600, &l), -EINVAL);
	c = (struct xd_set_config){ .off = true };
	assert_int_equal(fit(&c, 0, 0, NULL), 0);
}

/* One framebuffer over two screens: each shows its part of it, and no more. */
static void config_spread(void **state)
{
	const struct xd_fb_layout l = {
		.format = xd_format_find(XD_FMT_XRGB8888), .width = 1440,
		.height = 600,
	};
	const struct xd_set_config whole = { .fb_cookie = 2, .width = 1440,
					     .height = 600, .bpp = 32 };
	struct xd_screen screen = { 800, 600, 800, 600, 1440, 1080 };
	struct xd_set_config c = whole;

	assert_int_equal(xd_set_config_fit(&c, &screen, &l), 0);
	assert_int_equal(c.x, 0);
	assert_int_equal(c.width, 800);
	assert_int_equal(c.height, 600);

	screen = (struct xd_screen){ 640, 480, 640, 480, 1440, 1080 };
	c = whole;
	c.x = 800;
	c.y = 120;
	assert_int_equal(xd_set_config_fit(&c, &screen, &l), 0);
	assert_int_equal(c.x, 800);
	assert_int_equal(c.y, 120);
	assert_int_equal(c.width, 640);
	assert_int_equal(c.height, 480);

	for (int i = 0; i < 5; i++) {
		c = whole;
		c.x = 800 + (i == 0);
		c.y = i == 1 ? 121 : i == 2 ? UINT32_MAX : 0;
		c.width -= i == 3;
		if (i == 4)
			screen.all_width++;	/* they do not all fit in */
		assert_int_equal(xd_set_config_fit(&c, &screen, &l), -EINVAL);
	}
}

static void modes_together(void **state)
{
	const uint64_t max = 3840 * 2160 * 4 + 800 * 600 * 4;
	const uint64_t others = 3840 * 2160;

	assert_int_equal(xd_modes_check(0, 3840, 2160, max), 0);
	assert_int_equal(xd_modes_check(others, 800, 600, max), 0);
	assert_int_equal(xd_modes_check(others, 801, 600, max), -ENOSPC);
	assert_int_equal(xd_modes_check(others, 800, 600, max - 1), -ENOSPC);
	assert_int_equal(xd_modes_check(UINT64_MAX, 1, 1, UINT64_MAX), -ENOSPC);
	assert_int_equal(xd_modes_check(UINT64_MAX / 4, 1, 1, UINT64_MAX),
			 -ENOSPC);
	assert_int_equal(xd_modes_check(0, UINT32_MAX, UINT32_MAX, max),
			 -ENOSPC);
	/* by default the largest, or four 4K windows of three buffers */
	assert_int_equal(xd_modes_check(0, 8192, 8192,
					xd_limits_default.max_bytes), 0);
	assert_int_equal(xd_modes_check(11 * 3840 * 2160, 3840, 2160,
					xd_limits_default.max_bytes), 0);
	assert_int_equal(xd_modes_check(8192 * 8192, 8192, 8192,
					xd_limits_default.max_bytes), -ENOSPC);
}

static void flip_damage_bounds(void **state)
{
	struct xd_fb_layout l = { .width = 800, .height = 600 };
	struct xd_pg_flip f = { .fb_cookie = 2, .nr_damage = 2, .damage = {
		{ 0, 0, 800, 600 }, { 799, 599, 800, 600 } } };

	assert_int_equal(xd_pg_flip_check(&f, &l), 0);
	f.damage[1].x2 = 801;
	assert_int_equal(xd_pg_flip_check(&f, &l), -EINVAL);
	f.damage[1].x2 = 800;
	f.damage[1].y2 = 601;
	assert_int_equal(xd_pg_flip_check(&f, &l), -EINVAL);
	f.nr_damage = 1;
	assert_int_equal(xd_pg_flip_check(&f, &l), 0);
}

static void limits_dbufs(void **state)
{
	const struct xd_limits limits = {
		.max_dbufs = 3, .max_fbs = 2, .max_bytes = 1000,
		.max_dbuf_bytes = 600,
	};
	struct xd_usage u = { 0 };

	assert_int_equal(xd_usage_add_dbuf(&u, &limits, 601), -ENOSPC);
	assert_int_equal(xd_usage_add_dbuf(&u, &limits, 600), 0);
	assert_int_equal(xd_usage_add_dbuf(&u, &limits, 401), -ENOSPC);
	assert_int_equal(xd_usage_add_dbuf(&u, &limits, UINT64_MAX), -ENOSPC);
	assert_int_equal(xd_usage_add_dbuf(&u, &limits, 1), 0);
	assert_int_equal(xd_usage_add_dbuf(&u, &limits, 1), 0);
	assert_int_equal(xd_usage_add_dbuf(&u, &limits, 1), -ENOSPC);
	assert_int_equal(u.dbufs, 3);
	assert_int_equal(u.bytes, 602);
	xd_usage_del_dbuf(&u, 600);
	assert_int_equal(xd_usage_add_dbuf(&u, &limits, 598), 0);
	xd_usage_del_dbuf(&u, 1);
	xd_usage_del_dbuf(&u, 1);
	assert_int_equal(u.bytes, 598);
	assert_int_equal(xd_usage_add_dbuf(&u, &limits, 402), 0);
	assert_int_equal(u.bytes, 1000);
	xd_usage_del_dbuf(&u, 402);
	xd_usage_del_dbuf(&u, 598);
	assert_int_equal(u.dbufs, 0);
}

static void limits_fbs(void **state)
{
	const struct xd_limits limits = { .max_fbs = 2 };
	struct xd_usage u = { 0 };

	assert_int_equal(xd_usage_add_fb(&u, &limits), 0);
	assert_int_equal(xd_usage_add_fb(&u, &limits), 0);
	assert_int_equal(xd_usage_add_fb(&u, &limits), -ENOSPC);
	xd_usage_del_fb(&u);
	assert_int_equal(xd_usage_add_fb(&u, &limits), 0);
	assert_int_equal(u.fbs, 2);
}

/*
 * Two 4K monitors with triple buffering must fit, or 8192x8192; and with all pages
 * mapped, twice as a PV dom0 does, a quarter of Xen's default of 1024 frames of 256
 * mappings is left for the other backends.
 */
static void limits_default(void **state)
{
	struct xd_usage u = { 0 };

	assert_in_range(xd_limits_default.max_bytes / 4096 * 2, 0,
			1024 * 256 * 3 / 4);
	assert_int_equal(xd_usage_add_dbuf(&u, &xd_limits_default,
					   8192u * 8192u * 4u), 0);
	xd_usage_del_dbuf(&u, 8192u * 8192u * 4u);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(xd_usage_add_dbuf(&u, &xd_limits_default,
						   3840 * 2160 * 4), 0);
		assert_int_equal(xd_usage_add_fb(&u, &xd_limits_default), 0);
	}
	assert_true(xd_limits_default.max_requests_per_turn > 0);
}

int main(void)
{
	const struct CMUnitTest validate_tests[] = {
		TEST(stride_of_peers, "stride-of-peers"),
		TEST(stride_refused, "stride-refused"),
		TEST(fb_whole_buffer, "fb-whole-buffer"),
		TEST(fb_part_of_buffer, "fb-part-of-buffer"),
		TEST(fb_beyond_buffer, "fb-beyond-buffer"),
		TEST(fb_buffer_of_unknown_size, "fb-buffer-of-unknown-size"),
		TEST(fb_told_layout, "fb-told-layout"),
		TEST(fb_never_leaves_buffer, "fb-never-leaves-buffer"),
		TEST(config_bounds, "config-bounds"),
		TEST(config_spread, "config-spread"),
		TEST(modes_together, "modes-together"),
		TEST(flip_damage_bounds, "flip-damage-bounds"),
		TEST(limits_dbufs, "limits-dbufs"),
		TEST(limits_fbs, "limits-fbs"),
		TEST(limits_default, "limits-default"),
	};

	return cmocka_run_group_tests(validate_tests, NULL, NULL);
}
