/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a request on the wire to a checked one, and from our answers to the
 * wire.
 *
 * The caller takes a private copy of the ring slot first (RING_COPY_REQUEST):
 * nothing here may be handed a pointer into shared memory.
 *
 * What a request says by itself is checked here: codes, bounds, products.
 * What it says about other objects (cookies, buffer sizes, the connector's
 * resolution) is checked by validate.h.
 *
 * Return values are -errno; xd_status() makes a wire status of them.
 */
#ifndef XD_PROTO_DECODE_H
#define XD_PROTO_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/abi.h"
#include "proto/format.h"
#include "proto/limits.h"

/**
 * struct xd_features - what was negotiated with this frontend
 * @version:	protocol version, 1 or 2
 * @be_alloc:	the toolstack allows backend-allocated buffers
 * @damage, @stride, @connector_event, @ro_grants, @cursor, @formats:
 *		extension is on at both ends
 */
struct xd_features {
	unsigned int version;
	bool be_alloc;
	bool damage;
	bool stride;
	bool connector_event;
	bool ro_grants;
	bool cursor;
	bool formats;
};

/* A rectangle, end exclusive. */
struct xd_rect {
	uint32_t x1;
	uint32_t y1;
	uint32_t x2;
	uint32_t y2;
};

/**
 * struct xd_dbuf_create - checked DBUF_CREATE
 * @cookie:	not 0; may be in use already, that is for the caller to see
 * @width, @height, @bpp: all zero ("size unknown"), or 1..XD_MAX_DIMENSION
 *		and a multiple of 8 in 8..64, and then the packed picture
 *		fits into @buffer_sz - @data_ofs
 * @buffer_sz:	bytes, not 0
 * @data_ofs:	bytes, less than @buffer_sz
 * @nr_pages:	Xen pages of the buffer: ceil(buffer_sz / 4096)
 * @gref_directory: first page of the directory, not 0
 * @be_alloc:	the backend is to allocate; false unless negotiated
 */
struct xd_dbuf_create {
	uint64_t cookie;
	uint32_t width;
	uint32_t height;
	uint32_t bpp;
	uint32_t buffer_sz;
	uint32_t data_ofs;
	uint32_t nr_pages;
	uint32_t gref_directory;
	bool be_alloc;
};

/**
 * struct xd_fb_attach - checked FB_ATTACH
 * @dbuf_cookie, @fb_cookie: not 0
 * @width, @height: 1..XD_MAX_DIMENSION
 * @format:	one of the known formats
 * @has_layout:	@stride and @offset came over the wire (`stride` extension);
 *		@stride then holds at least a packed row
 */
struct xd_fb_attach {
	uint64_t dbuf_cookie;
	uint64_t fb_cookie;
	uint32_t width;
	uint32_t height;
	const struct xd_format *format;
	bool has_layout;
	uint32_t stride;
	uint32_t offset;
};

/**
 * struct xd_set_config - checked SET_CONFIG
 * @off:	all zeros came: switch the connector off, rest is zero
 * @fb_cookie:	not 0 unless @off
 * @x, @y, @width, @height: where the picture is on the connector; neither
 *		sum exceeds XD_MAX_DIMENSION, width and height are not 0
 * @bpp:	of the framebuffer's format, 16, 24 or 32
 */
struct xd_set_config {
	bool off;
	uint64_t fb_cookie;
	uint32_t x;
	uint32_t y;
	uint32_t width;
	uint32_t height;
	uint32_t bpp;
};

/**
 * struct xd_pg_flip - checked PG_FLIP
 * @fb_cookie:	not 0
 * @nr_damage:	rectangles in @damage; 0 means the whole frame
 * @damage:	none of them empty or inverted
 */
struct xd_pg_flip {
	uint64_t fb_cookie;
	unsigned int nr_damage;
	struct xd_rect damage[XD_MAX_WIRE_DAMAGE];
};

/* Checked GET_EDID: 32 KiB <= buffer_sz <= XD_MAX_EDID_BUFFER. */
struct xd_get_edid {
	uint32_t buffer_sz;
	uint32_t nr_pages;
	uint32_t gref_directory;
};

/* Checked cursor requests; @fb_cookie 0 hides the cursor. */
struct xd_cursor_set {
	uint64_t fb_cookie;
	uint32_t hot_x;
	uint32_t hot_y;
};

struct xd_cursor_move {
	int32_t x;
	int32_t y;
};

/**
 * struct xd_req - a checked request
 * @id:		echoed in the response
 * @op:		XENDISPL_OP_* or XD_OP_*, selects the member of the union
 */
struct xd_req {
	uint16_t id;
	uint8_t op;
	union {
		struct xd_dbuf_create dbuf_create;
		uint64_t dbuf_destroy;		/* cookie, not 0 */
		struct xd_fb_attach fb_attach;
		uint64_t fb_detach;		/* cookie, not 0 */
		struct xd_set_config set_config;
		struct xd_pg_flip pg_flip;
		struct xd_get_edid get_edid;
		struct xd_cursor_set cursor_set;
		struct xd_cursor_move cursor_move;
	};
};

/**
 * xd_req_decode() - check a request as far as it goes by itself
 * @untrusted_req: private copy of the ring slot
 * @features:	what was negotiated
 * @connector:	index of the connector whose ring it came over; the buffer
 *		requests are for connector 0's ring only
 * @ret_req:	filled in on success; id and op are also set on failure, for
 *		the response and the log
 *
 * Reserved bytes and unknown flag bits are ignored: Linux's frontend does not
 * clear its slots, so they hold what the slot had before.
 *
 * Return: 0, -EINVAL for bad values, -EOPNOTSUPP for an operation that does
 * not exist or was not negotiated.
 */
int xd_req_decode(const struct xendispl_req *untrusted_req,
		  const struct xd_features *features, unsigned int connector,
		  struct xd_req *ret_req);

/* Wire status of an -errno (or 0): 0 or -XEN_Exx, never out of [-4095, 0]. */
int32_t xd_status(int err);

/* A name for logs: "PG_FLIP", "unknown". */
const char *xd_op_name(uint8_t op);

/*
 * The answers, all 64 bytes of them, unused ones zero. @err is 0 or -errno.
 */
void xd_resp_encode(struct xendispl_resp *resp, uint16_t id, uint8_t op,
		    int err);
void xd_resp_encode_edid(struct xendispl_resp *resp, uint16_t id,
			 uint32_t edid_sz);
void xd_evt_encode_flip(struct xendispl_evt *evt, uint16_t id,
			uint64_t fb_cookie);
void xd_evt_encode_connector(struct xendispl_evt *evt, uint16_t id,
			     bool connected);

#endif /* XD_PROTO_DECODE_H */
