/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an output needs of its host and a worker may not open: the supervisor
 * does, and hands it over. A worker that asks without end gets little for it.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"
#include "core/supervisor.h"
#include "outputs/output.h"

#define INTERVAL	50000000u	/* ns, between two answers to a worker */

static int open_output(struct xd_device *dev, const struct xd_output_ops *ops)
{
	char why[XD_WHY_SIZE] = "";
	int fd = ops->open(&dev->connect.child.options,
			   dev->connect.child.guest, dev->connect.nr_conns,
			   why);
	int err = fd < 0 ? fd : 0;

	/* once, not each time that it is tried again */
	if (err && err != dev->open_err)
		xd_device_warn(dev, "cannot open output %s: %s; trying again",
			       dev->connect.child.output,
			       *why ? why : strerror(-err));
	dev->open_err = err;
	return fd;
}

void xd_host_tell(struct xd_supervisor *sup)
{
	const struct xd_message msg = { .type = XD_MSG_HOTPLUG };
	struct xd_device *dev;

	for (dev = sup->devices; dev; dev = dev->next) {
		/* a worker that starts looks for itself */
		dev->owes_hotplug = dev->owes_hotplug && dev->sock >= 0 &&
			xd_message_send(dev->sock, &msg, -1);
		if (dev->owes_hotplug)
			xd_look_again(sup);
	}
}

static void host_changed(void *ctx, uint32_t events)
{
	struct xd_supervisor *sup = ctx;
	struct xd_device *dev;

	if (!sup->host_ops->watched(sup->host_source.fd))
		return;
	for (dev = sup->devices; dev; dev = dev->next)
		dev->owes_hotplug =
			xd_output_find(dev->connect.child.output) ==
			sup->host_ops;
	xd_host_tell(sup);
}

/* From the first device on that has such an output; one kind has it. */
static void watch_host(struct xd_supervisor *sup,
		       const struct xd_output_ops *ops)
{
	int fd;

	if (!ops->watch || sup->host_ops)
		return;
	fd = ops->watch();
	if (fd < 0 || xd_source_add(sup->loop, &sup->host_source, fd, EPOLLIN,
				    host_changed, sup)) {
		xd_warn("cannot see monitors come and go: %s",
			strerror(fd < 0 ? -fd : ENOMEM));
		if (fd >= 0)
			close(fd);
		return;
	}
	sup->host_ops = ops;
}

void xd_host_finish(struct xd_supervisor *sup)
{
	const int fd = sup->host_source.fd;

	if (!sup->host_ops)
		return;
	xd_source_del(sup->loop, &sup->host_source);
	close(fd);
	sup->host_ops = NULL;
}

int xd_device_open_output(struct xd_device *dev, int *ret_fd)
{
	const struct xd_output_ops *ops = xd_output_find(dev->connect.child.output);

	*ret_fd = -1;
	if (!ops || !ops->open)
		return 0;
	watch_host(dev->sup, ops);
	*ret_fd = open_output(dev, ops);
	if (*ret_fd >= 0)
		return 0;
	/* one that can do without for a while asks by itself */
	return ops->reopened ? 0 : *ret_fd;
}

void xd_device_closed_output(struct xd_device *dev)
{
	const struct xd_output_ops *ops = xd_output_find(dev->connect.child.output);

	if (ops && ops->closed)
		ops->closed();
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
