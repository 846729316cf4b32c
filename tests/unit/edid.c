// SPDX-License-Identifier: GPL-2.0-or-later
/* edid/edid.h, and what edid-decode says of it. */
#include "unit.h"

#include <sys/wait.h>
#include <unistd.h>

#include "edid/edid.h"

static int generate(uint32_t width, uint32_t height, uint8_t *buf)
{
	const struct xd_edid_params p = {
		.width = width, .height = height, .name = "dom7 disp0",
		.unique_id = "HDMI-A-1",
	};

	return xd_edid_generate(&p, buf, XD_EDID_MAX_GENERATED);
}

static const struct {
	uint16_t width, height;
} sizes[] = {
	{ 16, 16 }, { 64, 64 }, { 320, 200 }, { 640, 480 }, { 800, 600 },
	{ 1024, 768 }, { 1280, 1024 }, { 1366, 768 }, { 1920, 1080 },
	{ 1920, 1200 }, { 1080, 1920 }, { 2560, 1440 }, { 3840, 2160 },
	{ 4095, 2160 }, { 4096, 2160 }, { 4096, 4096 }, { 5120, 2880 },
	{ 7680, 4320 }, { 8192, 8192 }, { 8192, 16 }, { 16, 8192 },
	{ 1921, 1081 },
};

static void round_trip(void **state)
{
	uint8_t buf[XD_EDID_MAX_GENERATED];
	struct xd_edid_info info;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		int n = generate(sizes[i].width, sizes[i].height, buf);

		assert_true(n == 128 || n == 256);
		assert_int_equal(xd_edid_parse(buf, (size_t)n, &info), 0);
		assert_int_equal(info.size, n);
		assert_int_equal(info.width, sizes[i].width);
		assert_int_equal(info.height, sizes[i].height);
		assert_in_range(info.refresh_mhz, 59900, 60100);
		assert_string_equal(info.name, "dom7 disp0");
		assert_string_equal(info.serial, "HDMI-A-1");
		assert_int_not_equal(info.serial_number, 0);
		assert_in_range(info.width_mm, 10, 2550);
	}
}

static void refresh_rates(void **state)
{
	static const uint32_t rates[] = { 24, 30, 50, 60, 75, 120, 144, 240 };
	struct xd_edid_params p = { .width = 1920, .height = 1080 };
	uint8_t buf[XD_EDID_MAX_GENERATED];
	struct xd_edid_info info;

	for (size_t r = 0; r < ARRAY_SIZE(rates); r++) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			int n;

			p.width = sizes[i].width;
			p.height = sizes[i].height;
			p.refresh_hz = rates[r];
			n = xd_edid_generate(&p, buf, sizeof(buf));
			assert_in_range(n, 128, 256);
			assert_int_equal(xd_edid_parse(buf, (size_t)n, &info),
					 0);
			assert_int_equal(info.width, sizes[i].width);
			assert_in_range(info.refresh_mhz, rates[r] * 998,
					rates[r] * 1002);
		}
	}
}

/* Bytes that edid-decode reads as CVT-RB's timings, to the last line. */
static void known_timings(void **state)
{
	static const uint8_t full_hd[18] = {
		0x29, 0x36, 0x80, 0xa0, 0x70, 0x38, 0x1f, 0x40, 0x30, 0x20,
		0x35, 0x00, 0xfc, 0x1e, 0x11, 0x00, 0x00, 0x1a,
	};
	static const uint8_t displayid_8k[23] = {
		0x03, 0x00, 0x14, 0x66, 0x30, 0x03, 0x88, 0xff, 0x1d, 0x9f,
		0x00, 0x2f, 0x80, 0x1f, 0x00, 0xdf, 0x10, 0x7a, 0x00, 0x02,
		0x00, 0x04, 0x00,
	};
	uint8_t buf[XD_EDID_MAX_GENERATED];
	struct xd_edid_info info;

	assert_int_equal(generate(1920, 1080, buf), 128);
	assert_memory_equal(buf + 54, full_hd, sizeof(full_hd));
	assert_int_equal(xd_edid_parse(buf, 128, &info), 0);
	assert_int_equal(info.refresh_mhz, 59999);
	assert_int_equal(info.width_mm, 508);
	assert_int_equal(info.height_mm, 286);

	assert_int_equal(generate(7680, 4320, buf), 256);
	assert_memory_equal(buf + 128 + 48, displayid_8k,
			    sizeof(displayid_8k));
	assert_int_equal(xd_edid_parse(buf, 256, &info), 0);
	assert_int_equal(info.refresh_mhz, 60000);
	/* The base block has the half of it, for those that read no more. */
	buf[126] = 0;
	buf[127]++;
	assert_int_equal(xd_edid_parse(buf, 128, &info), 0);
	assert_int_equal(info.width, 3840);
	assert_int_equal(info.height, 2160);
}

/* Where the base block's timing ends. */
static void block_boundary(void **state)
{
	uint8_t buf[XD_EDID_MAX_GENERATED];

	assert_int_equal(generate(4095, 1000, buf), 128);
	assert_int_equal(generate(4096, 1000, buf), 256);
	assert_int_equal(generate(1000, 4095, buf), 128);
	assert_int_equal(generate(1000, 4096, buf), 256);
	assert_int_equal(generate(4000, 2493, buf), 128);
	assert_int_equal(generate(4000, 2600, buf), 256);
}

static unsigned int standard_modes(const uint8_t *edid, uint32_t max_w,
				   uint32_t max_h)
{
	static const uint8_t ratio[4][2] = { { 16, 10 }, { 4, 3 }, { 5, 4 },
					     { 16, 9 } };
	unsigned int n = 0;

	for (const uint8_t *p = edid + 38; p < edid + 54; p += 2) {
		uint32_t w = (p[0] + 31u) * 8, h;

		if (p[0] == 1 && p[1] == 1)
			continue;
		h = w * ratio[p[1] >> 6][1] / ratio[p[1] >> 6][0];
		assert_int_equal(p[1] & 0x3f, 0);
		assert_in_range(w, 1, max_w);
		assert_in_range(h, 1, max_h);
		assert_false(w == max_w && h == max_h);
		n++;
	}
	return n;
}

static void modes_that_fit(void **state)
{
	static const struct {
		uint16_t width, height;
		uint8_t byte35, byte36;
		unsigned int standard;
	} cases[] = {
		{ 639, 480, 0x00, 0x00, 0 }, { 640, 479, 0x00, 0x00, 0 },
		{ 640, 480, 0x20, 0x00, 0 }, { 799, 600, 0x20, 0x00, 0 },
		{ 800, 599, 0x20, 0x00, 0 }, { 800, 600, 0x21, 0x00, 0 },
		{ 1023, 768, 0x21, 0x00, 0 }, { 1024, 767, 0x21, 0x00, 0 },
		{ 1024, 768, 0x21, 0x08, 0 }, { 1280, 720, 0x21, 0x00, 0 },
		{ 1280, 800, 0x21, 0x08, 1 }, { 1366, 768, 0x21, 0x08, 1 },
		{ 1920, 1080, 0x21, 0x08, 6 }, { 1920, 1200, 0x21, 0x08, 8 },
		{ 2048, 1152, 0x21, 0x08, 7 }, { 3840, 2160, 0x21, 0x08, 8 },
	};
	uint8_t buf[XD_EDID_MAX_GENERATED];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned int n;

		assert_int_equal(generate(cases[i].width, cases[i].height, buf),
				 128);
		if (buf[35] != cases[i].byte35 || buf[36] != cases[i].byte36 ||
		    buf[37])
			fail_msg("%ux%u: established %02x %02x",
				 cases[i].width, cases[i].height, buf[35],
				 buf[36]);
		n = standard_modes(buf, cases[i].width, cases[i].height);
		if (n != cases[i].standard)
			fail_msg("%ux%u: %u standard modes != %u",
				 cases[i].width, cases[i].height, n,
				 cases[i].standard);
	}
}

static void parameters_out_of_range(void **state)
{
	uint8_t buf[XD_EDID_MAX_GENERATED];
	struct xd_edid_params p = { .width = 8192, .height = 8192 };

	assert_int_equal(xd_edid_generate(&p, buf, 256), 256);
	assert_int_equal(xd_edid_generate(&p, buf, 255), -ENOSPC);
	p.width = 8193;
	assert_int_equal(xd_edid_generate(&p, buf, 256), -EINVAL);
	p.width = 15;
	assert_int_equal(xd_edid_generate(&p, buf, 256), -EINVAL);
	p.width = 0;
	assert_int_equal(xd_edid_generate(&p, buf, 256), -EINVAL);
	p.width = 800;
	p.height = 15;
	assert_int_equal(xd_edid_generate(&p, buf, 256), -EINVAL);
	p.height = 600;
	assert_int_equal(xd_edid_generate(&p, buf, 127), -ENOSPC);
	assert_int_equal(xd_edid_generate(&p, buf, 128), 128);
	p.refresh_hz = 241;
	assert_int_equal(xd_edid_generate(&p, buf, 256), -EINVAL);
	p.refresh_hz = 23;
	assert_int_equal(xd_edid_generate(&p, buf, 256), -EINVAL);
	p.refresh_hz = 240;
	p.width_mm = p.height_mm = UINT32_MAX;
	assert_int_equal(xd_edid_generate(&p, buf, 256), 128);
}

static void texts(void **state)
{
	struct xd_edid_params p = {
		.width = 800, .height = 600,
		.name = "a\ttab and more than fits",
		.unique_id = "0123456789abcdef\xff",
	};
	uint8_t buf[XD_EDID_MAX_GENERATED];
	struct xd_edid_info a, b;

	assert_int_equal(xd_edid_generate(&p, buf, 256), 128);
	assert_int_equal(xd_edid_parse(buf, 128, &a), 0);
	assert_string_equal(a.name, "a?tab and mor");
	assert_string_equal(a.serial, "456789abcdef?");

	/* The number tells apart what the text cuts off. */
	p.unique_id = "X123456789abcdef\xff";
	assert_int_equal(xd_edid_generate(&p, buf, 256), 128);
	assert_int_equal(xd_edid_parse(buf, 128, &b), 0);
	assert_string_equal(b.serial, a.serial);
	assert_int_not_equal(b.serial_number, a.serial_number);

	/* The first and the last printable character; blanks at the end. */
	p.name = "! ~  ";
	p.unique_id = "   ";
	assert_int_equal(xd_edid_generate(&p, buf, 256), 128);
	assert_memory_equal(buf + 77, "! ~\n         ", 13);
	assert_int_equal(xd_edid_parse(buf, 128, &a), 0);
	assert_string_equal(a.name, "! ~");
	assert_string_equal(a.serial, "");

	/* Thirteen exactly need no line feed. */
	p.name = "0123456789abc";
	p.unique_id = "0123456789abc";
	assert_int_equal(xd_edid_generate(&p, buf, 256), 128);
	assert_int_equal(xd_edid_parse(buf, 128, &a), 0);
	assert_string_equal(a.name, "0123456789abc");
	assert_string_equal(a.serial, "0123456789abc");

	p.name = NULL;
	p.unique_id = NULL;
	assert_int_equal(xd_edid_generate(&p, buf, 256), 128);
	assert_int_equal(xd_edid_parse(buf, 128, &a), 0);
	assert_string_equal(a.name, "Xen PV");
	assert_string_equal(a.serial, "");
	assert_int_equal(a.serial_number, 0);
}

/* Bytes that are no text, told by others, or by us to others. */
static void texts_are_printable(void **state)
{
	const struct xd_edid_params p = {
		.width = 800, .height = 600, .name = "\x07\x1f\x7f\x80\xff",
	};
	uint8_t buf[XD_EDID_MAX_GENERATED];
	struct xd_edid_info info;
	uint8_t sum = 0;

	assert_int_equal(xd_edid_generate(&p, buf, 256), 128);
	assert_memory_equal(buf + 77, "?????\n", 6);
	memcpy(buf + 77, p.name, 5);
	buf[127] = 0;
	for (int i = 0; i < 127; i++)
		sum = (uint8_t)(sum + buf[i]);
	buf[127] = (uint8_t)-sum;
	assert_int_equal(xd_edid_parse(buf, 128, &info), 0);
	assert_string_equal(info.name, "?????");
}

static void picture_size(void **state)
{
	struct xd_edid_params p = {
		.width = 1920, .height = 1080, .width_mm = 600,
		.height_mm = 340,
	};
	uint8_t buf[XD_EDID_MAX_GENERATED];
	struct xd_edid_info info;

	assert_int_equal(xd_edid_generate(&p, buf, 256), 128);
	assert_int_equal(xd_edid_parse(buf, 128, &info), 0);
	assert_int_equal(info.width_mm, 600);
	assert_int_equal(info.height_mm, 340);
	assert_int_equal(buf[21], 60);
	assert_int_equal(buf[22], 34);

	/* One side alone says nothing: as if there were none. */
	p.height_mm = 0;
	assert_int_equal(xd_edid_generate(&p, buf, 256), 128);
	assert_int_equal(xd_edid_parse(buf, 128, &info), 0);
	assert_int_equal(info.width_mm, 508);
	p.width_mm = p.height_mm = 100000;
	assert_int_equal(xd_edid_generate(&p, buf, 256), 128);
	assert_int_equal(buf[21], 255);
	assert_int_equal(buf[22], 255);
}

static void parse_refuses(void **state)
{
	uint8_t buf[XD_EDID_MAX_GENERATED], bad[XD_EDID_MAX_GENERATED];
	struct xd_edid_info info;
	int n = generate(8192, 8192, buf);

	assert_int_equal(n, 256);
	assert_int_equal(xd_edid_parse(buf, 0, &info), -EINVAL);
	assert_int_equal(xd_edid_parse(buf, 127, &info), -EINVAL);
	assert_int_equal(xd_edid_parse(buf, 128, &info), -EINVAL);
	assert_int_equal(xd_edid_parse(buf, 255, &info), -EINVAL);
	assert_int_equal(xd_edid_parse(buf, 256, &info), 0);

	/* Each single changed byte shows in a checksum. */
	for (size_t i = 0; i < 256; i++) {
		memcpy(bad, buf, sizeof(bad));
		bad[i]++;
		assert_int_equal(xd_edid_parse(bad, 256, &info), -EINVAL);
	}
}

/* Right checksums around wrong contents: no crash, no nonsense. */
static void parse_survives_garbage(void **state)
{
	uint8_t *buf = malloc(XD_EDID_MAX_GENERATED);
	struct xd_edid_info info;
	unsigned int seed = 1;

	for (int round = 0; round < 20000; round++) {
		assert_int_equal(generate(8192, 8192, buf), 256);
		for (int k = 0; k < 6; k++)
			buf[8 + rand_r(&seed) % 247] = (uint8_t)rand_r(&seed);
		buf[126] = 1;
		for (int b = 0; b < 2; b++) {
			uint8_t sum = 0;

			for (int i = 0; i < 127; i++)
				sum = (uint8_t)(sum + buf[b * 128 + i]);
			buf[b * 128 + 127] = (uint8_t)-sum;
		}
		if (xd_edid_parse(buf, 256, &info) == 0) {
			assert_in_range(info.width, 1, 65536);
			assert_in_range(info.height, 1, 65536);
		}
		assert_in_range(strlen(info.name), 0, 13);
		assert_in_range(strlen(info.serial), 0, 13);
	}
	free(buf);
}

static int run_edid_decode(const uint8_t *buf, size_t n)
{
	char path[] = "/tmp/edid-XXXXXX", command[128];
	int fd = mkstemp(path), status;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, buf, n), n);
	close(fd);
	snprintf(command, sizeof(command),
		 "edid-decode --check %s >/dev/null 2>&1", path);
	status = system(command);
	unlink(path);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 127)
		fail_msg("edid-decode is not installed");
	return WEXITSTATUS(status);
}

static void edid_decode_check(void **state)
{
	uint8_t buf[XD_EDID_MAX_GENERATED];

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		int n = generate(sizes[i].width, sizes[i].height, buf);

		if (run_edid_decode(buf, (size_t)n))
			fail_msg("%ux%u fails edid-decode --check",
				 sizes[i].width, sizes[i].height);
	}
	/* The judge can say no. */
	buf[54] = 1;
	buf[55] = 0;
	assert_int_not_equal(run_edid_decode(buf, 128), 0);
}

int main(void)
{
	const struct CMUnitTest edid_tests[] = {
		TEST(round_trip, "round-trip"),
		TEST(refresh_rates, "refresh-rates"),
		TEST(known_timings, "known-timings"),
		TEST(block_boundary, "block-boundary"),
		TEST(modes_that_fit, "modes-that-fit"),
		TEST(parameters_out_of_range, "parameters-out-of-range"),
		TEST(texts, "texts"),
		TEST(texts_are_printable, "texts-are-printable"),
		TEST(picture_size, "picture-size"),
		TEST(parse_refuses, "parse-refuses"),
		TEST(parse_survives_garbage, "parse-survives-garbage"),
		TEST(edid_decode_check, "edid-decode-check"),
	};

	return cmocka_run_group_tests(edid_tests, NULL, NULL);
}
