// SPDX-License-Identifier: GPL-2.0-or-later
/* The output drm, where the card reads the guest's framebuffers by itself. */
#include "drm-side.h"

#include <sys/mman.h>
#include <unistd.h>

#include "proto/format.h"

/*
 * Framebuffers of the guest, one after the other in a dma-buf. What is in that is 0x100 and the number, what is mapped is another colour, so that it
 * can be told which one is shown.
 */
#define FRAME_OFFSET	64u
#define FRAME_SIZE	(64u * 48 * 4)

static uint32_t frames[2][64 * 48];
static int dmabuf_fd;

static struct xd_image frame(unsigned int i)
{
	return (struct xd_image){
		.data = frames[i],
		.width = 64,
		.height = 48,
		.stride = 64 * 4,
		.format = xd_format_find(i ? XD_FMT_ARGB8888 :
					 XD_FMT_XRGB8888),
	};
}

static void import_frames(void)
{
	dmabuf_fd = memfd_create("dmabuf", MFD_CLOEXEC);
	for (unsigned int i = 0; i < 2; i++) {
		const struct xd_image image = frame(i);
		const struct xd_dmabuf dmabuf = {
			.fd = dmabuf_fd,
			.offset = FRAME_OFFSET + i * FRAME_SIZE,
			.size = FRAME_OFFSET + 2 * FRAME_SIZE,
		};

		for (unsigned int n = 0; n < 64 * 48; n++) {
			const uint32_t value = 0x100 + i;

			frames[i][n] = 0x200 + i;
			assert_int_equal(pwrite(dmabuf_fd, &value, 4,
						(off_t)dmabuf.offset + n * 4),
					 4);
		}
		output->ops->import(output, 0, &image, &dmabuf);
	}
}

static void show_frame(unsigned int i)
{
	const struct xd_image image = frame(i);

	assert_int_equal(output->ops->show(output, 0, 64, 48, &image), 0);
}

static void present_frame(unsigned int i)
{
	const struct xd_image image = frame(i);

	output->ops->present(output, 0, &image, NULL, 0);
}

static void without_a_copy(void **state)
{
	struct xd_canvas canvas;

	card.modifiers = *(const bool *)*state;
	open_output(60000, 1, plug_lease());
	import_frames();
	show_frame(0);
	assert_string_equal(copied, "");
	assert_int_equal(pixel(0, 63, 47), 0x100);
	assert_int_equal(card.open_handles, 0);
	present_frame(1);
	assert_int_equal(pixel(0, 0, 0), 0x101);
	/* the last one is read until the flip's event */
	assert_int_equal(dones[0], 0);
	tick(0);
	assert_int_equal(dones[0], 1);
	assert_int_equal(card.import[1].format, XD_FMT_XRGB8888);
	assert_int_equal(output->copied, 0);
	assert_int_equal(output->ops->screenshot(output, 0, &canvas), 0);
	assert_int_equal(canvas.data[7], 0x201);
	xd_canvas_finish(&canvas);

	/* on and off, and one that was not offered */
	output->ops->off(output, 0);
	show_frame(0);
	assert_int_equal(pixel(0, 1, 1), 0x100);
	present(0, 64, 48, 3, NULL);
	tick(0);
	assert_int_equal(pixel(0, 1, 1), 3);
	output->ops->release(output, frames[0]);
	output->ops->release(output, frames[1]);
	assert_int_equal(pixel(0, 1, 1), 3);
	for (unsigned int i = 0; i < NR_IMPORTS; i++)
		assert_int_equal(card.import[i].width, 0);
	close_output();
	close(dmabuf_fd);
}

/* What is shown goes: a copy takes its place first. */
static void shown_one_goes(void **state)
{
	open_output(60000, 1, plug_lease());
	import_frames();
	show_frame(0);
	present_frame(1);
	output->ops->release(output, frames[1]);
	assert_int_equal(pixel(0, 1, 1), 0x201);
	output->ops->release(output, frames[0]);
	tick(0);
	assert_int_equal(dones[0], 1);
	present(0, 64, 48, 3, NULL);
	assert_int_equal(pixel(0, 1, 1), 3);
	tick(0);
	close_output();
	close(dmabuf_fd);
}

static void card_refuses(void **state)
{
	static const char *const why[] = {
		[NO_PRIME] = "the graphics card refused the buffer",
		[NO_FB] = "the graphics card refused the buffer's format or layout",
		[NO_FLIP] = "the graphics card does not show the buffer",
	};

	for (int i = NO_PRIME; i <= NO_FLIP; i++) {
		open_output(60000, 1, plug_lease());
		card.imports = i;
		import_frames();
		show_frame(0);
		assert_int_equal(pixel(0, 1, 1), 0x200);
		assert_string_equal(copied, why[i]);
		present_frame(1);
		assert_int_equal(pixel(0, 1, 1), 0x201);
		assert_string_equal(copied, why[i]);
		tick(0);
		assert_int_equal(dones[0], (unsigned int)i);
		close_output();
		close(dmabuf_fd);
	}
}

/* The monitor has no such mode; then another one, which has. */
static void not_the_mode(void **state)
{
	struct xd_image image = frame(0);

	open_output(60000, 1, plug_lease());
	import_frames();
	image.width = 60;
	output->ops->import(output, 0, &image,
			    &(struct xd_dmabuf){ .fd = dmabuf_fd });
	assert_int_equal(output->ops->show(output, 0, 60, 48, &image), 0);
	assert_string_equal(copied,
			    "the picture is not as large as the monitor's mode");
	assert_int_equal(pixel(0, 3, 1), 0x200);
	set_mode(0, 60, 48, 60, true);
	output->ops->hotplug(output);
	assert_string_equal(copied, "");
	close_output();
	close(dmabuf_fd);
}

/* Framebuffers of the old lease are nothing on the new one. */
static void another_lease(void **state)
{
	open_output(0, 1, plug_lease());
	import_frames();
	show_frame(0);
	card.gone = true;
	present_frame(1);
	assert_int_equal(xd_loop_turn(&loop, 1000), 0);
	assert_int_equal(dones[0], 1);
	memset(card.buffers, 0, sizeof(card.buffers));
	memset(card.import, 0, sizeof(card.import));
	memset(card.shown, 0, sizeof(card.shown));
	close(card.events);
	card.gone = false;
	output->ops->reopened(output, plug_lease());
	assert_string_equal(copied, "");
	assert_int_equal(pixel(0, 1, 1), 0x101);
	close_output();
	close(dmabuf_fd);
}

int main(void)
{
	static bool plain, modifiers = true;
	const struct CMUnitTest tests[] = {
		{ "without-a-copy", without_a_copy, set_up, NULL, &plain },
		{ "without-a-copy-linear", without_a_copy, set_up, NULL,
		  &modifiers },
		CARD_TEST(shown_one_goes, "shown-one-goes"),
		CARD_TEST(card_refuses, "card-refuses"),
		CARD_TEST(not_the_mode, "not-the-mode"),
		CARD_TEST(another_lease, "another-lease"),
	};

	return cmocka_run_group_tests_name("drm-import", tests, NULL, NULL);
}
