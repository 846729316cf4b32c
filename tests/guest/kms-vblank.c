// SPDX-License-Identifier: GPL-2.0-or-later
/* Vertical blanks: waits, sequence events, counters, clocks. */
#include <string.h>

#include "kt.h"

struct screen {
	struct kt_dev dev;
	struct kt_output *output;
	struct kt_buf buf;
};

static void screen_open(struct screen *s)
{
	kt_open(&s->dev);
	s->output = kt_output(&s->dev);
	kt_buf_create(&s->buf, &s->dev, s->output->mode.hdisplay,
		      s->output->mode.vdisplay, kt_format_by_name("XR24"));
	kt_show(&s->dev, s->output, &s->buf);
}

static void screen_close(struct screen *s)
{
	kt_buf_destroy(&s->buf);
	kt_close(&s->dev);
}

static int wait_vblank(struct screen *s, drmVBlankSeqType type,
		       unsigned int sequence, unsigned long signal, drmVBlank *vbl)
{
	unsigned int type_bits = type | s->output->pipe <<
				 DRM_VBLANK_HIGH_CRTC_SHIFT;

	memset(vbl, 0, sizeof(*vbl));
	vbl->request.type = type_bits;
	vbl->request.sequence = sequence;
	vbl->request.signal = signal;

	return drmWaitVBlank(s->dev.fd, vbl) ? -errno : 0;
}

static uint64_t reply_ns(const drmVBlank *vbl)
{
	return (uint64_t)vbl->reply.tval_sec * KT_NS_PER_S +
	       (uint64_t)vbl->reply.tval_usec * 1000;
}

/* Sixty waits for the next one take about a second. */
static void test_relative(void)
{
	drmVBlank vbl, first, before;
	struct screen s;
	double hz;

	screen_open(&s);
	kt_assert_ok(wait_vblank(&s, DRM_VBLANK_RELATIVE, 1, 0, &first));
	before = first;
	for (unsigned int i = 0; i < 60; i++) {
		kt_assert_ok(wait_vblank(&s, DRM_VBLANK_RELATIVE, 1, 0, &vbl));
		kt_assert_gt((int32_t)(vbl.reply.sequence -
				       before.reply.sequence), 0);
		kt_assert_gt(reply_ns(&vbl), reply_ns(&before));
		kt_assert_le(reply_ns(&vbl), kt_now());
		before = vbl;
	}
	hz = (vbl.reply.sequence - first.reply.sequence) * 1e9 /
	     (double)(reply_ns(&vbl) - reply_ns(&first));
	kt_note("%.3f vblanks per second, mode %u Hz", hz,
		s.output->mode.vrefresh);
	if (hz < s.output->mode.vrefresh * 0.98 ||
	    hz > s.output->mode.vrefresh * 1.02)
		kt_fail("%.3f vblanks per second", hz);
	screen_close(&s);
}

static void test_absolute(void)
{
	drmVBlank vbl;
	struct screen s;
	unsigned int target;

	screen_open(&s);
	kt_assert_ok(wait_vblank(&s, DRM_VBLANK_RELATIVE, 0, 0, &vbl));
	target = vbl.reply.sequence + 5;
	kt_assert_ok(wait_vblank(&s, DRM_VBLANK_ABSOLUTE, target, 0, &vbl));
	kt_assert_ge((int32_t)(vbl.reply.sequence - target), 0);
	/* one that has passed returns at once */
	kt_assert_ok(wait_vblank(&s, DRM_VBLANK_ABSOLUTE, target - 3, 0, &vbl));
	screen_close(&s);
}

static void test_event(void)
{
	struct kt_event event;
	drmVBlank vbl;
	struct screen s;

	screen_open(&s);
	for (unsigned int i = 1; i <= 10; i++) {
		kt_assert_ok(wait_vblank(&s, DRM_VBLANK_RELATIVE |
					 DRM_VBLANK_EVENT, 2, i, &vbl));
		kt_assert_eq(kt_next_event(&s.dev, 3000, &event), 1);
		kt_assert_eq(event.type, DRM_EVENT_VBLANK);
		kt_assert_eq(event.data, i);
	}
	kt_expect_silence(&s.dev, 100);
	screen_close(&s);
}

static void test_queue_sequence(void)
{
	uint64_t sequence, ns, queued;
	struct kt_event event;
	struct screen s;

	screen_open(&s);
	for (unsigned int i = 1; i <= 10; i++) {
		kt_assert_ok(drmCrtcGetSequence(s.dev.fd, s.output->crtc,
						&sequence, &ns));
		kt_assert_ok(drmCrtcQueueSequence(s.dev.fd, s.output->crtc, 0,
						  sequence + 3, &queued, i));
		kt_assert_ge(queued, sequence + 3);
		kt_assert_eq(kt_next_event(&s.dev, 3000, &event), 1);
		kt_assert_eq(event.type, DRM_EVENT_CRTC_SEQUENCE);
		kt_assert_eq(event.data, i);
		kt_assert_ge(event.sequence, queued);
		kt_assert_gt(event.time_ns, ns);
	}
	kt_expect_silence(&s.dev, 100);
	screen_close(&s);
}

/* The counter goes on counting true time while nobody looks. */
static void test_counter_idle(void)
{
	uint64_t first, later, first_ns, later_ns;
	struct screen s;
	double frames;

	screen_open(&s);
	kt_assert_ok(drmCrtcGetSequence(s.dev.fd, s.output->crtc, &first,
					&first_ns));
	kt_pause_ms(6000); /* the kernel's timer switches vblanks off after 5 s */
	kt_assert_ok(drmCrtcGetSequence(s.dev.fd, s.output->crtc, &later,
					&later_ns));
	frames = (double)(later_ns - first_ns) * s.output->mode.vrefresh / 1e9;
	kt_note("%llu vblanks in %.1f frames' time",
		(unsigned long long)(later - first), frames);
	kt_assert_ge(later - first + 3, (uint64_t)frames);
	kt_assert_le(later - first, (uint64_t)frames + 3);
	screen_close(&s);
}

/* A wait on a CRTC that is off is an error, not for ever. */
static void test_off(void)
{
	drmVBlank vbl;
	struct screen s;

	screen_open(&s);
	kt_assert_ok(kt_try_off(&s.dev, s.output));
	kt_assert_err(wait_vblank(&s, DRM_VBLANK_RELATIVE, 1, 0, &vbl), -EINVAL);
	kt_show(&s.dev, s.output, &s.buf);
	kt_assert_ok(wait_vblank(&s, DRM_VBLANK_RELATIVE, 1, 0, &vbl));
	screen_close(&s);
}

/* Switched off with a vblank event asked for: it comes, or never, no crash. */
static void test_off_pending(void)
{
	struct kt_event event;
	drmVBlank vbl;
	struct screen s;

	screen_open(&s);
	for (unsigned int i = 1; i <= 5; i++) {
		kt_assert_ok(wait_vblank(&s, DRM_VBLANK_RELATIVE |
					 DRM_VBLANK_EVENT, 120, i, &vbl));
		kt_assert_ok(kt_try_off(&s.dev, s.output));
		/* the kernel sends those off at once */
		kt_assert_eq(kt_next_event(&s.dev, 3000, &event), 1);
		kt_assert_eq(event.data, i);
		kt_show(&s.dev, s.output, &s.buf);
	}
	screen_close(&s);
}

static const struct kt_test tests[] = {
	{ "relative", test_relative, "60 waits take a second" },
	{ "absolute", test_absolute, "wait for a count, past and to come" },
	{ "event", test_event, "vblank events carry their data" },
	{ "queue-sequence", test_queue_sequence, "CRTC sequence events" },
	{ "counter-idle", test_counter_idle, "counts on while nobody waits" },
	{ "off", test_off, "waiting on a CRTC that is off" },
	{ "off-pending", test_off_pending, "switched off with an event pending" },
};

int main(int argc, char **argv)
{
	return kt_main(argc, argv, "Vertical blanks.", tests,
		       KT_ARRAY_SIZE(tests));
}
