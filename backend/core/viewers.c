/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients that want to see a guest's monitors. Each is accepted here and handed
 * to a process of its own; not a byte of it is read in this one.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "core/supervisor.h"
#include "outputs/output.h"

/*
 * A viewer's socket leads to the worker. What the viewer has to know of us lies
 * in it before the worker gets its end.
 */
static int send_ends(struct xd_device *dev, unsigned int conn, int link,
		     int client)
{
	const struct xd_message view = {
		.type = XD_MSG_VIEW,
		.conn = conn,
		.child = dev->connect.child,
	};
	const struct xd_message attach = {
		.type = XD_MSG_ATTACH,
		.conn = conn,
	};
	int ret;

	ret = xd_message_send(link, &view, client);
	return ret ? ret : xd_message_send(dev->sock, &attach, link);
}

static int start_viewer(struct xd_device *dev, unsigned int conn, int client,
			pid_t *ret_pid)
{
	int links[2];
	pid_t pid;
	int ret;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0, links))
		return -errno;
	ret = send_ends(dev, conn, links[1], client);
	/*
	 * The worker sends a picture with each mode, and a viewer with a slow client
	 * does not read: what lies in the socket is paid for by nobody. The kernel
	 * makes of this the least it has, a few packets.
	 */
	if (!ret && setsockopt(links[1], SOL_SOCKET, SO_SNDBUF, &(int){ 1 },
			       sizeof(int)))
		ret = -errno;
	pid = ret ? ret : dev->sup->spawn(links[0]);
	close(links[0]);
	close(links[1]);
	if (pid < 0)
		return pid;
	*ret_pid = pid;
	return 0;
}

static pid_t *free_place(struct xd_device *dev)
{
	int i;

	for (i = 0; i < XD_MAX_VIEWERS; i++)
		if (!dev->viewers[i])
			return &dev->viewers[i];
	return NULL;
}

static void listener_ready(void *ctx, uint32_t events)
{
	struct xd_listener *listener = ctx;
	struct xd_device *dev = listener->dev;
	int client = accept4(listener->source.fd, NULL, NULL,
			     SOCK_CLOEXEC | SOCK_NONBLOCK);
	pid_t *place = free_place(dev);
	int ret;

	if (client < 0) {
		/* else: it thought better of it */
		xd_rest_if_full(dev->sup, &listener->source, errno);
		return;
	}
	ret = place ? start_viewer(dev, listener->conn, client, place) :
		-EUSERS;
	if (ret)
		xd_device_warn(dev, "a client is turned away: %s",
			       strerror(-ret));
	close(client);
}

/* A guest's displays do not take each other's socket. */
static void name_listener(const struct xd_device *dev, char *name, size_t size)
{
	if (dev->devid)
		snprintf(name, size, "%s:%u", dev->connect.child.guest,
			 dev->devid);
	else
		snprintf(name, size, "%s", dev->connect.child.guest);
}

static int start_listener(struct xd_device *dev, unsigned int conn,
			  const struct xd_output_ops *ops)
{
	struct xd_listener *listener = &dev->listeners[conn];
	char name[XD_GUEST_NAME_SIZE + 12];
	struct stat st;
	int fd, ret;

	name_listener(dev, name, sizeof(name));
	fd = ops->listen(&dev->connect.child.options, name, conn,
			 listener->address);
	if (fd < 0)
		return fd;
	listener->inode = *listener->address == '/' &&
		!lstat(listener->address, &st) ? st.st_ino : 0;
	listener->dev = dev;
	listener->conn = conn;
	ret = xd_source_add(dev->sup->loop, &listener->source, fd, EPOLLIN,
			    listener_ready, listener);
	if (ret) {
		close(fd);
		return ret;
	}
	xd_device_info(dev, "connector %u: %s at %s", conn, ops->name,
		       listener->address);
	return 0;
}

int xd_viewers_start(struct xd_device *dev)
{
	const struct xd_output_ops *ops =
		xd_output_find(dev->connect.child.output);
	unsigned int i;
	int ret = 0;

	if (!ops || !ops->listen)
		return 0;
	for (i = 0; i < dev->connect.nr_conns && !ret; i++)
		ret = start_listener(dev, i, ops);
	if (ret)
		xd_viewers_finish(dev);
	return ret;
}

void xd_viewers_listen(struct xd_device *dev)
{
	int i;

	for (i = 0; i < XD_MAX_CONNECTORS; i++)
		if (dev->listeners[i].source.fd >= 0)
			xd_listen_again(dev->sup, &dev->listeners[i].source);
}

/* What another daemon, or a person, put in its place stays. */
static void unlink_listener(const struct xd_listener *listener)
{
	struct stat st;

	if (*listener->address == '/' && !lstat(listener->address, &st) &&
	    S_ISSOCK(st.st_mode) && st.st_ino == listener->inode)
		unlink(listener->address);
}

/* Those who look go with the worker. */
void xd_viewers_finish(struct xd_device *dev)
{
	int i;

	for (i = 0; i < XD_MAX_CONNECTORS; i++) {
		int fd = dev->listeners[i].source.fd;

		if (fd < 0)
			continue;
		xd_source_del(dev->sup->loop, &dev->listeners[i].source);
		close(fd);
		dev->listeners[i].source.fd = -1;
		unlink_listener(&dev->listeners[i]);
	}
}

bool xd_viewers_ended(struct xd_device *dev, pid_t pid, int status)
{
	int i;

	for (i = 0; i < XD_MAX_VIEWERS && dev->viewers[i] != pid; i++)
		;
	if (i == XD_MAX_VIEWERS)
		return false;
	dev->viewers[i] = 0;
	xd_debug("domain %u (%s): a viewer has ended", dev->domid, dev->guest);
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGALRM)
		xd_device_warn(dev, "a viewer died of signal %d",
			       WTERMSIG(status));
	return true;
}
