// SPDX-License-Identifier: GPL-2.0-only
// A golden board with the H6's IOMMU, whose registers are a logging hole, as in the capture, or plain memory.
import { sun50i_iommu_domain, to_sun50i_domain } from '#drivers/iommu/sun50i-iommu.js';
import type { Machine } from '#hw/core/machine.js';
import type { IrqLine, ModelFactory } from '#hw/core/model.js';
import { sun50iIommuModels } from '#hw/iommu/sun50i-h6-iommu.js';
import { loggingHole } from '#hw/misc/logging-hole.js';
import { MemoryWindow } from '#hw/misc/memory-window.js';
import type { iommu_domain } from '#linux/iommu.js';
import { refcount_read } from '#linux/refcount.js';
import { sun50iCommands } from './commands/sun50i.js';
import { type Before, type BootPlan, CONSOLE, type Hardware, type HardwareKind, planOf } from './hardware.js';
import type { Session } from './session.js';
import type { Case, Json } from './vectors.js';

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

export class Sun50iBoard implements Hardware {
	readonly driver = 'sun50i-iommu';
	readonly format = '';
	readonly labelled = false;
	readonly runtimePm = false;
	readonly commands = sun50iCommands(this);
	/** The IOMMU's interrupt line, where the board has one. */
	irq: IrqLine | null = null;
	/** The IOMMU's window when it is plain memory (boot "ram"). */
	window: MemoryWindow | null = null;
	private machine: Machine | null = null;

	constructor(
		private readonly boot: string,
		private readonly log: string[],
	) {}

	overrides(): Record<string, ModelFactory> {
		const iommu: ModelFactory = (ctx) => {
			this.irq = ctx.irq(0);
			if (this.boot !== 'ram') return loggingHole(this.log)(ctx);
			this.window = new MemoryWindow(ctx.name, 0x10000);
			return this.window;
		};
		const models = Object.keys(sun50iIommuModels).map((compatible) => [compatible, iommu] as const);
		return { ...Object.fromEntries(models), 'snps,dw-low-reset': loggingHole(this.log, 'rst:') };
	}

	booted(machine: Machine): void {
		this.machine = machine;
		this.log.push('first-driver-registered');
	}

	settle(): void {}

	/** A directory's address is written DT. */
	entry(text: string): string {
		const base = /^W050=([0-9a-f]+)$/.exec(text);
		return base !== null && this.isDirectory(Number.parseInt(base[1]!, 16)) ? 'W050=DT' : text;
	}

	message(text: string): string {
		return text;
	}

	refresh(session: Session): void {
		session.bindAll('unbind');
		session.setType('DMA-FQ');
		session.setType('DMA');
		session.bindAll('bind');
	}

	prepare(session: Session, c: Case): Before | null {
		const first = session.takeLog();
		if (c.before === undefined) return null;
		if (c.fresh) this.refresh(session);
		return { theirs: c.before, ours: c.fresh ? session.takeLog() : first };
	}

	use(): void {}

	describe(domain: iommu_domain): Record<string, Json> {
		return domain instanceof sun50i_iommu_domain ? { driver_refcnt: refcount_read(domain.refcnt) } : {};
	}

	references(domain: iommu_domain): number {
		return refcount_read(to_sun50i_domain(domain).refcnt);
	}

	/** Whether @phys can be a directory: 16 KiB of allocated RAM, aligned. */
	private isDirectory(phys: number): boolean {
		return phys !== 0 && phys % 0x4000 === 0 && this.machine!.memory.is_ram(phys, 0x4000);
	}
}

export const sun50i: HardwareKind = {
	plan: (boot, facts) => (facts.board === undefined ? BOOTS[boot] : planOf(facts)),
	make: (boot, log) => new Sun50iBoard(boot, log),
};
