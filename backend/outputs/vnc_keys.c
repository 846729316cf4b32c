/* SPDX-License-Identifier: GPL-2.0-or-later */
/* X keysyms and the keys of a US keyboard, with Shift where one needs it. */
#include <linux/input-event-codes.h>
#include <stddef.h>
#include <string.h>

#include "outputs/vnc.h"

/* ' ' to '~' */
static const uint8_t printable[] = {
	KEY_SPACE, KEY_1, KEY_APOSTROPHE, KEY_3,		/*  !"# */
	KEY_4, KEY_5, KEY_7, KEY_APOSTROPHE,			/* $%&' */
	KEY_9, KEY_0, KEY_8, KEY_EQUAL,				/* ()*+ */
	KEY_COMMA, KEY_MINUS, KEY_DOT, KEY_SLASH,		/* ,-./ */
	KEY_0, KEY_1, KEY_2, KEY_3, KEY_4, KEY_5, KEY_6, KEY_7,
	KEY_8, KEY_9, KEY_SEMICOLON, KEY_SEMICOLON,		/* 89:; */
	KEY_COMMA, KEY_EQUAL, KEY_DOT, KEY_SLASH,		/* <=>? */
	KEY_2, KEY_A, KEY_B, KEY_C, KEY_D, KEY_E, KEY_F, KEY_G,	/* @A-G */
	KEY_H, KEY_I, KEY_J, KEY_K, KEY_L, KEY_M, KEY_N, KEY_O,
	KEY_P, KEY_Q, KEY_R, KEY_S, KEY_T, KEY_U, KEY_V, KEY_W,
	KEY_X, KEY_Y, KEY_Z, KEY_LEFTBRACE,			/* XYZ[ */
	KEY_BACKSLASH, KEY_RIGHTBRACE, KEY_6, KEY_MINUS,	/* \]^_ */
	KEY_GRAVE, KEY_A, KEY_B, KEY_C, KEY_D, KEY_E, KEY_F, KEY_G, /* `a-g */
	KEY_H, KEY_I, KEY_J, KEY_K, KEY_L, KEY_M, KEY_N, KEY_O,
	KEY_P, KEY_Q, KEY_R, KEY_S, KEY_T, KEY_U, KEY_V, KEY_W,
	KEY_X, KEY_Y, KEY_Z, KEY_LEFTBRACE,			/* xyz{ */
	KEY_BACKSLASH, KEY_RIGHTBRACE, KEY_GRAVE,		/* |}~ */
};

static const struct {
	uint32_t keysym;
	uint16_t key;
} others[] = {
	{ 0xfe03, KEY_RIGHTALT },	/* ISO_Level3_Shift */
	{ 0xfe20, KEY_TAB },		/* ISO_Left_Tab */
	{ 0xff08, KEY_BACKSPACE },
	{ 0xff09, KEY_TAB },
	{ 0xff0a, KEY_ENTER },		/* Linefeed */
	{ 0xff0d, KEY_ENTER },
	{ 0xff13, KEY_PAUSE },
	{ 0xff14, KEY_SCROLLLOCK },
	{ 0xff15, KEY_SYSRQ },
	{ 0xff1b, KEY_ESC },
	{ 0xffff, KEY_DELETE },
	/* Japanese and Korean */
	{ 0xff22, KEY_MUHENKAN },
	{ 0xff23, KEY_HENKAN },
	{ 0xff27, KEY_KATAKANAHIRAGANA },
	{ 0xff2a, KEY_ZENKAKUHANKAKU },
	{ 0xff31, KEY_HANGEUL },
	{ 0xff34, KEY_HANJA },
	/* moving about */
	{ 0xff50, KEY_HOME },
	{ 0xff51, KEY_LEFT },
	{ 0xff52, KEY_UP },
	{ 0xff53, KEY_RIGHT },
	{ 0xff54, KEY_DOWN },
	{ 0xff55, KEY_PAGEUP },
	{ 0xff56, KEY_PAGEDOWN },
	{ 0xff57, KEY_END },
	{ 0xff58, KEY_HOME },		/* Begin */
	{ 0xff61, KEY_SYSRQ },		/* Print */
	{ 0xff63, KEY_INSERT },
	{ 0xff65, KEY_UNDO },
	{ 0xff66, KEY_REDO },
	{ 0xff67, KEY_COMPOSE },	/* Menu */
	{ 0xff68, KEY_FIND },
	{ 0xff69, KEY_CANCEL },
	{ 0xff6a, KEY_HELP },
	{ 0xff6b, KEY_PAUSE },		/* Break */
	{ 0xff7e, KEY_RIGHTALT },	/* Mode_switch */
	{ 0xff7f, KEY_NUMLOCK },
	/* the keypad, with Num Lock and without */
	{ 0xff80, KEY_SPACE },
	{ 0xff89, KEY_TAB },
	{ 0xff8d, KEY_KPENTER },
	{ 0xff95, KEY_KP7 },		/* Home */
	{ 0xff96, KEY_KP4 },		/* Left */
	{ 0xff97, KEY_KP8 },		/* Up */
	{ 0xff98, KEY_KP6 },		/* Right */
	{ 0xff99, KEY_KP2 },		/* Down */
	{ 0xff9a, KEY_KP9 },		/* Page Up */
	{ 0xff9b, KEY_KP3 },		/* Page Down */
	{ 0xff9c, KEY_KP1 },		/* End */
	{ 0xff9d, KEY_KP5 },		/* Begin */
	{ 0xff9e, KEY_KP0 },		/* Insert */
	{ 0xff9f, KEY_KPDOT },		/* Delete */
	{ 0xffaa, KEY_KPASTERISK },
	{ 0xffab, KEY_KPPLUS },
	{ 0xffac, KEY_KPCOMMA },
	{ 0xffad, KEY_KPMINUS },
	{ 0xffae, KEY_KPDOT },
	{ 0xffaf, KEY_KPSLASH },
	{ 0xffb0, KEY_KP0 },
	{ 0xffb1, KEY_KP1 },
	{ 0xffb2, KEY_KP2 },
	{ 0xffb3, KEY_KP3 },
	{ 0xffb4, KEY_KP4 },
	{ 0xffb5, KEY_KP5 },
	{ 0xffb6, KEY_KP6 },
	{ 0xffb7, KEY_KP7 },
	{ 0xffb8, KEY_KP8 },
	{ 0xffb9, KEY_KP9 },
	{ 0xffbd, KEY_KPEQUAL },
	/* F1 ... F24: neither is in one row */
	{ 0xffbe, KEY_F1 },
	{ 0xffbf, KEY_F2 },
	{ 0xffc0, KEY_F3 },
	{ 0xffc1, KEY_F4 },
	{ 0xffc2, KEY_F5 },
	{ 0xffc3, KEY_F6 },
	{ 0xffc4, KEY_F7 },
	{ 0xffc5, KEY_F8 },
	{ 0xffc6, KEY_F9 },
	{ 0xffc7, KEY_F10 },
	{ 0xffc8, KEY_F11 },
	{ 0xffc9, KEY_F12 },
	{ 0xffca, KEY_F13 },
	{ 0xffcb, KEY_F14 },
	{ 0xffcc, KEY_F15 },
	{ 0xffcd, KEY_F16 },
	{ 0xffce, KEY_F17 },
	{ 0xffcf, KEY_F18 },
	{ 0xffd0, KEY_F19 },
	{ 0xffd1, KEY_F20 },
	{ 0xffd2, KEY_F21 },
	{ 0xffd3, KEY_F22 },
	{ 0xffd4, KEY_F23 },
	{ 0xffd5, KEY_F24 },
	/* modifiers */
	{ 0xffe1, KEY_LEFTSHIFT },
	{ 0xffe2, KEY_RIGHTSHIFT },
	{ 0xffe3, KEY_LEFTCTRL },
	{ 0xffe4, KEY_RIGHTCTRL },
	{ 0xffe5, KEY_CAPSLOCK },
	{ 0xffe6, KEY_CAPSLOCK },	/* Shift Lock */
	{ 0xffe7, KEY_LEFTMETA },
	{ 0xffe8, KEY_RIGHTMETA },
	{ 0xffe9, KEY_LEFTALT },
	{ 0xffea, KEY_RIGHTALT },
	{ 0xffeb, KEY_LEFTMETA },	/* Super */
	{ 0xffec, KEY_RIGHTMETA },
	{ 0xffed, KEY_LEFTMETA },	/* Hyper */
	{ 0xffee, KEY_RIGHTMETA },
	/* sound and the like */
	{ 0x1008ff02, KEY_BRIGHTNESSUP },
	{ 0x1008ff03, KEY_BRIGHTNESSDOWN },
	{ 0x1008ff11, KEY_VOLUMEDOWN },
	{ 0x1008ff12, KEY_MUTE },
	{ 0x1008ff13, KEY_VOLUMEUP },
	{ 0x1008ff14, KEY_PLAYPAUSE },
	{ 0x1008ff15, KEY_STOPCD },
	{ 0x1008ff16, KEY_PREVIOUSSONG },
	{ 0x1008ff17, KEY_NEXTSONG },
	{ 0x1008ff18, KEY_HOMEPAGE },
	{ 0x1008ff19, KEY_MAIL },
	{ 0x1008ff1b, KEY_SEARCH },
	{ 0x1008ff1d, KEY_CALC },
	{ 0x1008ff26, KEY_BACK },
	{ 0x1008ff27, KEY_FORWARD },
	{ 0x1008ff29, KEY_REFRESH },
};

_Static_assert(sizeof(printable) == '~' - ' ' + 1, "a key for each character");

/* Those of the printable ones that need Shift, besides the capital letters. */
static const char shifted[] = "!\"#$%&()*+:<>?@^_{|}~";

static bool is_capital(uint32_t keysym)
{
	return keysym >= 'A' && keysym <= 'Z';
}

static bool is_letter(uint32_t keysym)
{
	return is_capital(keysym) || (keysym >= 'a' && keysym <= 'z');
}

uint16_t vnc_key(uint32_t keysym, enum vnc_shift *ret_shift)
{
	size_t i;

	*ret_shift = VNC_SHIFT_ANY;
	if (keysym > ' ' && keysym <= '~')
		*ret_shift = is_capital(keysym) ||
			strchr(shifted, (int)keysym) ? VNC_SHIFT_DOWN :
			VNC_SHIFT_UP;
	if (keysym >= ' ' && keysym <= '~')
		return printable[keysym - ' '];
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i].keysym == keysym)
			return others[i].key;
	return 0;
}

/* Bits of struct vnc_typist */
#define LEFT_SHIFT	1u
#define SHIFTS		3u	/* right, too */

/* With these a letter is a command, and the client's Shift is part of it. */
static const uint16_t modifiers[] = {
	KEY_LEFTSHIFT, KEY_RIGHTSHIFT, KEY_LEFTCTRL, KEY_RIGHTCTRL,
	KEY_LEFTALT, KEY_LEFTMETA, KEY_RIGHTMETA, KEY_CAPSLOCK,
};

static uint32_t modifier_bit(uint16_t key)
{
	size_t i;

	for (i = 0; i < sizeof(modifiers) / sizeof(modifiers[0]); i++)
		if (modifiers[i] == key)
			return 1u << i;
	return 0;
}

/* Brings the guest's Shift keys to where they have to be. */
static void set_shift(struct vnc_typist *typist)
{
	uint32_t want = typist->held & SHIFTS;
	uint32_t i;

	if (typist->shift == VNC_SHIFT_UP)
		want = 0;
	else if (typist->shift == VNC_SHIFT_DOWN && !want)
		want = LEFT_SHIFT;
	for (i = 0; i < 2; i++)
		if ((want ^ typist->seen) & 1u << i)
			typist->tell(typist->ctx, modifiers[i], want & 1u << i);
	typist->seen = want;
}

static void press(struct vnc_typist *typist, uint32_t keysym, uint16_t key,
		  enum vnc_shift shift)
{
	if (is_letter(keysym) && (typist->caps || typist->held & ~SHIFTS))
		shift = VNC_SHIFT_ANY;
	typist->shift = shift;
	typist->key = key;
	set_shift(typist);
	typist->tell(typist->ctx, key, true);
}

static void release(struct vnc_typist *typist, uint16_t key)
{
	typist->tell(typist->ctx, key, false);
	if (key != typist->key)
		return;
	typist->shift = VNC_SHIFT_ANY;
	typist->key = 0;
	set_shift(typist);
}

void vnc_type(struct vnc_typist *typist, uint32_t keysym, bool down)
{
	enum vnc_shift shift;
	const uint16_t key = vnc_key(keysym, &shift);
	const uint32_t bit = modifier_bit(key);

	/* once, however often a client repeats it */
	if (key == KEY_CAPSLOCK && down && !(typist->held & bit))
		typist->caps = !typist->caps;
	typist->held = down ? typist->held | bit : typist->held & ~bit;
	if (bit & SHIFTS)
		set_shift(typist);
	else if (key && down)
		press(typist, keysym, key, shift);
	else if (key)
		release(typist, key);
}
