/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A worker's view of its guest: connectors, buffers, framebuffers. Everything
 * runs on the worker's one loop.
 */
#ifndef XD_CORE_GUEST_H
#define XD_CORE_GUEST_H

#include "base/log.h"
#include "base/loop.h"
#include "core/message.h"
#include "outputs/output.h"
#include "proto/decode.h"
#include "proto/limits.h"
#include "proto/validate.h"
#include "xen/port.h"

/* Flips that may wait for the screen, per connector. */
#define XD_MAX_FLIPS	8

/**
 * struct xd_dbuf - a display buffer of the guest
 * @desc:	as created, checked
 * @grefs:	its pages; NULL when they are ours
 * @addr:	mapped when first shown, NULL before; ours from the start
 * @shared:	the pages are ours, granted to the guest
 * @export:	its pages as a dma-buf, fd -1: there is none, and when it was tried
 * @no_export:	says why
 * @since:	ns, when it was destroyed; what shows it still has the dma-buf
 * @answer_to:	whose request @answer_id waits for that; NULL: nobody's
 */
struct xd_dbuf {
	struct xd_dbuf *next;
	struct xd_dbuf_create desc;
	uint32_t *grefs;
	void *addr;
	bool shared;
	struct xd_export export;
	const char *no_export;
	uint64_t since;
	struct xd_conn *answer_to;
	uint16_t answer_id;
};

/**
 * struct xd_fb - a framebuffer of the guest
 * @dbuf:	its buffer; a buffer takes its framebuffers along
 * @layout:	checked against the buffer
 * @offered:	to the output, as a dma-buf; a bit for each connector
 */
struct xd_fb {
	struct xd_fb *next;
	uint64_t cookie;
	struct xd_dbuf *dbuf;
	struct xd_fb_layout layout;
	uint32_t offered;
};

/* A flip that waits for its frame-done event; it came at @since, ns. */
struct xd_flip {
	uint64_t fb_cookie;
	uint64_t since;
	unsigned int nr_damage;
	pixman_box32_t damage[XD_MAX_WIRE_DAMAGE];
};

/**
 * struct xd_conn - a connector
 * @req_page, @evt_page: shared with the guest
 * @req_port, @evt_port: local ports, -1 when unbound
 * @ring:	our end of the request ring
 * @evt_prod:	next event, ours alone; @evt_id: its id
 * @broken:	the guest broke the ring; it is not read any more
 * @width, @height: preferred mode, as configured or resized
 * @max_width, @max_height: the largest that ever was preferred: a mode that
 *		the guest was offered stays good
 * @on:		a mode is set, @mode_width x @mode_height
 * @fb_x, @fb_y: where in framebuffers the picture begins
 * @flips:	oldest first; the first one is with the output
 * @dropped:	one was, with its damage: the next one is shown whole
 * @owed:	flip events that found the event page full
 * @owes_connector: so did a connector event, or the frontend is not Connected yet
 * @copies:	what was last told of how frames are shown: "" without a copy,
 *		else why not; NULL: nothing yet
 */
struct xd_conn {
	struct xd_guest *guest;
	unsigned int index;
	struct xd_conn_params params;

	void *req_page;
	void *evt_page;
	int req_port;
	int evt_port;
	struct xen_displif_back_ring *ring;
	uint32_t evt_prod;
	uint16_t evt_id;
	bool broken;

	uint32_t width;
	uint32_t height;
	uint32_t max_width;
	uint32_t max_height;
	bool on;
	uint32_t mode_width;
	uint32_t mode_height;
	uint32_t fb_x;
	uint32_t fb_y;
	struct xd_flip flips[XD_MAX_FLIPS];
	unsigned int nr_flips;
	bool dropped;
	uint64_t owed[XD_MAX_FLIPS];
	unsigned int nr_owed;
	bool owes_connector;
	const char *copies;
};

/* Input that may wait for a keyboard. */
#define XD_MAX_WAITING	32u

/**
 * struct xd_input_sink - where input of monitors goes: a vkbd of the guest
 * @fd:		takes struct xd_input
 * @conn:	whose; or XD_ALL_CONNECTORS
 * @waiting:	what found it full, oldest first, @nr_waiting of them
 * @since:	ns, when it last took something, if anything waits
 * @lost:	too much did: what waits is that whatever is down there goes up, and
 *		until it has nothing else is kept
 * @pause:	ns, until it is tried again
 */
struct xd_input_sink {
	int fd;
	uint32_t conn;
	struct xd_input waiting[XD_MAX_WAITING];
	unsigned int nr_waiting;
	uint64_t since;
	bool lost;
	uint64_t pause;
};

struct xd_guest {
	struct xd_loop *loop;
	struct xd_bus *bus;
	struct xd_output *output;
	const char *names[XD_MAX_CONNECTORS];	/* for the output */
	void (*reopen)(void *worker);	/* asks for the output's descriptor */
	void (*resized)(void *worker, unsigned int conn);	/* by the output */
	void (*say)(void *worker, bool warn, const char *text);	/* to the log */
	void *worker;
	struct xd_connect params;
	struct xd_usage usage;
	struct xd_dbuf *dbufs;
	struct xd_dbuf *leaving;	/* destroyed, but see struct xd_dbuf */
	struct xd_fb *fbs;
	struct xd_conn conns[XD_MAX_CONNECTORS];
	unsigned int nr_conns;
	bool heard;			/* a request of this connection */
	struct xd_input_sink sinks[XD_MAX_KEYBOARDS];
	unsigned int nr_sinks;
	struct xd_counters counters;
	struct xd_source bus_source;
	struct xd_timer again;		/* requests are left over */
	struct xd_timer pay;		/* see xd_guest_pay_later() */
	uint64_t pay_at;		/* ns, when it fires */
	struct xd_timer leave;		/* looks after @leaving */
	struct xd_log_limit log_limit;
};

/* guest.c */

/**
 * xd_guest_start() - connect to a guest's channels
 * @guest:	zeroed by this, but for @worker and @say
 * @bus:	stays the caller's
 * @params:	copied
 * @output_fd:	for the output, this function's to close; or -1
 *
 * Return: 0 or -errno; xd_guest_stop() in each case.
 */
int xd_guest_start(struct xd_guest *guest, struct xd_loop *loop,
		   struct xd_bus *bus, const struct xd_connect *params,
		   int output_fd);
void xd_guest_stop(struct xd_guest *guest);

/*
 * A line for the log that a guest can cause at will, with each connection anew: the
 * supervisor, which has seen those before, counts them. At a warning's level, or not.
 */
void xd_guest_say(struct xd_guest *guest, bool warn, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The guest, or a keyboard of it, has no room for what it has to be told. */
void xd_guest_pay_later(struct xd_guest *guest);

/* Input of a connector, or of all, goes to @fd as well, which is taken. */
void xd_guest_add_sink(struct xd_guest *guest, uint32_t conn, int fd);

/* conn.c: rings */

int xd_conn_open(struct xd_conn *conn, struct xd_guest *guest,
		 unsigned int index, const struct xd_conn_params *params);
void xd_conn_close(struct xd_conn *conn);

/* Serves requests, one turn's worth. True when some are left. */
bool xd_conn_serve(struct xd_conn *conn);

/**
 * xd_conn_resize() - give the monitor another preferred mode
 * @width, @height: within XD_EDID_MIN_DIMENSION..XD_EDID_MAX_DIMENSION
 *
 * Return: 0, -EINVAL, -EOPNOTSUPP when the frontend does not follow.
 */
int xd_conn_resize(struct xd_conn *conn, uint32_t width, uint32_t height);

/* The monitor's EDID is another one. */
void xd_conn_changed(struct xd_conn *conn);

/* Answers a request whose answer did not come at once. */
void xd_conn_answer(struct xd_conn *conn, uint16_t id, uint8_t op, int status);

/* Sends the frame-done event, or owes it while the event page is full. */
void xd_conn_send_flip_event(struct xd_conn *conn, uint64_t fb_cookie);
void xd_conn_pay_owed(struct xd_conn *conn);

/* dispatch.c: what requests mean; 0 or -errno, the status of the answer */

int xd_dispatch(struct xd_conn *conn, const struct xd_req *req,
		uint32_t *ret_edid_sz);

/* The output says that the first of the connector's flips is on screen. */
void xd_conn_frame_done(struct xd_conn *conn);

/* buffer.c */

int xd_dbuf_create(struct xd_guest *guest, const struct xd_dbuf_create *desc);

/* -EINPROGRESS: request @id of @conn is answered later, by xd_conn_answer(). */
int xd_dbuf_destroy(struct xd_conn *conn, uint16_t id, uint64_t cookie);
int xd_fb_attach(struct xd_guest *guest, const struct xd_fb_attach *desc);
int xd_fb_detach(struct xd_guest *guest, uint64_t cookie);
struct xd_fb *xd_fb_find(struct xd_guest *guest, uint64_t cookie);
void xd_buffers_finish(struct xd_guest *guest);

/* The last of a buffer: what it counted for, and its memory. */
void xd_dbuf_free(struct xd_guest *guest, struct xd_dbuf *dbuf);

/* The framebuffer's pixels, mapped if they were not: 0 or -errno. */
int xd_fb_image(struct xd_guest *guest, struct xd_fb *fb,
		struct xd_image *ret_image);

/* export.c: framebuffers that are shown without a copy */

int xd_export_init(struct xd_guest *guest);
void xd_export_finish(struct xd_guest *guest);

/* @image, @fb's, is about to be shown there: the output need not copy it. */
void xd_fb_offer(struct xd_conn *conn, struct xd_fb *fb,
		 const struct xd_image *image);

/* The output's event of this name. */
void xd_conn_zero_copy(struct xd_conn *conn, const char *why_not);

/*
 * @dbuf is in no list any more; false: something still has its dma-buf, so that
 * it stays, with what the guest is charged for it, until nothing has.
 */
bool xd_dbuf_let_go(struct xd_guest *guest, struct xd_dbuf *dbuf);

/**
 * xd_guest_write() - copy bytes into pages that the guest listed
 * @gref_directory: of the page directory
 * @nr_pages:	it has to list
 * @data, @size: what, no more than the pages hold
 *
 * Return: 0 or -errno.
 */
int xd_guest_write(struct xd_guest *guest, uint32_t gref_directory,
		   uint32_t nr_pages, const void *data, size_t size);

#endif /* XD_CORE_GUEST_H */
