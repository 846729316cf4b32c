/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's vkbd, in the process that serves it: what people do at the guest's
 * monitors goes into a ring that the guest reads.
 */
#ifndef XD_CORE_KEYBOARD_H
#define XD_CORE_KEYBOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/message.h"
#include "xen/port.h"

/**
 * xd_keyboard_serve() - serve until the supervisor goes
 * @sock:	to the supervisor, stays the caller's
 * @bus:	stays the caller's
 * @params:	whom, and how
 * @input_fd:	struct xd_input come here, stays the caller's
 *
 * Return: 0 or -errno.
 */
int xd_keyboard_serve(int sock, struct xd_bus *bus,
		      const struct xd_keyboard_params *params, int input_fd);

/* Is it what an output may tell? */
bool xd_input_is_valid(const struct xd_input *input);

#endif /* XD_CORE_KEYBOARD_H */
