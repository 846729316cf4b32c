# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# A guest's desktop, through VNC. Sourced by scenarios whose guest() ends with
# session_test; see lab/guest/session.sh.
desktop_port=5900

# with lab/run --forward: the daemon listens on the loopback, --forward ends at
# the network card
desktop_forward() {
	[ ! -e /sys/class/net/eth0 ] ||
		socat TCP-LISTEN:$desktop_port,bind=10.0.2.15,fork,reuseaddr \
			TCP:127.0.0.1:$desktop_port &
}

desktop_backend() {
	printf '[daemon]\noutput = vnc\nvnc-port = %d\n' $desktop_port >displayd.conf
	backend_start --config displayd.conf
}

desktop_start() { # GUEST
	desktop_backend
	guest_create "$1"
	sync_wait "$1" up 180
}

# desktop_typed GUEST [X Y]: the terminal has run what was typed; it may not be
# there yet. X Y: where to click first
desktop_typed() {
	[ $# -eq 1 ] || vncsay 127.0.0.1 $desktop_port click "$2" "$3"
	vncsay 127.0.0.1 $desktop_port type 'ls -l /proc/self >/root/typed; cat /root/typed
' || return
	xswait -t 3 "$(guest_path "$1")/data/lab/sync/typed" >/dev/null
}

# the whole picture, when it is another one than FILE
desktop_differs() { # FILE NEW-FILE
	vncsay 127.0.0.1 $desktop_port picture "$2" && ! pngcmp "$1" "$2" >/dev/null 2>&1
}

# desktop_test GUEST [X Y]: what is typed runs, and is seen
desktop_test() {
	vncsay 127.0.0.1 $desktop_port picture before.png || fail "no picture"
	retry 30 desktop_typed "$@" || fail "the terminal got nothing"
	retry 10 desktop_differs before.png after.png || fail "typing does not show"
	sync_set "$1" seen
	guest_wait "$1"
	backend_alive
}
