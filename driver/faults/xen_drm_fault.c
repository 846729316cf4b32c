// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Which call fails, and what is held. By the module's parameters, in
 * /sys/module/drm_xen_front/parameters:
 *
 *   fault_nth   write N: the N-th call from now on fails, once; 0: none. Reads as
 *		 the number of calls since then.
 *   fault_hit   the call that failed: its number, its name, where it is made;
 *		 empty if none has
 *   fault_held  grants and ports that the driver has and has not given back
 *
 * Here the names of Xen's functions stand in parentheses: so they are the real
 * ones.
 */

#include <linux/module.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "xen_drm_fault.h"

static DEFINE_SPINLOCK(xen_drm_fault_lock);	/* protects all below */
static unsigned int xen_drm_fault_nth;
static unsigned int xen_drm_fault_calls;
static char xen_drm_fault_hit[128];
static int xen_drm_fault_grants;
static int xen_drm_fault_ports;

bool xen_drm_fault(const struct xen_drm_fault_site *site)
{
	unsigned long flags;
	bool fail;

	spin_lock_irqsave(&xen_drm_fault_lock, flags);
	fail = ++xen_drm_fault_calls == xen_drm_fault_nth;
	if (fail)
		scnprintf(xen_drm_fault_hit, sizeof(xen_drm_fault_hit),
			  "%u %s %s:%u", xen_drm_fault_calls, site->call,
			  kbasename(site->file), site->line);
	spin_unlock_irqrestore(&xen_drm_fault_lock, flags);
	if (fail)
		pr_info("%s: fails: %s\n", KBUILD_MODNAME, xen_drm_fault_hit);
	return fail;
}

static int xen_drm_fault_nth_set(const char *text, const struct kernel_param *kp)
{
	unsigned int nth;
	int ret = kstrtouint(text, 0, &nth);

	if (ret)
		return ret;
	spin_lock_irq(&xen_drm_fault_lock);
	xen_drm_fault_nth = nth;
	xen_drm_fault_calls = 0;
	xen_drm_fault_hit[0] = 0;
	spin_unlock_irq(&xen_drm_fault_lock);
	return 0;
}

static int xen_drm_fault_nth_get(char *text, const struct kernel_param *kp)
{
	return sysfs_emit(text, "%u\n", READ_ONCE(xen_drm_fault_calls));
}

static const struct kernel_param_ops xen_drm_fault_nth_ops = {
	.set = xen_drm_fault_nth_set,
	.get = xen_drm_fault_nth_get,
};

module_param_cb(fault_nth, &xen_drm_fault_nth_ops, NULL, 0644);
MODULE_PARM_DESC(fault_nth, "Let the N-th call of Xen from now on fail (tests)");

static int xen_drm_fault_hit_get(char *text, const struct kernel_param *kp)
{
	int len;

	spin_lock_irq(&xen_drm_fault_lock);
	len = sysfs_emit(text, "%s\n", xen_drm_fault_hit);
	spin_unlock_irq(&xen_drm_fault_lock);
	return len;
}

static const struct kernel_param_ops xen_drm_fault_hit_ops = {
	.get = xen_drm_fault_hit_get,
};

module_param_cb(fault_hit, &xen_drm_fault_hit_ops, NULL, 0444);
MODULE_PARM_DESC(fault_hit, "The call that failed (tests)");

static int xen_drm_fault_held_get(char *text, const struct kernel_param *kp)
{
	return sysfs_emit(text, "grants %d ports %d\n",
			  READ_ONCE(xen_drm_fault_grants),
			  READ_ONCE(xen_drm_fault_ports));
}

static const struct kernel_param_ops xen_drm_fault_held_ops = {
	.get = xen_drm_fault_held_get,
};

module_param_cb(fault_held, &xen_drm_fault_held_ops, NULL, 0444);
MODULE_PARM_DESC(fault_held, "Grants and ports not given back (tests)");

static void xen_drm_fault_count(int *count, int change)
{
	unsigned long flags;

	spin_lock_irqsave(&xen_drm_fault_lock, flags);
	*count += change;
	spin_unlock_irqrestore(&xen_drm_fault_lock, flags);
}

/* As the real one: it tells the backend, and nobody who calls it. */
int xen_drm_fault_switch_state(const struct xen_drm_fault_site *site,
			       struct xenbus_device *xb,
			       enum xenbus_state state)
{
	if (!xen_drm_fault(site))
		return (xenbus_switch_state)(xb, state);
	xenbus_dev_fatal(xb, -EIO, "writing new state");
	return 0;
}

/* Another's change came in between; or an error. It is over in any case. */
int xen_drm_fault_transaction_end(const struct xen_drm_fault_site *site,
				  struct xenbus_transaction xbt, int abort)
{
	struct xen_drm_fault_site again = *site;
	int ret = 0;

	again.call = "xenbus_transaction_end (EAGAIN)";
	if (xen_drm_fault(&again))
		ret = -EAGAIN;
	else if (xen_drm_fault(site))
		ret = -EIO;
	if (!ret)
		return (xenbus_transaction_end)(xbt, abort);
	(xenbus_transaction_end)(xbt, 1);
	return ret;
}

int xen_drm_fault_alloc_evtchn(const struct xen_drm_fault_site *site,
			       struct xenbus_device *xb, evtchn_port_t *port)
{
	int ret = xen_drm_fault(site) ? -ENOSPC :
		(xenbus_alloc_evtchn)(xb, port);

	if (!ret)
		xen_drm_fault_count(&xen_drm_fault_ports, 1);
	return ret;
}

int xen_drm_fault_free_evtchn(struct xenbus_device *xb, evtchn_port_t port)
{
	xen_drm_fault_count(&xen_drm_fault_ports, -1);
	return (xenbus_free_evtchn)(xb, port);
}

void xen_drm_fault_unbind(unsigned int irq, void *ctx)
{
	(unbind_from_irqhandler)(irq, ctx);
	xen_drm_fault_count(&xen_drm_fault_ports, -1);
}

int xen_drm_fault_setup_ring(const struct xen_drm_fault_site *site,
			     struct xenbus_device *xb, gfp_t gfp, void **page,
			     unsigned int num, grant_ref_t *ref)
{
	int ret = xen_drm_fault(site) ? -ENOMEM :
		(xenbus_setup_ring)(xb, gfp, page, num, ref);

	if (!ret)
		xen_drm_fault_count(&xen_drm_fault_grants, num);
	return ret;
}

int xen_drm_fault_claim(grant_ref_t *head)
{
	int ref = (gnttab_claim_grant_reference)(head);

	if (ref >= 0)
		xen_drm_fault_count(&xen_drm_fault_grants, 1);
	return ref;
}

void xen_drm_fault_unclaim(grant_ref_t ref)
{
	xen_drm_fault_count(&xen_drm_fault_grants, -1);
	(gnttab_free_grant_reference)(ref);
}

/*
 * Fails as with a backend that still uses it. One grant in 64: buffers have many,
 * and each is a run of a test.
 */
int xen_drm_fault_try_end(const struct xen_drm_fault_site *site,
			  grant_ref_t ref)
{
	if ((ref % 64 == 0 && xen_drm_fault(site)) ||
	    !(gnttab_try_end_foreign_access)(ref))
		return 0;
	xen_drm_fault_count(&xen_drm_fault_grants, -1);
	return 1;
}

void xen_drm_fault_end(grant_ref_t ref, struct page *page)
{
	xen_drm_fault_count(&xen_drm_fault_grants, -1);
	(gnttab_end_foreign_access)(ref, page);
}
