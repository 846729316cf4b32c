/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The wire: channels, the request ring, the event page. Knows no DRM type.
 */

#ifndef XEN_DRM_WIRE_H
#define XEN_DRM_WIRE_H

#include <linux/atomic.h>
#include <linux/interrupt.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <xen/xenbus.h>

#include "xen_drm_proto.h"

/**
 * struct xen_drm_stats - counters, shown in debugfs; all only grow
 * @requests: sent
 * @timeouts: requests that were not answered in time
 * @errors: requests that were answered with an error
 * @events: taken from event pages
 * @event_gaps: events that did not have the id that was due
 * @flips: SET_CONFIG and PG_FLIP requests for commits
 * @flip_timeouts: frame-done events that did not come in time
 * @violations: of the protocol, by the backend
 * @reconnects: connections after the first
 * @copied: bytes, into the backend's memory
 */
struct xen_drm_stats {
	atomic64_t requests;
	atomic64_t timeouts;
	atomic64_t errors;
	atomic64_t events;
	atomic64_t event_gaps;
	atomic64_t flips;
	atomic64_t flip_timeouts;
	atomic64_t violations;
	atomic64_t reconnects;
	atomic64_t copied;
};

/* xen_drm_channel.c: a shared page with its event channel */

/**
 * struct xen_drm_channel - a granted page and the interrupt that goes with it
 * @page: the shared page, NULL when closed
 * @gref: its grant
 * @port: event channel, published to the backend; owned by @irq once bound
 * @irq: interrupt, 0 when closed
 * @ctx: what the handler was bound with
 */
struct xen_drm_channel {
	void *page;
	grant_ref_t gref;
	evtchn_port_t port;
	int irq;
	void *ctx;
};

int xen_drm_channel_open(struct xen_drm_channel *ch, struct xenbus_device *xb,
			 irq_handler_t handler, const char *name, void *ctx);
bool xen_drm_channel_is_lost(const struct xen_drm_channel *ch);
void xen_drm_channel_close(struct xen_drm_channel *ch);

/* xen_drm_ring.c: requests and responses */

/**
 * struct xen_drm_call - what to do when a request is over
 * @done: told once, the result: the backend's answer (0 or -errno), -ETIMEDOUT,
 *	-ENOTCONN when the connection went, -EIO when the backend broke the
 *	protocol. @resp is NULL unless the backend answered. May be NULL.
 * @release: told once, when the backend can no longer touch what the request
 *	named: with @done, or later if the request timed out. May be NULL.
 * @ctx: passed to both
 * @tag: passed to @done
 * @quiet: nobody waits for the answer, so it need not raise an interrupt: it is
 *	found with the next event or other answer, or a moment later
 *
 * Both run in any context, interrupts off or on, without a lock of the ring.
 */
struct xen_drm_call {
	void (*done)(void *ctx, u32 tag, int status,
		     const struct xendispl_resp *resp);
	void (*release)(void *ctx);
	void *ctx;
	u32 tag;
	bool quiet;
};

enum xen_drm_slot_state {
	XEN_DRM_SLOT_FREE,
	XEN_DRM_SLOT_WAITING,	/* sent, unanswered */
	XEN_DRM_SLOT_EXPIRED,	/* done was called with -ETIMEDOUT */
};

struct xen_drm_slot {
	enum xen_drm_slot_state state;
	u16 id;
	u8 op;
	unsigned long deadline;	/* jiffies */
	struct xen_drm_call call;
};

#define XEN_DRM_RING_SLOTS	__CONST_RING_SIZE(xen_displif, XEN_PAGE_SIZE)

/**
 * struct xen_drm_ring - the request ring of one connector
 * @ch: page and interrupt; changed by the state machine only, while !@up
 * @dev: for messages
 * @index: number of the connector
 * @stats: where to count
 * @lock: protects all below; taken in the interrupt
 * @front: the ring's private indices
 * @up: requests may be sent
 * @broken: the backend broke the protocol; sticky until the ring is opened
 *	again
 * @silent: a request timed out, and no answer came since; said so
 * @lost: the backend is gone without a word; @on_lost is to be told
 * @on_lost: tells the state machine; called by @expire
 * @serial: upper part of the next id
 * @slots: one per ring entry
 * @room: woken when a slot becomes free
 * @expire: looks for answers to quiet requests, and for requests past their
 *	deadline
 * @look: when @expire looks next, jiffies
 * @awaited: slots in use whose request is not quiet
 * @polled: answers were taken without an interrupt since the last one
 */
struct xen_drm_ring {
	struct xen_drm_channel ch;
	struct device *dev;
	unsigned int index;
	struct xen_drm_stats *stats;

	spinlock_t lock;	/* see above */
	struct xen_displif_front_ring front;
	bool up;
	bool broken;
	bool silent;
	bool lost;
	void (*on_lost)(struct device *dev);
	u16 serial;
	struct xen_drm_slot slots[XEN_DRM_RING_SLOTS];

	wait_queue_head_t room;
	struct delayed_work expire;
	unsigned long look;
	unsigned int awaited;
	bool polled;
};

void xen_drm_ring_init(struct xen_drm_ring *ring, unsigned int index,
		       struct xen_drm_stats *stats);
bool xen_drm_ring_is_lost(struct xen_drm_ring *ring);
bool xen_drm_ring_is_silent(const struct xen_drm_ring *ring);
int xen_drm_ring_open(struct xen_drm_ring *ring, struct xenbus_device *xb);
void xen_drm_ring_start(struct xen_drm_ring *ring);
void xen_drm_ring_stop(struct xen_drm_ring *ring);
void xen_drm_ring_close(struct xen_drm_ring *ring);
void xen_drm_ring_poll(struct xen_drm_ring *ring);
int xen_drm_ring_try_submit(struct xen_drm_ring *ring,
			    struct xendispl_req *req,
			    const struct xen_drm_call *call);
void xen_drm_ring_panic(struct xen_drm_ring *ring, struct xendispl_req *req);
int xen_drm_ring_submit(struct xen_drm_ring *ring, struct xendispl_req *req,
			const struct xen_drm_call *call);
bool xen_drm_ring_has_room(const struct xen_drm_ring *ring);
bool xen_drm_ring_wait_room(struct xen_drm_ring *ring);

/* Did the backend break the protocol on it? That was said already. */
static inline bool xen_drm_ring_is_broken(const struct xen_drm_ring *ring)
{
	return READ_ONCE(ring->broken);
}

/* xen_drm_call.c: a request whose answer is waited for */

int xen_drm_ring_call(struct xen_drm_ring *ring, struct xendispl_req *req,
		      struct xendispl_resp *ret_resp,
		      void (*release)(void *ctx), void *ctx);

/* xen_drm_event.c: events from the backend */

/**
 * struct xen_drm_events - the event page of one connector
 * @ch: page and interrupt
 * @dev: for messages
 * @index: number of the connector
 * @stats: where to count
 * @handler: told every event, in the interrupt; returns whether it meant
 *	something
 * @ctx: passed to @handler
 * @lock: serialises the walk
 * @cons: next event to read, ours alone
 * @next_id: id we expect
 * @complained: a gap was logged on this connection
 * @up: events are delivered
 */
struct xen_drm_events {
	struct xen_drm_channel ch;
	struct device *dev;
	unsigned int index;
	struct xen_drm_stats *stats;
	bool (*handler)(void *ctx, const struct xendispl_evt *evt);
	void *ctx;

	spinlock_t lock;	/* see above */
	u32 cons;
	u16 next_id;
	bool complained;
	bool up;
};

void xen_drm_events_init(struct xen_drm_events *events, unsigned int index,
			 struct xen_drm_stats *stats,
			 bool (*handler)(void *ctx,
					 const struct xendispl_evt *evt),
			 void *ctx);
int xen_drm_events_open(struct xen_drm_events *events,
			struct xenbus_device *xb);
void xen_drm_events_start(struct xen_drm_events *events);
void xen_drm_events_stop(struct xen_drm_events *events);
void xen_drm_events_close(struct xen_drm_events *events);
void xen_drm_events_poll(struct xen_drm_events *events);

#endif
