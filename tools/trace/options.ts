// SPDX-License-Identifier: GPL-2.0-only
// The command line of `linux-iommu trace`.
import { parseArgs } from 'node:util';
import { BOARD_DTB, projectFile } from '#tools/project.js';
import { quoted, UsageError, wholeNumber } from '#tools/run/user-error.js';
import { STEP_KINDS, type StepKind } from '#watch/recorder.js';

export const FORMATS = ['ftrace', 'jsonl', 'perfetto'] as const;
export type Format = (typeof FORMATS)[number];

export interface TraceOptions {
	readonly format: Format;
	/** null: standard output. */
	readonly out: string | null;
	readonly board: string;
	/** More of the kernel's command line; '' for nothing. */
	readonly append: string;
	readonly seed: number;
	readonly kinds: ReadonlySet<StepKind>;
	readonly picture: string;
}

const PICTURE = projectFile('examples/picture.jpg');

export const USAGE =
	'usage: linux-iommu trace [--format ftrace|jsonl|perfetto] [--out FILE] [--board DTB] [--append "dma_debug=on"]\n' +
	'                         [--seed number] [--kinds kind,kind] [PICTURE]';

export const HELP = `${USAGE}

Boots a board, decodes a picture on its video engine and shows it, as make run does, and writes all that happened.

  --format   ftrace: text, as /sys/kernel/tracing/trace has it; perfetto: a file for ui.perfetto.dev; jsonl: a step of
             the run a line, as JSON (ftrace)
  --out      where to (standard output)
  --board    a device tree blob made for Linux (${BOARD_DTB})
  --append   more of the kernel's command line
  --seed     what the hardware's choices follow from (1)
  --kinds    what is recorded, of ${STEP_KINDS.join(', ')} (all)
  PICTURE    a baseline JPEG file (${PICTURE})

Exit status: 0 for a trace of a job that went well, or of the boot of a board that has nothing for it, 1 for a failure
(what happened until then is written), 2 for a command line that is none.`;

function oneOf<T extends string>(name: string, text: string, known: readonly T[]): T {
	const found = known.find((word) => word === text);
	if (found === undefined)
		throw new UsageError(`${name}: expected one of ${known.join(', ')}, got ${quoted(text)}`);
	return found;
}

function pathOf(name: string, text: string): string {
	if (text === '' || text.includes('\0'))
		throw new UsageError(`${name}: expected the path of a file, got ${quoted(text)}`);
	return text;
}

/** The options in @args; null when help is asked for. */
export function parseTrace(args: readonly string[]): TraceOptions | null {
	const text = { type: 'string' } as const;
	let parsed: ReturnType<typeof parse>;
	const parse = () =>
		parseArgs({
			args: [...args],
			allowPositionals: true,
			options: {
				format: text,
				out: text,
				board: text,
				append: text,
				seed: text,
				kinds: text,
				help: { type: 'boolean', short: 'h' },
			},
		});
	try {
		parsed = parse();
	} catch (e) {
		throw new UsageError((e as Error).message, USAGE);
	}
	const { values, positionals } = parsed;
	if (values.help === true) return null;
	if (positionals.length > 1)
		throw new UsageError(`expected one picture, got ${quoted(positionals.join(' '))}`, USAGE);
	return {
		format: oneOf('--format', values.format ?? 'ftrace', FORMATS),
		out: values.out === undefined ? null : pathOf('--out', values.out),
		board: pathOf('--board', values.board ?? BOARD_DTB),
		append: values.append ?? '',
		seed: wholeNumber('--seed', values.seed ?? '', 1),
		kinds: new Set(
			values.kinds === undefined
				? STEP_KINDS
				: values.kinds.split(',').map((kind) => oneOf('--kinds', kind, STEP_KINDS)),
		),
		picture: pathOf('PICTURE', positionals[0] ?? PICTURE),
	};
}
