// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls that fail while a guest connects, is served, and is asked about. */
#include "unit.h"

#include <sys/socket.h>
#include <unistd.h>

#include "turns.h"

#define DOMID		TURNS_DOMID
#define WIDTH		TURNS_WIDTH
#define HEIGHT		TURNS_HEIGHT

static struct sim_front *const front = &turns_front;
static struct sim_buf buf;

static const char *const one[] = { "320x200" };

/* A guest comes, is connected, and goes. */

static void come_and_go(void)
{
	turns_come();
	turns_go();
}

static void come_show_go(void)
{
	turns_come();
	turns_show(front, &buf, 1);
	turns_ok(sim_dbuf_destroy(front, 10));
	sim_buf_finish(&buf, front);
	turns_go();
}

/* The supervisor has answered: nothing else waits for it. */
static void let_it_rest(void)
{
	static char answer[XD_CONTROL_MAX_ANSWER];

	turns_ask("list", answer);
	turns_ask("list", answer);
}

/* Each of the guest's steps is one event, and no other comes with it. */
static void come_step_by_step(void)
{
	sim_guest_create(front, turns_sim->fake, DOMID, 1, one);
	sim_wait_back_state(front, SIM_INIT_WAIT);
	sim_front_write(front, "version", "2");
	sim_channels_create(front);
	let_it_rest();
	sim_set_state(front, SIM_INITIALISED);
	sim_wait_back_state(front, SIM_CONNECTED);
	let_it_rest();
	sim_set_state(front, SIM_CONNECTED);
	turns_go();
}

static void connect_supervisor(void **state)
{
	turns_begin(state);
	turns_run(&(struct turns){
		.role = FAULT_SUPERVISOR,
		.attempt = come_step_by_step,
		.after = come_show_go,
	});
	turns_end();
}

static void connect_worker(void **state)
{
	turns_begin(state);
	turns_run(&(struct turns){
		.role = FAULT_WORKER,
		.attempt = come_and_go,
		.after = come_show_go,
	});
	turns_end();
}

/* What a guest asks of its worker, which has to survive all of it. */

static pid_t worker;
static size_t heap;
static struct sim_buf cursor, edid, lent;

/* Of what has been done by now: the question makes the worker wait again. */
static size_t heap_now(void)
{
	static char answer[XD_CONTROL_MAX_ANSWER];

	turns_ask("stats 5", answer);
	return faults_heap();
}

static void requests_begin(void)
{
	sim_guest_create(front, turns_sim->fake, DOMID, 1, one);
	sim_front_write(front, "be-alloc", "1");
	sim_front_write(front, "request-cursor", "1");
	sim_front_write(front, "request-damage", "1");
	sim_front_write(front, "request-connector-event", "1");
	sim_connect(front, 2);
	sim_buf_init(&buf, front, 10, WIDTH, HEIGHT, 32);
	sim_buf_draw(&buf, 1);
	sim_buf_init(&cursor, front, 11, 64, 64, 32);
	sim_buf_init(&lent, front, 12, WIDTH, HEIGHT, 32);
	for (uint32_t i = 1; i < 1024; i++)
		lent.dir[0][i] = 0;
	sim_buf_init(&edid, front, 90, 64, 128, 32);
	sim_buf_grant_writable(&edid, front);
	worker = fake_domain_worker(turns_sim->fake, DOMID);
	heap = heap_now();
}

static int32_t flip_and_wait(uint64_t fb)
{
	int32_t status = sim_flip(&front->conn[0], fb);

	/* what was accepted is answered by an event */
	if (!status)
		sim_wait_events(&front->conn[0], front->conn[0].nr_events + 1);
	return status;
}

static int32_t get_edid(void)
{
	struct xendispl_req *req = sim_next_slot(&front->conn[0],
						 XENDISPL_OP_GET_EDID);
	struct xendispl_resp resp;

	req->op.get_edid.buffer_sz = edid.size;
	req->op.get_edid.gref_directory = edid.dir_refs[0];
	sim_push(&front->conn[0]);
	sim_wait_response(&front->conn[0], &resp);
	return resp.status;
}

static int32_t set_cursor(uint64_t fb)
{
	struct xendispl_req *req = sim_next_slot(&front->conn[0],
						 XD_OP_CURSOR_SET);
	const struct xd_wire_cursor_set wire = { .fb_cookie = fb };

	memcpy(&req->op, &wire, sizeof(wire));
	return sim_call(&front->conn[0]);
}

static int32_t borrow(void)
{
	struct xendispl_req *req = sim_next_slot(&front->conn[0],
						 XENDISPL_OP_DBUF_CREATE);

	req->op.dbuf_create = (struct xendispl_dbuf_create_req){
		.dbuf_cookie = lent.cookie,
		.width = lent.width,
		.height = lent.height,
		.bpp = lent.bpp,
		.buffer_sz = lent.size,
		.flags = XENDISPL_DBUF_FLG_REQ_ALLOC,
		.gref_directory = lent.dir_refs[0],
	};
	return sim_call(&front->conn[0]);
}

/* Each status goes to @check; what has no status has to work. */
static void use_all(void (*check)(int32_t status))
{
	struct sim_conn *conn = &front->conn[0];

	check(sim_dbuf_create(front, &buf));
	check(sim_fb_attach(front, 10, 20, WIDTH, HEIGHT, XD_FMT_XRGB8888));
	check(sim_set_config(conn, 20, WIDTH, HEIGHT, 32));
	check(flip_and_wait(20));
	check(sim_dbuf_create(front, &cursor));
	check(sim_fb_attach(front, 11, 21, 64, 64, XD_FMT_ARGB8888));
	check(set_cursor(21));
	check(set_cursor(0));
	check(borrow());
	check(sim_fb_attach(front, 12, 22, WIDTH, HEIGHT, XD_FMT_XRGB8888));
	check(flip_and_wait(22));
	check(flip_and_wait(20));
	check(get_edid());
}

static void drop_all(void)
{
	/* what could not be made is not there */
	sim_dbuf_destroy(front, 12);
	sim_dbuf_destroy(front, 11);
	sim_dbuf_destroy(front, 10);
	sim_set_config(&front->conn[0], 0, 0, 0, 0);
	if (fake_domain_worker(turns_sim->fake, DOMID) != worker)
		sim_fail("the worker ended after %s failed", faults_hit());
	if (fake_domain_mapped(turns_sim->fake, DOMID) != 2)
		sim_fail("%u pages mapped after %s failed",
			 fake_domain_mapped(turns_sim->fake, DOMID), faults_hit());
	if (fake_foreign_pages(turns_sim->fake, DOMID))
		sim_fail("pages are shared after %s failed", faults_hit());
	if (heap_now() != heap)
		sim_fail("%zu bytes allocated, %zu before %s failed",
			 heap_now(), heap, faults_hit());
}

static void whatever(int32_t status)
{
	(void)status;
}

static void requests_attempt(void)
{
	use_all(whatever);
	drop_all();
}

static void requests_after(void)
{
	use_all(turns_ok);
	turns_want_picture(DOMID, 1);
	drop_all();
}

static void requests(void **state)
{
	turns_begin(state);
	turns_run(&(struct turns){
		.role = FAULT_WORKER,
		.before = requests_begin,
		.attempt = requests_attempt,
		.after = requests_after,
	});
	sim_buf_finish(&buf, front);
	sim_buf_finish(&cursor, front);
	sim_buf_finish(&lent, front);
	sim_buf_finish(&edid, front);
	turns_go();
	turns_end();
}

/* Questions of the control socket, about a guest whose picture is converted. */

static uint32_t expected[WIDTH * HEIGHT];

static void take_shot(uint32_t *pixels)
{
	static char answer[XD_CONTROL_MAX_ANSWER];
	int fd = turns_ask("screenshot 5 0", answer);

	if (pixels && (fd < 0 || pread(fd, pixels, sizeof(expected), 0) !=
		       sizeof(expected)))
		sim_fail("no picture after %s failed: %s", faults_hit(),
			 answer);
	if (fd >= 0)
		close(fd);
}

static void questions_begin(void)
{
	sim_guest_create(front, turns_sim->fake, DOMID, 1, one);
	sim_front_write(front, "request-connector-event", "1");
	sim_connect(front, 2);
	sim_buf_init(&buf, front, 10, WIDTH, HEIGHT, 16);
	for (uint32_t i = 0; i < WIDTH * HEIGHT / 2; i++)
		((uint32_t *)buf.pages)[i] = sim_pixel(1, i, 0);
	turns_ok(sim_dbuf_create(front, &buf));
	turns_ok(sim_fb_attach(front, 10, 20, WIDTH, HEIGHT, XD_FMT_RGB565));
	turns_ok(sim_set_config(&front->conn[0], 20, WIDTH, HEIGHT, 16));
	worker = fake_domain_worker(turns_sim->fake, DOMID);
	take_shot(expected);
}

static void ask_all(void (*check)(const char *question, const char *answer))
{
	static const char *const questions[] = {
		"list", "info 5", "stats 5", "resize 5 0 640 480",
		"resize 5 0 320 200",
	};
	static char answer[XD_CONTROL_MAX_ANSWER];

	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		turns_ask(questions[i], answer);
		check(questions[i], answer);
	}
	sim_take_events(&front->conn[0]);
}

static void is_ok(const char *question, const char *answer)
{
	if (strncmp(answer, "ok\n", 3))
		sim_fail("%s: \"%s\" after %s failed", question, answer,
			 faults_hit());
}

/* Or no answer at all: the one who asked says so. */
static void is_answer(const char *question, const char *answer)
{
	if (*answer && strncmp(answer, "error ", 6))
		is_ok(question, answer);
}

static void questions_attempt(void)
{
	turns_hang_up();
	take_shot(NULL);
	ask_all(is_answer);
}

static void questions_after(void)
{
	static uint32_t pixels[WIDTH * HEIGHT];

	take_shot(pixels);
	assert_memory_equal(pixels, expected, sizeof(expected));
	ask_all(is_ok);
	if (fake_domain_worker(turns_sim->fake, DOMID) != worker)
		sim_fail("the worker ended after %s failed", faults_hit());
}

static void questions(void **state, enum fault_role role)
{
	turns_begin(state);
	turns_run(&(struct turns){
		.role = role,
		.before = questions_begin,
		.attempt = questions_attempt,
		.after = questions_after,
	});
	turns_ok(sim_dbuf_destroy(front, 10));
	sim_buf_finish(&buf, front);
	turns_go();
	turns_end();
}

static void questions_supervisor(void **state)
{
	questions(state, FAULT_SUPERVISOR);
}

static void questions_worker(void **state)
{
	questions(state, FAULT_WORKER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIM_TEST_NO_DAEMON(connect_supervisor, "connect-supervisor"),
		SIM_TEST_NO_DAEMON(connect_worker, "connect-worker"),
		SIM_TEST_NO_DAEMON(requests, "requests"),
		SIM_TEST_NO_DAEMON(questions_supervisor,
				   "questions-supervisor"),
		SIM_TEST_NO_DAEMON(questions_worker, "questions-worker"),
	};

	return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
