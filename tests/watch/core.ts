// SPDX-License-Identifier: GPL-2.0-only
// A function of the core that does one thing wrong. The kernel that tests import is not probed (tools/instrument): the call
// is handed to the rules as a probe would hand it on.

import { probes } from '#watch/probes.js';

/** The core's function @name, were it @body, is called with @args. */
export function core<R>(name: string, body: (...args: never[]) => R, ...args: readonly unknown[]): R {
	const { kretprobe } = probes;
	if (kretprobe === undefined) throw new Error('nobody watches');
	const fn = body as (...args: readonly unknown[]) => R;
	const call = kretprobe(name, fn, args);
	return call === undefined ? fn(...args) : (call.ret as R);
}
