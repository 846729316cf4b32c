/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon under test: supervisor and workers as they are, in processes of
 * their own, on the fake machine instead of Xen. And how tests fail.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fake.h"
#include "outputs/output.h"
#include "proto/limits.h"

struct sim_front;

/* Of a wait that ends early, on a machine that has much else to do. */
#define SIM_TIMEOUT_MS	30000

/**
 * struct sim - a machine with a daemon on it
 * @dir:	for the socket and the log, ends with the simulation
 * @daemon:	the supervisor's process, 0 when it does not run
 * @millihertz:	frame rate of an output without one; 0: unpaced
 * @output:	headless, unless set
 * @no_zero_copy: of the configuration
 * @options:	settings of the output
 * @limits:	of each vdispl device
 * @patience_ms: for a worker's answer to a question, 0: the usual
 * @beat_ms:	of the daemon's looks at whether xenstored is there, 0: the usual
 * @denied:	a system call that workers die of at once, 0: none; all seven are
 *		taken when a daemon starts
 */
struct sim {
	struct fake *fake;
	char dir[64];
	char socket[96];
	char log[96];
	pid_t daemon;
	uint32_t millihertz;
	const char *output;
	bool no_zero_copy;
	const char *options[XD_NUM_OPTIONS];
	struct xd_limits limits;
	unsigned int patience_ms;
	unsigned int beat_ms;
	int denied;
};

/* A machine, and no daemon yet: for tests that begin with a guest. */
void sim_init(struct sim *sim);

/* Starts the daemon, and waits until it watches XenStore. */
void sim_daemon_start(struct sim *sim);

/* Asks it to end, waits, and wants exit status 0. */
void sim_daemon_stop(struct sim *sim);

/* kill -9, as upgrades and the OOM killer do. */
void sim_daemon_kill(struct sim *sim);

/*
 * In a process that is to be a daemon: what it prints goes to the log, @flags O_APPEND
 * or O_TRUNC, and it does not outlive the test.
 */
void sim_child(const struct sim *sim, int flags);

/* Is there this text in the log? */
bool sim_log_has(struct sim *sim, const char *text);
unsigned int sim_log_count(struct sim *sim, const char *text);

/*
 * Ends everything. A report of a sanitizer, a mapping that is left, or a node
 * that the daemon wrote into a guest's directory fails the test.
 */
void sim_finish(struct sim *sim);

/* The pixels that `screenshot` gives for a connector, as sim_buf_draw() made. */
void sim_expect_picture(struct sim *sim, struct sim_front *front,
			unsigned int conn, uint32_t width, uint32_t height,
			uint32_t seed);

/* The same of a file. */
void sim_expect_png(const char *path, uint32_t width, uint32_t height,
		    uint32_t seed);

/* That there are none. */
void sim_expect_off(struct sim *sim, struct sim_front *front,
		    unsigned int conn);

/* Runs the tool; its exit status, and what it printed on both outputs. */
int sim_tool(struct sim *sim, const char *args, char out[8192]);

/* A number that `stats` gives for a guest. */
unsigned long long sim_stat(struct sim *sim, struct sim_front *front,
			    const char *name);

/* Bytes that a process has mapped of memfds of this name. */
uint64_t sim_memory(pid_t pid, const char *name);

/* Fails the running test with a message. */
void sim_fail(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/* cmocka fixtures: *state is a struct sim with a daemon, or without. */
int sim_setup(void **state);
int sim_setup_no_daemon(void **state);
int sim_teardown(void **state);

#define SIM_TEST(fn, label)						\
	{ label, fn, sim_setup, sim_teardown, NULL }
#define SIM_TEST_NO_DAEMON(fn, label)					\
	{ label, fn, sim_setup_no_daemon, sim_teardown, NULL }

#endif /* TESTS_SIM_SIM_H */
