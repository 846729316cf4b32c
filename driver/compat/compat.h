/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The only place that knows kernel versions. Included before everything else.
 */

#ifndef XEN_DRM_COMPAT_H
#define XEN_DRM_COMPAT_H

#include <linux/mm.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma,
				unsigned long flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma,
				  unsigned long flags)
{
	vma->vm_flags &= ~flags;
}
#endif

typedef unsigned long (*compat_shrinker_fn)(struct shrinker *shrinker,
					    struct shrink_control *sc);

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
static inline struct shrinker *
compat_shrinker_register(compat_shrinker_fn count, compat_shrinker_fn scan,
			 const char *name, void *data)
{
	struct shrinker *shrinker = shrinker_alloc(0, "%s", name);

	if (shrinker) {
		shrinker->count_objects = count;
		shrinker->scan_objects = scan;
		shrinker->private_data = data;
		shrinker_register(shrinker);
	}
	return shrinker;
}

static inline void compat_shrinker_unregister(struct shrinker *shrinker)
{
	shrinker_free(shrinker);	/* NULL is fine */
}

static inline void *compat_shrinker_data(struct shrinker *shrinker)
{
	return shrinker->private_data;
}
#else
struct compat_shrinker {
	struct shrinker base;
	void *data;
};

static inline void *compat_shrinker_data(struct shrinker *shrinker)
{
	return container_of(shrinker, struct compat_shrinker, base)->data;
}

static inline struct shrinker *
compat_shrinker_register(compat_shrinker_fn count, compat_shrinker_fn scan,
			 const char *name, void *data)
{
	struct compat_shrinker *shrinker = kzalloc(sizeof(*shrinker),
						   GFP_KERNEL);

	if (!shrinker)
		return NULL;
	shrinker->base.count_objects = count;
	shrinker->base.scan_objects = scan;
	shrinker->base.seeks = DEFAULT_SEEKS;
	shrinker->data = data;
	if (register_shrinker(&shrinker->base, "%s", name)) {
		kfree(shrinker);
		return NULL;
	}
	return &shrinker->base;
}

static inline void compat_shrinker_unregister(struct shrinker *shrinker)
{
	if (!shrinker)
		return;
	unregister_shrinker(shrinker);
	kfree(container_of(shrinker, struct compat_shrinker, base));
}
#endif

/* 6.6 made exporting and importing handles the core's default. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define COMPAT_DRM_PRIME_OPS						\
	.prime_handle_to_fd = drm_gem_prime_handle_to_fd,		\
	.prime_fd_to_handle = drm_gem_prime_fd_to_handle,		\
	.gem_prime_mmap = drm_gem_prime_mmap,
#else
#define COMPAT_DRM_PRIME_OPS
#endif

/* 6.12 has all that the last words of the kernel need. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0) && defined(CONFIG_DRM_PANIC)
#define COMPAT_DRM_PANIC_FUNCS						\
	.get_scanout_buffer = xen_drm_panic_buffer,			\
	.panic_flush = xen_drm_panic_flush,
#else
#define COMPAT_DRM_PANIC_FUNCS
#endif

/*
 * The guest's console, drawn in memory of its own and copied as it changes. The
 * helper that does this for any driver moved around. 6.12 has the last way to set
 * it up only where some driver of the kernel's own wants that.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define COMPAT_DRM_FBDEV_OPS	DRM_FBDEV_TTM_DRIVER_OPS,
#ifdef CONFIG_DRM_CLIENT_SETUP
#define compat_fbdev_setup(drm) \
	drm_client_setup_with_fourcc(drm, DRM_FORMAT_XRGB8888)
#else
#define compat_fbdev_setup(drm) drm_fbdev_ttm_setup(drm, 32)
#endif
#else
#define COMPAT_DRM_FBDEV_OPS
#define compat_fbdev_setup(drm) drm_fbdev_generic_setup(drm, 32)
#endif

#endif
