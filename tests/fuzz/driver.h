/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of the targets that are the driver's: its tracepoints, which lead nowhere. */
#ifndef TESTS_FUZZ_DRIVER_H
#define TESTS_FUZZ_DRIVER_H

#include "fuzz.h"

#include "xen_drm.h"

#define XEN_DRM_TRACE_H

static inline void trace_xen_drm_request(unsigned int conn, u16 id, u8 op)
{
}

static inline void trace_xen_drm_response(unsigned int conn, u16 id, u8 op,
					  int status)
{
}

static inline void trace_xen_drm_event(unsigned int conn, u16 id, u8 type,
				       u64 cookie)
{
}

#endif /* TESTS_FUZZ_DRIVER_H */
