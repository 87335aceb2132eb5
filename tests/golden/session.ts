// SPDX-License-Identifier: GPL-2.0-only
// One boot of a golden board: a logging hole for an IOMMU, and test drivers.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
	iommu_get_domain_for_dev,
	iommu_group_claim_dma_owner,
	iommu_group_release_dma_owner,
} from '#drivers/iommu/iommu.js';
import { to_sun50i_domain } from '#drivers/iommu/sun50i-iommu.js';
import { sysfs_read, sysfs_write } from '#fs/sysfs/user.js';
import { Machine } from '#hw/core/machine.js';
import type { IrqLine, ModelFactory } from '#hw/core/model.js';
import { loggingHole } from '#hw/misc/logging-hole.js';
import { MemoryWindow } from '#hw/misc/memory-window.js';
import { start_kernel } from '#init/main.js';
import { printk_state } from '#kernel/printk/printk.js';
import { msleep } from '#kernel/time/timer.js';
import type { device } from '#linux/device.js';
import { IS_ERR } from '#linux/err.js';
import { LOGLEVEL_DEBUG } from '#linux/kern_levels.js';
import { refcount_read } from '#linux/refcount.js';
import { load_oracle, oracle_devices, use_managed_driver } from './oracle.js';
import { RockchipBoard } from './rockchip.js';
import type { Boot } from './vectors.js';

interface BootPlan {
	readonly board: string;
	readonly commandLine: string;
}

const CONSOLE =
	'console=ttyAMA0 earlycon=pl011,0xff000000 nr_cpus=1 panic=-1 log_buf_len=16M printk.devkmsg=on loglevel=4';

/** Which tree and command line a boot's name stands for (the vectors' README). */
const BOOTS: Record<string, BootPlan> = {
	main: { board: 'main', commandLine: CONSOLE },
	sysfs: { board: 'main', commandLine: `${CONSOLE} ` },
	passthrough: { board: 'main', commandLine: `${CONSOLE} iommu.passthrough=1` },
	nonstrict: { board: 'main', commandLine: `${CONSOLE} iommu.strict=0` },
	high: { board: 'high', commandLine: CONSOLE },
	single: { board: 'single', commandLine: CONSOLE },
	direct: { board: 'direct', commandLine: CONSOLE },
	force: { board: 'direct', commandLine: `${CONSOLE} swiotlb=force` },
	ranges: { board: 'ranges', commandLine: CONSOLE },
	h616: { board: 'h616', commandLine: CONSOLE },
	ram: { board: 'ram', commandLine: CONSOLE },
};

/** The plan of a boot that the list does not have: its facts say. */
function planOf(facts: Boot): BootPlan | undefined {
	if (facts.board === undefined) return undefined;
	const parameters = /iommu\.\w+=\S+/.exec(facts.what)?.[0] ?? '';
	// The captured kernel has modules: what waits for a supplier waits ten seconds.
	return { board: facts.board, commandLine: `${CONSOLE} deferred_probe_timeout=10 ${parameters}` };
}

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
	/** The IOMMU's interrupt line, where the board has one. */
	irq: IrqLine | null = null;
	/** The IOMMU's window when it is plain memory (boot "ram"). */
	window: MemoryWindow | null = null;
	/** What a board with Rockchip IOMMUs has besides. */
	readonly rockchip: RockchipBoard | null;
	/** Whatever the commands keep between steps, by kind and number. */
	readonly slots = new Map<string, unknown>();

	constructor(
		readonly boot: string,
		readonly facts: Boot,
		boards: string,
	) {
		const plan = BOOTS[boot] ?? planOf(facts);
		if (plan === undefined) throw new SessionError(`boot "${boot}" is unknown`);
		this.rockchip = plan.board.startsWith('rk-') ? new RockchipBoard(this.log) : null;
		const iommu: ModelFactory = (ctx) => {
			this.irq = ctx.irq(0);
			if (boot === 'ram') {
				this.window = new MemoryWindow(ctx.name, 0x10000);
				return this.window;
			}
			return loggingHole(this.log)(ctx);
		};
		this.machine = new Machine(readFileSync(join(boards, `${plan.board}.dtb`)), {
			commandLine: plan.commandLine,
			overrides: {
				'allwinner,sun50i-h6-iommu': iommu,
				'allwinner,sun50i-h616-iommu': iommu,
				'snps,dw-low-reset': loggingHole(this.log, 'rst:'),
				...this.rockchip?.overrides(),
			},
		});
		start_kernel(this.machine);
		this.bootMessages = this.takeMessages();
		if (this.rockchip === null) this.log.push('first-driver-registered');
		else {
			this.log.length = 0;
			this.rockchip.watch(this.machine.memory);
			this.rockchip.watchClock();
		}
		load_oracle((text) => {
			// The captured kernel's worker has its turn before a driver is told to go.
			this.rockchip?.settle();
			this.log.push(text);
		}, this.rockchip !== null);
		if (this.rockchip !== null) use_managed_driver();
		this.rockchip?.settle();
	}

	device(n: number): device {
		const dev = oracle_devices()[n];
		if (!dev) throw new SessionError(`boot "${this.boot}" has no device ${n}`);
		return dev;
	}

	/** The register traffic since the last call, as one line; a directory's address is written DT. */
	takeLog(): string {
		this.rockchip?.settle();
		return this.log
			.splice(0)
			.map((entry) => {
				const base = /^W050=([0-9a-f]+)$/.exec(entry);
				const isDirectory = base !== null && this.isDirectory(Number.parseInt(base[1]!, 16));
				return isDirectory ? 'W050=DT' : entry;
			})
			.join(' ');
	}

	/** Drop the entries of the log that match @what, since the last takeLog(). */
	forget(what: RegExp): void {
		this.log.splice(0, Infinity, ...this.log.filter((entry) => !what.test(entry)));
	}

	/** Whether @phys can be a directory: 16 KiB of allocated RAM, aligned. */
	private isDirectory(phys: number): boolean {
		return phys !== 0 && phys % 0x4000 === 0 && this.machine.memory.is_ram(phys, 0x4000);
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
			} else if (!skipping) out.push(this.rockchip?.message(line) ?? line);
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

	private writeAll(file: string): void {
		for (const n of [0, 1, 2])
			if (oracle_devices()[n]) sysfs_write(`/sys/bus/platform/drivers/${file}`, `m${n}`);
	}

	/** Unbind the masters behind the IOMMU, give their group a new domain, bind them again. */
	refresh(): void {
		if (this.rockchip !== null) {
			this.refreshGroups();
			return;
		}
		this.writeAll('oracle/unbind');
		sysfs_write(GROUP_TYPE, 'DMA-FQ');
		sysfs_write(GROUP_TYPE, 'DMA');
		this.writeAll('oracle/bind');
	}

	/** The same for boards with several groups. */
	private refreshGroups(): void {
		const masters = oracle_devices().flatMap((d, n) => (d?.iommu_group != null ? [n] : []));
		const groups = new Set(masters.map((n) => this.device(n).iommu_group!.id));
		const bind = (file: string): void => {
			for (const n of masters) {
				sysfs_write(`/sys/bus/platform/drivers/oracle/${file}`, `m${n}`);
				this.rockchip?.settle();
			}
		};
		bind('unbind');
		for (const id of groups)
			for (const type of ['identity', 'DMA']) sysfs_write(`/sys/kernel/iommu_groups/${id}/type`, type);
		bind('bind');
	}

	/** Bind the masters behind the IOMMU to the driver that manages DMA itself. */
	manage(): void {
		this.writeAll('oracle/unbind');
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

	/**
	 * Make the IOMMU's interrupt pending once, at the interrupt controller, as the capture did: the handler runs
	 * once, whatever it leaves in the status register.
	 */
	raiseIrq(): void {
		this.raise(this.irq!.intid);
	}

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
			const now = domain === null ? references : refcount_read(to_sun50i_domain(domain).refcnt);
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
