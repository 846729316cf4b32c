// SPDX-License-Identifier: GPL-2.0-or-later
/* Dumb buffers, framebuffers, and the test card in eight pixel formats. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kt.h"

const struct kt_format kt_formats[] = {
	{ DRM_FORMAT_RGB565, "RG16", 16,
	  { 11, 5 }, { 5, 6 }, { 0, 5 }, { 0, 0 }, false },
	{ DRM_FORMAT_RGB888, "RG24", 24,
	  { 16, 8 }, { 8, 8 }, { 0, 8 }, { 0, 0 }, false },
	{ DRM_FORMAT_XRGB8888, "XR24", 32,
	  { 16, 8 }, { 8, 8 }, { 0, 8 }, { 24, 8 }, false },
	{ DRM_FORMAT_ARGB8888, "AR24", 32,
	  { 16, 8 }, { 8, 8 }, { 0, 8 }, { 24, 8 }, true },
	{ DRM_FORMAT_XRGB4444, "XR12", 16,
	  { 8, 4 }, { 4, 4 }, { 0, 4 }, { 12, 4 }, false },
	{ DRM_FORMAT_ARGB4444, "AR12", 16,
	  { 8, 4 }, { 4, 4 }, { 0, 4 }, { 12, 4 }, true },
	{ DRM_FORMAT_XRGB1555, "XR15", 16,
	  { 10, 5 }, { 5, 5 }, { 0, 5 }, { 15, 1 }, false },
	{ DRM_FORMAT_ARGB1555, "AR15", 16,
	  { 10, 5 }, { 5, 5 }, { 0, 5 }, { 15, 1 }, true },
};
const size_t kt_format_count = KT_ARRAY_SIZE(kt_formats);

const struct kt_format *kt_format_by_name(const char *name)
{
	for (size_t i = 0; i < kt_format_count; i++)
		if (!strcmp(kt_formats[i].name, name))
			return &kt_formats[i];

	return NULL;
}

const struct kt_format *kt_format_by_fourcc(uint32_t fourcc)
{
	for (size_t i = 0; i < kt_format_count; i++)
		if (kt_formats[i].fourcc == fourcc)
			return &kt_formats[i];

	return NULL;
}

int kt_buf_alloc(struct kt_buf *buf, int fd, uint32_t width, uint32_t height,
		 const struct kt_format *format)
{
	struct drm_mode_create_dumb create = {
		.width = width,
		.height = height,
		.bpp = format->bpp,
	};

	memset(buf, 0, sizeof(*buf));
	buf->fd = fd;
	buf->format = format;
	if (drmIoctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &create))
		return -errno;
	buf->handle = create.handle;
	buf->width = width;
	buf->height = height;
	buf->pitch = create.pitch;
	buf->size = create.size;

	return 0;
}

void *kt_map_handle(int fd, uint32_t handle, uint64_t size)
{
	struct drm_mode_map_dumb map = { .handle = handle };
	void *at;

	if (drmIoctl(fd, DRM_IOCTL_MODE_MAP_DUMB, &map))
		return NULL;
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		  (off_t)map.offset);

	return at == MAP_FAILED ? NULL : at;
}

int kt_buf_map(struct kt_buf *buf)
{
	buf->map = kt_map_handle(buf->fd, buf->handle, buf->size);

	return buf->map ? 0 : -errno;
}

int kt_add_fb(int fd, uint32_t handle, uint32_t width, uint32_t height,
	      uint32_t fourcc, uint32_t pitch, uint32_t offset,
	      uint32_t *ret_fb)
{
	struct drm_mode_fb_cmd2 cmd = {
		.width = width,
		.height = height,
		.pixel_format = fourcc,
		.handles = { handle },
		.pitches = { pitch },
		.offsets = { offset },
	};

	if (drmIoctl(fd, DRM_IOCTL_MODE_ADDFB2, &cmd))
		return -errno;
	*ret_fb = cmd.fb_id;

	return 0;
}

int kt_buf_add_fb(struct kt_buf *buf)
{
	return kt_add_fb(buf->fd, buf->handle, buf->width, buf->height,
			 buf->format->fourcc, buf->pitch, 0, &buf->fb);
}

void kt_buf_create(struct kt_buf *buf, struct kt_dev *dev, uint32_t width,
		   uint32_t height, const struct kt_format *format)
{
	int err = kt_buf_alloc(buf, dev->fd, width, height, format);

	if (!err)
		err = kt_buf_map(buf);
	if (!err)
		err = kt_buf_add_fb(buf);
	if (err)
		kt_fail("a %ux%u %s buffer: %s", width, height, format->name,
			kt_errno_name(err));
}

void kt_buf_create_cursor(struct kt_buf *buf, struct kt_dev *dev,
			  unsigned int size)
{
	kt_buf_create(buf, dev, size, size, kt_format_by_name("AR24"));
	for (unsigned int i = 0; i < size * size; i++) {
		uint32_t argb = pattern_cursor_pixel(size, i % size, i / size);

		/* the kernel's cursors are premultiplied */
		if (argb >> 24 == 0)
			argb = 0;
		memcpy(buf->map + (size_t)(i / size) * buf->pitch +
		       i % size * 4, &argb, 4);
	}
}

void kt_buf_destroy(struct kt_buf *buf)
{
	struct drm_mode_destroy_dumb destroy = { .handle = buf->handle };

	if (buf->fb)
		drmModeRmFB(buf->fd, buf->fb);
	if (buf->map)
		munmap(buf->map, buf->size);
	if (buf->handle)
		drmIoctl(buf->fd, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy);
	buf->fb = 0;
	buf->map = NULL;
	buf->handle = 0;
}

static uint32_t pack(const struct kt_format *f, uint32_t argb)
{
	uint32_t r = argb >> 16 & 0xff, g = argb >> 8 & 0xff, b = argb & 0xff;
	uint32_t pixel = r >> (8 - f->r.bits) << f->r.offset |
			 g >> (8 - f->g.bits) << f->g.offset |
			 b >> (8 - f->b.bits) << f->b.offset;

	if (f->a.bits)
		pixel |= argb >> 24 >> (8 - f->a.bits) << f->a.offset;

	return pixel;
}

/* Little endian in memory, whatever the processor is. */
static void store(uint8_t *at, unsigned int bytes, uint32_t pixel)
{
	for (; bytes--; pixel >>= 8)
		*at++ = pixel & 0xff;
}

static void store_row(const struct kt_buf *buf, const uint32_t *row, uint8_t *at,
		      unsigned int count)
{
	const struct kt_format *f = buf->format;
	unsigned int bytes = f->bpp / 8u;

	if (f->fourcc == DRM_FORMAT_XRGB8888 ||
	    f->fourcc == DRM_FORMAT_ARGB8888) {
		for (unsigned int x = 0; x < count; x++, at += 4)
			store(at, 4, row[x]);
		return;
	}
	for (unsigned int x = 0; x < count; x++, at += bytes)
		store(at, bytes, pack(f, row[x]));
}

void kt_buf_draw_area(struct kt_buf *buf, uint32_t seed, uint32_t frame,
		      struct pattern_rect area)
{
	uint32_t *row = calloc(buf->width, sizeof(*row));
	unsigned int bytes = buf->format->bpp / 8u;
	struct pattern pat;

	kt_assert(row);
	kt_assert(buf->map);
	kt_assert(pattern_init(&pat, buf->width, buf->height, seed,
			       buf->format->name));
	pat.frame = frame;
	for (unsigned int y = area.y; y < area.y + area.height; y++) {
		pattern_row(&pat, y, row);
		store_row(buf, row + area.x,
			  buf->map + (size_t)y * buf->pitch + area.x * bytes,
			  area.width);
	}
	free(row);
}

void kt_buf_draw(struct kt_buf *buf, uint32_t seed, uint32_t frame)
{
	struct pattern_rect all = { 0, 0, buf->width, buf->height };

	kt_buf_draw_area(buf, seed, frame, all);
}

void kt_buf_draw_frame(struct kt_buf *buf, uint32_t seed, uint32_t frame)
{
	struct pattern pat;

	kt_assert(pattern_init(&pat, buf->width, buf->height, seed, ""));
	kt_buf_draw_area(buf, seed, frame, pattern_frame_area(&pat));
}
