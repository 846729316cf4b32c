/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest with a vkbd and a display of the output vnc, and a client that types. */
#ifndef TESTS_SIM_VKBD_H
#define TESTS_SIM_VKBD_H

#include <xen/io/kbdif.h>

#include "front.h"
#include "rfb.h"

#define VKBD_DOMID	5u
#define VKBD_BE		"/local/domain/0/backend/vinput/5/0"
#define VKBD_FE		"/local/domain/5/device/vkbd/0"

/* There is one; @vkbd_abs_pointer: it asks for positions */
extern struct sim_front vkbd_front;
extern struct fake *vkbd_fake;
extern struct xenkbd_page *vkbd_page;
extern uint32_t vkbd_gref, vkbd_port;
extern bool vkbd_abs_pointer;

/* The toolstack's part; then the guest's. */
void vkbd_create(struct sim *sim);
void vkbd_publish(void);
void vkbd_node(const char *dir, const char *name, const char *text);
void vkbd_want_state(const char *state);

/* All of it, with the daemon and the display, or with the keyboard alone. */
void vkbd_begin(struct sim *sim);
void vkbd_begin_without_display(struct sim *sim);
void vkbd_end(struct sim *sim);

/* For fake_wait(): the ring is not mapped; there is an event. */
bool vkbd_unmapped(void *ctx);
bool vkbd_has_event(void *ctx);

/* The next event, which has to come. */
union xenkbd_in_event vkbd_take(void);
void vkbd_want_key(uint32_t code, bool pressed);
void vkbd_want_position(int32_t x, int32_t y, int32_t wheel);

/* A client, and a key that it presses and lets go. */
rfbClient *vkbd_client_open(struct sim *sim);
void vkbd_type_key(rfbClient *client, uint32_t keysym);

#endif /* TESTS_SIM_VKBD_H */
