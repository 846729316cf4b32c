// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Draws the test card and keeps it on the screen while somebody looks.  What
 * the screen has to show then is what mkgolden writes for the same options.
 */
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kt.h"

struct draw_options {
	const struct kt_format *formats[16];
	unsigned int format_count;
	bool all_outputs;
	bool flip;
	bool hold;
	uint32_t seed, seed_step, frame;
	uint32_t patch_seed;
	struct pattern_rect patch; /* width is 0 without one */
	unsigned int cursor;
	int cursor_x, cursor_y;
};

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

/* Until a line comes on the standard input, or a signal to end. */
static void hold(const struct draw_options *opt)
{
	struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };
	sigset_t none, blocked;
	char line[64];

	if (!opt->hold)
		return;
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	while (!stop && ppoll(&pfd, 1, NULL, &none) > 0) {
		ssize_t len = read(STDIN_FILENO, line, sizeof(line));

		if (len > 0 && memchr(line, '\n', (size_t)len))
			break;
		if (len <= 0)
			pfd.fd = -1; /* closed: only a signal ends it */
	}
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void draw_cursor(struct kt_dev *dev, struct kt_output *output,
			const struct draw_options *opt)
{
	struct kt_buf image;
	int err;

	if (!opt->cursor)
		return;
	kt_buf_create_cursor(&image, dev, opt->cursor);
	err = drmModeSetCursor(dev->fd, output->crtc, image.handle,
			       opt->cursor, opt->cursor);
	if (err == -ENXIO)
		kt_skip("no cursor on %s", output->name);
	kt_assert_ok(err);
	kt_assert_ok(drmModeMoveCursor(dev->fd, output->crtc, opt->cursor_x,
				       opt->cursor_y));
}

/* Draw in the buffer that is on the screen, and tell the kernel where. */
static void draw_patch(struct kt_dev *dev, struct kt_buf *buf,
		       const struct draw_options *opt)
{
	const struct pattern_rect *p = &opt->patch;
	drmModeClip clip = {
		.x1 = (uint16_t)p->x,
		.y1 = (uint16_t)p->y,
		.x2 = (uint16_t)(p->x + p->width),
		.y2 = (uint16_t)(p->y + p->height),
	};

	if (!p->width)
		return;
	if (clip.x2 > buf->width || clip.y2 > buf->height)
		kt_fail("the patch is outside of %ux%u", buf->width,
			buf->height);
	kt_buf_draw_area(buf, opt->patch_seed, opt->frame, *p);
	kt_assert_ok(drmModeDirtyFB(dev->fd, buf->fb, &clip, 1));
}

static bool has_format(struct kt_dev *dev, const struct kt_output *output,
		       const struct kt_format *format)
{
	drmModePlane *plane = drmModeGetPlane(dev->fd, output->plane);
	bool found = false;

	for (uint32_t i = 0; plane && i < plane->count_formats; i++)
		found |= plane->formats[i] == format->fourcc;
	drmModeFreePlane(plane);

	return found;
}

static void show_one(struct kt_dev *dev, struct kt_output *output,
		     struct kt_buf *buf, const struct kt_format *format,
		     const struct draw_options *opt, uint32_t seed)
{
	struct kt_buf blank;

	if (kt_opt.width && (output->mode.hdisplay != kt_opt.width ||
			     output->mode.vdisplay != kt_opt.height))
		kt_fail("%s has no mode %ux%u", output->name, kt_opt.width,
			kt_opt.height);
	if (!has_format(dev, output, format))
		kt_fail("%s does not show %s", output->name, format->name);
	kt_buf_create(buf, dev, output->mode.hdisplay, output->mode.vdisplay,
		      format);
	kt_buf_draw(buf, seed, opt->frame);
	if (!opt->flip) {
		kt_show(dev, output, buf);
	} else {
		kt_buf_create(&blank, dev, buf->width, buf->height, format);
		kt_show(dev, output, &blank);
		kt_assert_ok(kt_flip(dev, output, buf, 1));
		kt_expect_flip(dev, output, 1, NULL);
		kt_buf_destroy(&blank);
	}
	draw_patch(dev, buf, opt);
	draw_cursor(dev, output, opt);
	kt_note("%s %ux%u pitch %u on connector %u %s, seed %u", format->name,
		buf->width, buf->height, buf->pitch, output->connector,
		output->name, seed);
}

static void show_step(struct kt_dev *dev, const struct draw_options *opt,
		      const struct kt_format *format, struct kt_buf *bufs)
{
	if (!opt->all_outputs) {
		show_one(dev, kt_output(dev), &bufs[0], format, opt, opt->seed);
		return;
	}
	for (unsigned int i = 0; i < dev->output_count; i++)
		show_one(dev, &dev->outputs[i], &bufs[i], format, opt,
			 opt->seed + i * opt->seed_step);
}

static void draw(const struct draw_options *opt)
{
	struct kt_buf bufs[KT_MAX_OUTPUTS], old[KT_MAX_OUTPUTS];
	struct kt_dev dev;

	memset(old, 0, sizeof(old));
	kt_open(&dev);
	for (unsigned int i = 0; i < opt->format_count && !stop; i++) {
		memset(bufs, 0, sizeof(bufs));
		show_step(&dev, opt, opt->formats[i], bufs);
		for (unsigned int o = 0; o < KT_MAX_OUTPUTS; o++)
			kt_buf_destroy(&old[o]);
		memcpy(old, bufs, sizeof(old));
		printf("READY %s\n", opt->formats[i]->name);
		fflush(stdout);
		kt_hook(opt->formats[i]->name);
		hold(opt);
	}
	kt_close(&dev);
}

static void usage(FILE *out)
{
	fputs("usage: kms-draw [OPTION]...\n"
	      "Shows the test card; --hook runs while each picture is on the screen.\n"
	      "  --format F[,F]...   RG16 RG24 XR24 AR24 XR12 AR12 XR15 AR15, or all,\n"
	      "                      one after the other (XR24)\n"
	      "  --seed N            colours and number in the card (1)\n"
	      "  --frame N           number in the bar code (0)\n"
	      "  --all               on all connectors\n"
	      "  --seed-step N       with --all, the seed rises by N each (1)\n"
	      "  --flip              a black picture first, the card with a flip\n"
	      "  --patch S@X,Y,WxH   draw seed S there while it shows, then DIRTYFB\n"
	      "  --cursor N@X,Y      and a pointer of N pixels\n"
	      "  --hold              stay until a line on the standard input, for each\n"
	      "                      format, or SIGTERM\n",
	      out);
	if (out == stdout)
		kt_common_help();
}

static bool parse_formats(struct draw_options *opt, char *text)
{
	char *rest = text, *name;

	opt->format_count = 0;
	if (!strcmp(text, "all")) {
		for (size_t i = 0; i < kt_format_count; i++)
			opt->formats[opt->format_count++] = &kt_formats[i];
		return true;
	}
	while ((name = strsep(&rest, ","))) {
		const struct kt_format *format = kt_format_by_name(name);

		if (!format || opt->format_count == KT_ARRAY_SIZE(opt->formats))
			return false;
		opt->formats[opt->format_count++] = format;
	}

	return true;
}

static bool parse_patch(struct draw_options *opt, char *text)
{
	char *at = strchr(text, '@');

	if (!at)
		return false;
	*at = '\0';

	return pattern_parse_u32(text, UINT32_MAX, &opt->patch_seed) &&
	       pattern_parse_rect(at + 1, &opt->patch) && opt->patch.width;
}

static bool parse_cursor(struct draw_options *opt, const char *text)
{
	char rest;

	return sscanf(text, "%u@%d,%d%c", &opt->cursor, &opt->cursor_x,
		      &opt->cursor_y, &rest) == 3 &&
	       opt->cursor >= 16 && opt->cursor <= 256;
}

enum { OPT_FORMAT = 256, OPT_SEED, OPT_STEP, OPT_FRAME, OPT_ALL, OPT_FLIP, OPT_PATCH,
       OPT_CURSOR, OPT_HOLD };

static bool take_option(struct draw_options *opt, int c)
{
	switch (c) {
	case OPT_FORMAT:
		return parse_formats(opt, optarg);
	case OPT_SEED:
		return pattern_parse_u32(optarg, UINT32_MAX, &opt->seed);
	case OPT_STEP:
		return pattern_parse_u32(optarg, 1000, &opt->seed_step);
	case OPT_FRAME:
		return pattern_parse_u32(optarg, UINT32_MAX, &opt->frame);
	case OPT_PATCH:
		return parse_patch(opt, optarg);
	case OPT_CURSOR:
		return parse_cursor(opt, optarg);
	case OPT_ALL:
		opt->all_outputs = true;
		return true;
	case OPT_FLIP:
		opt->flip = true;
		return true;
	case OPT_HOLD:
		opt->hold = true;
		return true;
	default:
		return !kt_common_option(c, optarg);
	}
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		KT_LONG_OPTIONS,
		{ "format", required_argument, NULL, OPT_FORMAT },
		{ "seed", required_argument, NULL, OPT_SEED },
		{ "seed-step", required_argument, NULL, OPT_STEP },
		{ "frame", required_argument, NULL, OPT_FRAME },
		{ "all", no_argument, NULL, OPT_ALL },
		{ "flip", no_argument, NULL, OPT_FLIP },
		{ "patch", required_argument, NULL, OPT_PATCH },
		{ "cursor", required_argument, NULL, OPT_CURSOR },
		{ "hold", no_argument, NULL, OPT_HOLD },
		{ NULL, 0, NULL, 0 },
	};
	struct sigaction action = { .sa_handler = on_signal };
	struct draw_options opt = {
		.formats = { kt_format_by_name("XR24") },
		.format_count = 1,
		.seed = 1,
		.seed_step = 1,
	};
	int c;

	while ((c = getopt_long(argc, argv, KT_SHORT_OPTIONS, names, NULL)) !=
	       -1) {
		if (c == 'h' || c == 'l') {
			usage(stdout);
			return 0;
		}
		if (c == '?' || !take_option(&opt, c)) {
			if (c != '?')
				fprintf(stderr, "kms-draw: not understood: %s\n",
					optarg ? optarg : argv[optind - 1]);
			return 2;
		}
	}
	if (optind != argc) {
		usage(stderr);
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	draw(&opt);

	return 0;
}
