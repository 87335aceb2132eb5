// SPDX-License-Identifier: GPL-2.0-only
// Items in their order, and what stands before them.
import { layout } from '#tools/c/layout.js';
import type { Lines } from '#tools/c/lines.js';
import type { Item, Unit } from '#tools/c/unit.js';

/** Whether other files of the driver use @i, or a value of it. */
export function isShared(unit: Unit, i: Item): boolean {
	const { shared } = unit.options;
	if (shared.has(i.name)) return true;
	return i.kind === 'enum' && i.lines.all.some((l) => shared.has(/^\t(\w+) = /.exec(l.text)?.[1] ?? ''));
}

/** @items in their order, but for what C has to know before: a struct that another has in it, a macro, an enumeration. */
export function ordered(items: readonly Item[]): Item[] {
	const byName = new Map(items.map((i) => [i.name, i]));
	const out = new Set<Item>();
	const put = (item: Item): void => {
		if (out.has(item)) return;
		const inside = item.lines.all.map((l) => /^\t+struct (\w+) \w+(?:\[.*\])?;/.exec(l.text)?.[1]);
		for (const name of item.kind === 'define' ? [] : [...item.uses, ...inside]) {
			const used = name === undefined ? undefined : byName.get(name);
			if (used === undefined || used === item) continue;
			const isWhole = used.kind === 'struct' && (item.kind !== 'struct' || inside.includes(name));
			if (used.kind === 'define' || used.kind === 'enum' || isWhole) put(used);
		}
		out.add(item);
	};
	for (const i of items) put(i);
	return [...out];
}

export function body(unit: Unit, out: Lines, items: readonly Item[]): void {
	const done = new Set<string>();
	const byName = new Map(items.map((i) => [i.name, i]));
	let last: Item | null = null;
	for (const item of ordered(items)) {
		const early = [...item.uses]
			.map((u) => byName.get(u))
			.filter(
				(u): u is Item =>
					u !== undefined &&
					u !== item &&
					u.forward !== null &&
					!done.has(u.name) &&
					needsForward(unit, u, item),
			);
		if (early.length > 0) {
			out.gap();
			for (const u of early) {
				for (const l of layout(u.forward!, '')) out.text([l], u.lines.all[0]?.from ?? 0);
				done.add(u.name);
			}
			out.gap();
		}
		if (item.apart || item.kind === 'function' || last?.kind === 'function') out.gap();
		// What registers a driver stands right below it.
		const isAttached = item.kind === 'call' && last?.kind === 'variable';
		if (isAttached) while (out.all[out.all.length - 1]?.text === '') out.all.pop();
		out.append(item.lines);
		const table = item.lines.all.find((l) => /struct of_device_id \w+\[\]/.test(l.text));
		if (table !== undefined) out.text([`MODULE_DEVICE_TABLE(of, ${item.name});`], table.from);
		done.add(item.name);
		last = item;
	}
}

/** Whether a header has all of @i, and no file besides. */
export const isShareable = (i: Item): boolean =>
	i.kind === 'define' || i.kind === 'enum' || i.kind === 'struct';

/** The head of the header @name. */
export function guard(out: Lines, name: string): void {
	const word = `_${name
		.replace(/\.\w+$/, '')
		.toUpperCase()
		.replace(/\W/g, '_')}_H_`;
	out.text([`#ifndef ${word}`, `#define ${word}`], 1);
	out.gap();
}

/** Those of Linux first, then those of the driver. */
export function include(out: Lines, headers: ReadonlySet<string>): void {
	for (const h of [...headers].filter((h) => h.includes('/')).sort()) out.text([`#include <${h}>`], 0);
	const own = [...headers].filter((h) => !h.includes('/')).sort();
	if (own.length > 0) out.gap();
	for (const h of own) out.text([`#include "${h}"`], 0);
	out.gap();
}

/** Whether @item has to be told of @u, which stands below it. */
function needsForward(unit: Unit, u: Item, item: Item): boolean {
	// A struct's name first said among parameters would be another struct.
	if (u.kind === 'struct')
		return item.lines.all.some((l) => new RegExp(`\\(\\*\\w+\\)\\(.*\\bstruct ${u.name}\\b`).test(l.text));
	return unit.isHeader || !isShared(unit, u);
}
