/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A frontend that does one thing wrong, on the fake machine or on a real one. It is
 * of one connector; what the backend should not do ends the process.
 */
#ifndef TESTS_SIM_BAD_H
#define TESTS_SIM_BAD_H

#include "front.h"

/* What case @i does wrong; "honest" is the first; NULL: there are no more. */
const char *sim_bad_name(unsigned int i);

/*
 * Plays case @i, between an honest picture and an honest connection, which stays up:
 * a guest that dies leaves it so. @front is not connected yet.
 */
void sim_bad_play(struct sim_front *front, unsigned int i);

/* Closes what sim_bad_play() left. */
void sim_bad_end(void);

#endif /* TESTS_SIM_BAD_H */
