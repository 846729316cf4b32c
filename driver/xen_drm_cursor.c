// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The cursor plane, there when the backend offers "cursor": moving the pointer
 * redraws nothing. docs/protocol-extensions.md, "cursor".
 *
 * A move is a request of its own, apart from frames. At most one is on its way;
 * moves that come meanwhile are summed up to the latest position.
 */

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_drv.h>
#include <drm/drm_fourcc.h>

#include "xen_drm.h"

#define XEN_DRM_CURSOR_SIZE	256	/* what every backend takes, pixels */
#define XEN_DRM_CURSOR_FAR	8192	/* positions on the wire: +-, pixels */

static struct xen_drm_pipe *xen_drm_cursor_pipe(struct drm_plane *plane)
{
	return container_of(plane, struct xen_drm_pipe, cursor_plane);
}

static void xen_drm_cursor_moved(void *ctx, u32 tag, int status,
				 const struct xendispl_resp *resp)
{
	struct xen_drm_pipe *pipe = ctx;
	unsigned long flags;

	spin_lock_irqsave(&pipe->lock, flags);
	pipe->cursor.on_its_way = false;
	if (status != -ENOTCONN)
		xen_drm_cursor_push(pipe);
	spin_unlock_irqrestore(&pipe->lock, flags);
}

/**
 * xen_drm_cursor_push - send the latest position if the last one has arrived
 * @pipe: the pipe, locked
 *
 * Context: any.
 */
void xen_drm_cursor_push(struct xen_drm_pipe *pipe)
{
	struct xen_drm_cursor *cursor = &pipe->cursor;
	struct xen_drm_call call = {
		.done = xen_drm_cursor_moved,
		.ctx = pipe,
	};
	int ret;

	lockdep_assert_held(&pipe->lock);

	if (!cursor->moved || cursor->on_its_way)
		return;
	ret = xen_drm_cmd_cursor_move(pipe, cursor->x, cursor->y, &call);
	if (ret == -EAGAIN)
		xen_drm_flip_retry(pipe);
	cursor->moved = ret == -EAGAIN;
	cursor->on_its_way = !ret;
}

static void xen_drm_cursor_move(struct xen_drm_pipe *pipe, int x, int y)
{
	struct xen_drm_cursor *cursor = &pipe->cursor;

	spin_lock_irq(&pipe->lock);
	cursor->x = clamp(x, -XEN_DRM_CURSOR_FAR, XEN_DRM_CURSOR_FAR);
	cursor->y = clamp(y, -XEN_DRM_CURSOR_FAR, XEN_DRM_CURSOR_FAR);
	cursor->moved = true;
	xen_drm_cursor_push(pipe);
	spin_unlock_irq(&pipe->lock);
}

/* Waits for the answer: after it the backend does not read the image. */
static void xen_drm_cursor_set(struct xen_drm_pipe *pipe,
			       const struct drm_plane_state *new)
{
	const struct xen_drm_damage image = {
		.count = 1,
		.rect = { { .x2 = new->src_w >> 16, .y2 = new->src_h >> 16 } },
	};
	unsigned int link = READ_ONCE(pipe->xdrm->link);
	u64 cookie = 0;
	int ret = 0;

	if (new->crtc && new->fb) {
		ret = xen_drm_fb_attach_crop(to_xen_drm_fb(new->fb),
					     image.rect[0].x2,
					     image.rect[0].y2, &cookie);
		if (!ret)
			xen_drm_fb_fill(to_xen_drm_fb(new->fb), &image);
	}
	if (!ret)
		ret = xen_drm_cmd_cursor_set(pipe, cookie);
	if (ret && ret != -ENOTCONN)
		drm_err_ratelimited(&pipe->xdrm->drm,
				    "connector %u: the backend refused a cursor: error %d\n",
				    pipe->index, ret);
	spin_lock_irq(&pipe->lock);
	pipe->cursor.link = ret == -ENOTCONN ? 0 : link;
	spin_unlock_irq(&pipe->lock);
}

/**
 * xen_drm_cursor_is_known - has this connection's backend the plane's image?
 * @pipe: the pipe
 *
 * Context: any.
 * Return: whether it has. It forgets the image when the screen is switched off.
 */
bool xen_drm_cursor_is_known(struct xen_drm_pipe *pipe)
{
	return READ_ONCE(pipe->cursor.link) == READ_ONCE(pipe->xdrm->link);
}

/**
 * xen_drm_cursor_show - tell the backend of the cursor's state
 * @pipe: the pipe, with a mode set on this connection
 * @old: what the plane's state was
 * @new: what it is
 *
 * A backend that does not know the image is told all of it. With the same
 * framebuffer at the same place, what is in it has changed.
 *
 * Context: process: a commit's, or the state machine's; waits for the backend
 * when the image is new.
 */
void xen_drm_cursor_show(struct xen_drm_pipe *pipe,
			 const struct drm_plane_state *old,
			 const struct drm_plane_state *new)
{
	struct drm_framebuffer *fb = new->crtc ? new->fb : NULL;
	bool all = !xen_drm_cursor_is_known(pipe);
	bool moved = all || old->crtc_x != new->crtc_x ||
		old->crtc_y != new->crtc_y;

	if (!xen_drm_has(pipe->xdrm, XEN_DRM_FEAT_CURSOR))
		return;
	if (fb && moved)
		xen_drm_cursor_move(pipe, new->crtc_x, new->crtc_y);
	if ((all && fb) || old->fb != fb || old->src_w != new->src_w ||
	    old->src_h != new->src_h || (fb && !moved))
		xen_drm_cursor_set(pipe, new);
}

/**
 * xen_drm_cursor_reset - the connection went
 * @pipe: the pipe
 *
 * Context: the pipe's lock is held.
 */
void xen_drm_cursor_reset(struct xen_drm_pipe *pipe)
{
	lockdep_assert_held(&pipe->lock);

	pipe->cursor.moved = false;
	pipe->cursor.on_its_way = false;
	pipe->cursor.link = 0;
}

/* The image may be a framebuffer's part; it may be partly or wholly off screen. */
static int xen_drm_cursor_check_fb(struct xen_drm_pipe *pipe,
				   const struct drm_plane_state *new)
{
	u32 width = new->src_w >> 16, height = new->src_h >> 16;

	if (!xen_drm_has(pipe->xdrm, XEN_DRM_FEAT_CURSOR))
		return -EINVAL;	/* a backend of today without cursors */
	if (!width || width > XEN_DRM_CURSOR_SIZE ||
	    !height || height > XEN_DRM_CURSOR_SIZE)
		return -EINVAL;
	if (new->src_x || new->src_y || (new->src_w | new->src_h) & 0xffff)
		return -EINVAL;
	if (width != new->fb->width &&
	    !xen_drm_has(pipe->xdrm, XEN_DRM_FEAT_STRIDE))
		return -EINVAL;
	return xen_drm_fb_check_wire(pipe->xdrm, new->fb);
}

static bool xen_drm_cursor_is_same(const struct drm_plane_state *a,
				   const struct drm_plane_state *b)
{
	return a->fb == b->fb && a->crtc == b->crtc &&
		a->crtc_x == b->crtc_x && a->crtc_y == b->crtc_y &&
		a->src_x == b->src_x && a->src_y == b->src_y &&
		a->src_w == b->src_w && a->src_h == b->src_h;
}

/* A cursor that nobody touches is no reason to refuse what else is committed. */
static int xen_drm_cursor_check(struct xen_drm_pipe *pipe,
				const struct drm_plane_state *old,
				struct drm_plane_state *new,
				const struct drm_crtc_state *crtc_state)
{
	int ret;

	ret = drm_atomic_helper_check_plane_state(new, crtc_state,
						  DRM_PLANE_NO_SCALING,
						  DRM_PLANE_NO_SCALING,
						  true, true);
	if (ret)
		return ret;
	if (!new->fb || xen_drm_cursor_is_same(old, new))
		return 0;
	return xen_drm_cursor_check_fb(pipe, new);
}

static int xen_drm_cursor_atomic_check(struct drm_plane *plane,
				       struct drm_atomic_state *state)
{
	struct drm_plane_state *new =
		drm_atomic_get_new_plane_state(state, plane);
	struct drm_crtc_state *crtc_state = NULL;

	if (new->crtc)
		crtc_state = drm_atomic_get_new_crtc_state(state, new->crtc);
	if (!crtc_state)
		return 0;
	return xen_drm_cursor_check(xen_drm_cursor_pipe(plane),
				    drm_atomic_get_old_plane_state(state, plane),
				    new, crtc_state);
}

/* The CRTC's flush shows the cursor, after a mode was set. */
static void xen_drm_cursor_atomic_update(struct drm_plane *plane,
					 struct drm_atomic_state *state)
{
}

/* Moves between frames need not wait for them. */
static int xen_drm_cursor_async_check(struct drm_plane *plane,
				      struct drm_atomic_state *state)
{
	const struct drm_plane_state *new =
		drm_atomic_get_new_plane_state(state, plane);

	if (!plane->state->fb || !new->fb || !new->crtc->state->active)
		return -EINVAL;
	return xen_drm_cursor_check_fb(xen_drm_cursor_pipe(plane), new);
}

static void xen_drm_cursor_async_update(struct drm_plane *plane,
					struct drm_atomic_state *state)
{
	struct xen_drm_pipe *pipe = xen_drm_cursor_pipe(plane);
	struct drm_plane_state *new =
		drm_atomic_get_new_plane_state(state, plane);
	struct drm_plane_state *now = plane->state;
	struct drm_plane_state old = *now;
	int idx;

	/* the core lets go of the framebuffer that is left in @new */
	swap(now->fb, new->fb);
	now->crtc_x = new->crtc_x;
	now->crtc_y = new->crtc_y;
	now->crtc_w = new->crtc_w;
	now->crtc_h = new->crtc_h;
	now->src_x = new->src_x;
	now->src_y = new->src_y;
	now->src_w = new->src_w;
	now->src_h = new->src_h;
	now->src = new->src;
	now->dst = new->dst;
	now->visible = new->visible;

	xen_drm_crc_show(pipe);
	if (!drm_dev_enter(plane->dev, &idx))
		return;
	if (xen_drm_pipe_configured(pipe))
		xen_drm_cursor_show(pipe, &old, now);
	drm_dev_exit(idx);
}

static const struct drm_plane_helper_funcs xen_drm_cursor_helper_funcs = {
	.atomic_check = xen_drm_cursor_atomic_check,
	.atomic_update = xen_drm_cursor_atomic_update,
	.atomic_async_check = xen_drm_cursor_async_check,
	.atomic_async_update = xen_drm_cursor_async_update,
};

/**
 * xen_drm_cursor_init - make the cursor plane, if the backend offers one
 * @pipe: the pipe, its primary plane made
 * @ret_plane: the plane, or NULL
 *
 * Return: 0 or -errno.
 */
int xen_drm_cursor_init(struct xen_drm_pipe *pipe, struct drm_plane **ret_plane)
{
	static const u32 formats[] = { DRM_FORMAT_ARGB8888 };
	struct drm_device *drm = &pipe->xdrm->drm;
	int ret;

	*ret_plane = NULL;
	if (!(pipe->xdrm->cfg.features & XEN_DRM_FEAT_CURSOR))
		return 0;
	ret = drm_universal_plane_init(drm, &pipe->cursor_plane,
				       BIT(pipe->index), &xen_drm_plane_funcs,
				       formats, ARRAY_SIZE(formats), NULL,
				       DRM_PLANE_TYPE_CURSOR, NULL);
	if (ret)
		return ret;
	drm_plane_helper_add(&pipe->cursor_plane,
			     &xen_drm_cursor_helper_funcs);
	drm->mode_config.cursor_width = XEN_DRM_CURSOR_SIZE;
	drm->mode_config.cursor_height = XEN_DRM_CURSOR_SIZE;
	*ret_plane = &pipe->cursor_plane;
	return 0;
}
