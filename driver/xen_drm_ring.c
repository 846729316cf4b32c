// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Requests and responses.
 *
 * A request occupies a slot from submission to its answer; the slot's number is
 * the lower part of the request's id. A request that timed out keeps its slot:
 * the ring entry may still be answered, and what the request named may still be
 * in use. Only the answer, or the end of the connection, frees it.
 */

#include <xen/events.h>

#include "xen_drm.h"
#include "xen_drm_trace.h"

#define XEN_DRM_ID_SLOT_MASK	(XEN_DRM_RING_SLOTS - 1)

/* A response, checked and taken out of the ring, whose caller is to be told. */
struct xen_drm_answer {
	struct xen_drm_call call;
	struct xendispl_resp resp;
	bool expired;
};

/**
 * xen_drm_wire_status - errno for a status of the backend
 * @status: as read
 *
 * What means something of our own to callers, or nothing to user space, does
 * not come from a backend.
 *
 * Return: 0 or -errno; -EIO for what is outside of Xen's range of errors.
 */
static int xen_drm_wire_status(s32 status)
{
	switch (status) {
	case -ENOTCONN:
	case -ETIMEDOUT:
	case -EDEADLK:
	case -EAGAIN:
	case -EINTR:	/* libdrm would repeat the call for ever */
	case -ENODEV:
		return -EIO;
	case -ENOSPC:	/* over a quota */
		return -ENOMEM;
	default:
		break;
	}
	if (status > 0 || status <= -ERESTARTSYS)
		return -EIO;
	return status;
}

/* Tells the caller. No lock held. */
static void xen_drm_answer_deliver(struct xen_drm_ring *ring,
				   const struct xen_drm_answer *answer)
{
	const struct xen_drm_call *call = &answer->call;
	int status = xen_drm_wire_status(answer->resp.status);

	if (status)
		atomic64_inc(&ring->stats->errors);
	if (call->done && !answer->expired)
		call->done(call->ctx, call->tag, status, &answer->resp);
	if (call->release)
		call->release(call->ctx);
}

/* Marks the ring unusable until the next connection. Says so once. */
static void xen_drm_ring_break(struct xen_drm_ring *ring, const char *why,
			       u32 value)
{
	lockdep_assert_held(&ring->lock);

	if (ring->broken)
		return;
	ring->broken = true;
	/* nobody needs to wait any longer */
	ring->look = jiffies;
	mod_delayed_work(system_wq, &ring->expire, 0);
	atomic64_inc(&ring->stats->violations);
	dev_err_ratelimited(ring->dev,
			    "connector %u: backend broke the protocol: %s (%u), waiting for it to reconnect\n",
			    ring->index, why, value);
}

/* Checks a response against what we asked and frees its slot. */
static bool xen_drm_ring_accept(struct xen_drm_ring *ring,
				struct xen_drm_answer *answer)
{
	const struct xendispl_resp *resp = &answer->resp;
	struct xen_drm_slot *slot;

	lockdep_assert_held(&ring->lock);

	slot = &ring->slots[resp->id & XEN_DRM_ID_SLOT_MASK];
	if (slot->state == XEN_DRM_SLOT_FREE || slot->id != resp->id) {
		xen_drm_ring_break(ring, "response to an unknown request",
				   resp->id);
		return false;
	}
	if (slot->op != resp->operation) {
		xen_drm_ring_break(ring, "response with another operation",
				   resp->operation);
		return false;
	}
	answer->call = slot->call;
	answer->expired = slot->state == XEN_DRM_SLOT_EXPIRED;
	slot->state = XEN_DRM_SLOT_FREE;
	if (!slot->call.quiet)
		ring->awaited--;
	ring->silent = false;
	return true;
}

/*
 * Tells the backend which response to raise an interrupt for: the next one if
 * somebody waits, else not before half of the ring is answered. True if there is
 * one already, for which none may come.
 */
static bool xen_drm_ring_ask(struct xen_drm_ring *ring)
{
	struct xen_displif_front_ring *front = &ring->front;

	lockdep_assert_held(&ring->lock);

	front->sring->rsp_event = front->rsp_cons +
		(ring->awaited ? 1 : XEN_DRM_RING_SLOTS / 2);
	virt_mb();	/* the backend looks at this after it put one in */
	return READ_ONCE(front->sring->rsp_prod) != front->rsp_cons;
}

/* The worker looks at the ring in @delay jiffies at the latest. */
static void xen_drm_ring_look(struct xen_drm_ring *ring, unsigned long delay)
{
	unsigned long when = jiffies + delay;

	lockdep_assert_held(&ring->lock);

	if (delayed_work_pending(&ring->expire) &&
	    !time_before(when, ring->look))
		return;
	ring->look = when;
	mod_delayed_work(system_wq, &ring->expire, when - jiffies);
}

/* Takes the next response, if there is one, out of the ring. */
static bool xen_drm_ring_next(struct xen_drm_ring *ring,
			      struct xen_drm_answer *answer)
{
	struct xen_displif_front_ring *front = &ring->front;
	RING_IDX prod;

	lockdep_assert_held(&ring->lock);

	if (!ring->up || ring->broken)
		return false;

	prod = READ_ONCE(front->sring->rsp_prod);
	if (prod == front->rsp_cons)
		return false;
	virt_rmb();	/* the responses after their index */
	/* more than were asked for are requests that look like responses */
	if (prod - front->rsp_cons > front->req_prod_pvt - front->rsp_cons) {
		xen_drm_ring_break(ring, "response index out of range", prod);
		return false;
	}
	RING_COPY_RESPONSE(front, front->rsp_cons, &answer->resp);
	if (!xen_drm_ring_accept(ring, answer))
		return false;
	front->rsp_cons++;
	trace_xen_drm_response(ring->index, answer->resp.id,
			       answer->resp.operation, answer->resp.status);
	return true;
}

/*
 * Takes the responses, a ring's worth at the most. If more can be there, they
 * are left to the worker. Returns how many there were.
 */
static unsigned int xen_drm_ring_run(struct xen_drm_ring *ring)
{
	struct xen_drm_answer answer;
	unsigned int count;
	unsigned long flags;
	bool more;

	for (count = 0; count < XEN_DRM_RING_SLOTS; count++) {
		spin_lock_irqsave(&ring->lock, flags);
		more = xen_drm_ring_next(ring, &answer);
		if (!more && ring->up && !ring->broken &&
		    xen_drm_ring_ask(ring))
			more = xen_drm_ring_next(ring, &answer);
		spin_unlock_irqrestore(&ring->lock, flags);
		if (!more)
			break;
		xen_drm_answer_deliver(ring, &answer);
	}
	if (count == XEN_DRM_RING_SLOTS) {
		spin_lock_irqsave(&ring->lock, flags);
		if (ring->up && !ring->broken)
			xen_drm_ring_look(ring, 0);
		spin_unlock_irqrestore(&ring->lock, flags);
	}
	if (wq_has_sleeper(&ring->room) && (count || ring->broken))
		wake_up_all(&ring->room);
	return count;
}

/**
 * xen_drm_ring_poll - take what answers there are, without an interrupt
 * @ring: the ring, in any state
 *
 * Context: any; calls what the requests' callers left to be called.
 */
void xen_drm_ring_poll(struct xen_drm_ring *ring)
{
	/* an interrupt for one of these is not the backend's fault */
	if (xen_drm_ring_run(ring))
		WRITE_ONCE(ring->polled, true);
}

static irqreturn_t xen_drm_ring_irq(int irq, void *ctx)
{
	struct xen_drm_ring *ring = ctx;
	bool work = xen_drm_ring_run(ring);

	if (READ_ONCE(ring->polled)) {
		WRITE_ONCE(ring->polled, false);
		work = true;
	}
	xen_irq_lateeoi(irq, work ? 0 : XEN_EOI_FLAG_SPURIOUS);
	return IRQ_HANDLED;
}

/* Finds a request that is past its deadline, marks it, or the next deadline. */
static bool xen_drm_ring_expired(struct xen_drm_ring *ring,
				 struct xen_drm_call *ret_call,
				 u8 *ret_op, long *ret_delay)
{
	unsigned long now = jiffies;
	unsigned int i;

	lockdep_assert_held(&ring->lock);

	*ret_delay = -1;
	for (i = 0; i < XEN_DRM_RING_SLOTS; i++) {
		struct xen_drm_slot *slot = &ring->slots[i];
		long left;

		if (slot->state != XEN_DRM_SLOT_WAITING)
			continue;
		left = (long)(slot->deadline - now);
		if (left <= 0 || ring->broken || !ring->up) {
			slot->state = XEN_DRM_SLOT_EXPIRED;
			*ret_call = slot->call;
			*ret_op = slot->op;
			return true;
		}
		if (slot->call.quiet)
			left = min_t(long, left,
				     msecs_to_jiffies(XEN_DRM_QUIET_MS));
		if (*ret_delay < 0 || left < *ret_delay)
			*ret_delay = left;
	}
	return false;
}

/* Why no request can be sent or answered; 0 if one can. */
static int xen_drm_ring_error(const struct xen_drm_ring *ring)
{
	lockdep_assert_held(&ring->lock);

	if (!ring->up)
		return -ENOTCONN;
	return ring->broken ? -EIO : 0;
}

/**
 * xen_drm_ring_is_lost - is there nobody to answer any more?
 * @ring: the ring, in any state
 *
 * Context: process. The state machine is told.
 * Return: whether the backend went without a word since the last time.
 */
bool xen_drm_ring_is_lost(struct xen_drm_ring *ring)
{
	bool lost;

	spin_lock_irq(&ring->lock);
	lost = ring->up && xen_drm_channel_is_lost(&ring->ch);
	if (lost) {
		ring->up = false;
		ring->lost = true;
		xen_drm_ring_look(ring, 0);
	}
	spin_unlock_irq(&ring->lock);
	return lost;
}

static void xen_drm_ring_expire(struct work_struct *work)
{
	struct xen_drm_ring *ring =
		container_of(to_delayed_work(work), struct xen_drm_ring,
			     expire);
	bool expired, tell = false;
	struct xen_drm_call call;
	unsigned long flags;
	long delay;
	int error;
	u8 op;

	/* The answer may be there, and the domain have been paused. */
	xen_drm_ring_poll(ring);
	xen_drm_ring_is_lost(ring);

	do {
		spin_lock_irqsave(&ring->lock, flags);
		expired = xen_drm_ring_expired(ring, &call, &op, &delay);
		if (!expired && delay >= 0)
			xen_drm_ring_look(ring, delay);
		error = xen_drm_ring_error(ring) ?: -ETIMEDOUT;
		if (expired && error == -ETIMEDOUT) {
			tell = !ring->silent;
			ring->silent = true;
		}
		spin_unlock_irqrestore(&ring->lock, flags);
		if (!expired)
			break;
		if (error == -ETIMEDOUT)
			atomic64_inc(&ring->stats->timeouts);
		if (tell)
			dev_warn_ratelimited(ring->dev,
					     "connector %u: no answer to request %#x within %u ms\n",
					     ring->index, op,
					     XEN_DRM_REQUEST_MS);
		tell = false;
		if (call.done)
			call.done(call.ctx, call.tag, error, NULL);
	} while (expired);
	wake_up_all(&ring->room);
	if (xchg(&ring->lost, false) && ring->on_lost)
		ring->on_lost(ring->dev);
}

/**
 * xen_drm_ring_init - prepare a ring that is closed
 * @ring: the ring
 * @index: number of the connector, for messages
 * @stats: where to count
 */
void xen_drm_ring_init(struct xen_drm_ring *ring, unsigned int index,
		       struct xen_drm_stats *stats)
{
	spin_lock_init(&ring->lock);
	init_waitqueue_head(&ring->room);
	INIT_DELAYED_WORK(&ring->expire, xen_drm_ring_expire);
	ring->index = index;
	ring->stats = stats;
	ring->ch.gref = INVALID_GRANT_REF;
}

/**
 * xen_drm_ring_open - share the ring; no request can be sent yet
 * @ring: the ring, closed
 * @xb: the bus device
 *
 * Context: state machine.
 * Return: 0 or -errno, the ring is closed then.
 */
int xen_drm_ring_open(struct xen_drm_ring *ring, struct xenbus_device *xb)
{
	int ret;

	ring->dev = &xb->dev;
	ret = xen_drm_channel_open(&ring->ch, xb, xen_drm_ring_irq,
				   "xen-drm-req", ring);
	if (ret)
		return ret;

	spin_lock_irq(&ring->lock);
	SHARED_RING_INIT((struct xen_displif_sring *)ring->ch.page);
	FRONT_RING_INIT(&ring->front,
			(struct xen_displif_sring *)ring->ch.page,
			XEN_PAGE_SIZE);
	memset(ring->slots, 0, sizeof(ring->slots));
	ring->awaited = 0;
	ring->broken = false;
	ring->silent = false;
	ring->lost = false;
	spin_unlock_irq(&ring->lock);
	return 0;
}

/**
 * xen_drm_ring_start - let requests through: the backend is connected
 * @ring: the ring, open
 */
void xen_drm_ring_start(struct xen_drm_ring *ring)
{
	spin_lock_irq(&ring->lock);
	ring->up = true;
	spin_unlock_irq(&ring->lock);
}

/**
 * xen_drm_ring_stop - let no request through any more
 * @ring: the ring, in any state
 *
 * Who waits is told -ENOTCONN, by the worker. What was sent keeps its slot until
 * the ring is closed, which has to follow.
 *
 * Context: process.
 */
void xen_drm_ring_stop(struct xen_drm_ring *ring)
{
	spin_lock_irq(&ring->lock);
	ring->up = false;
	ring->look = jiffies;
	mod_delayed_work(system_wq, &ring->expire, 0);
	spin_unlock_irq(&ring->lock);
	wake_up_all(&ring->room);
}

/* Takes one outstanding request, for the end of the connection. */
static bool xen_drm_ring_take(struct xen_drm_ring *ring,
			      struct xen_drm_call *ret_call, bool *ret_expired)
{
	unsigned int i;
	bool found = false;

	spin_lock_irq(&ring->lock);
	for (i = 0; i < XEN_DRM_RING_SLOTS && !found; i++) {
		struct xen_drm_slot *slot = &ring->slots[i];

		if (slot->state == XEN_DRM_SLOT_FREE)
			continue;
		*ret_call = slot->call;
		*ret_expired = slot->state == XEN_DRM_SLOT_EXPIRED;
		slot->state = XEN_DRM_SLOT_FREE;
		found = true;
	}
	spin_unlock_irq(&ring->lock);
	return found;
}

/**
 * xen_drm_ring_close - end the connection; outstanding requests fail
 * @ring: the ring, in any state; closed ones are fine
 *
 * Context: state machine.
 */
void xen_drm_ring_close(struct xen_drm_ring *ring)
{
	struct xen_drm_call call;
	bool expired;

	xen_drm_ring_stop(ring);
	cancel_delayed_work_sync(&ring->expire);
	xen_drm_channel_close(&ring->ch);
	while (xen_drm_ring_take(ring, &call, &expired)) {
		if (call.done && !expired)
			call.done(call.ctx, call.tag, -ENOTCONN, NULL);
		if (call.release)
			call.release(call.ctx);
	}
}

static struct xen_drm_slot *xen_drm_ring_free_slot(struct xen_drm_ring *ring)
{
	unsigned int i;

	lockdep_assert_held(&ring->lock);

	if (RING_FULL(&ring->front))
		return NULL;
	for (i = 0; i < XEN_DRM_RING_SLOTS; i++)
		if (ring->slots[i].state == XEN_DRM_SLOT_FREE)
			return &ring->slots[i];
	return NULL;
}

static void xen_drm_ring_put(struct xen_drm_ring *ring,
			     struct xen_drm_slot *slot,
			     struct xendispl_req *req)
{
	int notify;

	lockdep_assert_held(&ring->lock);
	ring->serial += XEN_DRM_RING_SLOTS;
	req->id = ring->serial | (slot - ring->slots);
	slot->state = XEN_DRM_SLOT_WAITING;
	slot->id = req->id;
	slot->op = req->operation;
	slot->deadline = jiffies + msecs_to_jiffies(XEN_DRM_REQUEST_MS);
	*RING_GET_REQUEST(&ring->front, ring->front.req_prod_pvt) = *req;
	ring->front.req_prod_pvt++;
	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&ring->front, notify);
	if (notify)
		notify_remote_via_irq(ring->ch.irq);
}

/**
 * xen_drm_ring_panic - send a request if nothing stands in the way
 * @ring: the ring
 * @req: zeroed, then filled; the id is set here
 *
 * Context: any, even that of a panic: who holds the lock may never give it back.
 */
void xen_drm_ring_panic(struct xen_drm_ring *ring, struct xendispl_req *req)
{
	struct xen_drm_slot *slot;

	if (!spin_trylock(&ring->lock))
		return;
	slot = xen_drm_ring_error(ring) ? NULL : xen_drm_ring_free_slot(ring);
	if (slot) {
		slot->call = (struct xen_drm_call){ .quiet = true };
		xen_drm_ring_put(ring, slot, req);
	}
	spin_unlock(&ring->lock);
}

/**
 * xen_drm_ring_try_submit - send a request if there is room
 * @ring: the ring
 * @req: zeroed, then filled; the id is set here
 * @call: copied; used only if this returns 0
 *
 * Context: any.
 * Return: 0, -EAGAIN when the ring is full, -ENOTCONN, -EIO.
 */
int xen_drm_ring_try_submit(struct xen_drm_ring *ring,
			    struct xendispl_req *req,
			    const struct xen_drm_call *call)
{
	struct xen_drm_slot *slot;
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&ring->lock, flags);
	ret = xen_drm_ring_error(ring);
	if (ret)
		goto out;
	slot = xen_drm_ring_free_slot(ring);
	if (!slot) {
		ret = -EAGAIN;
		goto out;
	}

	slot->call = *call;
	/* before the backend can answer; older answers are for the worker */
	if (!call->quiet && !ring->awaited++ && xen_drm_ring_ask(ring))
		xen_drm_ring_look(ring, 0);
	xen_drm_ring_put(ring, slot, req);
	xen_drm_ring_look(ring, call->quiet ?
			  msecs_to_jiffies(XEN_DRM_QUIET_MS) :
			  msecs_to_jiffies(XEN_DRM_REQUEST_MS));
out:
	spin_unlock_irqrestore(&ring->lock, flags);
	if (!ret) {
		atomic64_inc(&ring->stats->requests);
		trace_xen_drm_request(ring->index, req->id, req->operation);
	}
	return ret;
}

/**
 * xen_drm_ring_has_room - would a request be sent, or refused, at once?
 * @ring: the ring; one that went wrong refuses, who waits shall learn of it
 *
 * Context: any.
 * Return: whether it would, as of now.
 */
bool xen_drm_ring_has_room(const struct xen_drm_ring *ring)
{
	/* a slot is free when its entry is; without the lock, as it may change anyway */
	return !READ_ONCE(ring->up) || READ_ONCE(ring->broken) ||
	       READ_ONCE(ring->front.req_prod_pvt) -
	       READ_ONCE(ring->front.rsp_cons) < XEN_DRM_RING_SLOTS;
}

/**
 * xen_drm_ring_is_silent - has the backend stopped to answer?
 * @ring: the ring, in any state
 *
 * Context: any.
 * Return: whether a request timed out, and no answer came since.
 */
bool xen_drm_ring_is_silent(const struct xen_drm_ring *ring)
{
	return READ_ONCE(ring->silent);
}

/* Is the ring full of requests that a backend did not answer in time? */
static bool xen_drm_ring_is_stuck(struct xen_drm_ring *ring)
{
	bool stuck = true;
	unsigned int i;

	spin_lock_irq(&ring->lock);
	for (i = 0; i < XEN_DRM_RING_SLOTS && stuck; i++)
		stuck = ring->slots[i].state == XEN_DRM_SLOT_EXPIRED;
	spin_unlock_irq(&ring->lock);
	return stuck;
}

/**
 * xen_drm_ring_wait_room - wait for a full ring to get room
 * @ring: the ring
 *
 * Context: process.
 * Return: false when none came in time, or nothing lets expect it.
 */
bool xen_drm_ring_wait_room(struct xen_drm_ring *ring)
{
	wait_event_timeout(ring->room, xen_drm_ring_has_room(ring) ||
			   xen_drm_ring_is_stuck(ring),
			   msecs_to_jiffies(XEN_DRM_REQUEST_MS));
	return xen_drm_ring_has_room(ring);
}

/**
 * xen_drm_ring_submit - send a request, tell @call what becomes of it
 * @ring: the ring
 * @req: zeroed, then filled; the id is set here
 * @call: copied; used only if this returns 0
 *
 * Waits for room while the ring is full.
 *
 * Context: process.
 * Return: 0, -ENOTCONN without a backend, -EIO with a broken one, -ETIMEDOUT
 * when no room came in time.
 */
int xen_drm_ring_submit(struct xen_drm_ring *ring, struct xendispl_req *req,
			const struct xen_drm_call *call)
{
	int ret;

	do {
		ret = xen_drm_ring_try_submit(ring, req, call);
		if (ret != -EAGAIN)
			return ret;
	} while (xen_drm_ring_wait_room(ring));
	return -ETIMEDOUT;
}
