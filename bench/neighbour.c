// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long a guest waits for its frames while another one breaks the protocol: the
 * daemon and its workers as they are, on the machine in memory of the tests, so
 * without the emulation that all guests of the lab share. One guest flips at 60 Hz,
 * beside nobody, beside an honest guest, and beside each case of tests/sim/bad.c.
 * Prints a table; exit status 1 when a bound is missed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bad.h"
#include "front.h"
#include "sim.h"

#define WIDTH	1920
#define HEIGHT	1080
#define SECONDS	2	/* for each case, played over and over */
#define BOUND	100.0	/* ms */

static struct sim *sim;
static struct sim_front victim;
static struct sim_front other;
static struct sim_buf bufs[2];

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void must(int32_t status, const char *what)
{
	if (status)
		sim_fail("%s: status %d", what, status);
}

static void guests_open(void)
{
	static const char *const full[] = { "1920x1080" };
	static const char *const small[] = { "640x480" };

	sim_guest_create(&victim, sim->fake, 1, 1, full);
	sim_guest_create(&other, sim->fake, 2, 1, small);
	sim_connect(&victim, 2);
	for (unsigned int i = 0; i < 2; i++) {
		sim_buf_init(&bufs[i], &victim, 10 + i, WIDTH, HEIGHT, 32);
		must(sim_dbuf_create(&victim, &bufs[i]), "DBUF_CREATE");
		must(sim_fb_attach(&victim, 10 + i, 20 + i, WIDTH, HEIGHT,
				   XD_FMT_XRGB8888), "FB_ATTACH");
	}
	must(sim_set_config(&victim.conn[0], 20, WIDTH, HEIGHT, 32),
	     "SET_CONFIG");
}

static void guests_close(void)
{
	sim_disconnect(&victim);
	for (unsigned int i = 0; i < 2; i++)
		sim_buf_finish(&bufs[i], &victim);
	sim_guest_destroy(&victim);
	sim_guest_destroy(&other);
}

/* The other guest's process: its case over and over. */
static pid_t play(unsigned int i)
{
	double end = now_ms() + SECONDS * 1e3;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		sim_fail("fork failed");
	if (pid)
		return pid;
	do {
		sim_bad_play(&other, i);
		sim_bad_end();
	} while (now_ms() < end);
	_exit(0);
}

/* @pid plays meanwhile; 0: nobody does */
static bool goes_on(pid_t pid, double start)
{
	int status;

	if (!pid)
		return now_ms() < start + SECONDS * 1e3;
	if (!waitpid(pid, &status, WNOHANG))
		return true;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		sim_fail("the other guest ended with status %x", status);
	return false;
}

/* It looks by itself: the machine wakes but one of two that wait. */
static void nap(double until)
{
	static const struct timespec ts = { .tv_nsec = 300000 };

	if (now_ms() > until)
		sim_fail("no answer");
	nanosleep(&ts, NULL);
}

static void flip(struct sim_conn *conn, uint64_t fb)
{
	double until = now_ms() + SIM_TIMEOUT_MS;
	unsigned int due = conn->nr_events + 1;
	struct xendispl_resp resp;

	sim_next_slot(conn, XENDISPL_OP_PG_FLIP)->op.pg_flip.fb_cookie = fb;
	sim_push(conn);
	while (!sim_poll_response(conn, &resp))
		nap(until);
	must(resp.status, "PG_FLIP");
	for (sim_take_events(conn); conn->nr_events < due; sim_take_events(conn))
		nap(until);
}

/* Flips as each frame is done: the longest time from one to the next, ms. */
static double worst_gap(pid_t pid, unsigned int *ret_frames)
{
	struct sim_conn *conn = &victim.conn[0];
	double start = now_ms(), last = 0, worst = 0, now;
	unsigned int frames = 0;

	while (goes_on(pid, start)) {
		flip(conn, 20 + frames % 2);
		now = now_ms();
		if (frames++ && now - last > worst)
			worst = now - last;
		last = now;
	}
	*ret_frames = frames;
	return worst;
}

static int row(const char *beside, pid_t pid)
{
	unsigned int frames;
	double worst = worst_gap(pid, &frames);
	int missed = worst > BOUND;

	printf("%-38s %9u %9.1f  <= %-10g %s\n", beside, frames, worst, BOUND,
	       missed ? "MISSED" : "ok");
	fflush(stdout);
	return missed;
}

int main(void)
{
	void *state;
	int missed;

	sim_setup_no_daemon(&state);
	sim = state;
	sim->millihertz = 60000;
	sim_daemon_start(sim);
	guests_open();
	printf("%-38s %9s %9s  %s\n", "a guest's frames at 60 Hz, 1080p, beside",
	       "frames", "worst, ms", "must be");
	missed = row("nobody", 0);
	for (unsigned int i = 0; sim_bad_name(i); i++)
		missed += row(sim_bad_name(i), play(i));
	guests_close();
	sim_finish(sim);
	sim_teardown(&state);
	return missed ? 1 : 0;
}
