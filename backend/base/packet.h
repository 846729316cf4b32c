/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fixed-size packets over SOCK_SEQPACKET, with a descriptor or without. */
#ifndef XD_BASE_PACKET_H
#define XD_BASE_PACKET_H

#include <stddef.h>

/**
 * xd_packet_send() - send one, with a descriptor or -1; does not wait
 * Return: 0 or -errno; -EAGAIN when the other side does not read, or when there is
 * no memory now.
 */
int xd_packet_send(int sock, const void *data, size_t size, int fd);

/**
 * xd_packet_receive() - take one of exactly @size bytes; does not wait
 * @ret_fd:	descriptor that came with it, the caller's, or -1, also when this
 *		process can have no more of them
 *
 * Return: 1, 0 at the end, or -errno; -EPROTO for one of another size.
 */
int xd_packet_receive(int sock, void *data, size_t size, int *ret_fd);

#endif /* XD_BASE_PACKET_H */
