// SPDX-License-Identifier: GPL-2.0-only
// The command line of `linux-iommu check`, and the driver that it names.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { quoted, UsageError, UserError, wholeNumber } from '#tools/run/user-error.js';

export interface CheckOptions {
	/** As it was given: a driver's name, or a folder. */
	readonly driver: string;
	/** A part of the cases' names; '' for all. */
	readonly only: string;
	readonly seed: number;
	/** The Kernel's Test Anything Protocol, for tools that read it. */
	readonly ktap: boolean;
}

export const USAGE =
	'usage: make check DRIVER=sun50i-iommu [ONLY="a part of a case\'s name"] [SEED=number] [KTAP=1]\n' +
	'   or: linux-iommu check [--only text] [--seed number] [--ktap] DRIVER, or the folder of one';

const DRIVERS = new URL('drivers/', import.meta.url);
/** What describes a driver in a folder of its own, and what of it is built. */
const SOURCE = 'check.ts';
const BUILT = 'build/check.js';

/** The drivers that are described here, by name. */
export function knownDrivers(): string[] {
	return readdirSync(DRIVERS)
		.filter((file) => file.endsWith('.js'))
		.map((file) => file.slice(0, -'.js'.length))
		.sort();
}

/** What a driver's name has to be. */
const EXPECTED = `expected ${knownDrivers().join(', ')}, or a folder that linux-iommu new has made`;

/** Options of parseArgs(): one with a value, and one without. */
export const TEXT = { type: 'string', default: '' } as const;
export const FLAG = { type: 'boolean', default: false } as const;

type Values<T> = { readonly [K in keyof T]: T[K] extends typeof TEXT ? string : boolean };

/** The driver that the command line @args names, and its options, of which @options are known; null: for help. */
export function parseDriver<T extends Readonly<Record<string, typeof TEXT | typeof FLAG>>>(
	args: readonly string[],
	usage: string,
	options: T,
): { readonly driver: string; readonly values: Values<T> } | null {
	let parsed: ReturnType<typeof parseArgs>;
	try {
		parsed = parseArgs({
			args: [...args],
			allowPositionals: true,
			options: { ...options, help: { ...FLAG, short: 'h' } },
		});
	} catch (e) {
		throw new UsageError((e as Error).message, usage);
	}
	const { values, positionals } = parsed;
	if (values['help'] === true) return null;
	const [driver = ''] = positionals;
	const known = knownDrivers();
	// A variable of make is one word to the shell.
	const words = driver.trim().split(/\s+/);
	const given = words.length > 1 && words.every((word) => known.includes(word)) ? words : positionals;
	if (given.length > 1)
		throw new UsageError(`expected one driver, got ${given.map(quoted).join(' and ')}`, usage);
	if (driver === '') throw new UsageError(`DRIVER: ${EXPECTED}`, usage);
	return { driver, values: values as Values<T> };
}

/** @text for a shell, in quotes where it needs them. */
function forShell(text: string): string {
	return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The command that repeats the case @name alone. */
export function againText({ driver, seed }: CheckOptions, name: string): string {
	return knownDrivers().includes(driver)
		? `make check DRIVER=${driver} SEED=${seed} ONLY=${forShell(name)}`
		: `npx linux-iommu check ${forShell(driver)} --seed ${seed} --only ${forShell(name)}`;
}

/** What the command line asks for; null: for help. */
export function parseCheck(args: readonly string[]): CheckOptions | null {
	const given = parseDriver(args, USAGE, { only: TEXT, seed: TEXT, ktap: FLAG });
	if (given === null) return null;
	const { only, seed, ktap } = given.values;
	return { driver: given.driver, only, seed: wholeNumber('SEED', seed, 1), ktap };
}

/** The module that describes @driver, as a URL. */
export function moduleOf(driver: string): string {
	if (knownDrivers().includes(driver)) return new URL(`${driver}.js`, DRIVERS).href;
	const folder = resolve(driver);
	if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
		throw new UsageError(`${quoted(driver)}: no driver and no folder; ${EXPECTED}`);
	const built = join(folder, BUILT);
	if (!existsSync(join(folder, SOURCE)))
		throw new UsageError(`${driver}: no ${SOURCE} in it, which says what the driver can do`);
	if (!existsSync(built))
		throw new UserError(`${driver}: ${BUILT} is not there; expected npm run build first`);
	const newest = readdirSync(folder).filter(
		(file) => file.endsWith('.ts') && statSync(join(folder, file)).mtimeMs > statSync(built).mtimeMs,
	);
	if (newest.length > 0)
		throw new UserError(
			`${driver}: ${newest.join(', ')} changed after the build; expected npm run build first`,
		);
	return pathToFileURL(built).href;
}
