// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The kernel's last words on the screen (drm_panic).
 *
 * Nothing may be waited for, and no lock taken that a stopped processor may hold:
 * the picture is drawn through the pages of what is on screen, which need no
 * mapping for that, and one flip is sent.
 */

#include <linux/highmem.h>

#include <drm/drm_drv.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_panic.h>
#include <drm/drm_rect.h>

#include "xen_drm.h"
#include "xen_drm_panic.h"

/* The pages that the backend reads. */
static struct page **xen_drm_panic_pages(const struct xen_drm_mem *mem)
{
	return mem->kind == XEN_DRM_MEM_BACKEND ? mem->frames : mem->pages;
}

static void xen_drm_panic_pixel(struct drm_scanout_buffer *sb, unsigned int x,
				unsigned int y, u32 color)
{
	const struct drm_framebuffer *fb = sb->map[0].vaddr;
	struct page **pages =
		xen_drm_panic_pages(&to_xen_drm_gem(fb->obj[0])->buf->mem);
	size_t pos = fb->offsets[0] + (size_t)y * fb->pitches[0] +
		x * fb->format->cpp[0];
	unsigned int i;

	/* a pixel of three bytes may lie on two pages */
	for (i = 0; i < fb->format->cpp[0]; i++, pos++, color >>= 8) {
		u8 *page = kmap_local_page(pages[pos >> PAGE_SHIFT]);

		page[offset_in_page(pos)] = color;
		kunmap_local(page);
	}
}

/**
 * xen_drm_panic_buffer - &drm_plane_helper_funcs.get_scanout_buffer
 * @plane: the primary plane of a pipe
 * @sb: what is to be drawn on
 *
 * Context: any, under the panic lock.
 * Return: 0, or -ENODEV if nothing is on screen.
 */
int xen_drm_panic_buffer(struct drm_plane *plane,
			 struct drm_scanout_buffer *sb)
{
	struct xen_drm_pipe *pipe = container_of(plane, struct xen_drm_pipe,
						 plane);
	struct drm_framebuffer *fb = plane->state->fb;
	struct xen_drm_mem *mem;

	if (!fb || !xen_drm_pipe_configured(pipe) ||
	    !xen_drm_fb_is_attached(to_xen_drm_fb(fb)))
		return -ENODEV;
	mem = &to_xen_drm_gem(fb->obj[0])->buf->mem;
	if (mem->kind == XEN_DRM_MEM_BACKEND && !READ_ONCE(mem->mapped))
		return -ENODEV;
	sb->format = fb->format;
	sb->width = drm_rect_width(&plane->state->dst);
	sb->height = drm_rect_height(&plane->state->dst);
	sb->pitch[0] = fb->pitches[0];
	/* not an address of pixels: nobody but set_pixel looks at it */
	iosys_map_set_vaddr(&sb->map[0], fb);
	sb->set_pixel = xen_drm_panic_pixel;
	return 0;
}

/**
 * xen_drm_panic_flush - &drm_plane_helper_funcs.panic_flush
 * @plane: for which xen_drm_panic_buffer() returned 0
 *
 * Context: any, under the panic lock.
 */
void xen_drm_panic_flush(struct drm_plane *plane)
{
	struct xen_drm_pipe *pipe = container_of(plane, struct xen_drm_pipe,
						 plane);

	xen_drm_cmd_panic_flip(pipe, to_xen_drm_fb(plane->state->fb)->cookie);
}
