// SPDX-License-Identifier: GPL-2.0-or-later
/* Finding the device, its outputs and their properties. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kt.h"

#define MAX_CARDS 16

static int open_card(unsigned int number, char *ret_node, size_t size)
{
	drmVersion *version;
	bool match;
	int fd;

	snprintf(ret_node, size, "/dev/dri/card%u", number);
	fd = open(ret_node, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	version = drmGetVersion(fd);
	match = version && !strcmp(version->name, kt_opt.driver);
	drmFreeVersion(version);
	if (match)
		return fd;
	close(fd);

	return -ENODEV;
}

int kt_open_node(char *ret_node, size_t size)
{
	uint64_t until = kt_now() + kt_opt.wait * KT_NS_PER_S;
	int uevents = kt_uevent_open();
	struct kt_uevent event;
	int fd = -ENODEV;

	do {
		for (unsigned int i = 0; i < MAX_CARDS && fd < 0; i++)
			fd = open_card(i, ret_node, size);
	} while (fd < 0 && uevents >= 0 &&
		 kt_uevent_next(uevents, until, &event) > 0);
	if (uevents >= 0)
		close(uevents);

	return fd < 0 ? -ENODEV : fd;
}

static struct kt_prop *prop_room(struct kt_dev *dev)
{
	if (dev->prop_count == dev->prop_room) {
		dev->prop_room = dev->prop_room ? 2 * dev->prop_room : 64;
		dev->props = realloc(dev->props,
				     dev->prop_room * sizeof(*dev->props));
		kt_assert(dev->props);
	}

	return &dev->props[dev->prop_count++];
}

static void load_props(struct kt_dev *dev, uint32_t object)
{
	drmModeObjectProperties *list =
		drmModeObjectGetProperties(dev->fd, object, DRM_MODE_OBJECT_ANY);

	if (!list)
		return;
	for (uint32_t i = 0; i < list->count_props; i++) {
		drmModePropertyRes *res = drmModeGetProperty(dev->fd,
							     list->props[i]);
		struct kt_prop *prop;

		if (!res)
			continue;
		prop = prop_room(dev);
		prop->object = object;
		prop->id = list->props[i];
		prop->value = list->prop_values[i];
		memcpy(prop->name, res->name, sizeof(prop->name));
		drmModeFreeProperty(res);
	}
	drmModeFreeObjectProperties(list);
}

static struct kt_prop *lookup(struct kt_dev *dev, uint32_t object,
			      const char *name, bool *ret_known)
{
	*ret_known = false;
	for (size_t i = 0; i < dev->prop_count; i++) {
		if (dev->props[i].object != object)
			continue;
		*ret_known = true;
		if (!strcmp(dev->props[i].name, name))
			return &dev->props[i];
	}

	return NULL;
}

uint32_t kt_prop_find(struct kt_dev *dev, uint32_t object, const char *name)
{
	bool known;
	struct kt_prop *prop = lookup(dev, object, name, &known);

	if (!known) {
		load_props(dev, object);
		prop = lookup(dev, object, name, &known);
	}

	return prop ? prop->id : 0;
}

uint64_t kt_prop_value(struct kt_dev *dev, uint32_t object, const char *name)
{
	uint32_t id = kt_prop_find(dev, object, name);
	drmModeObjectProperties *list;
	uint64_t value = 0;
	bool found = false;

	if (!id)
		kt_fail("object %u has no property %s", object, name);
	list = drmModeObjectGetProperties(dev->fd, object, DRM_MODE_OBJECT_ANY);
	if (!list)
		kt_fail("cannot read the properties of object %u: %s", object,
			kt_errno_name(-errno));
	for (uint32_t i = 0; i < list->count_props; i++) {
		if (list->props[i] == id) {
			value = list->prop_values[i];
			found = true;
		}
	}
	drmModeFreeObjectProperties(list);
	if (!found)
		kt_fail("object %u lost its property %s", object, name);

	return value;
}

static bool plane_taken(const struct kt_dev *dev, uint32_t plane)
{
	for (unsigned int i = 0; i < dev->output_count; i++)
		if (dev->outputs[i].plane == plane ||
		    dev->outputs[i].cursor == plane)
			return true;

	return false;
}

static void find_planes(struct kt_dev *dev, struct kt_output *out)
{
	drmModePlaneRes *planes = drmModeGetPlaneResources(dev->fd);

	if (!planes)
		return;
	for (uint32_t i = 0; i < planes->count_planes; i++) {
		drmModePlane *plane = drmModeGetPlane(dev->fd,
						      planes->planes[i]);
		uint64_t type;

		if (!plane)
			continue;
		type = kt_prop_value(dev, plane->plane_id, "type");
		if (plane->possible_crtcs >> out->pipe & 1 &&
		    !plane_taken(dev, plane->plane_id)) {
			if (type == DRM_PLANE_TYPE_PRIMARY && !out->plane)
				out->plane = plane->plane_id;
			if (type == DRM_PLANE_TYPE_CURSOR && !out->cursor)
				out->cursor = plane->plane_id;
		}
		drmModeFreePlane(plane);
	}
	drmModeFreePlaneResources(planes);
}

/* The first CRTC that the connector can use and no output has yet. */
static bool find_crtc(struct kt_dev *dev, drmModeRes *res,
		      drmModeConnector *conn, struct kt_output *out)
{
	uint32_t possible = 0;

	for (int i = 0; i < conn->count_encoders; i++) {
		drmModeEncoder *enc = drmModeGetEncoder(dev->fd,
							conn->encoders[i]);

		if (enc)
			possible |= enc->possible_crtcs;
		drmModeFreeEncoder(enc);
	}
	for (int i = 0; i < res->count_crtcs; i++) {
		bool taken = !(possible >> i & 1);

		for (unsigned int o = 0; o < dev->output_count; o++)
			taken |= dev->outputs[o].crtc == res->crtcs[i];
		if (!taken) {
			out->crtc = res->crtcs[i];
			out->pipe = (unsigned int)i;
			return true;
		}
	}

	return false;
}

const drmModeModeInfo *kt_find_mode(const struct kt_output *output,
				    unsigned int width, unsigned int height)
{
	for (unsigned int i = 0; i < output->mode_count; i++)
		if (output->modes[i].hdisplay == width &&
		    output->modes[i].vdisplay == height)
			return &output->modes[i];

	return NULL;
}

static void take_modes(struct kt_output *out, drmModeConnector *conn)
{
	out->mode_count = (unsigned int)conn->count_modes;
	out->modes = calloc(out->mode_count, sizeof(*out->modes));
	kt_assert(out->modes);
	memcpy(out->modes, conn->modes, out->mode_count * sizeof(*out->modes));

	out->mode = out->modes[0];
	for (unsigned int i = out->mode_count; i-- > 0;)
		if (out->modes[i].type & DRM_MODE_TYPE_PREFERRED)
			out->mode = out->modes[i];
	if (kt_opt.width) {
		const drmModeModeInfo *mode =
			kt_find_mode(out, kt_opt.width, kt_opt.height);

		if (mode)
			out->mode = *mode;
	}
}

void kt_read_modes(struct kt_dev *dev, struct kt_output *output)
{
	drmModeConnector *conn = drmModeGetConnector(dev->fd,
						     output->connector);

	if (!conn || !conn->count_modes)
		kt_fail("%s has no modes any more", output->name);
	free(output->modes);
	take_modes(output, conn);
	drmModeFreeConnector(conn);
}

static void add_output(struct kt_dev *dev, drmModeRes *res,
		       drmModeConnector *conn)
{
	struct kt_output *out = &dev->outputs[dev->output_count];
	const char *type = drmModeGetConnectorTypeName(conn->connector_type);

	if (conn->connection != DRM_MODE_CONNECTED || !conn->count_modes ||
	    dev->output_count == KT_MAX_OUTPUTS)
		return;
	memset(out, 0, sizeof(*out));
	out->connector = conn->connector_id;
	snprintf(out->name, sizeof(out->name), "%s-%u", type ? type : "Unknown",
		 conn->connector_type_id);
	if (!find_crtc(dev, res, conn, out))
		return;
	find_planes(dev, out);
	take_modes(out, conn);
	dev->output_count++;
}

/* False: the device has just come, and a connector is not registered yet. */
static bool read_outputs(struct kt_dev *dev)
{
	drmModeRes *res = drmModeGetResources(dev->fd);
	bool complete = true;

	if (!res)
		kt_fail("%s has no mode-setting resources: %s", dev->node,
			kt_errno_name(-errno));
	dev->max_width = res->max_width;
	dev->max_height = res->max_height;
	for (int i = 0; i < res->count_connectors; i++) {
		drmModeConnector *conn =
			drmModeGetConnector(dev->fd, res->connectors[i]);

		if (conn)
			add_output(dev, res, conn);
		else
			complete = false;
		drmModeFreeConnector(conn);
	}
	drmModeFreeResources(res);

	return complete;
}

static void forget_outputs(struct kt_dev *dev)
{
	for (unsigned int i = 0; i < dev->output_count; i++)
		free(dev->outputs[i].modes);
	dev->output_count = 0;
}

void kt_open(struct kt_dev *dev)
{
	uint64_t until = kt_now() + kt_opt.wait * KT_NS_PER_S;
	int uevents = kt_uevent_open();
	struct kt_uevent event;

	memset(dev, 0, sizeof(*dev));
	dev->fd = kt_open_node(dev->node, sizeof(dev->node));
	if (dev->fd < 0)
		kt_fail("no device of driver %s after %u s", kt_opt.driver,
			kt_opt.wait);
	drmSetClientCap(dev->fd, DRM_CLIENT_CAP_UNIVERSAL_PLANES, 1);
	dev->atomic = !drmSetClientCap(dev->fd, DRM_CLIENT_CAP_ATOMIC, 1);

	while (!read_outputs(dev) && uevents >= 0 &&
	       kt_uevent_next(uevents, until, &event) > 0)
		forget_outputs(dev);
	if (uevents >= 0)
		close(uevents);
	if (!dev->output_count)
		kt_fail("%s has no connected connector", dev->node);
}

void kt_close(struct kt_dev *dev)
{
	forget_outputs(dev);
	free(dev->props);
	close(dev->fd);
	memset(dev, 0, sizeof(*dev));
	dev->fd = -1;
}

struct kt_output *kt_output(struct kt_dev *dev)
{
	if (kt_opt.connector >= dev->output_count)
		kt_fail("no connector %u, there are %u", kt_opt.connector,
			dev->output_count);

	return &dev->outputs[kt_opt.connector];
}

void kt_state_read(struct kt_dev *dev, struct kt_state *state)
{
	struct kt_dev all = { .fd = dev->fd };

	for (unsigned int i = 0; i < dev->output_count; i++) {
		load_props(&all, dev->outputs[i].connector);
		load_props(&all, dev->outputs[i].crtc);
		if (dev->outputs[i].plane)
			load_props(&all, dev->outputs[i].plane);
		if (dev->outputs[i].cursor)
			load_props(&all, dev->outputs[i].cursor);
	}
	state->props = all.props;
	state->count = all.prop_count;
}

/*
 * The console may have damage on another output, and the EDID is a new blob
 * each time that somebody probes.
 */
static bool comes_and_goes(const struct kt_prop *prop)
{
	return !strcmp(prop->name, "FB_DAMAGE_CLIPS") ||
	       !strcmp(prop->name, "EDID");
}

void kt_state_same(struct kt_dev *dev, struct kt_state *state)
{
	struct kt_state now;

	kt_state_read(dev, &now);
	kt_assert_eq(now.count, state->count);
	for (size_t i = 0; i < now.count; i++)
		if (now.props[i].value != state->props[i].value &&
		    !comes_and_goes(&now.props[i]))
			kt_fail("%s of object %u changed from %llu to %llu",
				now.props[i].name, now.props[i].object,
				(unsigned long long)state->props[i].value,
				(unsigned long long)now.props[i].value);
	free(now.props);
	free(state->props);
	state->props = NULL;
}
