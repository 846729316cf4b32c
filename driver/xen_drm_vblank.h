/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A pipe's clock, and the checksums of what it shows. Part of xen_drm_kms.h.
 */

#ifndef XEN_DRM_VBLANK_H
#define XEN_DRM_VBLANK_H

#include <linux/hrtimer.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <drm/drm_crtc.h>
#include <drm/drm_framebuffer.h>

struct xen_drm_pipe;

/**
 * struct xen_drm_vblank - a clock at the mode's rate
 * @timer: fires at every vblank while @on
 * @last: time of the last vblank
 * @next: time of the next one
 * @period: between two, ns
 * @count: vblanks so far
 * @looked: when the time was read last while the timer rested, jiffies
 * @framed: the last vblank has its frame
 * @awaited: the next one has
 * @fresh: no frame has come since the mode was set
 * @told: time when a commit heard of its frame last
 * @paced: the display takes its time with frames
 * @streak: how many flips in turn say that it does; negative: that it does not
 * @on: the core wants vblanks
 *
 * @lock: protects the rest but @timer; innermost
 */
struct xen_drm_vblank {
	spinlock_t lock;		/* see above */
	struct hrtimer timer;
	ktime_t last;
	ktime_t next;
	s64 period;
	u32 count;
	unsigned long looked;
	bool framed;
	bool awaited;
	bool fresh;
	ktime_t told;
	bool paced;
	int streak;
	bool on;
};

/**
 * struct xen_drm_picture - what is on screen
 * @fb: of the primary plane; NULL for black
 * @cursor: of the cursor plane; NULL for none
 * @cursor_x: of its left edge, pixels
 * @cursor_y: of its top
 * @cursor_width: of its image, pixels
 * @cursor_height: lines
 * @width: of the mode, pixels; 0: the CRTC is off
 * @height: of the mode, lines
 */
struct xen_drm_picture {
	struct drm_framebuffer *fb;
	struct drm_framebuffer *cursor;
	int cursor_x;
	int cursor_y;
	int cursor_width;
	int cursor_height;
	int width;
	int height;
};

/**
 * struct xen_drm_crc - checksums of frames
 * @lock: protects the rest but the works; commits that change the picture wait
 *	for it
 * @work: computes
 * @let_go: of the device, a while after nobody reads
 * @on: somebody reads
 * @next: the first frame without an entry
 * @line: room for a line of the largest picture
 * @picture: on screen
 */
struct xen_drm_crc {
	struct mutex lock;		/* see above */
	struct work_struct work;
	struct delayed_work let_go;
	bool on;
	u32 next;
	__le32 *line;
	struct xen_drm_picture picture;
};

/* xen_drm_vblank.c */

void xen_drm_vblank_init(struct xen_drm_pipe *pipe);
void xen_drm_vblank_fini(struct xen_drm_pipe *pipe);
void xen_drm_vblank_set_mode(struct xen_drm_pipe *pipe,
			     const struct drm_display_mode *mode);
bool xen_drm_vblank_frame(struct xen_drm_pipe *pipe, ktime_t sent, bool waits);
int xen_drm_vblank_enable(struct drm_crtc *crtc);
void xen_drm_vblank_disable(struct drm_crtc *crtc);
u32 xen_drm_vblank_counter(struct drm_crtc *crtc);
bool xen_drm_vblank_timestamp(struct drm_crtc *crtc, int *max_error,
			      ktime_t *vblank_time, bool in_vblank_irq);

/* xen_drm_crc.c: checksums of frames */

void xen_drm_crc_init(struct xen_drm_pipe *pipe);
void xen_drm_crc_fini(struct xen_drm_pipe *pipe);
void xen_drm_crc_vblank(struct xen_drm_pipe *pipe);
void xen_drm_crc_show(struct xen_drm_pipe *pipe);
const char *const *xen_drm_crc_sources(struct drm_crtc *crtc,
				       size_t *ret_count);
int xen_drm_crc_verify(struct drm_crtc *crtc, const char *source,
		       size_t *ret_values);
int xen_drm_crc_set(struct drm_crtc *crtc, const char *source);

#endif
