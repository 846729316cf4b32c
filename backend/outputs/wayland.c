/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Windows in the host's compositor, one per monitor. A picture that it can read
 * by itself is left to it; any other is copied when it is presented, into memory
 * shared with the compositor; only when that has not let go of any buffer does it
 * wait. Without a compositor the guest goes on at the configured rate.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "outputs/wayland.h"

static struct way_output *to_way(struct xd_output *output)
{
	return (struct way_output *)output;
}

static void wayland_destroy(struct xd_output *output)
{
	struct way_output *out = to_way(output);
	unsigned int i;

	for (i = 0; i < out->nr_windows; i++)
		way_window_finish(&out->windows[i]);
	way_link_finish(&out->link);
	free(out->windows);
	free(out);
}

static int wayland_create(const struct xd_output_params *params,
			  struct xd_output **ret_output)
{
	struct way_output *out = calloc(1, sizeof(*out));
	unsigned int i;
	int ret;

	if (!out)
		return -ENOMEM;
	out->base.ops = &xd_output_wayland;
	out->params = *params;
	if (params->millihertz)
		out->period = 1000000000000ull / params->millihertz;
	ret = way_link_init(&out->link, out);
	out->windows = calloc(params->nr_monitors, sizeof(*out->windows));
	if (!out->windows)
		ret = -ENOMEM;
	for (i = 0; i < params->nr_monitors && !ret; i++) {
		out->nr_windows++;
		ret = way_window_init(&out->windows[i], out, i);
	}
	if (ret) {
		wayland_destroy(&out->base);
		return ret;
	}
	*ret_output = &out->base;
	return 0;
}

static int wayland_show(struct xd_output *output, unsigned int monitor,
			uint32_t width, uint32_t height,
			const struct xd_image *image)
{
	struct way_window *win = &to_way(output)->windows[monitor];
	bool same = win->mode_width == width && win->mode_height == height;
	int ret = way_paint_resize(win, width, height);

	if (ret)
		return ret;
	if (!same)
		way_window_mode_set(win);
	win->on = true;
	win->slow = false;
	win->pending = false;
	xd_timer_set(&win->pace, 0);
	win->next = *image;
	way_paint_damage(win, NULL, 0);
	way_window_open(win);
	way_window_update(win);
	return 0;
}

static void wayland_present(struct xd_output *output, unsigned int monitor,
			    const struct xd_image *image,
			    const pixman_box32_t *damage,
			    unsigned int nr_damage)
{
	struct way_window *win = &to_way(output)->windows[monitor];

	if (image->width != win->next.width ||
	    image->height != win->next.height)
		nr_damage = 0;
	win->next = *image;
	win->pending = true;
	way_paint_damage(win, damage, nr_damage);
	way_window_update(win);
}

/* The window stays, or there would be nothing to wake the guest with. */
static void wayland_off(struct xd_output *output, unsigned int monitor)
{
	struct way_window *win = &to_way(output)->windows[monitor];

	win->pending = false;
	xd_timer_set(&win->pace, 0);
	win->next.data = NULL;
	if (!win->on)
		return;
	win->on = false;
	way_paint_off(win);
	way_window_update(win);
}

/* A window that the compositor cannot scale is black in all of its pixels. */
static uint64_t wayland_kept(struct xd_output *output, unsigned int monitor)
{
	const struct way_window *win = &to_way(output)->windows[monitor];

	return win->viewport ? 0 :
		(uint64_t)win->mode_width * win->mode_height;
}

static void wayland_import(struct xd_output *output, unsigned int monitor,
			   const struct xd_image *image,
			   const struct xd_dmabuf *dmabuf)
{
	way_import_add(&to_way(output)->windows[monitor], image, dmabuf);
}

static void wayland_release(struct xd_output *output, const void *data)
{
	struct way_output *out = to_way(output);
	unsigned int i;

	for (i = 0; i < out->nr_windows; i++) {
		struct way_window *win = &out->windows[i];

		if (win->shown && win->shown->image.data == data)
			way_window_copy(win);
		else if (win->next.data == data)
			way_paint_last(win);
		way_import_drop(win, data);
		if (win->next.data != data)
			continue;
		win->next.data = NULL;
		way_window_update(win);
	}
	way_link_flush(&out->link);
}

static int take_copy(struct xd_canvas *canvas, const struct way_window *win)
{
	int64_t copied = 0;

	if (win->next.data && (win->unpainted || !win->front))
		copied = xd_image_copy(canvas, &win->next, NULL);
	else
		memcpy(canvas->data, win->front->canvas.data,
		       (size_t)canvas->stride * canvas->height);
	return copied < 0 ? (int)copied : 0;
}

static int wayland_screenshot(struct xd_output *output, unsigned int monitor,
			      struct xd_canvas *ret_canvas)
{
	struct way_window *win = &to_way(output)->windows[monitor];
	int ret;

	if (!win->on || (!win->front && !win->next.data))
		return -ENOENT;
	ret = xd_canvas_init(ret_canvas, win->mode_width, win->mode_height);
	if (ret)
		return ret;
	ret = take_copy(ret_canvas, win);
	if (ret)
		xd_canvas_finish(ret_canvas);
	return ret;
}

static void wayland_reopened(struct xd_output *output, int fd)
{
	way_link_connect(&to_way(output)->link, fd);
}

/* The socket's path, by the rules that all Wayland clients have. */
static int find_socket(const char *display, struct sockaddr_un *addr)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	int len;

	if (!*display)
		display = getenv("WAYLAND_DISPLAY");
	if (!display || !*display)
		display = "wayland-0";
	if (*display == '/')
		len = snprintf(addr->sun_path, sizeof(addr->sun_path), "%s",
			       display);
	else if (dir && *dir == '/')
		len = snprintf(addr->sun_path, sizeof(addr->sun_path), "%s/%s",
			       dir, display);
	else
		return -ENOENT;
	return len < (int)sizeof(addr->sun_path) ? 0 : -ENAMETOOLONG;
}

static int wayland_open(const struct xd_output_options *options,
			const char *guest, unsigned int nr_monitors,
			char why[XD_WHY_SIZE])
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, ret = find_socket(options->text[XD_OPTION_WAYLAND_DISPLAY], &addr);

	if (ret)
		return ret;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

const struct xd_output_ops xd_output_wayland = {
	.name = "wayland",
	.pictures = WAY_BUFFERS,
	.kept = wayland_kept,
	.create = wayland_create,
	.open = wayland_open,
	.reopened = wayland_reopened,
	.show = wayland_show,
	.present = wayland_present,
	.off = wayland_off,
	.import = wayland_import,
	.release = wayland_release,
	.screenshot = wayland_screenshot,
	.destroy = wayland_destroy,
};
