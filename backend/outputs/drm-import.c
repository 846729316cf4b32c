/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Framebuffers of the guest that the card reads by itself, by PRIME. A card may
 * refuse such a buffer, its layout, or to show it; then the picture is copied.
 */
#include <drm_fourcc.h>

#include "outputs/drm-output.h"

static struct drm_import *find(struct drm_monitor *mon,
			       const struct xd_image *image)
{
	unsigned int i;

	for (i = 0; i < DRM_IMPORTS; i++)
		if (image->data && xd_image_same(&mon->imports[i].image, image))
			return &mon->imports[i];
	return NULL;
}

void drm_import_add(struct drm_monitor *mon, const struct xd_image *image,
		    const struct xd_dmabuf *dmabuf)
{
	struct xd_output_params *params = &mon->owner->params;
	unsigned int i;

	for (i = 0; i < DRM_IMPORTS; i++) {
		if (mon->imports[i].image.data)
			continue;
		mon->imports[i] = (struct drm_import){
			.image = *image,
			.dmabuf = *dmabuf,
		};
		return;
	}
	params->events->zero_copy(params->ctx, mon->index,
				  "too many framebuffers are shown");
}

static bool has_modifiers(int fd)
{
	uint64_t value = 0;

	return !drmGetCap(fd, DRM_CAP_ADDFB2_MODIFIERS, &value) && value;
}

static int add_fb(int fd, struct drm_import *import, uint32_t handle)
{
	const struct xd_image *image = &import->image;
	const uint32_t format = xd_format_opaque(image->format)->fourcc;
	const uint32_t handles[4] = { handle };
	const uint32_t strides[4] = { image->stride };
	const uint32_t offsets[4] = { (uint32_t)import->dmabuf.offset };
	const uint64_t linear[4] = { DRM_FORMAT_MOD_LINEAR };

	if (has_modifiers(fd))
		return drmModeAddFB2WithModifiers(fd, image->width,
						  image->height, format,
						  handles, strides, offsets,
						  linear, &import->fb,
						  DRM_MODE_FB_MODIFIERS);
	return drmModeAddFB2(fd, image->width, image->height, format, handles,
			     strides, offsets, &import->fb, 0);
}

/* NULL, or why the card has no framebuffer of it. */
static const char *make_fb(int fd, struct drm_import *import)
{
	uint32_t handle;
	int ret;

	if (import->fb)
		return NULL;
	if (drmPrimeFDToHandle(fd, import->dmabuf.fd, &handle))
		return "the graphics card refused the buffer";
	ret = add_fb(fd, import, handle);
	/* the framebuffer has the buffer; another import gets the same handle */
	drmCloseBufferHandle(fd, handle);
	if (!ret)
		return NULL;
	import->fb = 0;
	return "the graphics card refused the buffer's format or layout";
}

/* NULL: the card can show it. */
static const char *obstacle(const struct drm_monitor *mon,
			    struct drm_import *import)
{
	const struct xd_image *image = &import->image;

	if (image->width != mon->mode.hdisplay ||
	    image->height != mon->mode.vdisplay ||
	    image->width != mon->width || image->height != mon->height)
		return "the picture is not as large as the monitor's mode";
	if (import->refused)
		return "the graphics card does not show the buffer";
	if (import->dmabuf.offset > UINT32_MAX)
		return "the buffer is too large";
	return make_fb(mon->owner->fd, import);
}

struct drm_import *drm_import_choose(struct drm_monitor *mon)
{
	struct drm_import *import = find(mon, &mon->next);

	mon->why_copied = import ? obstacle(mon, import) : NULL;
	return mon->why_copied ? NULL : import;
}

static void remove_fb(struct drm_monitor *mon, struct drm_import *import)
{
	if (import->fb)
		drmModeRmFB(mon->owner->fd, import->fb);
	import->fb = 0;
}

void drm_import_refuse(struct drm_monitor *mon, struct drm_import *import)
{
	remove_fb(mon, import);
	import->refused = true;
	mon->why_copied = obstacle(mon, import);
}

void drm_import_shown(struct drm_monitor *mon, struct drm_import *import)
{
	struct xd_output_params *params = &mon->owner->params;

	mon->shown = import;
	if (import || mon->why_copied)
		params->events->zero_copy(params->ctx, mon->index,
					  mon->why_copied);
}

void drm_import_drop(struct drm_monitor *mon, const void *data)
{
	unsigned int i;

	for (i = 0; i < DRM_IMPORTS; i++) {
		if (mon->imports[i].image.data != data)
			continue;
		remove_fb(mon, &mon->imports[i]);
		mon->imports[i] = (struct drm_import){ 0 };
	}
}

void drm_import_lost(struct drm_monitor *mon)
{
	unsigned int i;

	for (i = 0; i < DRM_IMPORTS; i++) {
		mon->imports[i].fb = 0;
		mon->imports[i].refused = false;
	}
	mon->shown = NULL;
}
