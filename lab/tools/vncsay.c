// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A VNC client for scripts: does one thing, waits until the server has taken
 * it, and ends. Exit status: 0, 1 when it failed, 2 for wrong use.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/socket.h>
#include <unistd.h>

#include <png.h>
#include <rfb/rfbclient.h>

#define WAIT_US		1000000
#define MAX_WAITS	60

static const char usage[] =
"usage: vncsay HOST PORT picture FILE.png   what is on the screen\n"
"       vncsay HOST PORT watch              until the server hangs up\n"
"       vncsay HOST PORT type TEXT          printable ASCII, a key each, and Return\n"
"       vncsay HOST PORT click X Y          with the left button\n"
"       vncsay HOST PORT size W H           ask for, wait for it, tell how long\n"
"       vncsay HOST PORT ask W H            ask for, and do not wait\n"
"HOST may be the path of a socket.\n"
"$VNCSAY_PASSWORD is the password.\n";

static long pixels_seen;

/* Not an update: one of sizes or cursors has no pixels. */
static void on_pixels(rfbClient *client, int x, int y, int w, int h)
{
	(void)client;
	(void)x;
	(void)y;
	pixels_seen += (long)w * h;
}

static char *give_password(rfbClient *client)
{
	const char *password = getenv("VNCSAY_PASSWORD");

	(void)client;
	return strdup(password ? password : "");
}

static void no_log(const char *format, ...)
{
	(void)format;
}

static rfbClient *connect_to(const char *host, int port)
{
	rfbClient *client = rfbGetClient(8, 3, 4);

	rfbClientLog = no_log;
	client->GetPassword = give_password;
	client->GotFrameBufferUpdate = on_pixels;
	client->canHandleNewFBSize = TRUE;
	client->appData.encodingsString = "zrle";
	free(client->serverHost);
	client->serverHost = strdup(host);
	client->serverPort = port;
	return rfbInitClient(client, NULL, NULL) ? client : NULL;
}

/* Until @done; false when the server says nothing more. */
static bool wait_until(rfbClient *client, bool (*done)(rfbClient *client))
{
	for (int i = 0; i < MAX_WAITS && !done(client); i++) {
		int n = WaitForMessage(client, WAIT_US);

		if (n < 0 || (n && !HandleRFBServerMessage(client)))
			return false;
	}
	return done(client);
}

static bool has_all(rfbClient *client)
{
	return pixels_seen >= (long)client->width * client->height;
}

/* What was sent before has been looked at when the server has hung up, too. */
static bool hang_up(rfbClient *client)
{
	char rest[4096];
	struct pollfd pfd = { .fd = client->sock, .events = POLLIN };
	ssize_t len = 1;

	if (shutdown(client->sock, SHUT_WR))
		return false;
	while (len > 0 && poll(&pfd, 1, MAX_WAITS * 1000) > 0)
		len = read(client->sock, rest, sizeof(rest));
	return len == 0;
}

static bool picture(rfbClient *client, const char *path)
{
	png_image image = {
		.version = PNG_IMAGE_VERSION,
		.width = (png_uint_32)client->width,
		.height = (png_uint_32)client->height,
		.format = PNG_FORMAT_RGB,
	};
	size_t pixels = (size_t)client->width * (size_t)client->height;
	uint8_t *rgb = malloc(pixels * 3);

	if (!rgb || !wait_until(client, has_all))
		return false;
	for (size_t i = 0; i < pixels; i++)
		memcpy(&rgb[i * 3], &client->frameBuffer[i * 4], 3);
	return png_image_write_to_file(&image, path, 0, rgb, 0, NULL);
}

/* Says so when it has the first picture. */
static bool watch(rfbClient *client)
{
	int n;

	if (!wait_until(client, has_all) || puts("watching") < 0 ||
	    fflush(stdout))
		return false;
	do
		n = WaitForMessage(client, WAIT_US);
	while (n >= 0 && (!n || HandleRFBServerMessage(client)));
	return true;
}

/* As on a US keyboard: what needs Shift gets it. */
static bool type(rfbClient *client, const char *text)
{
	static const char shifted[] = "~!@#$%^&*()_+{}|:\"<>?";
	bool ok = true;

	for (; *text && ok; text++) {
		uint32_t key = *text == '\n' ? 0xff0d : (unsigned char)*text;
		bool shift = strchr(shifted, *text) ||
			(*text >= 'A' && *text <= 'Z');

		if (shift)
			ok = SendKeyEvent(client, 0xffe1, TRUE);
		ok = ok && SendKeyEvent(client, key, TRUE) &&
			SendKeyEvent(client, key, FALSE);
		if (shift)
			ok = ok && SendKeyEvent(client, 0xffe1, FALSE);
	}
	return ok && hang_up(client);
}

static bool click(rfbClient *client, int x, int y)
{
	return SendPointerEvent(client, x, y, 0) &&
		SendPointerEvent(client, x, y, rfbButton1Mask) &&
		SendPointerEvent(client, x, y, 0) && hang_up(client);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int want_width, want_height;

static bool is_resized(rfbClient *client)
{
	return client->width == want_width && client->height == want_height;
}

static bool size(rfbClient *client, int width, int height)
{
	uint64_t asked;

	want_width = width;
	want_height = height;
	if (!wait_until(client, has_all))
		return false;
	asked = now_ms();
	if (!SendExtDesktopSize(client, (uint16_t)width, (uint16_t)height) ||
	    !wait_until(client, is_resized))
		return false;
	printf("%dx%d after %llu ms\n", width, height,
	       (unsigned long long)(now_ms() - asked));
	return true;
}

/* Any size: 0x0 unplugs the monitor of QEMU's graphics card. */
static bool ask(rfbClient *client, int width, int height)
{
	rfbSetDesktopSizeMsg msg = {
		.type = rfbSetDesktopSize,
		.width = rfbClientSwap16IfLE((uint16_t)width),
		.height = rfbClientSwap16IfLE((uint16_t)height),
		.numberOfScreens = 1,
	};
	rfbExtDesktopScreen screen = {
		.width = msg.width,
		.height = msg.height,
	};

	return wait_until(client, has_all) &&
		WriteToRFBServer(client, (char *)&msg, sz_rfbSetDesktopSizeMsg) &&
		WriteToRFBServer(client, (char *)&screen,
				 sz_rfbExtDesktopScreen) &&
		hang_up(client);
}

static bool act(rfbClient *client, int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[0], "picture"))
		return picture(client, argv[1]);
	if (argc == 1 && !strcmp(argv[0], "watch"))
		return watch(client);
	if (argc == 2 && !strcmp(argv[0], "type"))
		return type(client, argv[1]);
	if (argc == 3 && !strcmp(argv[0], "click"))
		return click(client, atoi(argv[1]), atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[0], "size"))
		return size(client, atoi(argv[1]), atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[0], "ask"))
		return ask(client, atoi(argv[1]), atoi(argv[2]));
	fputs(usage, stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	rfbClient *client;

	if (argc < 4) {
		fputs(usage, stderr);
		return 2;
	}
	client = connect_to(argv[1], atoi(argv[2]));
	if (!client) {
		fprintf(stderr, "vncsay: not let in at %s:%s\n", argv[1],
			argv[2]);
		return 1;
	}
	if (!act(client, argc - 3, argv + 3)) {
		fprintf(stderr, "vncsay: %s: failed\n", argv[3]);
		return 1;
	}
	rfbClientCleanup(client);
	return 0;
}
