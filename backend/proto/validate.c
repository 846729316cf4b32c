// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "proto/validate.h"

/* A product and a sum of untrusted numbers; true when it does not fit. */
static bool mul_add(uint64_t a, uint64_t b, uint64_t c, uint64_t *ret)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ||
	       __builtin_add_overflow(product, c, ret);
}

static uint64_t round_up(uint64_t value, uint64_t power_of_two)
{
	return (value + power_of_two - 1) & ~(power_of_two - 1);
}

/* Rows of whole pixels, with not too much between them, that fill @bytes. */
static bool divides(uint64_t bytes, uint32_t height, uint32_t bpp,
		    uint64_t packed)
{
	uint64_t stride = bytes / height;

	return bytes % height == 0 && bpp % 8 == 0 && stride % (bpp / 8) == 0 &&
	       stride > packed && stride < 2 * packed &&
	       stride - packed < XD_PAGE_SIZE;
}

int xd_infer_stride(uint32_t width, uint32_t height, uint32_t bpp,
		    uint32_t data_ofs, uint32_t buffer_sz,
		    uint32_t likely_align, uint32_t *ret_stride)
{
	uint64_t packed, end, paged = 0;

	if (!width || !height || !bpp ||
	    mul_add(width, bpp, 7, &packed))
		return -EINVAL;
	packed /= 8;

	for (uint32_t align = 1; align <= 256; align *= 2) {
		uint64_t stride = round_up(packed, align);

		if (align == 2 || stride > UINT32_MAX)
			continue;
		if (mul_add(stride, height, data_ofs, &end))
			return -EINVAL;
		if (end == buffer_sz) {
			*ret_stride = (uint32_t)stride;
			return 0;
		}
		if ((!paged || align == likely_align) && end <= buffer_sz &&
		    round_up(end, XD_PAGE_SIZE) ==
		    round_up(buffer_sz, XD_PAGE_SIZE))
			paged = stride;
	}
	if (!paged) {
		uint64_t bytes = (uint64_t)buffer_sz - data_ofs;

		if (data_ofs > buffer_sz ||
		    !divides(bytes, height, bpp, packed))
			return -EINVAL;
		paged = bytes / height;
	}

	*ret_stride = (uint32_t)paged;
	return 0;
}

/* Stride and offset of a framebuffer: told, or those of its whole buffer. */
static int fb_place(const struct xd_dbuf_create *dbuf,
		    const struct xd_fb_attach *fb, uint32_t *ret_stride,
		    uint64_t *ret_offset)
{
	*ret_offset = dbuf->data_ofs;
	if (fb->has_layout) {
		*ret_stride = fb->stride;
		*ret_offset += fb->offset;
		return 0;
	}
	/*
	 * Of the frontends that tell a picture's size, those which pack rows
	 * tell the bytes exactly; those which tell whole pages align to 8.
	 * Imported buffers are whole pages, their exporters mostly pack.
	 */
	if (dbuf->width)
		return xd_infer_stride(dbuf->width, dbuf->height, dbuf->bpp,
				       dbuf->data_ofs, dbuf->buffer_sz, 8,
				       ret_stride);
	return xd_infer_stride(fb->width, fb->height, fb->format->bpp,
			       dbuf->data_ofs, dbuf->buffer_sz, 1, ret_stride);
}

int xd_fb_check(const struct xd_dbuf_create *dbuf,
		const struct xd_fb_attach *fb,
		struct xd_fb_layout *ret_layout)
{
	uint64_t row = (uint64_t)fb->width * fb->format->cpp;
	uint64_t offset, end;
	uint32_t stride;
	int ret;

	if (!fb->width || !fb->height)
		return -EINVAL;
	ret = fb_place(dbuf, fb, &stride, &offset);
	if (ret)
		return ret;

	/* The last row need not be as long as the stride. */
	if (row > stride || mul_add(stride, fb->height - 1, offset, &end) ||
	    __builtin_add_overflow(end, row, &end) || end > dbuf->buffer_sz)
		return -EINVAL;

	*ret_layout = (struct xd_fb_layout){
		.format = fb->format,
		.width = fb->width,
		.height = fb->height,
		.stride = stride,
		.offset = offset,
	};
	return 0;
}

/* All of a framebuffer, of which the screen is a part. */
static bool is_spread(const struct xd_set_config *cfg,
		      const struct xd_screen *screen,
		      const struct xd_fb_layout *layout)
{
	if (layout->width < screen->all_width &&
	    layout->height < screen->all_height)
		return false;
	if (screen->all_width == screen->width)
		return false;
	return cfg->width == layout->width && cfg->height == layout->height &&
	       (uint64_t)cfg->x + screen->width <= layout->width &&
	       (uint64_t)cfg->y + screen->height <= layout->height;
}

int xd_set_config_fit(struct xd_set_config *cfg, const struct xd_screen *screen,
		      const struct xd_fb_layout *layout)
{
	if (cfg->off)
		return 0;
	if (cfg->bpp != layout->format->bpp)
		return -EINVAL;
	if (!cfg->x && !cfg->y && cfg->width <= screen->max_width &&
	    cfg->height <= screen->max_height)
		return 0;
	if (!is_spread(cfg, screen, layout))
		return -EINVAL;
	cfg->width = screen->width;
	cfg->height = screen->height;
	return 0;
}

int xd_modes_check(uint64_t others, uint32_t width, uint32_t height,
		   uint64_t max_bytes)
{
	uint64_t pixels, bytes;

	if (mul_add(width, height, others, &pixels) ||
	    mul_add(pixels, 4, 0, &bytes) || bytes > max_bytes)
		return -ENOSPC;
	return 0;
}

int xd_pg_flip_check(const struct xd_pg_flip *flip,
		     const struct xd_fb_layout *layout)
{
	for (unsigned int i = 0; i < flip->nr_damage; i++) {
		if (flip->damage[i].x2 > layout->width ||
		    flip->damage[i].y2 > layout->height)
			return -EINVAL;
	}
	return 0;
}
