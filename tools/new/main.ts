// SPDX-License-Identifier: GPL-2.0-only
// make new: a folder of one's own, anywhere, with a new IOMMU in it that builds and passes its test.
import { basename, join, resolve } from 'node:path';
import { complain, UsageError, UserError } from '#tools/run/user-error.js';
import { makeFolder } from './folder.js';
import { badName, Names } from './names.js';

const USAGE = 'usage: linux-iommu new FOLDER, or make new NAME=my-iommu [DIR=/where/it/goes]';

/** The verb `new`: @args is the folder. The exit status. */
export function main(args: readonly string[]): number {
	try {
		if (args.includes('--help')) {
			console.log(USAGE);
			return 0;
		}
		const given = args.filter((arg) => arg !== '--');
		const [folder] = given;
		if (given.length !== 1 || folder === '' || folder.startsWith('-'))
			throw new UsageError('expected one folder, whose name is to be the name of the IOMMU', USAGE);
		const bad = badName(basename(resolve(folder)));
		if (bad !== null) throw new UsageError(bad);
		const names = new Names(basename(resolve(folder)));
		const files = makeFolder(folder, names);
		console.log(`${join(folder)}: ${files.join(', ')}`);
		console.log(
			`Now: cd ${folder} && npm test, then look for SKELETON: (${names.compatible} is its name in a tree)`,
		);
		return 0;
	} catch (e) {
		if (!(e instanceof UserError)) throw e;
		return complain(e);
	}
}
