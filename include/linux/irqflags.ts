// SPDX-License-Identifier: GPL-2.0-only
// The CPU's interrupt mask.
// Linux 6.12: include/linux/irqflags.h, arch/arm64/include/asm/irqflags.h
import { machine } from '#arch/arm64/kernel/setup.js';
import { cpu_context } from '#asm/current.js';
import type { bool, unsigned_long } from '#linux/types.js';

/** PSTATE.I in the flags that local_irq_save() answers. */
export const PSR_I_BIT = 0x80;

/** Whether interrupts are masked (include/linux/irqflags.h: irqs_disabled()). */
export function irqs_disabled(): bool {
	return cpu_context.borrowed_irqs === null ? !machine.irqs_enabled : !cpu_context.borrowed_irqs;
}

/** The present flags (include/linux/irqflags.h: local_save_flags()). */
export function local_save_flags(): unsigned_long {
	return irqs_disabled() ? PSR_I_BIT : 0;
}

/** Mask interrupts; those that come stay pending (include/linux/irqflags.h: local_irq_disable()). */
export function local_irq_disable(): void {
	if (cpu_context.borrowed_irqs === null) machine.irq_disable();
	else cpu_context.borrowed_irqs = false;
}

/** Unmask interrupts; what is pending is delivered now (include/linux/irqflags.h: local_irq_enable()). */
export function local_irq_enable(): void {
	if (cpu_context.borrowed_irqs === null) machine.irq_enable();
	else cpu_context.borrowed_irqs = true;
}

/** Mask interrupts and answer the flags before (include/linux/irqflags.h: local_irq_save()). */
export function local_irq_save(): unsigned_long {
	if (cpu_context.borrowed_irqs === null) {
		if (!machine.irqs_enabled) return PSR_I_BIT;
		machine.irq_disable();
		return 0;
	}
	const flags = cpu_context.borrowed_irqs ? 0 : PSR_I_BIT;
	cpu_context.borrowed_irqs = false;
	return flags;
}

/** Back to @flags (include/linux/irqflags.h: local_irq_restore()). */
export function local_irq_restore(flags: unsigned_long): void {
	if ((flags & PSR_I_BIT) === 0) local_irq_enable();
	else if (!irqs_disabled()) local_irq_disable();
}

/** Whether @flags say that interrupts are masked (include/linux/irqflags.h: irqs_disabled_flags()). */
export function irqs_disabled_flags(flags: unsigned_long): bool {
	return (flags & PSR_I_BIT) !== 0;
}
