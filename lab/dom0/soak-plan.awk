# SPDX-License-Identifier: GPL-2.0-or-later
# The plan of a soak: what is done to the guests, in which order. The same for
# the same seed and time.
#
#   awk -v minutes=60 -v seed=1 -f lab/dom0/soak-plan.awk
#
# Writes lines "ACTION [ARGUMENT...]"; what they mean is in soak.sh. The last
# eighth has no kills: the backend's last life is to be long enough for a leak to
# show.

# Park and Miller's generator: its products fit into a double
function random(below) {
	state = state * 16807 % 2147483647
	return state % below
}

function pick(list,	words, n) {
	n = split(list, words, "|")
	return words[random(n) + 1]
}

# often the plain kill, else one with something happening meanwhile
function kill_args() {
	return pick("nothing|nothing|nothing|nothing|mode|off|buffers|client|beside|picture")
}

function arguments(kind) {
	if (kind == "kill" || kind == "worker")
		return " " kill_args()
	if (kind == "pause")
		return " " pick("nothing|kill|worker")
	if (kind == "save")
		return " " pick("flipping|flipping|off|picture")
	if (kind == "mode")
		return " " random(2) " " random(100)
	if (kind == "resize")
		return " " random(2) " " pick("640x480|800x600|1024x768|720x400|1000x700|331x207")
	if (kind == "off")
		return " " random(2)
	if (kind == "beside" || kind == "picture")
		return " " (random(100000) + 2)
	if (kind == "buffers")
		return " " (random(8) + 1)
	if (kind == "hostile")
		return " " pick("sizes|attach|directories|backend-path|quota|flips-pending|flood|producer|scribble|nodes|backend-memory|honest")
	return ""
}

# often: how many in 60 minutes; late: also in the plan's last part
function add(kind, often, late,	i, count) {
	count = int((often * minutes + 59) / 60)
	for (i = 0; i < count; i++)
		if (late && i % 8 == 7)
			tail[tails++] = kind arguments(kind)
		else
			head[heads++] = kind arguments(kind)
}

function shuffle(list, count,	i, j, held) {
	for (i = count - 1; i > 0; i--) {
		j = random(i + 1)
		held = list[i]
		list[i] = list[j]
		list[j] = held
	}
}

BEGIN {
	state = seed % 2147483646 + 1
	for (i = 0; i < 10; i++)
		random(2)
	add("kill", 200, 0)
	add("stop", 20, 0)
	add("worker", 60, 1)
	add("save", 34, 1)
	add("pause", 30, 0)
	add("client", 40, 1)
	add("beside", 30, 1)
	add("buffers", 20, 1)
	add("mode", 40, 1)
	add("resize", 30, 1)
	add("off", 20, 1)
	add("picture", 30, 1)
	add("pressure", 12, 1)
	add("detach", 10, 1)
	add("unbind", 10, 1)
	add("hostile", 24, 1)
	shuffle(head, heads)
	shuffle(tail, tails)
	for (i = 0; i < heads; i++)
		print head[i]
	for (i = 0; i < tails; i++)
		print tail[i]
}
