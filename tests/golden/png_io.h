/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PNG_IO_H
#define PNG_IO_H

#include <stdint.h>

/**
 * struct picture - 8 bit per channel, opaque, no padding between rows
 * @width: in pixels
 * @height: in pixels
 * @pixels: @width * @height values 0x00RRGGBB, owned by the picture
 */
struct picture {
	unsigned int width;
	unsigned int height;
	uint32_t *pixels;
};

/* 0 or -errno.  The pixels of a new picture are black. */
int picture_init(struct picture *pic, unsigned int width, unsigned int height);
void picture_finish(struct picture *pic);

/*
 * Any PNG without transparency; a pixel that is not opaque is an error
 * (-EDOM), because a screen has none.
 */
int picture_read_png(struct picture *pic, const char *path);
int picture_write_png(const struct picture *pic, const char *path);

#endif
