// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls that fail while a VNC client looks at a guest, and types. */
#include "unit.h"

#include <linux/input-event-codes.h>

#include <xen/io/kbdif.h>

#include "base/loop.h"
#include "rfb.h"
#include "turns.h"

#define DOMID		TURNS_DOMID
#define WIDTH		TURNS_WIDTH
#define HEIGHT		TURNS_HEIGHT
#define TURN_US		20000
#define BE		"/local/domain/0/backend/vinput/5"
#define FE		"/local/domain/5/device/vkbd"

static struct sim_front *const front = &turns_front;
static struct sim_buf buf;
static struct xenkbd_page *page;
static uint32_t gref, port;
static unsigned int keyboard;	/* another one each time: one has to wait */
static uint32_t seed;

/* The guest's keyboard */

static void node(const char *dir, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%u/%s", dir, keyboard, name);
	fake_write(turns_sim->fake, path, text);
}

static void remove_node(const char *dir)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%u", dir, keyboard);
	fake_remove(turns_sim->fake, path);
}

static bool state_is(void *ctx)
{
	char path[128], *text;
	bool is;

	snprintf(path, sizeof(path), BE "/%u/state", keyboard);
	text = fake_read(turns_sim->fake, path);
	is = text && !strcmp(text, ctx);
	free(text);
	return is;
}

static void want_state(const char *state)
{
	if (!fake_wait(turns_sim->fake, state_is, (void *)(uintptr_t)state,
		       SIM_TIMEOUT_MS))
		sim_fail("the keyboard's state is not %s after %s failed",
			 state, faults_hit());
}

static void keyboard_come(void)
{
	struct fake *fake = turns_sim->fake;
	char text[16];

	keyboard++;
	node(FE, "state", "1");
	node(BE, "frontend", FE);
	node(BE, "frontend-id", "5");
	node(BE, "online", "1");
	node(BE, "state", "1");
	want_state("2");
	page = fake_pages_alloc(fake, 1);
	gref = fake_grant(fake, DOMID, page, true);
	port = fake_port_alloc(fake, DOMID);
	snprintf(text, sizeof(text), "%u", gref);
	node(FE, "page-gref", text);
	snprintf(text, sizeof(text), "%u", port);
	node(FE, "event-channel", text);
	node(FE, "request-abs-pointer", "1");
	node(FE, "state", "3");
	want_state("4");
	node(FE, "state", "4");
}

static bool unmapped(void *ctx)
{
	(void)ctx;
	return !fake_grant_end(turns_sim->fake, DOMID, gref);
}

static void keyboard_go(void)
{
	struct fake *fake = turns_sim->fake;

	node(BE, "online", "0");
	node(FE, "state", "6");
	want_state("6");
	if (!fake_wait(fake, unmapped, NULL, SIM_TIMEOUT_MS))
		sim_fail("the keyboard's ring is mapped after %s failed",
			 faults_hit());
	fake_port_free(fake, DOMID, port);
	fake_pages_free(fake, page, 1);
	remove_node(BE);
	remove_node(FE);
}

/* Whatever else comes before it. */
static bool key_came(void *ctx)
{
	const struct xenkbd_key *key = ctx;
	bool came = false;

	while (!came && page->in_cons !=
	       __atomic_load_n(&page->in_prod, __ATOMIC_ACQUIRE)) {
		union xenkbd_in_event event = XENKBD_IN_RING_REF(page,
								page->in_cons);

		page->in_cons++;
		came = event.type == XENKBD_TYPE_KEY &&
			event.key.keycode == key->keycode &&
			event.key.pressed == key->pressed;
	}
	fake_port_notify(turns_sim->fake, DOMID, port);
	return came;
}

static void want_key(uint32_t code, bool pressed)
{
	struct xenkbd_key key = { .keycode = code, .pressed = pressed };

	if (!fake_wait(turns_sim->fake, key_came, &key, SIM_TIMEOUT_MS))
		sim_fail("key %u does not come after %s failed", code,
			 faults_hit());
}

/* A client */

/* NULL when it is not let in. */
static rfbClient *client_open(void)
{
	rfbClient *client = rfb_new(turns_sim, DOMID);

	client->appData.encodingsString = "raw";
	client->readTimeout = SIM_TIMEOUT_MS / 1000;
	return rfb_connect(client);
}

/* It sees what the guest shows, or false: it has lost its server. */
static bool sees(rfbClient *client)
{
	const uint64_t end = xd_now() + SIM_TIMEOUT_MS * 1000000ull;

	while (!rfb_has_picture(client, WIDTH, HEIGHT, seed)) {
		int n = WaitForMessage(client, TURN_US);

		if (n < 0 || (n && !HandleRFBServerMessage(client)))
			return false;
		if (xd_now() > end)
			sim_fail("the client waits in vain after %s failed",
				 faults_hit());
	}
	return true;
}

static void draw(void)
{
	sim_buf_draw(&buf, ++seed);
	turns_ok(sim_flip(&front->conn[0], 20));
	sim_wait_events(&front->conn[0], front->conn[0].nr_events + 1);
}

static bool type(rfbClient *client, uint32_t keysym)
{
	return SendKeyEvent(client, keysym, TRUE) &&
		SendKeyEvent(client, keysym, FALSE);
}

/* A client that is let in sees the picture, whatever fails, until it loses it. */
static void look(void)
{
	rfbClient *client = client_open();

	if (!client)
		return;
	if (sees(client) && type(client, 'a')) {
		draw();
		sees(client);
	}
	rfb_close(client);
}

static void look_and_type(void)
{
	rfbClient *client = client_open();

	if (!client)
		sim_fail("no client is let in after %s failed", faults_hit());
	draw();
	if (!sees(client) || !type(client, 'b'))
		sim_fail("the client has lost its server after %s failed",
			 faults_hit());
	want_key(KEY_B, true);
	want_key(KEY_B, false);
	draw();
	if (!sees(client))
		sim_fail("the client has lost its server after %s failed",
			 faults_hit());
	rfb_close(client);
}

/* Tests */

static void begin(void **state)
{
	struct sim *sim = *state;

	sim->output = "vnc";
	sim->options[XD_OPTION_VNC_LISTEN] = sim->dir;
	turns_begin(state);
}

static void look_begin(void)
{
	turns_come();
	turns_show(front, &buf, seed);
	keyboard_come();
}

static void look_turns(void **state, enum fault_role role)
{
	begin(state);
	turns_run(&(struct turns){
		.role = role,
		.before = look_begin,
		.attempt = look,
		.after = look_and_type,
	});
	keyboard_go();
	turns_ok(sim_dbuf_destroy(front, 10));
	sim_buf_finish(&buf, front);
	turns_go();
	turns_end();
}

static void look_supervisor(void **state)
{
	look_turns(state, FAULT_SUPERVISOR);
}

static void look_worker(void **state)
{
	look_turns(state, FAULT_WORKER);
}

static void look_viewer(void **state)
{
	look_turns(state, FAULT_VIEWER);
}

static void look_keyboard(void **state)
{
	look_turns(state, FAULT_KEYBOARD);
}

static void keyboard_come_and_go(void)
{
	keyboard_come();
	keyboard_go();
}

static void keyboard_come_type_go(void)
{
	keyboard_come();
	look_and_type();
	keyboard_go();
}

static void keyboard_begin(void)
{
	turns_come();
	turns_show(front, &buf, seed);
}

/* A keyboard is tried once a second: that is long. */
static void keyboard_turns(void **state, enum fault_role role)
{
	begin(state);
	turns_run(&(struct turns){
		.role = role,
		.before = keyboard_begin,
		.attempt = keyboard_come_and_go,
		.after = keyboard_come_type_go,
	});
	turns_ok(sim_dbuf_destroy(front, 10));
	sim_buf_finish(&buf, front);
	turns_go();
	turns_end();
}

static void keyboard_supervisor(void **state)
{
	keyboard_turns(state, FAULT_SUPERVISOR);
}

static void keyboard_worker(void **state)
{
	keyboard_turns(state, FAULT_KEYBOARD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIM_TEST_NO_DAEMON(look_supervisor, "look-supervisor"),
		SIM_TEST_NO_DAEMON(look_worker, "look-worker"),
		SIM_TEST_NO_DAEMON(look_viewer, "look-viewer"),
		SIM_TEST_NO_DAEMON(look_keyboard, "look-keyboard"),
		SIM_TEST_NO_DAEMON(keyboard_supervisor, "keyboard-supervisor"),
		SIM_TEST_NO_DAEMON(keyboard_worker, "keyboard-worker"),
	};

	return turns_main("faults-vnc", tests, ARRAY_SIZE(tests), 2);
}
