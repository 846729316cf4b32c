/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker's side of the vnc output: a headless output, and a copy of each
 * monitor's picture while somebody looks at it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/packet.h"
#include "outputs/vnc.h"

/* Shown while the guest shows nothing. */
#define IDLE_WIDTH	640u
#define IDLE_HEIGHT	480u
/* Until a keyboard that was full is asked again */
#define REST_NS		20000000u

/**
 * struct vnc_viewer - one that looks at a monitor
 * @owed:	what it has not been told of the picture
 * @owes_picture: the picture itself is another one
 * @typed:	keys or buttons of it may be down
 * @rests:	it is not read: the guest has no room for what it tells
 */
struct vnc_viewer {
	struct vnc_viewer *next;
	struct vnc_monitor *mon;
	int link;
	struct xd_source source;
	struct xd_damage owed;
	bool owes_picture;
	bool typed;
	bool rests;
};

/**
 * struct vnc_monitor - a monitor, and the copy of its picture
 * @on:		a mode is set
 * @width, @height: of the mode; while it is off, of the picture that is black
 * @shown:	data NULL: only the screen has it
 * @next:	the same of the picture that is to come
 * @pending:	its damage
 * @viewers:	there is a copy while there are any
 * @memory:	of the copy, -1: none
 * @copy:	mapped
 */
struct vnc_monitor {
	struct vnc *owner;
	unsigned int index;
	bool on;
	uint32_t width;
	uint32_t height;
	struct xd_image shown;
	struct xd_image next;
	struct xd_damage pending;
	struct vnc_viewer *viewers;
	int memory;
	struct xd_canvas copy;
};

struct vnc {
	struct xd_output base;
	struct xd_output *screen;	/* the headless one */
	const struct xd_output_events *events;
	void *ctx;
	struct xd_loop *loop;
	unsigned int nr_monitors;
	struct vnc_monitor *monitors;
	struct xd_timer rest;	/* of viewers that are not read */
};

static struct vnc *to_vnc(struct xd_output *output)
{
	return (struct vnc *)output;
}

/* The copy */

static size_t copy_size(const struct xd_canvas *copy)
{
	return (size_t)copy->stride * copy->height;
}

static void drop_copy(struct vnc_monitor *mon)
{
	if (mon->memory < 0)
		return;
	munmap(mon->copy.data, copy_size(&mon->copy));
	close(mon->memory);
	mon->memory = -1;
	mon->copy = (struct xd_canvas){ 0 };
}

/*
 * A viewer can neither write to the picture nor make it shorter below us. Old
 * kernels cannot keep it from writing: then it may spoil what others see.
 */
static int seal(int fd)
{
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW))
		return -errno;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) && errno != EINVAL)
		return -errno;
	return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL) ? -errno : 0;
}

static int make_copy(struct vnc_monitor *mon)
{
	struct xd_canvas copy = {
		.width = mon->width,
		.height = mon->height,
		.stride = mon->width * 4,
	};
	int fd = memfd_create("vnc", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int ret = 0;
	void *addr;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)copy_size(&copy)))
		ret = -errno;
	addr = ret ? MAP_FAILED : mmap(NULL, copy_size(&copy),
				       PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				       0);
	if (!ret && addr == MAP_FAILED)
		ret = -errno;
	if (!ret)
		ret = seal(fd);
	if (ret) {
		if (addr != MAP_FAILED)
			munmap(addr, copy_size(&copy));
		close(fd);
		return ret;
	}
	copy.data = addr;
	mon->copy = copy;
	mon->memory = fd;
	return 0;
}

/* What is on screen, whole; black when it is off. */
static int fill_copy(struct vnc_monitor *mon)
{
	struct xd_output *screen = mon->owner->screen;
	struct xd_canvas all;
	uint32_t y;
	int ret;

	if (!mon->copy.data)
		return -ENOMEM;
	ret = screen->ops->screenshot(screen, mon->index, &all);
	if (ret == -ENOENT)
		memset(mon->copy.data, 0, copy_size(&mon->copy));
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	for (y = 0; y < all.height && y < mon->copy.height; y++)
		memcpy((char *)mon->copy.data + (size_t)y * mon->copy.stride,
		       (char *)all.data + (size_t)y * all.stride,
		       all.stride < mon->copy.stride ? all.stride :
		       mon->copy.stride);
	xd_canvas_finish(&all);
	return 0;
}

/* Viewers */

static void drop_viewer(struct vnc_viewer *viewer)
{
	static const struct xd_input leave = { .type = XD_INPUT_LEAVE };
	struct vnc_monitor *mon = viewer->mon;
	struct vnc_viewer **link = &mon->viewers;
	struct vnc *vnc = mon->owner;
	const bool typed = viewer->typed;

	while (*link != viewer)
		link = &(*link)->next;
	*link = viewer->next;
	xd_source_del(vnc->loop, &viewer->source);
	close(viewer->link);
	xd_damage_finish(&viewer->owed);
	free(viewer);
	if (!mon->viewers)
		drop_copy(mon);
	if (typed)
		vnc->events->input(vnc->ctx, mon->index, &leave);
}

/*
 * There is no memory to show them what is on screen: better none of them looks
 * than that they look at something else. Their clients may come again.
 */
static void drop_viewers(struct vnc_monitor *mon)
{
	while (mon->viewers)
		drop_viewer(mon->viewers);
}

static int send_picture(struct vnc_viewer *viewer)
{
	const struct xd_canvas *copy = &viewer->mon->copy;
	const struct vnc_packet packet = {
		.type = VNC_PICTURE,
		.width = copy->width,
		.height = copy->height,
	};
	int ret = xd_packet_send(viewer->link, &packet, sizeof(packet),
				 viewer->mon->memory);

	if (ret)
		return ret;
	viewer->owes_picture = false;
	xd_damage_clear(&viewer->owed);	/* it has seen nothing yet */
	return 0;
}

static int send_damage(struct vnc_viewer *viewer)
{
	struct vnc_packet packet = { .type = VNC_DAMAGE };
	pixman_region32_t *region = &viewer->owed.region;
	pixman_box32_t *boxes;
	int nr, ret;

	boxes = pixman_region32_rectangles(region, &nr);
	if ((unsigned int)nr > VNC_MAX_BOXES) {
		boxes = pixman_region32_extents(region);
		nr = 1;
	}
	packet.nr_boxes = (uint32_t)nr;
	memcpy(packet.boxes, boxes, (size_t)nr * sizeof(*boxes));
	ret = xd_packet_send(viewer->link, &packet, sizeof(packet), -1);
	if (!ret)
		xd_damage_clear(&viewer->owed);
	return ret;
}

/* A viewer whose client is slow does not read: it is told when it does. */
static void tell_viewer(struct vnc_viewer *viewer)
{
	struct xd_loop *loop = viewer->mon->owner->loop;
	int ret = 0;

	if (viewer->owes_picture)
		ret = send_picture(viewer);
	if (!ret && !xd_damage_empty(&viewer->owed))
		ret = send_damage(viewer);
	/* any other error is its end, which the loop tells */
	xd_source_modify(loop, &viewer->source,
			 ret == -EAGAIN ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void take_packet(struct vnc_viewer *viewer,
			const struct vnc_packet *packet)
{
	struct vnc_monitor *mon = viewer->mon;
	struct vnc *vnc = mon->owner;

	if (packet->type == VNC_INPUT) {
		viewer->typed |= packet->input.type == XD_INPUT_KEY;
		vnc->events->input(vnc->ctx, mon->index, &packet->input);
	} else if (packet->type == VNC_SIZE && packet->width &&
		   packet->height) {
		vnc->events->resized(vnc->ctx, mon->index, packet->width,
				     packet->height);
	}
}

/* Its end is not heard either, which would come over and over. */
static void rest(struct vnc_viewer *viewer)
{
	struct vnc *vnc = viewer->mon->owner;

	xd_source_del(vnc->loop, &viewer->source);
	viewer->rests = true;
	xd_timer_set(&vnc->rest, xd_now() + REST_NS);
}

static void viewer_ready(void *ctx, uint32_t events)
{
	struct vnc_viewer *viewer = ctx;
	struct vnc *vnc = viewer->mon->owner;
	struct vnc_packet packet;
	int fd, ret;

	if (events & EPOLLOUT)
		tell_viewer(viewer);
	if (!(events & ~(uint32_t)EPOLLOUT))
		return;
	if (vnc->events->busy(vnc->ctx, viewer->mon->index)) {
		rest(viewer);
		return;
	}
	ret = xd_packet_receive(viewer->link, &packet, sizeof(packet), &fd);
	if (fd >= 0)
		close(fd);
	if (ret > 0)
		take_packet(viewer, &packet);
	else if (ret != -EAGAIN)
		drop_viewer(viewer);
}

static void wake_viewers(struct vnc_monitor *mon)
{
	struct vnc_viewer *viewer, *next;

	for (viewer = mon->viewers; viewer; viewer = next) {
		next = viewer->next;
		if (!viewer->rests)
			continue;
		viewer->rests = false;
		/* what it was not told meanwhile it is told then */
		if (xd_source_add(mon->owner->loop, &viewer->source,
				  viewer->link, EPOLLIN | EPOLLOUT,
				  viewer_ready, viewer))
			drop_viewer(viewer);
	}
}

static void rest_over(void *ctx)
{
	struct vnc *vnc = ctx;
	unsigned int i;

	for (i = 0; i < vnc->nr_monitors; i++)
		if (!vnc->events->busy(vnc->ctx, i))
			wake_viewers(&vnc->monitors[i]);
		else if (vnc->monitors[i].viewers)
			xd_timer_set(&vnc->rest, xd_now() + REST_NS);
}

/* The picture is another one: for all who look. */
static void renew_copy(struct vnc_monitor *mon)
{
	struct vnc_viewer *viewer;

	if (!mon->viewers)
		return;
	if (mon->copy.width != mon->width || mon->copy.height != mon->height) {
		drop_copy(mon);
		if (make_copy(mon))
			drop_viewers(mon);
		for (viewer = mon->viewers; viewer; viewer = viewer->next) {
			viewer->owes_picture = true;
			xd_damage_finish(&viewer->owed);
			xd_damage_init(&viewer->owed, mon->width, mon->height);
		}
	}
	if (!mon->viewers)
		return;
	if (fill_copy(mon)) {
		drop_viewers(mon);
		return;
	}
	for (viewer = mon->viewers; viewer; viewer = viewer->next) {
		xd_damage_add_all(&viewer->owed);
		tell_viewer(viewer);
	}
}

static void set_size(struct vnc_monitor *mon, uint32_t width, uint32_t height)
{
	if (mon->width == width && mon->height == height)
		return;
	mon->width = width;
	mon->height = height;
	xd_damage_finish(&mon->pending);
	xd_damage_init(&mon->pending, width, height);
	xd_damage_clear(&mon->pending);
}

static void vnc_attach(struct xd_output *output, unsigned int monitor,
		       int link)
{
	struct vnc *vnc = to_vnc(output);
	struct vnc_monitor *mon = &vnc->monitors[monitor];
	struct vnc_viewer *viewer = calloc(1, sizeof(*viewer));

	/* the last mode's size was for those who saw it, and is not paid for */
	if (!mon->on && !mon->viewers)
		set_size(mon, IDLE_WIDTH, IDLE_HEIGHT);
	if (!viewer ||
	    (!mon->viewers && (make_copy(mon) || fill_copy(mon)))) {
		if (!mon->viewers)
			drop_copy(mon);
		free(viewer);
		close(link);
		return;
	}
	viewer->mon = mon;
	viewer->link = link;
	viewer->source.fd = -1;
	viewer->owes_picture = true;
	xd_damage_init(&viewer->owed, mon->width, mon->height);
	viewer->next = mon->viewers;
	mon->viewers = viewer;
	if (xd_source_add(vnc->loop, &viewer->source, link, EPOLLIN,
			  viewer_ready, viewer))
		drop_viewer(viewer);
	else
		tell_viewer(viewer);
}

/* Pictures */

static void show_next(struct vnc_monitor *mon)
{
	struct vnc_viewer *viewer;
	int64_t copied;

	if (!mon->next.data)
		return;
	mon->shown = mon->next;
	mon->next.data = NULL;
	copied = mon->viewers ?
		xd_image_paint(&mon->copy, &mon->shown,
			       &mon->pending.region) : 0;
	if (copied < 0)
		drop_viewers(mon);
	else
		mon->owner->base.copied += (uint64_t)copied;
	for (viewer = mon->viewers; viewer; viewer = viewer->next) {
		xd_damage_merge(&viewer->owed, &mon->pending);
		tell_viewer(viewer);
	}
	xd_damage_clear(&mon->pending);
}

static void screen_done(void *ctx, unsigned int monitor)
{
	struct vnc *vnc = ctx;

	show_next(&vnc->monitors[monitor]);
	vnc->events->done(vnc->ctx, monitor);
}

static const struct xd_output_events screen_events = {
	.done = screen_done,
};

static int vnc_show(struct xd_output *output, unsigned int monitor,
		    uint32_t width, uint32_t height,
		    const struct xd_image *image)
{
	struct vnc *vnc = to_vnc(output);
	struct vnc_monitor *mon = &vnc->monitors[monitor];
	int ret = vnc->screen->ops->show(vnc->screen, monitor, width, height,
					 image);

	if (ret)
		return ret;
	mon->on = true;
	mon->shown = *image;
	mon->next.data = NULL;
	set_size(mon, width, height);
	xd_damage_clear(&mon->pending);
	renew_copy(mon);
	return 0;
}

static void vnc_present(struct xd_output *output, unsigned int monitor,
			const struct xd_image *image,
			const pixman_box32_t *damage, unsigned int nr_damage)
{
	struct vnc *vnc = to_vnc(output);
	struct vnc_monitor *mon = &vnc->monitors[monitor];
	unsigned int i;

	mon->next = *image;
	/* where one of two sizes ends, the other shows something else */
	if (!nr_damage || image->width != mon->shown.width ||
	    image->height != mon->shown.height)
		xd_damage_add_all(&mon->pending);
	for (i = 0; i < nr_damage; i++)
		xd_damage_add(&mon->pending, (uint32_t)damage[i].x1,
			      (uint32_t)damage[i].y1, (uint32_t)damage[i].x2,
			      (uint32_t)damage[i].y2);
	vnc->screen->ops->present(vnc->screen, monitor, image, damage,
				  nr_damage);
}

static void vnc_off(struct xd_output *output, unsigned int monitor)
{
	struct vnc *vnc = to_vnc(output);
	struct vnc_monitor *mon = &vnc->monitors[monitor];

	vnc->screen->ops->off(vnc->screen, monitor);
	mon->on = false;
	mon->shown.data = NULL;
	mon->next.data = NULL;
	xd_damage_clear(&mon->pending);
	renew_copy(mon);
}

/* Who looks on sees a black picture of the same size. */
static uint64_t vnc_kept(struct xd_output *output, unsigned int monitor)
{
	const struct xd_canvas *copy = &to_vnc(output)->monitors[monitor].copy;

	return (uint64_t)copy->width * copy->height;
}

static void vnc_release(struct xd_output *output, const void *data)
{
	struct vnc *vnc = to_vnc(output);
	unsigned int i;

	vnc->screen->ops->release(vnc->screen, data);
	for (i = 0; i < vnc->nr_monitors; i++) {
		/* what is to come will not be there any more then */
		if (vnc->monitors[i].next.data == data)
			show_next(&vnc->monitors[i]);
		if (vnc->monitors[i].shown.data == data)
			vnc->monitors[i].shown.data = NULL;
	}
}

static int vnc_screenshot(struct xd_output *output, unsigned int monitor,
			  struct xd_canvas *ret_canvas)
{
	struct vnc *vnc = to_vnc(output);

	return vnc->screen->ops->screenshot(vnc->screen, monitor, ret_canvas);
}

/* Beginning and end */

static void vnc_destroy(struct xd_output *output)
{
	struct vnc *vnc = to_vnc(output);
	unsigned int i;

	for (i = 0; i < vnc->nr_monitors; i++) {
		drop_viewers(&vnc->monitors[i]);
		xd_damage_finish(&vnc->monitors[i].pending);
	}
	if (vnc->screen)
		vnc->screen->ops->destroy(vnc->screen);
	xd_timer_finish(vnc->loop, &vnc->rest);
	free(vnc->monitors);
	free(vnc);
}

static int create_monitors(struct vnc *vnc, unsigned int nr)
{
	vnc->monitors = calloc(nr, sizeof(*vnc->monitors));
	if (!vnc->monitors)
		return -ENOMEM;
	for (; vnc->nr_monitors < nr; vnc->nr_monitors++) {
		struct vnc_monitor *mon = &vnc->monitors[vnc->nr_monitors];

		mon->owner = vnc;
		mon->index = vnc->nr_monitors;
		mon->memory = -1;
		mon->width = IDLE_WIDTH;
		mon->height = IDLE_HEIGHT;
		xd_damage_init(&mon->pending, mon->width, mon->height);
		xd_damage_clear(&mon->pending);
	}
	return 0;
}

static int vnc_create(const struct xd_output_params *params,
		      struct xd_output **ret_output)
{
	struct vnc *vnc = calloc(1, sizeof(*vnc));
	struct xd_output_params screen = *params;
	int ret;

	if (!vnc)
		return -ENOMEM;
	vnc->base.ops = &xd_output_vnc;
	vnc->events = params->events;
	vnc->ctx = params->ctx;
	vnc->loop = params->loop;
	screen.events = &screen_events;
	screen.ctx = vnc;
	ret = create_monitors(vnc, params->nr_monitors);
	if (!ret)
		ret = xd_timer_init(vnc->loop, &vnc->rest, rest_over, vnc);
	if (!ret)
		ret = xd_output_headless.create(&screen, &vnc->screen);
	if (ret) {
		vnc_destroy(&vnc->base);
		return ret;
	}
	*ret_output = &vnc->base;
	return 0;
}

/* No cursor of its own: the guest draws it into its picture, for all to see. */
const struct xd_output_ops xd_output_vnc = {
	.name = "vnc",
	.pictures = 2,	/* the copy, and the screen's when a framebuffer goes */
	.kept = vnc_kept,
	.listen = vnc_listen,
	.view = vnc_view,
	.attach = vnc_attach,
	.create = vnc_create,
	.show = vnc_show,
	.present = vnc_present,
	.off = vnc_off,
	.release = vnc_release,
	.screenshot = vnc_screenshot,
	.destroy = vnc_destroy,
};
