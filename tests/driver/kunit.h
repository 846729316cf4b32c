/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KUnit's macros, as far as the driver's tests use them; kunit.c runs the suites. */
#ifndef TESTS_DRIVER_KUNIT_H
#define TESTS_DRIVER_KUNIT_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * struct kunit - a test that runs
 * @priv: the suite's
 * @failed: something was not as expected
 * @end: where an assertion goes that does not hold
 * @memory: freed after the test
 */
struct kunit {
	void *priv;
	bool failed;
	jmp_buf end;
	struct kunit_memory *memory;
};

struct kunit_case {
	void (*run)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char *name;
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
	struct kunit_suite *next;
};

void *kunit_alloc(struct kunit *test, size_t size);
void kunit_register(struct kunit_suite *suite);
void kunit_fail(struct kunit *test, const char *file, int line,
		const char *what, bool end);

#define KUNIT_CASE(fn)	{ .run = (fn), .name = #fn }
#define kunit_kzalloc(test, size, gfp)	kunit_alloc(test, size)
#define kunit_test_suite(suite)						\
	__attribute__((constructor)) static void register_suite(void)	\
	{								\
		kunit_register(&(suite));				\
	}

#define KUNIT_WANT(test, cond, end)					\
	do {								\
		if (!(cond))						\
			kunit_fail(test, __FILE__, __LINE__, #cond,	\
				   end);				\
	} while (0)

#define KUNIT_EXPECT_EQ(test, a, b)	KUNIT_WANT(test, (a) == (b), false)
#define KUNIT_EXPECT_EQ_MSG(test, a, b, ...) \
	KUNIT_WANT(test, (a) == (b), false)
#define KUNIT_EXPECT_TRUE(test, a)	KUNIT_WANT(test, a, false)
#define KUNIT_EXPECT_FALSE(test, a)	KUNIT_WANT(test, !(a), false)
#define KUNIT_ASSERT_EQ(test, a, b)	KUNIT_WANT(test, (a) == (b), true)
#define KUNIT_ASSERT_NOT_NULL(test, a)	KUNIT_WANT(test, a, true)

#define MODULE_DESCRIPTION(text)
#define MODULE_LICENSE(text)

#endif /* TESTS_DRIVER_KUNIT_H */
