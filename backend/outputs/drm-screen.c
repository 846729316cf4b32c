/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A monitor's mode and its two buffers, which a framebuffer of the guest that the
 * card can read takes the place of. A mode of the guest that the monitor
 * has is set; any other is shown in the one that the monitor prefers: in the
 * middle, with black around, or cut off where it is too large.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "outputs/drm-output.h"

#define LINK_STATUS	"link-status"

/* Buffers */

static void buffer_finish(struct drm_output *out, struct drm_buffer *buf)
{
	if (buf->fb)
		drmModeRmFB(out->fd, buf->fb);
	if (buf->screen.data) {
		munmap(buf->screen.data, buf->size);
		xd_damage_finish(&buf->stale);
	}
	if (buf->handle)
		drmModeDestroyDumbBuffer(out->fd, buf->handle);
	*buf = (struct drm_buffer){ 0 };
}

static int map_buffer(struct drm_output *out, struct drm_buffer *buf)
{
	uint64_t offset;
	void *data;

	if (drmModeMapDumbBuffer(out->fd, buf->handle, &offset))
		return -errno;
	data = mmap(NULL, buf->size, PROT_READ | PROT_WRITE, MAP_SHARED,
		    out->fd, (off_t)offset);
	if (data == MAP_FAILED)
		return -errno;
	memset(data, 0, buf->size);
	buf->screen.data = data;
	xd_damage_init(&buf->stale, buf->screen.width, buf->screen.height);
	return 0;
}

static int buffer_init(struct drm_output *out, struct drm_buffer *buf,
		       uint32_t width, uint32_t height)
{
	int ret;

	*buf = (struct drm_buffer){
		.screen = { .width = width, .height = height },
	};
	if (drmModeCreateDumbBuffer(out->fd, width, height, 32, 0,
				    &buf->handle, &buf->screen.stride,
				    &buf->size))
		return -errno;
	ret = map_buffer(out, buf);
	if (!ret && drmModeAddFB(out->fd, width, height, 24, 32,
				 buf->screen.stride, buf->handle, &buf->fb))
		ret = -errno;
	if (ret)
		buffer_finish(out, buf);
	return ret;
}

struct xd_canvas drm_screen_picture(const struct drm_monitor *mon,
				    const struct drm_buffer *buf)
{
	const struct xd_canvas *screen = &buf->screen;
	uint32_t width = screen->width - mon->x;
	uint32_t height = screen->height - mon->y;

	return (struct xd_canvas){
		.width = mon->width < width ? mon->width : width,
		.height = mon->height < height ? mon->height : height,
		.stride = screen->stride,
		.data = screen->data + mon->y * (screen->stride / 4) + mon->x,
	};
}

/* Copies what the buffer has missed. */
static int paint(struct drm_monitor *mon, struct drm_buffer *buf)
{
	struct xd_canvas canvas = drm_screen_picture(mon, buf);
	int64_t ret = xd_image_paint(&canvas, &mon->next, &buf->stale.region);

	if (ret < 0)
		return (int)ret;
	mon->owner->base.copied += (uint64_t)ret;
	xd_damage_clear(&buf->stale);
	return 0;
}

/* Commits */

int drm_screen_init(struct drm_monitor *mon)
{
	static const struct {
		enum prop prop;
		uint32_t type;
		const char *name;
	} table[] = {
		{ CONN_CRTC_ID, DRM_MODE_OBJECT_CONNECTOR, "CRTC_ID" },
		{ CRTC_MODE_ID, DRM_MODE_OBJECT_CRTC, "MODE_ID" },
		{ CRTC_ACTIVE, DRM_MODE_OBJECT_CRTC, "ACTIVE" },
		{ PLANE_FB_ID, DRM_MODE_OBJECT_PLANE, "FB_ID" },
		{ PLANE_CRTC_ID, DRM_MODE_OBJECT_PLANE, "CRTC_ID" },
		{ PLANE_SRC_X, DRM_MODE_OBJECT_PLANE, "SRC_X" },
		{ PLANE_SRC_Y, DRM_MODE_OBJECT_PLANE, "SRC_Y" },
		{ PLANE_SRC_W, DRM_MODE_OBJECT_PLANE, "SRC_W" },
		{ PLANE_SRC_H, DRM_MODE_OBJECT_PLANE, "SRC_H" },
		{ PLANE_CRTC_X, DRM_MODE_OBJECT_PLANE, "CRTC_X" },
		{ PLANE_CRTC_Y, DRM_MODE_OBJECT_PLANE, "CRTC_Y" },
		{ PLANE_CRTC_W, DRM_MODE_OBJECT_PLANE, "CRTC_W" },
		{ PLANE_CRTC_H, DRM_MODE_OBJECT_PLANE, "CRTC_H" },
		{ CONN_LINK_STATUS, DRM_MODE_OBJECT_CONNECTOR, LINK_STATUS },
	};
	size_t i;

	for (i = 0; i < NUM_PROPS; i++) {
		uint32_t object = mon->head.plane;

		if (table[i].type == DRM_MODE_OBJECT_CONNECTOR)
			object = mon->head.connector;
		else if (table[i].type == DRM_MODE_OBJECT_CRTC)
			object = mon->head.crtc;
		mon->props[table[i].prop] =
			drm_property(mon->owner->fd, object, table[i].type,
				     table[i].name, NULL);
		if (!mon->props[table[i].prop] && table[i].prop < NUM_NEEDED)
			return -EOPNOTSUPP;
	}
	return 0;
}

/* @fb: as large as the mode; 0: none */
static void add_plane(struct drm_monitor *mon, drmModeAtomicReq *req,
		      uint32_t fb)
{
	const uint32_t plane = mon->head.plane, *props = mon->props;
	const uint64_t width = fb ? mon->mode.hdisplay : 0;
	const uint64_t height = fb ? mon->mode.vdisplay : 0;

	drmModeAtomicAddProperty(req, plane, props[PLANE_FB_ID], fb);
	drmModeAtomicAddProperty(req, plane, props[PLANE_CRTC_ID],
				 fb ? mon->head.crtc : 0);
	drmModeAtomicAddProperty(req, plane, props[PLANE_SRC_X], 0);
	drmModeAtomicAddProperty(req, plane, props[PLANE_SRC_Y], 0);
	drmModeAtomicAddProperty(req, plane, props[PLANE_SRC_W], width << 16);
	drmModeAtomicAddProperty(req, plane, props[PLANE_SRC_H], height << 16);
	drmModeAtomicAddProperty(req, plane, props[PLANE_CRTC_X], 0);
	drmModeAtomicAddProperty(req, plane, props[PLANE_CRTC_Y], 0);
	drmModeAtomicAddProperty(req, plane, props[PLANE_CRTC_W], width);
	drmModeAtomicAddProperty(req, plane, props[PLANE_CRTC_H], height);
}

/* The mode with the framebuffer in it; without a mode it goes dark. */
static int commit_mode(struct drm_monitor *mon, const drmModeModeInfo *mode,
		       uint32_t fb)
{
	const int fd = mon->owner->fd;
	drmModeAtomicReq *req = drmModeAtomicAlloc();
	uint32_t blob = 0;
	int ret = 0;

	if (!req)
		return -ENOMEM;
	if (mode && drmModeCreatePropertyBlob(fd, mode, sizeof(*mode), &blob))
		ret = -errno;
	drmModeAtomicAddProperty(req, mon->head.connector,
				 mon->props[CONN_CRTC_ID],
				 mode ? mon->head.crtc : 0);
	if (mon->props[CONN_LINK_STATUS])
		drmModeAtomicAddProperty(req, mon->head.connector,
					 mon->props[CONN_LINK_STATUS],
					 DRM_MODE_LINK_STATUS_GOOD);
	drmModeAtomicAddProperty(req, mon->head.crtc, mon->props[CRTC_MODE_ID],
				 blob);
	drmModeAtomicAddProperty(req, mon->head.crtc, mon->props[CRTC_ACTIVE],
				 mode ? 1 : 0);
	add_plane(mon, req, fb);
	if (!ret && drmModeAtomicCommit(fd, req, DRM_MODE_ATOMIC_ALLOW_MODESET,
					NULL))
		ret = -errno;
	if (blob)
		drmModeDestroyPropertyBlob(fd, blob);
	drmModeAtomicFree(req);
	if (!ret)
		mon->lit = mode;
	return ret;
}

static int commit_flip(struct drm_monitor *mon, uint32_t fb)
{
	drmModeAtomicReq *req = drmModeAtomicAlloc();
	int ret = 0;

	if (!req)
		return -ENOMEM;
	add_plane(mon, req, fb);
	if (drmModeAtomicCommit(mon->owner->fd, req, DRM_MODE_ATOMIC_NONBLOCK |
				DRM_MODE_PAGE_FLIP_EVENT,
				(void *)++mon->serial))
		ret = -errno;
	drmModeAtomicFree(req);
	return ret;
}

/* Modes */

static uint32_t distance(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

/* Is it better for a guest, which counts on 60 Hz? */
static bool is_better(const drmModeModeInfo *mode, const drmModeModeInfo *than)
{
	const uint32_t preferred = mode->type & DRM_MODE_TYPE_PREFERRED;

	if (preferred != (than->type & DRM_MODE_TYPE_PREFERRED))
		return preferred;
	return distance(mode->vrefresh, 60) < distance(than->vrefresh, 60);
}

/* As the guest wants it; else what the monitor likes best. */
const drmModeModeInfo *drm_screen_find_mode(const drmModeModeInfo *modes,
					    int nr_modes, uint32_t width,
					    uint32_t height)
{
	const drmModeModeInfo *best = NULL, *preferred = NULL;
	int i;

	for (i = 0; i < nr_modes; i++) {
		const drmModeModeInfo *mode = &modes[i];

		if (mode->flags & DRM_MODE_FLAG_INTERLACE)
			continue;
		if (mode->hdisplay == width && mode->vdisplay == height &&
		    (!best || is_better(mode, best)))
			best = mode;
		/* the first one, where none is marked */
		if (!preferred || (mode->type & DRM_MODE_TYPE_PREFERRED &&
				   !(preferred->type &
				     DRM_MODE_TYPE_PREFERRED)))
			preferred = mode;
	}
	return best ? best : preferred;
}

void drm_screen_lost(struct drm_monitor *mon)
{
	mon->lit = false;
	mon->connected = false;
	mon->head = (struct drm_head){ 0 };
	drmModeFreeConnector(mon->conn);
	mon->conn = NULL;
	buffer_finish(mon->owner, &mon->buffers[0]);
	buffer_finish(mon->owner, &mon->buffers[1]);
	drm_import_lost(mon);
}

void drm_screen_darken(struct drm_monitor *mon)
{
	if (mon->lit)
		commit_mode(mon, NULL, 0);
	mon->lit = false;
	mon->shown = NULL;
	buffer_finish(mon->owner, &mon->buffers[0]);
	buffer_finish(mon->owner, &mon->buffers[1]);
}

/* Buffers of the mode's size, with the guest's picture in the middle. */
static int make_buffers(struct drm_monitor *mon, const drmModeModeInfo *mode)
{
	int ret;

	mon->mode = *mode;
	mon->for_width = mon->width;
	mon->for_height = mon->height;
	mon->x = mode->hdisplay > mon->width ?
		(mode->hdisplay - mon->width) / 2 : 0;
	mon->y = mode->vdisplay > mon->height ?
		(mode->vdisplay - mon->height) / 2 : 0;
	ret = buffer_init(mon->owner, &mon->buffers[0], mode->hdisplay,
			  mode->vdisplay);
	if (!ret)
		ret = buffer_init(mon->owner, &mon->buffers[1], mode->hdisplay,
				  mode->vdisplay);
	mon->front = 0;
	return ret;
}

/* NULL: it is, or has to be, dark. */
static const drmModeModeInfo *wanted_mode(const struct drm_monitor *mon)
{
	if (!mon->width || !mon->connected)
		return NULL;
	return drm_screen_find_mode(mon->conn->modes, mon->conn->count_modes,
				    mon->width, mon->height);
}

static bool is_lit_in(const struct drm_monitor *mon,
		      const drmModeModeInfo *mode)
{
	return mon->lit && mon->for_width == mon->width &&
		mon->for_height == mon->height &&
		!memcmp(&mon->mode, mode, sizeof(*mode));
}

bool drm_screen_sets_mode(const struct drm_monitor *mon)
{
	const drmModeModeInfo *mode = wanted_mode(mon);

	return mode && !is_lit_in(mon, mode);
}

/* A mode that is on stays on, or the monitor would blink. */
static int prepare(struct drm_monitor *mon, const drmModeModeInfo *mode)
{
	unsigned int i;

	if (is_lit_in(mon, mode)) {
		for (i = 0; i < 2; i++)
			xd_damage_add_all(&mon->buffers[i].stale);
		mon->front = !mon->front;
		return 0;
	}
	drm_screen_darken(mon);
	return make_buffers(mon, mode);
}

/* The newest picture, copied to a buffer of ours where it has to be. */
static int commit_newest(struct drm_monitor *mon)
{
	struct drm_import *import = drm_import_choose(mon);
	int ret = 0;

	if (import && !commit_mode(mon, &mon->mode, import->fb)) {
		drm_import_shown(mon, import);
		return 0;
	}
	if (import)
		drm_import_refuse(mon, import);
	if (mon->next.data)
		ret = paint(mon, &mon->buffers[mon->front]);
	if (!ret)
		ret = commit_mode(mon, &mon->mode,
				  mon->buffers[mon->front].fb);
	if (!ret)
		drm_import_shown(mon, NULL);
	return ret;
}

int drm_screen_light(struct drm_monitor *mon)
{
	const drmModeModeInfo *mode = wanted_mode(mon);
	int ret;

	if (!mode) {
		drm_screen_darken(mon);
		return 0;
	}
	ret = prepare(mon, mode);
	if (!ret)
		ret = commit_newest(mon);
	if (ret)
		drm_screen_darken(mon);
	return ret;
}

void drm_screen_copy(struct drm_monitor *mon)
{
	const unsigned int back = !mon->front;

	if (!mon->next.data)
		mon->next = mon->shown->image;
	/* waits for the flip that may be on its way */
	if (!paint(mon, &mon->buffers[back]) &&
	    !commit_mode(mon, &mon->mode, mon->buffers[back].fb))
		mon->front = back;
	mon->shown = NULL;
}

/* Monitors */

static bool same_modes(const drmModeConnector *a, const drmModeConnector *b)
{
	return a && a->count_modes == b->count_modes &&
		(!a->count_modes ||
		 !memcmp(a->modes, b->modes,
			 sizeof(*a->modes) * (size_t)a->count_modes));
}

/* A link that failed stays so until a mode is set again. */
static bool is_link_bad(const struct drm_monitor *mon)
{
	uint64_t status;

	return drm_property(mon->owner->fd, mon->head.connector,
			    DRM_MODE_OBJECT_CONNECTOR, LINK_STATUS, &status) &&
		status == DRM_MODE_LINK_STATUS_BAD;
}

static bool read_edid(struct drm_monitor *mon, struct xd_output_edid *edid)
{
	const int fd = mon->owner->fd;
	drmModePropertyBlobRes *blob = NULL;
	uint64_t id = 0;
	bool ok;
	int i;

	if (drm_property(fd, mon->head.connector, DRM_MODE_OBJECT_CONNECTOR,
			 "EDID", &id) && id)
		blob = drmModeGetPropertyBlob(fd, (uint32_t)id);
	memset(edid, 0, sizeof(*edid));
	ok = blob && blob->length && blob->length <= sizeof(edid->data);
	if (ok) {
		memcpy(edid->data, blob->data, blob->length);
		edid->size = blob->length;
	}
	drmModeFreePropertyBlob(blob);
	for (i = 0; i < mon->conn->count_modes; i++) {
		const drmModeModeInfo *mode = &mon->conn->modes[i];

		if (mode->hdisplay > edid->max_width)
			edid->max_width = mode->hdisplay;
		if (mode->vdisplay > edid->max_height)
			edid->max_height = mode->vdisplay;
	}
	return ok;
}

int drm_screen_probe(struct drm_monitor *mon, bool *ret_other,
		     bool *ret_changed)
{
	drmModeConnector *before = mon->conn;
	bool was_connected = mon->connected;
	struct xd_output_edid edid;

	*ret_other = false;
	*ret_changed = false;
	if (!mon->head.connector)
		return 0;
	mon->conn = drmModeGetConnector(mon->owner->fd, mon->head.connector);
	if (!mon->conn) {
		mon->conn = before;
		return errno ? -errno : -ENODEV;
	}
	mon->connected = mon->conn->connection == DRM_MODE_CONNECTED &&
		mon->conn->count_modes;
	*ret_changed = mon->connected != was_connected ||
		!same_modes(before, mon->conn) ||
		(mon->connected && is_link_bad(mon));
	drmModeFreeConnector(before);
	/* the guest keeps the monitor that was there until there is another */
	if (mon->connected && read_edid(mon, &edid) &&
	    memcmp(&edid, &mon->edid, sizeof(edid))) {
		mon->edid = edid;
		*ret_other = true;
	}
	return 0;
}

static void add_damage(struct drm_buffer *buf, const pixman_box32_t *damage,
		       unsigned int nr_damage)
{
	unsigned int i;

	if (!nr_damage)
		xd_damage_add_all(&buf->stale);
	for (i = 0; i < nr_damage; i++)
		xd_damage_add(&buf->stale, (uint32_t)damage[i].x1,
			      (uint32_t)damage[i].y1, (uint32_t)damage[i].x2,
			      (uint32_t)damage[i].y2);
}

int drm_screen_flip(struct drm_monitor *mon, const pixman_box32_t *damage,
		    unsigned int nr_damage)
{
	const unsigned int back = !mon->front;
	struct drm_import *import;
	int ret;

	add_damage(&mon->buffers[0], damage, nr_damage);
	add_damage(&mon->buffers[1], damage, nr_damage);
	import = drm_import_choose(mon);
	ret = import ? commit_flip(mon, import->fb) : 0;
	if (!ret && import)
		drm_import_shown(mon, import);
	/* busy: the flip before is not over, whatever this one is */
	if (import && (!ret || ret == -EBUSY))
		return ret;
	if (import)
		drm_import_refuse(mon, import);
	ret = paint(mon, &mon->buffers[back]);
	if (!ret)
		ret = commit_flip(mon, mon->buffers[back].fb);
	if (ret)
		return ret;
	mon->front = back;
	drm_import_shown(mon, NULL);
	return 0;
}
