// SPDX-License-Identifier: GPL-2.0-only
// make new: a folder of one's own, anywhere, with a new IOMMU in it that builds and passes its test.
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { PROJECT } from '#tools/project.js';
import { statusOf, UsageError } from '#tools/run/user-error.js';
import { lendsAll, makeFolder } from './folder.js';
import { badName, Names } from './names.js';

const GUIDE = 'Documentation/new-driver.md';
const USAGE = 'usage: make new NAME=my-iommu [DIR=/where/it/goes]\n   or: linux-iommu new FOLDER';

/** The verb `new`: @args is the folder. The exit status: 2 for a command line that is none. */
export function main(args: readonly string[]): Promise<number> {
	return statusOf(() => {
		if (args.includes('--help') || args.includes('-h')) {
			console.log(USAGE);
			return 0;
		}
		const given = args.filter((arg) => arg !== '--');
		const [folder] = given;
		if (given.length !== 1 || folder === '' || folder.startsWith('-'))
			throw new UsageError('expected one folder, whose name is to be the name of the IOMMU', USAGE);
		const name = basename(resolve(folder));
		const bad = badName(name);
		if (bad !== null) throw new UsageError(bad);
		if (existsSync(join(PROJECT, `drivers/iommu/${name}.ts`)))
			throw new UsageError(
				`"${name}": expected a name that no driver has; drivers/iommu/${name}.ts is there`,
			);
		const names = new Names(name);
		const files = makeFolder(folder, names);
		console.log(`${folder}: ${files.join(', ')}`);
		console.log(
			`Now: cd '${folder}' && ${lendsAll() ? '' : 'npm install && '}npm test; then ${join(PROJECT, GUIDE)}, and grep SKELETON: (in a tree it is ${names.compatible})`,
		);
		return 0;
	});
}
