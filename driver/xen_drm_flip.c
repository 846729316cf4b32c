// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * From commits to frame-done events, and back: exactly one event per commit,
 * whatever the backend does.
 *
 * A commit with a new framebuffer, or one whose client asked for an event, waits
 * for the frame-done event of its flip. A commit that only says that the shown
 * framebuffer changed (DIRTYFB) waits for nothing: if a flip is in flight the
 * damage is remembered and flipped when that is done, so that a client that
 * dirties faster than the display shows costs one flip per frame. What the backend
 * is to show is brought to it by the commit (xen_drm_fb_fill()): an interrupt that
 * flips what was remembered could not.
 *
 * Without a backend commits are completed by the vblank clock. A flip whose
 * event does not come is completed by a timeout; its late event means nothing
 * to the flips after it.
 */

#include <drm/drm_vblank.h>

#include "xen_drm.h"
#include "xen_drm_trace.h"

/*
 * Sends an event that was taken out of the flip. No lock held. The vblank clock
 * need not tick for it, so the core has to be told to look at the counter.
 */
static void xen_drm_flip_send(struct xen_drm_pipe *pipe,
			      struct drm_pending_vblank_event *event)
{
	struct drm_device *drm = pipe->crtc.dev;
	unsigned long flags;

	if (!event)
		return;
	spin_lock_irqsave(&drm->event_lock, flags);
	drm_crtc_accurate_vblank_count(&pipe->crtc);
	drm_crtc_send_vblank_event(&pipe->crtc, event);
	spin_unlock_irqrestore(&drm->event_lock, flags);
	xen_drm_commit_kick(pipe->xdrm);
}

/* Takes the event if flip @seq completes it. */
static struct drm_pending_vblank_event *
xen_drm_flip_take_event(struct xen_drm_pipe *pipe, u32 seq)
{
	struct drm_pending_vblank_event *event = NULL;

	lockdep_assert_held(&pipe->lock);

	if (pipe->flip.event && pipe->flip.event_seq == seq) {
		event = pipe->flip.event;
		pipe->flip.event = NULL;
	}
	return event;
}

static void xen_drm_flip_wire_del(struct xen_drm_flip *flip, unsigned int i)
{
	flip->num_wire--;
	memmove(&flip->wire[i], &flip->wire[i + 1],
		(flip->num_wire - i) * sizeof(flip->wire[0]));
}

static void xen_drm_flip_wire_add(struct xen_drm_flip *flip, u64 cookie,
				  u32 seq)
{
	if (flip->num_wire == XEN_DRM_MAX_WIRE_FLIPS)
		xen_drm_flip_wire_del(flip, 0);
	flip->wire[flip->num_wire++] = (struct xen_drm_wire_flip) {
		.cookie = cookie,
		.seq = seq,
		.sent = ktime_get(),
	};
}

static bool xen_drm_flip_in_flight(const struct xen_drm_flip *flip)
{
	return flip->num_wire && !flip->wire[flip->num_wire - 1].stale;
}

static void xen_drm_flip_answered(void *ctx, u32 seq, int status,
				  const struct xendispl_resp *resp);

/* Puts a flip on the wire; under the lock, so that its event finds it. */
static int xen_drm_flip_submit(struct xen_drm_pipe *pipe, u64 cookie,
			       const struct xen_drm_damage *damage,
			       u32 *ret_seq)
{
	struct xen_drm_flip *flip = &pipe->flip;
	struct xen_drm_call call = {
		.done = xen_drm_flip_answered,
		.ctx = pipe,
		.tag = ++flip->seq,
		.quiet = true,	/* the event says more */
	};
	int ret;

	lockdep_assert_held(&pipe->lock);

	*ret_seq = flip->seq;
	ret = xen_drm_cmd_page_flip(pipe, cookie, flip->whole ? NULL : damage,
				    &call);
	if (ret)
		return ret;
	flip->whole = false;
	xen_drm_flip_wire_add(flip, cookie, flip->seq);
	flip->sent = jiffies;
	/* one that is pending looks at @sent */
	if (!delayed_work_pending(&pipe->flip_timeout))
		queue_delayed_work(system_wq, &pipe->flip_timeout,
				   msecs_to_jiffies(XEN_DRM_FLIP_MS));
	atomic64_inc(&pipe->xdrm->stats.flips);
	trace_xen_drm_flip(pipe->index, flip->seq, cookie, XEN_DRM_FLIP_ARMED);
	return 0;
}

/* Adds damage to what is to be flipped next. */
static void xen_drm_flip_add_damage(struct xen_drm_flip *flip, u64 cookie,
				    const struct xen_drm_damage *damage)
{
	if (flip->dirty && flip->dirty_cookie == cookie)
		xen_drm_damage_add(&flip->damage, damage);
	else
		flip->damage = *damage;
	flip->dirty = true;
	flip->dirty_cookie = cookie;
}

/**
 * xen_drm_flip_retry - there is no room in the ring: try again in a moment
 * @pipe: the pipe, locked
 *
 * The answers that make room need not be to requests of those who wait for it.
 *
 * Context: any.
 */
void xen_drm_flip_retry(struct xen_drm_pipe *pipe)
{
	lockdep_assert_held(&pipe->lock);

	mod_delayed_work(system_wq, &pipe->flip_timeout,
			 msecs_to_jiffies(XEN_DRM_ROOM_MS));
}

/* Flips what got dirty while the last flip was in flight. */
static void xen_drm_flip_dirty(struct xen_drm_pipe *pipe)
{
	struct xen_drm_flip *flip = &pipe->flip;
	u32 seq;

	lockdep_assert_held(&pipe->lock);

	if (!flip->dirty || xen_drm_flip_in_flight(flip))
		return;
	flip->dirty = false;
	if (!pipe->config_link || pipe->config_link != pipe->xdrm->link)
		return;
	if (xen_drm_flip_submit(pipe, flip->dirty_cookie, &flip->damage,
				&seq) == -EAGAIN) {
		flip->dirty = true;
		xen_drm_flip_retry(pipe);
	}
}

/* A flip that the backend refused will have no event. */
static void xen_drm_flip_answered(void *ctx, u32 seq, int status,
				  const struct xendispl_resp *resp)
{
	struct xen_drm_pipe *pipe = ctx;
	struct drm_pending_vblank_event *event;
	unsigned long flags;
	unsigned int i;

	if (!status || status == -ETIMEDOUT) {
		/* the event, or its own timeout, decides; but there is room */
		spin_lock_irqsave(&pipe->lock, flags);
		xen_drm_flip_dirty(pipe);
		spin_unlock_irqrestore(&pipe->lock, flags);
		return;
	}

	spin_lock_irqsave(&pipe->lock, flags);
	for (i = 0; i < pipe->flip.num_wire; i++)
		if (pipe->flip.wire[i].seq == seq) {
			xen_drm_flip_wire_del(&pipe->flip, i);
			break;
		}
	pipe->flip.whole = true;
	event = xen_drm_flip_take_event(pipe, seq);
	xen_drm_flip_dirty(pipe);
	spin_unlock_irqrestore(&pipe->lock, flags);

	if (status != -ENOTCONN)
		xen_drm_conn_set_bad(pipe, true);
	xen_drm_flip_send(pipe, event);
}

/**
 * xen_drm_flip_next_vblank - let the vblank clock complete a commit
 * @pipe: the pipe
 * @event: the commit's; may be NULL
 *
 * Context: any.
 */
void xen_drm_flip_next_vblank(struct xen_drm_pipe *pipe,
			      struct drm_pending_vblank_event *event)
{
	struct drm_device *drm = pipe->crtc.dev;
	unsigned long flags;

	if (!event)
		return;
	spin_lock_irqsave(&drm->event_lock, flags);
	if (drm_crtc_vblank_get(&pipe->crtc))
		drm_crtc_send_vblank_event(&pipe->crtc, event);
	else
		drm_crtc_arm_vblank_event(&pipe->crtc, event);
	spin_unlock_irqrestore(&drm->event_lock, flags);
}

/**
 * xen_drm_flip_miss - a commit's picture cannot be shown
 * @pipe: the pipe
 * @event: the commit's, for xen_drm_flip_next_vblank(); may be NULL
 *
 * Damage that comes later is not all that differs from what is on screen: what is
 * shown next is shown whole.
 *
 * Context: process, the commit's.
 */
void xen_drm_flip_miss(struct xen_drm_pipe *pipe,
		       struct drm_pending_vblank_event *event)
{
	spin_lock_irq(&pipe->lock);
	pipe->flip.dirty = false;
	pipe->flip.whole = true;
	spin_unlock_irq(&pipe->lock);
	xen_drm_flip_next_vblank(pipe, event);
}

/**
 * xen_drm_flip_show - show a framebuffer on a configured connector
 * @pipe: the pipe
 * @event: the commit's; sent exactly once from here on; may be NULL
 * @fb: attached
 * @damage: what changed since the last frame
 * @new_fb: another framebuffer than the one shown now
 *
 * Damage of another framebuffer is what differs from the one shown now, not from
 * what it held when it was shown itself: all of it is brought to the backend.
 *
 * Context: process, the commit's. Does not wait for the backend, but for room in
 * the ring.
 */
void xen_drm_flip_show(struct xen_drm_pipe *pipe,
		       struct drm_pending_vblank_event *event,
		       struct xen_drm_fb *fb,
		       const struct xen_drm_damage *damage, bool new_fb)
{
	struct xen_drm_flip *flip = &pipe->flip;
	bool waits = event && (new_fb || event->base.file_priv);
	int ret = 0;
	u32 seq;

	xen_drm_fb_fill(fb, new_fb || READ_ONCE(flip->whole) ? NULL : damage);
	do {
		if (ret == -EAGAIN && !xen_drm_ring_wait_room(&pipe->ring))
			break;
		spin_lock_irq(&pipe->lock);
		if (!waits && !new_fb && xen_drm_flip_in_flight(flip)) {
			xen_drm_flip_add_damage(flip, fb->cookie, damage);
			ret = 0;
		} else {
			/* what changed meanwhile is in this one, too */
			if (new_fb && flip->dirty) {
				flip->dirty = false;
				flip->whole = true;
			}
			ret = xen_drm_flip_submit(pipe, fb->cookie, damage,
						  &seq);
			if (!ret && waits) {
				flip->event = event;
				flip->event_seq = seq;
			}
		}
		spin_unlock_irq(&pipe->lock);
	} while (ret == -EAGAIN);

	if (ret && ret != -ENOTCONN)
		xen_drm_conn_set_bad(pipe, true);
	if (ret)
		xen_drm_flip_miss(pipe, event);
	else if (!waits)
		xen_drm_flip_send(pipe, event);
}

static void xen_drm_flip_configured(void *ctx, u32 seq, int status,
				    const struct xendispl_resp *resp)
{
	struct xen_drm_pipe *pipe = ctx;
	struct drm_pending_vblank_event *event;
	unsigned long flags;

	spin_lock_irqsave(&pipe->lock, flags);
	event = xen_drm_flip_take_event(pipe, seq);
	if (status && pipe->flip.config_seq == seq)
		pipe->config_link = 0;
	spin_unlock_irqrestore(&pipe->lock, flags);

	if (status != -ENOTCONN)
		xen_drm_conn_set_bad(pipe, status);
	xen_drm_flip_send(pipe, event);
}

/**
 * xen_drm_flip_config - set the mode, showing a framebuffer
 * @pipe: the pipe; its mode is that of the CRTC's state
 * @event: the commit's; sent when the backend has answered; may be NULL
 * @fb: attached
 *
 * SET_CONFIG shows the framebuffer and has no frame-done event (protocol.md).
 *
 * Context: process, the commit's or the state machine's.
 */
void xen_drm_flip_config(struct xen_drm_pipe *pipe,
			 struct drm_pending_vblank_event *event,
			 struct xen_drm_fb *fb)
{
	const struct drm_display_mode *mode = &pipe->crtc.state->mode;
	struct xen_drm_flip *flip = &pipe->flip;
	struct xen_drm_call call = {
		.done = xen_drm_flip_configured,
		.ctx = pipe,
	};
	int ret;

	xen_drm_fb_fill(fb, NULL);
	spin_lock_irq(&pipe->lock);
	call.tag = ++flip->seq;
	flip->config_seq = call.tag;
	flip->dirty = false;
	flip->whole = false;
	flip->num_wire = 0;
	pipe->cursor.link = 0;
	pipe->config_link = READ_ONCE(pipe->xdrm->link);
	if (event) {
		flip->event = event;
		flip->event_seq = call.tag;
	}
	spin_unlock_irq(&pipe->lock);

	ret = xen_drm_cmd_set_config(pipe, fb->cookie, mode->hdisplay,
				     mode->vdisplay,
				     fb->base.format->cpp[0] * 8, &call);
	if (!ret)
		return;
	/* paced by the vblank clock, or a client would spin */
	spin_lock_irq(&pipe->lock);
	event = xen_drm_flip_take_event(pipe, call.tag);
	pipe->config_link = 0;
	spin_unlock_irq(&pipe->lock);
	if (ret != -ENOTCONN)
		xen_drm_conn_set_bad(pipe, true);
	xen_drm_flip_next_vblank(pipe, event);
}

/**
 * xen_drm_flip_event - a frame-done event came
 * @pipe: the pipe
 * @cookie: the framebuffer it names
 *
 * Context: interrupt.
 * Return: whether a flip of ours waited for it.
 */
bool xen_drm_flip_event(struct xen_drm_pipe *pipe, u64 cookie)
{
	struct drm_pending_vblank_event *event = NULL;
	struct xen_drm_flip *flip = &pipe->flip;
	bool stale = true, report = false, next = false;
	unsigned long flags;
	unsigned int i, j;
	ktime_t sent = 0;
	u32 seq = 0;

	spin_lock_irqsave(&pipe->lock, flags);
	for (i = 0; i < flip->num_wire; i++)
		if (flip->wire[i].cookie == cookie)
			break;
	if (i < flip->num_wire) {
		stale = flip->wire[i].stale;
		seq = flip->wire[i].seq;
		sent = flip->wire[i].sent;
		for (j = 0; j < flip->num_wire; j++)
			if (stale && flip->wire[j].cookie == cookie)
				flip->wire[j].ate_stale = true;
		xen_drm_flip_wire_del(flip, i);
		/* events come in order: older ones are lost */
		for (; !stale && i; i--)
			xen_drm_flip_wire_del(flip, 0);
	}
	if (!stale) {
		event = xen_drm_flip_take_event(pipe, seq);
		xen_drm_flip_dirty(pipe);
		report = true;
	}
	spin_unlock_irqrestore(&pipe->lock, flags);

	trace_xen_drm_flip(pipe->index, seq, cookie,
			   stale ? XEN_DRM_FLIP_LATE : XEN_DRM_FLIP_SHOWN);
	if (report) {
		next = xen_drm_vblank_frame(pipe, sent, event);
		xen_drm_conn_set_bad(pipe, false);
	}
	if (next)
		xen_drm_flip_next_vblank(pipe, event);
	else
		xen_drm_flip_send(pipe, event);
	xen_drm_ring_poll(&pipe->ring);
	return report;
}

/* Marks everything in flight as stale. Returns the event that waited. */
static struct drm_pending_vblank_event *
xen_drm_flip_expire(struct xen_drm_pipe *pipe)
{
	struct xen_drm_flip *flip = &pipe->flip;
	struct drm_pending_vblank_event *event = flip->event;
	unsigned int i = 0;

	lockdep_assert_held(&pipe->lock);

	while (i < flip->num_wire) {
		if (flip->wire[i].stale || flip->wire[i].ate_stale) {
			xen_drm_flip_wire_del(flip, i);
			continue;
		}
		flip->wire[i++].stale = true;
	}
	flip->event = NULL;
	flip->whole = true;
	xen_drm_flip_dirty(pipe);
	return event;
}

static void xen_drm_flip_timed_out(struct work_struct *work)
{
	struct xen_drm_pipe *pipe = container_of(to_delayed_work(work),
						 struct xen_drm_pipe,
						 flip_timeout);
	struct xen_drm_flip *flip = &pipe->flip;
	struct drm_pending_vblank_event *event = NULL;
	unsigned long due;
	bool expired;
	u32 seq;

	/* The event may be there, and the domain have been paused. */
	xen_drm_events_poll(&pipe->events);

	spin_lock_irq(&pipe->lock);
	xen_drm_flip_dirty(pipe);
	xen_drm_cursor_push(pipe);
	expired = xen_drm_flip_in_flight(flip);
	seq = flip->seq;
	due = flip->sent + msecs_to_jiffies(XEN_DRM_FLIP_MS);
	if (expired && time_before(jiffies, due)) {
		queue_delayed_work(system_wq, &pipe->flip_timeout,
				   due - jiffies);
		expired = false;
	}
	if (expired)
		event = xen_drm_flip_expire(pipe);
	spin_unlock_irq(&pipe->lock);
	if (!expired)
		return;

	if (xen_drm_ring_is_lost(&pipe->ring)) {
		xen_drm_flip_send(pipe, event);
		return;
	}
	atomic64_inc(&pipe->xdrm->stats.flip_timeouts);
	trace_xen_drm_flip(pipe->index, seq, 0, XEN_DRM_FLIP_TIMED_OUT);
	if (!READ_ONCE(pipe->bad))
		drm_err_ratelimited(&pipe->xdrm->drm,
				    "connector %u: no frame-done event within %u ms\n",
				    pipe->index, XEN_DRM_FLIP_MS);
	xen_drm_conn_set_bad(pipe, true);
	xen_drm_flip_send(pipe, event);
}

/**
 * xen_drm_flip_abort - the connection went: complete what waits
 * @pipe: the pipe, its channels closed
 *
 * Context: process.
 */
void xen_drm_flip_abort(struct xen_drm_pipe *pipe)
{
	struct drm_pending_vblank_event *event;

	spin_lock_irq(&pipe->lock);
	event = pipe->flip.event;
	pipe->flip.event = NULL;
	pipe->flip.num_wire = 0;
	pipe->flip.dirty = false;
	pipe->config_link = 0;
	xen_drm_cursor_reset(pipe);
	spin_unlock_irq(&pipe->lock);
	xen_drm_flip_send(pipe, event);
}

/**
 * xen_drm_flip_init - prepare a pipe's flips
 * @pipe: the pipe
 */
void xen_drm_flip_init(struct xen_drm_pipe *pipe)
{
	spin_lock_init(&pipe->lock);
	INIT_DELAYED_WORK(&pipe->flip_timeout, xen_drm_flip_timed_out);
}

/**
 * xen_drm_flip_fini - no commit comes any more
 * @pipe: the pipe, its channels closed
 */
void xen_drm_flip_fini(struct xen_drm_pipe *pipe)
{
	cancel_delayed_work_sync(&pipe->flip_timeout);
	xen_drm_flip_abort(pipe);
}
