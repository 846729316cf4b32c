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
	struct xd_image next;		/* data NULL: it has gone */
	bool pending;			/* done() is to come */
	struct xd_canvas kept;		/* copy of a picture that has gone */
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

static void headless_tick(void *ctx)
{
	struct headless_monitor *mon = ctx;

	if (!mon->pending)
		return;
	mon->pending = false;
	if (mon->next.data)
		mon->shown = mon->next;
	mon->next.data = NULL;
	mon->owner->events->done(mon->owner->ctx, mon->index);
}

static void headless_destroy(struct xd_output *output)
{
	struct headless *hl = to_headless(output);
	unsigned int i;

	for (i = 0; i < hl->nr_monitors; i++) {
		xd_timer_finish(hl->loop, &hl->monitors[i].timer);
		xd_canvas_finish(&hl->monitors[i].kept);
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

static void headless_off(struct xd_output *output, unsigned int monitor)
{
	struct headless_monitor *mon = &to_headless(output)->monitors[monitor];

	xd_timer_set(&mon->timer, 0);
	mon->pending = false;
	mon->next.data = NULL;
	mon->shown.data = NULL;
	mon->width = 0;
	mon->height = 0;
	xd_canvas_finish(&mon->kept);
}

static int headless_show(struct xd_output *output, unsigned int monitor,
			 uint32_t width, uint32_t height,
			 const struct xd_image *image)
{
	struct headless_monitor *mon = &to_headless(output)->monitors[monitor];

	headless_off(output, monitor);
	mon->width = width;
	mon->height = height;
	mon->shown = *image;
	return 0;
}

/*
 * On an absolute schedule, so that frames do not drift: the next one is due a
 * period after the last, or now when that has passed.
 */
static void headless_present(struct xd_output *output, unsigned int monitor,
			     const struct xd_image *image,
			     const pixman_box32_t *damage,
			     unsigned int nr_damage)
{
	struct headless *hl = to_headless(output);
	struct headless_monitor *mon = &hl->monitors[monitor];
	uint64_t now = xd_now();
	uint64_t due = mon->last + hl->period;

	mon->next = *image;
	mon->pending = true;
	if (due + hl->period < now)
		due = now;
	mon->last = due;
	xd_timer_set(&mon->timer, due);
}

/* The picture as the mode shows it: cut off, or with black around it. */
static int headless_copy(const struct headless_monitor *mon,
			 struct xd_canvas *canvas)
{
	int64_t copied;
	int ret = xd_canvas_init(canvas, mon->width, mon->height);

	if (ret)
		return ret;
	copied = xd_image_copy(canvas, &mon->shown, NULL);
	if (copied < 0)
		xd_canvas_finish(canvas);
	return copied < 0 ? (int)copied : 0;
}

static void headless_release(struct xd_output *output, const void *data)
{
	struct headless *hl = to_headless(output);
	unsigned int i;

	for (i = 0; i < hl->nr_monitors; i++) {
		struct headless_monitor *mon = &hl->monitors[i];

		if (mon->shown.data == data) {
			xd_canvas_finish(&mon->kept);
			headless_copy(mon, &mon->kept);
			mon->shown.data = NULL;
		}
		if (mon->next.data == data)
			mon->next.data = NULL;
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

static int headless_screenshot(struct xd_output *output, unsigned int monitor,
			       struct xd_canvas *ret_canvas)
{
	struct headless_monitor *mon = &to_headless(output)->monitors[monitor];

	if (mon->shown.data)
		return headless_copy(mon, ret_canvas);
	if (mon->kept.data)
		return headless_keep(mon, ret_canvas);
	return -ENOENT;
}

const struct xd_output_ops xd_output_headless = {
	.name = "headless",
	.create = headless_create,
	.show = headless_show,
	.present = headless_present,
	.off = headless_off,
	.release = headless_release,
	.screenshot = headless_screenshot,
	.destroy = headless_destroy,
};
