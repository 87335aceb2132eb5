// SPDX-License-Identifier: GPL-2.0-only
/* Reads steps, and answers each with a line. */
#include "steps.h"

#define DELIMITERS " \n"

const char *word(void)
{
	return strtok(NULL, DELIMITERS);
}

unsigned long number(void)
{
	const char *text = word();

	if (!text)
		return 0;
	return strcmp(text, "-1") ? strtoul(text, NULL, 0) : ULONG_MAX;
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;

	prepare();
	while (getline(&line, &size, stdin) > 0) {
		const char *command = strtok(line, DELIMITERS);

		if (!command || !play(command)) {
			fprintf(stderr, "unknown step: %s\n", command ? command : "");
			return 1;
		}
		printf(" %u\n", warnings);
		fflush(stdout);
		warnings = 0;
	}
	free(line);
	return 0;
}
