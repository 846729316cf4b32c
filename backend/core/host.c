/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an output needs of its host and a worker may not open: the supervisor
 * does, and hands it over. A worker that asks without end gets little for it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "core/supervisor.h"
#include "outputs/output.h"

#define INTERVAL	50000000u	/* ns, between two answers to a worker */

static int open_output(struct xd_device *dev, const struct xd_output_ops *ops)
{
	int fd = ops->open(&dev->connect.child.options, dev->connect.child.guest);
	int err = fd < 0 ? fd : 0;

	/* once, not each time that it is tried again */
	if (err && err != dev->open_err)
		xd_device_warn(dev, "cannot open output %s: %s",
			       dev->connect.child.output, strerror(-err));
	dev->open_err = err;
	return fd;
}

int xd_device_open_output(struct xd_device *dev, int *ret_fd)
{
	const struct xd_output_ops *ops = xd_output_find(dev->connect.child.output);

	*ret_fd = -1;
	if (!ops || !ops->open)
		return 0;
	*ret_fd = open_output(dev, ops);
	if (*ret_fd >= 0)
		return 0;
	/* one that can do without for a while asks by itself */
	return ops->reopened ? 0 : *ret_fd;
}

void xd_device_reopen_output(struct xd_device *dev)
{
	const struct xd_output_ops *ops = xd_output_find(dev->connect.child.output);
	struct xd_message msg = { .type = XD_MSG_REOPENED };
	uint64_t now = xd_now();
	int fd = -EAGAIN;

	if (!ops || !ops->open || !ops->reopened)
		return;
	if (now - dev->reopened >= INTERVAL) {
		dev->reopened = now;
		fd = open_output(dev, ops);
	}
	msg.err = fd < 0 ? fd : 0;
	/* it asks again if this is lost */
	xd_message_send(dev->sock, &msg, fd);
	if (fd >= 0)
		close(fd);
}
