// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What clients may add up while a flip is in flight. */

#include "xen_drm_test.h"

#include "../xen_drm_damage.c"

static const struct xen_drm_damage xen_drm_test_one = {
	.count = 1,
	.rect = { { 10, 20, 74, 84 } },
};

static bool xen_drm_test_rect_is(const struct xen_drm_rect *rect, u16 x1,
				 u16 y1, u16 x2, u16 y2)
{
	return rect->x1 == x1 && rect->y1 == y1 && rect->x2 == x2 &&
		rect->y2 == y2;
}

static void xen_drm_test_damage_same(struct kunit *test)
{
	const struct xen_drm_damage inner = {
		.count = 2,
		.rect = { { 10, 20, 11, 21 }, { 70, 80, 74, 84 } },
	};
	struct xen_drm_damage sum = xen_drm_test_one;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		xen_drm_damage_add(&sum, &xen_drm_test_one);
		xen_drm_damage_add(&sum, &inner);
		KUNIT_ASSERT_EQ(test, sum.count, 1);
	}
	KUNIT_EXPECT_TRUE(test, xen_drm_test_rect_is(&sum.rect[0], 10, 20, 74,
						     84));
}

static void xen_drm_test_damage_many(struct kunit *test)
{
	struct xen_drm_damage sum = xen_drm_test_one;
	unsigned int i;

	/* each one pixel further */
	for (i = 1; i <= XEN_DRM_MAX_DAMAGE; i++) {
		struct xen_drm_damage more = xen_drm_test_one;

		more.rect[0].x1 += i;
		more.rect[0].x2 += i;
		KUNIT_EXPECT_EQ(test, sum.count, i);
		xen_drm_damage_add(&sum, &more);
	}
	KUNIT_EXPECT_EQ(test, sum.count, 1);
	KUNIT_EXPECT_TRUE(test, xen_drm_test_rect_is(&sum.rect[0], 10, 20,
						     74 + XEN_DRM_MAX_DAMAGE,
						     84));
}

static void xen_drm_test_damage_everything(struct kunit *test)
{
	static const struct xen_drm_damage everything;
	struct xen_drm_damage sum = xen_drm_test_one;

	xen_drm_damage_add(&sum, &everything);
	KUNIT_EXPECT_EQ(test, sum.count, 0);
	xen_drm_damage_add(&sum, &xen_drm_test_one);
	KUNIT_EXPECT_EQ(test, sum.count, 0);
}

static struct kunit_case xen_drm_damage_cases[] = {
	KUNIT_CASE(xen_drm_test_damage_same),
	KUNIT_CASE(xen_drm_test_damage_many),
	KUNIT_CASE(xen_drm_test_damage_everything),
	{}
};

static struct kunit_suite xen_drm_damage_suite = {
	.name = "xen_drm_damage",
	.test_cases = xen_drm_damage_cases,
};

kunit_test_suite(xen_drm_damage_suite);
