// SPDX-License-Identifier: GPL-2.0-only
// From the first instruction to the last initcall.
// Linux 6.12: init/main.c, with arch/arm64/kernel/setup.c: setup_arch()
// Left out: init processes. Whoever calls start_kernel() is user space when it returns.
import '#init/vmlinux.js';
import { init_IRQ } from '#arch/arm64/kernel/irq.js';
import { set_machine } from '#arch/arm64/kernel/setup.js';
import { arm64_memblock_init, bootmem_init, mem_init } from '#arch/arm64/mm/init.js';
import type { machine as machine_door } from '#asm/machine.js';
import { driver_init } from '#drivers/base/init.js';
import { of_clk_init } from '#drivers/clk/clk.js';
import { early_init_dt_scan, of_flat_dt_get_machine_name, unflatten_device_tree } from '#drivers/of/fdt.js';
import { panic } from '#kernel/panic.js';
import { parse_args, parse_early_param } from '#kernel/params.js';
import { errname } from '#linux/errno.js';
import { __initcalls, boot_data, type initcall_level, initcall_levels, load_boot_data } from '#linux/init.js';
import { local_irq_disable, local_irq_enable } from '#linux/irqflags.js';
import { pr_debug, pr_info, pr_notice } from '#linux/printk.js';
import { type int, ref } from '#linux/types.js';
import { page_alloc_init_late } from '#mm/mm_init.js';

import { kmem_cache_init } from '#mm/slub.js';

const linux_banner = 'Linux version 6.12.117 (TypeScript)';

export const system = boot_data(() => ({
	/** The tree's bootargs and what the boot loader added, as one line. */
	saved_command_line: '',
}));

/** Find out about the machine, and get memory to where pages can be allocated (arch/arm64/kernel/setup.c). */
function setup_arch(m: machine_door): void {
	const bootargs = new ref<string>('');
	if (!early_init_dt_scan(m.fdt, bootargs)) panic('no valid device tree');
	pr_info('Machine model: %s', of_flat_dt_get_machine_name() ?? '(unnamed)');
	system.saved_command_line = [bootargs.value, m.command_line].filter((part) => part !== '').join(' ');
	parse_early_param(system.saved_command_line);
	arm64_memblock_init();
	unflatten_device_tree();
	bootmem_init();
}

/** init/main.c: do_one_initcall() */
function do_one_initcall(fn: () => int): int {
	const ret = fn();
	if (ret !== 0) pr_debug('initcall %s returned %d', fn.name, ret);
	if (ret < 0 && fn.name !== '') pr_debug('initcall %s failed: %s', fn.name, errname(ret));
	return ret;
}

function do_initcall_level(level: initcall_level): void {
	for (const call of __initcalls) if (call.level === level) do_one_initcall(call.fn);
}

/**
 * start_kernel - boot the kernel on @m
 *
 * Returns when user space would start: all drivers of the image have had their chance to probe. A second call
 * boots anew, on another machine or the same. Linux: init/main.c: start_kernel(), kernel_init()
 */
export function start_kernel(m: machine_door): void {
	load_boot_data();
	set_machine(m);
	local_irq_disable();
	pr_notice('%s', linux_banner);
	setup_arch(m);
	pr_notice('Kernel command line: %s', system.saved_command_line);
	parse_args(system.saved_command_line);
	mem_init();
	kmem_cache_init();
	init_IRQ();
	of_clk_init();
	local_irq_enable();
	do_initcall_level('early');
	driver_init();
	for (const level of initcall_levels) if (level !== 'early') do_initcall_level(level);
	page_alloc_init_late();
}
