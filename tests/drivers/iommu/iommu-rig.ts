// SPDX-License-Identifier: GPL-2.0-only
// A booted board with any IOMMU, the sanitiser watching, a driver for the masters behind it, and what tests ask of them.
import {
	iommu_attach_group,
	iommu_detach_group,
	iommu_domain_free,
	iommu_paging_domain_alloc,
} from '#drivers/iommu/iommu.js';
import type { Machine, MachineOptions } from '#hw/core/machine.js';
import type { Iommu } from '#hw/iommu/iommu.js';
import type { device } from '#linux/device.js';
import { IOMMU_READ, IOMMU_WRITE, type iommu_domain } from '#linux/iommu.js';
import { leakCheck } from '#tests/leaks.js';
import { sanitiserOf } from '#tests/sanitiser.js';
import type { Dmasan } from '#watch/dmasan.js';
import { Masters } from './masters.js';
import { ok } from './rig.js';

export const RW = IOMMU_READ | IOMMU_WRITE;

/** How much of the log one sees who looks for a mistake. */
const LINES = 6;

/** What a boot makes. */
interface Booted {
	readonly machine: Machine;
	readonly masters: Masters;
	readonly dmasan: Dmasan;
}

export class IommuRig {
	readonly log: string[] = [];
	/** What is left of allocations made since; the result of the second call must be empty. */
	readonly leakCheck = leakCheck;
	readonly #boot: () => Booted;
	#booted: Booted | null = null;

	/**
	 * @board makes the machine; its test masters are called @master(0), @master(1) … It boots at once, or, @lazily, when
	 * somebody asks for what is on it.
	 */
	constructor(
		board: (options: MachineOptions) => Machine,
		readonly master: (n: number) => string,
		options: MachineOptions = {},
		lazily = false,
	) {
		const onConsole = (level: number, line: string): void => {
			this.log.push(line);
			options.onConsole?.(level, line);
		};
		this.#boot = () => this.#bootOf(board({ ...options, onConsole }));
		if (!lazily) this.#booted = this.#boot();
	}

	#bootOf(machine: Machine): Booted {
		if (machine.iommus.length === 0) throw new Error(`no IOMMU has a model: ${this.#hints(machine)}`);
		try {
			return { machine, masters: new Masters(machine), dmasan: sanitiserOf(machine) };
		} catch (e) {
			if (e instanceof Error) e.message += `: ${this.#hints(machine)}`;
			throw e;
		}
	}

	/** Called when it has booted lazily. */
	protected prepare(): void {}

	get isBooted(): boolean {
		return this.#booted !== null;
	}

	protected boot(): Booted {
		if (this.#booted === null) {
			this.#booted = this.#boot();
			this.prepare();
		}
		return this.#booted;
	}

	get machine(): Machine {
		return this.boot().machine;
	}

	get masters(): Masters {
		return this.boot().masters;
	}

	get dmasan(): Dmasan {
		return this.boot().dmasan;
	}

	get iommu(): Iommu {
		return this.machine.iommu;
	}

	/** The IOMMU before master @n. */
	iommuOf(n: number): Iommu {
		return this.machine.iommuOf(this.masters.model(this.master(n)).port)!;
	}

	device(n: number): device {
		const dev = this.masters.device(this.master(n));
		if (dev.iommu_group === null)
			throw new Error(`${this.master(n)} is behind no IOMMU that has a driver: ${this.#hints(this.machine)}`);
		return dev;
	}

	/** A new domain for master @n, not attached. */
	domain(n = 0): iommu_domain {
		return ok(iommu_paging_domain_alloc(this.device(n)));
	}

	/** A new domain, attached to the group of master @n. */
	attached(n = 0): iommu_domain {
		const domain = this.domain(n);
		const ret = iommu_attach_group(domain, this.device(n).iommu_group!);
		if (ret !== 0) throw new Error(`cannot attach: ${ret}`);
		return domain;
	}

	/** Back to the default domain, and the end of @domain. */
	detachAndFree(domain: iommu_domain, n = 0): void {
		iommu_detach_group(domain, this.device(n).iommu_group!);
		iommu_domain_free(domain);
	}

	/** Whether master @n gets through to @iova. */
	reads(n: number, iova: number): boolean {
		return this.masters.model(this.master(n)).fetch(iova, 4) !== null;
	}

	writes(n: number, iova: number): boolean {
		return this.masters.model(this.master(n)).store(iova, Uint8Array.of(1, 2, 3, 4));
	}

	/** An access, and time for its interrupt. */
	tries(n: number, iova: number, write = false): boolean {
		const through = write ? this.writes(n, iova) : this.reads(n, iova);
		this.machine.advance(1000);
		return through;
	}

	/** What the caches say against the tables; must be empty after each operation. */
	stale(): string[] {
		return this.machine.iommus.flatMap((iommu) => iommu.contradictions().map((c) => c.text));
	}

	/** What the sanitiser has to say: of all accesses, and of what the caches hold now. Must be '' at the end of a test. */
	findings(): string {
		this.dmasan.quiet('the test');
		return this.dmasan.text();
	}

	/** What machine and kernel said, for one who looks for a mistake: last, or from the line before a WARN or BUG on. */
	#hints(machine: Machine): string {
		const notes = machine.notes.map(({ who, text }) => `${who}: ${text}`);
		const cut = this.log.findIndex((line) => line.includes('[ cut here ]'));
		const from = Math.max(0, cut < 0 ? this.log.length - LINES : cut - 1);
		return ['they said', ...notes, ...this.log.slice(from, from + LINES)].join('\n  ');
	}
}
