// SPDX-License-Identifier: GPL-2.0 OR MIT
/**
 * DOC: Xen para-virtual display frontend
 *
 * Gives a Xen guest monitors that a backend in another domain shows. Speaks
 * displif to the backend and is an ordinary atomic KMS driver to the guest.
 *
 * The DRM device outlives its backend: when that goes, clients see a pause; when
 * the next one connects, buffers, framebuffers and modes are made known to it
 * and the last frame is on its screen, without any client's doing.
 */

#include <linux/module.h>
#include <linux/slab.h>

#include <drm/drm_atomic_helper.h>
#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_managed.h>
#include <drm/drm_module.h>
#include <drm/drm_vblank.h>

#include <xen/platform_pci.h>
#include <xen/xen.h>

#include "compat/compat_fbdev.h"
#include "xen_drm.h"

bool xen_drm_contiguous;
module_param_named(contiguous, xen_drm_contiguous, bool, 0444);
MODULE_PARM_DESC(contiguous,
		 "Allocate buffers physically contiguous, for importers that need it (default: no)");

unsigned int xen_drm_grace_s = 30;
module_param_named(grace, xen_drm_grace_s, uint, 0644);
MODULE_PARM_DESC(grace,
		 "Seconds without a backend until link-status turns Bad (default: 30)");

unsigned int xen_drm_grant_reserve = 1024;
module_param_named(grant_reserve, xen_drm_grant_reserve, uint, 0444);
MODULE_PARM_DESC(grant_reserve,
		 "Grants to leave for other drivers, at most an eighth of all (default: 1024)");

unsigned int xen_drm_pool_mib = 64;
module_param_named(pool, xen_drm_pool_mib, uint, 0644);
MODULE_PARM_DESC(pool,
		 "MiB of destroyed buffers to keep for reuse, 0 for none (default: 64)");

DEFINE_DRM_GEM_FOPS(xen_drm_fops);

static const struct drm_driver xen_drm_driver = {
	.driver_features = DRIVER_GEM | DRIVER_MODESET | DRIVER_ATOMIC,
	.fops = &xen_drm_fops,
	.name = "xendrm-du",
	.desc = "Xen para-virtual display",
	.date = "20261122",
	.major = 2,
	.minor = 0,
	.dumb_create = xen_drm_gem_dumb_create,
	.gem_prime_import_sg_table = xen_drm_gem_prime_import_sg,
	COMPAT_DRM_PRIME_OPS
	COMPAT_DRM_FBDEV_OPS
#ifdef CONFIG_DEBUG_FS
	.debugfs_init = xen_drm_debugfs_init,
#endif
};

/* Devices that were not released yet: their release is our code. */
static atomic_t xen_drm_devices;
static DECLARE_WAIT_QUEUE_HEAD(xen_drm_no_devices);

static void xen_drm_release_count(struct drm_device *drm, void *ctx)
{
	if (atomic_dec_and_test(&xen_drm_devices))
		wake_up_all(&xen_drm_no_devices);
}

static void xen_drm_release_wq(struct drm_device *drm, void *ctx)
{
	destroy_workqueue(ctx);
}

static void xen_drm_free_pipes(struct drm_device *drm, void *ctx)
{
	kvfree(ctx);
}

static int xen_drm_alloc_pipes(struct xen_drm *xdrm, unsigned int num)
{
	xdrm->pipes = kvcalloc(num, sizeof(*xdrm->pipes), GFP_KERNEL);
	if (!xdrm->pipes)
		return -ENOMEM;
	xdrm->num_pipes = num;
	return drmm_add_action_or_reset(&xdrm->drm, xen_drm_free_pipes,
					xdrm->pipes);
}

static bool xen_drm_pipe_event(void *ctx, const struct xendispl_evt *evt)
{
	const struct xen_drm_connector_event *conn = (const void *)&evt->op;
	struct xen_drm_pipe *pipe = ctx;

	if (evt->type == XENDISPL_EVT_PG_FLIP)
		return xen_drm_flip_event(pipe, evt->op.pg_flip.fb_cookie);
	if (evt->type == XEN_DRM_EVT_CONNECTOR &&
	    xen_drm_has(pipe->xdrm, XEN_DRM_FEAT_CONNECTOR_EVENT))
		return xen_drm_conn_event(pipe, conn->connected);
	return false;
}

static void xen_drm_pipe_prepare(struct xen_drm *xdrm, unsigned int index)
{
	struct xen_drm_pipe *pipe = &xdrm->pipes[index];

	pipe->xdrm = xdrm;
	pipe->index = index;
	xen_drm_ring_init(&pipe->ring, index, &xdrm->stats);
	pipe->ring.on_lost = xen_drm_bus_lost;
	xen_drm_events_init(&pipe->events, index, &xdrm->stats,
			    xen_drm_pipe_event, pipe);
	xen_drm_flip_init(pipe);
	xen_drm_vblank_init(pipe);
	xen_drm_crc_init(pipe);
	xen_drm_conn_prepare(pipe);
}

/* Timers and works of a pipe, after its last commit. */
static void xen_drm_pipe_stop(struct xen_drm_pipe *pipe)
{
	xen_drm_flip_fini(pipe);
	xen_drm_vblank_fini(pipe);
	xen_drm_crc_fini(pipe);
	xen_drm_conn_finish(pipe);
}

/* A commit that was late for the unplugging may have started them again. */
static void xen_drm_release_pipes(struct drm_device *drm, void *ctx)
{
	struct xen_drm *xdrm = ctx;
	unsigned int i;

	for (i = 0; i < xdrm->num_pipes; i++)
		xen_drm_pipe_stop(&xdrm->pipes[i]);
}

/**
 * xen_drm_create - make a DRM device, not yet registered
 * @xb: the bus device
 * @cfg: connectors, limits
 *
 * Context: state machine, in a devres group that holds the reference.
 * Return: the device or an ERR_PTR.
 */
struct xen_drm *xen_drm_create(struct xenbus_device *xb,
			       const struct xen_drm_cfg *cfg)
{
	struct xen_drm *xdrm;
	unsigned int i;
	int ret;

	xdrm = devm_drm_dev_alloc(&xb->dev, &xen_drm_driver, struct xen_drm,
				  drm);
	if (IS_ERR(xdrm))
		return xdrm;
	atomic_inc(&xen_drm_devices);
	/* the first action: it runs last */
	ret = drmm_add_action_or_reset(&xdrm->drm, xen_drm_release_count, NULL);
	if (ret)
		return ERR_PTR(ret);
	xdrm->cfg = *cfg;
	ret = xen_drm_alloc_pipes(xdrm, cfg->num_conn);
	if (ret)
		return ERR_PTR(ret);
	xdrm->backend_id = xb->otherend_id;
	ret = drmm_mutex_init(&xdrm->drm, &xdrm->bufs_lock);
	if (ret)
		return ERR_PTR(ret);
	xdrm->wq = alloc_workqueue("xen-drm", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!xdrm->wq)
		return ERR_PTR(-ENOMEM);
	ret = drmm_add_action_or_reset(&xdrm->drm, xen_drm_release_wq,
				       xdrm->wq);
	if (ret)
		return ERR_PTR(ret);
	for (i = 0; i < xdrm->num_pipes; i++)
		xen_drm_pipe_prepare(xdrm, i);
	ret = drmm_add_action_or_reset(&xdrm->drm, xen_drm_release_pipes,
				       xdrm);
	if (!ret)
		ret = xen_drm_kms_init(xdrm);
	if (!ret)
		ret = xen_drm_bufs_init(xdrm);
	return ret ? ERR_PTR(ret) : xdrm;
}

/**
 * xen_drm_register - show the device to clients
 * @xdrm: the device, connected
 *
 * Context: state machine.
 * Return: 0 or -errno.
 */
int xen_drm_register(struct xen_drm *xdrm)
{
	int ret = drm_dev_register(&xdrm->drm, 0);
	unsigned int i;

	if (ret)
		return ret;
	xdrm->registered = true;
	for (i = 0; i < xdrm->num_pipes; i++)
		schedule_work(&xdrm->pipes[i].status_work);
	compat_fbdev_setup(&xdrm->drm);
	return 0;
}

/**
 * xen_drm_unplug - take the device away from clients and from the backend
 * @xdrm: the device; only clients use it after this
 *
 * A backend that is still there is asked to let go of everything first.
 *
 * Context: state machine, waits for the backend.
 */
void xen_drm_unplug(struct xen_drm *xdrm)
{
	unsigned int i;

	if (xdrm->registered)
		drm_dev_unplug(&xdrm->drm);
	drm_atomic_helper_shutdown(&xdrm->drm);
	xen_drm_fbs_withdraw(xdrm);
	xen_drm_bufs_withdraw(xdrm);
	xen_drm_link_stop(xdrm);
	for (i = 0; i < xdrm->num_pipes; i++)
		xen_drm_pipe_stop(&xdrm->pipes[i]);
	xen_drm_commit_flush(xdrm);
	xen_drm_bufs_fini(xdrm);
}

static int __init xen_drm_module_init(void)
{
	int ret;

	if (!xen_domain() || !xen_has_pv_devices() ||
	    drm_firmware_drivers_only())
		return -ENODEV;
	ret = xen_drm_commit_module_init();
	if (ret)
		return ret;
	/*
	 * Without an owner: the bus would hold a reference on the module for
	 * each bound device, and rmmod could never take the devices away. Open
	 * DRM files hold the module, and unregistering waits for the rest.
	 */
	ret = __xenbus_register_frontend(&xen_drm_xenbus_driver, NULL,
					 KBUILD_MODNAME);
	if (ret)
		xen_drm_commit_module_fini();
	return ret;
}

static void __exit xen_drm_module_exit(void)
{
	xenbus_unregister_driver(&xen_drm_xenbus_driver);
	/* no file is open: only a work can still have one */
	wait_event(xen_drm_no_devices, !atomic_read(&xen_drm_devices));
	xen_drm_commit_module_fini();
	xen_drm_blocks_fini();
}

module_init(xen_drm_module_init);
module_exit(xen_drm_module_exit);

MODULE_DESCRIPTION("Xen para-virtual display frontend");
MODULE_AUTHOR("The xen-display authors");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_VERSION("0.1.0");
