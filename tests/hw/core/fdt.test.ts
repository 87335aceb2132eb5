// SPDX-License-Identifier: GPL-2.0-only
// The machine's reader and writer of device trees, on the project's own board.

import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import {
	type Fdt,
	FdtError,
	type FdtNode,
	type FdtSource,
	fdtSource,
	parseFdt,
	type Region,
	withBootargs,
	withMemory,
	writeFdt,
} from '#hw/core/fdt.js';
import { cells, node, text } from '#tests/hw/fdt-source.js';
import { random } from '#tests/random.js';

const BOARDS = 'arch/arm64/boot/dts/allwinner';
const board = (name: string): Uint8Array => new Uint8Array(readFileSync(`${BOARDS}/${name}.dtb`));
const orangepi = board('sun50i-h6-orangepi-3');

/** Everything a machine builder asks of a tree. */
function readAll(fdt: Fdt): number {
	let count = 0;
	for (const node of fdt.nodes()) {
		count += node.reg().length + node.compatible.length + Number(node.okay);
		count += node.iommus.length + node.clocks.length + node.resets.length + node.interrupts.length;
	}
	return count + fdt.memory().length + fdt.aliases.size + fdt.bootargs.length;
}

/** What reading all of @blob throws; undefined when it is fine. */
function readError(blob: Uint8Array): unknown {
	try {
		readAll(parseFdt(blob));
		return undefined;
	} catch (error) {
		return error;
	}
}

const tree = (...children: FdtSource[]): Fdt =>
	parseFdt(writeFdt(node('', { '#address-cells': cells(1), '#size-cells': cells(1) }, ...children)));

function expectFdtError(act: () => unknown, message: RegExp): void {
	try {
		act();
	} catch (error) {
		expect(error).to.be.instanceOf(FdtError);
		const { message: line } = error as FdtError;
		expect(line).to.match(message);
		expect(line).to.not.include('\n');
		return;
	}
	expect.fail('no error');
}

describe('hw_fdt', () => {
	describe('reading', () => {
		const fdt = parseFdt(orangepi);
		const at = (path: string): FdtNode => fdt.node(path)!;

		it('finds nodes by path, with or without unit address', () => {
			expect(at('/soc/iommu@30f0000').path).to.equal('/soc/iommu@30f0000');
			expect(at('/soc/iommu').name).to.equal('iommu@30f0000');
			expect(fdt.node('/soc/nothing')).to.equal(undefined);
		});

		it('finds nodes by alias and by compatible', () => {
			expect(fdt.node('serial0')!.name).to.equal('serial@5000000');
			expect(fdt.compatible('allwinner,sun50i-h6-iommu').map((n) => n.path)).to.deep.equal([
				'/soc/iommu@30f0000',
			]);
		});

		it('translates reg through the ranges of every bus above', () => {
			// sun50i-h6-iommu.json: mixer at 0x100000 of the bus at 0x1000000.
			expect(at('/soc/bus@1000000/mixer@100000').reg()).to.deep.equal([{ base: 0x1100000, size: 0x100000 }]);
			expect(at('/soc/interrupt-controller@3021000').reg()[1]).to.deep.equal({
				base: 0x3022000,
				size: 0x2000,
			});
		});

		it('has no CPU address for a node on a bus without size cells', () => {
			expect(at('/cpus/cpu@0').reg()).to.deep.equal([]);
			expect(at('/cpus/cpu@0').rawReg()).to.deep.equal([{ base: 0, size: 0 }]);
		});

		it('resolves iommus, clocks, resets and interrupts to nodes and arguments', () => {
			const ve = at('/soc/video-codec@1c0e000');
			// sun50i-h6-iommu.json: the video engine is master 3.
			expect(ve.iommus.map((a) => [a.node.name, a.args])).to.deep.equal([['iommu@30f0000', [3]]]);
			expect(ve.clocks.map((a) => a.args[0])).to.deep.equal([38, 37, 54]);
			expect(ve.resets.map((a) => a.args[0])).to.deep.equal([5]);
			expect(ve.interrupts.map((a) => [a.node.name, a.args])).to.deep.equal([
				['interrupt-controller@3021000', [0, 89, 4]],
			]);
		});

		it('takes the interrupt-parent of the node before that of the root', () => {
			expect(at('/soc/rtc@7000000').interrupts[0]!.node.name).to.equal('interrupt-controller@7021000');
		});

		it('says which devices are enabled', () => {
			expect(at('/soc/hdmi').okay).to.equal(true);
			const t = tree(
				node('a', { status: text('disabled') }),
				node('b', { status: text('ok') }),
				node('c', { status: text('fail') }),
				node('d'),
			);
			expect(t.root.children.filter((n) => n.okay).map((n) => n.name)).to.deep.equal(['b', 'd']);
		});

		it('reads memory as Linux does: whole entries in the cells of the root, linux,usable-memory first', () => {
			const memory = (props: Record<string, Uint8Array>): Region[] =>
				tree(node('memory', { device_type: text('memory'), ...props })).memory();
			expect(memory({ reg: cells(16, 32, 48) })).to.deep.equal([{ base: 16, size: 32 }]);
			expect(memory({ reg: cells(16, 32), 'linux,usable-memory': cells(20, 8) })).to.deep.equal([
				{ base: 20, size: 8 },
			]);
			expect(memory({})).to.deep.equal([]);
		});

		it('names an overlay, and source, for what they are', () => {
			const overlay = node('fragment@0', { target: cells(1) }, node('__overlay__'));
			expectFdtError(
				() => tree(overlay),
				/^an overlay, not a board's tree: \/fragment@0 changes another tree/,
			);
			for (const source of [
				'/dts-v1/;\n/ { };',
				'// SPDX\n/*\n * a board\n */\n\n/dts-v1/;\n/plugin/;',
				'#include "sun50i-h6.dtsi"\n\n/ {\n\tmodel = "x";\n};\n',
				'&uart0 {\n\tstatus = "okay";\n};\n',
			])
				expectFdtError(
					() => parseFdt(new TextEncoder().encode(source)),
					/: this is source, which dtc makes a blob of/,
				);
			expectFdtError(() => parseFdt(new TextEncoder().encode('a letter')), /it begins with 0x61206c65/);
		});

		it('never puts control characters into a message', () => {
			const bad = tree(node('x\u001b[31m\r@1', { reg: cells(1) }));
			expectFdtError(() => bad.root.children[0]!.reg(), /^\/x\\x1b\[31m\\x0d@1: property reg has 1 cells/);
		});

		it('ignores bytes behind the total size', () => {
			const longer = new Uint8Array(orangepi.length + 100).fill(0xff);
			longer.set(orangepi);
			expect(readAll(parseFdt(longer))).to.equal(readAll(fdt));
		});

		it('sees the first of two properties with one name, and none behind a child, as Linux does', () => {
			// begin "", prop a = 1 (name at 0), begin "x", end, prop b (name at 2), end, END
			const struct = cells(1, 0, 3, 4, 0, 1, 3, 4, 0, 2, 1, 0x78000000, 2, 3, 4, 2, 3, 2, 9);
			const strings = new TextEncoder().encode('a\0b\0');
			const blob = new Uint8Array(40 + 16 + struct.length + strings.length);
			const size = struct.length;
			blob.set(cells(0xd00dfeed, blob.length, 56, 56 + size, 40, 17, 16, 0, strings.length, size));
			blob.set(struct, 56);
			blob.set(strings, 56 + size);
			const { root } = parseFdt(blob);
			expect(root.u32('a')).to.equal(1);
			expect(root.has('b')).to.equal(false);
		});
	});

	describe('errors', () => {
		const broken = (at: number, value: number): Uint8Array => {
			const copy = orangepi.slice();
			new DataView(copy.buffer).setUint32(at, value);
			return copy;
		};

		for (const [what, blob, message] of [
			['an empty file', new Uint8Array(0), /^not a device tree: the file is 0 bytes long$/],
			[
				'another kind of file',
				new TextEncoder().encode('PNG pictures'),
				/^not a device tree: it begins with 0x504e4720/,
			],
			['an unknown version', broken(20, 15), /^header at 0x14: version 15/],
			['a version from the future', broken(24, 18), /^header at 0x14: version 17, compatible back to 18/],
			[
				'a file that is cut off',
				orangepi.subarray(0, 1000),
				/^header at 0x4: the tree is 0x[0-9a-f]+ bytes long, but the file ends after 0x3e8$/,
			],
			['a structure block outside', broken(8, 0x7fff_fff0), /^header at 0x8: structure block at 0x7ffffff0/],
			['a strings block outside', broken(12, 4), /^header at 0xc: strings block at 0x4 /],
			[
				'strings that are too long',
				broken(32, 0x7000_0000),
				/^header at 0xc: strings block .* of 0x70000000 bytes/,
			],
			[
				'a misaligned structure block',
				broken(8, 0x3a),
				/^header at 0x8: structure block at 0x3a is not aligned to 4/,
			],
			[
				'a misaligned reservation block',
				broken(16, 0x2c),
				/^header at 0x10: memory reservation block at 0x2c is not aligned to 8/,
			],
			['a wrong token', broken(0x38, 7), /^structure block at 0x38: 0x7 is no token$/],
			[
				'a property name outside',
				broken(0x48, 0x93f0),
				/^structure block at 0x40: property name offset 0x93f0 is beyond the strings block \(0x[0-9a-f]+ bytes\)$/,
			],
			[
				'a property that is too long',
				broken(0x44, 0x00ff_ffff),
				/^structure block at 0x40: property .* of 0xffffff bytes goes beyond the end/,
			],
		] as [string, Uint8Array, RegExp][])
			it(`names the place for ${what}`, () => expectFdtError(() => parseFdt(blob), message));

		it('refuses a phandle that no node has, a list that ends too early, and a wrong reg', () => {
			const t = tree(
				node('p', { phandle: cells(1), '#clock-cells': cells(2) }),
				node('lost', { clocks: cells(9) }),
				node('short', { clocks: cells(1, 5) }),
				node('odd', { reg: cells(1, 2, 3), status: text('okay') }),
			);
			expectFdtError(
				() => t.node('/lost')!.clocks,
				/^\/lost: property clocks names phandle 0x9, which no node has$/,
			);
			expectFdtError(
				() => t.node('/short')!.clocks,
				/^\/short: property clocks ends inside the 2 arguments for \/p$/,
			);
			expectFdtError(
				() => t.node('/odd')!.reg(),
				/^\/odd: property reg has 3 cells, not a multiple of 1 \+ 1$/,
			);
		});

		it('ends when interrupt-parent leads in a circle', () => {
			const t = tree(
				node('a', { phandle: cells(1), 'interrupt-parent': cells(2), interrupts: cells(1) }),
				node('b', { phandle: cells(2), 'interrupt-parent': cells(1) }),
			);
			expectFdtError(() => t.node('/a')!.interrupts, /leads in a circle$/);
		});

		it('refuses nodes that are nested too deep', () => {
			let deep = node('n');
			for (let i = 0; i < 70; i++) deep = node('n', {}, deep);
			expectFdtError(() => tree(deep), /nested deeper than 64$/);
		});

		it('throws FdtError for a tree cut off at every 64th byte', () => {
			for (let size = 0; size < orangepi.length; size += 64)
				expect(readError(orangepi.subarray(0, size)), `${size} bytes`).to.be.instanceOf(FdtError);
		});

		it('throws FdtError for a cut tree whose header says the smaller size', () => {
			for (let size = 40; size < orangepi.length; size += 64) {
				const cut = orangepi.slice(0, size);
				new DataView(cut.buffer).setUint32(4, size);
				expect(readError(cut), `${size} bytes`).to.be.instanceOf(FdtError);
			}
		});

		it('throws nothing but FdtError for damaged trees', () => {
			const seed = 20260101;
			const next = random(seed);
			let refused = 0;
			// A small tree too: damage is denser there.
			const small = new Uint8Array(readFileSync('tests/golden/vectors/boards/ram.dtb'));
			for (let round = 0; round < 1500; round++) {
				const copy = (round % 6 === 0 ? orangepi : small).slice();
				const hits = 1 + Math.floor(next() * 4);
				for (let i = 0; i < hits; i++) {
					// Half of the damage goes to the header and the first nodes, where it does most.
					const where = Math.floor(next() * (next() < 0.5 ? 200 : copy.length));
					copy[where] = Math.floor(next() * 256);
				}
				const error = readError(copy);
				if (error === undefined) continue;
				refused++;
				expect(error, `seed ${seed}, round ${round}`).to.be.instanceOf(FdtError);
			}
			expect(refused).to.be.greaterThan(100);
		});
	});

	describe('writing', () => {
		it('writes what it read', () => {
			const fdt = parseFdt(orangepi);
			const again = parseFdt(writeFdt(fdtSource(fdt.root), [{ base: 0x1_0000_0000, size: 0x2000 }], 3));
			expect(fdtSource(again.root)).to.deep.equal(fdtSource(fdt.root));
			expect(again.reserved).to.deep.equal([{ base: 0x1_0000_0000, size: 0x2000 }]);
			expect(again.bootCpu).to.equal(3);
		});

		it('adds a memory node to a tree without one and keeps everything else', () => {
			const before = parseFdt(orangepi);
			expect(before.memory()).to.deep.equal([]);
			const after = parseFdt(withMemory(orangepi, [{ base: 0x4000_0000, size: 0x8000_0000 }]));
			expect(after.memory()).to.deep.equal([{ base: 0x4000_0000, size: 0x8000_0000 }]);
			const rest = fdtSource(after.root);
			expect(rest.children.pop()!.name).to.equal('memory@40000000');
			expect(rest).to.deep.equal(fdtSource(before.root));
		});

		it('replaces the size that the tree has, with as many cells as the tree wants', () => {
			const memory = node('memory@0', { device_type: text('memory'), reg: cells(0, 0, 0, 0x1000) });
			const root = node('', { '#address-cells': cells(2), '#size-cells': cells(2) }, memory);
			const blob = withMemory(writeFdt(root), [
				{ base: 0, size: 0x8000_0000 },
				{ base: 0x8_8000_0000, size: 0x1_0000_0000 },
			]);
			expect(parseFdt(blob).memory()).to.deep.equal([
				{ base: 0, size: 0x8000_0000 },
				{ base: 0x8_8000_0000, size: 0x1_0000_0000 },
			]);
			expect(parseFdt(blob).root.children).to.have.length(1);
		});

		it('refuses memory that the cells of the tree cannot say', () => {
			expectFdtError(
				() => withMemory(orangepi, [{ base: 0x4000_0000, size: 0x1_0000_0000 }]),
				/^\/: 0x100000000 of memory does not fit the 1 cells/,
			);
		});

		it('sets the command line', () => {
			expect(parseFdt(withBootargs(orangepi, 'iommu.passthrough=1 quiet')).bootargs).to.equal(
				'iommu.passthrough=1 quiet',
			);
		});
	});

	describe('boards', () => {
		it('has the board without an IOMMU differ in the iommus properties only', () => {
			const strip = (source: FdtSource): FdtSource => {
				source.props.delete('iommus');
				source.props.delete('phandle');
				for (const child of source.children) strip(child);
				return source;
			};
			const [a, b] = [orangepi, board('sun50i-h6-orangepi-3-noiommu')].map((blob) => parseFdt(blob));
			expect([...a!.nodes()].filter((n) => n.has('iommus'))).to.have.length(3);
			expect([...b!.nodes()].filter((n) => n.has('iommus'))).to.have.length(0);
			const names = (fdt: Fdt): string[] =>
				[...fdt.nodes()].flatMap((n) => [n.path, ...strip(fdtSource(n)).props.keys()]);
			expect(names(a!)).to.deep.equal(names(b!));
		});
	});
});
