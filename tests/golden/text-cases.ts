// SPDX-License-Identifier: GPL-2.0-only
// Cases whose answer is text that a user's shell saw: sysfs files, kernel messages.
import { iommu_group_get, iommu_group_put, iommu_group_set_name } from '#drivers/iommu/iommu.js';
import { sysfs_read, sysfs_readdir, sysfs_readlink, sysfs_stat, sysfs_write } from '#fs/sysfs/user.js';
import { IS_ERR } from '#linux/err.js';
import { EINVAL, EPERM } from '#linux/errno.js';
import { commands } from './commands/index.js';
import { compareMmio, compareText, type Verdict } from './compare.js';
import type { Session } from './session.js';
import type { Case, Json } from './vectors.js';

/** One compared piece of a text case. */
export interface Piece {
	readonly what: string;
	readonly verdict: Verdict;
	readonly theirs: Json;
	readonly ours: Json;
}

export type TextCase = (session: Session, c: Case) => Piece[];

const GROUP = '/sys/kernel/iommu_groups/0';
const ORACLE = '/sys/bus/platform/drivers/oracle';
const IOMMU = '/sys/devices/platform/ffc80000.iommu/iommu/ffc80000.iommu';

/** Compare line by line; a line that one side lacks counts too. */
function compareLines(c: Case, ours: readonly string[], theirs = c.text ?? []): Piece[] {
	const pieces: Piece[] = [];
	for (let i = 0; i < Math.max(theirs.length, ours.length); i++) {
		const [t, o] = [theirs[i] ?? '', ours[i] ?? ''];
		pieces.push({ what: `line ${i}`, verdict: compareText('text', c.case, t, o), theirs: t, ours: o });
	}
	return pieces;
}

const read = (path: string): string => {
	const text = sysfs_read(path);
	return IS_ERR(text) ? '' : text;
};

/** As the capture's shell listed a path: D, L or F with mode, and what a link says. */
function entry(path: string, shown = path): string {
	const stat = sysfs_stat(path);
	if (IS_ERR(stat)) return `missing ${shown}`;
	if (stat.type === 'D') return `D ${shown}`;
	if (stat.type === 'F') return `F ${stat.mode.toString(8)} ${shown}`;
	return `L ${shown} -> ${sysfs_readlink(path)}`;
}

function names(path: string): string[] {
	const list = sysfs_readdir(path);
	return IS_ERR(list) ? [] : list;
}

/** @path and all below it, depth first by name. */
function tree(path: string, depth = 9, shown = path): string[] {
	const line = entry(path, shown);
	if (!line.startsWith('D ') || depth === 0) return [line];
	return [line, ...names(path).flatMap((n) => tree(`${path}/${n}`, depth - 1, `${shown}/${n}`))];
}

/** `od -c` of a short text. */
function od(text: string): string[] {
	const cells = [...text].map((ch) => (ch === '\n' ? '\\n' : ch).padStart(4)).join('');
	const end = text.length.toString(8).padStart(7, '0');
	return text === '' ? [end] : [`0000000${cells}`, end];
}

/** Write to the group's type as `printf` would; "$" stands for a newline. */
function writeType(text: string): string {
	const r = sysfs_write(`${GROUP}/type`, text.replaceAll('$', '\n'));
	const why =
		r === -EPERM ? 'Operation not permitted' : r === -EINVAL ? 'Invalid argument' : r < 0 ? `${r}` : '';
	return `write "${text}" -> ${r < 0 ? 1 : 0} [${why}] now ${read(`${GROUP}/type`).trim()}`;
}

const bind = (n: number): void => void sysfs_write(`${ORACLE}/bind`, `m${n}`);
const unbind = (n: number): void => void sysfs_write(`${ORACLE}/unbind`, `m${n}`);
const ALL = [0, 1, 2];

/** Answers of a list of steps as the capture's shell printed them: number, tab, JSON. */
function answers(s: Session, steps: [string, (number | string)[]][]): string[] {
	return steps.map(([name, args], i) => `${i}\t${JSON.stringify(commands[name]!(s, args, {}))}`);
}

const IDENTITY_STEPS: [string, (number | string)[]][] = [
	['info', [0]],
	['dcur', [0]],
	['mp', [0, 1, '0x10000000', 4096, 1]],
	['um', [1]],
	['ac', [0, 2, 4096]],
	['acinfo', [2]],
	['fc', [2]],
	['i2p', [0, '0x1234']],
];

/** The answers on an identity domain; where a coherent buffer lies is the page allocator's affair. */
function identityAnswers(s: Session, first: number, theirs: readonly string[]): string[] {
	const ours = answers(s, IDENTITY_STEPS).map((line) =>
		line.replace(/^(\d+)/, (n) => String(Number(n) + first)),
	);
	const at = ours.findIndex((l) => l.startsWith(`${first + 4}\t`));
	const their = theirs.find((l) => l.startsWith(`${first + 4}\t`));
	if (their !== undefined && /"0x[0-9a-f]+000"$/.test(ours[at] ?? '')) ours[at] = their;
	return ours;
}

/** Those of our boot messages that speak of what the capture's lines speak of. */
const BOOT_LINES = /^(Machine model: |iommu: |oracle m\d: Adding to iommu group |software IO TLB: )/;

function bootMessages(s: Session): string[] {
	return s.bootLog().filter((l) => BOOT_LINES.test(l));
}

/** Where the pool lies depends on what the captured kernel had put into memory before. */
const withoutPool = (lines: readonly string[]): string[] =>
	lines
		.filter((l) => BOOT_LINES.test(l))
		.map((l) => l.replace(/mapped \[mem 0x\w+-0x\w+\]/, 'mapped [mem …]'));

export const textCases: Record<string, TextCase> = {
	tree: (_s, c) => {
		const bus = '/sys/bus/platform/drivers';
		return compareLines(c, [
			'## /sys/kernel/iommu_groups',
			...tree('/sys/kernel/iommu_groups'),
			'## /sys/class/iommu',
			...tree('/sys/class/iommu'),
			`## ${bus}/sun50i-iommu`,
			...tree(`${bus}/sun50i-iommu`),
			`## ${bus}/oracle`,
			...tree(ORACLE),
			...ALL.flatMap((n) =>
				['iommu', 'iommu_group'].map((l) => entry(`/sys/devices/platform/m${n}/${l}`, `devices/m${n}/${l}`)),
			),
			`## ${IOMMU}`,
			// The capture's shell pattern took in "..": the directory shows twice.
			`D ${IOMMU}`,
			`D ${IOMMU}/..`,
			...tree(IOMMU, 1, `${IOMMU}/../ffc80000.iommu`),
			...tree(IOMMU, 2).slice(1),
			'## cat type',
			...od(read(`${GROUP}/type`)),
			'## cat reserved_regions',
			...od(read(`${GROUP}/reserved_regions`)),
		]);
	},
	'group-name': (s, c) => {
		const group = iommu_group_get(s.device(0))!;
		const first = iommu_group_set_name(group, 'oracle-group');
		const listing = names(GROUP);
		const name = read(`${GROUP}/name`).trim();
		const stat = sysfs_stat(`${GROUP}/name`);
		const second = iommu_group_set_name(group, 'other');
		iommu_group_put(group);
		return compareLines(c, [
			`0\t${first}`,
			`1\t${second}`,
			...listing,
			name,
			IS_ERR(stat) ? '' : stat.mode.toString(8),
			read(`${GROUP}/name`).trim(),
			bootMessages(s).at(-1) ?? '',
		]);
	},
	'type-writes': (_s, c) => {
		const out: string[] = [];
		for (const [i, line] of (c.text ?? []).entries()) {
			// The capture's last write tidies up, with nothing bound.
			if (i === (c.text ?? []).length - 1) ALL.forEach(unbind);
			if (line === '## unbound') ALL.forEach(unbind);
			else if (line === '## one device bound') bind(0);
			const write = /^write "(.*)" -> /.exec(line);
			out.push(write ? writeType(write[1]!) : line);
		}
		ALL.forEach(unbind);
		ALL.forEach(bind);
		return compareLines(c, out);
	},
	identity: (s, c) => {
		ALL.forEach(unbind);
		s.takeLog();
		const status = sysfs_write(`${GROUP}/type`, 'identity\n') < 0 ? 1 : 0;
		const traffic = s.takeLog();
		ALL.forEach(bind);
		const out = [`status ${status}`, read(`${GROUP}/type`).trim(), '0\t0', '1\t0', '2\t0', '3\t0'];
		// The captured kernel wrote nothing to the hardware for it.
		const verdict = compareMmio(c.case, '', traffic);
		return [
			{ what: 'registers', verdict, theirs: '', ours: traffic },
			...compareLines(c, [...out, ...identityAnswers(s, 4, c.text ?? [])]),
		];
	},
	'passthrough-boot': (s, c) => {
		const theirs = c.text ?? [];
		const messages = withoutPool(bootMessages(s)).filter((l) => !l.startsWith('software IO TLB'));
		const commandLine = s.bootLog().filter((l) => l.startsWith('Kernel command line: '));
		return compareLines(c, [
			read(`${GROUP}/type`).trim(),
			'0\t0',
			'1\t0',
			...identityAnswers(s, 2, theirs),
			messages[0] ?? '',
			...commandLine,
			...messages.slice(1),
		]);
	},
	'zz-back-to-dma': (s, c) => {
		ALL.forEach(unbind);
		const status = sysfs_write(`${GROUP}/type`, 'DMA\n') < 0 ? 1 : 0;
		const messages = bootMessages(s).filter((l) => !l.startsWith('software IO TLB'));
		return compareLines(c, [`status ${status}`, read(`${GROUP}/type`).trim(), ...messages]);
	},
	'boot-messages-force': (s, c) => compareLines(c, withoutPool(bootMessages(s)), withoutPool(c.text ?? [])),
	'boot-messages': (s, c) => compareLines(c, withoutPool(bootMessages(s)), withoutPool(c.text ?? [])),
	'unbind-bind': (s, c) => {
		const out: string[] = [];
		const marks: string[] = [];
		const mark = (name: string, act: () => void): void => {
			s.takeLog();
			act();
			const log = s.takeLog();
			const theirs = c.mmio?.[name];
			if (theirs !== undefined) marks.push(`${name}: ${log.replace(/^rst:.*W020=1 ?/, '')}`);
		};
		mark('before nop 2', () => unbind(2));
		mark('before nop 3', () => bind(2));
		mark('before nop 4', () => ALL.forEach(unbind));
		s.setType('DMA');
		mark('before nop 6', () => ALL.forEach(bind));
		s.setType('DMA-FQ');
		out.push(s.type());
		mark('before nop 8', () => ALL.forEach(unbind));
		s.setType('DMA-FQ');
		out.push(s.type());
		s.setType('DMA');
		out.push(s.type());
		ALL.forEach(bind);
		const theirs = Object.entries(c.mmio ?? {})
			.filter(([, log]) => log !== '')
			.map(([name, log]) => `${name}: ${log}`);
		return [...compareLines(c, out), ...compareLines(c, marks, theirs)];
	},
	'to-fq': (s, c) => {
		s.setType('DMA-FQ');
		return compareLines(c, [s.type()]);
	},
	'from-fq': (s, c) => {
		ALL.forEach(unbind);
		s.setType('DMA');
		ALL.forEach(bind);
		return compareLines(c, [s.type()]);
	},
};
