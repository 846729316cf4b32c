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
 *  - An output has no timers or descriptors running while nothing is pending.
 */
#ifndef XD_OUTPUTS_OUTPUT_H
#define XD_OUTPUTS_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "image/image.h"

struct xd_output;

/**
 * struct xd_output_events - what an output tells the worker
 * @done:	the picture presented last is on screen
 * @resized:	the monitor has another preferred size now, or is gone (0x0)
 */
struct xd_output_events {
	void (*done)(void *ctx, unsigned int monitor);
	void (*resized)(void *ctx, unsigned int monitor, uint32_t width,
			uint32_t height);
};

/**
 * struct xd_output_params - to create one
 * @loop:	of the worker
 * @events:	called back
 * @ctx:	passed to @events
 * @guest:	the guest's name, for window titles and the like
 * @nr_monitors: connectors of the guest
 * @millihertz:	frame rate for outputs without one of their own; 0: unpaced
 */
struct xd_output_params {
	struct xd_loop *loop;
	const struct xd_output_events *events;
	void *ctx;
	const char *guest;
	unsigned int nr_monitors;
	uint32_t millihertz;
};

/**
 * struct xd_output_ops - an output
 * @name:	as in --output
 * @create:	0 or -errno
 * @show:	a mode of @width x @height begins with @image, which may be larger
 *		or smaller
 * @present:	@image is next; @damage (@nr_damage rectangles, 0: all of it) is
 *		what changed
 * @off:	the monitor is switched off; what was pending is forgotten
 * @cursor_set:	the cursor's image is @image, with alpha premultiplied, to be
 *		copied at once, and its hot spot; NULL: no cursor: 0 or -errno.
 *		off() hides it too. NULL when the output cannot
 * @cursor_move: where the hot spot is; NULL when the output cannot
 * @release:	@data, an image's, is about to go
 * @screenshot:	what is on screen, into a canvas of the caller's; -ENOENT when
 *		the monitor is off and has never shown anything
 * @destroy:	frees the output
 */
struct xd_output_ops {
	const char *name;
	int (*create)(const struct xd_output_params *params,
		      struct xd_output **ret_output);
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
	void (*release)(struct xd_output *output, const void *data);
	int (*screenshot)(struct xd_output *output, unsigned int monitor,
			  struct xd_canvas *ret_canvas);
	void (*destroy)(struct xd_output *output);
};

/* No larger cursor is handed to an output. */
#define XD_MAX_CURSOR	256u

struct xd_output {
	const struct xd_output_ops *ops;
};

extern const struct xd_output_ops xd_output_headless;

/* The output of this name, or NULL. */
const struct xd_output_ops *xd_output_find(const char *name);

#endif /* XD_OUTPUTS_OUTPUT_H */
