/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that the daemon needs of Xen, in two parts, so that it also runs without:
 * the store, which only the supervisor has, and the bus (grants and event
 * channels), which only workers have. libxen.c has the real ones, tests/fake
 * those in memory.
 *
 * Return values are 0 or -errno unless told otherwise.
 */
#ifndef XD_XEN_PORT_H
#define XD_XEN_PORT_H

#include <stdbool.h>
#include <stdint.h>

struct xd_store;
struct xd_bus;

/* What @next_watch returns. */
enum { XD_WATCH_PATH, XD_WATCH_TOKEN };

/**
 * struct xd_store_ops - XenStore
 * @fd:		readable when @next_watch may have something
 * @read:	the node's text, NUL-terminated, the caller frees it; NULL with
 *		errno set
 * @write:	set a node in a directory that exists: -ENOENT when it does not,
 *		it is not made again after the toolstack removed it
 * @remove:	a directory with all in it, and the one above if it is empty then
 * @list:	names of a directory's children, *ret_num of them, in one block
 *		for the caller to free(); NULL with errno set
 * @watch:	fires at once and on every change at or below @path; @token
 *		comes back with it
 * @unwatch:	with the same arguments
 * @next_watch:	of a watch that fired: what changed, or went with all below it,
 *		and the token, in one block for the caller to free(); NULL when
 *		there is none, with errno EAGAIN, or when one was lost
 * @domain_alive: does the domain exist, not dying? 1, 0 or -errno; 1 where
 *		XenStore does not tell us: then its nodes do
 * @destroy:	frees the store
 *
 * Relative paths are those of the own domain.
 */
struct xd_store_ops {
	int (*fd)(struct xd_store *store);
	char *(*read)(struct xd_store *store, const char *path);
	int (*write)(struct xd_store *store, const char *path,
		     const char *text);
	int (*remove)(struct xd_store *store, const char *path);
	char **(*list)(struct xd_store *store, const char *path,
		       unsigned int *ret_num);
	int (*watch)(struct xd_store *store, const char *path,
		     const char *token);
	int (*unwatch)(struct xd_store *store, const char *path,
		       const char *token);
	char **(*next_watch)(struct xd_store *store);
	int (*domain_alive)(struct xd_store *store, uint32_t domid);
	void (*destroy)(struct xd_store *store);
};

struct xd_store {
	const struct xd_store_ops *ops;
};

/**
 * struct xd_export - pages of a guest as a dma-buf
 * @fd:		-1: there is none
 * @offset:	bytes, to the first page
 * @size:	bytes of the dma-buf, @offset included
 */
struct xd_export {
	int fd;
	uint64_t offset;
	uint64_t size;
};

/**
 * struct xd_bus_ops - grants and event channels
 * @map:	map @num grants of a domain, in order, as one range of pages;
 *		NULL with errno set
 * @unmap:	@addr as @map returned it, the same @num
 * @share:	allocate @num zeroed pages of our own and grant them to a domain,
 *		writable, in order: their address as one range, and their
 *		references; NULL with errno set
 * @unshare:	@addr as @share returned it, the same @num. Pages that the domain
 *		still has mapped are freed when it has not any more
 * @export:	@num grants of a domain, which have to be writable, in order as a
 *		dma-buf: 0, or -errno and in @ret_why a few words for people, which
 *		stay. Whoever is given the descriptor may read and write the pages,
 *		and have them mapped, until he closes it. NULL where grants cannot
 * @unexport:	closes our descriptor of @export
 * @exported:	after that: does somebody else still have it? To be asked until
 *		it is no, which frees what is left
 * @fd:		readable when @pending has something
 * @bind:	a local port for a domain's port: >= 0 or -errno
 * @unbind:	a local port
 * @pending:	a local port that was signalled, now masked: >= 0 or -errno
 * @unmask:	let a local port signal again
 * @notify:	signal the other end of a local port
 * @destroy:	frees the bus, with all that is mapped and bound
 */
struct xd_bus_ops {
	void *(*map)(struct xd_bus *bus, uint32_t domid, const uint32_t *grefs,
		     unsigned int num, bool writable);
	void (*unmap)(struct xd_bus *bus, void *addr, unsigned int num);
	void *(*share)(struct xd_bus *bus, uint32_t domid,
		       unsigned int num, uint32_t *ret_grefs);
	void (*unshare)(struct xd_bus *bus, void *addr, unsigned int num);
	int (*export)(struct xd_bus *bus, uint32_t domid,
		      const uint32_t *grefs, unsigned int num,
		      struct xd_export *ret_export, const char **ret_why);
	void (*unexport)(struct xd_bus *bus, struct xd_export *export);
	bool (*exported)(struct xd_bus *bus, struct xd_export *export);
	int (*fd)(struct xd_bus *bus);
	int (*bind)(struct xd_bus *bus, uint32_t domid, uint32_t port);
	void (*unbind)(struct xd_bus *bus, int port);
	int (*pending)(struct xd_bus *bus);
	void (*unmask)(struct xd_bus *bus, int port);
	void (*notify)(struct xd_bus *bus, int port);
	void (*destroy)(struct xd_bus *bus);
};

struct xd_bus {
	const struct xd_bus_ops *ops;
};

/*
 * The real ones; NULL with errno set. The bus has event channels of guest @domid
 * only, and backend-allocated buffers if it is to @share and the kernel can.
 */
struct xd_store *xd_libxen_store(void);
struct xd_bus *xd_libxen_bus(uint32_t domid, bool share);

/*
 * Lets @share have more than the few MiB that the kernel's module begins with: 0,
 * also where the module is not loaded, or -errno. To be called with rights.
 */
#define XD_SHARE_LIMIT_FILE	"/sys/module/xen_gntalloc/parameters/limit"
int xd_libxen_raise_share_limit(void);

/* Can the real bus export grants? To be asked with rights. */
bool xd_libxen_exports(void);

#endif /* XD_XEN_PORT_H */
