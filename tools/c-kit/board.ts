// SPDX-License-Identifier: GPL-2.0-only
// boards/: what a board is, as kit.sh reads it too.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseScript, type Script } from './run.js';

/** Where the kit's files are that are no programs. */
export const KIT = 'tools/c-kit';

export interface Board {
	readonly name: string;
	/** The module, and the C file's name without its ending. */
	readonly driver: string;
	/** Whether the kernel has the driver built in. */
	readonly builtin: boolean;
	readonly compatible: string;
	/** Those behind an IOMMU. */
	readonly masters: readonly string[];
	/** A domain type that makes the way back to DMA a new domain. */
	readonly fresh: string;
	/** For the exerciser. */
	readonly args: string;
	/** Finds, in an access, a table's address as the second group. */
	readonly tables: RegExp;
	readonly scripts: readonly Script[];
}

function readBoard(name: string): Board {
	const values = new Map(
		[...readFileSync(join(KIT, 'boards', name), 'utf8').matchAll(/^(\w+)=["']?(.*?)["']?$/gm)].map((m) => [
			m[1]!,
			m[2]!,
		]),
	);
	const get = (key: string): string => values.get(key) ?? '';
	const files = get('SCRIPTS')
		.split(' ')
		.flatMap((folder) =>
			readdirSync(join(KIT, 'scripts', folder)).map((file) => join(KIT, 'scripts', folder, file)),
		)
		.sort((a, b) => (basename(a) < basename(b) ? -1 : 1));
	return {
		name,
		driver: get('DRIVER'),
		builtin: get('INITCALL') !== '',
		compatible: get('COMPATIBLE'),
		masters: get('MASTERS').split(','),
		fresh: get('FRESH'),
		args: get('ARGS'),
		tables: new RegExp(get('TABLES')),
		scripts: files.map((file) => parseScript(basename(file), readFileSync(file, 'utf8'))),
	};
}

/** Every board of the kit. */
export function boards(): Board[] {
	return readdirSync(join(KIT, 'boards')).sort().map(readBoard);
}
