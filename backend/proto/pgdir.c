// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "proto/pgdir.h"

#define NR_ENTRIES	(XD_PAGE_SIZE / sizeof(grant_ref_t))

#define RADIX_BITS	11
#define RADIX_SIZE	(1u << RADIX_BITS)

uint32_t xd_pgdir_size(uint32_t nr_pages)
{
	const uint32_t per_page = XD_GREFS_PER_PAGE;

	return nr_pages / per_page + !!(nr_pages % per_page);
}

int xd_pgdir_init(struct xd_pgdir *dir, uint32_t first, uint32_t nr_pages,
		  enum xd_pgdir_kind kind)
{
	*dir = (struct xd_pgdir){ .kind = kind };
	if (!first || !nr_pages)
		return -EINVAL;

	dir->nr_pages = nr_pages;
	dir->nr_dir_pages = xd_pgdir_size(nr_pages);
	dir->next = first;
	dir->grefs = calloc(nr_pages, sizeof(*dir->grefs));
	dir->dir_grefs = calloc(dir->nr_dir_pages, sizeof(*dir->dir_grefs));
	if (!dir->grefs || !dir->dir_grefs) {
		xd_pgdir_finish(dir);
		return -ENOMEM;
	}
	return 0;
}

bool xd_pgdir_next(const struct xd_pgdir *dir, uint32_t *ret_gref)
{
	if (dir->nr_fed == dir->nr_dir_pages)
		return false;
	*ret_gref = dir->next;
	return true;
}

/* One read of each word; the guest's other CPUs may be writing. */
static void copy_page(uint32_t *to, const void *shared)
{
	const volatile uint32_t *from = shared;

	for (size_t i = 0; i < NR_ENTRIES; i++)
		to[i] = from[i];
}

int xd_pgdir_feed(struct xd_pgdir *dir, const void *shared)
{
	uint32_t untrusted_page[NR_ENTRIES];
	const uint32_t *untrusted_grefs = untrusted_page + 1;
	uint32_t untrusted_next;
	uint32_t done, n;
	bool last;

	if (dir->nr_fed == dir->nr_dir_pages)
		return -EINVAL;

	copy_page(untrusted_page, shared);
	untrusted_next = untrusted_page[0];
	last = dir->nr_fed + 1 == dir->nr_dir_pages;
	if (last != !untrusted_next)
		return -EINVAL;

	if (dir->kind == XD_PGDIR_GREFS) {
		done = dir->nr_fed * XD_GREFS_PER_PAGE;
		n = last ? dir->nr_pages - done : XD_GREFS_PER_PAGE;
		for (uint32_t i = 0; i < n; i++) {
			if (!untrusted_grefs[i])
				return -EINVAL;
			dir->grefs[done + i] = untrusted_grefs[i];
		}
	}

	dir->dir_grefs[dir->nr_fed++] = dir->next;
	dir->next = untrusted_next;
	return 0;
}

/* One pass of a least-significant-digit radix sort. */
static void radix_pass(const uint32_t *from, uint32_t *to, size_t n,
		       unsigned int shift)
{
	size_t at[RADIX_SIZE] = { 0 };
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		at[(from[i] >> shift) % RADIX_SIZE]++;
	for (size_t i = 0; i < RADIX_SIZE; i++) {
		size_t count = at[i];

		at[i] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[at[(from[i] >> shift) % RADIX_SIZE]++] = from[i];
}

static bool has_repeat(const uint32_t *sorted, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (sorted[i] == sorted[i - 1])
			return true;
	return false;
}

/*
 * The guest chooses the numbers, so the cost must not depend on them: sorted
 * in three passes, whatever they are.
 */
int xd_pgdir_check(const struct xd_pgdir *dir)
{
	size_t nr_grefs = dir->kind == XD_PGDIR_GREFS ? dir->nr_pages : 0;
	size_t n = nr_grefs + dir->nr_dir_pages;
	uint32_t *refs, *spare;
	bool repeat;

	if (!dir->nr_dir_pages || dir->nr_fed != dir->nr_dir_pages)
		return -EINVAL;

	refs = calloc(2 * n, sizeof(*refs));
	if (!refs)
		return -ENOMEM;
	spare = refs + n;
	memcpy(refs, dir->dir_grefs, dir->nr_dir_pages * sizeof(*refs));
	memcpy(refs + dir->nr_dir_pages, dir->grefs, nr_grefs * sizeof(*refs));

	radix_pass(refs, spare, n, 0);
	radix_pass(spare, refs, n, RADIX_BITS);
	radix_pass(refs, spare, n, 2 * RADIX_BITS);
	repeat = has_repeat(spare, n);

	free(refs);
	return repeat ? -EINVAL : 0;
}

uint32_t *xd_pgdir_steal_grefs(struct xd_pgdir *dir)
{
	uint32_t *grefs = dir->grefs;

	dir->grefs = NULL;
	return grefs;
}

void xd_pgdir_finish(struct xd_pgdir *dir)
{
	free(dir->grefs);
	free(dir->dir_grefs);
	*dir = (struct xd_pgdir){ 0 };
}
