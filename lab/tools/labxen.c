// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * labxen: what the lab asks of the hypervisor. xl can do the same, but takes
 * half a second of emulated time to start.
 *
 *   labxen left            domains other than 0; status 1 if there are any
 *   labxen gone ID SECONDS wait until a domain is gone; status 1 if it is not
 *   labxen domid NAME      the number of a domain, from XenStore
 *   labxen cputime ID      processor time of a domain, ns
 *   labxen log             print Xen's console ring and empty it
 *   labxen key KEY         send a debug key
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenstore.h>

#define MAX_DOMAINS 64

static int cmd_left(xc_interface *xch)
{
	xc_dominfo_t info[MAX_DOMAINS];
	int i, n = xc_domain_getinfo(xch, 1, MAX_DOMAINS, info);

	for (i = 0; i < n; i++)
		printf("domain %u%s%s%s, %lu pages\n", info[i].domid,
		       info[i].dying ? ", dying" : "",
		       info[i].crashed ? ", crashed" : "",
		       info[i].shutdown ? ", shut down" : "",
		       info[i].nr_pages);
	return n > 0;
}

static int cmd_gone(xc_interface *xch, uint32_t domid, long seconds)
{
	const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
	xc_dominfo_t info;
	long tries = seconds * 20;

	while (xc_domain_getinfo(xch, domid, 1, &info) == 1 &&
	       info.domid == domid) {
		if (tries-- <= 0)
			return 1;
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int cmd_cputime(xc_interface *xch, uint32_t domid)
{
	xc_dominfo_t info;

	if (xc_domain_getinfo(xch, domid, 1, &info) != 1 || info.domid != domid)
		return 1;
	printf("%llu\n", (unsigned long long)info.cpu_time);
	return 0;
}

static int cmd_log(xc_interface *xch)
{
	static char buffer[1 << 18];
	unsigned int size = sizeof(buffer), index = 0;

	if (xc_readconsolering(xch, buffer, &size, 1, 0, &index))
		return 1;
	return fwrite(buffer, 1, size, stdout) != size;
}

static int cmd_domid(const char *name)
{
	struct xs_handle *xs = xs_open(0);
	char path[64], **ids, *value;
	unsigned int count, len, i;
	int ret = 1;

	ids = xs ? xs_directory(xs, XBT_NULL, "/local/domain", &count) : NULL;
	for (i = 0; ids && i < count && ret; i++) {
		snprintf(path, sizeof(path), "/local/domain/%s/name", ids[i]);
		value = xs_read(xs, XBT_NULL, path, &len);
		if (value && !strcmp(value, name)) {
			puts(ids[i]);
			ret = 0;
		}
		free(value);
	}
	free(ids);
	xs_close(xs);
	return ret;
}

int main(int argc, char **argv)
{
	const char *cmd = argc > 1 ? argv[1] : "";
	xc_interface *xch;

	if (!strcmp(cmd, "domid") && argc == 3)
		return cmd_domid(argv[2]);
	xch = xc_interface_open(NULL, NULL, 0);
	if (!xch)
		return 3;
	if (!strcmp(cmd, "left") && argc == 2)
		return cmd_left(xch);
	if (!strcmp(cmd, "gone") && argc == 4)
		return cmd_gone(xch, atoi(argv[2]), atol(argv[3]));
	if (!strcmp(cmd, "cputime") && argc == 3)
		return cmd_cputime(xch, (uint32_t)atoi(argv[2]));
	if (!strcmp(cmd, "log") && argc == 2)
		return cmd_log(xch);
	if (!strcmp(cmd, "key") && argc == 3)
		return !!xc_send_debug_keys(xch, argv[2]);
	fputs("usage: labxen left | gone ID SECONDS | domid NAME | cputime ID | log | key KEY\n",
	      stderr);
	return 2;
}
