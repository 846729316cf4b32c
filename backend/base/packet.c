/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/packet.h"

union fd_control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

int xd_packet_send(int sock, const void *data, size_t size, int fd)
{
	struct iovec iov = {
		.iov_base = (void *)data,
		.iov_len = size,
	};
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };
	union fd_control control = { 0 };
	struct cmsghdr *cmsg;

	if (fd >= 0) {
		header.msg_control = &control;
		header.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&header);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	if (sendmsg(sock, &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return 0;
	return errno == ENOBUFS || errno == ENOMEM ? -EAGAIN : -errno;
}

/*
 * The one descriptor that came, or -1; -EPROTO if more did, which are closed. Some
 * may be missing: we have no room for more of them.
 */
static int take_fd(struct msghdr *header)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(header);
	size_t num, i;
	int fd = -1;

	if (!cmsg || cmsg->cmsg_level != SOL_SOCKET ||
	    cmsg->cmsg_type != SCM_RIGHTS)
		return -1;
	num = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	for (i = 0; i < num; i++) {
		memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));
		if (num > 1)
			close(fd);
	}
	return num > 1 ? -EPROTO : fd;
}

int xd_packet_receive(int sock, void *data, size_t size, int *ret_fd)
{
	struct iovec iov = { .iov_base = data, .iov_len = size };
	union fd_control control;
	struct msghdr header = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t len;
	int fd;

	*ret_fd = -1;
	len = recvmsg(sock, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	/* no memory to take it: it is still there, as a loop will tell */
	if (len < 0)
		return errno == ENOMEM ? -EAGAIN : -errno;
	fd = take_fd(&header);
	if (fd == -EPROTO)
		return fd;
	if ((size_t)len != size || header.msg_flags & MSG_TRUNC) {
		if (fd >= 0)
			close(fd);
		return len ? -EPROTO : 0;
	}
	*ret_fd = fd;
	return 1;
}
