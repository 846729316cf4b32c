/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the administrator says: defaults, then the file, then the command line;
 * for a guest with a section of its own in the file, that over all.
 */
#ifndef XD_CORE_CONFIG_H
#define XD_CORE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/message.h"
#include "proto/limits.h"

#define XD_CONFIG_FILE		"/etc/xen/xen-displayd.conf"
#define XD_MAX_RATE		240	/* Hz */

/**
 * struct xd_guest_config - a [guest NAME] section, complete
 * @name:	of the guest
 */
struct xd_guest_config {
	struct xd_guest_config *next;
	char name[XD_GUEST_NAME_SIZE];
	char output[XD_OUTPUT_NAME_SIZE];
	uint32_t millihertz;
	uint32_t max_conns;
	struct xd_limits limits;
};

/**
 * struct xd_config - all of it
 * @output:	of guests without a section of their own
 * @millihertz:	see struct xd_output_params
 * @socket:	path of the control socket
 * @user:	whom workers run as; "": the first of the usual ones
 * @verbose:	log more
 * @syslog:	log there, for there is no stderr
 * @limits:	of guests without a section of their own
 * @max_conns:	connectors of such a guest, 0: XD_MAX_CONNECTORS
 * @guests:	those with a section
 */
struct xd_config {
	const char *output;
	uint32_t millihertz;
	const char *socket;
	const char *user;
	bool verbose;
	bool syslog;
	struct xd_limits limits;
	uint32_t max_conns;
	struct xd_guest_config *guests;
	/* where the file's texts are */
	char output_text[XD_OUTPUT_NAME_SIZE];
	char socket_text[108];
	char user_text[XD_USER_NAME_SIZE];
};

/* What applies with no file and no options. */
void xd_config_init(struct xd_config *config);

/**
 * xd_config_read() - the file
 * @guests:	false: everything but the guests' sections; true: only those,
 *		they begin with what @config says by then
 * @ret_error:	what is wrong, "FILE:LINE: ..."
 *
 * Return: 0, -EINVAL with @ret_error filled in, -errno of reading the file.
 */
int xd_config_read(struct xd_config *config, const char *path, bool guests,
		   char *ret_error, size_t size);
void xd_config_finish(struct xd_config *config);

/* What applies to a guest. */
void xd_config_of_guest(const struct xd_config *config, const char *name,
			struct xd_guest_config *ret_guest);

/* Hz, 0 to XD_MAX_RATE: 0 or -EINVAL. */
int xd_config_parse_rate(const char *text, uint32_t *ret_millihertz);

#endif /* XD_CORE_CONFIG_H */
