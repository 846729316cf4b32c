// SPDX-License-Identifier: GPL-2.0-or-later
/* Clocks, and the statistics of durations. */
#include <stdlib.h>
#include <time.h>

#include "kt.h"

uint64_t kt_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);

	return (uint64_t)now.tv_sec * KT_NS_PER_S + (uint64_t)now.tv_nsec;
}

void kt_pause_ms(unsigned int ms)
{
	struct timespec left = {
		.tv_sec = ms / 1000,
		.tv_nsec = (long)(ms % 1000 * KT_NS_PER_MS),
	};

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

void kt_samples_add(struct kt_samples *samples, uint64_t ns)
{
	if (samples->count == samples->room) {
		samples->room = samples->room ? 2 * samples->room : 256;
		samples->ns = realloc(samples->ns,
				      samples->room * sizeof(*samples->ns));
		kt_assert(samples->ns);
	}
	samples->ns[samples->count++] = ns;
}

double kt_samples_mean_ms(const struct kt_samples *samples)
{
	double sum = 0;

	for (size_t i = 0; i < samples->count; i++)
		sum += (double)samples->ns[i];

	return samples->count ? sum / (double)samples->count / 1e6 : 0;
}

static int by_length(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

double kt_samples_part_ms(struct kt_samples *samples, double part)
{
	size_t at;

	if (!samples->count)
		return 0;
	qsort(samples->ns, samples->count, sizeof(*samples->ns), by_length);
	at = (size_t)(part * (double)samples->count);

	return (double)samples->ns[at < samples->count ? at :
				   samples->count - 1] / 1e6;
}

void kt_samples_note(struct kt_samples *samples, const char *what)
{
	kt_note("%s: %zu, mean %.3f ms, median %.3f, 99%% %.3f, worst %.3f",
		what, samples->count, kt_samples_mean_ms(samples),
		kt_samples_part_ms(samples, 0.5),
		kt_samples_part_ms(samples, 0.99),
		kt_samples_part_ms(samples, 1));
}

void kt_samples_finish(struct kt_samples *samples)
{
	free(samples->ns);
	*samples = (struct kt_samples) { .ns = NULL };
}
