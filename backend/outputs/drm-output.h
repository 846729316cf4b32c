/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The DRM output's parts: who gets which connector, and the worker's KMS. */
#ifndef XD_OUTPUTS_DRM_OUTPUT_H
#define XD_OUTPUTS_DRM_OUTPUT_H

#include <xf86drm.h>
#include <xf86drmMode.h>

#include "outputs/output.h"

#define DRM_MAX_HEADS	16
#define DRM_NAME_SIZE	32
#define DRM_BUFFERS	2	/* of ours, per monitor */
#define DRM_IMPORTS	16	/* framebuffers of the guest, per monitor */

/**
 * struct drm_head - a connector and what it takes to show something on it
 * @name:	of the connector, as in HDMI-A-1
 * @connector:	0: there is none for the guest's
 */
struct drm_head {
	char name[DRM_NAME_SIZE];
	uint32_t connector;
	uint32_t crtc;
	uint32_t plane;
};

enum prop {
	CONN_CRTC_ID, CRTC_MODE_ID, CRTC_ACTIVE,
	PLANE_FB_ID, PLANE_CRTC_ID,
	PLANE_SRC_X, PLANE_SRC_Y, PLANE_SRC_W, PLANE_SRC_H,
	PLANE_CRTC_X, PLANE_CRTC_Y, PLANE_CRTC_W, PLANE_CRTC_H,
	NUM_NEEDED, CONN_LINK_STATUS = NUM_NEEDED,
	NUM_PROPS
};

/**
 * struct drm_buffer - a dumb buffer of the mode's size
 * @screen:	all of it; data NULL: not there
 * @size:	of the mapping
 * @stale:	what of the guest's picture is not as in the newest one
 */
struct drm_buffer {
	struct xd_canvas screen;
	uint64_t size;
	struct xd_damage stale;
	uint32_t handle;
	uint32_t fb;
};

/**
 * struct drm_import - a framebuffer of the guest that the card can read by itself
 * @image:	data NULL: there is none
 * @fb:		the card's; 0: it has not been asked
 * @refused:	it cannot
 */
struct drm_import {
	struct xd_image image;
	struct xd_dmabuf dmabuf;
	uint32_t fb;
	bool refused;
};

/**
 * struct drm_monitor - one of the guest's connectors
 * @next:	the guest's newest picture; data NULL: it has gone
 * @props:	ids of properties; 0: CONN_LINK_STATUS, which not all cards have
 * @connected:	a monitor is there
 * @conn:	as last probed; NULL without a head
 * @edid:	of the monitor that was there last; size 0: none ever
 * @clocked:	while @lit: the card knows when a frame begins, and its events come then
 * @width, @height: of the guest's mode, 0 when off
 * @lit:	the CRTC is on, in @mode, for a mode of @for_width x @for_height
 * @x, @y:	where the guest's picture begins on the screen then
 * @front:	buffer that was committed last
 * @imports:	the guest's framebuffers
 * @shown:	the one of them that was committed after @front, or NULL
 * @why_copied:	says it, for a picture in @imports that is copied
 * @serial:	of the flip whose event counts
 * @pending:	done() is to come
 * @behind:	the newest picture waits for the event of an earlier flip
 * @last:	ns, when a frame that nothing paced was done
 * @late:	the guest's mode is not set yet, but by @setting; until then the
 *		screen stays as it was
 * @modes_paid:	ns, until when it has used up its share of modes
 */
struct drm_monitor {
	struct drm_output *owner;
	unsigned int index;
	struct drm_head head;
	uint32_t props[NUM_PROPS];
	bool connected;
	drmModeConnector *conn;
	struct xd_output_edid edid;
	bool clocked;
	struct xd_image next;
	uint32_t width, height;
	bool lit;
	drmModeModeInfo mode;
	uint32_t for_width, for_height;
	uint32_t x, y;
	struct drm_buffer buffers[DRM_BUFFERS];
	unsigned int front;
	struct drm_import imports[DRM_IMPORTS];
	struct drm_import *shown;
	const char *why_copied;
	uintptr_t serial;
	bool pending;
	bool behind;
	struct xd_timer pace;
	uint64_t last;
	bool late;
	struct xd_timer setting;
	uint64_t modes_paid;
};

/**
 * struct drm_output - the monitors of a guest
 * @period:	ns between frames that nothing paces
 * @fd:		the lease; -1: none now
 * @retry:	then it asks for another one
 * @rests:	the last one was no good: it does not ask before that
 */
struct drm_output {
	struct xd_output base;
	struct xd_output_params params;
	uint64_t period;
	int fd;
	struct xd_source source;
	struct xd_timer retry;
	bool rests;
	struct drm_monitor *monitors;
	unsigned int nr_monitors;
};

/* drm-head.c */

/**
 * drm_heads_pick() - find connectors for those of a guest
 * @fd:		the card, or a lease of it
 * @names:	wanted: one word for each of the guest's, "-" for none; "": the
 *		connected ones first, then the others, in the card's order
 * @nr:		connectors of the guest
 * @taken:	@nr_taken heads that are not to be had
 * @heads:	filled in
 *
 * Return: how many there are, or -errno.
 */
int drm_heads_pick(int fd, const char *names, unsigned int nr,
		   const struct drm_head *taken, unsigned int nr_taken,
		   struct drm_head heads[DRM_MAX_HEADS]);

/*
 * The master's: darkens who else has the head's CRTC, and another CRTC that the
 * head's connector has. Whoever leases the head could not.
 */
void drm_head_part(int fd, const struct drm_head *head);

/* Names of all connectors of a card, for people. */
void drm_heads_list(int fd, char *text, size_t size);

/* Takes the next word off @names; false: there is none. */
bool drm_next_name(const char **names, char name[DRM_NAME_SIZE]);

/* The property of an object by its name, or 0; @ret_value may be NULL. */
uint32_t drm_property(int fd, uint32_t object, uint32_t type, const char *name,
		      uint64_t *ret_value);

/* drm-screen.c */

int drm_screen_init(struct drm_monitor *mon);

/* The lease is gone: what was made on it with it. */
void drm_screen_lost(struct drm_monitor *mon);

/**
 * drm_screen_probe() - look at the connector
 * @ret_other:	another monitor is there than the last one
 * @ret_changed: it is another one, or comes or goes, or has other modes, or its
 *		link has to be set up anew
 *
 * Return: 0, or -errno when the lease is no good any more.
 */
int drm_screen_probe(struct drm_monitor *mon, bool *ret_other,
		     bool *ret_changed);

/* The mode for one of the guest's, or NULL when there are none. */
const drmModeModeInfo *drm_screen_find_mode(const drmModeModeInfo *modes,
					    int nr_modes, uint32_t width,
					    uint32_t height);

/* Would drm_screen_light() set another mode than the one that is on? */
bool drm_screen_sets_mode(const struct drm_monitor *mon);

/* Shows the newest picture, or black, in a mode for the guest's: 0 or -errno. */
int drm_screen_light(struct drm_monitor *mon);
void drm_screen_darken(struct drm_monitor *mon);

/* The part of a buffer that the guest's mode covers. */
struct xd_canvas drm_screen_picture(const struct drm_monitor *mon,
				    const struct drm_buffer *buf);

/* Brings the newest picture to the screen; its event has @serial: 0 or -errno. */
int drm_screen_flip(struct drm_monitor *mon, const pixman_box32_t *damage,
		    unsigned int nr_damage);

/* Shows the newest picture, or the last one, from a buffer of ours. */
void drm_screen_copy(struct drm_monitor *mon);

/* drm-import.c: pictures that are not copied */

/* @image is in @dmabuf, too. */
void drm_import_add(struct drm_monitor *mon, const struct xd_image *image,
		    const struct xd_dmabuf *dmabuf);

/* The newest picture, if the card can read it; NULL: it has to be copied. */
struct drm_import *drm_import_choose(struct drm_monitor *mon);

/* The card does not show it after all. */
void drm_import_refuse(struct drm_monitor *mon, struct drm_import *import);

/* It, or a copy (NULL), is what the monitor shows now. */
void drm_import_shown(struct drm_monitor *mon, struct drm_import *import);

/* Framebuffers with their pixels at @data go; none is shown. */
void drm_import_drop(struct drm_monitor *mon, const void *data);

/* The lease is gone: what was made on it with it. */
void drm_import_lost(struct drm_monitor *mon);

/* drm-master.c: in the supervisor; see struct xd_output_ops */

int drm_master_lease(const struct xd_output_options *options,
		     const char *guest, unsigned int nr_monitors,
		     char why[XD_WHY_SIZE]);
void drm_master_closed(void);
int drm_master_watch(void);
bool drm_master_changed(int fd);

/* Does a uevent tell that a monitor or a card has come or gone? */
bool drm_master_is_news(const char *text, size_t size);

#endif /* XD_OUTPUTS_DRM_OUTPUT_H */
