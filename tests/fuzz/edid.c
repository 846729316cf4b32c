// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * EDIDs: as they come, then once more with their checksums made right, so that
 * the parser behind them is reached. What is parsed is generated again.
 */
#include "fuzz.h"

#include "edid/edid.h"

static uint8_t sum_of(const uint8_t *p, size_t n)
{
	uint8_t sum = 0;

	while (n--)
		sum = (uint8_t)(sum + *p++);
	return sum;
}

static void repair(uint8_t *edid, size_t size)
{
	static const uint8_t header[8] = {
		0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0,
	};
	size_t blocks = size / XD_EDID_BLOCK;

	memcpy(edid, header, sizeof(header));
	edid[126] = (uint8_t)(blocks - 1);
	for (size_t i = 0; i < blocks; i++) {
		uint8_t *b = edid + i * XD_EDID_BLOCK;

		if (b[0] == 0x70 && b[2] <= 121)
			b[5 + b[2]] = (uint8_t)-sum_of(b + 1, 4u + b[2]);
		b[127] = (uint8_t)-sum_of(b, 127);
	}
}

static void parse(const uint8_t *data, size_t size)
{
	struct xd_edid_params params = { 0 };
	uint8_t buf[XD_EDID_MAX_GENERATED];
	struct xd_edid_info info, again;
	int ret;

	if (xd_edid_parse(data, size, &info))
		return;
	CHECK(info.size <= size && info.width && info.height);
	CHECK(strlen(info.name) < XD_EDID_TEXT_SIZE);

	params.width = info.width;
	params.height = info.height;
	params.width_mm = info.width_mm;
	params.height_mm = info.height_mm;
	params.refresh_hz = info.refresh_mhz / 1000;
	params.name = info.name;
	params.unique_id = info.serial;
	ret = xd_edid_generate(&params, buf, sizeof(buf));
	if (ret < 0)
		return;
	CHECK(!xd_edid_parse(buf, (size_t)ret, &again));
	CHECK(again.width == info.width && again.height == info.height);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	parse(data, size);
	if (size < XD_EDID_BLOCK || size > 256 * XD_EDID_BLOCK)
		return 0;
	copy = malloc(size);
	memcpy(copy, data, size);
	repair(copy, size);
	parse(copy, size);
	free(copy);
	return 0;
}
