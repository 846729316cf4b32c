/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: SOCK_SEQPACKET, a question and an answer, each one packet
 * of text.
 *
 * Question: "list", "info DOMID", "stats DOMID", "screenshot DOMID CONN",
 * "resize DOMID CONN WIDTH HEIGHT". DOMID is the guest's first device, DOMID.DEVID
 * any. Answer: "error TEXT", or "ok" and, after a newline, rows of fields separated
 * by tabs, the first row naming them. With a screenshot's one row comes a
 * descriptor: XRGB8888 pixels from its start on.
 */
#ifndef XD_CORE_CONTROL_H
#define XD_CORE_CONTROL_H

#define XD_CONTROL_SOCKET	"/run/xen-displayd/control.sock"
#define XD_CONTROL_MAX_QUESTION	128
#define XD_CONTROL_MAX_ANSWER	65536

#endif /* XD_CORE_CONTROL_H */
