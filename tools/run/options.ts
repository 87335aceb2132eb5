// SPDX-License-Identifier: GPL-2.0-only
// The command line of `make run`.
import { parseArgs } from 'node:util';
import { UserError } from './user-error.js';

export interface RunOptions {
	readonly picture: string;
	readonly out: string;
	readonly dtb: string;
	/** Bytes of RAM; null for what the tree says, or the default. */
	readonly mem: number | null;
	/** More of the kernel's command line; '' for nothing. */
	readonly append: string;
	/** Print the whole kernel log, not only its first and telling lines. */
	readonly verbose: boolean;
}

export const USAGE =
	'usage: make run [PICTURE=photo.jpg] [OUT=frame.png] [DTB=board.dtb] [MEM=2G] [CMDLINE="dma_debug=on"] (MEM: 64M to 3G for an H6)';

const UNITS: Record<string, number> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };
const MIN_MEM = 64 * 1024 ** 2;
/** RAM begins at 1 GiB and the SoC's address space for it ends at 4 GiB. */
const MAX_MEM = 3 * 1024 ** 3;

/** A size as the kernel's command line writes it: 512M, 2G. */
export function parseMem(text: string): number {
	const m = /^(\d+)([KMG]?)$/i.exec(text);
	const size = m === null ? Number.NaN : Number(m[1]) * (UNITS[(m[2] ?? '').toUpperCase()] ?? Number.NaN);
	if (!(size >= MIN_MEM && size <= MAX_MEM && size % 4096 === 0))
		throw new UserError(
			`MEM: expected a size between 64M and 3G in whole pages (like 512M or 2G), got "${text}"`,
		);
	return size;
}

export function parseOptions(argv: string[]): RunOptions {
	try {
		const { values } = parseArgs({
			args: argv,
			options: {
				picture: { type: 'string', default: 'examples/picture.jpg' },
				out: { type: 'string', default: 'out/frame.png' },
				dtb: { type: 'string', default: 'arch/arm64/boot/dts/allwinner/sun50i-h6-orangepi-3.dtb' },
				mem: { type: 'string' },
				append: { type: 'string', default: '' },
				verbose: { type: 'boolean', short: 'v', default: false },
			},
		});
		return {
			picture: values.picture,
			out: values.out,
			dtb: values.dtb,
			mem: values.mem === undefined ? null : parseMem(values.mem),
			append: values.append,
			verbose: values.verbose,
		};
	} catch (e) {
		if (e instanceof UserError) throw e;
		throw new UserError(`${(e as Error).message}\n${USAGE}`);
	}
}
