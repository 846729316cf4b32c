// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

#define MAX_DIMENSION	8192u
#define CPP		4u	/* bytes per pixel of a canvas */

int xd_canvas_init(struct xd_canvas *canvas, uint32_t width, uint32_t height)
{
	*canvas = (struct xd_canvas){ 0 };
	if (!width || !height || width > MAX_DIMENSION ||
	    height > MAX_DIMENSION)
		return -EINVAL;

	canvas->data = calloc(height, (size_t)width * CPP);
	if (!canvas->data)
		return -ENOMEM;
	canvas->width = width;
	canvas->height = height;
	canvas->stride = width * CPP;
	return 0;
}

bool xd_image_same(const struct xd_image *a, const struct xd_image *b)
{
	return a->data == b->data && a->format == b->format &&
		a->width == b->width && a->height == b->height &&
		a->stride == b->stride;
}

void xd_canvas_finish(struct xd_canvas *canvas)
{
	free(canvas->data);
	*canvas = (struct xd_canvas){ 0 };
}

static bool is_copy(uint32_t fourcc)
{
	return fourcc == XD_FMT_XRGB8888 || fourcc == XD_FMT_ARGB8888;
}

/* Alpha is not looked at, so each ARGB format is read as its XRGB twin. */
static pixman_format_code_t pixman_format(uint32_t fourcc)
{
	switch (fourcc) {
	case XD_FMT_RGB565:
		return PIXMAN_r5g6b5;
	case XD_FMT_RGB888:
		return PIXMAN_r8g8b8;
	case XD_FMT_XRGB4444:
	case XD_FMT_ARGB4444:
		return PIXMAN_x4r4g4b4;
	case XD_FMT_XRGB1555:
	case XD_FMT_ARGB1555:
		return PIXMAN_x1r5g5b5;
	default:
		return PIXMAN_x8r8g8b8;
	}
}

static const uint8_t *src_pixel(const struct xd_image *src, int x, int y)
{
	return (const uint8_t *)src->data + (size_t)y * src->stride +
	       (size_t)x * src->format->cpp;
}

static uint8_t *canvas_pixel(const struct xd_canvas *canvas, int x, int y)
{
	return (uint8_t *)canvas->data + (size_t)y * canvas->stride +
	       (size_t)x * CPP;
}

static void copy_box(struct xd_canvas *canvas, const struct xd_image *src,
		     const pixman_box32_t *box)
{
	size_t row = (size_t)(box->x2 - box->x1) * CPP;

	if (row == canvas->stride && row == src->stride) {
		memcpy(canvas_pixel(canvas, 0, box->y1),
		       src_pixel(src, 0, box->y1),
		       row * (size_t)(box->y2 - box->y1));
		return;
	}
	for (int y = box->y1; y < box->y2; y++)
		memcpy(canvas_pixel(canvas, box->x1, y),
		       src_pixel(src, box->x1, y), row);
}

/**
 * struct converter - pixman's view of a copy that converts
 * @dst:	the canvas
 * @src:	the source, or one row of it in @bounce
 * @bounce:	NULL, or memory for a row: pixman wants strides and addresses
 *		that are multiples of 4, which a guest's need not be
 */
struct converter {
	pixman_image_t *dst;
	pixman_image_t *src;
	uint32_t *bounce;
};

static void converter_finish(struct converter *conv)
{
	if (conv->src)
		pixman_image_unref(conv->src);
	if (conv->dst)
		pixman_image_unref(conv->dst);
	free(conv->bounce);
}

static int converter_init(struct converter *conv,
			  const struct xd_canvas *canvas,
			  const struct xd_image *src)
{
	const pixman_format_code_t format = pixman_format(src->format->fourcc);
	const int width = (int)src->width;
	bool aligned = src->stride % 4 == 0 && (uintptr_t)src->data % 4 == 0;
	size_t row = ((size_t)src->width * src->format->cpp + 3) & ~(size_t)3;

	*conv = (struct converter){ 0 };
	if (!aligned) {
		conv->bounce = calloc(1, row);
		if (!conv->bounce)
			return -ENOMEM;
	}

	conv->dst = pixman_image_create_bits_no_clear(
		PIXMAN_x8r8g8b8, (int)canvas->width, (int)canvas->height,
		canvas->data, (int)canvas->stride);
	/* The source is only read: pixman's type has no const. */
	conv->src = pixman_image_create_bits_no_clear(
		format, width, aligned ? (int)src->height : 1,
		aligned ? (uint32_t *)(uintptr_t)src->data : conv->bounce,
		aligned ? (int)src->stride : (int)row);
	if (!conv->dst || !conv->src) {
		converter_finish(conv);
		return -ENOMEM;
	}
	return 0;
}

static void convert_box(struct converter *conv, const struct xd_image *src,
			const pixman_box32_t *box)
{
	const int width = box->x2 - box->x1;

	if (!conv->bounce) {
		pixman_image_composite32(PIXMAN_OP_SRC, conv->src, NULL,
					 conv->dst, box->x1, box->y1, 0, 0,
					 box->x1, box->y1, width,
					 box->y2 - box->y1);
		return;
	}
	for (int y = box->y1; y < box->y2; y++) {
		memcpy(conv->bounce, src_pixel(src, box->x1, y),
		       (size_t)width * src->format->cpp);
		pixman_image_composite32(PIXMAN_OP_SRC, conv->src, NULL,
					 conv->dst, 0, 0, 0, 0, box->x1, y,
					 width, 1);
	}
}

static int64_t copy_region(struct xd_canvas *canvas,
			   const struct xd_image *src,
			   const pixman_region32_t *region)
{
	struct converter conv;
	bool convert = !is_copy(src->format->fourcc);
	int64_t pixels = 0;
	const pixman_box32_t *box;
	int n, ret;

	if (convert) {
		ret = converter_init(&conv, canvas, src);
		if (ret)
			return ret;
	}

	box = pixman_region32_rectangles((pixman_region32_t *)region, &n);
	for (int i = 0; i < n; i++) {
		if (convert)
			convert_box(&conv, src, &box[i]);
		else
			copy_box(canvas, src, &box[i]);
		pixels += (int64_t)(box[i].x2 - box[i].x1) *
			  (box[i].y2 - box[i].y1);
	}

	if (convert)
		converter_finish(&conv);
	return pixels * CPP;
}

int64_t xd_image_copy(struct xd_canvas *canvas, const struct xd_image *src,
		      const pixman_region32_t *region)
{
	uint32_t width = src->width < canvas->width ? src->width :
						      canvas->width;
	uint32_t height = src->height < canvas->height ? src->height :
							 canvas->height;
	pixman_region32_t clipped;
	int64_t ret;

	pixman_region32_init_rect(&clipped, 0, 0, width, height);
	if (region && !pixman_region32_intersect(&clipped, &clipped,
						 (pixman_region32_t *)region))
		ret = -ENOMEM;
	else
		ret = copy_region(canvas, src, &clipped);
	pixman_region32_fini(&clipped);
	return ret;
}

void xd_canvas_blacken(struct xd_canvas *canvas,
		       const pixman_region32_t *region)
{
	pixman_region32_t clipped;
	const pixman_box32_t *box;
	int i, n;

	pixman_region32_init(&clipped);
	pixman_region32_intersect_rect(&clipped, (pixman_region32_t *)region,
				       0, 0, canvas->width, canvas->height);
	box = pixman_region32_rectangles(&clipped, &n);
	for (i = 0; i < n; i++)
		pixman_fill(canvas->data, (int)canvas->stride / 4, 32,
			    box[i].x1, box[i].y1, box[i].x2 - box[i].x1,
			    box[i].y2 - box[i].y1, 0);
	pixman_region32_fini(&clipped);
}

int64_t xd_image_paint(struct xd_canvas *canvas, const struct xd_image *src,
		       const pixman_region32_t *region)
{
	pixman_region32_t inside, outside;
	int64_t ret = xd_image_copy(canvas, src, region);

	if (ret < 0 ||
	    (src->width >= canvas->width && src->height >= canvas->height))
		return ret;
	pixman_region32_init_rect(&inside, 0, 0, src->width, src->height);
	pixman_region32_init(&outside);
	if (pixman_region32_subtract(&outside, (pixman_region32_t *)region,
				     &inside))
		xd_canvas_blacken(canvas, &outside);
	else
		ret = -ENOMEM;
	pixman_region32_fini(&outside);
	pixman_region32_fini(&inside);
	return ret;
}
