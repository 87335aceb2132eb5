// SPDX-License-Identifier: GPL-2.0-only
// The header of a driver's file: what its other files use.
import { aligned } from '#tools/c/define.js';
import { body, guard, include, isShareable, isShared } from '#tools/c/items.js';
import { layout } from '#tools/c/layout.js';
import { type Line, Lines } from '#tools/c/lines.js';
import type { Unit } from '#tools/c/unit.js';

/** What others of the driver may use, as its header; null: nothing. */
export function headerFileOf(unit: Unit): Line[] | null {
	const items = unit.isHeader ? [] : unit.items.filter((i) => isShared(unit, i));
	if (items.length === 0) return null;
	const out = new Lines();
	out.text(['/* SPDX-License-Identifier: GPL-2.0-only */'], 1);
	out.gap();
	guard(out, unit.nameInC);
	const given = items.filter(isShareable);
	const rest = items.filter((i) => !isShareable(i) && i.extern !== null);
	const said = rest.map((i) => layout(i.extern!, ''));
	const text = [...said.flat(), ...given.flatMap((i) => i.lines.all.map((l) => l.text))].join('\n');
	const headers = new Set(given.flatMap((i) => [...i.headers]));
	if (/\b(?:u8|u16|u32|u64|bool|dma_addr_t|phys_addr_t|size_t)\b/.test(text)) headers.add('linux/types.h');
	if (/\birqreturn_t\b/.test(text)) headers.add('linux/irqreturn.h');
	if (/\bstruct of_device_id\b/.test(text)) headers.add('linux/mod_devicetable.h');
	include(out, headers);
	const own = new Set(given.map((i) => i.name));
	const structs = new Set(
		[
			...said
				.flat()
				.join('\n')
				.matchAll(/\bstruct (\w+)/g),
		].map((m) => m[1]!),
	);
	for (const s of [...structs].filter((s) => !own.has(s) && s !== 'of_device_id').sort())
		out.text([`struct ${s};`], 0);
	out.gap();
	body(unit, out, given);
	out.gap();
	for (const [n, i] of rest.entries()) out.text(said[n]!, i.lines.all[0]?.from ?? 0);
	out.gap();
	out.text(['#endif'], 1);
	return aligned(out.all);
}
