// SPDX-License-Identifier: GPL-2.0-only
// Modules. All is built in here; what is left is the names.
// Linux 6.12: include/linux/module.h, include/linux/export.h
// Left out: loading and unloading, MODULE_* texts
import type { bool, int } from '#linux/types.js';

export { module_init } from '#linux/init.js';

export class module {
	constructor(readonly name: string) {}
}

/** The module that this is: none, it is built in. */
export const THIS_MODULE: module | null = null;

/** Keep a module loaded: built-in code always is (include/linux/module.h: try_module_get()). */
export function try_module_get(_module: module | null): bool {
	return true;
}

/** try_module_get() that cannot fail (include/linux/module.h: __module_get()). */
export function __module_get(_module: module | null): void {}

/** Let a module go (include/linux/module.h: module_put()). */
export function module_put(_module: module | null): void {}

/** Built-in code is never unloaded (include/linux/module.h: module_exit()). */
export function module_exit(_exit: () => void): void {}

/** How many keep a module; built-in code is not counted (include/linux/module.h: module_refcount()). */
export function module_refcount(_mod: module | null): int {
	return 0;
}
