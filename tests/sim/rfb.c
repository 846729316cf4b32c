// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "front.h"
#include "rfb.h"

static void no_log(const char *format, ...)
{
	(void)format;
}

rfbClient *rfb_new(const struct sim *sim, uint32_t domid)
{
	rfbClient *client = rfbGetClient(8, 3, 4);
	char path[128];

	rfbClientLog = no_log;
	rfbClientErr = no_log;
	snprintf(path, sizeof(path), "%s/guest%u-0", sim->dir, domid);
	free(client->serverHost);
	client->serverHost = strdup(path);
	client->canHandleNewFBSize = TRUE;
	client->format.redShift = 16;
	client->format.greenShift = 8;
	client->format.blueShift = 0;
	return client;
}

rfbClient *rfb_connect(rfbClient *client)
{
	return rfbInitClient(client, NULL, NULL) ? client : NULL;
}

void rfb_close(rfbClient *client)
{
	free(client->frameBuffer);
	rfbClientCleanup(client);
}

bool rfb_has_picture(const rfbClient *client, uint32_t width, uint32_t height,
		     uint32_t seed)
{
	const uint32_t *pixels = (const uint32_t *)client->frameBuffer;

	if (client->width != (int)width || client->height != (int)height)
		return false;
	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++)
			if ((pixels[y * width + x] ^ sim_pixel(seed, x, y)) &
			    0xffffff)
				return false;
	return true;
}

void rfb_ask_size(rfbClient *client, uint16_t width, uint16_t height)
{
	uint8_t msg[24] = {
		[0] = rfbSetDesktopSize,
		[2] = (uint8_t)(width >> 8), [3] = (uint8_t)width,
		[4] = (uint8_t)(height >> 8), [5] = (uint8_t)height,
		[6] = 1,	/* screen, at (0,0) */
	};

	memcpy(&msg[16], &msg[2], 4);
	assert_true(WriteToRFBServer(client, (char *)msg, sizeof(msg)));
}

int rfb_raw_open(const struct sim *sim, uint32_t domid)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/guest%u-0",
		 sim->dir, domid);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)),
			 0);
	return fd;
}

size_t rfb_raw_read(int fd, void *data, size_t size)
{
	size_t got = 0;

	while (got < size) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		ssize_t len;

		if (poll(&pfd, 1, SIM_TIMEOUT_MS) <= 0)
			sim_fail("the server says nothing");
		len = read(fd, (char *)data + got, size - got);
		if (len <= 0)
			break;
		got += (size_t)len;
	}
	return got;
}

void rfb_raw_write(int fd, const void *data, size_t size)
{
	assert_int_equal(send(fd, data, size, MSG_NOSIGNAL), size);
}
