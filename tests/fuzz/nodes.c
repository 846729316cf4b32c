// SPDX-License-Identifier: GPL-2.0-or-later
/* XenStore text: one string for all the parsers. */
#include "fuzz.h"

#include <stdbool.h>

#include "proto/limits.h"
#include "proto/nodes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), id[XD_UNIQUE_ID_SIZE], again[32];
	uint32_t number, width, height;
	unsigned int version;
	bool flag;

	memcpy(text, data, size);
	text[size] = '\0';

	if (!xd_parse_u32(text, 5, 4000000000u, &number)) {
		CHECK(number >= 5 && number <= 4000000000u);
		CHECK(strtoull(text, NULL, 10) == number);
	}
	if (!xd_parse_resolution(text, &width, &height)) {
		CHECK(width >= 1 && width <= XD_MAX_DIMENSION);
		CHECK(height >= 1 && height <= XD_MAX_DIMENSION);
		snprintf(again, sizeof(again), "%ux%u", width, height);
		CHECK(text[0] == '0' || strstr(text, "x0") ||
		      !strcmp(text, again));
	}
	if (!xd_parse_flag(text, &flag))
		CHECK(!strcmp(text, flag ? "1" : "0"));
	if (!xd_parse_version(text, &version))
		CHECK(version == 1 || version == 2);
	if (!xd_parse_unique_id(text, 3, id))
		CHECK(!strcmp(id, text));
	else
		CHECK(!strcmp(id, "conn3"));
	CHECK(!strchr(id, '/') && strlen(id) < XD_UNIQUE_ID_SIZE);
	free(text);
	return 0;
}
