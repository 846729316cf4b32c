/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that serves one connection of one guest's device. */
#ifndef XD_CORE_WORKER_H
#define XD_CORE_WORKER_H

#include "core/message.h"
#include "xen/port.h"

/**
 * xd_worker_serve() - serve until the supervisor goes or says so
 * @sock:	to the supervisor, stays the caller's
 * @bus:	stays the caller's
 * @connect:	whom, and how
 * @output_fd:	of the output, owned, or -1
 *
 * Return: 0 or -errno.
 */
int xd_worker_serve(int sock, struct xd_bus *bus,
		    const struct xd_connect *connect, int output_fd);

#endif /* XD_CORE_WORKER_H */
