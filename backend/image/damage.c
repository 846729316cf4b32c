// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/image.h"

/*
 * Regions are grown by pixman, which may run out of memory. Forgetting damage
 * would leave old pixels on a screen, so the answer to that is the whole
 * picture, which needs no memory.
 */
static void all_of_it(struct xd_damage *damage)
{
	pixman_region32_fini(&damage->region);
	pixman_region32_init_rect(&damage->region, 0, 0, damage->width,
				  damage->height);
}

void xd_damage_init(struct xd_damage *damage, uint32_t width, uint32_t height)
{
	damage->width = width;
	damage->height = height;
	pixman_region32_init_rect(&damage->region, 0, 0, width, height);
}

void xd_damage_finish(struct xd_damage *damage)
{
	pixman_region32_fini(&damage->region);
}

void xd_damage_add(struct xd_damage *damage, uint32_t x1, uint32_t y1,
		   uint32_t x2, uint32_t y2)
{
	if (x2 > damage->width)
		x2 = damage->width;
	if (y2 > damage->height)
		y2 = damage->height;
	if (x1 >= x2 || y1 >= y2)
		return;
	if (!pixman_region32_union_rect(&damage->region, &damage->region,
					(int)x1, (int)y1, x2 - x1, y2 - y1))
		all_of_it(damage);
}

void xd_damage_add_all(struct xd_damage *damage)
{
	all_of_it(damage);
}

void xd_damage_merge(struct xd_damage *damage, const struct xd_damage *other)
{
	if (!pixman_region32_union(&damage->region, &damage->region,
				   (pixman_region32_t *)&other->region))
		all_of_it(damage);
}

void xd_damage_clear(struct xd_damage *damage)
{
	pixman_region32_clear(&damage->region);
}

bool xd_damage_empty(const struct xd_damage *damage)
{
	return !pixman_region32_not_empty((pixman_region32_t *)&damage->region);
}

uint64_t xd_damage_pixels(const struct xd_damage *damage)
{
	const pixman_box32_t *box;
	uint64_t pixels = 0;
	int n;

	box = pixman_region32_rectangles((pixman_region32_t *)&damage->region,
					 &n);
	for (int i = 0; i < n; i++)
		pixels += (uint64_t)(box[i].x2 - box[i].x1) *
			  (uint64_t)(box[i].y2 - box[i].y1);
	return pixels;
}
