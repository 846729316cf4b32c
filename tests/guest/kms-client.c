// SPDX-License-Identifier: GPL-2.0-or-later
/* Clients one after the other, at once, and killed in the middle. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kt.h"

/* What every client does: two buffers, the mode, some flips. */
static void work(struct kt_dev *dev, unsigned int seed, unsigned int flips)
{
	const struct kt_format *format = kt_format_by_name("XR24");
	struct kt_output *output = kt_output(dev);
	struct kt_buf bufs[2];

	for (unsigned int i = 0; i < 2; i++)
		kt_buf_create(&bufs[i], dev, output->mode.hdisplay,
			      output->mode.vdisplay, format);
	kt_buf_draw(&bufs[0], seed, 0);
	kt_show(dev, output, &bufs[0]);
	for (unsigned int i = 1; i <= flips; i++) {
		kt_assert_ok(kt_flip(dev, output, &bufs[i & 1], i));
		kt_expect_flip(dev, output, i, NULL);
	}
	kt_buf_destroy(&bufs[0]);
	kt_buf_destroy(&bufs[1]);
}

/* Processes, not just file descriptors: each is gone before the next. */
static void test_ten(void)
{
	unsigned int count = kt_opt.count ? kt_opt.count : 10;

	for (unsigned int i = 1; i <= count; i++) {
		pid_t child = fork();
		int status;

		kt_assert_ge(child, 0);
		if (!child) {
			struct kt_dev dev;

			kt_open(&dev);
			work(&dev, i, 10);
			kt_close(&dev);
			_exit(0);
		}
		kt_assert_eq(waitpid(child, &status, 0), child);
		if (status)
			kt_fail("client %u ended with status 0x%x", i, status);
	}
}

/* The old client shows until the new one has its picture. */
static void test_handover(void)
{
	struct kt_dev old, new;

	kt_open(&old);
	work(&old, 1, 5);
	for (unsigned int i = 0; i < 5; i++) {
		kt_open(&new);
		kt_assert_ok(drmDropMaster(old.fd) ? -errno : 0);
		kt_assert_ok(drmSetMaster(new.fd) ? -errno : 0);
		work(&new, 2 + i, 5);
		kt_close(&old);
		old = new;
	}
	kt_close(&old);
}

/* A second client may make buffers, but not set modes. */
static void test_not_master(void)
{
	struct kt_dev first, second;
	struct kt_output *output;
	struct kt_buf buf;

	kt_open(&first);
	kt_open(&second);
	output = kt_output(&second);
	kt_buf_create(&buf, &second, output->mode.hdisplay,
		      output->mode.vdisplay, kt_format_by_name("XR24"));
	kt_assert_err(kt_try_show(&second, output, &buf), -EACCES);
	work(&first, 1, 5);
	kt_buf_destroy(&buf);
	kt_close(&second);
	kt_close(&first);
}

static void flip_for_ever(int ready)
{
	const struct kt_format *format = kt_format_by_name("XR24");
	struct kt_output *output;
	struct kt_buf bufs[2];
	struct kt_dev dev;

	kt_open(&dev);
	output = kt_output(&dev);
	for (unsigned int i = 0; i < 2; i++)
		kt_buf_create(&bufs[i], &dev, output->mode.hdisplay,
			      output->mode.vdisplay, format);
	kt_show(&dev, output, &bufs[0]);
	for (unsigned int i = 1;; i++) {
		kt_assert_ok(kt_flip(&dev, output, &bufs[i & 1], i));
		if (i == 5)
			kt_assert_eq(write(ready, "", 1), 1);
		kt_expect_flip(&dev, output, i, NULL);
	}
}

/* SIGKILL with flips on their way; the next client finds a working device. */
static void test_killed(void)
{
	for (unsigned int i = 0; i < 5; i++) {
		int ready[2], status;
		struct kt_dev dev;
		pid_t child;
		char byte;

		kt_assert_ok(pipe(ready));
		child = fork();
		kt_assert_ge(child, 0);
		if (!child) {
			close(ready[0]);
			flip_for_ever(ready[1]);
		}
		close(ready[1]);
		kt_assert_eq(read(ready[0], &byte, 1), 1);
		close(ready[0]);
		kill(child, SIGKILL);
		kt_assert_eq(waitpid(child, &status, 0), child);
		kt_assert(WIFSIGNALED(status));

		kt_open(&dev);
		work(&dev, i, 5);
		kt_close(&dev);
	}
}

static const struct kt_test tests[] = {
	{ "ten", test_ten, "ten clients, one after the other", 120 },
	{ "handover", test_handover, "from one master to the next" },
	{ "not-master", test_not_master, "a second client at the same time" },
	{ "killed", test_killed, "killed while it flips, five times" },
};

int main(int argc, char **argv)
{
	return kt_main(argc, argv, "Clients after and beside each other.", tests,
		       KT_ARRAY_SIZE(tests));
}
