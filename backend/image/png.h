/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PNG files, 8-bit RGB without alpha.
 */
#ifndef XD_IMAGE_PNG_H
#define XD_IMAGE_PNG_H

#include "image/image.h"

/**
 * xd_png_encode() - a canvas as a PNG in memory
 * @ret_data:	heap memory, free() it
 * @ret_size:	bytes in it
 *
 * Fast compression: a screenshot is taken while the guest waits for frames.
 *
 * Return: 0, -EINVAL for an empty canvas, -ENOMEM.
 */
int xd_png_encode(const struct xd_canvas *canvas, void **ret_data,
		  size_t *ret_size);

/* The same into a descriptor, which stays open; also -errno of write(2). */
int xd_png_write(const struct xd_canvas *canvas, int fd);

#endif /* XD_IMAGE_PNG_H */
