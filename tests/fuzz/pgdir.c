// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page directories: a number of pages, a first reference, then what differs
 * from an honest directory, as (page, entry, value) triples. Some of them are
 * applied while the walk is under way.
 */
#include "fuzz.h"

#include "proto/pgdir.h"

#define MAX_PAGES	5000
#define MAX_DIR		6
#define DIR_REF		100000u

static uint32_t guest[MAX_DIR][1024];

static void honest(uint32_t nr_pages)
{
	uint32_t nr_dir = xd_pgdir_size(nr_pages);

	memset(guest, 0, sizeof(guest));
	for (uint32_t d = 0; d < nr_dir; d++)
		guest[d][0] = d + 1 < nr_dir ? DIR_REF + d + 1 : 0;
	for (uint32_t i = 0; i < nr_pages; i++)
		guest[i / 1023][1 + i % 1023] = 8 + i;
}

static void spoil(struct fuzz_input *in)
{
	uint8_t page = fuzz_u8(in);
	uint8_t entry = fuzz_u8(in);
	uint32_t value = fuzz_u32(in);

	/* Small values name pages of the directory itself. */
	if (page & 0x80)
		value = DIR_REF + value % MAX_DIR;
	guest[page % MAX_DIR][(entry * 4u + page / 16u) % 1024] = value;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void check_result(const struct xd_pgdir *dir)
{
	uint32_t n = dir->nr_pages + dir->nr_dir_pages;
	uint32_t *refs = malloc(n * sizeof(*refs));

	memcpy(refs, dir->grefs, dir->nr_pages * sizeof(*refs));
	memcpy(refs + dir->nr_pages, dir->dir_grefs,
	       dir->nr_dir_pages * sizeof(*refs));
	qsort(refs, n, sizeof(*refs), compare);
	CHECK(refs[0]);
	for (uint32_t i = 1; i < n; i++)
		CHECK(refs[i] != refs[i - 1]);
	free(refs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	uint32_t nr_pages = fuzz_u32(&in) % MAX_PAGES;
	enum xd_pgdir_kind kind = fuzz_u8(&in) % 8 ? XD_PGDIR_GREFS :
						     XD_PGDIR_CHAIN;
	uint8_t early = fuzz_u8(&in);
	uint32_t gref, fed = 0;
	struct xd_pgdir dir;
	int ret;

	honest(nr_pages);
	while (early-- && in.left)
		spoil(&in);

	ret = xd_pgdir_init(&dir, DIR_REF, nr_pages, kind);
	while (!ret && xd_pgdir_next(&dir, &gref)) {
		CHECK(++fed <= xd_pgdir_size(nr_pages));
		if (gref - DIR_REF >= MAX_DIR)
			break;		/* no such page: the map fails */
		ret = xd_pgdir_feed(&dir, guest[gref - DIR_REF]);
		if (in.left)
			spoil(&in);
	}
	if (!ret && !xd_pgdir_check(&dir) && kind == XD_PGDIR_GREFS)
		check_result(&dir);
	xd_pgdir_finish(&dir);
	return 0;
}
