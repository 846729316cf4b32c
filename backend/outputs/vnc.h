/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of the vnc output. One VNC client is one viewer: a process that
 * reads the client's bytes with libvncserver, has the picture to read, and a
 * link to the guest's worker, whose packets are here. A client that is slow or
 * breaks its viewer does not reach beyond it.
 */
#ifndef XD_OUTPUTS_VNC_H
#define XD_OUTPUTS_VNC_H

#include "outputs/output.h"

#define VNC_MAX_BOXES	32u

enum vnc_type {
	/* to the viewer */
	VNC_PICTURE = 1,	/* @width x @height XRGB8888, in the descriptor */
	VNC_DAMAGE,		/* @boxes of it changed */
	/* from the viewer */
	VNC_INPUT,
	VNC_SIZE,		/* the client wants @width x @height */
};

struct vnc_packet {
	uint32_t type;
	uint32_t width;
	uint32_t height;
	uint32_t nr_boxes;
	pixman_box32_t boxes[VNC_MAX_BOXES];
	struct xd_input input;
};

/* vnc_listen.c */

int vnc_listen(const struct xd_output_options *options, const char *guest,
	       unsigned int monitor, char address[XD_ADDRESS_SIZE]);

/* vnc_view.c */

int vnc_view(const struct xd_view_params *params, char why[XD_WHY_SIZE]);

/* vnc_keys.c */

enum vnc_shift {
	VNC_SHIFT_ANY,
	VNC_SHIFT_UP,
	VNC_SHIFT_DOWN,
};

/*
 * The key of a US keyboard that makes this X keysym, KEY_*; 0: none. @ret_shift:
 * what Shift has to be for it
 */
uint16_t vnc_key(uint32_t keysym, enum vnc_shift *ret_shift);

/**
 * struct vnc_typist - what a client holds, and what the guest sees of it
 * @held:	modifiers, a bit each
 * @seen:	Shift keys that are down in the guest, of the same bits
 * @caps:	Caps Lock is on, as far as this client has switched it
 * @shift:	what Shift has to be while @key is down
 * @tell:	where keys go
 */
struct vnc_typist {
	uint32_t held;
	uint32_t seen;
	bool caps;
	enum vnc_shift shift;
	uint16_t key;
	void (*tell)(void *ctx, uint16_t key, bool down);
	void *ctx;
};

/*
 * A client tells symbols, and its own Shift, of whatever keyboard it has: Shift
 * is told so that a US keyboard makes the same symbol.
 */
void vnc_type(struct vnc_typist *typist, uint32_t keysym, bool down);

#endif /* XD_OUTPUTS_VNC_H */
