// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import type { Maps, Walk } from '#tools/see/walk.js';
import type { Why } from '#tools/see/why.js';
import { Prompt } from './board.js';

describe('tools_see_interpreter', function () {
	this.timeout(0);
	let prompt: Prompt;
	beforeEach(() => {
		prompt = new Prompt();
	});

	it('maps a fresh buffer, and gives it a name that stands for its address', () => {
		expect(prompt.do('map m0 100 to')).to.deep.equal(['$1 = 0xfffff000, 100 bytes, DMA_TO_DEVICE']);
		expect(prompt.do('map m0 8K')).to.deep.equal(['$2 = 0xffffc000, 8192 bytes, DMA_BIDIRECTIONAL']);
		expect(prompt.do('walk m0 $2+0x1000')[0]).to.equal(
			'm0 (stream 0 of 3100000.iommu), iova 0xffffd000: translate',
		);
	});

	it('lets a device write to what is mapped, and the CPU read it behind a sync', () => {
		prompt.do('map m0 4096 from', 'dma m0 write $1 "hello"', 'sync $1 cpu');
		expect(prompt.do('cpu read $1 5')).to.deep.equal([
			`  0xfffff000  68 65 6c 6c 6f${' '.repeat(33)}  |hello|`,
		]);
		expect(prompt.interpreter.found).to.equal(0);
	});

	it('says of an access that is refused what the hardware and the kernel say', () => {
		expect(prompt.do('dma m0 read 0x12345000 4')).to.deep.equal([
			'[    0.000109] edu-iommu 3100000.iommu: stream 0: not mapped: read of 0x12345000',
			'refused: translation fault at 0x12345000 (TRANSLATION)',
		]);
	});

	it('takes a stream by its number at its IOMMU', () => {
		prompt.do('map m1 4096 to');
		expect(prompt.do('dma 3100000.iommu:1 read $1 1')).to.have.length(1);
		expect(prompt.do('dma 3100000.iommu:0 read $1 1').at(-1)).to.match(/^refused: /);
	});

	it('unmaps, and keeps the memory until it is freed', () => {
		prompt.do('map m0 4096', 'unmap $1');
		expect(prompt.do('maps m0')).to.deep.equal(['m0: nothing is mapped']);
		expect(prompt.do('cpu read $1 1')).to.have.length(1);
		prompt.do('free $1');
		expect(prompt.refused('free $1')).to.equal('expected memory, got $1, which is freed');
		expect(prompt.interpreter.found).to.equal(0);
	});

	it('allocates coherent memory: what the CPU stores a device reads at once', () => {
		prompt.do('alloc m0 4096', 'cpu write $1 "abc"');
		expect(prompt.do('dma m0 read $1 3')).to.deep.equal([`  0xfffff000  61 62 63${' '.repeat(39)}  |abc|`]);
		prompt.do('free $1');
		expect(prompt.do('maps m0')).to.deep.equal(['m0: nothing is mapped']);
	});

	it('tells what the sanitiser finds in a command, and counts it', () => {
		const said = prompt.do('map m0 100 to', 'cpu write $1 "new"', 'dma m0 read $1 4');
		expect(said).to.include('BUG: DMASAN: stale-read in read by m0 at 0xfffff000');
		expect(prompt.interpreter.found).to.equal(1);
		expect(prompt.do('findings')).to.include('BUG: DMASAN: stale-read in read by m0 at 0xfffff000');
	});

	it('lets time go on: what was unmapped lazily is flushed then', () => {
		prompt.do('echo DMA-FQ > /sys/kernel/iommu_groups/0/type', 'map m0 4096', 'dma m0 read $1 1', 'unmap $1');
		expect(prompt.do('dma m0 read $1 1').at(-1)).to.match(/^ {2}0xfffff000 /);
		prompt.do('sleep 20');
		expect(prompt.do('dma m0 read $1 1').at(-1)).to.match(/^refused: /);
	});

	it('shows registers by name and field, and stores to one as the CPU does', () => {
		expect(prompt.do('reg 3100000.iommu INT_ENABLE')).to.deep.equal([
			'INT_ENABLE (0x044) = 0x7 [EVENT=0x1 OVERFLOW=0x1 COMMAND=0x1]',
		]);
		expect(prompt.do('reg 3100000.iommu INT_ENABLE = 0x1')).to.deep.equal([
			'INT_ENABLE (0x044) = 0x1 [EVENT=0x1 OVERFLOW=0x0 COMMAND=0x0]',
		]);
		expect(prompt.do('reg 3100000.iommu')).to.include('  CTRL (0x004) = 0x1 [ENABLE=0x1]');
	});

	it('walks level by level, with the word as each has it, and who mapped it', () => {
		prompt.do('map m0 4096 to', 'dma m0 read $1 4');
		const walk = prompt.interpreter.json('walk m0 $1') as Walk;
		expect(walk).to.include({ device: 'm0', state: 'translate', rights: 'read' });
		expect(walk.levels.map(({ table, kind }) => `${table} ${kind}`)).to.deep.equal([
			'STREAM table',
			'L1 table',
			'L2 page',
		]);
		const last = walk.levels[2];
		expect(last.memory).to.equal(last.cpu);
		expect(last.caches.map(({ cache, word }) => [cache, word])).to.deep.equal([['TLB', last.memory]]);
		expect(walk.covered).to.include({ first: '0xfffff000', last: '0xffffffff', unmapped: null });
		expect(walk.mapping?.mapped.trace).to.satisfy((trace: string[]) =>
			trace.some((frame) => frame.startsWith('dma_map_single ')),
		);
	});

	it('remembers in a walk what was mapped there last', () => {
		prompt.do('map m0 4096 to', 'unmap $1');
		const walk = prompt.interpreter.json('walk m0 0xfffff000') as Walk;
		expect(walk.phys).to.equal(null);
		expect(walk.covered?.unmapped?.what).to.equal('edu_iommu_unmap_pages');
		expect(walk.mapping?.unmapped?.what).to.equal('dma_unmap_page');
	});

	it('lists what lives in the space of a device, in order', () => {
		prompt.do('map m0 100 to', 'map m1 4096', 'alloc m0 8192');
		const { mappings, ranges } = prompt.interpreter.json('maps m0') as Maps;
		expect(mappings.map(({ addr, size, direction }) => `${addr} ${size} ${direction}`)).to.deep.equal([
			'0xffffc000 8192 coherent',
			'0xfffff000 100 DMA_TO_DEVICE',
		]);
		expect(ranges).to.deep.equal([]);
	});

	it('knows the history of an IOVA, step after step, and whose bug it is', () => {
		prompt.do('map m0 100 from', 'free $1');
		const { is, incidents, verdicts } = prompt.interpreter.json('why $1') as Why;
		expect(is[0]).to.equal('an address that m0 has mapped');
		const kinds = incidents.map(({ kind }) => kind);
		expect(kinds[0]).to.equal('alloc');
		expect(kinds.at(-1)).to.equal('free');
		expect(kinds).to.include.members(['clean', 'table', 'trace', 'command']);
		const map = incidents.find(({ text }) => text.startsWith('cpu0: dma_map_page: '));
		expect(map?.trace.some((frame) => frame.startsWith('dma_map_single '))).to.equal(true);
		expect(verdicts.map(({ kind }) => kind)).to.deep.equal(['free-while-mapped']);
		expect(prompt.do('why $1').at(-1)).to.match(/^Whose bug it is: the driver frees /);
	});

	it('knows the same of memory, and of a word of a table', () => {
		prompt.do('map m0 4096 to', 'dma m0 read $1 4');
		const { levels, phys } = prompt.interpreter.json('walk m0 $1') as Walk;
		const memory = prompt.interpreter.json(`why ${phys}`) as Why;
		expect(memory.is[0]).to.equal('memory that m0 has at 0xfffff000');
		expect(memory.incidents.map(({ kind }) => kind)).to.include.members(['alloc', 'clean', 'dma']);
		const word = prompt.interpreter.json(`why ${levels[2].addr}`) as Why;
		expect(word.incidents.map(({ kind }) => kind)).to.include.members(['table', 'walk']);
	});

	it('says of an address that nobody knows that nothing has happened to it', () => {
		expect(prompt.do('why 0x100')).to.deep.equal([
			'0x00000100: nothing that was ever mapped, and no memory',
			'  nothing has happened to it',
			'The sanitiser has nothing to say of it.',
		]);
	});

	it('shows the file systems as a shell would', () => {
		expect(prompt.do('ls')).to.deep.equal(['proc/', 'sys/']);
		expect(prompt.do('ls /sys/kernel/iommu_groups/0')).to.deep.equal([
			'devices/',
			'reserved_regions',
			'type',
		]);
		expect(prompt.do('ls /sys/kernel/iommu_groups/0/devices')[0]).to.match(/^m0 -> \.\.\//);
		expect(prompt.do('cat /sys/kernel/iommu_groups/0/type')).to.deep.equal(['DMA']);
		expect(prompt.do('tree /sys/kernel/iommu_groups/0 1')).to.deep.equal([
			'/sys/kernel/iommu_groups/0',
			'├── devices/',
			'├── reserved_regions',
			'└── type',
		]);
		prompt.do('echo DMA-FQ > /sys/kernel/iommu_groups/0/type');
		expect(prompt.do('cat /sys/kernel/iommu_groups/0/type')).to.deep.equal(['DMA-FQ']);
	});

	for (const [line, message] of [
		['bogus', 'expected a command (help lists them), got "bogus"'],
		['map nosuch 4', 'expected a device, direct or m0 or m1 or m2, got "nosuch"'],
		['map m0', 'expected a number of bytes, 1 to 4194304 (as 4096, 0x1000 or 4K), got nothing'],
		['map m0 4 over', 'expected to, from or both, got "over"'],
		['unmap $7', 'expected a buffer (map makes one), got "$7"'],
		['dma m0 fetch 0 4', 'expected read or write, got "fetch"'],
		['dma m0 read $1 4', 'expected an address (0x…), got "$1"'],
		['cpu read 0x100 4', 'expected memory, got "0x00000100"'],
		[
			'reg 3100000.iommu NOSUCH',
			'expected a register of 3100000.iommu, as ID, CTRL, STATUS, STAB_BASE, got "NOSUCH"',
		],
		['reg nosuch', 'expected a device with registers, 3100000.iommu, got "nosuch"'],
		['cat /sys/nosuch', '/sys/nosuch: expected a file to read, got -ENOENT'],
		[
			'ls /sys/kernel/iommu_groups/0/type/x',
			'/sys/kernel/iommu_groups/0/type/x: expected a directory, got -ENOTDIR',
		],
		[
			'echo junk > /sys/kernel/iommu_groups/0/type',
			'/sys/kernel/iommu_groups/0/type: expected a file that takes this, got -EINVAL',
		],
		['sleep', 'expected milliseconds, 0 to 60000, got nothing'],
		['help nosuch', /^expected a command, map, .*got "nosuch"$/],
	] as const)
		it(`refuses "${line}" in one line, and goes on`, () => {
			if (typeof message === 'string') expect(prompt.refused(line)).to.equal(message);
			else expect(prompt.refused(line)).to.match(message);
			expect(prompt.do('map m0 4')).to.have.length(1);
		});

	it('completes commands, devices, registers by name, buffers and paths', () => {
		const { interpreter } = prompt;
		expect(interpreter.complete('un')).to.deep.equal(['unmap', 'until']);
		expect(interpreter.complete('map m')).to.deep.equal(['m0', 'm1', 'm2']);
		expect(interpreter.complete('reg 3100000.iommu INT')).to.deep.equal(['INT_STATUS', 'INT_ENABLE']);
		expect(interpreter.complete('cat /sys/kernel/iommu_groups/0/t')).to.deep.equal([
			'/sys/kernel/iommu_groups/0/type',
		]);
		expect(interpreter.complete('back-to f')).to.deep.equal(['finding', 'fault', 'fill', 'free']);
		prompt.do('map m0 4');
		expect(interpreter.complete('unmap ')).to.deep.equal(['$1']);
	});

	it('binds masters that no driver is for, on any board', () => {
		for (const [board, device] of [
			['two-kinds', 'rga'],
			['rk3399-iommus', 'ff8f0000.vop'],
		]) {
			const other = new Prompt(board);
			other.do(`map ${device} 4096 to`);
			expect(other.do(`dma ${device} read $1 1`)).to.have.length(1);
			expect(other.interpreter.found, board).to.equal(0);
		}
	});
});
