// SPDX-License-Identifier: GPL-2.0-only
// A clock, a timer, interrupts by request: a machine for the kernel's floor.

import { set_machine } from '#arch/arm64/kernel/setup.js';
import type { machine, machine_memory, machine_vectors, schedule_kind } from '#asm/machine.js';
import { irq_enter, irq_exit } from '#kernel/softirq.js';
import { hrtimer_interrupt } from '#kernel/time/hrtimer.js';
import { load_boot_data } from '#linux/init.js';

interface FakeEvent {
	readonly at: number;
	readonly fire: () => void;
}

/** RAM that is not there. */
const noMemory: machine_memory = {
	is_ram: () => false,
	linear: () => null,
	linear_words: () => null,
	add_piece: () => {},
	phys_of: () => -1,
	is_vmap: () => false,
	clean: () => {},
	invalidate: () => {},
	clean_invalidate: () => {},
	vmap: () => new Uint8Array(),
	vunmap: () => {},
	zero: () => {},
	evict: () => {},
	user_map: () => {},
	user_unmap: () => {},
};

export class FakeMachine implements machine {
	readonly memory = noMemory;
	readonly fdt = new Uint8Array();
	readonly command_line = '';
	readonly nr_cpus: number;
	irqs_enabled = true;
	/** What the console printed. */
	readonly lines: string[] = [];
	/** Called at each scheduling point. */
	onSchedulePoint: ((kind: schedule_kind) => void) | null = null;
	private time = 0;
	private timerDeadline = Number.POSITIVE_INFINITY;
	private vectors: machine_vectors = { irq: () => {}, timer: () => {} };
	private readonly events: FakeEvent[] = [];
	private readonly pending: (() => void)[] = [];

	constructor(nrCpus = 1) {
		this.nr_cpus = nrCpus;
	}

	/** After @ns, raise an interrupt whose handler is @handler. */
	interruptIn(ns: number, handler: () => void): void {
		this.events.push({ at: this.time + ns, fire: () => this.raise(handler) });
		this.events.sort((a, b) => a.at - b.at);
	}

	/** Raise an interrupt now; masked, it waits. */
	raise(handler: () => void): void {
		this.pending.push(handler);
		this.deliver();
	}

	private deliver(): boolean {
		let any = false;
		while (this.irqs_enabled) {
			const handler = this.pending.shift();
			const timer = handler === undefined && this.timerDeadline <= this.time;
			if (handler === undefined && !timer) break;
			any = true;
			this.irqs_enabled = false;
			if (handler !== undefined) {
				irq_enter();
				handler();
				irq_exit();
			} else {
				this.timerDeadline = Number.POSITIVE_INFINITY;
				this.vectors.timer();
			}
			this.irqs_enabled = true;
		}
		return any;
	}

	private nextEvent(): number {
		return Math.min(this.events[0]?.at ?? Number.POSITIVE_INFINITY, this.timerDeadline);
	}

	private runUntil(end: number): void {
		for (;;) {
			const next = this.nextEvent();
			if (next > end) break;
			this.time = Math.max(this.time, next);
			const event = this.events[0];
			if (event !== undefined && event.at <= this.time) {
				this.events.shift();
				event.fire();
			}
			if (!this.deliver() && this.timerDeadline <= this.time) break;
		}
		this.time = Math.max(this.time, end);
	}

	mmio_read(): number {
		return 0;
	}
	mmio_write(): void {}
	sysreg_read(): number {
		return 0;
	}
	sysreg_write(): void {}
	set_vectors(vectors: machine_vectors): void {
		this.vectors = vectors;
	}
	irq_enable(): void {
		this.irqs_enabled = true;
		this.deliver();
	}
	irq_disable(): void {
		this.irqs_enabled = false;
	}
	readonly stopwatch = null;

	now(): number {
		return this.time;
	}
	advance(ns: number): void {
		this.runUntil(this.time + ns);
	}
	wait_for_interrupt(deadline: number): void {
		const next = Math.min(this.nextEvent(), deadline);
		if (next !== Number.POSITIVE_INFINITY) this.runUntil(next);
	}
	set_timer(deadline: number): void {
		this.timerDeadline = deadline;
		this.deliver();
	}
	get hook(): ((kind: schedule_kind) => void) | null {
		return this.onSchedulePoint;
	}

	schedule_point(kind: schedule_kind): void {
		this.onSchedulePoint?.(kind);
	}
	console(_level: number, line: string): void {
		this.lines.push(line);
	}
}

/** Put a freshly booted kernel on a new fake machine. */
export function bootFake(nrCpus = 1): FakeMachine {
	const m = new FakeMachine(nrCpus);
	set_machine(m);
	load_boot_data();
	m.set_vectors({
		irq: () => {},
		timer: () => {
			irq_enter();
			hrtimer_interrupt();
			irq_exit();
		},
	});
	return m;
}
