/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of the output vnc: libvncclient, as quiet as tests want it. And a
 * socket, for what honest clients do not send.
 */
#ifndef TESTS_SIM_RFB_H
#define TESTS_SIM_RFB_H

#include <rfb/rfbclient.h>

#include "sim.h"

/* For the first connector of a guest, in XRGB8888; it has not connected yet. */
rfbClient *rfb_new(const struct sim *sim, uint32_t domid);

/* NULL, and @client is gone, when it is not let in. */
rfbClient *rfb_connect(rfbClient *client);
void rfb_close(rfbClient *client);

/* Is that all it sees? */
bool rfb_has_picture(const rfbClient *client, uint32_t width, uint32_t height,
		     uint32_t seed);

/* SetDesktopSize, whether the server has said that it can or not. */
void rfb_ask_size(rfbClient *client, uint16_t width, uint16_t height);

/* Connected to where the first connector's clients come to. */
int rfb_raw_open(const struct sim *sim, uint32_t domid);

/* @size bytes, or how many came before the end. */
size_t rfb_raw_read(int fd, void *data, size_t size);
void rfb_raw_write(int fd, const void *data, size_t size);

#endif /* TESTS_SIM_RFB_H */
