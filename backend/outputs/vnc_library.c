/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "outputs/vnc_library.h"

/* The interface that the headers are of. */
#define LIBRARY	"libvncserver.so.1"

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
#define SYMBOL(name, member) { name, offsetof(struct vnc_library, member) }
	SYMBOL("rfbGetScreen", get_screen),
	SYMBOL("rfbNewClient", new_client),
	SYMBOL("rfbNewFramebuffer", new_framebuffer),
	SYMBOL("rfbMarkRectAsModified", mark_rect_as_modified),
	SYMBOL("rfbProcessEvents", process_events),
	SYMBOL("rfbCheckPasswordByList", check_password_by_list),
	SYMBOL("rfbLog", log),
	SYMBOL("rfbErr", err),
#undef SYMBOL
};

int vnc_library_load(struct vnc_library *library, char why[XD_WHY_SIZE])
{
	void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	size_t i;

	if (!handle) {
		snprintf(why, XD_WHY_SIZE, "%s", dlerror());
		return -ENOENT;
	}
	for (i = 0; i < sizeof(symbols) / sizeof(*symbols); i++) {
		void **member = (void **)((char *)library + symbols[i].offset);

		*member = dlsym(handle, symbols[i].name);
		if (!*member) {
			snprintf(why, XD_WHY_SIZE, "%s", dlerror());
			return -ENOSYS;
		}
	}
	return 0;
}
