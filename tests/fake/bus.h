/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process's end of the machine. */
#ifndef TESTS_FAKE_BUS_H
#define TESTS_FAKE_BUS_H

#include "machine.h"

#define MAX_EXPORTS	64	/* of a process, in its life */

struct mapping;

/**
 * struct fake_bus_handle - a bus
 * @mappings:	that the process has; the machine itself counts by grant and bus
 * @spare:	descriptors of the machine's memory, each of a file description
 *		of its own: a process that has given up its rights opens none
 */
struct fake_bus_handle {
	struct xd_bus base;
	struct fake *fake;
	int index;
	struct mapping *mappings;
	int spare[MAX_EXPORTS];
};

/* export.c */
void bus_open_spares(struct fake_bus_handle *h);
void bus_close_spares(struct fake_bus_handle *h);
int bus_export(struct xd_bus *bus, uint32_t domid, const uint32_t *grefs,
	       unsigned int num, struct xd_export *ret_export,
	       const char **ret_why);
void bus_unexport(struct xd_bus *bus, struct xd_export *export);
bool bus_exported(struct xd_bus *bus, struct xd_export *export);

#endif /* TESTS_FAKE_BUS_H */
