// SPDX-License-Identifier: GPL-2.0-or-later
/* The bus of port.h over the machine: the daemon's side. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bus.h"

/* What a process has mapped. */
struct mapping {
	struct mapping *next;
	void *addr;
	uint32_t domid;
	unsigned int num;
	uint32_t grefs[];
};

/* Local port numbers differ from the guest's, as they do in life. */
#define LOCAL_PORT	1000

static struct fake_bus_handle *to_handle(struct xd_bus *bus)
{
	return (struct fake_bus_handle *)bus;
}

void machine_close_bus(struct fake *fake, int bus)
{
	for (int d = 0; d < MAX_DOMAINS; d++) {
		struct fake_domain *dom = &fake->domain[d];

		if (!dom->mapped[bus])
			continue;
		dom->mapped[bus] = 0;
		for (int g = 0; g < MAX_GRANTS; g++)
			dom->grant[g].maps[bus] = 0;
	}
	for (uint32_t i = 0; i < NR_PAGES; i++)
		if (fake->shared_with[i] && fake->shared_by[i] == bus) {
			fake->shared_with[i] = 0;
			fake->page_used[i] = 0;
		}
	for (int i = 0; i < MAX_PORTS; i++)
		if (fake->channel[i].bus == bus)
			fake->channel[i].bus = -1;
	machine_drain_fd(fake->bus_fd[bus]);
	fake->bus[bus].pid = 0;
}

/* Are these grants there, and may they be mapped so? */
static bool grants_ok(const struct fake_domain *dom, const uint32_t *grefs,
		      unsigned int num, bool writable)
{
	for (unsigned int i = 0; i < num; i++) {
		if (grefs[i] >= MAX_GRANTS || !dom->grant[grefs[i]].used)
			return false;
		if (writable && !dom->grant[grefs[i]].writable)
			return false;
	}
	return true;
}

/* Maps pages one after the other; runs of neighbours in one go. */
static void *map_pages(struct fake *fake, const struct fake_domain *dom,
		       const uint32_t *grefs, unsigned int num, bool writable)
{
	const int prot = PROT_READ | (writable ? PROT_WRITE : 0);
	uint8_t *base;

	base = mmap(NULL, (size_t)num * FAKE_PAGE_SIZE, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return NULL;
	for (unsigned int i = 0, run; i < num; i += run) {
		uint32_t page = dom->grant[grefs[i]].page;

		for (run = 1; i + run < num; run++)
			if (dom->grant[grefs[i + run]].page != page + run)
				break;
		if (mmap(base + (size_t)i * FAKE_PAGE_SIZE,
			 (size_t)run * FAKE_PAGE_SIZE, prot,
			 MAP_SHARED | MAP_FIXED, fake->memory_fd,
			 (off_t)page * FAKE_PAGE_SIZE) == MAP_FAILED) {
			munmap(base, (size_t)num * FAKE_PAGE_SIZE);
			return NULL;
		}
	}
	return base;
}

static void count_mapping(struct fake_bus_handle *h, const struct mapping *m,
			  int change)
{
	struct fake_domain *dom = machine_domain(h->fake, m->domid);

	if (!dom)
		return;
	dom->mapped[h->index] += (unsigned int)(change * (int)m->num);
	if (change > 0)
		dom->mapped_ever += m->num;
	for (unsigned int i = 0; i < m->num; i++)
		dom->grant[m->grefs[i]].maps[h->index] += (uint8_t)change;
}

static void *bus_map(struct xd_bus *bus, uint32_t domid,
		     const uint32_t *grefs, unsigned int num, bool writable)
{
	struct fake_bus_handle *h = to_handle(bus);
	struct fake_domain *dom;
	struct mapping *m;
	int err = EINVAL;

	m = malloc(sizeof(*m) + num * sizeof(*grefs));
	if (!m)
		return NULL;
	m->addr = NULL;
	m->domid = domid;
	m->num = num;
	memcpy(m->grefs, grefs, num * sizeof(*grefs));

	machine_lock(h->fake);
	dom = machine_domain(h->fake, domid);
	if (h->fake->failing_maps) {
		h->fake->failing_maps--;
		err = h->fake->map_err;
	} else if (num && dom && grants_ok(dom, grefs, num, writable)) {
		m->addr = map_pages(h->fake, dom, grefs, num, writable);
	}
	if (m->addr)
		count_mapping(h, m, 1);
	machine_unlock(h->fake);

	if (!m->addr) {
		free(m);
		errno = err;
		return NULL;
	}
	m->next = h->mappings;
	h->mappings = m;
	return m->addr;
}

static void unmap(struct fake_bus_handle *h, struct mapping *m)
{
	munmap(m->addr, (size_t)m->num * FAKE_PAGE_SIZE);
	machine_lock(h->fake);
	count_mapping(h, m, -1);
	machine_unlock(h->fake);
	free(m);
}

static void bus_unmap(struct xd_bus *bus, void *addr, unsigned int num)
{
	struct fake_bus_handle *h = to_handle(bus);

	for (struct mapping **p = &h->mappings; *p; p = &(*p)->next) {
		struct mapping *m = *p;

		if (m->addr != addr)
			continue;
		if (m->num != num)
			machine_fail("unmap of another number of pages");
		*p = m->next;
		unmap(h, m);
		return;
	}
	machine_fail("unmap of what is not mapped");
}

static void *bus_share(struct xd_bus *bus, uint32_t domid, unsigned int num,
		       uint32_t *ret_grefs)
{
	struct fake_bus_handle *h = to_handle(bus);
	struct fake *fake = h->fake;
	uint8_t *pages = fake_pages_alloc(fake, num);
	uint32_t first = (uint32_t)((pages - fake->memory) / FAKE_PAGE_SIZE);

	machine_lock(fake);
	for (unsigned int i = 0; i < num; i++) {
		ret_grefs[i] = first + i;
		fake->shared_with[first + i] = (uint16_t)(domid + 1);
		fake->shared_by[first + i] = (uint8_t)h->index;
	}
	machine_unlock(fake);
	return pages;
}

static void bus_unshare(struct xd_bus *bus, void *addr, unsigned int num)
{
	struct fake *fake = to_handle(bus)->fake;
	uint32_t first = (uint32_t)(((uint8_t *)addr - fake->memory) /
				    FAKE_PAGE_SIZE);

	machine_lock(fake);
	for (unsigned int i = 0; i < num; i++) {
		if (!fake->shared_with[first + i])
			machine_fail("unshare of what is not shared");
		fake->shared_with[first + i] = 0;
	}
	machine_unlock(fake);
	fake_pages_free(fake, addr, num);
}

void *fake_foreign_page(struct fake *fake, uint32_t domid, uint32_t gref)
{
	void *page = NULL;

	machine_lock(fake);
	if (gref < NR_PAGES && fake->shared_with[gref] == domid + 1)
		page = fake->memory + (size_t)gref * FAKE_PAGE_SIZE;
	machine_unlock(fake);
	return page;
}

unsigned int fake_foreign_pages(struct fake *fake, uint32_t domid)
{
	unsigned int num = 0;

	machine_lock(fake);
	for (uint32_t i = 0; i < NR_PAGES; i++)
		num += fake->shared_with[i] == domid + 1;
	machine_unlock(fake);
	return num;
}

static int bus_fd(struct xd_bus *bus)
{
	struct fake_bus_handle *h = to_handle(bus);

	return h->fake->bus_fd[h->index];
}

/* Binding signals at once: what came before cannot be told. */
static int bus_bind(struct xd_bus *bus, uint32_t domid, uint32_t port)
{
	struct fake_bus_handle *h = to_handle(bus);
	int ret = -EINVAL;

	machine_lock(h->fake);
	for (int i = 0; i < MAX_PORTS; i++) {
		struct fake_channel *c = &h->fake->channel[i];

		if (!c->used || c->domid != domid || c->port != port ||
		    c->bus >= 0)
			continue;
		c->bus = h->index;
		c->masked = false;
		c->queued = false;
		machine_raise(h->fake, c);
		ret = LOCAL_PORT + i;
		break;
	}
	machine_unlock(h->fake);
	return ret;
}

/* The channel of a local port, or NULL: the guest may have freed it. */
static struct fake_channel *channel_of(struct fake_bus_handle *h, int port)
{
	struct fake_channel *c;

	if (port < LOCAL_PORT || port >= LOCAL_PORT + MAX_PORTS)
		machine_fail("no such local port");
	c = &h->fake->channel[port - LOCAL_PORT];
	return c->used && c->bus == h->index ? c : NULL;
}

static void bus_unbind(struct xd_bus *bus, int port)
{
	struct fake_bus_handle *h = to_handle(bus);
	struct fake_channel *c;

	machine_lock(h->fake);
	c = channel_of(h, port);
	if (c)
		c->bus = -1;
	machine_unlock(h->fake);
}

static int bus_pending(struct xd_bus *bus)
{
	struct fake_bus_handle *h = to_handle(bus);
	int ret = -EAGAIN, queued = 0;

	machine_lock(h->fake);
	for (int i = 0; i < MAX_PORTS; i++) {
		struct fake_channel *c = &h->fake->channel[i];

		if (!c->used || c->bus != h->index || !c->queued)
			continue;
		queued++;
		if (ret < 0) {
			c->queued = false;
			ret = LOCAL_PORT + i;
		}
	}
	if (queued <= 1)
		machine_drain_fd(h->fake->bus_fd[h->index]);
	machine_unlock(h->fake);
	return ret;
}

static void bus_unmask(struct xd_bus *bus, int port)
{
	struct fake_bus_handle *h = to_handle(bus);
	struct fake_channel *c;

	machine_lock(h->fake);
	c = channel_of(h, port);
	if (c) {
		c->masked = false;
		if (c->raised)
			machine_raise(h->fake, c);
	}
	machine_unlock(h->fake);
}

static void bus_notify(struct xd_bus *bus, int port)
{
	struct fake_bus_handle *h = to_handle(bus);
	struct fake_channel *c;

	machine_lock(h->fake);
	c = channel_of(h, port);
	if (c)
		c->signals++;
	machine_unlock(h->fake);
}

static void bus_destroy(struct xd_bus *bus)
{
	struct fake_bus_handle *h = to_handle(bus);

	while (h->mappings) {
		struct mapping *m = h->mappings;

		h->mappings = m->next;
		unmap(h, m);
	}
	bus_close_spares(h);
	machine_lock(h->fake);
	machine_close_bus(h->fake, h->index);
	machine_unlock(h->fake);
	free(h);
}

static const struct xd_bus_ops fake_bus_ops = {
	.map = bus_map,
	.unmap = bus_unmap,
	.share = bus_share,
	.unshare = bus_unshare,
	.export = bus_export,
	.unexport = bus_unexport,
	.exported = bus_exported,
	.fd = bus_fd,
	.bind = bus_bind,
	.unbind = bus_unbind,
	.pending = bus_pending,
	.unmask = bus_unmask,
	.notify = bus_notify,
	.destroy = bus_destroy,
};

void fake_refuse_bus(struct fake *fake, bool refuse)
{
	machine_lock(fake);
	fake->no_bus = refuse;
	machine_unlock(fake);
}

unsigned int fake_bus_tries(struct fake *fake)
{
	return __atomic_load_n(&fake->bus_tries, __ATOMIC_SEQ_CST);
}

void fake_fail_maps(struct fake *fake, unsigned int num, int err)
{
	machine_lock(fake);
	fake->failing_maps = num;
	fake->map_err = err;
	machine_unlock(fake);
}

/* May this process have a bus? */
static bool may_open(struct fake *fake)
{
	bool refused;

	machine_lock(fake);
	fake->bus_tries++;
	refused = fake->no_bus;
	machine_unlock(fake);
	return !refused;
}

struct xd_bus *fake_bus_open(struct fake *fake)
{
	struct fake_bus_handle *h;
	int i;

	if (!may_open(fake)) {
		errno = EACCES;
		return NULL;
	}
	h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	machine_lock(fake);
	machine_reap(fake);
	for (i = 0; i < MAX_BUSES && fake->bus[i].pid; i++)
		;
	if (i == MAX_BUSES)
		machine_fail("buses");
	fake->bus[i].pid = getpid();
	machine_unlock(fake);
	h->base.ops = &fake_bus_ops;
	h->fake = fake;
	h->index = i;
	bus_open_spares(h);
	return &h->base;
}
