// SPDX-License-Identifier: GPL-2.0-only
// Entering and leaving an interrupt.
// Linux 6.12: include/linux/hardirq.h
export { irq_enter, irq_exit } from '#kernel/softirq.js';
export * from '#linux/preempt.js';
