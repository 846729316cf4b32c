/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The test card: one picture, defined once by integer arithmetic alone, drawn
 * by the guest programs and by the golden generator.  What happens between the
 * two (packing into a format, the wire, expansion to RGB) is not in here.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#define PATTERN_LABEL_MAX 24

/**
 * struct pattern - what decides every pixel of a picture
 * @width: in pixels, at least PATTERN_MIN
 * @height: in pixels, at least PATTERN_MIN
 * @seed: changes colours, noise and the printed number
 * @frame: shown as a bar code at the bottom only, cheap to draw again
 * @label: upper-case text in the picture, usually the format's FOURCC
 */
struct pattern {
	unsigned int width;
	unsigned int height;
	uint32_t seed;
	uint32_t frame;
	char label[PATTERN_LABEL_MAX];
};

struct pattern_rect {
	unsigned int x, y, width, height;
};

#define PATTERN_MIN 64u
#define PATTERN_MAX 8192u
#define PATTERN_FRAME_BITS 32

bool pattern_init(struct pattern *pat, unsigned int width, unsigned int height,
		  uint32_t seed, const char *label);

/*
 * One row of the picture, @width pixels, each 0xAARRGGBB.  The alpha values
 * run from 0 to 255 on purpose: a screen has to show the colours regardless.
 */
void pattern_row(const struct pattern *pat, unsigned int y, uint32_t *row);

/* Where the bar code of the frame number is. */
struct pattern_rect pattern_frame_area(const struct pattern *pat);

/* The frame number read back from rows of 0xAARRGGBB; false if it is torn. */
bool pattern_read_frame(unsigned int width, unsigned int height,
			const uint32_t *pixels, uint32_t *ret_frame);

/*
 * A square pointer image: colours are not premultiplied, alpha is 0 or 255.
 * @size is 16 to 256.
 */
uint32_t pattern_cursor_pixel(unsigned int size, unsigned int x, unsigned int y);

/* "X,Y,WxH", the whole string; false when it is anything else. */
bool pattern_parse_rect(const char *text, struct pattern_rect *ret_rect);
/* "WxH", the whole string. */
bool pattern_parse_size(const char *text, unsigned int *ret_width,
			unsigned int *ret_height);
/* A decimal number no larger than @max, the whole string. */
bool pattern_parse_u32(const char *text, uint32_t max, uint32_t *ret_value);

/* The 5x7 font: one byte per row, bit 4 is the leftmost column. */
const uint8_t *pattern_glyph(char c);

#endif
