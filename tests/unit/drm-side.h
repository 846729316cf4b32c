/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The worker's side of the output drm, on the card in memory. */
#ifndef TESTS_UNIT_DRM_SIDE_H
#define TESTS_UNIT_DRM_SIDE_H

#include "drm-card.h"

#include "base/loop.h"
#include "outputs/drm-output.h"

extern struct xd_loop loop;
extern struct xd_output *output;
extern struct xd_output_options options;

/* What the output told; @copied: why, of the last picture, "": it was not. */
extern unsigned int dones[2], changes[2], reopens;
extern char notes[4096];
extern const char *copied;

/* A fixture: two monitors, with modes of 64x48 and 32x24. */
int set_up(void **state);
#define CARD_TEST(fn, label)	{ label, fn, set_up, NULL, NULL }

/* The last one of the modes is @i then. */
void set_mode(unsigned int i, uint16_t width, uint16_t height, uint32_t rate,
	      bool preferred);

/* The worker's end of a lease. */
int plug_lease(void);
void open_output(uint32_t millihertz, unsigned int nr, int fd);

/* Nothing may be left on the card. */
void close_output(void);

/* The card's frame begins: its event. */
void tick(unsigned int crtc);

/* Pictures of one colour; @damage NULL: all of it */
void show(unsigned int monitor, uint32_t width, uint32_t height,
	  uint32_t colour);
void present(unsigned int monitor, uint32_t width, uint32_t height,
	     uint32_t colour, const pixman_box32_t *damage);

/* show() on monitor 0 that need not succeed. */
void try_mode(uint32_t width, uint32_t height, uint32_t colour, int expected);

/* What the monitor shows there. */
uint32_t pixel(unsigned int crtc, uint32_t x, uint32_t y);

#endif /* TESTS_UNIT_DRM_SIDE_H */
