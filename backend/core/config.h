/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the administrator says. From the weakest to the strongest: defaults, the
 * file's [daemon] and [limits], the section of a guest, the command line. The
 * file is read once, before anything else; each wrong thing in it is an error.
 *
 * A guest's section is chosen by the domain's name as the toolstack wrote it,
 * in a node that the guest cannot write.
 */
#ifndef XD_CORE_CONFIG_H
#define XD_CORE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outputs/output.h"
#include "proto/limits.h"

#define XD_CONFIG_FILE		"/etc/xen-displayd.conf"
#define XD_CONFIG_MAX_SIZE	(1u << 20)	/* bytes of the file */
#define XD_CONFIG_ERROR_SIZE	480

struct xd_config_guest;

/**
 * struct xd_config - settings, of the daemon or of one guest
 * @output:	where pictures go
 * @millihertz:	see struct xd_output_params
 * @zero_copy:	pictures are shown without a copy where that can be
 * @exports:	it can be on this machine, as far as Xen and the kernel go; not a
 *		setting
 * @options:	what outputs have of their own; NULL: not set
 * @socket:	path of the control socket
 * @user:	whom workers run as; NULL: the first of the usual ones
 * @verbose:	log more
 * @syslog:	log there, for there is no stderr
 * @sandbox:	workers give up system calls; for tests to leave out
 * @limits:	of each vdispl device of a guest
 * @max_conns:	connectors of one; 0: XD_MAX_CONNECTORS
 * @guests:	what some guests have of their own
 * @set:	settings that the file made, a bit each
 * @forced:	those that the command line made: the file does not change them
 * @text:	of the file; strings point into it
 */
struct xd_config {
	const char *output;
	uint32_t millihertz;
	bool zero_copy;
	bool exports;
	const char *options[XD_NUM_OPTIONS];
	const char *socket;
	const char *user;
	bool verbose;
	bool syslog;
	bool sandbox;
	struct xd_limits limits;
	uint32_t max_conns;

	struct xd_config_guest *guests;
	uint32_t set;
	uint32_t forced;
	char *text;
};

/* What applies with no file and no options. */
void xd_config_init(struct xd_config *config);
void xd_config_finish(struct xd_config *config);

/**
 * xd_config_force() - make a setting that wins over the file
 * @name:	as in the file
 * @value:	as in the file; has to stay
 *
 * Return: NULL, or the form that was expected.
 */
const char *xd_config_force(struct xd_config *config, const char *name,
			    const char *value);

/**
 * xd_config_load() - read a file, once
 * @error:	one line, when it is not 0
 *
 * Return: 0, -EINVAL when something is wrong in it, -ENOENT when there is no
 * such file, or -errno; xd_config_finish() in each case.
 */
int xd_config_load(struct xd_config *config, const char *path,
		   char error[XD_CONFIG_ERROR_SIZE]);

/**
 * xd_config_parse() - the same for a text
 * @path:	for @error
 * @text:	@size bytes and a NUL; is cut up, and has to stay
 */
int xd_config_parse(struct xd_config *config, const char *path, char *text,
		    size_t size, char error[XD_CONFIG_ERROR_SIZE]);

/**
 * xd_config_of_guest() - the settings of one guest
 * @name:	of its domain
 * @ret_config:	a view of @config, not to be finished
 */
void xd_config_of_guest(const struct xd_config *config, const char *name,
			struct xd_config *ret_config);

#endif /* XD_CORE_CONFIG_H */
