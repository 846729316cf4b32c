// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A request whose answer is waited for.
 */

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/slab.h>

#include "xen_drm.h"

/* Shared by the one who waits and the slot; whoever is last frees it. */
struct xen_drm_wait {
	struct kref ref;
	struct completion done;
	int status;
	struct xendispl_resp resp;
	void (*release)(void *ctx);
	void *ctx;
};

static void xen_drm_wait_free(struct kref *ref)
{
	kfree(container_of(ref, struct xen_drm_wait, ref));
}

static void xen_drm_wait_done(void *ctx, u32 tag, int status,
			      const struct xendispl_resp *resp)
{
	struct xen_drm_wait *wait = ctx;

	wait->status = status;
	if (resp)
		wait->resp = *resp;
	complete(&wait->done);
}

static void xen_drm_wait_release(void *ctx)
{
	struct xen_drm_wait *wait = ctx;

	if (wait->release)
		wait->release(wait->ctx);
	kref_put(&wait->ref, xen_drm_wait_free);
}

/**
 * xen_drm_ring_call - send a request and wait for its answer
 * @ring: the ring
 * @req: zeroed, then filled
 * @ret_resp: the answer, if this returns 0; may be NULL
 * @release: told once the backend can no longer touch what @req names, even if
 *	this fails; may be NULL
 * @ctx: passed to @release
 *
 * Context: process. Takes XEN_DRM_REQUEST_MS at the most, twice that if the
 * ring is full.
 * Return: 0, the backend's error, or what xen_drm_ring_submit() returns.
 */
int xen_drm_ring_call(struct xen_drm_ring *ring, struct xendispl_req *req,
		      struct xendispl_resp *ret_resp,
		      void (*release)(void *ctx), void *ctx)
{
	struct xen_drm_wait *wait;
	struct xen_drm_call call = {
		.done = xen_drm_wait_done,
		.release = xen_drm_wait_release,
	};
	int ret = -ENOMEM;

	wait = kzalloc(sizeof(*wait), GFP_KERNEL);
	if (!wait)
		goto err_release;
	kref_init(&wait->ref);
	init_completion(&wait->done);
	wait->release = release;
	wait->ctx = ctx;
	call.ctx = wait;

	kref_get(&wait->ref);
	ret = xen_drm_ring_submit(ring, req, &call);
	if (ret) {
		kfree(wait);
		goto err_release;
	}
	wait_for_completion(&wait->done);
	ret = wait->status;
	if (!ret && ret_resp)
		*ret_resp = wait->resp;
	kref_put(&wait->ref, xen_drm_wait_free);
	return ret;

err_release:
	if (release)
		release(ctx);
	return ret;
}
