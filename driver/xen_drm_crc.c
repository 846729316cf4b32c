// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A checksum of each frame, for who tests clients: debugfs crtc-N/crc/.
 *
 * It is one of the picture that the backend is given: the framebuffer as
 * XRGB8888, so that equal pictures in other formats have equal sums, with the
 * cursor in it. Nothing of this runs while nobody reads.
 *
 * It is computed in a work, once for all the vblanks that have been meanwhile: a
 * machine that takes longer than a frame gives several frames the same sum. Before
 * a commit shows another picture it waits for the sums of the one before, so each
 * belongs to one picture.
 */

#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <drm/drm_crtc.h>
#include <drm/drm_debugfs_crc.h>
#include <drm/drm_drv.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_gem_framebuffer_helper.h>
#include <drm/drm_modeset_lock.h>
#include <drm/drm_vblank.h>

#include "xen_drm.h"

#define XEN_DRM_CRC_BEHIND	64	/* frames; the core keeps 128 entries */
#define XEN_DRM_CRC_CLOSE_MS	1000	/* for debugfs to have closed the file */

/* Where a colour is in a pixel. */
struct xen_drm_crc_field {
	u8 shift;
	u8 bits;
};

static const struct xen_drm_crc_format {
	u32 fourcc[2];
	struct xen_drm_crc_field r, g, b;
} xen_drm_crc_formats[] = {
	{ { DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888 },
	  { 16, 8 }, { 8, 8 }, { 0, 8 } },
	{ { DRM_FORMAT_RGB888 }, { 16, 8 }, { 8, 8 }, { 0, 8 } },
	{ { DRM_FORMAT_RGB565 }, { 11, 5 }, { 5, 6 }, { 0, 5 } },
	{ { DRM_FORMAT_XRGB1555, DRM_FORMAT_ARGB1555 },
	  { 10, 5 }, { 5, 5 }, { 0, 5 } },
	{ { DRM_FORMAT_XRGB4444, DRM_FORMAT_ARGB4444 },
	  { 8, 4 }, { 4, 4 }, { 0, 4 } },
};

/* A framebuffer that can be read. */
struct xen_drm_crc_view {
	struct drm_framebuffer *fb;
	struct iosys_map map[DRM_FORMAT_MAX_PLANES];
	struct iosys_map data[DRM_FORMAT_MAX_PLANES];
	void *vaddr;	/* ours, of the backend's memory */
	const u8 *pixels;
};

static int xen_drm_crc_view_backend(struct xen_drm_crc_view *view,
				    struct xen_drm_mem *mem)
{
	struct page **pages = xen_drm_map_lock(mem);

	if (pages)
		view->vaddr = vmap(pages, mem->num_pages, VM_MAP, PAGE_KERNEL);
	if (!view->vaddr) {
		xen_drm_map_unlock(mem);
		return -ENOMEM;
	}
	view->pixels = view->vaddr + view->fb->offsets[0];
	return 0;
}

static int xen_drm_crc_view_open(struct xen_drm_crc_view *view,
				 struct drm_framebuffer *fb)
{
	struct xen_drm_mem *mem = &to_xen_drm_gem(fb->obj[0])->buf->mem;
	int ret;

	memset(view, 0, sizeof(*view));
	view->fb = fb;
	if (xen_drm_mem_moves(mem))
		return xen_drm_crc_view_backend(view, mem);
	ret = drm_gem_fb_begin_cpu_access(fb, DMA_FROM_DEVICE);
	if (ret)
		return ret;
	ret = drm_gem_fb_vmap(fb, view->map, view->data);
	if (!ret && view->data[0].is_iomem) {
		drm_gem_fb_vunmap(fb, view->map);
		ret = -EOPNOTSUPP;
	}
	if (ret)
		drm_gem_fb_end_cpu_access(fb, DMA_FROM_DEVICE);
	else
		view->pixels = view->data[0].vaddr;
	return ret;
}

static void xen_drm_crc_view_close(struct xen_drm_crc_view *view)
{
	if (view->vaddr) {
		vunmap(view->vaddr);
		xen_drm_map_unlock(&to_xen_drm_gem(view->fb->obj[0])->buf->mem);
		return;
	}
	drm_gem_fb_vunmap(view->fb, view->map);
	drm_gem_fb_end_cpu_access(view->fb, DMA_FROM_DEVICE);
}

static u32 xen_drm_crc_colour(u32 raw, struct xen_drm_crc_field field)
{
	u32 value = raw >> field.shift & (BIT(field.bits) - 1);

	/* its highest bits once more below it: full is full */
	return value << (8 - field.bits) | value >> (2 * field.bits - 8);
}

static u32 xen_drm_crc_raw(const u8 *pixel, unsigned int cpp)
{
	u32 raw = pixel[0];

	if (cpp > 1)
		raw |= pixel[1] << 8;
	if (cpp > 2)
		raw |= pixel[2] << 16;
	if (cpp > 3)
		raw |= (u32)pixel[3] << 24;
	return raw;
}

static const struct xen_drm_crc_format *xen_drm_crc_format(u32 fourcc)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(xen_drm_crc_formats); i++)
		if (xen_drm_crc_formats[i].fourcc[0] == fourcc ||
		    xen_drm_crc_formats[i].fourcc[1] == fourcc)
			return &xen_drm_crc_formats[i];
	return NULL;
}

/* A line as XRGB8888. What is not in the table is taken as it is. */
static void xen_drm_crc_convert(__le32 *line, const u8 *pixels,
				unsigned int width,
				const struct drm_format_info *info)
{
	const struct xen_drm_crc_format *format =
		xen_drm_crc_format(info->format);
	unsigned int i;
	u32 raw;

	if (info->cpp[0] == 4) {
		memcpy(line, pixels, width * sizeof(*line));
		return;
	}
	for (i = 0; i < width; i++, pixels += info->cpp[0]) {
		raw = xen_drm_crc_raw(pixels, info->cpp[0]);
		if (format)
			raw = xen_drm_crc_colour(raw, format->r) << 16 |
			      xen_drm_crc_colour(raw, format->g) << 8 |
			      xen_drm_crc_colour(raw, format->b);
		line[i] = cpu_to_le32(raw);
	}
}

/* The cursor's colours are premultiplied with its alpha. */
static u32 xen_drm_crc_over(u32 below, u32 above)
{
	u32 rest = 255 - (above >> 24);
	unsigned int shift;
	u32 sum = 0;

	for (shift = 0; shift < 24; shift += 8)
		sum |= min_t(u32, (above >> shift & 0xff) +
			     DIV_ROUND_CLOSEST((below >> shift & 0xff) * rest,
					       255), 255) << shift;
	return sum;
}

static void xen_drm_crc_blend(__le32 *line, int y,
			      const struct xen_drm_picture *pic,
			      const struct xen_drm_crc_view *cursor)
{
	const u8 *pixels = cursor->pixels +
		(size_t)(y - pic->cursor_y) * cursor->fb->pitches[0];
	int end = min(pic->width - pic->cursor_x, pic->cursor_width);
	u32 below, above;
	int i;

	for (i = max(0, -pic->cursor_x); i < end; i++) {
		below = le32_to_cpu(line[pic->cursor_x + i]);
		above = xen_drm_crc_raw(pixels + i * 4, 4);
		line[pic->cursor_x + i] =
			cpu_to_le32(xen_drm_crc_over(below, above));
	}
}

/* Not a CRC proper, which takes ten times as long. */
static u64 xen_drm_crc_mix(u64 sum, u64 pixels)
{
	return rol64((sum ^ (pixels & 0x00ffffff00ffffffull)) *
		     0x9e3779b97f4a7c15ull, 29);
}

/* A line's start is a pixel's, not always that of a pair. */
static u64 xen_drm_crc_line(u64 sum, const u8 *line, unsigned int width)
{
	unsigned int i;
	__le64 pair;

	for (i = 0; i < width / 2; i++, line += sizeof(pair)) {
		memcpy(&pair, line, sizeof(pair));
		sum = xen_drm_crc_mix(sum, le64_to_cpu(pair));
	}
	if (width % 2)
		sum = xen_drm_crc_mix(sum, xen_drm_crc_raw(line, 4));
	return sum;
}

/* One line of the picture, in place if it is XRGB8888 already. */
static const u8 *xen_drm_crc_fetch(struct xen_drm_crc *crc, int y,
				   const struct xen_drm_crc_view *view,
				   const struct xen_drm_crc_view *cursor)
{
	const struct xen_drm_picture *pic = &crc->picture;
	bool covered = cursor->fb && y >= pic->cursor_y &&
		y - pic->cursor_y < pic->cursor_height;
	const u8 *pixels = NULL;

	if (view->fb)
		pixels = view->pixels + (size_t)y * view->fb->pitches[0];
	if (pixels && !covered && view->fb->format->cpp[0] == 4)
		return pixels;
	if (pixels)
		xen_drm_crc_convert(crc->line, pixels, pic->width,
				    view->fb->format);
	else
		memset(crc->line, 0, pic->width * sizeof(*crc->line));
	if (covered)
		xen_drm_crc_blend(crc->line, y, pic, cursor);
	return (const u8 *)crc->line;
}

static int xen_drm_crc_compute(struct xen_drm_crc *crc, u32 *ret_value)
{
	const struct xen_drm_picture *pic = &crc->picture;
	struct xen_drm_crc_view view = {}, cursor = {};
	u64 sum = 0x243f6a8885a308d3ull;
	int ret = 0, y;

	if (pic->fb)
		ret = xen_drm_crc_view_open(&view, pic->fb);
	if (ret)
		return ret;
	if (pic->cursor)
		ret = xen_drm_crc_view_open(&cursor, pic->cursor);
	for (y = 0; !ret && y < pic->height; y++) {
		sum = xen_drm_crc_line(sum, xen_drm_crc_fetch(crc, y, &view,
							      &cursor),
				       pic->width);
		cond_resched();
	}
	if (!ret && pic->cursor)
		xen_drm_crc_view_close(&cursor);
	if (pic->fb)
		xen_drm_crc_view_close(&view);
	*ret_value = sum ^ sum >> 32;
	return ret;
}

/* Entries for the vblanks that have been since the last. */
static void xen_drm_crc_catch_up(struct xen_drm_pipe *pipe)
{
	struct xen_drm_crc *crc = &pipe->crc;
	u32 now = drm_crtc_vblank_count(&pipe->crtc);
	u32 value;

	lockdep_assert_held(&crc->lock);

	if (!crc->on || !crc->picture.width || (s32)(now - crc->next) < 0)
		return;
	if (now - crc->next >= XEN_DRM_CRC_BEHIND)
		crc->next = now - XEN_DRM_CRC_BEHIND + 1;
	if (xen_drm_crc_compute(crc, &value))
		return;
	for (; (s32)(now - crc->next) >= 0; crc->next++)
		if (drm_crtc_add_crc_entry(&pipe->crtc, true, crc->next,
					   &value))
			break;
}

static void xen_drm_crc_work(struct work_struct *work)
{
	struct xen_drm_pipe *pipe = container_of(work, struct xen_drm_pipe,
						 crc.work);

	mutex_lock(&pipe->crc.lock);
	xen_drm_crc_catch_up(pipe);
	mutex_unlock(&pipe->crc.lock);
}

/**
 * xen_drm_crc_vblank - there was a vblank
 * @pipe: the pipe
 *
 * Context: any.
 */
void xen_drm_crc_vblank(struct xen_drm_pipe *pipe)
{
	if (READ_ONCE(pipe->crc.on))
		queue_work(system_unbound_wq, &pipe->crc.work);
}

static void xen_drm_crc_picture(struct xen_drm_pipe *pipe,
				struct xen_drm_picture *pic)
{
	const struct drm_plane_state *primary = pipe->plane.state;
	const struct drm_plane_state *cursor = pipe->cursor_plane.state;

	memset(pic, 0, sizeof(*pic));
	if (!pipe->crtc.state->active)
		return;
	pic->width = pipe->crtc.state->mode.hdisplay;
	pic->height = pipe->crtc.state->mode.vdisplay;
	if (primary->crtc && primary->fb) {
		pic->fb = primary->fb;
		drm_framebuffer_get(pic->fb);
	}
	if (cursor && cursor->crtc && cursor->fb) {
		pic->cursor = cursor->fb;
		pic->cursor_x = clamp(cursor->crtc_x, -XEN_DRM_MAX_SIZE,
				      XEN_DRM_MAX_SIZE);
		pic->cursor_y = clamp(cursor->crtc_y, -XEN_DRM_MAX_SIZE,
				      XEN_DRM_MAX_SIZE);
		pic->cursor_width = cursor->src_w >> 16;
		pic->cursor_height = cursor->src_h >> 16;
		drm_framebuffer_get(pic->cursor);
	}
}

static void xen_drm_crc_forget(struct xen_drm_picture *pic)
{
	if (pic->fb)
		drm_framebuffer_put(pic->fb);
	if (pic->cursor)
		drm_framebuffer_put(pic->cursor);
}

/* The lock is held; the caller forgets what is left in @pic. */
static void xen_drm_crc_swap(struct xen_drm_pipe *pipe,
			     struct xen_drm_picture *pic)
{
	struct xen_drm_crc *crc = &pipe->crc;

	if (!crc->picture.width)
		crc->next = drm_crtc_vblank_count(&pipe->crtc) + 1;
	swap(crc->picture, *pic);
}

/**
 * xen_drm_crc_show - the planes show another picture, or none, from now on
 * @pipe: the pipe
 *
 * Context: process, a commit's; the state is that of the commit.
 */
void xen_drm_crc_show(struct xen_drm_pipe *pipe)
{
	struct xen_drm_picture pic;

	if (!READ_ONCE(pipe->crc.on))
		return;
	xen_drm_crc_picture(pipe, &pic);
	mutex_lock(&pipe->crc.lock);
	xen_drm_crc_catch_up(pipe);
	if (pipe->crc.on)
		xen_drm_crc_swap(pipe, &pic);
	mutex_unlock(&pipe->crc.lock);
	xen_drm_crc_forget(&pic);
}

/* The picture on screen can be told at once, with the frame of now. */
static int xen_drm_crc_begin(struct xen_drm_pipe *pipe, __le32 *line)
{
	struct xen_drm_crc *crc = &pipe->crc;
	struct drm_modeset_acquire_ctx ctx;
	struct xen_drm_picture pic;
	int ret;

	DRM_MODESET_LOCK_ALL_BEGIN(pipe->crtc.dev, ctx, 0, ret);
	xen_drm_crc_picture(pipe, &pic);
	mutex_lock(&crc->lock);
	crc->line = line;
	crc->picture = pic;
	crc->next = drm_crtc_vblank_count(&pipe->crtc);
	WRITE_ONCE(crc->on, true);
	mutex_unlock(&crc->lock);
	DRM_MODESET_LOCK_ALL_END(pipe->crtc.dev, ctx, ret);
	return ret;
}

static int xen_drm_crc_start(struct xen_drm_pipe *pipe)
{
	__le32 *line = kvmalloc_array(XEN_DRM_MAX_SIZE, sizeof(*line),
				      GFP_KERNEL);
	int ret;

	if (!line)
		return -ENOMEM;
	ret = drm_crtc_vblank_get(&pipe->crtc);
	if (ret)
		goto err_free;
	ret = xen_drm_crc_begin(pipe, line);
	if (ret)
		goto err_put;
	queue_work(system_unbound_wq, &pipe->crc.work);
	return 0;

err_put:
	drm_crtc_vblank_put(&pipe->crtc);
err_free:
	kvfree(line);
	return ret;
}

static void xen_drm_crc_stop(struct xen_drm_pipe *pipe)
{
	struct xen_drm_crc *crc = &pipe->crc;
	struct xen_drm_picture pic = {};
	__le32 *line;

	mutex_lock(&crc->lock);
	WRITE_ONCE(crc->on, false);
	swap(crc->picture, pic);
	line = crc->line;
	crc->line = NULL;
	mutex_unlock(&crc->lock);
	cancel_work_sync(&crc->work);
	kvfree(line);
	xen_drm_crc_forget(&pic);
	drm_crtc_vblank_put(&pipe->crtc);
}

/*
 * debugfs keeps neither the device nor this module, but calls us when the file is
 * closed, and then goes on with the CRTC for a moment.
 */
static bool xen_drm_crc_hold(struct xen_drm_pipe *pipe)
{
	if (!try_module_get(THIS_MODULE))
		return false;
	if (!cancel_delayed_work(&pipe->crc.let_go))
		drm_dev_get(&pipe->xdrm->drm);
	return true;
}

static void xen_drm_crc_let_go(struct work_struct *work)
{
	struct xen_drm_pipe *pipe = container_of(to_delayed_work(work),
						 struct xen_drm_pipe,
						 crc.let_go);

	drm_dev_put(&pipe->xdrm->drm);
}

static void xen_drm_crc_release(struct xen_drm_pipe *pipe)
{
	xen_drm_commit_queue(&pipe->crc.let_go, XEN_DRM_CRC_CLOSE_MS);
	/* unloading waits for the device */
	module_put(THIS_MODULE);
}

/**
 * xen_drm_crc_sources - &drm_crtc_funcs.get_crc_sources
 * @crtc: the CRTC
 * @ret_count: how many
 *
 * Return: their names.
 */
const char *const *xen_drm_crc_sources(struct drm_crtc *crtc,
				       size_t *ret_count)
{
	static const char *const sources[] = { "auto" };

	*ret_count = ARRAY_SIZE(sources);
	return sources;
}

/**
 * xen_drm_crc_verify - &drm_crtc_funcs.verify_crc_source
 * @crtc: the CRTC
 * @source: its name; NULL for off
 * @ret_values: values in an entry
 *
 * Return: 0 or -EINVAL.
 */
int xen_drm_crc_verify(struct drm_crtc *crtc, const char *source,
		       size_t *ret_values)
{
	*ret_values = 1;
	return source && strcmp(source, "auto") ? -EINVAL : 0;
}

/**
 * xen_drm_crc_set - &drm_crtc_funcs.set_crc_source
 * @crtc: the CRTC
 * @source: verified; NULL: nobody reads any more
 *
 * Context: process, without modeset locks.
 * Return: 0 or -errno.
 */
int xen_drm_crc_set(struct drm_crtc *crtc, const char *source)
{
	struct xen_drm_pipe *pipe = crtc_to_pipe(crtc);
	int ret;

	if (!source) {
		if (READ_ONCE(pipe->crc.on)) {
			xen_drm_crc_stop(pipe);
			xen_drm_crc_release(pipe);
		}
		return 0;
	}
	if (!xen_drm_crc_hold(pipe))
		return -ENODEV;
	ret = xen_drm_crc_start(pipe);
	if (ret)
		xen_drm_crc_release(pipe);
	return ret;
}

/**
 * xen_drm_crc_init - prepare a pipe's checksums
 * @pipe: the pipe
 */
void xen_drm_crc_init(struct xen_drm_pipe *pipe)
{
	mutex_init(&pipe->crc.lock);
	INIT_WORK(&pipe->crc.work, xen_drm_crc_work);
	INIT_DELAYED_WORK(&pipe->crc.let_go, xen_drm_crc_let_go);
}

/**
 * xen_drm_crc_fini - no vblank comes any more
 * @pipe: the pipe
 */
void xen_drm_crc_fini(struct xen_drm_pipe *pipe)
{
	cancel_work_sync(&pipe->crc.work);
}
