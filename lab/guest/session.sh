# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Desktop sessions for guests with image=desktop. Sourced by scenarios.

# udev tells weston and Xorg what is a keyboard; terminals need pseudo terminals
session_begin() {
	mount -t devpts devpts /dev/pts
	mount -t tmpfs shm /dev/shm
	modprobe evdev
	modprobe xen-kbdfront
	/usr/lib/systemd/systemd-udevd --daemon 2>/dev/null
	udevadm trigger --action=add
	udevadm settle --timeout=60
	display_wait
	export FONTCONFIG_FILE=/lab/guest/fonts.conf HOME=/root SHELL=/bin/sh
	export XDG_RUNTIME_DIR=/run/user
	mkdir -m 700 $XDG_RUNTIME_DIR
}

# session_up: until its terminal runs a shell
session_up() {
	retry 60 test -e /run/terminal || fail "no terminal: $(cat /run/session.log)"
	sync_set up
}

# session_test: the guest's part of dom0's desktop_test
session_test() {
	session_up
	if ! retry 25 test -s /root/typed; then
		cat /run/session.log
		grep vkbd /proc/interrupts
		fail "the terminal got nothing"
	fi
	sync_set typed
	sync_wait seen 120
	# what they did not like
	grep -i 'error\|fail\|(EE)' /run/session.log || true
}

weston_start() {
	session_begin
	weston --backend=drm-backend.so --use-pixman --tty=1 --socket=session \
		--config=/lab/guest/weston.ini --log=/run/session.log &
	if ! retry 30 test -S "$XDG_RUNTIME_DIR/session"; then
		cat /run/session.log
		fail "weston does not start"
	fi
	WAYLAND_DISPLAY=session weston-terminal --shell=/lab/guest/terminal &
}

xorg_start() {
	session_begin
	/usr/lib/xorg/Xorg :0 vt1 -ac -nolisten tcp -logfile /run/session.log &
	if ! retry 30 test -S /tmp/.X11-unix/X0; then
		cat /run/session.log
		fail "Xorg does not start"
	fi
	/lab/guest/follow &
	DISPLAY=:0 twm -f /lab/guest/twmrc &
	DISPLAY=:0 xterm -T terminal -fa 'DejaVu Sans Mono' -fs 12 -geometry 80x24+60+60 \
		-e /lab/guest/terminal &
}
