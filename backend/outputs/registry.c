/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "outputs/output.h"

static const struct xd_output_ops *const outputs[] = {
	&xd_output_headless,
#ifdef XD_VNC
	&xd_output_vnc,
#endif
#ifdef XD_DRM
	&xd_output_drm,
#endif
#ifdef XD_WAYLAND
	&xd_output_wayland,
#endif
};

const struct xd_output_ops *xd_output_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++)
		if (!strcmp(outputs[i]->name, name))
			return outputs[i];
	return NULL;
}
