// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * strictback: an honest backend of displif that is unlike xen-displayd, and looks
 * at everything that the frontend sends. It takes xen-displayd's place for a while.
 *
 *   strictback [OPTION...] DOMID    serve the device vdispl/0 of a domain
 *
 *   --versions LIST  text of the node "versions" (default: no such node)
 *   --features       offer all extensions
 *   --hint           follow the frontend's rsp_event (default: always notify)
 *   --early          frame-done events before the answers to their flips
 *   --hold N         wait for N requests, a moment, and answer the newest first
 *   --late MS        answer after so long
 *   --frame MS       frame-done events so much later
 *   --verbose        tell of each request
 *
 * It serves one connection after the other until SIGTERM, or until the domain is
 * gone. The node "flips" of its directory may be "refuse" or "ignore" meanwhile,
 * "flips-now" says what is obeyed; "live" is how many dbufs and framebuffers there
 * are, when nothing goes on.
 *
 * Exit status: 0 all was right, 1 something was not, 2 wrong use.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "strictback.h"

#define WAIT_MS		20000	/* for a frontend to do its part, emulated */
#define MAX_LINES	30	/* of what is wrong */

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	stopped = signal;
}

void strict_wrong(struct strict *s, const char *format, ...)
{
	va_list ap;

	if (s->wrong++ >= MAX_LINES)
		return;
	printf("WRONG: ");
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

/* ---- nodes that are watched ---- */

/* The frontend's state; 0 when its directory is gone. */
static unsigned int frontend_state(struct strict *s)
{
	unsigned int state;

	if (!bad_read_number(&s->bad, s->bad.fe, "state", &state))
		return 0;
	return state;
}

static void look_at_flips(struct strict *s)
{
	static const char *const names[] = {
		[STRICT_SHOW] = "show",
		[STRICT_REFUSE] = "refuse",
		[STRICT_IGNORE] = "ignore",
	};
	char *text = bad_read(&s->bad, s->bad.be, "flips");

	for (unsigned int i = 0; text && i < 3; i++)
		if (!strcmp(text, names[i]) && s->flips != i) {
			strict_set_flips(s, i);
			bad_write(&s->bad, "flips-now", text);
		}
	free(text);
}

static void watch(struct strict *s, const char *dir, const char *node)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", dir, node);
	if (!xs_watch(s->bad.xs, path, node))
		bad_die("watching %s: %s", path, strerror(errno));
}

/* Whether a node may have changed. */
static bool take_watches(struct strict *s)
{
	bool any = false;
	char **event;

	while ((event = xs_check_watch(s->bad.xs))) {
		free(event);
		any = true;
	}
	return any;
}

/* Waits @ms, or for a signal of the guest, or for a node. */
static void wait_for_any(struct strict *s, int ms)
{
	struct pollfd pfds[] = {
		{ .fd = xenevtchn_fd(s->bad.evtchn), .events = POLLIN },
		{ .fd = xs_fileno(s->bad.xs), .events = POLLIN },
	};
	xenevtchn_port_or_error_t port;

	if (poll(pfds, 2, ms) <= 0 || !(pfds[0].revents & POLLIN))
		return;
	port = xenevtchn_pending(s->bad.evtchn);
	if (port >= 0)
		xenevtchn_unmask(s->bad.evtchn, port);
}

/* Until the frontend is in one of two states, which is returned; 0: no more. */
static unsigned int wait_frontend(struct strict *s, unsigned int one,
				  unsigned int other)
{
	unsigned int state = frontend_state(s);

	while (state && state != one && state != other && !stopped) {
		wait_for_any(s, 200);
		take_watches(s);
		state = frontend_state(s);
	}
	return stopped ? 0 : state;
}

/* ---- connections ---- */

/* From whatever there is to Connected. False: it is over. */
static bool connect_frontend(struct strict *s)
{
	struct bad *b = &s->bad;

	bad_state(b, XenbusStateInitialising);
	if (!wait_frontend(s, XenbusStateInitialising, XenbusStateInitialising))
		return false;
	strict_offer(s);
	bad_state(b, XenbusStateInitWait);
	switch (wait_frontend(s, XenbusStateInitialised, XenbusStateClosing)) {
	case 0:
		return false;
	case XenbusStateClosing:
		bad_die("the frontend refused the offer");
	}
	strict_forget(s);
	bad_map(b);
	strict_check_nodes(s);
	bad_state(b, XenbusStateConnected);
	return true;
}

static void tell_live(struct strict *s)
{
	static char told[32];
	unsigned int dbufs, fbs;
	char text[32];

	strict_count(s, &dbufs, &fbs);
	snprintf(text, sizeof(text), "%u %u", dbufs, fbs);
	if (!strcmp(text, told))
		return;
	snprintf(told, sizeof(told), "%s", text);
	bad_write(&s->bad, "live", text);
}

/* Returns the frontend's state after the connection; 0: it is over. */
static unsigned int serve_connection(struct strict *s)
{
	unsigned int state = XenbusStateInitialised, checked;

	look_at_flips(s);
	while (!stopped) {
		checked = s->checked;
		strict_serve(s);
		wait_for_any(s, strict_pause(s));
		if (checked == s->checked)
			tell_live(s);
		if (!take_watches(s))
			continue;
		look_at_flips(s);
		state = frontend_state(s);
		if (state != XenbusStateInitialised &&
		    state != XenbusStateConnected)
			return state;
	}
	return 0;
}

static void end_connection(struct strict *s, unsigned int state)
{
	struct bad *b = &s->bad;

	switch (state) {
	case XenbusStateClosing:
	case XenbusStateClosed:
		strict_finish(s);
		strict_check_end(s);
		break;
	case 0:
		if (!frontend_state(s))
			break;	/* the guest is gone */
		/* we go: the frontend has to notice */
		bad_state(b, XenbusStateClosed);
		if (!bad_wait_state(b, XenbusStateInitialising,
				    XenbusStateClosed, WAIT_MS))
			bad_die("the frontend does not let us go");
		break;
	}
	bad_unmap(b);
	strict_forget(s);
}

static void tell_counts(const struct strict *s)
{
	printf("%u requests, %u wrong:", s->checked, s->wrong);
	for (unsigned int i = 0; i < 256; i++)
		if (s->op_count[i])
			printf(" %s %u", strict_op_name(i), s->op_count[i]);
	printf("\n");
}

static void serve(struct strict *s)
{
	unsigned int state;

	bad_nodes(&s->bad, "flips=\nflips-now=\nlive=", true);
	watch(s, s->bad.fe, "state");
	watch(s, s->bad.be, "flips");
	while (!stopped && connect_frontend(s)) {
		state = serve_connection(s);
		end_connection(s, state);
		if (state == XenbusStateClosing)
			state = wait_frontend(s, XenbusStateClosed,
					      XenbusStateInitialising);
		if (!state || !frontend_state(s))
			break;
		if (state == XenbusStateClosed)
			bad_state(&s->bad, XenbusStateClosed);
	}
	tell_counts(s);
}

/* ---- options ---- */

static unsigned int number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (!*text || *end || value > 60000)
		bad_die("'%s' is not a number", text);
	return value;
}

static bool parse(int argc, char **argv, struct strict_manner *manner)
{
	static const struct option options[] = {
		{ "versions", required_argument, NULL, 'v' },
		{ "features", no_argument, NULL, 'f' },
		{ "hint", no_argument, NULL, 'i' },
		{ "early", no_argument, NULL, 'e' },
		{ "hold", required_argument, NULL, 'h' },
		{ "late", required_argument, NULL, 'l' },
		{ "frame", required_argument, NULL, 'r' },
		{ "verbose", no_argument, NULL, 'V' },
		{ }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'v':
			manner->versions = optarg;
			break;
		case 'f':
			manner->features = true;
			break;
		case 'i':
			manner->hint = true;
			break;
		case 'e':
			manner->early = true;
			break;
		case 'h':
			manner->hold = number(optarg);
			break;
		case 'l':
			manner->late_ms = number(optarg);
			break;
		case 'r':
			manner->frame_ms = number(optarg);
			break;
		case 'V':
			manner->verbose = true;
			break;
		default:
			return false;
		}
	return optind == argc - 1;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = stop };
	struct strict_manner manner = { .versions = NULL };
	static struct strict s;

	if (!parse(argc, argv, &manner)) {
		fputs("usage: strictback [OPTION...] DOMID; see lab/tools/strictback.c\n",
		      stderr);
		return 2;
	}
	s.manner = &manner;
	sigaction(SIGTERM, &action, NULL);
	bad_open(&s.bad, number(argv[optind]));
	serve(&s);
	return s.wrong != 0;
}
