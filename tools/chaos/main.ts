// SPDX-License-Identifier: GPL-2.0-only
// make chaos: programs of clients that do everything right, on hardware that does what it may, seed after seed.
import '#tools/lost-output.js';
import { complain, UserError } from '#tools/run/user-error.js';
import { parseChaos, USAGE } from './options.js';

/** The verb `chaos`. The exit status: 1 when a seed failed, 2 for a command line that is none. */
export async function main(args: readonly string[]): Promise<number> {
	try {
		const options = parseChaos(args);
		if (options === null) {
			console.log(USAGE);
			return 0;
		}
		await import('#tools/instrument/preload.js');
		const { chaos } = await import('./session.js');
		return await chaos(options);
	} catch (e) {
		if (!(e instanceof UserError)) throw e;
		return complain(e);
	}
}
