// SPDX-License-Identifier: GPL-2.0-or-later
/* Dumb buffers and framebuffers: sizes, contents, lifetimes, and their end. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kt.h"

#define MAX_BUFFERS 1024

static const struct kt_format *xr24(void)
{
	return kt_format_by_name("XR24");
}

static int destroy_handle(int fd, uint32_t handle)
{
	struct drm_mode_destroy_dumb destroy = { .handle = handle };

	return drmIoctl(fd, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy) ? -errno : 0;
}

static void test_create_destroy(void)
{
	struct kt_samples create = { .ns = NULL }, destroy = { .ns = NULL };
	struct kt_dev dev;

	kt_open(&dev);
	for (unsigned int i = 0; i < 50; i++) {
		uint64_t start = kt_now(), middle;
		struct kt_buf buf;

		kt_assert_ok(kt_buf_alloc(&buf, dev.fd, 800, 600 + i % 3,
					  xr24()));
		middle = kt_now();
		kt_buf_destroy(&buf);
		kt_samples_add(&create, middle - start);
		kt_samples_add(&destroy, kt_now() - middle);
	}
	kt_samples_note(&create, "create");
	kt_samples_note(&destroy, "destroy");
	kt_close(&dev);
}

/* What another client drew must never be seen in a new buffer. */
static void test_zeroed(void)
{
	struct kt_dev dev;

	for (unsigned int round = 0; round < 6; round++) {
		struct kt_buf buf;
		const uint64_t *word;

		kt_open(&dev);
		kt_buf_create(&buf, &dev, 800, 600, xr24());
		word = (const uint64_t *)buf.map;
		for (uint64_t i = 0; i < buf.size / 8; i++)
			if (word[i])
				kt_fail("round %u: byte %llu of a new buffer is not zero",
					round, (unsigned long long)i * 8);
		memset(buf.map, 0xa5, buf.size);
		if (round & 1)
			kt_buf_destroy(&buf);
		kt_close(&dev);
		if (!(round & 1))
			munmap(buf.map, buf.size);
	}
}

static void test_write_read(void)
{
	struct kt_dev dev;
	struct kt_buf buf;
	uint32_t *again;

	kt_open(&dev);
	kt_buf_create(&buf, &dev, 640, 480, xr24());
	for (uint32_t i = 0; i < buf.size / 4; i++)
		((uint32_t *)buf.map)[i] = i * 2654435761u;
	again = kt_map_handle(dev.fd, buf.handle, buf.size);
	kt_assert(again);
	for (uint32_t i = 0; i < buf.size / 4; i++)
		if (again[i] != i * 2654435761u)
			kt_fail("word %u is %08x through a second mapping", i,
				again[i]);
	munmap(again, buf.size);
	kt_buf_destroy(&buf);
	kt_close(&dev);
}

/* A mapping keeps the memory when handle and device are gone. */
static void test_map_outlives(void)
{
	struct kt_dev dev;
	struct kt_buf buf;
	uint8_t *map;

	kt_open(&dev);
	kt_buf_create(&buf, &dev, 640, 480, xr24());
	memset(buf.map, 0x3c, buf.size);
	map = buf.map;
	kt_assert_ok(drmModeRmFB(dev.fd, buf.fb));
	kt_assert_ok(destroy_handle(dev.fd, buf.handle));
	kt_close(&dev);
	for (uint64_t i = 0; i < buf.size; i++)
		if (map[i] != 0x3c)
			kt_fail("byte %llu is %02x", (unsigned long long)i,
				map[i]);
	memset(map, 0, buf.size);
	munmap(map, buf.size);
}

/* Sizes of all kinds; the pitch is what the wire implies. */
static void test_sizes(void)
{
	static const struct {
		uint32_t width, height;
	} sizes[] = {
		{ 1, 1 }, { 3, 5 }, { 1023, 7 }, { 1366, 768 }, { 8192, 1 },
		{ 1, 8192 }, { 1025, 1 }, { 64, 16 },
	};
	struct kt_dev dev;

	kt_open(&dev);
	for (unsigned int i = 0; i < KT_ARRAY_SIZE(sizes); i++) {
		for (size_t f = 0; f < kt_format_count; f++) {
			const struct kt_format *format = &kt_formats[f];
			uint32_t least = sizes[i].width * format->bpp / 8;
			struct kt_buf buf;

			kt_buf_create(&buf, &dev, sizes[i].width,
				      sizes[i].height, format);
			kt_assert_ge(buf.pitch, least);
			kt_assert_ge(buf.size, (uint64_t)buf.pitch *
				     buf.height);
			if (!kt_opt.stride)
				kt_assert_eq(buf.pitch, least);
			buf.map[buf.size - 1] = 1;
			kt_buf_destroy(&buf);
		}
	}
	kt_close(&dev);
}

/* Nonsense is an error, and nothing is left behind. */
static void test_bad_sizes(void)
{
	static const struct drm_mode_create_dumb bad[] = {
		{ .width = 0, .height = 600, .bpp = 32 },
		{ .width = 800, .height = 0, .bpp = 32 },
		{ .width = 800, .height = 600, .bpp = 0 },
		{ .width = UINT32_MAX, .height = UINT32_MAX, .bpp = 32 },
		{ .width = 0x10000, .height = 0x10000, .bpp = 32 },
		{ .width = 0x8000, .height = 0x8001, .bpp = 32 },
		{ .width = UINT32_MAX, .height = 1, .bpp = 8 },
		{ .width = 800, .height = 600, .bpp = UINT32_MAX },
	};
	struct kt_dev dev;

	kt_open(&dev);
	for (unsigned int i = 0; i < KT_ARRAY_SIZE(bad); i++) {
		struct drm_mode_create_dumb create = bad[i];
		int err = drmIoctl(dev.fd, DRM_IOCTL_MODE_CREATE_DUMB, &create) ?
			  -errno : 0;

		if (err != -EINVAL && err != -ENOMEM && err != -E2BIG &&
		    err != -ENOSPC)
			kt_fail("%ux%u, %u bpp: %s", bad[i].height, bad[i].width,
				bad[i].bpp, kt_errno_name(err));
	}
	kt_assert_err(destroy_handle(dev.fd, 1), -EINVAL);
	kt_close(&dev);
}

static void test_handles(void)
{
	struct kt_dev dev, other;
	struct kt_buf buf;

	kt_open(&dev);
	kt_open(&other);
	kt_assert_ok(kt_buf_alloc(&buf, dev.fd, 320, 200, xr24()));
	/* a handle is of one client only */
	kt_assert(!kt_map_handle(other.fd, buf.handle, buf.size));
	kt_assert_err(destroy_handle(other.fd, buf.handle), -EINVAL);
	kt_assert_ok(destroy_handle(dev.fd, buf.handle));
	kt_assert_err(destroy_handle(dev.fd, buf.handle), -EINVAL);
	kt_close(&other);
	kt_close(&dev);
}

static void test_addfb_rmfb(void)
{
	struct kt_samples both = { .ns = NULL };
	struct kt_dev dev;
	struct kt_buf buf;

	kt_open(&dev);
	kt_assert_ok(kt_buf_alloc(&buf, dev.fd, 1024, 768, xr24()));
	for (unsigned int i = 0; i < 300; i++) {
		uint64_t start = kt_now();

		kt_assert_ok(kt_buf_add_fb(&buf));
		kt_assert_ok(drmModeRmFB(dev.fd, buf.fb));
		kt_samples_add(&both, kt_now() - start);
	}
	buf.fb = 0;
	kt_samples_note(&both, "ADDFB2 and RMFB");
	kt_buf_destroy(&buf);
	kt_close(&dev);
}

/* Several framebuffers of one buffer, shown in turn, removed while shown. */
static void test_rmfb_shown(void)
{
	struct kt_buf buf, second;
	struct kt_output *output;
	struct kt_dev dev;

	kt_open(&dev);
	output = kt_output(&dev);
	kt_buf_create(&buf, &dev, output->mode.hdisplay, output->mode.vdisplay,
		      xr24());
	for (unsigned int i = 0; i < 5; i++) {
		second = buf;
		kt_assert_ok(kt_buf_add_fb(&second));
		kt_show(&dev, output, &buf);
		kt_assert_ok(kt_flip(&dev, output, &second, i));
		kt_expect_flip(&dev, output, i, NULL);
		/* what is shown goes: the output goes dark, nothing worse */
		kt_assert_ok(drmModeRmFB(dev.fd, second.fb));
		kt_assert_eq(kt_crtc_fb(&dev, output), 0);
	}
	kt_show(&dev, output, &buf);
	kt_assert_eq(kt_crtc_fb(&dev, output), buf.fb);
	kt_buf_destroy(&buf);
	kt_close(&dev);
}

/* As large as the device says it can be: the wire and the backend take it. */
static void test_fb_4k(void)
{
	struct kt_dev dev;
	struct kt_buf buf;
	int err;

	kt_open(&dev);
	kt_assert_ge(dev.max_width, 8192);
	kt_assert_ge(dev.max_height, 8192);
	kt_buf_create(&buf, &dev, 3840, 2160, xr24());
	buf.map[buf.size - 1] = 1;
	kt_buf_destroy(&buf);
	/* and no more than that */
	err = kt_buf_alloc(&buf, dev.fd, dev.max_width + 1, 16, xr24());
	if (!err)
		err = kt_buf_add_fb(&buf);
	kt_assert_err(err, -EINVAL);
	kt_buf_destroy(&buf);
	kt_close(&dev);
}

/*
 * Create until there is nothing left.  The error is ENOMEM, what was created
 * works, and when it is freed, as much can be had again.
 */
static void test_exhaust(void)
{
	struct kt_buf *bufs = calloc(MAX_BUFFERS, sizeof(*bufs));
	unsigned int count, first = 0;
	struct kt_dev dev;

	kt_assert(bufs);
	kt_open(&dev);
	for (unsigned int round = 0; round < 3; round++) {
		int err = 0;

		for (count = 0; count < MAX_BUFFERS; count++) {
			err = kt_buf_alloc(&bufs[count], dev.fd, 1920, 1080,
					   xr24());
			if (err)
				break;
		}
		kt_note("round %u: %u buffers, then %s", round, count,
			kt_errno_name(err));
		kt_assert_err(err, -ENOMEM);
		kt_assert_ge(count, 4);
		if (!round)
			first = count;
		kt_assert_ge(count + 1, first);
		/* refused again, and again cleanly */
		kt_assert_err(kt_buf_alloc(&bufs[count], dev.fd, 1920, 1080,
					   xr24()), -ENOMEM);
		kt_assert_ok(kt_buf_map(&bufs[count - 1]));
		memset(bufs[count - 1].map, 0x77, bufs[count - 1].size);
		if (round == 0)
			kt_hook("exhausted");
		while (count--)
			kt_buf_destroy(&bufs[count]);
	}
	free(bufs);
	kt_close(&dev);
}

/* Many small ones at once. */
static void test_many_small(void)
{
	struct kt_buf *bufs = calloc(MAX_BUFFERS, sizeof(*bufs));
	struct kt_dev dev;
	unsigned int count;

	kt_assert(bufs);
	kt_open(&dev);
	for (count = 0; count < 200; count++)
		kt_assert_ok(kt_buf_alloc(&bufs[count], dev.fd, 16, 16, xr24()));
	/* freed in another order than they were made */
	for (unsigned int i = 0; i < count; i++)
		kt_buf_destroy(&bufs[(i * 7) % count]);
	free(bufs);
	kt_close(&dev);
}

/* The client leaves all its buffers to the kernel. */
static void test_leave(void)
{
	for (unsigned int round = 0; round < 3; round++) {
		struct kt_dev dev;
		struct kt_buf buf;

		kt_open(&dev);
		for (unsigned int i = 0; i < 5; i++) {
			kt_buf_create(&buf, &dev, 800, 600, xr24());
			munmap(buf.map, buf.size);
		}
		kt_close(&dev);
	}
}

struct worker {
	pthread_t thread;
	struct kt_dev *dev;
	unsigned int seed;
	unsigned int refused;
};

static void churn_once(struct worker *w, unsigned int turn)
{
	static const uint32_t widths[] = { 16, 64, 800, 1024, 333 };
	struct kt_buf buf;
	int err = kt_buf_alloc(&buf, w->dev->fd, widths[(turn + w->seed) % 5],
			       64 + turn % 200, &kt_formats[turn % 8]);

	if (err == -ENOMEM) {
		w->refused++;
		return;
	}
	kt_assert_ok(err);
	kt_assert_ok(kt_buf_map(&buf));
	buf.map[0] = (uint8_t)turn;
	buf.map[buf.size - 1] = (uint8_t)w->seed;
	if (turn & 1)
		kt_assert_ok(kt_buf_add_fb(&buf));
	if (turn % 3 == 0) {
		uint32_t handle = buf.handle;
		int prime;

		kt_assert_ok(drmPrimeHandleToFD(w->dev->fd, handle,
						DRM_CLOEXEC | DRM_RDWR, &prime));
		close(prime);
	}
	kt_assert_eq(buf.map[0], (uint8_t)turn);
	kt_buf_destroy(&buf);
}

static void *churn(void *data)
{
	struct worker *w = data;
	unsigned int turns = kt_opt.count ? kt_opt.count : 30;

	for (unsigned int i = 0; i < turns; i++)
		churn_once(w, i);

	return NULL;
}

/* Threads on one device, creating and destroying; one output shows meanwhile. */
static void test_threads(void)
{
	struct worker workers[4];
	struct kt_output *output;
	struct kt_dev dev;
	struct kt_buf bufs[2];

	kt_open(&dev);
	output = kt_output(&dev);
	for (unsigned int i = 0; i < 2; i++)
		kt_buf_create(&bufs[i], &dev, output->mode.hdisplay,
			      output->mode.vdisplay, xr24());
	kt_show(&dev, output, &bufs[0]);
	for (unsigned int i = 0; i < KT_ARRAY_SIZE(workers); i++) {
		workers[i] = (struct worker) { .dev = &dev, .seed = i };
		kt_assert_ok(-pthread_create(&workers[i].thread, NULL, churn,
					     &workers[i]));
	}
	for (unsigned int i = 1; i <= 60; i++) {
		kt_assert_ok(kt_flip(&dev, output, &bufs[i & 1], i));
		kt_expect_flip(&dev, output, i, NULL);
	}
	for (unsigned int i = 0; i < KT_ARRAY_SIZE(workers); i++) {
		pthread_join(workers[i].thread, NULL);
		if (workers[i].refused)
			kt_note("thread %u: %u times ENOMEM", i,
				workers[i].refused);
	}
	kt_expect_silence(&dev, 100);
	kt_close(&dev);
}

struct racer {
	pthread_t thread;
	int fd;
	volatile uint32_t *handle;
	volatile bool *stop;
};

static void *closer(void *data)
{
	struct racer *r = data;

	while (!*r->stop)
		destroy_handle(r->fd, *r->handle);

	return NULL;
}

/*
 * One thread destroys by number what the other has just created: the handle
 * must be complete before it can be guessed.
 */
static void test_handle_race(void)
{
	volatile uint32_t handle = 1;
	volatile bool stop = false;
	struct racer racer = { .handle = &handle, .stop = &stop };
	unsigned int lost = 0;
	struct kt_dev dev;

	kt_open(&dev);
	racer.fd = dev.fd;
	kt_assert_ok(-pthread_create(&racer.thread, NULL, closer, &racer));
	for (unsigned int i = 0; i < 200; i++) {
		struct kt_buf buf;

		kt_assert_ok(kt_buf_alloc(&buf, dev.fd, 64, 64, xr24()));
		handle = buf.handle;
		if (kt_buf_map(&buf) || kt_buf_add_fb(&buf))
			lost++;
		kt_buf_destroy(&buf);
	}
	stop = true;
	pthread_join(racer.thread, NULL);
	kt_note("%u of 200 were destroyed before they could be used", lost);
	kt_close(&dev);
}

/* The largest power of two of MiB that there is. */
static uint32_t largest_mib(struct kt_dev *dev)
{
	uint32_t mib = 0;

	for (uint32_t next = 1; next <= 256; next *= 2) {
		struct kt_buf buf;
		int err = kt_buf_alloc(&buf, dev->fd, 262144, next,
				       kt_format_by_name("XR24"));

		if (err) {
			kt_assert_err(err, -ENOMEM);
			break;
		}
		kt_buf_destroy(&buf);
		mib = next;
	}
	kt_note("%u MiB at once", mib);
	kt_assert_gt(mib, 0);
	return mib;
}

/*
 * What was destroyed a moment ago, or is kept for reuse, is not in the way of what
 * comes next, whatever its size; and nothing of the old shows in the new.
 */
static void test_churn(void)
{
	struct kt_dev dev;
	uint32_t most;

	kt_open(&dev);
	most = largest_mib(&dev) * 256 / 2;
	for (unsigned int i = 0; i < 60; i++) {
		uint32_t pages = 1 + (i * 2654435761u >> 7) % most;
		struct kt_buf buf;

		kt_assert_ok(kt_buf_alloc(&buf, dev.fd, 1024, pages,
					  kt_format_by_name("XR24")));
		kt_assert_ok(kt_buf_map(&buf));
		for (uint32_t page = 0; page < pages; page += 1 + pages / 64) {
			uint32_t *word = (uint32_t *)buf.map + page * 1024 +
				page % 1024;

			kt_assert_eq(*word, 0);
			*word = ~0u;
		}
		kt_buf_destroy(&buf);
	}
	kt_close(&dev);
}

static int try_fb(const struct kt_buf *buf, const struct drm_mode_fb_cmd2 *cmd)
{
	struct drm_mode_fb_cmd2 copy = *cmd;

	if (drmIoctl(buf->fd, DRM_IOCTL_MODE_ADDFB2, &copy))
		return -errno;
	drmModeRmFB(buf->fd, copy.fb_id);
	return 0;
}

/* Formats and layouts that no plane has, sizes that the buffer has not. */
static void test_bad_fbs(void)
{
	struct drm_mode_fb_cmd2 good = {
		.width = 512, .height = 512,
		.pixel_format = DRM_FORMAT_XRGB8888,
	}, bad;
	struct kt_buf buf;
	struct kt_dev dev;

	kt_open(&dev);
	kt_assert_ok(kt_buf_alloc(&buf, dev.fd, 1024, 1023,
				  kt_format_by_name("XR24")));
	good.handles[0] = buf.handle;
	good.pitches[0] = buf.pitch;
	kt_assert_ok(try_fb(&buf, &good));
	bad = good;
	bad.flags = DRM_MODE_FB_MODIFIERS;
	kt_assert_ok(try_fb(&buf, &bad)); /* linear */
	bad.modifier[0] = I915_FORMAT_MOD_X_TILED;
	kt_assert_err(try_fb(&buf, &bad), -EINVAL);
	bad.flags = 0;
	kt_assert_err(try_fb(&buf, &bad), -EINVAL);
	bad = good;
	bad.flags = DRM_MODE_FB_MODIFIERS;
	bad.pitches[1] = 512;
	kt_assert_err(try_fb(&buf, &bad), -EINVAL);
	bad = good;
	bad.pixel_format = DRM_FORMAT_ARGB2101010;
	kt_assert_err(try_fb(&buf, &bad), -EINVAL);
	for (unsigned int pitch = 0; pitch < 2048; pitch += 500) {
		bad = good;
		bad.pitches[0] = pitch;
		kt_assert_err(try_fb(&buf, &bad), -EINVAL);
	}
	bad = good;
	bad.width = bad.height = 1024; /* a line more than there is */
	kt_assert_err(try_fb(&buf, &bad), -EINVAL);
	bad.height = 1023;
	kt_assert_ok(try_fb(&buf, &bad));
	bad.width = 1025;
	kt_assert_err(try_fb(&buf, &bad), -EINVAL);
	kt_buf_destroy(&buf);
	kt_close(&dev);
}

static const struct kt_test tests[] = {
	{ "create-destroy", test_create_destroy, "fifty times" },
	{ "zeroed", test_zeroed, "a new buffer holds nothing of an old one" },
	{ "write-read", test_write_read, "two mappings show the same memory" },
	{ "map-outlives", test_map_outlives, "a mapping outlives handle and device" },
	{ "churn", test_churn, "buffers of any size after each other" },
	{ "sizes", test_sizes, "odd sizes in all formats" },
	{ "bad-sizes", test_bad_sizes, "zero, huge, overflowing" },
	{ "handles", test_handles, "handles are per client" },
	{ "addfb-rmfb", test_addfb_rmfb, "three hundred times" },
	{ "bad-fbs", test_bad_fbs, "formats, layouts and sizes that do not fit" },
	{ "rmfb-shown", test_rmfb_shown, "RMFB of what is on the screen" },
	{ "fb-4k", test_fb_4k, "3840x2160 and the limit of 8192" },
	{ "exhaust", test_exhaust, "1080p buffers until ENOMEM, thrice", 120 },
	{ "many-small", test_many_small, "two hundred small buffers" },
	{ "leave", test_leave, "the kernel frees what clients leave" },
	{ "threads", test_threads, "four threads, and flips meanwhile" },
	{ "handle-race", test_handle_race, "destroy by number while creating" },
};

int main(int argc, char **argv)
{
	return kt_main(argc, argv, "Dumb buffers and framebuffers.", tests,
		       KT_ARRAY_SIZE(tests));
}
