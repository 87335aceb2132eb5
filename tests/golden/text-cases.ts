// SPDX-License-Identifier: GPL-2.0-only
// Cases whose answer is text a user's shell saw: sysfs, kernel messages.
import { iommu_group_get, iommu_group_put, iommu_group_set_name } from '#drivers/iommu/iommu.js';
import { sysfs_read, sysfs_readdir, sysfs_readlink, sysfs_stat, sysfs_write } from '#fs/sysfs/user.js';
import { IS_ERR } from '#linux/err.js';
import { EINVAL, EPERM } from '#linux/errno.js';
import { commands } from './commands/index.js';
import { compareMmio, compareText, placeOf, type Verdict } from './compare.js';
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
		pieces.push({ what: `line ${i}`, verdict: compareText('text', placeOf(c), t, o), theirs: t, ours: o });
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

/** The answers on an identity domain, numbered from @first. */
function identityAnswers(s: Session, first: number): string[] {
	return answers(s, IDENTITY_STEPS).map((line) => line.replace(/^\d+/, (n) => String(Number(n) + first)));
}

/**
 * What can be compared of such a case's lines: without the answers of the markers (nop) before step @first, which
 * call nothing, and without the place of the coherent buffer, a page that the allocator chose.
 */
function identityLines(lines: readonly string[], first: number): string[] {
	const isNop = (line: string): boolean => /^\d+\t0$/.test(line) && Number.parseInt(line, 10) < first;
	const page = new RegExp(`^${first + 4}\\t"0x[0-9a-f]+000"$`);
	return lines.filter((line) => !isNop(line)).map((line) => line.replace(page, `${first + 4}\t(a page)`));
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

/** All lines of a file. */
const lines = (path: string): string[] => read(path).split('\n').slice(0, -1);

const TRACING = '/sys/kernel/tracing';
const SYSTEMS = ['iommu', 'swiotlb', 'dma'];

/** The numbers that a build gives: to events, and to the variables of a macro. */
const withoutBuildNumbers = (text: readonly string[]): string[] => {
	const seen: string[] = [];
	return text.map((line) =>
		line.replace(/^ID: \d+$/, 'ID: …').replace(/__UNIQUE_ID_([xy])_(\d+)/g, (_all, letter, id: string) => {
			if (!seen.includes(id)) seen.push(id);
			return `__UNIQUE_ID_${letter}_${seen.indexOf(id)}`;
		}),
	);
};

/** What the case "trace-sample" did while all events were on, as its answers and its records show. */
const SAMPLE_STEPS: [string, (number | string)[]][] = [
	['mp', [0, 1, '0x10000123', 5000, 1]],
	['scpu', [1, 0, 100]],
	['sdev', [1, 0, 100]],
	['um', [1]],
	['ac', [0, 2, 4096]],
	['fc', [2]],
	['sg', [0, 3, 1, 0, '0x10001000:4096,0x10003000:8192']],
	['usg', [3]],
	['mp', [1, 4, '0x10000000', 16384, 2]],
	['um', [4]],
	['mr', [0, 5, '0xf1260000', 4096, 0, 0]],
	['ur', [5]],
	['mp', [0, 6, '0x10000000', 0x2_0000_0000, 1, 32]],
	['dcur', [0, 1]],
	['rfault', [1, 0, '0x1234', 1]],
];

/**
 * Records without what the two kernels cannot share: the task and its number, the time, and where each page
 * allocator put the page tables and the coherent buffer. A page table's address becomes its place in the table, a
 * directory's its place in the directory. The flags column stays.
 */
function withoutPlaces(text: readonly string[]): string[] {
	const tables: number[] = [];
	const place = (phys: number): string => {
		const table = tables.findIndex((base) => phys >= base && phys < base + 1024);
		return table < 0
			? `DT+${(phys % 16384).toString(16)}`
			: `PT${table}+${(phys - tables[table]!).toString(16)}`;
	};
	return text.map((line) => {
		const record = /^ *\S+-\d+ +\[\d{3}\] (\S{5}) +\d+\.\d{6}: (.*)$/.exec(line);
		if (record === null) return line;
		const [, flags, what] = record as unknown as [string, string, string];
		const table = /^dma_map_page: \S+\.iommu .* dma_addr=(\w+) size=1024 /.exec(what);
		if (table) tables.push(Number.parseInt(table[1]!, 16));
		const at = what.includes('.iommu dir=')
			? what.replace(
					/(_addr)=(\w+)/g,
					(_all, name, phys: string) => `${name}=${place(Number.parseInt(phys, 16))}`,
				)
			: what.replace(/^(map: .* - 0x00000000ffffe000 paddr)=0x(?!00000000f1260000)\w+/, '$1=…');
		return `${flags} ${at}`;
	});
}

/** 6.12 loses a domain's tables and leaves them mapped for the IOMMU. */
const TABLES_FREED = /^\S{5} dma_unmap_page: \S+\.iommu /;

/** Of /proc/iomem, what this machine cannot have: the kernel's image, what its boot reserved, UARTs. */
const NOT_OURS = /Kernel (code|data)$|: reserved$|serial@/;
/** The tree's own reserved-memory, which both have. */
const RESERVED_BY_TREE = /^ {2}(03000000-037fffff|10000000-13ffffff|50000000-53ffffff) : reserved$/;
const isOurs = (line: string): boolean => RESERVED_BY_TREE.test(line) || !NOT_OURS.test(line);

/** Linux's number of an interrupt says how many others were set up before it: interprocessor ones, timers, UARTs. */
const withoutIrqNumber = (line: string): string =>
	line.replace(/^ *\d+(?=: +\d+ +GICv3)/, (n) => '…'.padStart(n.length));

export const textCases: Record<string, TextCase> = {
	'trace-formats': (_s, c) => {
		const ours = SYSTEMS.flatMap((system) =>
			names(`${TRACING}/events/${system}`)
				.filter((event) => event !== 'enable')
				.flatMap((event) => [
					`## events/${system}/${event}/`,
					...lines(`${TRACING}/events/${system}/${event}/format`),
				]),
		);
		return compareLines(c, withoutBuildNumbers(ours), withoutBuildNumbers(c.text ?? []));
	},
	'trace-sample': (s, c) => {
		for (const system of SYSTEMS) sysfs_write(`${TRACING}/events/${system}/enable`, '1\n');
		sysfs_write(`${TRACING}/trace`, '\n');
		// The capture's first two answers are of markers (nop), which call nothing.
		const nops = ['0\t0', '1\t0'];
		const steps = answers(s, SAMPLE_STEPS).map((line) => line.replace(/^\d+/, (n) => String(Number(n) + 2)));
		s.takeLog();
		s.refresh();
		const log = s.takeLog();
		const trace = lines(`${TRACING}/trace`);
		for (const system of SYSTEMS) sysfs_write(`${TRACING}/events/${system}/enable`, '0\n');
		const all = withoutPlaces([...trace, '## answers', ...nops, ...steps]);
		// A listed deviation: these records are no part of Linux's trace, nor of its count of records.
		const freed = all.filter((line) => TABLES_FREED.test(line));
		const ours = all
			.filter((line) => !TABLES_FREED.test(line))
			.map((line) =>
				line.replace(/(?<=entries-written: )(\d+)\/(\d+)/, (_all, kept: string, written: string) =>
					[kept, written].map((n) => Number(n) - freed.length).join('/'),
				),
			);
		const theirLog = c.mmio?.['after the last nop'] ?? '';
		const logVerdict = compareMmio(placeOf(c), theirLog, log);
		return [
			...compareLines(c, ours, withoutPlaces(c.text ?? [])),
			...compareLines(c, [freed.join('\n')], ['']),
			{ what: 'register traffic', verdict: logVerdict, theirs: theirLog, ours: log },
		];
	},
	debugfs: (_s, c) => {
		const swiotlb = '/sys/kernel/debug/swiotlb';
		const files = ['io_tlb_nslabs', 'io_tlb_used', 'io_tlb_used_hiwater'].map((f) => `${swiotlb}/${f}`);
		const iommu = names('/sys/kernel/debug/iommu').map((name) => `/sys/kernel/debug/iommu/${name}`);
		return compareLines(
			c,
			[
				...files.flatMap((f) => [`## ${f}`, ...lines(f)]),
				// Empty: the shell's pattern stays as it is.
				`## ${iommu.length === 0 ? '/sys/kernel/debug/iommu/*' : iommu.join(' ')}`,
				...lines('/proc/iomem').filter(isOurs),
				...lines('/proc/interrupts')
					.filter((l) => l.endsWith('.iommu'))
					.map(withoutIrqNumber),
			],
			(c.text ?? []).filter(isOurs).map(withoutIrqNumber),
		);
	},
	tree: (s, c) => {
		const bus = '/sys/bus/platform/drivers';
		return compareLines(c, [
			'## /sys/kernel/iommu_groups',
			...tree('/sys/kernel/iommu_groups'),
			'## /sys/class/iommu',
			...tree('/sys/class/iommu'),
			`## ${bus}/${s.hardware.driver}`,
			...tree(`${bus}/${s.hardware.driver}`),
			`## ${bus}/oracle`,
			...tree(ORACLE),
			...ALL.flatMap((n) =>
				['iommu', 'iommu_group'].map((l) => entry(`/sys/devices/platform/m${n}/${l}`, `devices/m${n}/${l}`)),
			),
			`## ${IOMMU}`,
			// The capture's shell pattern took in "..": the directory shows twice.
			entry(IOMMU),
			entry(`${IOMMU}/..`),
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
		const out = [`status ${status}`, read(`${GROUP}/type`).trim(), ...identityAnswers(s, 4)];
		// The captured kernel wrote nothing to the hardware for it.
		const verdict = compareMmio(placeOf(c), '', traffic);
		return [
			{ what: 'registers', verdict, theirs: '', ours: traffic },
			...compareLines(c, identityLines(out, 4), identityLines(c.text ?? [], 4)),
		];
	},
	'passthrough-boot': (s, c) => {
		const messages = withoutPool(bootMessages(s)).filter((l) => !l.startsWith('software IO TLB'));
		const commandLine = s.bootLog().filter((l) => l.startsWith('Kernel command line: '));
		const out = [read(`${GROUP}/type`).trim(), ...identityAnswers(s, 2)];
		out.push(messages[0] ?? '', ...commandLine, ...messages.slice(1));
		return compareLines(c, identityLines(out, 2), identityLines(c.text ?? [], 2));
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
