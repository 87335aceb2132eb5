// SPDX-License-Identifier: GPL-2.0-only
// make chaos: programs of clients that do everything right, on hardware that does what it may, seed after seed.
import '#tools/lost-output.js';
import { statusOf } from '#tools/run/user-error.js';
import { parseChaos, USAGE } from './options.js';

/** The verb `chaos`. The exit status: 1 when a seed failed, 2 for a command line that is none. */
export function main(args: readonly string[]): Promise<number> {
	return statusOf(async () => {
		const options = parseChaos(args);
		if (options === null) {
			console.log(USAGE);
			return 0;
		}
		await import('#tools/instrument/preload.js');
		const { chaos } = await import('./session.js');
		return chaos(options);
	});
}
