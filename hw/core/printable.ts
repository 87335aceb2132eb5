// SPDX-License-Identifier: GPL-2.0-only
// Names and strings of a tree in a line that a terminal may be given.

const CONTROL = /\p{Cc}/gu;

const encoder = new TextEncoder();
const escaped = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;

/** @text with the bytes of its control characters as `\x1b`, the way the kernel's log shows them. */
export function printable(text: string): string {
	return text.replace(CONTROL, (c) => Array.from(encoder.encode(c), escaped).join(''));
}
