// SPDX-License-Identifier: GPL-2.0-or-later
/* base/packet.h: what a worker or a viewer may send. */
#include "unit.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/packet.h"

static int socks[2];

static int open_pair(void **state)
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks);
}

static int close_pair(void **state)
{
	close(socks[0]);
	close(socks[1]);
	return 0;
}

/* The lowest number that is free: as before, if nothing was left open. */
static int next_fd(void)
{
	int fd = dup(socks[0]);

	close(fd);
	return fd;
}

/* @num descriptors with a packet of @size bytes, as one who breaks the rules. */
static void send_fds(size_t size, unsigned int num)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(8 * sizeof(int))];
	} control = { 0 };
	char data[64] = "";
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr header = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_LEN(num * sizeof(int)),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);
	unsigned int i;

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(num * sizeof(int));
	for (i = 0; i < num; i++)
		memcpy(CMSG_DATA(cmsg) + i * sizeof(int), &socks[1],
		       sizeof(int));
	assert_int_equal(sendmsg(socks[0], &header, 0), size);
}

static void one_descriptor(void **state)
{
	char data[16] = "";
	int fd;

	assert_int_equal(xd_packet_send(socks[0], data, sizeof(data),
					socks[1]), 0);
	assert_int_equal(xd_packet_receive(socks[1], data, sizeof(data), &fd),
			 1);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	assert_int_equal(xd_packet_send(socks[0], data, sizeof(data), -1), 0);
	assert_int_equal(xd_packet_receive(socks[1], data, sizeof(data), &fd),
			 1);
	assert_int_equal(fd, -1);
}

static void too_many_descriptors(void **state)
{
	int fd, before = next_fd();
	unsigned int num;
	char data[16];

	for (num = 2; num <= 8; num++) {
		send_fds(sizeof(data), num);
		assert_int_equal(xd_packet_receive(socks[1], data,
						   sizeof(data), &fd), -EPROTO);
		assert_int_equal(fd, -1);
		assert_int_equal(next_fd(), before);
	}
}

static void wrong_size(void **state)
{
	int fd, before = next_fd();
	char data[16];

	send_fds(sizeof(data) - 1, 1);
	assert_int_equal(xd_packet_receive(socks[1], data, sizeof(data), &fd),
			 -EPROTO);
	send_fds(sizeof(data) + 1, 1);
	assert_int_equal(xd_packet_receive(socks[1], data, sizeof(data), &fd),
			 -EPROTO);
	assert_int_equal(fd, -1);
	assert_int_equal(next_fd(), before);
}

/* An empty packet is taken for the end: what comes with it goes, too. */
static void empty_packet(void **state)
{
	int fd, before = next_fd();
	char data[16];
	unsigned int num;

	for (num = 1; num <= 2; num++) {
		send_fds(0, num);
		assert_true(xd_packet_receive(socks[1], data, sizeof(data),
					      &fd) <= 0);
		assert_int_equal(fd, -1);
		assert_int_equal(next_fd(), before);
	}
}

#define PAIR_TEST(fn, label)	{ label, fn, open_pair, close_pair, NULL }

int main(void)
{
	const struct CMUnitTest packet_tests[] = {
		PAIR_TEST(one_descriptor, "one-descriptor"),
		PAIR_TEST(too_many_descriptors, "too-many-descriptors"),
		PAIR_TEST(wrong_size, "wrong-size"),
		PAIR_TEST(empty_packet, "empty-packet"),
	};

	return cmocka_run_group_tests(packet_tests, NULL, NULL);
}
