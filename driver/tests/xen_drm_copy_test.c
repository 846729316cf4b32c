// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What is copied for a backend that does not see clients' pages, and no more. */

#include <linux/gfp.h>

#include "xen_drm_test.h"

#include "../xen_drm_copy.c"

#define XEN_DRM_TEST_PAGES	4	/* and one that is not part of the buffer */

struct xen_drm_test_copy {
	struct page *from[XEN_DRM_TEST_PAGES + 1];
	struct page *to[XEN_DRM_TEST_PAGES + 1];
};

/* Lines of 2000 bytes, 400 of them the picture's; there is room for an eighth. */
static const struct xen_drm_layout xen_drm_test_layout = {
	.offset = 1500,
	.stride = 2000,
	.cpp = 4,
	.width = 100,
	.height = 7,
};

static int xen_drm_test_copy_init(struct kunit *test)
{
	struct xen_drm_test_copy *copy =
		kunit_kzalloc(test, sizeof(*copy), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, copy);
	test->priv = copy;
	for (i = 0; i <= XEN_DRM_TEST_PAGES; i++) {
		copy->from[i] = alloc_page(GFP_KERNEL);
		copy->to[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, copy->from[i]);
		KUNIT_ASSERT_NOT_NULL(test, copy->to[i]);
		memset(page_address(copy->from[i]), 0x11 + i, PAGE_SIZE);
	}
	return 0;
}

static void xen_drm_test_copy_exit(struct kunit *test)
{
	struct xen_drm_test_copy *copy = test->priv;
	unsigned int i;

	for (i = 0; i <= XEN_DRM_TEST_PAGES; i++) {
		if (copy->from[i])
			__free_page(copy->from[i]);
		if (copy->to[i])
			__free_page(copy->to[i]);
	}
}

/* Is the byte at @pos one of the area's? */
static bool xen_drm_test_in_area(const struct xen_drm_layout *layout,
				 const struct xen_drm_rect *rect, u64 pos)
{
	u32 x, y;

	if (pos < layout->offset)
		return false;
	y = (u32)(pos - layout->offset) / layout->stride;
	x = (u32)(pos - layout->offset) % layout->stride / layout->cpp;
	return x < layout->width && y < layout->height && x >= rect->x1 &&
		x < rect->x2 && y >= rect->y1 && y < rect->y2;
}

static void xen_drm_test_copy_check(struct kunit *test,
				    const struct xen_drm_layout *layout,
				    const struct xen_drm_damage *damage)
{
	struct xen_drm_test_copy *copy = test->priv;
	unsigned int i, n, wanted = 0, wrong = 0;
	u64 copied;

	copied = xen_drm_copy(copy->to, copy->from, XEN_DRM_TEST_PAGES, layout,
			      damage);
	for (i = 0; i < (XEN_DRM_TEST_PAGES + 1) * PAGE_SIZE; i++) {
		const u8 *to = page_address(copy->to[i / PAGE_SIZE]);
		bool in = false;

		for (n = 0; n < damage->count; n++)
			in |= xen_drm_test_in_area(layout, &damage->rect[n], i);
		in &= i < XEN_DRM_TEST_PAGES * PAGE_SIZE;
		wanted += in;
		wrong += to[i % PAGE_SIZE] != (in ? 0x11 + i / PAGE_SIZE : 0);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, copied, wanted);
}

/* Lines on one page, over two pages, and the picture's last. */
static void xen_drm_test_copy_areas(struct kunit *test)
{
	static const struct xen_drm_damage damage = {
		.count = 3,
		.rect = { { 3, 0, 4, 3 }, { 50, 2, 100, 5 }, { 0, 6, 100, 7 } },
	};

	xen_drm_test_copy_check(test, &xen_drm_test_layout, &damage);
}

/* What a client names may lie outside, or be inside out. */
static void xen_drm_test_copy_outside(struct kunit *test)
{
	static const struct xen_drm_damage damage = {
		.count = 5,
		.rect = {
			{ 90, 5, U16_MAX, U16_MAX }, { 110, 0, 120, 8 },
			{ 0, 7, 100, 20 }, { 60, 1, 40, 5 }, { 60, 5, 70, 1 },
		},
	};

	xen_drm_test_copy_check(test, &xen_drm_test_layout, &damage);
}

/* All of the picture, and not what is between its lines. */
static void xen_drm_test_copy_all(struct kunit *test)
{
	static const struct xen_drm_damage all = {
		.count = 1,
		.rect = { { 0, 0, 100, 7 } },
	};
	struct xen_drm_test_copy *copy = test->priv;
	static const struct xen_drm_damage none;

	KUNIT_EXPECT_EQ(test, xen_drm_copy(copy->to, copy->from,
					   XEN_DRM_TEST_PAGES,
					   &xen_drm_test_layout, &none), 2800);
	xen_drm_test_copy_check(test, &xen_drm_test_layout, &all);
	KUNIT_EXPECT_EQ(test, xen_drm_copy(copy->to, copy->from,
					   XEN_DRM_TEST_PAGES,
					   &xen_drm_test_layout, NULL), 2800);
}

/* A picture that its buffer has no room for ends with the buffer. */
static void xen_drm_test_copy_short(struct kunit *test)
{
	static const struct xen_drm_damage damage = {
		.count = 1,
		.rect = { { 0, 0, U16_MAX, U16_MAX } },
	};
	struct xen_drm_layout layout = xen_drm_test_layout;

	/* the ninth line is cut, the others are not there */
	layout.stride = 1840;
	layout.height = 100;
	xen_drm_test_copy_check(test, &layout, &damage);
}

static struct kunit_case xen_drm_copy_cases[] = {
	KUNIT_CASE(xen_drm_test_copy_areas),
	KUNIT_CASE(xen_drm_test_copy_outside),
	KUNIT_CASE(xen_drm_test_copy_all),
	KUNIT_CASE(xen_drm_test_copy_short),
	{}
};

static struct kunit_suite xen_drm_copy_suite = {
	.name = "xen_drm_copy",
	.init = xen_drm_test_copy_init,
	.exit = xen_drm_test_copy_exit,
	.test_cases = xen_drm_copy_cases,
};

kunit_test_suite(xen_drm_copy_suite);
