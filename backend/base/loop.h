/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One epoll loop a process: descriptors, timers, and nothing else. A source is
 * embedded in its owner's structure; it must be deleted before that is freed,
 * which is allowed from any callback, its own too.
 */
#ifndef XD_BASE_LOOP_H
#define XD_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct xd_loop {
	int epfd;
	bool quit;
	struct xd_source **batch;	/* sources of the current wake-up */
	int nr_batch;
	struct xd_timer *due;		/* timers set to a time that has passed */
};

/**
 * struct xd_source - a descriptor that the loop watches
 * @fd:		the descriptor, not owned; -1 when deleted
 * @events:	EPOLL* bits that are waited for
 * @ready:	told the EPOLL* bits
 * @ctx:	passed to @ready
 */
struct xd_source {
	int fd;
	uint32_t events;
	void (*ready)(void *ctx, uint32_t events);
	void *ctx;
};

/**
 * struct xd_timer - fires once at a time, on CLOCK_MONOTONIC
 * @loop:	whose it is
 * @next:	the next one in @loop->due
 * @due:	in @loop->due: needs no wake-up of the kernel
 * @armed:	the kernel has a time for it
 * @fired:	told when it does
 * @ctx:	passed to @fired
 */
struct xd_timer {
	struct xd_source source;
	struct xd_loop *loop;
	struct xd_timer *next;
	bool due;
	bool armed;
	void (*fired)(void *ctx);
	void *ctx;
};

int xd_loop_init(struct xd_loop *loop);
void xd_loop_finish(struct xd_loop *loop);

/* Runs until xd_loop_quit(): 0 or -errno. */
int xd_loop_run(struct xd_loop *loop);
void xd_loop_quit(struct xd_loop *loop);

/* Waits up to @timeout_ms (-1: for ever) and dispatches once: 0 or -errno. */
int xd_loop_turn(struct xd_loop *loop, int timeout_ms);

/* Watch @fd for @events (EPOLLIN ...): 0 or -errno. */
int xd_source_add(struct xd_loop *loop, struct xd_source *source, int fd,
		  uint32_t events,
		  void (*ready)(void *ctx, uint32_t events), void *ctx);
int xd_source_modify(struct xd_loop *loop, struct xd_source *source,
		     uint32_t events);
void xd_source_del(struct xd_loop *loop, struct xd_source *source);

int xd_timer_init(struct xd_loop *loop, struct xd_timer *timer,
		  void (*fired)(void *ctx), void *ctx);
void xd_timer_finish(struct xd_loop *loop, struct xd_timer *timer);

/*
 * Fire at @ns of CLOCK_MONOTONIC; 0 disarms. A time that has passed fires in the
 * next turn of the loop, never from in here.
 */
void xd_timer_set(struct xd_timer *timer, uint64_t ns);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t xd_now(void);

/**
 * xd_next_due() - when the next one of things that come every @period is due
 * @last:	when the last one was, 0: there was none; becomes what is returned
 * @period:	ns
 *
 * A period after the last one, so that they do not drift; now for the first one and
 * for one that is too late by more than a period.
 */
uint64_t xd_next_due(uint64_t *last, uint64_t period);

#endif /* XD_BASE_LOOP_H */
