// SPDX-License-Identifier: GPL-2.0-only
// Several who listen where a machine has a place for one.

import type { RamObserver } from '#hw/core/ram.js';
import type { IommuObserver } from '#hw/iommu/iommu.js';
import type { kasan_checker } from '#linux/kasan.js';

/** The callbacks that a machine, and the kernel's allocators, know by name: each goes to the parts that have one of that name. */
export const RAM_CALLS = [
	'onDeviceRead',
	'onDeviceWrite',
	'onClean',
	'onInvalidate',
	'onDirtyDropped',
	'onStaleWrite',
	'onVmap',
	'onUserMap',
	'onUserUnmap',
] as const satisfies readonly (keyof RamObserver)[];
export const IOMMU_CALLS = [
	'walked',
	'answered',
	'faulted',
	'filled',
	'dropped',
	'commanded',
	'overrun',
	'forgotten',
	'held',
	'enabled',
] as const satisfies readonly (keyof IommuObserver)[];
export const KASAN_CALLS = [
	'kmalloc',
	'slab_free',
	'kmalloc_large',
	'kfree_large',
	'unpoison_pages',
	'poison_pages',
] as const satisfies readonly (keyof kasan_checker)[];

type Hears = (a: never, b: never, c: never, d: never, e: never, f: never, g: never) => void;

/** An object with those of @names that a part has; each calls them all, in the parts' order. */
export function fanOut<T extends object>(names: readonly (keyof T & string)[], parts: readonly T[]): T {
	const calls: Record<string, Hears> = {};
	for (const name of names) {
		const listeners = parts.filter((part) => part[name] !== undefined);
		if (listeners.length === 0) continue;
		const [only] = listeners;
		if (listeners.length === 1) {
			calls[name] = (only[name] as Hears).bind(only);
			continue;
		}
		const bound = listeners.map((part) => (part[name] as Hears).bind(part));
		// As many as any of them has: an array of the rest would be one at each call.
		calls[name] = (a, b, c, d, e, f, g) => {
			for (let i = 0; i < bound.length; i++) bound[i](a, b, c, d, e, f, g);
		};
	}
	return calls as T;
}

/** Who has been joined into an observer. */
const joined = new WeakMap<object, readonly object[]>();

/**
 * Have @listener hear what @holder tells whoever is at @slot, behind who is; the result ends that. One alone costs what it
 * did. @names: the calls that there are.
 */
export function listen<S extends string, T extends object>(
	holder: Record<S, T | null>,
	slot: S,
	names: readonly (keyof T & string)[],
	listener: T,
): () => void {
	const now = (): readonly T[] => {
		const there: T | null = holder[slot];
		return there === null ? [] : ((joined.get(there) as readonly T[] | undefined) ?? [there]);
	};
	const set = (listeners: readonly T[]): void => {
		const all = listeners.length > 1 ? fanOut(names, listeners) : (listeners[0] ?? null);
		holder[slot] = all as Record<S, T | null>[S];
		if (all !== null && listeners.length > 1) joined.set(all, listeners);
	};
	set([...now(), listener]);
	return () => set(now().filter((other) => other !== listener));
}
