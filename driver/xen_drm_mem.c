// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Where the pages of a buffer come from. All kinds end as an array of pages, so
 * that everything else, mapping, exporting, granting, is done one way.
 */

#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <xen/balloon.h>
#include <xen/xen.h>

#include "xen_drm.h"

#define XEN_DRM_MEM_BATCH	512	/* pages, between two chances to be preempted */

/*
 * Any pages: a buffer is granted, so it could not be swapped out, and a file
 * behind it would only cost time. What a client allocates is charged to it, and
 * is not worth killing another process for.
 */
static int xen_drm_mem_alloc_scattered(struct xen_drm_mem *mem)
{
	gfp_t gfp = GFP_HIGHUSER | __GFP_ZERO | __GFP_ACCOUNT |
		__GFP_RETRY_MAYFAIL | __GFP_NOWARN;
	unsigned int done = 0;

	while (done < mem->num_pages) {
		unsigned int batch = min_t(unsigned int, XEN_DRM_MEM_BATCH,
					   mem->num_pages - done);
		unsigned int got = alloc_pages_bulk_array(gfp, batch,
							  mem->pages + done);

		if (!got)
			return -ENOMEM;
		done += got;
		cond_resched();
	}
	return 0;
}

static void xen_drm_mem_free_scattered(struct xen_drm_mem *mem)
{
	unsigned int i;

	vunmap(mem->vaddr);
	/* one that the backend still has mapped stays until it is not */
	for (i = 0; i < mem->num_pages && mem->pages[i]; i++)
		put_page(mem->pages[i]);
}

static int xen_drm_mem_alloc_contig(struct xen_drm_mem *mem,
				    struct device *dev, size_t size)
{
	unsigned int i;

	mem->vaddr = dma_alloc_coherent(dev, size, &mem->dma,
					GFP_KERNEL | __GFP_NOWARN);
	if (!mem->vaddr)
		return -ENOMEM;
	for (i = 0; i < mem->num_pages; i++) {
		void *addr = mem->vaddr + i * PAGE_SIZE;

		mem->pages[i] = is_vmalloc_addr(addr) ?
			vmalloc_to_page(addr) : virt_to_page(addr);
	}
	return 0;
}

static int xen_drm_mem_alloc_backend(struct xen_drm_mem *mem)
{
	unsigned int i;

	mem->maps = kvmalloc_array(mem->num_pages, sizeof(*mem->maps),
				   GFP_KERNEL);
	if (!mem->maps)
		return -ENOMEM;
	for (i = 0; i < mem->num_pages; i++)
		mem->maps[i] = INVALID_GRANT_HANDLE;
	return gnttab_alloc_pages(mem->num_pages, mem->pages);
}

/**
 * xen_drm_mem_alloc - get pages, zeroed
 * @mem: filled; on an error too, free it then
 * @dev: for contiguous memory
 * @kind: which, but for XEN_DRM_MEM_IMPORT
 * @size: bytes, rounded up to pages
 *
 * Pages of XEN_DRM_MEM_BACKEND are empty frames until xen_drm_mem_map().
 *
 * Context: process.
 * Return: 0 or -errno.
 */
int xen_drm_mem_alloc(struct xen_drm_mem *mem, struct device *dev,
		      enum xen_drm_mem_kind kind, size_t size)
{
	int ret;

	size = PAGE_ALIGN(size);
	mem->kind = kind;
	mem->num_pages = size >> PAGE_SHIFT;
	mem->pages = kvcalloc(mem->num_pages, sizeof(*mem->pages), GFP_KERNEL);
	if (!mem->pages)
		return -ENOMEM;

	switch (kind) {
	case XEN_DRM_MEM_SCATTERED:
		return xen_drm_mem_alloc_scattered(mem);
	case XEN_DRM_MEM_CONTIG:
		return xen_drm_mem_alloc_contig(mem, dev, size);
	case XEN_DRM_MEM_BACKEND:
		ret = xen_drm_mem_alloc_backend(mem);
		if (ret)	/* gnttab_free_pages() must not see them */
			mem->pages[0] = NULL;
		return ret;
	case XEN_DRM_MEM_IMPORT:
		break;
	}
	return -EINVAL;
}

/**
 * xen_drm_mem_import - use the pages of an imported buffer
 * @mem: filled; on an error too, free it then
 * @sgt: the exporter's, must outlive @mem
 * @size: bytes
 *
 * Return: 0, -ENOMEM, or -EINVAL for memory that is not made of whole pages.
 */
int xen_drm_mem_import(struct xen_drm_mem *mem, struct sg_table *sgt,
		       size_t size)
{
	struct sg_page_iter iter;
	struct scatterlist *sg;
	unsigned int n = 0, i;

	mem->kind = XEN_DRM_MEM_IMPORT;
	mem->num_pages = PAGE_ALIGN(size) >> PAGE_SHIFT;
	mem->pages = kvcalloc(mem->num_pages, sizeof(*mem->pages), GFP_KERNEL);
	if (!mem->pages)
		return -ENOMEM;

	for_each_sgtable_sg(sgt, sg, i)
		if (!sg_page(sg) || sg->offset || !PAGE_ALIGNED(sg->length))
			return -EINVAL;
	for_each_sgtable_page(sgt, &iter, 0) {
		if (n == mem->num_pages)
			break;
		mem->pages[n++] = sg_page_iter_page(&iter);
	}
	return n == mem->num_pages ? 0 : -EINVAL;
}

/* Bounce @refs out of the directory pages, once, as the backend may write. */
static void xen_drm_mem_read_dir(const struct xen_drm_grants *grants,
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

static int xen_drm_mem_map_ops(struct xen_drm_mem *mem, domid_t domid,
			       const grant_ref_t *refs,
			       struct gnttab_map_grant_ref *ops)
{
	unsigned int i;
	int ret;

	for (i = 0; i < mem->num_pages; i++) {
		if (!refs[i])
			return -EIO;
		gnttab_set_map_op(&ops[i],
				  (unsigned long)page_address(mem->pages[i]),
				  GNTMAP_host_map, refs[i], domid);
	}
	ret = gnttab_map_refs(ops, NULL, mem->pages, mem->num_pages);
	for (i = 0; i < mem->num_pages; i++) {
		if (ops[i].status == GNTST_okay)
			mem->maps[i] = ops[i].handle;
		else if (!ret)
			ret = -EIO;
	}
	return ret;
}

/**
 * xen_drm_mem_map - map the backend's grants into our frames
 * @mem: of XEN_DRM_MEM_BACKEND, not mapped
 * @domid: the backend's domain
 * @grants: the directory it filled
 *
 * Only where a page is a Xen page: grants map whole pages.
 *
 * Context: process.
 * Return: 0 or -errno, nothing is mapped then.
 */
int xen_drm_mem_map(struct xen_drm_mem *mem, domid_t domid,
		    struct xen_drm_grants *grants)
{
	struct gnttab_map_grant_ref *ops;
	grant_ref_t *refs;
	int ret = -ENOMEM;

	if (XEN_PFN_PER_PAGE != 1)
		return -EOPNOTSUPP;
	ops = kvcalloc(mem->num_pages, sizeof(*ops), GFP_KERNEL);
	refs = kvcalloc(mem->num_pages, sizeof(*refs), GFP_KERNEL);
	if (ops && refs) {
		xen_drm_mem_read_dir(grants, refs, mem->num_pages);
		ret = xen_drm_mem_map_ops(mem, domid, refs, ops);
		if (ret)
			xen_drm_mem_unmap(mem);
	}
	kvfree(refs);
	kvfree(ops);
	return ret;
}

/**
 * xen_drm_mem_unmap - give the backend's pages back; unmapped is fine
 * @mem: of XEN_DRM_MEM_BACKEND
 *
 * Context: process.
 */
void xen_drm_mem_unmap(struct xen_drm_mem *mem)
{
	unsigned int i;

	for (i = 0; i < mem->num_pages; i++) {
		struct gnttab_unmap_grant_ref op;

		if (mem->maps[i] == INVALID_GRANT_HANDLE)
			continue;
		gnttab_set_unmap_op(&op,
				    (unsigned long)page_address(mem->pages[i]),
				    GNTMAP_host_map, mem->maps[i]);
		gnttab_unmap_refs(&op, NULL, &mem->pages[i], 1);
		mem->maps[i] = INVALID_GRANT_HANDLE;
	}
}

/**
 * xen_drm_mem_vmap - all of the memory at one address of the kernel's
 * @mem: the memory, not XEN_DRM_MEM_IMPORT
 *
 * Kept until the memory goes: the console's emulation maps its buffer for each
 * blink of the cursor, which in a PV guest costs a hypercall for every few pages.
 * Only what the backend allocated is not kept: other frames may come.
 *
 * Context: process.
 * Return: the address, for xen_drm_mem_vunmap(), or NULL.
 */
void *xen_drm_mem_vmap(struct xen_drm_mem *mem)
{
	void *vaddr = READ_ONCE(mem->vaddr);
	void *first;

	if (vaddr)
		return vaddr;
	vaddr = vmap(mem->pages, mem->num_pages, VM_MAP, PAGE_KERNEL);
	if (!vaddr || mem->kind == XEN_DRM_MEM_BACKEND)
		return vaddr;
	first = cmpxchg(&mem->vaddr, NULL, vaddr);
	if (!first)
		return vaddr;
	vunmap(vaddr);
	return first;
}

/**
 * xen_drm_mem_vunmap - the other half of xen_drm_mem_vmap()
 * @mem: the memory
 * @vaddr: what xen_drm_mem_vmap() returned
 *
 * Context: process.
 */
void xen_drm_mem_vunmap(struct xen_drm_mem *mem, void *vaddr)
{
	if (vaddr != mem->vaddr)
		vunmap(vaddr);
}

/**
 * xen_drm_mem_zero - clear what another client may have drawn
 * @mem: the memory
 */
void xen_drm_mem_zero(struct xen_drm_mem *mem)
{
	unsigned int i;

	for (i = 0; i < mem->num_pages; i++)
		clear_highpage(mem->pages[i]);
}

/**
 * xen_drm_mem_free - give the pages back, after their grants
 * @mem: zeroed, complete or half-made
 * @dev: as for xen_drm_mem_alloc()
 *
 * Context: process.
 */
void xen_drm_mem_free(struct xen_drm_mem *mem, struct device *dev)
{
	if (!mem->pages)
		return;
	switch (mem->kind) {
	case XEN_DRM_MEM_SCATTERED:
		xen_drm_mem_free_scattered(mem);
		break;
	case XEN_DRM_MEM_CONTIG:
		if (mem->vaddr)
			dma_free_coherent(dev, mem->num_pages << PAGE_SHIFT,
					  mem->vaddr, mem->dma);
		break;
	case XEN_DRM_MEM_BACKEND:
		if (mem->pages[0]) {
			xen_drm_mem_unmap(mem);
			gnttab_free_pages(mem->num_pages, mem->pages);
		}
		kvfree(mem->maps);
		break;
	case XEN_DRM_MEM_IMPORT:
		break;
	}
	kvfree(mem->pages);
	memset(mem, 0, sizeof(*mem));
}
