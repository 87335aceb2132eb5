// SPDX-License-Identifier: GPL-2.0-only
// Device trees that somebody, or something, has spoilt: a boot ends, with a running kernel or with one line that says why.

import { FdtError, type FdtSource, fdtSource, parseFdt, writeFdt } from '#hw/core/fdt.js';
import { Machine, MachineError, MachineHang } from '#hw/core/machine.js';
import { start_kernel } from '#init/main.js';
import { kernel_bug, panic_state } from '#kernel/panic.js';
import { boardBlob } from '#tests/boot.js';
import { type FuzzTarget, pick } from '#tests/fuzz/fuzz.js';
import { cells, text } from '#tests/hw/fdt-source.js';

const BOARDS = [
	'sun50i-h6-orangepi-3',
	'sun50i-h6-orangepi-3',
	'sun50i-h6-orangepi-3-noiommu',
	'h616',
	'high',
	'ranges',
];

type Random = () => number;

const below = (random: Random, n: number): number => Math.floor(random() * n);

/** Numbers at which something changes. */
const EDGES = [
	0, 1, 2, 3, 4, 5, 6, 8, 16, 17, 64, 0x1000, 0x7fff_ffff, 0x8000_0000, 0xffff_f000, 0xffff_ffff,
];

/** A tree that is being changed, with what there is in it to choose from. */
class Draft {
	readonly nodes: { node: FdtSource; parent: FdtSource | null; path: string }[] = [];
	readonly phandles: number[] = [];

	constructor(readonly root: FdtSource) {
		this.#collect(root, null, '');
	}

	#collect(node: FdtSource, parent: FdtSource | null, above: string): void {
		const path = parent === null ? '' : `${above}/${node.name}`;
		this.nodes.push({ node, parent, path: path === '' ? '/' : path });
		const phandle = node.props.get('phandle');
		if (phandle?.length === 4) this.phandles.push(readCell(phandle, 0));
		for (const child of node.children) this.#collect(child, node, path);
	}

	/** A node with a property that @wanted accepts; any property of any node when there is none such. */
	property(random: Random, wanted: (name: string) => boolean): { node: FdtSource; name: string } {
		const all = this.nodes.flatMap(({ node }) => [...node.props.keys()].map((name) => ({ node, name })));
		const some = all.filter(({ name }) => wanted(name));
		return pick(random, some.length > 0 ? some : all);
	}

	path(random: Random): string {
		return pick(random, this.nodes).path;
	}
}

function readCell(value: Uint8Array, at: number): number {
	return new DataView(value.buffer, value.byteOffset).getUint32(at);
}

/** @value with one cell replaced by what @change makes of it. */
function withCell(random: Random, value: Uint8Array, change: (cell: number) => number): Uint8Array {
	const copy = Uint8Array.from(value);
	const count = Math.floor(copy.length / 4);
	if (count === 0) return cells(change(0));
	const at = below(random, count) * 4;
	new DataView(copy.buffer).setUint32(at, change(readCell(copy, at)));
	return copy;
}

function deepCopy(node: FdtSource): FdtSource {
	return { name: node.name, props: new Map(node.props), children: node.children.map(deepCopy) };
}

const LINKS =
	/^(iommus|clocks|resets|interrupt-parent|interrupts-extended|interrupt-map|memory-region|power-domains|assigned-clocks|assigned-clock-parents|remote-endpoint|allwinner,pipelines|allwinner,sram|phys|dmas|.*-supply|iommu-map|interconnects)$/;
const NUMBERS = /^(reg|ranges|dma-ranges|interrupts|size|alignment|alloc-ranges|#.*-cells|phandle)$/;
/** Properties that a node may be given, with what their cells are. */
const NEW_LISTS = [
	'dma-ranges',
	'ranges',
	'interrupt-map',
	'interrupt-map-mask',
	'iommu-map',
	'iommu-map-mask',
	'memory-region',
	'iommu-addresses',
	'assigned-clocks',
	'assigned-clock-rates',
	'assigned-clock-parents',
	'power-domains',
	'interrupt-parent',
	'interrupts-extended',
	'interconnects',
	'iommus',
	'clocks',
	'resets',
	'remote-endpoint',
	'linux,usable-memory',
];
const FLAGS = [
	'dma-coherent',
	'no-map',
	'reusable',
	'linux,cma-default',
	'interrupt-controller',
	'dma-noncoherent',
];
const NAMES = [
	'ports',
	'port',
	'port@1',
	'endpoint',
	'reserved-memory',
	'chosen',
	'aliases',
	'memory@40000000',
	'x\u0007\u001b[31m',
	'',
	'@',
	'soc',
];

/** A random cell: an edge, somebody's phandle, or anything. */
function anyCell(draft: Draft, random: Random): number {
	const kind = random();
	if (kind < 0.4) return pick(random, EDGES);
	if (kind < 0.9 && draft.phandles.length > 0) return pick(random, draft.phandles);
	return below(random, 0x1_0000_0000);
}

function anyCells(draft: Draft, random: Random): Uint8Array {
	return cells(...Array.from({ length: below(random, 9) }, () => anyCell(draft, random)));
}

const memory = (draft: Draft): FdtSource | undefined =>
	draft.root.children.find((n) => n.name.startsWith('memory'));

/** Each spoils the tree in its own way. */
const MUTATIONS: readonly ((draft: Draft, random: Random) => void)[] = [
	function relink(draft, random) {
		const { node, name } = draft.property(random, (p) => LINKS.test(p));
		node.props.set(
			name,
			withCell(random, node.props.get(name)!, () => anyCell(draft, random)),
		);
	},
	function renumber(draft, random) {
		const { node, name } = draft.property(random, (p) => NUMBERS.test(p));
		node.props.set(
			name,
			withCell(random, node.props.get(name)!, (old) =>
				random() < 0.5 ? pick(random, EDGES) : (old ^ (1 << below(random, 32))) >>> 0,
			),
		);
	},
	function resize(draft, random) {
		const { node, name } = draft.property(random, () => true);
		const value = node.props.get(name)!;
		const longer = new Uint8Array(Math.max(0, value.length + below(random, 17) - 8));
		longer.set(value.subarray(0, longer.length));
		node.props.set(name, longer);
	},
	function endpoint(draft, random) {
		const { node, name } = draft.property(random, (p) => p === 'remote-endpoint');
		node.props.set(
			name,
			random() < 0.5 ? (node.props.get('phandle') ?? cells(1)) : cells(anyCell(draft, random)),
		);
	},
	function compatible(draft, random) {
		const { node } = draft.property(random, (p) => p === 'compatible');
		const other = draft.property(random, (p) => p === 'compatible').node.props.get('compatible')!;
		node.props.set('compatible', random() < 0.5 ? other : text('nobody,knows'));
	},
	function status(draft, random) {
		pick(random, draft.nodes).node.props.set(
			'status',
			text(pick(random, ['disabled', 'okay', 'fail-x', ''])),
		);
	},
	function dropProperty(draft, random) {
		const { node, name } = draft.property(random, () => true);
		node.props.delete(name);
	},
	function addList(draft, random) {
		pick(random, draft.nodes).node.props.set(pick(random, NEW_LISTS), anyCells(draft, random));
	},
	function addFlag(draft, random) {
		pick(random, draft.nodes).node.props.set(pick(random, FLAGS), new Uint8Array(0));
	},
	function cellCounts(draft, random) {
		const { node, name } = draft.property(random, (p) => /^#.*-cells$/.test(p));
		node.props.set(name, cells(pick(random, EDGES)));
	},
	function dropNode(draft, random) {
		const { node, parent } = pick(random, draft.nodes);
		if (parent !== null) parent.children = parent.children.filter((n) => n !== node);
	},
	function copyNode(draft, random) {
		const { node, parent } = pick(random, draft.nodes);
		if (parent === null) return;
		const copy = deepCopy(node);
		if (random() < 0.5) copy.name += 'x';
		(random() < 0.7 ? parent : pick(random, draft.nodes).node).children.push(copy);
	},
	function rename(draft, random) {
		const { node, parent } = pick(random, draft.nodes);
		if (parent !== null) node.name = pick(random, NAMES);
	},
	function alias(draft, random) {
		let aliases = draft.root.children.find((n) => n.name === 'aliases');
		if (aliases === undefined) {
			aliases = { name: 'aliases', props: new Map(), children: [] };
			draft.root.children.push(aliases);
		}
		const name = `a${below(random, 3)}`;
		const target = random() < 0.6 ? `a${below(random, 3)}` : draft.path(random);
		aliases.props.set(name, text(random() < 0.5 ? target : `${target}/x:y`));
		draft.root.children.find((n) => n.name === 'chosen')?.props.set('stdout-path', text(`${name}:115200n8`));
	},
	function dmaParent(draft, random) {
		const { node } = pick(random, draft.nodes);
		node.props.set('interconnect-names', text('dma-mem'));
		node.props.set('interconnects', cells(anyCell(draft, random), 0));
		for (const { node: other } of draft.nodes)
			if (other.props.has('phandle')) other.props.set('#interconnect-cells', cells(below(random, 2)));
	},
	function interruptParent(draft, random) {
		const { node } = pick(random, draft.nodes);
		node.props.set(
			'interrupt-parent',
			random() < 0.3 ? (node.props.get('phandle') ?? cells(1)) : cells(anyCell(draft, random)),
		);
		if (random() < 0.3) node.props.set('#interrupt-cells', new Uint8Array(below(random, 4)));
		if (random() < 0.3) node.props.set('#interrupt-cells', cells(0));
		if (random() < 0.3) node.props.set('interrupt-map', anyCells(draft, random));
	},
	function clock(draft, random) {
		const phandle = Math.max(0, ...draft.phandles) + 1;
		const props = new Map([
			['compatible', text(pick(random, ['fixed-factor-clock', 'fixed-clock']))],
			['#clock-cells', cells(0)],
			['clock-frequency', cells(pick(random, EDGES))],
			['clock-div', cells(pick(random, EDGES))],
			['clock-mult', cells(pick(random, EDGES))],
			['clocks', random() < 0.5 ? cells(phandle) : cells(anyCell(draft, random))],
			['phandle', cells(phandle)],
		]);
		draft.root.children.unshift({ name: `clk${below(random, 3)}`, props, children: [] });
		const { node } = draft.property(random, (p) => p === 'clocks');
		node.props.set('clocks', cells(phandle));
	},
	function memorySize(draft, random) {
		const size = 2 ** below(random, 64);
		const base = random() < 0.5 ? 0x4000_0000 : 2 ** below(random, 64);
		const number = (n: number): [number, number] => [Math.floor(n / 2 ** 32), n % 2 ** 32];
		draft.root.props.set('#address-cells', cells(2));
		draft.root.props.set('#size-cells', cells(2));
		memory(draft)?.props.set('reg', cells(...number(base), ...number(size)));
	},
	function memoryNodes(draft, random) {
		const props = new Map([
			['device_type', text('memory')],
			['reg', anyCells(draft, random)],
		]);
		if (random() < 0.3) props.delete('reg');
		draft.root.children.push({ name: `memory@${below(random, 4)}`, props, children: [] });
	},
	function reserve(draft, random) {
		let holder = draft.root.children.find((n) => n.name === 'reserved-memory');
		if (holder === undefined) {
			holder = { name: 'reserved-memory', props: new Map(), children: [] };
			for (const name of ['#address-cells', '#size-cells'])
				holder.props.set(name, draft.root.props.get(name) ?? cells(1));
			holder.props.set('ranges', new Uint8Array(0));
			draft.root.children.push(holder);
		}
		const props = new Map<string, Uint8Array>();
		props.set(pick(random, ['reg', 'size', 'alloc-ranges']), anyCells(draft, random));
		if (random() < 0.5) props.set('size', cells(0, pick(random, EDGES)));
		if (random() < 0.3) props.set('alignment', cells(0, pick(random, EDGES)));
		if (random() < 0.7)
			props.set('compatible', text(pick(random, ['shared-dma-pool', 'restricted-dma-pool'])));
		if (random() < 0.5) props.set(pick(random, FLAGS), new Uint8Array(0));
		if (draft.phandles.length > 0) props.set('phandle', cells(Math.max(...draft.phandles) + 1));
		holder.children.push({ name: `pool@${below(random, 8)}`, props, children: [] });
		const target = draft.property(random, (p) => p === 'compatible').node;
		target.props.set('memory-region', props.get('phandle') ?? cells(1));
	},
	function controlCharacters(draft, random) {
		const { node, parent } = pick(random, draft.nodes);
		if (parent !== null) node.name = `${node.name.split('@')[0]}\u001b[2J\r@${below(random, 100)}`;
		draft.root.props.set('model', text('a\u0007b\u009bc'));
	},
];

/** Flip, drop and double bytes anywhere. */
function spoilBytes(blob: Uint8Array, random: Random): Uint8Array {
	const bytes = Uint8Array.from(blob);
	for (let n = 1 + below(random, 4); n > 0; n--) {
		const at = below(random, bytes.length);
		const kind = random();
		if (kind < 0.5) bytes[at] ^= 1 << below(random, 8);
		else if (kind < 0.8) bytes[at] = pick(random, [0, 1, 2, 3, 4, 9, 0x7f, 0xff]);
		else bytes.copyWithin(at, below(random, bytes.length), below(random, bytes.length));
	}
	return random() < 0.05 ? bytes.subarray(0, below(random, bytes.length)) : bytes;
}

/** One of the boards, spoilt. */
export function spoiltTree(random: Random): Uint8Array {
	const blob = boardBlob(pick(random, BOARDS));
	if (random() < 0.25) return spoilBytes(blob, random);
	const draft = fdtSource(parseFdt(blob).root);
	for (let n = 1 + below(random, 5); n > 0; n--) pick(random, MUTATIONS)(new Draft(draft), random);
	const spoilt = writeFdt(draft);
	return random() < 0.1 ? spoilBytes(spoilt, random) : spoilt;
}

/** What a wrong tree may make the kernel WARN of: 6.12 does, too. */
const WARNINGS: readonly RegExp[] = [
	// Registers where the tree says that there is memory.
	/io\.ts:\d+ ioremap/,
	/^unable to map gic (dist|cpu) registers/,
	// A second interrupt controller; cells and numbers that are too many or too large.
	/irq-gic\.ts:\d+ .*gic_of_init/,
	/irq\.ts:\d+ of_irq_parse_raw/,
	/irq-gic-common\.ts:\d+ gic_irq_domain_translate/,
	/base\.ts:\d+ of_phandle_iterator_args/,
	/^error: hwirq 0x[0-9a-f]+ is too large for /,
	/reset\/core\.ts:\d+ (__of_reset_control_get|__reset_control_get_internal)/,
	// No memory where a device reaches.
	/swiotlb addr 0x[0-9a-f]+\+\d+ overflow/,
];

const CONTROL = /(?!\t)\p{Cc}/u;

/** Boot @dtb; throws when it ends in any way that a user would take for a flaw of ours. */
export function bootSpoilt(dtb: Uint8Array): void {
	const said: string[] = [];
	panic_state.warnings.length = 0;
	try {
		const machine = new Machine(dtb, {
			onConsole: (_level, line) => said.push(line),
			onNote: (who, line) => said.push(`${who}: ${line}`),
		});
		start_kernel(machine);
	} catch (error) {
		if (!(error instanceof FdtError || error instanceof MachineError || error instanceof MachineHang))
			if (!(error instanceof kernel_bug) || !panic_state.warnings.some((w) => w.startsWith('Kernel panic')))
				throw error;
		said.push(error.message);
	} finally {
		const unexpected = panic_state.warnings.filter(
			(w) => !w.startsWith('Kernel panic') && !WARNINGS.some((allowed) => allowed.test(w)),
		);
		panic_state.warnings.length = 0;
		if (unexpected.length > 0) said.push(`WARN: ${unexpected.join('; ')}`);
	}
	const raw = said.find((line) => CONTROL.test(line));
	if (raw !== undefined) throw new Error(`a control character is printed raw: ${JSON.stringify(raw)}`);
	const warning = said.find((line) => line.startsWith('WARN: '));
	if (warning !== undefined) throw new Error(warning);
}

export const trees: FuzzTarget = {
	name: 'trees',
	step: (random) => bootSpoilt(spoiltTree(random)),
};
