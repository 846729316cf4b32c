# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Helpers of the build and lab scripts. Sourced with $TOP set to the tree.

BUILD=${BUILD:-$TOP/build}
CACHE=$BUILD/cache
LOGS=$BUILD/logs

# set -e must not end a script without a word
set -E
trap 'warn "${BASH_SOURCE[0]##*/}:$LINENO: failed ($?): $BASH_COMMAND"' ERR

say() { printf '>> %s\n' "$*"; }
warn() { printf '!! %s\n' "$*" >&2; }

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# list FILE...: the words of list files, without comments
list() { sed -e 's/#.*//' "$@" | tr -s ' \t' '\n' | sed '/^$/d'; }

# git knows which files are the tree's
need_git() {
	git -C "$TOP" rev-parse --git-dir >/dev/null 2>&1 ||
		die "$TOP is not a clone of the repository: git has to know its files"
}

# step LOGNAME TEXT COMMAND...: run a long command with its output in a log.
# Says what runs, now and then that it still runs, and how long it took; shows
# the end of the log and exits when the command fails.
step() {
	local log=$LOGS/$1.log text=$2 start=$SECONDS ticker status=0
	shift 2
	mkdir -p "$LOGS"
	say "$text ..."
	(
		trap 'kill "$nap" 2>/dev/null; exit' TERM
		while :; do
			sleep 20 &
			nap=$!
			wait "$nap"
			say "  ... $((SECONDS - start)) s, log in ${log#"$TOP"/}"
		done
	) &
	ticker=$!
	# in the background, so that set -e holds inside COMMAND
	"$@" >"$log" 2>&1 </dev/null &
	wait $! || status=$?
	kill "$ticker"
	wait "$ticker" 2>/dev/null || true
	if [ "$status" -ne 0 ]; then
		tail -n 25 "$log" | sed 's/^/   /' >&2
		warn "failed ($status): $text; whole log: ${log#"$TOP"/}"
		exit "$status"
	fi
	say "  done ($((SECONDS - start)) s)"
}

# as_root COMMAND...: through sudo when we are not root
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "needs root for: $* (no sudo here; run it as root, then try again)"
	fi
}

# stamp_key FILE|=TEXT...: one checksum over files and literal texts
stamp_key() {
	local arg
	for arg in "$@"; do
		case $arg in
		=*) printf '%s\n' "${arg#=}" ;;
		*) sha256sum <"$arg" ;;
		esac
	done | sha256sum | cut -d' ' -f1
}

# fresh TARGET KEY: is TARGET there and made from inputs with this key?
fresh() { [ -e "$1" ] && [ "$(cat "$1.stamp" 2>/dev/null)" = "$2" ]; }

stamped() { printf '%s\n' "$2" >"$1.stamp"; }

# kernels: "SERIES RELEASE" lines as scripts/setup recorded them
kernels() { cat "$CACHE/kernels" 2>/dev/null || true; }

# release SERIES: the kernel release of 6.1 or 6.12
release() {
	local rel
	rel=$(kernels | awk -v s="$1" '$1 == s { print $2 }')
	[ -n "$rel" ] || die "no kernel release known for series $1; run scripts/setup"
	printf '%s\n' "$rel"
}

# lock NAME: one process at a time from here to the end of the script
lock() {
	mkdir -p "$CACHE"
	exec 7>"$CACHE/$1.lock"
	flock -n 7 && return
	say "waiting for another run that holds $1"
	flock 7
}

# the pages of noVNC, in build/cache: installed, it would bring a server of its own
fetch_novnc() {
	[ -e "$CACHE/novnc/vnc.html" ] || step novnc "Fetching noVNC" unpack_novnc
}

unpack_novnc() {
	local dir=$CACHE/novnc.new
	rm -rf "$dir" "$CACHE/novnc"
	mkdir -p "$dir"
	(cd "$dir" && apt-get -q -o APT::Sandbox::User= download novnc)
	dpkg-deb -x "$dir"/novnc_*.deb "$dir"
	mv "$dir/usr/share/novnc" "$CACHE/novnc"
	rm -rf "$dir"
}
