// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A vblank clock: there is no scanout here, but clients want counters and
 * timestamps at the mode's rate. A timer ticks while somebody listens. When the
 * backend says that a frame is on its screen, the clock moves towards that
 * moment, so that flips at the display's rate get consecutive counts. Two frames
 * never have the same count, however fast the display is.
 */

#include <drm/drm_vblank.h>

#include "xen_drm.h"

static struct xen_drm_pipe *xen_drm_vblank_pipe(struct xen_drm_vblank *vbl)
{
	return container_of(vbl, struct xen_drm_pipe, vblank);
}

/* The latest multiple of the period that is not after @now. */
static void xen_drm_vblank_catch_up(struct xen_drm_vblank *vbl, ktime_t now)
{
	s64 behind = ktime_to_ns(ktime_sub(now, vbl->last));
	u64 periods;

	lockdep_assert_held(&vbl->lock);

	if (behind < vbl->period)
		return;
	periods = div64_u64(behind, vbl->period);
	vbl->last = ktime_add_ns(vbl->last, periods * vbl->period);
	vbl->count += periods;
	vbl->framed = false;
}

static void xen_drm_vblank_arm(struct xen_drm_vblank *vbl)
{
	lockdep_assert_held(&vbl->lock);

	hrtimer_start(&vbl->timer, ktime_add_ns(vbl->last, vbl->period),
		      HRTIMER_MODE_ABS);
}

static void xen_drm_vblank_report(struct xen_drm_pipe *pipe)
{
	drm_crtc_handle_vblank(&pipe->crtc);
	xen_drm_commit_kick(pipe->xdrm);
}

static enum hrtimer_restart xen_drm_vblank_tick(struct hrtimer *timer)
{
	struct xen_drm_vblank *vbl =
		container_of(timer, struct xen_drm_vblank, timer);
	unsigned long flags;
	bool on;

	spin_lock_irqsave(&vbl->lock, flags);
	on = vbl->on;
	xen_drm_vblank_catch_up(vbl, ktime_get());
	spin_unlock_irqrestore(&vbl->lock, flags);

	if (on)
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
	spin_unlock_irqrestore(&vbl->lock, flags);
}

/* Lets the clock follow a frame. True if that is a vblank of its own. */
static bool xen_drm_vblank_follow(struct xen_drm_vblank *vbl, ktime_t now)
{
	s64 since, late;

	lockdep_assert_held(&vbl->lock);

	if (!vbl->on)
		xen_drm_vblank_catch_up(vbl, now);
	since = ktime_to_ns(ktime_sub(now, vbl->last));
	if (vbl->framed || since >= vbl->period / 2) {
		vbl->last = now;
		vbl->count++;
		vbl->framed = true;
		if (vbl->on)
			xen_drm_vblank_arm(vbl);
		return true;
	}
	vbl->framed = true;
	if (vbl->on && since > 0) {
		late = min(since, vbl->period / 4);
		hrtimer_start(&vbl->timer,
			      ktime_add_ns(vbl->last, vbl->period + late),
			      HRTIMER_MODE_ABS);
	}
	return false;
}

/**
 * xen_drm_vblank_frame - a frame came on screen: let the clock follow
 * @pipe: the pipe
 *
 * More than half a period after the last vblank this is the next one, early;
 * before, it belongs to the last one, if no other frame does, and the next comes
 * a little later, by a quarter of a period at the most.
 *
 * Context: interrupt.
 */
void xen_drm_vblank_frame(struct xen_drm_pipe *pipe)
{
	struct xen_drm_vblank *vbl = &pipe->vblank;
	unsigned long flags;
	bool report;

	spin_lock_irqsave(&vbl->lock, flags);
	report = xen_drm_vblank_follow(vbl, ktime_get()) && vbl->on;
	spin_unlock_irqrestore(&vbl->lock, flags);
	if (report)
		xen_drm_vblank_report(pipe);
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
	if (!vbl->on)
		xen_drm_vblank_catch_up(vbl, ktime_get());
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
	if (!vbl->on)
		xen_drm_vblank_catch_up(vbl, ktime_get());
	*vblank_time = vbl->last;
	*max_error = 0;
	spin_unlock_irqrestore(&vbl->lock, flags);
	return true;
}
