// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "proto/decode.h"

static uint32_t bytes_to_pages(uint32_t bytes)
{
	return (bytes >> XD_PAGE_SHIFT) + !!(bytes & (XD_PAGE_SIZE - 1));
}

static bool dimension_ok(uint32_t pixels)
{
	return pixels >= 1 && pixels <= XD_MAX_DIMENSION;
}

/*
 * Bytes of a packed picture. Cannot overflow: 13 bits of width, 13 of height
 * and 6 of depth, which the callers have checked.
 */
static uint64_t packed_bytes(uint32_t width, uint32_t height, uint32_t bpp)
{
	uint64_t row = ((uint64_t)width * bpp + 7) / 8;

	return row * height;
}

static int decode_dbuf_create(const struct xendispl_dbuf_create_req *untrusted,
			      const struct xd_features *features,
			      struct xd_dbuf_create *ret)
{
	uint32_t width = untrusted->width;
	uint32_t height = untrusted->height;
	uint32_t bpp = untrusted->bpp;
	bool unknown = !width && !height && !bpp;

	if (!untrusted->dbuf_cookie || !untrusted->buffer_sz ||
	    !untrusted->gref_directory)
		return -EINVAL;
	if (untrusted->data_ofs >= untrusted->buffer_sz)
		return -EINVAL;
	if (!unknown) {
		if (!dimension_ok(width) || !dimension_ok(height) ||
		    bpp < 8 || bpp > 64 || bpp % 8)
			return -EINVAL;
		if (packed_bytes(width, height, bpp) >
		    untrusted->buffer_sz - untrusted->data_ofs)
			return -EINVAL;
	}

	*ret = (struct xd_dbuf_create){
		.cookie = untrusted->dbuf_cookie,
		.width = width,
		.height = height,
		.bpp = bpp,
		.buffer_sz = untrusted->buffer_sz,
		.data_ofs = untrusted->data_ofs,
		.nr_pages = bytes_to_pages(untrusted->buffer_sz),
		.gref_directory = untrusted->gref_directory,
		/*
		 * Linux sets the flag with |= in a slot that may hold an old
		 * pixel format there: believe it only where it can be meant.
		 */
		.be_alloc = features->be_alloc &&
			    (untrusted->flags & XENDISPL_DBUF_FLG_REQ_ALLOC),
	};
	return 0;
}

static int decode_fb_attach(const struct xendispl_req *untrusted_req,
			    const struct xd_features *features,
			    struct xd_fb_attach *ret)
{
	struct xd_wire_fb_attach_stride untrusted;
	const struct xd_format *format;

	memcpy(&untrusted, &untrusted_req->op, sizeof(untrusted));

	format = xd_format_find(untrusted.pixel_format);
	if (!untrusted.dbuf_cookie || !untrusted.fb_cookie || !format)
		return -EINVAL;
	if (!dimension_ok(untrusted.width) || !dimension_ok(untrusted.height))
		return -EINVAL;

	*ret = (struct xd_fb_attach){
		.dbuf_cookie = untrusted.dbuf_cookie,
		.fb_cookie = untrusted.fb_cookie,
		.width = untrusted.width,
		.height = untrusted.height,
		.format = format,
	};
	if (!features->stride)
		return 0;

	if (untrusted.stride < packed_bytes(untrusted.width, 1, format->bpp))
		return -EINVAL;
	ret->has_layout = true;
	ret->stride = untrusted.stride;
	ret->offset = untrusted.offset;
	return 0;
}

static int decode_set_config(const struct xendispl_set_config_req *untrusted,
			     struct xd_set_config *ret)
{
	struct xd_set_config cfg = {
		.fb_cookie = untrusted->fb_cookie,
		.x = untrusted->x,
		.y = untrusted->y,
		.width = untrusted->width,
		.height = untrusted->height,
		.bpp = untrusted->bpp,
	};

	if (!cfg.fb_cookie && !cfg.x && !cfg.y && !cfg.width && !cfg.height &&
	    !cfg.bpp) {
		cfg.off = true;
		*ret = cfg;
		return 0;
	}

	if (!cfg.fb_cookie || !dimension_ok(cfg.width) ||
	    !dimension_ok(cfg.height) ||
	    cfg.x > XD_MAX_DIMENSION - cfg.width ||
	    cfg.y > XD_MAX_DIMENSION - cfg.height)
		return -EINVAL;
	if (cfg.bpp != 16 && cfg.bpp != 24 && cfg.bpp != 32)
		return -EINVAL;

	*ret = cfg;
	return 0;
}

static int decode_pg_flip(const struct xendispl_req *untrusted_req,
			  const struct xd_features *features,
			  struct xd_pg_flip *ret)
{
	struct xd_wire_pg_flip_damage untrusted;
	unsigned int nr = 0;

	memcpy(&untrusted, &untrusted_req->op, sizeof(untrusted));
	if (!untrusted.fb_cookie)
		return -EINVAL;

	*ret = (struct xd_pg_flip){ .fb_cookie = untrusted.fb_cookie };
	if (!features->damage)
		return 0;

	if (untrusted.count > XD_MAX_WIRE_DAMAGE)
		return -EINVAL;
	for (unsigned int i = 0; i < untrusted.count; i++) {
		const struct xd_wire_rect *r = &untrusted.rect[i];

		if (r->x1 >= r->x2 || r->y1 >= r->y2)
			return -EINVAL;
		ret->damage[nr++] = (struct xd_rect){
			.x1 = r->x1, .y1 = r->y1, .x2 = r->x2, .y2 = r->y2,
		};
	}
	ret->nr_damage = nr;
	return 0;
}

static int decode_get_edid(const struct xendispl_get_edid_req *untrusted,
			   const struct xd_features *features,
			   struct xd_get_edid *ret)
{
	uint32_t buffer_sz = untrusted->buffer_sz;

	if (features->version < 2)
		return -EOPNOTSUPP;
	if (buffer_sz < XENDISPL_EDID_MAX_SIZE ||
	    buffer_sz > XD_MAX_EDID_BUFFER || !untrusted->gref_directory)
		return -EINVAL;

	*ret = (struct xd_get_edid){
		.buffer_sz = buffer_sz,
		.nr_pages = bytes_to_pages(buffer_sz),
		.gref_directory = untrusted->gref_directory,
	};
	return 0;
}

static int decode_cursor_set(const struct xendispl_req *untrusted_req,
			     const struct xd_features *features,
			     struct xd_cursor_set *ret)
{
	struct xd_wire_cursor_set untrusted;

	if (!features->cursor)
		return -EOPNOTSUPP;

	memcpy(&untrusted, &untrusted_req->op, sizeof(untrusted));
	if (untrusted.hot_x >= XD_MAX_DIMENSION ||
	    untrusted.hot_y >= XD_MAX_DIMENSION)
		return -EINVAL;

	*ret = (struct xd_cursor_set){
		.fb_cookie = untrusted.fb_cookie,
		.hot_x = untrusted.hot_x,
		.hot_y = untrusted.hot_y,
	};
	return 0;
}

static int decode_cursor_move(const struct xendispl_req *untrusted_req,
			      const struct xd_features *features,
			      struct xd_cursor_move *ret)
{
	const int32_t bound = XD_MAX_DIMENSION;
	struct xd_wire_cursor_move untrusted;

	if (!features->cursor)
		return -EOPNOTSUPP;

	memcpy(&untrusted, &untrusted_req->op, sizeof(untrusted));
	if (untrusted.x < -bound || untrusted.x > bound ||
	    untrusted.y < -bound || untrusted.y > bound)
		return -EINVAL;

	*ret = (struct xd_cursor_move){ .x = untrusted.x, .y = untrusted.y };
	return 0;
}

static int decode_cookie(uint64_t untrusted, uint64_t *ret)
{
	if (!untrusted)
		return -EINVAL;
	*ret = untrusted;
	return 0;
}

static bool is_buffer_op(uint8_t op)
{
	return op >= XENDISPL_OP_DBUF_CREATE && op <= XENDISPL_OP_FB_DETACH;
}

int xd_req_decode(const struct xendispl_req *untrusted_req,
		  const struct xd_features *features, unsigned int connector,
		  struct xd_req *ret_req)
{
	*ret_req = (struct xd_req){
		.id = untrusted_req->id,
		.op = untrusted_req->operation,
	};

	if (is_buffer_op(ret_req->op) && connector != 0)
		return -EINVAL;

	switch (ret_req->op) {
	case XENDISPL_OP_DBUF_CREATE:
		return decode_dbuf_create(&untrusted_req->op.dbuf_create,
					  features, &ret_req->dbuf_create);
	case XENDISPL_OP_DBUF_DESTROY:
		return decode_cookie(untrusted_req->op.dbuf_destroy.dbuf_cookie,
				     &ret_req->dbuf_destroy);
	case XENDISPL_OP_FB_ATTACH:
		return decode_fb_attach(untrusted_req, features,
					&ret_req->fb_attach);
	case XENDISPL_OP_FB_DETACH:
		return decode_cookie(untrusted_req->op.fb_detach.fb_cookie,
				     &ret_req->fb_detach);
	case XENDISPL_OP_SET_CONFIG:
		return decode_set_config(&untrusted_req->op.set_config,
					 &ret_req->set_config);
	case XENDISPL_OP_PG_FLIP:
		return decode_pg_flip(untrusted_req, features,
				      &ret_req->pg_flip);
	case XENDISPL_OP_GET_EDID:
		return decode_get_edid(&untrusted_req->op.get_edid, features,
				       &ret_req->get_edid);
	case XD_OP_CURSOR_SET:
		return decode_cursor_set(untrusted_req, features,
					 &ret_req->cursor_set);
	case XD_OP_CURSOR_MOVE:
		return decode_cursor_move(untrusted_req, features,
					  &ret_req->cursor_move);
	default:
		return -EOPNOTSUPP;
	}
}
