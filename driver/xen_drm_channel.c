// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A shared page and the event channel that goes with it.
 */

#include <linux/mm.h>

#include <xen/events.h>

#include "xen_drm.h"

/**
 * xen_drm_channel_open - share a zeroed page and bind an event channel
 * @ch: the channel, closed
 * @xb: the bus device, names the backend
 * @handler: interrupt handler; has to call xen_irq_lateeoi()
 * @name: of the interrupt
 * @ctx: passed to @handler
 *
 * Context: process. Interrupts may come before this returns.
 * Return: 0 or -errno, @ch is closed then.
 */
int xen_drm_channel_open(struct xen_drm_channel *ch, struct xenbus_device *xb,
			 irq_handler_t handler, const char *name, void *ctx)
{
	evtchn_port_t port;
	int ret;

	ret = xenbus_setup_ring(xb, GFP_KERNEL, &ch->page, 1, &ch->gref);
	if (ret)
		return ret;

	ret = xenbus_alloc_evtchn(xb, &port);
	if (ret)
		goto err_page;

	ret = bind_evtchn_to_irqhandler_lateeoi(port, handler, 0, name, ctx);
	if (ret < 0) {
		xenbus_free_evtchn(xb, port);
		goto err_page;
	}
	ch->irq = ret;
	ch->port = port;
	ch->ctx = ctx;
	return 0;

err_page:
	xen_drm_channel_close(ch);
	return ret;
}

/**
 * xen_drm_channel_is_lost - has the backend closed its end?
 * @ch: the channel, open
 *
 * The hypervisor does that for a backend that was killed, which tells nobody.
 *
 * Context: any.
 * Return: whether nobody is at the other end of the event channel.
 */
bool xen_drm_channel_is_lost(const struct xen_drm_channel *ch)
{
	struct evtchn_status status = { .dom = DOMID_SELF, .port = ch->port };

	return ch->irq &&
	       !HYPERVISOR_event_channel_op(EVTCHNOP_status, &status) &&
	       status.status == EVTCHNSTAT_unbound;
}

/**
 * xen_drm_channel_close - unbind and stop sharing; closed channels are fine
 * @ch: the channel
 *
 * The port is closed with its interrupt and nowhere else: after a resume the
 * interrupt knows that the old number is nobody's. The page goes back to the
 * allocator when the backend has let go of it.
 *
 * Context: process; waits for a running handler.
 */
void xen_drm_channel_close(struct xen_drm_channel *ch)
{
	if (ch->irq)
		unbind_from_irqhandler(ch->irq, ch->ctx);
	if (ch->page)
		gnttab_end_foreign_access(ch->gref, virt_to_page(ch->page));
	memset(ch, 0, sizeof(*ch));
	ch->gref = INVALID_GRANT_REF;
}
