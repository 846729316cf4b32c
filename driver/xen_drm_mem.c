// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Where the pages of a buffer come from. All kinds end as an array of pages, so
 * that everything else, mapping, exporting, granting, is done one way.
 */

#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <xen/page.h>
#include <xen/xen.h>

#include "xen_drm.h"

#define XEN_DRM_MEM_BATCH	512	/* pages, between two chances to be preempted */

/**
 * xen_drm_pages_get - get pages, any, zeroed
 * @pages: zeroed; filled from the front, on an error as far as it went
 * @num: how many
 *
 * A buffer is granted, so it could not be swapped out, and a file behind it would
 * only cost time. What a client allocates is charged to it, and is not worth
 * killing another process for.
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int xen_drm_pages_get(struct page **pages, unsigned int num)
{
	gfp_t gfp = GFP_HIGHUSER | __GFP_ZERO | __GFP_ACCOUNT |
		__GFP_RETRY_MAYFAIL | __GFP_NOWARN;
	unsigned int done = 0;

	while (done < num) {
		unsigned int batch = min_t(unsigned int, XEN_DRM_MEM_BATCH,
					   num - done);
		unsigned int got = alloc_pages_bulk_array(gfp, batch,
							  pages + done);

		if (!got)
			return -ENOMEM;
		done += got;
		cond_resched();
	}
	return 0;
}

/**
 * xen_drm_pages_put - free pages of xen_drm_pages_get()
 * @pages: the pages; the first that is NULL ends them
 * @num: how many at the most
 *
 * One that the backend still has mapped stays until it is not.
 *
 * Context: process.
 */
void xen_drm_pages_put(struct page **pages, unsigned int num)
{
	unsigned int i;

	for (i = 0; i < num && pages[i]; i++)
		put_page(pages[i]);
}

static int xen_drm_mem_alloc_contig(struct xen_drm_mem *mem,
				    struct device *dev, size_t size)
{
	unsigned int i;

	mem->block = xen_drm_block_alloc(dev, size);
	if (!mem->block)
		return -ENOMEM;
	mem->vaddr = mem->block->vaddr;
	for (i = 0; i < mem->num_pages; i++) {
		void *addr = mem->block->vaddr + i * PAGE_SIZE;

		mem->pages[i] = is_vmalloc_addr(addr) ?
			vmalloc_to_page(addr) : virt_to_page(addr);
	}
	return 0;
}

/**
 * xen_drm_mem_alloc - get pages, zeroed
 * @mem: filled; on an error too, free it then
 * @dev: for contiguous memory
 * @kind: which, but for XEN_DRM_MEM_IMPORT
 * @size: bytes, rounded up to pages
 *
 * Pages of XEN_DRM_MEM_BACKEND are empty frames until xen_drm_map(), unless they
 * are a shadow.
 *
 * Context: process.
 * Return: 0 or -errno.
 */
int xen_drm_mem_alloc(struct xen_drm_mem *mem, struct device *dev,
		      enum xen_drm_mem_kind kind, size_t size)
{
	size = PAGE_ALIGN(size);
	mem->kind = kind;
	mem->num_pages = size >> PAGE_SHIFT;
	mem->pages = kvcalloc(mem->num_pages, sizeof(*mem->pages), GFP_KERNEL);
	if (!mem->pages)
		return -ENOMEM;

	switch (kind) {
	case XEN_DRM_MEM_SCATTERED:
		return xen_drm_pages_get(mem->pages, mem->num_pages);
	case XEN_DRM_MEM_CONTIG:
		return xen_drm_mem_alloc_contig(mem, dev, size);
	case XEN_DRM_MEM_BACKEND:
		return xen_drm_map_alloc(mem);
	case XEN_DRM_MEM_IMPORT:
		break;
	}
	return -EINVAL;
}

/*
 * An exporter's pages are not an importer's to look for; where our device would find
 * the memory is (linux/dma-buf.h, CONFIG_DMABUF_DEBUG). For a device without hardware
 * that is the guest's own address of it, or, in PV guests with swiotlb-xen, the
 * machine's.
 */
static struct page *xen_drm_mem_dma_page(struct device *dev, dma_addr_t addr)
{
	unsigned long pfn = PHYS_PFN(dma_to_phys(dev, addr));

	if (xen_pv_domain() && get_dma_ops(dev))
		pfn = bfn_to_pfn(pfn);
	return pfn_valid(pfn) ? pfn_to_page(pfn) : NULL;
}

/**
 * xen_drm_mem_import - use the pages of an imported buffer
 * @mem: filled; on an error too, free it then
 * @dev: for which @sgt was mapped
 * @sgt: the exporter's, must outlive @mem
 * @size: bytes
 *
 * Return: 0, -ENOMEM, or -EINVAL for what is not whole pages of the guest's memory:
 * grants lend pages to their ends.
 */
int xen_drm_mem_import(struct xen_drm_mem *mem, struct device *dev,
		       struct sg_table *sgt, size_t size)
{
	struct sg_dma_page_iter iter;
	struct scatterlist *sg;
	unsigned int n = 0, i;

	mem->kind = XEN_DRM_MEM_IMPORT;
	mem->num_pages = PAGE_ALIGN(size) >> PAGE_SHIFT;
	mem->pages = kvcalloc(mem->num_pages, sizeof(*mem->pages), GFP_KERNEL);
	if (!mem->pages)
		return -ENOMEM;

	for_each_sgtable_dma_sg(sgt, sg, i)
		if (!PAGE_ALIGNED(sg_dma_address(sg) | sg_dma_len(sg)))
			return -EINVAL;
	for_each_sgtable_dma_page(sgt, &iter, 0) {
		struct page *page;

		if (n == mem->num_pages)
			break;
		page = xen_drm_mem_dma_page(dev,
					    sg_page_iter_dma_address(&iter));
		if (!page)
			return -EINVAL;
		mem->pages[n++] = page;
	}
	return n == mem->num_pages ? 0 : -EINVAL;
}

/**
 * xen_drm_mem_vmap - all of the memory at one address of the kernel's
 * @mem: the memory, not XEN_DRM_MEM_IMPORT
 *
 * Kept until the memory goes: the console's emulation maps its buffer for each
 * blink of the cursor, which in a PV guest costs a hypercall for every few pages.
 * Only frames of the backend are not kept: others may come.
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
	if (!vaddr || xen_drm_mem_moves(mem))
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
 *
 * Context: process.
 */
void xen_drm_mem_free(struct xen_drm_mem *mem)
{
	if (!mem->pages)
		return;
	switch (mem->kind) {
	case XEN_DRM_MEM_SCATTERED:
		vunmap(mem->vaddr);
		xen_drm_pages_put(mem->pages, mem->num_pages);
		break;
	case XEN_DRM_MEM_CONTIG:
		if (mem->block)
			xen_drm_block_put(mem->block);
		break;
	case XEN_DRM_MEM_BACKEND:
		vunmap(mem->vaddr);
		xen_drm_map_free(mem);
		break;
	case XEN_DRM_MEM_IMPORT:
		break;
	}
	kvfree(mem->pages);
	memset(mem, 0, sizeof(*mem));
}
