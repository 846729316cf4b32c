// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls that fail when there is no memory, no descriptor, no process, or no
 * room on a disk any more. A call that is wrapped here is also in the list of
 * meson.build; the linker calls the real one __real_NAME.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <pixman.h>
#include <png.h>

#include "faults.h"

/* A call of this type that fails by returning @bad, with @err in errno. */
#define WRAP(type, bad, err, name, params, args)			\
type __real_##name params;						\
type __wrap_##name params;						\
type __wrap_##name params						\
{									\
	if (fault(#name)) {						\
		errno = err;						\
		return bad;						\
	}								\
	return __real_##name args;					\
}

WRAP(void *, NULL, ENOMEM, malloc, (size_t size), (size))
WRAP(void *, NULL, ENOMEM, calloc, (size_t n, size_t size), (n, size))
WRAP(void *, NULL, ENOMEM, realloc, (void *old, size_t size), (old, size))
WRAP(char *, NULL, ENOMEM, strdup, (const char *text), (text))
WRAP(char *, NULL, ENOMEM, strndup, (const char *text, size_t n), (text, n))

WRAP(void *, MAP_FAILED, ENOMEM, mmap64,
     (void *addr, size_t len, int prot, int flags, int fd, off_t offset),
     (addr, len, prot, flags, fd, offset))
WRAP(int, -1, EMFILE, memfd_create, (const char *name, unsigned int flags),
     (name, flags))
WRAP(int, -1, ENOSPC, ftruncate64, (int fd, off_t size), (fd, size))
WRAP(ssize_t, -1, ENOSPC, write, (int fd, const void *data, size_t len),
     (fd, data, len))

WRAP(FILE *, NULL, EMFILE, fopen64, (const char *path, const char *mode),
     (path, mode))

WRAP(int, -1, EMFILE, socket, (int family, int type, int protocol),
     (family, type, protocol))
WRAP(int, -1, EMFILE, socketpair,
     (int family, int type, int protocol, int socks[2]),
     (family, type, protocol, socks))
WRAP(int, -1, EMFILE, accept4,
     (int sock, struct sockaddr *addr, socklen_t *len, int flags),
     (sock, addr, len, flags))
WRAP(int, -1, ENOMEM, connect,
     (int sock, const struct sockaddr *addr, socklen_t len),
     (sock, addr, len))
WRAP(int, -1, ENOMEM, bind,
     (int sock, const struct sockaddr *addr, socklen_t len),
     (sock, addr, len))
WRAP(int, -1, ENOBUFS, listen, (int sock, int backlog), (sock, backlog))
WRAP(ssize_t, -1, ENOBUFS, sendmsg,
     (int sock, const struct msghdr *msg, int flags), (sock, msg, flags))
WRAP(ssize_t, -1, ENOBUFS, send,
     (int sock, const void *data, size_t len, int flags),
     (sock, data, len, flags))
WRAP(ssize_t, -1, ENOMEM, recv, (int sock, void *data, size_t len, int flags),
     (sock, data, len, flags))
WRAP(int, EAI_MEMORY, ENOMEM, getaddrinfo,
     (const char *node, const char *service, const struct addrinfo *hints,
      struct addrinfo **ret_info), (node, service, hints, ret_info))

WRAP(int, -1, EMFILE, epoll_create1, (int flags), (flags))
WRAP(int, -1, EMFILE, timerfd_create, (int clock, int flags), (clock, flags))
WRAP(int, -1, EMFILE, signalfd, (int fd, const sigset_t *mask, int flags),
     (fd, mask, flags))
WRAP(int, -1, EMFILE, pipe2, (int fds[2], int flags), (fds, flags))
WRAP(int, -1, EMFILE, dup, (int fd), (fd))
WRAP(pid_t, -1, EAGAIN, fork, (void), ())
WRAP(int, -1, EAGAIN, setresuid, (uid_t r, uid_t e, uid_t s), (r, e, s))
WRAP(int, -1, ENOMEM, setgroups, (size_t n, const gid_t *list), (n, list))

WRAP(pixman_image_t *, NULL, ENOMEM, pixman_image_create_bits,
     (pixman_format_code_t format, int width, int height, uint32_t *bits,
      int stride), (format, width, height, bits, stride))
WRAP(pixman_image_t *, NULL, ENOMEM, pixman_image_create_bits_no_clear,
     (pixman_format_code_t format, int width, int height, uint32_t *bits,
      int stride), (format, width, height, bits, stride))
WRAP(png_structp, NULL, ENOMEM, png_create_write_struct,
     (png_const_charp version, png_voidp ctx, png_error_ptr error,
      png_error_ptr warn), (version, ctx, error, warn))
WRAP(png_infop, NULL, ENOMEM, png_create_info_struct,
     (png_const_structrp png), (png))

typedef pixman_region32_t region;

/* They leave an empty region behind when they have no memory. */
#define WRAP_REGION(name, params, args)					\
pixman_bool_t __real_pixman_region32_##name params;			\
pixman_bool_t __wrap_pixman_region32_##name params;			\
pixman_bool_t __wrap_pixman_region32_##name params			\
{									\
	if (fault("pixman_region32_" #name)) {				\
		pixman_region32_clear(dst);				\
		return false;						\
	}								\
	return __real_pixman_region32_##name args;			\
}

WRAP_REGION(union, (region *dst, region *a, region *b), (dst, a, b))
WRAP_REGION(union_rect, (region *dst, region *src, int x, int y,
			 unsigned int width, unsigned int height),
	    (dst, src, x, y, width, height))
WRAP_REGION(intersect, (region *dst, region *a, region *b), (dst, a, b))
WRAP_REGION(subtract, (region *dst, region *a, region *b), (dst, a, b))

/* What is taken away is taken away without memory. */
int __real_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	if (op != EPOLL_CTL_DEL && fault("epoll_ctl")) {
		errno = ENOMEM;
		return -1;
	}
	return __real_epoll_ctl(epfd, op, fd, event);
}

size_t __sanitizer_get_current_allocated_bytes(void);

int __real_epoll_wait(int epfd, struct epoll_event *events, int max,
		      int timeout);
int __wrap_epoll_wait(int epfd, struct epoll_event *events, int max,
		      int timeout);
int __wrap_epoll_wait(int epfd, struct epoll_event *events, int max,
		      int timeout)
{
	faults_note_heap(__sanitizer_get_current_allocated_bytes());
	return __real_epoll_wait(epfd, events, max, timeout);
}

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
	char buf[160];
	mode_t mode = 0;
	va_list ap;

	if (fault("open")) {
		errno = EMFILE;
		return -1;
	}
	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return __real_open64(faults_path(path, buf), flags, mode);
}

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
	char buf[160];

	if (fault("mkdir")) {
		errno = ENOSPC;
		return -1;
	}
	return __real_mkdir(faults_path(path, buf), mode);
}

int __real_fcntl64(int fd, int cmd, ...);
int __wrap_fcntl64(int fd, int cmd, ...);
int __wrap_fcntl64(int fd, int cmd, ...)
{
	va_list ap;
	int arg;

	if (fault("fcntl")) {
		errno = cmd == F_DUPFD_CLOEXEC ? EMFILE : ENOMEM;
		return -1;
	}
	va_start(ap, cmd);
	arg = va_arg(ap, int);
	va_end(ap);
	return __real_fcntl64(fd, cmd, arg);
}

/* Where no descriptor is left a message comes without the one it had. */
static void lose_descriptor(struct msghdr *msg)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
	int fd;

	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS ||
	    !fault("recvmsg's descriptor"))
		return;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	close(fd);
	msg->msg_controllen = 0;
	msg->msg_flags |= MSG_CTRUNC;
}

ssize_t __real_recvmsg(int sock, struct msghdr *msg, int flags);
ssize_t __wrap_recvmsg(int sock, struct msghdr *msg, int flags);
ssize_t __wrap_recvmsg(int sock, struct msghdr *msg, int flags)
{
	ssize_t len;

	if (fault("recvmsg")) {
		errno = ENOMEM;
		return -1;
	}
	len = __real_recvmsg(sock, msg, flags);
	if (len > 0)
		lose_descriptor(msg);
	return len;
}
