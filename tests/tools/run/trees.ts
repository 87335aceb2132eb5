// SPDX-License-Identifier: GPL-2.0-only
// The project's board with something else in its tree.
import { type FdtSource, fdtSource, parseFdt, writeFdt } from '#hw/core/fdt.js';
import { boardBlob } from '#tests/boot.js';
import { cells, node, text } from '#tests/hw/fdt-source.js';

export const H6 = 'sun50i-h6-orangepi-3';
export const ENGINE = '/soc/video-codec@1c0e000';
export const MIXER = '/soc/bus@1000000/mixer@100000';
export const IOMMU = '/soc/iommu@30f0000';
export const CCU = '/soc/clock@3001000';

/** The board's tree, to be changed. */
export class Tree {
	readonly #root: FdtSource = fdtSource(parseFdt(boardBlob(H6)).root);

	at(path: string): FdtSource {
		let found = this.#root;
		for (const part of path.split('/').slice(1)) {
			const child = found.children.find(({ name }) => name === part);
			if (child === undefined) throw new Error(`no node ${path}`);
			found = child;
		}
		return found;
	}

	/** Set a property; null takes it away. */
	set(path: string, prop: string, value: string | readonly number[] | null): this {
		const { props } = this.at(path);
		if (value === null) props.delete(prop);
		else props.set(prop, typeof value === 'string' ? text(value) : cells(...value));
		return this;
	}

	remove(path: string): this {
		const cut = path.lastIndexOf('/');
		const parent = cut === 0 ? this.#root : this.at(path.slice(0, cut));
		parent.children = parent.children.filter(({ name }) => name !== path.slice(cut + 1));
		return this;
	}

	/** A default CMA area of @bytes. */
	withCma(bytes: number): this {
		const area = node('linux,cma', {
			compatible: text('shared-dma-pool'),
			reusable: cells(),
			'linux,cma-default': cells(),
			size: cells(bytes),
		});
		const props = { '#address-cells': cells(1), '#size-cells': cells(1), ranges: cells() };
		this.#root.children.push(node('reserved-memory', props, area));
		return this;
	}

	phandle(path: string): number {
		return new DataView(this.at(path).props.get('phandle')!.slice().buffer).getUint32(0);
	}

	blob(): Uint8Array {
		return writeFdt(this.#root);
	}
}
