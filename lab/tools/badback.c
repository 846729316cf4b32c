// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * badback: a backend of displif that does one thing wrong, for the lab. It takes
 * the place of xen-displayd for a while, like a backend that was taken over.
 *
 *   badback CASE DOMID     play CASE to the device vdispl/0 of a domain
 *   badback --list [GROUP] names of the cases, in the order they are played
 *
 * Exit status: 0 it was played, 1 it could not be, 2 wrong use.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "badback.h"

#define WAIT_MS	20000	/* for a frontend to do its part, emulated */

void bad_die(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("badback: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

uint64_t bad_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

void bad_sleep_ms(unsigned int ms)
{
	poll(NULL, 0, ms);
}

/* The same numbers in each run: a failure can be played again. */
uint32_t bad_random(void)
{
	static uint32_t x = 2463534242u;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}

static char *read_node(struct bad *b, const char *dir, const char *node)
{
	unsigned int len;
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", dir, node);
	return xs_read(b->xs, XBT_NULL, path, &len);
}

static bool read_number(struct bad *b, const char *dir, const char *node,
			unsigned int *ret_value)
{
	char *text = read_node(b, dir, node);

	if (!text)
		return false;
	*ret_value = strtoul(text, NULL, 10);
	free(text);
	return true;
}

void bad_write(struct bad *b, const char *node, const char *text)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", b->be, node);
	if (!xs_write(b->xs, XBT_NULL, path, text, strlen(text)))
		bad_die("writing %s: %s", path, strerror(errno));
}

void bad_state(struct bad *b, unsigned int state)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", state);
	bad_write(b, "state", text);
}

unsigned int bad_wait_state(struct bad *b, unsigned int one, unsigned int other,
			    unsigned int ms)
{
	uint64_t until = bad_now_ms() + ms;
	unsigned int state;

	do {
		if (!read_number(b, b->fe, "state", &state))
			bad_die("the frontend's directory is gone");
		if (state == one || state == other)
			return state;
		bad_sleep_ms(5);
	} while (bad_now_ms() < until);
	return 0;
}

static void *map_ref(struct bad *b, unsigned int ref)
{
	void *page = xengnttab_map_grant_ref(b->gnt, b->domid, ref,
					     PROT_READ | PROT_WRITE);

	if (!page)
		bad_die("mapping grant %u: %s", ref, strerror(errno));
	return page;
}

static evtchn_port_t bind_port(struct bad *b, unsigned int remote)
{
	xenevtchn_port_or_error_t port =
		xenevtchn_bind_interdomain(b->evtchn, b->domid, remote);

	if (port < 0)
		bad_die("binding port %u: %s", remote, strerror(errno));
	return port;
}

static bool map_conn(struct bad *b, unsigned int index)
{
	unsigned int req_ref, req_port, evt_ref, evt_port;
	struct bad_conn *c = &b->conns[index];
	struct xen_displif_sring *sring;
	char dir[80];

	snprintf(dir, sizeof(dir), "%s/%u", b->fe, index);
	if (!read_number(b, dir, XENDISPL_FIELD_REQ_RING_REF, &req_ref))
		return false;
	if (!read_number(b, dir, XENDISPL_FIELD_REQ_CHANNEL, &req_port) ||
	    !read_number(b, dir, XENDISPL_FIELD_EVT_RING_REF, &evt_ref) ||
	    !read_number(b, dir, XENDISPL_FIELD_EVT_CHANNEL, &evt_port))
		bad_die("connector %u is incomplete", index);
	memset(c, 0, sizeof(*c));
	sring = map_ref(b, req_ref);	/* the macro names it more than once */
	BACK_RING_INIT(&c->ring, sring, XENDISPL_EVENT_PAGE_SIZE);
	c->page = map_ref(b, evt_ref);
	c->req_port = bind_port(b, req_port);
	c->evt_port = bind_port(b, evt_port);
	return true;
}

void bad_map(struct bad *b)
{
	b->num_conns = 0;
	while (b->num_conns < BAD_MAX_CONNS && map_conn(b, b->num_conns))
		b->num_conns++;
	if (!b->num_conns)
		bad_die("the frontend has no connectors");
}

void bad_unmap(struct bad *b)
{
	while (b->num_conns) {
		struct bad_conn *c = &b->conns[--b->num_conns];

		xenevtchn_unbind(b->evtchn, c->req_port);
		xenevtchn_unbind(b->evtchn, c->evt_port);
		xengnttab_unmap(b->gnt, c->ring.sring, 1);
		xengnttab_unmap(b->gnt, c->page, 1);
	}
	b->num_late = 0;
}

/* The nodes of a case, or with @undo none of them. */
static void write_nodes(struct bad *b, const char *nodes, bool undo)
{
	char *copy = strdup(nodes ? nodes : ""), *rest = copy, *node;
	char path[192];

	while ((node = strsep(&rest, "\n"))) {
		char *text = strchr(node, '=');

		if (!text)
			continue;
		*text++ = '\0';
		snprintf(path, sizeof(path), "%s/%s", b->be, node);
		if (undo)
			xs_rm(b->xs, XBT_NULL, path);
		else
			bad_write(b, node, text);
	}
	free(copy);
}

/* An offer of ours; what xen-displayd left would be taken for it. */
static void write_offer(struct bad *b, const char *nodes)
{
	write_nodes(b, "versions=\nformats=\nfeature-damage=\nfeature-stride=\n"
		    "feature-connector-event=\nfeature-ro-grants=\n"
		    "feature-cursor=\nfeature-formats=", true);
	bad_write(b, "versions", "1,2");
	write_nodes(b, nodes, false);
}

bool bad_offer(struct bad *b, const char *nodes)
{
	bad_state(b, XenbusStateInitialising);
	if (!bad_wait_state(b, XenbusStateInitialising, XenbusStateInitialising,
			    WAIT_MS))
		bad_die("the frontend does not start over");
	write_offer(b, nodes);
	bad_state(b, XenbusStateInitWait);
	switch (bad_wait_state(b, XenbusStateInitialised, XenbusStateClosing,
			       WAIT_MS)) {
	case XenbusStateInitialised:
		return true;
	case XenbusStateClosing:
		return false;
	default:
		bad_die("the frontend does not answer to InitWait");
	}
}

static void play_connection(struct bad *b, const struct bad_case *bad_case)
{
	uint64_t until;
	bool there = bad_offer(b, bad_case->nodes);

	if (there == bad_case->refused)
		bad_die("the frontend %s", there ? "took it" : "refused it");
	if (!there)
		return;
	bad_map(b);
	if (bad_case->offered)
		bad_case->offered(b);
	bad_state(b, XenbusStateConnected);
	if (!bad_wait_state(b, XenbusStateConnected, XenbusStateConnected,
			    WAIT_MS))
		bad_die("the frontend does not connect");
	until = bad_now_ms() + (bad_case->ms ? bad_case->ms : 2000);
	if (bad_case->connected)
		bad_case->connected(b);
	bad_serve(b, bad_case, until);
	if (bad_case->all && b->count < bad_case->times)
		bad_die("%u times, not %u", b->count, bad_case->times);
	bad_unmap(b);
}

static int list(const char *group)
{
	for (unsigned int i = 0; i < bad_num_cases; i++)
		if (!group || !strcmp(bad_cases[i].group, group))
			puts(bad_cases[i].name);
	return 0;
}

static const struct bad_case *find(const char *name)
{
	for (unsigned int i = 0; i < bad_num_cases; i++)
		if (!strcmp(bad_cases[i].name, name))
			return &bad_cases[i];
	return NULL;
}

static void open_all(struct bad *b, uint32_t domid)
{
	b->domid = domid;
	b->xs = xs_open(0);
	b->gnt = xengnttab_open(NULL, 0);
	b->evtchn = xenevtchn_open(NULL, 0);
	if (!b->xs || !b->gnt || !b->evtchn)
		bad_die("no Xen here: %s", strerror(errno));
	snprintf(b->fe, sizeof(b->fe), "/local/domain/%u/device/vdispl/0", domid);
	snprintf(b->be, sizeof(b->be), "/local/domain/0/backend/vdispl/%u/0",
		 domid);
}

int main(int argc, char **argv)
{
	const struct bad_case *bad_case;
	static struct bad b;

	if (argc >= 2 && argc <= 3 && !strcmp(argv[1], "--list"))
		return list(argv[2]);
	bad_case = argc == 3 ? find(argv[1]) : NULL;
	if (!bad_case) {
		fputs("usage: badback CASE DOMID | --list [GROUP]\n", stderr);
		return 2;
	}
	open_all(&b, strtoul(argv[2], NULL, 10));
	if (bad_case->run)
		bad_case->run(&b);
	else
		play_connection(&b, bad_case);
	/* an operator may have set these: none of ours may stay */
	write_nodes(&b, bad_case->nodes, true);
	printf("badback: %s, %u times\n", bad_case->name, b.count);
	return 0;
}
