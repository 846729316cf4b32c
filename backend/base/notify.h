/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells the service manager how far we are, as sd_notify(3) describes it. */
#ifndef XD_BASE_NOTIFY_H
#define XD_BASE_NOTIFY_H

/**
 * xd_notify() - send a state to the socket that $NOTIFY_SOCKET names
 * @state:	"READY=1", "STOPPING=1"
 *
 * Return: 0, also when nobody wants to know, or -errno.
 */
int xd_notify(const char *state);

#endif /* XD_BASE_NOTIFY_H */
