/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the tests stand in for: tracepoints belong to the driver's module. */

#ifndef XEN_DRM_TEST_H
#define XEN_DRM_TEST_H

#include <kunit/test.h>

#include "xen_drm.h"

#define XEN_DRM_TRACE_H

static inline void trace_xen_drm_request(unsigned int conn, u16 id, u8 op) {}

static inline void trace_xen_drm_response(unsigned int conn, u16 id, u8 op,
					  int status) {}

static inline void trace_xen_drm_event(unsigned int conn, u16 id, u8 type,
				       u64 cookie) {}

enum {
	XEN_DRM_FLIP_ARMED,
	XEN_DRM_FLIP_SHOWN,
	XEN_DRM_FLIP_LATE,
	XEN_DRM_FLIP_TIMED_OUT,
};

static inline void trace_xen_drm_flip(unsigned int conn, u32 seq, u64 cookie,
				      unsigned int what) {}

#endif
