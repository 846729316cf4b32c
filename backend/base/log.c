/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "base/log.h"
#include "base/loop.h"

#define LIMIT_LINES	20
#define LIMIT_NS	10000000000ull

static char log_prefix[128];
static bool log_verbose;
static bool log_syslog;

void xd_log_setup(const char *prefix, bool verbose)
{
	snprintf(log_prefix, sizeof(log_prefix), "%s%s", prefix,
		 *prefix ? ": " : "");
	log_verbose = verbose;
}

void xd_log_to_syslog(void)
{
	openlog("xen-displayd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	log_syslog = true;
}

/* One write a line: workers share the descriptor. */
static void log_line(int priority, const char *level, const char *fmt,
		     va_list ap)
{
	uint64_t now = xd_now();
	char text[1024];
	char *c;

	vsnprintf(text, sizeof(text), fmt, ap);
	/* texts of guests may be in it */
	for (c = text; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
			*c = '?';
	if (log_syslog)
		syslog(priority, "%s%s%s", log_prefix, level, text);
	else if (log_verbose)
		fprintf(stderr, "xen-displayd: [%llu.%03llu] %s%s%s\n",
			(unsigned long long)(now / 1000000000u),
			(unsigned long long)(now / 1000000u % 1000u),
			log_prefix, level, text);
	else
		fprintf(stderr, "xen-displayd: %s%s%s\n", log_prefix, level,
			text);
}

#define LOG_FUNCTION(name, priority, level, condition)	\
void name(const char *fmt, ...)			\
{						\
	va_list ap;				\
						\
	if (!(condition))			\
		return;				\
	va_start(ap, fmt);			\
	log_line(priority, level, fmt, ap);	\
	va_end(ap);				\
}

LOG_FUNCTION(xd_error, LOG_ERR, "error: ", true)
LOG_FUNCTION(xd_warn, LOG_WARNING, "warning: ", true)
LOG_FUNCTION(xd_info, LOG_INFO, "", true)
LOG_FUNCTION(xd_debug, LOG_DEBUG, "debug: ", log_verbose)

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
