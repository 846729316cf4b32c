// SPDX-License-Identifier: GPL-2.0-or-later
#include <stddef.h>

#include "proto/format.h"

#define FORMAT(fmt, bytes, alpha)					\
	{								\
		.fourcc = XD_FMT_##fmt,					\
		.name = #fmt,						\
		.cpp = (bytes),						\
		.bpp = 8 * (bytes),					\
		.has_alpha = (alpha),					\
	}

const struct xd_format xd_formats[XD_NUM_FORMATS] = {
	FORMAT(RGB565, 2, false),
	FORMAT(RGB888, 3, false),
	FORMAT(XRGB8888, 4, false),
	FORMAT(ARGB8888, 4, true),
	FORMAT(XRGB4444, 2, false),
	FORMAT(ARGB4444, 2, true),
	FORMAT(XRGB1555, 2, false),
	FORMAT(ARGB1555, 2, true),
};

const struct xd_format *xd_format_find(uint32_t fourcc)
{
	for (size_t i = 0; i < XD_NUM_FORMATS; i++)
		if (xd_formats[i].fourcc == fourcc)
			return &xd_formats[i];
	return NULL;
}

const struct xd_format *xd_format_opaque(const struct xd_format *format)
{
	/* "AR24" and "XR24" */
	return format->has_alpha ?
		xd_format_find((format->fourcc & ~0xffu) | 'X') : format;
}
