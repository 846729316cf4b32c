// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The bus side: probe to remove, and the state machine of displif.h.
 *
 * A watch only notes the backend's state and queues work: what follows may wait
 * for the backend, which the thread of all XenStore watches must not. The work
 * looks up (backend's state, ours) in one table.
 */

#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <drm/drm_probe_helper.h>

#include "xen_drm.h"

#define XEN_DRM_RETRY_MAX_S	32U	/* between two attempts to connect */

/* Our side of the connection. */
enum xen_drm_bus_state {
	XEN_DRM_WAITING,	/* Initialising: for a backend to appear */
	XEN_DRM_OFFERED,	/* Initialised: channels are published */
	XEN_DRM_CONNECTED,	/* Connected */
	XEN_DRM_GONE,		/* Closed: taken away by the toolstack */
	XEN_DRM_FAILED,		/* Closing, Closed: wrong nodes, or short of something */
	XEN_DRM_NUM_STATES
};

enum xen_drm_bus_action {
	XEN_DRM_DO_NOTHING,
	XEN_DRM_DO_OFFER,	/* publish channels */
	XEN_DRM_DO_CONNECT,	/* start them */
	XEN_DRM_DO_LOSE,	/* stop them, wait for the next backend */
	XEN_DRM_DO_REOFFER,	/* both: the backend starts over */
	XEN_DRM_DO_CHECK,	/* is the device still wanted? */
	XEN_DRM_DO_CLOSE,	/* answer a closing backend with Closed */
};

/**
 * struct xen_drm_bus - one per bus device
 * @xb: the bus device
 * @lock: serialises the state machine with removal
 * @wq: runs @work; frozen while the domain is saved
 * @work: the state machine
 * @grace: the backend stays away for too long
 * @retry: tries again what failed for want of something
 * @retry_s: how long the latest failure is waited for, seconds
 * @backend: its state as the last watch told
 * @cut: its state ended the connection, whatever it is by now
 * @saved: the domain was to be saved; buffers of the backend's are not mapped
 * @resumed: the domain was restored; ports and grants are void
 * @state: ours
 * @cfg: the backend's latest offer
 * @xdrm: the DRM device, NULL before the first backend and after removal
 * @xdrm_lock: keeps @xdrm for the watch; changes of it hold @lock, too
 */
struct xen_drm_bus {
	struct xenbus_device *xb;
	struct mutex lock;		/* see above */
	struct workqueue_struct *wq;
	struct work_struct work;
	struct delayed_work grace;
	struct delayed_work retry;
	unsigned int retry_s;
	enum xenbus_state backend;
	bool cut;
	bool saved;
	bool resumed;
	enum xen_drm_bus_state state;
	struct xen_drm_cfg cfg;
	struct xen_drm *xdrm;
	struct mutex xdrm_lock;		/* see above */
};

#define ROW(waiting, offered, connected, gone, failed) {	\
	[XEN_DRM_WAITING] = XEN_DRM_DO_##waiting,		\
	[XEN_DRM_OFFERED] = XEN_DRM_DO_##offered,		\
	[XEN_DRM_CONNECTED] = XEN_DRM_DO_##connected,		\
	[XEN_DRM_GONE] = XEN_DRM_DO_##gone,			\
	[XEN_DRM_FAILED] = XEN_DRM_DO_##failed,			\
}

/* docs/lifecycle.md, "The frontend's table": (backend's state, ours) to what we do. */
static const enum xen_drm_bus_action
xen_drm_bus_actions[][XEN_DRM_NUM_STATES] = {
	/*		 our state:  WAITING, OFFERED, CONNECTED, GONE, FAILED */
	[XenbusStateUnknown]	   = ROW(CHECK, LOSE, LOSE, NOTHING, CLOSE),
	[XenbusStateInitialising]  = ROW(NOTHING, LOSE, LOSE, NOTHING, LOSE),
	[XenbusStateInitWait]	   = ROW(OFFER, NOTHING, REOFFER, OFFER, OFFER),
	[XenbusStateInitialised]   = ROW(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING),
	[XenbusStateConnected]	   = ROW(NOTHING, CONNECT, NOTHING, NOTHING, NOTHING),
	[XenbusStateClosing]	   = ROW(CHECK, LOSE, LOSE, NOTHING, CLOSE),
	[XenbusStateClosed]	   = ROW(CHECK, LOSE, LOSE, NOTHING, CLOSE),
	[XenbusStateReconfiguring] = ROW(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING),
	[XenbusStateReconfigured]  = ROW(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING),
};

#undef ROW

static enum xen_drm_bus_action
xen_drm_bus_action(enum xenbus_state backend, enum xen_drm_bus_state state)
{
	if (backend < 0 || backend >= ARRAY_SIZE(xen_drm_bus_actions))
		return XEN_DRM_DO_NOTHING;
	return xen_drm_bus_actions[backend][state];
}

/* The DRM device goes; what belongs to it on the bus was stopped. */
static void xen_drm_bus_drop(struct xen_drm_bus *bus)
{
	struct xen_drm *xdrm = bus->xdrm;

	if (!xdrm)
		return;
	mutex_lock(&bus->xdrm_lock);
	bus->xdrm = NULL;
	mutex_unlock(&bus->xdrm_lock);
	xen_drm_unplug(xdrm);
	devres_release_group(&bus->xb->dev, bus);
}

static int xen_drm_bus_make(struct xen_drm_bus *bus)
{
	struct xen_drm *xdrm;

	if (bus->xdrm)
		return 0;
	if (!devres_open_group(&bus->xb->dev, bus, GFP_KERNEL))
		return -ENOMEM;
	xdrm = xen_drm_create(bus->xb, &bus->cfg);
	if (IS_ERR(xdrm)) {
		devres_release_group(&bus->xb->dev, bus);
		xenbus_dev_fatal(bus->xb, PTR_ERR(xdrm),
				 "creating the DRM device");
		return PTR_ERR(xdrm);
	}
	devres_close_group(&bus->xb->dev, bus);
	mutex_lock(&bus->xdrm_lock);
	bus->xdrm = xdrm;
	mutex_unlock(&bus->xdrm_lock);
	return 0;
}

/*
 * The reason is in the log, and our state in XenStore is Closing. A wrong node
 * stays wrong until the backend starts over; memory or grants may be there soon.
 */
static void xen_drm_bus_fail(struct xen_drm_bus *bus, int ret)
{
	bus->state = XEN_DRM_FAILED;
	switch (ret) {
	case -EINVAL:
	case -ERANGE:
	case -ENOENT:
	case -EOPNOTSUPP:
	case -EPROTONOSUPPORT:
		return;
	default:
		break;
	}
	bus->retry_s = clamp(2 * bus->retry_s, 1U, XEN_DRM_RETRY_MAX_S);
	queue_delayed_work(bus->wq, &bus->retry,
			   msecs_to_jiffies(bus->retry_s * 1000));
}

/*
 * xenbus_switch_state() takes some failures for success, and never writes that
 * state again: look what is there.
 */
static int xen_drm_bus_switch(struct xen_drm_bus *bus, enum xenbus_state state)
{
	struct xenbus_device *xb = bus->xb;

	xenbus_switch_state(xb, state);
	if (xenbus_read_driver_state(xb->nodename) == state)
		return 0;
	dev_warn_ratelimited(&xb->dev, "XenStore did not take our state %s\n",
			     xenbus_strstate(state));
	xb->state = XenbusStateUnknown;
	return -EIO;
}

static void xen_drm_bus_offer(struct xen_drm_bus *bus)
{
	int ret;

	if (bus->state == XEN_DRM_GONE && !xen_drm_cfg_online(bus->xb))
		return;
	ret = xen_drm_cfg_read(bus->xb, &bus->cfg);
	if (!ret)
		ret = xen_drm_bus_make(bus);
	if (!ret)
		ret = xen_drm_link_open(bus->xdrm, bus->xb, &bus->cfg);
	if (ret) {
		xen_drm_bus_fail(bus, ret);
		return;
	}
	bus->state = XEN_DRM_OFFERED;
	ret = xen_drm_bus_switch(bus, XenbusStateInitialised);
	if (ret) {
		xen_drm_link_stop(bus->xdrm);
		xen_drm_bus_fail(bus, ret);
	}
}

/* The toolstack took the device away: clients lose theirs. */
static void xen_drm_bus_check(struct xen_drm_bus *bus)
{
	if (xen_drm_cfg_online(bus->xb))
		return;
	cancel_delayed_work_sync(&bus->grace);
	xen_drm_bus_drop(bus);
	bus->state = XEN_DRM_GONE;
	xenbus_frontend_closed(bus->xb);
}

/* For a backend that begins anew. */
static void xen_drm_bus_wait(struct xen_drm_bus *bus)
{
	int ret;

	bus->state = XEN_DRM_WAITING;
	ret = xen_drm_bus_switch(bus, XenbusStateInitialising);
	if (ret)
		xen_drm_bus_fail(bus, ret);
}

/*
 * The machine goes down: the bus has set our state, and waits. What becomes of the
 * backend it does not tell us any more.
 */
static bool xen_drm_bus_goes_down(const struct xen_drm_bus *bus)
{
	return bus->state == XEN_DRM_CONNECTED &&
		bus->xb->state == XenbusStateClosing;
}

static void xen_drm_bus_shut_down(struct xen_drm_bus *bus)
{
	xen_drm_link_stop(bus->xdrm);
	bus->state = XEN_DRM_GONE;
	xenbus_frontend_closed(bus->xb);
}

/* The device stays: clients see a pause at the most. */
static void xen_drm_bus_lose(struct xen_drm_bus *bus)
{
	if (xen_drm_bus_goes_down(bus)) {
		xen_drm_bus_shut_down(bus);
		return;
	}
	if (bus->state == XEN_DRM_CONNECTED) {
		dev_info_ratelimited(&bus->xb->dev,
				     "backend lost, waiting for it\n");
		queue_delayed_work(bus->wq, &bus->grace,
				   msecs_to_jiffies(xen_drm_grace_s * 1000));
	}
	if (bus->xdrm)
		xen_drm_link_stop(bus->xdrm);
	bus->state = XEN_DRM_WAITING;
	xen_drm_bus_check(bus);
	if (bus->state == XEN_DRM_WAITING)
		xen_drm_bus_wait(bus);
}

/* Everything the new backend has to know, and what clients may notice. */
static void xen_drm_bus_restore(struct xen_drm *xdrm)
{
	unsigned int i;

	atomic64_inc(&xdrm->stats.reconnects);
	xen_drm_bufs_republish(xdrm);
	for (i = 0; i < xdrm->num_pipes; i++)
		xen_drm_conn_set_bad(&xdrm->pipes[i], false);
	xen_drm_kms_restore(xdrm);
	drm_kms_helper_hotplug_event(&xdrm->drm);
}

static void xen_drm_bus_connect(struct xen_drm_bus *bus)
{
	struct xen_drm *xdrm = bus->xdrm;
	bool answers = true;
	unsigned int i;
	int ret;

	cancel_delayed_work_sync(&bus->grace);
	for (i = 0; i < xdrm->num_pipes; i++)
		xen_drm_conn_new_backend(&xdrm->pipes[i]);
	xen_drm_link_start(xdrm, bus->xb, &bus->cfg);
	bus->state = XEN_DRM_CONNECTED;
	if (xen_drm_bus_switch(bus, XenbusStateConnected)) {
		xen_drm_bus_lose(bus);
		return;
	}

	for (i = 0; i < xdrm->num_pipes; i++)
		answers = xen_drm_conn_fetch_edid(&xdrm->pipes[i], answers);
	if (xdrm->registered) {
		xen_drm_bus_restore(xdrm);
	} else {
		ret = xen_drm_register(xdrm);
		if (ret) {
			xen_drm_bus_drop(bus);
			xenbus_dev_fatal(bus->xb, ret,
					 "registering the DRM device");
			xen_drm_bus_fail(bus, ret);
			return;
		}
	}
	bus->retry_s = 0;
}

static void xen_drm_bus_act(struct xen_drm_bus *bus,
			    enum xen_drm_bus_action action)
{
	switch (action) {
	case XEN_DRM_DO_NOTHING:
		break;
	case XEN_DRM_DO_OFFER:
		xen_drm_bus_offer(bus);
		break;
	case XEN_DRM_DO_CONNECT:
		xen_drm_bus_connect(bus);
		break;
	case XEN_DRM_DO_LOSE:
		xen_drm_bus_lose(bus);
		break;
	case XEN_DRM_DO_REOFFER:
		xen_drm_bus_lose(bus);
		if (bus->state == XEN_DRM_WAITING)
			xen_drm_bus_offer(bus);
		break;
	case XEN_DRM_DO_CHECK:
		xen_drm_bus_check(bus);
		break;
	case XEN_DRM_DO_CLOSE:
		xenbus_frontend_closed(bus->xb);
		break;
	}
}

/* Ports and grants of the old life are void: end them as they are. */
static void xen_drm_bus_resume(struct xen_drm_bus *bus)
{
	if (bus->xdrm) {
		xen_drm_link_stop(bus->xdrm);
		mutex_lock(&bus->xdrm->bufs_lock);
		bus->xdrm->epoch++;
		mutex_unlock(&bus->xdrm->bufs_lock);
		queue_delayed_work(bus->wq, &bus->grace,
				   msecs_to_jiffies(xen_drm_grace_s * 1000));
	}
	xen_drm_bus_wait(bus);
}

static void xen_drm_bus_work(struct work_struct *work)
{
	struct xen_drm_bus *bus = container_of(work, struct xen_drm_bus, work);
	/* saved, and this runs: that was called off */
	bool over = xchg(&bus->saved, false);

	if (xchg(&bus->cut, false))
		over = true;

	mutex_lock(&bus->lock);
	if (xchg(&bus->resumed, false))
		xen_drm_bus_resume(bus);
	else if (over && bus->state == XEN_DRM_CONNECTED)
		xen_drm_bus_lose(bus);
	xen_drm_bus_act(bus, xen_drm_bus_action(READ_ONCE(bus->backend),
						bus->state));
	mutex_unlock(&bus->lock);
}

static void xen_drm_bus_grace(struct work_struct *work)
{
	struct xen_drm_bus *bus = container_of(to_delayed_work(work),
					       struct xen_drm_bus, grace);
	struct xen_drm *xdrm = READ_ONCE(bus->xdrm);
	unsigned int i;

	/* same ordered queue as the state machine: @xdrm stays */
	if (!xdrm)
		return;
	for (i = 0; i < xdrm->num_pipes; i++)
		xen_drm_conn_set_bad(&xdrm->pipes[i], true);
}

/*
 * A backend that goes will not answer: what waits for it, the state machine
 * perhaps, need not wait for the timeouts.
 */
static void xen_drm_bus_cut(struct xen_drm_bus *bus)
{
	mutex_lock(&bus->xdrm_lock);
	if (bus->xdrm && xen_drm_link_cut(bus->xdrm))
		WRITE_ONCE(bus->cut, true);
	mutex_unlock(&bus->xdrm_lock);
}

/**
 * xen_drm_bus_lost - the backend was killed: its state does not say so
 * @dev: the bus device
 *
 * Context: process; a work that the end of a connection waits for.
 */
void xen_drm_bus_lost(struct device *dev)
{
	struct xen_drm_bus *bus = dev_get_drvdata(dev);

	xen_drm_bus_cut(bus);
	queue_work(bus->wq, &bus->work);
}

/*
 * A backend that saw us Closed may wait for Initialising before it offers
 * anything again.
 */
static void xen_drm_bus_retry(struct work_struct *work)
{
	struct xen_drm_bus *bus = container_of(to_delayed_work(work),
					       struct xen_drm_bus, retry);

	mutex_lock(&bus->lock);
	if (bus->state == XEN_DRM_FAILED)
		xen_drm_bus_act(bus, READ_ONCE(bus->backend) ==
				     XenbusStateInitWait ?
				XEN_DRM_DO_OFFER : XEN_DRM_DO_LOSE);
	mutex_unlock(&bus->lock);
}

static void xen_drm_xenbus_changed(struct xenbus_device *xb,
				   enum xenbus_state backend)
{
	struct xen_drm_bus *bus = dev_get_drvdata(&xb->dev);

	WRITE_ONCE(bus->backend, backend);
	if (xen_drm_bus_action(backend, XEN_DRM_CONNECTED) !=
	    XEN_DRM_DO_NOTHING)
		xen_drm_bus_cut(bus);
	queue_work(bus->wq, &bus->work);
}

/* Everything is frozen, our work too. */
static int xen_drm_xenbus_suspend(struct xenbus_device *xb)
{
	struct xen_drm_bus *bus = dev_get_drvdata(&xb->dev);

	if (!bus->xdrm || !bus->xdrm->cfg.be_alloc)
		return 0;
	xen_drm_bufs_save(bus->xdrm, true);
	WRITE_ONCE(bus->saved, true);
	queue_work(bus->wq, &bus->work);
	return 0;
}

static int xen_drm_xenbus_resume(struct xenbus_device *xb)
{
	struct xen_drm_bus *bus = dev_get_drvdata(&xb->dev);

	/* the watch on the new backend comes after us */
	WRITE_ONCE(bus->backend, XenbusStateInitialising);
	WRITE_ONCE(bus->resumed, true);
	queue_work(bus->wq, &bus->work);
	return 0;
}

static int xen_drm_xenbus_probe(struct xenbus_device *xb,
				const struct xenbus_device_id *id)
{
	struct xen_drm_bus *bus;
	int ret;

	/* Importers and exporters map through us; all memory is in reach. */
	ret = dma_coerce_mask_and_coherent(&xb->dev, DMA_BIT_MASK(64));
	if (ret) {
		xenbus_dev_fatal(xb, ret, "setting a 64-bit DMA mask");
		return ret;
	}
	bus = kzalloc(sizeof(*bus), GFP_KERNEL);
	if (!bus)
		return -ENOMEM;
	bus->wq = alloc_ordered_workqueue("xen-drm-bus", WQ_FREEZABLE);
	if (!bus->wq) {
		kfree(bus);
		return -ENOMEM;
	}
	bus->xb = xb;
	mutex_init(&bus->lock);
	mutex_init(&bus->xdrm_lock);
	INIT_WORK(&bus->work, xen_drm_bus_work);
	INIT_DELAYED_WORK(&bus->grace, xen_drm_bus_grace);
	INIT_DELAYED_WORK(&bus->retry, xen_drm_bus_retry);
	dev_set_drvdata(&xb->dev, bus);
	xen_drm_bus_wait(bus);
	return 0;
}

static void xen_drm_xenbus_remove(struct xenbus_device *xb)
{
	struct xen_drm_bus *bus = dev_get_drvdata(&xb->dev);

	/* the watch is gone: nothing queues any more */
	cancel_work_sync(&bus->work);
	cancel_delayed_work_sync(&bus->grace);
	cancel_delayed_work_sync(&bus->retry);
	mutex_lock(&bus->lock);
	xen_drm_bus_drop(bus);
	/* what its channels queued on their way does nothing any more */
	bus->state = XEN_DRM_GONE;
	WRITE_ONCE(bus->backend, XenbusStateClosed);
	mutex_unlock(&bus->lock);
	/* a channel that was lost meanwhile may have begun to wait for a backend */
	cancel_work_sync(&bus->work);
	cancel_delayed_work_sync(&bus->grace);
	cancel_delayed_work_sync(&bus->retry);
	destroy_workqueue(bus->wq);
	dev_set_drvdata(&xb->dev, NULL);
	mutex_destroy(&bus->xdrm_lock);
	mutex_destroy(&bus->lock);
	kfree(bus);
}

static const struct xenbus_device_id xen_drm_xenbus_ids[] = {
	{ XENDISPL_DRIVER_NAME },
	{ "" }
};
MODULE_ALIAS("xen:" XENDISPL_DRIVER_NAME);

struct xenbus_driver xen_drm_xenbus_driver = {
	.ids = xen_drm_xenbus_ids,
	.not_essential = true,
	.probe = xen_drm_xenbus_probe,
	.remove = xen_drm_xenbus_remove,
	.suspend = xen_drm_xenbus_suspend,
	.resume = xen_drm_xenbus_resume,
	.otherend_changed = xen_drm_xenbus_changed,
};
