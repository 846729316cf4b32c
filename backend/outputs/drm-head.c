/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which connector, CRTC and plane go together. The supervisor asks this of the
 * card and the worker of its lease, which shows nothing but what is leased, in
 * the same order.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "outputs/drm-output.h"

/*
 * What there is, and what has been given away.
 * @lit:	CRTCs with connectors, by number
 * @possible:	CRTCs for those of @heads
 */
struct search {
	int fd;
	drmModeRes *res;
	drmModePlaneRes *planes;
	uint32_t lit;
	const struct drm_head *taken;
	unsigned int nr_taken;
	struct drm_head *heads;
	uint32_t possible[DRM_MAX_HEADS];
	unsigned int nr;
};

uint32_t drm_property(int fd, uint32_t object, uint32_t type, const char *name,
		      uint64_t *ret_value)
{
	drmModeObjectProperties *props;
	uint32_t i, id = 0;

	props = drmModeObjectGetProperties(fd, object, type);
	for (i = 0; props && i < props->count_props && !id; i++) {
		drmModePropertyRes *prop =
			drmModeGetProperty(fd, props->props[i]);

		if (prop && !strcmp(prop->name, name)) {
			id = prop->prop_id;
			if (ret_value)
				*ret_value = props->prop_values[i];
		}
		drmModeFreeProperty(prop);
	}
	drmModeFreeObjectProperties(props);
	return id;
}

static bool is_used(const struct search *search, uint32_t id)
{
	unsigned int i;

	for (i = 0; i < search->nr_taken; i++)
		if (search->taken[i].connector == id ||
		    search->taken[i].crtc == id ||
		    search->taken[i].plane == id)
			return true;
	for (i = 0; i < search->nr; i++)
		if (search->heads[i].connector == id ||
		    search->heads[i].crtc == id ||
		    search->heads[i].plane == id)
			return true;
	return false;
}

static bool is_primary(int fd, uint32_t plane)
{
	uint64_t type;

	return drm_property(fd, plane, DRM_MODE_OBJECT_PLANE, "type", &type) &&
		type == DRM_PLANE_TYPE_PRIMARY;
}

/* The CRTC's own, one that shows nothing, or any. */
static uint32_t find_plane(const struct search *search, uint32_t crtc,
			   uint32_t bit)
{
	uint32_t i, found = 0, found_crtc = 0;

	for (i = 0; i < search->planes->count_planes; i++) {
		const uint32_t id = search->planes->planes[i];
		drmModePlane *plane = drmModeGetPlane(search->fd, id);

		if (plane && plane->possible_crtcs & bit &&
		    !is_used(search, id) && is_primary(search->fd, id) &&
		    (!found || plane->crtc_id == crtc ||
		     (found_crtc && found_crtc != crtc && !plane->crtc_id))) {
			found = id;
			found_crtc = plane->crtc_id;
		}
		drmModeFreePlane(plane);
	}
	return found;
}

/* CRTC numbers that one of the connector's encoders can be fed from. */
static uint32_t possible_crtcs(int fd, const drmModeConnector *conn)
{
	uint32_t crtcs = 0;
	int i;

	for (i = 0; i < conn->count_encoders; i++) {
		drmModeEncoder *encoder = drmModeGetEncoder(fd,
							    conn->encoders[i]);

		if (encoder)
			crtcs |= encoder->possible_crtcs;
		drmModeFreeEncoder(encoder);
	}
	return crtcs;
}

/* The CRTC that the connector has now, or 0. */
static uint32_t current_crtc(int fd, const drmModeConnector *conn)
{
	drmModeEncoder *encoder = conn->encoder_id ?
		drmModeGetEncoder(fd, conn->encoder_id) : NULL;
	uint32_t id = encoder ? encoder->crtc_id : 0;

	drmModeFreeEncoder(encoder);
	return id;
}

/* The CRTC's number, as a bit; 0: it is none. */
static uint32_t crtc_bit(const struct search *search, uint32_t crtc)
{
	int i;

	for (i = 0; i < search->res->count_crtcs && i < 32; i++)
		if (search->res->crtcs[i] == crtc)
			return 1u << i;
	return 0;
}

static uint32_t current_bit(const struct search *search,
			    const drmModeConnector *conn)
{
	return crtc_bit(search, current_crtc(search->fd, conn));
}

static void find_lit(struct search *search)
{
	int i;

	for (i = 0; i < search->res->count_connectors; i++) {
		drmModeConnector *conn =
			drmModeGetConnectorCurrent(search->fd,
						   search->res->connectors[i]);

		if (conn)
			search->lit |= current_bit(search, conn);
		drmModeFreeConnector(conn);
	}
}

static void get_name(const drmModeConnector *conn, char name[DRM_NAME_SIZE])
{
	const char *type = drmModeGetConnectorTypeName(conn->connector_type);

	snprintf(name, DRM_NAME_SIZE, "%s-%u", type ? type : "Unknown",
		 conn->connector_type_id);
}

/* One of the CRTCs @crtcs, with a plane, for the connector. */
static bool find_crtc(const struct search *search, uint32_t crtcs,
		      struct drm_head *head)
{
	int i;

	for (i = 0; i < search->res->count_crtcs && i < 32; i++) {
		head->crtc = search->res->crtcs[i];
		if (!(crtcs & 1u << i) || is_used(search, head->crtc))
			continue;
		head->plane = find_plane(search, head->crtc, 1u << i);
		if (head->plane)
			return true;
	}
	return false;
}

/* That of one of the guest's others, which can do with another. */
static bool swap_crtc(struct search *search, uint32_t crtcs,
		      struct drm_head *head)
{
	unsigned int i;

	for (i = 0; i < search->nr; i++) {
		struct drm_head *other = &search->heads[i];
		struct drm_head moved = *other;

		if (!(crtcs & crtc_bit(search, other->crtc)) ||
		    !find_crtc(search, search->possible[i], &moved))
			continue;
		head->crtc = other->crtc;
		head->plane = other->plane;
		*other = moved;
		return true;
	}
	return false;
}

/*
 * A mode on a CRTC that has another connector, or for a connector that leaves
 * one that is on, is refused where encoders can have any CRTC: others come last.
 */
static bool complete(struct search *search, const drmModeConnector *conn,
		     struct drm_head *head)
{
	const uint32_t possible = possible_crtcs(search->fd, conn);
	struct drm_head found = { .connector = conn->connector_id };

	if (!find_crtc(search, possible & current_bit(search, conn),
		       &found) &&
	    !find_crtc(search, possible & ~search->lit, &found) &&
	    !find_crtc(search, possible, &found) &&
	    !swap_crtc(search, possible, &found))
		return false;
	search->possible[search->nr] = possible;
	*head = found;
	get_name(conn, head->name);
	return true;
}

static bool has_name(const drmModeConnector *conn, const char *wanted)
{
	char name[DRM_NAME_SIZE];

	get_name(conn, name);
	return !strcmp(name, wanted);
}

/* @name: NULL: the next one that is connected, or the next one */
static bool find_head(struct search *search, const char *name, bool connected,
		      struct drm_head *head)
{
	bool found = false;
	int i;

	for (i = 0; i < search->res->count_connectors && !found; i++) {
		const uint32_t id = search->res->connectors[i];
		drmModeConnector *conn;

		if (is_used(search, id))
			continue;
		conn = drmModeGetConnectorCurrent(search->fd, id);
		if (conn && (name ? has_name(conn, name) :
			     !connected || conn->connection ==
			     DRM_MODE_CONNECTED))
			found = complete(search, conn, head);
		drmModeFreeConnector(conn);
	}
	return found;
}

bool drm_next_name(const char **names, char name[DRM_NAME_SIZE])
{
	size_t len;

	*names += strspn(*names, " ");
	len = strcspn(*names, " ");
	/* one that is too long is none of any card's */
	snprintf(name, DRM_NAME_SIZE, "%.*s", (int)len, *names);
	*names += len;
	return len;
}

static int pick_all(struct search *search, const char *names, unsigned int nr)
{
	const bool any = !*names;
	char name[DRM_NAME_SIZE];
	int n = 0;

	for (search->nr = 0; search->nr < nr; search->nr++) {
		struct drm_head head = { 0 };
		bool found = false;

		if (any)
			found = find_head(search, NULL, true, &head) ||
				find_head(search, NULL, false, &head);
		else if (drm_next_name(&names, name))
			found = find_head(search, name, false, &head);
		search->heads[search->nr] = head;
		n += found;
	}
	return n;
}

int drm_heads_pick(int fd, const char *names, unsigned int nr,
		   const struct drm_head *taken, unsigned int nr_taken,
		   struct drm_head heads[DRM_MAX_HEADS])
{
	struct search search = {
		.fd = fd,
		.res = drmModeGetResources(fd),
		.planes = drmModeGetPlaneResources(fd),
		.taken = taken,
		.nr_taken = nr_taken,
		.heads = heads,
	};
	int ret = -ENODEV;

	if (search.res && search.planes && nr <= DRM_MAX_HEADS) {
		find_lit(&search);
		ret = pick_all(&search, names, nr);
	}
	if (search.res)
		drmModeFreeResources(search.res);
	if (search.planes)
		drmModeFreePlaneResources(search.planes);
	return ret;
}

static void part(int fd, const drmModeConnector *conn,
		 const struct drm_head *head)
{
	const uint32_t crtc = current_crtc(fd, conn);

	if (crtc && (crtc == head->crtc) !=
	    (conn->connector_id == head->connector))
		drmModeSetCrtc(fd, crtc, 0, 0, 0, NULL, 0, NULL);
}

void drm_head_part(int fd, const struct drm_head *head)
{
	drmModeRes *res = drmModeGetResources(fd);
	int i;

	for (i = 0; res && i < res->count_connectors; i++) {
		drmModeConnector *conn =
			drmModeGetConnectorCurrent(fd, res->connectors[i]);

		if (conn)
			part(fd, conn, head);
		drmModeFreeConnector(conn);
	}
	if (res)
		drmModeFreeResources(res);
}

void drm_heads_list(int fd, char *text, size_t size)
{
	drmModeRes *res = drmModeGetResources(fd);
	size_t len = 0;
	int i;

	*text = '\0';
	for (i = 0; res && i < res->count_connectors && len < size; i++) {
		drmModeConnector *conn =
			drmModeGetConnectorCurrent(fd, res->connectors[i]);
		char name[DRM_NAME_SIZE];

		if (!conn)
			continue;
		get_name(conn, name);
		len += (size_t)snprintf(text + len, size - len, "%s%s",
					len ? " " : "", name);
		drmModeFreeConnector(conn);
	}
	if (res)
		drmModeFreeResources(res);
}
