// SPDX-License-Identifier: GPL-2.0-only
// make fail-nth: each step of a life with an IOMMU, with its first, second, third … failure.
import '#tools/lost-output.js';
import { parseArgs } from 'node:util';
import { DRIVER_EXPECTED } from '#tools/check/options.js';
import { complain, quoted, UsageError, UserError } from '#tools/run/user-error.js';

const USAGE =
	'usage: make fail-nth DRIVER=sun50i-iommu\n   or: linux-iommu fail-nth DRIVER, or the folder of one';

/** The verb `fail-nth`. The exit status: 1 when something does not survive, 2 for a command line that is none. */
export async function main(args: readonly string[]): Promise<number> {
	try {
		let positionals: string[];
		let help: boolean;
		try {
			({
				positionals,
				values: { help },
			} = parseArgs({
				args: [...args],
				allowPositionals: true,
				options: { help: { type: 'boolean', short: 'h', default: false } },
			}));
		} catch (e) {
			throw new UsageError((e as Error).message, USAGE);
		}
		if (help) {
			console.log(USAGE);
			return 0;
		}
		const [driver = ''] = positionals;
		if (positionals.length > 1)
			throw new UsageError(`expected one driver, got ${positionals.map(quoted).join(' and ')}`, USAGE);
		if (driver === '') throw new UsageError(DRIVER_EXPECTED, USAGE);
		await import('#tools/instrument/preload.js');
		const { failNthOf } = await import('./session.js');
		return await failNthOf(driver);
	} catch (e) {
		if (!(e instanceof UserError)) throw e;
		return complain(e);
	}
}
