// SPDX-License-Identifier: GPL-2.0-or-later
/* Page flips: one event each, in order, at the right pace, and never a wait. */
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kt.h"

#define BUFFERS 3

/* A device with one output lit and three buffers. */
struct flipper {
	struct kt_dev dev;
	struct kt_output *output;
	struct kt_buf bufs[BUFFERS];
	bool counts; /* vblanks */
};

static void flipper_open(struct flipper *f)
{
	const struct kt_format *format = kt_format_by_name("XR24");

	kt_open(&f->dev);
	f->output = kt_output(&f->dev);
	for (unsigned int i = 0; i < BUFFERS; i++)
		kt_buf_create(&f->bufs[i], &f->dev, f->output->mode.hdisplay,
			      f->output->mode.vdisplay, format);
	kt_show(&f->dev, f->output, &f->bufs[0]);
	f->counts = kt_has_vblank(&f->dev, f->output);
}

static void flipper_close(struct flipper *f)
{
	for (unsigned int i = 0; i < BUFFERS; i++)
		kt_buf_destroy(&f->bufs[i]);
	kt_close(&f->dev);
}

static void check_order(const struct flipper *f, const struct kt_event *before,
			const struct kt_event *now)
{
	kt_assert_ge(now->time_ns, before->time_ns);
	kt_assert_le(now->time_ns, kt_now());
	if (!f->counts)
		return;
	/* 32 bits of the counter: a step, wrapped or not, is a small one */
	kt_assert_gt((int32_t)(now->sequence - before->sequence), 0);
	kt_assert_le((int32_t)(now->sequence - before->sequence), 600);
}

/* Each buffer that was shown before the one on the screen is written again. */
static void run_flips(struct flipper *f, unsigned int count,
		      struct kt_samples *call, struct kt_samples *interval)
{
	struct kt_event before = { .type = 0 }, event;

	for (unsigned int i = 1; i <= count; i++) {
		struct kt_buf *buf = &f->bufs[i % BUFFERS];
		uint64_t start;

		kt_buf_draw_frame(buf, i % BUFFERS + 1, i);
		start = kt_now();
		kt_assert_ok(kt_flip(&f->dev, f->output, buf, i));
		kt_samples_add(call, kt_now() - start);
		kt_expect_flip(&f->dev, f->output, i, &event);
		if (before.type) {
			check_order(f, &before, &event);
			kt_samples_add(interval, event.time_ns - before.time_ns);
		}
		before = event;
	}
	kt_expect_silence(&f->dev, 200);
}

static void many(bool legacy, unsigned int count)
{
	struct kt_samples call = { .ns = NULL }, interval = { .ns = NULL };
	struct flipper f;

	if (kt_opt.count)
		count = kt_opt.count;
	kt_opt.legacy = legacy;
	flipper_open(&f);
	if (!legacy && !f.dev.atomic)
		kt_skip("the driver is not atomic");
	for (unsigned int i = 0; i < BUFFERS; i++)
		kt_buf_draw(&f.bufs[i], i + 1, 0);
	run_flips(&f, count, &call, &interval);
	kt_samples_note(&call, "flip call");
	kt_samples_note(&interval, "between events");
	kt_assert_eq(kt_crtc_fb(&f.dev, f.output),
		     f.bufs[count % BUFFERS].fb);
	kt_hook("flipped");
	flipper_close(&f);
	kt_samples_finish(&call);
	kt_samples_finish(&interval);
}

static void test_atomic_600(void)
{
	many(false, 600);
}

static void test_legacy(void)
{
	many(true, 150);
}

/*
 * The output is paced by the backend: the events come no faster than the mode's
 * rate. Whether they come as fast is for the benchmark: an emulated machine
 * stutters.
 */
static void test_paced(void)
{
	struct kt_samples call = { .ns = NULL }, interval = { .ns = NULL };
	double refresh, mean;
	struct flipper f;

	flipper_open(&f);
	refresh = f.output->mode.vrefresh;
	run_flips(&f, kt_opt.count ? kt_opt.count : 120, &call, &interval);
	mean = kt_samples_mean_ms(&interval);
	kt_samples_note(&interval, "between events");
	kt_note("%.2f Hz, the mode has %.0f", 1000 / mean, refresh);
	if (mean < 900 / refresh)
		kt_fail("%.2f ms per flip: faster than %.0f Hz", mean, refresh);
	flipper_close(&f);
}

/*
 * The display has its own clock; timestamps and counts have to fit each other and
 * the mode all the same, or clients reckon wrongly. A busy machine may miss some.
 */
static void test_steady(void)
{
	struct kt_event before, event;
	unsigned int good = 0, count;
	struct flipper f;
	double period;

	flipper_open(&f);
	if (!f.counts)
		kt_skip("the driver counts no vblanks");
	count = kt_opt.count ? kt_opt.count : 180;
	period = 1e6 * f.output->mode.htotal * f.output->mode.vtotal /
		f.output->mode.clock;
	for (unsigned int i = 0; i <= count; i++) {
		double frames;

		kt_assert_ok(kt_flip(&f.dev, f.output, &f.bufs[i % BUFFERS], i));
		kt_expect_flip(&f.dev, f.output, i, &event);
		if (i) {
			frames = (double)(event.time_ns - before.time_ns) / period;
			good += fabs(frames - (event.sequence - before.sequence)) <
				0.005 * frames;
		}
		before = event;
	}
	kt_note("%u of %u flips are whole periods apart", good, count);
	kt_assert_ge(good, count * 9 / 10);
	flipper_close(&f);
}

/*
 * A flip after a vblank is a later one's, however quick the display is, and a flip
 * after that one later still. Where call and vblank lie close, not all are late.
 */
static void test_after_vblank(void)
{
	unsigned int next = 0, busy = 0, quick = 0;
	struct kt_event event, second;
	uint64_t period_ns;
	struct flipper f;

	flipper_open(&f);
	if (!f.counts)
		kt_skip("the driver counts no vblanks");
	period_ns = 1000000ull * f.output->mode.htotal *
		    f.output->mode.vtotal / f.output->mode.clock;
	for (unsigned int i = 1; i <= 40; i++) {
		drmVBlank vbl = { .request = {
			.type = DRM_VBLANK_RELATIVE |
				(int)(f.output->pipe << DRM_VBLANK_HIGH_CRTC_SHIFT),
			.sequence = 1,
		} };
		uint64_t at;
		bool soon;
		int err;

		kt_assert_ok(drmWaitVBlank(f.dev.fd, &vbl) ? -errno : 0);
		at = 1000000000ull * (uint64_t)vbl.reply.tval_sec +
		     1000ull * (uint64_t)vbl.reply.tval_usec;
		kt_assert_ok(kt_flip(&f.dev, f.output, &f.bufs[i % BUFFERS], i));
		soon = kt_now() - at < period_ns / 4;
		err = kt_flip(&f.dev, f.output, &f.bufs[i % BUFFERS], 1000 + i);
		kt_expect_flip(&f.dev, f.output, i, &event);
		kt_assert_gt((int32_t)((uint32_t)event.sequence -
				       vbl.reply.sequence), 0);
		quick += soon;
		next += soon &&
			(uint32_t)event.sequence == vbl.reply.sequence + 1;
		if (err == -EBUSY) {
			busy += soon;
			continue;
		}
		/* a slow machine: the first was over when the second was asked for */
		kt_assert_ok(err);
		kt_expect_flip(&f.dev, f.output, 1000 + i, &second);
		kt_assert_gt((int32_t)(uint32_t)(second.sequence -
						 event.sequence), 0);
	}
	kt_note("of %u quick ones %u in the next frame, the second refused %u times",
		quick, next, busy);
	if (quick < 10)
		kt_skip("a machine too slow to tell late frames from its own delay");
	kt_assert_ge(next, quick / 4);
	kt_assert_ge(busy, quick / 2);
	flipper_close(&f);
}

/*
 * A commit that waited for the frame would give up the processor each time. Times
 * prove nothing: on one processor the backend may run before the call returns.
 */
static void test_nonblock(void)
{
	struct rusage before, after;
	long waits = 0;
	struct flipper f;

	flipper_open(&f);
	for (unsigned int i = 1; i <= 60; i++) {
		kt_assert_ok(-getrusage(RUSAGE_THREAD, &before));
		kt_assert_ok(kt_flip(&f.dev, f.output, &f.bufs[i % BUFFERS], i));
		kt_assert_ok(-getrusage(RUSAGE_THREAD, &after));
		waits += after.ru_nvcsw - before.ru_nvcsw;
		kt_expect_flip(&f.dev, f.output, i, NULL);
	}
	kt_note("60 flip calls waited %ld times", waits);
	kt_assert_lt(waits, 20);
	flipper_close(&f);
}

/* While a flip is on its way another one is EBUSY, and neither is lost. */
static void test_busy(void)
{
	unsigned int refused = 0;
	struct flipper f;

	flipper_open(&f);
	for (unsigned int i = 1; i <= 30; i++) {
		int err;

		kt_assert_ok(kt_flip(&f.dev, f.output, &f.bufs[i % BUFFERS], i));
		err = kt_flip(&f.dev, f.output, &f.bufs[(i + 1) % BUFFERS],
			      1000 + i);
		if (err) {
			kt_assert_err(err, -EBUSY);
			refused++;
		}
		kt_expect_flip(&f.dev, f.output, i, NULL);
		if (!err) /* the first had ended before the second came */
			kt_expect_flip(&f.dev, f.output, 1000 + i, NULL);
	}
	kt_note("%u of 30 were refused", refused);
	kt_assert_gt(refused, 0);
	kt_expect_silence(&f.dev, 100);
	flipper_close(&f);
}

static int flip_by(struct flipper *f, bool legacy, unsigned int buf,
		   uint64_t data)
{
	kt_opt.legacy = legacy;
	return kt_flip(&f->dev, f->output, &f->bufs[buf], data);
}

/* The two calls are one queue: each waits for the other, or is EBUSY. */
static void test_mixed(void)
{
	unsigned int refused = 0;
	struct kt_commit commit;
	struct flipper f;

	flipper_open(&f);
	if (!f.dev.atomic)
		kt_skip("the driver is not atomic");
	for (unsigned int i = 1; i <= 40; i++) {
		struct kt_event first, second;
		uintptr_t next = 1000 + i;
		int err;

		kt_assert_ok(flip_by(&f, i & 1, i % BUFFERS, i));
		err = flip_by(&f, !(i & 1), (i + 1) % BUFFERS, 2000 + i);
		if (err) {
			kt_assert_err(err, -EBUSY);
			refused++;
		}
		/* this one waits */
		kt_commit_init(&commit, &f.dev);
		kt_commit_add(&commit, f.output->plane, "FB_ID",
			      f.bufs[(i + 2) % BUFFERS].fb);
		kt_assert_ok(kt_commit_run(&commit, DRM_MODE_PAGE_FLIP_EVENT,
					   (void *)next));
		kt_expect_flip(&f.dev, f.output, i, &first);
		if (!err)
			kt_expect_flip(&f.dev, f.output, 2000 + i, &first);
		kt_expect_flip(&f.dev, f.output, next, &second);
		check_order(&f, &first, &second);
		kt_assert_eq(kt_crtc_fb(&f.dev, f.output),
			     f.bufs[(i + 2) % BUFFERS].fb);
	}
	kt_note("%u of 40 were refused", refused);
	kt_assert_gt(refused, 0);
	kt_expect_silence(&f.dev, 100);
	flipper_close(&f);
}

/* Legacy flips that ask for no event: the next one still waits for them. */
static void test_legacy_no_event(void)
{
	struct flipper f;

	flipper_open(&f);
	for (unsigned int i = 1; i <= 20; i++) {
		int err;

		do {
			err = drmModePageFlip(f.dev.fd, f.output->crtc,
					      f.bufs[i % BUFFERS].fb, 0, NULL);
		} while (err == -EBUSY);
		kt_assert_ok(err);
	}
	kt_expect_silence(&f.dev, 100);
	kt_assert_ok(flip_by(&f, true, 0, 7));
	kt_expect_flip(&f.dev, f.output, 7, NULL);
	flipper_close(&f);
}

/* A flip to what is shown already is a frame like any other. */
static void test_same_buffer(void)
{
	struct flipper f;

	flipper_open(&f);
	for (unsigned int i = 1; i <= 10; i++) {
		kt_assert_ok(kt_flip(&f.dev, f.output, &f.bufs[0], i));
		kt_expect_flip(&f.dev, f.output, i, NULL);
	}
	kt_expect_silence(&f.dev, 100);
	flipper_close(&f);
}

/* A commit that asked for no event gets none, and the next is not delayed. */
static void test_no_event(void)
{
	struct kt_commit commit;
	struct flipper f;

	flipper_open(&f);
	if (!f.dev.atomic)
		kt_skip("the driver is not atomic");
	for (unsigned int i = 0; i < 10; i++) {
		kt_commit_init(&commit, &f.dev);
		kt_commit_add(&commit, f.output->plane, "FB_ID",
			      f.bufs[i % BUFFERS].fb);
		kt_assert_ok(kt_commit_run(&commit, 0, NULL));
	}
	kt_expect_silence(&f.dev, 100);
	flipper_close(&f);
}

static void test_out_fence(void)
{
	struct kt_commit commit;
	struct flipper f;

	flipper_open(&f);
	if (!f.dev.atomic)
		kt_skip("the driver is not atomic");
	for (unsigned int i = 0; i < 20; i++) {
		struct pollfd pfd = { .events = POLLIN };
		int32_t fence = -1;

		kt_commit_init(&commit, &f.dev);
		kt_commit_add(&commit, f.output->plane, "FB_ID",
			      f.bufs[i % BUFFERS].fb);
		kt_commit_add(&commit, f.output->crtc, "OUT_FENCE_PTR",
			      (uint64_t)(uintptr_t)&fence);
		kt_assert_ok(kt_commit_run(&commit, DRM_MODE_ATOMIC_NONBLOCK,
					   NULL));
		kt_assert_ge(fence, 0);
		pfd.fd = fence;
		kt_assert_eq(poll(&pfd, 1, 5000), 1);
		close(fence);
	}
	flipper_close(&f);
}

static void test_while_off(void)
{
	struct flipper f;
	int err;

	flipper_open(&f);
	kt_assert_ok(kt_try_off(&f.dev, f.output));
	/* EBUSY: no framebuffer is on a CRTC that is off */
	err = drmModePageFlip(f.dev.fd, f.output->crtc, f.bufs[1].fb,
			      DRM_MODE_PAGE_FLIP_EVENT, NULL);
	if (err != -EBUSY && err != -EINVAL)
		kt_fail("a flip while off: %s", kt_errno_name(err));
	kt_expect_silence(&f.dev, 100);
	kt_show(&f.dev, f.output, &f.bufs[0]);
	kt_assert_ok(kt_flip(&f.dev, f.output, &f.bufs[1], 7));
	kt_expect_flip(&f.dev, f.output, 7, NULL);
	flipper_close(&f);
}

/* A flip right after a mode set is not EBUSY: the mode set has ended. */
static void test_after_modeset(void)
{
	struct flipper f;

	flipper_open(&f);
	for (unsigned int i = 1; i <= 10; i++) {
		kt_assert_ok(kt_try_off(&f.dev, f.output));
		kt_show(&f.dev, f.output, &f.bufs[0]);
		kt_assert_ok(kt_flip(&f.dev, f.output, &f.bufs[1], i));
		kt_expect_flip(&f.dev, f.output, i, NULL);
	}
	kt_expect_silence(&f.dev, 100);
	flipper_close(&f);
}

/* Switched off with a flip on its way: its event still comes, once. */
static void test_off_pending(void)
{
	struct flipper f;

	flipper_open(&f);
	for (unsigned int i = 1; i <= 10; i++) {
		kt_assert_ok(kt_flip(&f.dev, f.output, &f.bufs[1], i));
		kt_assert_ok(kt_try_off(&f.dev, f.output));
		kt_expect_flip(&f.dev, f.output, i, NULL);
		kt_show(&f.dev, f.output, &f.bufs[0]);
	}
	kt_expect_silence(&f.dev, 100);
	flipper_close(&f);
}

/* The device is closed with a flip on its way; the next client works. */
static void test_close_pending(void)
{
	for (unsigned int i = 1; i <= 10; i++) {
		struct flipper f;

		flipper_open(&f);
		kt_assert_ok(kt_flip(&f.dev, f.output, &f.bufs[1], i));
		if (i & 1)
			kt_expect_flip(&f.dev, f.output, i, NULL);
		kt_close(&f.dev);
		for (unsigned int b = 0; b < BUFFERS; b++) {
			f.bufs[b].handle = f.bufs[b].fb = 0;
			kt_buf_destroy(&f.bufs[b]);
		}
	}
}

/* The framebuffer goes while it is being flipped to. */
static void test_rmfb_pending(void)
{
	struct flipper f;

	flipper_open(&f);
	for (unsigned int i = 1; i <= 10; i++) {
		struct kt_buf *buf = &f.bufs[1];

		kt_assert_ok(kt_flip(&f.dev, f.output, buf, i));
		kt_assert_ok(drmModeRmFB(f.dev.fd, buf->fb));
		kt_expect_flip(&f.dev, f.output, i, NULL);
		kt_assert_ok(kt_buf_add_fb(buf));
		kt_show(&f.dev, f.output, &f.bufs[0]);
	}
	kt_expect_silence(&f.dev, 100);
	flipper_close(&f);
}

/* Modeset commits with an event, alternating with flips. */
static void test_modeset_event(void)
{
	struct kt_commit commit;
	struct flipper f;

	flipper_open(&f);
	if (!f.dev.atomic)
		kt_skip("the driver is not atomic");
	for (uintptr_t i = 1; i <= 10; i++) {
		kt_assert_ok(kt_try_off(&f.dev, f.output));
		kt_commit_init(&commit, &f.dev);
		kt_commit_mode(&commit, f.output, &f.output->mode);
		kt_commit_plane(&commit, f.output, &f.bufs[i % BUFFERS]);
		kt_assert_ok(kt_commit_run(&commit,
					   DRM_MODE_ATOMIC_ALLOW_MODESET |
					   DRM_MODE_PAGE_FLIP_EVENT |
					   (i & 1 ? DRM_MODE_ATOMIC_NONBLOCK : 0),
					   (void *)i));
		kt_expect_flip(&f.dev, f.output, i, NULL);
	}
	kt_expect_silence(&f.dev, 100);
	flipper_close(&f);
}

/* All outputs in one commit: an event for each. */
static void test_all_outputs(void)
{
	const struct kt_format *format = kt_format_by_name("XR24");
	struct kt_buf bufs[KT_MAX_OUTPUTS][2];
	struct kt_dev dev;

	kt_open(&dev);
	if (!dev.atomic || dev.output_count < 2)
		kt_skip("needs two outputs and atomic");
	for (unsigned int o = 0; o < dev.output_count; o++) {
		for (unsigned int b = 0; b < 2; b++)
			kt_buf_create(&bufs[o][b], &dev,
				      dev.outputs[o].mode.hdisplay,
				      dev.outputs[o].mode.vdisplay, format);
		kt_show(&dev, &dev.outputs[o], &bufs[o][0]);
	}
	for (uintptr_t i = 1; i <= 60; i++) {
		struct kt_commit commit;
		uint32_t seen = 0;

		kt_commit_init(&commit, &dev);
		for (unsigned int o = 0; o < dev.output_count; o++)
			kt_commit_add(&commit, dev.outputs[o].plane, "FB_ID",
				      bufs[o][i & 1].fb);
		kt_assert_ok(kt_commit_run(&commit, DRM_MODE_PAGE_FLIP_EVENT |
					   DRM_MODE_ATOMIC_NONBLOCK,
					   (void *)i));
		for (unsigned int n = 0; n < dev.output_count; n++) {
			struct kt_event event;

			kt_assert_eq(kt_next_event(&dev, 5000, &event), 1);
			kt_assert_eq(event.data, i);
			for (unsigned int o = 0; o < dev.output_count; o++)
				if (event.crtc == dev.outputs[o].crtc)
					seen |= 1u << o;
		}
		kt_assert_eq(seen, (1u << dev.output_count) - 1);
	}
	kt_expect_silence(&dev, 100);
	kt_close(&dev);
}

static const struct kt_test tests[] = {
	{ "atomic-600", test_atomic_600, "600 atomic flips, one event each" },
	{ "legacy", test_legacy, "150 legacy flips, one event each" },
	{ "paced", test_paced, "events come at the mode's rate" },
	{ "steady", test_steady, "events at whole periods of the mode" },
	{ "after-vblank", test_after_vblank, "a flip is the next vblank's" },
	{ "nonblock", test_nonblock, "the call does not wait for the frame" },
	{ "busy", test_busy, "a second flip meanwhile is EBUSY" },
	{ "mixed", test_mixed, "legacy and atomic flips in one queue" },
	{ "legacy-no-event", test_legacy_no_event, "and without events" },
	{ "same-buffer", test_same_buffer, "flip to what is shown" },
	{ "no-event", test_no_event, "no event where none was asked for" },
	{ "out-fence", test_out_fence, "OUT_FENCE_PTR signals" },
	{ "while-off", test_while_off, "a flip on a CRTC that is off" },
	{ "after-modeset", test_after_modeset, "a flip right after a mode set" },
	{ "off-pending", test_off_pending, "off with a flip on its way" },
	{ "close-pending", test_close_pending, "closed with a flip on its way" },
	{ "rmfb-pending", test_rmfb_pending, "RMFB with a flip on its way" },
	{ "modeset-event", test_modeset_event, "modeset commits with events" },
	{ "all-outputs", test_all_outputs, "one commit, an event per output" },
};

int main(int argc, char **argv)
{
	return kt_main(argc, argv, "Page flips and their events.", tests,
		       KT_ARRAY_SIZE(tests));
}
