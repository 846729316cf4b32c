/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The compositor's seat: keys, pointer and touch screen of whoever sits there,
 * told for the window that has them. Keys are evdev codes on the wire already.
 */
#include <linux/input-event-codes.h>
#include <string.h>
#include <unistd.h>

#include "outputs/wayland.h"

#define SEAT_VERSION	7u	/* wl_touch.shape, wl_pointer.axis_discrete */
#define NR_BUTTONS	8u	/* that have names */
#define AXIS_STEP	10	/* of a wheel, by custom */

static void tell(struct way_window *win, struct xd_input input)
{
	struct xd_output_params *params = &win->owner->params;

	params->events->input(params->ctx, win->index, &input);
}

static void tell_key(struct way_window *win, uint32_t code, bool down)
{
	tell(win, (struct xd_input){ .type = XD_INPUT_KEY,
				     .code = (uint16_t)code, .value = down });
}

static int32_t fraction(wl_fixed_t at, uint32_t size)
{
	int64_t part = size ? (int64_t)at * (XD_INPUT_RANGE / 256) / size : 0;

	if (part < 0)
		return 0;
	return part < XD_INPUT_RANGE ? (int32_t)part : XD_INPUT_RANGE - 1;
}

static struct way_window *window_of(struct wl_surface *surface)
{
	/* a window that we have closed meanwhile has none */
	return surface ? wl_surface_get_user_data(surface) : NULL;
}

/* Keyboard */

static void keymap(void *data, struct wl_keyboard *keyboard, uint32_t format,
		   int32_t fd, uint32_t size)
{
	close(fd);	/* the guest has its own */
}

static void keyboard_enter(void *data, struct wl_keyboard *keyboard,
			   uint32_t serial, struct wl_surface *surface,
			   struct wl_array *keys)
{
	struct way_seat *seat = data;

	/* what is down already was pressed for somebody else */
	seat->keyboard_on = window_of(surface);
}

static void keyboard_leave(void *data, struct wl_keyboard *keyboard,
			   uint32_t serial, struct wl_surface *surface)
{
	struct way_seat *seat = data;

	if (seat->keyboard_on)
		tell(seat->keyboard_on,
		     (struct xd_input){ .type = XD_INPUT_LEAVE });
	seat->keyboard_on = NULL;
}

static void key(void *data, struct wl_keyboard *keyboard, uint32_t serial,
		uint32_t time, uint32_t code, uint32_t state)
{
	struct way_seat *seat = data;

	if (seat->keyboard_on && code < KEY_CNT)
		tell_key(seat->keyboard_on, code,
			 state == WL_KEYBOARD_KEY_STATE_PRESSED);
}

static void modifiers(void *data, struct wl_keyboard *keyboard,
		      uint32_t serial, uint32_t depressed, uint32_t latched,
		      uint32_t locked, uint32_t group)
{
}

static void repeat_info(void *data, struct wl_keyboard *keyboard, int32_t rate,
			int32_t delay)
{
}

static const struct wl_keyboard_listener keyboard_listener = {
	.keymap = keymap,
	.enter = keyboard_enter,
	.leave = keyboard_leave,
	.key = key,
	.modifiers = modifiers,
	.repeat_info = repeat_info,
};

/* Pointer */

static void point(struct way_window *win, wl_fixed_t x, wl_fixed_t y)
{
	tell(win, (struct xd_input){
		.type = XD_INPUT_POINTER,
		.x = fraction(x, win->shown_width),
		.y = fraction(y, win->shown_height),
	});
}

static void pointer_enter(void *data, struct wl_pointer *pointer,
			  uint32_t serial, struct wl_surface *surface,
			  wl_fixed_t x, wl_fixed_t y)
{
	struct way_seat *seat = data;

	/* the guest draws its own */
	wl_pointer_set_cursor(pointer, serial, NULL, 0, 0);
	seat->pointer_on = window_of(surface);
	if (seat->pointer_on)
		point(seat->pointer_on, x, y);
}

static void pointer_leave(void *data, struct wl_pointer *pointer,
			  uint32_t serial, struct wl_surface *surface)
{
	struct way_seat *seat = data;
	uint32_t i;

	for (i = 0; i < NR_BUTTONS && seat->pointer_on; i++)
		if (seat->buttons & 1u << i)
			tell_key(seat->pointer_on, BTN_MOUSE + i, false);
	seat->buttons = 0;
	seat->pointer_on = NULL;
}

static void motion(void *data, struct wl_pointer *pointer, uint32_t time,
		   wl_fixed_t x, wl_fixed_t y)
{
	struct way_seat *seat = data;

	if (seat->pointer_on)
		point(seat->pointer_on, x, y);
}

static void button(void *data, struct wl_pointer *pointer, uint32_t serial,
		   uint32_t time, uint32_t code, uint32_t state)
{
	const bool down = state == WL_POINTER_BUTTON_STATE_PRESSED;
	struct way_seat *seat = data;

	if (!seat->pointer_on || code < BTN_MOUSE ||
	    code >= BTN_MOUSE + NR_BUTTONS)
		return;
	if (down)
		seat->buttons |= 1u << (code - BTN_MOUSE);
	else
		seat->buttons &= ~(1u << (code - BTN_MOUSE));
	tell_key(seat->pointer_on, code, down);
}

static void axis(void *data, struct wl_pointer *pointer, uint32_t time,
		 uint32_t which, wl_fixed_t value)
{
	struct way_seat *seat = data;

	if (which == WL_POINTER_AXIS_VERTICAL_SCROLL)
		seat->scrolled += value;
}

static void axis_discrete(void *data, struct wl_pointer *pointer,
			  uint32_t which, int32_t steps)
{
	struct way_seat *seat = data;

	if (which == WL_POINTER_AXIS_VERTICAL_SCROLL)
		seat->steps += steps;
}

/* A wheel counts its steps; of a touchpad's way we make some. */
static void pointer_frame(void *data, struct wl_pointer *pointer)
{
	const wl_fixed_t step = wl_fixed_from_int(AXIS_STEP);
	struct way_seat *seat = data;
	int32_t steps = seat->steps;

	if (steps) {
		seat->scrolled = 0;
	} else {
		steps = seat->scrolled / step;
		seat->scrolled -= steps * step;
	}
	seat->steps = 0;
	if (steps && seat->pointer_on)
		tell(seat->pointer_on,
		     (struct xd_input){ .type = XD_INPUT_WHEEL,
					.value = steps });
}

static void axis_source(void *data, struct wl_pointer *pointer,
			uint32_t source)
{
}

static void axis_stop(void *data, struct wl_pointer *pointer, uint32_t time,
		      uint32_t which)
{
	struct way_seat *seat = data;

	seat->scrolled = 0;
}

static const struct wl_pointer_listener pointer_listener = {
	.enter = pointer_enter,
	.leave = pointer_leave,
	.motion = motion,
	.button = button,
	.axis = axis,
	.frame = pointer_frame,
	.axis_source = axis_source,
	.axis_stop = axis_stop,
	.axis_discrete = axis_discrete,
};

/* Touch: contacts get the lowest numbers that are free. */

static struct way_contact *find_contact(struct way_seat *seat, int32_t id)
{
	unsigned int i;

	for (i = 0; i < XD_INPUT_MAX_CONTACTS; i++)
		if (seat->contacts[i].win && seat->contacts[i].id == id)
			return &seat->contacts[i];
	return NULL;
}

static void tell_contact(struct way_seat *seat, struct way_contact *contact,
			 struct xd_input input)
{
	input.id = (uint32_t)(contact - seat->contacts);
	contact->changed = true;
	tell(contact->win, input);
}

static void tell_place(struct way_seat *seat, struct way_contact *contact,
		       enum xd_input_type type, wl_fixed_t x, wl_fixed_t y)
{
	tell_contact(seat, contact, (struct xd_input){
		.type = (uint16_t)type,
		.x = fraction(x, contact->win->shown_width),
		.y = fraction(y, contact->win->shown_height),
	});
}

static void touch_down(void *data, struct wl_touch *touch, uint32_t serial,
		       uint32_t time, struct wl_surface *surface, int32_t id,
		       wl_fixed_t x, wl_fixed_t y)
{
	struct way_window *win = window_of(surface);
	struct way_contact *contact;
	struct way_seat *seat = data;
	unsigned int i = 0;

	while (i < XD_INPUT_MAX_CONTACTS && seat->contacts[i].win)
		i++;
	if (!win || i == XD_INPUT_MAX_CONTACTS || find_contact(seat, id))
		return;
	contact = &seat->contacts[i];
	*contact = (struct way_contact){ .win = win, .id = id };
	tell_place(seat, contact, XD_INPUT_TOUCH_DOWN, x, y);
}

static void touch_up(void *data, struct wl_touch *touch, uint32_t serial,
		     uint32_t time, int32_t id)
{
	struct way_seat *seat = data;
	struct way_contact *contact = find_contact(seat, id);

	if (!contact)
		return;
	tell_contact(seat, contact,
		     (struct xd_input){ .type = XD_INPUT_TOUCH_UP });
	contact->up = true;
}

static void touch_motion(void *data, struct wl_touch *touch, uint32_t time,
			 int32_t id, wl_fixed_t x, wl_fixed_t y)
{
	struct way_seat *seat = data;
	struct way_contact *contact = find_contact(seat, id);

	if (contact)
		tell_place(seat, contact, XD_INPUT_TOUCH_MOVE, x, y);
}

static void touch_shape(void *data, struct wl_touch *touch, int32_t id,
			wl_fixed_t major, wl_fixed_t minor)
{
	struct way_seat *seat = data;
	struct way_contact *contact = find_contact(seat, id);

	if (contact)
		tell_contact(seat, contact, (struct xd_input){
			.type = XD_INPUT_TOUCH_SHAPE,
			.x = fraction(major, contact->win->shown_width),
			.y = fraction(minor, contact->win->shown_width),
		});
}

static void touch_orientation(void *data, struct wl_touch *touch, int32_t id,
			      wl_fixed_t degrees)
{
	struct way_seat *seat = data;
	struct way_contact *contact = find_contact(seat, id);

	if (contact)
		tell_contact(seat, contact, (struct xd_input){
			.type = XD_INPUT_TOUCH_ORIENT,
			.value = wl_fixed_to_int(degrees),
		});
}

/* Each window of which contacts changed hears that this was all. */
static void touch_frame(void *data, struct wl_touch *touch)
{
	struct way_seat *seat = data;
	unsigned int i, j;

	for (i = 0; i < XD_INPUT_MAX_CONTACTS; i++) {
		struct way_window *win = seat->contacts[i].win;

		if (!win || !seat->contacts[i].changed)
			continue;
		for (j = i; j < XD_INPUT_MAX_CONTACTS; j++)
			if (seat->contacts[j].win == win)
				seat->contacts[j].changed = false;
		tell(win, (struct xd_input){ .type = XD_INPUT_TOUCH_FRAME });
	}
	for (i = 0; i < XD_INPUT_MAX_CONTACTS; i++)
		if (seat->contacts[i].up)
			seat->contacts[i] = (struct way_contact){ 0 };
}

static void touch_cancel(void *data, struct wl_touch *touch)
{
	struct way_seat *seat = data;
	unsigned int i;

	for (i = 0; i < XD_INPUT_MAX_CONTACTS; i++)
		if (seat->contacts[i].win && !seat->contacts[i].up)
			touch_up(seat, touch, 0, 0, seat->contacts[i].id);
	touch_frame(seat, touch);
}

static const struct wl_touch_listener touch_listener = {
	.down = touch_down,
	.up = touch_up,
	.motion = touch_motion,
	.frame = touch_frame,
	.cancel = touch_cancel,
	.shape = touch_shape,
	.orientation = touch_orientation,
};

/* The seat */

static void drop_keyboard(struct way_seat *seat)
{
	if (!seat->keyboard)
		return;
	keyboard_leave(seat, seat->keyboard, 0, NULL);
	if (wl_keyboard_get_version(seat->keyboard) >=
	    WL_KEYBOARD_RELEASE_SINCE_VERSION)
		wl_keyboard_release(seat->keyboard);
	else
		wl_keyboard_destroy(seat->keyboard);
	seat->keyboard = NULL;
}

static void drop_pointer(struct way_seat *seat)
{
	if (!seat->pointer)
		return;
	pointer_leave(seat, seat->pointer, 0, NULL);
	if (wl_pointer_get_version(seat->pointer) >=
	    WL_POINTER_RELEASE_SINCE_VERSION)
		wl_pointer_release(seat->pointer);
	else
		wl_pointer_destroy(seat->pointer);
	seat->pointer = NULL;
}

static void drop_touch(struct way_seat *seat)
{
	if (!seat->touch)
		return;
	touch_cancel(seat, seat->touch);
	if (wl_touch_get_version(seat->touch) >=
	    WL_TOUCH_RELEASE_SINCE_VERSION)
		wl_touch_release(seat->touch);
	else
		wl_touch_destroy(seat->touch);
	seat->touch = NULL;
}

static void capabilities(void *data, struct wl_seat *proxy, uint32_t has)
{
	struct way_seat *seat = data;

	if (!(has & WL_SEAT_CAPABILITY_KEYBOARD)) {
		drop_keyboard(seat);
	} else if (!seat->keyboard) {
		seat->keyboard = wl_seat_get_keyboard(proxy);
		if (seat->keyboard)
			wl_keyboard_add_listener(seat->keyboard,
						 &keyboard_listener, seat);
	}
	if (!(has & WL_SEAT_CAPABILITY_POINTER)) {
		drop_pointer(seat);
	} else if (!seat->pointer) {
		seat->pointer = wl_seat_get_pointer(proxy);
		if (seat->pointer)
			wl_pointer_add_listener(seat->pointer,
						&pointer_listener, seat);
	}
	if (!(has & WL_SEAT_CAPABILITY_TOUCH)) {
		drop_touch(seat);
	} else if (!seat->touch) {
		seat->touch = wl_seat_get_touch(proxy);
		if (seat->touch)
			wl_touch_add_listener(seat->touch, &touch_listener,
					      seat);
	}
}

static void seat_name(void *data, struct wl_seat *proxy, const char *name)
{
}

static const struct wl_seat_listener seat_listener = {
	.capabilities = capabilities,
	.name = seat_name,
};

void way_seat_bind(struct way_seat *seat, struct wl_registry *registry,
		   uint32_t name, uint32_t version)
{
	if (seat->proxy)
		return;
	*seat = (struct way_seat){ .name = name };
	seat->proxy = wl_registry_bind(registry, name, &wl_seat_interface,
				       version < SEAT_VERSION ? version :
				       SEAT_VERSION);
	if (seat->proxy)
		wl_seat_add_listener(seat->proxy, &seat_listener, seat);
}

void way_seat_drop(struct way_seat *seat)
{
	if (!seat->proxy)
		return;
	drop_keyboard(seat);
	drop_pointer(seat);
	drop_touch(seat);
	wl_seat_destroy(seat->proxy);
	seat->proxy = NULL;
}
