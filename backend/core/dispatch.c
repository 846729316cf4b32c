/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guest's requests do. */
#include <errno.h>
#include <string.h>

#include "core/guest.h"
#include "edid/edid.h"

/*
 * A mode was set or ended, so the output has dropped what it had: the flips are
 * over, and the waiting ones must not come on screen after the new mode.
 */
static void end_flips(struct xd_conn *conn)
{
	unsigned int i;

	for (i = 0; i < conn->nr_flips; i++)
		xd_conn_send_flip_event(conn, conn->flips[i].fb_cookie);
	conn->guest->counters.dropped += conn->nr_flips;
	conn->nr_flips = 0;
}

/* Pixels of all pictures that the output may hold of a connector. */
static uint64_t held_of(const struct xd_conn *conn)
{
	struct xd_output *output = conn->guest->output;

	if (conn->on)
		return (uint64_t)conn->mode_width * conn->mode_height *
			output->ops->pictures;
	return output->ops->kept ? output->ops->kept(output, conn->index) : 0;
}

/* Outputs keep pictures: what they cost is the guest's. */
static int check_modes(const struct xd_conn *conn,
		       const struct xd_set_config *cfg)
{
	const struct xd_guest *guest = conn->guest;
	/* of this one, all but the one that is told below */
	uint64_t others = (uint64_t)cfg->width * cfg->height *
		(guest->output->ops->pictures - 1);
	unsigned int i;

	for (i = 0; i < guest->nr_conns; i++)
		if (&guest->conns[i] != conn)
			others += held_of(&guest->conns[i]);
	return xd_modes_check(others, cfg->width, cfg->height,
			      guest->params.limits.max_bytes);
}

/* A framebuffer from (@x,@y) on. */
static int fb_view(struct xd_guest *guest, struct xd_fb *fb, uint32_t x,
		   uint32_t y, struct xd_image *ret_image)
{
	int ret;

	if (x >= fb->layout.width || y >= fb->layout.height)
		return -EINVAL;
	ret = xd_fb_image(guest, fb, ret_image);
	if (ret)
		return ret;
	ret_image->width -= x;
	ret_image->height -= y;
	ret_image->data = (const char *)ret_image->data +
		(size_t)y * ret_image->stride +
		(size_t)x * ret_image->format->cpp;
	return 0;
}

static struct xd_screen screen_of(const struct xd_conn *conn)
{
	struct xd_screen screen = {
		.width = conn->params.width,
		.height = conn->params.height,
		.max_width = conn->max_width,
		.max_height = conn->max_height,
	};
	unsigned int i;

	for (i = 0; i < conn->guest->nr_conns; i++) {
		screen.all_width += conn->guest->conns[i].params.width;
		screen.all_height += conn->guest->conns[i].params.height;
	}
	return screen;
}

static int set_config(struct xd_conn *conn, const struct xd_set_config *req)
{
	const struct xd_screen screen = screen_of(conn);
	struct xd_guest *guest = conn->guest;
	struct xd_set_config fitted = *req, *cfg = &fitted;
	struct xd_image image;
	struct xd_fb *fb;
	int ret;

	if (cfg->off) {
		guest->output->ops->off(guest->output, conn->index);
		conn->on = false;
		end_flips(conn);
		return 0;
	}
	fb = xd_fb_find(guest, cfg->fb_cookie);
	if (!fb)
		return -ENOENT;
	ret = xd_set_config_fit(cfg, &screen, &fb->layout);
	if (!ret)
		ret = check_modes(conn, cfg);
	if (!ret)
		ret = fb_view(guest, fb, cfg->x, cfg->y, &image);
	if (ret)
		return ret;
	xd_fb_offer(conn, fb, &image);
	ret = guest->output->ops->show(guest->output, conn->index, cfg->width,
				       cfg->height, &image);
	if (ret)
		return ret;
	conn->on = true;
	conn->mode_width = cfg->width;
	conn->mode_height = cfg->height;
	conn->fb_x = cfg->x;
	conn->fb_y = cfg->y;
	end_flips(conn);
	return 0;
}

/* Hands the first flip to the output, or drops it when that cannot be. */
static bool present_first(struct xd_conn *conn)
{
	struct xd_flip *flip = &conn->flips[0];
	struct xd_guest *guest = conn->guest;
	struct xd_fb *fb = xd_fb_find(guest, flip->fb_cookie);
	struct xd_image image;

	/* detached while it waited, or pages that cannot be mapped */
	if (!conn->on || !fb ||
	    fb_view(guest, fb, conn->fb_x, conn->fb_y, &image))
		return false;
	xd_fb_offer(conn, fb, &image);
	/* what one that was dropped had changed is in this one, too */
	guest->output->ops->present(guest->output, conn->index, &image,
				    flip->damage,
				    conn->dropped ? 0 : flip->nr_damage);
	conn->dropped = false;
	return true;
}

/* The first flip is over; it was on screen or it was not. */
static void finish_first(struct xd_conn *conn, bool shown)
{
	struct xd_counters *counters = &conn->guest->counters;
	const struct xd_flip flip = conn->flips[0];
	uint64_t ns = xd_now() - flip.since;

	conn->nr_flips--;
	memmove(&conn->flips[0], &conn->flips[1],
		conn->nr_flips * sizeof(conn->flips[0]));
	if (shown) {
		counters->frames++;
		counters->latency += ns;
		if (ns > counters->worst_latency)
			counters->worst_latency = ns;
	} else {
		counters->dropped++;
	}
	xd_conn_send_flip_event(conn, flip.fb_cookie);
}

static void present_next(struct xd_conn *conn)
{
	while (conn->nr_flips && !present_first(conn)) {
		finish_first(conn, false);
		conn->dropped = true;
	}
}

void xd_conn_frame_done(struct xd_conn *conn)
{
	if (!conn->nr_flips)
		return;
	finish_first(conn, true);
	present_next(conn);
}

/*
 * The answer says "accepted"; the event comes when the picture is on screen. To
 * a connector that is off Linux's frontend flips around DPMS: it is answered and
 * gets its event, or it would take the monitor for unplugged.
 */
static int page_flip(struct xd_conn *conn, const struct xd_pg_flip *req)
{
	struct xd_guest *guest = conn->guest;
	struct xd_fb *fb = xd_fb_find(guest, req->fb_cookie);
	struct xd_image image;
	struct xd_flip *flip;
	unsigned int i;
	int ret;

	if (!fb)
		return -ENOENT;
	ret = xd_pg_flip_check(req, &fb->layout);
	if (ret)
		return ret;
	if (conn->nr_flips + conn->nr_owed >= XD_MAX_FLIPS)
		return -EBUSY;
	if (conn->on) {
		ret = fb_view(guest, fb, conn->fb_x, conn->fb_y, &image);
		if (ret)
			return ret;
	}
	guest->counters.flips++;
	flip = &conn->flips[conn->nr_flips++];
	flip->fb_cookie = req->fb_cookie;
	flip->since = xd_now();
	/* of one framebuffer for several screens it is not reckoned with */
	flip->nr_damage = conn->fb_x || conn->fb_y ? 0 : req->nr_damage;
	for (i = 0; i < req->nr_damage; i++)
		flip->damage[i] = (pixman_box32_t){
			.x1 = (int32_t)req->damage[i].x1,
			.y1 = (int32_t)req->damage[i].y1,
			.x2 = (int32_t)req->damage[i].x2,
			.y2 = (int32_t)req->damage[i].y2,
		};
	if (conn->nr_flips == 1)
		present_next(conn);
	return 0;
}

/* A real monitor's, whose modes the guest may set from now on; or -errno. */
static int real_edid(struct xd_conn *conn, struct xd_output_edid *ret_edid)
{
	struct xd_output *output = conn->guest->output;
	struct xd_edid_info info;
	int ret;

	if (!output->ops->edid)
		return -ENOENT;
	ret = output->ops->edid(output, conn->index, ret_edid);
	if (ret)
		return ret;
	if (xd_edid_parse(ret_edid->data, ret_edid->size, &info) == -EINVAL)
		return -EINVAL;
	if (ret_edid->max_width > conn->max_width)
		conn->max_width = ret_edid->max_width;
	if (ret_edid->max_height > conn->max_height)
		conn->max_height = ret_edid->max_height;
	return 0;
}

static int made_edid(struct xd_conn *conn, struct xd_output_edid *ret_edid)
{
	struct xd_edid_params params = {
		.width = conn->width,
		.height = conn->height,
		.unique_id = conn->params.unique_id,
	};
	int size = xd_edid_generate(&params, ret_edid->data,
				    sizeof(ret_edid->data));

	if (size < 0)
		return size;
	ret_edid->size = (uint32_t)size;
	return 0;
}

static int get_edid(struct xd_conn *conn, const struct xd_get_edid *req,
		    uint32_t *ret_edid_sz)
{
	struct xd_output_edid edid;
	int ret = real_edid(conn, &edid);

	if (ret)
		ret = made_edid(conn, &edid);
	if (!ret)
		ret = xd_guest_write(conn->guest, req->gref_directory,
				     req->nr_pages, edid.data, edid.size);
	*ret_edid_sz = edid.size;
	return ret;
}

static int cursor_set(struct xd_conn *conn, const struct xd_cursor_set *req)
{
	struct xd_guest *guest = conn->guest;
	struct xd_output *output = guest->output;
	struct xd_image image;
	struct xd_fb *fb;
	int ret;

	if (!output->ops->cursor_set)
		return -EOPNOTSUPP;
	if (!req->fb_cookie)
		return output->ops->cursor_set(output, conn->index, NULL, 0, 0);
	fb = xd_fb_find(guest, req->fb_cookie);
	if (!fb)
		return -ENOENT;
	if (fb->layout.format->fourcc != XD_FMT_ARGB8888 ||
	    fb->layout.width > XD_MAX_CURSOR ||
	    fb->layout.height > XD_MAX_CURSOR ||
	    req->hot_x >= fb->layout.width || req->hot_y >= fb->layout.height)
		return -EINVAL;
	ret = xd_fb_image(guest, fb, &image);
	if (ret)
		return ret;
	return output->ops->cursor_set(output, conn->index, &image,
				       req->hot_x, req->hot_y);
}

static int cursor_move(struct xd_conn *conn, const struct xd_cursor_move *req)
{
	struct xd_output *output = conn->guest->output;

	if (!output->ops->cursor_move)
		return -EOPNOTSUPP;
	output->ops->cursor_move(output, conn->index, req->x, req->y);
	return 0;
}

int xd_dispatch(struct xd_conn *conn, const struct xd_req *req,
		uint32_t *ret_edid_sz)
{
	struct xd_guest *guest = conn->guest;

	switch (req->op) {
	case XENDISPL_OP_DBUF_CREATE:
		return xd_dbuf_create(guest, &req->dbuf_create);
	case XENDISPL_OP_DBUF_DESTROY:
		return xd_dbuf_destroy(conn, req->id, req->dbuf_destroy);
	case XENDISPL_OP_FB_ATTACH:
		return xd_fb_attach(guest, &req->fb_attach);
	case XENDISPL_OP_FB_DETACH:
		return xd_fb_detach(guest, req->fb_detach);
	case XENDISPL_OP_SET_CONFIG:
		return set_config(conn, &req->set_config);
	case XENDISPL_OP_PG_FLIP:
		return page_flip(conn, &req->pg_flip);
	case XENDISPL_OP_GET_EDID:
		return get_edid(conn, &req->get_edid, ret_edid_sz);
	case XD_OP_CURSOR_SET:
		return cursor_set(conn, &req->cursor_set);
	case XD_OP_CURSOR_MOVE:
		return cursor_move(conn, &req->cursor_move);
	default:
		return -EOPNOTSUPP;
	}
}
