// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Modes: without an EDID, and with what a backend may send as one. */

#include <drm/drm_probe_helper.h>

#include "xen_drm_test.h"

static void xen_drm_conn_test_hotplug(struct drm_connector *connector);

/* there are no clients to be told */
#define drm_kms_helper_connector_hotplug_event	xen_drm_conn_test_hotplug

#include "../xen_drm_conn.c"
#include "../xen_drm_edid.c"

struct xen_drm_conn_test {
	struct xen_drm xdrm;
	struct xen_drm_pipe *pipe;
	u8 edid[2 * EDID_LENGTH];	/* what the backend answers */
	size_t size;
	int status;
	unsigned int asked;
	unsigned int told;		/* that there is another */
};

/* in place of the driver's: the backend of the test */
int xen_drm_cmd_get_edid(struct xen_drm_pipe *pipe, u8 **ret_edid,
			 size_t *ret_size)
{
	struct xen_drm_conn_test *t = container_of(pipe->xdrm,
						   struct xen_drm_conn_test,
						   xdrm);

	t->asked++;
	if (t->status)
		return t->status;
	*ret_edid = kmemdup(t->edid, t->size, GFP_KERNEL);
	*ret_size = t->size;
	return *ret_edid ? 0 : -ENOMEM;
}

static void xen_drm_conn_test_hotplug(struct drm_connector *connector)
{
	container_of(connector_to_pipe(connector)->xdrm,
		     struct xen_drm_conn_test, xdrm)->told++;
}

static const struct drm_mode_config_funcs xen_drm_conn_test_funcs;

/* as much of a device and a connector as modes need */
static int xen_drm_conn_test_init(struct kunit *test)
{
	struct xen_drm_conn_test *t = kunit_kzalloc(test, sizeof(*t),
						    GFP_KERNEL);
	struct drm_connector *connector;

	KUNIT_ASSERT_NOT_NULL(test, t);
	mutex_init(&t->xdrm.drm.mode_config.mutex);
	t->xdrm.drm.mode_config.funcs = &xen_drm_conn_test_funcs;
	t->xdrm.version = 2;
	t->xdrm.cfg.conn[0].width = 800;
	t->xdrm.cfg.conn[0].height = 600;
	t->pipe = kunit_kzalloc(test, sizeof(*t->pipe), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->pipe);
	t->xdrm.pipes = t->pipe;
	t->pipe->xdrm = &t->xdrm;
	mutex_init(&t->pipe->edid_lock);
	connector = &t->pipe->connector;
	connector->dev = &t->xdrm.drm;
	mutex_init(&connector->eld_mutex);
	INIT_LIST_HEAD(&connector->probed_modes);
	xen_drm_conn_prepare(t->pipe);
	test->priv = t;
	return 0;
}

static void xen_drm_conn_test_forget(struct xen_drm_conn_test *t)
{
	struct drm_connector *connector = &t->pipe->connector;
	struct drm_display_mode *mode, *next;

	list_for_each_entry_safe(mode, next, &connector->probed_modes, head) {
		list_del(&mode->head);
		drm_mode_destroy(connector->dev, mode);
	}
}

static void xen_drm_conn_test_exit(struct kunit *test)
{
	struct xen_drm_conn_test *t = test->priv;

	if (!t || !t->pipe)
		return;
	xen_drm_conn_finish(t->pipe);
	xen_drm_conn_test_forget(t);
	kfree(t->pipe->edid);
}

/* the mode that was configured, or NULL */
static struct drm_display_mode *
xen_drm_conn_test_preferred(struct xen_drm_conn_test *t)
{
	struct drm_display_mode *mode;

	list_for_each_entry(mode, &t->pipe->connector.probed_modes, head)
		if (mode->type & DRM_MODE_TYPE_PREFERRED)
			return mode;
	return NULL;
}

static void xen_drm_conn_test_get_modes(struct xen_drm_conn_test *t,
					unsigned int width,
					unsigned int height)
{
	struct mutex *lock = &t->xdrm.drm.mode_config.mutex;

	t->pipe->width = width;
	t->pipe->height = height;
	mutex_lock(lock);
	xen_drm_conn_get_modes(&t->pipe->connector);
	mutex_unlock(lock);
}

/* whatever is configured is a mode, of exactly that size, at 60 Hz */
static void xen_drm_test_conn_configured(struct kunit *test)
{
	static const struct {
		unsigned int width;
		unsigned int height;
	} cases[] = {
		{ 1, 1 }, { 640, 480 }, { 1366, 768 }, { 1920, 1080 },
		{ 3840, 2160 }, { 8192, 1 }, { 1, 8192 },
		{ 8192, 4320 }, { 8192, 8192 },
	};
	struct xen_drm_conn_test *t = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct drm_display_mode *mode;

		xen_drm_conn_test_get_modes(t, cases[i].width,
					    cases[i].height);
		mode = xen_drm_conn_test_preferred(t);
		KUNIT_ASSERT_NOT_NULL(test, mode);
		KUNIT_EXPECT_EQ(test, mode->hdisplay, cases[i].width);
		KUNIT_EXPECT_EQ(test, mode->vdisplay, cases[i].height);
		KUNIT_EXPECT_EQ(test, drm_mode_vrefresh(mode), 60);
		KUNIT_EXPECT_EQ(test, drm_mode_validate_driver(&t->xdrm.drm,
							       mode), MODE_OK);
		xen_drm_conn_test_forget(t);
	}
}

/* without an EDID: one preferred mode, and all others fit, at 60 Hz */
static void xen_drm_test_conn_no_edid(struct kunit *test)
{
	struct xen_drm_conn_test *t = test->priv;
	struct drm_display_mode *mode;
	unsigned int preferred = 0, others = 0;

	xen_drm_conn_test_get_modes(t, 1280, 1024);
	list_for_each_entry(mode, &t->pipe->connector.probed_modes, head) {
		KUNIT_EXPECT_LE(test, mode->hdisplay, 1280);
		KUNIT_EXPECT_LE(test, mode->vdisplay, 1024);
		KUNIT_EXPECT_EQ(test, drm_mode_vrefresh(mode), 60);
		KUNIT_EXPECT_FALSE(test, mode->flags & DRM_MODE_FLAG_INTERLACE);
		KUNIT_EXPECT_EQ(test, MODE_OK,
				xen_drm_conn_mode_valid(&t->pipe->connector,
							mode));
		if (mode->type & DRM_MODE_TYPE_PREFERRED)
			preferred++;
		else
			others++;
	}
	KUNIT_EXPECT_EQ(test, preferred, 1);
	KUNIT_EXPECT_GE(test, others, 3);	/* 640x480, 800x600, 1024x768 */
}

static void xen_drm_test_conn_fits(struct kunit *test)
{
	static const struct {
		unsigned int width;
		unsigned int height;
		enum drm_mode_status status;
	} cases[] = {
		{ 800, 600, MODE_OK }, { 801, 600, MODE_PANEL },
		{ 800, 601, MODE_PANEL },
		{ 1, 1, MODE_OK }, { 65535, 1, MODE_PANEL },
	};
	struct xen_drm_conn_test *t = test->priv;
	struct drm_display_mode mode = {};
	unsigned int i;

	t->pipe->width = 800;
	t->pipe->height = 600;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		mode.hdisplay = cases[i].width;
		mode.vdisplay = cases[i].height;
		KUNIT_EXPECT_EQ(test, cases[i].status,
				xen_drm_conn_mode_valid(&t->pipe->connector,
							&mode));
	}
}

static void xen_drm_conn_test_sum(struct xen_drm_conn_test *t)
{
	size_t i;
	u8 sum = 0;

	for (i = 0; i < t->size; i++) {
		if (i % EDID_LENGTH == EDID_LENGTH - 1) {
			t->edid[i] = -sum;
			sum = 0;
		} else {
			sum += t->edid[i];
		}
	}
}

/* a monitor of 1024x768 */
static void xen_drm_conn_test_make_edid(struct xen_drm_conn_test *t)
{
	static const u8 header[] = {
		0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00
	};
	static const u8 timing[] = {
		0x64, 0x19, 0x00, 0x40, 0x41, 0x00, 0x26, 0x30, 0x18,
		0x88, 0x36, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x18,
	};
	unsigned int i;

	memset(t->edid, 0, sizeof(t->edid));
	memcpy(t->edid, header, sizeof(header));
	t->edid[18] = 1;	/* version 1.4, digital */
	t->edid[19] = 4;
	t->edid[20] = 0x80;
	memset(t->edid + 38, 1, 16);	/* no standard timings */
	memcpy(t->edid + 54, timing, sizeof(timing));
	for (i = 72; i < 126; i += 18)
		t->edid[i + 3] = 0x10;	/* nothing */
	t->size = EDID_LENGTH;
	xen_drm_conn_test_sum(t);
}

static void xen_drm_test_conn_edid(struct kunit *test)
{
	struct xen_drm_conn_test *t = test->priv;
	struct drm_display_mode *mode;

	xen_drm_conn_test_make_edid(t);
	xen_drm_conn_fetch_edid(t->pipe, true);
	KUNIT_ASSERT_NOT_NULL(test, t->pipe->edid);
	/* the monitor counts, not what XenStore says */
	KUNIT_EXPECT_EQ(test, t->pipe->width, 1024);
	KUNIT_EXPECT_EQ(test, t->pipe->height, 768);
	KUNIT_EXPECT_TRUE(test, list_empty(&t->pipe->connector.probed_modes));

	t->pipe->edid_new = false;	/* there is no property here */
	xen_drm_conn_test_get_modes(t, 1024, 768);
	mode = xen_drm_conn_test_preferred(t);
	KUNIT_ASSERT_NOT_NULL(test, mode);
	KUNIT_EXPECT_EQ(test, mode->hdisplay, 1024);
	KUNIT_EXPECT_EQ(test, mode->vdisplay, 768);
	KUNIT_EXPECT_EQ(test, drm_mode_vrefresh(mode), 60);
}

/* fetch, and expect the configured resolution */
static void xen_drm_conn_test_expect_none(struct kunit *test)
{
	struct xen_drm_conn_test *t = test->priv;

	xen_drm_conn_fetch_edid(t->pipe, true);
	KUNIT_EXPECT_NULL(test, t->pipe->edid);
	KUNIT_EXPECT_EQ(test, t->pipe->width, 800);
	KUNIT_EXPECT_EQ(test, t->pipe->height, 600);
}

static void xen_drm_test_conn_bad_edid(struct kunit *test)
{
	struct xen_drm_conn_test *t = test->priv;
	unsigned int i;

	xen_drm_conn_test_make_edid(t);
	t->edid[0] = 1;			/* not a header */
	xen_drm_conn_test_sum(t);
	xen_drm_conn_test_expect_none(test);

	for (i = 8; i < EDID_LENGTH; i += 17) {	/* wrong sums */
		xen_drm_conn_test_make_edid(t);
		t->edid[i] ^= 0x10;
		xen_drm_conn_test_expect_none(test);
	}

	xen_drm_conn_test_make_edid(t);
	t->edid[18] = 2;		/* a version that nobody knows */
	xen_drm_conn_test_sum(t);
	xen_drm_conn_test_expect_none(test);

	xen_drm_conn_test_make_edid(t);
	t->edid[126] = 1;		/* an extension that did not come */
	xen_drm_conn_test_sum(t);
	xen_drm_conn_test_expect_none(test);

	t->size = 2 * EDID_LENGTH;	/* one that came garbled */
	xen_drm_conn_test_sum(t);
	t->edid[200] = 1;
	xen_drm_conn_test_expect_none(test);

	xen_drm_conn_test_make_edid(t);
	t->edid[126] = 255;		/* more than any buffer */
	xen_drm_conn_test_sum(t);
	xen_drm_conn_test_expect_none(test);
}

static void xen_drm_test_conn_no_answer(struct kunit *test)
{
	struct xen_drm_conn_test *t = test->priv;

	xen_drm_conn_test_make_edid(t);
	t->status = -EIO;
	xen_drm_conn_test_expect_none(test);
	KUNIT_EXPECT_EQ(test, t->asked, 1);

	/* short of memory to ask with: the monitor is as it was */
	t->status = 0;
	xen_drm_conn_fetch_edid(t->pipe, true);
	KUNIT_EXPECT_NOT_NULL(test, t->pipe->edid);
	t->status = -ENOMEM;
	KUNIT_EXPECT_TRUE(test, xen_drm_conn_fetch_edid(t->pipe, true));
	KUNIT_EXPECT_NOT_NULL(test, t->pipe->edid);
	KUNIT_EXPECT_EQ(test, t->asked, 3);

	/* version 1 has no EDIDs: it is not asked */
	t->status = 0;
	t->xdrm.version = 1;
	xen_drm_conn_test_expect_none(test);
	KUNIT_EXPECT_EQ(test, t->asked, 3);
}

static bool xen_drm_conn_test_offered(struct xen_drm_conn_test *t,
				      unsigned int width, unsigned int height)
{
	const struct drm_display_mode mode = {
		.hdisplay = width, .vdisplay = height,
	};

	return xen_drm_conn_mode_was_offered(t->pipe, &mode);
}

/* a monitor that shrinks keeps what it had, on this connection */
static void xen_drm_test_conn_shrinks(struct kunit *test)
{
	struct xen_drm_conn_test *t = test->priv;

	xen_drm_conn_new_backend(t->pipe);
	xen_drm_conn_test_make_edid(t);
	xen_drm_conn_fetch_edid(t->pipe, true);
	KUNIT_EXPECT_TRUE(test, xen_drm_conn_test_offered(t, 1024, 768));
	KUNIT_EXPECT_FALSE(test, xen_drm_conn_test_offered(t, 1025, 768));

	t->status = -EIO;	/* 800x600 now */
	xen_drm_conn_refetch_edid(t->pipe);
	KUNIT_EXPECT_EQ(test, t->pipe->width, 800);
	KUNIT_EXPECT_TRUE(test, xen_drm_conn_test_offered(t, 1024, 768));

	t->pipe->connected = false;
	xen_drm_conn_new_backend(t->pipe);
	KUNIT_EXPECT_TRUE(test, t->pipe->connected);
	xen_drm_conn_fetch_edid(t->pipe, true);
	KUNIT_EXPECT_TRUE(test, xen_drm_conn_test_offered(t, 800, 600));
	KUNIT_EXPECT_FALSE(test, xen_drm_conn_test_offered(t, 1024, 768));
}

/* a monitor that changes while the device is being made is asked for, too */
static void xen_drm_test_conn_early_event(struct kunit *test)
{
	struct xen_drm_conn_test *t = test->priv;

	xen_drm_conn_new_backend(t->pipe);
	t->status = -EIO;
	xen_drm_conn_fetch_edid(t->pipe, true);
	KUNIT_EXPECT_EQ(test, t->asked, 1);
	KUNIT_EXPECT_EQ(test, t->pipe->width, 800);

	t->status = 0;
	xen_drm_conn_test_make_edid(t);
	KUNIT_EXPECT_TRUE(test, xen_drm_conn_event(t->pipe, true));
	flush_delayed_work(&t->pipe->hotplug_work);
	KUNIT_EXPECT_EQ(test, t->told, 0);
	t->xdrm.registered = true;
	flush_delayed_work(&t->pipe->hotplug_work);
	KUNIT_EXPECT_EQ(test, t->asked, 2);
	KUNIT_EXPECT_EQ(test, t->pipe->width, 1024);
}

/* later, clients are told */
static void xen_drm_test_conn_event(struct kunit *test)
{
	struct xen_drm_conn_test *t = test->priv;

	t->xdrm.registered = true;
	xen_drm_conn_test_make_edid(t);
	KUNIT_EXPECT_TRUE(test, xen_drm_conn_event(t->pipe, true));
	flush_delayed_work(&t->pipe->hotplug_work);
	KUNIT_EXPECT_EQ(test, t->asked, 1);
	KUNIT_EXPECT_EQ(test, t->told, 1);
	KUNIT_EXPECT_EQ(test, t->pipe->width, 1024);
}

static struct kunit_case xen_drm_conn_cases[] = {
	KUNIT_CASE(xen_drm_test_conn_configured),
	KUNIT_CASE(xen_drm_test_conn_no_edid),
	KUNIT_CASE(xen_drm_test_conn_fits),
	KUNIT_CASE(xen_drm_test_conn_edid),
	KUNIT_CASE(xen_drm_test_conn_bad_edid),
	KUNIT_CASE(xen_drm_test_conn_no_answer),
	KUNIT_CASE(xen_drm_test_conn_shrinks),
	KUNIT_CASE(xen_drm_test_conn_event),
	KUNIT_CASE(xen_drm_test_conn_early_event),
	{}
};

static struct kunit_suite xen_drm_conn_suite = {
	.name = "xen_drm_conn",
	.init = xen_drm_conn_test_init,
	.exit = xen_drm_conn_test_exit,
	.test_cases = xen_drm_conn_cases,
};

kunit_test_suite(xen_drm_conn_suite);
