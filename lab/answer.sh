# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What a scenario may ask of the machine that it runs in, from outside: see
# "host" in lab/dom0/lib.sh. Sourced by lab/run.
# shellcheck disable=SC2154  # $work, $BUILD are lab/run's

# qmp JSON: one command to QEMU; fails with its error
qmp() {
	local line n=0
	coproc QMP { exec socat - "UNIX-CONNECT:$work/qmp.sock"; }
	local from=${QMP[0]} to=${QMP[1]} pid=$QMP_PID
	printf '%s\n' '{"execute":"qmp_capabilities"}' "$1" >&"$to"
	while [ $n -lt 2 ] && read -r line <&"$from"; do
		case $line in
		*'"return":'* | *'"error":'*) n=$((n + 1)) ;;
		esac
	done
	kill "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
	[ $n -eq 2 ] && [[ $line != *'"error":'* ]] && return
	printf '%s\n' "${line:-QEMU does not answer}"
	return 1
}

# screendump DEVICE HEAD FILE.png: what a graphics card shows on an output
screendump() {
	qmp "{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"$3\",
		\"format\":\"png\",\"device\":\"$1\",\"head\":$2}}"
}

# answer "COMMAND...": to the scenario, as a line STATUS SIZE and SIZE bytes
answer() {
	local file=$work/answer status=0 word
	read -r -a word <<<"$1"
	: >"$file"
	case ${word[0]} in
	qmp) qmp "${1#qmp }" >"$file" || status=1 ;;
	screendump)
		if ! screendump "${word[1]}" "${word[2]}" "$file.png" >"$file"; then
			status=1
		else
			mv "$file.png" "$file"
		fi
		;;
	# an output's monitor changes its size, 0 0: it is unplugged
	monitor)
		"$BUILD/lab-tools/vncsay" "$work/${word[1]}.sock" 0 ask "${word[@]:2:2}" \
			>"$file" 2>&1 || status=1
		;;
	*)
		echo "lab/run knows no ${word[0]}" >"$file"
		status=2
		;;
	esac
	{
		printf '%s %s\n' "$status" "$(stat -c %s "$file")"
		cat "$file"
	} >"$work/answers.in"
}
