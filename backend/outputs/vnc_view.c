/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A viewer: libvncserver for one client. It may block while the client is
 * slow: this process has nothing else to do.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/input-event-codes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/packet.h"
#include "outputs/vnc.h"
#include "outputs/vnc_library.h"

/* A password of VNC has no more that count. */
#define PASSWORD_SIZE	8
/* For a person to type it, and for the handshake. */
#define LOGIN_SECONDS	60u
#define MIN_SIZE	16u
#define MAX_SIZE	8192u
/* A guest that takes the size it is asked for has done it by then. */
#define RESIZE_NS	1500000000u

/**
 * struct view - what there is to see
 * @passwords:	as rfbCheckPasswordByList() wants it
 * @pixels:	mapped, @size bytes; NULL until the worker sends a picture
 * @answer_by:	ns, the client asked for a size and shall know by then that it does
 *		not get it; 0: it did not
 * @typist:	keys, as the client told them
 * @buttons:	of the pointer, as the client told last
 * @gone:	so has the client
 * @known:	it may see the picture
 */
struct view {
	const struct xd_view_params *params;
	struct vnc_library library;
	char password[PASSWORD_SIZE + 1];
	char *passwords[2];
	rfbScreenInfoPtr screen;
	rfbClientPtr client;
	void *pixels;
	size_t size;
	uint32_t width;
	uint32_t height;
	uint64_t answer_by;
	struct vnc_typist typist;
	int buttons;
	bool gone;
	bool known;
};

/* To the worker */

static void tell(struct view *view, const struct vnc_packet *packet)
{
	struct pollfd pfd = { .fd = view->params->link, .events = POLLOUT };

	while (xd_packet_send(view->params->link, packet, sizeof(*packet),
			      -1) == -EAGAIN)
		poll(&pfd, 1, -1);
}

static void tell_input(struct view *view, const struct xd_input *input)
{
	const struct vnc_packet packet = {
		.type = VNC_INPUT,
		.input = *input,
	};

	tell(view, &packet);
}

static void tell_key(void *ctx, uint16_t code, bool down)
{
	struct view *view = ctx;
	const struct xd_input input = {
		.type = XD_INPUT_KEY,
		.code = code,
		.value = down,
	};

	tell_input(view, &input);
}

/* From the client */

static void on_key(rfbBool down, rfbKeySym keysym, rfbClientPtr client)
{
	struct view *view = client->screen->screenData;

	vnc_type(&view->typist, keysym, down);
}

static int32_t fraction(int at, uint32_t size)
{
	if (!size)
		return 0;
	if (at < 0)
		at = 0;
	if ((uint32_t)at >= size)
		at = (int)size - 1;
	/* of the pixel's middle */
	return (int32_t)(((uint64_t)at * XD_INPUT_RANGE + XD_INPUT_RANGE / 2) /
			 size);
}

static void tell_wheel(struct view *view, int32_t steps)
{
	const struct xd_input input = {
		.type = XD_INPUT_WHEEL,
		.value = steps,
	};

	tell_input(view, &input);
}

static void on_pointer(int buttons, int x, int y, rfbClientPtr client)
{
	static const uint16_t codes[] = {
		BTN_LEFT, BTN_MIDDLE, BTN_RIGHT, 0, 0, 0, 0, BTN_SIDE,
	};
	struct view *view = client->screen->screenData;
	const struct xd_input input = {
		.type = XD_INPUT_POINTER,
		.x = fraction(x, view->width),
		.y = fraction(y, view->height),
	};
	int changed = buttons ^ view->buttons;
	size_t i;

	view->buttons = buttons;
	tell_input(view, &input);
	for (i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (codes[i] && changed & 1 << i)
			tell_key(view, codes[i], buttons & 1 << i);
	if (changed & buttons & 1 << 3)
		tell_wheel(view, -1);
	if (changed & buttons & 1 << 4)
		tell_wheel(view, 1);
}

static bool is_size(int size)
{
	return size >= (int)MIN_SIZE && size <= (int)MAX_SIZE;
}

/*
 * Clients ask nothing more until they are answered. A new picture is the answer
 * that the guest has followed; refuse_size(), that it has not.
 */
static int on_size(int width, int height, int nr_screens,
		   struct rfbExtDesktopScreen *screens, rfbClientPtr client)
{
	const struct vnc_packet packet = {
		.type = VNC_SIZE,
		.width = (uint32_t)width,
		.height = (uint32_t)height,
	};
	struct view *view = client->screen->screenData;

	/* the library answers errors by itself */
	if (nr_screens != 1 || !is_size(width) || !is_size(height))
		return rfbExtDesktopSize_InvalidScreenLayout;
	tell(view, &packet);
	if (packet.width == view->width && packet.height == view->height) {
		client->newFBSizePending = TRUE;
		view->answer_by = 0;
	} else {
		view->answer_by = xd_now() + RESIZE_NS;
	}
	return rfbExtDesktopSize_Success;
}

/* What there is stays. */
static void refuse_size(struct view *view)
{
	if (!view->answer_by || xd_now() < view->answer_by)
		return;
	view->answer_by = 0;
	view->client->requestedDesktopSizeChange =
		rfbExtDesktopSize_ClientRequestedChange;
	view->client->lastDesktopSizeChangeError =
		rfbExtDesktopSize_ResizeProhibited;
	view->client->newFBSizePending = TRUE;
}

static void on_gone(rfbClientPtr client)
{
	struct view *view = client->screen->screenData;

	view->gone = true;
}

/* The library has its own idea of what is worth a line. */
static void no_log(const char *format, ...)
{
}

/* Pictures */

/* XRGB8888, which is not what the library takes it for. */
static void set_format(rfbScreenInfoPtr screen)
{
	screen->serverFormat.redShift = 16;
	screen->serverFormat.greenShift = 8;
	screen->serverFormat.blueShift = 0;
}

static void change_picture(struct view *view, void *pixels,
			   const struct vnc_packet *packet)
{
	view->library.new_framebuffer(view->screen, pixels, (int)packet->width,
				      (int)packet->height, 8, 3, 4);
	set_format(view->screen);
	view->screen->setTranslateFunction(view->client);
	view->answer_by = 0;
}

static int map_picture(struct view *view, const struct vnc_packet *packet,
		       int fd)
{
	const size_t size = (size_t)packet->width * packet->height * 4;
	void *pixels;

	if (!packet->width || !packet->height || packet->width > MAX_SIZE ||
	    packet->height > MAX_SIZE)
		return -EPROTO;
	pixels = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (pixels == MAP_FAILED)
		return -errno;
	if (view->screen)
		change_picture(view, pixels, packet);
	if (view->pixels)
		munmap(view->pixels, view->size);
	view->pixels = pixels;
	view->size = size;
	view->width = packet->width;
	view->height = packet->height;
	return 0;
}

static int take_packet(struct view *view, const struct vnc_packet *packet,
		       int fd)
{
	uint32_t i;

	if (packet->type == VNC_PICTURE && fd >= 0)
		return map_picture(view, packet, fd);
	if (packet->type != VNC_DAMAGE || packet->nr_boxes > VNC_MAX_BOXES)
		return -EPROTO;
	for (i = 0; i < packet->nr_boxes && view->screen; i++)
		view->library.mark_rect_as_modified(view->screen,
						    packet->boxes[i].x1,
						    packet->boxes[i].y1,
						    packet->boxes[i].x2,
						    packet->boxes[i].y2);
	return 0;
}

/* All that has come from the worker: 0 or -errno. */
static int read_link(struct view *view)
{
	struct vnc_packet packet;
	int fd, ret;

	while ((ret = xd_packet_receive(view->params->link, &packet,
					sizeof(packet), &fd)) > 0) {
		ret = take_packet(view, &packet, fd);
		if (fd >= 0)
			close(fd);
		if (ret)
			return ret;
	}
	if (!ret)
		return -EPIPE;
	return ret == -EAGAIN ? 0 : ret;
}

/* Beginning */

/* Nobody else may read it, or it is none. */
static int read_password(struct view *view, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	ssize_t len;
	int ret = 0;

	if (fd < 0)
		return -errno;
	len = read(fd, view->password, PASSWORD_SIZE);
	if (len < 0 || fstat(fd, &st))
		ret = -errno;
	else if (st.st_mode & (S_IRWXG | S_IRWXO))
		ret = -EPERM;
	close(fd);
	if (ret)
		return ret;
	view->password[len] = '\0';
	view->password[strcspn(view->password, "\r\n")] = '\0';
	view->passwords[0] = view->password;
	return *view->password ? 0 : -ENOKEY;
}

/* ms, -1: for ever */
static int time_left(const struct view *view)
{
	const uint64_t now = xd_now();

	if (!view->answer_by)
		return -1;
	return view->answer_by <= now ? 0 :
		(int)((view->answer_by - now) / 1000000 + 1);
}

static int wait_for(struct view *view, bool client)
{
	struct pollfd pfds[] = {
		{ .fd = view->params->link, .events = POLLIN },
		{ .fd = view->params->client, .events = POLLIN },
	};

	while (poll(pfds, client ? 2 : 1, time_left(view)) < 0)
		if (errno != EINTR)
			return -errno;
	return pfds[0].revents ? read_link(view) : 0;
}

static int start(struct view *view)
{
	const struct vnc_library *library = &view->library;
	rfbScreenInfoPtr screen;

	*library->log = no_log;
	*library->err = no_log;
	screen = library->get_screen(NULL, NULL, (int)view->width,
				     (int)view->height, 8, 3, 4);
	if (!screen)
		return -ENOMEM;
	view->screen = screen;
	screen->screenData = view;
	screen->frameBuffer = view->pixels;
	set_format(screen);
	screen->desktopName = view->params->guest;
	screen->cursor = NULL;
	screen->alwaysShared = TRUE;
	screen->deferUpdateTime = 0;
	screen->deferPtrUpdateTime = 0;
	screen->permitFileTransfer = FALSE;
	screen->autoPort = FALSE;
	screen->port = 0;
	screen->ipv6port = 0;
	screen->httpDir = NULL;
	screen->kbdAddEvent = on_key;
	screen->ptrAddEvent = on_pointer;
	screen->setDesktopSizeHook = on_size;
	if (view->passwords[0]) {
		screen->authPasswdData = view->passwords;
		screen->passwordCheck = library->check_password_by_list;
	}
	/* it closes the descriptor, and does not say when it fails */
	view->client = library->new_client(screen,
					   fcntl(view->params->client,
						 F_DUPFD_CLOEXEC, 0));
	if (!view->client)
		return -EIO;
	view->client->clientGoneHook = on_gone;
	return 0;
}

static int run(struct view *view)
{
	int ret = 0;

	while (!ret && !view->pixels)
		ret = wait_for(view, false);
	if (!ret)
		ret = start(view);
	while (!ret && !view->gone) {
		view->library.process_events(view->screen, 0);
		if (view->gone)
			break;
		if (!view->known && view->client->state == RFB_NORMAL) {
			view->known = true;
			alarm(0);
		}
		ret = wait_for(view, true);
		refuse_size(view);
	}
	return ret;
}

int vnc_view(const struct xd_view_params *params, char why[XD_WHY_SIZE])
{
	const char *path = params->options->text[XD_OPTION_VNC_PASSWORD_FILE];
	struct view view = {
		.params = params,
		.typist = { .tell = tell_key, .ctx = &view },
	};
	int ret = 0;

	if (*path)
		ret = read_password(&view, path);
	if (!ret)
		ret = vnc_library_load(&view.library, why);
	if (ret)
		return ret;
	/* the library uses write() on a client that may have gone */
	signal(SIGPIPE, SIG_IGN);
	/* who does not log in leaves room for others */
	alarm(LOGIN_SECONDS);
	ret = params->drop_rights(params->ctx);
	if (!ret)
		ret = run(&view);
	explicit_bzero(view.password, sizeof(view.password));
	/* the rest goes with the process */
	return ret;
}
