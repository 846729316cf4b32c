/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where VNC clients come to: a TCP port or a unix socket per monitor. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "outputs/vnc.h"

#define LISTEN_DEFAULT	"127.0.0.1"
#define FIRST_PORT	5900u
#define LAST_PORT	5999u	/* of those that are looked for */
#define BACKLOG		8

static int listen_at(int family, const struct sockaddr *addr, socklen_t len)
{
	const int one = 1;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, addr, len) || listen(fd, BACKLOG))
		ret = -errno;
	if (ret)
		close(fd);
	return ret ? ret : fd;
}

/* What an earlier daemon left; what is no socket stays. */
static int remove_stale(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

/* Only for the daemon's own user: who may more changes it. */
static int listen_unix(const char *dir, const char *guest,
		       unsigned int monitor, char address[XD_ADDRESS_SIZE])
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char name[128];
	char *c;
	int fd, len, ret;
	mode_t mask;

	len = snprintf(name, sizeof(name), "%s-%u", guest, monitor);
	if (len >= (int)sizeof(name))
		return -ENAMETOOLONG;
	for (c = name; *c; c++)
		if (*c == '/')
			*c = '_';
	len = snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/%s", dir,
		       name);
	if (len >= (int)sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	snprintf(address, XD_ADDRESS_SIZE, "%s", addr.sun_path);
	ret = remove_stale(addr.sun_path);
	if (ret)
		return ret;
	mask = umask(0177);
	fd = listen_at(AF_UNIX, (struct sockaddr *)&addr, sizeof(addr));
	umask(mask);
	return fd;
}

static struct addrinfo *parse_address(const char *text)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *info;

	return getaddrinfo(text, NULL, &hints, &info) ? NULL : info;
}

static int listen_port(const struct addrinfo *info, unsigned int port)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} addr;

	memcpy(&addr, info->ai_addr, info->ai_addrlen);
	if (info->ai_family == AF_INET6)
		addr.in6.sin6_port = htons((uint16_t)port);
	else
		addr.in.sin_port = htons((uint16_t)port);
	return listen_at(info->ai_family, &addr.any, info->ai_addrlen);
}

/* The configured port, and the next ones for more monitors; else a free one. */
static int listen_tcp(const struct addrinfo *info, const char *configured,
		      unsigned int monitor, unsigned int *ret_port)
{
	unsigned int port;
	int fd = -EADDRINUSE;

	if (*configured) {
		*ret_port = (unsigned int)atoi(configured) + monitor;
		if (*ret_port > UINT16_MAX)
			return -ERANGE;
		return listen_port(info, *ret_port);
	}
	for (port = FIRST_PORT; port <= LAST_PORT && fd == -EADDRINUSE; port++) {
		*ret_port = port;
		fd = listen_port(info, port);
	}
	return fd;
}

int vnc_listen(const struct xd_output_options *options, const char *guest,
	       unsigned int monitor, char address[XD_ADDRESS_SIZE])
{
	const char *where = options->text[XD_OPTION_VNC_LISTEN];
	struct addrinfo *info;
	unsigned int port;
	int fd;

	if (*where == '/')
		return listen_unix(where, guest, monitor, address);
	if (!*where)
		where = LISTEN_DEFAULT;
	info = parse_address(where);
	if (!info)
		return -EINVAL;
	fd = listen_tcp(info, options->text[XD_OPTION_VNC_PORT], monitor,
			&port);
	snprintf(address, XD_ADDRESS_SIZE,
		 info->ai_family == AF_INET6 ? "[%s]:%u" : "%s:%u", where,
		 port);
	freeaddrinfo(info);
	return fd;
}

bool xd_vnc_is_address(const char *text, bool *ret_local)
{
	struct addrinfo *info = *text == '/' ? NULL : parse_address(text);
	bool ok = *text == '/' || info;

	*ret_local = !info;
	if (info && info->ai_family == AF_INET)
		*ret_local = ntohl(((struct sockaddr_in *)info->ai_addr)->
				   sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	else if (info)
		*ret_local = IN6_IS_ADDR_LOOPBACK(
			&((struct sockaddr_in6 *)info->ai_addr)->sin6_addr);
	if (info)
		freeaddrinfo(info);
	return ok;
}
