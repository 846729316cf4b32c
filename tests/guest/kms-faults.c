// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each allocation of a call fails once, in turn: the first, the second, until the
 * call has no more. The call may fail, with an error; what it had is freed, and
 * the next one works. For kernels with fault injection, whose filters the caller
 * has opened (see lab/scenarios/81-faults).
 *
 * Only allocations of the calling task: not those of the kernel's workers.
 */
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kt.h"

/* What calls work on. */
struct subject {
	struct kt_dev dev;
	struct kt_output *output;
	struct kt_buf bufs[2];	/* of the mode's size */
	struct kt_buf small;
	struct kt_place place;
	uint32_t handle;
	uint64_t flips;
	int fd;			/* what a call has opened */
	int udmabuf;
	int faults;		/* the task's fail-nth */
	unsigned int number;	/* of the allocation that fails, or did last */
};

/**
 * struct call - something to be tried
 * @run: 0 or -errno
 * @undo: what @run did, if that was anything
 * @least: allocations that it has at the least, or the test has not met it
 * @sparse: it has hundreds of them, and takes long: not all are tried
 */
struct call {
	int (*run)(struct subject *s);
	void (*undo)(struct subject *s);
	unsigned int least;
	bool sparse;
};

static void fault_begin(struct subject *s, unsigned int number)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", number);

	if (pwrite(s->faults, text, (size_t)len, 0) != len)
		kt_fail("fail-nth: %s", kt_errno_name(-errno));
}

/* Whether there was an allocation of that number. */
static bool fault_end(struct subject *s)
{
	char text[16] = "";

	kt_assert_gt(pread(s->faults, text, sizeof(text) - 1, 0), 0);
	fault_begin(s, 0);

	return !strtoul(text, NULL, 10);
}

static void each_allocation(struct subject *s, const struct call *call)
{
	unsigned int tried = 0, failed = 0;
	bool hit;

	s->number = 1;
	do {
		int err;

		fault_begin(s, s->number);
		err = call->run(s);
		hit = fault_end(s);
		if (err && !hit)
			kt_fail("%s, and no allocation had failed",
				kt_errno_name(err));
		if (!err && call->undo)
			call->undo(s);
		failed += !!err;
		tried++;
		err = call->run(s);
		if (err)
			kt_fail("%s after allocation %u had failed",
				kt_errno_name(err), s->number);
		if (call->undo)
			call->undo(s);
		s->number += call->sparse ? 1 + s->number / 16 : 1;
	} while (hit);
	kt_note("%u allocations tried, the last of them %u; %u were errors",
		tried - 1, s->number - 1, failed);
	kt_assert_ge(tried - 1, call->least);
}

static void subject_open(struct subject *s)
{
	kt_open(&s->dev);
	s->output = kt_output(&s->dev);
	s->faults = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (s->faults < 0)
		kt_skip("this kernel has no fail-nth");
	for (unsigned int i = 0; i < 2; i++)
		kt_buf_create(&s->bufs[i], &s->dev, s->output->mode.hdisplay,
			      s->output->mode.vdisplay,
			      kt_format_by_name("XR24"));
	kt_buf_create(&s->small, &s->dev, 64, 64, kt_format_by_name("XR24"));
}

static void subject_close(struct subject *s)
{
	kt_buf_destroy(&s->small);
	for (unsigned int i = 0; i < 2; i++)
		kt_buf_destroy(&s->bufs[i]);
	close(s->faults);
	kt_close(&s->dev);
}

static void try(const struct call *call)
{
	static struct subject s;

	subject_open(&s);
	each_allocation(&s, call);
	subject_close(&s);
}

static int run_open(struct subject *s)
{
	s->fd = open(s->dev.node, O_RDWR | O_CLOEXEC);

	return s->fd < 0 ? -errno : 0;
}

static void close_fd(struct subject *s)
{
	close(s->fd);
}

static void test_open(void)
{
	try(&(struct call){ run_open, close_fd, 3 });
}

static int run_create(struct subject *s)
{
	struct drm_mode_create_dumb create = {
		.width = 64, .height = 64, .bpp = 32,
	};

	if (drmIoctl(s->dev.fd, DRM_IOCTL_MODE_CREATE_DUMB, &create))
		return -errno;
	s->handle = create.handle;
	return 0;
}

static void undo_create(struct subject *s)
{
	struct drm_mode_destroy_dumb destroy = { .handle = s->handle };

	kt_assert_ok(drmIoctl(s->dev.fd, DRM_IOCTL_MODE_DESTROY_DUMB,
			      &destroy));
}

static void test_create(void)
{
	try(&(struct call){ run_create, undo_create, 3 });
}

static int run_addfb(struct subject *s)
{
	return kt_add_fb(s->dev.fd, s->small.handle, 64, 64,
			 DRM_FORMAT_XRGB8888, s->small.pitch, 0, &s->handle);
}

static void undo_addfb(struct subject *s)
{
	kt_assert_ok(drmModeRmFB(s->dev.fd, s->handle));
}

static void test_addfb(void)
{
	try(&(struct call){ run_addfb, undo_addfb, 1 });
}

static int run_show(struct subject *s)
{
	return drmModeSetCrtc(s->dev.fd, s->output->crtc, s->bufs[0].fb, 0, 0,
			      &s->output->connector, 1, &s->output->mode) ?
		-errno : 0;
}

static void undo_show(struct subject *s)
{
	kt_assert_ok(drmModeSetCrtc(s->dev.fd, s->output->crtc, 0, 0, 0, NULL,
				    0, NULL));
}

static void test_show(void)
{
	try(&(struct call){ run_show, undo_show, 5 });
}

static int run_flip(struct subject *s)
{
	s->flips++;
	return drmModePageFlip(s->dev.fd, s->output->crtc,
			       s->bufs[s->flips & 1].fb,
			       DRM_MODE_PAGE_FLIP_EVENT,
			       (void *)(uintptr_t)s->flips) ? -errno : 0;
}

static void undo_flip(struct subject *s)
{
	kt_expect_flip(&s->dev, s->output, s->flips, NULL);
}

static void test_flip(void)
{
	static struct subject s;

	subject_open(&s);
	kt_assert_ok(run_show(&s));
	each_allocation(&s, &(struct call){ run_flip, undo_flip, 2 });
	kt_expect_silence(&s.dev, 200);
	subject_close(&s);
}

static int run_dirty(struct subject *s)
{
	drmModeClip clips[] = { { 0, 0, 10, 10 }, { 20, 20, 30, 30 } };

	return drmModeDirtyFB(s->dev.fd, s->bufs[0].fb, clips, 2) ? -errno : 0;
}

static void test_dirty(void)
{
	static struct subject s;

	subject_open(&s);
	kt_assert_ok(run_show(&s));
	each_allocation(&s, &(struct call){ run_dirty, NULL, 2 });
	subject_close(&s);
}

static int run_export(struct subject *s)
{
	return drmPrimeHandleToFD(s->dev.fd, s->small.handle, DRM_CLOEXEC,
				  &s->fd) ? -errno : 0;
}

static void test_export(void)
{
	try(&(struct call){ run_export, close_fd, 1 });
}

static int run_import(struct subject *s)
{
	return drmPrimeFDToHandle(s->dev.fd, s->udmabuf, &s->handle) ?
		-errno : 0;
}

static void undo_import(struct subject *s)
{
	kt_assert_ok(drmCloseBufferHandle(s->dev.fd, s->handle));
}

/* Somebody else's 16 pages. */
static int make_udmabuf(void)
{
	struct udmabuf_create create = { .size = 65536 };
	int dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), memfd, fd;

	if (dev < 0)
		kt_skip("no /dev/udmabuf");
	memfd = memfd_create("kms-faults", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	kt_assert_ge(memfd, 0);
	kt_assert_ok(ftruncate(memfd, (off_t)create.size));
	kt_assert_ok(fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK));
	create.memfd = (uint32_t)memfd;
	fd = ioctl(dev, UDMABUF_CREATE, &create);
	kt_assert_ge(fd, 0);
	close(memfd);
	close(dev);

	return fd;
}

static void test_import(void)
{
	static struct subject s;

	subject_open(&s);
	s.udmabuf = make_udmabuf();
	each_allocation(&s, &(struct call){ run_import, undo_import, 3 });
	close(s.udmabuf);
	subject_close(&s);
}

static int run_bind(struct subject *s)
{
	return kt_place_write(&s->place, "bind");
}

static void undo_bind(struct subject *s)
{
	int fd = kt_open_node(s->dev.node, sizeof(s->dev.node));

	if (fd < 0)
		kt_fail("bound, and no device; allocation %u has failed",
			s->number);
	close(fd);
	kt_assert_ok(kt_place_write(&s->place, "unbind"));
}

static void test_bind(void)
{
	static struct subject s;

	kt_open(&s.dev);
	kt_place_find(&s.place, &s.dev);
	kt_close(&s.dev);
	s.faults = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (s.faults < 0)
		kt_skip("this kernel has no fail-nth");
	kt_assert_ok(kt_place_write(&s.place, "unbind"));
	each_allocation(&s, &(struct call){ run_bind, undo_bind, 30, true });
	kt_assert_ok(run_bind(&s));
	kt_open(&s.dev);
	kt_close(&s.dev);
}

static const struct kt_test tests[] = {
	{ "open", test_open, "a client", 300 },
	{ "create", test_create, "a dumb buffer", 300 },
	{ "addfb", test_addfb, "a framebuffer", 300 },
	{ "show", test_show, "a mode", 300 },
	{ "flip", test_flip, "a page flip", 300 },
	{ "dirty", test_dirty, "DIRTYFB", 300 },
	{ "export", test_export, "PRIME, out", 300 },
	{ "import", test_import, "PRIME, in, from udmabuf", 300 },
	{ "bind", test_bind, "the driver's probe, through sysfs", 1500 },
};

int main(int argc, char **argv)
{
	return kt_main(argc, argv, "Each allocation of a call fails in turn.",
		       tests, KT_ARRAY_SIZE(tests));
}
