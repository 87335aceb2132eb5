// SPDX-License-Identifier: GPL-2.0-only
// The names in one function.
import type { CType } from '#tools/c/ctype.js';
import { Consequence } from '#tools/c/refusal.js';

/** A parameter or a local variable. */
export interface Variable {
	readonly name: string;
	readonly type: CType;
	/** Made with `new ref`: in C a variable, of which others get the address. */
	readonly isRef: boolean;
	/** Bit operations without `>>> 0` were stored in it: it may be negative in TypeScript. */
	isSigned: boolean;
	/** What was stored in it so far cannot exceed this; null: not known. */
	max: bigint | null;
}

export class Scope {
	private readonly variables = new Map<string, Variable>();
	private readonly refused = new Set<string>();

	constructor(private readonly outer: Scope | null = null) {}

	add(name: string, type: CType, isRef = false): Variable {
		const v = { name, type, isRef, isSigned: false, max: null };
		this.variables.set(name, v);
		return v;
	}

	/** Have @name mean @v, too. */
	alias(name: string, v: Variable): void {
		this.variables.set(name, v);
	}

	/** Nothing is known of @name: its declaration was refused. */
	refuse(name: string): void {
		this.refused.add(name);
	}

	find(name: string): Variable | null {
		if (this.refused.has(name)) throw new Consequence();
		return this.variables.get(name) ?? this.outer?.find(name) ?? null;
	}
}
