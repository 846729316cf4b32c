// SPDX-License-Identifier: GPL-2.0-or-later
/* The desk's seat: one of each kind, on whatever window the test says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "desk-internal.h"

/* Devices of all clients; events go to the one whose window is meant. */
static struct wl_list pointers, keyboards, touches;
static struct surface *pointer_on, *keyboard_on;

static void gone(struct wl_resource *resource)
{
	wl_list_remove(wl_resource_get_link(resource));
}

static void release(struct wl_client *client, struct wl_resource *resource)
{
	wl_resource_destroy(resource);
}

static void set_cursor(struct wl_client *client, struct wl_resource *resource,
		       uint32_t serial, struct wl_resource *surface,
		       int32_t hot_x, int32_t hot_y)
{
}

static const struct wl_pointer_interface pointer_impl = {
	.set_cursor = set_cursor,
	.release = release,
};

static const struct wl_keyboard_interface keyboard_impl = {
	.release = release,
};

static const struct wl_touch_interface touch_impl = {
	.release = release,
};

static void add(struct wl_client *client, struct wl_resource *seat,
		uint32_t id, const struct wl_interface *interface,
		const void *impl, struct wl_list *list)
{
	struct wl_resource *resource =
		wl_resource_create(client, interface,
				   wl_resource_get_version(seat), id);

	wl_resource_set_implementation(resource, impl, NULL, gone);
	wl_list_insert(list, wl_resource_get_link(resource));
}

static void get_pointer(struct wl_client *client, struct wl_resource *seat,
			uint32_t id)
{
	add(client, seat, id, &wl_pointer_interface, &pointer_impl, &pointers);
}

static void get_keyboard(struct wl_client *client, struct wl_resource *seat,
			 uint32_t id)
{
	add(client, seat, id, &wl_keyboard_interface, &keyboard_impl,
	    &keyboards);
}

static void get_touch(struct wl_client *client, struct wl_resource *seat,
		      uint32_t id)
{
	add(client, seat, id, &wl_touch_interface, &touch_impl, &touches);
}

static const struct wl_seat_interface seat_impl = {
	.get_pointer = get_pointer,
	.get_keyboard = get_keyboard,
	.get_touch = get_touch,
	.release = release,
};

static void bind_seat(struct wl_client *client, void *data, uint32_t version,
		 uint32_t id)
{
	struct wl_resource *seat =
		wl_resource_create(client, &wl_seat_interface, (int)version,
				   id);

	wl_resource_set_implementation(seat, &seat_impl, NULL, NULL);
	wl_seat_send_capabilities(seat, WL_SEAT_CAPABILITY_POINTER |
				  WL_SEAT_CAPABILITY_KEYBOARD |
				  WL_SEAT_CAPABILITY_TOUCH);
}

void seat_create(struct wl_display *display)
{
	wl_list_init(&pointers);
	wl_list_init(&keyboards);
	wl_list_init(&touches);
	wl_global_create(display, &wl_seat_interface, 5, NULL, bind_seat);
}

void seat_forget(struct surface *surface)
{
	if (pointer_on == surface)
		pointer_on = NULL;
	if (keyboard_on == surface)
		keyboard_on = NULL;
}

static struct wl_resource *device(struct wl_list *list,
				  struct surface *surface)
{
	struct wl_client *client =
		surface ? wl_resource_get_client(surface->resource) : NULL;
	struct wl_resource *resource;

	wl_resource_for_each(resource, list)
		if (wl_resource_get_client(resource) == client)
			return resource;
	return NULL;
}

static void point(const struct desk_cmd *cmd, struct surface *surface)
{
	struct wl_resource *pointer = device(&pointers, surface);
	wl_fixed_t x = wl_fixed_from_int(cmd->a);
	wl_fixed_t y = wl_fixed_from_int(cmd->b);

	if (!pointer)
		return;
	if (cmd->c)
		wl_pointer_send_enter(pointer, 1, surface->resource, x, y);
	else
		wl_pointer_send_motion(pointer, 0, x, y);
	wl_pointer_send_frame(pointer);
	pointer_on = surface;
}

static void press(const struct desk_cmd *cmd)
{
	struct wl_resource *pointer = device(&pointers, pointer_on);

	if (!pointer)
		return;
	if (cmd->op == DESK_BUTTON) {
		wl_pointer_send_button(pointer, 2, 0, (uint32_t)cmd->a,
				       (uint32_t)cmd->b);
	} else {
		wl_pointer_send_axis_discrete(
			pointer, WL_POINTER_AXIS_VERTICAL_SCROLL, cmd->a);
		wl_pointer_send_axis(pointer, 0,
				     WL_POINTER_AXIS_VERTICAL_SCROLL,
				     wl_fixed_from_int(10 * cmd->a));
	}
	wl_pointer_send_frame(pointer);
}

static void focus(const struct desk_cmd *cmd, struct surface *surface)
{
	struct wl_resource *keyboard;
	struct wl_array keys;

	keyboard = device(&keyboards, keyboard_on);
	if (keyboard)
		wl_keyboard_send_leave(keyboard, 3, keyboard_on->resource);
	keyboard_on = NULL;
	keyboard = device(&keyboards, surface);
	if (!cmd->a || !keyboard)
		return;
	wl_array_init(&keys);
	wl_keyboard_send_enter(keyboard, 4, surface->resource, &keys);
	wl_array_release(&keys);
	keyboard_on = surface;
}

static void touch(const struct desk_cmd *cmd, struct surface *surface)
{
	static bool down[16];
	struct wl_resource *resource = device(&touches, surface);
	wl_fixed_t x = wl_fixed_from_int(cmd->a);
	wl_fixed_t y = wl_fixed_from_int(cmd->b);

	if (!resource)
		return;
	if (cmd->op == DESK_TOUCH_UP)
		wl_touch_send_up(resource, 5, 0, cmd->c);
	else if (down[cmd->c])
		wl_touch_send_motion(resource, 0, cmd->c, x, y);
	else
		wl_touch_send_down(resource, 6, 0, surface->resource, cmd->c,
				   x, y);
	down[cmd->c] = cmd->op == DESK_TOUCH;
	wl_touch_send_frame(resource);
}

void seat_command(const struct desk_cmd *cmd, struct surface *surface)
{
	struct wl_resource *keyboard = device(&keyboards, keyboard_on);

	switch (cmd->op) {
	case DESK_POINTER:
		point(cmd, surface);
		break;
	case DESK_BUTTON:
	case DESK_AXIS:
		press(cmd);
		break;
	case DESK_FOCUS:
		focus(cmd, surface);
		break;
	case DESK_KEY:
		if (keyboard)
			wl_keyboard_send_key(keyboard, 7, 0, (uint32_t)cmd->a,
					     (uint32_t)cmd->b);
		break;
	case DESK_TOUCH:
	case DESK_TOUCH_UP:
		touch(cmd, surface);
		break;
	default:
		break;
	}
}
