/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "core/guest.h"
#include "core/worker.h"

/**
 * struct worker - what this process is
 * @owed:	an answer that could not be sent yet, if @owes
 * @owed_fd:	goes with it, or -1
 * @sizes:	connectors whose size could not be told yet, a bit each
 */
struct worker {
	struct xd_loop loop;
	struct xd_guest guest;
	struct xd_source sock_source;
	int sock;
	bool owes;
	struct xd_message owed;
	int owed_fd;
	uint32_t sizes;
};

/* As they are now: the last of a connector's sizes is the one that counts. */
static void send_sizes(struct worker *worker)
{
	struct xd_message msg = { .type = XD_MSG_SIZE };
	unsigned int i;

	for (i = 0; i < worker->guest.nr_conns; i++) {
		if (!(worker->sizes & 1u << i))
			continue;
		msg.conn = i;
		msg.size.width = worker->guest.conns[i].width;
		msg.size.height = worker->guest.conns[i].height;
		if (xd_message_send(worker->sock, &msg, -1) == -EAGAIN)
			return;
		worker->sizes &= ~(1u << i);
	}
}

/*
 * The supervisor asks nothing else of us until it has the answer, so there is
 * one at the most that waits.
 */
static void send_answer(struct worker *worker)
{
	int ret = xd_message_send(worker->sock, &worker->owed,
				  worker->owed_fd);

	worker->owes = ret == -EAGAIN;
	if (!worker->owes && worker->owed_fd >= 0) {
		close(worker->owed_fd);
		worker->owed_fd = -1;
	}
}

static void send_owed(struct worker *worker)
{
	bool owes;

	send_sizes(worker);
	if (worker->owes)
		send_answer(worker);
	owes = worker->owes || worker->sizes;
	if (xd_source_modify(&worker->loop, &worker->sock_source,
			     owes ? EPOLLIN | EPOLLOUT : EPOLLIN))
		xd_loop_quit(&worker->loop);
}

/* @fd is closed. */
static void reply(struct worker *worker, const struct xd_message *answer,
		  const struct xd_message *to, int fd)
{
	worker->owed = *answer;
	worker->owed.conn = to->conn;
	worker->owed.seq = to->seq;
	worker->owed_fd = fd;
	worker->owes = true;
	send_owed(worker);
}

static void send_status(struct worker *worker, const struct xd_message *to)
{
	struct xd_message answer = { .type = XD_MSG_STATUS };
	struct xd_guest *guest = &worker->guest;
	struct xd_counters *counters = &answer.status.counters;
	unsigned int i;

	*counters = guest->counters;
	counters->copied = guest->output->copied;
	counters->dbufs = guest->usage.dbufs;
	counters->fbs = guest->usage.fbs;
	counters->bytes = guest->usage.bytes;
	for (i = 0; i < guest->nr_conns; i++) {
		struct xd_conn *conn = &guest->conns[i];

		answer.status.conns[i] = (struct xd_conn_status){
			.width = conn->on ? conn->mode_width : 0,
			.height = conn->on ? conn->mode_height : 0,
			.pref_width = conn->width,
			.pref_height = conn->height,
			.broken = conn->broken,
		};
	}
	reply(worker, &answer, to, -1);
}

static int write_all(int fd, const void *data, size_t size)
{
	while (size) {
		ssize_t len = write(fd, data, size);

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			return len ? -errno : -EIO;
		data = (const char *)data + len;
		size -= (size_t)len;
	}
	return 0;
}

/* The pixels, in memory of their own: the descriptor or -errno. */
static int take_picture(struct worker *worker, unsigned int conn,
			struct xd_picture *ret_picture)
{
	struct xd_output *output = worker->guest.output;
	struct xd_canvas canvas;
	int fd, ret;

	if (conn >= worker->guest.nr_conns)
		return -ENODEV;
	ret = output->ops->screenshot(output, conn, &canvas);
	if (ret)
		return ret;
	fd = memfd_create("screenshot", MFD_CLOEXEC);
	ret = fd < 0 ? -errno :
		write_all(fd, canvas.data,
			  (size_t)canvas.stride * canvas.height);
	*ret_picture = (struct xd_picture){
		.width = canvas.width,
		.height = canvas.height,
		.stride = canvas.stride,
	};
	xd_canvas_finish(&canvas);
	if (ret && fd >= 0)
		close(fd);
	return ret ? ret : fd;
}

static void send_picture(struct worker *worker, const struct xd_message *to)
{
	struct xd_message answer = { .type = XD_MSG_PICTURE };
	int fd = take_picture(worker, to->conn, &answer.picture);

	answer.err = fd < 0 ? fd : 0;
	reply(worker, &answer, to, fd);
}

static void resize(struct worker *worker, const struct xd_message *to)
{
	struct xd_message answer = { .type = XD_MSG_RESIZED, .err = -ENODEV };

	if (to->conn < worker->guest.nr_conns)
		answer.err = xd_conn_resize(&worker->guest.conns[to->conn],
					    to->size.width, to->size.height);
	reply(worker, &answer, to, -1);
}

/* The output asks for its descriptor; -EAGAIN: the supervisor is behind. */
static void reopen(void *ctx)
{
	const struct xd_message msg = { .type = XD_MSG_REOPEN };
	struct worker *worker = ctx;
	struct xd_output *output = worker->guest.output;
	int ret = xd_message_send(worker->sock, &msg, -1);

	if (ret)
		output->ops->reopened(output, ret);
}

/* One that finds no room is lost: there are many of them then. */
static void say(void *ctx, bool warn, const char *text)
{
	struct xd_message msg = { .type = XD_MSG_LINE, .line.warn = warn };
	struct worker *worker = ctx;

	snprintf(msg.line.text, sizeof(msg.line.text), "%s", text);
	xd_message_send(worker->sock, &msg, -1);
}

/* The supervisor outlives us, and so does the size if it knows. */
static void resized(void *ctx, unsigned int conn)
{
	struct worker *worker = ctx;

	worker->sizes |= 1u << conn;
	send_owed(worker);
}

/* @fd: the output's, or this function's to close */
static void reopened(struct worker *worker, int err, int fd)
{
	struct xd_output *output = worker->guest.output;

	if (output->ops->reopened)
		output->ops->reopened(output, err ? err : fd);
	else if (fd >= 0)
		close(fd);
}

/* A viewer came for a connector; the output has it from now on. */
static void attach(struct worker *worker, unsigned int conn, int link)
{
	struct xd_output *output = worker->guest.output;

	if (link < 0)
		return;
	if (conn < worker->guest.nr_conns && output->ops->attach)
		output->ops->attach(output, conn, link);
	else
		close(link);
}

static void sock_ready(void *ctx, uint32_t events)
{
	struct worker *worker = ctx;
	struct xd_message msg;
	int fd, ret;

	if (worker->owes || worker->sizes)
		send_owed(worker);
	ret = xd_message_receive(worker->sock, &msg, &fd);
	if (ret == -EAGAIN)
		return;
	if (ret <= 0) {
		/* no supervisor, no guest */
		xd_loop_quit(&worker->loop);
		return;
	}
	switch (msg.type) {
	case XD_MSG_SCREENSHOT:
		send_picture(worker, &msg);
		break;
	case XD_MSG_STATS:
		send_status(worker, &msg);
		break;
	case XD_MSG_RESIZE:
		resize(worker, &msg);
		break;
	case XD_MSG_HOTPLUG:
		if (worker->guest.output->ops->hotplug)
			worker->guest.output->ops->hotplug(
				worker->guest.output);
		break;
	case XD_MSG_REOPENED:
		reopened(worker, msg.err, fd);
		fd = -1;
		break;
	case XD_MSG_INPUT:
		if (fd >= 0) {
			xd_guest_add_sink(&worker->guest, msg.conn, fd);
			return;
		}
		/* a keyboard that nobody hears: the next worker has another try */
		xd_error("cannot reach the keyboard: %s", strerror(EMFILE));
		xd_loop_quit(&worker->loop);
		return;
	case XD_MSG_ATTACH:
		attach(worker, msg.conn, fd);
		return;
	default:
		break;
	}
	if (fd >= 0)
		close(fd);
}

static int serve(struct worker *worker, struct xd_bus *bus,
		 const struct xd_connect *connect, int output_fd)
{
	struct xd_message connected = { .type = XD_MSG_CONNECTED };
	int ret = xd_loop_init(&worker->loop), sent;

	if (!ret)
		ret = xd_source_add(&worker->loop, &worker->sock_source,
				    worker->sock, EPOLLIN, sock_ready, worker);
	worker->guest.worker = worker;
	worker->guest.say = say;
	if (!ret)
		ret = xd_guest_start(&worker->guest, &worker->loop, bus,
				     connect, output_fd);
	worker->guest.reopen = reopen;
	worker->guest.resized = resized;
	connected.err = ret;
	sent = xd_message_send(worker->sock, &connected, -1);
	if (!ret)
		ret = sent;
	if (!ret)
		ret = xd_loop_run(&worker->loop);
	if (worker->guest.loop)
		xd_guest_stop(&worker->guest);
	xd_loop_finish(&worker->loop);
	return ret;
}

int xd_worker_serve(int sock, struct xd_bus *bus,
		    const struct xd_connect *connect, int output_fd)
{
	struct worker worker = { .sock = sock, .owed_fd = -1 };

	if (connect->nr_conns > XD_MAX_CONNECTORS)
		return -EPROTO;
	return serve(&worker, bus, connect, output_fd);
}
