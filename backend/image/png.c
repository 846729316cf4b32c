// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <png.h>

#include "image/png.h"

#define COMPRESSION	3

/* Memory that grows as libpng writes. */
struct sink {
	uint8_t *data;
	size_t used;
	size_t room;
};

static void sink_write(png_structp png, png_bytep data, png_size_t len)
{
	struct sink *sink = png_get_io_ptr(png);
	uint8_t *bigger;
	size_t room;

	if (len > sink->room - sink->used) {
		room = 2 * sink->room + len + 4096;
		bigger = realloc(sink->data, room);
		if (!bigger)
			png_error(png, "out of memory");
		sink->data = bigger;
		sink->room = room;
	}
	memcpy(sink->data + sink->used, data, len);
	sink->used += len;
}

static void sink_flush(png_structp png)
{
	(void)png;
}

/* Nothing is printed: the caller knows more about what went wrong. */
static void on_error(png_structp png, png_const_charp text)
{
	(void)text;
	png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
	(void)png;
	(void)text;
}

/* What libpng calls may end in a longjmp to the setjmp in write_png(). */
static void write_rows(png_structp png, png_infop info,
		       const struct xd_canvas *canvas)
{
	const uint8_t *row = (const uint8_t *)canvas->data;

	png_set_compression_level(png, COMPRESSION);
	png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB);
	png_set_IHDR(png, info, canvas->width, canvas->height, 8,
		     PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
		     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);

	/* XRGB8888 in memory: blue, green, red, X on little-endian hosts. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	png_set_bgr(png);
	png_set_filler(png, 0, PNG_FILLER_AFTER);
#else
	png_set_filler(png, 0, PNG_FILLER_BEFORE);
#endif
	for (uint32_t y = 0; y < canvas->height; y++, row += canvas->stride)
		png_write_row(png, row);
	png_write_end(png, info);
}

static int write_png(struct sink *sink, const struct xd_canvas *canvas)
{
	png_structp png;
	png_infop info;

	png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, on_error,
				      on_warning);
	if (!png)
		return -ENOMEM;
	info = png_create_info_struct(png);
	if (!info || setjmp(png_jmpbuf(png))) {
		png_destroy_write_struct(&png, &info);
		return -ENOMEM;
	}
	png_set_write_fn(png, sink, sink_write, sink_flush);
	write_rows(png, info, canvas);
	png_destroy_write_struct(&png, &info);
	return 0;
}

int xd_png_encode(const struct xd_canvas *canvas, void **ret_data,
		  size_t *ret_size)
{
	struct sink sink = { 0 };
	int ret;

	if (!canvas->data || !canvas->width || !canvas->height)
		return -EINVAL;

	ret = write_png(&sink, canvas);
	if (ret) {
		free(sink.data);
		return ret;
	}
	*ret_data = sink.data;
	*ret_size = sink.used;
	return 0;
}

static int write_all(int fd, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

int xd_png_write(const struct xd_canvas *canvas, int fd)
{
	void *data;
	size_t size;
	int ret;

	ret = xd_png_encode(canvas, &data, &size);
	if (ret)
		return ret;
	ret = write_all(fd, data, size);
	free(data);
	return ret;
}
