/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines: to stderr, with a prefix that names the guest in a worker. Only
 * core/ and main.c log; libraries return errors.
 */
#ifndef XD_BASE_LOG_H
#define XD_BASE_LOG_H

#include <stdbool.h>

/* @prefix is copied; "" for none. @verbose lets xd_debug() through. */
void xd_log_setup(const char *prefix, bool verbose);

void xd_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void xd_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void xd_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void xd_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* XD_BASE_LOG_H */
