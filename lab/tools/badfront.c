// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * badfront: a frontend of displif that does one thing wrong, for the lab's
 * guests. It takes the place of the kernel's driver, like that of a guest whose
 * kernel was taken over, and is the simulation's (tests/sim/bad.c).
 *
 *   badfront CASE	play CASE to the backend of device/vdispl/0
 *   badfront --list	names of the cases
 *
 * Exit status: 0 the backend did what it should, 1 it did not, 2 wrong use.
 */
#include <stdio.h>
#include <string.h>

#include "badfront.h"
#include "bad.h"

int main(int argc, char **argv)
{
	struct sim_front front = { .nr_conns = 1 };
	const char *name = NULL;
	unsigned int i;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (i = 0; sim_bad_name(i); i++)
			puts(sim_bad_name(i));
		return 0;
	}
	for (i = 0; argc == 2 && (name = sim_bad_name(i)); i++)
		if (!strcmp(name, argv[1]))
			break;
	if (!name) {
		fputs("usage: badfront CASE | --list\n", stderr);
		return 2;
	}
	front.fake = machine_open();
	front.domid = machine_domid(front.fake);
	sim_bad_play(&front, i);
	printf("badfront: %s\n", name);
	return 0;
}
