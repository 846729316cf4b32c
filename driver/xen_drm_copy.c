// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Parts of a framebuffer from one set of pages to the same places in another.
 */

#include <linux/highmem.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "xen_drm.h"

static void xen_drm_copy_bytes(struct page **to, struct page **from, u64 pos,
			       u64 len)
{
	while (len) {
		size_t start = offset_in_page(pos);
		size_t part = min_t(u64, len, PAGE_SIZE - start);

		memcpy_page(to[pos >> PAGE_SHIFT], start,
			    from[pos >> PAGE_SHIFT], start, part);
		pos += part;
		len -= part;
		cond_resched();
	}
}

static u64 xen_drm_copy_rect(struct page **to, struct page **from, u64 size,
			     const struct xen_drm_layout *layout,
			     const struct xen_drm_rect *rect)
{
	u32 x2 = min_t(u32, rect->x2, layout->width);
	u32 y2 = min_t(u32, rect->y2, layout->height);
	u64 copied = 0;
	u32 y;

	if (rect->x1 >= x2)
		return 0;
	for (y = rect->y1; y < y2; y++) {
		u64 pos = layout->offset + (u64)y * layout->stride +
			rect->x1 * layout->cpp;
		u64 len = (x2 - rect->x1) * layout->cpp;

		if (pos >= size)
			break;
		len = min(len, size - pos);
		xen_drm_copy_bytes(to, from, pos, len);
		copied += len;
	}
	return copied;
}

/**
 * xen_drm_copy - copy areas of a framebuffer
 * @to: pages
 * @from: likewise
 * @num_pages: how many each
 * @layout: where the framebuffer is in them
 * @damage: the areas; NULL or none: all of it. What is not in the framebuffer,
 *	or not in the pages, is left out
 *
 * Context: process.
 * Return: bytes copied.
 */
u64 xen_drm_copy(struct page **to, struct page **from, unsigned int num_pages,
		 const struct xen_drm_layout *layout,
		 const struct xen_drm_damage *damage)
{
	const struct xen_drm_rect all = {
		.x2 = layout->width,
		.y2 = layout->height,
	};
	u64 size = (u64)num_pages << PAGE_SHIFT;
	u64 copied = 0;
	unsigned int i;

	if (!damage || !damage->count)
		return xen_drm_copy_rect(to, from, size, layout, &all);
	for (i = 0; i < damage->count; i++)
		copied += xen_drm_copy_rect(to, from, size, layout,
					    &damage->rect[i]);
	return copied;
}
