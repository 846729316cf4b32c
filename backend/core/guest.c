/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"
#include "base/packet.h"
#include "core/guest.h"
#include "core/keyboard.h"

#define PAY_INTERVAL	20000000u	/* ns */
/* Of a keyboard that nobody reads */
#define PATIENCE	2000000000u	/* ns */
#define MAX_PAUSE	1000000000u	/* ns */

void xd_guest_say(struct xd_guest *guest, bool warn, const char *fmt, ...)
{
	char text[XD_LINE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (guest->say)
		guest->say(guest->worker, warn, text);
}

static struct xd_conn *conn_of_port(struct xd_guest *guest, int port)
{
	unsigned int i;

	for (i = 0; i < guest->nr_conns; i++)
		if (guest->conns[i].req_port == port ||
		    guest->conns[i].evt_port == port)
			return &guest->conns[i];
	return NULL;
}

/* One turn of every ring; what is left is served on the next. */
static void serve_all(void *ctx)
{
	struct xd_guest *guest = ctx;
	bool left = false;
	unsigned int i;

	for (i = 0; i < guest->nr_conns; i++)
		left |= xd_conn_serve(&guest->conns[i]);
	if (left)
		xd_timer_set(&guest->again, 1);
}

static void pay_at(struct xd_guest *guest, uint64_t ns)
{
	/* the first who asks says when: the others must not put it off */
	if (guest->pay.armed && guest->pay_at <= ns)
		return;
	guest->pay_at = ns;
	xd_timer_set(&guest->pay, ns);
}

void xd_guest_pay_later(struct xd_guest *guest)
{
	pay_at(guest, xd_now() + PAY_INTERVAL);
}

/* What was lost may have been an "up": all of them go up. */
static void lose_input(struct xd_input_sink *sink)
{
	sink->waiting[0] = (struct xd_input){ .type = XD_INPUT_LEAVE };
	sink->nr_waiting = 1;
	sink->lost = true;
}

/* Sends what waits: 0, or -errno with the rest still there. */
static int send_waiting(struct xd_input_sink *sink)
{
	unsigned int sent = 0;
	int ret = 0;

	while (sent < sink->nr_waiting && !ret) {
		ret = xd_packet_send(sink->fd, &sink->waiting[sent],
				     sizeof(sink->waiting[0]), -1);
		if (!ret)
			sent++;
	}
	sink->nr_waiting -= sent;
	memmove(sink->waiting, sink->waiting + sent,
		sink->nr_waiting * sizeof(sink->waiting[0]));
	if (sent) {
		sink->since = xd_now();
		sink->pause = 0;
		sink->lost = false;
	}
	return ret;
}

/* A guest may never read its keyboard: each pause is twice the one before. */
static void pay_sink(struct xd_guest *guest, struct xd_input_sink *sink)
{
	if (!sink->nr_waiting || send_waiting(sink) != -EAGAIN)
		return;
	if (!sink->lost && xd_now() - sink->since > PATIENCE)
		lose_input(sink);
	sink->pause = sink->lost && sink->pause ? 2 * sink->pause :
		PAY_INTERVAL;
	if (sink->pause > MAX_PAUSE)
		sink->pause = MAX_PAUSE;
	pay_at(guest, xd_now() + sink->pause);
}

static void pay_all(void *ctx)
{
	struct xd_guest *guest = ctx;
	unsigned int i;

	for (i = 0; i < guest->nr_conns; i++)
		xd_conn_pay_owed(&guest->conns[i]);
	for (i = 0; i < guest->nr_sinks; i++)
		pay_sink(guest, &guest->sinks[i]);
}

static void bus_ready(void *ctx, uint32_t events)
{
	struct xd_guest *guest = ctx;
	struct xd_conn *conn;
	int port;

	port = guest->bus->ops->pending(guest->bus);
	if (port < 0)
		return;
	/* before the ring is read: a signal in between must not be lost */
	guest->bus->ops->unmask(guest->bus, port);
	conn = conn_of_port(guest, port);
	if (conn && xd_conn_serve(conn))
		xd_timer_set(&guest->again, 1);
}

static void output_done(void *ctx, unsigned int monitor)
{
	struct xd_guest *guest = ctx;

	if (monitor < guest->nr_conns)
		xd_conn_frame_done(&guest->conns[monitor]);
}

static void output_resized(void *ctx, unsigned int monitor, uint32_t width,
			   uint32_t height)
{
	struct xd_guest *guest = ctx;
	struct xd_conn *conn;
	uint32_t old_width, old_height;

	if (monitor >= guest->nr_conns)
		return;
	conn = &guest->conns[monitor];
	old_width = conn->width;
	old_height = conn->height;
	/* a frontend that cannot follow keeps its mode */
	if (xd_conn_resize(conn, width, height))
		return;
	if (guest->resized &&
	    (conn->width != old_width || conn->height != old_height))
		guest->resized(guest->worker, monitor);
}

static void keep_input(struct xd_input_sink *sink, const struct xd_input *input)
{
	if (sink->lost)
		return;
	if (!sink->nr_waiting)
		sink->since = xd_now();
	if (sink->nr_waiting == XD_MAX_WAITING)
		lose_input(sink);
	else
		sink->waiting[sink->nr_waiting++] = *input;
}

/* False when the other end is gone. */
static bool send_input(struct xd_guest *guest, struct xd_input_sink *sink,
		       const struct xd_input *input)
{
	int ret = send_waiting(sink);

	if (!ret)
		ret = xd_packet_send(sink->fd, input, sizeof(*input), -1);
	if (ret == -EAGAIN) {
		keep_input(sink, input);
		xd_guest_pay_later(guest);
	}
	return !ret || ret == -EAGAIN;
}

static bool is_of(const struct xd_input_sink *sink, unsigned int monitor)
{
	return sink->conn == XD_ALL_CONNECTORS || sink->conn == monitor;
}

static void output_input(void *ctx, unsigned int monitor,
			 const struct xd_input *input)
{
	struct xd_guest *guest = ctx;
	unsigned int i = 0;

	if (!xd_input_is_valid(input))
		return;
	while (i < guest->nr_sinks) {
		struct xd_input_sink *sink = &guest->sinks[i];

		if (is_of(sink, monitor) && !send_input(guest, sink, input)) {
			close(sink->fd);
			*sink = guest->sinks[--guest->nr_sinks];
			continue;
		}
		i++;
	}
}

static bool output_busy(void *ctx, unsigned int monitor)
{
	struct xd_guest *guest = ctx;
	unsigned int i;

	/* nobody waits for a keyboard that has lost some already */
	for (i = 0; i < guest->nr_sinks; i++)
		if (is_of(&guest->sinks[i], monitor) &&
		    guest->sinks[i].nr_waiting && !guest->sinks[i].lost)
			return true;
	return false;
}

void xd_guest_add_sink(struct xd_guest *guest, uint32_t conn, int fd)
{
	/* the oldest is the likeliest to lead nowhere any more */
	if (guest->nr_sinks == XD_MAX_KEYBOARDS) {
		close(guest->sinks[0].fd);
		memmove(&guest->sinks[0], &guest->sinks[1],
			sizeof(guest->sinks[0]) * --guest->nr_sinks);
	}
	guest->sinks[guest->nr_sinks++] = (struct xd_input_sink){
		.fd = fd,
		.conn = conn,
	};
}

/* Where there is nobody to ask, the output has to do without. */
static void output_reopen(void *ctx)
{
	struct xd_guest *guest = ctx;

	if (guest->reopen)
		guest->reopen(guest->worker);
}

static void output_changed(void *ctx, unsigned int monitor)
{
	struct xd_guest *guest = ctx;

	if (monitor < guest->nr_conns)
		xd_conn_changed(&guest->conns[monitor]);
}

static void output_note(void *ctx, const char *text)
{
	xd_guest_say(ctx, false, "%s", text);
}

static void output_zero_copy(void *ctx, unsigned int monitor,
			     const char *why_not)
{
	struct xd_guest *guest = ctx;

	if (monitor < guest->nr_conns)
		xd_conn_zero_copy(&guest->conns[monitor], why_not);
}

static const struct xd_output_events output_events = {
	.done = output_done,
	.resized = output_resized,
	.input = output_input,
	.busy = output_busy,
	.reopen = output_reopen,
	.changed = output_changed,
	.note = output_note,
	.zero_copy = output_zero_copy,
};

static int create_output(struct xd_guest *guest, int fd)
{
	const struct xd_output_ops *ops =
		xd_output_find(guest->params.child.output);
	struct xd_output_params params = {
		.loop = guest->loop,
		.events = &output_events,
		.ctx = guest,
		.guest = guest->params.child.guest,
		.nr_monitors = guest->params.nr_conns,
		.names = guest->names,
		.millihertz = guest->params.millihertz,
		.options = &guest->params.child.options,
		.fd = fd,
	};

	unsigned int i;

	for (i = 0; i < guest->params.nr_conns; i++)
		guest->names[i] = guest->params.conns[i].unique_id;
	if (ops)
		return ops->create(&params, &guest->output);
	if (fd >= 0)
		close(fd);
	return -EINVAL;
}

int xd_guest_start(struct xd_guest *guest, struct xd_loop *loop,
		   struct xd_bus *bus, const struct xd_connect *params,
		   int output_fd)
{
	unsigned int i;
	int ret;

	*guest = (struct xd_guest){
		.loop = loop,
		.bus = bus,
		.params = *params,
		.worker = guest->worker,
		.say = guest->say,
	};
	ret = create_output(guest, output_fd);
	if (ret)
		return ret;
	for (i = 0; i < params->nr_conns; i++) {
		guest->nr_conns++;
		ret = xd_conn_open(&guest->conns[i], guest, i,
				   &params->conns[i]);
		if (ret)
			return ret;
	}
	ret = xd_timer_init(loop, &guest->again, serve_all, guest);
	if (!ret)
		ret = xd_timer_init(loop, &guest->pay, pay_all, guest);
	if (!ret)
		ret = xd_export_init(guest);
	if (ret)
		return ret;
	ret = xd_source_add(loop, &guest->bus_source, bus->ops->fd(bus),
			    EPOLLIN, bus_ready, guest);
	if (ret)
		return ret;
	/* what was sent before we bound raised no signal we heard */
	serve_all(guest);
	return 0;
}

void xd_guest_stop(struct xd_guest *guest)
{
	unsigned int i;

	xd_source_del(guest->loop, &guest->bus_source);
	xd_timer_finish(guest->loop, &guest->again);
	xd_timer_finish(guest->loop, &guest->pay);
	if (guest->output)
		xd_buffers_finish(guest);
	for (i = 0; i < guest->nr_conns; i++)
		xd_conn_close(&guest->conns[i]);
	if (guest->output)
		guest->output->ops->destroy(guest->output);
	xd_export_finish(guest);
	while (guest->nr_sinks)
		close(guest->sinks[--guest->nr_sinks].fd);
	guest->output = NULL;
	guest->nr_conns = 0;
}
