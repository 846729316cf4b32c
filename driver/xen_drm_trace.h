/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Tracepoints: everything that crosses the wire, and what becomes of flips.
 */

#undef TRACE_SYSTEM
#define TRACE_SYSTEM xen_drm

#if !defined(XEN_DRM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define XEN_DRM_TRACE_H

#include <linux/tracepoint.h>

#include <xen/interface/io/ring.h>
#include <xen/interface/grant_table.h>
#include <xen/page.h>
#include <xen/interface/io/displif.h>

#define xen_drm_show_op(op) __print_symbolic(op,	\
	{ XENDISPL_OP_DBUF_CREATE, "dbuf-create" },	\
	{ XENDISPL_OP_DBUF_DESTROY, "dbuf-destroy" },	\
	{ XENDISPL_OP_FB_ATTACH, "fb-attach" },		\
	{ XENDISPL_OP_FB_DETACH, "fb-detach" },		\
	{ XENDISPL_OP_SET_CONFIG, "set-config" },	\
	{ XENDISPL_OP_PG_FLIP, "pg-flip" },		\
	{ XENDISPL_OP_GET_EDID, "get-edid" },		\
	{ 0x20, "cursor-set" },				\
	{ 0x21, "cursor-move" })

/* what becomes of a flip */
#define XEN_DRM_FLIP_ARMED	0
#define XEN_DRM_FLIP_SHOWN	1
#define XEN_DRM_FLIP_LATE	2
#define XEN_DRM_FLIP_TIMED_OUT	3
#define XEN_DRM_FLIP_COMPLETED	4

#define xen_drm_show_flip(what) __print_symbolic(what,	\
	{ XEN_DRM_FLIP_ARMED, "armed" },		\
	{ XEN_DRM_FLIP_SHOWN, "shown" },		\
	{ XEN_DRM_FLIP_LATE, "late" },			\
	{ XEN_DRM_FLIP_TIMED_OUT, "timed-out" },	\
	{ XEN_DRM_FLIP_COMPLETED, "completed" })

TRACE_EVENT(xen_drm_request,
	TP_PROTO(unsigned int conn, u16 id, u8 op),
	TP_ARGS(conn, id, op),
	TP_STRUCT__entry(
		__field(unsigned int, conn)
		__field(u16, id)
		__field(u8, op)
	),
	TP_fast_assign(
		__entry->conn = conn;
		__entry->id = id;
		__entry->op = op;
	),
	TP_printk("conn=%u id=%u op=%s", __entry->conn, __entry->id,
		  xen_drm_show_op(__entry->op))
);

TRACE_EVENT(xen_drm_response,
	TP_PROTO(unsigned int conn, u16 id, u8 op, int status),
	TP_ARGS(conn, id, op, status),
	TP_STRUCT__entry(
		__field(unsigned int, conn)
		__field(u16, id)
		__field(u8, op)
		__field(int, status)
	),
	TP_fast_assign(
		__entry->conn = conn;
		__entry->id = id;
		__entry->op = op;
		__entry->status = status;
	),
	TP_printk("conn=%u id=%u op=%s status=%d", __entry->conn, __entry->id,
		  xen_drm_show_op(__entry->op), __entry->status)
);

TRACE_EVENT(xen_drm_event,
	TP_PROTO(unsigned int conn, u16 id, u8 type, u64 cookie),
	TP_ARGS(conn, id, type, cookie),
	TP_STRUCT__entry(
		__field(unsigned int, conn)
		__field(u16, id)
		__field(u8, type)
		__field(u64, cookie)
	),
	TP_fast_assign(
		__entry->conn = conn;
		__entry->id = id;
		__entry->type = type;
		__entry->cookie = cookie;
	),
	TP_printk("conn=%u id=%u type=%u cookie=%llu", __entry->conn,
		  __entry->id, __entry->type, __entry->cookie)
);

TRACE_EVENT(xen_drm_flip,
	TP_PROTO(unsigned int conn, u32 seq, u64 cookie, u8 what),
	TP_ARGS(conn, seq, cookie, what),
	TP_STRUCT__entry(
		__field(unsigned int, conn)
		__field(u32, seq)
		__field(u64, cookie)
		__field(u8, what)
	),
	TP_fast_assign(
		__entry->conn = conn;
		__entry->seq = seq;
		__entry->cookie = cookie;
		__entry->what = what;
	),
	TP_printk("conn=%u seq=%u cookie=%llu %s", __entry->conn, __entry->seq,
		  __entry->cookie, xen_drm_show_flip(__entry->what))
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE xen_drm_trace
#include <trace/define_trace.h>
