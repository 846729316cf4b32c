/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EDID 1.4 of a virtual monitor, written, and of any monitor, read. No I/O.
 *
 * A detailed timing of the base block ends at 4095 pixels and 655.35 MHz.
 * Larger modes go into a DisplayID extension block, marked preferred, and
 * the base block gets the mode halved until it fits.
 */
#ifndef XD_EDID_EDID_H
#define XD_EDID_EDID_H

#include <stddef.h>
#include <stdint.h>

#define XD_EDID_BLOCK		128
#define XD_EDID_MAX_GENERATED	(2 * XD_EDID_BLOCK)
#define XD_EDID_MAX_BLOCKS	256
#define XD_EDID_MIN_DIMENSION	16u
#define XD_EDID_MAX_DIMENSION	8192u
#define XD_EDID_MIN_REFRESH	24u
#define XD_EDID_MAX_REFRESH	240u
#define XD_EDID_TEXT_SIZE	14	/* 13 characters and a final 0 */

/**
 * struct xd_edid_params - the monitor to describe
 * @width, @height: preferred mode in pixels,
 *		XD_EDID_MIN_DIMENSION..XD_EDID_MAX_DIMENSION
 * @refresh_hz:	0 for 60, or XD_EDID_MIN_REFRESH..XD_EDID_MAX_REFRESH
 * @width_mm, @height_mm: size of the picture; 0: as if at 96 dpi
 * @name:	monitor name, NULL for "Xen PV"; the first 13 characters are
 *		taken, unprintable ones become '?'
 * @unique_id:	NULL or the connector's; its last 13 characters become the
 *		serial text, a hash of all of it the serial number
 */
struct xd_edid_params {
	uint32_t width;
	uint32_t height;
	uint32_t refresh_hz;
	uint32_t width_mm;
	uint32_t height_mm;
	const char *name;
	const char *unique_id;
};

/**
 * xd_edid_generate() - describe a monitor
 * @buf:	where to, all of it is written or nothing
 * @size:	bytes there, XD_EDID_MAX_GENERATED always suffices
 *
 * Return: bytes written (a multiple of XD_EDID_BLOCK), -EINVAL for parameters
 * out of range, -ENOSPC when @size is too small.
 */
int xd_edid_generate(const struct xd_edid_params *params, uint8_t *buf,
		     size_t size);

/**
 * struct xd_edid_info - what we want to know of a monitor
 * @size:	bytes of all blocks, base and extensions
 * @width, @height: preferred mode
 * @refresh_mhz: its frame rate in millihertz
 * @width_mm, @height_mm: size of the picture, 0 when not told
 * @name, @serial: descriptor texts, empty when there are none
 * @serial_number: of the base block
 */
struct xd_edid_info {
	size_t size;
	uint32_t width;
	uint32_t height;
	uint32_t refresh_mhz;
	uint32_t width_mm;
	uint32_t height_mm;
	uint32_t serial_number;
	char name[XD_EDID_TEXT_SIZE];
	char serial[XD_EDID_TEXT_SIZE];
};

/**
 * xd_edid_parse() - check an EDID and find its preferred timing
 * @data:	any bytes
 * @len:	how many
 *
 * Header, every block's checksum and the number of blocks must be right; bytes
 * after the last block are ignored.
 *
 * Return: 0, -EINVAL when it is no EDID, -ENOENT when it has no detailed timing
 * (@ret_info is then filled in but for the mode).
 */
int xd_edid_parse(const uint8_t *data, size_t len,
		  struct xd_edid_info *ret_info);

#endif /* XD_EDID_EDID_H */
