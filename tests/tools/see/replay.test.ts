// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import fc from 'fast-check';
import { Prompt } from './board.js';

const COMMANDS = ['map m0 100 to', 'dma m0 read $1 4', 'dma m1 write 0x12345000 "astray"', 'unmap $1'];
const RUNS = { seed: 13, numRuns: 6 };

describe('tools_see_replay', function () {
	this.timeout(0);
	let prompt: Prompt;
	beforeEach(() => {
		prompt = new Prompt();
		prompt.do(...COMMANDS);
	});

	/** All that is looked at, at the moment. */
	const state = (): string[] => [
		...prompt.do('where'),
		...prompt.do('reg 3100000.iommu'),
		...prompt.do('walk m0 0xfffff000'),
		...prompt.do('maps m0'),
		...prompt.do('log'),
	];

	it('does the same steps again', () => {
		const { replay } = prompt.interpreter;
		const before = replay.steps.map((step) => ({ ...step }));
		prompt.do('goto 1', 'now');
		expect(replay.steps).to.deep.equal(before);
	});

	it('shows the same state after n steps on and n back', () => {
		const { length } = prompt.interpreter.replay.steps;
		fc.assert(
			fc.property(fc.integer({ min: 1, max: length - 1 }), fc.nat(), (at, n) => {
				const by = 1 + (n % (length - at));
				prompt.do(`goto ${at}`);
				const before = state();
				prompt.do(`step ${by}`, `back ${by}`);
				expect(state()).to.deep.equal(before);
			}),
			RUNS,
		);
	});

	it('shows at each moment what was mapped then', () => {
		prompt.do('back-to fault');
		expect(prompt.do('maps m0')).to.have.length(2);
		prompt.do('goto 1');
		expect(prompt.do('maps m0')).to.deep.equal(['m0: nothing is mapped']);
		prompt.do('now');
		expect(prompt.do('maps m0')).to.deep.equal(['m0: nothing is mapped']);
	});

	it('goes back to an event, and on to one', () => {
		expect(prompt.do('back-to fault')[0]).to.match(/\[fault\] 3100000\.iommu: translation .* at 0x12345000/);
		expect(prompt.do('back-to "dma_map_page: m0"')[0]).to.match(
			/\[trace\] cpu0: dma_map_page: m0 dir=TO_DEVICE/,
		);
		expect(prompt.do('until dma')[0]).to.match(/\[dma\] m0: read 0xfffff000/);
		expect(prompt.do('until fault')[0]).to.match(/\[fault\]/);
		expect(prompt.refused('until fault')).to.match(/^expected fault behind step \d+, got none of \d+$/);
	});

	it('finds who wrote a word of a table last', () => {
		prompt.do('back-to "unmap: IOMMU"');
		const word = /L2\[0x3ff\] at (0x[\da-f]+)/.exec(prompt.do('walk m0 0xfffff000').join('\n'))?.[1];
		const unmapped = prompt.do(`back-to write ${word}`);
		expect(unmapped[0]).to.match(/\[table\] .* -> 0x00000000/);
		expect(prompt.do('where').join('\n')).to.include('edu_iommu_unmap_pages ');
		prompt.do(`back-to write ${word}`);
		expect(prompt.do(`back-to write ${word}`)[0]).to.match(/\[table\] .* 0x00000000 -> /);
		expect(prompt.do('where').join('\n')).to.include('edu_iommu_map_pages ');
	});

	it('goes to the moment of a finding, in the command that it came of', () => {
		prompt.do('map m1 100', 'free $2');
		expect(prompt.interpreter.found).to.equal(1);
		expect(prompt.do('back-to finding').join('\n')).to.match(
			/DMASAN: free-while-mapped .*command 6: free \$2/s,
		);
		expect(prompt.do('where').join('\n')).to.include('kfree ');
		expect(prompt.do('findings')).to.include('BUG: DMASAN: free-while-mapped in kfree()');
		prompt.do('back');
		expect(prompt.do('findings')).to.deep.equal(['nothing']);
	});

	it('stops where a function of the kernel makes its next step', () => {
		prompt.do('goto 1');
		expect(prompt.do('break edu_iommu_unmap_pages').at(-1)).to.match(/command 4: unmap \$1/);
		expect(prompt.refused('break edu_iommu_map_pages')).to.match(
			/^expected a step of edu_iommu_map_pages\(\)/,
		);
		expect(prompt.do('where').at(-1)).to.match(/command 4: unmap \$1/);
	});

	it('reads files of the past without a trace of that', () => {
		prompt.do('back 3');
		const before = state();
		expect(prompt.do('cat /sys/kernel/iommu_groups/0/type')).to.deep.equal(['DMA']);
		expect(state()).to.deep.equal(before);
		prompt.do('now');
		expect(prompt.do('history')).to.have.length(5);
	});

	it('drops what came after, and says so, where a command changes the past', () => {
		prompt.do('back-to dma', 'back-to dma');
		expect(prompt.do('where').at(-1)).to.match(/command 2: /);
		const [note] = prompt.do('map m2 4096');
		expect(note).to.equal('(what came after is dropped: dma m1 write 0x12345000 "astray"; unmap $1)');
		expect(prompt.do('history').map((line) => line.replace(/ \(.*/, '').trim())).to.deep.equal([
			'0  boot',
			'1  map m0 100 to',
			'2  dma m0 read $1 4',
			'3  map m2 4096',
		]);
		expect(prompt.do('maps m0')).to.have.length(2);
	});

	it('keeps no command that was none', () => {
		prompt.refused('map nosuch 4');
		expect(prompt.do('history')).to.have.length(5);
	});

	it('refuses steps that there are not', () => {
		expect(prompt.refused('step')).to.match(/^expected a moment of the past .*, got now/);
		prompt.do('goto 1');
		expect(prompt.refused('back')).to.match(/^expected a step from 1 to \d+, got 0: nothing was before$/);
		expect(prompt.refused('until nosuch')).to.match(/^expected fault, finding, |^expected finding, /);
	});
});
