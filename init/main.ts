// SPDX-License-Identifier: GPL-2.0-only
// From the first instruction to the last initcall.
// Linux 6.12: init/main.c, with arch/arm64/kernel/setup.c: setup_arch()
// Left out: init processes. Whoever calls start_kernel() is user space when it returns.
import '#init/vmlinux.js';
import { init_IRQ } from '#arch/arm64/kernel/irq.js';
import { set_machine } from '#arch/arm64/kernel/setup.js';
import { arm64_memblock_init, bootmem_init, mem_init } from '#arch/arm64/mm/init.js';
import { paging_init } from '#arch/arm64/mm/mmu.js';
import type { machine as machine_door } from '#asm/machine.js';
import { driver_init } from '#drivers/base/init.js';
import { of_clk_init } from '#drivers/clk/clk.js';
import { early_init_dt_scan, of_flat_dt_get_machine_name, unflatten_device_tree } from '#drivers/of/fdt.js';
import { linux_banner } from '#init/version.js';
import { panic } from '#kernel/panic.js';
import { parse_args, parse_early_param } from '#kernel/params.js';
import { iomem_resource, request_resource } from '#kernel/resource.js';
import { dump_stack_set_arch_desc } from '#lib/dump_stack.js';
import { errname } from '#linux/errno.js';
import {
	__initcalls,
	arch_initcall,
	type initcall_level,
	initcall_levels,
	load_boot_data,
	system,
} from '#linux/init.js';
import { IORESOURCE_BUSY, IORESOURCE_MEM, IORESOURCE_SYSTEM_RAM, resource } from '#linux/ioport.js';
import { local_irq_disable, local_irq_enable } from '#linux/irqflags.js';
import { memblock_is_nomap } from '#linux/memblock.js';
import { pr_debug, pr_info, pr_notice } from '#linux/printk.js';
import { type int, ref } from '#linux/types.js';
import { for_each_mem_region, for_each_reserved_mem_region } from '#mm/memblock.js';
import { page_alloc_init_late } from '#mm/mm_init.js';
import { kmem_cache_init } from '#mm/slub.js';

/** Find out about the machine, and get memory to where pages can be allocated (arch/arm64/kernel/setup.c). */
function setup_arch(m: machine_door): void {
	const bootargs = new ref<string>('');
	if (!early_init_dt_scan(m.fdt, bootargs)) panic('no valid device tree');
	const name = of_flat_dt_get_machine_name();
	pr_info('Machine model: %s', name ?? '(unnamed)');
	if (name !== null) dump_stack_set_arch_desc('%s (DT)', name);
	system.saved_command_line = [bootargs.value, m.command_line].filter((part) => part !== '').join(' ');
	parse_early_param(system.saved_command_line);
	arm64_memblock_init();
	paging_init();
	unflatten_device_tree();
	bootmem_init();
	request_standard_resources();
}

/** Show in /proc/iomem what memory there is (arch/arm64/kernel/setup.c: request_standard_resources()). */
function request_standard_resources(): void {
	for (const region of for_each_mem_region()) {
		const res = new resource();
		const nomap = memblock_is_nomap(region);
		res.name = nomap ? 'reserved' : 'System RAM';
		res.flags = nomap ? IORESOURCE_MEM : (IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY) >>> 0;
		res.start = region.base;
		res.end = region.base + region.size - 1;
		request_resource(iomem_resource, res);
	}
}

/** And which parts of it nobody gets (arch/arm64/kernel/setup.c: reserve_memblock_reserved_regions()). */
function reserve_memblock_reserved_regions(): int {
	for (let mem = iomem_resource.child; mem !== null; mem = mem.sibling) {
		if (mem.name !== 'System RAM') continue;
		for (const region of for_each_reserved_mem_region()) {
			const res = new resource();
			res.name = 'reserved';
			res.flags = (IORESOURCE_MEM | IORESOURCE_BUSY) >>> 0;
			res.start = Math.max(region.base, mem.start);
			res.end = Math.min(region.base + region.size - 1, mem.end);
			if (res.start <= res.end) request_resource(mem, res);
		}
	}
	return 0;
}
arch_initcall(reserve_memblock_reserved_regions);

/** init/main.c: do_one_initcall() */
function do_one_initcall(fn: () => int): int {
	const ret = fn();
	if (ret !== 0) pr_debug('initcall %s returned %s', fn.name, errname(ret));
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
	page_alloc_init_late();
	driver_init();
	for (const level of initcall_levels) if (level !== 'early') do_initcall_level(level);
}
