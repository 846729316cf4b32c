// SPDX-License-Identifier: GPL-2.0-or-later
/* proto/pgdir.h: walking a directory that the guest wrote. */
#include "unit.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "proto/pgdir.h"

#define MAX_DIR_PAGES	80
#define DIR_REF		1000000u

/* A guest's directory: page i is granted as DIR_REF + i. */
struct guest {
	uint32_t (*page)[1024];
	uint32_t nr_dir;
};

static void guest_init(struct guest *g, uint32_t nr_pages)
{
	uint32_t ref = 8;

	g->nr_dir = (nr_pages + 1022) / 1023;
	assert_in_range(g->nr_dir, 1, MAX_DIR_PAGES);
	g->page = calloc(MAX_DIR_PAGES, sizeof(*g->page));
	for (uint32_t d = 0; d < g->nr_dir; d++) {
		g->page[d][0] = d + 1 < g->nr_dir ? DIR_REF + d + 1 : 0;
		for (uint32_t i = 0; i < 1023 && d * 1023 + i < nr_pages; i++)
			g->page[d][1 + i] = ref++;
	}
}

/* Walk as the daemon does. Counts the pages that were asked for. */
static int walk_kind(const struct guest *g, uint32_t nr_pages,
		     enum xd_pgdir_kind kind, struct xd_pgdir *dir,
		     uint32_t *fed)
{
	uint32_t gref;
	int ret;

	*fed = 0;
	ret = xd_pgdir_init(dir, DIR_REF, nr_pages, kind);
	while (!ret && xd_pgdir_next(dir, &gref)) {
		assert_in_range(gref, DIR_REF, DIR_REF + MAX_DIR_PAGES - 1);
		ret = xd_pgdir_feed(dir, g->page[gref - DIR_REF]);
		(*fed)++;
	}
	return ret ? ret : xd_pgdir_check(dir);
}

static int walk(const struct guest *g, uint32_t nr_pages)
{
	struct xd_pgdir dir;
	uint32_t fed;
	int ret;

	ret = walk_kind(g, nr_pages, XD_PGDIR_GREFS, &dir, &fed);
	assert_in_range(fed, 0, (nr_pages + 1022) / 1023);
	xd_pgdir_finish(&dir);
	return ret;
}

static void sizes(void **state)
{
	assert_int_equal(xd_pgdir_size(1), 1);
	assert_int_equal(xd_pgdir_size(1023), 1);
	assert_int_equal(xd_pgdir_size(1024), 2);
	assert_int_equal(xd_pgdir_size(2046), 2);
	assert_int_equal(xd_pgdir_size(2047), 3);
	assert_int_equal(xd_pgdir_size(UINT32_MAX), 4198405);
}

static void good(void **state)
{
	static const uint32_t counts[] = { 1, 2, 1022, 1023, 1024, 2046, 2047,
					   8100, 65536 };
	struct xd_pgdir dir;
	struct guest g;
	uint32_t fed, *grefs;

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		guest_init(&g, counts[i]);
		assert_int_equal(walk_kind(&g, counts[i], XD_PGDIR_GREFS, &dir,
					   &fed), 0);
		assert_int_equal(fed, g.nr_dir);
		assert_int_equal(dir.nr_pages, counts[i]);
		for (uint32_t p = 0; p < counts[i]; p++)
			assert_int_equal(dir.grefs[p], 8 + p);
		for (uint32_t d = 0; d < g.nr_dir; d++)
			assert_int_equal(dir.dir_grefs[d], DIR_REF + d);
		grefs = xd_pgdir_steal_grefs(&dir);
		xd_pgdir_finish(&dir);
		assert_int_equal(grefs[0], 8);
		free(grefs);
		free(g.page);
	}
}

static void bad_start(void **state)
{
	struct xd_pgdir dir;

	assert_int_equal(xd_pgdir_init(&dir, 0, 1, XD_PGDIR_GREFS), -EINVAL);
	xd_pgdir_finish(&dir);
	assert_int_equal(xd_pgdir_init(&dir, 1, 0, XD_PGDIR_GREFS), -EINVAL);
	assert_int_equal(xd_pgdir_check(&dir), -EINVAL);
	xd_pgdir_finish(&dir);
}

static void zero_grefs(void **state)
{
	static const uint32_t at[] = { 0, 1, 1022, 1023, 2046, 2999 };
	struct guest g;

	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		guest_init(&g, 3000);
		g.page[at[i] / 1023][1 + at[i] % 1023] = 0;
		assert_int_equal(walk(&g, 3000), -EINVAL);
		free(g.page);
	}
	/* Behind the last one nobody looks. */
	guest_init(&g, 10);
	assert_int_equal(g.page[0][11], 0);
	assert_int_equal(walk(&g, 10), 0);
	free(g.page);
}

static void repeated_grefs(void **state)
{
	static const struct {
		uint32_t from, to;
	} same[] = { { 0, 1 }, { 0, 2999 }, { 1500, 1501 }, { 1022, 1023 } };
	struct guest g;

	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		guest_init(&g, 3000);
		g.page[same[i].to / 1023][1 + same[i].to % 1023] =
			g.page[same[i].from / 1023][1 + same[i].from % 1023];
		assert_int_equal(walk(&g, 3000), -EINVAL);
		free(g.page);
	}
}

/* A page of the directory given out as a page of the buffer. */
static void directory_page_as_data(void **state)
{
	struct guest g;

	guest_init(&g, 3000);
	g.page[2][5] = DIR_REF + 1;
	assert_int_equal(walk(&g, 3000), -EINVAL);
	free(g.page);
}

/* References that differ in one digit of the sort only. */
static void sort_sees_all_bits(void **state)
{
	struct guest g;

	guest_init(&g, 33);
	for (unsigned int bit = 0; bit < 32; bit++)
		g.page[0][1 + bit] = 1u << bit;
	g.page[0][33] = UINT32_MAX;
	assert_int_equal(walk(&g, 33), 0);
	for (unsigned int bit = 0; bit < 32; bit++) {
		g.page[0][33] = 1u << bit;
		assert_int_equal(walk(&g, 33), -EINVAL);
	}
	free(g.page);
}

static void short_chain(void **state)
{
	struct guest g;

	guest_init(&g, 3000);
	g.page[0][0] = 0;
	assert_int_equal(walk(&g, 3000), -EINVAL);
	free(g.page);
}

static void long_chain(void **state)
{
	struct guest g;

	guest_init(&g, 3000);
	g.page[2][0] = DIR_REF + 3;
	assert_int_equal(walk(&g, 3000), -EINVAL);
	free(g.page);
}

static void cyclic_chain(void **state)
{
	struct guest g;

	for (uint32_t back = 0; back < 3; back++) {
		guest_init(&g, 3000);
		g.page[2][0] = DIR_REF + back;
		assert_int_equal(walk(&g, 3000), -EINVAL);
		free(g.page);
	}
	/* A circle of the right length: every page is there twice. */
	guest_init(&g, 3000);
	g.page[0][0] = DIR_REF;
	assert_int_equal(walk(&g, 3000), -EINVAL);
	free(g.page);
}

static void chain_only(void **state)
{
	struct xd_pgdir dir;
	struct guest g;
	uint32_t fed;

	guest_init(&g, 3000);
	for (uint32_t d = 0; d < g.nr_dir; d++)
		memset(&g.page[d][1], 0, 1023 * 4);
	assert_int_equal(walk(&g, 3000), -EINVAL);
	assert_int_equal(walk_kind(&g, 3000, XD_PGDIR_CHAIN, &dir, &fed), 0);
	assert_int_equal(dir.nr_dir_pages, 3);
	assert_int_equal(dir.dir_grefs[2], DIR_REF + 2);
	xd_pgdir_finish(&dir);

	g.page[1][0] = DIR_REF + 1;
	assert_int_equal(walk_kind(&g, 3000, XD_PGDIR_CHAIN, &dir, &fed),
			 -EINVAL);
	xd_pgdir_finish(&dir);
	free(g.page);
}

static void incomplete_walk(void **state)
{
	struct xd_pgdir dir;
	struct guest g;

	guest_init(&g, 3000);
	assert_int_equal(xd_pgdir_init(&dir, DIR_REF, 3000, XD_PGDIR_GREFS), 0);
	assert_int_equal(xd_pgdir_feed(&dir, g.page[0]), 0);
	assert_int_equal(xd_pgdir_check(&dir), -EINVAL);
	assert_int_equal(xd_pgdir_feed(&dir, g.page[1]), 0);
	assert_int_equal(xd_pgdir_feed(&dir, g.page[2]), 0);
	assert_int_equal(xd_pgdir_feed(&dir, g.page[2]), -EINVAL);
	assert_int_equal(xd_pgdir_check(&dir), 0);
	xd_pgdir_finish(&dir);
	free(g.page);
}

/* What the guest writes after a page was fed changes nothing. */
static void pages_change_later(void **state)
{
	struct xd_pgdir dir;
	struct guest g;

	guest_init(&g, 2000);
	assert_int_equal(xd_pgdir_init(&dir, DIR_REF, 2000, XD_PGDIR_GREFS), 0);
	assert_int_equal(xd_pgdir_feed(&dir, g.page[0]), 0);
	memset(g.page[0], 0xff, 4096);
	assert_int_equal(xd_pgdir_feed(&dir, g.page[1]), 0);
	memset(g.page[1], 0, 4096);
	assert_int_equal(xd_pgdir_check(&dir), 0);
	for (uint32_t p = 0; p < 2000; p++)
		assert_int_equal(dir.grefs[p], 8 + p);
	xd_pgdir_finish(&dir);
	free(g.page);
}

/*
 * A page whose words change as soon as they have been read: reading faults, is
 * let through for one instruction, and then the word is 0.
 */
#ifdef __x86_64__
static uint32_t *trap_page;
static uint32_t *last_read;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	uint8_t *at = info->si_addr;

	(void)sig;
	if (at < (uint8_t *)trap_page || at >= (uint8_t *)(trap_page + 1024))
		abort();
	last_read = (uint32_t *)((uintptr_t)at & ~(uintptr_t)3);
	mprotect(trap_page, 4096, PROT_READ | PROT_WRITE);
	uc->uc_mcontext.gregs[REG_EFL] |= 0x100;	/* one step */
}

static void on_step(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	*last_read = 0;
	mprotect(trap_page, 4096, PROT_NONE);
	uc->uc_mcontext.gregs[REG_EFL] &= ~0x100;
}

static void each_word_read_once(void **state)
{
	struct sigaction fault = { .sa_sigaction = on_fault,
				   .sa_flags = SA_SIGINFO };
	struct sigaction step = { .sa_sigaction = on_step,
				  .sa_flags = SA_SIGINFO };
	struct sigaction old_fault, old_step;
	struct xd_pgdir dir;
	int ret;

	trap_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(trap_page != MAP_FAILED);
	for (uint32_t i = 1; i < 1024; i++)
		trap_page[i] = 100 + i;
	assert_int_equal(xd_pgdir_init(&dir, 5, 1023, XD_PGDIR_GREFS), 0);

	sigaction(SIGSEGV, &fault, &old_fault);
	sigaction(SIGTRAP, &step, &old_step);
	mprotect(trap_page, 4096, PROT_NONE);
	ret = xd_pgdir_feed(&dir, trap_page);
	mprotect(trap_page, 4096, PROT_READ | PROT_WRITE);
	sigaction(SIGSEGV, &old_fault, NULL);
	sigaction(SIGTRAP, &old_step, NULL);

	assert_int_equal(ret, 0);
	assert_int_equal(xd_pgdir_check(&dir), 0);
	for (uint32_t i = 1; i < 1024; i++) {
		assert_int_equal(dir.grefs[i - 1], 100 + i);
		assert_int_equal(trap_page[i], 0);
	}
	xd_pgdir_finish(&dir);
	munmap(trap_page, 4096);
}
#else
static void each_word_read_once(void **state)
{
	SKIP_BECAUSE("single-stepping is for x86-64");
}
#endif

int main(void)
{
	const struct CMUnitTest pgdir_tests[] = {
		TEST(sizes, "sizes"),
		TEST(good, "good"),
		TEST(bad_start, "bad-start"),
		TEST(zero_grefs, "zero-grefs"),
		TEST(repeated_grefs, "repeated-grefs"),
		TEST(directory_page_as_data, "directory-page-as-data"),
		TEST(sort_sees_all_bits, "sort-sees-all-bits"),
		TEST(short_chain, "short-chain"),
		TEST(long_chain, "long-chain"),
		TEST(cyclic_chain, "cyclic-chain"),
		TEST(chain_only, "chain-only"),
		TEST(incomplete_walk, "incomplete-walk"),
		TEST(pages_change_later, "pages-change-later"),
		TEST(each_word_read_once, "each-word-read-once"),
	};

	return cmocka_run_group_tests(pgdir_tests, NULL, NULL);
}
