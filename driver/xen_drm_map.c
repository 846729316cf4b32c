// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Memory of the backend (be-alloc): its grants, mapped into empty frames of ours.
 *
 * The frames stay the same while backends come and go. Between two backends, and
 * while the domain is saved, nothing of a backend is mapped.
 *
 * Where the hypervisor translates addresses, clients have the frames themselves.
 * What a buffer held when its backend went is saved in ordinary pages, which
 * clients see and write to instead. Mappings of the kernel and of importers show
 * the frames: what they write in that time is lost.
 *
 * A PV guest cannot map a foreign frame a second time, into a client. There
 * everybody has ordinary pages, a shadow, always, and what is to be shown is copied
 * from it into the frames.
 */

#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include <xen/balloon.h>
#include <xen/features.h>

#include "xen_drm.h"

#define XEN_DRM_UNMAP_BATCH	16	/* operations, on the stack */

/* @frames are there or NULL: gnttab_free_pages() must not see half of them. */
static int xen_drm_map_alloc_frames(struct xen_drm_mem *mem)
{
	struct page **frames = mem->pages;
	int ret;

	if (mem->shadow)
		frames = kvcalloc(mem->num_pages, sizeof(*frames), GFP_KERNEL);
	if (!frames)
		return -ENOMEM;
	ret = gnttab_alloc_pages(mem->num_pages, frames);
	if (!ret)
		mem->frames = frames;
	else if (mem->shadow)
		kvfree(frames);
	return ret;
}

/**
 * xen_drm_map_alloc - get empty frames, and pages for clients if they need them
 * @mem: of XEN_DRM_MEM_BACKEND, with room in @pages
 *
 * Context: process; a shadow is charged to it.
 * Return: 0 or -errno, free it then too.
 */
int xen_drm_map_alloc(struct xen_drm_mem *mem)
{
	unsigned int i;
	int ret;

	init_rwsem(&mem->lock);
	mem->shadow = !xen_feature(XENFEAT_auto_translated_physmap);
	mem->maps = kvmalloc_array(mem->num_pages, sizeof(*mem->maps),
				   GFP_KERNEL);
	if (!mem->maps)
		return -ENOMEM;
	for (i = 0; i < mem->num_pages; i++)
		mem->maps[i] = INVALID_GRANT_HANDLE;
	ret = xen_drm_map_alloc_frames(mem);
	if (!ret && mem->shadow)
		ret = xen_drm_pages_get(mem->pages, mem->num_pages);
	return ret;
}

static void xen_drm_map_free_saved(struct xen_drm_mem *mem)
{
	if (mem->saved)
		xen_drm_pages_put(mem->saved, mem->num_pages);
	kvfree(mem->saved);
	mem->saved = NULL;
}

static int xen_drm_map_alloc_saved(struct xen_drm_mem *mem)
{
	int ret;

	lockdep_assert_held_write(&mem->lock);

	mem->saved = kvcalloc(mem->num_pages, sizeof(*mem->saved), GFP_KERNEL);
	if (!mem->saved)
		return -ENOMEM;
	ret = xen_drm_pages_get(mem->saved, mem->num_pages);
	if (ret)
		xen_drm_map_free_saved(mem);
	return ret;
}

/* Clients fault again, and wait for the lock. */
static void xen_drm_map_zap(struct xen_drm_mem *mem,
			    struct address_space *clients)
{
	unmap_mapping_range(clients, 0, (loff_t)mem->num_pages << PAGE_SHIFT,
			    1);
}

static void xen_drm_map_unmap(struct xen_drm_mem *mem)
{
	struct gnttab_unmap_grant_ref ops[XEN_DRM_UNMAP_BATCH];
	unsigned int i, num;

	for (i = 0; i < mem->num_pages; i += num) {
		for (num = 0; i + num < mem->num_pages &&
		     num < XEN_DRM_UNMAP_BATCH; num++) {
			grant_handle_t *map = &mem->maps[i + num];
			void *addr = page_address(mem->frames[i + num]);

			if (*map == INVALID_GRANT_HANDLE)
				break;
			gnttab_set_unmap_op(&ops[num], (unsigned long)addr,
					    GNTMAP_host_map, *map);
			*map = INVALID_GRANT_HANDLE;
		}
		if (num)
			gnttab_unmap_refs(ops, NULL, &mem->frames[i], num);
		else
			num = 1;	/* not mapped: pass over it */
	}
	mem->mapped = false;
}

/* From now on clients see ordinary pages, with the same in them. */
static int xen_drm_map_keep(struct xen_drm_mem *mem,
			    struct address_space *clients)
{
	unsigned int i;
	int ret;

	ret = xen_drm_map_alloc_saved(mem);
	if (ret)
		return ret;
	xen_drm_map_zap(mem, clients);
	for (i = 0; i < mem->num_pages; i++)
		copy_highpage(mem->saved[i], mem->frames[i]);
	return 0;
}

/* The other way round. */
static void xen_drm_map_bring(struct xen_drm_mem *mem,
			      struct address_space *clients)
{
	unsigned int i;

	xen_drm_map_zap(mem, clients);
	for (i = 0; mem->saved && i < mem->num_pages; i++)
		copy_highpage(mem->frames[i], mem->saved[i]);
	xen_drm_map_free_saved(mem);
}

/* What is mapped goes into ordinary pages; if it cannot, it stays. */
static int xen_drm_map_save_locked(struct xen_drm_mem *mem,
				   struct address_space *clients)
{
	int ret = 0;

	if (!mem->mapped)
		return 0;
	if (!mem->shadow)
		ret = xen_drm_map_keep(mem, clients);
	if (!ret)
		xen_drm_map_unmap(mem);
	return ret;
}

/**
 * xen_drm_map_save - keep what a buffer holds, give the backend's pages back
 * @mem: of XEN_DRM_MEM_BACKEND; unmapped is fine
 * @clients: where clients map it
 * @now: even if it cannot be kept
 *
 * Context: process.
 */
void xen_drm_map_save(struct xen_drm_mem *mem, struct address_space *clients,
		      bool now)
{
	down_write(&mem->lock);
	if (xen_drm_map_save_locked(mem, clients) && now) {
		xen_drm_map_zap(mem, clients);
		xen_drm_map_unmap(mem);
	}
	up_write(&mem->lock);
}

/* Copies @refs out of the directory pages, once, as the backend may write. */
static void xen_drm_map_read_dir(const struct xen_drm_grants *grants,
				 grant_ref_t *refs, unsigned int num)
{
	unsigned int i, done = 0;

	for (i = 0; i < grants->num_dir; i++) {
		const struct xendispl_page_directory *dir =
			page_address(grants->dirs[i]);
		unsigned int batch = min_t(unsigned int, num - done,
					   XEN_DRM_DIR_REFS);

		memcpy(refs + done, dir->gref, batch * sizeof(*refs));
		done += batch;
	}
}

static int xen_drm_map_compare(const void *a, const void *b)
{
	const grant_ref_t *one = a, *other = b;

	return *one < *other ? -1 : *one > *other;
}

/* protocol.md: a zero or repeated reference is an error. Sorts @refs. */
static int xen_drm_map_check(grant_ref_t *refs, unsigned int num)
{
	unsigned int i;

	sort(refs, num, sizeof(*refs), xen_drm_map_compare, NULL);
	if (!refs[0])
		return -EIO;
	for (i = 1; i < num; i++)
		if (refs[i] == refs[i - 1])
			return -EIO;
	return 0;
}

static int xen_drm_map_run(struct xen_drm_mem *mem, domid_t domid,
			   const grant_ref_t *refs,
			   struct gnttab_map_grant_ref *ops)
{
	unsigned int i;
	int ret;

	for (i = 0; i < mem->num_pages; i++)
		gnttab_set_map_op(&ops[i],
				  (unsigned long)page_address(mem->frames[i]),
				  GNTMAP_host_map, refs[i], domid);
	ret = gnttab_map_refs(ops, NULL, mem->frames, mem->num_pages);
	for (i = 0; i < mem->num_pages; i++) {
		if (ops[i].status == GNTST_okay)
			mem->maps[i] = ops[i].handle;
		else if (!ret)
			ret = -EIO;
	}
	return ret;
}

static int xen_drm_map_grants(struct xen_drm_mem *mem, domid_t domid,
			      const struct xen_drm_grants *grants)
{
	struct gnttab_map_grant_ref *ops;
	grant_ref_t *refs, *sorted;
	int ret = -ENOMEM;

	ops = kvcalloc(mem->num_pages, sizeof(*ops), GFP_KERNEL);
	refs = kvcalloc(mem->num_pages, sizeof(*refs), GFP_KERNEL);
	sorted = kvcalloc(mem->num_pages, sizeof(*refs), GFP_KERNEL);
	if (ops && refs && sorted) {
		xen_drm_map_read_dir(grants, refs, mem->num_pages);
		memcpy(sorted, refs, array_size(mem->num_pages, sizeof(*refs)));
		ret = xen_drm_map_check(sorted, mem->num_pages);
		if (!ret)
			ret = xen_drm_map_run(mem, domid, refs, ops);
		if (ret)
			xen_drm_map_unmap(mem);
	}
	kvfree(sorted);
	kvfree(refs);
	kvfree(ops);
	return ret;
}

/**
 * xen_drm_map - map the backend's grants, with what the buffer held before
 *	(a shadow: with nothing of it)
 * @mem: of XEN_DRM_MEM_BACKEND
 * @domid: the backend's domain
 * @grants: the directory it filled
 * @clients: where clients map it
 *
 * Only where a page is a Xen page: grants map whole pages.
 *
 * Context: process.
 * Return: 0 or -errno; what the buffer held is kept then too.
 */
int xen_drm_map(struct xen_drm_mem *mem, domid_t domid,
		const struct xen_drm_grants *grants,
		struct address_space *clients)
{
	int ret;

	if (XEN_PFN_PER_PAGE != 1)
		return -EOPNOTSUPP;
	down_write(&mem->lock);
	/* of a backend that went while this was on its way to it */
	ret = xen_drm_map_save_locked(mem, clients);
	if (!ret)
		ret = xen_drm_map_grants(mem, domid, grants);
	if (!ret) {
		mem->mapped = true;
		if (!mem->shadow)
			xen_drm_map_bring(mem, clients);
	}
	up_write(&mem->lock);
	return ret;
}

/**
 * xen_drm_map_end - give the backend's pages back, no client maps them
 * @mem: of XEN_DRM_MEM_BACKEND; unmapped is fine
 *
 * Context: process.
 */
void xen_drm_map_end(struct xen_drm_mem *mem)
{
	down_write(&mem->lock);
	xen_drm_map_unmap(mem);
	up_write(&mem->lock);
}

/**
 * xen_drm_map_fill - bring what is to be shown to the backend's pages
 * @mem: of any kind; there is something to do with a shadow only
 * @layout: what is shown
 * @damage: the parts of it that the backend does not have; NULL or none: all
 *
 * Without a backend there is nothing to do either: what the next one is to show
 * it gets all of.
 *
 * Context: process, without a lock that interrupts take: it may be long.
 * Return: bytes copied.
 */
u64 xen_drm_map_fill(struct xen_drm_mem *mem,
		     const struct xen_drm_layout *layout,
		     const struct xen_drm_damage *damage)
{
	u64 copied = 0;

	if (!mem->shadow)
		return 0;
	down_read(&mem->lock);
	if (mem->mapped)
		copied = xen_drm_copy(mem->frames, mem->pages, mem->num_pages,
				      layout, damage);
	up_read(&mem->lock);
	return copied;
}

/**
 * xen_drm_map_free - free frames, and what clients see beside them
 * @mem: of XEN_DRM_MEM_BACKEND, complete or half-made
 *
 * Context: process.
 */
void xen_drm_map_free(struct xen_drm_mem *mem)
{
	if (mem->frames) {
		xen_drm_map_end(mem);
		gnttab_free_pages(mem->num_pages, mem->frames);
	}
	if (mem->shadow) {
		xen_drm_pages_put(mem->pages, mem->num_pages);
		kvfree(mem->frames);
	}
	xen_drm_map_free_saved(mem);
	kvfree(mem->maps);
}

/**
 * xen_drm_map_lock - find the pages that a client is to see now
 * @mem: one that xen_drm_mem_moves()
 *
 * Context: process; xen_drm_map_unlock() in any case.
 * Return: the pages, which stay until then; NULL without memory.
 */
struct page **xen_drm_map_lock(struct xen_drm_mem *mem)
{
	down_read(&mem->lock);
	if (!mem->mapped && !mem->saved) {
		/* made without a backend, or lost */
		up_read(&mem->lock);
		down_write(&mem->lock);
		if (!mem->mapped && !mem->saved)
			xen_drm_map_alloc_saved(mem);
		downgrade_write(&mem->lock);
	}
	return mem->mapped ? mem->pages : mem->saved;
}

/**
 * xen_drm_map_unlock - after xen_drm_map_lock()
 * @mem: as there
 */
void xen_drm_map_unlock(struct xen_drm_mem *mem)
{
	up_read(&mem->lock);
}
