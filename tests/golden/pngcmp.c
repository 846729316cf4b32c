// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Compares a screenshot with a golden picture, exactly.  Where they differ it
 * says how much, where first, and writes a picture that shows it: equal pixels
 * dark grey, different ones in the colour of the difference, at least visible.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../pattern/pattern.h"
#include "png_io.h"

struct difference {
	size_t count;
	unsigned int left, top, right, bottom; /* inclusive */
	unsigned int first_x, first_y;
	unsigned int worst;
};

static unsigned int channel_gap(uint32_t a, uint32_t b, unsigned int shift)
{
	int gap = (int)(a >> shift & 0xff) - (int)(b >> shift & 0xff);

	return (unsigned int)(gap < 0 ? -gap : gap);
}

static uint32_t difference_colour(uint32_t a, uint32_t b, unsigned int *worst)
{
	uint32_t colour = 0;

	for (unsigned int shift = 0; shift < 24; shift += 8) {
		unsigned int gap = channel_gap(a, b, shift);

		if (gap > *worst)
			*worst = gap;
		if (gap)
			colour |= (uint32_t)(gap < 128 ? 127 + gap : 255) << shift;
	}

	return colour;
}

static void note(struct difference *diff, unsigned int x, unsigned int y)
{
	if (!diff->count++) {
		diff->first_x = diff->left = diff->right = x;
		diff->first_y = diff->top = y;
	}
	if (x < diff->left)
		diff->left = x;
	if (x > diff->right)
		diff->right = x;
	diff->bottom = y;
}

/* Turns @got into the picture of the differences. */
static void compare(const struct picture *golden, struct picture *got,
		    struct difference *diff)
{
	memset(diff, 0, sizeof(*diff));
	for (unsigned int y = 0; y < got->height; y++) {
		for (unsigned int x = 0; x < got->width; x++) {
			size_t i = (size_t)y * got->width + x;
			uint32_t a = golden->pixels[i], b = got->pixels[i];

			if (a == b) {
				unsigned int grey = (a >> 18 & 0x3f) / 3 +
						    (a >> 10 & 0x3f) / 3 +
						    (a >> 2 & 0x3f) / 3;

				got->pixels[i] = grey * 0x010101;
				continue;
			}
			note(diff, x, y);
			got->pixels[i] = difference_colour(a, b, &diff->worst);
		}
	}
}

static bool report_frame(const struct picture *pic, const char *path,
			 const char *wanted)
{
	char text[12] = "torn";
	uint32_t frame;
	bool read = pattern_read_frame(pic->width, pic->height, pic->pixels,
				       &frame);

	if (read)
		snprintf(text, sizeof(text), "%u", frame);
	printf("%s: frame %s\n", path, text);

	return wanted ? !strcmp(text, wanted) : read;
}

static int run(const char *golden_path, const char *got_path, const char *out)
{
	struct picture golden, got;
	struct difference diff;
	uint32_t first_golden, first_got;

	if (picture_read_png(&golden, golden_path)) {
		fprintf(stderr, "pngcmp: cannot read %s\n", golden_path);
		return 2;
	}
	if (picture_read_png(&got, got_path)) {
		fprintf(stderr, "pngcmp: cannot read %s, or not opaque\n",
			got_path);
		picture_finish(&golden);
		return 2;
	}
	if (golden.width != got.width || golden.height != got.height) {
		printf("%s: %ux%u, expected %ux%u\n", got_path, got.width,
		       got.height, golden.width, golden.height);
		goto different;
	}

	first_got = got.pixels[0];
	compare(&golden, &got, &diff);
	if (!diff.count) {
		picture_finish(&golden);
		picture_finish(&got);
		return 0;
	}
	first_golden = golden.pixels[(size_t)diff.first_y * golden.width +
				     diff.first_x];
	printf("%s: %zu of %zu pixels differ, in (%u,%u)-(%u,%u), by up to %u; "
	       "first at (%u,%u), expected %06x; top left is %06x\n",
	       got_path, diff.count, (size_t)got.width * got.height, diff.left,
	       diff.top, diff.right, diff.bottom, diff.worst, diff.first_x,
	       diff.first_y, first_golden, first_got);
	if (out && !picture_write_png(&got, out))
		printf("%s: the differences are in %s\n", got_path, out);

different:
	picture_finish(&golden);
	picture_finish(&got);

	return 1;
}

static int frame_only(const char *path, const char *wanted)
{
	struct picture pic;
	bool good;

	if (picture_read_png(&pic, path)) {
		fprintf(stderr, "pngcmp: cannot read %s, or not opaque\n", path);
		return 2;
	}
	good = report_frame(&pic, path, wanted);
	picture_finish(&pic);

	return good ? 0 : 1;
}

static void usage(FILE *out)
{
	fputs("usage: pngcmp GOLDEN.png GOT.png [DIFFERENCE.png]\n"
	      "       pngcmp --frame[=N] GOT.png\n"
	      "Exit status 0: equal; 1: different; 2: cannot tell.\n"
	      "  --frame    print the number in the bar code of the test card;\n"
	      "             with N, the picture is \"different\" if it is another\n",
	      out);
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "frame", optional_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *wanted = NULL;
	bool frame = false;
	int c, left;

	while ((c = getopt_long(argc, argv, "h", names, NULL)) != -1) {
		if (c == 'h') {
			usage(stdout);
			return 0;
		}
		if (c == '?')
			return 2;
		frame = true;
		wanted = optarg;
	}

	left = argc - optind;
	if (frame ? left != 1 : left != 2 && left != 3) {
		usage(stderr);
		return 2;
	}
	if (frame)
		return frame_only(argv[optind], wanted);

	return run(argv[optind], argv[optind + 1],
		   left == 3 ? argv[optind + 2] : NULL);
}
