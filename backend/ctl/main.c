/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xen-displayctl: asks a running xen-displayd. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/control.h"
#include "image/png.h"
#include "proto/nodes.h"

#define MAX_COLUMNS	16

static const char usage[] =
"Usage: xen-displayctl [OPTION]... COMMAND\n"
"Ask a running xen-displayd.\n"
"\n"
"  list                             guests and the states of their displays\n"
"  info DOMID                       the connectors of a guest\n"
"  stats [DOMID]                    counters of a guest, or of all\n"
"  screenshot DOMID[:CONN] FILE.png what is on a connector (default: 0)\n"
"  resize DOMID:CONN WIDTHxHEIGHT   change a connector's preferred mode\n"
"\n"
"  --json           print JSON\n"
"  --socket PATH    control socket (default: " XD_CONTROL_SOCKET ")\n"
"  --help           show this text\n"
"  --version        show the version\n";

static bool json;
static const char *socket_path = XD_CONTROL_SOCKET;
static char answer[XD_CONTROL_MAX_ANSWER + 1];

__attribute__((noreturn, format(printf, 2, 3)))
static void die(int status, const char *fmt, ...)
{
	va_list ap;

	fputs("xen-displayctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(status);
}

static int connect_daemon(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (strlen(socket_path) >= sizeof(addr.sun_path))
		die(2, "--socket \"%s\": longer than %zu bytes", socket_path,
		    sizeof(addr.sun_path) - 1);
	strcpy(addr.sun_path, socket_path);
	if (sock < 0 ||
	    connect(sock, (struct sockaddr *)&addr, sizeof(addr)))
		die(1, "cannot reach xen-displayd on %s: %s", socket_path,
		    strerror(errno));
	return sock;
}

/* The whole answer; *ret_fd is what came with it, or -1. */
static char *converse(const char *question, int *ret_fd)
{
	int sock = connect_daemon();
	struct iovec iov = { .iov_base = answer, .iov_len = sizeof(answer) - 1 };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} space;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &space,
		.msg_controllen = sizeof(space),
	};
	struct cmsghdr *cmsg;
	ssize_t len;

	*ret_fd = -1;
	if (send(sock, question, strlen(question), MSG_NOSIGNAL) < 0)
		die(1, "cannot ask xen-displayd: %s", strerror(errno));
	len = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	if (len <= 0)
		die(1, "xen-displayd did not answer");
	answer[len] = '\0';
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fd, CMSG_DATA(cmsg), sizeof(int));
	close(sock);
	return answer;
}

/* The rows after "ok"; *ret_fd is what came with them, or -1. */
static char *ask(const char *question, int *ret_fd)
{
	converse(question, ret_fd);
	if (!strncmp(answer, "error ", 6))
		die(1, "%s: %s", question, answer + 6);
	if (strncmp(answer, "ok\n", 3))
		die(1, "xen-displayd answered \"%.32s\"", answer);
	return answer + 3;
}

/* Splits a row in place; returns the number of its fields. */
static unsigned int split(char *row, char *fields[MAX_COLUMNS])
{
	unsigned int num = 0;

	while (row && num < MAX_COLUMNS)
		fields[num++] = strsep(&row, "\t");
	return num;
}

/* Names may look like numbers. */
static bool is_number(const char *name, const char *text)
{
	return strcmp(name, "name") && strcmp(name, "unique-id") && *text &&
		strspn(text, "0123456789") == strlen(text);
}

static void print_json_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		if ((unsigned char)*text < ' ')
			printf("\\u%04x", (unsigned int)*text);
		else
			putchar(*text);
	}
	putchar('"');
}

static void print_json_row(char **names, char **fields, unsigned int num)
{
	unsigned int i;

	putchar('{');
	for (i = 0; i < num; i++) {
		printf("%s", i ? ", " : "");
		print_json_string(names[i]);
		printf(": ");
		if (is_number(names[i], fields[i]))
			printf("%s", fields[i]);
		else
			print_json_string(fields[i]);
	}
	putchar('}');
}

static void print_json(char *rows)
{
	char *names[MAX_COLUMNS], *fields[MAX_COLUMNS];
	unsigned int columns = split(strsep(&rows, "\n"), names);
	bool first = true;

	putchar('[');
	while (rows && *rows) {
		if (split(strsep(&rows, "\n"), fields) != columns)
			continue;
		printf("%s", first ? "\n  " : ",\n  ");
		print_json_row(names, fields, columns);
		first = false;
	}
	puts(first ? "]" : "\n]");
}

/* Columns as wide as their widest field. */
static void print_table(const char *rows)
{
	size_t width[MAX_COLUMNS] = { 0 };
	const char *c, *start;
	unsigned int column = 0;
	size_t len;

	for (c = start = rows; *c; c++) {
		if (*c != '\t' && *c != '\n')
			continue;
		len = (size_t)(c - start);
		if (column < MAX_COLUMNS && len > width[column])
			width[column] = len;
		column = *c == '\n' ? 0 : column + 1;
		start = c + 1;
	}
	column = 0;
	for (c = start = rows; *c; c++) {
		if (*c != '\t' && *c != '\n')
			continue;
		len = (size_t)(c - start);
		if (*c == '\n' || column >= MAX_COLUMNS)
			printf("%.*s%c", (int)len, start, *c);
		else
			printf("%-*.*s  ", (int)width[column], (int)len,
			       start);
		column = *c == '\n' ? 0 : column + 1;
		start = c + 1;
	}
}

static void print_rows(char *rows)
{
	if (json)
		print_json(rows);
	else
		print_table(rows);
}

static uint32_t parse_number(const char *text, const char *what)
{
	uint32_t value;

	if (xd_parse_u32(text, 0, UINT32_MAX, &value))
		die(2, "\"%s\": expected %s", text, what);
	return value;
}

/* DOMID[:CONN] */
static void parse_target(char *text, uint32_t *ret_domid, uint32_t *ret_conn)
{
	char *colon = strchr(text, ':');

	*ret_conn = 0;
	if (colon) {
		*colon = '\0';
		*ret_conn = parse_number(colon + 1, "a connector's number");
	}
	*ret_domid = parse_number(text, "a domain's number");
}

/* The pixels that came with an answer, in a canvas. */
static void read_pixels(int fd, char *rows, struct xd_canvas *ret_canvas)
{
	unsigned int width, height, stride;
	size_t size, done = 0;
	ssize_t len;

	strsep(&rows, "\n");	/* the names */
	if (fd < 0 || !rows ||
	    sscanf(rows, "%u\t%u\t%u", &width, &height, &stride) != 3 ||
	    xd_canvas_init(ret_canvas, width, height) ||
	    stride != ret_canvas->stride)
		die(1, "xen-displayd sent no picture");
	size = (size_t)stride * height;
	while (done < size) {
		len = pread(fd, (char *)ret_canvas->data + done, size - done,
			    (off_t)done);
		if (len <= 0)
			die(1, "cannot read the picture: %s",
			    len ? strerror(errno) : "it is too short");
		done += (size_t)len;
	}
}

static int screenshot(char *target, const char *path)
{
	char question[XD_CONTROL_MAX_QUESTION];
	struct xd_canvas canvas;
	uint32_t domid, conn;
	int fd, out, ret;
	char *rows;

	parse_target(target, &domid, &conn);
	snprintf(question, sizeof(question), "screenshot %u %u", domid, conn);
	rows = ask(question, &fd);
	read_pixels(fd, rows, &canvas);
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (out < 0)
		die(1, "cannot open %s: %s", path, strerror(errno));
	ret = xd_png_write(&canvas, out);
	if (close(out) && !ret)
		ret = -errno;
	if (ret)
		die(1, "cannot write %s: %s", path, strerror(-ret));
	xd_canvas_finish(&canvas);
	return 0;
}

static int resize(char *target, const char *size)
{
	char question[XD_CONTROL_MAX_QUESTION];
	uint32_t domid, conn, width, height;
	int fd;

	parse_target(target, &domid, &conn);
	if (xd_parse_resolution(size, &width, &height))
		die(2, "\"%s\": expected WIDTHxHEIGHT", size);
	snprintf(question, sizeof(question), "resize %u %u %u %u", domid, conn,
		 width, height);
	ask(question, &fd);
	return 0;
}

static int show(const char *command, const char *domid)
{
	char question[XD_CONTROL_MAX_QUESTION];
	int fd;

	if (domid)
		snprintf(question, sizeof(question), "%s %u", command,
			 parse_number(domid, "a domain's number"));
	else
		snprintf(question, sizeof(question), "%s", command);
	print_rows(ask(question, &fd));
	return 0;
}

/* Counters of all guests; those that go meanwhile are left out. */
static int show_all_stats(void)
{
	static char rows[sizeof(answer)];
	char question[XD_CONTROL_MAX_QUESTION];
	char *list, *row, *fields[MAX_COLUMNS];
	size_t len = 0;
	int fd;

	list = strdup(ask("list", &fd));
	if (!list)
		die(1, "%s", strerror(errno));
	row = list;
	strsep(&row, "\n");	/* the names */
	while (row && *row) {
		split(strsep(&row, "\n"), fields);
		snprintf(question, sizeof(question), "stats %s", fields[0]);
		if (strncmp(converse(question, &fd), "ok\n", 3))
			continue;
		/* the names once */
		len += (size_t)snprintf(rows + len, sizeof(rows) - len, "%s",
					len ? strchr(answer + 3, '\n') + 1 :
					answer + 3);
		if (len >= sizeof(rows))
			break;
	}
	free(list);
	print_rows(rows);
	return 0;
}

static int run(int argc, char **argv)
{
	if (!argc)
		die(2, "a command is missing, see --help");
	if (argc == 1 && !strcmp(argv[0], "list"))
		return show("list", NULL);
	if (argc == 1 && !strcmp(argv[0], "stats"))
		return show_all_stats();
	if (argc == 2 && (!strcmp(argv[0], "info") ||
			  !strcmp(argv[0], "stats")))
		return show(argv[0], argv[1]);
	if (argc == 3 && !strcmp(argv[0], "screenshot"))
		return screenshot(argv[1], argv[2]);
	if (argc == 3 && !strcmp(argv[0], "resize"))
		return resize(argv[1], argv[2]);
	die(2, "\"%s\" with %d argument%s: not a command, see --help", argv[0],
	    argc - 1, argc == 2 ? "" : "s");
}

int main(int argc, char **argv)
{
	static const struct option table[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "socket", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 's':
			socket_path = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'v':
			puts("xen-displayctl " XD_VERSION);
			return 0;
		default:
			return 2;
		}
	}
	return run(argc - optind, argv + optind);
}
