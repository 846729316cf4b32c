// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A keyboard's ring (kbdif): what viewers send, and a guest that reads, does not,
 * or writes into the page. Never more events than the ring has room for as the
 * guest tells it; keys that are down are up once an honest guest has read that
 * all have left.
 */
#include "fuzz.h"

#include <assert.h>
#include <sys/socket.h>

#include "core/keyboard.c"

/* The ring in a page of its own: ASan sees what goes beyond it. */
#define PAGE	4096u

static struct keyboard kbd;
static struct xd_keyboard_params params;
static int viewer = -1;
static unsigned int notified;

static int no_pending(struct xd_bus *bus)
{
	return 1;
}

static void no_unmask(struct xd_bus *bus, int port)
{
}

static void count_notify(struct xd_bus *bus, int port)
{
	notified++;
}

static const struct xd_bus_ops bus_ops = {
	.pending = no_pending,
	.unmask = no_unmask,
	.notify = count_notify,
};
static struct xd_bus bus = { .ops = &bus_ops };

static void set_up(void)
{
	int socks[2];

	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, socks));
	CHECK(!xd_loop_init(&kbd.loop));
	CHECK(!xd_timer_init(&kbd.loop, &kbd.pace, pace_fired, &kbd));
	kbd.input_fd = socks[0];
	kbd.input_source.fd = -1;
	viewer = socks[1];
	kbd.bus = &bus;
	kbd.params = &params;
}

static void start(struct fuzz_input *in)
{
	uint8_t flags = fuzz_u8(in);

	params = (struct xd_keyboard_params){
		.abs_pointer = flags & 1,
		.width = fuzz_u32(in) % 0x7fffffff + 1,
		.height = fuzz_u32(in) % 0x7fffffff + 1,
		.contacts = flags & 2 ? XD_INPUT_MAX_CONTACTS : flags / 4 % 4,
		.touch_width = fuzz_u32(in) % 0x7fffffff + 1,
		.touch_height = fuzz_u32(in) % 0x7fffffff + 1,
	};
	kbd.page = calloc(1, PAGE);
	CHECK(kbd.page);
	kbd.prod = kbd.page->in_prod = kbd.page->in_cons = fuzz_u32(in);
	kbd.x = 0;
	kbd.y = 0;
	kbd.placed = false;
	memset(kbd.down, 0, sizeof(kbd.down));
	kbd.touching = 0;
	kbd.head = 0;
	kbd.nr_queued = 0;
	kbd.stuck_since = 0;
	kbd.paid_until = 0;
}

/* What comes from a viewer is any bytes; or what an output may tell. */
static void send_input(struct fuzz_input *in, bool good)
{
	struct xd_input input;

	fuzz_take(in, &input, sizeof(input));
	if (good) {
		input.type %= XD_NUM_INPUT_TYPES;
		input.code %= KEY_CNT;
		input.id %= XD_INPUT_MAX_CONTACTS;
		input.x &= XD_INPUT_RANGE - 1;
		input.y &= XD_INPUT_RANGE - 1;
		input.value %= XD_INPUT_RANGE;
		CHECK(xd_input_is_valid(&input));
	}
	send(viewer, &input, fuzz_u8(in) % 32 ? sizeof(input) : 3,
	     MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void check_turn(uint32_t before)
{
	uint32_t used = kbd.prod - kbd.page->in_cons;

	CHECK(kbd.page->in_prod == kbd.prod || kbd.prod == before);
	CHECK(kbd.prod == before || used <= XENKBD_IN_RING_LEN);
	CHECK(kbd.nr_queued <= MAX_QUEUE && kbd.head < MAX_QUEUE);
}

static void turn(struct fuzz_input *in)
{
	uint32_t before = kbd.prod, at;

	switch (fuzz_u8(in) % 12) {
	case 0:
	case 1:
	case 2:
		send_input(in, true);
		return;
	case 3:
		send_input(in, false);
		return;
	case 4:
		kbd.page->in_cons = kbd.prod;
		return;
	case 5:
		kbd.page->in_cons = fuzz_u32(in);
		return;
	case 6:
		at = fuzz_u32(in) % PAGE;
		((uint8_t *)kbd.page)[at] = fuzz_u8(in);
		return;
	case 7:
		kbd.paid_until = 0;	/* time has passed */
		if (kbd.stuck_since)
			kbd.stuck_since = 1;
		pace_fired(&kbd);
		break;
	case 8:
	case 9:
		bus_ready(&kbd, 0);
		break;
	default:
		input_ready(&kbd, 0);
		break;
	}
	check_turn(before);
}

/* All have left, and the guest reads whatever there is. */
static void leave(void)
{
	const struct xd_input input = { .type = XD_INPUT_LEAVE };

	input_ready(&kbd, 0);
	queue(&kbd, &input);
	for (unsigned int i = 0; i < 2 * MAX_QUEUE && kbd.nr_queued; i++) {
		kbd.page->in_cons = kbd.prod;
		kbd.paid_until = 0;
		flush(&kbd);
	}
	CHECK(!kbd.nr_queued);
	for (size_t i = 0; i < sizeof(kbd.down); i++)
		CHECK(!kbd.down[i]);
	CHECK(!kbd.touching);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };

	if (viewer < 0)
		set_up();
	start(&in);
	while (in.left)
		turn(&in);
	leave();
	free(kbd.page);
	return 0;
}
