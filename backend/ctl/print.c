/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers for people and for programs. */
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"

#define MAX_COLUMNS	24

/* Splits a row in place; returns the number of its fields. */
static unsigned int split(char *row, char *fields[MAX_COLUMNS])
{
	unsigned int num = 0;

	while (row && num < MAX_COLUMNS)
		fields[num++] = strsep(&row, "\t");
	return num;
}

/* Names may look like numbers. */
static bool is_number(const char *name, const char *text)
{
	return strcmp(name, "name") && strcmp(name, "unique-id") && *text &&
		strspn(text, "0123456789") == strlen(text);
}

static void print_json_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		if ((unsigned char)*text < ' ')
			printf("\\u%04x", (unsigned int)*text);
		else
			putchar(*text);
	}
	putchar('"');
}

static void print_json_row(char **names, char **fields, unsigned int num)
{
	unsigned int i;

	putchar('{');
	for (i = 0; i < num; i++) {
		printf("%s", i ? ", " : "");
		print_json_string(names[i]);
		printf(": ");
		if (is_number(names[i], fields[i]))
			printf("%s", fields[i]);
		else
			print_json_string(fields[i]);
	}
	putchar('}');
}

static void print_json(char *rows)
{
	char *names[MAX_COLUMNS], *fields[MAX_COLUMNS];
	unsigned int columns = split(strsep(&rows, "\n"), names);
	bool first = true;

	putchar('[');
	while (rows && *rows) {
		if (split(strsep(&rows, "\n"), fields) != columns)
			continue;
		printf("%s", first ? "\n  " : ",\n  ");
		print_json_row(names, fields, columns);
		first = false;
	}
	puts(first ? "]" : "\n]");
}

/* Columns as wide as their widest field. */
static void print_table(const char *rows)
{
	size_t width[MAX_COLUMNS] = { 0 };
	const char *c, *start;
	unsigned int column = 0;
	size_t len;

	for (c = start = rows; *c; c++) {
		if (*c != '\t' && *c != '\n')
			continue;
		len = (size_t)(c - start);
		if (column < MAX_COLUMNS && len > width[column])
			width[column] = len;
		column = *c == '\n' ? 0 : column + 1;
		start = c + 1;
	}
	column = 0;
	for (c = start = rows; *c; c++) {
		if (*c != '\t' && *c != '\n')
			continue;
		len = (size_t)(c - start);
		if (*c == '\n' || column >= MAX_COLUMNS)
			printf("%.*s%c", (int)len, start, *c);
		else
			printf("%-*.*s  ", (int)width[column], (int)len,
			       start);
		column = *c == '\n' ? 0 : column + 1;
		start = c + 1;
	}
}

void ctl_print_rows(char *rows)
{
	if (ctl_json)
		print_json(rows);
	else
		print_table(rows);
}

