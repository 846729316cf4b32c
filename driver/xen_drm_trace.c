// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Instantiates the tracepoints. */

#define CREATE_TRACE_POINTS
#include "xen_drm_trace.h"
