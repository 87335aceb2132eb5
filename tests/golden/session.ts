// SPDX-License-Identifier: GPL-2.0-only
// One boot of a golden board: its IOMMUs, all they are asked written down, and test drivers.
import { readFileSync } from 'node:fs';
import {
	iommu_get_domain_for_dev,
	iommu_group_claim_dma_owner,
	iommu_group_release_dma_owner,
} from '#drivers/iommu/iommu.js';
import { sysfs_read, sysfs_write } from '#fs/sysfs/user.js';
import { Machine } from '#hw/core/machine.js';
import { start_kernel } from '#init/main.js';
import { printk_state } from '#kernel/printk/printk.js';
import { msleep } from '#kernel/time/timer.js';
import type { device } from '#linux/device.js';
import { IS_ERR } from '#linux/err.js';
import { LOGLEVEL_DEBUG } from '#linux/kern_levels.js';
import type { Hardware } from './hardware.js';
import { boardOf } from './kinds.js';
import { load_oracle, oracle_devices, use_managed_driver } from './oracle.js';
import type { Boot } from './vectors.js';

/** The oracle boards' distributor, its set-pending registers. */
const GICD_ISPENDR = 0xf900_0200;

const GROUP_TYPE = '/sys/kernel/iommu_groups/0/type';

export class SessionError extends Error {}

/** A booted board, ready for steps. */
export class Session {
	readonly machine: Machine;
	/** Register traffic since the last takeLog(), in order. */
	private readonly log: string[] = [];
	/** Of the kernel log, the records before this one were taken. */
	private nextMessage = 0;
	/** What stands between the masters and memory. */
	readonly hardware: Hardware;
	/** Whatever the commands keep between steps, by kind and number. */
	readonly slots = new Map<string, unknown>();

	constructor(
		readonly boot: string,
		readonly facts: Boot,
		boards: string,
		found = boardOf(boot, facts, boards),
	) {
		if (found === undefined) throw new SessionError(`boot "${boot}" has no board here`);
		const { kind, plan, dtb } = found;
		const hardware = kind.make(boot, this.log);
		this.hardware = hardware;
		this.machine = new Machine(readFileSync(dtb), {
			commandLine: plan.commandLine,
			overrides: hardware.overrides(),
		});
		start_kernel(this.machine);
		this.bootMessages = this.takeMessages();
		hardware.booted(this.machine);
		load_oracle((text) => {
			// The captured kernel's worker has its turn before a driver is told to go.
			hardware.settle();
			this.log.push(text);
		}, hardware.runtimePm);
		if (hardware.runtimePm) use_managed_driver();
		hardware.settle();
	}

	device(n: number): device {
		const dev = oracle_devices()[n];
		if (!dev) throw new SessionError(`boot "${this.boot}" has no device ${n}`);
		return dev;
	}

	/** The register traffic since the last call, as one line. */
	takeLog(): string {
		this.hardware.settle();
		const entries = this.log.splice(0);
		return entries.map((entry) => this.hardware.entry(entry)).join(' ');
	}

	/** Drop the entries of the log that match @what, since the last takeLog(). */
	forget(what: RegExp): void {
		this.log.splice(0, Infinity, ...this.log.filter((entry) => !what.test(entry)));
	}

	/** The kernel's messages since the last call: without time stamps, a WARN's block as "<WARNING in f>". */
	takeMessages(): string[] {
		const records = printk_state.log.filter((r) => r.seq >= this.nextMessage && r.level < LOGLEVEL_DEBUG);
		this.nextMessage = printk_state.next_seq;
		const lines = records.map((r) => r.text);
		const out: string[] = [];
		let skipping = false;
		for (const line of lines) {
			if (line.startsWith('------------[ cut here ]')) continue;
			const at = /^WARNING: .* at (?:.*[ /.])?([\w$]+)(?:\+|$)/.exec(line);
			if (at) {
				out.push(`<WARNING in ${at[1]}>`);
				skipping = true;
			} else if (!skipping) out.push(this.hardware.message(line));
			if (line.startsWith('---[ end trace')) skipping = false;
		}
		return out;
	}

	/** Messages of the boot itself, as takeMessages() gives them. */
	readonly bootMessages: readonly string[];
	/** The kernel log since boot, without time stamps. */
	bootLog(): string[] {
		return printk_state.log.filter((r) => r.level < LOGLEVEL_DEBUG).map((r) => r.text);
	}

	/** Take the first masters from their driver, or give them to it. */
	bindAll(file: 'bind' | 'unbind'): void {
		for (const n of [0, 1, 2])
			if (oracle_devices()[n]) sysfs_write(`/sys/bus/platform/drivers/oracle/${file}`, `m${n}`);
	}

	/** Unbind the masters behind the IOMMU, give their groups new domains, bind them again. */
	refresh(): void {
		this.hardware.refresh(this);
	}

	/** Bind the masters behind the IOMMU to the driver that manages DMA itself. */
	manage(): void {
		this.bindAll('unbind');
		use_managed_driver();
	}

	/** Switch the group's type while the drivers are bound. */
	setType(type: string): void {
		sysfs_write(GROUP_TYPE, type);
	}

	type(): string {
		const text = sysfs_read(GROUP_TYPE);
		return IS_ERR(text) ? '' : text.trim();
	}

	/** Make an interrupt pending once, at the interrupt controller, as the capture did. */
	raise(intid: number): void {
		this.machine.mmio_write(GICD_ISPENDR + 4 * Math.floor(intid / 32), 4, (1 << (intid % 32)) >>> 0);
	}

	/** Have the next search of the bounce pool begin at @slot. */
	setBounceIndex(slot: number): void {
		const area = oracle_devices().find((d) => d)?.dma_io_tlb_mem?.defpool.areas?.[0];
		if (area) area.index = slot;
	}

	/** Claim and release the group until its default domain's count is @references. */
	leaveAndReturn(references: number): void {
		const group = this.device(0).iommu_group;
		if (group === null) return;
		const owner = {};
		for (;;) {
			const domain = iommu_get_domain_for_dev(this.device(0));
			const now = domain === null ? references : this.hardware.references(domain);
			if (now >= references || iommu_group_claim_dma_owner(group, owner) !== 0) return;
			iommu_group_release_dma_owner(group);
		}
	}

	sleep(ms: number): void {
		msleep(ms);
	}

	slot<T>(kind: string, n: number): T | undefined {
		return this.slots.get(`${kind}${n}`) as T | undefined;
	}
	keep(kind: string, n: number, what: unknown): void {
		this.slots.set(`${kind}${n}`, what);
	}
	drop(kind: string, n: number): void {
		this.slots.delete(`${kind}${n}`);
	}
}
