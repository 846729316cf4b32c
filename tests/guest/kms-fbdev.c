// SPDX-License-Identifier: GPL-2.0-or-later
/* The fbdev emulation: it is there, maps, draws, and gives way to clients. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kt.h"

/* A framebuffer device whose identification begins with the driver's name. */
static int open_fbdev(struct fb_fix_screeninfo *fix,
		      struct fb_var_screeninfo *var)
{
	for (unsigned int i = 0; i < 8; i++) {
		char path[32];
		int fd;

		snprintf(path, sizeof(path), "/dev/fb%u", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!ioctl(fd, FBIOGET_FSCREENINFO, fix) &&
		    !ioctl(fd, FBIOGET_VSCREENINFO, var) &&
		    !strncmp(fix->id, kt_opt.driver,
			     strnlen(kt_opt.driver, 9)))
			return fd;
		close(fd);
	}
	kt_fail("no framebuffer device of %s", kt_opt.driver);
}

static void test_present(void)
{
	struct fb_fix_screeninfo fix;
	struct fb_var_screeninfo var;
	int fd = open_fbdev(&fix, &var);

	kt_note("%.16s %ux%u, %u bpp, line %u", fix.id, var.xres, var.yres,
		var.bits_per_pixel, fix.line_length);
	kt_assert_gt(var.xres, 0);
	kt_assert_ge(fix.line_length * 8, var.xres * var.bits_per_pixel);
	close(fd);
}

/* The card, through the mapping that old programs use. */
static void test_draw(void)
{
	struct fb_fix_screeninfo fix;
	struct fb_var_screeninfo var;
	int fd = open_fbdev(&fix, &var);
	struct kt_buf buf;

	kt_assert_eq(var.bits_per_pixel, 32);
	buf = (struct kt_buf) {
		.format = kt_format_by_name("XR24"),
		.width = var.xres,
		.height = var.yres,
		.pitch = fix.line_length,
		.size = (uint64_t)fix.line_length * var.yres,
	};
	buf.map = mmap(NULL, buf.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		       0);
	if (buf.map == MAP_FAILED)
		kt_fail("mmap: %s", kt_errno_name(-errno));
	kt_buf_draw(&buf, 1, 0);
	kt_hook("fbdev");
	munmap(buf.map, buf.size);
	close(fd);
}

/* A client takes the screen and gives it back to the console. */
static void test_client(void)
{
	struct kt_output *output;
	struct kt_dev dev;
	struct kt_buf buf;

	for (unsigned int i = 0; i < 3; i++) {
		kt_open(&dev);
		output = kt_output(&dev);
		kt_buf_create(&buf, &dev, output->mode.hdisplay,
			      output->mode.vdisplay, kt_format_by_name("XR24"));
		kt_buf_draw(&buf, 1, 0);
		kt_show(&dev, output, &buf);
		if (i == 0)
			kt_hook("client");
		kt_buf_destroy(&buf);
		kt_close(&dev);
	}
	kt_hook("console");
}

static const struct kt_test tests[] = {
	{ "present", test_present, "/dev/fbN with sane sizes" },
	{ "draw", test_draw, "drawing through mmap reaches the screen" },
	{ "client", test_client, "a DRM client, then the console again" },
};

int main(int argc, char **argv)
{
	return kt_main(argc, argv, "The fbdev emulation.", tests,
		       KT_ARRAY_SIZE(tests));
}
