// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel.h"

#include <stdarg.h>

#define MAX_IRQS	8

unsigned long jiffies = 1000;
unsigned int kernel_messages;

static struct {
	irq_handler_t handler;
	void *ctx;
} irqs[MAX_IRQS];		/* of which 0 is none */
static unsigned int pages;
static unsigned int ports;

void kernel_message(const char *fmt, ...)
{
	static char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	kernel_messages++;
}

void queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	work->func(work);
}

void mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
		      unsigned long delay)
{
	work->work.pending = true;
	work->when = jiffies + delay;
}

void flush_delayed_work(struct delayed_work *work)
{
	if (!work->work.pending)
		return;
	work->work.pending = false;
	work->work.func(&work->work);
}

void cancel_delayed_work_sync(struct delayed_work *work)
{
	work->work.pending = false;
}

bool kernel_work_due(struct delayed_work *work)
{
	if (!work->work.pending || time_before(jiffies, work->when))
		return false;
	flush_delayed_work(work);
	return true;
}

int xenbus_setup_ring(struct xenbus_device *xb, gfp_t gfp, void **page,
		      unsigned int num, grant_ref_t *ref)
{
	assert(num == 1);
	*page = calloc(1, PAGE_SIZE);
	*ref = 8;
	pages++;
	return 0;
}

void gnttab_end_foreign_access(grant_ref_t ref, struct page *page)
{
	free(page);
	pages--;
}

int xenbus_alloc_evtchn(struct xenbus_device *xb, evtchn_port_t *port)
{
	*port = ++ports;
	return 0;
}

void xenbus_free_evtchn(struct xenbus_device *xb, evtchn_port_t port)
{
	ports--;
}

int bind_evtchn_to_irqhandler_lateeoi(evtchn_port_t port, irq_handler_t handler,
				      unsigned long flags, const char *name,
				      void *ctx)
{
	int irq = 1;

	while (irqs[irq].handler)
		irq++;
	assert(irq < MAX_IRQS);
	irqs[irq].handler = handler;
	irqs[irq].ctx = ctx;
	return irq;
}

void unbind_from_irqhandler(unsigned int irq, void *ctx)
{
	assert(irqs[irq].handler && irqs[irq].ctx == ctx);
	irqs[irq].handler = NULL;
	ports--;
}

void kernel_interrupt(int irq)
{
	if (irq && irqs[irq].handler)
		irqs[irq].handler(irq, irqs[irq].ctx);
}

void notify_remote_via_irq(int irq)
{
}

void xen_irq_lateeoi(int irq, unsigned int flags)
{
}

int HYPERVISOR_event_channel_op(int op, struct evtchn_status *status)
{
	status->status = EVTCHNSTAT_interdomain;
	return 0;
}

void kernel_expect_clean(void)
{
	assert(!pages && !ports);
}
