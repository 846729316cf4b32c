/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * drm_xen_front: Xen para-virtual display frontend, private declarations
 *
 * Objects and who owns them
 *
 *   struct xen_drm_bus    one per xenbus device, probe to remove. Owns the state
 *                         machine and, while a connection exists, its channels.
 *   struct xen_drm        one DRM device. Embeds struct drm_device; its memory
 *                         goes with the last user, its wire with the bus.
 *   struct xen_drm_pipe   one plane, CRTC, encoder, connector and their two
 *                         channels; part of struct xen_drm.
 *   struct xen_drm_buf    memory, grants and the backend's dbuf. Owned by a GEM
 *                         object or by the pool, kept by requests in flight.
 *   struct xen_drm_fb     a DRM framebuffer and the backend's fb.
 *
 * Contexts
 *
 *   The state machine runs on the freezable, ordered queue of the bus, under
 *   bus->lock. Responses and events arrive in hard interrupts. KMS runs in
 *   process context and never waits for a flip's answer.
 */

#ifndef XEN_DRM_H
#define XEN_DRM_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_device.h>
#include <drm/drm_print.h>

#include <xen/interface/io/displif.h>
#include <xen/interface/io/ring.h>
#include <xen/xenbus.h>

#include "xen_drm_buf.h"
#include "xen_drm_kms.h"
#include "xen_drm_mem.h"
#include "xen_drm_proto.h"
#include "xen_drm_wire.h"

#define XEN_DRM_NAME		"drm_xen_front"
#define XEN_DRM_MAX_CONNECTORS	16
#define XEN_DRM_MAX_SIZE	8192	/* pixels, both ways */

#define XEN_DRM_REQUEST_MS	3000	/* a request without an answer */
#define XEN_DRM_QUIET_MS	200	/* an answer that raised no interrupt */
#define XEN_DRM_FLIP_MS		3100	/* a flip without its frame-done event */
#define XEN_DRM_ROOM_MS		100	/* until what found no room tries again */

/* xen_drm_cfg.c: what XenStore says */

/**
 * struct xen_drm_conn_cfg - configuration of one connector
 * @width: preferred width, pixels, 1 to XEN_DRM_MAX_SIZE
 * @height: preferred height, as above
 * @unique_id: the toolstack's name for it, may be empty
 */
struct xen_drm_conn_cfg {
	unsigned int width;
	unsigned int height;
	char unique_id[64];
};

/**
 * struct xen_drm_cfg - configuration of the device
 * @conn: the connectors
 * @num_conn: how many, 1 to XEN_DRM_MAX_CONNECTORS
 * @version: highest protocol version both ends know
 * @features: XEN_DRM_FEAT_* bits the backend offers
 * @formats: FOURCCs the backend offers, when @features says so
 * @num_formats: how many
 * @be_alloc: the backend allocates the buffers
 */
struct xen_drm_cfg {
	struct xen_drm_conn_cfg conn[XEN_DRM_MAX_CONNECTORS];
	unsigned int num_conn;
	unsigned int version;
	unsigned long features;
	u32 formats[XEN_DRM_MAX_FORMATS];
	unsigned int num_formats;
	bool be_alloc;
};

int xen_drm_cfg_read(struct xenbus_device *xb, struct xen_drm_cfg *cfg);
bool xen_drm_cfg_online(struct xenbus_device *xb);

int xen_drm_cfg_parse_uint(const char *text, unsigned int max,
			   unsigned int *ret_value);
int xen_drm_cfg_parse_resolution(const char *text, unsigned int *ret_width,
				 unsigned int *ret_height);
int xen_drm_cfg_parse_version(const char *text, unsigned int *ret_version);
int xen_drm_cfg_parse_formats(const char *text, u32 *formats,
			      unsigned int *ret_num);

/* xen_drm_cmd.c: one function per protocol operation */

int xen_drm_cmd_dbuf_create(struct xen_drm_buf *buf);
int xen_drm_cmd_dbuf_destroy(struct xen_drm_buf *buf);
int xen_drm_cmd_fb_attach(struct xen_drm_fb *fb, u64 dbuf_cookie, u64 cookie,
			  u32 width, u32 height);
int xen_drm_cmd_fb_detach(struct xen_drm *xdrm, u64 fb_cookie);
int xen_drm_cmd_set_config(struct xen_drm_pipe *pipe, u64 fb_cookie, u32 width,
			   u32 height, u32 bpp, const struct xen_drm_call *call);
void xen_drm_cmd_switch_off(struct xen_drm_pipe *pipe);
int xen_drm_cmd_page_flip(struct xen_drm_pipe *pipe, u64 fb_cookie,
			  const struct xen_drm_damage *damage,
			  const struct xen_drm_call *call);
void xen_drm_cmd_panic_flip(struct xen_drm_pipe *pipe, u64 fb_cookie);
int xen_drm_cmd_cursor_set(struct xen_drm_pipe *pipe, u64 fb_cookie);
int xen_drm_cmd_cursor_move(struct xen_drm_pipe *pipe, int x, int y,
			    const struct xen_drm_call *call);
int xen_drm_cmd_get_edid(struct xen_drm_pipe *pipe, u8 **ret_edid,
			 size_t *ret_size);

/* xen_drm_damage.c */

void xen_drm_damage_add(struct xen_drm_damage *sum,
			const struct xen_drm_damage *more);

/* xen_drm_edid.c */

bool xen_drm_edid_good(const u8 *edid, size_t size);

/* xen_drm_drv.c: the device */

/**
 * struct xen_drm - a DRM device
 * @drm: embedded; the last reference frees us
 * @xb: the bus device; a reference on it is held by @drm
 * @wq: frees and reconnects; not freezable
 * @cfg: as read when the device was made
 * @registered: clients can see it
 * @version: of the protocol, on the connection now up
 * @features: negotiated on the connection now up
 * @link: number of the connection now up, 0 when there is none
 * @last_link: number of the connection made last
 * @backend_id: domain of the backend of that connection
 * @epoch: grows when grants of the old life are void (resume, other domain)
 * @next_cookie: where the ids of buffers and framebuffers come from
 * @bufs_lock: protects @bufs, @pool and the connection state of buffers;
 *	not held over a wait for the backend
 * @bufs: buffers in use
 * @pool: buffers for reuse, newest first
 * @pool_bytes: their size
 * @pool_count: their number
 * @pool_shrink: the guest is short of memory: trim the whole pool
 * @pool_trim: frees what has been in the pool for long
 * @shrinker: asks for memory back
 * @gone: no buffer is published any more
 * @short_of_grants: said so in the log already
 * @bufs_dying: buffers on their way out, grants not yet returned
 * @destroys: DBUF_DESTROY requests in flight
 * @bufs_wait: woken when @bufs_dying or @destroys falls
 * @commits_lock: protects @commits and the pipes' page_flip; innermost
 * @commits: sent, not yet on screen
 * @commit_work: finishes those that are, if no other commit does; holds a
 *	reference while it is queued
 * @acct: grants in use
 * @stats: counters for debugfs
 * @hotplug_mode_update: connectors have it: hotplug may mean another mode
 * @num_pipes: entries of @pipes
 * @pipes: one for each connector; nearly 10 KiB each
 */
struct xen_drm {
	struct drm_device drm;
	struct xenbus_device *xb;
	struct workqueue_struct *wq;
	struct xen_drm_cfg cfg;
	bool registered;

	unsigned int version;
	unsigned long features;
	unsigned int link;
	unsigned int last_link;
	unsigned int epoch;
	domid_t backend_id;

	atomic64_t next_cookie;
	struct mutex bufs_lock;		/* see above */
	struct list_head bufs;
	struct list_head pool;
	size_t pool_bytes;
	unsigned int pool_count;
	bool pool_shrink;
	struct delayed_work pool_trim;
	struct shrinker *shrinker;
	bool gone;
	bool short_of_grants;
	atomic_t bufs_dying;
	atomic_t destroys;
	wait_queue_head_t bufs_wait;
	struct xen_drm_grant_acct acct;

	spinlock_t commits_lock;	/* see above */
	struct list_head commits;
	struct delayed_work commit_work;

	struct xen_drm_stats stats;
	struct drm_property *hotplug_mode_update;
	unsigned int num_pipes;
	struct xen_drm_pipe *pipes;
};

static inline struct xen_drm *to_xen_drm(struct drm_device *drm)
{
	return container_of(drm, struct xen_drm, drm);
}

static inline bool xen_drm_has(const struct xen_drm *xdrm, unsigned int feature)
{
	return READ_ONCE(xdrm->features) & feature;
}

struct xen_drm *xen_drm_create(struct xenbus_device *xb,
			       const struct xen_drm_cfg *cfg);
int xen_drm_register(struct xen_drm *xdrm);
void xen_drm_unplug(struct xen_drm *xdrm);

/* module parameters, of xen_drm_drv.c too */
extern bool xen_drm_contiguous;
extern unsigned int xen_drm_grace_s;
extern unsigned int xen_drm_grant_reserve;
extern unsigned int xen_drm_pool_mib;

/* xen_drm_link.c: channels of all connectors, up and down */

int xen_drm_link_open(struct xen_drm *xdrm, struct xenbus_device *xb,
		      const struct xen_drm_cfg *cfg);
void xen_drm_link_start(struct xen_drm *xdrm, struct xenbus_device *xb,
			const struct xen_drm_cfg *cfg);
bool xen_drm_link_cut(struct xen_drm *xdrm);
void xen_drm_link_stop(struct xen_drm *xdrm);

/* xen_drm_xenbus.c */

void xen_drm_bus_lost(struct device *dev);

extern struct xenbus_driver xen_drm_xenbus_driver;

/* xen_drm_debugfs.c */

void xen_drm_debugfs_init(struct drm_minor *minor);

#endif
