/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A window: its size, its frames. The size is the user's; the guest is told
 * and follows when it can, until then the picture is scaled. Frames go at the
 * compositor's pace. It says nothing while a window cannot be seen, so that a
 * second is the longest that a frame takes.
 */
#include <stdio.h>
#include <string.h>

#include "outputs/wayland.h"

#define HIDDEN_FRAME	1000000000ull	/* ns */
#define STARVED		100000000ull	/* to look for memory again */
#define SETTLE		200000000ull	/* a user who drags rests for less */
#define MAX_SIZE	8192
#define MAX_RECTS	32

static void frame_over(struct way_window *win)
{
	struct xd_output_params *params = &win->owner->params;

	if (!win->pending)
		return;
	win->pending = false;
	xd_timer_set(&win->pace, 0);
	params->events->done(params->ctx, win->index);
}

/*
 * On screen, and the guest's last picture is not read any more. What is still not
 * drawn waits for the compositor to let go of a buffer.
 */
static bool is_over(const struct way_window *win)
{
	return !win->frame && !win->uncommitted && way_import_is_idle(win);
}

static void paced(void *ctx)
{
	struct way_window *win = ctx;

	if (win->starved) {
		way_window_update(win);
		if (!win->starved)
			return;
		/* the guest does not wait for it any longer, but we do */
	} else if (win->configured && !is_over(win)) {
		way_import_give_up(win);
	}
	frame_over(win);
	if (win->starved)
		xd_timer_set(&win->pace, xd_now() + STARVED);
}

/* Not from in here: it may be for a request of the guest. */
void way_window_check(struct way_window *win)
{
	if (win->pending && is_over(win))
		xd_timer_set(&win->pace, 1);
}

static void settled(void *ctx)
{
	struct way_window *win = ctx;
	struct xd_output_params *params = &win->owner->params;
	bool answered = win->told_width == win->mode_width &&
		win->told_height == win->mode_height;

	win->late_width = answered ? 0 : win->told_width;
	win->late_height = answered ? 0 : win->told_height;
	win->told_width = win->width;
	win->told_height = win->height;
	params->events->resized(params->ctx, win->index, win->width,
				win->height);
}

int way_window_init(struct way_window *win, struct way_output *owner,
		    unsigned int index)
{
	int ret;

	win->owner = owner;
	win->index = index;
	ret = xd_timer_init(owner->params.loop, &win->pace, paced, win);
	if (!ret)
		ret = xd_timer_init(owner->params.loop, &win->settle, settled,
				    win);
	return ret;
}

void way_window_finish(struct way_window *win)
{
	way_window_close(win);
	way_paint_finish(win);
	xd_timer_finish(win->owner->params.loop, &win->pace);
	xd_timer_finish(win->owner->params.loop, &win->settle);
}

/*
 * When the frame that was presented is over at the latest. Without a window
 * that is on a schedule of our own, so that frames do not drift.
 */
static void set_pace(struct way_window *win)
{
	if (!win->pending)
		return;
	xd_timer_set(&win->pace, win->configured ? xd_now() + HIDDEN_FRAME :
		     xd_next_due(&win->last, win->owner->period));
}

static void frame_done(void *data, struct wl_callback *callback, uint32_t time)
{
	struct way_window *win = data;

	wl_callback_destroy(callback);
	win->frame = NULL;
	if (is_over(win))
		frame_over(win);
}

static const struct wl_callback_listener frame_listener = {
	.done = frame_done,
};

static void send_damage(struct way_window *win)
{
	pixman_region32_t *region = &win->changed.region;
	const pixman_box32_t *box;
	int i, n;

	box = pixman_region32_rectangles(region, &n);
	if (n > MAX_RECTS) {
		box = pixman_region32_extents(region);
		n = 1;
	}
	for (i = 0; i < n; i++)
		wl_surface_damage_buffer(win->surface, box[i].x1, box[i].y1,
					 box[i].x2 - box[i].x1,
					 box[i].y2 - box[i].y1);
	xd_damage_clear(&win->changed);
}

/* Without a viewporter a window has its picture's size. */
static void send_size(struct way_window *win)
{
	uint32_t width = win->width, height = win->height;

	if (!win->viewport) {
		win->shown_width = win->mode_width;
		win->shown_height = win->mode_height;
		return;
	}
	if (win->fullscreen &&
	    (uint64_t)width * win->mode_height >
	    (uint64_t)height * win->mode_width)
		width = (uint32_t)((uint64_t)height * win->mode_width /
				   win->mode_height);
	else if (win->fullscreen)
		height = (uint32_t)((uint64_t)width * win->mode_height /
				    win->mode_width);
	win->shown_width = width ? width : 1;
	win->shown_height = height ? height : 1;
	wp_viewport_set_destination(win->viewport, (int32_t)win->shown_width,
				    (int32_t)win->shown_height);
}

static void commit(struct way_window *win)
{
	if (!win->attached) {
		wl_surface_attach(win->surface, win->import ?
				  win->import->proxy : win->front->proxy, 0, 0);
		if (win->import)
			win->import->busy = true;
		else
			win->front->busy = true;
		win->shown = win->import;
		win->attached = true;
		send_damage(win);
		way_import_tell(win);
	}
	send_size(win);
	if (!win->frame) {
		win->frame = wl_surface_frame(win->surface);
		if (win->frame)
			wl_callback_add_listener(win->frame, &frame_listener,
						 win);
	}
	wl_surface_commit(win->surface);
	win->uncommitted = false;
	way_link_flush(&win->owner->link);
}

static bool is_open(const struct way_window *win)
{
	const struct way_link *link = &win->owner->link;

	return win->configured && !link->blocked && !link->lost;
}

/* Is what the window should show in a buffer that can be attached? */
static bool is_prepared(struct way_window *win)
{
	return win->import || ((!win->unpainted || way_paint(win)) &&
			       win->front && way_paint_share(win));
}

void way_window_update(struct way_window *win)
{
	bool ready = win->uncommitted && is_open(win) && way_import_choose(win);

	if (ready && is_prepared(win))
		commit(win);
	win->starved = ready && win->uncommitted && !way_paint_waits(win);
	set_pace(win);
	if (win->starved)
		xd_timer_set(&win->pace, xd_now() + STARVED);
}

void way_window_copy(struct way_window *win)
{
	way_paint_last(win);
	win->import = NULL;
	win->attached = false;
	win->uncommitted = true;
	if (is_open(win) && win->front && way_paint_share(win))
		commit(win);
}

/*
 * As the user or the compositor has made it, for as long as that lasts; else as
 * large as the picture.
 */
static void choose_size(struct way_window *win)
{
	if (win->asked_fixed && !win->fixed) {
		win->free_width = win->width;
		win->free_height = win->height;
	} else if (win->fixed && !win->asked_fixed) {
		win->width = win->free_width;
		win->height = win->free_height;
	}
	if (win->asked_width && win->asked_height) {
		win->width = win->asked_width;
		win->height = win->asked_height;
	} else if (!win->width) {
		win->width = win->mode_width;
		win->height = win->mode_height;
	}
}

void way_window_mode_set(struct way_window *win)
{
	bool late = win->mode_width == win->late_width &&
		win->mode_height == win->late_height;

	win->late_width = 0;
	/* there is, or will be, a newer size that it has to follow */
	if (late || win->settle.armed)
		return;
	/* without a compositor nobody insists on a size */
	if (win->fixed && win->configured)
		return;
	win->width = win->mode_width;
	win->height = win->mode_height;
}

static void surface_configure(void *data, struct xdg_surface *surface,
			      uint32_t serial)
{
	struct way_window *win = data;
	uint32_t width = win->width, height = win->height;

	xdg_surface_ack_configure(surface, serial);
	choose_size(win);
	win->fixed = win->asked_fixed;
	win->fullscreen = win->asked_fullscreen;
	if (win->width != width || win->height != height)
		xd_timer_set(&win->settle, xd_now() + SETTLE);
	win->configured = true;
	win->uncommitted = true;
	way_window_update(win);
}

static const struct xdg_surface_listener surface_listener = {
	.configure = surface_configure,
};

static uint32_t clamp(int32_t size)
{
	if (size <= 0)
		return 0;
	return size > MAX_SIZE ? MAX_SIZE : (uint32_t)size;
}

static void toplevel_configure(void *data, struct xdg_toplevel *toplevel,
			       int32_t width, int32_t height,
			       struct wl_array *states)
{
	struct way_window *win = data;
	const uint32_t *state;

	win->asked_width = clamp(width);
	win->asked_height = clamp(height);
	win->asked_fixed = false;
	win->asked_fullscreen = false;
	wl_array_for_each(state, states) {
		if (*state == XDG_TOPLEVEL_STATE_FULLSCREEN)
			win->asked_fullscreen = true;
		if (*state == XDG_TOPLEVEL_STATE_FULLSCREEN ||
		    *state == XDG_TOPLEVEL_STATE_MAXIMIZED ||
		    (*state >= XDG_TOPLEVEL_STATE_TILED_LEFT &&
		     *state <= XDG_TOPLEVEL_STATE_TILED_BOTTOM))
			win->asked_fixed = true;
	}
}

/* A guest's monitor is not unplugged by a click: the window makes way. */
static void toplevel_close(void *data, struct xdg_toplevel *toplevel)
{
	xdg_toplevel_set_minimized(toplevel);
}

static const struct xdg_toplevel_listener toplevel_listener = {
	.configure = toplevel_configure,
	.close = toplevel_close,
};

static void name_window(struct way_window *win)
{
	struct way_output *out = win->owner;
	char text[192];

	snprintf(text, sizeof(text), "%s - %s", out->params.guest,
		 out->params.names[win->index]);
	xdg_toplevel_set_title(win->toplevel, text);
	snprintf(text, sizeof(text), "xen-displayd.%s.%u", out->params.guest,
		 win->index);
	xdg_toplevel_set_app_id(win->toplevel, text);
}

static void decorate(struct way_window *win)
{
	struct way_link *link = &win->owner->link;

	if (link->viewporter)
		win->viewport = wp_viewporter_get_viewport(link->viewporter,
							   win->surface);
	if (!link->decoration)
		return;
	win->decoration =
		zxdg_decoration_manager_v1_get_toplevel_decoration(
			link->decoration, win->toplevel);
	if (win->decoration)
		zxdg_toplevel_decoration_v1_set_mode(
			win->decoration,
			ZXDG_TOPLEVEL_DECORATION_V1_MODE_SERVER_SIDE);
}

/* There is a window from the guest's first mode on. */
void way_window_open(struct way_window *win)
{
	struct way_link *link = &win->owner->link;

	if (win->surface || !win->mode_width || !link->ready)
		return;
	win->surface = wl_compositor_create_surface(link->compositor);
	if (win->surface)
		win->xdg_surface = xdg_wm_base_get_xdg_surface(link->wm_base,
							       win->surface);
	if (win->xdg_surface)
		win->toplevel = xdg_surface_get_toplevel(win->xdg_surface);
	if (!win->toplevel) {
		link->lost = true;
		xd_timer_set(&link->retry, 1);
		return;
	}
	wl_surface_set_user_data(win->surface, win);
	xdg_surface_add_listener(win->xdg_surface, &surface_listener, win);
	xdg_toplevel_add_listener(win->toplevel, &toplevel_listener, win);
	name_window(win);
	decorate(win);
	if (!strcmp(win->owner->params.options
		    ->text[XD_OPTION_WAYLAND_FULLSCREEN], "yes"))
		xdg_toplevel_set_fullscreen(win->toplevel, NULL);
	wl_surface_commit(win->surface);
	way_link_flush(link);
}

void way_window_close(struct way_window *win)
{
	if (win->frame)
		wl_callback_destroy(win->frame);
	if (win->decoration)
		zxdg_toplevel_decoration_v1_destroy(win->decoration);
	if (win->viewport)
		wp_viewport_destroy(win->viewport);
	if (win->toplevel)
		xdg_toplevel_destroy(win->toplevel);
	if (win->xdg_surface)
		xdg_surface_destroy(win->xdg_surface);
	if (win->surface)
		wl_surface_destroy(win->surface);
	way_paint_forget(win);
	way_import_forget(win);
	if (win->mode_width)
		xd_damage_add_all(&win->changed);
	/* the next compositor may be another one, which can scale or cannot */
	if (win->mode_width && !win->on)
		way_paint_off(win);
	win->frame = NULL;
	win->decoration = NULL;
	win->viewport = NULL;
	win->toplevel = NULL;
	win->xdg_surface = NULL;
	win->surface = NULL;
	win->configured = false;
	win->fullscreen = false;
	win->uncommitted = true;
	set_pace(win);
}
