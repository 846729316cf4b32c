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
	struct cmsghdr *cmsg;
	ssize_t len;
	int fd = -1;

	*ret_fd = -1;
	len = recvmsg(sock, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	/* no memory to take it: it is still there, as a loop will tell */
	if (len < 0)
		return errno == ENOMEM ? -EAGAIN : -errno;
	if (!len)
		return 0;
	cmsg = CMSG_FIRSTHDR(&header);
	if (cmsg && cmsg->cmsg_level == SOL_SOCKET &&
	    cmsg->cmsg_type == SCM_RIGHTS &&
	    cmsg->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(cmsg), sizeof(int));
	if ((size_t)len != size || header.msg_flags & MSG_TRUNC) {
		if (fd >= 0)
			close(fd);
		return -EPROTO;
	}
	*ret_fd = fd;
	return 1;
}
