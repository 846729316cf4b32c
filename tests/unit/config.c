// SPDX-License-Identifier: GPL-2.0-or-later
/* core/config.h: the configuration file. */
#include "unit.h"

#include <unistd.h>

#include "core/config.h"

static char path[] = "/tmp/unit-config-XXXXXX";
static struct xd_config config;
static char error[256];

static int read_text(const char *text)
{
	int fd, ret;

	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	xd_config_init(&config);
	ret = xd_config_read(&config, path, false, error, sizeof(error));
	if (!ret)
		ret = xd_config_read(&config, path, true, error,
				     sizeof(error));
	unlink(path);
	return ret;
}

static void defaults(void **state)
{
	struct xd_guest_config guest;

	assert_int_equal(read_text("# nothing\n\n ; else\n"), 0);
	assert_string_equal(config.output, "headless");
	assert_int_equal(config.millihertz, 60000);
	assert_string_equal(config.user, "");
	assert_false(config.verbose);
	xd_config_of_guest(&config, "any", &guest);
	assert_string_equal(guest.output, "headless");
	assert_int_equal(guest.max_conns, XD_MAX_CONNECTORS);
	assert_int_equal(guest.limits.max_bytes, xd_limits_default.max_bytes);
	xd_config_finish(&config);
}

static void everything(void **state)
{
	assert_int_equal(read_text("[general]\n"
				   "output=headless\n"
				   "  rate =  0  \n"
				   "socket = /tmp/x y\n"
				   "user = someone\n"
				   "verbose = 1\n"
				   "[limits]\r\n"
				   "connectors = 2\r\n"
				   "buffers = 7\n"
				   "framebuffers = 9\n"
				   "bytes = 3G\n"
				   "buffer-bytes = 12K\n"
				   "requests-per-turn = 1"), 0);
	assert_int_equal(config.millihertz, 0);
	assert_string_equal(config.socket, "/tmp/x y");
	assert_string_equal(config.user, "someone");
	assert_true(config.verbose);
	assert_int_equal(config.max_conns, 2);
	assert_int_equal(config.limits.max_dbufs, 7);
	assert_int_equal(config.limits.max_fbs, 9);
	assert_int_equal(config.limits.max_bytes, UINT64_C(3) << 30);
	assert_int_equal(config.limits.max_dbuf_bytes, 12288);
	assert_int_equal(config.limits.max_requests_per_turn, 1);
	xd_config_finish(&config);
}

/* A guest's section begins with the general ones, wherever it stands. */
static void guests(void **state)
{
	struct xd_guest_config guest;

	assert_int_equal(read_text("[guest one]\n"
				   "rate = 30\n"
				   "[guest  two words]\n"
				   "bytes = 1M\n"
				   "[general]\n"
				   "rate = 50\n"
				   "[limits]\n"
				   "buffers = 3\n"), 0);
	xd_config_of_guest(&config, "one", &guest);
	assert_int_equal(guest.millihertz, 30000);
	assert_int_equal(guest.limits.max_dbufs, 3);
	xd_config_of_guest(&config, "two words", &guest);
	assert_int_equal(guest.millihertz, 50000);
	assert_int_equal(guest.limits.max_bytes, 1 << 20);
	xd_config_of_guest(&config, "two", &guest);
	assert_int_equal(guest.limits.max_bytes, xd_limits_default.max_bytes);
	assert_int_equal(guest.millihertz, 50000);
	xd_config_finish(&config);
}

static void wrong_files(void **state)
{
	static const struct {
		const char *text;
		const char *where;
	} bad[] = {
		{ "rate = 60\n", ":1: " },
		{ "[general]\nrate\n", ":2: " },
		{ "[general]\nrate = 241\n", ":2: " },
		{ "[general]\nrate = -1\n", ":2: " },
		{ "[general]\nrate =\n", ":2: " },
		{ "[general]\noutput = tv\n", ":2: " },
		{ "[general]\nsocket =\n", ":2: " },
		{ "[general]\nverbose = yes\n", ":2: " },
		{ "[general]\nbytes = 1\n", ":2: " },
		{ "[limits]\nrate = 1\n", ":2: " },
		{ "[limits]\n\nconnectors = 17\n", ":3: " },
		{ "[limits]\nconnectors = 0\n", ":2: " },
		{ "[limits]\nbytes = 1T\n", ":2: " },
		{ "[limits]\nbytes = G\n", ":2: " },
		{ "[limits]\nbytes = 1GG\n", ":2: " },
		{ "[other]\n", ":1: " },
		{ "[guest ]\n", ":1: " },
		{ "[guest a]\nsocket = x\n", ":2: " },
		{ "[guest a]\n[guest a]\n", ":2: " },
		{ "[general\n", ":1: " },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (read_text(bad[i].text) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i].text);
		if (!strstr(error, bad[i].where))
			fail_msg("\"%s\": said \"%s\"", bad[i].text, error);
		xd_config_finish(&config);
	}
	assert_int_equal(xd_config_read(&config, "/nonexistent", false, error,
					sizeof(error)), -ENOENT);
}

/* What the packaged file says in its comments is what holds without it. */
static void packaged_file(void **state)
{
	struct xd_limits limits = xd_limits_default;
	char text[8192], *line, *rest = text;
	FILE *file = fopen(XD_SAMPLE_CONFIG, "re");
	char out[8192] = "";

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	*strstr(text, "#[guest") = '\0';
	while ((line = strsep(&rest, "\n"))) {
		/* "#key = value" is a default, "# Text" is not */
		if (line[0] == '#' && line[1] >= 'a' && line[1] <= 'z')
			line++;
		strcat(strcat(out, line), "\n");
	}
	assert_int_equal(read_text(out), 0);
	assert_memory_equal(&config.limits, &limits, sizeof(limits));
	assert_int_equal(config.millihertz, 60000);
	assert_int_equal(config.max_conns, XD_MAX_CONNECTORS);
	assert_string_equal(config.user, "xen-displayd");
	xd_config_finish(&config);
}

int main(void)
{
	const struct CMUnitTest config_tests[] = {
		TEST(defaults, "defaults"),
		TEST(everything, "everything"),
		TEST(guests, "guests"),
		TEST(wrong_files, "wrong-files"),
		TEST(packaged_file, "packaged-file"),
	};

	return cmocka_run_group_tests(config_tests, NULL, NULL);
}
