// SPDX-License-Identifier: GPL-2.0-or-later
/* outputs/drm*.c on a card in memory. */
#include "drm-card.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "outputs/drm-output.h"
#include "proto/format.h"

/* The output's side */

static struct xd_loop loop;
static struct xd_output *output;
static unsigned int dones[2], changes[2], reopens;
static char notes[4096];

static void done(void *ctx, unsigned int monitor)
{
	dones[monitor]++;
}

static void reopen(void *ctx)
{
	reopens++;
}

static void changed(void *ctx, unsigned int monitor)
{
	changes[monitor]++;
}

static void note(void *ctx, const char *line)
{
	strncat(notes, line, sizeof(notes) - strlen(notes) - 1);
	strncat(notes, "\n", sizeof(notes) - strlen(notes) - 1);
}

static struct xd_output_options options;

static void set_mode(unsigned int i, uint16_t width, uint16_t height,
		     uint32_t rate, bool preferred)
{
	card.modes[i] = (drmModeModeInfo){
		.hdisplay = width,
		.vdisplay = height,
		.vrefresh = rate,
		.type = preferred ? DRM_MODE_TYPE_PREFERRED : 0,
	};
	card.nr_modes = (int)i + 1;
}

static int plug_lease(void)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0,
				    ends), 0);
	card.fd = ends[0];
	card.events = ends[1];
	return ends[0];
}

static int set_up(void **state)
{
	memset(&card, 0, sizeof(card));
	memset(&options, 0, sizeof(options));
	memset(dones, 0, sizeof(dones));
	memset(changes, 0, sizeof(changes));
	reopens = 0;
	notes[0] = '\0';
	card.master = true;
	card.clock = true;
	card.plugged[0] = true;
	card.plugged[1] = true;
	card.edid[5] = 1;
	set_mode(0, 64, 48, 60, true);
	set_mode(1, 32, 24, 75, false);
	set_mode(2, 32, 24, 60, false);
	return 0;
}

static void open_output(uint32_t millihertz, unsigned int nr, int fd)
{
	static const struct xd_output_events events = {
		.done = done, .reopen = reopen, .changed = changed,
		.note = note,
	};
	static const char *const names[] = { "id0", "id1" };
	const struct xd_output_params params = {
		.loop = &loop,
		.events = &events,
		.guest = "guest",
		.nr_monitors = nr,
		.names = names,
		.millihertz = millihertz,
		.options = &options,
		.fd = fd,
	};

	assert_int_equal(xd_loop_init(&loop), 0);
	assert_int_equal(xd_output_drm.create(&params, &output), 0);
}

static void close_output(void)
{
	output->ops->destroy(output);
	xd_loop_finish(&loop);
	for (unsigned int i = 0; i < NR_BUFFERS; i++)
		assert_int_equal(card.buffers[i].width, 0);
	if (card.events > 0)
		close(card.events);
}

/* The card's frame begins: its event. */
static void tick(unsigned int crtc)
{
	struct drm_event_vblank event = {
		.base = { DRM_EVENT_FLIP_COMPLETE, sizeof(event) },
		.crtc_id = CRTC + crtc,
		.user_data = card.pending_serial[crtc],
	};

	assert_true(card.pending[crtc]);
	card.pending[crtc] = false;
	assert_int_equal(write(card.events, &event, sizeof(event)),
			 sizeof(event));
	assert_int_equal(xd_loop_turn(&loop, 1000), 0);
}

static uint32_t picture[64 * 48];

static struct xd_image image_of(uint32_t width, uint32_t height,
				uint32_t colour)
{
	for (size_t i = 0; i < ARRAY_SIZE(picture); i++)
		picture[i] = colour;
	return (struct xd_image){
		.data = picture,
		.width = width,
		.height = height,
		.stride = width * 4,
		.format = xd_format_find(XD_FMT_XRGB8888),
	};
}

static uint32_t pixel(unsigned int crtc, uint32_t x, uint32_t y)
{
	const uint32_t fb = card.shown[crtc];
	const char *data;

	assert_in_range(fb, FB, FB + NR_BUFFERS - 1);
	data = card.buffers[fb - FB].data;
	return *(const uint32_t *)(data + y *
				   (card.buffers[fb - FB].width * 4 + 64) +
				   x * 4) & 0xffffff;
}

static void show(unsigned int monitor, uint32_t width, uint32_t height,
		 uint32_t colour)
{
	struct xd_image image = image_of(width, height, colour);

	assert_int_equal(output->ops->show(output, monitor, width, height,
					   &image), 0);
}

static void present(unsigned int monitor, uint32_t width, uint32_t height,
		    uint32_t colour, const pixman_box32_t *damage)
{
	struct xd_image image = image_of(width, height, colour);

	output->ops->present(output, monitor, &image, damage, damage ? 1 : 0);
}

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

int main(void)
{
#define CARD_TEST(fn, label)	{ label, fn, set_up, NULL, NULL }
	const struct CMUnitTest tests[] = {
		CARD_TEST(mode_is_chosen, "mode-is-chosen"),
		CARD_TEST(heads_by_name, "heads-by-name"),
		CARD_TEST(heads_without_names, "heads-without-names"),
		CARD_TEST(leases_do_not_overlap, "leases-do-not-overlap"),
		CARD_TEST(no_master, "no-master"),
		CARD_TEST(frames_by_the_clock, "frames-by-the-clock"),
		CARD_TEST(frames_without_a_clock, "frames-without-a-clock"),
		CARD_TEST(damage_only, "damage-only"),
		CARD_TEST(other_sizes, "other-sizes"),
		CARD_TEST(same_mode_stays, "same-mode-stays"),
		CARD_TEST(unplugged_and_plugged, "unplugged-and-plugged"),
		CARD_TEST(lease_lost, "lease-lost"),
		CARD_TEST(odd_events, "odd-events"),
		CARD_TEST(missing_connector, "missing-connector"),
	};

	return cmocka_run_group_tests_name("drm", tests, NULL, NULL);
}
