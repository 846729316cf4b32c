// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The test card, row by row.  Nothing in it is symmetric: a flipped, sheared,
 * shifted, scaled, channel-swapped or half-updated picture never compares equal.
 *
 *   +--------------------------------------------+  1 px border, a colour per edge
 *   | L        red ramp                        L |  corner marks of four lengths
 *   |          green ramp                        |
 *   |          blue ramp, grey ramp              |
 *   |     TITLE                                  |
 *   |     800X600 XR24 #1              .-----.   |
 *   |   [checks][lines][columns]      (  disc )  |  1 px details
 *   |   [noise]                        '-----'   |
 *   |          |||| | || bar code                |
 *   +--------------------------------------------+
 */
#include <stdio.h>
#include <string.h>

#include "pattern.h"

#define RGB(r, g, b) ((uint32_t)(r) << 16 | (uint32_t)(g) << 8 | (uint32_t)(b))
#define WHITE RGB(255, 255, 255)
#define BLACK RGB(0, 0, 0)

static const char title[] = "XEN DISPLAY";

bool pattern_init(struct pattern *pat, unsigned int width, unsigned int height,
		  uint32_t seed, const char *label)
{
	if (width < PATTERN_MIN || width > PATTERN_MAX ||
	    height < PATTERN_MIN || height > PATTERN_MAX)
		return false;

	memset(pat, 0, sizeof(*pat));
	pat->width = width;
	pat->height = height;
	pat->seed = seed;
	if (snprintf(pat->label, sizeof(pat->label), "%s", label) >=
	    (int)sizeof(pat->label))
		return false;

	return true;
}

/* The card is laid out on a grid of at least 40 by 30 units. */
static unsigned int grid_unit(const struct pattern *pat)
{
	unsigned int across = pat->width / 40, down = pat->height / 30;
	unsigned int unit = across < down ? across : down;

	return unit ? unit : 1;
}

static uint32_t hash(uint32_t a, uint32_t b, uint32_t c)
{
	uint32_t h = a * 0x9e3779b1u + b * 0x85ebca77u + c * 0xc2b2ae3du;

	h ^= h >> 15;
	h *= 0x2c1b3c6du;
	h ^= h >> 12;
	h *= 0x297a2d39u;

	return h ^ h >> 15;
}

/* Six orders of the channels, and their inverses: twelve distinct hues. */
static uint32_t turn_hue(uint32_t seed, unsigned int r, unsigned int g,
			 unsigned int b)
{
	uint32_t rgb;

	switch (seed % 6) {
	case 0: rgb = RGB(r, g, b); break;
	case 1: rgb = RGB(b, r, g); break;
	case 2: rgb = RGB(g, b, r); break;
	case 3: rgb = RGB(g, r, b); break;
	case 4: rgb = RGB(r, b, g); break;
	default: rgb = RGB(b, g, r); break;
	}

	return seed / 6 % 2 ? rgb ^ 0xffffff : rgb;
}

static void fill(const struct pattern *pat, uint32_t *row, unsigned int x,
		 unsigned int count, uint32_t rgb)
{
	for (; count && x < pat->width; count--, x++)
		row[x] = rgb;
}

static void draw_ground(const struct pattern *pat, unsigned int y, uint32_t *row)
{
	unsigned int g = y * 255 / (pat->height - 1);

	for (unsigned int x = 0; x < pat->width; x++) {
		unsigned int r = x * 255 / (pat->width - 1);

		row[x] = turn_hue(pat->seed, r, g, 255 - (r + g) / 2);
	}
}

/* From the top left to the bottom right corner, one step per row. */
static void draw_diagonal(const struct pattern *pat, unsigned int y,
			  uint32_t *row)
{
	unsigned int from = y * pat->width / pat->height;
	unsigned int to = (y + 1) * pat->width / pat->height;

	fill(pat, row, from, to > from ? to - from : 1, WHITE);
}

static void draw_ramps(const struct pattern *pat, unsigned int y, uint32_t *row)
{
	unsigned int u = grid_unit(pat), top = 3 * u;
	unsigned int x0 = 5 * u, len = pat->width - 10 * u, band;

	if (y < top || y >= top + 6 * u)
		return;

	band = (y - top) * 2 / (3 * u);
	for (unsigned int i = 0; i < len; i++) {
		unsigned int v = i * 255 / (len - 1);

		if (band == 0)
			row[x0 + i] = RGB(v, 0, 0);
		else if (band == 1)
			row[x0 + i] = RGB(0, v, 0);
		else if (band == 2)
			row[x0 + i] = RGB(0, 0, v);
		else
			row[x0 + i] = RGB(v, v, v);
	}
}

static void draw_text(const struct pattern *pat, unsigned int y, uint32_t *row,
		      struct pattern_rect at, const char *text)
{
	unsigned int scale = at.height / 7;

	if (!scale || y < at.y || y >= at.y + 7 * scale)
		return;

	for (; *text; text++, at.x += 6 * scale) {
		uint8_t bits = pattern_glyph(*text)[(y - at.y) / scale];

		/* column 5 is the gap to the next letter */
		for (unsigned int col = 0; col < 6; col++)
			fill(pat, row, at.x + col * scale, scale,
			     bits << 1 >> (5 - col) & 1 ? WHITE : BLACK);
	}
}

static void draw_words(const struct pattern *pat, unsigned int y, uint32_t *row)
{
	unsigned int u = grid_unit(pat);
	struct pattern_rect at = { .x = 5 * u, .y = 10 * u, .height = 3 * u };
	char line[64];

	draw_text(pat, y, row, at, title);
	snprintf(line, sizeof(line), "%uX%u %s #%u", pat->width, pat->height,
		 pat->label, pat->seed);
	at.y = 27 * u / 2;
	at.height = 2 * u;
	draw_text(pat, y, row, at, line);
}

/* Four square patches with details of one pixel. */
static void draw_details(const struct pattern *pat, unsigned int y,
			 uint32_t *row)
{
	unsigned int u = grid_unit(pat), top = 17 * u, side = 4 * u;

	if (y < top || y >= top + side)
		return;

	for (unsigned int i = 0; i < side; i++) {
		uint32_t *at = row + 3 * u + i;

		at[0] = (i ^ y) & 1 ? WHITE : BLACK;
		at[5 * u] = y & 1 ? RGB(255, 0, 0) : RGB(0, 255, 255);
		at[10 * u] = i & 1 ? RGB(0, 255, 0) : RGB(255, 0, 255);
		at[15 * u] = hash(i, y - top, pat->seed) & 0xffffff;
	}
}

static unsigned int isqrt(unsigned int v)
{
	unsigned int root = 0;

	for (unsigned int bit = 1u << 15; bit; bit >>= 1)
		if ((root | bit) * (root | bit) <= v)
			root |= bit;

	return root;
}

static void draw_disc(const struct pattern *pat, unsigned int y, uint32_t *row)
{
	static const uint32_t stripes[] = {
		RGB(255, 255, 255), RGB(255, 255, 0), RGB(0, 255, 255),
		RGB(0, 255, 0), RGB(255, 0, 255), RGB(255, 0, 0),
		RGB(0, 0, 255), RGB(0, 0, 0),
	};
	unsigned int u = grid_unit(pat), radius = 4 * u;
	unsigned int cx = pat->width - 9 * u, top = 17 * u;
	unsigned int half, dist;

	if (y < top || y >= top + 2 * radius)
		return;

	dist = y < top + radius ? top + radius - y : y - top - radius;
	half = isqrt(radius * radius - dist * dist);
	fill(pat, row, cx - half, 2 * half,
	     stripes[((y - top) / u + pat->seed) % 8]);
}

struct pattern_rect pattern_frame_area(const struct pattern *pat)
{
	unsigned int u = grid_unit(pat);

	return (struct pattern_rect) {
		.x = 4 * u,
		.y = pat->height - 4 * u,
		.width = PATTERN_FRAME_BITS * u,
		.height = 2 * u,
	};
}

/* The upper half holds the bits, the lower half their complement. */
static void draw_frame(const struct pattern *pat, unsigned int y, uint32_t *row)
{
	struct pattern_rect area = pattern_frame_area(pat);
	unsigned int u = grid_unit(pat);
	uint32_t bits = pat->frame;

	if (y < area.y || y >= area.y + area.height)
		return;

	if (y >= area.y + u)
		bits = ~bits;
	for (unsigned int i = 0; i < PATTERN_FRAME_BITS; i++)
		fill(pat, row, area.x + i * u, u,
		     bits >> (PATTERN_FRAME_BITS - 1 - i) & 1 ? WHITE : BLACK);
}

static void draw_corners(const struct pattern *pat, unsigned int y,
			 uint32_t *row)
{
	unsigned int u = grid_unit(pat), thick = (u + 1) / 2;
	unsigned int bottom = pat->height - 1 - y, w = pat->width;

	if (y < 4 * u) {
		unsigned int len = y < thick ? 4 * u : thick;

		fill(pat, row, 0, len, WHITE);
		if (y < 3 * u) {
			len = y < thick ? 3 * u : thick;
			fill(pat, row, w - len, len, RGB(255, 0, 0));
		}
	}
	if (bottom < 2 * u) {
		unsigned int len = bottom < thick ? 2 * u : thick;

		fill(pat, row, 0, len, RGB(0, 255, 0));
		if (bottom < u) {
			len = bottom < thick ? u : thick;
			fill(pat, row, w - len, len, RGB(0, 0, 255));
		}
	}
}

static void draw_border(const struct pattern *pat, unsigned int y,
			uint32_t *row)
{
	if (y == 0)
		fill(pat, row, 0, pat->width, RGB(255, 0, 0));
	if (y == pat->height - 1)
		fill(pat, row, 0, pat->width, RGB(0, 0, 255));
	row[0] = WHITE;
	row[pat->width - 1] = RGB(0, 255, 0);
}

void pattern_row(const struct pattern *pat, unsigned int y, uint32_t *row)
{
	draw_ground(pat, y, row);
	draw_diagonal(pat, y, row);
	draw_ramps(pat, y, row);
	draw_words(pat, y, row);
	draw_details(pat, y, row);
	draw_disc(pat, y, row);
	draw_frame(pat, y, row);
	draw_corners(pat, y, row);
	draw_border(pat, y, row);

	for (unsigned int x = 0; x < pat->width; x++)
		row[x] = (row[x] & 0xffffff) | ((x + 3 * y) & 0xff) << 24;
}

/* True when the middle of a bar is clearly white, false when clearly black. */
static bool read_bar(uint32_t pixel, bool *ret_bit)
{
	unsigned int sum = (pixel >> 16 & 0xff) + (pixel >> 8 & 0xff) +
			   (pixel & 0xff);

	*ret_bit = sum > 384;

	return sum < 96 || sum > 672;
}

bool pattern_read_frame(unsigned int width, unsigned int height,
			const uint32_t *pixels, uint32_t *ret_frame)
{
	struct pattern pat;
	struct pattern_rect area;
	unsigned int u;
	uint32_t frame = 0;

	if (!pattern_init(&pat, width, height, 0, ""))
		return false;
	area = pattern_frame_area(&pat);
	u = grid_unit(&pat);

	for (unsigned int i = 0; i < PATTERN_FRAME_BITS; i++) {
		unsigned int x = area.x + i * u + u / 2, y = area.y + u / 2;
		bool bit, inverse;

		if (!read_bar(pixels[(size_t)y * width + x], &bit) ||
		    !read_bar(pixels[(size_t)(y + u) * width + x], &inverse) ||
		    bit == inverse)
			return false;
		frame = frame << 1 | bit;
	}
	*ret_frame = frame;

	return true;
}

/* An arrow pointing at the top left corner, with a black rim. */
uint32_t pattern_cursor_pixel(unsigned int size, unsigned int x, unsigned int y)
{
	unsigned int rim = size / 16;

	if (x > y || x + y >= size + size / 4 || y >= size || x >= size)
		return 0x00ff00ff;
	if (x < rim || y - x < rim || x + y >= size + size / 4 - rim)
		return 0xff000000;

	return 0xff000000 | RGB(255, 255 - x * 255 / size, 32);
}

bool pattern_parse_u32(const char *text, uint32_t max, uint32_t *ret_value)
{
	uint64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > max)
			return false;
	}
	*ret_value = (uint32_t)value;

	return true;
}

/* One decimal number up to the separator; returns what follows it. */
static const char *parse_part(const char *text, char sep, unsigned int *ret)
{
	const char *end = strchr(text, sep);
	char part[12];
	size_t len = end ? (size_t)(end - text) : 0;
	uint32_t value;

	if (!end || len >= sizeof(part))
		return NULL;
	memcpy(part, text, len);
	part[len] = '\0';
	if (!pattern_parse_u32(part, PATTERN_MAX, &value))
		return NULL;
	*ret = value;

	return end + 1;
}

bool pattern_parse_size(const char *text, unsigned int *ret_width,
			unsigned int *ret_height)
{
	uint32_t height;

	text = parse_part(text, 'x', ret_width);
	if (!text || !pattern_parse_u32(text, PATTERN_MAX, &height))
		return false;
	*ret_height = height;

	return true;
}

bool pattern_parse_rect(const char *text, struct pattern_rect *ret_rect)
{
	text = parse_part(text, ',', &ret_rect->x);
	if (text)
		text = parse_part(text, ',', &ret_rect->y);

	return text && pattern_parse_size(text, &ret_rect->width,
					  &ret_rect->height);
}
