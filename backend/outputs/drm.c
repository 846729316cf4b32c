/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Monitors of this machine: one of its connectors for each of the guest's, by a
 * lease. Pictures that the card can read are flipped to, others are copied to one
 * of two dumb buffers, which are flipped; the flip's event paces the guest. A card that has no clock, a connector without a
 * monitor, or one that could not be had, goes at the configured rate.
 *
 * A lease that is lost, with the card or its master, is asked for again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "outputs/drm-output.h"

#define LOST_FLIP	1000000000ull	/* ns, then its event does not come */
#define RETRY		1000000000ull	/* ns */
/* Modes of a guest's monitor: so many at once, and one in so many ns. */
#define MODES		4
#define MODE_SHARE	250000000ull

static struct drm_output *to_drm(struct xd_output *output)
{
	return (struct drm_output *)output;
}

__attribute__((format(printf, 2, 3)))
static void note(struct drm_output *out, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	out->params.events->note(out->params.ctx, text);
}

/* Frames */

static void frame_over(struct drm_monitor *mon)
{
	struct xd_output_params *params = &mon->owner->params;

	if (!mon->pending)
		return;
	mon->pending = false;
	xd_timer_set(&mon->pace, 0);
	params->events->done(params->ctx, mon->index);
}

static void paced(void *ctx)
{
	frame_over(ctx);
}

/* Nothing else paces it. */
static void pace(struct drm_monitor *mon)
{
	xd_timer_set(&mon->pace, xd_next_due(&mon->last, mon->owner->period));
}

/* The card took the picture: at a frame's begin, or whenever it liked. */
static void flipped(struct drm_monitor *mon)
{
	if (!mon->pending)
		return;
	mon->serial++;
	if (mon->clocked)
		frame_over(mon);
	else
		pace(mon);
}

/* Leases */

static bool is_lost(int err)
{
	return err == -ENODEV || err == -ENOENT || err == -EACCES ||
		err == -EPERM || err == -EBADF;
}

static void close_lease(struct drm_output *out)
{
	unsigned int i;

	for (i = 0; i < out->nr_monitors; i++)
		drm_screen_lost(&out->monitors[i]);
	if (out->fd < 0)
		return;
	if (out->source.fd >= 0)
		xd_source_del(out->params.loop, &out->source);
	close(out->fd);
	out->fd = -1;
}

/* The guest goes on without monitors until there is another lease. */
static void lose(struct drm_output *out, int err)
{
	unsigned int i;

	note(out, "the graphics card is lost: %s; trying again",
	     strerror(-err));
	close_lease(out);
	for (i = 0; i < out->nr_monitors; i++)
		if (out->monitors[i].pending)
			pace(&out->monitors[i]);
	xd_timer_set(&out->retry, xd_now() + RETRY);
}

static void retry(void *ctx)
{
	struct drm_output *out = ctx;

	out->rests = false;
	/* in case that there is no answer */
	xd_timer_set(&out->retry, xd_now() + RETRY);
	out->params.events->reopen(out->params.ctx);
}

/* The guest waits for the flip's event, or that of one that is in its way. */
static void flip(struct drm_monitor *mon, const pixman_box32_t *damage,
		 unsigned int nr_damage)
{
	int ret = drm_screen_flip(mon, damage, nr_damage);

	mon->behind = ret == -EBUSY;
	if (is_lost(ret))
		lose(mon->owner, ret);
	else if (mon->pending && (!ret || mon->behind))
		xd_timer_set(&mon->pace, xd_now() + LOST_FLIP);
	else if (mon->pending)
		pace(mon);
}

static void handle_event(struct drm_output *out,
			 const struct drm_event_vblank *event)
{
	unsigned int i;

	for (i = 0; i < out->nr_monitors; i++) {
		struct drm_monitor *mon = &out->monitors[i];

		if (mon->head.crtc != event->crtc_id)
			continue;
		if (mon->behind && mon->lit && mon->next.data)
			flip(mon, NULL, 0);
		else if (mon->serial == event->user_data)
			flipped(mon);
	}
}

static void card_event(void *ctx, uint32_t events)
{
	struct drm_output *out = ctx;
	char bytes[4096];
	ssize_t len = read(out->fd, bytes, sizeof(bytes));
	size_t at = 0;

	if (len <= 0 && events & (EPOLLHUP | EPOLLERR)) {
		lose(out, -ENODEV);
		return;
	}
	while (len > 0 && at + sizeof(struct drm_event) <= (size_t)len) {
		struct drm_event_vblank event = { 0 };

		memcpy(&event.base, bytes + at, sizeof(event.base));
		if (event.base.length < sizeof(event.base) ||
		    event.base.length > (size_t)len - at)
			return;
		if (event.base.type == DRM_EVENT_FLIP_COMPLETE &&
		    event.base.length >= sizeof(event)) {
			memcpy(&event, bytes + at, sizeof(event));
			handle_event(out, &event);
		}
		at += event.base.length;
	}
}

/* @due: ns, when the mode is to be set; 0: no more */
static void set_late(struct drm_monitor *mon, uint64_t due)
{
	mon->late = due;
	xd_timer_set(&mon->setting, due);
}

/*
 * All that use the card wait while a mode is set. Takes one from the guest's share,
 * and returns 0, or when there will be one.
 */
static uint64_t take_mode(struct drm_monitor *mon)
{
	const uint64_t now = xd_now();
	const uint64_t paid = mon->modes_paid > now ? mon->modes_paid : now;

	if (paid - now > (MODES - 1) * MODE_SHARE)
		return paid - (MODES - 1) * MODE_SHARE;
	mon->modes_paid = paid + MODE_SHARE;
	return 0;
}

/* A CRTC that is dark has no clock. */
static int light(struct drm_monitor *mon)
{
	int ret = drm_screen_light(mon);
	uint64_t seq;

	mon->behind = false;
	set_late(mon, 0);
	if (mon->lit)
		mon->clocked = !drmCrtcGetSequence(mon->owner->fd,
						   mon->head.crtc, &seq, NULL);
	return ret;
}

/* A mode that was put off; one that cannot be set leaves the monitor dark. */
static void set_mode(void *ctx)
{
	struct drm_monitor *mon = ctx;
	int ret;

	if (!mon->late)
		return;
	take_mode(mon);
	ret = light(mon);
	mon->serial++;
	if (is_lost(ret))
		lose(mon->owner, ret);
	else if (ret)
		note(mon->owner, "connector %u: cannot set the mode: %s",
		     mon->index, strerror(-ret));
}

static void drm_hotplug(struct xd_output *output)
{
	struct drm_output *out = to_drm(output);
	bool other, changed;
	unsigned int i;
	int ret;

	/* perhaps it is there now */
	if (out->fd < 0 && !out->rests)
		retry(out);
	for (i = 0; i < out->nr_monitors && out->fd >= 0; i++) {
		struct drm_monitor *mon = &out->monitors[i];

		ret = drm_screen_probe(mon, &other, &changed);
		if (!ret && changed)
			ret = light(mon);
		if (ret && is_lost(ret)) {
			lose(out, ret);
			return;
		}
		if (changed) {
			note(out, "connector %u: %s is %s", i, mon->head.name,
			     mon->connected ? "plugged in" : "unplugged");
			/* the event of a flip that was on its way is not waited for */
			mon->serial++;
			if (mon->pending)
				pace(mon);
		}
		if (other)
			out->params.events->changed(out->params.ctx, i);
	}
}

static int take_head(struct drm_monitor *mon, const struct drm_head *head)
{
	struct drm_output *out = mon->owner;
	bool other, changed;
	int ret;

	mon->head = *head;
	if (!head->connector) {
		note(out, "connector %u: shown nowhere, there is no such connector here",
		     mon->index);
		return 0;
	}
	ret = drm_screen_init(mon);
	if (!ret)
		ret = drm_screen_probe(mon, &other, &changed);
	if (ret)
		return ret;
	note(out, "connector %u: shown on %s%s", mon->index, head->name,
	     mon->connected ? "" : ", which has no monitor");
	if (other)
		out->params.events->changed(out->params.ctx, mon->index);
	ret = light(mon);
	/* a mode that cannot be set is not the lease's fault */
	return is_lost(ret) ? ret : 0;
}

/* Takes the lease @fd in each case. */
static int use_lease(struct drm_output *out, int fd)
{
	const struct xd_output_params *params = &out->params;
	struct drm_head heads[DRM_MAX_HEADS];
	unsigned int i;
	int ret;

	out->fd = fd;
	if (drmSetClientCap(fd, DRM_CLIENT_CAP_ATOMIC, 1))
		return -EOPNOTSUPP;
	ret = drm_heads_pick(fd,
			     params->options->text[XD_OPTION_DRM_CONNECTORS],
			     out->nr_monitors, NULL, 0, heads);
	if (ret < 0)
		return ret;
	ret = xd_source_add(params->loop, &out->source, fd, EPOLLIN,
			    card_event, out);
	for (i = 0; i < out->nr_monitors && !ret; i++)
		ret = take_head(&out->monitors[i], &heads[i]);
	return ret;
}

static void drm_reopened(struct xd_output *output, int fd)
{
	struct drm_output *out = to_drm(output);
	int ret;

	xd_timer_set(&out->retry, 0);
	if (out->fd >= 0) {
		/* an answer that came after the next one */
		if (fd >= 0)
			close(fd);
		return;
	}
	ret = fd < 0 ? fd : use_lease(out, fd);
	if (!ret)
		return;
	if (fd >= 0)
		note(out, "cannot use the graphics card: %s; trying again",
		     strerror(-ret));
	close_lease(out);
	out->rests = fd >= 0;
	xd_timer_set(&out->retry, xd_now() + RETRY);
}

/* The operations */

static void drm_destroy(struct xd_output *output)
{
	struct drm_output *out = to_drm(output);
	unsigned int i;

	for (i = 0; i < out->nr_monitors; i++) {
		drm_screen_darken(&out->monitors[i]);
		xd_timer_finish(out->params.loop, &out->monitors[i].pace);
		xd_timer_finish(out->params.loop, &out->monitors[i].setting);
	}
	close_lease(out);
	xd_timer_finish(out->params.loop, &out->retry);
	free(out->monitors);
	free(out);
}

static int make_monitors(struct drm_output *out)
{
	int ret = xd_timer_init(out->params.loop, &out->retry, retry, out);

	out->monitors = calloc(out->params.nr_monitors,
			       sizeof(*out->monitors));
	if (!out->monitors)
		return -ENOMEM;
	while (!ret && out->nr_monitors < out->params.nr_monitors) {
		struct drm_monitor *mon = &out->monitors[out->nr_monitors];

		mon->owner = out;
		mon->index = out->nr_monitors++;
		ret = xd_timer_init(out->params.loop, &mon->pace, paced, mon);
		if (!ret)
			ret = xd_timer_init(out->params.loop, &mon->setting,
					    set_mode, mon);
	}
	return ret;
}

static int drm_create(const struct xd_output_params *params,
		      struct xd_output **ret_output)
{
	struct drm_output *out = calloc(1, sizeof(*out));
	int ret = -ENOMEM;

	if (out) {
		out->base.ops = &xd_output_drm;
		out->params = *params;
		out->fd = -1;
		out->source.fd = -1;
		if (params->millihertz)
			out->period = 1000000000000ull / params->millihertz;
		ret = make_monitors(out);
	}
	if (ret) {
		if (params->fd >= 0)
			close(params->fd);
		if (out)
			drm_destroy(&out->base);
		return ret;
	}
	*ret_output = &out->base;
	drm_reopened(&out->base, params->fd >= 0 ? params->fd : -ENODEV);
	return 0;
}

static void drm_forget(struct drm_monitor *mon)
{
	mon->pending = false;
	mon->behind = false;
	mon->serial++;
	xd_timer_set(&mon->pace, 0);
}

/* As it was before a mode that cannot be. */
static void show_again(struct drm_monitor *mon, uint32_t width,
		       uint32_t height, const struct xd_image *image)
{
	int ret;

	mon->width = width;
	mon->height = height;
	mon->next = *image;
	ret = light(mon);
	if (is_lost(ret)) {
		lose(mon->owner, ret);
		return;
	}
	mon->serial++;
	if (mon->pending)
		pace(mon);
}

static int drm_show(struct xd_output *output, unsigned int monitor,
		    uint32_t width, uint32_t height,
		    const struct xd_image *image)
{
	struct drm_monitor *mon = &to_drm(output)->monitors[monitor];
	const uint32_t old_width = mon->width, old_height = mon->height;
	const struct xd_image old = mon->next;
	uint64_t due;
	int ret;

	mon->width = width;
	mon->height = height;
	mon->next = *image;
	due = drm_screen_sets_mode(mon) ? take_mode(mon) : 0;
	if (due) {
		drm_forget(mon);
		set_late(mon, due);
		return 0;
	}
	ret = light(mon);
	if (ret && !is_lost(ret)) {
		show_again(mon, old_width, old_height, &old);
		return ret;
	}
	drm_forget(mon);
	if (ret)
		lose(mon->owner, ret);
	return 0;
}

static void drm_present(struct xd_output *output, unsigned int monitor,
			const struct xd_image *image,
			const pixman_box32_t *damage, unsigned int nr_damage)
{
	struct drm_monitor *mon = &to_drm(output)->monitors[monitor];

	if (image->width != mon->next.width ||
	    image->height != mon->next.height)
		nr_damage = 0;
	mon->next = *image;
	mon->pending = true;
	if (!mon->lit || mon->late) {
		pace(mon);
		return;
	}
	flip(mon, damage, nr_damage);
}

static void drm_off(struct xd_output *output, unsigned int monitor)
{
	struct drm_monitor *mon = &to_drm(output)->monitors[monitor];

	drm_forget(mon);
	set_late(mon, 0);
	mon->width = 0;
	mon->height = 0;
	mon->next.data = NULL;
	drm_screen_darken(mon);
}

static void drm_import(struct xd_output *output, unsigned int monitor,
		       const struct xd_image *image,
		       const struct xd_dmabuf *dmabuf)
{
	drm_import_add(&to_drm(output)->monitors[monitor], image, dmabuf);
}

static void drm_release(struct xd_output *output, const void *data)
{
	struct drm_output *out = to_drm(output);
	unsigned int i;

	for (i = 0; i < out->nr_monitors; i++) {
		struct drm_monitor *mon = &out->monitors[i];

		if (mon->shown && mon->shown->image.data == data)
			drm_screen_copy(mon);
		drm_import_drop(mon, data);
		if (mon->next.data == data)
			mon->next.data = NULL;
	}
}

/* A picture that was not copied for the screen is for this. */
static int copy_shown(const struct drm_monitor *mon,
		      struct xd_canvas *ret_canvas)
{
	const struct xd_image *image = &mon->shown->image;
	int64_t copied;
	int ret = xd_canvas_init(ret_canvas, image->width, image->height);

	if (ret)
		return ret;
	copied = xd_image_copy(ret_canvas, image, NULL);
	if (copied >= 0)
		return 0;
	xd_canvas_finish(ret_canvas);
	return (int)copied;
}

static int drm_screenshot(struct xd_output *output, unsigned int monitor,
			  struct xd_canvas *ret_canvas)
{
	struct drm_monitor *mon = &to_drm(output)->monitors[monitor];
	struct xd_canvas picture;
	uint32_t y;
	int ret;

	if (!mon->lit)
		return -ENOENT;
	if (mon->shown)
		return copy_shown(mon, ret_canvas);
	picture = drm_screen_picture(mon, &mon->buffers[mon->front]);
	ret = xd_canvas_init(ret_canvas, picture.width, picture.height);
	for (y = 0; y < picture.height && !ret; y++)
		memcpy((char *)ret_canvas->data +
		       (size_t)y * ret_canvas->stride,
		       (char *)picture.data + (size_t)y * picture.stride,
		       (size_t)picture.width * 4);
	return ret;
}

static int drm_edid(struct xd_output *output, unsigned int monitor,
		    struct xd_output_edid *ret_edid)
{
	struct drm_monitor *mon = &to_drm(output)->monitors[monitor];

	if (!mon->edid.size)
		return -ENOENT;
	*ret_edid = mon->edid;
	return 0;
}

const struct xd_output_ops xd_output_drm = {
	.name = "drm",
	.pictures = DRM_BUFFERS,
	.open = drm_master_lease,
	.closed = drm_master_closed,
	.watch = drm_master_watch,
	.watched = drm_master_changed,
	.create = drm_create,
	.reopened = drm_reopened,
	.hotplug = drm_hotplug,
	.show = drm_show,
	.present = drm_present,
	.off = drm_off,
	.import = drm_import,
	.release = drm_release,
	.screenshot = drm_screenshot,
	.edid = drm_edid,
	.destroy = drm_destroy,
};
