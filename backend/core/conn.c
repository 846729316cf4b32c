/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connector's channels: requests in, answers and events out. Shared memory
 * is read once, into a copy; its indices are checked before they count.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/guest.h"
#include "edid/edid.h"

static void break_conn(struct xd_conn *conn, const char *why)
{
	if (conn->broken)
		return;
	conn->broken = true;
	conn->guest->counters.violations++;
	xd_guest_say(conn->guest, true,
		     "connector %u: %s, not reading its requests any more",
		     conn->index, why);
}

static uint32_t max(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static int bind_page(struct xd_conn *conn, uint32_t gref, uint32_t port,
		     void **ret_page, int *ret_port)
{
	struct xd_guest *guest = conn->guest;

	*ret_page = guest->bus->ops->map(guest->bus, guest->params.child.domid,
					 &gref, 1, true);
	if (!*ret_page)
		return -errno;
	*ret_port = guest->bus->ops->bind(guest->bus, guest->params.child.domid,
					  port);
	return *ret_port < 0 ? *ret_port : 0;
}

int xd_conn_open(struct xd_conn *conn, struct xd_guest *guest,
		 unsigned int index, const struct xd_conn_params *params)
{
	int ret;

	*conn = (struct xd_conn){
		.guest = guest,
		.index = index,
		.params = *params,
		.req_port = -1,
		.evt_port = -1,
		.width = params->pref_width,
		.height = params->pref_height,
		.max_width = max(params->width, params->pref_width),
		.max_height = max(params->height, params->pref_height),
	};
	conn->ring = calloc(1, sizeof(*conn->ring));
	if (!conn->ring)
		return -ENOMEM;
	ret = bind_page(conn, params->req_ref, params->req_port,
			&conn->req_page, &conn->req_port);
	if (ret)
		return ret;
	ret = bind_page(conn, params->evt_ref, params->evt_port,
			&conn->evt_page, &conn->evt_port);
	if (ret)
		return ret;
	/* of a connection before, maybe; a wrong one is the guest's own loss */
	conn->evt_prod = *(volatile uint32_t *)
		&((struct xendispl_event_page *)conn->evt_page)->in_prod;
	BACK_RING_INIT(conn->ring, (struct xen_displif_sring *)conn->req_page,
		       XD_PAGE_SIZE);
	return 0;
}

static void unbind_page(struct xd_conn *conn, void *page, int port)
{
	struct xd_guest *guest = conn->guest;

	if (port >= 0)
		guest->bus->ops->unbind(guest->bus, port);
	if (page)
		guest->bus->ops->unmap(guest->bus, page, 1);
}

void xd_conn_close(struct xd_conn *conn)
{
	unbind_page(conn, conn->req_page, conn->req_port);
	unbind_page(conn, conn->evt_page, conn->evt_port);
	free(conn->ring);
	*conn = (struct xd_conn){ .req_port = -1, .evt_port = -1 };
}

/* Puts an answer on the ring: there is a slot for each request taken. */
static void answer(struct xd_conn *conn, const struct xendispl_resp *resp)
{
	struct xen_displif_back_ring *ring = conn->ring;

	memcpy(RING_GET_RESPONSE(ring, ring->rsp_prod_pvt), resp,
	       sizeof(*resp));
	ring->rsp_prod_pvt++;
}

static void push_answers(struct xd_conn *conn)
{
	int notify;

	RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(conn->ring, notify);
	if (notify)
		conn->guest->bus->ops->notify(conn->guest->bus,
					      conn->req_port);
}

void xd_conn_answer(struct xd_conn *conn, uint16_t id, uint8_t op, int status)
{
	struct xendispl_resp resp;

	xd_resp_encode(&resp, id, op, status);
	answer(conn, &resp);
	push_answers(conn);
}

/* The first request of any ring says that the frontend is Connected. */
static void hear(struct xd_guest *guest)
{
	unsigned int i;

	if (guest->heard)
		return;
	guest->heard = true;
	for (i = 0; i < guest->nr_conns; i++)
		if (guest->conns[i].owes_connector)
			xd_guest_pay_later(guest);
}

/* One request, from its private copy to its answer. */
static void serve_one(struct xd_conn *conn,
		      const struct xendispl_req *untrusted_req)
{
	struct xd_guest *guest = conn->guest;
	struct xendispl_resp resp;
	struct xd_req req;
	uint32_t edid_sz = 0;
	int ret;

	ret = xd_req_decode(untrusted_req, &guest->params.features,
			    conn->index, &req);
	if (!ret)
		ret = xd_dispatch(conn, &req, &edid_sz);
	guest->counters.requests++;
	if (ret == -EINPROGRESS)
		return;
	if (ret) {
		guest->counters.errors++;
		xd_debug("connector %u: %s: %s", conn->index,
			 xd_op_name(req.op), strerror(-ret));
	}
	if (!ret && req.op == XENDISPL_OP_GET_EDID)
		xd_resp_encode_edid(&resp, req.id, edid_sz);
	else
		xd_resp_encode(&resp, req.id, req.op, ret);
	answer(conn, &resp);
}

bool xd_conn_serve(struct xd_conn *conn)
{
	struct xen_displif_back_ring *ring = conn->ring;
	uint32_t budget = conn->guest->params.limits.max_requests_per_turn;
	RING_IDX prod;
	int more = 0;

	xd_conn_pay_owed(conn);
	while (!conn->broken) {
		prod = *(volatile RING_IDX *)&ring->sring->req_prod;
		xen_rmb();	/* the requests after their index */
		if (RING_REQUEST_PROD_OVERFLOW(ring, prod)) {
			break_conn(conn, "request index out of range");
			return false;
		}
		while (ring->req_cons != prod && budget) {
			struct xendispl_req req;

			RING_COPY_REQUEST(ring, ring->req_cons, &req);
			ring->req_cons++;
			budget--;
			hear(conn->guest);
			serve_one(conn, &req);
			/* at once: the next one may take long */
			push_answers(conn);
		}
		if (!budget)
			return true;
		RING_FINAL_CHECK_FOR_REQUESTS(ring, more);
		if (!more)
			return false;
	}
	return false;
}

/* False when the guest has not taken earlier events yet. */
static bool send_event(struct xd_conn *conn, const struct xendispl_evt *evt)
{
	struct xendispl_event_page *page = conn->evt_page;
	uint32_t cons = *(volatile uint32_t *)&page->in_cons;

	/* an index that cannot be counts as full: only the guest suffers */
	if (conn->evt_prod - cons >= XENDISPL_IN_RING_LEN)
		return false;
	memcpy(&XENDISPL_IN_RING_REF(page, conn->evt_prod), evt, sizeof(*evt));
	conn->evt_prod++;
	conn->evt_id++;
	xen_wmb();	/* the event before its index */
	*(volatile uint32_t *)&page->in_prod = conn->evt_prod;
	conn->guest->bus->ops->notify(conn->guest->bus, conn->evt_port);
	return true;
}

static bool send_flip(struct xd_conn *conn, uint64_t fb_cookie)
{
	struct xendispl_evt evt;

	xd_evt_encode_flip(&evt, conn->evt_id, fb_cookie);
	return send_event(conn, &evt);
}

static bool send_connector(struct xd_conn *conn)
{
	struct xendispl_evt evt;

	xd_evt_encode_connector(&evt, conn->evt_id, true);
	return send_event(conn, &evt);
}

int xd_conn_resize(struct xd_conn *conn, uint32_t width, uint32_t height)
{
	const struct xd_features *features = &conn->guest->params.features;

	if (width < XD_EDID_MIN_DIMENSION || width > XD_EDID_MAX_DIMENSION ||
	    height < XD_EDID_MIN_DIMENSION || height > XD_EDID_MAX_DIMENSION)
		return -EINVAL;
	if (!features->connector_event || features->version < 2)
		return -EOPNOTSUPP;
	/* a guest that has chosen another mode hears of it again */
	if (width == conn->width && height == conn->height &&
	    (!conn->on || (width == conn->mode_width &&
			   height == conn->mode_height)))
		return 0;
	conn->width = width;
	conn->height = height;
	conn->max_width = max(conn->max_width, width);
	conn->max_height = max(conn->max_height, height);
	conn->owes_connector = true;
	xd_conn_pay_owed(conn);
	return 0;
}

void xd_conn_changed(struct xd_conn *conn)
{
	const struct xd_features *features = &conn->guest->params.features;

	if (!features->connector_event || features->version < 2)
		return;
	conn->owes_connector = true;
	xd_conn_pay_owed(conn);
}

void xd_conn_pay_owed(struct xd_conn *conn)
{
	unsigned int paid = 0;

	while (paid < conn->nr_owed && send_flip(conn, conn->owed[paid]))
		paid++;
	conn->nr_owed -= paid;
	memmove(conn->owed, conn->owed + paid,
		conn->nr_owed * sizeof(conn->owed[0]));
	/* flips have been asked for by a request, this one by nobody */
	if (conn->owes_connector && conn->guest->heard && send_connector(conn))
		conn->owes_connector = false;
	if (conn->nr_owed || (conn->owes_connector && conn->guest->heard))
		xd_guest_pay_later(conn->guest);
}

void xd_conn_send_flip_event(struct xd_conn *conn, uint64_t fb_cookie)
{
	xd_conn_pay_owed(conn);
	if (!conn->nr_owed && send_flip(conn, fb_cookie))
		return;
	/* dispatch refuses flips while it is full */
	if (conn->nr_owed < XD_MAX_FLIPS)
		conn->owed[conn->nr_owed++] = fb_cookie;
	/* a guest need not tell that it has taken events */
	xd_guest_pay_later(conn->guest);
}
