// SPDX-License-Identifier: GPL-2.0-only
// A board with memory above 4 GiB, made of any: its tree's addresses become 64 bits wide.
import { type FdtSource, fdtSource, parseFdt, writeFdt } from '#hw/core/fdt.js';

/** Where that memory begins. */
const BASE = 2 ** 32;

const cellsOf = (bytes: Uint8Array): number[] => {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	return Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i));
};

function bytesOf(cells: readonly number[]): Uint8Array {
	const view = new DataView(new ArrayBuffer(4 * cells.length));
	cells.forEach((cell, i) => {
		view.setUint32(4 * i, cell);
	});
	return new Uint8Array(view.buffer);
}

/** @cells with a zero before each of those that @isWide chooses, by their places. */
const widened = (cells: readonly number[], isWide: (i: number) => boolean): number[] =>
	cells.flatMap((cell, i) => (isWide(i) ? [0, cell] : [cell]));

/** The tree @dtb with @size more bytes of memory from 4 GiB on. */
export function withHighMemory(dtb: Uint8Array, size: number): Uint8Array {
	const fdt = parseFdt(dtb);
	const root = fdtSource(fdt.root);
	const widths = (node: FdtSource): [number, number] => [
		cellsOf(node.props.get('#address-cells') ?? bytesOf([2]))[0],
		cellsOf(node.props.get('#size-cells') ?? bytesOf([1]))[0],
	];
	const [addresses, sizes] = widths(root);
	const narrow = [addresses, sizes].some((n) => n === 1);
	if (narrow) {
		const wide = (i: number): boolean => (i % (addresses + sizes) < addresses ? addresses : sizes) === 1;
		for (const node of root.children) {
			const reg = node.props.get('reg');
			// A processor's number is its own bus's.
			if (reg !== undefined) node.props.set('reg', bytesOf(widened(cellsOf(reg), wide)));
			const ranges = node.props.get('ranges');
			const [own, size] = widths(node);
			if (ranges !== undefined && ranges.length > 0 && addresses === 1)
				node.props.set('ranges', bytesOf(widened(cellsOf(ranges), (i) => i % (own + 1 + size) === own)));
		}
		root.props.set('#address-cells', bytesOf([2]));
		root.props.set('#size-cells', bytesOf([2]));
	}
	const name = `memory@${BASE.toString(16)}`;
	const props = new Map([
		['device_type', new TextEncoder().encode('memory\0')],
		['reg', bytesOf([1, 0, Math.floor(size / BASE), size % BASE])],
	]);
	root.children.push({ name, props, children: [] });
	return writeFdt(root, fdt.reserved, fdt.bootCpu);
}
