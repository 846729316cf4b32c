// SPDX-License-Identifier: GPL-2.0-or-later
/* core/config.h: the configuration file. */
#include "unit.h"

#include "core/config.h"
#include "core/control.h"

static struct xd_config config;
static char text[8192];
static char error[XD_CONFIG_ERROR_SIZE];

static int parse(const char *from)
{
	assert_true(strlen(from) < sizeof(text));
	strcpy(text, from);
	error[0] = '\0';
	return xd_config_parse(&config, "file", text, strlen(text), error);
}

static int parse_fresh(const char *from)
{
	xd_config_finish(&config);
	xd_config_init(&config);
	return parse(from);
}

static void defaults(void **state)
{
	struct xd_config guest;

	assert_int_equal(parse_fresh("# nothing\n\n ; else\n"), 0);
	assert_string_equal(config.output, "headless");
	assert_int_equal(config.millihertz, 60000);
	assert_string_equal(config.socket, XD_CONTROL_SOCKET);
	assert_null(config.user);
	assert_false(config.verbose);
	xd_config_of_guest(&config, "any", &guest);
	assert_string_equal(guest.output, "headless");
	assert_int_equal(guest.max_conns, XD_MAX_CONNECTORS);
	assert_int_equal(guest.limits.max_bytes, xd_limits_default.max_bytes);
	xd_config_finish(&config);
}

static void everything(void **state)
{
	assert_int_equal(parse_fresh("[daemon]\n"
				     "output=headless\n"
				     "  rate =  0  \n"
				     "socket = /tmp/x y\n"
				     "user = someone\n"
				     "verbose = yes\n"
				     "[limits]\r\n"
				     "connectors = 2\r\n"
				     "buffers = 7\n"
				     "framebuffers = 9\n"
				     "bytes = 3G\n"
				     "buffer-bytes = 12K\n"
				     "backend-bytes = 2M\n"
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
	assert_int_equal(config.limits.max_shared_bytes, 2 << 20);
	assert_int_equal(config.limits.max_requests_per_turn, 1);
	xd_config_finish(&config);
}

static void bounds(void **state)
{
	assert_int_equal(parse_fresh("[daemon]\nrate = 240\n[limits]\n"
				     "connectors = 16\nbuffers = 65536\n"
				     "framebuffers = 1\nbytes = 1024G\n"
				     "buffer-bytes = 4294967295\n"
				     "backend-bytes = 0\n"
				     "requests-per-turn = 1024\n"), 0);
	assert_int_equal(config.millihertz, 240000);
	assert_int_equal(config.limits.max_bytes, UINT64_C(1) << 40);
	assert_int_equal(config.limits.max_dbuf_bytes, UINT32_MAX);
	assert_int_equal(config.limits.max_shared_bytes, 0);
	xd_config_finish(&config);

	assert_int_equal(parse_fresh("[limits]\nbytes = 1099511627776\n"), 0);
	assert_int_equal(config.limits.max_bytes, UINT64_C(1) << 40);
	xd_config_finish(&config);
}

/* What a guest's section does not set is as for all, wherever it stands. */
static void guests(void **state)
{
	struct xd_config guest;

	assert_int_equal(parse_fresh("[guest one]\n"
				     "rate = 30\n"
				     "[guest  two words]\n"
				     "bytes = 1M\n"
				     "connectors = 1\n"
				     "[daemon]\n"
				     "rate = 50\n"
				     "[limits]\n"
				     "buffers = 3\n"), 0);
	xd_config_of_guest(&config, "one", &guest);
	assert_int_equal(guest.millihertz, 30000);
	assert_int_equal(guest.limits.max_dbufs, 3);
	assert_int_equal(guest.max_conns, XD_MAX_CONNECTORS);
	xd_config_of_guest(&config, "two words", &guest);
	assert_int_equal(guest.millihertz, 50000);
	assert_int_equal(guest.limits.max_bytes, 1 << 20);
	assert_int_equal(guest.max_conns, 1);
	xd_config_of_guest(&config, "two", &guest);
	assert_int_equal(guest.limits.max_bytes, xd_limits_default.max_bytes);
	assert_int_equal(guest.millihertz, 50000);
	xd_config_finish(&config);
}

static void command_line_wins(void **state)
{
	struct xd_config guest;

	xd_config_finish(&config);
	xd_config_init(&config);
	assert_string_equal(xd_config_force(&config, "rate", "241"),
			    "a number from 0 to 240");
	assert_string_equal(xd_config_force(&config, "output", "tv"),
			    "one of " XD_OUTPUT_KINDS);
	assert_non_null(xd_config_force(&config, "colour", "red"));
	assert_null(xd_config_force(&config, "rate", "0"));
	assert_null(xd_config_force(&config, "verbose", "yes"));
	assert_int_equal(parse("[daemon]\nrate = 50\nverbose = no\n"
			       "[guest one]\nrate = 30\nbuffers = 5\n"), 0);
	assert_int_equal(config.millihertz, 0);
	assert_true(config.verbose);
	xd_config_of_guest(&config, "one", &guest);
	assert_int_equal(guest.millihertz, 0);
	assert_int_equal(guest.limits.max_dbufs, 5);
	/* what it wins over is checked all the same */
	assert_int_equal(parse("[daemon]\nrate = fast\n"), -EINVAL);
	xd_config_finish(&config);
}

static void wrong_lines(void **state)
{
	static const struct {
		const char *text;
		const char *error;
	} bad[] = {
		{ "rate = 60\n",
		  "file:1: \"rate\": expected a [SECTION] before it" },
		{ "[daemon]\nrate\n",
		  "file:2: \"rate\": expected [SECTION], NAME = VALUE or # COMMENT" },
		{ "[daemon]\n= 5\n",
		  "file:2: \"= 5\": expected [SECTION], NAME = VALUE or # COMMENT" },
		{ "[daemon]\n\nrate = 241\n",
		  "file:3: rate \"241\": expected a number from 0 to 240" },
		{ "[daemon]\nrate = -1\n",
		  "file:2: rate \"-1\": expected a number from 0 to 240" },
		{ "[daemon]\nrate =\n",
		  "file:2: rate \"\": expected a number from 0 to 240" },
		{ "[daemon]\nrate = 60 # Hz\n",
		  "file:2: rate \"60 # Hz\": expected a number from 0 to 240" },
		{ "[daemon]\nzero-copy = maybe\n",
		  "file:2: zero-copy \"maybe\": expected yes or no" },
		{ "[daemon]\noutput = tv\n",
		  "file:2: output \"tv\": expected one of " XD_OUTPUT_KINDS },
		{ "[daemon]\nsocket =\n",
		  "file:2: socket \"\": expected a path of 1 to 107 bytes" },
		{ "[daemon]\nuser =\n",
		  "file:2: user \"\": expected a user's name of 1 to 32 bytes" },
		{ "[daemon]\nverbose = 1\n",
		  "file:2: verbose \"1\": expected yes or no" },
		{ "[daemon]\nvnc-listen = localhost\n",
		  "file:2: vnc-listen \"localhost\": expected a numeric address or the path of a directory" },
		{ "[daemon]\nvnc-port = 65536\n",
		  "file:2: vnc-port \"65536\": expected a number from 1 to 65535" },
		{ "[daemon]\nvnc-password-file = password\n",
		  "file:2: vnc-password-file \"password\": expected an absolute path of at most 127 bytes" },
		{ "[daemon]\nvnc-listen = 0.0.0.0\n",
		  "file: vnc-listen \"0.0.0.0\": expected vnc-password-file with an address that others reach" },
		{ "[guest g]\nvnc-listen = ::\n",
		  "file: vnc-listen \"::\" of guest g: expected vnc-password-file with an address that others reach" },
		{ "[daemon]\nwayland-fullscreen = 1\n",
		  "file:2: wayland-fullscreen \"1\": expected yes or no" },
		{ "[daemon]\ndrm-card = card0\n",
		  "file:2: drm-card \"card0\": expected an absolute path of at most 127 bytes" },
		{ "[daemon]\ndrm-connectors = DP-1, DP-2\n",
		  "file:2: drm-connectors \"DP-1, DP-2\": expected names like HDMI-A-1 or -, with blanks between them" },
		{ "[daemon]\ndrm-connectors =\n",
		  "file:2: drm-connectors \"\": expected names like HDMI-A-1 or -, with blanks between them" },
		{ "[guest a]\ndrm-connectors = DP-1 DP-2 DP-1\n",
		  "file: drm-connectors: DP-1 is named twice, in [guest a] and [guest a]: expected once" },
		{ "[guest a]\ndrm-connectors = DP-1\n[guest b]\ndrm-connectors = - DP-1\n",
		  "file: drm-connectors: DP-1 is named twice, in [guest b] and [guest a]: expected once" },
		{ "[daemon]\ndrm-connectors = DP-1\n[guest b]\ndrm-connectors = DP-1\n",
		  "file: drm-connectors: DP-1 is named twice, in [daemon] and [guest b]: expected once" },
		{ "[daemon]\nbytes = 1\n",
		  "file:2: \"bytes\": expected one of output, rate, zero-copy, socket, user, verbose, wayland-display, wayland-fullscreen, vnc-listen, vnc-port, vnc-password-file, drm-card, drm-connectors" },
		{ "[limits]\nrate = 1\n",
		  "file:2: \"rate\": expected one of connectors, buffers, framebuffers, bytes, buffer-bytes, backend-bytes, requests-per-turn" },
		{ "[limits]\nbuffers = 0\n",
		  "file:2: buffers \"0\": expected a number from 1 to 65536" },
		{ "[daemon]\nrate = 1\n[limits]\n[daemon]\nrate = 2\n",
		  "file:5: rate \"2\": expected once in a section" },
		{ "[other]\n",
		  "file:1: [other]: expected [daemon], [limits] or [guest NAME]" },
		{ "[guests a]\n",
		  "file:1: [guests a]: expected [daemon], [limits] or [guest NAME]" },
		{ "[guest ]\n",
		  "file:1: [guest ]: expected a domain's name of 1 to 63 bytes" },
		{ "[guest a]\nsocket = x\n",
		  "file:2: \"socket\": expected one of output, rate, zero-copy, wayland-display, wayland-fullscreen, vnc-listen, vnc-port, vnc-password-file, drm-card, drm-connectors, connectors, buffers, framebuffers, bytes, buffer-bytes, backend-bytes, requests-per-turn" },
		{ "[guest a]\n[guest a]\n",
		  "file:2: [guest a]: expected once" },
		{ "[daemon\n",
		  "file:1: \"[daemon\": expected [SECTION], NAME = VALUE or # COMMENT" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (parse_fresh(bad[i].text) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i].text);
		assert_string_equal(error, bad[i].error);
	}
	xd_config_finish(&config);
}

static void wrong_numbers(void **state)
{
	static const char *const bad[] = {
		"connectors = 17", "connectors = 0", "buffers = 65537",
		"framebuffers = 65537", "requests-per-turn = 0",
		"requests-per-turn = 1025", "bytes = 0", "bytes = 1T",
		"bytes = G", "bytes = 1GG", "bytes = 1 G", "bytes = 1025G",
		"bytes = 99999999999999999999", "bytes = -1", "bytes = 1.5G",
		"bytes = 4294967295G", "buffer-bytes = 4G",
		"buffer-bytes = 0x1000", "buffer-bytes = 0", "backend-bytes =",
		"backend-bytes = 1025G",
	};
	char line[64];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(line, sizeof(line), "[limits]\n%s\n", bad[i]);
		if (parse_fresh(line) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
	}
	xd_config_finish(&config);
}

/* However long or odd what was found is: one line, and an end. */
static void odd_texts(void **state)
{
	char line[1024];

	memset(line, 'a', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(parse_fresh(line), -EINVAL);
	line[0] = '[';
	line[sizeof(line) - 2] = ']';
	assert_int_equal(parse_fresh(line), -EINVAL);
	memcpy(line, "[guest ", 7);
	assert_int_equal(parse_fresh(line), -EINVAL);
	assert_true(strlen(error) < sizeof(error));
	assert_null(strchr(error, '\n'));

	xd_config_init(&config);
	memcpy(text, "[daemon]\n\0[x]", 14);
	assert_int_equal(xd_config_parse(&config, "file", text, 13, error),
			 -EINVAL);
	assert_string_equal(error, "file: expected text, found a NUL byte");
	xd_config_finish(&config);
}

static void files(void **state)
{
	xd_config_init(&config);
	assert_int_equal(xd_config_load(&config, "/nonexistent", error),
			 -ENOENT);
	assert_string_equal(error, "/nonexistent: No such file or directory");
	assert_int_equal(xd_config_load(&config, "/", error), -EISDIR);
	assert_int_equal(xd_config_load(&config, "/dev/zero", error), -EFBIG);
	assert_int_equal(xd_config_load(&config, XD_SAMPLE_CONFIG, error), 0);
	xd_config_finish(&config);
}

/* What the packaged file says in its comments is what holds without it. */
static void packaged_file(void **state)
{
	struct xd_limits limits = xd_limits_default;
	char sample[8192], out[8192] = "", *line, *rest = sample;
	FILE *file = fopen(XD_SAMPLE_CONFIG, "re");

	assert_non_null(file);
	sample[fread(sample, 1, sizeof(sample) - 1, file)] = '\0';
	fclose(file);
	*strstr(sample, "#[guest") = '\0';
	while ((line = strsep(&rest, "\n"))) {
		/* "#name = value" is a default, "# Text" is not */
		if (line[0] == '#' && line[1] >= 'a' && line[1] <= 'z')
			line++;
		strcat(strcat(out, line), "\n");
	}
	assert_int_equal(parse_fresh(out), 0);
	assert_int_equal(__builtin_popcount(config.set), 20);
	assert_memory_equal(&config.limits, &limits, sizeof(limits));
	assert_int_equal(config.millihertz, 60000);
	assert_int_equal(config.max_conns, XD_MAX_CONNECTORS);
	assert_string_equal(config.output, "headless");
	assert_string_equal(config.socket, XD_CONTROL_SOCKET);
	assert_string_equal(config.user, "xen-displayd");
	assert_false(config.verbose);
	xd_config_finish(&config);
}

int main(void)
{
	const struct CMUnitTest config_tests[] = {
		TEST(defaults, "defaults"),
		TEST(everything, "everything"),
		TEST(bounds, "bounds"),
		TEST(guests, "guests"),
		TEST(command_line_wins, "command-line-wins"),
		TEST(wrong_lines, "wrong-lines"),
		TEST(wrong_numbers, "wrong-numbers"),
		TEST(odd_texts, "odd-texts"),
		TEST(files, "files"),
		TEST(packaged_file, "packaged-file"),
	};

	return cmocka_run_group_tests(config_tests, NULL, NULL);
}
