// SPDX-License-Identifier: GPL-2.0-only
// Small boards for tests of the machine, whatever stands on them.

import type { FdtSource } from '#hw/core/fdt.js';
import { writeFdt } from '#hw/core/fdt.js';
import type { Machine } from '#hw/core/machine.js';
import { cells, text } from '#tests/hw/fdt-source.js';

/** A property's value: cells, strings, or nothing (a flag). */
export type Prop = number[] | string | string[] | true;
export interface Node {
	readonly [name: string]: Prop | Node;
}

function isNode(value: Prop | Node): value is Node {
	return typeof value === 'object' && !Array.isArray(value);
}

function bytesOf(value: Prop): Uint8Array {
	if (value === true) return new Uint8Array();
	if (typeof value === 'string') return text(value);
	if (typeof value[0] === 'string') return text(value.join('\0'));
	return cells(...(value as number[]));
}

function source(name: string, node: Node): FdtSource {
	const props = new Map<string, Uint8Array>();
	const children: FdtSource[] = [];
	for (const [key, value] of Object.entries(node))
		if (isNode(value)) children.push(source(key, value));
		else props.set(key, bytesOf(value));
	return { name, props, children };
}

export function blobOf(root: Node): Uint8Array {
	return writeFdt(source('', root));
}

export const GIC = 0x3021000;
export const RAM = 0x40000000;

/** Memory, an interrupt controller (phandle 1), and @nodes: what every board here has. */
export function boardTree(nodes: Node): Node {
	return {
		'#address-cells': [1],
		'#size-cells': [1],
		'interrupt-parent': [1],
		'memory@40000000': { device_type: 'memory', reg: [RAM, 0x10000000] },
		'interrupt-controller@3021000': {
			compatible: 'arm,gic-400',
			reg: [GIC, 0x1000, GIC + 0x1000, 0x2000],
			'interrupt-controller': true,
			'#interrupt-cells': [3],
			phandle: [1],
		},
		...nodes,
	};
}

/** Put a 32-bit word into memory, as seen by all. */
export function poke(machine: Machine, phys: number, value: number): void {
	const bytes = new Uint8Array(4);
	new DataView(bytes.buffer).setUint32(0, value, true);
	machine.memory.load(phys, bytes);
}
