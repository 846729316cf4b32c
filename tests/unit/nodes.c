// SPDX-License-Identifier: GPL-2.0-or-later
/* proto/nodes.h: text that a guest owns. */
#include "unit.h"

#include "proto/nodes.h"

static void numbers(void **state)
{
	static const char *const bad[] = {
		"", " ", "-1", "+1", " 1", "1 ", "1\n", "0x10", "1e3", "1.0",
		"a", "1a", "\xff", "--", "1,2",
	};
	uint64_t wide = 0;
	uint32_t v = 77;

	assert_int_equal(xd_parse_u32("0", 0, UINT32_MAX, &v), 0);
	assert_int_equal(v, 0);
	assert_int_equal(xd_parse_u32("4294967295", 0, UINT32_MAX, &v), 0);
	assert_int_equal(v, UINT32_MAX);
	assert_int_equal(xd_parse_u32("0042", 1, 42, &v), 0);
	assert_int_equal(v, 42);

	v = 77;
	assert_int_equal(xd_parse_u32("4294967296", 0, UINT32_MAX, &v),
			 -ERANGE);
	assert_int_equal(xd_parse_u32("99999999999999999999999", 0, 9, &v),
			 -ERANGE);
	assert_int_equal(xd_parse_u32("0", 1, 5, &v), -ERANGE);
	assert_int_equal(xd_parse_u32("6", 1, 5, &v), -ERANGE);
	assert_int_equal(xd_parse_u32(NULL, 0, 5, &v), -EINVAL);
	assert_int_equal(xd_parse_u64("18446744073709551615", 0, UINT64_MAX,
				      &wide), 0);
	assert_true(wide == UINT64_MAX);
	assert_int_equal(xd_parse_u64("18446744073709551616", 0, UINT64_MAX,
				      &wide), -ERANGE);
	assert_true(wide == UINT64_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (xd_parse_u32(bad[i], 0, UINT32_MAX, &v) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
	assert_int_equal(v, 77);
}

static void flags(void **state)
{
	static const char *const bad[] = { "", "2", "01", "0 ", "yes", "-1" };
	bool v = false;

	assert_int_equal(xd_parse_flag("1", &v), 0);
	assert_true(v);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(xd_parse_flag(bad[i], &v), -EINVAL);
	assert_int_equal(xd_parse_flag(NULL, &v), -EINVAL);
	assert_true(v);
	assert_int_equal(xd_parse_flag("0", &v), 0);
	assert_false(v);
}

static void resolutions(void **state)
{
	static const struct {
		const char *text;
		int ret;
	} bad[] = {
		{ "1920", -EINVAL }, { "1920x", -EINVAL }, { "x1080", -EINVAL },
		{ "1920x1080x", -EINVAL }, { "1920x1080 ", -EINVAL },
		{ " 1920x1080", -EINVAL }, { "-1920x1080", -EINVAL },
		{ "1920x-1080", -EINVAL }, { "1920X1080", -EINVAL },
		{ "1920*1080", -EINVAL }, { "1920x 1080", -EINVAL },
		{ "", -EINVAL }, { "x", -EINVAL }, { "0x10x5", -EINVAL },
		{ "0x1080", -ERANGE }, { "1920x0", -ERANGE },
		{ "8193x1080", -ERANGE }, { "1920x8193", -ERANGE },
		{ "4294967297x1080", -ERANGE }, { "1x4294967297", -ERANGE },
	};
	uint32_t w = 7, h = 8;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int ret = xd_parse_resolution(bad[i].text, &w, &h);

		if (ret != bad[i].ret)
			fail_msg("\"%s\": %d != %d", bad[i].text, ret,
				 bad[i].ret);
	}
	assert_int_equal(xd_parse_resolution(NULL, &w, &h), -EINVAL);
	assert_int_equal(w, 7);
	assert_int_equal(h, 8);

	assert_int_equal(xd_parse_resolution("1920x1080", &w, &h), 0);
	assert_int_equal(w, 1920);
	assert_int_equal(h, 1080);
	assert_int_equal(xd_parse_resolution("8192x8192", &w, &h), 0);
	assert_int_equal(xd_parse_resolution("1x1", &w, &h), 0);
	assert_int_equal(w, 1);
}

static void versions(void **state)
{
	unsigned int v = 9;

	assert_int_equal(xd_parse_version(NULL, &v), 0);
	assert_int_equal(v, 1);
	assert_int_equal(xd_parse_version("2", &v), 0);
	assert_int_equal(v, 2);
	assert_int_equal(xd_parse_version("1", &v), 0);
	assert_int_equal(v, 1);
	v = 9;
	assert_int_equal(xd_parse_version("0", &v), -ERANGE);
	assert_int_equal(xd_parse_version("3", &v), -ERANGE);
	assert_int_equal(xd_parse_version("1,2", &v), -EINVAL);
	assert_int_equal(xd_parse_version("", &v), -EINVAL);
	assert_int_equal(v, 9);
}

static void unique_ids(void **state)
{
	static const char *const bad[] = {
		NULL, "", "a/b", "../x", "tab\t", "line\n", "\x7f", "\xc3\xa4",
		"0123456789012345678901234567890123456789"
		"012345678901234567890123",
	};
	char id[XD_UNIQUE_ID_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		memset(id, 'z', sizeof(id));
		assert_int_equal(xd_parse_unique_id(bad[i], 3, id), -EINVAL);
		assert_string_equal(id, "conn3");
	}
	assert_int_equal(xd_parse_unique_id("HDMI-A-1", 3, id), 0);
	assert_string_equal(id, "HDMI-A-1");
	assert_int_equal(xd_parse_unique_id(bad[8] + 1, 3, id), 0);
	assert_string_equal(id, bad[8] + 1);
}

int main(void)
{
	const struct CMUnitTest nodes_tests[] = {
		TEST(numbers, "numbers"),
		TEST(flags, "flags"),
		TEST(resolutions, "resolutions"),
		TEST(versions, "versions"),
		TEST(unique_ids, "unique-ids"),
	};

	return cmocka_run_group_tests(nodes_tests, NULL, NULL);
}
