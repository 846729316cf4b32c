// SPDX-License-Identifier: GPL-2.0-or-later
/* image/: conversion against an arithmetic of its own, damage, PNG. */
#include "unit.h"

#include <fcntl.h>
#include <unistd.h>

#include <png.h>

#include "image/image.h"
#include "image/png.h"

/* n bits as 8: the pattern repeated, so that full stays full. */
static uint32_t widen(uint32_t value, int bits)
{
	if (bits == 8)
		return value;
	if (bits == 4)
		return value << 4 | value;
	if (bits == 5)
		return value << 3 | value >> 2;
	return value << 2 | value >> 4;		/* 6 */
}

/* What a pixel must become, from its bytes in memory. */
static uint32_t expected(const struct xd_format *f, const uint8_t *p)
{
	uint32_t v = 0;
	int r, g, b;

	for (int i = 0; i < f->cpp; i++)
		v |= (uint32_t)p[i] << (8 * i);
	switch (f->fourcc) {
	case XD_FMT_RGB565:
		r = 5, g = 6, b = 5;
		break;
	case XD_FMT_XRGB4444:
	case XD_FMT_ARGB4444:
		r = g = b = 4;
		break;
	case XD_FMT_XRGB1555:
	case XD_FMT_ARGB1555:
		r = g = b = 5;
		break;
	default:
		r = g = b = 8;
		break;
	}
	return widen(v >> (g + b) & ((1u << r) - 1), r) << 16 |
	       widen(v >> b & ((1u << g) - 1), g) << 8 |
	       widen(v & ((1u << b) - 1), b);
}

struct picture {
	struct xd_image image;
	uint8_t *memory;
};

/* Exactly the bytes the contract promises, so that ASan sees one too many. */
static void picture_init(struct picture *p, const struct xd_format *f,
			 uint32_t width, uint32_t height, uint32_t stride,
			 size_t misalign)
{
	size_t size = (size_t)stride * (height - 1) + (size_t)width * f->cpp;
	unsigned int seed = stride;

	p->memory = malloc(size + misalign);
	for (size_t i = 0; i < size + misalign; i++)
		p->memory[i] = (uint8_t)rand_r(&seed);
	p->image = (struct xd_image){
		.format = f, .width = width, .height = height,
		.stride = stride, .data = p->memory + misalign,
	};
}

static uint32_t canvas_at(const struct xd_canvas *c, uint32_t x, uint32_t y)
{
	return c->data[y * (c->stride / 4) + x] & 0xffffff;
}

static void check_pixels(const struct xd_canvas *c, const struct xd_image *s,
			 uint32_t x1, uint32_t y1, uint32_t x2, uint32_t y2)
{
	for (uint32_t y = 0; y < c->height; y++) {
		for (uint32_t x = 0; x < c->width; x++) {
			const uint8_t *p = (const uint8_t *)s->data +
				(size_t)y * s->stride + x * s->format->cpp;
			bool in = x >= x1 && x < x2 && y >= y1 && y < y2;
			uint32_t want = in ? expected(s->format, p) : 0;

			if (canvas_at(c, x, y) != want)
				fail_msg("%s stride %u (%u,%u): %06x != %06x",
					 s->format->name, s->stride, x, y,
					 canvas_at(c, x, y), want);
		}
	}
}

static void all_formats(void **state)
{
	static const uint32_t widths[] = { 1, 7, 64, 333 };

	for (size_t f = 0; f < XD_NUM_FORMATS; f++) {
		for (size_t w = 0; w < ARRAY_SIZE(widths); w++) {
			const uint32_t packed = widths[w] * xd_formats[f].cpp;

			/* Packed, off by one, aligned, and wide rows. */
			for (uint32_t extra = 0; extra < 9; extra++) {
				struct xd_canvas c;
				struct picture p;

				picture_init(&p, &xd_formats[f], widths[w], 20,
					     packed + extra, extra % 5);
				assert_int_equal(xd_canvas_init(&c, widths[w],
								20), 0);
				assert_int_equal(xd_image_copy(&c, &p.image,
							       NULL),
						 widths[w] * 20 * 4);
				check_pixels(&c, &p.image, 0, 0, widths[w], 20);
				xd_canvas_finish(&c);
				free(p.memory);
			}
		}
	}
}

/* Every value of the 16-bit formats. */
static void all_values(void **state)
{
	for (size_t f = 0; f < XD_NUM_FORMATS; f++) {
		struct xd_canvas c;
		struct picture p;

		if (xd_formats[f].cpp != 2)
			continue;
		picture_init(&p, &xd_formats[f], 256, 256, 512, 0);
		for (uint32_t v = 0; v < 65536; v++) {
			p.memory[2 * v] = v & 0xff;
			p.memory[2 * v + 1] = (uint8_t)(v >> 8);
		}
		assert_int_equal(xd_canvas_init(&c, 256, 256), 0);
		assert_int_equal(xd_image_copy(&c, &p.image, NULL), 262144);
		check_pixels(&c, &p.image, 0, 0, 256, 256);
		xd_canvas_finish(&c);
		free(p.memory);
	}
}

static void only_the_region(void **state)
{
	for (size_t f = 0; f < XD_NUM_FORMATS; f++) {
		for (uint32_t extra = 0; extra < 5; extra++) {
			pixman_region32_t region;
			struct xd_canvas c;
			struct picture p;

			picture_init(&p, &xd_formats[f], 50, 40,
				     50 * xd_formats[f].cpp + extra, 0);
			assert_int_equal(xd_canvas_init(&c, 50, 40), 0);
			pixman_region32_init_rect(&region, 11, 7, 13, 9);
			assert_int_equal(xd_image_copy(&c, &p.image, &region),
					 13 * 9 * 4);
			check_pixels(&c, &p.image, 11, 7, 24, 16);
			pixman_region32_fini(&region);
			xd_canvas_finish(&c);
			free(p.memory);
		}
	}
}

/* Black where the region is beyond the picture, and nothing outside of it. */
static void paints_black(void **state)
{
	pixman_region32_t region;
	struct xd_canvas c, copy;
	struct picture p;

	picture_init(&p, &xd_formats[0], 10, 8, 10 * xd_formats[0].cpp, 0);
	assert_int_equal(xd_canvas_init(&copy, 10, 8), 0);
	assert_int_equal(xd_image_copy(&copy, &p.image, NULL), 10 * 8 * 4);
	assert_int_equal(xd_canvas_init(&c, 20, 16), 0);
	memset(c.data, 0xaa, (size_t)c.stride * 16);
	pixman_region32_init_rect(&region, 0, 0, 15, 9000);
	assert_int_equal(xd_image_paint(&c, &p.image, &region), 10 * 8 * 4);
	for (uint32_t y = 0; y < 8; y++)
		for (uint32_t x = 0; x < 10; x++)
			assert_int_equal(canvas_at(&c, x, y),
					 canvas_at(&copy, x, y));
	for (uint32_t y = 0; y < 16; y++)
		for (uint32_t x = y < 8 ? 10 : 0; x < 20; x++)
			assert_int_equal(c.data[y * (c.stride / 4) + x],
					 x < 15 ? 0 : 0xaaaaaaaa);
	pixman_region32_fini(&region);
	xd_canvas_finish(&copy);
	xd_canvas_finish(&c);
	free(p.memory);
}

static void clips(void **state)
{
	static const struct {
		uint32_t sw, sh, cw, ch;
	} cases[] = { { 50, 40, 30, 60 }, { 30, 60, 50, 40 },
		      { 10, 10, 50, 40 }, { 50, 40, 10, 10 } };

	for (size_t f = 0; f < XD_NUM_FORMATS; f++) {
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			uint32_t sw = cases[i].sw, sh = cases[i].sh;
			uint32_t cw = cases[i].cw, ch = cases[i].ch;
			uint32_t w = sw < cw ? sw : cw, h = sh < ch ? sh : ch;
			pixman_region32_t region;
			struct xd_canvas c;
			struct picture p;

			picture_init(&p, &xd_formats[f], sw, sh,
				     sw * xd_formats[f].cpp, 0);
			assert_int_equal(xd_canvas_init(&c, cw, ch), 0);
			pixman_region32_init_rect(&region, -5, -5, 9000, 9000);
			assert_int_equal(xd_image_copy(&c, &p.image, &region),
					 w * h * 4);
			check_pixels(&c, &p.image, 0, 0, w, h);
			pixman_region32_fini(&region);
			xd_canvas_finish(&c);
			free(p.memory);
		}
	}
}

static void canvas_sizes(void **state)
{
	struct xd_canvas c;

	assert_int_equal(xd_canvas_init(&c, 0, 1), -EINVAL);
	assert_int_equal(xd_canvas_init(&c, 1, 0), -EINVAL);
	assert_int_equal(xd_canvas_init(&c, 8193, 1), -EINVAL);
	assert_int_equal(xd_canvas_init(&c, 1, 8193), -EINVAL);
	xd_canvas_finish(&c);
	assert_int_equal(xd_canvas_init(&c, 3, 2), 0);
	assert_int_equal(c.stride, 12);
	assert_int_equal(c.data[5], 0);
	xd_canvas_finish(&c);
}

static void damage_adds_up(void **state)
{
	struct xd_damage d, e;

	xd_damage_init(&d, 100, 50);
	assert_int_equal(xd_damage_pixels(&d), 5000);
	xd_damage_clear(&d);
	assert_true(xd_damage_empty(&d));
	assert_int_equal(xd_damage_pixels(&d), 0);

	xd_damage_add(&d, 0, 0, 10, 10);
	xd_damage_add(&d, 5, 5, 15, 15);
	assert_int_equal(xd_damage_pixels(&d), 175);
	xd_damage_add(&d, 90, 40, 200, 60);	/* clipped to 10x10 */
	assert_int_equal(xd_damage_pixels(&d), 275);
	xd_damage_add(&d, 20, 20, 20, 30);	/* empty */
	xd_damage_add(&d, 30, 20, 20, 30);	/* inverted */
	xd_damage_add(&d, 100, 0, 101, 50);	/* outside */
	xd_damage_add(&d, UINT32_MAX - 1, 0, UINT32_MAX, UINT32_MAX);
	assert_int_equal(xd_damage_pixels(&d), 275);

	xd_damage_init(&e, 100, 50);
	xd_damage_clear(&e);
	xd_damage_add(&e, 50, 0, 51, 1);
	xd_damage_merge(&d, &e);
	assert_int_equal(xd_damage_pixels(&d), 276);
	xd_damage_add_all(&d);
	assert_int_equal(xd_damage_pixels(&d), 5000);
	assert_false(xd_damage_empty(&d));
	xd_damage_finish(&d);
	xd_damage_finish(&e);
}

static void check_png(const void *data, size_t size, const struct xd_canvas *c)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	uint8_t *rgb;

	assert_int_not_equal(png_image_begin_read_from_memory(&image, data,
							      size), 0);
	assert_int_equal(image.width, c->width);
	assert_int_equal(image.height, c->height);
	assert_int_equal(image.format, PNG_FORMAT_RGB);
	rgb = malloc(PNG_IMAGE_SIZE(image));
	assert_int_not_equal(png_image_finish_read(&image, NULL, rgb, 0, NULL),
			     0);
	for (uint32_t i = 0; i < c->width * c->height; i++) {
		uint32_t want = canvas_at(c, i % c->width, i / c->width);
		uint32_t got = (uint32_t)rgb[3 * i] << 16 |
			       (uint32_t)rgb[3 * i + 1] << 8 | rgb[3 * i + 2];

		if (got != want)
			fail_msg("pixel %u: %06x != %06x", i, got, want);
	}
	free(rgb);
}

static void png_round_trip(void **state)
{
	struct xd_canvas c;
	unsigned int seed = 3;
	FILE *file = tmpfile();
	size_t size, len;
	void *data;
	char *again;

	assert_int_equal(xd_canvas_init(&c, 123, 45), 0);
	for (size_t i = 0; i < 123 * 45; i++)
		c.data[i] = (uint32_t)rand_r(&seed) * 2u;
	assert_int_equal(xd_png_encode(&c, &data, &size), 0);
	check_png(data, size, &c);

	assert_non_null(file);
	assert_int_equal(xd_png_write(&c, fileno(file)), 0);
	again = malloc(size + 1);
	rewind(file);
	len = fread(again, 1, size + 1, file);
	assert_int_equal(len, size);
	assert_memory_equal(again, data, size);
	free(again);
	free(data);
	fclose(file);
	xd_canvas_finish(&c);
}

static void png_errors(void **state)
{
	struct xd_canvas none = { 0 }, c;
	size_t size;
	void *data;
	int full;

	assert_int_equal(xd_png_encode(&none, &data, &size), -EINVAL);
	assert_int_equal(xd_canvas_init(&c, 4, 4), 0);
	assert_int_equal(xd_png_write(&c, -1), -EBADF);
	full = open("/dev/full", O_WRONLY);
	assert_true(full >= 0);
	assert_int_equal(xd_png_write(&c, full), -ENOSPC);
	close(full);
	xd_canvas_finish(&c);
}

int main(void)
{
	const struct CMUnitTest image_tests[] = {
		TEST(all_formats, "all-formats"),
		TEST(all_values, "all-values"),
		TEST(only_the_region, "only-the-region"),
		TEST(paints_black, "paints-black"),
		TEST(clips, "clips"),
		TEST(canvas_sizes, "canvas-sizes"),
		TEST(damage_adds_up, "damage-adds-up"),
		TEST(png_round_trip, "png-round-trip"),
		TEST(png_errors, "png-errors"),
	};

	return cmocka_run_group_tests(image_tests, NULL, NULL);
}
