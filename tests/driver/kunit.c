// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs the driver's KUnit suites in user space, and prints TAP. */
#include "kunit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kunit_memory {
	struct kunit_memory *next;
	_Alignas(max_align_t) char data[];
};

static struct kunit_suite *suites;

void kunit_register(struct kunit_suite *suite)
{
	suite->next = suites;
	suites = suite;
}

void *kunit_alloc(struct kunit *test, size_t size)
{
	struct kunit_memory *memory = calloc(1, sizeof(*memory) + size);

	if (!memory)
		abort();
	memory->next = test->memory;
	test->memory = memory;
	return memory->data;
}

void kunit_fail(struct kunit *test, const char *file, int line,
		const char *what, bool end)
{
	printf("# %s:%d: %s does not hold\n", file, line, what);
	test->failed = true;
	if (end)
		longjmp(test->end, 1);
}

static bool run(const struct kunit_suite *suite, const struct kunit_case *c)
{
	struct kunit test = { .failed = false };

	if (!setjmp(test.end)) {
		if (suite->init && suite->init(&test))
			abort();
		c->run(&test);
	}
	if (suite->exit)
		suite->exit(&test);
	while (test.memory) {
		struct kunit_memory *next = test.memory->next;

		free(test.memory);
		test.memory = next;
	}
	return !test.failed;
}

/* UNIT_TEST=SUITE in the environment: that suite alone. */
int main(void)
{
	const char *only = getenv("UNIT_TEST");
	unsigned int n = 0, failed = 0;

	for (struct kunit_suite *suite = suites; suite; suite = suite->next) {
		if (only && strcmp(only, suite->name))
			continue;
		for (struct kunit_case *c = suite->test_cases; c->run; c++) {
			bool ok = run(suite, c);

			printf("%s %u - %s: %s\n", ok ? "ok" : "not ok", ++n,
			       suite->name, c->name);
			failed += !ok;
		}
	}
	printf("1..%u\n", n);
	return failed || !n;
}
