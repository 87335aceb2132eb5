// SPDX-License-Identifier: GPL-2.0-only
// Where the probes of code that is edited in memory (tools/instrument) look for who wants to know.

export interface Probes {
	/** At the entry of the function @name: what it is to return at once; undefined lets it run. */
	kprobe?: ((name: string) => { readonly ret: unknown } | undefined) | undefined;
	/** In place of the call of the function @fn by its @name: what came of it; undefined: nobody looks, it goes on. */
	kretprobe?:
		| ((
				name: string,
				fn: (...args: unknown[]) => unknown,
				args: ArrayLike<unknown>,
		  ) => { readonly ret: unknown } | undefined)
		| undefined;
	/** Before an access to a word of @array. */
	kprobe_access?: ((array: ArrayBufferView, kind: 'load' | 'store') => void) | undefined;
}

/** Nobody there: the probes do nothing. */
export const probes = globalThis as Probes;
