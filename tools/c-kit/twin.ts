// SPDX-License-Identifier: GPL-2.0-only
// A board's scripts, played by the kernel in TypeScript: the same steps, in the same words, as the guest's.
// Before any driver: drivers register in the order of their modules.
import '#init/vmlinux.js';

import { phys_to_virt_words } from '#asm/memory.js';
import { bus_find_device_by_name } from '#drivers/base/bus.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import { sun50i_iommu_domain, to_sun50i_domain } from '#drivers/iommu/sun50i-iommu.js';
import type { IrqLine, ModelFactory } from '#hw/core/model.js';
import { pm_wq } from '#kernel/power/power.js';
import type { iommu_domain } from '#linux/iommu.js';
import { refcount_read } from '#linux/refcount.js';
import { flush_workqueue } from '#linux/workqueue.js';
import { domainOf } from '#tests/golden/commands/domains.js';
import { type Command, commands } from '#tests/golden/commands/index.js';
import { power } from '#tests/golden/commands/rockchip.js';
import { CONSOLE, type Hardware } from '#tests/golden/hardware.js';
import { oracle_devices, use_managed_driver } from '#tests/golden/oracle.js';
import { Session } from '#tests/golden/session.js';
import { shell } from '#tests/golden/shell.js';
import { Fnv, num, word } from '#tests/golden/values.js';
import type { Json } from '#tests/golden/vectors.js';
import type { Board } from './board.js';
import { Player } from './player.js';
import { aboutIommus, canonical, type Script, type Step, withoutNoise } from './run.js';

/** A board of the kit: windows that are played, masters that may have runtime PM. */
class KitHardware implements Hardware {
	readonly labelled = false;
	readonly format = '';
	readonly driver: string;
	readonly runtimePm: boolean;
	readonly commands: Readonly<Record<string, Command>>;
	readonly player: Player;
	/** Of each IOMMU: its device's name, its interrupts at the controller. */
	readonly iommus: { name: string; irqs: IrqLine[] }[] = [];

	constructor(
		private readonly board: Board,
		log: string[],
	) {
		this.driver = board.driver;
		this.runtimePm = board.args.includes('runtime_pm=1');
		this.player = new Player((text) => log.push(text));
		this.commands = this.#commands();
	}

	overrides(): Record<string, ModelFactory> {
		const model: ModelFactory = (ctx) => {
			const irqs = ctx.node.interrupts.map((_, i) => ctx.irq(i));
			if (irqs.length > 0) this.iommus.push({ name: ctx.name, irqs });
			return this.player.model(ctx);
		};
		return { [this.board.compatible]: model, 'snps,dw-low-reset': model };
	}

	booted(): void {}

	/** What was put off: a suspend belongs to the step that allowed it. */
	settle(): void {
		flush_workqueue(pm_wq);
	}

	entry(text: string): string {
		return text;
	}

	message(text: string): string {
		return text;
	}

	/** One command after the other; what a bind or an unbind puts off has its turn before the next. */
	#shell(s: Session, line: string): Json {
		let answer: Json = null;
		for (const command of line.split(';')) {
			answer = { ...shell(s, command) };
			this.settle();
		}
		return answer;
	}

	#each(s: Session, command: string): Json {
		for (const master of this.board.masters) this.#shell(s, `${command} ${master}`);
		return 0;
	}

	refresh(s: Session): void {
		this.#each(s, 'unbind');
		const groups = new Set(
			this.board.masters.map((m) => oracle_devices()[Number(m.slice(1))]?.iommu_group?.id),
		);
		for (const id of [...groups].sort())
			for (const type of [this.board.fresh, 'DMA'])
				this.#shell(s, `echo ${type} > /sys/kernel/iommu_groups/${id}/type`);
		this.#each(s, 'bind');
	}

	prepare(): null {
		return null;
	}

	use(): void {}

	describe(domain: iommu_domain): Record<string, Json> {
		return domain instanceof sun50i_iommu_domain ? { driver_refcnt: refcount_read(domain.refcnt) } : {};
	}

	references(): number {
		return -1;
	}

	#commands(): Record<string, Command> {
		const { player } = this;
		const window = (args: readonly unknown[], others: number): number =>
			args.length > others ? num(args[0] as number) : 0;
		const masters = power((s, n) => s.device(n));
		const iommus = power((_s, n) => bus_find_device_by_name(platform_bus_type, null, this.iommus[n]!.name)!);
		return {
			boot: () => 0,
			nop: () => 0,
			fresh: (s) => {
				this.refresh(s);
				return 0;
			},
			leave: (s) => this.#each(s, 'unbind'),
			enter: (s) => this.#each(s, 'bind'),
			manage: (s) => {
				this.#each(s, 'unbind');
				for (const m of this.board.masters) this.#shell(s, `echo ${m} > $P/drivers/oracle-managed/bind`);
				return 0;
			},
			suspend: (s) => {
				const line = 'echo devices > /sys/power/pm_test; echo freeze > /sys/power/state';
				return shell(s, line).status;
			},
			sh: (s, args) => this.#shell(s, args.join(' ')),
			pmget: masters.get,
			pmput: masters.put,
			pmst: masters.state,
			pmclear: masters.clear,
			iget: iommus.get,
			iput: iommus.put,
			ist: iommus.state,
			iclear: iommus.clear,
			ram: (_s, [on]) => {
				player.ram = num(on) !== 0;
				if (!player.ram) for (const w of player.windows) w.kind.reset(w);
				return 0;
			},
			rset: (_s, args) => {
				player.windows[window(args, 2)]!.set(num(args.at(-2)), num(args.at(-1)));
				return 0;
			},
			rget: (_s, args) => {
				const w = player.windows[window(args, 1)]!;
				return word(w.kind.read(w, num(args.at(-1))));
			},
			regs: (_s, [m]) => player.show(num(m)),
			walk: (_s, [m, iova]) => player.walk(num(m), num(iova)),
			tables: (_s, [m]) => this.#tables(num(m)),
			hwreset: (_s, [m]) => {
				player.reset(num(m));
				return 0;
			},
			quirk: (_s, [m, bits]) => {
				player.windows[num(m)]!.quirks = num(bits);
				return 0;
			},
			poke: (_s, [phys, value]) => {
				phys_to_virt_words(num(phys), 1)[0] = num(value);
				return 0;
			},
			event: (_s, [stream, addr, write, reason]) =>
				player.event(num(stream), num(addr), num(write), num(reason)) ? 0 : '-ENOSPC',
			irq: (s, [i, k]) => {
				s.raise(this.iommus[num(i)]!.irqs[num(k)]!.intid);
				s.sleep(20);
				return 0;
			},
			pte: (s, [x, iova]) => {
				const { dte, words } = sun50iTable(domainOf(s, x), num(iova));
				return {
					dte_low10: `0x${(dte & 0x3ff).toString(16).padStart(3, '0')}`,
					pt: dte === 0 ? 0 : 1,
					pte: word(words?.[(num(iova) >>> 12) & 255] ?? 0),
				};
			},
			ptes: (s, [x]) => sun50iTables(domainOf(s, x)),
		};
	}

	#tables(i: number): Json {
		const { player } = this;
		const tables = player.tables(i);
		if (tables < 0) return 'off';
		const sum = new Fnv();
		let pages = 0;
		for (const page of player.pages(i)) {
			pages++;
			sum.add(new Uint8Array(Uint32Array.of(page.iova, page.word).buffer));
		}
		return { tables, pages, fnv: sum.toString() };
	}
}

/** The directory word of @d for @iova, and the page table that it names. */
function sun50iTable(d: iommu_domain, iova: number): { dte: number; words: Uint32Array | null } {
	const dte = to_sun50i_domain(d).dt![iova >>> 20]!;
	return { dte, words: (dte & 3) === 1 ? phys_to_virt_words((dte & ~0x3ff) >>> 0, 256) : null };
}

/** How many words of @d's tables are valid, and a sum over where and what the pages' are. */
function sun50iTables(d: iommu_domain): Json {
	const sum = new Fnv();
	let [dtes, ptes] = [0, 0];
	for (let i = 0; i < 4096; i++) {
		const { words } = sun50iTable(d, i * 0x10_0000);
		if (words === null) continue;
		dtes++;
		for (const [j, pte] of words.entries()) {
			if ((pte & 2) === 0) continue;
			ptes++;
			sum.add(new Uint8Array(Uint32Array.of(i, j, pte).buffer));
		}
	}
	return { dtes, ptes, fnv: sum.toString(), refcnt: refcount_read(to_sun50i_domain(d).refcnt) };
}

/** Commands on a domain that there may not be. */
const ON_DOMAIN = /^(df|att|det|attg|detg|map|unmap|ufast|mapsg|dphys|flushall|handler|rfault|pte|ptes)$/;

/** Play @scripts on @board, whose tree is the file @dtb. */
export function playTwin(board: Board, dtb: string, scripts: readonly Script[]): Step[] {
	let hardware: KitHardware | null = null;
	const session = new Session(board.name, { what: board.name, swiotlb: ['0', '0'], zones: [] }, '', {
		kind: {
			plan: () => undefined,
			make: (_boot, log) => (hardware = new KitHardware(board, log)),
		},
		plan: { board: board.name, commandLine: `${CONSOLE} deferred_probe_timeout=10` },
		dtb,
	});
	if (!hardware!.runtimePm) use_managed_driver();
	const own = hardware!.commands;
	return scripts.flatMap(({ name, commands: lines }) => {
		for (const key of [...session.slots.keys()]) if (key.startsWith('X')) session.slots.delete(key);
		return lines.map((line, i) => {
			const [command = '', ...words] = line.split(/\s+/);
			const args = words.map((text) => (/^\d+$/.test(text) ? Number(text) : text));
			const call = own[command] ?? commands[command];
			const missing = ON_DOMAIN.test(command) && domainOf(session, args[0]) === undefined;
			const answer = call === undefined ? 'unknown command' : missing ? 'no domain' : call(session, args, {});
			const log = session.takeLog();
			const said = withoutNoise(session.takeMessages());
			return {
				place: `${name} ${i + 1}`,
				command: line,
				answer: canonical(JSON.stringify(answer)),
				accesses: log.split(' ').filter((access) => access !== ''),
				messages: command === 'boot' ? aboutIommus([...session.bootMessages, ...said]) : said,
			};
		});
	});
}
