// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What a backend may do to the event page. */

#include "xen_drm_test.h"

#include "../xen_drm_event.c"

struct xen_drm_event_test {
	struct xen_drm_events events;
	struct xen_drm_stats stats;
	struct xendispl_event_page *page;
	unsigned int told;
	u64 last;
};

static bool xen_drm_event_told(void *ctx, const struct xendispl_evt *evt)
{
	struct xen_drm_event_test *t = ctx;

	t->told++;
	t->last = evt->op.pg_flip.fb_cookie;
	return true;
}

static int xen_drm_event_test_init(struct kunit *test)
{
	struct xen_drm_event_test *t = kunit_kzalloc(test, sizeof(*t),
						     GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->page = kunit_kzalloc(test, XEN_PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->page);
	xen_drm_events_init(&t->events, 0, &t->stats, xen_drm_event_told, t);
	t->events.ch.page = t->page;
	xen_drm_events_start(&t->events);
	test->priv = t;
	return 0;
}

/* as a backend: event @id in the slot of index @prod */
static void xen_drm_event_put(struct xen_drm_event_test *t, u32 prod, u16 id)
{
	struct xendispl_evt *evt = &XENDISPL_IN_RING_REF(t->page, prod);

	memset(evt, 0, sizeof(*evt));
	evt->id = id;
	evt->op.pg_flip.fb_cookie = 1000 + id;
}

static void xen_drm_test_event_order(struct kunit *test)
{
	struct xen_drm_event_test *t = test->priv;
	u32 i;

	/* around the page and around the 16 bits of the id */
	for (i = 0; i < 70000; i++) {
		xen_drm_event_put(t, i, i);
		t->page->in_prod = i + 1;
		xen_drm_events_poll(&t->events);
	}
	KUNIT_EXPECT_EQ(test, t->told, 70000);
	KUNIT_EXPECT_EQ(test, t->last, 1000 + (u16)69999);
	KUNIT_EXPECT_EQ(test, t->page->in_cons, 70000);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->stats.event_gaps), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->stats.events), 70000);
}

static void xen_drm_test_event_full(struct kunit *test)
{
	struct xen_drm_event_test *t = test->priv;
	u32 i;

	for (i = 0; i < XENDISPL_IN_RING_LEN; i++)
		xen_drm_event_put(t, i, i);
	t->page->in_prod = XENDISPL_IN_RING_LEN;
	xen_drm_events_poll(&t->events);
	KUNIT_EXPECT_EQ(test, t->told, XENDISPL_IN_RING_LEN);
	xen_drm_events_poll(&t->events);
	KUNIT_EXPECT_EQ(test, t->told, XENDISPL_IN_RING_LEN);
}

static void xen_drm_test_event_gap(struct kunit *test)
{
	struct xen_drm_event_test *t = test->priv;

	xen_drm_event_put(t, 0, 0);
	xen_drm_event_put(t, 1, 5);
	xen_drm_event_put(t, 2, 6);
	t->page->in_prod = 3;
	xen_drm_events_poll(&t->events);
	KUNIT_EXPECT_EQ(test, t->told, 3);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->stats.event_gaps), 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->stats.violations), 0);
}

/* more than the page holds, backwards, or the largest step there is */
static void xen_drm_test_event_index(struct kunit *test)
{
	static const u32 jumps[] = {
		XENDISPL_IN_RING_LEN + 1, -1, 0x80000000, 0x7fffffff,
	};
	struct xen_drm_event_test *t = test->priv;
	unsigned int i;
	u32 prod = 0;

	for (i = 0; i < ARRAY_SIZE(jumps); i++) {
		prod += jumps[i];
		t->page->in_prod = prod;
		xen_drm_events_poll(&t->events);
		KUNIT_EXPECT_EQ(test, t->told, i);
		KUNIT_EXPECT_EQ(test, atomic64_read(&t->stats.violations),
				i + 1);
		/* and it goes on from there */
		xen_drm_event_put(t, prod, i);
		t->page->in_prod = ++prod;
		xen_drm_events_poll(&t->events);
		KUNIT_EXPECT_EQ(test, t->told, i + 1);
	}
}

/* our own index is never believed from the page */
static void xen_drm_test_event_cons(struct kunit *test)
{
	struct xen_drm_event_test *t = test->priv;

	xen_drm_event_put(t, 0, 0);
	t->page->in_prod = 1;
	t->page->in_cons = 0x12345678;
	xen_drm_events_poll(&t->events);
	KUNIT_EXPECT_EQ(test, t->told, 1);
	KUNIT_EXPECT_EQ(test, t->page->in_cons, 1);
}

static void xen_drm_test_event_stopped(struct kunit *test)
{
	struct xen_drm_event_test *t = test->priv;

	xen_drm_events_stop(&t->events);
	xen_drm_event_put(t, 0, 0);
	t->page->in_prod = 1;
	xen_drm_events_poll(&t->events);
	KUNIT_EXPECT_EQ(test, t->told, 0);
	xen_drm_events_start(&t->events);
	KUNIT_EXPECT_EQ(test, t->told, 1);
}

static struct kunit_case xen_drm_event_cases[] = {
	KUNIT_CASE(xen_drm_test_event_order),
	KUNIT_CASE(xen_drm_test_event_full),
	KUNIT_CASE(xen_drm_test_event_gap),
	KUNIT_CASE(xen_drm_test_event_index),
	KUNIT_CASE(xen_drm_test_event_cons),
	KUNIT_CASE(xen_drm_test_event_stopped),
	{}
};

static struct kunit_suite xen_drm_event_suite = {
	.name = "xen_drm_event",
	.init = xen_drm_event_test_init,
	.test_cases = xen_drm_event_cases,
};

kunit_test_suite(xen_drm_event_suite);
