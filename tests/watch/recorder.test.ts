// SPDX-License-Identifier: GPL-2.0-only
// A run as numbered steps.
import { expect } from 'chai';
import type { Machine } from '#hw/core/machine.js';
import { printk_state } from '#kernel/printk/printk.js';
import { Dmasan } from '#watch/dmasan.js';
import { Recorder, STEP_KINDS, type Step, type StepKind } from '#watch/recorder.js';
import { jobOn, type RecordedJob, recordJob } from './recorded-job.js';

const of = (steps: readonly Step[], kind: StepKind): Step[] => steps.filter((step) => step.kind === kind);
const hexIn = (text: string, pattern: RegExp): number => Number.parseInt(pattern.exec(text)?.[1] ?? '', 16);

describe('watch_recorder', () => {
	let whole: RecordedJob;
	before(() => {
		whole = recordJob();
	});

	it('numbers steps from 1 on, in the order of virtual time', () => {
		let last = 0;
		for (const [i, { number, time, end }] of whole.steps.entries()) {
			expect(number).to.equal(i + 1);
			expect(time, `step ${number}`).to.be.at.least(last);
			expect(end, `step ${number}`).to.be.at.least(time);
			last = end;
		}
	});

	it('says the same of two runs of one scenario', () => {
		expect(JSON.stringify(recordJob().steps)).to.equal(JSON.stringify(whole.steps));
	});

	it('changes nothing: time, registers, interrupts, DMA and caches are as if nobody recorded', () => {
		const { machine } = jobOn(() => {});
		expect(machine.stats()).to.deep.equal(whole.stats);
		expect(machine.ram.stats).to.deep.equal(whole.machine.ram.stats);
	});

	it('hears the same beside the sanitiser, whoever came first, and lets it find nothing', () => {
		for (const first of [true, false]) {
			const made: { recorder?: Recorder; sanitiser?: Dmasan } = {};
			jobOn((machine: Machine) => {
				if (first) made.recorder = new Recorder(machine);
				made.sanitiser = new Dmasan(machine);
				made.recorder ??= new Recorder(machine);
			});
			expect(JSON.stringify(made.recorder?.steps)).to.equal(JSON.stringify(whole.steps));
			expect(made.sanitiser?.text()).to.equal('');
			made.sanitiser?.detach();
			made.recorder?.stop();
		}
	});

	it('leaves every place of the machine free that it took', () => {
		const { ram, bus, ports, iommu, heard } = whole.machine;
		expect(ram.observer).to.equal(null);
		expect(bus.trace).to.equal(null);
		expect(heard).to.equal(null);
		expect(iommu.observers).to.deep.equal([]);
		for (const port of ports) expect(port.observer).to.equal(null);
	});

	it('has every access to a register, by name', () => {
		const { mmioReads, mmioWrites } = whole.stats;
		const steps = of(whole.steps, 'mmio');
		expect(steps.filter(({ text }) => text.startsWith('R '))).to.have.length(mmioReads);
		expect(steps.filter(({ text }) => text.startsWith('W '))).to.have.length(mmioWrites);
		const enable = steps.find(({ who, addr }) => who === '30f0000.iommu' && addr === 0x30f0020);
		expect(enable?.text).to.match(/^[RW] ENABLE \(0x020\) = 0x\d+ \[ENABLE=/);
	});

	it('has every byte that masters move, in fewer steps than bursts', () => {
		const steps = of(whole.steps, 'dma');
		let bursts = 0;
		for (const { name, readBytes, writeBytes, reads, writes } of whole.stats.dma) {
			bursts += reads + writes;
			const moved = (verb: string): number =>
				steps
					.filter(({ who, text }) => who === name && text.startsWith(verb))
					.reduce((sum, { size }) => sum + size, 0);
			expect([moved('read'), moved('write')], name).to.deep.equal([readBytes, writeBytes]);
		}
		expect(steps.length).to.be.below(bursts / 2);
	});

	it('folds only bursts that lie side by side, in IOVAs and in memory', () => {
		for (const { addr, size, text } of of(whole.steps, 'dma'))
			expect(Math.floor((addr + size - 1) / 4096), text).to.equal(Math.floor(addr / 4096));
	});

	it('has the table word of each page that is mapped, as it becomes visible and before map() has returned', () => {
		const maps = of(whole.steps, 'trace').filter(({ text }) => text.startsWith('map: '));
		expect(maps.length).to.be.above(10);
		const visible = new Map<number, number>();
		for (const { kind, text, addr, size } of whole.steps) {
			if (kind === 'table' && text.startsWith('PT['))
				visible.set(hexIn(text, /, 0x(\w+) leads/), hexIn(text, /page at 0x(\w+)/));
			if (kind !== 'trace' || !text.startsWith('map: ')) continue;
			const paddr = hexIn(text, /paddr=0x(\w+)/);
			for (let at = 0; at < size; at += 4096) expect(visible.get(addr + at), text).to.equal(paddr + at);
		}
	});

	it('has what comes into the caches of an IOMMU, and what goes: what is left is there', () => {
		const left = whole.machine.iommu.caches().reduce((sum, cache) => sum + [...cache.entries()].length, 0);
		const fills = of(whole.steps, 'fill');
		expect(fills.length).to.be.above(0);
		expect(fills.length - of(whole.steps, 'drop').length).to.equal(left);
	});

	it('has what the allocators give and take: no object of a slab is given twice before it is freed', () => {
		const live = new Set<string>();
		let freed = 0;
		for (const { kind, text } of whole.steps) {
			const object = text.split(',')[0];
			if (kind === 'alloc' && !/^(?:a page|\d+ pages) /.test(text)) {
				expect(live.has(object), text).to.equal(false);
				live.add(object);
			}
			if (kind === 'free' && live.delete(object)) freed++;
		}
		expect(freed).to.be.above(0);
	});

	it('has the lines of the console, without their times', () => {
		const lines = printk_state.log.filter(({ level }) => level < printk_state.console_loglevel);
		const { steps } = recordJob({ kinds: new Set<StepKind>(['log']) });
		expect(steps.map(({ text }) => text)).to.deep.equal(lines.map(({ text }) => text));
	});

	it('counts handlers that have not returned as depth', () => {
		let depth = 0;
		for (const step of whole.steps) {
			if (step.text.startsWith('irq_handler_exit')) depth--;
			expect(step.depth, step.text).to.equal(depth);
			if (step.text.startsWith('irq_handler_entry')) depth++;
		}
		expect(of(whole.steps, 'irq').length).to.equal(2 * whole.stats.interrupts);
	});

	it('records the kinds that it is told to, and numbers those', () => {
		const kinds = new Set<StepKind>(['irq', 'command']);
		const some = recordJob({ kinds }).steps;
		const texts = (steps: readonly Step[]): string[] => steps.map(({ kind, text }) => `${kind} ${text}`);
		expect(texts(some)).to.deep.equal(texts(whole.steps.filter(({ kind }) => kinds.has(kind))));
		expect(some.at(-1)?.number).to.equal(some.length);
	});

	it('lets who listens stop the run at a step, in that moment', () => {
		for (const number of [100, Math.floor(whole.steps.length / 2)]) {
			const stop = new Error('here');
			let machine: Machine | null = null;
			let seen: Step | null = null;
			const run = (): unknown =>
				recordJob((made) => {
					machine = made;
					return {
						onStep: (step) => {
							if (step.number !== number) return;
							seen = { ...step };
							throw stop;
						},
					};
				});
			expect(run).to.throw('here');
			const step = whole.steps[number - 1];
			expect(seen).to.include({ kind: step.kind, who: step.who, time: step.time, addr: step.addr });
			expect((machine as Machine | null)?.now()).to.equal(step.time);
		}
	});

	it('knows every kind that it makes', () => {
		const made = new Set(whole.steps.map(({ kind }) => kind));
		// What this job has no reason for.
		for (const kind of ['fault', 'invalidate'] as const) made.add(kind);
		expect([...made].sort()).to.deep.equal([...STEP_KINDS]);
	});
});
