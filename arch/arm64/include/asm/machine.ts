// SPDX-License-Identifier: GPL-2.0-only
// The one door between the kernel and the machine it runs on.
// No twin in Linux: there this border is the instruction set, the bus and the boot protocol.
//
// hw/ implements it, start_kernel() is given it, and nothing else crosses.

/**
 * What a scheduling point is about (INVARIANTS.md, "Scheduling points"). A load and a store are plain ones, of words that
 * CPUs share: the kernel says nothing of them, who explores them sees them in the code.
 */
export type schedule_kind = 'mmio' | 'cache' | 'alloc' | 'lock' | 'unlock' | 'xchg' | 'load' | 'store';

/** Simulated RAM. Addresses are CPU physical addresses, sizes are bytes. */
export interface machine_memory {
	/** Whether all of [phys, phys + size) is RAM. */
	is_ram(phys: number, size: number): boolean;
	/**
	 * The cacheable linear-map view of [phys, phys + size); null when that is not inside one piece
	 * of RAM. A piece is a 4 MiB block, or what add_piece() made one. Size 0: to the end of the piece.
	 * Who holds it stores inside it: what was never in a view is known to be in step, and is not compared.
	 */
	linear(phys: number, size: number): Uint8Array | null;
	/** The same as @count 32-bit words; @phys is a multiple of 4. */
	linear_words(phys: number, count: number): Uint32Array | null;
	/** Make [phys, phys + size) one contiguous piece, before its first touch (a reserved area, CMA). */
	add_piece(phys: number, size: number): void;
	/** Where @view lives: the physical address of its first byte; -1 when it is no view of RAM. */
	phys_of(view: ArrayBufferView): number;
	/** Whether @view is an address made by vmap(). */
	is_vmap(view: ArrayBufferView): boolean;
	/** Write the dirty lines of the range to memory (dc cvac). */
	clean(phys: number, size: number): void;
	/** Drop the lines of the range; a line only partly inside is cleaned first, as arm64 does. */
	invalidate(phys: number, size: number): void;
	/** Clean, then drop (dc civac). */
	clean_invalidate(phys: number, size: number): void;
	/** Make lines that are zero and dirty, whatever was cached (dc zva). */
	zero(phys: number, size: number): void;
	/** The cache replaces the lines, as it may at any time: dirty ones are written back, then all are dropped. */
	evict(phys: number, size: number): void;
	/**
	 * One contiguous view of pages (@page_size bytes each, by physical address) that lie anywhere. The pages' view
	 * is re-homed in one buffer until vunmap(). Uncached: the memory's view; cached: the CPU's view. The size is the
	 * kernel's word to the MMU, as the granule in TCR_EL1 is: 4 KiB, or a multiple of it.
	 */
	vmap(pages: ArrayLike<number>, count: number, cached: boolean, page_size: number): Uint8Array;
	vunmap(view: Uint8Array): void;
	/**
	 * The user program's page tables: [phys, phys + size) appears at @addr, through the cache or past it. @area is
	 * the mapping that this is part of, by its first address; @what is its name for reports.
	 */
	user_map(
		area: number,
		addr: number,
		phys: number,
		size: number,
		cached: boolean,
		what: string,
		offset: number,
	): void;
	/** All of @area is gone from them. */
	user_unmap(area: number): void;
}

/** What the CPU does on an exception; the kernel installs it at boot. */
export interface machine_vectors {
	/** An interrupt is pending at the interrupt controller and interrupts are enabled. */
	irq(): void;
	/** The CPU's own timer has reached its deadline and interrupts are enabled. */
	timer(): void;
}

export interface machine {
	readonly memory: machine_memory;
	/** The flattened device tree that the boot loader left. */
	readonly fdt: Uint8Array;
	/** The kernel command line that the boot loader adds (the tree's own bootargs come first). */
	readonly command_line: string;
	readonly nr_cpus: number;

	/** Load from a device register; @width is 1, 2, 4 or 8 bytes. */
	mmio_read(addr: number, width: number): number;
	/** Store to a device register. */
	mmio_write(addr: number, width: number, value: number): void;
	/** System registers of the interrupt controller's CPU interface (GICv3), by architectural name. */
	sysreg_read(name: string): number;
	sysreg_write(name: string, value: number): void;

	set_vectors(vectors: machine_vectors): void;
	/** PSTATE.I: true when interrupts are unmasked. Unmasking delivers what is pending. */
	readonly irqs_enabled: boolean;
	irq_enable(): void;
	irq_disable(): void;

	/** Virtual nanoseconds since power-on. */
	now(): number;
	/** Nanoseconds by the computer's own clock, for measurements; null: nobody measures, and every run is the same. */
	readonly stopwatch: (() => number) | null;
	/** Let @ns pass: models run, and interrupts are delivered when enabled. */
	advance(ns: number): void;
	/** Sleep until an interrupt was delivered or @deadline (virtual ns) is reached, whichever comes first. */
	wait_for_interrupt(deadline: number): void;
	/** Program the CPU's timer to fire at @deadline; Infinity stops it. */
	set_timer(deadline: number): void;

	/** Who explores what may happen at scheduling points; null: nobody, and there is nothing to call. */
	readonly hook: ((kind: schedule_kind, where: number) => void) | null;
	/** A scheduling point; not one inside another. */
	schedule_point(kind: schedule_kind, where: number): void;

	/** A finished line of the kernel log, with its level (0 = emergency, 7 = debug). */
	console(level: number, line: string): void;
}
