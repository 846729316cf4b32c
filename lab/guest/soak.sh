# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# The guest's half of a soak: it does what dom0 orders, one thing after the other.
# An order is the node order-N, its answer done-N. Sourced by lab/scenarios/soak.

soak_state=/run/soak

# soak_client_start: the client, told through descriptor 5, answering on 6
soak_client_start() {
	mkdir -p $soak_state
	[ -e $soak_state/orders ] || mkfifo $soak_state/orders $soak_state/answers
	exec 5<>$soak_state/orders 6<>$soak_state/answers
	(
		status=0
		kms-soak --wait 200 client $soak_state/orders $soak_state/answers || status=$?
		[ $status -eq 0 ] && exit
		sync_set lost $status
		echo "lost: the client ended with status $status" >$soak_state/answers
	) 5>&- 6>&- &
	soak_client=$!
	soak_answer
}

# soak_answer: the client's next answer, which begins with ok
soak_answer() {
	read -r answer <&6
	case $answer in
	ok*) answer=${answer#ok} && answer=${answer# } ;;
	*) fail "$answer" ;;
	esac
}

soak_tell() {
	echo "$*" >&5
	soak_answer
}

soak_client_leave() {
	soak_tell leave
	wait "$soak_client" || fail "the client left with status $?"
	say "client: $answer"
}

# -- what is not for the client ----------------------------------------------

soak_stats() { cat "$(echo /sys/kernel/debug/dri/*/xen/stats | cut -d' ' -f1)"; }

soak_pool_empty() {
	echo 3 >/proc/sys/vm/drop_caches
	! grep -q '^pool' "$(echo /sys/kernel/debug/dri/*/xen/buffers | cut -d' ' -f1)" &&
		soak_stats | grep -q '^dying-buffers 0$'
}

meminfo() { awk -v key="$1:" '$1 == key { print $2 }' /proc/meminfo; }

# soak_counters: what has to be the same at the end as at the beginning, with no
# client there
soak_counters() {
	retry 20 soak_pool_empty || fail "the driver keeps buffers that nobody uses"
	answer="guest-grants=$(soak_stats | awk '/^grants/ { print $2 }')"
	answer="$answer guest-buffers=$(grep -c . "$(echo /sys/kernel/debug/dri/*/xen/buffers | cut -d' ' -f1)")"
	answer="$answer guest-interrupts=$(grep -c xen- /proc/interrupts)"
	answer="$answer guest-display-interrupts=$(grep -c -e vdispl -e drm /proc/interrupts)"
	answer="$answer guest-violations=$(soak_stats | awk '/^violations/ { print $2 }')"
	answer="$answer guest-available-KiB=$(meminfo MemAvailable)"
	answer="$answer guest-slab-KiB=$(meminfo SUnreclaim)"
}

# soak_pressure: all memory but a little is taken, by pages that stay
soak_pressure() {
	local take=$(($(meminfo MemAvailable) / 1024 - 24))
	mkdir -p /run/fill
	mount -t tmpfs -o size=100% fill /run/fill
	dd if=/dev/zero of=/run/fill/file bs=1M count=$take 2>/dev/null || true
	soak_tell buffers 4
	answer="$take MiB taken, $(meminfo MemAvailable) KiB left, buffers $answer"
	umount /run/fill
}

soak_place() { basename "$(readlink "/sys/class/drm/$(display_card)/device")"; }

soak_unbind() {
	soak_bound=$(soak_place)
	soak_driver=$(readlink -f "/sys/class/drm/$(display_card)/device/driver")
	echo "$soak_bound" >"$soak_driver/unbind"
	answer=$soak_bound
}

soak_bind() {
	echo "$soak_bound" >"$soak_driver/bind"
	display_wait 60
	answer=$soak_bound
}

# a client beside: killed ones are wanted
soak_beside() {
	local status=0
	kms-soak --count 20 beside "$1" || status=$?
	[ $status -eq 0 ] || [ $status -eq 137 ] || fail "beside $1: status $status"
	answer=$status
}

soak_obey() {
	case $1 in
	start) soak_client_start ;;
	leave) soak_client_leave ;;
	gone) soak_answer ;;
	counters) soak_counters ;;
	pressure) soak_pressure ;;
	unbind) soak_unbind ;;
	bind) soak_bind ;;
	beside) soak_beside "$2" ;;
	badfront)
		badfront "$2" || fail "badfront $2: status $?"
		answer=$2
		;;
	*) soak_tell "$@" ;;
	esac
}

# soak_serve: obeys until "end"
soak_serve() {
	local number=0 order
	sync_set ready
	while :; do
		number=$((number + 1))
		# without a limit: it is dom0 who knows how long things take
		order=$(xswait "data/lab/sync/order-$number")
		[ "$order" != end ] || break
		# shellcheck disable=SC2086  # words
		soak_obey $order
		sync_set "done-$number" "${answer:-ok}"
	done
}
