// SPDX-License-Identifier: GPL-2.0-only
// What the demonstration prints, as lines.
import { sysfs_read, sysfs_readdir } from '#fs/sysfs/user.js';
import type { MachineSummary } from '#hw/core/machine.js';
import { IS_ERR } from '#linux/err.js';
import type { JpegInfo } from '#tools/jpeg-info.js';
import type { Dmasan, DmasanReport } from '#watch/dmasan.js';
import type { Allocated, Ways } from './board.js';
import type { BufferFacts, JobError, JobResult } from './job.js';
import type { RogueFacts } from './rogue.js';

/** A whole number with its thousands apart; toLocaleString() loads a locale first. */
const grouped = (n: number): string => String(n).replace(/\B(?=(?:\d{3})+$)/g, ',');

const count = (n: number, what: string): string => `${grouped(n)} ${what}${n === 1 ? '' : 's'}`;

/** A size in the unit that fits. */
export function size(bytes: number): string {
	if (bytes >= 1024 ** 3 && bytes % 1024 ** 2 === 0) return `${bytes / 1024 ** 3} GiB`;
	if (bytes >= 1024 ** 2) return `${Number((bytes / 1024 ** 2).toFixed(1))} MiB`;
	return bytes >= 1024 ? `${Math.round(bytes / 1024)} KiB` : count(bytes, 'byte');
}

/** Rows of cells in columns, the first left-aligned. */
export function table(rows: readonly (readonly string[])[]): string[] {
	const widths = rows[0]?.map((_, c) => Math.max(...rows.map((r) => r[c]?.length ?? 0))) ?? [];
	return rows.map(
		(r) =>
			`  ${r.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!))).join('  ')}`,
	);
}

const SUBSAMPLING: Readonly<Record<JpegInfo['subsampling'], string>> = {
	'420': '4:2:0',
	'422': '4:2:2',
	'444': '4:4:4',
	'422T': '4:4:0',
	'400': 'grey',
};

export function pictureLines(file: string, bytes: number, info: JpegInfo, job: JobResult): string[] {
	const kind = `${info.width}x${info.height}, ${SUBSAMPLING[info.subsampling]}, ${size(bytes)}`;
	return [
		`Decoded ${file}: ${kind}, in ${(job.decodeNs / 1e6).toFixed(2)} ms of virtual time`,
		...pictureNotes(info),
	];
}

/** Where the resolution of colour is more than that of NV12, which is 4:2:0. */
const HALVED: Readonly<Partial<Record<JpegInfo['subsampling'], string>>> = {
	'422': 'height',
	'422T': 'width',
	'444': 'width and height',
};

/** What is not as one would expect of the file, or not as it was in it. */
function pictureNotes(info: JpegInfo): string[] {
	const { subsampling, recoded, surplus } = info;
	const halved = HALVED[subsampling];
	const notes: string[] = [];
	if (recoded !== null) notes.push(`  coded again for the engine, without loss: the file has ${recoded.why}`);
	if (halved !== undefined)
		notes.push(`  colour halved in ${halved}: the engine writes NV12, which is 4:2:0`);
	if (surplus > 0)
		notes.push(
			`  ${count(surplus, 'byte')} of picture data left over behind the last block: the file may be damaged`,
		);
	return notes;
}

export function bufferLine(name: string, b: BufferFacts): string {
	const made =
		b.mapped === null
			? 'contiguous memory'
			: `${count(b.mapped.pieces, 'piece')} of memory, one range for the device`;
	return `  ${name}: ${size(b.bytes)} in ${made}`;
}

/** So many bytes to a line. */
const HEX_COLUMNS = 16;

/** @bytes in hexadecimal, and as text, where they are any; @title stands before the first line. */
export function hexLines(title: string, bytes: Uint8Array): string[] {
	return Array.from({ length: Math.ceil(bytes.length / HEX_COLUMNS) }, (_, i) => {
		const line = [...bytes.subarray(i * HEX_COLUMNS, (i + 1) * HEX_COLUMNS)];
		const hex = line.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
		const text = line.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
		return `${(i === 0 ? title : '').padEnd(title.length)}  ${hex.padEnd(3 * HEX_COLUMNS - 1)}  ${text}`;
	});
}

/** @found: what the sanitiser has to say of it. */
export function rogueLines(facts: RogueFacts, found: readonly DmasanReport[]): string[] {
	const { what, log, stopped, stolen, written, changed, overwritten } = facts;
	const taken = stolen.length === 0 ? '' : `read ${count(stolen.length, 'byte')} and `;
	return [
		`  ${what}:`,
		...log.map((line) => `    ${line}`),
		...found.map(({ text }) => `    ${text.split('\n')[1]}`),
		`    ${stopped ? 'stopped' : 'NOT STOPPED'}; the engine ${taken}wrote ${count(written, 'byte')}, ${count(changed, 'byte')} of memory changed`,
		...(stopped ? [] : hexLines('      stolen', stolen)),
		...(overwritten === null
			? []
			: [...hexLines('      before', overwritten.before), ...hexLines('      after ', overwritten.after)]),
	];
}

/** What kernel and machine said of something that went wrong. */
export function told(log: readonly string[], remarks: readonly string[]): string[] {
	const lines = log.length === 0 ? ['  (nothing)'] : log.map((line) => `  ${line}`);
	return [
		'What the kernel logged of it:',
		...lines,
		...(remarks.length === 0 ? [] : ['What the machine remarks:']),
		...remarks.map((line) => `  ${line}`),
	];
}

/** What the drivers of the board's masters let these see. */
export function exposureLines(sanitiser: Dmasan): string[] {
	const names = new Set(sanitiser.machine.ports.map(({ name }) => name));
	return [...names].flatMap((name) => sanitiser.buffers.exposureReport(name));
}

/** What the sanitisers of the boards found, each at its end, when nothing goes on there. */
export function sanitiserLines(sanitisers: readonly Dmasan[]): string[] {
	const texts = sanitisers.flatMap(({ reports }) => reports.map(({ text }) => text));
	const boots = count(sanitisers.length, 'boot');
	if (texts.length === 0) return [`DMASAN watched ${boots}: no finding`];
	return [
		...texts.flatMap((text) => text.split('\n')),
		`DMASAN watched ${boots}: ${count(texts.length, 'finding')}`,
	];
}

/** One boot of a board, and what came of the job there. */
export interface Variant {
	readonly name: string;
	readonly ways: Ways;
	/** Bytes that were set aside for CMA at boot. */
	readonly reserved: number;
	readonly job: JobResult | JobError;
}

/** The same job with and without translation, side by side. */
export function comparison(variants: readonly Variant[]): string[] {
	const cell = ({ job }: Variant, of: (job: JobResult) => string): string =>
		job instanceof Error ? 'failed' : of(job);
	const pieces = (b: BufferFacts): string => String(b.mapped?.pieces ?? 1);
	const failures = variants.flatMap(({ name, job }) => (job instanceof Error ? [{ name, job }] : []));
	const rows = table([
		['', ...variants.map((v) => v.name)],
		["the engine's DMA", ...variants.map((v) => v.ways.engine ?? 'none')],
		["the display's DMA", ...variants.map((v) => v.ways.display ?? 'none')],
		['CMA set aside at boot', ...variants.map((v) => size(v.reserved))],
		['CMA used by the job', ...variants.map((v) => cell(v, (j) => size(j.cmaBytes)))],
		['pieces of the bitstream buffer', ...variants.map((v) => cell(v, (j) => pieces(j.bitstream)))],
		['pieces of the picture buffer', ...variants.map((v) => cell(v, (j) => pieces(j.picture)))],
	]);
	return [
		...rows,
		...failures.flatMap(({ name, job }) => [
			`  failed with ${name}: ${job.message}`,
			...job.log.map((line) => `    ${line}`),
		]),
	];
}

function groupRows(): string[][] {
	const root = '/sys/kernel/iommu_groups';
	const list = (path: string): string[] => {
		const names = sysfs_readdir(path);
		return IS_ERR(names) ? [] : names;
	};
	return list(root).map((id) => {
		const type = sysfs_read(`${root}/${id}/type`);
		return [`group ${id}`, IS_ERR(type) ? '' : type.trim(), list(`${root}/${id}/devices`).join(', ')];
	});
}

/** Devices, groups, domains; mappings; DMA; TLB; registers; time. */
export function figures(summary: MachineSummary, job: JobResult | null): string[] {
	const groups = groupRows();
	const lines = groups.map(([name, type, devices]) => `  ${name}: ${devices}; domain type ${type}`);
	if (groups.length === 0) lines.push('  no device is behind an IOMMU');
	if (job !== null)
		lines.push(
			`  mapped ${size(job.mapped.bytes)} in ${count(job.mapped.pieces, 'piece')}, unmapped ${size(job.unmapped.bytes)} in ${count(job.unmapped.pieces, 'call')}`,
		);
	const dma = summary.dma.filter((p) => p.readBytes + p.writeBytes + p.refused > 0);
	if (dma.length > 0)
		lines.push(
			...table([
				['DMA master', 'read', 'written', 'refused'],
				...dma.map((p) => [
					p.stream < 0 ? p.name : `${p.name} (${p.stream})`,
					size(p.readBytes),
					size(p.writeBytes),
					String(p.refused),
				]),
			]),
		);
	for (const iommu of summary.iommu) {
		const seen = iommu.figures.filter(({ value }) => value > 0);
		const text = seen.map(({ name, value }) => `${name} ${grouped(value)}`);
		lines.push(`  ${iommu.name}: ${text.join(', ') || 'no accesses'}`);
	}
	lines.push(
		`  MMIO: ${count(summary.mmioWrites, 'write')}, ${count(summary.mmioReads, 'read')}; ${count(summary.interrupts, 'interrupt')}; virtual time ${(summary.timeNs / 1e6).toFixed(1)} ms`,
	);
	return lines;
}

/** Kept on purpose: the allocator keeps freed ranges in its caches … */
const KEPT: Readonly<Record<string, string>> = {
	iova: 'address ranges in the IOVA caches',
	iova_magazine: 'magazines of these caches',
};

/** … and a driver, whose pool of them has the IOMMU's name, its tables. */
const TABLES = 'page tables, which the driver keeps until their domain goes';

/** Whether all is as it was before: what is left, by kind. @iommus: their names. */
export function leaks(
	before: Allocated,
	after: Allocated,
	job: JobResult,
	iommus: readonly string[],
): { lines: string[]; leaked: boolean } {
	const kept: string[] = [];
	const leaked: string[] = [];
	for (const [name, n] of Object.entries(after.objects)) {
		const more = n - (before.objects[name] ?? 0);
		if (more <= 0) continue;
		const why = iommus.includes(name) ? TABLES : KEPT[name];
		if (why === undefined) leaked.push(`  LEAKED: ${more} ${name}`);
		else kept.push(`${more} ${why}`);
	}
	if (job.mapped.bytes !== job.unmapped.bytes)
		leaked.push(`  LEAKED: ${size(job.mapped.bytes - job.unmapped.bytes)} still mapped`);
	const lines =
		leaked.length > 0
			? leaked
			: ['  everything that was mapped is unmapped, everything that was allocated is freed'];
	if (kept.length > 0) lines.push(`  (kept: ${kept.join('; ')})`);
	return { lines, leaked: leaked.length > 0 };
}
