// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The configuration file: taken whole or refused with one line. The first line
 * of the input is the name of a guest whose settings are then looked up.
 */
#include "fuzz.h"

#include "core/config.h"
#include "outputs/output.h"

static void check(const struct xd_config *config)
{
	CHECK(config->output && xd_output_find(config->output));
	CHECK(config->socket && config->socket[0]);
	CHECK(config->millihertz <= 1000000);
	CHECK(config->limits.max_requests_per_turn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line_end = memchr(data, '\n', size);
	char error[XD_CONFIG_ERROR_SIZE] = "", name[64];
	struct xd_config config, of_guest;
	size_t skip = line_end ? (size_t)(line_end - data) + 1 : 0;
	char *text = malloc(size - skip + 1);

	memcpy(text, data + skip, size - skip);
	text[size - skip] = '\0';
	snprintf(name, sizeof(name), "%.*s", skip ? (int)skip - 1 : 0,
		 (const char *)data);

	xd_config_init(&config);
	if (xd_config_parse(&config, "file", text, size - skip, error)) {
		CHECK(error[0] && strlen(error) < sizeof(error));
		CHECK(!strchr(error, '\n'));
	} else {
		check(&config);
		xd_config_of_guest(&config, name, &of_guest);
		check(&of_guest);
	}
	xd_config_finish(&config);
	free(text);
	return 0;
}
