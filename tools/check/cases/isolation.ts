// SPDX-License-Identifier: GPL-2.0-only
// Isolation: whatever masters do, no byte outside of what is mapped for them is read or changed.

import { GFP_KERNEL } from '#linux/gfp.js';
import { IOMMU_READ, IOMMU_WRITE, type iommu_domain } from '#linux/iommu.js';
import { virt_to_phys } from '#linux/mm.js';
import { alloc_pages_exact, free_pages_exact } from '#mm/page_alloc.js';
import { BOTH, type Case, SEVERAL_DOMAINS } from '../case.js';
import { type Rig, RW, shown } from '../rig.js';

const group = 'isolation';

const PAGES = 24;

/** One page that is mapped in a domain. */
interface Mapping {
	readonly page: number;
	readonly prot: number;
}

/** Memory of which some pages are mapped, and what it has to hold: every byte. */
class World {
	readonly memory: Uint8Array;
	readonly phys: number;
	readonly want: Uint8Array;

	constructor(readonly rig: Rig) {
		this.memory = alloc_pages_exact(PAGES * rig.page, GFP_KERNEL)!;
		this.phys = virt_to_phys(this.memory) as number;
		this.want = Uint8Array.from({ length: PAGES * rig.page }, (_x, i) => (i * 7 + (i >> 8)) & 0xff);
		rig.machine.memory.load(this.phys, this.want);
	}

	/** Memory has to be as it is wanted. */
	check(what: string): void {
		const got = this.rig.machine.memory.peekMemory(this.phys, this.want.length);
		if (Buffer.compare(got, this.want) === 0) return;
		const at = this.want.findIndex((b, i) => got[i] !== b);
		this.rig.equal(
			`${what}, the byte at ${shown(this.phys + at)}, in page ${Math.floor(at / this.rig.page)},`,
			got[at],
			this.want[at],
		);
	}

	free(): void {
		free_pages_exact(this.memory, this.memory.length);
	}
}

/** An access of @n of @size bytes at @iova, by what @mappings (by page of the address) allow. */
function access(
	rig: Rig,
	world: World,
	n: number,
	mappings: ReadonlyMap<number, Mapping>,
	iova: number,
	size: number,
	write: boolean,
): void {
	const { page } = rig;
	const master = rig.masters.model(rig.master(n));
	// What comes before the first byte that is refused is done.
	let done = 0;
	while (done < size) {
		const mapping = mappings.get(Math.floor((iova + done) / page));
		if (mapping === undefined || (mapping.prot & (write ? IOMMU_WRITE : IOMMU_READ)) === 0) break;
		done = Math.min(size, done + page - ((iova + done) % page));
	}
	const place = (at: number): number => {
		const mapping = mappings.get(Math.floor((iova + at) / page))!;
		return mapping.page * page + ((iova + at) % page);
	};
	const what = `${write ? 'a write' : 'a read'} of ${size} bytes at ${shown(iova)} by ${rig.master(n)}`;
	if (write) {
		const data = Uint8Array.from({ length: size }, () => rig.pick(256));
		for (let at = 0; at < done; at++) world.want[place(at)] = data[at];
		rig.equal(`${what} is let through`, master.store(iova, data), done === size);
	} else {
		const got = master.fetch(iova, size);
		rig.equal(`${what} is let through`, got !== null, done === size);
		if (got !== null)
			for (let at = 0; at < size; at++)
				if (got[at] !== world.want[place(at)])
					rig.equal(`${what}, byte ${at},`, got[at], world.want[place(at)]);
	}
	rig.machine.advance(100_000);
	world.check(what);
}

/** Random mappings in a domain of each of @masters, and random accesses by all of them. */
function program(rig: Rig, masters: readonly number[], steps: number): void {
	const { page } = rig;
	const { rights, oneGroup, tableCovers } = rig.description;
	const world = new World(rig);
	const base = Math.floor((3 * tableCovers) / page) - 8;
	const domains: iommu_domain[] = [];
	const maps: Map<number, Mapping>[] = [];
	for (const n of masters) {
		domains.push(oneGroup && domains.length > 0 ? domains[0] : rig.attached(n));
		maps.push(oneGroup && maps.length > 0 ? maps[0] : new Map());
	}
	for (let step = 0; step < steps; step++) {
		const who = rig.pick(masters.length);
		const [domain, mappings] = [domains[who], maps[who]];
		const at = base + rig.pick(16);
		if (rig.random() < 0.3) {
			if (mappings.has(at)) {
				rig.unmap(domain, at * page);
				mappings.delete(at);
			} else {
				const mapping = { page: rig.pick(PAGES), prot: rig.random() < 0.5 ? RW : rig.oneOf(rights) };
				rig.map(domain, at * page, world.phys + mapping.page * page, page, mapping.prot);
				mappings.set(at, mapping);
			}
			continue;
		}
		const size = 1 + rig.pick(rig.random() < 0.3 ? 3 * page : 100);
		access(rig, world, masters[who], mappings, at * page + rig.pick(page), size, rig.random() < 0.5);
	}
	for (const [i, mappings] of maps.entries()) {
		for (const at of mappings.keys()) rig.unmap(domains[i], at * page);
		mappings.clear();
	}
	world.check('the end');
	world.free();
}

export const isolation: readonly Case[] = [
	{
		group,
		says: 'random mappings and random accesses: every byte is where it has to be',
		blames: 'driver',
		everyBoard: true,
		policies: BOTH,
		shares: true,
		run: (rig) => program(rig, rig.sharers, 120),
	},
	{
		group,
		says: 'masters in domains of their own reach their own pages only',
		blames: 'driver',
		needs: [SEVERAL_DOMAINS],
		shares: true,
		run: (rig) =>
			program(
				rig,
				Array.from({ length: rig.count }, (_x, n) => n),
				120,
			),
	},
	{
		group,
		says: 'a master that goes through all addresses finds nothing but what is mapped',
		blames: 'driver',
		shares: true,
		run(rig) {
			const { page } = rig;
			const world = new World(rig);
			const domain = rig.attached();
			const at = 2 * rig.description.tableCovers;
			rig.map(domain, at, world.phys + 3 * page, page, IOMMU_READ);
			const mappings = new Map([[at / page, { page: 3, prot: IOMMU_READ }]]);
			const places = [
				0,
				page,
				at - page,
				at,
				at + page,
				world.phys,
				world.phys + 3 * page,
				...Array.from({ length: 24 }, () => rig.pick(2 ** 20) * page),
			];
			for (const n of rig.sharers)
				for (const place of places)
					for (const write of [false, true]) access(rig, world, n, mappings, place, 16, write);
			rig.unmap(domain, at);
			world.free();
		},
	},
	{
		group,
		says: 'a master that never stops reaches nothing of what is unmapped under it',
		blames: 'driver',
		run(rig) {
			const { page } = rig;
			const world = new World(rig);
			const domain = rig.attached();
			const at = 5 * rig.description.tableCovers - page;
			// It uses what is just being unmapped: no good device does.
			rig.allowFinding(/found at the access/);
			const rogues = rig.sharers.map((n) => rig.masters.model(rig.master(n)));
			for (let round = 0; round < 4; round++) {
				rig.map(domain, at, world.phys + 4 * page, 2 * page);
				for (const [i, rogue] of rogues.entries()) {
					rogue.ignoreStop = true;
					rogue.stream({ addr: at, size: 2 * page, write: true, periodNs: 700 + 130 * i, burst: 32 });
				}
				rig.machine.advance(40_000);
				rig.unmap(domain, at, 2 * page);
				rig.machine.memory.load(world.phys, world.want);
				rig.machine.advance(60_000);
				world.check('after the unmapping');
				for (const rogue of rogues) rogue.halt();
			}
			rig.machine.advance(1_000_000);
			world.free();
		},
	},
];
