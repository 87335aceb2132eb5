/* SPDX-License-Identifier: GPL-2.0-only */
/* Steps from the standard input: a command and its arguments in a line. */
#ifndef _STEPS_H_
#define _STEPS_H_

#include "kernel.h"

/* The next argument; "-1" is all ones, one that is missing 0. */
unsigned long number(void);
/* The next argument as it is. */
const char *word(void);

/* Of each program: what comes first, and a step's answer; false: no such step. */
void prepare(void);
bool play(const char *command);

#endif
