# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# What a scenario's guest functions can use. Documented in docs/lab.md.

say() { printf '%s\n' "$*"; }

# fail TEXT: the job fails, TEXT is shown
fail() {
	printf 'FAIL: %s\n' "$*"
	exit 1
}

# must_fail COMMAND...: fails when COMMAND does not
must_fail() {
	if "$@"; then
		fail "should have failed: $*"
	fi
}

# panic_wanted: what the kernel says from here on is no failure of the scenario
panic_wanted() { echo "<0>lab: a panic is wanted" >/dev/kmsg; }

# retry SECONDS COMMAND...: until COMMAND succeeds; seconds of a quick machine,
# an emulated one gets LAB_PATIENCE times as many. A turn counts for five of them
# at the most: a machine that stood still was not late.
retry() {
	local left=$(($1 * LAB_PATIENCE)) last now
	last=$(cut -d. -f1 /proc/uptime)
	shift
	until "$@"; do
		[ $left -gt 0 ] || return 1
		sleep 0.1
		now=$(cut -d. -f1 /proc/uptime)
		left=$((left - (now - last < 5 ? now - last : 5)))
		last=$now
	done
}

# sync_set KEY [VALUE], sync_wait KEY[=VALUE] [SECONDS]: meeting points with dom0
sync_set() { xenstore-write "data/lab/sync/$1" "${2:-1}"; }

sync_wait() {
	xswait -t "${2:-60}" "data/lab/sync/$1" || fail "waited ${2:-60} s for $1"
}

# result KEY VALUE: a value for dom0's guest_result
result() { xenstore-write "data/lab/result/$1" "$2"; }

# the DRM device of our driver or of the in-tree one: card0, card1 …
display_card() {
	local dev
	for dev in /sys/class/drm/card[0-9]*; do
		case $dev in *-*) continue ;; esac
		[ -e "/dev/dri/${dev##*/}" ] || continue
		case $(readlink "$dev/device") in
		*vdispl-*) echo "${dev##*/}" && return ;;
		esac
	done
	return 1
}

# display_wait [SECONDS]: until the display device is there
display_wait() {
	retry "${1:-20}" display_card >/dev/null && return
	fail "no display device after ${1:-20} s (device/vdispl/0/state is \
$(xenstore-read device/vdispl/0/state 2>&1))"
}

# display_gone [SECONDS]: until there is none
display_gone() {
	retry "${1:-20}" no_display || fail "display device still there"
}

no_display() { ! display_card >/dev/null; }

# kernel_log: what the kernel said since the last call
kernel_log() { dmesg -c; }

# $LOOK: a hook for our test programs: they stop at each of their steps until
# dom0 has looked (step_wait, step_done)
# shellcheck disable=SC2016  # for the shell that the programs start
export LOOK='n=$(($(cat /run/steps 2>/dev/null || echo 0) + 1))
echo $n >/run/steps
xenstore-write data/lab/sync/step "$n:$KMS_STEP" && xswait -t 90 data/lab/sync/seen=$n'

# taps COMMAND...: run a test program; its results are collected for taps_end.
# Status 1 is explained by a subtest that failed; any other end is a failure of its
# own, and so is a plan that is missing or not kept.
taps() {
	local tap
	tap=$(mktemp /run/tap.XXXXXX)
	{
		status=0
		echo "# $*"
		"$@" || status=$?
		echo $status >"$tap.status"
	} | tee "$tap"
	awk -v program="$1" -v status="$(cat "$tap.status")" '
		/^ok /{ ok++ }
		/^not ok /{ bad++ }
		/^1\.\.[0-9]+$/{ plans++; planned = substr($0, 4) }
		END {
			if (status != 0 && !(status == 1 && bad))
				print "not ok - " program ": status " status
			else if (plans != 1 || planned == 0 || ok + bad != planned)
				print "not ok - " program ": " ok + bad " results of " planned + 0
		}' "$tap" | tee -a "$tap"
	cat "$tap" >>/run/taps
	rm -f "$tap" "$tap.status"
}

# skips: PROGRAM SUBTEST REASON of each subtest that was skipped
skips() {
	awk '/^# kms-[a-z]+( |$)/{ program = $2 }
		/^# skipped: /{ why = substr($0, 12) }
		/^ok .*# SKIP/{ print program, $4, why; why = "" }' /run/taps
}

# taps_end: fails with what the failed subtests said, if there are any, or with those
# that were skipped and are not in $may_skip (PROGRAM:SUBTEST...); dom0 tells of the
# others. A run in which nothing passed has failed, too.
taps_end() {
	local program subtest why passed
	passed=$(grep '^ok' /run/taps | grep -vc '# SKIP' || true)
	skips >/run/skips
	say "summary: $passed passed, $(wc -l </run/skips) skipped"
	awk '/^# /{ said = said $0 "\n" } /^ok/{ said = "" }
		/^not ok/{ printf "%s%s\n", said, $0; said = ""; bad = 1 }
		END { exit bad }' /run/taps || fail "subtests failed"
	while read -r program subtest why; do
		case " ${may_skip-} " in
		*" $program:$subtest "*) ;;
		*) fail "skipped: $program $subtest: $why" ;;
		esac
	done </run/skips
	[ "$passed" -gt 0 ] || fail "no subtest passed"
	[ ! -s /run/skips ] || xenstore-write data/lab/skipped "$(head -c 1500 /run/skips | tr '\n' ';')"
}

# leak_scan: fails, and shows it, if the driver left memory behind. It goes
# first: what it still points to is no leak.
leak_scan() {
	local leaks=/sys/kernel/debug/kmemleak
	if [ -d /sys/module/drm_xen_front ] && ! rmmod drm_xen_front; then
		say "lab: the driver does not go: a leak of a reference"
		return 1
	fi
	# it takes nothing for a leak that is younger than five seconds
	sleep 6
	echo scan >$leaks
	echo scan >$leaks
	# its size is 0 whatever it holds: it has to be read
	cat $leaks >/run/leaks
	[ ! -s /run/leaks ] || {
		cat /run/leaks
		return 1
	}
}
