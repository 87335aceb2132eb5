// SPDX-License-Identifier: GPL-2.0-only
// INV-OWN line by line: a device that does not snoop read bytes, or wrote lines, that are dirty in the CPU's cache; a page
// is mapped past the cache and through it (mismatched-alias).
//
// The linear map shows every page through the cache, and is no finding: nobody touches a page there that is mapped past
// the cache elsewhere. A user program does, so what it is shown has to agree with the kernel's mapping.

import { PAGE_SIZE } from '#asm/page-def.js';
import type { DmaPort } from '#hw/core/dma-port.js';
import { GRANULE, type Ram } from '#hw/core/ram.js';
import { hex } from '#hw/core/register-file.js';
import type { Watched, Watcher } from './watcher.js';

/** A part of what a user program is shown: @size bytes from @phys on, at its address @addr. */
interface UserPages {
	readonly addr: number;
	readonly phys: number;
	readonly size: number;
	readonly cached: boolean;
	/** The file that it was made from. */
	readonly what: string;
}

export class Lines implements Watcher {
	/** What the user program is shown, by area. */
	readonly #shown = new Map<number, UserPages[]>();

	constructor(readonly watched: Watched) {}

	onUserMap(area: number, addr: number, phys: number, size: number, cached: boolean, what: string): void {
		this.#userMapped(area, { addr, phys, size, cached, what });
	}

	onUserUnmap(area: number): void {
		this.#shown.delete(area);
	}

	/** The program is shown @now: against the kernel's mappings, and against what it is shown elsewhere. */
	#userMapped(area: number, now: UserPages): void {
		const { ram } = this.watched.machine;
		for (let at = now.phys; now.cached && at < now.phys + now.size; at += PAGE_SIZE)
			if (ram.isUncached(at)) this.#mismatch(area, now, at, 'the kernel has it mapped non-cacheable');
		for (const pages of this.#shown.values())
			for (const old of pages)
				if (old.cached !== now.cached && overlap(old, now.phys, now.size)) {
					const how = `it is ${cacheability(old)} at ${hex(old.addr + Math.max(0, now.phys - old.phys))}`;
					this.#mismatch(area, now, Math.max(old.phys, now.phys), how);
				}
		const shown = this.#shown.get(area);
		if (shown === undefined) this.#shown.set(area, [now]);
		else shown.push(now);
	}

	/** The kernel maps pages that the program is shown already. */
	onVmap(pages: ArrayLike<number>, count: number, cached: boolean): void {
		if (cached || this.#shown.size === 0) return;
		for (const [area, shown] of this.#shown)
			for (const user of shown)
				for (let i = 0; user.cached && i < count; i += PAGE_SIZE / GRANULE)
					if (overlap(user, pages[i], PAGE_SIZE))
						this.#mismatch(area, user, pages[i], 'the kernel maps it non-cacheable from here on');
	}

	#mismatch(area: number, user: UserPages, phys: number, how: string): void {
		const at = `${hex(user.addr + (phys - user.phys))} of the page at ${hex(phys, 8)}`;
		const details = [
			`The user program's mapping at ${at} is ${cacheability(user)}; ${how}`,
			'What is stored through one is not seen through the other',
		];
		const who = user.what === '' ? 'a user program' : user.what;
		this.watched.find({
			invariant: 'INV-OWN',
			kind: 'mismatched-alias',
			device: who,
			moment: 'return',
			place: `area ${area}`,
			details,
			advice: `who showed ${hex(phys, 8)} to ${who} chose vm_page_prot without asking dma_pgprot(), as dma_mmap_attrs() does`,
		});
	}

	/** A device that snoops reads from the cache what the program has stored past it. */
	#snooped(port: DmaPort, addr: number, phys: number, size: number): void {
		for (const [area, shown] of this.#shown)
			for (const user of shown) {
				if (user.cached || !overlap(user, phys, size) || !differs(this.watched.machine.ram, phys, size))
					continue;
				const how = `${port.name} snoops, and read ${hex(addr, 8)} from the cache`;
				this.#mismatch(area, user, phys - (phys % PAGE_SIZE), how);
			}
	}

	access(port: DmaPort, addr: number, phys: number, size: number, write: boolean): void {
		const { ram } = this.watched.machine;
		if (phys < 0) return;
		if (!ram.is_ram(phys, size)) return;
		if (port.snoop) {
			if (this.#shown.size !== 0 && !write) this.#snooped(port, addr, phys, size);
			return;
		}
		if (!ram.isDirty(phys, size)) return;
		if (write) {
			const line = hex(ram.firstDirty(phys, size));
			this.watched.find({
				invariant: 'INV-OWN',
				kind: 'write-under-dirty-line',
				device: port.name,
				moment: 'access',
				place: placeOf(addr, phys),
				access: { addr, phys, size, write: true },
				details: [
					`The CPU's cache has a dirty line at ${line}: its write-back, or its loss, destroys one of the two`,
				],
				advice: `the CPU stored to the line at ${line} and it was not cleaned before ${port.name} got the buffer: a mapping or a dma_sync_*_for_device() is missing or too short, or the line holds other data, too`,
			});
			return;
		}
		// A dirty line is only wrong for a reader where the bytes that it reads differ.
		for (let at = phys - (phys % 4); at < phys + size; at += 4) {
			const memory = ram.readWord(at);
			const cpu = ram.readCpuWord(at);
			if (memory === cpu || !differsInside(memory, cpu, at, phys, size) || !ram.isDirty(at, 4)) continue;
			this.watched.find({
				invariant: 'INV-OWN',
				kind: 'stale-read',
				device: port.name,
				moment: 'access',
				place: placeOf(addr, phys),
				access: { addr: addr + (at - phys), phys: at, size, write: false },
				details: [
					`The device got ${hex(memory, 8)}; the CPU stored ${hex(cpu, 8)} and has not cleaned the line`,
				],
				advice: `a dma_sync_*_for_device() (or the mapping) that covers ${hex(at, 8)} is missing after the CPU's store, or ${port.name} snoops and its node does not say dma-coherent`,
			});
			return;
		}
	}
}

function placeOf(addr: number, phys: number): string {
	return `${Math.floor(addr / GRANULE)} ${Math.floor(phys / GRANULE)}`;
}

function overlap(user: UserPages, phys: number, size: number): boolean {
	return phys < user.phys + user.size && user.phys < phys + size;
}

function cacheability(user: UserPages): string {
	return user.cached ? 'cached' : 'non-cacheable';
}

/** Whether cache and memory hold different bytes in a range. */
function differs(ram: Ram, phys: number, size: number): boolean {
	const cpu = ram.peekCpu(phys, size);
	return ram.peekMemory(phys, size).some((byte, i) => byte !== cpu[i]);
}

/** Whether two values of the word at @at differ in a byte of [@phys, @phys + @size). */
function differsInside(a: number, b: number, at: number, phys: number, size: number): boolean {
	const different = a ^ b;
	for (let i = 0; i < 4; i++)
		if (at + i >= phys && at + i < phys + size && (different >>> (8 * i)) & 0xff) return true;
	return false;
}
