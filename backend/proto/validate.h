/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks between objects: framebuffer against buffer, mode against connector,
 * damage against framebuffer. All arithmetic is in 64 bit and checked.
 */
#ifndef XD_PROTO_VALIDATE_H
#define XD_PROTO_VALIDATE_H

#include <stdint.h>

#include "proto/decode.h"

/**
 * struct xd_fb_layout - where the pixels of a framebuffer are
 * @format:	pixel format
 * @width, @height: pixels
 * @stride:	bytes from row to row, at least width * cpp
 * @offset:	bytes from the start of the buffer's first page to pixel (0,0)
 *
 * The last byte that is ever read lies at
 * offset + stride * (height - 1) + width * cpp - 1 < buffer_sz.
 */
struct xd_fb_layout {
	const struct xd_format *format;
	uint32_t width;
	uint32_t height;
	uint32_t stride;
	uint64_t offset;
};

/**
 * xd_infer_stride() - the stride that the protocol does not carry
 * @width, @height: of the picture that fills the buffer, not 0
 * @bpp:	bits per pixel, not 0
 * @data_ofs:	bytes before the picture
 * @buffer_sz:	bytes of the buffer
 * @likely_align: 1 or a power of two from 4 to 256: the rounding to believe
 *		when several strides fill the same number of pages
 * @ret_stride:	bytes from row to row
 *
 * Takes that of the strides which peers use (packed, or rounded up to a power
 * of two from 4 to 256 bytes) which explains @buffer_sz: to the byte, else to
 * the page; there the one of @likely_align is taken first, then the smallest.
 * When none does: any that explains it to the byte, with less than a page, and
 * less than a row, between rows of whole pixels. Else the buffer is refused.
 *
 * Return: 0, or -EINVAL.
 */
int xd_infer_stride(uint32_t width, uint32_t height, uint32_t bpp,
		    uint32_t data_ofs, uint32_t buffer_sz,
		    uint32_t likely_align, uint32_t *ret_stride);

/**
 * xd_fb_check() - a framebuffer against the buffer it is to show
 * @dbuf:	the buffer, as it was created
 * @fb:		the framebuffer
 * @ret_layout:	filled in on success
 *
 * Return: 0, or -EINVAL when the buffer does not hold such a picture.
 */
int xd_fb_check(const struct xd_dbuf_create *dbuf,
		const struct xd_fb_attach *fb,
		struct xd_fb_layout *ret_layout);

/**
 * struct xd_screen - what a connector can show
 * @width, @height: pixels, as configured
 * @max_width, @max_height: the largest mode it was ever offered with
 * @all_width, @all_height: of all of the guest's connectors side by side, and
 *		above each other; the connector's own if it is the only one
 */
struct xd_screen {
	uint32_t width;
	uint32_t height;
	uint32_t max_width;
	uint32_t max_height;
	uint64_t all_width;
	uint64_t all_height;
};

/**
 * xd_set_config_fit() - a mode against connector and framebuffer
 * @cfg:	the request; nothing to check when it switches off. On success
 *		@x, @y are where in the framebuffer the picture begins, and
 *		@width, @height are the mode's
 * @screen:	the connector
 * @layout:	the framebuffer that @cfg names
 *
 * Linux's frontend names a framebuffer's size, not the mode's, and where in it
 * the screen is: with one framebuffer for all screens (Xorg), side by side or
 * above each other, that is more than a connector shows. Then the mode is the
 * configured one.
 *
 * Return: 0, or -EINVAL when the picture leaves the connector or the depth
 * is not the framebuffer's.
 */
int xd_set_config_fit(struct xd_set_config *cfg, const struct xd_screen *screen,
		      const struct xd_fb_layout *layout);

/**
 * xd_modes_check() - a mode against all that the guest has
 * @others:	pixels of all other pictures that its output may hold
 * @width, @height: of this one's
 * @max_bytes:	of all pictures together
 *
 * Outputs keep pictures of each connector, 32 bits each pixel.
 *
 * Return: 0, or -ENOSPC.
 */
int xd_modes_check(uint64_t others, uint32_t width, uint32_t height,
		   uint64_t max_bytes);

/**
 * xd_pg_flip_check() - damage of a flip against its framebuffer
 * Return: 0, or -EINVAL when a rectangle leaves the framebuffer.
 */
int xd_pg_flip_check(const struct xd_pg_flip *flip,
		     const struct xd_fb_layout *layout);

#endif /* XD_PROTO_VALIDATE_H */
