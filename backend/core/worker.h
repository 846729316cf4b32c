/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that serves one connection of one guest's device. */
#ifndef XD_CORE_WORKER_H
#define XD_CORE_WORKER_H

#include "xen/port.h"

/**
 * xd_worker_run() - serve until the supervisor goes or says so
 * @sock:	to the supervisor, owned
 * @open_bus:	opens the Xen bus, before rights are dropped
 *
 * Return: exit status.
 */
int xd_worker_run(int sock, struct xd_bus *(*open_bus)(void));

#endif /* XD_CORE_WORKER_H */
