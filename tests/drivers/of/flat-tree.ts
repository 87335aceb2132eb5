// SPDX-License-Identifier: GPL-2.0-only
// Flattened device trees for tests, written down as objects.
// Format: Devicetree Specification v0.4, chapter 5.

export type TreeValue = string | readonly number[] | true;
export interface Tree {
	readonly [name: string]: TreeValue | Tree;
}

function isNode(v: TreeValue | Tree): v is Tree {
	return typeof v === 'object' && !Array.isArray(v);
}

/** A blob of @root: strings are strings, arrays are 32-bit cells, true is an empty property, objects are nodes. */
export function flatTree(root: Tree): Uint8Array {
	const words: number[] = [];
	const strings: number[] = [];
	const names = new Map<string, number>();
	const word = (v: number): void => {
		words.push((v >>> 24) & 255, (v >>> 16) & 255, (v >>> 8) & 255, v & 255);
	};
	const padded = (bytes: Iterable<number>): void => {
		words.push(...bytes);
		while (words.length % 4 !== 0) words.push(0);
	};
	const nameOffset = (name: string): number => {
		let at = names.get(name);
		if (at === undefined) {
			at = strings.length;
			names.set(name, at);
			strings.push(...Buffer.from(`${name}\0`));
		}
		return at;
	};
	const bytesOf = (v: TreeValue): number[] => {
		if (v === true) return [];
		if (typeof v === 'string') return [...Buffer.from(`${v}\0`)];
		return v.flatMap((c) => [(c >>> 24) & 255, (c >>> 16) & 255, (c >>> 8) & 255, c & 255]);
	};
	const node = (name: string, tree: Tree): void => {
		word(1);
		padded(Buffer.from(`${name}\0`));
		for (const [key, v] of Object.entries(tree)) {
			if (isNode(v)) continue;
			const bytes = bytesOf(v);
			word(3);
			word(bytes.length);
			word(nameOffset(key));
			padded(bytes);
		}
		for (const [key, v] of Object.entries(tree)) if (isNode(v)) node(key, v);
		word(2);
	};
	node('', root);
	word(9);
	const head = 40 + 16;
	const out = new Uint8Array(head + words.length + strings.length);
	const header = new DataView(out.buffer);
	const fields = [
		0xd00dfeed,
		out.length,
		head,
		head + words.length,
		40,
		17,
		16,
		0,
		strings.length,
		words.length,
	];
	fields.forEach((v, i) => {
		header.setUint32(4 * i, v);
	});
	out.set(words, head);
	out.set(strings, head + words.length);
	return out;
}
