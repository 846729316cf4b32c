/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/loop.h"

#define MAX_EVENTS	32

uint64_t xd_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t xd_next_due(uint64_t *last, uint64_t period)
{
	const uint64_t now = xd_now();
	uint64_t due = *last + period;

	if (!*last || due + period < now || due > now + period)
		due = now;
	*last = due;
	return due;
}

int xd_loop_init(struct xd_loop *loop)
{
	*loop = (struct xd_loop){ .epfd = epoll_create1(EPOLL_CLOEXEC) };
	return loop->epfd < 0 ? -errno : 0;
}

void xd_loop_finish(struct xd_loop *loop)
{
	if (loop->epfd >= 0)
		close(loop->epfd);
	loop->epfd = -1;
}

static void due_add(struct xd_timer *timer)
{
	struct xd_timer **at = &timer->loop->due;

	while (*at)
		at = &(*at)->next;
	*at = timer;
	timer->next = NULL;
	timer->due = true;
}

static void due_del(struct xd_timer *timer)
{
	struct xd_timer **at = &timer->loop->due;

	while (*at && *at != timer)
		at = &(*at)->next;
	if (*at)
		*at = timer->next;
	timer->due = false;
}

/* Those that are due now: what they set anew is for the next turn. */
static void run_due(struct xd_loop *loop)
{
	struct xd_timer *timer;
	unsigned int count = 0;

	for (timer = loop->due; timer; timer = timer->next)
		count++;
	/* a callback may take any of them away */
	while (count-- && loop->due) {
		timer = loop->due;
		due_del(timer);
		timer->fired(timer->ctx);
	}
}

int xd_loop_turn(struct xd_loop *loop, int timeout_ms)
{
	struct epoll_event events[MAX_EVENTS];
	struct xd_source *batch[MAX_EVENTS];
	int n, i;

	n = epoll_wait(loop->epfd, events, MAX_EVENTS,
		       loop->due ? 0 : timeout_ms);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (i = 0; i < n; i++)
		batch[i] = events[i].data.ptr;
	/* a callback may delete any source: xd_source_del() clears it here */
	loop->batch = batch;
	loop->nr_batch = n;
	for (i = 0; i < n; i++)
		if (batch[i])
			batch[i]->ready(batch[i]->ctx, events[i].events);
	loop->batch = NULL;
	loop->nr_batch = 0;
	run_due(loop);
	return 0;
}

int xd_loop_run(struct xd_loop *loop)
{
	int ret = 0;

	while (!loop->quit && !ret)
		ret = xd_loop_turn(loop, -1);
	return ret;
}

void xd_loop_quit(struct xd_loop *loop)
{
	loop->quit = true;
}

int xd_source_add(struct xd_loop *loop, struct xd_source *source, int fd,
		  uint32_t events,
		  void (*ready)(void *ctx, uint32_t events), void *ctx)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	*source = (struct xd_source){
		.fd = fd,
		.events = events,
		.ready = ready,
		.ctx = ctx,
	};
	if (epoll_ctl(loop->epfd, EPOLL_CTL_ADD, fd, &event)) {
		source->fd = -1;
		return -errno;
	}
	return 0;
}

int xd_source_modify(struct xd_loop *loop, struct xd_source *source,
		     uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	if (events == source->events)
		return 0;
	if (epoll_ctl(loop->epfd, EPOLL_CTL_MOD, source->fd, &event))
		return -errno;
	source->events = events;
	return 0;
}

void xd_source_del(struct xd_loop *loop, struct xd_source *source)
{
	int i;

	if (!source->ready || source->fd < 0)
		return;
	epoll_ctl(loop->epfd, EPOLL_CTL_DEL, source->fd, NULL);
	source->fd = -1;
	for (i = 0; i < loop->nr_batch; i++)
		if (loop->batch[i] == source)
			loop->batch[i] = NULL;
}

static void timer_ready(void *ctx, uint32_t events)
{
	struct xd_timer *timer = ctx;
	uint64_t count;

	if (read(timer->source.fd, &count, sizeof(count)) != sizeof(count))
		return;
	timer->armed = false;
	timer->fired(timer->ctx);
}

int xd_timer_init(struct xd_loop *loop, struct xd_timer *timer,
		  void (*fired)(void *ctx), void *ctx)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int ret;

	*timer = (struct xd_timer){ .loop = loop, .fired = fired, .ctx = ctx };
	timer->source.fd = -1;
	if (fd < 0)
		return -errno;
	ret = xd_source_add(loop, &timer->source, fd, EPOLLIN, timer_ready,
			    timer);
	if (ret)
		close(fd);
	return ret;
}

void xd_timer_finish(struct xd_loop *loop, struct xd_timer *timer)
{
	int fd = timer->source.fd;

	if (!timer->fired || fd < 0)
		return;
	due_del(timer);
	xd_source_del(loop, &timer->source);
	close(fd);
}

static void timer_arm(struct xd_timer *timer, uint64_t ns)
{
	struct itimerspec spec = {
		.it_value.tv_sec = (time_t)(ns / 1000000000u),
		.it_value.tv_nsec = (long)(ns % 1000000000u),
	};

	timerfd_settime(timer->source.fd, TFD_TIMER_ABSTIME, &spec, NULL);
	timer->armed = ns;
}

void xd_timer_set(struct xd_timer *timer, uint64_t ns)
{
	bool now = ns && ns <= xd_now();

	if (timer->source.fd < 0)
		return;
	if (timer->due && !now)
		due_del(timer);
	if (now && !timer->due)
		due_add(timer);
	if (timer->armed || (ns && !now))
		timer_arm(timer, now ? 0 : ns);
}
