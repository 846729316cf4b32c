// SPDX-License-Identifier: GPL-2.0-or-later
/* The vnc output, as libvncclient and hostile clients see it. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/loop.h"
#include "front.h"
#include "rfb.h"

#define TURN_US		20000
#define WIDTH		640u
#define HEIGHT		480u

static struct sim_front front, other;
static struct sim_buf buf, other_buf;
static const char *const one[] = { "640x480" };

static void ok(int32_t status)
{
	assert_int_equal(status, 0);
}

/* A client */

static char password[16];
static uint64_t updated;	/* pixels that came */

static char *give_password(rfbClient *client)
{
	(void)client;
	return strdup(password);
}

static void count_update(rfbClient *client, int x, int y, int w, int h)
{
	(void)client;
	(void)x;
	(void)y;
	updated += (uint64_t)w * (uint64_t)h;
}

/* NULL when it is not let in. */
static rfbClient *client_open(struct sim *sim, uint32_t domid,
			      const char *encodings)
{
	rfbClient *client = rfb_new(sim, domid);

	client->GetPassword = give_password;
	client->GotFrameBufferUpdate = count_update;
	client->appData.encodingsString = encodings;
	client->appData.enableJPEG = FALSE;
	return rfb_connect(client);
}

static uint64_t deadline(void)
{
	return xd_now() + SIM_TIMEOUT_MS * 1000000ull;
}

/* What came from the server, if any did; @end is when the test gives up. */
static void client_turn(rfbClient *client, uint64_t end)
{
	int n = WaitForMessage(client, TURN_US);

	if (xd_now() > end)
		sim_fail("the client waits in vain, has %dx%d", client->width,
			 client->height);

	if (n < 0 || (n && !HandleRFBServerMessage(client)))
		sim_fail("the client has lost its server");
}

static void want_picture(rfbClient *client, uint32_t width, uint32_t height,
			 uint32_t seed)
{
	const uint64_t end = deadline();

	while (!rfb_has_picture(client, width, height, seed))
		client_turn(client, end);
}

/* Guests */

static void guest_open(struct sim *sim, struct sim_front *f,
		       struct sim_buf *b, uint32_t domid, uint32_t seed)
{
	sim_guest_create(f, sim->fake, domid, 1, one);
	sim_front_write(f, "request-damage", "1");
	sim_front_write(f, "request-connector-event", "1");
	sim_connect(f, 2);
	sim_buf_init(b, f, 10, WIDTH, HEIGHT, 32);
	sim_buf_draw(b, seed);
	ok(sim_dbuf_create(f, b));
	ok(sim_fb_attach(f, 10, 20, WIDTH, HEIGHT, XD_FMT_XRGB8888));
	ok(sim_set_config(&f->conn[0], 20, WIDTH, HEIGHT, 32));
}

static void guest_close(struct sim_front *f, struct sim_buf *b)
{
	sim_disconnect(f);
	sim_wait_back_state(f, SIM_CLOSED);
	sim_buf_finish(b, f);
	sim_guest_destroy(f);
}

static void draw(struct sim_front *f, struct sim_buf *b, uint32_t seed)
{
	sim_buf_draw(b, seed);
	ok(sim_flip(&f->conn[0], 20));
	sim_wait_events(&f->conn[0], f->conn[0].nr_events + 1);
}

static void begin(struct sim *sim)
{
	sim->output = "vnc";
	sim->options[XD_OPTION_VNC_LISTEN] = sim->dir;
	sim_daemon_start(sim);
}

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
	uint8_t text[64];
	int fd = rfb_raw_open(sim, 5);

	assert_int_equal(rfb_raw_read(fd, text, 12), 12);
	rfb_raw_write(fd, "RFB 003.008\n", 12);
	assert_int_equal(rfb_raw_read(fd, text, 2), 2);
	rfb_raw_write(fd, "\1", 1);
	assert_int_equal(rfb_raw_read(fd, text, 4), 4);
	rfb_raw_write(fd, "\1", 1);
	assert_int_equal(rfb_raw_read(fd, text, 24), 24);
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
		SIM_TEST_NO_DAEMON(resize, "resize"),
		SIM_TEST_NO_DAEMON(size_stays, "size-stays"),
		SIM_TEST_NO_DAEMON(many_sizes, "many-sizes"),
		SIM_TEST_NO_DAEMON(two_guests, "two-guests"),
		SIM_TEST_NO_DAEMON(slow_client, "slow-client"),
		SIM_TEST_NO_DAEMON(client_vanishes, "client-vanishes"),
		SIM_TEST_NO_DAEMON(too_many_clients, "too-many-clients"),
		SIM_TEST_NO_DAEMON(garbage, "garbage"),
	};

	return cmocka_run_group_tests(vnc_tests, NULL, NULL);
}
