/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/packet.h"
#include "core/message.h"

int xd_message_send(int sock, const struct xd_message *msg, int fd)
{
	return xd_packet_send(sock, msg, sizeof(*msg), fd);
}

int xd_message_receive(int sock, struct xd_message *msg, int *ret_fd)
{
	return xd_packet_receive(sock, msg, sizeof(*msg), ret_fd);
}
