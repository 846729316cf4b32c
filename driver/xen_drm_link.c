// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A connection: the channels of all connectors, published, up, and down.
 *
 * Each connection has a number that never comes again. Whatever was made known
 * to a backend carries the number of its connection, and is made known again
 * when the numbers differ.
 */

#include <drm/drm_vblank.h>

#include "xen_drm.h"

static const struct {
	const char *node;
	unsigned int bit;
} xen_drm_link_requests[] = {
	{ "request-damage", XEN_DRM_FEAT_DAMAGE },
	{ "request-stride", XEN_DRM_FEAT_STRIDE },
	{ "request-connector-event", XEN_DRM_FEAT_CONNECTOR_EVENT },
	{ "request-ro-grants", XEN_DRM_FEAT_RO_GRANTS },
	{ "request-cursor", XEN_DRM_FEAT_CURSOR },
	{ "request-formats", XEN_DRM_FEAT_FORMATS },
};

/* Features of this driver: what is offered beyond stays off. */
static unsigned long xen_drm_link_features(const struct xen_drm_cfg *cfg)
{
	unsigned long features = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(xen_drm_link_requests); i++)
		features |= xen_drm_link_requests[i].bit;
	return features & cfg->features;
}

static int xen_drm_link_publish_channel(struct xenbus_transaction xbt,
					struct xenbus_device *xb,
					unsigned int index,
					const char *ref_node,
					const char *port_node,
					const struct xen_drm_channel *ch)
{
	char path[128];
	int ret;

	snprintf(path, sizeof(path), "%s/%u", xb->nodename, index);
	ret = xenbus_printf(xbt, path, ref_node, "%u", ch->gref);
	if (ret)
		return ret;
	return xenbus_printf(xbt, path, port_node, "%u", ch->port);
}

static int xen_drm_link_publish_pipe(struct xenbus_transaction xbt,
				     struct xenbus_device *xb,
				     const struct xen_drm_pipe *pipe)
{
	int ret;

	ret = xen_drm_link_publish_channel(xbt, xb, pipe->index,
					   XENDISPL_FIELD_REQ_RING_REF,
					   XENDISPL_FIELD_REQ_CHANNEL,
					   &pipe->ring.ch);
	if (ret)
		return ret;
	return xen_drm_link_publish_channel(xbt, xb, pipe->index,
					    XENDISPL_FIELD_EVT_RING_REF,
					    XENDISPL_FIELD_EVT_CHANNEL,
					    &pipe->events.ch);
}

static int xen_drm_link_publish_features(struct xenbus_transaction xbt,
					 struct xenbus_device *xb,
					 unsigned long features)
{
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(xen_drm_link_requests); i++) {
		const char *node = xen_drm_link_requests[i].node;
		bool on = features & xen_drm_link_requests[i].bit;

		/* a node of an earlier connection must not stay */
		if (!on && !xenbus_exists(xbt, xb->nodename, node))
			continue;
		ret = xenbus_printf(xbt, xb->nodename, node, "%d", on);
		if (ret)
			return ret;
	}
	return 0;
}

static int xen_drm_link_publish_all(struct xenbus_transaction xbt,
				    struct xen_drm *xdrm,
				    struct xenbus_device *xb,
				    const struct xen_drm_cfg *cfg)
{
	unsigned int i;
	int ret;

	for (i = 0; i < xdrm->num_pipes; i++) {
		ret = xen_drm_link_publish_pipe(xbt, xb, &xdrm->pipes[i]);
		if (ret)
			return ret;
	}
	ret = xen_drm_link_publish_features(xbt, xb,
					    xen_drm_link_features(cfg));
	if (ret)
		return ret;
	return xenbus_printf(xbt, xb->nodename, XENDISPL_FIELD_FE_VERSION,
			     "%u", cfg->version);
}

/* One transaction: the backend sees all of it or nothing. */
static int xen_drm_link_publish(struct xen_drm *xdrm, struct xenbus_device *xb,
				const struct xen_drm_cfg *cfg)
{
	struct xenbus_transaction xbt;
	int ret;

	do {
		ret = xenbus_transaction_start(&xbt);
		if (ret)
			break;
		ret = xen_drm_link_publish_all(xbt, xdrm, xb, cfg);
		if (ret) {
			xenbus_transaction_end(xbt, 1);
			break;
		}
		ret = xenbus_transaction_end(xbt, 0);
	} while (ret == -EAGAIN);
	if (ret)
		xenbus_dev_fatal(xb, ret, "publishing the channels in %s",
				 xb->nodename);
	return ret;
}

static void xen_drm_link_close(struct xen_drm *xdrm)
{
	unsigned int i;

	for (i = 0; i < xdrm->num_pipes; i++) {
		xen_drm_events_close(&xdrm->pipes[i].events);
		xen_drm_ring_close(&xdrm->pipes[i].ring);
	}
}

/**
 * xen_drm_link_open - make channels for all connectors and publish them
 * @xdrm: the device, without a connection
 * @xb: the bus device
 * @cfg: the backend's offer
 *
 * Context: state machine.
 * Return: 0, or -errno and nothing is left behind.
 */
int xen_drm_link_open(struct xen_drm *xdrm, struct xenbus_device *xb,
		      const struct xen_drm_cfg *cfg)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < xdrm->num_pipes && !ret; i++) {
		ret = xen_drm_ring_open(&xdrm->pipes[i].ring, xb);
		if (!ret)
			ret = xen_drm_events_open(&xdrm->pipes[i].events, xb);
		if (ret)
			xenbus_dev_fatal(xb, ret,
					 "making the channels of connector %u",
					 i);
	}
	if (!ret)
		ret = xen_drm_link_publish(xdrm, xb, cfg);
	if (ret)
		xen_drm_link_close(xdrm);
	return ret;
}

/* A guest that was restored elsewhere may have got monitors of other sizes. */
static void xen_drm_link_take_sizes(struct xen_drm *xdrm,
				    const struct xen_drm_cfg *cfg)
{
	unsigned int i;

	for (i = 0; i < xdrm->num_pipes && i < cfg->num_conn; i++) {
		WRITE_ONCE(xdrm->cfg.conn[i].width, cfg->conn[i].width);
		WRITE_ONCE(xdrm->cfg.conn[i].height, cfg->conn[i].height);
	}
}

/**
 * xen_drm_link_start - the backend is connected: requests may go
 * @xdrm: the device, its channels open
 * @xb: the bus device
 * @cfg: the offer the channels were published with
 *
 * Context: state machine.
 */
void xen_drm_link_start(struct xen_drm *xdrm, struct xenbus_device *xb,
			const struct xen_drm_cfg *cfg)
{
	unsigned int i;

	mutex_lock(&xdrm->bufs_lock);
	if (xdrm->backend_id != xb->otherend_id ||
	    (xdrm->features ^ xen_drm_link_features(cfg)) &
	    XEN_DRM_FEAT_RO_GRANTS) {
		xdrm->backend_id = xb->otherend_id;
		xdrm->epoch++;
	}
	xdrm->version = cfg->version;
	WRITE_ONCE(xdrm->features, xen_drm_link_features(cfg));
	mutex_unlock(&xdrm->bufs_lock);

	xen_drm_link_take_sizes(xdrm, cfg);
	for (i = 0; i < xdrm->num_pipes; i++) {
		xen_drm_ring_start(&xdrm->pipes[i].ring);
		xen_drm_events_start(&xdrm->pipes[i].events);
	}

	mutex_lock(&xdrm->bufs_lock);
	WRITE_ONCE(xdrm->link, ++xdrm->last_link);
	mutex_unlock(&xdrm->bufs_lock);
}

/**
 * xen_drm_link_cut - the backend goes: nobody needs to wait for it any longer
 * @xdrm: the device
 *
 * xen_drm_link_stop() has to follow.
 *
 * Context: process; does not wait for the backend.
 * Return: whether there was a connection.
 */
bool xen_drm_link_cut(struct xen_drm *xdrm)
{
	unsigned int i;
	bool was_up;

	mutex_lock(&xdrm->bufs_lock);
	was_up = xdrm->link;
	WRITE_ONCE(xdrm->link, 0);
	mutex_unlock(&xdrm->bufs_lock);

	for (i = 0; was_up && i < xdrm->num_pipes; i++)
		xen_drm_ring_stop(&xdrm->pipes[i].ring);
	return was_up;
}

/**
 * xen_drm_link_stop - the connection is over
 * @xdrm: the device; one without a connection is fine
 *
 * Completes what waits: requests with -ENOTCONN, commits with their event.
 *
 * Context: state machine.
 */
void xen_drm_link_stop(struct xen_drm *xdrm)
{
	unsigned int i;

	mutex_lock(&xdrm->bufs_lock);
	WRITE_ONCE(xdrm->link, 0);
	mutex_unlock(&xdrm->bufs_lock);

	xen_drm_link_close(xdrm);
	for (i = 0; i < xdrm->num_pipes; i++)
		xen_drm_flip_abort(&xdrm->pipes[i]);
	xen_drm_bufs_save(xdrm, false);
	xen_drm_pool_drain(xdrm);
}
