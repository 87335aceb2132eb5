// SPDX-License-Identifier: GPL-2.0-only
// What is outside the kernel subset: where, and in one sentence why.

/** A construct that does not become C. */
export class Refusal extends Error {
	constructor(
		readonly file: string,
		/** From 1 on. */
		readonly line: number,
		readonly sentence: string,
	) {
		super(`${file}:${line}: ${sentence}`);
		this.name = 'Refusal';
	}
}

/** What follows from another refusal, and is not worth a sentence. */
export class Consequence extends Error {}
