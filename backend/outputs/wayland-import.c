/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Framebuffers of the guest that the compositor reads by itself, by linux-dmabuf.
 * It is asked for each one when that is first shown, and may refuse: such a picture
 * is copied, like one that it could not take anyway.
 */
#include <errno.h>
#include <string.h>

#include "outputs/wayland.h"

#define DMABUF_VERSION	3u	/* the last one that tells formats by events */

#define MODIFIER_IMPLICIT	UINT64_C(0x00ffffffffffffff)

/* Formats */

static void modifier(void *data, struct zwp_linux_dmabuf_v1 *dmabuf,
		     uint32_t fourcc, uint32_t high, uint32_t low)
{
	const uint64_t value = (uint64_t)high << 32 | low;
	const struct xd_format *format = xd_format_find(fourcc);
	struct way_link *link = data;

	if (format && !value)
		link->formats[format - xd_formats] |= WAY_LINEAR;
	else if (format && value == MODIFIER_IMPLICIT)
		link->formats[format - xd_formats] |= WAY_IMPLICIT;
}

/* Of the time before modifiers. */
static void format(void *data, struct zwp_linux_dmabuf_v1 *dmabuf,
		   uint32_t fourcc)
{
}

static const struct zwp_linux_dmabuf_v1_listener dmabuf_listener = {
	.format = format,
	.modifier = modifier,
};

void way_import_bind(struct way_link *link, struct wl_registry *registry,
		     uint32_t name, uint32_t version)
{
	if (version < DMABUF_VERSION)
		return;
	memset(link->formats, 0, sizeof(link->formats));
	link->dmabuf = wl_registry_bind(registry, name,
					&zwp_linux_dmabuf_v1_interface,
					DMABUF_VERSION);
	if (link->dmabuf)
		zwp_linux_dmabuf_v1_add_listener(link->dmabuf,
						 &dmabuf_listener, link);
}

static unsigned int layouts(const struct way_link *link,
			    const struct xd_image *image)
{
	return link->formats[xd_format_opaque(image->format) - xd_formats];
}

/* Framebuffers */

static struct way_import *find(struct way_window *win,
			       const struct xd_image *image)
{
	unsigned int i;

	for (i = 0; i < WAY_IMPORTS; i++)
		if (image->data && xd_image_same(&win->imports[i].image, image))
			return &win->imports[i];
	return NULL;
}

/* What the compositor knows of it. */
static void unmake(struct way_import *import)
{
	if (import->params)
		zwp_linux_buffer_params_v1_destroy(import->params);
	if (import->proxy)
		wl_buffer_destroy(import->proxy);
	import->params = NULL;
	import->proxy = NULL;
	import->busy = false;
	import->state = WAY_NEW;
}

void way_import_add(struct way_window *win, const struct xd_image *image,
		    const struct xd_dmabuf *dmabuf)
{
	struct xd_output_params *params = &win->owner->params;
	unsigned int i;

	for (i = 0; i < WAY_IMPORTS; i++) {
		struct way_import *import = &win->imports[i];

		if (import->image.data || import->state == WAY_ASKED)
			continue;
		*import = (struct way_import){
			.image = *image,
			.dmabuf = *dmabuf,
			.win = win,
		};
		return;
	}
	params->events->zero_copy(params->ctx, win->index,
				  "too many framebuffers are shown");
}

static void released(void *data, struct wl_buffer *proxy)
{
	struct way_import *import = data;

	import->busy = false;
	way_window_check(import->win);
}

static const struct wl_buffer_listener buffer_listener = {
	.release = released,
};

/* The answer has come. */
static void answered(struct way_import *import, struct wl_buffer *proxy)
{
	bool gone = !import->image.data;

	import->proxy = proxy;
	zwp_linux_buffer_params_v1_destroy(import->params);
	import->params = NULL;
	import->state = proxy ? WAY_TAKEN : WAY_REFUSED;
	if (proxy)
		wl_buffer_add_listener(proxy, &buffer_listener, import);
	if (gone)
		unmake(import);
	else
		way_window_update(import->win);
}

static void created(void *data, struct zwp_linux_buffer_params_v1 *params,
		    struct wl_buffer *proxy)
{
	answered(data, proxy);
}

static void failed(void *data, struct zwp_linux_buffer_params_v1 *params)
{
	answered(data, NULL);
}

static const struct zwp_linux_buffer_params_v1_listener params_listener = {
	.created = created,
	.failed = failed,
};

static void ask(struct way_import *import)
{
	const struct xd_image *image = &import->image;
	struct way_link *link = &import->win->owner->link;
	uint64_t layout = layouts(link, image) & WAY_LINEAR ? 0 :
		MODIFIER_IMPLICIT;

	import->params = zwp_linux_dmabuf_v1_create_params(link->dmabuf);
	if (!import->params) {
		import->state = WAY_REFUSED;
		return;
	}
	zwp_linux_buffer_params_v1_add_listener(import->params,
						&params_listener, import);
	zwp_linux_buffer_params_v1_add(import->params, import->dmabuf.fd, 0,
				       (uint32_t)import->dmabuf.offset,
				       image->stride,
				       (uint32_t)(layout >> 32),
				       (uint32_t)layout);
	zwp_linux_buffer_params_v1_create(import->params,
					  (int32_t)image->width,
					  (int32_t)image->height,
					  xd_format_opaque(image->format)->fourcc,
					  0);
	import->state = WAY_ASKED;
	way_link_flush(link);
}

/* NULL: it can be shown, if the compositor likes it. */
static const char *obstacle(const struct way_window *win,
			    const struct way_import *import)
{
	const struct way_link *link = &win->owner->link;
	const struct xd_image *image = &import->image;
	uint64_t end = import->dmabuf.offset +
		(uint64_t)image->stride * image->height;

	if (link->no_dmabuf)
		return link->no_dmabuf;
	if (!link->dmabuf)
		return "the compositor has no linux-dmabuf";
	if (win->slow)
		return "the compositor took longer than a second";
	if (image->width != win->mode_width ||
	    image->height != win->mode_height)
		return "the picture is not as large as the mode";
	if (!layouts(link, image))
		return "the compositor does not take the format";
	/* what compositors check, where their answer would be our end */
	if (import->dmabuf.offset > UINT32_MAX || end > import->dmabuf.size ||
	    image->stride > INT32_MAX)
		return "the buffer has no room for the last row's stride";
	if (import->state == WAY_REFUSED)
		return "the compositor refused the buffer";
	return NULL;
}

bool way_import_choose(struct way_window *win)
{
	struct way_import *import = find(win, &win->next);

	win->import = NULL;
	win->why_copied = import ? obstacle(win, import) : NULL;
	if (!import || win->why_copied)
		return true;
	if (import->state == WAY_NEW)
		ask(import);
	if (import->state == WAY_TAKEN)
		win->import = import;
	return import->state != WAY_ASKED;
}

void way_import_give_up(struct way_window *win)
{
	const struct way_import *next = find(win, &win->next);
	unsigned int i;

	if (way_import_is_idle(win) &&
	    (!win->uncommitted || !next || next->state != WAY_ASKED))
		return;
	win->slow = true;
	for (i = 0; i < WAY_IMPORTS; i++)
		if (&win->imports[i] != win->shown)
			win->imports[i].busy = false;
	way_window_copy(win);
}

void way_import_tell(struct way_window *win)
{
	struct xd_output_params *params = &win->owner->params;

	if (win->import || win->why_copied)
		params->events->zero_copy(params->ctx, win->index,
					  win->why_copied);
}

bool way_import_is_idle(const struct way_window *win)
{
	unsigned int i;

	for (i = 0; i < WAY_IMPORTS; i++)
		if (win->imports[i].busy && &win->imports[i] != win->shown)
			return false;
	return true;
}

void way_import_drop(struct way_window *win, const void *data)
{
	unsigned int i;

	for (i = 0; i < WAY_IMPORTS; i++) {
		struct way_import *import = &win->imports[i];

		if (import->image.data != data)
			continue;
		if (win->import == import)
			win->import = NULL;
		if (win->shown == import)
			win->shown = NULL;
		import->image.data = NULL;
		/* an answer that found nobody would leave a buffer there */
		if (import->state != WAY_ASKED)
			unmake(import);
	}
	way_window_check(win);
}

void way_import_forget(struct way_window *win)
{
	struct way_link *link = &win->owner->link;
	bool asked = false;
	unsigned int i;

	for (i = 0; i < WAY_IMPORTS; i++) {
		asked |= win->imports[i].state != WAY_NEW;
		unmake(&win->imports[i]);
	}
	/* it may be for a buffer of these: not again */
	if (asked && wl_display_get_error(link->display) == EPROTO)
		link->no_dmabuf = "the compositor threw the guest out with it";
	win->import = NULL;
	win->shown = NULL;
	win->slow = false;
}
