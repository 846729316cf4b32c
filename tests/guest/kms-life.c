// SPDX-License-Identifier: GPL-2.0-or-later
/* The device goes while it is in use, comes back, or its backend does. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kt.h"

#define PAUSE_MS 100 /* longer between two frames is worth a line */

/* A client that shows something. */
struct client {
	struct kt_dev dev;
	struct kt_output *output;
	struct kt_buf bufs[2];
};

static void client_open(struct client *c)
{
	kt_open(&c->dev);
	c->output = kt_output(&c->dev);
	for (unsigned int i = 0; i < 2; i++) {
		kt_buf_create(&c->bufs[i], &c->dev, c->output->mode.hdisplay,
			      c->output->mode.vdisplay,
			      kt_format_by_name("XR24"));
		kt_buf_draw(&c->bufs[i], i + 1, 0);
	}
	kt_show(&c->dev, c->output, &c->bufs[0]);
}

static void client_flip(struct client *c, unsigned int count)
{
	for (unsigned int i = 1; i <= count; i++) {
		kt_assert_ok(kt_flip(&c->dev, c->output, &c->bufs[i & 1], i));
		kt_expect_flip(&c->dev, c->output, i, NULL);
	}
}

/* ---- through sysfs ---- */

/* Everything says ENODEV; what was mapped is still there; nothing crashes. */
static void expect_gone(struct client *c)
{
	struct pollfd pfd = { .fd = c->dev.fd, .events = POLLIN };
	struct kt_buf buf;
	uint32_t fb;

	kt_assert_err(kt_buf_alloc(&buf, c->dev.fd, 64, 64,
				   kt_format_by_name("XR24")), -ENODEV);
	kt_assert_err(kt_add_fb(c->dev.fd, c->bufs[0].handle, 64, 64,
				DRM_FORMAT_XRGB8888, 256, 0, &fb), -ENODEV);
	kt_assert(!drmModeGetResources(c->dev.fd));
	kt_assert_err(drmModePageFlip(c->dev.fd, c->output->crtc,
				      c->bufs[0].fb, 0, NULL), -ENODEV);
	kt_assert_ge(poll(&pfd, 1, 0), 0);
	c->bufs[0].map[0]++;
	c->bufs[1].map[c->bufs[1].size - 1]++;
}

static void client_forget(struct client *c)
{
	for (unsigned int i = 0; i < 2; i++)
		munmap(c->bufs[i].map, c->bufs[i].size);
	kt_close(&c->dev);
}

/* The next client of the device that came back. */
static void expect_back(void)
{
	struct client c;

	client_open(&c);
	client_flip(&c, 5);
	client_forget(&c);
}

static void test_unbind_idle(void)
{
	struct kt_place place;
	struct kt_dev dev;

	kt_open(&dev);
	kt_place_find(&place, &dev);
	kt_close(&dev);
	kt_assert_ok(kt_place_write(&place, "unbind"));
	kt_assert_ok(kt_place_write(&place, "bind"));
	expect_back();
}

static void test_unbind_open(void)
{
	struct kt_place place;
	struct client c;

	client_open(&c);
	kt_place_find(&place, &c.dev);
	kt_assert_ok(kt_place_write(&place, "unbind"));
	expect_gone(&c);
	client_forget(&c);
	kt_assert_ok(kt_place_write(&place, "bind"));
	expect_back();
}

/* With a flip on its way; its event comes, or the end does. */
static void test_unbind_flipping(void)
{
	struct kt_place place;
	struct client c;

	for (unsigned int i = 0; i < 3; i++) {
		struct kt_event event;

		client_open(&c);
		kt_place_find(&place, &c.dev);
		client_flip(&c, 5);
		kt_assert_ok(kt_flip(&c.dev, c.output, &c.bufs[1], 99));
		kt_assert_ok(kt_place_write(&place, "unbind"));
		if (kt_next_event(&c.dev, 5000, &event) == 1)
			kt_assert_eq(event.data, 99);
		expect_gone(&c);
		client_forget(&c);
		kt_assert_ok(kt_place_write(&place, "bind"));
		expect_back();
	}
}

/* The old client stays while the new device is in use already. */
static void test_unbind_both(void)
{
	struct kt_place place;
	struct client old, new;

	client_open(&old);
	kt_place_find(&place, &old.dev);
	kt_assert_ok(kt_place_write(&place, "unbind"));
	kt_assert_ok(kt_place_write(&place, "bind"));
	client_open(&new);
	client_flip(&new, 10);
	expect_gone(&old);
	client_forget(&old);
	client_flip(&new, 10);
	client_forget(&new);
}

/* A mapping and a dma-buf outlive their device by far. */
static void test_unbind_mapped(void)
{
	struct kt_place place;
	struct client c;
	int prime;

	client_open(&c);
	kt_place_find(&place, &c.dev);
	kt_assert_ok(drmPrimeHandleToFD(c.dev.fd, c.bufs[0].handle, DRM_CLOEXEC,
					&prime));
	memset(c.bufs[0].map, 0x11, c.bufs[0].size);
	kt_assert_ok(kt_place_write(&place, "unbind"));
	kt_close(&c.dev);
	kt_assert_ok(kt_place_write(&place, "bind"));
	expect_back();
	for (uint64_t i = 0; i < c.bufs[0].size; i++)
		if (c.bufs[0].map[i] != 0x11)
			kt_fail("byte %llu changed", (unsigned long long)i);
	close(prime);
	munmap(c.bufs[0].map, c.bufs[0].size);
	munmap(c.bufs[1].map, c.bufs[1].size);
	expect_back();
}

struct storm {
	pthread_t thread;
	struct client *client;
	unsigned int kind;
	unsigned int turns; /* that succeeded, read by the thread that unbinds */
};

/* Until the device is gone, which shows as ENODEV. */
static void *storm(void *data)
{
	struct storm *s = data;
	int fd = s->client->dev.fd, err = 0;
	unsigned int turns = 0;

	while (err != -ENODEV) {
		struct kt_buf buf;
		drmModeRes *res;

		switch (s->kind) {
		case 0:
			err = kt_buf_alloc(&buf, fd, 128, 128,
					   kt_format_by_name("XR24"));
			if (!err && !kt_buf_map(&buf))
				buf.map[0] = 1;
			kt_buf_destroy(&buf);
			break;
		case 1:
			err = drmModePageFlip(fd, s->client->output->crtc,
					      s->client->bufs[turns & 1].fb,
					      0, NULL);
			break;
		default:
			res = drmModeGetResources(fd);
			err = res ? 0 : -errno;
			drmModeFreeResources(res);
		}
		if (err && err != -EBUSY && err != -ENODEV && err != -ENOMEM)
			kt_fail("kind %u: %s", s->kind, kt_errno_name(err));
		if (!err)
			__atomic_store_n(&s->turns, ++turns, __ATOMIC_RELAXED);
	}

	return NULL;
}

/* Until each of them has had a few turns. */
static void storms_rage(struct storm *storms, unsigned int count)
{
	uint64_t until = kt_now() + 20 * KT_NS_PER_S;

	for (unsigned int i = 0; i < count; i++) {
		while (__atomic_load_n(&storms[i].turns, __ATOMIC_RELAXED) < 3) {
			if (kt_now() > until)
				kt_fail("kind %u: %u turns within 20 s", i,
					storms[i].turns);
			kt_pause_ms(5);
		}
	}
}

/* Three threads on the device at the moment it goes. */
static void test_unbind_storm(void)
{
	for (unsigned int round = 0; round < 3; round++) {
		struct storm storms[3];
		struct kt_place place;
		struct client c;

		client_open(&c);
		kt_place_find(&place, &c.dev);
		for (unsigned int i = 0; i < 3; i++) {
			storms[i] = (struct storm) { .client = &c, .kind = i };
			kt_assert_ok(-pthread_create(&storms[i].thread, NULL,
						     storm, &storms[i]));
		}
		storms_rage(storms, 3);
		kt_assert_ok(kt_place_write(&place, "unbind"));
		for (unsigned int i = 0; i < 3; i++)
			pthread_join(storms[i].thread, NULL);
		kt_note("%u creates, %u flips, %u reads", storms[0].turns,
			storms[1].turns, storms[2].turns);
		client_forget(&c);
		kt_assert_ok(kt_place_write(&place, "bind"));
		expect_back();
	}
}

static void test_rebind(void)
{
	unsigned int count = kt_opt.count ? kt_opt.count : 20;
	struct kt_place place;
	struct kt_dev dev;

	for (unsigned int i = 0; i < count; i++) {
		kt_open(&dev);
		kt_place_find(&place, &dev);
		kt_close(&dev);
		kt_assert_ok(kt_place_write(&place, "unbind"));
		kt_assert_ok(kt_place_write(&place, "bind"));
	}
	expect_back();
}

/* ---- from outside ---- */

/* The link status, told when it changes. */
static void watch_link(struct client *c, uint64_t *status)
{
	uint64_t now = kt_prop_value(&c->dev, c->output->connector,
				     "link-status");

	if (now != *status)
		kt_note("link-status is now %s", now ==
			DRM_MODE_LINK_STATUS_GOOD ? "Good" : "Bad");
	*status = now;
}

static void flip_one(struct client *c, unsigned int frame,
		     struct kt_samples *gaps, uint64_t *last)
{
	struct kt_buf *buf = &c->bufs[frame & 1];
	struct kt_event event;
	uint64_t now;

	kt_buf_draw_frame(buf, (frame & 1) + 1, frame);
	kt_assert_ok(kt_flip(&c->dev, c->output, buf, frame));
	kt_expect_flip(&c->dev, c->output, frame, &event);
	now = kt_now();
	kt_samples_add(gaps, now - *last);
	if (now - *last > PAUSE_MS * KT_NS_PER_MS)
		kt_note("frame %u: a pause of %llu ms", frame,
			(unsigned long long)((now - *last) / KT_NS_PER_MS));
	*last = now;
}

/*
 * Flips at the screen's pace while whatever happens to the backend, to the
 * guest, to the world.  A commit that fails, an event that does not come or
 * comes twice is a failure; a pause is only told.  Ends when the hook does, or
 * after --seconds; then shows the card with seed 1 and the number of frames.
 */
static void test_steady(void)
{
	uint64_t start = kt_now(), last, link = DRM_MODE_LINK_STATUS_GOOD;
	uint64_t limit = (kt_opt.seconds ? kt_opt.seconds : kt_opt.hook ? 600 :
			  10) * KT_NS_PER_S;
	struct kt_samples gaps = { .ns = NULL };
	unsigned int frame = 0;
	struct client c;
	pid_t hook;

	client_open(&c);
	hook = kt_hook_start("running");
	last = kt_now();
	while (!kt_hook_ended(hook) && kt_now() - start < limit) {
		flip_one(&c, ++frame, &gaps, &last);
		if (frame % 30 == 0)
			watch_link(&c, &link);
	}
	if (hook && kt_now() - start >= limit)
		kt_fail("the hook did not end");
	kt_expect_silence(&c.dev, 100);
	kt_samples_note(&gaps, "between frames");
	kt_assert_gt(frame, 0);

	kt_buf_draw(&c.bufs[0], 1, kt_opt.count);
	kt_assert_ok(kt_flip(&c.dev, c.output, &c.bufs[0], frame + 1));
	kt_expect_flip(&c.dev, c.output, frame + 1, NULL);
	kt_assert_eq(kt_prop_value(&c.dev, c.output->connector, "link-status"),
		     DRM_MODE_LINK_STATUS_GOOD);
	kt_hook("end");
	client_forget(&c);
}

/* What a client may be told that its backend, not itself, did wrong. */
static bool is_backends_error(int err)
{
	switch (err) {
	case -EIO:
	case -ENOMEM:
	case -ETIMEDOUT:
	case -EBUSY:
	case -EACCES:
	case -EINPROGRESS:
	case -ERANGE:
	case -EINVAL:
	case -EOPNOTSUPP:
		return true;
	default:
		return false;
	}
}

/* A commit succeeds, and has one event, whatever the backend does. */
static void rough_flip(struct client *c, const struct kt_buf *buf,
		       unsigned int data)
{
	struct kt_event event;

	kt_assert_ok(kt_flip(&c->dev, c->output, buf, data));
	if (kt_next_event(&c->dev, 20000, &event) != 1)
		kt_fail("flip %u: no event within 20 s", data);
	kt_assert_eq(event.data, data);
}

/* A buffer is made, shown, and goes; or it is refused and nothing is left. */
static void rough_buffer(struct client *c, unsigned int turn)
{
	struct kt_buf buf;
	int err = kt_buf_alloc(&buf, c->dev.fd, c->bufs[0].width,
			       c->bufs[0].height, c->bufs[0].format);

	if (err) {
		kt_assert(is_backends_error(err));
		return;
	}
	kt_assert_ok(kt_buf_map(&buf));
	kt_assert_ok(kt_buf_add_fb(&buf));
	buf.map[0] = turn;
	rough_flip(c, &buf, turn);
	rough_flip(c, &c->bufs[turn & 1], turn);
	kt_buf_destroy(&buf);
}

/*
 * Flips, makes buffers and sets modes, --count times until the hook ends, while
 * the backend is anything but honest. In between an honest one is there, and
 * the card with the number of the round has to be right.
 */
static void test_rough(void)
{
	unsigned int turn = 0;
	struct client c;

	client_open(&c);
	for (unsigned int round = 1; round <= kt_opt.count; round++) {
		pid_t hook = kt_hook_start("running");

		while (!kt_hook_ended(hook)) {
			if (++turn % 8 == 0) {
				kt_assert_ok(kt_try_off(&c.dev, c.output));
				kt_assert_ok(kt_try_show(&c.dev, c.output,
							 &c.bufs[turn & 1]));
			}
			if (turn % 4 == 0)
				rough_buffer(&c, turn);
			rough_flip(&c, &c.bufs[turn & 1], turn);
			rough_flip(&c, &c.bufs[~turn & 1], turn);
		}
		kt_buf_draw_frame(&c.bufs[0], 1, round);
		rough_flip(&c, &c.bufs[1], turn);
		rough_flip(&c, &c.bufs[0], turn);
		kt_hook("shown");
	}
	kt_expect_silence(&c.dev, 100);
	client_forget(&c);
}

/* Shows a still picture; it has to be there again without the client's help. */
static void test_still(void)
{
	struct client c;

	client_open(&c);
	kt_hook("still");
	kt_assert_ok(kt_flip(&c.dev, c.output, &c.bufs[0], 1));
	kt_expect_flip(&c.dev, c.output, 1, NULL);
	client_forget(&c);
}

/* Somebody takes the device away (the hook does, or waits for it). */
static void test_unplugged(void)
{
	uint64_t until = kt_now() + (kt_opt.seconds ? kt_opt.seconds : 60) *
			 KT_NS_PER_S;
	unsigned int frame = 0;
	struct client c;
	pid_t hook;
	int err = 0;

	client_open(&c);
	hook = kt_hook_start("running");
	while (!err && kt_now() < until) {
		struct kt_event event;

		frame++;
		err = kt_flip(&c.dev, c.output, &c.bufs[frame & 1], frame);
		if (!err && kt_next_event(&c.dev, 5000, &event) < 0)
			err = -ENODEV;
	}
	kt_note("%u frames, then %s", frame, kt_errno_name(err));
	kt_assert_err(err, -ENODEV);
	while (hook && !kt_hook_ended(hook))
		kt_pause_ms(20);
	expect_gone(&c);
	client_forget(&c);
}

static void set_dpms(struct client *c, uint64_t value)
{
	uint32_t id = kt_prop_find(&c->dev, c->output->connector, "DPMS");

	kt_assert_ok(drmModeConnectorSetProperty(c->dev.fd,
						 c->output->connector, id,
						 value) ? -errno : 0);
}

/* The mode that is set stays good, also if the monitor is too small for it now. */
static void off_and_on(struct client *c)
{
	set_dpms(c, DRM_MODE_DPMS_OFF);
	set_dpms(c, DRM_MODE_DPMS_ON);
	kt_assert_ok(kt_try_off(&c->dev, c->output));
	kt_show(&c->dev, c->output, &c->bufs[0]);
}

/* The backend offers another mode: a uevent, the mode, and it can be set. */
static void test_new_mode(void)
{
	uint64_t until = kt_now() + (kt_opt.seconds ? kt_opt.seconds : 30) *
			 KT_NS_PER_S;
	unsigned int width = kt_opt.width, height = kt_opt.height;
	struct kt_uevent event;
	struct client c;
	bool hotplug = false;
	int uevents = kt_uevent_open();
	struct kt_dev dev;
	struct kt_buf buf;

	kt_assert_ge(uevents, 0);
	if (!width)
		kt_fail("--mode says which mode to wait for");
	kt_opt.width = kt_opt.height = 0;
	client_open(&c);
	kt_hook("before");
	while (!hotplug && kt_uevent_next(uevents, until, &event) > 0)
		hotplug = !strcmp(event.subsystem, "drm") &&
			  !strcmp(event.hotplug, "1");
	kt_assert(hotplug);
	off_and_on(&c);
	kt_assert_ok(drmDropMaster(c.dev.fd) ? -errno : 0);
	kt_open(&dev);
	kt_assert_eq(kt_output(&dev)->mode.hdisplay, width);
	kt_assert_eq(kt_output(&dev)->mode.vdisplay, height);
	kt_buf_create(&buf, &dev, width, height, kt_format_by_name("XR24"));
	kt_buf_draw(&buf, 1, 0);
	kt_show(&dev, kt_output(&dev), &buf);
	kt_hook("after");
	kt_close(&dev);
	client_forget(&c);
}

static const struct kt_test tests[] = {
	{ "unbind-idle", test_unbind_idle, "unbind and bind, nobody there" },
	{ "unbind-open", test_unbind_open, "unbind under a client" },
	{ "unbind-flipping", test_unbind_flipping, "with a flip on its way" },
	{ "unbind-both", test_unbind_both, "old client beside the new device" },
	{ "unbind-mapped", test_unbind_mapped, "mappings and dma-bufs stay" },
	{ "unbind-storm", test_unbind_storm, "three busy threads" },
	{ "rebind", test_rebind, "twenty times", 120 },
	{ "steady", test_steady, "flips until the hook ends", 3600, true },
	{ "rough", test_rough, "a backend that misbehaves, --count times", 3600, true },
	{ "still", test_still, "a still picture, the hook looks", 3600, true },
	{ "unplugged", test_unplugged, "flips until the device goes", 600, true },
	{ "new-mode", test_new_mode, "the monitor changes to --mode", 600, true },
};

int main(int argc, char **argv)
{
	return kt_main(argc, argv, "Devices that go and come back.", tests,
		       KT_ARRAY_SIZE(tests));
}
