/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines: to stderr or syslog, with a prefix that names the guest in a worker. Only
 * core/ and main.c log; libraries return errors.
 */
#ifndef XD_BASE_LOG_H
#define XD_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* @prefix is copied; "" for none. @verbose lets xd_debug() through. */
void xd_log_setup(const char *prefix, bool verbose);

/* From here on to syslog, for who has no stderr. */
void xd_log_to_syslog(void);

void xd_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void xd_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void xd_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void xd_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * struct xd_log_limit - for lines that a guest can cause at will
 * Zero-initialise.
 */
struct xd_log_limit {
	uint64_t since;		/* ns */
	unsigned int lines;
};

/*
 * May another line be logged? So many in a while, the last of them with a word
 * that more of them are dropped.
 */
bool xd_log_allow(struct xd_log_limit *limit);

#endif /* XD_BASE_LOG_H */
