/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Wayland output's parts: one link to the compositor, one window per
 * monitor, up to three shared buffers per window. Windows and the memory of
 * buffers outlive the link; what the compositor knows of them does not.
 */
#ifndef XD_OUTPUTS_WAYLAND_H
#define XD_OUTPUTS_WAYLAND_H

#include <wayland-client.h>

#include "linux-dmabuf-client.h"
#include "outputs/output.h"
#include "viewporter-client.h"
#include "xdg-decoration-client.h"
#include "xdg-shell-client.h"

#define WAY_BUFFERS	3
#define WAY_IMPORTS	16	/* framebuffers of the guest, per window */

struct way_output;
struct way_window;

/* Layouts of a dma-buf: said to be linear, or not said. */
enum { WAY_LINEAR = 1, WAY_IMPLICIT = 2 };

/* A finger: @win NULL: none; @changed, @up: since the last frame of events. */
struct way_contact {
	struct way_window *win;
	int32_t id;
	bool changed;
	bool up;
};

/**
 * struct way_seat - who sits at the compositor; the first of them, if several
 * @name:	of the compositor's
 * @keyboard_on, @pointer_on: the windows that have them
 * @buttons:	that are down, a bit each from BTN_MOUSE on
 * @steps, @scrolled: of the wheel in this frame of events; what is too little
 *		for a step is kept
 */
struct way_seat {
	struct wl_seat *proxy;
	uint32_t name;
	struct wl_keyboard *keyboard;
	struct wl_pointer *pointer;
	struct wl_touch *touch;
	struct way_window *keyboard_on;
	struct way_window *pointer_on;
	uint32_t buttons;
	int32_t steps;
	wl_fixed_t scrolled;
	struct way_contact contacts[XD_INPUT_MAX_CONTACTS];
};

/**
 * struct way_link - the connection to the compositor
 * @display:	NULL while there is none
 * @dmabuf:	NULL: it shows no dma-bufs
 * @formats:	ways in which it takes them as dma-bufs: WAY_LINEAR, WAY_IMPLICIT
 * @dmabuf_asked: for @formats
 * @no_dmabuf:	why it gets none any more, or NULL
 * @ready:	all that we need of it is bound, and @formats known
 * @blocked:	it does not read: nothing more is sent until it does
 * @lost:	to be torn down when its events have been dispatched
 * @retry:	asks the worker for a connection
 * @delay:	ns, until the next try; grows with each that fails
 * @since:	ns, when it became ready
 */
struct way_link {
	struct way_output *owner;
	struct wl_display *display;
	struct wl_registry *registry;
	struct wl_callback *sync;
	struct wl_compositor *compositor;
	struct wl_shm *shm;
	struct xdg_wm_base *wm_base;
	struct wp_viewporter *viewporter;
	struct zxdg_decoration_manager_v1 *decoration;
	struct zwp_linux_dmabuf_v1 *dmabuf;
	uint8_t formats[XD_NUM_FORMATS];
	bool dmabuf_asked;
	const char *no_dmabuf;
	struct way_seat seat;
	struct xd_source source;
	struct xd_timer retry;
	bool ready;
	bool blocked;
	bool lost;
	uint64_t delay;
	uint64_t since;
};

/**
 * struct way_buffer - memory that is shared with the compositor
 * @canvas:	data NULL: not there
 * @stale:	what of it is not as in the newest picture
 * @proxy:	NULL: the compositor does not know it
 * @busy:	the compositor reads it
 */
struct way_buffer {
	struct xd_canvas canvas;
	struct xd_damage stale;
	int fd;
	struct wl_buffer *proxy;
	bool busy;
};

enum way_import_state { WAY_NEW, WAY_ASKED, WAY_TAKEN, WAY_REFUSED };

/**
 * struct way_import - a framebuffer that the compositor can read by itself
 * @image:	data NULL: there is none, or it has gone while the compositor was
 *		@asked
 * @params:	while it is
 * @proxy:	when it has taken it
 * @busy:	it reads it
 */
struct way_import {
	struct xd_image image;
	struct xd_dmabuf dmabuf;
	enum way_import_state state;
	struct way_window *win;
	struct zwp_linux_buffer_params_v1 *params;
	struct wl_buffer *proxy;
	bool busy;
};

/**
 * struct way_window - a monitor of the guest
 * @mode_width, @mode_height: 0 before the first mode
 * @on:		a mode is set; else the window is black, in one buffer of one pixel,
 *		or of the mode's size without a @viewport
 * @next:	the newest picture; data NULL: it has gone
 * @changed:	of it, since the last commit
 * @unpainted:	it is in no buffer yet
 * @uncommitted: the window does not show what it should
 * @pending:	done() is to come
 * @front:	holds the newest picture that was painted
 * @imports:	the guest's framebuffers
 * @import:	the newest picture is shown without a copy; NULL: @front is
 * @attached:	the window has that: a buffer is attached once, or there would be
 *		no telling what its release is for
 * @shown:	the one of @imports that it has, or NULL
 * @why_copied:	says it, for a picture in @imports that is copied
 * @slow:	the compositor was: all are copied until the next mode
 * @frame:	the compositor will tell when to draw again
 * @configured:	the compositor has told the window's size
 * @fixed:	and it insists on that: maximised and the like. A window of a
 *		compositor that went is so until it is @configured again
 * @fullscreen:	@fixed, but smaller is fine
 * @width, @height: of the window
 * @free_width, @free_height: before it was @fixed
 * @told_width, @told_height: what the guest was told last
 * @late_width, @late_height: what before that, without having set it; 0: none
 * @shown_width, @shown_height: of the picture in it, now
 * @asked_width, @asked_height: what the compositor wants it to be, 0: our choice
 * @starved:	it cannot be painted or told to the compositor for want of memory:
 *		@pace ends the wait for some
 * @pace:	ends the wait for a frame
 * @settle:	the window's size has been the same for a while
 * @last:	ns, when a frame was done without a compositor
 */
struct way_window {
	struct way_output *owner;
	unsigned int index;
	uint32_t mode_width;
	uint32_t mode_height;
	bool on;
	struct xd_image next;
	struct xd_damage changed;
	bool unpainted;
	bool uncommitted;
	bool pending;
	struct way_buffer buffers[WAY_BUFFERS];
	struct way_buffer *front;
	struct way_import imports[WAY_IMPORTS];
	struct way_import *import;
	struct way_import *shown;
	bool attached;
	const char *why_copied;
	bool slow;

	struct wl_surface *surface;
	struct xdg_surface *xdg_surface;
	struct xdg_toplevel *toplevel;
	struct wp_viewport *viewport;
	struct zxdg_toplevel_decoration_v1 *decoration;
	struct wl_callback *frame;
	bool configured;
	bool fixed;
	bool fullscreen;
	uint32_t width;
	uint32_t height;
	uint32_t free_width;
	uint32_t free_height;
	uint32_t told_width;
	uint32_t told_height;
	uint32_t late_width;
	uint32_t late_height;
	uint32_t shown_width;
	uint32_t shown_height;
	uint32_t asked_width;
	uint32_t asked_height;
	bool asked_fixed;
	bool asked_fullscreen;
	bool starved;
	struct xd_timer pace;
	struct xd_timer settle;
	uint64_t last;
};

struct way_output {
	struct xd_output base;
	struct xd_output_params params;
	uint64_t period;	/* ns, of frames without a compositor; 0: none */
	struct way_link link;
	unsigned int nr_windows;
	struct way_window *windows;
};

/* wayland-link.c */

int way_link_init(struct way_link *link, struct way_output *owner);
void way_link_finish(struct way_link *link);

/* A connection to the compositor, which is ours now, or -errno. */
void way_link_connect(struct way_link *link, int fd);

/* Sends what has been asked of the compositor. */
void way_link_flush(struct way_link *link);

/* wayland-seat.c */

void way_seat_bind(struct way_seat *seat, struct wl_registry *registry,
		   uint32_t name, uint32_t version);

/* What is down goes up. */
void way_seat_drop(struct way_seat *seat);

/* wayland-window.c */

int way_window_init(struct way_window *win, struct way_output *owner,
		    unsigned int index);
void way_window_finish(struct way_window *win);

/* The link is ready, or lost. */
void way_window_open(struct way_window *win);
void way_window_close(struct way_window *win);

/* Brings what is new to the screen, if that can be now. */
void way_window_update(struct way_window *win);

/* The same at once, from memory of our own. */
void way_window_copy(struct way_window *win);

/* The frame that was presented may be over now; if so, that is told soon. */
void way_window_check(struct way_window *win);

/* The mode's size is set: the window follows unless it must not. */
void way_window_mode_set(struct way_window *win);

/* wayland-paint.c: pictures to buffers */

/* A buffer for a mode that begins: 0 or -ENOMEM. */
int way_paint_resize(struct way_window *win, uint32_t width, uint32_t height);

/* The window is off: what it had is freed, and it is to be painted black. */
void way_paint_off(struct way_window *win);
void way_paint_finish(struct way_window *win);

/* @damage (@nr_damage rectangles, 0: all) of the picture is new. */
void way_paint_damage(struct way_window *win, const pixman_box32_t *damage,
		      unsigned int nr_damage);

/* The newest picture to a buffer that nobody reads: false when there is none. */
bool way_paint(struct way_window *win);

/* Is that so because the compositor reads them all? */
bool way_paint_waits(const struct way_window *win);

/* The newest picture goes: to a buffer with it, or it is lost. */
void way_paint_last(struct way_window *win);

/* The compositor shall know the front buffer: false when it cannot. */
bool way_paint_share(struct way_window *win);

/* The compositor is gone: it reads nothing any more. */
void way_paint_forget(struct way_window *win);

/* wayland-import.c: pictures that are not copied */

/* There is the compositor's linux-dmabuf, which may be too old. */
void way_import_bind(struct way_link *link, struct wl_registry *registry,
		     uint32_t name, uint32_t version);

/* @image is in @dmabuf, too. */
void way_import_add(struct way_window *win, const struct xd_image *image,
		    const struct xd_dmabuf *dmabuf);

/* Sets @import for the newest picture; false: the compositor has yet to say. */
bool way_import_choose(struct way_window *win);

/*
 * The compositor had its time. Pictures that it still reads, or has not said
 * whether it can, are waited for no longer, and the next ones are copied.
 */
void way_import_give_up(struct way_window *win);

/* Tells how the picture that is committed now is shown. */
void way_import_tell(struct way_window *win);

/* Does the compositor read no picture but the one that is shown? */
bool way_import_is_idle(const struct way_window *win);

/* Framebuffers with their pixels at @data go. */
void way_import_drop(struct way_window *win, const void *data);

/* The compositor is gone. */
void way_import_forget(struct way_window *win);

#endif /* XD_OUTPUTS_WAYLAND_H */
