// SPDX-License-Identifier: GPL-2.0-only
// Pieces of the command line: sizes, options, pairs.
// Linux 6.12: lib/cmdline.c
// C moves a char ** on; here the rest of the text is left in a ref.

import { simple_strtoull } from '#lib/kstrtox.js';
import { type bool, type int, ref, type u64 } from '#linux/types.js';

const units = 'KMGTPE';

/** A size with K, M, G, T, P or E behind it; @retptr gets the rest (lib/cmdline.c: memparse()). */
export function memparse(ptr: string, retptr: ref<string> | null): u64 {
	const rest = new ref<string>('');
	let ret = simple_strtoull(ptr, rest, 0);
	const unit = rest.value === '' ? -1 : units.indexOf(rest.value[0]!.toUpperCase());
	if (unit >= 0) {
		ret *= 1024 ** (unit + 1);
		rest.value = rest.value.slice(1);
	}
	if (retptr !== null) retptr.value = rest.value;
	return ret;
}

/**
 * get_option - The number that a list begins with (lib/cmdline.c: get_option())
 * @str: the text; what follows the number and its comma is left there
 * @pint: gets the number
 *
 * Return: 0: no number, 1: the last one, 2: a comma followed, 3: a '-' followed, a range.
 */
export function get_option(str: ref<string>, pint: ref<int> | null): int {
	const cur = str.value;
	if (cur === '') return 0;
	const neg = cur[0] === '-';
	const rest = new ref<string>('');
	const v = simple_strtoull(neg ? cur.slice(1) : cur, rest, 0);
	if (pint !== null) pint.value = neg ? -v : v;
	if (rest.value === (neg ? cur.slice(1) : cur)) return 0;
	str.value = rest.value;
	if (rest.value[0] === ',') {
		str.value = rest.value.slice(1);
		return 2;
	}
	return rest.value[0] === '-' ? 3 : 1;
}

/** Up to @nints numbers into @ints from place 1 on, their count at 0; what is left of the text (lib/cmdline.c: get_options()). */
export function get_options(str: string, nints: int, ints: int[]): string {
	const rest = new ref(str);
	let i = 1;
	while (i < nints || nints === 0) {
		const v = new ref<int>(0);
		const res = get_option(rest, v);
		if (res === 0) break;
		if (res === 3) {
			rest.value = rest.value.slice(1);
			const end = new ref<int>(0);
			get_option(rest, end);
			for (let x = v.value; x <= end.value && i < nints; x++) ints[i++] = x;
			continue;
		}
		ints[i++] = v.value;
		if (res === 1) break;
	}
	ints[0] = i - 1;
	return rest.value;
}

/** Whether @option is one of the words of the comma-separated @str (lib/cmdline.c: parse_option_str()). */
export function parse_option_str(str: string, option: string): bool {
	return str.split(',').includes(option);
}

/**
 * next_arg - Cut the next word off a command line (lib/cmdline.c: next_arg())
 * @args: begins with the word; blanks in "quotes" do not end it
 * @param: gets the name
 * @val: gets the text behind the first '=', or null
 *
 * Return: the rest, without leading blanks.
 */
export function next_arg(args: string, param: ref<string>, val: ref<string | null>): string {
	let in_quote = false;
	let equals = -1;
	let i = 0;
	for (; i < args.length; i++) {
		const c = args[i] as string;
		if (/\s/.test(c) && !in_quote) break;
		if (equals < 0 && c === '=') equals = i;
		if (c === '"') in_quote = !in_quote;
	}
	const word = args.slice(0, i);
	const unquote = (s: string): string =>
		s.startsWith('"') ? s.slice(1, s.endsWith('"') && s.length > 1 ? -1 : undefined) : s;
	if (equals < 0) {
		param.value = unquote(word);
		val.value = null;
	} else if (word.startsWith('"')) {
		// The quotes are around the whole word.
		const inner = unquote(word);
		param.value = inner.slice(0, equals - 1);
		val.value = inner.slice(equals);
	} else {
		param.value = word.slice(0, equals);
		val.value = unquote(word.slice(equals + 1));
	}
	return args.slice(i).trimStart();
}
