// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The driver's ring: clients that send requests, and a backend that answers,
 * honestly or not, or writes into the shared page. Whatever it does: who sent a
 * request is told once, and what it named is let go of once, when the backend
 * can no longer touch it.
 */
#include "driver.h"

#include "xen_drm_channel.c"
#include "xen_drm_ring.c"
#include "xen_drm_call.c"

#define MAX_SENT	4096

/* A request that was taken by the ring. */
struct sent {
	unsigned int done;
	unsigned int released;
};

static struct fuzz_input in;
static struct xen_drm_ring ring;
static struct xen_drm_stats stats;
static struct xenbus_device xb;
static struct xen_displif_back_ring back;
static struct sent sent[MAX_SENT];
static unsigned int nr_sent, nr_waited;

static void on_done(void *ctx, u32 tag, int status,
		    const struct xendispl_resp *resp)
{
	struct sent *s = ctx;

	CHECK(!ring.lock.held);
	CHECK(s == &sent[tag]);
	CHECK(!s->done && !s->released);
	CHECK(status <= 0 && status > -ERESTARTSYS);
	s->done++;
}

static void on_release(void *ctx)
{
	struct sent *s = ctx;

	CHECK(!s->released);
	s->released++;
}

static void submit(bool wait)
{
	struct xendispl_req req = { .operation = fuzz_u8(&in) % 0x22 };
	struct xen_drm_call call = {
		.done = on_done,
		.release = on_release,
		.ctx = &sent[nr_sent],
		.tag = nr_sent,
		.quiet = fuzz_u8(&in) & 1,
	};
	int ret;

	if (nr_sent == MAX_SENT || !ring.ch.page)
		return;
	/* it may send others while it waits */
	nr_sent++;
	ret = wait ? xen_drm_ring_submit(&ring, &req, &call) :
		xen_drm_ring_try_submit(&ring, &req, &call);
	if (ret)	/* nobody has heard of it */
		*(struct sent *)call.ctx = (struct sent){ 1, 1 };
}

static void on_waited(void *ctx)
{
	nr_waited--;
}

static void call(void)
{
	struct xendispl_req req = { .operation = fuzz_u8(&in) % 0x22 };
	struct xendispl_resp resp;

	if (!ring.ch.page)
		return;
	nr_waited++;
	xen_drm_ring_call(&ring, &req, &resp, on_waited, NULL);
}

static void put(const struct xendispl_resp *resp)
{
	*RING_GET_RESPONSE(&back, back.rsp_prod_pvt) = *resp;
	back.rsp_prod_pvt++;
	RING_PUSH_RESPONSES(&back);
}

static void answer(void)
{
	struct xendispl_req req;
	struct xendispl_resp resp = { .status = -(s32)(fuzz_u8(&in) % 8) };

	if (back.req_cons == ring.front.req_prod_pvt)
		return;
	RING_COPY_REQUEST(&back, back.req_cons, &req);
	back.req_cons++;
	resp.id = req.id;
	resp.operation = req.operation;
	put(&resp);
}

static void answer_anything(void)
{
	struct xendispl_resp resp;

	fuzz_take(&in, &resp, sizeof(resp));
	put(&resp);
}

static void scribble(void)
{
	u32 at = fuzz_u32(&in) % PAGE_SIZE;

	((u8 *)ring.ch.page)[at] = fuzz_u8(&in);
}

static void pass(unsigned long ms)
{
	jiffies += ms;
	kernel_work_due(&ring.expire);
}

static void open_ring(void)
{
	CHECK(!xen_drm_ring_open(&ring, &xb));
	BACK_RING_INIT(&back, (struct xen_displif_sring *)ring.ch.page,
		       XEN_PAGE_SIZE);
	xen_drm_ring_start(&ring);
}

static void panic(void)
{
	struct xendispl_req req = { .operation = XENDISPL_OP_PG_FLIP };

	xen_drm_ring_panic(&ring, &req);
}

/* What can happen while somebody waits, too: all but the end of the ring. */
static void backend_turn(u8 what)
{
	if (!ring.ch.page)
		return;
	switch (what % 8) {
	case 0:
		answer();
		break;
	case 1:
		answer_anything();
		break;
	case 2:
		((struct xen_displif_sring *)ring.ch.page)->rsp_prod =
			fuzz_u32(&in);
		break;
	case 3:
		scribble();
		break;
	case 4:
		kernel_interrupt(ring.ch.irq);
		break;
	case 5:
		pass(fuzz_u8(&in) * 20u);
		break;
	case 6:
		answer();
		kernel_interrupt(ring.ch.irq);
		break;
	default:
		xen_drm_ring_poll(&ring);
		break;
	}
	CHECK(ring.awaited <= XEN_DRM_RING_SLOTS);
}

static void while_waiting(void)
{
	CHECK(!ring.lock.held);
	if (in.left)
		backend_turn(fuzz_u8(&in));
	else
		pass(100);
}

void (*kernel_wait)(void) = while_waiting;

static void turn(u8 what)
{
	switch (what >> 4) {
	case 0:
	case 1:
	case 2:
		submit(false);
		break;
	case 3:
		submit(true);
		break;
	case 4:
		call();
		break;
	case 5:
		panic();
		break;
	case 6:
		xen_drm_ring_stop(&ring);
		break;
	case 7:
		xen_drm_ring_close(&ring);
		open_ring();
		break;
	default:
		backend_turn(what);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	in = (struct fuzz_input){ data, size };
	memset(&ring, 0, sizeof(ring));
	memset(sent, 0, nr_sent * sizeof(sent[0]));
	nr_sent = 0;
	nr_waited = 0;
	xen_drm_ring_init(&ring, 0, &stats);
	open_ring();
	while (in.left)
		turn(fuzz_u8(&in));
	xen_drm_ring_close(&ring);
	for (unsigned int i = 0; i < nr_sent; i++)
		CHECK(sent[i].done == 1 && sent[i].released == 1);
	CHECK(!nr_waited);
	CHECK(!ring.expire.work.pending);
	kernel_expect_clean();
	return 0;
}
