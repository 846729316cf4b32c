// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Times what a client of a display driver does, on whichever driver is there,
 * and prints one JSON object: numbers in milliseconds unless the key says
 * otherwise, null where the driver does not have it.
 *
 * --phase calls wants a backend that does not pace its output; --phase paced
 * one at 60 Hz.  Between the hook's steps "cpu-begin" and "cpu-end" there are
 * the flips alone, and between "create-begin" and "create-end" the buffers, so
 * that somebody outside can take the guest's processor time.
 */
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "kt.h"

#define COLD 3

static FILE *json; /* printed at the end: hooks print lines of their own */

static void print_key(const char *key)
{
	fprintf(json, "%s  \"%s\": ", ftell(json) ? ",\n" : "{\n", key);
}

static void print_number(const char *key, double value)
{
	print_key(key);
	if (isnan(value))
		fprintf(json, "null");
	else
		fprintf(json, "%.4f", value);
}

static void print_text(const char *key, const char *value)
{
	print_key(key);
	fprintf(json, "\"%s\"", value);
}

static double ms_since(uint64_t start)
{
	return (double)(kt_now() - start) / 1e6;
}

/* Time that this process and the kernel for it took, ms. */
static double own_cpu_ms(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);

	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

/* Time that the guest did not idle, ms, as its kernel sees it. */
static double guest_cpu_ms(void)
{
	unsigned long long user, nice, sys, idle, iowait, irq, softirq;
	FILE *stat = fopen("/proc/stat", "re");
	int got;

	if (!stat)
		return NAN;
	got = fscanf(stat, "cpu %llu %llu %llu %llu %llu %llu %llu", &user,
		     &nice, &sys, &idle, &iowait, &irq, &softirq);
	fclose(stat);

	return got == 7 ? (double)(user + nice + sys + irq + softirq) * 10 :
			  NAN;
}

static const struct kt_format *xr24(void)
{
	return kt_format_by_name("XR24");
}

static void must_alloc(struct kt_buf *buf, struct kt_dev *dev, uint32_t width,
		       uint32_t height)
{
	int err = kt_buf_alloc(buf, dev->fd, width, height, xr24());

	if (err)
		kt_fail("a %ux%u buffer: %s", width, height, kt_errno_name(err));
}

/*
 * What no driver can do anything about: a system call that does nothing, and an
 * ioctl of DRM's core.  They tell how quick this boot of the machine is.
 */
static void bench_floor(struct kt_dev *dev)
{
	const unsigned int rounds = 2000;
	uint64_t start, value;

	start = kt_now();
	for (unsigned int i = 0; i < rounds; i++)
		syscall(SYS_getppid);
	print_number("syscall_ms", ms_since(start) / rounds);
	start = kt_now();
	for (unsigned int i = 0; i < rounds; i++)
		drmGetCap(dev->fd, DRM_CAP_DUMB_BUFFER, &value);
	print_number("getcap_ms", ms_since(start) / rounds);
}

/*
 * The same for time: sleeps of a frame at 60 Hz each, without any display.  What
 * is late here is late for every driver.
 */
static void bench_sleep(unsigned int count)
{
	struct kt_samples interval = { .ns = NULL };
	const uint64_t period = 1000000000 / 60;
	uint64_t last = kt_now(), due = last;

	for (unsigned int i = 0; i < count; i++) {
		struct timespec until;
		uint64_t now;

		due += period;
		until.tv_sec = (time_t)(due / 1000000000);
		until.tv_nsec = (long)(due % 1000000000);
		kt_assert(!clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME,
					   &until, NULL));
		now = kt_now();
		kt_samples_add(&interval, now - last);
		last = now;
	}
	print_number("sleep_worst_ms", kt_samples_part_ms(&interval, 1));
	kt_samples_finish(&interval);
}

/* Buffers nobody had before: none of them can come from a pool. */
static void bench_create_cold(struct kt_dev *dev, uint32_t w, uint32_t h)
{
	struct kt_buf bufs[COLD];
	uint64_t start = kt_now();

	for (unsigned int i = 0; i < COLD; i++)
		must_alloc(&bufs[i], dev, w, h);
	for (unsigned int i = 0; i < COLD; i++)
		kt_buf_destroy(&bufs[i]);
	print_number("create_destroy_cold_ms", ms_since(start) / COLD);
}

static void bench_create_steady(struct kt_dev *dev, uint32_t w, uint32_t h)
{
	const unsigned int rounds = 20;
	struct kt_buf buf;
	double own;
	uint64_t start;

	kt_hook("create-begin");
	own = own_cpu_ms();
	start = kt_now();
	for (unsigned int i = 0; i < rounds; i++) {
		must_alloc(&buf, dev, w, h);
		kt_buf_destroy(&buf);
	}
	print_number("create_destroy_ms", ms_since(start) / rounds);
	print_number("create_destroy_process_cpu_ms",
		     (own_cpu_ms() - own) / rounds);
	print_number("create_destroy_rounds", rounds);
	kt_hook("create-end");
}

static void bench_addfb(struct kt_dev *dev, uint32_t w, uint32_t h)
{
	const unsigned int rounds = 1000;
	struct kt_buf buf;
	uint64_t start;

	must_alloc(&buf, dev, w, h);
	start = kt_now();
	for (unsigned int i = 0; i < rounds; i++) {
		kt_assert_ok(kt_buf_add_fb(&buf));
		kt_assert_ok(drmModeRmFB(dev->fd, buf.fb));
	}
	print_number("addfb_rmfb_ms", ms_since(start) / rounds);
	buf.fb = 0;
	kt_buf_destroy(&buf);
}

static void set_crtc(struct kt_dev *dev, struct kt_output *out, uint32_t fb)
{
	int err = drmModeSetCrtc(dev->fd, out->crtc, fb, 0, 0, &out->connector,
				 fb ? 1 : 0, fb ? &out->mode : NULL);

	if (err)
		kt_fail("SETCRTC: %s", kt_errno_name(err));
}

static void off(struct kt_dev *dev, struct kt_output *out)
{
	kt_assert_ok(drmModeSetCrtc(dev->fd, out->crtc, 0, 0, 0, NULL, 0,
				    NULL));
}

/* Of buffers that the backend has not seen: the median of a few. */
static void bench_setcrtc_first(struct kt_dev *dev, struct kt_output *out)
{
	struct kt_samples first = { .ns = NULL };

	for (unsigned int i = 0; i < 5; i++) {
		struct kt_buf buf;
		uint64_t start;

		kt_buf_create(&buf, dev, out->mode.hdisplay,
			      out->mode.vdisplay, xr24());
		start = kt_now();
		set_crtc(dev, out, buf.fb);
		kt_samples_add(&first, kt_now() - start);
		off(dev, out);
		kt_buf_destroy(&buf);
	}
	print_number("setcrtc_first_ms", kt_samples_part_ms(&first, 0.5));
	kt_samples_finish(&first);
}

static void bench_setcrtc(struct kt_dev *dev, struct kt_output *out,
			  struct kt_buf *bufs)
{
	double on_ms = 0, off_ms = 0, again_ms = 0;
	const unsigned int rounds = 5;
	uint64_t start;

	set_crtc(dev, out, bufs[0].fb);
	for (unsigned int i = 1; i <= rounds; i++) {
		start = kt_now();
		set_crtc(dev, out, bufs[i & 1].fb);
		again_ms += ms_since(start);
	}
	print_number("setcrtc_ms", again_ms / rounds);
	for (unsigned int i = 0; i < rounds; i++) {
		start = kt_now();
		off(dev, out);
		off_ms += ms_since(start);
		start = kt_now();
		set_crtc(dev, out, bufs[0].fb);
		on_ms += ms_since(start);
	}
	print_number("off_ms", off_ms / rounds);
	print_number("on_ms", on_ms / rounds);
}

struct flip_result {
	struct kt_samples call, latency, interval;
	double seconds;
};

/* The event of flip @number: as little of a client as there can be. */
static void wait_flip(struct kt_dev *dev, uint64_t number)
{
	struct drm_event_vblank event;
	ssize_t len = read(dev->fd, &event, sizeof(event));

	if (len != (ssize_t)sizeof(event) ||
	    event.base.type != DRM_EVENT_FLIP_COMPLETE ||
	    event.user_data != number)
		kt_fail("not the event of flip %llu",
			(unsigned long long)number);
}

static void do_flips(struct kt_dev *dev, struct kt_output *out,
		     struct kt_buf *bufs, unsigned int count,
		     struct flip_result *r)
{
	uint64_t start = kt_now(), begin = start;

	for (unsigned int i = 1; i <= count; i++) {
		uint64_t called, done;

		kt_assert_ok(drmModePageFlip(dev->fd, out->crtc,
					     bufs[i & 1].fb,
					     DRM_MODE_PAGE_FLIP_EVENT,
					     (void *)(uintptr_t)i));
		called = kt_now();
		wait_flip(dev, i);
		done = kt_now();
		kt_samples_add(&r->call, called - begin);
		kt_samples_add(&r->latency, done - begin);
		if (i > 1)
			kt_samples_add(&r->interval, done - begin);
		begin = done;
	}
	r->seconds = (double)(kt_now() - start) / 1e9;
}

static void bench_flips(struct kt_dev *dev, struct kt_output *out,
			struct kt_buf *bufs, unsigned int count, bool paced)
{
	struct flip_result r = { .seconds = 0 }, warm = { .seconds = 0 };
	double own, guest;

	do_flips(dev, out, bufs, 20, &warm);
	/* what the hooks themselves cost */
	kt_hook("hook-begin");
	kt_hook("hook-end");
	kt_hook("cpu-begin");
	own = own_cpu_ms();
	guest = guest_cpu_ms();
	do_flips(dev, out, bufs, count, &r);
	guest = guest_cpu_ms() - guest;
	own = own_cpu_ms() - own;
	print_number("flips", count);
	kt_hook("cpu-end");
	print_number("flip_ioctl_ms", kt_samples_mean_ms(&r.call));
	print_number("flip_ioctl_median_ms", kt_samples_part_ms(&r.call, 0.5));
	print_number("flip_ioctl_p99_ms", kt_samples_part_ms(&r.call, 0.99));
	print_number("flip_process_cpu_ms", own / count);
	print_number("flip_kernel_stat_cpu_ms", guest / count);
	if (paced) {
		print_number("paced_rate_hz", count / r.seconds);
		print_number("paced_p99_ms", kt_samples_part_ms(&r.interval,
								0.99));
		print_number("paced_worst_ms", kt_samples_part_ms(&r.interval,
								  1));
	} else {
		print_number("latency_ms", kt_samples_mean_ms(&r.latency));
		print_number("latency_median_ms",
			     kt_samples_part_ms(&r.latency, 0.5));
		print_number("latency_p99_ms", kt_samples_part_ms(&r.latency,
								  0.99));
		print_number("latency_worst_ms", kt_samples_part_ms(&r.latency,
								    1));
	}
	kt_samples_finish(&warm.call);
	kt_samples_finish(&warm.latency);
	kt_samples_finish(&warm.interval);
}

static void bench_dirty(struct kt_dev *dev, struct kt_buf *buf, const char *key,
			uint16_t width, uint16_t height)
{
	drmModeClip clip = { .x2 = width, .y2 = height };
	const unsigned int rounds = 30;
	uint64_t start = kt_now();

	for (unsigned int i = 0; i < rounds; i++) {
		if (drmModeDirtyFB(dev->fd, buf->fb, &clip, 1)) {
			print_number(key, NAN);
			return;
		}
	}
	print_number(key, ms_since(start) / rounds);
}

static void bench_vblank(struct kt_dev *dev, struct kt_output *out)
{
	drmVBlank vbl = { .request = { .sequence = 0 } };
	const unsigned int rounds = 60;
	uint64_t start = 0;

	for (unsigned int i = 0; i <= rounds; i++) {
		vbl.request.type = DRM_VBLANK_RELATIVE |
				   out->pipe << DRM_VBLANK_HIGH_CRTC_SHIFT;
		vbl.request.sequence = 1;
		if (drmWaitVBlank(dev->fd, &vbl)) {
			print_number("wait_vblank_hz", NAN);
			return;
		}
		if (!i)
			start = kt_now();
	}
	print_number("wait_vblank_hz", rounds * 1e3 / ms_since(start));
}

/* A framebuffer of 3840x2160: created, drawn into, removed. */
static void bench_4k(struct kt_dev *dev)
{
	uint64_t start = kt_now();
	struct kt_buf buf;
	int err = kt_buf_alloc(&buf, dev->fd, 3840, 2160, xr24());

	if (!err)
		err = kt_buf_map(&buf);
	if (!err)
		err = kt_buf_add_fb(&buf);
	print_number("fb_4k_ms", err ? NAN : ms_since(start));
	kt_buf_destroy(&buf);
}

static void bench_open(struct kt_dev *dev, struct kt_buf *bufs)
{
	struct kt_output *out;

	kt_open(dev);
	fcntl(dev->fd, F_SETFL, fcntl(dev->fd, F_GETFL) & ~O_NONBLOCK);
	out = kt_output(dev);
	if (out->mode.hdisplay != kt_opt.width ||
	    out->mode.vdisplay != kt_opt.height)
		kt_fail("no mode %ux%u", kt_opt.width, kt_opt.height);
	if (bufs)
		for (unsigned int i = 0; i < 2; i++)
			kt_buf_create(&bufs[i], dev, out->mode.hdisplay,
				      out->mode.vdisplay, xr24());
}

static void phase_calls(unsigned int count)
{
	struct kt_output *out;
	struct kt_buf bufs[2];
	struct kt_dev dev;

	bench_open(&dev, NULL);
	out = kt_output(&dev);
	bench_floor(&dev);
	bench_create_cold(&dev, out->mode.hdisplay, out->mode.vdisplay);
	bench_create_steady(&dev, out->mode.hdisplay, out->mode.vdisplay);
	bench_addfb(&dev, out->mode.hdisplay, out->mode.vdisplay);
	bench_setcrtc_first(&dev, out);
	for (unsigned int i = 0; i < 2; i++)
		kt_buf_create(&bufs[i], &dev, out->mode.hdisplay,
			      out->mode.vdisplay, xr24());
	bench_setcrtc(&dev, out, bufs);
	bench_flips(&dev, out, bufs, count, false);
	bench_dirty(&dev, &bufs[0], "dirtyfb_ms", out->mode.hdisplay,
		    out->mode.vdisplay);
	bench_dirty(&dev, &bufs[0], "dirtyfb_64x64_ms", 64, 64);
	bench_vblank(&dev, out);
	bench_4k(&dev);
	kt_close(&dev);
}

static void phase_paced(unsigned int count)
{
	struct kt_buf bufs[2];
	struct kt_dev dev;

	bench_open(&dev, bufs);
	bench_sleep(count);
	set_crtc(&dev, kt_output(&dev), bufs[0].fb);
	bench_flips(&dev, kt_output(&dev), bufs, count, true);
	kt_close(&dev);
}

static void usage(void)
{
	puts("usage: kms-bench [--phase calls|paced] [OPTION]...\n"
	     "Times a display driver's operations and prints them as JSON.\n"
	     "  --phase calls      every call, and flips as fast as they go\n"
	     "  --phase paced      flips at the output's pace");
	kt_common_help();
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		KT_LONG_OPTIONS,
		{ "phase", required_argument, NULL, 256 },
		{ NULL, 0, NULL, 0 },
	};
	const char *phase = "calls";
	struct utsname uts;
	char *text = NULL;
	size_t size;
	int c;

	kt_opt.width = 1920;
	kt_opt.height = 1080;
	while ((c = getopt_long(argc, argv, KT_SHORT_OPTIONS, names, NULL)) !=
	       -1) {
		if (c == 'h' || c == 'l') {
			usage();
			return 0;
		}
		if (c == 256)
			phase = optarg;
		else if (c == '?' || kt_common_option(c, optarg))
			return 2;
	}
	if (optind != argc || (strcmp(phase, "calls") &&
			       strcmp(phase, "paced"))) {
		usage();
		return 2;
	}

	json = open_memstream(&text, &size);
	kt_assert(json);
	uname(&uts);
	print_text("kernel", uts.release);
	print_text("driver", kt_opt.driver);
	if (!strcmp(phase, "calls"))
		phase_calls(kt_opt.count ? kt_opt.count : 1200);
	else
		phase_paced(kt_opt.count ? kt_opt.count : 300);
	fclose(json);
	printf("%s\n}\n", text);
	free(text);

	return 0;
}
