// SPDX-License-Identifier: GPL-2.0-or-later
/* Clients of the vnc output that ask for another size. */
#include "unit.h"

#include <signal.h>
#include <unistd.h>

#include "base/loop.h"
#include "vnc-side.h"

/* A guest in the mode of 800x600 that a client asked for. */
static void show_large(struct sim_buf *large, uint32_t seed)
{
	sim_buf_init(large, &front, 11, 800, 600, 32);
	sim_buf_draw(large, seed);
	ok(sim_dbuf_create(&front, large));
	ok(sim_fb_attach(&front, 11, 21, 800, 600, XD_FMT_XRGB8888));
	ok(sim_set_config(&front.conn[0], 21, 800, 600, 32));
}

static void resize(void **state)
{
	struct sim_buf large;
	struct sim *sim = *state;
	rfbClient *client;

	begin(sim);
	guest_open(sim, &front, &buf, 5, 1);
	client = client_open(sim, 5, "raw");
	assert_non_null(client);
	want_picture(client, WIDTH, HEIGHT, 1);
	assert_true(SendExtDesktopSize(client, 800, 600));
	sim_wait_events(&front.conn[0], 1);
	assert_int_equal(front.conn[0].events[0].type, XD_EVT_CONNECTOR);

	/* the guest follows */
	show_large(&large, 3);
	want_picture(client, 800, 600, 3);
	rfb_close(client);
	ok(sim_dbuf_destroy(&front, 11));
	sim_buf_finish(&large, &front);
	guest_close(&front, &buf);
	sim_finish(sim);
}

static const char *wanted_size;

static bool size_is_known(void *ctx)
{
	char *text = sim_back_read(ctx, "resized-0");
	bool known = text && !strcmp(text, wanted_size);

	free(text);
	return known;
}

/* The backend has been lost, and is there again: the guest stays in its mode. */
static void come_back(struct sim_buf *large, uint32_t seed)
{
	sim_wait_back_state(&front, SIM_INIT_WAIT);
	sim_buf_finish(large, &front);
	sim_channels_free(&front);
	sim_connect(&front, 2);
	show_large(large, seed);
}

/* A client's size outlives the worker, and the daemon: a guest is in that mode. */
static void size_stays(void **state)
{
	struct sim_buf large;
	struct sim *sim = *state;
	rfbClient *client;

	begin(sim);
	guest_open(sim, &front, &buf, 5, 1);
	client = client_open(sim, 5, "raw");
	assert_non_null(client);
	want_picture(client, WIDTH, HEIGHT, 1);
	assert_true(SendExtDesktopSize(client, 800, 600));
	sim_wait_events(&front.conn[0], 1);
	show_large(&large, 3);
	rfb_close(client);
	kill(fake_domain_worker(sim->fake, 5), SIGKILL);
	come_back(&large, 4);
	wanted_size = "800x600";
	assert_true(fake_wait(sim->fake, size_is_known, &front,
			      SIM_TIMEOUT_MS));
	sim_daemon_kill(sim);
	sim_daemon_start(sim);
	come_back(&large, 5);
	ok(sim_dbuf_destroy(&front, 11));
	sim_buf_finish(&large, &front);
	guest_close(&front, &buf);
	sim_finish(sim);
}

/* A window that is dragged: the last size is kept, and not each is written. */
static void many_sizes(void **state)
{
	struct sim *sim = *state;
	const uint64_t end = deadline();
	unsigned int writes, quarters;
	rfbClient *client;
	uint64_t since;

	begin(sim);
	guest_open(sim, &front, &buf, 5, 1);
	client = client_open(sim, 5, "raw");
	assert_non_null(client);
	want_picture(client, WIDTH, HEIGHT, 1);
	writes = fake_store_writes(sim->fake);
	since = xd_now();
	for (uint16_t i = 1; i <= 40; i++) {
		/* the library sends none while it waits for an answer */
		do {
			assert_true(SendExtDesktopSize(client, 400 + i, 300));
			client_turn(client, end);
		} while (!sim_have_events(&front.conn[0], i, 0));
	}
	/* a guest in another mode is told of the same size again: that counts, too */
	wanted_size = "440x300";
	do {
		assert_true(SendExtDesktopSize(client, 440, 300));
		client_turn(client, end);
	} while (!fake_wait(sim->fake, size_is_known, &front, 20));
	quarters = (unsigned int)((xd_now() - since) / 250000000u);
	assert_in_range(fake_store_writes(sim->fake) - writes, 1, 2 + quarters);
	rfb_close(client);
	guest_close(&front, &buf);
	sim_finish(sim);
}

/* The next answer to SetDesktopSize: its status; pictures are not looked at. */
static uint8_t next_answer(int fd)
{
	static const uint8_t request[10] = { 3, 1, 0, 0, 0, 0, 2, 128, 1, 224 };
	static uint8_t data[WIDTH * HEIGHT * 4];
	uint8_t head[12];

	for (;;) {
		rfb_raw_write(fd, request, sizeof(request));
		assert_int_equal(rfb_raw_read(fd, head, 4), 4);
		assert_int_equal(head[0], 0);
		for (int n = head[2] << 8 | head[3]; n; n--) {
			size_t size;

			assert_int_equal(rfb_raw_read(fd, head, 12), 12);
			size = (size_t)(head[4] << 8 | head[5]) *
				(size_t)(head[6] << 8 | head[7]) * 4;
			if (head[8] == 0xff)	/* ExtendedDesktopSize */
				size = 4 + 16;
			assert_int_equal(rfb_raw_read(fd, data, size), size);
			if (head[8] == 0xff && head[1] == 1)
				return head[3];
		}
	}
}

static uint8_t ask_size(int fd, uint16_t width, uint16_t height)
{
	uint8_t msg[24] = {
		[0] = 251, [6] = 1,
		[2] = (uint8_t)(width >> 8), [3] = (uint8_t)width,
		[4] = (uint8_t)(height >> 8), [5] = (uint8_t)height,
	};

	memcpy(&msg[16], &msg[2], 4);
	rfb_raw_write(fd, msg, sizeof(msg));
	return next_answer(fd);
}

/* Each is answered: a client asks nothing more until it was. */
static void sizes_are_answered(void **state)
{
	static const uint8_t encodings[] = {
		2, 0, 0, 2, 0, 0, 0, 0, 0xff, 0xff, 0xfe, 0xcc,
	};
	struct sim *sim = *state;
	int fd;

	begin(sim);
	guest_open(sim, &front, &buf, 5, 1);
	fd = log_in(sim);
	rfb_raw_write(fd, encodings, sizeof(encodings));
	assert_int_equal(ask_size(fd, WIDTH, HEIGHT), 0);
	assert_int_equal(ask_size(fd, 65535, 65535), 3);
	assert_int_equal(ask_size(fd, 1, 1), 3);
	assert_int_equal(ask_size(fd, 8193, 480), 3);
	/* the guest does not follow */
	assert_int_equal(ask_size(fd, 800, 600), 1);
	assert_int_equal(ask_size(fd, WIDTH, HEIGHT), 0);
	close(fd);
	guest_close(&front, &buf);
	sim_finish(sim);
}

/* A copy is the guest's: while it is off, too, for as long as somebody looks. */
static void memory(void **state)
{
	static const char *const two[] = { "640x480", "640x480" };
	const uint64_t picture = WIDTH * HEIGHT * 4;
	struct sim *sim = *state;
	rfbClient *client;
	pid_t worker;

	sim->limits.max_bytes = 2 * picture;
	begin(sim);
	sim_guest_create(&front, sim->fake, 5, 2, two);
	sim_connect(&front, 2);
	worker = fake_domain_worker(sim->fake, 5);
	sim_buf_init(&buf, &front, 10, WIDTH, HEIGHT, 32);
	sim_buf_draw(&buf, 1);
	ok(sim_dbuf_create(&front, &buf));
	ok(sim_fb_attach(&front, 10, 20, WIDTH, HEIGHT, XD_FMT_XRGB8888));
	ok(sim_set_config(&front.conn[0], 20, WIDTH, HEIGHT, 32));
	assert_int_not_equal(sim_set_config(&front.conn[1], 20, 8, 8, 32), 0);
	client = client_open(sim, 5, "raw");
	assert_non_null(client);
	want_picture(client, WIDTH, HEIGHT, 1);
	assert_int_equal(sim_memory(worker, "vnc"), picture);
	ok(sim_set_config(&front.conn[0], 0, 0, 0, 0));
	assert_int_equal(sim_memory(worker, "vnc"), picture);
	assert_int_not_equal(sim_set_config(&front.conn[1], 20, WIDTH, HEIGHT,
					    32), 0);
	ok(sim_set_config(&front.conn[0], 20, WIDTH, HEIGHT, 32));
	ok(sim_set_config(&front.conn[0], 0, 0, 0, 0));
	rfb_close(client);
	while (sim_memory(worker, "vnc"))
		ok(sim_set_config(&front.conn[1], 0, 0, 0, 0));
	ok(sim_set_config(&front.conn[1], 20, WIDTH, HEIGHT, 32));
	guest_close(&front, &buf);
	sim_finish(sim);
}

int main(void)
{
	const struct CMUnitTest size_tests[] = {
		SIM_TEST_NO_DAEMON(resize, "resize"),
		SIM_TEST_NO_DAEMON(size_stays, "size-stays"),
		SIM_TEST_NO_DAEMON(many_sizes, "many-sizes"),
		SIM_TEST_NO_DAEMON(sizes_are_answered, "sizes-are-answered"),
		SIM_TEST_NO_DAEMON(memory, "memory"),
	};

	return cmocka_run_group_tests(size_tests, NULL, NULL);
}
