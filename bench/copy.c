// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What it costs the daemon to bring a guest's frame to an output: the copy that
 * every output makes, beside memcpy of the same bytes in the same process. Prints
 * a table; exit status 1 when a bound is missed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <pixman.h>

#include "image/image.h"
#include "proto/format.h"

#define ROUNDS 41

/* A frame as a guest lends it, and where it goes. */
struct frame {
	struct xd_image image;
	struct xd_canvas canvas;
	void *pixels;
	size_t size;
};

struct times {
	double ms[ROUNDS];
};

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The lower quartile: what makes a copy longer is mostly somebody else. */
static double typical(struct times *t)
{
	qsort(t->ms, ROUNDS, sizeof(t->ms[0]), compare);
	return t->ms[ROUNDS / 4];
}

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void frame_open(struct frame *f, uint32_t fourcc, uint32_t width,
		       uint32_t height)
{
	const struct xd_format *format = xd_format_find(fourcc);

	if (!format)
		die("format");
	f->size = (size_t)width * height * format->cpp;
	f->pixels = mmap(NULL, f->size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (f->pixels == MAP_FAILED)
		die("mmap");
	memset(f->pixels, 0x5a, f->size);
	f->image = (struct xd_image){
		.format = format,
		.width = width,
		.height = height,
		.stride = width * format->cpp,
		.data = f->pixels,
	};
	if (xd_canvas_init(&f->canvas, width, height))
		die("canvas");
}

static void frame_close(struct frame *f)
{
	xd_canvas_finish(&f->canvas);
	munmap(f->pixels, f->size);
}

/* So that no copy finds what the one before it left in the caches. */
static void flush_caches(void)
{
	static char other[64 << 20];
	static char value;

	memset(other, ++value, sizeof(other));
}

static void time_memcpy(struct frame *f, struct times *t, int round)
{
	double start;

	flush_caches();
	start = now_ms();
	memcpy(f->canvas.data, f->pixels, f->size);
	t->ms[round] = now_ms() - start;
}

/* A copy of @region, NULL for all. */
static void time_copy(struct frame *f, const pixman_region32_t *region,
		      struct times *t, int round)
{
	double start;

	flush_caches();
	start = now_ms();
	if (xd_image_copy(&f->canvas, &f->image, region) <= 0)
		die("xd_image_copy");
	t->ms[round] = now_ms() - start;
}

static int row(const char *what, double ms, double base, double bound)
{
	double ratio = ms / base;
	int missed = bound > 0 && ratio > bound;

	printf("%-38s %9.3f %9.3f %8.4f", what, base, ms, ratio);
	if (bound > 0)
		printf("  <= %-10g %s", bound, missed ? "MISSED" : "ok");
	putchar('\n');
	return missed;
}

/* In turn, so that what else the machine does meets all of them. */
static int bench_size(const char *name, uint32_t width, uint32_t height)
{
	static struct times plain, whole, small, convert;
	pixman_region32_t damage;
	struct frame f, rgb;
	char what[64];
	int missed = 0;

	frame_open(&f, XD_FMT_XRGB8888, width, height);
	frame_open(&rgb, XD_FMT_RGB565, width, height);
	pixman_region32_init_rect(&damage, 100, 100, 64, 64);
	for (int i = 0; i < ROUNDS; i++) {
		time_memcpy(&f, &plain, i);
		time_copy(&f, NULL, &whole, i);
		time_copy(&f, &damage, &small, i);
		time_copy(&rgb, NULL, &convert, i);
	}
	snprintf(what, sizeof(what), "%s whole, XRGB8888", name);
	missed += row(what, typical(&whole), typical(&plain), 1.1);
	snprintf(what, sizeof(what), "%s damage of 64x64", name);
	missed += row(what, typical(&small), typical(&whole), 0.02);
	snprintf(what, sizeof(what), "%s whole, RGB565", name);
	row(what, typical(&convert), typical(&plain), 0);
	pixman_region32_fini(&damage);
	frame_close(&rgb);
	frame_close(&f);
	return missed;
}

int main(void)
{
	int missed;

	printf("%-38s %9s %9s %8s  %s\n", "the daemon's copy of a frame, ms",
	       "memcpy", "ours", "ratio", "must be");
	missed = bench_size("1920x1080", 1920, 1080);
	missed += bench_size("3840x2160", 3840, 2160);
	return missed ? 1 : 0;
}
