// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>

#include "proto/abi.h"
#include "proto/limits.h"
#include "proto/nodes.h"

/* Digits up to the first other byte; returns where that is, NULL on error. */
static const char *parse_digits(const char *text, uint64_t *ret_value,
				int *ret_err)
{
	uint64_t value = 0;
	unsigned int digit;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9'; p++) {
		digit = (unsigned int)(*p - '0');
		if (value > (UINT64_MAX - digit) / 10) {
			*ret_err = -ERANGE;
			return NULL;
		}
		value = value * 10 + digit;
	}
	if (p == text) {
		*ret_err = -EINVAL;
		return NULL;
	}
	*ret_value = value;
	return p;
}

int xd_parse_u64(const char *text, uint64_t min, uint64_t max,
		 uint64_t *ret_value)
{
	const char *end;
	uint64_t value;
	int err = 0;

	if (!text)
		return -EINVAL;
	end = parse_digits(text, &value, &err);
	if (!end)
		return err;
	if (*end)
		return -EINVAL;
	if (value < min || value > max)
		return -ERANGE;

	*ret_value = value;
	return 0;
}

int xd_parse_u32(const char *text, uint32_t min, uint32_t max,
		 uint32_t *ret_value)
{
	uint64_t value;
	int ret = xd_parse_u64(text, min, max, &value);

	if (!ret)
		*ret_value = (uint32_t)value;
	return ret;
}

int xd_parse_flag(const char *text, bool *ret_value)
{
	if (!text || (text[0] != '0' && text[0] != '1') || text[1])
		return -EINVAL;
	*ret_value = text[0] == '1';
	return 0;
}

int xd_parse_resolution(const char *text, uint32_t *ret_width,
			uint32_t *ret_height)
{
	const char *end;
	uint32_t height;
	uint64_t width;
	int err = 0;

	if (!text)
		return -EINVAL;
	end = parse_digits(text, &width, &err);
	if (!end)
		return err;
	if (*end != XENDISPL_RESOLUTION_SEPARATOR[0])
		return -EINVAL;
	err = xd_parse_u32(end + 1, 1, XD_MAX_DIMENSION, &height);
	if (err)
		return err;
	if (width < 1 || width > XD_MAX_DIMENSION)
		return -ERANGE;

	*ret_width = (uint32_t)width;
	*ret_height = height;
	return 0;
}

int xd_parse_version(const char *text, unsigned int *ret_version)
{
	uint32_t version;
	int ret;

	if (!text) {
		*ret_version = 1;
		return 0;
	}
	ret = xd_parse_u32(text, 1, XENDISPL_PROTOCOL_VERSION_INT, &version);
	if (!ret)
		*ret_version = version;
	return ret;
}

int xd_parse_unique_id(const char *text, unsigned int index,
		       char ret_id[XD_UNIQUE_ID_SIZE])
{
	size_t len;

	snprintf(ret_id, XD_UNIQUE_ID_SIZE, "conn%u", index);
	if (!text)
		return -EINVAL;
	for (len = 0; text[len]; len++) {
		unsigned char c = text[len];

		if (len == XD_UNIQUE_ID_SIZE - 1 || c < 0x20 || c > 0x7e ||
		    c == '/')
			return -EINVAL;
	}
	if (!len)
		return -EINVAL;

	memcpy(ret_id, text, len + 1);
	return 0;
}
