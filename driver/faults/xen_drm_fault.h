/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Calls of Xen that fail on demand, and a balance of what they hand out, for
 * tests. Only a build with XEN_DRM_FAULTS=y has it: Kbuild then puts this file
 * before each source, where the names below get another meaning without the
 * source's knowing.
 */

#ifndef XEN_DRM_FAULT_H
#define XEN_DRM_FAULT_H

#include <linux/err.h>
#include <linux/types.h>

#include <drm/drm_drv.h>

#include <xen/events.h>
#include <xen/grant_table.h>
#include <xen/xenbus.h>

/* Where a call is made. */
struct xen_drm_fault_site {
	const char *call;
	const char *file;
	unsigned int line;
};

bool xen_drm_fault(const struct xen_drm_fault_site *site);

#define XEN_DRM_FAULT_SITE(name) \
	(&(const struct xen_drm_fault_site){ name, __FILE__, __LINE__ })
/* Is this call to fail? */
#define XEN_DRM_FAULT(name)	xen_drm_fault(XEN_DRM_FAULT_SITE(name))

/* XenStore */

#define xenbus_read(...) \
	(XEN_DRM_FAULT("xenbus_read") ? ERR_PTR(-EIO) : \
	 xenbus_read(__VA_ARGS__))
#define xenbus_exists(...) \
	(XEN_DRM_FAULT("xenbus_exists") ? 0 : xenbus_exists(__VA_ARGS__))
#define xenbus_printf(...) \
	(XEN_DRM_FAULT("xenbus_printf") ? -EIO : xenbus_printf(__VA_ARGS__))
#define xenbus_transaction_start(xbt) \
	(XEN_DRM_FAULT("xenbus_transaction_start") ? -ENOSPC : \
	 xenbus_transaction_start(xbt))

int xen_drm_fault_switch_state(const struct xen_drm_fault_site *site,
			       struct xenbus_device *xb,
			       enum xenbus_state state);
#define xenbus_switch_state(...) \
	xen_drm_fault_switch_state( \
		XEN_DRM_FAULT_SITE("xenbus_switch_state"), __VA_ARGS__)

int xen_drm_fault_transaction_end(const struct xen_drm_fault_site *site,
				  struct xenbus_transaction xbt, int abort);
#define xenbus_transaction_end(...) \
	xen_drm_fault_transaction_end( \
		XEN_DRM_FAULT_SITE("xenbus_transaction_end"), __VA_ARGS__)

/* Event channels */

int xen_drm_fault_alloc_evtchn(const struct xen_drm_fault_site *site,
			       struct xenbus_device *xb, evtchn_port_t *port);
#define xenbus_alloc_evtchn(...) \
	xen_drm_fault_alloc_evtchn( \
		XEN_DRM_FAULT_SITE("xenbus_alloc_evtchn"), __VA_ARGS__)

int xen_drm_fault_free_evtchn(struct xenbus_device *xb, evtchn_port_t port);
#define xenbus_free_evtchn(...) \
	xen_drm_fault_free_evtchn(__VA_ARGS__)

#define bind_evtchn_to_irqhandler_lateeoi(...) \
	(XEN_DRM_FAULT("bind_evtchn_to_irqhandler_lateeoi") ? -ENOMEM : \
	 bind_evtchn_to_irqhandler_lateeoi(__VA_ARGS__))

void xen_drm_fault_unbind(unsigned int irq, void *ctx);
#define unbind_from_irqhandler(...) \
	xen_drm_fault_unbind(__VA_ARGS__)

/* Grants */

int xen_drm_fault_setup_ring(const struct xen_drm_fault_site *site,
			     struct xenbus_device *xb, gfp_t gfp, void **page,
			     unsigned int num, grant_ref_t *ref);
#define xenbus_setup_ring(...) \
	xen_drm_fault_setup_ring( \
		XEN_DRM_FAULT_SITE("xenbus_setup_ring"), __VA_ARGS__)

#define gnttab_alloc_grant_references(...) \
	(XEN_DRM_FAULT("gnttab_alloc_grant_references") ? -ENOSPC : \
	 gnttab_alloc_grant_references(__VA_ARGS__))

int xen_drm_fault_claim(grant_ref_t *head);
#define gnttab_claim_grant_reference(...) \
	xen_drm_fault_claim(__VA_ARGS__)

void xen_drm_fault_unclaim(grant_ref_t ref);
#define gnttab_free_grant_reference(...) \
	xen_drm_fault_unclaim(__VA_ARGS__)

int xen_drm_fault_try_end(const struct xen_drm_fault_site *site,
			  grant_ref_t ref);
#define gnttab_try_end_foreign_access(...) \
	xen_drm_fault_try_end( \
		XEN_DRM_FAULT_SITE("gnttab_try_end_foreign_access"), \
		__VA_ARGS__)

void xen_drm_fault_end(grant_ref_t ref, struct page *page);
#define gnttab_end_foreign_access(...) \
	xen_drm_fault_end(__VA_ARGS__)

#define gnttab_alloc_pages(...) \
	(XEN_DRM_FAULT("gnttab_alloc_pages") ? -ENOMEM : \
	 gnttab_alloc_pages(__VA_ARGS__))
#define gnttab_map_refs(...) \
	(XEN_DRM_FAULT("gnttab_map_refs") ? -EFAULT : \
	 gnttab_map_refs(__VA_ARGS__))

/* What is made of them */

#define drm_dev_register(...) \
	(XEN_DRM_FAULT("drm_dev_register") ? -ENOMEM : \
	 drm_dev_register(__VA_ARGS__))

#endif
