// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * One function per operation of the protocol.
 *
 * Buffers and framebuffers are requested over connector 0's ring, in order, so
 * that a destroy always comes after its create. The rest goes over the ring of
 * the connector it is about.
 */

#include <linux/slab.h>

#include "xen_drm.h"

#define XEN_DRM_EDID_PAGES	DIV_ROUND_UP(XENDISPL_EDID_MAX_SIZE, PAGE_SIZE)

static struct xen_drm_ring *xen_drm_cmd_main_ring(struct xen_drm *xdrm)
{
	return &xdrm->pipes[0].ring;
}

static void xen_drm_cmd_buf_release(void *ctx)
{
	xen_drm_buf_put(ctx);
}

/**
 * xen_drm_cmd_dbuf_create - DBUF_CREATE: make the backend know a buffer
 * @buf: granted; kept until the answer, however late it comes
 *
 * Context: process, waits.
 * Return: 0, or -errno of xen_drm_ring_call().
 */
int xen_drm_cmd_dbuf_create(struct xen_drm_buf *buf)
{
	struct xendispl_req req = { .operation = XENDISPL_OP_DBUF_CREATE };

	req.op.dbuf_create.dbuf_cookie = buf->cookie;
	req.op.dbuf_create.width = buf->width;
	req.op.dbuf_create.height = buf->height;
	req.op.dbuf_create.bpp = buf->bpp;
	req.op.dbuf_create.buffer_sz = buf->size;
	req.op.dbuf_create.gref_directory = xen_drm_grants_dir(&buf->grants);
	if (buf->mem.kind == XEN_DRM_MEM_BACKEND)
		req.op.dbuf_create.flags = XENDISPL_DBUF_FLG_REQ_ALLOC;

	kref_get(&buf->ref);
	return xen_drm_ring_call(xen_drm_cmd_main_ring(buf->xdrm), &req, NULL,
				 xen_drm_cmd_buf_release, buf);
}

static void xen_drm_cmd_destroy_release(void *ctx)
{
	struct xen_drm_buf *buf = ctx;

	atomic_dec(&buf->xdrm->destroys);
	wake_up_all(&buf->xdrm->bufs_wait);
	xen_drm_buf_put(buf);
}

/**
 * xen_drm_cmd_dbuf_destroy - DBUF_DESTROY, without waiting for the answer
 * @buf: kept until the answer
 *
 * Context: process.
 * Return: 0, or -errno of xen_drm_ring_submit().
 */
int xen_drm_cmd_dbuf_destroy(struct xen_drm_buf *buf)
{
	struct xendispl_req req = { .operation = XENDISPL_OP_DBUF_DESTROY };
	struct xen_drm_call call = {
		.release = xen_drm_cmd_destroy_release,
		.ctx = buf,
	};
	int ret;

	req.op.dbuf_destroy.dbuf_cookie = buf->cookie;
	kref_get(&buf->ref);
	atomic_inc(&buf->xdrm->destroys);
	ret = xen_drm_ring_submit(xen_drm_cmd_main_ring(buf->xdrm), &req,
				  &call);
	if (ret)
		xen_drm_cmd_destroy_release(buf);
	return ret;
}

/**
 * xen_drm_cmd_fb_attach - FB_ATTACH: make the backend know a framebuffer
 * @fb: the framebuffer; what the wire can carry was checked before
 * @dbuf_cookie: its buffer
 * @cookie: what it is to be called
 * @width: of it, or of the part that is meant, pixels
 * @height: lines
 *
 * Context: process, waits.
 * Return: 0, or -errno of xen_drm_ring_call().
 */
int xen_drm_cmd_fb_attach(struct xen_drm_fb *fb, u64 dbuf_cookie, u64 cookie,
			  u32 width, u32 height)
{
	struct xendispl_req req = { .operation = XENDISPL_OP_FB_ATTACH };
	struct xen_drm *xdrm = to_xen_drm(fb->base.dev);

	req.op.fb_attach.dbuf_cookie = dbuf_cookie;
	req.op.fb_attach.fb_cookie = cookie;
	req.op.fb_attach.width = width;
	req.op.fb_attach.height = height;
	req.op.fb_attach.pixel_format = fb->base.format->format;
	if (xen_drm_has(xdrm, XEN_DRM_FEAT_STRIDE)) {
		struct xen_drm_fb_attach_stride *ext = (void *)&req.op;

		ext->stride = fb->base.pitches[0];
		ext->offset = fb->base.offsets[0];
	}
	return xen_drm_ring_call(xen_drm_cmd_main_ring(xdrm), &req, NULL, NULL,
				 NULL);
}

/**
 * xen_drm_cmd_fb_detach - FB_DETACH, without waiting for the answer
 * @xdrm: the device
 * @fb_cookie: the framebuffer
 *
 * Context: process.
 * Return: 0, or -errno of xen_drm_ring_submit().
 */
int xen_drm_cmd_fb_detach(struct xen_drm *xdrm, u64 fb_cookie)
{
	struct xendispl_req req = { .operation = XENDISPL_OP_FB_DETACH };
	struct xen_drm_call call = {};

	req.op.fb_detach.fb_cookie = fb_cookie;
	return xen_drm_ring_submit(xen_drm_cmd_main_ring(xdrm), &req, &call);
}

/**
 * xen_drm_cmd_set_config - SET_CONFIG, without waiting for the answer
 * @pipe: the connector
 * @fb_cookie: what to show
 * @width: pixels
 * @height: lines
 * @bpp: bits per pixel
 * @call: told of the answer
 *
 * Context: process.
 * Return: 0, or -errno of xen_drm_ring_submit().
 */
int xen_drm_cmd_set_config(struct xen_drm_pipe *pipe, u64 fb_cookie, u32 width,
			   u32 height, u32 bpp, const struct xen_drm_call *call)
{
	struct xendispl_req req = { .operation = XENDISPL_OP_SET_CONFIG };

	req.op.set_config.fb_cookie = fb_cookie;
	req.op.set_config.width = width;
	req.op.set_config.height = height;
	req.op.set_config.bpp = bpp;
	return xen_drm_ring_submit(&pipe->ring, &req, call);
}

/* Who has waited for one connector in vain need not wait for fifteen more. */
static bool xen_drm_cmd_is_silent(const struct xen_drm *xdrm)
{
	unsigned int i;

	for (i = 0; i < xdrm->num_pipes; i++)
		if (xen_drm_ring_is_silent(&xdrm->pipes[i].ring))
			return true;
	return false;
}

/**
 * xen_drm_cmd_switch_off - SET_CONFIG of zeros: the connector shows nothing
 * @pipe: the connector
 *
 * Framebuffer and buffer may go then, which is said over connector 0's ring. The
 * protocol orders requests of one ring only: other connectors' answers are waited
 * for, unless the backend does not answer any more.
 *
 * Context: process, waits.
 */
void xen_drm_cmd_switch_off(struct xen_drm_pipe *pipe)
{
	struct xendispl_req req = { .operation = XENDISPL_OP_SET_CONFIG };
	struct xen_drm_call nobody = {};

	if (pipe->index && !xen_drm_cmd_is_silent(pipe->xdrm))
		xen_drm_ring_call(&pipe->ring, &req, NULL, NULL, NULL);
	else
		xen_drm_ring_submit(&pipe->ring, &req, &nobody);
}

static void xen_drm_cmd_fill_flip(struct xendispl_req *req,
				  struct xen_drm_pipe *pipe, u64 fb_cookie,
				  const struct xen_drm_damage *damage)
{
	*req = (struct xendispl_req){ .operation = XENDISPL_OP_PG_FLIP };
	req->op.pg_flip.fb_cookie = fb_cookie;
	if (damage && xen_drm_has(pipe->xdrm, XEN_DRM_FEAT_DAMAGE)) {
		struct xen_drm_page_flip_damage *ext = (void *)&req->op;

		/* no more: bytes without a meaning are 0 */
		ext->damage.count = damage->count;
		memcpy(ext->damage.rect, damage->rect,
		       damage->count * sizeof(damage->rect[0]));
	}
}

/**
 * xen_drm_cmd_page_flip - PG_FLIP, without waiting for anything
 * @pipe: the connector
 * @fb_cookie: attached, and the connector configured
 * @damage: what changed; NULL: everything
 * @call: told of the answer; the frame-done event comes apart from it
 *
 * Context: any: the caller may hold the pipe's lock.
 * Return: 0, -EAGAIN when the ring is full, -ENOTCONN, -EIO.
 */
int xen_drm_cmd_page_flip(struct xen_drm_pipe *pipe, u64 fb_cookie,
			  const struct xen_drm_damage *damage,
			  const struct xen_drm_call *call)
{
	struct xendispl_req req;

	xen_drm_cmd_fill_flip(&req, pipe, fb_cookie, damage);
	return xen_drm_ring_try_submit(&pipe->ring, &req, call);
}

/**
 * xen_drm_cmd_panic_flip - PG_FLIP of everything, when nothing else goes on
 * @pipe: the connector
 * @fb_cookie: on screen
 *
 * Context: any, even that of a panic.
 */
void xen_drm_cmd_panic_flip(struct xen_drm_pipe *pipe, u64 fb_cookie)
{
	struct xendispl_req req;

	xen_drm_cmd_fill_flip(&req, pipe, fb_cookie, NULL);
	xen_drm_ring_panic(&pipe->ring, &req);
}

/**
 * xen_drm_cmd_cursor_set - CURSOR_SET ("cursor"): show an image as the cursor
 * @pipe: the connector
 * @fb_cookie: attached, ARGB8888; 0 hides the cursor
 *
 * Context: process, waits.
 * Return: 0, or -errno of xen_drm_ring_call().
 */
int xen_drm_cmd_cursor_set(struct xen_drm_pipe *pipe, u64 fb_cookie)
{
	struct xendispl_req req = { .operation = XEN_DRM_OP_CURSOR_SET };
	struct xen_drm_cursor_set *set = (void *)&req.op;

	/* the hot spot is (0,0): DRM tells where the image is */
	set->fb_cookie = fb_cookie;
	return xen_drm_ring_call(&pipe->ring, &req, NULL, NULL, NULL);
}

/**
 * xen_drm_cmd_cursor_move - CURSOR_MOVE ("cursor"), without waiting
 * @pipe: the connector
 * @x: where the hot spot is, pixels, -8192 to 8192
 * @y: likewise
 * @call: told of the answer
 *
 * Context: any: the caller may hold the pipe's lock.
 * Return: 0, -EAGAIN when the ring is full, -ENOTCONN, -EIO.
 */
int xen_drm_cmd_cursor_move(struct xen_drm_pipe *pipe, int x, int y,
			    const struct xen_drm_call *call)
{
	struct xendispl_req req = { .operation = XEN_DRM_OP_CURSOR_MOVE };
	struct xen_drm_cursor_move *move = (void *)&req.op;

	move->x = x;
	move->y = y;
	return xen_drm_ring_try_submit(&pipe->ring, &req, call);
}

/* Memory for an EDID while the backend may write to it. */
struct xen_drm_edid_buf {
	struct xen_drm *xdrm;
	struct kref ref;
	struct work_struct free_work;
	struct xen_drm_grants grants;
	struct page *pages[XEN_DRM_EDID_PAGES];
};

static void xen_drm_edid_buf_free(struct work_struct *work)
{
	struct xen_drm_edid_buf *edid =
		container_of(work, struct xen_drm_edid_buf, free_work);
	unsigned int i;

	xen_drm_grants_end(&edid->grants, &edid->xdrm->acct, edid->pages);
	for (i = 0; i < XEN_DRM_EDID_PAGES; i++)
		if (edid->pages[i])
			__free_page(edid->pages[i]);
	kfree(edid);
}

static void xen_drm_edid_buf_last_put(struct kref *ref)
{
	struct xen_drm_edid_buf *edid =
		container_of(ref, struct xen_drm_edid_buf, ref);

	queue_work(edid->xdrm->wq, &edid->free_work);
}

static void xen_drm_edid_buf_put(void *ctx)
{
	struct xen_drm_edid_buf *edid = ctx;

	kref_put(&edid->ref, xen_drm_edid_buf_last_put);
}

static struct xen_drm_edid_buf *xen_drm_edid_buf_new(struct xen_drm *xdrm)
{
	struct xen_drm_edid_buf *edid = kzalloc(sizeof(*edid), GFP_KERNEL);
	unsigned int i;

	if (!edid)
		return NULL;
	edid->xdrm = xdrm;
	kref_init(&edid->ref);
	INIT_WORK(&edid->free_work, xen_drm_edid_buf_free);
	for (i = 0; i < XEN_DRM_EDID_PAGES; i++) {
		edid->pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!edid->pages[i])
			goto err;
	}
	if (xen_drm_grants_take(&edid->grants, &xdrm->acct, xdrm->backend_id,
				edid->pages, XENDISPL_EDID_MAX_SIZE, false))
		goto err;
	return edid;

err:
	xen_drm_edid_buf_put(edid);
	return NULL;
}

/* One copy out of shared memory; the EDID is checked on the copy. */
static u8 *xen_drm_edid_copy(const struct xen_drm_edid_buf *edid, size_t size)
{
	u8 *copy = kmalloc(size, GFP_KERNEL);
	size_t done;

	if (!copy)
		return NULL;
	for (done = 0; done < size; done += PAGE_SIZE)
		memcpy(copy + done,
		       page_address(edid->pages[done >> PAGE_SHIFT]),
		       min_t(size_t, size - done, PAGE_SIZE));
	return copy;
}

/**
 * xen_drm_cmd_get_edid - GET_EDID: ask what monitor is there
 * @pipe: the connector
 * @ret_edid: whole blocks, as the backend wrote them, unchecked; the caller's to
 *	kfree()
 * @ret_size: bytes, a multiple of XENDISPL_EDID_BLOCK_SIZE, not 0
 *
 * Context: process, waits.
 * Return: 0, -ENOMEM, -EIO for a size that cannot be, or -errno of
 * xen_drm_ring_call().
 */
int xen_drm_cmd_get_edid(struct xen_drm_pipe *pipe, u8 **ret_edid,
			 size_t *ret_size)
{
	struct xendispl_req req = { .operation = XENDISPL_OP_GET_EDID };
	struct xen_drm_edid_buf *edid = xen_drm_edid_buf_new(pipe->xdrm);
	struct xendispl_resp resp;
	size_t size;
	int ret;

	if (!edid)
		return -ENOMEM;
	req.op.get_edid.buffer_sz = XENDISPL_EDID_MAX_SIZE;
	req.op.get_edid.gref_directory = xen_drm_grants_dir(&edid->grants);

	kref_get(&edid->ref);
	ret = xen_drm_ring_call(&pipe->ring, &req, &resp, xen_drm_edid_buf_put,
				edid);
	if (ret)
		goto out;
	size = resp.op.get_edid.edid_sz;
	if (!size || size > XENDISPL_EDID_MAX_SIZE ||
	    size % XENDISPL_EDID_BLOCK_SIZE) {
		ret = -EIO;
		goto out;
	}
	*ret_edid = xen_drm_edid_copy(edid, size);
	*ret_size = size;
	if (!*ret_edid)
		ret = -ENOMEM;
out:
	xen_drm_edid_buf_put(edid);
	return ret;
}
