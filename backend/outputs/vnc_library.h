/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvncserver, loaded by who serves a client. It brings some twenty libraries
 * along: a worker that had to start with them would keep its guest waiting
 * after each restart, and has no use for them.
 */
#ifndef XD_OUTPUTS_VNC_LIBRARY_H
#define XD_OUTPUTS_VNC_LIBRARY_H

#include <rfb/rfb.h>

#include "outputs/output.h"

/**
 * struct vnc_library - what a viewer calls of it, under its names
 * @log, @err:	variables of the library: where it says things
 */
struct vnc_library {
	__typeof__(rfbGetScreen) *get_screen;
	__typeof__(rfbNewClient) *new_client;
	__typeof__(rfbNewFramebuffer) *new_framebuffer;
	__typeof__(rfbMarkRectAsModified) *mark_rect_as_modified;
	__typeof__(rfbProcessEvents) *process_events;
	__typeof__(rfbCheckPasswordByList) *check_password_by_list;
	rfbLogProc *log;
	rfbLogProc *err;
};

/*
 * Load it, for as long as the process lives. To be called with all rights: it
 * opens files. 0, -ENOENT: there is none that can be loaded, -ENOSYS: it lacks
 * something; @why then says what.
 */
int vnc_library_load(struct vnc_library *library, char why[XD_WHY_SIZE]);

#endif /* XD_OUTPUTS_VNC_LIBRARY_H */
