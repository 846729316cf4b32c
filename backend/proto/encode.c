// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "proto/decode.h"

int32_t xd_status(int err)
{
	switch (err) {
	case 0:
		return 0;
	case -EPERM:
		return -XEN_EPERM;
	case -ENOENT:
		return -XEN_ENOENT;
	case -ENOMEM:
		return -XEN_ENOMEM;
	case -EACCES:
		return -XEN_EACCES;
	case -EFAULT:
		return -XEN_EFAULT;
	case -EBUSY:
		return -XEN_EBUSY;
	case -EEXIST:
		return -XEN_EEXIST;
	case -EINVAL:
		return -XEN_EINVAL;
	case -ENOSPC:
		return -XEN_ENOSPC;
	case -EOPNOTSUPP:
		return -XEN_EOPNOTSUPP;
	default:
		return -XEN_EIO;
	}
}

const char *xd_op_name(uint8_t op)
{
	switch (op) {
	case XENDISPL_OP_DBUF_CREATE:
		return "DBUF_CREATE";
	case XENDISPL_OP_DBUF_DESTROY:
		return "DBUF_DESTROY";
	case XENDISPL_OP_FB_ATTACH:
		return "FB_ATTACH";
	case XENDISPL_OP_FB_DETACH:
		return "FB_DETACH";
	case XENDISPL_OP_SET_CONFIG:
		return "SET_CONFIG";
	case XENDISPL_OP_PG_FLIP:
		return "PG_FLIP";
	case XENDISPL_OP_GET_EDID:
		return "GET_EDID";
	case XD_OP_CURSOR_SET:
		return "CURSOR_SET";
	case XD_OP_CURSOR_MOVE:
		return "CURSOR_MOVE";
	default:
		return "unknown";
	}
}

void xd_resp_encode(struct xendispl_resp *resp, uint16_t id, uint8_t op,
		    int err)
{
	memset(resp, 0, sizeof(*resp));
	resp->id = id;
	resp->operation = op;
	resp->status = xd_status(err);
}

void xd_resp_encode_edid(struct xendispl_resp *resp, uint16_t id,
			 uint32_t edid_sz)
{
	xd_resp_encode(resp, id, XENDISPL_OP_GET_EDID, 0);
	resp->op.get_edid.edid_sz = edid_sz;
}

void xd_evt_encode_flip(struct xendispl_evt *evt, uint16_t id,
			uint64_t fb_cookie)
{
	memset(evt, 0, sizeof(*evt));
	evt->id = id;
	evt->type = XENDISPL_EVT_PG_FLIP;
	evt->op.pg_flip.fb_cookie = fb_cookie;
}

void xd_evt_encode_connector(struct xendispl_evt *evt, uint16_t id,
			     bool connected)
{
	const struct xd_wire_connector_evt body = { .connected = connected };

	memset(evt, 0, sizeof(*evt));
	evt->id = id;
	evt->type = XD_EVT_CONNECTOR;
	memcpy(&evt->op, &body, sizeof(body));
}
