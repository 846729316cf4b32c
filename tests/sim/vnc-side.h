/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests on the vnc output, and those who look at them. */
#ifndef TESTS_SIM_VNC_SIDE_H
#define TESTS_SIM_VNC_SIDE_H

#include "front.h"
#include "rfb.h"

#define WIDTH		640u
#define HEIGHT		480u

extern struct sim_front front, other;
extern struct sim_buf buf, other_buf;

/* A status that has to be 0. */
void ok(int32_t status);

/* Starts the daemon. */
void begin(struct sim *sim);

/* A guest with one connector, which shows framebuffer 20 of buffer 10. */
void guest_open(struct sim *sim, struct sim_front *f, struct sim_buf *b,
		uint32_t domid, uint32_t seed);
void guest_close(struct sim_front *f, struct sim_buf *b);

/* Flips framebuffer 20, and waits until it is on screen. */
void draw(struct sim_front *f, struct sim_buf *b, uint32_t seed);

/* What clients say when they are asked, and how many pixels came to them. */
extern char password[16];
extern uint64_t updated;

/* NULL when it is not let in. */
rfbClient *client_open(struct sim *sim, uint32_t domid, const char *encodings);

/* One without the library, past the greeting: its socket. */
int log_in(struct sim *sim);

/* When a test gives up, ns. */
uint64_t deadline(void);

/* What came from the server, if any did; @end is when the test gives up. */
void client_turn(rfbClient *client, uint64_t end);

void want_picture(rfbClient *client, uint32_t width, uint32_t height,
		  uint32_t seed);

#endif /* TESTS_SIM_VNC_SIDE_H */
