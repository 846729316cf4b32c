/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration file: sections, settings, comments. One table knows all
 * settings; the command line and guests' sections use it too.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/config.h"
#include "core/control.h"
#include "core/message.h"
#include "outputs/output.h"
#include "proto/nodes.h"

#define MAX_RATE	240u		/* Hz */
#define MAX_OBJECTS	65536u
#define MAX_REQUESTS	1024u
#define MAX_BYTES	(UINT64_C(1) << 40)
#define MAX_DBUF_BYTES	UINT64_C(0xffffffff)	/* the wire has 32 bits */
#define CONNECTOR_CHARS	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
			"abcdefghijklmnopqrstuvwxyz0123456789-"
#define MAX_PATH	(sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

/**
 * struct xd_config_guest - a section [guest NAME]
 * @set:	the settings that it makes, a bit each
 * @values:	theirs
 */
struct xd_config_guest {
	struct xd_config_guest *next;
	const char *name;
	uint32_t set;
	struct xd_config values;
};

static bool set_output(void *field, const char *value)
{
	const struct xd_output_ops *ops = xd_output_find(value);

	if (ops)
		*(const char **)field = ops->name;
	return ops;
}

static bool set_rate(void *field, const char *value)
{
	uint32_t rate;

	if (xd_parse_u32(value, 0, MAX_RATE, &rate))
		return false;
	*(uint32_t *)field = rate * 1000;
	return true;
}

static bool set_path(void *field, const char *value)
{
	if (!*value || strlen(value) > MAX_PATH)
		return false;
	*(const char **)field = value;
	return true;
}

static bool set_file(void *field, const char *value)
{
	if (*value != '/' || strlen(value) >= XD_OPTION_SIZE)
		return false;
	*(const char **)field = value;
	return true;
}

static bool set_address(void *field, const char *value)
{
	bool local;

	if (strlen(value) >= XD_OPTION_SIZE ||
	    !xd_vnc_is_address(value, &local))
		return false;
	*(const char **)field = value;
	return true;
}

static bool set_port(void *field, const char *value)
{
	uint32_t port;

	if (xd_parse_u32(value, 1, UINT16_MAX, &port))
		return false;
	*(const char **)field = value;
	return true;
}

static bool set_user(void *field, const char *value)
{
	if (!*value || strlen(value) >= XD_USER_NAME_SIZE)
		return false;
	*(const char **)field = value;
	return true;
}

static bool set_bool(void *field, const char *value)
{
	bool yes = !strcmp(value, "yes");

	if (!yes && strcmp(value, "no"))
		return false;
	*(bool *)field = yes;
	return true;
}

/* As text, of an output's own setting. */
static bool set_yes_no(void *field, const char *value)
{
	bool yes;

	if (!set_bool(&yes, value))
		return false;
	*(const char **)field = value;
	return true;
}

static bool set_conns(void *field, const char *value)
{
	return !xd_parse_u32(value, 1, XD_MAX_CONNECTORS, field);
}

static bool set_objects(void *field, const char *value)
{
	return !xd_parse_u32(value, 1, MAX_OBJECTS, field);
}

static bool set_requests(void *field, const char *value)
{
	return !xd_parse_u32(value, 1, MAX_REQUESTS, field);
}

/* "1048576", "1024K" or "1M", from @min to @max */
static bool set_size(uint64_t *field, const char *value, uint64_t min,
		     uint64_t max)
{
	static const char units[] = "KMG";
	size_t len = strlen(value);
	const char *unit = len ? strchr(units, value[len - 1]) : NULL;
	unsigned int shift = unit ? 10 * (unsigned int)(unit - units + 1) : 0;
	char digits[24];
	uint64_t size;

	if (unit)
		len--;
	if (len >= sizeof(digits))
		return false;
	memcpy(digits, value, len);
	digits[len] = '\0';
	if (xd_parse_u64(digits, 0, max >> shift, &size) || size << shift < min)
		return false;
	*field = size << shift;
	return true;
}

static bool set_bytes(void *field, const char *value)
{
	return set_size(field, value, 1, MAX_BYTES);
}

static bool set_dbuf_bytes(void *field, const char *value)
{
	return set_size(field, value, 1, MAX_DBUF_BYTES);
}

/* 0: none */
static bool set_backend_bytes(void *field, const char *value)
{
	return set_size(field, value, 0, MAX_BYTES);
}

/* A name, or the path of the socket. */
static bool set_display(void *field, const char *value)
{
	return (*value == '/' || !strchr(value, '/')) && set_path(field, value);
}

/* Connectors of a card, a word for each of the guest's. */
static bool set_connectors(void *field, const char *value)
{
	size_t len = strlen(value);

	if (!len || len >= XD_OPTION_SIZE ||
	    strspn(value, CONNECTOR_CHARS " ") != len)
		return false;
	*(const char **)field = value;
	return true;
}

/**
 * struct setting - one that there is
 * @per_guest:	allowed in a guest's section too
 * @offset, @size: of its member in struct xd_config
 * @set:	parses a value into that member; false: not of the form
 *		@expected
 */
static const struct setting {
	const char *section;
	const char *name;
	bool per_guest;
	size_t offset;
	size_t size;
	bool (*set)(void *field, const char *value);
	const char *expected;
} settings[] = {
#define SETTING(section, name, per_guest, member, set, expected)	\
	{ section, name, per_guest, offsetof(struct xd_config, member),	\
	  sizeof(((struct xd_config *)NULL)->member), set, expected }
	SETTING("daemon", "output", true, output, set_output,
		"one of " XD_OUTPUT_KINDS),
	SETTING("daemon", "rate", true, millihertz, set_rate,
		"a number from 0 to 240"),
	SETTING("daemon", "zero-copy", true, zero_copy, set_bool, "yes or no"),
	SETTING("daemon", "socket", false, socket, set_path,
		"a path of 1 to 107 bytes"),
	SETTING("daemon", "user", false, user, set_user,
		"a user's name of 1 to 32 bytes"),
	SETTING("daemon", "verbose", false, verbose, set_bool, "yes or no"),
	SETTING("daemon", "wayland-display", true,
		options[XD_OPTION_WAYLAND_DISPLAY], set_display,
		"a name or an absolute path of 1 to 107 bytes"),
	SETTING("daemon", "wayland-fullscreen", true,
		options[XD_OPTION_WAYLAND_FULLSCREEN], set_yes_no,
		"yes or no"),
	SETTING("daemon", "vnc-listen", true, options[XD_OPTION_VNC_LISTEN],
		set_address, "a numeric address or the path of a directory"),
	SETTING("daemon", "vnc-port", true, options[XD_OPTION_VNC_PORT],
		set_port, "a number from 1 to 65535"),
	SETTING("daemon", "vnc-password-file", true,
		options[XD_OPTION_VNC_PASSWORD_FILE], set_file,
		"an absolute path of at most 127 bytes"),
	SETTING("daemon", "drm-card", true, options[XD_OPTION_DRM_CARD],
		set_file, "an absolute path of at most 127 bytes"),
	SETTING("daemon", "drm-connectors", true,
		options[XD_OPTION_DRM_CONNECTORS], set_connectors,
		"names like HDMI-A-1 or -, with blanks between them"),
	SETTING("limits", "connectors", true, max_conns, set_conns,
		"a number from 1 to 16"),
	SETTING("limits", "buffers", true, limits.max_dbufs, set_objects,
		"a number from 1 to 65536"),
	SETTING("limits", "framebuffers", true, limits.max_fbs, set_objects,
		"a number from 1 to 65536"),
	SETTING("limits", "bytes", true, limits.max_bytes, set_bytes,
		"a number of bytes, or one with K, M or G, up to 1024G"),
	SETTING("limits", "buffer-bytes", true, limits.max_dbuf_bytes,
		set_dbuf_bytes,
		"a number of bytes, or one with K, M or G, below 4G"),
	SETTING("limits", "backend-bytes", true, limits.max_shared_bytes,
		set_backend_bytes,
		"0, a number of bytes, or one with K, M or G, up to 1024G"),
	SETTING("limits", "requests-per-turn", true,
		limits.max_requests_per_turn, set_requests,
		"a number from 1 to 1024"),
#undef SETTING
};

#define NR_SETTINGS	(sizeof(settings) / sizeof(settings[0]))

_Static_assert(NR_SETTINGS <= 32, "settings have a bit each");

static void *field_of(struct xd_config *config, size_t i)
{
	return (char *)config + settings[i].offset;
}

void xd_config_init(struct xd_config *config)
{
	*config = (struct xd_config){
		.output = "headless",
		.millihertz = 60000,
		.zero_copy = true,
		.socket = XD_CONTROL_SOCKET,
		.limits = xd_limits_default,
		.max_conns = XD_MAX_CONNECTORS,
	};
}

void xd_config_finish(struct xd_config *config)
{
	while (config->guests) {
		struct xd_config_guest *guest = config->guests;

		config->guests = guest->next;
		free(guest);
	}
	free(config->text);
	config->text = NULL;
}

const char *xd_config_force(struct xd_config *config, const char *name,
			    const char *value)
{
	size_t i;

	for (i = 0; i < NR_SETTINGS; i++) {
		if (strcmp(settings[i].name, name))
			continue;
		if (!settings[i].set(field_of(config, i), value))
			return settings[i].expected;
		config->forced |= 1u << i;
		return NULL;
	}
	return "a setting";
}

/**
 * struct parser - where we are in a file
 * @section:	"" before the first one, "guest" in each guest's
 * @guest:	whose section it is, or NULL
 */
struct parser {
	struct xd_config *config;
	const char *path;
	unsigned int line;
	const char *section;
	struct xd_config_guest *guest;
	char *error;
};

__attribute__((format(printf, 2, 3)))
static int wrong(struct parser *parser, const char *fmt, ...)
{
	int len = snprintf(parser->error, XD_CONFIG_ERROR_SIZE, "%.128s:%u: ",
			   parser->path, parser->line);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(parser->error + len, XD_CONFIG_ERROR_SIZE - (size_t)len, fmt,
		  ap);
	va_end(ap);
	return -EINVAL;
}

/* May the setting be made where we are? */
static bool fits(const struct parser *parser, const struct setting *setting)
{
	return parser->guest ? setting->per_guest :
		!strcmp(setting->section, parser->section);
}

static int unknown_setting(struct parser *parser, const char *name)
{
	char names[256] = "";
	size_t len = 0;
	size_t i;

	for (i = 0; i < NR_SETTINGS && len < sizeof(names); i++)
		if (fits(parser, &settings[i]))
			len += (size_t)snprintf(names + len,
						sizeof(names) - len, "%s%s",
						len ? ", " : "",
						settings[i].name);
	return wrong(parser, "\"%.40s\": expected one of %s", name, names);
}

static int make_setting(struct parser *parser, size_t i, const char *value)
{
	struct xd_config_guest *guest = parser->guest;
	struct xd_config *config = parser->config;
	uint32_t *set = guest ? &guest->set : &config->set;
	struct xd_config unused;
	struct xd_config *to = config;

	if (*set & 1u << i)
		return wrong(parser, "%s \"%.40s\": expected once in a section",
			     settings[i].name, value);
	*set |= 1u << i;
	/* looked at even where the command line wins */
	if (guest)
		to = &guest->values;
	else if (config->forced & 1u << i)
		to = &unused;
	if (!settings[i].set(field_of(to, i), value))
		return wrong(parser, "%s \"%.40s\": expected %s",
			     settings[i].name, value, settings[i].expected);
	return 0;
}

static int parse_setting(struct parser *parser, const char *name,
			 const char *value)
{
	size_t i;

	if (!*parser->section)
		return wrong(parser, "\"%.40s\": expected a [SECTION] before it",
			     name);
	for (i = 0; i < NR_SETTINGS; i++)
		if (!strcmp(settings[i].name, name) &&
		    fits(parser, &settings[i]))
			return make_setting(parser, i, value);
	return unknown_setting(parser, name);
}

static struct xd_config_guest *find_guest(const struct xd_config *config,
					  const char *name)
{
	struct xd_config_guest *guest = config->guests;

	while (guest && strcmp(guest->name, name))
		guest = guest->next;
	return guest;
}

static int begin_guest(struct parser *parser, const char *name)
{
	struct xd_config_guest *guest;

	if (!*name || strlen(name) >= XD_GUEST_NAME_SIZE)
		return wrong(parser,
			     "[guest %.80s]: expected a domain's name of 1 to %d bytes",
			     name, XD_GUEST_NAME_SIZE - 1);
	if (find_guest(parser->config, name))
		return wrong(parser, "[guest %s]: expected once", name);
	guest = calloc(1, sizeof(*guest));
	if (!guest) {
		wrong(parser, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	guest->name = name;
	guest->next = parser->config->guests;
	parser->config->guests = guest;
	parser->guest = guest;
	parser->section = "guest";
	return 0;
}

/* Cuts blanks off both ends. */
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

/* @name is what was between the brackets. */
static int begin_section(struct parser *parser, char *name)
{
	size_t i;

	parser->guest = NULL;
	if (!strncmp(name, "guest", 5) &&
	    (!name[5] || isspace((unsigned char)name[5])))
		return begin_guest(parser, trim(name + 5));
	for (i = 0; i < NR_SETTINGS; i++)
		if (!strcmp(settings[i].section, name)) {
			parser->section = settings[i].section;
			return 0;
		}
	return wrong(parser,
		     "[%.40s]: expected [daemon], [limits] or [guest NAME]",
		     name);
}

static int parse_line(struct parser *parser, char *line)
{
	char *text = trim(line);
	size_t len = strlen(text);
	char *equals = strchr(text, '=');

	if (!len || *text == '#' || *text == ';')
		return 0;
	if (*text == '[' && text[len - 1] == ']') {
		text[len - 1] = '\0';
		return begin_section(parser, trim(text + 1));
	}
	if (*text == '[' || !equals || equals == text)
		return wrong(parser,
			     "\"%.40s\": expected [SECTION], NAME = VALUE or # COMMENT",
			     text);
	*equals = '\0';
	return parse_setting(parser, trim(text), trim(equals + 1));
}

/* What is wrong only with what is said elsewhere. @guest: NULL for all guests */
static int check_together(struct parser *parser, const char *guest)
{
	struct xd_config config;
	const char *listen;
	bool local;

	xd_config_of_guest(parser->config, guest ? guest : "", &config);
	listen = config.options[XD_OPTION_VNC_LISTEN];
	if (!listen || config.options[XD_OPTION_VNC_PASSWORD_FILE] ||
	    !xd_vnc_is_address(listen, &local) || local)
		return 0;
	snprintf(parser->error, XD_CONFIG_ERROR_SIZE,
		 "%.128s: vnc-listen \"%.40s\"%s%s: expected vnc-password-file with an address that others reach",
		 parser->path, listen, guest ? " of guest " : "",
		 guest ? guest : "");
	return -EINVAL;
}

/* Text, cut into words: how often is this one in there? */
static unsigned int count_word(const char *text, const char *word, size_t len)
{
	unsigned int n = 0;

	while (text && *(text += strspn(text, " "))) {
		size_t size = strcspn(text, " ");

		n += size == len && !memcmp(text, word, len);
		text += size;
	}
	return n;
}

/* @guest: NULL for what all guests have */
static const char *own_connectors(const struct xd_config *config,
				  const struct xd_config_guest *guest)
{
	return (guest ? &guest->values : config)
		->options[XD_OPTION_DRM_CONNECTORS];
}

static bool same_card(const struct xd_config *config,
		      const struct xd_config_guest *a,
		      const struct xd_config_guest *b)
{
	struct xd_config config_a, config_b;
	const char *card_a, *card_b;

	xd_config_of_guest(config, a ? a->name : "", &config_a);
	xd_config_of_guest(config, b ? b->name : "", &config_b);
	card_a = config_a.options[XD_OPTION_DRM_CARD];
	card_b = config_b.options[XD_OPTION_DRM_CARD];
	return !card_a || !card_b || !strcmp(card_a, card_b);
}

/* How often do the sections from @guest's on name this connector? */
static unsigned int count_connector(const struct xd_config *config,
				    const struct xd_config_guest *guest,
				    const char *name, size_t len,
				    const struct xd_config_guest **ret_last)
{
	const struct xd_config_guest *other = guest;
	unsigned int n = 0;

	do {
		if (same_card(config, guest, other) &&
		    count_word(own_connectors(config, other), name, len)) {
			n += count_word(own_connectors(config, other), name,
					len);
			*ret_last = other;
		}
		other = other ? other->next : config->guests;
	} while (other);
	return n;
}

/* A connector shows one guest's picture. */
static int check_connectors(struct parser *parser,
			    const struct xd_config_guest *guest)
{
	const char *text = own_connectors(parser->config, guest);
	const struct xd_config_guest *last = NULL;

	while (text && *(text += strspn(text, " "))) {
		size_t len = strcspn(text, " ");

		if ((len != 1 || *text != '-') &&
		    count_connector(parser->config, guest, text, len,
				    &last) > 1) {
			snprintf(parser->error, XD_CONFIG_ERROR_SIZE,
				 "%.128s: drm-connectors: %.*s is named twice, in [%s%.64s] and [%s%.64s]: expected once",
				 parser->path, len < 40 ? (int)len : 40, text,
				 guest ? "guest " : "daemon",
				 guest ? guest->name : "",
				 last ? "guest " : "daemon",
				 last ? last->name : "");
			return -EINVAL;
		}
		text += len;
	}
	return 0;
}

int xd_config_parse(struct xd_config *config, const char *path, char *text,
		    size_t size, char error[XD_CONFIG_ERROR_SIZE])
{
	struct parser parser = {
		.config = config,
		.path = path,
		.section = "",
		.error = error,
	};
	const struct xd_config_guest *guest;
	int ret = 0;

	if (strlen(text) != size) {
		snprintf(error, XD_CONFIG_ERROR_SIZE,
			 "%.128s: expected text, found a NUL byte", path);
		return -EINVAL;
	}
	while (text && !ret) {
		char *line = strsep(&text, "\n");

		parser.line++;
		ret = parse_line(&parser, line);
	}
	if (!ret)
		ret = check_together(&parser, NULL);
	if (!ret)
		ret = check_connectors(&parser, NULL);
	for (guest = config->guests; guest && !ret; guest = guest->next) {
		ret = check_together(&parser, guest->name);
		if (!ret)
			ret = check_connectors(&parser, guest);
	}
	return ret;
}

static int read_all(int fd, char **ret_text, size_t *ret_size)
{
	char *text = malloc(XD_CONFIG_MAX_SIZE + 1);
	size_t size = 0;
	ssize_t len;
	int ret = 0;

	if (!text)
		return -ENOMEM;
	while ((len = read(fd, text + size, XD_CONFIG_MAX_SIZE + 1 - size)) > 0)
		size += (size_t)len;
	if (len < 0)
		ret = -errno;
	else if (size > XD_CONFIG_MAX_SIZE)
		ret = -EFBIG;
	if (ret) {
		free(text);
		return ret;
	}
	text[size] = '\0';
	*ret_text = text;
	*ret_size = size;
	return 0;
}

int xd_config_load(struct xd_config *config, const char *path,
		   char error[XD_CONFIG_ERROR_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int ret = fd < 0 ? -errno : 0;
	size_t size;

	if (!ret)
		ret = read_all(fd, &config->text, &size);
	if (fd >= 0)
		close(fd);
	if (ret) {
		snprintf(error, XD_CONFIG_ERROR_SIZE, "%.128s: %s", path,
			 strerror(-ret));
		return ret;
	}
	return xd_config_parse(config, path, config->text, size, error);
}

void xd_config_of_guest(const struct xd_config *config, const char *name,
			struct xd_config *ret_config)
{
	const struct xd_config_guest *guest = find_guest(config, name);
	size_t i;

	*ret_config = *config;
	if (!ret_config->max_conns)
		ret_config->max_conns = XD_MAX_CONNECTORS;
	for (i = 0; guest && i < NR_SETTINGS; i++)
		if (guest->set & ~config->forced & 1u << i)
			memcpy(field_of(ret_config, i),
			       (const char *)&guest->values +
			       settings[i].offset, settings[i].size);
}
