/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Where the helper for the guest's console is declared. */

#ifndef XEN_DRM_COMPAT_FBDEV_H
#define XEN_DRM_COMPAT_FBDEV_H

#include <drm/drm_fourcc.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <drm/drm_client_setup.h>
#include <drm/drm_fbdev_ttm.h>
#else
#include <drm/drm_fb_helper.h>
#endif

#endif
