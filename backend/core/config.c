/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/control.h"
#include "outputs/output.h"
#include "proto/nodes.h"

enum section {
	SECTION_NONE,
	SECTION_GENERAL,
	SECTION_LIMITS,
	SECTION_GUEST,
};

struct parser {
	struct xd_config *config;
	const char *path;
	unsigned int line;
	bool guests;
	enum section section;
	struct xd_guest_config *guest;	/* in SECTION_GUEST */
	char *error;
	size_t error_size;
};

/* What a [guest NAME] section may set is set through these. */
struct target {
	char *output;
	uint32_t *millihertz;
	uint32_t *max_conns;
	struct xd_limits *limits;
};

__attribute__((format(printf, 2, 3)))
static int wrong(struct parser *parser, const char *fmt, ...)
{
	va_list ap;
	int len = snprintf(parser->error, parser->error_size, "%s:%u: ",
			   parser->path, parser->line);

	va_start(ap, fmt);
	if (len >= 0 && (size_t)len < parser->error_size)
		vsnprintf(parser->error + len,
			  parser->error_size - (size_t)len, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int xd_config_parse_rate(const char *text, uint32_t *ret_millihertz)
{
	uint32_t rate;

	if (xd_parse_u32(text, 0, XD_MAX_RATE, &rate))
		return -EINVAL;
	*ret_millihertz = rate * 1000;
	return 0;
}

/* Bytes, with K, M or G behind the number for powers of 1024. */
static int parse_size(const char *text, uint64_t *ret_size)
{
	static const char units[] = "KMG";
	char digits[16];
	size_t len = strlen(text);
	unsigned int shift = 0;
	const char *unit;
	uint32_t value;

	if (!len || len >= sizeof(digits))
		return -EINVAL;
	strcpy(digits, text);
	unit = strchr(units, digits[len - 1]);
	if (unit) {
		shift = 10 * (unsigned int)(unit - units + 1);
		digits[len - 1] = '\0';
	}
	if (xd_parse_u32(digits, 1, UINT32_MAX, &value))
		return -EINVAL;
	*ret_size = (uint64_t)value << shift;
	return 0;
}

static int set_text(struct parser *parser, const char *value, char *to,
		    size_t size)
{
	if (!*value || strlen(value) >= size)
		return wrong(parser, "\"%s\": expected 1 to %zu characters",
			     value, size - 1);
	strcpy(to, value);
	return 0;
}

static int set_number(struct parser *parser, const char *value, uint32_t max,
		      uint32_t *ret_number)
{
	if (xd_parse_u32(value, 1, max, ret_number))
		return wrong(parser, "\"%s\": expected a number from 1 to %u",
			     value, max);
	return 0;
}

static int set_size(struct parser *parser, const char *value,
		    uint64_t *ret_size)
{
	if (parse_size(value, ret_size))
		return wrong(parser, "\"%s\": expected bytes, as in 4096, 256M or 1G",
			     value);
	return 0;
}

static int set_output(struct parser *parser, const char *value, char *to)
{
	if (!xd_output_find(value))
		return wrong(parser, "\"%s\": there is no such output", value);
	return set_text(parser, value, to, XD_OUTPUT_NAME_SIZE);
}

static int set_rate(struct parser *parser, const char *value,
		    uint32_t *ret_millihertz)
{
	if (xd_config_parse_rate(value, ret_millihertz))
		return wrong(parser, "\"%s\": expected a number from 0 to %u",
			     value, XD_MAX_RATE);
	return 0;
}

static int unknown_key(struct parser *parser, const char *key)
{
	return wrong(parser, "\"%s\": there is no such key in this section",
		     key);
}

static int set_limit(struct parser *parser, const struct target *target,
		     const char *key, const char *value)
{
	struct xd_limits *limits = target->limits;

	if (!strcmp(key, "connectors"))
		return set_number(parser, value, XD_MAX_CONNECTORS,
				  target->max_conns);
	if (!strcmp(key, "buffers"))
		return set_number(parser, value, 65536, &limits->max_dbufs);
	if (!strcmp(key, "framebuffers"))
		return set_number(parser, value, 65536, &limits->max_fbs);
	if (!strcmp(key, "bytes"))
		return set_size(parser, value, &limits->max_bytes);
	if (!strcmp(key, "buffer-bytes"))
		return set_size(parser, value, &limits->max_dbuf_bytes);
	if (!strcmp(key, "requests-per-turn"))
		return set_number(parser, value, 1024,
				  &limits->max_requests_per_turn);
	return unknown_key(parser, key);
}

static int set_of_guest(struct parser *parser, const struct target *target,
			const char *key, const char *value)
{
	if (!strcmp(key, "output"))
		return set_output(parser, value, target->output);
	if (!strcmp(key, "rate"))
		return set_rate(parser, value, target->millihertz);
	return set_limit(parser, target, key, value);
}

static int set_general(struct parser *parser, const struct target *target,
		       const char *key, const char *value)
{
	struct xd_config *config = parser->config;

	if (!strcmp(key, "socket"))
		return set_text(parser, value, config->socket_text,
				sizeof(config->socket_text));
	if (!strcmp(key, "user"))
		return set_text(parser, value, config->user_text,
				sizeof(config->user_text));
	if (!strcmp(key, "verbose")) {
		if (xd_parse_flag(value, &config->verbose))
			return wrong(parser, "\"%s\": expected 0 or 1", value);
		return 0;
	}
	if (!strcmp(key, "output") || !strcmp(key, "rate"))
		return set_of_guest(parser, target, key, value);
	return unknown_key(parser, key);
}

static int set_key(struct parser *parser, const char *key, const char *value)
{
	struct xd_config *config = parser->config;
	struct xd_guest_config *guest = parser->guest;
	struct target target = {
		.output = config->output_text,
		.millihertz = &config->millihertz,
		.max_conns = &config->max_conns,
		.limits = &config->limits,
	};

	if (parser->section == SECTION_NONE)
		return wrong(parser, "\"%s\": a section must come first", key);
	if ((parser->section == SECTION_GUEST) != parser->guests)
		return 0;
	switch (parser->section) {
	case SECTION_GENERAL:
		return set_general(parser, &target, key, value);
	case SECTION_LIMITS:
		return set_limit(parser, &target, key, value);
	default:
		target = (struct target){
			.output = guest->output,
			.millihertz = &guest->millihertz,
			.max_conns = &guest->max_conns,
			.limits = &guest->limits,
		};
		return set_of_guest(parser, &target, key, value);
	}
}

static struct xd_guest_config *find_guest(const struct xd_config *config,
					  const char *name)
{
	struct xd_guest_config *guest = config->guests;

	while (guest && strcmp(guest->name, name))
		guest = guest->next;
	return guest;
}

static int begin_guest(struct parser *parser, const char *name)
{
	struct xd_config *config = parser->config;
	struct xd_guest_config *guest;

	parser->section = SECTION_GUEST;
	if (!*name || strlen(name) >= XD_GUEST_NAME_SIZE)
		return wrong(parser, "[guest %s]: expected the name of a guest",
			     name);
	if (!parser->guests)
		return 0;
	if (find_guest(config, name))
		return wrong(parser, "[guest %s]: this section was there before",
			     name);
	guest = calloc(1, sizeof(*guest));
	if (!guest)
		return -ENOMEM;
	xd_config_of_guest(config, name, guest);
	guest->next = config->guests;
	config->guests = guest;
	parser->guest = guest;
	return 0;
}

static int begin_section(struct parser *parser, char *name)
{
	if (!strcmp(name, "general"))
		parser->section = SECTION_GENERAL;
	else if (!strcmp(name, "limits"))
		parser->section = SECTION_LIMITS;
	else if (!strncmp(name, "guest ", 6))
		return begin_guest(parser, name + 6 + strspn(name + 6, " "));
	else
		return wrong(parser, "[%s]: there is no such section", name);
	return 0;
}

static char *trim(char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	return text;
}

static int parse_line(struct parser *parser, char *line)
{
	size_t len;
	char *value;

	line = trim(line);
	len = strlen(line);
	if (!len || *line == '#' || *line == ';')
		return 0;
	if (*line == '[' && line[len - 1] == ']') {
		line[len - 1] = '\0';
		return begin_section(parser, trim(line + 1));
	}
	value = strchr(line, '=');
	if (!value)
		return wrong(parser, "\"%s\": expected [SECTION] or KEY = VALUE",
			     line);
	*value++ = '\0';
	return set_key(parser, trim(line), trim(value));
}

int xd_config_read(struct xd_config *config, const char *path, bool guests,
		   char *ret_error, size_t size)
{
	struct parser parser = {
		.config = config,
		.path = path,
		.guests = guests,
		.error = ret_error,
		.error_size = size,
	};
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t line_size = 0;
	int ret = 0;

	*ret_error = '\0';
	if (!file)
		return -errno;
	while (!ret && getline(&line, &line_size, file) >= 0) {
		parser.line++;
		ret = parse_line(&parser, line);
	}
	if (!ret && ferror(file))
		ret = -EIO;
	free(line);
	fclose(file);
	return ret;
}

void xd_config_init(struct xd_config *config)
{
	*config = (struct xd_config){
		.output_text = "headless",
		.millihertz = 60000,
		.socket_text = XD_CONTROL_SOCKET,
		.limits = xd_limits_default,
		.max_conns = XD_MAX_CONNECTORS,
	};
	config->output = config->output_text;
	config->socket = config->socket_text;
	config->user = config->user_text;
}

void xd_config_finish(struct xd_config *config)
{
	while (config->guests) {
		struct xd_guest_config *guest = config->guests;

		config->guests = guest->next;
		free(guest);
	}
}

void xd_config_of_guest(const struct xd_config *config, const char *name,
			struct xd_guest_config *ret_guest)
{
	const struct xd_guest_config *guest = find_guest(config, name);

	if (guest) {
		*ret_guest = *guest;
		return;
	}
	*ret_guest = (struct xd_guest_config){
		.millihertz = config->millihertz,
		.max_conns = config->max_conns ? : XD_MAX_CONNECTORS,
		.limits = config->limits,
	};
	snprintf(ret_guest->name, sizeof(ret_guest->name), "%s", name);
	snprintf(ret_guest->output, sizeof(ret_guest->output), "%s",
		 config->output);
}
