# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# dom0's half of a soak: works off the plan of soak-plan.awk against guest g1, whose
# client flips, and guest bad, which plays a hostile frontend. Sourced by
# lab/scenarios/soak. The order of things is the same for the same seed.

# -- orders to guests --------------------------------------------------------

# order GUEST WORD...: it does that; leaves what it says in $answer
order() {
	local name=$1 turn path
	shift
	eval "orders_$name=\$((\${orders_$name:-0} + 1)); turn=\$orders_$name"
	sync_set "$name" "order-$turn" "$*"
	# lost first: a client that is gone answers nothing more
	path=$(guest_path "$name")/data/lab
	xswait -t 120 -g "${path%/data/lab}/name" "$path/sync/lost" "$path/status" \
		"$path/sync/done-$turn" >"$RUN/answer" || fail "guest $name: no answer to: $*"
	answer=$(cat "$RUN/answer")
	client_lives "$name" "$*"
	xenstore-rm "$path/sync/order-$turn" "$path/sync/done-$turn"
}

# client_lives [GUEST [DOING]]: its client has not ended, nor its job
client_lives() {
	local path
	path=$(guest_path "${1:-g1}")/data/lab
	if xenstore-exists "$path/sync/lost" 2>/dev/null; then
		fail "the client is lost (${2:-}): status $(xenstore-read "$path/sync/lost")"
	fi
	! xenstore-exists "$path/status" 2>/dev/null ||
		fail "guest ${1:-g1} has ended its job (${2:-})"
}

# -- the clock ---------------------------------------------------------------

uptime_s() { cut -d. -f1 /proc/uptime; }

# What the whole machine stood still for, stopped from outside, is none of the
# soak's time.
watch_clock() {
	local last now
	last=$(uptime_s)
	while sleep 1; do
		now=$(uptime_s)
		[ $((now - last)) -lt 15 ] || echo $((now - last)) >>"$RUN/stood-still"
		last=$now
	done
}

stood_still() { awk '{ sum += $1 } END { print sum + 0 }' "$RUN/stood-still"; }

elapsed() { echo $(($(uptime_s) - started - $(stood_still))); }

clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# -- what is looked at -------------------------------------------------------

flow() { frames_flow g1 || client_lives g1; }

# flows WHAT: frames arrive again
flows() {
	retry 60 frames_flow g1 || fail "no frames after: $1"
	client_lives g1 "$1"
}

# frames of both connectors go on from where they are
flows_on() {
	frames_before=$(frames g1)
	retry 60 frames_beyond g1 $((${frames_before:-0} + 3)) || fail "no frames after: $1"
	client_lives g1 "$1"
}

# picture_hold SEED: the client shows a card and holds still; picture_check SEED:
# it is on the screens, as soon as a backend is there; picture_go: it flips again
picture_hold() {
	order g1 picture "$1"
	sizes=$answer
}

picture_is() { # CONNECTOR
	xen-displayctl screenshot "$(guest_domid g1):$1" "soak-$1.png" 2>/dev/null &&
		pngcmp "golden-$1.png" "soak-$1.png" "difference-$1.png" >/dev/null
}

picture_check() {
	local connector=0 size
	for size in $sizes; do
		mkgolden --mode "$size" --seed "$1" "golden-$connector.png" || fail "mkgolden $size"
		retry 60 picture_is $connector ||
			fail "g1:$connector does not show the card $size of seed $1"
		rm -f "golden-$connector.png" "soak-$connector.png" "difference-$connector.png"
		connector=$((connector + 1))
	done
}

picture_go() { order g1 go; }

# -- actions -----------------------------------------------------------------

# meanwhile WHAT: while there is no backend, and the guest must not notice
meanwhile() {
	case $1 in
	mode) order g1 mode 0 "$number" ;;
	buffers) order g1 buffers 2 ;;
	client) do_client ;;
	beside) order g1 beside "$number" ;;
	esac
}

before() {
	case $1 in
	off) order g1 off 0 ;;
	picture) picture_hold "$number" ;;
	esac
}

# after WHAT DONE: the guest is as it was
after() {
	case $1 in
	off) flows "$2" && order g1 on 0 ;;
	picture) picture_check "$number" && picture_go ;;
	esac
	flows "$2"
}

do_kill() {
	before "$1"
	backend_kill
	meanwhile "$1"
	backend_start
	rm -f "$RUN/backend.killed"
	after "$1" "kill $1"
}

do_stop() {
	backend_stop
	backend_start
	flows stop
}

do_worker() {
	local old
	before "$1"
	old=$(worker g1)
	kill -KILL "$old" || fail "no worker '$old' to kill"
	meanwhile "$1"
	retry 60 worker_other g1 "$old" || fail "no new worker"
	after "$1" "worker $1"
}

# a restored guest has the monitors of its configuration, whatever size they had:
# a picture that is to be there again fits
do_save() {
	[ "$1" != picture ] || { do_resize 0 800x600 && do_resize 1 640x480; }
	before "$1"
	guest_save g1 600
	guest_restore g1 600
	after "$1" "save $1"
}

do_pause() {
	local id old
	id=$(guest_domid g1)
	xl pause "$id"
	case $1 in
	kill)
		backend_kill
		backend_start
		rm -f "$RUN/backend.killed"
		;;
	worker)
		old=$(worker g1)
		kill -KILL "$old" || fail "no worker '$old' to kill"
		;;
	esac
	xl unpause "$id"
	[ "$1" != worker ] || retry 60 worker_other g1 "$old" || fail "no new worker"
	flows_on "pause $1"
}

do_client() {
	order g1 leave
	clients="$clients$answer
"
	order g1 start
}

do_beside() {
	order g1 beside "$1"
	flows_on "beside $1"
}

do_buffers() {
	order g1 buffers "$1"
	flows_on "buffers $1"
}

do_mode() {
	order g1 mode "$1" "$2"
	flows_on "mode $1 $2"
}

do_resize() {
	xen-displayctl resize "$(guest_domid g1):$1" "$2" || fail "xen-displayctl resize"
	order g1 size "$1" "$2"
	flows_on "resize $1 $2"
}

do_off() {
	order g1 off "$1"
	flows_on "off $1"
	order g1 on "$1"
	flows_on "on $1"
}

do_picture() {
	picture_hold "$1"
	picture_check "$1"
	picture_go
	flows_on "picture $1"
}

do_pressure() {
	order g1 pressure
	flows_on pressure
}

soak_vdispl="id0:800x600;id1:640x480"

# the client is told, and goes with its device
do_detach() {
	local id
	id=$(guest_domid g1)
	order g1 unplug
	xl_quick 600 vdispl-detach "$id" "$(display_devid g1)"
	order g1 gone
	xl_quick 600 vdispl-attach "$id" backend=Domain-0 be-alloc=0 "connectors=$soak_vdispl"
	order g1 open
	flows detach
}

do_unbind() {
	order g1 unplug
	order g1 unbind
	order g1 gone
	order g1 bind
	order g1 open
	flows unbind
}

do_hostile() {
	order bad badfront "$1"
	flows_on "hostile $1"
}

# -- counters ----------------------------------------------------------------

rss() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }

fds() { find "/proc/$1/fd" -mindepth 1 | wc -l; }

zombies() { grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l; }

# still: no client in g1, its monitors as configured, the console on them; the
# other guest connected
still() {
	order g1 leave
	clients="$clients$answer
"
	xen-displayctl resize "$(guest_domid g1):0" 800x600
	xen-displayctl resize "$(guest_domid g1):1" 640x480
	order g1 unbind
	order g1 bind
	order bad badfront honest
}

# counters NAME: as name=value lines in NAME.txt, after still
counters() {
	local id worker
	id=$(guest_domid g1)
	retry 60 worker_other g1 0 || fail "no worker"
	worker=$(worker g1)
	order g1 counters
	ls -l "/proc/$worker/fd" "/proc/$(backend_pid)/fd" >"$1-fds.txt"
	counters_of "$id" "$worker" >"$1.txt"
}

counters_of() { # DOMID WORKER
	local id=$1 worker=$2
	echo "$answer" | tr ' ' '\n'
	echo "xen-grants-in-use=$(key_lines g "remote d$id( |$)" '\[0x')"
	echo "xen-event-channels=$(key_lines e "domain $id:" '^.*[0-9]+ \[')"
	echo "dom0-event-channels=$(key_lines e "domain 0:" '^.*[0-9]+ \[')"
	echo "xenstore-nodes=$(xenstore-ls /local/domain/0/backend | wc -l)"
	echo "processes=$(pidof xen-displayd | wc -w)"
	echo "zombies=$(zombies)"
	echo "supervisor-fds=$(fds "$(backend_pid)")"
	echo "supervisor-KiB=$(rss "$(backend_pid)")"
	echo "worker-fds=$(fds "$worker")"
	echo "worker-KiB=$(rss "$worker")"
	echo "worker-buffers=$(stats_of g1 buffers)"
	echo "worker-framebuffers=$(stats_of g1 framebuffers)"
	echo "worker-mapped-pages=$(stats_of g1 mapped-pages)"
}

# counters_same BEFORE AFTER: exactly, but for what is memory in KiB, which may
# have grown a little
counters_same() {
	awk -F= '
		FNR == NR { before[$1] = $2; next }
		{
			slack = 0
			if ($1 == "guest-available-KiB") slack = 8192
			else if ($1 == "guest-slab-KiB") slack = 3072
			else if ($1 ~ /KiB$/) slack = 1536
			change = $2 - before[$1]
			if ($1 == "guest-available-KiB") change = -change
			bad = !($1 in before) || (slack ? change > slack : change != 0)
			printf "%s%s: %s, at the start %s\n", bad ? "NOT BACK: " : "", $1, $2, before[$1]
			failed += bad
		}
		END { exit failed > 0 }' "$1" "$2" >counters.txt || {
		grep '^NOT BACK' counters.txt >>"$RUN/fail"
		fail "counters are not back at their start, see counters.txt"
	}
}

# -- the soak ----------------------------------------------------------------

# what went wrong is told with where it went wrong
soak_ends() {
	kill "$watcher" 2>/dev/null || true
	[ "${finished:-no}" = yes ] ||
		echo "soak: seed $seed, $minutes minutes, action $number of $total: ${action:-none}; $(clock "$(elapsed)") on, of which it stood still for $(stood_still) s more" >>"$RUN/fail"
}

soak_begin() {
	started=$(uptime_s)
	: >"$RUN/stood-still"
	watch_clock &
	watcher=$!
	trap soak_ends EXIT
	awk -v minutes="$minutes" -v seed="$seed" -f /lab/dom0/soak-plan.awk >plan.txt
	total=$(wc -l <plan.txt)
	note "soak: seed $seed, $minutes minutes, $total actions"
}

# soak_warm: each kind once, so that what is allocated once is
soak_warm() {
	order g1 start
	flows start
	do_kill nothing
	do_worker nothing
	do_save flipping
	do_pressure
	still
	counters start
	order g1 start
	flows start
}

# soak_wait: when the plan is ahead of its time the clients flip undisturbed
soak_wait() {
	local due
	due=$((number * minutes * 60 / total))
	while [ "$(elapsed)" -lt $due ]; do
		sleep 1
	done
}

soak_work() {
	while read -r action <&4; do
		number=$((number + 1))
		note "soak: $number/$total, $(clock "$(elapsed)") of $minutes:00: $action"
		# shellcheck disable=SC2086  # words
		set -- $action
		shift
		"do_${action%% *}" "$@" 4<&-
		backend_alive
		soak_wait
	done 4<plan.txt
}

# soak MINUTES SEED
soak() {
	minutes=$1 seed=$2
	number=0 total=0 action='' clients=''
	soak_begin
	backend_start
	guest_create g1 "vdispl=$soak_vdispl"
	guest_create bad modprobe=no vdispl=id0:640x480 memory=160
	sync_wait g1 ready
	sync_wait bad ready
	action="warming up"
	soak_warm
	started=$(uptime_s)
	: >"$RUN/stood-still"
	soak_work
	action="the end"
	still
	counters end
	counters_same start.txt end.txt
	soak_tell_result
	finished=yes
	order_end g1
	order_end bad
	guest_wait g1
	guest_wait bad
	backend_alive
}

order_end() {
	eval "orders_$1=\$((\${orders_$1:-0} + 1))"
	eval "sync_set \"$1\" \"order-\$orders_$1\" end"
}

soak_tell_result() {
	note "soak: $(clock "$(elapsed)"), stood still for $(stood_still) s more; done: $(awk '{ count[$1]++ } END { for (kind in count) printf "%s%d %s", n++ ? ", " : "", count[kind], kind }' plan.txt)"
	note "soak: $(printf '%s' "$clients" | awk '{ flips += $2; events += $4; pauses += $6; if ($8 > worst) worst = $8; relinks += $10; n++ }
		END { printf "%d clients left as told, none lost: %d flips, %d events, %d pauses, the longest %.1f s, %d modes set again for a Bad link", n, flips, events, pauses, worst / 1000, relinks }')"
}
