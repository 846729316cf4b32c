// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Areas that changed, as many as the wire carries.
 */

#include <linux/kernel.h>
#include <linux/string.h>

#include "xen_drm.h"

static bool xen_drm_rect_contains(const struct xen_drm_rect *outer,
				  const struct xen_drm_rect *inner)
{
	return outer->x1 <= inner->x1 && outer->y1 <= inner->y1 &&
		outer->x2 >= inner->x2 && outer->y2 >= inner->y2;
}

static void xen_drm_rect_extend(struct xen_drm_rect *box,
				const struct xen_drm_rect *rect)
{
	box->x1 = min(box->x1, rect->x1);
	box->y1 = min(box->y1, rect->y1);
	box->x2 = max(box->x2, rect->x2);
	box->y2 = max(box->y2, rect->y2);
}

static void xen_drm_damage_add_rect(struct xen_drm_damage *sum,
				    const struct xen_drm_rect *rect)
{
	unsigned int i;

	for (i = 0; i < sum->count; i++)
		if (xen_drm_rect_contains(&sum->rect[i], rect))
			return;
	if (sum->count < XEN_DRM_MAX_DAMAGE) {
		sum->rect[sum->count++] = *rect;
		return;
	}
	for (i = 1; i < sum->count; i++)
		xen_drm_rect_extend(&sum->rect[0], &sum->rect[i]);
	xen_drm_rect_extend(&sum->rect[0], rect);
	sum->count = 1;
}

/**
 * xen_drm_damage_add - add what changed to what had changed before
 * @sum: areas; none of them: everything
 * @more: likewise
 *
 * A client that draws into the same place over and over, faster than the display
 * shows it, has one area. More areas than the wire carries become the one that is
 * around them all.
 *
 * Context: any.
 */
void xen_drm_damage_add(struct xen_drm_damage *sum,
			const struct xen_drm_damage *more)
{
	unsigned int i;

	if (!sum->count)
		return;
	if (!more->count) {
		memset(sum, 0, sizeof(*sum));
		return;
	}
	for (i = 0; i < more->count; i++)
		xen_drm_damage_add_rect(sum, &more->rect[i]);
}
