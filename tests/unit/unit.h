/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every unit test includes: cmocka wants these headers before its own. */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* A test under a kebab-case name. */
#define TEST(fn, label)	{ label, fn, NULL, NULL, NULL }

/* Skips the test that runs; tests/native shows why. */
#define SKIP_BECAUSE(why) \
	do { print_message("# skipped: %s\n", why); skip(); } while (0)

/* UNIT_TEST=NAME in the environment: that test alone. */
__attribute__((constructor)) static void choose_test(void)
{
	const char *name = getenv("UNIT_TEST");

	if (name)
		cmocka_set_test_filter(name);
}

#endif /* TESTS_UNIT_UNIT_H */
