// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "edid/edid.h"

#define DEFAULT_REFRESH_HZ	60
#define DEFAULT_NAME		"Xen PV"
#define MAX_IMAGE_MM		2550	/* 255 cm, what the base block holds */
#define TEXT_LEN		13

/* CRT-less blanking as VESA's CVT-RB has it: fixed, but for vblank's length. */
#define H_FRONT			48
#define H_SYNC			32
#define H_BLANK			160
#define V_FRONT			3
#define V_BACK_MIN		6
#define V_BLANK_MIN_US		460

/* Readers take a slower pixel clock than 10 MHz for no timing at all. */
#define MIN_RATE		10000000u
#define MIN_RATE_LINES		120u

/* Lengths in pixels and lines, the clock in units of 10 kHz. */
struct timing {
	uint32_t width;
	uint32_t height;
	uint32_t h_blank;
	uint32_t v_sync;
	uint32_t v_blank;
	uint32_t clock;
};

/* Standard modes offered beside the preferred one, as they are encoded. */
static const struct {
	uint16_t width;
	uint16_t height;
	uint8_t aspect;		/* 0: 16:10, 1: 4:3, 2: 5:4, 3: 16:9 */
} standard_modes[] = {
	{ 2048, 1152, 3 },
	{ 1920, 1200, 0 },
	{ 1920, 1080, 3 },
	{ 1680, 1050, 0 },
	{ 1600, 1200, 1 },
	{ 1600, 900, 3 },
	{ 1440, 900, 0 },
	{ 1280, 1024, 2 },
	{ 1280, 800, 0 },
	{ 1280, 720, 3 },
};

#define NR_STANDARD_SLOTS	8

static void put_u16(uint8_t *p, uint32_t value)
{
	p[0] = value & 0xff;
	p[1] = value >> 8 & 0xff;
}

static void put_u32(uint8_t *p, uint32_t value)
{
	put_u16(p, value);
	put_u16(p + 2, value >> 16);
}

/* The byte that makes a sum of 0 with the @len bytes before it. */
static uint8_t checksum(const uint8_t *p, size_t len)
{
	uint8_t sum = 0;

	while (len--)
		sum = (uint8_t)(sum + *p++);
	return (uint8_t)-sum;
}

/* The length of CVT's vertical sync names the aspect ratio. */
static uint32_t cvt_v_sync(uint32_t width, uint32_t height)
{
	static const struct {
		uint8_t x, y, lines;
	} known[] = {
		{ 4, 3, 4 }, { 16, 9, 5 }, { 16, 10, 6 }, { 5, 4, 7 },
		{ 15, 9, 7 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (width * known[i].y == height * known[i].x)
			return known[i].lines;
	return 10;
}

/* Small pictures get more blanking: lines first, or the pixels overflow. */
static void stretch_blanking(struct timing *t, uint32_t hz)
{
	uint32_t line;

	if (t->height + t->v_blank < MIN_RATE_LINES)
		t->v_blank = MIN_RATE_LINES - t->height;
	line = MIN_RATE / ((t->height + t->v_blank) * hz) + 1;
	if (line > t->width + H_BLANK)
		t->h_blank = line - t->width;
}

static uint64_t pixel_rate(const struct timing *t, uint32_t hz)
{
	return (uint64_t)(t->width + t->h_blank) * (t->height + t->v_blank) *
	       hz;
}

static struct timing make_timing(uint32_t width, uint32_t height, uint32_t hz)
{
	struct timing t = {
		.width = width,
		.height = height,
		.h_blank = H_BLANK,
		.v_sync = cvt_v_sync(width, height),
	};
	uint64_t active_us = 1000000 / hz - V_BLANK_MIN_US;

	/* Lines that pass in the shortest allowed vblank. */
	t.v_blank = (uint32_t)((uint64_t)V_BLANK_MIN_US * height / active_us) +
		    1;
	if (t.v_blank < V_FRONT + t.v_sync + V_BACK_MIN)
		t.v_blank = V_FRONT + t.v_sync + V_BACK_MIN;

	if (pixel_rate(&t, hz) < MIN_RATE)
		stretch_blanking(&t, hz);
	t.clock = (uint32_t)((pixel_rate(&t, hz) + 5000) / 10000);
	return t;
}

static bool fits_base_block(const struct timing *t)
{
	return t->width <= 0xfff && t->height <= 0xfff && t->clock <= 0xffff;
}

static void put_detailed_timing(uint8_t *p, const struct timing *t,
				uint32_t width_mm, uint32_t height_mm)
{
	put_u16(p, t->clock);
	p[2] = t->width & 0xff;
	p[3] = t->h_blank & 0xff;
	p[4] = (uint8_t)(t->width >> 8 << 4 | t->h_blank >> 8);
	p[5] = t->height & 0xff;
	p[6] = t->v_blank & 0xff;
	p[7] = (uint8_t)(t->height >> 8 << 4 | t->v_blank >> 8);
	p[8] = H_FRONT;
	p[9] = H_SYNC;
	p[10] = (uint8_t)(V_FRONT << 4 | t->v_sync);
	p[11] = 0;		/* high bits of the four above */
	p[12] = width_mm & 0xff;
	p[13] = height_mm & 0xff;
	p[14] = (uint8_t)(width_mm >> 8 << 4 | height_mm >> 8);
	p[17] = 0x1a;		/* digital separate sync, +hsync, -vsync */
}

static uint8_t printable(char c)
{
	return c >= 0x20 && c <= 0x7e ? (uint8_t)c : '?';
}

/* A text descriptor: 13 bytes, ended by a line feed, padded with blanks. */
static void put_text(uint8_t *p, uint8_t tag, const char *text)
{
	size_t i, len = strnlen(text, TEXT_LEN);

	while (len && text[len - 1] == ' ')
		len--;
	p[3] = tag;
	for (i = 0; i < TEXT_LEN; i++)
		p[5 + i] = i < len ? printable(text[i]) :
			   i == len ? '\n' : ' ';
}

static const char *last_chars(const char *text, size_t n)
{
	size_t len = strlen(text);

	return len > n ? text + len - n : text;
}

/* FNV-1a */
static uint32_t hash(const char *text)
{
	uint32_t h = 2166136261u;

	while (*text)
		h = (h ^ (uint8_t)*text++) * 16777619u;
	return h;
}

/* 640x480, 800x600 and 1024x768 at 60 Hz have bits, the others slots. */
static void put_modes(uint8_t *edid, uint32_t width, uint32_t height)
{
	uint8_t *slot = edid + 38;
	size_t used = 0;

	if (width >= 640 && height >= 480)
		edid[35] |= 0x20;
	if (width >= 800 && height >= 600)
		edid[35] |= 0x01;
	if (width >= 1024 && height >= 768)
		edid[36] |= 0x08;

	memset(slot, 0x01, 2 * NR_STANDARD_SLOTS);
	for (size_t i = 0;
	     i < sizeof(standard_modes) / sizeof(standard_modes[0]); i++) {
		uint32_t w = standard_modes[i].width;
		uint32_t h = standard_modes[i].height;

		if (w > width || h > height || (w == width && h == height))
			continue;
		if (used++ == NR_STANDARD_SLOTS)
			break;
		*slot++ = (uint8_t)(w / 8 - 31);
		*slot++ = (uint8_t)(standard_modes[i].aspect << 6);
	}
}

static void put_base_block(uint8_t *edid, const struct xd_edid_params *p,
			   const struct timing *t, bool extended)
{
	static const uint8_t header[] = {
		0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00,
		0x60, 0xae,		/* "XEN" */
		0x01, 0x00,		/* product 1 */
	};
	static const uint8_t srgb[] = {
		0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54,
	};
	bool serial = p->unique_id && *p->unique_id;

	memcpy(edid, header, sizeof(header));
	if (serial)
		put_u32(edid + 12, hash(p->unique_id));
	edid[16] = 0xff;		/* model year: */
	edid[17] = 2024 - 1990;
	edid[18] = 1;			/* EDID 1.4 */
	edid[19] = 4;
	edid[20] = 0xa0;		/* digital, 8 bits per colour */
	edid[21] = (uint8_t)((p->width_mm + 5) / 10);
	edid[22] = (uint8_t)((p->height_mm + 5) / 10);
	edid[23] = 120;			/* gamma 2.2 */
	edid[24] = 0x06;		/* sRGB, first timing is native */
	memcpy(edid + 25, srgb, sizeof(srgb));
	put_modes(edid, p->width, p->height);

	put_detailed_timing(edid + 54, t, p->width_mm, p->height_mm);
	put_text(edid + 72, 0xfc, p->name);
	if (serial)
		put_text(edid + 90, 0xff, last_chars(p->unique_id, TEXT_LEN));
	else
		edid[93] = 0x10;	/* dummy descriptor */
	edid[111] = 0x10;
	edid[126] = extended;
	edid[127] = checksum(edid, 127);
}

/* DisplayID type I timing; every length is stored less one. */
static size_t put_displayid_timing(uint8_t *p, const struct timing *t)
{
	p[0] = 0x03;
	p[2] = 20;
	put_u16(p + 3, t->clock - 1);
	p[5] = (uint8_t)((t->clock - 1) >> 16);
	p[6] = 0x88;			/* preferred, aspect ratio not named */
	put_u16(p + 7, t->width - 1);
	put_u16(p + 9, t->h_blank - 1);
	put_u16(p + 11, (H_FRONT - 1) | 0x8000);	/* +hsync */
	put_u16(p + 13, H_SYNC - 1);
	put_u16(p + 15, t->height - 1);
	put_u16(p + 17, t->v_blank - 1);
	put_u16(p + 19, V_FRONT - 1);			/* -vsync */
	put_u16(p + 21, t->v_sync - 1);
	return 23;
}

static size_t put_displayid_product(uint8_t *p, const char *unique_id)
{
	p[0] = 0x00;
	p[2] = 12;
	memcpy(p + 3, "XEN", 3);
	put_u16(p + 6, 1);
	put_u32(p + 8, unique_id ? hash(unique_id) : 0);
	p[12] = 0xff;			/* model year: */
	p[13] = 2024 - 2000;
	return 15;
}

static size_t put_displayid_params(uint8_t *p, const struct xd_edid_params *e)
{
	p[0] = 0x01;
	p[2] = 12;
	put_u16(p + 3, e->width_mm * 10);
	put_u16(p + 5, e->height_mm * 10);
	put_u16(p + 7, e->width);
	put_u16(p + 9, e->height);
	p[12] = 120;			/* gamma 2.2 */
	p[13] = (uint8_t)(e->width >= e->height ?
			  (e->width * 100 + e->height / 2) / e->height - 100 :
			  (e->height * 100 + e->width / 2) / e->width - 100);
	p[14] = 0x77;			/* 8 bits per colour */
	return 15;
}

static size_t put_displayid_interface(uint8_t *p)
{
	p[0] = 0x0f;
	p[2] = 10;
	p[3] = 0xa1;			/* DisplayPort, one link */
	p[4] = 0x12;			/* version 1.2 */
	p[5] = 0x02;			/* RGB, 8 bits per colour */
	return 13;
}

static void put_displayid_block(uint8_t *ext, const struct xd_edid_params *p,
				const struct timing *t)
{
	uint8_t *section = ext + 1;
	uint8_t *at = section + 4;

	ext[0] = 0x70;
	section[0] = 0x12;		/* DisplayID 1.2 */
	section[2] = 0x03;		/* a monitor */
	at += put_displayid_product(at, p->unique_id);
	at += put_displayid_params(at, p);
	at += put_displayid_interface(at);
	at += put_displayid_timing(at, t);
	section[1] = (uint8_t)(at - section - 4);
	*at = checksum(section, (size_t)(at - section));
	ext[127] = checksum(ext, 127);
}

/* Fill in what the caller left open; false when out of range. */
static bool complete(struct xd_edid_params *p)
{
	if (p->width < XD_EDID_MIN_DIMENSION ||
	    p->width > XD_EDID_MAX_DIMENSION ||
	    p->height < XD_EDID_MIN_DIMENSION ||
	    p->height > XD_EDID_MAX_DIMENSION)
		return false;
	if (!p->refresh_hz)
		p->refresh_hz = DEFAULT_REFRESH_HZ;
	if (p->refresh_hz < XD_EDID_MIN_REFRESH ||
	    p->refresh_hz > XD_EDID_MAX_REFRESH)
		return false;

	if (!p->width_mm || !p->height_mm) {
		p->width_mm = (p->width * 254 + 480) / 960;
		p->height_mm = (p->height * 254 + 480) / 960;
	}
	/* Below 1 cm the base block's bytes would mean an aspect ratio. */
	if (p->width_mm < 10)
		p->width_mm = 10;
	if (p->height_mm < 10)
		p->height_mm = 10;
	if (p->width_mm > MAX_IMAGE_MM)
		p->width_mm = MAX_IMAGE_MM;
	if (p->height_mm > MAX_IMAGE_MM)
		p->height_mm = MAX_IMAGE_MM;
	if (!p->name || !*p->name)
		p->name = DEFAULT_NAME;
	return true;
}

int xd_edid_generate(const struct xd_edid_params *params, uint8_t *buf,
		     size_t size)
{
	struct xd_edid_params p = *params;
	struct timing wanted, base;
	bool extended;
	int ret;

	if (!complete(&p))
		return -EINVAL;

	wanted = make_timing(p.width, p.height, p.refresh_hz);
	base = wanted;
	while (!fits_base_block(&base))
		base = make_timing(base.width / 2, base.height / 2,
				   p.refresh_hz);
	extended = base.width != wanted.width;
	ret = extended ? 2 * XD_EDID_BLOCK : XD_EDID_BLOCK;
	if (size < (size_t)ret)
		return -ENOSPC;

	memset(buf, 0, (size_t)ret);
	put_base_block(buf, &p, &base, extended);
	if (extended)
		put_displayid_block(buf + XD_EDID_BLOCK, &p, &wanted);
	return ret;
}
