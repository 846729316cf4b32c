// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Memory lent to the backend: grants, counted in Xen pages, and the page
 * directory that lists them (displif.h, struct xendispl_page_directory).
 *
 * A grant may still be in use by the backend when we end it. Then the page it
 * covers must not return to the allocator, so each such grant takes a reference
 * on its page along; the core drops it when the backend lets go.
 */

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
 * @num_pages: how many, at least one
 * @readonly: the backend must not write to @pages; it never may to the directory
 *
 * Context: process.
 * Return: 0, -ENOMEM, or -ENOSPC when the guest is short of grants.
 */
int xen_drm_grants_take(struct xen_drm_grants *grants,
			struct xen_drm_grant_acct *acct, domid_t domid,
			struct page **pages, unsigned int num_pages,
			bool readonly)
{
	unsigned int num = num_pages * XEN_PFN_PER_PAGE;
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
