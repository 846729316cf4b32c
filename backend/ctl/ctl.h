/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of xen-displayctl share. */
#ifndef XD_CTL_CTL_H
#define XD_CTL_CTL_H

#include <stdbool.h>
#include <stdint.h>

#include "image/image.h"

/**
 * struct ctl_target - what of which guest
 * @device:	DOMID or DOMID.DEVID, for questions
 */
struct ctl_target {
	char device[24];
	uint32_t conn;
};

extern const char *ctl_socket;	/* of the daemon */
extern bool ctl_json;		/* print JSON */

/* One line on standard error, and the end. */
void ctl_die(int status, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/* ask.c */

int ctl_connect(void);

/* An answer as it came, until the next one; *ret_fd came with it, or is -1. */
char *ctl_converse(int sock, const char *question, int *ret_fd);

/* On a connection of its own: the rows after "ok"; dies of an error. */
char *ctl_ask(const char *question, int *ret_fd);

/**
 * ctl_take_picture() - what is on a connector
 * @sock:	of ctl_connect()
 * @ret_canvas:	the caller's when there is a picture
 *
 * Return: NULL, or why there is no picture, until the next question.
 */
const char *ctl_take_picture(int sock, const struct ctl_target *target,
			     struct xd_canvas *ret_canvas);

/* save.c */

/* As a PNG: a whole file at @path, or the end without one. */
void ctl_save_picture(const struct xd_canvas *canvas, const char *path);

/* print.c */

/* Rows as they came, the first one with names: a table or JSON. */
void ctl_print_rows(char *rows);

/* record.c */

/**
 * struct ctl_recording - what to record
 * @path:	"-", a file *.y4m, or a directory
 * @rate:	pictures a second
 * @frames:	how many; 0: until interrupted
 */
struct ctl_recording {
	struct ctl_target target;
	const char *path;
	uint32_t rate;
	uint64_t frames;
};

void ctl_record(const struct ctl_recording *what);

#endif /* XD_CTL_CTL_H */
