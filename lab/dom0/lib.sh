# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# What a scenario's dom0() can use. Documented in docs/lab.md.

# defaults of a scenario's settings
vdispl=id0:1920x1080
be_alloc=${BE_ALLOC:-0}
vkb=none
memory=256
vcpus=1
kernel_args=
modprobe=yes
backend=Domain-0
driver_domain=0
files=
image=

say() { printf '%s\n' "$*"; }

# note TEXT: a line for whoever watches the run
note() { echo "note $*" >&8; }

# fail TEXT: the scenario fails, TEXT is shown
fail() {
	printf '%s\n' "$*" >>"$RUN/fail"
	printf 'FAIL: %s\n' "$*"
	exit 1
}

# must_fail COMMAND...: fails when COMMAND does not
must_fail() {
	if "$@"; then
		fail "should have failed: $*"
	fi
}

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

# -- the machine outside -----------------------------------------------------

# host COMMAND...: lab/answer.sh does it; writes its answer, returns its status
host() {
	local status size
	echo "ask $*" >&8
	read -r status size <&9 || fail "no answer from outside"
	head -c "$size" <&9
	return "$status"
}

# monitor_size SOCKET WIDTH HEIGHT: the monitor of dom0's graphics card that
# "-vnc unix:SOCKET.sock,display=DEVICE,head=N" stands for; 0 0 unplugs it
monitor_size() {
	host monitor "$@" || fail "no monitor $*"
}

# screendump DEVICE HEAD FILE.png: what dom0's graphics card shows
screendump() {
	host screendump "$1" "$2" >"$3" || fail "no screendump of $1: $(cat "$3")"
}

# -- guests ------------------------------------------------------------------

# guest_create NAME [vdispl=CONNECTORS|none] [be_alloc=0|1] [vkb=SPEC|none]
#	[memory=MIB] [vcpus=N] [kernel_args=TEXT] [modprobe=yes|no|faults] [job=FUNCTION]
#	[frontend=ours|in-tree] [backend=DOMAIN] [driver_domain=0|1] [files=DIR]
# What is in DIR is added to the guest's file system. The job is guest_NAME where
# the scenario has it, else guest.
guest_create() {
	local name=$1 job arg dir=$RUN/$1
	local vdispl=$vdispl be_alloc=$be_alloc vkb=$vkb memory=$memory vcpus=$vcpus
	local kernel_args=$kernel_args modprobe=$modprobe frontend=$LAB_FRONTEND
	local backend=$backend driver_domain=$driver_domain files=$files
	shift
	job=guest
	! command -v "guest_$name" >/dev/null || job=guest_$name
	for arg in "$@"; do
		case $arg in
		vdispl=*) vdispl=${arg#*=} ;;
		be_alloc=*) be_alloc=${arg#*=} ;;
		vkb=*) vkb=${arg#*=} ;;
		memory=*) memory=${arg#*=} ;;
		vcpus=*) vcpus=${arg#*=} ;;
		kernel_args=*) kernel_args=${arg#*=} ;;
		modprobe=*) modprobe=${arg#*=} ;;
		job=*) job=${arg#*=} ;;
		frontend=*) frontend=${arg#*=} ;;
		backend=*) backend=${arg#*=} ;;
		driver_domain=*) driver_domain=${arg#*=} ;;
		files=*) files=${arg#*=} ;;
		*) fail "guest_create: unknown setting '$arg'" ;;
		esac
	done
	rm -rf "$dir"
	mkdir -p "$dir/job"
	cp "$SCENARIO" "$dir/job/scenario"
	cat >"$dir/job/env" <<-END
		JOB_FUNCTION=$job
		JOB_GUEST=$name
		JOB_MODPROBE=$modprobe
		JOB_FRONTEND=$frontend
		JOB_KERNEL=$LAB_KERNEL
		JOB_TYPE=$LAB_GUEST
		export LAB_PATIENCE=$LAB_PATIENCE
	END
	(cd "$dir" && find job | busybox cpio -o -H newc 2>/dev/null) >"$dir/job.cpio"
	[ -z "$files" ] || (cd "$files" && find . | busybox cpio -o -H newc 2>/dev/null) >>"$dir/job.cpio"
	cat /lab/guest/base.cpio ${image:+"/lab/guest/$image.cpio"} /lab/guest/extra.cpio \
		"$dir/job.cpio" >"$dir/initrd"
	guest_config "$name" >"$dir/config"
	xl create -q "$dir/config" || fail "xl create $name failed"
	labxen domid "$name" >"$dir/domid" || fail "guest $name ended at once"
	rm -f "$dir/job.cpio" "$dir/initrd"
}

# programs_to DIR PROGRAM...: dom0's programs and the libraries that they need,
# for a guest's files=DIR: as /opt/dom0/bin and /opt/dom0/lib
programs_to() {
	local dir=$1/opt/dom0 program
	shift
	mkdir -p "$dir/bin" "$dir/lib"
	for program in "$@"; do
		program=$(command -v "$program") || fail "no such program"
		cp -L "$program" "$dir/bin/"
		/lib64/ld-linux-x86-64.so.2 --list "$program" >"$RUN/libs" || fail "no program $program"
		awk '$3 ~ /^\// { print $3 }' "$RUN/libs" | xargs -I{} cp -L {} "$dir/lib/"
		# which libc loads by itself, to end threads
		cp -L /lib/x86_64-linux-gnu/libgcc_s.so.1 "$dir/lib/"
	done
}

guest_config() {
	# what the checks note down takes its room too; and it is the machine that
	# is slow, where nothing has come on for twenty seconds
	[ "$LAB_DEBUG" = no ] || {
		memory=$((memory + 512))
		kernel_args="$kernel_args rcupdate.rcu_cpu_stall_timeout=300 workqueue.watchdog_thresh=300"
	}
	cat <<-END
		name = "$1"
		type = "$LAB_GUEST"
		kernel = "/lab/guest/vmlinux"
		ramdisk = "$dir/initrd"
		memory = $memory
		tsc_mode = "native"
		vcpus = $vcpus
		extra = "console=hvc0 loglevel=5 panic=1 mitigations=off audit=0 apparmor=0 $kernel_args"
		on_poweroff = "destroy"
		on_reboot = "destroy"
		on_crash = "destroy"
		driver_domain = $driver_domain
	END
	[ "$vdispl" = none ] ||
		echo "vdispl = [ \"backend=$backend,be-alloc=$be_alloc,connectors=$vdispl\" ]"
	[ "$vkb" = none ] || echo "vkb = [ \"$vkb\" ]"
}

# guest_domid NAME
guest_domid() { cat "$RUN/$1/domid"; }

guest_path() { echo "/local/domain/$(guest_domid "$1")"; }

# guest_wait NAME [SECONDS]: until the job has ended and the guest is gone;
# returns the job's status
guest_wait() {
	local name=$1 secs=${2:-60} path
	guest_result_wait "$name" "$secs"
	path=$(guest_path "$name")
	xenstore-write "$path/data/lab/ack" poweroff
	guest_gone "$name" 30
	return "$(cat "$RUN/$name/status")"
}

# guest_job_wait NAME [SECONDS]: the same, but the guest stays
guest_job_wait() {
	guest_result_wait "$1" "${2:-60}"
	return "$(cat "$RUN/$1/status")"
}

guest_result_wait() {
	local path ret=0
	path=$(guest_path "$1")
	xswait -t "$2" -g "$path/name" "$path/data/lab/status" >"$RUN/$1/status" || ret=$?
	case $ret in
	0) ;;
	1) fail "guest $1: no result after $2 s" ;;
	2) fail "guest $1 ended without a result" ;;
	*) fail "guest $1: cannot read its result" ;;
	esac
	[ "$(cat "$RUN/$1/status")" = 0 ] ||
		echo "guest $1: its job failed (status $(cat "$RUN/$1/status"))" >>"$RUN/fail.guests"
	xenstore-ls -f "$path/data/lab" >"$RUN/$1/results" 2>/dev/null || true
	if xenstore-exists "$path/data/lab/skipped" 2>/dev/null; then
		note "guest $1 skipped: $(xenstore-read "$path/data/lab/skipped")"
	fi
}

# guest_result NAME KEY: what the guest gave with "result KEY VALUE"; also
# after it has gone
guest_result() {
	local line
	line=$(grep "/data/lab/result/$2 = " "$RUN/$1/results") ||
		fail "guest $1 gave no result $2"
	line=${line#*= \"}
	printf '%s\n' "${line%\"}"
}

# guest_gone NAME [SECONDS]: until no trace of the domain is left
guest_gone() {
	local id
	id=$(guest_domid "$1")
	xswait -t "${2:-10}" "!/local/domain/$id/name" ||
		fail "guest $1 still there after ${2:-10} s"
	# xl list must not show it as a zombie 2 s after that
	labxen gone "$id" 2 || fail "guest $1 is a zombie: $(labxen left)"
}

# guest_shutdown NAME [SECONDS], guest_destroy NAME: and wait until it is gone
guest_shutdown() {
	xl shutdown "$(guest_domid "$1")" >/dev/null || fail "xl shutdown $1 failed"
	guest_gone "$1" "${2:-20}"
}

guest_destroy() {
	xl destroy "$(guest_domid "$1")" || fail "xl destroy $1 failed"
	guest_gone "$1" 2
}

# guest_save NAME [SECONDS], guest_restore NAME [SECONDS]: xl save, to a file and
# away; and back, with another number
guest_save() {
	xl_quick "${2:-60}" save "$(guest_domid "$1")" "/tmp/$1.saved"
	guest_gone "$1" 5
}

guest_restore() {
	xl_quick "${2:-60}" restore "/tmp/$1.saved"
	labxen domid "$1" >"$RUN/$1/domid" || fail "the restored guest $1 has no name"
	rm -f "/tmp/$1.saved"
}

# sync_set GUEST KEY [VALUE], sync_wait GUEST KEY[=VALUE] [SECONDS]
sync_set() { xenstore-write "$(guest_path "$1")/data/lab/sync/$2" "${3:-1}"; }

sync_wait() {
	local path ret=0
	path=$(guest_path "$1")
	xswait -t "${3:-60}" -g "$path/name" "$path/data/lab/sync/$2" || ret=$?
	case $ret in
	0) ;;
	2) fail "guest $1 ended before $2" ;;
	*) fail "guest $1: waited ${3:-60} s for $2" ;;
	esac
}

# vdispl_wait NAME STATE [SECONDS]: until the frontend's state is STATE (4 is
# Connected)
vdispl_wait() {
	local path
	path=$(guest_path "$1")
	xswait -t "${3:-30}" -g "$path/name" "$path/device/vdispl/0/state=$2" >/dev/null ||
		fail "guest $1: display not in state $2 after ${3:-30} s"
}

# guest_log NAME: its console so far
guest_log() { cat "/out/console/guest-$1.log"; }

# xl_quick SECONDS ARG...: xl, which must succeed within SECONDS
xl_quick() {
	local secs=$1
	shift
	timeout "$secs" xl "$@" || fail "xl $*: not done within $secs s"
}

# -- backend -----------------------------------------------------------------

# backend_start [OPTION...]: and wait until it answers
backend_start() {
	rm -f "$RUN/backend.status" "$RUN/backend.killed"
	[ $# -gt 0 ] || set -- --output headless
	(
		set +e
		xen-displayd --foreground "$@" >>"$OUT/displayd.log" 2>&1 8>&- 9<&- &
		echo $! >"$RUN/backend.pid"
		wait $!
		echo $? >"$RUN/backend.status"
	) &
	retry 10 backend_answers || fail "xen-displayd does not answer"
}

backend_answers() {
	[ ! -s "$RUN/backend.status" ] || fail "xen-displayd ended with status $(cat "$RUN/backend.status")"
	xen-displayctl list >/dev/null 2>&1
}

backend_pid() { cat "$RUN/backend.pid"; }

# backend_alive: the process started last still runs and answers
backend_alive() {
	if [ -s "$RUN/backend.status" ] || ! xen-displayctl list >/dev/null; then
		fail "xen-displayd is not alive"
	fi
}

# backend_stop [SECONDS]: SIGTERM, must end with status 0
backend_stop() {
	kill -TERM "$(backend_pid)"
	retry "${1:-10}" test -s "$RUN/backend.status" ||
		fail "xen-displayd did not end within ${1:-10} s of SIGTERM"
	[ "$(cat "$RUN/backend.status")" = 0 ] ||
		fail "xen-displayd ended with status $(cat "$RUN/backend.status")"
	rm "$RUN/backend.pid"
}

# backend_kill: SIGKILL, and wait for the end
backend_kill() {
	: >"$RUN/backend.killed"
	kill -KILL "$(backend_pid)"
	retry 5 test -s "$RUN/backend.status" || fail "xen-displayd survives SIGKILL"
}

# strict_start NAME [OPTION...]: strictback serves guest NAME's display instead
strict_start() {
	local name=$1
	shift
	rm -f "$RUN/strict.status"
	: >"$RUN/strict.log"
	(
		set +e
		strictback "$@" "$(guest_domid "$name")" >"$RUN/strict.log" 2>&1 8>&- 9<&- &
		echo $! >"$RUN/strict.pid"
		wait $!
		echo $? >"$RUN/strict.status"
	) &
	retry 5 test -s "$RUN/strict.pid" || fail "strictback does not start"
}

# strict_stop: it ends, and nothing that the frontend sent was wrong
strict_stop() {
	kill -TERM "$(cat "$RUN/strict.pid")" 2>/dev/null || true
	retry 30 test -s "$RUN/strict.status" || fail "strictback did not end"
	rm "$RUN/strict.pid"
	cat "$RUN/strict.log"
	[ "$(cat "$RUN/strict.status")" = 0 ] ||
		fail "strictback: $(grep -e ^WRONG: -e ^strictback: "$RUN/strict.log")"
}

# ctl_column COLUMN COMMAND...: what xen-displayctl COMMAND says there, first row
ctl_column() {
	local column=$1
	shift
	xen-displayctl "$@" 2>/dev/null | awk -v column="$column" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) at = i }
		NR == 2 && at { print $at }'
}

# of_guest NAME COLUMN COMMAND...: what xen-displayctl COMMAND... says there
of_guest() {
	local id column=$2
	id=$(guest_domid "$1")
	shift 2
	xen-displayctl "$@" 2>/dev/null | awk -v column="$column" -v id="$id" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) at = i }
		NR > 1 && at && $1 == id { print $at }'
}

# stats_of NAME COUNTER, frames NAME: of its worker, from when it started on
stats_of() { of_guest "$1" "$2" stats "$(guest_domid "$1")"; }

frames() { stats_of "$1" frames; }

frames_beyond() { [ "$(frames "$1")" -gt "$2" ] 2>/dev/null; }

# frames_flow NAME: a worker shows frames; after another one has come
frames_flow() { frames_beyond "$1" 3; }

# frames_go_on NAME [SECONDS]: more come than there are by now
frames_go_on() {
	local before
	before=$(frames "$1")
	retry "${2:-20}" frames_beyond "$1" $((${before:-0} + 3)) ||
		fail "guest $1 shows no frames after ${before:-none}"
}

# frames_stand NAME: a second passes without one; those on their way may come first
frames_stand() {
	local before
	sleep 1
	before=$(frames "$1")
	sleep 1
	[ -n "$before" ] && [ "$(frames "$1")" = "$before" ]
}

# worker NAME: its process; worker_other NAME OLD: there is one, and it is not OLD
worker() { of_guest "$1" worker list; }

worker_other() {
	local now
	now=$(worker "$1")
	[ "$now" -gt 0 ] 2>/dev/null && [ "$now" != "$2" ]
}

# workers_confined NAME...: each of them has a worker; these, and whatever else the
# backend has started, have a seccomp filter and are not root's
workers_confined() {
	local name pid pids
	pids=$(pgrep -P "$(backend_pid)" | tr '\n' ' ')
	for name; do
		case " $pids" in
		*" $(worker "$name") "*) ;;
		*) fail "guest $name's worker '$(worker "$name")' is not of the backend's processes: $pids" ;;
		esac
	done
	for pid in $pids; do
		grep -q '^Seccomp:[[:space:]]*2$' "/proc/$pid/status" ||
			fail "a worker without a seccomp filter"
		! grep -q '^Uid:[[:space:]]*0[[:space:]]' "/proc/$pid/status" || fail "a worker of root's"
	done
}

# display_devid NAME: the number of its vdispl, for xl
display_devid() { xl vdispl-list "$(guest_domid "$1")" | awk 'NR == 2 { print $1 }'; }

# -- pictures ----------------------------------------------------------------

# screenshot NAME[:CONNECTOR] FILE.png
screenshot() {
	local name=${1%%:*} conn=
	[ "$name" = "$1" ] || conn=:${1#*:}
	xen-displayctl screenshot "$(guest_domid "$name")$conn" "$2" ||
		fail "no screenshot of $1"
}

# expect_png FILE.png GOLDEN.png: pixel by pixel; GOLDEN from tests/golden
expect_png() {
	pngcmp "/lab/golden/$2" "$1" "${1%.png}-difference.png" ||
		fail "$1 is not $2; see ${1%.png}-difference.png"
}

# expect_screen NAME[:CONNECTOR] GOLDEN.png [SECONDS]: until the screen shows
# GOLDEN; for what the guest draws without telling when it is done
expect_screen() {
	local file
	file=$(echo "$1" | tr : -).png
	retry "${3:-20}" screen_is "$1" "$2" "$file" >/dev/null 2>&1 && return
	[ -e "$file" ] || fail "no screenshot of $1 for ${3:-20} s"
	expect_png "$file" "$2"
}

screen_is() {
	local name=${1%%:*} conn=
	[ "$name" = "$1" ] || conn=:${1#*:}
	xen-displayctl screenshot "$(guest_domid "$name")$conn" "$3" &&
		pngcmp "/lab/golden/$2" "$3"
}

# expect_card NAME[:CONNECTOR] [MKGOLDEN OPTION...]: the screen shows what
# mkgolden writes with these options; see tests/golden/mkgolden.c
expect_card() {
	local screen=$1 file
	cards=$((${cards:-0} + 1))
	file=$(printf 'card-%02d-%s' "$cards" "$(echo "$screen" | tr : -)")
	shift
	screenshot "$screen" "$file.png"
	mkgolden "$@" "$file-golden.png" || fail "mkgolden $*"
	pngcmp "$file-golden.png" "$file.png" "$file-difference.png" ||
		fail "$screen is not the card of mkgolden $*; see $file-difference.png"
	rm "$file-golden.png"
}

# key_lines KEY SECTION PATTERN: how many lines of a debug key about a domain
key_lines() {
	labxen log >>"$OUT/xen.log"
	labxen key "$1"
	labxen log | tee -a "$OUT/xen.log" | sed 's/\r$//' | awk -v section="$2" -v pattern="$3" '
		/remote d[0-9]+|information for domain [0-9]+/ { inside = $0 ~ section }
		inside && $0 ~ pattern { count++ }
		END { print count + 0 }'
}

# step_wait NAME STEP [SECONDS]: until the guest's $LOOK has come to STEP, and
# it is the next one; step_done NAME: the guest goes on
step_wait() {
	steps=$((${steps:-0} + 1))
	sync_wait "$1" "step=$steps:$2" "${3:-60}"
}

step_done() { sync_set "$1" seen "$steps"; }
