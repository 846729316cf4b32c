// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Replays inputs without libFuzzer: files, or directories of them. Then
 * changes each a little, a fixed number of times and always the same, so that
 * a plain test run goes beyond the corpus. Prints TAP.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "fuzz.h"

#define MAX_FILE	(1u << 20)
#define VARIANTS	200

static unsigned int nr_files;
static unsigned long nr_runs;

static void run(const uint8_t *data, size_t size)
{
	/* A copy of exactly this size: ASan sees what reads beyond it. */
	uint8_t *copy = malloc(size ? size : 1);

	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	nr_runs++;
}

static void run_variants(uint8_t *data, size_t size)
{
	unsigned int seed = (unsigned int)size;

	for (int i = 0; i < VARIANTS && size; i++) {
		size_t at = (size_t)rand_r(&seed) % size;
		uint8_t old = data[at];

		data[at] = (uint8_t)(rand_r(&seed) % 3 ? rand_r(&seed) :
				     rand_r(&seed) % 2 ? 0 : 0xff);
		run(data, i % 8 ? size : at);
		if (i % 3)
			data[at] = old;
	}
}

static bool replay_file(const char *path)
{
	static uint8_t data[MAX_FILE];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	run(data, size);
	run_variants(data, size);
	nr_files++;
	return true;
}

static bool replay(const char *path)
{
	char child[4096];
	struct dirent *entry;
	bool ok = true;
	DIR *dir;

	dir = opendir(path);
	if (!dir)
		return replay_file(path);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
		ok = replay(child) && ok;
	}
	closedir(dir);
	return ok;
}

int main(int argc, char **argv)
{
	bool ok = argc > 1;

	for (int i = 1; i < argc; i++)
		ok = replay(argv[i]) && ok;
	if (!nr_files)
		ok = false;

	printf("1..1\n%s 1 - replay %u files, %lu runs\n", ok ? "ok" : "not ok",
	       nr_files, nr_runs);
	return !ok;
}
