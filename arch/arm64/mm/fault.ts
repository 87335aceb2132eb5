// SPDX-License-Identifier: GPL-2.0-only
// What the kernel dies of: an access to an address that nothing is mapped at.
// Linux 6.12: arch/arm64/mm/fault.c, arch/arm64/kernel/traps.c: die()
// There is no MMU here that would see the access: whoever is about to make one asks. The address is the one of C where
// it follows from a physical address; of a NULL pointer the offset of the member is not known, and is told as 0.
// Left out: page tables and code around the fault, registers, fix-ups; the level of a fault is always 2.

import { add_taint, kernel_bug, panic_state, TAINT_DIE } from '#kernel/panic.js';
import { vprintk_emit } from '#kernel/printk/printk.js';
import { dump_stack } from '#lib/dump_stack.js';
import type { int, unsigned_long } from '#linux/types.js';

/** A data abort of the kernel itself: a translation fault at level 2. */
const ESR_EL1_DATA_ABORT = 0x9600_0006;
/** The same by a cache instruction, which counts as a write. */
export const ESR_EL1_CACHE_ABORT = 0x9600_0146;

/**
 * Report an access that the kernel does not survive (arch/arm64/mm/fault.c: die_kernel_fault())
 * @msg: `paging request` or `NULL pointer dereference`
 * @addr: the virtual address, 16 digits: no number here has 64 bits
 * @esr: the syndrome
 */
export function die_kernel_fault(msg: string, addr: string, esr: unsigned_long): never {
	const line = `Unable to handle kernel ${msg} at virtual address ${addr}`;
	const level: int = 1;

	panic_state.warnings.push(line);
	vprintk_emit(level, '%s', [line]);
	vprintk_emit(0, 'Internal error: Oops: %016lx [#1] SMP', [esr]);
	dump_stack();
	vprintk_emit(0, '%s', ['---[ end trace 0000000000000000 ]---']);
	panic_state.panicked = true;
	add_taint(TAINT_DIE);
	throw new kernel_bug(line);
}

/** C's `*ptr`: what @ptr points at; the kernel dies of a null pointer. */
export function deref<T>(ptr: T | null | undefined): T {
	if (ptr === null || ptr === undefined)
		die_kernel_fault('NULL pointer dereference', '0000000000000000', ESR_EL1_DATA_ABORT);
	return ptr;
}

/** deref() as the condition of a loop that goes on with @ptr: true, or the kernel dies. */
export function can_deref<T>(ptr: T | null | undefined): ptr is T {
	deref(ptr);
	return true;
}

/** The kernel has touched the address @addr, where nothing is mapped. */
export function die_paging_request(addr: string, esr: unsigned_long = ESR_EL1_DATA_ABORT): never {
	die_kernel_fault('paging request', addr, esr);
}
