// SPDX-License-Identifier: GPL-2.0-only
// The simulated /sys, /proc, debugfs and tracefs, as a shell on the board would show them.

import {
	sysfs_append,
	sysfs_read,
	sysfs_readdir,
	sysfs_readlink,
	sysfs_stat,
	sysfs_write,
} from '#fs/sysfs/user.js';
import { IS_ERR } from '#linux/err.js';
import { errname } from '#linux/errno.js';
import type { Command } from '../command.js';
import { CommandError, expected, type Word } from '../words.js';

/** The file systems that there are. */
const ROOTS = ['/proc', '/sys'];
/** How deep tree goes, unless it is told. */
const DEPTH = 3;

/** A path from the root on; without one: all there is. */
function pathOf(word: string | undefined): string {
	if (word === undefined) return expected('a path, as /sys/kernel', word);
	return word.startsWith('/') ? word : `/${word}`;
}

/** @path answers with an error, and @wanted was expected. */
function refused(path: string, wanted: string, errno: number): never {
	throw new CommandError(`${path}: expected ${wanted}, got ${errname(errno)}`);
}

/** The names in the directory @path. */
function entries(path: string): string[] {
	if (/^\/*$/.test(path)) return ROOTS.map((root) => root.slice(1));
	const names = sysfs_readdir(path);
	return IS_ERR(names) ? refused(path, 'a directory', names.errno) : names;
}

function isDirectory(path: string): boolean {
	if (/^\/*$/.test(path)) return true;
	const stat = sysfs_stat(path);
	return !IS_ERR(stat) && stat.type === 'D';
}

/** @name in the directory @dir, as `ls -F` shows it, with where a link leads. */
function shown(dir: string, name: string): string {
	const path = `${dir.replace(/\/+$/, '')}/${name}`;
	const link = sysfs_readlink(path);
	if (!IS_ERR(link)) return `${name} -> ${link}`;
	return isDirectory(path) ? `${name}/` : name;
}

/** The paths that begin with @begun. */
export function pathsFrom(begun: string): string[] {
	const dir = begun.slice(0, begun.lastIndexOf('/') + 1);
	if (dir === '') return ROOTS;
	const names = /^\/+$/.test(dir) ? ROOTS.map((root) => root.slice(1)) : sysfs_readdir(dir);
	if (IS_ERR(names)) return [];
	return names.map((name) => `${dir}${name}${isDirectory(`${dir}${name}`) ? '/' : ''}`);
}

const complete: Command['complete'] = (_session, _at, begun) => pathsFrom(begun);
const only = (args: readonly Word[]): string => pathOf(args[0]?.word);

const ls: Command = {
	name: 'ls',
	args: '[PATH]',
	does: 'what is in a directory',
	effect: 'read',
	run(_session, args) {
		const path = pathOf(args[0]?.word ?? '/');
		const stat = sysfs_stat(path);
		if (!IS_ERR(stat) && stat.type === 'F') return [path];
		return entries(path).map((name) => shown(path, name));
	},
	complete,
};

const cat: Command = {
	name: 'cat',
	args: 'FILE',
	does: 'what a file says',
	effect: 'read',
	run(_session, args) {
		const path = only(args);
		const text = sysfs_read(path);
		if (IS_ERR(text)) return refused(path, 'a file to read', text.errno);
		const lines = text.split('\n');
		return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
	},
	complete,
};

const tree: Command = {
	name: 'tree',
	args: '[PATH [DEPTH]]',
	does: 'a directory and those in it',
	effect: 'read',
	run(_session, args) {
		const path = pathOf(args[0]?.word ?? '/');
		const depth = args[1] === undefined ? DEPTH : Number(args[1].word);
		if (!(Number.isInteger(depth) && depth > 0)) return expected('a depth, 1 or more', args[1]?.word);
		return [path, ...branches(path, depth, '')];
	},
	complete,
};

function branches(path: string, depth: number, indent: string): string[] {
	const names = entries(path);
	return names.flatMap((name, i) => {
		const last = i === names.length - 1;
		const below = `${path.replace(/\/+$/, '')}/${name}`;
		const line = `${indent}${last ? '└── ' : '├── '}${shown(path, name)}`;
		if (depth === 1 || !isDirectory(below)) return [line];
		return [line, ...branches(below, depth - 1, `${indent}${last ? '    ' : '│   '}`)];
	});
}

const echo: Command = {
	name: 'echo',
	args: 'TEXT > PATH',
	does: 'write a line to a file; >> appends',
	effect: 'change',
	run(_session, args) {
		const at = args.findIndex(({ word, text }) => word === '>' && !text);
		const text = args.slice(0, at < 0 ? args.length : at).map(({ word }) => word);
		if (at < 0) return [text.join(' ')];
		const appends = args[at + 1]?.word === '>' && !args[at + 1].text;
		const path = pathOf(args[at + (appends ? 2 : 1)]?.word);
		const ret = (appends ? sysfs_append : sysfs_write)(path, `${text.join(' ')}\n`);
		return ret < 0 ? refused(path, 'a file that takes this', ret) : [];
	},
	complete: (_session, _at, begun) => (begun.startsWith('/') ? pathsFrom(begun) : []),
};

export const FILES: readonly Command[] = [ls, cat, tree, echo];
