/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Buffers of a window. What the compositor reads is never written: a picture
 * goes to a buffer that is free, and brings along what that one has missed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "outputs/wayland.h"

static size_t size_of(const struct xd_canvas *canvas)
{
	return (size_t)canvas->stride * canvas->height;
}

static void buffer_finish(struct way_buffer *buf)
{
	if (!buf->canvas.data)
		return;
	if (buf->proxy)
		wl_buffer_destroy(buf->proxy);
	munmap(buf->canvas.data, size_of(&buf->canvas));
	close(buf->fd);
	xd_damage_finish(&buf->stale);
	*buf = (struct way_buffer){ 0 };
}

/* Black, and of a size that cannot be taken from under the compositor. */
static int buffer_init(struct way_buffer *buf, uint32_t width, uint32_t height)
{
	struct xd_canvas canvas = {
		.width = width,
		.height = height,
		.stride = width * 4,
	};
	size_t size = size_of(&canvas);
	void *data = MAP_FAILED;
	int fd;

	fd = memfd_create("window", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd >= 0 && !ftruncate(fd, (off_t)size) &&
	    !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL))
		data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			    0);
	if (data == MAP_FAILED) {
		if (fd >= 0)
			close(fd);
		return -ENOMEM;
	}
	canvas.data = data;
	*buf = (struct way_buffer){ .canvas = canvas, .fd = fd };
	xd_damage_init(&buf->stale, width, height);
	return 0;
}

int way_paint_resize(struct way_window *win, uint32_t width, uint32_t height)
{
	struct way_buffer first;
	int ret;

	if (win->on && win->mode_width == width && win->mode_height == height)
		return 0;
	ret = buffer_init(&first, width, height);
	if (ret)
		return ret;
	way_paint_finish(win);
	win->buffers[0] = first;
	xd_damage_init(&win->changed, width, height);
	win->mode_width = width;
	win->mode_height = height;
	return 0;
}

static void free_buffers(struct way_window *win)
{
	unsigned int i;

	for (i = 0; i < WAY_BUFFERS; i++)
		buffer_finish(&win->buffers[i]);
	win->front = NULL;
}

void way_paint_finish(struct way_window *win)
{
	free_buffers(win);
	if (win->mode_width)
		xd_damage_finish(&win->changed);
	win->mode_width = 0;
	win->mode_height = 0;
}

static void add_damage(struct xd_damage *to, const pixman_box32_t *damage,
		       unsigned int nr_damage)
{
	unsigned int i;

	if (!nr_damage)
		xd_damage_add_all(to);
	for (i = 0; i < nr_damage; i++)
		xd_damage_add(to, (uint32_t)damage[i].x1,
			      (uint32_t)damage[i].y1, (uint32_t)damage[i].x2,
			      (uint32_t)damage[i].y2);
}

void way_paint_damage(struct way_window *win, const pixman_box32_t *damage,
		      unsigned int nr_damage)
{
	unsigned int i;

	add_damage(&win->changed, damage, nr_damage);
	for (i = 0; i < WAY_BUFFERS; i++)
		if (win->buffers[i].canvas.data)
			add_damage(&win->buffers[i].stale, damage, nr_damage);
	win->unpainted = true;
	win->uncommitted = true;
	win->attached = false;
}

void way_paint_off(struct way_window *win)
{
	free_buffers(win);
	way_paint_damage(win, NULL, 0);
}

static struct way_buffer *find_free(struct way_window *win)
{
	const bool scaled = !win->on && win->viewport;
	struct way_buffer *buf;
	unsigned int i;

	for (i = 0; i < WAY_BUFFERS; i++)
		if (win->buffers[i].canvas.data && !win->buffers[i].busy)
			return &win->buffers[i];
	for (i = 0; i < WAY_BUFFERS; i++) {
		buf = &win->buffers[i];
		if (!buf->canvas.data)
			return buffer_init(buf, scaled ? 1 : win->mode_width,
					   scaled ? 1 : win->mode_height) ?
				NULL : buf;
	}
	return NULL;
}

bool way_paint(struct way_window *win)
{
	struct way_buffer *buf = find_free(win);
	int64_t copied;

	if (!buf)
		return false;
	if (!win->next.data) {
		xd_canvas_blacken(&buf->canvas, &buf->stale.region);
	} else {
		copied = xd_image_paint(&buf->canvas, &win->next,
					&buf->stale.region);
		if (copied < 0)
			return false;
		win->owner->base.copied += (uint64_t)copied;
	}
	xd_damage_clear(&buf->stale);
	win->front = buf;
	win->attached = false;
	win->unpainted = false;
	return true;
}

void way_paint_last(struct way_window *win)
{
	/* all buffers in use: the next one comes whole */
	if (win->unpainted && !way_paint(win))
		win->unpainted = false;
}

bool way_paint_waits(const struct way_window *win)
{
	unsigned int i;

	for (i = 0; i < WAY_BUFFERS; i++)
		if (!win->buffers[i].busy)
			return false;
	return true;
}

static void released(void *data, struct wl_buffer *proxy)
{
	struct way_window *win = data;
	unsigned int i;

	for (i = 0; i < WAY_BUFFERS; i++)
		if (win->buffers[i].proxy == proxy)
			win->buffers[i].busy = false;
	way_window_update(win);
}

static const struct wl_buffer_listener buffer_listener = {
	.release = released,
};

bool way_paint_share(struct way_window *win)
{
	struct way_buffer *buf = win->front;
	struct wl_shm_pool *pool;

	if (buf->proxy)
		return true;
	pool = wl_shm_create_pool(win->owner->link.shm, buf->fd,
				  (int32_t)size_of(&buf->canvas));
	if (!pool)
		return false;
	buf->proxy = wl_shm_pool_create_buffer(pool, 0,
					       (int32_t)buf->canvas.width,
					       (int32_t)buf->canvas.height,
					       (int32_t)buf->canvas.stride,
					       WL_SHM_FORMAT_XRGB8888);
	wl_shm_pool_destroy(pool);
	if (!buf->proxy)
		return false;
	wl_buffer_add_listener(buf->proxy, &buffer_listener, win);
	return true;
}

void way_paint_forget(struct way_window *win)
{
	unsigned int i;

	for (i = 0; i < WAY_BUFFERS; i++) {
		if (win->buffers[i].proxy)
			wl_buffer_destroy(win->buffers[i].proxy);
		win->buffers[i].proxy = NULL;
		win->buffers[i].busy = false;
	}
	win->attached = false;
}
