// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Memory lent to the backend: grants, counted in Xen pages, and the page
 * directory that lists them (displif.h, struct xendispl_page_directory).
 *
 * A grant may still be in use by the backend when we end it. Then the page it
 * covers must not return to the allocator, so each such grant takes a reference
 * on its page along; the core drops it when the backend lets go. Contiguous memory
 * can only go back as a whole: its grants are kept here, with a reference on the
 * block, and tried again until none is in use.
 */

#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "xen_drm.h"

/* gnttab_alloc_grant_references() counts in u16. */
#define XEN_DRM_GRANT_BATCH	16384

/* Entries per frame of the grant table: version 1, which Linux prefers. */
#define XEN_DRM_GRANTS_PER_FRAME \
	(XEN_PAGE_SIZE / sizeof(struct grant_entry_v1))

/* References for so many of Xen's pages, and for the directory that has them. */
static unsigned int xen_drm_grants_for(unsigned int xen_pages)
{
	return xen_pages + DIV_ROUND_UP(xen_pages, XEN_DRM_DIR_REFS);
}

/**
 * xen_drm_grants_needed - grants that a range takes, its directory included
 * @num_pages: pages of the range, PAGE_SIZE each
 *
 * Context: any.
 * Return: references, one for each Xen page.
 */
unsigned int xen_drm_grants_needed(unsigned int num_pages)
{
	return xen_drm_grants_for(num_pages * XEN_PFN_PER_PAGE);
}

/**
 * xen_drm_grants_limit - grants a guest can have, all drivers together
 *
 * Context: any.
 * Return: references.
 */
unsigned int xen_drm_grants_limit(void)
{
	return gnttab_max_grant_frames() * XEN_DRM_GRANTS_PER_FRAME;
}

#define XEN_DRM_KEEP_MS		1000	/* between two tries to end a grant */

/* Grants of a block that the backend still used when they were to end. */
struct xen_drm_kept {
	struct list_head entry;
	struct xen_drm_block *block;
	unsigned int num;
	grant_ref_t refs[];
};

static void xen_drm_kept_work(struct work_struct *work);

static LIST_HEAD(xen_drm_kept_list);
static DEFINE_MUTEX(xen_drm_kept_lock);	/* protects the list */
static DECLARE_DELAYED_WORK(xen_drm_kept_retry, xen_drm_kept_work);

/**
 * xen_drm_block_alloc - get physically contiguous memory, zeroed
 * @dev: for which
 * @size: bytes, whole pages
 *
 * Context: process.
 * Return: the block, with a reference, or NULL.
 */
struct xen_drm_block *xen_drm_block_alloc(struct device *dev, size_t size)
{
	struct xen_drm_block *block = kzalloc(sizeof(*block), GFP_KERNEL);

	if (!block)
		return NULL;
	kref_init(&block->ref);
	block->size = size;
	block->vaddr = dma_alloc_coherent(dev, size, &block->dma,
					  GFP_KERNEL | __GFP_NOWARN);
	if (!block->vaddr) {
		kfree(block);
		return NULL;
	}
	block->dev = get_device(dev);
	return block;
}

static void xen_drm_block_free(struct kref *ref)
{
	struct xen_drm_block *block = container_of(ref, struct xen_drm_block,
						   ref);

	dma_free_coherent(block->dev, block->size, block->vaddr, block->dma);
	put_device(block->dev);
	kfree(block);
}

/**
 * xen_drm_block_put - drop a reference
 * @block: the block
 *
 * Context: process.
 */
void xen_drm_block_put(struct xen_drm_block *block)
{
	kref_put(&block->ref, xen_drm_block_free);
}

/* Ends what can be ended of @refs, moves the others to its front. */
static unsigned int xen_drm_grants_try_end(grant_ref_t *refs, unsigned int num)
{
	unsigned int i, busy = 0;

	for (i = 0; i < num; i++)
		if (!gnttab_try_end_foreign_access(refs[i]))
			refs[busy++] = refs[i];
	return busy;
}

/* The core ends them some day; the block is lost. */
static void xen_drm_block_lose(const grant_ref_t *refs, unsigned int num)
{
	while (num)
		gnttab_end_foreign_access(refs[--num], NULL);
}

static void xen_drm_kept_work(struct work_struct *work)
{
	struct xen_drm_kept *kept, *next;

	mutex_lock(&xen_drm_kept_lock);
	list_for_each_entry_safe(kept, next, &xen_drm_kept_list, entry) {
		kept->num = xen_drm_grants_try_end(kept->refs, kept->num);
		if (kept->num)
			continue;
		list_del(&kept->entry);
		xen_drm_block_put(kept->block);
		kvfree(kept);
	}
	if (!list_empty(&xen_drm_kept_list))
		schedule_delayed_work(&xen_drm_kept_retry,
				      msecs_to_jiffies(XEN_DRM_KEEP_MS));
	mutex_unlock(&xen_drm_kept_lock);
}

/* Ends the grants of a block, those in use when the backend lets go. */
static void xen_drm_block_end(struct xen_drm_block *block, grant_ref_t *refs,
			      unsigned int num)
{
	unsigned int busy = xen_drm_grants_try_end(refs, num);
	struct xen_drm_kept *kept;

	if (!busy)
		return;
	kref_get(&block->ref);
	kept = kvmalloc(struct_size(kept, refs, busy), GFP_KERNEL);
	if (!kept) {
		xen_drm_block_lose(refs, busy);
		return;
	}
	kept->block = block;
	kept->num = busy;
	memcpy(kept->refs, refs, array_size(busy, sizeof(*refs)));
	mutex_lock(&xen_drm_kept_lock);
	list_add(&kept->entry, &xen_drm_kept_list);
	schedule_delayed_work(&xen_drm_kept_retry,
			      msecs_to_jiffies(XEN_DRM_KEEP_MS));
	mutex_unlock(&xen_drm_kept_lock);
}

/**
 * xen_drm_blocks_fini - the module goes: what a backend still uses is lost
 *
 * Context: process; no device is left.
 */
void xen_drm_blocks_fini(void)
{
	struct xen_drm_kept *kept, *next;

	cancel_delayed_work_sync(&xen_drm_kept_retry);
	list_for_each_entry_safe(kept, next, &xen_drm_kept_list, entry) {
		kept->num = xen_drm_grants_try_end(kept->refs, kept->num);
		if (kept->num)
			xen_drm_block_lose(kept->refs, kept->num);
		else
			xen_drm_block_put(kept->block);
		kvfree(kept);
	}
}

/* Ends one grant; the page stays until the backend lets go of it. */
static void xen_drm_grant_end_one(grant_ref_t ref, struct page *page)
{
	if (gnttab_try_end_foreign_access(ref))
		return;
	get_page(page);
	gnttab_end_foreign_access(ref, page);
}

/* Makes sure that @reserve grants are left for other drivers. */
static int xen_drm_grants_check_reserve(unsigned int reserve)
{
	grant_ref_t head;
	int ret;

	if (!reserve)
		return 0;
	ret = gnttab_alloc_grant_references(reserve, &head);
	if (!ret)
		gnttab_free_grant_references(head);
	return ret;
}

/* Claims @num references into @refs, nothing granted yet. All or none. */
static int xen_drm_grants_claim(grant_ref_t *refs, unsigned int num)
{
	unsigned int done = 0;

	while (done < num) {
		u16 batch = min_t(unsigned int, num - done,
				  XEN_DRM_GRANT_BATCH);
		grant_ref_t head;
		u16 i;

		if (gnttab_alloc_grant_references(batch, &head))
			goto err;
		for (i = 0; i < batch; i++)
			refs[done++] = gnttab_claim_grant_reference(&head);
	}
	return 0;

err:
	while (done)
		gnttab_free_grant_reference(refs[--done]);
	return -ENOSPC;
}

static int xen_drm_grants_alloc(struct xen_drm_grants *grants,
				unsigned int num)
{
	unsigned int num_dir = DIV_ROUND_UP(num, XEN_DRM_DIR_REFS);

	grants->refs = kvmalloc_array(num, sizeof(*grants->refs), GFP_KERNEL);
	grants->dirs = kvcalloc(num_dir, sizeof(*grants->dirs), GFP_KERNEL);
	grants->dir_refs = kvmalloc_array(num_dir, sizeof(*grants->dir_refs),
					  GFP_KERNEL);
	if (!grants->refs || !grants->dirs || !grants->dir_refs)
		return -ENOMEM;
	for (; grants->num_dir < num_dir; grants->num_dir++) {
		/* A whole page each: what is granted is shared to its end. */
		grants->dirs[grants->num_dir] =
			alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!grants->dirs[grants->num_dir])
			return -ENOMEM;
	}
	return 0;
}

static void xen_drm_grants_free(struct xen_drm_grants *grants)
{
	unsigned int i;

	for (i = 0; i < grants->num_dir; i++)
		__free_page(grants->dirs[i]);
	kvfree(grants->refs);
	kvfree(grants->dirs);
	kvfree(grants->dir_refs);
	memset(grants, 0, sizeof(*grants));
}

/* Claims everything or nothing, and leaves the reserve. */
static int xen_drm_grants_claim_all(struct xen_drm_grants *grants,
				    struct xen_drm_grant_acct *acct,
				    unsigned int num)
{
	int ret = xen_drm_grants_claim(grants->dir_refs, grants->num_dir);
	unsigned int i;

	if (ret)
		return ret;
	if (num)
		ret = xen_drm_grants_claim(grants->refs, num);
	if (ret)
		goto err_dir;
	ret = xen_drm_grants_check_reserve(acct->reserve);
	if (ret)
		goto err_refs;
	atomic_add(grants->num_dir + num, &acct->used);
	return 0;

err_refs:
	for (i = 0; i < num; i++)
		gnttab_free_grant_reference(grants->refs[i]);
err_dir:
	for (i = 0; i < grants->num_dir; i++)
		gnttab_free_grant_reference(grants->dir_refs[i]);
	return ret;
}

/* Chains the directory's pages and fills them with @grants->refs. */
static void xen_drm_grants_fill_dir(struct xen_drm_grants *grants,
				    unsigned int num)
{
	unsigned int i, done = 0;

	for (i = 0; i < grants->num_dir; i++) {
		struct xendispl_page_directory *dir =
			page_address(grants->dirs[i]);
		unsigned int batch = min_t(unsigned int, num - done,
					   XEN_DRM_DIR_REFS);

		dir->gref_dir_next_page = i + 1 < grants->num_dir ?
			grants->dir_refs[i + 1] : 0;
		memcpy(dir->gref, grants->refs + done,
		       batch * sizeof(grant_ref_t));
		done += batch;
	}
}

static void xen_drm_grants_grant(struct xen_drm_grants *grants,
				 struct page **pages, bool readonly)
{
	unsigned int i;

	for (i = 0; i < grants->num; i++) {
		unsigned long pfn =
			page_to_xen_pfn(pages[i / XEN_PFN_PER_PAGE]) +
			i % XEN_PFN_PER_PAGE;

		gnttab_grant_foreign_access_ref(grants->refs[i], grants->domid,
						pfn_to_gfn(pfn), readonly);
	}
}

static void xen_drm_grants_grant_dir(struct xen_drm_grants *grants,
				     bool readonly)
{
	unsigned int i;

	for (i = 0; i < grants->num_dir; i++)
		gnttab_grant_foreign_access_ref(grants->dir_refs[i],
						grants->domid,
						xen_page_to_gfn(grants->dirs[i]),
						readonly);
}

/**
 * xen_drm_grants_take - lend a range of pages to the backend
 * @grants: empty; filled on success
 * @acct: where to count
 * @domid: the backend's domain
 * @pages: the pages; must stay until xen_drm_grants_end()
 * @size: of the range, bytes, at least one: what the wire says, which need not be
 *	whole pages of ours
 * @readonly: the backend must not write to @pages; it never may to the directory
 *
 * Context: process.
 * Return: 0, -ENOMEM, or -ENOSPC when the guest is short of grants.
 */
int xen_drm_grants_take(struct xen_drm_grants *grants,
			struct xen_drm_grant_acct *acct, domid_t domid,
			struct page **pages, size_t size, bool readonly)
{
	unsigned int num = XEN_PFN_UP(size);
	int ret;

	ret = xen_drm_grants_alloc(grants, num);
	if (!ret)
		ret = xen_drm_grants_claim_all(grants, acct, num);
	if (ret) {
		xen_drm_grants_free(grants);
		return ret;
	}
	grants->domid = domid;
	grants->num = num;
	xen_drm_grants_grant(grants, pages, readonly);
	xen_drm_grants_fill_dir(grants, num);
	/*
	 * displ_be maps whatever it maps writable and fails on a read-only
	 * directory; what it writes there only it reads.
	 */
	xen_drm_grants_grant_dir(grants, readonly);
	return 0;
}

/**
 * xen_drm_grants_take_dir - lend an empty directory, for the backend to fill
 * @grants: empty; filled on success
 * @acct: where to count
 * @domid: the backend's domain
 * @num_refs: references the directory has room for
 *
 * Context: process.
 * Return: as xen_drm_grants_take().
 */
int xen_drm_grants_take_dir(struct xen_drm_grants *grants,
			    struct xen_drm_grant_acct *acct, domid_t domid,
			    unsigned int num_refs)
{
	int ret;

	ret = xen_drm_grants_alloc(grants, num_refs);
	if (!ret)
		ret = xen_drm_grants_claim_all(grants, acct, 0);
	if (ret) {
		xen_drm_grants_free(grants);
		return ret;
	}
	grants->domid = domid;
	xen_drm_grants_fill_dir(grants, 0);
	xen_drm_grants_grant_dir(grants, false);
	return 0;
}

/**
 * xen_drm_grants_end - stop lending; empty grants are fine
 * @grants: emptied
 * @acct: where to count
 * @pages: those given to xen_drm_grants_take()
 *
 * Context: process. What the backend still uses is ended later by the core.
 */
void xen_drm_grants_end(struct xen_drm_grants *grants,
			struct xen_drm_grant_acct *acct, struct page **pages)
{
	unsigned int i;

	if (!grants->refs)
		return;
	if (grants->block)
		xen_drm_block_end(grants->block, grants->refs, grants->num);
	else
		for (i = 0; i < grants->num; i++)
			xen_drm_grant_end_one(grants->refs[i],
					      pages[i / XEN_PFN_PER_PAGE]);
	for (i = 0; i < grants->num_dir; i++)
		xen_drm_grant_end_one(grants->dir_refs[i], grants->dirs[i]);
	atomic_sub(grants->num + grants->num_dir, &acct->used);
	xen_drm_grants_free(grants);
}

/**
 * xen_drm_grants_dir - reference of the directory's first page
 * @grants: not empty
 *
 * Context: any.
 * Return: the reference that goes on the wire.
 */
grant_ref_t xen_drm_grants_dir(const struct xen_drm_grants *grants)
{
	return grants->dir_refs[0];
}
