/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The kernel's last words on the screen, for the primary planes' helpers.
 */
#ifndef XEN_DRM_PANIC_H
#define XEN_DRM_PANIC_H

struct drm_plane;
struct drm_scanout_buffer;

int xen_drm_panic_buffer(struct drm_plane *plane,
			 struct drm_scanout_buffer *sb);
void xen_drm_panic_flush(struct drm_plane *plane);

#endif
