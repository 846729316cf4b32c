/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A film of a connector: a picture for each tick of a clock, whether something
 * has changed or not. As a directory of PNG files, which are exact, or as a
 * YUV4MPEG2 stream, which players and encoders read.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/loop.h"
#include "ctl/ctl.h"

#define SECOND	1000000000u	/* ns */

/**
 * struct film - what has been recorded
 * @canvas:	the last picture; of a stream all have the first one's size
 * @out:	the stream, or NULL
 * @planes:	a picture of the stream: Y, then U, then V
 * @done:	pictures so far
 */
struct film {
	const struct ctl_recording *what;
	struct xd_canvas canvas;
	FILE *out;
	uint8_t *planes;
	uint64_t done;
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	stop = 1;
}

/* Without SA_RESTART: it ends the wait for the next tick. */
static void catch_signals(void)
{
	const struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* The stream */

static bool is_stream(const char *path)
{
	size_t len = strlen(path);

	return !strcmp(path, "-") ||
		(len > 4 && !strcmp(path + len - 4, ".y4m"));
}

static void check_stream(struct film *film)
{
	if (ferror(film->out))
		ctl_die(1, "cannot write %s: %s", film->what->path,
			strerror(errno));
}

static void begin_stream(struct film *film)
{
	const struct ctl_recording *what = film->what;
	const struct xd_canvas *canvas = &film->canvas;

	film->out = strcmp(what->path, "-") ? fopen(what->path, "we") : stdout;
	if (!film->out)
		ctl_die(1, "cannot open %s: %s", what->path, strerror(errno));
	film->planes = malloc((size_t)canvas->width * canvas->height * 3);
	if (!film->planes)
		ctl_die(1, "cannot convert for %s: %s", what->path,
			strerror(ENOMEM));
	fprintf(film->out, "YUV4MPEG2 W%u H%u F%u:1 Ip A1:1 C444\n",
		canvas->width, canvas->height, what->rate);
}

/* ITU-R BT.601, 16 to 235, which is what readers take for granted. */
static void convert(const struct film *film)
{
	const struct xd_canvas *canvas = &film->canvas;
	const size_t size = (size_t)canvas->width * canvas->height;
	uint8_t *y = film->planes, *u = y + size, *v = u + size;
	size_t i;

	for (i = 0; i < size; i++) {
		int r = canvas->data[i] >> 16 & 0xff;
		int g = canvas->data[i] >> 8 & 0xff;
		int b = canvas->data[i] & 0xff;

		y[i] = (uint8_t)(((66 * r + 129 * g + 25 * b + 128) >> 8) + 16);
		u[i] = (uint8_t)(((-38 * r - 74 * g + 112 * b + 128) >> 8) +
				 128);
		v[i] = (uint8_t)(((112 * r - 94 * g - 18 * b + 128) >> 8) +
				 128);
	}
}

static void write_stream(struct film *film, uint64_t ticks)
{
	const struct xd_canvas *canvas = &film->canvas;

	convert(film);
	while (ticks--) {
		fputs("FRAME\n", film->out);
		fwrite(film->planes, 3, (size_t)canvas->width * canvas->height,
		       film->out);
	}
	check_stream(film);
}

/* The directory */

static void name_file(const struct film *film, uint64_t number, char *name,
		      size_t size)
{
	snprintf(name, size, "%s/%06llu.png", film->what->path,
		 (unsigned long long)number);
}

/* A picture that stays for more than a tick is one file of several names. */
static void write_files(const struct film *film, uint64_t ticks)
{
	char first[4096], name[4096];
	uint64_t i;

	name_file(film, film->done, first, sizeof(first));
	ctl_save_picture(&film->canvas, first);
	for (i = 1; i < ticks; i++) {
		name_file(film, film->done + i, name, sizeof(name));
		unlink(name);
		if (link(first, name))
			ctl_save_picture(&film->canvas, name);
	}
}

static void begin_directory(const struct film *film)
{
	const char *path = film->what->path;

	if (mkdir(path, 0755) && errno != EEXIST)
		ctl_die(1, "cannot make %s: %s", path, strerror(errno));
}

/* Pictures */

/* Of @from as much as fits, black around it. */
static void fit(const struct xd_canvas *to, const struct xd_canvas *from)
{
	uint32_t width = from->width < to->width ? from->width : to->width;
	uint32_t y;

	memset(to->data, 0, (size_t)to->stride * to->height);
	for (y = 0; y < to->height && y < from->height; y++)
		memcpy((char *)to->data + (size_t)y * to->stride,
		       (const char *)from->data + (size_t)y * from->stride,
		       (size_t)width * 4);
}

/*
 * A monitor that is off is black, and so is a guest that is about to reconnect.
 * False when there is no such guest any more.
 */
static bool take(struct film *film, int sock)
{
	const struct ctl_recording *what = film->what;
	struct xd_canvas now;
	const char *why = ctl_take_picture(sock, &what->target, &now);

	if (why) {
		memset(film->canvas.data, 0,
		       (size_t)film->canvas.stride * film->canvas.height);
		return strcmp(why, "no such guest") &&
			strcmp(why, "no such device");
	}
	if (film->out) {
		fit(&film->canvas, &now);
		xd_canvas_finish(&now);
	} else {
		xd_canvas_finish(&film->canvas);
		film->canvas = now;
	}
	return true;
}

static void begin(struct film *film, int sock)
{
	const struct ctl_recording *what = film->what;
	const char *why = ctl_take_picture(sock, &what->target, &film->canvas);

	if (why)
		ctl_die(1, "record %s:%u: %s", what->target.device,
			what->target.conn, why);
	if (is_stream(what->path))
		begin_stream(film);
	else
		begin_directory(film);
}

static void sleep_until(uint64_t ns)
{
	const struct timespec at = {
		.tv_sec = (time_t)(ns / SECOND),
		.tv_nsec = (long)(ns % SECOND),
	};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

/* The picture for each tick that there has been since the one before. */
static void keep(struct film *film, uint64_t ticks)
{
	const uint64_t frames = film->what->frames;

	if (frames && film->done + ticks > frames)
		ticks = frames - film->done;
	if (!ticks)
		return;
	if (film->out)
		write_stream(film, ticks);
	else
		write_files(film, ticks);
	film->done += ticks;
}

static void roll(struct film *film, int sock)
{
	const struct ctl_recording *what = film->what;
	const uint64_t began = xd_now();
	uint64_t ticks = 1;	/* until now, the first one at the beginning */

	do {
		keep(film, ticks - film->done);
		if (what->frames && film->done == what->frames)
			return;
		sleep_until(began + ticks * SECOND / what->rate);
		ticks = (xd_now() - began) * what->rate / SECOND + 1;
	} while (!stop && take(film, sock));
}

static void end(struct film *film)
{
	char rows[128];

	if (film->out) {
		if (fflush(film->out))
			check_stream(film);
		if (film->out != stdout && fclose(film->out))
			ctl_die(1, "cannot write %s: %s", film->what->path,
				strerror(errno));
	}
	/* where the film went to there is no place for words */
	if (film->out != stdout) {
		snprintf(rows, sizeof(rows),
			 "frames\twidth\theight\trate\n%llu\t%u\t%u\t%u\n",
			 (unsigned long long)film->done, film->canvas.width,
			 film->canvas.height, film->what->rate);
		ctl_print_rows(rows);
	}
	free(film->planes);
	xd_canvas_finish(&film->canvas);
}

void ctl_record(const struct ctl_recording *what)
{
	struct film film = { .what = what };
	int sock = ctl_connect();

	catch_signals();
	begin(&film, sock);
	roll(&film, sock);
	end(&film);
	close(sock);
}
