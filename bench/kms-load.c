// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loads a display driver and prints what came of it, a "key value" line each,
 * times in milliseconds. Somebody outside takes processor times and counters
 * between the hook's steps.
 *
 * --phase flips: all connectors flip, each as soon as its last flip is done;
 * "hook-begin" and "hook-end" cost what the hooks themselves do, and between
 * "cpu-begin" and "cpu-end" there are the flips.
 * --phase damage: DIRTYFB, of 64x64 pixels between "part-begin" and "part-end",
 * of everything between "whole-begin" and "whole-end".
 * --phase photon: after each step "photon-N" a picture unlike the one before.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kt.h"

/* A connector that flips. */
struct screen {
	struct kt_output *output;
	struct kt_buf bufs[2];
	unsigned int flips; /* asked for */
	uint64_t asked_ns;
};

struct load {
	struct kt_dev dev;
	struct screen screens[KT_MAX_OUTPUTS];
	unsigned int count;
};

static void load_open(struct load *l)
{
	kt_open(&l->dev);
	fcntl(l->dev.fd, F_SETFL, fcntl(l->dev.fd, F_GETFL) & ~O_NONBLOCK);
	l->count = l->dev.output_count;
	for (unsigned int i = 0; i < l->count; i++) {
		struct screen *s = &l->screens[i];

		s->output = &l->dev.outputs[i];
		for (unsigned int b = 0; b < 2; b++)
			kt_buf_create(&s->bufs[b], &l->dev,
				      s->output->mode.hdisplay,
				      s->output->mode.vdisplay,
				      kt_format_by_name("XR24"));
		kt_assert_ok(drmModeSetCrtc(l->dev.fd, s->output->crtc,
					    s->bufs[0].fb, 0, 0,
					    &s->output->connector, 1,
					    &s->output->mode));
	}
}

static void load_close(struct load *l)
{
	for (unsigned int i = 0; i < l->count; i++)
		for (unsigned int b = 0; b < 2; b++)
			kt_buf_destroy(&l->screens[i].bufs[b]);
	kt_close(&l->dev);
}

static void ask_flip(struct load *l, unsigned int i)
{
	struct screen *s = &l->screens[i];

	s->flips++;
	s->asked_ns = kt_now();
	kt_assert_ok(drmModePageFlip(l->dev.fd, s->output->crtc,
				     s->bufs[s->flips & 1].fb,
				     DRM_MODE_PAGE_FLIP_EVENT,
				     (void *)(uintptr_t)i));
}

/* @each flips of each connector */
static void do_flips(struct load *l, unsigned int each,
		     struct kt_samples *latency)
{
	struct drm_event_vblank events[KT_MAX_OUTPUTS];
	unsigned int left = each * l->count;

	for (unsigned int i = 0; i < l->count; i++) {
		l->screens[i].flips = 0;
		ask_flip(l, i);
	}
	while (left) {
		ssize_t len = read(l->dev.fd, events, sizeof(events));
		size_t n = len > 0 ? (size_t)len / sizeof(events[0]) : 0;

		if (!n)
			kt_fail("no events: read returned %zd", len);
		for (size_t e = 0; e < n; e++, left--) {
			unsigned int i = (unsigned int)events[e].user_data;

			kt_assert_lt(i, l->count);
			kt_samples_add(latency,
				       kt_now() - l->screens[i].asked_ns);
			if (l->screens[i].flips < each)
				ask_flip(l, i);
		}
	}
}

static void phase_flips(struct load *l, unsigned int each)
{
	struct kt_samples warm = { .ns = NULL }, latency = { .ns = NULL };
	double seconds;
	uint64_t start;

	do_flips(l, 20, &warm);
	kt_hook("hook-begin");
	kt_hook("hook-end");
	kt_hook("cpu-begin");
	start = kt_now();
	do_flips(l, each, &latency);
	seconds = (double)(kt_now() - start) / 1e9;
	kt_hook("cpu-end");
	printf("connectors %u\nflips %u\n", l->count, each * l->count);
	printf("rate_hz %.3f\n", each / seconds);
	printf("latency_ms %.4f\n", kt_samples_mean_ms(&latency));
	printf("latency_p99_ms %.4f\n", kt_samples_part_ms(&latency, 0.99));
	printf("latency_worst_ms %.4f\n", kt_samples_part_ms(&latency, 1));
	kt_samples_finish(&warm);
	kt_samples_finish(&latency);
}

/* @rounds times the first area of this size, one in each frame of the display */
static double dirty_ms(struct load *l, uint16_t width, uint16_t height,
		       unsigned int rounds)
{
	drmModeClip clip = { .x2 = width, .y2 = height };
	struct kt_samples calls = { .ns = NULL };
	double mean;

	for (unsigned int i = 0; i < rounds; i++) {
		drmVBlank next = {
			.request = { .type = DRM_VBLANK_RELATIVE, .sequence = 1 },
		};
		uint64_t start = kt_now();

		kt_assert_ok(drmModeDirtyFB(l->dev.fd, l->screens[0].bufs[0].fb,
					    &clip, 1));
		kt_samples_add(&calls, kt_now() - start);
		kt_assert_ok(drmWaitVBlank(l->dev.fd, &next) ? -errno : 0);
	}
	mean = kt_samples_mean_ms(&calls);
	kt_samples_finish(&calls);

	return mean;
}

static void phase_damage(struct load *l, unsigned int rounds)
{
	const drmModeModeInfo *mode = &l->screens[0].output->mode;
	double part, whole;

	kt_hook("part-begin");
	part = dirty_ms(l, 64, 64, rounds);
	kt_hook("part-end");
	kt_hook("whole-begin");
	whole = dirty_ms(l, mode->hdisplay, mode->vdisplay, rounds);
	kt_hook("whole-end");
	printf("rounds %u\npart_ms %.4f\nwhole_ms %.4f\n", rounds, part, whole);
}

static void phase_photon(struct load *l, unsigned int rounds)
{
	struct kt_samples flips = { .ns = NULL };
	struct drm_event_vblank event;
	char step[32];

	for (unsigned int i = 1; i <= rounds; i++) {
		struct screen *s = &l->screens[0];
		struct kt_buf *buf = &s->bufs[i & 1];

		snprintf(step, sizeof(step), "photon-%u", i);
		kt_hook(step);
		memset(buf->map, (int)(i * 40 & 0xff), buf->size);
		s->flips = i - 1;
		ask_flip(l, 0);
		kt_assert_eq(read(l->dev.fd, &event, sizeof(event)),
			     sizeof(event));
		kt_samples_add(&flips, kt_now() - s->asked_ns);
	}
	kt_hook("photon-end");
	printf("rounds %u\nflip_ms %.4f\n", rounds, kt_samples_mean_ms(&flips));
	kt_samples_finish(&flips);
}

static const struct phase {
	const char *name;
	void (*run)(struct load *l, unsigned int count);
	unsigned int count;
	const char *help;
} phases[] = {
	{ "flips", phase_flips, 2000, "all connectors flip, as fast as it goes" },
	{ "damage", phase_damage, 200, "DIRTYFB of a part, then of everything" },
	{ "photon", phase_photon, 7, "a new picture after each step of the hook" },
};

static void usage(void)
{
	puts("usage: kms-load [--phase PHASE] [OPTION]...\n"
	     "Loads a display driver, and prints times and rates.");
	for (size_t i = 0; i < KT_ARRAY_SIZE(phases); i++)
		printf("  --phase %-9s  %s (%u times)\n", phases[i].name,
		       phases[i].help, phases[i].count);
	kt_common_help();
}

static const struct phase *find_phase(const char *name)
{
	for (size_t i = 0; i < KT_ARRAY_SIZE(phases); i++)
		if (!strcmp(phases[i].name, name))
			return &phases[i];
	fprintf(stderr, "--phase takes flips, damage or photon, not '%s'\n",
		name);
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		KT_LONG_OPTIONS,
		{ "phase", required_argument, NULL, 256 },
		{ NULL, 0, NULL, 0 },
	};
	const struct phase *phase = &phases[0];
	static struct load load;
	int c;

	while ((c = getopt_long(argc, argv, KT_SHORT_OPTIONS, names, NULL)) !=
	       -1) {
		if (c == 'h' || c == 'l') {
			usage();
			return 0;
		}
		if (c == 256)
			phase = find_phase(optarg);
		else if (c == '?' || kt_common_option(c, optarg))
			return 2;
		if (!phase)
			return 2;
	}
	if (optind != argc) {
		usage();
		return 2;
	}

	load_open(&load);
	phase->run(&load, kt_opt.count ? kt_opt.count : phase->count);
	load_close(&load);

	return 0;
}
