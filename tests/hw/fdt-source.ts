// SPDX-License-Identifier: GPL-2.0-only
// Device trees for tests, node by node: also nodes of one name, and raw bytes.

import type { FdtSource } from '#hw/core/fdt.js';

/** A property of big-endian cells. */
export function cells(...values: number[]): Uint8Array {
	const bytes = new Uint8Array(values.length * 4);
	const view = new DataView(bytes.buffer);
	values.forEach((v, i) => {
		view.setUint32(i * 4, v);
	});
	return bytes;
}

/** A property of one string. */
export function text(s: string): Uint8Array {
	return new TextEncoder().encode(`${s}\0`);
}

/** A node with its properties and children. */
export function node(
	name: string,
	props: Record<string, Uint8Array> = {},
	...children: FdtSource[]
): FdtSource {
	return { name, props: new Map(Object.entries(props)), children };
}
