// SPDX-License-Identifier: GPL-2.0-only
// The kernel command line.
// Linux 6.12: kernel/params.c, init/main.c (parse_early_param(), unknown_bootoption())
// Left out: module parameters and their sysfs files: built-in code registers them as __setup("module.name")

import { next_arg } from '#lib/cmdline.js';
import { kstrtobool } from '#lib/kstrtox.js';
import { __setup_params, early_param } from '#linux/init.js';
import { debug_kernel } from '#linux/kconfig.js';
import { pr_notice, pr_warn } from '#linux/printk.js';
import { type bool, type int, ref } from '#linux/types.js';

/** `debug_kernel=`: whether the kernel checks itself. What is no boolean leaves it as it is. */
function setup_debug_kernel(val: string | null): int {
	const on = new ref<bool>(true);
	const err = val === null ? 0 : kstrtobool(val, on);
	if (err === 0) debug_kernel.on = on.value;
	return err;
}
early_param('debug_kernel', setup_debug_kernel);

function dash2underscore(s: string): string {
	return s.replaceAll('-', '_');
}

/** Whether two parameter names are the same: '-' and '_' are (kernel/params.c: parameq()). */
export function parameq(a: string, b: string): bool {
	return dash2underscore(a) === dash2underscore(b);
}

/**
 * parse_line - Go through a command line (kernel/params.c: parse_args())
 * @doing: whose line it is, for messages
 * @args: the line
 * @fn: called with each name and its value or null; a negative errno is reported
 *
 * Return: what follows "--", or null.
 */
export function parse_line(
	doing: string,
	args: string,
	fn: (param: string, val: string | null, doing: string) => int,
): string | null {
	let rest = args.trimStart();
	const param = new ref<string>('');
	const val = new ref<string | null>(null);
	while (rest !== '') {
		rest = next_arg(rest, param, val);
		if (val.value === null && param.value === '--') return rest;
		const ret = fn(param.value, val.value, doing);
		if (ret < 0) pr_warn("%s: `%s' invalid for parameter `%s'", doing, val.value ?? '', param.value);
	}
	return null;
}

function run(line: string, early: bool): string[] {
	const unknown: string[] = [];
	parse_line(early ? 'early options' : 'Booting kernel', line, (param, val) => {
		let known = false;
		let ret = 0;
		for (const p of __setup_params) {
			// Linux' __setup() strings match as prefixes, with the '=' in them; the name must be all here.
			if (!parameq(p.name.replace(/=$/, ''), param)) continue;
			known = true;
			if (p.early === early) ret = p.setup(val);
		}
		if (!known) unknown.push(val === null ? param : `${param}=${val}`);
		if (!early) return Math.min(ret, 0);
		if (ret !== 0) pr_warn("Malformed early option '%s'", param);
		return 0;
	});
	return unknown;
}

/** Call the early_param() functions that @line names (init/main.c: parse_early_param()). */
export function parse_early_param(line: string): void {
	run(line, true);
}

/** Call the __setup() functions that @line names; unknown words are for user space (kernel/params.c: parse_args()). */
export function parse_args(line: string): void {
	const unknown = run(line, false);
	if (unknown.length > 0)
		pr_notice(
			'Unknown kernel command line parameters "%s", will be passed to user space.',
			unknown.join(' '),
		);
}
