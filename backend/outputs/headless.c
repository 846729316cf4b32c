/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An output without a screen: keeps the frame time of one, and the last frame.
 *
 * A frame is not copied when it comes: the guest may not write to a shown
 * buffer until the next one is on screen, so a screenshot is taken out of the
 * buffer itself. Only when the buffer goes is the picture copied.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "outputs/output.h"

struct headless_monitor {
	struct headless *owner;
	unsigned int index;
	struct xd_timer timer;
	uint64_t last;			/* ns, when a frame came on screen */
	uint32_t width;			/* of the mode, 0 when off */
	uint32_t height;
	struct xd_image shown;		/* data NULL: see @kept */
	struct xd_image next;		/* data NULL: it is @shown or @kept */
	bool pending;			/* done() is to come */
	struct xd_canvas kept;		/* copy of a picture that has gone */
	struct xd_canvas cursor;	/* with alpha; data NULL: hidden */
	int32_t hot_x, hot_y;		/* in the cursor */
	int32_t cursor_x, cursor_y;	/* of the hot spot, on the monitor */
};

struct headless {
	struct xd_output base;
	const struct xd_output_events *events;
	void *ctx;
	uint64_t period;		/* ns, 0: unpaced */
	unsigned int nr_monitors;
	struct headless_monitor *monitors;
	struct xd_loop *loop;
};

static struct headless *to_headless(struct xd_output *output)
{
	return (struct headless *)output;
}

static void show_next(struct headless_monitor *mon)
{
	if (mon->next.data)
		mon->shown = mon->next;
	mon->next.data = NULL;
}

static void headless_tick(void *ctx)
{
	struct headless_monitor *mon = ctx;

	if (!mon->pending)
		return;
	mon->pending = false;
	show_next(mon);
	mon->owner->events->done(mon->owner->ctx, mon->index);
}

static void headless_destroy(struct xd_output *output)
{
	struct headless *hl = to_headless(output);
	unsigned int i;

	for (i = 0; i < hl->nr_monitors; i++) {
		xd_timer_finish(hl->loop, &hl->monitors[i].timer);
		xd_canvas_finish(&hl->monitors[i].kept);
		xd_canvas_finish(&hl->monitors[i].cursor);
	}
	free(hl->monitors);
	free(hl);
}

static int headless_create(const struct xd_output_params *params,
			   struct xd_output **ret_output)
{
	struct headless *hl = calloc(1, sizeof(*hl));
	unsigned int i;
	int ret = 0;

	if (!hl)
		return -ENOMEM;
	hl->base.ops = &xd_output_headless;
	hl->events = params->events;
	hl->ctx = params->ctx;
	hl->loop = params->loop;
	if (params->millihertz)
		hl->period = 1000000000000ull / params->millihertz;
	hl->monitors = calloc(params->nr_monitors, sizeof(*hl->monitors));
	if (!hl->monitors)
		ret = -ENOMEM;
	for (i = 0; i < params->nr_monitors && !ret; i++) {
		hl->monitors[i].owner = hl;
		hl->monitors[i].index = i;
		hl->nr_monitors++;
		ret = xd_timer_init(params->loop, &hl->monitors[i].timer,
				    headless_tick, &hl->monitors[i]);
	}
	if (ret) {
		headless_destroy(&hl->base);
		return ret;
	}
	*ret_output = &hl->base;
	return 0;
}

/* Forgets the picture that was there. */
static void headless_clear(struct headless_monitor *mon)
{
	xd_timer_set(&mon->timer, 0);
	mon->pending = false;
	mon->next.data = NULL;
	mon->shown.data = NULL;
	mon->width = 0;
	mon->height = 0;
	xd_canvas_finish(&mon->kept);
}

static void headless_off(struct xd_output *output, unsigned int monitor)
{
	struct headless_monitor *mon = &to_headless(output)->monitors[monitor];

	headless_clear(mon);
	xd_canvas_finish(&mon->cursor);
}

static int headless_show(struct xd_output *output, unsigned int monitor,
			 uint32_t width, uint32_t height,
			 const struct xd_image *image)
{
	struct headless_monitor *mon = &to_headless(output)->monitors[monitor];

	headless_clear(mon);
	mon->width = width;
	mon->height = height;
	mon->shown = *image;
	return 0;
}

static void headless_present(struct xd_output *output, unsigned int monitor,
			     const struct xd_image *image,
			     const pixman_box32_t *damage,
			     unsigned int nr_damage)
{
	struct headless *hl = to_headless(output);
	struct headless_monitor *mon = &hl->monitors[monitor];

	mon->next = *image;
	mon->pending = true;
	xd_timer_set(&mon->timer, xd_next_due(&mon->last, hl->period));
}

/* The picture as the mode shows it: cut off, or with black around it. */
static int headless_copy(struct headless_monitor *mon,
			 struct xd_canvas *canvas)
{
	int64_t copied;
	int ret = xd_canvas_init(canvas, mon->width, mon->height);

	if (ret)
		return ret;
	copied = xd_image_copy(canvas, &mon->shown, NULL);
	if (copied < 0) {
		xd_canvas_finish(canvas);
		return (int)copied;
	}
	mon->owner->base.copied += (uint64_t)copied;
	return 0;
}

static void headless_release(struct xd_output *output, const void *data)
{
	struct headless *hl = to_headless(output);
	unsigned int i;

	for (i = 0; i < hl->nr_monitors; i++) {
		struct headless_monitor *mon = &hl->monitors[i];

		/* what is to come will not be there any more then */
		if (mon->next.data == data)
			show_next(mon);
		if (mon->shown.data == data) {
			xd_canvas_finish(&mon->kept);
			headless_copy(mon, &mon->kept);
			mon->shown.data = NULL;
		}
	}
}

static int headless_keep(const struct headless_monitor *mon,
			 struct xd_canvas *canvas)
{
	int ret = xd_canvas_init(canvas, mon->kept.width, mon->kept.height);

	if (!ret)
		memcpy(canvas->data, mon->kept.data,
		       (size_t)canvas->stride * canvas->height);
	return ret;
}

static int headless_cursor_set(struct xd_output *output, unsigned int monitor,
			       const struct xd_image *image, uint32_t hot_x,
			       uint32_t hot_y)
{
	struct headless_monitor *mon = &to_headless(output)->monitors[monitor];
	struct xd_canvas cursor;
	uint32_t y;
	int ret;

	if (!image) {
		xd_canvas_finish(&mon->cursor);
		return 0;
	}
	ret = xd_canvas_init(&cursor, image->width, image->height);
	if (ret)
		return ret;
	for (y = 0; y < image->height; y++)
		memcpy((char *)cursor.data + (size_t)y * cursor.stride,
		       (const char *)image->data + (size_t)y * image->stride,
		       cursor.stride);
	xd_canvas_finish(&mon->cursor);
	mon->cursor = cursor;
	mon->hot_x = (int32_t)hot_x;
	mon->hot_y = (int32_t)hot_y;
	return 0;
}

static void headless_cursor_move(struct xd_output *output,
				 unsigned int monitor, int32_t x, int32_t y)
{
	struct headless_monitor *mon = &to_headless(output)->monitors[monitor];

	mon->cursor_x = x;
	mon->cursor_y = y;
}

static void draw_cursor(const struct headless_monitor *mon,
			struct xd_canvas *canvas)
{
	const struct xd_canvas *cursor = &mon->cursor;
	pixman_image_t *src, *dst;

	if (!cursor->data)
		return;
	src = pixman_image_create_bits(PIXMAN_a8r8g8b8, (int)cursor->width,
				       (int)cursor->height, cursor->data,
				       (int)cursor->stride);
	dst = pixman_image_create_bits(PIXMAN_x8r8g8b8, (int)canvas->width,
				       (int)canvas->height, canvas->data,
				       (int)canvas->stride);
	if (src && dst)
		pixman_image_composite32(PIXMAN_OP_OVER, src, NULL, dst, 0, 0,
					 0, 0, mon->cursor_x - mon->hot_x,
					 mon->cursor_y - mon->hot_y,
					 (int)cursor->width,
					 (int)cursor->height);
	if (src)
		pixman_image_unref(src);
	if (dst)
		pixman_image_unref(dst);
}

static int headless_screenshot(struct xd_output *output, unsigned int monitor,
			       struct xd_canvas *ret_canvas)
{
	struct headless_monitor *mon = &to_headless(output)->monitors[monitor];
	int ret = -ENOENT;

	if (mon->shown.data)
		ret = headless_copy(mon, ret_canvas);
	else if (mon->kept.data)
		ret = headless_keep(mon, ret_canvas);
	if (!ret)
		draw_cursor(mon, ret_canvas);
	return ret;
}

const struct xd_output_ops xd_output_headless = {
	.name = "headless",
	.pictures = 1,
	.create = headless_create,
	.show = headless_show,
	.present = headless_present,
	.off = headless_off,
	.cursor_set = headless_cursor_set,
	.cursor_move = headless_cursor_move,
	.release = headless_release,
	.screenshot = headless_screenshot,
	.destroy = headless_destroy,
};
