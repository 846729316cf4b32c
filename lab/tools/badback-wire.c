// SPDX-License-Identifier: GPL-2.0-or-later
/* badback on the rings: serving, honest answers, and pieces of wrong ones. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>

#include "badback.h"

#define DIR_REFS	((XENDISPL_EVENT_PAGE_SIZE - \
			  offsetof(struct xendispl_page_directory, gref)) / \
			 sizeof(grant_ref_t))
#define LINGER_MS	150	/* for the guest to see the last of it */

struct xendispl_resp *bad_respond(struct bad_conn *c, uint16_t id, uint8_t op,
				  int32_t status)
{
	struct xendispl_resp *resp =
		RING_GET_RESPONSE(&c->ring, c->ring.rsp_prod_pvt);

	c->ring.rsp_prod_pvt++;
	memset(resp, 0, sizeof(*resp));
	resp->id = id;
	resp->operation = op;
	resp->status = status;
	return resp;
}

void bad_push(struct bad *b, struct bad_conn *c)
{
	RING_PUSH_RESPONSES(&c->ring);
	xenevtchn_notify(b->evtchn, c->req_port);
}

void bad_notify_events(struct bad *b, struct bad_conn *c)
{
	xenevtchn_notify(b->evtchn, c->evt_port);
}

void bad_event(struct bad *b, struct bad_conn *c, uint8_t type,
	       uint64_t cookie)
{
	uint32_t prod = c->page->in_prod;
	struct xendispl_evt *evt = &XENDISPL_IN_RING_REF(c->page, prod);

	memset(evt, 0, sizeof(*evt));
	evt->id = c->evt_id++;
	evt->type = type;
	memcpy(&evt->op, &cookie, sizeof(cookie));
	xen_wmb();
	c->page->in_prod = prod + 1;
	bad_notify_events(b, c);
}

void bad_honest(struct bad *b, struct bad_conn *c,
		const struct xendispl_req *req)
{
	int32_t status = 0;

	/* without one the frontend takes the resolution of its node */
	if (req->operation == XENDISPL_OP_GET_EDID)
		status = -EOPNOTSUPP;
	bad_respond(c, req->id, req->operation, status);
	bad_push(b, c);
	if (req->operation == XENDISPL_OP_PG_FLIP)
		bad_event(b, c, XENDISPL_EVT_PG_FLIP, req->op.pg_flip.fb_cookie);
}

void bad_write_edid(struct bad *b, const struct xendispl_req *req,
		    const void *data, size_t size)
{
	struct xendispl_page_directory *dir =
		bad_map_ref(b, req->op.get_edid.gref_directory);
	void *page = bad_map_ref(b, dir->gref[0]);

	memcpy(page, data, size);
	xengnttab_unmap(b->gnt, page, 1);
	xengnttab_unmap(b->gnt, dir, 1);
}

static uint32_t pages_of(const struct xendispl_req *req)
{
	return (req->op.dbuf_create.buffer_sz + XENDISPL_EVENT_PAGE_SIZE - 1) /
		XENDISPL_EVENT_PAGE_SIZE;
}

void bad_map_buffer(struct bad *b, const struct xendispl_req *req)
{
	grant_ref_t ref = req->op.dbuf_create.gref_directory;
	uint32_t left = pages_of(req);

	while (ref && left) {
		struct xendispl_page_directory *dir = bad_map_ref(b, ref);
		uint32_t num = left < DIR_REFS ? left : DIR_REFS;

		if (!xengnttab_map_domain_grant_refs(b->gnt, num, b->domid,
						     dir->gref, PROT_READ))
			bad_die("mapping a buffer: %s", strerror(errno));
		ref = dir->gref_dir_next_page;
		left -= num;
		/* the directory is kept, too */
	}
}

void bad_write_dir(struct bad *b, const struct xendispl_req *req,
		   uint32_t (*fill)(uint32_t i), uint32_t next)
{
	uint32_t left = pages_of(req);
	grant_ref_t ref = req->op.dbuf_create.gref_directory;
	uint32_t i = 0;

	while (ref && i < left) {
		struct xendispl_page_directory *dir = bad_map_ref(b, ref);

		ref = dir->gref_dir_next_page;
		for (uint32_t n = 0; n < DIR_REFS && i < left; n++, i++)
			dir->gref[n] = fill(i);
		if (next)
			dir->gref_dir_next_page = next;
		xengnttab_unmap(b->gnt, dir, 1);
	}
}

static void serve_conn(struct bad *b, struct bad_conn *c,
		       const struct bad_case *bad_case)
{
	RING_IDX prod = c->ring.sring->req_prod;
	int more;

	xen_rmb();
	if (RING_REQUEST_PROD_OVERFLOW(&c->ring, prod))
		return;	/* a case scribbled over it */
	do {
		while (c->ring.req_cons != prod) {
			struct xendispl_req req;

			RING_COPY_REQUEST(&c->ring, c->ring.req_cons, &req);
			c->ring.req_cons++;
			if (bad_case->answer)
				bad_case->answer(b, c, &req);
			else
				bad_honest(b, c, &req);
		}
		RING_FINAL_CHECK_FOR_REQUESTS(&c->ring, more);
		prod = c->ring.sring->req_prod;
		xen_rmb();
	} while (more && !RING_REQUEST_PROD_OVERFLOW(&c->ring, prod));
}

static void answer_late(struct bad *b)
{
	if (!b->num_late || bad_now_ms() < b->late_ms)
		return;
	for (unsigned int i = 0; i < b->num_late; i++)
		bad_honest(b, b->late[i].conn, &b->late[i].req);
	b->count += b->num_late;
	b->num_late = 0;
}

void bad_serve(struct bad *b, const struct bad_case *bad_case, uint64_t until)
{
	struct pollfd pfd = { .fd = xenevtchn_fd(b->evtchn), .events = POLLIN };
	bool enough = false;

	while (bad_now_ms() < until) {
		if (!enough && bad_case->times && b->count >= bad_case->times) {
			enough = true;
			until = bad_now_ms() + LINGER_MS;
		}
		for (unsigned int i = 0; i < b->num_conns; i++)
			serve_conn(b, &b->conns[i], bad_case);
		answer_late(b);
		if (poll(&pfd, 1, 10) > 0) {
			xenevtchn_port_or_error_t port =
				xenevtchn_pending(b->evtchn);

			if (port >= 0)
				xenevtchn_unmask(b->evtchn, port);
		}
	}
}
