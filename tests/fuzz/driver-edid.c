// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The driver asks for an EDID: a backend that answers with a size and bytes of its
 * own, and goes on writing. What the driver keeps is a copy, whole blocks of it,
 * and what it takes for an EDID has its checksums right.
 */
#include "driver.h"

#include <drm/drm_edid.h>

#include "xen_drm_channel.c"
#include "xen_drm_ring.c"
#include "xen_drm_call.c"
#include "xen_drm_cmd.c"
#include "xen_drm_edid.c"

static struct fuzz_input in;
static struct xen_drm xdrm;
static struct xenbus_device xb;
static struct xen_drm_pipe the_pipe;
static struct xen_displif_back_ring back;
static struct page **lent;
static unsigned int nr_lent;

/* in place of the driver's: grants are the pages */
int xen_drm_grants_take(struct xen_drm_grants *grants,
			struct xen_drm_grant_acct *acct, domid_t domid,
			struct page **pages, size_t size, bool readonly)
{
	CHECK(!readonly);
	lent = pages;
	nr_lent = DIV_ROUND_UP(size, PAGE_SIZE);
	return 0;
}

void xen_drm_grants_end(struct xen_drm_grants *grants,
			struct xen_drm_grant_acct *acct, struct page **pages)
{
	CHECK(!lent || lent == pages);
	lent = NULL;
}

grant_ref_t xen_drm_grants_dir(const struct xen_drm_grants *grants)
{
	return 9;
}

void xen_drm_buf_put(struct xen_drm_buf *buf)
{
}

static void fill(void)
{
	for (unsigned int i = 0; i < nr_lent && in.left; i++)
		fuzz_take(&in, page_address(lent[i]), PAGE_SIZE);
}

static void mend_checksums(void)
{
	u8 *edid = page_address(lent[0]);

	for (unsigned int at = 0; at < 4 * EDID_LENGTH; at += EDID_LENGTH) {
		u8 sum = 0;

		for (unsigned int i = 0; i < EDID_LENGTH - 1; i++)
			sum += edid[at + i];
		edid[at + EDID_LENGTH - 1] = -sum;
	}
}

static void answer(void)
{
	struct xendispl_resp resp = { .operation = XENDISPL_OP_GET_EDID };
	struct xendispl_req req;
	u8 how = fuzz_u8(&in);

	jiffies += 100;
	kernel_work_due(&the_pipe.ring.expire);
	if (back.req_cons == the_pipe.ring.front.req_prod_pvt || !lent ||
	    how & 1)
		return;
	RING_COPY_REQUEST(&back, back.req_cons, &req);
	back.req_cons++;
	CHECK(req.op.get_edid.buffer_sz <= nr_lent * PAGE_SIZE);
	resp.id = req.id;
	resp.status = how & 2 ? -(s32)fuzz_u8(&in) : 0;
	resp.op.get_edid.edid_sz = fuzz_u32(&in);
	if (how & 4)
		resp.op.get_edid.edid_sz = how / 8 % 8 * EDID_LENGTH;
	fill();
	if (how & 128)
		mend_checksums();
	*RING_GET_RESPONSE(&back, back.rsp_prod_pvt) = resp;
	back.rsp_prod_pvt++;
	RING_PUSH_RESPONSES(&back);
	kernel_interrupt(the_pipe.ring.ch.irq);
}

void (*kernel_wait)(void) = answer;

static void check(const u8 *edid, size_t size)
{
	size_t used = (edid[126] + 1u) * EDID_LENGTH;

	CHECK(used <= size);
	for (size_t at = 0; at < used; at += EDID_LENGTH) {
		u8 sum = 0;

		for (size_t i = 0; i < EDID_LENGTH; i++)
			sum += edid[at + i];
		CHECK(!sum);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xen_drm_pipe *pipe = &the_pipe;
	u8 *edid;
	size_t len;

	in = (struct fuzz_input){ data, size };
	memset(&xdrm, 0, sizeof(xdrm));
	memset(pipe, 0, sizeof(*pipe));
	xdrm.pipes = pipe;
	pipe->xdrm = &xdrm;
	xen_drm_ring_init(&pipe->ring, 0, &xdrm.stats);
	CHECK(!xen_drm_ring_open(&pipe->ring, &xb));
	BACK_RING_INIT(&back, (struct xen_displif_sring *)pipe->ring.ch.page,
		       XEN_PAGE_SIZE);
	xen_drm_ring_start(&pipe->ring);
	if (!xen_drm_cmd_get_edid(pipe, &edid, &len)) {
		CHECK(len && len <= XENDISPL_EDID_MAX_SIZE);
		CHECK(len % EDID_LENGTH == 0);
		if (xen_drm_edid_good(edid, len))
			check(edid, len);
		free(edid);
	}
	xen_drm_ring_close(&pipe->ring);
	CHECK(!lent);
	kernel_expect_clean();
	return 0;
}
