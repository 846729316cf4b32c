// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What link-status says of the backend, and the uevents that tell of it. At its
 * steps the hook sees to it that the backend is so: "refuse" flips with an error,
 * "ignore" them, "show" them, "gone", "back".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kt.h"

#define GRACE		"/sys/module/drm_xen_front/parameters/grace"
#define LONG_GRACE_S	3600
#define EVENT_MS	20000	/* for a flip whose backend is silent */
#define UEVENT_S	60

/* A client that flips, and hears uevents. */
struct client {
	struct kt_dev dev;
	struct kt_output *output;
	struct kt_buf bufs[2];
	unsigned int frames;
	int uevents;
};

static uint64_t link_status(struct client *c)
{
	return kt_prop_value(&c->dev, c->output->connector, "link-status");
}

static void client_open(struct client *c)
{
	memset(c, 0, sizeof(*c));
	if (!kt_opt.hook)
		kt_skip("there is no hook for the backend");
	kt_open(&c->dev);
	c->output = kt_output(&c->dev);
	for (unsigned int i = 0; i < 2; i++)
		kt_buf_create(&c->bufs[i], &c->dev, c->output->mode.hdisplay,
			      c->output->mode.vdisplay,
			      kt_format_by_name("XR24"));
	kt_show(&c->dev, c->output, &c->bufs[0]);
	c->uevents = kt_uevent_open();
	kt_assert_ge(c->uevents, 0);
}

static void client_close(struct client *c)
{
	close(c->uevents);
	for (unsigned int i = 0; i < 2; i++)
		kt_buf_destroy(&c->bufs[i]);
	kt_close(&c->dev);
}

/* A flip succeeds and has one event, whatever the backend does. */
static void flip(struct client *c)
{
	unsigned int frame = ++c->frames;
	struct kt_event event;

	kt_assert_ok(kt_flip(&c->dev, c->output, &c->bufs[frame & 1], frame));
	if (kt_next_event(&c->dev, EVENT_MS, &event) != 1)
		kt_fail("flip %u: no event", frame);
	kt_assert_eq(event.data, frame);
}

static bool is_ours(const struct client *c, const struct kt_uevent *event)
{
	return !strcmp(event->subsystem, "drm") &&
		!strcmp(event->hotplug, "1") &&
		event->connector == c->output->connector;
}

static const char *status_name(uint64_t status)
{
	return status == DRM_MODE_LINK_STATUS_GOOD ? "Good" : "Bad";
}

/* Whether a uevent about the connector is there; takes all that are. */
static bool take_uevents(struct client *c)
{
	struct kt_uevent event;
	bool any = false;

	while (kt_uevent_next(c->uevents, 0, &event) > 0)
		any |= is_ours(c, &event);
	return any;
}

/* A uevent about the connector comes, and the status is then @status. */
static void expect_link(struct client *c, uint64_t status)
{
	uint64_t until = kt_now() + UEVENT_S * KT_NS_PER_S;
	struct kt_uevent event;

	do {
		if (kt_uevent_next(c->uevents, until, &event) != 1)
			kt_fail("no uevent with link-status %s; it is %s",
				status_name(status),
				status_name(link_status(c)));
	} while (!is_ours(c, &event) || link_status(c) != status);
}

/* Nothing has changed so far, and nobody was told that it had. */
static void expect_still(struct client *c, uint64_t status)
{
	kt_assert_eq(link_status(c), status);
	kt_assert(!take_uevents(c));
}

static void expect_bad(struct client *c)
{
	flip(c);
	expect_link(c, DRM_MODE_LINK_STATUS_BAD);
	for (unsigned int i = 0; i < 2; i++)
		flip(c);
	kt_assert_eq(link_status(c), DRM_MODE_LINK_STATUS_BAD);
}

static void expect_good(struct client *c)
{
	flip(c);
	expect_link(c, DRM_MODE_LINK_STATUS_GOOD);
	for (unsigned int i = 0; i < 10; i++)
		flip(c);
	kt_assert_eq(link_status(c), DRM_MODE_LINK_STATUS_GOOD);
}

static void open_good(struct client *c)
{
	client_open(c);
	for (unsigned int i = 0; i < 10; i++)
		flip(c);
	take_uevents(c);
	kt_assert_eq(link_status(c), DRM_MODE_LINK_STATUS_GOOD);
}

/* What a client does about a bad link: it sets the mode again. */
static void set_good(struct client *c)
{
	struct kt_commit commit;

	if (!c->dev.atomic)
		return;
	kt_commit_init(&commit, &c->dev);
	kt_commit_mode(&commit, c->output, &c->output->mode);
	kt_commit_plane(&commit, c->output, &c->bufs[0]);
	kt_commit_add(&commit, c->output->connector, "link-status",
		      DRM_MODE_LINK_STATUS_GOOD);
	kt_assert_ok(kt_commit_run(&commit, DRM_MODE_ATOMIC_ALLOW_MODESET,
				   NULL));
	c->frames &= ~1u;	/* the next one is of the other buffer */
}

/* The backend answers flips with an error, then it shows them again. */
static void test_refused(void)
{
	struct client c;

	open_good(&c);
	kt_hook("refuse");
	expect_still(&c, DRM_MODE_LINK_STATUS_GOOD);
	expect_bad(&c);
	set_good(&c);
	take_uevents(&c);
	expect_bad(&c);
	kt_hook("show");
	kt_assert_eq(link_status(&c), DRM_MODE_LINK_STATUS_BAD);
	take_uevents(&c);
	expect_good(&c);
	client_close(&c);
}

/* It neither answers them nor tells that they are on screen, until much later. */
static void test_silent(void)
{
	struct client c;

	open_good(&c);
	kt_hook("ignore");
	expect_still(&c, DRM_MODE_LINK_STATUS_GOOD);
	expect_bad(&c);
	kt_hook("show");
	take_uevents(&c);
	expect_good(&c);
	client_close(&c);
}

static void set_grace(unsigned int seconds)
{
	FILE *file = fopen(GRACE, "w");

	if (!file)
		kt_skip("the driver has no grace");
	kt_assert_gt(fprintf(file, "%u\n", seconds), 0);
	kt_assert_eq(fclose(file), 0);
}

/* A backend that is gone is waited for, then the link is bad until it is back. */
static void test_grace(void)
{
	unsigned int grace = kt_opt.seconds ? kt_opt.seconds : 5;
	struct client c;
	uint64_t start;

	open_good(&c);
	set_grace(LONG_GRACE_S);
	kt_hook("gone");
	for (unsigned int i = 0; i < 60; i++)
		flip(&c);
	expect_still(&c, DRM_MODE_LINK_STATUS_GOOD);
	kt_hook("back");
	for (unsigned int i = 0; i < 10; i++)
		flip(&c);
	expect_still(&c, DRM_MODE_LINK_STATUS_GOOD);

	set_grace(grace);
	start = kt_now();
	kt_hook("gone");
	expect_link(&c, DRM_MODE_LINK_STATUS_BAD);
	/* the kernel's clock for this may be a few ms before ours */
	kt_assert_ge((kt_now() - start) / KT_NS_PER_MS + 50, grace * 1000);
	for (unsigned int i = 0; i < 10; i++)
		flip(&c);
	expect_still(&c, DRM_MODE_LINK_STATUS_BAD);
	kt_hook("back");
	expect_link(&c, DRM_MODE_LINK_STATUS_GOOD);
	for (unsigned int i = 0; i < 10; i++)
		flip(&c);
	expect_still(&c, DRM_MODE_LINK_STATUS_GOOD);
	client_close(&c);
}

static const struct kt_test tests[] = {
	{ "refused", test_refused, "flips get an error", 600 },
	{ "silent", test_silent, "flips get no answer", 600 },
	{ "grace", test_grace, "the backend goes, and is back, twice", 600 },
};

int main(int argc, char **argv)
{
	return kt_main(argc, argv, "link-status and its uevents.", tests,
		       KT_ARRAY_SIZE(tests));
}
