/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A pipe whose flips are tested: the backend, the vblank clock and time are the
 * test's. Brings in the driver's file, whose calls go to what is here.
 */

#ifndef XEN_DRM_FLIP_TEST_H
#define XEN_DRM_FLIP_TEST_H

#include <drm/drm_vblank.h>

#include "xen_drm_test.h"

#define XEN_DRM_FLIP_TEST_EVENTS	8
#define XEN_DRM_FLIP_TEST_FLIPS		16
#define XEN_DRM_FLIP_TEST_LINK		5

/**
 * struct xen_drm_flip_test_flip - a PG_FLIP that the backend of the test got
 * @cookie: its framebuffer
 * @damage: what changed; no area: everything
 * @call: how to answer it
 */
struct xen_drm_flip_test_flip {
	u64 cookie;
	struct xen_drm_damage damage;
	struct xen_drm_call call;
};

/**
 * struct xen_drm_flip_test - a pipe, and all that its flips deal with
 * @xdrm: the device
 * @pipe: under test
 * @crtc: state of its CRTC
 * @fb: framebuffers, attached
 * @format: of all of them
 * @event: events of commits
 * @sent: how often each event was sent
 * @armed: how often each was given to the vblank clock
 * @flip: what the backend got
 * @num_flips: how many
 * @config: how to answer the latest SET_CONFIG
 * @ret: what sending a request returns, if not 0
 * @room: who waits for room in the ring gets it
 * @no_clock: the vblank clock is off
 * @later: frames are the next vblank's
 * @lost: the backend is gone without a word
 * @unseen: a frame-done event in the page that raised no interrupt: its cookie
 * @filled_whole: all of the framebuffer was brought to the backend last
 * @kicks: how often commits were told that something is over
 * @pending: the timeout work is queued
 * @when: it is due, jiffies
 */
struct xen_drm_flip_test {
	struct xen_drm xdrm;
	struct xen_drm_pipe pipe;
	struct drm_crtc_state crtc;
	struct xen_drm_fb fb[3];
	struct drm_format_info format;
	struct drm_pending_vblank_event event[XEN_DRM_FLIP_TEST_EVENTS];
	unsigned int sent[XEN_DRM_FLIP_TEST_EVENTS];
	unsigned int armed[XEN_DRM_FLIP_TEST_EVENTS];
	struct xen_drm_flip_test_flip flip[XEN_DRM_FLIP_TEST_FLIPS];
	unsigned int num_flips;
	struct xen_drm_call config;
	int ret;
	bool room;
	bool no_clock;
	bool later;
	bool lost;
	u64 unseen;
	bool filled_whole;
	unsigned int kicks;
	bool pending;
	unsigned long when;
};

static unsigned long xen_drm_flip_test_now;

static struct xen_drm_flip_test *xen_drm_flip_test_of(struct xen_drm_pipe *pipe)
{
	return container_of(pipe, struct xen_drm_flip_test, pipe);
}

/* in place of the driver's, which other tests do not bring */

int xen_drm_cmd_page_flip(struct xen_drm_pipe *pipe, u64 fb_cookie,
			  const struct xen_drm_damage *damage,
			  const struct xen_drm_call *call)
{
	struct xen_drm_flip_test *t = xen_drm_flip_test_of(pipe);
	struct xen_drm_flip_test_flip *flip = &t->flip[t->num_flips];

	lockdep_assert_held(&pipe->lock);
	if (t->ret)
		return t->ret;
	if (t->num_flips == XEN_DRM_FLIP_TEST_FLIPS)
		return -EIO;
	t->num_flips++;
	flip->cookie = fb_cookie;
	if (damage)
		flip->damage = *damage;
	flip->call = *call;
	return 0;
}

int xen_drm_cmd_set_config(struct xen_drm_pipe *pipe, u64 fb_cookie, u32 width,
			   u32 height, u32 bpp, const struct xen_drm_call *call)
{
	struct xen_drm_flip_test *t = xen_drm_flip_test_of(pipe);

	if (!t->ret)
		t->config = *call;
	return t->ret;
}

void xen_drm_fb_fill(struct xen_drm_fb *fb, const struct xen_drm_damage *damage)
{
	struct xen_drm_flip_test *t = container_of(to_xen_drm(fb->base.dev),
						   struct xen_drm_flip_test,
						   xdrm);

	t->filled_whole = !damage || !damage->count;
}

void xen_drm_commit_kick(struct xen_drm *xdrm)
{
	container_of(xdrm, struct xen_drm_flip_test, xdrm)->kicks++;
}

bool xen_drm_vblank_frame(struct xen_drm_pipe *pipe, ktime_t sent, bool waits)
{
	return waits && xen_drm_flip_test_of(pipe)->later;
}

void xen_drm_cursor_reset(struct xen_drm_pipe *pipe)
{
	lockdep_assert_held(&pipe->lock);
}

void xen_drm_cursor_push(struct xen_drm_pipe *pipe)
{
	lockdep_assert_held(&pipe->lock);
}

/* in place of those that others bring, of the DRM core's, and of time's */

static void xen_drm_flip_test_set_bad(struct xen_drm_pipe *pipe, bool bad)
{
	pipe->bad = bad;
}

static bool xen_drm_flip_test_wait_room(struct xen_drm_ring *ring)
{
	struct xen_drm_flip_test *t =
		container_of(ring, struct xen_drm_flip_test, pipe.ring);

	if (t->room)
		t->ret = 0;
	return t->room;
}

static bool xen_drm_flip_test_is_lost(struct xen_drm_ring *ring)
{
	return container_of(ring, struct xen_drm_flip_test, pipe.ring)->lost;
}

static void xen_drm_flip_test_events_poll(struct xen_drm_events *events)
{
	struct xen_drm_flip_test *t =
		container_of(events, struct xen_drm_flip_test, pipe.events);

	if (t->unseen)
		xen_drm_flip_event(&t->pipe, t->unseen);
	t->unseen = 0;
}

static void xen_drm_flip_test_send(struct drm_crtc *crtc,
				   struct drm_pending_vblank_event *event)
{
	struct xen_drm_flip_test *t = xen_drm_flip_test_of(crtc_to_pipe(crtc));

	lockdep_assert_held(&crtc->dev->event_lock);
	t->sent[event - t->event]++;
}

static int xen_drm_flip_test_clock_get(struct drm_crtc *crtc)
{
	return xen_drm_flip_test_of(crtc_to_pipe(crtc))->no_clock ? -EINVAL : 0;
}

static void xen_drm_flip_test_arm(struct drm_crtc *crtc,
				  struct drm_pending_vblank_event *event)
{
	struct xen_drm_flip_test *t = xen_drm_flip_test_of(crtc_to_pipe(crtc));

	lockdep_assert_held(&crtc->dev->event_lock);
	t->armed[event - t->event]++;
}

static bool xen_drm_flip_test_is_pending(struct delayed_work *work)
{
	return container_of(work, struct xen_drm_flip_test,
			    pipe.flip_timeout)->pending;
}

static void xen_drm_flip_test_mod(struct workqueue_struct *wq,
				  struct delayed_work *work,
				  unsigned long delay)
{
	struct xen_drm_flip_test *t =
		container_of(work, struct xen_drm_flip_test,
			     pipe.flip_timeout);

	t->pending = true;
	t->when = xen_drm_flip_test_now + delay;
}

static void xen_drm_flip_test_queue(struct workqueue_struct *wq,
				    struct delayed_work *work,
				    unsigned long delay)
{
	if (!xen_drm_flip_test_is_pending(work))
		xen_drm_flip_test_mod(wq, work, delay);
}

#undef delayed_work_pending
#define xen_drm_conn_set_bad		xen_drm_flip_test_set_bad
#define xen_drm_ring_wait_room		xen_drm_flip_test_wait_room
#define xen_drm_ring_is_lost		xen_drm_flip_test_is_lost
#define xen_drm_ring_poll(ring)		((void)(ring))
#define xen_drm_events_poll		xen_drm_flip_test_events_poll
#define drm_crtc_accurate_vblank_count(crtc)	((void)(crtc))
#define drm_crtc_send_vblank_event	xen_drm_flip_test_send
#define drm_crtc_vblank_get		xen_drm_flip_test_clock_get
#define drm_crtc_arm_vblank_event	xen_drm_flip_test_arm
#define jiffies				xen_drm_flip_test_now
#define delayed_work_pending		xen_drm_flip_test_is_pending
#define queue_delayed_work		xen_drm_flip_test_queue
#define mod_delayed_work		xen_drm_flip_test_mod

#include "../xen_drm_flip.c"

/* a connector that shows framebuffer 0 */
static int xen_drm_flip_test_init(struct kunit *test)
{
	struct xen_drm_flip_test *t = kunit_kzalloc(test, sizeof(*t),
						    GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	spin_lock_init(&t->xdrm.drm.event_lock);
	t->xdrm.link = XEN_DRM_FLIP_TEST_LINK;
	t->xdrm.pipes = &t->pipe;
	t->pipe.xdrm = &t->xdrm;
	t->pipe.crtc.dev = &t->xdrm.drm;
	t->pipe.crtc.state = &t->crtc;
	t->pipe.config_link = XEN_DRM_FLIP_TEST_LINK;
	t->format.cpp[0] = 4;
	for (i = 0; i < ARRAY_SIZE(t->fb); i++) {
		t->fb[i].base.dev = &t->xdrm.drm;
		t->fb[i].base.format = &t->format;
		t->fb[i].cookie = 100 + i;
	}
	xen_drm_flip_test_now = -1000;	/* it wraps */
	xen_drm_flip_init(&t->pipe);
	test->priv = t;
	return 0;
}

/* time passes, and the timeout work runs if it is due then */
static void xen_drm_flip_test_pass(struct xen_drm_flip_test *t, unsigned int ms)
{
	xen_drm_flip_test_now += msecs_to_jiffies(ms);
	if (!t->pending || time_before(xen_drm_flip_test_now, t->when))
		return;
	t->pending = false;
	xen_drm_flip_timed_out(&t->pipe.flip_timeout.work);
}

/* a commit whose damage is the area @x */
static void xen_drm_flip_test_show(struct xen_drm_flip_test *t, unsigned int e,
				   unsigned int fb, unsigned int x,
				   bool new_fb, bool asked)
{
	const struct xen_drm_damage damage = {
		.count = 1,
		.rect = { { .x1 = x, .x2 = x + 1, .y2 = 1 } },
	};

	t->event[e].base.file_priv = asked ? (void *)t : NULL;
	xen_drm_flip_show(&t->pipe, &t->event[e], &t->fb[fb], &damage, new_fb);
}

/* a page flip */
static void xen_drm_flip_test_flip(struct xen_drm_flip_test *t, unsigned int e,
				   unsigned int fb, unsigned int x)
{
	xen_drm_flip_test_show(t, e, fb, x, true, true);
}

/* a DIRTYFB of the framebuffer that is shown */
static void xen_drm_flip_test_dirty(struct xen_drm_flip_test *t, unsigned int e,
				    unsigned int fb, unsigned int x)
{
	xen_drm_flip_test_show(t, e, fb, x, false, false);
}

static void xen_drm_flip_test_config(struct xen_drm_flip_test *t,
				     unsigned int e, unsigned int fb)
{
	xen_drm_flip_config(&t->pipe, &t->event[e], &t->fb[fb]);
}

/* as a backend: a frame is on screen */
static bool xen_drm_flip_test_frame(struct xen_drm_flip_test *t,
				    unsigned int fb)
{
	return xen_drm_flip_event(&t->pipe, t->fb[fb].cookie);
}

/* as a backend, or the ring: what becomes of a request */
static void xen_drm_flip_test_end(const struct xen_drm_call *call, int status)
{
	call->done(call->ctx, call->tag, status, NULL);
}

static void xen_drm_flip_test_answer(struct xen_drm_flip_test *t,
				     unsigned int n, int status)
{
	xen_drm_flip_test_end(&t->flip[n].call, status);
}

/* how often a commit's client heard, or will hear */
static unsigned int xen_drm_flip_test_told(const struct xen_drm_flip_test *t,
					   unsigned int e)
{
	return t->sent[e] + t->armed[e];
}

/* the areas of a flip; 0: it is whole */
static unsigned int xen_drm_flip_test_areas(const struct xen_drm_flip_test *t,
					    unsigned int n)
{
	return t->flip[n].damage.count;
}

static bool xen_drm_flip_test_has(const struct xen_drm_flip_test *t,
				  unsigned int n, unsigned int x)
{
	const struct xen_drm_damage *damage = &t->flip[n].damage;
	unsigned int i;

	for (i = 0; i < damage->count; i++)
		if (damage->rect[i].x1 <= x && damage->rect[i].x2 > x)
			return true;
	return false;
}

/* each of the first @n commits was told once */
static void xen_drm_flip_test_once(struct kunit *test, unsigned int n)
{
	unsigned int e;

	for (e = 0; e < n; e++)
		KUNIT_EXPECT_EQ_MSG(test, 1,
				    xen_drm_flip_test_told(test->priv, e),
				    "event %u", e);
}

#endif
