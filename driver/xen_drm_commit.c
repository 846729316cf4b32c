// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * How commits are carried out.
 *
 * Most are flips of a client that waits for nothing: another framebuffer, which
 * the backend knows, on a connector whose last flip is over. Nothing in those
 * waits, so they are sent from the ioctl, without a worker. What has to be done
 * when the frame is on screen, letting go of the one before, is done by the next
 * commit; if none comes, by a work a moment later. All other commits take the
 * helpers' way.
 *
 * Such a flip that comes as DRM_IOCTL_MODE_PAGE_FLIP changes one pointer of the
 * CRTC's state and cannot fail any check, so it is carried out in the state as
 * it is, without copies of the states: half of the ioctl's time. It has a
 * drm_crtc_commit like every commit, which orders it with those before and after.
 */

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/slab.h>

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_drv.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_vblank.h>

#include "xen_drm.h"

#define XEN_DRM_FINISH_MS	100	/* for the next commit to come */

/* All devices': destroyed after the last device, so that no work is left. */
static struct workqueue_struct *xen_drm_commit_wq;

/**
 * struct xen_drm_state - a commit
 * @base: DRM's
 * @entry: in &xen_drm.commits, from being sent to being on screen
 */
struct xen_drm_state {
	struct drm_atomic_state base;
	struct list_head entry;
};

#define to_xen_drm_state(s)	container_of(s, struct xen_drm_state, base)

/**
 * struct xen_drm_page_flip - a commit without a state
 * @commit: DRM's; first, for drm_crtc_commit_put() frees all of this
 * @old_fb: on screen until the flip is done, with a reference
 * @shown: its event was sent: it is done, if the page flip has returned
 *
 * The CRTC's and the plane's state point to @commit, as to that of any commit. It is
 * not in &drm_crtc.commit_list: xen_drm_commit_is_early() stands in for that.
 */
struct xen_drm_page_flip {
	struct drm_crtc_commit commit;
	struct drm_framebuffer *old_fb;
	bool shown;
};

/**
 * xen_drm_commit_alloc - &drm_mode_config_funcs.atomic_state_alloc
 * @drm: the device
 *
 * Return: an empty state or NULL.
 */
struct drm_atomic_state *xen_drm_commit_alloc(struct drm_device *drm)
{
	struct xen_drm_state *state = kzalloc(sizeof(*state), GFP_KERNEL);

	if (!state)
		return NULL;
	if (drm_atomic_state_init(drm, &state->base)) {
		kfree(state);
		return NULL;
	}
	INIT_LIST_HEAD(&state->entry);
	return &state->base;
}

/**
 * xen_drm_commit_free - &drm_mode_config_funcs.atomic_state_free
 * @base: of xen_drm_commit_alloc(), cleared
 */
void xen_drm_commit_free(struct drm_atomic_state *base)
{
	drm_atomic_state_default_release(base);
	kfree(to_xen_drm_state(base));
}

static bool xen_drm_commit_is_over(struct drm_crtc_commit *commit)
{
	return !commit || (completion_done(&commit->hw_done) &&
			   completion_done(&commit->flip_done));
}

/* The backend knows it, and nobody is drawing into it. */
static bool xen_drm_commit_fb_ready(struct drm_framebuffer *fb)
{
	return xen_drm_fb_is_attached(to_xen_drm_fb(fb)) &&
		dma_resv_test_signaled(fb->obj[0]->resv, DMA_RESV_USAGE_WRITE);
}

static bool xen_drm_commit_plane_ready(const struct drm_plane_state *new)
{
	if (!new->fb)
		return false;
	if (new->fence && !dma_fence_is_signaled(new->fence))
		return false;
	return xen_drm_commit_fb_ready(new->fb);
}

/* Would nothing in this commit wait? The locks of what is in it are held. */
static bool xen_drm_commit_is_quick(struct drm_atomic_state *state)
{
	struct drm_connector_state *old_conn;
	struct drm_plane_state *old, *new;
	struct drm_connector *conn;
	struct drm_crtc_state *old_crtc, *new_crtc;
	struct drm_crtc_commit *over = NULL;
	struct drm_crtc *crtc;
	struct drm_plane *plane;
	int i;

	for_each_oldnew_crtc_in_state(state, crtc, old_crtc, new_crtc, i) {
		if (!new_crtc->active || drm_atomic_crtc_needs_modeset(new_crtc) ||
		    !xen_drm_commit_is_over(old_crtc->commit) ||
		    !xen_drm_ring_has_room(&crtc_to_pipe(crtc)->ring))
			return false;
		over = old_crtc->commit;
	}
	for_each_oldnew_plane_in_state(state, plane, old, new, i)
		if (plane->type != DRM_PLANE_TYPE_PRIMARY ||
		    (old->commit != over &&
		     !xen_drm_commit_is_over(old->commit)) ||
		    !xen_drm_commit_plane_ready(new))
			return false;
	for_each_old_connector_in_state(state, conn, old_conn, i)
		if (!xen_drm_commit_is_over(old_conn->commit))
			return false;
	return true;
}

/* Would this commit overtake a page flip? */
static bool xen_drm_commit_is_early(struct drm_atomic_state *state)
{
	struct drm_crtc_state *old;
	struct drm_crtc *crtc;
	int i;

	for_each_old_crtc_in_state(state, crtc, old, i)
		if (old->commit && !completion_done(&old->commit->flip_done))
			return true;
	return false;
}

static bool xen_drm_commit_on_screen(struct drm_atomic_state *state)
{
	struct drm_crtc_state *new;
	struct drm_crtc *crtc;
	int i;

	for_each_new_crtc_in_state(state, crtc, new, i)
		if (!xen_drm_commit_is_over(state->crtcs[i].commit))
			return false;
	return true;
}

static void xen_drm_commit_finish(struct drm_atomic_state *state)
{
	drm_atomic_helper_cleanup_planes(state->dev, state);
	drm_atomic_helper_commit_cleanup_done(state);
	drm_atomic_state_put(state);
}

/* Over, and its pipe's no more. */
static void xen_drm_page_flip_finish(struct xen_drm_page_flip *flip)
{
	drm_framebuffer_put(flip->old_fb);
	drm_crtc_commit_put(&flip->commit);
}

/* Takes a pipe's last flip if it is over. */
static struct xen_drm_page_flip *
xen_drm_page_flip_take(struct xen_drm_pipe *pipe)
{
	struct xen_drm_page_flip *flip;

	spin_lock_irq(&pipe->xdrm->commits_lock);
	flip = pipe->page_flip;
	if (flip && xen_drm_commit_is_over(&flip->commit))
		pipe->page_flip = NULL;
	else
		flip = NULL;
	spin_unlock_irq(&pipe->xdrm->commits_lock);
	return flip;
}

/* Framebuffers that are on screen no more are let go of. */
static void xen_drm_commit_finish_some(struct xen_drm *xdrm)
{
	struct xen_drm_state *state, *next;
	struct xen_drm_page_flip *flip;
	unsigned int i;
	LIST_HEAD(done);

	spin_lock_irq(&xdrm->commits_lock);
	list_for_each_entry_safe(state, next, &xdrm->commits, entry)
		if (xen_drm_commit_on_screen(&state->base))
			list_move_tail(&state->entry, &done);
	spin_unlock_irq(&xdrm->commits_lock);

	list_for_each_entry_safe(state, next, &done, entry)
		xen_drm_commit_finish(&state->base);
	for (i = 0; i < xdrm->num_pipes; i++) {
		flip = xen_drm_page_flip_take(&xdrm->pipes[i]);
		if (flip)
			xen_drm_page_flip_finish(flip);
	}
}

static void xen_drm_commit_work(struct work_struct *work)
{
	struct xen_drm *xdrm = container_of(to_delayed_work(work),
					    struct xen_drm, commit_work);

	xen_drm_commit_finish_some(xdrm);
	drm_dev_put(&xdrm->drm);
}

/**
 * xen_drm_commit_kick - an event was sent: a commit may be over
 * @xdrm: the device
 *
 * Context: any.
 */
void xen_drm_commit_kick(struct xen_drm *xdrm)
{
	bool some;
	unsigned int i;

	/* one that is pending finds what this one would */
	if (delayed_work_pending(&xdrm->commit_work))
		return;
	some = !list_empty_careful(&xdrm->commits);
	for (i = 0; i < xdrm->num_pipes && !some; i++)
		some = READ_ONCE(xdrm->pipes[i].page_flip);
	if (!some)
		return;
	/* not the device's queue: the last reference may go in this work */
	drm_dev_get(&xdrm->drm);
	if (!queue_delayed_work(xen_drm_commit_wq, &xdrm->commit_work,
				msecs_to_jiffies(XEN_DRM_FINISH_MS)))
		drm_dev_put(&xdrm->drm);
}

/**
 * xen_drm_commit_flush - finish what is over now
 * @xdrm: the device, its last commit over
 *
 * Context: process; the caller holds a reference on the device.
 */
void xen_drm_commit_flush(struct xen_drm *xdrm)
{
	flush_delayed_work(&xdrm->commit_work);
	xen_drm_commit_finish_some(xdrm);
}

static void xen_drm_commit_send(struct drm_atomic_state *state)
{
	drm_atomic_helper_commit_planes(state->dev, state,
					DRM_PLANE_COMMIT_ACTIVE_ONLY);
	drm_atomic_helper_fake_vblank(state);
	drm_atomic_helper_commit_hw_done(state);
}

/**
 * xen_drm_commit_tail - &drm_mode_config_helper_funcs.atomic_commit_tail
 * @state: swapped in
 *
 * Context: process, waits for the backend and for the frame.
 */
void xen_drm_commit_tail(struct drm_atomic_state *state)
{
	struct drm_device *drm = state->dev;

	drm_atomic_helper_commit_modeset_disables(drm, state);
	drm_atomic_helper_commit_modeset_enables(drm, state);
	xen_drm_commit_send(state);
	/*
	 * The old framebuffer is on screen until then, and a flip that follows a
	 * blocking commit must not find it busy. Damage alone is done at once.
	 */
	drm_atomic_helper_wait_for_flip_done(drm, state);
	drm_atomic_helper_cleanup_planes(drm, state);
}

/**
 * xen_drm_commit - &drm_mode_config_funcs.atomic_commit
 * @drm: the device
 * @state: checked
 * @nonblock: do not wait for anything
 *
 * Return: 0, -EBUSY if the last flip is not over, or -errno.
 */
int xen_drm_commit(struct drm_device *drm, struct drm_atomic_state *state,
		   bool nonblock)
{
	struct xen_drm *xdrm = to_xen_drm(drm);
	int ret;

	if (nonblock && !state->async_update && xen_drm_commit_is_early(state))
		return -EBUSY;
	if (!nonblock || state->async_update ||
	    !xen_drm_commit_is_quick(state)) {
		xen_drm_commit_finish_some(xdrm);
		return drm_atomic_helper_commit(drm, state, nonblock);
	}

	ret = drm_atomic_helper_setup_commit(state, nonblock);
	if (ret)
		return ret;
	ret = drm_atomic_helper_prepare_planes(drm, state);
	if (ret)
		return ret;
	ret = drm_atomic_helper_swap_state(state, false);
	if (ret)
		return ret;	/* never: it has nothing to wait for */

	drm_atomic_state_get(state);
	xen_drm_commit_send(state);
	/* while the backend is at work: the commits before this one */
	xen_drm_commit_finish_some(xdrm);
	spin_lock_irq(&xdrm->commits_lock);
	list_add_tail(&to_xen_drm_state(state)->entry, &xdrm->commits);
	spin_unlock_irq(&xdrm->commits_lock);
	if (xen_drm_commit_on_screen(state))
		xen_drm_commit_kick(xdrm);
	return 0;
}

/* Is this the pipe's last page flip, and over? The locks say that it has returned. */
static bool xen_drm_page_flip_is_over(struct xen_drm_pipe *pipe,
				      struct drm_crtc_commit *commit)
{
	const struct xen_drm_page_flip *flip = READ_ONCE(pipe->page_flip);

	/* the state holds a reference on it */
	return flip && &flip->commit == commit && READ_ONCE(flip->shown);
}

/* Would this flip be one more pointer, and nothing wait? The locks are held. */
static bool xen_drm_page_flip_is_quick(struct drm_crtc *crtc,
				       struct drm_framebuffer *fb, u32 flags)
{
	const struct drm_plane_state *plane = crtc->primary->state;
	struct drm_crtc_commit *last = crtc->state->commit;
	struct xen_drm_pipe *pipe = crtc_to_pipe(crtc);

	if (flags & ~DRM_MODE_PAGE_FLIP_EVENT)
		return false;
	if (!crtc->state->active || plane->crtc != crtc || !plane->visible ||
	    pipe->want_config || !xen_drm_pipe_configured(pipe))
		return false;
	if (READ_ONCE(pipe->crc.on))
		return false;	/* not quick at all then */
	if (plane->commit != last && !xen_drm_commit_is_over(plane->commit))
		return false;
	if (!xen_drm_page_flip_is_over(pipe, last) &&
	    !xen_drm_commit_is_over(last))
		return false;
	/* one that is attached is one that the wire carries */
	return xen_drm_ring_has_room(&pipe->ring) &&
	       xen_drm_commit_fb_ready(fb);
}

static void xen_drm_page_flip_release(struct completion *done)
{
	struct xen_drm_page_flip *flip =
		container_of(done, struct xen_drm_page_flip, commit.flip_done);

	WRITE_ONCE(flip->shown, true);
	drm_crtc_commit_put(&flip->commit);
}

/* A flip, not yet on its way, whose @event says that it is on screen. */
static struct xen_drm_page_flip *
xen_drm_page_flip_alloc(struct drm_crtc *crtc,
			struct drm_pending_vblank_event *event)
{
	struct xen_drm_page_flip *flip = kzalloc(sizeof(*flip), GFP_KERNEL);

	if (!flip)
		return NULL;
	init_completion(&flip->commit.flip_done);
	init_completion(&flip->commit.hw_done);
	kref_init(&flip->commit.ref);
	flip->commit.crtc = crtc;
	event->base.completion = &flip->commit.flip_done;
	event->base.completion_release = xen_drm_page_flip_release;
	drm_crtc_commit_get(&flip->commit);
	return flip;
}

static void xen_drm_page_flip_track(struct drm_crtc_commit **tracked,
				    struct drm_crtc_commit *commit)
{
	if (*tracked)
		drm_crtc_commit_put(*tracked);
	*tracked = drm_crtc_commit_get(commit);
}

/*
 * From here on the CRTC shows @fb, as far as anybody can ask. Returns the page flip
 * before this one, if it was not finished: it is over.
 */
static struct xen_drm_page_flip *
xen_drm_page_flip_swap(struct xen_drm_page_flip *flip,
		       struct drm_framebuffer *fb)
{
	struct drm_crtc *crtc = flip->commit.crtc;
	struct drm_plane_state *plane = crtc->primary->state;
	struct xen_drm_pipe *pipe = crtc_to_pipe(crtc);
	struct xen_drm_page_flip *last;

	flip->old_fb = plane->fb;
	drm_framebuffer_get(fb);
	plane->fb = fb;
	xen_drm_page_flip_track(&crtc->state->commit, &flip->commit);
	xen_drm_page_flip_track(&plane->commit, &flip->commit);
	spin_lock_irq(&pipe->xdrm->commits_lock);
	last = pipe->page_flip;
	WRITE_ONCE(pipe->page_flip, flip);
	spin_unlock_irq(&pipe->xdrm->commits_lock);
	return last;
}

static void xen_drm_page_flip_send(struct xen_drm_page_flip *flip,
				   struct drm_framebuffer *fb,
				   struct drm_pending_vblank_event *event)
{
	static const struct xen_drm_damage everything;

	xen_drm_flip_show(crtc_to_pipe(flip->commit.crtc), event,
			  to_xen_drm_fb(fb), &everything, fb != flip->old_fb);
	complete_all(&flip->commit.hw_done);
}

/**
 * xen_drm_page_flip - &drm_crtc_funcs.page_flip
 * @crtc: the CRTC, it and its primary plane locked
 * @fb: what to show, of the format that is shown and not too small
 * @event: the client's; NULL if it wants none
 * @flags: DRM_MODE_PAGE_FLIP_*
 * @ctx: of the locks
 *
 * Return: 0, -EBUSY if the last flip is not over, or -errno.
 */
int xen_drm_page_flip(struct drm_crtc *crtc, struct drm_framebuffer *fb,
		      struct drm_pending_vblank_event *event, u32 flags,
		      struct drm_modeset_acquire_ctx *ctx)
{
	struct xen_drm_page_flip *flip = NULL, *last;
	struct drm_pending_vblank_event *own = NULL;
	int idx;

	if (!xen_drm_page_flip_is_quick(crtc, fb, flags) ||
	    !drm_dev_enter(crtc->dev, &idx))
		return drm_atomic_helper_page_flip(crtc, fb, event, flags, ctx);

	if (!event) {
		own = kzalloc(sizeof(*own), GFP_KERNEL);
		event = own;
	}
	if (event)
		flip = xen_drm_page_flip_alloc(crtc, event);
	if (flip) {
		last = xen_drm_page_flip_swap(flip, fb);
		xen_drm_page_flip_send(flip, fb, event);
		/* while the backend is at work */
		if (last)
			xen_drm_page_flip_finish(last);
	} else {
		kfree(own);
	}
	drm_dev_exit(idx);
	return flip ? 0 : -ENOMEM;
}

/**
 * xen_drm_commit_queue - run a work that may let go of the device
 * @work: keeps a reference on a device
 * @ms: to wait before
 *
 * Unloading the module waits for its end.
 */
void xen_drm_commit_queue(struct delayed_work *work, unsigned int ms)
{
	queue_delayed_work(xen_drm_commit_wq, work, msecs_to_jiffies(ms));
}

/**
 * xen_drm_commit_init - prepare for commits
 * @xdrm: the device
 */
void xen_drm_commit_init(struct xen_drm *xdrm)
{
	spin_lock_init(&xdrm->commits_lock);
	INIT_LIST_HEAD(&xdrm->commits);
	INIT_DELAYED_WORK(&xdrm->commit_work, xen_drm_commit_work);
}

/**
 * xen_drm_commit_module_init - prepare for devices
 *
 * Return: 0 or -ENOMEM.
 */
int xen_drm_commit_module_init(void)
{
	xen_drm_commit_wq = alloc_workqueue("xen-drm-commit", WQ_UNBOUND, 0);
	return xen_drm_commit_wq ? 0 : -ENOMEM;
}

/**
 * xen_drm_commit_module_fini - wait for works that are on their way out
 *
 * Context: process; the last device has been released.
 */
void xen_drm_commit_module_fini(void)
{
	destroy_workqueue(xen_drm_commit_wq);
}
