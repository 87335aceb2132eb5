// SPDX-License-Identifier: GPL-2.0-only
// Interrupts of the CPU: setting up the controller, and the way in.
// Linux 6.12: arch/arm64/kernel/irq.c, arch/arm64/kernel/entry-common.c: el1_interrupt()
//
// Left out: separate stacks, fast interrupts, pseudo-NMIs.
import { machine } from '#arch/arm64/kernel/setup.js';
import { irqchip_init } from '#drivers/irqchip/irqchip.js';
import { generic_handle_arch_irq } from '#kernel/irq/handle.js';
import { irq_enter, irq_exit } from '#kernel/softirq.js';
import { hrtimer_interrupt } from '#kernel/time/hrtimer.js';

/** The CPU takes an interrupt, with interrupts masked. */
function el1_interrupt(): void {
	generic_handle_arch_irq();
}

/** The CPU's own timer: on the board an interrupt like others (drivers/clocksource/arm_arch_timer.c). */
function arch_timer_handler(): void {
	irq_enter();
	hrtimer_interrupt();
	irq_exit();
}

/** Set up interrupt handling (arch/arm64/kernel/irq.c: init_IRQ()). */
export function init_IRQ(): void {
	machine.set_vectors({ irq: el1_interrupt, timer: arch_timer_handler });
	irqchip_init();
}
