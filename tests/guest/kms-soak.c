// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A client for long runs: it flips on all outputs, whatever happens around it,
 * and does what it is told in between.  Orders are lines, read from one FIFO;
 * each has one answer, a line in another.
 *
 * It ends with status 1 when it has lost anything: a commit that fails, an
 * event that does not come, comes twice or for another output.  It waits in
 * slices, so that a machine that stood still for minutes is no failure.
 */
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kt.h"

#define SLICE_MS 250
#define MAX_SLICES 240 /* a minute of a machine that runs */
#define PACE_MS 40     /* between frames: others need the processor, too */
#define PAUSE_MS 200   /* longer between two frames counts as a pause */
#define MAX_ORDER 128
#define LOOK_FRAMES 32 /* link-status is looked at so often */

/**
 * struct head - an output that this client flips
 * @out: of @soak->dev
 * @bufs: shown in turn
 * @on: it has a mode
 * @pending: the flip whose event is to come; 0 for none
 * @frame: the last flip asked for
 * @last: when the last event came, ns
 */
struct head {
	struct kt_output *out;
	struct kt_buf bufs[2];
	bool on;
	uint64_t pending;
	unsigned int frame;
	uint64_t last;
};

struct soak {
	struct kt_dev dev;
	struct head heads[KT_MAX_OUTPUTS];
	bool open;
	bool held; /* shows a picture, does not flip */
	bool unplug; /* told that the device will go: it flips, no more */
	int orders;
	FILE *answers;
	char line[MAX_ORDER];
	size_t len;
	unsigned long long flips, events, pauses, relinks;
	uint64_t worst; /* ns */
};

__attribute__((format(printf, 2, 3)))
static void reply(struct soak *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(s->answers, format, args);
	va_end(args);
	fputc('\n', s->answers);
	fflush(s->answers);
}

/* ---- events ---- */

static struct head *head_of(struct soak *s, const struct kt_event *event)
{
	for (unsigned int i = 0; i < s->dev.output_count; i++)
		if (s->heads[i].out->crtc == event->crtc)
			return &s->heads[i];
	kt_fail("an event of CRTC %u, which is no output's", event->crtc);
}

static void take_event(struct soak *s, const struct kt_event *event)
{
	struct head *head = head_of(s, event);
	uint64_t now = kt_now();

	kt_assert_eq(event->type, DRM_EVENT_FLIP_COMPLETE);
	if (!head->pending)
		kt_fail("%s: an event too many, of frame %llu", head->out->name,
			(unsigned long long)event->data);
	kt_assert_eq(event->data, head->pending);
	head->pending = 0;
	s->events++;
	if (now - head->last > PAUSE_MS * KT_NS_PER_MS)
		s->pauses++;
	if (now - head->last > s->worst)
		s->worst = now - head->last;
	head->last = now;
}

/* Takes what is there. 0, or -ENODEV when the device has gone. */
static int take_events(struct soak *s)
{
	struct kt_event event;
	int ret;

	while ((ret = kt_next_event(&s->dev, 0, &event)) > 0)
		take_event(s, &event);

	return ret;
}

/* Until @head waits for nothing; 0 or -ENODEV. */
static int settle(struct soak *s, struct head *head)
{
	struct kt_event event;

	for (unsigned int i = 0; head->pending; i++) {
		int ret = kt_next_event(&s->dev, SLICE_MS, &event);

		if (ret < 0)
			return ret;
		if (ret)
			take_event(s, &event);
		else if (i > MAX_SLICES)
			kt_fail("%s: no event of frame %u", head->out->name,
				head->frame);
	}

	return 0;
}

static int flip(struct soak *s, struct head *head, const struct kt_buf *buf)
{
	int err = kt_flip(&s->dev, head->out, buf, head->frame + 1ull);

	if (err)
		return err;
	head->pending = ++head->frame;
	s->flips++;

	return 0;
}

/* ---- heads ---- */

/* 0, or -ENOMEM where memory is short. */
static int create(struct soak *s, struct kt_buf *buf, unsigned int width,
		  unsigned int height)
{
	const struct kt_format *format = kt_format_by_name("XR24");
	int err;

	*buf = (struct kt_buf) { .fd = -1 };
	err = kt_buf_alloc(buf, s->dev.fd, width, height, format);
	if (err == -ENOMEM)
		return err;
	kt_assert_ok(err);
	kt_assert_ok(kt_buf_map(buf));
	kt_assert_ok(kt_buf_add_fb(buf));

	return 0;
}

static void head_show(struct soak *s, struct head *head, unsigned int width,
		      unsigned int height)
{
	struct kt_buf old[2];

	kt_assert_ok(settle(s, head));
	memcpy(old, head->bufs, sizeof(old));
	for (unsigned int i = 0; i < 2; i++) {
		kt_assert_ok(create(s, &head->bufs[i], width, height));
		kt_buf_draw(&head->bufs[i], i + 1, 0);
	}
	kt_show(&s->dev, head->out, &head->bufs[0]);
	head->on = true;
	head->last = kt_now();
	for (unsigned int i = 0; i < 2; i++)
		kt_buf_destroy(&old[i]);
}

static void open_device(struct soak *s)
{
	kt_open(&s->dev);
	for (unsigned int i = 0; i < s->dev.output_count; i++) {
		struct head *head = &s->heads[i];

		memset(head, 0, sizeof(*head));
		head->out = &s->dev.outputs[i];
		head_show(s, head, head->out->mode.hdisplay,
			  head->out->mode.vdisplay);
	}
	s->open = true;
}

/* The kernel frees the rest. */
static void close_device(struct soak *s)
{
	for (unsigned int i = 0; i < s->dev.output_count; i++)
		for (unsigned int b = 0; b < 2; b++)
			munmap(s->heads[i].bufs[b].map,
			       s->heads[i].bufs[b].size);
	kt_close(&s->dev);
	s->open = false;
}

static bool is_bad(struct soak *s, const struct head *head)
{
	return kt_prop_value(&s->dev, head->out->connector, "link-status") !=
	       DRM_MODE_LINK_STATUS_GOOD;
}

/*
 * What a Bad link asks for: modes are read again, the preferred one is set. A
 * guest that was restored has the monitors of its configuration again.
 */
static void relink(struct soak *s, struct head *head)
{
	if (!head->on || !is_bad(s, head))
		return;
	kt_read_modes(&s->dev, head->out);
	head_show(s, head, head->out->mode.hdisplay, head->out->mode.vdisplay);
	s->relinks++;
}

/* ---- orders ---- */

static struct head *head_named(struct soak *s, unsigned int number)
{
	if (number >= s->dev.output_count)
		kt_fail("there is no output %u", number);

	return &s->heads[number];
}

/* One of the modes there are now. */
static void do_mode(struct soak *s, unsigned int number, unsigned int which)
{
	struct head *head = head_named(s, number);
	const drmModeModeInfo *mode;

	kt_read_modes(&s->dev, head->out);
	mode = &head->out->modes[which % head->out->mode_count];
	head_show(s, head, mode->hdisplay, mode->vdisplay);
	reply(s, "ok %ux%u", mode->hdisplay, mode->vdisplay);
}

/* What the connector prefers, as soon as that is this size. */
static void do_size(struct soak *s, unsigned int number, unsigned int width,
		    unsigned int height)
{
	struct head *head = head_named(s, number);

	for (unsigned int i = 0; i < MAX_SLICES; i++) {
		kt_read_modes(&s->dev, head->out);
		if (head->out->mode.hdisplay == width &&
		    head->out->mode.vdisplay == height) {
			head_show(s, head, width, height);
			reply(s, "ok %ux%u", width, height);
			return;
		}
		kt_pause_ms(SLICE_MS);
	}
	kt_fail("%s prefers %ux%u, not %ux%u", head->out->name,
		head->out->mode.hdisplay, head->out->mode.vdisplay, width,
		height);
}

static void do_off(struct soak *s, unsigned int number)
{
	struct head *head = head_named(s, number);

	kt_assert_ok(settle(s, head));
	kt_assert_ok(kt_try_off(&s->dev, head->out));
	head->on = false;
	reply(s, "ok");
}

static void do_on(struct soak *s, unsigned int number)
{
	struct head *head = head_named(s, number);
	unsigned int width = head->bufs[0].width;
	unsigned int height = head->bufs[0].height;

	/* another backend may not know the mode that this one had offered */
	kt_read_modes(&s->dev, head->out);
	if (!kt_find_mode(head->out, width, height)) {
		width = head->out->mode.hdisplay;
		height = head->out->mode.vdisplay;
	}
	head_show(s, head, width, height);
	reply(s, "ok %ux%u", width, height);
}

/* Makes, shows and destroys buffers; memory may be short, the device not. */
static void do_buffers(struct soak *s, unsigned int count)
{
	struct head *head = &s->heads[0];
	unsigned int made = 0;

	for (unsigned int i = 0; i < count; i++) {
		struct kt_buf buf;

		if (create(s, &buf, head->bufs[0].width, head->bufs[0].height))
			continue;
		buf.map[buf.size - 1] = (uint8_t)i;
		if (head->on) {
			kt_assert_ok(settle(s, head));
			kt_assert_ok(flip(s, head, &buf));
			kt_assert_ok(settle(s, head));
			kt_assert_ok(flip(s, head, &head->bufs[0]));
			kt_assert_ok(settle(s, head));
		}
		kt_buf_destroy(&buf);
		made++;
	}
	reply(s, "ok %u of %u", made, count);
}

/* The card on all outputs, which stays until "go". */
static void do_picture(struct soak *s, unsigned int seed)
{
	char sizes[MAX_ORDER];
	size_t len = 0;

	for (unsigned int i = 0; i < s->dev.output_count; i++) {
		struct head *head = &s->heads[i];

		kt_assert_ok(settle(s, head));
		kt_buf_draw(&head->bufs[0], seed, 0);
		kt_assert_ok(flip(s, head, &head->bufs[1]));
		kt_assert_ok(settle(s, head));
		kt_assert_ok(flip(s, head, &head->bufs[0]));
		kt_assert_ok(settle(s, head));
		len += (size_t)snprintf(sizes + len, sizeof(sizes) - len,
					" %ux%u", head->bufs[0].width,
					head->bufs[0].height);
	}
	s->held = true;
	reply(s, "ok%s", sizes);
}

static void do_go(struct soak *s)
{
	for (unsigned int i = 0; i < s->dev.output_count; i++) {
		kt_buf_draw(&s->heads[i].bufs[0], 1, 0);
		s->heads[i].last = kt_now();
	}
	s->held = false;
	reply(s, "ok");
}

static void do_leave(struct soak *s)
{
	for (unsigned int i = 0; i < s->dev.output_count; i++) {
		kt_assert_ok(settle(s, &s->heads[i]));
		relink(s, &s->heads[i]);
		for (unsigned int n = 0; is_bad(s, &s->heads[i]); n++) {
			if (n > MAX_SLICES)
				kt_fail("%s: the link stays Bad",
					s->heads[i].out->name);
			kt_pause_ms(SLICE_MS);
		}
	}
	kt_expect_silence(&s->dev, 100);
	kt_assert_eq(s->flips, s->events);
	close_device(s);
	reply(s, "ok flips %llu events %llu pauses %llu worst %llu relinks %llu",
	      s->flips, s->events, s->pauses,
	      (unsigned long long)(s->worst / KT_NS_PER_MS), s->relinks);
	exit(EXIT_SUCCESS);
}

/* Flips until the device goes: then the answer comes. */
static void do_unplug(struct soak *s)
{
	s->unplug = true;
	reply(s, "ok");
}

static void gone(struct soak *s)
{
	if (!s->unplug)
		kt_fail("the device has gone");
	kt_assert(!drmModeGetResources(s->dev.fd));
	close_device(s);
	s->unplug = false;
	/* what waits is forgotten: unplugged clients may get no event */
	s->events = s->flips;
	reply(s, "ok gone");
}

static void do_open(struct soak *s)
{
	open_device(s);
	reply(s, "ok");
}

static void obey(struct soak *s, const char *order)
{
	unsigned int a, b, c;

	if (sscanf(order, "mode %u %u", &a, &b) == 2)
		do_mode(s, a, b);
	else if (sscanf(order, "size %u %ux%u", &a, &b, &c) == 3)
		do_size(s, a, b, c);
	else if (sscanf(order, "off %u", &a) == 1)
		do_off(s, a);
	else if (sscanf(order, "on %u", &a) == 1)
		do_on(s, a);
	else if (sscanf(order, "buffers %u", &a) == 1)
		do_buffers(s, a);
	else if (sscanf(order, "picture %u", &a) == 1)
		do_picture(s, a);
	else if (!strcmp(order, "go"))
		do_go(s);
	else if (!strcmp(order, "unplug"))
		do_unplug(s);
	else if (!strcmp(order, "open"))
		do_open(s);
	else if (!strcmp(order, "leave"))
		do_leave(s);
	else
		kt_fail("an order that nobody knows: %s", order);
}

/* Obeys what is there, a line at a time. */
static void take_orders(struct soak *s)
{
	ssize_t len = read(s->orders, s->line + s->len,
			   sizeof(s->line) - 1 - s->len);
	char *end;

	if (len <= 0)
		return;
	s->len += (size_t)len;
	s->line[s->len] = '\0';
	while ((end = strchr(s->line, '\n'))) {
		char order[MAX_ORDER];

		*end = '\0';
		strcpy(order, s->line);
		s->len -= (size_t)(end + 1 - s->line);
		memmove(s->line, end + 1, s->len + 1);
		obey(s, order);
	}
	if (s->len == sizeof(s->line) - 1)
		kt_fail("an order without an end");
}

/* ---- the client ---- */

/*
 * The next frame of each output whose turn it is. Returns how long to wait for
 * the next turn, ms, or -ENODEV.
 */
static int flip_all(struct soak *s)
{
	uint64_t now = kt_now(), wait = SLICE_MS;

	for (unsigned int i = 0; i < s->dev.output_count; i++) {
		struct head *head = &s->heads[i];
		unsigned int next = (head->frame + 1) & 1;
		uint64_t since = (now - head->last) / KT_NS_PER_MS;
		int err;

		if (!head->on || head->pending)
			continue;
		if (since < PACE_MS) {
			if (PACE_MS - since < wait)
				wait = PACE_MS - since;
			continue;
		}
		if (!s->unplug && head->frame % LOOK_FRAMES == 0)
			relink(s, head);
		kt_buf_draw_frame(&head->bufs[next], next + 1, head->frame + 1);
		err = flip(s, head, &head->bufs[next]);
		if (err == -ENODEV)
			return err;
		kt_assert_ok(err);
	}

	return (int)wait;
}

static bool is_waiting(const struct soak *s)
{
	for (unsigned int i = 0; i < s->dev.output_count; i++)
		if (s->heads[i].pending)
			return true;

	return false;
}

static void turn(struct soak *s, unsigned int *quiet_ms)
{
	struct pollfd fds[2] = {
		{ .fd = s->orders, .events = POLLIN },
		{ .fd = s->open ? s->dev.fd : -1, .events = POLLIN },
	};
	int ret, err = 0, wait = SLICE_MS;

	if (s->open && !s->held)
		wait = flip_all(s);
	if (wait < 0) {
		gone(s);
		return;
	}
	ret = poll(fds, 2, wait);
	/* some may have been read along with those that an order waited for */
	if (s->open)
		err = take_events(s);
	if (err == -ENODEV) {
		gone(s);
		return;
	}
	kt_assert_ok(err);
	if (ret || !s->open || !is_waiting(s))
		*quiet_ms = 0;
	else
		*quiet_ms += (unsigned int)wait;
	if (*quiet_ms > MAX_SLICES * SLICE_MS)
		kt_fail("an event does not come: %llu flips, %llu events",
			s->flips, s->events);
	if (fds[0].revents & POLLIN)
		take_orders(s);
}

static int client(const char *orders, const char *answers)
{
	static struct soak soak;
	unsigned int quiet_ms = 0;

	soak.orders = open(orders, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	/* for both: it neither waits for a reader nor ends without one */
	soak.answers = fdopen(open(answers, O_RDWR | O_CLOEXEC), "w");
	if (soak.orders < 0 || !soak.answers)
		kt_fail("%s, %s: %s", orders, answers, kt_errno_name(-errno));
	open_device(&soak);
	reply(&soak, "ok started");
	for (;;)
		turn(&soak, &quiet_ms);
}

/* ---- a client beside ---- */

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;

	return *state >> 8;
}

/* One buffer, and what one may do with it without being the master. */
static void beside_one(int fd, uint32_t *state)
{
	struct kt_buf buf = { .fd = -1 };
	uint32_t what = next_random(state);
	int prime, err;

	err = kt_buf_alloc(&buf, fd, 16 + next_random(state) % 1000,
			   16 + next_random(state) % 700,
			   &kt_formats[what % kt_format_count]);
	if (err == -ENOMEM)
		return;
	kt_assert_ok(err);
	if (what & 0x100) {
		kt_assert_ok(kt_buf_map(&buf));
		memset(buf.map, (int)what, buf.size);
	}
	if (what & 0x200 && !drmPrimeHandleToFD(fd, buf.handle, DRM_CLOEXEC,
						&prime))
		close(prime);
	/* a pitch that the wire does not carry is refused */
	if (what & 0x400) {
		err = kt_buf_add_fb(&buf);
		kt_assert(!err || err == -EINVAL);
	}
	if (what & 0x1800)
		kt_buf_destroy(&buf);
}

/*
 * Makes buffers beside the other client, forgets some of them, and is killed or
 * ends with what it has.
 */
static int beside(uint32_t seed)
{
	unsigned int count = kt_opt.count ? kt_opt.count : 20;
	uint32_t state = seed;
	char node[32];
	int fd = kt_open_node(node, sizeof(node));

	if (fd < 0)
		kt_fail("no device: %s", kt_errno_name(fd));
	for (unsigned int i = 0; i < count; i++)
		beside_one(fd, &state);
	if (next_random(&state) & 1)
		raise(SIGKILL);

	return 0;
}

static int usage(FILE *to)
{
	fputs("usage: kms-soak [OPTION]... client ORDERS ANSWERS\n"
	      "       kms-soak [OPTION]... beside SEED\n"
	      "client: flips until it is told otherwise; both are FIFOs\n"
	      "beside: makes --count buffers beside that one, then ends or is killed\n",
	      to);
	kt_common_help();

	return to == stderr ? 2 : 0;
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		KT_LONG_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	uint32_t seed;
	int c;

	while ((c = getopt_long(argc, argv, KT_SHORT_OPTIONS, names, NULL)) !=
	       -1) {
		if (c == 'h' || c == 'l')
			return usage(stdout);
		if (c == '?' || kt_common_option(c, optarg))
			return 2;
	}
	argv += optind;
	argc -= optind;
	if (argc == 3 && !strcmp(argv[0], "client"))
		return client(argv[1], argv[2]);
	if (argc == 2 && !strcmp(argv[0], "beside") &&
	    pattern_parse_u32(argv[1], UINT32_MAX, &seed))
		return beside(seed);

	return usage(stderr);
}
