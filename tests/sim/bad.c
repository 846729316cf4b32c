// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bad.h"

#define WIDTH	640
#define HEIGHT	480
#define DBUF	10
#define FB	20
#define FLOOD	1000

static struct sim_front *front;
static struct sim_conn *conn;
static struct sim_buf good;

static void expect(bool right, const char *what)
{
	if (!right)
		sim_fail("%s", what);
}

#define ok(status)	expect(!(status), "refused: " #status)
#define refused(status)	expect((status), "not refused: " #status)

static void connect_and_draw(void)
{
	sim_connect(front, 2);
	conn = &front->conn[0];
	sim_buf_init(&good, front, DBUF, WIDTH, HEIGHT, 32);
	sim_buf_draw(&good, 1);
	ok(sim_dbuf_create(front, &good));
	ok(sim_fb_attach(front, DBUF, FB, WIDTH, HEIGHT, XD_FMT_XRGB8888));
	ok(sim_set_config(conn, FB, WIDTH, HEIGHT, 32));
}

static void disconnect(void)
{
	sim_set_state(front, SIM_CLOSING);
	sim_set_state(front, SIM_CLOSED);
	sim_wait_back_state(front, SIM_CLOSED);
	sim_buf_finish(&good, front);
	sim_channels_free(front);
}

static void flip(void)
{
	ok(sim_flip(conn, FB));
	sim_wait_events(conn, conn->nr_events + 1);
}

static int32_t create(uint32_t width, uint32_t height, uint32_t bpp,
		      uint32_t size, uint32_t ofs, uint32_t flags)
{
	struct xendispl_req *req = sim_next_slot(conn, XENDISPL_OP_DBUF_CREATE);

	req->op.dbuf_create = (struct xendispl_dbuf_create_req){
		.dbuf_cookie = 11, .width = width, .height = height,
		.bpp = bpp, .buffer_sz = size, .flags = flags,
		.gref_directory = good.dir_refs[0], .data_ofs = ofs,
	};
	return sim_call(conn);
}

/* As a client that draws as fast as the screen takes it. */
static void honest(void)
{
	for (unsigned int i = 0; i < 100; i++)
		flip();
}

/* More than was granted, more than 32 bits hold, or nothing at all. */
static void sizes(void)
{
	refused(create(WIDTH, HEIGHT + 1, 32, good.size, 0, 0));
	refused(create(0x10000, 0x10000, 32, good.size, 0, 0));
	refused(create(0x8000, 0x8000, 32, 0, 0, 0));
	refused(create(WIDTH, HEIGHT, 32, good.size, 1, 0));
	refused(create(WIDTH, HEIGHT, 32, good.size, 0xfffffff0, 0));
	refused(create(WIDTH, HEIGHT, 32, 0xffffffff, 0, 0));
	refused(create(0, 0, 0, 0, 0, 0));
	flip();
}

/* Framebuffers that leave their buffer, of no format, of no buffer. */
static void attach(void)
{
	refused(sim_fb_attach(front, DBUF, 21, WIDTH + 1, HEIGHT,
			      XD_FMT_XRGB8888));
	refused(sim_fb_attach(front, DBUF, 21, 0xffffffff, 0xffffffff,
			      XD_FMT_XRGB8888));
	refused(sim_fb_attach(front, DBUF, 21, 0, 0, XD_FMT_XRGB8888));
	refused(sim_fb_attach(front, DBUF, 21, WIDTH, HEIGHT, 0x12345678));
	refused(sim_fb_attach(front, 99, 21, WIDTH, HEIGHT,
			      XD_FMT_XRGB8888));
	refused(sim_flip(conn, 21));
	refused(sim_flip(conn, 0));
	refused(sim_set_config(conn, FB, 0x100000, 0x100000, 32));
	flip();
}

static void directories(void)
{
	uint32_t next = good.dir[0][0], ref = good.dir[0][1];

	ok(sim_dbuf_destroy(front, DBUF));
	good.dir[0][1] = good.dir[0][2];	/* a page twice */
	refused(sim_dbuf_create(front, &good));
	good.dir[0][1] = 0;
	refused(sim_dbuf_create(front, &good));
	good.dir[0][1] = ref;
	good.size *= 8;				/* longer than the directory */
	good.dir[0][0] = good.dir_refs[0];	/* in a circle */
	refused(sim_dbuf_create(front, &good));
	good.dir[0][0] = 0xffffffff;
	refused(sim_dbuf_create(front, &good));
	good.size /= 8;
	good.dir[0][0] = next;
	ok(sim_dbuf_create(front, &good));
	ok(sim_fb_attach(front, DBUF, FB, WIDTH, HEIGHT, XD_FMT_XRGB8888));
	flip();
}

/* Somebody else's directory in ours: what the backend writes goes nowhere else. */
static void backend_path(void)
{
	char *right = sim_front_read(front, "backend");

	expect(right, "no backend node");
	sim_front_write(front, "backend", "/local/domain/0/backend/vdispl/0/0");
	disconnect();
	connect_and_draw();
	flip();
	sim_front_write(front, "backend", "%s", right);
	free(right);
}

/* Buffers without end: an error is the end of it. */
static void quota(void)
{
	unsigned int n = 0;

	for (;;) {
		struct xendispl_req *req =
			sim_next_slot(conn, XENDISPL_OP_DBUF_CREATE);

		req->op.dbuf_create.dbuf_cookie = 1000 + n;
		req->op.dbuf_create.width = WIDTH;
		req->op.dbuf_create.height = HEIGHT;
		req->op.dbuf_create.bpp = 32;
		req->op.dbuf_create.buffer_sz = good.size;
		req->op.dbuf_create.gref_directory = good.dir_refs[0];
		if (sim_call(conn))
			break;
		expect(++n < 100000, "no limit");
	}
	while (n--)
		ok(sim_dbuf_destroy(front, 1000 + n));
	flip();
}

/* Flips that wait for none before them, as many as the ring takes. */
static void flips_pending(void)
{
	unsigned int accepted = conn->nr_events;

	for (unsigned int round = 0; round < 20; round++) {
		unsigned int sent = 0;

		while (!RING_FULL(&conn->ring_front)) {
			sim_next_slot(conn, XENDISPL_OP_PG_FLIP)->op.pg_flip.
				fb_cookie = FB;
			sim_push(conn);
			sent++;
		}
		while (sent--) {
			struct xendispl_resp resp;

			sim_wait_response(conn, &resp);
			accepted += !resp.status;
		}
		sim_wait_events(conn, accepted);
	}
	flip();
}

/* Requests that mean nothing and signals without requests, without a pause. */
static void flood(void)
{
	for (unsigned int i = 0; i < FLOOD; i++) {
		sim_next_slot(conn, 0x10 + i % 0x40)->op.fb_detach.fb_cookie = i;
		sim_call(conn);
		fake_port_notify(front->fake, front->domid, conn->req_port);
		fake_port_notify(front->fake, front->domid, conn->evt_port);
	}
}

static void index_at(uint32_t prod)
{
	*(volatile RING_IDX *)&conn->ring->req_prod = prod;
	xen_mb();
	fake_port_notify(front->fake, front->domid, conn->req_port);
}

/* The connection is broken then: nobody answers. */
static void producer(void)
{
	static const uint32_t ahead[] = { 33, 0x7fffffff, 0xffffffff };

	for (unsigned int i = 0; i < sizeof(ahead) / sizeof(ahead[0]); i++) {
		index_at(conn->ring_front.req_prod_pvt + ahead[i]);
		disconnect();
		connect_and_draw();
		flip();
	}
}

static void scribble(void)
{
	uint32_t *ring = (uint32_t *)conn->ring;
	uint32_t *page = (uint32_t *)conn->evt_page;
	uint32_t x = 2463534242u;

	for (unsigned int turn = 0; turn < 200; turn++) {
		for (unsigned int i = 0; i < FAKE_PAGE_SIZE / 4; i++) {
			x ^= x << 13;
			x ^= x >> 17;
			x ^= x << 5;
			ring[i] = page[i] = x;
		}
		fake_port_notify(front->fake, front->domid, conn->req_port);
		fake_port_notify(front->fake, front->domid, conn->evt_port);
	}
}

/* Texts instead of numbers: refused, and the next honest ones are not. */
static void nodes(void)
{
	static const char *const texts[] = {
		"", "foo", "-1", "99999999999999999999", "8 ", "0x8",
	};

	for (unsigned int i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		disconnect();
		sim_set_state(front, SIM_INITIALISING);
		sim_wait_back_state(front, SIM_INIT_WAIT);
		sim_channels_create(front);
		sim_front_write(front, "0/req-ring-ref", "%s", texts[i]);
		sim_set_state(front, SIM_INITIALISED);
		sim_wait_back_state(front, SIM_CLOSED);
		sim_channels_free(front);
		connect_and_draw();
	}
	sim_front_write(front, "state", "%s", "foo");
	sim_wait_back_state(front, SIM_CLOSED);
}

/* Memory of the backend's, for who may not have it: the flag means nothing. */
static void backend_memory(void)
{
	uint32_t dir[1024];

	memcpy(dir, good.dir[0], sizeof(dir));
	memset(good.dir[0], 0, sizeof(dir));
	refused(create(WIDTH, HEIGHT, 32, good.size, 0,
		       XENDISPL_DBUF_FLG_REQ_ALLOC));
	memcpy(good.dir[0], dir, sizeof(dir));
	flip();
}

static const struct {
	const char *name;
	void (*play)(void);
} cases[] = {
	{ "honest", honest },
	{ "sizes", sizes },
	{ "attach", attach },
	{ "directories", directories },
	{ "backend-path", backend_path },
	{ "quota", quota },
	{ "flips-pending", flips_pending },
	{ "flood", flood },
	{ "producer", producer },
	{ "scribble", scribble },
	{ "nodes", nodes },
	{ "backend-memory", backend_memory },
};

#define NUM_CASES	(sizeof(cases) / sizeof(cases[0]))

const char *sim_bad_name(unsigned int i)
{
	return i < NUM_CASES ? cases[i].name : NULL;
}

void sim_bad_play(struct sim_front *as, unsigned int i)
{
	front = as;
	connect_and_draw();
	flip();
	cases[i].play();
	/* whatever is left of that connection: an honest one works */
	disconnect();
	connect_and_draw();
	flip();
}

void sim_bad_end(void)
{
	disconnect();
}
