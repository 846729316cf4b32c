// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Events from the backend: a page it writes and we read.
 *
 * The page is the backend's to garble. Every index is snapshot once, the walk is
 * bounded by the page, each event is copied before it is looked at, and our own
 * consumer index is never read back.
 */

#include <xen/events.h>

#include "xen_drm.h"
#include "xen_drm_trace.h"

/* Says once per connection that the event page is not as it should be. */
static void xen_drm_events_complain(struct xen_drm_events *events,
				    const char *what, u32 got, u32 expected)
{
	if (events->complained)
		return;
	events->complained = true;
	dev_warn_ratelimited(events->dev,
			     "connector %u: %s: got %u, expected %u, going on from there\n",
			     events->index, what, got, expected);
}

/* A lost or odd id must not wedge us: count it, go on from the new one. */
static void xen_drm_events_check_id(struct xen_drm_events *events, u16 id)
{
	if (id != events->next_id) {
		atomic64_inc(&events->stats->event_gaps);
		xen_drm_events_complain(events, "gap in event ids", id,
					events->next_id);
	}
	events->next_id = id + 1;
}

/* Returns whether there was an event that meant something. */
static bool xen_drm_events_walk(struct xen_drm_events *events)
{
	struct xendispl_event_page *page = events->ch.page;
	bool useful = false;
	u32 prod, count, i;

	lockdep_assert_held(&events->lock);

	prod = READ_ONCE(page->in_prod);
	virt_rmb();	/* the events after their index */
	count = prod - events->cons;
	if (count > XENDISPL_IN_RING_LEN) {
		atomic64_inc(&events->stats->violations);
		xen_drm_events_complain(events, "event index out of range",
					prod, events->cons);
		events->cons = prod;
		count = 0;
	}
	for (i = 0; i < count; i++) {
		struct xendispl_evt evt;

		memcpy(&evt, &XENDISPL_IN_RING_REF(page, events->cons),
		       sizeof(evt));
		barrier();	/* look at the copy only */
		events->cons++;
		xen_drm_events_check_id(events, evt.id);
		trace_xen_drm_event(events->index, evt.id, evt.type,
				    evt.op.pg_flip.fb_cookie);
		useful |= events->handler(events->ctx, &evt);
	}
	virt_mb();	/* the events before their slots are given back */
	WRITE_ONCE(page->in_cons, events->cons);
	atomic64_add(count, &events->stats->events);
	return useful;
}

static bool xen_drm_events_run(struct xen_drm_events *events)
{
	bool useful = false;
	unsigned long flags;

	spin_lock_irqsave(&events->lock, flags);
	if (events->up)
		useful = xen_drm_events_walk(events);
	spin_unlock_irqrestore(&events->lock, flags);
	return useful;
}

static irqreturn_t xen_drm_events_irq(int irq, void *ctx)
{
	/* events that nobody waits for are slowed down like signals without any */
	bool useful = xen_drm_events_run(ctx);

	xen_irq_lateeoi(irq, useful ? 0 : XEN_EOI_FLAG_SPURIOUS);
	return IRQ_HANDLED;
}

/**
 * xen_drm_events_init - prepare an event page that is closed
 * @events: the event page
 * @index: number of the connector, for messages
 * @stats: where to count
 * @handler: told every event, in the interrupt, with @events->lock held;
 *	returns whether it meant something
 * @ctx: passed to @handler
 */
void xen_drm_events_init(struct xen_drm_events *events, unsigned int index,
			 struct xen_drm_stats *stats,
			 bool (*handler)(void *ctx,
					 const struct xendispl_evt *evt),
			 void *ctx)
{
	spin_lock_init(&events->lock);
	events->index = index;
	events->stats = stats;
	events->handler = handler;
	events->ctx = ctx;
	events->ch.gref = INVALID_GRANT_REF;
}

/**
 * xen_drm_events_open - share the event page; no event is delivered yet
 * @events: the event page, closed
 * @xb: the bus device
 *
 * Context: state machine.
 * Return: 0 or -errno, the page is closed then.
 */
int xen_drm_events_open(struct xen_drm_events *events,
			struct xenbus_device *xb)
{
	events->dev = &xb->dev;
	events->cons = 0;
	events->next_id = 0;
	events->complained = false;
	return xen_drm_channel_open(&events->ch, xb, xen_drm_events_irq,
				    "xen-drm-evt", events);
}

/**
 * xen_drm_events_start - deliver events, those that are there already too
 * @events: the event page, open
 */
void xen_drm_events_start(struct xen_drm_events *events)
{
	spin_lock_irq(&events->lock);
	events->up = true;
	spin_unlock_irq(&events->lock);
	xen_drm_events_run(events);
}

/**
 * xen_drm_events_stop - deliver no event any more
 * @events: the event page, in any state
 */
void xen_drm_events_stop(struct xen_drm_events *events)
{
	spin_lock_irq(&events->lock);
	events->up = false;
	spin_unlock_irq(&events->lock);
}

/**
 * xen_drm_events_close - end the connection
 * @events: the event page, in any state; closed ones are fine
 */
void xen_drm_events_close(struct xen_drm_events *events)
{
	xen_drm_events_stop(events);
	xen_drm_channel_close(&events->ch);
}

/**
 * xen_drm_events_poll - look for events without an interrupt
 * @events: the event page
 */
void xen_drm_events_poll(struct xen_drm_events *events)
{
	xen_drm_events_run(events);
}
