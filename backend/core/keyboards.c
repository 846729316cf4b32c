/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vkbd devices of guests. Linux's xen-kbdfront knows fewer states than a
 * display does: it publishes its ring once, takes our InitWait for Connected,
 * and never connects anew. So a worker that ends is started again behind the
 * same states, and so is one of a daemon that was started again.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xen/io/kbdif.h>

#include "base/log.h"
#include "base/packet.h"
#include "core/supervisor.h"
#include "proto/nodes.h"
#include "sandbox/sandbox.h"

/*
 * xl's name for the backends of vkb devices with backend-type=linux. What is in
 * backend/vkbd is qemu's.
 */
#define BACKEND_NAME	"vinput"
#define RETRY		1000000000u	/* ns */
#define MAX_PORT	(1u << 20)
/* More input than a socket holds */
#define MAX_DROPPED	4096u
#define MAX_RANGE	0x7fffffffu
/* Finer than any screen: frontends scale it to theirs. */
#define DEFAULT_RANGE	32768u
/* Of a display that is not there yet, for a pointer that moves by pixels */
#define DEFAULT_WIDTH	1024u
#define DEFAULT_HEIGHT	768u

/**
 * struct xd_keyboard - a vkbd of a guest
 * @fe_state, @be_state: as read last
 * @worker:	0 when none runs
 * @connected:	so it says
 * @err:	why the last one was not, which is told once
 * @served:	a worker was connected since the frontend was last seen unconnected
 * @sock:	to the worker, -1 when none runs
 * @owes_leave:	it was not told that a display has gone
 * @input:	[0] is where the worker takes input, [1] where displays put it
 * @unique_id:	of the connector that it belongs to, or of none
 */
struct xd_keyboard {
	struct xd_keyboard *next;
	struct xd_supervisor *sup;
	uint32_t domid;
	uint32_t devid;
	char be_path[96];
	char fe_path[96];
	char guest[XD_GUEST_NAME_SIZE];
	enum xd_state fe_state;
	enum xd_state be_state;
	bool present;
	pid_t worker;
	bool connected;
	int err;
	bool served;
	int sock;
	struct xd_source sock_source;
	struct xd_timer retry;
	bool waiting;
	bool owes_leave;
	int input[2];
	char unique_id[XD_UNIQUE_ID_SIZE];
	struct xd_log_limit log_limit;
};

/* Nodes */

static char *read_node(struct xd_keyboard *kbd, const char *dir,
		       const char *name)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return xd_read(kbd->sup, path);
}

/* @value stays when there is no such number. */
static int read_number(struct xd_keyboard *kbd, const char *dir,
		       const char *name, uint32_t min, uint32_t max,
		       uint32_t *value)
{
	char *text = read_node(kbd, dir, name);
	int ret = text ? xd_parse_u32(text, min, max, value) : -ENOENT;

	free(text);
	return ret;
}

static bool read_flag(struct xd_keyboard *kbd, const char *dir,
		      const char *name)
{
	uint32_t value = 0;

	return !read_number(kbd, dir, name, 0, 1, &value) && value;
}

static int write_node(struct xd_keyboard *kbd, const char *name,
		      const char *text)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", kbd->be_path, name);
	return xd_write(kbd->sup, path, text);
}

static int write_number(struct xd_keyboard *kbd, const char *name,
			uint32_t value)
{
	char text[12];

	snprintf(text, sizeof(text), "%u", value);
	return write_node(kbd, name, text);
}

static void set_state(struct xd_keyboard *kbd, enum xd_state state)
{
	char text[12];

	if (kbd->be_state == state)
		return;
	snprintf(text, sizeof(text), "%d", (int)state);
	if (!write_node(kbd, "state", text))
		kbd->be_state = state;
}

static enum xd_state read_state(struct xd_keyboard *kbd, const char *dir)
{
	uint32_t state = XD_STATE_UNKNOWN;

	read_number(kbd, dir, "state", 0, XD_NUM_STATES - 1, &state);
	return (enum xd_state)state;
}

__attribute__((format(printf, 2, 3)))
static void warn(struct xd_keyboard *kbd, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (!xd_log_allow(&kbd->log_limit))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	xd_warn("domain %u (%s): keyboard %u: %s", kbd->domid, kbd->guest,
		kbd->devid, text);
}

/* The range of positions: the toolstack's, or ours, which it then is. */
static void offer_range(struct xd_keyboard *kbd, const char *name)
{
	uint32_t value = 0;

	if (read_number(kbd, kbd->be_path, name, 1, MAX_RANGE, &value) &&
	    !kbd->sup->unsure)
		write_number(kbd, name, DEFAULT_RANGE);
}

/*
 * Before InitWait says that it can be read. A touch screen is one more device
 * in the guest: only when the toolstack asks for it.
 */
static void offer(struct xd_keyboard *kbd)
{
	uint32_t contacts = XD_INPUT_MAX_CONTACTS;

	if (kbd->be_state == XD_STATE_INIT_WAIT)
		return;
	write_node(kbd, XENKBD_FIELD_FEAT_ABS_POINTER, "1");
	write_node(kbd, XENKBD_FIELD_FEAT_RAW_POINTER, "1");
	offer_range(kbd, XENKBD_FIELD_WIDTH);
	offer_range(kbd, XENKBD_FIELD_HEIGHT);
	if (read_flag(kbd, kbd->be_path, XENKBD_FIELD_FEAT_MTOUCH)) {
		offer_range(kbd, XENKBD_FIELD_MT_WIDTH);
		offer_range(kbd, XENKBD_FIELD_MT_HEIGHT);
		if (read_number(kbd, kbd->be_path,
				XENKBD_FIELD_MT_NUM_CONTACTS, 1,
				XD_INPUT_MAX_CONTACTS, &contacts) &&
		    !kbd->sup->unsure)
			write_number(kbd, XENKBD_FIELD_MT_NUM_CONTACTS,
				     contacts);
	}
	if (!kbd->sup->unsure)
		set_state(kbd, XD_STATE_INIT_WAIT);
}

static uint32_t connector_of(const struct xd_keyboard *kbd,
			     const struct xd_device *dev)
{
	uint32_t i;

	for (i = 0; i < dev->connect.nr_conns; i++)
		if (!strcmp(dev->connect.conns[i].unique_id, kbd->unique_id))
			return i;
	return XD_ALL_CONNECTORS;
}

/*
 * A pointer that tells how far it moved does so in pixels of its display. A range
 * that the toolstack chose says how many those are.
 */
static void set_pixels(struct xd_keyboard *kbd,
		       struct xd_keyboard_params *params)
{
	const struct xd_device *dev = kbd->sup->devices;
	const struct xd_conn_params *conn = NULL;
	uint32_t i;

	while (dev && (dev->domid != kbd->domid || !dev->connect.nr_conns))
		dev = dev->next;
	if (dev) {
		i = connector_of(kbd, dev);
		conn = &dev->connect.conns[i == XD_ALL_CONNECTORS ? 0 : i];
	}
	if (params->width == DEFAULT_RANGE)
		params->width = conn ? conn->width : DEFAULT_WIDTH;
	if (params->height == DEFAULT_RANGE)
		params->height = conn ? conn->height : DEFAULT_HEIGHT;
}

static void read_ranges(struct xd_keyboard *kbd,
			struct xd_keyboard_params *params)
{
	params->width = DEFAULT_RANGE;
	params->height = DEFAULT_RANGE;
	params->touch_width = DEFAULT_RANGE;
	params->touch_height = DEFAULT_RANGE;
	read_number(kbd, kbd->be_path, XENKBD_FIELD_WIDTH, 1, MAX_RANGE,
		    &params->width);
	read_number(kbd, kbd->be_path, XENKBD_FIELD_HEIGHT, 1, MAX_RANGE,
		    &params->height);
	read_number(kbd, kbd->be_path, XENKBD_FIELD_MT_WIDTH, 1, MAX_RANGE,
		    &params->touch_width);
	read_number(kbd, kbd->be_path, XENKBD_FIELD_MT_HEIGHT, 1, MAX_RANGE,
		    &params->touch_height);
	if (!params->abs_pointer)
		set_pixels(kbd, params);
	/* raw positions are of one range, whatever the pointer's */
	if (params->abs_pointer &&
	    read_flag(kbd, kbd->fe_path, XENKBD_FIELD_REQ_RAW_POINTER)) {
		params->width = 0x8000;
		params->height = 0x8000;
	}
}

static int read_params(struct xd_keyboard *kbd,
		       struct xd_keyboard_params *params)
{
	const char *fe = kbd->fe_path;
	struct xd_config config;
	int ret;

	*params = (struct xd_keyboard_params){ 0 };
	ret = read_number(kbd, fe, XENKBD_FIELD_RING_GREF, 1, UINT32_MAX,
			  &params->gref);
	if (!ret)
		ret = read_number(kbd, fe, XENKBD_FIELD_EVT_CHANNEL, 1,
				  MAX_PORT, &params->port);
	if (ret && !kbd->sup->unsure)
		warn(kbd, "%s/%s or " XENKBD_FIELD_EVT_CHANNEL
		     " is no number", fe, XENKBD_FIELD_RING_GREF);
	if (ret)
		return ret;
	xd_config_of_guest(kbd->sup->config, kbd->guest, &config);
	xd_fill_child(&config, kbd->domid, kbd->devid, kbd->guest,
		      &params->child);
	params->abs_pointer = read_flag(kbd, fe,
					XENKBD_FIELD_REQ_ABS_POINTER);
	if (read_flag(kbd, fe, XENKBD_FIELD_REQ_MTOUCH) &&
	    read_flag(kbd, kbd->be_path, XENKBD_FIELD_FEAT_MTOUCH))
		read_number(kbd, kbd->be_path, XENKBD_FIELD_MT_NUM_CONTACTS,
			    1, XD_INPUT_MAX_CONTACTS, &params->contacts);
	read_ranges(kbd, params);
	return kbd->sup->unsure ? -EAGAIN : 0;
}

/* Displays */

static int join(struct xd_keyboard *kbd, struct xd_device *dev)
{
	const struct xd_message msg = {
		.type = XD_MSG_INPUT,
		.conn = connector_of(kbd, dev),
	};

	if (kbd->domid != dev->domid || dev->sock < 0)
		return 0;
	return xd_message_send(dev->sock, &msg, kbd->input[1]);
}

int xd_keyboards_join(struct xd_device *dev)
{
	struct xd_keyboard *kbd;
	int ret = 0;

	for (kbd = dev->sup->keyboards; kbd && !ret; kbd = kbd->next)
		ret = join(kbd, dev);
	return ret;
}

static void leave(struct xd_keyboard *kbd)
{
	static const struct xd_input input = { .type = XD_INPUT_LEAVE };

	kbd->owes_leave = xd_packet_send(kbd->input[1], &input, sizeof(input),
					 -1);
	if (kbd->owes_leave)
		xd_look_again(kbd->sup);
}

void xd_keyboards_leave(struct xd_device *dev)
{
	struct xd_keyboard *kbd;

	for (kbd = dev->sup->keyboards; kbd; kbd = kbd->next)
		if (kbd->domid == dev->domid)
			leave(kbd);
}

/* Workers */

static void kill_worker(struct xd_keyboard *kbd)
{
	if (kbd->worker)
		kill(kbd->worker, SIGKILL);
}

static void close_sock(struct xd_keyboard *kbd)
{
	if (kbd->sock < 0)
		return;
	xd_source_del(kbd->sup->loop, &kbd->sock_source);
	close(kbd->sock);
	kbd->sock = -1;
}

static void sock_ready(void *ctx, uint32_t events)
{
	struct xd_keyboard *kbd = ctx;
	struct xd_message msg;
	char name[32];
	int fd, ret;

	ret = xd_message_receive(kbd->sock, &msg, &fd);
	if (fd >= 0)
		close(fd);
	if (ret == -EAGAIN)
		return;
	if (ret > 0 && msg.type == XD_MSG_CONNECTED && !msg.err) {
		kbd->connected = true;
		kbd->err = 0;
		kbd->served = true;
		set_state(kbd, XD_STATE_CONNECTED);
		if (xd_log_allow(&kbd->log_limit))
			xd_info("domain %u (%s): keyboard %u connected",
				kbd->domid, kbd->guest, kbd->devid);
		return;
	}
	if (ret > 0 && msg.type == XD_MSG_DENIED) {
		xd_sandbox_call_name(msg.call, name, sizeof(name));
		warn(kbd, "the sandbox ends the worker: it called %s", name);
	} else if (ret > 0 && msg.err != kbd->err) {
		kbd->err = msg.err;
		warn(kbd, "%s: %s; trying again", xd_step_failed(msg.step),
		     strerror(-msg.err));
	}
	close_sock(kbd);
	kill_worker(kbd);
}

/*
 * What was typed before the guest had a keyboard is not for it. What waits while
 * a worker is started again is.
 */
static void drop_input(struct xd_keyboard *kbd)
{
	struct xd_input input;
	unsigned int i;
	int fd, ret = 1;

	/* who sends it is not trusted to pause */
	for (i = 0; i < MAX_DROPPED && (ret > 0 || ret == -EPROTO); i++) {
		ret = xd_packet_receive(kbd->input[0], &input, sizeof(input),
					&fd);
		if (fd >= 0)
			close(fd);
	}
}

static int start_worker(struct xd_keyboard *kbd)
{
	struct xd_message msg = { .type = XD_MSG_KEYBOARD };
	int socks[2];
	pid_t pid;
	int ret;

	ret = read_params(kbd, &msg.keyboard);
	if (ret)
		return ret;
	if (!kbd->served)
		drop_input(kbd);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0, socks))
		return -errno;
	pid = kbd->sup->spawn(socks[1]);
	close(socks[1]);
	if (pid < 0) {
		close(socks[0]);
		return pid;
	}
	kbd->worker = pid;
	kbd->connected = false;
	kbd->sock = socks[0];
	ret = xd_source_add(kbd->sup->loop, &kbd->sock_source, kbd->sock,
			    EPOLLIN, sock_ready, kbd);
	if (!ret)
		ret = xd_message_send(kbd->sock, &msg, kbd->input[0]);
	if (ret)
		kill_worker(kbd);
	return ret;
}

/* Once a second at most, however often the guest comes. */
static void connect_guest(struct xd_keyboard *kbd)
{
	int ret;

	if (kbd->worker && kbd->connected)
		set_state(kbd, XD_STATE_CONNECTED);
	if (kbd->worker || kbd->waiting)
		return;
	kbd->waiting = true;
	xd_timer_set(&kbd->retry, xd_now() + RETRY);
	ret = start_worker(kbd);
	if (ret)
		warn(kbd, "not connected: %s", strerror(-ret));
}

/* Without a worker: Closed, and open for another connection if @again. */
static void disconnect(struct xd_keyboard *kbd, bool again)
{
	kill_worker(kbd);
	if (kbd->worker)
		return;
	if (kbd->be_state != XD_STATE_CLOSED &&
	    !(again && kbd->be_state == XD_STATE_INIT_WAIT)) {
		set_state(kbd, XD_STATE_CLOSING);
		set_state(kbd, XD_STATE_CLOSED);
	}
	if (again)
		offer(kbd);
}

static void update(struct xd_keyboard *kbd)
{
	enum xd_state be_state, fe_state;
	bool present, online, alive;
	char *text;

	/* ends with the daemon, which another one takes up: states stay */
	if (kbd->sup->closing) {
		kill_worker(kbd);
		return;
	}
	if (kbd->owes_leave)
		leave(kbd);
	kbd->sup->unsure = false;
	text = read_node(kbd, kbd->be_path, "frontend");
	present = text;
	free(text);
	be_state = read_state(kbd, kbd->be_path);
	fe_state = read_state(kbd, kbd->fe_path);
	online = read_flag(kbd, kbd->be_path, "online");
	alive = xd_domain_alive(kbd->sup, kbd->domid);
	if (kbd->sup->unsure)
		return;
	kbd->present = present;
	kbd->be_state = be_state;
	kbd->fe_state = fe_state;
	if (fe_state != XD_STATE_INITIALISED && fe_state != XD_STATE_CONNECTED)
		kbd->served = false;
	if (!present || !online || !alive) {
		disconnect(kbd, false);
		if (!online && !kbd->worker)
			xd_drop_directory(kbd->sup, kbd->be_path);
		return;
	}
	switch (kbd->fe_state) {
	case XD_STATE_INITIALISING:
	case XD_STATE_INIT_WAIT:
		kill_worker(kbd);
		if (!kbd->worker)
			offer(kbd);
		break;
	case XD_STATE_INITIALISED:
	case XD_STATE_CONNECTED:
		connect_guest(kbd);
		break;
	case XD_STATE_CLOSING:
		/* the guest goes down, and waits to see us go, too */
		if (kbd->be_state != XD_STATE_CLOSED)
			set_state(kbd, XD_STATE_CLOSING);
		kill_worker(kbd);
		break;
	default:
		disconnect(kbd, kbd->fe_state != XD_STATE_UNKNOWN);
		break;
	}
}

static void retry(void *ctx)
{
	struct xd_keyboard *kbd = ctx;

	kbd->waiting = false;
	update(kbd);
}

/* Beginning and end */

static void destroy(struct xd_keyboard *kbd)
{
	char path[128], token[64];

	snprintf(path, sizeof(path), "%s/state", kbd->fe_path);
	snprintf(token, sizeof(token), "kbd/%u/%u", kbd->domid, kbd->devid);
	kbd->sup->store->ops->unwatch(kbd->sup->store, path, token);
	xd_timer_finish(kbd->sup->loop, &kbd->retry);
	close_sock(kbd);
	close(kbd->input[0]);
	close(kbd->input[1]);
	free(kbd);
}

static void read_names(struct xd_keyboard *kbd)
{
	char *text;

	xd_read_guest_name(kbd->sup, kbd->domid, kbd->guest);
	text = read_node(kbd, kbd->be_path, XENKBD_FIELD_UNIQUE_ID);
	snprintf(kbd->unique_id, sizeof(kbd->unique_id), "%s",
		 text ? text : "");
	free(text);
}

static int create(struct xd_supervisor *sup, uint32_t domid, uint32_t devid,
		  struct xd_keyboard **ret_kbd)
{
	struct xd_keyboard *kbd = calloc(1, sizeof(*kbd));
	char path[128], token[64];
	int ret;

	if (!kbd)
		return -ENOMEM;
	kbd->sup = sup;
	kbd->domid = domid;
	kbd->devid = devid;
	kbd->sock = -1;
	kbd->sock_source.fd = -1;
	snprintf(kbd->be_path, sizeof(kbd->be_path),
		 "/local/domain/%u/backend/" BACKEND_NAME "/%u/%u",
		 sup->domid, domid, devid);
	snprintf(kbd->fe_path, sizeof(kbd->fe_path),
		 "/local/domain/%u/device/" XENKBD_DRIVER_NAME "/%u", domid,
		 devid);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0, kbd->input)) {
		ret = -errno;
		free(kbd);
		return ret;
	}
	snprintf(path, sizeof(path), "%s/state", kbd->fe_path);
	snprintf(token, sizeof(token), "kbd/%u/%u", domid, devid);
	sup->unsure = false;
	read_names(kbd);
	ret = sup->unsure ? -EAGAIN :
		xd_timer_init(sup->loop, &kbd->retry, retry, kbd);
	if (!ret)
		ret = xd_watch(sup, path, token);
	if (ret)
		destroy(kbd);
	else
		*ret_kbd = kbd;
	return ret;
}

static void add(struct xd_supervisor *sup, uint32_t domid, uint32_t devid)
{
	struct xd_keyboard **link = &sup->keyboards;
	struct xd_device *dev;
	int ret;

	while (*link && ((*link)->domid != domid || (*link)->devid != devid))
		link = &(*link)->next;
	if (*link)
		return;
	ret = create(sup, domid, devid, link);
	for (dev = sup->devices; *link && !ret && dev; dev = dev->next)
		ret = join(*link, dev);
	if (!ret)
		return;
	if (!sup->lost && xd_log_allow(&sup->log_limit))
		xd_error("domain %u: cannot serve its keyboard %u: %s; trying again",
			 domid, devid, strerror(-ret));
	if (*link)
		destroy(*link);
	*link = NULL;
	xd_look_again(sup);
}

static void forget(struct xd_supervisor *sup)
{
	struct xd_keyboard **link = &sup->keyboards;

	while (*link) {
		struct xd_keyboard *kbd = *link;

		if (kbd->present || kbd->worker) {
			link = &kbd->next;
			continue;
		}
		*link = kbd->next;
		destroy(kbd);
	}
}

int xd_keyboards_start(struct xd_supervisor *sup)
{
	char path[96];

	snprintf(path, sizeof(path),
		 "/local/domain/%u/backend/" BACKEND_NAME, sup->domid);
	return xd_watch(sup, path, "keyboards");
}

void xd_keyboards_scan(struct xd_supervisor *sup)
{
	struct xd_keyboard *kbd;
	char root[96];

	snprintf(root, sizeof(root),
		 "/local/domain/%u/backend/" BACKEND_NAME, sup->domid);
	xd_scan_devices(sup, root, add);
	for (kbd = sup->keyboards; kbd; kbd = kbd->next)
		update(kbd);
	forget(sup);
}

bool xd_keyboards_ended(struct xd_supervisor *sup, pid_t pid, int status)
{
	struct xd_keyboard *kbd = sup->keyboards;

	while (kbd && kbd->worker != pid)
		kbd = kbd->next;
	if (!kbd)
		return false;
	kbd->worker = 0;
	close_sock(kbd);
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		warn(kbd, "worker died of signal %d", WTERMSIG(status));
	update(kbd);
	forget(sup);
	return true;
}

bool xd_keyboards_closed(const struct xd_supervisor *sup)
{
	const struct xd_keyboard *kbd = sup->keyboards;

	while (kbd && !kbd->worker)
		kbd = kbd->next;
	return !kbd;
}

void xd_keyboards_finish(struct xd_supervisor *sup)
{
	while (sup->keyboards) {
		struct xd_keyboard *kbd = sup->keyboards;

		sup->keyboards = kbd->next;
		destroy(kbd);
	}
}
