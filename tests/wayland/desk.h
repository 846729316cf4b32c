/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Wayland compositor that shows nothing and does what a test wants: windows'
 * sizes, frames that do not come, buffers that are kept, clients thrown out. In
 * a process of its own; what its windows hold is in memory shared with the test.
 */
#ifndef TESTS_WAYLAND_DESK_H
#define TESTS_WAYLAND_DESK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define DESK_WINDOWS	8
#define DESK_PIXELS	(1280 * 1024)

/**
 * struct desk_window - a toplevel, as of its last commit
 * @used:	there is one; it has the same place until it goes
 * @width, @height: of its buffer
 * @to_width, @to_height: what a viewport makes of that, else the same
 * @commits:	with a buffer, since it opened
 * @dmabufs:	how many of these had a dma-buf
 * @frames:	that were told to be over, since the last commit
 * @damage:	pixels that the last commit said have changed
 * @minimized:	how often it asked to be
 * @fullscreen:	it asked for a whole screen
 * @kept:	buffers that it waits for
 * @scribbled:	a buffer was written that was not given back
 */
struct desk_window {
	bool used;
	bool configured;
	char title[128];
	char app_id[128];
	uint32_t width, height;
	int32_t to_width, to_height;
	uint32_t commits;
	uint32_t dmabufs;
	uint32_t frames;
	uint32_t damage;
	uint32_t minimized;
	bool fullscreen;
	uint32_t kept;
	bool scribbled;
	uint32_t pixels[DESK_PIXELS];
};

struct desk_shared {
	uint32_t clients;	/* that ever connected */
	uint32_t connected;
	struct desk_window windows[DESK_WINDOWS];
};

enum desk_op {
	DESK_SYNC,		/* @windows is up to date */
	DESK_CONFIGURE,		/* @window has @a x @b, in the states of bits @c */
	DESK_DRAG,		/* to @a x @b, in @c steps, all at once */
	DESK_CLOSE,		/* @window's close button */
	DESK_FRAMES,		/* @a: frames come; 0: nothing is visible */
	DESK_RELEASE,		/* @a: buffers are given back; 0: they are kept */
	DESK_DMABUF,		/* @a: enum desk_dmabuf; who waits is answered */
	DESK_ERROR,		/* @window's client is thrown out */
	DESK_POINTER,		/* at @a, @b in @window; @c: it enters */
	DESK_BUTTON,		/* @a: code, @b: down */
	DESK_AXIS,		/* @a: steps down */
	DESK_KEY,		/* @a: code, @b: down */
	DESK_FOCUS,		/* keyboard on @window; @a = 0: on none */
	DESK_TOUCH,		/* contact @c at @a, @b in @window: down or move */
	DESK_TOUCH_UP,		/* contact @c */
};

/* What becomes of dma-bufs. */
enum desk_dmabuf {
	DESK_DMABUF_NONE,	/* it has no linux-dmabuf, of when it starts */
	DESK_DMABUF_TAKES,
	DESK_DMABUF_REFUSES,
	DESK_DMABUF_SILENT,	/* no answer, until it is told otherwise */
};

struct desk_cmd {
	enum desk_op op;
	uint32_t window;
	int32_t a, b, c;
};

/* @dmabuf, @no_viewporter: for the next one that starts */
struct desk {
	struct desk_shared *shared;
	enum desk_dmabuf dmabuf;
	bool no_viewporter;
	char path[108];
	pid_t pid;
	int sock;
};

void desk_start(struct desk *desk, const char *path);
void desk_kill(struct desk *desk);
void desk_finish(struct desk *desk);

/* Done when it returns; false when there is no compositor. */
bool desk_tell(struct desk *desk, enum desk_op op, uint32_t window, int32_t a,
	       int32_t b, int32_t c);

/* The window of this app-id, as it is now, or NULL. */
struct desk_window *desk_find(struct desk *desk, const char *app_id);

#endif /* TESTS_WAYLAND_DESK_H */
