// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Buffers as GEM objects: dumb buffers, mapping, PRIME. One way for all kinds of
 * memory: what a buffer has is an array of pages.
 */

#include <linux/dma-buf.h>
#include <linux/fs.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_prime.h>

#include "xen_drm.h"

MODULE_IMPORT_NS(DMA_BUF);

/* Pages mapped around the one a client touched. */
#define XEN_DRM_FAULT_AROUND	64

static void xen_drm_gem_release(void *ctx)
{
	struct xen_drm_gem *gem = ctx;

	if (gem->base.import_attach) {
		struct dma_buf *dmabuf = gem->base.import_attach->dmabuf;

		drm_prime_gem_destroy(&gem->base, gem->sgt);
		dma_buf_put(dmabuf);	/* xen_drm_buf_import()'s */
	}
	drm_gem_object_release(&gem->base);
	kfree(gem);
}

static void xen_drm_gem_free(struct drm_gem_object *obj)
{
	struct xen_drm_gem *gem = to_xen_drm_gem(obj);
	struct xen_drm_buf *buf = gem->buf;

	if (obj->import_attach) {
		/* The exporter's pages are lent out until the grants end. */
		buf->on_free = xen_drm_gem_release;
		buf->on_free_ctx = gem;
		xen_drm_buf_retire(buf);
		return;
	}
	xen_drm_buf_retire(buf);
	xen_drm_gem_release(gem);
}

/* What is mapped through the dma-buf goes with what is mapped through the device. */
static struct dma_buf *xen_drm_gem_export(struct drm_gem_object *obj, int flags)
{
	struct dma_buf *dmabuf = drm_gem_prime_export(obj, flags);

	if (!IS_ERR(dmabuf))
		dmabuf->file->f_mapping = obj->dev->anon_inode->i_mapping;
	return dmabuf;
}

static struct sg_table *xen_drm_gem_get_sg_table(struct drm_gem_object *obj)
{
	struct xen_drm_mem *mem = &to_xen_drm_gem(obj)->buf->mem;

	return drm_prime_pages_to_sg(obj->dev, mem->pages, mem->num_pages);
}

static int xen_drm_gem_vmap(struct drm_gem_object *obj, struct iosys_map *map)
{
	void *vaddr;

	if (obj->import_attach)
		return dma_buf_vmap(obj->import_attach->dmabuf, map);
	vaddr = xen_drm_mem_vmap(&to_xen_drm_gem(obj)->buf->mem);
	if (!vaddr)
		return -ENOMEM;
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}

static void xen_drm_gem_vunmap(struct drm_gem_object *obj,
			       struct iosys_map *map)
{
	if (obj->import_attach)
		dma_buf_vunmap(obj->import_attach->dmabuf, map);
	else
		xen_drm_mem_vunmap(&to_xen_drm_gem(obj)->buf->mem, map->vaddr);
}

/* Maps the page touched and its aligned neighbourhood. */
static vm_fault_t xen_drm_gem_insert(struct vm_fault *vmf, struct page **pages,
				     unsigned int num_pages)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long touched = vmf->pgoff;
	unsigned long first = vma->vm_pgoff;
	unsigned long num = min_t(unsigned long, first + vma_pages(vma),
				  num_pages);
	unsigned long i;
	vm_fault_t ret;

	if (touched >= num)
		return VM_FAULT_SIGBUS;
	ret = vmf_insert_pfn(vma, vmf->address, page_to_pfn(pages[touched]));
	if (ret & VM_FAULT_ERROR)
		return ret;
	i = max(first, round_down(touched, XEN_DRM_FAULT_AROUND));
	num = min(num, round_down(touched, XEN_DRM_FAULT_AROUND) +
		  XEN_DRM_FAULT_AROUND);
	for (; i < num; i++)
		if (vmf_insert_pfn(vma, vma->vm_start +
				   ((i - first) << PAGE_SHIFT),
				   page_to_pfn(pages[i])) & VM_FAULT_ERROR)
			break;
	return ret;
}

static vm_fault_t xen_drm_gem_fault(struct vm_fault *vmf)
{
	struct xen_drm_gem *gem = to_xen_drm_gem(vmf->vma->vm_private_data);
	struct xen_drm_mem *mem = &gem->buf->mem;
	struct page **pages;
	vm_fault_t ret = VM_FAULT_OOM;

	if (!xen_drm_mem_moves(mem))
		return xen_drm_gem_insert(vmf, mem->pages, mem->num_pages);
	pages = xen_drm_map_lock(mem);
	if (pages)
		ret = xen_drm_gem_insert(vmf, pages, mem->num_pages);
	xen_drm_map_unlock(mem);
	return ret;
}

static const struct vm_operations_struct xen_drm_gem_vm_ops = {
	.fault = xen_drm_gem_fault,
	.open = drm_gem_vm_open,
	.close = drm_gem_vm_close,
};

static int xen_drm_gem_mmap(struct drm_gem_object *obj,
			    struct vm_area_struct *vma)
{
	int ret;

	if (is_cow_mapping(vma->vm_flags))
		return -EINVAL;
	if (obj->import_attach) {
		/* the exporter's mapping does not keep our object */
		vma->vm_private_data = NULL;
		vma->vm_ops = NULL;
		ret = dma_buf_mmap(obj->import_attach->dmabuf, vma, 0);
		if (!ret)
			drm_gem_object_put(obj);
		return ret;
	}

	/* The fault handler counts from the object's start. */
	vma->vm_pgoff -= drm_vma_node_start(&obj->vma_node);
	/* Ordinary memory: write-back, whatever the core suggests. */
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot = vm_get_page_prot(vma->vm_flags);
	return 0;
}

static const struct drm_gem_object_funcs xen_drm_gem_funcs = {
	.free = xen_drm_gem_free,
	.export = xen_drm_gem_export,
	.get_sg_table = xen_drm_gem_get_sg_table,
	.vmap = xen_drm_gem_vmap,
	.vunmap = xen_drm_gem_vunmap,
	.mmap = xen_drm_gem_mmap,
	.vm_ops = &xen_drm_gem_vm_ops,
};

/* Complete or not at all: an object without a buffer is never returned. */
static struct xen_drm_gem *xen_drm_gem_new(struct drm_device *drm, size_t size,
					   struct xen_drm_buf *buf)
{
	struct xen_drm_gem *gem;

	gem = kzalloc(sizeof(*gem), GFP_KERNEL);
	if (!gem) {
		xen_drm_buf_retire(buf);
		return ERR_PTR(-ENOMEM);
	}
	gem->base.funcs = &xen_drm_gem_funcs;
	gem->buf = buf;
	drm_gem_private_object_init(drm, &gem->base, PAGE_ALIGN(size));
	return gem;
}

/**
 * xen_drm_gem_dumb_create - &drm_driver.dumb_create
 * @file: the client
 * @drm: the device
 * @args: size wanted; pitch, size and handle are set
 *
 * The pitch is what the wire implies: no padding.
 *
 * Return: 0, -EINVAL for what no format fits, -ENOMEM, or the backend's error.
 */
int xen_drm_gem_dumb_create(struct drm_file *file, struct drm_device *drm,
			    struct drm_mode_create_dumb *args)
{
	u64 pitch = DIV_ROUND_UP_ULL((u64)args->width * args->bpp, 8);
	u64 size = pitch * args->height;
	struct xen_drm_gem *gem;
	struct xen_drm_buf *buf;
	int ret, idx;

	if (!args->width || !args->height || args->bpp % 8 || args->bpp > 32 ||
	    pitch > U32_MAX)
		return -EINVAL;
	if (size > (u64)XEN_DRM_MAX_SIZE * XEN_DRM_MAX_SIZE * 4)
		return -ENOMEM;
	if (!drm_dev_enter(drm, &idx))
		return -ENODEV;

	buf = xen_drm_buf_create(to_xen_drm(drm), args->width, args->height,
				 args->bpp, size);
	if (IS_ERR(buf)) {
		ret = PTR_ERR(buf);
		goto out;
	}
	gem = xen_drm_gem_new(drm, size, buf);
	if (IS_ERR(gem)) {
		ret = PTR_ERR(gem);
		goto out;
	}
	args->pitch = pitch;
	args->size = gem->base.size;
	ret = drm_gem_handle_create(file, &gem->base, &args->handle);
	drm_gem_object_put(&gem->base);
out:
	drm_dev_exit(idx);
	return ret;
}

/**
 * xen_drm_gem_prime_import_sg - &drm_driver.gem_prime_import_sg_table
 * @drm: the device
 * @attach: to the exporter's buffer
 * @sgt: its pages, mapped for us
 *
 * Return: the object, or an ERR_PTR and the caller unmaps @sgt.
 */
struct drm_gem_object *
xen_drm_gem_prime_import_sg(struct drm_device *drm,
			    struct dma_buf_attachment *attach,
			    struct sg_table *sgt)
{
	struct xen_drm_gem *gem;
	struct xen_drm_buf *buf;
	int idx;

	if (!drm_dev_enter(drm, &idx))
		return ERR_PTR(-ENODEV);
	buf = xen_drm_buf_import(to_xen_drm(drm), sgt, attach->dmabuf);
	if (IS_ERR(buf)) {
		drm_dev_exit(idx);
		return ERR_CAST(buf);
	}
	gem = xen_drm_gem_new(drm, attach->dmabuf->size, buf);
	drm_dev_exit(idx);
	if (IS_ERR(gem))
		return ERR_CAST(gem);
	gem->sgt = sgt;
	return &gem->base;
}
