/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cases of badback that are about EDIDs, directories, nodes and states. */
#ifndef BADBACK_MORE_H
#define BADBACK_MORE_H

#include "badback.h"

void bad_edid_sizes(struct bad *b, struct bad_conn *c,
		    const struct xendispl_req *req);
void bad_edid_texts(struct bad *b, struct bad_conn *c,
		    const struct xendispl_req *req);
void bad_edid_slow(struct bad *b, struct bad_conn *c,
		   const struct xendispl_req *req);
void bad_edid_silent(struct bad *b, struct bad_conn *c,
		     const struct xendispl_req *req);

void bad_dir_untouched(struct bad *b, struct bad_conn *c,
		       const struct xendispl_req *req);
void bad_dir_ones(struct bad *b, struct bad_conn *c,
		  const struct xendispl_req *req);
void bad_dir_repeated(struct bad *b, struct bad_conn *c,
		      const struct xendispl_req *req);
void bad_dir_cyclic(struct bad *b, struct bad_conn *c,
		    const struct xendispl_req *req);
void bad_dir_random(struct bad *b, struct bad_conn *c,
		    const struct xendispl_req *req);

void bad_hold(struct bad *b, struct bad_conn *c,
	      const struct xendispl_req *req);

void bad_state_texts(struct bad *b);
void bad_state_gone(struct bad *b);
void bad_connected_at_once(struct bad *b);
void bad_never_connected(struct bad *b);
void bad_closed_at_once(struct bad *b);
void bad_closing_stays(struct bad *b);
void bad_flapping(struct bad *b);
void bad_unmapped(struct bad *b);

/* with it each event makes the frontend ask for an EDID */
#define BAD_EDID_NODES	"feature-connector-event=1"

#define BAD_MORE_CASES \
	{ "edid", "edid-sizes", 9, 6000, .answer = bad_edid_sizes, \
	  .nodes = BAD_EDID_NODES }, \
	{ "edid", "edid-texts", 9, 6000, .answer = bad_edid_texts, \
	  .nodes = BAD_EDID_NODES }, \
	{ "edid", "edid-slow", 3, 15000, .answer = bad_edid_slow, \
	  .nodes = BAD_EDID_NODES, .all = true }, \
	{ "edid", "edid-silent", 0, 4000, .answer = bad_edid_silent }, \
	{ "directories", "dir-untouched", 10, .answer = bad_dir_untouched }, \
	{ "directories", "dir-ones", 10, .answer = bad_dir_ones }, \
	{ "directories", "dir-repeated", 10, .answer = bad_dir_repeated }, \
	{ "directories", "dir-cyclic", 10, .answer = bad_dir_cyclic }, \
	{ "directories", "dir-random", 10, .answer = bad_dir_random }, \
	{ "holding", "holds-grants", 12, 10000, .answer = bad_hold }, \
	{ "nodes", "versions-text", .refused = true, .nodes = "versions=foo" }, \
	{ "nodes", "versions-none", .refused = true, .nodes = "versions=7,65535" }, \
	{ "nodes", "versions-list", .refused = true, .nodes = "versions=1,,2" }, \
	{ "nodes", "versions-huge", .refused = true, \
	  .nodes = "versions=99999999999999999999" }, \
	{ "nodes", "feature-text", .refused = true, \
	  .nodes = "feature-damage=yes" }, \
	{ "nodes", "feature-two", .refused = true, \
	  .nodes = "feature-cursor=2" }, \
	{ "nodes", "formats-none", .refused = true, \
	  .nodes = "feature-formats=1" }, \
	{ "nodes", "formats-text", .refused = true, \
	  .nodes = "feature-formats=1\nformats=XR2" }, \
	{ "nodes", "formats-unknown", .refused = true, \
	  .nodes = "feature-formats=1\nformats=ABCD,\x01\x02\x7f\x20" }, \
	{ "nodes", "formats-twice", 0, 300, \
	  .nodes = "feature-formats=1\nformats=" \
	  "XR24,XR24,XR24,XR24,XR24,XR24,XR24,XR24,XR24,XR24,XR24,XR24," \
	  "XR24,XR24,XR24,XR24,XR24,XR24,XR24,XR24,XR24,XR24,XR24,XR24," \
	  "XR24,XR24,XR24,XR24,XR24,XR24,XR24,XR24,XR24,XR24,XR24,XR24" }, \
	{ "states", "state-texts", .run = bad_state_texts }, \
	{ "states", "state-gone", .run = bad_state_gone }, \
	{ "states", "connected-at-once", .run = bad_connected_at_once }, \
	{ "states", "never-connected", .run = bad_never_connected }, \
	{ "states", "closed-at-once", .run = bad_closed_at_once }, \
	{ "states", "closing-stays", .run = bad_closing_stays }, \
	{ "states", "flapping", .run = bad_flapping }, \
	{ "states", "unmapped", .run = bad_unmapped },

#endif
