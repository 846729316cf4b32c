// SPDX-License-Identifier: GPL-2.0 OR MIT
/* One event per commit, and no damage lost, whatever the backend answers and when. */

#include "xen_drm_flip_test.h"

static void xen_drm_test_flip_shown(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;

	xen_drm_flip_test_flip(t, 0, 1, 7);
	KUNIT_EXPECT_TRUE(test, t->filled_whole);
	KUNIT_ASSERT_EQ(test, t->num_flips, 1);
	KUNIT_EXPECT_EQ(test, t->flip[0].cookie, t->fb[1].cookie);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_areas(t, 0), 1);
	KUNIT_EXPECT_TRUE(test, xen_drm_flip_test_has(t, 0, 7));
	xen_drm_flip_test_answer(t, 0, 0);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_told(t, 0), 0);
	KUNIT_EXPECT_TRUE(test, xen_drm_flip_test_frame(t, 1));
	KUNIT_EXPECT_EQ(test, t->sent[0], 1);
	KUNIT_EXPECT_EQ(test, t->kicks, 1);

	/* one that nobody waits for, of another framebuffer, means nothing */
	KUNIT_EXPECT_FALSE(test, xen_drm_flip_test_frame(t, 1));
	xen_drm_flip_test_flip(t, 1, 0, 0);
	KUNIT_EXPECT_FALSE(test, xen_drm_flip_test_frame(t, 1));
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_told(t, 1), 0);

	/* a frame of the next vblank */
	t->later = true;
	KUNIT_EXPECT_TRUE(test, xen_drm_flip_test_frame(t, 0));
	KUNIT_EXPECT_EQ(test, t->armed[1], 1);
	KUNIT_EXPECT_EQ(test, t->sent[1], 0);

	xen_drm_flip_test_pass(t, 2 * XEN_DRM_FLIP_MS);
	xen_drm_flip_abort(&t->pipe);
	xen_drm_flip_test_once(test, 2);
	KUNIT_EXPECT_FALSE(test, t->pipe.bad);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->xdrm.stats.flips), 2);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->xdrm.stats.flip_timeouts), 0);
}

/* DIRTYFB waits for nothing, but a client that asked for an event does */
static void xen_drm_test_flip_same_fb(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;

	xen_drm_flip_test_dirty(t, 0, 0, 0);
	KUNIT_EXPECT_FALSE(test, t->filled_whole);
	KUNIT_EXPECT_EQ(test, t->sent[0], 1);
	KUNIT_EXPECT_TRUE(test, xen_drm_flip_test_frame(t, 0));
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_told(t, 0), 1);

	xen_drm_flip_test_show(t, 1, 0, 1, false, true);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_told(t, 1), 0);
	KUNIT_EXPECT_TRUE(test, xen_drm_flip_test_frame(t, 0));
	KUNIT_EXPECT_EQ(test, t->sent[1], 1);
	KUNIT_EXPECT_EQ(test, t->num_flips, 2);
}

static void xen_drm_test_flip_refused(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;

	xen_drm_flip_test_flip(t, 0, 1, 0);
	xen_drm_flip_test_answer(t, 0, -EIO);
	KUNIT_EXPECT_EQ(test, t->sent[0], 1);
	KUNIT_EXPECT_TRUE(test, t->pipe.bad);
	KUNIT_EXPECT_FALSE(test, xen_drm_flip_test_frame(t, 1));

	/* what is shown next is whole, and good */
	xen_drm_flip_test_show(t, 1, 1, 3, false, true);
	KUNIT_EXPECT_TRUE(test, t->filled_whole);
	KUNIT_ASSERT_EQ(test, t->num_flips, 2);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_areas(t, 1), 0);
	KUNIT_EXPECT_TRUE(test, xen_drm_flip_test_frame(t, 1));
	KUNIT_EXPECT_FALSE(test, t->pipe.bad);

	/* and after that not */
	xen_drm_flip_test_dirty(t, 2, 1, 4);
	KUNIT_EXPECT_FALSE(test, t->filled_whole);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_areas(t, 2), 1);
	xen_drm_flip_test_frame(t, 1);

	/* the connection went: that is not the display's fault */
	xen_drm_flip_test_flip(t, 3, 2, 0);
	xen_drm_flip_test_answer(t, 3, -ENOTCONN);
	KUNIT_EXPECT_EQ(test, t->sent[3], 1);
	KUNIT_EXPECT_FALSE(test, t->pipe.bad);

	xen_drm_flip_test_pass(t, 2 * XEN_DRM_FLIP_MS);
	xen_drm_flip_test_once(test, 4);
}

/* the answer comes after the frame, or not at all */
static void xen_drm_test_flip_late_answer(struct kunit *test)
{
	static const int status[] = { 0, -EIO, -ETIMEDOUT, -ENOTCONN };
	struct xen_drm_flip_test *t = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(status); i++) {
		xen_drm_flip_test_flip(t, i, i % 2, 0);
		KUNIT_EXPECT_TRUE(test, xen_drm_flip_test_frame(t, i % 2));
		KUNIT_EXPECT_EQ(test, t->sent[i], 1);
	}
	/* the next one hears of its own only */
	xen_drm_flip_test_flip(t, i, 2, 0);
	for (i = 0; i < ARRAY_SIZE(status); i++) {
		xen_drm_flip_test_answer(t, i, status[i]);
		KUNIT_EXPECT_EQ(test, xen_drm_flip_test_told(t, i), 1);
	}
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_told(t, i), 0);
	xen_drm_flip_test_answer(t, i, -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_told(t, i), 0);
	xen_drm_flip_test_frame(t, 2);
	KUNIT_EXPECT_EQ(test, t->sent[i], 1);
}

static void xen_drm_test_flip_timeout(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;

	xen_drm_flip_test_flip(t, 0, 1, 0);
	xen_drm_flip_test_answer(t, 0, 0);
	xen_drm_flip_test_pass(t, XEN_DRM_FLIP_MS - 100);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_told(t, 0), 0);
	xen_drm_flip_test_pass(t, 100);
	KUNIT_EXPECT_EQ(test, t->sent[0], 1);
	KUNIT_EXPECT_TRUE(test, t->pipe.bad);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->xdrm.stats.flip_timeouts), 1);

	/* it comes after all */
	KUNIT_EXPECT_FALSE(test, xen_drm_flip_test_frame(t, 1));
	KUNIT_EXPECT_TRUE(test, t->pipe.bad);

	/* the next is whole, and has a timeout of its own */
	xen_drm_flip_test_show(t, 1, 1, 0, false, true);
	KUNIT_EXPECT_TRUE(test, t->filled_whole);
	KUNIT_ASSERT_EQ(test, t->num_flips, 2);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_areas(t, 1), 0);
	xen_drm_flip_test_pass(t, XEN_DRM_FLIP_MS);
	xen_drm_flip_test_pass(t, XEN_DRM_FLIP_MS);
	xen_drm_flip_test_once(test, 2);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->xdrm.stats.flip_timeouts), 2);
}

/* each flip has the whole time, whenever the work was queued */
static void xen_drm_test_flip_timeout_each(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;

	xen_drm_flip_test_flip(t, 0, 1, 0);
	xen_drm_flip_test_pass(t, 2000);
	xen_drm_flip_test_frame(t, 1);
	xen_drm_flip_test_flip(t, 1, 0, 0);
	xen_drm_flip_test_pass(t, XEN_DRM_FLIP_MS - 2000);
	xen_drm_flip_test_pass(t, 1900);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_told(t, 1), 0);
	xen_drm_flip_test_pass(t, 100);
	KUNIT_EXPECT_EQ(test, t->sent[1], 1);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_told(t, 0), 1);
}

/* no timeout: an event that nobody saw, a connection that is about to go */
static void xen_drm_test_flip_no_timeout(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;

	xen_drm_flip_test_flip(t, 0, 1, 0);
	t->unseen = t->fb[1].cookie;
	xen_drm_flip_test_pass(t, XEN_DRM_FLIP_MS);
	KUNIT_EXPECT_EQ(test, t->sent[0], 1);

	xen_drm_flip_test_flip(t, 1, 0, 0);
	t->lost = true;
	xen_drm_flip_test_pass(t, XEN_DRM_FLIP_MS);
	KUNIT_EXPECT_EQ(test, t->sent[1], 1);
	xen_drm_flip_abort(&t->pipe);
	xen_drm_flip_test_once(test, 2);
	KUNIT_EXPECT_FALSE(test, t->pipe.bad);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->xdrm.stats.flip_timeouts), 0);
}

static void xen_drm_test_flip_abort(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;

	xen_drm_flip_test_flip(t, 0, 1, 0);
	xen_drm_flip_test_dirty(t, 1, 1, 5);
	xen_drm_flip_abort(&t->pipe);
	KUNIT_EXPECT_EQ(test, t->sent[0], 1);
	KUNIT_EXPECT_EQ(test, t->sent[1], 1);
	KUNIT_EXPECT_EQ(test, t->pipe.config_link, 0);

	/* nothing is left of it */
	KUNIT_EXPECT_FALSE(test, xen_drm_flip_test_frame(t, 1));
	xen_drm_flip_test_answer(t, 0, -ENOTCONN);
	xen_drm_flip_test_pass(t, XEN_DRM_FLIP_MS);
	xen_drm_flip_abort(&t->pipe);
	xen_drm_flip_test_once(test, 2);
	KUNIT_EXPECT_EQ(test, t->num_flips, 1);
	KUNIT_EXPECT_FALSE(test, t->pipe.bad);
}

static void xen_drm_test_flip_config(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;
	struct xen_drm_call older;

	t->pipe.config_link = 0;
	xen_drm_flip_test_config(t, 0, 1);
	KUNIT_EXPECT_TRUE(test, t->filled_whole);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_told(t, 0), 0);
	xen_drm_flip_test_end(&t->config, 0);
	KUNIT_EXPECT_EQ(test, t->sent[0], 1);
	KUNIT_EXPECT_EQ(test, t->pipe.config_link, XEN_DRM_FLIP_TEST_LINK);
	/* it has no frame-done event */
	KUNIT_EXPECT_FALSE(test, xen_drm_flip_test_frame(t, 1));

	xen_drm_flip_test_config(t, 1, 1);
	xen_drm_flip_test_end(&t->config, -EIO);
	KUNIT_EXPECT_EQ(test, t->sent[1], 1);
	KUNIT_EXPECT_EQ(test, t->pipe.config_link, 0);
	KUNIT_EXPECT_TRUE(test, t->pipe.bad);

	/* the answer to the state machine's does not count for a newer one */
	xen_drm_flip_config(&t->pipe, NULL, &t->fb[0]);
	older = t->config;
	xen_drm_flip_test_config(t, 2, 0);
	xen_drm_flip_test_end(&older, -EIO);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_told(t, 2), 0);
	KUNIT_EXPECT_EQ(test, t->pipe.config_link, XEN_DRM_FLIP_TEST_LINK);
	xen_drm_flip_test_end(&t->config, 0);
	KUNIT_EXPECT_EQ(test, t->sent[2], 1);
	KUNIT_EXPECT_FALSE(test, t->pipe.bad);

	/* the connection goes meanwhile */
	xen_drm_flip_test_config(t, 3, 0);
	xen_drm_flip_abort(&t->pipe);
	xen_drm_flip_test_end(&t->config, -ENOTCONN);
	xen_drm_flip_test_once(test, 3);
	KUNIT_EXPECT_EQ(test, t->sent[3], 1);
	KUNIT_EXPECT_FALSE(test, t->pipe.bad);
}

/* who cannot send goes on by the vblank clock, if it runs */
static void xen_drm_test_flip_not_sent(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;

	t->ret = -ENOTCONN;
	xen_drm_flip_test_flip(t, 0, 1, 0);
	KUNIT_EXPECT_EQ(test, t->armed[0], 1);
	xen_drm_flip_test_config(t, 1, 1);
	KUNIT_EXPECT_EQ(test, t->armed[1], 1);
	KUNIT_EXPECT_EQ(test, t->pipe.config_link, 0);
	KUNIT_EXPECT_FALSE(test, t->pipe.bad);

	t->ret = -EIO;
	xen_drm_flip_test_config(t, 2, 1);
	KUNIT_EXPECT_EQ(test, t->armed[2], 1);
	KUNIT_EXPECT_TRUE(test, t->pipe.bad);
	t->pipe.bad = false;
	t->no_clock = true;
	xen_drm_flip_test_flip(t, 3, 1, 0);
	KUNIT_EXPECT_EQ(test, t->sent[3], 1);
	KUNIT_EXPECT_TRUE(test, t->pipe.bad);

	xen_drm_flip_test_pass(t, XEN_DRM_FLIP_MS);
	xen_drm_flip_abort(&t->pipe);
	xen_drm_flip_test_once(test, 4);
}

static void xen_drm_test_flip_room(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;

	t->ret = -EAGAIN;
	t->room = true;
	xen_drm_flip_test_flip(t, 0, 1, 0);
	KUNIT_EXPECT_EQ(test, t->num_flips, 1);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_told(t, 0), 0);
	xen_drm_flip_test_frame(t, 1);
	KUNIT_EXPECT_EQ(test, t->sent[0], 1);

	t->ret = -EAGAIN;
	t->room = false;
	xen_drm_flip_test_flip(t, 1, 0, 0);
	KUNIT_EXPECT_EQ(test, t->num_flips, 1);
	KUNIT_EXPECT_EQ(test, t->armed[1], 1);
	KUNIT_EXPECT_EQ(test, t->sent[1], 0);
	KUNIT_EXPECT_TRUE(test, t->pipe.bad);
}

/* a late event of a flip that timed out is not the next one's */
static void xen_drm_test_flip_stale(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;
	unsigned int fb;

	/* of another framebuffer, then of the same */
	for (fb = 0; fb < 2; fb++) {
		const unsigned int e = 2 * fb;

		xen_drm_flip_test_flip(t, e, 1, 0);
		xen_drm_flip_test_pass(t, XEN_DRM_FLIP_MS);
		KUNIT_EXPECT_EQ(test, t->sent[e], 1);
		xen_drm_flip_test_show(t, e + 1, fb, 0, fb == 0, true);
		KUNIT_EXPECT_FALSE(test, xen_drm_flip_test_frame(t, 1));
		KUNIT_EXPECT_EQ(test, xen_drm_flip_test_told(t, e + 1), 0);
		KUNIT_EXPECT_TRUE(test, xen_drm_flip_test_frame(t, fb));
		KUNIT_EXPECT_EQ(test, t->sent[e + 1], 1);
		KUNIT_EXPECT_EQ(test, xen_drm_flip_test_told(t, e), 1);
	}
	KUNIT_EXPECT_EQ(test, t->pipe.flip.num_wire, 0);
}

/* the late event never comes: the next flip's is taken for it, once */
static void xen_drm_test_flip_ate_stale(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;

	xen_drm_flip_test_flip(t, 0, 1, 0);
	xen_drm_flip_test_pass(t, XEN_DRM_FLIP_MS);
	xen_drm_flip_test_show(t, 1, 1, 0, false, true);
	KUNIT_EXPECT_FALSE(test, xen_drm_flip_test_frame(t, 1));
	xen_drm_flip_test_pass(t, XEN_DRM_FLIP_MS);
	KUNIT_EXPECT_EQ(test, t->sent[1], 1);
	xen_drm_flip_test_show(t, 2, 1, 0, false, true);
	KUNIT_EXPECT_TRUE(test, xen_drm_flip_test_frame(t, 1));
	xen_drm_flip_test_once(test, 2);
	KUNIT_EXPECT_EQ(test, t->sent[2], 1);
}

/* frames come in order: one that was passed over does not come any more */
static void xen_drm_test_flip_newer(struct kunit *test)
{
	static const struct xen_drm_damage everything;
	struct xen_drm_flip_test *t = test->priv;
	unsigned int i;

	xen_drm_flip_test_dirty(t, 0, 0, 0);
	xen_drm_flip_test_flip(t, 1, 1, 0);
	KUNIT_EXPECT_EQ(test, t->num_flips, 2);
	KUNIT_EXPECT_TRUE(test, xen_drm_flip_test_frame(t, 1));
	KUNIT_EXPECT_EQ(test, t->sent[1], 1);
	KUNIT_EXPECT_EQ(test, t->pipe.flip.num_wire, 0);
	KUNIT_EXPECT_FALSE(test, xen_drm_flip_test_frame(t, 0));

	/* in order, each is one */
	xen_drm_flip_test_dirty(t, 2, 1, 0);
	xen_drm_flip_test_flip(t, 3, 2, 0);
	KUNIT_EXPECT_TRUE(test, xen_drm_flip_test_frame(t, 1));
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_told(t, 3), 0);
	KUNIT_EXPECT_TRUE(test, xen_drm_flip_test_frame(t, 2));
	KUNIT_EXPECT_EQ(test, t->sent[3], 1);

	/* more than are remembered: the oldest are forgotten */
	for (i = 0; i < 2 * XEN_DRM_MAX_WIRE_FLIPS; i++)
		xen_drm_flip_show(&t->pipe, NULL, &t->fb[i % 3], &everything,
				  true);
	KUNIT_EXPECT_EQ(test, t->pipe.flip.num_wire, XEN_DRM_MAX_WIRE_FLIPS);
	for (i -= XEN_DRM_MAX_WIRE_FLIPS; i < 2 * XEN_DRM_MAX_WIRE_FLIPS; i++)
		KUNIT_EXPECT_TRUE(test, xen_drm_flip_test_frame(t, i % 3));
	KUNIT_EXPECT_EQ(test, t->pipe.flip.num_wire, 0);
	xen_drm_flip_test_once(test, 4);
}

/* a client that dirties faster than the display shows costs a flip per frame */
static void xen_drm_test_flip_damage(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;
	unsigned int e;

	xen_drm_flip_test_dirty(t, 0, 0, 10);
	for (e = 1; e < 4; e++)
		xen_drm_flip_test_dirty(t, e, 0, 10 * (e + 1));
	for (e = 0; e < 4; e++)
		KUNIT_EXPECT_EQ(test, t->sent[e], 1);
	xen_drm_flip_test_answer(t, 0, 0);
	KUNIT_ASSERT_EQ(test, t->num_flips, 1);

	KUNIT_EXPECT_TRUE(test, xen_drm_flip_test_frame(t, 0));
	KUNIT_ASSERT_EQ(test, t->num_flips, 2);
	KUNIT_EXPECT_EQ(test, t->flip[1].cookie, t->fb[0].cookie);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_areas(t, 1), 3);
	KUNIT_EXPECT_FALSE(test, xen_drm_flip_test_has(t, 1, 10));
	for (e = 1; e < 4; e++)
		KUNIT_EXPECT_TRUE(test,
				  xen_drm_flip_test_has(t, 1, 10 * (e + 1)));

	/* that was all */
	KUNIT_EXPECT_TRUE(test, xen_drm_flip_test_frame(t, 0));
	xen_drm_flip_test_answer(t, 1, 0);
	xen_drm_flip_test_pass(t, XEN_DRM_FLIP_MS);
	KUNIT_EXPECT_EQ(test, t->num_flips, 2);
	xen_drm_flip_test_once(test, 4);
}

/* who waits does not send what others have remembered, nor lose it */
static void xen_drm_test_flip_damage_waits(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;

	xen_drm_flip_test_dirty(t, 0, 0, 1);
	xen_drm_flip_test_dirty(t, 1, 0, 2);
	xen_drm_flip_test_show(t, 2, 0, 3, false, true);
	KUNIT_EXPECT_EQ(test, t->num_flips, 2);
	xen_drm_flip_test_frame(t, 0);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_told(t, 2), 0);
	xen_drm_flip_test_frame(t, 0);
	KUNIT_EXPECT_EQ(test, t->sent[2], 1);
	KUNIT_ASSERT_EQ(test, t->num_flips, 3);
	KUNIT_EXPECT_TRUE(test, xen_drm_flip_test_has(t, 2, 2));
}

/* damage of a framebuffer that another one replaces: that is shown whole */
static void xen_drm_test_flip_damage_replaced(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;

	xen_drm_flip_test_dirty(t, 0, 0, 1);
	xen_drm_flip_test_dirty(t, 1, 0, 2);
	xen_drm_flip_test_flip(t, 2, 1, 3);
	KUNIT_ASSERT_EQ(test, t->num_flips, 2);
	KUNIT_EXPECT_EQ(test, t->flip[1].cookie, t->fb[1].cookie);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_areas(t, 1), 0);

	/* and the old one is not shown again */
	xen_drm_flip_test_frame(t, 0);
	xen_drm_flip_test_frame(t, 1);
	xen_drm_flip_test_pass(t, XEN_DRM_FLIP_MS);
	KUNIT_EXPECT_EQ(test, t->num_flips, 2);
	KUNIT_EXPECT_EQ(test, t->sent[2], 1);

	/* the next one is not whole any more */
	xen_drm_flip_test_flip(t, 3, 0, 4);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_areas(t, 2), 1);
}

/* after a timeout, what was remembered is shown at once, and whole */
static void xen_drm_test_flip_damage_timeout(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;

	xen_drm_flip_test_flip(t, 0, 1, 0);
	xen_drm_flip_test_dirty(t, 1, 1, 1);
	xen_drm_flip_test_pass(t, XEN_DRM_FLIP_MS);
	KUNIT_EXPECT_EQ(test, t->sent[0], 1);
	KUNIT_ASSERT_EQ(test, t->num_flips, 2);
	KUNIT_EXPECT_EQ(test, t->flip[1].cookie, t->fb[1].cookie);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_areas(t, 1), 0);
	KUNIT_EXPECT_EQ(test, t->sent[1], 1);
}

/* nothing is flipped for a mode or a connection that is no more */
static void xen_drm_test_flip_damage_gone(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;

	xen_drm_flip_test_dirty(t, 0, 0, 1);
	xen_drm_flip_test_dirty(t, 1, 0, 2);
	t->xdrm.link++;
	xen_drm_flip_test_frame(t, 0);
	KUNIT_EXPECT_EQ(test, t->num_flips, 1);
	t->xdrm.link--;

	/* a mode shows all of its framebuffer */
	xen_drm_flip_test_dirty(t, 2, 0, 3);
	xen_drm_flip_test_dirty(t, 3, 0, 4);
	xen_drm_flip_test_config(t, 4, 1);
	xen_drm_flip_test_end(&t->config, 0);
	KUNIT_EXPECT_FALSE(test, xen_drm_flip_test_frame(t, 0));
	xen_drm_flip_test_answer(t, 1, 0);
	KUNIT_EXPECT_EQ(test, t->num_flips, 2);
	KUNIT_EXPECT_EQ(test, t->sent[4], 1);
}

static void xen_drm_test_flip_miss(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;

	xen_drm_flip_test_dirty(t, 0, 0, 1);
	xen_drm_flip_test_dirty(t, 1, 0, 2);
	xen_drm_flip_miss(&t->pipe, &t->event[2]);
	KUNIT_EXPECT_EQ(test, t->armed[2], 1);
	xen_drm_flip_test_frame(t, 0);
	KUNIT_EXPECT_EQ(test, t->num_flips, 1);
	xen_drm_flip_test_dirty(t, 3, 1, 3);
	KUNIT_EXPECT_TRUE(test, t->filled_whole);
	KUNIT_ASSERT_EQ(test, t->num_flips, 2);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_areas(t, 1), 0);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_told(t, 2), 1);
}

/* what was remembered while the backend refuses is shown at once, and whole */
static void xen_drm_test_flip_damage_refused(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;

	xen_drm_flip_test_dirty(t, 0, 0, 1);
	xen_drm_flip_test_dirty(t, 1, 0, 2);
	xen_drm_flip_test_answer(t, 0, -EIO);
	KUNIT_ASSERT_EQ(test, t->num_flips, 2);
	KUNIT_EXPECT_EQ(test, t->flip[1].cookie, t->fb[0].cookie);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_areas(t, 1), 0);

	/* once; one that refuses everything is not asked for ever */
	xen_drm_flip_test_answer(t, 1, -EIO);
	KUNIT_ASSERT_EQ(test, t->num_flips, 2);
	xen_drm_flip_test_flip(t, 2, 1, 3);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_areas(t, 2), 0);

	/* after a page flip, too */
	xen_drm_flip_test_dirty(t, 3, 1, 4);
	xen_drm_flip_test_answer(t, 2, -EIO);
	KUNIT_EXPECT_EQ(test, t->sent[2], 1);
	KUNIT_ASSERT_EQ(test, t->num_flips, 4);
	KUNIT_EXPECT_EQ(test, t->flip[3].cookie, t->fb[1].cookie);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_areas(t, 3), 0);

	/* but not beside one that is in flight */
	xen_drm_flip_test_flip(t, 4, 0, 5);
	xen_drm_flip_test_dirty(t, 5, 0, 6);
	xen_drm_flip_test_answer(t, 3, -EIO);
	KUNIT_ASSERT_EQ(test, t->num_flips, 5);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_told(t, 4), 0);
	xen_drm_flip_test_frame(t, 0);
	KUNIT_ASSERT_EQ(test, t->num_flips, 6);
	KUNIT_EXPECT_EQ(test, t->flip[5].cookie, t->fb[0].cookie);
	xen_drm_flip_test_once(test, 6);
}

/* what could not be sent is in what is sent next */
static void xen_drm_test_flip_no_room(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;

	t->ret = -EAGAIN;
	xen_drm_flip_test_flip(t, 0, 1, 1);
	t->ret = 0;
	xen_drm_flip_test_dirty(t, 1, 1, 2);
	KUNIT_ASSERT_EQ(test, t->num_flips, 1);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_areas(t, 0), 0);
	xen_drm_flip_test_frame(t, 1);

	t->ret = -EAGAIN;
	xen_drm_flip_test_dirty(t, 2, 1, 3);
	t->ret = 0;
	xen_drm_flip_test_flip(t, 3, 0, 4);
	KUNIT_ASSERT_EQ(test, t->num_flips, 2);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_areas(t, 1), 0);
	xen_drm_flip_test_frame(t, 0);
	xen_drm_flip_test_once(test, 4);
}

/* remembered, and others fill the ring: no answer to a flip says that there is room */
static void xen_drm_test_flip_damage_no_room(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;

	xen_drm_flip_test_dirty(t, 0, 0, 1);
	xen_drm_flip_test_dirty(t, 1, 0, 2);
	xen_drm_flip_test_answer(t, 0, 0);
	t->ret = -EAGAIN;
	KUNIT_EXPECT_TRUE(test, xen_drm_flip_test_frame(t, 0));
	xen_drm_flip_test_pass(t, XEN_DRM_FLIP_MS);
	xen_drm_flip_test_pass(t, XEN_DRM_FLIP_MS);
	KUNIT_EXPECT_EQ(test, t->num_flips, 1);
	t->ret = 0;
	xen_drm_flip_test_pass(t, XEN_DRM_FLIP_MS);
	KUNIT_ASSERT_EQ(test, t->num_flips, 2);
	KUNIT_EXPECT_EQ(test, t->flip[1].cookie, t->fb[0].cookie);
	KUNIT_EXPECT_TRUE(test, !xen_drm_flip_test_areas(t, 1) ||
			  xen_drm_flip_test_has(t, 1, 2));
	KUNIT_EXPECT_TRUE(test, xen_drm_flip_test_frame(t, 0));

	/* not on a connection that went */
	xen_drm_flip_test_dirty(t, 2, 0, 3);
	xen_drm_flip_test_dirty(t, 3, 0, 4);
	t->ret = -EAGAIN;
	xen_drm_flip_test_frame(t, 0);
	xen_drm_flip_abort(&t->pipe);
	t->ret = 0;
	xen_drm_flip_test_pass(t, XEN_DRM_FLIP_MS);
	KUNIT_EXPECT_EQ(test, t->num_flips, 3);
	xen_drm_flip_test_once(test, 4);
	KUNIT_EXPECT_FALSE(test, t->pipe.bad);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->xdrm.stats.flip_timeouts), 0);
}

/* a timeout that finds no room to show what was remembered */
static void xen_drm_test_flip_timeout_no_room(struct kunit *test)
{
	struct xen_drm_flip_test *t = test->priv;

	xen_drm_flip_test_flip(t, 0, 1, 0);
	xen_drm_flip_test_dirty(t, 1, 1, 1);
	t->ret = -EAGAIN;
	xen_drm_flip_test_pass(t, XEN_DRM_FLIP_MS);
	KUNIT_EXPECT_EQ(test, t->sent[0], 1);
	KUNIT_EXPECT_EQ(test, t->num_flips, 1);
	t->ret = 0;
	xen_drm_flip_test_pass(t, XEN_DRM_FLIP_MS);
	KUNIT_ASSERT_EQ(test, t->num_flips, 2);
	KUNIT_EXPECT_EQ(test, t->flip[1].cookie, t->fb[1].cookie);
	KUNIT_EXPECT_EQ(test, xen_drm_flip_test_areas(t, 1), 0);
	xen_drm_flip_test_once(test, 2);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->xdrm.stats.flip_timeouts), 1);
}

static struct kunit_case xen_drm_flip_cases[] = {
	KUNIT_CASE(xen_drm_test_flip_shown),
	KUNIT_CASE(xen_drm_test_flip_same_fb),
	KUNIT_CASE(xen_drm_test_flip_refused),
	KUNIT_CASE(xen_drm_test_flip_late_answer),
	KUNIT_CASE(xen_drm_test_flip_timeout),
	KUNIT_CASE(xen_drm_test_flip_timeout_each),
	KUNIT_CASE(xen_drm_test_flip_no_timeout),
	KUNIT_CASE(xen_drm_test_flip_abort),
	KUNIT_CASE(xen_drm_test_flip_config),
	KUNIT_CASE(xen_drm_test_flip_not_sent),
	KUNIT_CASE(xen_drm_test_flip_room),
	KUNIT_CASE(xen_drm_test_flip_stale),
	KUNIT_CASE(xen_drm_test_flip_ate_stale),
	KUNIT_CASE(xen_drm_test_flip_newer),
	KUNIT_CASE(xen_drm_test_flip_damage),
	KUNIT_CASE(xen_drm_test_flip_damage_waits),
	KUNIT_CASE(xen_drm_test_flip_damage_replaced),
	KUNIT_CASE(xen_drm_test_flip_damage_timeout),
	KUNIT_CASE(xen_drm_test_flip_damage_gone),
	KUNIT_CASE(xen_drm_test_flip_miss),
	KUNIT_CASE(xen_drm_test_flip_damage_refused),
	KUNIT_CASE(xen_drm_test_flip_no_room),
	KUNIT_CASE(xen_drm_test_flip_damage_no_room),
	KUNIT_CASE(xen_drm_test_flip_timeout_no_room),
	{}
};

static struct kunit_suite xen_drm_flip_suite = {
	.name = "xen_drm_flip",
	.init = xen_drm_flip_test_init,
	.test_cases = xen_drm_flip_cases,
};

kunit_test_suite(xen_drm_flip_suite);
