// SPDX-License-Identifier: GPL-2.0-only
// A booted machine for a test: the project's board, or a tree of the test's.
// First, so that initcalls run in link order whatever else is imported.
import '#init/vmlinux.js';

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine, MachineOptions } from '#hw/core/machine.js';
import { start_kernel } from '#init/main.js';
import { testMachine } from '#tests/machine.js';
import { BOARD_DTB, PROJECT } from '#tools/project.js';

const TREES = join(PROJECT, 'arch/arm64/boot/dts');
const ORACLE = join(PROJECT, 'tests/golden/vectors/boards');

/** The blob of one of the project's boards, or of an oracle board by its name. */
export function boardBlob(name: string): Uint8Array {
	const own = readdirSync(TREES, { recursive: true, encoding: 'utf8' }).find((f) =>
		f.endsWith(`/${name}.dtb`),
	);
	const path = own === undefined ? join(ORACLE, `${name}.dtb`) : join(TREES, own);
	return new Uint8Array(readFileSync(path));
}

/** Boot the kernel on a board, by name or its tree; the console's lines are kept in `log`. */
export function bootMachine(
	board: string | Uint8Array = readFileSync(BOARD_DTB),
	options: MachineOptions = {},
): { machine: Machine; log: string[] } {
	const log: string[] = [];
	const machine = testMachine(typeof board === 'string' ? boardBlob(board) : board, {
		onConsole: (_level, line) => log.push(line),
		...options,
	});
	start_kernel(machine);
	return { machine, log };
}
