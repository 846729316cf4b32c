// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests as a guest may write them: features, then 64-byte slots. What the
 * decoder and the checks between objects let through must be safe to use.
 */
#include "fuzz.h"

#include "proto/decode.h"
#include "proto/validate.h"

static struct xd_features features_of(uint8_t bits)
{
	return (struct xd_features){
		.version = bits & 1 ? 2 : 1,
		.be_alloc = bits & 2,
		.damage = bits & 4,
		.stride = bits & 8,
		.cursor = bits & 16,
	};
}

static void check_dbuf(const struct xd_dbuf_create *d)
{
	CHECK(d->cookie && d->buffer_sz && d->gref_directory);
	CHECK(d->data_ofs < d->buffer_sz);
	CHECK((uint64_t)d->nr_pages * XD_PAGE_SIZE >= d->buffer_sz);
	CHECK(((uint64_t)d->nr_pages - 1) * XD_PAGE_SIZE < d->buffer_sz);
}

static void check_fb(const struct xd_dbuf_create *dbuf,
		     const struct xd_fb_attach *fb, struct xd_fb_layout *layout)
{
	uint64_t row;

	CHECK(fb->dbuf_cookie && fb->fb_cookie && fb->format);
	if (!dbuf->cookie || xd_fb_check(dbuf, fb, layout))
		return;
	row = (uint64_t)layout->width * layout->format->cpp;
	CHECK(layout->stride >= row);
	CHECK(layout->offset >= dbuf->data_ofs);
	CHECK(layout->offset + (uint64_t)layout->stride *
	      (layout->height - 1) + row <= dbuf->buffer_sz);
}

static void check_config(const struct xd_set_config *req,
			 const struct xd_fb_layout *layout)
{
	const struct xd_screen screen = { 1920, 1080, 2560, 1440, 3840, 2160 };
	struct xd_set_config cfg = *req;

	if (cfg.off || !layout->format ||
	    xd_set_config_fit(&cfg, &screen, layout))
		return;
	CHECK(cfg.width && cfg.height && cfg.fb_cookie);
	CHECK(cfg.width <= 2560 && cfg.height <= 1440);
	CHECK(!cfg.x || cfg.x + (uint64_t)cfg.width <= layout->width);
	CHECK(!cfg.y || cfg.y + (uint64_t)cfg.height <= layout->height);
}

static void check_flip(const struct xd_pg_flip *flip,
		       const struct xd_fb_layout *layout)
{
	CHECK(flip->fb_cookie && flip->nr_damage <= XD_MAX_WIRE_DAMAGE);
	if (!layout->format || xd_pg_flip_check(flip, layout))
		return;
	for (unsigned int i = 0; i < flip->nr_damage; i++) {
		CHECK(flip->damage[i].x1 < flip->damage[i].x2);
		CHECK(flip->damage[i].x2 <= layout->width);
		CHECK(flip->damage[i].y1 < flip->damage[i].y2);
		CHECK(flip->damage[i].y2 <= layout->height);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct xd_features features = features_of(fuzz_u8(&in));
	struct xd_fb_layout layout = { 0 };
	struct xd_dbuf_create dbuf = { 0 };
	struct xendispl_req wire;
	struct xd_req req;

	while (in.left) {
		fuzz_take(&in, &wire, sizeof(wire));
		if (xd_req_decode(&wire, &features, wire.reserved[0] % 2,
				  &req))
			continue;
		switch (req.op) {
		case XENDISPL_OP_DBUF_CREATE:
			check_dbuf(&req.dbuf_create);
			dbuf = req.dbuf_create;
			break;
		case XENDISPL_OP_FB_ATTACH:
			check_fb(&dbuf, &req.fb_attach, &layout);
			break;
		case XENDISPL_OP_SET_CONFIG:
			check_config(&req.set_config, &layout);
			break;
		case XENDISPL_OP_PG_FLIP:
			check_flip(&req.pg_flip, &layout);
			break;
		}
	}
	return 0;
}
