/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xen-displayctl: asks a running xen-displayd. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/control.h"
#include "ctl/ctl.h"
#include "proto/limits.h"
#include "proto/nodes.h"

#define MAX_RATE	240u

static const char usage[] =
"Usage: xen-displayctl [OPTION]... COMMAND\n"
"Ask a running xen-displayd.\n"
"\n"
"  list                             guests and the states of their displays\n"
"  info DOMID                       the connectors of a guest\n"
"  stats [DOMID]                    counters of a guest, or of all\n"
"  screenshot DOMID[:CONN] FILE.png what is on a connector (default: 0)\n"
"  record DOMID[:CONN] FILE.y4m|-|DIRECTORY\n"
"                                   film a connector, until interrupted\n"
"  resize DOMID:CONN WIDTHxHEIGHT   change a connector's preferred mode\n"
"\n"
"DOMID.DEVID instead of DOMID: another device than the guest's first.\n"
"\n"
"  --frames N       record so many pictures\n"
"  --seconds N      record for so long\n"
"  --rate HZ        record so many pictures a second (default: 25)\n"
"  --json           print JSON\n"
"  --socket PATH    control socket (default: " XD_CONTROL_SOCKET ")\n"
"  --help           show this text\n"
"  --version        show the version\n";

const char *ctl_socket = XD_CONTROL_SOCKET;
bool ctl_json;
/* 0: not given */
static uint32_t rate, frames, seconds;

void ctl_die(int status, const char *fmt, ...)
{
	va_list ap;

	fputs("xen-displayctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(status);
}

static uint32_t parse_number(const char *text, const char *what)
{
	uint32_t value;

	if (xd_parse_u32(text, 0, UINT32_MAX, &value))
		ctl_die(2, "\"%s\": expected %s", text, what);
	return value;
}

/* DOMID[.DEVID], and [:CONN] where connectors can be named. */
static void parse_target(const char *text, bool has_conn,
			 struct ctl_target *ret_target)
{
	char copy[64], *conn = copy, *devid, *domid;

	if (strlen(text) >= sizeof(copy))
		ctl_die(2, "\"%s\": expected DOMID[.DEVID]%s", text,
			has_conn ? "[:CONN]" : "");
	strcpy(copy, text);
	devid = has_conn ? strsep(&conn, ":") : copy;
	domid = strsep(&devid, ".");
	*ret_target = (struct ctl_target){ 0 };
	snprintf(ret_target->device, sizeof(ret_target->device),
		 devid ? "%u.%u" : "%u",
		 parse_number(domid, "a domain's number"),
		 devid ? parse_number(devid, "a device's number") : 0);
	if (has_conn && conn)
		ret_target->conn = parse_number(conn, "a connector's number");
}

static int screenshot(const char *text, const char *path)
{
	struct ctl_target target;
	struct xd_canvas canvas;
	const char *why;
	int sock;

	parse_target(text, true, &target);
	sock = ctl_connect();
	why = ctl_take_picture(sock, &target, &canvas);
	close(sock);
	if (why)
		ctl_die(1, "screenshot %s:%u: %s", target.device, target.conn,
			why);
	ctl_save_picture(&canvas, path);
	xd_canvas_finish(&canvas);
	return 0;
}

/* Somebody expects another format, and does not want a directory called so. */
static bool looks_like_film(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash : path, '.');
	struct stat st;

	return dot && dot[1] && strcmp(dot, ".y4m") && strcmp(dot, "..") &&
		stat(path, &st);
}

static int record(const char *target, const char *path)
{
	struct ctl_recording what = {
		.path = path,
		.rate = rate ? rate : 25,
		.frames = frames,
	};

	if (frames && seconds)
		ctl_die(2, "--frames and --seconds: expected one of them");
	if (seconds)
		what.frames = (uint64_t)seconds * what.rate;
	parse_target(target, true, &what.target);
	if (looks_like_film(path))
		ctl_die(2, "\"%s\": expected FILE.y4m, -, or a directory", path);
	ctl_record(&what);
	return 0;
}

static int resize(const char *text, const char *size)
{
	char question[XD_CONTROL_MAX_QUESTION];
	struct ctl_target target;
	uint32_t width, height;
	int fd;

	if (!strchr(text, ':'))
		ctl_die(2, "\"%s\": expected DOMID:CONN", text);
	parse_target(text, true, &target);
	if (xd_parse_resolution(size, &width, &height))
		ctl_die(2, "\"%s\": expected WIDTHxHEIGHT, each from 1 to %u",
			size, XD_MAX_DIMENSION);
	snprintf(question, sizeof(question), "resize %s %u %u %u",
		 target.device, target.conn, width, height);
	ctl_ask(question, &fd);
	return 0;
}

static int show(const char *command, const char *device)
{
	char question[XD_CONTROL_MAX_QUESTION];
	struct ctl_target target = { 0 };
	int fd;

	if (device)
		parse_target(device, false, &target);
	snprintf(question, sizeof(question), "%s%s%s", command,
		 device ? " " : "", target.device);
	ctl_print_rows(ctl_ask(question, &fd));
	return 0;
}

/* Counters of all guests; those that go meanwhile are left out. */
static int show_all_stats(void)
{
	static char rows[XD_CONTROL_MAX_ANSWER];
	char question[XD_CONTROL_MAX_QUESTION];
	char *list, *row, *line, *domid, *answer;
	int fd, sock = ctl_connect();
	size_t len = 0;

	list = strdup(ctl_ask("list", &fd));
	if (!list)
		ctl_die(1, "cannot hold the list: %s", strerror(errno));
	row = list;
	strsep(&row, "\n");	/* the names */
	while (row && *row && len < sizeof(rows)) {
		line = strsep(&row, "\n");
		domid = strsep(&line, "\t");
		strsep(&line, "\t");	/* its name */
		snprintf(question, sizeof(question), "stats %s.%s", domid,
			 line ? strsep(&line, "\t") : "");
		answer = ctl_converse(sock, question, &fd);
		if (strncmp(answer, "ok\n", 3))
			continue;
		/* the names once */
		len += (size_t)snprintf(rows + len, sizeof(rows) - len, "%s",
					len ? strchr(answer + 3, '\n') + 1 :
					answer + 3);
	}
	free(list);
	close(sock);
	ctl_print_rows(rows);
	return 0;
}

static int stats(const char *device, const char *none)
{
	(void)none;
	return device ? show("stats", device) : show_all_stats();
}

static int info(const char *device, const char *none)
{
	(void)none;
	return show("info", device);
}

static int list(const char *none, const char *no_more)
{
	(void)none;
	(void)no_more;
	return show("list", NULL);
}

/**
 * struct command - what follows the options
 * @run:	the arguments that are not there are NULL; returns the exit status
 */
static const struct command {
	const char *name;
	const char *arguments;
	int min, max;
	int (*run)(const char *first, const char *second);
} commands[] = {
	{ "list", "", 0, 0, list },
	{ "info", " DOMID", 1, 1, info },
	{ "stats", " [DOMID]", 0, 1, stats },
	{ "screenshot", " DOMID[:CONN] FILE.png", 2, 2, screenshot },
	{ "record", " DOMID[:CONN] FILE.y4m|-|DIRECTORY", 2, 2, record },
	{ "resize", " DOMID:CONN WIDTHxHEIGHT", 2, 2, resize },
};

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	ctl_die(2, "\"%s\": not a command, see --help", name);
}

static int run(int argc, char **argv)
{
	const struct command *command;
	int arguments = argc - 1;

	if (!argc)
		ctl_die(2, "a command is missing, see --help");
	command = find_command(argv[0]);
	if (arguments < command->min || arguments > command->max)
		ctl_die(2, "%s with %d argument%s: expected \"%s%s\"",
			command->name, arguments, arguments == 1 ? "" : "s",
			command->name, command->arguments);
	if (command->run != record && (rate || frames || seconds))
		ctl_die(2, "--rate, --frames, --seconds: only for record");
	return command->run(arguments > 0 ? argv[1] : NULL,
			    arguments > 1 ? argv[2] : NULL);
}

static uint32_t option_number(const char *option, const char *text,
			      uint32_t max)
{
	uint32_t value;

	if (xd_parse_u32(text, 1, max, &value))
		ctl_die(2, "--%s \"%s\": expected a number from 1 to %u", option,
			text, max);
	return value;
}

/* What was printed has to be somewhere. */
static int finish(int status)
{
	if (fflush(stdout) || ferror(stdout))
		ctl_die(1, "cannot write to standard output: %s",
			strerror(errno));
	return status;
}

int main(int argc, char **argv)
{
	static const struct option table[] = {
		{ "frames", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "rate", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 'S' },
		{ "socket", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 'j':
			ctl_json = true;
			break;
		case 's':
			if (!*optarg)
				ctl_die(2, "--socket \"\": expected a path");
			ctl_socket = optarg;
			break;
		case 'f':
			frames = option_number("frames", optarg, UINT32_MAX);
			break;
		case 'r':
			rate = option_number("rate", optarg, MAX_RATE);
			break;
		case 'S':
			seconds = option_number("seconds", optarg, UINT32_MAX);
			break;
		case 'h':
			fputs(usage, stdout);
			return finish(0);
		case 'v':
			puts("xen-displayctl " XD_VERSION);
			return finish(0);
		default:
			return 2;
		}
	}
	return finish(run(argc - optind, argv + optind));
}
