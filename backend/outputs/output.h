/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a guest's pictures go. One output object per worker, one monitor per
 * connector of the guest.
 *
 * The contract:
 *  - The worker presents one picture per monitor at a time. The output tells
 *    done() when it is on screen, never from within present(); that is what
 *    paces the guest. The picture may be read from present() until the next
 *    picture's done(), or until release() or off() returns, whichever comes
 *    first.
 *  - show() sets the mode: the picture replaces what there was, at once, and
 *    nothing is told.
 *  - Pictures are guest memory that changes while it is read: sizes were
 *    checked, pixels mean nothing.
 *  - Zero copy: import() offers a framebuffer as a dma-buf before it is shown
 *    first, and the output decides for each picture whether what it shows on
 *    reads that, or a copy. Where pictures stay readable until the next one's
 *    done(), they are for that reader, too: done() comes when it has let go of
 *    the one before. A reader that show() or off() gave something else may be a
 *    moment late. release() takes it off the framebuffer; a dma-buf that it has
 *    not closed yet is the caller's to wait for.
 *  - An output has no timers running while nothing is pending.
 *  - Where people type and point, the output tells input(): what went down goes
 *    up again, or XD_INPUT_LEAVE comes. It need not filter what makes no sense.
 *  - create() runs with no rights: what takes some is opened by open(), in the
 *    supervisor, which reads nothing from it. An output that can lose it asks
 *    for another with reopen().
 */
#ifndef XD_OUTPUTS_OUTPUT_H
#define XD_OUTPUTS_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "image/image.h"

struct xd_output;

/* Positions are fractions of the mode: 0 is its left or upper edge. */
#define XD_INPUT_RANGE		65536
#define XD_INPUT_MAX_CONTACTS	16u

enum xd_input_type {
	XD_INPUT_KEY,		/* @code, @value: 1 down, 0 up; no repetition */
	XD_INPUT_POINTER,	/* is at @x, @y */
	XD_INPUT_WHEEL,		/* @value: steps, towards the user is positive */
	XD_INPUT_TOUCH_DOWN,	/* contact @id at @x, @y */
	XD_INPUT_TOUCH_MOVE,	/* the same */
	XD_INPUT_TOUCH_SHAPE,	/* contact @id is an ellipse of axes @x >= @y */
	XD_INPUT_TOUCH_ORIENT,	/* contact @id is turned by @value degrees */
	XD_INPUT_TOUCH_UP,	/* contact @id */
	XD_INPUT_TOUCH_FRAME,	/* what was told of contacts since the last one
				 * happened at once
				 */
	XD_INPUT_LEAVE,		/* whatever is down goes up */
	XD_NUM_INPUT_TYPES
};

/**
 * struct xd_input - something that a person did
 * @type:	enum xd_input_type, which says what else counts
 * @code:	KEY_* or, of a pointer, BTN_LEFT ... of linux/input-event-codes.h
 * @id:		of a contact, below XD_INPUT_MAX_CONTACTS; free again when it is up
 * @value:	see the types
 * @x, @y:	in 0 .. XD_INPUT_RANGE - 1
 */
struct xd_input {
	uint16_t type;
	uint16_t code;
	uint32_t id;
	int32_t value;
	int32_t x;
	int32_t y;
};

/**
 * struct xd_output_events - what an output tells the worker
 * @done:	the picture presented last is on screen
 * @resized:	the monitor has another preferred size now, or is gone (0x0)
 * @input:	somebody used the monitor's keyboard, pointer or touch screen; may
 *		come at any time from the loop, whether a mode is set or not
 * @busy:	does input of the monitor wait for room? Then more had better come a
 *		little later, where that can be
 * @reopen:	open() shall be called again; reopened() has the answer
 * @changed:	another monitor is there, or none: its EDID shall be read again
 * @note:	something happened to the output that people want to know
 * @zero_copy:	how a framebuffer that was offered to @import is shown: without a
 *		copy (NULL), or copied, and why: a few words that stay. Told with
 *		each picture
 */
struct xd_output_events {
	void (*done)(void *ctx, unsigned int monitor);
	void (*resized)(void *ctx, unsigned int monitor, uint32_t width,
			uint32_t height);
	void (*input)(void *ctx, unsigned int monitor,
		      const struct xd_input *input);
	bool (*busy)(void *ctx, unsigned int monitor);
	void (*reopen)(void *ctx);
	void (*changed)(void *ctx, unsigned int monitor);
	void (*note)(void *ctx, const char *text);
	void (*zero_copy)(void *ctx, unsigned int monitor,
			  const char *why_not);
};

/*
 * Settings of the configuration that are an output's own: one SETTING() each in
 * core/config.c. They are text, checked there for their form.
 */
enum xd_option {
	XD_OPTION_WAYLAND_DISPLAY,
	XD_OPTION_WAYLAND_FULLSCREEN,	/* yes or no */
	XD_OPTION_VNC_LISTEN,
	XD_OPTION_VNC_PORT,
	XD_OPTION_VNC_PASSWORD_FILE,
	XD_OPTION_DRM_CARD,
	XD_OPTION_DRM_CONNECTORS,
	XD_NUM_OPTIONS
};

#define XD_OPTION_SIZE	128

/* "" is a setting that was not made. */
struct xd_output_options {
	char text[XD_NUM_OPTIONS][XD_OPTION_SIZE];
};

/**
 * struct xd_output_params - to create one
 * @loop:	of the worker
 * @events:	called back
 * @ctx:	passed to @events
 * @guest:	the guest's name, for window titles and the like
 * @nr_monitors: connectors of the guest
 * @names:	of the monitors; printable, and stay as long as the output
 * @millihertz:	frame rate for outputs without one of their own; 0: unpaced
 * @options:	settings of the guest; stay as long as the output
 * @fd:		what open() opened, the output's from now on; -1 without open(),
 *		or when that failed and the output has reopened()
 */
struct xd_output_params {
	struct xd_loop *loop;
	const struct xd_output_events *events;
	void *ctx;
	const char *guest;
	unsigned int nr_monitors;
	const char *const *names;
	uint32_t millihertz;
	const struct xd_output_options *options;
	int fd;
};

/**
 * struct xd_dmabuf - a framebuffer, for who need not copy it
 * @fd:		the caller's, open until release()
 * @offset:	bytes, to pixel (0,0)
 * @size:	bytes of the dma-buf
 */
struct xd_dmabuf {
	int fd;
	uint64_t offset;
	uint64_t size;
};

#define XD_OUTPUT_MAX_EDID	4096u

/**
 * struct xd_output_edid - what a real monitor says of itself
 * @size:	bytes in @data, checked by nobody yet
 * @max_width, @max_height: of its modes
 */
struct xd_output_edid {
	uint32_t size;
	uint32_t max_width;
	uint32_t max_height;
	uint8_t data[XD_OUTPUT_MAX_EDID];
};

/**
 * struct xd_view_params - for a viewer: a process of its own, which brings a
 * monitor to one client
 * @options:	settings of the guest
 * @guest:	its name
 * @client:	connected socket, stays the caller's
 * @link:	SOCK_SEQPACKET to the output's attach(), stays the caller's
 * @drop_rights: to be called before anything is read from @client or @link:
 *		0 or -errno
 */
struct xd_view_params {
	const struct xd_output_options *options;
	const char *guest;
	int client;
	int link;
	int (*drop_rights)(void *ctx);
	void *ctx;
};

/* Of a reason, as text. */
#define XD_WHY_SIZE	256

/* Of an address, as text. */
#define XD_ADDRESS_SIZE	160

/**
 * struct xd_output_ops - an output
 * @name:	as in --output
 * @pictures:	of the mode's size, that it may hold of a monitor that is on
 * @kept:	pixels that it may hold of @monitor, which is off; NULL: none worth
 *		counting
 * @open:	in the supervisor, with its rights and before the worker starts: a
 *		descriptor for create(), or -errno, and then one line in @why if
 *		there is more to say; must not wait. NULL when the output needs
 *		none
 * @closed:	in the supervisor: a worker with a descriptor has ended; or NULL
 * @listen:	in the supervisor: a listening socket for those who want to see
 *		@monitor, and its address, or -errno; must not wait. NULL when
 *		nobody comes
 * @view:	in a viewer, started for one who came: 0 when the client has gone, or
 *		-errno, @why then says why where that is not all there is to say
 * @attach:	in the worker: @link, the output's from now on, leads to a viewer
 * @create:	0 or -errno; takes the descriptor in each case
 * @watch:	in the supervisor: a descriptor that becomes readable when monitors
 *		may have come or gone, or -errno; NULL when none do
 * @watched:	reads it empty: have they?
 * @hotplug:	they have
 * @reopened:	what open() opened, the output's from now on, or -errno. NULL when
 *		an output cannot be without
 * @show:	a mode of @width x @height begins with @image, which may be larger
 *		or smaller
 * @present:	@image is next; @damage (@nr_damage rectangles, 0: all of it) is
 *		what changed
 * @off:	the monitor is switched off; what was pending is forgotten
 * @cursor_set:	the cursor's image is @image, with alpha premultiplied, to be
 *		copied at once, and its hot spot; NULL: no cursor: 0 or -errno.
 *		off() hides it too. NULL when the output cannot
 * @cursor_move: where the hot spot is; NULL when the output cannot
 * @import:	what will be shown of @image on @monitor is in @dmabuf, too. NULL
 *		when the output has to copy
 * @release:	@data, an image's, is about to go
 * @screenshot:	what is on screen, into a canvas of the caller's; -ENOENT when
 *		the monitor is off and has never shown anything
 * @edid:	the EDID of a real monitor, or -ENOENT; NULL when there is none
 * @destroy:	frees the output
 */
struct xd_output_ops {
	const char *name;
	unsigned int pictures;
	uint64_t (*kept)(struct xd_output *output, unsigned int monitor);
	int (*open)(const struct xd_output_options *options,
		    const char *guest, unsigned int nr_monitors,
		    char why[XD_WHY_SIZE]);
	void (*closed)(void);
	int (*watch)(void);
	bool (*watched)(int fd);
	int (*listen)(const struct xd_output_options *options,
		      const char *guest, unsigned int monitor,
		      char address[XD_ADDRESS_SIZE]);
	int (*view)(const struct xd_view_params *params,
		    char why[XD_WHY_SIZE]);
	void (*attach)(struct xd_output *output, unsigned int monitor,
		       int link);
	int (*create)(const struct xd_output_params *params,
		      struct xd_output **ret_output);
	void (*reopened)(struct xd_output *output, int fd);
	void (*hotplug)(struct xd_output *output);
	int (*show)(struct xd_output *output, unsigned int monitor,
		    uint32_t width, uint32_t height,
		    const struct xd_image *image);
	void (*present)(struct xd_output *output, unsigned int monitor,
			const struct xd_image *image,
			const pixman_box32_t *damage, unsigned int nr_damage);
	void (*off)(struct xd_output *output, unsigned int monitor);
	int (*cursor_set)(struct xd_output *output, unsigned int monitor,
			  const struct xd_image *image, uint32_t hot_x,
			  uint32_t hot_y);
	void (*cursor_move)(struct xd_output *output, unsigned int monitor,
			    int32_t x, int32_t y);
	void (*import)(struct xd_output *output, unsigned int monitor,
		       const struct xd_image *image,
		       const struct xd_dmabuf *dmabuf);
	void (*release)(struct xd_output *output, const void *data);
	int (*screenshot)(struct xd_output *output, unsigned int monitor,
			  struct xd_canvas *ret_canvas);
	int (*edid)(struct xd_output *output, unsigned int monitor,
		    struct xd_output_edid *ret_edid);
	void (*destroy)(struct xd_output *output);
};

#ifdef XD_VNC
#define XD_KIND_VNC	", vnc"
#else
#define XD_KIND_VNC	""
#endif
#ifdef XD_WAYLAND
#define XD_KIND_WAYLAND	", wayland"
#else
#define XD_KIND_WAYLAND	""
#endif
#ifdef XD_DRM
#define XD_KIND_DRM	", drm"
#else
#define XD_KIND_DRM	""
#endif

/* Names of the outputs that were built. */
#define XD_OUTPUT_KINDS	"headless" XD_KIND_VNC XD_KIND_WAYLAND XD_KIND_DRM

/* No larger cursor is handed to an output. */
#define XD_MAX_CURSOR	256u

/* @copied: bytes of frames, for who wants to know what they cost */
struct xd_output {
	const struct xd_output_ops *ops;
	uint64_t copied;
};

extern const struct xd_output_ops xd_output_headless;
extern const struct xd_output_ops xd_output_wayland;
extern const struct xd_output_ops xd_output_vnc;
extern const struct xd_output_ops xd_output_drm;

/* The output of this name, or NULL. */
const struct xd_output_ops *xd_output_find(const char *name);

/*
 * Is it an address, as text, that vnc can listen at: a numeric one, or the path
 * of a directory? @ret_local: only this machine reaches it.
 */
bool xd_vnc_is_address(const char *text, bool *ret_local);

#endif /* XD_OUTPUTS_OUTPUT_H */
