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

const char *xd_step_failed(uint32_t step)
{
	static const char *const texts[] = {
		[XD_STEP_CONNECT] = "cannot connect",
		[XD_STEP_BUS] = "cannot open /dev/xen/gntdev and /dev/xen/evtchn",
		[XD_STEP_USER] = "cannot find the worker's user",
		[XD_STEP_RIGHTS] = "cannot drop rights",
		[XD_STEP_CALLS] = "cannot give up system calls",
	};

	return texts[step < sizeof(texts) / sizeof(*texts) ? step : 0];
}
