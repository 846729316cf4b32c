// SPDX-License-Identifier: GPL-2.0-or-later
/* Commits, flips and events. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kt.h"

#define EVENT_TIMEOUT_MS 5000

void kt_commit_init(struct kt_commit *commit, struct kt_dev *dev)
{
	memset(commit, 0, sizeof(*commit));
	commit->dev = dev;
	commit->req = drmModeAtomicAlloc();
	kt_assert(commit->req);
}

void kt_commit_add(struct kt_commit *commit, uint32_t object, const char *name,
		   uint64_t value)
{
	uint32_t id = kt_prop_find(commit->dev, object, name);

	if (!id)
		kt_fail("object %u has no property %s", object, name);
	kt_assert_gt(drmModeAtomicAddProperty(commit->req, object, id, value),
		     0);
}

void kt_commit_mode(struct kt_commit *commit, const struct kt_output *output,
		    const drmModeModeInfo *mode)
{
	uint32_t blob;

	kt_assert_lt(commit->blob_count, KT_MAX_OUTPUTS);
	kt_assert_ok(drmModeCreatePropertyBlob(commit->dev->fd, mode,
					       sizeof(*mode), &blob));
	commit->blobs[commit->blob_count++] = blob;
	kt_commit_add(commit, output->connector, "CRTC_ID", output->crtc);
	kt_commit_add(commit, output->crtc, "MODE_ID", blob);
	kt_commit_add(commit, output->crtc, "ACTIVE", 1);
}

void kt_commit_plane(struct kt_commit *commit, const struct kt_output *output,
		     const struct kt_buf *buf)
{
	kt_commit_add(commit, output->plane, "FB_ID", buf->fb);
	kt_commit_add(commit, output->plane, "CRTC_ID", output->crtc);
	kt_commit_add(commit, output->plane, "SRC_X", 0);
	kt_commit_add(commit, output->plane, "SRC_Y", 0);
	kt_commit_add(commit, output->plane, "SRC_W", (uint64_t)buf->width << 16);
	kt_commit_add(commit, output->plane, "SRC_H",
		      (uint64_t)buf->height << 16);
	kt_commit_add(commit, output->plane, "CRTC_X", 0);
	kt_commit_add(commit, output->plane, "CRTC_Y", 0);
	kt_commit_add(commit, output->plane, "CRTC_W", buf->width);
	kt_commit_add(commit, output->plane, "CRTC_H", buf->height);
}

void kt_commit_off(struct kt_commit *commit, const struct kt_output *output)
{
	kt_commit_add(commit, output->plane, "FB_ID", 0);
	kt_commit_add(commit, output->plane, "CRTC_ID", 0);
	kt_commit_add(commit, output->connector, "CRTC_ID", 0);
	kt_commit_add(commit, output->crtc, "ACTIVE", 0);
	kt_commit_add(commit, output->crtc, "MODE_ID", 0);
}

int kt_commit_run(struct kt_commit *commit, uint32_t flags, void *data)
{
	int err = drmModeAtomicCommit(commit->dev->fd, commit->req, flags, data);

	drmModeAtomicFree(commit->req);
	for (unsigned int i = 0; i < commit->blob_count; i++)
		drmModeDestroyPropertyBlob(commit->dev->fd, commit->blobs[i]);

	return err;
}

static bool use_atomic(const struct kt_dev *dev)
{
	return dev->atomic && !kt_opt.legacy;
}

int kt_try_show(struct kt_dev *dev, struct kt_output *output,
		const struct kt_buf *buf)
{
	const drmModeModeInfo *mode = kt_find_mode(output, buf->width,
						   buf->height);
	struct kt_commit commit;

	if (!mode)
		kt_fail("%s has no mode %ux%u", output->name, buf->width,
			buf->height);
	if (!use_atomic(dev)) {
		drmModeModeInfo copy = *mode;

		return drmModeSetCrtc(dev->fd, output->crtc, buf->fb, 0, 0,
				      &output->connector, 1, &copy);
	}
	kt_commit_init(&commit, dev);
	kt_commit_mode(&commit, output, mode);
	kt_commit_plane(&commit, output, buf);

	return kt_commit_run(&commit, DRM_MODE_ATOMIC_ALLOW_MODESET, NULL);
}

void kt_show(struct kt_dev *dev, struct kt_output *output,
	     const struct kt_buf *buf)
{
	int err = kt_try_show(dev, output, buf);

	if (err)
		kt_fail("cannot show %ux%u %s on %s: %s", buf->width,
			buf->height, buf->format->name, output->name,
			kt_errno_name(err));
}

int kt_try_off(struct kt_dev *dev, struct kt_output *output)
{
	struct kt_commit commit;

	if (!use_atomic(dev))
		return drmModeSetCrtc(dev->fd, output->crtc, 0, 0, 0, NULL, 0,
				      NULL);
	kt_commit_init(&commit, dev);
	kt_commit_off(&commit, output);

	return kt_commit_run(&commit, DRM_MODE_ATOMIC_ALLOW_MODESET, NULL);
}

int kt_flip(struct kt_dev *dev, struct kt_output *output,
	    const struct kt_buf *buf, uint64_t data)
{
	struct kt_commit commit;
	void *cookie = (void *)(uintptr_t)data;

	if (!use_atomic(dev))
		return drmModePageFlip(dev->fd, output->crtc, buf->fb,
				       DRM_MODE_PAGE_FLIP_EVENT, cookie);
	kt_commit_init(&commit, dev);
	kt_commit_add(&commit, output->plane, "FB_ID", buf->fb);

	return kt_commit_run(&commit, DRM_MODE_PAGE_FLIP_EVENT |
			     DRM_MODE_ATOMIC_NONBLOCK, cookie);
}

uint32_t kt_crtc_fb(struct kt_dev *dev, const struct kt_output *output)
{
	drmModePlane *plane = drmModeGetPlane(dev->fd, output->plane);
	uint32_t fb = plane ? plane->fb_id : 0;

	drmModeFreePlane(plane);

	return fb;
}

static void queue_event(struct kt_dev *dev, const struct drm_event *raw)
{
	struct kt_event *event = &dev->events[(dev->event_head +
					       dev->event_count) %
					      KT_EVENT_ROOM];

	kt_assert_lt(dev->event_count, KT_EVENT_ROOM);
	memset(event, 0, sizeof(*event));
	event->type = raw->type;
	if (raw->type == DRM_EVENT_CRTC_SEQUENCE) {
		const struct drm_event_crtc_sequence *seq = (const void *)raw;

		kt_assert_eq(raw->length, sizeof(*seq));
		event->sequence = seq->sequence;
		event->time_ns = (uint64_t)seq->time_ns;
		event->data = seq->user_data;
	} else {
		const struct drm_event_vblank *vbl = (const void *)raw;

		kt_assert_eq(raw->length, sizeof(*vbl));
		event->sequence = vbl->sequence;
		event->time_ns = vbl->tv_sec * KT_NS_PER_S +
				 vbl->tv_usec * 1000ull;
		event->data = vbl->user_data;
		event->crtc = vbl->crtc_id;
	}
	dev->event_count++;
}

static int read_events(struct kt_dev *dev)
{
	uint64_t room[128]; /* aligned for any event */
	ssize_t len = read(dev->fd, room, sizeof(room));
	size_t at = 0;

	if (len < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	while (at + sizeof(struct drm_event) <= (size_t)len) {
		struct drm_event *raw = (void *)((uint8_t *)room + at);

		kt_assert_ge(raw->length, sizeof(*raw));
		kt_assert_le(at + raw->length, (size_t)len);
		queue_event(dev, raw);
		at += raw->length;
	}

	return 0;
}

int kt_next_event(struct kt_dev *dev, unsigned int timeout_ms,
		  struct kt_event *ret_event)
{
	uint64_t until = kt_now() + timeout_ms * KT_NS_PER_MS;

	while (!dev->event_count) {
		struct pollfd pfd = { .fd = dev->fd, .events = POLLIN };
		uint64_t now = kt_now();
		int ret;

		ret = poll(&pfd, 1, now < until ?
			   (int)((until - now) / KT_NS_PER_MS) + 1 : 0);
		if (ret < 0 && errno != EINTR)
			return -errno;
		if (ret > 0 && pfd.revents & POLLIN) {
			int err = read_events(dev);

			if (err)
				return err;
		} else if (ret > 0) {
			return -ENODEV; /* POLLHUP: unplugged */
		} else if (kt_now() >= until) {
			return 0;
		}
	}
	*ret_event = dev->events[dev->event_head];
	dev->event_head = (dev->event_head + 1) % KT_EVENT_ROOM;
	dev->event_count--;

	return 1;
}

void kt_expect_flip(struct kt_dev *dev, const struct kt_output *output,
		    uint64_t data, struct kt_event *ret_event)
{
	struct kt_event event = { .type = 0 };
	int ret = kt_next_event(dev, EVENT_TIMEOUT_MS, &event);

	if (ret < 0)
		kt_fail("waiting for flip %llu: %s", (unsigned long long)data,
			kt_errno_name(ret));
	if (!ret)
		kt_fail("flip %llu on %s: no event in %u ms",
			(unsigned long long)data, output->name,
			EVENT_TIMEOUT_MS);
	kt_assert_eq(event.type, DRM_EVENT_FLIP_COMPLETE);
	kt_assert_eq(event.data, data);
	if (event.crtc)
		kt_assert_eq(event.crtc, output->crtc);
	if (ret_event)
		*ret_event = event;
}

void kt_expect_silence(struct kt_dev *dev, unsigned int ms)
{
	struct kt_event event;
	int ret = kt_next_event(dev, ms, &event);

	kt_assert_ge(ret, 0);
	if (ret)
		kt_fail("an event too many: type %u, data %llu, sequence %llu",
			event.type, (unsigned long long)event.data,
			(unsigned long long)event.sequence);
}

bool kt_has_vblank(struct kt_dev *dev, const struct kt_output *output)
{
	uint64_t sequence, ns;

	return !drmCrtcGetSequence(dev->fd, output->crtc, &sequence, &ns);
}
