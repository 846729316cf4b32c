// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What XenStore says: strict parsers, pure, and the reader that uses them.
 *
 * Every node is parsed whole: no leading or trailing characters, decimal, in
 * bounds. A wrong one is named with its value and the expected form.
 */

#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <drm/drm_fourcc.h>

#include "xen_drm.h"

/* One decimal number at the start of @text; returns what follows, or NULL. */
static const char *xen_drm_cfg_digits(const char *text, unsigned int max,
				      unsigned int *ret_value)
{
	u64 value = 0;

	if (!isdigit(*text))
		return NULL;
	for (; isdigit(*text); text++) {
		value = value * 10 + (*text - '0');
		if (value > max)
			return NULL;
	}
	*ret_value = value;
	return text;
}

/**
 * xen_drm_cfg_parse_uint - parse a decimal number, the whole string
 * @text: NUL-terminated
 * @max: largest accepted value
 * @ret_value: set on success
 *
 * Return: 0 or -EINVAL.
 */
int xen_drm_cfg_parse_uint(const char *text, unsigned int max,
			   unsigned int *ret_value)
{
	unsigned int value;
	const char *end = xen_drm_cfg_digits(text, max, &value);

	if (!end || *end)
		return -EINVAL;
	*ret_value = value;
	return 0;
}

/**
 * xen_drm_cfg_parse_resolution - parse WIDTHxHEIGHT, the whole string
 * @text: NUL-terminated
 * @ret_width: pixels, 1 to XEN_DRM_MAX_SIZE, set on success
 * @ret_height: as above
 *
 * Return: 0 or -EINVAL.
 */
int xen_drm_cfg_parse_resolution(const char *text, unsigned int *ret_width,
				 unsigned int *ret_height)
{
	unsigned int width, height;
	const char *end;

	end = xen_drm_cfg_digits(text, XEN_DRM_MAX_SIZE, &width);
	if (!end || strncmp(end, XENDISPL_RESOLUTION_SEPARATOR,
			    strlen(XENDISPL_RESOLUTION_SEPARATOR)))
		return -EINVAL;
	end += strlen(XENDISPL_RESOLUTION_SEPARATOR);
	if (xen_drm_cfg_parse_uint(end, XEN_DRM_MAX_SIZE, &height))
		return -EINVAL;
	if (!width || !height)
		return -EINVAL;
	*ret_width = width;
	*ret_height = height;
	return 0;
}

/**
 * xen_drm_cfg_parse_version - find the highest protocol version we share
 * @text: the backend's comma-separated list
 * @ret_version: 1 to XENDISPL_PROTOCOL_VERSION_INT, set on success
 *
 * Return: 0, -EINVAL for what is not a list of numbers, -EPROTONOSUPPORT when
 * none is common.
 */
int xen_drm_cfg_parse_version(const char *text, unsigned int *ret_version)
{
	unsigned int best = 0;

	for (;;) {
		unsigned int version;
		const char *end = xen_drm_cfg_digits(text, 65535, &version);

		if (!end)
			return -EINVAL;
		if (version <= XENDISPL_PROTOCOL_VERSION_INT)
			best = max(best, version);
		if (!*end)
			break;
		if (strncmp(end, XENDISPL_LIST_SEPARATOR,
			    strlen(XENDISPL_LIST_SEPARATOR)))
			return -EINVAL;
		text = end + strlen(XENDISPL_LIST_SEPARATOR);
	}
	if (!best)
		return -EPROTONOSUPPORT;
	*ret_version = best;
	return 0;
}

/* What the driver can carry: packed RGB in one plane. */
static bool xen_drm_cfg_known_format(u32 fourcc)
{
	switch (fourcc) {
	case DRM_FORMAT_RGB565:
	case DRM_FORMAT_RGB888:
	case DRM_FORMAT_XRGB8888:
	case DRM_FORMAT_ARGB8888:
	case DRM_FORMAT_XRGB4444:
	case DRM_FORMAT_ARGB4444:
	case DRM_FORMAT_XRGB1555:
	case DRM_FORMAT_ARGB1555:
	case DRM_FORMAT_BGR565:
	case DRM_FORMAT_BGR888:
	case DRM_FORMAT_XBGR8888:
	case DRM_FORMAT_ABGR8888:
	case DRM_FORMAT_XRGB2101010:
	case DRM_FORMAT_ARGB2101010:
	case DRM_FORMAT_XBGR2101010:
	case DRM_FORMAT_ABGR2101010:
		return true;
	default:
		return false;
	}
}

/**
 * xen_drm_cfg_parse_formats - parse a comma-separated list of FOURCCs
 * @text: like "XR24,AR24,RG16"
 * @formats: room for XEN_DRM_MAX_FORMATS
 * @ret_num: how many, set on success; formats we do not know are left out
 *
 * Return: 0 or -EINVAL for a wrong form or an empty result.
 */
int xen_drm_cfg_parse_formats(const char *text, u32 *formats,
			      unsigned int *ret_num)
{
	unsigned int num = 0;

	for (;; text += 5) {
		u32 fourcc;

		if (strnlen(text, 4) < 4)
			return -EINVAL;
		fourcc = fourcc_code(text[0], text[1], text[2], text[3]);
		if (xen_drm_cfg_known_format(fourcc) &&
		    num < XEN_DRM_MAX_FORMATS)
			formats[num++] = fourcc;
		if (!text[4])
			break;
		if (text[4] != ',')
			return -EINVAL;
	}
	if (!num)
		return -EINVAL;
	*ret_num = num;
	return 0;
}

/*
 * No such node. Nor may we look for one where a whole directory of another domain
 * has gone: what is left above it is not ours to read.
 */
static bool xen_drm_cfg_absent(const char *text)
{
	return PTR_ERR_OR_ZERO(text) == -ENOENT ||
		PTR_ERR_OR_ZERO(text) == -EACCES;
}

/* A node's text, the caller's to kfree(); NULL if there is no such node. */
static int xen_drm_cfg_text(struct xenbus_device *xb, const char *dir,
			    const char *node, char **ret_text)
{
	char *text = xenbus_read(XBT_NIL, dir, node, NULL);
	int ret = 0;

	if (IS_ERR(text) && !xen_drm_cfg_absent(text)) {
		ret = PTR_ERR(text);
		xenbus_dev_fatal(xb, ret, "reading %s/%s", dir, node);
	}
	*ret_text = IS_ERR(text) ? NULL : text;
	return ret;
}

/* An optional flag: absent is @fallback, else "0" or "1". */
static int xen_drm_cfg_flag(struct xenbus_device *xb, const char *dir,
			    const char *node, bool fallback, bool *ret_flag)
{
	unsigned int value = fallback;
	char *text;
	int ret;

	ret = xen_drm_cfg_text(xb, dir, node, &text);
	if (ret)
		return ret;
	if (text)
		ret = xen_drm_cfg_parse_uint(text, 1, &value);
	if (ret)
		xenbus_dev_fatal(xb, ret, "%s/%s is \"%.32s\", expected 0 or 1",
				 dir, node, text);
	kfree(text);
	*ret_flag = value;
	return ret;
}

static int xen_drm_cfg_connector(struct xenbus_device *xb, unsigned int index,
				 struct xen_drm_conn_cfg *conn)
{
	char node[32];
	char *text;
	int ret;

	snprintf(node, sizeof(node), "%u/" XENDISPL_FIELD_RESOLUTION, index);
	ret = xen_drm_cfg_text(xb, xb->nodename, node, &text);
	if (ret)
		return ret;
	if (!text)
		return -ENOENT;
	ret = xen_drm_cfg_parse_resolution(text, &conn->width, &conn->height);
	if (ret)
		xenbus_dev_fatal(xb, ret,
				 "%s/%s is \"%.32s\", expected WIDTHxHEIGHT, each 1 to %u",
				 xb->nodename, node, text, XEN_DRM_MAX_SIZE);
	kfree(text);
	if (ret)
		return ret;

	snprintf(node, sizeof(node), "%u/" XENDISPL_FIELD_UNIQUE_ID, index);
	ret = xen_drm_cfg_text(xb, xb->nodename, node, &text);
	strscpy(conn->unique_id, text ?: "", sizeof(conn->unique_id));
	kfree(text);
	return ret;
}

static int xen_drm_cfg_connectors(struct xenbus_device *xb,
				  struct xen_drm_cfg *cfg)
{
	unsigned int i;
	int ret;

	for (i = 0; i < XEN_DRM_MAX_CONNECTORS; i++) {
		ret = xen_drm_cfg_connector(xb, i, &cfg->conn[i]);
		if (ret == -ENOENT)
			break;
		if (ret)
			return ret;
	}
	if (!i) {
		xenbus_dev_fatal(xb, -ENOENT,
				 "%s/0/" XENDISPL_FIELD_RESOLUTION
				 " is missing, expected WIDTHxHEIGHT",
				 xb->nodename);
		return -ENOENT;
	}
	cfg->num_conn = i;
	return 0;
}

static int xen_drm_cfg_version(struct xenbus_device *xb,
			       struct xen_drm_cfg *cfg)
{
	char *text;
	int ret;

	cfg->version = 1;
	ret = xen_drm_cfg_text(xb, xb->otherend, XENDISPL_FIELD_BE_VERSIONS,
			       &text);
	if (ret)
		return ret;
	if (text)
		ret = xen_drm_cfg_parse_version(text, &cfg->version);
	if (ret)
		xenbus_dev_fatal(xb, ret,
				 "%s/" XENDISPL_FIELD_BE_VERSIONS
				 " is \"%.32s\", expected a list with 1 to %u in it",
				 xb->otherend, text,
				 XENDISPL_PROTOCOL_VERSION_INT);
	kfree(text);
	return ret;
}

static const struct {
	const char *node;
	unsigned long bit;
} xen_drm_cfg_features[] = {
	{ "feature-damage", XEN_DRM_FEAT_DAMAGE },
	{ "feature-stride", XEN_DRM_FEAT_STRIDE },
	{ "feature-connector-event", XEN_DRM_FEAT_CONNECTOR_EVENT },
	{ "feature-ro-grants", XEN_DRM_FEAT_RO_GRANTS },
	{ "feature-cursor", XEN_DRM_FEAT_CURSOR },
	{ "feature-formats", XEN_DRM_FEAT_FORMATS },
};

static int xen_drm_cfg_read_formats(struct xenbus_device *xb,
				    struct xen_drm_cfg *cfg)
{
	char *text;
	int ret;

	ret = xen_drm_cfg_text(xb, xb->otherend, "formats", &text);
	if (ret)
		return ret;
	ret = -EINVAL;
	if (text)
		ret = xen_drm_cfg_parse_formats(text, cfg->formats,
						&cfg->num_formats);
	if (ret)
		xenbus_dev_fatal(xb, ret,
				 "%s/formats is \"%.32s\", expected FOURCCs separated by commas",
				 xb->otherend, text ?: "");
	kfree(text);
	return ret;
}

static int xen_drm_cfg_extensions(struct xenbus_device *xb,
				  struct xen_drm_cfg *cfg)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(xen_drm_cfg_features); i++) {
		bool flag;
		int ret;

		ret = xen_drm_cfg_flag(xb, xb->otherend,
				       xen_drm_cfg_features[i].node, false,
				       &flag);
		if (ret)
			return ret;
		if (flag)
			cfg->features |= xen_drm_cfg_features[i].bit;
	}
	if (cfg->features & XEN_DRM_FEAT_FORMATS)
		return xen_drm_cfg_read_formats(xb, cfg);
	return 0;
}

/**
 * xen_drm_cfg_read - read the configuration and the backend's offer
 * @xb: the bus device
 * @cfg: filled
 *
 * Context: process.
 * Return: 0, or -errno and the reason is in XenStore, the
 * log, and the frontend's state is Closing.
 */
int xen_drm_cfg_read(struct xenbus_device *xb, struct xen_drm_cfg *cfg)
{
	int ret;

	memset(cfg, 0, sizeof(*cfg));
	ret = xen_drm_cfg_version(xb, cfg);
	if (!ret)
		ret = xen_drm_cfg_connectors(xb, cfg);
	if (!ret)
		ret = xen_drm_cfg_flag(xb, xb->nodename,
				       XENDISPL_FIELD_BE_ALLOC, false,
				       &cfg->be_alloc);
	if (!ret)
		ret = xen_drm_cfg_extensions(xb, cfg);
	if (!ret && cfg->be_alloc && xen_drm_contiguous) {
		ret = -EINVAL;
		xenbus_dev_fatal(xb, ret,
				 "%s/" XENDISPL_FIELD_BE_ALLOC
				 "=1 and the module parameter contiguous=1 exclude each other",
				 xb->nodename);
	}
	return ret;
}

/**
 * xen_drm_cfg_online - does the toolstack still want this device?
 * @xb: the bus device
 *
 * Return: false once the backend's directory is gone or says "online = 0"; true
 * when that cannot be found out.
 */
bool xen_drm_cfg_online(struct xenbus_device *xb)
{
	char *text = xenbus_read(XBT_NIL, xb->otherend, "online", NULL);
	bool online;

	if (IS_ERR(text))
		return !xen_drm_cfg_absent(text);
	online = strcmp(text, "0");
	kfree(text);
	return online;
}
