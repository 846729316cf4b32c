// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Connectors: modes from the EDID or from XenStore, link-status, hotplug.
 */

#include <linux/slab.h>

#include <drm/drm_atomic_helper.h>
#include <drm/drm_connector.h>
#include <drm/drm_drv.h>
#include <drm/drm_edid.h>
#include <drm/drm_modes.h>
#include <drm/drm_probe_helper.h>

#include "xen_drm.h"

#define XEN_DRM_HOTPLUG_MS	100	/* at most so often we look */
#define XEN_DRM_EDID_TRIES	3	/* of a monitor that changed */
#define XEN_DRM_REFRESH		60	/* Hz, without an EDID */

static enum drm_connector_status
xen_drm_conn_detect(struct drm_connector *connector, bool force)
{
	return READ_ONCE(connector_to_pipe(connector)->connected) ?
		connector_status_connected : connector_status_disconnected;
}

/* A mode of exactly the configured size: CVT would round the width. */
static void xen_drm_conn_add_configured(struct drm_connector *connector,
					unsigned int width,
					unsigned int height)
{
	struct drm_display_mode *mode = drm_mode_create(connector->dev);

	if (!mode)
		return;
	mode->type = DRM_MODE_TYPE_DRIVER | DRM_MODE_TYPE_PREFERRED;
	mode->hdisplay = width;
	mode->hsync_start = width + 48;
	mode->hsync_end = width + 80;
	mode->htotal = width + 160;
	mode->vdisplay = height;
	mode->vsync_start = height + 3;
	mode->vsync_end = height + 8;
	mode->vtotal = height + 31;
	mode->clock = DIV_ROUND_CLOSEST_ULL((u64)mode->htotal * mode->vtotal *
					    XEN_DRM_REFRESH, 1000);
	drm_mode_set_name(mode);
	drm_mode_probed_add(connector, mode);
}

/* The standard modes are there for other refresh rates too. */
static void xen_drm_conn_drop_other_rates(struct drm_connector *connector)
{
	struct drm_display_mode *mode, *next;

	list_for_each_entry_safe(mode, next, &connector->probed_modes, head)
		if (drm_mode_vrefresh(mode) != XEN_DRM_REFRESH ||
		    mode->flags & DRM_MODE_FLAG_INTERLACE) {
			list_del(&mode->head);
			drm_mode_destroy(connector->dev, mode);
		}
}

static int xen_drm_conn_get_modes(struct drm_connector *connector)
{
	struct xen_drm_pipe *pipe = connector_to_pipe(connector);
	struct drm_display_mode *mode;
	int count = 0;

	/* a new blob only for a new EDID: clients compare its id */
	if (pipe->edid_new)
		drm_connector_update_edid_property(connector,
						   (struct edid *)pipe->edid);
	pipe->edid_new = false;
	if (pipe->edid) {
		count = drm_add_edid_modes(connector,
					   (struct edid *)pipe->edid);
		if (count)
			return count;
	}

	drm_add_modes_noedid(connector, pipe->width, pipe->height);
	xen_drm_conn_drop_other_rates(connector);
	xen_drm_conn_add_configured(connector, pipe->width, pipe->height);
	list_for_each_entry(mode, &connector->probed_modes, head)
		count++;
	return count;
}

/**
 * xen_drm_conn_mode_was_offered - may a client set a mode?
 * @pipe: the pipe
 * @mode: any, also one that a client made up
 *
 * A monitor that has become smaller on this connection still takes the modes that
 * it had (docs/protocol-extensions.md, "connector-event").
 *
 * Context: any.
 * Return: whether its active area is within what the backend has offered.
 */
bool xen_drm_conn_mode_was_offered(const struct xen_drm_pipe *pipe,
				   const struct drm_display_mode *mode)
{
	return mode->hdisplay <= READ_ONCE(pipe->max_width) &&
		mode->vdisplay <= READ_ONCE(pipe->max_height);
}

static enum drm_mode_status
xen_drm_conn_mode_valid(struct drm_connector *connector,
			struct drm_display_mode *mode)
{
	const struct xen_drm_pipe *pipe = connector_to_pipe(connector);

	return mode->hdisplay <= pipe->width && mode->vdisplay <= pipe->height ?
		MODE_OK : MODE_PANEL;
}

static const struct drm_connector_helper_funcs xen_drm_conn_helper_funcs = {
	.get_modes = xen_drm_conn_get_modes,
	.mode_valid = xen_drm_conn_mode_valid,
};

static void xen_drm_conn_destroy(struct drm_connector *connector)
{
	struct xen_drm_pipe *pipe = connector_to_pipe(connector);

	kfree(pipe->edid);
	pipe->edid = NULL;
	drm_connector_cleanup(connector);
}

static const struct drm_connector_funcs xen_drm_conn_funcs = {
	.detect = xen_drm_conn_detect,
	.fill_modes = drm_helper_probe_single_connector_modes,
	.destroy = xen_drm_conn_destroy,
	.reset = drm_atomic_helper_connector_reset,
	.atomic_duplicate_state = drm_atomic_helper_connector_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_connector_destroy_state,
};

static void xen_drm_conn_status_work(struct work_struct *work)
{
	struct xen_drm_pipe *pipe = container_of(work, struct xen_drm_pipe,
						 status_work);
	struct drm_connector *connector = &pipe->connector;
	u64 status = READ_ONCE(pipe->bad) ? DRM_MODE_LINK_STATUS_BAD :
					    DRM_MODE_LINK_STATUS_GOOD;
	struct drm_modeset_lock *lock =
		&connector->dev->mode_config.connection_mutex;
	bool differs;
	int idx;

	if (!READ_ONCE(pipe->xdrm->registered) ||
	    !drm_dev_enter(connector->dev, &idx))
		return;
	drm_modeset_lock(lock, NULL);
	differs = connector->state->link_status != status;
	drm_modeset_unlock(lock);
	if (differs) {
		drm_connector_set_link_status_property(connector, status);
		drm_kms_helper_connector_hotplug_event(connector);
	}
	drm_dev_exit(idx);
}

/**
 * xen_drm_conn_set_bad - say in link-status whether frames reach the screen
 * @pipe: the pipe
 * @bad: they do not
 *
 * Context: any.
 */
void xen_drm_conn_set_bad(struct xen_drm_pipe *pipe, bool bad)
{
	/* bad again: a client may have reset the property meanwhile */
	if (!bad && !READ_ONCE(pipe->bad))
		return;
	WRITE_ONCE(pipe->bad, bad);
	schedule_work(&pipe->status_work);
}

/* The largest mode of an EDID bounds what a client may set. */
static void xen_drm_conn_measure(struct xen_drm_pipe *pipe)
{
	struct drm_connector *connector = &pipe->connector;
	struct drm_display_mode *mode, *next;
	unsigned int width = 0, height = 0;

	drm_add_edid_modes(connector, (struct edid *)pipe->edid);
	list_for_each_entry_safe(mode, next, &connector->probed_modes, head) {
		width = max_t(unsigned int, width, mode->hdisplay);
		height = max_t(unsigned int, height, mode->vdisplay);
		list_del(&mode->head);
		drm_mode_destroy(connector->dev, mode);
	}
	if (width && height) {
		pipe->width = min_t(unsigned int, width, XEN_DRM_MAX_SIZE);
		pipe->height = min_t(unsigned int, height, XEN_DRM_MAX_SIZE);
	}
}

/* A GET_EDID, and what is wrong with its answer. *ret_edid is the caller's. */
static int xen_drm_conn_ask_edid(struct xen_drm_pipe *pipe, u8 **ret_edid,
				 size_t *ret_size)
{
	int ret = xen_drm_cmd_get_edid(pipe, ret_edid, ret_size);

	if (!ret && !xen_drm_edid_good(*ret_edid, *ret_size)) {
		if (!pipe->edid_warned)
			dev_warn_ratelimited(pipe->xdrm->drm.dev,
					     "connector %u: the backend's EDID (%zu bytes) is not valid, using the configured size\n",
					     pipe->index, *ret_size);
		pipe->edid_warned = true;
		kfree(*ret_edid);
		return -EINVAL;
	}
	return ret;
}

/*
 * The monitor there is now. @edid: the pipe's from here on; NULL without one.
 * @first: of this connection.
 */
static void xen_drm_conn_set_edid(struct xen_drm_pipe *pipe, u8 *edid,
				  size_t size, bool first)
{
	const struct xen_drm_conn_cfg *cfg = &pipe->xdrm->cfg.conn[pipe->index];
	struct mutex *lock = &pipe->xdrm->drm.mode_config.mutex;

	mutex_lock(lock);
	kfree(pipe->edid);
	pipe->edid = edid;
	pipe->edid_size = size;
	pipe->edid_new = true;
	pipe->width = cfg->width;
	pipe->height = cfg->height;
	if (edid)
		xen_drm_conn_measure(pipe);
	WRITE_ONCE(pipe->max_width, first ? pipe->width :
		   max(pipe->max_width, pipe->width));
	WRITE_ONCE(pipe->max_height, first ? pipe->height :
		   max(pipe->max_height, pipe->height));
	mutex_unlock(lock);
}

/**
 * xen_drm_conn_new_backend - forget what the last backend said of its monitor
 * @pipe: the pipe, nothing received yet
 *
 * Without "connector-event", or without an event, there is one.
 *
 * Context: state machine.
 */
void xen_drm_conn_new_backend(struct xen_drm_pipe *pipe)
{
	WRITE_ONCE(pipe->connected, true);
	pipe->edid_warned = false;
}

/**
 * xen_drm_conn_fetch_edid - ask a new backend which monitor is there
 * @pipe: the pipe, connected
 * @ask: false: do not, it would not answer
 *
 * Without an EDID, or with a wrong one, the configured resolution stands.
 *
 * Context: state machine, waits for the backend.
 * Return: false from a backend that does not answer.
 */
bool xen_drm_conn_fetch_edid(struct xen_drm_pipe *pipe, bool ask)
{
	u8 *edid = NULL;
	size_t size = 0;
	int ret = -EOPNOTSUPP;

	mutex_lock(&pipe->edid_lock);
	if (ask && pipe->xdrm->version >= 2)
		ret = xen_drm_conn_ask_edid(pipe, &edid, &size);
	/* the next backend is asked, too; and if we could not ask, nothing is new */
	if (ret != -ENOTCONN && ret != -ENOMEM)
		xen_drm_conn_set_edid(pipe, ret ? NULL : edid, ret ? 0 : size,
				      true);
	mutex_unlock(&pipe->edid_lock);
	return ask && ret != -ETIMEDOUT && ret != -ENOTCONN;
}

/*
 * The same backend has another monitor. While it is too slow to tell which, the
 * one it had stays, and it is asked again, a few times.
 */
static void xen_drm_conn_refetch_edid(struct xen_drm_pipe *pipe)
{
	u8 *edid = NULL;
	size_t size = 0;
	int ret = -EOPNOTSUPP;

	mutex_lock(&pipe->edid_lock);
	if (pipe->xdrm->version >= 2)
		ret = xen_drm_conn_ask_edid(pipe, &edid, &size);
	if (ret != -ENOTCONN && ret != -ETIMEDOUT && ret != -ENOMEM)
		xen_drm_conn_set_edid(pipe, ret ? NULL : edid, ret ? 0 : size,
				      false);
	mutex_unlock(&pipe->edid_lock);

	if ((ret == -ETIMEDOUT || ret == -ENOMEM) &&
	    ++pipe->edid_tries < XEN_DRM_EDID_TRIES)
		schedule_delayed_work(&pipe->hotplug_work, 0);
	else
		pipe->edid_tries = 0;
}

/* Before there are clients the answer counts as well: they are to have it. */
static void xen_drm_conn_hotplug_work(struct work_struct *work)
{
	struct xen_drm_pipe *pipe = container_of(to_delayed_work(work),
						 struct xen_drm_pipe,
						 hotplug_work);
	int idx;

	if (!drm_dev_enter(&pipe->xdrm->drm, &idx))
		return;
	xen_drm_conn_refetch_edid(pipe);
	if (READ_ONCE(pipe->xdrm->registered))
		drm_kms_helper_connector_hotplug_event(&pipe->connector);
	drm_dev_exit(idx);
}

/**
 * xen_drm_conn_event - the backend's monitor changed (connector-event)
 * @pipe: the pipe
 * @connected: there is one
 *
 * Context: interrupt.
 * Return: whether nobody was about to look anyway.
 */
bool xen_drm_conn_event(struct xen_drm_pipe *pipe, bool connected)
{
	const unsigned long pause = msecs_to_jiffies(XEN_DRM_HOTPLUG_MS);
	const unsigned long now = jiffies;
	unsigned long delay = 0;

	WRITE_ONCE(pipe->connected, connected);
	/* at once, but a backend may tell as often as it likes */
	if (time_in_range(pipe->hotplug_next, now, now + 2 * pause))
		delay = pipe->hotplug_next - now;
	if (!schedule_delayed_work(&pipe->hotplug_work, delay))
		return false;
	pipe->hotplug_next = now + delay + pause;
	return true;
}

/**
 * xen_drm_conn_prepare - prepare what may run before and after the connector
 * @pipe: the pipe
 */
void xen_drm_conn_prepare(struct xen_drm_pipe *pipe)
{
	mutex_init(&pipe->edid_lock);
	INIT_WORK(&pipe->status_work, xen_drm_conn_status_work);
	INIT_DELAYED_WORK(&pipe->hotplug_work, xen_drm_conn_hotplug_work);
}

/**
 * xen_drm_conn_finish - nothing runs any more
 * @pipe: the pipe
 */
void xen_drm_conn_finish(struct xen_drm_pipe *pipe)
{
	cancel_work_sync(&pipe->status_work);
	cancel_delayed_work_sync(&pipe->hotplug_work);
}

/*
 * Tells compositors that a hotplug event may mean another preferred mode, which
 * they should set: the window was resized.
 */
static int xen_drm_conn_attach_hotplug(struct xen_drm_pipe *pipe)
{
	struct xen_drm *xdrm = pipe->xdrm;

	if (!xdrm->hotplug_mode_update)
		xdrm->hotplug_mode_update =
			drm_property_create_range(&xdrm->drm,
						  DRM_MODE_PROP_IMMUTABLE,
						  "hotplug_mode_update", 0, 1);
	if (!xdrm->hotplug_mode_update)
		return -ENOMEM;
	drm_object_attach_property(&pipe->connector.base,
				   xdrm->hotplug_mode_update, 1);
	return 0;
}

/**
 * xen_drm_conn_init - make the connector
 * @pipe: the pipe, its encoder made
 *
 * Return: 0 or -errno.
 */
int xen_drm_conn_init(struct xen_drm_pipe *pipe)
{
	const struct xen_drm_conn_cfg *cfg = &pipe->xdrm->cfg.conn[pipe->index];
	int ret;

	pipe->width = cfg->width;
	pipe->height = cfg->height;
	pipe->max_width = cfg->width;
	pipe->max_height = cfg->height;
	pipe->connected = true;

	ret = drm_connector_init(&pipe->xdrm->drm, &pipe->connector,
				 &xen_drm_conn_funcs,
				 DRM_MODE_CONNECTOR_VIRTUAL);
	if (ret)
		return ret;
	drm_connector_helper_add(&pipe->connector, &xen_drm_conn_helper_funcs);
	pipe->connector.polled = DRM_CONNECTOR_POLL_HPD;
	drm_connector_attach_edid_property(&pipe->connector);
	ret = xen_drm_conn_attach_hotplug(pipe);
	if (ret)
		return ret;
	return drm_connector_attach_encoder(&pipe->connector, &pipe->encoder);
}
