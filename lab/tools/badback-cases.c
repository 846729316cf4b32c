// SPDX-License-Identifier: GPL-2.0-or-later
/* What badback does wrong: answers, indices, events. */
#include <errno.h>
#include <string.h>

#include "badback.h"
#include "badback-more.h"

#define FLOOD		3000	/* signals, in a flood */

static bool is_flip(const struct xendispl_req *req)
{
	return req->operation == XENDISPL_OP_PG_FLIP;
}

static void done_event(struct bad *b, struct bad_conn *c,
		       const struct xendispl_req *req)
{
	if (is_flip(req))
		bad_event(b, c, XENDISPL_EVT_PG_FLIP, req->op.pg_flip.fb_cookie);
}

/* ---- answers ---- */

/* The first few requests are answered well, so that there is a picture. */
static bool not_yet(struct bad *b, struct bad_conn *c,
		    const struct xendispl_req *req)
{
	if (is_flip(req) || b->count)
		return false;
	bad_honest(b, c, req);
	return true;
}

static void id_unknown(struct bad *b, struct bad_conn *c,
		       const struct xendispl_req *req)
{
	if (not_yet(b, c, req))
		return;
	bad_respond(c, req->id ^ 0x8000, req->operation, 0);
	bad_push(b, c);
	b->count++;
}

static void id_of_no_request(struct bad *b, struct bad_conn *c,
			     const struct xendispl_req *req)
{
	if (not_yet(b, c, req))
		return;
	bad_respond(c, req->id + 1, req->operation, 0);
	bad_push(b, c);
	b->count++;
}

static void id_twice(struct bad *b, struct bad_conn *c,
		     const struct xendispl_req *req)
{
	bad_honest(b, c, req);
	if (!is_flip(req))
		return;
	bad_respond(c, req->id, req->operation, 0);
	bad_push(b, c);
	b->count++;
}

static void operation_wrong(struct bad *b, struct bad_conn *c,
			    const struct xendispl_req *req)
{
	if (not_yet(b, c, req))
		return;
	bad_respond(c, req->id, req->operation ^ 0x10, 0);
	bad_push(b, c);
	done_event(b, c, req);
	b->count++;
}

/* Of what no backend means, and of what Linux means by some of it. */
static void statuses(struct bad *b, struct bad_conn *c,
		     const struct xendispl_req *req)
{
	static const int32_t status[] = {
		1, INT32_MAX, INT32_MIN, -4096, -4095, -EINTR, -EAGAIN,
		-EDEADLK, -ENOTCONN, -ETIMEDOUT, -512, -517, -530, -ENODEV,
		-ENOSPC, -EBUSY, -EACCES, -EINPROGRESS, -ERANGE, -EIO,
	};
	int32_t wrong = status[b->count % (sizeof(status) / sizeof(status[0]))];

	bad_respond(c, req->id, req->operation, wrong);
	bad_push(b, c);
	b->count++;
}

static void refused(struct bad *b, struct bad_conn *c,
		    const struct xendispl_req *req)
{
	bad_respond(c, req->id, req->operation, -EIO);
	bad_push(b, c);
	b->count++;
}

/* Reserved bytes are not zero, and an EDID's size is in every answer. */
static void dirty_answers(struct bad *b, struct bad_conn *c,
			  const struct xendispl_req *req)
{
	struct xendispl_resp *resp;

	if (req->operation == XENDISPL_OP_GET_EDID) {
		bad_honest(b, c, req);
		return;
	}
	resp = bad_respond(c, req->id, req->operation, 0);
	memset(&resp->op, 0xff, sizeof(resp->op));
	resp->reserved = 0xff;
	bad_push(b, c);
	done_event(b, c, req);
	b->count++;
}

/* ---- indices ---- */

static void prod_far(struct bad *b, struct bad_conn *c,
		     const struct xendispl_req *req)
{
	if (not_yet(b, c, req))
		return;
	c->ring.sring->rsp_prod += BAD_RING_SIZE + 1;
	xenevtchn_notify(b->evtchn, c->req_port);
	b->count++;
}

static void prod_back(struct bad *b, struct bad_conn *c,
		      const struct xendispl_req *req)
{
	if (not_yet(b, c, req))
		return;
	c->ring.sring->rsp_prod--;
	xenevtchn_notify(b->evtchn, c->req_port);
	b->count++;
}

static void prod_max(struct bad *b, struct bad_conn *c,
		     const struct xendispl_req *req)
{
	if (not_yet(b, c, req))
		return;
	c->ring.sring->rsp_prod = UINT32_MAX;
	xenevtchn_notify(b->evtchn, c->req_port);
	b->count++;
}

/* Responses to requests that the guest is yet to send. */
static void early_answers(struct bad *b)
{
	struct bad_conn *c = &b->conns[0];

	for (unsigned int i = 0; i < BAD_RING_SIZE; i++)
		bad_respond(c, i, XENDISPL_OP_DBUF_CREATE, 0);
	bad_push(b, c);
	b->count++;
}

static void answer_flood(struct bad *b, struct bad_conn *c,
			 const struct xendispl_req *req)
{
	if (not_yet(b, c, req))
		return;
	for (unsigned int i = 0; i < FLOOD; i++) {
		bad_respond(c, req->id, req->operation, 0);
		bad_push(b, c);
	}
	b->count++;
}

static void signal_flood(struct bad *b)
{
	for (unsigned int i = 0; i < FLOOD; i++) {
		xenevtchn_notify(b->evtchn, b->conns[0].req_port);
		xenevtchn_notify(b->evtchn, b->conns[0].evt_port);
	}
	b->count++;
}

static void scribble_ring(struct bad *b, struct bad_conn *c,
			  const struct xendispl_req *req)
{
	uint32_t *word = (uint32_t *)c->ring.sring;

	if (not_yet(b, c, req))
		return;
	for (unsigned int turn = 0; turn < 200; turn++) {
		for (unsigned int i = 0; i < XENDISPL_EVENT_PAGE_SIZE / 4; i++)
			word[i] = bad_random();
		xenevtchn_notify(b->evtchn, c->req_port);
	}
	b->count++;
}

/* ---- events ---- */

static void answer_only(struct bad *b, struct bad_conn *c,
			const struct xendispl_req *req)
{
	bad_respond(c, req->id, req->operation,
		    req->operation == XENDISPL_OP_GET_EDID ? -EOPNOTSUPP : 0);
	bad_push(b, c);
}

static void event_flood(struct bad *b)
{
	struct bad_conn *c = &b->conns[0];

	for (unsigned int i = 0; i < FLOOD; i++)
		bad_event(b, c, XENDISPL_EVT_PG_FLIP, 0xdead0000ull + i);
	b->count++;
}

static void set_in_prod(struct bad *b, struct bad_conn *c, uint32_t prod)
{
	c->page->in_prod = prod;
	bad_notify_events(b, c);
	b->count++;
}

static void event_prod_max(struct bad *b, struct bad_conn *c,
			   const struct xendispl_req *req)
{
	bad_honest(b, c, req);
	if (is_flip(req))
		set_in_prod(b, c, UINT32_MAX);
}

static void event_prod_far(struct bad *b, struct bad_conn *c,
			   const struct xendispl_req *req)
{
	bad_honest(b, c, req);
	if (is_flip(req))
		set_in_prod(b, c, c->page->in_prod + XENDISPL_IN_RING_LEN + 1);
}

static void event_prod_back(struct bad *b, struct bad_conn *c,
			    const struct xendispl_req *req)
{
	bad_honest(b, c, req);
	if (is_flip(req))
		set_in_prod(b, c, c->page->in_prod - 1);
}

static void event_cons(struct bad *b, struct bad_conn *c,
		       const struct xendispl_req *req)
{
	if (is_flip(req)) {
		c->page->in_cons = bad_random();
		b->count++;
	}
	bad_honest(b, c, req);
}

static void event_gaps(struct bad *b, struct bad_conn *c,
		       const struct xendispl_req *req)
{
	if (is_flip(req)) {
		c->evt_id += 7;
		b->count++;
	}
	bad_honest(b, c, req);
}

static void event_types(struct bad *b, struct bad_conn *c,
			const struct xendispl_req *req)
{
	if (is_flip(req)) {
		bad_event(b, c, 0xff, ~0ull);
		/* of an extension that is off: "unplugged" */
		bad_event(b, c, BAD_EVT_CONNECTOR, 0);
		b->count++;
	}
	bad_honest(b, c, req);
}

static void event_cookies(struct bad *b, struct bad_conn *c,
			  const struct xendispl_req *req)
{
	if (is_flip(req)) {
		bad_event(b, c, XENDISPL_EVT_PG_FLIP, 0);
		bad_event(b, c, XENDISPL_EVT_PG_FLIP, ~0ull);
		bad_event(b, c, XENDISPL_EVT_PG_FLIP,
			  req->op.pg_flip.fb_cookie + 1);
		b->count++;
	}
	bad_honest(b, c, req);
}

static void event_twice(struct bad *b, struct bad_conn *c,
			const struct xendispl_req *req)
{
	bad_honest(b, c, req);
	if (!is_flip(req))
		return;
	done_event(b, c, req);
	done_event(b, c, req);
	b->count++;
}

/* The event comes before the answer. */
static void event_first(struct bad *b, struct bad_conn *c,
			const struct xendispl_req *req)
{
	done_event(b, c, req);
	answer_only(b, c, req);
	b->count += is_flip(req);
}

static void event_refused(struct bad *b, struct bad_conn *c,
			  const struct xendispl_req *req)
{
	if (!is_flip(req)) {
		bad_honest(b, c, req);
		return;
	}
	bad_respond(c, req->id, req->operation, -EBUSY);
	bad_push(b, c);
	done_event(b, c, req);
	b->count++;
}

/* Before anybody is Connected. */
static void event_before(struct bad *b)
{
	for (unsigned int i = 0; i < XENDISPL_IN_RING_LEN; i++)
		bad_event(b, &b->conns[0], XENDISPL_EVT_PG_FLIP, i);
	b->count++;
}

static void scribble_events(struct bad *b, struct bad_conn *c,
			    const struct xendispl_req *req)
{
	uint32_t *word = (uint32_t *)c->page;

	answer_only(b, c, req);
	if (!is_flip(req))
		return;
	for (unsigned int turn = 0; turn < 200; turn++) {
		for (unsigned int i = 0; i < XENDISPL_EVENT_PAGE_SIZE / 4; i++)
			word[i] = bad_random();
		bad_notify_events(b, c);
	}
	b->count++;
}

static void connector_flood(struct bad *b)
{
	struct bad_conn *c = &b->conns[0];

	for (unsigned int i = 0; i < FLOOD; i++)
		bad_event(b, c, BAD_EVT_CONNECTOR, i & 0xff);
	b->count++;
}

/* ---- nothing, and too late ---- */

static void silent(struct bad *b, struct bad_conn *c,
		   const struct xendispl_req *req)
{
}

static void flips_unanswered(struct bad *b, struct bad_conn *c,
			     const struct xendispl_req *req)
{
	if (is_flip(req))
		done_event(b, c, req);
	else
		bad_honest(b, c, req);
}

static void late_answers(struct bad *b, struct bad_conn *c,
			 const struct xendispl_req *req)
{
	if (b->num_late == BAD_MAX_LATE)
		return;
	if (!b->num_late)
		b->late_ms = bad_now_ms() + 3600;
	b->late[b->num_late].conn = c;
	b->late[b->num_late++].req = *req;
}

static void creates_unanswered(struct bad *b, struct bad_conn *c,
			       const struct xendispl_req *req)
{
	if (req->operation != XENDISPL_OP_DBUF_CREATE &&
	    req->operation != XENDISPL_OP_DBUF_DESTROY)
		bad_honest(b, c, req);
}

const struct bad_case bad_cases[] = {
	{ "answers", "id-unknown", 1, .answer = id_unknown },
	{ "answers", "id-of-no-request", 1, .answer = id_of_no_request },
	{ "answers", "id-twice", 1, .answer = id_twice },
	{ "answers", "operation-wrong", 1, .answer = operation_wrong },
	{ "answers", "statuses", 60, .answer = statuses },
	{ "answers", "refused", 30, .answer = refused },
	{ "answers", "dirty-answers", 30, .answer = dirty_answers },
	{ "indices", "prod-far", 1, .answer = prod_far },
	{ "indices", "prod-back", 1, .answer = prod_back },
	{ "indices", "prod-max", 1, .answer = prod_max },
	{ "indices", "early-answers", 1, .connected = early_answers },
	{ "indices", "answers-before", 1, .offered = early_answers },
	{ "indices", "answer-flood", 1, .answer = answer_flood },
	{ "indices", "signal-flood", 1, .connected = signal_flood },
	{ "indices", "scribble-ring", 1, .answer = scribble_ring },
	{ "events", "event-flood", 1, .connected = event_flood },
	{ "events", "event-prod-max", 1, .answer = event_prod_max },
	{ "events", "event-prod-far", 3, .answer = event_prod_far },
	{ "events", "event-prod-back", 3, .answer = event_prod_back },
	{ "events", "event-cons", 10, .answer = event_cons },
	{ "events", "event-gaps", 10, .answer = event_gaps },
	{ "events", "event-types", 10, .answer = event_types },
	{ "events", "event-cookies", 10, .answer = event_cookies },
	{ "events", "event-twice", 10, .answer = event_twice },
	{ "events", "event-first", 10, .answer = event_first },
	{ "events", "event-refused", 10, .answer = event_refused },
	{ "events", "event-before", 1, .offered = event_before },
	{ "events", "scribble-events", 1, .answer = scribble_events },
	{ "events", "connector-flood", 1, .connected = connector_flood,
	  .nodes = "feature-connector-event=1" },
	{ "silence", "silent", 0, 5000, .answer = silent },
	{ "silence", "late-answers", 0, 5500, .answer = late_answers },
	{ "silence", "flips-unanswered", 0, 4500, .answer = flips_unanswered },
	{ "silence", "no-events", 0, 5000, .answer = answer_only },
	{ "silence", "creates-unanswered", 0, 5000,
	  .answer = creates_unanswered },
	BAD_MORE_CASES
};

const unsigned int bad_num_cases = sizeof(bad_cases) / sizeof(bad_cases[0]);
