/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/input-event-codes.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <xen/io/kbdif.h>

#include "base/loop.h"
#include "base/packet.h"
#include "core/keyboard.h"

#define MAX_QUEUE	1024u
/* Of a guest that reads nothing though there is something to read */
#define PATIENCE_NS	1000000000u

/*
 * Linux keeps 64 events for a program that reads a keyboard, two for each key,
 * and forgets them all when one more comes: text that is pasted has to come at
 * a pace that a busy guest can follow.
 */
#define KEY_NS		10000000u
#define KEYS_AT_ONCE	8u

/**
 * struct keyboard - the ring, and what has to go into it
 * @prod:	ours alone; the page's is what the guest sees of it
 * @x, @y:	of the pointer, as told last, in the guest's units
 * @placed:	it has been told at all
 * @down:	keys that the guest has seen go down, a bit each
 * @touching:	the same of contacts
 * @queue:	oldest at @head, @nr_queued of them
 * @stuck_since: ns, the oldest finds no room and the guest has read nothing since; 0:
 *		there is room
 * @paid_until:	a key is paid with KEY_NS, KEYS_AT_ONCE of them in advance
 */
struct keyboard {
	struct xd_loop loop;
	struct xd_bus *bus;
	const struct xd_keyboard_params *params;
	int sock;
	int input_fd;
	struct xenkbd_page *page;
	int port;
	uint32_t prod;
	int32_t x, y;
	bool placed;
	uint8_t down[KEY_CNT / 8];
	uint32_t touching;
	struct xd_input queue[MAX_QUEUE];
	unsigned int head;
	unsigned int nr_queued;
	uint64_t stuck_since;
	uint64_t paid_until;
	struct xd_timer pace;
	struct xd_source bus_source, sock_source, input_source;
};

bool xd_input_is_valid(const struct xd_input *input)
{
	return input->type < XD_NUM_INPUT_TYPES &&
		input->code < KEY_CNT && input->id < XD_INPUT_MAX_CONTACTS &&
		input->x >= 0 && input->x < XD_INPUT_RANGE &&
		input->y >= 0 && input->y < XD_INPUT_RANGE &&
		input->value >= -XD_INPUT_RANGE &&
		input->value <= XD_INPUT_RANGE;
}

/* The ring */

/* A guest whose index makes no sense has a full ring until it does. */
static unsigned int room(const struct keyboard *kbd)
{
	uint32_t used = kbd->prod - __atomic_load_n(&kbd->page->in_cons,
						    __ATOMIC_ACQUIRE);

	return used > XENKBD_IN_RING_LEN ? 0 : XENKBD_IN_RING_LEN - used;
}

static void put(struct keyboard *kbd, const union xenkbd_in_event *event)
{
	XENKBD_IN_RING_REF(kbd->page, kbd->prod) = *event;
	kbd->prod++;
	__atomic_store_n(&kbd->page->in_prod, kbd->prod, __ATOMIC_RELEASE);
}

static void put_key(struct keyboard *kbd, unsigned int code, bool pressed)
{
	union xenkbd_in_event event = { 0 };
	uint8_t *byte = &kbd->down[code / 8];
	const uint8_t bit = (uint8_t)(1u << code % 8);

	/* it never heard of that one */
	if (!pressed && !(*byte & bit))
		return;
	event.key.type = XENKBD_TYPE_KEY;
	event.key.pressed = pressed;
	event.key.keycode = code;
	*byte = pressed ? *byte | bit : *byte & (uint8_t)~bit;
	put(kbd, &event);
}

/* From a fraction of the monitor to 0 .. @range - 1 */
static int32_t scale(int32_t fraction, uint32_t range)
{
	return (int32_t)((uint64_t)fraction * range / XD_INPUT_RANGE);
}

static void put_position(struct keyboard *kbd, int32_t x, int32_t y,
			 int32_t wheel)
{
	union xenkbd_in_event event = { 0 };

	if (kbd->params->abs_pointer) {
		event.pos.type = XENKBD_TYPE_POS;
		event.pos.abs_x = x;
		event.pos.abs_y = y;
		event.pos.rel_z = wheel;
	} else {
		event.motion.type = XENKBD_TYPE_MOTION;
		event.motion.rel_x = kbd->placed ? x - kbd->x : 0;
		event.motion.rel_y = kbd->placed ? y - kbd->y : 0;
		event.motion.rel_z = wheel;
	}
	kbd->x = x;
	kbd->y = y;
	kbd->placed = true;
	put(kbd, &event);
}

static void put_touch(struct keyboard *kbd, uint8_t type, uint32_t id,
		      const struct xd_input *at)
{
	union xenkbd_in_event event = { 0 };
	struct xenkbd_mtouch *touch = &event.mtouch;

	touch->type = XENKBD_TYPE_MTOUCH;
	touch->event_type = type;
	touch->contact_id = (uint8_t)id;
	if (type == XENKBD_MT_EV_DOWN || type == XENKBD_MT_EV_MOTION) {
		touch->u.pos.abs_x = scale(at->x, kbd->params->touch_width);
		touch->u.pos.abs_y = scale(at->y, kbd->params->touch_height);
	} else if (type == XENKBD_MT_EV_SHAPE) {
		touch->u.shape.major = (uint32_t)scale(at->x,
						kbd->params->touch_width);
		touch->u.shape.minor = (uint32_t)scale(at->y,
						kbd->params->touch_width);
	} else if (type == XENKBD_MT_EV_ORIENT) {
		touch->u.orientation = (int16_t)at->value;
	}
	put(kbd, &event);
}

static void put_contact(struct keyboard *kbd, const struct xd_input *input)
{
	static const uint8_t types[XD_NUM_INPUT_TYPES] = {
		[XD_INPUT_TOUCH_DOWN] = XENKBD_MT_EV_DOWN,
		[XD_INPUT_TOUCH_MOVE] = XENKBD_MT_EV_MOTION,
		[XD_INPUT_TOUCH_SHAPE] = XENKBD_MT_EV_SHAPE,
		[XD_INPUT_TOUCH_ORIENT] = XENKBD_MT_EV_ORIENT,
		[XD_INPUT_TOUCH_UP] = XENKBD_MT_EV_UP,
		[XD_INPUT_TOUCH_FRAME] = XENKBD_MT_EV_SYN,
	};
	const uint32_t bit = 1u << input->id;
	bool touches = kbd->touching & bit;

	if (input->type == XD_INPUT_TOUCH_DOWN)
		kbd->touching |= bit;
	else if (input->type == XD_INPUT_TOUCH_UP)
		kbd->touching &= ~bit;
	if (input->type == XD_INPUT_TOUCH_DOWN ||
	    input->type == XD_INPUT_TOUCH_FRAME || touches)
		put_touch(kbd, types[input->type], input->id, input);
}

static void put_input(struct keyboard *kbd, const struct xd_input *input)
{
	const struct xd_keyboard_params *params = kbd->params;

	switch (input->type) {
	case XD_INPUT_KEY:
		put_key(kbd, input->code, input->value);
		break;
	case XD_INPUT_POINTER:
		put_position(kbd, scale(input->x, params->width),
			     scale(input->y, params->height), 0);
		break;
	case XD_INPUT_WHEEL:
		put_position(kbd, kbd->x, kbd->y, input->value);
		break;
	default:
		if (input->id < params->contacts)
			put_contact(kbd, input);
		break;
	}
}

/* Keys and contacts that are down go up: false when that takes more room. */
static bool release_all(struct keyboard *kbd)
{
	unsigned int code, id;

	for (code = 0; code < KEY_CNT; code++) {
		if (!(kbd->down[code / 8] & 1u << code % 8))
			continue;
		if (!room(kbd))
			return false;
		put_key(kbd, code, false);
	}
	for (id = 0; id < XD_INPUT_MAX_CONTACTS; id++) {
		if (!(kbd->touching & 1u << id))
			continue;
		if (room(kbd) < 2)
			return false;
		put_touch(kbd, XENKBD_MT_EV_UP, id, NULL);
		put_touch(kbd, XENKBD_MT_EV_SYN, id, NULL);
		kbd->touching &= ~(1u << id);
	}
	return true;
}

/* The queue */

/* False: not yet, the timer will tell when. */
static bool in_time(struct keyboard *kbd, const struct xd_input *input)
{
	const uint64_t now = xd_now();
	const uint64_t latest = now + (KEYS_AT_ONCE - 1) * KEY_NS;

	if (input->type != XD_INPUT_KEY && input->type != XD_INPUT_WHEEL)
		return true;
	if (kbd->paid_until > latest) {
		xd_timer_set(&kbd->pace, now + kbd->paid_until - latest);
		return false;
	}
	if (kbd->paid_until < now)
		kbd->paid_until = now;
	kbd->paid_until += KEY_NS;
	return true;
}

static void flush(struct keyboard *kbd)
{
	const uint32_t before = kbd->prod;
	bool fits = true;

	while (kbd->nr_queued && fits) {
		const struct xd_input *input = &kbd->queue[kbd->head];

		fits = room(kbd);
		if (!fits || !in_time(kbd, input))
			break;
		if (input->type != XD_INPUT_LEAVE)
			put_input(kbd, input);
		else
			fits = release_all(kbd);
		if (!fits)
			break;
		kbd->head = (kbd->head + 1) % MAX_QUEUE;
		kbd->nr_queued--;
	}
	if (kbd->prod != before)
		kbd->bus->ops->notify(kbd->bus, kbd->port);
	if (fits)
		kbd->stuck_since = 0;
	else if (!kbd->stuck_since || kbd->prod != before)
		kbd->stuck_since = xd_now();
}

/* What comes waits with who sends it: the guest reads, or may do so yet. */
static bool is_full(const struct keyboard *kbd)
{
	return kbd->nr_queued == MAX_QUEUE &&
		(!kbd->stuck_since ||
		 xd_now() - kbd->stuck_since < PATIENCE_NS);
}

/* After each flush() */
static void listen_or_wait(struct keyboard *kbd)
{
	const bool full = is_full(kbd);

	xd_source_modify(&kbd->loop, &kbd->input_source, full ? 0 : EPOLLIN);
	if (full && kbd->stuck_since)
		xd_timer_set(&kbd->pace, kbd->stuck_since + PATIENCE_NS);
}

/*
 * A guest that has not read for so long shall not find keys that are held for
 * ever when it does: what waits is forgotten, and whatever is down goes up.
 */
static void queue(struct keyboard *kbd, const struct xd_input *input)
{
	if (kbd->nr_queued == MAX_QUEUE) {
		kbd->nr_queued = 1;
		kbd->queue[kbd->head] = (struct xd_input){
			.type = XD_INPUT_LEAVE,
		};
	}
	kbd->queue[(kbd->head + kbd->nr_queued) % MAX_QUEUE] = *input;
	kbd->nr_queued++;
}

/* Sources */

static void input_ready(void *ctx, uint32_t events)
{
	struct keyboard *kbd = ctx;
	struct xd_input input;
	unsigned int i;
	int fd, ret = 1;

	for (i = 0; i < MAX_QUEUE && !is_full(kbd); i++) {
		ret = xd_packet_receive(kbd->input_fd, &input, sizeof(input),
					&fd);
		if (fd >= 0)
			close(fd);
		if (ret <= 0)
			break;
		if (xd_input_is_valid(&input))
			queue(kbd, &input);
	}
	if (!ret)
		xd_loop_quit(&kbd->loop);	/* nobody is left to tell */
	flush(kbd);
	listen_or_wait(kbd);
}

static void pace_fired(void *ctx)
{
	flush(ctx);
	listen_or_wait(ctx);
}

/* The guest has read. */
static void bus_ready(void *ctx, uint32_t events)
{
	struct keyboard *kbd = ctx;
	int port = kbd->bus->ops->pending(kbd->bus);

	if (port < 0)
		return;
	kbd->bus->ops->unmask(kbd->bus, port);
	flush(kbd);
	listen_or_wait(kbd);
}

/* The supervisor has nothing to say but that it is gone. */
static void sock_ready(void *ctx, uint32_t events)
{
	struct keyboard *kbd = ctx;

	xd_loop_quit(&kbd->loop);
}

static int connect_guest(struct keyboard *kbd)
{
	const uint32_t domid = kbd->params->child.domid;

	kbd->page = kbd->bus->ops->map(kbd->bus, domid, &kbd->params->gref, 1,
				       true);
	if (!kbd->page)
		return -errno;
	/* of a worker before us, maybe; a wrong one is the guest's own loss */
	kbd->prod = __atomic_load_n(&kbd->page->in_prod, __ATOMIC_ACQUIRE);
	kbd->port = kbd->bus->ops->bind(kbd->bus, domid, kbd->params->port);
	return kbd->port < 0 ? kbd->port : 0;
}

static int watch(struct keyboard *kbd)
{
	int ret = xd_timer_init(&kbd->loop, &kbd->pace, pace_fired, kbd);

	if (!ret)
		ret = xd_source_add(&kbd->loop, &kbd->bus_source,
				    kbd->bus->ops->fd(kbd->bus), EPOLLIN,
				    bus_ready, kbd);
	if (!ret)
		ret = xd_source_add(&kbd->loop, &kbd->sock_source, kbd->sock,
				    EPOLLIN, sock_ready, kbd);
	if (!ret)
		ret = xd_source_add(&kbd->loop, &kbd->input_source,
				    kbd->input_fd, EPOLLIN, input_ready, kbd);
	return ret;
}

int xd_keyboard_serve(int sock, struct xd_bus *bus,
		      const struct xd_keyboard_params *params, int input_fd)
{
	struct xd_message connected = { .type = XD_MSG_CONNECTED };
	struct keyboard kbd = {
		.bus = bus,
		.params = params,
		.sock = sock,
		.input_fd = input_fd,
		.port = -1,
	};
	int ret = xd_loop_init(&kbd.loop), sent;

	if (!ret)
		ret = connect_guest(&kbd);
	if (!ret)
		ret = watch(&kbd);
	connected.err = ret;
	sent = xd_message_send(sock, &connected, -1);
	if (!ret)
		ret = sent;
	if (!ret)
		ret = xd_loop_run(&kbd.loop);
	if (kbd.port >= 0)
		bus->ops->unbind(bus, kbd.port);
	if (kbd.page)
		bus->ops->unmap(bus, kbd.page, 1);
	xd_timer_finish(&kbd.loop, &kbd.pace);
	xd_loop_finish(&kbd.loop);
	return ret;
}
