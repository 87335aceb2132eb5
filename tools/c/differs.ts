// SPDX-License-Identifier: GPL-2.0-only
// Why TypeScript may have another number than C, and what to write.

export const SIGNED =
	'a bit operation that may set bit 31 is negative in TypeScript, and is not in C; put ">>> 0" behind it';

export const WRAPS = 'C cuts this to 32 bits, and TypeScript does not; put ">>> 0" behind it';

export const NARROW =
	'C computes this in 32 bits and widens it then; give one of its operands a type of 64 bits';
