// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The machine of tests/fake, the guest's half of it, on a real Xen from within a
 * guest: with this the frontend of the simulation is one in user space.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "badfront.h"

#define MAX_REGIONS	128

/* Pages that the driver gives are granted from the beginning. */
struct region {
	void *pages;
	unsigned int num;
	uint32_t *refs;
};

struct fake {
	struct xs_handle *xs;
	xengntshr_handle *gntshr;
	xenevtchn_handle *evtchn;
	uint32_t domid;
	uint32_t backend;
	struct region regions[MAX_REGIONS];
};

void sim_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("badfront: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

struct fake *machine_open(void)
{
	struct fake *machine = calloc(1, sizeof(*machine));
	char *text;

	if (!machine)
		sim_fail("no memory");
	machine->xs = xs_open(0);
	machine->gntshr = xengntshr_open(NULL, 0);
	machine->evtchn = xenevtchn_open(NULL, 0);
	if (!machine->xs || !machine->gntshr || !machine->evtchn)
		sim_fail("no Xen here: %s", strerror(errno));
	text = fake_read(machine, "domid");
	if (!text)
		sim_fail("no domid");
	machine->domid = strtoul(text, NULL, 10);
	free(text);
	/* whatever happens to it wakes fake_wait() */
	text = fake_read(machine, "device/vdispl/0/backend");
	if (!text || !xs_watch(machine->xs, text, "backend"))
		sim_fail("no backend: %s", strerror(errno));
	if (sscanf(text, "/local/domain/%u/", &machine->backend) != 1)
		sim_fail("whose is %s?", text);
	free(text);
	return machine;
}

uint32_t machine_domid(struct fake *machine)
{
	return machine->domid;
}

/* The backend's. */
uint32_t fake_own_domain(const struct fake *machine)
{
	return machine->backend;
}

void fake_write(struct fake *machine, const char *path, const char *text)
{
	if (!xs_write(machine->xs, XBT_NULL, path, text, strlen(text)))
		sim_fail("writing %s: %s", path, strerror(errno));
}

char *fake_read(struct fake *machine, const char *path)
{
	unsigned int len;

	return xs_read(machine->xs, XBT_NULL, path, &len);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

/* Takes what told of something, so that the next poll() waits again. */
static void take(struct fake *machine, const struct pollfd *pfd)
{
	char **watch;

	if (pfd[0].revents) {
		xenevtchn_port_or_error_t port =
			xenevtchn_pending(machine->evtchn);

		if (port >= 0)
			xenevtchn_unmask(machine->evtchn, port);
	}
	while (pfd[1].revents && (watch = xs_check_watch(machine->xs)))
		free(watch);
}

bool fake_wait(struct fake *machine, bool (*cond)(void *ctx), void *ctx,
	       int timeout_ms)
{
	uint64_t until = now_ms() + timeout_ms;
	uint64_t now;

	while (!cond(ctx)) {
		struct pollfd pfd[] = {
			{ .fd = xenevtchn_fd(machine->evtchn), .events = POLLIN },
			{ .fd = xs_fileno(machine->xs), .events = POLLIN },
		};

		now = now_ms();
		if (now >= until)
			return false;
		if (poll(pfd, 2, until - now) > 0)
			take(machine, pfd);
	}
	return true;
}

void *fake_pages_alloc(struct fake *machine, unsigned int num)
{
	struct region *region = machine->regions;

	while (region->pages)
		if (++region == machine->regions + MAX_REGIONS)
			sim_fail("too many regions");
	region->num = num;
	region->refs = calloc(num, sizeof(*region->refs));
	if (!region->refs)
		sim_fail("no memory");
	region->pages = xengntshr_share_pages(machine->gntshr, 0, num,
					      region->refs, 1);
	if (!region->pages)
		sim_fail("granting %u pages: %s", num, strerror(errno));
	return region->pages;
}

void fake_pages_free(struct fake *machine, void *pages, unsigned int num)
{
	struct region *region = machine->regions;

	while (region->pages != pages)
		if (++region == machine->regions + MAX_REGIONS)
			sim_fail("pages that were not granted");
	xengntshr_unshare(machine->gntshr, pages, num);
	free(region->refs);
	*region = (struct region){ 0 };
}

uint32_t fake_grant(struct fake *machine, uint32_t domid, void *page,
		    bool writable)
{
	(void)domid;
	(void)writable;		/* the driver grants what it maps for us */
	for (unsigned int i = 0; i < MAX_REGIONS; i++) {
		struct region *region = &machine->regions[i];
		size_t at = (uint8_t *)page - (uint8_t *)region->pages;

		if (region->pages && (uint8_t *)page >= (uint8_t *)region->pages &&
		    at / FAKE_PAGE_SIZE < region->num)
			return region->refs[at / FAKE_PAGE_SIZE];
	}
	sim_fail("a page that is not ours");
}

/* With its page, in fake_pages_free(), and when the backend has let go of it. */
int fake_grant_end(struct fake *machine, uint32_t domid, uint32_t gref)
{
	(void)machine;
	(void)domid;
	(void)gref;
	return 0;
}

uint32_t fake_port_alloc(struct fake *machine, uint32_t domid)
{
	xenevtchn_port_or_error_t port =
		xenevtchn_bind_unbound_port(machine->evtchn, 0);

	(void)domid;
	if (port < 0)
		sim_fail("an event channel: %s", strerror(errno));
	return port;
}

void fake_port_free(struct fake *machine, uint32_t domid, uint32_t port)
{
	(void)domid;
	xenevtchn_unbind(machine->evtchn, port);
}

void fake_port_notify(struct fake *machine, uint32_t domid, uint32_t port)
{
	(void)domid;
	xenevtchn_notify(machine->evtchn, port);
}
