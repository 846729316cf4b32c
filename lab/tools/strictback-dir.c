// SPDX-License-Identifier: GPL-2.0-or-later
/* strictback: page directories, as displif.h has them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "strictback.h"

#define DIR_REFS	((XENDISPL_EVENT_PAGE_SIZE - \
			  offsetof(struct xendispl_page_directory, gref)) / \
			 sizeof(grant_ref_t))

#define SOME		64	/* pages that are mapped */

static int compare_refs(const void *a, const void *b)
{
	const grant_ref_t x = *(const grant_ref_t *)a;
	const grant_ref_t y = *(const grant_ref_t *)b;

	return x < y ? -1 : x > y;
}

static bool check_refs(struct strict *s, const char *whose, grant_ref_t *refs,
		       uint32_t num)
{
	qsort(refs, num, sizeof(*refs), compare_refs);
	if (!refs[0]) {
		strict_wrong(s, "%s: grant 0 in its page directory", whose);
		return false;
	}
	for (uint32_t i = 1; i < num; i++)
		if (refs[i] == refs[i - 1]) {
			strict_wrong(s, "%s: grant %u twice in its page directory",
				     whose, refs[i]);
			return false;
		}
	return true;
}

/* Are they granted? Of many pages some are tried: to map them takes long. */
static bool check_pages(struct strict *s, const char *whose,
			const grant_ref_t *refs, uint32_t num, int prot)
{
	struct bad *b = &s->bad;
	grant_ref_t some[SOME];
	uint32_t count = 0;
	void *pages;

	for (uint32_t i = 0; i < num; i += 1 + num / SOME)
		some[count++] = refs[i];
	some[count - 1] = refs[num - 1];
	pages = xengnttab_map_domain_grant_refs(b->gnt, count, b->domid, some,
						prot);
	if (!pages) {
		strict_wrong(s, "%s: its pages cannot be mapped: %s", whose,
			     strerror(errno));
		return false;
	}
	xengnttab_unmap(b->gnt, pages, count);
	return true;
}

/* The directory's pages into @refs: the buffer's references, then its own. */
static bool read_dir(struct strict *s, const char *whose, grant_ref_t ref,
		     int prot, grant_ref_t *refs, uint32_t num_refs)
{
	uint32_t done = 0, own = num_refs;
	struct bad *b = &s->bad;

	while (done < num_refs) {
		struct xendispl_page_directory *dir;
		grant_ref_t page[XENDISPL_EVENT_PAGE_SIZE / sizeof(grant_ref_t)];
		uint32_t num = num_refs - done < DIR_REFS ? num_refs - done :
							    DIR_REFS;

		dir = ref ? xengnttab_map_grant_ref(b->gnt, b->domid, ref, prot)
			  : NULL;
		if (!dir) {
			strict_wrong(s, "%s: page %u of its directory, grant %u, cannot be mapped",
				     whose, own - num_refs, ref);
			return false;
		}
		memcpy(page, dir, sizeof(page));
		xengnttab_unmap(b->gnt, dir, 1);
		refs[own++] = ref;
		ref = page[0];
		memcpy(refs + done, page + 1, num * sizeof(*refs));
		done += num;
		for (uint32_t i = 1 + num; i <= DIR_REFS; i++)
			if (page[i]) {
				strict_wrong(s, "%s: grant %u after the last of its %u pages",
					     whose, page[i], num_refs);
				return false;
			}
	}
	if (ref) {
		strict_wrong(s, "%s: one more page of its directory, grant %u, than it needs",
			     whose, ref);
		return false;
	}
	return true;
}

uint64_t strict_walk_dir(struct strict *s, const char *whose, grant_ref_t dir,
			 uint32_t size, bool write, bool pages)
{
	uint32_t num = size / XENDISPL_EVENT_PAGE_SIZE +
		       !!(size % XENDISPL_EVENT_PAGE_SIZE);
	uint32_t all = num + (num + DIR_REFS - 1) / DIR_REFS;
	int prot = write ? PROT_READ | PROT_WRITE : PROT_READ;
	grant_ref_t *refs = calloc(all + 1, sizeof(*refs));
	uint64_t sum = 0;

	if (!refs)
		bad_die("no memory");
	if (num && read_dir(s, whose, dir, prot, refs, num)) {
		sum = 0xcbf29ce484222325;
		for (uint32_t i = 0; i < all; i++)
			sum = (sum ^ refs[i]) * 0x100000001b3;
		if ((pages && !check_pages(s, whose, refs, num, prot)) ||
		    !check_refs(s, whose, refs, all))
			sum = 0;
	}
	free(refs);
	return sum;
}
