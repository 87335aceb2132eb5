// SPDX-License-Identifier: GPL-2.0-only
// The command line of `make run`, and the variables that make hands on as they were written.
import { BOARD_DTB, projectFile } from '#tools/project.js';
import { quoted, UsageError } from './user-error.js';

export interface RunOptions {
	readonly picture: string;
	readonly out: string;
	readonly dtb: string;
	/** Bytes of RAM; null for what the tree says, or the default. */
	readonly mem: number | null;
	/** More of the kernel's command line; '' for nothing. */
	readonly append: string;
	/** The kernel's debug messages, too. */
	readonly verbose: boolean;
	/** The sanitiser watches, and what it finds is a failure. */
	readonly sanitise: boolean;
}

/** Where the picture goes unless it is told. */
export const DEFAULT_OUT = projectFile('out/frame.png');

export const USAGE =
	'usage: make run [PICTURE=photo.jpg] [OUT=frame.png] [DTB=board.dtb] [MEM=2G] [CMDLINE="dma_debug=on"] [DMASAN=1] [V=1]';

export const HELP = `${USAGE}
   or: node build/tools/run/main.js [--picture photo.jpg] [--out frame.png] [--dtb board.dtb] [--mem 2G]
                                    [--append "dma_debug=on"] [--dmasan] [-v]

Boots a board, decodes a picture on its video engine and shows it, every byte through the IOMMU.

  PICTURE, --picture   a baseline JPEG file (${projectFile('examples/picture.jpg')})
  OUT, --out           where what the monitor shows is written, a PNG file (${DEFAULT_OUT})
  DTB, --dtb           the board: a device tree blob made for Linux (${BOARD_DTB})
  MEM, --mem           its memory, 64M to 3G (what the tree says, or 2G)
  CMDLINE, --append    more of the kernel's command line
  DMASAN, --dmasan     the sanitiser watches: what it finds is shown, and is a failure
  V, -v, --verbose     the kernel's debug messages, too
  -h, --help           this

Variables may stand in the environment; an option goes before its variable. Exit status: 0 for a picture that was shown
or a board that shows none, 1 for a failure or a finding, 2 for a command line that is none.`;

const UNITS: Record<string, number> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };
const MIN_MEM = 64 * 1024 ** 2;
/** RAM begins at 1 GiB and the SoC's address space for it ends at 4 GiB. */
const MAX_MEM = 3 * 1024 ** 3;

/** Each option that takes a value, and its variable. */
const VARIABLES = { picture: 'PICTURE', out: 'OUT', dtb: 'DTB', mem: 'MEM', append: 'CMDLINE' } as const;
type Name = keyof typeof VARIABLES;
const isName = (name: string): name is Name => Object.hasOwn(VARIABLES, name);

const FLAGS: ReadonlyMap<string, 'verbose' | 'dmasan' | 'help'> = new Map([
	['-v', 'verbose'],
	['--verbose', 'verbose'],
	['--dmasan', 'dmasan'],
	['-h', 'help'],
	['--help', 'help'],
]);

/** A size as the kernel's command line writes it: 512M, 2G. */
export function parseMem(text: string): number {
	const m = /^(\d+)([KMG]?)$/i.exec(text);
	const size = m === null ? Number.NaN : Number(m[1]) * (UNITS[(m[2] ?? '').toUpperCase()] ?? Number.NaN);
	if (!(size >= MIN_MEM && size <= MAX_MEM && size % 4096 === 0))
		throw new UsageError(
			`MEM: expected a size between 64M and 3G in whole pages (like 512M or 2G), got ${quoted(text)}`,
		);
	return size;
}

/** A path that names something. */
function parsePath(name: Name, text: string): string {
	if (text === '' || text.includes('\0'))
		throw new UsageError(`${VARIABLES[name]}: expected the path of a file, got ${quoted(text)}`);
	return text;
}

/** What the command line says, as text, and which flags are up. */
function parseArguments(argv: readonly string[]): {
	values: Partial<Record<Name, string>>;
	flags: ReadonlySet<string>;
} {
	const values: Partial<Record<Name, string>> = {};
	const flags = new Set<string>();
	for (let i = 0; i < argv.length; i++) {
		const argument = argv[i] as string;
		const flag = FLAGS.get(argument);
		const [, name = '', value = argv[i + 1]] = /^--([a-z]+)(?:=(.*))?$/s.exec(argument) ?? [];
		if (flag !== undefined) flags.add(flag);
		else if (!isName(name)) throw new UsageError(`${quoted(argument)}: no such option`, USAGE);
		else if (value === undefined) throw new UsageError(`--${name}: expected a value`, USAGE);
		else {
			values[name] = value;
			// As getopt_long() has it, whatever comes next is the value.
			if (!argument.includes('=')) i++;
		}
	}
	return { values, flags };
}

/** The options on the command line, or in @environment; null when help is asked for. */
export function parseOptions(
	argv: readonly string[],
	environment: Readonly<Record<string, string | undefined>> = {},
): RunOptions | null {
	const { values, flags } = parseArguments(argv);
	if (flags.has('help')) return null;
	const given = (name: Name): string | undefined => values[name] ?? environment[VARIABLES[name]];
	const mem = given('mem');
	return {
		picture: parsePath('picture', given('picture') ?? projectFile('examples/picture.jpg')),
		out: parsePath('out', given('out') ?? DEFAULT_OUT),
		dtb: parsePath('dtb', given('dtb') ?? BOARD_DTB),
		mem: mem === undefined ? null : parseMem(mem),
		append: given('append') ?? '',
		verbose: flags.has('verbose'),
		sanitise: flags.has('dmasan'),
	};
}
