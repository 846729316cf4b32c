/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pictures: conversion of the guest's formats to XRGB8888, damage regions.
 * No I/O; PNG files are written by png.h.
 */
#ifndef XD_IMAGE_IMAGE_H
#define XD_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pixman.h>

#include "proto/format.h"

/**
 * struct xd_image - pixels in memory
 * @format:	pixel format
 * @width, @height: pixels
 * @stride:	bytes from row to row, at least width * cpp; need not be a
 *		multiple of anything
 * @data:	pixel (0,0)
 *
 * Of a source, stride * (height - 1) + width * cpp bytes are readable; it may
 * be guest memory, which changes while it is read.
 */
struct xd_image {
	const struct xd_format *format;
	uint32_t width;
	uint32_t height;
	uint32_t stride;
	const void *data;
};

/**
 * struct xd_canvas - an XRGB8888 picture of our own; the X byte is undefined
 * @width, @height: pixels
 * @stride:	bytes from row to row, a multiple of 4
 * @data:	pixel (0,0), 4-byte aligned
 */
struct xd_canvas {
	uint32_t width;
	uint32_t height;
	uint32_t stride;
	uint32_t *data;
};

/* Are they the same pixels? */
bool xd_image_same(const struct xd_image *a, const struct xd_image *b);

/* A black canvas on the heap: 0, -EINVAL (size 0 or above 8192), -ENOMEM. */
int xd_canvas_init(struct xd_canvas *canvas, uint32_t width, uint32_t height);
void xd_canvas_finish(struct xd_canvas *canvas);

/**
 * xd_image_copy() - bring a picture to a canvas, pixel for pixel at (0,0)
 * @canvas:	where to
 * @src:	what; an alpha channel is ignored, as below a primary plane there
 *		is nothing but black and colours are premultiplied
 * @region:	part of @src to bring, NULL for all of it; clipped to both
 *
 * Without a conversion to do this is memcpy.
 *
 * Return: bytes written to the canvas, -ENOMEM.
 */
int64_t xd_image_copy(struct xd_canvas *canvas, const struct xd_image *src,
		      const pixman_region32_t *region);

/* The same, and black where @region is beyond @src. */
int64_t xd_image_paint(struct xd_canvas *canvas, const struct xd_image *src,
		       const pixman_region32_t *region);

/* Black there. */
void xd_canvas_blacken(struct xd_canvas *canvas,
		       const pixman_region32_t *region);

/**
 * struct xd_damage - what changed of a picture since it was last taken
 * Keeps one region, always inside width x height.
 */
struct xd_damage {
	uint32_t width;
	uint32_t height;
	pixman_region32_t region;
};

/* Begins as damaged whole: nothing of the picture has been taken yet. */
void xd_damage_init(struct xd_damage *damage, uint32_t width, uint32_t height);
void xd_damage_finish(struct xd_damage *damage);

/* Add one rectangle, end exclusive, clipped; an empty one adds nothing. */
void xd_damage_add(struct xd_damage *damage, uint32_t x1, uint32_t y1,
		   uint32_t x2, uint32_t y2);
void xd_damage_add_all(struct xd_damage *damage);

/* Add all of @other; both have the same size. */
void xd_damage_merge(struct xd_damage *damage, const struct xd_damage *other);

void xd_damage_clear(struct xd_damage *damage);
bool xd_damage_empty(const struct xd_damage *damage);

/* How many pixels are damaged. */
uint64_t xd_damage_pixels(const struct xd_damage *damage);

#endif /* XD_IMAGE_IMAGE_H */
