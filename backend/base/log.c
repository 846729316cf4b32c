/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

static char log_prefix[128];
static bool log_verbose;

void xd_log_setup(const char *prefix, bool verbose)
{
	snprintf(log_prefix, sizeof(log_prefix), "%s%s", prefix,
		 *prefix ? ": " : "");
	log_verbose = verbose;
}

/* One write a line: workers share the descriptor. */
static void log_line(const char *level, const char *fmt, va_list ap)
{
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	fprintf(stderr, "xen-displayd: %s%s%s\n", log_prefix, level, text);
}

#define LOG_FUNCTION(name, level, condition)	\
void name(const char *fmt, ...)			\
{						\
	va_list ap;				\
						\
	if (!(condition))			\
		return;				\
	va_start(ap, fmt);			\
	log_line(level, fmt, ap);		\
	va_end(ap);				\
}

LOG_FUNCTION(xd_error, "error: ", true)
LOG_FUNCTION(xd_warn, "warning: ", true)
LOG_FUNCTION(xd_info, "", true)
LOG_FUNCTION(xd_debug, "debug: ", log_verbose)
