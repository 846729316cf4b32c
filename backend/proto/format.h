/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pixel formats of the protocol: the eight that every peer knows. */
#ifndef XD_PROTO_FORMAT_H
#define XD_PROTO_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#define XD_FOURCC(a, b, c, d)						\
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 |	\
	 (uint32_t)(d) << 24)

/* Same values as DRM_FORMAT_*: little-endian pixels. */
#define XD_FMT_RGB565	XD_FOURCC('R', 'G', '1', '6')
#define XD_FMT_RGB888	XD_FOURCC('R', 'G', '2', '4')
#define XD_FMT_XRGB8888	XD_FOURCC('X', 'R', '2', '4')
#define XD_FMT_ARGB8888	XD_FOURCC('A', 'R', '2', '4')
#define XD_FMT_XRGB4444	XD_FOURCC('X', 'R', '1', '2')
#define XD_FMT_ARGB4444	XD_FOURCC('A', 'R', '1', '2')
#define XD_FMT_XRGB1555	XD_FOURCC('X', 'R', '1', '5')
#define XD_FMT_ARGB1555	XD_FOURCC('A', 'R', '1', '5')

#define XD_NUM_FORMATS	8

/**
 * struct xd_format - one pixel format
 * @fourcc:	code on the wire
 * @name:	for logs and tools, "XRGB8888"
 * @cpp:	bytes per pixel
 * @bpp:	bits per pixel, what SET_CONFIG carries (8 * cpp)
 * @has_alpha:	the pixels carry alpha
 */
struct xd_format {
	uint32_t fourcc;
	const char *name;
	uint8_t cpp;
	uint8_t bpp;
	bool has_alpha;
};

extern const struct xd_format xd_formats[XD_NUM_FORMATS];

/* The format with this code, or NULL when it is none of ours. */
const struct xd_format *xd_format_find(uint32_t fourcc);

/* The same without alpha: where nothing is below, that does not count. */
const struct xd_format *xd_format_opaque(const struct xd_format *format);

#endif /* XD_PROTO_FORMAT_H */
