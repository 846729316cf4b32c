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

#include <linux/hrtimer.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_connector.h>
#include <drm/drm_crtc.h>
#include <drm/drm_device.h>
#include <drm/drm_encoder.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem.h>
#include <drm/drm_plane.h>
#include <drm/drm_print.h>

#include <xen/grant_table.h>
#include <xen/interface/io/ring.h>
#include <xen/interface/io/displif.h>
#include <xen/page.h>
#include <xen/xenbus.h>

#include "xen_drm_proto.h"
#include "xen_drm_vblank.h"
#include "xen_drm_wire.h"

#define XEN_DRM_NAME		"drm_xen_front"
#define XEN_DRM_MAX_CONNECTORS	16
#define XEN_DRM_MAX_SIZE	8192	/* pixels, both ways */

#define XEN_DRM_REQUEST_MS	3000	/* a request without an answer */
#define XEN_DRM_QUIET_MS	200	/* an answer that raised no interrupt */
#define XEN_DRM_FLIP_MS		3100	/* a flip without its frame-done event */

struct xen_drm;
struct xen_drm_bus;
struct xen_drm_pipe;

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

/* xen_drm_grant.c: memory lent to the backend */

/**
 * struct xen_drm_block - memory that has to go back in one piece
 * @ref: users: its buffer, and grants of it that the backend still uses
 * @dev: it was allocated for
 * @size: bytes
 * @vaddr: where it is
 * @dma: its bus address
 */
struct xen_drm_block {
	struct kref ref;
	struct device *dev;
	size_t size;
	void *vaddr;
	dma_addr_t dma;
};

/**
 * struct xen_drm_grants - grants of a range of pages, and their directory
 * @domid: to whom
 * @num: grants in @refs
 * @refs: one per Xen page of the range
 * @num_dir: pages of the directory
 * @dirs: the directory's pages
 * @dir_refs: their grants
 * @block: what the pages are part of; NULL: each is freed by itself
 *
 * Zero-initialised means "nothing granted".
 */
struct xen_drm_grants {
	domid_t domid;
	unsigned int num;
	grant_ref_t *refs;
	unsigned int num_dir;
	struct page **dirs;
	grant_ref_t *dir_refs;
	struct xen_drm_block *block;
};

/**
 * struct xen_drm_grant_acct - how many grants a device holds
 * @used: grants held, directories included
 * @reserve: free grants that must stay for others
 */
struct xen_drm_grant_acct {
	atomic_t used;
	unsigned int reserve;
};

int xen_drm_grants_take(struct xen_drm_grants *grants,
			struct xen_drm_grant_acct *acct, domid_t domid,
			struct page **pages, unsigned int num_pages,
			bool readonly);
int xen_drm_grants_take_dir(struct xen_drm_grants *grants,
			    struct xen_drm_grant_acct *acct, domid_t domid,
			    unsigned int num_refs);
void xen_drm_grants_end(struct xen_drm_grants *grants,
			struct xen_drm_grant_acct *acct, struct page **pages);
grant_ref_t xen_drm_grants_dir(const struct xen_drm_grants *grants);
unsigned int xen_drm_grants_needed(unsigned int num_pages);
unsigned int xen_drm_grants_limit(void);
struct xen_drm_block *xen_drm_block_alloc(struct device *dev, size_t size);
void xen_drm_block_put(struct xen_drm_block *block);
void xen_drm_blocks_fini(void);

/* xen_drm_mem.c: where the pages of a buffer come from */

enum xen_drm_mem_kind {
	XEN_DRM_MEM_SCATTERED,	/* any pages */
	XEN_DRM_MEM_CONTIG,	/* one physically contiguous block */
	XEN_DRM_MEM_BACKEND,	/* the backend's pages, mapped into ours */
	XEN_DRM_MEM_IMPORT,	/* another driver's, by PRIME */
};

/**
 * struct xen_drm_mem - pages of a buffer
 * @kind: where they come from
 * @pages: all of them, in order
 * @num_pages: how many
 * @block: the contiguous block
 * @vaddr: where all of it was mapped first; NULL: not yet
 * @maps: handles of the backend's grants, one per page
 * @lock: protects the rest; clients' faults read it. XEN_DRM_MEM_BACKEND
 * @mapped: the backend's grants are mapped into @pages
 * @saved: what clients see while they are not; NULL: nothing yet
 */
struct xen_drm_mem {
	enum xen_drm_mem_kind kind;
	struct page **pages;
	unsigned int num_pages;
	struct xen_drm_block *block;
	void *vaddr;
	grant_handle_t *maps;
	struct rw_semaphore lock;	/* see above */
	bool mapped;
	struct page **saved;
};

int xen_drm_mem_alloc(struct xen_drm_mem *mem, struct device *dev,
		      enum xen_drm_mem_kind kind, size_t size);
int xen_drm_mem_import(struct xen_drm_mem *mem, struct sg_table *sgt,
		       size_t size);
int xen_drm_pages_get(struct page **pages, unsigned int num);
void xen_drm_pages_put(struct page **pages, unsigned int num);
void *xen_drm_mem_vmap(struct xen_drm_mem *mem);
void xen_drm_mem_vunmap(struct xen_drm_mem *mem, void *vaddr);
void xen_drm_mem_zero(struct xen_drm_mem *mem);
void xen_drm_mem_free(struct xen_drm_mem *mem);

/* xen_drm_map.c: memory of the backend */

int xen_drm_map_alloc(struct xen_drm_mem *mem);
void xen_drm_map_free(struct xen_drm_mem *mem);
int xen_drm_map(struct xen_drm_mem *mem, domid_t domid,
		const struct xen_drm_grants *grants,
		struct address_space *clients);
void xen_drm_map_save(struct xen_drm_mem *mem, struct address_space *clients,
		      bool now);
void xen_drm_map_end(struct xen_drm_mem *mem);
struct page **xen_drm_map_lock(struct xen_drm_mem *mem);
void xen_drm_map_unlock(struct xen_drm_mem *mem);

/* xen_drm_buf.c: buffers and the pool of them */

/**
 * struct xen_drm_buf - a buffer as the backend knows it
 * @ref: users: the GEM object or the pool, and every request in flight
 * @xdrm: the device; flushes its queue before it goes
 * @node: in @xdrm->bufs, or in @xdrm->pool
 * @publish_lock: makes the claim and DBUF_CREATE one step
 * @free_work: frees in process context
 * @cookie: id on the wire, never 0
 * @mem: the pages
 * @grants: lent to the backend
 * @width: pixels; 0 when unknown (imported)
 * @height: lines; as above
 * @bpp: bits per pixel; as above
 * @size: bytes that the backend is told of
 * @epoch: @xdrm->epoch when @grants were taken
 * @link: the connection on which DBUF_CREATE was sent; 0 for none
 * @failed: the connection on which the backend refused it; 0 for none
 * @pooled: when it went to the pool, jiffies
 * @on_free: told when nobody uses the memory any more; set when retired
 * @on_free_ctx: passed to @on_free
 *
 * @grants, @epoch, @link, @failed and @node are protected by
 * @xdrm->bufs_lock.
 */
struct xen_drm_buf {
	struct kref ref;
	struct xen_drm *xdrm;
	struct list_head node;
	struct mutex publish_lock;	/* claim and DBUF_CREATE are one step */
	struct work_struct free_work;
	u64 cookie;
	struct xen_drm_mem mem;
	struct xen_drm_grants grants;
	unsigned int epoch;
	u32 width;
	u32 height;
	u32 bpp;
	size_t size;
	unsigned int link;
	unsigned int failed;
	unsigned long pooled;
	void (*on_free)(void *ctx);
	void *on_free_ctx;
};

struct xen_drm_buf *xen_drm_buf_create(struct xen_drm *xdrm, u32 width,
				       u32 height, u32 bpp, size_t size);
struct xen_drm_buf *xen_drm_buf_import(struct xen_drm *xdrm,
				       struct sg_table *sgt,
				       struct dma_buf *dmabuf);
void xen_drm_buf_put(struct xen_drm_buf *buf);
void xen_drm_buf_retire(struct xen_drm_buf *buf);
int xen_drm_buf_publish(struct xen_drm_buf *buf);
void xen_drm_bufs_republish(struct xen_drm *xdrm);
void xen_drm_bufs_withdraw(struct xen_drm *xdrm);
void xen_drm_bufs_save(struct xen_drm *xdrm, bool now);
int xen_drm_bufs_init(struct xen_drm *xdrm);
void xen_drm_bufs_fini(struct xen_drm *xdrm);
void xen_drm_pool_drain(struct xen_drm *xdrm);

/* xen_drm_gem.c: buffers as GEM objects */

struct xen_drm_gem {
	struct drm_gem_object base;
	struct xen_drm_buf *buf;
	struct sg_table *sgt;	/* of an import */
};

static inline struct xen_drm_gem *to_xen_drm_gem(struct drm_gem_object *obj)
{
	return container_of(obj, struct xen_drm_gem, base);
}

int xen_drm_gem_dumb_create(struct drm_file *file, struct drm_device *drm,
			    struct drm_mode_create_dumb *args);
struct drm_gem_object *
xen_drm_gem_prime_import_sg(struct drm_device *drm,
			    struct dma_buf_attachment *attach,
			    struct sg_table *sgt);

/* xen_drm_fb.c: framebuffers */

/**
 * struct xen_drm_fb - a framebuffer as the backend knows it
 * @base: the DRM framebuffer
 * @cookie: id on the wire, never 0
 * @lock: serialises attaching
 * @link: connection on which it is attached; 0 for none
 * @crop: a part of it, from (0,0) on, as a framebuffer of its own
 * @crop.cookie: id of that on the wire
 * @crop.link: connection on which that is attached; 0 for none
 * @crop.width: of the part, pixels
 * @crop.height: its lines
 */
struct xen_drm_fb {
	struct drm_framebuffer base;	/* first: drm_gem_fb_destroy() frees */
	u64 cookie;
	struct mutex lock;		/* see above */
	unsigned int link;
	struct {
		u64 cookie;
		unsigned int link;
		u32 width;
		u32 height;
	} crop;
};

static inline struct xen_drm_fb *to_xen_drm_fb(struct drm_framebuffer *fb)
{
	return container_of(fb, struct xen_drm_fb, base);
}

struct drm_framebuffer *
xen_drm_fb_create(struct drm_device *drm, struct drm_file *file,
		  const struct drm_mode_fb_cmd2 *cmd);
bool xen_drm_fb_is_attached(const struct xen_drm_fb *fb);
int xen_drm_fb_attach(struct xen_drm_fb *fb);
int xen_drm_fb_attach_crop(struct xen_drm_fb *fb, u32 width, u32 height,
			   u64 *ret_cookie);
void xen_drm_fbs_withdraw(struct xen_drm *xdrm);
int xen_drm_fb_check_wire(struct xen_drm *xdrm, struct drm_framebuffer *fb);

/* xen_drm_cmd.c: one function per protocol operation */

int xen_drm_cmd_dbuf_create(struct xen_drm_buf *buf);
int xen_drm_cmd_dbuf_destroy(struct xen_drm_buf *buf);
int xen_drm_cmd_fb_attach(struct xen_drm_fb *fb, u64 dbuf_cookie, u64 cookie,
			  u32 width, u32 height);
int xen_drm_cmd_fb_detach(struct xen_drm *xdrm, u64 fb_cookie);
int xen_drm_cmd_set_config(struct xen_drm_pipe *pipe, u64 fb_cookie, u32 width,
			   u32 height, u32 bpp, const struct xen_drm_call *call);
int xen_drm_cmd_page_flip(struct xen_drm_pipe *pipe, u64 fb_cookie,
			  const struct xen_drm_damage *damage,
			  const struct xen_drm_call *call);
void xen_drm_cmd_panic_flip(struct xen_drm_pipe *pipe, u64 fb_cookie);
int xen_drm_cmd_cursor_set(struct xen_drm_pipe *pipe, u64 fb_cookie);
int xen_drm_cmd_cursor_move(struct xen_drm_pipe *pipe, int x, int y,
			    const struct xen_drm_call *call);
int xen_drm_cmd_get_edid(struct xen_drm_pipe *pipe, u8 **ret_edid,
			 size_t *ret_size);

/* xen_drm_edid.c */

bool xen_drm_edid_good(const u8 *edid, size_t size);

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
 *
 * Protected by the pipe's lock.
 */
struct xen_drm_cursor {
	int x;
	int y;
	bool moved;
	bool on_its_way;
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
 * @vblank: the clock
 * @crc: checksums of what is shown
 * @config_link: connection on which a mode is set; 0 for none
 * @want_config: atomic_enable ran, the flush has to send SET_CONFIG;
 *	commit context
 * @bad: what link-status shall say
 * @flip_timeout: looks for a frame-done event that is overdue
 * @status_work: puts @bad into the link-status property
 * @hotplug_work: fetches the EDID again and tells user space
 * @hotplug_next: jiffies; not before
 * @edid_tries: unanswered questions since the monitor changed; @hotplug_work's
 * @width: largest mode, pixels
 * @height: largest mode, lines
 * @connected: a monitor is there
 * @edid: raw EDID, NULL when the backend has none; mode_config.mutex
 * @edid_size: its bytes
 * @edid_new: the property has another one
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
	bool connected;
	u8 *edid;
	size_t edid_size;
	bool edid_new;
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
void xen_drm_cursor_reset(struct xen_drm_pipe *pipe);

void xen_drm_conn_prepare(struct xen_drm_pipe *pipe);
void xen_drm_conn_finish(struct xen_drm_pipe *pipe);
int xen_drm_conn_init(struct xen_drm_pipe *pipe);
bool xen_drm_conn_fetch_edid(struct xen_drm_pipe *pipe, bool ask);
bool xen_drm_conn_event(struct xen_drm_pipe *pipe, bool connected);
void xen_drm_conn_set_bad(struct xen_drm_pipe *pipe, bool bad);
bool xen_drm_conn_mode_fits(const struct xen_drm_pipe *pipe,
			    const struct drm_display_mode *mode);

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
bool xen_drm_flip_has_room(struct xen_drm_pipe *pipe);
void xen_drm_flip_next_vblank(struct xen_drm_pipe *pipe,
			      struct drm_pending_vblank_event *event);
void xen_drm_flip_abort(struct xen_drm_pipe *pipe);
bool xen_drm_flip_event(struct xen_drm_pipe *pipe, u64 cookie);

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
 * @commits_lock: protects @commits and @page_flips; innermost
 * @commits: sent, not yet on screen
 * @page_flips: sent, not yet on screen; those without a state
 * @commit_work: finishes those that are, if no other commit does; holds a
 *	reference while it is queued
 * @acct: grants in use
 * @stats: counters for debugfs
 * @hotplug_mode_update: connectors have it: hotplug may mean another mode
 * @num_pipes: entries of @pipes
 * @pipes: one for each connector
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

	spinlock_t commits_lock;
	struct list_head commits;
	struct list_head page_flips;
	struct delayed_work commit_work;

	struct xen_drm_stats stats;
	struct drm_property *hotplug_mode_update;
	unsigned int num_pipes;
	struct xen_drm_pipe pipes[XEN_DRM_MAX_CONNECTORS];
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

/* xen_drm_params.c is xen_drm_drv.c's: module parameters */
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
