// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The driver's view of XenStore: the input's lines are the nodes' texts, in the
 * order in which they are asked for; "-" is a node that is not there, "!" one that
 * cannot be read. What is taken for a configuration is within its bounds.
 */
#include "driver.h"

#include "xen_drm_cfg.c"

bool xen_drm_contiguous;

static struct fuzz_input in;

char *xenbus_read(int transaction, const char *dir, const char *node,
		  unsigned int *len)
{
	const char *end = in.left ? memchr(in.data, '\n', in.left) : NULL;
	size_t size = end ? (size_t)((const uint8_t *)end - in.data) : in.left;
	char *text = malloc(size + 1);

	CHECK(text);
	fuzz_take(&in, text, size);
	text[size] = '\0';
	if (end)
		fuzz_u8(&in);
	if (!strcmp(text, "-") || !strcmp(text, "!")) {
		int err = *text == '-' ? -ENOENT : -ENOMEM;

		free(text);
		return ERR_PTR(err);
	}
	return text;
}

static void check(const struct xen_drm_cfg *cfg)
{
	CHECK(cfg->num_conn >= 1 && cfg->num_conn <= XEN_DRM_MAX_CONNECTORS);
	for (unsigned int i = 0; i < cfg->num_conn; i++) {
		const struct xen_drm_conn_cfg *conn = &cfg->conn[i];

		CHECK(conn->width >= 1 && conn->width <= XEN_DRM_MAX_SIZE);
		CHECK(conn->height >= 1 && conn->height <= XEN_DRM_MAX_SIZE);
		CHECK(memchr(conn->unique_id, '\0', sizeof(conn->unique_id)));
	}
	CHECK(cfg->version >= 1 &&
	      cfg->version <= XENDISPL_PROTOCOL_VERSION_INT);
	CHECK(cfg->num_formats <= XEN_DRM_MAX_FORMATS);
	CHECK(!(cfg->features & XEN_DRM_FEAT_FORMATS) || cfg->num_formats);
	CHECK(!cfg->be_alloc || !xen_drm_contiguous);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xenbus_device xb = { "device/vdispl/0", "backend", 0, { 0 } };
	struct xen_drm_cfg cfg;
	unsigned int before = kernel_messages;

	in = (struct fuzz_input){ data, size };
	xen_drm_contiguous = fuzz_u8(&in) & 2;
	if (!xen_drm_cfg_read(&xb, &cfg))
		check(&cfg);
	else
		CHECK(kernel_messages == before + 1);
	xen_drm_cfg_online(&xb);
	return 0;
}
