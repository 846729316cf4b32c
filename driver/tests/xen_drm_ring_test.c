// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What a backend may do to the request ring. */

#include "xen_drm_test.h"

#include "../xen_drm_channel.c"
#include "../xen_drm_ring.c"

struct xen_drm_ring_test {
	struct xen_drm_ring ring;
	struct xen_drm_stats stats;
	struct xen_displif_sring *sring;
	struct xen_displif_back_ring back;
	unsigned int done;
	unsigned int released;
	int status;
	u32 tag;
};

static void xen_drm_ring_test_done(void *ctx, u32 tag, int status,
				   const struct xendispl_resp *resp)
{
	struct xen_drm_ring_test *t = ctx;

	t->done++;
	t->status = status;
	t->tag = tag;
}

static void xen_drm_ring_test_release(void *ctx)
{
	struct xen_drm_ring_test *t = ctx;

	t->released++;
}

/* a ring on a page that nobody shares */
static int xen_drm_ring_test_init(struct kunit *test)
{
	struct xen_drm_ring_test *t = kunit_kzalloc(test, sizeof(*t),
						    GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->sring = kunit_kzalloc(test, XEN_PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->sring);
	xen_drm_ring_init(&t->ring, 0, &t->stats);
	SHARED_RING_INIT(t->sring);
	FRONT_RING_INIT(&t->ring.front, t->sring, XEN_PAGE_SIZE);
	BACK_RING_INIT(&t->back, t->sring, XEN_PAGE_SIZE);
	xen_drm_ring_start(&t->ring);
	test->priv = t;
	return 0;
}

static void xen_drm_ring_test_exit(struct kunit *test)
{
	struct xen_drm_ring_test *t = test->priv;

	if (t)
		xen_drm_ring_close(&t->ring);
}

static int xen_drm_ring_test_send(struct xen_drm_ring_test *t, u8 op, u32 tag)
{
	struct xendispl_req req = { .operation = op };
	struct xen_drm_call call = {
		.done = xen_drm_ring_test_done,
		.release = xen_drm_ring_test_release,
		.ctx = t,
		.tag = tag,
	};

	return xen_drm_ring_try_submit(&t->ring, &req, &call);
}

/* as a backend: take a request */
static struct xendispl_req xen_drm_ring_test_take(struct xen_drm_ring_test *t)
{
	struct xendispl_req req;

	RING_COPY_REQUEST(&t->back, t->back.req_cons, &req);
	t->back.req_cons++;
	return req;
}

/* as a backend: put a response into the ring, and the frontend looks */
static void xen_drm_ring_test_answer(struct xen_drm_ring_test *t, u16 id,
				     u8 op, s32 status)
{
	struct xendispl_resp resp = {
		.id = id,
		.operation = op,
		.status = status,
	};

	*RING_GET_RESPONSE(&t->back, t->back.rsp_prod_pvt) = resp;
	t->back.rsp_prod_pvt++;
	RING_PUSH_RESPONSES(&t->back);
	xen_drm_ring_poll(&t->ring);
}

static void xen_drm_test_ring_order(struct kunit *test)
{
	struct xen_drm_ring_test *t = test->priv;
	struct xendispl_req req[3];
	u32 i;

	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, 0, xen_drm_ring_test_send(t, i, 100 + i));
	for (i = 0; i < 3; i++) {
		req[i] = xen_drm_ring_test_take(t);
		KUNIT_EXPECT_EQ(test, req[i].operation, i);
	}
	/* the last one first */
	for (i = 3; i--; ) {
		xen_drm_ring_test_answer(t, req[i].id, i, 0);
		KUNIT_EXPECT_EQ(test, t->done, 3 - i);
		KUNIT_EXPECT_EQ(test, t->released, 3 - i);
		KUNIT_EXPECT_EQ(test, t->tag, 100 + i);
		KUNIT_EXPECT_EQ(test, t->status, 0);
	}
	KUNIT_EXPECT_FALSE(test, t->ring.broken);
}

static int xen_drm_ring_test_send_quiet(struct xen_drm_ring_test *t)
{
	struct xendispl_req req = { .operation = 1 };
	struct xen_drm_call call = {
		.done = xen_drm_ring_test_done,
		.ctx = t,
		.quiet = true,
	};

	return xen_drm_ring_try_submit(&t->ring, &req, &call);
}

/* as a backend: answer a request; would that raise an interrupt? */
static bool xen_drm_ring_test_rings(struct xen_drm_ring_test *t)
{
	struct xendispl_req req = xen_drm_ring_test_take(t);
	struct xendispl_resp resp = {
		.id = req.id,
		.operation = req.operation,
	};
	int notify;

	*RING_GET_RESPONSE(&t->back, t->back.rsp_prod_pvt) = resp;
	t->back.rsp_prod_pvt++;
	RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&t->back, notify);
	return notify;
}

/* an interrupt only where somebody waits, or the ring fills up */
static void xen_drm_test_ring_quiet(struct kunit *test)
{
	struct xen_drm_ring_test *t = test->priv;
	unsigned int i;

	xen_drm_ring_poll(&t->ring);
	for (i = 0; i < XEN_DRM_RING_SLOTS; i++)
		KUNIT_EXPECT_EQ(test, 0, xen_drm_ring_test_send_quiet(t));
	for (i = 1; i <= XEN_DRM_RING_SLOTS; i++)
		KUNIT_EXPECT_EQ(test, xen_drm_ring_test_rings(t),
				i == XEN_DRM_RING_SLOTS / 2);
	xen_drm_ring_poll(&t->ring);
	KUNIT_EXPECT_EQ(test, t->done, XEN_DRM_RING_SLOTS);

	/* behind a quiet one, answered and not */
	KUNIT_EXPECT_EQ(test, 0, xen_drm_ring_test_send_quiet(t));
	KUNIT_EXPECT_EQ(test, 0, xen_drm_ring_test_send(t, 2, 0));
	KUNIT_EXPECT_TRUE(test, xen_drm_ring_test_rings(t));
	xen_drm_ring_poll(&t->ring);
	KUNIT_EXPECT_TRUE(test, xen_drm_ring_test_rings(t));
	xen_drm_ring_poll(&t->ring);
	KUNIT_EXPECT_EQ(test, t->done, XEN_DRM_RING_SLOTS + 2);
	KUNIT_EXPECT_EQ(test, t->ring.awaited, 0);
	KUNIT_EXPECT_FALSE(test, t->ring.broken);
}

/* many rounds, so that ids wrap, with some requests always in flight */
static void xen_drm_test_ring_wrap(struct kunit *test)
{
	struct xen_drm_ring_test *t = test->priv;
	struct xendispl_req req;
	unsigned int i;

	for (i = 0; i < 70000; i++) {
		if (xen_drm_ring_test_send(t, 1, i))
			break;
		if (i < 7)
			continue;
		req = xen_drm_ring_test_take(t);
		xen_drm_ring_test_answer(t, req.id, 1, 0);
		if (t->ring.broken)
			break;
	}
	KUNIT_EXPECT_EQ(test, i, 70000);
	KUNIT_EXPECT_EQ(test, t->done, 70000 - 7);
}

static void xen_drm_test_ring_full(struct kunit *test)
{
	struct xen_drm_ring_test *t = test->priv;
	unsigned int i;

	for (i = 0; i < XEN_DRM_RING_SLOTS; i++)
		KUNIT_EXPECT_EQ(test, 0, xen_drm_ring_test_send(t, 1, i));
	KUNIT_EXPECT_FALSE(test, xen_drm_ring_has_room(&t->ring));
	KUNIT_EXPECT_EQ(test, -EAGAIN, xen_drm_ring_test_send(t, 1, i));
	xen_drm_ring_test_answer(t, xen_drm_ring_test_take(t).id, 1, 0);
	KUNIT_EXPECT_TRUE(test, xen_drm_ring_has_room(&t->ring));
	KUNIT_EXPECT_EQ(test, 0, xen_drm_ring_test_send(t, 1, i));
}

static void xen_drm_test_ring_status(struct kunit *test)
{
	static const struct {
		s32 wire;
		int status;
	} cases[] = {
		{ 0, 0 },
		{ -EPERM, -EPERM },
		{ -ENOMEM, -ENOMEM },
		{ -ENOSPC, -ENOMEM },
		{ -EINVAL, -EINVAL },
		/* what has a meaning of its own here */
		{ -ENOTCONN, -EIO },
		{ -ETIMEDOUT, -EIO },
		{ -EDEADLK, -EIO },
		{ -EAGAIN, -EIO },
		{ -EINTR, -EIO },
		/* what is no error of Xen's */
		{ 1, -EIO },
		{ -ERESTARTSYS, -EIO },
		{ -4095, -EIO },
		{ -4096, -EIO },
		{ S32_MIN, -EIO },
		{ S32_MAX, -EIO },
	};
	struct xen_drm_ring_test *t = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		KUNIT_ASSERT_EQ(test, 0, xen_drm_ring_test_send(t, 1, i));
		xen_drm_ring_test_answer(t, xen_drm_ring_test_take(t).id, 1,
					 cases[i].wire);
		KUNIT_EXPECT_EQ_MSG(test, t->status, cases[i].status,
				    "status %d", cases[i].wire);
	}
	KUNIT_EXPECT_FALSE(test, t->ring.broken);
}

/*
 * broken: one line, no answer believed, no request taken; who waits is told,
 * what the request named is kept. @done: how many were told by then.
 */
static void xen_drm_ring_test_broken(struct kunit *test, unsigned int done)
{
	struct xen_drm_ring_test *t = test->priv;
	unsigned int released = t->released;

	flush_delayed_work(&t->ring.expire);
	KUNIT_EXPECT_EQ(test, t->done, done);
	KUNIT_EXPECT_EQ(test, t->status, -EIO);
	KUNIT_EXPECT_EQ(test, t->released, released);
	KUNIT_EXPECT_TRUE(test, t->ring.broken);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->stats.violations), 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->stats.timeouts), 0);
	KUNIT_EXPECT_EQ(test, -EIO, xen_drm_ring_test_send(t, 1, 0));
	xen_drm_ring_poll(&t->ring);
	KUNIT_EXPECT_EQ(test, t->done, done);
}

static void xen_drm_test_ring_unknown(struct kunit *test)
{
	struct xen_drm_ring_test *t = test->priv;
	struct xendispl_req req;

	KUNIT_ASSERT_EQ(test, 0, xen_drm_ring_test_send(t, 1, 0));
	req = xen_drm_ring_test_take(t);
	/* the right slot with another id */
	xen_drm_ring_test_answer(t, req.id + XEN_DRM_RING_SLOTS, 1, 0);
	xen_drm_ring_test_broken(test, 1);
	/* the end of the connection settles it */
	xen_drm_ring_close(&t->ring);
	KUNIT_EXPECT_EQ(test, t->done, 1);
	KUNIT_EXPECT_EQ(test, t->released, 1);
}

static void xen_drm_test_ring_twice(struct kunit *test)
{
	struct xen_drm_ring_test *t = test->priv;
	struct xendispl_req req;

	KUNIT_ASSERT_EQ(test, 0, xen_drm_ring_test_send(t, 1, 0));
	KUNIT_ASSERT_EQ(test, 0, xen_drm_ring_test_send(t, 1, 1));
	req = xen_drm_ring_test_take(t);
	xen_drm_ring_test_take(t);
	xen_drm_ring_test_answer(t, req.id, 1, 0);
	xen_drm_ring_test_answer(t, req.id, 1, 0);
	xen_drm_ring_test_broken(test, 2);
}

static void xen_drm_test_ring_operation(struct kunit *test)
{
	struct xen_drm_ring_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, 0, xen_drm_ring_test_send(t, 1, 0));
	xen_drm_ring_test_answer(t, xen_drm_ring_test_take(t).id, 2, 0);
	xen_drm_ring_test_broken(test, 1);
}

static void xen_drm_test_ring_index(struct kunit *test)
{
	struct xen_drm_ring_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, 0, xen_drm_ring_test_send(t, 1, 0));
	t->sring->rsp_prod = 2;
	xen_drm_ring_poll(&t->ring);
	xen_drm_ring_test_broken(test, 1);
}

/* the backend goes: who waits is told at once, what was sent keeps its slot */
static void xen_drm_test_ring_stop(struct kunit *test)
{
	struct xen_drm_ring_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, 0, xen_drm_ring_test_send(t, 1, 0));
	xen_drm_ring_stop(&t->ring);
	flush_delayed_work(&t->ring.expire);
	KUNIT_EXPECT_EQ(test, t->done, 1);
	KUNIT_EXPECT_EQ(test, t->status, -ENOTCONN);
	KUNIT_EXPECT_EQ(test, t->released, 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->stats.timeouts), 0);
	KUNIT_EXPECT_EQ(test, -ENOTCONN, xen_drm_ring_test_send(t, 1, 0));
	xen_drm_ring_close(&t->ring);
	KUNIT_EXPECT_EQ(test, t->done, 1);
	KUNIT_EXPECT_EQ(test, t->released, 1);
}

/* a request that timed out keeps its slot until its late answer */
static void xen_drm_test_ring_late(struct kunit *test)
{
	struct xen_drm_ring_test *t = test->priv;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0, xen_drm_ring_test_send(t, 1, 0));
	for (i = 0; i < XEN_DRM_RING_SLOTS; i++)
		t->ring.slots[i].deadline = jiffies - 1;
	mod_delayed_work(system_wq, &t->ring.expire, 0);
	flush_delayed_work(&t->ring.expire);
	KUNIT_EXPECT_EQ(test, t->done, 1);
	KUNIT_EXPECT_EQ(test, t->status, -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, t->released, 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->stats.timeouts), 1);

	xen_drm_ring_test_answer(t, xen_drm_ring_test_take(t).id, 1, 0);
	KUNIT_EXPECT_EQ(test, t->done, 1);
	KUNIT_EXPECT_EQ(test, t->released, 1);
	KUNIT_EXPECT_FALSE(test, t->ring.broken);
}

static struct kunit_case xen_drm_ring_cases[] = {
	KUNIT_CASE(xen_drm_test_ring_order),
	KUNIT_CASE(xen_drm_test_ring_quiet),
	KUNIT_CASE(xen_drm_test_ring_wrap),
	KUNIT_CASE(xen_drm_test_ring_full),
	KUNIT_CASE(xen_drm_test_ring_status),
	KUNIT_CASE(xen_drm_test_ring_unknown),
	KUNIT_CASE(xen_drm_test_ring_twice),
	KUNIT_CASE(xen_drm_test_ring_operation),
	KUNIT_CASE(xen_drm_test_ring_index),
	KUNIT_CASE(xen_drm_test_ring_stop),
	KUNIT_CASE(xen_drm_test_ring_late),
	{}
};

static struct kunit_suite xen_drm_ring_suite = {
	.name = "xen_drm_ring",
	.init = xen_drm_ring_test_init,
	.exit = xen_drm_ring_test_exit,
	.test_cases = xen_drm_ring_cases,
};

kunit_test_suite(xen_drm_ring_suite);
