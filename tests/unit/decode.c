// SPDX-License-Identifier: GPL-2.0-or-later
/* proto/decode.h and proto/encode: one request by itself. */
#include "unit.h"

#include "proto/decode.h"

static const struct xd_features v1 = { .version = 1 };
static const struct xd_features v2_all = {
	.version = 2, .be_alloc = true, .damage = true, .stride = true,
	.connector_event = true, .ro_grants = true, .cursor = true,
	.formats = true,
};

static struct xendispl_req request(uint8_t op)
{
	struct xendispl_req req;

	/* What a frontend that does not clear its slots leaves in them. */
	memset(&req, 0xa5, sizeof(req));
	req.id = 0x1234;
	req.operation = op;
	return req;
}

static struct xendispl_req create_request(void)
{
	struct xendispl_req req = request(XENDISPL_OP_DBUF_CREATE);

	req.op.dbuf_create = (struct xendispl_dbuf_create_req){
		.dbuf_cookie = 7, .width = 640, .height = 480, .bpp = 32,
		.buffer_sz = 640 * 480 * 4, .gref_directory = 9,
	};
	return req;
}

static struct xendispl_req attach_request(void)
{
	struct xendispl_req req = request(XENDISPL_OP_FB_ATTACH);

	req.op.fb_attach = (struct xendispl_fb_attach_req){
		.dbuf_cookie = 7, .fb_cookie = 8, .width = 640, .height = 480,
		.pixel_format = XD_FMT_XRGB8888,
	};
	return req;
}

static struct xendispl_req config_request(void)
{
	struct xendispl_req req = request(XENDISPL_OP_SET_CONFIG);

	req.op.set_config = (struct xendispl_set_config_req){
		.fb_cookie = 8, .width = 640, .height = 480, .bpp = 32,
	};
	return req;
}

static int decode(const struct xendispl_req *req,
		  const struct xd_features *features, struct xd_req *ret)
{
	return xd_req_decode(req, features, 0, ret);
}

static void create_good(void **state)
{
	struct xendispl_req req = create_request();
	struct xd_req r;

	assert_int_equal(decode(&req, &v1, &r), 0);
	assert_int_equal(r.id, 0x1234);
	assert_int_equal(r.op, XENDISPL_OP_DBUF_CREATE);
	assert_int_equal(r.dbuf_create.cookie, 7);
	assert_int_equal(r.dbuf_create.width, 640);
	assert_int_equal(r.dbuf_create.height, 480);
	assert_int_equal(r.dbuf_create.bpp, 32);
	assert_int_equal(r.dbuf_create.buffer_sz, 640 * 480 * 4);
	assert_int_equal(r.dbuf_create.nr_pages, 300);
	assert_int_equal(r.dbuf_create.gref_directory, 9);
	assert_int_equal(r.dbuf_create.be_alloc, false);
}

static void create_bad(void **state)
{
	static const struct {
		const char *what;
		struct xendispl_dbuf_create_req req;
	} bad[] = {
		{ "cookie 0", { 0, 8, 8, 32, 256, 0, 9, 0 } },
		{ "empty buffer", { 7, 8, 8, 32, 0, 0, 9, 0 } },
		{ "directory 0", { 7, 8, 8, 32, 256, 0, 0, 0 } },
		{ "one byte short", { 7, 8, 8, 32, 255, 0, 9, 0 } },
		{ "one byte short of offset", { 7, 8, 8, 32, 260, 0, 9, 5 } },
		{ "offset at end", { 7, 0, 0, 0, 4096, 0, 9, 4096 } },
		{ "offset beyond", { 7, 0, 0, 0, 4096, 0, 9, 0xffffffff } },
		{ "width 0", { 7, 0, 8, 32, 4096, 0, 9, 0 } },
		{ "height 0", { 7, 8, 0, 32, 4096, 0, 9, 0 } },
		{ "bpp 0", { 7, 8, 8, 0, 4096, 0, 9, 0 } },
		{ "only bpp", { 7, 0, 0, 32, 4096, 0, 9, 0 } },
		{ "bpp 7", { 7, 8, 8, 7, 4096, 0, 9, 0 } },
		{ "bpp 15", { 7, 8, 8, 15, 4096, 0, 9, 0 } },
		{ "bpp 72", { 7, 8, 8, 72, 4096, 0, 9, 0 } },
		{ "too wide", { 7, 8193, 1, 8, 0x10000, 0, 9, 0 } },
		{ "too high", { 7, 1, 8193, 8, 0x10000, 0, 9, 0 } },
		/* 2^16 * 2^16 and 2^31 * 2 * 4 are 0 in 32 bits. */
		{ "wraps", { 7, 0x10000, 0x10000, 8, 4096, 0, 9, 0 } },
		{ "wraps", { 7, 0x80000000, 2, 32, 4096, 0, 9, 0 } },
		{ "all ones", { -1, -1, -1, -1, -1, -1, -1, -1 } },
	};
	struct xendispl_req req = create_request();
	struct xd_req r;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		req.op.dbuf_create = bad[i].req;
		if (decode(&req, &v1, &r) != -EINVAL)
			fail_msg("case %zu, %s: not refused", i, bad[i].what);
		assert_int_equal(r.id, 0x1234);
	}
}

static void create_unknown_size(void **state)
{
	struct xendispl_req req = create_request();
	struct xd_req r;

	req.op.dbuf_create.width = 0;
	req.op.dbuf_create.height = 0;
	req.op.dbuf_create.bpp = 0;
	req.op.dbuf_create.buffer_sz = 4097;
	req.op.dbuf_create.data_ofs = 4096;
	assert_int_equal(decode(&req, &v1, &r), 0);
	assert_int_equal(r.dbuf_create.nr_pages, 2);
	req.op.dbuf_create.buffer_sz = 8193;
	assert_int_equal(decode(&req, &v1, &r), 0);
	assert_int_equal(r.dbuf_create.nr_pages, 3);
	req.op.dbuf_create.buffer_sz = 8192;
	assert_int_equal(decode(&req, &v1, &r), 0);
	assert_int_equal(r.dbuf_create.nr_pages, 2);
}

static void create_smallest(void **state)
{
	static const uint32_t depths[] = { 8, 16, 24, 32, 64 };
	struct xendispl_req req = create_request();
	struct xd_req r;

	req.op.dbuf_create.width = 1;
	req.op.dbuf_create.height = 1;
	for (size_t i = 0; i < ARRAY_SIZE(depths); i++) {
		req.op.dbuf_create.bpp = depths[i];
		req.op.dbuf_create.buffer_sz = depths[i] / 8;
		assert_int_equal(decode(&req, &v1, &r), 0);
		assert_int_equal(r.dbuf_create.nr_pages, 1);
	}
}

static void create_largest(void **state)
{
	struct xendispl_req req = create_request();
	struct xd_req r;

	req.op.dbuf_create.width = 8192;
	req.op.dbuf_create.height = 8192;
	req.op.dbuf_create.bpp = 32;
	req.op.dbuf_create.buffer_sz = 8192u * 8192u * 4u;
	assert_int_equal(decode(&req, &v1, &r), 0);
	assert_int_equal(r.dbuf_create.nr_pages, 65536);

	req.op.dbuf_create.buffer_sz--;
	assert_int_equal(decode(&req, &v1, &r), -EINVAL);

	req.op.dbuf_create.buffer_sz = UINT32_MAX;
	assert_int_equal(decode(&req, &v1, &r), 0);
	assert_int_equal(r.dbuf_create.nr_pages, 1u << 20);
}

/* Linux's stale pixel format in the flags: AR24 has bit 0 set. */
static void create_stale_flags(void **state)
{
	struct xendispl_req req = create_request();
	struct xd_req r;

	req.op.dbuf_create.flags = XD_FMT_ARGB8888;
	assert_int_equal(req.op.dbuf_create.flags & 1, 1);
	assert_int_equal(decode(&req, &v1, &r), 0);
	assert_false(r.dbuf_create.be_alloc);
	assert_int_equal(decode(&req, &v2_all, &r), 0);
	assert_true(r.dbuf_create.be_alloc);
}

static void buffer_ops_on_connector_0_only(void **state)
{
	static const uint8_t ops[] = {
		XENDISPL_OP_DBUF_CREATE, XENDISPL_OP_DBUF_DESTROY,
		XENDISPL_OP_FB_ATTACH, XENDISPL_OP_FB_DETACH,
	};
	struct xendispl_req req;
	struct xd_req r;

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		if (ops[i] == XENDISPL_OP_FB_ATTACH)
			req = attach_request();
		else
			req = create_request();
		req.operation = ops[i];
		assert_int_equal(xd_req_decode(&req, &v1, 0, &r), 0);
		assert_int_equal(xd_req_decode(&req, &v1, 1, &r), -EINVAL);
	}
	req = config_request();
	assert_int_equal(xd_req_decode(&req, &v1, 1, &r), 0);
}

static void cookie_0(void **state)
{
	struct xendispl_req req = request(XENDISPL_OP_DBUF_DESTROY);
	struct xd_req r;

	req.op.dbuf_destroy.dbuf_cookie = UINT64_MAX;
	assert_int_equal(decode(&req, &v1, &r), 0);
	assert_int_equal(r.dbuf_destroy, UINT64_MAX);
	req.op.dbuf_destroy.dbuf_cookie = 0;
	assert_int_equal(decode(&req, &v1, &r), -EINVAL);
	req.operation = XENDISPL_OP_FB_DETACH;
	assert_int_equal(decode(&req, &v1, &r), -EINVAL);
	req.op.fb_detach.fb_cookie = 1;
	assert_int_equal(decode(&req, &v1, &r), 0);
	assert_int_equal(r.fb_detach, 1);
}

static void attach_formats(void **state)
{
	struct xendispl_req req = attach_request();
	struct xd_req r;

	for (size_t i = 0; i < XD_NUM_FORMATS; i++) {
		req.op.fb_attach.pixel_format = xd_formats[i].fourcc;
		assert_int_equal(decode(&req, &v1, &r), 0);
		assert_ptr_equal(r.fb_attach.format, &xd_formats[i]);
		assert_false(r.fb_attach.has_layout);
	}
	req.op.fb_attach.pixel_format = XD_FOURCC('N', 'V', '1', '2');
	assert_int_equal(decode(&req, &v1, &r), -EINVAL);
	req.op.fb_attach.pixel_format = 0;
	assert_int_equal(decode(&req, &v1, &r), -EINVAL);
}

static void attach_bad(void **state)
{
	static const struct xendispl_fb_attach_req bad[] = {
		{ 0, 8, 640, 480, XD_FMT_RGB565 },
		{ 7, 0, 640, 480, XD_FMT_RGB565 },
		{ 7, 8, 0, 480, XD_FMT_RGB565 },
		{ 7, 8, 640, 0, XD_FMT_RGB565 },
		{ 7, 8, 8193, 480, XD_FMT_RGB565 },
		{ 7, 8, 640, 8193, XD_FMT_RGB565 },
		{ 7, 8, 0xffffffff, 0xffffffff, XD_FMT_RGB565 },
	};
	struct xendispl_req req = attach_request();
	struct xd_req r;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		req.op.fb_attach = bad[i];
		if (decode(&req, &v1, &r) != -EINVAL)
			fail_msg("case %zu not refused", i);
	}
}

static void attach_stride(void **state)
{
	struct xendispl_req req = attach_request();
	struct xd_wire_fb_attach_stride wire;
	struct xd_req r;

	memcpy(&wire, &req.op, sizeof(wire));
	wire.stride = 2560;
	wire.offset = 64;
	memcpy(&req.op, &wire, sizeof(wire));
	assert_int_equal(decode(&req, &v2_all, &r), 0);
	assert_true(r.fb_attach.has_layout);
	assert_int_equal(r.fb_attach.stride, 2560);
	assert_int_equal(r.fb_attach.offset, 64);

	/* Off: the same bytes mean nothing. */
	assert_int_equal(decode(&req, &v1, &r), 0);
	assert_false(r.fb_attach.has_layout);
	assert_int_equal(r.fb_attach.stride, 0);

	wire.stride = 2559;
	memcpy(&req.op, &wire, sizeof(wire));
	assert_int_equal(decode(&req, &v2_all, &r), -EINVAL);
	assert_int_equal(decode(&req, &v1, &r), 0);
}

static void config_on_and_off(void **state)
{
	struct xendispl_req req = config_request();
	struct xd_req r;

	assert_int_equal(decode(&req, &v1, &r), 0);
	assert_false(r.set_config.off);
	assert_int_equal(r.set_config.fb_cookie, 8);
	assert_int_equal(r.set_config.width, 640);
	assert_int_equal(r.set_config.height, 480);
	assert_int_equal(r.set_config.bpp, 32);

	memset(&req.op.set_config, 0, sizeof(req.op.set_config));
	assert_int_equal(decode(&req, &v1, &r), 0);
	assert_true(r.set_config.off);
}

static void config_bad(void **state)
{
	static const struct xendispl_set_config_req bad[] = {
		{ 0, 0, 0, 640, 480, 32 },	/* no fb, yet not off */
		{ 0, 0, 0, 0, 0, 32 },
		{ 0, 1, 0, 0, 0, 0 },
		{ 8, 0, 0, 0, 0, 0 },		/* fb, yet no size */
		{ 8, 0, 0, 0, 480, 32 },
		{ 8, 0, 0, 640, 0, 32 },
		{ 8, 0, 0, 640, 480, 0 },
		{ 8, 0, 0, 640, 480, 8 },
		{ 8, 0, 0, 640, 480, 33 },
		{ 8, 0, 0, 8193, 480, 32 },
		{ 8, 0, 0, 640, 8193, 32 },
		{ 8, 7553, 0, 640, 480, 32 },
		{ 8, 0, 7713, 640, 480, 32 },
		{ 8, 0xffffff00, 0, 640, 480, 32 },	/* the sum wraps */
		{ 8, 0, 0xffffff00, 640, 480, 32 },
	};
	struct xendispl_req req = config_request();
	struct xd_req r;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		req.op.set_config = bad[i];
		if (decode(&req, &v1, &r) != -EINVAL)
			fail_msg("case %zu not refused", i);
	}
	req.op.set_config = (struct xendispl_set_config_req){
		8, 7552, 7712, 640, 480, 16,
	};
	assert_int_equal(decode(&req, &v1, &r), 0);
}

static struct xendispl_req flip_request(uint8_t count)
{
	struct xendispl_req req = request(XENDISPL_OP_PG_FLIP);
	struct xd_wire_pg_flip_damage wire = { .fb_cookie = 8, .count = count };

	for (uint16_t i = 0; i < XD_MAX_WIRE_DAMAGE; i++)
		wire.rect[i] = (struct xd_wire_rect){ i, 10, 20, 30 + i };
	memcpy(&req.op, &wire, sizeof(wire));
	return req;
}

static void flip_damage(void **state)
{
	struct xendispl_req req;
	struct xd_req r;

	for (uint8_t n = 0; n <= XD_MAX_WIRE_DAMAGE; n++) {
		req = flip_request(n);
		assert_int_equal(decode(&req, &v2_all, &r), 0);
		assert_int_equal(r.pg_flip.fb_cookie, 8);
		assert_int_equal(r.pg_flip.nr_damage, n);
		for (unsigned int i = 0; i < n; i++) {
			assert_int_equal(r.pg_flip.damage[i].x1, i);
			assert_int_equal(r.pg_flip.damage[i].y1, 10);
			assert_int_equal(r.pg_flip.damage[i].x2, 20);
			assert_int_equal(r.pg_flip.damage[i].y2, 30 + i);
		}
		/* Not negotiated: stale bytes, the frame is flipped whole. */
		assert_int_equal(decode(&req, &v1, &r), 0);
		assert_int_equal(r.pg_flip.nr_damage, 0);
	}
}

static void flip_bad(void **state)
{
	static const struct xd_wire_rect bad[] = {
		{ 20, 0, 20, 10 }, { 21, 0, 20, 10 }, { 0, 10, 20, 10 },
		{ 0, 11, 20, 10 }, { 0, 0, 0, 0 },
	};
	struct xendispl_req req = flip_request(XD_MAX_WIRE_DAMAGE + 1);
	struct xd_wire_pg_flip_damage wire;
	struct xd_req r;

	assert_int_equal(decode(&req, &v2_all, &r), -EINVAL);
	req = flip_request(255);
	assert_int_equal(decode(&req, &v2_all, &r), -EINVAL);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		req = flip_request(2);
		memcpy(&wire, &req.op, sizeof(wire));
		wire.rect[1] = bad[i];
		memcpy(&req.op, &wire, sizeof(wire));
		if (decode(&req, &v2_all, &r) != -EINVAL)
			fail_msg("rectangle %zu not refused", i);
	}

	req = flip_request(0);
	req.op.pg_flip.fb_cookie = 0;
	assert_int_equal(decode(&req, &v1, &r), -EINVAL);
}

static void edid_versions_and_sizes(void **state)
{
	struct xendispl_req req = request(XENDISPL_OP_GET_EDID);
	struct xd_req r;

	req.op.get_edid.buffer_sz = XENDISPL_EDID_MAX_SIZE;
	req.op.get_edid.gref_directory = 5;
	assert_int_equal(decode(&req, &v1, &r), -EOPNOTSUPP);
	assert_int_equal(decode(&req, &v2_all, &r), 0);
	assert_int_equal(r.get_edid.nr_pages, 8);

	req.op.get_edid.buffer_sz--;
	assert_int_equal(decode(&req, &v2_all, &r), -EINVAL);
	req.op.get_edid.buffer_sz = XD_MAX_EDID_BUFFER + 1;
	assert_int_equal(decode(&req, &v2_all, &r), -EINVAL);
	req.op.get_edid.buffer_sz = XD_MAX_EDID_BUFFER;
	assert_int_equal(decode(&req, &v2_all, &r), 0);
	req.op.get_edid.gref_directory = 0;
	assert_int_equal(decode(&req, &v2_all, &r), -EINVAL);
}

static void cursor(void **state)
{
	static const struct xd_wire_cursor_move bad[] = {
		{ INT32_MIN, 0 }, { INT32_MAX, 0 }, { 0, INT32_MIN },
		{ 0, INT32_MAX }, { -8193, 0 }, { 8193, 0 }, { 0, -8193 },
		{ 0, 8193 },
	};
	static const struct xd_wire_cursor_move good[] = {
		{ -8192, -8192 }, { 8192, 8192 },
	};
	struct xendispl_req req = request(XD_OP_CURSOR_SET);
	struct xd_wire_cursor_set set = { 0, 3, 4 };
	struct xd_wire_cursor_move move = { -5, 6 };
	struct xd_req r;

	memcpy(&req.op, &set, sizeof(set));
	assert_int_equal(decode(&req, &v1, &r), -EOPNOTSUPP);
	assert_int_equal(decode(&req, &v2_all, &r), 0);
	assert_int_equal(r.cursor_set.fb_cookie, 0);
	assert_int_equal(r.cursor_set.hot_x, 3);
	assert_int_equal(r.cursor_set.hot_y, 4);
	set.hot_x = 8192;
	memcpy(&req.op, &set, sizeof(set));
	assert_int_equal(decode(&req, &v2_all, &r), -EINVAL);
	set.hot_x = 8191;
	set.hot_y = 8192;
	memcpy(&req.op, &set, sizeof(set));
	assert_int_equal(decode(&req, &v2_all, &r), -EINVAL);

	req = request(XD_OP_CURSOR_MOVE);
	memcpy(&req.op, &move, sizeof(move));
	assert_int_equal(decode(&req, &v1, &r), -EOPNOTSUPP);
	assert_int_equal(decode(&req, &v2_all, &r), 0);
	assert_int_equal(r.cursor_move.x, -5);
	assert_int_equal(r.cursor_move.y, 6);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		memcpy(&req.op, &bad[i], sizeof(bad[i]));
		assert_int_equal(decode(&req, &v2_all, &r), -EINVAL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		memcpy(&req.op, &good[i], sizeof(good[i]));
		assert_int_equal(decode(&req, &v2_all, &r), 0);
	}
}

static void unknown_operations(void **state)
{
	struct xd_req r;

	for (unsigned int op = 0; op < 256; op++) {
		struct xendispl_req req = request((uint8_t)op);

		if ((op >= XENDISPL_OP_DBUF_CREATE &&
		     op <= XENDISPL_OP_GET_EDID) ||
		    op == XD_OP_CURSOR_SET || op == XD_OP_CURSOR_MOVE)
			continue;
		assert_int_equal(decode(&req, &v2_all, &r), -EOPNOTSUPP);
		assert_int_equal(r.op, op);
		assert_string_equal(xd_op_name((uint8_t)op), "unknown");
	}
}

static void status_stays_in_range(void **state)
{
	assert_int_equal(xd_status(0), 0);
	assert_int_equal(xd_status(-EINVAL), -XEN_EINVAL);
	assert_int_equal(xd_status(-ENOMEM), -XEN_ENOMEM);
	assert_int_equal(xd_status(-EOPNOTSUPP), -XEN_EOPNOTSUPP);
	assert_int_equal(xd_status(-ENOSPC), -XEN_ENOSPC);
	for (int err = -5000; err <= 5000; err++)
		assert_in_range(-(int64_t)xd_status(err), 0, 4095);
	assert_int_equal(xd_status(1), -XEN_EIO);
}

static void answers_are_clean(void **state)
{
	static const uint8_t zeros[64];
	struct xendispl_resp resp;
	struct xendispl_evt evt;

	memset(&resp, 0xa5, sizeof(resp));
	xd_resp_encode(&resp, 0xbeef, XENDISPL_OP_PG_FLIP, -EINVAL);
	assert_int_equal(resp.id, 0xbeef);
	assert_int_equal(resp.operation, XENDISPL_OP_PG_FLIP);
	assert_int_equal(resp.status, -XEN_EINVAL);
	assert_int_equal(resp.reserved, 0);
	assert_memory_equal(&resp.op, zeros, sizeof(resp.op));

	memset(&resp, 0xa5, sizeof(resp));
	xd_resp_encode_edid(&resp, 1, 256);
	assert_int_equal(resp.status, 0);
	assert_int_equal(resp.op.get_edid.edid_sz, 256);
	assert_memory_equal((uint8_t *)&resp.op + 4, zeros,
			    sizeof(resp.op) - 4);

	memset(&evt, 0xa5, sizeof(evt));
	xd_evt_encode_flip(&evt, 65535, 0x1122334455667788);
	assert_int_equal(evt.id, 65535);
	assert_int_equal(evt.type, XENDISPL_EVT_PG_FLIP);
	assert_memory_equal(evt.reserved, zeros, sizeof(evt.reserved));
	assert_int_equal(evt.op.pg_flip.fb_cookie, 0x1122334455667788);
	assert_memory_equal((uint8_t *)&evt.op + 8, zeros, 48);

	memset(&evt, 0xa5, sizeof(evt));
	xd_evt_encode_connector(&evt, 2, true);
	assert_int_equal(evt.type, XD_EVT_CONNECTOR);
	assert_int_equal(evt.op.reserved[0], 1);
	assert_memory_equal((uint8_t *)&evt.op + 1, zeros, 55);
}

int main(void)
{
	const struct CMUnitTest decode_tests[] = {
		TEST(create_good, "create-good"),
		TEST(create_bad, "create-bad"),
		TEST(create_unknown_size, "create-unknown-size"),
		TEST(create_smallest, "create-smallest"),
		TEST(create_largest, "create-largest"),
		TEST(create_stale_flags, "create-stale-flags"),
		TEST(buffer_ops_on_connector_0_only,
		     "buffer-ops-on-connector-0-only"),
		TEST(cookie_0, "cookie-0"),
		TEST(attach_formats, "attach-formats"),
		TEST(attach_bad, "attach-bad"),
		TEST(attach_stride, "attach-stride"),
		TEST(config_on_and_off, "config-on-and-off"),
		TEST(config_bad, "config-bad"),
		TEST(flip_damage, "flip-damage"),
		TEST(flip_bad, "flip-bad"),
		TEST(edid_versions_and_sizes, "edid-versions-and-sizes"),
		TEST(cursor, "cursor"),
		TEST(unknown_operations, "unknown-operations"),
		TEST(status_stays_in_range, "status-stays-in-range"),
		TEST(answers_are_clean, "answers-are-clean"),
	};

	return cmocka_run_group_tests(decode_tests, NULL, NULL);
}
