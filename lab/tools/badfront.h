/* SPDX-License-Identifier: GPL-2.0-or-later */
/* badfront: a frontend of displif that does one thing wrong. Shared by its files. */
#ifndef BADFRONT_H
#define BADFRONT_H

#include "front.h"

/* Our domain's number. */
uint32_t machine_domid(struct fake *machine);

/* The guest that we are, as a machine that tests/sim/front.c runs on. */
struct fake *machine_open(void);

#endif
