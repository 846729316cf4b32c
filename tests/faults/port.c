// SPDX-License-Identifier: GPL-2.0-or-later
/* port.h on the fake machine, with calls that fail before they get there. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "core/child.h"
#include "core/message.h"
#include "fake.h"
#include "faults.h"

/* The store */

struct store {
	struct xd_store base;
	struct xd_store *real;
};

#define REAL(store)	(((struct store *)(store))->real)

/* The machine's own calls are not counted. */
#define INSIDE_VOID(call)						\
do {									\
	faults_enter();							\
	call;								\
	faults_leave();							\
} while (0)

#define INSIDE(type, call)						\
({									\
	type ret_;							\
									\
	faults_enter();							\
	ret_ = call;							\
	faults_leave();							\
	ret_;								\
})

static int store_fd(struct xd_store *store)
{
	return REAL(store)->ops->fd(REAL(store));
}

static char *store_read(struct xd_store *store, const char *path)
{
	if (fault("store read")) {
		errno = ENOMEM;
		return NULL;
	}
	return INSIDE(char *, REAL(store)->ops->read(REAL(store), path));
}

static int store_write(struct xd_store *store, const char *path,
		       const char *text)
{
	if (fault("store write"))
		return -ENOMEM;
	return INSIDE(int, REAL(store)->ops->write(REAL(store), path, text));
}

static int store_remove(struct xd_store *store, const char *path)
{
	if (fault("store remove"))
		return -ENOMEM;
	return INSIDE(int, REAL(store)->ops->remove(REAL(store), path));
}

static char **store_list(struct xd_store *store, const char *path,
			 unsigned int *ret_num)
{
	if (fault("store list")) {
		errno = ENOMEM;
		return NULL;
	}
	return INSIDE(char **, REAL(store)->ops->list(REAL(store), path,
						      ret_num));
}

static int store_watch(struct xd_store *store, const char *path,
		       const char *token)
{
	if (fault("store watch"))
		return -ENOMEM;
	return INSIDE(int, REAL(store)->ops->watch(REAL(store), path, token));
}

static int store_unwatch(struct xd_store *store, const char *path,
			 const char *token)
{
	return INSIDE(int, REAL(store)->ops->unwatch(REAL(store), path,
						     token));
}

/* One that has been taken and cannot be told is lost. */
static char **store_next_watch(struct xd_store *store)
{
	char **event = INSIDE(char **,
			      REAL(store)->ops->next_watch(REAL(store)));

	if (event && fault("store next_watch")) {
		free(event);
		errno = ENOMEM;
		return NULL;
	}
	return event;
}

static int store_domain_alive(struct xd_store *store, uint32_t domid)
{
	if (fault("store domain_alive"))
		return -ENOMEM;
	return INSIDE(int, REAL(store)->ops->domain_alive(REAL(store), domid));
}

static void store_destroy(struct xd_store *store)
{
	INSIDE_VOID(REAL(store)->ops->destroy(REAL(store)));
	free(store);
}

static const struct xd_store_ops store_ops = {
	.fd = store_fd,
	.read = store_read,
	.write = store_write,
	.remove = store_remove,
	.list = store_list,
	.watch = store_watch,
	.unwatch = store_unwatch,
	.next_watch = store_next_watch,
	.domain_alive = store_domain_alive,
	.destroy = store_destroy,
};

struct xd_store *__real_fake_store_open(struct fake *fake);
struct xd_store *__wrap_fake_store_open(struct fake *fake);

/* Who opens the store is the supervisor. */
struct xd_store *__wrap_fake_store_open(struct fake *fake)
{
	struct store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->base.ops = &store_ops;
	store->real = INSIDE(struct xd_store *, __real_fake_store_open(fake));
	faults_set_role(FAULT_SUPERVISOR);
	return &store->base;
}

#undef REAL

/* The bus */

struct bus {
	struct xd_bus base;
	struct xd_bus *real;
};

#define REAL(bus)	(((struct bus *)(bus))->real)

static void *bus_map(struct xd_bus *bus, uint32_t domid,
		     const uint32_t *grefs, unsigned int num, bool writable)
{
	if (fault("bus map")) {
		errno = ENOMEM;
		return NULL;
	}
	return INSIDE(void *, REAL(bus)->ops->map(REAL(bus), domid, grefs, num,
						  writable));
}

static void bus_unmap(struct xd_bus *bus, void *addr, unsigned int num)
{
	INSIDE_VOID(REAL(bus)->ops->unmap(REAL(bus), addr, num));
}

static void *bus_share(struct xd_bus *bus, uint32_t domid, unsigned int num,
		       uint32_t *ret_grefs)
{
	if (fault("bus share")) {
		errno = ENOMEM;
		return NULL;
	}
	return INSIDE(void *, REAL(bus)->ops->share(REAL(bus), domid, num,
						    ret_grefs));
}

static void bus_unshare(struct xd_bus *bus, void *addr, unsigned int num)
{
	INSIDE_VOID(REAL(bus)->ops->unshare(REAL(bus), addr, num));
}

static int bus_fd(struct xd_bus *bus)
{
	return REAL(bus)->ops->fd(REAL(bus));
}

static int bus_bind(struct xd_bus *bus, uint32_t domid, uint32_t port)
{
	if (fault("bus bind"))
		return -ENOMEM;
	return INSIDE(int, REAL(bus)->ops->bind(REAL(bus), domid, port));
}

static void bus_unbind(struct xd_bus *bus, int port)
{
	INSIDE_VOID(REAL(bus)->ops->unbind(REAL(bus), port));
}

static int bus_pending(struct xd_bus *bus)
{
	return INSIDE(int, REAL(bus)->ops->pending(REAL(bus)));
}

static void bus_unmask(struct xd_bus *bus, int port)
{
	INSIDE_VOID(REAL(bus)->ops->unmask(REAL(bus), port));
}

static void bus_notify(struct xd_bus *bus, int port)
{
	INSIDE_VOID(REAL(bus)->ops->notify(REAL(bus), port));
}

static void bus_destroy(struct xd_bus *bus)
{
	INSIDE_VOID(REAL(bus)->ops->destroy(REAL(bus)));
	free(bus);
}

static const struct xd_bus_ops bus_ops = {
	.map = bus_map,
	.unmap = bus_unmap,
	.share = bus_share,
	.unshare = bus_unshare,
	.fd = bus_fd,
	.bind = bus_bind,
	.unbind = bus_unbind,
	.pending = bus_pending,
	.unmask = bus_unmask,
	.notify = bus_notify,
	.destroy = bus_destroy,
};

struct xd_bus *__real_fake_bus_open(struct fake *fake);
struct xd_bus *__wrap_fake_bus_open(struct fake *fake);

struct xd_bus *__wrap_fake_bus_open(struct fake *fake)
{
	struct bus *bus = calloc(1, sizeof(*bus));

	if (!bus)
		return NULL;
	bus->base.ops = &bus_ops;
	bus->real = INSIDE(struct xd_bus *, __real_fake_bus_open(fake));
	return &bus->base;
}

/* Children */

int __real_xd_child_run(int sock, struct xd_bus *(*open_bus)(uint32_t domid, bool share));
int __wrap_xd_child_run(int sock, struct xd_bus *(*open_bus)(uint32_t domid, bool share));

/* What it is says its first message, which it takes itself. */
int __wrap_xd_child_run(int sock, struct xd_bus *(*open_bus)(uint32_t domid, bool share))
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };
	enum fault_role role = FAULT_NOBODY;
	uint32_t type;

	faults_set_role(FAULT_NOBODY);
	poll(&pfd, 1, -1);
	if (recv(sock, &type, sizeof(type), MSG_PEEK) == sizeof(type))
		role = type == XD_MSG_VIEW ? FAULT_VIEWER :
			type == XD_MSG_KEYBOARD ? FAULT_KEYBOARD :
			FAULT_WORKER;
	faults_set_role(role);
	return __real_xd_child_run(sock, open_bus);
}
