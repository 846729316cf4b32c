/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_WAYLAND_DESK_INTERNAL_H
#define TESTS_WAYLAND_DESK_INTERNAL_H

#include <wayland-server.h>

#include "desk.h"

#define MAX_KEPT	8

/* A buffer, to be read. */
struct look {
	const uint8_t *data;
	uint32_t width, height, stride;
	bool is_dmabuf;
};

/* A buffer that a client waits for, and what it looked like. */
struct held {
	struct wl_resource *buffer;
	struct wl_listener gone;
	uint8_t *copy;
	size_t size;
};

struct surface {
	struct desk_window *win;
	struct wl_resource *resource;
	struct wl_resource *xdg;
	struct wl_resource *toplevel;
	struct wl_resource *buffer;	/* attached since the last commit */
	struct wl_listener buffer_gone;
	struct wl_list frames;		/* of wl_callback resources */
	uint32_t damage;
	struct held held[MAX_KEPT];
};

struct server {
	struct desk_shared *shared;
	struct wl_display *display;
	struct surface *surfaces[DESK_WINDOWS];
	bool frames;
	bool release;
	enum desk_dmabuf dmabuf;
	struct wl_event_source *tick;
};

extern struct server server;

/* desk-seat.c */
void seat_create(struct wl_display *display);
void seat_command(const struct desk_cmd *cmd, struct surface *surface);
void seat_forget(struct surface *surface);

/* desk-dmabuf.c */
void dmabuf_create(struct wl_display *display);
void dmabuf_answer(void);
void buffer_look(struct wl_resource *buffer, struct look *look);

#endif /* TESTS_WAYLAND_DESK_INTERNAL_H */
