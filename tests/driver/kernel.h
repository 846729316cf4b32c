/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * As much of the kernel as the driver's parsers, ring, event page and flips need,
 * for one thread in user space. Nothing happens by itself: interrupts and works run
 * when a test says so, and time passes in kernel_wait() only.
 */
#ifndef TESTS_DRIVER_KERNEL_H
#define TESTS_DRIVER_KERNEL_H

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <drm_fourcc.h>

/* types */

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;
typedef s64 ktime_t;
typedef u64 dma_addr_t;
typedef uint32_t gfp_t;

#define S32_MIN			INT32_MIN
#define S32_MAX			INT32_MAX
#define U16_MAX			UINT16_MAX
#define GFP_KERNEL		1u
#define __GFP_ZERO		2u
#define PAGE_SIZE		4096u
#define PAGE_SHIFT		12
#define XEN_PAGE_SIZE		4096u
#define ERESTARTSYS		512

#undef static_assert
#define static_assert(cond)	_Static_assert(cond, #cond)
#define __packed		__attribute__((packed))
#define BIT(n)			(1ul << (n))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define DIV_ROUND_UP(a, b)	(((a) + (b) - 1) / (b))
#define min_t(type, a, b)	((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define min(a, b)		((a) < (b) ? (a) : (b))
#define max(a, b)		((a) > (b) ? (a) : (b))
#define container_of(p, type, member) \
	((type *)(void *)((char *)(p) - offsetof(type, member)))

/* memory */

#define kzalloc(size, gfp)	calloc(1, size)
#define kmalloc(size, gfp)	malloc(size)
#define kfree(p)		free(p)

struct page;

#define alloc_page(gfp)		((struct page *)calloc(1, PAGE_SIZE))
#define __free_page(page)	free(page)
#define page_address(page)	((void *)(page))
#define virt_to_page(addr)	((struct page *)(addr))
#define offset_in_page(pos)	((pos) & (PAGE_SIZE - 1))
#define cond_resched()		((void)0)

static inline void memcpy_page(struct page *to, size_t to_pos,
			       struct page *from, size_t from_pos, size_t size)
{
	assert(to_pos + size <= PAGE_SIZE && from_pos + size <= PAGE_SIZE);
	memcpy((char *)to + to_pos, (const char *)from + from_pos, size);
}

#define IS_ERR(p)		((uintptr_t)(p) >= (uintptr_t)-4095)
#define PTR_ERR(p)		((long)(p))
#define ERR_PTR(err)		((void *)(long)(err))
#define PTR_ERR_OR_ZERO(p)	(IS_ERR(p) ? PTR_ERR(p) : 0)

static inline void strscpy(char *to, const char *from, size_t size)
{
	snprintf(to, size, "%s", from);
}

/* order: one thread, but the compiler shall not read twice */

#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))
#define barrier()		__asm__ volatile("" ::: "memory")
#define virt_mb()		barrier()
#define virt_rmb()		barrier()
#define xen_mb()		barrier()
#define xen_rmb()		barrier()
#define xen_wmb()		barrier()
#define xchg(p, v)		__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

typedef struct { int counter; } atomic_t;
typedef struct { s64 counter; } atomic64_t;

#define atomic_inc(a)		((void)(a)->counter++)
#define atomic_dec(a)		((void)(a)->counter--)
#define atomic64_inc(a)		((void)(a)->counter++)
#define atomic64_add(n, a)	((void)((a)->counter += (n)))
#define atomic64_read(a)	((a)->counter)

struct kref { int count; };

static inline void kref_init(struct kref *ref) { ref->count = 1; }
static inline void kref_get(struct kref *ref) { ref->count++; }
static inline void kref_put(struct kref *ref, void (*release)(struct kref *))
{
	assert(ref->count > 0);
	if (!--ref->count)
		release(ref);
}

/* locks know whether they are held */

typedef struct { bool held; } spinlock_t;
struct mutex { bool held; };
struct rw_semaphore { bool held; };
struct list_head { struct list_head *next, *prev; };

static inline void kernel_lock(bool *held) { assert(!*held); *held = true; }
static inline void kernel_unlock(bool *held) { assert(*held); *held = false; }

#define spin_lock_init(l)		((l)->held = false)
#define spin_lock(l)			kernel_lock(&(l)->held)
#define spin_unlock(l)			kernel_unlock(&(l)->held)
#define spin_lock_irq(l)		kernel_lock(&(l)->held)
#define spin_unlock_irq(l)		kernel_unlock(&(l)->held)
#define spin_lock_irqsave(l, f)		((f) = 0, kernel_lock(&(l)->held))
#define spin_unlock_irqrestore(l, f)	((void)(f), kernel_unlock(&(l)->held))
#define spin_trylock(l)			(!(l)->held && ((l)->held = true))
#define lockdep_assert_held(l)		assert((l)->held)

/* time and works */

extern unsigned long jiffies;

#define msecs_to_jiffies(ms)	((unsigned long)(ms))
#define time_before(a, b)	((long)((a) - (b)) < 0)

static inline ktime_t ktime_get(void) { return (ktime_t)jiffies * 1000000; }

struct hrtimer { int unused; };
struct workqueue_struct;
struct work_struct {
	void (*func)(struct work_struct *work);
	bool pending;
};
struct delayed_work {
	struct work_struct work;
	unsigned long when;
};

#define system_wq		((struct workqueue_struct *)NULL)
#define to_delayed_work(w)	container_of(w, struct delayed_work, work)
#define INIT_WORK(w, f)		(*(w) = (struct work_struct){ .func = (f) })
#define INIT_DELAYED_WORK(d, f)	\
	(*(d) = (struct delayed_work){ .work = { .func = (f) } })
#define delayed_work_pending(d)	((d)->work.pending)

void queue_work(struct workqueue_struct *wq, struct work_struct *work);
void mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
		      unsigned long delay);
void flush_delayed_work(struct delayed_work *work);
void cancel_delayed_work_sync(struct delayed_work *work);

/* Runs @work if it is due. Returns whether it was. */
bool kernel_work_due(struct delayed_work *work);

/* waiting: what has to happen meanwhile is the test's */

typedef struct { int unused; } wait_queue_head_t;
struct completion { bool done; };

extern void (*kernel_wait)(void);

#define init_waitqueue_head(w)	((void)(w))
#define wake_up_all(w)		((void)(w))
#define wq_has_sleeper(w)	((void)(w), false)
#define wait_event_timeout(w, cond, timeout)				\
	do {								\
		unsigned long until = jiffies + (timeout);		\
									\
		while (!(cond) && time_before(jiffies, until))		\
			kernel_wait();					\
	} while (0)
#define init_completion(c)	((c)->done = false)
#define complete(c)		((c)->done = true)
#define wait_for_completion(c)						\
	do {								\
		while (!(c)->done)					\
			kernel_wait();					\
	} while (0)

/* messages are formatted, and counted */

struct device { int unused; };

extern unsigned int kernel_messages;

void kernel_message(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

#define dev_err_ratelimited(dev, ...)	((void)(dev), kernel_message(__VA_ARGS__))
#define dev_warn(dev, ...)		((void)(dev), kernel_message(__VA_ARGS__))
#define dev_warn_ratelimited(dev, ...)	((void)(dev), kernel_message(__VA_ARGS__))
#define drm_err_ratelimited(drm, ...)	((void)(drm), kernel_message(__VA_ARGS__))
#define xenbus_dev_fatal(xb, err, ...)					\
	((void)(xb), (void)(err), kernel_message(__VA_ARGS__))

/* interrupts and the other side */

typedef int irqreturn_t;
typedef irqreturn_t (*irq_handler_t)(int irq, void *ctx);
typedef u32 grant_handle_t;

#define IRQ_HANDLED		1
#define XEN_EOI_FLAG_SPURIOUS	1u
#define INVALID_GRANT_REF	((grant_ref_t)-1)
#define XBT_NIL			0

/* The headers of Xen's own package, the newest version of them. */
#define __XEN_TOOLS__ 1
#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/event_channel.h>
#include <xen/io/displif.h>

/**
 * struct xenbus_device - the bus device
 * @nodename: of the frontend's directory
 * @otherend: of the backend's
 * @otherend_id: the backend's domain
 */
struct xenbus_device {
	const char *nodename;
	const char *otherend;
	domid_t otherend_id;
	struct device dev;
};

/* XenStore, the test's: an allocated text or an ERR_PTR. */
char *xenbus_read(int transaction, const char *dir, const char *node,
		  unsigned int *len);

/* The shared pages: what was granted last, until it ends. */
int xenbus_setup_ring(struct xenbus_device *xb, gfp_t gfp, void **page,
		      unsigned int num, grant_ref_t *ref);
void gnttab_end_foreign_access(grant_ref_t ref, struct page *page);
int xenbus_alloc_evtchn(struct xenbus_device *xb, evtchn_port_t *port);
void xenbus_free_evtchn(struct xenbus_device *xb, evtchn_port_t port);
int bind_evtchn_to_irqhandler_lateeoi(evtchn_port_t port, irq_handler_t handler,
				      unsigned long flags, const char *name,
				      void *ctx);
void unbind_from_irqhandler(unsigned int irq, void *ctx);
void notify_remote_via_irq(int irq);
void xen_irq_lateeoi(int irq, unsigned int flags);
int HYPERVISOR_event_channel_op(int op, struct evtchn_status *status);

/* Runs the handler of @irq, as an interrupt does. */
void kernel_interrupt(int irq);

/* Anything that was allocated above and is still there fails. */
void kernel_expect_clean(void);

/* What the driver's private header has inside its structures. */

struct drm_device {
	struct { struct mutex mutex; } mode_config;
	spinlock_t event_lock;
};
struct drm_format_info {
	u32 format;
	u8 cpp[4];
};
struct drm_framebuffer {
	struct drm_device *dev;
	const struct drm_format_info *format;
	u32 pitches[4];
	u32 offsets[4];
	u32 width;
	u32 height;
};
struct drm_gem_object { int unused; };
struct drm_plane { int unused; };
struct drm_display_mode { int hdisplay, vdisplay; };
struct drm_crtc_state { struct drm_display_mode mode; };
struct drm_crtc {
	struct drm_device *dev;
	struct drm_crtc_state *state;
};
struct drm_file;
struct drm_pending_event { struct drm_file *file_priv; };
struct drm_pending_vblank_event { struct drm_pending_event base; };
struct drm_encoder { int unused; };
struct drm_connector { int unused; };

#define EDID_LENGTH	128
struct edid {
	u8 before[18];
	u8 version;
	u8 revision;
	u8 between[106];
	u8 extensions;
	u8 checksum;
};

struct address_space;
struct dma_buf;
struct dma_buf_attachment;
struct drm_atomic_state;
struct drm_minor;
struct drm_mode_create_dumb;
struct drm_mode_fb_cmd2;
struct drm_modeset_acquire_ctx;
struct drm_plane_funcs;
struct drm_plane_state;
struct drm_property;
struct sg_table;
struct shrinker;
struct xenbus_driver;

#endif /* TESTS_DRIVER_KERNEL_H */
