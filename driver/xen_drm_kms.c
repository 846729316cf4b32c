// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The pipeline: plane, CRTC, encoder, and what a commit becomes.
 *
 * Everything is checked in atomic check; from there on a commit succeeds. What
 * the backend says comes later and shows in link-status. Without a backend the
 * state is remembered: xen_drm_kms_restore() sends it to the next one.
 */

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_damage_helper.h>
#include <drm/drm_drv.h>
#include <drm/drm_encoder.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_gem_atomic_helper.h>
#include <drm/drm_modeset_lock.h>
#include <drm/drm_vblank.h>

#include "xen_drm.h"
#include "xen_drm_panic.h"

/* displif.h leaves the list open; these eight every backend knows. */
static const u32 xen_drm_base_formats[] = {
	DRM_FORMAT_XRGB8888,
	DRM_FORMAT_ARGB8888,
	DRM_FORMAT_RGB565,
	DRM_FORMAT_RGB888,
	DRM_FORMAT_XRGB4444,
	DRM_FORMAT_ARGB4444,
	DRM_FORMAT_XRGB1555,
	DRM_FORMAT_ARGB1555,
};

static int xen_drm_plane_atomic_check(struct drm_plane *plane,
				      struct drm_atomic_state *state)
{
	struct xen_drm_pipe *pipe = container_of(plane, struct xen_drm_pipe,
						 plane);
	struct drm_plane_state *old =
		drm_atomic_get_old_plane_state(state, plane);
	struct drm_plane_state *new =
		drm_atomic_get_new_plane_state(state, plane);
	struct drm_crtc_state *crtc_state = NULL;
	int ret;

	if (new->crtc)
		crtc_state = drm_atomic_get_new_crtc_state(state, new->crtc);
	if (!crtc_state)
		return 0;
	ret = drm_atomic_helper_check_plane_state(new, crtc_state,
						  DRM_PLANE_NO_SCALING,
						  DRM_PLANE_NO_SCALING,
						  false, true);
	if (ret)
		return ret;
	if (!new->fb)
		return 0;
	if (new->src_x || new->src_y) {
		drm_dbg_kms(plane->dev, "source at (%u,%u)/65536, not (0,0)\n",
			    new->src_x, new->src_y);
		return -EINVAL;
	}
	/* what is shown stays, whatever the backend of today lacks */
	return new->fb == old->fb ? 0 :
		xen_drm_fb_check_wire(pipe->xdrm, new->fb);
}

/* More areas than the wire carries become one; count 0 is everything. */
static void xen_drm_plane_damage(struct drm_plane_state *old,
				 struct drm_plane_state *new,
				 struct xen_drm_damage *damage)
{
	struct drm_atomic_helper_damage_iter iter;
	struct drm_rect clip;

	memset(damage, 0, sizeof(*damage));
	if (old->fb && new->fb &&
	    (old->fb->width != new->fb->width ||
	     old->fb->height != new->fb->height))
		return;
	drm_atomic_helper_damage_iter_init(&iter, old, new);
	drm_atomic_for_each_plane_damage(&iter, &clip) {
		bool full = damage->count == XEN_DRM_MAX_DAMAGE;

		if (full) {
			drm_atomic_helper_damage_merged(old, new, &clip);
			damage->count = 0;
		}
		damage->rect[damage->count].x1 = clip.x1;
		damage->rect[damage->count].y1 = clip.y1;
		damage->rect[damage->count].x2 = clip.x2;
		damage->rect[damage->count].y2 = clip.y2;
		damage->count++;
		if (full)
			break;
	}
}

/* What a plane update means is decided in the CRTC's flush. */
static void xen_drm_plane_atomic_update(struct drm_plane *plane,
					struct drm_atomic_state *state)
{
}

static const struct drm_plane_helper_funcs xen_drm_plane_helper_funcs = {
	.atomic_check = xen_drm_plane_atomic_check,
	.atomic_update = xen_drm_plane_atomic_update,
	COMPAT_DRM_PANIC_FUNCS
};

const struct drm_plane_funcs xen_drm_plane_funcs = {
	.update_plane = drm_atomic_helper_update_plane,
	.disable_plane = drm_atomic_helper_disable_plane,
	.destroy = drm_plane_cleanup,
	.reset = drm_atomic_helper_plane_reset,
	.atomic_duplicate_state = drm_atomic_helper_plane_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_plane_destroy_state,
};

static enum drm_mode_status
xen_drm_crtc_mode_valid(struct drm_crtc *crtc,
			const struct drm_display_mode *mode)
{
	if (mode->hdisplay > XEN_DRM_MAX_SIZE)
		return MODE_VIRTUAL_X;
	if (mode->vdisplay > XEN_DRM_MAX_SIZE)
		return MODE_VIRTUAL_Y;
	if (mode->flags & DRM_MODE_FLAG_INTERLACE)
		return MODE_NO_INTERLACE;
	if (mode->flags & DRM_MODE_FLAG_DBLSCAN)
		return MODE_NO_DBLESCAN;
	if (drm_mode_vrefresh(mode) < 20)
		return MODE_CLOCK_LOW;
	if (drm_mode_vrefresh(mode) > 240)
		return MODE_CLOCK_HIGH;
	return MODE_OK;
}

/* The screen had no picture, and with it no cursor: both come back. */
static int xen_drm_crtc_add_cursor(struct drm_crtc *crtc,
				   struct drm_atomic_state *state)
{
	struct drm_plane_state *old, *new;

	old = drm_atomic_get_old_plane_state(state, crtc->primary);
	new = drm_atomic_get_new_plane_state(state, crtc->primary);
	if (!crtc->cursor || !new || !new->fb || old->fb)
		return 0;
	return PTR_ERR_OR_ZERO(drm_atomic_get_plane_state(state,
							  crtc->cursor));
}

/*
 * A mode that is set stays, also on a monitor that has become smaller: it can be
 * switched off, and on again.
 */
static int xen_drm_crtc_atomic_check(struct drm_crtc *crtc,
				     struct drm_atomic_state *state)
{
	struct drm_crtc_state *new =
		drm_atomic_get_new_crtc_state(state, crtc);

	if (new->enable && new->mode_changed &&
	    !xen_drm_conn_mode_was_offered(crtc_to_pipe(crtc), &new->mode)) {
		drm_dbg_kms(crtc->dev, "mode " DRM_MODE_FMT " does not fit\n",
			    DRM_MODE_ARG(&new->mode));
		return -EINVAL;
	}
	return xen_drm_crtc_add_cursor(crtc, state);
}

/**
 * xen_drm_pipe_configured - is a mode set on the connection that is up now?
 * @pipe: the pipe
 *
 * Context: any.
 * Return: whether there is.
 */
bool xen_drm_pipe_configured(struct xen_drm_pipe *pipe)
{
	unsigned int link = READ_ONCE(pipe->config_link);

	return link && link == READ_ONCE(pipe->xdrm->link);
}

static void xen_drm_crtc_atomic_enable(struct drm_crtc *crtc,
				       struct drm_atomic_state *state)
{
	struct xen_drm_pipe *pipe = crtc_to_pipe(crtc);

	xen_drm_vblank_set_mode(pipe, &crtc->state->adjusted_mode);
	drm_crtc_vblank_on(crtc);
	pipe->want_config = true;
}

/* Takes the commit's event. */
static struct drm_pending_vblank_event *
xen_drm_crtc_take_event(struct drm_crtc *crtc)
{
	struct drm_pending_vblank_event *event;

	spin_lock_irq(&crtc->dev->event_lock);
	event = crtc->state->event;
	crtc->state->event = NULL;
	spin_unlock_irq(&crtc->dev->event_lock);
	return event;
}

static void xen_drm_crtc_off(struct xen_drm_pipe *pipe)
{
	bool on;

	spin_lock_irq(&pipe->lock);
	on = pipe->config_link;
	pipe->config_link = 0;
	pipe->flip.dirty = false;
	pipe->cursor.link = 0;
	/* a backend need not tell of frames of a screen that is off */
	if (!pipe->flip.event)
		pipe->flip.num_wire = 0;
	spin_unlock_irq(&pipe->lock);
	if (on)
		xen_drm_cmd_switch_off(pipe);
}

static void xen_drm_crtc_atomic_disable(struct drm_crtc *crtc,
					struct drm_atomic_state *state)
{
	struct xen_drm_pipe *pipe = crtc_to_pipe(crtc);
	struct drm_pending_vblank_event *event = NULL;

	xen_drm_crtc_off(pipe);
	pipe->want_config = false;
	if (!crtc->state->active) {
		xen_drm_crc_show(pipe);
		spin_lock_irq(&crtc->dev->event_lock);
		event = crtc->state->event;
		crtc->state->event = NULL;
		spin_unlock_irq(&crtc->dev->event_lock);
	}
	drm_crtc_vblank_off(crtc);
	xen_drm_commit_kick(pipe->xdrm);
	if (event) {
		spin_lock_irq(&crtc->dev->event_lock);
		drm_crtc_send_vblank_event(crtc, event);
		spin_unlock_irq(&crtc->dev->event_lock);
	}
}

/* Sends what is new to the backend; whatever happens, @event gets sent. */
static void xen_drm_crtc_show(struct xen_drm_pipe *pipe,
			      struct drm_pending_vblank_event *event,
			      struct drm_plane_state *old,
			      struct drm_plane_state *new)
{
	struct xen_drm_fb *fb = to_xen_drm_fb(new->fb);
	struct xen_drm_damage damage;
	int ret;

	ret = xen_drm_fb_attach(fb);
	if (ret) {
		if (ret != -ENOTCONN) {
			if (!READ_ONCE(pipe->bad) &&
			    !xen_drm_ring_is_broken(&pipe->xdrm->pipes[0].ring))
				drm_err_ratelimited(&pipe->xdrm->drm,
						    "connector %u: the backend refused a framebuffer: error %d\n",
						    pipe->index, ret);
			xen_drm_conn_set_bad(pipe, true);
		}
		xen_drm_flip_miss(pipe, event);
		return;
	}
	if (pipe->want_config || !xen_drm_pipe_configured(pipe)) {
		pipe->want_config = false;
		xen_drm_flip_config(pipe, event, fb);
		return;
	}
	xen_drm_plane_damage(old, new, &damage);
	xen_drm_flip_show(pipe, event, fb, &damage, old->fb != new->fb);
}

/* The cursor, when it is in the commit. */
static void xen_drm_crtc_show_cursor(struct xen_drm_pipe *pipe,
				     struct drm_atomic_state *state)
{
	struct drm_plane *plane = pipe->crtc.cursor;
	struct drm_plane_state *new;

	if (!plane)
		return;
	new = drm_atomic_get_new_plane_state(state, plane);
	if (new && xen_drm_pipe_configured(pipe))
		xen_drm_cursor_show(pipe,
				    drm_atomic_get_old_plane_state(state, plane),
				    new);
}

static void xen_drm_crtc_atomic_flush(struct drm_crtc *crtc,
				      struct drm_atomic_state *state)
{
	struct xen_drm_pipe *pipe = crtc_to_pipe(crtc);
	struct drm_plane_state *old, *new;
	struct drm_pending_vblank_event *event;
	int idx;

	xen_drm_crc_show(pipe);
	event = xen_drm_crtc_take_event(crtc);
	old = drm_atomic_get_old_plane_state(state, &pipe->plane);
	new = drm_atomic_get_new_plane_state(state, &pipe->plane);

	/*
	 * Switched on without a picture: nothing on the wire for that. A device that
	 * goes, too, says so before it takes the framebuffer away.
	 */
	if (new && !(new->fb && new->crtc))
		xen_drm_crtc_off(pipe);
	if (!drm_dev_enter(crtc->dev, &idx)) {
		xen_drm_flip_next_vblank(pipe, event);
		return;
	}
	if (new && new->fb && new->crtc)
		xen_drm_crtc_show(pipe, event, old, new);
	else
		xen_drm_flip_next_vblank(pipe, event);
	xen_drm_crtc_show_cursor(pipe, state);
	drm_dev_exit(idx);
}

static const struct drm_crtc_helper_funcs xen_drm_crtc_helper_funcs = {
	.mode_valid = xen_drm_crtc_mode_valid,
	.atomic_check = xen_drm_crtc_atomic_check,
	.atomic_enable = xen_drm_crtc_atomic_enable,
	.atomic_disable = xen_drm_crtc_atomic_disable,
	.atomic_flush = xen_drm_crtc_atomic_flush,
};

static const struct drm_crtc_funcs xen_drm_crtc_funcs = {
	.set_config = drm_atomic_helper_set_config,
	.page_flip = xen_drm_page_flip,
	.destroy = drm_crtc_cleanup,
	.reset = drm_atomic_helper_crtc_reset,
	.atomic_duplicate_state = drm_atomic_helper_crtc_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_crtc_destroy_state,
	.enable_vblank = xen_drm_vblank_enable,
	.disable_vblank = xen_drm_vblank_disable,
	.get_vblank_counter = xen_drm_vblank_counter,
	.get_vblank_timestamp = xen_drm_vblank_timestamp,
	.get_crc_sources = xen_drm_crc_sources,
	.verify_crc_source = xen_drm_crc_verify,
	.set_crc_source = xen_drm_crc_set,
};

static const struct drm_encoder_funcs xen_drm_encoder_funcs = {
	.destroy = drm_encoder_cleanup,
};

static const struct drm_mode_config_helper_funcs xen_drm_config_helper_funcs = {
	.atomic_commit_tail = xen_drm_commit_tail,
};

static const struct drm_mode_config_funcs xen_drm_config_funcs = {
	.fb_create = xen_drm_fb_create,
	.atomic_check = drm_atomic_helper_check,
	.atomic_commit = xen_drm_commit,
	.atomic_state_alloc = xen_drm_commit_alloc,
	.atomic_state_clear = drm_atomic_state_default_clear,
	.atomic_state_free = xen_drm_commit_free,
};

static int xen_drm_plane_setup(struct xen_drm_pipe *pipe)
{
	struct xen_drm *xdrm = pipe->xdrm;
	const u32 *formats = xen_drm_base_formats;
	unsigned int num = ARRAY_SIZE(xen_drm_base_formats);
	int ret;

	if (xdrm->cfg.features & XEN_DRM_FEAT_FORMATS) {
		formats = xdrm->cfg.formats;
		num = xdrm->cfg.num_formats;
	}
	ret = drm_universal_plane_init(&xdrm->drm, &pipe->plane,
				       BIT(pipe->index), &xen_drm_plane_funcs,
				       formats, num, NULL,
				       DRM_PLANE_TYPE_PRIMARY, NULL);
	if (ret)
		return ret;
	drm_plane_helper_add(&pipe->plane, &xen_drm_plane_helper_funcs);
	drm_plane_enable_fb_damage_clips(&pipe->plane);
	return 0;
}

static int xen_drm_pipe_init(struct xen_drm_pipe *pipe)
{
	struct drm_device *drm = &pipe->xdrm->drm;
	struct drm_plane *cursor;
	int ret;

	ret = xen_drm_plane_setup(pipe);
	if (!ret)
		ret = xen_drm_cursor_init(pipe, &cursor);
	if (ret)
		return ret;
	ret = drm_crtc_init_with_planes(drm, &pipe->crtc, &pipe->plane, cursor,
					&xen_drm_crtc_funcs, NULL);
	if (ret)
		return ret;
	drm_crtc_helper_add(&pipe->crtc, &xen_drm_crtc_helper_funcs);

	pipe->encoder.possible_crtcs = drm_crtc_mask(&pipe->crtc);
	ret = drm_encoder_init(drm, &pipe->encoder, &xen_drm_encoder_funcs,
			       DRM_MODE_ENCODER_VIRTUAL, NULL);
	if (ret)
		return ret;
	return xen_drm_conn_init(pipe);
}

/**
 * xen_drm_kms_init - make the pipelines
 * @xdrm: the device
 *
 * Context: process, before the device is registered.
 * Return: 0 or -errno.
 */
int xen_drm_kms_init(struct xen_drm *xdrm)
{
	struct drm_device *drm = &xdrm->drm;
	unsigned int i;
	int ret;

	xen_drm_commit_init(xdrm);
	ret = drmm_mode_config_init(drm);
	if (ret)
		return ret;
	drm->mode_config.min_width = 1;
	drm->mode_config.min_height = 1;
	drm->mode_config.max_width = XEN_DRM_MAX_SIZE;
	drm->mode_config.max_height = XEN_DRM_MAX_SIZE;
	drm->mode_config.preferred_depth = 24;
	drm->mode_config.funcs = &xen_drm_config_funcs;
	drm->mode_config.helper_private = &xen_drm_config_helper_funcs;

	for (i = 0; i < xdrm->num_pipes; i++) {
		ret = xen_drm_pipe_init(&xdrm->pipes[i]);
		if (ret)
			return ret;
	}
	drm->max_vblank_count = U32_MAX;
	/* the clock counts on while its timer rests */
	drm->vblank_disable_immediate = true;
	ret = drm_vblank_init(drm, xdrm->num_pipes);
	if (ret)
		return ret;
	drm_mode_config_reset(drm);
	return 0;
}

/* The backend has forgotten all of it. Returns false if it does not answer. */
static bool xen_drm_pipe_restore(struct xen_drm_pipe *pipe, bool answers)
{
	struct drm_plane_state *state = pipe->plane.state;
	struct drm_plane_state *cursor = pipe->cursor_plane.state;
	int ret = -ETIMEDOUT;

	if (!pipe->crtc.state->active || !state->fb)
		return answers;
	if (!xen_drm_pipe_configured(pipe)) {
		if (answers)
			ret = xen_drm_fb_attach(to_xen_drm_fb(state->fb));
		if (ret) {
			if (ret != -ENOTCONN)
				xen_drm_conn_set_bad(pipe, true);
			return ret != -ETIMEDOUT;
		}
		xen_drm_flip_config(pipe, NULL, to_xen_drm_fb(state->fb));
	}
	/* a commit that has set the mode need not have had the cursor in it */
	if (answers && cursor && !xen_drm_cursor_is_known(pipe))
		xen_drm_cursor_show(pipe, cursor, cursor);
	return answers;
}

/**
 * xen_drm_kms_restore - show on a new connection what was shown on the last
 * @xdrm: the device, its buffers known to the backend
 *
 * Commits that run at the same time are in order with this: they find the
 * connector configured, or configure it themselves.
 *
 * Context: state machine.
 */
void xen_drm_kms_restore(struct xen_drm *xdrm)
{
	struct drm_modeset_acquire_ctx ctx;
	bool answers = true;
	unsigned int i;
	int ret;

	DRM_MODESET_LOCK_ALL_BEGIN((&xdrm->drm), ctx, 0, ret);
	for (i = 0; i < xdrm->num_pipes; i++)
		answers = xen_drm_pipe_restore(&xdrm->pipes[i], answers);
	DRM_MODESET_LOCK_ALL_END((&xdrm->drm), ctx, ret);
}
