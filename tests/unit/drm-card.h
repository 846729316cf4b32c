/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A graphics card in memory: drm-card.c has libdrm's functions, as far as they are
 * used. It has three connectors, HDMI-A-1, HDMI-A-2 and DP-1, and two CRTCs, either of
 * which each encoder can have unless a test says otherwise.
 */
#ifndef TESTS_UNIT_DRM_CARD_H
#define TESTS_UNIT_DRM_CARD_H

#include "unit.h"

#include <xf86drm.h>
#include <xf86drmMode.h>

#define NR_CRTCS	2
#define NR_CONNS	3
#define CRTC		100u	/* the first one's id; +1 the second's */
#define PLANE		200u
#define CONN		300u
#define ENCODER		400u
#define FB		500u
#define HANDLE		600u
#define EDID_BLOB	700u
#define IMPORT_FB	800u	/* of what is another's memory */
#define IMPORT_HANDLE	900u
#define NR_IMPORTS	32
#define NR_BUFFERS	16
#define MAX_LEASES	4

/* Where the card says no to what is another's memory. */
enum { TAKES, NO_PRIME, NO_FB, NO_FLIP };

extern struct card {
	int fd;			/* the lease's, for the worker */
	int events;		/* its other end */
	bool master;		/* is to be had */
	bool gone;
	bool clock;
	bool plugged[NR_CONNS];
	int nr_modes;
	drmModeModeInfo modes[4];
	uint8_t edid[128];
	struct {
		uint32_t width, height;
		void *data;
	} buffers[NR_BUFFERS];
	int imports;		/* what it does with them */
	bool modifiers;
	unsigned int open_handles;
	struct {
		int fd;
		uint32_t format, width, height, stride, offset;
	} import[NR_IMPORTS];	/* of framebuffers; width 0: none */
	bool any_plane;		/* can be any CRTC's */
	uint32_t plane_on[NR_CRTCS];	/* CRTCs of planes, before we come */
	uint32_t shown[NR_CRTCS];	/* framebuffers */
	uint16_t refuses;	/* modes of this width */
	uint16_t mode[NR_CRTCS];	/* widths of modes that are set */
	bool bad_link[NR_CONNS];	/* until a mode is set and it is said to be good */
	uint32_t possible[NR_CONNS];	/* CRTCs of encoders; 0: all */
	uint32_t feeds[NR_CONNS];	/* CRTCs of connectors, or 0 */
	drmModeModeInfo blob;
	unsigned int modesets, flips;
	uint64_t pending_serial[NR_CRTCS];
	bool pending[NR_CRTCS];
	struct {
		int fd;		/* the test's end: hangs up with the worker's */
		uint32_t objects[12];
		int n;
	} leases[MAX_LEASES];
} card;

#endif /* TESTS_UNIT_DRM_CARD_H */
