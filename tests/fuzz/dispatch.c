// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A whole guest: the rings, the dispatcher, buffers and output of a worker on
 * the fake machine, fed by records of 60 bytes:
 *
 *	byte 0	bit 0 the connector, bit 6 scribble over a directory,
 *		bit 7 scribble over the shared indices
 *	byte 1	operation
 *	byte 2	the directory to name, 0..2 those that exist, else as it comes
 *	byte 3	unused
 *	the rest goes into the slot
 *
 * Each request is answered, with a status in range; at the end nothing stays
 * mapped, and the counts are back at their start.
 */
#include "fuzz.h"

#include <stdarg.h>

#include "core/guest.h"
#include "front.h"

#define NR_BUFS	3

static struct sim_front front;
static struct sim_buf buf[NR_BUFS];
static uint32_t saved_dir[NR_BUFS][1024];
static struct xd_connect connect_params;
static struct xd_guest guest;
static struct xd_loop loop;
static struct xd_bus *bus;

void sim_fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	abort();
}

static void set_up(void)
{
	static const char *const sizes[] = { "640x480", "320x200" };
	struct fake *fake = fake_create();

	sim_guest_create(&front, fake, 5, 2, sizes);
	sim_channels_create(&front);
	sim_buf_init(&buf[0], &front, 1, 64, 64, 32);
	sim_buf_init(&buf[1], &front, 2, 640, 480, 32);
	sim_buf_init(&buf[2], &front, 3, 64, 128, 32);
	for (int i = 0; i < NR_BUFS; i++)
		memcpy(saved_dir[i], buf[i].dir[0], FAKE_PAGE_SIZE);

	connect_params = (struct xd_connect){
		.child.domid = 5,
		.child.guest = "fuzz",
		.child.output = "headless",
		.limits = xd_limits_default,
		.nr_conns = 2,
	};
	connect_params.limits.max_dbufs = 8;
	for (int i = 0; i < 2; i++)
		connect_params.conns[i] = (struct xd_conn_params){
			.width = i ? 320 : 640,
			.height = i ? 200 : 480,
			.unique_id = "id",
			.req_ref = front.conn[i].req_ref,
			.req_port = front.conn[i].req_port,
			.evt_ref = front.conn[i].evt_ref,
			.evt_port = front.conn[i].evt_port,
		};
	bus = fake_bus_open(fake);
	CHECK(bus && !xd_loop_init(&loop));
}

static void reset(uint8_t features)
{
	connect_params.features = (struct xd_features){
		.version = features & 1 ? 2 : 1,
		.damage = features & 2,
		.stride = features & 4,
		.be_alloc = features & 8,
	};
	for (int i = 0; i < NR_BUFS; i++)
		memcpy(buf[i].dir[0], saved_dir[i], FAKE_PAGE_SIZE);
	for (int i = 0; i < 2; i++) {
		struct sim_conn *conn = &front.conn[i];

		memset(conn->ring, 0, FAKE_PAGE_SIZE);
		memset(conn->evt_page, 0, FAKE_PAGE_SIZE);
		XEN_FRONT_RING_INIT(&conn->ring_front, conn->ring,
				    FAKE_PAGE_SIZE);
	}
}

/* A few turns: requests, then frames that are done. */
static void run(void)
{
	for (int i = 0; i < 4; i++)
		CHECK(!xd_loop_turn(&loop, 0));
}

static void scribble(const uint8_t record[60])
{
	struct sim_conn *conn = &front.conn[record[0] & 1];
	uint32_t word[4];

	memcpy(word, record + 4, sizeof(word));
	if (record[0] & 0x40)
		buf[record[2] % NR_BUFS].dir[0][word[0] % 304] =
			word[1] & 1 ? saved_dir[record[2] % NR_BUFS][1] :
				      word[2];
	if (record[0] & 0x80) {
		conn->ring->req_prod = word[0];
		conn->ring->req_event = word[1];
		conn->evt_page->in_cons = word[2];
		conn->evt_page->in_prod = word[3];
		fake_port_notify(front.fake, 5, conn->req_port);
	}
	run();
}

static void request(const uint8_t record[60])
{
	struct sim_conn *conn = &front.conn[record[0] & 1];
	struct xendispl_resp resp;
	struct xendispl_req *req;
	uint16_t id;

	req = sim_next_slot(conn, record[1] < 16 ?
			    (uint8_t)(0x10 + record[1]) : record[1]);
	memcpy(&req->op, record + 4, sizeof(req->op));
	if (record[2] < NR_BUFS && req->operation == XENDISPL_OP_DBUF_CREATE)
		req->op.dbuf_create.gref_directory =
			buf[record[2]].dir_refs[0];
	if (record[2] < NR_BUFS && req->operation == XENDISPL_OP_GET_EDID)
		req->op.get_edid.gref_directory = buf[record[2]].dir_refs[0];
	id = sim_push(conn);
	run();
	if (guest.conns[record[0] & 1].broken)
		return;
	CHECK(sim_poll_response(conn, &resp));
	CHECK(resp.id == id);
	CHECK(resp.status <= 0 && resp.status >= -4095);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	uint8_t record[60];
	bool scribbled = false;

	if (!bus)
		set_up();
	reset(fuzz_u8(&in));
	CHECK(!xd_guest_start(&guest, &loop, bus, &connect_params, -1));
	for (int n = 0; in.left && n < 64 && !scribbled; n++) {
		fuzz_take(&in, record, sizeof(record));
		if (record[0] & 0xc0)
			scribble(record);
		else
			request(record);
		/* After that our own end of the ring is lost, too. */
		scribbled = record[0] & 0x80;
	}
	CHECK(guest.usage.dbufs <= connect_params.limits.max_dbufs);
	xd_guest_stop(&guest);
	CHECK(!guest.usage.dbufs && !guest.usage.fbs && !guest.usage.bytes);
	CHECK(!fake_domain_mapped(front.fake, 5));
	CHECK(!fake_foreign_pages(front.fake, 5));
	return 0;
}
