// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Buffers as the backend knows them: memory, its grants, and a dbuf.
 *
 * A buffer is made complete, memory, grants, dbuf, before anybody can name it.
 * It is referenced by its owner (a GEM object, or the pool) and by every request
 * that names it, so neither memory nor grants go while the backend may use them.
 *
 * Buffers survive connections. Each connection has a number; a buffer knows the
 * one it was created on, and is created again on the next.
 *
 * The pool keeps a few buffers of clients that are gone: still granted, still
 * known to the backend, and cleared when handed out again. It is emptied when
 * memory or grants are short, when the connection goes, and a while after its
 * last use.
 */

#include <linux/dma-buf.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "xen_drm.h"

#define XEN_DRM_POOL_MAX	4
#define XEN_DRM_POOL_TRIM_MS	5000

static void xen_drm_buf_free(struct work_struct *work)
{
	struct xen_drm_buf *buf =
		container_of(work, struct xen_drm_buf, free_work);
	struct xen_drm *xdrm = buf->xdrm;

	xen_drm_grants_end(&buf->grants, &xdrm->acct, buf->mem.pages);
	xen_drm_mem_free(&buf->mem);
	if (buf->on_free)
		buf->on_free(buf->on_free_ctx);
	kfree(buf);
	atomic_dec(&xdrm->bufs_dying);
	wake_up_all(&xdrm->bufs_wait);
}

static void xen_drm_buf_last_put(struct kref *ref)
{
	struct xen_drm_buf *buf = container_of(ref, struct xen_drm_buf, ref);

	/* we may be in an interrupt */
	queue_work(buf->xdrm->wq, &buf->free_work);
}

/**
 * xen_drm_buf_put - drop a reference
 * @buf: the buffer
 *
 * Context: any.
 */
void xen_drm_buf_put(struct xen_drm_buf *buf)
{
	kref_put(&buf->ref, xen_drm_buf_last_put);
}

/* The buffer leaves its list: from now on only requests keep it. */
static void xen_drm_buf_kill(struct xen_drm_buf *buf)
{
	struct xen_drm *xdrm = buf->xdrm;
	bool known;

	mutex_lock(&xdrm->bufs_lock);
	list_del_init(&buf->node);
	known = buf->link && buf->link == xdrm->link;
	buf->link = 0;
	mutex_unlock(&xdrm->bufs_lock);

	atomic_inc(&xdrm->bufs_dying);
	/* the backend cannot free what we still map */
	if (known && buf->mem.kind == XEN_DRM_MEM_BACKEND)
		xen_drm_map_end(&buf->mem);
	if (known)
		xen_drm_cmd_dbuf_destroy(buf);
	xen_drm_buf_put(buf);
}

/* Takes the oldest of the pool, or NULL. */
static struct xen_drm_buf *xen_drm_pool_take_oldest(struct xen_drm *xdrm,
						    unsigned long min_age)
{
	struct xen_drm_buf *buf = NULL;

	mutex_lock(&xdrm->bufs_lock);
	if (!list_empty(&xdrm->pool))
		buf = list_last_entry(&xdrm->pool, struct xen_drm_buf, node);
	if (buf && time_before(jiffies, buf->pooled + min_age))
		buf = NULL;
	if (buf) {
		list_del_init(&buf->node);
		xdrm->pool_bytes -= buf->size;
		xdrm->pool_count--;
	}
	mutex_unlock(&xdrm->bufs_lock);
	return buf;
}

/**
 * xen_drm_pool_drain - empty the pool
 * @xdrm: the device
 *
 * Context: process.
 */
void xen_drm_pool_drain(struct xen_drm *xdrm)
{
	struct xen_drm_buf *buf;

	while ((buf = xen_drm_pool_take_oldest(xdrm, 0)))
		xen_drm_buf_kill(buf);
}

static void xen_drm_pool_trim(struct work_struct *work)
{
	struct xen_drm *xdrm = container_of(to_delayed_work(work),
					    struct xen_drm, pool_trim);
	unsigned long age = msecs_to_jiffies(XEN_DRM_POOL_TRIM_MS);
	bool shrink = xchg(&xdrm->pool_shrink, false);
	struct xen_drm_buf *buf;

	while ((buf = xen_drm_pool_take_oldest(xdrm, shrink ? 0 : age)))
		xen_drm_buf_kill(buf);
	if (READ_ONCE(xdrm->pool_count))
		queue_delayed_work(xdrm->wq, &xdrm->pool_trim, age);
}

static bool xen_drm_pool_put(struct xen_drm_buf *buf)
{
	struct xen_drm *xdrm = buf->xdrm;
	size_t limit = (size_t)xen_drm_pool_mib << 20;
	bool kept;

	mutex_lock(&xdrm->bufs_lock);
	kept = !xdrm->gone && buf->mem.kind == XEN_DRM_MEM_SCATTERED &&
		buf->link && buf->link == xdrm->link &&
		xdrm->pool_count < XEN_DRM_POOL_MAX &&
		xdrm->pool_bytes + buf->size <= limit;
	if (kept) {
		list_move(&buf->node, &xdrm->pool);
		buf->pooled = jiffies;
		xdrm->pool_bytes += buf->size;
		xdrm->pool_count++;
		queue_delayed_work(xdrm->wq, &xdrm->pool_trim,
				   msecs_to_jiffies(XEN_DRM_POOL_TRIM_MS));
	}
	mutex_unlock(&xdrm->bufs_lock);
	return kept;
}

static struct xen_drm_buf *xen_drm_pool_get(struct xen_drm *xdrm, u32 width,
					    u32 height, u32 bpp, size_t size)
{
	struct xen_drm_buf *buf, *found = NULL;

	mutex_lock(&xdrm->bufs_lock);
	list_for_each_entry(buf, &xdrm->pool, node) {
		if (buf->width != width || buf->height != height ||
		    buf->bpp != bpp || buf->size != size ||
		    buf->link != xdrm->link)
			continue;
		found = buf;
		list_move(&buf->node, &xdrm->bufs);
		xdrm->pool_bytes -= buf->size;
		xdrm->pool_count--;
		break;
	}
	mutex_unlock(&xdrm->bufs_lock);
	if (found)
		xen_drm_mem_zero(&found->mem);
	return found;
}

/**
 * xen_drm_buf_retire - the owner is done with a buffer
 * @buf: the owner's reference, consumed
 *
 * Context: process.
 */
void xen_drm_buf_retire(struct xen_drm_buf *buf)
{
	if (!xen_drm_pool_put(buf))
		xen_drm_buf_kill(buf);
}

/* Gives back what can be given back; returns after that has happened. */
static void xen_drm_bufs_reclaim(struct xen_drm *xdrm)
{
	xen_drm_pool_drain(xdrm);
	wait_event_timeout(xdrm->bufs_wait, !atomic_read(&xdrm->bufs_dying),
			   msecs_to_jiffies(XEN_DRM_REQUEST_MS));
}

static void xen_drm_bufs_complain(struct xen_drm *xdrm, unsigned int needed)
{
	if (xdrm->short_of_grants)
		return;
	xdrm->short_of_grants = true;
	drm_err_ratelimited(&xdrm->drm,
			    "short of grants: %d used here, %u needed, %u kept for other drivers, the guest's limit is %u: raise max_grant_frames in its configuration or gnttab_max_frames of Xen\n",
			    atomic_read(&xdrm->acct.used), needed,
			    xdrm->acct.reserve, xen_drm_grants_limit());
}

static int xen_drm_buf_lend(struct xen_drm_buf *buf, domid_t domid)
{
	struct xen_drm *xdrm = buf->xdrm;

	buf->grants.block = buf->mem.block;
	if (buf->mem.kind == XEN_DRM_MEM_BACKEND)
		return xen_drm_grants_take_dir(&buf->grants, &xdrm->acct,
					       domid, buf->mem.num_pages);
	return xen_drm_grants_take(&buf->grants, &xdrm->acct, domid,
				   buf->mem.pages, buf->size,
				   xen_drm_has(xdrm, XEN_DRM_FEAT_RO_GRANTS));
}

/* Grants of this life, to this backend; those of another are ended. */
static int xen_drm_buf_grant(struct xen_drm_buf *buf)
{
	struct xen_drm *xdrm = buf->xdrm;

	lockdep_assert_held(&xdrm->bufs_lock);

	if (buf->grants.refs && buf->epoch == xdrm->epoch)
		return 0;
	xen_drm_grants_end(&buf->grants, &xdrm->acct, buf->mem.pages);
	buf->epoch = xdrm->epoch;
	return xen_drm_buf_lend(buf, xdrm->backend_id);
}

/*
 * Decides, under the lock, on which connection the buffer is to be created now;
 * 0 for none. Grants are taken in any case: the client shall hear of a shortage.
 */
static int xen_drm_buf_claim(struct xen_drm_buf *buf, unsigned int *ret_link)
{
	struct xen_drm *xdrm = buf->xdrm;
	int ret = 0;

	*ret_link = 0;
	mutex_lock(&xdrm->bufs_lock);
	if (xdrm->gone)
		ret = -ENODEV;
	else
		ret = xen_drm_buf_grant(buf);
	if (!ret) {
		xdrm->short_of_grants = false;
		if (xdrm->link && buf->link != xdrm->link)
			*ret_link = buf->link = xdrm->link;
	}
	mutex_unlock(&xdrm->bufs_lock);
	return ret;
}

/* The backend does not have it; @failed says that asking again is useless. */
static void xen_drm_buf_unclaim(struct xen_drm_buf *buf, unsigned int link,
				bool failed)
{
	mutex_lock(&buf->xdrm->bufs_lock);
	if (buf->link == link)
		buf->link = 0;
	if (failed)
		buf->failed = link;
	mutex_unlock(&buf->xdrm->bufs_lock);
}

/* DBUF_CREATE, undone if it timed out: the backend may still obey it. */
static int xen_drm_buf_announce(struct xen_drm_buf *buf, unsigned int link)
{
	int ret = xen_drm_cmd_dbuf_create(buf);

	if (ret == -ETIMEDOUT)
		xen_drm_cmd_dbuf_destroy(buf);
	if (!ret && buf->mem.kind == XEN_DRM_MEM_BACKEND) {
		ret = xen_drm_map(&buf->mem, buf->grants.domid, &buf->grants,
				  buf->xdrm->drm.anon_inode->i_mapping);
		if (ret)
			xen_drm_cmd_dbuf_destroy(buf);
	}
	if (ret)
		xen_drm_buf_unclaim(buf, link, ret != -ENOTCONN);
	return ret;
}

static int xen_drm_buf_publish_locked(struct xen_drm_buf *buf)
{
	struct xen_drm *xdrm = buf->xdrm;
	unsigned int link;
	int ret;

	ret = xen_drm_buf_claim(buf, &link);
	if (ret == -ENOSPC) {
		xen_drm_bufs_reclaim(xdrm);
		ret = xen_drm_buf_claim(buf, &link);
	}
	if (ret == -ENOSPC) {
		xen_drm_bufs_complain(xdrm,
				      xen_drm_grants_needed(buf->mem.num_pages));
		ret = -ENOMEM;
	}
	if (ret || !link)
		return ret;

	ret = xen_drm_buf_announce(buf, link);
	return ret == -ENOTCONN ? 0 : ret;
}

/**
 * xen_drm_buf_publish - make the backend know a buffer
 * @buf: the buffer, referenced by the caller
 *
 * Context: process, waits for the backend.
 * Return: 0 also without a connection: the next one will have the buffer.
 * -ENOMEM when grants are short, -ENODEV once the device is gone, or the
 * backend's error.
 */
int xen_drm_buf_publish(struct xen_drm_buf *buf)
{
	int ret;

	/* who finds the buffer claimed must not overtake its DBUF_CREATE */
	mutex_lock(&buf->publish_lock);
	ret = xen_drm_buf_publish_locked(buf);
	mutex_unlock(&buf->publish_lock);
	return ret;
}

static struct xen_drm_buf *xen_drm_buf_new(struct xen_drm *xdrm, size_t size)
{
	struct xen_drm_buf *buf = kzalloc(sizeof(*buf), GFP_KERNEL);

	if (!buf)
		return NULL;
	kref_init(&buf->ref);
	buf->xdrm = xdrm;
	buf->size = size;
	buf->cookie = atomic64_inc_return(&xdrm->next_cookie);
	INIT_LIST_HEAD(&buf->node);
	mutex_init(&buf->publish_lock);
	INIT_WORK(&buf->free_work, xen_drm_buf_free);
	return buf;
}

/* Complete, then visible to a reconnect, then known to the backend. */
static struct xen_drm_buf *xen_drm_buf_finish(struct xen_drm_buf *buf, int ret)
{
	struct xen_drm *xdrm = buf->xdrm;

	if (!ret) {
		mutex_lock(&xdrm->bufs_lock);
		list_add(&buf->node, &xdrm->bufs);
		mutex_unlock(&xdrm->bufs_lock);
		ret = xen_drm_buf_publish(buf);
	}
	if (ret) {
		xen_drm_buf_kill(buf);
		return ERR_PTR(ret);
	}
	return buf;
}

static enum xen_drm_mem_kind xen_drm_buf_kind(const struct xen_drm *xdrm)
{
	if (xdrm->cfg.be_alloc)
		return XEN_DRM_MEM_BACKEND;
	return xen_drm_contiguous ? XEN_DRM_MEM_CONTIG : XEN_DRM_MEM_SCATTERED;
}

/**
 * xen_drm_buf_create - a buffer of our own, cleared
 * @xdrm: the device
 * @width: pixels
 * @height: lines
 * @bpp: bits per pixel
 * @size: bytes, fits u32
 *
 * Context: process, waits for the backend.
 * Return: the buffer, the caller's until xen_drm_buf_retire(), or an ERR_PTR.
 */
struct xen_drm_buf *xen_drm_buf_create(struct xen_drm *xdrm, u32 width,
				       u32 height, u32 bpp, size_t size)
{
	struct xen_drm_buf *buf;
	int ret;

	buf = xen_drm_pool_get(xdrm, width, height, bpp, size);
	if (buf)
		return buf;
	buf = xen_drm_buf_new(xdrm, size);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	if (width <= XEN_DRM_MAX_SIZE && height <= XEN_DRM_MAX_SIZE) {
		buf->width = width;
		buf->height = height;
		buf->bpp = bpp;
	}	/* else no picture: the wire's "size unknown" */
	ret = xen_drm_mem_alloc(&buf->mem, xdrm->drm.dev,
				xen_drm_buf_kind(xdrm), size);
	return xen_drm_buf_finish(buf, ret);
}

static void xen_drm_buf_put_dmabuf(void *ctx)
{
	dma_buf_put(ctx);
}

/**
 * xen_drm_buf_import - another driver's memory as a buffer
 * @xdrm: the device
 * @sgt: its pages; must stay until the buffer is freed, see @on_free
 * @dmabuf: its owner; a reference is held until the buffer is freed, or passes
 *	to @on_free if that is replaced
 *
 * Width, height and depth are not known, and 0 on the wire.
 *
 * Context: process, waits for the backend.
 * Return: as xen_drm_buf_create().
 */
struct xen_drm_buf *xen_drm_buf_import(struct xen_drm *xdrm,
				       struct sg_table *sgt,
				       struct dma_buf *dmabuf)
{
	struct xen_drm_buf *buf;

	if (dmabuf->size > U32_MAX)
		return ERR_PTR(-E2BIG);
	buf = xen_drm_buf_new(xdrm, dmabuf->size);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	/* a refused buffer is freed later than the import fails */
	get_dma_buf(dmabuf);
	buf->on_free = xen_drm_buf_put_dmabuf;
	buf->on_free_ctx = dmabuf;
	return xen_drm_buf_finish(buf, xen_drm_mem_import(&buf->mem,
							  xdrm->drm.dev, sgt,
							  dmabuf->size));
}

/* A buffer that the connection lacks, referenced, or NULL. */
static struct xen_drm_buf *xen_drm_bufs_next_missing(struct xen_drm *xdrm)
{
	struct xen_drm_buf *buf;

	mutex_lock(&xdrm->bufs_lock);
	list_for_each_entry(buf, &xdrm->bufs, node)
		if (buf->link != xdrm->link && buf->failed != xdrm->link &&
		    kref_get_unless_zero(&buf->ref)) {
			mutex_unlock(&xdrm->bufs_lock);
			return buf;
		}
	mutex_unlock(&xdrm->bufs_lock);
	return NULL;
}

/**
 * xen_drm_bufs_republish - make a new connection know all buffers
 * @xdrm: the device
 *
 * Context: state machine, waits for the backend.
 */
void xen_drm_bufs_republish(struct xen_drm *xdrm)
{
	struct xen_drm_buf *buf;
	unsigned int refused = 0;
	int error = 0;

	while (READ_ONCE(xdrm->link) &&
	       (buf = xen_drm_bufs_next_missing(xdrm))) {
		int ret = xen_drm_buf_publish(buf);

		if (ret && ret != -ETIMEDOUT) {
			refused++;
			error = ret;
			xen_drm_buf_unclaim(buf, xdrm->link, true);
		}
		xen_drm_buf_put(buf);
		if (ret == -ETIMEDOUT)
			break;	/* silent: what is shown asks for itself */
	}
	if (refused && !xen_drm_ring_is_broken(&xdrm->pipes[0].ring))
		drm_err_ratelimited(&xdrm->drm,
				    "the new backend refused %u buffers: error %d\n",
				    refused, error);
}

/* One buffer the backend still has, referenced, or NULL. */
static struct xen_drm_buf *xen_drm_bufs_next_known(struct xen_drm *xdrm)
{
	struct xen_drm_buf *buf;

	mutex_lock(&xdrm->bufs_lock);
	list_for_each_entry(buf, &xdrm->bufs, node)
		if (buf->link && kref_get_unless_zero(&buf->ref)) {
			buf->link = 0;
			mutex_unlock(&xdrm->bufs_lock);
			return buf;
		}
	mutex_unlock(&xdrm->bufs_lock);
	return NULL;
}

/**
 * xen_drm_bufs_save - nothing of the backend's memory stays mapped
 * @xdrm: the device
 * @now: even if the guest is too short of memory to keep what buffers hold
 *
 * Buffers in memory of ours are left alone.
 *
 * Context: state machine, or the domain is about to be saved.
 */
void xen_drm_bufs_save(struct xen_drm *xdrm, bool now)
{
	struct xen_drm_buf *buf;

	mutex_lock(&xdrm->bufs_lock);
	list_for_each_entry(buf, &xdrm->bufs, node)
		if (buf->mem.kind == XEN_DRM_MEM_BACKEND)
			xen_drm_map_save(&buf->mem,
					 xdrm->drm.anon_inode->i_mapping, now);
	mutex_unlock(&xdrm->bufs_lock);
}

/**
 * xen_drm_bufs_withdraw - the device goes: the backend shall let go of buffers
 * @xdrm: the device; nothing is published from here on
 *
 * Context: state machine, waits for the backend.
 */
void xen_drm_bufs_withdraw(struct xen_drm *xdrm)
{
	struct xen_drm_buf *buf;
	int ret = 0;

	mutex_lock(&xdrm->bufs_lock);
	xdrm->gone = true;
	mutex_unlock(&xdrm->bufs_lock);

	/* the backend cannot free what we still map */
	xen_drm_bufs_save(xdrm, false);
	xen_drm_pool_drain(xdrm);
	while ((buf = xen_drm_bufs_next_known(xdrm))) {
		if (!ret)	/* else nobody listens */
			ret = xen_drm_cmd_dbuf_destroy(buf);
		xen_drm_buf_put(buf);
	}
	wait_event_timeout(xdrm->bufs_wait, !atomic_read(&xdrm->destroys),
			   msecs_to_jiffies(XEN_DRM_REQUEST_MS));
}

/**
 * xen_drm_bufs_fini - the connection is gone for good: end all grants
 * @xdrm: the device; its channels are closed
 *
 * The memory stays with its users.
 *
 * Context: state machine.
 */
void xen_drm_bufs_fini(struct xen_drm *xdrm)
{
	struct xen_drm_buf *buf;

	compat_shrinker_unregister(xdrm->shrinker);
	xdrm->shrinker = NULL;
	cancel_delayed_work_sync(&xdrm->pool_trim);
	xen_drm_pool_drain(xdrm);

	mutex_lock(&xdrm->bufs_lock);
	list_for_each_entry(buf, &xdrm->bufs, node)
		xen_drm_grants_end(&buf->grants, &xdrm->acct, buf->mem.pages);
	mutex_unlock(&xdrm->bufs_lock);
	flush_workqueue(xdrm->wq);
}

static unsigned long xen_drm_pool_count(struct shrinker *shrinker,
					struct shrink_control *sc)
{
	struct xen_drm *xdrm = compat_shrinker_data(shrinker);

	return (READ_ONCE(xdrm->pool_bytes) >> PAGE_SHIFT) ?: SHRINK_EMPTY;
}

static unsigned long xen_drm_pool_scan(struct shrinker *shrinker,
				       struct shrink_control *sc)
{
	struct xen_drm *xdrm = compat_shrinker_data(shrinker);

	/* We may be called under our own lock: the work is not. */
	if (!READ_ONCE(xdrm->pool_count))
		return SHRINK_STOP;
	WRITE_ONCE(xdrm->pool_shrink, true);
	mod_delayed_work(xdrm->wq, &xdrm->pool_trim, 0);
	return min(READ_ONCE(xdrm->pool_bytes) >> PAGE_SHIFT, sc->nr_to_scan);
}

/**
 * xen_drm_bufs_init - prepare a device for buffers
 * @xdrm: the device
 *
 * Return: 0 or -ENOMEM.
 */
int xen_drm_bufs_init(struct xen_drm *xdrm)
{
	INIT_LIST_HEAD(&xdrm->bufs);
	INIT_LIST_HEAD(&xdrm->pool);
	init_waitqueue_head(&xdrm->bufs_wait);
	INIT_DELAYED_WORK(&xdrm->pool_trim, xen_drm_pool_trim);
	xdrm->acct.reserve = min3(xen_drm_grant_reserve,
				  xen_drm_grants_limit() / 8,
				  XEN_DRM_GRANT_RESERVE_MAX);
	xdrm->shrinker = compat_shrinker_register(xen_drm_pool_count,
						  xen_drm_pool_scan,
						  "drm-xen", xdrm);
	return xdrm->shrinker ? 0 : -ENOMEM;
}
