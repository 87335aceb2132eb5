// SPDX-License-Identifier: GPL-2.0-only
// Flattened device trees for machine and tools: strict reader, small writer.
// The kernel's own parser is drivers/of/fdt.ts; format: Devicetree Specification 0.4, chapter 5.
// Left out: blobs older than version 16, and buses with more than two size cells.

import { printable } from './printable.js';

const FDT_MAGIC = 0xd00dfeed;
const FDT_BEGIN_NODE = 1;
const FDT_END_NODE = 2;
const FDT_PROP = 3;
const FDT_NOP = 4;
const FDT_END = 9;

const FDT_V16_HEADER = 36;
const FDT_V17_HEADER = 40;
/** As deep as Linux unflattens (drivers/of/fdt.c, FDT_MAX_DEPTH). */
const MAX_DEPTH = 64;
/** As many arguments as Linux hands on (include/linux/of.h, MAX_PHANDLE_ARGS). */
const MAX_PHANDLE_ARGS = 16;
const MAX_BYTES = 0x7fff_ffff;

/** What is wrong with a device tree: at which byte of the blob (-1: no single place), and what belongs there. */
export class FdtError extends Error {
	override readonly name = 'FdtError';
	constructor(
		message: string,
		readonly offset = -1,
		readonly expected = '',
	) {
		super(printable(message));
	}
}

export interface Region {
	readonly base: number;
	readonly size: number;
}

/** One entry of a list such as `clocks = <&ccu 51>`: the node that the phandle names, and the cells after it. */
export interface PhandleArgs {
	readonly node: FdtNode;
	readonly args: readonly number[];
}

const hex = (n: number): string => `0x${n.toString(16)}`;
const utf8 = new TextDecoder('utf-8');
const latin = new TextEncoder();

function be32(bytes: Uint8Array, at: number): number {
	return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function putBe32(bytes: Uint8Array, at: number, value: number): void {
	bytes[at] = value >>> 24;
	bytes[at + 1] = value >>> 16;
	bytes[at + 2] = value >>> 8;
	bytes[at + 3] = value;
}

/** The number in @count cells; of more than two the last two count (the first of three names a PCI space). */
function cellsToNumber(cells: readonly number[], at: number, count: number): number {
	let value = 0;
	for (let i = Math.max(0, count - 2); i < count; i++) value = value * 0x1_0000_0000 + cells[at + i]!;
	return value;
}

/** A node. Property values are views of the blob. The getters throw FdtError when a value has not the right form. */
export class FdtNode {
	readonly children: FdtNode[] = [];
	/** The properties in their order; of two with one name Linux sees the first, and so does this. */
	readonly props = new Map<string, Uint8Array>();
	readonly path: string;

	constructor(
		readonly fdt: Fdt,
		/** With the unit address: `iommu@1000000`. */
		readonly name: string,
		readonly parent: FdtNode | null,
		/** Where the node begins in the blob. */
		readonly offset: number,
	) {
		this.path = parent === null ? '/' : parent.parent === null ? `/${name}` : `${parent.path}/${name}`;
	}

	has(prop: string): boolean {
		return this.props.has(prop);
	}

	private wrong(prop: string, what: string): FdtError {
		return new FdtError(`${this.path}: property ${prop} ${what}`, this.offset, what);
	}

	/** All cells of a property; empty when the node has no such property. */
	u32s(prop: string): number[] {
		const value = this.props.get(prop);
		if (value === undefined) return [];
		if (value.length % 4 !== 0)
			throw this.wrong(prop, `is ${value.length} bytes long, not a list of 32-bit cells`);
		const cells: number[] = [];
		for (let at = 0; at < value.length; at += 4) cells.push(be32(value, at));
		return cells;
	}

	/** The first cell, or @otherwise when the node has no such property. */
	u32(prop: string): number | undefined;
	u32(prop: string, otherwise: number): number;
	u32(prop: string, otherwise?: number): number | undefined {
		const value = this.props.get(prop);
		if (value === undefined) return otherwise;
		if (value.length < 4) throw this.wrong(prop, `is ${value.length} bytes long, not a 32-bit cell`);
		return be32(value, 0);
	}

	/** The strings of a string list; empty when the node has no such property. */
	strings(prop: string): string[] {
		const value = this.props.get(prop);
		if (value === undefined || value.length === 0) return [];
		if (value[value.length - 1] !== 0) throw this.wrong(prop, 'is not a string: it does not end in NUL');
		return utf8.decode(value.subarray(0, value.length - 1)).split('\0');
	}

	string(prop: string): string | undefined {
		return this.strings(prop)[0];
	}

	/** What `device_type` says, as far as its first NUL; '' without one. */
	get deviceType(): string {
		return utf8.decode(this.props.get('device_type')).split('\0', 1)[0]!;
	}

	get compatible(): string[] {
		return this.strings('compatible');
	}

	isCompatible(...names: string[]): boolean {
		return this.compatible.some((c) => names.includes(c));
	}

	/** Whether `status` lets the device be used (drivers/of/base.c: absent, "okay" or "ok"). */
	get okay(): boolean {
		const value = this.props.get('status');
		if (value === undefined) return true;
		const status = utf8.decode(value).replace(/\0.*$/s, '');
		return status === 'okay' || status === 'ok';
	}

	/** The node's own phandle; 0 when it has none. */
	get phandle(): number {
		const value =
			this.props.get('phandle') ?? this.props.get('linux,phandle') ?? this.props.get('ibm,phandle');
		return value === undefined || value.length < 4 ? 0 : be32(value, 0);
	}

	child(name: string): FdtNode | undefined {
		return (
			this.children.find((c) => c.name === name) ?? this.children.find((c) => c.name.split('@')[0] === name)
		);
	}

	/** The cell counts for the addresses of this node's children. */
	get childAddressCells(): number {
		return this.cellCount('#address-cells', this.parent === null ? 1 : undefined);
	}

	get childSizeCells(): number {
		return this.cellCount('#size-cells', this.parent === null ? 1 : undefined);
	}

	private cellCount(prop: string, rootDefault: number | undefined): number {
		const own = this.u32(prop);
		// Without the property Linux looks further up; at the root it takes the architecture's default.
		if (own === undefined) {
			if (rootDefault !== undefined) return rootDefault;
			return prop === '#address-cells' ? this.parent!.childAddressCells : this.parent!.childSizeCells;
		}
		if (own > 4) throw this.wrong(prop, `is ${own}, more than 4`);
		return own;
	}

	/** The address and size pairs of `reg` as the parent bus counts them. */
	rawReg(): Region[] {
		const bus = this.parent;
		if (bus === null || !this.has('reg')) return [];
		const na = bus.childAddressCells;
		const ns = bus.childSizeCells;
		const cells = this.u32s('reg');
		if (na + ns === 0 || cells.length % (na + ns) !== 0)
			throw this.wrong('reg', `has ${cells.length} cells, not a multiple of ${na} + ${ns}`);
		const regions: Region[] = [];
		for (let at = 0; at < cells.length; at += na + ns)
			regions.push({ base: cellsToNumber(cells, at, na), size: cellsToNumber(cells, at + na, ns) });
		return regions;
	}

	/**
	 * What a memory node says, as Linux reads it (drivers/of/fdt.c: early_init_dt_scan_memory()): whole entries, in the
	 * cells of the root, and `linux,usable-memory` before `reg`.
	 */
	memoryRegions(): Region[] {
		const { childAddressCells, childSizeCells } = this.fdt.root;
		const prop = this.has('linux,usable-memory') ? 'linux,usable-memory' : 'reg';
		return this.entries(prop, [childAddressCells, childSizeCells]).map(([base, size]) => ({
			base: base!,
			size: size!,
		}));
	}

	/** The whole entries of @prop, each a list of numbers of so many cells; what is left behind them is nothing to Linux. */
	entries(prop: string, cellCounts: readonly number[]): number[][] {
		const value = this.props.get(prop) ?? new Uint8Array(0);
		const step = cellCounts.reduce((sum, count) => sum + count, 0);
		const list: number[][] = [];
		for (let at = 0; step > 0 && at + step * 4 <= value.length; at += step * 4) {
			const cells = Array.from({ length: step }, (_, i) => be32(value, at + i * 4));
			let from = 0;
			list.push(
				cellCounts.map((count) => {
					from += count;
					return cellsToNumber(cells, from - count, count);
				}),
			);
		}
		return list;
	}

	/**
	 * `reg` in CPU addresses: each entry goes through the `ranges` of every bus above. The list is empty when
	 * the node is on a bus without CPU addresses (no size cells, or no `ranges`), and ends at an entry that no
	 * range covers.
	 */
	reg(): Region[] {
		const bus = this.parent;
		if (bus === null || !this.has('reg') || bus.childSizeCells === 0) return [];
		const regions: Region[] = [];
		for (const { base, size } of this.rawReg()) {
			const cpu = bus.toCpu(base);
			if (cpu === undefined) break;
			regions.push({ base: cpu, size });
		}
		return regions;
	}

	/** A CPU address for @address on the bus that this node is; undefined where none of its ranges covers it. */
	private toCpu(address: number): number | undefined {
		let at: number = address;
		for (let bus: FdtNode = this; bus.parent !== null; bus = bus.parent) {
			const value = bus.props.get('ranges');
			if (value === undefined) return undefined;
			if (value.length === 0) continue;
			const na = bus.childAddressCells;
			const ns = bus.childSizeCells;
			const np = bus.parent.childAddressCells;
			const cells = bus.u32s('ranges');
			const step = na + np + ns;
			if (step === 0 || cells.length % step !== 0)
				throw bus.wrong('ranges', `has ${cells.length} cells, not a multiple of ${na} + ${np} + ${ns}`);
			let found: number | undefined;
			for (let i = 0; i < cells.length && found === undefined; i += step) {
				const child = cellsToNumber(cells, i, na);
				const size = cellsToNumber(cells, i + na + np, ns);
				if (at >= child && at - child < size) found = cellsToNumber(cells, i + na, np) + (at - child);
			}
			if (found === undefined) return undefined;
			at = found;
		}
		return at;
	}

	/**
	 * A list of phandles with arguments, as `iommus` with `#iommu-cells`, entry by entry: what is wrong with one is thrown
	 * when that one is asked for. An empty entry (phandle 0) is null.
	 */
	*phandleEntries(prop: string, cellsProp: string): Iterable<PhandleArgs | null> {
		const cells = this.u32s(prop);
		for (let at = 0; at < cells.length; ) {
			const phandle = cells[at++]!;
			if (phandle === 0) {
				yield null;
				continue;
			}
			const node = this.fdt.byPhandle(phandle);
			if (node === undefined) throw this.wrong(prop, `names phandle ${hex(phandle)}, which no node has`);
			const count = node.u32(cellsProp);
			if (count === undefined) throw this.wrong(prop, `names ${node.path}, which has no ${cellsProp}`);
			if (count > MAX_PHANDLE_ARGS || at + count > cells.length)
				throw this.wrong(prop, `ends inside the ${count} arguments for ${node.path}`);
			yield { node, args: cells.slice(at, at + count) };
			at += count;
		}
	}

	/** phandleEntries(), all of them; an empty one is left out. */
	phandleArgs(prop: string, cellsProp: string): PhandleArgs[] {
		return [...this.phandleEntries(prop, cellsProp)].filter((entry) => entry !== null);
	}

	get iommus(): PhandleArgs[] {
		return this.phandleArgs('iommus', '#iommu-cells');
	}

	get clocks(): PhandleArgs[] {
		return this.phandleArgs('clocks', '#clock-cells');
	}

	get resets(): PhandleArgs[] {
		return this.phandleArgs('resets', '#reset-cells');
	}

	get powerDomains(): PhandleArgs[] {
		return this.phandleArgs('power-domains', '#power-domain-cells');
	}

	/** The node that this node's `interrupts` are numbered by. */
	get interruptParent(): FdtNode | undefined {
		// A wrong tree can send this search round in circles: no way is longer than the tree.
		let hops = 0;
		for (let at: FdtNode = this; hops <= this.fdt.nodeCount; hops++) {
			const phandle = at.u32('interrupt-parent');
			const next: FdtNode | null | undefined =
				phandle === undefined ? at.parent : this.fdt.byPhandle(phandle);
			if (next === undefined)
				throw at.wrong('interrupt-parent', `names phandle ${hex(phandle!)}, which no node has`);
			if (next === null) return undefined;
			if (next.has('#interrupt-cells')) return next;
			at = next;
		}
		throw this.wrong('interrupt-parent', 'leads in a circle');
	}

	/** The interrupts of this node: controller and specifier cells, from `interrupts-extended` or `interrupts`. */
	get interrupts(): PhandleArgs[] {
		if (this.has('interrupts-extended')) return this.phandleArgs('interrupts-extended', '#interrupt-cells');
		if (!this.has('interrupts')) return [];
		const node = this.interruptParent;
		if (node === undefined) return [];
		const count = node.u32('#interrupt-cells', 0);
		const cells = this.u32s('interrupts');
		if (count === 0 || count > MAX_PHANDLE_ARGS || cells.length % count !== 0)
			throw this.wrong(
				'interrupts',
				`has ${cells.length} cells, not a multiple of the ${count} of ${node.path}`,
			);
		const list: PhandleArgs[] = [];
		for (let at = 0; at < cells.length; at += count) list.push({ node, args: cells.slice(at, at + count) });
		return list;
	}

	/** This node and all below it, in the order of the blob. */
	*walk(): Iterable<FdtNode> {
		yield this;
		for (const child of this.children) yield* child.walk();
	}
}

/** A parsed device tree. */
export class Fdt {
	root!: FdtNode;
	/** The blob without anything behind its total size. */
	readonly blob: Uint8Array;
	/** The memory reservation block. */
	readonly reserved: readonly Region[];
	readonly bootCpu: number;
	nodeCount = 0;
	private readonly phandles = new Map<number, FdtNode>();
	/** Property names by their place in the strings block; few, and each is used often. */
	private readonly strings = new Map<number, string>();

	constructor(blob: Uint8Array) {
		const header = readHeader(blob);
		this.blob = blob.subarray(0, header.totalSize);
		this.bootCpu = header.bootCpu;
		this.reserved = readReserveMap(this.blob, header);
		this.readStructure(header);
	}

	private readStructure(header: Header): void {
		const { blob } = this;
		const end = header.structOffset + header.structSize;
		let at = header.structOffset;
		let current: FdtNode | null = null;
		let depth = 0;
		let done = false;
		const where = (offset: number): string => `structure block at ${hex(offset)}`;
		const need = (bytes: number, what: string): void => {
			if (at + bytes > end)
				throw new FdtError(`${where(at)}: ${what} goes beyond the end of the block (${hex(end)})`, at, what);
		};

		while (!done) {
			need(4, 'a token');
			const start = at;
			const token = be32(blob, at);
			at += 4;
			switch (token) {
				case FDT_BEGIN_NODE: {
					let nul = at;
					while (nul < end && blob[nul] !== 0) nul++;
					if (nul === end) throw new FdtError(`${where(start)}: node name has no end`, start, 'a NUL');
					const name = utf8.decode(blob.subarray(at, nul));
					at += (nul + 1 - at + 3) & ~3;
					if (current === null && this.root !== undefined)
						throw new FdtError(`${where(start)}: a second root node`, start, 'the end token');
					if (++depth > MAX_DEPTH)
						throw new FdtError(
							`${where(start)}: nodes nested deeper than ${MAX_DEPTH}`,
							start,
							'less nesting',
						);
					const node: FdtNode = new FdtNode(this, name, current, start);
					if (current === null) this.root = node;
					else current.children.push(node);
					this.nodeCount++;
					current = node;
					break;
				}
				case FDT_END_NODE:
					if (current === null)
						throw new FdtError(`${where(start)}: a node ends that never began`, start, 'the end token');
					this.enter(current);
					current = current.parent;
					depth--;
					break;
				case FDT_PROP: {
					need(8, 'a property header');
					const length = be32(blob, at);
					const nameOffset = be32(blob, at + 4);
					at += 8;
					if (current === null)
						throw new FdtError(`${where(start)}: a property outside of every node`, start, 'a node');
					const name = this.stringAt(nameOffset, start, header);
					if (length > end - at)
						throw new FdtError(
							`${where(start)}: property ${name} of ${hex(length)} bytes goes beyond the end of the block (${hex(end)})`,
							start,
							`at most ${hex(end - at)} bytes`,
						);
					// Linux takes no notice of a property behind a child node.
					if (current.children.length === 0 && !current.props.has(name))
						current.props.set(name, blob.subarray(at, at + length));
					at += (length + 3) & ~3;
					break;
				}
				case FDT_NOP:
					break;
				case FDT_END:
					if (current !== null)
						throw new FdtError(
							`${where(start)}: the tree ends inside node ${current.path}`,
							start,
							'an end-node token',
						);
					if (this.root === undefined)
						throw new FdtError(`${where(start)}: the tree has no root node`, start, 'a begin-node token');
					done = true;
					break;
				default:
					throw new FdtError(
						`${where(start)}: ${hex(token)} is no token`,
						start,
						'a token (1, 2, 3, 4 or 9)',
					);
			}
		}
	}

	private enter(node: FdtNode): void {
		const phandle = node.phandle;
		if (phandle !== 0 && phandle !== 0xffff_ffff && !this.phandles.has(phandle))
			this.phandles.set(phandle, node);
	}

	private stringAt(offset: number, at: number, header: Header): string {
		const known = this.strings.get(offset);
		if (known !== undefined) return known;
		if (offset >= header.stringsSize)
			throw new FdtError(
				`structure block at ${hex(at)}: property name offset ${hex(offset)} is beyond the strings block (${hex(header.stringsSize)} bytes)`,
				at,
				`an offset below ${hex(header.stringsSize)}`,
			);
		const start = header.stringsOffset + offset;
		const end = header.stringsOffset + header.stringsSize;
		let nul = start;
		while (nul < end && this.blob[nul] !== 0) nul++;
		if (nul === end)
			throw new FdtError(`strings block at ${hex(start)}: property name has no end`, start, 'a NUL');
		const text = utf8.decode(this.blob.subarray(start, nul));
		this.strings.set(offset, text);
		return text;
	}

	byPhandle(phandle: number): FdtNode | undefined {
		return this.phandles.get(phandle);
	}

	/** Every node, in the order of the blob. */
	nodes(): Iterable<FdtNode> {
		return this.root.walk();
	}

	/** The node at a path; a path that begins without a slash begins with an alias. */
	node(path: string): FdtNode | undefined {
		const parts = path.split('/');
		let at: FdtNode | undefined = this.root;
		if (parts[0] !== '') {
			const alias = this.aliases.get(parts[0]!);
			at = alias === undefined ? undefined : this.node(alias);
		}
		for (const part of parts.slice(1)) if (part !== '') at = at?.child(part);
		return at;
	}

	/** Every node that is compatible with one of @names. */
	compatible(...names: string[]): FdtNode[] {
		return [...this.nodes()].filter((n) => n.isCompatible(...names));
	}

	get aliases(): Map<string, string> {
		const map = new Map<string, string>();
		const node = this.root.child('aliases');
		for (const name of node?.props.keys() ?? []) {
			const target = node?.string(name);
			if (target?.startsWith('/')) map.set(name, target);
		}
		return map;
	}

	/** What the memory nodes say is RAM: every node with device_type "memory". */
	memory(): Region[] {
		return this.root.children
			.filter((n) => n.okay && n.deviceType === 'memory')
			.flatMap((n) => n.memoryRegions())
			.filter((r) => r.size > 0);
	}

	get bootargs(): string {
		const value = this.root.child('chosen')?.props.get('bootargs');
		return value === undefined ? '' : utf8.decode(value).replace(/\0.*$/s, '');
	}
}

interface Header {
	readonly totalSize: number;
	readonly structOffset: number;
	readonly structSize: number;
	readonly stringsOffset: number;
	readonly stringsSize: number;
	readonly reserveOffset: number;
	readonly bootCpu: number;
}

/** Where the tag of a source file stands: behind a licence, comments and includes. */
const SOURCE_HEAD = 64 * 1024;

/** Whether @bytes is the text of a .dts, .dtsi or .dtso file. */
function isSource(bytes: Uint8Array): boolean {
	const head = latin1(bytes.subarray(0, SOURCE_HEAD));
	return !head.includes('\0') && /\/dts-v1\/|\/plugin\/|^\s*\/\s*\{|^\s*&[\w{]/m.test(head);
}

function latin1(bytes: Uint8Array): string {
	return new TextDecoder('latin1').decode(bytes);
}

function readHeader(blob: Uint8Array): Header {
	if (blob.length < 4)
		throw new FdtError(`not a device tree: the file is ${blob.length} bytes long`, 0, 'a device tree header');
	if (be32(blob, 0) !== FDT_MAGIC && isSource(blob))
		throw new FdtError(
			'not a device tree blob: this is source, which dtc makes a blob of (dtc -I dts -O dtb)',
			0,
			`the magic ${hex(FDT_MAGIC)}`,
		);
	if (be32(blob, 0) !== FDT_MAGIC)
		throw new FdtError(
			`not a device tree: it begins with ${hex(be32(blob, 0))}, not with ${hex(FDT_MAGIC)}`,
			0,
			`the magic ${hex(FDT_MAGIC)}`,
		);
	if (blob.length < FDT_V16_HEADER)
		throw new FdtError(
			`header at 0x0: it goes beyond the end of the file (${hex(blob.length)} bytes)`,
			blob.length,
			`${hex(FDT_V17_HEADER)} bytes`,
		);
	const version = be32(blob, 20);
	const lastCompatible = be32(blob, 24);
	if (version < 16 || lastCompatible > 17 || version < lastCompatible)
		throw new FdtError(
			`header at 0x14: version ${version}, compatible back to ${lastCompatible}, is not 16 or 17`,
			20,
			'version 16 or 17',
		);
	const headerSize = version >= 17 ? FDT_V17_HEADER : FDT_V16_HEADER;
	const totalSize = be32(blob, 4);
	if (totalSize < headerSize || totalSize > MAX_BYTES)
		throw new FdtError(
			`header at 0x4: total size ${hex(totalSize)} is no size of a device tree`,
			4,
			'a size',
		);
	if (totalSize > blob.length)
		throw new FdtError(
			`header at 0x4: the tree is ${hex(totalSize)} bytes long, but the file ends after ${hex(blob.length)}`,
			4,
			`at most ${hex(blob.length)}`,
		);
	const block = (name: string, at: number, offset: number, size: number, align: number): void => {
		if (offset < headerSize || offset > totalSize || size > totalSize - offset)
			throw new FdtError(
				`header at ${hex(at)}: ${name} block at ${hex(offset)} of ${hex(size)} bytes is not inside the tree (${hex(headerSize)} to ${hex(totalSize)})`,
				at,
				'an offset inside the tree',
			);
		if (offset % align !== 0)
			throw new FdtError(
				`header at ${hex(at)}: ${name} block at ${hex(offset)} is not aligned to ${align} bytes`,
				at,
				`a multiple of ${align}`,
			);
	};
	const structOffset = be32(blob, 8);
	const stringsOffset = be32(blob, 12);
	const reserveOffset = be32(blob, 16);
	const stringsSize = be32(blob, 32);
	block('structure', 8, structOffset, 0, 4);
	const structSize = version >= 17 ? be32(blob, 36) : totalSize - structOffset;
	block('memory reservation', 16, reserveOffset, 0, 8);
	block('structure', 8, structOffset, structSize, 4);
	block('strings', 12, stringsOffset, stringsSize, 1);
	return {
		totalSize,
		structOffset,
		structSize,
		stringsOffset,
		stringsSize,
		reserveOffset,
		bootCpu: be32(blob, 28),
	};
}

function readReserveMap(blob: Uint8Array, header: Header): Region[] {
	const regions: Region[] = [];
	for (let at = header.reserveOffset; ; at += 16) {
		if (at + 16 > blob.length)
			throw new FdtError(
				`memory reservation block at ${hex(at)}: no end before the end of the tree (${hex(blob.length)})`,
				at,
				'an entry of zeros',
			);
		const base = be32(blob, at) * 0x1_0000_0000 + be32(blob, at + 4);
		const size = be32(blob, at + 8) * 0x1_0000_0000 + be32(blob, at + 12);
		// Linux ends at the first entry without a size, whatever its address.
		if (size === 0) return regions;
		regions.push({ base, size });
	}
}

/** The part of @fdt that makes it an overlay (Devicetree Specification: dtc's `/plugin/`), if it is one. */
function overlayFragment(fdt: Fdt): FdtNode | undefined {
	return fdt.root.children.find((n) => n.children.some((c) => c.name === '__overlay__'));
}

/** What the tree of a whole board is; throws FdtError, and nothing else, on anything that is none. */
export function parseFdt(blob: Uint8Array): Fdt {
	const fdt = new Fdt(blob);
	const fragment = overlayFragment(fdt);
	if (fragment !== undefined)
		throw new FdtError(
			`an overlay, not a board's tree: ${fragment.path} changes another tree; apply it first (fdtoverlay -i board.dtb -o whole.dtb overlay.dtbo)`,
			fragment.offset,
			'the tree of a whole board',
		);
	return fdt;
}

/** A node to write. */
export interface FdtSource {
	name: string;
	props: Map<string, Uint8Array>;
	children: FdtSource[];
}

/** A copy of a node and all below it that may be changed, and written with writeFdt(). */
export function fdtSource(node: FdtNode): FdtSource {
	return { name: node.name, props: new Map(node.props), children: node.children.map(fdtSource) };
}

/** Write a tree as a blob of version 17. */
export function writeFdt(root: FdtSource, reserved: readonly Region[] = [], bootCpu = 0): Uint8Array {
	const stringOffsets = new Map<string, number>();
	const names: Uint8Array[] = [];
	let stringsSize = 0;
	let structure = new Uint8Array(64 * 1024);
	let structSize = 0;
	const room = (bytes: number): void => {
		if (structSize + bytes <= structure.length) return;
		const larger = new Uint8Array(2 * (structSize + bytes));
		larger.set(structure);
		structure = larger;
	};
	const cell = (value: number): void => {
		room(4);
		putBe32(structure, structSize, value);
		structSize += 4;
	};
	const padded = (bytes: Uint8Array, length: number): void => {
		const size = (length + 3) & ~3;
		room(size);
		structure.set(bytes, structSize);
		structSize += size;
	};
	const write = (node: FdtSource): void => {
		cell(FDT_BEGIN_NODE);
		const name = latin.encode(node.name);
		padded(name, name.length + 1);
		for (const [key, value] of node.props) {
			let offset = stringOffsets.get(key);
			if (offset === undefined) {
				offset = stringsSize;
				stringOffsets.set(key, offset);
				const text = latin.encode(`${key}\0`);
				names.push(text);
				stringsSize += text.length;
			}
			cell(FDT_PROP);
			cell(value.length);
			cell(offset);
			padded(value, value.length);
		}
		node.children.forEach(write);
		cell(FDT_END_NODE);
	};
	write(root);
	cell(FDT_END);

	const structOffset = FDT_V17_HEADER + (reserved.length + 1) * 16;
	const stringsOffset = structOffset + structSize;
	const blob = new Uint8Array((stringsOffset + stringsSize + 7) & ~7);
	[
		FDT_MAGIC,
		blob.length,
		structOffset,
		stringsOffset,
		FDT_V17_HEADER,
		17,
		16,
		bootCpu,
		stringsSize,
		structSize,
	].forEach((v, i) => {
		putBe32(blob, i * 4, v);
	});
	reserved.forEach(({ base, size }, i) => {
		const at = FDT_V17_HEADER + i * 16;
		blob.set(numberToBytes(base, 2), at);
		blob.set(numberToBytes(size, 2), at + 8);
	});
	blob.set(structure.subarray(0, structSize), structOffset);
	let at = stringsOffset;
	for (const name of names) {
		blob.set(name, at);
		at += name.length;
	}
	return blob;
}

function numberToBytes(value: number, cells: number): Uint8Array {
	const bytes = new Uint8Array(cells * 4);
	if (cells > 0) putBe32(bytes, cells * 4 - 4, value % 0x1_0000_0000);
	if (cells > 1) putBe32(bytes, cells * 4 - 8, Math.floor(value / 0x1_0000_0000));
	return bytes;
}

function rewrite(fdt: Fdt, change: (root: FdtSource, fdt: Fdt) => void): Uint8Array {
	const root = fdtSource(fdt.root);
	change(root, fdt);
	return writeFdt(root, fdt.reserved, fdt.bootCpu);
}

/**
 * The boot loader's part: say in the tree how much memory there is. What the tree's memory nodes said is
 * replaced; everything else stays.
 */
export function withMemory(tree: Uint8Array | Fdt, regions: readonly Region[]): Uint8Array {
	return rewrite(tree instanceof Fdt ? tree : parseFdt(tree), (root, fdt) => {
		const na = fdt.root.childAddressCells;
		const ns = fdt.root.childSizeCells;
		const reg = new Uint8Array(regions.length * (na + ns) * 4);
		regions.forEach(({ base, size }, i) => {
			for (const [value, cells] of [
				[base, na],
				[size, ns],
			] as const)
				if (cells === 0 || (cells === 1 && value > 0xffff_ffff))
					throw new FdtError(
						`/: ${hex(value)} of memory does not fit the ${cells} cells that the tree has for it`,
					);
			reg.set(numberToBytes(base, na), i * (na + ns) * 4);
			reg.set(numberToBytes(size, ns), (i * (na + ns) + na) * 4);
		});
		const type = latin.encode('memory\0');
		const isMemory = (n: FdtSource): boolean =>
			utf8.decode(n.props.get('device_type')).split('\0', 1)[0] === 'memory';
		const [first, ...others] = root.children.filter(isMemory);
		root.children = root.children.filter((n) => !others.includes(n));
		if (first !== undefined) {
			first.props.set('reg', reg);
			first.props.delete('linux,usable-memory');
			first.props.delete('status');
			return;
		}
		const name = regions.length === 0 ? 'memory' : `memory@${regions[0]!.base.toString(16)}`;
		const props = new Map([
			['device_type', type],
			['reg', reg],
		]);
		root.children.push({ name, props, children: [] });
	});
}

/** The boot loader's other part: the kernel's command line in /chosen. */
export function withBootargs(blob: Uint8Array, bootargs: string): Uint8Array {
	return rewrite(parseFdt(blob), (root) => {
		let chosen = root.children.find((n) => n.name === 'chosen');
		if (chosen === undefined) {
			chosen = { name: 'chosen', props: new Map(), children: [] };
			root.children.push(chosen);
		}
		chosen.props.set('bootargs', latin.encode(`${bootargs}\0`));
	});
}
