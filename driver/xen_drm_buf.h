/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Buffers and framebuffers: what clients hold, and what the backend knows of it.
 */

#ifndef XEN_DRM_BUF_H
#define XEN_DRM_BUF_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>

#include "xen_drm_mem.h"

struct xen_drm;
struct xen_drm_damage;

/* xen_drm_buf.c: buffers and the pool of them */

/**
 * struct xen_drm_buf - a buffer as the backend knows it
 * @ref: users: the GEM object or the pool, and every request in flight
 * @xdrm: the device; flushes its queue before it goes
 * @node: in @xdrm->bufs, or in @xdrm->pool
 * @publish_lock: makes the claim and DBUF_CREATE one step
 * @free_work: frees in process context
 * @cookie: id on the wire, never 0
 * @mem: the pages
 * @grants: lent to the backend
 * @width: pixels; 0 when unknown (imported)
 * @height: lines; as above
 * @bpp: bits per pixel; as above
 * @size: bytes that the backend is told of
 * @epoch: @xdrm->epoch when @grants were taken
 * @link: the connection on which DBUF_CREATE was sent; 0 for none
 * @failed: the connection on which the backend refused it; 0 for none
 * @pooled: when it went to the pool, jiffies
 * @on_free: told when nobody uses the memory any more; set when retired
 * @on_free_ctx: passed to @on_free
 *
 * @grants, @epoch, @link, @failed and @node are protected by
 * @xdrm->bufs_lock.
 */
struct xen_drm_buf {
	struct kref ref;
	struct xen_drm *xdrm;
	struct list_head node;
	struct mutex publish_lock;	/* claim and DBUF_CREATE are one step */
	struct work_struct free_work;
	u64 cookie;
	struct xen_drm_mem mem;
	struct xen_drm_grants grants;
	unsigned int epoch;
	u32 width;
	u32 height;
	u32 bpp;
	size_t size;
	unsigned int link;
	unsigned int failed;
	unsigned long pooled;
	void (*on_free)(void *ctx);
	void *on_free_ctx;
};

struct xen_drm_buf *xen_drm_buf_create(struct xen_drm *xdrm, u32 width,
				       u32 height, u32 bpp, size_t size);
struct xen_drm_buf *xen_drm_buf_import(struct xen_drm *xdrm,
				       struct sg_table *sgt,
				       struct dma_buf *dmabuf);
void xen_drm_buf_put(struct xen_drm_buf *buf);
void xen_drm_buf_retire(struct xen_drm_buf *buf);
int xen_drm_buf_publish(struct xen_drm_buf *buf);
void xen_drm_bufs_republish(struct xen_drm *xdrm);
void xen_drm_bufs_withdraw(struct xen_drm *xdrm);
void xen_drm_bufs_save(struct xen_drm *xdrm, bool now);
int xen_drm_bufs_init(struct xen_drm *xdrm);
void xen_drm_bufs_fini(struct xen_drm *xdrm);
void xen_drm_pool_drain(struct xen_drm *xdrm);

/* xen_drm_gem.c: buffers as GEM objects */

struct xen_drm_gem {
	struct drm_gem_object base;
	struct xen_drm_buf *buf;
	struct sg_table *sgt;	/* of an import */
};

static inline struct xen_drm_gem *to_xen_drm_gem(struct drm_gem_object *obj)
{
	return container_of(obj, struct xen_drm_gem, base);
}

int xen_drm_gem_dumb_create(struct drm_file *file, struct drm_device *drm,
			    struct drm_mode_create_dumb *args);
struct drm_gem_object *
xen_drm_gem_prime_import_sg(struct drm_device *drm,
			    struct dma_buf_attachment *attach,
			    struct sg_table *sgt);

/* xen_drm_fb.c: framebuffers */

/**
 * struct xen_drm_fb - a framebuffer as the backend knows it
 * @base: the DRM framebuffer
 * @cookie: id on the wire, never 0
 * @lock: serialises attaching
 * @link: connection on which it is attached; 0 for none
 * @crop: a part of it, from (0,0) on, as a framebuffer of its own
 * @crop.cookie: id of that on the wire
 * @crop.link: connection on which that is attached; 0 for none
 * @crop.width: of the part, pixels
 * @crop.height: its lines
 */
struct xen_drm_fb {
	struct drm_framebuffer base;	/* first: drm_gem_fb_destroy() frees */
	u64 cookie;
	struct mutex lock;		/* see above */
	unsigned int link;
	struct {
		u64 cookie;
		unsigned int link;
		u32 width;
		u32 height;
	} crop;
};

static inline struct xen_drm_fb *to_xen_drm_fb(struct drm_framebuffer *fb)
{
	return container_of(fb, struct xen_drm_fb, base);
}

struct drm_framebuffer *
xen_drm_fb_create(struct drm_device *drm, struct drm_file *file,
		  const struct drm_mode_fb_cmd2 *cmd);
bool xen_drm_fb_is_attached(const struct xen_drm_fb *fb);
int xen_drm_fb_attach(struct xen_drm_fb *fb);
void xen_drm_fb_fill(struct xen_drm_fb *fb,
		     const struct xen_drm_damage *damage);
int xen_drm_fb_attach_crop(struct xen_drm_fb *fb, u32 width, u32 height,
			   u64 *ret_cookie);
void xen_drm_fbs_withdraw(struct xen_drm *xdrm);
int xen_drm_fb_check_wire(struct xen_drm *xdrm, struct drm_framebuffer *fb);

#endif
