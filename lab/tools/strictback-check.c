// SPDX-License-Identifier: GPL-2.0-or-later
/* strictback: is each request as it has to be? */
#include <stdio.h>
#include <string.h>

#include "strictback.h"

#define FOURCC(text) ((uint32_t)(text)[0] | (uint32_t)(text)[1] << 8 | \
		      (uint32_t)(text)[2] << 16 | (uint32_t)(text)[3] << 24)

const char *strict_op_name(uint8_t op)
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
	case STRICT_OP_CURSOR_SET:
		return "CURSOR_SET";
	case STRICT_OP_CURSOR_MOVE:
		return "CURSOR_MOVE";
	default:
		return "an unknown operation";
	}
}

/* wrong(s, c, req, format, ...): names connector and operation, too */
#define wrong(s, conn, req, format, ...) \
	strict_wrong(s, "connector %u: %s: " format, conn, \
		     strict_op_name((req)->operation), ##__VA_ARGS__)

static uint64_t u64_at(const struct xendispl_req *req, unsigned int offset)
{
	uint64_t value;

	memcpy(&value, (const uint8_t *)req + offset, sizeof(value));
	return value;
}

static uint32_t u32_at(const struct xendispl_req *req, unsigned int offset)
{
	uint32_t value;

	memcpy(&value, (const uint8_t *)req + offset, sizeof(value));
	return value;
}

static uint16_t u16_at(const struct xendispl_req *req, unsigned int offset)
{
	uint16_t value;

	memcpy(&value, (const uint8_t *)req + offset, sizeof(value));
	return value;
}

#define BASE_FORMATS	8	/* of the table below, which every backend takes */

/* Bits per pixel; 0 for a format that was not offered. */
static unsigned int bpp_of(const struct strict *s, uint32_t fourcc)
{
	static const struct {
		char name[5];
		unsigned int bpp;
	} formats[] = {
		{ "XR24", 32 }, { "AR24", 32 }, { "RG16", 16 }, { "RG24", 24 },
		{ "XR12", 16 }, { "AR12", 16 }, { "XR15", 16 }, { "AR15", 16 },
		{ "XB24", 32 },
	};
	size_t num = s->has[STRICT_FORMATS] ?
		sizeof(formats) / sizeof(formats[0]) : BASE_FORMATS;

	for (size_t i = 0; i < num; i++)
		if (FOURCC(formats[i].name) == fourcc)
			return formats[i].bpp;
	return 0;
}

/* ---- what every request has ---- */

/* Where the bytes that an operation defines end. */
static unsigned int defined_end(const struct strict *s,
				const struct xendispl_req *req)
{
	switch (req->operation) {
	case XENDISPL_OP_DBUF_CREATE:
		return 44;
	case XENDISPL_OP_FB_ATTACH:
		return s->has[STRICT_STRIDE] ? 44 : 36;
	case XENDISPL_OP_SET_CONFIG:
		return 36;
	case XENDISPL_OP_PG_FLIP:
		if (s->has[STRICT_DAMAGE] && req->op.reserved[8])
			return 24 + 8 * req->op.reserved[8];
		return 16;
	case STRICT_OP_CURSOR_SET:
		return 24;
	default:
		return 16;
	}
}

static void check_zeros(struct strict *s, unsigned int conn,
			const struct xendispl_req *req)
{
	const uint8_t *byte = (const uint8_t *)req;
	unsigned int end = defined_end(s, req);

	for (unsigned int i = 3; i < sizeof(*req); i++) {
		bool reserved = i < 8 || i >= end ||
			(req->operation == XENDISPL_OP_PG_FLIP && i > 16 &&
			 i < 24);

		if (reserved && byte[i]) {
			wrong(s, conn, req, "byte %u is %#x, not 0", i, byte[i]);
			return;
		}
	}
}

static bool on_first_ring(uint8_t op)
{
	return op == XENDISPL_OP_DBUF_CREATE || op == XENDISPL_OP_DBUF_DESTROY ||
		op == XENDISPL_OP_FB_ATTACH || op == XENDISPL_OP_FB_DETACH;
}

static void check_id(struct strict *s, unsigned int conn,
		     const struct xendispl_req *req)
{
	const struct strict_conn *c = &s->conns[conn];

	for (unsigned int i = 0; i < c->num_todo; i++)
		if (c->todo[i].id == req->id)
			wrong(s, conn, req, "id %u is that of a %s that waits",
			      req->id, strict_op_name(c->todo[i].op));
}

static void check_cookie(struct strict *s, unsigned int conn,
			 const struct xendispl_req *req, uint64_t cookie)
{
	if (!cookie)
		wrong(s, conn, req, "cookie 0");
	else if (cookie >> 47)
		wrong(s, conn, req, "cookie %#llx looks like an address",
		      (unsigned long long)cookie);
}

/* ---- dbufs and framebuffers ---- */

static struct strict_dbuf *find_dbuf(struct strict *s, uint64_t cookie)
{
	for (unsigned int i = 0; i < STRICT_MAX_THINGS && cookie; i++)
		if (s->dbufs[i].cookie == cookie)
			return &s->dbufs[i];
	return NULL;
}

static struct strict_fb *find_fb(struct strict *s, uint64_t cookie)
{
	for (unsigned int i = 0; i < STRICT_MAX_THINGS && cookie; i++)
		if (s->fbs[i].cookie == cookie)
			return &s->fbs[i];
	return NULL;
}

/* A free entry; of those that were destroyed some are remembered. */
static struct strict_dbuf *new_dbuf(struct strict *s)
{
	for (unsigned int i = 0; i < STRICT_MAX_THINGS; i++) {
		struct strict_dbuf *dbuf =
			&s->dbufs[s->created++ % STRICT_MAX_THINGS];

		if (!dbuf->live)
			return dbuf;
	}
	bad_die("more than %u dbufs", STRICT_MAX_THINGS);
}

static struct strict_fb *new_fb(struct strict *s)
{
	for (unsigned int i = 0; i < STRICT_MAX_THINGS; i++) {
		struct strict_fb *fb =
			&s->fbs[s->attached++ % STRICT_MAX_THINGS];

		if (!fb->live)
			return fb;
	}
	bad_die("more than %u framebuffers", STRICT_MAX_THINGS);
}

/* The framebuffer that a request is to show; NULL if there is none, and said. */
static struct strict_fb *live_fb(struct strict *s, unsigned int conn,
				 const struct xendispl_req *req)
{
	uint64_t cookie = u64_at(req, 8);
	struct strict_fb *fb = find_fb(s, cookie);

	if (fb && fb->live)
		return fb;
	wrong(s, conn, req, "framebuffer %#llx %s", (unsigned long long)cookie,
	      fb ? "was detached" : "is not known");
	return NULL;
}

static void check_geometry(struct strict *s, unsigned int conn,
			   const struct xendispl_req *req)
{
	const struct xendispl_dbuf_create_req *create = &req->op.dbuf_create;
	uint64_t row = ((uint64_t)create->width * create->bpp + 7) / 8;
	uint64_t end = create->data_ofs + row * create->height;
	bool known = create->width || create->height || create->bpp;

	if (!create->buffer_sz)
		wrong(s, conn, req, "of no bytes");
	if (create->flags)
		wrong(s, conn, req, "flags %#x", create->flags);
	if (create->data_ofs >= create->buffer_sz)
		wrong(s, conn, req, "data_ofs %u of %u bytes", create->data_ofs,
		      create->buffer_sz);
	if (!known)
		return;	/* imported: the framebuffer says */
	if (!create->width || create->width > STRICT_MAX_SIZE ||
	    !create->height || create->height > STRICT_MAX_SIZE ||
	    !create->bpp || create->bpp > 32 || create->bpp % 8)
		wrong(s, conn, req, "%ux%u with %u bits", create->width,
		      create->height, create->bpp);
	else if (create->buffer_sz < end ||
		 create->buffer_sz - end >= XENDISPL_EVENT_PAGE_SIZE)
		wrong(s, conn, req, "%ux%u with %u bits in %u bytes",
		      create->width, create->height, create->bpp,
		      create->buffer_sz);
}

static void check_create(struct strict *s, unsigned int conn,
			 const struct xendispl_req *req)
{
	const struct xendispl_dbuf_create_req *create = &req->op.dbuf_create;
	struct strict_dbuf *dbuf = find_dbuf(s, create->dbuf_cookie);
	char whose[48];

	check_cookie(s, conn, req, create->dbuf_cookie);
	check_geometry(s, conn, req);
	if (dbuf && dbuf->live)
		wrong(s, conn, req, "dbuf %#llx is there already",
		      (unsigned long long)create->dbuf_cookie);
	if (!dbuf)
		dbuf = new_dbuf(s);
	snprintf(whose, sizeof(whose), "dbuf %#llx",
		 (unsigned long long)create->dbuf_cookie);
	*dbuf = (struct strict_dbuf) {
		.cookie = create->dbuf_cookie,
		.live = true,
		.width = create->width,
		.height = create->height,
		.bpp = create->bpp,
		.size = create->buffer_sz,
		.dir = create->gref_directory,
	};
	dbuf->sum = strict_walk_dir(s, whose, dbuf->dir, dbuf->size,
				    !s->has[STRICT_RO_GRANTS], true);
}

static void check_destroy(struct strict *s, unsigned int conn,
			  const struct xendispl_req *req)
{
	uint64_t cookie = req->op.dbuf_destroy.dbuf_cookie;
	struct strict_dbuf *dbuf = find_dbuf(s, cookie);

	if (!dbuf || !dbuf->live) {
		wrong(s, conn, req, "dbuf %#llx %s", (unsigned long long)cookie,
		      dbuf ? "was destroyed before" : "is not known");
		return;
	}
	if (dbuf->fbs)
		wrong(s, conn, req, "dbuf %#llx has %u framebuffers",
		      (unsigned long long)cookie, dbuf->fbs);
	dbuf->live = false;
}

static void check_fits(struct strict *s, unsigned int conn,
		       const struct xendispl_req *req,
		       const struct strict_dbuf *dbuf)
{
	const struct xendispl_fb_attach_req *attach = &req->op.fb_attach;
	unsigned int bpp = bpp_of(s, attach->pixel_format);
	uint64_t row = (uint64_t)attach->width * bpp / 8, end;
	uint32_t stride = row, offset = 0;

	if (!bpp) {
		wrong(s, conn, req, "format %.4s (%#x) was not offered",
		      (const char *)&attach->pixel_format, attach->pixel_format);
		return;
	}
	if (!attach->width || attach->width > STRICT_MAX_SIZE ||
	    !attach->height || attach->height > STRICT_MAX_SIZE) {
		wrong(s, conn, req, "of %ux%u", attach->width, attach->height);
		return;
	}
	if (s->has[STRICT_STRIDE]) {
		stride = u32_at(req, 36);
		offset = u32_at(req, 40);
	}
	end = offset + (uint64_t)stride * (attach->height - 1) + row;
	if (stride < row || end > dbuf->size)
		wrong(s, conn, req, "%ux%u of %u bits, stride %u, offset %u, in %u bytes",
		      attach->width, attach->height, bpp, stride, offset,
		      dbuf->size);
}

static void check_attach(struct strict *s, unsigned int conn,
			 const struct xendispl_req *req)
{
	const struct xendispl_fb_attach_req *attach = &req->op.fb_attach;
	struct strict_dbuf *dbuf = find_dbuf(s, attach->dbuf_cookie);
	struct strict_fb *fb = find_fb(s, attach->fb_cookie);

	check_cookie(s, conn, req, attach->fb_cookie);
	if (fb && fb->live)
		wrong(s, conn, req, "framebuffer %#llx is there already",
		      (unsigned long long)attach->fb_cookie);
	if (!dbuf || !dbuf->live) {
		wrong(s, conn, req, "dbuf %#llx %s",
		      (unsigned long long)attach->dbuf_cookie,
		      dbuf ? "was destroyed" : "is not known");
		return;
	}
	check_fits(s, conn, req, dbuf);
	if (!fb)
		fb = new_fb(s);
	*fb = (struct strict_fb) {
		.cookie = attach->fb_cookie,
		.live = true,
		.dbuf = dbuf,
		.width = attach->width,
		.height = attach->height,
		.fourcc = attach->pixel_format,
	};
	dbuf->fbs++;
}

static void check_detach(struct strict *s, unsigned int conn,
			 const struct xendispl_req *req)
{
	uint64_t cookie = req->op.fb_detach.fb_cookie;
	struct strict_fb *fb = find_fb(s, cookie);

	if (!fb || !fb->live) {
		wrong(s, conn, req, "framebuffer %#llx %s",
		      (unsigned long long)cookie,
		      fb ? "was detached before" : "is not known");
		return;
	}
	for (unsigned int i = 0; i < s->bad.num_conns; i++)
		if (s->conns[i].fb == cookie)
			wrong(s, conn, req, "framebuffer %#llx is what connector %u shows",
			      (unsigned long long)cookie, i);
	fb->live = false;
	fb->dbuf->fbs--;
}

/* ---- connectors ---- */

static void check_config(struct strict *s, unsigned int conn,
			 const struct xendispl_req *req)
{
	const struct xendispl_set_config_req *config = &req->op.set_config;
	struct strict_conn *c = &s->conns[conn];
	static const uint8_t zeros[28];
	struct strict_fb *fb;

	c->fb = 0;
	if (!memcmp(config, zeros, sizeof(zeros)))
		return;
	fb = live_fb(s, conn, req);
	if (!config->width || !config->height ||
	    (uint64_t)config->x + config->width > c->width ||
	    (uint64_t)config->y + config->height > c->height)
		wrong(s, conn, req, "%ux%u at (%u,%u) of %ux%u", config->width,
		      config->height, config->x, config->y, c->width,
		      c->height);
	if (!fb)
		return;
	if (config->width > fb->width || config->height > fb->height)
		wrong(s, conn, req, "%ux%u of a framebuffer of %ux%u",
		      config->width, config->height, fb->width, fb->height);
	if (config->bpp != bpp_of(s, fb->fourcc))
		wrong(s, conn, req, "%u bits of a framebuffer of %u",
		      config->bpp, bpp_of(s, fb->fourcc));
	c->fb = fb->cookie;
	c->mode_width = config->width;
	c->mode_height = config->height;
}

static void check_damage(struct strict *s, unsigned int conn,
			 const struct xendispl_req *req,
			 const struct strict_fb *fb)
{
	unsigned int count = req->op.reserved[8];

	if (count > STRICT_MAX_DAMAGE) {
		wrong(s, conn, req, "%u areas of damage", count);
		return;
	}
	for (unsigned int i = 0; i < count; i++) {
		unsigned int x1 = u16_at(req, 24 + 8 * i);
		unsigned int y1 = u16_at(req, 26 + 8 * i);
		unsigned int x2 = u16_at(req, 28 + 8 * i);
		unsigned int y2 = u16_at(req, 30 + 8 * i);

		if (x1 >= x2 || y1 >= y2 || x2 > fb->width || y2 > fb->height)
			wrong(s, conn, req, "damage (%u,%u) to (%u,%u) of a framebuffer of %ux%u",
			      x1, y1, x2, y2, fb->width, fb->height);
	}
}

static void check_flip(struct strict *s, unsigned int conn,
		       const struct xendispl_req *req)
{
	struct strict_conn *c = &s->conns[conn];
	struct strict_fb *fb = live_fb(s, conn, req);

	if (!fb)
		return;
	if (!c->fb) {
		wrong(s, conn, req, "on a connector that is off");
		return;
	}
	if (fb->width < c->mode_width || fb->height < c->mode_height)
		wrong(s, conn, req, "a framebuffer of %ux%u, the mode is %ux%u",
		      fb->width, fb->height, c->mode_width, c->mode_height);
	if (s->has[STRICT_DAMAGE])
		check_damage(s, conn, req, fb);
	c->fb = fb->cookie;
}

static void check_edid(struct strict *s, unsigned int conn,
		       const struct xendispl_req *req)
{
	if (s->version < 2)
		wrong(s, conn, req, "which version 1 has not");
	if (req->op.get_edid.buffer_sz < XENDISPL_EDID_MAX_SIZE)
		wrong(s, conn, req, "a buffer of %u bytes",
		      req->op.get_edid.buffer_sz);
	strict_walk_dir(s, "an EDID's buffer", req->op.get_edid.gref_directory,
			req->op.get_edid.buffer_sz, true, true);
}

static void check_cursor(struct strict *s, unsigned int conn,
			 const struct xendispl_req *req)
{
	int32_t x = u32_at(req, 8), y = u32_at(req, 12);
	struct strict_fb *fb;

	if (!s->has[STRICT_CURSOR]) {
		wrong(s, conn, req, "without the extension");
		return;
	}
	if (req->operation == STRICT_OP_CURSOR_MOVE) {
		if (x < -STRICT_CURSOR_FAR || x > STRICT_CURSOR_FAR ||
		    y < -STRICT_CURSOR_FAR || y > STRICT_CURSOR_FAR)
			wrong(s, conn, req, "to (%d,%d)", x, y);
		return;
	}
	fb = u64_at(req, 8) ? live_fb(s, conn, req) : NULL;
	if (!fb)
		return;
	if (fb->fourcc != FOURCC("AR24"))
		wrong(s, conn, req, "of format %.4s", (const char *)&fb->fourcc);
	if (u32_at(req, 16) >= fb->width || u32_at(req, 20) >= fb->height)
		wrong(s, conn, req, "its hot spot is (%u,%u) of %ux%u",
		      u32_at(req, 16), u32_at(req, 20), fb->width, fb->height);
}

void strict_check(struct strict *s, unsigned int conn,
		  const struct xendispl_req *req)
{
	s->checked++;
	s->op_count[req->operation]++;
	if (s->manner->verbose)
		printf("connector %u: %s %#llx %#llx\n", conn,
		       strict_op_name(req->operation),
		       (unsigned long long)u64_at(req, 8),
		       (unsigned long long)u64_at(req, 16));
	check_zeros(s, conn, req);
	check_id(s, conn, req);
	if (conn && on_first_ring(req->operation))
		wrong(s, conn, req, "which goes over connector 0's ring");

	switch (req->operation) {
	case XENDISPL_OP_DBUF_CREATE:
		check_create(s, conn, req);
		break;
	case XENDISPL_OP_DBUF_DESTROY:
		check_destroy(s, conn, req);
		break;
	case XENDISPL_OP_FB_ATTACH:
		check_attach(s, conn, req);
		break;
	case XENDISPL_OP_FB_DETACH:
		check_detach(s, conn, req);
		break;
	case XENDISPL_OP_SET_CONFIG:
		check_config(s, conn, req);
		break;
	case XENDISPL_OP_PG_FLIP:
		check_flip(s, conn, req);
		break;
	case XENDISPL_OP_GET_EDID:
		check_edid(s, conn, req);
		break;
	case STRICT_OP_CURSOR_SET:
	case STRICT_OP_CURSOR_MOVE:
		check_cursor(s, conn, req);
		break;
	default:
		wrong(s, conn, req, "number %#x", req->operation);
	}
}

/* ---- later ---- */

void strict_check_answer(struct strict *s, const struct strict_todo *todo)
{
	struct strict_dbuf *dbuf = find_dbuf(s, todo->cookie);
	char whose[64];

	if ((todo->op != XENDISPL_OP_DBUF_CREATE &&
	     todo->op != XENDISPL_OP_DBUF_DESTROY) || !dbuf || !dbuf->sum)
		return;
	snprintf(whose, sizeof(whose), "dbuf %#llx, before the answer to %s",
		 (unsigned long long)dbuf->cookie, strict_op_name(todo->op));
	if (strict_walk_dir(s, whose, dbuf->dir, dbuf->size,
			    !s->has[STRICT_RO_GRANTS], false) != dbuf->sum)
		strict_wrong(s, "%s: its page directory has changed", whose);
}

void strict_count(const struct strict *s, unsigned int *ret_dbufs,
		  unsigned int *ret_fbs)
{
	*ret_dbufs = 0;
	*ret_fbs = 0;
	for (unsigned int i = 0; i < STRICT_MAX_THINGS; i++) {
		*ret_dbufs += s->dbufs[i].live;
		*ret_fbs += s->fbs[i].live;
	}
}

void strict_check_end(struct strict *s)
{
	for (unsigned int i = 0; i < STRICT_MAX_THINGS; i++) {
		if (s->fbs[i].live)
			strict_wrong(s, "framebuffer %#llx, %ux%u, was not detached",
				     (unsigned long long)s->fbs[i].cookie,
				     s->fbs[i].width, s->fbs[i].height);
		if (s->dbufs[i].live)
			strict_wrong(s, "dbuf %#llx, %ux%u, was not destroyed",
				     (unsigned long long)s->dbufs[i].cookie,
				     s->dbufs[i].width, s->dbufs[i].height);
	}
	for (unsigned int i = 0; i < s->bad.num_conns; i++)
		if (s->conns[i].fb)
			strict_wrong(s, "connector %u was not switched off", i);
}

void strict_forget(struct strict *s)
{
	memset(s->dbufs, 0, sizeof(s->dbufs));
	memset(s->fbs, 0, sizeof(s->fbs));
	memset(s->conns, 0, sizeof(s->conns));
	s->created = 0;
	s->attached = 0;
}
