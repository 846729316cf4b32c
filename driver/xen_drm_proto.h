/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What displif.h leaves unsaid: sizes we rely on, and the negotiated
 * extensions, see docs/protocol-extensions.md.
 */

#ifndef XEN_DRM_PROTO_H
#define XEN_DRM_PROTO_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include <xen/interface/grant_table.h>
#include <xen/interface/io/ring.h>
#include <xen/interface/io/displif.h>
#include <xen/page.h>

#define XEN_DRM_FEAT_DAMAGE		BIT(0)
#define XEN_DRM_FEAT_STRIDE		BIT(1)
#define XEN_DRM_FEAT_CONNECTOR_EVENT	BIT(2)
#define XEN_DRM_FEAT_RO_GRANTS		BIT(3)
#define XEN_DRM_FEAT_CURSOR		BIT(4)
#define XEN_DRM_FEAT_FORMATS		BIT(5)

#define XEN_DRM_OP_CURSOR_SET		0x20
#define XEN_DRM_OP_CURSOR_MOVE		0x21
#define XEN_DRM_EVT_CONNECTOR		0x01

#define XEN_DRM_MAX_FORMATS		32
#define XEN_DRM_MAX_DAMAGE		5

/* Errors on the wire are Xen's: 0 or -1 to -4095. */
#define XEN_DRM_MAX_STATUS		4095

/* An area, pixels, end exclusive */
struct xen_drm_rect {
	u16 x1, y1, x2, y2;
};

/* PG_FLIP with "damage"; count 0: the whole frame changed */
struct xen_drm_damage {
	u8 count;
	u8 reserved[7];
	struct xen_drm_rect rect[XEN_DRM_MAX_DAMAGE];
};

struct xen_drm_page_flip_damage {
	u64 fb_cookie;
	struct xen_drm_damage damage;
};

/* FB_ATTACH with "stride"; packed: the base structure ends unaligned */
struct xen_drm_fb_attach_stride {
	u64 dbuf_cookie;
	u64 fb_cookie;
	u32 width;
	u32 height;
	u32 pixel_format;
	u32 stride;
	u32 offset;
};

struct xen_drm_cursor_set {
	u64 fb_cookie;
	s32 hot_x;
	s32 hot_y;
};

struct xen_drm_cursor_move {
	s32 x;
	s32 y;
};

struct xen_drm_connector_event {
	u8 connected;
	u8 reserved[7];
};

/* gref[] is gref[1] in older copies of the header: never take sizeof. */
#define XEN_DRM_DIR_REFS \
	((XEN_PAGE_SIZE - offsetof(struct xendispl_page_directory, gref)) / \
	 sizeof(grant_ref_t))

static_assert(sizeof(struct xendispl_req) == 64);
static_assert(sizeof(struct xendispl_resp) == 64);
static_assert(sizeof(struct xendispl_evt) == 64);
static_assert(offsetof(struct xendispl_req, op) == 8);
static_assert(offsetof(struct xendispl_resp, op) == 8);
static_assert(offsetof(struct xendispl_evt, op) == 8);
static_assert(sizeof(struct xendispl_event_page) == 64);
static_assert(XENDISPL_IN_RING_LEN == 63);
static_assert(offsetof(struct xendispl_dbuf_create_req, data_ofs) == 32);
static_assert(offsetof(struct xendispl_fb_attach_req, pixel_format) == 24);
static_assert(sizeof(struct xen_drm_page_flip_damage) == 56);
static_assert(offsetof(struct xen_drm_fb_attach_stride, pixel_format) ==
	      offsetof(struct xendispl_fb_attach_req, pixel_format));
static_assert(offsetof(struct xen_drm_fb_attach_stride, stride) == 28);
static_assert(offsetof(struct xen_drm_fb_attach_stride, offset) == 32);
static_assert(XEN_DRM_DIR_REFS == 1023);

#endif
