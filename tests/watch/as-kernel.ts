// SPDX-License-Identifier: GPL-2.0-only
// Has a test do what a driver does: with one of the kernel's functions on the stack.

import { bus_for_each_dev } from '#drivers/base/bus.js';
import { platform_bus_type } from '#drivers/base/platform.js';

/** @fn is called by bus_for_each_dev(): what it does is taken for that one's. */
export function asKernel(fn: () => void): void {
	bus_for_each_dev(platform_bus_type, null, null, () => {
		fn();
		return 1;
	});
}
