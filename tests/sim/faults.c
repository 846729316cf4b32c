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

static void connect_supervisor(void **state)
{
	turns_begin(state);
	turns_run(&(struct turns){
		.role = FAULT_SUPERVISOR,
		.attempt = come_and_go,
		.after = come_show_go,
	});
	turns_end();
}

/* Questions of the control socket, about a guest whose picture is converted. */

static pid_t worker;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIM_TEST_NO_DAEMON(connect_supervisor, "connect-supervisor"),
		SIM_TEST_NO_DAEMON(questions_supervisor,
				   "questions-supervisor"),
	};

	return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
