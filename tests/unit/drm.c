// SPDX-License-Identifier: GPL-2.0-or-later
/* outputs/drm*.c on a card in memory. */
#include "drm-side.h"

#include <unistd.h>

static void mode_is_chosen(void **state)
{
	const drmModeModeInfo *mode;

	mode = drm_screen_find_mode(card.modes, card.nr_modes, 32, 24);
	assert_int_equal(mode->vrefresh, 60);
	mode = drm_screen_find_mode(card.modes, card.nr_modes, 33, 24);
	assert_int_equal(mode->hdisplay, 64);
	assert_null(drm_screen_find_mode(card.modes, 0, 32, 24));
	card.modes[0].flags = DRM_MODE_FLAG_INTERLACE;
	mode = drm_screen_find_mode(card.modes, card.nr_modes, 64, 48);
	assert_int_equal(mode->hdisplay, 32);
}

static void heads_by_name(void **state)
{
	struct drm_head heads[DRM_MAX_HEADS];
	char text[64];

	assert_int_equal(drm_heads_pick(0, "HDMI-A-2  - DP-1", 3, NULL, 0,
					heads), 2);
	assert_int_equal(heads[0].connector, CONN + 1);
	assert_int_equal(heads[0].plane, PLANE);
	assert_int_equal(heads[1].connector, 0);
	assert_int_equal(heads[2].connector, CONN + 2);
	assert_int_equal(heads[2].crtc, CRTC + 1);
	assert_int_equal(heads[2].plane, PLANE + 1);
	assert_int_equal(drm_heads_pick(0, "HDMI-A", 2, NULL, 0, heads), 0);
	drm_heads_list(0, text, sizeof(text));
	assert_string_equal(text, "HDMI-A-1 HDMI-A-2 DP-1");
}

/* Those with monitors first, and no more than there are CRTCs. */
static void heads_without_names(void **state)
{
	struct drm_head heads[DRM_MAX_HEADS], taken;

	card.plugged[0] = false;
	assert_int_equal(drm_heads_pick(0, "", 3, NULL, 0, heads), 2);
	assert_int_equal(heads[0].connector, CONN + 1);
	assert_int_equal(heads[1].connector, CONN);
	assert_int_equal(heads[2].connector, 0);
	taken = heads[0];
	assert_int_equal(drm_heads_pick(0, "", 1, &taken, 1, heads), 1);
	assert_int_equal(heads[0].connector, CONN);
	assert_int_equal(heads[0].crtc, CRTC + 1);
}

/* The console has lit two of three connectors, each on its own CRTC. */
static void light_console(unsigned int first, unsigned int second)
{
	card.feeds[first] = CRTC;
	card.feeds[second] = CRTC + 1;
	card.mode[0] = 64;
	card.mode[1] = 64;
}

/* A mode of a connector that is lit is set on the CRTC that it has. */
static void lit_by_the_console(void **state)
{
	struct drm_head heads[DRM_MAX_HEADS];

	light_console(0, 1);
	snprintf(options.text[XD_OPTION_DRM_CONNECTORS], XD_OPTION_SIZE,
		 "HDMI-A-2");
	open_output(60000, 1, plug_lease());
	show(0, 64, 48, 1);
	assert_int_equal(pixel(1, 0, 0), 1);
	assert_int_equal(card.feeds[0], CRTC);
	close_output();

	/* its CRTC is free now, and the better one for another that is dark */
	assert_int_equal(drm_heads_pick(0, "DP-1", 1, NULL, 0, heads), 1);
	assert_int_equal(heads[0].crtc, CRTC + 1);
	light_console(1, 0);
	assert_int_equal(drm_heads_pick(0, "HDMI-A-1 HDMI-A-2", 2, NULL, 0,
					heads), 2);
	assert_int_equal(heads[0].crtc, CRTC + 1);
	assert_int_equal(heads[0].plane, PLANE + 1);
	assert_int_equal(heads[1].crtc, CRTC);
	assert_int_equal(heads[1].plane, PLANE);
	/* better than none */
	assert_int_equal(drm_heads_pick(0, "DP-1", 1, NULL, 0, heads), 1);
}

/* Where planes can have any CRTC, too, none is taken from another one. */
static void planes_of_the_console(void **state)
{
	struct drm_head heads[DRM_MAX_HEADS];

	card.any_plane = true;
	light_console(1, 0);
	card.plane_on[0] = CRTC;
	card.plane_on[1] = CRTC + 1;
	assert_int_equal(drm_heads_pick(0, "HDMI-A-1 HDMI-A-2", 2, NULL, 0,
					heads), 2);
	assert_int_equal(heads[0].crtc, CRTC + 1);
	assert_int_equal(heads[0].plane, PLANE + 1);
	assert_int_equal(heads[1].plane, PLANE);
	card.plane_on[1] = 0;
	card.feeds[0] = 0;
	assert_int_equal(drm_heads_pick(0, "DP-1", 1, NULL, 0, heads), 1);
	assert_int_equal(heads[0].crtc, CRTC + 1);
	assert_int_equal(heads[0].plane, PLANE + 1);
}

/* The first one leaves the only CRTC that the second one can have. */
static void few_crtcs(void **state)
{
	struct drm_head heads[DRM_MAX_HEADS];

	card.possible[1] = 1;
	assert_int_equal(drm_heads_pick(0, "HDMI-A-1 HDMI-A-2 DP-1", 3, NULL,
					0, heads), 2);
	assert_int_equal(heads[0].connector, CONN);
	assert_string_equal(heads[0].name, "HDMI-A-1");
	assert_int_equal(heads[0].crtc, CRTC + 1);
	assert_int_equal(heads[0].plane, PLANE + 1);
	assert_int_equal(heads[1].crtc, CRTC);
	assert_int_equal(heads[1].plane, PLANE);
	assert_int_equal(heads[2].connector, 0);
}

static int lease(const char *guest, const char *names, char *why)
{
	snprintf(options.text[XD_OPTION_DRM_CONNECTORS], XD_OPTION_SIZE, "%s",
		 names);
	snprintf(options.text[XD_OPTION_DRM_CARD], XD_OPTION_SIZE,
		 "/dev/null");
	why[0] = '\0';
	return drm_master_lease(&options, guest, 1, why);
}

static void leases_do_not_overlap(void **state)
{
	char why[XD_WHY_SIZE];
	int one, two;

	one = lease("one", "HDMI-A-1", why);
	assert_in_range(one, 0, 1000);
	assert_int_equal(card.leases[0].objects[0], CONN);
	assert_int_equal(lease("two", "HDMI-A-1", why), -EBUSY);
	assert_string_equal(why, "HDMI-A-1 of /dev/null shows guest one already");
	two = lease("two", "HDMI-A-2", why);
	assert_in_range(two, 0, 1000);
	assert_int_equal(card.leases[1].objects[0], CONN + 1);
	assert_int_equal(card.leases[1].objects[1], CRTC + 1);
	assert_int_equal(lease("three", "VGA-1", why), -ENODEV);
	assert_string_equal(why, "/dev/null has none of \"VGA-1\", but HDMI-A-1 HDMI-A-2 DP-1");
	close(one);
	drm_master_closed();
	one = lease("two", "HDMI-A-1", why);
	assert_in_range(one, 0, 1000);
	close(one);
	close(two);
	drm_master_closed();
}

/* The console has all CRTCs: one of its connectors goes dark, no other. */
static void console_makes_way(void **state)
{
	char why[XD_WHY_SIZE];
	int fd;

	light_console(0, 1);
	fd = lease("one", "DP-1", why);
	assert_in_range(fd, 0, 1000);
	assert_int_equal(card.leases[0].objects[1], CRTC);
	open_output(60000, 1, plug_lease());
	card.plugged[2] = true;
	output->ops->hotplug(output);
	show(0, 64, 48, 1);
	assert_int_equal(card.feeds[2], CRTC);
	assert_int_equal(card.feeds[0], 0);
	assert_int_equal(card.feeds[1], CRTC + 1);
	close_output();
	close(fd);
	drm_master_closed();
	light_console(1, 0);
	fd = lease("one", "HDMI-A-1", why);
	assert_int_equal(card.feeds[0], CRTC + 1);
	assert_int_equal(card.feeds[1], CRTC);
	close(fd);
	drm_master_closed();
}

static void no_master(void **state)
{
	char why[XD_WHY_SIZE];
	int fd;

	card.master = false;
	assert_int_equal(lease("one", "HDMI-A-1", why), -EBUSY);
	assert_string_equal(why, "/dev/null: another program is its DRM master");
	card.master = true;
	card.gone = true;
	assert_int_equal(lease("one", "HDMI-A-1", why), -ENODEV);
	card.gone = false;
	fd = lease("one", "HDMI-A-1", why);
	assert_in_range(fd, 0, 1000);
	close(fd);
	drm_master_closed();
}

static void frames_by_the_clock(void **state)
{
	open_output(60000, 1, plug_lease());
	assert_non_null(strstr(notes, "connector 0: shown on HDMI-A-1\n"));
	show(0, 64, 48, 0x112233);
	assert_int_equal(card.mode[0], 64);
	assert_int_equal(pixel(0, 63, 47), 0x112233);
	present(0, 64, 48, 0x445566, NULL);
	assert_int_equal(pixel(0, 0, 0), 0x445566);
	assert_int_equal(dones[0], 0);
	tick(0);
	assert_int_equal(dones[0], 1);
	close_output();
}

/* The monitor's clock counts, not the configured rate; it begins with the mode. */
static void monitor_is_faster(void **state)
{
	open_output(1, 1, plug_lease());
	for (unsigned int mode = 0; mode < 2; mode++) {
		show(0, 64, 48, 1);
		for (unsigned int n = 1; n <= 3; n++) {
			present(0, 64, 48, n, NULL);
			tick(0);
			assert_int_equal(dones[0], mode * 3 + n);
		}
		output->ops->off(output, 0);
	}
	close_output();
}

/* A card without vblank tells at once; the configured rate counts then. */
static void frames_without_a_clock(void **state)
{
	card.clock = false;
	open_output(1, 1, plug_lease());
	show(0, 64, 48, 1);
	present(0, 64, 48, 2, NULL);
	tick(0);
	assert_int_equal(xd_loop_turn(&loop, 0), 0);
	assert_int_equal(dones[0], 1);
	present(0, 64, 48, 3, NULL);
	tick(0);
	assert_int_equal(xd_loop_turn(&loop, 0), 0);
	assert_int_equal(dones[0], 1);
	close_output();
}

/* Each buffer gets what it has missed, and nothing else is copied. */
static void damage_only(void **state)
{
	const pixman_box32_t left = { 0, 0, 4, 4 }, right = { 8, 0, 12, 4 };

	open_output(60000, 1, plug_lease());
	show(0, 64, 48, 1);
	present(0, 64, 48, 2, NULL);
	tick(0);
	present(0, 64, 48, 3, &left);
	tick(0);
	assert_int_equal(pixel(0, 0, 0), 3);
	present(0, 64, 48, 4, &left);
	tick(0);
	present(0, 64, 48, 5, &right);
	tick(0);
	/* missed the left one of the frame before */
	assert_int_equal(pixel(0, 0, 0), 5);
	assert_int_equal(pixel(0, 8, 0), 5);
	assert_int_equal(pixel(0, 20, 0), 3);
	close_output();
}

/* In the middle, black around; cut off where it is too large. */
static void other_sizes(void **state)
{
	open_output(60000, 1, plug_lease());
	show(0, 60, 40, 7);
	assert_int_equal(card.mode[0], 64);
	assert_int_equal(pixel(0, 1, 4), 0);
	assert_int_equal(pixel(0, 2, 4), 7);
	assert_int_equal(pixel(0, 61, 43), 7);
	assert_int_equal(pixel(0, 62, 43), 0);
	show(0, 32, 24, 8);
	assert_int_equal(card.mode[0], 32);
	assert_int_equal(pixel(0, 0, 0), 8);
	card.nr_modes = 1;
	output->ops->hotplug(output);
	assert_int_equal(card.mode[0], 64);
	output->ops->off(output, 0);
	assert_int_equal(card.mode[0], 0);
	close_output();
}

/* A mode that cannot be set: the one before stays, and its frames end. */
static void mode_is_refused(void **state)
{
	open_output(60000, 1, plug_lease());
	card.refuses = 32;
	try_mode(32, 24, 1, -EINVAL);
	assert_int_equal(card.mode[0], 0);
	show(0, 64, 48, 2);
	present(0, 64, 48, 3, NULL);
	try_mode(32, 24, 3, -EINVAL);
	assert_int_equal(card.mode[0], 64);
	assert_int_equal(pixel(0, 63, 47), 3);
	tick(0);
	assert_int_equal(xd_loop_turn(&loop, 1000), 0);
	assert_int_equal(dones[0], 1);
	present(0, 64, 48, 4, NULL);
	assert_int_equal(pixel(0, 63, 47), 4);
	tick(0);
	assert_int_equal(dones[0], 2);
	close_output();
}

/* The same mode again does not darken the monitor. */
static void same_mode_stays(void **state)
{
	unsigned int before;

	open_output(60000, 1, plug_lease());
	show(0, 64, 48, 1);
	before = card.modesets;
	show(0, 64, 48, 2);
	assert_int_equal(card.modesets, before + 1);
	assert_int_equal(pixel(0, 10, 10), 2);
	close_output();
}

/* Each mode is accepted, the last one comes; those in between need not. */
static void modes_in_a_row(void **state)
{
	const uint64_t begun = xd_now();
	uint64_t most;

	open_output(0, 1, plug_lease());
	for (uint32_t n = 0; n < 50; n++) {
		show(0, n & 1 ? 32 : 64, n & 1 ? 24 : 48, n);
		output->ops->off(output, 0);
	}
	show(0, 32, 24, 77);
	most = 4 + (xd_now() - begun) / 250000000u;
	assert_in_range(card.modesets, 1, 2 * most);
	/* frames go on meanwhile */
	for (unsigned int n = 1; n < 3; n++) {
		present(0, 32, 24, 100 + n, NULL);
		if (card.pending[0])	/* this machine was slower than that */
			tick(0);
		else
			assert_int_equal(xd_loop_turn(&loop, 1000), 0);
		assert_int_equal(dones[0], n);
	}
	while (card.mode[0] != 32)
		assert_int_equal(xd_loop_turn(&loop, 10000), 0);
	assert_int_equal(pixel(0, 31, 23), 102);
	present(0, 32, 24, 200, NULL);
	tick(0);
	assert_int_equal(pixel(0, 31, 23), 200);
	assert_int_equal(dones[0], 3);
	close_output();
}

/* A mode is to come when it ends, or the lease does, or another monitor comes. */
static void mode_to_come(void **state)
{
	open_output(0, 1, plug_lease());
	for (uint32_t n = 0; n < 50; n++)
		show(0, n & 1 ? 32 : 64, n & 1 ? 24 : 48, n);
	output->ops->off(output, 0);
	assert_int_equal(card.mode[0], 0);
	show(0, 64, 48, 7);
	card.bad_link[0] = true;
	output->ops->hotplug(output);
	assert_int_equal(card.mode[0], 64);
	assert_int_equal(pixel(0, 63, 47), 7);
	show(0, 32, 24, 8);
	card.gone = true;
	while (!strstr(notes, "the graphics card is lost")) {
		present(0, 32, 24, 8, NULL);
		assert_int_equal(xd_loop_turn(&loop, 10000), 0);
	}
	card.gone = false;
	memset(card.buffers, 0, sizeof(card.buffers));
	close(card.events);
	output->ops->reopened(output, plug_lease());
	assert_int_equal(pixel(0, 31, 23), 8);
	close_output();
}

static void unplugged_and_plugged(void **state)
{
	struct xd_output_edid edid;

	open_output(0, 1, plug_lease());
	assert_int_equal(changes[0], 1);
	show(0, 64, 48, 1);
	present(0, 64, 48, 2, NULL);
	card.plugged[0] = false;
	output->ops->hotplug(output);
	/* the guest's frame ends, and so do those that follow */
	assert_int_equal(xd_loop_turn(&loop, 1000), 0);
	assert_int_equal(dones[0], 1);
	present(0, 64, 48, 3, NULL);
	assert_int_equal(xd_loop_turn(&loop, 1000), 0);
	assert_int_equal(dones[0], 2);
	assert_int_equal(output->ops->edid(output, 0, &edid), 0);
	assert_int_equal(edid.data[5], 1);
	assert_int_equal(edid.max_width, 64);
	card.plugged[0] = true;
	output->ops->hotplug(output);
	assert_int_equal(pixel(0, 5, 5), 3);
	assert_int_equal(changes[0], 1);
	card.edid[5] = 2;
	output->ops->hotplug(output);
	assert_int_equal(changes[0], 2);
	close_output();
}

/* The cable was pulled and plugged before anybody looked. */
static void link_fails(void **state)
{
	unsigned int before;

	open_output(60000, 1, plug_lease());
	show(0, 64, 48, 1);
	before = card.modesets;
	output->ops->hotplug(output);
	assert_int_equal(card.modesets, before);
	card.bad_link[0] = true;
	output->ops->hotplug(output);
	assert_false(card.bad_link[0]);
	assert_int_equal(card.mode[0], 64);
	close_output();
}

/* The card goes; frames go on; a new lease shows the newest picture. */
static void lease_lost(void **state)
{
	open_output(0, 1, plug_lease());
	show(0, 64, 48, 1);
	card.gone = true;
	present(0, 64, 48, 2, NULL);
	assert_non_null(strstr(notes, "the graphics card is lost"));
	assert_int_equal(xd_loop_turn(&loop, 1000), 0);
	assert_int_equal(dones[0], 1);
	memset(card.buffers, 0, sizeof(card.buffers));
	close(card.events);
	output->ops->hotplug(output);
	assert_int_equal(reopens, 1);
	output->ops->reopened(output, -ENODEV);
	card.gone = false;
	output->ops->hotplug(output);
	assert_int_equal(reopens, 2);
	output->ops->reopened(output, plug_lease());
	assert_int_equal(pixel(0, 5, 5), 2);
	present(0, 64, 48, 3, NULL);
	tick(0);
	assert_int_equal(dones[0], 2);
	close_output();
}

/* A flip that the card is slow with: the newest picture comes after it. */
static void late_flip(void **state)
{
	uint64_t begun = xd_now();

	open_output(60000, 1, plug_lease());
	show(0, 64, 48, 1);
	present(0, 64, 48, 2, NULL);
	while (!dones[0] && xd_now() - begun < 10000000000u)
		assert_int_equal(xd_loop_turn(&loop, 1000), 0);
	assert_int_equal(dones[0], 1);
	present(0, 64, 48, 3, NULL);
	assert_int_equal(pixel(0, 0, 0), 2);
	tick(0);
	assert_int_equal(dones[0], 1);
	assert_int_equal(pixel(0, 0, 0), 3);
	tick(0);
	assert_int_equal(dones[0], 2);
	close_output();
}

/* Events that are none of ours, cut off, or late. */
static void odd_events(void **state)
{
	struct drm_event_vblank event = {
		.base = { DRM_EVENT_FLIP_COMPLETE, sizeof(event) },
		.crtc_id = CRTC + 1,
	};

	open_output(60000, 1, plug_lease());
	show(0, 64, 48, 1);
	present(0, 64, 48, 2, NULL);
	event.user_data = card.pending_serial[0];
	assert_int_equal(write(card.events, &event, sizeof(event)),
			 sizeof(event));
	assert_int_equal(xd_loop_turn(&loop, 1000), 0);
	event.crtc_id = CRTC;
	event.user_data++;
	assert_int_equal(write(card.events, &event, sizeof(event)),
			 sizeof(event));
	assert_int_equal(xd_loop_turn(&loop, 1000), 0);
	event.user_data--;
	event.base.length = 0;
	assert_int_equal(write(card.events, &event, sizeof(event)),
			 sizeof(event));
	assert_int_equal(xd_loop_turn(&loop, 1000), 0);
	assert_int_equal(dones[0], 0);
	tick(0);
	assert_int_equal(dones[0], 1);
	close_output();
}

/* A guest's second connector is not there: it goes at the rate. */
static void missing_connector(void **state)
{
	snprintf(options.text[XD_OPTION_DRM_CONNECTORS], XD_OPTION_SIZE,
		 "HDMI-A-2 VGA-1");
	open_output(0, 2, plug_lease());
	assert_non_null(strstr(notes, "connector 0: shown on HDMI-A-2\n"));
	assert_non_null(strstr(notes, "connector 1: shown nowhere"));
	show(1, 64, 48, 1);
	present(1, 64, 48, 2, NULL);
	assert_int_equal(xd_loop_turn(&loop, 1000), 0);
	assert_int_equal(dones[1], 1);
	close_output();
}

/* A lease that is no good is not asked for again before its time, come what may. */
static void lease_is_no_good(void **state)
{
	open_output(0, 1, -1);
	output->ops->hotplug(output);
	assert_int_equal(reopens, 1);
	card.gone = true;
	output->ops->reopened(output, plug_lease());
	assert_non_null(strstr(notes, "cannot use the graphics card"));
	output->ops->hotplug(output);
	assert_int_equal(reopens, 1);
	while (reopens == 1)
		assert_int_equal(xd_loop_turn(&loop, 10000), 0);
	card.gone = false;
	close(card.events);
	output->ops->reopened(output, plug_lease());
	show(0, 64, 48, 1);
	assert_int_equal(pixel(0, 5, 5), 1);
	close_output();
}

#define UEVENT(lines)	"change@/devices/card0\0" lines "\0SEQNUM=1"
#define IS_NEWS(lines)	drm_master_is_news(UEVENT(lines), sizeof(UEVENT(lines)))

/* Monitors and cards that come or go; leases that end are none of them. */
static void uevents(void **state)
{
	assert_true(IS_NEWS("ACTION=change\0SUBSYSTEM=drm\0HOTPLUG=1"));
	assert_true(IS_NEWS("ACTION=change\0HOTPLUG=1\0CONNECTOR=7\0SUBSYSTEM=drm"));
	assert_true(IS_NEWS("ACTION=add\0SUBSYSTEM=drm\0DEVTYPE=drm_minor"));
	assert_true(IS_NEWS("ACTION=remove\0SUBSYSTEM=drm"));
	assert_false(IS_NEWS("ACTION=change\0SUBSYSTEM=drm\0LEASE=1"));
	assert_false(IS_NEWS("ACTION=change\0SUBSYSTEM=drm"));
	assert_false(IS_NEWS("ACTION=add\0SUBSYSTEM=block"));
	assert_false(IS_NEWS("ACTION=change\0SUBSYSTEM=block\0HOTPLUG=1"));
	assert_false(drm_master_is_news("", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CARD_TEST(mode_is_chosen, "mode-is-chosen"),
		CARD_TEST(heads_by_name, "heads-by-name"),
		CARD_TEST(heads_without_names, "heads-without-names"),
		CARD_TEST(lit_by_the_console, "lit-by-the-console"),
		CARD_TEST(planes_of_the_console, "planes-of-the-console"),
		CARD_TEST(few_crtcs, "few-crtcs"),
		CARD_TEST(leases_do_not_overlap, "leases-do-not-overlap"),
		CARD_TEST(console_makes_way, "console-makes-way"),
		CARD_TEST(no_master, "no-master"),
		CARD_TEST(frames_by_the_clock, "frames-by-the-clock"),
		CARD_TEST(monitor_is_faster, "monitor-is-faster"),
		CARD_TEST(frames_without_a_clock, "frames-without-a-clock"),
		CARD_TEST(damage_only, "damage-only"),
		CARD_TEST(other_sizes, "other-sizes"),
		CARD_TEST(mode_is_refused, "mode-is-refused"),
		CARD_TEST(same_mode_stays, "same-mode-stays"),
		CARD_TEST(modes_in_a_row, "modes-in-a-row"),
		CARD_TEST(mode_to_come, "mode-to-come"),
		CARD_TEST(unplugged_and_plugged, "unplugged-and-plugged"),
		CARD_TEST(link_fails, "link-fails"),
		CARD_TEST(lease_lost, "lease-lost"),
		CARD_TEST(lease_is_no_good, "lease-is-no-good"),
		CARD_TEST(uevents, "uevents"),
		CARD_TEST(late_flip, "late-flip"),
		CARD_TEST(odd_events, "odd-events"),
		CARD_TEST(missing_connector, "missing-connector"),
	};

	return cmocka_run_group_tests_name("drm", tests, NULL, NULL);
}
