/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest with two buffers, and the compositor that shows it. */
#ifndef TESTS_SIM_WINDOWS_H
#define TESTS_SIM_WINDOWS_H

#include "front.h"
#include "sim.h"
#include "wayland/desk.h"

#define APP(domain, conn)	"xen-displayd.guest" #domain "." #conn

/* What a test waits for; fake_wait() has one pointer. */
struct wish {
	const char *app_id;
	uint32_t seed, width, height;
	uint32_t value;
};

extern struct sim_front front;
extern struct desk desk;

/* Framebuffers 20 and 21, on connector 0. */
extern struct sim_buf bufs[2];

void ok(int32_t status);
void await(struct sim *sim, bool (*cond)(void *ctx), struct wish wish);

/* @seed 0: black */
void expect_window(struct sim *sim, const char *app_id, uint32_t seed,
		   uint32_t width, uint32_t height);

/* @app_id NULL: whatever the window */
void tell(enum desk_op op, const char *app_id, int32_t a, int32_t b,
	  int32_t c);

/* With pictures 1 and 2 in them. */
void make_buffers(uint32_t width, uint32_t height);
void free_buffers(void);
void draw(unsigned int i, uint32_t seed);

/* The guest's first @n flips, of pictures from @seed on; nobody need see them. */
void flip_blindly(unsigned int n, uint32_t seed);

/* Guest 5, up to its first picture; @request: an extension that it asks for. */
void begin_without_desk(struct sim *sim, const char *request);
void begin(struct sim *sim, const char *request);
void end(struct sim *sim);

/* Where the compositor listens. */
const char *display_name(struct sim *sim);

#endif /* TESTS_SIM_WINDOWS_H */
