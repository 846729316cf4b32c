// SPDX-License-Identifier: GPL-2.0 OR MIT
/* How many grants, with pages of Xen's size and with larger ones. */

#include "xen_drm_test.h"

#include "../xen_drm_grant.c"

static void xen_drm_test_grants_needed(struct kunit *test)
{
	static const struct {
		unsigned int xen_pages;
		unsigned int grants;
	} cases[] = {
		{ 0, 0 },
		{ 1, 2 },
		{ 1022, 1023 },
		{ 1023, 1024 },
		{ 1024, 1026 },
		{ 2025, 2027 },		/* 1920x1080, 32 bit */
		{ 65536, 65601 },	/* 8192x8192, 32 bit */
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned int xen_pages = cases[i].xen_pages;

		KUNIT_EXPECT_EQ(test, cases[i].grants,
				xen_drm_grants_for(xen_pages));
		if (xen_pages % XEN_PFN_PER_PAGE)
			continue;
		KUNIT_EXPECT_EQ(test, cases[i].grants,
				xen_drm_grants_needed(xen_pages /
						      XEN_PFN_PER_PAGE));
	}
	/* a page of 64 KiB is sixteen of Xen's */
	KUNIT_EXPECT_EQ(test, xen_drm_grants_for(127 * 16), 127 * 16 + 2);
	KUNIT_EXPECT_EQ(test, xen_drm_grants_for(4096 * 16), 65601);
}

static struct kunit_case xen_drm_grant_cases[] = {
	KUNIT_CASE(xen_drm_test_grants_needed),
	{}
};

static struct kunit_suite xen_drm_grant_suite = {
	.name = "xen_drm_grant",
	.test_cases = xen_drm_grant_cases,
};

kunit_test_suite(xen_drm_grant_suite);
