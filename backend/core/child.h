/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process that the supervisor started: for a guest, or for a client of it. */
#ifndef XD_CORE_CHILD_H
#define XD_CORE_CHILD_H

#include "xen/port.h"

/**
 * xd_child_run() - do what the first message says
 * @sock:	owned. To the supervisor; a viewer's leads to the worker
 * @open_bus:	opens the Xen bus to a guest, with backend-allocated buffers or
 *		without, before rights are dropped
 *
 * Return: exit status.
 */
int xd_child_run(int sock, struct xd_bus *(*open_bus)(uint32_t domid, bool share));

#endif /* XD_CORE_CHILD_H */
