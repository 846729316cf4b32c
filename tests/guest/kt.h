/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guest programs share: subtests, the DRM device, buffers, commits,
 * events.  Functions that return int return 0 or -errno; functions that return
 * void end the subtest with a message when they cannot do what they are for.
 */
#ifndef KT_H
#define KT_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <drm_fourcc.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "../pattern/pattern.h"

#define KT_MAX_OUTPUTS 16
#define KT_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define KT_NS_PER_MS 1000000ull
#define KT_NS_PER_S 1000000000ull

/* ---- kt_main.c: options, subtests, results in TAP ---- */

/**
 * struct kt_test - one subtest; each runs in a process of its own
 * @name: kebab-case
 * @run: returns when it passed
 * @help: one line
 * @timeout: seconds, 0 for the default of 60
 * @by_name: only runs when it is named
 */
struct kt_test {
	const char *name;
	void (*run)(void);
	const char *help;
	unsigned int timeout;
	bool by_name;
};

/**
 * struct kt_options - options that every program has
 * @driver: DRM driver name of the device
 * @wait: seconds to wait for the device to appear
 * @connector: index of the connector that most subtests use
 * @width: of the mode, 0 for the connector's preferred one
 * @height: of the mode
 * @legacy: legacy modeset and page flips even where atomic is there
 * @stride: the wire carries strides and offsets, so they are not refused
 * @count: how many frames, rounds, clients; 0 for the subtest's own number
 * @seconds: how long, for subtests that run for a time; 0 likewise
 * @hook: shell command that runs at the points where a subtest wants to be
 *	  looked at; $KMS_STEP says at which
 */
struct kt_options {
	const char *driver;
	unsigned int wait;
	unsigned int connector;
	unsigned int width, height;
	bool legacy;
	bool stride;
	unsigned int count;
	unsigned int seconds;
	const char *hook;
};

extern struct kt_options kt_opt;

int kt_main(int argc, char **argv, const char *summary,
	    const struct kt_test *tests, size_t count);

/* For programs with options of their own: true when @c was a common one. */
#define KT_SHORT_OPTIONS "D:hl"
#define KT_LONG_OPTIONS \
	{ "driver", required_argument, NULL, 'D' }, \
	{ "wait", required_argument, NULL, 'w' }, \
	{ "connector", required_argument, NULL, 'c' }, \
	{ "mode", required_argument, NULL, 'm' }, \
	{ "legacy", no_argument, NULL, 'L' }, \
	{ "stride", no_argument, NULL, 'S' }, \
	{ "count", required_argument, NULL, 'n' }, \
	{ "seconds", required_argument, NULL, 's' }, \
	{ "hook", required_argument, NULL, 'H' }, \
	{ "list", no_argument, NULL, 'l' }, \
	{ "help", no_argument, NULL, 'h' }

/* Returns 0, or -EINVAL after a message. */
int kt_common_option(int c, const char *value);
void kt_common_help(void);

__attribute__((format(printf, 1, 2)))
void kt_note(const char *format, ...);
__attribute__((noreturn, format(printf, 3, 4)))
void kt_fail_at(const char *file, int line, const char *format, ...);
__attribute__((noreturn, format(printf, 1, 2)))
void kt_skip(const char *format, ...);

/* Runs --hook; a hook that fails ends the subtest. */
void kt_hook(const char *step);
/* The same beside the test: what kt_hook_ended() is asked for; 0: no --hook. */
pid_t kt_hook_start(const char *step);
bool kt_hook_ended(pid_t hook);
/* "EINVAL" and so on; @err is negative or zero. */
const char *kt_errno_name(int err);

#define kt_fail(...) kt_fail_at(__FILE__, __LINE__, __VA_ARGS__)

#define kt_assert(cond) do { \
	if (!(cond)) \
		kt_fail("not true: %s", #cond); \
} while (0)

#define kt_compare_(a, op, b) do { \
	long long a_ = (long long)(a), b_ = (long long)(b); \
	if (!(a_ op b_)) \
		kt_fail("%s %s %s: %lld and %lld", #a, #op, #b, a_, b_); \
} while (0)
#define kt_assert_eq(a, b) kt_compare_(a, ==, b)
#define kt_assert_ne(a, b) kt_compare_(a, !=, b)
#define kt_assert_lt(a, b) kt_compare_(a, <, b)
#define kt_assert_le(a, b) kt_compare_(a, <=, b)
#define kt_assert_ge(a, b) kt_compare_(a, >=, b)
#define kt_assert_gt(a, b) kt_compare_(a, >, b)

/* @call returns 0 or -errno. */
#define kt_assert_err(call, expected) do { \
	int got_ = (call), want_ = (expected); \
	if (got_ != want_) \
		kt_fail("%s: got %s, expected %s", #call, \
			kt_errno_name(got_), kt_errno_name(want_)); \
} while (0)
#define kt_assert_ok(call) kt_assert_err(call, 0)

/* ---- kt_time.c ---- */

uint64_t kt_now(void); /* CLOCK_MONOTONIC, ns */
/* Sleeps; only for pacing and for watching that nothing happens. */
void kt_pause_ms(unsigned int ms);

/**
 * struct kt_samples - durations, to tell the mean and the extremes
 */
struct kt_samples {
	uint64_t *ns;
	size_t count, room;
};

void kt_samples_add(struct kt_samples *samples, uint64_t ns);
double kt_samples_mean_ms(const struct kt_samples *samples);
/* @part: 0.5 the median, 0.99, 1 the worst */
double kt_samples_part_ms(struct kt_samples *samples, double part);
void kt_samples_note(struct kt_samples *samples, const char *what);
void kt_samples_finish(struct kt_samples *samples);

/* ---- kt_uevent.c ---- */

int kt_uevent_open(void); /* fd or -errno */

/**
 * struct kt_uevent - the members of a kernel uevent that matter here
 */
struct kt_uevent {
	char action[16];
	char devname[64];
	char subsystem[32];
	char hotplug[4];
	uint32_t connector; /* 0 if not told */
};

/* 1 with an event, 0 at the end of the time, -errno */
int kt_uevent_next(int fd, uint64_t until_ns, struct kt_uevent *ret_event);

/* ---- kt_dev.c ---- */

/**
 * struct kt_output - a connector with a CRTC and a primary plane of its own
 * @pipe: index of the CRTC
 * @mode: the preferred one, or the one --mode asks for
 */
struct kt_output {
	uint32_t connector;
	uint32_t crtc;
	uint32_t plane;
	uint32_t cursor; /* plane, 0 without one */
	unsigned int pipe;
	drmModeModeInfo mode;
	drmModeModeInfo *modes;
	unsigned int mode_count;
	char name[32];
};

struct kt_prop {
	uint32_t object;
	uint32_t id;
	uint64_t value; /* when the object was looked at first */
	char name[DRM_PROP_NAME_LEN];
};

struct kt_event {
	uint32_t type; /* DRM_EVENT_… */
	uint32_t crtc;
	uint64_t sequence;
	uint64_t time_ns;
	uint64_t data;
};

#define KT_EVENT_ROOM 64

struct kt_dev {
	int fd;
	char node[32];
	bool atomic;
	uint32_t max_width, max_height;
	struct kt_output outputs[KT_MAX_OUTPUTS];
	unsigned int output_count;
	struct kt_prop *props;
	size_t prop_count, prop_room;
	struct kt_event events[KT_EVENT_ROOM];
	unsigned int event_head, event_count;
};

/* Opens the node only; waits --wait seconds for it. fd or -errno */
int kt_open_node(char *ret_node, size_t size);
/* Opens it and looks at its outputs, all of them connected. */
void kt_open(struct kt_dev *dev);
void kt_close(struct kt_dev *dev);
/* The output that --connector names. */
struct kt_output *kt_output(struct kt_dev *dev);
/* The modes that it has now, which @modes and @mode become. */
void kt_read_modes(struct kt_dev *dev, struct kt_output *output);
/* The mode of this size, or NULL. */
const drmModeModeInfo *kt_find_mode(const struct kt_output *output,
				    unsigned int width, unsigned int height);

/* The id of a property, 0 if the object has none of this name. */
uint32_t kt_prop_find(struct kt_dev *dev, uint32_t object, const char *name);
/* The value now. */
uint64_t kt_prop_value(struct kt_dev *dev, uint32_t object, const char *name);

/*
 * Every property of every object of the device; what differs between two of
 * these was changed in between.
 */
struct kt_state {
	struct kt_prop *props;
	size_t count;
};

void kt_state_read(struct kt_dev *dev, struct kt_state *state);
/* Fails the subtest when anything is different now; frees @state. */
void kt_state_same(struct kt_dev *dev, struct kt_state *state);

/* ---- kt_place.c ---- */

/**
 * struct kt_place - a device in sysfs
 * @device: its name on its bus
 * @driver: directory of its driver
 */
struct kt_place {
	char device[64];
	char driver[PATH_MAX];
};

/* Skips the subtest when no driver is bound. */
void kt_place_find(struct kt_place *place, const struct kt_dev *dev);
/* Writes its name to "bind" or "unbind": 0 or -errno. */
int kt_place_write(const struct kt_place *place, const char *file);

/* ---- kt_buf.c ---- */

struct kt_format {
	uint32_t fourcc;
	char name[5];
	uint8_t bpp;
	struct {
		uint8_t offset, bits;
	} r, g, b, a; /* a also covers the unused bits of the X formats */
	bool alpha;
};

extern const struct kt_format kt_formats[];
extern const size_t kt_format_count;

const struct kt_format *kt_format_by_name(const char *name);
const struct kt_format *kt_format_by_fourcc(uint32_t fourcc);

/**
 * struct kt_buf - a dumb buffer, its mapping and its framebuffer
 */
struct kt_buf {
	int fd; /* of the device, not owned */
	uint32_t handle;
	uint32_t fb;
	uint32_t width, height, pitch;
	uint64_t size;
	const struct kt_format *format;
	uint8_t *map;
};

/* Parts may be done on their own; kt_buf_destroy() undoes what was done. */
int kt_buf_alloc(struct kt_buf *buf, int fd, uint32_t width, uint32_t height,
		 const struct kt_format *format);
int kt_buf_map(struct kt_buf *buf);
int kt_buf_add_fb(struct kt_buf *buf);
/* All three, or the subtest fails. */
void kt_buf_create(struct kt_buf *buf, struct kt_dev *dev, uint32_t width,
		   uint32_t height, const struct kt_format *format);
/* With the pointer image in it. */
void kt_buf_create_cursor(struct kt_buf *buf, struct kt_dev *dev,
			  unsigned int size);
void kt_buf_destroy(struct kt_buf *buf);
/* A framebuffer of the buffer with any pitch and offset. */
int kt_add_fb(int fd, uint32_t handle, uint32_t width, uint32_t height,
	      uint32_t fourcc, uint32_t pitch, uint32_t offset,
	      uint32_t *ret_fb);
/* Page-aligned mapping of a GEM handle through the device; NULL and errno. */
void *kt_map_handle(int fd, uint32_t handle, uint64_t size);

/* The test card, in the buffer's format. */
void kt_buf_draw(struct kt_buf *buf, uint32_t seed, uint32_t frame);
/* Only an area of it; the rest of the buffer stays. */
void kt_buf_draw_area(struct kt_buf *buf, uint32_t seed, uint32_t frame,
		      struct pattern_rect area);
/* Only the bar code of the frame number. */
void kt_buf_draw_frame(struct kt_buf *buf, uint32_t seed, uint32_t frame);

/* ---- kt_kms.c ---- */

/**
 * struct kt_commit - an atomic request that is being put together
 */
struct kt_commit {
	struct kt_dev *dev;
	drmModeAtomicReq *req;
	uint32_t blobs[KT_MAX_OUTPUTS];
	unsigned int blob_count;
};

void kt_commit_init(struct kt_commit *commit, struct kt_dev *dev);
void kt_commit_add(struct kt_commit *commit, uint32_t object, const char *name,
		   uint64_t value);
/* Connector, mode, CRTC on. */
void kt_commit_mode(struct kt_commit *commit, const struct kt_output *output,
		    const drmModeModeInfo *mode);
/* The primary plane shows all of the framebuffer at its size. */
void kt_commit_plane(struct kt_commit *commit, const struct kt_output *output,
		     const struct kt_buf *buf);
void kt_commit_off(struct kt_commit *commit, const struct kt_output *output);
/* Commits and frees the request: 0 or -errno. */
int kt_commit_run(struct kt_commit *commit, uint32_t flags, void *data);

/* Modeset of one output with the buffer's size, atomic or --legacy. */
int kt_try_show(struct kt_dev *dev, struct kt_output *output,
		const struct kt_buf *buf);
void kt_show(struct kt_dev *dev, struct kt_output *output,
	     const struct kt_buf *buf);
int kt_try_off(struct kt_dev *dev, struct kt_output *output);
/* Asks for a flip with an event that carries @data; does not wait. */
int kt_flip(struct kt_dev *dev, struct kt_output *output,
	    const struct kt_buf *buf, uint64_t data);
/* The framebuffer a CRTC shows, 0 for none. */
uint32_t kt_crtc_fb(struct kt_dev *dev, const struct kt_output *output);

/* 1 with an event, 0 at the end of the time, -errno */
int kt_next_event(struct kt_dev *dev, unsigned int timeout_ms,
		  struct kt_event *ret_event);
/* The flip event that carries @data has to be the next, within 5 s. */
void kt_expect_flip(struct kt_dev *dev, const struct kt_output *output,
		    uint64_t data, struct kt_event *ret_event);
/* Nothing more may come for this long. */
void kt_expect_silence(struct kt_dev *dev, unsigned int ms);
/* Whether the device counts vblanks: the in-tree module does not. */
bool kt_has_vblank(struct kt_dev *dev, const struct kt_output *output);

#endif
