/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Memory: pages, grants of them, and grants of the backend mapped into them. Knows
 * no DRM object.
 */

#ifndef XEN_DRM_MEM_H
#define XEN_DRM_MEM_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/rwsem.h>

#include <xen/grant_table.h>
#include <xen/page.h>

struct address_space;
struct device;
struct sg_table;
struct xen_drm_damage;

/* xen_drm_grant.c: memory lent to the backend */

/**
 * struct xen_drm_block - memory that has to go back in one piece
 * @ref: users: its buffer, and grants of it that the backend still uses
 * @dev: it was allocated for
 * @size: bytes
 * @vaddr: where it is
 * @dma: its bus address
 */
struct xen_drm_block {
	struct kref ref;
	struct device *dev;
	size_t size;
	void *vaddr;
	dma_addr_t dma;
};

/**
 * struct xen_drm_grants - grants of a range of pages, and their directory
 * @domid: to whom
 * @num: grants in @refs
 * @refs: one per Xen page of the range
 * @num_dir: pages of the directory
 * @dirs: the directory's pages
 * @dir_refs: their grants
 * @block: what the pages are part of; NULL: each is freed by itself
 *
 * Zero-initialised means "nothing granted".
 */
struct xen_drm_grants {
	domid_t domid;
	unsigned int num;
	grant_ref_t *refs;
	unsigned int num_dir;
	struct page **dirs;
	grant_ref_t *dir_refs;
	struct xen_drm_block *block;
};

/**
 * struct xen_drm_grant_acct - how many grants a device holds
 * @used: grants held, directories included
 * @reserve: free grants that must stay for others
 */
struct xen_drm_grant_acct {
	atomic_t used;
	unsigned int reserve;
};

/* gnttab_alloc_grant_references() counts in u16. */
#define XEN_DRM_GRANT_RESERVE_MAX	((unsigned int)U16_MAX)

int xen_drm_grants_take(struct xen_drm_grants *grants,
			struct xen_drm_grant_acct *acct, domid_t domid,
			struct page **pages, size_t size, bool readonly);
int xen_drm_grants_take_dir(struct xen_drm_grants *grants,
			    struct xen_drm_grant_acct *acct, domid_t domid,
			    unsigned int num_refs);
void xen_drm_grants_end(struct xen_drm_grants *grants,
			struct xen_drm_grant_acct *acct, struct page **pages);
grant_ref_t xen_drm_grants_dir(const struct xen_drm_grants *grants);
unsigned int xen_drm_grants_needed(unsigned int num_pages);
unsigned int xen_drm_grants_limit(void);
struct xen_drm_block *xen_drm_block_alloc(struct device *dev, size_t size);
void xen_drm_block_put(struct xen_drm_block *block);
void xen_drm_blocks_fini(void);

/* xen_drm_mem.c: where the pages of a buffer come from */

enum xen_drm_mem_kind {
	XEN_DRM_MEM_SCATTERED,	/* any pages */
	XEN_DRM_MEM_CONTIG,	/* one physically contiguous block */
	XEN_DRM_MEM_BACKEND,	/* the backend's pages, mapped into ours */
	XEN_DRM_MEM_IMPORT,	/* another driver's, by PRIME */
};

/**
 * struct xen_drm_mem - pages of a buffer
 * @kind: where they come from
 * @pages: all of them, in order
 * @num_pages: how many
 * @block: the contiguous block
 * @vaddr: where all of it was mapped first; NULL: not yet
 * @shadow: XEN_DRM_MEM_BACKEND: @pages are memory of ours, which only
 *	xen_drm_map_fill() brings to the backend
 * @frames: where the backend's pages get mapped: @pages, or with @shadow empty
 *	frames beside them; NULL: not there yet
 * @maps: handles of the backend's grants, one per page
 * @lock: protects the rest; clients' faults and copies read it.
 *	XEN_DRM_MEM_BACKEND
 * @mapped: the backend's grants are mapped into @frames
 * @saved: what clients see while they are not; NULL: nothing yet. Not with
 *	@shadow
 *
 * Everybody but the backend sees @pages, unless xen_drm_mem_moves().
 */
struct xen_drm_mem {
	enum xen_drm_mem_kind kind;
	struct page **pages;
	unsigned int num_pages;
	struct xen_drm_block *block;
	void *vaddr;
	bool shadow;
	struct page **frames;
	grant_handle_t *maps;
	struct rw_semaphore lock;	/* see above */
	bool mapped;
	struct page **saved;
};

/**
 * struct xen_drm_layout - where a framebuffer is in its buffer
 * @offset: of its first pixel, bytes
 * @stride: from a line to the next, bytes
 * @cpp: bytes per pixel
 * @width: pixels, fits u16
 * @height: lines, fits u16
 */
struct xen_drm_layout {
	u32 offset;
	u32 stride;
	u32 cpp;
	u32 width;
	u32 height;
};

/* Do clients see other pages while no backend is there, xen_drm_map_lock()'s? */
static inline bool xen_drm_mem_moves(const struct xen_drm_mem *mem)
{
	return mem->kind == XEN_DRM_MEM_BACKEND && !mem->shadow;
}

int xen_drm_mem_alloc(struct xen_drm_mem *mem, struct device *dev,
		      enum xen_drm_mem_kind kind, size_t size);
int xen_drm_mem_import(struct xen_drm_mem *mem, struct device *dev,
		       struct sg_table *sgt, size_t size);
int xen_drm_pages_get(struct page **pages, unsigned int num);
void xen_drm_pages_put(struct page **pages, unsigned int num);
void *xen_drm_mem_vmap(struct xen_drm_mem *mem);
void xen_drm_mem_vunmap(struct xen_drm_mem *mem, void *vaddr);
void xen_drm_mem_zero(struct xen_drm_mem *mem);
void xen_drm_mem_free(struct xen_drm_mem *mem);

/* xen_drm_map.c: memory of the backend */

int xen_drm_map_alloc(struct xen_drm_mem *mem);
void xen_drm_map_free(struct xen_drm_mem *mem);
int xen_drm_map(struct xen_drm_mem *mem, domid_t domid,
		const struct xen_drm_grants *grants,
		struct address_space *clients);
void xen_drm_map_save(struct xen_drm_mem *mem, struct address_space *clients,
		      bool now);
void xen_drm_map_end(struct xen_drm_mem *mem);
u64 xen_drm_map_fill(struct xen_drm_mem *mem,
		     const struct xen_drm_layout *layout,
		     const struct xen_drm_damage *damage);
struct page **xen_drm_map_lock(struct xen_drm_mem *mem);
void xen_drm_map_unlock(struct xen_drm_mem *mem);

/* xen_drm_copy.c */

u64 xen_drm_copy(struct page **to, struct page **from, unsigned int num_pages,
		 const struct xen_drm_layout *layout,
		 const struct xen_drm_damage *damage);

#endif
