// SPDX-License-Identifier: GPL-2.0-only
// What a golden board has for IOMMUs: the models that answer, and what its vectors ask or say otherwise.
import type { Machine } from '#hw/core/machine.js';
import type { ModelFactory } from '#hw/core/model.js';
import type { iommu_domain } from '#linux/iommu.js';
import type { Command } from './commands/index.js';
import type { Session } from './session.js';
import type { Boot, Case, Json } from './vectors.js';

/** The captured kernel's command line. */
export const CONSOLE =
	'console=ttyAMA0 earlycon=pl011,0xff000000 nr_cpus=1 panic=-1 log_buf_len=16M printk.devkmsg=on loglevel=4';

export interface BootPlan {
	readonly board: string;
	readonly commandLine: string;
}

/** The plan of a boot whose facts say which tree it has. */
export function planOf({ board, what }: Boot): BootPlan | undefined {
	if (board === undefined) return undefined;
	const parameters = /iommu\.\w+=\S+/.exec(what)?.[0] ?? '';
	// The captured kernel has modules: what waits for a supplier waits ten seconds.
	return { board, commandLine: `${CONSOLE} deferred_probe_timeout=10 ${parameters}` };
}

/** One kind of boards. */
export interface HardwareKind {
	/** Which tree and command line a boot of this kind has; undefined: it is of another kind. */
	plan(boot: string, facts: Boot): BootPlan | undefined;
	/** For the machine that @boot makes; the traffic goes into @log. */
	make(boot: string, log: string[]): Hardware;
}

/** A case's text of what went before it, and ours. */
export interface Before {
	readonly theirs: string;
	readonly ours: string;
}

export interface Hardware {
	/** The driver's name in sysfs. */
	readonly driver: string;
	/** What the deviations that refuse memory call the format of its tables; '' where none does. */
	readonly format: string;
	/** The vectors write tables by label (T1, T2 …). */
	readonly labelled: boolean;
	/** The masters' drivers enable runtime PM; the one that manages DMA itself is there from the start. */
	readonly runtimePm: boolean;
	/** Commands that mean something else on these boards, or are for them alone. */
	readonly commands: Readonly<Record<string, Command>>;

	/** For the machine's `overrides`. */
	overrides(): Record<string, ModelFactory>;
	/** The kernel runs; no driver of the masters does. */
	booted(machine: Machine): void;
	/** Let put-off work come: before something is told, or read from the log. */
	settle(): void;
	/** An entry of the log, a message, as the vectors write it. */
	entry(text: string): string;
	message(text: string): string;
	/** Masters out, new domains for their groups, masters in. */
	refresh(session: Session): void;
	/** Bring @session to where @c begins; what of that the vectors have, too. */
	prepare(session: Session, c: Case): Before | null;
	/** Use a master of each IOMMU that @traffic names. */
	use(session: Session, traffic: string): void;
	/** What the vectors say of a domain besides what all domains have. */
	describe(domain: iommu_domain): Record<string, Json>;
	/** How often @domain is referred to; -1 where that is not counted. */
	references(domain: iommu_domain): number;
}
