// SPDX-License-Identifier: GPL-2.0-or-later
/* PNG files in and out, through libpng's simplified interface. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "png_io.h"

#define PICTURE_MAX 16384u

int picture_init(struct picture *pic, unsigned int width, unsigned int height)
{
	if (!width || !height || width > PICTURE_MAX || height > PICTURE_MAX)
		return -EINVAL;

	pic->width = width;
	pic->height = height;
	pic->pixels = calloc((size_t)width * height, sizeof(*pic->pixels));

	return pic->pixels ? 0 : -ENOMEM;
}

void picture_finish(struct picture *pic)
{
	free(pic->pixels);
	pic->pixels = NULL;
}

static int unpack(struct picture *pic, const uint8_t *rgba)
{
	size_t count = (size_t)pic->width * pic->height;

	for (size_t i = 0; i < count; i++, rgba += 4) {
		if (rgba[3] != 255)
			return -EDOM;
		pic->pixels[i] = (uint32_t)rgba[0] << 16 |
				 (uint32_t)rgba[1] << 8 | rgba[2];
	}

	return 0;
}

int picture_read_png(struct picture *pic, const char *path)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	uint8_t *rgba;
	int err;

	memset(pic, 0, sizeof(*pic));
	if (!png_image_begin_read_from_file(&image, path))
		return -EIO;
	image.format = PNG_FORMAT_RGBA;
	err = picture_init(pic, image.width, image.height);
	if (err) {
		png_image_free(&image);
		return err;
	}

	rgba = malloc(PNG_IMAGE_SIZE(image));
	if (!rgba) {
		png_image_free(&image);
		err = -ENOMEM;
	} else if (!png_image_finish_read(&image, NULL, rgba, 0, NULL)) {
		err = -EIO;
	} else {
		err = unpack(pic, rgba);
	}
	free(rgba);
	if (err)
		picture_finish(pic);

	return err;
}

int picture_write_png(const struct picture *pic, const char *path)
{
	png_image image = {
		.version = PNG_IMAGE_VERSION,
		.width = pic->width,
		.height = pic->height,
		.format = PNG_FORMAT_RGB,
	};
	size_t count = (size_t)pic->width * pic->height;
	uint8_t *rgb = malloc(count * 3), *out = rgb;
	int ok;

	if (!rgb)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		*out++ = pic->pixels[i] >> 16 & 0xff;
		*out++ = pic->pixels[i] >> 8 & 0xff;
		*out++ = pic->pixels[i] & 0xff;
	}
	ok = png_image_write_to_file(&image, path, 0, rgb, 0, NULL);
	free(rgb);

	return ok ? 0 : -EIO;
}
