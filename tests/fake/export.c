// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Grants as dma-bufs, which are descriptors of the machine's memory. A lock that
 * goes with the last copy of such a descriptor, in whatever process, and with its
 * last mapping, tells who still has one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "bus.h"

void fake_allow_exports(struct fake *fake)
{
	fake->exports = true;
}

bool fake_can_export(const struct fake *fake)
{
	return fake->exports;
}

static struct flock range(short type, uint32_t page, unsigned int num)
{
	return (struct flock){
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = (off_t)page * FAKE_PAGE_SIZE,
		.l_len = (off_t)num * FAKE_PAGE_SIZE,
	};
}

bool machine_exported(struct fake *fake, uint32_t page, unsigned int num)
{
	struct flock lock = range(F_WRLCK, page, num);

	if (!fake->exports)
		return false;
	if (fcntl(fake->memory_fd, F_OFD_GETLK, &lock))
		machine_fail("lock of pages");
	return lock.l_type != F_UNLCK;
}

void bus_open_spares(struct fake_bus_handle *h)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", h->fake->memory_fd);
	for (int i = 0; i < MAX_EXPORTS; i++) {
		h->spare[i] = h->fake->exports ?
			open(path, O_RDWR | O_CLOEXEC) : -1;
		if (h->fake->exports && h->spare[i] < 0)
			machine_fail("no descriptors");
	}
}

void bus_close_spares(struct fake_bus_handle *h)
{
	for (int i = 0; i < MAX_EXPORTS; i++)
		if (h->spare[i] >= 0)
			close(h->spare[i]);
}

static int take_spare(struct fake_bus_handle *h)
{
	for (int i = 0; i < MAX_EXPORTS; i++) {
		int fd = h->spare[i];

		h->spare[i] = -1;
		if (fd >= 0)
			return fd;
	}
	machine_fail("exports");
}

/* The first of pages that lie in a row; 0: they do not, or may not be had. */
static uint32_t first_page(const struct fake_domain *dom,
			   const uint32_t *grefs, unsigned int num)
{
	uint32_t first = 0;

	for (unsigned int i = 0; i < num; i++) {
		const struct fake_grant *grant;

		if (grefs[i] >= MAX_GRANTS)
			return 0;
		grant = &dom->grant[grefs[i]];
		if (!grant->used || !grant->writable ||
		    (i && grant->page != first + i))
			return 0;
		if (!i)
			first = grant->page;
	}
	return first;
}

int bus_export(struct xd_bus *bus, uint32_t domid, const uint32_t *grefs,
	       unsigned int num, struct xd_export *ret_export,
	       const char **ret_why)
{
	struct fake_bus_handle *h = (struct fake_bus_handle *)bus;
	struct fake_domain *dom;
	struct flock lock;
	uint32_t first;
	int fd;

	*ret_why = "this machine does not export grants";
	if (!h->fake->exports)
		return -EOPNOTSUPP;
	machine_lock(h->fake);
	dom = machine_domain(h->fake, domid);
	first = dom ? first_page(dom, grefs, num) : 0;
	machine_unlock(h->fake);
	*ret_why = "the machine does not export these pages";
	if (!first)
		return -EINVAL;
	fd = take_spare(h);
	lock = range(F_RDLCK, first, num);
	if (fcntl(fd, F_OFD_SETLK, &lock))
		machine_fail("lock of pages");
	*ret_export = (struct xd_export){
		.fd = fd,
		.offset = (uint64_t)first * FAKE_PAGE_SIZE,
		.size = (uint64_t)(first + num) * FAKE_PAGE_SIZE,
	};
	return 0;
}

void bus_unexport(struct xd_bus *bus, struct xd_export *export)
{
	close(export->fd);
	export->fd = -1;
}

bool bus_exported(struct xd_bus *bus, struct xd_export *export)
{
	struct fake_bus_handle *h = (struct fake_bus_handle *)bus;
	uint32_t first = (uint32_t)(export->offset / FAKE_PAGE_SIZE);
	uint32_t end = (uint32_t)(export->size / FAKE_PAGE_SIZE);

	return machine_exported(h->fake, first, end - first);
}
