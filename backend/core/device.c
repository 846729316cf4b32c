/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device and its states (docs/lifecycle.md, "The backend's table"). Nothing is kept of
 * how a state was reached: each change reads the nodes and looks up what the
 * frontend's state asks for. A connection is a worker process; it is over when
 * that has been waited for, and only then is a state written that says so.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "core/supervisor.h"
#include "outputs/output.h"
#include "proto/nodes.h"

#define MS		1000000ull	/* ns */
#define START_MS	100u		/* to try again to start a worker */
#define OUTPUT_MS	1000u		/* to look again for one that is not there */
#define MAX_CONNECTS	100		/* of a device in CONNECTS_MS */
#define CONNECTS_MS	10000u
#define CLOSING_MS	500u		/* for a frontend to see it; in-tree waits 1 s */

enum action {
	ACT_NONE,
	ACT_WAIT,	/* no connection; InitWait */
	ACT_CONNECT,	/* a worker; Connected */
	ACT_KEEP,	/* a worker, or start over */
	ACT_RESTART,	/* no connection; Closing, a while later Closed, InitWait */
	ACT_CLOSE,	/* no connection; Closing, Closed */
};

/* What the frontend's state asks of us, while the device is wanted. */
static const enum action actions[XD_NUM_STATES] = {
	[XD_STATE_UNKNOWN] = ACT_CLOSE,
	[XD_STATE_INITIALISING] = ACT_WAIT,
	[XD_STATE_INIT_WAIT] = ACT_NONE,
	[XD_STATE_INITIALISED] = ACT_CONNECT,
	[XD_STATE_CONNECTED] = ACT_KEEP,
	/* Linux's frontend, when it is unloaded, waits for InitWait */
	[XD_STATE_CLOSING] = ACT_RESTART,
	[XD_STATE_CLOSED] = ACT_CLOSE,
	/* Linux's frontend, lost us, still used by a client */
	[XD_STATE_RECONFIGURING] = ACT_WAIT,
	[XD_STATE_RECONFIGURED] = ACT_NONE,
};

/* What there is to know of a device, as read. */
struct nodes {
	bool present;
	bool online;
	bool alive;
	enum xd_state be_state;
	enum xd_state fe_state;
};

static void log_line(struct xd_device *dev, void (*log)(const char *fmt, ...),
		     const char *fmt, va_list ap)
{
	char text[512];

	if (!xd_log_allow(&dev->log_limit))
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	log("domain %u (%s): %s", dev->domid, dev->guest, text);
}

void xd_device_warn(struct xd_device *dev, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(dev, xd_warn, fmt, ap);
	va_end(ap);
}

void xd_device_info(struct xd_device *dev, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(dev, xd_info, fmt, ap);
	va_end(ap);
}

static char *read_node(struct xd_device *dev, const char *dir,
		       const char *name)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return xd_read(dev->sup, path);
}

static int write_node(struct xd_device *dev, const char *name,
		      const char *text)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", dev->be_path, name);
	return xd_write(dev->sup, path, text);
}

static enum xd_state read_state(struct xd_device *dev, const char *dir)
{
	char *text = read_node(dev, dir, "state");
	uint32_t state = XD_STATE_UNKNOWN;

	if (xd_parse_u32(text, 0, XD_NUM_STATES - 1, &state))
		state = XD_STATE_UNKNOWN;
	free(text);
	return (enum xd_state)state;
}

void xd_device_set_state(struct xd_device *dev, enum xd_state state)
{
	char text[12];

	if (dev->be_state == state)
		return;
	snprintf(text, sizeof(text), "%d", (int)state);
	if (write_node(dev, "state", text))
		return;		/* the directory went, or it is tried again */
	dev->be_state = state;
	xd_debug("domain %u (%s): state %d, frontend %d", dev->domid,
		 dev->guest, (int)state, (int)dev->fe_state);
}

/* What this backend can, before InitWait says that it can be read. */
static void offer(struct xd_device *dev)
{
	if (dev->be_state == XD_STATE_INIT_WAIT && dev->reset)
		return;
	if (!dev->offered) {
		if (write_node(dev, XENDISPL_FIELD_BE_VERSIONS, "1,2"))
			return;
		if (xd_device_offer_extensions(dev))
			return;
		dev->offered = true;
	}
	if (!dev->reset && dev->be_state == XD_STATE_INIT_WAIT)
		dev->be_state = XD_STATE_UNKNOWN;
	xd_device_set_state(dev, XD_STATE_INIT_WAIT);
	if (dev->be_state == XD_STATE_INIT_WAIT)
		dev->reset = true;
}

/* A frontend that connects over and over costs a process each time. */
static bool too_often(struct xd_device *dev)
{
	uint64_t now = xd_now();

	if (!dev->connects_since ||
	    now - dev->connects_since > CONNECTS_MS * MS) {
		dev->connects_since = now;
		dev->connects = 0;
	}
	if (dev->connects++ < MAX_CONNECTS)
		return false;
	xd_device_warn(dev, "connects too often, has to wait");
	dev->waiting = true;
	xd_timer_set(&dev->retry, dev->connects_since + CONNECTS_MS * MS);
	return true;
}

static void close_states(struct xd_device *dev)
{
	if (dev->be_state == XD_STATE_CLOSED)
		return;
	xd_device_set_state(dev, XD_STATE_CLOSING);
	xd_device_set_state(dev, XD_STATE_CLOSED);
}

/*
 * What the guest published is tried once. If it is no good the frontend has to
 * begin anew, or a guest would keep us forking for as long as it likes.
 */
static void refuse(struct xd_device *dev)
{
	dev->refused = true;
	close_states(dev);
}

void xd_device_wait(struct xd_device *dev, unsigned int ms)
{
	dev->waiting = true;
	xd_timer_set(&dev->retry, xd_now() + ms * MS);
}

static void close_output(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void start_with_output(struct xd_device *dev, int output_fd)
{
	int ret = xd_viewers_start(dev);

	if (ret) {
		xd_device_warn(dev, "nobody can see %s: %s; trying again",
			       dev->connect.child.output, strerror(-ret));
		xd_device_wait(dev, OUTPUT_MS);
		return;
	}
	ret = xd_device_start_worker(dev, output_fd);
	if (ret) {
		xd_device_warn(dev, "cannot start a worker: %s; trying again",
			       strerror(-ret));
		xd_viewers_finish(dev);
		xd_device_wait(dev, START_MS);
	}
}

static void start_connection(struct xd_device *dev)
{
	int output_fd = -1;
	int ret;

	if (dev->worker && dev->connected && !dev->killed)
		xd_device_set_state(dev, XD_STATE_CONNECTED);
	if (dev->worker || dev->waiting)
		return;
	if (dev->refused) {
		refuse(dev);
		return;
	}
	if (too_often(dev))
		return;
	if (dev->be_state != XD_STATE_INIT_WAIT)
		offer(dev);
	/* a guest that migrates to here had another one until now */
	xd_read_guest_name(dev->sup, dev->domid, dev->guest);
	ret = xd_device_read_params(dev, &dev->connect);
	if (dev->sup->unsure)
		return;
	if (ret) {
		xd_device_warn(dev, "not connected: %s", strerror(-ret));
		refuse(dev);
		return;
	}
	if (xd_device_open_output(dev, &output_fd)) {
		xd_device_wait(dev, OUTPUT_MS);
		return;
	}
	start_with_output(dev, output_fd);
	close_output(output_fd);
}

/* No connection: the frontend shall begin a new one. */
static void wait_for_frontend(struct xd_device *dev)
{
	xd_device_kill_worker(dev);
	if (dev->worker || dev->waiting)
		return;
	offer(dev);
}

/* Says that the connection is over, and offers another one. */
static void start_over(struct xd_device *dev)
{
	close_states(dev);
	if (dev->be_state == XD_STATE_CLOSED)
		offer(dev);
}

/* Connected says the frontend. If there is no connection, start over. */
static void keep_connection(struct xd_device *dev)
{
	if (dev->worker || dev->waiting)
		return;
	if (dev->reset && dev->be_state == XD_STATE_INIT_WAIT)
		return;		/* it will see that */
	start_over(dev);
}

/*
 * Closing says the frontend, for one of two reasons. Its machine goes down, and
 * waits to find us Closing when it looks, for five seconds, then is Closed. Or
 * Linux's is unloaded, and waits for InitWait.
 */
static void restart_connection(struct xd_device *dev)
{
	xd_device_kill_worker(dev);
	if (dev->reset && dev->be_state == XD_STATE_INIT_WAIT)
		return;
	if (dev->be_state != XD_STATE_CLOSING &&
	    dev->be_state != XD_STATE_CLOSED) {
		xd_device_set_state(dev, XD_STATE_CLOSING);
		dev->parting = true;
		xd_timer_set(&dev->parted, xd_now() + CLOSING_MS * MS);
	}
	if (!dev->worker && !dev->waiting && !dev->parting)
		start_over(dev);
}

/*
 * Closed does not wait for the frontend: Linux's, whose device the toolstack
 * takes away, closes only after us.
 */
static void close_connection(struct xd_device *dev)
{
	xd_device_kill_worker(dev);
	if (dev->worker) {
		if (dev->be_state != XD_STATE_CLOSED)
			xd_device_set_state(dev, XD_STATE_CLOSING);
		return;
	}
	close_states(dev);
	if (!dev->online)
		xd_drop_directory(dev->sup, dev->be_path);
}

static void act(struct xd_device *dev, enum action action)
{
	switch (action) {
	case ACT_NONE:
		break;
	case ACT_WAIT:
		wait_for_frontend(dev);
		break;
	case ACT_CONNECT:
		start_connection(dev);
		break;
	case ACT_KEEP:
		keep_connection(dev);
		break;
	case ACT_RESTART:
		restart_connection(dev);
		break;
	case ACT_CLOSE:
		close_connection(dev);
		break;
	}
}

static struct nodes read_nodes(struct xd_device *dev)
{
	struct nodes nodes = { 0 };
	char *text;

	/* read, but never written to: our states go to our own directory */
	text = read_node(dev, dev->be_path, "frontend");
	nodes.present = text;
	free(text);

	text = read_node(dev, dev->be_path, "online");
	xd_parse_flag(text, &nodes.online);
	free(text);
	nodes.be_state = read_state(dev, dev->be_path);
	nodes.fe_state = read_state(dev, dev->fe_path);
	nodes.alive = xd_domain_alive(dev->sup, dev->domid);
	if (!dev->guest[0] || dev->guest[0] == '?')
		xd_read_guest_name(dev->sup, dev->domid, dev->guest);
	return nodes;
}

static void take_nodes(struct xd_device *dev, const struct nodes *nodes)
{
	enum xd_state fe_before = dev->fe_state;

	dev->present = nodes->present;
	dev->online = nodes->online;
	dev->be_state = nodes->be_state;
	/* as the toolstack makes it: the directory is a new one */
	if (dev->be_state == XD_STATE_INITIALISING)
		dev->offered = false;
	dev->fe_state = nodes->fe_state;
	if (dev->fe_state != XD_STATE_INITIALISED) {
		dev->refused = false;
		dev->tries = 0;
	}
	if (dev->fe_state != XD_STATE_CLOSING)
		dev->parting = false;
	/* while Reconfiguring it does not look at our state: tell it again */
	if (fe_before == XD_STATE_RECONFIGURING &&
	    dev->fe_state == XD_STATE_INITIALISING)
		dev->reset = false;
}

/*
 * A frontend may have gone through several states since we looked, back to one
 * that goes with the worker. Between our Connected and the frontend's it is
 * Initialised for a while, with the channels that the worker has.
 */
static bool began_anew(struct xd_device *dev, enum xd_state fe_before)
{
	if (!dev->worker || dev->killed ||
	    (dev->fe_state != XD_STATE_INITIALISED &&
	     dev->fe_state != XD_STATE_CONNECTED))
		return false;
	return (dev->fe_state == XD_STATE_INITIALISED &&
		fe_before == XD_STATE_CONNECTED) ||
		xd_device_has_other_channels(dev);
}

void xd_device_update(struct xd_device *dev)
{
	enum xd_state fe_before = dev->fe_state;
	struct xd_supervisor *sup = dev->sup;
	struct nodes nodes;
	bool wanted;

	dev->changed = false;
	sup->unsure = false;
	nodes = read_nodes(dev);
	if (sup->unsure)
		return;
	take_nodes(dev, &nodes);
	if (began_anew(dev, fe_before))
		xd_device_kill_worker(dev);
	wanted = dev->present && dev->online && nodes.alive && !sup->closing;
	act(dev, wanted ? actions[dev->fe_state] : ACT_CLOSE);
}

static void retry(void *ctx)
{
	struct xd_device *dev = ctx;

	dev->waiting = false;
	xd_device_update(dev);
}

static void parted(void *ctx)
{
	struct xd_device *dev = ctx;

	dev->parting = false;
	xd_device_update(dev);
}

static void write_sizes(void *ctx)
{
	xd_device_write_sizes(ctx);
}

int xd_device_create(struct xd_supervisor *sup, uint32_t domid, uint32_t devid,
		     struct xd_device **ret_dev)
{
	struct xd_device *dev = calloc(1, sizeof(*dev));
	char path[128], token[64];
	unsigned int i;
	int ret;

	if (!dev)
		return -ENOMEM;
	dev->sup = sup;
	dev->domid = domid;
	dev->devid = devid;
	dev->sock = -1;
	dev->sock_source.fd = -1;
	for (i = 0; i < XD_MAX_CONNECTORS; i++)
		dev->listeners[i].source.fd = -1;
	snprintf(dev->be_path, sizeof(dev->be_path), "%s/%u/%u", sup->root,
		 domid, devid);
	/* made of numbers, not taken from a node */
	snprintf(dev->fe_path, sizeof(dev->fe_path),
		 "/local/domain/%u/device/" XENDISPL_DRIVER_NAME "/%u", domid,
		 devid);
	snprintf(path, sizeof(path), "%s/state", dev->fe_path);
	snprintf(token, sizeof(token), "fe/%u/%u", domid, devid);
	ret = xd_timer_init(sup->loop, &dev->retry, retry, dev);
	if (!ret)
		ret = xd_timer_init(sup->loop, &dev->parted, parted, dev);
	if (!ret)
		ret = xd_timer_init(sup->loop, &dev->sizes_timer, write_sizes,
				    dev);
	if (!ret)
		ret = xd_watch(sup, path, token);
	if (ret) {
		xd_timer_finish(sup->loop, &dev->sizes_timer);
		xd_timer_finish(sup->loop, &dev->parted);
		xd_timer_finish(sup->loop, &dev->retry);
		free(dev);
		return ret;
	}
	*ret_dev = dev;
	return 0;
}

void xd_device_destroy(struct xd_device *dev)
{
	struct xd_store *store = dev->sup->store;
	char path[128], token[64];

	snprintf(path, sizeof(path), "%s/state", dev->fe_path);
	snprintf(token, sizeof(token), "fe/%u/%u", dev->domid, dev->devid);
	store->ops->unwatch(store, path, token);
	xd_timer_finish(dev->sup->loop, &dev->retry);
	xd_timer_finish(dev->sup->loop, &dev->parted);
	xd_timer_finish(dev->sup->loop, &dev->sizes_timer);
	xd_viewers_finish(dev);
	xd_device_close_sock(dev);
	free(dev);
}
