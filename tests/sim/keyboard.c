// SPDX-License-Identifier: GPL-2.0-or-later
/* vkbd: what a VNC client does arrives in the ring of the guest. */
#include "unit.h"

#include <linux/input-event-codes.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/loop.h"
#include "vkbd.h"

#define BOOK	800	/* keys: more than all that may wait together */

/* Tests */

static void typed(void **state)
{
	rfbClient *client;
	char *text;

	vkbd_begin(*state);
	text = fake_read(vkbd_fake, VKBD_BE "/feature-abs-pointer");
	assert_string_equal(text, "1");
	free(text);
	client = vkbd_client_open(*state);
	assert_true(SendKeyEvent(client, 0xffe1, TRUE));
	vkbd_type_key(client, 'H');
	vkbd_type_key(client, '!');
	assert_true(SendKeyEvent(client, 0xffe1, FALSE));
	vkbd_type_key(client, 0xffbe);
	vkbd_want_key(KEY_LEFTSHIFT, true);
	vkbd_want_key(KEY_H, true);
	vkbd_want_key(KEY_H, false);
	vkbd_want_key(KEY_1, true);
	vkbd_want_key(KEY_1, false);
	vkbd_want_key(KEY_LEFTSHIFT, false);
	vkbd_want_key(KEY_F1, true);
	vkbd_want_key(KEY_F1, false);
	rfb_close(client);
	vkbd_end(*state);
}

/* Clients tell what was typed, on another keyboard, or with Shift left out. */
static void symbols(void **state)
{
	rfbClient *client;

	vkbd_begin(*state);
	client = vkbd_client_open(*state);
	vkbd_type_key(client, 'A');
	vkbd_type_key(client, '!');
	vkbd_type_key(client, 'b');
	vkbd_want_key(KEY_LEFTSHIFT, true);
	vkbd_want_key(KEY_A, true);
	vkbd_want_key(KEY_A, false);
	vkbd_want_key(KEY_LEFTSHIFT, false);
	vkbd_want_key(KEY_LEFTSHIFT, true);
	vkbd_want_key(KEY_1, true);
	vkbd_want_key(KEY_1, false);
	vkbd_want_key(KEY_LEFTSHIFT, false);
	vkbd_want_key(KEY_B, true);
	vkbd_want_key(KEY_B, false);
	/* Shift and 7 of a German keyboard, then an arrow with the same Shift */
	assert_true(SendKeyEvent(client, 0xffe2, TRUE));
	vkbd_type_key(client, '/');
	vkbd_type_key(client, 0xff51);
	assert_true(SendKeyEvent(client, 0xffe2, FALSE));
	vkbd_want_key(KEY_RIGHTSHIFT, true);
	vkbd_want_key(KEY_RIGHTSHIFT, false);
	vkbd_want_key(KEY_SLASH, true);
	vkbd_want_key(KEY_SLASH, false);
	vkbd_want_key(KEY_RIGHTSHIFT, true);
	vkbd_want_key(KEY_LEFT, true);
	vkbd_want_key(KEY_LEFT, false);
	vkbd_want_key(KEY_RIGHTSHIFT, false);
	rfb_close(client);
	vkbd_end(*state);
}

/* What Shift is left alone for: Caps Lock's letters, and those of commands. */
static void letters(void **state)
{
	rfbClient *client;

	vkbd_begin(*state);
	client = vkbd_client_open(*state);
	vkbd_type_key(client, 0xffe5);
	vkbd_type_key(client, 'A');
	vkbd_type_key(client, '!');
	vkbd_type_key(client, 0xffe5);
	vkbd_want_key(KEY_CAPSLOCK, true);
	vkbd_want_key(KEY_CAPSLOCK, false);
	vkbd_want_key(KEY_A, true);
	vkbd_want_key(KEY_A, false);
	vkbd_want_key(KEY_LEFTSHIFT, true);
	vkbd_want_key(KEY_1, true);
	vkbd_want_key(KEY_1, false);
	vkbd_want_key(KEY_LEFTSHIFT, false);
	vkbd_want_key(KEY_CAPSLOCK, true);
	vkbd_want_key(KEY_CAPSLOCK, false);
	assert_true(SendKeyEvent(client, 0xffe3, TRUE));
	assert_true(SendKeyEvent(client, 0xffe1, TRUE));
	vkbd_type_key(client, 'c');
	assert_true(SendKeyEvent(client, 0xffe1, FALSE));
	assert_true(SendKeyEvent(client, 0xffe3, FALSE));
	vkbd_want_key(KEY_LEFTCTRL, true);
	vkbd_want_key(KEY_LEFTSHIFT, true);
	vkbd_want_key(KEY_C, true);
	vkbd_want_key(KEY_C, false);
	vkbd_want_key(KEY_LEFTSHIFT, false);
	vkbd_want_key(KEY_LEFTCTRL, false);
	rfb_close(client);
	vkbd_end(*state);
}

/*
 * Linux forgets keys that come faster than it reads: a long text comes whole,
 * in order, and not at once.
 */
static void pasted(void **state)
{
	const uint64_t start = xd_now();
	rfbClient *client;

	vkbd_begin(*state);
	client = vkbd_client_open(*state);
	for (uint32_t i = 0; i < 40; i++)
		vkbd_type_key(client, 'a' + i % 2);
	for (uint32_t i = 0; i < 40; i++) {
		vkbd_want_key(i % 2 ? KEY_B : KEY_A, true);
		vkbd_want_key(i % 2 ? KEY_B : KEY_A, false);
	}
	/* a key each 10 ms, after some at once */
	assert_true(xd_now() - start > (80 - 30) * 10000000ull);
	rfb_close(client);
	vkbd_end(*state);
}

/*
 * More than all on the way holds: who types has to wait, and the guest gets it
 * at the pace that it can follow.
 */
static void book(void **state)
{
	rfbClient *client;
	int status;
	pid_t typist;

	vkbd_begin(*state);
	client = vkbd_client_open(*state);
	fflush(NULL);
	typist = fork();
	assert_true(typist >= 0);
	for (uint32_t i = 0; i < BOOK && !typist; i++)
		vkbd_type_key(client, 'a' + i % 7);
	if (!typist)
		_exit(0);
	for (uint32_t i = 0; i < BOOK; i++) {
		static const uint32_t keys[] = {
			KEY_A, KEY_B, KEY_C, KEY_D, KEY_E, KEY_F, KEY_G,
		};

		vkbd_want_key(keys[i % 7], true);
		vkbd_want_key(keys[i % 7], false);
	}
	assert_int_equal(waitpid(typist, &status, 0), typist);
	assert_int_equal(status, 0);
	rfb_close(client);
	vkbd_end(*state);
}

static void pointed(void **state)
{
	rfbClient *client;

	vkbd_begin(*state);
	client = vkbd_client_open(*state);
	assert_true(SendPointerEvent(client, 319, 100, 0));
	assert_true(SendPointerEvent(client, 639, 479, rfbButton1Mask));
	assert_true(SendPointerEvent(client, 0, 0, rfbButton5Mask));
	vkbd_want_position(319, 100, 0);
	vkbd_want_position(639, 479, 0);
	vkbd_want_key(BTN_LEFT, true);
	vkbd_want_position(0, 0, 0);
	vkbd_want_key(BTN_LEFT, false);
	vkbd_want_position(0, 0, 1);
	rfb_close(client);
	vkbd_end(*state);
}

static void want_motion(int32_t x, int32_t y)
{
	union xenkbd_in_event event = vkbd_take();

	assert_int_equal(event.type, XENKBD_TYPE_MOTION);
	assert_int_equal(event.motion.rel_x, x);
	assert_int_equal(event.motion.rel_y, y);
}

static void moved(struct sim *sim, bool first, int32_t x, int32_t y)
{
	rfbClient *client;

	vkbd_abs_pointer = false;
	sim->output = "vnc";
	sim->options[XD_OPTION_VNC_LISTEN] = sim->dir;
	sim_daemon_start(sim);
	vkbd_create(sim);
	fake_remove(vkbd_fake, VKBD_BE "/width");
	fake_remove(vkbd_fake, VKBD_BE "/height");
	fake_remove(vkbd_fake, VKBD_BE "/state");
	vkbd_node(VKBD_BE, "state", "1");
	if (!first)
		sim_connect(&vkbd_front, 2);
	vkbd_want_state("2");
	vkbd_publish();
	vkbd_want_state("4");
	vkbd_abs_pointer = true;
	if (first)
		sim_connect(&vkbd_front, 2);
	client = vkbd_client_open(sim);
	assert_true(SendPointerEvent(client, 100, 100, 0));
	assert_true(SendPointerEvent(client, 164, 60, 0));
	want_motion(0, 0);
	want_motion(x, y);
	rfb_close(client);
	vkbd_end(sim);
}

/* A pointer that tells movements goes as far as the client's. */
static void moved_by_pixels(void **state)
{
	moved(*state, false, 64, -40);
}

/* Or nearly so, when it is there before its display: it takes 1024x768. */
static void moved_before(void **state)
{
	moved(*state, true, 103, -64);
}

/* A key does not stay down when who held it has gone. */
static void client_leaves(void **state)
{
	rfbClient *client;

	vkbd_begin(*state);
	client = vkbd_client_open(*state);
	assert_true(SendKeyEvent(client, 'a', TRUE));
	vkbd_want_key(KEY_A, true);
	rfb_close(client);
	vkbd_want_key(KEY_A, false);
	vkbd_end(*state);
}

static bool client_is_gone(void *ctx)
{
	return sim_log_has(ctx, "a viewer has ended");
}

/* Who only came by has nothing to let go of. */
static void stranger_leaves(void **state)
{
	struct sim *sim = *state;
	rfbClient *client;
	char version[12];
	int fd;

	vkbd_begin(sim);
	client = vkbd_client_open(sim);
	assert_true(SendKeyEvent(client, 'a', TRUE));
	vkbd_want_key(KEY_A, true);
	fd = rfb_raw_open(sim, VKBD_DOMID);
	assert_int_equal(rfb_raw_read(fd, version, sizeof(version)),
			 sizeof(version));
	close(fd);
	assert_true(fake_wait(vkbd_fake, client_is_gone, sim, SIM_TIMEOUT_MS));
	vkbd_type_key(client, 'b');
	assert_true(SendKeyEvent(client, 'a', FALSE));
	vkbd_want_key(KEY_B, true);
	vkbd_want_key(KEY_B, false);
	vkbd_want_key(KEY_A, false);
	rfb_close(client);
	vkbd_end(sim);
}

/* All that the client did before has been told to the keyboard. */
static void want_told(rfbClient *client)
{
	/* a frontend that has said nothing yet is told nothing */
	assert_int_equal(sim_set_config(&vkbd_front.conn[0], 0, 0, 0, 0), 0);
	rfb_ask_size(client, 800, 600);
	sim_wait_events(&vkbd_front.conn[0], 1);
}

static bool ring_is_full(void *ctx)
{
	(void)ctx;
	return vkbd_page->in_prod - vkbd_page->in_cons == XENKBD_IN_RING_LEN;
}

/*
 * Takes events until no key is down. What is down has to go up; what else
 * comes, comes soon or never. How many there were.
 */
static unsigned int take_until_up(unsigned int least)
{
	bool down[KEY_CNT] = { false };
	unsigned int n = 0, nr_down = 0;

	while (fake_wait(vkbd_fake, vkbd_has_event, NULL,
			 nr_down || n < least ? SIM_TIMEOUT_MS : 200)) {
		union xenkbd_in_event event = vkbd_take();

		assert_int_equal(event.type, XENKBD_TYPE_KEY);
		assert_true(event.key.keycode < KEY_CNT);
		nr_down -= down[event.key.keycode];
		down[event.key.keycode] = event.key.pressed;
		nr_down += down[event.key.keycode];
		n++;
	}
	assert_int_equal(nr_down, 0);
	return n;
}

/*
 * More than ring and queue hold, and nothing is taken for a while: it is
 * forgotten. No overrun, and nothing stays down.
 */
static void guest_does_not_read(void **state)
{
	struct sim *sim = *state;
	rfbClient *client;
	unsigned int n;

	vkbd_begin(sim);
	client = vkbd_client_open(sim);
	for (int i = 0; i < 1501; i++)
		assert_true(SendKeyEvent(client, 'a' + (uint32_t)i / 2 % 26,
					 i % 2 == 0));
	assert_true(fake_wait(vkbd_fake, ring_is_full, NULL, SIM_TIMEOUT_MS));
	/* told after them, so that they have left the queue */
	want_told(client);
	rfb_close(client);
	assert_true(fake_wait(vkbd_fake, client_is_gone, sim, SIM_TIMEOUT_MS));
	n = take_until_up(XENKBD_IN_RING_LEN + 1);
	assert_in_range(n, XENKBD_IN_RING_LEN + 1, 1000);
	vkbd_end(sim);
}

/* With a display and a client; returns the keyboard's worker, the first there is. */
static pid_t begin_worker(struct sim *sim, rfbClient **ret_client)
{
	pid_t worker;

	vkbd_begin_without_display(sim);
	worker = fake_domain_worker(vkbd_fake, VKBD_DOMID);
	assert_true(worker > 0);
	sim_connect(&vkbd_front, 2);
	*ret_client = vkbd_client_open(sim);
	return worker;
}

/* Nor when what is lost is that the client has left. */
static void worker_does_not_read(void **state)
{
	struct sim *sim = *state;
	rfbClient *client;
	pid_t worker;

	worker = begin_worker(sim, &client);
	kill(worker, SIGSTOP);
	for (uint32_t i = 0; i < 1000; i++)
		assert_true(SendKeyEvent(client, 'a' + i % 26, TRUE));
	rfb_close(client);
	assert_true(fake_wait(vkbd_fake, client_is_gone, sim, SIM_TIMEOUT_MS));
	kill(worker, SIGCONT);
	take_until_up(1);
	vkbd_end(sim);
}

/* A display and a client; the guest's keyboard is offered, and not connected. */
static void begin_without(struct sim *sim, rfbClient **ret_client)
{
	sim->output = "vnc";
	sim->options[XD_OPTION_VNC_LISTEN] = sim->dir;
	sim_daemon_start(sim);
	vkbd_create(sim);
	vkbd_want_state("2");
	sim_front_write(&vkbd_front, "request-connector-event", "1");
	sim_connect(&vkbd_front, 2);
	*ret_client = vkbd_client_open(sim);
}

/* What was typed before there was a keyboard does not come when there is one. */
static void typed_too_early(void **state)
{
	rfbClient *client;

	begin_without(*state, &client);
	for (int i = 0; i < 10; i++)
		vkbd_type_key(client, 'x');
	want_told(client);
	vkbd_publish();
	vkbd_want_state("4");
	vkbd_node(VKBD_FE, "state", "4");
	vkbd_type_key(client, 'b');
	vkbd_want_key(KEY_B, true);
	vkbd_want_key(KEY_B, false);
	rfb_close(client);
	vkbd_end(*state);
}

/* How often a process has slept. */
static unsigned long nr_sleeps(pid_t pid)
{
	unsigned long n = 0;
	char path[32], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "voluntary_ctxt_switches: %lu", &n) == 1)
			break;
	fclose(file);
	return n;
}

static bool never(void *ctx)
{
	(void)ctx;
	return false;
}

/* Nor does a worker stay awake for a keyboard that nobody reads. */
static void nobody_reads(void **state)
{
	unsigned long before, n = ULONG_MAX;
	struct sim *sim = *state;
	rfbClient *client;
	pid_t worker;

	begin_without(sim, &client);
	worker = fake_domain_worker(vkbd_fake, VKBD_DOMID);
	assert_true(worker > 0);
	for (int i = 0; i < 1000; i++)
		vkbd_type_key(client, 'x');
	want_told(client);
	for (int i = 0; i < 8 && n > 10; i++) {
		before = nr_sleeps(worker);
		fake_wait(vkbd_fake, never, NULL, 1000);
		n = nr_sleeps(worker) - before;
	}
	assert_in_range(n, 0, 10);
	rfb_close(client);
	vkbd_publish();
	vkbd_want_state("4");
	vkbd_end(sim);
}

static void index_scribbled(void **state)
{
	static const uint32_t wrong[] = { 52, 0x80000000, 0xffffff00, 1 };
	struct sim *sim = *state;
	rfbClient *client;

	vkbd_begin(sim);
	client = vkbd_client_open(sim);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		vkbd_page->in_cons = vkbd_page->in_prod + wrong[i];
		fake_port_notify(vkbd_fake, VKBD_DOMID, vkbd_port);
		vkbd_type_key(client, 'a');
	}
	vkbd_page->in_cons = vkbd_page->in_prod;
	fake_port_notify(vkbd_fake, VKBD_DOMID, vkbd_port);
	vkbd_want_key(KEY_A, true);
	assert_false(sim_log_has(sim, "died"));
	rfb_close(client);
	vkbd_end(sim);
}

static bool connected_twice(void *ctx)
{
	return sim_log_count(ctx, "keyboard 0 connected") == 2;
}

static void worker_killed(void **state)
{
	struct sim *sim = *state;
	rfbClient *client;
	pid_t worker;

	worker = begin_worker(sim, &client);
	vkbd_type_key(client, 'a');
	vkbd_want_key(KEY_A, true);
	vkbd_want_key(KEY_A, false);
	kill(worker, SIGKILL);
	assert_true(fake_wait(vkbd_fake, connected_twice, sim, SIM_TIMEOUT_MS));
	vkbd_type_key(client, 'b');
	vkbd_want_key(KEY_B, true);
	vkbd_want_key(KEY_B, false);
	rfb_close(client);
	vkbd_end(sim);
}

/* Linux's frontend never connects anew: another daemon takes up where it is. */
static void daemon_killed(void **state)
{
	struct sim *sim = *state;
	rfbClient *client;

	vkbd_begin(sim);
	sim_daemon_kill(sim);
	sim_daemon_start(sim);
	assert_true(fake_wait(vkbd_fake, connected_twice, sim, SIM_TIMEOUT_MS));
	sim_set_state(&vkbd_front, SIM_INITIALISING);
	sim_channels_free(&vkbd_front);
	sim_connect(&vkbd_front, 2);
	client = vkbd_client_open(sim);
	vkbd_type_key(client, 'c');
	vkbd_want_key(KEY_C, true);
	vkbd_want_key(KEY_C, false);
	rfb_close(client);
	vkbd_end(sim);
}

static void module_reloaded(void **state)
{
	vkbd_begin(*state);
	vkbd_node(VKBD_FE, "state", "6");
	vkbd_want_state("2");
	assert_true(fake_wait(vkbd_fake, vkbd_unmapped, NULL, SIM_TIMEOUT_MS));
	fake_port_free(vkbd_fake, VKBD_DOMID, vkbd_port);
	fake_pages_free(vkbd_fake, vkbd_page, 1);
	vkbd_publish();
	vkbd_want_state("4");
	vkbd_end(*state);
}

/* A kernel that goes down waits until it sees the backend Closing. */
static void guest_goes_down(void **state)
{
	vkbd_begin(*state);
	vkbd_node(VKBD_FE, "state", "5");
	vkbd_want_state("5");
	assert_true(fake_wait(vkbd_fake, vkbd_unmapped, NULL, SIM_TIMEOUT_MS));
	vkbd_node(VKBD_FE, "state", "6");
	/* Closed in passing: open for the next kernel */
	vkbd_want_state("2");
	fake_port_free(vkbd_fake, VKBD_DOMID, vkbd_port);
	fake_pages_free(vkbd_fake, vkbd_page, 1);
	vkbd_publish();
	vkbd_want_state("4");
	vkbd_end(*state);
}

/* qemu's are elsewhere, and text is not a number. */
static void odd_nodes(void **state)
{
	static const char qemu[] = "/local/domain/0/backend/vkbd/5/1";
	static const char odd[] = "/local/domain/0/backend/vinput/5/2";
	struct sim *sim = *state;

	vkbd_begin(sim);
	vkbd_node(qemu, "frontend", "/local/domain/5/device/vkbd/1");
	vkbd_node(qemu, "online", "1");
	vkbd_node(qemu, "state", "1");
	vkbd_node("/local/domain/5/device/vkbd/2", "page-gref", "4294967296");
	vkbd_node("/local/domain/5/device/vkbd/2", "event-channel", "x");
	vkbd_node("/local/domain/5/device/vkbd/2", "state", "3");
	vkbd_node(odd, "frontend", "/local/domain/5/device/vkbd/2");
	vkbd_node(odd, "online", "1");
	vkbd_node(odd, "state", "1");
	vkbd_end(sim);
	assert_true(sim_log_has(sim, "keyboard 2: not connected"));
	assert_false(sim_log_has(sim, "keyboard 1"));
}

int main(void)
{
	const struct CMUnitTest keyboard_tests[] = {
		SIM_TEST_NO_DAEMON(typed, "typed"),
		SIM_TEST_NO_DAEMON(symbols, "symbols"),
		SIM_TEST_NO_DAEMON(letters, "letters"),
		SIM_TEST_NO_DAEMON(pasted, "pasted"),
		SIM_TEST_NO_DAEMON(book, "book"),
		SIM_TEST_NO_DAEMON(pointed, "pointed"),
		SIM_TEST_NO_DAEMON(moved_by_pixels, "moved-by-pixels"),
		SIM_TEST_NO_DAEMON(moved_before, "moved-before"),
		SIM_TEST_NO_DAEMON(client_leaves, "client-leaves"),
		SIM_TEST_NO_DAEMON(stranger_leaves, "stranger-leaves"),
		SIM_TEST_NO_DAEMON(guest_does_not_read, "guest-does-not-read"),
		SIM_TEST_NO_DAEMON(worker_does_not_read,
				   "worker-does-not-read"),
		SIM_TEST_NO_DAEMON(typed_too_early, "typed-too-early"),
		SIM_TEST_NO_DAEMON(nobody_reads, "nobody-reads"),
		SIM_TEST_NO_DAEMON(index_scribbled, "index-scribbled"),
		SIM_TEST_NO_DAEMON(worker_killed, "worker-killed"),
		SIM_TEST_NO_DAEMON(daemon_killed, "daemon-killed"),
		SIM_TEST_NO_DAEMON(module_reloaded, "module-reloaded"),
		SIM_TEST_NO_DAEMON(guest_goes_down, "guest-goes-down"),
		SIM_TEST_NO_DAEMON(odd_nodes, "odd-nodes"),
	};

	return cmocka_run_group_tests(keyboard_tests, NULL, NULL);
}
