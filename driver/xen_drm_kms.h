/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The pipeline of a connector: plane, CRTC, encoder, connector, and what is in flight
 * on it.
 */

#ifndef XEN_DRM_KMS_H
#define XEN_DRM_KMS_H

#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <drm/drm_connector.h>
#include <drm/drm_crtc.h>
#include <drm/drm_encoder.h>
#include <drm/drm_plane.h>

#include "xen_drm_proto.h"
#include "xen_drm_vblank.h"
#include "xen_drm_wire.h"

struct xen_drm;
struct xen_drm_fb;
struct xen_drm_page_flip;

/* xen_drm_kms.c, xen_drm_conn.c: the pipeline */

/**
 * struct xen_drm_wire_flip - a PG_FLIP whose frame-done event is to come
 * @cookie: the framebuffer, which the event names
 * @seq: number of the flip
 * @sent: when
 * @stale: it timed out; if the event comes after all, it means nothing
 * @ate_stale: an event was taken for a stale flip of the same framebuffer
 *	while this one waited: if this one times out, that was a mistake
 */
struct xen_drm_wire_flip {
	u64 cookie;
	u32 seq;
	ktime_t sent;
	bool stale;
	bool ate_stale;
};

#define XEN_DRM_MAX_WIRE_FLIPS	4

/**
 * struct xen_drm_flip - from commits to frame-done events
 * @event: the one commit that waits; sent exactly once
 * @event_seq: the flip that completes it
 * @config_seq: number of the latest SET_CONFIG
 * @seq: number of the latest flip or SET_CONFIG
 * @wire: in flight, oldest first
 * @num_wire: how many
 * @dirty: @dirty_cookie changed while a flip was in flight; flip it again
 * @dirty_cookie: see @dirty
 * @damage: what changed
 * @whole: a frame may not have come on screen: the next is flipped whole
 * @sent: when the latest one went out
 *
 * Protected by the pipe's lock.
 */
struct xen_drm_flip {
	struct drm_pending_vblank_event *event;
	u32 event_seq;
	u32 config_seq;
	u32 seq;
	struct xen_drm_wire_flip wire[XEN_DRM_MAX_WIRE_FLIPS];
	unsigned int num_wire;
	bool dirty;
	u64 dirty_cookie;
	struct xen_drm_damage damage;
	bool whole;
	unsigned long sent;	/* jiffies */
};

/**
 * struct xen_drm_cursor - where the cursor is
 * @x: of its image's left edge on the connector, pixels
 * @y: of its top
 * @moved: the backend has not heard of this position
 * @on_its_way: a position was sent and not answered yet
 * @link: connection whose backend shows the plane's image, or none if it has none;
 *	0: it has not heard of it
 *
 * Protected by the pipe's lock.
 */
struct xen_drm_cursor {
	int x;
	int y;
	bool moved;
	bool on_its_way;
	unsigned int link;
};

/**
 * struct xen_drm_pipe - one virtual monitor
 * @xdrm: the device
 * @index: number of the connector in XenStore
 * @plane: the primary plane
 * @cursor_plane: not initialised if the backend offered no cursor
 * @crtc: of @plane
 * @encoder: of @crtc
 * @connector: of @encoder
 * @ring: the connector's requests
 * @events: the connector's events
 * @lock: protects @flip, @cursor, @config_link and @bad; taken in interrupts; inside it
 *	only the ring's lock
 * @flip: commits and frame-done events
 * @cursor: where the cursor is
 * @page_flip: the last commit without a state, until it is over and its framebuffer
 *	let go of; the device's commits_lock
 * @vblank: the clock
 * @crc: checksums of what is shown
 * @config_link: connection on which a mode is set; 0 for none
 * @want_config: atomic_enable ran, the flush has to send SET_CONFIG;
 *	commit context
 * @bad: what link-status shall say
 * @flip_timeout: looks for a frame-done event that is overdue, and sends what there was
 *	no room for
 * @status_work: puts @bad into the link-status property
 * @hotplug_work: fetches the EDID again and tells user space
 * @hotplug_next: jiffies; not before
 * @edid_tries: unanswered questions since the monitor changed; @hotplug_work's
 * @width: largest mode, pixels
 * @height: largest mode, lines
 * @max_width: largest offered on this connection, pixels
 * @max_height: likewise
 * @connected: a monitor is there
 * @edid_lock: held from asking for an EDID to having it in @edid, so that the latest
 *	answer stays; outside mode_config.mutex
 * @edid: raw EDID, NULL when the backend has none; mode_config.mutex
 * @edid_size: its bytes
 * @edid_new: the property has another one
 * @edid_warned: the log has it that this backend's EDID is wrong
 */
struct xen_drm_pipe {
	struct xen_drm *xdrm;
	unsigned int index;
	struct drm_plane plane;
	struct drm_plane cursor_plane;
	struct drm_crtc crtc;
	struct drm_encoder encoder;
	struct drm_connector connector;

	struct xen_drm_ring ring;
	struct xen_drm_events events;

	spinlock_t lock;		/* see above */
	struct xen_drm_flip flip;
	struct xen_drm_cursor cursor;
	struct xen_drm_page_flip *page_flip;
	struct xen_drm_vblank vblank;
	struct xen_drm_crc crc;
	unsigned int config_link;
	bool want_config;
	bool bad;
	struct delayed_work flip_timeout;
	struct work_struct status_work;
	struct delayed_work hotplug_work;
	unsigned long hotplug_next;
	unsigned int edid_tries;

	unsigned int width;
	unsigned int height;
	unsigned int max_width;
	unsigned int max_height;
	bool connected;
	struct mutex edid_lock;		/* see above */
	u8 *edid;
	size_t edid_size;
	bool edid_new;
	bool edid_warned;
};

#define crtc_to_pipe(c)		container_of(c, struct xen_drm_pipe, crtc)
#define connector_to_pipe(c)	container_of(c, struct xen_drm_pipe, connector)

int xen_drm_kms_init(struct xen_drm *xdrm);
void xen_drm_kms_restore(struct xen_drm *xdrm);

extern const struct drm_plane_funcs xen_drm_plane_funcs;

bool xen_drm_pipe_configured(struct xen_drm_pipe *pipe);

/* xen_drm_commit.c */

int xen_drm_commit_module_init(void);
void xen_drm_commit_module_fini(void);
void xen_drm_commit_init(struct xen_drm *xdrm);
struct drm_atomic_state *xen_drm_commit_alloc(struct drm_device *drm);
void xen_drm_commit_free(struct drm_atomic_state *base);
int xen_drm_commit(struct drm_device *drm, struct drm_atomic_state *state,
		   bool nonblock);
int xen_drm_page_flip(struct drm_crtc *crtc, struct drm_framebuffer *fb,
		      struct drm_pending_vblank_event *event, u32 flags,
		      struct drm_modeset_acquire_ctx *ctx);
void xen_drm_commit_tail(struct drm_atomic_state *state);
void xen_drm_commit_kick(struct xen_drm *xdrm);
void xen_drm_commit_flush(struct xen_drm *xdrm);
void xen_drm_commit_queue(struct delayed_work *work, unsigned int ms);

/* xen_drm_cursor.c */

int xen_drm_cursor_init(struct xen_drm_pipe *pipe,
			struct drm_plane **ret_plane);
void xen_drm_cursor_show(struct xen_drm_pipe *pipe,
			 const struct drm_plane_state *old,
			 const struct drm_plane_state *new);
void xen_drm_cursor_push(struct xen_drm_pipe *pipe);
bool xen_drm_cursor_is_known(struct xen_drm_pipe *pipe);
void xen_drm_cursor_reset(struct xen_drm_pipe *pipe);

void xen_drm_conn_prepare(struct xen_drm_pipe *pipe);
void xen_drm_conn_finish(struct xen_drm_pipe *pipe);
int xen_drm_conn_init(struct xen_drm_pipe *pipe);
bool xen_drm_conn_fetch_edid(struct xen_drm_pipe *pipe, bool ask);
bool xen_drm_conn_event(struct xen_drm_pipe *pipe, bool connected);
void xen_drm_conn_set_bad(struct xen_drm_pipe *pipe, bool bad);
bool xen_drm_conn_mode_was_offered(const struct xen_drm_pipe *pipe,
				   const struct drm_display_mode *mode);
void xen_drm_conn_new_backend(struct xen_drm_pipe *pipe);

/* xen_drm_flip.c: exactly one event per commit */

void xen_drm_flip_init(struct xen_drm_pipe *pipe);
void xen_drm_flip_fini(struct xen_drm_pipe *pipe);
void xen_drm_flip_config(struct xen_drm_pipe *pipe,
			 struct drm_pending_vblank_event *event,
			 struct xen_drm_fb *fb);
void xen_drm_flip_show(struct xen_drm_pipe *pipe,
		       struct drm_pending_vblank_event *event,
		       struct xen_drm_fb *fb,
		       const struct xen_drm_damage *damage, bool new_fb);
void xen_drm_flip_next_vblank(struct xen_drm_pipe *pipe,
			      struct drm_pending_vblank_event *event);
void xen_drm_flip_miss(struct xen_drm_pipe *pipe,
		       struct drm_pending_vblank_event *event);
void xen_drm_flip_retry(struct xen_drm_pipe *pipe);
void xen_drm_flip_abort(struct xen_drm_pipe *pipe);
bool xen_drm_flip_event(struct xen_drm_pipe *pipe, u64 cookie);

#endif
