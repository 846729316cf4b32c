/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Xen machine in memory: domains, pages, grants, event channels, XenStore.
 *
 * It lives in memory that is shared over fork(): a test creates it, forks the
 * daemon, which forks its workers, and plays toolstack and guests itself. All
 * functions may be called in each of these processes; what a process held is
 * given back when it dies, however it dies, as a kernel would.
 *
 * Misuse by the test, and running out of the machine's tables, end the process.
 */
#ifndef TESTS_FAKE_FAKE_H
#define TESTS_FAKE_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "xen/port.h"

#define FAKE_PAGE_SIZE	4096u

struct fake;

struct fake *fake_create(void);
void fake_destroy(struct fake *fake);

/* Is this descriptor the machine's? Processes that close others keep it. */
bool fake_owns_fd(const struct fake *fake, int fd);

/*
 * The port, for the daemon, which is in domain 0; or in another, to be told
 * before it starts: XenStore does not tell that one which domains there are.
 */
void fake_set_own_domain(struct fake *fake, uint32_t domid);
uint32_t fake_own_domain(const struct fake *fake);
struct xd_store *fake_store_open(struct fake *fake);
struct xd_bus *fake_bus_open(struct fake *fake);

/*
 * Waits until @cond holds: it is asked at first and after everything that
 * happens on the machine. False after @timeout_ms.
 */
bool fake_wait(struct fake *fake, bool (*cond)(void *ctx), void *ctx,
	       int timeout_ms);

/* Toolstack: XenStore as domain 0's tools see it. Absolute paths. */
void fake_write(struct fake *fake, const char *path, const char *text);
char *fake_read(struct fake *fake, const char *path);	/* free() it; or NULL */
void fake_remove(struct fake *fake, const char *path);	/* with all below */

/* Writes of the daemon below /local/domain/N of others: must stay 0. */
unsigned int fake_foreign_writes(struct fake *fake);

/* How often the daemon has read a node, or written one. */
unsigned int fake_store_reads(struct fake *fake);
unsigned int fake_store_writes(struct fake *fake);

/* xenstored ends, or is there again for who opens a store anew. */
void fake_lose_store(struct fake *fake, bool lost);

/* Stops a process, while it has no lock of the machine. */
void fake_stop(struct fake *fake, pid_t pid);

/* Whether processes of the daemon can open the bus, and how often they tried. */
void fake_refuse_bus(struct fake *fake, bool refuse);
unsigned int fake_bus_tries(struct fake *fake);

/* So many mappings, from now on, fail with @err; gntdev's is EINVAL for any reason. */
void fake_fail_maps(struct fake *fake, unsigned int num, int err);

/* Watches that the daemon has set: for leak checks. */
unsigned int fake_watches(struct fake *fake);

/* Domains. A killed one's grants and ports go; mappings of them stay. */
void fake_domain_create(struct fake *fake, uint32_t domid);
void fake_domain_kill(struct fake *fake, uint32_t domid);
bool fake_domain_exists(struct fake *fake, uint32_t domid);	/* ever */

/* Mappings of this domain's pages that some daemon process still has. */
unsigned int fake_domain_mapped(struct fake *fake, uint32_t domid);
unsigned int fake_domain_mappings_ever(struct fake *fake, uint32_t domid);

/* The process that has mapped something of this domain; 0 when none has. */
pid_t fake_domain_worker(struct fake *fake, uint32_t domid);

/* Guest memory: @num pages in a row, zeroed. */
void *fake_pages_alloc(struct fake *fake, unsigned int num);
void fake_pages_free(struct fake *fake, void *pages, unsigned int num);

/* Grants of a domain. Ending one that is mapped gives -EBUSY. */
uint32_t fake_grant(struct fake *fake, uint32_t domid, void *page,
		    bool writable);
int fake_grant_end(struct fake *fake, uint32_t domid, uint32_t gref);

/* Pages of the daemon that it granted to a domain; NULL when it did not. */
void *fake_foreign_page(struct fake *fake, uint32_t domid, uint32_t gref);

/* How many there are. */
unsigned int fake_foreign_pages(struct fake *fake, uint32_t domid);

/*
 * Grants can be exported as dma-bufs, if they are writable and their pages lie in
 * a row; to be told before the daemon starts. Who has one of those has the pages
 * mapped, as far as the functions above are concerned.
 */
void fake_allow_exports(struct fake *fake);
bool fake_can_export(const struct fake *fake);

/* Event channels, the guest's end; unbound until the daemon binds it. */
uint32_t fake_port_alloc(struct fake *fake, uint32_t domid);
void fake_port_free(struct fake *fake, uint32_t domid, uint32_t port);
void fake_port_notify(struct fake *fake, uint32_t domid, uint32_t port);
bool fake_port_bound(struct fake *fake, uint32_t domid, uint32_t port);

/* How often the daemon has signalled this port. */
unsigned int fake_port_signals(struct fake *fake, uint32_t domid,
			       uint32_t port);

#endif /* TESTS_FAKE_FAKE_H */
