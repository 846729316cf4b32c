/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to the daemon, and its answers. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/control.h"
#include "ctl/ctl.h"

static char answer[XD_CONTROL_MAX_ANSWER + 1];

int ctl_connect(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (strlen(ctl_socket) >= sizeof(addr.sun_path))
		ctl_die(2, "--socket \"%s\": longer than %zu bytes", ctl_socket,
		    sizeof(addr.sun_path) - 1);
	strcpy(addr.sun_path, ctl_socket);
	if (sock < 0 ||
	    connect(sock, (struct sockaddr *)&addr, sizeof(addr)))
		ctl_die(1, "cannot reach xen-displayd on %s: %s", ctl_socket,
		    strerror(errno));
	return sock;
}

char *ctl_converse(int sock, const char *question, int *ret_fd)
{
	struct iovec iov = { .iov_base = answer, .iov_len = sizeof(answer) - 1 };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} space;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &space,
		.msg_controllen = sizeof(space),
	};
	struct cmsghdr *cmsg;
	ssize_t len;

	*ret_fd = -1;
	if (send(sock, question, strlen(question), MSG_NOSIGNAL) < 0)
		ctl_die(1, "cannot ask xen-displayd: %s", strerror(errno));
	len = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	if (len < 0)
		ctl_die(1, "cannot take the answer: %s", strerror(errno));
	if (!len)
		ctl_die(1, "xen-displayd did not answer");
	if (msg.msg_flags & MSG_CTRUNC)
		ctl_die(1, "cannot take the picture: %s", strerror(EMFILE));
	answer[len] = '\0';
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fd, CMSG_DATA(cmsg), sizeof(int));
	return answer;
}

char *ctl_ask(const char *question, int *ret_fd)
{
	int sock = ctl_connect();

	ctl_converse(sock, question, ret_fd);
	close(sock);
	if (!strncmp(answer, "error ", 6))
		ctl_die(1, "%s: %s", question, answer + 6);
	if (strncmp(answer, "ok\n", 3))
		ctl_die(1, "xen-displayd answered \"%.32s\"", answer);
	return answer + 3;
}

/* The pixels that came with an answer, in a canvas. */
static void read_pixels(int fd, char *rows, struct xd_canvas *ret_canvas)
{
	unsigned int width, height, stride;
	size_t size, done = 0;
	ssize_t len;
	int ret;

	strsep(&rows, "\n");	/* the names */
	if (fd < 0 || !rows ||
	    sscanf(rows, "%u\t%u\t%u", &width, &height, &stride) != 3)
		ctl_die(1, "xen-displayd sent no picture");
	ret = xd_canvas_init(ret_canvas, width, height);
	if (ret)
		ctl_die(1, "cannot hold a picture of %ux%u: %s", width, height,
			strerror(-ret));
	if (stride != ret_canvas->stride)
		ctl_die(1, "xen-displayd sent no picture");
	size = (size_t)stride * height;
	while (done < size) {
		len = pread(fd, (char *)ret_canvas->data + done, size - done,
			    (off_t)done);
		if (len <= 0)
			ctl_die(1, "cannot read the picture: %s",
			    len ? strerror(errno) : "it is too short");
		done += (size_t)len;
	}
}

const char *ctl_take_picture(int sock, const struct ctl_target *target,
			     struct xd_canvas *ret_canvas)
{
	char question[XD_CONTROL_MAX_QUESTION];
	int fd;

	snprintf(question, sizeof(question), "screenshot %s %u",
		 target->device, target->conn);
	ctl_converse(sock, question, &fd);
	if (!strncmp(answer, "error ", 6))
		return answer + 6;
	if (strncmp(answer, "ok\n", 3))
		return "xen-displayd sent no picture";
	read_pixels(fd, answer + 3, ret_canvas);
	close(fd);
	return NULL;
}
