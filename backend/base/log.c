/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"

#define LIMIT_LINES	20
#define LIMIT_NS	10000000000ull

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
	char *c;

	vsnprintf(text, sizeof(text), fmt, ap);
	/* texts of guests may be in it */
	for (c = text; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
			*c = '?';
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

bool xd_log_allow(struct xd_log_limit *limit)
{
	uint64_t now = xd_now();

	if (!limit->since || now - limit->since > LIMIT_NS) {
		limit->since = now;
		limit->lines = 0;
	}
	if (limit->lines > LIMIT_LINES)
		return false;
	if (limit->lines++ < LIMIT_LINES)
		return true;
	xd_warn("too many messages, dropping some");
	return false;
}
