// SPDX-License-Identifier: GPL-2.0-or-later
/* A backend of the lab on the bus: XenStore, states, what the frontend published. */
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
	fprintf(stderr, "%s: ", program_invocation_short_name);
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

char *bad_read(struct bad *b, const char *dir, const char *node)
{
	unsigned int len;
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", dir, node);
	return xs_read(b->xs, XBT_NULL, path, &len);
}

bool bad_read_number(struct bad *b, const char *dir, const char *node,
		     unsigned int *ret_value)
{
	char *text = bad_read(b, dir, node);

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
		if (!bad_read_number(b, b->fe, "state", &state))
			bad_die("the frontend's directory is gone");
		if (state == one || state == other)
			return state;
		bad_sleep_ms(5);
	} while (bad_now_ms() < until);
	return 0;
}

void *bad_map_ref(struct bad *b, uint32_t ref)
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
	if (!bad_read_number(b, dir, XENDISPL_FIELD_REQ_RING_REF, &req_ref))
		return false;
	if (!bad_read_number(b, dir, XENDISPL_FIELD_REQ_CHANNEL, &req_port) ||
	    !bad_read_number(b, dir, XENDISPL_FIELD_EVT_RING_REF, &evt_ref) ||
	    !bad_read_number(b, dir, XENDISPL_FIELD_EVT_CHANNEL, &evt_port))
		bad_die("connector %u is incomplete", index);
	memset(c, 0, sizeof(*c));
	sring = bad_map_ref(b, req_ref);	/* the macro names it more than once */
	BACK_RING_INIT(&c->ring, sring, XENDISPL_EVENT_PAGE_SIZE);
	c->page = bad_map_ref(b, evt_ref);
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

void bad_nodes(struct bad *b, const char *nodes, bool undo)
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

void bad_write_offer(struct bad *b, const char *versions, const char *nodes)
{
	bad_nodes(b, "versions=\nformats=\nfeature-damage=\nfeature-stride=\n"
		    "feature-connector-event=\nfeature-ro-grants=\n"
		    "feature-cursor=\nfeature-formats=", true);
	if (versions)
		bad_write(b, "versions", versions);
	bad_nodes(b, nodes, false);
}

bool bad_offer(struct bad *b, const char *nodes)
{
	bad_state(b, XenbusStateInitialising);
	if (!bad_wait_state(b, XenbusStateInitialising, XenbusStateInitialising,
			    WAIT_MS))
		bad_die("the frontend does not start over");
	bad_write_offer(b, "1,2", nodes);
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

void bad_open(struct bad *b, uint32_t domid)
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
