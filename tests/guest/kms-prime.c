// SPDX-License-Identifier: GPL-2.0-or-later
/* Buffers across devices and clients: PRIME export, import, CPU access. */
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/udmabuf.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kt.h"

static const struct kt_format *xr24(void)
{
	return kt_format_by_name("XR24");
}

static int export_fd(int fd, uint32_t handle)
{
	int prime = -1;
	int err = drmPrimeHandleToFD(fd, handle, DRM_CLOEXEC | DRM_RDWR, &prime);

	if (err)
		kt_fail("export of handle %u: %s", handle, kt_errno_name(-errno));

	return prime;
}

static void sync_cpu(int prime, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	kt_assert_ok(ioctl(prime, DMA_BUF_IOCTL_SYNC, &sync) ? -errno : 0);
}

/* Out and in again, same client: it is the same object. */
static void test_self(void)
{
	struct kt_dev dev;
	struct kt_buf buf;
	uint32_t handle;
	int prime;

	kt_open(&dev);
	kt_buf_create(&buf, &dev, 640, 480, xr24());
	prime = export_fd(dev.fd, buf.handle);
	kt_assert_ok(drmPrimeFDToHandle(dev.fd, prime, &handle));
	kt_assert_eq(handle, buf.handle);
	close(prime);
	kt_buf_destroy(&buf);
	kt_close(&dev);
}

/* Into another client of the device, which shows it. */
static void test_other_client(void)
{
	struct kt_dev dev, other;
	struct kt_output *output;
	struct kt_buf buf, view;
	int prime;

	kt_open(&other);
	output = kt_output(&other);
	kt_open(&dev);
	kt_buf_create(&buf, &dev, output->mode.hdisplay, output->mode.vdisplay,
		      xr24());
	kt_buf_draw(&buf, 1, 0);
	prime = export_fd(dev.fd, buf.handle);
	view = buf;
	view.fd = other.fd;
	view.fb = 0;
	kt_assert_ok(drmPrimeFDToHandle(other.fd, prime, &view.handle));
	close(prime);
	kt_buf_destroy(&buf);
	kt_close(&dev);

	/* the exporter is gone, the memory is not */
	kt_assert_ok(kt_buf_add_fb(&view));
	kt_show(&other, output, &view);
	kt_hook("other-client");
	view.map = NULL;
	kt_buf_destroy(&view);
	kt_close(&other);
}

/* mmap of the dma-buf itself, with its begin and end of CPU access. */
static void test_mmap(void)
{
	struct kt_dev dev;
	struct kt_buf buf;
	uint32_t *map;
	int prime;

	kt_open(&dev);
	kt_buf_create(&buf, &dev, 640, 480, xr24());
	prime = export_fd(dev.fd, buf.handle);
	kt_assert_eq(lseek(prime, 0, SEEK_END), (off_t)buf.size);
	map = mmap(NULL, buf.size, PROT_READ | PROT_WRITE, MAP_SHARED, prime, 0);
	if (map == MAP_FAILED)
		kt_fail("mmap of the dma-buf: %s", kt_errno_name(-errno));
	sync_cpu(prime, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
	for (uint32_t i = 0; i < buf.size / 4; i++)
		map[i] = i ^ 0x5a5a5a5a;
	sync_cpu(prime, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW);
	for (uint32_t i = 0; i < buf.size / 4; i++)
		if (((uint32_t *)buf.map)[i] != (i ^ 0x5a5a5a5a))
			kt_fail("word %u differs between the mappings", i);
	/* past its end there is nothing to map */
	kt_assert(mmap(NULL, buf.size + 65536, PROT_READ, MAP_SHARED, prime,
		       0) == MAP_FAILED);
	munmap(map, buf.size);
	close(prime);
	kt_buf_destroy(&buf);
	kt_close(&dev);
}

static void test_outlives(void)
{
	struct kt_dev dev;
	struct kt_buf buf;
	uint8_t *map;
	int prime;

	kt_open(&dev);
	kt_buf_create(&buf, &dev, 640, 480, xr24());
	memset(buf.map, 0x42, buf.size);
	prime = export_fd(dev.fd, buf.handle);
	kt_buf_destroy(&buf);
	kt_close(&dev);
	map = mmap(NULL, buf.size, PROT_READ, MAP_SHARED, prime, 0);
	kt_assert(map != MAP_FAILED);
	kt_assert_eq(map[0], 0x42);
	kt_assert_eq(map[buf.size - 1], 0x42);
	munmap(map, buf.size);
	close(prime);
}

/* A dma-buf of @size from udmabuf; its memory at @ret_map. */
static int make_udmabuf(size_t size, uint8_t **ret_map)
{
	struct udmabuf_create create = { .size = size };
	int dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), memfd, prime;

	if (dev < 0)
		kt_skip("no /dev/udmabuf");
	memfd = memfd_create("kms-prime", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	kt_assert_ge(memfd, 0);
	kt_assert_ok(ftruncate(memfd, (off_t)size));
	kt_assert_ok(fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK));
	create.memfd = (uint32_t)memfd;
	prime = ioctl(dev, UDMABUF_CREATE, &create);
	if (prime < 0)
		kt_fail("UDMABUF_CREATE: %s", kt_errno_name(-errno));
	*ret_map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	kt_assert(*ret_map != MAP_FAILED);
	close(memfd);
	close(dev);

	return prime;
}

/* Somebody else's scattered memory on the screen. */
static void test_udmabuf(void)
{
	struct kt_output *output;
	struct kt_dev dev;
	struct kt_buf buf;
	int prime;

	kt_open(&dev);
	output = kt_output(&dev);
	buf = (struct kt_buf) {
		.fd = dev.fd,
		.format = xr24(),
		.width = output->mode.hdisplay,
		.height = output->mode.vdisplay,
		.pitch = output->mode.hdisplay * 4u,
	};
	buf.size = ((uint64_t)buf.pitch * buf.height + 4095) & ~4095ull;
	prime = make_udmabuf(buf.size, &buf.map);
	if (drmPrimeFDToHandle(dev.fd, prime, &buf.handle))
		kt_fail("import: %s", kt_errno_name(-errno));
	close(prime);
	kt_buf_draw(&buf, 2, 0);
	kt_assert_ok(kt_buf_add_fb(&buf));
	kt_show(&dev, output, &buf);
	kt_hook("udmabuf");
	kt_buf_destroy(&buf);
	kt_close(&dev);
}

/* An import that is too small for its framebuffer, and one that is no buffer. */
static void test_bad_import(void)
{
	struct kt_dev dev;
	uint32_t handle, fb;
	uint8_t *map;
	int prime, other;

	kt_open(&dev);
	other = open("/dev/null", O_RDWR | O_CLOEXEC);
	kt_assert_ge(other, 0);
	kt_assert_ne(drmPrimeFDToHandle(dev.fd, other, &handle), 0);
	close(other);
	prime = make_udmabuf(65536, &map);
	kt_assert_ok(drmPrimeFDToHandle(dev.fd, prime, &handle));
	kt_assert_err(kt_add_fb(dev.fd, handle, 800, 600, DRM_FORMAT_XRGB8888,
				3200, 0, &fb), -EINVAL);
	kt_assert_ok(kt_add_fb(dev.fd, handle, 128, 128, DRM_FORMAT_XRGB8888,
			       512, 0, &fb));
	kt_assert_ok(drmModeRmFB(dev.fd, fb));
	kt_assert_ok(drmCloseBufferHandle(dev.fd, handle));
	close(prime);
	munmap(map, 65536);
	kt_close(&dev);
}

/* Imports and exports, many times: nothing leaks, grants least of all. */
static void test_many(void)
{
	struct kt_dev dev, other;

	kt_open(&dev);
	kt_open(&other);
	for (unsigned int i = 0; i < 100; i++) {
		struct kt_buf buf;
		uint32_t handle;
		int prime;

		kt_assert_ok(kt_buf_alloc(&buf, dev.fd, 800, 600, xr24()));
		prime = export_fd(dev.fd, buf.handle);
		kt_assert_ok(drmPrimeFDToHandle(other.fd, prime, &handle));
		close(prime);
		kt_buf_destroy(&buf);
		kt_assert_ok(drmCloseBufferHandle(other.fd, handle));
	}
	kt_close(&other);
	kt_close(&dev);
}

/*
 * What is written through the dma-buf while there is no backend (the hook ends it
 * and brings the next) is there, and is shown.
 */
static void test_away(void)
{
	struct kt_output *output;
	struct kt_buf buf, view;
	struct kt_dev dev;
	int prime;

	kt_open(&dev);
	output = kt_output(&dev);
	kt_buf_create(&buf, &dev, output->mode.hdisplay, output->mode.vdisplay,
		      xr24());
	kt_buf_draw(&buf, 1, 0);
	kt_show(&dev, output, &buf);
	prime = export_fd(dev.fd, buf.handle);
	view = buf;
	view.map = mmap(NULL, buf.size, PROT_READ | PROT_WRITE, MAP_SHARED,
			prime, 0);
	if (view.map == MAP_FAILED)
		kt_fail("mmap of the dma-buf: %s", kt_errno_name(-errno));
	kt_assert(!memcmp(buf.map, view.map, buf.size));
	kt_hook("away");
	kt_buf_draw(&view, 2, 0);
	kt_assert(!memcmp(buf.map, view.map, buf.size));
	kt_hook("back");
	kt_assert(!memcmp(buf.map, view.map, buf.size));
	munmap(view.map, buf.size);
	close(prime);
	kt_buf_destroy(&buf);
	kt_close(&dev);
}

static const struct kt_test tests[] = {
	{ "self", test_self, "export and import by one client" },
	{ "other-client", test_other_client, "import by another, which shows it" },
	{ "mmap", test_mmap, "mmap of the dma-buf" },
	{ "outlives", test_outlives, "the dma-buf outlives its device" },
	{ "udmabuf", test_udmabuf, "import of a udmabuf, shown" },
	{ "bad-import", test_bad_import, "imports that do not fit" },
	{ "many", test_many, "a hundred times" },
	{ "away", test_away, "a mapping while the backend is away", 3600, true },
};

int main(int argc, char **argv)
{
	return kt_main(argc, argv, "Buffer sharing (PRIME).", tests,
		       KT_ARRAY_SIZE(tests));
}
