// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes the PNG that a screen has to show when a guest program has drawn the
 * test card.  The reduction to a format's depth and the expansion back to 8
 * bits are worked out here from the number of bits alone, on their own, so
 * that a mistake in the guest, the driver or the backend does not hide.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pattern/pattern.h"
#include "png_io.h"

struct depth {
	const char *fourcc;
	unsigned int bits[3]; /* of red, green, blue */
};

static const struct depth depths[] = {
	{ "RG16", { 5, 6, 5 } }, { "RG24", { 8, 8, 8 } },
	{ "XR24", { 8, 8, 8 } }, { "AR24", { 8, 8, 8 } },
	{ "XR12", { 4, 4, 4 } }, { "AR12", { 4, 4, 4 } },
	{ "XR15", { 5, 5, 5 } }, { "AR15", { 5, 5, 5 } },
};

#define MAX_PATCHES 8

struct patch {
	uint32_t seed;
	struct pattern_rect area;
};

struct options {
	const struct depth *depth;
	struct pattern pattern;
	struct patch patches[MAX_PATCHES];
	unsigned int patch_count;
	struct pattern_rect cursor; /* width is 0 without one */
	int cursor_x, cursor_y;
	const char *path;
};

/* Keep the top bits, then repeat them downwards until 8 are full. */
static uint32_t through_depth(uint32_t value, unsigned int bits)
{
	uint32_t kept = value >> (8 - bits), wide = 0;
	int shift = 8 - (int)bits;

	for (; shift > -(int)bits; shift -= (int)bits)
		wide |= shift >= 0 ? kept << shift : kept >> -shift;

	return wide;
}

static uint32_t show(const struct depth *depth, uint32_t rgb)
{
	return through_depth(rgb >> 16 & 0xff, depth->bits[0]) << 16 |
	       through_depth(rgb >> 8 & 0xff, depth->bits[1]) << 8 |
	       through_depth(rgb & 0xff, depth->bits[2]);
}

static void paint(struct picture *pic, const struct options *opt,
		  const struct pattern *pattern, struct pattern_rect area,
		  uint32_t *row)
{
	for (unsigned int y = area.y; y < area.y + area.height; y++) {
		pattern_row(pattern, y, row);
		for (unsigned int x = area.x; x < area.x + area.width; x++)
			pic->pixels[(size_t)y * pic->width + x] =
				show(opt->depth, row[x]);
	}
}

static void paint_cursor(struct picture *pic, const struct options *opt)
{
	unsigned int size = opt->cursor.width;

	for (unsigned int i = 0; i < size * size; i++) {
		int x = opt->cursor_x + (int)(i % size);
		int y = opt->cursor_y + (int)(i / size);
		uint32_t argb = pattern_cursor_pixel(size, i % size, i / size);

		if (x < 0 || y < 0 || x >= (int)pic->width ||
		    y >= (int)pic->height || argb >> 24 != 255)
			continue;
		pic->pixels[(size_t)y * pic->width + (unsigned int)x] =
			argb & 0xffffff;
	}
}

static int generate(const struct options *opt)
{
	const struct pattern *pat = &opt->pattern;
	struct pattern_rect whole = { 0, 0, pat->width, pat->height };
	struct picture pic;
	uint32_t *row;
	int err;

	err = picture_init(&pic, pat->width, pat->height);
	if (err)
		return err;
	row = calloc(pat->width, sizeof(*row));
	if (!row) {
		picture_finish(&pic);
		return -ENOMEM;
	}

	paint(&pic, opt, pat, whole, row);
	for (unsigned int i = 0; i < opt->patch_count; i++) {
		struct pattern other = *pat;

		other.seed = opt->patches[i].seed;
		paint(&pic, opt, &other, opt->patches[i].area, row);
	}
	if (opt->cursor.width)
		paint_cursor(&pic, opt);
	err = picture_write_png(&pic, opt->path);
	free(row);
	picture_finish(&pic);

	return err;
}

static void usage(FILE *out)
{
	fputs("usage: mkgolden [--format FOURCC] [--mode WxH] [--seed N] [--frame N]\n"
	      "                [--patch SEED@X,Y,WxH]... [--cursor SIZE@X,Y] FILE.png\n"
	      "Writes what a screen shows of the test card that kms-draw draws with the\n"
	      "same options.\n"
	      "  --format FOURCC   RG16 RG24 XR24 AR24 XR12 AR12 XR15 AR15 (XR24)\n"
	      "  --mode WxH        size of the picture (800x600)\n"
	      "  --seed N          colours and number in the card (0)\n"
	      "  --frame N         number in the bar code (0)\n"
	      "  --patch S@X,Y,WxH this area is of the card with seed S\n"
	      "  --cursor N@X,Y    pointer image of N pixels on top of it all\n",
	      out);
}

static int wrong(const char *what, const char *value)
{
	fprintf(stderr, "mkgolden: %s: '%s'\n", what, value);

	return 2;
}

static bool find_depth(struct options *opt, const char *fourcc)
{
	for (unsigned int i = 0; i < sizeof(depths) / sizeof(depths[0]); i++)
		if (!strcmp(depths[i].fourcc, fourcc))
			opt->depth = &depths[i];

	return opt->depth;
}

static bool parse_patch(struct options *opt, char *text)
{
	char *at = strchr(text, '@');
	struct patch *patch = &opt->patches[opt->patch_count];

	if (!at || opt->patch_count == MAX_PATCHES)
		return false;
	*at = '\0';
	opt->patch_count++;

	return pattern_parse_u32(text, UINT32_MAX, &patch->seed) &&
	       pattern_parse_rect(at + 1, &patch->area);
}

static bool parse_cursor(struct options *opt, const char *text)
{
	char rest;

	return sscanf(text, "%u@%d,%d%c", &opt->cursor.width, &opt->cursor_x,
		      &opt->cursor_y, &rest) == 3 &&
	       opt->cursor.width >= 16 && opt->cursor.width <= 256 &&
	       abs(opt->cursor_x) <= 16384 && abs(opt->cursor_y) <= 16384;
}

static bool patches_fit(const struct options *opt)
{
	for (unsigned int i = 0; i < opt->patch_count; i++) {
		const struct pattern_rect *area = &opt->patches[i].area;

		if (area->x + area->width > opt->pattern.width ||
		    area->y + area->height > opt->pattern.height)
			return false;
	}

	return true;
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "format", required_argument, NULL, 'f' },
		{ "mode", required_argument, NULL, 'm' },
		{ "seed", required_argument, NULL, 's' },
		{ "frame", required_argument, NULL, 'n' },
		{ "patch", required_argument, NULL, 'p' },
		{ "cursor", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct options opt = { .depth = NULL };
	unsigned int width = 800, height = 600;
	const char *format = "XR24";
	uint32_t seed = 0, frame = 0;
	int c, err;

	while ((c = getopt_long(argc, argv, "h", names, NULL)) != -1) {
		bool good = c != '?';

		if (c == 'h') {
			usage(stdout);
			return 0;
		}
		if (c == 'f')
			format = optarg;
		else if (c == 'm')
			good = pattern_parse_size(optarg, &width, &height);
		else if (c == 's')
			good = pattern_parse_u32(optarg, UINT32_MAX, &seed);
		else if (c == 'n')
			good = pattern_parse_u32(optarg, UINT32_MAX, &frame);
		else if (c == 'p')
			good = parse_patch(&opt, optarg);
		else if (c == 'c')
			good = parse_cursor(&opt, optarg);
		if (!good)
			return c == '?' ? 2 : wrong("not understood", optarg);
	}
	if (argc - optind != 1) {
		usage(stderr);
		return 2;
	}
	if (!find_depth(&opt, format))
		return wrong("unknown format", format);
	if (!pattern_init(&opt.pattern, width, height, seed, format))
		return wrong("size out of range for format", format);
	opt.pattern.frame = frame;
	if (!patches_fit(&opt))
		return wrong("a patch is outside of the picture", argv[optind]);

	opt.path = argv[optind];
	err = generate(&opt);
	if (err) {
		fprintf(stderr, "mkgolden: %s: %s\n", opt.path, strerror(-err));
		return 1;
	}

	return 0;
}
