/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: SOCK_SEQPACKET, a question and an answer, each one packet
 * of text.
 *
 * Question: "list", "info DOMID", "stats", "screenshot DOMID CONN",
 * "resize DOMID CONN WIDTH HEIGHT". Answer: "error TEXT", or "ok" and, after a
 * newline, rows of fields separated by tabs, the first row naming them. A
 * screenshot comes as a descriptor of a PNG file.
 */
#ifndef XD_CORE_CONTROL_H
#define XD_CORE_CONTROL_H

#define XD_CONTROL_SOCKET	"/run/xen-displayd/control.sock"
#define XD_CONTROL_MAX_QUESTION	128
#define XD_CONTROL_MAX_ANSWER	65536

#endif /* XD_CORE_CONTROL_H */
