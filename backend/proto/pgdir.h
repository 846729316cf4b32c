/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page directories: the chain of guest pages that lists the grants of a
 * buffer. The walk does no I/O: the caller maps the page it is told, hands
 * it in, unmaps it, asks for the next.
 *
 *	ret = xd_pgdir_init(&dir, first, nr_pages, XD_PGDIR_GREFS);
 *	while (!ret && xd_pgdir_next(&dir, &gref)) {
 *		page = map(gref);
 *		ret = page ? xd_pgdir_feed(&dir, page) : -EFAULT;
 *		unmap(page);
 *	}
 *	if (!ret)
 *		ret = xd_pgdir_check(&dir);
 *	... dir.grefs[0 .. dir.nr_pages) ...
 *	xd_pgdir_finish(&dir);
 *
 * It ends after ceil(nr_pages / XD_GREFS_PER_PAGE) pages whatever the guest
 * wrote. Every page is read once.
 */
#ifndef XD_PROTO_PGDIR_H
#define XD_PROTO_PGDIR_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/abi.h"

enum xd_pgdir_kind {
	XD_PGDIR_GREFS,		/* the guest listed its grants */
	XD_PGDIR_CHAIN,		/* only the chain is there, we shall fill it */
};

/**
 * struct xd_pgdir - a walk over a directory
 * @kind:	what is in it
 * @nr_pages:	data pages of the buffer
 * @nr_dir_pages: directory pages it must have
 * @grefs:	@nr_pages references, in order; all zero for XD_PGDIR_CHAIN
 * @dir_grefs:	@nr_dir_pages references of the directory itself, in order
 *
 * The rest is private.
 */
struct xd_pgdir {
	enum xd_pgdir_kind kind;
	uint32_t nr_pages;
	uint32_t nr_dir_pages;
	uint32_t *grefs;
	uint32_t *dir_grefs;
	uint32_t next;
	uint32_t nr_fed;
};

/* Directory pages for a buffer of @nr_pages pages. */
uint32_t xd_pgdir_size(uint32_t nr_pages);

/**
 * xd_pgdir_init() - begin a walk
 * @first:	gref_directory of the request
 * @nr_pages:	data pages, not 0
 *
 * Return: 0, -EINVAL when @first or @nr_pages is 0, -ENOMEM. xd_pgdir_finish()
 * may be called in each case.
 */
int xd_pgdir_init(struct xd_pgdir *dir, uint32_t first, uint32_t nr_pages,
		  enum xd_pgdir_kind kind);

/* The page to feed next; false when the directory is complete. */
bool xd_pgdir_next(const struct xd_pgdir *dir, uint32_t *ret_gref);

/**
 * xd_pgdir_feed() - take one directory page
 * @shared:	the page, XD_PAGE_SIZE bytes, may change under us; it is read
 *		once and checked in the copy
 *
 * Return: 0, or -EINVAL: the chain is too short, too long or runs in a circle,
 * or a reference is 0.
 */
int xd_pgdir_feed(struct xd_pgdir *dir, const void *shared);

/**
 * xd_pgdir_check() - the last word on a complete walk
 * Return: 0, -EINVAL when it is not complete or any page, of the buffer or of
 * the directory, is listed twice, -ENOMEM.
 */
int xd_pgdir_check(const struct xd_pgdir *dir);

/* Take @grefs out; the caller frees them with free(). */
uint32_t *xd_pgdir_steal_grefs(struct xd_pgdir *dir);

void xd_pgdir_finish(struct xd_pgdir *dir);

#endif /* XD_PROTO_PGDIR_H */
