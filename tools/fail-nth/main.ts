// SPDX-License-Identifier: GPL-2.0-only
// make fail-nth: each step of a life with an IOMMU, with its first, second, third … failure.
import '#tools/lost-output.js';
import { parseDriver } from '#tools/check/options.js';
import { statusOf } from '#tools/run/user-error.js';

const USAGE =
	'usage: make fail-nth DRIVER=sun50i-iommu\n   or: linux-iommu fail-nth DRIVER, or the folder of one';

/** The verb `fail-nth`. The exit status: 1 when something does not survive, 2 for a command line that is none. */
export function main(args: readonly string[]): Promise<number> {
	return statusOf(async () => {
		const options = parseDriver(args, USAGE, {});
		if (options === null) {
			console.log(USAGE);
			return 0;
		}
		await import('#tools/instrument/preload.js');
		const { failNthOf } = await import('./session.js');
		return failNthOf(options.driver);
	});
}
