// SPDX-License-Identifier: GPL-2.0-or-later
/* Buffers that are memory of the backend, granted to the guest. */
#include "unit.h"

#include <signal.h>

#include "front.h"
#include "sim.h"

static struct sim_front front;

static const char *const one[] = { "1920x1080" };

static void begin(struct sim *sim, const char *be_alloc)
{
	sim_guest_create(&front, sim->fake, 5, 1, one);
	sim_front_write(&front, "be-alloc", "%s", be_alloc);
	sim_connect(&front, 1);
}

static void end(struct sim *sim)
{
	sim_disconnect(&front);
	sim_wait_back_state(&front, SIM_CLOSED);
	assert_int_equal(fake_foreign_pages(sim->fake, 5), 0);
	sim_guest_destroy(&front);
	sim_finish(sim);
}

static void ok(int32_t status)
{
	assert_int_equal(status, 0);
}

/* A directory with nothing in it, as it goes to a backend that allocates. */
static void directory_init(struct sim_buf *buf, uint64_t cookie,
			   uint32_t width, uint32_t height)
{
	sim_buf_init(buf, &front, cookie, width, height, 32);
	for (uint32_t i = 0; i < buf->nr_dir; i++)
		memset(&buf->dir[i][1], 0, 1023 * sizeof(uint32_t));
}

static int32_t create(struct sim_buf *buf)
{
	struct xendispl_req *req = sim_next_slot(&front.conn[0],
						 XENDISPL_OP_DBUF_CREATE);

	req->op.dbuf_create = (struct xendispl_dbuf_create_req){
		.dbuf_cookie = buf->cookie,
		.width = buf->width,
		.height = buf->height,
		.bpp = buf->bpp,
		.buffer_sz = buf->size,
		.flags = XENDISPL_DBUF_FLG_REQ_ALLOC,
		.gref_directory = buf->dir_refs[0],
	};
	return sim_call(&front.conn[0]);
}

/* The pages that came, which the fake machine gives out in a row. */
static uint8_t *foreign_pages(struct sim_buf *buf)
{
	uint8_t *first = NULL;

	for (uint32_t i = 0; i < buf->nr_pages; i++) {
		uint8_t *page = fake_foreign_page(front.fake, front.domid,
						  buf->dir[i / 1023]
							  [1 + i % 1023]);

		if (!page)
			fail_msg("page %u is not granted", i);
		if (!i)
			first = page;
		assert_ptr_equal(page, first + (size_t)i * FAKE_PAGE_SIZE);
	}
	return first;
}

static void show(struct sim *sim, uint32_t width, uint32_t height)
{
	struct sim_buf buf, view;

	begin(sim, "1");
	directory_init(&buf, 10, width, height);
	ok(create(&buf));
	assert_int_equal(fake_foreign_pages(sim->fake, 5), buf.nr_pages);
	view = buf;
	view.pages = foreign_pages(&buf);
	assert_int_equal(view.pages[0], 0);
	sim_buf_draw(&view, 7);
	ok(sim_fb_attach(&front, 10, 20, width, height, XD_FMT_XRGB8888));
	ok(sim_set_config(&front.conn[0], 20, width, height, 32));
	sim_expect_picture(sim, &front, 0, width, height, 7);
	sim_buf_draw(&view, 8);
	ok(sim_flip(&front.conn[0], 20));
	sim_wait_events(&front.conn[0], 1);
	sim_expect_picture(sim, &front, 0, width, height, 8);
	ok(sim_dbuf_destroy(&front, 10));
	assert_int_equal(fake_foreign_pages(sim->fake, 5), 0);
	sim_buf_finish(&buf, &front);
	end(sim);
}

static void small_buffer(void **state)
{
	show(*state, 640, 480);
}

static void two_directory_pages(void **state)
{
	show(*state, 1920, 1080);
}

/* The toolstack has the last word, not the flag. */
static void not_allowed(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	begin(sim, "0");
	directory_init(&buf, 10, 640, 480);
	assert_true(create(&buf) < 0);
	assert_int_equal(fake_foreign_pages(sim->fake, 5), 0);
	sim_buf_finish(&buf, &front);
	end(sim);
}

static void quota(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf[3];

	sim->limits.max_shared_bytes = 2 * 640 * 480 * 4;
	sim_daemon_start(sim);
	begin(sim, "1");
	for (uint32_t i = 0; i < 3; i++) {
		directory_init(&buf[i], 10 + i, 640, 480);
		assert_int_equal(create(&buf[i]), i < 2 ? 0 : -XEN_ENOSPC);
	}
	/* Its own memory a guest may still use. */
	sim_buf_finish(&buf[2], &front);
	sim_buf_init(&buf[2], &front, 12, 640, 480, 32);
	ok(sim_dbuf_create(&front, &buf[2]));
	ok(sim_dbuf_destroy(&front, 12));
	ok(sim_dbuf_destroy(&front, 10));
	sim_buf_finish(&buf[0], &front);
	directory_init(&buf[0], 13, 640, 480);
	ok(create(&buf[0]));
	for (uint32_t i = 0; i < 3; i++)
		sim_buf_finish(&buf[i], &front);
	end(sim);
}

/* A chain that is broken or cannot be written: nothing stays allocated. */
static void bad_directories(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;
	uint32_t ref;

	begin(sim, "1");
	directory_init(&buf, 10, 1920, 1080);
	assert_int_equal(buf.nr_dir, 2);
	ref = buf.dir[0][0];
	buf.dir[0][0] = 0;
	assert_true(create(&buf) < 0);
	buf.dir[0][0] = buf.dir_refs[0];
	assert_true(create(&buf) < 0);
	buf.dir[0][0] = 39999;
	assert_true(create(&buf) < 0);
	/* Read-only for us. */
	buf.dir[0][0] = fake_grant(sim->fake, 5, buf.dir[1], false);
	assert_true(create(&buf) < 0);
	assert_int_equal(fake_foreign_pages(sim->fake, 5), 0);
	assert_int_equal(fake_grant_end(sim->fake, 5, buf.dir[0][0]), 0);
	buf.dir[0][0] = ref;
	ok(create(&buf));
	sim_buf_finish(&buf, &front);
	end(sim);
}

/* What a worker had given is taken back with it. */
static void worker_dies(void **state)
{
	struct sim *sim = *state;
	struct sim_buf buf;

	begin(sim, "1");
	directory_init(&buf, 10, 640, 480);
	ok(create(&buf));
	kill(fake_domain_worker(sim->fake, 5), SIGKILL);
	sim_wait_back_state(&front, SIM_INIT_WAIT);
	sim_buf_finish(&buf, &front);
	sim_channels_free(&front);
	sim_connect(&front, 1);
	end(sim);
}

int main(void)
{
	const struct CMUnitTest alloc_tests[] = {
		SIM_TEST(small_buffer, "small-buffer"),
		SIM_TEST(two_directory_pages, "two-directory-pages"),
		SIM_TEST(not_allowed, "not-allowed"),
		SIM_TEST_NO_DAEMON(quota, "quota"),
		SIM_TEST(bad_directories, "bad-directories"),
		SIM_TEST(worker_dies, "worker-dies"),
	};

	return cmocka_run_group_tests(alloc_tests, NULL, NULL);
}
