// SPDX-License-Identifier: GPL-2.0-or-later
/* The vnc output, as libvncclient and hostile clients see it. */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/loop.h"
#include "vnc-side.h"

/* Tests */

static void picture(struct sim *sim, const char *encodings)
{
	rfbClient *client;

	begin(sim);
	guest_open(sim, &front, &buf, 5, 1);
	client = client_open(sim, 5, encodings);
	assert_non_null(client);
	assert_string_equal(client->desktopName, "guest5");
	want_picture(client, WIDTH, HEIGHT, 1);
	draw(&front, &buf, 2);
	want_picture(client, WIDTH, HEIGHT, 2);
	rfb_close(client);
	guest_close(&front, &buf);
	sim_finish(sim);
}

static void picture_raw(void **state)
{
	picture(*state, "raw");
}

static void picture_zrle(void **state)
{
	picture(*state, "zrle");
}

static void picture_tight(void **state)
{
	picture(*state, "tight");
}

static void begin_flip_part(struct sim_front *f, uint64_t fb,
			    struct xd_wire_rect rect)
{
	struct xendispl_req *req = sim_next_slot(&f->conn[0],
						 XENDISPL_OP_PG_FLIP);
	const struct xd_wire_pg_flip_damage wire = {
		.fb_cookie = fb,
		.count = 1,
		.rect = { rect },
	};

	memcpy(&req->op, &wire, sizeof(wire));
	ok(sim_call(&f->conn[0]));
}

static void flip_part(struct sim_front *f, struct xd_wire_rect rect)
{
	begin_flip_part(f, 20, rect);
	sim_wait_events(&f->conn[0], f->conn[0].nr_events + 1);
}

/* What has not changed is not sent again. */
static void only_damage(void **state)
{
	struct sim *sim = *state;
	rfbClient *client;
	uint32_t *pixels;
	uint64_t end;

	begin(sim);
	guest_open(sim, &front, &buf, 5, 1);
	client = client_open(sim, 5, "raw");
	assert_non_null(client);
	want_picture(client, WIDTH, HEIGHT, 1);
	end = deadline();
	updated = 0;
	pixels = (uint32_t *)buf.pages;
	for (int y = 100; y < 110; y++)
		for (int x = 200; x < 220; x++)
			pixels[y * 640 + x] = 0x123456;
	flip_part(&front, (struct xd_wire_rect){ 200, 100, 220, 110 });
	while (!updated)
		client_turn(client, end);
	assert_int_equal(updated, 20 * 10);
	assert_int_equal(((uint32_t *)client->frameBuffer)[105 * 640 + 210] &
			 0xffffff, 0x123456);
	rfb_close(client);
	guest_close(&front, &buf);
	sim_finish(sim);
}

/* What a framebuffer had changed that went before it was shown comes with the next. */
static void damage_of_lost_flips(void **state)
{
	static const struct xd_wire_rect top = { 0, 0, WIDTH, 160 },
		middle = { 0, 160, WIDTH, 320 },
		bottom = { 0, 320, WIDTH, HEIGHT };
	struct sim *sim = *state;
	rfbClient *client;
	uint32_t seed;

	sim->millihertz = 5000;	/* none is shown before the next one comes */
	begin(sim);
	guest_open(sim, &front, &buf, 5, 1);
	client = client_open(sim, 5, "raw");
	assert_non_null(client);
	want_picture(client, WIDTH, HEIGHT, 1);
	ok(sim_fb_attach(&front, 10, 21, WIDTH, HEIGHT, XD_FMT_XRGB8888));
	sim_buf_init(&other_buf, &front, 11, WIDTH, HEIGHT, 32);
	ok(sim_dbuf_create(&front, &other_buf));
	for (seed = 2; seed < 4; seed++) {
		ok(sim_fb_attach(&front, 11, 22, WIDTH, HEIGHT,
				 XD_FMT_XRGB8888));
		ok(sim_fb_attach(&front, 11, 23, WIDTH, HEIGHT,
				 XD_FMT_XRGB8888));
		sim_buf_draw(&buf, seed);
		sim_buf_draw(&other_buf, seed);
		begin_flip_part(&front, 20, top);	/* sets the pace */
		/* goes while the output has it, or while it waits for that */
		begin_flip_part(&front, seed == 2 ? 22 : 20, middle);
		begin_flip_part(&front, seed == 2 ? 21 : 23, bottom);
		ok(sim_fb_detach(&front, 22));
		ok(sim_fb_detach(&front, 23));
		begin_flip_part(&front, 21, top);
		sim_wait_events(&front.conn[0], front.conn[0].nr_events + 4);
		want_picture(client, WIDTH, HEIGHT, seed);
	}
	rfb_close(client);
	ok(sim_dbuf_destroy(&front, 11));
	sim_buf_finish(&other_buf, &front);
	guest_close(&front, &buf);
	sim_finish(sim);
}

/* Beside a framebuffer that is smaller than the mode there is nothing. */
static void smaller_framebuffer(void **state)
{
	static const struct xd_wire_rect corner = { 0, 0, 8, 8 };
	struct sim *sim = *state;
	const uint32_t *pixels;
	rfbClient *client;
	uint64_t end;

	begin(sim);
	guest_open(sim, &front, &buf, 5, 1);
	client = client_open(sim, 5, "raw");
	assert_non_null(client);
	want_picture(client, WIDTH, HEIGHT, 1);
	ok(sim_fb_attach(&front, 10, 21, WIDTH, 100, XD_FMT_XRGB8888));
	begin_flip_part(&front, 21, corner);
	end = deadline();
	pixels = (const uint32_t *)client->frameBuffer;
	while (pixels[WIDTH * HEIGHT - 1] & 0xffffff)
		client_turn(client, end);
	assert_int_equal(pixels[100 * WIDTH] & 0xffffff, 0);
	assert_int_equal(pixels[99 * WIDTH] & 0xffffff,
			 sim_pixel(1, 0, 99) & 0xffffff);
	rfb_close(client);
	guest_close(&front, &buf);
	sim_finish(sim);
}

static void write_password(struct sim *sim, char *path, size_t size,
			   mode_t mode)
{
	int fd;

	snprintf(path, size, "%s/password", sim->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "pass\n", 5), 5);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	sim->options[XD_OPTION_VNC_PASSWORD_FILE] = path;
}

static void password_is_asked(void **state)
{
	struct sim *sim = *state;
	rfbClient *client;
	char path[128];

	write_password(sim, path, sizeof(path), 0600);
	begin(sim);
	guest_open(sim, &front, &buf, 5, 1);
	strcpy(password, "wrong");
	assert_null(client_open(sim, 5, "raw"));
	strcpy(password, "pass");
	client = client_open(sim, 5, "raw");
	assert_non_null(client);
	want_picture(client, WIDTH, HEIGHT, 1);
	rfb_close(client);
	guest_close(&front, &buf);
	unlink(path);
	sim_finish(sim);
}

/* A password that others can read is none: nobody gets in. */
static void password_of_all(void **state)
{
	struct sim *sim = *state;
	char path[128];

	write_password(sim, path, sizeof(path), 0644);
	begin(sim);
	guest_open(sim, &front, &buf, 5, 1);
	strcpy(password, "pass");
	assert_null(client_open(sim, 5, "raw"));
	unlink(path);
	assert_null(client_open(sim, 5, "raw"));
	guest_close(&front, &buf);
	sim_finish(sim);
}

/* Without a library: what honest clients do not send. */

/* @version: what the client says; @type: the security type that it names */
static void try_without_password(struct sim *sim, const char *version,
				 uint8_t type)
{
	uint8_t text[256], list[2];
	int fd = rfb_raw_open(sim, 5);

	assert_int_equal(rfb_raw_read(fd, text, 12), 12);
	rfb_raw_write(fd, version, 12);
	if (!strcmp(version, "RFB 003.003\n")) {
		/* the server decides: a challenge, not the picture */
		assert_int_equal(rfb_raw_read(fd, text, 4), 4);
		assert_int_equal(text[3], 2);
		close(fd);
		return;
	}
	assert_int_equal(rfb_raw_read(fd, list, 2), 2);
	assert_int_equal(list[0], 1);
	assert_int_equal(list[1], 2);
	rfb_raw_write(fd, (uint8_t[]){ type, 1 }, 2);	/* and ClientInit */
	/* a reason at most, and the end; no ServerInit has 4 + 20 bytes less */
	if (rfb_raw_read(fd, text, 4) == 4)
		assert_int_equal(text[3], 1);	/* failed */
	close(fd);
}

static void password_is_not_bypassed(void **state)
{
	static const uint8_t types[] = { 0, 1, 5, 16, 18, 19, 30, 255 };
	struct sim *sim = *state;
	char path[128];

	write_password(sim, path, sizeof(path), 0600);
	begin(sim);
	guest_open(sim, &front, &buf, 5, 1);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		try_without_password(sim, "RFB 003.008\n", types[i]);
		try_without_password(sim, "RFB 003.007\n", types[i]);
	}
	try_without_password(sim, "RFB 003.003\n", 0);
	guest_close(&front, &buf);
	unlink(path);
	sim_finish(sim);
}

static void two_guests(void **state)
{
	struct sim *sim = *state;
	rfbClient *clients[3];

	begin(sim);
	guest_open(sim, &front, &buf, 5, 1);
	guest_open(sim, &other, &other_buf, 6, 2);
	clients[0] = client_open(sim, 5, "zrle");
	clients[1] = client_open(sim, 6, "zrle");
	clients[2] = client_open(sim, 5, "raw");
	assert_true(clients[0] && clients[1] && clients[2]);
	want_picture(clients[0], WIDTH, HEIGHT, 1);
	want_picture(clients[1], WIDTH, HEIGHT, 2);
	want_picture(clients[2], WIDTH, HEIGHT, 1);
	rfb_close(clients[0]);
	/* while nobody looks, and to who comes again */
	rfb_close(clients[2]);
	draw(&front, &buf, 4);
	draw(&front, &buf, 5);
	clients[0] = client_open(sim, 5, "zrle");
	assert_non_null(clients[0]);
	want_picture(clients[0], WIDTH, HEIGHT, 5);
	rfb_close(clients[0]);
	rfb_close(clients[1]);
	guest_close(&front, &buf);
	guest_close(&other, &other_buf);
	sim_finish(sim);
}

/* Asks for all of the picture, over and over, and reads none of it. */
static int clog_up(struct sim *sim)
{
	const uint8_t request[10] = { 3, 0, 0, 0, 0, 0, 2, 128, 1, 224 };
	int fd = log_in(sim);

	for (int i = 0; i < 8; i++)
		rfb_raw_write(fd, request, sizeof(request));
	return fd;
}

/* Neither the guest nor others who look have to wait for it. */
static void slow_client(void **state)
{
	struct sim *sim = *state;
	rfbClient *client;
	int fds[2];

	begin(sim);
	guest_open(sim, &front, &buf, 5, 1);
	fds[0] = clog_up(sim);
	fds[1] = rfb_raw_open(sim, 5);		/* says nothing at all */
	client = client_open(sim, 5, "raw");
	assert_non_null(client);
	/* more than a viewer that does not read can be told */
	for (uint32_t seed = 2; seed < 600; seed++)
		draw(&front, &buf, seed);
	want_picture(client, WIDTH, HEIGHT, 599);
	rfb_close(client);
	close(fds[0]);
	close(fds[1]);
	guest_close(&front, &buf);
	sim_finish(sim);
}

static bool viewer_has_ended(void *ctx)
{
	return sim_log_has(ctx, "a viewer has ended");
}

/* A client that goes in the middle of a picture is no fault of its viewer's. */
static void client_vanishes(void **state)
{
	struct sim *sim = *state;
	int fd;

	begin(sim);
	guest_open(sim, &front, &buf, 5, 1);
	fd = clog_up(sim);
	close(fd);
	assert_true(fake_wait(sim->fake, viewer_has_ended, sim,
			      SIM_TIMEOUT_MS));
	assert_false(sim_log_has(sim, "a viewer died"));
	guest_close(&front, &buf);
	sim_finish(sim);
}

/* The server's first words, which a viewer process says; false at the end. */
static bool is_greeted(int fd)
{
	char version[12];

	return rfb_raw_read(fd, version, sizeof(version)) == sizeof(version);
}

/* No more than 16 processes for those who look on; a place that is left is free. */
static void too_many_clients(void **state)
{
	const uint64_t end = deadline();
	struct sim *sim = *state;
	int fds[16], more;
	bool in = false;

	begin(sim);
	guest_open(sim, &front, &buf, 5, 1);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = rfb_raw_open(sim, 5);
		assert_true(is_greeted(fds[i]));
	}
	more = rfb_raw_open(sim, 5);
	assert_false(is_greeted(more));
	close(more);
	close(fds[3]);
	while (!in && xd_now() < end) {
		more = rfb_raw_open(sim, 5);
		in = is_greeted(more);
		close(more);
	}
	assert_true(in);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (i != 3)
			close(fds[i]);
	draw(&front, &buf, 2);
	guest_close(&front, &buf);
	sim_finish(sim);
}

static void garbage(void **state)
{
	static const char *const lines[] = {
		"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
		"GET /", "RFB 999.999\n", "RFB 003.008\n\1\1\377\377\377",
		"RFB 003.008\n\1\1\2\0\377\377", "\26\3\1\2\0\1\0",
		"RFB 003.008\n\1\1\6\0\0\0\177\377\377\377",
	};
	struct sim *sim = *state;
	rfbClient *client;

	begin(sim);
	guest_open(sim, &front, &buf, 5, 1);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		int fd = rfb_raw_open(sim, 5);

		rfb_raw_write(fd, lines[i], strlen(lines[i]) + 1);
		close(fd);
	}
	client = client_open(sim, 5, "raw");
	assert_non_null(client);
	want_picture(client, WIDTH, HEIGHT, 1);
	rfb_close(client);
	assert_false(sim_log_has(sim, "worker died"));
	guest_close(&front, &buf);
	sim_finish(sim);
}

int main(void)
{
	const struct CMUnitTest vnc_tests[] = {
		SIM_TEST_NO_DAEMON(picture_raw, "picture-raw"),
		SIM_TEST_NO_DAEMON(picture_zrle, "picture-zrle"),
		SIM_TEST_NO_DAEMON(picture_tight, "picture-tight"),
		SIM_TEST_NO_DAEMON(only_damage, "only-damage"),
		SIM_TEST_NO_DAEMON(damage_of_lost_flips,
				   "damage-of-lost-flips"),
		SIM_TEST_NO_DAEMON(smaller_framebuffer, "smaller-framebuffer"),
		SIM_TEST_NO_DAEMON(password_is_asked, "password-is-asked"),
		SIM_TEST_NO_DAEMON(password_of_all, "password-of-all"),
		SIM_TEST_NO_DAEMON(password_is_not_bypassed,
				   "password-is-not-bypassed"),
		SIM_TEST_NO_DAEMON(two_guests, "two-guests"),
		SIM_TEST_NO_DAEMON(slow_client, "slow-client"),
		SIM_TEST_NO_DAEMON(client_vanishes, "client-vanishes"),
		SIM_TEST_NO_DAEMON(too_many_clients, "too-many-clients"),
		SIM_TEST_NO_DAEMON(garbage, "garbage"),
	};

	return cmocka_run_group_tests(vnc_tests, NULL, NULL);
}
