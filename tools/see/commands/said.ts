// SPDX-License-Identifier: GPL-2.0-only
// What was said: by the kernel, and by the sanitiser.

import type { Command } from '../command.js';

const log: Command = {
	name: 'log',
	args: '[PART]',
	does: "the kernel's log, or its lines that have PART",
	effect: 'look',
	run: (session, args) => session.log().filter((line) => line.includes(args[0]?.word ?? '')),
};

const findings: Command = {
	name: 'findings',
	args: '',
	does: 'what the sanitiser has found',
	effect: 'look',
	run({ dmasan }) {
		const lines = dmasan.reports.flatMap(({ text, count }) => [
			...text.split('\n'),
			...(count === 1 ? [] : [`(${count} of these)`]),
		]);
		return lines.length === 0 ? ['nothing'] : lines;
	},
};

export const SAID: readonly Command[] = [log, findings];
