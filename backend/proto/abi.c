// SPDX-License-Identifier: GPL-2.0-or-later
/* The wire, as we rely on it: a header that differs must not build. */
#include "proto/abi.h"

#define ASSERT_AT(type, member, at)					\
	_Static_assert(offsetof(struct type, member) == (at),		\
		       #type "." #member " moved")
#define ASSERT_SIZE(type, size)						\
	_Static_assert(sizeof(struct type) == (size), #type " changed size")

_Static_assert(sizeof(grant_ref_t) == 4, "grant_ref_t");
_Static_assert(XENDISPL_EVENT_PAGE_SIZE == XD_PAGE_SIZE, "event page");
_Static_assert(XENDISPL_IN_RING_OFFS == 64, "event page header");
_Static_assert(XENDISPL_IN_RING_LEN == 63, "events per page");
_Static_assert(XD_GREFS_PER_PAGE == 1023, "references per directory page");
_Static_assert(XENDISPL_EDID_MAX_SIZE == 32768, "EDID size");
_Static_assert(sizeof(union xen_displif_sring_entry) == 64, "ring slot");

ASSERT_SIZE(xendispl_req, 64);
ASSERT_AT(xendispl_req, id, 0);
ASSERT_AT(xendispl_req, operation, 2);
ASSERT_AT(xendispl_req, op, 8);
ASSERT_AT(xendispl_req, op.dbuf_create.dbuf_cookie, 8);
ASSERT_AT(xendispl_req, op.dbuf_create.width, 16);
ASSERT_AT(xendispl_req, op.dbuf_create.height, 20);
ASSERT_AT(xendispl_req, op.dbuf_create.bpp, 24);
ASSERT_AT(xendispl_req, op.dbuf_create.buffer_sz, 28);
ASSERT_AT(xendispl_req, op.dbuf_create.flags, 32);
ASSERT_AT(xendispl_req, op.dbuf_create.gref_directory, 36);
ASSERT_AT(xendispl_req, op.dbuf_create.data_ofs, 40);
ASSERT_AT(xendispl_req, op.dbuf_destroy.dbuf_cookie, 8);
ASSERT_AT(xendispl_req, op.fb_attach.dbuf_cookie, 8);
ASSERT_AT(xendispl_req, op.fb_attach.fb_cookie, 16);
ASSERT_AT(xendispl_req, op.fb_attach.width, 24);
ASSERT_AT(xendispl_req, op.fb_attach.height, 28);
ASSERT_AT(xendispl_req, op.fb_attach.pixel_format, 32);
ASSERT_AT(xendispl_req, op.fb_detach.fb_cookie, 8);
ASSERT_AT(xendispl_req, op.set_config.fb_cookie, 8);
ASSERT_AT(xendispl_req, op.set_config.x, 16);
ASSERT_AT(xendispl_req, op.set_config.y, 20);
ASSERT_AT(xendispl_req, op.set_config.width, 24);
ASSERT_AT(xendispl_req, op.set_config.height, 28);
ASSERT_AT(xendispl_req, op.set_config.bpp, 32);
ASSERT_AT(xendispl_req, op.pg_flip.fb_cookie, 8);
ASSERT_AT(xendispl_req, op.get_edid.buffer_sz, 8);
ASSERT_AT(xendispl_req, op.get_edid.gref_directory, 12);

ASSERT_SIZE(xendispl_resp, 64);
ASSERT_AT(xendispl_resp, id, 0);
ASSERT_AT(xendispl_resp, operation, 2);
ASSERT_AT(xendispl_resp, status, 4);
ASSERT_AT(xendispl_resp, op.get_edid.edid_sz, 8);

ASSERT_SIZE(xendispl_evt, 64);
ASSERT_AT(xendispl_evt, id, 0);
ASSERT_AT(xendispl_evt, type, 2);
ASSERT_AT(xendispl_evt, op.pg_flip.fb_cookie, 8);

ASSERT_SIZE(xendispl_event_page, 64);
ASSERT_AT(xendispl_event_page, in_cons, 0);
ASSERT_AT(xendispl_event_page, in_prod, 4);

ASSERT_AT(xendispl_page_directory, gref_dir_next_page, 0);
ASSERT_AT(xendispl_page_directory, gref, 4);

ASSERT_AT(xen_displif_sring, req_prod, 0);
ASSERT_AT(xen_displif_sring, req_event, 4);
ASSERT_AT(xen_displif_sring, rsp_prod, 8);
ASSERT_AT(xen_displif_sring, rsp_event, 12);
ASSERT_AT(xen_displif_sring, ring, 64);

/* The extensions; offsets from the start of the op union. */
ASSERT_SIZE(xd_wire_rect, 8);
ASSERT_SIZE(xd_wire_pg_flip_damage, 56);
ASSERT_AT(xd_wire_pg_flip_damage, count, 8);
ASSERT_AT(xd_wire_pg_flip_damage, rect, 16);
ASSERT_AT(xd_wire_fb_attach_stride, pixel_format, 24);
ASSERT_AT(xd_wire_fb_attach_stride, stride, 28);
ASSERT_AT(xd_wire_fb_attach_stride, offset, 32);
ASSERT_AT(xd_wire_cursor_set, hot_x, 8);
ASSERT_AT(xd_wire_cursor_set, hot_y, 12);
ASSERT_SIZE(xd_wire_cursor_move, 8);
ASSERT_SIZE(xd_wire_connector_evt, 8);

/* Statuses go out as -XEN_Exx and come from -errno: same numbers here. */
_Static_assert(XEN_EINVAL == 22 && XEN_ENOMEM == 12 && XEN_ENOENT == 2,
	       "Xen's error numbers");
