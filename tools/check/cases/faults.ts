// SPDX-License-Identifier: GPL-2.0-only
// Faults: one right report for each, nobody else disturbed, and the master that made it goes on afterwards.

import { iommu_map, iommu_set_fault_handler, iommu_unmap } from '#drivers/iommu/iommu.js';
import { type FaultRecord, READ, WRITE } from '#hw/iommu/iommu.js';
import { dev_name, type device } from '#linux/device.js';
import { EFAULT, ENOSYS } from '#linux/errno.js';
import { GFP_ATOMIC } from '#linux/gfp.js';
import { IOMMU_FAULT_WRITE, IOMMU_READ, IOMMU_WRITE, type iommu_domain } from '#linux/iommu.js';
import { local_irq_restore, local_irq_save } from '#linux/irqflags.js';
import { BOTH, type Case, SEVERAL_DOMAINS } from '../case.js';
import { CheckFailure, type Rig, RW, shown } from '../rig.js';

const group = 'faults';
const HANDLING_NS = 100_000;

/** What a handler is told. */
interface Told {
	readonly iova: number;
	readonly write: boolean;
	readonly dev: device;
}

/** What the hardware refuses, and what the kernel is told, in @rig's order. */
class Ears {
	readonly hardware: FaultRecord[] = [];
	readonly told: Told[] = [];
	/** What the hardware has lost before anybody was told. */
	readonly lost: FaultRecord[] = [];
	readonly #interrupts: number;

	constructor(
		readonly rig: Rig,
		domain: iommu_domain | null,
		answer: (told: Told) => number = () => -ENOSYS,
	) {
		for (const iommu of rig.machine.iommus)
			iommu.observers.push({
				faulted: (_iommu, fault) => this.hardware.push(fault),
				forgotten: (_iommu, fault) => this.lost.push(fault),
			});
		this.listen(domain, answer);
		this.#interrupts = rig.machine.interrupts;
		rig.faults();
	}

	listen(domain: iommu_domain | null, answer: (told: Told) => number = () => -ENOSYS): void {
		if (domain === null) return;
		const handler = (_domain: iommu_domain, dev: device, iova: number, flags: number): number => {
			const told = { iova, write: flags === IOMMU_FAULT_WRITE, dev };
			this.told.push(told);
			return answer(told);
		};
		iommu_set_fault_handler(domain, handler as Parameters<typeof iommu_set_fault_handler>[1], null);
	}

	/** Everything that was refused is reported: in the log, and to the handler. What was heard is forgotten. */
	agree(what: string, n: number): void {
		const { rig } = this;
		const { hardware, told } = this;
		const said = rig.faults();
		rig.within(what, () => {
			rig.holds('nothing was refused', hardware.length > 0);
			rig.equal('reports in the log', said.length, hardware.length);
			rig.equal('calls of the fault handler', told.length, hardware.length);
			for (const [i, fault] of hardware.entries()) {
				rig.equal('the address in the log', said[i].iova, fault.iova);
				if (said[i].stream !== undefined) rig.equal('the master in the log', said[i].stream, fault.stream);
				rig.equal('the address that the handler is told', told[i].iova, fault.iova);
				const dev = rig.description.faultDevice === 'master' ? rig.master(n) : rig.iommuOf(n).name;
				rig.equal('the device that the handler is told', dev_name(told[i].dev), dev);
				if (!knowsDirection(rig, fault)) continue;
				const write = (fault.access & WRITE) !== 0;
				rig.equal('the handler is told of a write', told[i].write, write);
				if (said[i].write !== undefined) rig.equal('the log speaks of a write', said[i].write, write);
			}
		});
		this.forget();
	}

	forget(): void {
		this.hardware.length = 0;
		this.told.length = 0;
		this.lost.length = 0;
		this.rig.faults();
	}

	/** Interrupts since the beginning. */
	get interrupts(): number {
		return this.rig.machine.interrupts - this.#interrupts;
	}
}

/** Whether the hardware tells the direction of @fault; else drivers call it a read. */
function knowsDirection(rig: Rig, { kind, word, stream, iova }: FaultRecord): boolean {
	if (rig.description.direction === 'always') return true;
	if (kind !== 'permission' || word === 0n) return false;
	// Where neither is allowed, the word does not tell what was tried.
	const iommu = rig.machine.iommus.find((i) => i.faults.some((f) => f.stream === stream && f.iova === iova));
	const rights = iommu?.leaf(stream, -1, iova).rights ?? 0;
	return (rights & (READ | WRITE)) !== 0;
}

/** No interrupt is pending, and no more come. */
function quiet(rig: Rig): void {
	const { machine } = rig;
	machine.advance(HANDLING_NS);
	const before = machine.interrupts;
	rig.holds('the interrupt is still raised after its handler', !machine.controller.asserted);
	machine.advance(10 * HANDLING_NS);
	rig.equal('interrupts after the last fault was dealt with', machine.interrupts - before, 0);
}

/** More than the queue of any IOMMU holds. */
const MORE_THAN_A_QUEUE = 600;

/** A domain that all have, and who listens to its faults. */
interface Scene {
	readonly rig: Rig;
	readonly masters: readonly number[];
	readonly places: Places;
	readonly ears: Ears;
}

function sceneOf(rig: Rig): Scene {
	const { masters, domain } = rig.shared();
	return { rig, masters, places: mapped(rig, domain), ears: new Ears(rig, domain) };
}

/**
 * A first fault of master @a, and as its handler is about to access a register for the @nth time one of @b. `over`: the
 * handler has fewer accesses; `stuck`: the hardware has lost the second fault, and what it stopped waits for ever.
 */
function secondFault(scene: Scene, a: number, b: number, nth: number): 'over' | 'stuck' | 'good' {
	const { rig, ears, places } = scene;
	const { machine, page } = rig;
	// Whatever port it takes.
	const astray = (n: number, iova: number): void => {
		for (let port = 0; port < (rig.description.portsPerMaster ?? 1); port++) rig.reads(n, iova + port * page);
	};
	let points = 0;
	let stuck = false;
	ears.forget();
	machine.hook = (kind) => {
		if (kind === 'mmio' && points++ === nth) astray(b, places.noPage + 4 * page);
	};
	rig.reads(a, places.noPage);
	machine.advance(HANDLING_NS);
	machine.hook = null;
	const when = `a fault of ${rig.master(b)} before register access ${nth} of the handler of one of ${rig.master(a)}`;
	rig.within(when, () => {
		for (const fault of ears.hardware) {
			const { iova, stream } = fault;
			const told = ears.told.filter((t) => t.iova === iova).length;
			if (told === 0 && ears.lost.includes(fault)) continue;
			const where = `${shown(iova)} (stream ${stream})`;
			rig.holds(
				`nobody was told of the fault at ${where}: the handler clears it with the first one, which has to be cleared before its master goes on`,
				told > 0,
			);
			rig.equal(`how often the fault handler was called for ${where}`, told, 1);
		}
		for (const n of [a, b]) {
			const stream = rig.stream(n);
			if (rig.iommuOf(n).stopped?.(stream) !== true) continue;
			rig.holds(
				`${rig.master(n)} is still stopped by a fault, and no interrupt comes that could end it: the handler may have cleared, after it let the master go on, what it has not looked at`,
				ears.lost.some((fault) => fault.stream === stream),
			);
			stuck = true;
		}
		quiet(rig);
		if (!stuck) for (const n of [a, b]) rig.access(n, places.good, true, true);
	});
	if (points <= nth) return 'over';
	return stuck ? 'stuck' : 'good';
}

/** What is mapped in the domain of most cases: one page for each combination of rights, and a table with holes. */
interface Places {
	readonly good: number;
	readonly readOnly: number;
	readonly writeOnly: number;
	readonly noRights: number;
	readonly noPage: number;
	readonly noTable: number;
	readonly top: number;
}

function mapped(rig: Rig, domain: iommu_domain): Places {
	const { page, memory } = rig;
	const { tableCovers, addressBits } = rig.description;
	const at = 2 * tableCovers;
	const places = {
		good: at + page,
		readOnly: at + 2 * page,
		writeOnly: at + 3 * page,
		noRights: at + 4 * page,
		noPage: at + 40 * page,
		noTable: 7 * tableCovers + 3 * page,
		top: 2 ** addressBits - page,
	};
	rig.map(domain, places.good, memory);
	rig.map(domain, places.readOnly, memory + page, page, IOMMU_READ);
	rig.map(domain, places.writeOnly, memory + 2 * page, page, IOMMU_WRITE);
	rig.map(domain, places.noRights, memory + 3 * page, page, 0);
	return places;
}

/** What has to be refused. */
function refused(rig: Rig, places: Places): [what: string, iova: number, write: boolean][] {
	const has = (prot: number): boolean => rig.description.rights.includes(prot);
	const all: [string, number, boolean, boolean][] = [
		['a read where no table is', places.noTable + 8, false, true],
		['a write where no table is', places.noTable, true, true],
		['a read where no page is', places.noPage, false, true],
		['a write where no page is', places.noPage + 0x123, true, true],
		['a read of the last page', places.top + 4, false, true],
		['a write to a page to be read', places.readOnly + 16, true, has(IOMMU_READ)],
		['a read of a page to be written', places.writeOnly + 4, false, has(IOMMU_WRITE)],
		['a read of a page without rights', places.noRights, false, has(0)],
		['a write to a page without rights', places.noRights, true, has(0)],
	];
	return all.filter(([, , , possible]) => possible).map(([what, iova, write]) => [what, iova, write]);
}

export const faults: readonly Case[] = [
	{
		group,
		says: 'each refused access is reported once, with its address, master and direction',
		blames: 'driver',
		everyBoard: true,
		policies: BOTH,
		run(rig) {
			const { masters, domain } = rig.shared();
			const places = mapped(rig, domain);
			const ears = new Ears(rig, domain);
			for (const n of masters)
				for (const [what, iova, write] of refused(rig, places)) {
					// The log of some drivers is limited in rate.
					rig.machine.advance(1e9);
					rig.within(`${what} by ${rig.master(n)}`, () => rig.access(n, iova, write, false));
					ears.agree(`${what} by ${rig.master(n)}`, n);
					quiet(rig);
					rig.access(n, places.good, true, true);
				}
		},
	},
	{
		group,
		says: 'a fault raises the interrupt, once, and its handler lowers it',
		blames: 'driver',
		run(rig) {
			const domain = rig.attached();
			const places = mapped(rig, domain);
			const ears = new Ears(rig, domain);
			for (const [what, iova, write] of refused(rig, places)) {
				const [before, faults] = [ears.interrupts, ears.hardware.length];
				rig.access(0, iova, write, false);
				rig.equal(`interrupts for ${what}`, ears.interrupts - before, ears.hardware.length - faults);
				quiet(rig);
			}
		},
	},
	{
		group,
		says: 'nothing is written and nothing is changed by what is refused',
		blames: 'model',
		run(rig) {
			const domain = rig.attached();
			const places = mapped(rig, domain);
			const before = rig.machine.memory.peekMemory(rig.memory, 8 * rig.page);
			for (const [, iova, write] of refused(rig, places)) rig.access(0, iova, write, false);
			rig.equal('memory', Buffer.compare(before, rig.machine.memory.peekMemory(rig.memory, 8 * rig.page)), 0);
			rig.leads(domain, places.good, rig.memory);
			rig.clean('the fault handler');
		},
	},
	{
		group,
		says: 'every fault of a storm is told to the handler, and the storm ends',
		blames: 'driver',
		run(rig) {
			const { masters, domain } = rig.shared();
			const places = mapped(rig, domain);
			const ears = new Ears(rig, domain);
			for (let i = 0; i < 60; i++)
				rig.access(masters[i % masters.length], places.noPage + i * rig.page, i % 3 === 0, false);
			rig.equal('calls of the handler', ears.told.length, ears.hardware.length);
			rig.equal(
				'the addresses that it was told',
				ears.told.map(({ iova }) => iova),
				ears.hardware.map(({ iova }) => iova),
			);
			quiet(rig);
			for (const n of masters) rig.access(n, places.good, true, true);
		},
	},
	{
		group,
		says: 'faults one after the other, more than a queue holds, are each told to the handler',
		blames: 'driver',
		run(rig) {
			const domain = rig.attached();
			const places = mapped(rig, domain);
			const ears = new Ears(rig, domain);
			for (let i = 0; i < MORE_THAN_A_QUEUE; i++) {
				const [n, told] = [ears.hardware.length, ears.told.length];
				rig.reads(0, places.noPage + (i % 64) * rig.page);
				rig.machine.advance(HANDLING_NS);
				rig.equal(
					`calls of the handler for fault ${i + 1} (where a queue is full: what was read of it has to be given back, each time)`,
					ears.told.length - told,
					1,
				);
				rig.equal(`faults of access ${i + 1}`, ears.hardware.length - n, 1);
			}
			quiet(rig);
			rig.access(0, places.good, true, true);
		},
	},
	{
		group,
		says: 'faults of several masters before the interrupt is taken are each reported, by address or at least by master',
		blames: 'driver',
		run(rig) {
			const { masters, domain } = rig.shared();
			const places = mapped(rig, domain);
			const ears = new Ears(rig, domain);
			const wrong = refused(rig, places);
			for (const [i, [what, iova, write]] of wrong.entries())
				for (const [other, iova2, write2] of wrong.slice(i)) {
					if (masters.length < 2) return;
					rig.machine.advance(1e9);
					const [a, b] = [rig.oneOf(masters.slice(0, masters.length / 2)), masters.at(-1)!];
					const flags = local_irq_save();
					for (const [n, at, w] of [
						[a, iova, write],
						[b, iova2, write2],
					] as const)
						if (w) rig.writes(n, at);
						else rig.reads(n, at);
					local_irq_restore(flags);
					rig.machine.advance(HANDLING_NS);
					const said = rig.faults();
					rig.within(`${what} by ${rig.master(a)} and ${other} by ${rig.master(b)}`, () => {
						rig.equal('reports in the log', said.length, ears.hardware.length);
						for (const fault of ears.hardware)
							rig.holds(
								`the log says nothing of the fault at ${shown(fault.iova)}: ${shown(said)}`,
								said.some((s) =>
									s.stream === undefined ? s.iova === fault.iova : s.stream === fault.stream,
								),
							);
						for (const s of said)
							rig.holds(
								`the log has an address where nobody faulted: ${shown(s)}`,
								s.iova === undefined ||
									ears.hardware.some(
										(f) => f.iova === s.iova && (s.stream === undefined || f.stream === s.stream),
									),
							);
						quiet(rig);
						for (const n of [a, b]) rig.access(n, places.good, false, true);
					});
					ears.forget();
				}
		},
	},
	{
		group,
		says: 'a master that goes astray again and again does not disturb one that works',
		blames: 'driver',
		run(rig) {
			const { masters, domain } = rig.shared();
			const places = mapped(rig, domain);
			if (masters.length < 2) return;
			const bad = rig.masters.model(rig.master(masters[0]));
			const good = rig.masters.model(rig.master(masters[1]));
			const ears = new Ears(rig, domain);
			bad.stream({ addr: places.noPage, size: 4 * rig.page, write: true, periodNs: 50_000 });
			good.stream({ addr: places.good, size: rig.page, write: false, periodNs: 7_000 });
			rig.machine.advance(3_000_000);
			bad.halt();
			good.halt();
			rig.machine.advance(HANDLING_NS);
			rig.equal('accesses of the good master that were refused', good.streamRefused, 0);
			rig.holds('the good master got nowhere', good.streamed > 200);
			rig.equal('accesses of the bad master that were let through', bad.streamed, 0);
			rig.equal('calls of the handler', ears.told.length, ears.hardware.length);
			quiet(rig);
		},
	},
	{
		group,
		says: 'a handler may map what is missing: the next access finds it',
		blames: 'driver',
		run(rig) {
			const { masters, domain } = rig.shared();
			const places = mapped(rig, domain);
			const { page } = rig;
			let answers = 0;
			new Ears(rig, domain, ({ iova }) => {
				answers++;
				return iommu_map(domain, iova - (iova % page), rig.memory + 16 * page, page, RW, GFP_ATOMIC);
			});
			for (const [i, n] of masters.entries())
				for (const at of [places.noPage, places.noTable, places.top - 8 * page]) {
					const iova = at + i * page;
					answers = 0;
					rig.machine.advance(1e9);
					if (rig.tries(n, iova, true))
						throw new CheckFailure(`${shown(iova)} was let through before it was mapped`);
					rig.holds('the handler was not called', answers > 0);
					rig.access(n, iova, true, true);
					rig.clean('the fault handler');
					rig.unmap(domain, iova);
				}
			quiet(rig);
		},
	},
	{
		group,
		says: 'a handler may unmap, and whatever it answers the master goes on',
		blames: 'driver',
		run(rig) {
			const domain = rig.attached();
			const places = mapped(rig, domain);
			for (const answer of [0, -ENOSYS, -EFAULT]) {
				rig.map(domain, places.noPage + 2 * rig.page, rig.memory);
				rig.access(0, places.noPage + 2 * rig.page, false, true);
				new Ears(rig, domain, () => {
					iommu_unmap(domain, places.noPage + 2 * rig.page, rig.page);
					return answer;
				});
				rig.access(0, places.noPage, false, false);
				rig.access(0, places.noPage + 2 * rig.page, false, false);
				rig.clean('the fault handler');
				quiet(rig);
				rig.access(0, places.good, true, true);
			}
		},
	},
	{
		group,
		says: 'a fault while a fault is handled is reported as well',
		blames: 'driver',
		run(rig) {
			const { masters, domain } = rig.shared();
			const places = mapped(rig, domain);
			let nested = 0;
			const ears = new Ears(rig, domain, () => {
				if (nested++ === 0) rig.reads(masters.at(-1)!, places.noTable);
				return 0;
			});
			rig.reads(masters[0], places.noPage);
			rig.machine.advance(10 * HANDLING_NS);
			const said = rig.faults();
			rig.equal('reports in the log', said.length, ears.hardware.length);
			quiet(rig);
			for (const n of masters) rig.access(n, places.good, true, true);
		},
	},
	{
		group,
		says: 'a fault between any two register accesses of the handler is reported as well',
		blames: 'driver',
		everyBoard: true,
		policies: BOTH,
		run(rig) {
			let scene = sceneOf(rig);
			const { masters } = scene;
			for (const second of new Set([masters[0], masters.at(-1)!]))
				for (let nth = 0; ; nth++) {
					const came = secondFault(scene, masters[0], second, nth);
					if (came === 'over') break;
					// Nobody can know of it.
					if (came === 'stuck') scene = sceneOf(scene.rig.again());
				}
		},
	},
	{
		group,
		says: 'a handler hears of its own domain only, and only while that is attached',
		blames: 'driver',
		run(rig) {
			const [one, two] = [rig.attached(), rig.domain()];
			const places = mapped(rig, one);
			const [first, second] = [new Ears(rig, one), new Ears(rig, two)];
			rig.access(0, places.noTable, false, false);
			rig.equal('calls of the first handler', first.told.length, first.hardware.length);
			rig.equal('calls of the second handler', second.told.length, 0);
			first.forget();
			second.forget();
			rig.equal('iommu_group_replace_domain()', rig.replace(two), 0);
			rig.access(0, places.noTable, false, false);
			rig.equal('calls of the first handler', first.told.length, 0);
			rig.equal('calls of the second handler', second.told.length, second.hardware.length);
		},
	},
	{
		group,
		says: 'faults of masters in domains of their own are told to those domains',
		blames: 'driver',
		needs: [SEVERAL_DOMAINS],
		run(rig) {
			const domains = Array.from({ length: rig.count }, (_x, n) => rig.attached(n));
			const ears = domains.map((domain) => new Ears(rig, domain));
			for (const [n] of domains.entries()) {
				rig.machine.advance(1e9);
				for (const e of ears) e.forget();
				rig.access(n, 5 * rig.page, n % 2 === 0, false);
				for (const [m, e] of ears.entries())
					rig.equal(
						`calls of the handler of ${rig.master(m)}'s domain`,
						e.told.length,
						m === n ? e.hardware.length : 0,
					);
			}
			for (const [n, domain] of domains.entries()) rig.detachAndFree(domain, n);
		},
	},
	{
		group,
		says: 'a fault in the domain of the DMA API is reported, and the master goes on',
		blames: 'driver',
		run(rig) {
			const ears = new Ears(rig, rig.current());
			for (const n of rig.sharers) {
				rig.access(n, 3 * rig.page, true, false);
				rig.machine.advance(1e9);
				ears.agree(`a write by ${rig.master(n)}`, n);
			}
			quiet(rig);
		},
	},
	{
		group,
		says: 'a fault that is still pending when its domain goes leaves nothing behind',
		blames: 'driver',
		run(rig) {
			const domain = rig.attached();
			const places = mapped(rig, domain);
			const flags = local_irq_save();
			rig.reads(0, places.noPage);
			local_irq_restore(flags);
			rig.detach(domain);
			quiet(rig);
			rig.equal('iommu_attach_group()', rig.attach(domain), 0);
			rig.access(0, places.good, true, true);
			quiet(rig);
		},
	},
];
