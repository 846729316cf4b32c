/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first call that can fail does, then the second, until there are no more
 * (tests/faults). One daemon lives through all of it, and so does another guest,
 * which must not notice.
 */
#ifndef TESTS_SIM_TURNS_H
#define TESTS_SIM_TURNS_H

#include "core/control.h"
#include "faults.h"
#include "front.h"
#include "sim.h"

#define TURNS_DOMID	5u
#define TURNS_WIDTH	320u
#define TURNS_HEIGHT	200u

/**
 * struct turns - what is done while a call fails
 * @role:	whose call
 * @before:	once, or NULL
 * @attempt:	this, while one fails
 * @after:	this after each, which then has to work
 */
struct turns {
	enum fault_role role;
	void (*before)(void);
	void (*attempt)(void);
	void (*after)(void);
};

/* The machine, and the guest that is tried with. */
extern struct sim *turns_sim;
extern struct sim_front turns_front;

/* main(): the last @nr_long tests take long, and run with FAULTS_ALL=1 only. */
int turns_main(const char *name, const struct CMUnitTest *tests, size_t nr,
	       size_t nr_long);

/* @state: of the test, whose daemon starts here, with the other guest. */
void turns_begin(void **state);
void turns_end(void);

/*
 * Until no call fails any more. After each the supervisor must not have more
 * descriptors open than before, and the other guest has to go on.
 */
void turns_run(const struct turns *what);

/* A status that has to be 0. */
void turns_ok(int32_t status);

/*
 * As xen-displayctl asks, but in this process: the descriptor that came along,
 * or -1. No answer but the end of the connection is "".
 */
int turns_ask(const char *question, char answer[XD_CONTROL_MAX_ANSWER]);

/* The next question is asked over a new connection. */
void turns_hang_up(void);

/* The picture of turns_show(), exactly. */
void turns_want_picture(uint32_t domid, uint32_t seed);

/* A buffer 10 with framebuffer 20, on screen by a mode and a flip. */
void turns_show(struct sim_front *front, struct sim_buf *buf, uint32_t seed);

/* turns_front, which comes and is connected, and goes. */
void turns_come(void);
void turns_go(void);

#endif /* TESTS_SIM_TURNS_H */
