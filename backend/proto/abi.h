/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The displif wire format, as the public header gives it, plus the layouts
 * of the extensions in docs/protocol-extensions.md. The sizes and offsets
 * this daemon leans on are asserted in abi.c.
 *
 * Include this file and never <xen/io/displif.h> itself: the ring macros in
 * there need the barriers defined below.
 */
#ifndef XD_PROTO_ABI_H
#define XD_PROTO_ABI_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef __XEN_TOOLS__
#define __XEN_TOOLS__ 1		/* newest interface version, as xenctrl.h does */
#endif

#ifndef xen_mb
#define xen_mb()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_rmb()	__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb()	__atomic_thread_fence(__ATOMIC_RELEASE)
#endif

#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/io/displif.h>
#include <xen/errno.h>

/* All of the wire counts in Xen pages, whatever the host's page size is. */
#define XD_PAGE_SHIFT		12
#define XD_PAGE_SIZE		4096u

/* Grant references that one page of a page directory holds: 1023. */
#define XD_GREFS_PER_PAGE						\
	((XD_PAGE_SIZE - offsetof(struct xendispl_page_directory, gref)) / \
	 sizeof(grant_ref_t))

/* Request codes and event types of the extensions. */
#define XD_OP_CURSOR_SET	0x20
#define XD_OP_CURSOR_MOVE	0x21
#define XD_EVT_CONNECTOR	0x01

/* Most rectangles one PG_FLIP carries under the `damage` extension. */
#define XD_MAX_WIRE_DAMAGE	5

/* One damaged area, end exclusive, in pixels of the framebuffer. */
struct xd_wire_rect {
	uint16_t x1;
	uint16_t y1;
	uint16_t x2;
	uint16_t y2;
};

/* PG_FLIP's op union with `damage` on; count 0 means the whole frame. */
struct xd_wire_pg_flip_damage {
	uint64_t fb_cookie;
	uint8_t count;
	uint8_t reserved[7];
	struct xd_wire_rect rect[XD_MAX_WIRE_DAMAGE];
};

/* FB_ATTACH's op union with `stride` on; both in bytes. */
struct xd_wire_fb_attach_stride {
	uint64_t dbuf_cookie;
	uint64_t fb_cookie;
	uint32_t width;
	uint32_t height;
	uint32_t pixel_format;
	uint32_t stride;
	uint32_t offset;
};

/* Op union of XD_OP_CURSOR_SET; fb_cookie 0 hides the cursor. */
struct xd_wire_cursor_set {
	uint64_t fb_cookie;
	uint32_t hot_x;
	uint32_t hot_y;
};

/* Op union of XD_OP_CURSOR_MOVE: where the hot spot is, may be negative. */
struct xd_wire_cursor_move {
	int32_t x;
	int32_t y;
};

/* Op union of event XD_EVT_CONNECTOR. */
struct xd_wire_connector_evt {
	uint8_t connected;
	uint8_t reserved[7];
};

#endif /* XD_PROTO_ABI_H */
