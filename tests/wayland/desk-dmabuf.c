// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * linux-dmabuf, of descriptors that can be mapped. Buffers of both kinds look the
 * same to the rest.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "desk-internal.h"
#include "linux-dmabuf-server.h"

#define XRGB8888	0x34325258u
#define MAX_ASKED	8

/* What a client said of a buffer, then the buffer. */
struct dmabuf {
	struct look look;
	int fd;
	off_t offset;
	void *map;
	size_t size;
};

/* Those that wait for an answer. */
static struct wl_resource *asked[MAX_ASKED];

static void destroy(struct wl_client *client, struct wl_resource *resource)
{
	wl_resource_destroy(resource);
}

/* wl_buffer */

static const struct wl_buffer_interface buffer_impl = { .destroy = destroy };

static void dmabuf_free(struct dmabuf *dmabuf)
{
	if (dmabuf->map)
		munmap(dmabuf->map, dmabuf->size);
	if (dmabuf->fd >= 0)
		close(dmabuf->fd);
	free(dmabuf);
}

static void buffer_gone(struct wl_resource *resource)
{
	dmabuf_free(wl_resource_get_user_data(resource));
}

void buffer_look(struct wl_resource *buffer, struct look *look)
{
	struct wl_shm_buffer *shm = wl_shm_buffer_get(buffer);

	if (!shm) {
		*look = ((struct dmabuf *)
			 wl_resource_get_user_data(buffer))->look;
		return;
	}
	*look = (struct look){
		.data = wl_shm_buffer_get_data(shm),
		.width = (uint32_t)wl_shm_buffer_get_width(shm),
		.height = (uint32_t)wl_shm_buffer_get_height(shm),
		.stride = (uint32_t)wl_shm_buffer_get_stride(shm),
	};
}

/* zwp_linux_buffer_params_v1 */

static bool map(struct dmabuf *dmabuf)
{
	struct look *look = &dmabuf->look;

	dmabuf->size = (size_t)dmabuf->offset +
		(size_t)look->stride * look->height;
	/* as compositors do */
	if (lseek(dmabuf->fd, 0, SEEK_END) < (off_t)dmabuf->size)
		return false;
	dmabuf->map = mmap(NULL, dmabuf->size, PROT_READ, MAP_SHARED,
			   dmabuf->fd, 0);
	if (dmabuf->map == MAP_FAILED)
		abort();
	look->data = (const uint8_t *)dmabuf->map + dmabuf->offset;
	look->is_dmabuf = true;
	return true;
}

static void take(struct wl_resource *params)
{
	struct dmabuf *dmabuf = wl_resource_get_user_data(params);
	struct wl_resource *buffer;

	if (!map(dmabuf)) {
		wl_resource_post_error(params,
				       ZWP_LINUX_BUFFER_PARAMS_V1_ERROR_OUT_OF_BOUNDS,
				       "too small");
		return;
	}
	wl_resource_set_user_data(params, NULL);
	buffer = wl_resource_create(wl_resource_get_client(params),
				    &wl_buffer_interface, 1, 0);
	wl_resource_set_implementation(buffer, &buffer_impl, dmabuf,
				       buffer_gone);
	zwp_linux_buffer_params_v1_send_created(params, buffer);
}

static void answer(struct wl_resource *params)
{
	if (server.dmabuf == DESK_DMABUF_TAKES)
		take(params);
	else
		zwp_linux_buffer_params_v1_send_failed(params);
}

void dmabuf_answer(void)
{
	for (unsigned int i = 0; i < MAX_ASKED; i++) {
		if (asked[i])
			answer(asked[i]);
		asked[i] = NULL;
	}
}

static void add(struct wl_client *client, struct wl_resource *resource,
		int32_t fd, uint32_t plane, uint32_t offset, uint32_t stride,
		uint32_t modifier_hi, uint32_t modifier_lo)
{
	struct dmabuf *dmabuf = wl_resource_get_user_data(resource);

	if (plane || modifier_hi || modifier_lo || dmabuf->fd >= 0)
		abort();
	dmabuf->fd = fd;
	dmabuf->offset = offset;
	dmabuf->look.stride = stride;
}

static void create(struct wl_client *client, struct wl_resource *resource,
		   int32_t width, int32_t height, uint32_t format,
		   uint32_t flags)
{
	struct dmabuf *dmabuf = wl_resource_get_user_data(resource);
	unsigned int i = 0;

	if (format != XRGB8888 || flags)
		abort();
	dmabuf->look.width = (uint32_t)width;
	dmabuf->look.height = (uint32_t)height;
	if (server.dmabuf != DESK_DMABUF_SILENT) {
		answer(resource);
		return;
	}
	while (asked[i])
		i++;
	asked[i] = resource;
}

static const struct zwp_linux_buffer_params_v1_interface params_impl = {
	.destroy = destroy,
	.add = add,
	.create = create,
};

static void params_gone(struct wl_resource *resource)
{
	struct dmabuf *dmabuf = wl_resource_get_user_data(resource);

	for (unsigned int i = 0; i < MAX_ASKED; i++)
		if (asked[i] == resource)
			asked[i] = NULL;
	if (dmabuf)
		dmabuf_free(dmabuf);
}

static void create_params(struct wl_client *client,
			  struct wl_resource *resource, uint32_t id)
{
	struct wl_resource *params =
		wl_resource_create(client, &zwp_linux_buffer_params_v1_interface,
				   3, id);
	struct dmabuf *dmabuf = calloc(1, sizeof(*dmabuf));

	dmabuf->fd = -1;
	wl_resource_set_implementation(params, &params_impl, dmabuf,
				       params_gone);
}

/* zwp_linux_dmabuf_v1 */

static const struct zwp_linux_dmabuf_v1_interface dmabuf_impl = {
	.destroy = destroy,
	.create_params = create_params,
};

static void bind(struct wl_client *client, void *data, uint32_t version,
		 uint32_t id)
{
	struct wl_resource *resource =
		wl_resource_create(client, &zwp_linux_dmabuf_v1_interface,
				   (int)version, id);

	wl_resource_set_implementation(resource, &dmabuf_impl, NULL, NULL);
	zwp_linux_dmabuf_v1_send_modifier(resource, XRGB8888, 0, 0);
}

void dmabuf_create(struct wl_display *display)
{
	if (server.dmabuf != DESK_DMABUF_NONE)
		wl_global_create(display, &zwp_linux_dmabuf_v1_interface, 3,
				 NULL, bind);
}
