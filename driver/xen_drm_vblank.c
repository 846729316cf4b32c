// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A vblank clock: there is no scanout here, but clients want counters and
 * timestamps at the mode's rate. A timer ticks while somebody listens.
 *
 * Frames come on screen by the backend's clock. Clients reckon with timestamps, so
 * ours follows it slowly: by a small part of a period with each frame, which makes
 * it tick at the same rate, when the display has it. A frame belongs to the vblank
 * that has just been, if its flip was sent before that, or to the next one. The
 * clock keeps ahead of the frames by more than they vary: one that came before its
 * vblank would have to wait for the timer. Displays that are not paced show a frame
 * at once: then that is a vblank, however early. So is the first frame of a mode: it
 * says where the display's clock is. Two frames never have the same count.
 */

#include <drm/drm_vblank.h>

#include "xen_drm.h"

#define XEN_DRM_VBLANK_SLEW	512	/* of a period: with each frame at most */
#define XEN_DRM_VBLANK_AHEAD	8	/* of a period: what the clock is ahead */
#define XEN_DRM_VBLANK_SURE	3	/* flips that say the same */

static struct xen_drm_pipe *xen_drm_vblank_pipe(struct xen_drm_vblank *vbl)
{
	return container_of(vbl, struct xen_drm_pipe, vblank);
}

/* Moves past what is due. True if there was a vblank. */
static bool xen_drm_vblank_catch_up(struct xen_drm_vblank *vbl, ktime_t now)
{
	s64 behind = ktime_to_ns(ktime_sub(now, vbl->next));
	u64 missed;

	lockdep_assert_held(&vbl->lock);

	if (behind < 0)
		return false;
	missed = div64_u64(behind, vbl->period);
	vbl->last = ktime_add_ns(vbl->next, missed * vbl->period);
	vbl->next = ktime_add_ns(vbl->last, vbl->period);
	vbl->count += missed + 1;
	vbl->framed = vbl->awaited;
	vbl->awaited = false;
	return true;
}

/*
 * While the timer rests, who asks moves the clock, once in a jiffy: reading the time
 * is dear where the hypervisor has to do it, and the core asks three times for each
 * event.
 */
static void xen_drm_vblank_look(struct xen_drm_vblank *vbl)
{
	lockdep_assert_held(&vbl->lock);

	if (vbl->on || !time_after(jiffies, vbl->looked))
		return;
	vbl->looked = jiffies;
	xen_drm_vblank_catch_up(vbl, ktime_get());
}

static void xen_drm_vblank_arm(struct xen_drm_vblank *vbl)
{
	lockdep_assert_held(&vbl->lock);

	hrtimer_start(&vbl->timer, vbl->next, HRTIMER_MODE_ABS);
}

static void xen_drm_vblank_report(struct xen_drm_pipe *pipe)
{
	drm_crtc_handle_vblank(&pipe->crtc);
	xen_drm_crc_vblank(pipe);
	xen_drm_commit_kick(pipe->xdrm);
}

static enum hrtimer_restart xen_drm_vblank_tick(struct hrtimer *timer)
{
	struct xen_drm_vblank *vbl =
		container_of(timer, struct xen_drm_vblank, timer);
	unsigned long flags;
	bool report;

	spin_lock_irqsave(&vbl->lock, flags);
	report = xen_drm_vblank_catch_up(vbl, ktime_get()) && vbl->on;
	spin_unlock_irqrestore(&vbl->lock, flags);

	if (report)
		xen_drm_vblank_report(xen_drm_vblank_pipe(vbl));

	/* not HRTIMER_RESTART: the timer may have been started anew meanwhile */
	spin_lock_irqsave(&vbl->lock, flags);
	if (vbl->on && !hrtimer_is_queued(timer))
		xen_drm_vblank_arm(vbl);
	spin_unlock_irqrestore(&vbl->lock, flags);
	return HRTIMER_NORESTART;
}

/**
 * xen_drm_vblank_init - prepare the clock
 * @pipe: the pipe
 */
void xen_drm_vblank_init(struct xen_drm_pipe *pipe)
{
	struct xen_drm_vblank *vbl = &pipe->vblank;

	spin_lock_init(&vbl->lock);
	hrtimer_init(&vbl->timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	vbl->timer.function = xen_drm_vblank_tick;
	vbl->period = NSEC_PER_SEC / 60;
	vbl->last = ktime_get();
	vbl->next = ktime_add_ns(vbl->last, vbl->period);
	vbl->looked = jiffies;
	vbl->paced = true;
}

/**
 * xen_drm_vblank_fini - stop the clock for good
 * @pipe: the pipe
 */
void xen_drm_vblank_fini(struct xen_drm_pipe *pipe)
{
	unsigned long flags;

	spin_lock_irqsave(&pipe->vblank.lock, flags);
	pipe->vblank.on = false;
	spin_unlock_irqrestore(&pipe->vblank.lock, flags);
	hrtimer_cancel(&pipe->vblank.timer);
}

/**
 * xen_drm_vblank_set_mode - run at a mode's rate from now on
 * @pipe: the pipe, its vblanks off
 * @mode: checked
 */
void xen_drm_vblank_set_mode(struct xen_drm_pipe *pipe,
			     const struct drm_display_mode *mode)
{
	struct xen_drm_vblank *vbl = &pipe->vblank;
	unsigned long flags;
	s64 period = NSEC_PER_SEC / 60;

	if (mode->crtc_clock > 0)
		period = div_u64((u64)mode->crtc_htotal * mode->crtc_vtotal *
				 1000000, mode->crtc_clock);

	spin_lock_irqsave(&vbl->lock, flags);
	vbl->period = max_t(s64, period, NSEC_PER_MSEC);
	/* the first frame after a mode set is the next vblank, however soon */
	vbl->last = ktime_sub_ns(ktime_get(), vbl->period / 2);
	vbl->next = ktime_add_ns(vbl->last, vbl->period);
	vbl->framed = false;
	vbl->awaited = false;
	vbl->fresh = true;
	spin_unlock_irqrestore(&vbl->lock, flags);
}

/*
 * Is the display paced? Flips that follow each other take a period each then. One
 * alone proves nothing: backends and guests are held up; and one after a rest may
 * be shown at once by any display.
 */
static void xen_drm_vblank_judge(struct xen_drm_vblank *vbl, ktime_t sent,
				 ktime_t now)
{
	s64 took = ktime_to_ns(ktime_sub(now, sent));
	s64 rest = ktime_to_ns(ktime_sub(sent, vbl->told));

	lockdep_assert_held(&vbl->lock);

	if (took >= vbl->period / 2)
		vbl->streak = max(vbl->streak, 0) + 1;
	else if (rest < vbl->period / 4)
		vbl->streak = min(vbl->streak, 0) - 1;
	if (abs(vbl->streak) == XEN_DRM_VBLANK_SURE) {
		vbl->paced = vbl->streak > 0;
		vbl->streak = 0;
	}
}

/* Brings the next vblank nearer to where this frame would have had it. */
static void xen_drm_vblank_slew(struct xen_drm_vblank *vbl, s64 since)
{
	s64 most = vbl->period / XEN_DRM_VBLANK_SLEW;
	s64 off = since - vbl->period / XEN_DRM_VBLANK_AHEAD;

	if (off > vbl->period / 2)
		off -= vbl->period;
	/* the timer may stay: it looks at @next, and is hardly late */
	vbl->next = ktime_add_ns(vbl->next, clamp(off / 8, -most, most));
}

/* The frame makes a vblank: the first of a mode, and all if nothing paces them. */
static void xen_drm_vblank_jump(struct xen_drm_vblank *vbl, ktime_t now,
				s64 until_next)
{
	vbl->last = now;
	vbl->next = ktime_add_ns(now, until_next);
	vbl->count++;
	vbl->framed = true;
	if (vbl->on)
		xen_drm_vblank_arm(vbl);
}

/**
 * xen_drm_vblank_frame - a frame came on screen
 * @pipe: the pipe
 * @sent: when its flip was sent
 * @waits: a commit waits for it
 *
 * Context: interrupt.
 * Return: whether the frame is the next vblank's, so that the commit has to wait
 * for that; if not, it is that of the vblank that has just been.
 */
bool xen_drm_vblank_frame(struct xen_drm_pipe *pipe, ktime_t sent, bool waits)
{
	struct xen_drm_vblank *vbl = &pipe->vblank;
	bool report, passed, next = false;
	s64 since, left, period;
	unsigned long flags;
	ktime_t now;

	spin_lock_irqsave(&vbl->lock, flags);
	now = ktime_get();
	period = vbl->period;
	report = xen_drm_vblank_catch_up(vbl, now);
	vbl->looked = jiffies;
	since = ktime_to_ns(ktime_sub(now, vbl->last));
	left = ktime_to_ns(ktime_sub(vbl->next, now));
	passed = ktime_before(sent, vbl->last) && !vbl->framed && !vbl->fresh;
	if (waits) {
		xen_drm_vblank_judge(vbl, sent, now);
		next = !passed && !vbl->fresh &&
			(vbl->paced || left <= period / 8);
		if (vbl->fresh)
			period -= period / XEN_DRM_VBLANK_AHEAD;
		vbl->fresh = false;
		vbl->framed |= passed;
		vbl->awaited |= next;
		vbl->told = next ? vbl->next : now;
	}
	if (!waits || passed || next) {
		xen_drm_vblank_slew(vbl, since);
	} else {
		xen_drm_vblank_jump(vbl, now, period);
		report = true;
	}
	report = report && vbl->on;
	spin_unlock_irqrestore(&vbl->lock, flags);
	if (report)
		xen_drm_vblank_report(pipe);
	return next;
}

/**
 * xen_drm_vblank_enable - &drm_crtc_funcs.enable_vblank
 * @crtc: the CRTC
 *
 * Return: 0.
 */
int xen_drm_vblank_enable(struct drm_crtc *crtc)
{
	struct xen_drm_vblank *vbl = &crtc_to_pipe(crtc)->vblank;
	unsigned long flags;

	spin_lock_irqsave(&vbl->lock, flags);
	vbl->on = true;
	xen_drm_vblank_catch_up(vbl, ktime_get());
	xen_drm_vblank_arm(vbl);
	spin_unlock_irqrestore(&vbl->lock, flags);
	return 0;
}

/**
 * xen_drm_vblank_disable - &drm_crtc_funcs.disable_vblank
 * @crtc: the CRTC
 *
 * The core's locks are held that the timer takes: do not wait for it. It sees
 * that it is off.
 */
void xen_drm_vblank_disable(struct drm_crtc *crtc)
{
	struct xen_drm_vblank *vbl = &crtc_to_pipe(crtc)->vblank;
	unsigned long flags;

	spin_lock_irqsave(&vbl->lock, flags);
	vbl->on = false;
	hrtimer_try_to_cancel(&vbl->timer);
	spin_unlock_irqrestore(&vbl->lock, flags);
}

/**
 * xen_drm_vblank_counter - &drm_crtc_funcs.get_vblank_counter
 * @crtc: the CRTC
 *
 * The core would count by timestamps, and miss a frame that comes early.
 *
 * Return: vblanks so far, on or off.
 */
u32 xen_drm_vblank_counter(struct drm_crtc *crtc)
{
	struct xen_drm_vblank *vbl = &crtc_to_pipe(crtc)->vblank;
	unsigned long flags;
	u32 count;

	spin_lock_irqsave(&vbl->lock, flags);
	xen_drm_vblank_look(vbl);
	count = vbl->count;
	spin_unlock_irqrestore(&vbl->lock, flags);
	return count;
}

/**
 * xen_drm_vblank_timestamp - &drm_crtc_funcs.get_vblank_timestamp
 * @crtc: the CRTC
 * @max_error: set to 0, ns
 * @vblank_time: time of the latest vblank
 * @in_vblank_irq: unused
 *
 * Return: true.
 */
bool xen_drm_vblank_timestamp(struct drm_crtc *crtc, int *max_error,
			      ktime_t *vblank_time, bool in_vblank_irq)
{
	struct xen_drm_vblank *vbl = &crtc_to_pipe(crtc)->vblank;
	unsigned long flags;

	spin_lock_irqsave(&vbl->lock, flags);
	xen_drm_vblank_look(vbl);
	*vblank_time = vbl->last;
	*max_error = 0;
	spin_unlock_irqrestore(&vbl->lock, flags);
	return true;
}
