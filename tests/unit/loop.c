// SPDX-License-Identifier: GPL-2.0-or-later
/* base/loop.h: timers, those of the past above all. */
#include "unit.h"

#include "base/loop.h"

struct clock {
	struct xd_loop loop;
	struct xd_timer timer;
	struct xd_timer other;
	unsigned int fired;
	unsigned int other_fired;
	uint64_t again;		/* what the timer sets itself to when it fires */
};

static void fired(void *ctx)
{
	struct clock *clock = ctx;

	clock->fired++;
	if (clock->again)
		xd_timer_set(&clock->timer, clock->again);
}

static void other_fired(void *ctx)
{
	struct clock *clock = ctx;

	clock->other_fired++;
	xd_timer_finish(&clock->loop, &clock->timer);
}

static int setup(void **state)
{
	struct clock *clock = calloc(1, sizeof(*clock));

	assert_non_null(clock);
	assert_int_equal(xd_loop_init(&clock->loop), 0);
	assert_int_equal(xd_timer_init(&clock->loop, &clock->timer, fired,
				       clock), 0);
	assert_int_equal(xd_timer_init(&clock->loop, &clock->other,
				       other_fired, clock), 0);
	*state = clock;
	return 0;
}

static int teardown(void **state)
{
	struct clock *clock = *state;

	xd_timer_finish(&clock->loop, &clock->timer);
	xd_timer_finish(&clock->loop, &clock->other);
	xd_loop_finish(&clock->loop);
	free(clock);
	return 0;
}

static void turn(struct clock *clock, int timeout_ms)
{
	assert_int_equal(xd_loop_turn(&clock->loop, timeout_ms), 0);
}

static void past_is_next_turn(void **state)
{
	struct clock *clock = *state;

	xd_timer_set(&clock->timer, 1);
	assert_int_equal(clock->fired, 0);
	turn(clock, -1);
	assert_int_equal(clock->fired, 1);
	turn(clock, 0);
	assert_int_equal(clock->fired, 1);
}

/* Whatever the clock says: on a machine that has just started, too. */
static void next_due(void **state)
{
	const uint64_t hour = 3600000000000u, start = xd_now();
	uint64_t last = 0, first, due;

	first = xd_next_due(&last, start * 2);
	assert_in_range(first, start, xd_now());
	assert_int_equal(last, first);
	assert_int_equal(xd_next_due(&last, hour), first + hour);
	last = first - 1000;
	assert_int_equal(xd_next_due(&last, hour), first - 1000 + hour);
	/* a clock that makes no sense, and one that is far behind */
	last = first + 3 * hour;
	due = xd_next_due(&last, hour);
	assert_in_range(due, first, xd_now());
	last = 1;
	due = xd_next_due(&last, 1);
	assert_in_range(due, first, xd_now());
}

static void past_again_is_a_turn_later(void **state)
{
	struct clock *clock = *state;

	clock->again = 1;
	xd_timer_set(&clock->timer, 1);
	for (unsigned int i = 1; i <= 3; i++) {
		turn(clock, -1);
		assert_int_equal(clock->fired, i);
	}
}

static void disarmed(void **state)
{
	struct clock *clock = *state;

	xd_timer_set(&clock->timer, 1);
	xd_timer_set(&clock->timer, 0);
	turn(clock, 0);
	xd_timer_set(&clock->timer, xd_now() + 2000000);
	xd_timer_set(&clock->timer, 0);
	turn(clock, 20);
	assert_int_equal(clock->fired, 0);
}

/* What was set last counts, and it counts once. */
static void set_anew(void **state)
{
	struct clock *clock = *state;

	xd_timer_set(&clock->timer, xd_now() + 1000000);
	xd_timer_set(&clock->timer, 1);
	turn(clock, -1);
	turn(clock, 20);
	assert_int_equal(clock->fired, 1);

	xd_timer_set(&clock->timer, 1);
	xd_timer_set(&clock->timer, xd_now() + 3600000000000u);
	turn(clock, 0);
	assert_int_equal(clock->fired, 1);
	xd_timer_set(&clock->timer, xd_now() + 1000000);
	while (clock->fired == 1)
		turn(clock, -1);
	assert_int_equal(clock->fired, 2);
}

static void finished_by_another(void **state)
{
	struct clock *clock = *state;

	xd_timer_set(&clock->other, 1);
	xd_timer_set(&clock->timer, 1);
	turn(clock, -1);
	assert_int_equal(clock->other_fired, 1);
	/* it is finished: nothing sets it any more */
	xd_timer_set(&clock->timer, 1);
	turn(clock, 0);
	assert_int_equal(clock->fired, 0);
}

#define LOOP_TEST(fn, label)	{ label, fn, setup, teardown, NULL }

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LOOP_TEST(past_is_next_turn, "past-is-next-turn"),
		LOOP_TEST(next_due, "next-due"),
		LOOP_TEST(past_again_is_a_turn_later, "past-again-is-a-turn-later"),
		LOOP_TEST(disarmed, "disarmed"),
		LOOP_TEST(set_anew, "set-anew"),
		LOOP_TEST(finished_by_another, "finished-by-another"),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
