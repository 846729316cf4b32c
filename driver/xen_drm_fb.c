// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Framebuffers. Making one talks to nobody: the backend hears of it when it is
 * first shown, and again on a new connection.
 */

#include <linux/slab.h>

#include <drm/drm_atomic_helper.h>
#include <drm/drm_damage_helper.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_gem_framebuffer_helper.h>

#include "xen_drm.h"

/* Once: a framebuffer may be destroyed while all are withdrawn. */
static int xen_drm_fb_detach_one(struct xen_drm *xdrm, unsigned int *attached,
				 u64 cookie)
{
	unsigned int link = xchg(attached, 0);

	if (!link || link != READ_ONCE(xdrm->link))
		return 0;
	return xen_drm_cmd_fb_detach(xdrm, cookie);
}

static int xen_drm_fb_detach(struct xen_drm_fb *fb)
{
	struct xen_drm *xdrm = to_xen_drm(fb->base.dev);
	int ret;

	ret = xen_drm_fb_detach_one(xdrm, &fb->crop.link, fb->crop.cookie);
	if (ret)
		return ret;
	return xen_drm_fb_detach_one(xdrm, &fb->link, fb->cookie);
}

/**
 * xen_drm_fbs_withdraw - the device goes: detach what clients still have
 * @xdrm: the device; nothing is attached from here on
 *
 * A backend may refuse to destroy, or keep mapped, what a framebuffer shows.
 *
 * Context: state machine.
 */
void xen_drm_fbs_withdraw(struct xen_drm *xdrm)
{
	struct drm_mode_config *config = &xdrm->drm.mode_config;
	struct drm_framebuffer *base;

	mutex_lock(&config->fb_lock);
	drm_for_each_fb(base, &xdrm->drm)
		if (xen_drm_fb_detach(to_xen_drm_fb(base)))
			break;	/* nobody listens */
	mutex_unlock(&config->fb_lock);
}

static void xen_drm_fb_destroy(struct drm_framebuffer *base)
{
	struct xen_drm_fb *fb = to_xen_drm_fb(base);

	xen_drm_fb_detach(fb);
	mutex_destroy(&fb->lock);
	drm_gem_fb_destroy(base);
}

static const struct drm_framebuffer_funcs xen_drm_fb_funcs = {
	.create_handle = drm_gem_fb_create_handle,
	.destroy = xen_drm_fb_destroy,
	.dirty = drm_atomic_helper_dirtyfb,
};

/**
 * xen_drm_fb_create - make a framebuffer (&drm_mode_config_funcs.fb_create)
 * @drm: the device
 * @file: whose handles @cmd names
 * @cmd: size, format, pitch, checked against the object by the helper
 *
 * Return: the framebuffer or an ERR_PTR.
 */
struct drm_framebuffer *
xen_drm_fb_create(struct drm_device *drm, struct drm_file *file,
		  const struct drm_mode_fb_cmd2 *cmd)
{
	struct xen_drm_fb *fb;
	int ret;

	/* not all kernels' helpers look at it */
	if (!drm_any_plane_has_format(drm, cmd->pixel_format, cmd->modifier[0]))
		return ERR_PTR(-EINVAL);
	fb = kzalloc(sizeof(*fb), GFP_KERNEL);
	if (!fb)
		return ERR_PTR(-ENOMEM);
	mutex_init(&fb->lock);
	fb->cookie = atomic64_inc_return(&to_xen_drm(drm)->next_cookie);
	ret = drm_gem_fb_init_with_funcs(drm, &fb->base, file, cmd,
					 &xen_drm_fb_funcs);
	if (ret) {
		kfree(fb);
		return ERR_PTR(ret);
	}
	return &fb->base;
}

/*
 * Without "stride" lines follow each other, each a whole number of bytes, from the
 * buffer's start. The backend knows both sizes and takes the buffer's lines: they
 * have to be as long.
 */
static bool xen_drm_fb_is_packed(const struct drm_framebuffer *fb)
{
	const struct xen_drm_buf *buf = to_xen_drm_gem(fb->obj[0])->buf;
	u64 packed = drm_format_info_min_pitch(fb->format, 0, fb->width);

	if (fb->offsets[0] || fb->pitches[0] != packed)
		return false;
	return !buf->width ||
		packed == DIV_ROUND_UP_ULL((u64)buf->width * buf->bpp, 8);
}

/* The core has checked it against whole pages; the backend is told bytes. */
static bool xen_drm_fb_fits(const struct drm_framebuffer *fb)
{
	u64 end = drm_format_info_min_pitch(fb->format, 0, fb->width);

	end += fb->offsets[0] + (u64)fb->pitches[0] * (fb->height - 1);
	return end <= to_xen_drm_gem(fb->obj[0])->buf->size;
}

/**
 * xen_drm_fb_check_wire - can the protocol carry this size, pitch and offset?
 * @xdrm: the device
 * @fb: the framebuffer
 *
 * Return: 0 or -EINVAL.
 */
int xen_drm_fb_check_wire(struct xen_drm *xdrm, struct drm_framebuffer *fb)
{
	if (xen_drm_fb_fits(fb) &&
	    (xen_drm_has(xdrm, XEN_DRM_FEAT_STRIDE) ||
	     xen_drm_fb_is_packed(fb)))
		return 0;
	drm_dbg_kms(&xdrm->drm,
		    "the wire does not carry %ux%u with pitch %u and offset %u of %zu bytes\n",
		    fb->width, fb->height, fb->pitches[0], fb->offsets[0],
		    to_xen_drm_gem(fb->obj[0])->buf->size);
	return -EINVAL;
}

/* FB_ATTACH, undone if it timed out: the backend may still obey it. */
static int xen_drm_fb_announce(struct xen_drm_fb *fb, u64 cookie, u32 width,
			       u32 height)
{
	struct xen_drm_buf *buf = to_xen_drm_gem(fb->base.obj[0])->buf;
	int ret;

	lockdep_assert_held(&fb->lock);

	ret = xen_drm_buf_publish(buf);
	if (!ret)
		ret = xen_drm_fb_check_wire(buf->xdrm, &fb->base);
	if (ret)
		return ret;
	ret = xen_drm_cmd_fb_attach(fb, buf->cookie, cookie, width, height);
	if (ret == -ETIMEDOUT)
		xen_drm_cmd_fb_detach(buf->xdrm, cookie);
	return ret;
}

/**
 * xen_drm_fb_is_attached - does the backend of now know a framebuffer?
 * @fb: the framebuffer
 *
 * Context: any.
 * Return: whether it does; another connection may follow at any time.
 */
bool xen_drm_fb_is_attached(const struct xen_drm_fb *fb)
{
	unsigned int link = READ_ONCE(fb->link);

	return link && link == READ_ONCE(to_xen_drm(fb->base.dev)->link);
}

/**
 * xen_drm_fb_fill - let the backend have what a framebuffer shows
 * @fb: attached
 * @damage: what it may not have yet; NULL or none: all of it
 *
 * Has to come before the request that shows it. There is nothing to do where the
 * backend reads the pages that clients write.
 *
 * Context: process, without a lock that interrupts take: it may be long.
 */
void xen_drm_fb_fill(struct xen_drm_fb *fb, const struct xen_drm_damage *damage)
{
	struct xen_drm_buf *buf = to_xen_drm_gem(fb->base.obj[0])->buf;
	const struct xen_drm_layout layout = {
		.offset = fb->base.offsets[0],
		.stride = fb->base.pitches[0],
		.cpp = fb->base.format->cpp[0],
		.width = fb->base.width,
		.height = fb->base.height,
	};

	if (!buf->mem.shadow)
		return;
	atomic64_add(xen_drm_map_fill(&buf->mem, &layout, damage),
		     &buf->xdrm->stats.copied);
}

/**
 * xen_drm_fb_attach - make the backend know a framebuffer, if it does not yet
 * @fb: the framebuffer
 *
 * Context: process, waits for the backend the first time.
 * Return: 0, -ENOTCONN without a backend, or its error.
 */
int xen_drm_fb_attach(struct xen_drm_fb *fb)
{
	struct xen_drm *xdrm = to_xen_drm(fb->base.dev);
	unsigned int link;
	int ret = 0;

	if (xen_drm_fb_is_attached(fb))
		return 0;
	mutex_lock(&fb->lock);
	link = READ_ONCE(xdrm->link);
	if (!link) {
		ret = -ENOTCONN;
	} else if (fb->link != link) {
		ret = xen_drm_fb_announce(fb, fb->cookie, fb->base.width,
					  fb->base.height);
		if (!ret)
			WRITE_ONCE(fb->link, link);
	}
	mutex_unlock(&fb->lock);
	return ret;
}

/* Another part than the last one is another framebuffer to the backend. */
static int xen_drm_fb_crop(struct xen_drm_fb *fb, u32 width, u32 height)
{
	struct xen_drm *xdrm = to_xen_drm(fb->base.dev);
	unsigned int link = READ_ONCE(xdrm->link);
	int ret;

	lockdep_assert_held(&fb->lock);

	if (!link)
		return -ENOTCONN;
	if (fb->crop.link == link && fb->crop.width == width &&
	    fb->crop.height == height)
		return 0;
	xen_drm_fb_detach_one(xdrm, &fb->crop.link, fb->crop.cookie);
	fb->crop.cookie = atomic64_inc_return(&xdrm->next_cookie);
	fb->crop.width = width;
	fb->crop.height = height;
	ret = xen_drm_fb_announce(fb, fb->crop.cookie, width, height);
	if (!ret)
		WRITE_ONCE(fb->crop.link, link);
	return ret;
}

/**
 * xen_drm_fb_attach_crop - make the backend know a part of a framebuffer
 * @fb: the framebuffer
 * @width: of the part from (0,0) on, pixels, at most the framebuffer's
 * @height: lines
 * @ret_cookie: what it is called
 *
 * Without the "stride" extension the part has to be of the full width.
 *
 * Context: process, waits for the backend the first time.
 * Return: 0, -ENOTCONN without a backend, or its error.
 */
int xen_drm_fb_attach_crop(struct xen_drm_fb *fb, u32 width, u32 height,
			   u64 *ret_cookie)
{
	int ret;

	if (width == fb->base.width && height == fb->base.height) {
		*ret_cookie = fb->cookie;
		return xen_drm_fb_attach(fb);
	}
	mutex_lock(&fb->lock);
	ret = xen_drm_fb_crop(fb, width, height);
	*ret_cookie = fb->crop.cookie;
	mutex_unlock(&fb->lock);
	return ret;
}
