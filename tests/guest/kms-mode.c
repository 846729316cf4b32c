// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mode setting: what a connector offers works, what it does not is EINVAL and
 * changes nothing, neither the state that can be read back nor the screen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kt.h"

/* One output lit with the card; what it is tried to be changed to. */
struct stage {
	struct kt_dev dev;
	struct kt_output *output;
	struct kt_buf buf;
	struct kt_state before;
};

static void stage_open(struct stage *s)
{
	kt_open(&s->dev);
	s->output = kt_output(&s->dev);
	kt_buf_create(&s->buf, &s->dev, s->output->mode.hdisplay,
		      s->output->mode.vdisplay, kt_format_by_name("XR24"));
	kt_buf_draw(&s->buf, 1, 0);
	kt_show(&s->dev, s->output, &s->buf);
	kt_state_read(&s->dev, &s->before);
}

/* Nothing changed, and the device still does what it did. */
static void stage_close(struct stage *s, const char *step)
{
	kt_state_same(&s->dev, &s->before);
	kt_assert_eq(kt_crtc_fb(&s->dev, s->output), s->buf.fb);
	kt_assert_ok(kt_flip(&s->dev, s->output, &s->buf, 1));
	kt_expect_flip(&s->dev, s->output, 1, NULL);
	kt_hook(step);
	kt_buf_destroy(&s->buf);
	kt_close(&s->dev);
}

/* The mode and the buffer: tried as a test, for real, and the legacy way. */
static void refuse_mode(struct stage *s, const drmModeModeInfo *mode,
			const struct kt_buf *buf)
{
	drmModeModeInfo copy = *mode;
	struct kt_commit commit;
	int err;

	for (int real = 0; real < 2 && s->dev.atomic; real++) {
		uint32_t blob = 0;

		/* some modes are refused here already */
		err = drmModeCreatePropertyBlob(s->dev.fd, mode, sizeof(*mode),
						&blob);
		kt_assert_ok(err);
		kt_commit_init(&commit, &s->dev);
		kt_commit_add(&commit, s->output->crtc, "MODE_ID", blob);
		kt_commit_plane(&commit, s->output, buf);
		kt_assert_err(kt_commit_run(&commit, DRM_MODE_ATOMIC_ALLOW_MODESET |
					    (real ? 0 : DRM_MODE_ATOMIC_TEST_ONLY),
					    NULL), -EINVAL);
		drmModeDestroyPropertyBlob(s->dev.fd, blob);
	}
	kt_assert_err(drmModeSetCrtc(s->dev.fd, s->output->crtc, buf->fb, 0, 0,
				     &s->output->connector, 1, &copy), -EINVAL);
}

/* One wider and one higher than anything the connector can do. */
static void test_bad_mode(void)
{
	struct stage s;
	uint32_t width = 0, height = 0;

	stage_open(&s);
	for (unsigned int i = 0; i < s.output->mode_count; i++) {
		if (s.output->modes[i].hdisplay > width)
			width = s.output->modes[i].hdisplay;
		if (s.output->modes[i].vdisplay > height)
			height = s.output->modes[i].vdisplay;
	}
	for (unsigned int i = 0; i < 2; i++) {
		drmModeModeInfo mode = s.output->mode;
		struct kt_buf big;

		mode.hdisplay = (uint16_t)(width + (i ? 0 : 64));
		mode.vdisplay = (uint16_t)(height + (i ? 64 : 0));
		mode.hsync_start = mode.hdisplay + 16;
		mode.hsync_end = mode.hdisplay + 48;
		mode.htotal = mode.hdisplay + 80;
		mode.vsync_start = mode.vdisplay + 3;
		mode.vsync_end = mode.vdisplay + 9;
		mode.vtotal = mode.vdisplay + 20;
		mode.clock = (uint32_t)mode.htotal * mode.vtotal * 60 / 1000;
		strcpy(mode.name, "too-large");
		kt_buf_create(&big, &s.dev, mode.hdisplay, mode.vdisplay,
			      s.buf.format);
		refuse_mode(&s, &mode, &big);
		kt_buf_destroy(&big);
	}
	stage_close(&s, "bad-mode");
}

/* Timings that contradict themselves. */
static void test_bad_timing(void)
{
	drmModeModeInfo mode;
	struct stage s;

	stage_open(&s);
	mode = s.output->mode;
	mode.hsync_start = mode.hdisplay - 1;
	kt_assert_err(drmModeSetCrtc(s.dev.fd, s.output->crtc, s.buf.fb, 0, 0,
				     &s.output->connector, 1, &mode), -EINVAL);
	mode = s.output->mode;
	mode.vtotal = 0;
	kt_assert_err(drmModeSetCrtc(s.dev.fd, s.output->crtc, s.buf.fb, 0, 0,
				     &s.output->connector, 1, &mode), -EINVAL);
	mode = s.output->mode;
	mode.clock = 0;
	kt_assert_err(drmModeSetCrtc(s.dev.fd, s.output->crtc, s.buf.fb, 0, 0,
				     &s.output->connector, 1, &mode), -EINVAL);
	stage_close(&s, "bad-timing");
}

/* A framebuffer that is smaller than the mode. */
static void test_bad_size(void)
{
	struct kt_commit commit;
	struct kt_buf small;
	struct stage s;
	int err;

	stage_open(&s);
	kt_buf_create(&small, &s.dev, s.buf.width - 16, s.buf.height - 16,
		      s.buf.format);
	err = drmModeSetCrtc(s.dev.fd, s.output->crtc, small.fb, 0, 0,
			     &s.output->connector, 1, &s.output->mode);
	if (err != -ENOSPC && err != -EINVAL)
		kt_fail("a small framebuffer: %s", kt_errno_name(err));
	if (s.dev.atomic) {
		kt_commit_init(&commit, &s.dev);
		kt_commit_plane(&commit, s.output, &small);
		kt_assert_err(kt_commit_run(&commit, 0, NULL), -EINVAL);
	}
	kt_buf_destroy(&small);
	stage_close(&s, "bad-size");
}

static int try_plane(struct stage *s, const char *name, uint64_t value)
{
	struct kt_commit commit;

	kt_commit_init(&commit, &s->dev);
	kt_commit_plane(&commit, s->output, &s->buf);
	kt_commit_add(&commit, s->output->plane, name, value);

	return kt_commit_run(&commit, 0, NULL);
}

/* The wire shows a framebuffer from its first pixel, whole, at its size. */
static void test_bad_source(void)
{
	static const uint64_t offsets[] = { 1, 1 << 15, 1 << 16, 32 << 16 };
	struct kt_commit commit;
	struct kt_buf wide;
	struct stage s;

	stage_open(&s);
	if (!s.dev.atomic)
		kt_skip("the driver is not atomic");
	kt_buf_create(&wide, &s.dev, s.buf.width + 64, s.buf.height + 64,
		      s.buf.format);
	for (unsigned int i = 0; i < 2 * KT_ARRAY_SIZE(offsets); i++) {
		kt_commit_init(&commit, &s.dev);
		kt_commit_plane(&commit, s.output, &wide);
		kt_commit_add(&commit, s.output->plane, "SRC_W",
			      (uint64_t)s.buf.width << 16);
		kt_commit_add(&commit, s.output->plane, "SRC_H",
			      (uint64_t)s.buf.height << 16);
		kt_commit_add(&commit, s.output->plane, "CRTC_W", s.buf.width);
		kt_commit_add(&commit, s.output->plane, "CRTC_H", s.buf.height);
		kt_commit_add(&commit, s.output->plane, i & 1 ? "SRC_X" : "SRC_Y",
			      offsets[i / 2]);
		kt_assert_err(kt_commit_run(&commit, 0, NULL), -EINVAL);
	}
	/* the legacy way to pan */
	kt_assert_err(drmModeSetCrtc(s.dev.fd, s.output->crtc, wide.fb, 16, 16,
				     &s.output->connector, 1, &s.output->mode),
		      -EINVAL);
	kt_buf_destroy(&wide);
	stage_close(&s, "bad-source");
}

/* The kernel's helpers say ERANGE for a scale that is out of range. */
static void expect_range(int err, const char *what)
{
	if (err != -EINVAL && err != -ERANGE)
		kt_fail("%s: got %s, expected EINVAL or ERANGE", what,
			kt_errno_name(err));
}

static void test_bad_scale(void)
{
	struct stage s;

	stage_open(&s);
	if (!s.dev.atomic)
		kt_skip("the driver is not atomic");
	expect_range(try_plane(&s, "SRC_W", (uint64_t)(s.buf.width / 2) << 16),
		     "half the width");
	expect_range(try_plane(&s, "SRC_H", (uint64_t)(s.buf.height / 2) << 16),
		     "half the height");
	expect_range(try_plane(&s, "CRTC_W", s.buf.width / 2), "squeezed");
	expect_range(try_plane(&s, "CRTC_H", s.buf.height / 2), "flattened");
	stage_close(&s, "bad-scale");
}

static void test_bad_position(void)
{
	struct stage s;

	stage_open(&s);
	if (!s.dev.atomic)
		kt_skip("the driver is not atomic");
	kt_assert_err(try_plane(&s, "CRTC_X", 8), -EINVAL);
	kt_assert_err(try_plane(&s, "CRTC_Y", 8), -EINVAL);
	kt_assert_err(try_plane(&s, "CRTC_X", (uint64_t)-8ll), -EINVAL);
	stage_close(&s, "bad-position");
}

/*
 * A framebuffer with a pitch or an offset of its own.  Refused when it is made
 * or when it is shown; with --stride the wire carries it, and it shows.
 */
static void odd_fb(struct stage *s, uint32_t pitch, uint32_t offset)
{
	struct kt_buf roomy, view;
	int err;

	kt_buf_create(&roomy, &s->dev, s->buf.width + 64, s->buf.height + 8,
		      s->buf.format);
	view = roomy;
	view.width = s->buf.width;
	view.height = s->buf.height;
	view.pitch = pitch ? pitch : view.width * 4;
	err = kt_add_fb(s->dev.fd, roomy.handle, view.width, view.height,
			view.format->fourcc, view.pitch, offset, &view.fb);
	if (!err) {
		view.map += offset;
		kt_buf_draw(&view, 1, 0);
		err = kt_try_show(&s->dev, s->output, &view);
		if (!err && s->dev.atomic)
			kt_assert_eq(kt_crtc_fb(&s->dev, s->output), view.fb);
	}
	kt_note("pitch %u, offset %u: %s", view.pitch, offset,
		kt_errno_name(err));
	if (!kt_opt.stride) {
		kt_assert_err(err, -EINVAL);
	} else {
		kt_assert_ok(err);
		kt_hook(offset ? "offset" : "pitch");
	}
	kt_show(&s->dev, s->output, &s->buf);
	if (view.fb)
		drmModeRmFB(s->dev.fd, view.fb);
	kt_buf_destroy(&roomy);
}

static void test_bad_pitch(void)
{
	struct stage s;

	stage_open(&s);
	odd_fb(&s, (s.buf.width + 64) * 4, 0);
	odd_fb(&s, (s.buf.width + 1) * 4, 0);
	/* its own lines are packed, those of its wider buffer are not */
	odd_fb(&s, s.buf.width * 4, 0);
	free(s.before.props); /* the modesets above replaced the mode's blob */
	kt_state_read(&s.dev, &s.before);
	stage_close(&s, "bad-pitch");
}

static void test_bad_offset(void)
{
	struct stage s;

	stage_open(&s);
	odd_fb(&s, 0, 4096);
	odd_fb(&s, 0, s.buf.width * 4);
	free(s.before.props);
	kt_state_read(&s.dev, &s.before);
	stage_close(&s, "bad-offset");
}

/* The last page has room for all of it, but the bytes asked for end before. */
static void test_bad_end(void)
{
	struct stage s;
	struct kt_buf small, view;
	int err;

	stage_open(&s);
	kt_assert_ok(kt_buf_alloc(&small, s.dev.fd, s.buf.width * 2 - 1,
				  s.buf.height, kt_format_by_name("RG16")));
	view = small;
	view.width = s.buf.width;
	err = kt_add_fb(s.dev.fd, small.handle, view.width, view.height,
			s.buf.format->fourcc, s.buf.pitch, 0, &view.fb);
	if (!err)
		err = kt_try_show(&s.dev, s.output, &view);
	kt_assert_err(err, -EINVAL);
	if (view.fb)
		drmModeRmFB(s.dev.fd, view.fb);
	kt_buf_destroy(&small);
	stage_close(&s, "bad-end");
}

/* Framebuffers that do not fit their buffer, or are not to be had at all. */
static void test_bad_framebuffer(void)
{
	uint32_t fb, w, h, pitch, handle;
	struct stage s;
	int err;

	stage_open(&s);
	w = s.buf.width;
	h = s.buf.height;
	pitch = s.buf.pitch;
	handle = s.buf.handle;
	err = kt_add_fb(s.dev.fd, handle, w, h + 64, DRM_FORMAT_XRGB8888,
			pitch, 0, &fb);
	kt_assert_err(err, -EINVAL);
	err = kt_add_fb(s.dev.fd, handle, w, h, DRM_FORMAT_XRGB8888,
			pitch - 4, 0, &fb);
	kt_assert_err(err, -EINVAL);
	err = kt_add_fb(s.dev.fd, handle, w, h, DRM_FORMAT_XRGB8888, pitch,
			(uint32_t)s.buf.size, &fb);
	kt_assert_err(err, -EINVAL);
	err = kt_add_fb(s.dev.fd, handle, w, h, DRM_FORMAT_XRGB8888, pitch,
			UINT32_MAX - 3, &fb);
	expect_range(err, "an offset near 4 GiB");
	err = kt_add_fb(s.dev.fd, handle, w, h, DRM_FORMAT_XRGB8888,
			UINT32_MAX, 0, &fb);
	expect_range(err, "a pitch of 4 GiB");
	err = kt_add_fb(s.dev.fd, handle, w, h, DRM_FORMAT_NV12, pitch, 0, &fb);
	kt_assert_err(err, -EINVAL);
	err = kt_add_fb(s.dev.fd, handle, 0, h, DRM_FORMAT_XRGB8888, pitch, 0,
			&fb);
	kt_assert_err(err, -EINVAL);
	err = kt_add_fb(s.dev.fd, handle + 1000, w, h, DRM_FORMAT_XRGB8888,
			pitch, 0, &fb);
	kt_assert_err(err, -ENOENT);
	stage_close(&s, "bad-framebuffer");
}

static void test_every_mode(void)
{
	struct kt_output *output;
	struct kt_dev dev;

	kt_open(&dev);
	output = kt_output(&dev);
	for (unsigned int i = 0; i < output->mode_count; i++) {
		drmModeModeInfo mode = output->modes[i];
		struct kt_buf buf;
		drmModeCrtc *crtc;

		kt_buf_create(&buf, &dev, mode.hdisplay, mode.vdisplay,
			      kt_format_by_name("XR24"));
		kt_assert_ok(drmModeSetCrtc(dev.fd, output->crtc, buf.fb, 0, 0,
					    &output->connector, 1, &mode));
		crtc = drmModeGetCrtc(dev.fd, output->crtc);
		kt_assert(crtc);
		kt_assert_eq(crtc->mode.hdisplay, mode.hdisplay);
		kt_assert_eq(crtc->mode.vdisplay, mode.vdisplay);
		kt_assert_eq(crtc->mode.clock, mode.clock);
		drmModeFreeCrtc(crtc);
		kt_assert_ok(kt_flip(&dev, output, &buf, i));
		kt_expect_flip(&dev, output, i, NULL);
		kt_buf_destroy(&buf);
	}
	kt_note("%u modes, preferred %ux%u", output->mode_count,
		output->mode.hdisplay, output->mode.vdisplay);
	kt_close(&dev);
}

/* All outputs at once, each with its own picture; then one goes, and comes. */
static void test_all_outputs(void)
{
	struct kt_buf bufs[KT_MAX_OUTPUTS];
	struct kt_dev dev;

	kt_open(&dev);
	if (dev.output_count < 2)
		kt_skip("there is one output only");
	for (unsigned int i = 0; i < dev.output_count; i++) {
		struct kt_output *out = &dev.outputs[i];

		kt_buf_create(&bufs[i], &dev, out->mode.hdisplay,
			      out->mode.vdisplay, kt_format_by_name("XR24"));
		kt_buf_draw(&bufs[i], i + 1, i);
		kt_show(&dev, out, &bufs[i]);
	}
	kt_hook("all-on");
	kt_assert_ok(kt_try_off(&dev, &dev.outputs[0]));
	kt_assert_ok(kt_flip(&dev, &dev.outputs[1], &bufs[1], 5));
	kt_expect_flip(&dev, &dev.outputs[1], 5, NULL);
	kt_hook("first-off");
	kt_show(&dev, &dev.outputs[0], &bufs[0]);
	kt_assert_ok(kt_flip(&dev, &dev.outputs[0], &bufs[0], 6));
	kt_expect_flip(&dev, &dev.outputs[0], 6, NULL);
	kt_hook("all-on-again");
	kt_close(&dev);
}

static void set_dpms(struct stage *s, bool atomic, bool on)
{
	struct kt_commit commit;
	uint32_t id;

	if (atomic) {
		kt_commit_init(&commit, &s->dev);
		kt_commit_add(&commit, s->output->crtc, "ACTIVE", on);
		kt_assert_ok(kt_commit_run(&commit,
					   DRM_MODE_ATOMIC_ALLOW_MODESET, NULL));
		return;
	}
	id = kt_prop_find(&s->dev, s->output->connector, "DPMS");
	kt_assert_ne(id, 0);
	kt_assert_ok(drmModeConnectorSetProperty(s->dev.fd, s->output->connector,
						 id, on ? DRM_MODE_DPMS_ON :
						 DRM_MODE_DPMS_OFF));
	kt_assert_eq(kt_prop_value(&s->dev, s->output->connector, "DPMS"),
		     on ? DRM_MODE_DPMS_ON : DRM_MODE_DPMS_OFF);
}

/* The monitor stays connected and the picture comes back by itself. */
static void dpms(bool atomic)
{
	drmModeConnector *conn;
	struct stage s;

	stage_open(&s);
	if (atomic && !s.dev.atomic)
		kt_skip("the driver is not atomic");
	for (unsigned int i = 0; i < 5; i++) {
		set_dpms(&s, atomic, false);
		conn = drmModeGetConnector(s.dev.fd, s.output->connector);
		kt_assert(conn);
		kt_assert_eq(conn->connection, DRM_MODE_CONNECTED);
		drmModeFreeConnector(conn);
		if (i == 0)
			kt_hook("off");
		set_dpms(&s, atomic, true);
		kt_assert_ok(kt_flip(&s.dev, s.output, &s.buf, i));
		kt_expect_flip(&s.dev, s.output, i, NULL);
	}
	stage_close(&s, "on");
}

static void test_dpms_atomic(void)
{
	dpms(true);
}

static void test_dpms_legacy(void)
{
	dpms(false);
}

/* There is no gamma table on the wire, so there is none to set. */
static void test_gamma_none(void)
{
	uint16_t ramp[256] = { 0 };
	drmModeCrtc *crtc;
	struct stage s;

	stage_open(&s);
	crtc = drmModeGetCrtc(s.dev.fd, s.output->crtc);
	kt_assert(crtc);
	kt_assert_eq(crtc->gamma_size, 0);
	drmModeFreeCrtc(crtc);
	kt_assert_ne(drmModeCrtcSetGamma(s.dev.fd, s.output->crtc, 256, ramp,
					 ramp, ramp), 0);
	stage_close(&s, "gamma-none");
}

static void test_link_good(void)
{
	struct stage s;

	stage_open(&s);
	kt_assert_eq(kt_prop_value(&s.dev, s.output->connector, "link-status"),
		     DRM_MODE_LINK_STATUS_GOOD);
	stage_close(&s, "link-good");
}

/* Compositors follow a new preferred mode where they find this. */
static void test_hotplug_mode(void)
{
	struct stage s;

	stage_open(&s);
	kt_assert_eq(kt_prop_value(&s.dev, s.output->connector,
				   "hotplug_mode_update"), 1);
	stage_close(&s, "hotplug-mode");
}

/* The EDID: whole blocks with right checksums, that name the preferred mode. */
static void test_edid(void)
{
	drmModePropertyBlobRes *blob;
	const uint8_t *d;
	unsigned int width, height;
	struct stage s;

	stage_open(&s);
	blob = drmModeGetPropertyBlob(s.dev.fd,
				      (uint32_t)kt_prop_value(&s.dev,
							      s.output->connector,
							      "EDID"));
	if (!blob)
		kt_skip("the connector has no EDID");
	kt_assert_ge(blob->length, 128);
	kt_assert_eq(blob->length % 128, 0);
	d = blob->data;
	kt_assert_eq(memcmp(d, "\0\377\377\377\377\377\377\0", 8), 0);
	for (uint32_t block = 0; block < blob->length / 128; block++) {
		uint8_t sum = 0;

		for (unsigned int i = 0; i < 128; i++)
			sum = (uint8_t)(sum + d[block * 128 + i]);
		kt_assert_eq(sum, 0);
	}
	kt_assert_eq(d[126], blob->length / 128 - 1);
	/* 12 bits, enough up to 4095 */
	width = d[56] | (d[58] & 0xf0u) << 4;
	height = d[59] | (d[61] & 0xf0u) << 4;
	kt_note("EDID of %u bytes, %ux%u", blob->length, width, height);
	kt_assert_eq(width, s.output->mode.hdisplay);
	kt_assert_eq(height, s.output->mode.vdisplay);
	drmModeFreePropertyBlob(blob);
	stage_close(&s, "edid");
}

static const struct kt_test tests[] = {
	{ "every-mode", test_every_mode, "each mode that is offered can be set", 120 },
	{ "all-outputs", test_all_outputs, "all connectors at once, one off" },
	{ "dpms-atomic", test_dpms_atomic, "ACTIVE off and on" },
	{ "dpms-legacy", test_dpms_legacy, "the DPMS property off and on" },
	{ "bad-mode", test_bad_mode, "larger than the connector can do" },
	{ "bad-timing", test_bad_timing, "timings that contradict themselves" },
	{ "bad-size", test_bad_size, "a framebuffer smaller than the mode" },
	{ "bad-source", test_bad_source, "a source that is not at (0,0)" },
	{ "bad-scale", test_bad_scale, "a plane that would be scaled" },
	{ "bad-position", test_bad_position, "a plane off the CRTC's corner" },
	{ "bad-pitch", test_bad_pitch, "a pitch the wire does not carry" },
	{ "bad-end", test_bad_end, "a framebuffer that ends in the last page's rest" },
	{ "bad-offset", test_bad_offset, "an offset the wire does not carry" },
	{ "bad-framebuffer", test_bad_framebuffer, "framebuffers that do not fit" },
	{ "gamma-none", test_gamma_none, "no gamma table is offered" },
	{ "link-good", test_link_good, "link-status is Good" },
	{ "hotplug-mode", test_hotplug_mode, "new preferred modes are to be set" },
	{ "edid", test_edid, "the EDID is whole and names the mode" },
};

int main(int argc, char **argv)
{
	return kt_main(argc, argv, "Mode setting, and what it refuses.", tests,
		       KT_ARRAY_SIZE(tests));
}
