// SPDX-License-Identifier: GPL-2.0-only
// The few shell commands of the vectors, on our sysfs.
import { sysfs_read, sysfs_readdir, sysfs_stat, sysfs_write } from '#fs/sysfs/user.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import { EAGAIN, EINVAL, ENODEV, ENOENT, EPERM } from '#linux/errno.js';
import type { Session } from './session.js';

export interface ShellAnswer {
	readonly status: number;
	/** Lines end in "|". */
	readonly out: string;
}

export class UnknownShellCommand extends Error {}

const BUS = '/sys/bus/platform';

const strerror: Record<number, string> = {
	[-EPERM]: 'Operation not permitted',
	[-EINVAL]: 'Invalid argument',
	[-EAGAIN]: 'Resource temporarily unavailable',
	[-ENODEV]: 'No such device',
	[-ENOENT]: 'No such file or directory',
};

const DONE: ShellAnswer = { status: 0, out: '' };

function fails(err: number): ShellAnswer {
	return { status: 1, out: `${strerror[err] ?? err}|` };
}

function write(path: string, text: string): ShellAnswer {
	const r = sysfs_write(path, text);
	return r < 0 ? fails(r) : DONE;
}

function read(path: string): ShellAnswer {
	const text = sysfs_read(path);
	return IS_ERR(text) ? fails(PTR_ERR(text)) : { status: 0, out: text.replaceAll('\n', '|') };
}

function list(path: string): string[] {
	const names = sysfs_readdir(path);
	return IS_ERR(names) ? [] : names;
}

function typeFile(s: Session, master: string): string {
	const group = s.device(Number(master.slice(1))).iommu_group;
	return `/sys/kernel/iommu_groups/${group?.id ?? 'none'}/type`;
}

function simple(s: Session, [name, ...args]: string[]): ShellAnswer | null {
	const [a = '', b = ''] = args;
	switch (name) {
		case 'bind':
			return write(`${BUS}/drivers/oracle/bind`, a);
		case 'unbind':
			return write(`${BUS}/devices/${a}/driver/unbind`, a);
		case 'type':
			return read(typeFile(s, a));
		case 'settype':
			return write(typeFile(s, a), b);
		case 'override':
			return write(`${BUS}/devices/${b}/driver_override`, a);
	}
	return null;
}

function cat(path: string): ShellAnswer {
	const star = /^(.*)\/\*\/(.*)$/.exec(path);
	if (star === null) return read(path);
	const names = list(star[1]!).sort((a, b) => Number(a) - Number(b));
	return { status: 0, out: names.map((n) => read(`${star[1]}/${n}/${star[2]}`).out).join('') };
}

function one(s: Session, command: string): ShellAnswer {
	const text = command.trim().replaceAll('$P', BUS);
	const done = simple(s, text.split(/\s+/));
	if (done !== null) return done;
	const echo = /^echo\s*(.*?)\s*> (\S+)$/.exec(text);
	if (echo !== null) return write(echo[2]!, `${echo[1]}\n`);
	const directory = /^ls -d (\S+)$/.exec(text);
	if (directory !== null) {
		const stat = sysfs_stat(directory[1]!);
		return IS_ERR(stat) ? fails(PTR_ERR(stat)) : { status: 0, out: `${directory[1]}|` };
	}
	const grep = /^ls (\S+) \| grep (\S+)$/.exec(text);
	if (grep !== null) {
		const found = list(grep[1]!).filter((n) => n.includes(grep[2]!));
		return {
			status: found.length > 0 ? 0 : 1,
			out: found
				.sort()
				.map((n) => `${n}|`)
				.join(''),
		};
	}
	const file = /^cat (\S+)$/.exec(text);
	if (file !== null) return cat(file[1]!);
	throw new UnknownShellCommand(`shell command "${command}" is unknown`);
}

/** Run @line, commands between semicolons: what the last one answers. */
export function shell(s: Session, line: string): ShellAnswer {
	let answer = DONE;
	for (const command of line.split(';')) answer = one(s, command);
	return answer;
}
