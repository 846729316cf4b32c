/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guest published. Its nodes are its own: every text is parsed whole
 * and bounded; none of them decides what the guest may do.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/supervisor.h"
#include "edid/edid.h"
#include "outputs/output.h"
#include "proto/nodes.h"

#define MAX_PORT	(1u << 20)
#define MS		1000000ull	/* ns */
#define SIZES_MS	250u		/* a window that is being dragged has many */

static char *read_fe(struct xd_device *dev, unsigned int conn,
		     const char *name)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/%u/%s", dev->fe_path, conn, name);
	return xd_read(dev->sup, path);
}

static int read_number(struct xd_device *dev, unsigned int conn,
		       const char *name, uint32_t min, uint32_t max,
		       uint32_t *ret_value)
{
	char *text = read_fe(dev, conn, name);
	int ret = xd_parse_u32(text, min, max, ret_value);

	if (ret && !dev->sup->unsure)
		xd_device_warn(dev, "%s/%u/%s is \"%.32s\", expected a number from %u to %u",
			       dev->fe_path, conn, name, text ? text : "", min,
			       max);
	free(text);
	return ret;
}

/* What cannot be read says nothing. */
static bool is_other(struct xd_device *dev, unsigned int conn,
		     const char *name, uint32_t value)
{
	char *text = read_fe(dev, conn, name);
	uint32_t now = value;

	if (text && xd_parse_u32(text, 1, UINT32_MAX, &now))
		now = value;
	free(text);
	return now != value;
}

bool xd_device_has_other_channels(struct xd_device *dev)
{
	unsigned int i;

	for (i = 0; i < dev->connect.nr_conns; i++) {
		const struct xd_conn_params *conn = &dev->connect.conns[i];

		if (is_other(dev, i, XENDISPL_FIELD_REQ_RING_REF,
			     conn->req_ref) ||
		    is_other(dev, i, XENDISPL_FIELD_REQ_CHANNEL,
			     conn->req_port) ||
		    is_other(dev, i, XENDISPL_FIELD_EVT_RING_REF,
			     conn->evt_ref) ||
		    is_other(dev, i, XENDISPL_FIELD_EVT_CHANNEL,
			     conn->evt_port))
			return true;
	}
	return false;
}

static int read_channels(struct xd_device *dev, unsigned int i,
			 struct xd_conn_params *conn)
{
	int ret = read_number(dev, i, XENDISPL_FIELD_REQ_RING_REF, 1,
			      UINT32_MAX, &conn->req_ref);

	if (!ret)
		ret = read_number(dev, i, XENDISPL_FIELD_REQ_CHANNEL, 1,
				  MAX_PORT, &conn->req_port);
	if (!ret)
		ret = read_number(dev, i, XENDISPL_FIELD_EVT_RING_REF, 1,
				  UINT32_MAX, &conn->evt_ref);
	if (!ret)
		ret = read_number(dev, i, XENDISPL_FIELD_EVT_CHANNEL, 1,
				  MAX_PORT, &conn->evt_port);
	return ret;
}

/* In our own directory: the guest has no say in it, and a new daemon finds it. */
static void resized_path(const struct xd_device *dev, unsigned int conn,
			 char *path, size_t size)
{
	snprintf(path, size, "%s/resized-%u", dev->be_path, conn);
}

int xd_device_remember_size(struct xd_device *dev, unsigned int conn,
			    uint32_t width, uint32_t height)
{
	char path[192], text[32];

	if (conn >= XD_MAX_CONNECTORS)
		return -EINVAL;
	dev->sizes_due &= ~(1u << conn);
	resized_path(dev, conn, path, sizeof(path));
	snprintf(text, sizeof(text), "%ux%u", width, height);
	return xd_write(dev->sup, path, text);
}

void xd_device_write_sizes(struct xd_device *dev)
{
	uint32_t due = dev->sizes_due;
	unsigned int i;
	int ret;

	for (i = 0; i < XD_MAX_CONNECTORS; i++) {
		if (!(due & 1u << i))
			continue;
		ret = xd_device_remember_size(dev, i, dev->sizes[i].width,
					      dev->sizes[i].height);
		/* its directory has gone, or it is tried again */
		if (ret && ret != -ENOENT)
			dev->sizes_due |= 1u << i;
	}
	if (due)
		xd_timer_set(&dev->sizes_timer, xd_now() + SIZES_MS * MS);
}

static bool is_size(uint32_t pixels)
{
	return pixels >= XD_EDID_MIN_DIMENSION &&
		pixels <= XD_EDID_MAX_DIMENSION;
}

void xd_device_new_size(struct xd_device *dev, const struct xd_message *msg)
{
	if (msg->conn >= dev->connect.nr_conns || !is_size(msg->size.width) ||
	    !is_size(msg->size.height))
		return;
	dev->sizes[msg->conn].width = msg->size.width;
	dev->sizes[msg->conn].height = msg->size.height;
	dev->sizes_due |= 1u << msg->conn;
	if (!dev->sizes_timer.armed)
		xd_device_write_sizes(dev);
}

/* Without one the preferred mode is as configured. */
static void read_size(struct xd_device *dev, unsigned int i,
		      struct xd_conn_params *conn)
{
	uint32_t width, height;
	char path[192];
	char *text;

	conn->pref_width = conn->width;
	conn->pref_height = conn->height;
	resized_path(dev, i, path, sizeof(path));
	text = xd_read(dev->sup, path);
	if (text && !xd_parse_resolution(text, &width, &height)) {
		conn->pref_width = width;
		conn->pref_height = height;
	}
	free(text);
}

/* 0, -ENOENT when there is no such connector, -errno. */
static int read_conn(struct xd_device *dev, unsigned int i,
		     struct xd_conn_params *conn)
{
	char *text = read_fe(dev, i, XENDISPL_FIELD_RESOLUTION);
	int ret;

	if (!text)
		return -ENOENT;
	ret = xd_parse_resolution(text, &conn->width, &conn->height);
	if (ret)
		xd_device_warn(dev, "%s/%u/" XENDISPL_FIELD_RESOLUTION
			       " is \"%.32s\", expected WIDTHxHEIGHT, each 1 to %u",
			       dev->fe_path, i, text, XD_MAX_DIMENSION);
	free(text);
	if (ret)
		return ret;
	read_size(dev, i, conn);
	text = read_fe(dev, i, XENDISPL_FIELD_UNIQUE_ID);
	xd_parse_unique_id(text, i, conn->unique_id);
	free(text);
	return read_channels(dev, i, conn);
}

/* Connectors that there is no room for. */
static bool has_more(struct xd_device *dev)
{
	char *text = read_fe(dev, XD_MAX_CONNECTORS, XENDISPL_FIELD_RESOLUTION);
	bool more = text;

	free(text);
	return more;
}

static int read_version(struct xd_device *dev, struct xd_connect *connect)
{
	char path[192];
	char *text;
	int ret;

	snprintf(path, sizeof(path), "%s/" XENDISPL_FIELD_FE_VERSION,
		 dev->fe_path);
	text = xd_read(dev->sup, path);
	ret = xd_parse_version(text, &connect->features.version);
	if (ret && !dev->sup->unsure)
		xd_device_warn(dev, "%s is \"%.32s\", expected 1 or 2",
			       path, text ? text : "");
	free(text);
	return ret;
}

static bool has_cursor(const struct xd_config *config,
		       const struct xd_output_ops *output)
{
	return output->cursor_set && output->cursor_move;
}

/* A dma-buf can be written: grants that are read-only cannot become one. */
static bool reads_only(const struct xd_config *config,
		       const struct xd_output_ops *output)
{
	return !config->zero_copy || !config->exports || !output->import;
}

/*
 * The extensions of docs/protocol-extensions.md that this daemon has: on when
 * we offered and the frontend asked.
 */
static const struct {
	const char *name;
	size_t flag;		/* in struct xd_features */
	/* NULL: whatever the settings and the output */
	bool (*possible)(const struct xd_config *config,
			 const struct xd_output_ops *output);
} extensions[] = {
	{ "damage", offsetof(struct xd_features, damage), NULL },
	{ "stride", offsetof(struct xd_features, stride), NULL },
	{ "connector-event", offsetof(struct xd_features, connector_event),
	  NULL },
	{ "ro-grants", offsetof(struct xd_features, ro_grants),
	  reads_only },
	{ "cursor", offsetof(struct xd_features, cursor), has_cursor },
	{ "formats", offsetof(struct xd_features, formats), NULL },
};

#define NR_EXTENSIONS	(sizeof(extensions) / sizeof(extensions[0]))

static bool is_offered(size_t extension, const struct xd_config *config)
{
	const struct xd_output_ops *output = xd_output_find(config->output);

	return !extensions[extension].possible ||
		(output && extensions[extension].possible(config, output));
}

/* All outputs convert: what proto/format.c knows, the cheapest first. */
#define FORMATS	"XR24,AR24,RG16,RG24,XR15,AR15,XR12,AR12"

int xd_device_offer_extensions(struct xd_device *dev)
{
	struct xd_config config;
	char path[192];
	size_t i;
	int ret;

	xd_config_of_guest(dev->sup->config, dev->guest, &config);
	snprintf(path, sizeof(path), "%s/formats", dev->be_path);
	ret = xd_write(dev->sup, path, FORMATS);
	for (i = 0; i < NR_EXTENSIONS && !ret; i++) {
		snprintf(path, sizeof(path), "%s/feature-%s", dev->be_path,
			 extensions[i].name);
		ret = xd_write(dev->sup, path,
			       is_offered(i, &config) ? "1" : "0");
	}
	return ret;
}

/* Anything but "1" is "not asked for". */
static void read_extensions(struct xd_device *dev,
			    const struct xd_config *config,
			    struct xd_features *features)
{
	char path[192];
	size_t i;

	for (i = 0; i < NR_EXTENSIONS; i++) {
		bool *flag = (bool *)((char *)features + extensions[i].flag);
		bool asked = false;
		char *text;

		snprintf(path, sizeof(path), "%s/request-%s", dev->fe_path,
			 extensions[i].name);
		text = xd_read(dev->sup, path);
		*flag = text && !xd_parse_flag(text, &asked) && asked &&
			is_offered(i, config);
		free(text);
	}
}

/*
 * Whether the toolstack wants buffers to be ours. It says so in a node that the
 * guest may not write; the limit on them holds in any case.
 */
static void read_be_alloc(struct xd_device *dev, struct xd_connect *connect)
{
	bool be_alloc = false;
	char path[192];
	char *text;

	snprintf(path, sizeof(path), "%s/" XENDISPL_FIELD_BE_ALLOC,
		 dev->fe_path);
	text = xd_read(dev->sup, path);
	if (text)
		xd_parse_flag(text, &be_alloc);
	free(text);
	connect->features.be_alloc = be_alloc &&
		connect->limits.max_shared_bytes;
}

void xd_fill_child(const struct xd_config *config, uint32_t domid,
		   uint32_t devid, const char *guest, struct xd_child *child)
{
	int i;

	*child = (struct xd_child){
		.domid = domid,
		.devid = devid,
		.verbose = config->verbose,
		.syslog = config->syslog,
		.sandbox = config->sandbox,
	};
	snprintf(child->guest, sizeof(child->guest), "%s", guest);
	snprintf(child->output, sizeof(child->output), "%s", config->output);
	for (i = 0; i < XD_NUM_OPTIONS; i++)
		snprintf(child->options.text[i], XD_OPTION_SIZE, "%s",
			 config->options[i] ? config->options[i] : "");
	snprintf(child->user, sizeof(child->user), "%s",
		 config->user ? config->user : "");
}

int xd_device_read_params(struct xd_device *dev, struct xd_connect *connect)
{
	struct xd_config config;
	int ret;

	xd_config_of_guest(dev->sup->config, dev->guest, &config);
	*connect = (struct xd_connect){
		.millihertz = config.millihertz,
		.zero_copy = config.zero_copy,
		.limits = config.limits,
	};
	xd_fill_child(&config, dev->domid, dev->devid, dev->guest,
		      &connect->child);
	read_be_alloc(dev, connect);
	read_extensions(dev, &config, &connect->features);
	ret = read_version(dev, connect);
	while (!ret && connect->nr_conns < XD_MAX_CONNECTORS) {
		ret = read_conn(dev, connect->nr_conns,
				&connect->conns[connect->nr_conns]);
		if (!ret)
			connect->nr_conns++;
	}
	if (ret == -ENOENT && connect->nr_conns)
		ret = 0;
	if (!ret && connect->nr_conns == XD_MAX_CONNECTORS && has_more(dev)) {
		xd_device_warn(dev, "has more than %u connectors",
			       XD_MAX_CONNECTORS);
		ret = -ENOSPC;
	} else if (!ret && connect->nr_conns > config.max_conns) {
		xd_device_warn(dev, "has %u connectors, may have %u",
			       connect->nr_conns, config.max_conns);
		ret = -ENOSPC;
	} else if (ret == -ENOENT && !dev->sup->unsure)
		xd_device_warn(dev, "%s/0/" XENDISPL_FIELD_RESOLUTION
			       " is missing", dev->fe_path);
	return ret;
}
