// SPDX-License-Identifier: GPL-2.0-or-later
#include "drm-side.h"

#include <sys/socket.h>
#include <unistd.h>

#include "proto/format.h"

struct xd_loop loop;
struct xd_output *output;
unsigned int dones[2], changes[2], reopens;
char notes[4096];
const char *copied;

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

static void zero_copy(void *ctx, unsigned int monitor, const char *why_not)
{
	copied = why_not ? why_not : "";
}

struct xd_output_options options;

void set_mode(unsigned int i, uint16_t width, uint16_t height,
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

int plug_lease(void)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0,
				    ends), 0);
	card.fd = ends[0];
	card.events = ends[1];
	return ends[0];
}

int set_up(void **state)
{
	memset(&card, 0, sizeof(card));
	memset(&options, 0, sizeof(options));
	memset(dones, 0, sizeof(dones));
	memset(changes, 0, sizeof(changes));
	reopens = 0;
	notes[0] = '\0';
	copied = NULL;
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

void open_output(uint32_t millihertz, unsigned int nr, int fd)
{
	static const struct xd_output_events events = {
		.done = done, .reopen = reopen, .changed = changed,
		.note = note, .zero_copy = zero_copy,
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

void close_output(void)
{
	output->ops->destroy(output);
	xd_loop_finish(&loop);
	for (unsigned int i = 0; i < NR_BUFFERS; i++)
		assert_int_equal(card.buffers[i].width, 0);
	assert_int_equal(card.open_handles, 0);
	if (card.events > 0)
		close(card.events);
}

void tick(unsigned int crtc)
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

uint32_t pixel(unsigned int crtc, uint32_t x, uint32_t y)
{
	const uint32_t fb = card.shown[crtc];
	const char *data;

	if (fb >= IMPORT_FB) {
		uint32_t value;
		off_t at = card.import[fb - IMPORT_FB].offset + x * 4 +
			(off_t)y * card.import[fb - IMPORT_FB].stride;

		assert_int_equal(pread(card.import[fb - IMPORT_FB].fd, &value,
				       sizeof(value), at), sizeof(value));
		return value & 0xffffff;
	}
	assert_in_range(fb, FB, FB + NR_BUFFERS - 1);
	data = card.buffers[fb - FB].data;
	return *(const uint32_t *)(data + y *
				   (card.buffers[fb - FB].width * 4 + 64) +
				   x * 4) & 0xffffff;
}

void try_mode(uint32_t width, uint32_t height, uint32_t colour, int expected)
{
	struct xd_image image = image_of(width, height, colour);

	assert_int_equal(output->ops->show(output, 0, width, height, &image),
			 expected);
}

void show(unsigned int monitor, uint32_t width, uint32_t height,
		 uint32_t colour)
{
	struct xd_image image = image_of(width, height, colour);

	assert_int_equal(output->ops->show(output, monitor, width, height,
					   &image), 0);
}

void present(unsigned int monitor, uint32_t width, uint32_t height,
		    uint32_t colour, const pixman_box32_t *damage)
{
	struct xd_image image = image_of(width, height, colour);

	output->ops->present(output, monitor, &image, damage, damage ? 1 : 0);
}
