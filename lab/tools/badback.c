// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * badback: a backend of displif that does one thing wrong, for the lab. It takes
 * the place of xen-displayd for a while, like a backend that was taken over.
 *
 *   badback CASE DOMID     play CASE to the device vdispl/0 of a domain
 *   badback --list [GROUP] names of the cases, in the order they are played
 *
 * Exit status: 0 it was played, 1 it could not be, 2 wrong use.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "badback.h"

#define WAIT_MS	20000	/* for a frontend to do its part, emulated */

static void play_connection(struct bad *b, const struct bad_case *bad_case)
{
	uint64_t until;
	bool there = bad_offer(b, bad_case->nodes);

	if (there == bad_case->refused)
		bad_die("the frontend %s", there ? "took it" : "refused it");
	if (!there)
		return;
	bad_map(b);
	if (bad_case->offered)
		bad_case->offered(b);
	bad_state(b, XenbusStateConnected);
	if (!bad_wait_state(b, XenbusStateConnected, XenbusStateConnected,
			    WAIT_MS))
		bad_die("the frontend does not connect");
	until = bad_now_ms() + (bad_case->ms ? bad_case->ms : 2000);
	if (bad_case->connected)
		bad_case->connected(b);
	bad_serve(b, bad_case, until);
	if (bad_case->all && b->count < bad_case->times)
		bad_die("%u times, not %u", b->count, bad_case->times);
	bad_unmap(b);
}

static int list(const char *group)
{
	for (unsigned int i = 0; i < bad_num_cases; i++)
		if (!group || !strcmp(bad_cases[i].group, group))
			puts(bad_cases[i].name);
	return 0;
}

static const struct bad_case *find(const char *name)
{
	for (unsigned int i = 0; i < bad_num_cases; i++)
		if (!strcmp(bad_cases[i].name, name))
			return &bad_cases[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct bad_case *bad_case;
	static struct bad b;

	if (argc >= 2 && argc <= 3 && !strcmp(argv[1], "--list"))
		return list(argv[2]);
	bad_case = argc == 3 ? find(argv[1]) : NULL;
	if (!bad_case) {
		fputs("usage: badback CASE DOMID | --list [GROUP]\n", stderr);
		return 2;
	}
	bad_open(&b, strtoul(argv[2], NULL, 10));
	if (bad_case->run)
		bad_case->run(&b);
	else
		play_connection(&b, bad_case);
	/* an operator may have set these: none of ours may stay */
	bad_nodes(&b, bad_case->nodes, true);
	printf("badback: %s, %u times\n", bad_case->name, b.count);
	return 0;
}
