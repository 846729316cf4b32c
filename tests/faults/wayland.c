// SPDX-License-Identifier: GPL-2.0-or-later
/* What libwayland makes of too little memory. */
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include <wayland-client.h>

#include "faults.h"

struct wl_display *__real_wl_display_connect_to_fd(int fd);
struct wl_display *__wrap_wl_display_connect_to_fd(int fd);
struct wl_display *__wrap_wl_display_connect_to_fd(int fd)
{
	if (fault("wl_display_connect_to_fd")) {
		close(fd);
		errno = ENOMEM;
		return NULL;
	}
	return __real_wl_display_connect_to_fd(fd);
}

/* Of a request: integers and pointers. */
#define MAX_ARGS	6

struct wl_proxy *__real_wl_proxy_marshal_flags(
	struct wl_proxy *proxy, uint32_t opcode,
	const struct wl_interface *interface, uint32_t version, uint32_t flags,
	...);
struct wl_proxy *__wrap_wl_proxy_marshal_flags(
	struct wl_proxy *proxy, uint32_t opcode,
	const struct wl_interface *interface, uint32_t version, uint32_t flags,
	...);

/* How many there are only the library knows: it looks at no more of them. */
__attribute__((no_sanitize("address", "undefined")))
struct wl_proxy *__wrap_wl_proxy_marshal_flags(
	struct wl_proxy *proxy, uint32_t opcode,
	const struct wl_interface *interface, uint32_t version, uint32_t flags,
	...)
{
	void *args[MAX_ARGS];
	va_list ap;
	int i;

	/* only what makes an object can fail */
	if (interface && fault("wl_proxy_marshal_flags")) {
		errno = ENOMEM;
		return NULL;
	}
	va_start(ap, flags);
	for (i = 0; i < MAX_ARGS; i++)
		args[i] = va_arg(ap, void *);
	va_end(ap);
	return __real_wl_proxy_marshal_flags(proxy, opcode, interface, version,
					     flags, args[0], args[1], args[2],
					     args[3], args[4], args[5]);
}
