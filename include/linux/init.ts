// SPDX-License-Identifier: GPL-2.0-only
// Initcalls, early parameters, and module state that each boot starts anew.
// Linux 6.12: include/linux/init.h; boot_data() stands for the loading of .data and .bss
import type { int } from '#linux/types.js';

/** The initcall levels in the order they run. */
export const initcall_levels = [
	'early',
	'pure',
	'core',
	'core_sync',
	'postcore',
	'arch',
	'arch_sync',
	'subsys',
	'fs',
	'rootfs',
	'device',
	'late',
	'late_sync',
] as const;
export type initcall_level = (typeof initcall_levels)[number];
export type initcall_t = () => int;

export interface initcall_entry {
	readonly level: initcall_level;
	readonly fn: initcall_t;
}

/** Every initcall of the image in link (that is: import) order; do_initcalls() runs them by level. */
export const __initcalls: initcall_entry[] = [];

function define_initcall(level: initcall_level, fn: initcall_t): void {
	__initcalls.push({ level, fn });
}

export const early_initcall = (fn: initcall_t): void => define_initcall('early', fn);
export const pure_initcall = (fn: initcall_t): void => define_initcall('pure', fn);
export const core_initcall = (fn: initcall_t): void => define_initcall('core', fn);
export const core_initcall_sync = (fn: initcall_t): void => define_initcall('core_sync', fn);
export const postcore_initcall = (fn: initcall_t): void => define_initcall('postcore', fn);
export const arch_initcall = (fn: initcall_t): void => define_initcall('arch', fn);
export const arch_initcall_sync = (fn: initcall_t): void => define_initcall('arch_sync', fn);
export const subsys_initcall = (fn: initcall_t): void => define_initcall('subsys', fn);
export const fs_initcall = (fn: initcall_t): void => define_initcall('fs', fn);
export const rootfs_initcall = (fn: initcall_t): void => define_initcall('rootfs', fn);
export const device_initcall = (fn: initcall_t): void => define_initcall('device', fn);
export const late_initcall = (fn: initcall_t): void => define_initcall('late', fn);
export const late_initcall_sync = (fn: initcall_t): void => define_initcall('late_sync', fn);
export const module_init = device_initcall;

export interface kernel_param {
	readonly name: string;
	readonly early: boolean;
	/** Gets the text after '=', or null without one; 0 when taken. */
	readonly setup: (val: string | null) => int;
}

/** Every command-line parameter of the image. */
export const __setup_params: kernel_param[] = [];

/** Have @setup called for `name` or `name=value` on the command line, before memory is up. */
export function early_param(name: string, setup: (val: string | null) => int): void {
	__setup_params.push({ name, early: true, setup });
}

/** Have @setup called for `name=value` on the command line (Linux: __setup()). */
export function __setup(name: string, setup: (val: string | null) => int): void {
	__setup_params.push({ name, early: false, setup });
}

interface boot_section {
	readonly data: object;
	readonly init: () => object;
}

const boot_sections: boot_section[] = [];

/** Module-level state: what @init makes, and makes anew at every start_kernel(). The object stays the same. */
export function boot_data<T extends object>(init: () => T): T {
	const data = init();
	boot_sections.push({ data, init });
	return data;
}

/** Load .data and .bss: give every boot_data() its initial values. */
export function load_boot_data(): void {
	for (const { data, init } of boot_sections) Object.assign(data, init());
}

/** What init/main.ts lets others know (include/linux/init.h: saved_command_line). */
export const system = boot_data(() => ({
	/** The tree's bootargs and what the boot loader added, as one line. */
	saved_command_line: '',
}));
