// SPDX-License-Identifier: GPL-2.0-or-later
/* Kernel uevents, straight from the netlink socket. */
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kt.h"

int kt_uevent_open(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		int err = -errno;

		close(fd);
		return err;
	}

	return fd;
}

static void take(const char *line, const char *key, char *ret, size_t size)
{
	size_t len = strlen(key);

	if (!strncmp(line, key, len))
		snprintf(ret, size, "%s", line + len);
}

static void parse(const char *text, size_t len, struct kt_uevent *event)
{
	char id[12] = "";

	memset(event, 0, sizeof(*event));
	for (const char *end = text + len; text < end;
	     text += strnlen(text, (size_t)(end - text)) + 1) {
		take(text, "ACTION=", event->action, sizeof(event->action));
		take(text, "DEVNAME=", event->devname, sizeof(event->devname));
		take(text, "SUBSYSTEM=", event->subsystem,
		     sizeof(event->subsystem));
		take(text, "HOTPLUG=", event->hotplug, sizeof(event->hotplug));
		take(text, "CONNECTOR=", id, sizeof(id));
	}
	if (!pattern_parse_u32(id, UINT32_MAX, &event->connector))
		event->connector = 0;
}

int kt_uevent_next(int fd, uint64_t until_ns, struct kt_uevent *ret_event)
{
	char text[8192];

	for (;;) {
		ssize_t len = recv(fd, text, sizeof(text) - 1, 0);
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		uint64_t now = kt_now();

		if (len > 0) {
			text[len] = '\0';
			parse(text, (size_t)len, ret_event);
			return 1;
		}
		/* a full socket only means that events were lost */
		if (len < 0 && errno != EAGAIN && errno != EINTR &&
		    errno != ENOBUFS)
			return -errno;
		if (now >= until_ns)
			return 0;
		poll(&pfd, 1, (int)((until_ns - now) / KT_NS_PER_MS) + 1);
	}
}
