// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * To see inside: debugfs files xen/state, xen/buffers and xen/stats of the DRM
 * device. In a directory of their own: the core has a file "state" already.
 */

#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_file.h>

#include "xen_drm.h"

#ifdef CONFIG_DEBUG_FS

static struct xen_drm *xen_drm_debugfs_device(struct seq_file *m)
{
	struct drm_info_node *node = m->private;

	return to_xen_drm(node->minor->dev);
}

static int xen_drm_debugfs_state(struct seq_file *m, void *data)
{
	struct xen_drm *xdrm = xen_drm_debugfs_device(m);
	unsigned int i;

	seq_printf(m, "connection %u version %u features %#lx backend %u\n",
		   READ_ONCE(xdrm->link), xdrm->version, xdrm->features,
		   xdrm->backend_id);
	for (i = 0; i < xdrm->num_pipes; i++) {
		struct xen_drm_pipe *pipe = &xdrm->pipes[i];

		spin_lock_irq(&pipe->lock);
		seq_printf(m,
			   "connector %u: %ux%u configured-on %u flips-in-flight %u waiting %d bad %d broken %d edid %zu\n",
			   i, pipe->width, pipe->height, pipe->config_link,
			   pipe->flip.num_wire, !!pipe->flip.event, pipe->bad,
			   pipe->ring.broken, pipe->edid ? pipe->edid_size : 0);
		spin_unlock_irq(&pipe->lock);
	}
	return 0;
}

static void xen_drm_debugfs_list(struct seq_file *m, const char *what,
				 struct list_head *list)
{
	struct xen_drm_buf *buf;

	list_for_each_entry(buf, list, node)
		seq_printf(m, "%s cookie %llu %ux%u bpp %u bytes %zu connection %u grants %u\n",
			   what, buf->cookie, buf->width, buf->height,
			   buf->bpp, buf->size, buf->link,
			   buf->grants.num + buf->grants.num_dir);
}

static int xen_drm_debugfs_buffers(struct seq_file *m, void *data)
{
	struct xen_drm *xdrm = xen_drm_debugfs_device(m);

	mutex_lock(&xdrm->bufs_lock);
	xen_drm_debugfs_list(m, "used", &xdrm->bufs);
	xen_drm_debugfs_list(m, "pool", &xdrm->pool);
	mutex_unlock(&xdrm->bufs_lock);
	return 0;
}

/* Bytes of all buffers, those kept for reuse among them. */
static u64 xen_drm_debugfs_bytes(struct xen_drm *xdrm)
{
	struct xen_drm_buf *buf;
	u64 bytes = 0;

	mutex_lock(&xdrm->bufs_lock);
	list_for_each_entry(buf, &xdrm->bufs, node)
		bytes += buf->size;
	list_for_each_entry(buf, &xdrm->pool, node)
		bytes += buf->size;
	mutex_unlock(&xdrm->bufs_lock);
	return bytes;
}

static int xen_drm_debugfs_stats(struct seq_file *m, void *data)
{
	struct xen_drm *xdrm = xen_drm_debugfs_device(m);
	struct xen_drm_stats *stats = &xdrm->stats;

	seq_printf(m, "requests %lld\n", atomic64_read(&stats->requests));
	seq_printf(m, "timeouts %lld\n", atomic64_read(&stats->timeouts));
	seq_printf(m, "errors %lld\n", atomic64_read(&stats->errors));
	seq_printf(m, "events %lld\n", atomic64_read(&stats->events));
	seq_printf(m, "event-gaps %lld\n", atomic64_read(&stats->event_gaps));
	seq_printf(m, "flips %lld\n", atomic64_read(&stats->flips));
	seq_printf(m, "flip-timeouts %lld\n",
		   atomic64_read(&stats->flip_timeouts));
	seq_printf(m, "violations %lld\n", atomic64_read(&stats->violations));
	seq_printf(m, "reconnects %lld\n", atomic64_read(&stats->reconnects));
	seq_printf(m, "copied %lld\n", atomic64_read(&stats->copied));
	seq_printf(m, "bytes %llu\n", xen_drm_debugfs_bytes(xdrm));
	seq_printf(m, "grants %d\n", atomic_read(&xdrm->acct.used));
	seq_printf(m, "dying-buffers %d\n", atomic_read(&xdrm->bufs_dying));
	return 0;
}

static const struct drm_info_list xen_drm_debugfs_files[] = {
	{ "state", xen_drm_debugfs_state },
	{ "buffers", xen_drm_debugfs_buffers },
	{ "stats", xen_drm_debugfs_stats },
};

/**
 * xen_drm_debugfs_init - &drm_driver.debugfs_init
 * @minor: where
 */
void xen_drm_debugfs_init(struct drm_minor *minor)
{
	struct dentry *dir = debugfs_create_dir("xen", minor->debugfs_root);

	drm_debugfs_create_files(xen_drm_debugfs_files,
				 ARRAY_SIZE(xen_drm_debugfs_files), dir,
				 minor);
}

#endif
