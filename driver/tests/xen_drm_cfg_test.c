// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What XenStore may say: whole strings, decimal, in bounds. */

#include "xen_drm_test.h"

#include "../xen_drm_cfg.c"

bool xen_drm_contiguous;

static void xen_drm_test_uint(struct kunit *test)
{
	static const struct {
		const char *text;
		unsigned int max;
		int ret;
		unsigned int value;
	} cases[] = {
		{ "0", 1, 0, 0 },
		{ "1", 1, 0, 1 },
		{ "2", 1, -EINVAL },
		{ "007", 10, 0, 7 },
		{ "", 1, -EINVAL },
		{ " 1", 1, -EINVAL },
		{ "1 ", 1, -EINVAL },
		{ "1\n", 1, -EINVAL },
		{ "+1", 1, -EINVAL },
		{ "-1", UINT_MAX, -EINVAL },
		{ "0x1", 1, -EINVAL },
		{ "4294967295", UINT_MAX, 0, UINT_MAX },
		{ "4294967296", UINT_MAX, -EINVAL },
		{ "18446744073709551617", UINT_MAX, -EINVAL },
		{ "99999999999999999999999999", UINT_MAX, -EINVAL },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned int value = 4711;
		int ret = xen_drm_cfg_parse_uint(cases[i].text, cases[i].max,
						 &value);

		KUNIT_EXPECT_EQ_MSG(test, ret, cases[i].ret, "\"%s\"",
				    cases[i].text);
		KUNIT_EXPECT_EQ_MSG(test, value, ret ? 4711 : cases[i].value,
				    "\"%s\"", cases[i].text);
	}
}

static void xen_drm_test_resolution(struct kunit *test)
{
	static const struct {
		const char *text;
		unsigned int width;	/* 0: refused */
		unsigned int height;
	} cases[] = {
		{ "1920x1080", 1920, 1080 },
		{ "1x1", 1, 1 },
		{ "8192x8192", 8192, 8192 },
		{ "8193x1" },
		{ "1x8193" },
		{ "0x1080" },
		{ "1920x0" },
		{ "" },
		{ "x" },
		{ "1920" },
		{ "1920x" },
		{ "x1080" },
		{ "1920X1080" },
		{ "1920x1080x" },
		{ "1920x1080 " },
		{ "1920 x1080" },
		{ "1920x-1080" },
		{ "4294969216x1080" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned int width = 0, height = 0;
		int ret = xen_drm_cfg_parse_resolution(cases[i].text, &width,
						       &height);

		KUNIT_EXPECT_EQ_MSG(test, !ret, !!cases[i].width, "\"%s\"",
				    cases[i].text);
		KUNIT_EXPECT_EQ_MSG(test, width, cases[i].width, "\"%s\"",
				    cases[i].text);
		KUNIT_EXPECT_EQ_MSG(test, height, cases[i].height, "\"%s\"",
				    cases[i].text);
	}
}

static void xen_drm_test_version(struct kunit *test)
{
	static const struct {
		const char *text;
		int ret;
		unsigned int version;
	} cases[] = {
		{ "1", 0, 1 },
		{ "2", 0, 2 },
		{ "1,2", 0, 2 },
		{ "2,1", 0, 2 },
		{ "1,2,3", 0, 2 },
		{ "3", -EPROTONOSUPPORT },
		{ "0", -EPROTONOSUPPORT },
		{ "", -EINVAL },
		{ ",", -EINVAL },
		{ "1,", -EINVAL },
		{ ",1", -EINVAL },
		{ "1 ,2", -EINVAL },
		{ "1;2", -EINVAL },
		{ "1.0", -EINVAL },
		{ "65536", -EINVAL },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned int version = 0;
		int ret = xen_drm_cfg_parse_version(cases[i].text, &version);

		KUNIT_EXPECT_EQ_MSG(test, ret, cases[i].ret, "\"%s\"",
				    cases[i].text);
		KUNIT_EXPECT_EQ_MSG(test, version, cases[i].version, "\"%s\"",
				    cases[i].text);
	}
}

static void xen_drm_test_formats(struct kunit *test)
{
	u32 formats[XEN_DRM_MAX_FORMATS + 1];
	unsigned int num = 0, i;
	char *text;

	KUNIT_EXPECT_EQ(test, 0,
			xen_drm_cfg_parse_formats("XR24,NV12,RG16", formats,
						  &num));
	KUNIT_ASSERT_EQ(test, num, 2);
	KUNIT_EXPECT_EQ(test, formats[0], DRM_FORMAT_XRGB8888);
	KUNIT_EXPECT_EQ(test, formats[1], DRM_FORMAT_RGB565);

	KUNIT_EXPECT_EQ(test, -EINVAL,
			xen_drm_cfg_parse_formats("", formats, &num));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			xen_drm_cfg_parse_formats("XR2", formats, &num));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			xen_drm_cfg_parse_formats("NV12", formats, &num));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			xen_drm_cfg_parse_formats("XR24,", formats, &num));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			xen_drm_cfg_parse_formats("XR24;AR24", formats, &num));

	/* more than there is room for */
	text = kunit_kzalloc(test, 5 * 100, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, text);
	for (i = 0; i < 100; i++)
		memcpy(text + 5 * i, "XR24,", 5);
	text[5 * 100 - 1] = '\0';
	formats[XEN_DRM_MAX_FORMATS] = 4711;
	KUNIT_EXPECT_EQ(test, 0,
			xen_drm_cfg_parse_formats(text, formats, &num));
	KUNIT_EXPECT_EQ(test, num, XEN_DRM_MAX_FORMATS);
	KUNIT_EXPECT_EQ(test, formats[XEN_DRM_MAX_FORMATS], 4711);
}

static struct kunit_case xen_drm_cfg_cases[] = {
	KUNIT_CASE(xen_drm_test_uint),
	KUNIT_CASE(xen_drm_test_resolution),
	KUNIT_CASE(xen_drm_test_version),
	KUNIT_CASE(xen_drm_test_formats),
	{}
};

static struct kunit_suite xen_drm_cfg_suite = {
	.name = "xen_drm_cfg",
	.test_cases = xen_drm_cfg_cases,
};

kunit_test_suite(xen_drm_cfg_suite);

MODULE_DESCRIPTION("KUnit tests of the Xen para-virtual display driver");
MODULE_LICENSE("Dual MIT/GPL");
