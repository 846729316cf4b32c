// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front.h"
#include "sim.h"

/* XenStore */

static void front_path(const struct sim_front *front, char buf[160],
		       const char *node)
{
	snprintf(buf, 160, "/local/domain/%u/device/vdispl/%u%s%s",
		 front->domid, front->devid, *node ? "/" : "", node);
}

static void back_path(const struct sim_front *front, char buf[160],
		      const char *node)
{
	snprintf(buf, 160, "/local/domain/%u/backend/vdispl/%u/%u%s%s",
		 fake_own_domain(front->fake), front->domid, front->devid, *node ? "/" : "", node);
}

void sim_front_write(struct sim_front *front, const char *node,
		     const char *fmt, ...)
{
	char path[160], text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	front_path(front, path, node);
	fake_write(front->fake, path, text);
}

static void back_write(struct sim_front *front, const char *node,
		       const char *text)
{
	char path[160];

	back_path(front, path, node);
	fake_write(front->fake, path, text);
}

char *sim_front_read(struct sim_front *front, const char *node)
{
	char path[160];

	front_path(front, path, node);
	return fake_read(front->fake, path);
}

char *sim_back_read(struct sim_front *front, const char *node)
{
	char path[160];

	back_path(front, path, node);
	return fake_read(front->fake, path);
}

int sim_back_state(struct sim_front *front)
{
	char *text = sim_back_read(front, "state");
	int state = text ? atoi(text) : 0;

	free(text);
	return state;
}

void sim_set_state(struct sim_front *front, enum sim_state state)
{
	sim_front_write(front, "state", "%d", state);
}

void sim_set_online(struct sim_front *front, bool online)
{
	back_write(front, "online", online ? "1" : "0");
}

struct state_wait {
	struct sim_front *front;
	int state;
};

static bool state_is(void *ctx)
{
	const struct state_wait *w = ctx;

	return sim_back_state(w->front) == w->state;
}

void sim_wait_back_state(struct sim_front *front, enum sim_state state)
{
	struct state_wait w = { front, (int)state };

	if (!fake_wait(front->fake, state_is, &w, SIM_TIMEOUT_MS))
		sim_fail("backend state of domain %u: %d != %d", front->domid,
			 sim_back_state(front), (int)state);
}

void sim_device_create(struct sim_front *front, struct fake *fake,
		       uint32_t domid, uint32_t devid, unsigned int nr_conns,
		       const char *const *resolutions)
{
	char path[160], text[160];

	memset(front, 0, sizeof(*front));
	front->fake = fake;
	front->domid = domid;
	front->devid = devid;
	front->nr_conns = nr_conns;

	back_path(front, path, "");
	sim_front_write(front, "backend", "%s", path);
	sim_front_write(front, "backend-id", "0");
	sim_front_write(front, "be-alloc", "0");
	for (unsigned int i = 0; i < nr_conns; i++) {
		snprintf(path, sizeof(path), "%u/resolution", i);
		sim_front_write(front, path, "%s", resolutions[i]);
		snprintf(path, sizeof(path), "%u/unique-id", i);
		sim_front_write(front, path, "id%u", i);
	}
	sim_set_state(front, SIM_INITIALISING);

	front_path(front, path, "");
	back_write(front, "frontend", path);
	snprintf(text, sizeof(text), "%u", domid);
	back_write(front, "frontend-id", text);
	sim_set_online(front, true);
	back_write(front, "state", "1");
}

void sim_guest_create(struct sim_front *front, struct fake *fake,
		      uint32_t domid, unsigned int nr_conns,
		      const char *const *resolutions)
{
	char path[64], text[32];

	fake_domain_create(fake, domid);
	snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
	snprintf(text, sizeof(text), "guest%u", domid);
	fake_write(fake, path, text);
	sim_device_create(front, fake, domid, 0, nr_conns, resolutions);
}

void sim_guest_destroy(struct sim_front *front)
{
	char path[160];

	fake_domain_kill(front->fake, front->domid);
	front->has_channels = false;
	sim_set_online(front, false);
	back_path(front, path, "");
	snprintf(strrchr(path, '/'), 2, "%s", "");
	fake_remove(front->fake, path);
	snprintf(path, sizeof(path), "/local/domain/%u", front->domid);
	fake_remove(front->fake, path);
}

/* Channels */

static void publish(struct sim_conn *conn)
{
	char node[64];

	snprintf(node, sizeof(node), "%u/req-ring-ref", conn->index);
	sim_front_write(conn->front, node, "%u", conn->req_ref);
	snprintf(node, sizeof(node), "%u/req-event-channel", conn->index);
	sim_front_write(conn->front, node, "%u", conn->req_port);
	snprintf(node, sizeof(node), "%u/evt-ring-ref", conn->index);
	sim_front_write(conn->front, node, "%u", conn->evt_ref);
	snprintf(node, sizeof(node), "%u/evt-event-channel", conn->index);
	sim_front_write(conn->front, node, "%u", conn->evt_port);
}

void sim_channels_create(struct sim_front *front)
{
	struct fake *fake = front->fake;

	for (unsigned int i = 0; i < front->nr_conns; i++) {
		struct sim_conn *conn = &front->conn[i];

		memset(conn, 0, sizeof(*conn));
		conn->front = front;
		conn->index = i;
		conn->ring = fake_pages_alloc(fake, 1);
		conn->evt_page = fake_pages_alloc(fake, 1);
		XEN_FRONT_RING_INIT(&conn->ring_front, conn->ring,
				    FAKE_PAGE_SIZE);
		conn->req_ref = fake_grant(fake, front->domid, conn->ring,
					   true);
		conn->evt_ref = fake_grant(fake, front->domid, conn->evt_page,
					   true);
		conn->req_port = fake_port_alloc(fake, front->domid);
		conn->evt_port = fake_port_alloc(fake, front->domid);
		publish(conn);
	}
	front->has_channels = true;
}

struct grant_wait {
	struct sim_front *front;
	uint32_t ref;
};

static bool grant_ends(void *ctx)
{
	const struct grant_wait *w = ctx;

	return !fake_grant_end(w->front->fake, w->front->domid, w->ref);
}

static void end_grant(struct sim_front *front, uint32_t ref)
{
	struct grant_wait w = { front, ref };

	if (!fake_wait(front->fake, grant_ends, &w, SIM_TIMEOUT_MS))
		sim_fail("grant %u of domain %u is still mapped", ref,
			 front->domid);
}

void sim_channels_free(struct sim_front *front)
{
	struct fake *fake = front->fake;

	for (unsigned int i = 0; front->has_channels && i < front->nr_conns;
	     i++) {
		struct sim_conn *conn = &front->conn[i];

		fake_port_free(fake, front->domid, conn->req_port);
		fake_port_free(fake, front->domid, conn->evt_port);
		end_grant(front, conn->req_ref);
		end_grant(front, conn->evt_ref);
		fake_pages_free(fake, conn->ring, 1);
		fake_pages_free(fake, conn->evt_page, 1);
	}
	front->has_channels = false;
}

void sim_connect(struct sim_front *front, unsigned int version)
{
	sim_set_state(front, SIM_INITIALISING);
	sim_wait_back_state(front, SIM_INIT_WAIT);
	if (version)
		sim_front_write(front, "version", "%u", version);
	sim_channels_create(front);
	sim_set_state(front, SIM_INITIALISED);
	sim_wait_back_state(front, SIM_CONNECTED);
	sim_set_state(front, SIM_CONNECTED);
}

void sim_disconnect(struct sim_front *front)
{
	sim_set_state(front, SIM_CLOSING);
	sim_set_state(front, SIM_CLOSED);
	sim_channels_free(front);
}

/* Requests */

struct xendispl_req *sim_next_slot(struct sim_conn *conn, uint8_t op)
{
	struct xen_displif_front_ring *ring = &conn->ring_front;
	struct xendispl_req *req;

	if (RING_FULL(ring))
		sim_fail("ring is full");
	req = RING_GET_REQUEST(ring, ring->req_prod_pvt);
	memset(req, 0, sizeof(*req));
	req->id = conn->next_id++;
	req->operation = op;
	return req;
}

uint16_t sim_push(struct sim_conn *conn)
{
	struct xen_displif_front_ring *ring = &conn->ring_front;
	uint16_t id = RING_GET_REQUEST(ring, ring->req_prod_pvt)->id;
	int notify;

	ring->req_prod_pvt++;
	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(ring, notify);
	if (notify)
		fake_port_notify(conn->front->fake, conn->front->domid,
				 conn->req_port);
	return id;
}

bool sim_poll_response(struct sim_conn *conn, struct xendispl_resp *resp)
{
	struct xen_displif_front_ring *ring = &conn->ring_front;
	RING_IDX prod = *(volatile RING_IDX *)&ring->sring->rsp_prod;

	xen_rmb();
	if (RING_RESPONSE_PROD_OVERFLOW(ring, prod))
		sim_fail("rsp_prod %u with rsp_cons %u", prod, ring->rsp_cons);
	if (ring->rsp_cons == prod) {
		ring->sring->rsp_event = ring->rsp_cons + 1;
		xen_mb();
		prod = *(volatile RING_IDX *)&ring->sring->rsp_prod;
		if (ring->rsp_cons == prod)
			return false;
	}
	RING_COPY_RESPONSE(ring, ring->rsp_cons, resp);
	ring->rsp_cons++;
	return true;
}

struct response_wait {
	struct sim_conn *conn;
	struct xendispl_resp *resp;
};

static bool response_came(void *ctx)
{
	const struct response_wait *w = ctx;

	return sim_poll_response(w->conn, w->resp);
}

void sim_wait_response(struct sim_conn *conn, struct xendispl_resp *resp)
{
	struct response_wait w = { conn, resp };

	if (!fake_wait(conn->front->fake, response_came, &w, SIM_TIMEOUT_MS))
		sim_fail("no answer on connector %u of domain %u",
			 conn->index, conn->front->domid);
}

int32_t sim_call(struct sim_conn *conn)
{
	struct xen_displif_front_ring *ring = &conn->ring_front;
	uint8_t op = RING_GET_REQUEST(ring, ring->req_prod_pvt)->operation;
	struct xendispl_resp resp;
	uint16_t id = sim_push(conn);

	sim_wait_response(conn, &resp);
	if (resp.id != id || resp.operation != op)
		sim_fail("answer to %u/%02x is %u/%02x", id, op, resp.id,
			 resp.operation);
	if (resp.status > 0 || resp.status < -4095)
		sim_fail("status %d", resp.status);
	return resp.status;
}

int32_t sim_dbuf_create(struct sim_front *front, struct sim_buf *buf)
{
	struct xendispl_req *req = sim_next_slot(&front->conn[0],
						 XENDISPL_OP_DBUF_CREATE);

	req->op.dbuf_create.dbuf_cookie = buf->cookie;
	req->op.dbuf_create.width = buf->width;
	req->op.dbuf_create.height = buf->height;
	req->op.dbuf_create.bpp = buf->bpp;
	req->op.dbuf_create.buffer_sz = buf->size;
	req->op.dbuf_create.gref_directory = buf->dir_refs[0];
	return sim_call(&front->conn[0]);
}

int32_t sim_dbuf_destroy(struct sim_front *front, uint64_t cookie)
{
	struct xendispl_req *req = sim_next_slot(&front->conn[0],
						 XENDISPL_OP_DBUF_DESTROY);

	req->op.dbuf_destroy.dbuf_cookie = cookie;
	return sim_call(&front->conn[0]);
}

int32_t sim_fb_attach(struct sim_front *front, uint64_t dbuf, uint64_t fb,
		      uint32_t width, uint32_t height, uint32_t format)
{
	struct xendispl_req *req = sim_next_slot(&front->conn[0],
						 XENDISPL_OP_FB_ATTACH);

	req->op.fb_attach.dbuf_cookie = dbuf;
	req->op.fb_attach.fb_cookie = fb;
	req->op.fb_attach.width = width;
	req->op.fb_attach.height = height;
	req->op.fb_attach.pixel_format = format;
	return sim_call(&front->conn[0]);
}

int32_t sim_fb_attach_at(struct sim_front *front, uint64_t dbuf, uint64_t fb,
			 uint32_t width, uint32_t height, uint32_t format,
			 uint32_t stride, uint32_t offset)
{
	struct xendispl_req *req = sim_next_slot(&front->conn[0],
						 XENDISPL_OP_FB_ATTACH);
	const struct xd_wire_fb_attach_stride wire = {
		.dbuf_cookie = dbuf, .fb_cookie = fb, .width = width,
		.height = height, .pixel_format = format, .stride = stride,
		.offset = offset,
	};

	memcpy(&req->op, &wire, sizeof(wire));
	return sim_call(&front->conn[0]);
}

int32_t sim_fb_detach(struct sim_front *front, uint64_t fb)
{
	struct xendispl_req *req = sim_next_slot(&front->conn[0],
						 XENDISPL_OP_FB_DETACH);

	req->op.fb_detach.fb_cookie = fb;
	return sim_call(&front->conn[0]);
}

int32_t sim_set_config(struct sim_conn *conn, uint64_t fb, uint32_t width,
		       uint32_t height, uint32_t bpp)
{
	struct xendispl_req *req = sim_next_slot(conn, XENDISPL_OP_SET_CONFIG);

	req->op.set_config.fb_cookie = fb;
	req->op.set_config.width = width;
	req->op.set_config.height = height;
	req->op.set_config.bpp = bpp;
	return sim_call(conn);
}

int32_t sim_flip(struct sim_conn *conn, uint64_t fb)
{
	struct xendispl_req *req = sim_next_slot(conn, XENDISPL_OP_PG_FLIP);

	req->op.pg_flip.fb_cookie = fb;
	return sim_call(conn);
}

/* Events */

void sim_take_events(struct sim_conn *conn)
{
	struct xendispl_event_page *page = conn->evt_page;
	uint32_t prod = *(volatile uint32_t *)&page->in_prod;
	uint32_t cons = page->in_cons;

	xen_rmb();
	if (prod - cons > XENDISPL_IN_RING_LEN)
		sim_fail("in_prod %u with in_cons %u", prod, cons);
	for (; cons != prod; cons++) {
		struct xendispl_evt *evt = &XENDISPL_IN_RING_REF(page, cons);

		if (evt->id != (uint16_t)conn->nr_events)
			sim_fail("event id %u != %u", evt->id,
				 conn->nr_events);
		conn->events[conn->nr_events++ % SIM_MAX_EVENTS] = *evt;
	}
	xen_mb();
	page->in_cons = cons;
}

struct event_wait {
	struct sim_conn *conn;
	unsigned int n;
};

static bool events_came(void *ctx)
{
	const struct event_wait *w = ctx;

	if (!w->conn->hold_events)
		sim_take_events(w->conn);
	return w->conn->nr_events >= w->n;
}

bool sim_have_events(struct sim_conn *conn, unsigned int n, int timeout_ms)
{
	struct event_wait w = { conn, n };

	return fake_wait(conn->front->fake, events_came, &w, timeout_ms);
}

void sim_wait_events(struct sim_conn *conn, unsigned int n)
{
	if (!sim_have_events(conn, n, SIM_TIMEOUT_MS))
		sim_fail("%u of %u events on connector %u", conn->nr_events, n,
			 conn->index);
}

/* Buffers */

void sim_buf_init(struct sim_buf *buf, struct sim_front *front,
		  uint64_t cookie, uint32_t width, uint32_t height,
		  uint32_t bpp)
{
	struct fake *fake = front->fake;

	*buf = (struct sim_buf){
		.cookie = cookie, .width = width, .height = height,
		.bpp = bpp, .size = width * bpp / 8 * height,
	};
	buf->nr_pages = (buf->size + FAKE_PAGE_SIZE - 1) / FAKE_PAGE_SIZE;
	buf->nr_dir = (buf->nr_pages + 1022) / 1023;
	buf->pages = fake_pages_alloc(fake, buf->nr_pages);
	buf->dir = fake_pages_alloc(fake, buf->nr_dir);
	/* Lists in the machine's memory: they go with it if a test fails. */
	buf->grefs = fake_pages_alloc(fake, buf->nr_dir + 1);
	buf->dir_refs = fake_pages_alloc(fake, 1);
	for (uint32_t i = 0; i < buf->nr_pages; i++) {
		buf->grefs[i] = fake_grant(fake, front->domid, buf->pages +
					   (size_t)i * FAKE_PAGE_SIZE, false);
		buf->dir[i / 1023][1 + i % 1023] = buf->grefs[i];
	}
	for (uint32_t i = 0; i < buf->nr_dir; i++)
		buf->dir_refs[i] = fake_grant(fake, front->domid, buf->dir[i],
					      true);
	for (uint32_t i = 0; i + 1 < buf->nr_dir; i++)
		buf->dir[i][0] = buf->dir_refs[i + 1];
}

void sim_buf_grant_writable(struct sim_buf *buf, struct sim_front *front)
{
	for (uint32_t i = 0; i < buf->nr_pages; i++) {
		fake_grant_end(front->fake, front->domid, buf->grefs[i]);
		buf->grefs[i] = fake_grant(front->fake, front->domid,
					   buf->pages +
					   (size_t)i * FAKE_PAGE_SIZE, true);
		buf->dir[i / 1023][1 + i % 1023] = buf->grefs[i];
	}
}

void sim_buf_finish(struct sim_buf *buf, struct sim_front *front)
{
	for (uint32_t i = 0; i < buf->nr_pages; i++)
		end_grant(front, buf->grefs[i]);
	for (uint32_t i = 0; i < buf->nr_dir; i++)
		end_grant(front, buf->dir_refs[i]);
	fake_pages_free(front->fake, buf->pages, buf->nr_pages);
	fake_pages_free(front->fake, buf->dir, buf->nr_dir);
	fake_pages_free(front->fake, buf->grefs, buf->nr_dir + 1);
	fake_pages_free(front->fake, buf->dir_refs, 1);
	*buf = (struct sim_buf){ 0 };
}

uint32_t sim_pixel(uint32_t seed, uint32_t x, uint32_t y)
{
	return ((seed * 40503u + x * 2654435761u) ^ (y * 2246822519u)) >> 8;
}

void sim_buf_draw(struct sim_buf *buf, uint32_t seed)
{
	uint32_t *pixel = (uint32_t *)buf->pages;

	for (uint32_t y = 0; y < buf->height; y++)
		for (uint32_t x = 0; x < buf->width; x++)
			*pixel++ = sim_pixel(seed, x, y);
}
