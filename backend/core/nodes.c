/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guest published. Its nodes are its own: every text is parsed whole
 * and bounded; none of them decides what the guest may do.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/supervisor.h"
#include "proto/nodes.h"

#define MAX_PORT	(1u << 20)

static char *read_fe(struct xd_device *dev, unsigned int conn,
		     const char *name)
{
	struct xd_store *store = dev->sup->store;
	char path[192];

	snprintf(path, sizeof(path), "%s/%u/%s", dev->fe_path, conn, name);
	return store->ops->read(store, path);
}

static int read_number(struct xd_device *dev, unsigned int conn,
		       const char *name, uint32_t min, uint32_t max,
		       uint32_t *ret_value)
{
	char *text = read_fe(dev, conn, name);
	int ret = xd_parse_u32(text, min, max, ret_value);

	if (ret)
		xd_warn("domain %u (%s): %s/%u/%s is \"%.32s\", expected a number from %u to %u",
			dev->domid, dev->guest, dev->fe_path, conn, name,
			text ? text : "", min, max);
	free(text);
	return ret;
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
		xd_warn("domain %u (%s): %s/%u/" XENDISPL_FIELD_RESOLUTION
			" is \"%.32s\", expected WIDTHxHEIGHT, each 1 to %u",
			dev->domid, dev->guest, dev->fe_path, i, text,
			XD_MAX_DIMENSION);
	free(text);
	if (ret)
		return ret;
	text = read_fe(dev, i, XENDISPL_FIELD_UNIQUE_ID);
	xd_parse_unique_id(text, i, conn->unique_id);
	free(text);
	return read_channels(dev, i, conn);
}

static int read_version(struct xd_device *dev, struct xd_connect *connect)
{
	struct xd_store *store = dev->sup->store;
	char path[192];
	char *text;
	int ret;

	snprintf(path, sizeof(path), "%s/" XENDISPL_FIELD_FE_VERSION,
		 dev->fe_path);
	text = store->ops->read(store, path);
	ret = xd_parse_version(text, &connect->features.version);
	if (ret)
		xd_warn("domain %u (%s): %s is \"%.32s\", expected 1 or 2",
			dev->domid, dev->guest, path, text ? text : "");
	free(text);
	return ret;
}

int xd_device_read_params(struct xd_device *dev, struct xd_connect *connect)
{
	const struct xd_config *config = dev->sup->config;
	int ret;

	*connect = (struct xd_connect){
		.domid = dev->domid,
		.devid = dev->devid,
		.millihertz = config->millihertz,
		.verbose = config->verbose,
		.limits = config->limits,
	};
	snprintf(connect->guest, sizeof(connect->guest), "%s", dev->guest);
	snprintf(connect->output, sizeof(connect->output), "%s",
		 config->output);
	ret = read_version(dev, connect);
	while (!ret && connect->nr_conns < XD_MAX_CONNECTORS) {
		ret = read_conn(dev, connect->nr_conns,
				&connect->conns[connect->nr_conns]);
		if (!ret)
			connect->nr_conns++;
	}
	if (ret == -ENOENT && connect->nr_conns)
		ret = 0;
	else if (ret == -ENOENT)
		xd_warn("domain %u (%s): %s/0/" XENDISPL_FIELD_RESOLUTION
			" is missing", dev->domid, dev->guest, dev->fe_path);
	return ret;
}
