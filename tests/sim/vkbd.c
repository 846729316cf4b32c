// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include "front.h"
#include "vkbd.h"

struct sim_front vkbd_front;
struct fake *vkbd_fake;
struct xenkbd_page *vkbd_page;
uint32_t vkbd_gref, vkbd_port;
bool vkbd_abs_pointer = true;

static const char *const one[] = { "640x480" };

/* The guest's end */

void vkbd_node(const char *dir, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fake_write(vkbd_fake, path, text);
}

/* As the toolstack makes it for vkb = ["backend-type=linux,..."]. */
void vkbd_create(struct sim *sim)
{
	vkbd_fake = sim->fake;
	sim_guest_create(&vkbd_front, vkbd_fake, VKBD_DOMID, 1, one);
	vkbd_node(VKBD_FE, "backend", VKBD_BE);
	vkbd_node(VKBD_FE, "backend-id", "0");
	vkbd_node(VKBD_FE, "state", "1");
	vkbd_node(VKBD_BE, "frontend", VKBD_FE);
	vkbd_node(VKBD_BE, "frontend-id", "5");
	vkbd_node(VKBD_BE, "online", "1");
	vkbd_node(VKBD_BE, "width", "640");
	vkbd_node(VKBD_BE, "height", "480");
	vkbd_node(VKBD_BE, "state", "1");
}

void vkbd_publish(void)
{
	char text[16];

	vkbd_page = fake_pages_alloc(vkbd_fake, 1);
	vkbd_gref = fake_grant(vkbd_fake, VKBD_DOMID, vkbd_page, true);
	vkbd_port = fake_port_alloc(vkbd_fake, VKBD_DOMID);
	snprintf(text, sizeof(text), "%u", vkbd_gref);
	vkbd_node(VKBD_FE, "page-gref", text);
	snprintf(text, sizeof(text), "%u", vkbd_port);
	vkbd_node(VKBD_FE, "event-channel", text);
	vkbd_node(VKBD_FE, "request-abs-pointer", vkbd_abs_pointer ? "1" :
		  "0");
	vkbd_node(VKBD_FE, "state", "3");
}

static bool state_is(void *ctx)
{
	char *text = fake_read(vkbd_fake, VKBD_BE "/state");
	bool is = text && !strcmp(text, ctx);

	free(text);
	return is;
}

void vkbd_want_state(const char *state)
{
	if (!fake_wait(vkbd_fake, state_is, (void *)(uintptr_t)state,
		       SIM_TIMEOUT_MS))
		sim_fail("the keyboard's state is not %s", state);
}

bool vkbd_has_event(void *ctx)
{
	(void)ctx;
	return __atomic_load_n(&vkbd_page->in_prod, __ATOMIC_ACQUIRE) !=
		vkbd_page->in_cons;
}

union xenkbd_in_event vkbd_take(void)
{
	union xenkbd_in_event event;

	if (!fake_wait(vkbd_fake, vkbd_has_event, NULL, SIM_TIMEOUT_MS))
		sim_fail("no event");
	assert_in_range(vkbd_page->in_prod - vkbd_page->in_cons, 1,
			XENKBD_IN_RING_LEN);
	event = XENKBD_IN_RING_REF(vkbd_page, vkbd_page->in_cons);
	vkbd_page->in_cons++;
	fake_port_notify(vkbd_fake, VKBD_DOMID, vkbd_port);
	return event;
}

void vkbd_want_key(uint32_t code, bool pressed)
{
	union xenkbd_in_event event = vkbd_take();

	assert_int_equal(event.type, XENKBD_TYPE_KEY);
	assert_int_equal(event.key.keycode, code);
	assert_int_equal(event.key.pressed, pressed);
}

void vkbd_want_position(int32_t x, int32_t y, int32_t wheel)
{
	union xenkbd_in_event event = vkbd_take();

	assert_int_equal(event.type, XENKBD_TYPE_POS);
	assert_int_equal(event.pos.abs_x, x);
	assert_int_equal(event.pos.abs_y, y);
	assert_int_equal(event.pos.rel_z, wheel);
}

/* The client's end */

rfbClient *vkbd_client_open(struct sim *sim)
{
	rfbClient *client = rfb_connect(rfb_new(sim, VKBD_DOMID));

	assert_non_null(client);
	return client;
}

void vkbd_type_key(rfbClient *client, uint32_t keysym)
{
	assert_true(SendKeyEvent(client, keysym, TRUE));
	assert_true(SendKeyEvent(client, keysym, FALSE));
}

/* A guest whose keyboard is connected, and nothing else of it. */
void vkbd_begin_without_display(struct sim *sim)
{
	sim->output = "vnc";
	sim->options[XD_OPTION_VNC_LISTEN] = sim->dir;
	sim_daemon_start(sim);
	vkbd_create(sim);
	vkbd_want_state("2");
	vkbd_publish();
	vkbd_want_state("4");
	vkbd_node(VKBD_FE, "state", "4");
}

void vkbd_begin(struct sim *sim)
{
	vkbd_begin_without_display(sim);
	sim_front_write(&vkbd_front, "request-connector-event", "1");
	sim_connect(&vkbd_front, 2);
}

bool vkbd_unmapped(void *ctx)
{
	(void)ctx;
	return !fake_grant_end(vkbd_fake, VKBD_DOMID, vkbd_gref);
}

void vkbd_end(struct sim *sim)
{
	vkbd_node(VKBD_BE, "online", "0");
	vkbd_node(VKBD_FE, "state", "6");
	vkbd_want_state("6");
	assert_true(fake_wait(vkbd_fake, vkbd_unmapped, NULL, SIM_TIMEOUT_MS));
	fake_port_free(vkbd_fake, VKBD_DOMID, vkbd_port);
	fake_pages_free(vkbd_fake, vkbd_page, 1);
	fake_remove(vkbd_fake, VKBD_BE);
	sim_disconnect(&vkbd_front);
	sim_wait_back_state(&vkbd_front, SIM_CLOSED);
	sim_guest_destroy(&vkbd_front);
	sim_finish(sim);
}
