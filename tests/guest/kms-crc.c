// SPDX-License-Identifier: GPL-2.0-or-later
/* The checksums of frames in debugfs: of the right frame, of the right picture. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "kt.h"

#define CURSOR 64

struct desk {
	struct kt_dev dev;
	struct kt_output *output;
	struct kt_buf bufs[2];
	char dir[64];
	int crc; /* data file, -1 when nobody reads */
};

struct entry {
	uint32_t frame;
	uint32_t value;
};

static int crc_open(const struct desk *d)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "%s/data", d->dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static void crc_start(struct desk *d)
{
	d->crc = crc_open(d);
	if (d->crc < 0)
		kt_fail("%s/data: %s", d->dir, kt_errno_name(d->crc));
}

static void crc_stop(struct desk *d)
{
	close(d->crc);
	d->crc = -1;
}

static int crc_control(const struct desk *d, const char *source)
{
	int fd, err = 0;
	char path[96];

	snprintf(path, sizeof(path), "%s/control", d->dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, source, strlen(source)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static void crc_next(struct desk *d, struct entry *ret_entry)
{
	char line[64] = "";
	ssize_t got = read(d->crc, line, sizeof(line) - 1);

	if (got < 0)
		kt_fail("reading a checksum: %s", kt_errno_name(-errno));
	if (sscanf(line, "%x %x", &ret_entry->frame, &ret_entry->value) != 2)
		kt_fail("not a checksum: '%s'", line);
}

/* That of a frame to come. */
static uint32_t crc_now(struct desk *d)
{
	struct entry entry;
	uint64_t now, ns;

	kt_assert_ok(drmCrtcGetSequence(d->dev.fd, d->output->crtc, &now, &ns));
	do
		crc_next(d, &entry);
	while ((int32_t)(entry.frame - (uint32_t)now) <= 0);
	return entry.value;
}

/* That of one frame, which has to be there. */
static uint32_t crc_of(struct desk *d, uint64_t frame)
{
	struct entry entry;

	do
		crc_next(d, &entry);
	while ((int32_t)(entry.frame - (uint32_t)frame) < 0);
	kt_assert_eq(entry.frame, (uint32_t)frame);
	return entry.value;
}

static void desk_open(struct desk *d)
{
	struct stat st;

	kt_open(&d->dev);
	d->output = kt_output(&d->dev);
	d->crc = -1;
	kt_assert_ok(fstat(d->dev.fd, &st));
	snprintf(d->dir, sizeof(d->dir), "/sys/kernel/debug/dri/%u/crtc-%u/crc",
		 minor(st.st_rdev), d->output->pipe);
	if (access(d->dir, F_OK))
		kt_skip("no %s", d->dir);
	for (unsigned int i = 0; i < 2; i++) {
		kt_buf_create(&d->bufs[i], &d->dev, d->output->mode.hdisplay,
			      d->output->mode.vdisplay, kt_format_by_name("XR24"));
		kt_buf_draw(&d->bufs[i], i + 1, 0);
	}
	kt_show(&d->dev, d->output, &d->bufs[0]);
}

static void desk_close(struct desk *d)
{
	if (d->crc >= 0)
		crc_stop(d);
	kt_buf_destroy(&d->bufs[0]);
	kt_buf_destroy(&d->bufs[1]);
	kt_close(&d->dev);
}

/* One for each frame, as long as nothing changes all the same. */
static void test_sequence(void)
{
	struct entry entry, before;
	struct desk d;

	desk_open(&d);
	crc_start(&d);
	crc_next(&d, &before);
	for (unsigned int i = 0; i < 30; i++) {
		crc_next(&d, &entry);
		kt_assert_eq(entry.frame, before.frame + 1);
		kt_assert_eq(entry.value, before.value);
		before = entry;
	}
	desk_close(&d);
}

/* What is drawn changes it, with or without a commit; what is undone, back. */
static void test_changes(void)
{
	uint32_t first, other;
	struct desk d;

	desk_open(&d);
	crc_start(&d);
	first = crc_now(&d);
	d.bufs[0].map[d.bufs[0].pitch * 3 + 41] ^= 1;
	other = crc_now(&d);
	kt_assert_ne(first, other);
	d.bufs[0].map[d.bufs[0].pitch * 3 + 41] ^= 1;
	kt_assert_eq(crc_now(&d), first);
	d.bufs[0].map[d.bufs[0].pitch * 3 + 43] ^= 1; /* not a colour */
	kt_assert_eq(crc_now(&d), first);
	kt_show(&d.dev, d.output, &d.bufs[1]);
	kt_assert_ne(crc_now(&d), first);
	desk_close(&d);
}

/* A flip's event says from which frame on its picture is there. */
static void test_flips(void)
{
	uint32_t value[2];
	struct desk d;

	desk_open(&d);
	crc_start(&d);
	value[0] = crc_now(&d);
	kt_show(&d.dev, d.output, &d.bufs[1]);
	value[1] = crc_now(&d);
	kt_assert_ne(value[0], value[1]);
	for (unsigned int i = 0; i < 40; i++) {
		struct kt_event event;

		kt_assert_ok(kt_flip(&d.dev, d.output, &d.bufs[i & 1], i));
		kt_expect_flip(&d.dev, d.output, i, &event);
		kt_assert_eq(crc_of(&d, event.sequence), value[i & 1]);
	}
	desk_close(&d);
}

static void fill(struct kt_buf *buf, uint32_t rgb)
{
	const struct kt_format *f = buf->format;
	uint32_t pixel = 0;

	if (rgb & 4)
		pixel |= ((1u << f->r.bits) - 1) << f->r.offset;
	if (rgb & 2)
		pixel |= ((1u << f->g.bits) - 1) << f->g.offset;
	if (rgb & 1)
		pixel |= ((1u << f->b.bits) - 1) << f->b.offset;
	for (uint32_t y = 0; y < buf->height; y++)
		for (uint32_t x = 0; x < buf->width; x++)
			memcpy(buf->map + (size_t)y * buf->pitch +
			       (size_t)x * f->bpp / 8, &pixel, f->bpp / 8);
}

/* Equal pictures in any format have the same one. */
static void test_formats(void)
{
	static const uint8_t colours[] = { 0, 4, 2, 1, 7 };
	uint32_t value[KT_ARRAY_SIZE(colours)];
	struct desk d;

	desk_open(&d);
	crc_start(&d);
	for (size_t f = 0; f < kt_format_count; f++) {
		struct kt_buf buf;

		kt_buf_create(&buf, &d.dev, d.bufs[0].width, d.bufs[0].height,
			      &kt_formats[f]);
		for (size_t c = 0; c < KT_ARRAY_SIZE(colours); c++) {
			uint32_t got;

			fill(&buf, colours[c]);
			kt_show(&d.dev, d.output, &buf);
			got = crc_now(&d);
			if (!f)
				value[c] = got;
			else if (got != value[c])
				kt_fail("%s, colour %zu: %#x, %s has %#x",
					kt_formats[f].name, c, got,
					kt_formats[0].name, value[c]);
		}
		kt_show(&d.dev, d.output, &d.bufs[0]);
		kt_buf_destroy(&buf);
	}
	for (size_t c = 1; c < KT_ARRAY_SIZE(colours); c++)
		kt_assert_ne(value[c], value[c - 1]);
	desk_close(&d);
}

/* What the cursor's image gives on a picture, drawn by hand. */
static void draw_cursor(struct kt_buf *buf, const struct kt_buf *image, int cx,
			int cy)
{
	for (int y = 0; y < (int)image->height; y++)
		for (int x = 0; x < (int)image->width; x++) {
			const uint8_t *above = image->map +
				(size_t)y * image->pitch + (size_t)x * 4;
			uint8_t *below;

			if (cx + x < 0 || cy + y < 0 ||
			    cx + x >= (int)buf->width ||
			    cy + y >= (int)buf->height)
				continue;
			below = buf->map + (size_t)(cy + y) * buf->pitch +
				(size_t)(cx + x) * 4;
			for (int c = 0; c < 3; c++) {
				unsigned int rest = below[c] * (255u - above[3]);

				below[c] = (uint8_t)(above[c] + (rest + 127) / 255);
			}
		}
}

/* The cursor is in it, where it shows; hidden or outside it is not. */
static void test_cursor(void)
{
	struct kt_buf image;
	uint32_t plain;
	struct desk d;
	int far[2];

	desk_open(&d);
	if (!d.output->cursor)
		kt_skip("%s has no cursor plane", d.output->name);
	kt_buf_create_cursor(&image, &d.dev, CURSOR);
	crc_start(&d);
	plain = crc_now(&d);
	far[0] = (int)d.bufs[0].width - 1;
	far[1] = (int)d.bufs[0].height - 1;
	const int at[][2] = {
		{ 100, 80 }, { 0, 0 }, { -20, -10 }, { 1 - CURSOR, 5 },
		{ far[0] - 20, far[1] - 10 }, { far[0], far[1] },
		{ far[0] + 1, 5 }, { 5, -CURSOR }, { -30000, 30000 },
	};

	for (size_t i = 0; i < KT_ARRAY_SIZE(at); i++) {
		bool outside = i >= 6;
		uint32_t with;

		kt_assert_ok(drmModeSetCursor(d.dev.fd, d.output->crtc,
					      image.handle, CURSOR, CURSOR));
		kt_assert_ok(drmModeMoveCursor(d.dev.fd, d.output->crtc,
					       at[i][0], at[i][1]));
		with = crc_now(&d);
		kt_assert_ok(drmModeSetCursor(d.dev.fd, d.output->crtc, 0, 0, 0));
		kt_assert_eq(crc_now(&d), plain);
		if (outside)
			kt_assert_eq(with, plain);
		else if (!i) /* its corners are transparent */
			kt_assert_ne(with, plain);
		kt_buf_draw(&d.bufs[1], 1, 0);
		draw_cursor(&d.bufs[1], &image, at[i][0], at[i][1]);
		kt_show(&d.dev, d.output, &d.bufs[1]);
		if (crc_now(&d) != with)
			kt_fail("cursor at %d,%d: not what is drawn by hand",
				at[i][0], at[i][1]);
		kt_show(&d.dev, d.output, &d.bufs[0]);
	}
	kt_buf_destroy(&image);
	desk_close(&d);
}

static void show_cursor(struct desk *d, uint32_t fb, unsigned int width,
			unsigned int height)
{
	uint32_t plane = d->output->cursor;
	struct kt_commit commit;

	kt_commit_init(&commit, &d->dev);
	kt_commit_add(&commit, plane, "FB_ID", fb);
	kt_commit_add(&commit, plane, "CRTC_ID", fb ? d->output->crtc : 0);
	kt_commit_add(&commit, plane, "SRC_X", 0);
	kt_commit_add(&commit, plane, "SRC_Y", 0);
	kt_commit_add(&commit, plane, "SRC_W", (uint64_t)width << 16);
	kt_commit_add(&commit, plane, "SRC_H", (uint64_t)height << 16);
	kt_commit_add(&commit, plane, "CRTC_X", 100);
	kt_commit_add(&commit, plane, "CRTC_Y", 80);
	kt_commit_add(&commit, plane, "CRTC_W", width);
	kt_commit_add(&commit, plane, "CRTC_H", height);
	kt_assert_ok(kt_commit_run(&commit, 0, NULL));
}

/* A part of a framebuffer as the cursor's image. */
static void test_cursor_crop(void)
{
	static const unsigned int sizes[] = { CURSOR, CURSOR / 2, CURSOR / 3 };
	struct kt_buf image, part;
	struct desk d;

	desk_open(&d);
	if (!d.output->cursor || !d.dev.atomic)
		kt_skip("%s has no cursor plane", d.output->name);
	kt_buf_create(&image, &d.dev, CURSOR, CURSOR + 1,
		      kt_format_by_name("AR24"));
	for (size_t i = 0; i < image.size / 4; i++)
		((uint32_t *)image.map)[i] = 0xff000000u | (uint32_t)i * 7919;
	crc_start(&d);
	for (size_t i = 0; i < KT_ARRAY_SIZE(sizes); i++) {
		uint32_t with;

		part = image;
		part.height = sizes[i];
		show_cursor(&d, image.fb, part.width, part.height);
		with = crc_now(&d);
		show_cursor(&d, 0, 0, 0);
		kt_buf_draw(&d.bufs[1], 1, 0);
		draw_cursor(&d.bufs[1], &part, 100, 80);
		kt_show(&d.dev, d.output, &d.bufs[1]);
		kt_assert_eq(crc_now(&d), with);
		kt_show(&d.dev, d.output, &d.bufs[0]);
	}
	kt_buf_destroy(&image);
	desk_close(&d);
}

/* Off and on while somebody reads; none of a CRTC that is off. */
static void test_off(void)
{
	struct entry entry;
	uint32_t value;
	struct desk d;

	desk_open(&d);
	kt_assert_ok(kt_try_off(&d.dev, d.output));
	kt_assert_err(crc_open(&d), -EIO);
	kt_show(&d.dev, d.output, &d.bufs[0]);
	crc_start(&d);
	kt_assert_err(crc_open(&d), -EBUSY);
	value = crc_now(&d);
	for (unsigned int i = 0; i < 3; i++) {
		kt_assert_ok(kt_try_off(&d.dev, d.output));
		kt_show(&d.dev, d.output, &d.bufs[0]);
		kt_assert_eq(crc_now(&d), value);
	}
	kt_assert_ok(kt_try_off(&d.dev, d.output));
	crc_stop(&d);
	kt_show(&d.dev, d.output, &d.bufs[0]);
	crc_start(&d);
	crc_next(&d, &entry);
	kt_assert_eq(entry.value, value);
	desk_close(&d);
}

static void test_control(void)
{
	struct desk d;

	desk_open(&d);
	kt_assert_err(crc_control(&d, "nothing"), -EINVAL);
	kt_assert_ok(crc_control(&d, "auto"));
	crc_start(&d);
	kt_assert_err(crc_control(&d, "auto"), -EBUSY);
	crc_now(&d);
	desk_close(&d);
}

static const struct kt_test tests[] = {
	{ "sequence", test_sequence, "one for each frame" },
	{ "changes", test_changes, "another picture, another checksum" },
	{ "flips", test_flips, "the picture of a flip in its event's frame" },
	{ "formats", test_formats, "equal pictures, equal checksums" },
	{ "cursor", test_cursor, "the cursor is in it, at the edges too" },
	{ "cursor-crop", test_cursor_crop, "part of a framebuffer as cursor" },
	{ "off", test_off, "switched off and on while it is read" },
	{ "control", test_control, "sources that there are, and others" },
};

int main(int argc, char **argv)
{
	return kt_main(argc, argv, "Checksums of frames.", tests,
		       KT_ARRAY_SIZE(tests));
}
