// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a frontend can do to a backend, request by request: the answer is an
 * error, the connection goes on. The tests after it break rings and pages.
 */
#include "unit.h"

#include "front.h"
#include "proto/decode.h"
#include "sim.h"

static struct sim_front front;
static struct sim_conn *conn;
static struct sim_buf good;

static const char *const two[] = { "640x480", "320x200" };

static void ok(int32_t status)
{
	assert_int_equal(status, 0);
}

static void refused(int32_t status)
{
	assert_int_not_equal(status, 0);
}

/* A guest with an honest picture on its first connector. */
static void begin(struct sim *sim)
{
	sim_guest_create(&front, sim->fake, 5, 2, two);
	sim_connect(&front, 2);
	conn = &front.conn[0];
	sim_buf_init(&good, &front, 10, 640, 480, 32);
	sim_buf_draw(&good, 1);
	ok(sim_dbuf_create(&front, &good));
	ok(sim_fb_attach(&front, 10, 20, 640, 480, XD_FMT_XRGB8888));
	ok(sim_set_config(conn, 20, 640, 480, 32));
}

/* The connection still works, and nothing has happened to the picture. */
static void end(struct sim *sim)
{
	sim_expect_picture(sim, &front, 0, 640, 480, 1);
	ok(sim_flip(conn, 20));
	sim_wait_events(conn, conn->nr_events + 1);
	ok(sim_fb_detach(&front, 20));
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&good, &front);
	sim_disconnect(&front);
	sim_wait_back_state(&front, SIM_CLOSED);
	sim_guest_destroy(&front);
	sim_finish(sim);
}

static int32_t create(const struct xendispl_dbuf_create_req *body)
{
	struct xendispl_req *req = sim_next_slot(conn, XENDISPL_OP_DBUF_CREATE);

	req->op.dbuf_create = *body;
	return sim_call(conn);
}

static void sizes(void **state)
{
	struct sim *sim = *state;
	struct xendispl_dbuf_create_req body;
	struct sim_buf buf;

	begin(sim);
	sim_buf_init(&buf, &front, 11, 64, 64, 32);
	body = (struct xendispl_dbuf_create_req){
		.dbuf_cookie = 11, .width = 64, .height = 64, .bpp = 32,
		.buffer_sz = 16384, .gref_directory = buf.dir_refs[0],
	};

	/* Larger pictures than the buffer has bytes. */
	body.height = 65;
	refused(create(&body));
	body.height = 0x10000;
	body.width = 0x10000;
	refused(create(&body));
	body.width = body.height = 64;
	body.data_ofs = 1;
	refused(create(&body));
	body.data_ofs = 0xfffffff0;
	refused(create(&body));
	body.data_ofs = 0;
	/* More bytes than there are pages. */
	body.buffer_sz = 16385;
	refused(create(&body));
	body.buffer_sz = 0xffffffff;
	refused(create(&body));
	body.buffer_sz = 0;
	refused(create(&body));
	body.buffer_sz = 16384;
	body.dbuf_cookie = 0;
	refused(create(&body));
	body.dbuf_cookie = 11;
	ok(create(&body));

	/* Framebuffers that leave it. */
	refused(sim_fb_attach(&front, 11, 21, 64, 65, XD_FMT_XRGB8888));
	refused(sim_fb_attach(&front, 11, 21, 65, 64, XD_FMT_XRGB8888));
	refused(sim_fb_attach(&front, 11, 21, 0, 64, XD_FMT_XRGB8888));
	refused(sim_fb_attach(&front, 11, 21, 0xffffffff, 0xffffffff,
			      XD_FMT_XRGB8888));
	refused(sim_fb_attach(&front, 11, 21, 64, 64, 0x12345678));
	ok(sim_fb_attach(&front, 11, 21, 64, 64, XD_FMT_XRGB8888));
	ok(sim_dbuf_destroy(&front, 11));
	sim_buf_finish(&buf, &front);
	end(sim);
}

static void cookies(void **state)
{
	struct sim *sim = *state;

	begin(sim);
	refused(sim_dbuf_create(&front, &good));	/* in use */
	refused(sim_fb_attach(&front, 10, 20, 640, 480, XD_FMT_XRGB8888));
	refused(sim_fb_attach(&front, 99, 21, 640, 480, XD_FMT_XRGB8888));
	refused(sim_fb_attach(&front, 20, 21, 640, 480, XD_FMT_XRGB8888));
	refused(sim_fb_detach(&front, 10));
	refused(sim_fb_detach(&front, 0));
	refused(sim_fb_detach(&front, UINT64_MAX));
	refused(sim_dbuf_destroy(&front, 20));
	refused(sim_dbuf_destroy(&front, 0));
	refused(sim_flip(conn, 10));
	refused(sim_flip(conn, 0));
	refused(sim_flip(conn, 99));
	refused(sim_set_config(conn, 99, 640, 480, 32));
	refused(sim_set_config(conn, 10, 640, 480, 32));
	assert_int_equal(conn->nr_events, 0);
	end(sim);
}

/* Twice is an error, not a crash; what was there before goes with the first. */
static void double_destroy(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	begin(sim);
	sim_buf_init(&buf, &front, 11, 64, 64, 32);
	ok(sim_dbuf_create(&front, &buf));
	ok(sim_fb_attach(&front, 11, 21, 64, 64, XD_FMT_XRGB8888));
	ok(sim_dbuf_destroy(&front, 11));
	refused(sim_dbuf_destroy(&front, 11));
	refused(sim_fb_detach(&front, 21));
	refused(sim_flip(conn, 21));
	ok(sim_dbuf_create(&front, &buf));
	ok(sim_fb_attach(&front, 11, 21, 64, 64, XD_FMT_XRGB8888));
	ok(sim_fb_detach(&front, 21));
	refused(sim_fb_detach(&front, 21));
	ok(sim_dbuf_destroy(&front, 11));
	sim_buf_finish(&buf, &front);
	end(sim);
}

/* The buffer goes while it is on screen, and while a flip waits for it. */
static void destroy_while_shown(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	sim->millihertz = 30000;
	sim_daemon_start(sim);
	begin(sim);
	sim_buf_init(&buf, &front, 11, 640, 480, 32);
	sim_buf_draw(&buf, 2);
	for (unsigned int i = 0; i < 10; i++) {
		ok(sim_dbuf_create(&front, &buf));
		ok(sim_fb_attach(&front, 11, 21, 640, 480, XD_FMT_XRGB8888));
		ok(sim_flip(conn, 21));
		ok(sim_flip(conn, 20));
		ok(sim_flip(conn, 21));
		if (i % 2)
			ok(sim_fb_detach(&front, 21));
		ok(sim_dbuf_destroy(&front, 11));
		sim_wait_events(conn, 3 * i + 3);
	}
	/* Its last picture is kept, its pages are not. */
	ok(sim_dbuf_create(&front, &buf));
	ok(sim_fb_attach(&front, 11, 21, 640, 480, XD_FMT_XRGB8888));
	ok(sim_set_config(conn, 21, 640, 480, 32));
	ok(sim_dbuf_destroy(&front, 11));
	sim_buf_finish(&buf, &front);
	sim_expect_picture(sim, &front, 0, 640, 480, 2);
	ok(sim_flip(conn, 20));
	sim_wait_events(conn, 31);

	/* It goes before its frame comes: that is kept, too. */
	sim_buf_init(&buf, &front, 11, 640, 480, 32);
	sim_buf_draw(&buf, 3);
	ok(sim_dbuf_create(&front, &buf));
	ok(sim_fb_attach(&front, 11, 21, 640, 480, XD_FMT_XRGB8888));
	ok(sim_flip(conn, 21));
	ok(sim_dbuf_destroy(&front, 11));
	sim_buf_finish(&buf, &front);
	sim_wait_events(conn, 32);
	sim_expect_picture(sim, &front, 0, 640, 480, 3);
	ok(sim_flip(conn, 20));
	sim_wait_events(conn, 33);
	end(sim);
}

static void modes(void **state)
{
	struct sim *sim = *state;
	struct xendispl_req *req;
	struct sim_buf big;

	begin(sim);
	sim_buf_init(&big, &front, 11, 800, 600, 32);
	ok(sim_dbuf_create(&front, &big));
	ok(sim_fb_attach(&front, 11, 21, 800, 600, XD_FMT_XRGB8888));
	refused(sim_set_config(conn, 21, 800, 600, 32));
	refused(sim_set_config(conn, 21, 641, 480, 32));
	refused(sim_set_config(conn, 21, 640, 481, 32));
	refused(sim_set_config(conn, 20, 640, 480, 16));
	refused(sim_set_config(conn, 20, 640, 480, 0));
	refused(sim_set_config(conn, 20, 0, 480, 32));
	refused(sim_set_config(conn, 20, 640, 0, 32));
	refused(sim_set_config(conn, 0, 640, 480, 32));
	refused(sim_set_config(&front.conn[1], 20, 640, 480, 32));
	req = sim_next_slot(conn, XENDISPL_OP_SET_CONFIG);
	req->op.set_config = (struct xendispl_set_config_req){
		20, 0xffffffff, 0, 640, 480, 32,
	};
	refused(sim_call(conn));
	/* A larger buffer on a smaller mode is fine. */
	ok(sim_set_config(conn, 21, 640, 480, 32));
	ok(sim_set_config(conn, 20, 640, 480, 32));
	ok(sim_dbuf_destroy(&front, 11));
	sim_buf_finish(&big, &front);
	end(sim);
}

static void operations(void **state)
{
	struct sim *sim = *state;

	begin(sim);
	for (unsigned int op = 0; op < 256; op++) {
		if (op >= XENDISPL_OP_DBUF_CREATE &&
		    op <= XENDISPL_OP_GET_EDID)
			continue;
		sim_next_slot(conn, (uint8_t)op);
		assert_int_equal(sim_call(conn), -XEN_EOPNOTSUPP);
	}
	/* Buffers are connector 0's business. */
	sim_next_slot(&front.conn[1], XENDISPL_OP_DBUF_CREATE);
	refused(sim_call(&front.conn[1]));
	sim_next_slot(&front.conn[1], XENDISPL_OP_FB_DETACH)->op.fb_detach.
		fb_cookie = 20;
	refused(sim_call(&front.conn[1]));
	end(sim);
}

static void expect_bad_directory(struct sim_buf *buf)
{
	unsigned int before = fake_domain_mapped(front.fake, 5);

	refused(sim_dbuf_create(&front, buf));
	/* Not one page of it stays mapped. */
	assert_int_equal(fake_domain_mapped(front.fake, 5), before);
}

static void directories(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;
	uint32_t saved;

	begin(sim);
	/* 1875 pages, two directory pages. */
	sim_buf_init(&buf, &front, 11, 1600, 1200, 32);
	assert_int_equal(buf.nr_dir, 2);

	buf.dir[1][0] = buf.dir_refs[0];	/* in a circle */
	expect_bad_directory(&buf);
	buf.dir[1][0] = buf.dir_refs[1];
	expect_bad_directory(&buf);
	buf.dir[1][0] = 0;
	buf.dir[0][0] = buf.dir_refs[0];
	expect_bad_directory(&buf);
	buf.dir[0][0] = 0;			/* too short */
	expect_bad_directory(&buf);
	buf.dir[0][0] = 39999;			/* no grant of ours */
	expect_bad_directory(&buf);
	buf.dir[0][0] = 0xffffffff;
	expect_bad_directory(&buf);
	buf.dir[0][0] = buf.dir_refs[1];

	saved = buf.dir[1][100];
	buf.dir[1][100] = 0;
	expect_bad_directory(&buf);
	buf.dir[1][100] = buf.dir[0][1];	/* the same page twice */
	expect_bad_directory(&buf);
	buf.dir[1][100] = saved;

	saved = buf.dir_refs[0];
	buf.dir_refs[0] = 0;
	expect_bad_directory(&buf);
	buf.dir_refs[0] = 39999;
	expect_bad_directory(&buf);
	buf.dir_refs[0] = saved;
	ok(sim_dbuf_create(&front, &buf));
	ok(sim_dbuf_destroy(&front, 11));
	sim_buf_finish(&buf, &front);
	end(sim);
}

/* Pages that the guest does not grant: noticed when they are to be shown. */
static void foreign_grants(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;
	uint32_t saved;

	begin(sim);
	sim_buf_init(&buf, &front, 11, 640, 480, 32);
	saved = buf.dir[0][7];
	buf.dir[0][7] = 39999;
	if (!sim_dbuf_create(&front, &buf)) {
		ok(sim_fb_attach(&front, 11, 21, 640, 480, XD_FMT_XRGB8888));
		refused(sim_set_config(conn, 21, 640, 480, 32));
		refused(sim_flip(conn, 21));
		ok(sim_dbuf_destroy(&front, 11));
	}
	buf.dir[0][7] = saved;
	sim_buf_finish(&buf, &front);
	end(sim);
}

/* The directory changes after it was read: that read counts. */
static void directory_changes(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	begin(sim);
	sim_buf_init(&buf, &front, 11, 640, 480, 32);
	sim_buf_draw(&buf, 5);
	ok(sim_dbuf_create(&front, &buf));
	memset(buf.dir[0], 0xff, FAKE_PAGE_SIZE);
	ok(sim_fb_attach(&front, 11, 21, 640, 480, XD_FMT_XRGB8888));
	ok(sim_set_config(conn, 21, 640, 480, 32));
	sim_expect_picture(sim, &front, 0, 640, 480, 5);
	ok(sim_set_config(conn, 20, 640, 480, 32));
	ok(sim_dbuf_destroy(&front, 11));
	sim_buf_finish(&buf, &front);
	end(sim);
}

static void edid_buffers(void **state)
{
	struct sim *sim = *state;
	struct xendispl_req *req;
	struct sim_buf buf;

	begin(sim);
	sim_buf_init(&buf, &front, 11, 64, 128, 32);
	/* Read-only pages; then writable ones: a small buffer, a huge one, no directory. */
	for (int i = 0; i < 4; i++) {
		if (i == 1)
			sim_buf_grant_writable(&buf, &front);
		req = sim_next_slot(conn, XENDISPL_OP_GET_EDID);
		req->op.get_edid.buffer_sz = i == 1 ? 128 :
					     i == 2 ? 0xffffffff : 32768;
		req->op.get_edid.gref_directory = i == 3 ? 0 :
						  buf.dir_refs[0];
		refused(sim_call(conn));
	}
	sim_buf_finish(&buf, &front);
	end(sim);
}

/* A buffer of ours for a guest that may not have one: an error, at once. */
static void backend_allocation(void **state)
{
	struct sim *sim = *state;
	struct xendispl_dbuf_create_req body = {
		.dbuf_cookie = 11, .width = 64, .height = 64, .bpp = 32,
		.buffer_sz = 16384, .flags = XENDISPL_DBUF_FLG_REQ_ALLOC,
	};
	struct sim_buf buf;

	begin(sim);
	sim_buf_init(&buf, &front, 11, 64, 64, 32);
	memset(buf.dir[0], 0, FAKE_PAGE_SIZE);
	body.gref_directory = buf.dir_refs[0];
	refused(create(&body));
	sim_buf_finish(&buf, &front);
	end(sim);
}

static void quota(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf[6];

	sim->limits.max_dbufs = 4;
	sim->limits.max_fbs = 3;
	sim->limits.max_bytes = 640 * 480 * 4 + 4 * 64 * 64 * 4;
	sim_daemon_start(sim);
	begin(sim);
	for (unsigned int i = 0; i < 6; i++)
		sim_buf_init(&buf[i], &front, 30 + i, 64, i == 5 ? 400 : 64, 32);
	refused(sim_dbuf_create(&front, &buf[5]));	/* bytes */
	for (unsigned int i = 0; i < 3; i++)
		ok(sim_dbuf_create(&front, &buf[i]));
	refused(sim_dbuf_create(&front, &buf[3]));	/* number */
	ok(sim_dbuf_destroy(&front, 30));
	ok(sim_dbuf_create(&front, &buf[3]));
	ok(sim_fb_attach(&front, 31, 41, 64, 64, XD_FMT_XRGB8888));
	ok(sim_fb_attach(&front, 31, 42, 64, 64, XD_FMT_XRGB8888));
	refused(sim_fb_attach(&front, 31, 43, 64, 64, XD_FMT_XRGB8888));
	ok(sim_fb_detach(&front, 41));
	ok(sim_fb_attach(&front, 31, 43, 64, 64, XD_FMT_XRGB8888));
	for (unsigned int i = 1; i < 4; i++)
		ok(sim_dbuf_destroy(&front, 30 + i));
	for (unsigned int i = 0; i < 6; i++)
		sim_buf_finish(&buf[i], &front);
	end(sim);
}

/* Outputs keep what connectors show, whatever the buffers were that it was in. */
static void modes_quota(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	sim->limits.max_bytes = 640 * 480 * 4 + 64 * 64 * 4;
	sim_daemon_start(sim);
	begin(sim);
	sim_buf_init(&buf, &front, 11, 64, 64, 32);
	ok(sim_dbuf_create(&front, &buf));
	ok(sim_fb_attach(&front, 11, 21, 64, 64, XD_FMT_XRGB8888));
	refused(sim_set_config(&front.conn[1], 21, 320, 200, 32));
	ok(sim_set_config(&front.conn[1], 21, 64, 64, 32));
	refused(sim_set_config(&front.conn[1], 21, 64, 65, 32));
	/* another mode of the same connector, or one instead of the other */
	ok(sim_set_config(conn, 20, 640, 480, 32));
	ok(sim_set_config(conn, 0, 0, 0, 0));
	ok(sim_set_config(&front.conn[1], 21, 320, 200, 32));
	refused(sim_set_config(conn, 20, 640, 480, 32));
	ok(sim_set_config(&front.conn[1], 0, 0, 0, 0));
	ok(sim_set_config(conn, 20, 640, 480, 32));
	ok(sim_dbuf_destroy(&front, 11));
	sim_buf_finish(&buf, &front);
	end(sim);
}

/* Hundreds of requests without waiting: all answered, in order. */
static void pipelined_garbage(void **state)
{
	struct sim *sim = *state;
	struct xendispl_resp resp;
	unsigned int seed = 1;
	uint16_t first, sent = 0, got = 0;

	begin(sim);
	first = conn->next_id;
	while (got < 2000) {
		while (sent < 2000 && !RING_FULL(&conn->ring_front)) {
			struct xendispl_req *req = sim_next_slot(conn, 0);

			for (size_t i = 0; i < sizeof(req->op); i++)
				req->op.reserved[i] = rand_r(&seed) % 4 ? 0 :
					(uint8_t)rand_r(&seed);
			req->operation = (uint8_t)(0x10 + rand_r(&seed) % 8);
			/* Those would be what end() looks at. */
			if (req->operation == XENDISPL_OP_SET_CONFIG)
				req->op.set_config.width = 1 << 20;
			sim_push(conn);
			sent++;
		}
		sim_wait_response(conn, &resp);
		assert_int_equal(resp.id, (uint16_t)(first + got));
		got++;
	}
	end(sim);
}

int main(void)
{
	const struct CMUnitTest hostile_tests[] = {
		SIM_TEST(sizes, "sizes"),
		SIM_TEST(cookies, "cookies"),
		SIM_TEST(double_destroy, "double-destroy"),
		SIM_TEST_NO_DAEMON(destroy_while_shown, "destroy-while-shown"),
		SIM_TEST(modes, "modes"),
		SIM_TEST(operations, "operations"),
		SIM_TEST(directories, "directories"),
		SIM_TEST(foreign_grants, "foreign-grants"),
		SIM_TEST(directory_changes, "directory-changes"),
		SIM_TEST(edid_buffers, "edid-buffers"),
		SIM_TEST(backend_allocation, "backend-allocation"),
		SIM_TEST_NO_DAEMON(quota, "quota"),
		SIM_TEST_NO_DAEMON(modes_quota, "modes-quota"),
		SIM_TEST(pipelined_garbage, "pipelined-garbage"),
	};

	return cmocka_run_group_tests(hostile_tests, NULL, NULL);
}
