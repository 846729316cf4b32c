// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include "base/loop.h"
#include "vnc-side.h"

#define TURN_US		20000

struct sim_front front, other;
struct sim_buf buf, other_buf;
static const char *const one[] = { "640x480" };

void ok(int32_t status)
{
	assert_int_equal(status, 0);
}

/* A client */

char password[16];
uint64_t updated;

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

rfbClient *client_open(struct sim *sim, uint32_t domid, const char *encodings)
{
	rfbClient *client = rfb_new(sim, domid);

	client->GetPassword = give_password;
	client->GotFrameBufferUpdate = count_update;
	client->appData.encodingsString = encodings;
	client->appData.enableJPEG = FALSE;
	return rfb_connect(client);
}

uint64_t deadline(void)
{
	return xd_now() + SIM_TIMEOUT_MS * 1000000ull;
}

void client_turn(rfbClient *client, uint64_t end)
{
	int n = WaitForMessage(client, TURN_US);

	if (xd_now() > end)
		sim_fail("the client waits in vain, has %dx%d", client->width,
			 client->height);

	if (n < 0 || (n && !HandleRFBServerMessage(client)))
		sim_fail("the client has lost its server");
}

void want_picture(rfbClient *client, uint32_t width, uint32_t height,
		  uint32_t seed)
{
	const uint64_t end = deadline();

	while (!rfb_has_picture(client, width, height, seed))
		client_turn(client, end);
}

/* Guests */

void guest_open(struct sim *sim, struct sim_front *f, struct sim_buf *b,
		uint32_t domid, uint32_t seed)
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

void guest_close(struct sim_front *f, struct sim_buf *b)
{
	sim_disconnect(f);
	sim_wait_back_state(f, SIM_CLOSED);
	sim_buf_finish(b, f);
	sim_guest_destroy(f);
}

void draw(struct sim_front *f, struct sim_buf *b, uint32_t seed)
{
	sim_buf_draw(b, seed);
	ok(sim_flip(&f->conn[0], 20));
	sim_wait_events(&f->conn[0], f->conn[0].nr_events + 1);
}

void begin(struct sim *sim)
{
	sim->output = "vnc";
	sim->options[XD_OPTION_VNC_LISTEN] = sim->dir;
	sim_daemon_start(sim);
}

int log_in(struct sim *sim)
{
	uint8_t text[64];
	int fd = rfb_raw_open(sim, 5);

	assert_int_equal(rfb_raw_read(fd, text, 12), 12);
	rfb_raw_write(fd, "RFB 003.008\n", 12);
	assert_int_equal(rfb_raw_read(fd, text, 2), 2);
	rfb_raw_write(fd, "\1", 1);
	assert_int_equal(rfb_raw_read(fd, text, 4), 4);
	rfb_raw_write(fd, "\1", 1);
	assert_int_equal(rfb_raw_read(fd, text, 24 + 6), 24 + 6);
	assert_memory_equal(text + 24, "guest5", 6);
	return fd;
}
