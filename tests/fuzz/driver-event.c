// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The driver's event page, which a backend fills, honestly or not. No interrupt
 * delivers more events than the page has, and none is delivered that is stopped.
 */
#include "driver.h"

#include "xen_drm_channel.c"
#include "xen_drm_event.c"

static struct xen_drm_events events;
static struct xen_drm_stats stats;
static struct xenbus_device xb;
static unsigned int told;

static bool on_event(void *ctx, const struct xendispl_evt *evt)
{
	CHECK(ctx == &told);
	CHECK(events.lock.held && events.up);
	told++;
	return evt->type & 1;
}

static void put(struct xendispl_event_page *page, u16 id)
{
	struct xendispl_evt *evt = &XENDISPL_IN_RING_REF(page, page->in_prod);

	memset(evt, 0, sizeof(*evt));
	evt->id = id;
	page->in_prod++;
}

static void look(void (*how)(void))
{
	told = 0;
	how();
	CHECK(told <= XENDISPL_IN_RING_LEN);
	CHECK(events.up || !told);
	CHECK(!events.lock.held);
}

static void interrupt(void)
{
	kernel_interrupt(events.ch.irq);
}

static void poll(void)
{
	xen_drm_events_poll(&events);
}

static void start(void)
{
	xen_drm_events_start(&events);
}

static void reopen(void)
{
	xen_drm_events_close(&events);
	CHECK(!xen_drm_events_open(&events, &xb));
}

static void turn(struct fuzz_input *in)
{
	struct xendispl_event_page *page = events.ch.page;
	u32 at;

	switch (fuzz_u8(in) % 10) {
	case 0:
	case 1:
		put(page, events.next_id + fuzz_u8(in) % 4);
		break;
	case 2:
		page->in_prod = fuzz_u32(in);
		break;
	case 3:
		page->in_cons = fuzz_u32(in);
		break;
	case 4:
		at = fuzz_u32(in) % PAGE_SIZE;
		((u8 *)page)[at] = fuzz_u8(in);
		break;
	case 5:
		look(poll);
		break;
	case 6:
		xen_drm_events_stop(&events);
		break;
	case 7:
		look(start);
		break;
	case 8:
		reopen();
		break;
	default:
		look(interrupt);
		/* ours, whatever was in its place */
		if (events.up)
			CHECK(page->in_cons == events.cons);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };

	memset(&events, 0, sizeof(events));
	xen_drm_events_init(&events, 0, &stats, on_event, &told);
	CHECK(!xen_drm_events_open(&events, &xb));
	xen_drm_events_start(&events);
	while (in.left)
		turn(&in);
	xen_drm_events_close(&events);
	kernel_expect_clean();
	return 0;
}
