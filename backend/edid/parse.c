// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "edid/edid.h"

#define DESCRIPTOR_SIZE		18
#define NR_DESCRIPTORS		4
#define TEXT_LEN		13

#define EXT_DISPLAYID		0x70
#define DISPLAYID_TYPE_I	0x03
#define TYPE_I_SIZE		20

static uint32_t get_u16(const uint8_t *p)
{
	return (uint32_t)(p[0] | p[1] << 8);
}

static bool sum_is_zero(const uint8_t *p, size_t len)
{
	uint8_t sum = 0;

	while (len--)
		sum = (uint8_t)(sum + *p++);
	return sum == 0;
}

/* Text up to the line feed, printable characters only, blanks cut off. */
static void get_text(const uint8_t *p, char ret[XD_EDID_TEXT_SIZE])
{
	size_t n;

	for (n = 0; n < TEXT_LEN && p[n] != '\n' && p[n]; n++)
		ret[n] = p[n] >= 0x20 && p[n] <= 0x7e ? (char)p[n] : '?';
	while (n && ret[n - 1] == ' ')
		n--;
	ret[n] = '\0';
}

/* Clock in units of 10 kHz. False when it is no timing one can show. */
static bool set_mode(struct xd_edid_info *info, uint64_t clock, uint32_t width,
		     uint32_t h_blank, uint32_t height, uint32_t v_blank)
{
	uint64_t total = (uint64_t)(width + h_blank) * (height + v_blank);

	if (!clock || !width || !height)
		return false;
	info->width = width;
	info->height = height;
	info->refresh_mhz = (uint32_t)((clock * 10000000 + total / 2) / total);
	return true;
}

static bool get_detailed_timing(const uint8_t *p, struct xd_edid_info *info)
{
	uint32_t width = p[2] | (uint32_t)(p[4] & 0xf0) << 4;
	uint32_t h_blank = p[3] | (uint32_t)(p[4] & 0x0f) << 8;
	uint32_t height = p[5] | (uint32_t)(p[7] & 0xf0) << 4;
	uint32_t v_blank = p[6] | (uint32_t)(p[7] & 0x0f) << 8;

	if (p[17] & 0x80)	/* interlaced: the field is half of it */
		height *= 2;
	if (!set_mode(info, get_u16(p), width, h_blank, height, v_blank))
		return false;
	info->width_mm = p[12] | (uint32_t)(p[14] & 0xf0) << 4;
	info->height_mm = p[13] | (uint32_t)(p[14] & 0x0f) << 8;
	return true;
}

static bool parse_base_block(const uint8_t *edid, struct xd_edid_info *info)
{
	bool has_mode = false;

	info->serial_number = get_u16(edid + 12) | get_u16(edid + 14) << 16;
	for (int i = 0; i < NR_DESCRIPTORS; i++) {
		const uint8_t *p = edid + 54 + i * DESCRIPTOR_SIZE;

		if (get_u16(p)) {
			has_mode = has_mode || get_detailed_timing(p, info);
			continue;
		}
		if (p[3] == 0xfc)
			get_text(p + 5, info->name);
		else if (p[3] == 0xff)
			get_text(p + 5, info->serial);
	}
	/* Both zero: unknown; one zero: an aspect ratio, no size. */
	if (!has_mode && edid[21] && edid[22]) {
		info->width_mm = 10u * edid[21];
		info->height_mm = 10u * edid[22];
	}
	return has_mode;
}

static bool get_type_i(const uint8_t *p, struct xd_edid_info *info)
{
	uint32_t clock = (get_u16(p) | (uint32_t)p[2] << 16) + 1;

	if (!(p[3] & 0x80))	/* not the preferred one */
		return false;
	return set_mode(info, clock, get_u16(p + 4) + 1, get_u16(p + 6) + 1,
			get_u16(p + 12) + 1, get_u16(p + 14) + 1);
}

/* A preferred timing in a DisplayID block is there because it is larger. */
static bool parse_displayid(const uint8_t *ext, struct xd_edid_info *info)
{
	const uint8_t *section = ext + 1;
	const uint8_t *end = ext + XD_EDID_BLOCK - 1;
	const uint8_t *p = section + 4;
	size_t len = section[1];

	if (len + 5 > (size_t)(end - section) ||
	    !sum_is_zero(section, len + 5))
		return false;
	end = p + len;

	while (end - p >= 3 && p[2] <= end - p - 3) {
		const uint8_t *block = p;

		p += 3 + block[2];
		if (block[0] != DISPLAYID_TYPE_I)
			continue;
		for (const uint8_t *t = block + 3; p - t >= TYPE_I_SIZE;
		     t += TYPE_I_SIZE)
			if (get_type_i(t, info))
				return true;
	}
	return false;
}

int xd_edid_parse(const uint8_t *data, size_t len,
		  struct xd_edid_info *ret_info)
{
	static const uint8_t header[] = {
		0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00,
	};
	struct xd_edid_info info = { 0 };
	bool has_mode;
	size_t blocks;

	if (len < XD_EDID_BLOCK || memcmp(data, header, sizeof(header)))
		return -EINVAL;
	blocks = 1 + (size_t)data[126];
	if (blocks > len / XD_EDID_BLOCK)
		return -EINVAL;
	for (size_t i = 0; i < blocks; i++)
		if (!sum_is_zero(data + i * XD_EDID_BLOCK, XD_EDID_BLOCK))
			return -EINVAL;

	info.size = blocks * XD_EDID_BLOCK;
	has_mode = parse_base_block(data, &info);
	for (size_t i = 1; i < blocks; i++) {
		const uint8_t *ext = data + i * XD_EDID_BLOCK;

		if (ext[0] == EXT_DISPLAYID && parse_displayid(ext, &info)) {
			has_mode = true;
			break;
		}
	}

	*ret_info = info;
	return has_mode ? 0 : -ENOENT;
}
