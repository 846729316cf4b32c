/* SPDX-License-Identifier: GPL-2.0-or-later */
/* strictback: an honest backend that looks closely. Shared by its files. */
#ifndef STRICTBACK_H
#define STRICTBACK_H

#include "badback.h"

#define STRICT_MAX_THINGS	2048	/* dbufs, and fbs, at a time */
#define STRICT_MAX_FRAMES	64	/* frame-done events on their way */
#define STRICT_MAX_SIZE		8192	/* of a picture, pixels */

/* of docs/protocol-extensions.md */
#define STRICT_OP_CURSOR_SET	0x20
#define STRICT_OP_CURSOR_MOVE	0x21
#define STRICT_MAX_DAMAGE	5
#define STRICT_CURSOR_FAR	8192

enum strict_feature {
	STRICT_DAMAGE,
	STRICT_STRIDE,
	STRICT_CONNECTOR_EVENT,
	STRICT_RO_GRANTS,
	STRICT_CURSOR,
	STRICT_FORMATS,
	STRICT_NUM_FEATURES
};

/**
 * struct strict_manner - how the backend behaves; all of it is allowed
 * @versions: text of the node; NULL: none
 * @features: all are offered
 * @hint: rsp_event is followed; else each answer raises an interrupt
 * @early: frame-done events come before the answers to their flips
 * @hold: so many requests are waited for, a moment, and the newest is answered
 *	first; 0: no
 * @late_ms: answers wait
 * @frame_ms: frames take longer
 * @verbose: each request is told of
 */
struct strict_manner {
	const char *versions;
	bool features;
	bool hint;
	bool early;
	unsigned int hold;
	unsigned int late_ms;
	unsigned int frame_ms;
	bool verbose;
};

/* What is done to flips, as the node "flips" of our directory says. */
enum strict_flips {
	STRICT_SHOW,
	STRICT_REFUSE,		/* an error */
	STRICT_IGNORE,		/* no answer, no event, until that is over */
};

/**
 * struct strict_dbuf - a display buffer
 * @cookie: 0: this entry is free
 * @live: else it was destroyed, and @cookie may be used again
 * @sum: over its page directory
 * @fbs: framebuffers that are attached to it
 */
struct strict_dbuf {
	uint64_t cookie;
	bool live;
	uint32_t width, height, bpp;
	uint32_t size;
	grant_ref_t dir;
	uint64_t sum;
	unsigned int fbs;
};

/**
 * struct strict_fb - a framebuffer; @cookie and @live as above
 */
struct strict_fb {
	uint64_t cookie;
	bool live;
	struct strict_dbuf *dbuf;
	uint32_t width, height, fourcc;
};

/* A request that was not answered yet. */
struct strict_todo {
	uint16_t id;
	uint8_t op;
	int32_t status;
	uint64_t cookie;
	uint64_t came_ms;
	uint64_t due_ms;
};

/* A flip whose event was not sent yet. */
struct strict_frame {
	uint16_t id;
	uint64_t cookie;
	uint64_t due_ms;
};

/**
 * struct strict_conn - one connector
 * @width: of its node "resolution"
 * @height: likewise
 * @fb: on its screen, 0 while it is off
 * @mode_width: of the mode that is set
 * @mode_height: likewise
 * @in_cons: of the event page, when it was looked at last
 */
struct strict_conn {
	unsigned int width, height;
	uint64_t fb;
	uint32_t mode_width, mode_height;
	uint32_t in_cons;
	struct strict_todo todo[BAD_RING_SIZE];
	unsigned int num_todo;
	struct strict_frame frames[STRICT_MAX_FRAMES];
	unsigned int num_frames;
};

/**
 * struct strict - all of it
 * @bad: rings and nodes
 * @version: of this connection
 * @has: extensions that are on
 * @wrong: what was found, on all connections
 * @created: dbufs of this connection
 * @attached: framebuffers
 * @checked: requests, on all connections
 * @op_count: of them, by operation
 */
struct strict {
	struct bad bad;
	const struct strict_manner *manner;
	enum strict_flips flips;
	unsigned int version;
	bool has[STRICT_NUM_FEATURES];
	struct strict_conn conns[BAD_MAX_CONNS];
	struct strict_dbuf dbufs[STRICT_MAX_THINGS];
	struct strict_fb fbs[STRICT_MAX_THINGS];
	unsigned int wrong;
	unsigned int created, attached;
	unsigned int checked;
	unsigned int op_count[256];
};

/* ---- strictback.c ---- */

/* Says what the frontend did wrong; the exit status tells, too. */
__attribute__((format(printf, 2, 3)))
void strict_wrong(struct strict *s, const char *format, ...);

/* ---- strictback-bus.c: nodes ---- */

extern const char *const strict_features[STRICT_NUM_FEATURES];

/* Writes what is offered. */
void strict_offer(struct strict *s);
/* Looks at what the frontend published: version, features, sizes. */
void strict_check_nodes(struct strict *s);

/* ---- strictback-check.c: requests ---- */

/* Looks at a request, and remembers what it does. */
void strict_check(struct strict *s, unsigned int conn,
		  const struct xendispl_req *req);
/* A request's answer is about to be sent: what it named has to be there yet. */
void strict_check_answer(struct strict *s, const struct strict_todo *todo);
/* The frontend has closed the device: nothing may be left. */
void strict_check_end(struct strict *s);
/* The connection is over; nothing of it counts any more. */
void strict_forget(struct strict *s);
/* Of these two are there now. */
void strict_count(const struct strict *s, unsigned int *ret_dbufs,
		  unsigned int *ret_fbs);
const char *strict_op_name(uint8_t op);

/* ---- strictback-dir.c: page directories ---- */

/*
 * Walks the directory of a buffer of @size bytes, and maps its pages once if
 * @pages. Returns a sum over it; 0 if something is wrong, which was said.
 */
uint64_t strict_walk_dir(struct strict *s, const char *whose, grant_ref_t dir,
			 uint32_t size, bool write, bool pages);

/* ---- strictback-serve.c: on the rings ---- */

/* Takes requests, and gives the answers and events that are due. */
void strict_serve(struct strict *s);
/* The same until all is answered. */
void strict_finish(struct strict *s);
/* How long nothing will be due, ms. */
int strict_pause(const struct strict *s);
void strict_set_flips(struct strict *s, enum strict_flips flips);

#endif
