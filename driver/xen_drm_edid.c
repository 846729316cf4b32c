// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Is it an EDID? What is in one is the core's to read.
 */

#include <linux/string.h>

#include <drm/drm_edid.h>

#include "xen_drm.h"

/**
 * xen_drm_edid_good - header, version, checksums, and as many extensions as are
 * announced
 * @edid: bytes that nobody else writes to
 * @size: how many, a multiple of EDID_LENGTH, not 0
 *
 * Return: whether the core may have it.
 */
bool xen_drm_edid_good(const u8 *edid, size_t size)
{
	static const u8 header[] = {
		0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00
	};
	const struct edid *base = (const struct edid *)edid;
	size_t used = (base->extensions + 1) * EDID_LENGTH;
	u8 sum = 0;
	size_t i;

	if (used > size || memcmp(edid, header, sizeof(header)) ||
	    base->version != 1)
		return false;
	for (i = 0; i < used; i++) {
		sum += edid[i];
		if (i % EDID_LENGTH == EDID_LENGTH - 1 && sum)
			return false;
	}
	return true;
}
