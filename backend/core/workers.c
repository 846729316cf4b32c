/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The worker of a device: its start, what it says, its end. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "core/supervisor.h"
#include "sandbox/sandbox.h"

#define MS		1000000ull	/* ns */
#define FREE_FAILURES	3		/* in a row, before workers are held back */
#define HOLD_BACK_MS	100u		/* what they cost stays small then */
#define MAX_HOLD_BACK_MS 5000u		/* of those that never serve */
#define MAX_TRIES	4		/* to connect to what the guest published */
#define STABLE_MS	2000u		/* a worker that lived so long worked */

void xd_device_kill_worker(struct xd_device *dev)
{
	if (!dev->worker || dev->killed)
		return;
	dev->killed = true;
	/* it holds nothing but mappings, and the kernel undoes those best */
	kill(dev->worker, SIGKILL);
}

void xd_device_close_sock(struct xd_device *dev)
{
	if (dev->sock < 0)
		return;
	xd_source_del(dev->sup->loop, &dev->sock_source);
	close(dev->sock);
	dev->sock = -1;
}

/* What this domain has too little of; anything else is the guest's fault. */
static bool is_ours(int err)
{
	switch (err) {
	case -ENOMEM:
	case -ENOBUFS:
	case -EMFILE:
	case -ENFILE:
	case -EAGAIN:
	case -ENOSPC:
		return true;
	default:
		return false;
	}
}

/* Once, not each time that it is tried again. */
static void tell_cause(struct xd_device *dev, uint32_t step, int err)
{
	if (err == dev->cause.err && step == dev->cause.step)
		return;
	dev->cause.err = err;
	dev->cause.step = step;
	xd_device_warn(dev, "%s: %s; trying again", xd_step_failed(step),
		       strerror(-err));
}

/*
 * What is ours may take as long as it likes. That a grant cannot be mapped is the
 * guest's fault, most likely: but gntdev has the same error for all it may lack
 * itself, so that it is tried a few times.
 */
static void not_connected(struct xd_device *dev, uint32_t step, int err)
{
	dev->has_told = true;
	if (step != XD_STEP_CONNECT || is_ours(err)) {
		/* it ends by itself, and another one is started */
		tell_cause(dev, step, err);
		return;
	}
	if (dev->tries < MAX_TRIES) {
		tell_cause(dev, step, err);
		xd_device_wait(dev, HOLD_BACK_MS << dev->tries++);
	} else {
		xd_device_warn(dev, "cannot connect: %s", strerror(-err));
		dev->refused = true;
	}
	xd_device_kill_worker(dev);
}

static void connected(struct xd_device *dev, const struct xd_message *msg)
{
	if (msg->err) {
		not_connected(dev, msg->step, msg->err < 0 &&
			      msg->err >= -4095 ? msg->err : -EPROTO);
		return;
	}
	dev->connected = true;
	dev->cause.err = 0;
	dev->tries = 0;
	if (dev->fe_state != XD_STATE_INITIALISED)
		return;
	xd_device_set_state(dev, XD_STATE_CONNECTED);
	xd_device_info(dev, "connected, %u connector%s", dev->connect.nr_conns,
		       dev->connect.nr_conns == 1 ? "" : "s");
}

static void denied(struct xd_device *dev, int call)
{
	char name[32];

	xd_sandbox_call_name(call, name, sizeof(name));
	xd_device_warn(dev, "the sandbox ends the worker: it called %s", name);
}

/* What its guest made it say, in words of its own. */
static void line(struct xd_device *dev, const struct xd_message *msg)
{
	(msg->line.warn ? xd_device_warn : xd_device_info)(
		dev, "%.*s", XD_LINE_SIZE, msg->line.text);
}

static void sock_ready(void *ctx, uint32_t events)
{
	struct xd_device *dev = ctx;
	struct xd_message msg;
	int fd, ret;

	ret = xd_message_receive(dev->sock, &msg, &fd);
	if (ret == -EAGAIN)
		return;
	if (ret <= 0) {
		/* its end, or what no worker of ours would say */
		xd_device_close_sock(dev);
		if (dev->worker && !dev->killed)
			kill(dev->worker, SIGKILL);
		return;
	}
	if (msg.type == XD_MSG_CONNECTED && !dev->killed)
		connected(dev, &msg);
	else if (msg.type == XD_MSG_DENIED)
		denied(dev, msg.call);
	else if (msg.type == XD_MSG_SIZE)
		xd_device_new_size(dev, &msg);
	else if (msg.type == XD_MSG_LINE)
		line(dev, &msg);
	else if (msg.type == XD_MSG_REOPEN)
		xd_device_reopen_output(dev);
	else
		xd_control_answer(dev, &msg, fd);
	if (fd >= 0)
		close(fd);
}

int xd_device_start_worker(struct xd_device *dev, int output_fd)
{
	struct xd_message msg = { .type = XD_MSG_CONNECT };
	int socks[2];
	pid_t pid;
	int ret;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0, socks))
		return -errno;
	xd_debug("domain %u (%s): starting a worker", dev->domid, dev->guest);
	pid = dev->sup->spawn(socks[1]);
	close(socks[1]);
	if (pid < 0) {
		close(socks[0]);
		return pid;
	}
	dev->worker = pid;
	dev->started = xd_now();
	dev->killed = false;
	dev->connected = false;
	dev->has_told = false;
	dev->sock = socks[0];
	ret = xd_source_add(dev->sup->loop, &dev->sock_source, dev->sock,
			    EPOLLIN, sock_ready, dev);
	msg.connect = dev->connect;
	if (!ret)
		ret = xd_message_send(dev->sock, &msg, output_fd);
	if (ret == -EPIPE)
		return 0;	/* dead already: its end is the next to be told */
	if (!ret)
		ret = xd_keyboards_join(dev);
	if (ret)
		xd_device_kill_worker(dev);
	return ret;
}

/*
 * Workers that die one after the other are held back: those that served so that
 * there are as many in a second as a frontend may have by connecting over and over,
 * those that did not ever longer.
 */
static void hold_back(struct xd_device *dev)
{
	if (++dev->failures <= FREE_FAILURES)
		return;
	dev->pause_ms = dev->connected || !dev->pause_ms ? HOLD_BACK_MS :
		2 * dev->pause_ms;
	if (dev->pause_ms > MAX_HOLD_BACK_MS)
		dev->pause_ms = MAX_HOLD_BACK_MS;
	xd_device_wait(dev, dev->pause_ms);
}

static void tell_end(struct xd_device *dev, int status)
{
	if (dev->has_told)
		return;
	if (WIFSIGNALED(status))
		xd_device_warn(dev, "worker died of signal %d",
			       WTERMSIG(status));
	else
		xd_device_warn(dev, "worker ended with status %d",
			       WEXITSTATUS(status));
}

/* Its end may be known before what it said is read. */
static void hear_last_words(struct xd_device *dev)
{
	struct xd_message msg;
	int fd;

	while (dev->sock >= 0 &&
	       xd_message_receive(dev->sock, &msg, &fd) > 0) {
		if (msg.type == XD_MSG_DENIED && !dev->killed)
			denied(dev, msg.call);
		else if (msg.type == XD_MSG_CONNECTED && msg.err &&
			 !dev->killed)
			connected(dev, &msg);
		else if (msg.type == XD_MSG_LINE)
			line(dev, &msg);
		else if (msg.type == XD_MSG_SIZE)
			xd_device_new_size(dev, &msg);
		if (fd >= 0)
			close(fd);
	}
}

void xd_device_worker_ended(struct xd_device *dev, int status)
{
	dev->worker = 0;
	xd_viewers_finish(dev);
	xd_keyboards_leave(dev);
	xd_device_closed_output(dev);
	hear_last_words(dev);
	xd_device_write_sizes(dev);
	xd_device_close_sock(dev);
	xd_control_lost(dev);
	if (dev->killed || (dev->connected && xd_now() - dev->started >
			    STABLE_MS * MS)) {
		dev->failures = 0;
		dev->pause_ms = 0;
	}
	if (!dev->killed) {
		tell_end(dev, status);
		hold_back(dev);
	}
	dev->killed = false;
	xd_device_update(dev);
}
