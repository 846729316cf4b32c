// SPDX-License-Identifier: GPL-2.0-or-later
/* strictback: what is offered, and what the frontend made of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "strictback.h"

const char *const strict_features[STRICT_NUM_FEATURES] = {
	[STRICT_DAMAGE] = "damage",
	[STRICT_STRIDE] = "stride",
	[STRICT_CONNECTOR_EVENT] = "connector-event",
	[STRICT_RO_GRANTS] = "ro-grants",
	[STRICT_CURSOR] = "cursor",
	[STRICT_FORMATS] = "formats",
};

static unsigned int best_version(const struct strict *s)
{
	const char *versions = s->manner->versions;

	return versions && strstr(versions, "2") ? 2 : 1;
}

/* connector-event needs version 2. */
static bool is_offered(const struct strict *s, enum strict_feature feature)
{
	return s->manner->features &&
		(feature != STRICT_CONNECTOR_EVENT || best_version(s) >= 2);
}

void strict_offer(struct strict *s)
{
	char node[40];

	bad_write_offer(&s->bad, s->manner->versions, s->manner->features ?
			"formats=XR24,AR24,RG16,RG24,XR12,AR12,XR15,AR15,XB24" :
			NULL);
	for (unsigned int i = 0; i < STRICT_NUM_FEATURES; i++) {
		snprintf(node, sizeof(node), "feature-%s", strict_features[i]);
		if (is_offered(s, i))
			bad_write(&s->bad, node, "1");
	}
}

static void check_version(struct strict *s)
{
	unsigned int best = best_version(s);
	struct bad *b = &s->bad;
	char *text = bad_read(b, b->fe, XENDISPL_FIELD_FE_VERSION);
	char expected[8];

	snprintf(expected, sizeof(expected), "%u", best);
	if (!text || strcmp(text, expected))
		strict_wrong(s, "its node %s is %s, the highest common version %u",
			     XENDISPL_FIELD_FE_VERSION, text ? text : "absent",
			     best);
	s->version = best;
	free(text);
}

static void check_feature(struct strict *s, enum strict_feature feature)
{
	struct bad *b = &s->bad;
	char node[40], *text;

	snprintf(node, sizeof(node), "request-%s", strict_features[feature]);
	text = bad_read(b, b->fe, node);
	s->has[feature] = text && !strcmp(text, "1");
	if (text && strcmp(text, "0") && strcmp(text, "1"))
		strict_wrong(s, "its node %s is \"%s\"", node, text);
	else if (s->has[feature] && !is_offered(s, feature))
		strict_wrong(s, "it requests %s, which is not offered",
			     strict_features[feature]);
	s->has[feature] &= is_offered(s, feature);
	free(text);
}

static void read_size(struct strict *s, unsigned int conn)
{
	struct strict_conn *c = &s->conns[conn];
	struct bad *b = &s->bad;
	char node[32], *text;

	snprintf(node, sizeof(node), "%u/%s", conn, XENDISPL_FIELD_RESOLUTION);
	text = bad_read(b, b->fe, node);
	if (!text || sscanf(text, "%ux%u", &c->width, &c->height) != 2)
		bad_die("%s is %s", node, text ? text : "absent");
	free(text);
}

void strict_check_nodes(struct strict *s)
{
	check_version(s);
	for (unsigned int i = 0; i < STRICT_NUM_FEATURES; i++)
		check_feature(s, i);
	for (unsigned int i = 0; i < s->bad.num_conns; i++)
		read_size(s, i);
	printf("connected: %u connectors, version %u,", s->bad.num_conns,
	       s->version);
	for (unsigned int i = 0; i < STRICT_NUM_FEATURES; i++)
		if (s->has[i])
			printf(" %s", strict_features[i]);
	printf("\n");
	fflush(stdout);
}
